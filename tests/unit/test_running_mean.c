/* Tests of kernel/running_mean and kernel/mute against their definitions, sample by sample. */
#include "seisdcn/mute.h"
#include "seisdcn/random.h"
#include "seisdcn/running_mean.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { GATHERS = 3, MOST = 12 * 9 };

/* Values over decades, a third of them muted. */
static void fill(int64_t n, uint64_t seed, float *x)
{
    static const RandomKey key = {{5, 6}};
    for (int64_t i = 0; i < n; i++) {
        double value = random_normal(key, seed, (uint64_t)i);
        x[i] = random_uniform(key, seed + 100, (uint64_t)i) < 0.3 ? 0 : (float)(value * pow(10, (double)(i % 13) - 6));
    }
}

static void means_are_those_of_live_samples(void **state)
{
    (void)state;
    for (int64_t fold = 1; fold <= 12; fold++)
        for (int64_t radius = 0; radius <= 13; radius += 1 + radius)
            for (int64_t n_samples = 1; n_samples <= 9; n_samples += 4) {
                const int64_t folds[GATHERS] = {fold, fold > 3 ? fold - 3 : fold + 5, fold};
                static float gather[GATHERS][(12 + 5) * 9], out[9];
                double sum[MOST] = {0}, work[9];
                int32_t live[MOST] = {0};
                int64_t counts[9];
                for (int g = 0; g < GATHERS; g++) {
                    fill(folds[g] * n_samples, (uint64_t)(100 * fold + g), gather[g]);
                    running_mean_add(fold, n_samples, gather[g], folds[g], sum, live);
                }
                for (int64_t t = 0; t < fold; t++) {
                    memset(work, 0xff, sizeof work);
                    running_mean_trace(fold, n_samples, sum, live, radius, t, out, work, counts);
                    for (int64_t s = 0; s < n_samples; s++) {
                        double total = 0, size = 0, n = 0;
                        for (int g = 0; g < GATHERS; g++)
                            for (int64_t k = 0; k < fold && k < folds[g]; k++) {
                                double value = (double)gather[g][k * n_samples + s];
                                if (k < t - radius || k > t + radius || value == 0) continue;
                                total += value;
                                size += fabs(value);
                                n++;
                            }
                        double wanted = n > 0 ? total / n : 0;
                        assert_true(fabs((double)out[s] - wanted) <= 1e-7 * fabs(wanted) + 1e-15 * size);
                        assert_int_equal(counts[s], (int64_t)n);
                    }
                }
            }
}

static void a_radius_beyond_the_gather(void **state)
{
    (void)state;
    const float gather[4] = {1, 2, 0, 9};
    double sum[4] = {0}, work[1];
    int32_t live[4] = {0};
    int64_t counts[1];
    float out;
    running_mean_add(4, 1, gather, 4, sum, live);
    for (int64_t t = 0; t < 4; t++) {
        running_mean_trace(4, 1, sum, live, INT64_MAX / 2, t, &out, work, counts);
        assert_true(out == 4);
    }
}

static void mutes_are_measured_and_kept(void **state)
{
    (void)state;
    const float input[5] = {1, 0, -2, 0, 3}, predicted[5] = {2, 4, 0, -1, 1};
    for (int keep = 0; keep < 2; keep++) {
        float out[5];
        memcpy(out, predicted, sizeof out);
        MuteEnergy energy = {.input = 100, .predicted = 200, .leaked = 300}; /* they add up */
        mute_settle(5, input, keep, out, &energy);
        assert_true(energy.input == 114 && energy.predicted == 222 && energy.leaked == 317);
        for (int i = 0; i < 5; i++) assert_true(out[i] == (keep && input[i] == 0 ? 0 : predicted[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(means_are_those_of_live_samples),
        cmocka_unit_test(a_radius_beyond_the_gather),
        cmocka_unit_test(mutes_are_measured_and_kept),
    };
    return cmocka_run_group_tests_name("running_mean", tests, NULL, NULL);
}
