/* sgy_span: what a trace's headers tell of its time: how many samples it has, and when the first one was taken; and
 * files whose traces differ in length, which are walked through from one trace to the next.
 *
 * rev 2's extension (the first additional header, named SEG00001) tells more samples than two bytes hold, and a delay
 * to the nanosecond. Headers are in the file's byte order. */
#ifndef SEISDCN_SGY_SPAN_H
#define SEISDCN_SGY_SPAN_H

#include "seisdcn/sgy_layout.h"
#include "seisdcn/status.h"

#include <stdbool.h>
#include <stdint.h>

/* Traces from one whose place in the file is kept to the next. */
enum { SGY_MARK = 32 };

/* Samples of a trace: of the extension, where `extra` is one and tells them, else of bytes 115-116; 0: not told. extra
 * is the first additional header, or NULL. Pure. */
int64_t sgy_header_samples(const uint8_t header[SGY_HEADER], const uint8_t *extra, bool big);

/* The delay of a trace's first sample in nanoseconds: bytes 109-110 (milliseconds) times or over the scalar in 215-216
 * (1, 10, 100, 1000 or 10000, negative: over; anything else is none), and the extension's nanoseconds. Pure. */
int64_t sgy_header_delay(const uint8_t header[SGY_HEADER], const uint8_t *extra, bool big);

/* Bytes of a trace of so many samples, with its headers. Pure. */
int64_t sgy_trace_bytes(const SgyLayout *layout, int64_t n_samples);

/* How a walk ended. */
typedef enum {
    SGY_WALK_WHOLE,  /* at the end */
    SGY_WALK_CUT,    /* in what may be a part of one trace, or padding: left_out and left_zeros tell */
    SGY_WALK_NOWHERE /* in something else */
} SgyWalkEnd;

/* Walks from trace to trace by the samples that each header tells, from layout->first_trace to layout->end or, in rev
 * 2, to a trailer's stanza. Unless it leads nowhere, or all traces have one length (which is as good as nowhere),
 * layout is variable then, as its members say. Local. STATUS_IO, STATUS_DATA. */
Status sgy_walk(const char *path, SgyLayout *layout, SgyWalkEnd *end);

/* Walks through a variable file again: marks [sgy_walk_n_marks()] become the places of every SGY_MARK-th trace. Local.
 * STATUS_IO. */
Status sgy_walk_marks(const char *path, const SgyLayout *layout, int64_t *marks);

/* How many there are, 0 of files of fixed length. Pure. */
int64_t sgy_walk_n_marks(const SgyLayout *layout);

#endif
