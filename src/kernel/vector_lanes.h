/* Private to src/kernel/vector_*.c, which are compiled once for each instruction set (ISA is its name): the vector of
 * lanes as a type of the compiler's own, so that one text serves all sets. */
#ifndef SEISDCN_VECTOR_LANES_H
#define SEISDCN_VECTOR_LANES_H

#include "tanh_table.h"

#include "seisdcn/vector.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#if defined(__SSE2__)
#include <immintrin.h>
#endif

#if defined(__AVX512F__)
#define LANES 16
#elif defined(__AVX2__)
#define LANES 8
#else
#define LANES 4
#endif

#define VECTOR_JOIN2(a, b) a##_##b
#define VECTOR_JOIN(a, b)  VECTOR_JOIN2(a, b)
#define NAME(function)     VECTOR_JOIN(function, ISA)

typedef float Lanes __attribute__((vector_size(4 * LANES), may_alias));
typedef int32_t IntLanes __attribute__((vector_size(4 * LANES), may_alias));
typedef float LooseLanes __attribute__((vector_size(4 * LANES), aligned(4), may_alias)); /* any address */
/* Half as many doubles fill the same register. */
typedef float HalfLanes __attribute__((vector_size(2 * LANES), may_alias));
typedef double DoubleLanes __attribute__((vector_size(4 * LANES), may_alias));
typedef double LooseDoubles __attribute__((vector_size(4 * LANES), aligned(8), may_alias));
typedef uint64_t LongLanes __attribute__((vector_size(4 * LANES), may_alias)); /* of either sign: wraps by definition */

static inline Lanes lanes_of(float value) { return value - (Lanes){0}; /* the compiler's broadcast */ }

/* mask ? a : b, lane by lane, for a mask made by a comparison */
static inline Lanes lanes_select(IntLanes mask, Lanes a, Lanes b)
{
    return (Lanes)((mask & (IntLanes)a) | (~mask & (IntLanes)b));
}

/* x within [-limit, limit]; NaN stays NaN: the processor's min and max give their second operand for it. */
static inline Lanes lanes_clamp(Lanes x, float limit)
{
#if defined(__AVX512F__)
    return _mm512_max_ps(lanes_of(-limit), _mm512_min_ps(lanes_of(limit), x));
#elif defined(__AVX2__)
    return _mm256_max_ps(lanes_of(-limit), _mm256_min_ps(lanes_of(limit), x));
#elif defined(__SSE2__)
    return _mm_max_ps(lanes_of(-limit), _mm_min_ps(lanes_of(limit), x));
#else
    x = lanes_select(x > limit, lanes_of(limit), x);
    return lanes_select(x < -limit, lanes_of(-limit), x);
#endif
}

static inline HalfLanes half_of(Lanes x, int half)
{
    HalfLanes part;
    memcpy(&part, (const char *)&x + half * (int)sizeof part, sizeof part);
    return part;
}

#if defined(__AVX512F__)
/* tanh without division, as x * (a quartic of the segment that |x| is in); the coefficients of 32 segments are picked
 * by vpermt2ps. 16 operations on two ports, about 9 cycles, where the rational with its division takes 17. Largest
 * error 2.5e-7, below 4 ulp; beyond 9.1 a float's tanh is 1; NaN stays NaN. */
static inline Lanes lanes_tanh(Lanes x)
{
    const __m512 sign = _mm512_set1_ps(-0.0f);
    __m512 a = _mm512_min_ps(_mm512_set1_ps(9.1f), _mm512_andnot_ps(sign, x));
    __m512 u = _mm512_add_ps(a, _mm512_set1_ps(1.0f));
    __m512i segment = _mm512_srli_epi32(_mm512_castps_si512(u), 20);
    __m512i start = _mm512_and_si512(_mm512_castps_si512(u), _mm512_set1_epi32((int32_t)0xfff00000));
    __m512 d = _mm512_sub_ps(u, _mm512_castsi512_ps(start));
#define PICK(k) _mm512_permutex2var_ps(_mm512_load_ps(TANH_TABLE[k]), segment, _mm512_load_ps(TANH_TABLE[k] + 16))
    __m512 q = _mm512_fmadd_ps(PICK(4), d, PICK(3));
    q = _mm512_fmadd_ps(q, d, PICK(2));
    q = _mm512_fmadd_ps(q, d, PICK(1));
    q = _mm512_fmadd_ps(q, d, PICK(0));
#undef PICK
    __m512 magnitude = _mm512_mul_ps(a, q);
    return (Lanes)_mm512_castsi512_ps(_mm512_ternarylogic_epi32(
        _mm512_castps_si512(magnitude), _mm512_castps_si512(sign), _mm512_castps_si512(x), 0xb8)); /* the sign of x */
}
#else
/* tanh as x * P(x^2) / Q(x^2), degrees 4 and 4, fitted on [0, 9] by Lawson's iteration for the least relative error:
 * 2e-8 in exact arithmetic, below 4 ulp (2.2e-7) in floats; beyond 9 it is 1 to an ulp. A
 * degree less in P costs gradients their 1e-5 (docs/speed.md). NaN stays NaN. */
static inline Lanes lanes_tanh(Lanes x)
{
    x = lanes_clamp(x, 9.0f);
    Lanes t = x * x;
    Lanes p = 1.3353381511649332e-08f * t + 2.060816223092843e-05f;
    Lanes q = 7.776034181006253e-07f * t + 0.0003285543934907764f;
    p = p * t + 0.0034955330193042755f;
    q = q * t + 0.02587677352130413f;
    p = p * t + 0.13380979001522064f;
    q = q * t + 0.4671429395675659f;
    p = p * t + 1.0f;
    q = q * t + 1.0f;
    return x * p / q;
}
#endif

/* The nine taps of a kernel, each in all lanes. */
typedef struct {
    Lanes w[9];
} Taps;

static inline Taps taps_of(const float *weight)
{
    Taps taps;
    for (int i = 0; i < 9; i++) taps.w[i] = lanes_of(weight[i]);
    return taps;
}

/* What `finish` makes of a row of n sums of a channel; out (and finish->add) stand `at` vectors into their arrays. */
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
        if (finish->joined != NULL)
            for (int64_t x = 0; x < n; x++) ((Lanes *)finish->joined)[at + x] = out[x] + add[x];
        break;
    case FINISH_LINEAR:
        if (add == NULL)
            for (int64_t x = 0; x < n; x++) out[x] = factor * sum[x];
        else
            for (int64_t x = 0; x < n; x++) out[x] = factor * (sum[x] + add[x]);
        break;
    case FINISH_TANH_GRADIENT: {
        Lanes total = {0};
        for (int64_t x = 0; x < n; x++) {
            Lanes whole = sum[x];
            if (add != NULL) whole += add[x];
            whole *= factor * (1.0f - out[x] * out[x]);
            out[x] = whole;
            total += whole;
        }
        if (finish->total != NULL) ((Lanes *)finish->total)[channel] += total;
        break;
    }
    }
}

/* The kernels of the other files of this instruction set. */
ConvContract NAME(conv_contract);
ConvExpand NAME(conv_expand);
ConvGradient NAME(conv_gradient);

void NAME(plane_conv)(const PlaneConv *conv, const float *const *in, float *out, int64_t out_plane, int64_t out_stride);
void NAME(stack_conv)(const PlaneConv *conv, int high_rows, int high_cols, const float *in, float *out,
                      int64_t out_plane, int64_t out_stride);
void NAME(vector_finish)(int64_t channel, int64_t n, float *sum, float *out, const ConvFinish *finish);

#endif
