#include "seisdcn/sgy_span.h"

#include "seisdcn/fault.h"
#include "seisdcn/files.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NAME = 233, NAME_LENGTH = 8, MS = 1000000 };

/* Whether an additional header is rev 2's first extension: by its name, in ASCII or EBCDIC. */
static bool is_extension(const uint8_t *extra)
{
    static const uint8_t ebcdic[] = {0xe2, 0xc5, 0xc7, 0xf0, 0xf0, 0xf0, 0xf0, 0xf1};
    return memcmp(extra + NAME - 1, "SEG00001", NAME_LENGTH) == 0 || memcmp(extra + NAME - 1, ebcdic, NAME_LENGTH) == 0;
}

int64_t sgy_header_samples(const uint8_t header[SGY_HEADER], const uint8_t *extra, bool big)
{
    if (extra != NULL && is_extension(extra)) {
        int64_t many = (int64_t)sgy_number(extra + 137 - 1, 4, big);
        if (many > 0 && many <= INT32_MAX) return many;
    }
    return (int64_t)sgy_number(header + 115 - 1, 2, big);
}

int64_t sgy_header_delay(const uint8_t header[SGY_HEADER], const uint8_t *extra, bool big)
{
    int64_t delay = (int16_t)sgy_number(header + 109 - 1, 2, big) * (int64_t)MS;
    int scalar = (int16_t)sgy_number(header + 215 - 1, 2, big), size = abs(scalar);
    if (size == 10 || size == 100 || size == 1000 || size == 10000) delay = scalar > 0 ? delay * size : delay / size;
    if (extra != NULL && is_extension(extra)) delay += (int32_t)sgy_number(extra + 141 - 1, 4, big);
    return delay;
}

/* ---- walking ---- */

typedef struct {
    const char *path;
    int descriptor;
    const SgyLayout *layout;
    int64_t at, n, shortest, longest;
    int64_t next; /* samples of the trace that does not end in the file; 0: there is none, or its header tells none */
    bool trailer; /* there */
    int64_t interval; /* in the first header, us */
    bool differs;     /* in another one: what stands there may be no headers */
    int64_t *marks;   /* NULL: not wanted */
    int64_t most;     /* traces, with marks */
} Walk;

int64_t sgy_trace_bytes(const SgyLayout *layout, int64_t n_samples)
{
    return SGY_HEADER * (1 + (int64_t)layout->n_extra) + n_samples * layout->item_size;
}

/* rev 2 may have a trailer that no header counts. */
static Status is_trailer(const Walk *walk, bool *yes)
{
    uint8_t record[SGY_STANZA];
    int64_t rest = walk->layout->size - walk->at;
    *yes = false;
    if (walk->layout->major < 2 || walk->n == 0 || rest < SGY_RECORD || rest % SGY_RECORD != 0) return STATUS_OK;
    Status status = files_read_open(walk->descriptor, walk->path, walk->at, sizeof record, record);
    *yes = status == STATUS_OK && sgy_text_begins_stanza(record);
    return status;
}

/* The samples that the headers at walk->at tell. */
static Status read_samples(Walk *walk, int64_t *n)
{
    const SgyLayout *layout = walk->layout;
    uint8_t header[2 * SGY_HEADER];
    bool has_extra = layout->n_extra > 0;
    Status status =
        files_read_open(walk->descriptor, walk->path, walk->at, has_extra ? 2 * SGY_HEADER : SGY_HEADER, header);
    *n = status != STATUS_OK ? 0 : sgy_header_samples(header, has_extra ? header + SGY_HEADER : NULL, layout->big);
    if (status != STATUS_OK) return status;
    int64_t interval = (int64_t)sgy_number(header + 117 - 1, 2, layout->big);
    if (walk->n == 0) walk->interval = interval;
    walk->differs |= interval != walk->interval;
    return status;
}

/* From trace to trace until one does not tell its samples, or does not end before layout->end. */
static Status walk_on(Walk *walk)
{
    const SgyLayout *layout = walk->layout;
    int64_t headers = sgy_trace_bytes(layout, 0), n;
    walk->shortest = INT64_MAX;
    while (walk->at + headers <= layout->end && (walk->marks == NULL || walk->n < walk->most)) {
        Status status = is_trailer(walk, &walk->trailer);
        if (status == STATUS_OK && !walk->trailer) status = read_samples(walk, &n);
        if (status != STATUS_OK || walk->trailer) return status;
        int64_t bytes = sgy_trace_bytes(layout, n);
        walk->next = n;
        if (n == 0 || bytes > INT32_MAX || walk->at + bytes > layout->end) return STATUS_OK;
        if (walk->marks != NULL && walk->n % SGY_MARK == 0) walk->marks[walk->n / SGY_MARK] = walk->at;
        if (n < walk->shortest) walk->shortest = n;
        if (n > walk->longest) walk->longest = n;
        walk->at += bytes;
        walk->n++;
        walk->next = 0;
    }
    return STATUS_OK;
}

static Status walk_file(Walk *walk)
{
    walk->at = walk->layout->first_trace;
    walk->descriptor = fault_strikes(FAULT_OPEN) ? -1 : open(walk->path, O_RDONLY | O_CLOEXEC);
    if (walk->descriptor < 0) return status_fail(STATUS_IO, "%s: %s", walk->path, strerror(errno));
    Status status = walk_on(walk);
    close(walk->descriptor);
    return status;
}

/* Whether what follows the last whole trace is nothing but padding, or a part of a trace as long as others may be. */
static Status judge_rest(const Walk *walk, bool *zeros, bool *cut)
{
    int64_t rest = walk->layout->end - walk->at;
    Status status = files_is_zero(walk->path, walk->at, walk->layout->end, zeros);
    bool part = walk->next > 0 && !walk->differs && walk->next <= 2 * walk->longest &&
                rest < sgy_trace_bytes(walk->layout, walk->next);
    *cut = *zeros || part || rest < sgy_trace_bytes(walk->layout, 0);
    return status;
}

Status sgy_walk(const char *path, SgyLayout *layout, SgyWalkEnd *end)
{
    Walk walk = {.path = path, .layout = layout};
    bool zeros = false, cut = false;
    *end = SGY_WALK_NOWHERE;
    Status status = walk_file(&walk);
    if (status != STATUS_OK || walk.n == 0 || walk.shortest == walk.longest) return status;
    bool whole = walk.at == layout->end || walk.trailer;
    if (!whole) status = judge_rest(&walk, &zeros, &cut);
    if (status != STATUS_OK || !(whole || cut)) return status;
    *end = whole ? SGY_WALK_WHOLE : SGY_WALK_CUT;
    layout->variable = true;
    layout->n_traces = walk.n;
    layout->n_samples = walk.longest;
    layout->shortest = walk.shortest;
    layout->trace_bytes = sgy_trace_bytes(layout, walk.longest);
    layout->left_out = whole ? 0 : layout->end - walk.at;
    layout->left_zeros = zeros;
    layout->end = walk.at;
    return STATUS_OK;
}

int64_t sgy_walk_n_marks(const SgyLayout *layout)
{
    return layout->variable ? (layout->n_traces + SGY_MARK - 1) / SGY_MARK : 0;
}

Status sgy_walk_marks(const char *path, const SgyLayout *layout, int64_t *marks)
{
    Walk walk = {.path = path, .layout = layout, .marks = marks, .most = layout->n_traces};
    Status status = walk_file(&walk);
    if (status != STATUS_OK || walk.n == layout->n_traces) return status;
    return status_fail(STATUS_IO, "%s: changed while it was read", path);
}
