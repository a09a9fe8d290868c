#include "train_output.h"

#include "seisdcn/files.h"
#include "seisdcn/memory.h"
#include "seisdcn/text.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

/* What stands directly in the folder. */
static const char *const names[] = {"last.h5", "best.h5", "metrics.csv", "config.yaml"};

enum { NAMES = sizeof names / sizeof *names };

Status train_output_check(const char *folder, bool exists)
{
    if (files_exists(folder) && !files_is_folder(folder))
        return status_fail(STATUS_USAGE, "%s exists and is not a folder; --output names the folder of a training",
                           folder);
    Status status = files_check_output(folder, exists);
    if (status == STATUS_OK && files_exists(folder) && access(folder, W_OK | X_OK) != 0)
        status = status_fail(STATUS_IO, "%s: the folder cannot be written: %s", folder, strerror(errno));
    return status;
}

bool train_output_is_checkpoint(const char *name, int64_t *step)
{
    size_t length = strlen(name);
    char digits[24] = "";
    if (strncmp(name, "step_", 5) != 0 || length < 9 || length - 8 >= sizeof digits) return false;
    if (strcmp(name + length - 3, ".h5") != 0) return false;
    memcpy(digits, name + 5, length - 8);
    return digits[0] >= '0' && digits[0] <= '9' && text_to_int(digits, step);
}

bool train_output_writes(const char *name)
{
    static const char checkpoints[] = "checkpoints/";
    int64_t step;
    for (int i = 0; i < NAMES; i++)
        if (strcmp(name, names[i]) == 0) return true;
    return strncmp(name, checkpoints, strlen(checkpoints)) == 0 &&
           train_output_is_checkpoint(name + strlen(checkpoints), &step);
}

/* ---- the folder ---- */

/* Removes folder/name and folder/name.part; a file that is not there is nothing. */
static Status remove_file(const char *folder, const char *name, bool only_part)
{
    char *path = text_format("%s/%s", folder, name), *part = text_format("%s/%s.part", folder, name);
    bool good = path != NULL && part != NULL;
    if (good) unlink(part);
    if (good && !only_part) unlink(path);
    memory_free(path);
    memory_free(part);
    return good ? STATUS_OK : STATUS_MEMORY;
}

/* Removes the checkpoints but those two (NULL: none), or all that a kill left half written. */
static Status remove_checkpoints(const char *folder, const char *ending, char *const keep[2])
{
    char *checkpoints = text_format("%s/checkpoints", folder), **list = NULL;
    int64_t n = 0, step;
    Status status = checkpoints == NULL ? STATUS_MEMORY : files_list(checkpoints, ending, &list, &n);
    for (int64_t i = 0; status == STATUS_OK && i < n; i++) {
        bool kept = false;
        for (int k = 0; keep != NULL && k < 2; k++) kept = kept || (keep[k] != NULL && strcmp(keep[k], list[i]) == 0);
        if (kept || (keep != NULL && !train_output_is_checkpoint(list[i], &step))) continue;
        char *path = text_format("%s/%s", checkpoints, list[i]);
        if (path == NULL) status = STATUS_MEMORY;
        if (path != NULL) unlink(path);
        memory_free(path);
    }
    memory_free(list);
    memory_free(checkpoints);
    return status;
}

/* A training started anew leaves nothing of an old one that could be taken for its own; one that goes on keeps all but
 * what was half written. */
static Status make_room(const char *folder, bool goes_on)
{
    char *checkpoints = text_format("%s/checkpoints", folder);
    Status status = checkpoints == NULL ? STATUS_MEMORY : files_make_folder(folder);
    if (status == STATUS_OK) status = files_make_folder(checkpoints);
    for (int i = 0; status == STATUS_OK && i < NAMES; i++) status = remove_file(folder, names[i], goes_on);
    if (status == STATUS_OK) status = remove_checkpoints(folder, ".h5.part", NULL);
    if (status == STATUS_OK && !goes_on) status = remove_checkpoints(folder, ".h5", (char *const[2]){NULL, NULL});
    memory_free(checkpoints);
    return status;
}

/* config.yaml, written only where it would differ. */
static Status write_config(const char *folder, const Config *config)
{
    char *path = text_format("%s/config.yaml", folder), *text = config_format(config, false), *old = NULL;
    Status status = path == NULL || text == NULL ? STATUS_MEMORY : STATUS_OK;
    if (status == STATUS_OK && files_exists(path)) status = files_read_text(path, &old);
    if (status == STATUS_OK && (old == NULL || strcmp(old, text) != 0)) status = files_write_text(path, text);
    memory_free(path);
    memory_free(text);
    memory_free(old);
    return status;
}

static Status write_best(const TrainOutput *output)
{
    char *path = text_format("%s/best.h5", output->folder);
    if (path == NULL) return STATUS_MEMORY;
    Status status = model_write(path, &output->best, &output->info, output->history);
    memory_free(path);
    return status;
}

/* The newest checkpoint in the folder becomes the one before the next. */
static Status find_newest(TrainOutput *output)
{
    char *checkpoints = text_format("%s/checkpoints", output->folder), **list = NULL;
    int64_t n = 0, step;
    Status status = checkpoints == NULL ? STATUS_MEMORY : files_list(checkpoints, ".h5", &list, &n);
    while (n > 0 && !train_output_is_checkpoint(list[n - 1], &step)) n--;
    if (status == STATUS_OK && n > 0) {
        output->checkpoints[1] = text_copy(list[n - 1]);
        if (output->checkpoints[1] == NULL) status = STATUS_MEMORY;
    }
    memory_free(list);
    memory_free(checkpoints);
    return status;
}

/* Takes over from the checkpoint what the folder held when it was written: what came later goes. */
static Status go_on(TrainOutput *output, const TrainResume *resume, const char *line)
{
    const Checkpoint *checkpoint = &resume->checkpoint;
    const char *name = text_base_name(resume->path);
    int64_t step;
    /* a resume that changes nothing leaves no trace in the files */
    output->history = resume->changed ? survey_history(checkpoint->history, line) : text_copy(checkpoint->history);
    Status status = output->history == NULL ? STATUS_MEMORY : STATUS_OK;
    if (status == STATUS_OK && train_output_is_checkpoint(name, &step)) {
        output->checkpoints[1] = text_copy(name);
        if (output->checkpoints[1] == NULL) status = STATUS_MEMORY;
    } else if (status == STATUS_OK) { /* last.h5, which the next epoch replaces */
        status = find_newest(output);
    }
    if (status == STATUS_OK) status = train_metrics_resume(&output->metrics, output->folder, output->state);
    if (status != STATUS_OK) return status;
    if (output->state->best_epoch == 0) return remove_file(output->folder, "best.h5", false);
    network_copy_state(&checkpoint->best, &output->best);
    return write_best(output);
}

static Status open_here(TrainOutput *output, const Survey *survey, const IndexMap *map, const char *line,
                        const TrainResume *resume, const Config *config)
{
    const Network *network = output->trainer->network;
    output->info = (ModelInfo){.deal = index_deal_of(map, survey),
                               .has_apply = true,
                               .apply_method = config->apply.method,
                               .mute_threshold = config->apply.mute_threshold,
                               .keep_mutes = config->apply.keep_mutes};
    int64_t channels = model_gather_channels(network);
    if (channels > 1) survey_describe_channels(survey, channels, output->info.channels);
    Status status = network_new(&network->shape, network->vector, &output->best);
    if (status == STATUS_OK) status = make_room(output->folder, resume->found);
    if (status == STATUS_OK) status = write_config(output->folder, config);
    if (status != STATUS_OK) return status;
    if (resume->found) return go_on(output, resume, line);
    output->history = survey_history(survey->history, line);
    return output->history == NULL ? STATUS_MEMORY : train_metrics_create(&output->metrics, output->folder);
}

Status train_output_open(const Comm *comm, TrainOutput *output, const Survey *survey, const IndexMap *map,
                         const char *line, const TrainResume *resume, const Config *config)
{
    Status status = STATUS_OK;
    if (comm->rank == 0) status = open_here(output, survey, map, line, resume, config);
    return comm_agree(comm, status);
}

/* ---- checkpoints and models ---- */

static Status write_checkpoint(TrainOutput *output, const char *name)
{
    char *path = text_format("%s/%s", output->folder, name);
    if (path == NULL) return STATUS_MEMORY;
    const Network *best = output->state->best_epoch > 0 ? &output->best : NULL;
    Status status = checkpoint_write(path, output->state, output->trainer, best, &output->info, output->history);
    memory_free(path);
    return status;
}

/* Writes step_N.h5 of the state and keeps the one before. */
static Status add_checkpoint(TrainOutput *output)
{
    char *name = text_format("step_%" PRId64 ".h5", output->state->step);
    char *path = name == NULL ? NULL : text_format("checkpoints/%s", name);
    Status status = path == NULL ? STATUS_MEMORY : write_checkpoint(output, path);
    memory_free(path);
    bool repeated = output->checkpoints[1] != NULL && name != NULL && strcmp(output->checkpoints[1], name) == 0;
    if (status != STATUS_OK || repeated) {
        memory_free(name);
        return status;
    }
    memory_free(output->checkpoints[0]);
    output->checkpoints[0] = output->checkpoints[1];
    output->checkpoints[1] = name;
    return remove_checkpoints(output->folder, ".h5", output->checkpoints);
}

/* Brings the state up to date; the rows that it counts are on the disk before any checkpoint says so. */
static Status settle(TrainOutput *output, bool epoch_ended, bool closed)
{
    checkpoint_take_place(output->trainer, output->state);
    output->state->epoch_ended = epoch_ended;
    output->state->closed = closed;
    if (!closed) output->state->metrics_rows = output->metrics.rows;
    return train_metrics_sync(&output->metrics);
}

Status train_output_checkpoint(TrainOutput *output)
{
    Status status = settle(output, false, false);
    return status == STATUS_OK ? add_checkpoint(output) : status;
}

/* In this order, so that whatever is the newest has all that comes before it; what is newer than the checkpoint that a
 * resume goes on from is made again. */
Status train_output_epoch(TrainOutput *output, double train_loss, double valid_loss, bool best, bool closed)
{
    const Network *network = output->trainer->network;
    if (closed) output->state->metrics_rows = output->metrics.rows;
    train_metrics_epoch(&output->metrics, output->trainer->order.epoch, train_loss, valid_loss);
    Status status = settle(output, !closed, closed);
    if (status == STATUS_OK && best) {
        char *path = text_format("%s/best.h5", output->folder);
        status = path == NULL ? STATUS_MEMORY : model_write(path, network, &output->info, output->history);
        memory_free(path);
    }
    if (best && !closed) network_copy_state(network, &output->best);
    if (status == STATUS_OK) status = write_checkpoint(output, "last.h5");
    return status == STATUS_OK ? add_checkpoint(output) : status;
}

void train_output_free(TrainOutput *output)
{
    train_metrics_close(&output->metrics);
    network_free(&output->best);
    memory_free(output->history);
    for (int i = 0; i < 2; i++) memory_free(output->checkpoints[i]);
    memset(output, 0, sizeof *output);
}
