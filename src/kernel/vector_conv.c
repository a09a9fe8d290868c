/* Direct 3 x 3 convolutions over lanes: contract, expand and the weight gradient (vector.h defines them).
 *
 * Each works row by row: the sums of a row, for one or two small channels at a time (18 weights stay in registers),
 * then what `finish` makes of them while the row is in the first cache. A group of one big channel (the depthwise tree)
 * never stores a partial sum; wider groups add to the row in place. */
#include "vector_lanes.h"

#include <stddef.h>

typedef struct {
    Lanes w[9];
} Taps;

static inline Taps taps_of(const float *weight)
{
    Taps taps;
    for (int i = 0; i < 9; i++) taps.w[i] = lanes_of(weight[i]);
    return taps;
}

/* out[x] = start + the nine taps over three rows of the big side; start is what stands there, or `bias`. */
static inline void contract_row(int64_t cols, const Lanes *restrict r0, const Lanes *restrict r1,
                                const Lanes *restrict r2, const float *weight, int first, float bias,
                                Lanes *restrict out)
{
    Taps t = taps_of(weight);
    Lanes b = lanes_of(bias);
    for (int64_t x = 0; x < cols; x++) {
        Lanes sum = first ? b : out[x];
        for (int k = 0; k < 3; k++) sum += t.w[k] * r0[x + k];
        for (int k = 0; k < 3; k++) sum += t.w[3 + k] * r1[x + k];
        for (int k = 0; k < 3; k++) sum += t.w[6 + k] * r2[x + k];
        out[x] = sum;
    }
}

/* The same for two small channels, which share the loads. */
static inline void contract_row_pair(int64_t cols, const Lanes *restrict r0, const Lanes *restrict r1,
                                     const Lanes *restrict r2, const float *weight0, const float *weight1, int first,
                                     float bias0, float bias1, Lanes *restrict out0, Lanes *restrict out1)
{
    Taps s = taps_of(weight0), t = taps_of(weight1);
    Lanes b0 = lanes_of(bias0), b1 = lanes_of(bias1);
    for (int64_t x = 0; x < cols; x++) {
        Lanes sum0 = first ? b0 : out0[x], sum1 = first ? b1 : out1[x];
        for (int k = 0; k < 3; k++) {
            sum0 += s.w[k] * r0[x + k];
            sum1 += t.w[k] * r0[x + k];
        }
        for (int k = 0; k < 3; k++) {
            sum0 += s.w[3 + k] * r1[x + k];
            sum1 += t.w[3 + k] * r1[x + k];
        }
        for (int k = 0; k < 3; k++) {
            sum0 += s.w[6 + k] * r2[x + k];
            sum1 += t.w[6 + k] * r2[x + k];
        }
        out0[x] = sum0;
        out1[x] = sum1;
    }
}

static inline void finish_row(int64_t n, int64_t channel, ptrdiff_t at, const Lanes *sum, Lanes *out,
                              const ConvFinish *finish)
{
    Lanes factor = lanes_of(1.0f);
    if (finish->factor != NULL) factor = ((const Lanes *)finish->factor)[channel];
    const Lanes *add = finish->add == NULL ? NULL : (const Lanes *)finish->add + at;
    switch (finish->kind) {
    case FINISH_TANH:
        if (finish->factor == NULL)
            for (int64_t x = 0; x < n; x++) out[x] = lanes_tanh(sum[x]);
        else
            for (int64_t x = 0; x < n; x++) out[x] = lanes_tanh(factor * sum[x]);
        break;
    case FINISH_LINEAR:
        if (add == NULL)
            for (int64_t x = 0; x < n; x++) out[x] = factor * sum[x];
        else
            for (int64_t x = 0; x < n; x++) out[x] = factor * (sum[x] + add[x]);
        break;
    case FINISH_TANH_GRADIENT:
        if (add == NULL)
            for (int64_t x = 0; x < n; x++) out[x] = factor * sum[x] * (1.0f - out[x] * out[x]);
        else
            for (int64_t x = 0; x < n; x++) out[x] = factor * (sum[x] + add[x]) * (1.0f - out[x] * out[x]);
        break;
    }
}

enum { PAIR = 2 };

void NAME(direct_contract)(const ConvShape *shape, const float *weight, const float *big, float *small,
                           const ConvFinish *finish, float *scratch)
{
    (void)scratch;
    int64_t rows = shape->rows, cols = shape->cols, big_cols = cols + 2, ni = shape->big_channels;
    const Lanes *in = (const Lanes *)big;
    Lanes *out = (Lanes *)small;
    Lanes sum[PAIR][VECTOR_COLUMNS_MAX];
    for (int64_t g = 0; g < shape->groups; g++)
        for (int64_t k = 0; k < shape->small_channels; k += PAIR) {
            int64_t c = g * shape->small_channels + k;
            int pair = k + 1 < shape->small_channels;
            float bias0 = finish->bias == NULL ? 0 : finish->bias[c];
            float bias1 = finish->bias == NULL || !pair ? 0 : finish->bias[c + 1];
            for (int64_t y = 0; y < rows; y++) {
                for (int64_t i = 0; i < ni; i++) {
                    const Lanes *r = in + ((g * ni + i) * (rows + 2) + y) * big_cols;
                    const float *w0 = weight + (c * ni + i) * 9, *w1 = w0 + ni * 9;
                    if (pair)
                        contract_row_pair(cols, r, r + big_cols, r + 2 * big_cols, w0, w1, i == 0, bias0, bias1, sum[0],
                                          sum[1]);
                    else
                        contract_row(cols, r, r + big_cols, r + 2 * big_cols, w0, i == 0, bias0, sum[0]);
                }
                ptrdiff_t at = (c * rows + y) * cols, next = at + rows * cols;
                finish_row(cols, c, at, sum[0], out + at, finish);
                if (pair) finish_row(cols, c + 1, next, sum[1], out + next, finish);
            }
        }
}

/* The sums of a row of the big side over one small channel, for columns [from, to) whose taps all lie inside the small
 * side: x - 2 >= 0 and x < cols. r[ky] is row y - ky of the small side (a row of zeros where it lies outside). Two
 * chains of sums a column hide the latency. */
static inline void expand_row(int64_t from, int64_t to, const Lanes *const r[3], const float *weight, int first,
                              Lanes bias, Lanes *restrict out)
{
    Taps t = taps_of(weight);
    for (int64_t x = from; x < to; x++) {
        Lanes a = first ? bias : out[x], b = t.w[0] * r[0][x];
        a += t.w[1] * r[0][x - 1];
        b += t.w[2] * r[0][x - 2];
        a += t.w[3] * r[1][x];
        b += t.w[4] * r[1][x - 1];
        a += t.w[5] * r[1][x - 2];
        b += t.w[6] * r[2][x];
        a += t.w[7] * r[2][x - 1];
        b += t.w[8] * r[2][x - 2];
        out[x] = a + b;
    }
}

/* The same over two small channels at once. */
static inline void expand_row_pair(int64_t from, int64_t to, const Lanes *const r[3], const Lanes *const q[3],
                                   const float *weight_r, const float *weight_q, int first, Lanes bias,
                                   Lanes *restrict out)
{
    Taps s = taps_of(weight_r), t = taps_of(weight_q);
    for (int64_t x = from; x < to; x++) {
        Lanes a = first ? bias : out[x], b = t.w[0] * q[0][x];
        for (int ky = 0; ky < 3; ky++)
            for (int kx = 0; kx < 3; kx++) {
                a += s.w[ky * 3 + kx] * r[ky][x - kx];
                if (ky + kx > 0) b += t.w[ky * 3 + kx] * q[ky][x - kx];
            }
        out[x] = a + b;
    }
}

/* A column at an edge, tap by tap. */
static inline void expand_edge(int64_t x, int64_t cols, const Lanes *const r[3], const float *weight, int first,
                               Lanes bias, Lanes *restrict out)
{
    Lanes sum = first ? bias : out[x];
    for (int ky = 0; ky < 3; ky++)
        for (int kx = 0; kx < 3; kx++)
            if (x - kx >= 0 && x - kx < cols) sum += weight[ky * 3 + kx] * r[ky][x - kx];
    out[x] = sum;
}

static const Lanes row_of_zeros[VECTOR_COLUMNS_MAX];

/* Rows y, y - 1, y - 2 of a small channel. */
static inline void rows_behind(int64_t rows, int64_t cols, int64_t y, const Lanes *channel, const Lanes *r[3])
{
    for (int64_t ky = 0; ky < 3; ky++) r[ky] = y - ky >= 0 && y - ky < rows ? channel + (y - ky) * cols : row_of_zeros;
}

void NAME(direct_expand)(const ConvShape *shape, const float *weight, const float *small, float *big,
                         const ConvFinish *finish, float *scratch)
{
    (void)scratch;
    int64_t rows = shape->rows, cols = shape->cols, ni = shape->big_channels, ns = shape->small_channels;
    int64_t to = cols > 2 ? cols : 2;
    Lanes sum[VECTOR_COLUMNS_MAX];
    for (int64_t b = 0; b < shape->groups * ni; b++) {
        Lanes bias = lanes_of(finish->bias == NULL ? 0 : finish->bias[b]);
        const Lanes *in = (const Lanes *)small + b / ni * ns * rows * cols;
        const float *w = weight + (b / ni * ns * ni + b % ni) * 9;
        for (int64_t y = 0; y < rows + 2; y++) {
            for (int64_t k = 0; k < ns; k += PAIR) {
                const float *w0 = w + k * ni * 9, *w1 = w0 + ni * 9;
                const Lanes *r[3], *q[3] = {NULL, NULL, NULL};
                rows_behind(rows, cols, y, in + k * rows * cols, r);
                int pair = k + 1 < ns;
                if (pair) {
                    rows_behind(rows, cols, y, in + (k + 1) * rows * cols, q);
                    expand_row_pair(2, cols, r, q, w0, w1, k == 0, bias, sum);
                } else
                    expand_row(2, cols, r, w0, k == 0, bias, sum);
                for (int64_t x = 0; x < cols + 2; x = x == 1 ? to : x + 1) {
                    expand_edge(x, cols, r, w0, k == 0, bias, sum);
                    if (pair) expand_edge(x, cols, q, w1, 0, bias, sum);
                }
            }
            ptrdiff_t at = (b * (rows + 2) + y) * (cols + 2);
            finish_row(cols + 2, b, at, sum, (Lanes *)big + at, finish);
        }
    }
}

static inline void gradient_one(int64_t rows, int64_t cols, const Lanes *restrict big, const Lanes *restrict small,
                                Lanes *restrict gradient)
{
    Lanes g[9] = {{0}};
    for (int64_t y = 0; y < rows; y++) {
        const Lanes *r0 = big + y * (cols + 2), *r1 = r0 + cols + 2, *r2 = r1 + cols + 2, *s = small + y * cols;
        for (int64_t x = 0; x < cols; x++)
            for (int k = 0; k < 3; k++) {
                g[k] += s[x] * r0[x + k];
                g[3 + k] += s[x] * r1[x + k];
                g[6 + k] += s[x] * r2[x + k];
            }
    }
    for (int i = 0; i < 9; i++) gradient[i] = g[i];
}

/* Two small channels of the same group, which share the loads of the big side: 18 sums in registers. */
static inline void gradient_pair(int64_t rows, int64_t cols, const Lanes *restrict big, const Lanes *restrict small0,
                                 const Lanes *restrict small1, Lanes *restrict gradient0, Lanes *restrict gradient1)
{
    Lanes g[9] = {{0}}, h[9] = {{0}};
    for (int64_t y = 0; y < rows; y++) {
        const Lanes *r0 = big + y * (cols + 2), *r1 = r0 + cols + 2, *r2 = r1 + cols + 2;
        const Lanes *s = small0 + y * cols, *t = small1 + y * cols;
        for (int64_t x = 0; x < cols; x++)
            for (int k = 0; k < 3; k++) {
                g[k] += s[x] * r0[x + k];
                h[k] += t[x] * r0[x + k];
                g[3 + k] += s[x] * r1[x + k];
                h[3 + k] += t[x] * r1[x + k];
                g[6 + k] += s[x] * r2[x + k];
                h[6 + k] += t[x] * r2[x + k];
            }
    }
    for (int i = 0; i < 9; i++) gradient0[i] = g[i];
    for (int i = 0; i < 9; i++) gradient1[i] = h[i];
}

void NAME(direct_gradient)(const ConvShape *shape, const float *big, const float *small, float *gradient,
                           float *scratch)
{
    (void)scratch;
    int64_t rows = shape->rows, cols = shape->cols, ni = shape->big_channels, ns = shape->small_channels;
    int64_t big_size = (rows + 2) * (cols + 2), small_size = rows * cols;
    const Lanes *in = (const Lanes *)big, *s = (const Lanes *)small;
    Lanes *out = (Lanes *)gradient;
    for (int64_t g = 0; g < shape->groups; g++)
        for (int64_t k = 0; k < ns; k += PAIR)
            for (int64_t i = 0; i < ni; i++) {
                int64_t c = g * ns + k;
                const Lanes *b = in + (g * ni + i) * big_size, *s0 = s + c * small_size;
                Lanes *g0 = out + (c * ni + i) * 9;
                if (k + 1 < ns)
                    gradient_pair(rows, cols, b, s0, s0 + small_size, g0, g0 + ni * 9);
                else
                    gradient_one(rows, cols, b, s0, g0);
            }
}

void NAME(vector_finish)(int64_t channel, int64_t n, float *sum, float *out, const ConvFinish *finish)
{
    /* here the sums carry no bias yet */
    Lanes *sums = (Lanes *)sum;
    if (finish->bias != NULL)
        for (int64_t x = 0; x < n; x++) sums[x] += finish->bias[channel];
    finish_row(n, channel, channel * n, sums, (Lanes *)out, finish);
}
