/* export: the gathers of a survey file go back to .npy files. */
#include "export_options.h"
#include "export_origin.h"
#include "export_segy.h"

#include "seisdcn/commands.h"
#include "seisdcn/files.h"
#include "seisdcn/log.h"
#include "seisdcn/memory.h"
#include "seisdcn/npy.h"
#include "seisdcn/survey.h"
#include "seisdcn/survey_dropped.h"
#include "seisdcn/survey_lines.h"
#include "seisdcn/survey_places.h"
#include "seisdcn/text.h"
#include "seisdcn/timer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Gathers that each rank writes between two agreements. */
enum { ROUND_GATHERS = 64 };

/* ---- prepare ---- */

static bool is_segy(const char *output) { return text_ends_with(output, ".sgy") || text_ends_with(output, ".segy"); }

/* A name with another ending than SEG-Y's is no folder's, unless one stands there or a slash at its end says so. */
static Status check_ending(const char *output)
{
    const char *base = text_base_name(output), *ending = strrchr(base, '.');
    if (ending == NULL || ending == base || is_segy(output) || files_is_folder(output)) return STATUS_OK;
    return status_fail(STATUS_USAGE,
                       "--output %s: export writes SEG-Y (.sgy, .segy) and folders of .npy files, no '%s'; name one of "
                       "these, or end the name of a folder with a slash: %s/",
                       output, ending, output);
}

static Status check_output(const Job *job, const char *output)
{
    Status status = check_ending(output);
    if (status != STATUS_OK) return status;
    if (is_segy(output) && files_is_folder(output))
        return status_fail(STATUS_USAGE, "%s is a folder; --output names the SEG-Y file to be made", output);
    if (is_segy(output)) return files_check_output(output, job->force);
    if (export_options(job)->format != 0 || export_options(job)->through != NULL)
        return status_fail(STATUS_USAGE, "--format and --through are for SEG-Y: an --output that ends .sgy or .segy");
    if (!files_exists(output)) return files_check_output(output, job->force);
    if (!files_is_folder(output))
        return status_fail(STATUS_USAGE, "%s exists and is not a folder; --output names the folder for the gathers",
                           output);
    char **names;
    int64_t n;
    status = files_list(output, "", &names, &n);
    memory_free(names);
    if (status == STATUS_OK && n > 0 && !job->force)
        return status_fail(STATUS_USAGE,
                           "%s is a folder with files in it: choose another name, or write among them with --force",
                           output);
    return status;
}

/* What is to be written: by each rank, alike. */
typedef struct {
    const Survey *survey;
    SurveyDropped dropped; /* traces to put back */
    const char *folder;
    uint8_t *selected, *named; /* [n_ensembles] to be written; has a position of its own, that names it */
    int64_t *list, n;          /* the selected ensembles [n] */
} Plan;

/* Marks the ensembles whose position is known and nobody else's. */
static Status mark_named(Plan *plan)
{
    const Survey *survey = plan->survey;
    int64_t *first;
    Status status = survey_place_units(survey, &first);
    if (status != STATUS_OK) return status;
    for (int64_t e = 0; e < survey->n_ensembles; e++) {
        plan->named[e] = first[e] == e && position_known(survey->inlines[e], survey->crosslines[e]);
        if (first[e] != e) plan->named[first[e]] = 0;
    }
    memory_free(first);
    return STATUS_OK;
}

/* Of a prediction that is not whole, only what is done can be written. */
static Status leave_undone(const char *list, Plan *plan)
{
    const Survey *survey = plan->survey;
    int64_t undone = 0, first = -1;
    for (int64_t e = 0; survey->done != NULL && e < survey->n_ensembles; e++)
        if (plan->selected[e] && !survey->done[e]) {
            if (undone++ == 0) first = e;
            plan->selected[e] = 0;
        }
    if (undone == 0) return STATUS_OK;
    char name[96], count[LOG_THINGS_MAX];
    survey_ensemble_name(survey, first, name);
    if (list != NULL)
        return status_fail(STATUS_DATA, "%s: %s is not predicted yet; leave it out of --ensembles, or run apply on it",
                           survey->path, name);
    log_warning("%s: %s %s not predicted yet and %s left out, the first is %s", survey->path,
                log_things(undone, "gather", count), undone == 1 ? "is" : "are", undone == 1 ? "is" : "are", name);
    return STATUS_OK;
}

/* The ensembles that the user wants. */
static Status fill_selected(const char *list, Plan *plan)
{
    const Survey *survey = plan->survey;
    plan->selected = memory_new((size_t)survey->n_ensembles, 1, "the selected gathers");
    if (plan->selected == NULL) return STATUS_MEMORY;
    if (list != NULL) return survey_select(survey, list, plan->selected);
    memset(plan->selected, 1, (size_t)survey->n_ensembles);
    return STATUS_OK;
}

static Status fill_plan(const char *list, Plan *plan)
{
    const Survey *survey = plan->survey;
    size_t n = (size_t)survey->n_ensembles;
    plan->named = memory_new(n, 1, "the names of the gathers");
    plan->list = memory_new(n, sizeof *plan->list, "the selected gathers");
    if (plan->named == NULL || plan->list == NULL) return STATUS_MEMORY;
    Status status = leave_undone(list, plan);
    if (status == STATUS_OK) status = mark_named(plan);
    if (status != STATUS_OK) return status;
    for (int64_t e = 0; e < survey->n_ensembles; e++)
        if (plan->selected[e]) plan->list[plan->n++] = e;
    return STATUS_OK;
}

static void free_plan(Plan *plan)
{
    memory_free(plan->selected);
    memory_free(plan->named);
    memory_free(plan->list);
    survey_dropped_free(&plan->dropped);
}

/* Rank 0 makes the folder, once the space is there. */
static Status make_folder(const Plan *plan)
{
    double bytes = 0;
    for (int64_t i = 0; i < plan->n; i++)
        bytes += 4.0 * (double)survey_dropped_fold(plan->survey, &plan->dropped, plan->list[i]) *
                     (double)plan->survey->n_samples +
                 128;
    Status status = files_check_space(plan->folder, bytes);
    return status == STATUS_OK ? files_make_folder(plan->folder) : status;
}

/* ---- loop ---- */

static char *file_name(const Plan *plan, int64_t e)
{
    const Survey *survey = plan->survey;
    char line[32] = "";
    if (survey->lines != NULL) snprintf(line, sizeof line, "line_%" PRId32 "_", survey->lines[e]);
    if (plan->named[e])
        return text_format("%s/gather_%sinline_%" PRId32 "_crossline_%" PRId32 ".npy", plan->folder, line,
                           survey->inlines[e], survey->crosslines[e]);
    int digits = snprintf(NULL, 0, "%" PRId64, survey->n_ensembles - 1);
    return text_format("%s/gather_%s%0*" PRId64 ".npy", plan->folder, line, digits, e);
}

static Status write_gather(const Plan *plan, int64_t e, float *amplitude)
{
    const Survey *survey = plan->survey;
    char *path = file_name(plan, e);
    if (path == NULL) return STATUS_MEMORY;
    Status status = survey_read_gather(survey, e, 1, amplitude);
    if (status == STATUS_OK) status = survey_dropped_put_back(survey, &plan->dropped, e, amplitude);
    if (status == STATUS_OK)
        status = npy_write(path, survey_dropped_fold(survey, &plan->dropped, e), survey->n_samples, amplitude);
    memory_free(path);
    return status;
}

static Status write_gathers(const Comm *comm, const Plan *plan)
{
    const Survey *survey = plan->survey;
    /* [max fold, as they came][n_samples] */
    float *amplitude = memory_new((size_t)survey_dropped_max_fold(survey, &plan->dropped),
                                  (size_t)survey->n_samples * sizeof *amplitude, "the largest gather");
    Status status = comm_agree(comm, amplitude == NULL ? STATUS_MEMORY : STATUS_OK);
    int64_t first, end, most = (plan->n + comm->size - 1) / comm->size;
    comm_share(comm, plan->n, &first, &end);
    log_progress_start("export", plan->n, "gather");
    for (int64_t round = 0; round < most && status == STATUS_OK; round += ROUND_GATHERS) {
        for (int64_t i = first + round; i < end && i < first + round + ROUND_GATHERS && status == STATUS_OK; i++) {
            status = write_gather(plan, plan->list[i], amplitude);
            log_progress((i - first) * comm->size, NULL);
        }
        status = comm_agree(comm, status);
    }
    log_progress_end();
    memory_free(amplitude);
    return status;
}

static Status export_npy(const Job *job, Plan *plan)
{
    const Comm *comm = &job->comm;
    double start = timer_now();
    Status status = comm_agree(comm, fill_plan(export_options(job)->ensembles, plan));
    if (status == STATUS_OK) status = survey_dropped_read(plan->survey, &plan->dropped);
    if (status == STATUS_OK) status = comm_agree(comm, comm->rank == 0 ? make_folder(plan) : STATUS_OK);
    if (status == STATUS_OK) status = write_gathers(comm, plan);
    if (status != STATUS_OK) return status;
    Origin origin;
    status = export_origin_read(plan->survey, &origin);
    char count[LOG_THINGS_MAX], time[32], back[160];
    log_note("%s: %s%s%s, in %s", plan->folder, log_things(plan->n, "gather", count),
             export_put_back(&plan->dropped, plan->list, plan->n, back),
             origin.is_difference ? " of noise (input minus prediction)" : "", log_duration(timer_now() - start, time));
    return status;
}

static Status run(Job *job)
{
    const Comm *comm = &job->comm;
    Plan plan = {.folder = export_options(job)->output};
    Status status = comm_agree(comm, comm->rank == 0 ? check_output(job, plan.folder) : STATUS_OK);
    if (status != STATUS_OK) return status;
    Survey survey;
    status = survey_open(comm, export_options(job)->survey, false, &survey);
    if (status != STATUS_OK) return status;
    plan.survey = &survey;
    status = comm_agree(comm, fill_selected(export_options(job)->ensembles, &plan));
    if (status == STATUS_OK)
        status = is_segy(plan.folder) ? export_segy(job, &survey, plan.selected) : export_npy(job, &plan);
    free_plan(&plan);
    Status closed = survey_close(&survey);
    return status != STATUS_OK ? status : closed;
}

/* Gathers, as file_name() names them. */
static bool writes(const char *name)
{
    return strncmp(name, "gather_", strlen("gather_")) == 0 && text_ends_with(name, ".npy") &&
           strchr(name, '/') == NULL;
}

static const Option options[] = {
    {"--survey", FILLS(SURVEY, ExportOptions, survey), "FILE.h5", NULL, 0, 0, true,
     "the survey (or prediction) to be read"},
    {"--output", FILLS(FOLDER, ExportOptions, output), "DIR|FILE.sgy", NULL, 0, 0, true,
     "the folder for .npy files, new or empty (ending with / where its name has a dot); or the SEG-Y file to be made "
     "(.sgy, .segy)"},
    {"--ensembles", FILLS(TEXT, ExportOptions, ensembles), "LIST", NULL, 0, 0, false,
     "only these gathers: 1300:1400,#7,1300-1310:1400-1500,#0-#9"},
    {"--format", FILLS(INT, ExportOptions, format), "N", "0", 0, 16, false,
     "SEG-Y: the sample format, 1 (IBM float), 5 (IEEE float), 2, 3, 8 (integers of 4, 2, 1 bytes) or another of the "
     "standard's but 4; 0: as it came"},
    {"--through", FILLS(SURVEY, ExportOptions, through), "SURVEY.h5", NULL, 0, 0, false,
     "SEG-Y: whose samples gathers keep that are not predicted (default: the survey that apply read)"},
    {0},
};

const Command command_export = {
    .name = "export",
    .summary = "writes the gathers of a survey file as .npy or SEG-Y files",
    .description =
        "Into a folder: each gather as a float32 array (traces, samples), named gather_inline_I_crossline_X.npy, or "
        "gather_N.npy with its place in the file where its position is unknown or not its own.\n"
        "As SEG-Y: one file, its traces in the order of the files that they came from, with their headers, text and "
        "binary headers as they came, in the byte order and sample format that they had. The last free line of the "
        "text header (the last one where none is free) tells program, version and the model's checksum; nothing else "
        "changes but the samples. Gathers that apply left out keep their samples. A survey of .npy files gets headers "
        "of "
        "SEG-Y rev 1: inline and crossline at bytes 189 and 193, IEEE floats.",
    .example = "mpirun -n 4 seisdcn export --survey predicted.h5 --output predicted/\n"
               "mpirun -n 4 seisdcn export --survey predicted.h5 --output predicted.sgy",
    .tables = {{options, 0}},
    .options_size = sizeof(ExportOptions),
    .run = run,
    .writes = writes,
};
