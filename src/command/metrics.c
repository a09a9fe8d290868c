#include "metrics.h"

#include "seisdcn/files.h"
#include "seisdcn/memory.h"
#include "seisdcn/text.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

static const char header[] = "epoch,step,train_loss_step,train_loss_epoch,val_loss,learning_rate,patches_per_second";

enum { COLUMNS = 7 };

/* Takes the fields of a line of `length` bytes apart; false where it is none of metrics.csv. */
static bool parse_line(const char *line, size_t length, MetricsRow *row)
{
    double value[COLUMNS];
    const char *at = line, *end = line + length;
    for (int c = 0; c < COLUMNS; c++) {
        char text[40];
        size_t n = 0;
        while (at + n < end && at[n] != ',') n++;
        if (n >= sizeof text || (c + 1 < COLUMNS) != (at + n < end)) return false;
        memcpy(text, at, n);
        text[n] = '\0';
        value[c] = NAN;
        if (n > 0 && !text_to_double(text, &value[c])) return false;
        at += n + 1;
    }
    *row = (MetricsRow){value[0], value[1], value[2], value[3], value[4], value[5], value[6]};
    return row->epoch >= 1;
}

static Status parse(const char *text, Metrics *metrics)
{
    size_t lines = 0;
    for (const char *c = text; *c != '\0'; c++) lines += *c == '\n';
    metrics->row = memory_new(lines, sizeof *metrics->row, "the losses");
    if (metrics->row == NULL) return STATUS_MEMORY;
    int64_t number = 1;
    for (const char *line = text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1, number++) {
        size_t length = (size_t)(end - line);
        if (number == 1 && (length != strlen(header) || strncmp(line, header, length) != 0))
            return status_fail(STATUS_DATA, "%s does not begin with the columns of a training: %s", metrics->path,
                               header);
        if (number > 1 && !parse_line(line, length, &metrics->row[metrics->n++]))
            return status_fail(STATUS_DATA, "%s:%" PRId64 ": this is no row of a training: %.*s", metrics->path, number,
                               length < 200 ? (int)length : 200, line);
    }
    return STATUS_OK;
}

Status metrics_read(const char *path, Metrics *metrics)
{
    char *text = NULL;
    *metrics = (Metrics){.path = path};
    Status status = files_read_text(path, &text);
    if (status == STATUS_OK) status = parse(text, metrics);
    memory_free(text);
    return status;
}

void metrics_free(Metrics *metrics)
{
    memory_free(metrics->row);
    metrics->row = NULL;
}

int64_t metrics_best(const Metrics *metrics)
{
    int64_t best = -1;
    for (int64_t i = 0; i < metrics->n; i++) {
        double valid = metrics->row[i].valid;
        if (!isnan(valid) && (best < 0 || valid < metrics->row[best].valid)) best = i;
    }
    return best;
}
