/* The planes of a level set, and its sums; strips and corners are in shared_edges.c.
 *
 * What was measured (AVX2 on Zen 3, a field gather): where a set's arrays lie binds as much as arithmetic, since they
 * outgrow the second cache. So rows are as long as the set's own box wants them; the corners of a row follow its strips
 * instead of waiting for all strips of the set (7 % less time); a row's flanks lie together, and only two stacks are
 * alive (3 to 6 %). tanh inside the blocks of plane_conv, in registers, gained nothing that could be told from noise
 * and made them several times larger; neither did blocks cut without divisions. */
#include "shared_private.h"

#include "seisdcn/config.h"
#include "seisdcn/memory.h"

#include <string.h>

bool shared_serves(const NetworkShape *shape) { return shape->patch_size > 4 * shape->levels; }

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

/* For a box of a set. Vectors and runs end up to a vector and 8 floats past a row's end. */
static void fill_strides(Shared *s, int64_t rows, int64_t columns)
{
    int64_t lines[WAYS] = {rows - 1 + s->size, columns - 1 + s->size};
    for (int way = 0; way < WAYS; way++) {
        int64_t lanes = s->vector->lanes;
        s->stride[way] = (lines[!way] + lanes + 8 + lanes - 1) / lanes * lanes;
        s->plane[way] = lines[way] * s->stride[way];
    }
    s->flank_stride = (columns + RUN + 3) / 4 * 4;
}

static void fill_sizes(Shared *s, Network *network)
{
    s->network = network;
    s->vector = network->vector;
    s->size = network->shape.patch_size;
    s->levels = network->shape.levels;
    s->code = s->size - 2 * s->levels;
    s->skip = network->shape.skip == SKIP_ADD;
    for (int64_t l = 1; l <= s->levels; l++) {
        const ConvShape *needed = &network->layer[l - 1].needed;
        s->encode[l] = (PlaneConv){
            .groups = needed->groups, .in_channels = needed->big_channels, .out_channels = needed->small_channels};
    }
    s->channels[0] = shared_channels_out(&s->encode[s->levels]);
    for (int64_t d = 1; d <= s->levels; d++) {
        const ConvShape *needed = &decoder(network, d)->needed;
        s->decode[ROWS][d] = (PlaneConv){.groups = needed->groups,
                                         .in_channels = needed->small_channels,
                                         .out_channels = needed->big_channels,
                                         .linear = d == s->levels && network->shape.output == OUTPUT_LINEAR};
        s->channels[d] = shared_channels_out(&s->decode[ROWS][d]);
    }
    fill_strides(s, LEVELSET_SIZE, LEVELSET_SIZE);
}

/* Arrays are as large as the largest box wants them; blocks of 4 x 4 may end past a plane. */
static void lay_out_planes(Shared *s, float *block, int64_t *at)
{
    int64_t L = s->levels, plane = s->plane[ROWS], slack = 4 * s->stride[ROWS];
    for (int64_t l = 1; l <= L; l++)
        s->encoder[ROWS][l] = carve(block, at, shared_channels_out(&s->encode[l]) * plane + slack);
    for (int64_t l = 1; l < L && s->skip; l++)
        s->encoder[COLUMNS][l] = carve(block, at, s->channels[L - l] * plane + slack);
    s->unbounded[ROWS][0] = s->encoder[ROWS][L];
    for (int way = 0; way < WAYS; way++) {
        for (int64_t d = way == ROWS ? 1 : 0; d < L + (way == ROWS); d++)
            s->unbounded[way][d] = carve(block, at, s->channels[d] * plane + slack);
        s->tile[way] = carve(block, at, plane + slack);
    }
}

/* Lays all arrays out in one block (NULL: only counts) and returns its floats. */
static int64_t lay_out(Shared *s, float *block)
{
    int64_t at = 0, L = s->levels, lanes = VECTOR_LANES_MAX, stride = s->stride[ROWS];
    lay_out_planes(s, block, &at);
    for (int side = 0; side < SIDES; side++)
        for (int64_t d = 1; d < L; d++) {
            s->strip[side][d] = carve(block, &at, COLUMN_SLOTS * s->channels[d] * 2 * d * stride);
            s->flank[side][d] =
                carve(block, &at, (LEVELSET_SIZE + 3 + s->size) * s->channels[d] * 2 * d * s->flank_stride);
        }
    s->line = carve(block, &at, 2 * L * stride);
    s->corner = carve(block, &at, 4 * L * L * lanes);
    int64_t added = 0;
    for (int64_t d = 1; d < L && s->skip; d++)
        if (s->channels[d] * 4 * d * d > added) added = s->channels[d] * 4 * d * d;
    s->added = carve(block, &at, added * lanes);
    int64_t most = 0;
    for (int64_t d = 1; d <= L; d++)
        if (s->channels[d - 1] * (2 * d + 2) * (2 * d + 2) > most)
            most = s->channels[d - 1] * (2 * d + 2) * (2 * d + 2);
    for (int i = 0; i < 2; i++) s->stack[i] = carve(block, &at, most * lanes);
    s->first_weight = carve(block, &at, s->network->layer[0].n_weights);
    for (int way = 0; way < WAYS; way++)
        for (int64_t d = 1; d <= L; d++) {
            s->decode[way][d] = s->decode[ROWS][d];
            s->decode[way][d].weight = carve(block, &at, s->channels[d] * s->decode[way][d].in_channels * 9);
        }
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
    for (int64_t l = 1; l <= s->levels; l++) {
        if (shared_channels_out(&s->encode[l]) > most) most = shared_channels_out(&s->encode[l]);
        if (s->channels[l] > most) most = s->channels[l];
    }
    return (size_t)(most * (LEVELSET_SIZE - 1 + s->size));
}

/* A transposed convolution without edges is a valid one with the taps turned around and the sides exchanged. */
static void turn_weights(Shared *s, int64_t d, float *rows, float *columns)
{
    const NetworkLayer *layer = decoder(s->network, d);
    const float *w = s->network->parameter + layer->weight;
    const PlaneConv *conv = &s->decode[ROWS][d];
    int64_t all = layer->conv.big_channels, no = conv->out_channels, ni = conv->in_channels;
    for (int64_t k = 0; k < conv->groups * no * ni * 9; k++) {
        int64_t tap = k % 9, i = k / 9 % ni, o = k / 9 / ni % no, g = k / 9 / ni / no;
        float value = w[((g * ni + i) * all + o) * 9 + 8 - tap];
        rows[k] = value;
        columns[k - tap + tap % 3 * 3 + tap / 3] = value;
    }
}

static void fill_convs(Shared *s)
{
    const Network *network = s->network;
    for (int64_t l = 1; l <= s->levels; l++) {
        s->encode[l].weight = l == 1 ? s->first_weight : network->parameter + network->layer[l - 1].weight;
        s->encode[l].bias = l == 1 ? network->first_bias : network->parameter + network->layer[l - 1].bias;
    }
    for (int64_t d = 1; d <= s->levels; d++) {
        PlaneConv *rows = &s->decode[ROWS][d], *columns = &s->decode[COLUMNS][d];
        turn_weights(s, d, (float *)(uintptr_t)rows->weight, (float *)(uintptr_t)columns->weight);
        rows->bias = columns->bias = network->parameter + decoder(network, d)->bias;
    }
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
    fill_convs(s);
    s->direct_cost = shared_direct_cost(s);
    s->corner_cost = shared_corner_cost(s);
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
    const PlaneConv *first = &s->encode[1];
    float inverse = 1 / set->scale;
    for (int64_t k = 0; k < shared_channels_out(first) * first->in_channels * 9; k++) {
        int64_t i = k / 9 % first->in_channels, o = k / 9 / first->in_channels;
        int64_t channel = o / first->out_channels * first->in_channels + i;
        s->first_weight[k] = s->network->first_weight[k] * (s->shared_scale[channel] ? inverse : 1);
    }
    for (int64_t l = 1; l <= s->levels; l++) {
        PlaneConv conv = s->encode[l];
        int64_t at = 0;
        conv.rows = set->rows - 1 + s->size - 2 * l;
        conv.cols = set->columns - 1 + s->size - 2 * l;
        for (int64_t c = 0; c < shared_channels_in(&conv); c++)
            for (int64_t y = 0; y < conv.rows + 2; y++)
                s->rows[at++] = l == 1 ? plane + (c * plane_rows + set->row + y) * columns + set->column
                                       : s->encoder[ROWS][l - 1] + c * s->plane[ROWS] + y * s->stride[ROWS];
        s->vector->plane_conv(&conv, s->rows, s->encoder[ROWS][l], s->plane[ROWS], s->stride[ROWS]);
    }
}

void shared_skip(const Shared *s, int way, int64_t d, int64_t row, int64_t column, PlaneConv *conv)
{
    if (!s->skip || d == s->levels) return;
    conv->add = s->encoder[way][s->levels - d] + row * s->stride[way] + column;
    conv->add_plane = s->plane[way];
    conv->add_stride = s->stride[way];
}

static void decode_unbounded(Shared *s, const LevelSet *set)
{
    int64_t plane = s->plane[ROWS], stride = s->stride[ROWS];
    for (int64_t d = 1; d <= s->levels; d++) {
        PlaneConv conv = s->decode[ROWS][d];
        int64_t at = 0;
        conv.rows = set->rows - 1 + s->code - 2 * d;
        conv.cols = set->columns - 1 + s->code - 2 * d;
        shared_skip(s, ROWS, d, 2 * d, 2 * d, &conv);
        for (int64_t c = 0; c < shared_channels_in(&conv); c++)
            for (int64_t y = 0; y < conv.rows + 2; y++)
                s->rows[at++] = s->unbounded[ROWS][d - 1] + c * plane + y * stride;
        s->vector->plane_conv(&conv, s->rows, s->unbounded[ROWS][d], plane, stride);
    }
}

static void transpose(const Shared *s, int64_t channels, int64_t rows, int64_t cols, const float *in, float *out)
{
    for (int64_t c = 0; c < channels; c++)
        s->vector->transpose(rows, cols, s->stride[ROWS], in + c * s->plane[ROWS], s->stride[COLUMNS],
                             out + c * s->plane[COLUMNS]);
}

static void transpose_planes(Shared *s, const LevelSet *set)
{
    int64_t rows = set->rows - 1, columns = set->columns - 1, L = s->levels;
    for (int64_t d = 0; d < L; d++)
        transpose(s, shared_channels_in(&s->decode[ROWS][d + 1]), rows + s->code - 2 * d, columns + s->code - 2 * d,
                  s->unbounded[ROWS][d], s->unbounded[COLUMNS][d]);
    for (int64_t l = 1; l < L && s->skip; l++)
        transpose(s, s->channels[L - l], rows + s->size - 2 * l, columns + s->size - 2 * l, s->encoder[ROWS][l],
                  s->encoder[COLUMNS][l]);
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
        const float *from = s->unbounded[ROWS][s->levels] + y * s->stride[ROWS];
        float *to = s->tile[ROWS] + (edge + y) * s->stride[ROWS] + edge;
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
    fill_strides(s, set->rows, set->columns);
    for (int way = 0; way < WAYS; way++) memset(s->tile[way], 0, (size_t)s->plane[way] * sizeof(float));
    encode(s, set, plane, plane_rows, columns);
    decode_unbounded(s, set);
    transpose_planes(s, set);
    add_middle(s, set);
    shared_edges(s, set);
    float *turned = s->unbounded[ROWS][s->levels]; /* free by now */
    s->vector->transpose(width, rows, s->stride[COLUMNS], s->tile[COLUMNS], s->stride[ROWS], turned);
    double scale = (double)set->scale;
    for (int64_t y = 0; y < rows; y++) {
        const float *tile = s->tile[ROWS] + y * s->stride[ROWS], *other = turned + y * s->stride[ROWS];
        double *to = sum + (set->row + y) * columns + set->column;
        for (int64_t x = 0; x < width; x++) to[x] += scale * (double)(tile[x] + other[x]);
    }
}

int64_t shared_pass_most(const Shared *shared) { return LEVELSET_SIZE - 1 + shared->size - 4 * shared->levels; }

void shared_pass(Shared *s, const SharedPass *box, const float *plane, int64_t plane_rows, int64_t columns, float *out,
                 int64_t out_stride)
{
    int64_t middle = s->size - 4 * s->levels; /* of a window: what a single one would make */
    LevelSet set = {.row = box->row,
                    .column = box->column,
                    .rows = box->rows > middle ? box->rows - middle + 1 : 1,
                    .columns = box->columns > middle ? box->columns - middle + 1 : 1,
                    .scale = 1};
    fill_strides(s, set.rows, set.columns);
    encode(s, &set, plane, plane_rows, columns);
    decode_unbounded(s, &set);
    for (int64_t y = 0; y < box->rows; y++)
        memcpy(out + y * out_stride, s->unbounded[ROWS][s->levels] + y * s->stride[ROWS],
               (size_t)box->columns * sizeof *out);
}
