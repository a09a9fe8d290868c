#include "seisdcn/running_mean.h"

#include <string.h>

void running_mean_add(int64_t n_traces, int64_t n_samples, const float *gather, int64_t fold, double *sum,
                      int32_t *live)
{
    int64_t n = (fold < n_traces ? fold : n_traces) * n_samples;
    for (int64_t i = 0; i < n; i++) {
        sum[i] += (double)gather[i];
        live[i] += gather[i] != 0;
    }
}

/* The sums are added anew for each trace: a running one would keep what rounding a strong trace left in it. */
void running_mean_trace(int64_t n_traces, int64_t n_samples, const double *sum, const int32_t *live, int64_t radius,
                        int64_t t, float *out, double *work, int64_t *counts)
{
    int64_t first = t > radius ? t - radius : 0, last = radius < n_traces - 1 - t ? t + radius : n_traces - 1;
    memset(work, 0, (size_t)n_samples * sizeof *work);
    memset(counts, 0, (size_t)n_samples * sizeof *counts);
    for (int64_t k = first; k <= last; k++)
        for (int64_t s = 0; s < n_samples; s++) {
            work[s] += sum[k * n_samples + s];
            counts[s] += live[k * n_samples + s];
        }
    for (int64_t s = 0; s < n_samples; s++) out[s] = counts[s] > 0 ? (float)(work[s] / (double)counts[s]) : 0;
}
