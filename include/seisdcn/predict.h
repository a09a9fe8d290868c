/* predict: the network over a whole gather: a window of the patch's size slides by one trace and one sample over the
 * gather, padded with P-1 zeros on all sides; a window is divided by its scale s (scale.h), predicted, and multiplied
 * by s; a muted window (its largest magnitude is 0 or below the threshold) passes as it is. The output is the sum of
 * all windows laid where they stood, divided by P^2: each sample is covered by P^2 windows, at the edges too. Sums are
 * in double. */
#ifndef SEISDCN_PREDICT_H
#define SEISDCN_PREDICT_H

#include "seisdcn/network.h"
#include "seisdcn/scale.h"
#include "seisdcn/shared.h"
#include "seisdcn/status.h"

#include <stdbool.h>
#include <stdint.h>

/* What a prediction counts; the caller zeroes it and adds over gathers. */
typedef struct {
    int64_t windows;  /* all */
    int64_t live;     /* predicted */
    int64_t faint;    /* passed as they are although they hold something: 0 < s < threshold */
    int64_t sets;     /* level sets (shared only) */
    int64_t alone;    /* live windows that were predicted one by one */
    double energy;    /* sum of squares of the gather's channel 0 */
    double predicted; /* sum of squares of the prediction, before keep_mutes */
    double leaked;    /* what of it stands in samples that are exact zeros in channel 0 */
    int64_t samples;
} PredictCounts;

typedef struct {
    Network *network; /* folded with the running statistics */
    double mute_threshold;
    bool keep_mutes;          /* samples that were exact zeros become zeros again */
    const bool *shared_scale; /* [channels] which channels share the scale; the caller's */
    const float *own;         /* [fold][n_samples] the gather that muted windows pass, the caller's; NULL: channel 0 */
    int64_t max_fold, n_samples;
    int64_t columns; /* of a padded row, with slack for a vector past its end */
    NetworkGroup group;
    float *plane; /* [channels][max_fold + 2 (P - 1)][columns] the padded gather */
    float *scale; /* [max_fold + 2 (P - 1)][columns] of the window that starts there, 0 where muted */
    double *sum;  /* [max_fold + 2 (P - 1)][columns] */
    PatchScale patch_scale;
    double *line;                       /* [columns] */
    int32_t *muted;                     /* [columns] muted windows in the last P rows that start in this column */
    Shared *shared;                     /* NULL where the network's windows cannot be shared */
    bool share_all;                     /* share sets whatever they cost: for tests; predict_new() makes it false */
    float *left;                        /* like scale: of the windows that no level set has taken yet; negative
                                           where one was left to be predicted window by window */
    int64_t queue[VECTOR_LANES_MAX][2]; /* windows (row, column) that wait to be predicted one by one */
    int64_t queued;
    bool (*poke)(void *); /* called between level sets, or lanes of windows: true gives the gather up; NULL: none */
    void *poke_context;
} Predictor;

/* Prepares for gathers of up to max_fold traces. Local. STATUS_MEMORY. */
Status predict_new(Network *network, int64_t max_fold, int64_t n_samples, double mute_threshold, bool keep_mutes,
                   const bool *shared_scale, Predictor *predictor);

void predict_free(Predictor *predictor);

/* Bytes that predict_new() takes. Pure. */
size_t predict_bytes(const Network *network, int64_t max_fold, int64_t n_samples);

/* Predicts one gather: in [channels][fold][n_samples], out [fold][n_samples] (channel 0). Each window by itself: the
 * definition. False where poke gave it up: out and counts are of no use then. Pure but for the predictor's own arrays
 * and poke. */
bool predict_direct(Predictor *predictor, const float *in, int64_t fold, float *out, PredictCounts *counts);

/* The same prediction to rounding, by level sets: what windows of one scale have in common is computed once; a set
 * that is cheaper window by window goes that way, and all do where the network does not serve (see shared.h). */
bool predict_shared(Predictor *predictor, const float *in, int64_t fold, float *out, PredictCounts *counts);

/* Another prediction, with about P^2 times fewer operations than the definition: one pass of the network, as if its
 * windows had no edges, over the gather divided sample by sample by the mean scale of the live windows that cover it,
 * which is smooth; beyond its edges the gather is mirrored, not zero. Only where the windows have a middle
 * (shared_serves()). The share of muted windows passes as it is, as ever. */
bool predict_whole(Predictor *predictor, const float *in, int64_t fold, float *out, PredictCounts *counts);

#endif
