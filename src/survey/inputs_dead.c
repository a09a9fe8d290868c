#include "seisdcn/inputs_dead.h"

#include "seisdcn/log.h"
#include "seisdcn/memory.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* Gathers that each rank reads between two agreements: an error anywhere ends all ranks soon. */
enum { ROUND_GATHERS = 64 };

void inputs_dead_free(InputsDead *dead)
{
    memory_free(dead->first);
    memory_free(dead->place);
    memory_free(dead->count);
    memory_free(dead->value);
    memory_free(dead->rows);
    memory_free(dead->by_file);
    memset(dead, 0, sizeof *dead);
}

/* ---- one trace ---- */

/* Whether every sample is zero or NaN; then *kind tells which, and *alike whether all have the same bits. */
static bool is_dead(const float *trace, int64_t n_samples, DeadKind *kind, bool *alike)
{
    int64_t nans = 0;
    for (int64_t s = 0; s < n_samples; s++) {
        if (!(trace[s] == 0) && !isnan(trace[s])) return false;
        nans += isnan(trace[s]) != 0;
    }
    *kind = nans == 0 ? DEAD_ZERO : nans == n_samples ? DEAD_NAN : DEAD_BOTH;
    size_t rest = (size_t)(n_samples - 1) * sizeof *trace;
    *alike = memcmp(trace, trace + 1, rest) == 0; /* each as the one before */
    return true;
}

bool inputs_dead_trace(const float *trace, int64_t n_samples)
{
    DeadKind kind;
    bool alike;
    return is_dead(trace, n_samples, &kind, &alike);
}

/* ---- finding them ---- */

typedef struct {
    Inputs *inputs;
    InputsDead *dead;
    InputsGather gather;
    int64_t *count;    /* [my gathers] */
    size_t used, room; /* of dead->place */
    int64_t most;      /* of a gather */
    int64_t n_rows;
} Finding;

static Status add_place(Finding *finding, int64_t place)
{
    InputsDead *dead = finding->dead;
    if (finding->used == finding->room) {
        void *grown = dead->place;
        size_t room = 2 * finding->room + 1024, size = sizeof *dead->place;
        if (memory_grow(&grown, finding->used * size, room, size, "the list of dead traces") != STATUS_OK)
            return STATUS_MEMORY;
        dead->place = grown;
        finding->room = room;
    }
    dead->place[finding->used++] = place;
    return STATUS_OK;
}

/* Counts a gather with n dead traces of `fold`, the last ones of its list. */
static void count_gather(Finding *finding, int64_t e, int64_t fold, int64_t n)
{
    InputsDead *dead = finding->dead;
    if (n == 0) return;
    if (n > finding->most) finding->most = n;
    bool behind = dead->place[finding->used - (size_t)n] == fold - n; /* all live ones */
    dead->gathers++;
    if (n == fold && dead->whole++ == 0) dead->first_whole = e;
    if (n < fold && !behind && dead->before_live++ == 0) dead->first_before_live = e;
}

static Status look_at(Finding *finding, int64_t e)
{
    Inputs *inputs = finding->inputs;
    InputsDead *dead = finding->dead;
    int64_t n_samples = inputs->n_samples, fold = inputs_my_fold(inputs, e), i = e - inputs->my_first;
    Status status = inputs_read(inputs, e, &finding->gather);
    for (int64_t t = 0; t < fold && status == STATUS_OK; t++) {
        DeadKind kind;
        bool alike;
        if (!is_dead(finding->gather.amplitude + t * n_samples, n_samples, &kind, &alike)) continue;
        status = add_place(finding, t);
        dead->kind[kind]++;
        dead->by_file[inputs_file(inputs, e, t)]++;
        finding->n_rows += !alike;
        finding->count[i]++;
    }
    dead->first[i + 1] = dead->first[i] + finding->count[i];
    if (status == STATUS_OK) count_gather(finding, e, fold, finding->count[i]);
    return status;
}

static Status look_at_all(const Comm *comm, Finding *finding)
{
    Inputs *inputs = finding->inputs;
    int64_t first = inputs->my_first, end = inputs->my_end, most = end - first;
    Status status = STATUS_OK;
    comm_max(comm, &most, 1);
    log_progress_start("dead traces", inputs->n_gathers, "gather");
    for (int64_t round = 0; round < most && status == STATUS_OK; round += ROUND_GATHERS) {
        for (int64_t e = first + round; e < end && e < first + round + ROUND_GATHERS && status == STATUS_OK; e++) {
            status = look_at(finding, e);
            log_progress((e - first) * comm->size, NULL);
        }
        status = comm_agree(comm, status);
    }
    log_progress_end();
    return status;
}

static Status prepare(Finding *finding)
{
    const Inputs *inputs = finding->inputs;
    InputsDead *dead = finding->dead;
    size_t mine = (size_t)(inputs->my_end - inputs->my_first);
    dead->first_whole = dead->first_before_live = -1;
    dead->first = memory_new(mine + 1, sizeof *dead->first, "the gathers' dead traces");
    dead->by_file = memory_new((size_t)inputs->n_files, sizeof *dead->by_file, "the files' dead traces");
    finding->count = memory_new(mine, sizeof *finding->count, "the gathers' dead traces");
    if (dead->first == NULL || dead->by_file == NULL || finding->count == NULL) return STATUS_MEMORY;
    return inputs_gather_new(inputs, inputs_my_max_fold(inputs), &finding->gather);
}

/* The smallest number that a rank has, -1: none has one. Collective. */
static int64_t smallest(const Comm *comm, int64_t mine)
{
    int64_t negated = mine < 0 ? INT64_MIN : -mine;
    comm_max(comm, &negated, 1);
    return negated == INT64_MIN ? -1 : -negated;
}

/* What all ranks found. */
static Status sum_up(const Comm *comm, Finding *finding)
{
    const Inputs *inputs = finding->inputs;
    InputsDead *dead = finding->dead;
    size_t most = (size_t)finding->most;
    void *all = NULL;
    dead->value = memory_new(most, sizeof *dead->value, "the dead traces of a gather");
    dead->rows = memory_new(most, sizeof *dead->rows, "the dead traces of a gather");
    Status status = comm_agree(comm, dead->value == NULL || dead->rows == NULL ? STATUS_MEMORY : STATUS_OK);
    if (status == STATUS_OK)
        status = comm_gather(comm, finding->count, (size_t)(inputs->my_end - inputs->my_first) * sizeof(int64_t), &all,
                             NULL);
    if (status != STATUS_OK) return status;
    dead->count = all;
    int64_t sums[] = {(int64_t)finding->used, finding->n_rows, dead->gathers, dead->whole, dead->before_live};
    dead->before = comm_before(comm, sums[0]);
    dead->row = comm_before(comm, sums[1]);
    dead->row_end = dead->row + sums[1];
    comm_sum(comm, sums, sizeof sums / sizeof *sums);
    dead->n = sums[0];
    dead->n_rows = sums[1];
    dead->gathers = sums[2];
    dead->whole = sums[3];
    dead->before_live = sums[4];
    dead->first_whole = smallest(comm, dead->first_whole);
    dead->first_before_live = smallest(comm, dead->first_before_live);
    comm_sum(comm, dead->kind, DEAD_KINDS);
    comm_sum(comm, dead->by_file, (size_t)inputs->n_files);
    return STATUS_OK;
}

Status inputs_dead_find(const Comm *comm, Inputs *inputs, InputsDead *dead)
{
    *dead = (InputsDead){0};
    Finding finding = {.inputs = inputs, .dead = dead};
    Status status = comm_agree(comm, prepare(&finding));
    if (status == STATUS_OK) status = look_at_all(comm, &finding);
    if (status == STATUS_OK) status = sum_up(comm, &finding);
    memory_free(finding.count);
    inputs_gather_free(&finding.gather);
    if (status != STATUS_OK) inputs_dead_free(dead);
    return status;
}

/* ---- the survey's tables ---- */

int64_t inputs_dead_kept(const Inputs *inputs, const InputsDead *dead, int64_t e)
{
    int64_t fold = inputs_fold(inputs, e), n = dead->n == 0 ? 0 : dead->count[e];
    return n < fold ? fold - n : 1;
}

Status inputs_dead_tables(const Inputs *inputs, const InputsDead *dead, SurveyDropped *dropped)
{
    size_t n = (size_t)inputs->n_gathers + 1;
    *dropped = (SurveyDropped){.n = dead->n, .n_rows = dead->n_rows};
    dropped->first = memory_new(n, sizeof *dropped->first, "the survey's tables");
    dropped->came = memory_new(n, sizeof *dropped->came, "the survey's tables");
    if (dropped->first == NULL || dropped->came == NULL) return STATUS_MEMORY;
    for (int64_t e = 0; e < inputs->n_gathers; e++) {
        dropped->first[e + 1] = dropped->first[e] + dead->count[e];
        dropped->came[e + 1] = dropped->came[e] + inputs_fold(inputs, e);
    }
    return STATUS_OK;
}

/* ---- one gather of the copy ---- */

int64_t inputs_dead_run(const Inputs *inputs, const InputsDead *dead, const Survey *survey, int64_t e, int64_t t,
                        SurveyPart *part, int64_t *row)
{
    int64_t i = e - inputs->my_first, fold = inputs_my_fold(inputs, e), end = t + 1;
    int64_t low = dead->first[i], high = dead->first[i + 1], last = high;
    while (low < high) { /* the first dead trace that is not before t */
        int64_t middle = low + (high - low) / 2;
        if (dead->place[middle] < t)
            low = middle + 1;
        else
            high = middle;
    }
    bool dropped = low < last && dead->place[low] == t;
    *part = dropped ? SURVEY_DROPPED : SURVEY_KEPT;
    *row = dropped ? dead->before + low : survey->first_trace[e] + t - (low - dead->first[i]);
    if (!dropped) return low < last ? dead->place[low] : fold;
    while (low + 1 < last && dead->place[low + 1] == end) {
        low++;
        end++;
    }
    return end;
}

static Status changed(const Inputs *inputs, int64_t e, int64_t t)
{
    char name[SURVEY_SOURCE_MAX + 64];
    return status_fail(STATUS_DATA, "%s is not what it was when it was first read: the file changed meanwhile",
                       inputs_trace_name(inputs, e, t, name, sizeof name));
}

static Status write_headers(const Inputs *inputs, const InputsDead *dead, const Survey *survey, int64_t e,
                            const InputsGather *gather)
{
    int64_t fold = inputs_my_fold(inputs, e), end;
    int n_extra = inputs->layouts[0].n_extra;
    Status status = STATUS_OK;
    for (int64_t t = 0; t < fold && status == STATUS_OK; t = end) {
        SurveyPart part;
        int64_t row;
        end = inputs_dead_run(inputs, dead, survey, e, t, &part, &row);
        if (part == SURVEY_DROPPED)
            status = survey_segy_write_headers(survey, part, row, end - t, n_extra, gather->headers + t * SGY_HEADER,
                                               gather->extra + t * SGY_HEADER * n_extra);
    }
    return status;
}

Status inputs_dead_write(const Inputs *inputs, InputsDead *dead, const Survey *survey, int64_t e, InputsGather *gather)
{
    int64_t i = e - inputs->my_first, first = dead->first[i], n = dead->first[i + 1] - first;
    size_t bytes = (size_t)inputs->n_samples * sizeof(float);
    if (n == 0) return STATUS_OK;
    Status status = STATUS_OK;
    for (int64_t k = 0; k < n && status == STATUS_OK; k++) {
        DeadKind kind;
        bool alike;
        float *trace = gather->amplitude + dead->place[first + k] * inputs->n_samples;
        if (!is_dead(trace, inputs->n_samples, &kind, &alike) || (!alike && dead->row == dead->row_end))
            return changed(inputs, e, dead->place[first + k]);
        dead->value[k] = alike ? trace[0] : 0;
        dead->rows[k] = alike ? -1 : dead->row++;
        if (!alike) status = survey_dropped_write_row(survey, dead->rows[k], trace);
        memset(trace, 0, bytes);
    }
    if (status == STATUS_OK)
        status = survey_dropped_write(survey, dead->before + first, n, dead->place + first, dead->value,
                                      dead->n_rows > 0 ? dead->rows : NULL);
    return status == STATUS_OK && gather->headers != NULL ? write_headers(inputs, dead, survey, e, gather) : status;
}

void inputs_dead_close_up(const Inputs *inputs, const InputsDead *dead, int64_t e, InputsGather *gather)
{
    int64_t i = e - inputs->my_first, k = dead->first[i], last = dead->first[i + 1], to = 0;
    int64_t fold = inputs_my_fold(inputs, e), n_samples = inputs->n_samples;
    int64_t extra = gather->headers == NULL ? 0 : (int64_t)SGY_HEADER * inputs->layouts[0].n_extra;
    if (last - k == 0 || last - k == fold) return;
    for (int64_t t = 0; t < fold; t++) {
        if (k < last && dead->place[k] == t) {
            k++;
            continue;
        }
        memmove(gather->amplitude + to * n_samples, gather->amplitude + t * n_samples,
                (size_t)n_samples * sizeof *gather->amplitude);
        if (gather->headers != NULL) {
            memmove(gather->headers + to * SGY_HEADER, gather->headers + t * SGY_HEADER, SGY_HEADER);
            memmove(gather->extra + to * extra, gather->extra + t * extra, (size_t)extra);
        }
        to++;
    }
}
