/* The trainings that compare ranks, and what their folders say. */
#include "compare_private.h"
#include "metrics.h"

#include "seisdcn/files.h"
#include "seisdcn/memory.h"
#include "seisdcn/model.h"
#include "seisdcn/network.h"
#include "seisdcn/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 8 }; /* of folders below one that was named */

/* ---- one folder ---- */

static int compare_numbers(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static Status take_speed(const Metrics *metrics, Training *training)
{
    double *speed = memory_new((size_t)metrics->n, sizeof *speed, "the speeds");
    int64_t n = 0;
    if (speed == NULL) return STATUS_MEMORY;
    for (int64_t i = 0; i < metrics->n; i++)
        if (!isnan(metrics->row[i].speed)) speed[n++] = metrics->row[i].speed;
    qsort(speed, (size_t)n, sizeof *speed, compare_numbers);
    training->patches_per_second = n == 0 ? NAN : (speed[(n - 1) / 2] + speed[n / 2]) / 2;
    memory_free(speed);
    return STATUS_OK;
}

static Status take_metrics(const char *path, Training *training)
{
    Metrics metrics;
    Status status = metrics_read(path, &metrics);
    if (status == STATUS_OK) {
        int64_t best = metrics_best(&metrics);
        for (int64_t i = 0; i < metrics.n; i++) {
            if (isnan(metrics.row[i].of_epoch)) continue;
            training->epochs = (int64_t)metrics.row[i].epoch;
            training->train_loss = metrics.row[i].of_epoch;
        }
        if (best >= 0) training->valid_loss = metrics.row[best].valid;
        if (best >= 0) training->best_epoch = (int64_t)metrics.row[best].epoch;
        status = take_speed(&metrics, training);
    }
    metrics_free(&metrics);
    return status;
}

/* config.yaml is the whole configuration that was in effect, so it tells the network too. */
static Status take_config(const char *path, Training *training)
{
    char *text = NULL;
    config_defaults(&training->config);
    Status status = files_read_text(path, &text);
    if (status == STATUS_OK) status = config_parse(&training->config, text, path);
    memory_free(text);
    if (status != STATUS_OK) return status;
    Network network;
    NetworkShape shape = model_shape(&training->config);
    status = network_new(&shape, NULL, &network);
    if (status != STATUS_OK) return status_prefix(status, "%s", path);
    training->parameters = (double)network.n_parameters;
    network_free(&network);
    return STATUS_OK;
}

static Status read_training(const char *folder, const char *name, Training *training)
{
    *training = (Training){.valid_loss = NAN,
                           .train_loss = NAN,
                           .parameters = NAN,
                           .patches_per_second = NAN,
                           .snr_gain_db = NAN,
                           .signal_lost = NAN,
                           .leakage = NAN,
                           .windows_per_second = NAN};
    char *metrics = text_format("%s/metrics.csv", folder), *config = text_format("%s/config.yaml", folder);
    char *failed = text_format("%s.failed", folder);
    training->name = text_copy(name);
    training->model = text_format("%s/best.h5", folder);
    bool good =
        metrics != NULL && config != NULL && failed != NULL && training->name != NULL && training->model != NULL;
    Status status = good ? take_metrics(metrics, training) : STATUS_MEMORY;
    if (status == STATUS_OK) status = take_config(config, training);
    if (status == STATUS_OK) training->failed = files_exists(failed);
    if (status == STATUS_OK && !files_exists(training->model)) {
        memory_free(training->model);
        training->model = NULL;
    }
    memory_free(metrics);
    memory_free(config);
    memory_free(failed);
    return status;
}

/* ---- all of them ---- */

static Status add(Comparison *comparison, const char *folder, const char *name)
{
    void *block = comparison->training;
    size_t n = (size_t)comparison->n, size = sizeof *comparison->training;
    Status status = memory_grow(&block, n * size, n + 1, size, "the trainings") == 0 ? STATUS_OK : STATUS_MEMORY;
    if (status != STATUS_OK) return status;
    comparison->training = block;
    return read_training(folder, name, &comparison->training[comparison->n++]);
}

static bool is_training(const char *folder)
{
    char *path = text_format("%s/metrics.csv", folder);
    bool is = path != NULL && files_exists(path);
    memory_free(path);
    return is;
}

/* Adds the training at folder, or those below it; name is what it is called, "" for one whose own name goes without. */
static Status search(Comparison *comparison, const char *folder, const char *name, int depth)
{
    if (is_training(folder)) return add(comparison, folder, *name == '\0' ? text_base_name(folder) : name);
    char **names = NULL;
    int64_t n = 0;
    Status status = depth == 0 ? STATUS_OK : files_list(folder, "", &names, &n);
    for (int64_t i = 0; status == STATUS_OK && i < n; i++) {
        char *path = text_format("%s/%s", folder, names[i]);
        char *longer = text_format("%s%s%s", name, *name == '\0' ? "" : "/", names[i]);
        if (path == NULL || longer == NULL) status = STATUS_MEMORY;
        if (status == STATUS_OK && files_is_folder(path)) status = search(comparison, path, longer, depth - 1);
        memory_free(path);
        memory_free(longer);
    }
    memory_free(names);
    return status;
}

Status compare_find(const Job *job, Comparison *comparison)
{
    Status status = STATUS_OK;
    for (int i = 0; status == STATUS_OK && i < job->n_arguments; i++) {
        char *folder = text_copy(job->arguments[i]);
        if (folder == NULL) return STATUS_MEMORY;
        for (size_t end = strlen(folder); end > 1 && folder[end - 1] == '/'; end--) folder[end - 1] = '\0';
        int64_t before = comparison->n;
        if (!files_is_folder(folder))
            status = status_fail(files_exists(folder) ? STATUS_DATA : STATUS_IO,
                                 "%s is no folder: name that of a "
                                 "training, or one above several",
                                 folder);
        /* where several folders are named, each training is called by all of its path */
        if (status == STATUS_OK) status = search(comparison, folder, job->n_arguments > 1 ? folder : "", DEPTH_MAX);
        if (status == STATUS_OK && comparison->n == before)
            status =
                status_fail(STATUS_DATA, "%s holds no training: there is no metrics.csv in it or below it", folder);
        memory_free(folder);
    }
    return status;
}

void compare_free(Comparison *comparison)
{
    for (int64_t i = 0; i < comparison->n; i++) {
        memory_free(comparison->training[i].name);
        memory_free(comparison->training[i].model);
    }
    memory_free(comparison->training);
    *comparison = (Comparison){0};
}
