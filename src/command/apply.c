/* apply: predicts every gather of a survey, each by one rank. */
#include "dry_run.h"
#include "report.h"

#include "seisdcn/command.h"
#include "seisdcn/commands.h"
#include "seisdcn/files.h"
#include "seisdcn/log.h"
#include "seisdcn/memory.h"
#include "seisdcn/model.h"
#include "seisdcn/predict.h"
#include "seisdcn/selector.h"
#include "seisdcn/survey.h"
#include "seisdcn/text.h"
#include "seisdcn/timer.h"
#include "seisdcn/worklist.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

typedef struct {
    Job *job;
    Survey survey, predicted;
    Network network;
    ModelInfo info;
    int64_t *list, n; /* the ensembles to predict */
    bool whole;       /* all of the survey */
    char *part;       /* the output's name while it grows */
    bool begun;       /* the output may stand under that name */
    PredictCounts counts;
} Apply;

/* ---- prepare ---- */

static Status fill_list(Apply *apply)
{
    const Survey *survey = &apply->survey;
    const char *list = command_text(apply->job, "--ensembles");
    uint8_t *selected = memory_new((size_t)survey->n_ensembles, 1, "the selected gathers");
    apply->list = memory_new((size_t)survey->n_ensembles, sizeof *apply->list, "the selected gathers");
    Status status = selected == NULL || apply->list == NULL ? STATUS_MEMORY : STATUS_OK;
    if (status == STATUS_OK && list != NULL)
        status = selector_list(list, survey->n_ensembles, survey->inlines, survey->crosslines, selected);
    for (int64_t e = 0; status == STATUS_OK && e < survey->n_ensembles; e++)
        if (list == NULL || selected[e]) apply->list[apply->n++] = e;
    apply->whole = apply->n == survey->n_ensembles;
    memory_free(selected);
    return status;
}

static Status create_output(Apply *apply)
{
    const Survey *survey = &apply->survey;
    char *history = survey_history(survey->history, apply->job->line);
    Status status = comm_agree(&apply->job->comm, history == NULL ? STATUS_MEMORY : STATUS_OK);
    if (status != STATUS_OK) return status;
    SurveyPlan plan = {.n_ensembles = survey->n_ensembles,
                       .n_samples = survey->n_samples,
                       .interval_us = survey->interval_us,
                       .first_trace = survey->first_trace,
                       .inlines = survey->inlines,
                       .crosslines = survey->crosslines,
                       .history = history,
                       .with_done = true,
                       .sparse = !apply->whole};
    apply->begun = true;
    status = survey_create(&apply->job->comm, apply->part, &plan, &apply->predicted);
    memory_free(history);
    return status;
}

static Status prepare(Apply *apply)
{
    Job *job = apply->job;
    const char *model = command_text(job, "--model"), *output = command_text(job, "--output");
    const Vector *vector;
    Status status = STATUS_OK;
    if (job->comm.rank == 0) status = files_check_output(output, job->force);
    status = comm_agree(&job->comm, status);
    if (status == STATUS_OK) status = model_choose_vector(&job->comm, &vector);
    if (status == STATUS_OK) status = model_load(&job->comm, model, vector, &apply->network, &apply->info);
    if (status == STATUS_OK) status = model_take_config(&apply->network, model, &job->config);
    if (status == STATUS_OK) status = survey_open(&job->comm, command_text(job, "--survey"), false, &apply->survey);
    if (status == STATUS_OK) status = model_check_survey(&apply->network, &apply->survey, STATUS_DATA);
    if (status == STATUS_OK) status = comm_agree(&job->comm, fill_list(apply));
    if (status == STATUS_OK) {
        apply->part = text_format("%s.part", output);
        status = comm_agree(&job->comm, apply->part == NULL ? STATUS_MEMORY : STATUS_OK);
    }
    return status;
}

/* ---- loop ---- */

static Status predict_one(Apply *apply, Predictor *predictor, int64_t e, float *in, float *out)
{
    const Survey *survey = &apply->survey;
    int64_t fold = survey_fold(survey, e), n = fold * survey->n_samples;
    Status status = survey_read_gather(survey, e, apply->network.shape.channels, in);
    if (status != STATUS_OK) return status;
    if (apply->job->config.apply.method == APPLY_SHARED)
        predict_shared(predictor, in, fold, out, &apply->counts);
    else
        predict_direct(predictor, in, fold, out, &apply->counts);
    for (int64_t i = 0; i < n; i++)
        if (!isfinite(out[i])) {
            char name[96];
            return status_fail(STATUS_NUMERIC,
                               "the prediction of %s is not finite at trace %" PRId64 ", sample %" PRId64
                               "; its samples may be too large for 32-bit numbers",
                               survey_ensemble_name(survey, e, name), i / survey->n_samples, i % survey->n_samples);
        }
    if (command_flag(apply->job, "--difference"))
        for (int64_t i = 0; i < n; i++) out[i] = in[i] - out[i];
    return survey_write_gather(&apply->predicted, e, out);
}

static void poke(void *context) { worklist_poke(context); }

static Status predict_mine(Apply *apply, Predictor *predictor, Worklist *work, float *in, float *out, double *busy)
{
    Status status = STATUS_OK;
    for (int64_t i = worklist_next(work); i >= 0; i = worklist_next(work)) {
        double start = timer_now();
        status = predict_one(apply, predictor, apply->list[i], in, out);
        *busy += timer_now() - start;
        if (status != STATUS_OK) break;
        log_progress(worklist_done(work), NULL);
    }
    return status;
}

static Status loop(Apply *apply, double *busy)
{
    const Comm *comm = &apply->job->comm;
    const Config *config = &apply->job->config;
    const Survey *survey = &apply->survey;
    Predictor predictor = {0};
    Worklist work;
    bool shared[SURVEY_ATTRIBUTES_MAX + 1] = {true};
    for (int c = 0; c < survey->n_attributes; c++) shared[c + 1] = survey->attribute[c].shared_scale;
    int64_t fold = survey_max_fold(survey);
    size_t n = (size_t)(fold * survey->n_samples);
    network_fold_running(&apply->network);
    float *in = memory_new(n * (size_t)apply->network.shape.channels, sizeof *in, "a gather");
    float *out = memory_new(n, sizeof *out, "a predicted gather");
    Status status = in == NULL || out == NULL ? STATUS_MEMORY : STATUS_OK;
    if (status == STATUS_OK)
        status = predict_new(&apply->network, fold, survey->n_samples, config->apply.mute_threshold,
                             config->apply.keep_mutes, shared, &predictor);
    status = comm_agree(comm, status);
    if (status == STATUS_OK) status = worklist_new(comm, apply->n, &work);
    if (status == STATUS_OK) {
        predictor.poke = poke;
        predictor.poke_context = &work;
        log_progress_start("apply", apply->n, "gathers");
        status = predict_mine(apply, &predictor, &work, in, out, busy);
        status = comm_agree(comm, status);
        log_progress_end();
        worklist_free(&work);
    }
    memory_free(in);
    memory_free(out);
    predict_free(&predictor);
    return status;
}

/* ---- report ---- */

/* Attributes, headers, name. */
static Status finish(Apply *apply)
{
    const Comm *comm = &apply->job->comm;
    Status status = survey_finish(&apply->predicted);
    if (status == STATUS_OK) status = survey_copy_headers(comm, apply->survey.path, apply->part);
    if (status != STATUS_OK) return status;
    if (comm->rank == 0) {
        H5File file;
        status = h5_open(apply->part, true, &file);
        if (status == STATUS_OK) {
            status = h5_put_uint(&file, "/", "model_checksum", apply->info.checksum);
            if (status == STATUS_OK) status = h5_put_uint(&file, "/", "survey_checksum", apply->survey.checksum);
            Status closed = h5_close(&file);
            if (status == STATUS_OK) status = closed;
        }
        if (status == STATUS_OK) status = files_publish(apply->part, command_text(apply->job, "--output"));
    }
    return comm_agree(comm, status);
}

static void report(const Apply *apply, double seconds, double busy)
{
    const Comm *comm = &apply->job->comm;
    int64_t sums[] = {apply->counts.windows, apply->counts.live, apply->counts.faint,
                      apply->counts.samples, apply->counts.sets, apply->counts.alone};
    double energy = 0;
    comm_sum(comm, sums, 6);
    MPI_Reduce(&apply->counts.energy, &energy, 1, MPI_DOUBLE, MPI_SUM, 0, comm->mpi);
    CommSpread spread = comm_spread(comm, busy);
    char gathers[32], windows[32], live[32], spent[32];
    log_note("predicted %s gathers, %s windows (%s live), in %s: %.0f live windows/s", log_count(apply->n, gathers),
             log_count(sums[0], windows), log_count(sums[1], live), log_duration(seconds, spent),
             (double)sums[1] / seconds);
    if (sums[4] > 0)
        log_note("shared: %s level sets of %.0f windows, %.1f %% of the windows one by one",
                 log_count(sums[4], gathers), (double)sums[1] / (double)sums[4],
                 100 * (double)sums[5] / (double)sums[1]);
    else if (apply->job->config.apply.method == APPLY_SHARED && !shared_serves(&apply->network.shape))
        log_note("windows of this network share nothing (a skip, or a patch of at most 4 levels' width): all went one "
                 "by one");
    if (comm->size > 1)
        log_note("busy seconds a rank: min %.1f (rank %d), mean %.1f, max %.1f (rank %d)", spread.min, spread.min_rank,
                 spread.mean, spread.max, spread.max_rank);
    double threshold = apply->job->config.apply.mute_threshold;
    if (sums[2] > 9 * sums[1])
        log_warning(
            "%.1f %% of the windows that hold anything passed unpredicted: apply.mute_threshold is %g in the data's "
            "units, and the data's RMS is %g; lower it",
            100 * (double)sums[2] / (double)(sums[1] + sums[2]), threshold, sqrt(energy / (double)sums[3]));
}

static Status run(Job *job)
{
    Apply apply = {.job = job};
    Status status = prepare(&apply);
    bool dry = command_flag(job, "--dry-run");
    if (status == STATUS_OK)
        status = dry ? dry_run_apply(job, &apply.survey, &apply.network, apply.list, apply.n, apply.whole)
                     : create_output(&apply);
    double start = timer_now(), busy = 0;
    if (status == STATUS_OK && !dry) status = loop(&apply, &busy);
    double seconds = timer_now() - start;
    if (status == STATUS_OK && !dry) status = finish(&apply);
    if (status == STATUS_OK && !dry) report(&apply, seconds, busy);
    if (status == STATUS_OK && !dry) report_memory(&job->comm);
    survey_close(&apply.predicted); /* whole by now, or thrown away */
    if (status != STATUS_OK && apply.begun && job->comm.rank == 0) unlink(apply.part);
    Status closed = survey_close(&apply.survey);
    network_free(&apply.network);
    memory_free(apply.list);
    memory_free(apply.part);
    return status != STATUS_OK ? status : closed;
}

static const Option options[] = {
    {.name = "--survey", .kind = OPTION_TEXT, .argument = "SURVEY.h5", .required = true, .help = "the survey file"},
    {.name = "--model", .kind = OPTION_TEXT, .argument = "MODEL.h5", .required = true, .help = "the trained model"},
    {.name = "--output",
     .kind = OPTION_TEXT,
     .argument = "PREDICTED.h5",
     .required = true,
     .help = "the predicted survey"},
    {.name = "--ensembles",
     .kind = OPTION_TEXT,
     .argument = "LIST",
     .help = "only these gathers: 1300:1400,#7,1300-1310:1400-1500,#0-#9"},
    {.name = "--difference", .kind = OPTION_FLAG, .help = "write input minus prediction, the noise"},
    {.name = "--dry-run",
     .kind = OPTION_FLAG,
     .help = "check everything, write nothing, and print memory, file, windows and time"},
    {.name = NULL},
};

const Command command_apply = {
    .name = "apply",
    .summary = "predicts every gather of a survey",
    .description =
        "Slides a window over every gather, by one trace and one sample, and writes the mean of all the "
        "windows' predictions. The output is a survey file of the same gathers; with --ensembles only those are "
        "predicted (/ensemble/done says which), the others stay zero.",
    .example = "mpirun -n 2 seisdcn apply --survey survey.h5 --model run/best.h5 --output predicted.h5",
    .options = options,
    .uses_config = true,
    .run = run,
};
