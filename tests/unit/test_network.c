/* The network's passes against the plain definition, and the plain gradient against central differences. */
#include "plain.h"

#include "seisdcn/memory.h"
#include "seisdcn/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static double uniform(uint64_t i) { return 2 * random_uniform(random_key(7, RANDOM_TEST, 0), i, 0) - 1; }

static const NetworkShape shapes[] = {
    {SHAPE(1, 2, 4, 32, 0.1, MIXING_DEPTHWISE, SKIP_NONE)},
    {SHAPE(2, 2, 3, 16, 0, MIXING_DEPTHWISE, SKIP_NONE)},
    {SHAPE(1, 3, 2, 12, 0.2, MIXING_DEPTHWISE, SKIP_NONE)},
    {SHAPE(3, 1, 2, 9, 0, MIXING_DEPTHWISE, SKIP_ADD)},
    {SHAPE(1, 2, 3, 13, 0.1, MIXING_FULL, SKIP_ADD)},
    {SHAPE(2, 3, 2, 10, 0, MIXING_FULL, SKIP_NONE)},
    {SHAPE(2, 2, 3, 12, 0.1, MIXING_FULL, SKIP_ADD)},
    {SHAPE(1, 4, 1, 3, 0, MIXING_DEPTHWISE, SKIP_NONE)},
    {SHAPE(1, 2, 4, 24, 0.3, MIXING_DEPTHWISE, SKIP_ADD)},
    {SHAPE(3, 5, 2, 8, 0.1, MIXING_FULL, SKIP_NONE)},
    {SHAPE(1, 2, 4, 13, 0.2, MIXING_FULL, SKIP_ADD), .width = 8, .output = OUTPUT_LINEAR, .undropped_last = true},
    {SHAPE(2, 1, 3, 12, 0.1, MIXING_FULL, SKIP_ADD), .width = 5, .n_out = 1, .output = OUTPUT_LINEAR},
    {SHAPE(2, 1, 2, 11, 0.3, MIXING_DEPTHWISE, SKIP_ADD), .width = 6, .n_out = 1, .undropped_last = true},
    {SHAPE(3, 1, 2, 9, 0, MIXING_DEPTHWISE, SKIP_NONE), .width = 4, .n_out = 2},
    {SHAPE(3, 2, 3, 10, 0.1, MIXING_FULL, SKIP_NONE), .n_out = 2, .output = OUTPUT_LINEAR},
    {SHAPE(1, 1, 6, 15, 0, MIXING_DEPTHWISE, SKIP_ADD)},
    {SHAPE(1, 4, 3, 9, 0.1, MIXING_DEPTHWISE, SKIP_NONE), .output = OUTPUT_LINEAR},
    {SHAPE(1, 3, 6, 16, 0.1, MIXING_FULL, SKIP_ADD), .width = 3},
};
enum { N_SHAPES = sizeof shapes / sizeof *shapes };

static void fill(Network *network)
{
    network_initialise(network, 3);
    int64_t c = network->shape.channels;
    for (int64_t i = 0; i < c; i++) {
        network->parameter[i] = (float)(1.5 + 0.3 * uniform(1000 + (uint64_t)i));
        network->parameter[c + i] = (float)(0.2 * uniform(2000 + (uint64_t)i));
    }
}

/* The output channels of a shape, for which 0 means as many as are put in. */
static int64_t n_out(const NetworkShape *shape) { return shape->n_out == 0 ? shape->channels : shape->n_out; }

/* Targets of their own, and weights of which a third are 0. */
static double target_of(int64_t i) { return 1.2 * uniform(90000 + (uint64_t)i); }

static double weight_of(int64_t i) { return i % 3 == 1 ? 0 : 0.5 + (double)(i % 2); }

/* Of channels that come in a unit of their own: all but the first. */
typedef struct {
    double mean, spread;
} Raw;

/* Runs one group through the fast passes and returns the largest difference of output and of gradient to the plain
 * ones, each relative to its largest value; judged by its own input, or by a target with weights. raw: NULL: none. */
static void compare(const NetworkShape *shape, const Vector *vector, bool target, const Raw *raw, double *output_error,
                    double *gradient_error, double *loss_error)
{
    Network net;
    NetworkGroup group;
    assert_int_equal(network_new(shape, vector, &net), STATUS_OK);
    fill(&net);
    bool shared[8] = {true};
    if (raw != NULL) network_set_raw(&net, shared, shape->channels);
    assert_int_equal(network_group_new(&net, true, &group), STATUS_OK);
    int64_t lanes = vector->lanes, patch = shape->channels * shape->patch_size * shape->patch_size;
    int64_t out = n_out(shape) * shape->patch_size * shape->patch_size;
    double *x = plain_array(lanes * patch), *factor = plain_array(lanes * net.n_dropout);
    double *output = plain_array(lanes * out), *gradient = plain_array(net.n_parameters);
    double *wanted = plain_array(lanes * out), *weight = plain_array(lanes * out), weights = 0;
    group.target = memory_new((size_t)(lanes * out), sizeof(float), "test");
    group.weight = memory_new((size_t)(lanes * out), sizeof(float), "test");
    double *parameter = plain_array(net.n_parameters), *sum = plain_array(net.n_parameters);
    double *mean = plain_array(shape->channels), *var = plain_array(shape->channels);
    for (int64_t i = 0; i < net.n_parameters; i++) parameter[i] = (double)net.parameter[i];
    for (int64_t lane = 0; lane < lanes; lane++) {
        for (int64_t i = 0; i < patch; i++) {
            double value = uniform((uint64_t)(lane * patch + i));
            if (raw != NULL && i >= patch / shape->channels) value = raw->mean + raw->spread * value;
            group.x[i * lanes + lane] = (float)value;
            x[lane * patch + i] = (double)group.x[i * lanes + lane];
        }
        for (int64_t i = 0; i < out; i++) {
            int64_t at = lane * out + i;
            group.target[i * lanes + lane] = (float)target_of(at);
            group.weight[i * lanes + lane] = (float)weight_of(at);
            wanted[at] = (double)group.target[i * lanes + lane];
            weights += weight[at] = weight_of(at);
        }
        network_draw_dropout(&net, &group, (int)lane, 5, 1, (int64_t[3]){lane, 2, 3});
        for (int64_t i = 0; i < net.n_dropout; i++)
            factor[lane * net.n_dropout + i] = (double)group.factor[i * lanes + lane];
    }
    PlainPass pass = {.network = &net,
                      .parameter = parameter,
                      .n = lanes,
                      .x = x,
                      .factor = factor,
                      .output = output,
                      .gradient = gradient,
                      .mean = mean,
                      .var = var,
                      .target = target ? wanted : NULL,
                      .weight = target ? weight : NULL};
    float *const kept[2] = {group.target, group.weight};
    if (!target) group.target = group.weight = NULL;
    double n = target ? weights / (double)out : (double)lanes; /* patches that count */
    double loss = plain_pass(&pass);
    network_fold(&net, mean, var);
    network_condition_group(&net, &group);
    network_forward(&net, &group, true);
    double largest = 0, difference = 0;
    for (int64_t lane = 0; lane < lanes; lane++)
        for (int64_t i = 0; i < out; i++) {
            largest = fmax(largest, fabs(output[lane * out + i]));
            difference = plain_worse(difference, output[lane * out + i] - (double)group.output[i * lanes + lane]);
        }
    *output_error = difference / largest;
    double error[VECTOR_LANES_MAX], total = 0;
    network_backward(&net, &group, true, lanes, error);
    for (int64_t lane = 0; lane < lanes; lane++) {
        total += error[lane] / n;
        for (int64_t i = 0; i < net.n_parameters; i++) sum[i] += (double)group.gradient[i * lanes + lane];
    }
    *loss_error = fabs(total - loss) / loss;
    float *fast = memory_new((size_t)net.n_parameters, sizeof *fast, "test");
    network_gradient(&net, sum, n, fast);
    largest = difference = 0;
    for (int64_t i = 0; i < net.n_parameters; i++) {
        largest = fmax(largest, fabs(gradient[i]));
        difference = plain_worse(difference, gradient[i] - (double)fast[i]);
    }
    *gradient_error = difference / largest;
    memory_free(fast);
    double *const arrays[] = {x, factor, output, gradient, parameter, sum, mean, var, wanted, weight};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) free(arrays[i]);
    for (int i = 0; i < 2; i++) memory_free(kept[i]);
    network_group_free(&group);
    network_free(&net);
}

static void passes_agree_with_the_plain_definition(void **state)
{
    (void)state;
    for (int level = 1; level <= vector_level(); level++)
        for (int i = 0; i < N_SHAPES; i++)
            for (int target = 0; target < 2; target++) {
                double output, gradient, loss;
                compare(&shapes[i], vector_of_level(level), target == 1, NULL, &output, &gradient, &loss);
                if (!(output <= 1e-5 && gradient <= 1e-5 && loss <= 1e-6))
                    fail_msg("%s, shape %d, target %d: output %.2g, gradient %.2g, loss %.2g",
                             vector_of_level(level)->name, i, target, output, gradient, loss);
            }
}

/* Whatever the mean of a channel and its unit, the passes lose no more than for numbers near 1. */
static void raw_channels_lose_nothing(void **state)
{
    (void)state;
    static const Raw raws[] = {{1e4, 1}, {-3e5, 2e3}, {0, 1e6}, {1e-3, 1e-5}, {7, 0}};
    for (int level = 1; level <= vector_level(); level++)
        for (int i = 0; i < N_SHAPES; i++)
            for (size_t r = 0; shapes[i].channels > 1 && r < 2 * sizeof raws / sizeof *raws; r++) {
                double output, gradient, loss;
                const Raw *raw = &raws[r / 2];
                compare(&shapes[i], vector_of_level(level), r % 2 == 1, raw, &output, &gradient, &loss);
                if (!(output <= 1e-5 && gradient <= 1e-5 && loss <= 1e-6))
                    fail_msg("%s, shape %d, mean %g, spread %g: output %.2g, gradient %.2g, loss %.2g",
                             vector_of_level(level)->name, i, raw->mean, raw->spread, output, gradient, loss);
            }
}

static void plain_gradient_agrees_with_central_differences(void **state)
{
    (void)state;
    for (int s = 0; s < N_SHAPES; s++) {
        Network net;
        assert_int_equal(network_new(&shapes[s], &vector_portable, &net), STATUS_OK);
        fill(&net);
        enum { N = 2 };
        int64_t plane = net.shape.patch_size * net.shape.patch_size, patch = net.shape.channels * plane;
        int64_t out = net.shape.n_out * plane;
        double *x = plain_array(N * patch), *factor = plain_array(N * net.n_dropout);
        double *target = plain_array(N * out), *weight = plain_array(N * out);
        double *gradient = plain_array(net.n_parameters), *parameter = plain_array(net.n_parameters);
        for (int64_t i = 0; i < N * patch; i++) x[i] = uniform((uint64_t)i);
        for (int64_t i = 0; i < N * net.n_dropout; i++) factor[i] = uniform(50000 + (uint64_t)i) < -0.8 ? 0 : 1.1;
        for (int64_t i = 0; i < net.n_parameters; i++) parameter[i] = (double)net.parameter[i];
        PlainPass pass = {
            .network = &net, .parameter = parameter, .n = N, .x = x, .factor = factor, .gradient = gradient};
        for (int64_t i = 0; i < N * out; i++) {
            target[i] = target_of(i);
            weight[i] = weight_of(i);
        }
        if (s % 2 == 1) {
            pass.target = target;
            pass.weight = weight;
        }
        plain_pass(&pass);
        pass.gradient = NULL;
        double largest = 0;
        for (int64_t i = 0; i < net.n_parameters; i++) largest = fmax(largest, fabs(gradient[i]));
        int64_t step = net.n_parameters / 60 + 1; /* every kind of parameter, not each one of them */
        for (int64_t i = 0; i < net.n_parameters; i += i < 2 * net.shape.channels ? 1 : step) {
            double kept = parameter[i], h = 1e-5;
            parameter[i] = kept + h;
            double up = plain_pass(&pass);
            parameter[i] = kept - h;
            double down = plain_pass(&pass);
            parameter[i] = kept;
            if (!(fabs((up - down) / (2 * h) - gradient[i]) <= 1e-7 * largest + 1e-9))
                fail_msg("shape %d, parameter %lld: %g by differences, %g by the gradient", s, (long long)i,
                         (up - down) / (2 * h), gradient[i]);
        }
        double *const arrays[] = {x, factor, gradient, parameter, target, weight};
        for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) free(arrays[i]);
        network_free(&net);
    }
}

/* The first channel alone, from activations that hold NaN before: it may rest on nothing that was not computed. */
static void a_prediction_is_the_first_channel(void **state)
{
    (void)state;
    for (int i = 0; i < N_SHAPES; i++)
        for (int level = 1; level <= vector_level(); level++) {
            Network net;
            NetworkGroup group;
            assert_int_equal(network_new(&shapes[i], vector_of_level(level), &net), STATUS_OK);
            assert_int_equal(network_group_new(&net, false, &group), STATUS_OK);
            fill(&net);
            network_fold_running(&net);
            int64_t lanes = net.vector->lanes, plane = shapes[i].patch_size * shapes[i].patch_size;
            size_t bytes = (size_t)(plane * lanes) * sizeof(float);
            for (int64_t k = 0; k < shapes[i].channels * plane * lanes; k++) group.x[k] = (float)uniform((uint64_t)k);
            network_forward(&net, &group, false);
            float *wanted = memory_new((size_t)(plane * lanes), sizeof *wanted, "test");
            memcpy(wanted, group.output, bytes);
            memset(group.activation[0], 0xff, (size_t)(group.factor - group.activation[0]) * sizeof(float));
            network_predict(&net, &group);
            for (int64_t k = 0; k < plane * lanes; k++)
                if (!(fabs((double)group.output[k] - (double)wanted[k]) <= 2e-6 * fmax(1, fabs((double)wanted[k]))))
                    fail_msg("network %d, %s, value %lld: %g is %g", i, net.vector->name, (long long)k,
                             (double)wanted[k], (double)group.output[k]);
            memory_free(wanted);
            network_group_free(&group);
            network_free(&net);
        }
}

static void a_patch_does_not_depend_on_its_lane(void **state)
{
    (void)state;
    for (int level = 1; level <= vector_level(); level++)
        for (int s = 0; s < N_SHAPES; s++) {
            Network net;
            NetworkGroup group;
            const Vector *vector = vector_of_level(level);
            assert_int_equal(network_new(&shapes[s], vector, &net), STATUS_OK);
            fill(&net);
            network_fold_running(&net);
            assert_int_equal(network_group_new(&net, true, &group), STATUS_OK);
            int64_t lanes = vector->lanes, patch = net.shape.channels * net.shape.patch_size * net.shape.patch_size;
            for (int64_t lane = 0; lane < lanes; lane++) {
                for (int64_t i = 0; i < patch; i++) group.x[i * lanes + lane] = (float)uniform((uint64_t)i);
                network_draw_dropout(&net, &group, (int)lane, 5, 1, (int64_t[3]){1, 2, 3});
            }
            double error[VECTOR_LANES_MAX];
            network_forward(&net, &group, true);
            network_backward(&net, &group, true, lanes, error);
            for (int64_t i = 0; i < net.n_parameters * lanes; i++)
                assert_memory_equal(&group.gradient[i], &group.gradient[i / lanes * lanes], sizeof(float));
            for (int64_t lane = 0; lane < lanes; lane++) assert_memory_equal(&error[lane], &error[0], sizeof(double));
            network_group_free(&group);
            network_free(&net);
        }
}

static void a_shape_that_leaves_nothing_is_refused(void **state)
{
    (void)state;
    Network net;
    NetworkShape shape = {SHAPE(1, 2, 4, 8, 0, MIXING_DEPTHWISE, SKIP_NONE)};
    assert_int_equal(network_new(&shape, &vector_portable, &net), STATUS_CONFIG);
    shape.patch_size = 9;
    assert_int_equal(network_new(&shape, &vector_portable, &net), STATUS_OK);
    network_free(&net);
    shape.levels = 16;
    shape.patch_size = 64;
    shape.k_mult = 4;
    assert_int_equal(network_new(&shape, &vector_portable, &net), STATUS_CONFIG);
    shape.width = 4; /* not a tree */
    assert_int_equal(network_new(&shape, &vector_portable, &net), STATUS_OK);
    network_free(&net);
    shape.width = -1;
    assert_int_equal(network_new(&shape, &vector_portable, &net), STATUS_CONFIG);
    shape.width = 4;
    shape.n_out = (int64_t)1 << 40;
    assert_int_equal(network_new(&shape, &vector_portable, &net), STATUS_CONFIG);
}

static void the_default_network_has_587_parameters(void **state)
{
    (void)state;
    Network net;
    assert_int_equal(network_new(&shapes[0], &vector_portable, &net), STATUS_OK);
    assert_int_equal(net.n_parameters, 587);
    assert_string_equal(net.layer[0].name, "_m1.0");
    assert_string_equal(net.layer[4].name, "_m4T.0");
    assert_string_equal(net.layer[7].name, "_m1T.0");
    network_free(&net);
}

/* Groups, channels and names of the wider family, written out. */
static void the_wider_family_has_its_layers(void **state)
{
    (void)state;
    static const int64_t wanted[2][6][3] = {
        /* groups, big and small channels of each */
        {{1, 2, 8}, {1, 8, 8}, {1, 8, 8}, {1, 8, 8}, {1, 8, 8}, {1, 1, 8}},
        {{2, 1, 4}, {8, 1, 1}, {8, 1, 1}, {8, 1, 1}, {8, 1, 1}, {1, 1, 8}},
    };
    for (int mixing = 0; mixing < 2; mixing++) {
        NetworkShape shape = {SHAPE(2, 2, 3, 12, 0.1, mixing == 0 ? MIXING_FULL : MIXING_DEPTHWISE, SKIP_ADD),
                              .width = 8, .n_out = 1, .undropped_last = true};
        Network net;
        assert_int_equal(network_new(&shape, &vector_portable, &net), STATUS_OK);
        for (int i = 0; i < net.n_layers; i++) {
            const NetworkLayer *layer = &net.layer[i];
            assert_int_equal(layer->conv.groups, wanted[mixing][i][0]);
            assert_int_equal(layer->conv.big_channels, wanted[mixing][i][1]);
            assert_int_equal(layer->conv.small_channels, wanted[mixing][i][2]);
            assert_int_equal(layer->dropout, i == 5 ? -1 : 8 * i);
        }
        assert_int_equal(net.n_dropout, 40);
        assert_int_equal(net.layer[5].out_channels, 1);
        network_free(&net);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passes_agree_with_the_plain_definition),
        cmocka_unit_test(raw_channels_lose_nothing),
        cmocka_unit_test(plain_gradient_agrees_with_central_differences),
        cmocka_unit_test(a_prediction_is_the_first_channel),
        cmocka_unit_test(a_patch_does_not_depend_on_its_lane),
        cmocka_unit_test(a_shape_that_leaves_nothing_is_refused),
        cmocka_unit_test(the_default_network_has_587_parameters),
        cmocka_unit_test(the_wider_family_has_its_layers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
