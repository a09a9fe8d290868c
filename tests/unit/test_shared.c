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

enum { KINDS = 11, CASES = 1000, CHANNELS_MAX = 3 };

/* A network out of the whole family, small enough to be quick; one in eight has no middle. */
static NetworkShape random_shape(int i)
{
    static const int64_t sizes[] = {5, 9, 12, 13, 16, 21, 27, 32};
    int64_t size = sizes[below(i % 10 == 0 ? 8 : 6)], most = (size - 1) / (below(8) == 0 ? 2 : 4);
    int64_t levels = 1 + below(most < 6 ? most : 6), channels = 1 + below(CHANNELS_MAX), k_mult = 1 + below(4), deepest;
    do {
        deepest = channels;
        for (int64_t l = 0; l < levels; l++) deepest *= k_mult;
    } while (deepest > 20 && k_mult-- > 1);
    NetworkShape shape = {SHAPE(channels, k_mult, levels, size, 0, MIXING_DEPTHWISE, SKIP_NONE)};
    if (below(3) == 0 && deepest <= 12) shape.mixing = MIXING_FULL;
    if (below(4) == 0) shape.width = 1 + below(i % 16 == 0 ? 9 : 5);
    if (below(3) == 0) shape.skip = SKIP_ADD;
    if (below(3) == 0) shape.output = OUTPUT_LINEAR;
    if (below(2) == 0) shape.n_out = 1 + below(channels);
    if (below(6) == 0) shape.scale = SCALE_RMS;
    if (below(3) == 0) shape.scale_grid = 1 + below(4);
    return shape;
}

typedef struct {
    NetworkShape shape;
    int64_t fold, n_samples;
    int kind, other; /* of channel 0, of the others */
    bool scales[CHANNELS_MAX], keep, share_all;
} Case;

static void fill_case(const Case *c, float *in)
{
    int64_t n = c->fold * c->n_samples;
    for (int64_t k = 0; k < c->shape.channels * n; k++) {
        int64_t channel = k / n, t = k % n / c->n_samples, sample = k % c->n_samples;
        in[k] = c->scales[channel] ? sample_of_kind(channel == 0 ? c->kind : c->other, t, sample, c->n_samples)
                                   : (float)uniform();
    }
}

/* All instruction sets of this machine in turn, the portable one, which is slow, every fourth time. */
static int level_of(int i) { return vector_level() == 1 || i % 4 == 0 ? 1 : 2 + i % (vector_level() - 1); }

/* Both predictions of a case; their largest difference, over the largest output. */
static double compare_case(int i, const Case *c)
{
    Network network;
    Predictor predictor;
    PredictCounts direct = {0}, shared = {0};
    double largest = 0, difference = 0;
    int64_t n = c->fold * c->n_samples;
    assert_int_equal(network_new(&c->shape, vector_of_level(level_of(i)), &network), STATUS_OK);
    network_initialise(&network, i);
    for (int64_t p = 0; p < network.n_parameters; p++) network.parameter[p] *= 1.5f;
    network_fold_running(&network);
    assert_int_equal(
        predict_new(&network, c->fold, c->n_samples, c->kind == 9 ? 0.001 : 0, c->keep, c->scales, &predictor),
        STATUS_OK);
    bool serves = c->shape.patch_size > 4 * c->shape.levels;
    assert_int_equal(predictor.shared != NULL, serves);
    predictor.share_all = c->share_all;
    float *in = memory_new((size_t)(c->shape.channels * n), sizeof *in, "test");
    float *out = memory_new((size_t)(2 * n), sizeof *out, "test");
    fill_case(c, in);
    predict_direct(&predictor, in, c->fold, out, &direct);
    predict_shared(&predictor, in, c->fold, out + n, &shared);
    assert_int_equal(direct.live, shared.live);
    assert_int_equal(direct.faint, shared.faint);
    for (int64_t k = 0; k < n; k++) {
        largest = fmax(largest, fabs((double)out[k]));
        difference = fmax(difference, fabs((double)out[k] - (double)out[n + k]));
        assert_true(isfinite(out[n + k]));
    }
    if (!serves) assert_true(difference == 0);
    memory_free(in);
    memory_free(out);
    predict_free(&predictor);
    network_free(&network);
    return largest > 0 ? difference / largest : 0;
}

static void random_cases_agree(void **state)
{
    (void)state;
    double worst = 0;
    for (int i = 0; i < CASES; i++) {
        Case c = {.shape = random_shape(i), .fold = 1 + below(20), .n_samples = 1 + below(40)};
        if (c.shape.patch_size > 21) {
            c.fold = 1 + c.fold / 6;
            c.n_samples = 1 + c.n_samples / 2;
        }
        c.kind = (int)below(KINDS);
        c.other = (int)below(KINDS);
        for (int k = 0; k < CHANNELS_MAX; k++) c.scales[k] = k == 0 || below(2) == 0;
        c.keep = below(2) == 0;
        c.share_all = below(3) > 0;
        double difference = compare_case(i, &c);
        if (!(difference <= 1e-5)) {
            const NetworkShape *s = &c.shape;
            fail_msg("case %d (instruction set %d): %lld x %lld samples of kind %d, patch %lld, levels %lld, k_mult "
                     "%lld, channels "
                     "%lld to %lld, width %lld, mixing %d, skip %d, output %d, scale %d with grid %lld: %.2g of the "
                     "largest output",
                     i, level_of(i), (long long)c.fold, (long long)c.n_samples, c.kind, (long long)s->patch_size,
                     (long long)s->levels, (long long)s->k_mult, (long long)s->channels, (long long)s->n_out,
                     (long long)s->width, s->mixing, s->skip, s->output, s->scale, (long long)s->scale_grid,
                     difference);
        }
        worst = fmax(worst, difference);
    }
    print_message("# largest difference: %.2g of a gather's largest output\n", worst);
}

/* What apply really meets: dense nets of the sizes that are trained, on a gather with large sets. */
static void trained_sizes_agree(void **state)
{
    (void)state;
    const NetworkShape shapes[] = {
        {SHAPE(1, 2, 4, 32, 0, MIXING_DEPTHWISE, SKIP_NONE)},
        {SHAPE(1, 2, 2, 24, 0, MIXING_FULL, SKIP_ADD), .width = 8, .output = OUTPUT_LINEAR},
        {SHAPE(2, 2, 4, 24, 0, MIXING_FULL, SKIP_ADD), .width = 32, .n_out = 1},
        {SHAPE(3, 2, 6, 32, 0, MIXING_DEPTHWISE, SKIP_ADD), .scale = SCALE_RMS, .scale_grid = 4},
    };
    enum { SHAPES = sizeof shapes / sizeof *shapes };
    for (int i = 0; i < SHAPES * 4; i++) {
        Case c = {.shape = shapes[i / 4], .fold = 6, .n_samples = 40, .kind = 0, .scales = {true}};
        double difference = compare_case(i % 4, &c);
        if (!(difference <= 1e-5)) fail_msg("network %d: %.2g of the largest output", i, difference);
    }
}

static void networks_without_a_middle_go_window_by_window(void **state)
{
    (void)state;
    const NetworkShape shapes[] = {{SHAPE(1, 2, 4, 16, 0, MIXING_DEPTHWISE, SKIP_NONE)},
                                   {SHAPE(1, 2, 4, 12, 0, MIXING_FULL, SKIP_ADD)}};
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
        cmocka_unit_test(trained_sizes_agree),
        cmocka_unit_test(networks_without_a_middle_go_window_by_window),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
