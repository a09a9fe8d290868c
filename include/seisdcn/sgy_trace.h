/* sgy_trace: reads the traces of a SEG-Y file, header and samples, as the bytes that they are in the file.
 *
 * libsegyio reads them, from a layout that sgy_layout has found and checked; built without it, opening a file fails and
 * says so. */
#ifndef SEISDCN_SGY_TRACE_H
#define SEISDCN_SGY_TRACE_H

#include "seisdcn/sgy_layout.h"
#include "seisdcn/status.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    const char *path; /* the caller's, as the layout */
    const SgyLayout *layout;
    const int64_t
        *marks; /* of traces that differ in length (sgy_walk_marks()); NULL: they are walked to from the first */
    int64_t last, last_at; /* of such files: where the trace that was read last begins, */
    int64_t next, next_at; /* and the one behind it; 0: none was read */
    void *handle;
} SgyTraces;

/* Whether SEG-Y can be read: whether the program was built with libsegyio. Pure. */
bool sgy_trace_serves(void);

/* Opens a file for reading its traces. Local. STATUS_IO. */
Status sgy_trace_open(const char *path, const SgyLayout *layout, SgyTraces *traces);

/* Closes it; one of zeros is nothing. Local. */
void sgy_trace_close(SgyTraces *traces);

/* Reads the first header of trace t, and behind it the first additional one where the file has some (else that room is
 * left as it is). Local. STATUS_IO. */
Status sgy_trace_header(SgyTraces *traces, int64_t t, uint8_t headers[2 * SGY_HEADER]);

/* Reads trace t: its headers [(1 + n_extra) * SGY_HEADER], first and additional, and its own *n samples, of room for
 * [n_samples * item_size]. Local. STATUS_IO. */
Status sgy_trace_read(SgyTraces *traces, int64_t t, uint8_t *headers, uint8_t *samples, int64_t *n);

#endif
