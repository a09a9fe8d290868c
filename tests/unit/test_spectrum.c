/* Tests of survey/spectrum against the sums that it stands for. */
#include "seisdcn/random.h"
#include "seisdcn/spectrum.h"

#include <complex.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void check(int64_t n_traces, int64_t n_samples)
{
    Spectrum spectrum;
    Status status = spectrum_new(n_traces, n_samples, &spectrum);
    if (status == STATUS_USAGE) skip(); /* built without FFTW */
    assert_int_equal(status, STATUS_OK);
    assert_int_equal(spectrum.n_frequencies, n_samples / 2 + 1);
    double copy[200];
    int64_t n = n_traces * n_samples;
    assert_true(n <= 200);
    for (int64_t i = 0; i < n; i++) copy[i] = spectrum.in[i] = random_normal((RandomKey){{3, 4}}, 0, (uint64_t)i);
    spectrum_run(&spectrum);
    assert_memory_equal(copy, spectrum.in, (size_t)n * sizeof *copy);
    for (int64_t k = 0; k < n_traces; k++)
        for (int64_t f = 0; f < spectrum.n_frequencies; f++) {
            double complex sum = 0;
            for (int64_t t = 0; t < n_traces; t++)
                for (int64_t s = 0; s < n_samples; s++) {
                    double turns = (double)(k * t) / (double)n_traces + (double)(f * s) / (double)n_samples;
                    sum += copy[t * n_samples + s] * cexp(-2 * M_PI * I * turns);
                }
            double power = creal(sum) * creal(sum) + cimag(sum) * cimag(sum);
            assert_true(fabs(spectrum.power[k * spectrum.n_frequencies + f] - power) < 1e-9 * (double)n);
        }
    double first[200];
    memcpy(first, spectrum.power, (size_t)(n_traces * spectrum.n_frequencies) * sizeof *first);
    spectrum_run(&spectrum);
    assert_memory_equal(first, spectrum.power, (size_t)(n_traces * spectrum.n_frequencies) * sizeof *first);
    spectrum_free(&spectrum);
    assert_null(spectrum.in);
}

static void traces(void **state)
{
    (void)state;
    static const int64_t lengths[] = {1, 2, 3, 8, 19, 64, 97};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) check(1, lengths[i]);
}

static void whole_gathers(void **state)
{
    (void)state;
    check(2, 1);
    check(5, 2);
    check(7, 16);
    check(8, 25);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(traces), cmocka_unit_test(whole_gathers)};
    return cmocka_run_group_tests_name("spectrum", tests, NULL, NULL);
}
