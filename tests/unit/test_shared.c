/* predict_shared() against predict_direct(), and level sets: on random small gathers of every kind that is hard (mutes,
 * dead traces, ties, constants, spikes, magnitudes over decades, smaller than a patch), for many networks. */
#include "plain.h"

#include "seisdcn/memory.h"
#include "seisdcn/predict.h"
#include "seisdcn/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

static uint64_t drawn;

static double uniform(void) { return random_uniform(random_key(11, RANDOM_TEST, 0), drawn++, 0); }

static int64_t below(int64_t n) { return (int64_t)(uniform() * (double)n); }

/* Every set's windows have its scale, lie in its box, touch its sides, and are in no other set; none is forgotten. */
static void level_sets_hold_each_window_once(void **state)
{
    (void)state;
    for (int round = 0; round < 200; round++) {
        int64_t rows = 1 + below(50), columns = 1 + below(90), stride = columns + below(5);
        int64_t kinds = 1 + below(6);
        float *scale = memory_new((size_t)(rows * stride), sizeof *scale, "test");
        float *left = memory_new((size_t)(rows * stride), sizeof *left, "test");
        int64_t block = 1 + below(40);
        for (int64_t i = 0; i < rows; i++)
            for (int64_t j = 0; j < columns; j++) /* patches of equal values, some of them 0 */
                scale[i * stride + j] = (float)((i / block * 7 + j / block * 3 + (uniform() < 0.05 ? 1 : 0)) % kinds);
        memcpy(left, scale, (size_t)(rows * stride) * sizeof *left);
        for (int64_t i = 0; i < rows; i++)
            for (int64_t j = 0; j < columns; j++) {
                if (left[i * stride + j] == 0) continue;
                LevelSet set;
                levelset_take(left, rows, columns, stride, i, j, &set);
                assert_int_equal(set.row, i);
                assert_in_range(set.rows, 1, LEVELSET_SIZE);
                assert_in_range(set.columns, 1, LEVELSET_SIZE);
                int64_t count = 0;
                uint32_t all = 0;
                for (int64_t r = 0; r < LEVELSET_SIZE; r++) {
                    all |= set.mask[r];
                    assert_true((set.mask[r] != 0) == (r < set.rows));
                    for (int64_t c = 0; c < LEVELSET_SIZE; c++)
                        if (set.mask[r] >> c & 1) {
                            count++;
                            int64_t at = (set.row + r) * stride + set.column + c;
                            assert_true(set.row + r < rows && set.column + c < columns && set.column >= 0);
                            assert_true(scale[at] == set.scale && left[at] == 0);
                            scale[at] = -scale[at]; /* seen */
                        }
                }
                assert_true((all & 1) != 0 && all >> (set.columns - 1) == 1);
                assert_int_equal(count, set.n);
            }
        for (int64_t i = 0; i < rows; i++)
            for (int64_t j = 0; j < columns; j++) assert_true(scale[i * stride + j] <= 0);
        memory_free(scale);
        memory_free(left);
    }
}

static float sample_of_kind(int kind, int64_t t, int64_t k, int64_t n_samples)
{
    double v = 2 * uniform() - 1;
    switch (kind) {
    case 0: /* noise */
        return (float)(1000 * v);
    case 1: /* a stretch mute and a dead trace */
        return t % 5 == 2 || k < 2 * t ? 0 : (float)v;
    case 2: /* clipped: ties of the maximum */
        return (float)fmax(-0.4, fmin(0.4, v));
    case 3: /* constant */
        return -3;
    case 4: /* spikes of one sample in silence */
        return uniform() < 0.01 ? (float)(1e6 * v) : 0;
    case 5: /* nothing */
        return 0;
    case 6: /* every sample another magnitude */
        return (float)(v * pow(10, 16 * uniform() - 8));
    case 7: /* flat events */
        return (float)(sin(0.7 * (double)k) * exp(-0.05 * (double)(k % 23)));
    case 8: /* whole numbers: many equal maxima */
        return (float)(int)(4 * v);
    case 9: /* below the threshold but for a piece */
        return (float)(v * (k > n_samples / 2 ? 1 : 1e-4));
    default: /* magnitudes at the ends of what floats hold */
        return (float)(v * (k % 40 < 20 ? 1e-36 : 1e30));
    }
}

enum { KINDS = 11, CASES = 1000 };

static void random_cases_agree(void **state)
{
    (void)state;
    double worst = 0;
    for (int i = 0; i < CASES; i++) {
        static const int64_t sizes[] = {5, 9, 12, 13, 16, 21, 32};
        int64_t size = sizes[below(i % 10 == 0 ? 7 : 6)], levels = 1 + below((size - 1) / 4 < 4 ? (size - 1) / 4 : 4);
        NetworkShape shape = {SHAPE(1 + below(2), 1 + below(3), levels, size, 0, MIXING_DEPTHWISE, SKIP_NONE)};
        if (levels <= 2 && below(4) == 0) shape.mixing = MIXING_FULL;
        if (below(10) == 0) shape.width = 1 + below(4);
        if (below(4) == 0) shape.n_out = 1;
        if (below(8) == 0) shape.scale = SCALE_RMS;
        if (below(3) == 0) shape.scale_grid = 1 + below(4);
        int64_t fold = 1 + below(30), n_samples = 1 + below(60);
        int kind = (int)below(KINDS), other = (int)below(KINDS);
        Network network;
        assert_int_equal(network_new(&shape, vector_of_level(1 + i % vector_level()), &network), STATUS_OK);
        network_initialise(&network, i);
        for (int64_t p = 0; p < network.n_parameters; p++) network.parameter[p] *= 1.5f;
        network_fold_running(&network);
        bool scales[2] = {true, below(2) == 0};
        Predictor predictor;
        double threshold = kind == 9 ? 0.001 : 0;
        bool keep = below(2) == 0;
        assert_int_equal(predict_new(&network, fold, n_samples, threshold, keep, scales, &predictor), STATUS_OK);
        assert_non_null(predictor.shared);
        int64_t n = fold * n_samples;
        float *in = memory_new((size_t)(2 * n), sizeof *in, "test"),
              *out = memory_new((size_t)(2 * n), sizeof *out, "test");
        for (int64_t k = 0; k < n; k++) in[k] = sample_of_kind(kind, k / n_samples, k % n_samples, n_samples);
        for (int64_t k = 0; k < n; k++)
            in[n + k] = scales[1] ? sample_of_kind(other, k / n_samples, k % n_samples, n_samples) : (float)uniform();
        PredictCounts direct = {0}, shared = {0};
        predict_direct(&predictor, in, fold, out, &direct);
        predict_shared(&predictor, in, fold, out + n, &shared);
        assert_int_equal(direct.live, shared.live);
        assert_int_equal(direct.faint, shared.faint);
        double largest = 0, difference = 0;
        for (int64_t k = 0; k < n; k++) {
            largest = fmax(largest, fabs((double)out[k]));
            difference = fmax(difference, fabs((double)out[k] - (double)out[n + k]));
            assert_true(isfinite(out[n + k]));
        }
        if (difference > 1e-5 * largest)
            fail_msg(
                "case %d: %lld x %lld samples of kind %d, patch %lld, levels %lld, k_mult %lld, channels %lld, %s: "
                "%.2g of the largest output",
                i, (long long)fold, (long long)n_samples, kind, (long long)size, (long long)levels,
                (long long)shape.k_mult, (long long)shape.channels, network.vector->name, difference / largest);
        if (largest > 0) worst = fmax(worst, difference / largest);
        memory_free(in);
        memory_free(out);
        predict_free(&predictor);
        network_free(&network);
    }
    print_message("# largest difference: %.2g of a gather's largest output\n", worst);
}

static void networks_without_a_middle_go_window_by_window(void **state)
{
    (void)state;
    const NetworkShape shapes[] = {{SHAPE(1, 2, 4, 16, 0, MIXING_DEPTHWISE, SKIP_NONE)},
                                   {SHAPE(1, 2, 2, 12, 0, MIXING_FULL, SKIP_ADD)}};
    for (int i = 0; i < 2; i++) {
        Network network;
        bool scales[1] = {true};
        Predictor predictor;
        enum { FOLD = 7, SAMPLES = 20 };
        float in[FOLD * SAMPLES], direct[FOLD * SAMPLES], shared[FOLD * SAMPLES];
        for (int k = 0; k < FOLD * SAMPLES; k++) in[k] = (float)uniform();
        assert_int_equal(network_new(&shapes[i], vector_of_level(vector_level()), &network), STATUS_OK);
        network_initialise(&network, 1);
        network_fold_running(&network);
        assert_int_equal(predict_new(&network, FOLD, SAMPLES, 0, false, scales, &predictor), STATUS_OK);
        assert_null(predictor.shared);
        PredictCounts counts = {0};
        predict_direct(&predictor, in, FOLD, direct, &counts);
        predict_shared(&predictor, in, FOLD, shared, &counts);
        assert_memory_equal(direct, shared, sizeof direct);
        predict_free(&predictor);
        network_free(&network);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(level_sets_hold_each_window_once),
        cmocka_unit_test(random_cases_agree),
        cmocka_unit_test(networks_without_a_middle_go_window_by_window),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
