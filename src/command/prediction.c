/* The loop over the gathers of a survey that apply and its rivals share. */
#include "prediction.h"

#include "export_origin.h"
#include "report.h"

#include "seisdcn/checksum.h"
#include "seisdcn/interrupt.h"
#include "seisdcn/log.h"
#include "seisdcn/memory.h"
#include "seisdcn/survey_lines.h"
#include "seisdcn/text.h"
#include "seisdcn/timer.h"

#include <inttypes.h>

/* ---- options ---- */

const Option prediction_survey[] = {
    {"--survey", FILLS(SURVEY, PredictionOptions, survey), "SURVEY.h5", .required = true, .help = "the survey file"},
    {.name = NULL},
};

const Option prediction_options[] = {
    {"--output", FILLS(OUTPUT, PredictionOptions, output), "PREDICTED.h5", .required = true,
     .help = "the predicted survey"},
    {"--ensembles", FILLS(TEXT, PredictionOptions, ensembles), "LIST",
     .help = "only these gathers: 1300:1400,#7,1300-1310:1400-1500,#0-#9"},
    {"--resume", FILLS(FLAG, PredictionOptions, resume),
     .help = "go on with an unfinished PREDICTED.h5.part, where there is one"},
    {"--difference", FILLS(FLAG, PredictionOptions, difference), .help = "write input minus prediction, the noise"},
    {"--dry-run", FILLS(FLAG, PredictionOptions, dry_run),
     .help = "check everything, write nothing, and print memory, file, work and time"},
    {.name = NULL},
};

/* ---- prepare ---- */

static Status fill_list(Prediction *prediction)
{
    const Survey *survey = &prediction->survey;
    const char *list = prediction->said->ensembles;
    uint8_t *selected = memory_new((size_t)survey->n_ensembles, 1, "the selected gathers");
    prediction->list = memory_new((size_t)survey->n_ensembles, sizeof *prediction->list, "the selected gathers");
    Status status = selected == NULL || prediction->list == NULL ? STATUS_MEMORY : STATUS_OK;
    if (status == STATUS_OK && list != NULL) status = survey_select(survey, list, selected);
    for (int64_t e = 0; status == STATUS_OK && e < survey->n_ensembles; e++)
        if (list == NULL || selected[e]) prediction->list[prediction->n++] = e;
    prediction->n_selected = prediction->n;
    if (status == STATUS_OK)
        prediction->selection = checksum_bytes(prediction->list, (size_t)prediction->n * sizeof *prediction->list);
    memory_free(selected);
    return status;
}

static Status prepare(Prediction *prediction)
{
    Job *job = prediction->job;
    const PredictionMethod *method = prediction->method;
    prediction->part = text_format("%s.part", prediction->said->output);
    Status status = prediction->part == NULL ? STATUS_MEMORY : STATUS_OK;
    if (status == STATUS_OK && job->comm.rank == 0) status = prediction_output_check(prediction);
    status = comm_agree(&job->comm, status);
    if (status == STATUS_OK && method->prepare != NULL) status = method->prepare(prediction);
    if (status == STATUS_OK) status = survey_open(&job->comm, prediction->said->survey, false, &prediction->survey);
    if (status == STATUS_OK) status = export_origin_tell(&prediction->survey, "is predicted here");
    if (status == STATUS_OK && method->check != NULL) status = method->check(prediction);
    return status == STATUS_OK ? comm_agree(&job->comm, fill_list(prediction)) : status;
}

/* ---- loop ---- */

static Status check_finite(const Prediction *prediction, int64_t e, const float *out, int64_t n)
{
    const Survey *survey = &prediction->survey;
    char name[96];
    int64_t bad = survey_first_not_finite(out, n);
    if (bad < 0) return STATUS_OK;
    return status_fail(STATUS_NUMERIC,
                       "the prediction of %s is not finite at trace %" PRId64 ", sample %" PRId64
                       "; its samples may be too large for 32-bit numbers",
                       survey_ensemble_name(survey, e, name), bad / survey->n_samples, bad % survey->n_samples);
}

void prediction_energy(Prediction *prediction, const MuteEnergy *energy)
{
    /* finite: sums of squares of floats */
    (void)exact_wide_add(&prediction->energy[PREDICTION_INPUT], energy->input);
    (void)exact_wide_add(&prediction->energy[PREDICTION_PREDICTED], energy->predicted);
    (void)exact_wide_add(&prediction->energy[PREDICTION_LEAKED], energy->leaked);
}

void prediction_settle(Prediction *prediction, int64_t fold, float *out)
{
    MuteEnergy energy = {0};
    mute_settle(fold * prediction->survey.n_samples, prediction->own, prediction->job->config.apply.keep_mutes, out,
                &energy);
    prediction_energy(prediction, &energy);
}

/* Adds the time since *start to a phase, less what went to the counter meanwhile. */
static void clock_phase(Prediction *prediction, PredictionPhase phase, double *start)
{
    const Worklist *work = prediction->work;
    double now = timer_now(), counter = work->waited - prediction->spent[PREDICTION_COUNTER];
    prediction->spent[phase] += now - *start - counter;
    prediction->spent[PREDICTION_COUNTER] = work->waited;
    *start = now;
}

/* Item i of the list: read, predicted, written; given up where the work is to stop. */
static Status predict_one(Prediction *prediction, int64_t i, float *out)
{
    const Survey *survey = &prediction->survey;
    const PredictionMethod *method = prediction->method;
    int64_t e = prediction->list[i], fold = survey_fold(survey, e), n = fold * survey->n_samples;
    bool whole = true;
    double start = timer_now();
    prediction->spent[PREDICTION_COUNTER] = prediction->work->waited;
    Status status = method->read(prediction, e);
    clock_phase(prediction, PREDICTION_FILES, &start);
    if (status != STATUS_OK) return status;
    status = method->run(prediction, e, fold, out, &whole);
    if (status == STATUS_OK && whole) status = check_finite(prediction, e, out, n);
    if (status == STATUS_OK && whole && prediction->said->difference)
        for (int64_t k = 0; k < n; k++) out[k] = prediction->own[k] - out[k];
    clock_phase(prediction, PREDICTION_COMPUTING, &start);
    if (status != STATUS_OK || !whole) return status;
    prediction->samples += n;
    status = survey_write_gather(&prediction->predicted, e, out);
    clock_phase(prediction, PREDICTION_FILES, &start);
    if (status != STATUS_OK) return status;
    prediction->n_done++;
    log_progress(worklist_done(prediction->work), NULL);
    return STATUS_OK;
}

/* Hears this process's request to stop, and passes it on to the other ranks. */
bool prediction_poke(void *context)
{
    Worklist *work = ((Prediction *)context)->work;
    if (work == NULL) return false; /* the list ends before what it was for */
    if (interrupt_asked()) worklist_stop(work);
    return worklist_poke(work);
}

static Status predict_mine(Prediction *prediction, float *out)
{
    Status status = STATUS_OK;
    while (status == STATUS_OK && !prediction_poke(prediction)) {
        int64_t i = worklist_next(prediction->work);
        if (i < 0) break;
        status = predict_one(prediction, i, out);
    }
    if (status != STATUS_OK) worklist_stop(prediction->work); /* what the others do until then is kept */
    prediction->spent[PREDICTION_COUNTER] = prediction->work->waited;
    return status;
}

/* After the last of `done` gathers: OK where these are all. */
static Status check_done(const Prediction *prediction, int64_t done)
{
    if (done == prediction->n) return STATUS_OK;
    Status status = comm_agree(&prediction->job->comm, interrupt_status());
    if (status != STATUS_OK) return status;
    return status_fail(STATUS_BUG, "%" PRId64 " gathers of %" PRId64 " were done", done, prediction->n);
}

static Status work_off(Prediction *prediction, float *out)
{
    const Comm *comm = &prediction->job->comm;
    Worklist work;
    worklist_new(comm, prediction->n, &work);
    prediction->work = &work;
    double start = timer_now();
    log_progress_start(prediction->method->command, prediction->n, "gather");
    Status status = predict_mine(prediction, out);
    double end = timer_now();
    int64_t done = worklist_end(&work);
    status = comm_agree(comm, status);
    log_progress_end();
    prediction->seconds = timer_now() - start;
    prediction->spent[PREDICTION_IDLE] = timer_now() - end;
    prediction->work = NULL;
    worklist_free(&work);
    return status == STATUS_OK ? check_done(prediction, done) : status;
}

static Status loop(Prediction *prediction)
{
    const Survey *survey = &prediction->survey;
    size_t n = (size_t)(survey_max_fold(survey) * survey->n_samples);
    float *out = memory_new(n, sizeof *out, "a predicted gather");
    Status status = out == NULL ? STATUS_MEMORY : prediction->method->open(prediction);
    status = comm_agree(&prediction->job->comm, status);
    if (status == STATUS_OK) status = work_off(prediction, out);
    prediction->method->close(prediction);
    memory_free(out);
    return status;
}

/* ---- the command ---- */

/* Predicts what the output lacks, and gives it its name. */
static Status make_output(Prediction *prediction)
{
    Status status = loop(prediction);
    if (status == STATUS_OK) status = prediction_output_finish(prediction);
    if (status == STATUS_OK) prediction_report(prediction);
    if (status == STATUS_OK) report_memory(&prediction->job->comm);
    return status;
}

Status prediction_run(Prediction *prediction)
{
    Job *job = prediction->job;
    bool finished = false;
    interrupt_limit(60 * job->config.apply.max_time_minutes);
    Status status = prepare(prediction);
    if (status == STATUS_OK) status = prediction_output_open(prediction, &finished);
    if (status == STATUS_OK && finished)
        log_note("%s is finished already: nothing is left to do", prediction->said->output);
    else if (status == STATUS_OK && prediction->said->dry_run)
        status = prediction_dry_run(prediction);
    else if (status == STATUS_OK)
        status = make_output(prediction);
    if (status != STATUS_OK) status = prediction_output_abandon(prediction, status);
    survey_close(&prediction->predicted); /* whole by now, or abandoned */
    Status closed = survey_close(&prediction->survey);
    memory_free(prediction->list);
    memory_free(prediction->part);
    return status != STATUS_OK ? status : closed;
}
