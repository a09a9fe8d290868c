/* apply: predicts every gather of a survey, each by one rank. */
#include "apply.h"
#include "report.h"

#include "seisdcn/checksum.h"
#include "seisdcn/commands.h"
#include "seisdcn/log.h"
#include "seisdcn/memory.h"
#include "seisdcn/selector.h"
#include "seisdcn/text.h"
#include "seisdcn/timer.h"
#include "seisdcn/worklist.h"

#include <inttypes.h>
#include <math.h>

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
    apply->n_selected = apply->n;
    if (status == STATUS_OK) apply->selection = checksum_bytes(apply->list, (size_t)apply->n * sizeof *apply->list);
    memory_free(selected);
    return status;
}

static Status prepare(Apply *apply)
{
    Job *job = apply->job;
    const char *model = command_text(job, "--model");
    const Vector *vector;
    apply->part = text_format("%s.part", command_text(job, "--output"));
    Status status = apply->part == NULL ? STATUS_MEMORY : STATUS_OK;
    if (status == STATUS_OK && job->comm.rank == 0) status = apply_output_check(job, apply->part);
    status = comm_agree(&job->comm, status);
    if (status == STATUS_OK) status = model_choose_vector(&job->comm, &vector);
    if (status == STATUS_OK) status = model_load(&job->comm, model, vector, &apply->network, &apply->info);
    if (status == STATUS_OK) status = model_take_config(&apply->network, model, &job->config);
    if (status == STATUS_OK) status = survey_open(&job->comm, command_text(job, "--survey"), false, &apply->survey);
    if (status == STATUS_OK) status = model_check_survey(&apply->network, &apply->survey, STATUS_DATA);
    return status == STATUS_OK ? comm_agree(&job->comm, fill_list(apply)) : status;
}

/* ---- loop ---- */

static Status predict_one(Apply *apply, Predictor *predictor, int64_t e, float *out)
{
    const Survey *survey = &apply->survey;
    int64_t fold = survey_fold(survey, e), n = fold * survey->n_samples;
    Status status = apply_read(apply, e);
    if (status != STATUS_OK) return status;
    if (apply->job->config.apply.method == APPLY_SHARED)
        predict_shared(predictor, apply->in, fold, out, &apply->counts);
    else
        predict_direct(predictor, apply->in, fold, out, &apply->counts);
    for (int64_t i = 0; i < n; i++)
        if (!isfinite(out[i])) {
            char name[96];
            return status_fail(STATUS_NUMERIC,
                               "the prediction of %s is not finite at trace %" PRId64 ", sample %" PRId64
                               "; its samples may be too large for 32-bit numbers",
                               survey_ensemble_name(survey, e, name), i / survey->n_samples, i % survey->n_samples);
        }
    if (command_flag(apply->job, "--difference"))
        for (int64_t i = 0; i < n; i++) out[i] = apply->own[i] - out[i];
    status = survey_write_gather(&apply->predicted, e, out);
    apply->n_done += status == STATUS_OK;
    return status;
}

static void poke(void *context) { worklist_poke(context); }

static Status predict_mine(Apply *apply, Predictor *predictor, Worklist *work, float *out, double *busy)
{
    Status status = STATUS_OK;
    for (int64_t i = worklist_next(work); i >= 0; i = worklist_next(work)) {
        double start = timer_now();
        status = predict_one(apply, predictor, apply->list[i], out);
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
    const NetworkShape *shape = &apply->network.shape;
    int64_t channels = shape->channels / objective_inputs(shape->objective.target); /* of a gather */
    bool shared[OBJECTIVE_INPUTS * (SURVEY_ATTRIBUTES_MAX + 1)];
    for (int64_t c = 0; c < shape->channels; c++)
        shared[c] = c % channels == 0 || survey->attribute[c % channels - 1].shared_scale;
    int64_t fold = survey_max_fold(survey);
    size_t n = (size_t)(fold * survey->n_samples);
    network_fold_running(&apply->network);
    float *out = memory_new(n, sizeof *out, "a predicted gather");
    Status status = out == NULL ? STATUS_MEMORY : apply_read_open(apply);
    if (status == STATUS_OK)
        status = predict_new(&apply->network, fold, survey->n_samples, config->apply.mute_threshold,
                             config->apply.keep_mutes, shared, &predictor);
    status = comm_agree(comm, status);
    if (status == STATUS_OK && apply->objective.before != NULL) objective_report(&apply->objective);
    if (status == STATUS_OK) {
        predictor.own = apply->own;
        worklist_new(comm, apply->n, &work);
        predictor.poke = poke;
        predictor.poke_context = &work;
        log_progress_start("apply", apply->n, "gathers");
        status = predict_mine(apply, &predictor, &work, out, busy);
        worklist_end(&work);
        status = comm_agree(comm, status);
        log_progress_end();
        worklist_free(&work);
    }
    apply_read_close(apply);
    memory_free(out);
    predict_free(&predictor);
    return status;
}

/* ---- the command ---- */

/* Predicts what the output lacks, and gives it its name. */
static Status make_output(Apply *apply)
{
    double start = timer_now(), busy = 0;
    Status status = loop(apply, &busy);
    double seconds = timer_now() - start;
    if (status == STATUS_OK) status = apply_output_finish(apply);
    if (status == STATUS_OK) apply_report(apply, seconds, busy);
    if (status == STATUS_OK) report_memory(&apply->job->comm);
    return status;
}

static Status run(Job *job)
{
    Apply apply = {.job = job};
    bool finished = false;
    Status status = prepare(&apply);
    if (status == STATUS_OK) status = apply_output_open(&apply, &finished);
    if (status == STATUS_OK && finished)
        log_note("%s is finished already: nothing is left to do", command_text(job, "--output"));
    else if (status == STATUS_OK)
        status = make_output(&apply);
    if (status != STATUS_OK) status = apply_output_abandon(&apply, status);
    survey_close(&apply.predicted); /* whole by now, or abandoned */
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
    {.name = "--resume", .kind = OPTION_FLAG, .help = "go on with an unfinished PREDICTED.h5.part, where there is one"},
    {.name = "--difference", .kind = OPTION_FLAG, .help = "write input minus prediction, the noise"},
    {.name = NULL},
};

const Command command_apply = {
    .name = "apply",
    .summary = "predicts every gather of a survey",
    .description =
        "Slides a window over every gather, by one trace and one sample, and writes the mean of all the "
        "windows' predictions. The output is a survey file of the same gathers; with --ensembles only those are "
        "predicted (/ensemble/done says which), the others stay zero. The output grows as PREDICTED.h5.part; after a "
        "kill, --resume goes on with it on any number of ranks, and the result has the same bytes. A job that may be "
        "requeued can always pass --resume: without a .part it starts from the beginning.",
    .example = "mpirun -n 2 seisdcn apply --survey survey.h5 --model run/best.h5 --output predicted.h5",
    .options = options,
    .uses_config = true,
    .run = run,
};
