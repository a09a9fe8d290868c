#include "seisdcn/raster.h"

#include <math.h>

static void swap(float *a, float *b)
{
    float held = *a;
    *a = *b;
    *b = held;
}

/* The k-th smallest of v [n] (k from 0), which are put in another order: Hoare's quickselect, median of three. */
static float select_smallest(float *v, int64_t n, int64_t k)
{
    int64_t low = 0, high = n - 1;
    while (low < high) {
        int64_t middle = low + (high - low) / 2, i = low, j = high;
        if (v[middle] < v[low]) swap(&v[middle], &v[low]);
        if (v[high] < v[low]) swap(&v[high], &v[low]);
        if (v[high] < v[middle]) swap(&v[high], &v[middle]);
        float pivot = v[middle];
        while (i <= j) {
            while (v[i] < pivot) i++;
            while (v[j] > pivot) j--;
            if (i <= j) swap(&v[i++], &v[j--]);
        }
        if (k <= j)
            high = j;
        else if (k >= i)
            low = i;
        else
            break;
    }
    return v[k];
}

float raster_percentile(int64_t n, const float *values, double percent, float *work)
{
    int64_t m = 0;
    for (int64_t i = 0; i < n; i++)
        if (values[i] != 0) work[m++] = fabsf(values[i]);
    if (m == 0) return 0;
    int64_t rank = (int64_t)ceil(percent / 100 * (double)m);
    return select_smallest(work, m, rank < 1 ? 0 : rank > m ? m - 1 : rank - 1);
}

void raster_gain(int64_t n, int64_t window, const float *trace, float *factor, RasterSum *work)
{
    work[0] = (RasterSum){0}; /* work[i]: of the samples before i */
    for (int64_t i = 0; i < n; i++) {
        work[i + 1].energy = work[i].energy + (double)trace[i] * (double)trace[i];
        work[i + 1].live = work[i].live + (trace[i] != 0);
    }
    double least = work[n].live > 0 ? RASTER_GAIN_SHARE * sqrt(work[n].energy / (double)work[n].live) : 0;
    for (int64_t i = 0; i < n; i++) {
        int64_t first = i - window / 2, end = first + window;
        first = first < 0 ? 0 : first;
        end = end > n ? n : end;
        double energy = work[end].energy - work[first].energy;
        double rms = energy > 0 ? sqrt(energy / (double)(work[end].live - work[first].live)) : 0;
        factor[i] = trace[i] != 0 && least > 0 ? (float)(1 / fmax(rms, least)) : 0;
    }
}

/* The part of item i of 0 .. n-1 that lies between from and to. */
static double overlap(int64_t i, double from, double to)
{
    double first = (double)i > from ? (double)i : from, last = (double)(i + 1) < to ? (double)(i + 1) : to;
    return last > first ? last - first : 0;
}

static float cell_mean(int64_t n_samples, const float *gather, const double trace[2], const double sample[2],
                       const int64_t end[2])
{
    double sum = 0, area = (trace[1] - trace[0]) * (sample[1] - sample[0]);
    for (int64_t t = (int64_t)trace[0]; t < end[0]; t++) {
        double of_trace = overlap(t, trace[0], trace[1]);
        for (int64_t s = (int64_t)sample[0]; s < end[1]; s++)
            sum += of_trace * overlap(s, sample[0], sample[1]) * (double)gather[t * n_samples + s];
    }
    return (float)(sum / area);
}

/* The end of the items that a cell from .. to touches, of n. */
static int64_t end_of(double to, int64_t n)
{
    int64_t end = (int64_t)ceil(to);
    return end < n ? end : n;
}

void raster_lay(int64_t n_traces, int64_t n_samples, const float *gather, int64_t n_columns, int64_t n_rows,
                float *cells)
{
    double traces = (double)n_traces / (double)n_columns, samples = (double)n_samples / (double)n_rows;
    for (int64_t row = 0; row < n_rows; row++)
        for (int64_t column = 0; column < n_columns; column++) {
            double trace[2] = {traces * (double)column, traces * (double)(column + 1)};
            double sample[2] = {samples * (double)row, samples * (double)(row + 1)};
            int64_t end[2] = {end_of(trace[1], n_traces), end_of(sample[1], n_samples)};
            cells[row * n_columns + column] = cell_mean(n_samples, gather, trace, sample, end);
        }
}
