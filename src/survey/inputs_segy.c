/* SEG-Y files: one row of traces, which become gathers by their headers. */
#include "inputs_private.h"

#include "seisdcn/files.h"
#include "seisdcn/log.h"
#include "seisdcn/memory.h"
#include "seisdcn/sgy_code.h"
#include "seisdcn/sgy_plausible.h"
#include "seisdcn/sgy_span.h"
#include "seisdcn/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- the files ---- */

/* Each rank finds out the layouts of its share of the files. */
static Status read_layouts(const Comm *comm, const SgyForce *force, Inputs *inputs)
{
    int64_t first, end;
    inputs->layouts = memory_new((size_t)inputs->n_files, sizeof *inputs->layouts, "the layouts of the input files");
    Status status = comm_agree(comm, inputs->layouts == NULL ? STATUS_MEMORY : STATUS_OK);
    if (status != STATUS_OK) return status;
    comm_share(comm, inputs->n_files, &first, &end);
    for (int64_t f = first; f < end && status == STATUS_OK; f++)
        status = sgy_code_read(inputs->paths[f], force, &inputs->layouts[f]);
    status = comm_agree(comm, status);
    return status == STATUS_OK ? inputs_share_records(comm, inputs->layouts, inputs->n_files, sizeof *inputs->layouts)
                               : status;
}

/* All files must fit into one: for the survey, and to be written again as one. */
static Status check_alike(const Inputs *inputs)
{
    char what[160];
    for (int64_t f = 1; f < inputs->n_files; f++)
        if (sgy_layout_differs(&inputs->layouts[0], &inputs->layouts[f], what) != NULL)
            return status_fail(STATUS_DATA, "%s and %s differ in their %s; SEG-Y files of one survey must not",
                               inputs->paths[0], inputs->paths[f], what);
    return STATUS_OK;
}

/* The marks of this rank's share of the files. Local. */
static Status read_my_marks(const Inputs *inputs, int64_t first, int64_t end, int64_t *marks)
{
    Status status = STATUS_OK;
    for (int64_t f = first; f < end && status == STATUS_OK; f++) {
        if (inputs->layouts[f].variable)
            status = sgy_walk_marks(inputs->paths[f], &inputs->layouts[f],
                                    marks + inputs->first_mark[f] - inputs->first_mark[first]);
    }
    return status;
}

/* Where traces stand in files whose traces differ in length, on all ranks. Collective. */
static Status read_marks(const Comm *comm, Inputs *inputs)
{
    size_t n = (size_t)inputs->n_files;
    int64_t first, end;
    comm_share(comm, inputs->n_files, &first, &end);
    memory_free(inputs->marks);
    memory_free(inputs->first_mark);
    inputs->marks = NULL;
    inputs->first_mark = memory_new(n + 1, sizeof *inputs->first_mark, "the places of traces");
    Status status = comm_agree(comm, inputs->first_mark == NULL ? STATUS_MEMORY : STATUS_OK);
    if (status != STATUS_OK) return status;
    for (size_t f = 0; f < n; f++)
        inputs->first_mark[f + 1] = inputs->first_mark[f] + sgy_walk_n_marks(&inputs->layouts[f]);
    size_t all = (size_t)inputs->first_mark[n], mine = (size_t)(inputs->first_mark[end] - inputs->first_mark[first]);
    if (all == 0) return STATUS_OK;
    inputs->marks = memory_new(all, sizeof *inputs->marks, "the places of traces");
    int64_t *marks = memory_new(mine, sizeof *marks, "the places of traces");
    void *gathered = NULL;
    status = inputs->marks == NULL || marks == NULL ? STATUS_MEMORY : read_my_marks(inputs, first, end, marks);
    status = comm_agree(comm, status);
    if (status == STATUS_OK) status = comm_gather(comm, marks, mine * sizeof *marks, &gathered, NULL);
    if (status == STATUS_OK && comm->rank == 0) memcpy(inputs->marks, gathered, all * sizeof *marks);
    memory_free(marks);
    memory_free(gathered);
    if (status == STATUS_OK) comm_broadcast(comm, inputs->marks, all * sizeof *marks);
    return status;
}

/* All files' traces as one row. Collective. */
static Status number_traces(const Comm *comm, Inputs *inputs)
{
    for (int64_t f = 0; f < inputs->n_files; f++) inputs->first[f + 1] = inputs->first[f] + inputs->layouts[f].n_traces;
    sgy_files_close(&inputs->files);
    Status status = read_marks(comm, inputs);
    inputs->files = (SgyFiles){.n = inputs->n_files,
                               .paths = inputs->paths,
                               .layouts = inputs->layouts,
                               .first = inputs->first,
                               .marks = inputs->marks,
                               .first_mark = inputs->first_mark};
    return status;
}

/* ---- what is worth saying ---- */

static void report_interval(const Inputs *inputs, const char *name, bool forced)
{
    const SgyLayout *layout = &inputs->layouts[0];
    int binary = layout->binary_interval, trace = layout->trace_interval;
    if (forced) return;
    if (layout->interval_us <= 0)
        log_warning("%s: its sample interval is unknown: %d in the binary header, %d in the first trace's; "
                    "--interval-us tells it",
                    name, binary, trace);
    else if (binary <= 0 && layout->interval_us == trace)
        log_warning("%s: the sample interval, %d us, is the first trace header's; the binary header has %d", name,
                    trace, binary);
    else if (trace > 0 && layout->interval_us != trace)
        log_warning("%s: the sample interval, %g us, is the binary header's; the first trace's has %d", name,
                    layout->interval_us, trace);
}

/* What --salvage leaves out, file by file. */
static void report_left_out(const Inputs *inputs)
{
    for (int64_t f = 0; f < inputs->n_files; f++) {
        const SgyLayout *layout = &inputs->layouts[f];
        char bytes[LOG_THINGS_MAX], traces[LOG_THINGS_MAX];
        if (layout->left_out == 0) continue;
        const char *what = layout->left_zeros               ? "padding: all of them are 0"
                           : layout->left_out >= SGY_HEADER ? "a trace that is cut"
                                                            : "too few for a trace's header";
        log_warning("%s: its last %s, behind %s, %s left out (%s)", text_base_name(inputs->paths[f]),
                    layout->left_out == 1 ? "byte" : log_things(layout->left_out, "byte", bytes),
                    log_things(layout->n_traces, "whole trace", traces), layout->left_out == 1 ? "is" : "are", what);
    }
}

static void report_files(const Inputs *inputs, bool forced)
{
    const SgyLayout *layout = &inputs->layouts[0];
    const char *name = text_base_name(inputs->paths[0]);
    char text[160], more[64] = "", interval[64] = "";
    if (inputs->n_files > 1)
        snprintf(more, sizeof more, " and %" PRId64 " more file%s like it", inputs->n_files - 1,
                 log_plural(inputs->n_files - 1, "file"));
    if (inputs->interval_us > 0) snprintf(interval, sizeof interval, " at %g us", inputs->interval_us);
    log_note("%s%s: %s%s", name, more, sgy_layout_text(layout, text), interval);
    report_interval(inputs, name, forced);
    report_left_out(inputs);
    int64_t odd = 0;
    for (int64_t f = inputs->n_files - 1; f >= 0; f--)
        if (inputs->layouts[f].samples_from_trace) {
            odd++;
            name = text_base_name(inputs->paths[f]);
        }
    if (odd > 0)
        log_warning(
            "%s: the number of samples is the first trace header's, the binary header's does not fit the file%s", name,
            odd > 1 ? "; so in other files" : "");
}

/* ---- opening ---- */

Status inputs_segy_layouts(const Comm *comm, const SgyForce *force, Inputs *inputs)
{
    if (!sgy_trace_serves())
        return status_fail(STATUS_USAGE, "%s: SEG-Y cannot be read: this program was built without libsegyio",
                           inputs->paths[0]);
    Status status = read_layouts(comm, force, inputs);
    return status == STATUS_OK ? number_traces(comm, inputs) : status;
}

/* Each rank judges the samples of its share of the files. */
static Status check_formats(const Comm *comm, const Inputs *inputs)
{
    int64_t first, end;
    Status status = STATUS_OK;
    comm_share(comm, inputs->n_files, &first, &end);
    for (int64_t f = first; f < end && status == STATUS_OK; f++)
        status = sgy_plausible_file(inputs->paths[f], &inputs->layouts[f]);
    return comm_agree(comm, status);
}

static Status check_scale(const Inputs *inputs)
{
    const SgyLayout *layout = &inputs->layouts[0];
    if (layout->format == SGY_DOUBLE) return STATUS_OK;
    return status_fail(STATUS_USAGE,
                       "%s: --scale is for .npy files and for 64-bit floats (format 6); samples of format %d (%s) keep "
                       "their bytes",
                       inputs->paths[0], layout->format, sgy_format_name(layout->format));
}

static Status settle_interval(const Comm *comm, const InputsOptions *options, Inputs *inputs)
{
    for (int64_t f = 0; f < inputs->n_files; f++) {
        if (options->interval_us > 0) inputs->layouts[f].interval_us = options->interval_us;
        if (inputs->interval_us <= 0) inputs->interval_us = inputs->layouts[f].interval_us;
    }
    return comm_agree(comm, comm->rank == 0 ? check_alike(inputs) : STATUS_OK);
}

/* Files of fixed length some of whose headers tell another one are walked through: lengths that make up for each other
 * may lead to the end too. Each rank takes its share of the files. *changed: some do. Collective. */
static Status walk_odd(const Comm *comm, Inputs *inputs, bool *changed)
{
    int64_t first, end, n_changed = 0;
    Status status = STATUS_OK;
    comm_share(comm, inputs->n_files, &first, &end);
    for (int64_t f = first; f < end && status == STATUS_OK; f++) {
        SgyLayout walked = inputs->layouts[f];
        SgyWalkEnd how;
        if (!inputs->index.range[f].odd_samples) continue;
        status = sgy_walk(inputs->paths[f], &walked, &how);
        if (status != STATUS_OK || how != SGY_WALK_WHOLE) continue;
        inputs->layouts[f] = walked;
        n_changed++;
    }
    status = comm_agree(comm, status);
    comm_sum(comm, &n_changed, 1);
    *changed = n_changed > 0;
    if (status != STATUS_OK || !*changed) return status;
    status = inputs_share_records(comm, inputs->layouts, inputs->n_files, sizeof *inputs->layouts);
    return status == STATUS_OK ? number_traces(comm, inputs) : status;
}

/* Finds the gathers. */
static Status build_index(const Comm *comm, const InputsOptions *options, Inputs *inputs)
{
    bool again = false;
    Status status = sgy_index_build(comm, &inputs->files, &options->rule, &inputs->index);
    if (status == STATUS_OK && inputs->index.facts.odd_samples > 0 && options->force.samples == 0)
        status = walk_odd(comm, inputs, &again);
    if (status == STATUS_OK && again) {
        sgy_index_free(&inputs->index);
        status = settle_interval(comm, options, inputs);
        if (status == STATUS_OK) status = sgy_index_build(comm, &inputs->files, &options->rule, &inputs->index);
    }
    if (status == STATUS_OK) status = sgy_index_align(comm, &inputs->files, inputs->interval_us, &inputs->index);
    return status;
}

Status inputs_open_segy(const Comm *comm, const InputsOptions *options, Inputs *inputs)
{
    if (options->names.text != NULL)
        return status_fail(STATUS_USAGE, "%s: --names is for .npy files; SEG-Y has positions in its headers",
                           inputs->paths[0]);
    inputs->scale = options->scale == 0 ? 1 : options->scale;
    Status status = inputs_segy_layouts(comm, &options->force, inputs);
    if (status == STATUS_OK && inputs->scale != 1) status = check_scale(inputs); /* alike on all ranks */
    if (status == STATUS_OK && options->force.format == 0) status = check_formats(comm, inputs);
    if (status == STATUS_OK) status = settle_interval(comm, options, inputs);
    if (status == STATUS_OK) status = build_index(comm, options, inputs);
    if (status != STATUS_OK) return status;
    if (comm->rank == 0) report_files(inputs, options->interval_us > 0);
    status = comm_agree(comm, comm->rank == 0 ? sgy_index_report(&inputs->index, &inputs->files) : STATUS_OK);
    inputs->n_samples = inputs->index.times.n_samples;
    inputs->n_gathers = inputs->index.n_gathers;
    inputs->my_first = inputs->index.first_gather;
    inputs->my_end = inputs->my_first + inputs->index.n_my_gathers;
    return status;
}

/* ---- what the survey keeps ---- */

/* All of file f that is no trace. */
static Status read_head(const Inputs *inputs, int64_t f, SurveySegyHead *head)
{
    const SgyLayout *layout = &inputs->layouts[f];
    int64_t trailer = layout->end + layout->left_out;
    head->n_head = layout->first_trace;
    head->n_trailer = layout->size - trailer;
    head->head = memory_new((size_t)head->n_head, 1, "the SEG-Y headers");
    head->trailer = memory_new((size_t)head->n_trailer, 1, "the SEG-Y trailer");
    if (head->head == NULL || head->trailer == NULL) return STATUS_MEMORY;
    Status status = files_read_bytes(inputs->paths[f], 0, head->n_head, head->head);
    if (status == STATUS_OK && head->n_trailer > 0)
        status = files_read_bytes(inputs->paths[f], trailer, head->n_trailer, head->trailer);
    return status;
}

/* The first file's, and of several files all that differ. */
static Status read_heads(const Inputs *inputs, SurveySegy *segy)
{
    SurveySegyHead first = {0};
    Status status = read_head(inputs, 0, &first);
    segy->head = first.head;
    segy->n_head = first.n_head;
    segy->trailer = first.trailer;
    segy->n_trailer = first.n_trailer;
    if (status != STATUS_OK || inputs->n_files == 1) return status;
    segy->heads = memory_new((size_t)inputs->n_files, sizeof *segy->heads, "the SEG-Y headers");
    segy->file_head = memory_new((size_t)inputs->n_files, sizeof *segy->file_head, "the SEG-Y headers");
    if (segy->heads == NULL || segy->file_head == NULL) return STATUS_MEMORY;
    for (int64_t f = 0; f < inputs->n_files && status == STATUS_OK; f++) {
        SurveySegyHead head = {0};
        status = read_head(inputs, f, &head);
        if (status == STATUS_OK) status = survey_segy_add_head(segy, f, &head);
        memory_free(head.head);
        memory_free(head.trailer);
    }
    return status;
}

static Status name_files(const Inputs *inputs, SurveySegy *segy)
{
    size_t n = (size_t)inputs->n_files;
    segy->n_files = inputs->n_files;
    segy->width = 1;
    for (size_t f = 0; f < n; f++) {
        size_t length = strlen(text_base_name(inputs->paths[f]));
        if (length > segy->width) segy->width = length;
    }
    segy->files = memory_new(n, segy->width, "the names of the SEG-Y files");
    segy->first = memory_new(n + 1, sizeof *segy->first, "the SEG-Y files");
    if (segy->files == NULL || segy->first == NULL) return STATUS_MEMORY;
    for (size_t f = 0; f < n; f++) {
        const char *name = text_base_name(inputs->paths[f]);
        memcpy(segy->files + f * segy->width, name, strlen(name));
    }
    memcpy(segy->first, inputs->first, (n + 1) * sizeof *segy->first);
    return STATUS_OK;
}

Status inputs_segy(const Inputs *inputs, SurveySegy *segy)
{
    memset(segy, 0, sizeof *segy);
    if (inputs->layouts == NULL) return STATUS_OK;
    segy->big = inputs->layouts[0].big;
    segy->format = inputs->layouts[0].format;
    segy->n_extra = inputs->layouts[0].n_extra;
    segy->has_delay = inputs->index.times.low != 0 || inputs->index.times.high != 0;
    segy->has_spans = inputs->index.times.padded;
    segy->scale = inputs->scale;
    Status status = read_heads(inputs, segy);
    if (status == STATUS_OK) status = name_files(inputs, segy);
    if (status != STATUS_OK) survey_segy_free(segy);
    return status;
}

/* ---- one gather ---- */

/* Decodes trace `number` [n], the t-th of gather e. */
static Status decode(const Inputs *inputs, int64_t e, int64_t t, const uint8_t *raw, int64_t n, float *values,
                     SgyDoubles *doubles, InputsGather *gather)
{
    const SgyLayout *layout = &inputs->layouts[0]; /* alike in all that matters here */
    const SgyIndex *index = &inputs->index;
    int64_t number = index->trace[index->first[e - inputs->my_first] + t].number;
    SgyOdd odd = {.first = -1};
    if (layout->format == SGY_DOUBLE)
        sgy_decode_doubles(layout->big, raw, n, doubles, values, &odd);
    else
        sgy_decode(layout->format, layout->big, raw, n, values, &odd);
    if (doubles->beyond >= 0)
        return inputs_fail_beyond(inputs, e, t, doubles->beyond, doubles->beyond_number, doubles->largest);
    gather->odd.changed += odd.changed;
    gather->odd.respelt += odd.respelt;
    if (odd.first >= 0 && (gather->first_odd_trace < 0 || number < gather->first_odd_trace)) {
        gather->first_odd_trace = number;
        gather->odd.first = odd.first;
    }
    return STATUS_OK;
}

Status inputs_segy_read(Inputs *inputs, int64_t e, InputsGather *gather)
{
    const SgyIndex *index = &inputs->index;
    int64_t first = index->first[e - inputs->my_first], fold = index->first[e - inputs->my_first + 1] - first;
    size_t extra_bytes = (size_t)inputs->layouts[0].n_extra * SGY_HEADER;
    uint8_t *headers = gather->bytes, *samples = headers + SGY_HEADER + extra_bytes;
    SgyDoubles doubles = {.scale = inputs->scale, .beyond = -1};
    if (index->times.padded)
        memset(gather->amplitude, 0, (size_t)(fold * inputs->n_samples) * sizeof *gather->amplitude);
    for (int64_t t = 0; t < fold; t++) {
        const SgyTrace *trace = &index->trace[first + t];
        int64_t n, shift = sgy_index_shift(index, index->start[e - inputs->my_first], trace);
        Status status = sgy_files_read(&inputs->files, trace->number, headers, samples, &n);
        if (status == STATUS_OK && n != trace->n_samples)
            status = status_fail(STATUS_IO, "%s changed while it was read", inputs->paths[inputs->files.open_file]);
        if (status == STATUS_OK)
            status =
                decode(inputs, e, t, samples, n, gather->amplitude + t * inputs->n_samples + shift, &doubles, gather);
        if (status != STATUS_OK) return status;
        memcpy(gather->headers + t * SGY_HEADER, headers, SGY_HEADER);
        memcpy(gather->extra + (size_t)t * extra_bytes, headers + SGY_HEADER, extra_bytes);
    }
    inputs_see_largest(gather, e, doubles.largest);
    return STATUS_OK;
}
