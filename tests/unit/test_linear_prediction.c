/* Tests of kernel/linear_prediction: exact for sums of exponentials, its definition solved by plain elimination, short
 * series, and amplitudes of all sizes. */
#include "seisdcn/blas.h"
#include "seisdcn/linear_prediction.h"
#include "seisdcn/random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { MOST = 64, WORK = 4 * MOST * MOST };

static double complex work[WORK];

static double normal(uint64_t a, uint64_t b) { return random_normal((RandomKey){{8, 4}}, a, b); }

static double complex noise(uint64_t seed, int64_t t)
{
    return CMPLX(normal(seed, 2 * (uint64_t)t), normal(seed, 2 * (uint64_t)t + 1));
}

static void run(int64_t n, int64_t length, double damping, const double complex *x, double complex *predicted)
{
    assert_true(linear_prediction_work(n, length) <= WORK);
    memset(work, 0xff, sizeof work); /* NaN: what it reads it wrote itself */
    assert_true(linear_prediction_run(n, length, damping, x, predicted, work));
}

static double largest(int64_t n, const double complex *x)
{
    double most = 0;
    for (int64_t t = 0; t < n; t++) most = fmax(most, cabs(x[t]));
    return most;
}

static double distance(int64_t n, const double complex *x, const double complex *y)
{
    double most = 0;
    for (int64_t t = 0; t < n; t++) most = fmax(most, cabs(x[t] - y[t]));
    return most;
}

/* K plane waves of any slopes and strengths; the filter has as many items, or more than it needs. */
static void waves_are_predicted_exactly(void **state)
{
    (void)state;
    for (int64_t n = 8; n <= MOST; n += 7)
        for (int64_t k = 1; k <= 4; k++)
            for (int64_t length = k; length <= 12; length += 3) {
                if (linear_prediction_length(n, length) < k) continue;
                double complex x[MOST] = {0}, predicted[MOST];
                for (int64_t wave = 0; wave < k; wave++) {
                    double turns = (double)wave * 0.21 - 0.37, strength = 1 + (double)wave;
                    for (int64_t t = 0; t < n; t++) x[t] += strength * cexp(2 * M_PI * I * turns * (double)t);
                }
                run(n, length, 0, x, predicted);
                double error = distance(n, x, predicted);
                if (error > 1e-7 * largest(n, x))
                    fail_msg("%lld items, %lld waves, a filter of %lld: %g", (long long)n, (long long)k,
                             (long long)length, error);
            }
}

/* x of matrix [n][n] x = right, by elimination with pivots; both are destroyed. */
static void eliminate(int64_t n, double complex *matrix, double complex *right)
{
    for (int64_t c = 0; c < n; c++) {
        int64_t pivot = c;
        for (int64_t r = c; r < n; r++)
            if (cabs(matrix[r * n + c]) > cabs(matrix[pivot * n + c])) pivot = r;
        for (int64_t k = 0; k < n; k++) {
            double complex held = matrix[c * n + k];
            matrix[c * n + k] = matrix[pivot * n + k];
            matrix[pivot * n + k] = held;
        }
        double complex held = right[c];
        right[c] = right[pivot];
        right[pivot] = held;
        for (int64_t r = 0; r < n; r++) {
            if (r == c) continue;
            double complex factor = matrix[r * n + c] / matrix[c * n + c];
            for (int64_t k = c; k < n; k++) matrix[r * n + k] -= factor * matrix[c * n + k];
            right[r] -= factor * right[c];
        }
    }
    for (int64_t r = 0; r < n; r++) right[r] /= matrix[r * n + r];
}

/* The header's definition, sum by sum. */
static void plain(int64_t n, int64_t wanted, double damping, const double complex *x, double complex *predicted)
{
    int64_t length = wanted < n / 2 ? wanted : n / 2;
    static double complex matrix[MOST * MOST], right[MOST];
    double mean = 0;
    for (int64_t j = 0; j < length; j++) {
        right[j] = 0;
        for (int64_t t = length; t < n; t++) right[j] += conj(x[t - 1 - j]) * x[t];
        for (int64_t t = 0; t < n - length; t++) right[j] += x[t + 1 + j] * conj(x[t]);
        for (int64_t k = 0; k < length; k++) {
            matrix[j * length + k] = 0;
            for (int64_t t = length; t < n; t++) matrix[j * length + k] += conj(x[t - 1 - j]) * x[t - 1 - k];
            for (int64_t t = 0; t < n - length; t++) matrix[j * length + k] += x[t + 1 + j] * conj(x[t + 1 + k]);
        }
        mean += creal(matrix[j * length + j]) / (double)length;
    }
    for (int64_t j = 0; j < length; j++) matrix[j * (length + 1)] += damping * mean;
    eliminate(length, matrix, right);
    for (int64_t t = 0; t < n; t++) {
        double complex forward = 0, backward = 0;
        bool behind = t >= length, before = t < n - length;
        for (int64_t k = 0; k < length && behind; k++) forward += right[k] * x[t - 1 - k];
        for (int64_t k = 0; k < length && before; k++) backward += conj(right[k]) * x[t + 1 + k];
        assert_true(behind || before);
        predicted[t] = behind && before ? (forward + backward) / 2 : forward + backward;
    }
}

static void it_is_its_definition(void **state)
{
    (void)state;
    static const double dampings[] = {0.01, 0.5, 20};
    for (int64_t n = 2; n <= MOST; n += n < 12 ? 1 : 13)
        for (int64_t length = 1; length <= 12; length++)
            for (int d = 0; d < 3; d++) {
                double complex x[MOST], wanted[MOST], predicted[MOST];
                for (int64_t t = 0; t < n; t++) x[t] = noise((uint64_t)(n * 100 + length), t);
                plain(n, length, dampings[d], x, wanted);
                run(n, length, dampings[d], x, predicted);
                if (distance(n, wanted, predicted) > 1e-12 * largest(n, x))
                    fail_msg("%lld items, a filter of %lld, damping %g: %g", (long long)n, (long long)length,
                             dampings[d], distance(n, wanted, predicted));
                run(n, length, dampings[d], x, x); /* in place */
                assert_memory_equal(x, predicted, (size_t)n * sizeof *x);
            }
}

/* Dead and muted traces are zeros among the others; a series of one item or of zeros is its own prediction. */
static void zeros_and_single_items(void **state)
{
    (void)state;
    double complex x[MOST] = {0}, wanted[MOST], predicted[MOST];
    run(MOST, 8, 0, x, predicted);
    assert_memory_equal(x, predicted, sizeof x);
    x[0] = CMPLX(3, -2);
    assert_int_equal(linear_prediction_length(1, 8), 0);
    run(1, 8, 0.5, x, predicted);
    assert_memory_equal(x, predicted, sizeof *x);
    run(MOST, 8, 0, x, predicted); /* one live trace: nothing predicts it, and nothing else is there */
    assert_true(largest(MOST, predicted) < 1e-6);
    for (int64_t t = 0; t < MOST; t++) x[t] = t % 7 == 3 || t < 5 ? 0 : noise(1, t);
    plain(MOST, 8, 0.5, x, wanted);
    run(MOST, 8, 0.5, x, predicted);
    assert_true(distance(MOST, wanted, predicted) < 1e-12 * largest(MOST, x));
}

/* A power of two changes no digit, as large or small as floats and their transforms are. */
static void amplitudes_of_all_sizes(void **state)
{
    (void)state;
    double complex x[MOST], first[MOST], scaled[MOST], predicted[MOST];
    for (int64_t t = 0; t < MOST; t++) x[t] = noise(2, t);
    for (int damped = 0; damped < 2; damped++) {
        run(MOST, 8, damped * 0.5, x, first);
        for (int exponent = -149; exponent <= 140; exponent += 17) {
            for (int64_t t = 0; t < MOST; t++) scaled[t] = x[t] * ldexp(1, exponent);
            run(MOST, 8, damped * 0.5, scaled, predicted);
            for (int64_t t = 0; t < MOST; t++) assert_true(predicted[t] == first[t] * ldexp(1, exponent));
        }
    }
}

/* White noise is not predicted, and a wave in it is. */
static void noise_goes_and_waves_stay(void **state)
{
    (void)state;
    enum { SERIES = 200 };
    double noise_in = 0, noise_out = 0, error = 0;
    for (uint64_t series = 0; series < SERIES; series++) {
        double complex x[MOST], wave[MOST], predicted[MOST];
        for (int64_t t = 0; t < MOST; t++) wave[t] = M_SQRT2 * cexp(I * (0.3 * (double)t + (double)series));
        for (int64_t t = 0; t < MOST; t++) x[t] = noise(series, t);
        run(MOST, 8, 0.5, x, predicted);
        for (int64_t t = 0; t < MOST; t++) {
            noise_in += creal(x[t] * conj(x[t]));
            noise_out += creal(predicted[t] * conj(predicted[t]));
            x[t] += wave[t];
        }
        run(MOST, 8, 0.5, x, predicted);
        for (int64_t t = 0; t < MOST; t++) error += creal((predicted[t] - wave[t]) * conj(predicted[t] - wave[t]));
    }
    print_message("# of white noise %.2f stays; a wave in as much noise: %.1f dB gained\n", noise_out / noise_in,
                  10 * log10(noise_in / error));
    assert_true(noise_out < 0.15 * noise_in && error < 0.2 * noise_in);
}

int main(void)
{
    blas_one_thread();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waves_are_predicted_exactly), cmocka_unit_test(it_is_its_definition),
        cmocka_unit_test(zeros_and_single_items),      cmocka_unit_test(amplitudes_of_all_sizes),
        cmocka_unit_test(noise_goes_and_waves_stay),
    };
    return cmocka_run_group_tests_name("linear_prediction", tests, NULL, NULL);
}
