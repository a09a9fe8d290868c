/* --dry-run of the commands that predict. */
#include "prediction.h"
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
    Prediction *prediction;
    const Survey *survey;
    int64_t program, gathers, room; /* bytes of this rank */
    int64_t file_bytes;
    int64_t units;
    int64_t measured, live; /* units that were timed on all ranks, and how many of these held anything */
    double seconds;         /* of a unit, over all ranks */
} Plan;

static int64_t memory_sum(const Plan *plan)
{
    int64_t sum = plan->program + plan->gathers + plan->room + LIBRARY_BYTES;
    return sum > (int64_t)memory_peak() ? sum : (int64_t)memory_peak();
}

static void count(Plan *plan)
{
    const Survey *survey = plan->survey;
    const Prediction *prediction = plan->prediction;
    const PredictionMethod *method = prediction->method;
    int64_t samples = survey_max_fold(survey) * survey->n_samples, tables = 25 * survey->n_ensembles; /* the output's */
    plan->program = (int64_t)memory_resident();
    plan->gathers = method->gather_bytes(prediction) + samples * (int64_t)sizeof(float) + tables;
    plan->room = method->room_bytes(prediction);
    for (int64_t i = 0; i < prediction->n; i++)
        plan->units += method->units(prediction, survey_fold(survey, prediction->list[i]));
}

/* An output that is only partly written takes only that much, and one that stands has its room. */
static Status check_space(const Plan *plan)
{
    const Prediction *prediction = plan->prediction;
    bool whole = prediction->n_selected == plan->survey->n_ensembles, stands = prediction->predicted.path != NULL;
    return whole && !stands ? files_check_space(prediction->part, (double)plan->file_bytes) : STATUS_OK;
}

/* ---- speed ---- */

/* Every rank times gathers of its own, spread over the list, for about a second; the first one warms up. */
static Status measure_mine(Plan *plan, float *out, double *seconds)
{
    enum { GATHERS = 4 };
    Prediction *prediction = plan->prediction;
    const PredictionMethod *method = prediction->method;
    const Comm *comm = &prediction->job->comm;
    double begun = timer_now();
    Status status = STATUS_OK;
    for (int64_t k = 0; status == STATUS_OK && k <= GATHERS && (k < 2 || timer_now() - begun < 1); k++) {
        int64_t at =
            (2 * ((k == 0 ? 0 : k - 1) * comm->size + comm->rank) + 1) * prediction->n / (2 * comm->size * GATHERS);
        int64_t e = prediction->list[at], fold = survey_fold(plan->survey, e);
        bool whole = true;
        double start = timer_now();
        if (k < 2) prediction->units = prediction->live = 0;
        status = method->read(prediction, e);
        if (status == STATUS_OK)
            status = method->run(prediction, e, method->sample == NULL ? fold : method->sample(prediction, fold), out,
                                 &whole);
        if (k > 0) *seconds += timer_now() - start;
    }
    return status;
}

static Status measure_speed(Plan *plan)
{
    Prediction *prediction = plan->prediction;
    const Comm *comm = &prediction->job->comm;
    const Survey *survey = plan->survey;
    double seconds = 0;
    float *out = memory_new((size_t)(survey_max_fold(survey) * survey->n_samples), sizeof *out, "a predicted gather");
    Status status = out == NULL ? STATUS_MEMORY : prediction->method->open(prediction);
    if (status == STATUS_OK) status = measure_mine(plan, out, &seconds);
    status = comm_agree(comm, status);
    if (status == STATUS_OK) {
        int64_t sums[2] = {prediction->units, prediction->live};
        comm_sum(comm, sums, 2);
        plan->measured = sums[0];
        plan->live = sums[1];
        /* the ranks work side by side: the mean rank's time for its units, over those of all */
        plan->seconds = sums[0] > 0 ? comm_spread(comm, seconds).mean / (double)sums[0] : 0;
    }
    prediction->method->close(prediction);
    memory_free(out);
    return status;
}

/* ---- the table ---- */

static void print(const Plan *plan)
{
    const Comm *comm = &plan->prediction->job->comm;
    const Survey *survey = plan->survey;
    const char *unit = plan->prediction->method->unit;
    char text[LOG_THINGS_MAX], other[LOG_THINGS_MAX], third[LOG_THINGS_MAX], fourth[32], row[64];
    report_row("survey", "%s, %s of %s, %s", log_things(survey->n_ensembles, "gather", text),
               log_things(survey->n_traces, "trace", other), log_things(survey->n_samples, "sample", third),
               log_bytes(4.0 * (double)survey->n_traces * (double)survey->n_samples, fourth));
    snprintf(row, sizeof row, "%ss", unit);
    report_row(row, "%s in %s", log_count(plan->units, text), log_things(plan->prediction->n, "gather", other));
    CommSpread spread = comm_spread(comm, (double)memory_sum(plan));
    report_row("memory a rank", "%s at most (rank %d; mean %s)", log_bytes(spread.max, text), spread.max_rank,
               log_bytes(spread.mean, other));
    report_row("  program, libraries", "%s", log_bytes((double)(plan->program + LIBRARY_BYTES), text));
    report_row("  gathers, tables", "%s", log_bytes((double)plan->gathers, text));
    snprintf(row, sizeof row, "  %s", plan->prediction->method->room);
    report_row(row, "%s", log_bytes((double)plan->room, text));
    report_node(comm, memory_sum(plan), "use fewer ranks on a node");
    report_row("file", "%s, %s%s", plan->prediction->said->output, log_bytes((double)plan->file_bytes, text),
               plan->prediction->n_selected == survey->n_ensembles
                   ? ""
                   : " (less on the disk: the other gathers stay unwritten)");
    if (plan->measured == 0 || !(plan->seconds > 0)) { /* nothing is left to predict, or it takes no time */
        report_row("time (estimate)", "%s", log_duration(0, text));
        return;
    }
    report_row("speed", "%.0f %ss/s on %s (measured: %s, %.0f %% of them live)", 1 / plan->seconds, unit,
               log_things(comm->size, "rank", text), log_things(plan->measured, unit, other),
               100 * (double)plan->live / (double)plan->measured);
    report_row("time (estimate)", "%s", log_duration(plan->seconds * (double)plan->units, text));
}

Status prediction_dry_run(Prediction *prediction)
{
    const Comm *comm = &prediction->job->comm;
    Plan plan = {.prediction = prediction, .survey = &prediction->survey};
    count(&plan);
    Status status = comm_agree(comm, survey_predicted_bytes(plan.survey, &plan.file_bytes));
    if (status == STATUS_OK && prediction->n > 0) status = measure_speed(&plan);
    if (status != STATUS_OK) return status;
    print(&plan);
    status = comm_agree(comm, comm->rank == 0 ? check_space(&plan) : STATUS_OK); /* told last: memory and time hold */
    if (status != STATUS_OK) return status;
    log_note("dry run: nothing was written");
    return STATUS_OK;
}
