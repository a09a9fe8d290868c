/* gathers: the gathers that a rank holds in memory, read when they are first asked for; above a limit the one that was
 * not asked for the longest goes. */
#ifndef SEISDCN_GATHERS_H
#define SEISDCN_GATHERS_H

#include "seisdcn/status.h"
#include "seisdcn/survey.h"

#include <stdint.h>

typedef struct {
    const Survey *survey;
    int64_t n_channels;
    int64_t limit, bytes;   /* most bytes held (0: any number), and bytes held */
    float **data;           /* [n_ensembles] [n_channels][fold][n_samples], NULL: not held */
    int64_t *newer, *older; /* [n_ensembles] neighbours in the order of use, -1 at its ends */
    int64_t newest, oldest;
    double seconds; /* spent in reading */
} Gathers;

/* An empty store of the survey's first n_channels channels. Local. STATUS_MEMORY. */
Status gathers_new(const Survey *survey, int64_t n_channels, int64_t limit, Gathers *gathers);

void gathers_free(Gathers *gathers);

/* Ensemble e's samples, [n_channels][fold][n_samples]; they stay the store's, until the next call where there is a
 * limit. Local. STATUS_IO, STATUS_DATA, STATUS_MEMORY. */
Status gathers_get(Gathers *gathers, int64_t e, const float **amplitude);

#endif
