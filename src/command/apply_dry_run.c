/* apply --dry-run */
#include "apply.h"
#include "report.h"

#include "seisdcn/files.h"
#include "seisdcn/log.h"
#include "seisdcn/memory.h"
#include "seisdcn/timer.h"

#include <inttypes.h>
#include <stdio.h>

/* What MPI, HDF5 and the finished file's tables take in addition: 2 to 4 MB were seen on up to 7 ranks. */
static const int64_t LIBRARY_BYTES = 4000000;

typedef struct {
    const Apply *apply;
    const Survey *survey;
    Network *network;
    int64_t program, gathers, predictor; /* bytes of this rank */
    int64_t file_bytes;
    int64_t windows;
    int64_t measured, live; /* windows that were timed on all ranks, and how many of these were predicted */
    double seconds;         /* of a window, over all ranks */
} Plan;

static int64_t windows_of(const Plan *plan, int64_t fold)
{
    int64_t edge = plan->network->shape.patch_size - 1;
    return (fold + edge) * (plan->survey->n_samples + edge);
}

static int64_t memory_sum(const Plan *plan)
{
    int64_t sum = plan->program + plan->gathers + plan->predictor + LIBRARY_BYTES;
    return sum > (int64_t)memory_peak() ? sum : (int64_t)memory_peak();
}

static void count(Plan *plan)
{
    const Survey *survey = plan->survey;
    int64_t samples = survey_max_fold(survey) * survey->n_samples, tables = 25 * survey->n_ensembles; /* the output's */
    plan->program = (int64_t)memory_resident();
    plan->gathers = (plan->network->shape.channels + 1) * samples * (int64_t)sizeof(float) + tables;
    plan->predictor = (int64_t)predict_bytes(plan->network, survey_max_fold(survey), survey->n_samples);
    for (int64_t i = 0; i < plan->apply->n; i++)
        plan->windows += windows_of(plan, survey_fold(survey, plan->apply->list[i]));
}

/* An output that is only partly written takes only that much, and one that stands has its room. */
static Status check_file(Plan *plan)
{
    const Apply *apply = plan->apply;
    bool whole = apply->n_selected == plan->survey->n_ensembles, stands = apply->predicted.path != NULL;
    Status status = survey_predicted_bytes(plan->survey, &plan->file_bytes);
    if (status == STATUS_OK && whole && !stands) status = files_check_space(apply->part, (double)plan->file_bytes);
    return status;
}

/* ---- speed ---- */

/* Predicts the first traces of a gather: enough windows for a fair sample, few enough for seconds. */
static Status measure_gather(const Plan *plan, Predictor *predictor, int64_t e, float *in, float *out,
                             PredictCounts *counts)
{
    static const int64_t WINDOWS = 100000;
    const Survey *survey = plan->survey;
    int64_t size = plan->network->shape.patch_size, fold = survey_fold(survey, e), kept = fold;
    Status status = survey_read_gather(survey, e, plan->network->shape.channels, in);
    if (status != STATUS_OK) return status;
    while (kept > size && windows_of(plan, kept) > WINDOWS) kept--;
    for (int64_t c = 1; c < plan->network->shape.channels; c++) /* the channels close up */
        for (int64_t i = 0; i < kept * survey->n_samples; i++)
            in[c * kept * survey->n_samples + i] = in[c * fold * survey->n_samples + i];
    if (plan->apply->job->config.apply.method == APPLY_SHARED)
        predict_shared(predictor, in, kept, out, counts);
    else
        predict_direct(predictor, in, kept, out, counts);
    return STATUS_OK;
}

/* Every rank times gathers of its own, spread over the list, for about a second; the first one warms up. */
static Status measure_mine(const Plan *plan, Predictor *predictor, float *in, float *out, PredictCounts *counts,
                           double *seconds)
{
    enum { GATHERS = 4 };
    const Comm *comm = &plan->apply->job->comm;
    double begun = timer_now();
    Status status = STATUS_OK;
    for (int64_t k = 0; status == STATUS_OK && k <= GATHERS && (k < 2 || timer_now() - begun < 1); k++) {
        int64_t at =
            (2 * ((k == 0 ? 0 : k - 1) * comm->size + comm->rank) + 1) * plan->apply->n / (2 * comm->size * GATHERS);
        PredictCounts more = {0};
        double start = timer_now();
        status = measure_gather(plan, predictor, plan->apply->list[at], in, out, k == 0 ? &more : counts);
        if (k > 0) *seconds += timer_now() - start;
    }
    return status;
}

static Status measure_speed(Plan *plan)
{
    const Comm *comm = &plan->apply->job->comm;
    const Config *config = &plan->apply->job->config;
    const Survey *survey = plan->survey;
    Predictor predictor = {0};
    PredictCounts counts = {0};
    double seconds = 0;
    bool shared[SURVEY_ATTRIBUTES_MAX + 1] = {true};
    for (int c = 0; c < survey->n_attributes; c++) shared[c + 1] = survey->attribute[c].shared_scale;
    size_t samples = (size_t)(survey_max_fold(survey) * survey->n_samples);
    network_fold_running(plan->network);
    float *in = memory_new(samples * (size_t)plan->network->shape.channels, sizeof *in, "a gather");
    float *out = memory_new(samples, sizeof *out, "a predicted gather");
    Status status = in == NULL || out == NULL ? STATUS_MEMORY : STATUS_OK;
    if (status == STATUS_OK)
        status = predict_new(plan->network, survey_max_fold(survey), survey->n_samples, config->apply.mute_threshold,
                             config->apply.keep_mutes, shared, &predictor);
    if (status == STATUS_OK) status = measure_mine(plan, &predictor, in, out, &counts, &seconds);
    status = comm_agree(comm, status);
    if (status == STATUS_OK) {
        int64_t sums[2] = {counts.windows, counts.live};
        comm_sum(comm, sums, 2);
        plan->measured = sums[0];
        plan->live = sums[1];
        /* the ranks work side by side: the mean rank's time for its windows, over those of all */
        plan->seconds = comm_spread(comm, seconds).mean / (double)sums[0];
    }
    memory_free(in);
    memory_free(out);
    predict_free(&predictor);
    return status;
}

/* ---- the table ---- */

static void print(const Plan *plan)
{
    const Comm *comm = &plan->apply->job->comm;
    const Survey *survey = plan->survey;
    char text[32], other[32], third[32];
    report_row("survey", "%s gathers, %s traces of %" PRId64 " samples, %s", log_count(survey->n_ensembles, text),
               log_count(survey->n_traces, other), survey->n_samples,
               log_bytes(4.0 * (double)survey->n_traces * (double)survey->n_samples, third));
    report_row("windows", "%s in %s gathers", log_count(plan->windows, text), log_count(plan->apply->n, other));
    CommSpread spread = comm_spread(comm, (double)memory_sum(plan));
    report_row("memory a rank", "%s at most (rank %d; mean %s)", log_bytes(spread.max, text), spread.max_rank,
               log_bytes(spread.mean, other));
    report_row("  program, libraries", "%s", log_bytes((double)(plan->program + LIBRARY_BYTES), text));
    report_row("  gathers, tables", "%s", log_bytes((double)plan->gathers, text));
    report_row("  windows and sums", "%s", log_bytes((double)plan->predictor, text));
    report_node(comm, memory_sum(plan), "use fewer ranks on a node");
    report_row(
        "file", "%s, %s%s", command_text(plan->apply->job, "--output"), log_bytes((double)plan->file_bytes, text),
        plan->apply->n_selected == survey->n_ensembles ? "" : " (less on the disk: the other gathers stay unwritten)");
    if (plan->measured == 0) return; /* nothing is left to predict */
    report_row("speed", "%.0f windows/s on %d ranks (measured: %s windows, %.0f %% of them live)", 1 / plan->seconds,
               comm->size, log_count(plan->measured, text), 100 * (double)plan->live / (double)plan->measured);
    report_row("time (estimate)", "%s", log_duration(plan->seconds * (double)plan->windows, text));
}

Status apply_dry_run(Apply *apply)
{
    const Comm *comm = &apply->job->comm;
    Plan plan = {.apply = apply, .survey = &apply->survey, .network = &apply->network};
    count(&plan);
    Status status = comm_agree(comm, comm->rank == 0 ? check_file(&plan) : STATUS_OK);
    if (status == STATUS_OK && apply->n > 0) status = measure_speed(&plan);
    if (status != STATUS_OK) return status;
    print(&plan);
    log_note("dry run: nothing was written");
    return STATUS_OK;
}
