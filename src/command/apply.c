/* apply: predicts every gather of a survey by a trained network. */
#include "apply.h"

#include "seisdcn/commands.h"
#include "seisdcn/log.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

/* What the options say; their tables tell what each means. */
typedef struct {
    PredictionOptions prediction;
    const char *model;
} ApplyOptions;

static const ApplyOptions *apply_options(const Job *job) { return job->options; }

static Apply *apply_of(const Prediction *prediction) { return prediction->context; }

/* ---- prepare ---- */

static Status prepare(Prediction *prediction)
{
    Apply *apply = apply_of(prediction);
    Job *job = prediction->job;
    const char *model = apply_options(job)->model;
    const Vector *vector;
    Status status = model_choose_vector(&job->comm, &vector);
    return status == STATUS_OK ? apply_load(apply, &job->comm, model, vector, &job->config) : status;
}

static Status check(Prediction *prediction)
{
    Apply *apply = apply_of(prediction);
    return model_take_survey(&apply->network, apply->info.channels, &prediction->survey, STATUS_DATA);
}

/* What channels feed the network, and a checksum of what they hold. */
static void describe_channels(const Survey *survey, int64_t n_channels, PredictionWork *work)
{
    char text[SURVEY_CHANNELS_TEXT];
    Fact *fact = prediction_fact(work, FACT_OF_INPUT, FACT_TEXT, "channels", "choice of channels");
    fact->path = survey->path;
    survey_describe_channels(survey, n_channels, text);
    snprintf(fact->room, sizeof fact->room, "%.*s", FACT_TEXT_MAX - 1, text); /* the checksum is of all of it */
    if (n_channels == 1) return;
    fact = prediction_fact(work, FACT_OF_INPUT, FACT_CHECKSUM, "attributes_checksum", "survey's attributes");
    fact->path = survey->path;
    fact->checksum = survey_channels_checksum(survey, n_channels);
}

static void describe_network(const NetworkShape *shape, char text[FACT_TEXT_MAX])
{
    snprintf(text, FACT_TEXT_MAX,
             "channels %" PRId64 ", k_mult %" PRId64 ", levels %" PRId64 ", patch %" PRId64 ", mixing %s, skip %s, "
             "width %" PRId64 ", out_channels %" PRId64 ", output %s, scale %s, scale_grid %" PRId64 ", target %s",
             shape->channels, shape->k_mult, shape->levels, shape->patch_size,
             config_word(CONFIG_NETWORK_MIXING, shape->mixing), config_word(CONFIG_NETWORK_SKIP, shape->skip),
             shape->width, shape->n_out, config_word(CONFIG_NETWORK_OUTPUT, shape->output),
             config_word(CONFIG_PATCH_SCALE, shape->scale), shape->scale_grid,
             config_word(CONFIG_TRAIN_TARGET, shape->objective.target));
}

static void describe(const Prediction *prediction, PredictionWork *work)
{
    const Apply *apply = apply_of(prediction);
    const Config *config = &prediction->job->config;
    const NetworkShape *shape = &apply->network.shape;
    const char *model = apply_options(prediction->job)->model;
    work->deal = &apply->info.deal;
    describe_channels(&prediction->survey, model_gather_channels(&apply->network), work);
    Fact *fact = prediction_fact(work, FACT_OF_INPUT, FACT_CHECKSUM, "model_checksum", "model");
    fact->path = model;
    fact->checksum = apply->info.checksum;
    prediction_fact(work, FACT_TOLD, FACT_TEXT, "model_path", "model")->text = model; /* no output goes over it */
    fact = prediction_fact(work, FACT_OF_INPUT, FACT_TEXT, "network", "network");     /* what the checksum leaves out */
    fact->path = model;
    describe_network(shape, fact->room);
    prediction_fact(work, FACT_OF_KEY, FACT_TEXT, "method", "apply.method")->text =
        config_word(CONFIG_APPLY_METHOD, (int64_t)config->apply.method);
    prediction_fact(work, FACT_OF_KEY, FACT_NUMBER, "mute_threshold", "apply.mute_threshold")->number =
        config->apply.mute_threshold;
    prediction_fact(work, FACT_OF_MACHINE, FACT_TEXT, "instruction_set", "instruction set")->text =
        apply->network.vector->name;
}

/* ---- a gather ---- */

static Status open_predictor(Prediction *prediction)
{
    Apply *apply = apply_of(prediction);
    const Survey *survey = &prediction->survey;
    const Config *config = &prediction->job->config;
    Status status = apply_open(apply, config, survey);
    if (status != STATUS_OK) return status;
    objective_report(&apply->objective);
    prediction->own = apply->own;
    apply->predictor.poke = prediction_poke;
    apply->predictor.poke_context = prediction;
    return STATUS_OK;
}

static void close_predictor(Prediction *prediction) { apply_close(apply_of(prediction)); }

static Status read_gather(Prediction *prediction, int64_t e)
{
    return apply_read(apply_of(prediction), &prediction->survey, e);
}

static void add_counts(Prediction *prediction, const PredictCounts *one)
{
    PredictCounts *all = &apply_of(prediction)->counts;
    all->faint += one->faint;
    all->sets += one->sets;
    all->alone += one->alone;
    prediction->units += one->windows;
    prediction->live += one->live;
    prediction_energy(prediction, &(MuteEnergy){one->energy, one->predicted, one->leaked});
}

static Status run_windows(Prediction *prediction, int64_t e, int64_t fold, float *out, bool *whole)
{
    Apply *apply = apply_of(prediction);
    PredictCounts counts = {0};
    *whole = apply_windows(apply, survey_fold(&prediction->survey, e), fold, out, &counts);
    if (*whole) add_counts(prediction, &counts);
    return STATUS_OK;
}

/* ---- what is said ---- */

static void report_sharing(const Apply *apply, const int64_t sum[3], bool shared)
{
    char sets[LOG_THINGS_MAX];
    if (sum[0] > 0)
        log_note("shared: %s of %.0f windows, %.1f %% of the windows one by one", log_things(sum[0], "level set", sets),
                 (double)sum[2] / (double)sum[0], 100 * (double)sum[1] / (double)sum[2]);
    else if (shared && !shared_serves(&apply->network.shape))
        log_note("windows of this network share nothing (patch.size is at most 4 times network.levels): all went one "
                 "by one");
    else if (shared && sum[2] > 0)
        log_note("hardly any windows have the same scale, so all went one by one%s",
                 apply->network.shape.scale == SCALE_RMS && apply->network.shape.scale_grid == 0
                     ? "; those of a model trained with patch.scale_grid have"
                     : "");
}

static void report(Prediction *prediction)
{
    const Apply *apply = apply_of(prediction);
    const Config *config = &prediction->job->config;
    int64_t sum[] = {apply->counts.sets, apply->counts.alone, prediction->live, apply->counts.faint,
                     prediction->samples};
    comm_sum(&prediction->job->comm, sum, sizeof sum / sizeof *sum);
    report_sharing(apply, sum, config->apply.method == APPLY_SHARED);
    int64_t live = sum[2], faint = sum[3], samples = sum[4];
    if (faint > 9 * live)
        log_warning(
            "%.1f %% of the windows that hold anything passed unpredicted: apply.mute_threshold is %g in the data's "
            "units, and the data's RMS is %g; lower it",
            100 * (double)faint / (double)(live + faint), config->apply.mute_threshold,
            sqrt(prediction->energy_of_all[PREDICTION_INPUT] / (double)samples));
}

/* ---- for --dry-run ---- */

static int64_t units(const Prediction *prediction, int64_t fold)
{
    int64_t edge = apply_of(prediction)->network.shape.patch_size - 1;
    return (fold + edge) * (prediction->survey.n_samples + edge);
}

/* Enough windows for a fair sample, few enough for seconds. */
static int64_t sample(const Prediction *prediction, int64_t fold)
{
    static const int64_t WINDOWS = 100000;
    int64_t kept = fold;
    while (kept > apply_of(prediction)->network.shape.patch_size && units(prediction, kept) > WINDOWS) kept--;
    return kept;
}

static int64_t gather_bytes(const Prediction *prediction)
{
    return apply_read_bytes(apply_of(prediction), &prediction->survey);
}

static int64_t room_bytes(const Prediction *prediction)
{
    const Survey *survey = &prediction->survey;
    return (int64_t)predict_bytes(&apply_of(prediction)->network, survey_max_fold(survey), survey->n_samples);
}

/* ---- the command ---- */

static const PredictionMethod method = {
    .command = "apply",
    .unit = "window",
    .room = "windows and sums",
    .prepare = prepare,
    .check = check,
    .describe = describe,
    .open = open_predictor,
    .close = close_predictor,
    .read = read_gather,
    .run = run_windows,
    .report = report,
    .units = units,
    .sample = sample,
    .gather_bytes = gather_bytes,
    .room_bytes = room_bytes,
};

static Status run(Job *job)
{
    Apply apply = {0};
    Prediction prediction = {.job = job, .said = &apply_options(job)->prediction, .method = &method, .context = &apply};
    Status status = prediction_run(&prediction);
    network_free(&apply.network);
    return status;
}

static const Option options[] = {
    {"--model", FILLS(INPUT, ApplyOptions, model), .argument = "MODEL.h5", .required = true,
     .help = "the trained model"},
    {.name = NULL},
};

const Command command_apply = {
    .name = "apply",
    .summary = "predicts every gather of a survey",
    .description = "Slides a window over every gather, by one trace and one sample, and writes the mean of all the "
                   "windows' predictions. " PREDICTION_DESCRIPTION,
    .example = "mpirun -n 2 seisdcn apply --survey survey.h5 --model run/best.h5 --output predicted.h5",
    .tables = {{prediction_survey, offsetof(ApplyOptions, prediction)},
               {options, 0},
               {prediction_options, offsetof(ApplyOptions, prediction)}},
    .options_size = sizeof(ApplyOptions),
    .uses_config = true,
    .is_resumable = true,
    .run = run,
};
