/* reader: gathers straight from the survey's file, at once or while the rank computes.
 *
 * A survey's samples lie in its file as plain float32, one after the other, so they can be read without HDF5 (which
 * serves one caller at a time): at once by pread(), in the background by the C library's asynchronous I/O (POSIX AIO).
 * It does not work where a channel lies otherwise: a chunked or compressed attribute, one of another type; then gathers
 * are read by survey_read_gather() when they are needed. */
#ifndef SEISDCN_READER_H
#define SEISDCN_READER_H

#include "seisdcn/status.h"
#include "seisdcn/survey.h"

#include <stdbool.h>
#include <stdint.h>

enum { READER_SLOTS = 16 }; /* gathers that are on their way at a time */

struct aiocb;

typedef struct {
    const Survey *survey;
    int64_t n_channels;
    int file;                       /* the survey's file, opened once more; -1: it does not work */
    int64_t *offset;                /* [n_channels] where a channel starts in the file, in bytes */
    struct aiocb *control;          /* [READER_SLOTS][n_channels] */
    int64_t ensemble[READER_SLOTS]; /* -1: the slot is free */
    int n_busy;
} Reader;

/* Prepares reading of a survey's first n_channels channels. Local. STATUS_MEMORY, STATUS_IO, STATUS_DATA. */
Status reader_new(const Survey *survey, int64_t n_channels, Reader *reader);

/* Ends what is still being read, whose buffers may be freed then. Local. One of zeros is nothing. */
void reader_free(Reader *reader);

/* Whether it works for this survey; nothing below is called where it does not. Pure. */
bool reader_works(const Reader *reader);

/* Reads gather e into data [n_channels][fold(e)][n_samples]. The values are not checked. Local. STATUS_IO. */
Status reader_read(const Reader *reader, int64_t e, float *data);

/* Starts to read gather e into data, the caller's, who leaves it alone until reader_finish(). Local. False where all
 * slots are busy or the system takes no more. */
bool reader_start(Reader *reader, int64_t e, float *data);

/* A gather that was started and has arrived, or failed: reader_finish() will not wait for it; -1: none. Local. */
int64_t reader_arrived(const Reader *reader);

/* Ends the reading of gather e, which was started: waits for what is under way, and reads by itself what is not. The
 * values are not checked. Local. STATUS_IO. */
Status reader_finish(Reader *reader, int64_t e);

/* Bytes that reader_new() takes. Pure. */
size_t reader_bytes(int64_t n_channels);

#endif
