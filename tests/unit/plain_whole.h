/* The plain definition of apply.method whole, in double: window scales, their mean over a sample's windows, and the
 * network at the middle of a patch that is as large as what a sample sees. */
#ifndef SEISDCN_TESTS_PLAIN_WHOLE_H
#define SEISDCN_TESTS_PLAIN_WHOLE_H

#include "plain.h"

#include "seisdcn/scale.h"

/* Where sample i of n is found when it lies outside. */
static inline int64_t plain_mirrored(int64_t i, int64_t n)
{
    while (i < 0 || i >= n) i = n == 1 ? 0 : i < 0 ? -i : 2 * (n - 1) - i;
    return i;
}

/* The scale of every window [fold + P - 1][n_samples + P - 1], 0 where it is muted; the first starts P - 1 traces and
 * samples before the gather. */
static inline double *plain_window_scales(const NetworkShape *shape, const bool *shared, const float *in, int64_t fold,
                                          int64_t n_samples, double threshold)
{
    int64_t size = shape->patch_size, rows = fold + size - 1, columns = n_samples + size - 1;
    double *scales = plain_array(rows * columns);
    PatchScale scale = scale_of((ScaleKind)shape->scale, shape->scale_grid);
    for (int64_t w = 0; w < rows * columns; w++) {
        double largest = 0, square = 0;
        int64_t n = 0;
        for (int64_t i = 0; i < shape->channels * size * size; i++) {
            int64_t c = i / (size * size), t = w / columns - size + 1 + i / size % size;
            int64_t k = w % columns - size + 1 + i % size;
            if (!shared[c]) continue;
            double value = (double)in[(c * fold + plain_mirrored(t, fold)) * n_samples + plain_mirrored(k, n_samples)];
            largest = fmax(largest, fabs(value));
            square += value * value;
            n++;
        }
        bool muted = largest == 0 || largest < threshold;
        scales[w] = muted ? 0 : (double)scale_value(&scale, (float)largest, square, n);
    }
    return scales;
}

/* How large the terms of channel 0's last sum may be: a tanh's error is one of its range; a linear output adds hidden
 * values of about 1 by its weights. */
static inline double plain_output_size(const Network *network)
{
    const NetworkLayer *last = &network->layer[network->n_layers - 1];
    double size = fabs((double)network->parameter[last->bias]);
    for (int64_t i = 0; i < last->conv.small_channels * 9; i++) size += fabs((double)network->last_weight[i]);
    return network->shape.output == OUTPUT_TANH ? 1 : size;
}

/* in [channels][fold][n_samples], out [fold][n_samples]; sizes [fold][n_samples]: how large what was added up to each
 * output may be, which its rounding is a share of (the sum itself may be small since its terms cancel). */
static inline void plain_whole(const Network *network, const bool *shared, const float *in, int64_t fold,
                               int64_t n_samples, double threshold, double *out, double *sizes)
{
    NetworkShape seen = network->shape;
    int64_t size = seen.patch_size, reach = 2 * seen.levels, wide = 2 * reach + 1, n = fold * n_samples;
    int64_t values = seen.channels * wide * wide;
    seen.patch_size = wide;
    Network centre;
    if (network_new(&seen, network->vector, &centre) != STATUS_OK) abort();
    double *parameter = plain_array(network->n_parameters), *x = plain_array(values), *z = plain_array(values);
    double *scales = plain_window_scales(&network->shape, shared, in, fold, n_samples, threshold);
    double *sum = plain_array(n), *live = plain_array(n), windows = (double)(size * size);
    double output_size = plain_output_size(network);
    for (int64_t i = 0; i < network->n_parameters; i++) parameter[i] = (double)network->parameter[i];
    for (int64_t i = 0; i < n * size * size; i++) {
        int64_t at = i / (size * size), t = at / n_samples + i / size % size, k = at % n_samples + i % size;
        sum[at] += scales[t * (n_samples + size - 1) + k];
        live[at] += scales[t * (n_samples + size - 1) + k] > 0;
    }
    PlainPass pass = {.network = &centre,
                      .parameter = parameter,
                      .n = 1,
                      .x = x,
                      .fixed_mean = network->running_mean,
                      .fixed_var = network->running_var,
                      .output = z};
    for (int64_t i = 0; i < n; i++) {
        for (int64_t at = 0; at < values; at++) {
            int64_t c = at / (wide * wide), t = plain_mirrored(i / n_samples - reach + at / wide % wide, fold);
            int64_t k = plain_mirrored(i % n_samples - reach + at % wide, n_samples), from = t * n_samples + k;
            x[at] = (double)in[c * n + from];
            if (shared[c]) x[at] = live[from] > 0 ? x[at] / (sum[from] / live[from]) : 0;
        }
        plain_pass(&pass);
        out[i] = (sum[i] * z[reach * wide + reach] + (double)in[i] * (windows - live[i])) / windows;
        sizes[i] = (sum[i] * output_size + fabs((double)in[i]) * (windows - live[i])) / windows;
    }
    double *const arrays[] = {parameter, x, z, scales, sum, live};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) free(arrays[i]);
    network_free(&centre);
}

#endif
