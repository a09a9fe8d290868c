/* Forward and backward over one group of patches in lanes. */
#include "seisdcn/network.h"

#include "seisdcn/config.h"
#include "seisdcn/memory.h"
#include "seisdcn/random.h"

#include <string.h>

static int64_t out_positions(const NetworkLayer *layer)
{
    int64_t grow = layer->transposed ? 2 : 0;
    return (layer->conv.rows + grow) * (layer->conv.cols + grow);
}

static bool has_sum(const Network *network, int i)
{
    /* z_l + y_(l-1) for l = L .. 2: every decoder layer but the last */
    return network->shape.skip == SKIP_ADD && network->layer[i].transposed && i < network->n_layers - 1;
}

/* The loss compares with raw channels of the input themselves. */
static bool keeps_raw(const Network *network)
{
    bool keeps = false;
    for (int64_t c = 0; c < network->shape.n_out; c++) keeps = keeps || network->raw[c];
    return keeps;
}

/* Floats of one channel. */
static int64_t plane_floats(const Network *network)
{
    return network->shape.patch_size * network->shape.patch_size * network->vector->lanes;
}

typedef struct {
    int64_t activation[2 * NETWORK_LEVELS_MAX], kept, factor, gradient, total;
} GroupLayout;

/* Where everything of a group lies in its block, in floats. */
static GroupLayout group_layout(const Network *network, bool training)
{
    GroupLayout layout = {0};
    int64_t lanes = network->vector->lanes;
    int64_t total = network->shape.channels * plane_floats(network);
    for (int i = 0; i < network->n_layers; i++) {
        const NetworkLayer *layer = &network->layer[i];
        layout.activation[i] = total;
        total += layer->out_channels * out_positions(layer) * lanes * (has_sum(network, i) ? 2 : 1);
    }
    layout.kept = total;
    layout.factor = layout.kept + (keeps_raw(network) ? network->shape.n_out * plane_floats(network) : 0);
    layout.gradient = layout.factor + network->n_dropout * lanes;
    layout.total = layout.gradient + (training ? network->n_parameters * lanes : 0);
    return layout;
}

size_t network_group_bytes(const Network *network, bool training)
{
    return (size_t)group_layout(network, training).total * sizeof(float);
}

Status network_group_new(const Network *network, bool training, NetworkGroup *group)
{
    memset(group, 0, sizeof *group);
    GroupLayout layout = group_layout(network, training);
    int64_t lanes = network->vector->lanes;
    group->block = memory_new((size_t)layout.total, sizeof(float), "the activations of a group of patches");
    if (group->block == NULL) return STATUS_MEMORY;
    group->x = group->block;
    for (int i = 0; i < network->n_layers; i++) {
        const NetworkLayer *layer = &network->layer[i];
        group->activation[i] = group->block + layout.activation[i];
        if (has_sum(network, i))
            group->sum[i] = group->activation[i] + layer->out_channels * out_positions(layer) * lanes;
    }
    group->output = group->activation[network->n_layers - 1];
    group->kept = keeps_raw(network) ? group->block + layout.kept : NULL;
    group->factor = group->block + layout.factor;
    group->gradient = training ? group->block + layout.gradient : NULL;
    return STATUS_OK;
}

void network_group_free(NetworkGroup *group)
{
    memory_free(group->block);
    memset(group, 0, sizeof *group);
}

void network_draw_dropout(const Network *network, NetworkGroup *group, int lane, int64_t seed, int64_t epoch,
                          const int64_t patch[3])
{
    int64_t lanes = network->vector->lanes;
    double p = network->shape.dropout;
    /* a word w is dropped where w < p * 2^32 */
    uint64_t threshold = (uint64_t)(p * 4294967296.0);
    float keep = (float)(1 / (1 - p));
    RandomKey key = random_key(seed, RANDOM_DROPOUT, epoch);
    for (int64_t c = 0; c < network->n_dropout; c += 4) {
        RandomBlock block = random_block(key, (uint32_t)patch[0], (uint32_t)patch[1], (uint32_t)patch[2],
                                         (uint32_t)(c / 4) | (uint32_t)(patch[0] >> 32) << 24);
        for (int64_t k = 0; k < 4 && c + k < network->n_dropout; k++)
            group->factor[(c + k) * lanes + lane] = block.word[k] < threshold ? 0 : keep;
    }
}

/* What layer i reads: the output of the one before, or its sum with the encoder's. */
static const float *input_of(const Network *network, const NetworkGroup *group, int i)
{
    if (i == 0) return group->x;
    return has_sum(network, i - 1) ? group->sum[i - 1] : group->activation[i - 1];
}

/* The dropout factors [channel][lane] of layer i; NULL where there are none. */
static const float *factor_of(const Network *network, const NetworkGroup *group, int i, bool dropout)
{
    int64_t at = network->layer[i].dropout;
    return dropout && at >= 0 ? group->factor + at * network->vector->lanes : NULL;
}

/* The encoder layer whose output is added to decoder layer i's: y_(l-1) to z_l. */
static int partner_of(const Network *network, int i) { return network->n_layers - 2 - i; }

/* All of the output, or with first_only = true what network_predict() promises. */
static void forward(const Network *network, NetworkGroup *group, bool dropout, bool first_only)
{
    for (int i = 0; i < network->n_layers; i++) {
        NetworkLayer layer = network->layer[i];
        bool last = i == network->n_layers - 1, linear = last && network->shape.output == OUTPUT_LINEAR;
        const float *weight = i == 0 ? network->first_weight : network->parameter + layer.weight;
        const float *bias = i == 0 ? network->first_bias : network->parameter + layer.bias;
        if (first_only) {
            layer.conv = layer.needed;
            if (last) weight = network->last_weight;
        }
        ConvFinish finish = {.kind = linear ? FINISH_LINEAR : FINISH_TANH,
                             .bias = bias,
                             .factor = factor_of(network, group, i, dropout)};
        if (has_sum(network, i)) {
            finish.add = group->activation[partner_of(network, i)];
            finish.joined = group->sum[i];
        }
        const float *in = input_of(network, group, i);
        if (layer.transposed)
            network->vector->expand(&layer.conv, weight, in, group->activation[i], &finish);
        else
            network->vector->contract(&layer.conv, weight, in, group->activation[i], &finish);
    }
}

void network_forward(const Network *network, NetworkGroup *group, bool dropout)
{
    forward(network, group, dropout, false);
}

void network_predict(const Network *network, NetworkGroup *group) { forward(network, group, false, true); }

void network_condition_group(const Network *network, NetworkGroup *group)
{
    int64_t plane = plane_floats(network);
    for (int64_t c = 0; c < network->shape.channels; c++) {
        if (!network->raw[c]) continue;
        if (c < network->shape.n_out && group->target == NULL)
            memcpy(group->kept + c * plane, group->x + c * plane, (size_t)plane * sizeof(float));
        network_condition(network, c, group->x + c * plane, plane);
    }
}

/* The loss of each channel, and with gradient = true what the last layer passes back. */
static void output_loss(const Network *network, NetworkGroup *group, bool gradient, const float *factor, int64_t live,
                        double *error, float *total)
{
    int64_t lanes = network->vector->lanes, size = network->shape.patch_size, channels = network->shape.n_out;
    int64_t plane = size * size;
    float scale = (float)(2.0 / (double)(channels * plane));
    double sum[VECTOR_LANES_MAX] __attribute__((aligned(64))) = {0};
    for (int64_t c = 0; c < channels; c++) {
        int64_t at = c * plane * lanes;
        const float *target = group->target != NULL ? group->target : network->raw[c] ? group->kept : group->x;
        float lane_factor[VECTOR_LANES_MAX] __attribute__((aligned(64))); /* 0 keeps a dead lane's gradients at 0 */
        for (int64_t lane = 0; lane < lanes; lane++)
            lane_factor[lane] = lane >= live ? 0 : factor == NULL ? 1 : factor[c * lanes + lane];
        network->vector->loss(plane, target + at, group->weight == NULL ? NULL : group->weight + at, lane_factor, scale,
                              gradient, network->shape.output == OUTPUT_LINEAR, group->output + at, sum,
                              total == NULL ? NULL : total + c * lanes);
    }
    for (int64_t lane = 0; lane < lanes; lane++) error[lane] = sum[lane] / (double)(channels * plane);
}

void network_loss(const Network *network, NetworkGroup *group, double *error)
{
    output_loss(network, group, false, NULL, network->vector->lanes, error, NULL);
}

void network_backward(const Network *network, NetworkGroup *group, bool dropout, int64_t live, double *error)
{
    const Vector *vector = network->vector;
    int64_t lanes = vector->lanes;
    float *bias_gradient[2 * NETWORK_LEVELS_MAX];
    for (int i = 0; i < network->n_layers; i++) {
        const NetworkLayer *layer = &network->layer[i];
        bias_gradient[i] = group->gradient + layer->bias * lanes;
        memset(bias_gradient[i], 0, (size_t)(layer->out_channels * lanes) * sizeof(float));
    }
    int last = network->n_layers - 1;
    output_loss(network, group, true, factor_of(network, group, last, dropout), live, error, bias_gradient[last]);
    for (int i = network->n_layers - 1; i >= 0; i--) {
        const NetworkLayer *layer = &network->layer[i];
        float *delta = group->activation[i]; /* by now the gradient at this layer's sums */
        const float *in = input_of(network, group, i);
        float *gradient = group->gradient + layer->weight * lanes;
        if (layer->transposed)
            network->vector->gradient(&layer->conv, delta, in, gradient);
        else
            network->vector->gradient(&layer->conv, in, delta, gradient);
        if (i == 0) break;
        /* the gradient at the sums of the layer before, over its own output */
        const NetworkLayer *before = &network->layer[i - 1];
        float *out = group->activation[i - 1];
        ConvFinish finish = {.kind = FINISH_TANH_GRADIENT,
                             .factor = factor_of(network, group, i - 1, dropout),
                             .total = bias_gradient[i - 1]};
        const float *weight = network->parameter + layer->weight;
        int64_t n = before->out_channels * out_positions(before);
        if (has_sum(network, i - 1)) {
            /* first the gradient at z_l + y_(l-1), kept for the encoder, then through z_l's tanh */
            ConvFinish plain = {.kind = FINISH_LINEAR};
            network->vector->contract(&layer->conv, weight, delta, group->sum[i - 1], &plain);
            for (int64_t c = 0; c < before->out_channels; c++)
                vector->finish(c, n / before->out_channels, group->sum[i - 1] + c * n / before->out_channels * lanes,
                               out + c * n / before->out_channels * lanes, &finish);
        } else if (layer->transposed) {
            network->vector->contract(&layer->conv, weight, delta, out, &finish);
        } else {
            int partner = partner_of(network, i - 1); /* the decoder layer that y_(l-1) was added to */
            if (partner < network->n_layers - 1 && has_sum(network, partner)) finish.add = group->sum[partner];
            network->vector->expand(&layer->conv, weight, delta, out, &finish);
        }
    }
}
