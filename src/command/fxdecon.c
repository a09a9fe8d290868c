/* fxdecon: predicts every gather of a survey by f-x prediction filtering. */
#include "prediction.h"

#include "seisdcn/checksum.h"
#include "seisdcn/commands.h"
#include "seisdcn/fx.h"
#include "seisdcn/log.h"
#include "seisdcn/memory.h"

#include <string.h>

/* What the options say; their tables tell what each means. */
typedef struct {
    PredictionOptions prediction;
    int64_t window_samples, window_traces, filter_traces;
    double damping, low_hz, high_hz;
} FxdeconOptions;

static const FxdeconOptions *fxdecon_options(const Job *job) { return job->options; }

typedef struct {
    FxRule rule;
    Fx fx;
    float *in; /* [fold][n_samples] */
} Fxdecon;

static Fxdecon *fxdecon_of(const Prediction *prediction) { return prediction->context; }

/* ---- prepare ---- */

/* A gather's last bits are those of the rank that it falls to where ranks compute with other instructions. */
static void warn_of_mixture(const Comm *comm)
{
    char text[FACT_TEXT_MAX];
    fx_libraries(text, sizeof text);
    int64_t mine = (int64_t)(checksum_bytes(text, strlen(text)) >> 1), ends[2] = {mine, -mine};
    comm_max(comm, ends, 2);
    if (ends[0] != -ends[1])
        log_warning("the ranks' processors or libraries differ (%s here): the last bits will depend on which rank "
                    "predicts a gather",
                    text);
}

static Status prepare(Prediction *prediction)
{
    const Job *job = prediction->job;
    Status status = fx_check();
    if (status != STATUS_OK) return status;
    warn_of_mixture(&job->comm);
    fxdecon_of(prediction)->rule = (FxRule){.window_samples = fxdecon_options(job)->window_samples,
                                            .window_traces = fxdecon_options(job)->window_traces,
                                            .filter_traces = fxdecon_options(job)->filter_traces,
                                            .damping = fxdecon_options(job)->damping,
                                            .low = 0,
                                            .high = 0.5};
    return STATUS_OK;
}

/* The band in cycles a sample. */
static Status check(Prediction *prediction)
{
    const Job *job = prediction->job;
    const Survey *survey = &prediction->survey;
    FxRule *rule = &fxdecon_of(prediction)->rule;
    double low = fxdecon_options(job)->low_hz, high = fxdecon_options(job)->high_hz;
    if (low == 0 && high == 0) return STATUS_OK;
    if (high > 0 && low >= high)
        return status_fail(STATUS_USAGE, "--low-hz %g is not below --high-hz %g: no frequency is left", low, high);
    if (!(survey->interval_us > 0))
        return status_fail(STATUS_DATA,
                           "%s does not tell its sample interval, so that %s means nothing: consolidate it with "
                           "--interval-us, or leave the option out",
                           survey->path, low > 0 ? "--low-hz" : "--high-hz");
    double nyquist = 0.5e6 / survey->interval_us;
    if (low > nyquist)
        return status_fail(STATUS_USAGE, "--low-hz %g is above %g Hz, the highest frequency of %s", low, nyquist,
                           survey->path);
    rule->low = low * survey->interval_us * 1e-6;
    if (high > 0 && high < nyquist) rule->high = high * survey->interval_us * 1e-6;
    return STATUS_OK;
}

static void describe(const Prediction *prediction, PredictionWork *work)
{
    const Job *job = prediction->job;
    const FxRule *rule = &fxdecon_of(prediction)->rule;
    Fact *fact = prediction_fact(work, FACT_OF_INPUT, FACT_NUMBER, "sample_interval_us", "sample interval");
    fact->path = prediction->survey.path;
    fact->number = prediction->survey.interval_us;
    prediction_fact(work, FACT_OF_OPTION, FACT_INT, "window_samples", "--window-samples")->whole = rule->window_samples;
    prediction_fact(work, FACT_OF_OPTION, FACT_INT, "window_traces", "--window-traces")->whole = rule->window_traces;
    prediction_fact(work, FACT_OF_OPTION, FACT_INT, "filter_traces", "--filter-traces")->whole = rule->filter_traces;
    prediction_fact(work, FACT_OF_OPTION, FACT_NUMBER, "damping", "--damping")->number = rule->damping;
    prediction_fact(work, FACT_OF_OPTION, FACT_NUMBER, "low_hz", "--low-hz")->number = fxdecon_options(job)->low_hz;
    prediction_fact(work, FACT_OF_OPTION, FACT_NUMBER, "high_hz", "--high-hz")->number = fxdecon_options(job)->high_hz;
    fact = prediction_fact(work, FACT_OF_MACHINE, FACT_TEXT, "libraries", "libraries");
    fx_libraries(fact->room, sizeof fact->room);
}

/* ---- a gather ---- */

static Status open_filter(Prediction *prediction)
{
    Fxdecon *fxdecon = fxdecon_of(prediction);
    const Survey *survey = &prediction->survey;
    int64_t fold = survey_max_fold(survey);
    fxdecon->in = memory_new((size_t)(fold * survey->n_samples), sizeof *fxdecon->in, "a gather");
    Status status = fxdecon->in == NULL ? STATUS_MEMORY : fx_new(&fxdecon->rule, fold, survey->n_samples, &fxdecon->fx);
    prediction->own = fxdecon->in;
    fxdecon->fx.poke = prediction_poke;
    fxdecon->fx.poke_context = prediction;
    return status;
}

static void close_filter(Prediction *prediction)
{
    fx_free(&fxdecon_of(prediction)->fx);
    memory_free(fxdecon_of(prediction)->in);
}

static Status read_gather(Prediction *prediction, int64_t e)
{
    return survey_read_gather(&prediction->survey, e, 1, fxdecon_of(prediction)->in);
}

static Status run_windows(Prediction *prediction, int64_t e, int64_t fold, float *out, bool *whole)
{
    Fxdecon *fxdecon = fxdecon_of(prediction);
    FxCounts counts = {0};
    char name[96];
    Status status = fx_run(&fxdecon->fx, fxdecon->in, fold, out, &counts, whole);
    if (status != STATUS_OK) return status_prefix(status, "%s", survey_ensemble_name(&prediction->survey, e, name));
    if (!*whole) return STATUS_OK;
    prediction->units += counts.windows;
    prediction->live += counts.live;
    prediction_settle(prediction, fold, out);
    return STATUS_OK;
}

/* ---- for --dry-run ---- */

static int64_t units(const Prediction *prediction, int64_t fold)
{
    return fx_windows(&fxdecon_of(prediction)->rule, fold, prediction->survey.n_samples);
}

static int64_t gather_bytes(const Prediction *prediction)
{
    const Survey *survey = &prediction->survey;
    return survey_max_fold(survey) * survey->n_samples * (int64_t)sizeof(float);
}

static int64_t room_bytes(const Prediction *prediction)
{
    const Survey *survey = &prediction->survey;
    return (int64_t)fx_bytes(&fxdecon_of(prediction)->rule, survey_max_fold(survey), survey->n_samples);
}

/* ---- the command ---- */

static const PredictionMethod method = {
    .command = "fxdecon",
    .unit = "window",
    .room = "windows and sums",
    .prepare = prepare,
    .check = check,
    .describe = describe,
    .open = open_filter,
    .close = close_filter,
    .read = read_gather,
    .run = run_windows,
    .units = units,
    .gather_bytes = gather_bytes,
    .room_bytes = room_bytes,
};

static Status run(Job *job)
{
    Fxdecon fxdecon = {0};
    Prediction prediction = {
        .job = job, .said = &fxdecon_options(job)->prediction, .method = &method, .context = &fxdecon};
    return prediction_run(&prediction);
}

static const Option options[] = {
    {"--window-samples", FILLS(INT, FxdeconOptions, window_samples), "N", "48", 0, 1000000, false,
     "samples of a window; 0: whole traces"},
    {"--window-traces", FILLS(INT, FxdeconOptions, window_traces), "N", "48", 0, 1000000, false,
     "traces of a window; 0: whole gathers"},
    {"--filter-traces", FILLS(INT, FxdeconOptions, filter_traces), "N", "8", 1, 10000, false,
     "length of the prediction filter, at most half a window's traces"},
    {"--damping", FILLS(NUMBER, FxdeconOptions, damping), "SHARE", "0.5", 0, 1e6, false,
     "prewhitening: what is added to the normal equations' diagonal, as a share of its mean"},
    {"--low-hz", FILLS(NUMBER, FxdeconOptions, low_hz), "HZ", "0", 0, 1e6, false, "frequencies below become zeros"},
    {"--high-hz", FILLS(NUMBER, FxdeconOptions, high_hz), "HZ", "0", 0, 1e6, false,
     "frequencies above become zeros; 0: none"},
    {.name = NULL},
};

const Command command_fxdecon = {
    .name = "fxdecon",
    .summary = "predicts every gather by f-x prediction filtering (f-x deconvolution)",
    .description =
        "Predicts at each frequency the traces of a gather from their neighbours (Canales 1984), in windows of time "
        "and traces that overlap by half: what neighbours do not tell is noise. One filter predicts forward, its "
        "conjugate backward; the result is the mean of both. A rival to compare apply with. Of the configuration, "
        "apply.keep_mutes and apply.max_time_minutes count. " PREDICTION_DESCRIPTION,
    .example = "mpirun -n 2 seisdcn fxdecon --survey survey.h5 --output fx.h5\n"
               "mpirun -n 2 seisdcn fxdecon --survey survey.h5 --output fx.h5 --filter-traces 6 --damping 0.2",
    .tables = {{prediction_survey, offsetof(FxdeconOptions, prediction)},
               {prediction_options, offsetof(FxdeconOptions, prediction)},
               {options, 0}},
    .options_size = sizeof(FxdeconOptions),
    .uses_config = true,
    .is_resumable = true,
    .run = run,
};
