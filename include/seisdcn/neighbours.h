/* neighbours: gathers of the same inline, next to each other in the order of their crosslines, whatever lies between.
 * Gathers of one position are none of each other's: of those at the next position, the i-th in the file is the
 * neighbour of the i-th, or the last one where there are fewer. A gather without a known position has none; two that
 * begin at different times (survey_start_us()), whose samples of one number are of different times, are none. */
#ifndef SEISDCN_NEIGHBOURS_H
#define SEISDCN_NEIGHBOURS_H

#include "seisdcn/status.h"
#include "seisdcn/survey.h"

#include <stdint.h>

typedef struct {
    int64_t *before, *after;               /* [n_ensembles] the gather's neighbours, -1: none; one block */
    int64_t with_two, with_one, with_none; /* gathers with so many neighbours */
    int64_t apart;                         /* pairs that are none, since they begin at different times */
} Neighbours;

/* Finds them out of a survey's tables. Local, the same on all ranks. STATUS_DATA where no gather has any: the
 * message says who wants them ("train.target=neighbour") and what does without; STATUS_MEMORY. To be freed also after a
 * failure. */
Status neighbours_new(const Survey *survey, const char *wanted, const char *remedy, Neighbours *neighbours);

/* One of zeros is nothing. */
void neighbours_free(Neighbours *neighbours);

/* Says on the log how many gathers have how many, and how far apart they lie. Local: rank 0's. */
void neighbours_report(const Survey *survey, const Neighbours *neighbours);

#endif
