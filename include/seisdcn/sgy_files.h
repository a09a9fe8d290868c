/* sgy_files: several SEG-Y files as one row of traces, numbered through: file after file, in each as they stand there.
 */
#ifndef SEISDCN_SGY_FILES_H
#define SEISDCN_SGY_FILES_H

#include "seisdcn/sgy_layout.h"
#include "seisdcn/sgy_trace.h"
#include "seisdcn/status.h"

#include <stdint.h>

typedef struct {
    int64_t n;
    const char **paths;                /* [n], the caller's */
    SgyLayout *layouts;                /* [n], the caller's */
    int64_t *first;                    /* [n + 1], the number of each file's first trace; the caller's */
    const int64_t *marks, *first_mark; /* of traces that differ in length (sgy_walk_marks()), and [n] each file's
                                          first; the caller's; NULL where all files have fixed lengths */
    SgyTraces open;                    /* the file that was read last stays open */
    int64_t open_file;
} SgyFiles;

/* Which file holds trace `number`, and its place there. Pure. */
void sgy_files_find(const SgyFiles *files, int64_t number, int64_t *file, int64_t *place);

/* As sgy_trace_header() and sgy_trace_read(), by a trace's number. Local. STATUS_IO. */
Status sgy_files_header(SgyFiles *files, int64_t number, uint8_t headers[2 * SGY_HEADER]);
Status sgy_files_read(SgyFiles *files, int64_t number, uint8_t *headers, uint8_t *samples, int64_t *n);

/* Closes the open file. Local. */
void sgy_files_close(SgyFiles *files);

#endif
