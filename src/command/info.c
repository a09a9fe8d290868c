/* info: what a survey, map or model file holds, and whether it is what its checksums were made of. */
#include "seisdcn/checkpoint.h"
#include "seisdcn/checksum.h"
#include "seisdcn/commands.h"
#include "seisdcn/h5.h"
#include "seisdcn/log.h"
#include "seisdcn/memory.h"
#include "seisdcn/model.h"
#include "seisdcn/sgy_sample.h"
#include "seisdcn/survey.h"
#include "seisdcn/survey_segy.h"
#include "seisdcn/text.h"
#include "seisdcn/vector.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Gathers that each rank verifies between two agreements, and how many bad ones a message names. */
enum { ROUND_GATHERS = 64, BAD_SHOWN = 10, COLUMN = 20, FORMAT_MAX = 64 };

static void line(const char *label, const char *text) { log_result("  %-*s %s", (int)COLUMN, label, text); }

/* ---- survey ---- */

static void show_range(const char *label, const int32_t *values, int64_t n)
{
    int32_t low = INT32_MAX, high = -1;
    int64_t unknown = 0;
    for (int64_t e = 0; e < n; e++) {
        if (values[e] < 0) {
            unknown++;
            continue;
        }
        if (values[e] < low) low = values[e];
        if (values[e] > high) high = values[e];
    }
    char text[96], more[48] = "";
    if (unknown > 0 && unknown < n) snprintf(more, sizeof more, " (unknown for %" PRId64 ")", unknown);
    if (unknown == n)
        snprintf(text, sizeof text, "unknown");
    else
        snprintf(text, sizeof text, "%" PRId32 " to %" PRId32 "%s", low, high, more);
    line(label, text);
}

static void show_traces(const Survey *survey)
{
    int64_t smallest = survey_fold(survey, 0), largest = survey_max_fold(survey);
    for (int64_t e = 1; e < survey->n_ensembles; e++)
        if (survey_fold(survey, e) < smallest) smallest = survey_fold(survey, e);
    char count[32], low[32], high[32], text[160];
    log_count(survey->n_traces, count);
    if (smallest == largest)
        snprintf(text, sizeof text, "%s (%s a gather)", count, log_count(largest, high));
    else
        snprintf(text, sizeof text, "%s (%s to %s a gather)", count, log_count(smallest, low),
                 log_count(largest, high));
    line("traces", text);
}

static void show_history(const char *history)
{
    const char *label = "history";
    while (*history != '\0') {
        int length = (int)strcspn(history, "\n");
        if (length > 0) log_result("  %-*s %.*s", (int)COLUMN, label, length, history);
        if (length > 0) label = "";
        history += length + (history[length] == '\n');
    }
}

static void show_segy(const SurveySegy *segy)
{
    char text[160], files[48] = "";
    if (segy->n_files > 1) snprintf(files, sizeof files, ", %" PRId64 " files", segy->n_files);
    const char *name = sgy_format_name(segy->format);
    snprintf(text, sizeof text, "%s-endian, format %d (%s)%s", segy->big ? "big" : "little", segy->format,
             name == NULL ? "unknown" : name, files);
    line("from SEG-Y", text);
}

static void show_survey(const Survey *survey, const SurveySegy *segy)
{
    char text[160], other[32];
    log_result("%s: %s", survey->path, survey->done != NULL ? "a predicted survey" : "a survey");
    line("gathers", log_count(survey->n_ensembles, text));
    if (survey->done != NULL) {
        int64_t done = 0;
        for (int64_t e = 0; e < survey->n_ensembles; e++) done += survey->done[e] != 0;
        line("predicted", log_count(done, text));
    }
    show_traces(survey);
    line("samples a trace", log_count(survey->n_samples, text));
    if (survey->interval_us > 0)
        snprintf(text, sizeof text, "%.9g us (%.9g s a trace)", survey->interval_us,
                 survey->interval_us * 1e-6 * (double)(survey->n_samples - 1));
    else
        snprintf(text, sizeof text, "unknown");
    line("sample interval", text);
    show_range("inlines", survey->inlines, survey->n_ensembles);
    show_range("crosslines", survey->crosslines, survey->n_ensembles);
    line("amplitudes", log_bytes(4.0 * (double)survey->n_traces * (double)survey->n_samples, other));
    for (int c = 0; c < survey->n_attributes; c++) {
        snprintf(text, sizeof text, "%s (scale %s)", survey->attribute[c].name,
                 survey->attribute[c].shared_scale ? "shared" : "none");
        snprintf(other, sizeof other, "channel %d", c + 1);
        line(other, text);
    }
    if (segy->head != NULL) show_segy(segy);
    snprintf(text, sizeof text, "%016" PRIx64, survey->checksum);
    line("checksum", text);
    show_history(survey->history);
}

/* Each rank verifies its run of gathers; bad [end - first] gets the numbers of those that do not match. */
static Status verify_share(const Survey *survey, int64_t first, int64_t end, int64_t *bad, int64_t *n_bad)
{
    const Comm *comm = &survey->comm;
    Status status = STATUS_OK;
    int64_t most = (survey->n_ensembles + comm->size - 1) / comm->size;
    for (int64_t round = 0; round < most && status == STATUS_OK; round += ROUND_GATHERS) {
        for (int64_t e = first + round; e < end && e < first + round + ROUND_GATHERS && status == STATUS_OK; e++) {
            if (survey->done != NULL && !survey->done[e]) continue;
            status = survey_verify_gather(survey, e);
            if (status == STATUS_DATA) {
                bad[(*n_bad)++] = e;
                status = STATUS_OK;
                status_clear();
            }
            log_progress((e - first) * comm->size, NULL);
        }
        status = comm_agree(comm, status);
    }
    return status;
}

/* Rank 0 names the bad gathers of all ranks, then checks the root. */
static Status judge(const Survey *survey, const int64_t *bad, int64_t n_bad)
{
    char list[BAD_SHOWN * 100] = "", more[32] = "", name[96];
    size_t at = 0;
    for (int64_t i = 0; i < n_bad && i < BAD_SHOWN; i++)
        at += (size_t)snprintf(list + at, sizeof list - at, "%s%s", i == 0 ? "" : ", ",
                               survey_ensemble_name(survey, bad[i], name));
    if (n_bad > BAD_SHOWN) snprintf(more, sizeof more, " and %" PRId64 " more", n_bad - BAD_SHOWN);
    if (n_bad > 0)
        return status_fail(
            STATUS_DATA, "%s: %" PRId64 " gather%s not match %s checksum: %s%s; make the file again from its source",
            survey->path, n_bad, n_bad == 1 ? " does" : "s do", n_bad == 1 ? "its" : "their", list, more);
    uint64_t root = checksum_bytes(survey->checksums, (size_t)survey->n_ensembles * sizeof *survey->checksums);
    if (root == survey->checksum) return STATUS_OK;
    return status_fail(STATUS_DATA,
                       "%s: the root's checksum %016" PRIx64 " is not that of /ensemble/checksum (%016" PRIx64
                       "); the file is unfinished or damaged",
                       survey->path, survey->checksum, root);
}

static Status verify_survey(const Survey *survey)
{
    const Comm *comm = &survey->comm;
    int64_t first, end, n_bad = 0;
    comm_share(comm, survey->n_ensembles, &first, &end);
    int64_t *bad = memory_new((size_t)(end - first), sizeof *bad, "the gathers that do not match");
    Status status = comm_agree(comm, bad == NULL ? STATUS_MEMORY : STATUS_OK);
    if (status == STATUS_OK) {
        log_progress_start("verify", survey->n_ensembles, "gathers");
        status = verify_share(survey, first, end, bad, &n_bad);
        log_progress_end();
    }
    void *all = NULL;
    if (status == STATUS_OK) {
        status = comm_gather(comm, bad, (size_t)n_bad * sizeof *bad, &all, NULL);
        comm_sum(comm, &n_bad, 1);
    }
    if (status == STATUS_OK) status = comm_agree(comm, comm->rank == 0 ? judge(survey, all, n_bad) : STATUS_OK);
    memory_free(all);
    memory_free(bad);
    if (status == STATUS_OK) line("verified", "every checksum matches");
    return status;
}

static Status info_survey(const Job *job, const char *path)
{
    Survey survey;
    SurveySegy segy;
    Status status = survey_open(&job->comm, path, false, &survey);
    if (status != STATUS_OK) return status;
    status = survey_segy_read(&survey, &segy);
    if (status == STATUS_OK) {
        show_survey(&survey, &segy);
        survey_segy_free(&segy);
        if (command_flag(job, "--verify")) status = verify_survey(&survey);
    }
    Status closed = survey_close(&survey);
    return status != STATUS_OK ? status : closed;
}

/* ---- map and model, on rank 0 ---- */

typedef struct {
    const H5File *file;
    const char *group;
} Visit;

static Status show_attribute(const char *name, void *context)
{
    const Visit *visit = context;
    char text[8192] = "";
    if (strcmp(name, "history") == 0) {
        Status status = h5_get_text(visit->file, "/", name, text, sizeof text);
        if (status == STATUS_OK) show_history(text);
        return status;
    }
    uint64_t checksum;
    if (text_ends_with(name, "checksum") && h5_get_uint(visit->file, "/", name, &checksum) == STATUS_OK)
        snprintf(text, sizeof text, "%016" PRIx64, checksum); /* as everywhere else */
    else if (h5_attribute_text(visit->file, "/", name, text, sizeof text) != STATUS_OK) {
        status_clear(); /* a user's own attribute may be anything */
        snprintf(text, sizeof text, "(not one value)");
    }
    line(name, text);
    return STATUS_OK;
}

static Status show_dataset(const char *name, void *context)
{
    const Visit *visit = context;
    char path[512], text[128] = "[";
    snprintf(path, sizeof path, "%s/%s", visit->group, name);
    int rank = 0;
    int64_t dims[4];
    Status status = h5_dims(visit->file, path, &rank, dims);
    if (status != STATUS_OK) return status;
    size_t at = 1;
    for (int i = 0; i < rank; i++)
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%" PRId64, i == 0 ? "" : ", ", dims[i]);
    snprintf(text + at, sizeof text - at, "]");
    log_result("  %-*s %s", (int)COLUMN + 20, path, text);
    return STATUS_OK;
}

static Status show_map(const H5File *file)
{
    static const char *const names[] = {"train", "valid", "test"};
    Visit visit = {file, ""};
    log_result("%s: a patch index map", file->path);
    Status status = h5_each_attribute(file, "/", show_attribute, &visit);
    bool rows = false;
    for (int i = 0; i < 3 && status == STATUS_OK; i++) {
        char path[16];
        snprintf(path, sizeof path, "/%s", names[i]);
        if (!h5_exists(file, path)) continue;
        rows = true;
        status = show_dataset(names[i], &visit);
    }
    if (status == STATUS_OK && !rows) line("rows", "not written out (index --materialize does)");
    return status;
}

static Status show_model(const H5File *file)
{
    Visit visit = {file, "/state_dict"};
    log_result("%s: a model%s", file->path, h5_exists(file, "/optimizer") ? " with the state of its training" : "");
    Status status = h5_each_attribute(file, "/", show_attribute, &visit);
    return status == STATUS_OK ? h5_each(file, "/state_dict", show_dataset, &visit) : status;
}

static Status info_serial(const char *path, bool is_model)
{
    H5File file;
    Status status = h5_open(path, false, &file);
    if (status != STATUS_OK) return status;
    if (is_model)
        status = h5_check_format(&file, "seisdcn-model", "a model file");
    else
        status = h5_check_format(&file, "seisdcn-index-map", "an index map");
    if (status == STATUS_OK) status = is_model ? show_model(&file) : show_map(&file);
    Status closed = h5_close(&file);
    return status != STATUS_OK ? status : closed;
}

/* Reading a checkpoint checks every byte of it; *is_one: it is one. Rank 0's. */
static Status verify_checkpoint(const char *path, bool *is_one)
{
    H5File file;
    Status status = h5_open(path, false, &file);
    if (status != STATUS_OK) return status;
    *is_one = h5_exists(&file, "/training");
    status = h5_close(&file);
    Checkpoint checkpoint;
    if (status == STATUS_OK && *is_one) status = checkpoint_read(path, vector_of_level(1), &checkpoint);
    if (status == STATUS_OK && *is_one) checkpoint_free(&checkpoint);
    return status;
}

/* Loading a model checks its shapes, its values, and its checksum where it has one. */
static Status verify_model(const Comm *comm, const char *path)
{
    Network network;
    ModelInfo info;
    char text[96];
    Status status = model_load(comm, path, vector_of_level(1), &network, &info);
    if (status != STATUS_OK) return status;
    snprintf(text, sizeof text, "shapes and values; the state_dict's checksum is %016" PRIx64, info.checksum);
    network_free(&network);
    bool is_checkpoint = false;
    status = comm_agree(comm, comm->rank == 0 ? verify_checkpoint(path, &is_checkpoint) : STATUS_OK);
    if (status != STATUS_OK) return status;
    line("verified", text);
    if (is_checkpoint) line("", "as a checkpoint: every byte");
    return STATUS_OK;
}

/* The root attribute format, "" where the file has none. */
static Status read_format(const char *path, char format[FORMAT_MAX])
{
    H5File file;
    format[0] = '\0';
    Status status = h5_open(path, false, &file);
    if (status != STATUS_OK) return status;
    if (h5_has(&file, "/", "format")) status = h5_get_text(&file, "/", "format", format, FORMAT_MAX);
    Status closed = h5_close(&file);
    return status != STATUS_OK ? status : closed;
}

static Status run(Job *job)
{
    const Comm *comm = &job->comm;
    const char *path = job->arguments[0];
    char format[FORMAT_MAX];
    Status status = comm_agree(comm, comm->rank == 0 ? read_format(path, format) : STATUS_OK);
    if (status != STATUS_OK) return status;
    comm_broadcast(comm, format, sizeof format);
    bool is_model = strcmp(format, "seisdcn-model") == 0, is_map = strcmp(format, "seisdcn-index-map") == 0;
    if (strcmp(format, "seisdcn-survey") == 0) return info_survey(job, path);
    if (!is_model && !is_map)
        return status_fail(STATUS_DATA,
                           "%s: is an HDF5 file, but no survey, map or model of seisdcn (its root attribute 'format' "
                           "is %s%s%s)",
                           path, format[0] == '\0' ? "missing" : "\"", format, format[0] == '\0' ? "" : "\"");
    status = comm_agree(comm, comm->rank == 0 ? info_serial(path, is_model) : STATUS_OK);
    if (status == STATUS_OK && is_model && command_flag(job, "--verify")) status = verify_model(comm, path);
    return status;
}

static const Option options[] = {
    {"--verify", OPTION_FLAG, NULL, NULL, 0, 0, false, "compute every checksum again and compare"},
    {0},
};

const Command command_info = {
    .name = "info",
    .summary = "says what a survey, map or model file holds",
    .description = "Prints what a file of seisdcn holds. With --verify all ranks read every gather and compare its "
                   "checksum; one that does not match ends with status 4 and the gather's name.",
    .example = "mpirun -n 4 seisdcn info survey.h5 --verify",
    .options = options,
    .arguments = "FILE.h5",
    .min_arguments = 1,
    .max_arguments = 1,
    .run = run,
};
