#include "seisdcn/sgy_code.h"

#include "seisdcn/files.h"
#include "seisdcn/sgy_plausible.h"
#include "seisdcn/sgy_sample.h"

#include <stdio.h>
#include <string.h>

enum {
    LOOK = 64,   /* trace headers of a file that are looked at */
    REPEATED = 4 /* bytes that they repeat: 115 to 118 */
};

/* What a file is like, read as another format than its header tells. */
typedef struct {
    SgyLayout layout;
    SgyOrder order; /* that had to be forced */
    bool found;
} Other;

/* ---- whether traces are where a layout has them ---- */

static Status read_repeated(const char *path, const SgyLayout *layout, int64_t trace, uint8_t bytes[REPEATED])
{
    return files_read_bytes(path, layout->first_trace + trace * layout->trace_bytes + 114, REPEATED, bytes);
}

static Status headers_alike(const char *path, const SgyLayout *layout, bool *alike)
{
    uint8_t first[REPEATED], here[REPEATED];
    int64_t n = layout->n_traces, looks = n < LOOK ? n : LOOK;
    Status status = read_repeated(path, layout, 0, first);
    *alike = memcmp(first, (const uint8_t[REPEATED]){0}, REPEATED) != 0;
    for (int64_t i = 1; i < looks && *alike && status == STATUS_OK; i++) {
        status = read_repeated(path, layout, i * (n - 1) / (looks - 1), here);
        *alike = memcmp(first, here, REPEATED) == 0;
    }
    return status;
}

/* Whether a trace may be several ones of smaller samples. */
static bool has_shorter(const SgyLayout *layout)
{
    int64_t headers = (int64_t)SGY_HEADER * (1 + layout->n_extra);
    for (int size = 1; size < layout->item_size; size++)
        if (layout->trace_bytes % (headers + size * layout->n_samples) == 0) return true;
    return false;
}

/* ---- the size that fits ---- */

/* Whether `other` has traces that `own` (how the file's code has it laid out; NULL: not at all) has not. */
static Status is_better(const char *path, const SgyForce *force, const SgyLayout *own, bool own_alike,
                        const SgyLayout *other, bool *better)
{
    *better = false;
    if (other->n_traces < 2 && (own != NULL || force->salvage)) return STATUS_OK; /* one header is alike itself */
    if (own != NULL && (own_alike ? other->trace_bytes >= own->trace_bytes : other->item_size == own->item_size))
        return STATUS_OK;
    return headers_alike(path, other, better);
}

/* Looks for a size of samples, and a byte order where none is forced, with which path is laid out well: that of the
 * shortest traces, since every second header is like the first one, too. */
static Status find_other(const char *path, const SgyForce *force, const SgyLayout *own, bool own_alike, Other *other)
{
    static const int formats[] = {SGY_INT8, SGY_INT16, SGY_INT24, SGY_IEEE, SGY_DOUBLE}; /* one of each size */
    enum { FORMATS = sizeof formats / sizeof *formats };
    int orders = force->order == SGY_ORDER_FOUND ? 3 : 1;
    other->found = false;
    for (int i = 0; i < orders * FORMATS; i++) {
        SgyLayout layout;
        SgyForce now = *force;
        now.format = formats[i % FORMATS];
        if (orders > 1) now.order = (SgyOrder)(i / FORMATS);
        bool better;
        Status status = sgy_layout_read(path, &now, &layout);
        if (status == STATUS_DATA) continue;
        if (status == STATUS_OK) status = is_better(path, force, own, own_alike, &layout, &better);
        if (status != STATUS_OK) return status;
        if (better && !(other->found && layout.trace_bytes >= other->layout.trace_bytes))
            *other = (Other){.layout = layout, .order = now.order, .found = true};
    }
    return STATUS_OK;
}

/* ---- in words ---- */

static void name_code(int code, char text[96])
{
    const char *name = code > 0 ? sgy_format_name(code) : NULL;
    if (name != NULL)
        snprintf(text, 96, "%d (%s)", code, name);
    else
        snprintf(text, 96, "%d, which SEG-Y does not have", code);
}

static Status fail(const char *path, int code, const Other *other, int format)
{
    char told[96], formats[96], option[48], order[32] = "";
    int size = other->layout.item_size;
    name_code(code, told);
    snprintf(formats, sizeof formats, "1 (IBM float), 5 (IEEE float) or 2 (32-bit integer)");
    snprintf(option, sizeof option, "--format 1, 5 or 2");
    if (format != 0) {
        snprintf(formats, sizeof formats, "%d (%s)", format, sgy_format_name(format));
        snprintf(option, sizeof option, "--format %d", format);
    }
    if (other->order != SGY_ORDER_FOUND)
        snprintf(order, sizeof order, "--endian %s ", other->layout.big ? "big" : "little");
    return status_fail(STATUS_DATA,
                       "%s: its sample format code (bytes 3225-3226) is %s, but its traces are those of samples of %d "
                       "byte%s; they make sense as format %s: %s%s reads them so",
                       path, told, size, size == 1 ? "" : "s", formats, order, option);
}

/* Names the format that makes sense of `other`; STATUS_OK where none does. */
static Status explain(const char *path, const Other *other, int code)
{
    int format = other->layout.format;
    if (other->layout.item_size == 4) {
        SgyPlausible verdict;
        Status status = sgy_plausible_find(path, &other->layout, &verdict);
        if (status != STATUS_OK) return status;
        format = verdict.big == other->layout.big ? verdict.format : 0;
        if (format == 0 && sgy_format_name(code) != NULL && sgy_item_size(code) == 0) return STATUS_OK;
    }
    return fail(path, code, other, format);
}

Status sgy_code_read(const char *path, const SgyForce *force, SgyLayout *layout)
{
    Other other;
    uint8_t bytes[2];
    bool alike = false;
    Status first = sgy_layout_read(path, force, layout), status = first;
    if (force->format != 0 || (status != STATUS_OK && status != STATUS_DATA)) return status;
    if (status == STATUS_OK) status = headers_alike(path, layout, &alike);
    if (status == STATUS_IO || (alike && !has_shorter(layout))) return status;
    status = find_other(path, force, first == STATUS_OK ? layout : NULL, alike, &other);
    if (status == STATUS_OK && other.found) {
        status = files_read_bytes(path, SGY_BIN_FORMAT - 1, sizeof bytes, bytes);
        int code = bytes[other.layout.big ? 0 : 1] << 8 | bytes[other.layout.big ? 1 : 0];
        if (status == STATUS_OK) status = explain(path, &other, code);
    }
    return status != STATUS_OK || first == STATUS_OK ? status : sgy_layout_read(path, force, layout); /* its reason */
}
