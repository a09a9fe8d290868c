#include "train_output.h"

#include "seisdcn/files.h"
#include "seisdcn/memory.h"
#include "seisdcn/text.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

Status train_output_check(const char *folder, bool force)
{
    if (files_exists(folder) && !files_is_folder(folder))
        return status_fail(STATUS_USAGE, "%s exists and is not a folder; --output names the folder of a training",
                           folder);
    Status status = files_check_output(folder, force);
    if (status == STATUS_OK && files_exists(folder) && access(folder, W_OK | X_OK) != 0)
        status = status_fail(STATUS_IO, "%s: the folder cannot be written: %s", folder, strerror(errno));
    return status;
}

static Status write_config(const char *folder, const Config *config)
{
    char *path = text_format("%s/config.yaml", folder), *text = config_format(config, false);
    Status status = path == NULL || text == NULL ? STATUS_MEMORY : files_write_text(path, text);
    memory_free(path);
    memory_free(text);
    return status;
}

static Status open_metrics(TrainOutput *output)
{
    char *path = text_format("%s/metrics.csv", output->folder);
    if (path == NULL) return STATUS_MEMORY;
    output->metrics = fopen(path, "w");
    Status status = STATUS_OK;
    if (output->metrics == NULL || fputs("epoch,step,train_loss_step,train_loss_epoch,val_loss,learning_rate,"
                                         "patches_per_second\n",
                                         output->metrics) == EOF)
        status = status_fail(STATUS_IO, "%s cannot be written: %s", path, strerror(errno));
    memory_free(path);
    return status;
}

/* A training started anew with --force leaves nothing of the old one that could be taken for its own. */
static Status remove_old(const char *folder)
{
    static const char *const names[] = {"last.h5", "best.h5", "metrics.csv", "config.yaml"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *path = text_format("%s/%s", folder, names[i]);
        if (path == NULL) return STATUS_MEMORY;
        unlink(path);
        memory_free(path);
    }
    char *checkpoints = text_format("%s/checkpoints", folder), **list = NULL;
    int64_t n = 0;
    Status status = checkpoints == NULL ? STATUS_MEMORY : files_make_folder(checkpoints);
    if (status == STATUS_OK) status = files_list(checkpoints, ".h5", &list, &n);
    for (int64_t i = 0; status == STATUS_OK && i < n; i++) {
        char *path = text_format("%s/%s", checkpoints, list[i]);
        if (path == NULL) status = STATUS_MEMORY;
        if (path != NULL) unlink(path);
        memory_free(path);
    }
    memory_free(list);
    memory_free(checkpoints);
    return status;
}

Status train_output_open(const Comm *comm, TrainOutput *output, const char *folder, const Config *config,
                         const Network *network, const Trainer *trainer, const Survey *survey, const IndexMap *map,
                         const char *line)
{
    memset(output, 0, sizeof *output);
    Status status = STATUS_OK;
    if (comm->rank == 0) {
        output->folder = folder;
        output->network = network;
        output->trainer = trainer;
        bool known = !map->is_explicit || map->rule_known;
        output->info = (ModelInfo){.has_split = known,
                                   .by = map->rule.by,
                                   .seed = map->rule.seed,
                                   .test = map->rule.test,
                                   .valid = map->rule.valid,
                                   .has_survey = true,
                                   .survey_checksum = survey->checksum};
        output->history = survey_history(survey->history, line);
        status = output->history == NULL ? STATUS_MEMORY : files_make_folder(folder);
        if (status == STATUS_OK) status = remove_old(folder);
        if (status == STATUS_OK) status = write_config(folder, config);
        if (status == STATUS_OK) status = open_metrics(output);
    }
    return comm_agree(comm, status);
}

void train_output_step(TrainOutput *output, int64_t epoch, int64_t step, double loss, double patches_per_second)
{
    if (output->metrics == NULL) return;
    fprintf(output->metrics, "%" PRId64 ",%" PRId64 ",%.9g,,,%.9g,%.9g\n", epoch, step, loss,
            output->trainer->learning_rate, patches_per_second);
    fflush(output->metrics);
}

static Status metrics_status(const TrainOutput *output)
{
    if (ferror(output->metrics) == 0) return STATUS_OK;
    return status_fail(STATUS_IO, "%s/metrics.csv cannot be written: %s; is the disk full?", output->folder,
                       strerror(errno));
}

static ModelOptimizer optimizer_of(const TrainOutput *output)
{
    const Trainer *trainer = output->trainer;
    return (ModelOptimizer){.mean = trainer->adam_mean,
                            .square = trainer->adam_square,
                            .epoch = trainer->order.epoch,
                            .step = trainer->step,
                            .seed = trainer->seed,
                            .shuffle = trainer->order.shuffle};
}

static Status write_model(const TrainOutput *output, const char *name, bool with_optimizer)
{
    char *path = text_format("%s/%s", output->folder, name);
    if (path == NULL) return STATUS_MEMORY;
    ModelOptimizer optimizer = optimizer_of(output);
    Status status =
        model_write(path, output->network, &output->info, with_optimizer ? &optimizer : NULL, output->history);
    memory_free(path);
    return status;
}

Status train_output_checkpoint(TrainOutput *output)
{
    char *name = text_format("checkpoints/step_%" PRId64 ".h5", output->trainer->step);
    if (name == NULL) return STATUS_MEMORY;
    Status status = write_model(output, name, true);
    bool repeated = output->checkpoints[1] != NULL && strcmp(output->checkpoints[1], name) == 0;
    if (status != STATUS_OK || repeated) {
        memory_free(name);
        return status;
    }
    if (output->checkpoints[0] != NULL) {
        char *path = text_format("%s/%s", output->folder, output->checkpoints[0]);
        if (path != NULL) unlink(path);
        memory_free(path);
        memory_free(output->checkpoints[0]);
    }
    output->checkpoints[0] = output->checkpoints[1];
    output->checkpoints[1] = name;
    return STATUS_OK;
}

Status train_output_epoch(TrainOutput *output, int64_t epoch, double train_loss, double valid_loss, bool best)
{
    fprintf(output->metrics, "%" PRId64 ",,,%.9g,", epoch, train_loss);
    if (!isnan(valid_loss)) fprintf(output->metrics, "%.9g", valid_loss);
    fputs(",,\n", output->metrics);
    fflush(output->metrics);
    Status status = metrics_status(output);
    if (status == STATUS_OK) status = train_output_checkpoint(output);
    if (status == STATUS_OK) status = write_model(output, "last.h5", true);
    if (status == STATUS_OK && best) status = write_model(output, "best.h5", false);
    return status;
}

Status train_output_close(TrainOutput *output)
{
    Status status = metrics_status(output);
    if (fclose(output->metrics) != 0 && status == STATUS_OK)
        status = status_fail(STATUS_IO, "%s/metrics.csv cannot be written: %s", output->folder, strerror(errno));
    output->metrics = NULL;
    return status;
}

void train_output_free(TrainOutput *output)
{
    if (output->metrics != NULL) fclose(output->metrics);
    memory_free(output->history);
    for (int i = 0; i < 2; i++) memory_free(output->checkpoints[i]);
    memset(output, 0, sizeof *output);
}
