/* kernels: how fast the network's passes and the prediction of gathers are on one core, for one instruction set and one
 * shape of the network; each is checked against plain loops before it is timed.
 *
 *     kernels isas                the instruction sets of this machine, the best first
 *     kernels WORD=VALUE ...      isa=avx512 channels=1 k_mult=2 levels=4 patch=32 batch=128 seconds=1
 *                                 width=8 mixing=full skip=add output=linear n_out=1 scale=rms scale_grid=4: the
 *                                 wider family
 *                                 passes=1     times training and the forward pass (0: only checks them)
 *                                 thorough=0   1: also checks windows against plain loops, and the methods of apply
 *                                              over whole gathers instead of pieces of them
 *                                 gather=FILE.npy, or made here: gather=ramp, noise, flat, clipped, mutes; repeated
 *
 * Prints lines of a name and a value. A fast path that differs from its definition by more than 1e-5 of the largest
 * value ends the program with status 1 and a message. */
#include "unit/plain_whole.h"

#include "seisdcn/adam.h"
#include "seisdcn/exact.h"
#include "seisdcn/memory.h"
#include "seisdcn/npy.h"
#include "seisdcn/predict.h"
#include "seisdcn/random.h"
#include "seisdcn/timer.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

static const double TOLERANCE = 1e-5; /* of the largest value */

enum { GATHERS_MAX = 64, CHANNELS_MAX = 16 };

/* The ways to predict a gather. The first is the definition, the others must agree with it. */
typedef bool Predict(Predictor *predictor, const float *in, int64_t fold, float *out, PredictCounts *counts);
static const struct {
    const char *name;
    Predict *predict;
} methods[] = {
    {"direct", predict_direct},
    {"shared", predict_shared},
};
enum { N_METHODS = sizeof methods / sizeof *methods };

typedef struct {
    NetworkShape shape;
    const Vector *vector;
    int64_t batch;
    double seconds;
    bool passes, thorough;
    int n_gathers;
    const char *gather[GATHERS_MAX];
} Options;

static _Noreturn void stop(const char *format, ...) __attribute__((format(printf, 1, 2)));
static _Noreturn void stop(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fflush(stdout);
    fprintf(stderr, "kernels: ");
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "\n");
    va_end(arguments);
    exit(1);
}

static void must(Status status)
{
    if (status != STATUS_OK) stop("%s", status_message());
}

static void *array(int64_t n, size_t size)
{
    void *block = memory_new((size_t)n, size, "the bench");
    if (block == NULL) must(STATUS_MEMORY);
    return block;
}

static void print_value(const char *before, const char *name, double value)
{
    printf("%s%s %.9g\n", before, name, value);
    fflush(stdout);
}

static void check(const char *what, double difference, double largest)
{
    /* not >, so that a NaN stops it too */
    if (!(difference <= TOLERANCE * largest))
        stop("%s: differs by %.3g, where the largest value is %.3g: more than %g of it", what, difference, largest,
             TOLERANCE);
}

/* The larger of two differences; a NaN is larger than all, and stays. */
static double worse(double a, double b) { return isnan(a) || a > b ? a : b; }

static double uniform(int64_t number, int64_t i)
{
    return 2 * random_uniform(random_key(7, RANDOM_TEST, number), (uint64_t)i, 0) - 1;
}

/* Seconds that one call of work() takes, over as many calls as fill `seconds`, after one call to warm up. */
static double seconds_a_call(void (*work)(void *), void *context, double seconds)
{
    work(context);
    int64_t calls = 0;
    double start = timer_now(), elapsed;
    do {
        work(context);
        calls++;
        elapsed = timer_now() - start;
    } while (elapsed < seconds);
    return elapsed / (double)calls;
}

/* ---- a network with everything that training needs ---- */

typedef struct {
    Network network;
    NetworkGroup group;
    int64_t n_patches, n_groups;
    float *x; /* [group][channel][P][P][lane] */
    double *mean, *var;
    float *gradient, *adam_mean, *adam_square; /* [n_parameters] */
    double *sums;
    int64_t *fixed; /* [n_parameters][lane] */
    float *values;  /* [VALUES] for tanh, with `fresh` to start from */
    float *fresh;
    int64_t step;
    int bad;
} Passes;

enum {
    VALUES = 2048, /* 8 kB: stays in the nearest cache */
    TIMES = 16,    /* tanh of the same values, in place, before they start anew */
};

static int64_t patch_values(const NetworkShape *shape)
{
    return shape->channels * shape->patch_size * shape->patch_size;
}

static void passes_new(const Options *options, Passes *passes)
{
    memset(passes, 0, sizeof *passes);
    Network *network = &passes->network;
    must(network_new(&options->shape, options->vector, network));
    must(network_group_new(network, true, &passes->group));
    network_initialise(network, 3);
    int64_t channels = options->shape.channels, lanes = options->vector->lanes;
    for (int64_t i = 0; i < channels; i++) {
        network->parameter[i] = (float)(1.5 + 0.3 * uniform(1, i));
        network->parameter[channels + i] = (float)(0.2 * uniform(2, i));
    }
    passes->n_groups = (options->batch + lanes - 1) / lanes;
    passes->n_patches = passes->n_groups * lanes;
    int64_t n = passes->n_groups * patch_values(&options->shape) * lanes, n_parameters = network->n_parameters;
    passes->x = array(n, sizeof(float));
    for (int64_t i = 0; i < n; i++) passes->x[i] = (float)uniform(3, i);
    passes->mean = array(channels, sizeof(double));
    passes->var = array(channels, sizeof(double));
    for (int64_t c = 0; c < channels; c++) passes->var[c] = 1.0 / 3;
    passes->gradient = array(n_parameters, sizeof(float));
    passes->adam_mean = array(n_parameters, sizeof(float));
    passes->adam_square = array(n_parameters, sizeof(float));
    passes->sums = array(n_parameters, sizeof(double));
    passes->fixed = array(n_parameters * lanes, sizeof(int64_t));
    passes->values = array(VALUES, sizeof(float));
    passes->fresh = array(VALUES, sizeof(float));
    for (int64_t i = 0; i < VALUES; i++) passes->fresh[i] = (float)(2 * uniform(4, i));
}

static void passes_free(Passes *passes)
{
    void *const arrays[] = {passes->x,           passes->mean, passes->var,   passes->gradient, passes->adam_mean,
                            passes->adam_square, passes->sums, passes->fixed, passes->values,   passes->fresh};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) memory_free(arrays[i]);
    network_group_free(&passes->group);
    network_free(&passes->network);
}

/* Multiply-adds of a patch's convolutions forward, and of the first layer alone. */
static double multiply_adds(const Network *network, double *first)
{
    double sum = 0;
    for (int i = 0; i < network->n_layers; i++) {
        const NetworkLayer *layer = &network->layer[i];
        double own = (double)(layer->n_weights * layer->conv.rows * layer->conv.cols);
        if (i == 0) *first = own;
        sum += own;
    }
    return sum;
}

static double count_tanh(const Network *network)
{
    double sum = 0;
    for (int i = 0; i < network->n_layers - (network->shape.output == OUTPUT_LINEAR); i++) {
        int64_t positions;
        sum += (double)plain_size(&network->layer[i], &positions);
    }
    return sum;
}

/* ---- checked against plain loops ---- */

/* Forward, loss and backward of one group against plain_pass(): the same batch norm, the same dropout. */
static void check_passes(Passes *passes)
{
    Network *network = &passes->network;
    NetworkGroup *group = &passes->group;
    int64_t lanes = network->vector->lanes, patch = patch_values(&network->shape), n = network->n_parameters;
    int64_t made = patch / network->shape.channels * network->shape.n_out;
    double *x = plain_array(lanes * patch), *factor = plain_array(lanes * network->n_dropout);
    double *output = plain_array(lanes * made), *gradient = plain_array(n), *parameter = plain_array(n);
    double *sum = plain_array(n), error[VECTOR_LANES_MAX];
    for (int64_t i = 0; i < n; i++) parameter[i] = (double)network->parameter[i];
    for (int64_t lane = 0; lane < lanes; lane++) {
        for (int64_t i = 0; i < patch; i++) {
            group->x[i * lanes + lane] = passes->x[i * lanes + lane];
            x[lane * patch + i] = (double)passes->x[i * lanes + lane];
        }
        network_draw_dropout(network, group, (int)lane, 5, 1, (int64_t[3]){lane, 2, 3});
        for (int64_t i = 0; i < network->n_dropout; i++)
            factor[lane * network->n_dropout + i] = (double)group->factor[i * lanes + lane];
    }
    PlainPass plain = {.network = network,
                       .parameter = parameter,
                       .n = lanes,
                       .x = x,
                       .factor = factor,
                       .output = output,
                       .gradient = gradient,
                       .mean = passes->mean,
                       .var = passes->var};
    double loss = plain_pass(&plain), total = 0, largest = 0, difference = 0, worst;
    network_fold(network, passes->mean, passes->var);
    network_forward(network, group, true);
    for (int64_t lane = 0; lane < lanes; lane++)
        for (int64_t i = 0; i < made; i++) {
            double fast = (double)group->output[i * lanes + lane];
            largest = fmax(largest, fabs(output[lane * made + i]));
            difference = worse(difference, fabs(output[lane * made + i] - fast));
        }
    check("the forward pass against plain loops", difference, largest);
    worst = difference / largest;
    network_backward(network, group, true, lanes, error);
    for (int64_t lane = 0; lane < lanes; lane++) {
        total += error[lane] / (double)lanes;
        for (int64_t i = 0; i < n; i++) sum[i] += (double)group->gradient[i * lanes + lane];
    }
    check("the loss against plain loops", fabs(total - loss), loss);
    network_gradient(network, sum, (double)lanes, passes->gradient);
    largest = difference = 0;
    for (int64_t i = 0; i < n; i++) {
        double fast = (double)passes->gradient[i];
        largest = fmax(largest, fabs(gradient[i]));
        difference = worse(difference, fabs(gradient[i] - fast));
    }
    check("the gradient against plain loops", difference, largest);
    print_value("", "pass_difference", fmax(worst, difference / largest));
    double *const arrays[] = {x, factor, output, gradient, parameter, sum};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) free(arrays[i]);
}

typedef struct {
    int64_t channels, fold, n_samples;
    float *value; /* [channel][fold][n_samples] */
} Gather;

static Gather gather_new(int64_t channels, int64_t fold, int64_t n_samples)
{
    return (Gather){channels, fold, n_samples, array(channels * fold * n_samples, sizeof(float))};
}

/* Value of a padded gather: row and column count from P - 1 before the first sample. */
static double padded(const Gather *gather, int64_t size, int64_t channel, int64_t row, int64_t column)
{
    int64_t t = row - (size - 1), k = column - (size - 1);
    if (t < 0 || t >= gather->fold || k < 0 || k >= gather->n_samples) return 0;
    return (double)gather->value[(channel * gather->fold + t) * gather->n_samples + k];
}

/* The largest magnitude of every window [fold + P - 1][n_samples + P - 1], and how many are not 0. */
static double *window_scales(const Gather *gather, int64_t size, int64_t *live)
{
    int64_t rows = gather->fold + size - 1, columns = gather->n_samples + size - 1;
    double *scale = plain_array(rows * columns), *along = plain_array(gather->fold * columns);
    for (int64_t t = 0; t < gather->fold; t++)
        for (int64_t c = 0; c < gather->channels; c++)
            for (int64_t k = 0; k < gather->n_samples; k++) {
                double value = fabs(padded(gather, size, c, t + size - 1, k + size - 1));
                for (int64_t j = k; j < k + size; j++) along[t * columns + j] = fmax(along[t * columns + j], value);
            }
    *live = 0;
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < columns; j++) {
            for (int64_t t = i - (size - 1) < 0 ? 0 : i - (size - 1); t <= i && t < gather->fold; t++)
                scale[i * columns + j] = fmax(scale[i * columns + j], along[t * columns + j]);
            *live += scale[i * columns + j] > 0;
        }
    free(along);
    return scale;
}

/* What a window whose largest magnitude is this is divided by. */
static double plain_scale(const NetworkShape *shape, const Gather *gather, int64_t row, int64_t column, double largest)
{
    PatchScale scale = scale_of((ScaleKind)shape->scale, shape->scale_grid);
    int64_t size = shape->patch_size, n = shape->channels * size * size;
    double square = 0;
    for (int64_t i = 0; i < n && scale.kind == SCALE_RMS; i++)
        square += pow(padded(gather, size, i / (size * size), row + i / size % size, column + i % size), 2);
    return (double)scale_value(&scale, (float)largest, square, n);
}

/* The prediction of a gather by its definition: the sum over windows with plain loops and plain padding; each window
 * goes through network_forward(), which was checked before, in a lane of its own. */
static double *plain_prediction(Network *network, NetworkGroup *group, const Gather *gather)
{
    int64_t size = network->shape.patch_size, lanes = network->vector->lanes, patch = patch_values(&network->shape);
    int64_t rows = gather->fold + size - 1, columns = gather->n_samples + size - 1, live, filled = 0;
    double *scale = window_scales(gather, size, &live), *out = plain_array(gather->fold * gather->n_samples);
    int64_t place[VECTOR_LANES_MAX] = {0};
    for (int64_t w = 0; w < rows * columns; w++) {
        if (scale[w] > 0) {
            scale[w] = plain_scale(&network->shape, gather, w / columns, w % columns, scale[w]);
            for (int64_t i = 0; i < patch; i++) {
                int64_t c = i / (size * size), a = i / size % size, b = i % size;
                group->x[i * lanes + filled] =
                    (float)(padded(gather, size, c, w / columns + a, w % columns + b) / scale[w]);
            }
            place[filled++] = w;
        }
        if (filled < lanes && w < rows * columns - 1) continue;
        network_forward(network, group, false);
        for (int64_t lane = 0; lane < filled; lane++)
            for (int64_t i = 0; i < size * size; i++) {
                int64_t t = place[lane] / columns + i / size - (size - 1);
                int64_t k = place[lane] % columns + i % size - (size - 1);
                if (t < 0 || t >= gather->fold || k < 0 || k >= gather->n_samples) continue;
                out[t * gather->n_samples + k] +=
                    scale[place[lane]] * (double)group->output[i * lanes + lane] / (double)(size * size);
            }
        filled = 0;
    }
    free(scale);
    return out;
}

/* One gather through one method, of a predictor made for it; the mean of the calls that fit into `seconds`. */
static double predict(Network *network, const Gather *gather, Predict *method, double seconds, float *out,
                      PredictCounts *counts)
{
    Predictor predictor;
    bool shared[CHANNELS_MAX] = {0};
    for (int64_t c = 0; c < network->shape.channels; c++) shared[c] = true;
    must(predict_new(network, gather->fold, gather->n_samples, 0, false, shared, &predictor));
    int64_t calls = 0;
    double start = timer_now(), elapsed;
    do {
        memset(counts, 0, sizeof *counts);
        method(&predictor, gather->value, gather->fold, out, counts);
        calls++;
        elapsed = timer_now() - start;
    } while (elapsed < seconds);
    predict_free(&predictor);
    return elapsed / (double)calls;
}

/* Every method on a small gather with a dead trace and a mute against the definition. */
static void check_windows(Passes *passes)
{
    Network *network = &passes->network;
    int64_t size = network->shape.patch_size;
    Gather gather = gather_new(network->shape.channels, 4, size > 40 ? 9 : 45);
    int64_t n = gather.fold * gather.n_samples;
    for (int64_t i = 0; i < gather.channels * n; i++) {
        int64_t t = i / gather.n_samples % gather.fold, k = i % gather.n_samples;
        gather.value[i] = t == 2 || k < 2 * t ? 0 : (float)(3 * uniform(5, i));
    }
    network_fold_running(network);
    double *plain = plain_prediction(network, &passes->group, &gather);
    float *out = array(n, sizeof(float));
    for (int m = 0; m < N_METHODS; m++) {
        PredictCounts counts;
        char what[80];
        predict(network, &gather, methods[m].predict, 0, out, &counts);
        double largest = 0, difference = 0;
        for (int64_t i = 0; i < n; i++) {
            largest = fmax(largest, fabs(plain[i]));
            difference = worse(difference, fabs(plain[i] - (double)out[i]));
        }
        snprintf(what, sizeof what, "apply %s against plain loops over windows", methods[m].name);
        check(what, difference, largest);
        snprintf(what, sizeof what, "window_difference_%s", methods[m].name);
        print_value("", what, difference / largest);
    }
    memory_free(out);
    memory_free(gather.value);
    free(plain);
}

/* The one pass on a small gather against its own definition. */
static void check_whole(Network *network)
{
    Gather gather = gather_new(network->shape.channels, 5, 13);
    int64_t n = gather.fold * gather.n_samples;
    double *wanted = plain_array(n), *sizes = plain_array(n), largest = 0, difference = 0;
    float *found = array(n, sizeof(float));
    const bool shared[CHANNELS_MAX] = {[0 ... CHANNELS_MAX - 1] = true};
    PredictCounts counts;
    for (int64_t i = 0; i < gather.channels * n; i++) gather.value[i] = (float)(3 * uniform(8, i));
    plain_whole(network, shared, gather.value, gather.fold, gather.n_samples, 0, wanted, sizes);
    predict(network, &gather, predict_whole, 0, found, &counts);
    for (int64_t i = 0; i < n; i++) {
        largest = fmax(largest, sizes[i]);
        difference = worse(difference, fabs(wanted[i] - (double)found[i]));
    }
    check("apply whole against plain loops", difference, largest);
    print_value("", "whole_difference", difference / largest);
    memory_free(found);
    memory_free(gather.value);
    free(wanted);
    free(sizes);
}

/* ---- timed ---- */

static void draw(Passes *passes, int64_t g)
{
    int64_t lanes = passes->network.vector->lanes;
    for (int64_t lane = 0; lane < lanes; lane++)
        network_draw_dropout(&passes->network, &passes->group, (int)lane, 1, passes->step,
                             (int64_t[3]){g, lane, passes->step});
}

static void add_gradient(Passes *passes)
{
    const Network *network = &passes->network;
    int64_t lanes = network->vector->lanes, channels2 = 2 * network->shape.channels;
    passes->bad |=
        network->vector->fixed_add(network->n_parameters - channels2, passes->group.gradient + channels2 * lanes,
                                   EXACT_LIMIT, exact_exponent(passes->n_patches), passes->fixed + channels2 * lanes);
}

static void start_step(Passes *passes)
{
    Network *network = &passes->network;
    memset(passes->fixed, 0, (size_t)(network->n_parameters * network->vector->lanes) * sizeof *passes->fixed);
    network_fold(network, passes->mean, passes->var);
}

static void end_step(Passes *passes)
{
    Network *network = &passes->network;
    int64_t lanes = network->vector->lanes;
    double unit = ldexp(1, -exact_exponent(passes->n_patches));
    for (int64_t p = 0; p < network->n_parameters; p++) {
        int64_t sum = 0;
        for (int64_t lane = 0; lane < lanes; lane++) sum += passes->fixed[p * lanes + lane];
        passes->sums[p] = (double)sum * unit;
    }
    network_gradient(network, passes->sums, (double)passes->n_patches, passes->gradient);
    passes->step++;
    adam_step(network->n_parameters, passes->step, 0.001, passes->gradient, network->parameter, passes->adam_mean,
              passes->adam_square);
}

/* A step over the batch as the trainer takes it: all but reading patches and talking to other ranks. */
static void train_step(void *context)
{
    Passes *passes = context;
    int64_t lanes = passes->network.vector->lanes, patch = patch_values(&passes->network.shape);
    double error[VECTOR_LANES_MAX];
    float *kept = passes->group.x;
    start_step(passes);
    for (int64_t g = 0; g < passes->n_groups; g++) {
        passes->group.x = passes->x + g * patch * lanes;
        draw(passes, g);
        network_forward(&passes->network, &passes->group, true);
        network_backward(&passes->network, &passes->group, true, lanes, error);
        add_gradient(passes);
    }
    passes->group.x = kept;
    end_step(passes);
}

static void forward_batch(void *context)
{
    Passes *passes = context;
    int64_t lanes = passes->network.vector->lanes, patch = patch_values(&passes->network.shape);
    float *kept = passes->group.x;
    for (int64_t g = 0; g < passes->n_groups; g++) {
        passes->group.x = passes->x + g * patch * lanes;
        network_forward(&passes->network, &passes->group, false);
    }
    passes->group.x = kept;
}

/* All of a step but its two passes. */
static void rest_of_step(void *context)
{
    Passes *passes = context;
    start_step(passes);
    for (int64_t g = 0; g < passes->n_groups; g++) {
        draw(passes, g);
        add_gradient(passes);
    }
    end_step(passes);
}

static void loss_of_batch(void *context)
{
    Passes *passes = context;
    const Network *network = &passes->network;
    int64_t lanes = network->vector->lanes, size = network->shape.patch_size, plane = size * size;
    double error[VECTOR_LANES_MAX] __attribute__((aligned(64))) = {0};
    float total[VECTOR_LANES_MAX] __attribute__((aligned(64))) = {0};
    for (int64_t g = 0; g < passes->n_groups; g++)
        for (int64_t c = 0; c < network->shape.n_out; c++)
            network->vector->loss(plane, passes->x + c * plane * lanes, NULL, NULL, 1e-3F, true, 0,
                                  passes->group.output + c * plane * lanes, error, total);
}

static void tanh_of_values(void *context)
{
    Passes *passes = context;
    memcpy(passes->values, passes->fresh, VALUES * sizeof(float));
    for (int i = 0; i < TIMES; i++) passes->network.vector->tanh(VALUES, passes->values);
}

/* The shares are estimates, since the kernels are fused: tanh is what vector->tanh takes, by itself and with its data
 * in the nearest cache, for as many values as the forward pass makes; the rest is dropout drawing, exact sums, the
 * loss and the update timed by themselves; and convolutions are what remains: the convolutions of both passes with
 * bias, dropout's factor, tanh's gradient and all moving of activations. */
static void time_passes(Passes *passes, double seconds)
{
    const Network *network = &passes->network;
    double first = 0, n = (double)passes->n_patches, forward_adds = multiply_adds(network, &first);
    double n_tanh = count_tanh(network),
           a_tanh = seconds_a_call(tanh_of_values, passes, seconds / 10) / (VALUES * TIMES);
    double forward = seconds_a_call(forward_batch, passes, seconds) / n;
    double training = seconds_a_call(train_step, passes, seconds) / n;
    double loss = seconds_a_call(loss_of_batch, passes, seconds / 10) / n;
    double rest = seconds_a_call(rest_of_step, passes, seconds / 10) / n + loss;
    if (passes->bad) stop("a gradient left the range of the exact sums");
    print_value("", "forward_multiply_adds", forward_adds);
    /* twice more backward, but layer 1 passes no gradient on to the data */
    print_value("", "training_multiply_adds", 3 * forward_adds - first);
    print_value("", "tanh_a_patch", n_tanh);
    print_value("", "tanh_seconds", a_tanh);
    print_value("", "training_patches_per_s", 1 / training);
    print_value("", "forward_patches_per_s", 1 / forward);
    print_value("", "training_tanh_share", n_tanh * a_tanh / training);
    print_value("", "training_rest_share", rest / training);
    print_value("", "training_conv_share", 1 - (n_tanh * a_tanh + rest) / training);
    print_value("", "forward_tanh_share", n_tanh * a_tanh / forward);
    print_value("", "forward_conv_share", 1 - n_tanh * a_tanh / forward);
}

/* ---- gathers ---- */

/* Gathers that are bad for sharing: level sets as small as can be, as large, with ties, with holes. */
static bool make_gather(const char *kind, Gather *gather)
{
    enum { FOLD = 61, N_SAMPLES = 501 };
    const char *const kinds[] = {"ramp", "noise", "flat", "clipped", "mutes"};
    enum { RAMP, NOISE, FLAT, CLIPPED, MUTES, KINDS } which = RAMP;
    while (which < KINDS && strcmp(kind, kinds[which]) != 0) which++;
    if (which == KINDS) return false;
    *gather = gather_new(gather->channels, FOLD, N_SAMPLES);
    for (int64_t i = 0; i < gather->channels * FOLD * N_SAMPLES; i++) {
        int64_t t = i / N_SAMPLES % FOLD, k = i % N_SAMPLES;
        double noise = uniform(6, i), value = noise;
        if (which == RAMP) /* grows along both axes, so every window has a largest sample of its own */
            value = (1 + (double)(t * N_SAMPLES + k)) / (FOLD * N_SAMPLES) * (i % 2 ? -1 : 1);
        if (which == FLAT) value = uniform(7, k); /* the same in all traces: equal maxima side by side */
        if (which == CLIPPED) value = fmax(-0.5, fmin(0.5, noise));
        if (which == MUTES && (k < 4 * t || t % 17 == 5)) value = 0;
        gather->value[i] = (float)value;
    }
    return true;
}

/* Channel c > 0 of a gather is its channel 0, later by 7 c samples. */
static void fill_channels(Gather *gather)
{
    int64_t n = gather->fold * gather->n_samples;
    for (int64_t c = 1; c < gather->channels; c++)
        for (int64_t i = 0; i < n; i++)
            gather->value[c * n + i] = gather->value[i - i % gather->n_samples + (i + 7 * c) % gather->n_samples];
}

static void read_gather(const char *path, Gather *gather)
{
    NpyHeader header;
    must(npy_read_header(path, &header));
    *gather = gather_new(gather->channels, header.dims[header.n_dims - 2], header.dims[header.n_dims - 1]);
    must(npy_read_gather(path, &header, 0, false, gather->value, NULL));
    fill_channels(gather);
}

/* A piece of a gather: all traces, and samples from its middle. */
static Gather gather_piece(const Gather *gather, int64_t n_samples)
{
    Gather piece = gather_new(gather->channels, gather->fold, n_samples);
    int64_t from = (gather->n_samples - n_samples) / 2;
    for (int64_t row = 0; row < gather->channels * gather->fold; row++)
        memcpy(piece.value + row * n_samples, gather->value + row * gather->n_samples + from,
               (size_t)n_samples * sizeof(float));
    return piece;
}

/* Samples of a gather's piece that `direct` predicts in about these seconds, so that window rows fill whole groups. */
static int64_t piece_samples(const Network *network, const Gather *gather, double forward, double seconds)
{
    int64_t lanes = network->vector->lanes, size = network->shape.patch_size, window_rows = gather->fold + size - 1;
    int64_t groups = (int64_t)(seconds / (forward * (double)(lanes * window_rows)));
    int64_t least = (size + lanes - 1) / lanes + 1;
    int64_t n_samples = (groups < least ? least : groups) * lanes - (size - 1);
    return n_samples < gather->n_samples ? n_samples : gather->n_samples;
}

static void compare_outputs(const char *gather, const char *method, int64_t n, const float *wanted, const float *found)
{
    double largest = 0, difference = 0;
    for (int64_t i = 0; i < n; i++) {
        largest = fmax(largest, fabs((double)wanted[i]));
        difference = worse(difference, fabs((double)wanted[i] - (double)found[i]));
    }
    char what[512];
    snprintf(what, sizeof what, "apply %s against direct on %s", method, gather);
    check(what, difference, largest);
    snprintf(what, sizeof what, "%s.%s_difference", gather, method);
    print_value("", what, largest > 0 ? difference / largest : 0);
}

/* Times every method on a gather. `direct` costs the same for each group of windows, so a piece of the gather serves
 * to time it, unless thorough; the others are timed over all of it. */
static void time_gather(const Options *options, Passes *passes, double forward, const char *name)
{
    Network *network = &passes->network;
    Gather gather = {.channels = network->shape.channels};
    if (!make_gather(name, &gather)) read_gather(name, &gather);
    const char *slash = strrchr(name, '/');
    char title[128], line[256];
    snprintf(title, sizeof title, "%s", slash == NULL ? name : slash + 1);
    char *dot = strrchr(title, '.');
    if (dot != NULL) *dot = 0;

    int64_t live, size = network->shape.patch_size;
    free(window_scales(&gather, size, &live));
    snprintf(line, sizeof line, "%s.", title);
    print_value(line, "traces", (double)gather.fold);
    print_value(line, "samples", (double)gather.n_samples);
    print_value(line, "windows", (double)((gather.fold + size - 1) * (gather.n_samples + size - 1)));
    print_value(line, "live_windows", (double)live);
    double seconds = options->seconds / 4;
    int64_t n_samples = options->thorough ? gather.n_samples : piece_samples(network, &gather, forward, seconds / 2);
    Gather piece = gather_piece(&gather, n_samples);
    int64_t n = gather.fold * gather.n_samples;
    float *wanted = array(n, sizeof(float)), *found = array(n, sizeof(float));
    PredictCounts counts;
    double direct = predict(network, &piece, predict_direct, seconds, wanted, &counts);
    if (counts.live == 0) stop("%s: its middle holds nothing but zeros", title);
    double rate = (double)counts.live / direct;
    print_value(line, "direct_windows_per_s", rate);
    print_value(line, "direct_seconds", (double)live / rate);
    /* what a window costs beyond the forward pass: scales, loading, adding; of groups that are live in part, too */
    print_value(line, "direct_rest_share", 1 - forward * rate);
    for (int m = 1; m < N_METHODS; m++) {
        predict(network, &piece, methods[m].predict, 0, found, &counts);
        compare_outputs(title, methods[m].name, gather.fold * n_samples, wanted, found);
        double took = predict(network, &gather, methods[m].predict, seconds, found, &counts);
        snprintf(line, sizeof line, "%s.%s_", title, methods[m].name);
        print_value(line, "windows_per_s", (double)counts.live / took);
        print_value(line, "seconds", took);
    }
    double took = predict(network, &gather, predict_whole, seconds, found, &counts); /* another prediction */
    print_value(title, ".whole_windows_per_s", (double)counts.live / took);
    memory_free(wanted);
    memory_free(found);
    memory_free(piece.value);
    memory_free(gather.value);
}

/* ---- words ---- */

static const Vector *vector_named(const char *name)
{
    int level = vector_level_of(name);
    if (level == 0 || level > vector_level()) stop("this machine has no instruction set '%s'", name);
    return vector_of_level(level);
}

static void read_word(const char *word, Options *options)
{
    const char *value = strchr(word, '=');
    if (value == NULL) stop("'%s' is not WORD=VALUE", word);
    size_t length = (size_t)(value++ - word);
    const struct {
        const char *name;
        int64_t *number;
    } numbers[] = {{"channels", &options->shape.channels},     {"k_mult", &options->shape.k_mult},
                   {"levels", &options->shape.levels},         {"patch", &options->shape.patch_size},
                   {"width", &options->shape.width},           {"n_out", &options->shape.n_out},
                   {"scale_grid", &options->shape.scale_grid}, {"batch", &options->batch}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (strlen(numbers[i].name) == length && strncmp(word, numbers[i].name, length) == 0) {
            *numbers[i].number = strtoll(value, NULL, 10);
            if (*numbers[i].number < 1) stop("%s: a whole number from 1 on is wanted", word);
            return;
        }
    if (strncmp(word, "isa=", 4) == 0)
        options->vector = vector_named(value);
    else if (strcmp(word, "mixing=full") == 0)
        options->shape.mixing = MIXING_FULL;
    else if (strcmp(word, "skip=add") == 0)
        options->shape.skip = SKIP_ADD;
    else if (strcmp(word, "scale=rms") == 0)
        options->shape.scale = SCALE_RMS;
    else if (strcmp(word, "output=linear") == 0)
        options->shape.output = OUTPUT_LINEAR;
    else if (strncmp(word, "seconds=", 8) == 0)
        options->seconds = strtod(value, NULL);
    else if (strncmp(word, "passes=", 7) == 0)
        options->passes = *value != '0';
    else if (strncmp(word, "thorough=", 9) == 0)
        options->thorough = *value != '0';
    else if (strncmp(word, "gather=", 7) == 0 && options->n_gathers < GATHERS_MAX)
        options->gather[options->n_gathers++] = value;
    else
        stop("'%s' is not known", word);
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "isas") == 0) {
        for (int level = vector_level(); level >= 1; level--) printf("%s\n", vector_of_level(level)->name);
        return 0;
    }
    Options options = {.shape = {SHAPE(1, 2, 4, 32, 0.1, MIXING_DEPTHWISE, SKIP_NONE)},
                       .vector = vector_of_level(vector_level()),
                       .batch = 128,
                       .seconds = 1,
                       .passes = true};
    for (int i = 1; i < argc; i++) read_word(argv[i], &options);
    if (options.shape.channels > CHANNELS_MAX) stop("channels: at most %d here", CHANNELS_MAX);
    must(network_check_shape(&options.shape));

    Passes passes;
    passes_new(&options, &passes);
    check_passes(&passes);
    if (options.thorough) check_windows(&passes);
    if (options.passes) time_passes(&passes, options.seconds);
    if (options.n_gathers > 0) {
        /* what training did to the parameters does not matter, but they are the same in every run */
        network_initialise(&passes.network, 3);
        network_fold_running(&passes.network);
        check_whole(&passes.network);
        double forward = seconds_a_call(forward_batch, &passes, options.seconds / 10) / (double)passes.n_patches;
        for (int i = 0; i < options.n_gathers; i++) time_gather(&options, &passes, forward, options.gather[i]);
    }
    passes_free(&passes);
    return 0;
}
