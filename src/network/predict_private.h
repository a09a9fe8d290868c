/* Private to predict*.c: what the ways of predicting a gather share. Rows and columns are those of the padded gather.
 */
#ifndef SEISDCN_PREDICT_PRIVATE_H
#define SEISDCN_PREDICT_PRIVATE_H

#include "seisdcn/predict.h"

static inline int64_t predict_rows(const Network *network, int64_t fold)
{
    return fold + 2 * (network->shape.patch_size - 1);
}

/* Fills predictor->plane: the gather, padded; raw channels conditioned. */
void predict_pad(Predictor *predictor, const float *in, int64_t fold);

/* Makes the first `across` values of the first `down` rows of predictor->sum sums over the P x P values from there on;
 * values of the first `rows` rows are read. Nothing is taken off a running sum: what holds only zeros has the sum 0. */
void predict_box_sums(Predictor *predictor, int64_t rows, int64_t across, int64_t down);

/* Fills predictor->scale: of every window, 0 where it is muted; and counts. Uses predictor->sum. */
void predict_scales(Predictor *predictor, int64_t fold, PredictCounts *counts);

/* Whether the caller's poke gives the gather up. */
bool predict_given_up(const Predictor *predictor);

/* out = (predictor->sum + gather * how many muted windows cover the sample) / P^2, then mutes and energies. */
void predict_finish(Predictor *predictor, const float *in, int64_t fold, float *out, PredictCounts *counts);

#endif
