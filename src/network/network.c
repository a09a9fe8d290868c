/* The table of layers, the parameters, and batch norm's fold. The passes are in pass.c. */
#include "seisdcn/network.h"

#include "seisdcn/config.h"
#include "seisdcn/memory.h"
#include "seisdcn/random.h"
#include "seisdcn/scale.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double BATCHNORM_EPSILON = 1e-5, BATCHNORM_MOMENTUM = 0.1;
static const int64_t CHANNELS_MAX = 1 << 20; /* of the deepest level; the weights stay far below 2^31 */

Status network_check_shape(const NetworkShape *shape)
{
    int64_t left = shape->patch_size - 2 * shape->levels;
    if (shape->levels < 1 || shape->levels > NETWORK_LEVELS_MAX)
        return status_fail(STATUS_CONFIG, "network.levels is %lld; 1 to %d are built", (long long)shape->levels,
                           NETWORK_LEVELS_MAX);
    if (left < 1)
        return status_fail(
            STATUS_CONFIG,
            "patch.size %lld leaves nothing behind network.levels %lld: each level takes 2 off; the patch "
            "must be at least %lld",
            (long long)shape->patch_size, (long long)shape->levels, (long long)(2 * shape->levels + 1));
    if (shape->patch_size > VECTOR_COLUMNS_MAX)
        return status_fail(STATUS_CONFIG, "patch.size %lld is above %d", (long long)shape->patch_size,
                           VECTOR_COLUMNS_MAX);
    if (shape->channels < 1 || shape->k_mult < 1)
        return status_fail(STATUS_CONFIG, "network.channels %lld and network.k_mult %lld must be at least 1",
                           (long long)shape->channels, (long long)shape->k_mult);
    if (shape->width < 0 || shape->n_out < 0 || shape->width > CHANNELS_MAX || shape->n_out > CHANNELS_MAX)
        return status_fail(STATUS_CONFIG, "network.width %lld and network.out_channels %lld must be 0 to %lld",
                           (long long)shape->width, (long long)shape->n_out, (long long)CHANNELS_MAX);
    int64_t inputs = objective_inputs(shape->objective.target), n_out = shape->n_out == 0 ? 1 : shape->n_out;
    if (shape->channels % inputs != 0 || n_out > shape->channels / inputs)
        return status_fail(STATUS_CONFIG,
                           "network.out_channels %lld is more than network.channels of a gather that goes in, %lld",
                           (long long)n_out, (long long)(shape->channels / inputs));
    const ObjectiveRule *rule = &shape->objective;
    if (!(rule->hide >= 0 && rule->hide <= 1) || rule->block < 0)
        return status_fail(STATUS_CONFIG, "train.hide %g must be 0 to 1, train.block %lld 1 or more", rule->hide,
                           (long long)rule->block);
    if (shape->scale_grid < 0 || shape->scale_grid > SCALE_GRID_MAX)
        return status_fail(STATUS_CONFIG, "patch.scale_grid %lld must be 0 to %d", (long long)shape->scale_grid,
                           SCALE_GRID_MAX);
    if (shape->width > 0) return STATUS_OK;
    int64_t deepest = shape->channels;
    for (int64_t l = 0; l < shape->levels; l++) {
        deepest = deepest > CHANNELS_MAX ? deepest : deepest * shape->k_mult;
        int64_t weights = shape->mixing == MIXING_FULL ? deepest * (deepest / shape->k_mult) : deepest;
        if (deepest > CHANNELS_MAX || weights > CHANNELS_MAX * 64)
            return status_fail(STATUS_CONFIG,
                               "network.channels %lld, k_mult %lld and levels %lld make a network of more than %lld "
                               "channels or too many weights; lower one of them",
                               (long long)shape->channels, (long long)shape->k_mult, (long long)shape->levels,
                               (long long)CHANNELS_MAX);
    }
    return STATUS_OK;
}

static int64_t common_divisor(int64_t a, int64_t b) { return b == 0 ? a : common_divisor(b, a % b); }

/* Channels between level l - 1 and l of the encoder; the decoder's outermost are the output's. */
static void level_channels(const NetworkShape *shape, int64_t encoder[NETWORK_LEVELS_MAX + 1],
                           int64_t decoder[NETWORK_LEVELS_MAX + 1])
{
    encoder[0] = shape->channels;
    for (int64_t l = 1; l <= shape->levels; l++)
        encoder[l] = shape->width > 0 ? shape->width : encoder[l - 1] * shape->k_mult;
    memcpy(decoder, encoder, (size_t)(NETWORK_LEVELS_MAX + 1) * sizeof *decoder);
    decoder[0] = shape->n_out;
}

static void fill_layers(Network *network)
{
    const NetworkShape *shape = &network->shape;
    int64_t levels = shape->levels, encoder[NETWORK_LEVELS_MAX + 1] = {0}, decoder[NETWORK_LEVELS_MAX + 1];
    level_channels(shape, encoder, decoder);
    int64_t at = 2 * shape->channels;
    network->n_layers = (int)(2 * levels);
    network->n_dropout = 0;
    for (int i = 0; i < network->n_layers; i++) {
        NetworkLayer *layer = &network->layer[i];
        layer->transposed = i >= levels;
        int64_t l = layer->transposed ? 2 * levels - i : i + 1;
        snprintf(layer->name, sizeof layer->name, "_m%d%s.0", (int)l, layer->transposed ? "T" : "");
        const int64_t *channels = layer->transposed ? decoder : encoder;
        int64_t big = channels[l - 1], small = channels[l];
        int64_t groups = shape->mixing == MIXING_FULL ? 1 : common_divisor(big, small);
        layer->conv =
            (ConvShape){groups, big / groups, small / groups, shape->patch_size - 2 * l, shape->patch_size - 2 * l};
        layer->out_channels = layer->transposed ? big : small;
        layer->n_weights = small * layer->conv.big_channels * 9;
        layer->weight = at;
        layer->bias = at + layer->n_weights;
        at = layer->bias + layer->out_channels;
        bool dropped = i < network->n_layers - 1 || !shape->undropped_last;
        layer->dropout = dropped ? network->n_dropout : -1;
        if (dropped) network->n_dropout += layer->out_channels;
    }
    network->n_parameters = at;
}

/* What channel 0 of the output depends on, from the last layer to the first. The channels of group 0, which it is in,
 * are the first of the layer before, and so their groups are the first there, too: always a piece from the start. */
static void fill_needed(Network *network)
{
    int64_t levels = network->shape.levels, wanted = 1; /* output channels of layer i that others read */
    for (int i = network->n_layers - 1; i >= 0; i--) {
        NetworkLayer *layer = &network->layer[i];
        ConvShape *needed = &layer->needed;
        *needed = layer->conv;
        int64_t out = layer->transposed ? needed->big_channels : needed->small_channels;
        int64_t in = layer->transposed ? needed->small_channels : needed->big_channels;
        if (i < levels - 1 && network->shape.skip == SKIP_ADD) {
            const ConvShape *joined = &network->layer[network->n_layers - 2 - i].needed; /* which adds y_(i+1) */
            int64_t added = joined->groups * joined->big_channels;
            wanted = wanted > added ? wanted : added;
        }
        needed->groups = (wanted + out - 1) / out;
        if (i == network->n_layers - 1) needed->big_channels = 1;
        wanted = needed->groups * in;
    }
}

Status network_new(const NetworkShape *shape, const Vector *vector, Network *network)
{
    memset(network, 0, sizeof *network);
    Status status = network_check_shape(shape);
    if (status != STATUS_OK) return status;
    network->shape = *shape;
    if (shape->n_out == 0) network->shape.n_out = shape->channels;
    network->vector = vector;
    fill_layers(network);
    fill_needed(network);
    const NetworkLayer *first = &network->layer[0], *last = &network->layer[network->n_layers - 1];
    size_t channels = (size_t)shape->channels;
    network->parameter = memory_new((size_t)network->n_parameters, sizeof(float), "the network's parameters");
    network->first_weight = memory_new((size_t)(first->n_weights + first->out_channels + last->conv.small_channels * 9),
                                       sizeof(float), "first and last layer");
    network->running_mean = memory_new(8 * channels, sizeof(double), "batch norm's statistics");
    network->raw = memory_new(channels, sizeof *network->raw, "batch norm's statistics");
    if (network->parameter == NULL || network->first_weight == NULL || network->running_mean == NULL ||
        network->raw == NULL) {
        network_free(network);
        return STATUS_MEMORY;
    }
    network->first_bias = network->first_weight + first->n_weights;
    network->last_weight = network->first_bias + first->out_channels;
    network->running_var = network->running_mean + channels;
    network->slope = network->running_var + channels;
    network->shift = network->slope + channels;
    network->mean = network->shift + channels;
    network->scale = network->mean + channels;
    network->offset = network->scale + channels;
    network->unit = network->offset + channels;
    return STATUS_OK;
}

void network_copy_state(const Network *from, Network *to)
{
    size_t channels = (size_t)from->shape.channels * sizeof(double);
    memcpy(to->parameter, from->parameter, (size_t)from->n_parameters * sizeof(float));
    memcpy(to->running_mean, from->running_mean, channels);
    memcpy(to->running_var, from->running_var, channels);
    to->n_batches = from->n_batches;
}

void network_free(Network *network)
{
    memory_free(network->parameter);
    memory_free(network->first_weight);
    memory_free(network->running_mean);
    memory_free(network->raw);
    memset(network, 0, sizeof *network);
}

void network_initialise(Network *network, int64_t seed)
{
    RandomKey key = random_key(seed, RANDOM_WEIGHTS, 0);
    int64_t channels = network->shape.channels;
    for (int64_t c = 0; c < channels; c++) {
        network->parameter[c] = 1;
        network->parameter[channels + c] = 0;
        network->running_mean[c] = 0;
        network->running_var[c] = 1;
    }
    network->n_batches = 0;
    for (int i = 0; i < network->n_layers; i++) {
        const NetworkLayer *layer = &network->layer[i];
        /* the second dimension: of Conv2d the input channels of a group, of ConvTranspose2d the output channels */
        double bound = 1 / sqrt((double)layer->conv.big_channels * 9);
        for (int64_t p = layer->weight; p < layer->bias + layer->out_channels; p++)
            network->parameter[p] = (float)(bound * (2 * random_uniform(key, (uint64_t)p, 0) - 1));
    }
}

void network_set_raw(Network *network, const bool *shared, int64_t n)
{
    for (int64_t c = 0; c < network->shape.channels; c++) network->raw[c] = !shared[c % n];
}

/* What channel c is conditioned with. */
static void choose_unit(Network *network, int64_t c, double mean, double var)
{
    int exponent = 0;
    network->offset[c] = network->raw[c] ? (double)(float)mean : 0;
    if (network->raw[c]) (void)frexp(sqrt(var + BATCHNORM_EPSILON), &exponent);
    network->unit[c] = ldexp(1, exponent);
}

void network_condition(const Network *network, int64_t c, float *values, int64_t n)
{
    if (!network->raw[c]) return;
    /* near the offset the difference is exact, and so is the product with a power of two */
    float offset = (float)network->offset[c], factor = (float)(1 / network->unit[c]);
    for (int64_t i = 0; i < n; i++) values[i] = (values[i] - offset) * factor;
}

void network_fold(Network *network, const double *mean, const double *var)
{
    const NetworkLayer *first = &network->layer[0];
    int64_t channels = network->shape.channels;
    const float *gamma = network->parameter, *beta = network->parameter + channels;
    for (int64_t c = 0; c < channels; c++) {
        choose_unit(network, c, mean[c], var[c]);
        network->mean[c] = (mean[c] - network->offset[c]) / network->unit[c];
        network->scale[c] = network->unit[c] / sqrt(var[c] + BATCHNORM_EPSILON);
        network->slope[c] = (double)gamma[c] * network->scale[c];
        network->shift[c] = (double)beta[c] - network->mean[c] * network->slope[c];
    }
    const float *weight = network->parameter + first->weight;
    for (int64_t o = 0; o < first->out_channels; o++) {
        int64_t group = o / first->conv.small_channels;
        double bias = (double)network->parameter[first->bias + o];
        for (int64_t i = 0; i < first->conv.big_channels; i++) {
            int64_t c = group * first->conv.big_channels + i;
            for (int64_t k = 0; k < 9; k++) {
                int64_t at = (o * first->conv.big_channels + i) * 9 + k;
                network->first_weight[at] = (float)((double)weight[at] * network->slope[c]);
                bias += (double)weight[at] * network->shift[c];
            }
        }
        network->first_bias[o] = (float)bias;
    }
    const NetworkLayer *last = &network->layer[network->n_layers - 1];
    for (int64_t i = 0; i < last->conv.small_channels; i++)
        memcpy(network->last_weight + i * 9, network->parameter + last->weight + i * last->conv.big_channels * 9,
               9 * sizeof(float));
}

void network_fold_running(Network *network) { network_fold(network, network->running_mean, network->running_var); }

void network_track(Network *network, const double *mean, const double *var, double n)
{
    double unbiased = n > 1 ? n / (n - 1) : 1;
    for (int64_t c = 0; c < network->shape.channels; c++) {
        double m = (1 - BATCHNORM_MOMENTUM) * network->running_mean[c] + BATCHNORM_MOMENTUM * mean[c];
        double v = (1 - BATCHNORM_MOMENTUM) * network->running_var[c] + BATCHNORM_MOMENTUM * var[c] * unbiased;
        network->running_mean[c] = (double)(float)m; /* as the file holds it: a resume goes on with the same bits */
        network->running_var[c] = (double)(float)v;
    }
    network->n_batches++;
}

void network_gradient(const Network *network, const double *sum, double n, float *gradient)
{
    const NetworkLayer *first = &network->layer[0];
    int64_t channels = network->shape.channels;
    for (int64_t p = 2 * channels; p < network->n_parameters; p++) gradient[p] = (float)(sum[p] / n);
    const float *weight = network->parameter + first->weight;
    for (int64_t c = 0; c < channels; c++) {
        int64_t group = c / first->conv.big_channels, i = c % first->conv.big_channels;
        double gamma = 0, beta = 0;
        for (int64_t k = 0; k < first->conv.small_channels; k++) {
            int64_t o = group * first->conv.small_channels + k;
            double bias = sum[first->bias + o];
            for (int64_t tap = 0; tap < 9; tap++) {
                int64_t at = (o * first->conv.big_channels + i) * 9 + tap;
                double raw = sum[first->weight + at];
                gradient[first->weight + at] = (float)((network->slope[c] * raw + network->shift[c] * bias) / n);
                gamma += (double)weight[at] * (raw - network->mean[c] * bias) * network->scale[c];
                beta += (double)weight[at] * bias;
            }
        }
        gradient[c] = (float)(gamma / n);
        gradient[channels + c] = (float)(beta / n);
    }
}
