/* The point-by-point kernels of every instruction set that this machine has, against plain arithmetic. */
#include "seisdcn/exact.h"
#include "seisdcn/random.h"
#include "seisdcn/vector.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { N = 37, MOST = N * VECTOR_LANES_MAX };
typedef float Floats[MOST] __attribute__((aligned(64)));
typedef double Doubles[MOST] __attribute__((aligned(64)));

static uint64_t drawn;

static double uniform(void) { return 2 * random_uniform(random_key(3, RANDOM_TEST, 0), drawn++, 0) - 1; }

static void fill(float *values, int64_t n)
{
    for (int64_t i = 0; i < n; i++) values[i] = (float)uniform();
}

static float of_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void tables_have_names(void **state)
{
    (void)state;
    assert_int_equal(vector_level_of("portable"), 1);
    assert_int_equal(vector_level_of("avx2"), 2);
    assert_int_equal(vector_level_of("avx512"), 3);
    assert_int_equal(vector_level_of("avx"), 0);
    assert_int_equal(vector_level_of(""), 0);
    assert_in_range(vector_level(), 1, 3);
    for (int level = 1; level <= 3; level++) {
        const Vector *vector = vector_of_level(level);
        assert_int_equal(vector_level_of(vector->name), level);
        assert_in_range(vector->lanes, 2, VECTOR_LANES_MAX);
    }
}

/* Units in the last place of the float next to a double. */
static double ulps(float got, double wanted)
{
    float nearest = (float)wanted;
    double unit = (double)nextafterf(fabsf(nearest), INFINITY) - (double)fabsf(nearest);
    return fabs((double)got - wanted) / unit;
}

/* The next float to try: a step on, but no further than the last of this exponent or the first of the next. */
static uint32_t next_bits(uint32_t bits)
{
    const uint32_t last = 0x7fffff, step = 15101;
    uint32_t fraction = bits & last;
    return fraction == last ? bits + 1 : fraction + step > last ? bits + (last - fraction) : bits + step;
}

static void tanh_is_near_over_all_floats(void **state)
{
    (void)state;
    for (int level = 1; level <= vector_level(); level++) {
        const Vector *vector = vector_of_level(level);
        Floats x, y;
        double worst_ulps = 0, worst = 0, worst_relative = 0;
        float where = 0;
        uint32_t bits = 0;
        /* some thousand values of every exponent, the first and the last of each, either sign; infinity at the end */
        for (bool ended = false; !ended;) {
            int64_t n = MOST; /* whole vectors of every set */
            for (int64_t i = 0; i < n; i += 2) {
                x[i] = of_bits(bits);
                x[i + 1] = -x[i];
                ended = bits == 0x7f800000;
                if (!ended) bits = next_bits(bits);
            }
            memcpy(y, x, sizeof x);
            vector->tanh(n, y);
            for (int64_t i = 0; i < n; i++) {
                double wanted = tanh((double)x[i]), error = fabs((double)y[i] - wanted), unit = ulps(y[i], wanted);
                if (!(fabsf(y[i]) <= 1 + FLT_EPSILON))
                    fail_msg("%s: tanh(%.9g) is %.9g", vector->name, (double)x[i], (double)y[i]);
                if (!(unit < 4)) fail_msg("%s: tanh(%.9g) is %.3g ulp off", vector->name, (double)x[i], unit);
                if (wanted != 0 && error / fabs(wanted) > worst_relative && fabs(wanted) > (double)FLT_MIN)
                    worst_relative = error / fabs(wanted);
                if (error > worst) worst = error;
                if (unit > worst_ulps) {
                    worst_ulps = unit;
                    where = x[i];
                }
            }
        }
        print_message("# %s: tanh within %.2f ulp (at %.6g), %.2g absolute, %.2g relative of normal values\n",
                      vector->name, worst_ulps, (double)where, worst, worst_relative);
    }
}

static void tanh_of_special_values(void **state)
{
    (void)state;
    const float special[] = {NAN,    -NAN, INFINITY, -INFINITY, 0.0f,    -0.0f,    FLT_TRUE_MIN, -FLT_TRUE_MIN,
                             1e-40f, 9.0f, 9.01f,    -9.5f,     FLT_MAX, -FLT_MAX, 1e30f,        20.0f};
    enum { SPECIAL = sizeof special / sizeof *special };
    for (int level = 1; level <= vector_level(); level++) {
        const Vector *vector = vector_of_level(level);
        Floats x;
        memcpy(x, special, sizeof special);
        vector->tanh(SPECIAL, x);
        for (int i = 0; i < SPECIAL; i++) {
            if (isnan(special[i]))
                assert_true(isnan(x[i]));
            else
                assert_true(ulps(x[i], tanh((double)special[i])) < 4);
            if (special[i] == 0) assert_true(x[i] == 0);
        }
        assert_true(x[6] == FLT_TRUE_MIN && x[8] == 1e-40f); /* denormals are not flushed */
    }
}

static void fixed_add_is_exact(void **state)
{
    (void)state;
    static const int exponents[] = {0, 1, 10, 30, 45, 52};
    for (int level = 1; level <= vector_level(); level++)
        for (size_t e = 0; e < sizeof exponents / sizeof *exponents; e++) {
            const Vector *vector = vector_of_level(level);
            int64_t n = (int64_t)N * vector->lanes;
            Floats value;
            int64_t sum[MOST] __attribute__((aligned(64)));
            __int128 wanted[MOST];
            for (int64_t i = 0; i < n; i++) wanted[i] = sum[i] = i * 1000 - 5;
            int passes = exponents[e] > 46 ? 1 : 40; /* what 63 bits hold */
            for (int pass = 0; pass < passes; pass++) {
                for (int64_t i = 0; i < n; i++) /* of every size, and halves, which round to even */
                    value[i] = i % 5 == 0
                                   ? (float)(pass - 20) / 2
                                   : (float)(uniform() * ldexp(1, (int)(i % 60) - 50) * (double)EXACT_LIMIT / 512);
                value[pass % n] = pass % 2 ? -1023.9999f : 1023.9999f;
                assert_int_equal(vector->fixed_add(N, value, EXACT_LIMIT, exponents[e], sum), 0);
                for (int64_t i = 0; i < n; i++)
                    wanted[i] += (__int128)rintl(ldexpl((long double)value[i], exponents[e]));
            }
            for (int64_t i = 0; i < n; i++)
                if ((__int128)sum[i] != wanted[i])
                    fail_msg("%s: 2^%d, sum %lld is off by %lld", vector->name, exponents[e], (long long)i,
                             (long long)((__int128)sum[i] - wanted[i]));
        }
}

static void fixed_add_goes_to_its_limit(void **state)
{
    (void)state;
    for (int level = 1; level <= vector_level(); level++) {
        const Vector *vector = vector_of_level(level);
        Floats value = {0};
        int64_t sum[MOST] __attribute__((aligned(64))) = {0};
        value[0] = nextafterf(1, 0);
        value[1] = -nextafterf(1, 0);
        value[2] = 0x1p-62f;
        value[3] = 0x1.8p-62f;
        assert_int_equal(vector->fixed_add(1, value, 1, 62, sum), 0);
        assert_true(sum[0] == (int64_t)ldexpl((long double)value[0], 62) && sum[1] == -sum[0]);
        assert_true(sum[2] == 1 && sum[3] == 2);
    }
}

static void fixed_add_flags_what_does_not_fit(void **state)
{
    (void)state;
    const float bad[] = {NAN, -NAN, INFINITY, -INFINITY, EXACT_LIMIT, -EXACT_LIMIT, 1e30f, -FLT_MAX};
    for (int level = 1; level <= vector_level(); level++) {
        const Vector *vector = vector_of_level(level);
        int64_t sum[MOST] __attribute__((aligned(64)));
        for (int64_t at = 0; at < (int64_t)N * vector->lanes; at += 5)
            for (size_t b = 0; b < sizeof bad / sizeof *bad; b++) {
                Floats value = {0};
                memset(sum, 0, sizeof sum);
                assert_int_equal(vector->fixed_add(N, value, EXACT_LIMIT, 45, sum), 0);
                value[at] = bad[b];
                assert_int_equal(vector->fixed_add(N, value, EXACT_LIMIT, 45, sum), 1);
                value[at] = copysignf(nextafterf(EXACT_LIMIT, 0), bad[b]);
                assert_int_equal(vector->fixed_add(N, value, EXACT_LIMIT, 45, sum), 0);
            }
    }
}

static void magnitude_finds_the_largest(void **state)
{
    (void)state;
    for (int level = 1; level <= vector_level(); level++) {
        const Vector *vector = vector_of_level(level);
        int lanes = vector->lanes;
        Floats x, largest = {0}, wanted = {0};
        fill(x, (int64_t)N * lanes);
        x[5 * lanes] = -7; /* of lane 0 */
        x[6 * lanes + 1] = FLT_TRUE_MIN;
        for (int lane = 0; lane < lanes; lane++) {
            largest[lane] = wanted[lane] = lane % 2 ? 0.5f : 0;
            for (int i = 0; i < N; i++) wanted[lane] = fmaxf(wanted[lane], fabsf(x[i * lanes + lane]));
        }
        vector->magnitude(N, x, largest);
        assert_memory_equal(largest, wanted, (size_t)lanes * sizeof *largest);
        for (int lane = 0; lane < lanes; lane++) largest[lane] = 100; /* keeps what it holds */
        vector->magnitude(N, x, largest);
        for (int lane = 0; lane < lanes; lane++) assert_true(largest[lane] == 100);
        Floats zeros = {0}, none = {0};
        zeros[3] = -0.0f;
        vector->magnitude(N, zeros, none);
        for (int lane = 0; lane < lanes; lane++) assert_true(none[lane] == 0 && !signbit(none[lane]));
    }
}

static void divide_is_a_division_to_an_ulp_and_leaves_zeros_alone(void **state)
{
    (void)state;
    for (int level = 1; level <= vector_level(); level++) {
        const Vector *vector = vector_of_level(level);
        int lanes = vector->lanes;
        Floats x, before, scale;
        fill(x, (int64_t)N * lanes);
        fill(scale, lanes);
        scale[0] = 0;
        scale[1] = 1e-39f; /* a denormal: its reciprocal would overflow */
        for (int i = 0; i < N; i++) x[i * lanes + 1] *= 1e-39f;
        memcpy(before, x, sizeof x);
        vector->divide(N, scale, x);
        for (int i = 0; i < N * lanes; i++) {
            float wanted = scale[i % lanes] == 0 ? before[i] : before[i] / scale[i % lanes];
            if (scale[i % lanes] == 0)
                assert_memory_equal(&x[i], &wanted, sizeof wanted);
            else
                assert_true(fabs((double)x[i] - (double)wanted) <= 0x1.8p-23 * fabs((double)wanted));
        }
    }
}

static void moments_are_sums_in_double(void **state)
{
    (void)state;
    for (int level = 1; level <= vector_level(); level++) {
        const Vector *vector = vector_of_level(level);
        int lanes = vector->lanes;
        Floats x;
        double sum[VECTOR_LANES_MAX] __attribute__((aligned(64)));
        double square[VECTOR_LANES_MAX] __attribute__((aligned(64)));
        fill(x, (int64_t)N * lanes);
        x[lanes] = 1e8f;                                                        /* floats would lose the rest */
        for (int lane = 0; lane < lanes; lane++) sum[lane] = square[lane] = 99; /* overwritten */
        vector->moments(N, x, sum, square);
        for (int lane = 0; lane < lanes; lane++) {
            double s = 0, q = 0;
            for (int i = 0; i < N; i++) {
                double value = (double)x[i * lanes + lane];
                s += value;
                q += value * value;
            }
            assert_true(s == sum[lane] && q == square[lane]); /* the same bits on every instruction set */
        }
    }
}

static void add_adds(void **state)
{
    (void)state;
    for (int level = 1; level <= vector_level(); level++)
        for (int64_t n = 1; n < MOST; n += 13) {
            Floats a, b, out;
            fill(a, n);
            fill(b, n);
            for (int64_t i = 0; i < MOST; i++) out[i] = 77;
            vector_of_level(level)->add(n, a, b, out);
            for (int64_t i = 0; i < MOST; i++) assert_true(out[i] == (i < n ? a[i] + b[i] : 77));
        }
}

static void loss_and_its_gradient(void **state)
{
    (void)state;
    for (int level = 1; level <= vector_level(); level++)
        for (int with = 0; with < 16; with++) {
            const Vector *vector = vector_of_level(level);
            int lanes = vector->lanes, gradient = with >> 2 & 1, linear = with >> 3;
            Floats target, weight, factor, z, before, total;
            Doubles error;
            fill(target, (int64_t)N * lanes);
            fill(weight, (int64_t)N * lanes);
            fill(factor, lanes);
            fill(z, (int64_t)N * lanes);
            memcpy(before, z, sizeof z);
            for (int lane = 0; lane < lanes; lane++) { /* both are added to */
                error[lane] = 0.25 * lane;
                total[lane] = 0.5f * (float)lane;
            }
            vector->loss(N, target, with & 1 ? weight : NULL, with & 2 ? factor : NULL, 0.125f, gradient, linear, z,
                         error, total);
            for (int lane = 0; lane < lanes; lane++) {
                double wanted = 0.25 * lane, passed = 0.5 * lane;
                for (int i = 0; i < N; i++) {
                    int at = i * lanes + lane;
                    double out = (double)before[at], difference = out - (double)target[at];
                    double w = with & 1 ? (double)weight[at] : 1, f = with & 2 ? (double)factor[lane] : 1;
                    wanted += w * difference * difference;
                    double back = 0.125 * w * difference * f * (linear ? 1 : 1 - out * out);
                    assert_true(fabs((double)z[at] - (gradient ? back : out)) <= 1e-7);
                    passed += gradient ? back : 0;
                }
                assert_true(fabs((double)total[lane] - passed) <= 2e-6);
                assert_true(fabs(error[lane] - wanted) <= 1e-5);
            }
        }
}

static void windows_go_to_lanes_and_back(void **state)
{
    (void)state;
    enum { ROWS = 3, COLS = 5, STRIDE = COLS + VECTOR_LANES_MAX + 2, PLANE = ROWS * STRIDE };
    for (int level = 1; level <= vector_level(); level++)
        for (int shift = 0; shift < 3; shift++) { /* planes start at any address */
            const Vector *vector = vector_of_level(level);
            int lanes = vector->lanes;
            float plane[PLANE + 3];
            double sum[PLANE + 3], wanted[PLANE + 3];
            Floats x, scale;
            fill(plane, PLANE + 3);
            fill(scale, lanes);
            scale[1] = 0;
            vector->load_windows(ROWS, COLS, STRIDE, plane + shift, scale, x);
            for (int row = 0; row < ROWS; row++)
                for (int col = 0; col < COLS; col++)
                    for (int lane = 0; lane < lanes; lane++) {
                        float value = plane[shift + row * STRIDE + col + lane];
                        float right = scale[lane] == 0 ? 0 : value / scale[lane];
                        assert_true(x[(row * COLS + col) * lanes + lane] == right);
                    }
            for (int i = 0; i < PLANE + 3; i++) wanted[i] = sum[i] = uniform();
            vector->add_windows(ROWS, COLS, STRIDE, x, scale, sum + shift);
            for (int row = 0; row < ROWS; row++)
                for (int col = 0; col < COLS; col++)
                    for (int lane = 0; lane < lanes; lane++)
                        wanted[shift + row * STRIDE + col + lane] +=
                            (double)(scale[lane] * x[(row * COLS + col) * lanes + lane]);
            for (int i = 0; i < PLANE + 3; i++) assert_true(fabs(sum[i] - wanted[i]) <= 1e-14);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_have_names),
        cmocka_unit_test(tanh_is_near_over_all_floats),
        cmocka_unit_test(tanh_of_special_values),
        cmocka_unit_test(fixed_add_is_exact),
        cmocka_unit_test(fixed_add_goes_to_its_limit),
        cmocka_unit_test(fixed_add_flags_what_does_not_fit),
        cmocka_unit_test(magnitude_finds_the_largest),
        cmocka_unit_test(divide_is_a_division_to_an_ulp_and_leaves_zeros_alone),
        cmocka_unit_test(moments_are_sums_in_double),
        cmocka_unit_test(add_adds),
        cmocka_unit_test(loss_and_its_gradient),
        cmocka_unit_test(windows_go_to_lanes_and_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
