/* batch: patches cut out of gathers, scaled, and laid in lanes (vector.h) for the network.
 *
 * A patch is divided by its largest magnitude over the channels that share a scale (channel 0 and the attributes marked
 * so); a patch of zeros stays zeros; channels marked scale = none are taken as they are. */
#ifndef SEISDCN_BATCH_H
#define SEISDCN_BATCH_H

#include "seisdcn/exact.h"
#include "seisdcn/gathers.h"
#include "seisdcn/index_map.h"
#include "seisdcn/status.h"
#include "seisdcn/vector.h"

#include <stdint.h>

typedef struct {
    const Vector *vector;
    int64_t n_channels, patch_size;
    int64_t capacity;       /* patches that fit */
    int64_t n;              /* patches loaded: rows[0 .. n - 1], lane i % lanes of group i / lanes */
    IndexRow *rows;         /* [capacity] */
    float *x;               /* [group][channel][P][P][lane]; unused lanes of the last group are zero */
    ExactSum *sum, *square; /* [n_channels] over all values of the batch's own patches */
} Batch;

/* Room for `capacity` patches. Local. STATUS_MEMORY. */
Status batch_new(const Vector *vector, int64_t n_channels, int64_t patch_size, int64_t capacity, Batch *batch);

void batch_free(Batch *batch);

/* Bytes that batch_new() takes. Pure. */
size_t batch_bytes(const Vector *vector, int64_t n_channels, int64_t patch_size, int64_t capacity);

/* Cuts and scales the patches rows[0 .. n - 1] of the batch, and sums batch norm's statistics. Local. STATUS_IO,
 * STATUS_DATA (also where an attribute's values are too large to sum), STATUS_MEMORY. */
Status batch_load(Batch *batch, int64_t n, Gathers *gathers);

/* Group g's values, [channel][P][P][lane]. Pure. */
float *batch_group(const Batch *batch, int64_t g);

#endif
