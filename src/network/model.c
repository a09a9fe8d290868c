#include "model_private.h"

#include "seisdcn/checksum.h"
#include "seisdcn/files.h"
#include "seisdcn/h5.h"
#include "seisdcn/log.h"
#include "seisdcn/memory.h"
#include "seisdcn/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const FORMAT = "seisdcn-model";

/* One array of the state_dict: a view of the network's parameters (or of an array in the same order). */
typedef struct {
    char name[NETWORK_NAME_MAX + 16];
    int rank;
    int64_t dims[4], at, n; /* at: in the flat array; -1 running_mean, -2 running_var */
} Entry;

enum { RUNNING_MEAN = -1, RUNNING_VAR = -2, ENTRIES_MAX = 4 + 4 * NETWORK_LEVELS_MAX, PATH_BYTES = 128 };

/* The float arrays of the state_dict in its order; num_batches_tracked comes behind the first four. */
static int list_entries(const Network *network, Entry entry[ENTRIES_MAX])
{
    int64_t channels = network->shape.channels;
    entry[0] = (Entry){"_bnorm.weight", 1, {channels}, 0, channels};
    entry[1] = (Entry){"_bnorm.bias", 1, {channels}, channels, channels};
    entry[2] = (Entry){"_bnorm.running_mean", 1, {channels}, RUNNING_MEAN, channels};
    entry[3] = (Entry){"_bnorm.running_var", 1, {channels}, RUNNING_VAR, channels};
    int n = 4;
    for (int i = 0; i < network->n_layers; i++) {
        const NetworkLayer *layer = &network->layer[i];
        const ConvShape *conv = &layer->conv;
        Entry *weight = &entry[n++], *bias = &entry[n++];
        *weight = (Entry){"", 4, {conv->groups * conv->small_channels, conv->big_channels, 3, 3}, layer->weight, 0};
        weight->n = layer->n_weights;
        *bias = (Entry){"", 1, {layer->out_channels}, layer->bias, layer->out_channels};
        snprintf(weight->name, sizeof weight->name, "%s.weight", layer->name);
        snprintf(bias->name, sizeof bias->name, "%s.bias", layer->name);
    }
    return n;
}

/* The floats of an entry, copied into values. */
static void get_values(const Network *network, const Entry *entry, float *values)
{
    const double *running = entry->at == RUNNING_MEAN ? network->running_mean : network->running_var;
    for (int64_t i = 0; i < entry->n; i++)
        values[i] = entry->at >= 0 ? network->parameter[entry->at + i] : (float)running[i];
}

static void put_values(Network *network, const Entry *entry, const float *values)
{
    double *running = entry->at == RUNNING_MEAN ? network->running_mean : network->running_var;
    for (int64_t i = 0; i < entry->n; i++)
        if (entry->at >= 0)
            network->parameter[entry->at + i] = values[i];
        else
            running[i] = (double)values[i];
}

Status model_checksum(const Network *network, uint64_t *checksum)
{
    Entry entry[ENTRIES_MAX];
    int n = list_entries(network, entry);
    size_t channels = (size_t)network->shape.channels;
    size_t bytes = ((size_t)network->n_parameters + 2 * channels) * sizeof(float) + sizeof(int64_t), at = 0;
    char *all = memory_new(bytes, 1, "the state_dict");
    if (all == NULL) return STATUS_MEMORY;
    for (int i = 0; i < n; i++) {
        get_values(network, &entry[i], (float *)(void *)(all + at));
        at += (size_t)entry[i].n * sizeof(float);
        if (i == 3) {
            /* behind 16 bytes a channel: aligned */
            memcpy(all + at, &network->n_batches, sizeof(int64_t));
            at += sizeof(int64_t);
        }
    }
    *checksum = checksum_bytes(all, bytes);
    memory_free(all);
    return STATUS_OK;
}

Status model_put_state(const H5File *file, const char *group, const Network *network)
{
    Entry entry[ENTRIES_MAX];
    char name[PATH_BYTES];
    int n = list_entries(network, entry);
    float *values = memory_new((size_t)network->n_parameters, sizeof *values, "the state_dict");
    if (values == NULL) return STATUS_MEMORY;
    Status status = h5_create_group(file, group);
    for (int i = 0; status == STATUS_OK && i < n; i++) {
        snprintf(name, sizeof name, "%s/%.40s", group, entry[i].name);
        get_values(network, &entry[i], values);
        status = h5_write_new(file, name, H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, entry[i].rank, entry[i].dims, values);
    }
    snprintf(name, sizeof name, "%s/_bnorm.num_batches_tracked", group);
    if (status == STATUS_OK)
        status = h5_write_new(file, name, H5T_STD_I64LE, H5T_NATIVE_INT64, 0, NULL, &network->n_batches);
    memory_free(values);
    return status;
}

Status model_put_arrays(const H5File *file, const char *group, const Network *network, const float *values)
{
    Entry entry[ENTRIES_MAX];
    char name[PATH_BYTES];
    int n = list_entries(network, entry);
    Status status = h5_create_group(file, group);
    for (int i = 0; status == STATUS_OK && i < n; i++) {
        if (entry[i].at < 0) continue;
        snprintf(name, sizeof name, "%s/%.40s", group, entry[i].name);
        status = h5_write_new(file, name, H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, entry[i].rank, entry[i].dims,
                              values + entry[i].at);
    }
    return status;
}

static Status write_attributes(const H5File *file, const Network *network, const ModelInfo *info, const char *history)
{
    uint64_t checksum;
    Status status = model_checksum(network, &checksum);
    if (status == STATUS_OK) status = h5_put_text(file, "/", "format", FORMAT);
    if (status == STATUS_OK) status = h5_put_int(file, "/", "version", 1);
    if (status == STATUS_OK) status = h5_put_text(file, "/", "history", history);
    if (status == STATUS_OK) status = model_write_shape(file, &network->shape);
    if (status == STATUS_OK) status = h5_put_uint(file, "/", "model_checksum", checksum);
    if (status == STATUS_OK) status = index_deal_put(file, &info->deal, "survey_checksum");
    if (status == STATUS_OK && info->has_apply) {
        status = h5_put_text(file, "/", "apply_method", config_word(CONFIG_APPLY_METHOD, info->apply_method));
        if (status == STATUS_OK) status = h5_put_double(file, "/", "apply_mute_threshold", info->mute_threshold);
        if (status == STATUS_OK) status = h5_put_int(file, "/", "apply_keep_mutes", info->keep_mutes);
    }
    if (status == STATUS_OK && info->channels[0] != '\0') status = h5_put_text(file, "/", "channels", info->channels);
    return status;
}

Status model_put(const H5File *file, const Network *network, const ModelInfo *info, const char *history)
{
    Status status = write_attributes(file, network, info, history);
    return status == STATUS_OK ? model_put_state(file, "/state_dict", network) : status;
}

Status model_write(const char *path, const Network *network, const ModelInfo *info, const char *history)
{
    char *temporary = text_format("%s.part", path);
    if (temporary == NULL) return STATUS_MEMORY;
    H5File file;
    Status status = h5_create(temporary, &file);
    if (status == STATUS_OK) {
        status = model_put(&file, network, info, history);
        Status closed = h5_close(&file);
        if (status == STATUS_OK) status = closed;
        if (status == STATUS_OK) status = files_publish(temporary, path);
        if (status != STATUS_OK) unlink(temporary);
    }
    memory_free(temporary);
    return status;
}

/* ---- reading ---- */

static Status read_info(const H5File *file, ModelInfo *info)
{
    memset(info, 0, sizeof *info);
    Status status = index_deal_get(file, "survey_checksum", &info->deal);
    info->has_apply = h5_has(file, "/", "apply_method") && h5_has(file, "/", "apply_mute_threshold") &&
                      h5_has(file, "/", "apply_keep_mutes");
    if (status == STATUS_OK && info->has_apply) {
        int method = 0;
        int64_t keep = 0;
        status = h5_get_choice(file, "apply_method", CONFIG_APPLY_METHOD, &method);
        info->apply_method = method;
        if (status == STATUS_OK) status = h5_get_double(file, "/", "apply_mute_threshold", &info->mute_threshold);
        if (status == STATUS_OK) status = h5_get_int(file, "/", "apply_keep_mutes", &keep);
        info->keep_mutes = keep != 0;
    }
    if (status == STATUS_OK && h5_has(file, "/", "channels"))
        status = h5_get_text(file, "/", "channels", info->channels, sizeof info->channels);
    return status;
}

Status model_get_state(const H5File *file, const char *group, Network *network)
{
    Entry entry[ENTRIES_MAX];
    char name[PATH_BYTES];
    int n = list_entries(network, entry);
    float *values = memory_new((size_t)network->n_parameters, sizeof *values, "the state_dict");
    if (values == NULL) return STATUS_MEMORY;
    Status status = STATUS_OK;
    for (int i = 0; status == STATUS_OK && i < n; i++) {
        snprintf(name, sizeof name, "%s/%.40s", group, entry[i].name);
        status = h5_expect(file, name, H5T_NATIVE_FLOAT, entry[i].rank, entry[i].dims);
        if (status != STATUS_OK) {
            status = status_prefix(status, "%s does not fit its n_chans, k_mult, levels and mixing", file->path);
            break;
        }
        status = h5_read_all(file, name, H5T_NATIVE_FLOAT, entry[i].n, values);
        for (int64_t k = 0; status == STATUS_OK && k < entry[i].n; k++)
            if (!isfinite(values[k]))
                status = status_fail(STATUS_DATA, "%s: %s holds a value that is not finite", file->path, name);
        if (status == STATUS_OK) put_values(network, &entry[i], values);
    }
    memory_free(values);
    for (int64_t c = 0; status == STATUS_OK && c < network->shape.channels; c++)
        if (network->running_var[c] < 0)
            status = status_fail(STATUS_DATA, "%s: _bnorm.running_var holds a negative value", file->path);
    snprintf(name, sizeof name, "%s/_bnorm.num_batches_tracked", group);
    if (status == STATUS_OK && h5_exists(file, name))
        status = h5_read_all(file, name, H5T_NATIVE_INT64, 1, &network->n_batches);
    return status;
}

Status model_get_arrays(const H5File *file, const char *group, const Network *network, float *values)
{
    Entry entry[ENTRIES_MAX];
    char name[PATH_BYTES];
    int n = list_entries(network, entry);
    Status status = STATUS_OK;
    for (int i = 0; status == STATUS_OK && i < n; i++) {
        if (entry[i].at < 0) continue;
        snprintf(name, sizeof name, "%s/%.40s", group, entry[i].name);
        status = h5_expect(file, name, H5T_NATIVE_FLOAT, entry[i].rank, entry[i].dims);
        if (status == STATUS_OK) status = h5_read_all(file, name, H5T_NATIVE_FLOAT, entry[i].n, values + entry[i].at);
    }
    return status;
}

Status model_get(const H5File *file, const Vector *vector, Network *network, ModelInfo *info)
{
    NetworkShape shape = {0};
    Status status = h5_check_format(file, FORMAT, "a model file", 1, NULL);
    if (status == STATUS_OK) status = model_read_shape(file, &shape);
    if (status == STATUS_OK) status = read_info(file, info);
    if (status == STATUS_OK) status = network_new(&shape, vector, network);
    if (status == STATUS_OK) status = model_get_state(file, "/state_dict", network);
    if (status == STATUS_OK) status = model_checksum(network, &info->checksum);
    if (status == STATUS_OK && h5_has(file, "/", "model_checksum")) {
        uint64_t said;
        status = h5_get_uint(file, "/", "model_checksum", &said);
        if (status == STATUS_OK && said != info->checksum)
            status = status_fail(STATUS_DATA,
                                 "%s is damaged: its state_dict has checksum %016" PRIx64 ", model_checksum says "
                                 "%016" PRIx64,
                                 file->path, info->checksum, said);
    }
    return status;
}

static Status read_model(const char *path, const Vector *vector, Network *network, ModelInfo *info)
{
    H5File file;
    Status status = h5_open(path, false, &file);
    if (status != STATUS_OK) return status;
    status = model_get(&file, vector, network, info);
    Status closed = h5_close(&file);
    return status != STATUS_OK ? status : closed;
}

Status model_load(const Comm *comm, const char *path, const Vector *vector, Network *network, ModelInfo *info)
{
    memset(network, 0, sizeof *network);
    Status status = STATUS_OK;
    if (comm->rank == 0) status = read_model(path, vector, network, info);
    status = comm_agree(comm, status);
    NetworkShape shape = network->shape;
    if (status == STATUS_OK) {
        comm_broadcast(comm, &shape, sizeof shape);
        comm_broadcast(comm, info, sizeof *info);
        if (comm->rank != 0) status = network_new(&shape, vector, network);
        status = comm_agree(comm, status);
    }
    if (status == STATUS_OK) {
        size_t channels = (size_t)shape.channels;
        comm_broadcast(comm, network->parameter, (size_t)network->n_parameters * sizeof(float));
        comm_broadcast(comm, network->running_mean, channels * sizeof(double));
        comm_broadcast(comm, network->running_var, channels * sizeof(double));
        comm_broadcast(comm, &network->n_batches, sizeof network->n_batches);
    }
    if (status != STATUS_OK) network_free(network);
    return status;
}

Status model_choose_vector(const Comm *comm, const Vector **vector)
{
    const char *forced = getenv("SEISDCN_ISA");
    int64_t level = vector_level(), wanted = level;
    Status status = STATUS_OK;
    if (forced != NULL && *forced != '\0') {
        wanted = vector_level_of(forced);
        if (wanted == 0)
            status = status_fail(STATUS_USAGE, "SEISDCN_ISA=%s is not known: avx512, avx2 or portable", forced);
        else if (wanted > level)
            status =
                status_fail(STATUS_USAGE, "SEISDCN_ISA=%s: rank %d's processor does not have it", forced, comm->rank);
    }
    status = comm_agree(comm, status);
    if (status != STATUS_OK) return status;
    int64_t least = -wanted;
    comm_max(comm, &least, 1);
    *vector = vector_of_level((int)-least);
    log_note("instruction set: %s (%s)", (*vector)->name,
             forced != NULL && *forced != '\0' ? "forced by SEISDCN_ISA" : "the best that every rank has");
    return STATUS_OK;
}
