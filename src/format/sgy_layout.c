#include "seisdcn/sgy_layout.h"

#include "sgy_layout_private.h"

#include "seisdcn/files.h"
#include "seisdcn/log.h"
#include "seisdcn/sgy_sample.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum {
    HEADERS = SGY_TEXT + SGY_BINARY,
    ORDER_CONSTANT = 0x01020304,
    ORDER_PAIRS = 0x02010403, /* bytes exchanged in pairs */
    FORMAT_LAST = 16,
    TEXT_MAX = 1 << 16 /* records of extended text whose number is not told: no need to search a terabyte */
};

int64_t sgy_binary_get(const uint8_t binary[SGY_BINARY], int byte, int width, bool big)
{
    uint64_t number = sgy_number(binary + (byte - SGY_TEXT - 1), width, big);
    return width == 2 ? (int16_t)number : width == 4 ? (int32_t)number : (int64_t)number;
}

void sgy_binary_put(uint8_t binary[SGY_BINARY], int byte, int width, bool big, int64_t value)
{
    sgy_number_put(binary + (byte - SGY_TEXT - 1), width, big, (uint64_t)value);
}

/* ---- byte order and format ---- */

static bool is_known_format(int64_t format)
{
    return format > 0 && format <= FORMAT_LAST && sgy_format_name((int)format) != NULL;
}

static Status find_order(const SgyHead *head, const SgyForce *force, bool *big, bool *certain)
{
    *certain = true;
    *big = force->order == SGY_ORDER_BIG;
    if (force->order != SGY_ORDER_FOUND) return STATUS_OK;
    uint64_t constant = sgy_number(head->binary + (SGY_BIN_ORDER - SGY_TEXT - 1), 4, true);
    if (constant == ORDER_PAIRS)
        return status_fail(STATUS_DATA,
                           "%s: its bytes are exchanged in pairs (bytes 3297-3300 say so); such files are not read",
                           head->path);
    *big = constant == ORDER_CONSTANT;
    if (*big || __builtin_bswap32((uint32_t)constant) == ORDER_CONSTANT) return STATUS_OK;
    int64_t format_big = sgy_binary_get(head->binary, SGY_BIN_FORMAT, 2, true);
    int64_t format_little = sgy_binary_get(head->binary, SGY_BIN_FORMAT, 2, false);
    *big = is_known_format(format_big);
    if (*big || is_known_format(format_little)) return STATUS_OK; /* no code is one in both orders */
    *certain = false;
    if (force->format != 0) return STATUS_OK; /* the length of the file may tell */
    return status_fail(STATUS_DATA,
                       "%s: is no SEG-Y file, or its binary header is broken: its sample format code (bytes 3225-3226) "
                       "is %" PRId64 ", or %" PRId64 " read as little-endian; --endian and --format force them",
                       head->path, format_big, format_little);
}

static Status find_format(const SgyHead *head, const SgyForce *force, SgyLayout *layout)
{
    int64_t format = force->format != 0 ? force->format : sgy_binary_get(head->binary, SGY_BIN_FORMAT, 2, layout->big);
    if (!is_known_format(format))
        return status_fail(STATUS_DATA,
                           "%s: its sample format code (bytes 3225-3226, read as %s-endian) is %" PRId64
                           ", which SEG-Y does not have; --format forces one",
                           head->path, layout->big ? "big" : "little", format);
    layout->format = (int)format;
    layout->item_size = sgy_item_size(layout->format);
    if (layout->item_size > 0) return STATUS_OK;
    return status_fail(STATUS_DATA,
                       "%s: its samples are of format %d (%s), which is not read; %s are; --format forces one of these",
                       head->path, layout->format, sgy_format_name(layout->format), sgy_formats_read());
}

/* Two bytes, major and minor; writers that take them for one number leave the major one in the other byte. */
static void find_revision(const SgyHead *head, SgyLayout *layout)
{
    const uint8_t *bytes = head->binary + (SGY_BIN_REVISION - SGY_TEXT - 1);
    bool has_constant = sgy_number(head->binary + (SGY_BIN_ORDER - SGY_TEXT - 1), 4, layout->big) == ORDER_CONSTANT;
    bool exchanged = (bytes[0] == 0 || has_constant) && bytes[0] <= 1 && (bytes[1] == 1 || bytes[1] == 2);
    layout->major = bytes[exchanged];
    layout->minor = bytes[!exchanged];
    if (layout->major > 2) layout->major = layout->minor = 0; /* anything may stand there in rev 0 */
}

/* ---- where the traces begin ---- */

static Status find_end_text(const SgyHead *head, int64_t *n_records)
{
    uint8_t record[SGY_STANZA];
    for (int64_t n = 0; n < TEXT_MAX && HEADERS + (n + 1) * SGY_RECORD <= head->size; n++) {
        Status status = files_read_bytes(head->path, HEADERS + n * SGY_RECORD, sizeof record, record);
        if (status != STATUS_OK) return status;
        *n_records = n + 1;
        if (sgy_text_ends(record)) return STATUS_OK;
    }
    return status_fail(STATUS_DATA,
                       "%s: its extended text header has no end: its binary header says that ((SEG: EndText)) ends it, "
                       "and none follows",
                       head->path);
}

/* The records of extended text that the binary header announces. */
static Status find_extended_text(const SgyHead *head, const SgyLayout *layout, int64_t *n_records)
{
    *n_records = 0;
    if (head->plain) return STATUS_OK;
    *n_records = sgy_binary_get(head->binary, SGY_BIN_EXTENDED_TEXT, 2, layout->big);
    if (*n_records == -1) return find_end_text(head, n_records);
    if (*n_records >= 0) return STATUS_OK;
    return status_fail(STATUS_DATA,
                       "%s: its binary header announces %" PRId64 " extended text headers (bytes 3505-3506)",
                       head->path, *n_records);
}

static Status find_begin(const SgyHead *head, SgyLayout *layout)
{
    int64_t n_records = 0, told = 0;
    if (layout->major >= 2) told = sgy_binary_get(head->binary, SGY_BIN_FIRST_TRACE, 8, layout->big);
    if (told != 0) {
        layout->first_trace = told;
    } else {
        Status status = find_extended_text(head, layout, &n_records);
        if (status != STATUS_OK) return status;
        layout->first_trace = HEADERS + n_records * SGY_RECORD;
    }
    if (layout->first_trace >= HEADERS && layout->first_trace < head->size) return STATUS_OK;
    if (layout->first_trace == head->size && head->size == HEADERS)
        return status_fail(STATUS_DATA, "%s: holds no trace, only its text and binary headers", head->path);
    return status_fail(STATUS_DATA,
                       "%s: holds no trace: its headers say that the first one begins at byte %" PRId64
                       ", and it has %" PRId64 " bytes",
                       head->path, layout->first_trace, head->size);
}

/* ---- samples and interval ---- */

/* The numbers of additional headers a trace that the binary header may mean, the likelier first; returns how many. rev
 * 2.0 has a number of four bytes where rev 2.1 has one of two, and another field behind it; writers of either take the
 * one for the other, and only the length of the file tells. */
static int find_extra_headers(const SgyHead *head, const SgyLayout *layout, int n_extra[2])
{
    int64_t wide = sgy_binary_get(head->binary, SGY_BIN_EXTRA_HEADERS, 4, layout->big);
    int64_t narrow = sgy_binary_get(head->binary, SGY_BIN_EXTRA_HEADERS, 2, layout->big);
    int64_t told[2] = {layout->minor == 0 ? wide : narrow, layout->minor == 0 ? narrow : wide};
    int n = 0;
    n_extra[0] = layout->major < 2 ? 0 : (int)told[0];
    n_extra[1] = 0;
    if (layout->major < 2) return 1;
    for (int i = 0; i < 2; i++)
        if (told[i] >= 0 && told[i] <= INT16_MAX && (n == 0 || told[i] != n_extra[0])) n_extra[n++] = (int)told[i];
    return n;
}

static void find_interval(const SgyHead *head, const uint8_t *trace_header, SgyLayout *layout)
{
    static const SgyField in_trace = {.byte = 117, .width = 2};
    layout->binary_interval = (int)sgy_binary_get(head->binary, SGY_BIN_INTERVAL, 2, layout->big);
    layout->trace_interval = sgy_field_get(trace_header, &in_trace, layout->big);
    layout->interval_us = layout->binary_interval > 0  ? layout->binary_interval
                          : layout->trace_interval > 0 ? layout->trace_interval
                                                       : 0;
    if (layout->major < 2) return;
    uint64_t bits = (uint64_t)sgy_binary_get(head->binary, SGY_BIN_LONG_INTERVAL, 8, layout->big);
    double fine;
    memcpy(&fine, &bits, sizeof fine);
    if (isfinite(fine) && fine > 0 && fine < 1e9) layout->interval_us = fine;
}

/* ---- all of it ---- */

/* Lays the file out with so many additional headers a trace. */
static Status lay_out_traces(const SgyHead *head, const SgyForce *force, int n_extra, SgyLayout *layout)
{
    uint8_t trace_header[SGY_HEADER];
    layout->n_extra = n_extra;
    Status status = find_begin(head, layout);
    if (status != STATUS_OK) return status;
    if (head->size - layout->first_trace < SGY_HEADER)
        return status_fail(STATUS_DATA,
                           "%s: is cut short: its first trace would begin at byte %" PRId64 ", and it has %" PRId64
                           " bytes",
                           head->path, layout->first_trace, head->size);
    status = files_read_bytes(head->path, layout->first_trace, SGY_HEADER, trace_header);
    if (status == STATUS_OK) status = sgy_fit_samples(head, force, trace_header, layout);
    if (status == STATUS_OK) find_interval(head, trace_header, layout);
    return status;
}

/* Lays the file out in layout->big's byte order. */
static Status lay_out(const SgyHead *head, const SgyForce *force, SgyLayout *layout)
{
    int n_extra[2];
    layout->size = head->size;
    layout->sorting = (int)sgy_binary_get(head->binary, SGY_BIN_SORTING, 2, layout->big);
    layout->line_number = (int32_t)sgy_binary_get(head->binary, SGY_BIN_LINE, 4, layout->big);
    layout->fixed = sgy_binary_get(head->binary, SGY_BIN_FIXED, 2, layout->big) == 1;
    Status status = find_format(head, force, layout);
    if (status != STATUS_OK) return status;
    if (!head->plain) find_revision(head, layout);
    int n = find_extra_headers(head, layout, n_extra);
    if (n == 0)
        return status_fail(STATUS_DATA, "%s: its binary header announces %d additional headers a trace", head->path,
                           n_extra[0]);
    SgyLayout so_far = *layout;
    status = lay_out_traces(head, force, n_extra[0], layout);
    if (status != STATUS_DATA || n < 2) return status;
    *layout = so_far;
    status = lay_out_traces(head, force, n_extra[1], layout);
    if (status != STATUS_DATA) return status;
    *layout = so_far;
    return lay_out_traces(head, force, n_extra[0], layout); /* what it says is the reason */
}

/* The same; what stands in the bytes of extended text headers of a rev 0 file may be anything. */
static Status lay_out_any(const SgyHead *head, const SgyForce *force, bool big, SgyLayout *layout)
{
    *layout = (SgyLayout){.big = big};
    Status status = lay_out(head, force, layout);
    if (status != STATUS_DATA || layout->major > 0) return status;
    SgyHead plain = *head;
    plain.plain = true;
    *layout = (SgyLayout){.big = big};
    status = lay_out(&plain, force, layout);
    if (status != STATUS_DATA) return status;
    *layout = (SgyLayout){.big = big};
    return lay_out(head, force, layout); /* what it says is the reason */
}

static Status read_head(const SgyHead *head, const SgyForce *force, SgyLayout *layout)
{
    bool big, certain;
    Status status = find_order(head, force, &big, &certain);
    if (status != STATUS_OK) return status;
    status = lay_out_any(head, force, big || !certain, layout);
    if (status != STATUS_DATA || certain) return status;
    status = lay_out_any(head, force, false, layout);
    if (status != STATUS_DATA) return status;
    return status_fail(STATUS_DATA, "%s: fits its headers in neither byte order; it is no SEG-Y file, or a broken one",
                       head->path);
}

Status sgy_layout_read(const char *path, const SgyForce *force, SgyLayout *layout)
{
    uint8_t headers[HEADERS];
    struct stat about;
    memset(layout, 0, sizeof *layout);
    if (stat(path, &about) != 0) return status_fail(STATUS_IO, "%s: %s", path, strerror(errno));
    if (!S_ISREG(about.st_mode)) return status_fail(STATUS_IO, "%s: is not a regular file", path);
    if (about.st_size < HEADERS)
        return status_fail(STATUS_DATA, "%s: has %" PRId64 " bytes; the headers of a SEG-Y file alone have %d", path,
                           (int64_t)about.st_size, (int)HEADERS);
    Status status = files_read_bytes(path, 0, sizeof headers, headers);
    if (status != STATUS_OK) return status;
    SgyHead head = {.path = path, .size = about.st_size, .binary = headers + SGY_TEXT};
    status = read_head(&head, force, layout);
    if (status == STATUS_DATA && force->salvage) {
        head.salvage = true;
        status = read_head(&head, force, layout);
    }
    return status == STATUS_OK && !force->ignore_layout ? sgy_mapping_check(path, layout) : status;
}

/* ---- in words ---- */

const char *sgy_layout_differs(const SgyLayout *a, const SgyLayout *b, char *text)
{
    *text = '\0';
    if (a->n_samples != b->n_samples && !(a->variable && b->variable))
        snprintf(text, 160, "samples a trace (%" PRId64 " and %" PRId64 ")", a->n_samples, b->n_samples);
    else if (a->format != b->format)
        snprintf(text, 160, "sample format (%d, %s, and %d, %s)", a->format, sgy_format_name(a->format), b->format,
                 sgy_format_name(b->format));
    else if (a->big != b->big)
        snprintf(text, 160, "byte order (%s- and %s-endian)", a->big ? "big" : "little", b->big ? "big" : "little");
    else if (a->n_extra != b->n_extra)
        snprintf(text, 160, "additional headers a trace (%d and %d)", a->n_extra, b->n_extra);
    else if (a->interval_us > 0 && b->interval_us > 0 && a->interval_us != b->interval_us)
        snprintf(text, 160, "sample interval (%g and %g us)", a->interval_us, b->interval_us);
    return *text == '\0' ? NULL : text;
}

char *sgy_layout_text(const SgyLayout *layout, char *text)
{
    char samples[64];
    snprintf(samples, sizeof samples, "%" PRId64, layout->n_samples);
    if (layout->variable)
        snprintf(samples, sizeof samples, "%" PRId64 " to %" PRId64, layout->shortest, layout->n_samples);
    snprintf(text, 160, "%s-endian, format %d (%s), rev %d.%d, %s sample%s a trace", layout->big ? "big" : "little",
             layout->format, sgy_format_name(layout->format), layout->major, layout->minor, samples,
             log_plural(layout->n_samples, "sample"));
    return text;
}
