/* consolidate: gathers of many files become one survey file. */
#include "seisdcn/command.h"
#include "seisdcn/files.h"
#include "seisdcn/inputs.h"
#include "seisdcn/log.h"
#include "seisdcn/memory.h"
#include "seisdcn/survey.h"
#include "seisdcn/text.h"
#include "seisdcn/timer.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

/* Gathers that each rank copies between two agreements: an error anywhere ends all ranks soon. */
enum { ROUND_GATHERS = 64 };

/* ---- prepare ---- */

/* The tables of the survey, on rank 0. */
typedef struct {
    int64_t *first_trace;          /* [n_ensembles + 1] */
    int32_t *inlines, *crosslines; /* [n_ensembles] */
    char *sources;                 /* [n_ensembles][SURVEY_SOURCE_MAX] */
    char *history;
} Tables;

static void free_tables(Tables *tables)
{
    memory_free(tables->first_trace);
    memory_free(tables->inlines);
    memory_free(tables->crosslines);
    memory_free(tables->sources);
    memory_free(tables->history);
}

static Status fill_tables(const Job *job, const Inputs *inputs, Tables *tables)
{
    size_t n = (size_t)inputs->n_gathers;
    tables->first_trace = memory_new(n + 1, sizeof *tables->first_trace, "the survey's tables");
    tables->inlines = memory_new(n, sizeof *tables->inlines, "the survey's tables");
    tables->crosslines = memory_new(n, sizeof *tables->crosslines, "the survey's tables");
    tables->sources = memory_new(n, SURVEY_SOURCE_MAX, "the names of the sources");
    tables->history = survey_history(NULL, job->line);
    if (tables->first_trace == NULL || tables->inlines == NULL || tables->crosslines == NULL ||
        tables->sources == NULL || tables->history == NULL)
        return STATUS_MEMORY;
    for (int64_t e = 0; e < inputs->n_gathers; e++) {
        char *source = inputs_source(inputs, e, tables->sources + e * SURVEY_SOURCE_MAX, SURVEY_SOURCE_MAX);
        inputs_position(source, &tables->inlines[e], &tables->crosslines[e]);
        tables->first_trace[e + 1] = tables->first_trace[e] + inputs_fold(inputs, e);
    }
    return STATUS_OK;
}

static Status check_output(const Job *job, const char *output)
{
    if (files_is_folder(output))
        return status_fail(STATUS_USAGE, "%s is a folder; --output names the survey file to be made", output);
    return files_check_output(output, job->force);
}

static Status create(const Job *job, const Inputs *inputs, const char *path, Survey *survey)
{
    Tables tables = {0};
    Status status = job->comm.rank == 0 ? fill_tables(job, inputs, &tables) : STATUS_OK;
    status = comm_agree(&job->comm, status);
    if (status == STATUS_OK) {
        SurveyPlan plan = {.n_ensembles = inputs->n_gathers,
                           .n_samples = inputs->n_samples,
                           .interval_us = command_number(job, "--interval-us"),
                           .first_trace = tables.first_trace,
                           .inlines = tables.inlines,
                           .crosslines = tables.crosslines,
                           .sources = tables.sources,
                           .history = tables.history};
        status = survey_create(&job->comm, path, &plan, survey);
    }
    free_tables(&tables);
    return status;
}

/* ---- loop ---- */

typedef struct {
    bool zero_bad;
    float *amplitude;        /* [max fold][n_samples] */
    int64_t values, gathers; /* that were not finite, on this rank */
} Copy;

/* Finds NaN and infinity in gather e: an error, or zeros that are counted. */
static Status check_finite(const Inputs *inputs, int64_t e, int64_t items, Copy *copy)
{
    int64_t bad = survey_first_not_finite(copy->amplitude, items);
    if (bad < 0) return STATUS_OK;
    if (!copy->zero_bad) {
        char source[SURVEY_SOURCE_MAX];
        return status_fail(STATUS_DATA,
                           "%s: trace %" PRId64 ", sample %" PRId64 " (counted from 0) is %s; --zero-bad makes such "
                           "samples zero",
                           inputs_source(inputs, e, source, sizeof source), bad / inputs->n_samples,
                           bad % inputs->n_samples, isnan(copy->amplitude[bad]) ? "not a number" : "infinite");
    }
    copy->gathers++;
    for (int64_t i = bad; i < items; i++)
        if (!isfinite(copy->amplitude[i])) {
            copy->amplitude[i] = 0;
            copy->values++;
        }
    return STATUS_OK;
}

static Status copy_gather(const Inputs *inputs, int64_t e, Survey *survey, Copy *copy)
{
    Status status = inputs_read(inputs, e, copy->amplitude);
    if (status == STATUS_OK) status = check_finite(inputs, e, survey_fold(survey, e) * survey->n_samples, copy);
    if (status == STATUS_OK) status = survey_write_gather(survey, e, copy->amplitude);
    return status;
}

/* Every rank copies its own run of neighbouring gathers. */
static Status copy_gathers(const Job *job, const Inputs *inputs, Survey *survey, Copy *copy)
{
    const Comm *comm = &job->comm;
    copy->amplitude = memory_new((size_t)survey_max_fold(survey), (size_t)survey->n_samples * sizeof *copy->amplitude,
                                 "the largest gather");
    Status status = comm_agree(comm, copy->amplitude == NULL ? STATUS_MEMORY : STATUS_OK);
    int64_t first, end, most = (survey->n_ensembles + comm->size - 1) / comm->size;
    comm_share(comm, survey->n_ensembles, &first, &end);
    log_progress_start("consolidate", survey->n_ensembles, "gathers");
    for (int64_t round = 0; round < most && status == STATUS_OK; round += ROUND_GATHERS) {
        for (int64_t e = first + round; e < end && e < first + round + ROUND_GATHERS && status == STATUS_OK; e++) {
            status = copy_gather(inputs, e, survey, copy);
            log_progress((e - first) * comm->size, NULL);
        }
        status = comm_agree(comm, status);
    }
    log_progress_end();
    memory_free(copy->amplitude);
    copy->amplitude = NULL;
    return status;
}

/* ---- report ---- */

static void report(const Survey *survey, const char *output, const int64_t bad[2], double seconds)
{
    char gathers[32], traces[32], bytes[32], time[32], values[32];
    if (bad[0] > 0)
        log_warning("%s samples of %" PRId64 " gather%s were not finite and are zero now", log_count(bad[0], values),
                    bad[1], bad[1] == 1 ? "" : "s");
    log_note("%s: %s gather%s, %s traces of %" PRId64 " samples, %s, in %s", output,
             log_count(survey->n_ensembles, gathers), survey->n_ensembles == 1 ? "" : "s",
             log_count(survey->n_traces, traces), survey->n_samples,
             log_bytes(4.0 * (double)survey->n_traces * (double)survey->n_samples, bytes), log_duration(seconds, time));
}

/* Makes the survey under `part`, then gives it its name. */
static Status make_survey(const Job *job, const Inputs *inputs, const char *part, const char *output)
{
    const Comm *comm = &job->comm;
    double start = timer_now();
    Survey survey;
    Status status = create(job, inputs, part, &survey);
    if (status != STATUS_OK) return status;
    Copy copy = {.zero_bad = command_flag(job, "--zero-bad")};
    status = copy_gathers(job, inputs, &survey, &copy);
    if (status == STATUS_OK) status = survey_finish(&survey);
    if (status == STATUS_OK) status = comm_agree(comm, comm->rank == 0 ? files_publish(part, output) : STATUS_OK);
    if (status == STATUS_OK) {
        int64_t bad[2] = {copy.values, copy.gathers};
        comm_sum(comm, bad, 2);
        report(&survey, output, bad, timer_now() - start);
    }
    Status closed = survey_close(&survey);
    return status != STATUS_OK ? status : closed;
}

static Status run(Job *job)
{
    const Comm *comm = &job->comm;
    const char *output = command_text(job, "--output");
    Status status = comm_agree(comm, comm->rank == 0 ? check_output(job, output) : STATUS_OK);
    if (status != STATUS_OK) return status;
    Inputs inputs;
    status = inputs_open(comm, job->n_arguments, job->arguments, command_flag(job, "--transpose"), &inputs);
    if (status != STATUS_OK) return status;
    char *part = text_format("%s.part", output);
    status = comm_agree(comm, part == NULL ? STATUS_MEMORY : STATUS_OK);
    if (status == STATUS_OK) {
        status = make_survey(job, &inputs, part, output);
        if (status != STATUS_OK && comm->rank == 0) unlink(part);
    }
    memory_free(part);
    inputs_free(&inputs);
    return status;
}

static const Option options[] = {
    {"--output", OPTION_TEXT, "SURVEY.h5", NULL, 0, 0, true, "the survey file to be made"},
    {"--interval-us", OPTION_NUMBER, "N", "0", 0, 1e9, false, "sample interval in microseconds, 0 where unknown"},
    {"--transpose", OPTION_FLAG, NULL, NULL, 0, 0, false, "the arrays are (samples, traces)"},
    {"--zero-bad", OPTION_FLAG, NULL, NULL, 0, 0, false, "samples that are not finite become zero, and are counted"},
    {0},
};

const Command command_consolidate = {
    .name = "consolidate",
    .summary = "puts gathers of many files into one survey file",
    .description =
        "Reads .npy files, or folders of them (in the natural order of their names), and writes one HDF5 survey "
        "file. An array is (traces, samples), or (gathers, traces, samples) for several gathers. Gathers may "
        "differ in their traces, not in their samples. Inline and crossline come from names with "
        "inline_I_crossline_X or inline_I_X.",
    .example = "mpirun -n 4 seisdcn consolidate --output survey.h5 --interval-us 4000 gathers/",
    .options = options,
    .arguments = "INPUT...",
    .min_arguments = 1,
    .max_arguments = INT32_MAX,
    .run = run,
};
