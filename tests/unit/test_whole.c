/* predict_whole() against its plain definition: window scales, their mean over a sample's windows, and the network at
 * the middle of a patch that is as large as what a sample sees. */
#include "plain_whole.h"

#include "seisdcn/predict.h"
#include "seisdcn/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum { FOLD = 41, SAMPLES = 75, CHANNELS = 2, ALL = FOLD * SAMPLES };

static const bool all_shared[CHANNELS] = {true, true}, first_shared[CHANNELS] = {true, false};
static const double THRESHOLD = 0.01;

static double uniform(uint64_t a, uint64_t b) { return 2 * random_uniform(random_key(31, RANDOM_TEST, 0), a, b) - 1; }

/* Amplitudes that decay, a mute, a dead trace, faint ends, one spike. */
static void fill(int64_t fold, int64_t n_samples, float *in)
{
    for (int64_t i = 0; i < CHANNELS * fold * n_samples; i++) {
        int64_t t = i / n_samples % fold, k = i % n_samples;
        double size = k > 3 * n_samples / 4 ? 1e-4 : 10 * exp(-5 * (double)k / (double)n_samples);
        bool mute = k < t / 2 || (fold > 2 && t == fold / 3);
        in[i] = mute ? 0 : (float)(uniform((uint64_t)t, (uint64_t)i) * size);
    }
    if (fold > 1 && n_samples > 4) in[n_samples + n_samples / 2] = -300;
}

static const NetworkShape shapes[] = {
    {SHAPE(1, 2, 2, 9, 0, MIXING_DEPTHWISE, SKIP_NONE)},
    {SHAPE(2, 2, 1, 6, 0, MIXING_DEPTHWISE, SKIP_ADD), .n_out = 1},
    {SHAPE(2, 2, 2, 11, 0, MIXING_FULL, SKIP_ADD), .scale = SCALE_RMS, .width = 4, .output = OUTPUT_LINEAR},
    {SHAPE(1, 3, 2, 10, 0, MIXING_DEPTHWISE, SKIP_NONE), .scale = SCALE_RMS, .scale_grid = 1},
};
enum { N_SHAPES = sizeof shapes / sizeof *shapes };

static void a_network(const NetworkShape *shape, int level, Network *network)
{
    assert_int_equal(network_new(shape, vector_of_level(level), network), STATUS_OK);
    network_initialise(network, 5);
    for (int64_t c = 0; c < shape->channels; c++) {
        network->running_mean[c] = 0.1 + 0.05 * (double)c;
        network->running_var[c] = 0.3 + 0.2 * (double)c;
        network->parameter[c] = 1.3f;
        network->parameter[shape->channels + c] = -0.2f;
    }
    network_fold_running(network);
}

static void whole_agrees_with_its_plain_definition(void **state)
{
    (void)state;
    static const int64_t sizes[][2] = {{FOLD, SAMPLES}, {FOLD, 1}, {1, SAMPLES}, {1, 1}, {3, 4}, {7, 40}};
    static float in[CHANNELS * ALL], out[ALL];
    static double wanted[ALL], sizes_added[ALL];
    for (int n = 0; n < N_SHAPES; n++)
        for (int g = 0; g < (int)(sizeof sizes / sizeof *sizes); g++) {
            int64_t fold = sizes[g][0], n_samples = sizes[g][1];
            const bool *shared = n % 2 == 1 ? first_shared : all_shared;
            fill(fold, n_samples, in);
            for (int level = 1; level <= vector_level(); level++) {
                Network network;
                Predictor predictor;
                PredictCounts counts = {0};
                a_network(&shapes[n], level, &network);
                if (level == 1) plain_whole(&network, shared, in, fold, n_samples, THRESHOLD, wanted, sizes_added);
                assert_int_equal(predict_new(&network, FOLD, n_samples, THRESHOLD, false, shared, &predictor),
                                 STATUS_OK);
                assert_true(predict_whole(&predictor, in, fold, out, &counts));
                int64_t edge = shapes[n].patch_size - 1;
                assert_int_equal(counts.windows, (fold + edge) * (n_samples + edge));
                for (int64_t i = 0; i < fold * n_samples; i++)
                    if (!(fabs((double)out[i] - wanted[i]) <= 1e-5 * sizes_added[i]))
                        fail_msg("%s, shape %d, gather %d, sample %lld: %g instead of %g", network.vector->name, n, g,
                                 (long long)i, (double)out[i], wanted[i]);
                predict_free(&predictor);
                network_free(&network);
            }
        }
}

static bool poke(void *left) { return --*(int *)left < 0; }

/* Between boxes; the next gather is predicted as if nothing had been. */
static void a_gather_can_be_given_up(void **state)
{
    (void)state;
    static float in[CHANNELS * ALL], out[ALL], again[ALL];
    Network network;
    Predictor predictor;
    PredictCounts counts = {0};
    a_network(&shapes[0], vector_level(), &network);
    fill(FOLD, SAMPLES, in);
    assert_int_equal(predict_new(&network, FOLD, SAMPLES, THRESHOLD, false, all_shared, &predictor), STATUS_OK);
    assert_true(predict_whole(&predictor, in, FOLD, out, &counts));
    int left;
    predictor.poke = poke;
    predictor.poke_context = &left;
    for (int patience = 0; patience < 6; patience++) { /* 2 x 3 boxes of 32 */
        left = patience;
        assert_false(predict_whole(&predictor, in, FOLD, again, &counts));
        assert_int_equal(left, -1);
    }
    left = 6;
    assert_true(predict_whole(&predictor, in, FOLD, again, &counts));
    assert_memory_equal(out, again, sizeof out);
    predict_free(&predictor);
    network_free(&network);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_agrees_with_its_plain_definition),
        cmocka_unit_test(a_gather_can_be_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
