/* batch: patches cut out of gathers, scaled, and laid in lanes (vector.h) for the network, with what its predictions
 * are compared with (objective.h).
 *
 * A patch is divided by its scale (scale.h) over the channels that share one (channel 0 and the attributes marked so),
 * those of all gathers that feed it together; a patch of zeros stays zeros; channels marked scale = none are taken as
 * they are. A target is divided by the scale of the input. Where it then passes BATCH_TARGET_LIMIT, as beside an input
 * that is nearly muted, it counts as muted: its square would drown the rest. */
#ifndef SEISDCN_BATCH_H
#define SEISDCN_BATCH_H

#include "seisdcn/exact.h"
#include "seisdcn/gathers.h"
#include "seisdcn/index_map.h"
#include "seisdcn/objective.h"
#include "seisdcn/scale.h"
#include "seisdcn/status.h"
#include "seisdcn/vector.h"

#include <stdint.h>

#define BATCH_TARGET_LIMIT 64.0f

typedef struct {
    const Vector *vector;
    int64_t n_channels, patch_size;
    int64_t capacity;       /* patches that fit */
    int64_t n;              /* patches of this batch: row i is lane i % lanes of group i / lanes */
    const IndexRow *rows;   /* [n], the caller's */
    float *x;               /* [group][channel][P][P][lane]; unused lanes of the last group are zero */
    ExactSum *sum, *square; /* [n_channels] over all values of the groups loaded */
    PatchScale scale;
    /* with an objective that is not `source`: */
    const Objective *objective; /* the caller's; NULL: source */
    RandomKey key;              /* of its draws (objective_key()), set by the caller */
    float *target, *weight;     /* [group][n_out][P][P][lane]; a sample counts (1) or not (0) */
    float *spare;               /* [channel][P][P][lane] */
    int64_t counting;           /* samples that count, of the groups loaded */
} Batch;

/* Room for `capacity` patches, scaled by their largest magnitude (batch->scale may be set to another), and with
 * objective (NULL: source) for their targets. Local. STATUS_MEMORY. */
Status batch_new(const Vector *vector, int64_t n_channels, int64_t patch_size, int64_t capacity,
                 const Objective *objective, Batch *batch);

void batch_free(Batch *batch);

/* Bytes that batch_new() takes. Pure. */
size_t batch_bytes(const Vector *vector, int64_t n_channels, int64_t patch_size, int64_t capacity,
                   const Objective *objective);

/* Starts a batch of these rows, which must stay until it is loaded: sums of zero. What the groups held before stays
 * until batch_load_group() takes their place. Pure but for the message; STATUS_BUG where they do not fit. */
Status batch_start(Batch *batch, const IndexRow *rows, int64_t n);

/* Groups of the batch. Pure. */
int64_t batch_groups(const Batch *batch);

/* Cuts and scales the patches of group g and their targets, and adds them to batch norm's sums; clean holds the gathers
 * of the clean survey for TARGET_CLEAN. Local. STATUS_IO, STATUS_DATA (also where an attribute's values are too large
 * to sum), STATUS_MEMORY. */
Status batch_load_group(Batch *batch, int64_t g, Gathers *gathers, Gathers *clean);

/* Group g's values, [channel][P][P][lane]. Pure. */
float *batch_group(const Batch *batch, int64_t g);

/* Group g's targets and weights, [n_out][P][P][lane]; NULL for source. Pure. */
float *batch_target(const Batch *batch, int64_t g);
float *batch_weight(const Batch *batch, int64_t g);

#endif
