#include "seisdcn/batch.h"

#include "seisdcn/memory.h"

#include <inttypes.h>
#include <string.h>

static int64_t group_floats(const Batch *batch)
{
    return batch->n_channels * batch->patch_size * batch->patch_size * batch->vector->lanes;
}

static int64_t groups_of(const Vector *vector, int64_t n) { return (n + vector->lanes - 1) / vector->lanes; }

size_t batch_bytes(const Vector *vector, int64_t n_channels, int64_t patch_size, int64_t capacity)
{
    int64_t floats = groups_of(vector, capacity) * n_channels * patch_size * patch_size * vector->lanes;
    return (size_t)floats * sizeof(float);
}

Status batch_new(const Vector *vector, int64_t n_channels, int64_t patch_size, int64_t capacity, Batch *batch)
{
    memset(batch, 0, sizeof *batch);
    batch->vector = vector;
    batch->n_channels = n_channels;
    batch->patch_size = patch_size;
    batch->capacity = capacity;
    batch->scale = scale_of(SCALE_MAX, 0);
    batch->x = memory_new((size_t)(groups_of(vector, capacity) * group_floats(batch)), sizeof(float), "a batch");
    batch->sum = memory_new((size_t)n_channels, sizeof *batch->sum, "a batch");
    batch->square = memory_new((size_t)n_channels, sizeof *batch->square, "a batch");
    if (batch->x != NULL && batch->sum != NULL && batch->square != NULL) return STATUS_OK;
    batch_free(batch);
    return STATUS_MEMORY;
}

void batch_free(Batch *batch)
{
    memory_free(batch->x);
    memory_free(batch->sum);
    memory_free(batch->square);
    memset(batch, 0, sizeof *batch);
}

float *batch_group(const Batch *batch, int64_t g) { return batch->x + g * group_floats(batch); }

static const float *patch_row(const float *gather, int64_t fold, int64_t n_samples, const IndexRow *row, int64_t c,
                              int64_t y)
{
    return gather + (c * fold + row->trace + y) * n_samples + row->sample;
}

static const float zeros[VECTOR_COLUMNS_MAX];

/* Copies the patches of a group's live lanes, row by row over the lanes. */
static void copy_patches(const Batch *batch, const float *const *gather, const int64_t *fold, int64_t n_samples,
                         const IndexRow *row, int64_t live, float *x)
{
    int64_t size = batch->patch_size, lanes = batch->vector->lanes;
    for (int64_t c = 0; c < batch->n_channels; c++)
        for (int64_t y = 0; y < size; y++) {
            const float *line[VECTOR_LANES_MAX];
            for (int64_t lane = 0; lane < lanes; lane++)
                line[lane] = lane < live ? patch_row(gather[lane], fold[lane], n_samples, &row[lane], c, y) : zeros;
            batch->vector->lay_lines(size, line, x + (c * size + y) * size * lanes);
        }
}

/* The same for one lane. */
static void copy_patch(const Batch *batch, const float *gather, int64_t fold, int64_t n_samples, const IndexRow *row,
                       float *x)
{
    int64_t size = batch->patch_size, lanes = batch->vector->lanes;
    for (int64_t c = 0; c < batch->n_channels; c++)
        for (int64_t y = 0; y < size; y++) {
            const float *from = patch_row(gather, fold, n_samples, row, c, y);
            float *to = x + (c * size + y) * size * lanes;
            for (int64_t i = 0; i < size; i++) to[i * lanes] = from[i];
        }
}

static bool shares_scale(const Survey *survey, int64_t c) { return c == 0 || survey->attribute[c - 1].shared_scale; }

/* The scale of each lane's patch. */
static void find_scales(const Batch *batch, const Survey *survey, const float *x, float *scale)
{
    int64_t plane = batch->patch_size * batch->patch_size, lanes = batch->vector->lanes, n = 0;
    double sum[VECTOR_LANES_MAX] __attribute__((aligned(64))), square[VECTOR_LANES_MAX] __attribute__((aligned(64)));
    double total[VECTOR_LANES_MAX] = {0};
    for (int64_t c = 0; c < batch->n_channels; c++) {
        if (!shares_scale(survey, c)) continue;
        n += plane;
        if (batch->scale.kind == SCALE_MAX) {
            batch->vector->magnitude(plane, x + c * plane * lanes, scale);
        } else {
            batch->vector->moments(plane, x + c * plane * lanes, sum, square);
            for (int64_t lane = 0; lane < lanes; lane++) total[lane] += square[lane];
        }
    }
    for (int64_t lane = 0; lane < lanes; lane++) scale[lane] = scale_value(&batch->scale, scale[lane], total[lane], n);
}

static void scale_group(const Batch *batch, const Survey *survey, float *x)
{
    int64_t plane = batch->patch_size * batch->patch_size, lanes = batch->vector->lanes;
    float scale[VECTOR_LANES_MAX] __attribute__((aligned(64))) = {0};
    find_scales(batch, survey, x, scale);
    for (int64_t c = 0; c < batch->n_channels; c++)
        if (shares_scale(survey, c)) batch->vector->divide(plane, scale, x + c * plane * lanes);
}

static Status add_moments(Batch *batch, const Survey *survey, const IndexRow *row, int64_t live, const float *x)
{
    int64_t plane = batch->patch_size * batch->patch_size, lanes = batch->vector->lanes;
    double sum[VECTOR_LANES_MAX] __attribute__((aligned(64))), square[VECTOR_LANES_MAX] __attribute__((aligned(64)));
    for (int64_t c = 0; c < batch->n_channels; c++) {
        batch->vector->moments(plane, x + c * plane * lanes, sum, square);
        for (int64_t lane = 0; lane < live; lane++)
            if (!exact_add(&batch->sum[c], sum[lane]) || !exact_add(&batch->square[c], square[lane])) {
                char name[96];
                return status_fail(STATUS_DATA,
                                   "%s: channel %" PRId64 " (%s) is too large around trace %" PRId64 ", sample %" PRId64
                                   " of %s to be taken unscaled; give the attribute smaller units or scale = shared",
                                   survey->path, c, c == 0 ? "amplitude" : survey->attribute[c - 1].name,
                                   row[lane].trace, row[lane].sample,
                                   survey_ensemble_name(survey, row[lane].ensemble, name));
            }
    }
    return STATUS_OK;
}

Status batch_start(Batch *batch, const IndexRow *rows, int64_t n)
{
    batch->rows = rows;
    batch->n = n <= batch->capacity ? n : 0;
    memset(batch->sum, 0, (size_t)batch->n_channels * sizeof *batch->sum);
    memset(batch->square, 0, (size_t)batch->n_channels * sizeof *batch->square);
    if (n <= batch->capacity) return STATUS_OK;
    return status_fail(STATUS_BUG, "a batch of %" PRId64 " patches where %" PRId64 " were expected", n,
                       batch->capacity);
}

int64_t batch_groups(const Batch *batch) { return groups_of(batch->vector, batch->n); }

Status batch_load_group(Batch *batch, int64_t g, Gathers *gathers)
{
    const Survey *survey = gathers->survey;
    int64_t lanes = batch->vector->lanes, first = g * lanes;
    int64_t live = batch->n - first < lanes ? batch->n - first : lanes;
    const IndexRow *row = batch->rows + first;
    const float *gather[VECTOR_LANES_MAX];
    int64_t fold[VECTOR_LANES_MAX];
    float *x = batch_group(batch, g);
    if (live < lanes) memset(x, 0, (size_t)group_floats(batch) * sizeof *x);
    /* where the next gather may push this one out of the store: copy lane by lane */
    bool all_stay = true;
    for (int64_t lane = 0; lane < live; lane++) all_stay = all_stay && gathers_stays(gathers, row[lane].ensemble);
    for (int64_t lane = 0; lane < live; lane++) {
        Status status = gathers_get(gathers, row[lane].ensemble, &gather[lane]);
        if (status != STATUS_OK) return status;
        fold[lane] = survey_fold(survey, row[lane].ensemble);
        if (!all_stay) copy_patch(batch, gather[lane], fold[lane], survey->n_samples, &row[lane], x + lane);
    }
    if (all_stay) copy_patches(batch, gather, fold, survey->n_samples, row, live, x);
    scale_group(batch, survey, x);
    return add_moments(batch, survey, row, live, x);
}
