#include "seisdcn/batch.h"

#include "seisdcn/memory.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* ---- room ---- */

static int64_t plane_floats(const Batch *batch)
{
    return batch->patch_size * batch->patch_size * batch->vector->lanes; /* of one channel of a group */
}

static int64_t groups_of(const Vector *vector, int64_t n) { return (n + vector->lanes - 1) / vector->lanes; }

size_t batch_bytes(const Vector *vector, int64_t n_channels, int64_t patch_size, int64_t capacity,
                   const Objective *objective)
{
    int64_t groups = groups_of(vector, capacity), planes = groups * n_channels;
    if (objective != NULL) planes += 2 * groups * objective->n_out + n_channels;
    return (size_t)(planes * patch_size * patch_size * vector->lanes) * sizeof(float);
}

Status batch_new(const Vector *vector, int64_t n_channels, int64_t patch_size, int64_t capacity,
                 const Objective *objective, Batch *batch)
{
    memset(batch, 0, sizeof *batch);
    batch->vector = vector;
    batch->n_channels = n_channels;
    batch->patch_size = patch_size;
    batch->capacity = capacity;
    batch->scale = scale_of(SCALE_MAX, 0);
    batch->objective = objective;
    size_t groups = (size_t)groups_of(vector, capacity), plane = (size_t)plane_floats(batch);
    batch->x = memory_new(groups * (size_t)n_channels * plane, sizeof(float), "a batch");
    batch->sum = memory_new((size_t)n_channels, sizeof *batch->sum, "a batch");
    batch->square = memory_new((size_t)n_channels, sizeof *batch->square, "a batch");
    bool enough = batch->x != NULL && batch->sum != NULL && batch->square != NULL;
    if (enough && objective != NULL) {
        batch->target = memory_new(groups * (size_t)objective->n_out * plane, sizeof(float), "a batch's targets");
        batch->weight = memory_new(groups * (size_t)objective->n_out * plane, sizeof(float), "a batch's targets");
        batch->spare = memory_new((size_t)n_channels * plane, sizeof(float), "a batch's targets");
        enough = batch->target != NULL && batch->weight != NULL && batch->spare != NULL;
    }
    if (enough) return STATUS_OK;
    batch_free(batch);
    return STATUS_MEMORY;
}

void batch_free(Batch *batch)
{
    memory_free(batch->x);
    memory_free(batch->sum);
    memory_free(batch->square);
    memory_free(batch->target);
    memory_free(batch->weight);
    memory_free(batch->spare);
    memset(batch, 0, sizeof *batch);
}

float *batch_group(const Batch *batch, int64_t g) { return batch->x + g * batch->n_channels * plane_floats(batch); }

float *batch_target(const Batch *batch, int64_t g)
{
    return batch->target == NULL ? NULL : batch->target + g * batch->objective->n_out * plane_floats(batch);
}

float *batch_weight(const Batch *batch, int64_t g)
{
    return batch->weight == NULL ? NULL : batch->weight + g * batch->objective->n_out * plane_floats(batch);
}

Status batch_start(Batch *batch, const IndexRow *rows, int64_t n)
{
    batch->rows = rows;
    batch->n = n <= batch->capacity ? n : 0;
    batch->counting = 0;
    memset(batch->sum, 0, (size_t)batch->n_channels * sizeof *batch->sum);
    memset(batch->square, 0, (size_t)batch->n_channels * sizeof *batch->square);
    if (n <= batch->capacity) return STATUS_OK;
    return status_fail(STATUS_BUG, "a batch of %" PRId64 " patches where %" PRId64 " were expected", n,
                       batch->capacity);
}

int64_t batch_groups(const Batch *batch) { return groups_of(batch->vector, batch->n); }

/* ---- patches out of gathers ---- */

/* Where the patches of a group's lanes stand: gather NULL: nowhere, a patch of zeros. */
typedef struct {
    const float *gather[VECTOR_LANES_MAX]; /* [channel][fold][n_samples] */
    int64_t fold[VECTOR_LANES_MAX];
    const IndexRow *row[VECTOR_LANES_MAX];
} Cuts;

static const float zeros[VECTOR_COLUMNS_MAX];

/* Row y of a lane's patch; a neighbour may have fewer traces. */
static const float *patch_row(const Cuts *cuts, int64_t lane, int64_t n_samples, int64_t c, int64_t y)
{
    const IndexRow *row = cuts->row[lane];
    if (cuts->gather[lane] == NULL || row->trace + y >= cuts->fold[lane]) return zeros;
    return cuts->gather[lane] + (c * cuts->fold[lane] + row->trace + y) * n_samples + row->sample;
}

/* Copies the patches of all lanes, row by row over the lanes. Rows are asked for some ahead, since neighbouring traces
 * lie kilobytes apart, where no processor guesses them (docs/speed.md has what it gains). Asking within this function:
 * gcc deletes one that does nothing else. */
static void copy_patches(const Batch *batch, const Cuts *cuts, int64_t n_samples, int64_t n_channels, float *x)
{
    enum { AHEAD = 2, LINE = 64 };
    int64_t size = batch->patch_size, lanes = batch->vector->lanes, bytes = size * (int64_t)sizeof(float);
    for (int64_t c = 0; c < n_channels; c++)
        for (int64_t y = 0; y < size; y++) {
            const float *line[VECTOR_LANES_MAX];
            int64_t ahead = y + AHEAD < size ? y + AHEAD : y;
            for (int64_t lane = 0; lane < lanes; lane++) {
                line[lane] = patch_row(cuts, lane, n_samples, c, y);
                const char *next = (const char *)patch_row(cuts, lane, n_samples, c, ahead);
                for (int64_t at = 0; at < bytes + LINE - 1; at += LINE) __builtin_prefetch(next + at);
            }
            batch->vector->lay_lines(size, line, x + (c * size + y) * size * lanes);
        }
}

/* The same for one lane. */
static void copy_patch(const Batch *batch, const Cuts *cuts, int64_t lane, int64_t n_samples, int64_t n_channels,
                       float *x)
{
    int64_t size = batch->patch_size, lanes = batch->vector->lanes;
    for (int64_t c = 0; c < n_channels; c++)
        for (int64_t y = 0; y < size; y++) {
            const float *from = patch_row(cuts, lane, n_samples, c, y);
            float *to = x + (c * size + y) * size * lanes + lane;
            for (int64_t i = 0; i < size; i++) to[i * lanes] = from[i];
        }
}

/* Lays the patches at rows [lanes] of ensembles [lanes] (-1: zeros) side by side, n_channels of them. */
static Status lay_patches(const Batch *batch, Gathers *gathers, const int64_t *ensemble, const IndexRow *const *row,
                          int64_t n_channels, float *x)
{
    const Survey *survey = gathers->survey;
    int64_t lanes = batch->vector->lanes;
    Cuts cuts = {.gather = {NULL}};
    /* where the next gather may push this one out of the store: copy lane by lane */
    bool all_stay = true;
    for (int64_t lane = 0; lane < lanes; lane++)
        all_stay = all_stay && (ensemble[lane] < 0 || gathers_stays(gathers, ensemble[lane]));
    for (int64_t lane = 0; lane < lanes; lane++) {
        cuts.row[lane] = row[lane];
        if (ensemble[lane] >= 0) {
            Status status = gathers_get(gathers, ensemble[lane], &cuts.gather[lane]);
            if (status != STATUS_OK) return status;
            cuts.fold[lane] = survey_fold(survey, ensemble[lane]);
        }
        if (!all_stay) copy_patch(batch, &cuts, lane, survey->n_samples, n_channels, x);
    }
    if (all_stay) copy_patches(batch, &cuts, survey->n_samples, n_channels, x);
    return STATUS_OK;
}

/* ---- scale ---- */

/* Channel c of the input is a channel of one of the gathers that feed it. */
static int64_t gather_channel(const Batch *batch, int64_t c)
{
    return batch->objective == NULL ? c : c % batch->objective->n_channels;
}

static bool shares_scale(const Batch *batch, const Survey *survey, int64_t c)
{
    int64_t channel = gather_channel(batch, c);
    return channel == 0 || survey->attribute[channel - 1].shared_scale;
}

/* The scale of each lane's patch. */
static void find_scales(const Batch *batch, const Survey *survey, const float *x, float *scale)
{
    int64_t size = batch->patch_size * batch->patch_size, lanes = batch->vector->lanes, n = 0;
    double sum[VECTOR_LANES_MAX] __attribute__((aligned(64))), square[VECTOR_LANES_MAX] __attribute__((aligned(64)));
    double total[VECTOR_LANES_MAX] = {0};
    for (int64_t lane = 0; lane < lanes; lane++) scale[lane] = 0;
    for (int64_t c = 0; c < batch->n_channels; c++) {
        if (!shares_scale(batch, survey, c)) continue;
        n += size;
        if (batch->scale.kind == SCALE_MAX) {
            batch->vector->magnitude(size, x + c * size * lanes, scale);
        } else {
            batch->vector->moments(size, x + c * size * lanes, sum, square);
            for (int64_t lane = 0; lane < lanes; lane++) total[lane] += square[lane];
        }
    }
    for (int64_t lane = 0; lane < lanes; lane++) scale[lane] = scale_value(&batch->scale, scale[lane], total[lane], n);
}

/* Divides the first n_channels by it. */
static void divide(const Batch *batch, const Survey *survey, int64_t n_channels, const float *scale, float *x)
{
    int64_t plane = plane_floats(batch);
    for (int64_t c = 0; c < n_channels; c++)
        if (shares_scale(batch, survey, c))
            batch->vector->divide(batch->patch_size * batch->patch_size, scale, x + c * plane);
}

static Status add_moments(Batch *batch, const Survey *survey, const IndexRow *row, int64_t live, const float *x)
{
    int64_t size = batch->patch_size * batch->patch_size, lanes = batch->vector->lanes;
    double sum[VECTOR_LANES_MAX] __attribute__((aligned(64))), square[VECTOR_LANES_MAX] __attribute__((aligned(64)));
    for (int64_t c = 0; c < batch->n_channels; c++) {
        batch->vector->moments(size, x + c * size * lanes, sum, square);
        for (int64_t lane = 0; lane < live; lane++)
            if (!exact_add(&batch->sum[c], sum[lane]) || !exact_add(&batch->square[c], square[lane])) {
                char name[96];
                int64_t channel = gather_channel(batch, c);
                return status_fail(STATUS_DATA,
                                   "%s: channel %" PRId64 " (%s) is too large around trace %" PRId64 ", sample %" PRId64
                                   " of %s to be taken unscaled; give the attribute smaller units or scale = shared",
                                   survey->path, c, channel == 0 ? "amplitude" : survey->attribute[channel - 1].name,
                                   row[lane].trace, row[lane].sample,
                                   survey_ensemble_name(survey, row[lane].ensemble, name));
            }
    }
    return STATUS_OK;
}

/* ---- targets ---- */

/* A group that is being loaded. */
typedef struct {
    Gathers *gathers, *clean;
    const IndexRow *row[VECTOR_LANES_MAX];
    int64_t ensemble[VECTOR_LANES_MAX]; /* -1 in lanes that are not in use */
    float scale[VECTOR_LANES_MAX] __attribute__((aligned(64)));
    float *x, *target, *weight;
} Group;

static Status lay_inputs(const Batch *batch, Group *group)
{
    const Objective *objective = batch->objective;
    if (objective == NULL)
        return lay_patches(batch, group->gathers, group->ensemble, group->row, batch->n_channels, group->x);
    Status status = STATUS_OK;
    for (int64_t k = 0; status == STATUS_OK && k < objective_inputs(objective->rule.target); k++) {
        int64_t from[VECTOR_LANES_MAX], source[OBJECTIVE_INPUTS];
        for (int64_t lane = 0; lane < batch->vector->lanes; lane++) {
            from[lane] = -1;
            if (group->ensemble[lane] < 0) continue;
            objective_sources(objective, group->ensemble[lane], source);
            from[lane] = source[k];
        }
        status = lay_patches(batch, group->gathers, from, group->row, objective->n_channels,
                             group->x + k * objective->n_channels * plane_floats(batch));
    }
    return status;
}

/* A sample counts where the amplitude of an input and that of the target are live. */
static void weigh(const Batch *batch, Group *group)
{
    const Objective *objective = batch->objective;
    int64_t plane = plane_floats(batch),
            second = (objective_inputs(objective->rule.target) - 1) * objective->n_channels;
    const float *x = group->x, *other = group->x + second * plane;
    for (int64_t c = 0; c < objective->n_out; c++) {
        const float *target = group->target + c * plane;
        float *weight = group->weight + c * plane;
        for (int64_t i = 0; i < plane; i++) {
            bool live = (x[i] != 0 || other[i] != 0) && group->target[i] != 0;
            weight[i] = live && fabsf(target[i]) <= BATCH_TARGET_LIMIT ? 1 : 0;
        }
    }
}

static Status lay_targets(const Batch *batch, Group *group)
{
    const Objective *objective = batch->objective;
    bool paired = objective->rule.target == TARGET_CLEAN;
    int64_t from[VECTOR_LANES_MAX];
    for (int64_t lane = 0; lane < batch->vector->lanes; lane++)
        from[lane] = group->ensemble[lane] < 0 ? -1 : objective_target(objective, batch->key, group->row[lane]);
    Status status =
        lay_patches(batch, paired ? group->clean : group->gathers, from, group->row, objective->n_out, group->target);
    if (status != STATUS_OK) return status;
    divide(batch, group->gathers->survey, objective->n_out, group->scale, group->target);
    weigh(batch, group);
    return STATUS_OK;
}

/* Takes the hidden traces out of the input; only they count. */
static Status hide_traces(const Batch *batch, Group *group)
{
    const Objective *objective = batch->objective;
    int64_t size = batch->patch_size, lanes = batch->vector->lanes, plane = plane_floats(batch);
    bool hidden[VECTOR_LANES_MAX][VECTOR_COLUMNS_MAX] = {{false}};
    IndexRow other[VECTOR_LANES_MAX];
    const IndexRow *row[VECTOR_LANES_MAX];
    for (int64_t lane = 0; lane < lanes; lane++) {
        row[lane] = &other[lane];
        if (group->ensemble[lane] >= 0)
            objective_hide(objective, batch->key, group->row[lane], hidden[lane], &other[lane]);
    }
    memcpy(group->target, group->x, (size_t)(objective->n_out * plane) * sizeof(float));
    weigh(batch, group);
    if (objective->rule.fill == FILL_OTHER) {
        float scale[VECTOR_LANES_MAX] __attribute__((aligned(64)));
        Status status = lay_patches(batch, group->gathers, group->ensemble, row, batch->n_channels, batch->spare);
        if (status != STATUS_OK) return status;
        find_scales(batch, group->gathers->survey, batch->spare, scale);
        divide(batch, group->gathers->survey, batch->n_channels, scale, batch->spare);
    }
    bool filled = objective->rule.fill == FILL_OTHER;
    for (int64_t y = 0; y < size; y++)
        for (int64_t lane = 0; lane < lanes; lane++)
            for (int64_t i = y * size * lanes + lane; i < (y + 1) * size * lanes; i += lanes) {
                for (int64_t c = 0; hidden[lane][y] && c < batch->n_channels; c++)
                    group->x[c * plane + i] = filled ? batch->spare[c * plane + i] : 0;
                for (int64_t c = 0; !hidden[lane][y] && c < objective->n_out; c++) group->weight[c * plane + i] = 0;
            }
    return STATUS_OK;
}

static int64_t count(const Batch *batch, const float *weight)
{
    int64_t n = 0;
    for (int64_t i = 0; i < batch->objective->n_out * plane_floats(batch); i++) n += weight[i] != 0;
    return n;
}

Status batch_load_group(Batch *batch, int64_t g, Gathers *gathers, Gathers *clean)
{
    const Survey *survey = gathers->survey;
    int64_t lanes = batch->vector->lanes, first = g * lanes;
    int64_t live = batch->n - first < lanes ? batch->n - first : lanes;
    Group group = {.gathers = gathers,
                   .clean = clean,
                   .x = batch_group(batch, g),
                   .target = batch_target(batch, g),
                   .weight = batch_weight(batch, g)};
    for (int64_t lane = 0; lane < lanes; lane++) {
        group.row[lane] = batch->rows + first + (lane < live ? lane : 0);
        group.ensemble[lane] = lane < live ? group.row[lane]->ensemble : -1;
    }
    Status status = lay_inputs(batch, &group);
    if (status != STATUS_OK) return status;
    find_scales(batch, survey, group.x, group.scale);
    divide(batch, survey, batch->n_channels, group.scale, group.x);
    if (batch->objective != NULL) {
        bool hides = batch->objective->rule.target == TARGET_BLIND_TRACE;
        status = hides ? hide_traces(batch, &group) : lay_targets(batch, &group);
        if (status != STATUS_OK) return status;
        batch->counting += count(batch, group.weight);
    }
    return add_moments(batch, survey, batch->rows + first, live, group.x);
}
