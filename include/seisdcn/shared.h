/* shared: predictions of all windows of a level set at once, exactly: windows of one scale share the encoder, the
 * middle of the decoder, and the strips along its edges; only the corners are each window's own. See shared_private.h
 * for the geometry. Serves every network whose patch has a middle (P > 4 L). */
#ifndef SEISDCN_SHARED_H
#define SEISDCN_SHARED_H

#include "seisdcn/levelset.h"
#include "seisdcn/network.h"
#include "seisdcn/status.h"

#include <stdbool.h>

typedef struct Shared Shared;

/* Whether a network's windows can be shared. Pure. */
bool shared_serves(const NetworkShape *shape);

/* Prepares for a network whose running statistics are folded; shared_scale [channels] as in Predictor. Local.
 * STATUS_MEMORY. */
Status shared_new(Network *network, const bool *shared_scale, Shared **shared);

void shared_free(Shared *shared);

/* Bytes that shared_new() takes. Pure. */
size_t shared_bytes(const Network *network);

/* What the set costs this way over what it costs window by window: below 1 sharing is the cheaper way. Pure; of
 * measured weights, see shared_cost.c. */
double shared_cost(const Shared *shared, const LevelSet *set);

/* Whether a gather's level sets are worth looking for: of its windows, `starts` have another scale than the ones before
 * in their row and in their column, and `inside` the same as both. Pure. */
bool shared_worth_searching(const Shared *shared, int64_t starts, int64_t inside);

/* Adds the set's predictions, times its scale, to sum: plane is the padded gather [channel][plane_rows][columns], sum
 * [plane_rows][columns] as in Predictor. Pure but for the arrays in shared. */
void shared_add(Shared *shared, const LevelSet *set, const float *plane, int64_t plane_rows, int64_t columns,
                double *sum);

/* A box of outputs of the network without edges, and where what it reads begins in the padded gather: 2 L rows and
 * columns before. */
typedef struct {
    int64_t row, column, rows, columns;
} SharedPass;

/* The most rows and columns of such a box. Pure. */
int64_t shared_pass_most(const Shared *shared);

/* Predicts a box as the middle of a window that had no edges would be, into out [rows][out_stride]: plane as in
 * shared_add(), divided by its scale already; P rows and columns from the box's beginning on are read at least, and 4 L
 * more than the box has. Pure but for the arrays in shared. */
void shared_pass(Shared *shared, const SharedPass *box, const float *plane, int64_t plane_rows, int64_t columns,
                 float *out, int64_t out_stride);

#endif
