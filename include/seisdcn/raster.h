/* raster: what a picture of a gather needs: a scale that a few large samples do not decide, and no more cells than the
 * paper has dots. */
#ifndef SEISDCN_RASTER_H
#define SEISDCN_RASTER_H

#include <stdint.h>

/* The magnitude that `percent` (above 0 to 100) of the samples which are not zero do not exceed: the smallest such one
 * among values [n]; 0 where all are zero. work holds n floats. Pure. */
float raster_percentile(int64_t n, const float *values, double percent, float *work);

/* The least that automatic gain divides by, as a share of the trace's RMS. */
#define RASTER_GAIN_SHARE 0.01

typedef struct {
    double energy;
    int64_t live;
} RasterSum;

/* Automatic gain control: factor [n] is 1 over the RMS of trace [n] in a window of `window` samples around each sample
 * (what of it lies in the trace), but never over less than RASTER_GAIN_SHARE of that of the whole trace: what is next
 * to nothing stays so. Exact zeros are mutes: they count in no RMS, and their factor is 0. work holds n + 1 sums.
 * Pure. */
void raster_gain(int64_t n, int64_t window, const float *trace, float *factor, RasterSum *work);

/* Lays a gather [n_traces][n_samples] out as cells [n_rows][n_columns], samples downwards and traces across: each cell
 * is the mean of the gather over the cell's area, so more cells than samples repeat them, and fewer do not skip any.
 * Pure. */
void raster_lay(int64_t n_traces, int64_t n_samples, const float *gather, int64_t n_columns, int64_t n_rows,
                float *cells);

#endif
