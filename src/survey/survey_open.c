/* Opening a survey file: rank 0 reads and checks the tables, the others get them. */
#include "survey_private.h"

#include "seisdcn/log.h"
#include "seisdcn/memory.h"
#include "seisdcn/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { HISTORY_MAX = 1 << 20 };

static bool trust_all; /* what survey_trust() said */

void survey_trust(bool trust) { trust_all = trust; }

Status survey_new_tables(Survey *survey, bool with_done, bool with_lines)
{
    size_t n = (size_t)survey->n_ensembles;
    const char *what = "the survey's tables";
    survey->first_trace = memory_new(n + 1, sizeof *survey->first_trace, what);
    survey->inlines = memory_new(n, sizeof *survey->inlines, what);
    survey->crosslines = memory_new(n, sizeof *survey->crosslines, what);
    survey->checksums = memory_new(n, sizeof *survey->checksums, what);
    survey->done = with_done ? memory_new(n, sizeof *survey->done, what) : NULL;
    survey->lines = with_lines ? memory_new(n, sizeof *survey->lines, what) : NULL;
    bool good = survey->first_trace != NULL && survey->inlines != NULL && survey->crosslines != NULL &&
                survey->checksums != NULL && (survey->done != NULL || !with_done) &&
                (survey->lines != NULL || !with_lines);
    return good ? STATUS_OK : STATUS_MEMORY;
}

static Status new_starts(Survey *survey)
{
    survey->starts_us = memory_new((size_t)survey->n_ensembles, sizeof *survey->starts_us, "the survey's tables");
    return survey->starts_us == NULL ? STATUS_MEMORY : STATUS_OK;
}

/* Room for an attribute's checksums, where it has them. */
static Status new_attribute_table(const Survey *survey, SurveyAttribute *attribute)
{
    if (!attribute->has_checksums) return STATUS_OK;
    attribute->checksums = memory_new((size_t)survey->n_ensembles, sizeof(uint64_t), "an attribute's checksums");
    return attribute->checksums == NULL ? STATUS_MEMORY : STATUS_OK;
}

Status survey_share_tables(Survey *survey)
{
    const Comm *comm = &survey->comm;
    bool with_done = survey->done != NULL, with_lines = survey->lines != NULL, with_starts = survey->starts_us != NULL;
    Survey head = *survey; /* for its numbers; the pointers are rank 0's own */
    comm_broadcast(comm, &head, sizeof head);
    comm_broadcast(comm, &with_done, sizeof with_done);
    comm_broadcast(comm, &with_lines, sizeof with_lines);
    comm_broadcast(comm, &with_starts, sizeof with_starts);
    Status status = STATUS_OK;
    if (comm->rank != 0) {
        survey->n_ensembles = head.n_ensembles;
        survey->n_traces = head.n_traces;
        survey->n_samples = head.n_samples;
        survey->interval_us = head.interval_us;
        survey->checksum = head.checksum;
        survey->n_attributes = head.n_attributes;
        memcpy(survey->attribute, head.attribute, sizeof survey->attribute);
        for (int i = 0; i < survey->n_attributes; i++) survey->attribute[i].checksums = NULL; /* it was rank 0's */
        status = survey_new_tables(survey, with_done, with_lines);
        if (status == STATUS_OK && with_starts) status = new_starts(survey);
        for (int i = 0; status == STATUS_OK && i < survey->n_attributes; i++)
            status = new_attribute_table(survey, &survey->attribute[i]);
    }
    status = comm_agree(comm, status);
    if (status != STATUS_OK) return status;
    size_t n = (size_t)survey->n_ensembles;
    comm_broadcast(comm, survey->first_trace, (n + 1) * sizeof *survey->first_trace);
    comm_broadcast(comm, survey->inlines, n * sizeof *survey->inlines);
    comm_broadcast(comm, survey->crosslines, n * sizeof *survey->crosslines);
    comm_broadcast(comm, survey->checksums, n * sizeof *survey->checksums);
    if (with_lines) comm_broadcast(comm, survey->lines, n * sizeof *survey->lines);
    if (with_starts) comm_broadcast(comm, survey->starts_us, n * sizeof *survey->starts_us);
    if (with_done) comm_broadcast(comm, survey->done, n * sizeof *survey->done);
    for (int i = 0; i < survey->n_attributes; i++)
        if (survey->attribute[i].has_checksums)
            comm_broadcast(comm, survey->attribute[i].checksums, n * sizeof(uint64_t));
    return comm_broadcast_text(comm, &survey->history);
}

/* ---- what rank 0 reads ---- */

/* Shapes of what every survey file has. */
static Status read_shapes(Survey *survey, const H5File *file)
{
    int64_t dims[4];
    int rank = 0;
    Status status = h5_expect(file, "/amplitude", H5T_NATIVE_FLOAT, 2, (int64_t[]){-1, -1});
    if (status == STATUS_OK) status = h5_dims(file, "/amplitude", &rank, dims);
    if (status != STATUS_OK) return status;
    survey->n_traces = dims[0];
    survey->n_samples = dims[1];
    status = h5_expect(file, "/ensemble/first_trace", H5T_NATIVE_INT64, 1, (int64_t[]){-1});
    if (status == STATUS_OK) status = h5_dims(file, "/ensemble/first_trace", &rank, dims);
    if (status != STATUS_OK) return status;
    survey->n_ensembles = dims[0] - 1;
    if (survey->n_ensembles < 1 || survey->n_traces < 1 || survey->n_samples < 1)
        return status_fail(STATUS_DATA, "%s: holds no gather (%" PRId64 " trace%s of %" PRId64 " sample%s)", file->path,
                           survey->n_traces, log_plural(survey->n_traces, "trace"), survey->n_samples,
                           log_plural(survey->n_samples, "sample"));
    int64_t n = survey->n_ensembles;
    status = h5_expect(file, "/ensemble/inline", H5T_NATIVE_INT32, 1, &n);
    if (status == STATUS_OK) status = h5_expect(file, "/ensemble/crossline", H5T_NATIVE_INT32, 1, &n);
    if (status == STATUS_OK && h5_exists(file, "/ensemble/line"))
        status = h5_expect(file, "/ensemble/line", H5T_NATIVE_INT32, 1, &n);
    if (status == STATUS_OK) status = h5_expect(file, "/ensemble/checksum", H5T_NATIVE_UINT64, 1, &n);
    if (status == STATUS_OK && h5_exists(file, "/ensemble/done"))
        status = h5_expect(file, "/ensemble/done", H5T_NATIVE_UINT8, 1, &n);
    if (status == STATUS_OK && h5_exists(file, "/trace/offset"))
        status = h5_expect(file, "/trace/offset", H5T_NATIVE_FLOAT, 1, &survey->n_traces);
    if (status == STATUS_OK && h5_exists(file, "/trace/delay_us"))
        status = h5_expect(file, "/trace/delay_us", H5T_NATIVE_FLOAT, 1, &survey->n_traces);
    return status;
}

static Status check_first_trace(const Survey *survey, const H5File *file)
{
    const int64_t *first = survey->first_trace;
    if (first[0] != 0)
        return status_fail(STATUS_DATA, "%s: /ensemble/first_trace begins with %" PRId64 ", not 0", file->path,
                           first[0]);
    for (int64_t e = 0; e < survey->n_ensembles; e++)
        if (first[e + 1] <= first[e])
            return status_fail(STATUS_DATA,
                               "%s: /ensemble/first_trace does not rise: %" PRId64 " at %" PRId64 ", then %" PRId64,
                               file->path, first[e], e, first[e + 1]);
    if (first[survey->n_ensembles] == survey->n_traces) return STATUS_OK;
    return status_fail(STATUS_DATA,
                       "%s: /ensemble/first_trace ends at %" PRId64 ", but /amplitude has a trace count of %" PRId64,
                       file->path, first[survey->n_ensembles], survey->n_traces);
}

/* Version 1 had no number of its own for what is not known. */
static void take_unknown(int32_t *number, int64_t n)
{
    for (int64_t e = 0; e < n; e++)
        if (number[e] == -1) number[e] = POSITION_UNKNOWN;
}

static Status read_tables(Survey *survey, const H5File *file, int64_t version)
{
    Status status = survey_new_tables(survey, h5_exists(file, "/ensemble/done"), h5_exists(file, "/ensemble/line"));
    int64_t n = survey->n_ensembles;
    if (status == STATUS_OK)
        status = h5_read_all(file, "/ensemble/first_trace", H5T_NATIVE_INT64, n + 1, survey->first_trace);
    if (status == STATUS_OK) status = h5_read_all(file, "/ensemble/inline", H5T_NATIVE_INT32, n, survey->inlines);
    if (status == STATUS_OK) status = h5_read_all(file, "/ensemble/crossline", H5T_NATIVE_INT32, n, survey->crosslines);
    if (status == STATUS_OK) status = h5_read_all(file, "/ensemble/checksum", H5T_NATIVE_UINT64, n, survey->checksums);
    if (status == STATUS_OK && survey->lines != NULL)
        status = h5_read_all(file, "/ensemble/line", H5T_NATIVE_INT32, n, survey->lines);
    if (status == STATUS_OK && survey->done != NULL)
        status = h5_read_all(file, "/ensemble/done", H5T_NATIVE_UINT8, n, survey->done);
    if (status != STATUS_OK) return status;
    if (version == 1) {
        take_unknown(survey->inlines, n);
        take_unknown(survey->crosslines, n);
    }
    return check_first_trace(survey, file);
}

typedef struct {
    Survey *survey;
    const H5File *file;
} Visit;

/* What seisdcn knows of an attribute that it made. One that somebody wrote anew under the same name has not these two
 * numbers, and so no use for what stands in the table still. */
static Status take_checksums(const Survey *survey, const H5File *file, const char *path, SurveyAttribute *attribute)
{
    char table[SURVEY_DATASET_MAX];
    survey_checksums_name(survey, survey->n_attributes, table); /* it is the last one so far */
    attribute->has_checksums =
        h5_exists(file, table) && h5_has(file, path, "checksum") && h5_has(file, path, "survey_checksum");
    if (!attribute->has_checksums) return STATUS_OK;
    Status status = h5_get_uint(file, path, "checksum", &attribute->checksum);
    if (status == STATUS_OK) status = h5_get_uint(file, path, "survey_checksum", &attribute->survey_checksum);
    if (status == STATUS_OK) status = h5_expect(file, table, H5T_NATIVE_UINT64, 1, &survey->n_ensembles);
    if (status == STATUS_OK) status = new_attribute_table(survey, attribute);
    if (status != STATUS_OK) return status;
    return h5_read_all(file, table, H5T_NATIVE_UINT64, survey->n_ensembles, attribute->checksums);
}

static Status take_attribute(const char *name, void *context)
{
    Visit *visit = context;
    Survey *survey = visit->survey;
    char path[SURVEY_NAME_MAX + 16], scale[32] = "shared";
    if (survey->n_attributes == SURVEY_ATTRIBUTES_MAX)
        return status_fail(STATUS_DATA, "%s: has more than %d datasets under /attribute", visit->file->path,
                           (int)SURVEY_ATTRIBUTES_MAX);
    if (strlen(name) >= SURVEY_NAME_MAX)
        return status_fail(STATUS_DATA, "%s: the name /attribute/%s is longer than %d letters", visit->file->path, name,
                           SURVEY_NAME_MAX - 1);
    snprintf(path, sizeof path, "/attribute/%s", name);
    Status status = h5_expect(visit->file, path, H5T_NATIVE_FLOAT, 2, (int64_t[]){survey->n_traces, survey->n_samples});
    if (status == STATUS_OK && h5_has(visit->file, path, "scale"))
        status = h5_get_text(visit->file, path, "scale", scale, sizeof scale);
    if (status != STATUS_OK) return status;
    bool shared = strcmp(scale, "shared") == 0;
    if (!shared && strcmp(scale, "none") != 0)
        return status_fail(STATUS_DATA, "%s: the attribute scale of %s is \"%s\"; \"shared\" or \"none\" was wanted",
                           visit->file->path, path, scale);
    SurveyAttribute *attribute = &survey->attribute[survey->n_attributes++];
    *attribute = (SurveyAttribute){.shared_scale = shared};
    strcpy(attribute->name, name);
    return take_checksums(survey, visit->file, path, attribute);
}

/* When each gather begins: its traces' delays, where they are one. */
static Status read_starts(Survey *survey, const H5File *file)
{
    enum { PIECE = 1 << 16 };
    if (!h5_exists(file, "/trace/delay_us")) return STATUS_OK;
    float *delay = memory_new(PIECE, sizeof *delay, "the traces' delays"), *start;
    Status status = delay == NULL ? STATUS_MEMORY : new_starts(survey);
    int64_t e = 0;
    for (int64_t t = 0; t < survey->n_traces && status == STATUS_OK; t++) {
        int64_t left = survey->n_traces - t;
        if (t % PIECE == 0)
            status = h5_read_rows(file, "/trace/delay_us", H5T_NATIVE_FLOAT, t, left < PIECE ? left : PIECE, 1, delay);
        if (status != STATUS_OK) break;
        if (t == survey->first_trace[e + 1]) e++;
        start = &survey->starts_us[e];
        if (t == survey->first_trace[e]) *start = isfinite(delay[t % PIECE]) ? delay[t % PIECE] : NAN;
        if (*start != delay[t % PIECE]) *start = NAN;
    }
    memory_free(delay);
    return status;
}

static Status read_attributes(Survey *survey, const H5File *file)
{
    Status status = STATUS_OK;
    if (h5_has(file, "/", "sample_interval_us"))
        status = h5_get_double(file, "/", "sample_interval_us", &survey->interval_us);
    if (status == STATUS_OK && !(isfinite(survey->interval_us) && survey->interval_us >= 0))
        status =
            status_fail(STATUS_DATA, "%s: root attribute sample_interval_us is %g", file->path, survey->interval_us);
    if (status == STATUS_OK) status = h5_get_uint(file, "/", "checksum", &survey->checksum);
    if (status != STATUS_OK) return status;
    survey->history = memory_new(HISTORY_MAX, 1, "a file's history");
    if (survey->history == NULL) return STATUS_MEMORY;
    if (h5_has(file, "/", "history")) status = h5_get_text(file, "/", "history", survey->history, HISTORY_MAX);
    Visit visit = {survey, file};
    if (status == STATUS_OK && h5_exists(file, "/attribute"))
        status = h5_each(file, "/attribute", take_attribute, &visit);
    return status;
}

static Status read_serially(Survey *survey)
{
    H5File file;
    Status status = h5_open(survey->path, false, &file);
    if (status != STATUS_OK) return status;
    int64_t version = 0;
    status = h5_check_format(&file, "seisdcn-survey", "a survey file", SURVEY_VERSION, &version);
    if (status == STATUS_OK) status = read_shapes(survey, &file);
    if (status == STATUS_OK) status = read_tables(survey, &file, version);
    if (status == STATUS_OK) status = read_starts(survey, &file);
    if (status == STATUS_OK) status = read_attributes(survey, &file);
    Status closed = h5_close(&file);
    return status != STATUS_OK ? status : closed;
}

/* Says what goes unchecked. */
static void report_unchecked(const Survey *survey)
{
    int64_t without = 0;
    char count[32], all[LOG_THINGS_MAX];
    for (int64_t e = 0; e < survey->n_ensembles; e++)
        without += survey->checksums[e] == 0 && (survey->done == NULL || survey->done[e]);
    if (survey->trusted)
        log_note("%s: --trust: its gathers are not compared with their checksums", survey->path);
    else if (without > 0)
        log_note("%s: %s of %s %s read unchecked", survey->path, log_count(without, count),
                 log_things(survey->n_ensembles, "gather", all),
                 without == 1 ? "has no checksum (it is 0) and is" : "have no checksum (it is 0): they are");
}

Status survey_open(const Comm *comm, const char *path, bool writable, Survey *survey)
{
    memset(survey, 0, sizeof *survey);
    survey->comm = *comm;
    survey->trusted = trust_all;
    survey->path = text_copy(path);
    Status status = survey->path == NULL ? STATUS_MEMORY : STATUS_OK;
    if (status == STATUS_OK && comm->rank == 0) status = read_serially(survey);
    status = comm_agree(comm, status);
    if (status == STATUS_OK) status = survey_share_tables(survey);
    if (status == STATUS_OK) status = h5_open_parallel(comm, survey->path, writable, &survey->file);
    if (status == STATUS_OK)
        report_unchecked(survey);
    else
        survey_close(survey);
    return status;
}
