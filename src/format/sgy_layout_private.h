/* sgy_layout_private: what the files of sgy_layout share. */
#ifndef SEISDCN_SGY_LAYOUT_PRIVATE_H
#define SEISDCN_SGY_LAYOUT_PRIVATE_H

#include "seisdcn/sgy_layout.h"

/* A file, its length and its first bytes. */
typedef struct {
    const char *path;
    int64_t size;
    const uint8_t *binary;
    bool plain;   /* take it for rev 0 without extended text, whatever stands in the bytes that rev 0 leaves free */
    bool salvage; /* whole traces are enough, whatever follows them */
} SgyHead;

/* Finds how many samples a trace has, how many traces there are and where they end: layout has all that stands before.
 * trace_header is the first trace's. Local. STATUS_IO, STATUS_DATA. */
Status sgy_fit_samples(const SgyHead *head, const SgyForce *force, const uint8_t *trace_header, SgyLayout *layout);

/* What a layout stanza ("((SEG:Layout ...") moves of the trace header's fields, in words, which may be in text; NULL
 * where all stand where the standard has them. Pure. */
const char *sgy_mapping_moves(const char *stanza, char text[160]);

/* Refuses a file whose layout stanza moves fields. Local. STATUS_IO, STATUS_DATA, STATUS_MEMORY. */
Status sgy_mapping_check(const char *path, const SgyLayout *layout);

#endif
