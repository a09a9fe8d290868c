/* Adam against its plain formulas in double. */
#include "seisdcn/adam.h"
#include "seisdcn/random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { N = 50, STEPS = 30 };

static double uniform(uint64_t a, uint64_t b) { return 2 * random_uniform(random_key(9, RANDOM_TEST, 0), a, b) - 1; }

static void steps_follow_the_formulas(void **state)
{
    (void)state;
    float parameter[N], mean[N] = {0}, square[N] = {0}, gradient[N];
    double p[N], m[N] = {0}, v[N] = {0}, rate = 0.01;
    for (int i = 0; i < N; i++) p[i] = (double)(parameter[i] = (float)uniform((uint64_t)i, 0));
    for (int t = 1; t <= STEPS; t++) {
        for (int i = 0; i < N; i++) { /* gradients of all sizes, down to below epsilon */
            gradient[i] = (float)(uniform((uint64_t)i, (uint64_t)t) * pow(10, -i % 12));
            double g = (double)gradient[i];
            m[i] = 0.9 * m[i] + 0.1 * g;
            v[i] = 0.999 * v[i] + 0.001 * g * g;
            double m_hat = m[i] / (1 - pow(0.9, t)), v_hat = v[i] / (1 - pow(0.999, t));
            p[i] -= rate * m_hat / (sqrt(v_hat) + 1e-8);
        }
        adam_step(N, t, rate, gradient, parameter, mean, square);
        for (int i = 0; i < N; i++) {
            double scale = pow(10, -i % 12);
            assert_true(fabs((double)mean[i] - m[i]) <= 3e-7 * scale);
            assert_true(fabs((double)square[i] - v[i]) <= 1e-6 * v[i] + 1e-40);
            assert_true(fabs((double)parameter[i] - p[i]) <= 1e-7 * t); /* a rounding a step */
        }
    }
}

static void the_first_step_has_the_rates_size(void **state)
{
    (void)state;
    float parameter[3] = {1, 1, 1}, mean[3] = {0}, square[3] = {0};
    const float gradient[3] = {5, -0.001f, 1e-8f};
    adam_step(3, 1, 0.125, gradient, parameter, mean, square);
    assert_true(fabs((double)parameter[0] - 0.875) < 1e-6);
    assert_true(fabs((double)parameter[1] - 1.125) < 1e-5);
    assert_true(fabs((double)parameter[2] - (1 - 0.125 / 2)) < 1e-6); /* a gradient of epsilon: half the step */
}

static void no_gradient_moves_nothing(void **state)
{
    (void)state;
    float parameter[2] = {0.5f, -3}, mean[2] = {0}, square[2] = {0};
    const float gradient[2] = {0};
    for (int t = 1; t < 5; t++) adam_step(2, t, 0.1, gradient, parameter, mean, square);
    assert_true(parameter[0] == 0.5f && parameter[1] == -3);
    assert_true(mean[0] == 0 && square[0] == 0);
}

static void a_gradient_that_is_nan_shows(void **state)
{
    (void)state;
    float parameter[1] = {0.5f}, mean[1] = {0}, square[1] = {0};
    const float gradient[1] = {NAN};
    adam_step(1, 1, 0.1, gradient, parameter, mean, square);
    assert_true(isnan(parameter[0]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_follow_the_formulas),
        cmocka_unit_test(the_first_step_has_the_rates_size),
        cmocka_unit_test(no_gradient_moves_nothing),
        cmocka_unit_test(a_gradient_that_is_nan_shows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
