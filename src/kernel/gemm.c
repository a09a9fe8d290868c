#include "seisdcn/gemm.h"

#include <cblas.h>

void gemm_one_thread(void) { openblas_set_num_threads(1); }

const char *gemm_kernels(void) { return openblas_get_corename(); }

/* scratch: columns [big channels * 9][rows * cols] of one lane, one lane of the small side, one weight gradient, and
 * the unfinished sums of a group in lanes (the larger side's). */
static size_t column_floats(const ConvShape *s) { return (size_t)(s->big_channels * 9 * s->rows * s->cols); }

static size_t small_floats(const ConvShape *s) { return (size_t)(s->small_channels * s->rows * s->cols); }

static size_t weight_floats(const ConvShape *s) { return (size_t)(s->small_channels * s->big_channels * 9); }

static size_t sum_floats(const ConvShape *s, int lanes)
{
    int64_t small = s->small_channels * s->rows * s->cols;
    int64_t big = s->big_channels * (s->rows + 2) * (s->cols + 2);
    return (size_t)((small > big ? small : big) * lanes);
}

/* keeps each part of the scratch on its own cache lines */
static size_t whole_lines(size_t floats) { return (floats + 15) / 16 * 16; }

size_t gemm_scratch(const ConvShape *shape, int lanes)
{
    return whole_lines(column_floats(shape)) + whole_lines(small_floats(shape)) + whole_lines(weight_floats(shape)) +
           sum_floats(shape, lanes);
}

typedef struct {
    float *columns, *small, *weight, *sum;
} Scratch;

static Scratch scratch_parts(const ConvShape *shape, float *scratch)
{
    Scratch parts;
    parts.columns = scratch;
    parts.small = parts.columns + whole_lines(column_floats(shape));
    parts.weight = parts.small + whole_lines(small_floats(shape));
    parts.sum = parts.weight + whole_lines(weight_floats(shape));
    return parts;
}

/* columns[channel, ky, kx][y, x] = big[channel][y + ky][x + kx] of one lane */
static void to_columns(const ConvShape *s, const float *big, int lanes, float *columns)
{
    int64_t big_cols = s->cols + 2;
    for (int64_t row = 0; row < s->big_channels * 9; row++) {
        int64_t c = row / 9, ky = row % 9 / 3, kx = row % 3;
        for (int64_t y = 0; y < s->rows; y++) {
            const float *from = big + ((c * (s->rows + 2) + y + ky) * big_cols + kx) * lanes;
            for (int64_t x = 0; x < s->cols; x++) *columns++ = from[x * lanes];
        }
    }
}

/* the transposed way: adds the columns to big of one lane */
static void add_columns(const ConvShape *s, const float *columns, int lanes, float *big)
{
    int64_t big_cols = s->cols + 2;
    for (int64_t row = 0; row < s->big_channels * 9; row++) {
        int64_t c = row / 9, ky = row % 9 / 3, kx = row % 3;
        for (int64_t y = 0; y < s->rows; y++) {
            float *to = big + ((c * (s->rows + 2) + y + ky) * big_cols + kx) * lanes;
            for (int64_t x = 0; x < s->cols; x++) to[x * lanes] += *columns++;
        }
    }
}

static void take_lane(int64_t n, const float *in, int lanes, float *out)
{
    for (int64_t i = 0; i < n; i++) out[i] = in[i * lanes];
}

static void put_lane(int64_t n, const float *in, int lanes, float *out)
{
    for (int64_t i = 0; i < n; i++) out[i * lanes] = in[i];
}

/* c[m][n] = a * b, row-major; a is [m][k], or [k][m] where turned; b is [k][n], or [n][k] where turned */
static void multiply(int turn_a, int turn_b, int64_t m, int64_t n, int64_t k, const float *a, const float *b, float *c)
{
    cblas_sgemm(CblasRowMajor, turn_a ? CblasTrans : CblasNoTrans, turn_b ? CblasTrans : CblasNoTrans, (blasint)m,
                (blasint)n, (blasint)k, 1.0f, a, (blasint)(turn_a ? m : k), b, (blasint)(turn_b ? k : n), 0.0f, c,
                (blasint)n);
}

void gemm_contract(const Vector *vector, const ConvShape *shape, const float *weight, const float *big, float *small,
                   const ConvFinish *finish, float *scratch)
{
    Scratch s = scratch_parts(shape, scratch);
    int lanes = vector->lanes;
    int64_t positions = shape->rows * shape->cols, taps = shape->big_channels * 9, ns = shape->small_channels;
    int64_t big_group = shape->big_channels * (shape->rows + 2) * (shape->cols + 2);
    for (int64_t g = 0; g < shape->groups; g++) {
        for (int lane = 0; lane < lanes; lane++) {
            to_columns(shape, big + g * big_group * lanes + lane, lanes, s.columns);
            multiply(0, 0, ns, positions, taps, weight + g * ns * taps, s.columns, s.small);
            put_lane(ns * positions, s.small, lanes, s.sum + lane);
        }
        for (int64_t k = 0; k < ns; k++)
            vector->finish(g * ns + k, positions, s.sum + k * positions * lanes,
                           small + (g * ns + k) * positions * lanes, finish);
    }
}

void gemm_expand(const Vector *vector, const ConvShape *shape, const float *weight, const float *small, float *big,
                 const ConvFinish *finish, float *scratch)
{
    Scratch s = scratch_parts(shape, scratch);
    int lanes = vector->lanes;
    int64_t positions = shape->rows * shape->cols, taps = shape->big_channels * 9, ns = shape->small_channels;
    int64_t ni = shape->big_channels, big_positions = (shape->rows + 2) * (shape->cols + 2);
    for (int64_t g = 0; g < shape->groups; g++) {
        for (int64_t i = 0; i < ni * big_positions * lanes; i++) s.sum[i] = 0;
        for (int lane = 0; lane < lanes; lane++) {
            take_lane(ns * positions, small + g * ns * positions * lanes + lane, lanes, s.small);
            multiply(1, 0, taps, positions, ns, weight + g * ns * taps, s.small, s.columns);
            add_columns(shape, s.columns, lanes, s.sum + lane);
        }
        for (int64_t i = 0; i < ni; i++)
            vector->finish(g * ni + i, big_positions, s.sum + i * big_positions * lanes,
                           big + (g * ni + i) * big_positions * lanes, finish);
    }
}

void gemm_gradient(const Vector *vector, const ConvShape *shape, const float *big, const float *small, float *gradient,
                   float *scratch)
{
    Scratch s = scratch_parts(shape, scratch);
    int lanes = vector->lanes;
    int64_t positions = shape->rows * shape->cols, taps = shape->big_channels * 9, ns = shape->small_channels;
    int64_t big_group = shape->big_channels * (shape->rows + 2) * (shape->cols + 2);
    for (int64_t g = 0; g < shape->groups; g++)
        for (int lane = 0; lane < lanes; lane++) {
            to_columns(shape, big + g * big_group * lanes + lane, lanes, s.columns);
            take_lane(ns * positions, small + g * ns * positions * lanes + lane, lanes, s.small);
            multiply(0, 1, ns, taps, positions, s.small, s.columns, s.weight);
            put_lane(ns * taps, s.weight, lanes, gradient + g * ns * taps * lanes + lane);
        }
}
