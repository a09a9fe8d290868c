/* Direct 3 x 3 convolutions over lanes: contract, expand and the weight gradient (vector.h defines them).
 *
 * Each works row by row: the sums of a row, for one or two small channels at a time (18 weights stay in registers),
 * then what `finish` makes of them while the row is in the first cache. A group of one big channel (the depthwise tree)
 * never stores a partial sum; wider groups add to the row in place. */
#include "vector_lanes.h"

#include <stddef.h>

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

/* Rows y, y - 1, y - 2 of up to two small channels; those that lie outside are not looked at. */
typedef struct {
    const Lanes *r[PAIR][3];
} RowsBehind;

/* Column x of a row of the big side: the taps [ky0, ky1] x [kx0, kx1] over `channels` small channels. The bounds are
 * constants wherever this is called, so no tap outside the small side is computed and no branch is left. */
__attribute__((always_inline)) static inline Lanes expand_column(int64_t x, const RowsBehind *in, const Taps *w,
                                                                 int channels, int ky0, int ky1, int kx0, int kx1,
                                                                 Lanes start)
{
    Lanes sum[PAIR] = {start}; /* two chains hide the latency */
    for (int c = 0; c < channels; c++)
        for (int ky = ky0; ky <= ky1; ky++)
            for (int kx = kx0; kx <= kx1; kx++) sum[c] += w[c].w[ky * 3 + kx] * in->r[c][ky][x - kx];
    if (channels == 2) sum[0] += sum[1];
    return sum[0];
}

/* Columns x and x + 1, all columns of taps: they share loads, which otherwise bind as much as the multiply-adds. */
__attribute__((always_inline)) static inline void expand_column_pair(int64_t x, const RowsBehind *in, const Taps *w,
                                                                     int channels, int ky0, int ky1, int first,
                                                                     Lanes bias, Lanes *restrict out)
{
    Lanes left[PAIR] = {bias}, right[PAIR] = {bias};
    if (!first) {
        left[0] = out[x];
        right[0] = out[x + 1];
    }
    for (int c = 0; c < channels; c++)
        for (int ky = ky0; ky <= ky1; ky++) {
            const Lanes *r = in->r[c][ky] + x, *t = &w[c].w[ky * 3];
            Lanes behind1 = r[-1], here = r[0];
            left[c] += t[2] * r[-2];
            left[c] += t[1] * behind1;
            left[c] += t[0] * here;
            right[c] += t[2] * behind1;
            right[c] += t[1] * here;
            right[c] += t[0] * r[1];
        }
    if (channels == 2) {
        left[0] += left[1];
        right[0] += right[1];
    }
    out[x] = left[0];
    out[x + 1] = right[0];
}

/* A row of the big side: its sums over one or two small channels, added to what stands there or to the bias. */
__attribute__((always_inline)) static inline void expand_row(int64_t cols, const RowsBehind *in, const Taps *w,
                                                             int channels, int ky0, int ky1, int first, Lanes bias,
                                                             Lanes *restrict out)
{
    if (cols == 1) {
        for (int kx = 0; kx < 3; kx++)
            out[kx] = expand_column(kx, in, w, channels, ky0, ky1, kx, kx, first ? bias : out[kx]);
        return;
    }
    out[0] = expand_column(0, in, w, channels, ky0, ky1, 0, 0, first ? bias : out[0]);
    out[1] = expand_column(1, in, w, channels, ky0, ky1, 0, 1, first ? bias : out[1]);
    int64_t x = 2;
    for (; x + 1 < cols; x += 2) expand_column_pair(x, in, w, channels, ky0, ky1, first, bias, out);
    if (x < cols) out[x] = expand_column(x, in, w, channels, ky0, ky1, 0, 2, first ? bias : out[x]);
    out[cols] = expand_column(cols, in, w, channels, ky0, ky1, 1, 2, first ? bias : out[cols]);
    out[cols + 1] = expand_column(cols + 1, in, w, channels, ky0, ky1, 2, 2, first ? bias : out[cols + 1]);
}

/* Row y sees rows y - ky, 0 <= y - ky < rows. */
__attribute__((always_inline)) static inline void expand_row_at(int64_t y, int64_t rows, int64_t cols,
                                                                const RowsBehind *in, const Taps *w, int channels,
                                                                int first, Lanes bias, Lanes *restrict out)
{
    int ky0 = y < rows ? 0 : (int)(y - rows + 1), ky1 = y < 2 ? (int)y : 2;
    if (ky0 == 0 && ky1 == 2)
        expand_row(cols, in, w, channels, 0, 2, first, bias, out);
    else if (ky1 == 0)
        expand_row(cols, in, w, channels, 0, 0, first, bias, out);
    else if (ky0 == 2)
        expand_row(cols, in, w, channels, 2, 2, first, bias, out);
    else if (ky0 == 0)
        expand_row(cols, in, w, channels, 0, 1, first, bias, out);
    else if (ky1 == 2)
        expand_row(cols, in, w, channels, 1, 2, first, bias, out);
    else
        expand_row(cols, in, w, channels, 1, 1, first, bias, out);
}

void NAME(direct_expand)(const ConvShape *shape, const float *weight, const float *small, float *big,
                         const ConvFinish *finish, float *scratch)
{
    (void)scratch;
    int64_t rows = shape->rows, cols = shape->cols, ni = shape->big_channels, ns = shape->small_channels;
    Lanes sum[VECTOR_COLUMNS_MAX];
    for (int64_t b = 0; b < shape->groups * ni; b++) {
        Lanes bias = lanes_of(finish->bias == NULL ? 0 : finish->bias[b]);
        const Lanes *in = (const Lanes *)small + b / ni * ns * rows * cols;
        const float *w = weight + (b / ni * ns * ni + b % ni) * 9;
        for (int64_t y = 0; y < rows + 2; y++) {
            for (int64_t k = 0; k < ns; k += PAIR) {
                int pair = k + 1 < ns;
                RowsBehind behind;
                Taps taps[PAIR];
                for (int c = 0; c < (pair ? PAIR : 1); c++) {
                    taps[c] = taps_of(w + (k + c) * ni * 9);
                    for (int64_t ky = 0; ky < 3; ky++) {
                        int64_t row = y - ky < 0 || y - ky >= rows ? 0 : y - ky;
                        behind.r[c][ky] = in + ((k + c) * rows + row) * cols;
                    }
                }
                if (pair)
                    expand_row_at(y, rows, cols, &behind, taps, 2, k == 0, bias, sum);
                else
                    expand_row_at(y, rows, cols, &behind, taps, 1, k == 0, bias, sum);
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

/* Small channels whose weight gradients are summed at a time: two share the loads of the big side, but their 18 sums
 * need 32 registers. */
#if defined(__AVX512F__)
enum { GRADIENT_CHANNELS = 2 };
#else
enum { GRADIENT_CHANNELS = 1 };
#endif

/* Two small channels of the same group: 18 sums in registers. */
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
        for (int64_t k = 0; k < ns; k += GRADIENT_CHANNELS)
            for (int64_t i = 0; i < ni; i++) {
                int64_t c = g * ns + k;
                const Lanes *b = in + (g * ni + i) * big_size, *s0 = s + c * small_size;
                Lanes *g0 = out + (c * ni + i) * 9;
                if (GRADIENT_CHANNELS == 2 && k + 1 < ns)
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
