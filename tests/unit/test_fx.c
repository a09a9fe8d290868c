/* Tests of survey/fx on cases whose answers are known; against NumPy it is tests/program/test_rivals.py. */
#include "seisdcn/fx.h"
#include "seisdcn/memory.h"
#include "seisdcn/random.h"

#include <limits.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { FOLD = 40, SAMPLES = 130, N = FOLD * SAMPLES };

static const FxRule whole_rule = {0, 0, 8, 0, 0, 0.5};
static float in[N], out[N], again[N];

static Fx new_fx(const FxRule *rule, int64_t fold)
{
    Fx fx;
    Status status = fx_new(rule, fold, SAMPLES, &fx);
    if (status == STATUS_USAGE) skip(); /* built without FFTW */
    assert_int_equal(status, STATUS_OK);
    return fx;
}

static FxCounts run(const FxRule *rule, int64_t fold)
{
    Fx fx = new_fx(rule, fold);
    FxCounts counts = {0};
    bool whole = false;
    memset(out, 0xff, sizeof out);
    assert_int_equal(fx_run(&fx, in, fold, out, &counts, &whole), STATUS_OK);
    assert_true(whole);
    assert_int_equal(counts.windows, fx_windows(rule, fold, SAMPLES));
    fx_free(&fx);
    assert_null(fx.sum);
    return counts;
}

/* Plane waves of one frequency each: cos(2 pi (f s - k t) + phase). */
static void add_wave(float *gather, double f, double k, double strength)
{
    for (int64_t t = 0; t < FOLD; t++)
        for (int64_t s = 0; s < SAMPLES; s++)
            gather[t * SAMPLES + s] += (float)(strength * cos(2 * M_PI * (f * (double)s - k * (double)t) + strength));
}

/* Ricker's wavelet, whose samples move by `slope` from trace to trace. */
static void add_event(float *gather, int64_t time, int64_t slope, double strength)
{
    for (int64_t t = 0; t < FOLD; t++)
        for (int64_t s = 0; s < SAMPLES; s++) {
            double u = M_PI * 0.15 * (double)(s - time - slope * t);
            gather[t * SAMPLES + s] += (float)(strength * (1 - 2 * u * u) * exp(-u * u));
        }
}

static double error(const float *wanted)
{
    double most = 0, largest = 0;
    for (int64_t i = 0; i < N; i++) {
        most = fmax(most, fabs((double)out[i] - (double)wanted[i]));
        largest = fmax(largest, fabs((double)wanted[i]));
        assert_true(isfinite(out[i]));
    }
    return largest > 0 ? most / largest : most;
}

/* In any windows: a wave's part of each is two exponentials across the traces at each frequency. */
static void waves_are_predicted_to_rounding(void **state)
{
    (void)state;
    static const FxRule rules[] = {{0, 0, 8, 0, 0, 0.5},
                                   {48, 0, 8, 0, 0, 0.5},
                                   {48, 24, 8, 0, 0, 0.5},
                                   {31, 19, 9, 0, 0, 0.5},
                                   {7, 16, 8, 0, 0, 0.5}};
    memset(in, 0, sizeof in);
    add_wave(in, 0.11, 0.2, 1);
    add_wave(in, 0.234, -0.07, 3);
    add_wave(in, 0.07, 0.41, 2);
    for (size_t r = 0; r < sizeof rules / sizeof *rules; r++) {
        run(&rules[r], FOLD);
        if (error(in) > 1e-6) fail_msg("rule %zu: %g", r, error(in));
    }
}

/* Events that stay inside the window; with the zeros behind it none of them comes in again at the other end. */
static void linear_events_are_predicted_to_rounding(void **state)
{
    (void)state;
    memset(in, 0, sizeof in);
    add_event(in, 30, 2, 4);
    add_event(in, 60, 0, -3);
    add_event(in, 100, -2, 2);
    add_event(in, 20, 1, 1);
    run(&whole_rule, FOLD);
    assert_true(error(in) < 1e-6);
}

/* What is not predicted is the noise: with damping less of it stays, and of the events most. */
static void noise_is_reduced(void **state)
{
    (void)state;
    static float clean[N];
    const FxRule rule = {48, 0, 8, 0.2, 0, 0.5};
    double noise = 0, left = 0, energy = 0, kept = 0;
    memset(clean, 0, sizeof clean);
    add_event(clean, 40, 1, 10);
    add_event(clean, 80, -1, -8);
    add_event(clean, 65, 0, 6);
    for (int64_t i = 0; i < N; i++) in[i] = clean[i] + (float)random_normal((RandomKey){{2, 3}}, 0, (uint64_t)i);
    run(&rule, FOLD);
    for (int64_t i = 0; i < N; i++) {
        double n = (double)in[i] - (double)clean[i], d = (double)out[i] - (double)clean[i];
        noise += n * n;
        left += d * d;
        energy += (double)clean[i] * (double)clean[i];
        kept += (double)out[i] * (double)clean[i];
    }
    print_message("# SNR gain %.1f dB, signal lost %.3f\n", 10 * log10(noise / left), 1 - kept / energy);
    assert_true(noise > 4 * left && kept > 0.8 * energy);
}

/* Two waves, of 0.1 and 0.4 cycles a sample, and bands that hold the one, the other, and both. */
static void a_band_is_kept(void **state)
{
    (void)state;
    static const double ends[3][2] = {{0, 0.25}, {0.25, 0.5}, {0, 0.5}};
    for (int band = 0; band < 3; band++) {
        static float wanted[N], others[N];
        const FxRule rule = {0, 0, 8, 0, ends[band][0], ends[band][1]};
        memset(wanted, 0, sizeof wanted);
        memset(others, 0, sizeof others);
        add_wave(band == 1 ? others : wanted, 0.1, 0.1, 1);
        add_wave(band == 0 ? others : wanted, 0.4, 0.1, 1);
        for (int64_t i = 0; i < N; i++) { /* smooth ends: neither reaches the other's half of the band */
            double u = sin(M_PI * ((double)(i % SAMPLES) + 0.5) / SAMPLES), taper = u * u * u * u;
            wanted[i] = (float)(taper * (double)wanted[i]);
            in[i] = wanted[i] + (float)(taper * (double)others[i]);
        }
        run(&rule, FOLD);
        if (error(wanted) > 1e-4) fail_msg("band %d: %g", band, error(wanted));
    }
}

static void small_gathers_mutes_and_zeros(void **state)
{
    (void)state;
    const FxRule rule = {48, 48, 8, 0.5, 0, 0.5};
    for (int64_t i = 0; i < N; i++) in[i] = (float)random_normal((RandomKey){{4, 4}}, 1, (uint64_t)i);
    FxCounts counts = run(&rule, 1); /* a single trace has no neighbours and passes as it is */
    for (int64_t s = 0; s < SAMPLES; s++) assert_true(fabsf(out[s] - in[s]) < 1e-6F);
    assert_true(counts.live == counts.windows && counts.windows > 1);
    for (int64_t fold = 2; fold < 9; fold++) {
        run(&rule, fold);
        for (int64_t i = 0; i < fold * SAMPLES; i++) assert_true(isfinite(out[i]));
    }
    memset(in, 0, sizeof in);
    counts = run(&rule, FOLD);
    assert_int_equal(counts.live, 0);
    for (int64_t i = 0; i < N; i++) assert_true(out[i] == 0);
}

typedef struct {
    int pokes, patience; /* so far; until it gives up */
} Impatience;

static bool count_poke(void *context)
{
    Impatience *impatience = context;
    return ++impatience->pokes > impatience->patience;
}

/* The same bits whatever came before: other folds, or a gather that was given up at any moment. */
static void one_filter_serves_many_gathers(void **state)
{
    (void)state;
    const FxRule rule = {32, 24, 8, 0.5, 0, 0.5};
    for (int64_t i = 0; i < N; i++) in[i] = (float)random_normal((RandomKey){{4, 5}}, 1, (uint64_t)i);
    run(&rule, FOLD);
    Fx fx = new_fx(&rule, FOLD);
    FxCounts counts = {0};
    bool whole;
    Impatience impatience = {0, INT_MAX};
    fx.poke = count_poke;
    fx.poke_context = &impatience;
    for (int64_t fold = 1; fold <= FOLD; fold += 13)
        assert_int_equal(fx_run(&fx, in, fold, again, &counts, &whole), STATUS_OK);
    impatience.pokes = 0;
    assert_int_equal(fx_run(&fx, in, FOLD, again, &counts, &whole), STATUS_OK);
    assert_true(whole);
    assert_memory_equal(out, again, sizeof out);
    int pokes = impatience.pokes;
    assert_true(pokes > 100);
    for (int patience = 0; patience < pokes; patience += 1 + pokes / 7) {
        impatience = (Impatience){0, patience};
        assert_int_equal(fx_run(&fx, in, FOLD, again, &counts, &whole), STATUS_OK);
        assert_false(whole);
        impatience.patience = INT_MAX;
        assert_int_equal(fx_run(&fx, in, FOLD, again, &counts, &whole), STATUS_OK);
        assert_true(whole);
        assert_memory_equal(out, again, sizeof out);
    }
    assert_true(fx_bytes(&rule, FOLD, SAMPLES) > N * sizeof(double));
    fx_free(&fx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waves_are_predicted_to_rounding),
        cmocka_unit_test(linear_events_are_predicted_to_rounding),
        cmocka_unit_test(noise_is_reduced),
        cmocka_unit_test(a_band_is_kept),
        cmocka_unit_test(small_gathers_mutes_and_zeros),
        cmocka_unit_test(one_filter_serves_many_gathers),
    };
    return cmocka_run_group_tests_name("fx", tests, NULL, NULL);
}
