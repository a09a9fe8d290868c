/* batch: patches cut out of gathers, scaled, and laid in lanes (vector.h) for the network.
 *
 * A patch is divided by its scale (scale.h) over the channels that share one (channel 0 and the attributes marked so);
 * a patch of zeros stays zeros; channels marked scale = none are taken as they are. */
#ifndef SEISDCN_BATCH_H
#define SEISDCN_BATCH_H

#include "seisdcn/exact.h"
#include "seisdcn/gathers.h"
#include "seisdcn/index_map.h"
#include "seisdcn/scale.h"
#include "seisdcn/status.h"
#include "seisdcn/vector.h"

#include <stdint.h>

typedef struct {
    const Vector *vector;
    int64_t n_channels, patch_size;
    int64_t capacity;     /* patches that fit */
    int64_t n;            /* patches of this batch: row i is lane i % lanes of group i / lanes */
    const IndexRow *rows; /* [n], the caller's */
    float *x;             /* [group][channel][P][P][lane]; unused lanes of the last group are zero */
    PatchScale scale;
    ExactSum *sum, *square; /* [n_channels] over all values of the groups loaded */
} Batch;

/* Room for `capacity` patches, scaled by their largest magnitude: batch->scale may be set to another. Local.
 * STATUS_MEMORY. */
Status batch_new(const Vector *vector, int64_t n_channels, int64_t patch_size, int64_t capacity, Batch *batch);

void batch_free(Batch *batch);

/* Bytes that batch_new() takes. Pure. */
size_t batch_bytes(const Vector *vector, int64_t n_channels, int64_t patch_size, int64_t capacity);

/* Starts a batch of these rows, which must stay until it is loaded: sums of zero. What the groups held before stays
 * until batch_load_group() takes their place. Pure but for the message; STATUS_BUG where they do not fit. */
Status batch_start(Batch *batch, const IndexRow *rows, int64_t n);

/* Groups of the batch. Pure. */
int64_t batch_groups(const Batch *batch);

/* Cuts and scales the patches of group g, and adds them to batch norm's sums. Local. STATUS_IO, STATUS_DATA (also where
 * an attribute's values are too large to sum), STATUS_MEMORY. */
Status batch_load_group(Batch *batch, int64_t g, Gathers *gathers);

/* Group g's values, [channel][P][P][lane]. Pure. */
float *batch_group(const Batch *batch, int64_t g);

#endif
