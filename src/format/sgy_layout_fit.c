/* Where the traces of a SEG-Y file end, and how many samples they have. */
#include "sgy_layout_private.h"

#include "seisdcn/files.h"
#include "seisdcn/log.h"
#include "seisdcn/sgy_span.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    TRAILER_MAX = 1 << 16, /* records of a trailer whose length is not told */
    WRAP = 1 << 16,        /* what two bytes count to */
    WRAPS_MAX = 1024,
    LOOKS = 64 /* headers that are looked at before traces are taken for such of one length */
};

static const SgyField samples_field = {.byte = 115, .width = 2};

static uint16_t samples_in(const uint8_t *trace_header, const SgyLayout *layout)
{
    return (uint16_t)sgy_field_get(trace_header, &samples_field, layout->big);
}

/* Traces that the binary header of rev 2 tells, 0 where it tells none. */
static uint64_t told_traces(const SgyHead *head, const SgyLayout *layout)
{
    return layout->major < 2 ? 0 : (uint64_t)sgy_binary_get(head->binary, SGY_BIN_TRACES, 8, layout->big);
}

/* ---- the trailer ---- */

static bool begins_stanza(const SgyHead *head, int64_t at)
{
    uint8_t record[SGY_STANZA];
    return files_read_bytes(head->path, at, sizeof record, record) == STATUS_OK && sgy_text_begins_stanza(record);
}

/* The only place where whole traces end and a stanza begins; false where there is none. */
static bool find_trailer(const SgyHead *head, SgyLayout *layout)
{
    int64_t room = head->size - layout->first_trace;
    for (int64_t n = 1; n * SGY_RECORD < room && n <= TRAILER_MAX; n++) {
        int64_t end = head->size - n * SGY_RECORD;
        if ((end - layout->first_trace) % layout->trace_bytes != 0 || !begins_stanza(head, end)) continue;
        layout->end = end;
        return true;
    }
    return false;
}

/* The first byte of the trailer. rev 2 counts its records, or (-1) leaves them to be found: the traces' number, where
 * it is told, or else the stanza tells. Some writers add one and count none. */
static Status find_end(const SgyHead *head, SgyLayout *layout)
{
    layout->end = head->size;
    if (layout->major < 2) return STATUS_OK;
    int64_t records = sgy_binary_get(head->binary, SGY_BIN_TRAILER, 4, layout->big);
    uint64_t traces = told_traces(head, layout);
    int64_t room = head->size - layout->first_trace;
    if (records > 0) {
        layout->end -= records * SGY_RECORD;
        if (layout->end > layout->first_trace && (!head->salvage || begins_stanza(head, layout->end))) return STATUS_OK;
        layout->end = head->size;
        if (head->salvage) return STATUS_OK; /* what is cut off has no trailer any more */
        return status_fail(STATUS_DATA, "%s: its headers announce %" PRId64 " records of trailer, more than it holds",
                           head->path, records);
    }
    if (records == 0) {
        if (room % layout->trace_bytes != 0) (void)find_trailer(head, layout);
        return STATUS_OK;
    }
    if (traces > 0 && traces <= (uint64_t)(room / layout->trace_bytes)) {
        layout->end = layout->first_trace + (int64_t)traces * layout->trace_bytes;
        return STATUS_OK;
    }
    if (find_trailer(head, layout) || head->salvage) return STATUS_OK;
    return status_fail(STATUS_DATA,
                       "%s: its headers announce a trailer of unknown length (bytes 3529-3532) and not how many traces "
                       "there are, and no trailer is found behind whole traces",
                       head->path);
}

/* ---- what can be saved ---- */

/* The bytes behind the last whole trace are left out; traces of nothing but zeros, header and samples, are padding as
 * they are. */
static Status leave_out(const SgyHead *head, SgyLayout *layout)
{
    int64_t end = layout->end;
    bool zero;
    Status status;
    layout->end = layout->first_trace + layout->n_traces * layout->trace_bytes;
    status = files_is_zero(head->path, layout->end, end, &layout->left_zeros);
    for (zero = layout->left_zeros; status == STATUS_OK && zero && layout->n_traces > 1;) {
        status = files_is_zero(head->path, layout->end - layout->trace_bytes, layout->end, &zero);
        if (status != STATUS_OK || !zero) break;
        layout->end -= layout->trace_bytes;
        layout->n_traces--;
    }
    layout->left_out = end - layout->end;
    return status;
}

/* Where the first trace's header tells its samples, so must the last one's: else more is wrong than the end. */
static Status check_last(const SgyHead *head, const uint8_t *trace_header, const SgyLayout *layout)
{
    uint8_t last[SGY_HEADER];
    Status status = files_read_bytes(head->path, layout->end - layout->trace_bytes, SGY_HEADER, last);
    if (status != STATUS_OK || samples_in(trace_header, layout) == samples_in(last, layout)) return status;
    return status_fail(
        STATUS_DATA,
        "%s: cannot be salvaged: its first trace's header tells %d as its samples and what would be its last "
        "whole trace %d; its traces differ in length, or its headers tell a wrong number or format",
        head->path, samples_in(trace_header, layout), samples_in(last, layout));
}

/* ---- the end ---- */

static Status fail_at_end(const SgyHead *head, const SgyLayout *layout)
{
    int64_t room = layout->end - layout->first_trace, rest = room % layout->trace_bytes;
    char extra[48] = "";
    if (layout->n_extra > 0)
        snprintf(extra, sizeof extra, " and %d additional header%s", layout->n_extra,
                 log_plural(layout->n_extra, "header"));
    return status_fail(STATUS_DATA,
                       "%s: is cut short, padded, or its traces differ in length: behind its headers are %" PRId64
                       " bytes, %" PRId64 " trace%s of %" PRId64 " bytes (%" PRId64
                       " sample%s of %d byte%s%s) and %" PRId64 " byte%s more; --salvage reads the whole traces, "
                       "--samples N reads traces of N samples",
                       head->path, room, layout->n_traces, log_plural(layout->n_traces, "trace"), layout->trace_bytes,
                       layout->n_samples, log_plural(layout->n_samples, "sample"), layout->item_size,
                       log_plural(layout->item_size, "byte"), extra, rest, log_plural(rest, "byte"));
}

static Status fail_traces(const SgyHead *head, const SgyLayout *layout)
{
    return status_fail(STATUS_DATA,
                       "%s: is cut short: its headers tell of %" PRIu64 " trace%s, and it has %" PRId64
                       "; --salvage reads these",
                       head->path, told_traces(head, layout), log_plural((int64_t)told_traces(head, layout), "trace"),
                       layout->n_traces);
}

/* Checks that whole traces of layout->n_samples fill the file to its end. */
static Status fit(const SgyHead *head, const uint8_t *trace_header, SgyLayout *layout)
{
    layout->trace_bytes = sgy_trace_bytes(layout, layout->n_samples);
    if (layout->trace_bytes > INT32_MAX)
        return status_fail(STATUS_DATA, "%s: its headers speak of traces of %" PRId64 " bytes; up to 2 GiB are read",
                           head->path, layout->trace_bytes);
    Status status = find_end(head, layout);
    if (status != STATUS_OK) return status;
    int64_t room = layout->end - layout->first_trace;
    layout->n_traces = room / layout->trace_bytes;
    if (!head->salvage && told_traces(head, layout) > (uint64_t)layout->n_traces) return fail_traces(head, layout);
    if (room % layout->trace_bytes == 0) return STATUS_OK;
    if (!head->salvage || layout->n_traces == 0) return fail_at_end(head, layout);
    status = leave_out(head, layout);
    return status == STATUS_OK ? check_last(head, trace_header, layout) : status;
}

/* ---- samples ---- */

/* Numbers beyond 65,535 that two bytes cut to what the headers tell: the least of them with which whole traces fill the
 * file and the second trace's header tells the same. 0: none. */
static int64_t find_wrapped(const SgyHead *head, const SgyLayout *layout, int64_t told)
{
    for (int64_t n = told + WRAP; n < (int64_t)WRAPS_MAX * WRAP; n += WRAP) {
        int64_t bytes = sgy_trace_bytes(layout, n), room = head->size - layout->first_trace;
        uint8_t second[SGY_HEADER];
        if (bytes > room) return 0;
        if (room % bytes != 0) continue;
        if (room == bytes) return n;
        if (files_read_bytes(head->path, layout->first_trace + bytes, SGY_HEADER, second) != STATUS_OK) return 0;
        if (samples_in(second, layout) == (uint16_t)told) return n;
    }
    return 0;
}

static Status fail_wrapped(const SgyHead *head, const SgyLayout *layout, int64_t wrapped)
{
    return status_fail(STATUS_DATA,
                       "%s: its traces seem to have %" PRId64 " samples, of which two bytes of its headers can tell "
                       "only the rest, %" PRId64 ": --samples %" PRId64 " reads them so",
                       head->path, wrapped, layout->n_samples, wrapped);
}

/* ---- traces that differ in length ---- */

/* Whether a header at one of some places of a file of fixed length tells another number of samples than its traces
 * have: the places are spread over the file, and one is behind the last whole trace. Where they are no headers, as in a
 * file whose traces differ in length, they tell anything. Local. STATUS_IO. */
static Status find_odd(const SgyHead *head, const SgyLayout *layout, bool *odd)
{
    int64_t headers = sgy_trace_bytes(layout, 0), bytes = sgy_trace_bytes(layout, layout->n_samples);
    int64_t room = head->size - layout->first_trace, n = room / bytes, looks = n < LOOKS ? n : LOOKS;
    Status status = STATUS_OK;
    *odd = false;
    for (int64_t i = 0; i <= looks && status == STATUS_OK && !*odd; i++) {
        int64_t at = (i < looks ? i * n / looks : n) * bytes;
        uint8_t header[2 * SGY_HEADER];
        if (at + headers > room) break;
        bool has_extra = layout->n_extra > 0;
        status = files_read_bytes(head->path, layout->first_trace + at, (has_extra ? 2 : 1) * SGY_HEADER, header);
        int64_t told = sgy_header_samples(header, has_extra ? header + SGY_HEADER : NULL, layout->big);
        *odd = told != 0 && told != layout->n_samples && told != (uint16_t)layout->n_samples;
    }
    return status;
}

static Status fail_cut(const SgyHead *head, const SgyLayout *layout)
{
    return status_fail(STATUS_DATA,
                       "%s: is cut short, or padded: its traces differ in length (%" PRId64 " to %" PRId64
                       " samples, as their headers tell), and behind %" PRId64 " whole traces are %" PRId64
                       " byte%s more; --salvage reads the whole traces",
                       head->path, layout->shortest, layout->n_samples, layout->n_traces, layout->left_out,
                       layout->left_out == 1 ? "" : "s");
}

/* Takes the traces for such that differ in length where their headers speak against one length: *found. Local.
 * STATUS_IO; STATUS_DATA where they lead to an end that is cut. */
static Status fit_variable(const SgyHead *head, SgyLayout *layout, bool *found)
{
    SgyLayout walked = *layout;
    SgyWalkEnd end;
    Status status = find_odd(head, layout, found);
    if (status != STATUS_OK || !*found) return status;
    int64_t records = layout->major < 2 ? 0 : sgy_binary_get(head->binary, SGY_BIN_TRAILER, 4, layout->big);
    walked.end = head->size;
    if (records > 0 && records < head->size / SGY_RECORD) walked.end -= records * SGY_RECORD;
    status = sgy_walk(head->path, &walked, &end);
    *found = end != SGY_WALK_NOWHERE;
    if (status != STATUS_OK || !*found) return status;
    walked.samples_from_trace = false;
    *layout = walked;
    if (end == SGY_WALK_CUT && !head->salvage) return fail_cut(head, layout);
    if (!head->salvage && told_traces(head, layout) > (uint64_t)layout->n_traces) return fail_traces(head, layout);
    return STATUS_OK;
}

/* The same where traces of one length fit: unless those of any length do, without a rest. */
static Status settle(const SgyHead *head, SgyLayout *layout)
{
    SgyLayout variable = *layout;
    bool found;
    Status status = fit_variable(head, &variable, &found);
    if (status == STATUS_OK && found) *layout = variable;
    return status == STATUS_DATA ? STATUS_OK : status;
}

/* No one length that the headers tell fits: traces differ in it, or why, and what may help. */
static Status fit_otherwise(const SgyHead *head, const uint8_t *trace_header, SgyLayout *layout)
{
    bool found;
    int64_t wrapped = layout->major < 2 ? find_wrapped(head, layout, layout->n_samples) : 0;
    if (wrapped > 0) return fail_wrapped(head, layout, wrapped);
    Status status = fit_variable(head, layout, &found);
    return status != STATUS_OK || found ? status : fit(head, trace_header, layout); /* what it says is the reason */
}

Status sgy_fit_samples(const SgyHead *head, const SgyForce *force, const uint8_t *trace_header, SgyLayout *layout)
{
    if (force->samples > 0) {
        layout->n_samples = force->samples;
        return fit(head, trace_header, layout);
    }
    int64_t in_binary = (uint16_t)sgy_binary_get(head->binary, SGY_BIN_SAMPLES, 2, layout->big);
    int64_t many = layout->major < 2 ? 0 : sgy_binary_get(head->binary, SGY_BIN_LONG_SAMPLES, 4, layout->big);
    if (many > 0) in_binary = many;
    SgyLayout by_trace = *layout;
    by_trace.n_samples = samples_in(trace_header, layout);
    by_trace.samples_from_trace = true;
    layout->n_samples = in_binary;
    Status status = in_binary > 0 ? fit(head, trace_header, layout) : STATUS_DATA;
    if (status != STATUS_DATA) return status == STATUS_OK ? settle(head, layout) : status;
    if (by_trace.n_samples > 0 && by_trace.n_samples != in_binary) {
        status = fit(head, trace_header, &by_trace);
        if (status != STATUS_DATA) {
            *layout = by_trace;
            return status == STATUS_OK ? settle(head, layout) : status;
        }
        if (in_binary == 0) *layout = by_trace;
    }
    if (layout->n_samples > 0) return fit_otherwise(head, trace_header, layout);
    return status_fail(STATUS_DATA,
                       "%s: neither its binary header (bytes 3221-3222) nor its first trace's header tells how many "
                       "samples a trace has; --samples N does",
                       head->path);
}
