#include "seisdcn/similarity.h"

#include <math.h>
#include <string.h>

/* Conjugate gradients end here; the figures that are read off the result have two or three digits. */
enum { ITERATIONS_MAX = 1000 };
static const double TOLERANCE = 1e-6;

static int64_t items(const SimilarityShape *shape) { return shape->n_traces * shape->n_samples; }

int64_t similarity_work(const SimilarityShape *shape) { return 7 * items(shape) + shape->n_samples; }

/* ---- smoothing ---- */

/* The place in 0 .. n-1 of item j of a line that is reflected evenly at its ends: ..., 1, 0 | 0, 1, ..., n-1 | n-1, ...
 */
static int64_t reflect(int64_t j, int64_t n)
{
    int64_t at = j % (2 * n);
    if (at < 0) at += 2 * n;
    return at < n ? at : 2 * n - 1 - at;
}

static void smooth_line(int64_t n, int64_t radius, const double *in, double *out)
{
    double sum = 0, scale = 1 / (double)(2 * radius + 1);
    for (int64_t j = -radius; j <= radius; j++) sum += in[reflect(j, n)];
    for (int64_t i = 0; i < n; i++) {
        out[i] = sum * scale;
        int64_t enters = i + radius + 1, leaves = i - radius;
        sum += in[enters < n ? enters : reflect(enters, n)] - in[leaves >= 0 ? leaves : reflect(leaves, n)];
    }
}

/* The same along traces, for all samples side by side; sum [n_samples]. */
static void smooth_across(const SimilarityShape *shape, const double *in, double *out, double *sum)
{
    int64_t n = shape->n_traces, m = shape->n_samples, radius = shape->radius_traces;
    double scale = 1 / (double)(2 * radius + 1);
    memset(sum, 0, (size_t)m * sizeof *sum);
    for (int64_t j = -radius; j <= radius; j++) {
        const double *row = in + reflect(j, n) * m;
        for (int64_t s = 0; s < m; s++) sum[s] += row[s];
    }
    for (int64_t t = 0; t < n; t++) {
        const double *enters = in + reflect(t + radius + 1, n) * m, *leaves = in + reflect(t - radius, n) * m;
        for (int64_t s = 0; s < m; s++) {
            out[t * m + s] = sum[s] * scale;
            sum[s] += enters[s] - leaves[s];
        }
    }
}

void similarity_smooth(const SimilarityShape *shape, double *x, double *work)
{
    for (int64_t t = 0; t < shape->n_traces; t++)
        smooth_line(shape->n_samples, shape->radius_samples, x + t * shape->n_samples, work + t * shape->n_samples);
    smooth_across(shape, work, x, work + items(shape));
}

/* ---- the smooth ratio ---- */

static double dot(int64_t n, const double *x, const double *y)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += x[i] * y[i];
    return sum;
}

/* image = x + H (weight * H x); weight is B^2 / l^2 - 1. */
static void apply_matrix(const SimilarityShape *shape, const double *weight, const double *x, double *image,
                         double *work)
{
    int64_t n = items(shape);
    memcpy(image, x, (size_t)n * sizeof *x);
    similarity_smooth(shape, image, work);
    for (int64_t i = 0; i < n; i++) image[i] *= weight[i];
    similarity_smooth(shape, image, work);
    for (int64_t i = 0; i < n; i++) image[i] += x[i];
}

int similarity_ratio(const SimilarityShape *shape, const float *a, const float *b, double *ratio, double *work)
{
    int64_t n = items(shape);
    double *weight = work, *residual = work + n, *direction = work + 2 * n, *image = work + 3 * n, *rest = work + 4 * n;
    double mean = 0; /* l^2 */
    for (int64_t i = 0; i < n; i++) mean += (double)b[i] * (double)b[i] / (double)n;
    memset(ratio, 0, (size_t)n * sizeof *ratio); /* p of the header, until the end */
    if (mean == 0) return 0;
    for (int64_t i = 0; i < n; i++) {
        weight[i] = (double)b[i] * (double)b[i] / mean - 1;
        residual[i] = (double)a[i] * (double)b[i] / mean;
    }
    similarity_smooth(shape, residual, rest);
    memcpy(direction, residual, (size_t)n * sizeof *direction);
    double square = dot(n, residual, residual), end = square * TOLERANCE * TOLERANCE;
    int iterations = 0;
    while (square > end && iterations < ITERATIONS_MAX) {
        apply_matrix(shape, weight, direction, image, rest);
        double step = square / dot(n, direction, image);
        for (int64_t i = 0; i < n; i++) {
            ratio[i] += step * direction[i];
            residual[i] -= step * image[i];
        }
        double before = square;
        square = dot(n, residual, residual);
        for (int64_t i = 0; i < n; i++) direction[i] = residual[i] + square / before * direction[i];
        iterations++;
    }
    similarity_smooth(shape, ratio, rest);
    return iterations;
}

void similarity_local(const SimilarityShape *shape, const float *a, const float *b, float *similarity, double *work)
{
    int64_t n = items(shape);
    double *there = work, *back = work + n, *rest = work + 2 * n;
    similarity_ratio(shape, a, b, there, rest);
    similarity_ratio(shape, b, a, back, rest);
    for (int64_t i = 0; i < n; i++) similarity[i] = (float)sqrt(fmax(there[i] * back[i], 0));
}
