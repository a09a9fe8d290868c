/* Private to the train command: what it writes. Rank 0 writes; the other ranks' TrainOutput does nothing. */
#ifndef SEISDCN_TRAIN_OUTPUT_H
#define SEISDCN_TRAIN_OUTPUT_H

#include "train_metrics.h"
#include "train_resume.h"

#include "seisdcn/model.h"
#include "seisdcn/survey.h"
#include "seisdcn/trainer.h"

#include <stdbool.h>

typedef struct {
    const char *folder;     /* the caller sets these three */
    const Trainer *trainer; /* whose network is written */
    CheckpointState *state; /* the caller's; its place and rows are brought up to date here */
    char *history;
    TrainMetrics metrics;
    ModelInfo info;
    Network best;         /* the weights of the best loss that counts, once state->best_epoch > 0 */
    char *checkpoints[2]; /* the last two in DIR/checkpoints, older first; NULL: none yet */
} TrainOutput;

/* Checks that a training may write to folder. Local: rank 0. STATUS_USAGE where something stands there (unless
 * `exists` is fine), STATUS_IO. */
Status train_output_check(const char *folder, bool exists);

/* Whether name is that of a checkpoint, step_N.h5, and its N. Pure. */
bool train_output_is_checkpoint(const char *name, int64_t *step);

/* Whether a training writes or removes a file of this name in its folder. Pure. */
bool train_output_writes(const char *name);

/* Makes the folder ready: anew, with config.yaml and the head of metrics.csv, or, where resume has found a checkpoint,
 * as it was when that was written. Collective. STATUS_IO, STATUS_MEMORY. */
Status train_output_open(const Comm *comm, TrainOutput *output, const Survey *survey, const IndexMap *map,
                         const char *line, const TrainResume *resume, const Config *config);

/* The epoch's row (valid_loss NaN: none), best.h5 where it is the best, last.h5, and a checkpoint. closed: see
 * CheckpointState. Local: rank 0. STATUS_IO, STATUS_MEMORY. */
Status train_output_epoch(TrainOutput *output, double train_loss, double valid_loss, bool best, bool closed);

/* Writes a checkpoint within an epoch. Local: rank 0. */
Status train_output_checkpoint(TrainOutput *output);

void train_output_free(TrainOutput *output);

#endif
