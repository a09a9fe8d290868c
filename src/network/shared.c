/* The planes of a level set, and its sums; strips and corners are in shared_edges.c. */
#include "shared_private.h"

#include "seisdcn/config.h"
#include "seisdcn/memory.h"

#include <string.h>

bool shared_serves(const NetworkShape *shape)
{
    return shape->skip == SKIP_NONE && shape->output == OUTPUT_TANH && shape->patch_size > 4 * shape->levels;
}

static const NetworkLayer *decoder(const Network *network, int64_t d)
{
    return &network->layer[network->shape.levels + d - 1];
}

/* ---- memory ---- */

static int64_t whole_lines(int64_t floats) { return (floats + 15) / 16 * 16; }

/* Gives the next `floats` of the block, or only counts them while there is none. */
static float *carve(float *block, int64_t *at, int64_t floats)
{
    float *here = block == NULL ? NULL : block + *at;
    *at += whole_lines(floats) + 16 * VECTOR_LANES_MAX / 16; /* a vector may end past its array */
    return here;
}

static void fill_sizes(Shared *s, Network *network)
{
    s->network = network;
    s->vector = network->vector;
    s->size = network->shape.patch_size;
    s->levels = network->shape.levels;
    s->code = s->size - 2 * s->levels;
    s->channels[0] = network->layer[s->levels - 1].out_channels;
    for (int64_t d = 1; d <= s->levels; d++) s->channels[d] = decoder(network, d)->out_channels;
    int64_t lines = LEVELSET_SIZE - 1 + s->size;
    s->stride = whole_lines(lines + 2 * VECTOR_LANES_MAX + 2);
    s->plane = lines * s->stride;
    s->flank_stride = LEVELSET_SIZE + 16;
}

/* Lays all arrays out in one block (NULL: only counts) and returns its floats. */
static int64_t lay_out(Shared *s, float *block)
{
    const Network *network = s->network;
    int64_t at = 0, L = s->levels, lanes = VECTOR_LANES_MAX, widest = 0;
    for (int64_t l = 1; l <= L; l++)
        s->encoder[l] = carve(block, &at, network->layer[l - 1].out_channels * s->plane + s->stride);
    s->unbounded[ROWS][0] = s->encoder[L];
    for (int way = 0; way < WAYS; way++)
        for (int64_t d = way == ROWS ? 1 : 0; d < L + (way == ROWS); d++)
            s->unbounded[way][d] = carve(block, &at, s->channels[d] * s->plane + s->stride);
    for (int64_t d = 0; d <= L; d++)
        if (s->channels[d] > widest) widest = s->channels[d];
    for (int side = 0; side < SIDES; side++)
        for (int64_t d = 1; d < L; d++) {
            s->strip[side][d] = carve(block, &at, LEVELSET_SIZE * s->channels[d] * 2 * d * s->stride);
            s->flank[side][d] =
                carve(block, &at, s->channels[d] * 2 * d * (LEVELSET_SIZE - 1 + s->size) * s->flank_stride);
        }
    for (int i = 0; i < 2; i++) {
        s->line[i] = carve(block, &at, widest * 2 * L * s->stride);
        s->tile[i] = carve(block, &at, s->plane + s->stride);
    }
    s->corner = carve(block, &at, s->channels[L] * 4 * L * L * lanes);
    for (int64_t d = 1; d <= L; d++)
        for (int k = 0; k < SIDES * SIDES; k++)
            s->stack[k / SIDES][k % SIDES][d] =
                carve(block, &at, s->channels[d - 1] * (2 * d + 2) * (2 * d + 2) * lanes);
    s->first_weight = carve(block, &at, network->layer[0].n_weights);
    for (int64_t d = 1; d <= L; d++)
        for (int way = 0; way < WAYS; way++) s->weight[way][d] = carve(block, &at, decoder(network, d)->n_weights);
    return at;
}

size_t shared_bytes(const Network *network)
{
    Shared s = {0};
    Network *unchanged = (Network *)(uintptr_t)network;
    fill_sizes(&s, unchanged);
    return (size_t)lay_out(&s, NULL) * sizeof(float);
}

/* Rows that one plane_conv may list: the input channels' rows. */
static size_t most_rows(const Shared *s)
{
    int64_t most = s->network->shape.channels;
    for (int i = 0; i < s->network->n_layers; i++)
        if (s->network->layer[i].out_channels > most) most = s->network->layer[i].out_channels;
    return (size_t)(most * (LEVELSET_SIZE - 1 + s->size));
}

/* A transposed convolution without edges is a valid one with the taps turned around and the sides exchanged. */
static void turn_weights(Shared *s, int64_t d)
{
    const NetworkLayer *layer = decoder(s->network, d);
    const float *w = s->network->parameter + layer->weight;
    int64_t nb = layer->conv.big_channels, ns = layer->conv.small_channels;
    for (int64_t g = 0; g < layer->conv.groups; g++)
        for (int64_t o = 0; o < nb; o++)
            for (int64_t i = 0; i < ns; i++)
                for (int64_t ky = 0; ky < 3; ky++)
                    for (int64_t kx = 0; kx < 3; kx++) {
                        float value = w[((g * ns + i) * nb + o) * 9 + 8 - (ky * 3 + kx)];
                        int64_t to = ((g * nb + o) * ns + i) * 9;
                        s->weight[ROWS][d][to + ky * 3 + kx] = value;
                        s->weight[COLUMNS][d][to + kx * 3 + ky] = value;
                    }
    s->bias[d] = s->network->parameter + layer->bias;
}

Status shared_new(Network *network, const bool *shared_scale, Shared **shared)
{
    Shared *s = memory_new(1, sizeof *s, "the arrays of a level set");
    *shared = s;
    if (s == NULL) return STATUS_MEMORY;
    fill_sizes(s, network);
    s->shared_scale = shared_scale;
    s->block = memory_new((size_t)lay_out(s, NULL), sizeof(float), "the arrays of a level set");
    s->rows = memory_new(most_rows(s), sizeof *s->rows, "the arrays of a level set");
    if (s->block == NULL || s->rows == NULL) {
        shared_free(s);
        *shared = NULL;
        return STATUS_MEMORY;
    }
    lay_out(s, s->block);
    for (int64_t d = 1; d <= s->levels; d++) turn_weights(s, d);
    return STATUS_OK;
}

void shared_free(Shared *shared)
{
    if (shared == NULL) return;
    memory_free(shared->block);
    memory_free(shared->rows);
    memory_free(shared);
}

/* ---- planes ---- */

/* Encoder layer l over the whole box; layer 1 reads the gather itself, its scale in the weights. */
static void encode(Shared *s, const LevelSet *set, const float *plane, int64_t plane_rows, int64_t columns)
{
    const Network *network = s->network;
    const NetworkLayer *first = &network->layer[0];
    float inverse = 1 / set->scale;
    for (int64_t o = 0; o < first->out_channels; o++)
        for (int64_t i = 0; i < first->conv.big_channels; i++) {
            int64_t channel = o / first->conv.small_channels * first->conv.big_channels + i;
            int64_t at = (o * first->conv.big_channels + i) * 9;
            float factor = s->shared_scale[channel] ? inverse : 1;
            for (int64_t k = 0; k < 9; k++) s->first_weight[at + k] = network->first_weight[at + k] * factor;
        }
    for (int64_t l = 1; l <= s->levels; l++) {
        const NetworkLayer *layer = &network->layer[l - 1];
        int64_t rows = set->rows - 1 + s->size - 2 * l;
        PlaneConv conv = {layer->conv.groups,
                          layer->conv.big_channels,
                          layer->conv.small_channels,
                          rows,
                          set->columns - 1 + s->size - 2 * l,
                          l == 1 ? s->first_weight : network->parameter + layer->weight,
                          l == 1 ? network->first_bias : network->parameter + layer->bias};
        int64_t at = 0;
        for (int64_t c = 0; c < layer->conv.groups * layer->conv.big_channels; c++)
            for (int64_t y = 0; y < rows + 2; y++)
                s->rows[at++] = l == 1 ? plane + (c * plane_rows + set->row + y) * columns + set->column
                                       : s->encoder[l - 1] + c * s->plane + y * s->stride;
        s->vector->plane_conv(&conv, s->rows, s->encoder[l], s->plane, s->stride);
    }
}

static void decode_unbounded(Shared *s, const LevelSet *set)
{
    for (int64_t d = 1; d <= s->levels; d++) {
        const ConvShape *shape = &decoder(s->network, d)->conv;
        int64_t rows = set->rows - 1 + s->code - 2 * d, at = 0;
        PlaneConv conv = {shape->groups,
                          shape->small_channels,
                          shape->big_channels,
                          rows,
                          set->columns - 1 + s->code - 2 * d,
                          s->weight[ROWS][d],
                          s->bias[d]};
        for (int64_t c = 0; c < s->channels[d - 1]; c++)
            for (int64_t y = 0; y < rows + 2; y++)
                s->rows[at++] = s->unbounded[ROWS][d - 1] + c * s->plane + y * s->stride;
        s->vector->plane_conv(&conv, s->rows, s->unbounded[ROWS][d], s->plane, s->stride);
    }
}

static void transpose_planes(Shared *s, const LevelSet *set)
{
    for (int64_t d = 0; d < s->levels; d++)
        for (int64_t c = 0; c < s->channels[d]; c++)
            s->vector->transpose(set->rows - 1 + s->code - 2 * d, set->columns - 1 + s->code - 2 * d, s->stride,
                                 s->unbounded[ROWS][d] + c * s->plane, s->unbounded[COLUMNS][d] + c * s->plane);
}

/* ---- sums ---- */

/* The middle of all windows: the unbounded last layer times how many windows have a place in their middle. */
static void add_middle(Shared *s, const LevelSet *set)
{
    int64_t edge = 2 * s->levels, width = s->size - 2 * edge;
    int64_t rows = set->rows - 1 + width, columns = set->columns - 1 + width;
    int32_t starts[LEVELSET_SIZE] = {0}; /* windows of a column that have this row in their middle */
    for (int64_t y = 0; y < rows; y++) {
        if (y < set->rows)
            for (int64_t c = 0; c < set->columns; c++) starts[c] += window_at(set->mask[y], c);
        if (y >= width)
            for (int64_t c = 0; c < set->columns; c++) starts[c] -= window_at(set->mask[y - width], c);
        const float *from = s->unbounded[ROWS][s->levels] + y * s->stride;
        float *to = s->tile[ROWS] + (edge + y) * s->stride + edge;
        int32_t covering = 0;
        for (int64_t x = 0; x < columns; x++) {
            if (x < set->columns) covering += starts[x];
            if (x >= width) covering -= starts[x - width];
            to[x] += (float)covering * from[x];
        }
    }
}

void shared_add(Shared *s, const LevelSet *set, const float *plane, int64_t plane_rows, int64_t columns, double *sum)
{
    int64_t rows = set->rows - 1 + s->size, width = set->columns - 1 + s->size;
    memset(s->tile[ROWS], 0, (size_t)(rows * s->stride) * sizeof(float));
    memset(s->tile[COLUMNS], 0, (size_t)(width * s->stride) * sizeof(float));
    encode(s, set, plane, plane_rows, columns);
    decode_unbounded(s, set);
    transpose_planes(s, set);
    add_middle(s, set);
    shared_strips(s, set);
    shared_corners(s, set);
    double scale = (double)set->scale;
    for (int64_t y = 0; y < rows; y++) {
        const float *tile = s->tile[ROWS] + y * s->stride, *turned = s->tile[COLUMNS] + y;
        double *to = sum + (set->row + y) * columns + set->column;
        for (int64_t x = 0; x < width; x++) to[x] += scale * (double)(tile[x] + turned[x * s->stride]);
    }
}

/* ---- the choice ---- */

/* Costs are counted in vectors of outputs of the layers, a convolution's and tanh's work together; corners weigh more a
 * vector for filling their stacks. Measured on field gathers; the choice only moves time, never a result. */
double shared_cost(const Shared *s, const LevelSet *set)
{
    int64_t lanes = s->vector->lanes, L = s->levels, vectors = 0, strips = 0, runs = 0, direct = 0, corners = 0;
    for (int64_t l = 1; l <= L; l++) {
        int64_t channels = s->network->layer[l - 1].out_channels, out = s->size - 2 * l;
        vectors += channels * (set->rows - 1 + out) * ((set->columns - 1 + out + lanes - 1) / lanes);
        direct += channels * out * out;
    }
    for (int64_t d = 1; d <= L; d++) {
        int64_t left = s->code - 2 * d, across = (set->columns - 1 + left + lanes - 1) / lanes;
        int64_t down = (set->rows - 1 + left + lanes - 1) / lanes;
        vectors += s->channels[d] * (set->rows - 1 + left) * across;
        strips += s->channels[d] * 4 * d * (set->rows * across + set->columns * down);
        corners += s->channels[d] * 16 * d * d;
        direct += s->channels[d] * (s->code + 2 * d) * (s->code + 2 * d);
    }
    for (int64_t r = 0; r < set->rows; r++)
        for (uint32_t mask = set->mask[r]; mask != 0; runs++) mask &= ~((uint32_t)0xf << __builtin_ctz(mask));
    int64_t groups = (runs * RUN + lanes - 1) / lanes;
    double cost = (double)vectors + 1.3 * (double)strips + 1.6 * (double)(groups * corners);
    return cost / ((double)(set->n * direct) / (double)lanes);
}
