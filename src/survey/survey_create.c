/* Making a survey file: rank 0 alone lays it out, then all ranks write gathers into it. */
#include "survey_private.h"

#include "seisdcn/checksum.h"
#include "seisdcn/files.h"
#include "seisdcn/memory.h"
#include "seisdcn/survey_dropped.h"
#include "seisdcn/survey_segy.h"
#include "seisdcn/text.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

/* ---- what rank 0 lays out ---- */

static Status write_sources(const H5File *file, const SurveyPlan *plan)
{
    /* Only as wide as the longest name. */
    size_t width = 1, n = (size_t)plan->n_ensembles, given = plan->source_width;
    if (given == 0) given = SURVEY_SOURCE_MAX;
    for (size_t e = 0; e < n; e++) {
        size_t length = strnlen(plan->sources + e * given, given);
        if (length > width) width = length;
    }
    char *packed = memory_new(n, width, "the names of the sources"); /* [n_ensembles][width] */
    if (packed == NULL) return STATUS_MEMORY;
    for (size_t e = 0; e < n; e++) memcpy(packed + e * width, plan->sources + e * given, width);
    Status status = h5_write_strings(file, "/ensemble/source", plan->n_ensembles, width, packed);
    memory_free(packed);
    return status;
}

static Status write_offsets(const H5File *file, const SurveyPlan *plan, int64_t n_traces)
{
    enum { PIECE = 1 << 16 };
    if (plan->offsets != NULL)
        return h5_write_new(file, "/trace/offset", H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, 1, &n_traces, plan->offsets);
    float *unknown = memory_new(PIECE, sizeof *unknown, "unknown offsets");
    if (unknown == NULL) return STATUS_MEMORY;
    for (int i = 0; i < PIECE; i++) unknown[i] = NAN;
    Status status = h5_create_dataset(file, "/trace/offset", H5T_IEEE_F32LE, 1, &n_traces);
    for (int64_t t = 0; t < n_traces && status == STATUS_OK; t += PIECE)
        status = h5_write_rows(file, "/trace/offset", H5T_NATIVE_FLOAT, t, n_traces - t < PIECE ? n_traces - t : PIECE,
                               1, unknown);
    memory_free(unknown);
    return status;
}

static Status write_root(const H5File *file, const SurveyPlan *plan)
{
    Status status = h5_put_text(file, "/", "format", "seisdcn-survey");
    if (status == STATUS_OK) status = h5_put_int(file, "/", "version", SURVEY_VERSION);
    if (status == STATUS_OK) status = h5_put_text(file, "/", "history", plan->history == NULL ? "" : plan->history);
    if (status == STATUS_OK) status = h5_put_double(file, "/", "sample_interval_us", plan->interval_us);
    if (status == STATUS_OK) status = h5_put_uint(file, "/", "checksum", 0); /* until survey_finish() */
    return status;
}

static Status write_ensembles(const H5File *file, const Survey *survey, const SurveyPlan *plan)
{
    int64_t n = survey->n_ensembles, n_bounds = n + 1;
    Status status = h5_create_group(file, "/ensemble");
    if (status == STATUS_OK)
        status = h5_write_new(file, "/ensemble/first_trace", H5T_STD_I64LE, H5T_NATIVE_INT64, 1, &n_bounds,
                              survey->first_trace);
    if (status == STATUS_OK)
        status = h5_write_new(file, "/ensemble/inline", H5T_STD_I32LE, H5T_NATIVE_INT32, 1, &n, survey->inlines);
    if (status == STATUS_OK)
        status = h5_write_new(file, "/ensemble/crossline", H5T_STD_I32LE, H5T_NATIVE_INT32, 1, &n, survey->crosslines);
    if (status == STATUS_OK && survey->lines != NULL)
        status = h5_write_new(file, "/ensemble/line", H5T_STD_I32LE, H5T_NATIVE_INT32, 1, &n, survey->lines);
    if (status == STATUS_OK)
        status = h5_write_new(file, "/ensemble/checksum", H5T_STD_U64LE, H5T_NATIVE_UINT64, 1, &n, survey->checksums);
    if (status == STATUS_OK && survey->done != NULL)
        status = h5_write_new(file, "/ensemble/done", H5T_STD_U8LE, H5T_NATIVE_UINT8, 1, &n, survey->done);
    if (status == STATUS_OK && plan->sources != NULL) status = write_sources(file, plan);
    if (status != STATUS_OK || (plan->keys == NULL && plan->float_keys == NULL)) return status;
    if (plan->float_keys != NULL)
        status = h5_write_new(file, "/ensemble/key", H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, 1, &n, plan->float_keys);
    else
        status = h5_write_new(file, "/ensemble/key", H5T_STD_I32LE, H5T_NATIVE_INT32, 1, &n, plan->keys);
    return status == STATUS_OK ? h5_put_text(file, "/ensemble/key", "field", plan->key_field) : status;
}

/* ---- what belongs to the traces and the survey but not to the amplitudes ---- */

typedef struct {
    const H5File *from, *to;
} Copy;

static Status copy_trace_table(const char *name, void *context)
{
    Copy *copy = context;
    char *path = text_format("/trace/%s", name);
    if (path == NULL) return STATUS_MEMORY;
    Status status = h5_copy(copy->from, path, copy->to);
    memory_free(path);
    return status;
}

static Status copy_tables(const H5File *from, const H5File *to)
{
    Copy copy = {from, to};
    Status status = STATUS_OK;
    if (h5_exists(from, "/ensemble/source")) status = h5_copy(from, "/ensemble/source", to);
    if (status == STATUS_OK && h5_exists(from, "/ensemble/key")) status = h5_copy(from, "/ensemble/key", to);
    if (status == STATUS_OK && h5_exists(from, "/trace")) status = h5_each(from, "/trace", copy_trace_table, &copy);
    if (status == STATUS_OK && h5_exists(from, "/segy")) status = h5_copy(from, "/segy", to);
    if (status == STATUS_OK && h5_exists(from, "/dropped")) status = h5_copy(from, "/dropped", to);
    double interval_us = 0;
    if (status == STATUS_OK && h5_has(from, "/", "sample_interval_us")) {
        status = h5_get_double(from, "/", "sample_interval_us", &interval_us);
        if (status == STATUS_OK) status = h5_put_double(to, "/", "sample_interval_us", interval_us);
    }
    return status;
}

static Status copy_headers(const char *from, const H5File *to)
{
    H5File source;
    Status status = h5_open(from, false, &source);
    if (status != STATUS_OK) return status;
    status = copy_tables(&source, to);
    Status closed = h5_close(&source);
    return status != STATUS_OK ? status : closed;
}

/* ---- the file ---- */

static Status fill(const H5File *file, const Survey *survey, const SurveyPlan *plan)
{
    Status status = write_root(file, plan);
    if (status == STATUS_OK) status = write_ensembles(file, survey, plan);
    if (status == STATUS_OK) status = h5_create_group(file, "/trace");
    if (status == STATUS_OK && plan->headers_from != NULL) status = copy_headers(plan->headers_from, file);
    const SurveyDropped *dropped = plan->dropped;
    if (status == STATUS_OK && dropped != NULL)
        status = survey_dropped_lay_out(file, dropped, survey->n_ensembles, survey->n_samples);
    if (status == STATUS_OK && plan->segy != NULL)
        status = survey_segy_lay_out(file, plan->segy, survey->n_traces, dropped == NULL ? 0 : dropped->n);
    if (status == STATUS_OK && !h5_exists(file, "/trace/offset")) status = write_offsets(file, plan, survey->n_traces);
    if (status == STATUS_OK && plan->add != NULL) status = plan->add(file, plan->context);
    if (status == STATUS_OK)
        status =
            h5_create_dataset(file, "/amplitude", H5T_IEEE_F32LE, 2, (int64_t[]){survey->n_traces, survey->n_samples});
    return status;
}

static Status lay_out(const char *path, const Survey *survey, const SurveyPlan *plan)
{
    H5File file;
    Status status = h5_create(path, &file);
    if (status != STATUS_OK) return status;
    status = fill(&file, survey, plan);
    Status closed = h5_close(&file);
    if (status == STATUS_OK) status = closed;
    return status == STATUS_OK && !plan->sparse ? files_reserve(path) : status;
}

static Status make_file(const Survey *survey, const SurveyPlan *plan)
{
    char *fresh = text_format("%s.new", survey->path);
    if (fresh == NULL) return STATUS_MEMORY;
    unlink(fresh); /* what a killed run may have left holds space */
    double trace_bytes = 4.0 * (double)survey->n_samples + 4, ensemble_bytes = 32 + SURVEY_SOURCE_MAX;
    double bytes = (double)survey->n_traces * trace_bytes + (double)survey->n_ensembles * ensemble_bytes;
    const SurveyDropped *dropped = plan->dropped;
    if (dropped != NULL) bytes += survey_dropped_bytes(dropped, survey->n_ensembles, survey->n_samples);
    if (plan->segy != NULL)
        bytes += survey_segy_bytes(plan->segy, survey->n_traces + (dropped == NULL ? 0 : dropped->n));
    Status status = plan->sparse ? STATUS_OK : files_check_space(survey->path, bytes);
    if (status == STATUS_OK) status = lay_out(fresh, survey, plan);
    if (status == STATUS_OK) status = files_publish(fresh, survey->path);
    if (status != STATUS_OK) unlink(fresh);
    memory_free(fresh);
    return status;
}

/* Rank 0's copy of the plan's tables. */
static Status take_plan(Survey *survey, const SurveyPlan *plan)
{
    survey->n_ensembles = plan->n_ensembles;
    survey->n_samples = plan->n_samples;
    survey->n_traces = plan->first_trace[plan->n_ensembles];
    survey->interval_us = plan->interval_us;
    survey->history = text_copy(plan->history == NULL ? "" : plan->history);
    if (survey->history == NULL) return STATUS_MEMORY;
    Status status = survey_new_tables(survey, plan->with_done, plan->lines != NULL);
    if (status != STATUS_OK) return status;
    size_t n = (size_t)plan->n_ensembles;
    memcpy(survey->first_trace, plan->first_trace, (n + 1) * sizeof *plan->first_trace);
    memcpy(survey->inlines, plan->inlines, n * sizeof *plan->inlines);
    memcpy(survey->crosslines, plan->crosslines, n * sizeof *plan->crosslines);
    if (plan->lines != NULL) memcpy(survey->lines, plan->lines, n * sizeof *plan->lines);
    return STATUS_OK;
}

Status survey_create(const Comm *comm, const char *path, const SurveyPlan *plan, Survey *survey)
{
    memset(survey, 0, sizeof *survey);
    survey->comm = *comm;
    survey->path = text_copy(path);
    Status status = survey->path == NULL ? STATUS_MEMORY : STATUS_OK;
    if (status == STATUS_OK && comm->rank == 0) status = take_plan(survey, plan);
    if (status == STATUS_OK && comm->rank == 0) status = make_file(survey, plan);
    status = comm_agree(comm, status);
    if (status == STATUS_OK) status = survey_share_tables(survey);
    if (status == STATUS_OK) status = h5_open_parallel(comm, survey->path, true, &survey->file);
    if (status != STATUS_OK) survey_close(survey);
    return status;
}

/* ---- after the gathers ---- */

static Status write_checksum(Survey *survey)
{
    H5File file;
    int64_t n = survey->n_ensembles;
    Status status = h5_open(survey->path, true, &file);
    if (status != STATUS_OK) return status;
    status = h5_read_all(&file, "/ensemble/checksum", H5T_NATIVE_UINT64, n, survey->checksums);
    if (status == STATUS_OK && survey->done != NULL)
        status = h5_read_all(&file, "/ensemble/done", H5T_NATIVE_UINT8, n, survey->done);
    survey->checksum = checksum_bytes(survey->checksums, (size_t)n * sizeof *survey->checksums);
    if (status == STATUS_OK) status = h5_put_uint(&file, "/", "checksum", survey->checksum);
    Status closed = h5_close(&file);
    return status != STATUS_OK ? status : closed;
}

Status survey_finish(Survey *survey)
{
    const Comm *comm = &survey->comm;
    /* Closing is collective and writes out what every rank has: only then rank 0 reads the others' checksums. */
    Status status = h5_close_parallel(comm, &survey->file);
    if (status != STATUS_OK) return status;
    if (comm->rank == 0) status = write_checksum(survey);
    status = comm_agree(comm, status);
    if (status != STATUS_OK) return status;
    comm_broadcast(comm, &survey->checksum, sizeof survey->checksum);
    comm_broadcast(comm, survey->checksums, (size_t)survey->n_ensembles * sizeof *survey->checksums);
    if (survey->done != NULL) comm_broadcast(comm, survey->done, (size_t)survey->n_ensembles);
    return STATUS_OK;
}

/* ---- how much it takes ---- */

typedef struct {
    const H5File *file;
    const char *group;
    int64_t bytes;
} Stored;

static Status add_stored(const char *name, void *context)
{
    Stored *stored = context;
    int64_t bytes = 0;
    char *path = text_format("%s/%s", stored->group, name);
    Status status = path == NULL ? STATUS_MEMORY : h5_stored_bytes(stored->file, path, &bytes);
    memory_free(path);
    stored->bytes += bytes;
    return status;
}

Status survey_predicted_bytes(const Survey *survey, int64_t *bytes)
{
    static const char *const groups[] = {"/trace", "/segy", "/dropped"};
    H5File file;
    int64_t sources = 0, n = survey->n_ensembles;
    Status status = h5_open(survey->path, false, &file);
    if (status != STATUS_OK) return status;
    Stored stored = {.file = &file, .bytes = 8192}; /* HDF5's own */
    for (int i = 0; status == STATUS_OK && i < 3; i++) {
        stored.group = groups[i];
        if (h5_exists(&file, groups[i])) status = h5_each(&file, groups[i], add_stored, &stored);
    }
    if (status == STATUS_OK && h5_exists(&file, "/ensemble/source"))
        status = h5_stored_bytes(&file, "/ensemble/source", &sources);
    int64_t tables = 8 * (n + 1) + (4 + 4 + 8 + 1) * n; /* first_trace, inline, crossline, checksum, done */
    if (survey->lines != NULL) tables += 4 * n;
    *bytes = stored.bytes + sources + tables + 4 * survey->n_traces * survey->n_samples;
    Status closed = h5_close(&file);
    return status != STATUS_OK ? status : closed;
}
