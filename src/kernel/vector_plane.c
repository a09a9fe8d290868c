/* Valid 3 x 3 convolutions over planes of neighbouring positions, a vector being neighbours in a row: what windows of
 * one scale share (predict.h). One input or output channel's row is summed at a time, in pairs where there are two. */
#include "vector_lanes.h"

#include <stddef.h>

enum { ROW_VECTORS = (VECTOR_COLUMNS_MAX + LANES - 1) / LANES };

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

/* The taps of one row of the input, for one or two outputs. */
#define ROW_TAPS(row, sum, taps, ky)                      \
    do {                                                  \
        sum += (taps).w[3 * (ky)] * loose(row);           \
        sum += (taps).w[3 * (ky) + 1] * loose((row) + 1); \
        sum += (taps).w[3 * (ky) + 2] * loose((row) + 2); \
    } while (0)

/* One input channel, two outputs: the loads are shared. */
static inline void one_to_two(int64_t vectors, const float *const r[3], const float *weight0, const float *weight1,
                              int first, Lanes bias0, Lanes bias1, Lanes *restrict out0, Lanes *restrict out1)
{
    Taps s = taps_of(weight0), t = taps_of(weight1);
    for (int64_t v = 0; v < vectors; v++) {
        Lanes sum0 = first ? bias0 : out0[v], sum1 = first ? bias1 : out1[v];
        for (int ky = 0; ky < 3; ky++) {
            if (r[ky] == NULL) continue;
            const float *row = r[ky] + v * LANES;
            for (int kx = 0; kx < 3; kx++) {
                Lanes value = loose(row + kx);
                sum0 += s.w[3 * ky + kx] * value;
                sum1 += t.w[3 * ky + kx] * value;
            }
        }
        out0[v] = sum0;
        out1[v] = sum1;
    }
}

/* One or two input channels, one output. */
static inline void to_one(int64_t vectors, const float *const r[3], const float *const q[3], const float *weight_r,
                          const float *weight_q, int first, Lanes bias, Lanes *restrict out)
{
    Taps s = taps_of(weight_r), t = taps_of(q == NULL ? weight_r : weight_q);
    for (int64_t v = 0; v < vectors; v++) {
        Lanes sum0 = first ? bias : out[v], sum1 = {0};
        for (int ky = 0; ky < 3; ky++)
            if (r[ky] != NULL) ROW_TAPS(r[ky] + v * LANES, sum0, s, ky);
        for (int ky = 0; q != NULL && ky < 3; ky++)
            if (q[ky] != NULL) ROW_TAPS(q[ky] + v * LANES, sum1, t, ky);
        out[v] = sum0 + sum1;
    }
}

void NAME(plane_conv)(const PlaneConv *conv, const float *const *in, float *out, int64_t out_plane, int64_t out_stride)
{
    int64_t ni = conv->in_channels, no = conv->out_channels, in_rows = conv->rows + 2;
    int64_t vectors = (conv->cols + LANES - 1) / LANES;
    Lanes sum[2][ROW_VECTORS];
    for (int64_t g = 0; g < conv->groups; g++)
        for (int64_t k = 0; k < no; k += 2) {
            int64_t o = g * no + k;
            int pair = k + 1 < no;
            Lanes bias0 = lanes_of(conv->bias[o]), bias1 = lanes_of(pair ? conv->bias[o + 1] : 0);
            for (int64_t y = 0; y < conv->rows; y++) {
                for (int64_t i = 0; i < ni; i++) {
                    const float *const *r = in + (g * ni + i) * in_rows + y;
                    const float *w = conv->weight + (o * ni + i) * 9;
                    if (pair)
                        one_to_two(vectors, r, w, w + ni * 9, i == 0, bias0, bias1, sum[0], sum[1]);
                    else if (i + 1 < ni) {
                        to_one(vectors, r, r + in_rows, w, w + 9, i == 0, bias0, sum[0]);
                        i++;
                    } else
                        to_one(vectors, r, NULL, w, NULL, i == 0, bias0, sum[0]);
                }
                float *row = out + o * out_plane + y * out_stride;
                for (int64_t v = 0; v < vectors; v++) *(LooseLanes *)(row + v * LANES) = lanes_tanh(sum[0][v]);
                row += out_plane;
                for (int64_t v = 0; pair && v < vectors; v++) *(LooseLanes *)(row + v * LANES) = lanes_tanh(sum[1][v]);
            }
        }
}

/* One output channel over one or two input channels: the weights stay in registers over all rows. */
static inline void stack_channel(const PlaneConv *conv, const Lanes *restrict in, int two, const float *weight,
                                 int first, int last, Lanes bias, Lanes *restrict out, int64_t out_stride)
{
    int64_t in_cols = conv->cols + 2, in_plane = (conv->rows + 2) * in_cols;
    Taps s = taps_of(weight), t = taps_of(two ? weight + 9 : weight);
    for (int64_t y = 0; y < conv->rows; y++)
        for (int64_t x = 0; x < conv->cols; x++) {
            const Lanes *r = in + y * in_cols + x, *q = r + in_plane;
            Lanes sum = first ? bias : out[y * out_stride + x], other = {0};
            for (int ky = 0; ky < 3; ky++)
                for (int kx = 0; kx < 3; kx++) {
                    sum += s.w[3 * ky + kx] * r[ky * in_cols + kx];
                    if (two) other += t.w[3 * ky + kx] * q[ky * in_cols + kx];
                }
            sum += other;
            out[y * out_stride + x] = last ? lanes_tanh(sum) : sum;
        }
}

void NAME(stack_conv)(const PlaneConv *conv, const float *in, float *out, int64_t out_plane, int64_t out_stride)
{
    int64_t ni = conv->in_channels, no = conv->out_channels, in_plane = (conv->rows + 2) * (conv->cols + 2);
    for (int64_t o = 0; o < conv->groups * no; o++) {
        const Lanes *from = (const Lanes *)in + o / no * ni * in_plane;
        const float *w = conv->weight + o * ni * 9;
        Lanes bias = lanes_of(conv->bias[o]), *to = (Lanes *)out + o * out_plane;
        for (int64_t i = 0; i < ni; i += 2)
            if (i + 1 < ni)
                stack_channel(conv, from + i * in_plane, 1, w + i * 9, i == 0, i + 2 >= ni, bias, to, out_stride);
            else
                stack_channel(conv, from + i * in_plane, 0, w + i * 9, i == 0, 1, bias, to, out_stride);
    }
}
