#include "seisdcn/survey_segy.h"
#include "seisdcn/log.h"

#include "seisdcn/memory.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { HEADS = SGY_TEXT + SGY_BINARY };

/* Of traces that were kept, and of those that were dropped. */
static const char *const offset_set[] = {"/trace/offset", "/dropped/offset"};
static const char *const header_set[] = {"/trace/segy_header", "/dropped/segy_header"};
static const char *const extra_set[] = {"/trace/segy_extra", "/dropped/segy_extra"};
static const char *const position_set[] = {"/trace/segy_position", "/dropped/segy_position"};
static const char *const file_set[] = {"/trace/segy_file", "/dropped/segy_file"};
static const char *const first_set[] = {"/trace/segy_first_sample", "/dropped/segy_first_sample"};
static const char *const samples_set[] = {"/trace/segy_samples", "/dropped/segy_samples"};
static const char *const delay_set[] = {"/trace/delay_us", "/dropped/delay_us"};

void survey_segy_free(SurveySegy *segy)
{
    memory_free(segy->head);
    memory_free(segy->trailer);
    for (int64_t h = 0; h < segy->n_heads && segy->heads != NULL; h++) {
        memory_free(segy->heads[h].head);
        memory_free(segy->heads[h].trailer);
    }
    memory_free(segy->heads);
    memory_free(segy->file_head);
    memory_free(segy->files);
    memory_free(segy->first);
    memset(segy, 0, sizeof *segy);
}

double survey_segy_bytes(const SurveySegy *segy, int64_t n_traces)
{
    double trace_bytes = SGY_HEADER * (1.0 + segy->n_extra) + 8 + 4 + 4 + 8;
    return (double)n_traces * trace_bytes + (double)(segy->n_head + segy->n_trailer) +
           (double)segy->n_files * ((double)segy->width + 8) + survey_segy_heads_bytes(segy);
}

/* ---- writing ---- */

static Status write_blob(const H5File *file, const char *name, const uint8_t *bytes, int64_t n)
{
    if (n == 0) return STATUS_OK;
    return h5_write_new(file, name, H5T_STD_U8LE, H5T_NATIVE_UINT8, 1, &n, bytes);
}

static Status write_files(const H5File *file, const SurveySegy *segy)
{
    int64_t n_bounds = segy->n_files + 1;
    Status status = h5_create_group(file, "/segy");
    if (status == STATUS_OK) status = h5_put_text(file, "/segy", "byte_order", segy->big ? "big" : "little");
    if (status == STATUS_OK) status = h5_put_int(file, "/segy", "format", segy->format);
    if (status == STATUS_OK && segy->scale != 1) status = h5_put_double(file, "/segy", "scale", segy->scale);
    if (status == STATUS_OK) status = write_blob(file, "/segy/text", segy->head, SGY_TEXT);
    if (status == STATUS_OK) status = write_blob(file, "/segy/binary", segy->head + SGY_TEXT, SGY_BINARY);
    if (status == STATUS_OK) status = write_blob(file, "/segy/extended_text", segy->head + HEADS, segy->n_head - HEADS);
    if (status == STATUS_OK) status = write_blob(file, "/segy/trailer", segy->trailer, segy->n_trailer);
    if (status == STATUS_OK) status = survey_segy_write_heads(file, segy);
    if (status == STATUS_OK) status = h5_write_strings(file, "/segy/file", segy->n_files, segy->width, segy->files);
    if (status == STATUS_OK)
        status = h5_write_new(file, "/segy/first_trace", H5T_STD_I64LE, H5T_NATIVE_INT64, 1, &n_bounds, segy->first);
    return status;
}

static Status lay_out_traces(const H5File *file, const SurveySegy *segy, SurveyPart part, int64_t n)
{
    int64_t bytes[] = {n, SGY_HEADER}, extra[] = {n, (int64_t)SGY_HEADER * segy->n_extra};
    Status status = h5_create_dataset(file, offset_set[part], H5T_IEEE_F32LE, 1, &n);
    if (status == STATUS_OK) status = h5_create_dataset(file, header_set[part], H5T_STD_U8LE, 2, bytes);
    if (status == STATUS_OK && segy->n_extra > 0)
        status = h5_create_dataset(file, extra_set[part], H5T_STD_U8LE, 2, extra);
    if (status == STATUS_OK) status = h5_create_dataset(file, position_set[part], H5T_STD_I64LE, 1, &n);
    if (status == STATUS_OK && segy->n_files > 1)
        status = h5_create_dataset(file, file_set[part], H5T_STD_I32LE, 1, &n);
    if (status == STATUS_OK && segy->has_delay)
        status = h5_create_dataset(file, delay_set[part], H5T_IEEE_F32LE, 1, &n);
    if (status == STATUS_OK && segy->has_spans) status = h5_create_dataset(file, first_set[part], H5T_STD_I32LE, 1, &n);
    if (status == STATUS_OK && segy->has_spans)
        status = h5_create_dataset(file, samples_set[part], H5T_STD_I32LE, 1, &n);
    return status;
}

Status survey_segy_lay_out(const H5File *file, const SurveySegy *segy, int64_t n_traces, int64_t n_dropped)
{
    Status status = write_files(file, segy);
    if (status == STATUS_OK) status = lay_out_traces(file, segy, SURVEY_KEPT, n_traces);
    return status == STATUS_OK && n_dropped > 0 ? lay_out_traces(file, segy, SURVEY_DROPPED, n_dropped) : status;
}

Status survey_segy_write_places(const Survey *survey, SurveyPart part, int64_t first, int64_t n,
                                const SurveySegyPlaces *places)
{
    const struct {
        const char *const *name;
        hid_t type;
        const void *values;
    } sets[] = {
        {offset_set, H5T_NATIVE_FLOAT, places->offsets},      {position_set, H5T_NATIVE_INT64, places->positions},
        {file_set, H5T_NATIVE_INT32, places->files},          {delay_set, H5T_NATIVE_FLOAT, places->delays},
        {first_set, H5T_NATIVE_INT32, places->first_samples}, {samples_set, H5T_NATIVE_INT32, places->samples}};
    Status status = STATUS_OK;
    for (size_t i = 0; i < sizeof sets / sizeof *sets && status == STATUS_OK; i++)
        if (sets[i].values != NULL)
            status = h5_write_rows(&survey->file, sets[i].name[part], sets[i].type, first, n, 1, sets[i].values);
    return status;
}

Status survey_segy_write_headers(const Survey *survey, SurveyPart part, int64_t first, int64_t n, int n_extra,
                                 const uint8_t *headers, const uint8_t *extra)
{
    const H5File *file = &survey->file;
    int64_t extra_bytes = (int64_t)SGY_HEADER * n_extra;
    Status status = h5_write_rows(file, header_set[part], H5T_NATIVE_UINT8, first, n, SGY_HEADER, headers);
    if (status == STATUS_OK && n_extra > 0)
        status = h5_write_rows(file, extra_set[part], H5T_NATIVE_UINT8, first, n, extra_bytes, extra);
    return status;
}

/* ---- reading ---- */

/* The length of a dataset of bytes, 0 where there is none. */
static Status blob_length(const H5File *file, const char *name, int64_t *n)
{
    int rank;
    int64_t dims[4];
    *n = 0;
    if (!h5_exists(file, name)) return STATUS_OK;
    Status status = h5_expect(file, name, H5T_NATIVE_UINT8, 1, (int64_t[]){-1});
    if (status == STATUS_OK) status = h5_dims(file, name, &rank, dims);
    if (status == STATUS_OK) *n = dims[0];
    return status;
}

static Status read_blob(const H5File *file, const char *name, uint8_t *bytes, int64_t n)
{
    return n == 0 ? STATUS_OK : h5_read_all(file, name, H5T_NATIVE_UINT8, n, bytes);
}

/* Of n traces; *n_extra: of their additional headers. */
static Status check_traces(const H5File *file, const SurveySegy *segy, SurveyPart part, int64_t n, int *n_extra)
{
    int rank;
    int64_t dims[4];
    const char *extra = extra_set[part];
    *n_extra = 0;
    Status status = h5_expect(file, header_set[part], H5T_NATIVE_UINT8, 2, (int64_t[]){n, SGY_HEADER});
    if (status == STATUS_OK) status = h5_expect(file, position_set[part], H5T_NATIVE_INT64, 1, &n);
    if (status == STATUS_OK && segy->n_files > 1) status = h5_expect(file, file_set[part], H5T_NATIVE_INT32, 1, &n);
    if (status == STATUS_OK && segy->has_spans) status = h5_expect(file, first_set[part], H5T_NATIVE_INT32, 1, &n);
    if (status == STATUS_OK && segy->has_spans) status = h5_expect(file, samples_set[part], H5T_NATIVE_INT32, 1, &n);
    if (status != STATUS_OK || !h5_exists(file, extra)) return status;
    status = h5_expect(file, extra, H5T_NATIVE_UINT8, 2, (int64_t[]){n, -1});
    if (status == STATUS_OK) status = h5_dims(file, extra, &rank, dims);
    if (status != STATUS_OK) return status;
    *n_extra = (int)(dims[1] / SGY_HEADER);
    if (dims[1] % SGY_HEADER == 0 && dims[1] / SGY_HEADER <= INT16_MAX) return STATUS_OK;
    return status_fail(STATUS_DATA, "%s: %s has %" PRId64 " byte%s a trace; a multiple of %d was wanted", file->path,
                       extra, dims[1], log_plural(dims[1], "byte"), (int)SGY_HEADER);
}

/* The traces that were dropped have what the others have. */
static Status check_dropped(const H5File *file, const SurveySegy *segy)
{
    int rank, n_extra = 0;
    int64_t dims[4];
    if (!h5_exists(file, "/dropped/place")) return STATUS_OK;
    Status status = h5_dims(file, "/dropped/place", &rank, dims);
    if (status == STATUS_OK) status = check_traces(file, segy, SURVEY_DROPPED, rank == 1 ? dims[0] : -1, &n_extra);
    if (status != STATUS_OK || n_extra == segy->n_extra) return status;
    return status_fail(STATUS_DATA, "%s: /dropped has %d additional header%s a trace, /trace has %d", file->path,
                       n_extra, log_plural(n_extra, "header"), segy->n_extra);
}

static Status read_first(const H5File *file, const Survey *survey, SurveySegy *segy)
{
    int rank;
    int64_t dims[4];
    Status status = h5_expect(file, "/segy/first_trace", H5T_NATIVE_INT64, 1, (int64_t[]){-1});
    if (status == STATUS_OK) status = h5_dims(file, "/segy/first_trace", &rank, dims);
    if (status != STATUS_OK) return status;
    segy->n_files = dims[0] - 1;
    segy->first = memory_new((size_t)dims[0], sizeof *segy->first, "the SEG-Y files");
    if (segy->first == NULL) return STATUS_MEMORY;
    status = h5_read_all(file, "/segy/first_trace", H5T_NATIVE_INT64, dims[0], segy->first);
    if (status != STATUS_OK) return status;
    bool good = segy->n_files > 0 && segy->first[0] == 0 && segy->first[segy->n_files] >= survey->n_traces;
    for (int64_t f = 0; f < segy->n_files && good; f++) good = segy->first[f] < segy->first[f + 1];
    if (good) return STATUS_OK;
    return status_fail(STATUS_DATA, "%s: /segy/first_trace does not rise from 0 to the survey's traces", file->path);
}

static Status read_order(const H5File *file, SurveySegy *segy)
{
    char order[16];
    int64_t format;
    Status status = h5_get_text(file, "/segy", "byte_order", order, sizeof order);
    if (status == STATUS_OK) status = h5_get_int(file, "/segy", "format", &format);
    segy->scale = 1;
    if (status == STATUS_OK && h5_has(file, "/segy", "scale"))
        status = h5_get_double(file, "/segy", "scale", &segy->scale);
    if (status == STATUS_OK && (segy->scale == 0 || !isfinite(segy->scale)))
        status = status_fail(STATUS_DATA, "%s: the attribute scale of /segy is %g", file->path, segy->scale);
    if (status != STATUS_OK) return status;
    segy->big = strcmp(order, "big") == 0;
    segy->format = (int)format;
    if (segy->big || strcmp(order, "little") == 0) return STATUS_OK;
    return status_fail(STATUS_DATA, "%s: the attribute byte_order of /segy is \"%s\"; \"big\" or \"little\" was wanted",
                       file->path, order);
}

static Status read_heads(const H5File *file, SurveySegy *segy)
{
    int64_t n_extended;
    Status status = blob_length(file, "/segy/extended_text", &n_extended);
    if (status == STATUS_OK) status = blob_length(file, "/segy/trailer", &segy->n_trailer);
    if (status != STATUS_OK) return status;
    segy->n_head = HEADS + n_extended;
    segy->head = memory_new((size_t)segy->n_head, 1, "the SEG-Y headers");
    segy->trailer = memory_new((size_t)segy->n_trailer, 1, "the SEG-Y trailer");
    if (segy->head == NULL || segy->trailer == NULL) return STATUS_MEMORY;
    status = h5_read_all(file, "/segy/text", H5T_NATIVE_UINT8, SGY_TEXT, segy->head);
    if (status == STATUS_OK)
        status = h5_read_all(file, "/segy/binary", H5T_NATIVE_UINT8, SGY_BINARY, segy->head + SGY_TEXT);
    if (status == STATUS_OK) status = read_blob(file, "/segy/extended_text", segy->head + HEADS, n_extended);
    if (status == STATUS_OK) status = read_blob(file, "/segy/trailer", segy->trailer, segy->n_trailer);
    return status;
}

/* What rank 0 reads. */
static Status read_serially(const Survey *survey, SurveySegy *segy)
{
    H5File file;
    Status status = h5_open(survey->path, false, &file);
    if (status != STATUS_OK) return status;
    if (h5_exists(&file, "/segy/text") && h5_exists(&file, header_set[SURVEY_KEPT])) {
        segy->has_spans = h5_exists(&file, first_set[SURVEY_KEPT]) || h5_exists(&file, samples_set[SURVEY_KEPT]);
        status = read_order(&file, segy);
        if (status == STATUS_OK) status = read_first(&file, survey, segy);
        if (status == STATUS_OK) status = check_traces(&file, segy, SURVEY_KEPT, survey->n_traces, &segy->n_extra);
        if (status == STATUS_OK) status = check_dropped(&file, segy);
        if (status == STATUS_OK) status = read_heads(&file, segy);
    }
    Status closed = h5_close(&file);
    return status != STATUS_OK ? status : closed;
}

/* The other ranks get what rank 0 has read. */
static Status share(const Comm *comm, SurveySegy *segy)
{
    SurveySegy all = *segy; /* for its numbers; the pointers are rank 0's own */
    bool exists = segy->head != NULL;
    comm_broadcast(comm, &all, sizeof all);
    comm_broadcast(comm, &exists, sizeof exists);
    if (!exists) return STATUS_OK;
    Status status = STATUS_OK;
    if (comm->rank != 0) {
        *segy = all;
        segy->head = memory_new((size_t)all.n_head, 1, "the SEG-Y headers");
        segy->trailer = memory_new((size_t)all.n_trailer, 1, "the SEG-Y trailer");
        segy->first = memory_new((size_t)all.n_files + 1, sizeof *segy->first, "the SEG-Y files");
        if (segy->head == NULL || segy->trailer == NULL || segy->first == NULL) status = STATUS_MEMORY;
    }
    status = comm_agree(comm, status);
    if (status != STATUS_OK) return status;
    comm_broadcast(comm, segy->head, (size_t)segy->n_head);
    comm_broadcast(comm, segy->trailer, (size_t)segy->n_trailer);
    comm_broadcast(comm, segy->first, ((size_t)segy->n_files + 1) * sizeof *segy->first);
    return STATUS_OK;
}

Status survey_segy_read(const Survey *survey, SurveySegy *segy)
{
    const Comm *comm = &survey->comm;
    memset(segy, 0, sizeof *segy);
    Status status = comm_agree(comm, comm->rank == 0 ? read_serially(survey, segy) : STATUS_OK);
    if (status == STATUS_OK) status = share(comm, segy);
    if (status != STATUS_OK) survey_segy_free(segy);
    return status;
}

Status survey_segy_read_headers(const Survey *survey, SurveyPart part, int64_t first, int64_t n, int n_extra,
                                uint8_t *headers, uint8_t *extra)
{
    const H5File *file = &survey->file;
    int64_t extra_bytes = (int64_t)SGY_HEADER * n_extra;
    Status status = h5_read_rows(file, header_set[part], H5T_NATIVE_UINT8, first, n, SGY_HEADER, headers);
    if (status == STATUS_OK && n_extra > 0)
        status = h5_read_rows(file, extra_set[part], H5T_NATIVE_UINT8, first, n, extra_bytes, extra);
    return status;
}

Status survey_segy_read_places(const Survey *survey, const SurveySegy *segy, SurveyPart part, int64_t first, int64_t n,
                               int64_t *places, int32_t *files)
{
    Status status = h5_read_rows(&survey->file, position_set[part], H5T_NATIVE_INT64, first, n, 1, places);
    if (status == STATUS_OK && segy->n_files > 1)
        status = h5_read_rows(&survey->file, file_set[part], H5T_NATIVE_INT32, first, n, 1, files);
    for (int64_t t = 0; t < n && status == STATUS_OK; t++) {
        int64_t file = segy->n_files > 1 ? files[t] : 0;
        bool good = file >= 0 && file < segy->n_files && places[t] >= 0;
        if (good) good = places[t] < segy->first[file + 1] - segy->first[file];
        if (good)
            places[t] += segy->first[file];
        else
            status = status_fail(
                STATUS_DATA,
                "%s: %s %" PRId64 " is said to be trace %" PRId64 " of SEG-Y file %" PRId64 ", which is not there",
                survey->path, part == SURVEY_KEPT ? "trace" : "dropped trace", first + t, places[t], file);
    }
    return status;
}

Status survey_segy_read_spans(const Survey *survey, const SurveySegy *segy, SurveyPart part, int64_t first, int64_t n,
                              int32_t *first_samples, int32_t *samples)
{
    Status status = STATUS_OK;
    if (segy->has_spans) {
        status = h5_read_rows(&survey->file, first_set[part], H5T_NATIVE_INT32, first, n, 1, first_samples);
        if (status == STATUS_OK)
            status = h5_read_rows(&survey->file, samples_set[part], H5T_NATIVE_INT32, first, n, 1, samples);
    }
    for (int64_t t = 0; t < n && status == STATUS_OK; t++) {
        if (!segy->has_spans) {
            first_samples[t] = 0;
            samples[t] = (int32_t)survey->n_samples;
        }
        int64_t end = (int64_t)first_samples[t] + samples[t];
        if (first_samples[t] < 0 || samples[t] < 1 || end > survey->n_samples)
            status = status_fail(STATUS_DATA,
                                 "%s: %s and %s say that trace %" PRId64 " has samples %" PRId32 " to %" PRId64
                                 " (counted from 0) of its SEG-Y file; the survey's traces have %" PRId64,
                                 survey->path, first_set[part], samples_set[part], first + t, first_samples[t], end - 1,
                                 survey->n_samples);
    }
    return status;
}
