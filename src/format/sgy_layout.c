#include "seisdcn/sgy_layout.h"

#include "seisdcn/files.h"
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
    TEXT_MAX = 1 << 16,   /* records of extended text whose number is not told: no need to search a terabyte */
    TRAILER_MAX = 1 << 16 /* records of a trailer whose length is not told */
};

/* A file, its length and its first bytes. */
typedef struct {
    const char *path;
    int64_t size;
    const uint8_t *binary;
    bool plain; /* take it for rev 0 without extended text, whatever stands in the bytes that rev 0 leaves free */
} Head;

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

static Status find_order(const Head *head, const SgyForce *force, bool *big, bool *certain)
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

static Status find_format(const Head *head, const SgyForce *force, SgyLayout *layout)
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
                       "%s: its samples are of format %d (%s), which is not read; 1 (IBM float), 2, 3, 8 (integers of "
                       "4, 2, 1 bytes) and 5 (IEEE float) are",
                       head->path, layout->format, sgy_format_name(layout->format));
}

/* Two bytes, major and minor; writers that take them for one number leave the major one in the other byte. */
static void find_revision(const Head *head, SgyLayout *layout)
{
    const uint8_t *bytes = head->binary + (SGY_BIN_REVISION - SGY_TEXT - 1);
    bool has_constant = sgy_number(head->binary + (SGY_BIN_ORDER - SGY_TEXT - 1), 4, layout->big) == ORDER_CONSTANT;
    bool exchanged = (bytes[0] == 0 || has_constant) && bytes[0] <= 1 && (bytes[1] == 1 || bytes[1] == 2);
    layout->major = bytes[exchanged];
    layout->minor = bytes[!exchanged];
    if (layout->major > 2) layout->major = layout->minor = 0; /* anything may stand there in rev 0 */
}

/* ---- where the traces begin ---- */

static Status find_end_text(const Head *head, int64_t *n_records)
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
static Status find_extended_text(const Head *head, const SgyLayout *layout, int64_t *n_records)
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

static Status find_begin(const Head *head, SgyLayout *layout)
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

/* ---- where they end ---- */

static bool begins_stanza(const Head *head, int64_t at)
{
    uint8_t record[SGY_STANZA];
    return files_read_bytes(head->path, at, sizeof record, record) == STATUS_OK && sgy_text_begins_stanza(record);
}

/* The first byte of the trailer. rev 2 counts its records, or (-1) leaves them to be found: the traces' number, where
 * it is told, or else the only place where whole traces end and a stanza begins tells. */
static Status find_end(const Head *head, SgyLayout *layout)
{
    layout->end = head->size;
    if (layout->major < 2) return STATUS_OK;
    int64_t records = sgy_binary_get(head->binary, SGY_BIN_TRAILER, 4, layout->big);
    uint64_t traces = (uint64_t)sgy_binary_get(head->binary, SGY_BIN_TRACES, 8, layout->big);
    int64_t room = head->size - layout->first_trace;
    if (records > 0) {
        layout->end -= records * SGY_RECORD;
        if (layout->end > layout->first_trace) return STATUS_OK;
        return status_fail(STATUS_DATA, "%s: its headers announce %" PRId64 " records of trailer, more than it holds",
                           head->path, records);
    }
    if (records == 0) return STATUS_OK;
    if (traces > 0 && traces <= (uint64_t)(room / layout->trace_bytes)) {
        layout->end = layout->first_trace + (int64_t)traces * layout->trace_bytes;
        return STATUS_OK;
    }
    for (int64_t n = 1; n * SGY_RECORD < room && n <= TRAILER_MAX; n++) {
        int64_t end = head->size - n * SGY_RECORD;
        if ((end - layout->first_trace) % layout->trace_bytes != 0 || !begins_stanza(head, end)) continue;
        layout->end = end;
        return STATUS_OK;
    }
    return status_fail(STATUS_DATA,
                       "%s: its headers announce a trailer of unknown length (bytes 3529-3532) and not how many traces "
                       "there are, and no trailer is found behind whole traces",
                       head->path);
}

/* Checks that whole traces of layout->n_samples fill the file to its end. */
static Status fit(const Head *head, SgyLayout *layout)
{
    layout->trace_bytes = SGY_HEADER * (1 + (int64_t)layout->n_extra) + layout->n_samples * layout->item_size;
    if (layout->trace_bytes > INT32_MAX)
        return status_fail(STATUS_DATA, "%s: its headers speak of traces of %" PRId64 " bytes; up to 2 GiB are read",
                           head->path, layout->trace_bytes);
    Status status = find_end(head, layout);
    if (status != STATUS_OK) return status;
    int64_t room = layout->end - layout->first_trace;
    layout->n_traces = room / layout->trace_bytes;
    uint64_t told = layout->major < 2 ? 0 : (uint64_t)sgy_binary_get(head->binary, SGY_BIN_TRACES, 8, layout->big);
    if (told > (uint64_t)layout->n_traces)
        return status_fail(STATUS_DATA, "%s: is cut short: its headers tell of %" PRIu64 " traces, and it has %" PRId64,
                           head->path, told, layout->n_traces);
    if (room % layout->trace_bytes == 0) return STATUS_OK;
    char extra[48] = "";
    if (layout->n_extra > 0) snprintf(extra, sizeof extra, " and %d additional headers", layout->n_extra);
    return status_fail(STATUS_DATA,
                       "%s: is cut short, or its traces differ in length: behind its headers are %" PRId64
                       " bytes, %" PRId64 " traces of %" PRId64 " bytes (%" PRId64
                       " samples of %d bytes%s) and %" PRId64 " bytes more",
                       head->path, room, layout->n_traces, layout->trace_bytes, layout->n_samples, layout->item_size,
                       extra, room % layout->trace_bytes);
}

/* ---- samples and interval ---- */

static Status find_extra_headers(const Head *head, SgyLayout *layout)
{
    if (layout->major < 2) return STATUS_OK;
    /* rev 2.0 has a number of four bytes where rev 2.1 has one of two, and another field behind it */
    int64_t n = sgy_binary_get(head->binary, SGY_BIN_EXTRA_HEADERS, layout->minor == 0 ? 4 : 2, layout->big);
    layout->n_extra = (int)n;
    if (n >= 0 && n <= INT16_MAX) return STATUS_OK;
    return status_fail(STATUS_DATA, "%s: its binary header announces %" PRId64 " additional headers a trace",
                       head->path, n);
}

/* Samples a trace: the binary header's; where that has none, or none that fit, the first trace header's. */
static Status find_samples(const Head *head, const uint8_t *trace_header, SgyLayout *layout)
{
    static const SgyField in_trace = {.byte = 115, .width = 2};
    int64_t in_binary = (uint16_t)sgy_binary_get(head->binary, SGY_BIN_SAMPLES, 2, layout->big);
    int64_t many = layout->major < 2 ? 0 : sgy_binary_get(head->binary, SGY_BIN_LONG_SAMPLES, 4, layout->big);
    if (many > 0) in_binary = many;
    SgyLayout by_trace = *layout;
    by_trace.n_samples = (uint16_t)sgy_field_get(trace_header, &in_trace, layout->big);
    by_trace.samples_from_trace = true;
    layout->n_samples = in_binary;
    Status status = in_binary > 0 ? fit(head, layout) : STATUS_DATA;
    if (status != STATUS_DATA) return status;
    if (by_trace.n_samples > 0 && by_trace.n_samples != in_binary) {
        status = fit(head, &by_trace);
        *layout = status == STATUS_OK || in_binary == 0 ? by_trace : *layout;
        if (status != STATUS_DATA || in_binary == 0) return status;
    }
    if (in_binary > 0) return fit(head, layout); /* what it says is the reason */
    return status_fail(STATUS_DATA,
                       "%s: neither its binary header (bytes 3221-3222) nor its first trace's header tells how many "
                       "samples a trace has",
                       head->path);
}

static void find_interval(const Head *head, const uint8_t *trace_header, SgyLayout *layout)
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

/* Lays the file out in layout->big's byte order. */
static Status lay_out(const Head *head, const SgyForce *force, SgyLayout *layout)
{
    uint8_t trace_header[SGY_HEADER];
    layout->size = head->size;
    layout->sorting = (int)sgy_binary_get(head->binary, SGY_BIN_SORTING, 2, layout->big);
    layout->line_number = (int32_t)sgy_binary_get(head->binary, SGY_BIN_LINE, 4, layout->big);
    Status status = find_format(head, force, layout);
    if (status != STATUS_OK) return status;
    if (!head->plain) find_revision(head, layout);
    status = find_extra_headers(head, layout);
    if (status == STATUS_OK) status = find_begin(head, layout);
    if (status != STATUS_OK) return status;
    if (head->size - layout->first_trace < SGY_HEADER)
        return status_fail(STATUS_DATA,
                           "%s: is cut short: its first trace would begin at byte %" PRId64 ", and it has %" PRId64
                           " bytes",
                           head->path, layout->first_trace, head->size);
    status = files_read_bytes(head->path, layout->first_trace, SGY_HEADER, trace_header);
    if (status == STATUS_OK) status = find_samples(head, trace_header, layout);
    if (status == STATUS_OK) find_interval(head, trace_header, layout);
    return status;
}

/* The same; what stands in the bytes of extended text headers of a rev 0 file may be anything. */
static Status lay_out_any(const Head *head, const SgyForce *force, bool big, SgyLayout *layout)
{
    *layout = (SgyLayout){.big = big};
    Status status = lay_out(head, force, layout);
    if (status != STATUS_DATA || layout->major > 0) return status;
    Head plain = *head;
    plain.plain = true;
    *layout = (SgyLayout){.big = big};
    status = lay_out(&plain, force, layout);
    if (status != STATUS_DATA) return status;
    *layout = (SgyLayout){.big = big};
    return lay_out(head, force, layout); /* what it says is the reason */
}

static Status read_head(const Head *head, const SgyForce *force, SgyLayout *layout)
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
    Head head = {path, about.st_size, headers + SGY_TEXT, false};
    return read_head(&head, force, layout);
}

/* ---- in words ---- */

const char *sgy_layout_differs(const SgyLayout *a, const SgyLayout *b, char *text)
{
    *text = '\0';
    if (a->n_samples != b->n_samples)
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
    snprintf(text, 160, "%s-endian, format %d (%s), rev %d.%d, %" PRId64 " samples a trace",
             layout->big ? "big" : "little", layout->format, sgy_format_name(layout->format), layout->major,
             layout->minor, layout->n_samples);
    return text;
}
