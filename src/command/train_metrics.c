#include "train_metrics.h"

#include "seisdcn/fault.h"
#include "seisdcn/files.h"
#include "seisdcn/log.h"
#include "seisdcn/memory.h"
#include "seisdcn/text.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const HEAD =
    "epoch,step,train_loss_step,train_loss_epoch,val_loss,learning_rate,patches_per_second\n";

static Status failed(const TrainMetrics *metrics)
{
    return status_fail(STATUS_IO, "%s: cannot be written: %s", metrics->path, strerror(errno));
}

static Status open_end(TrainMetrics *metrics)
{
    metrics->file = fault_strikes(FAULT_OPEN) ? NULL : fopen(metrics->path, "a");
    return metrics->file == NULL ? failed(metrics) : STATUS_OK;
}

Status train_metrics_create(TrainMetrics *metrics, const char *folder)
{
    *metrics = (TrainMetrics){.path = text_format("%s/metrics.csv", folder)};
    Status status = metrics->path == NULL ? STATUS_MEMORY : files_write_text(metrics->path, HEAD);
    return status == STATUS_OK ? open_end(metrics) : status;
}

/* Whether the line at text (length bytes without its newline) is a row that stood there at the checkpoint. */
static bool is_before(const char *text, size_t length, const CheckpointState *state)
{
    char *end;
    if (length == 0 || text[0] < '0' || text[0] > '9') return false;
    long long epoch = strtoll(text, &end, 10);
    if (*end != ',') return false;
    const char *field = end + 1;
    if (*field == ',') return epoch < state->epoch || (epoch == state->epoch && state->epoch_ended);
    long long step = strtoll(field, &end, 10);
    return end > field && *end == ',' && step <= state->step;
}

/* Moves the rows from before the checkpoint to the text's start, behind the head; returns how many. A last line without
 * its end was being written when the run was killed. */
static int64_t keep_rows(char *text, const CheckpointState *state)
{
    size_t head = strlen(HEAD), at = head, kept = head;
    int64_t rows = 0;
    for (const char *end; (end = strchr(text + at, '\n')) != NULL; at = (size_t)(end - text) + 1) {
        size_t length = (size_t)(end - text) - at;
        if (!is_before(text + at, length, state)) continue;
        memmove(text + kept, text + at, length + 1);
        kept += length + 1;
        rows++;
    }
    text[kept] = '\0';
    return rows;
}

Status train_metrics_resume(TrainMetrics *metrics, const char *folder, const CheckpointState *state)
{
    *metrics = (TrainMetrics){.path = text_format("%s/metrics.csv", folder)};
    if (metrics->path == NULL) return STATUS_MEMORY;
    char *text = NULL, rows[LOG_THINGS_MAX];
    Status status = files_exists(metrics->path) ? files_read_text(metrics->path, &text) : STATUS_OK;
    if (status != STATUS_OK) return status;
    /* written in any case: what a crash of the machine left behind the last row may be anything */
    bool known = text != NULL && strncmp(text, HEAD, strlen(HEAD)) == 0;
    if (known) metrics->rows = keep_rows(text, state);
    status = files_write_text(metrics->path, known ? text : HEAD);
    if (metrics->rows < state->metrics_rows)
        log_warning("%s has %" PRId64 " of the %s before step %" PRId64 ": it goes on from there without "
                    "the others",
                    metrics->path, metrics->rows, log_things(state->metrics_rows, "row", rows), state->step + 1);
    memory_free(text);
    return status == STATUS_OK ? open_end(metrics) : status;
}

void train_metrics_step(TrainMetrics *metrics, int64_t epoch, int64_t step, double loss, double learning_rate,
                        double patches_per_second)
{
    if (metrics->file == NULL) return;
    fprintf(metrics->file, "%" PRId64 ",%" PRId64 ",%.9g,,,%.9g,%.9g\n", epoch, step, loss, learning_rate,
            patches_per_second);
    fflush(metrics->file);
    metrics->rows++;
}

void train_metrics_epoch(TrainMetrics *metrics, int64_t epoch, double train_loss, double valid_loss)
{
    if (metrics->file == NULL) return;
    fprintf(metrics->file, "%" PRId64 ",,,%.9g,", epoch, train_loss);
    if (!isnan(valid_loss)) fprintf(metrics->file, "%.9g", valid_loss);
    fputs(",,\n", metrics->file);
    fflush(metrics->file);
    metrics->rows++;
}

Status train_metrics_sync(TrainMetrics *metrics)
{
    if (metrics->file == NULL) return STATUS_OK;
    /* the stream keeps the mark of an earlier failure */
    if (fault_strikes(FAULT_WRITE) || fflush(metrics->file) != 0 || ferror(metrics->file) != 0) return failed(metrics);
    if ((fault_strikes(FAULT_FSYNC) || fsync(fileno(metrics->file)) != 0) && errno != EINVAL && errno != ENOTSUP)
        return failed(metrics);
    return STATUS_OK;
}

void train_metrics_close(TrainMetrics *metrics)
{
    if (metrics->file != NULL) fclose(metrics->file);
    memory_free(metrics->path);
    *metrics = (TrainMetrics){0};
}
