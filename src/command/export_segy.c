/* SEG-Y out: every rank writes its own gathers' traces where they belong in the file. */
#include "export_segy_private.h"

#include "export_options.h"
#include "export_origin.h"

#include "seisdcn/fault.h"
#include "seisdcn/files.h"
#include "seisdcn/log.h"
#include "seisdcn/memory.h"
#include "seisdcn/sgy_sample.h"
#include "seisdcn/sgy_text.h"
#include "seisdcn/survey_dropped.h"
#include "seisdcn/survey_lines.h"
#include "seisdcn/survey_segy.h"
#include "seisdcn/text.h"
#include "seisdcn/timer.h"

#include <errno.h>
#include <fcntl.h>
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Gathers that each rank writes between two agreements. */
enum { ROUND_GATHERS = 64, WORD_BITS = 64 };

char *export_put_back(const SurveyDropped *dropped, const int64_t *list, int64_t n, char *text)
{
    int64_t all = 0;
    char count[LOG_THINGS_MAX];
    for (int64_t i = 0; i < n; i++) all += survey_dropped_of(dropped, list[i]);
    text[0] = '\0';
    if (all > 0) snprintf(text, 160, ", %s put back", log_things(all, "dead trace", count));
    return text;
}

/* ---- prepare: what is written ---- */

static Status fill_list(Export *export, const uint8_t *selected)
{
    const Survey *survey = export->survey;
    export->list = memory_new((size_t)survey->n_ensembles, sizeof *export->list, "the selected gathers");
    if (export->list == NULL) return STATUS_MEMORY;
    for (int64_t e = 0; e < survey->n_ensembles; e++) {
        if (!selected[e]) continue;
        export->list[export->n++] = e;
        export->n_traces += survey_dropped_fold(survey, &export->dropped, e);
        export->undone += survey->done != NULL && !survey->done[e];
    }
    return STATUS_OK;
}

/* A SEG-Y file has one line number. Alike on all ranks. */
static Status check_lines(const Export *export)
{
    const Survey *survey = export->survey;
    for (int64_t i = 1; i < export->n; i++)
        if (!survey_same_line(survey, export->list[0], export->list[i]))
            return status_fail(STATUS_USAGE,
                               "%s: gathers of line %" PRId32 " and line %" PRId32
                               " do not make one SEG-Y file: --ensembles '%" PRId32 "/*' writes one line",
                               survey->path, survey->lines[export->list[0]], survey->lines[export->list[i]],
                               survey->lines[export->list[0]]);
    return STATUS_OK;
}

/* Of a trace of so many samples. */
static int64_t bytes_of(const Export *export, int64_t n_samples)
{
    return SGY_HEADER * (1 + (int64_t) export->segy.n_extra) + n_samples * sgy_item_size(export->format);
}

static Status choose_format(Export *export)
{
    int asked = (int)export_options(export->job)->format;
    export->format = asked == 0 ? export->segy.format : asked;
    int item = sgy_item_size(export->format);
    if (item == 0) return status_fail(STATUS_USAGE, "--format takes %s, not %d", sgy_formats_read(), export->format);
    export->trace_bytes = bytes_of(export, export->survey->n_samples);
    return STATUS_OK;
}

/* ---- prepare: where each trace goes ---- */

static void my_list(const Export *export, int64_t *first, int64_t *end)
{
    comm_share(&export->job->comm, export->n, first, end);
}

/* Marks the traces that any rank writes; from then on all know how many come before each. Collective. */
static Status mark_traces(Export *export, Gather *gather)
{
    const Comm *comm = &export->job->comm;
    int64_t words = (export->n_row + WORD_BITS - 1) / WORD_BITS, first, end, total = 0;
    export->present = memory_new((size_t)words, sizeof *export->present, "the traces to be written");
    export->before = memory_new((size_t)words, sizeof *export->before, "the traces to be written");
    Status status = export->present == NULL || export->before == NULL ? STATUS_MEMORY : STATUS_OK;
    my_list(export, &first, &end);
    for (int64_t i = first; i < end && status == STATUS_OK; i++) {
        status = export_read_places(export, export->list[i], gather);
        for (int64_t t = 0; t < export_fold(export, export->list[i]) && status == STATUS_OK; t++)
            export->present[gather->places[t] / WORD_BITS] |= (uint64_t)1 << gather->places[t] % WORD_BITS;
    }
    status = comm_agree(comm, status);
    if (status != STATUS_OK) return status;
    comm_or(comm, export->present, (size_t)words);
    for (int64_t w = 0; w < words; w++) {
        export->before[w] = total;
        total += __builtin_popcountll(export->present[w]);
    }
    if (total == export->n_traces) return STATUS_OK;
    return status_fail(STATUS_DATA,
                       "%s: /trace/segy_position gives %" PRId64 " place%s to %" PRId64 " trace%s; each needs its own",
                       export->survey->path, total, log_plural(total, "place"), export->n_traces,
                       log_plural(export->n_traces, "trace"));
}

/* Where each trace begins, of traces that differ in length: each rank knows its own, and then all. Collective. */
static Status place_traces(Export *export, Gather *gather)
{
    const Comm *comm = &export->job->comm;
    int64_t first, end;
    export->bytes = export->n_traces * export->trace_bytes;
    if (!export->segy.has_spans) return STATUS_OK;
    export->at = memory_new((size_t) export->n_row, sizeof *export->at, "the places of the traces to be written");
    Status status = export->at == NULL ? STATUS_MEMORY : STATUS_OK;
    my_list(export, &first, &end);
    for (int64_t i = first; i < end && status == STATUS_OK; i++) {
        status = export_read_places(export, export->list[i], gather);
        if (status == STATUS_OK) status = export_read_spans(export, export->list[i], gather);
        for (int64_t t = 0; t < export_fold(export, export->list[i]) && status == STATUS_OK; t++)
            export->at[gather->places[t]] = bytes_of(export, gather->samples[t]);
    }
    status = comm_agree(comm, status);
    if (status != STATUS_OK) return status;
    comm_sum(comm, export->at, (size_t) export->n_row);
    export->bytes = 0;
    for (int64_t place = 0; place < export->n_row; place++) {
        int64_t bytes = export->at[place];
        export->at[place] = export->bytes;
        export->bytes += bytes;
    }
    return STATUS_OK;
}

/* The first byte of the trace at a place of the row, behind the file's headers. Pure. */
static int64_t output_byte(const Export *export, int64_t place)
{
    if (export->at != NULL) return export->at[place];
    uint64_t lower = ((uint64_t)1 << place % WORD_BITS) - 1;
    return export->trace_bytes *
           (export->before[place / WORD_BITS] + __builtin_popcountll(export->present[place / WORD_BITS] & lower));
}

/* The text and binary headers of the first file that traces to be written came from. Collective. */
static Status choose_head(Export *export)
{
    const SurveySegy *segy = &export->segy;
    if (export->made || segy->n_files == 1) return STATUS_OK;
    uint8_t *wanted = memory_new((size_t)segy->n_files, 1, "the files of the traces to be written");
    Status status = comm_agree(&export->job->comm, wanted == NULL ? STATUS_MEMORY : STATUS_OK);
    for (int64_t f = 0; f < segy->n_files && status == STATUS_OK; f++)
        for (int64_t place = segy->first[f]; place < segy->first[f + 1] && !wanted[f]; place++)
            wanted[f] = export->present[place / WORD_BITS] >> place % WORD_BITS & 1;
    if (status == STATUS_OK)
        status =
            survey_segy_choose_head(export->survey, &export->segy, wanted, &export->own_head, &export->other_heads);
    memory_free(wanted);
    return status;
}

/* ---- the file ---- */

/* Changes in the headers of the file as a whole: one line of text, and what would not be true any more. Returns the
 * line. */
static int stamp(const Export *export, const Origin *origin)
{
    const SurveySegy *segy = &export->segy;
    uint8_t *binary = segy->head + SGY_TEXT;
    char words[160];
    if (export->format != segy->format) sgy_binary_put(binary, SGY_BIN_FORMAT, 2, segy->big, export->format);
    bool counts =
        binary[SGY_BIN_REVISION - SGY_TEXT - 1] >= 2 && sgy_binary_get(binary, SGY_BIN_TRACES, 8, segy->big) > 0;
    /* Of surveys that earlier versions made, the binary header is the first file's, which may be of another line. */
    if (export->survey->lines != NULL && !export->own_head && sgy_binary_get(binary, SGY_BIN_LINE, 4, segy->big) != 0)
        sgy_binary_put(binary, SGY_BIN_LINE, 4, segy->big, export->survey->lines[export->list[0]]);
    if (counts) sgy_binary_put(binary, SGY_BIN_TRACES, 8, segy->big, export->n_traces);
    return sgy_text_stamp(segy->head, export_origin_text(origin, export->survey, export->n, export->undone, words));
}

/* Rank 0 makes the whole file but for the traces. */
static Status make_file(const Export *export)
{
    const SurveySegy *segy = &export->segy;
    int64_t end = segy->n_head + export->bytes, size = end + segy->n_trailer;
    Status status = files_check_space(export->part, (double)size);
    if (status != STATUS_OK) return status;
    int flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC;
    int descriptor = fault_strikes(FAULT_OPEN) ? -1 : open(export->part, flags, 0666);
    if (descriptor < 0) return status_fail(STATUS_IO, "%s: cannot be created: %s", export->part, strerror(errno));
    if (fault_strikes(FAULT_WRITE) || ftruncate(descriptor, (off_t)size) != 0)
        status = status_fail(STATUS_IO, "%s: cannot be made %" PRId64 " bytes long: %s", export->part, size,
                             strerror(errno));
    if (status == STATUS_OK) status = files_write_bytes(descriptor, export->part, 0, segy->n_head, segy->head);
    if (status == STATUS_OK) status = files_write_bytes(descriptor, export->part, end, segy->n_trailer, segy->trailer);
    if (fault_after(FAULT_CLOSE, close(descriptor)) != 0 && status == STATUS_OK)
        status = status_fail(STATUS_IO, "%s: cannot be written: %s", export->part, strerror(errno));
    return status == STATUS_OK ? files_reserve(export->part) : status;
}

/* ---- loop ---- */

/* The samples [n] of a trace as bytes of the file, in the size that they came in. */
static void encode_trace(Export *export, float *values, int64_t n, uint8_t *raw)
{
    double scale = export->segy.scale;
    if (export->format == SGY_DOUBLE) {
        sgy_encode_doubles(export->segy.big, values, n, scale, raw);
        return;
    }
    for (int64_t i = 0; i < n && scale != 1; i++) {
        double value = (double)values[i] / scale;
        export->beyond += fabs(value) > FLT_MAX;
        values[i] = (float)fmax(-FLT_MAX, fmin(value, FLT_MAX));
    }
    export->beyond += sgy_encode(export->format, export->segy.big, values, n, raw);
}

/* Ensemble e's traces as the bytes of the file, and their places in it. */
static Status build_gather(Export *export, int64_t e, Gather *gather)
{
    int64_t fold = export_fold(export, e), n_samples = export->survey->n_samples;
    size_t extra_bytes = SGY_HEADER * (size_t) export->segy.n_extra;
    Status status = export_read_samples(export, e, gather);
    if (status == STATUS_OK) status = export_read_places(export, e, gather);
    if (status == STATUS_OK) status = export_read_spans(export, e, gather);
    if (status == STATUS_OK) status = export_read_headers(export, e, gather);
    uint8_t *bytes = gather->bytes;
    for (int64_t t = 0; t < fold && status == STATUS_OK; t++) {
        memcpy(bytes, gather->headers + t * SGY_HEADER, SGY_HEADER);
        memcpy(bytes + SGY_HEADER, gather->extra + (size_t)t * extra_bytes, extra_bytes);
        encode_trace(export, gather->amplitude + t * n_samples + gather->first[t], gather->samples[t],
                     bytes + SGY_HEADER + extra_bytes);
        bytes += bytes_of(export, gather->samples[t]);
    }
    return status;
}

/* Traces that follow each other in the file go out together. */
static Status write_gather(Export *export, int64_t e, Gather *gather)
{
    int64_t fold = export_fold(export, e), built = 0;
    Status status = build_gather(export, e, gather);
    for (int64_t t = 0; t < fold && status == STATUS_OK;) {
        int64_t at = output_byte(export, gather->places[t]), n = 0;
        do n += bytes_of(export, gather->samples[t++]);
        while (t < fold && output_byte(export, gather->places[t]) == at + n);
        status =
            files_write_bytes(export->descriptor, export->part, export->segy.n_head + at, n, gather->bytes + built);
        built += n;
    }
    return status;
}

static Status write_gathers(Export *export, Gather *gather)
{
    const Comm *comm = &export->job->comm;
    int64_t first, end, most = (export->n + comm->size - 1) / comm->size;
    my_list(export, &first, &end);
    Status status = STATUS_OK;
    log_progress_start("export", export->n, "gather");
    for (int64_t round = 0; round < most && status == STATUS_OK; round += ROUND_GATHERS) {
        for (int64_t i = first + round; i < end && i < first + round + ROUND_GATHERS && status == STATUS_OK; i++) {
            status = write_gather(export, export->list[i], gather);
            log_progress((i - first) * comm->size, NULL);
        }
        status = comm_agree(comm, status);
    }
    log_progress_end();
    return status;
}

/* All ranks write into the file, each until its own part is on the disk. Collective. */
static Status write_traces(Export *export, Gather *gather)
{
    const Comm *comm = &export->job->comm;
    Status status = STATUS_OK;
    export->descriptor = fault_strikes(FAULT_OPEN) ? -1 : open(export->part, O_WRONLY | O_CLOEXEC);
    if (export->descriptor < 0)
        status = status_fail(STATUS_IO, "%s: cannot be opened for writing: %s", export->part, strerror(errno));
    status = comm_agree(comm, status);
    if (status == STATUS_OK) status = write_gathers(export, gather);
    bool failed = status == STATUS_OK && (fault_strikes(FAULT_FSYNC) || fsync(export->descriptor) != 0);
    if (export->descriptor >= 0 && fault_after(FAULT_CLOSE, close(export->descriptor)) != 0) failed = true;
    if (status != STATUS_OK) return status;
    if (failed) status = status_fail(STATUS_IO, "%s: cannot be written: %s", export->part, strerror(errno));
    return comm_agree(comm, status);
}

/* ---- all of it ---- */

static Status prepare(Export *export, const uint8_t *selected, Origin *origin, Gather *gather)
{
    const Comm *comm = &export->job->comm;
    const char *output = export_options(export->job)->output;
    Status status = survey_dropped_read(export->survey, &export->dropped);
    if (status != STATUS_OK) return status;
    status = fill_list(export, selected);
    status = comm_agree(comm, status == STATUS_OK ? check_lines(export) : status);
    if (status == STATUS_OK) status = survey_segy_read(export->survey, &export->segy);
    if (status != STATUS_OK) return status;
    export->made = export->segy.head == NULL;
    if (export->made) status = comm_agree(comm, survey_segy_new(export->survey, &export->dropped, &export->segy));
    if (status != STATUS_OK) return status;
    export->n_row = export->segy.first[export->segy.n_files];
    status = comm_agree(comm, choose_format(export));
    if (status == STATUS_OK) status = export_origin_read(export->survey, origin);
    if (status == STATUS_OK && export->undone > 0)
        status = export_origin_open(origin, export->survey, export_options(export->job)->through, &export->through);
    if (status == STATUS_OK) status = comm_agree(comm, export_gather_new(export, gather));
    if (status == STATUS_OK) status = mark_traces(export, gather);
    if (status == STATUS_OK) status = place_traces(export, gather);
    if (status == STATUS_OK) status = choose_head(export);
    if (status != STATUS_OK) return status;
    export->part = text_format("%s.part", output);
    return comm_agree(comm, export->part == NULL ? STATUS_MEMORY : STATUS_OK);
}

static void report(const Export *export, const Origin *origin, int line, double seconds)
{
    char gathers[LOG_THINGS_MAX], traces[LOG_THINGS_MAX], time[32], count[LOG_THINGS_MAX], back[160];
    if (export->nans > 0)
        log_warning(
            "%s of dead traces that came as NaN became 0, since format %d (%s) has no NaN; --format 5 holds such",
            log_things(export->nans, "sample", count), export->format, sgy_format_name(export->format));
    if (export->beyond > 0)
        log_warning("%s beyond the range of format %d (%s) became its largest or smallest number; --format %d holds "
                    "such",
                    log_things(export->beyond, "sample", count), export->format, sgy_format_name(export->format),
                    export->segy.scale == 1 ? SGY_IEEE : SGY_DOUBLE);
    if (export->undone > 0 && origin->is_difference)
        log_warning("%s %s not predicted: what stands there is no noise but the samples of %s",
                    log_things(export->undone, "gather", count), export->undone == 1 ? "is" : "are",
                    export->through.path);
    else if (export->undone > 0)
        log_note("%s %s not predicted: the samples there are those of %s", log_things(export->undone, "gather", count),
                 export->undone == 1 ? "is" : "are", export->through.path);
    if (export->other_heads)
        log_note("the traces came from files that differ in their text or binary headers; those of the first are "
                 "written");
    if (export->made && export->survey->interval_us != 0 &&
        sgy_binary_get(export->segy.head + SGY_TEXT, SGY_BIN_INTERVAL, 2, true) == 0)
        log_warning("the sample interval, %g us, is no whole number up to 32,767: SEG-Y's header tells 0",
                    export->survey->interval_us);
    log_note("%s: %s of %s%s%s, format %d (%s), line %d of the text header tells of it, in %s",
             export_options(export->job)->output, log_things(export->n_traces, "trace", traces),
             log_things(export->n, "gather", gathers), export_put_back(&export->dropped, export->list, export->n, back),
             origin->is_difference ? ", noise (input minus prediction)" : "", export->format,
             sgy_format_name(export->format), line, log_duration(seconds, time));
}

static Status write_file(Export *export, const Origin *origin, Gather *gather)
{
    const Comm *comm = &export->job->comm;
    double start = timer_now();
    int line = 0;
    if (comm->rank == 0) line = stamp(export, origin);
    Status status = comm_agree(comm, comm->rank == 0 ? make_file(export) : STATUS_OK);
    if (status == STATUS_OK) status = write_traces(export, gather);
    if (status == STATUS_OK)
        status = comm_agree(comm, comm->rank == 0 ? files_publish(export->part, export_options(export->job)->output)
                                                  : STATUS_OK);
    if (status != STATUS_OK && comm->rank == 0) unlink(export->part);
    if (status != STATUS_OK) return status;
    comm_sum(comm, &export->beyond, 1);
    comm_sum(comm, &export->nans, 1);
    report(export, origin, line, timer_now() - start);
    return STATUS_OK;
}

Status export_segy(const Job *job, const Survey *survey, const uint8_t *selected)
{
    Export export = {.job = job, .survey = survey, .descriptor = -1};
    Origin origin = {0};
    Gather gather = {0};
    Status status = prepare(&export, selected, &origin, &gather);
    if (status == STATUS_OK) status = write_file(&export, &origin, &gather);
    export_gather_free(&gather);
    survey_segy_free(&export.segy);
    survey_dropped_free(&export.dropped);
    memory_free(export.list);
    memory_free(export.present);
    memory_free(export.before);
    memory_free(export.at);
    memory_free(export.part);
    Status closed = survey_close(&export.through);
    return status != STATUS_OK ? status : closed;
}
