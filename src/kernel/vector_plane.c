/* Valid 3 x 3 convolutions over what windows of one scale share (predict.h): over planes of neighbouring positions, a
 * vector being neighbours in a row, and over small stacks in lanes.
 *
 * A channel is summed over all its rows first and goes through tanh then: its 18 weights stay in registers over the
 * first pass, tanh's table over the second, and in between the rows lie in the first cache. (A pass a row cost a third
 * more: strips have two or three vectors a row, and the registers were filled anew for each.) */
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

static inline Lanes loose(const float *at) { return *(const LooseLanes *)at; }

/* The taps [ky0, ky1] of one input channel for two outputs, which share the loads. */
__attribute__((always_inline)) static inline void row_to_two(int64_t vectors, const float *const *r, const Taps *s,
                                                             const Taps *t, int ky0, int ky1, Lanes bias0, Lanes bias1,
                                                             float *restrict out0, float *restrict out1)
{
    for (int64_t x = 0; x < vectors * LANES; x += LANES) {
        Lanes sum0 = bias0, sum1 = bias1;
        for (int ky = ky0; ky <= ky1; ky++)
            for (int kx = 0; kx < 3; kx++) {
                Lanes value = loose(r[ky] + x + kx);
                sum0 += s->w[3 * ky + kx] * value;
                sum1 += t->w[3 * ky + kx] * value;
            }
        *(LooseLanes *)(out0 + x) = sum0;
        *(LooseLanes *)(out1 + x) = sum1;
    }
}

/* The taps [ky0, ky1] of one or two input channels for one output, in two chains. */
__attribute__((always_inline)) static inline void row_to_one(int64_t vectors, const float *const *r,
                                                             const float *const *q, const Taps *s, const Taps *t,
                                                             int ky0, int ky1, int first, Lanes bias,
                                                             float *restrict out)
{
    for (int64_t x = 0; x < vectors * LANES; x += LANES) {
        Lanes sum = bias, other = {0};
        if (!first) sum = loose(out + x);
        for (int ky = ky0; ky <= ky1; ky++)
            for (int kx = 0; kx < 3; kx++) {
                sum += s->w[3 * ky + kx] * loose(r[ky] + x + kx);
                if (q != NULL) other += t->w[3 * ky + kx] * loose(q[ky] + x + kx);
            }
        if (q != NULL) sum += other;
        *(LooseLanes *)(out + x) = sum;
    }
}

/* Rows of zeros (NULL) stand only at the ends of a stack: their taps are left out, for all input channels alike. */
__attribute__((always_inline)) static inline void rows_to_two(const PlaneConv *conv, int64_t vectors,
                                                              const float *const *in, const float *weight0,
                                                              const float *weight1, Lanes bias0, Lanes bias1,
                                                              float *out0, float *out1, int64_t stride)
{
    Taps s = taps_of(weight0), t = taps_of(weight1);
    for (int64_t y = 0; y < conv->rows; y++, in++, out0 += stride, out1 += stride) {
        int ky0 = in[0] != NULL ? 0 : in[1] != NULL ? 1 : 2, ky1 = in[2] != NULL ? 2 : in[1] != NULL ? 1 : 0;
        if (ky0 == 0 && ky1 == 2)
            row_to_two(vectors, in, &s, &t, 0, 2, bias0, bias1, out0, out1);
        else
            row_to_two(vectors, in, &s, &t, ky0, ky1, bias0, bias1, out0, out1);
    }
}

__attribute__((always_inline)) static inline void rows_to_one(const PlaneConv *conv, int64_t vectors,
                                                              const float *const *r, const float *const *q,
                                                              const float *weight, int first, Lanes bias, float *out,
                                                              int64_t stride)
{
    Taps s = taps_of(weight), t = taps_of(q == NULL ? weight : weight + 9);
    for (int64_t y = 0; y < conv->rows; y++, r++, out += stride) {
        const float *const *second = q == NULL ? NULL : q + y;
        int ky0 = r[0] != NULL ? 0 : r[1] != NULL ? 1 : 2, ky1 = r[2] != NULL ? 2 : r[1] != NULL ? 1 : 0;
        if (ky0 == 0 && ky1 == 2)
            row_to_one(vectors, r, second, &s, &t, 0, 2, first, bias, out);
        else if (ky0 == 2)
            row_to_one(vectors, r, second, &s, &t, 2, 2, first, bias, out);
        else if (ky0 == 1 && ky1 == 2)
            row_to_one(vectors, r, second, &s, &t, 1, 2, first, bias, out);
        else if (ky0 == 0 && ky1 == 1)
            row_to_one(vectors, r, second, &s, &t, 0, 1, first, bias, out);
        else if (ky1 == 0)
            row_to_one(vectors, r, second, &s, &t, 0, 0, first, bias, out);
        else
            row_to_one(vectors, r, second, &s, &t, 1, 1, first, bias, out);
    }
}

static void tanh_rows(int64_t rows, int64_t vectors, float *out, int64_t stride)
{
    for (int64_t y = 0; y < rows; y++, out += stride)
        for (int64_t x = 0; x < vectors * LANES; x += LANES) *(LooseLanes *)(out + x) = lanes_tanh(loose(out + x));
}

void NAME(plane_conv)(const PlaneConv *conv, const float *const *in, float *out, int64_t out_plane, int64_t out_stride)
{
    int64_t ni = conv->in_channels, no = conv->out_channels, in_rows = conv->rows + 2;
    int64_t vectors = (conv->cols + LANES - 1) / LANES;
    for (int64_t o = 0; o < conv->groups * no; o++, out += out_plane) {
        const float *const *rows = in + o / no * ni * in_rows;
        const float *w = conv->weight + o * ni * 9;
        Lanes bias = lanes_of(conv->bias[o]);
        if (ni == 1 && o % no + 1 < no) {
            rows_to_two(conv, vectors, rows, w, w + 9, bias, lanes_of(conv->bias[o + 1]), out, out + out_plane,
                        out_stride);
            tanh_rows(conv->rows, vectors, out, out_stride);
            o++;
            out += out_plane;
        } else
            for (int64_t i = 0; i < ni; i += 2)
                if (i + 1 < ni)
                    rows_to_one(conv, vectors, rows + i * in_rows, rows + (i + 1) * in_rows, w + i * 9, i == 0, bias,
                                out, out_stride);
                else
                    rows_to_one(conv, vectors, rows + i * in_rows, NULL, w + i * 9, i == 0, bias, out, out_stride);
        tanh_rows(conv->rows, vectors, out, out_stride);
    }
}

/* One place of a stack's output: the taps [ky0, ky1] x [kx0, kx1] over one or two input channels. */
__attribute__((always_inline)) static inline void stack_place(const Lanes *r, int64_t in_cols, int64_t in_plane,
                                                              int two, const Taps *s, const Taps *t, int ky0, int ky1,
                                                              int kx0, int kx1, int first, Lanes bias, Lanes *out)
{
    Lanes sum = bias, other = {0};
    if (!first) sum = *out;
    for (int ky = ky0; ky <= ky1; ky++)
        for (int kx = kx0; kx <= kx1; kx++) {
            sum += s->w[3 * ky + kx] * r[ky * in_cols + kx];
            if (two) other += t->w[3 * ky + kx] * r[in_plane + ky * in_cols + kx];
        }
    if (two) sum += other;
    *out = sum;
}

/* A row of it. The two columns of zeros at one side of the stack give no taps. */
__attribute__((always_inline)) static inline void stack_row(int64_t cols, int high, const Lanes *r, int64_t in_plane,
                                                            int two, const Taps *s, const Taps *t, int ky0, int ky1,
                                                            int first, Lanes bias, Lanes *restrict out)
{
    int64_t in_cols = cols + 2, from = high ? 0 : 2, to = high ? cols - 2 : cols;
    if (!high) {
        stack_place(r, in_cols, in_plane, two, s, t, ky0, ky1, 2, 2, first, bias, out);
        stack_place(r + 1, in_cols, in_plane, two, s, t, ky0, ky1, 1, 2, first, bias, out + 1);
    }
    for (int64_t x = from; x < to; x++)
        stack_place(r + x, in_cols, in_plane, two, s, t, ky0, ky1, 0, 2, first, bias, out + x);
    if (high) {
        stack_place(r + to, in_cols, in_plane, two, s, t, ky0, ky1, 0, 1, first, bias, out + to);
        stack_place(r + to + 1, in_cols, in_plane, two, s, t, ky0, ky1, 0, 0, first, bias, out + to + 1);
    }
}

__attribute__((always_inline)) static inline void stack_channel(const PlaneConv *conv, int high_rows, int high_cols,
                                                                const Lanes *restrict in, int two, const float *weight,
                                                                int first, Lanes bias, Lanes *restrict out,
                                                                int64_t out_stride)
{
    int64_t rows = conv->rows, cols = conv->cols, in_cols = cols + 2, in_plane = (rows + 2) * in_cols;
    Taps s = taps_of(weight), t = taps_of(two ? weight + 9 : weight);
#define ROW(y, ky0, ky1) \
    stack_row(cols, high_cols, in + (y)*in_cols, in_plane, two, &s, &t, ky0, ky1, first, bias, out + (y)*out_stride)
    if (!high_rows) {
        ROW(0, 2, 2);
        ROW(1, 1, 2);
    }
    for (int64_t y = high_rows ? 0 : 2; y < (high_rows ? rows - 2 : rows); y++) ROW(y, 0, 2);
    if (high_rows) {
        ROW(rows - 2, 0, 1);
        ROW(rows - 1, 0, 0);
    }
#undef ROW
}

void NAME(stack_conv)(const PlaneConv *conv, int high_rows, int high_cols, const float *in, float *out,
                      int64_t out_plane, int64_t out_stride)
{
    int64_t ni = conv->in_channels, no = conv->out_channels, in_plane = (conv->rows + 2) * (conv->cols + 2);
    for (int64_t o = 0; o < conv->groups * no; o++) {
        const Lanes *from = (const Lanes *)in + o / no * ni * in_plane;
        const float *w = conv->weight + o * ni * 9;
        Lanes bias = lanes_of(conv->bias[o]), *to = (Lanes *)out + o * out_plane;
        for (int64_t i = 0; i < ni; i += 2, from += 2 * in_plane, w += 18)
            if (i + 1 == ni)
                stack_channel(conv, high_rows, high_cols, from, 0, w, i == 0, bias, to, out_stride);
            else if (high_rows && high_cols)
                stack_channel(conv, 1, 1, from, 1, w, i == 0, bias, to, out_stride);
            else if (high_rows)
                stack_channel(conv, 1, 0, from, 1, w, i == 0, bias, to, out_stride);
            else if (high_cols)
                stack_channel(conv, 0, 1, from, 1, w, i == 0, bias, to, out_stride);
            else
                stack_channel(conv, 0, 0, from, 1, w, i == 0, bias, to, out_stride);
        tanh_rows(conv->rows, conv->cols, (float *)to, out_stride * LANES);
    }
}
