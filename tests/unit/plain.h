/* The plain definition of everything the fast kernels do, in double and with nothing but loops: the oracle of the tests
 * and of the bench. Arrays are [channel][row][column] of one patch. */
#ifndef SEISDCN_TESTS_PLAIN_H
#define SEISDCN_TESTS_PLAIN_H

#include "seisdcn/config.h"
#include "seisdcn/network.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The members of a NetworkShape that are the original's, in their order. */
#define SHAPE(c, k, l, p, d, m, s) \
    .channels = (c), .k_mult = (k), .levels = (l), .patch_size = (p), .dropout = (d), .mixing = (m), .skip = (s)

static inline double *plain_array(int64_t n)
{
    double *array = calloc((size_t)n, sizeof *array);
    if (array == NULL) abort();
    return array;
}

/* The larger of a worst error so far and this difference's magnitude; NaN is worst of all, where fmax() drops it. */
static inline double plain_worse(double worst, double difference)
{
    return isnan(worst) || fabs(difference) <= worst ? worst : fabs(difference);
}

/* small += contract(big), weight [small][big of the group][3][3] */
static inline void plain_contract(const ConvShape *s, const double *weight, const double *big, double *small)
{
    for (int64_t g = 0; g < s->groups; g++)
        for (int64_t k = 0; k < s->small_channels; k++)
            for (int64_t i = 0; i < s->big_channels; i++)
                for (int64_t y = 0; y < s->rows; y++)
                    for (int64_t x = 0; x < s->cols; x++)
                        for (int64_t tap = 0; tap < 9; tap++) {
                            int64_t o = g * s->small_channels + k, b = g * s->big_channels + i;
                            small[(o * s->rows + y) * s->cols + x] +=
                                weight[(o * s->big_channels + i) * 9 + tap] *
                                big[(b * (s->rows + 2) + y + tap / 3) * (s->cols + 2) + x + tap % 3];
                        }
}

static inline void plain_expand(const ConvShape *s, const double *weight, const double *small, double *big)
{
    for (int64_t g = 0; g < s->groups; g++)
        for (int64_t k = 0; k < s->small_channels; k++)
            for (int64_t i = 0; i < s->big_channels; i++)
                for (int64_t y = 0; y < s->rows; y++)
                    for (int64_t x = 0; x < s->cols; x++)
                        for (int64_t tap = 0; tap < 9; tap++) {
                            int64_t o = g * s->small_channels + k, b = g * s->big_channels + i;
                            big[(b * (s->rows + 2) + y + tap / 3) * (s->cols + 2) + x + tap % 3] +=
                                weight[(o * s->big_channels + i) * 9 + tap] * small[(o * s->rows + y) * s->cols + x];
                        }
}

static inline void plain_gradient(const ConvShape *s, const double *big, const double *small, double *gradient)
{
    for (int64_t g = 0; g < s->groups; g++)
        for (int64_t k = 0; k < s->small_channels; k++)
            for (int64_t i = 0; i < s->big_channels; i++)
                for (int64_t y = 0; y < s->rows; y++)
                    for (int64_t x = 0; x < s->cols; x++)
                        for (int64_t tap = 0; tap < 9; tap++) {
                            int64_t o = g * s->small_channels + k, b = g * s->big_channels + i;
                            gradient[(o * s->big_channels + i) * 9 + tap] +=
                                small[(o * s->rows + y) * s->cols + x] *
                                big[(b * (s->rows + 2) + y + tap / 3) * (s->cols + 2) + x + tap % 3];
                        }
}

static inline int64_t plain_size(const NetworkLayer *layer, int64_t *positions)
{
    int64_t grow = layer->transposed ? 2 : 0;
    *positions = (layer->conv.rows + grow) * (layer->conv.cols + grow);
    return layer->out_channels * *positions;
}

/* A network's pass over a batch: batch norm over the whole of it, dropout factors [patch][n_dropout] (NULL: none).
 * target and weight are [patch][n_out][P][P]; NULL: the input's first channels, and 1. Returns the loss (the weighted
 * mean over everything); output (like target) and gradient [n_parameters] (of the loss) may be NULL. mean and var
 * (biased) [channels] are used where given, else computed and, where not NULL, written. */
typedef struct {
    const Network *network;
    const double *parameter; /* instead of the network's own */
    int64_t n;
    const double *x, *factor;
    const double *fixed_mean, *fixed_var;
    double *output, *gradient, *mean, *var;
    const double *target, *weight;
} PlainPass;

static inline double plain_pass(const PlainPass *pass)
{
    const Network *net = pass->network;
    const double *p = pass->parameter;
    int64_t channels = net->shape.channels, plane = net->shape.patch_size * net->shape.patch_size;
    int64_t n = pass->n, patch = channels * plane, levels = net->shape.levels, out_patch = net->shape.n_out * plane;
    int last = net->n_layers - 1;
    bool linear = net->shape.output == OUTPUT_LINEAR;
    double *mean = plain_array(channels), *var = plain_array(channels), loss = 0, all = 0;
    for (int64_t i = 0; i < n * out_patch; i++) all += pass->weight == NULL ? 1 : pass->weight[i];
    for (int64_t c = 0; c < channels; c++) {
        for (int64_t b = 0; b < n; b++)
            for (int64_t i = 0; i < plane; i++) mean[c] += pass->x[b * patch + c * plane + i];
        mean[c] /= (double)(n * plane);
        for (int64_t b = 0; b < n; b++)
            for (int64_t i = 0; i < plane; i++) var[c] += pow(pass->x[b * patch + c * plane + i] - mean[c], 2);
        var[c] /= (double)(n * plane);
        if (pass->mean != NULL) pass->mean[c] = mean[c];
        if (pass->var != NULL) pass->var[c] = var[c];
        if (pass->fixed_mean != NULL) mean[c] = pass->fixed_mean[c];
        if (pass->fixed_var != NULL) var[c] = pass->fixed_var[c];
    }
    if (pass->gradient != NULL) memset(pass->gradient, 0, (size_t)net->n_parameters * sizeof(double));
    for (int64_t b = 0; b < n; b++) {
        double *y[2 * NETWORK_LEVELS_MAX + 1], *s[2 * NETWORK_LEVELS_MAX + 1]; /* outputs, and inputs of the next */
        y[0] = plain_array(patch);
        const double *f = pass->factor == NULL ? NULL : pass->factor + b * net->n_dropout;
        for (int64_t i = 0; i < patch; i++) {
            int64_t c = i / plane;
            y[0][i] = p[c] * (pass->x[b * patch + i] - mean[c]) / sqrt(var[c] + 1e-5) + p[channels + c];
        }
        s[0] = y[0];
        const double *target = pass->target == NULL ? pass->x + b * patch : pass->target + b * out_patch;
        const double *weight = pass->weight == NULL ? NULL : pass->weight + b * out_patch;
        for (int l = 0; l <= last; l++) {
            const NetworkLayer *layer = &net->layer[l];
            const double *dropped = f == NULL || layer->dropout < 0 ? NULL : f + layer->dropout;
            int64_t positions, size = plain_size(layer, &positions);
            double *out = y[l + 1] = plain_array(size);
            if (layer->transposed)
                plain_expand(&layer->conv, p + layer->weight, s[l], out);
            else
                plain_contract(&layer->conv, p + layer->weight, s[l], out);
            for (int64_t i = 0; i < size; i++) {
                int64_t c = i / positions;
                out[i] = (dropped == NULL ? 1 : dropped[c]) * (out[i] + p[layer->bias + c]);
                if (l < last || !linear) out[i] = tanh(out[i]);
            }
            s[l + 1] = out;
            if (net->shape.skip == SKIP_ADD && l >= levels && l < last) {
                s[l + 1] = plain_array(size);
                for (int64_t i = 0; i < size; i++) s[l + 1][i] = out[i] + y[last - l][i];
            }
        }
        double *out = y[last + 1];
        for (int64_t i = 0; i < out_patch; i++)
            loss += (weight == NULL ? 1 : weight[i]) * pow(out[i] - target[i], 2) / all;
        if (pass->output != NULL) memcpy(pass->output + b * out_patch, out, (size_t)out_patch * sizeof(double));
        if (pass->gradient != NULL) {
            double *d[2 * NETWORK_LEVELS_MAX + 1]; /* gradients at y[l], by s[l] where nothing is added */
            for (int l = 0; l <= last + 1; l++) {
                int64_t positions, size = l == 0 ? patch : plain_size(&net->layer[l - 1], &positions);
                d[l] = plain_array(size);
            }
            for (int64_t i = 0; i < out_patch; i++)
                d[last + 1][i] = 2 * (weight == NULL ? 1 : weight[i]) * (out[i] - target[i]) / all;
            for (int l = last; l >= 0; l--) {
                const NetworkLayer *layer = &net->layer[l];
                const double *dropped = f == NULL || layer->dropout < 0 ? NULL : f + layer->dropout;
                int64_t positions, size = plain_size(layer, &positions);
                for (int64_t i = 0; i < size; i++) {
                    int64_t c = i / positions;
                    d[l + 1][i] *= dropped == NULL ? 1 : dropped[c];
                    if (l < last || !linear) d[l + 1][i] *= 1 - y[l + 1][i] * y[l + 1][i];
                    pass->gradient[layer->bias + c] += d[l + 1][i];
                }
                double *g = pass->gradient + layer->weight;
                if (layer->transposed) {
                    plain_gradient(&layer->conv, d[l + 1], s[l], g);
                    plain_contract(&layer->conv, p + layer->weight, d[l + 1], d[l]);
                } else {
                    plain_gradient(&layer->conv, s[l], d[l + 1], g);
                    plain_expand(&layer->conv, p + layer->weight, d[l + 1], d[l]);
                }
                if (s[l] != y[l]) { /* the gradient at the sum goes to both */
                    int64_t n_in = plain_size(&net->layer[l - 1], &positions);
                    for (int64_t i = 0; i < n_in; i++) d[last - (l - 1)][i] += d[l][i];
                }
            }
            for (int64_t i = 0; i < patch; i++) {
                int64_t c = i / plane;
                pass->gradient[c] += d[0][i] * (pass->x[b * patch + i] - mean[c]) / sqrt(var[c] + 1e-5);
                pass->gradient[channels + c] += d[0][i];
            }
            for (int l = 0; l <= last + 1; l++) free(d[l]);
        }
        for (int l = 0; l <= last + 1; l++) {
            if (s[l] != y[l]) free(s[l]);
            free(y[l]);
        }
    }
    free(mean);
    free(var);
    return loss;
}

#endif
