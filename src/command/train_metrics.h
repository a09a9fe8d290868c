/* Private to the train command: metrics.csv, a row a time. Rank 0's; every function is local. */
#ifndef SEISDCN_TRAIN_METRICS_H
#define SEISDCN_TRAIN_METRICS_H

#include "seisdcn/checkpoint.h"
#include "seisdcn/status.h"

#include <stdint.h>
#include <stdio.h>

typedef struct {
    FILE *file; /* NULL: rows go nowhere (the other ranks) */
    char *path;
    int64_t rows; /* behind the head */
} TrainMetrics;

/* Begins folder/metrics.csv with its head. STATUS_IO, STATUS_MEMORY. */
Status train_metrics_create(TrainMetrics *metrics, const char *folder);

/* Goes on with folder/metrics.csv behind the rows that stood there at a checkpoint: later ones go, at once or not at
 * all; says so where rows are missing. STATUS_IO, STATUS_MEMORY. */
Status train_metrics_resume(TrainMetrics *metrics, const char *folder, const CheckpointState *state);

/* The row of a step, and that of an epoch (valid_loss NaN: none). A failure shows in train_metrics_sync(). */
void train_metrics_step(TrainMetrics *metrics, int64_t epoch, int64_t step, double loss, double learning_rate,
                        double patches_per_second);
void train_metrics_epoch(TrainMetrics *metrics, int64_t epoch, double train_loss, double valid_loss);

/* Sees to it that all rows are on the disk. STATUS_IO. */
Status train_metrics_sync(TrainMetrics *metrics);

/* Frees it; what was not synced may be lost. One of zeros is nothing. */
void train_metrics_close(TrainMetrics *metrics);

#endif
