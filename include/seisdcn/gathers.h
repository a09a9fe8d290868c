/* gathers: the gathers that a rank holds in memory, read when they are first asked for or, by a caller who knows what
 * comes next, ahead of that.
 *
 * Above a limit the gather that was not asked for the longest goes. Who knows for how long a gather is in use keeps it:
 * it then has its place, and goes only after it was dropped as often. Gathers that are read ahead wait for their first
 * use within a limit of their own, so that they never take the place of those that are kept. */
#ifndef SEISDCN_GATHERS_H
#define SEISDCN_GATHERS_H

#include "seisdcn/reader.h"
#include "seisdcn/status.h"
#include "seisdcn/survey.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    const Survey *survey;
    int64_t n_channels;
    int64_t limit, bytes;             /* most bytes held (0: any number), and bytes held or set aside */
    int64_t ahead_limit, ahead_bytes; /* the same of those that are read ahead and not yet in use (0: none) */
    float **data;                     /* [n_ensembles] [n_channels][fold][n_samples], NULL: not held */
    uint8_t *state;                   /* [n_ensembles] flags, see gathers.c */
    int32_t *kept;                    /* [n_ensembles] how often it is kept */
    int64_t *newer, *older;           /* [n_ensembles] neighbours in the order of use of those that may go */
    int64_t newest, oldest;           /* -1: none */
    Reader reader;
    int64_t n_read; /* gathers whose reading was begun */
    double seconds; /* spent in reading and in waiting for what is read ahead */
} Gathers;

/* An empty store of the survey's first n_channels channels; nothing is read ahead until ahead_limit is set. Local.
 * STATUS_MEMORY; STATUS_IO, STATUS_DATA where the file cannot be opened. */
Status gathers_new(const Survey *survey, int64_t n_channels, int64_t limit, Gathers *gathers);

void gathers_free(Gathers *gathers);

/* Bytes that gathers_new() takes besides gathers. Pure. */
size_t gathers_table_bytes(const Survey *survey, int64_t n_channels);

/* Bytes of ensemble e in a store. Pure. */
int64_t gathers_bytes_of(const Survey *survey, int64_t n_channels, int64_t e);

/* Ensemble e's samples, [n_channels][fold][n_samples]; they stay the store's, as long as gathers_stays() says. Local.
 * STATUS_IO, STATUS_DATA, STATUS_MEMORY. */
Status gathers_get(Gathers *gathers, int64_t e, const float **amplitude);

/* Whether ensemble e's samples stay where they are whatever else is asked for: it is kept, or there is no limit. Where
 * not, they stay until the next call. Pure. */
bool gathers_stays(const Gathers *gathers, int64_t e);

/* Keeps ensemble e until gathers_drop(), called as often. It is read when it is asked for. Local. */
void gathers_keep(Gathers *gathers, int64_t e);
void gathers_drop(Gathers *gathers, int64_t e);

/* Starts to read ensemble e, which will be asked for. Returns whether it is there or on its way (or nothing can be read
 * ahead at all); false: there is no room now. Its failure is told by gathers_get(). Local. */
bool gathers_ahead(Gathers *gathers, int64_t e);

/* What was read ahead and not asked for yet may go: something else comes next. Local. */
void gathers_forget_ahead(Gathers *gathers);

#endif
