#include "seisdcn/sgy_trace.h"

#include "seisdcn/sgy_span.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#if __has_include(<segyio/segy.h>)

#include <segyio/segy.h>

/* libsegyio counts traces and bytes a trace in ints, and asserts that what it is asked for fits them; so each trace is
 * read as the only one of a file that begins where it does. Its byte order is left at big, whatever the file's: then
 * it hands on the bytes as they are, which go out again as they came; sgy_sample.h and sgy_field.h turn them. For the
 * same reason samples are read as so many samples of one byte: libsegyio knows the sizes of five formats only. */

bool sgy_trace_serves(void) { return true; }

Status sgy_trace_open(const char *path, const SgyLayout *layout, SgyTraces *traces)
{
    errno = 0;
    segy_file *file = segy_open(path, "rb");
    *traces = (SgyTraces){.path = path, .layout = layout, .handle = file};
    if (file == NULL) return status_fail(STATUS_IO, "%s: %s", path, strerror(errno == 0 ? EIO : errno));
    if (segy_set_format(file, SEGY_SIGNED_CHAR_1_BYTE | SEGY_MSB) != SEGY_OK) {
        sgy_trace_close(traces);
        return status_fail(STATUS_BUG, "%s: libsegyio does not take samples of one byte", path);
    }
    return STATUS_OK;
}

void sgy_trace_close(SgyTraces *traces)
{
    if (traces->handle != NULL) segy_close(traces->handle);
    memset(traces, 0, sizeof *traces);
}

static Status fail(const SgyTraces *traces, int64_t t)
{
    const char *reason = errno != 0 ? strerror(errno) : "became shorter while it was read";
    return status_fail(STATUS_IO, "%s: trace %" PRId64 " cannot be read: %s", traces->path, t, reason);
}

static Status read_header(const SgyTraces *traces, int64_t t, int64_t at, uint8_t *header)
{
    errno = 0;
    if (segy_traceheader(traces->handle, 0, (char *)header, at, 0) == SEGY_OK) return STATUS_OK;
    return fail(traces, t);
}

/* Reads what of trace t tells its samples *n: its first header, which begins at `at`, and its first additional one. */
static Status read_first(const SgyTraces *traces, int64_t t, int64_t at, uint8_t *headers, int64_t *n)
{
    const SgyLayout *layout = traces->layout;
    bool has_extra = layout->n_extra > 0;
    Status status = read_header(traces, t, at, headers);
    if (status == STATUS_OK && has_extra) status = read_header(traces, t, at + SGY_HEADER, headers + SGY_HEADER);
    *n = layout->n_samples;
    if (status != STATUS_OK || !layout->variable) return status;
    *n = sgy_header_samples(headers, has_extra ? headers + SGY_HEADER : NULL, layout->big);
    if (*n > 0 && *n <= layout->n_samples) return STATUS_OK;
    return status_fail(STATUS_IO, "%s: trace %" PRId64 " changed while it was read", traces->path, t);
}

/* The nearest trace up to t whose place *at is known, of traces that differ in length. */
static int64_t nearest(const SgyTraces *traces, int64_t t, int64_t *at)
{
    int64_t from = traces->marks == NULL ? 0 : t - t % SGY_MARK;
    *at = traces->marks == NULL ? traces->layout->first_trace : traces->marks[t / SGY_MARK];
    if (traces->next > 0 && traces->last >= from && traces->last <= t) {
        from = traces->last;
        *at = traces->last_at;
    }
    if (traces->next > from && traces->next <= t) {
        from = traces->next;
        *at = traces->next_at;
    }
    return from;
}

/* Reads the first headers of trace t, which begins at *at, and finds its samples *n. */
static Status find_trace(SgyTraces *traces, int64_t t, int64_t *at, uint8_t *headers, int64_t *n)
{
    const SgyLayout *layout = traces->layout;
    *at = layout->first_trace + t * layout->trace_bytes;
    if (!layout->variable) return read_first(traces, t, *at, headers, n);
    for (int64_t from = nearest(traces, t, at);; from++) {
        Status status = read_first(traces, from, *at, headers, n);
        if (status != STATUS_OK) return status;
        traces->last = from;
        traces->last_at = *at;
        traces->next = from + 1;
        traces->next_at = *at + sgy_trace_bytes(layout, *n);
        if (from == t) return STATUS_OK;
        *at = traces->next_at;
    }
}

Status sgy_trace_header(SgyTraces *traces, int64_t t, uint8_t headers[2 * SGY_HEADER])
{
    int64_t at, n;
    return find_trace(traces, t, &at, headers, &n);
}

Status sgy_trace_read(SgyTraces *traces, int64_t t, uint8_t *headers, uint8_t *samples, int64_t *n)
{
    const SgyLayout *layout = traces->layout;
    int64_t at;
    Status status = find_trace(traces, t, &at, headers, n);
    for (int h = 2; h <= layout->n_extra && status == STATUS_OK; h++)
        status = read_header(traces, t, at + h * SGY_HEADER, headers + (int64_t)h * SGY_HEADER);
    if (status != STATUS_OK) return status;
    /* behind one header, as far as libsegyio sees */
    at += layout->n_extra * (int64_t)SGY_HEADER;
    int bytes = (int)(*n * layout->item_size);
    errno = 0;
    if (segy_readsubtr(traces->handle, 0, 0, bytes, 1, samples, NULL, at, bytes) == SEGY_OK) return STATUS_OK;
    return fail(traces, t);
}

#else

bool sgy_trace_serves(void) { return false; }

Status sgy_trace_open(const char *path, const SgyLayout *layout, SgyTraces *traces)
{
    *traces = (SgyTraces){.path = path, .layout = layout};
    return status_fail(STATUS_USAGE, "%s: SEG-Y cannot be read: this program was built without libsegyio", path);
}

void sgy_trace_close(SgyTraces *traces) { memset(traces, 0, sizeof *traces); }

Status sgy_trace_header(SgyTraces *traces, int64_t t, uint8_t headers[2 * SGY_HEADER])
{
    (void)t;
    memset(headers, 0, SGY_HEADER);
    return status_fail(STATUS_BUG, "%s: is not open", traces->path);
}

Status sgy_trace_read(SgyTraces *traces, int64_t t, uint8_t *headers, uint8_t *samples, int64_t *n)
{
    (void)samples;
    *n = 0;
    return sgy_trace_header(traces, t, headers);
}

#endif
