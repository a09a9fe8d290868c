#include "train_output.h"

#include "seisdcn/files.h"
#include "seisdcn/log.h"
#include "seisdcn/memory.h"
#include "seisdcn/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* What another value of a key does to a training that goes on. */
typedef enum {
    CHANGES_RESULT,  /* not the steps taken, but those to come: refused unless allowed. What a new key is by itself. */
    CHANGES_ORDER,   /* so does it, and the place in the epoch means nothing any more: the epoch begins anew */
    CHANGES_NETWORK, /* the weights would not fit */
    CHANGES_NOTHING, /* it says how far to go, or what to write on the way */
    CHANGES_RUN,     /* it belongs to one run, and a checkpoint does not keep it */
} Effect;

static const Effect effects[CHANGES] = {
    [CONFIG_PATCH_SIZE] = CHANGES_ORDER,
    [CONFIG_PATCH_STRIDE] = CHANGES_ORDER,
    [CONFIG_SPLIT_BY] = CHANGES_ORDER,
    [CONFIG_SPLIT_TEST] = CHANGES_ORDER,
    [CONFIG_SPLIT_VALID] = CHANGES_ORDER,
    [CONFIG_SPLIT_SEED] = CHANGES_ORDER,
    [CONFIG_NETWORK_CHANNELS] = CHANGES_NETWORK,
    [CONFIG_NETWORK_K_MULT] = CHANGES_NETWORK,
    [CONFIG_NETWORK_LEVELS] = CHANGES_NETWORK,
    [CONFIG_NETWORK_DROPOUT] = CHANGES_RESULT,
    [CONFIG_NETWORK_MIXING] = CHANGES_NETWORK,
    [CONFIG_NETWORK_SKIP] = CHANGES_NETWORK,
    [CONFIG_NETWORK_WIDTH] = CHANGES_NETWORK,
    [CONFIG_NETWORK_OUT_CHANNELS] = CHANGES_NETWORK,
    [CONFIG_NETWORK_OUTPUT] = CHANGES_NETWORK,
    [CONFIG_NETWORK_DROPOUT_LAST] = CHANGES_RESULT,
    [CONFIG_TRAIN_BATCH_SIZE] = CHANGES_ORDER,
    [CONFIG_TRAIN_MAX_EPOCHS] = CHANGES_NOTHING,
    [CONFIG_TRAIN_LEARNING_RATE] = CHANGES_RESULT,
    [CONFIG_TRAIN_SEED] = CHANGES_ORDER,
    [CONFIG_TRAIN_SHUFFLE] = CHANGES_ORDER,
    [CONFIG_TRAIN_MAX_STEPS] = CHANGES_NOTHING,
    [CONFIG_TRAIN_MAX_TIME_MINUTES] = CHANGES_RUN,
    [CONFIG_TRAIN_MAX_PATCHES_PER_EPOCH] = CHANGES_ORDER,
    [CONFIG_TRAIN_MAX_VALID_PATCHES] = CHANGES_RESULT, /* the validation loss, and so the best model */
    [CONFIG_TRAIN_CHECKPOINT_EVERY_STEPS] = CHANGES_NOTHING,
    [CONFIG_TRAIN_LOG_EVERY_STEPS] = CHANGES_NOTHING,
    [CONFIG_TRAIN_EARLY_STOPPING_PATIENCE] = CHANGES_NOTHING,
    [CONFIG_TRAIN_SHARDS] = CHANGES_ORDER,
    [CONFIG_TRAIN_BLOCK_GATHERS] = CHANGES_ORDER,
    [CONFIG_TRAIN_MEMORY_LIMIT_MB] = CHANGES_RUN,
    [CONFIG_APPLY_METHOD] = CHANGES_NOTHING,
    [CONFIG_APPLY_MUTE_THRESHOLD] = CHANGES_NOTHING,
    [CONFIG_APPLY_KEEP_MUTES] = CHANGES_NOTHING,
    [CHANGE_SURVEY] = CHANGES_ORDER,
    [CHANGE_MAP] = CHANGES_ORDER,
    [CHANGE_CLEAN] = CHANGES_RESULT,
};

Config train_resume_kept(const Config *config)
{
    Config kept = *config, defaults;
    config_defaults(&defaults);
    for (int key = 0; key < CONFIG_KEYS; key++)
        if (effects[key] == CHANGES_RUN) config_copy(&kept, &defaults, (ConfigKey)key);
    return kept;
}

/* ---- --allow-change ---- */

/* The change that name stands for, -1 where it is none. */
static int find_change(const char *name)
{
    if (strcmp(name, "survey") == 0) return CHANGE_SURVEY;
    if (strcmp(name, "map") == 0) return CHANGE_MAP;
    if (strcmp(name, "clean") == 0) return CHANGE_CLEAN;
    ConfigKey key = config_find(name);
    return key == CONFIG_KEYS ? -1 : (int)key;
}

static Status unknown_change(const char *name)
{
    const char *names[CHANGES];
    for (int key = 0; key < CONFIG_KEYS; key++) names[key] = config_name((ConfigKey)key);
    names[CHANGE_SURVEY] = "survey";
    names[CHANGE_MAP] = "map";
    names[CHANGE_CLEAN] = "clean";
    const char *nearest = text_nearest(name, names, CHANGES);
    return status_fail(STATUS_USAGE, "--allow-change %.80s: no such key%s%s; wanted: section.key, survey, map or clean",
                       name, nearest == NULL ? "" : "; did you mean ", nearest == NULL ? "" : nearest);
}

static Status allow(const char *name, TrainResume *resume)
{
    int change = find_change(name);
    if (change < 0) return unknown_change(name);
    if (effects[change] == CHANGES_NETWORK)
        return status_fail(STATUS_USAGE, "--allow-change %s: the weights would not fit another network; train one anew",
                           name);
    resume->allowed[change] = true;
    return STATUS_OK;
}

Status train_resume_allow(const char *keys, TrainResume *resume)
{
    char *list = text_copy(keys == NULL ? "" : keys), *rest = NULL;
    if (list == NULL) return STATUS_MEMORY;
    Status status = STATUS_OK;
    for (char *name = strtok_r(list, ",", &rest); status == STATUS_OK && name != NULL;
         name = strtok_r(NULL, ",", &rest))
        status = allow(name, resume);
    memory_free(list);
    return status;
}

/* ---- finding ---- */

/* Reads path; a damaged file is warned of, counted, and no failure. */
static Status try_read(const char *path, const Vector *vector, Checkpoint *checkpoint, bool *whole, int64_t *damaged)
{
    Status status = checkpoint_read(path, vector, checkpoint);
    *whole = status == STATUS_OK;
    if (status == STATUS_OK || status == STATUS_MEMORY) return status;
    log_warning("%s; looking for another checkpoint", status_message());
    status_clear();
    ++*damaged;
    return STATUS_OK;
}

/* The newest whole step_N.h5 of folder/checkpoints. */
static Status find_step(const char *folder, const Vector *vector, TrainResume *resume, int64_t *damaged)
{
    char *checkpoints = text_format("%s/checkpoints", folder), **names = NULL;
    int64_t n = 0;
    Status status = checkpoints == NULL ? STATUS_MEMORY : STATUS_OK;
    if (status == STATUS_OK && files_is_folder(checkpoints)) status = files_list(checkpoints, ".h5", &names, &n);
    for (int64_t i = n - 1; status == STATUS_OK && i >= 0 && !resume->found; i--) {
        int64_t step;
        if (!train_output_is_checkpoint(names[i], &step)) continue;
        char *path = text_format("%s/%s", checkpoints, names[i]);
        status = path == NULL ? STATUS_MEMORY : try_read(path, vector, &resume->checkpoint, &resume->found, damaged);
        if (resume->found)
            resume->path = path;
        else
            memory_free(path);
    }
    memory_free(names);
    memory_free(checkpoints);
    return status;
}

/* last.h5 is written before the checkpoint of its step: a run killed in between has only that. */
static Status consider_last(const char *folder, const Vector *vector, TrainResume *resume, int64_t *damaged)
{
    char *path = text_format("%s/last.h5", folder);
    if (path == NULL) return STATUS_MEMORY;
    Checkpoint last = {0};
    bool whole = false;
    Status status = files_exists(path) ? try_read(path, vector, &last, &whole, damaged) : STATUS_OK;
    const CheckpointState *a = &last.state, *b = &resume->checkpoint.state;
    bool later = whole && (!resume->found || a->step > b->step ||
                           (a->step == b->step && a->epoch_ended + a->closed > b->epoch_ended + b->closed));
    if (later) {
        checkpoint_free(&resume->checkpoint);
        memory_free(resume->path);
        resume->checkpoint = last;
        resume->path = path;
        resume->found = true;
        return status;
    }
    checkpoint_free(&last);
    memory_free(path);
    return status;
}

Status train_resume_find(const Comm *comm, const char *folder, const Vector *vector, TrainResume *resume)
{
    int64_t damaged = 0;
    Status status = STATUS_OK;
    if (comm->rank == 0) {
        status = find_step(folder, vector, resume, &damaged);
        if (status == STATUS_OK) status = consider_last(folder, vector, resume, &damaged);
        if (status == STATUS_OK && !resume->found && damaged > 0)
            status =
                status_fail(STATUS_DATA,
                            "%s holds no whole checkpoint (see the warnings): bring one back from a copy, or start "
                            "anew with --force in the place of --resume",
                            folder);
        resume->state = resume->checkpoint.state;
    }
    status = comm_agree(comm, status);
    if (status != STATUS_OK) return status;
    comm_broadcast(comm, &resume->found, sizeof resume->found);
    comm_broadcast(comm, &resume->state, sizeof resume->state);
    return STATUS_OK;
}

void train_resume_free(TrainResume *resume)
{
    checkpoint_free(&resume->checkpoint);
    memory_free(resume->path);
    memset(resume, 0, sizeof *resume);
}

/* ---- comparing ---- */

void train_resume_take_config(const TrainResume *resume, Config *config)
{
    for (int key = 0; key < CONFIG_KEYS; key++)
        if (!config->is_set[key] && effects[key] != CHANGES_RUN)
            config_copy(config, &resume->state.config, (ConfigKey)key);
}

/* Notes a difference; whether it is refused. */
static bool refused(TrainResume *resume, int change)
{
    Effect effect = effects[change];
    if (effect == CHANGES_RUN) return false;
    resume->changed = true;
    if (effect == CHANGES_NOTHING) return false;
    if (effect == CHANGES_NETWORK || !resume->allowed[change]) return true;
    if (effect == CHANGES_ORDER) resume->anew = true;
    return false;
}

Status train_resume_check_config(TrainResume *resume, const char *folder, const Config *config)
{
    const Config *held = &resume->state.config;
    char list[1024] = "", mine[CONFIG_VALUE_MAX], theirs[CONFIG_VALUE_MAX];
    const char *first = NULL;
    size_t at = 0;
    bool never = false;
    for (int key = 0; key < CONFIG_KEYS; key++) {
        if (config_same(config, held, (ConfigKey)key) || !refused(resume, key)) continue;
        never = never || effects[key] == CHANGES_NETWORK;
        if (at < sizeof list)
            at += (size_t)snprintf(list + at, sizeof list - at, "%s%s is %s and was %s", first == NULL ? "" : ", ",
                                   config_name((ConfigKey)key), config_describe(config, (ConfigKey)key, mine),
                                   config_describe(held, (ConfigKey)key, theirs));
        if (first == NULL) first = config_name((ConfigKey)key);
    }
    if (first == NULL) return STATUS_OK;
    if (never)
        return status_fail(STATUS_CONFIG, "%s cannot be resumed so: %s: the weights would not fit another network",
                           folder, list);
    return status_fail(STATUS_CONFIG,
                       "%s cannot be resumed so: %s: the result would change; leave the key out to go on as before, or "
                       "permit it with --allow-change %s",
                       folder, list, first);
}

static Status check_checksum(TrainResume *resume, const char *folder, int change, const char *name, uint64_t mine,
                             uint64_t theirs)
{
    if (mine == theirs || !refused(resume, change)) return STATUS_OK;
    return status_fail(STATUS_CONFIG,
                       "%s cannot be resumed so: the %s has checksum %016" PRIx64 " and had %016" PRIx64
                       ": the result would change; permit it with --allow-change %s",
                       folder, name, mine, theirs, name);
}

Status train_resume_check(TrainResume *resume, const char *folder, const CheckpointState *now)
{
    const CheckpointState *held = &resume->state;
    Status status =
        check_checksum(resume, folder, CHANGE_SURVEY, "survey", now->survey_checksum, held->survey_checksum);
    if (status == STATUS_OK)
        status = check_checksum(resume, folder, CHANGE_MAP, "map", now->map_checksum, held->map_checksum);
    if (status == STATUS_OK)
        status = check_checksum(resume, folder, CHANGE_CLEAN, "clean", now->clean_checksum, held->clean_checksum);
    if (status == STATUS_OK && now->init_checksum != 0 && now->init_checksum != held->init_checksum)
        status = status_fail(STATUS_USAGE,
                             "--init names another model than the training in %s began with%s; leave it out to go on",
                             folder, held->init_checksum == 0 ? " (it had none)" : "");
    if (status != STATUS_OK) return status;
    bool other = strcmp(now->instruction_set, held->instruction_set) != 0;
    bool other_blas = strcmp(now->blas_kernels, held->blas_kernels) != 0;
    if (other || other_blas)
        log_warning("%s was computed with %s%s%s, this run has %s%s%s: from step %" PRId64
                    " on its bits differ from those of a run that was never interrupted",
                    folder, held->instruction_set, other_blas ? ", OpenBLAS for " : "",
                    other_blas ? held->blas_kernels : "", now->instruction_set, other_blas ? ", OpenBLAS for " : "",
                    other_blas ? now->blas_kernels : "", held->step + 1);
    resume->changed = resume->changed || other || other_blas;
    return STATUS_OK;
}

bool train_resume_finished(const TrainResume *resume, const Config *config)
{
    const CheckpointState *state = &resume->state;
    int64_t max_steps = config->train.max_steps, patience = config->train.early_stopping_patience;
    bool at_limit = max_steps > 0 && state->step >= max_steps;
    if (state->closed && at_limit) return true;
    if (!state->epoch_ended) return state->epoch > config->train.max_epochs;
    return at_limit || state->epoch >= config->train.max_epochs ||
           (patience > 0 && state->epochs_since_best >= patience);
}
