/* mean: predicts every gather of a survey by a running mean over its traces, and over gathers side by side. */
#include "prediction.h"

#include "seisdcn/commands.h"
#include "seisdcn/gathers.h"
#include "seisdcn/log.h"
#include "seisdcn/memory.h"
#include "seisdcn/neighbours.h"
#include "seisdcn/running_mean.h"

#include <inttypes.h>
#include <string.h>

/* What the options say; their tables tell what each means. */
typedef struct {
    PredictionOptions prediction;
    int64_t traces, gathers;
} MeanOptions;

static const MeanOptions *mean_options(const Job *job) { return job->options; }

typedef struct {
    int64_t traces, gathers; /* as the user gives them; a radius is half of one */
    Neighbours neighbours;   /* of zeros where gathers is 1 */
    Gathers store;
    int64_t *held, n_held; /* [gathers, or all] ensembles that are kept in the store: those of the gather in hand */
    int64_t *next;         /* like held */
    double *sum;           /* [fold][n_samples] over gathers */
    int32_t *live;         /* [fold][n_samples] */
    double *line;          /* [n_samples] */
    int64_t *counts;       /* [n_samples] */
} Mean;

static Mean *mean_of(const Prediction *prediction) { return prediction->context; }

/* ---- prepare ---- */

static Status check_odd(const char *option, int64_t value)
{
    if (value % 2 == 1) return STATUS_OK;
    return status_fail(STATUS_USAGE, "%s takes an odd number, so that as many stand on either side, not %" PRId64,
                       option, value);
}

static Status prepare(Prediction *prediction)
{
    Mean *mean = mean_of(prediction);
    mean->traces = mean_options(prediction->job)->traces;
    mean->gathers = mean_options(prediction->job)->gathers;
    Status status = check_odd("--traces", mean->traces);
    if (status == STATUS_OK) status = check_odd("--gathers", mean->gathers);
    if (status == STATUS_OK && mean->traces == 1 && mean->gathers == 1)
        status = status_fail(STATUS_USAGE, "the mean over one trace of one gather is the gather itself: raise --traces "
                                           "or --gathers");
    return status;
}

static void describe(const Prediction *prediction, PredictionWork *work)
{
    prediction_fact(work, FACT_OF_OPTION, FACT_INT, "traces", "--traces")->whole = mean_of(prediction)->traces;
    prediction_fact(work, FACT_OF_OPTION, FACT_INT, "gathers", "--gathers")->whole = mean_of(prediction)->gathers;
}

static int64_t gather_size(const Prediction *prediction)
{
    return survey_max_fold(&prediction->survey) * prediction->survey.n_samples;
}

static int64_t most_gathers(const Prediction *prediction)
{
    int64_t wanted = mean_of(prediction)->gathers, all = prediction->survey.n_ensembles;
    return wanted < all ? wanted : all;
}

/* The gathers of a mean, and one that comes next. */
static int64_t store_bytes(const Prediction *prediction)
{
    return (mean_of(prediction)->gathers + 1) * gather_size(prediction) * (int64_t)sizeof(float);
}

static Status find_neighbours(Prediction *prediction)
{
    Mean *mean = mean_of(prediction);
    if (mean->gathers == 1) return STATUS_OK;
    Status status = neighbours_new(&prediction->survey, "--gathers", "--gathers 1 needs none", &mean->neighbours);
    if (status != STATUS_OK) return status;
    neighbours_report(&prediction->survey, &mean->neighbours);
    char count[LOG_THINGS_MAX];
    int64_t none = mean->neighbours.with_none;
    if (none > 0)
        log_warning("%s %s line: theirs is the mean over their own traces", log_things(none, "gather", count),
                    none == 1 ? "has no neighbour on its" : "have no neighbour on their");
    return STATUS_OK;
}

static Status open_mean(Prediction *prediction)
{
    Mean *mean = mean_of(prediction);
    size_t n = (size_t)gather_size(prediction), samples = (size_t)prediction->survey.n_samples;
    size_t most = (size_t)most_gathers(prediction);
    mean->held = memory_new(most, sizeof *mean->held, "the gathers of a mean");
    mean->next = memory_new(most, sizeof *mean->next, "the gathers of a mean");
    mean->sum = memory_new(n, sizeof *mean->sum, "a gather's sums");
    mean->live = memory_new(n, sizeof *mean->live, "a gather's sums");
    mean->line = memory_new(samples, sizeof *mean->line, "a gather's sums");
    mean->counts = memory_new(samples, sizeof *mean->counts, "a gather's sums");
    if (mean->held == NULL || mean->next == NULL || mean->sum == NULL || mean->live == NULL || mean->line == NULL ||
        mean->counts == NULL)
        return STATUS_MEMORY;
    Status status = find_neighbours(prediction);
    return status == STATUS_OK ? gathers_new(&prediction->survey, 1, store_bytes(prediction), &mean->store) : status;
}

static void close_mean(Prediction *prediction)
{
    Mean *mean = mean_of(prediction);
    if (mean->store.survey != NULL) gathers_free(&mean->store);
    neighbours_free(&mean->neighbours);
    memory_free(mean->held);
    memory_free(mean->next);
    memory_free(mean->sum);
    memory_free(mean->live);
    memory_free(mean->line);
    memory_free(mean->counts);
}

/* ---- a gather ---- */

/* The ensembles of e's mean along the line into mean->next; returns how many. */
static int64_t find_gathers(const Mean *mean, int64_t e)
{
    const Neighbours *neighbours = &mean->neighbours;
    int64_t radius = mean->gathers / 2, before = 0, n, k = e;
    while (before < radius && (k = neighbours->before[k]) >= 0) before++;
    mean->next[before] = e;
    for (int64_t i = before; i > 0; i--) mean->next[i - 1] = neighbours->before[mean->next[i]];
    for (n = before + 1; n <= before + radius && (k = neighbours->after[mean->next[n - 1]]) >= 0; n++)
        mean->next[n] = k;
    return n;
}

/* The gathers of the mean are in the store afterwards; those that the one before wants too are not read again. */
static Status read_gathers(Prediction *prediction, int64_t e)
{
    Mean *mean = mean_of(prediction);
    int64_t n = find_gathers(mean, e);
    for (int64_t k = 0; k < n; k++) gathers_keep(&mean->store, mean->next[k]);
    for (int64_t k = 0; k < mean->n_held; k++) gathers_drop(&mean->store, mean->held[k]);
    memcpy(mean->held, mean->next, (size_t)n * sizeof *mean->held);
    mean->n_held = n;
    Status status = STATUS_OK;
    for (int64_t k = 0; status == STATUS_OK && k < n; k++) {
        const float *gather;
        status = gathers_get(&mean->store, mean->held[k], &gather);
        if (status == STATUS_OK && mean->held[k] == e) prediction->own = gather;
    }
    return status;
}

static Status add_gathers(Prediction *prediction, int64_t fold)
{
    Mean *mean = mean_of(prediction);
    const Survey *survey = &prediction->survey;
    size_t n = (size_t)(fold * survey->n_samples);
    memset(mean->sum, 0, n * sizeof *mean->sum);
    memset(mean->live, 0, n * sizeof *mean->live);
    for (int64_t k = 0; k < mean->n_held; k++) {
        const float *gather;
        Status status = gathers_get(&mean->store, mean->held[k], &gather); /* it is there */
        if (status != STATUS_OK) return status;
        running_mean_add(fold, survey->n_samples, gather, survey_fold(survey, mean->held[k]), mean->sum, mean->live);
        (void)prediction_poke(prediction);
    }
    return STATUS_OK;
}

static Status run_mean(Prediction *prediction, int64_t e, int64_t fold, float *out, bool *whole)
{
    (void)e;
    Mean *mean = mean_of(prediction);
    int64_t n_samples = prediction->survey.n_samples;
    Status status = add_gathers(prediction, fold);
    for (int64_t t = 0; status == STATUS_OK && t < fold; t++) {
        *whole = !prediction_poke(prediction);
        if (!*whole) return STATUS_OK;
        running_mean_trace(fold, n_samples, mean->sum, mean->live, mean->traces / 2, t, out + t * n_samples, mean->line,
                           mean->counts);
    }
    if (status != STATUS_OK) return status;
    prediction->units += fold * n_samples;
    for (int64_t i = 0; i < fold * n_samples; i++) prediction->live += prediction->own[i] != 0;
    prediction_settle(prediction, fold, out);
    return STATUS_OK;
}

/* ---- for --dry-run ---- */

static int64_t units(const Prediction *prediction, int64_t fold) { return fold * prediction->survey.n_samples; }

static int64_t gather_bytes(const Prediction *prediction)
{
    const Survey *survey = &prediction->survey;
    const Mean *mean = mean_of(prediction);
    int64_t neighbours = mean->gathers == 1 ? 0 : 2 * survey->n_ensembles * (int64_t)sizeof(int64_t);
    return store_bytes(prediction) + (int64_t)gathers_table_bytes(survey, 1) + neighbours;
}

static int64_t room_bytes(const Prediction *prediction)
{
    return gather_size(prediction) * (int64_t)(sizeof(double) + sizeof(int32_t)) +
           prediction->survey.n_samples * (int64_t)(sizeof(double) + sizeof(int64_t));
}

/* ---- the command ---- */

static const PredictionMethod method = {
    .command = "mean",
    .unit = "sample",
    .room = "sums",
    .prepare = prepare,
    .describe = describe,
    .open = open_mean,
    .close = close_mean,
    .read = read_gathers,
    .run = run_mean,
    .units = units,
    .gather_bytes = gather_bytes,
    .room_bytes = room_bytes,
};

static Status run(Job *job)
{
    Mean mean = {0};
    Prediction prediction = {.job = job, .said = &mean_options(job)->prediction, .method = &method, .context = &mean};
    return prediction_run(&prediction);
}

static const Option options[] = {
    {"--traces", FILLS(INT, MeanOptions, traces), "N", "9", 1, 1000001, false,
     "traces of a mean, this one in the middle: an odd number"},
    {"--gathers", FILLS(INT, MeanOptions, gathers), "N", "1", 1, 1000001, false,
     "gathers of a mean, neighbours on the same inline, this one in the middle: an odd number"},
    {.name = NULL},
};

const Command command_mean = {
    .name = "mean",
    .summary = "predicts every gather by a running mean over traces and neighbouring gathers",
    .description =
        "Each sample becomes the mean of the samples at its time on the traces around it, and on the same traces of "
        "the gathers around it on the inline: events that are flat stay. Muted samples (exactly zero) do not count; at "
        "the edges of a gather and of a line the mean is over those that there are. A rival to compare apply with. Of "
        "the configuration, apply.keep_mutes and apply.max_time_minutes count. " PREDICTION_DESCRIPTION,
    .example = "mpirun -n 2 seisdcn mean --survey survey.h5 --output mean.h5 --traces 9\n"
               "mpirun -n 2 seisdcn mean --survey survey.h5 --output mean.h5 --traces 5 --gathers 3",
    .tables = {{prediction_survey, offsetof(MeanOptions, prediction)},
               {prediction_options, offsetof(MeanOptions, prediction)},
               {options, 0}},
    .options_size = sizeof(MeanOptions),
    .uses_config = true,
    .is_resumable = true,
    .run = run,
};
