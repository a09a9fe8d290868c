/* What a patch is divided by: the grid of powers of two, and the two kinds. */
#include "seisdcn/scale.h"

#include "seisdcn/random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static double uniform(uint64_t i) { return random_uniform(random_key(3, RANDOM_TEST, 0), i, 0); }

static void known_values(void **state)
{
    (void)state;
    PatchScale whole = scale_of(SCALE_MAX, 1), half = scale_of(SCALE_MAX, 2), off = scale_of(SCALE_MAX, 0);
    assert_true(scale_round(&whole, 1.0f) == 1.0f && scale_round(&whole, 1.0000001f) == 2.0f);
    assert_true(scale_round(&whole, 5.0f) == 8.0f && scale_round(&whole, 0.3f) == 0.5f);
    assert_true(scale_round(&half, 1.2f) == 1.41421356f && scale_round(&half, 1.42f) == 2.0f);
    assert_true(scale_round(&half, 1024.5f) == 1448.15469f);
    assert_true(scale_round(&off, 5.123f) == 5.123f);
    for (int64_t grid = 0; grid <= SCALE_GRID_MAX; grid++) {
        PatchScale scale = scale_of(SCALE_RMS, grid);
        assert_true(scale_round(&scale, 0.0f) == 0.0f);
        assert_true(scale_round(&scale, 3.4e38f) == 3.4e38f || scale_round(&scale, 3.4e38f) > 3.4e38f);
        assert_true(isfinite(scale_round(&scale, 3.4e38f)));
        assert_true(scale_round(&scale, 1e-40f) >= 1e-40f && scale_round(&scale, 1e-40f) <= 2.1e-40f);
    }
}

/* The result is on the grid, at least s, less than a step above it, and its own result. */
static void the_next_value_of_the_grid(void **state)
{
    (void)state;
    for (int64_t grid = 1; grid <= SCALE_GRID_MAX; grid++) {
        PatchScale scale = scale_of(SCALE_MAX, grid);
        double step = exp2(1 / (double)grid);
        for (uint64_t i = 0; i < 2000; i++) {
            float s = (float)exp2(200 * uniform(i) - 100), rounded = scale_round(&scale, s);
            double place = log2((double)rounded) * (double)grid;
            assert_true(rounded >= s && (double)rounded < (double)s * step * (1 + 1e-6));
            assert_true(fabs(place - round(place)) < 1e-4);
            assert_true(scale_round(&scale, rounded) == rounded);
        }
    }
}

static void the_two_kinds(void **state)
{
    (void)state;
    PatchScale largest = scale_of(SCALE_MAX, 0), mean = scale_of(SCALE_RMS, 0), both = scale_of(SCALE_RMS, 1);
    assert_true(scale_value(&largest, 3, 18, 4) == 3);
    assert_true(scale_value(&mean, 3, 16, 4) == 2);
    assert_true(scale_value(&both, 3, 17, 4) == 4);
    assert_true(scale_value(&mean, 0, 0, 4) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_values),
        cmocka_unit_test(the_next_value_of_the_grid),
        cmocka_unit_test(the_two_kinds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
