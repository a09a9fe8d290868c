/* One pass of the network over a whole gather. */
#include "predict_private.h"

#include <string.h>

static int64_t mirrored(int64_t i, int64_t n)
{
    if (n == 1) return 0;
    int64_t period = 2 * (n - 1), at = (i % period + period) % period;
    return at < n ? at : period - at;
}

/* Fills what lies around the gather in the padded one: a network that was trained within gathers knows no edges, but
 * events that go on. */
static void mirror(Predictor *predictor, int64_t fold)
{
    const Network *network = predictor->network;
    int64_t edge = network->shape.patch_size - 1, rows = predict_rows(network, fold), columns = predictor->columns;
    int64_t n = predictor->n_samples;
    for (int64_t c = 0; c < network->shape.channels; c++) {
        float *plane = predictor->plane + c * rows * columns;
        for (int64_t t = 0; t < fold; t++) {
            float *row = plane + (t + edge) * columns + edge;
            for (int64_t k = 1; k <= edge; k++) {
                row[-k] = row[mirrored(-k, n)];
                row[n - 1 + k] = row[mirrored(n - 1 + k, n)];
            }
        }
        for (int64_t i = 0; i < rows; i++) {
            int64_t from = mirrored(i - edge, fold) + edge;
            if (from != i) memcpy(plane + i * columns, plane + from * columns, (size_t)columns * sizeof *plane);
        }
    }
}

/* Of each sample: predictor->left counts the live windows that cover it, predictor->sum sums their scales; sample
 * (t, k) stands at row t and column k of both. */
static void sum_scales(Predictor *predictor, int64_t fold)
{
    int64_t size = predictor->network->shape.patch_size, rows = fold + size - 1, columns = predictor->columns;
    int64_t n_samples = predictor->n_samples;
    double *sum = predictor->sum;
    for (int64_t i = 0; i < rows * columns; i++) sum[i] = predictor->scale[i] > 0;
    predict_box_sums(predictor, rows, n_samples, fold);
    for (int64_t i = 0; i < fold * columns; i++) predictor->left[i] = (float)sum[i];
    for (int64_t i = 0; i < rows * columns; i++) sum[i] = (double)predictor->scale[i];
    predict_box_sums(predictor, rows, n_samples, fold);
}

/* Divides the padded gather by the mean scale of the live windows that cover a sample. What only muted windows cover
 * becomes zeros: no live window sees it either. */
static void divide(Predictor *predictor, int64_t fold)
{
    const Network *network = predictor->network;
    int64_t edge = network->shape.patch_size - 1, rows = predict_rows(network, fold), columns = predictor->columns;
    for (int64_t c = 0; c < network->shape.channels; c++) {
        if (!predictor->shared_scale[c]) continue;
        for (int64_t t = 0; t < fold; t++) {
            float *x = predictor->plane + (c * rows + t + edge) * columns + edge;
            const double *sum = predictor->sum + t * columns;
            const float *live = predictor->left + t * columns;
            for (int64_t k = 0; k < predictor->n_samples; k++)
                x[k] = live[k] > 0 ? (float)((double)x[k] * (double)live[k] / sum[k]) : 0;
        }
    }
}

/* The network over the divided gather, box by box, into out. */
static bool pass(Predictor *predictor, int64_t fold, float *out)
{
    const Network *network = predictor->network;
    int64_t rows = predict_rows(network, fold), most = shared_pass_most(predictor->shared), n = predictor->n_samples;
    int64_t start = network->shape.patch_size - 1 - 2 * network->shape.levels;
    for (int64_t t = 0; t < fold; t += most)
        for (int64_t k = 0; k < n; k += most) {
            SharedPass box = {.row = t + start,
                              .column = k + start,
                              .rows = fold - t < most ? fold - t : most,
                              .columns = n - k < most ? n - k : most};
            shared_pass(predictor->shared, &box, predictor->plane, rows, predictor->columns, out + t * n + k, n);
            if (predict_given_up(predictor)) return false;
        }
    return true;
}

bool predict_whole(Predictor *predictor, const float *in, int64_t fold, float *out, PredictCounts *counts)
{
    int64_t edge = predictor->network->shape.patch_size - 1, columns = predictor->columns, n = predictor->n_samples;
    predict_pad(predictor, in, fold);
    mirror(predictor, fold);
    predict_scales(predictor, fold, counts);
    sum_scales(predictor, fold);
    divide(predictor, fold);
    mirror(predictor, fold);
    if (!pass(predictor, fold, out)) return false;
    double *sum = predictor->sum; /* to where predict_finish() looks, last first: what is written has been read */
    for (int64_t t = fold - 1; t >= 0; t--)
        for (int64_t k = n - 1; k >= 0; k--)
            sum[(t + edge) * columns + k + edge] = sum[t * columns + k] * (double)out[t * n + k];
    predict_finish(predictor, in, fold, out, counts);
    return true;
}
