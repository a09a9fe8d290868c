#include "predict_private.h"

#include "seisdcn/memory.h"
#include "seisdcn/mute.h"

#include <math.h>
#include <string.h>

static int64_t padded_columns(const Network *network, int64_t n_samples)
{
    return n_samples + 2 * (network->shape.patch_size - 1) + VECTOR_LANES_MAX;
}

size_t predict_bytes(const Network *network, int64_t max_fold, int64_t n_samples)
{
    size_t plane = (size_t)(predict_rows(network, max_fold) * padded_columns(network, n_samples));
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
    size_t plane = (size_t)(predict_rows(network, max_fold) * predictor->columns);
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

void predict_pad(Predictor *predictor, const float *in, int64_t fold)
{
    const Network *network = predictor->network;
    int64_t edge = network->shape.patch_size - 1, rows = predict_rows(network, fold), columns = predictor->columns;
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

void predict_box_sums(Predictor *predictor, int64_t rows, int64_t across, int64_t down)
{
    int64_t size = predictor->network->shape.patch_size, columns = predictor->columns;
    double *sum = predictor->sum, *line = predictor->line;
    for (int64_t i = 0; i < rows; i++) {
        double *row = sum + i * columns;
        memset(line, 0, (size_t)across * sizeof *line);
        for (int64_t k = 0; k < size; k++)
            for (int64_t j = 0; j < across; j++) line[j] += row[j + k];
        memcpy(row, line, (size_t)across * sizeof *line);
    }
    for (int64_t i = 0; i < down; i++) /* the rows below are still themselves */
        for (int64_t k = 1; k < size; k++)
            for (int64_t j = 0; j < across; j++) sum[i * columns + j] += sum[(i + k) * columns + j];
}

/* Sums of squares of every window over the channels that share a scale, into predictor->sum, which is free yet. Returns
 * how many values a window has. */
static int64_t sum_squares(Predictor *predictor, int64_t fold)
{
    const Network *network = predictor->network;
    int64_t size = network->shape.patch_size, rows = predict_rows(network, fold), columns = predictor->columns, n = 0;
    double *sum = predictor->sum;
    memset(sum, 0, (size_t)(rows * columns) * sizeof *sum);
    for (int64_t c = 0; c < network->shape.channels; c++) {
        if (!predictor->shared_scale[c]) continue;
        const float *plane = predictor->plane + c * rows * columns;
        for (int64_t i = 0; i < rows * columns; i++) sum[i] += (double)plane[i] * (double)plane[i];
        n += size * size;
    }
    predict_box_sums(predictor, rows, predictor->n_samples + size - 1, fold + size - 1);
    return n;
}

void predict_scales(Predictor *predictor, int64_t fold, PredictCounts *counts)
{
    const Network *network = predictor->network;
    int64_t size = network->shape.patch_size, rows = predict_rows(network, fold), columns = predictor->columns;
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

bool predict_given_up(const Predictor *predictor)
{
    return predictor->poke != NULL && predictor->poke(predictor->poke_context);
}

/* Predicts the neighbours that start in row i from column j on, one a lane: those whose scale [lanes] is above 0. */
static void run_neighbours(Predictor *predictor, int64_t fold, int64_t i, int64_t j, const float *scale)
{
    const Network *network = predictor->network;
    int64_t size = network->shape.patch_size, rows = predict_rows(network, fold), columns = predictor->columns;
    int64_t lanes = network->vector->lanes;
    float one[VECTOR_LANES_MAX] __attribute__((aligned(64)));
    for (int64_t lane = 0; lane < lanes; lane++) one[lane] = 1;
    for (int64_t c = 0; c < network->shape.channels; c++)
        network->vector->load_windows(size, size, columns, predictor->plane + (c * rows + i) * columns + j,
                                      predictor->shared_scale[c] ? scale : one,
                                      predictor->group.x + c * size * size * lanes);
    network_predict(network, &predictor->group);
    network->vector->add_windows(size, size, columns, predictor->group.output, scale, predictor->sum + i * columns + j);
}

static bool add_live_windows(Predictor *predictor, int64_t fold)
{
    const Network *network = predictor->network;
    int64_t size = network->shape.patch_size, rows = predict_rows(network, fold), columns = predictor->columns;
    int64_t lanes = network->vector->lanes, window_columns = predictor->n_samples + size - 1;
    float scale[VECTOR_LANES_MAX] __attribute__((aligned(64)));
    memset(predictor->sum, 0, (size_t)(rows * columns) * sizeof(double));
    for (int64_t i = 0; i < fold + size - 1; i++) {
        for (int64_t j = 0; j < window_columns; j += lanes) {
            const float *s = predictor->scale + i * columns + j;
            int64_t live = 0;
            for (int64_t lane = 0; lane < lanes; lane++) {
                scale[lane] = s[lane];
                live += s[lane] > 0;
            }
            if (live == 0) continue;
            run_neighbours(predictor, fold, i, j, scale);
            if (predict_given_up(predictor)) return false;
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

void predict_finish(Predictor *predictor, const float *in, int64_t fold, float *out, PredictCounts *counts)
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
    predict_pad(predictor, in, fold);
    predict_scales(predictor, fold, counts);
    if (!add_live_windows(predictor, fold)) return false;
    predict_finish(predictor, in, fold, out, counts);
    return true;
}

/* Predicts the windows of the queue, one a lane, and empties it. */
static void run_queue(Predictor *predictor, int64_t fold)
{
    const Network *network = predictor->network;
    const Vector *vector = network->vector;
    int64_t size = network->shape.patch_size, rows = predict_rows(network, fold), columns = predictor->columns;
    int64_t lanes = vector->lanes, plane = size * size;
    float *x = predictor->group.x, scale[VECTOR_LANES_MAX] __attribute__((aligned(64))) = {0};
    int64_t at[VECTOR_LANES_MAX]; /* of lanes without a window: the first's */
    for (int64_t k = 0; k < lanes; k++) {
        const int64_t *window = predictor->queue[k < predictor->queued ? k : 0];
        at[k] = window[0] * columns + window[1];
        if (k < predictor->queued) scale[k] = predictor->scale[at[k]];
    }
    for (int64_t c = 0; c < network->shape.channels; c++) {
        for (int64_t y = 0; y < size; y++) {
            const float *line[VECTOR_LANES_MAX];
            for (int64_t k = 0; k < lanes; k++) line[k] = predictor->plane + (c * rows + y) * columns + at[k];
            vector->lay_lines(size, line, x + (c * plane + y * size) * lanes);
        }
        if (predictor->shared_scale[c]) vector->divide(plane, scale, x + c * plane * lanes);
    }
    network_predict(network, &predictor->group);
    const float *z = predictor->group.output;
    int64_t whole = plane / 4 * 4; /* to x, which is free: each window by itself */
    vector->transpose(whole, lanes, lanes, z, plane, x);
    for (int64_t i = whole * lanes; i < plane * lanes; i++) x[i % lanes * plane + i / lanes] = z[i];
    for (int64_t k = 0; k < predictor->queued; k++)
        for (int64_t y = 0; y < size; y++) {
            double *to = predictor->sum + at[k] + y * columns;
            const float *from = x + k * plane + y * size;
            for (int64_t i = 0; i < size; i++) to[i] += (double)(scale[k] * from[i]);
        }
    predictor->queued = 0;
}

/* The windows that no set is worth it for; predictor->left holds their scales, negative. Whole vectors of neighbours
 * are loaded as `direct` does. */
static bool add_alone(Predictor *predictor, int64_t fold)
{
    const Network *network = predictor->network;
    int64_t size = network->shape.patch_size, columns = predictor->columns, lanes = network->vector->lanes;
    predictor->queued = 0; /* a gather that was given up may have left some */
    for (int64_t i = 0; i < fold + size - 1; i++)
        for (int64_t j = 0, step; j < predictor->n_samples + size - 1; j += step) {
            const float *left = predictor->left + i * columns + j;
            step = 1;
            if (*left == 0) continue;
            int64_t together = 0;
            while (together < lanes && left[together] < 0) together++;
            if (together == lanes) {
                float scale[VECTOR_LANES_MAX] __attribute__((aligned(64)));
                memcpy(scale, predictor->scale + i * columns + j, (size_t)lanes * sizeof *scale);
                run_neighbours(predictor, fold, i, j, scale);
                step = lanes;
            } else {
                int64_t *window = predictor->queue[predictor->queued++];
                window[0] = i;
                window[1] = j;
                if (predictor->queued < lanes) continue;
                run_queue(predictor, fold);
            }
            if (predict_given_up(predictor)) return false;
        }
    if (predictor->queued > 0) run_queue(predictor, fold);
    return true;
}

static void leave_alone(Predictor *predictor, const LevelSet *set)
{
    for (int64_t r = 0; r < set->rows; r++) {
        float *left = predictor->left + (set->row + r) * predictor->columns + set->column;
        for (uint32_t mask = set->mask[r]; mask != 0; mask &= mask - 1) left[__builtin_ctz(mask)] = -set->scale;
    }
}

/* Outside its windows a set's box may hold samples far above its scale: there the encoder would overflow. */
static bool safe_to_share(float scale, float largest) { return scale > 1e-30f && largest < 1e30f * scale; }

/* A set that promises less is left alone: the costs are estimates. */
static const double WORTH_SHARING = 0.9;

static bool add_set(Predictor *predictor, const LevelSet *set, float largest, int64_t fold, PredictCounts *counts)
{
    counts->sets++;
    if (safe_to_share(set->scale, largest) &&
        (predictor->share_all || shared_cost(predictor->shared, set) < WORTH_SHARING)) {
        shared_add(predictor->shared, set, predictor->plane, predict_rows(predictor->network, fold), predictor->columns,
                   predictor->sum);
        return !predict_given_up(predictor);
    }
    counts->alone += set->n;
    leave_alone(predictor, set);
    return true;
}

/* Gathers whose windows hardly share a scale, or networks that take no longer than the search, go the direct way. */
static bool worth_searching(const Predictor *predictor, int64_t fold)
{
    int64_t size = predictor->network->shape.patch_size, columns = predictor->columns, starts = 0, inside = 0;
    for (int64_t i = 1; i < fold + size - 1; i++) {
        const float *s = predictor->scale + i * columns, *above = s - columns;
        int32_t start = 0, same = 0;
        for (int64_t j = 1; j < predictor->n_samples + size - 1; j++) {
            int left = s[j] == s[j - 1], up = s[j] == above[j], live = s[j] > 0;
            start += live & !left & !up;
            same += live & left & up;
        }
        starts += start;
        inside += same;
    }
    return shared_worth_searching(predictor->shared, starts, inside);
}

static bool add_sets(Predictor *predictor, int64_t fold, PredictCounts *counts)
{
    int64_t size = predictor->network->shape.patch_size, columns = predictor->columns;
    int64_t rows = predict_rows(predictor->network, fold);
    memset(predictor->sum, 0, (size_t)(rows * columns) * sizeof(double));
    memcpy(predictor->left, predictor->scale, (size_t)(rows * columns) * sizeof(float));
    float largest = 0;
    for (int64_t i = 0; i < rows * columns; i++)
        if (predictor->scale[i] > largest) largest = predictor->scale[i];
    for (int64_t i = 0; i < fold + size - 1; i++)
        for (int64_t j = 0; j < predictor->n_samples + size - 1; j++) {
            if (!(predictor->left[i * columns + j] > 0)) continue;
            LevelSet set;
            levelset_take(predictor->left, fold + size - 1, predictor->n_samples + size - 1, columns, i, j, &set);
            if (!add_set(predictor, &set, largest, fold, counts)) return false;
        }
    return add_alone(predictor, fold);
}

bool predict_shared(Predictor *predictor, const float *in, int64_t fold, float *out, PredictCounts *counts)
{
    if (predictor->shared == NULL) return predict_direct(predictor, in, fold, out, counts);
    predict_pad(predictor, in, fold);
    int64_t live = counts->live;
    predict_scales(predictor, fold, counts);
    bool search = predictor->share_all || worth_searching(predictor, fold);
    if (!search) counts->alone += counts->live - live;
    if (!(search ? add_sets(predictor, fold, counts) : add_live_windows(predictor, fold))) return false;
    predict_finish(predictor, in, fold, out, counts);
    return true;
}
