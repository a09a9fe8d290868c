#include "seisdcn/predict.h"

#include "seisdcn/memory.h"
#include "seisdcn/mute.h"

#include <math.h>
#include <string.h>

static int64_t padded_rows(const Network *network, int64_t fold) { return fold + 2 * (network->shape.patch_size - 1); }

static int64_t padded_columns(const Network *network, int64_t n_samples)
{
    return n_samples + 2 * (network->shape.patch_size - 1) + VECTOR_LANES_MAX;
}

size_t predict_bytes(const Network *network, int64_t max_fold, int64_t n_samples)
{
    size_t plane = (size_t)(padded_rows(network, max_fold) * padded_columns(network, n_samples));
    return network_group_bytes(network, false) +
           plane * (((size_t)network->shape.channels + 2) * sizeof(float) + sizeof(double)) +
           (shared_serves(&network->shape) ? shared_bytes(network) : 0);
}

Status predict_new(Network *network, int64_t max_fold, int64_t n_samples, double mute_threshold, bool keep_mutes,
                   const bool *shared_scale, Predictor *predictor)
{
    memset(predictor, 0, sizeof *predictor);
    predictor->network = network;
    predictor->mute_threshold = mute_threshold;
    predictor->keep_mutes = keep_mutes;
    predictor->shared_scale = shared_scale;
    predictor->max_fold = max_fold;
    predictor->n_samples = n_samples;
    predictor->columns = padded_columns(network, n_samples);
    size_t plane = (size_t)(padded_rows(network, max_fold) * predictor->columns);
    predictor->plane = memory_new(plane * (size_t)network->shape.channels, sizeof(float), "a padded gather");
    predictor->scale = memory_new(plane, sizeof(float), "the scales of a gather's windows");
    predictor->sum = memory_new(plane, sizeof(double), "the sum over a gather's windows");
    predictor->left = memory_new(plane, sizeof(float), "the scales of a gather's windows");
    predictor->patch_scale = scale_of((ScaleKind)network->shape.scale, network->shape.scale_grid);
    predictor->line = memory_new((size_t)predictor->columns, sizeof(double), "the scales of a gather's windows");
    predictor->muted = memory_new((size_t)predictor->columns, sizeof(int32_t), "the muted windows");
    bool enough = predictor->plane != NULL && predictor->scale != NULL && predictor->sum != NULL &&
                  predictor->left != NULL && predictor->muted != NULL && predictor->line != NULL;
    Status status = enough ? network_group_new(network, false, &predictor->group) : STATUS_MEMORY;
    if (status == STATUS_OK && shared_serves(&network->shape))
        status = shared_new(network, shared_scale, &predictor->shared);
    if (status != STATUS_OK) predict_free(predictor);
    return status;
}

void predict_free(Predictor *predictor)
{
    memory_free(predictor->plane);
    memory_free(predictor->scale);
    memory_free(predictor->sum);
    memory_free(predictor->left);
    memory_free(predictor->muted);
    memory_free(predictor->line);
    shared_free(predictor->shared);
    network_group_free(&predictor->group);
    memset(predictor, 0, sizeof *predictor);
}

static void pad(Predictor *predictor, const float *in, int64_t fold)
{
    const Network *network = predictor->network;
    int64_t edge = network->shape.patch_size - 1, rows = padded_rows(network, fold), columns = predictor->columns;
    memset(predictor->plane, 0, (size_t)(network->shape.channels * rows * columns) * sizeof(float));
    for (int64_t c = 0; c < network->shape.channels; c++)
        for (int64_t t = 0; t < fold; t++)
            memcpy(predictor->plane + (c * rows + edge + t) * columns + edge,
                   in + (c * fold + t) * predictor->n_samples, (size_t)predictor->n_samples * sizeof(float));
    for (int64_t c = 0; c < network->shape.channels; c++) /* they are not scaled: once for all windows, zeros too */
        network_condition(network, c, predictor->plane + c * rows * columns, rows * columns);
}

/* Largest of `size` neighbours `step` apart, in place, by doubling the reach: value i becomes the largest of i,
 * i + step, ... i + (size - 1) step. Values from `n - (size - 1) step` on become meaningless. */
static void running_maximum(float *value, int64_t n, int64_t step, int64_t size)
{
    int64_t reach = 1;
    for (; reach < size; reach *= 2) {
        int64_t shift = 2 * reach <= size ? reach : size - reach;
        for (int64_t i = 0; i + shift * step < n; i++)
            value[i] = value[i] > value[i + shift * step] ? value[i] : value[i + shift * step];
    }
}

/* Sums of squares of every window over the channels that share a scale, into predictor->sum, which is free yet. Nothing
 * is taken off a running sum: what holds only zeros has the sum 0. Returns how many values a window has. */
static int64_t sum_squares(Predictor *predictor, int64_t fold)
{
    const Network *network = predictor->network;
    int64_t size = network->shape.patch_size, rows = padded_rows(network, fold), columns = predictor->columns;
    int64_t across = predictor->n_samples + size - 1, n = 0;
    double *sum = predictor->sum, *line = predictor->line;
    memset(sum, 0, (size_t)(rows * columns) * sizeof *sum);
    for (int64_t c = 0; c < network->shape.channels; c++) {
        if (!predictor->shared_scale[c]) continue;
        const float *plane = predictor->plane + c * rows * columns;
        for (int64_t i = 0; i < rows * columns; i++) sum[i] += (double)plane[i] * (double)plane[i];
        n += size * size;
    }
    for (int64_t i = 0; i < rows; i++) {
        double *row = sum + i * columns;
        memset(line, 0, (size_t)across * sizeof *line);
        for (int64_t k = 0; k < size; k++)
            for (int64_t j = 0; j < across; j++) line[j] += row[j + k];
        memcpy(row, line, (size_t)across * sizeof *line);
    }
    for (int64_t i = 0; i < fold + size - 1; i++) /* the rows below are still themselves */
        for (int64_t k = 1; k < size; k++)
            for (int64_t j = 0; j < across; j++) sum[i * columns + j] += sum[(i + k) * columns + j];
    return n;
}

/* The scale of every window, 0 where it is muted, and the counts. */
static void find_scales(Predictor *predictor, int64_t fold, PredictCounts *counts)
{
    const Network *network = predictor->network;
    int64_t size = network->shape.patch_size, rows = padded_rows(network, fold), columns = predictor->columns;
    int64_t window_rows = fold + size - 1, window_columns = predictor->n_samples + size - 1;
    float *scale = predictor->scale;
    memset(scale, 0, (size_t)(rows * columns) * sizeof *scale);
    for (int64_t c = 0; c < network->shape.channels; c++) {
        if (!predictor->shared_scale[c]) continue;
        const float *plane = predictor->plane + c * rows * columns;
        for (int64_t i = 0; i < rows * columns; i++) {
            float magnitude = fabsf(plane[i]);
            scale[i] = scale[i] > magnitude ? scale[i] : magnitude;
        }
    }
    for (int64_t i = 0; i < rows; i++) running_maximum(scale + i * columns, columns, 1, size);
    running_maximum(scale, rows * columns, columns, size);
    float threshold = (float)predictor->mute_threshold;
    int64_t n = predictor->patch_scale.kind == SCALE_RMS ? sum_squares(predictor, fold) : 0;
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < columns; j++) {
            float *s = &scale[i * columns + j];
            if (i >= window_rows || j >= window_columns) {
                *s = 0;
                continue;
            }
            if (*s > 0 && *s < threshold) {
                counts->faint++;
                *s = 0;
            }
            if (*s > 0) *s = scale_value(&predictor->patch_scale, *s, predictor->sum[i * columns + j], n);
            counts->live += *s > 0;
        }
    counts->windows += window_rows * window_columns;
}

static bool given_up(const Predictor *predictor)
{
    return predictor->poke != NULL && predictor->poke(predictor->poke_context);
}

static bool add_live_windows(Predictor *predictor, int64_t fold)
{
    const Network *network = predictor->network;
    const Vector *vector = network->vector;
    int64_t size = network->shape.patch_size, rows = padded_rows(network, fold), columns = predictor->columns;
    int64_t lanes = vector->lanes, window_columns = predictor->n_samples + size - 1;
    float scale[VECTOR_LANES_MAX] __attribute__((aligned(64)));
    float one[VECTOR_LANES_MAX] __attribute__((aligned(64)));
    memset(predictor->sum, 0, (size_t)(rows * columns) * sizeof(double));
    for (int64_t lane = 0; lane < VECTOR_LANES_MAX; lane++) one[lane] = 1;
    for (int64_t i = 0; i < fold + size - 1; i++) {
        for (int64_t j = 0; j < window_columns; j += lanes) {
            const float *s = predictor->scale + i * columns + j;
            int64_t live = 0;
            for (int64_t lane = 0; lane < lanes; lane++) {
                scale[lane] = s[lane];
                live += s[lane] > 0;
            }
            if (live == 0) continue;
            for (int64_t c = 0; c < network->shape.channels; c++)
                vector->load_windows(size, size, columns, predictor->plane + (c * rows + i) * columns + j,
                                     predictor->shared_scale[c] ? scale : one,
                                     predictor->group.x + c * size * size * lanes);
            network_forward(network, &predictor->group, false);
            vector->add_windows(size, size, columns, predictor->group.output, scale, predictor->sum + i * columns + j);
            if (given_up(predictor)) return false;
        }
    }
    return true;
}

/* out = (sum of live windows + gather * how many muted windows cover the sample) / P^2 */
static void add_muted_windows(Predictor *predictor, const float *in, int64_t fold, float *out)
{
    int64_t size = predictor->network->shape.patch_size, columns = predictor->columns, edge = size - 1;
    double windows = (double)(size * size);
    memset(predictor->muted, 0, (size_t)columns * sizeof *predictor->muted);
    for (int64_t i = 0; i < fold + edge; i++) {
        /* muted[j]: muted windows that start in column j of rows i - P + 1 .. i */
        for (int64_t j = 0; j < predictor->n_samples + edge; j++) {
            predictor->muted[j] += predictor->scale[i * columns + j] == 0;
            if (i >= size) predictor->muted[j] -= predictor->scale[(i - size) * columns + j] == 0;
        }
        if (i < edge) continue;
        int64_t t = i - edge, covering = 0;
        for (int64_t j = 0; j < edge; j++) covering += predictor->muted[j];
        for (int64_t k = 0; k < predictor->n_samples; k++) {
            covering += predictor->muted[k + edge];
            double g = (double)in[t * predictor->n_samples + k];
            double sum = predictor->sum[i * columns + k + edge] + g * (double)covering;
            out[t * predictor->n_samples + k] = (float)(sum / windows);
            covering -= predictor->muted[k];
        }
    }
}

static void finish(Predictor *predictor, const float *in, int64_t fold, float *out, PredictCounts *counts)
{
    const float *own = predictor->own == NULL ? in : predictor->own;
    MuteEnergy energy = {counts->energy, counts->predicted, counts->leaked};
    add_muted_windows(predictor, own, fold, out);
    mute_settle(fold * predictor->n_samples, own, predictor->keep_mutes, out, &energy);
    counts->energy = energy.input;
    counts->predicted = energy.predicted;
    counts->leaked = energy.leaked;
    counts->samples += fold * predictor->n_samples;
}

bool predict_direct(Predictor *predictor, const float *in, int64_t fold, float *out, PredictCounts *counts)
{
    pad(predictor, in, fold);
    find_scales(predictor, fold, counts);
    if (!add_live_windows(predictor, fold)) return false;
    finish(predictor, in, fold, out, counts);
    return true;
}

/* Predicts the windows of the queue, one a lane, and empties it. */
static void run_queue(Predictor *predictor, int64_t fold)
{
    const Network *network = predictor->network;
    int64_t size = network->shape.patch_size, rows = padded_rows(network, fold), columns = predictor->columns;
    int64_t lanes = network->vector->lanes, plane = size * size;
    float *x = predictor->group.x;
    float scale[VECTOR_LANES_MAX] __attribute__((aligned(64))) = {0};
    for (int64_t k = 0; k < predictor->queued; k++) {
        int64_t row = predictor->queue[k][0], column = predictor->queue[k][1];
        scale[k] = predictor->scale[row * columns + column];
        for (int64_t c = 0; c < network->shape.channels; c++)
            for (int64_t y = 0; y < size; y++) {
                const float *from = predictor->plane + (c * rows + row + y) * columns + column;
                float *to = x + (c * plane + y * size) * lanes + k;
                for (int64_t i = 0; i < size; i++) to[i * lanes] = from[i];
            }
    }
    for (int64_t c = 0; c < network->shape.channels; c++)
        if (predictor->shared_scale[c]) network->vector->divide(plane, scale, x + c * plane * lanes);
    network_forward(network, &predictor->group, false);
    for (int64_t k = 0; k < predictor->queued; k++) {
        double *to = predictor->sum + predictor->queue[k][0] * columns + predictor->queue[k][1];
        for (int64_t y = 0; y < size; y++)
            for (int64_t i = 0; i < size; i++)
                to[y * columns + i] += (double)(scale[k] * predictor->group.output[(y * size + i) * lanes + k]);
    }
    predictor->queued = 0;
}

static bool queue_set(Predictor *predictor, const LevelSet *set, int64_t fold)
{
    for (int64_t r = 0; r < set->rows; r++)
        for (uint32_t mask = set->mask[r]; mask != 0; mask &= mask - 1) {
            int64_t *window = predictor->queue[predictor->queued++];
            window[0] = set->row + r;
            window[1] = set->column + __builtin_ctz(mask);
            if (predictor->queued < predictor->network->vector->lanes) continue;
            run_queue(predictor, fold);
            if (given_up(predictor)) return false;
        }
    return true;
}

/* Outside its windows a set's box may hold samples far above its scale: there the encoder would overflow. */
static bool safe_to_share(float scale, float largest) { return scale > 1e-30f && largest < 1e30f * scale; }

static bool add_set(Predictor *predictor, const LevelSet *set, float largest, int64_t fold, PredictCounts *counts)
{
    counts->sets++;
    if (safe_to_share(set->scale, largest) && shared_cost(predictor->shared, set) < 1) {
        shared_add(predictor->shared, set, predictor->plane, padded_rows(predictor->network, fold), predictor->columns,
                   predictor->sum);
        return !given_up(predictor);
    }
    counts->alone += set->n;
    return queue_set(predictor, set, fold);
}

bool predict_shared(Predictor *predictor, const float *in, int64_t fold, float *out, PredictCounts *counts)
{
    const Network *network = predictor->network;
    if (predictor->shared == NULL) return predict_direct(predictor, in, fold, out, counts);
    int64_t size = network->shape.patch_size, rows = padded_rows(network, fold), columns = predictor->columns;
    int64_t window_rows = fold + size - 1, window_columns = predictor->n_samples + size - 1;
    pad(predictor, in, fold);
    find_scales(predictor, fold, counts);
    memset(predictor->sum, 0, (size_t)(rows * columns) * sizeof(double));
    memcpy(predictor->left, predictor->scale, (size_t)(rows * columns) * sizeof(float));
    float largest = 0;
    for (int64_t i = 0; i < rows * columns; i++)
        if (predictor->scale[i] > largest) largest = predictor->scale[i];
    predictor->queued = 0; /* a gather that was given up may have left some */
    for (int64_t i = 0; i < window_rows; i++)
        for (int64_t j = 0; j < window_columns; j++) {
            if (predictor->left[i * columns + j] == 0) continue;
            LevelSet set;
            levelset_take(predictor->left, window_rows, window_columns, columns, i, j, &set);
            if (!add_set(predictor, &set, largest, fold, counts)) return false;
        }
    if (predictor->queued > 0) run_queue(predictor, fold);
    finish(predictor, in, fold, out, counts);
    return true;
}
