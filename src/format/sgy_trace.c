#include "seisdcn/sgy_trace.h"

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

/* Header h of trace t. */
static Status read_header(const SgyTraces *traces, int64_t t, int h, uint8_t *header)
{
    const SgyLayout *layout = traces->layout;
    int64_t at = layout->first_trace + t * layout->trace_bytes + h * SGY_HEADER;
    errno = 0;
    if (segy_traceheader(traces->handle, 0, (char *)header, at, 0) == SEGY_OK) return STATUS_OK;
    return fail(traces, t);
}

Status sgy_trace_header(const SgyTraces *traces, int64_t t, uint8_t header[SGY_HEADER])
{
    return read_header(traces, t, 0, header);
}

Status sgy_trace_read(const SgyTraces *traces, int64_t t, uint8_t *headers, uint8_t *samples)
{
    const SgyLayout *layout = traces->layout;
    Status status = STATUS_OK;
    for (int h = 0; h <= layout->n_extra && status == STATUS_OK; h++)
        status = read_header(traces, t, h, headers + (int64_t)h * SGY_HEADER);
    if (status != STATUS_OK) return status;
    /* behind one header, as far as libsegyio sees */
    int64_t at = layout->first_trace + t * layout->trace_bytes + layout->n_extra * (int64_t)SGY_HEADER;
    int bytes = (int)(layout->n_samples * layout->item_size);
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

Status sgy_trace_header(const SgyTraces *traces, int64_t t, uint8_t header[SGY_HEADER])
{
    (void)t;
    memset(header, 0, SGY_HEADER);
    return status_fail(STATUS_BUG, "%s: is not open", traces->path);
}

Status sgy_trace_read(const SgyTraces *traces, int64_t t, uint8_t *headers, uint8_t *samples)
{
    (void)samples;
    return sgy_trace_header(traces, t, headers);
}

#endif
