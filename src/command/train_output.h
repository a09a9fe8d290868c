/* Private to the train command: what it writes. Rank 0 writes; the other ranks' TrainOutput does nothing. */
#ifndef SEISDCN_TRAIN_OUTPUT_H
#define SEISDCN_TRAIN_OUTPUT_H

#include "seisdcn/model.h"
#include "seisdcn/survey.h"
#include "seisdcn/trainer.h"

#include <stdio.h>

typedef struct {
    const char *folder; /* NULL on other ranks */
    char *history;
    FILE *metrics;
    const Network *network;
    const Trainer *trainer;
    ModelInfo info;
    char *checkpoints[2]; /* the last two, older first; NULL: none yet */
} TrainOutput;

/* Checks that a training may write to folder. Local: rank 0. STATUS_USAGE where something stands there (unless force),
 * STATUS_IO. */
Status train_output_check(const char *folder, bool force);

/* Makes the folder with config.yaml and the head of metrics.csv. Collective. STATUS_IO, STATUS_MEMORY. */
Status train_output_open(const Comm *comm, TrainOutput *output, const char *folder, const Config *config,
                         const Network *network, const Trainer *trainer, const Survey *survey, const IndexMap *map,
                         const char *line);

/* A step's row of metrics.csv. Local; a failure shows at the epoch's end. */
void train_output_step(TrainOutput *output, int64_t epoch, int64_t step, double loss, double patches_per_second);

/* The epoch's row (valid_loss NaN: none), last.h5, best.h5 where it is the best, and a checkpoint. Local: rank 0. */
Status train_output_epoch(TrainOutput *output, int64_t epoch, double train_loss, double valid_loss, bool best);

/* Writes a checkpoint and removes the one before the last. Local: rank 0. */
Status train_output_checkpoint(TrainOutput *output);

/* Closes metrics.csv. Local: rank 0. */
Status train_output_close(TrainOutput *output);

void train_output_free(TrainOutput *output);

#endif
