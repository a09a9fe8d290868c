/* The weight gradients of 3 x 3 convolutions over lanes (vector.h defines them), and what follows a convolution that is
 * computed elsewhere. The nine sums of a kernel stay in registers over a whole channel: bound by the multiply-adds. */
#include "vector_lanes.h"

#include <stddef.h>

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

void NAME(conv_gradient)(const ConvShape *shape, const float *big, const float *small, float *gradient)
{
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
