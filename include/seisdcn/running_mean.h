/* running_mean: the mean of a sample over traces side by side and over gathers, of those that are not muted (exactly
 * zero); zero where all are. At a gather's edges the traces that it lacks are left out. */
#ifndef SEISDCN_RUNNING_MEAN_H
#define SEISDCN_RUNNING_MEAN_H

#include <stdint.h>

/* Adds a gather [fold][n_samples] to sum and live (how many were not muted) [n_traces][n_samples], trace by trace, as
 * far as both have them. Pure. */
void running_mean_add(int64_t n_traces, int64_t n_samples, const float *gather, int64_t fold, double *sum,
                      int32_t *live);

/* The mean of trace t over the traces t - radius .. t + radius: out [n_samples], of the sums over gathers above. work
 * holds n_samples doubles, counts as many numbers. Pure. */
void running_mean_trace(int64_t n_traces, int64_t n_samples, const double *sum, const int32_t *live, int64_t radius,
                        int64_t t, float *out, double *work, int64_t *counts);

#endif
