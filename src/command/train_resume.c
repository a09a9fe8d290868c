#include "train_options.h"
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
    [CONFIG_PATCH_SCALE] = CHANGES_NETWORK,
    [CONFIG_PATCH_SCALE_GRID] = CHANGES_NETWORK,
    [CONFIG_PATCH_MIN_LIVE] = CHANGES_ORDER,
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
    [CONFIG_TRAIN_LEARNING_RATE_DECAY] = CHANGES_RESULT,
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
    [CONFIG_APPLY_MAX_TIME_MINUTES] = CHANGES_RUN,
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
        return status_fail(
            STATUS_USAGE,
            "--allow-change %s: it belongs to the network itself, whose weights serve no other; train one anew", name);
    resume->allowed[change] = true;
    return STATUS_OK;
}

/* Keys with commas between. */
static Status allow_list(const char *keys, TrainResume *resume)
{
    char *list = text_copy(keys), *rest = NULL;
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
    int64_t ended_a = a->epoch + a->epoch_ended, ended_b = b->epoch + b->epoch_ended;
    bool later =
        whole && (!resume->found || a->step > b->step ||
                  (a->step == b->step && (ended_a > ended_b || (ended_a == ended_b && a->closed > b->closed))));
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

static Status find(const Comm *comm, const char *folder, const Vector *vector, TrainResume *resume)
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
        memcpy(resume->channels, resume->checkpoint.info.channels, sizeof resume->channels);
    }
    status = comm_agree(comm, status);
    if (status != STATUS_OK) return status;
    comm_broadcast(comm, &resume->found, sizeof resume->found);
    comm_broadcast(comm, &resume->state, sizeof resume->state);
    comm_broadcast(comm, resume->channels, sizeof resume->channels);
    return STATUS_OK;
}

void train_resume_free(TrainResume *resume)
{
    checkpoint_free(&resume->checkpoint);
    memory_free(resume->path);
    memset(resume, 0, sizeof *resume);
}

/* ---- comparing ---- */

/* Keys that the user did not set take the checkpoint's values. */
static void take_config(const TrainResume *resume, Config *config)
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

static Status check_config(TrainResume *resume, const char *folder, const Config *config)
{
    const Config *held = &resume->state.config;
    char list[768] = "", remedy[512] = "", mine[CONFIG_VALUE_MAX], theirs[CONFIG_VALUE_MAX];
    size_t at = 0, remedy_at = 0;
    bool never = false;
    for (int k = 0; k < CONFIG_KEYS; k++) {
        ConfigKey key = (ConfigKey)k;
        if (config_same(config, held, key) || !refused(resume, k)) continue;
        never = never || effects[k] == CHANGES_NETWORK;
        if (at < sizeof list)
            at += (size_t)snprintf(list + at, sizeof list - at, "%s%s is %s and was %s", at == 0 ? "" : ", ",
                                   config_name(key), config_describe(config, key, mine),
                                   config_describe(held, key, theirs));
        if (remedy_at < sizeof remedy)
            remedy_at +=
                (size_t)snprintf(remedy + remedy_at, sizeof remedy - remedy_at, " --allow-change %s", config_name(key));
    }
    if (at == 0) return STATUS_OK;
    if (never)
        return status_fail(STATUS_CONFIG,
                           "%s cannot be resumed: %s: the weights would not fit another network; set it back, or train "
                           "into another folder",
                           folder, list);
    return status_fail(STATUS_CONFIG,
                       "%s cannot be resumed: %s: the result would be another; set it back, or permit it with%s",
                       folder, list, remedy);
}

/* "0123456789abcdef", "none" for 0 */
static const char *name_checksum(uint64_t checksum, char text[24])
{
    snprintf(text, 24, checksum == 0 ? "none" : "%016" PRIx64, checksum);
    return text;
}

static Status check_checksum(TrainResume *resume, const char *folder, int change, const char *what, uint64_t mine,
                             uint64_t theirs)
{
    char a[24], b[24];
    const char *name = change == CHANGE_SURVEY ? "survey" : what;
    if (mine == theirs || !refused(resume, change)) return STATUS_OK;
    return status_fail(STATUS_CONFIG,
                       "%s cannot be resumed: the checksum of the %s is %s and was %s: the result would be another; "
                       "give the same %s, or permit it with --allow-change %s",
                       folder, what, name_checksum(mine, a), name_checksum(theirs, b), what, name);
}

static void compare_machines(TrainResume *resume, const char *folder, const CheckpointState *now)
{
    const CheckpointState *held = &resume->state;
    if (strcmp(now->instruction_set, held->instruction_set) == 0) return;
    log_warning("%s was computed with %s, this run has %s: from step %" PRId64
                " on its bits differ from those of a run that was never interrupted",
                folder, held->instruction_set, now->instruction_set, held->step + 1);
    resume->changed = true;
}

/* Rank 0's, which alone has the checkpoint and the map's rows. */
static Status compare(TrainResume *resume, const char *folder, const CheckpointState *now, const Network *network)
{
    const CheckpointState *held = &resume->state;
    Status status = check_config(resume, folder, &now->config);
    if (status == STATUS_OK)
        status = check_checksum(resume, folder, CHANGE_SURVEY, "survey", now->survey_checksum, held->survey_checksum);
    if (status == STATUS_OK)
        status = check_checksum(resume, folder, CHANGE_SURVEY, "survey's attributes", now->attributes_checksum,
                                held->attributes_checksum);
    if (status == STATUS_OK)
        status = check_checksum(resume, folder, CHANGE_MAP, "map", now->map_checksum, held->map_checksum);
    if (status == STATUS_OK)
        status = check_checksum(resume, folder, CHANGE_CLEAN, "clean", now->clean_checksum, held->clean_checksum);
    if (status == STATUS_OK && now->init_checksum != 0 && now->init_checksum != held->init_checksum)
        status = status_fail(STATUS_USAGE,
                             "--init names another model than the training in %s began with%s; leave it out to go on",
                             folder, held->init_checksum == 0 ? " (which was none)" : "");
    if (status == STATUS_OK) status = checkpoint_fits(&resume->checkpoint, network);
    if (status == STATUS_OK) compare_machines(resume, folder, now);
    return status;
}

Status train_resume_compare(const Job *job, TrainResume *resume, CheckpointState *now, const Network *network)
{
    if (!resume->found) return STATUS_OK;
    const char *folder = train_options(job)->output;
    Status status = comm_agree(&job->comm, job->comm.rank == 0 ? compare(resume, folder, now, network) : STATUS_OK);
    if (status != STATUS_OK) return status;
    comm_broadcast(&job->comm, &resume->anew, sizeof resume->anew);
    CheckpointState mine = *now;
    *now = resume->state;
    now->config = mine.config;
    now->survey_checksum = mine.survey_checksum;
    now->attributes_checksum = mine.attributes_checksum;
    now->clean_checksum = mine.clean_checksum;
    now->map_checksum = mine.map_checksum;
    return STATUS_OK;
}

/* ---- beginning ---- */

static bool is_finished(const CheckpointState *state, const Config *config)
{
    int64_t max_steps = config->train.max_steps, patience = config->train.early_stopping_patience;
    bool at_limit = max_steps > 0 && state->step >= max_steps;
    if (state->closed && at_limit) return true;
    if (!state->epoch_ended) return state->epoch > config->train.max_epochs;
    return at_limit || state->epoch >= config->train.max_epochs ||
           (patience > 0 && state->epochs_since_best >= patience);
}

static Status check_options(const Job *job, TrainResume *resume)
{
    const OptionTexts *changes = &train_options(job)->allow_change;
    bool resumes = train_options(job)->resume;
    if (resumes && job->force)
        return status_fail(STATUS_USAGE, "--resume goes on with a training, --force begins it anew: give one of them");
    if (changes->n > 0 && !resumes)
        return status_fail(STATUS_USAGE, "--allow-change belongs to --resume: a new training has nothing to change");
    Status status = STATUS_OK;
    for (int i = 0; status == STATUS_OK && i < changes->n; i++) status = allow_list(changes->text[i], resume);
    return status;
}

Status train_resume_begin(Job *job, const Vector *vector, TrainResume *resume, CheckpointState *now)
{
    const Comm *comm = &job->comm;
    const char *folder = train_options(job)->output, *init = train_options(job)->init;
    Status status = comm_agree(comm, check_options(job, resume));
    if (status != STATUS_OK || !train_options(job)->resume) return status;
    status = find(comm, folder, vector, resume);
    if (status != STATUS_OK) return status;
    if (!resume->found) {
        log_note("%s holds no checkpoint: training starts from the beginning", folder);
        return STATUS_OK;
    }
    take_config(resume, &job->config);
    status = comm_agree(comm, check_config(resume, folder, &job->config));
    resume->finished = status == STATUS_OK && is_finished(&resume->state, &job->config);
    if (status != STATUS_OK || resume->finished || init == NULL) return status;
    Network network;
    ModelInfo info;
    status = model_load(comm, init, vector, &network, &info);
    if (status != STATUS_OK) return status;
    network_free(&network);
    now->init_checksum = info.checksum;
    return STATUS_OK;
}
