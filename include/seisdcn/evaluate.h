/* evaluate: a network's loss over one split, without dropout and with the running statistics, every patch exactly once;
 * the same bits for any number of ranks. */
#ifndef SEISDCN_EVALUATE_H
#define SEISDCN_EVALUATE_H

#include "seisdcn/batch.h"
#include "seisdcn/comm.h"
#include "seisdcn/index_map.h"
#include "seisdcn/network.h"
#include "seisdcn/status.h"
#include "seisdcn/survey.h"

#include <stdint.h>

typedef struct {
    Comm comm;
    int64_t n_rows;     /* of the split */
    int64_t n_used;     /* evaluated: all of them, or a limit's even selection */
    int64_t first, end; /* of this rank: numbers in 0 .. n_used */
    IndexShare share;
    Gathers gathers, clean; /* clean: of the clean survey, where there is one */
    Batch batch;
    IndexRow *rows; /* [batch.capacity] */
    IndexSplit split;
    int64_t ahead;        /* number from which on gathers are to be read ahead */
    void (*poke)(void *); /* called now and then while it runs; may be NULL */
    void *poke_context;
} Evaluation;

/* Prepares the evaluation of a split by objective (the caller's; NULL: source); limit > 0: at most so many patches,
 * evenly spaced in the canonical order. At most `hold` bytes of gathers stay in memory between calls (0: any number).
 * Collective. STATUS_MEMORY, STATUS_IO. */
Status evaluate_new(const Comm *comm, const Survey *survey, const IndexMap *map, IndexSplit split, int64_t limit,
                    int64_t hold, const Network *network, const Objective *objective, Evaluation *evaluation);

void evaluate_free(Evaluation *evaluation);

/* Bytes that evaluate_new() takes besides gathers. Pure. */
size_t evaluate_bytes(const Survey *survey, const Network *network, const Objective *objective);

/* The least `hold` that lets gathers be read ahead, for gathers of at most `largest` bytes. Pure. */
int64_t evaluate_least(int64_t largest);

/* Bytes of the gathers that this rank's part of the evaluation needs, all together. Pure. */
int64_t evaluate_gathers(const Evaluation *evaluation);

/* The mean loss over the patches' samples that count, what is drawn being the same each time; folds the running
 * statistics into the network. group is any of the network's. Collective. STATUS_NUMERIC where it is not finite,
 * STATUS_DATA where no sample counts, STATUS_INTERRUPTED within about a second of a rank's being asked to stop
 * (interrupt.h), and what reading the gathers may say. */
Status evaluate_run(Evaluation *evaluation, Network *network, NetworkGroup *group, double *loss);

#endif
