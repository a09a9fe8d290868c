#include "seisdcn/checkpoint.h"

#include "seisdcn/checksum.h"
#include "seisdcn/fault.h"
#include "seisdcn/files.h"
#include "seisdcn/h5.h"
#include "seisdcn/memory.h"
#include "seisdcn/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { HISTORY_MAX = 1 << 20, CONFIG_MAX = 1 << 16 };

static const char *const HEAD_FORMAT = "seisdcn checkpoint: %" PRId64 " bytes behind this block, XXH3_64bits "
                                       "%016" PRIx64 "\n";

void checkpoint_take_place(const Trainer *trainer, CheckpointState *state)
{
    state->epoch = trainer->order.epoch;
    state->epoch_step = trainer->epoch_step;
    state->step = trainer->step;
    state->epoch_error = trainer->epoch_error;
    state->epoch_patches = trainer->epoch_patches;
    state->epoch_counting = trainer->epoch_counting;
    checkpoint_name_machine(trainer->network, state);
}

void checkpoint_name_machine(const Network *network, CheckpointState *state)
{
    snprintf(state->instruction_set, sizeof state->instruction_set, "%s", network->vector->name);
}

/* ---- the state as attributes: one table reads and writes ---- */

typedef enum { FIELD_INT, FIELD_UINT, FIELD_FLAG, FIELD_NUMBER, FIELD_NAME } FieldKind;

typedef struct {
    const char *object, *name;
    FieldKind kind;
    size_t offset; /* in CheckpointState */
} Field;

#define TRAINING(name, kind, member)                               \
    {                                                              \
        "/training", name, kind, offsetof(CheckpointState, member) \
    }

static const Field fields[] = {
    {"/", "epoch", FIELD_INT, offsetof(CheckpointState, epoch)},
    {"/", "step", FIELD_INT, offsetof(CheckpointState, step)},
    {"/", "survey_checksum", FIELD_UINT, offsetof(CheckpointState, survey_checksum)},
    {"/", "instruction_set", FIELD_NAME, offsetof(CheckpointState, instruction_set)},
    TRAINING("attributes_checksum", FIELD_UINT, attributes_checksum),
    TRAINING("epoch_step", FIELD_INT, epoch_step),
    TRAINING("epoch_ended", FIELD_FLAG, epoch_ended),
    TRAINING("closed", FIELD_FLAG, closed),
    TRAINING("epoch_error_high", FIELD_INT, epoch_error.high),
    TRAINING("epoch_error_low", FIELD_INT, epoch_error.low),
    TRAINING("epoch_patches", FIELD_INT, epoch_patches),
    TRAINING("epoch_counting", FIELD_INT, epoch_counting),
    TRAINING("best_loss", FIELD_NUMBER, best),
    TRAINING("best_epoch", FIELD_INT, best_epoch),
    TRAINING("epochs_since_best", FIELD_INT, epochs_since_best),
    TRAINING("metrics_rows", FIELD_INT, metrics_rows),
    TRAINING("map_checksum", FIELD_UINT, map_checksum),
    TRAINING("init_checksum", FIELD_UINT, init_checksum),
    TRAINING("clean_checksum", FIELD_UINT, clean_checksum),
};

enum { FIELDS = sizeof fields / sizeof *fields };

static Status put_field(const H5File *file, const Field *field, const CheckpointState *state)
{
    const void *place = (const char *)state + field->offset;
    switch (field->kind) {
    case FIELD_INT:
        return h5_put_int(file, field->object, field->name, *(const int64_t *)place);
    case FIELD_UINT:
        return h5_put_uint(file, field->object, field->name, *(const uint64_t *)place);
    case FIELD_FLAG:
        return h5_put_int(file, field->object, field->name, *(const bool *)place);
    case FIELD_NUMBER:
        return h5_put_double(file, field->object, field->name, *(const double *)place);
    case FIELD_NAME:
        break;
    }
    return h5_put_text(file, field->object, field->name, place);
}

static Status get_field(const H5File *file, const Field *field, CheckpointState *state)
{
    void *place = (char *)state + field->offset;
    int64_t flag = 0;
    Status status = STATUS_OK;
    switch (field->kind) {
    case FIELD_INT:
        return h5_get_int(file, field->object, field->name, place);
    case FIELD_UINT: /* a checksum that an older file does not have is none */
        return h5_has(file, field->object, field->name) ? h5_get_uint(file, field->object, field->name, place)
                                                        : STATUS_OK;
    case FIELD_FLAG:
        status = h5_get_int(file, field->object, field->name, &flag);
        *(bool *)place = flag != 0;
        return status;
    case FIELD_NUMBER:
        return h5_get_double(file, field->object, field->name, place);
    case FIELD_NAME:
        break;
    }
    return h5_get_text(file, field->object, field->name, place, CHECKPOINT_NAME_MAX);
}

/* ---- writing ---- */

static Status put_state(const H5File *file, const CheckpointState *state)
{
    const Config *config = &state->config;
    Status status = STATUS_OK;
    for (int i = 0; status == STATUS_OK && i < FIELDS; i++) status = put_field(file, &fields[i], state);
    if (status == STATUS_OK) status = h5_put_int(file, "/", "train_seed", config->train.seed);
    if (status == STATUS_OK) status = h5_put_text(file, "/", "order", config->train.shuffle ? "shuffled" : "as given");
    if (status != STATUS_OK) return status;
    char *text = config_format(config, false);
    if (text == NULL) return STATUS_MEMORY;
    status = h5_put_text(file, "/training", "config", text);
    memory_free(text);
    return status;
}

static Status put_all(const H5File *file, const CheckpointState *state, const Trainer *trainer, const Network *best,
                      const ModelInfo *info, const char *history)
{
    const Network *network = trainer->network;
    const Order *order = &trainer->order;
    Status status = model_put(file, network, info, history);
    if (status == STATUS_OK) status = h5_create_group(file, "/optimizer");
    if (status == STATUS_OK) status = model_put_arrays(file, "/optimizer/exp_avg", network, trainer->adam_mean);
    if (status == STATUS_OK) status = model_put_arrays(file, "/optimizer/exp_avg_sq", network, trainer->adam_square);
    if (status == STATUS_OK) status = h5_create_group(file, "/training");
    if (status == STATUS_OK) status = put_state(file, state);
    if (status == STATUS_OK && best != NULL) status = model_put_state(file, "/training/best", best);
    if (status == STATUS_OK && order->shuffle)
        status = h5_write_new(file, "/training/rows_left", H5T_STD_I64LE, H5T_NATIVE_INT64, 1, &order->n_shards,
                              order->left_before);
    return status;
}

/* Fills the head of a closed file. */
static Status seal(const char *path)
{
    char head[CHECKPOINT_HEAD] = "";
    uint64_t checksum;
    int64_t bytes;
    Status status = checksum_file(path, CHECKPOINT_HEAD, &checksum, &bytes);
    if (status != STATUS_OK) return status;
    snprintf(head, sizeof head, HEAD_FORMAT, bytes, checksum);
    FILE *file = fault_strikes(FAULT_OPEN) ? NULL : fopen(path, "r+b");
    bool written = file != NULL && !fault_strikes(FAULT_WRITE) && fwrite(head, 1, sizeof head, file) == sizeof head;
    if (file != NULL && fault_after(FAULT_CLOSE, fclose(file)) != 0) written = false;
    return written ? STATUS_OK : status_fail(STATUS_IO, "%s: cannot be written: %s", path, strerror(errno));
}

Status checkpoint_write(const char *path, const CheckpointState *state, const Trainer *trainer, const Network *best,
                        const ModelInfo *info, const char *history)
{
    char *temporary = text_format("%s.part", path);
    if (temporary == NULL) return STATUS_MEMORY;
    H5File file;
    Status status = h5_create_behind(temporary, CHECKPOINT_HEAD, &file);
    if (status == STATUS_OK) {
        status = put_all(&file, state, trainer, best, info, history);
        Status closed = h5_close(&file);
        if (status == STATUS_OK) status = closed;
        if (status == STATUS_OK) status = seal(temporary);
        if (status == STATUS_OK) status = files_publish(temporary, path);
        if (status != STATUS_OK) unlink(temporary);
    }
    memory_free(temporary);
    return status;
}

/* ---- reading ---- */

/* Compares the head with what stands behind it. */
static Status verify(const char *path)
{
    char head[CHECKPOINT_HEAD + 1] = "", wanted[CHECKPOINT_HEAD] = "";
    FILE *file = fault_strikes(FAULT_OPEN) ? NULL : fopen(path, "rb");
    if (file == NULL) return status_fail(STATUS_IO, "%s: %s", path, strerror(errno));
    bool failed = fault_strikes(FAULT_READ);
    size_t length = failed ? 0 : fread(head, 1, CHECKPOINT_HEAD, file);
    failed = failed || ferror(file) != 0;
    fclose(file);
    if (failed) return status_fail(STATUS_IO, "%s: cannot be read: %s", path, strerror(errno));
    int64_t bytes = 0, said_bytes;
    uint64_t checksum = 0, said;
    bool known = sscanf(head, "seisdcn checkpoint: %" SCNd64 " bytes behind this block, XXH3_64bits %" SCNx64,
                        &said_bytes, &said) == 2;
    if (length < CHECKPOINT_HEAD || !known)
        return status_fail(STATUS_DATA, "%s: is no checkpoint, or its head is damaged", path);
    Status status = checksum_file(path, CHECKPOINT_HEAD, &checksum, &bytes);
    if (status != STATUS_OK) return status;
    if (bytes != said_bytes)
        return status_fail(STATUS_DATA, "%s: has %" PRId64 " bytes of %" PRId64, path, bytes + CHECKPOINT_HEAD,
                           said_bytes + CHECKPOINT_HEAD);
    if (checksum != said)
        return status_fail(STATUS_DATA,
                           "%s: is damaged: its bytes have checksum %016" PRIx64 ", its head says %016" PRIx64, path,
                           checksum, said);
    snprintf(wanted, sizeof wanted, HEAD_FORMAT, bytes, checksum);
    if (memcmp(head, wanted, sizeof wanted) == 0) return STATUS_OK;
    return status_fail(STATUS_DATA, "%s: its head is damaged", path);
}

static Status get_config(const H5File *file, Config *config)
{
    char *text = memory_new(CONFIG_MAX, 1, "a checkpoint's configuration");
    if (text == NULL) return STATUS_MEMORY;
    config_defaults(config);
    Status status = h5_get_text(file, "/training", "config", text, CONFIG_MAX);
    if (status == STATUS_OK) status = config_parse(config, text, file->path);
    memory_free(text);
    return status == STATUS_CONFIG ? status_prefix(STATUS_DATA, "the configuration of the checkpoint") : status;
}

static Status get_rows_left(const H5File *file, Checkpoint *checkpoint)
{
    int rank = 0;
    int64_t dims[4];
    if (!h5_exists(file, "/training/rows_left")) return STATUS_OK;
    Status status = h5_expect(file, "/training/rows_left", H5T_NATIVE_INT64, 1, (int64_t[]){-1});
    if (status == STATUS_OK) status = h5_dims(file, "/training/rows_left", &rank, dims);
    if (status != STATUS_OK) return status;
    checkpoint->rows_left = memory_new((size_t)dims[0], sizeof(int64_t), "the rows that shards have left");
    if (checkpoint->rows_left == NULL) return STATUS_MEMORY;
    checkpoint->n_shards = dims[0];
    return h5_read_all(file, "/training/rows_left", H5T_NATIVE_INT64, dims[0], checkpoint->rows_left);
}

static Status get_arrays(const H5File *file, const Vector *vector, Checkpoint *checkpoint)
{
    const Network *network = &checkpoint->network;
    size_t n = (size_t)network->n_parameters;
    checkpoint->mean = memory_new(n, sizeof(float), "the optimizer");
    checkpoint->square = memory_new(n, sizeof(float), "the optimizer");
    checkpoint->history = memory_new(HISTORY_MAX, 1, "a file's history");
    if (checkpoint->mean == NULL || checkpoint->square == NULL || checkpoint->history == NULL) return STATUS_MEMORY;
    Status status = model_get_arrays(file, "/optimizer/exp_avg", network, checkpoint->mean);
    if (status == STATUS_OK) status = model_get_arrays(file, "/optimizer/exp_avg_sq", network, checkpoint->square);
    if (status == STATUS_OK) status = h5_get_text(file, "/", "history", checkpoint->history, HISTORY_MAX);
    if (status == STATUS_OK) status = get_rows_left(file, checkpoint);
    if (status != STATUS_OK || checkpoint->state.best_epoch == 0) return status;
    status = network_new(&network->shape, vector, &checkpoint->best);
    return status == STATUS_OK ? model_get_state(file, "/training/best", &checkpoint->best) : status;
}

Status checkpoint_read(const char *path, const Vector *vector, Checkpoint *checkpoint)
{
    memset(checkpoint, 0, sizeof *checkpoint);
    H5File file;
    Status status = verify(path);
    if (status == STATUS_OK) status = h5_open(path, false, &file);
    if (status != STATUS_OK) return status;
    status = model_get(&file, vector, &checkpoint->network, &checkpoint->info);
    for (int i = 0; status == STATUS_OK && i < FIELDS; i++) status = get_field(&file, &fields[i], &checkpoint->state);
    if (status == STATUS_OK) status = get_config(&file, &checkpoint->state.config);
    if (status == STATUS_OK) status = get_arrays(&file, vector, checkpoint);
    Status closed = h5_close(&file);
    if (status == STATUS_OK) status = closed;
    if (status != STATUS_OK) checkpoint_free(checkpoint);
    return status;
}

void checkpoint_free(Checkpoint *checkpoint)
{
    network_free(&checkpoint->network);
    network_free(&checkpoint->best);
    memory_free(checkpoint->mean);
    memory_free(checkpoint->square);
    memory_free(checkpoint->rows_left);
    memory_free(checkpoint->history);
    memset(checkpoint, 0, sizeof *checkpoint);
}

/* ---- going on ---- */

Status checkpoint_fits(const Checkpoint *checkpoint, const Network *network)
{
    const Network *mine = &checkpoint->network;
    bool fits = mine->n_layers == network->n_layers && mine->n_parameters == network->n_parameters &&
                mine->shape.channels == network->shape.channels;
    for (int i = 0; fits && i < network->n_layers; i++)
        fits = mine->layer[i].n_weights == network->layer[i].n_weights &&
               mine->layer[i].out_channels == network->layer[i].out_channels;
    if (fits) return STATUS_OK;
    return status_fail(STATUS_CONFIG,
                       "the checkpoint's weights do not fit the network that the configuration asks for");
}

void checkpoint_install(const Comm *comm, const Checkpoint *checkpoint, const CheckpointState *state, Trainer *trainer)
{
    Network *network = trainer->network;
    Order *order = &trainer->order;
    size_t floats = (size_t)network->n_parameters * sizeof(float);
    size_t channels = (size_t)network->shape.channels * sizeof(double);
    if (comm->rank == 0) {
        network_copy_state(&checkpoint->network, network);
        memcpy(trainer->adam_mean, checkpoint->mean, floats);
        memcpy(trainer->adam_square, checkpoint->square, floats);
        if (order->shuffle && checkpoint->n_shards == order->n_shards)
            memcpy(order->left_before, checkpoint->rows_left, (size_t)order->n_shards * sizeof(int64_t));
    }
    comm_broadcast(comm, network->parameter, floats);
    comm_broadcast(comm, network->running_mean, channels);
    comm_broadcast(comm, network->running_var, channels);
    comm_broadcast(comm, &network->n_batches, sizeof network->n_batches);
    comm_broadcast(comm, trainer->adam_mean, floats);
    comm_broadcast(comm, trainer->adam_square, floats);
    if (order->shuffle) comm_broadcast(comm, order->left_before, (size_t)order->n_shards * sizeof(int64_t));
    trainer->step = state->step;
    trainer->epoch_error = state->epoch_error;
    trainer->epoch_patches = state->epoch_patches;
    trainer->epoch_counting = state->epoch_counting;
}
