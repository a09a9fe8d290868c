#include "seisdcn/reader.h"

#include "seisdcn/fault.h"
#include "seisdcn/memory.h"

#include <aio.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const int64_t PIECE = (int64_t)1 << 30; /* one read stays below the kernel's 2 GiB */

static struct aiocb *control_of(const Reader *reader, int slot, int64_t c)
{
    return &reader->control[slot * reader->n_channels + c];
}

static int64_t channel_bytes(const Reader *reader, int64_t e)
{
    return survey_fold(reader->survey, e) * reader->survey->n_samples * (int64_t)sizeof(float);
}

/* Where channel c of gather e starts in the file. */
static int64_t place_of(const Reader *reader, int64_t e, int64_t c)
{
    return reader->offset[c] + reader->survey->first_trace[e] * reader->survey->n_samples * (int64_t)sizeof(float);
}

/* Opens the file and finds the channels in it. */
static Status open_plain(Reader *reader)
{
    if (reader->n_channels > reader->survey->n_attributes + 1) return STATUS_OK; /* survey_read_gather() will refuse */
    for (int64_t c = 0; c < reader->n_channels; c++) {
        char dataset[SURVEY_DATASET_MAX];
        survey_channel_name(reader->survey, c, dataset);
        Status status = h5_plain_offset(&reader->survey->file, dataset, H5T_NATIVE_FLOAT, &reader->offset[c]);
        if (status != STATUS_OK || reader->offset[c] < 0) return status;
    }
    reader->file = fault_strikes(FAULT_OPEN) ? -1 : open(reader->survey->path, O_RDONLY | O_CLOEXEC);
    if (reader->file >= 0) return STATUS_OK;
    return status_fail(STATUS_IO, "%s: %s", reader->survey->path, strerror(errno));
}

Status reader_new(const Survey *survey, int64_t n_channels, Reader *reader)
{
    memset(reader, 0, sizeof *reader);
    reader->survey = survey;
    reader->n_channels = n_channels;
    reader->file = -1;
    for (int slot = 0; slot < READER_SLOTS; slot++) reader->ensemble[slot] = -1;
    reader->offset = memory_new((size_t)reader->n_channels, sizeof *reader->offset, "the reader of gathers");
    reader->control =
        memory_new((size_t)(READER_SLOTS * reader->n_channels), sizeof *reader->control, "the reader of gathers");
    Status status = reader->offset == NULL || reader->control == NULL ? STATUS_MEMORY : open_plain(reader);
    if (status != STATUS_OK) reader_free(reader);
    return status;
}

size_t reader_bytes(int64_t n_channels)
{
    return (size_t)n_channels * (sizeof(int64_t) + READER_SLOTS * sizeof(struct aiocb));
}

bool reader_works(const Reader *reader) { return reader->survey != NULL && reader->file >= 0; }

static void wait_for(const struct aiocb *control)
{
    while (aio_error(control) == EINPROGRESS) (void)aio_suspend(&control, 1, NULL); /* signals end it early */
}

/* Takes back a request that nobody has begun, waits for one that is under way. Returns the bytes that it has read; 0
 * where it failed: a plain read will tell why. */
static int64_t settle(const Reader *reader, struct aiocb *control)
{
    (void)aio_cancel(reader->file, control);
    wait_for(control);
    int64_t got = aio_return(control);
    return got > 0 ? got : 0;
}

void reader_free(Reader *reader)
{
    for (int slot = 0; reader->control != NULL && slot < READER_SLOTS; slot++)
        for (int64_t c = 0; reader->ensemble[slot] >= 0 && c < reader->n_channels; c++)
            (void)settle(reader, control_of(reader, slot, c));
    if (reader->survey != NULL && reader->file >= 0) close(reader->file);
    memory_free(reader->offset);
    memory_free(reader->control);
    memset(reader, 0, sizeof *reader);
}

bool reader_start(Reader *reader, int64_t e, float *data)
{
    int slot = 0;
    while (slot < READER_SLOTS && reader->ensemble[slot] >= 0) slot++;
    if (slot == READER_SLOTS) return false;
    int64_t bytes = channel_bytes(reader, e);
    for (int64_t c = 0; c < reader->n_channels; c++) {
        struct aiocb *control = control_of(reader, slot, c);
        memset(control, 0, sizeof *control);
        control->aio_fildes = reader->file;
        control->aio_buf = (char *)data + c * bytes;
        control->aio_nbytes = (size_t)(bytes < PIECE ? bytes : PIECE);
        control->aio_offset =
            reader->offset[c] + reader->survey->first_trace[e] * (bytes / survey_fold(reader->survey, e));
        control->aio_sigevent.sigev_notify = SIGEV_NONE;
        if (aio_read(control) == 0) continue;
        while (--c >= 0) (void)settle(reader, control_of(reader, slot, c)); /* it will be read when it is needed */
        return false;
    }
    reader->ensemble[slot] = e;
    reader->n_busy++;
    return true;
}

int64_t reader_arrived(const Reader *reader)
{
    for (int slot = 0; reader->n_busy > 0 && slot < READER_SLOTS; slot++) {
        int64_t c = 0;
        if (reader->ensemble[slot] < 0) continue;
        while (c < reader->n_channels && aio_error(control_of(reader, slot, c)) != EINPROGRESS) c++;
        if (c == reader->n_channels) return reader->ensemble[slot];
    }
    return -1;
}

static Status fail_read(const Reader *reader, int64_t e, int64_t c, const char *did)
{
    char dataset[SURVEY_DATASET_MAX], name[96];
    return status_fail(STATUS_IO, "%s: %s of %s %s", reader->survey->path,
                       survey_channel_name(reader->survey, c, dataset), survey_ensemble_name(reader->survey, e, name),
                       did);
}

/* Reads what is left of channel c of gather e into values, which has `got` bytes. */
static Status read_rest(const Reader *reader, int64_t e, int64_t c, char *values, int64_t got)
{
    int64_t bytes = channel_bytes(reader, e);
    while (got < bytes) {
        int64_t left = bytes - got;
        ssize_t more = pread(reader->file, values + got, (size_t)(left < PIECE ? left : PIECE),
                             (off_t)(place_of(reader, e, c) + got));
        if (more == 0) return fail_read(reader, e, c, "lies behind the file's end: it was cut after it was opened");
        if (more < 0 && errno != EINTR) {
            char did[160];
            snprintf(did, sizeof did, "cannot be read: %s", strerror(errno));
            return fail_read(reader, e, c, did);
        }
        got += more > 0 ? more : 0;
    }
    return STATUS_OK;
}

Status reader_read(const Reader *reader, int64_t e, float *data)
{
    Status status = STATUS_OK;
    for (int64_t c = 0; status == STATUS_OK && c < reader->n_channels; c++)
        status = read_rest(reader, e, c, (char *)data + c * channel_bytes(reader, e), 0);
    return status;
}

Status reader_finish(Reader *reader, int64_t e)
{
    int slot = 0;
    while (slot < READER_SLOTS && reader->ensemble[slot] != e) slot++;
    if (slot == READER_SLOTS) return status_fail(STATUS_BUG, "gather #%" PRId64 " was not begun to be read", e);
    Status status = STATUS_OK;
    for (int64_t c = 0; c < reader->n_channels; c++) { /* all of them: none may still write when this returns */
        struct aiocb *control = control_of(reader, slot, c);
        int64_t got = settle(reader, control);
        if (status == STATUS_OK) status = read_rest(reader, e, c, (char *)control->aio_buf, got);
    }
    reader->ensemble[slot] = -1;
    reader->n_busy--;
    return status;
}
