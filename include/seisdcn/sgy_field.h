/* sgy_field: numbers in the headers of SEG-Y files, by the standard's byte positions (which count from 1) or by name.
 *
 * Headers stay as they are in the file, in its byte order; these functions look into them. Refused with STATUS_USAGE:
 * names that are not known (the nearest one is named), positions outside a trace header. */
#ifndef SEISDCN_SGY_FIELD_H
#define SEISDCN_SGY_FIELD_H

#include "seisdcn/status.h"

#include <stdbool.h>
#include <stdint.h>

enum { SGY_HEADER = 240, SGY_FIELD_NAME_MAX = 24 };

typedef enum { SGY_WORD_INTEGER, SGY_WORD_FLOAT, SGY_WORD_IBM } SgyWord; /* floats are IEEE's or IBM's, of 4 bytes */

typedef struct {
    int byte;  /* 1 .. 240 */
    int width; /* bytes: 2 or 4 */
    char name[SGY_FIELD_NAME_MAX];
    SgyWord word;
} SgyField;

/* The field that text means: a name ("cdp") or a byte ("189": as wide as the standard's field there, else 4), with its
 * width or kind where they are others ("233:2", "37:float", "offset:ibm"). option is for the message. Local.
 * STATUS_USAGE. */
Status sgy_field_parse(const char *text, const char *option, SgyField *field);

/* The standard's field of a name that is in the table. Pure. */
SgyField sgy_field_named(const char *name);

/* How a field is called: "cdp (byte 21)", "byte 233", "offset (byte 37, IBM float)"; text holds 64 bytes. Pure. */
char *sgy_field_text(const SgyField *field, char *text);

/* A field of a trace header as a signed number. Pure. */
int32_t sgy_field_get(const uint8_t header[SGY_HEADER], const SgyField *field, bool big);

/* What a field holds, of any kind, as a number that sorts as the values do: an integer itself, a float's bits in order
 * (-0 as 0, IBM floats as the nearest float32). Pure. */
int32_t sgy_field_code(const uint8_t header[SGY_HEADER], const SgyField *field, bool big);

/* The value that such a number stands for. Pure. */
double sgy_code_value(const SgyField *field, int32_t code);

/* The number that stands for a float. Pure. */
int32_t sgy_float_code(float value);

/* Puts a number into a field of a trace header; it must fit its width. Pure. */
void sgy_field_put(uint8_t header[SGY_HEADER], const SgyField *field, bool big, int32_t value);

/* The unsigned number of `width` bytes (1 to 8) at bytes. Pure. */
uint64_t sgy_number(const uint8_t *bytes, int width, bool big);

/* Writes the low `width` bytes of number at bytes. Pure. */
void sgy_number_put(uint8_t *bytes, int width, bool big, uint64_t number);

#endif
