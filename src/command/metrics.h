/* Private to the commands: the rows of a training's metrics.csv, read back. */
#ifndef SEISDCN_METRICS_H
#define SEISDCN_METRICS_H

#include "seisdcn/status.h"

#include <stdint.h>

/* A row: NaN where a field is empty. */
typedef struct {
    double epoch, step, of_step, of_epoch, valid, learning_rate, speed; /* losses; patches a second */
} MetricsRow;

typedef struct {
    const char *path; /* the caller's, for messages */
    MetricsRow *row;  /* [n] */
    int64_t n;
} Metrics;

/* Reads the rows of the file at path; a last line without its end is left out, the training may still run. To be freed
 * with metrics_free(), also after a failure. Local. STATUS_IO, STATUS_MEMORY; STATUS_DATA where it is no metrics. */
Status metrics_read(const char *path, Metrics *metrics);

void metrics_free(Metrics *metrics);

/* The row of the lowest validation loss, -1 where there is none. Pure. */
int64_t metrics_best(const Metrics *metrics);

#endif
