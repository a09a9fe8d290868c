/* apply: predicts every gather of a survey, each by one rank. */
#include "apply.h"
#include "report.h"

#include "seisdcn/checksum.h"
#include "seisdcn/commands.h"
#include "seisdcn/interrupt.h"
#include "seisdcn/log.h"
#include "seisdcn/memory.h"
#include "seisdcn/selector.h"
#include "seisdcn/text.h"
#include "seisdcn/timer.h"
#include "seisdcn/worklist.h"

#include <inttypes.h>

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
    if (status == STATUS_OK)
        status = model_take_survey(&apply->network, apply->info.channels, &apply->survey, STATUS_DATA);
    return status == STATUS_OK ? comm_agree(&job->comm, fill_list(apply)) : status;
}

/* ---- loop ---- */

static Status check_finite(const Apply *apply, int64_t e, const float *out, int64_t n)
{
    const Survey *survey = &apply->survey;
    char name[96];
    int64_t bad = survey_first_not_finite(out, n);
    if (bad < 0) return STATUS_OK;
    return status_fail(STATUS_NUMERIC,
                       "the prediction of %s is not finite at trace %" PRId64 ", sample %" PRId64
                       "; its samples may be too large for 32-bit numbers",
                       survey_ensemble_name(survey, e, name), bad / survey->n_samples, bad % survey->n_samples);
}

static void add_counts(Apply *apply, const PredictCounts *one)
{
    PredictCounts *all = &apply->counts;
    all->windows += one->windows;
    all->live += one->live;
    all->faint += one->faint;
    all->sets += one->sets;
    all->alone += one->alone;
    all->samples += one->samples;
    /* finite: sums of squares of floats */
    (void)exact_wide_add(&apply->energy[APPLY_INPUT], one->energy);
    (void)exact_wide_add(&apply->energy[APPLY_PREDICTED], one->predicted);
    (void)exact_wide_add(&apply->energy[APPLY_LEAKED], one->leaked);
}

/* Adds the time since *start to a phase, less what went to the counter meanwhile. */
static void clock_phase(Apply *apply, ApplyPhase phase, const Worklist *work, double *start)
{
    double now = timer_now(), counter = work->waited - apply->spent[APPLY_COUNTER];
    apply->spent[phase] += now - *start - counter;
    apply->spent[APPLY_COUNTER] = work->waited;
    *start = now;
}

/* Item i of the list: read, predicted, written; given up where the work is to stop. */
static Status predict_one(Apply *apply, Predictor *predictor, Worklist *work, int64_t i, float *out)
{
    const Survey *survey = &apply->survey;
    int64_t e = apply->list[i], fold = survey_fold(survey, e), n = fold * survey->n_samples;
    bool shared = apply->job->config.apply.method == APPLY_SHARED;
    PredictCounts counts = {0};
    double start = timer_now();
    apply->spent[APPLY_COUNTER] = work->waited;
    Status status = apply_read(apply, e);
    clock_phase(apply, APPLY_FILES, work, &start);
    if (status != STATUS_OK) return status;
    bool whole = (shared ? predict_shared : predict_direct)(predictor, apply->in, fold, out, &counts);
    if (whole) status = check_finite(apply, e, out, n);
    if (whole && command_flag(apply->job, "--difference"))
        for (int64_t k = 0; k < n; k++) out[k] = apply->own[k] - out[k];
    clock_phase(apply, APPLY_PREDICT, work, &start);
    if (status != STATUS_OK || !whole) return status;
    status = survey_write_gather(&apply->predicted, e, out);
    clock_phase(apply, APPLY_FILES, work, &start);
    if (status != STATUS_OK) return status;
    add_counts(apply, &counts);
    apply->n_done++;
    log_progress(worklist_done(work), NULL);
    return STATUS_OK;
}

/* Hears this process's request to stop, and passes it on to the other ranks. */
static bool poke(void *context)
{
    Worklist *work = context;
    if (interrupt_asked()) worklist_stop(work);
    return worklist_poke(work);
}

static Status predict_mine(Apply *apply, Predictor *predictor, Worklist *work, float *out)
{
    Status status = STATUS_OK;
    predictor->poke = poke;
    predictor->poke_context = work;
    while (status == STATUS_OK && !poke(work)) {
        int64_t i = worklist_next(work);
        if (i < 0) break;
        status = predict_one(apply, predictor, work, i, out);
    }
    if (status != STATUS_OK) worklist_stop(work); /* what the others do until then is kept */
    apply->spent[APPLY_COUNTER] = work->waited;
    predictor->poke = NULL; /* the list ends before the predictor */
    predictor->poke_context = NULL;
    return status;
}

/* After the last of `done` gathers: OK where these are all. */
static Status check_done(const Apply *apply, int64_t done)
{
    if (done == apply->n) return STATUS_OK;
    Status status = comm_agree(&apply->job->comm, interrupt_status());
    if (status != STATUS_OK) return status;
    return status_fail(STATUS_BUG, "%" PRId64 " gathers of %" PRId64 " were done", done, apply->n);
}

static Status work_off(Apply *apply, Predictor *predictor, float *out)
{
    const Comm *comm = &apply->job->comm;
    Worklist work;
    worklist_new(comm, apply->n, &work);
    double start = timer_now();
    log_progress_start("apply", apply->n, "gathers");
    Status status = predict_mine(apply, predictor, &work, out);
    double end = timer_now();
    int64_t done = worklist_end(&work);
    status = comm_agree(comm, status);
    log_progress_end();
    apply->seconds = timer_now() - start;
    apply->spent[APPLY_IDLE] = timer_now() - end;
    worklist_free(&work);
    return status == STATUS_OK ? check_done(apply, done) : status;
}

static Status loop(Apply *apply)
{
    const Comm *comm = &apply->job->comm;
    const Config *config = &apply->job->config;
    const Survey *survey = &apply->survey;
    Predictor predictor = {0};
    bool shared[OBJECTIVE_INPUTS * (SURVEY_ATTRIBUTES_MAX + 1)];
    apply_shared_scale(apply, shared);
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
    predictor.own = apply->own;
    if (status == STATUS_OK) status = work_off(apply, &predictor, out);
    apply_read_close(apply);
    memory_free(out);
    predict_free(&predictor);
    return status;
}

/* ---- the command ---- */

/* Predicts what the output lacks, and gives it its name. */
static Status make_output(Apply *apply)
{
    Status status = loop(apply);
    if (status == STATUS_OK) status = apply_output_finish(apply);
    if (status == STATUS_OK) apply_report(apply);
    if (status == STATUS_OK) report_memory(&apply->job->comm);
    return status;
}

static Status run(Job *job)
{
    Apply apply = {.job = job};
    bool finished = false;
    interrupt_limit(60 * job->config.apply.max_time_minutes);
    Status status = prepare(&apply);
    if (status == STATUS_OK) status = apply_output_open(&apply, &finished);
    if (status == STATUS_OK && finished)
        log_note("%s is finished already: nothing is left to do", command_text(job, "--output"));
    else if (status == STATUS_OK && command_flag(job, "--dry-run"))
        status = apply_dry_run(&apply);
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
        "predicted (/ensemble/done says which), the others stay zero. The output grows as PREDICTED.h5.part; after a "
        "kill, --resume goes on with it on any number of ranks, and the result has the same bytes. SIGUSR1, SIGUSR2, "
        "SIGTERM, SIGINT and apply.max_time_minutes stop it in good order, with status 75. A job that may be requeued "
        "can always pass --resume: without a .part it starts from the beginning.",
    .example = "mpirun -n 2 seisdcn apply --survey survey.h5 --model run/best.h5 --output predicted.h5",
    .options = options,
    .uses_config = true,
    .is_resumable = true,
    .run = run,
};
