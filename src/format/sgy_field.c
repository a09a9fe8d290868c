#include "seisdcn/sgy_field.h"

#include "seisdcn/sgy_sample.h"
#include "seisdcn/text.h"

#include <stdio.h>
#include <string.h>

/* Where the standard (rev 1) has its fields in a trace header, those that tell gathers and traces apart. */
static const SgyField table[] = {
    {1, 4, "sequence_line", SGY_WORD_INTEGER},
    {5, 4, "sequence_file", SGY_WORD_INTEGER},
    {9, 4, "shot", SGY_WORD_INTEGER},
    {9, 4, "field_record", SGY_WORD_INTEGER},
    {13, 4, "channel", SGY_WORD_INTEGER},
    {17, 4, "source_point", SGY_WORD_INTEGER},
    {21, 4, "cdp", SGY_WORD_INTEGER},
    {25, 4, "cdp_trace", SGY_WORD_INTEGER},
    {29, 2, "trace_id", SGY_WORD_INTEGER},
    {31, 2, "vertical_sum", SGY_WORD_INTEGER},
    {33, 2, "fold", SGY_WORD_INTEGER},
    {35, 2, "data_use", SGY_WORD_INTEGER},
    {37, 4, "offset", SGY_WORD_INTEGER},
    {41, 4, "group_elevation", SGY_WORD_INTEGER},
    {45, 4, "source_elevation", SGY_WORD_INTEGER},
    {49, 4, "source_depth", SGY_WORD_INTEGER},
    {53, 4, "group_datum", SGY_WORD_INTEGER},
    {57, 4, "source_datum", SGY_WORD_INTEGER},
    {61, 4, "source_water", SGY_WORD_INTEGER},
    {65, 4, "group_water", SGY_WORD_INTEGER},
    {69, 2, "elevation_scalar", SGY_WORD_INTEGER},
    {71, 2, "coordinate_scalar", SGY_WORD_INTEGER},
    {73, 4, "source_x", SGY_WORD_INTEGER},
    {77, 4, "source_y", SGY_WORD_INTEGER},
    {81, 4, "group_x", SGY_WORD_INTEGER},
    {85, 4, "group_y", SGY_WORD_INTEGER},
    {89, 2, "coordinate_unit", SGY_WORD_INTEGER},
    {109, 2, "delay", SGY_WORD_INTEGER},
    {115, 2, "samples", SGY_WORD_INTEGER},
    {117, 2, "interval", SGY_WORD_INTEGER},
    {171, 2, "roll_group", SGY_WORD_INTEGER},
    {173, 2, "first_group", SGY_WORD_INTEGER},
    {175, 2, "last_group", SGY_WORD_INTEGER},
    {181, 4, "cdp_x", SGY_WORD_INTEGER},
    {185, 4, "cdp_y", SGY_WORD_INTEGER},
    {189, 4, "inline", SGY_WORD_INTEGER},
    {193, 4, "crossline", SGY_WORD_INTEGER},
    {197, 4, "shot_point", SGY_WORD_INTEGER},
    {201, 2, "shot_point_scalar", SGY_WORD_INTEGER},
};

enum { N_FIELDS = sizeof table / sizeof *table };

/* Besides the table's: the standard's other fields of two bytes. */
static bool is_short(int64_t byte)
{
    static const struct {
        int first, last;
    } runs[] = {{29, 35}, {69, 71}, {89, 179}, {201, 203}, {209, 217}, {223, 223}, {229, 231}};
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++)
        if (byte >= runs[i].first && byte <= runs[i].last && (byte - runs[i].first) % 2 == 0) return true;
    return false;
}

static const SgyField *find(const char *name, size_t length)
{
    for (int i = 0; i < N_FIELDS; i++)
        if (strlen(table[i].name) == length && strncmp(table[i].name, name, length) == 0) return &table[i];
    return NULL;
}

static Status unknown(const char *text, const char *option)
{
    const char *names[N_FIELDS];
    for (int i = 0; i < N_FIELDS; i++) names[i] = table[i].name;
    const char *nearest = text_nearest(text, names, N_FIELDS);
    if (nearest != NULL)
        return status_fail(STATUS_USAGE, "%s: no field of a trace header is called '%.80s'; did you mean %s?", option,
                           text, nearest);
    return status_fail(STATUS_USAGE,
                       "%s takes a byte position (189), one with its width or kind (233:2, 37:float, 37:ibm), or the "
                       "name of a field (cdp, shot, source_point, offset, inline, crossline ...), not '%.80s'",
                       option, text);
}

/* What stands behind the colon: a width, or a kind of float. */
static Status take_kind(const char *kind, const char *option, SgyField *field)
{
    bool is_float = strcmp(kind, "float") == 0, is_ibm = strcmp(kind, "ibm") == 0;
    int64_t width = 4;
    if (!is_float && !is_ibm && (!text_to_int(kind, &width) || (width != 2 && width != 4)))
        return status_fail(STATUS_USAGE, "%s: a field is 2 or 4 bytes wide, or a float (:float, :ibm), not '%.80s'",
                           option, kind);
    field->width = (int)width;
    field->word = is_float ? SGY_WORD_FLOAT : is_ibm ? SGY_WORD_IBM : SGY_WORD_INTEGER;
    return STATUS_OK;
}

Status sgy_field_parse(const char *text, const char *option, SgyField *field)
{
    char digits[16];
    const char *colon = strchr(text, ':');
    size_t length = colon == NULL ? strlen(text) : (size_t)(colon - text);
    int64_t byte;
    snprintf(digits, sizeof digits, "%.*s", length < sizeof digits ? (int)length : 0, text);
    const SgyField *known = find(text, length);
    bool is_number = text_to_int(digits, &byte);
    if (known == NULL && !is_number) return unknown(text, option);
    if (known != NULL) byte = known->byte;
    *field = (SgyField){.width = known != NULL ? known->width : is_short(byte) ? 2 : 4};
    Status status = colon == NULL ? STATUS_OK : take_kind(colon + 1, option, field);
    if (status != STATUS_OK) return status;
    if (byte < 1 || byte > SGY_HEADER - field->width + 1)
        return status_fail(STATUS_USAGE, "%s: a field of %d bytes begins at byte 1 to %d of a trace header, not at %s",
                           option, field->width, SGY_HEADER - field->width + 1, digits);
    field->byte = (int)byte;
    for (int i = 0; i < N_FIELDS && known == NULL; i++)
        if (table[i].byte == byte && table[i].width == field->width) known = &table[i];
    if (known != NULL && known->width == field->width) memcpy(field->name, known->name, sizeof field->name);
    return STATUS_OK;
}

SgyField sgy_field_named(const char *name)
{
    const SgyField *known = find(name, strlen(name));
    if (known == NULL) return (SgyField){0};
    return *known;
}

char *sgy_field_text(const SgyField *field, char *text)
{
    static const char *const kinds[] = {"", "float", "IBM float"};
    const char *kind = kinds[field->word], *comma = *kind == '\0' ? "" : ", ";
    if (field->name[0] == '\0')
        snprintf(text, 64, "byte %d%s%s", field->byte, comma, kind);
    else
        snprintf(text, 64, "%s (byte %d%s%s)", field->name, field->byte, comma, kind);
    return text;
}

uint64_t sgy_number(const uint8_t *bytes, int width, bool big)
{
    uint64_t number = 0;
    for (int i = 0; i < width; i++) number = number << 8 | bytes[big ? i : width - 1 - i];
    return number;
}

void sgy_number_put(uint8_t *bytes, int width, bool big, uint64_t number)
{
    for (int i = 0; i < width; i++) bytes[big ? width - 1 - i : i] = (uint8_t)(number >> (8 * i));
}

int32_t sgy_field_get(const uint8_t header[SGY_HEADER], const SgyField *field, bool big)
{
    uint64_t number = sgy_number(header + field->byte - 1, field->width, big);
    return field->width == 2 ? (int16_t)number : (int32_t)number;
}

void sgy_field_put(uint8_t header[SGY_HEADER], const SgyField *field, bool big, int32_t value)
{
    sgy_number_put(header + field->byte - 1, field->width, big, (uint64_t)value);
}

/* Floats sort as their bits do, those below 0 the other way round; to and fro are the same step. */
static int32_t turn(int32_t bits) { return bits < 0 ? bits ^ INT32_MAX : bits; }

int32_t sgy_float_code(float value)
{
    int32_t bits;
    if (value == 0) return 0;
    memcpy(&bits, &value, sizeof bits);
    return turn(bits);
}

int32_t sgy_field_code(const uint8_t header[SGY_HEADER], const SgyField *field, bool big)
{
    if (field->word == SGY_WORD_INTEGER) return sgy_field_get(header, field, big);
    float value;
    SgyOdd odd = {.first = -1};
    sgy_decode(field->word == SGY_WORD_IBM ? SGY_IBM : SGY_IEEE, big, header + field->byte - 1, 1, &value, &odd);
    return sgy_float_code(value);
}

double sgy_code_value(const SgyField *field, int32_t code)
{
    if (field->word == SGY_WORD_INTEGER) return code;
    int32_t bits = turn(code);
    float value;
    memcpy(&value, &bits, sizeof value);
    return (double)value;
}
