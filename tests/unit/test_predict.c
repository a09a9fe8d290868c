/* Prediction of gathers: with networks whose answer is known, and against the plain definition. */
#include "plain.h"

#include "seisdcn/memory.h"
#include "seisdcn/predict.h"
#include "seisdcn/random.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static const bool all_shared[2] = {true, true}, first_shared[2] = {true, false};

static double uniform(uint64_t a, uint64_t b) { return 2 * random_uniform(random_key(21, RANDOM_TEST, 0), a, b) - 1; }

/* A gather with a mute that opens with the trace, a dead trace, a stretch of faint samples and one spike. */
static void fill_gather(int64_t fold, int64_t n_samples, float *gather)
{
    for (int64_t t = 0; t < fold; t++)
        for (int64_t k = 0; k < n_samples; k++) {
            float *at = &gather[t * n_samples + k];
            *at = (float)(uniform((uint64_t)t, (uint64_t)k) * (k > 2 * n_samples / 3 ? 1e-4 : 10));
            if (k < t * n_samples / (2 * fold) || (fold > 2 && t == fold / 2)) *at = 0;
        }
    if (fold > 1 && n_samples > 4) gather[n_samples + n_samples / 2] = -300;
}

/* ---- networks with a known answer: their convolutions are replaced ---- */

static const Predictor *current; /* whose windows are being predicted */

static void no_contract(const ConvShape *shape, const float *weight, const float *big, float *small,
                        const ConvFinish *finish)
{
    (void)shape, (void)weight, (void)big, (void)small, (void)finish;
}

static bool is_last(const ConvShape *shape) { return shape->rows + 2 == current->network->shape.patch_size; }

static void input_expand(const ConvShape *shape, const float *weight, const float *small, float *big,
                         const ConvFinish *finish)
{
    (void)weight, (void)small, (void)finish;
    int64_t size = current->network->shape.patch_size;
    if (is_last(shape))
        memcpy(big, current->group.x, (size_t)(size * size * current->network->vector->lanes) * sizeof *big);
}

static void ones_expand(const ConvShape *shape, const float *weight, const float *small, float *big,
                        const ConvFinish *finish)
{
    (void)weight, (void)small, (void)finish;
    int64_t size = current->network->shape.patch_size;
    if (is_last(shape))
        for (int64_t i = 0; i < size * size * current->network->vector->lanes; i++) big[i] = 1;
}

typedef struct {
    Vector vector;
    Network network;
    Predictor predictor;
} Known;

static void known_new(int level, ConvExpand *expand, int64_t size, int64_t max_fold, int64_t n_samples,
                      double threshold, bool keep_mutes, Known *known)
{
    known->vector = *vector_of_level(level);
    known->vector.contract = no_contract;
    known->vector.expand = expand;
    NetworkShape shape = {SHAPE(1, 2, 1, size, 0, MIXING_DEPTHWISE, SKIP_NONE)};
    assert_int_equal(network_new(&shape, &known->vector, &known->network), STATUS_OK);
    network_initialise(&known->network, 1);
    network_fold_running(&known->network);
    assert_int_equal(
        predict_new(&known->network, max_fold, n_samples, threshold, keep_mutes, all_shared, &known->predictor),
        STATUS_OK);
    current = &known->predictor;
}

static void known_free(Known *known)
{
    predict_free(&known->predictor);
    network_free(&known->network);
}

static const int64_t gather_sizes[][2] = {{1, 1}, {1, 30}, {9, 1}, {2, 3}, {3, 40}, {12, 7}, {7, 7}, {20, 33}};
enum { N_GATHERS = sizeof gather_sizes / sizeof *gather_sizes, MOST = 20 * 40 };

static void a_network_that_returns_its_input_gives_gathers_back(void **state)
{
    (void)state;
    for (int level = 1; level <= vector_level(); level++)
        for (int g = 0; g < N_GATHERS; g++)
            for (int64_t size = 3; size <= 11; size += 4) {
                int64_t fold = gather_sizes[g][0], n_samples = gather_sizes[g][1];
                float in[MOST], out[MOST];
                Known known;
                fill_gather(fold, n_samples, in);
                known_new(level, input_expand, size, fold, n_samples, 0.001, false, &known);
                PredictCounts counts = {0};
                predict_direct(&known.predictor, in, fold, out, &counts);
                for (int64_t i = 0; i < fold * n_samples; i++) /* also at the edges; two roundings a window */
                    if (!(fabs((double)out[i] - (double)in[i]) <= 2e-7 * fabs((double)in[i])))
                        fail_msg("%s, size %lld, %lld x %lld, sample %lld: %g is %g", known.vector.name,
                                 (long long)size, (long long)fold, (long long)n_samples, (long long)i, (double)in[i],
                                 (double)out[i]);
                known_free(&known);
            }
}

/* The largest magnitude of the window that starts at (i, j) of the padded gather. */
static float window_scale(const float *in, int64_t fold, int64_t n_samples, int64_t size, int64_t i, int64_t j)
{
    float s = 0;
    for (int64_t t = i - size + 1; t <= i; t++)
        for (int64_t k = j - size + 1; k <= j; k++)
            if (t >= 0 && t < fold && k >= 0 && k < n_samples) s = fmaxf(s, fabsf(in[t * n_samples + k]));
    return s;
}

static void windows_are_counted(void **state)
{
    (void)state;
    enum { SIZE = 5 };
    PredictCounts counts = {0}, wanted = {0};
    for (int g = 0; g < N_GATHERS; g++) { /* the counts add up over gathers */
        int64_t fold = gather_sizes[g][0], n_samples = gather_sizes[g][1];
        float in[MOST], out[MOST];
        Known known;
        fill_gather(fold, n_samples, in);
        known_new(vector_level(), input_expand, SIZE, fold, n_samples, 0.01, false, &known);
        predict_direct(&known.predictor, in, fold, out, &counts);
        for (int64_t i = 0; i < fold + SIZE - 1; i++)
            for (int64_t j = 0; j < n_samples + SIZE - 1; j++) {
                float s = window_scale(in, fold, n_samples, SIZE, i, j);
                wanted.windows++;
                wanted.live += s >= 0.01f;
                wanted.faint += s > 0 && s < 0.01f;
            }
        for (int64_t i = 0; i < fold * n_samples; i++) wanted.energy += (double)in[i] * (double)in[i];
        wanted.samples += fold * n_samples;
        known_free(&known);
    }
    assert_true(wanted.live > 0 && wanted.faint > 0 && wanted.live + wanted.faint < wanted.windows);
    assert_int_equal(counts.windows, wanted.windows);
    assert_int_equal(counts.live, wanted.live);
    assert_int_equal(counts.faint, wanted.faint);
    assert_int_equal(counts.samples, wanted.samples);
    assert_true(fabs(counts.energy - wanted.energy) <= 1e-12 * wanted.energy);
}

static void muted_windows_pass_as_they_are(void **state)
{
    (void)state;
    for (int level = 1; level <= vector_level(); level++)
        for (int g = 0; g < N_GATHERS; g++) {
            int64_t fold = gather_sizes[g][0], n_samples = gather_sizes[g][1];
            float in[MOST], out[MOST];
            Known known;
            fill_gather(fold, n_samples, in);
            known_new(level, ones_expand, 7, fold, n_samples, 1e9, false, &known);
            PredictCounts counts = {0};
            predict_direct(&known.predictor, in, fold, out, &counts);
            assert_memory_equal(in, out, (size_t)(fold * n_samples) * sizeof *in);
            assert_int_equal(counts.live, 0);
            known_free(&known);
        }
}

/* A network that answers 1 everywhere: each sample becomes the mean scale of the windows over it. */
static void scales_and_mutes_mix(void **state)
{
    (void)state;
    enum { SIZE = 5, FOLD = 12, SAMPLES = 33 };
    for (int level = 1; level <= vector_level(); level++)
        for (int keep = 0; keep < 2; keep++) {
            float in[FOLD * SAMPLES], out[FOLD * SAMPLES];
            Known known;
            fill_gather(FOLD, SAMPLES, in);
            known_new(level, ones_expand, SIZE, FOLD, SAMPLES, 0.01, keep, &known);
            PredictCounts counts = {0};
            predict_direct(&known.predictor, in, FOLD, out, &counts);
            int zeros = 0;
            double energy = 0, leaked = 0; /* of the prediction, whether mutes are kept or not */
            for (int64_t t = 0; t < FOLD; t++)
                for (int64_t k = 0; k < SAMPLES; k++) {
                    double wanted = 0, value = (double)in[t * SAMPLES + k];
                    for (int64_t i = t; i < t + SIZE; i++)
                        for (int64_t j = k; j < k + SIZE; j++) {
                            float s = window_scale(in, FOLD, SAMPLES, SIZE, i, j);
                            wanted += (s < 0.01f ? value : (double)s) / (SIZE * SIZE);
                        }
                    energy += wanted * wanted;
                    leaked += value == 0 ? wanted * wanted : 0;
                    if (keep && value == 0) wanted = 0;
                    zeros += value == 0;
                    assert_true(fabs((double)out[t * SAMPLES + k] - wanted) <= 1e-6 * fabs(wanted));
                }
            assert_true(zeros > 10 && leaked > 0 && leaked < energy);
            assert_true(fabs(counts.predicted - energy) <= 1e-5 * energy);
            assert_true(fabs(counts.leaked - leaked) <= 1e-5 * leaked);
            known_free(&known);
        }
}

typedef struct {
    int pokes, patience; /* so far; until it gives up */
} Impatience;

static bool count_poke(void *context)
{
    Impatience *impatience = context;
    return ++impatience->pokes > impatience->patience;
}

static void a_predictor_serves_many_gathers(void **state)
{
    (void)state;
    enum { SIZE = 9, FOLD = 20, SAMPLES = 33 };
    NetworkShape shape = {SHAPE(1, 2, 2, SIZE, 0, MIXING_DEPTHWISE, SKIP_NONE)};
    Network network;
    assert_int_equal(network_new(&shape, vector_of_level(vector_level()), &network), STATUS_OK);
    network_initialise(&network, 2);
    network_fold_running(&network);
    float in[MOST], out[MOST], again[MOST];
    Predictor used, fresh;
    PredictCounts counts = {0};
    assert_int_equal(predict_new(&network, FOLD, SAMPLES, 0.001, false, all_shared, &used), STATUS_OK);
    for (int64_t fold = FOLD; fold > 0; fold -= 7) {
        fill_gather(fold, SAMPLES, in);
        predict_direct(&used, in, fold, out, &counts);
        assert_int_equal(predict_new(&network, fold, SAMPLES, 0.001, false, all_shared, &fresh), STATUS_OK);
        predict_direct(&fresh, in, fold, again, &counts);
        assert_memory_equal(out, again, (size_t)(fold * SAMPLES) * sizeof *out);
        predict_free(&fresh);
    }
    assert_true(predict_bytes(&network, FOLD, SAMPLES) >
                (FOLD + 2 * (SIZE - 1)) * (SAMPLES + 2 * (SIZE - 1)) * (2 * sizeof(float) + sizeof(double)));
    predict_free(&used);
    network_free(&network);
}

/* Wherever it is given up, the next gather is predicted as if nothing had been. */
static void a_gather_can_be_given_up(void **state)
{
    (void)state;
    enum { SIZE = 13, FOLD = 20, SAMPLES = 33 };
    bool (*const ways[])(Predictor *, const float *, int64_t, float *, PredictCounts *) = {predict_direct,
                                                                                           predict_shared};
    NetworkShape shape = {SHAPE(1, 2, 2, SIZE, 0, MIXING_DEPTHWISE, SKIP_NONE)};
    Network network;
    assert_int_equal(network_new(&shape, vector_of_level(vector_level()), &network), STATUS_OK);
    network_initialise(&network, 2);
    network_fold_running(&network);
    float in[MOST], out[MOST], again[MOST];
    fill_gather(FOLD, SAMPLES, in);
    for (int way = 0; way < 2; way++) {
        Predictor predictor;
        PredictCounts counts = {0};
        Impatience impatience = {0, INT_MAX};
        assert_int_equal(predict_new(&network, FOLD, SAMPLES, 0.001, false, all_shared, &predictor), STATUS_OK);
        predictor.poke = count_poke;
        predictor.poke_context = &impatience;
        assert_true(ways[way](&predictor, in, FOLD, out, &counts));
        int pokes = impatience.pokes;
        assert_true(pokes >= 10);
        for (int patience = 0; patience < pokes; patience += 1 + pokes / 9) {
            impatience = (Impatience){0, patience};
            assert_false(ways[way](&predictor, in, FOLD, again, &counts));
            assert_int_equal(impatience.pokes, patience + 1);
            impatience.patience = INT_MAX;
            assert_true(ways[way](&predictor, in, FOLD, again, &counts));
            assert_memory_equal(out, again, FOLD * SAMPLES * sizeof *out);
        }
        predict_free(&predictor);
    }
    network_free(&network);
}

/* ---- the plain definition ---- */

/* What a window whose largest magnitude is s is divided by. */
static double plain_scale(const Network *network, const bool *shared, const double *window, double s)
{
    const NetworkShape *shape = &network->shape;
    int64_t plane = shape->patch_size * shape->patch_size, n = 0;
    double square = 0, grid = (double)shape->scale_grid;
    for (int64_t c = 0; c < shape->channels; c++)
        for (int64_t i = c * plane; i < (c + 1) * plane && shared[c]; i++, n++) square += window[i] * window[i];
    if (shape->scale == SCALE_RMS) s = sqrt(square / (double)n);
    return grid > 0 && s > 0 ? exp2(ceil(grid * log2((double)(float)s)) / grid) : s;
}

static void plain_predict(const Network *network, const bool *shared, const float *in, int64_t fold, int64_t n_samples,
                          double threshold, double *out)
{
    int64_t size = network->shape.patch_size, channels = network->shape.channels, plane = size * size;
    double *parameter = plain_array(network->n_parameters), *x = plain_array(channels * plane);
    double *window = plain_array(channels * plane), *z = plain_array(channels * plane);
    for (int64_t i = 0; i < network->n_parameters; i++) parameter[i] = (double)network->parameter[i];
    PlainPass pass = {.network = network,
                      .parameter = parameter,
                      .n = 1,
                      .x = x,
                      .fixed_mean = network->running_mean,
                      .fixed_var = network->running_var,
                      .output = z};
    memset(out, 0, (size_t)(fold * n_samples) * sizeof *out);
    for (int64_t i = 0; i < fold + size - 1; i++)
        for (int64_t j = 0; j < n_samples + size - 1; j++) {
            double s = 0;
            for (int64_t at = 0; at < channels * plane; at++) {
                int64_t c = at / plane, t = i - size + 1 + at % plane / size, k = j - size + 1 + at % size;
                bool inside = t >= 0 && t < fold && k >= 0 && k < n_samples;
                window[at] = inside ? (double)in[(c * fold + t) * n_samples + k] : 0;
                if (shared[c]) s = fmax(s, fabs(window[at]));
            }
            bool mute = s == 0 || s < threshold;
            s = plain_scale(network, shared, window, s);
            for (int64_t at = 0; at < channels * plane && !mute; at++)
                x[at] = shared[at / plane] ? window[at] / s : window[at];
            if (!mute) plain_pass(&pass);
            for (int64_t at = 0; at < plane; at++) {
                int64_t t = i - size + 1 + at / size, k = j - size + 1 + at % size;
                if (t < 0 || t >= fold || k < 0 || k >= n_samples) continue;
                out[t * n_samples + k] += (mute ? window[at] : s * z[at]) / (double)plane;
            }
        }
    free(parameter);
    free(x);
    free(window);
    free(z);
}

static void direct_agrees_with_the_plain_definition(void **state)
{
    (void)state;
    static const NetworkShape shapes[] = {
        {SHAPE(1, 2, 2, 9, 0, MIXING_DEPTHWISE, SKIP_NONE)},
        {SHAPE(1, 2, 4, 12, 0, MIXING_DEPTHWISE, SKIP_NONE)},
        {SHAPE(2, 2, 2, 8, 0, MIXING_DEPTHWISE, SKIP_ADD)},
        {SHAPE(2, 3, 1, 6, 0, MIXING_FULL, SKIP_NONE)},
        {SHAPE(1, 3, 2, 7, 0, MIXING_FULL, SKIP_ADD)},
        {SHAPE(2, 2, 1, 6, 0, MIXING_DEPTHWISE, SKIP_NONE), .scale = SCALE_RMS, .n_out = 1},
        {SHAPE(2, 2, 2, 7, 0, MIXING_FULL, SKIP_ADD), .scale = SCALE_RMS, .width = 5, .output = OUTPUT_LINEAR},
        {SHAPE(1, 2, 2, 9, 0, MIXING_DEPTHWISE, SKIP_NONE), .scale = SCALE_RMS, .scale_grid = 3},
        {SHAPE(1, 2, 2, 9, 0, MIXING_DEPTHWISE, SKIP_NONE), .scale_grid = 2},
    };
    enum { FOLD = 7, SAMPLES = 29, N_SHAPES = sizeof shapes / sizeof *shapes };
    for (int n = 0; n < N_SHAPES; n++)
        for (int64_t fold = FOLD; fold > 0; fold -= 6) {
            const NetworkShape *shape = &shapes[n];
            const bool *shared = n % 2 == 1 ? first_shared : all_shared;
            float in[2 * FOLD * SAMPLES], out[FOLD * SAMPLES];
            double wanted[FOLD * SAMPLES], largest = 0;
            for (int64_t c = 0; c < 2; c++) fill_gather(fold, SAMPLES, in + c * fold * SAMPLES);
            for (int64_t i = 0; i < fold * SAMPLES; i++) in[fold * SAMPLES + i] *= 0.5f + (float)(i % 3);
            for (int level = 1; level <= vector_level(); level++) {
                Network network;
                Predictor predictor;
                PredictCounts counts = {0};
                assert_int_equal(network_new(shape, vector_of_level(level), &network), STATUS_OK);
                network_initialise(&network, 5);
                for (int64_t c = 0; c < shape->channels; c++) {
                    network.running_mean[c] = 0.1 + 0.05 * (double)c;
                    network.running_var[c] = 0.3 + 0.2 * (double)c;
                    network.parameter[c] = 1.3f;
                    network.parameter[shape->channels + c] = -0.2f;
                }
                network_fold_running(&network);
                if (level == 1) {
                    plain_predict(&network, shared, in, fold, SAMPLES, 0.01, wanted);
                    for (int64_t i = 0; i < fold * SAMPLES; i++) largest = fmax(largest, fabs(wanted[i]));
                    assert_true(largest > 0.1);
                }
                assert_int_equal(predict_new(&network, fold, SAMPLES, 0.01, false, shared, &predictor), STATUS_OK);
                predict_direct(&predictor, in, fold, out, &counts);
                assert_true(counts.faint > 0 && counts.live > 0);
                for (int64_t i = 0; i < fold * SAMPLES; i++)
                    if (!(fabs((double)out[i] - wanted[i]) <= 1e-5 * largest))
                        fail_msg("%s, shape %d, sample %lld: %g instead of %g", vector_of_level(level)->name, n,
                                 (long long)i, (double)out[i], wanted[i]);
                predict_free(&predictor);
                network_free(&network);
            }
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_network_that_returns_its_input_gives_gathers_back),
        cmocka_unit_test(windows_are_counted),
        cmocka_unit_test(muted_windows_pass_as_they_are),
        cmocka_unit_test(scales_and_mutes_mix),
        cmocka_unit_test(a_predictor_serves_many_gathers),
        cmocka_unit_test(a_gather_can_be_given_up),
        cmocka_unit_test(direct_agrees_with_the_plain_definition),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
