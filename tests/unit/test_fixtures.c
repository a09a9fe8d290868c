/* The network, its training steps and apply against PyTorch: tests/fixtures/ (tests/oracle/make_fixtures.py says what
 * is in them), read as the program reads models. Runs in the project's folder. */
#include "seisdcn/adam.h"
#include "seisdcn/h5.h"
#include "seisdcn/memory.h"
#include "seisdcn/model.h"
#include "seisdcn/predict.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static Comm comm;

static const char *const networks[] = {
    "network_c1_k2_l4_p32.h5",
    "network_c2_k2_l4_p24.h5",
    "network_c1_k3_l4_p24.h5",
    "network_c1_k2_l2_p12_full_add.h5",
    "network_c2_k2_l2_p12_full.h5",
    "network_wide.h5",
    "network_narrow.h5",
};
static const char *const applies[] = {"apply_l2_p16.h5", "apply_l4_p32.h5"};
enum { N_NETWORKS = sizeof networks / sizeof *networks, N_APPLIES = sizeof applies / sizeof *applies, N_STEPS = 10 };

/* One fixture with one instruction set. */
typedef struct {
    const char *name;
    H5File file;
    Network network;
    NetworkGroup group;
    int64_t n_patches, patch; /* patches of a batch, floats of a patch */
    int64_t out_patch;        /* floats of a prediction */
    float *target, *weight;   /* in lanes, NULL: the network is judged by its input */
    double counting;          /* patches of a batch, by their weights */
} Fixture;

/* The whole of a dataset as floats; *n its size. By HDF5 itself: ten batches have five dimensions, h5 reads four. */
static float *read_floats(const H5File *file, const char *name, int64_t *n)
{
    hid_t set = H5Dopen2(file->id, name, H5P_DEFAULT), space = H5Dget_space(set);
    if (set < 0 || space < 0) fail_msg("%s: %s is missing", file->path, name);
    *n = H5Sget_simple_extent_npoints(space);
    float *values = memory_new((size_t)*n, sizeof *values, "test");
    assert_true(H5Dread(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
    H5Sclose(space);
    H5Dclose(set);
    return values;
}

static void open_fixture(const char *name, int level, bool training, Fixture *fixture)
{
    static char path[256];
    snprintf(path, sizeof path, "tests/fixtures/%s", name);
    memset(fixture, 0, sizeof *fixture);
    fixture->name = name;
    ModelInfo info;
    if (model_load(&comm, path, vector_of_level(level), &fixture->network, &info) != STATUS_OK)
        fail_msg("%s", status_message());
    assert_false(info.deal.known || info.deal.has_survey);
    assert_int_equal(h5_open(path, false, &fixture->file), STATUS_OK);
    assert_int_equal(network_group_new(&fixture->network, training, &fixture->group), STATUS_OK);
    const NetworkShape *shape = &fixture->network.shape;
    fixture->patch = shape->channels * shape->patch_size * shape->patch_size;
    fixture->out_patch = shape->n_out * shape->patch_size * shape->patch_size;
    if (!h5_exists(&fixture->file, "/fixture/target")) return;
    size_t floats = (size_t)(fixture->out_patch * fixture->network.vector->lanes);
    fixture->group.target = fixture->target = memory_new(floats, sizeof(float), "test");
    fixture->group.weight = fixture->weight = memory_new(floats, sizeof(float), "test");
}

static void close_fixture(Fixture *fixture)
{
    memory_free(fixture->target);
    memory_free(fixture->weight);
    network_group_free(&fixture->group);
    network_free(&fixture->network);
    assert_int_equal(h5_close(&fixture->file), STATUS_OK);
}

/* Puts patches x [n][channels][P][P] in lanes, and their mean and biased variance [channels] in double. */
static void take_patches(Fixture *fixture, const float *x, int64_t n, double *mean, double *var)
{
    int64_t lanes = fixture->network.vector->lanes, channels = fixture->network.shape.channels;
    int64_t plane = fixture->patch / channels;
    assert_true(n <= lanes);
    fixture->n_patches = n;
    fixture->counting = (double)n;
    memset(fixture->group.x, 0, (size_t)(fixture->patch * lanes) * sizeof(float));
    for (int64_t c = 0; c < channels; c++) {
        double sum = 0, square = 0;
        for (int64_t b = 0; b < n; b++)
            for (int64_t i = c * plane; i < (c + 1) * plane; i++) {
                double value = (double)x[b * fixture->patch + i];
                fixture->group.x[i * lanes + b] = x[b * fixture->patch + i];
                sum += value;
                square += value * value;
            }
        mean[c] = sum / (double)(n * plane);
        var[c] = square / (double)(n * plane) - mean[c] * mean[c];
    }
}

/* Puts the fixture's targets and weights of batch t of `of` in lanes, where it has any. */
static void take_targets(Fixture *fixture, const char *targets, const char *weights, int64_t t, int64_t of)
{
    if (fixture->target == NULL) return;
    int64_t n, lanes = fixture->network.vector->lanes, out = fixture->out_patch;
    float *target = read_floats(&fixture->file, targets, &n), *weight = read_floats(&fixture->file, weights, &n);
    double sum = 0;
    assert_int_equal(n, of * fixture->n_patches * out);
    int64_t floats = n / of;
    for (int64_t i = 0; i < floats; i++) {
        int64_t from = t * floats + i, to = i % out * lanes + i / out;
        fixture->target[to] = target[from];
        fixture->weight[to] = weight[from];
        sum += (double)weight[from];
    }
    assert_true(sum > 0 && sum < (double)floats);
    fixture->counting = sum / (double)out;
    memory_free(target);
    memory_free(weight);
}

/* Fails where got [n] is further than `relative` of wanted's largest magnitude from wanted. */
static void compare(const Fixture *fixture, const char *what, const float *got, const float *wanted, int64_t n,
                    double relative)
{
    double largest = 0, worst = 0;
    for (int64_t i = 0; i < n; i++) largest = fmax(largest, fabs((double)wanted[i]));
    for (int64_t i = 0; i < n; i++) {
        double error = fabs((double)got[i] - (double)wanted[i]);
        if (!(error <= worst)) worst = error;
    }
    if (!(worst <= relative * largest))
        fail_msg("%s, %s: %s is %.3g of its largest value off", fixture->name, fixture->network.vector->name, what,
                 worst / largest);
}

static void compare_output(Fixture *fixture, const char *what)
{
    int64_t n, lanes = fixture->network.vector->lanes;
    float *wanted = read_floats(&fixture->file, what, &n);
    float *got = memory_new((size_t)n, sizeof *got, "test");
    for (int64_t i = 0; i < n; i++)
        got[i] = fixture->group.output[i % fixture->out_patch * lanes + i / fixture->out_patch];
    compare(fixture, what, got, wanted, n, 1e-5);
    memory_free(got);
    memory_free(wanted);
}

/* Compares values in the order of the network's parameters with the arrays of a group of the file. */
static void compare_parameters(const Fixture *fixture, const char *group, const float *values, double relative)
{
    const Network *network = &fixture->network;
    char name[96];
    for (int i = -1; i < network->n_layers; i++)
        for (int bias = 0; bias < 2; bias++) {
            int64_t n, channels = network->shape.channels, at = bias * channels, size = channels;
            if (i >= 0) {
                const NetworkLayer *layer = &network->layer[i];
                at = bias ? layer->bias : layer->weight;
                size = bias ? layer->out_channels : layer->n_weights;
            }
            snprintf(name, sizeof name, "%s/%s.%s", group, i < 0 ? "_bnorm" : network->layer[i].name,
                     bias ? "bias" : "weight");
            float *wanted = read_floats(&fixture->file, name, &n);
            assert_int_equal(n, size);
            compare(fixture, name, values + at, wanted, n, relative);
            memory_free(wanted);
        }
}

static void compare_running(const Fixture *fixture, const char *group)
{
    int64_t n, channels = fixture->network.shape.channels;
    const char *const names[] = {"running_mean", "running_var"};
    const double *const values[] = {fixture->network.running_mean, fixture->network.running_var};
    for (int k = 0; k < 2; k++) {
        char name[96];
        snprintf(name, sizeof name, "%s%s", group, names[k]);
        float *wanted = read_floats(&fixture->file, name, &n), got[8];
        assert_int_equal(n, channels);
        for (int64_t c = 0; c < n; c++) got[c] = (float)values[k][c];
        compare(fixture, name, got, wanted, n, 1e-6);
        memory_free(wanted);
    }
}

/* Forward and backward over the patches taken; the gradient in the order of the parameters; the mean loss. */
static double pass(Fixture *fixture, const double *mean, const double *var, float *gradient)
{
    Network *network = &fixture->network;
    int64_t lanes = network->vector->lanes;
    double error[VECTOR_LANES_MAX], loss = 0;
    double *sum = memory_new((size_t)network->n_parameters, sizeof *sum, "test");
    network_fold(network, mean, var);
    network_forward(network, &fixture->group, false);
    network_backward(network, &fixture->group, false, fixture->n_patches, error);
    for (int64_t b = 0; b < fixture->n_patches; b++) loss += error[b] / fixture->counting;
    for (int64_t p = 2 * network->shape.channels; p < network->n_parameters; p++)
        for (int64_t lane = 0; lane < lanes; lane++) sum[p] += (double)fixture->group.gradient[p * lanes + lane];
    network_gradient(network, sum, fixture->counting, gradient);
    memory_free(sum);
    return loss;
}

static void forward_passes_give_pytorchs_output(void **state)
{
    (void)state;
    for (int level = 1; level <= vector_level(); level++)
        for (int f = 0; f < N_NETWORKS; f++) {
            Fixture fixture;
            double mean[8], var[8];
            int64_t n;
            open_fixture(networks[f], level, false, &fixture);
            float *x = read_floats(&fixture.file, "/fixture/x", &n);
            take_patches(&fixture, x, n / fixture.patch, mean, var);
            network_fold_running(&fixture.network);
            network_forward(&fixture.network, &fixture.group, false);
            compare_output(&fixture, "/fixture/z_eval");
            network_fold(&fixture.network, mean, var);
            network_forward(&fixture.network, &fixture.group, false);
            compare_output(&fixture, "/fixture/z_train");
            memory_free(x);
            close_fixture(&fixture);
        }
}

static void gradients_and_statistics_are_pytorchs(void **state)
{
    (void)state;
    for (int level = 1; level <= vector_level(); level++)
        for (int f = 0; f < N_NETWORKS; f++) {
            Fixture fixture;
            double mean[8], var[8], wanted;
            int64_t n;
            open_fixture(networks[f], level, true, &fixture);
            float *x = read_floats(&fixture.file, "/fixture/x", &n);
            float *gradient = memory_new((size_t)fixture.network.n_parameters, sizeof *gradient, "test");
            take_patches(&fixture, x, n / fixture.patch, mean, var);
            take_targets(&fixture, "/fixture/target", "/fixture/weight", 0, 1);
            double loss = pass(&fixture, mean, var, gradient);
            assert_int_equal(h5_read_all(&fixture.file, "/fixture/loss", H5T_NATIVE_DOUBLE, 1, &wanted), STATUS_OK);
            assert_true(fabs(loss - wanted) <= 1e-6 * wanted);
            compare_parameters(&fixture, "/fixture/gradient", gradient, 1e-5);
            int64_t batches = fixture.network.n_batches;
            network_track(&fixture.network, mean, var, (double)n / (double)fixture.network.shape.channels);
            assert_int_equal(fixture.network.n_batches, batches + 1);
            compare_running(&fixture, "/fixture/");
            memory_free(gradient);
            memory_free(x);
            close_fixture(&fixture);
        }
}

static void ten_adam_steps_give_pytorchs_losses(void **state)
{
    (void)state;
    for (int level = 1; level <= vector_level(); level++)
        for (int f = 0; f < N_NETWORKS; f++) {
            Fixture fixture;
            double wanted[N_STEPS], rate;
            int64_t n, n_batches;
            open_fixture(networks[f], level, true, &fixture);
            Network *network = &fixture.network;
            size_t size = (size_t)network->n_parameters;
            float *batches = read_floats(&fixture.file, "/fixture/batches", &n);
            float *gradient = memory_new(size, sizeof *gradient, "test");
            float *first = memory_new(size, sizeof *first, "test"), *second = memory_new(size, sizeof *second, "test");
            assert_int_equal(h5_read_all(&fixture.file, "/fixture/adam_losses", H5T_NATIVE_DOUBLE, N_STEPS, wanted),
                             STATUS_OK);
            assert_int_equal(h5_get_double(&fixture.file, "/fixture", "learning_rate", &rate), STATUS_OK);
            assert_true(fabs(wanted[N_STEPS - 1] / wanted[0] - 1) > 0.01); /* the steps change the loss */
            for (int t = 0; t < N_STEPS; t++) {
                double mean[8], var[8];
                take_patches(&fixture, batches + t * n / N_STEPS, n / N_STEPS / fixture.patch, mean, var);
                take_targets(&fixture, "/fixture/targets", "/fixture/weights", t, N_STEPS);
                double loss = pass(&fixture, mean, var, gradient);
                int64_t values = n / N_STEPS / network->shape.channels;
                network_track(network, mean, var, (double)values);
                if (!(fabs(loss - wanted[t]) <= 1e-5 * wanted[t]))
                    fail_msg("%s, %s: loss of step %d is %.9g instead of %.9g", fixture.name, network->vector->name,
                             t + 1, loss, wanted[t]);
                adam_step(network->n_parameters, t + 1, rate, gradient, network->parameter, first, second);
            }
            /* a gradient near 0 may take its step another way: Adam divides it by its own size */
            compare_parameters(&fixture, "/fixture/after", network->parameter, 1e-4);
            compare_running(&fixture, "/fixture/after/_bnorm.");
            assert_int_equal(h5_read_all(&fixture.file, "/fixture/after/_bnorm.num_batches_tracked", H5T_NATIVE_INT64,
                                         1, &n_batches),
                             STATUS_OK);
            assert_int_equal(network->n_batches, n_batches);
            memory_free(batches);
            memory_free(gradient);
            memory_free(first);
            memory_free(second);
            close_fixture(&fixture);
        }
}

static void apply_gives_pytorchs_prediction(void **state)
{
    (void)state;
    static const bool shared[1] = {true};
    for (int level = 1; level <= vector_level(); level++)
        for (int f = 0; f < N_APPLIES; f++) {
            Fixture fixture;
            Predictor predictor;
            PredictCounts counts = {0};
            int64_t n, wanted_n, live, muted, empty, dims[4];
            double threshold;
            int rank;
            open_fixture(applies[f], level, false, &fixture);
            float *gather = read_floats(&fixture.file, "/fixture/gather", &n);
            float *wanted = read_floats(&fixture.file, "/fixture/predicted", &wanted_n);
            float *got = memory_new((size_t)n, sizeof *got, "test");
            assert_int_equal(n, wanted_n);
            assert_int_equal(h5_dims(&fixture.file, "/fixture/gather", &rank, dims), STATUS_OK);
            assert_int_equal(h5_get_double(&fixture.file, "/fixture", "mute_threshold", &threshold), STATUS_OK);
            assert_int_equal(h5_get_int(&fixture.file, "/fixture", "live", &live), STATUS_OK);
            assert_int_equal(h5_get_int(&fixture.file, "/fixture", "muted", &muted), STATUS_OK);
            assert_int_equal(h5_get_int(&fixture.file, "/fixture", "empty", &empty), STATUS_OK);
            network_fold_running(&fixture.network);
            assert_int_equal(predict_new(&fixture.network, dims[0], dims[1], threshold, false, shared, &predictor),
                             STATUS_OK);
            predict_direct(&predictor, gather, dims[0], got, &counts);
            compare(&fixture, "/fixture/predicted", got, wanted, n, 1e-5);
            assert_int_equal(counts.live, live);
            assert_int_equal(counts.faint, muted);
            assert_int_equal(counts.windows, live + muted + empty);
            assert_true(live > 0 && muted > 0);
            predict_free(&predictor);
            memory_free(gather);
            memory_free(wanted);
            memory_free(got);
            close_fixture(&fixture);
        }
}

int main(int argc, char **argv)
{
    comm_open(&argc, &argv, &comm);
    h5_open_library();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forward_passes_give_pytorchs_output),
        cmocka_unit_test(gradients_and_statistics_are_pytorchs),
        cmocka_unit_test(ten_adam_steps_give_pytorchs_losses),
        cmocka_unit_test(apply_gives_pytorchs_prediction),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    comm_close(&comm);
    return failed;
}
