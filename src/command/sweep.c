/* sweep: trains every configuration of a grid, one after the other, each as `seisdcn train --resume` would. */
#include "overwrite.h"
#include "sweep_private.h"

#include "seisdcn/commands.h"
#include "seisdcn/files.h"
#include "seisdcn/interrupt.h"
#include "seisdcn/log.h"
#include "seisdcn/memory.h"
#include "seisdcn/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { WORDS_MAX = 16, LIST_MAX = 1024 };

/* ---- what stands in the folder ---- */

/* Keys that the file at path sets and config does not are set there too, so that train sees that they changed. */
static void keep_keys(const char *path, const char *text, Config *config)
{
    Config before;
    config_defaults(&before);
    if (config_parse(&before, text, path) != STATUS_OK) status_clear(); /* not ours any more: what it sets is unknown */
    for (int key = 0; key < CONFIG_KEYS; key++) config->is_set[key] = config->is_set[key] || before.is_set[key];
}

/* FOLDER/NAME.yaml; where it was another one, a failure of then says nothing of now. */
static Status write_configuration(const Sweep *sweep, int64_t i)
{
    Config config;
    char name[SWEEP_NAME_MAX], *text = NULL, *old = NULL;
    Status status = sweep_configuration(sweep, i, &config, name);
    if (status != STATUS_OK) return status;
    config.is_set[CONFIG_TRAIN_MAX_TIME_MINUTES] = false; /* it belongs to a run, see train() */
    char *path = text_format("%s/%s.yaml", sweep->folder, name);
    char *failed = text_format("%s/%s.failed", sweep->folder, name);
    if (path == NULL || failed == NULL) status = STATUS_MEMORY;
    if (status == STATUS_OK && files_exists(path)) status = files_read_text(path, &old);
    if (status == STATUS_OK && old != NULL && !sweep->job->force) keep_keys(path, old, &config);
    if (status == STATUS_OK) text = config_format_set(&config);
    if (status == STATUS_OK && text == NULL) status = STATUS_MEMORY;
    if (status == STATUS_OK && (old == NULL || strcmp(old, text) != 0)) {
        status = files_write_text(path, text);
        unlink(failed);
    }
    if (status == STATUS_OK && sweep->job->force) unlink(failed);
    memory_free(path);
    memory_free(failed);
    memory_free(text);
    memory_free(old);
    return status;
}

/* Nothing that is read stands where the map goes, or a configuration, its failure and its training. */
static Status check_folder(const Sweep *sweep)
{
    static const char *const names[] = {".yaml", ".failed", "/last.h5", "/best.h5"};
    enum { NAMES = sizeof names / sizeof *names };
    Config config;
    char name[SWEEP_NAME_MAX];
    int64_t n = 0;
    char **paths =
        memory_new((size_t)(sweep->last - sweep->first + 1) * NAMES + 1, sizeof *paths, "the names of files");
    Status status = paths == NULL ? STATUS_MEMORY : STATUS_OK;
    if (status == STATUS_OK && sweep->map != NULL && !sweep->has_map) paths[n++] = text_copy(sweep->map);
    for (int64_t i = sweep->first; status == STATUS_OK && i <= sweep->last; i++) {
        status = sweep_configuration(sweep, i, &config, name);
        for (int k = 0; status == STATUS_OK && k < NAMES; k++)
            paths[n++] = text_format("%s/%s%s", sweep->folder, name, names[k]);
    }
    for (int64_t i = 0; status == STATUS_OK && i < n; i++) status = paths[i] == NULL ? STATUS_MEMORY : STATUS_OK;
    if (status == STATUS_OK) status = overwrite_check_files(sweep->job, "--output", n, paths);
    for (int64_t i = 0; i < n; i++) memory_free(paths[i]);
    memory_free(paths);
    return status;
}

/* Its files' names follow from the grid: check_folder() looks at them. */
static bool writes(const char *name)
{
    (void)name;
    return false;
}

/* Rank 0's part. */
static Status write_folder(const Sweep *sweep)
{
    if (files_exists(sweep->folder) && !files_is_folder(sweep->folder))
        return status_fail(STATUS_USAGE, "%s exists and is not a folder; --output names the folder of a sweep",
                           sweep->folder);
    Status status = check_folder(sweep);
    if (status == STATUS_OK) status = files_make_folder(sweep->folder);
    for (int64_t i = sweep->first; status == STATUS_OK && i <= sweep->last; i++) status = write_configuration(sweep, i);
    return status;
}

/* Runs a command with words (ended by NULL; one of them may be missing for lack of memory). */
static Status call(const Sweep *sweep, const Command *command, char *const *given)
{
    char *words[WORDS_MAX];
    int n = 0;
    for (; given[n] != NULL; n++) words[n] = given[n];
    return command_call(sweep->job, command, n, words);
}

/* FOLDER/map.h5, where it is not there yet. Tasks of an array may make it at the same time, all the same one: each
 * under a name of its own. */
static Status make_map(const Sweep *sweep)
{
    Job *job = sweep->job;
    bool wanted = sweep->map != NULL && !sweep->has_map && (job->force || !files_exists(sweep->map));
    comm_broadcast(&job->comm, &wanted, sizeof wanted);
    if (!wanted) return STATUS_OK;
    Config config;
    char name[SWEEP_NAME_MAX];
    Status status = sweep_configuration(sweep, sweep->first, &config, name);
    char *yaml = text_format("%s/%s.yaml", sweep->folder, name);
    char *path = text_format("%s/map_%" PRId64 ".h5", sweep->folder, sweep->first + 1);
    if (status == STATUS_OK && (yaml == NULL || path == NULL)) status = STATUS_MEMORY;
    status = comm_agree(&job->comm, status);
    if (status == STATUS_OK) {
        char *survey = (char *)sweep_options(job)->survey;
        char *words[] = {"--survey", survey, "--config", yaml, "--output", path, "--force", NULL};
        status = call(sweep, &command_index, words);
    }
    if (status == STATUS_OK) {
        Status published = job->comm.rank == 0 ? files_publish(path, sweep->map) : STATUS_OK;
        status = comm_agree(&job->comm, published);
    }
    memory_free(yaml);
    memory_free(path);
    return status;
}

/* ---- one training ---- */

static Status train(const Sweep *sweep, const Config *config, const char *name)
{
    Job *job = sweep->job;
    char *clean = (char *)sweep_options(job)->clean, *survey = (char *)sweep_options(job)->survey;
    char *folder = text_format("%s/%s", sweep->folder, name), *yaml = text_format("%s/%s.yaml", sweep->folder, name);
    char value[CONFIG_VALUE_MAX], limit[CONFIG_VALUE_MAX + 32];
    snprintf(limit, sizeof limit, "%s=%s", config_name(CONFIG_TRAIN_MAX_TIME_MINUTES),
             config_describe(config, CONFIG_TRAIN_MAX_TIME_MINUTES, value));
    Status status = comm_agree(&job->comm, folder == NULL || yaml == NULL ? STATUS_MEMORY : STATUS_OK);
    if (status == STATUS_OK) {
        char *words[WORDS_MAX] = {"--survey", survey, "--config", yaml, "--output", folder, "--set", limit};
        int n = 8;
        words[n++] = job->force ? "--force" : "--resume";
        if (sweep->map != NULL) {
            words[n++] = "--map";
            words[n++] = sweep->map;
        }
        if (config->train.target == TARGET_CLEAN) {
            words[n++] = "--clean";
            words[n++] = clean;
        }
        status = call(sweep, &command_train, words);
    }
    memory_free(folder);
    memory_free(yaml);
    return status;
}

/* What made a configuration fail earlier, NULL where none did: FOLDER/NAME.failed, read by rank 0. */
static Status find_failure(const Sweep *sweep, const char *name, char **why)
{
    const Comm *comm = &sweep->job->comm;
    char *path = text_format("%s/%s.failed", sweep->folder, name);
    Status status = comm_agree(comm, path == NULL ? STATUS_MEMORY : STATUS_OK);
    bool there = status == STATUS_OK && comm->rank == 0 && files_exists(path);
    comm_broadcast(comm, &there, sizeof there);
    if (status == STATUS_OK && there) status = command_read_text(comm, NULL, path, why);
    if (*why != NULL) (*why)[strcspn(*why, "\n")] = '\0';
    memory_free(path);
    return status;
}

/* Writes that file with the message of the failure. */
static Status record_failure(const Sweep *sweep, const char *name)
{
    const Comm *comm = &sweep->job->comm;
    log_warning("%s failed: %s", name, status_message());
    char *path = text_format("%s/%s.failed", sweep->folder, name), *text = text_format("%s\n", status_message());
    status_clear();
    Status status = path == NULL || text == NULL ? STATUS_MEMORY : STATUS_OK;
    if (status == STATUS_OK && comm->rank == 0) status = files_write_text(path, text);
    memory_free(path);
    memory_free(text);
    return comm_agree(comm, status);
}

/* ---- all of them ---- */

typedef struct {
    int64_t n;
    char names[LIST_MAX]; /* as many as there is room for */
} Failures;

static void note_failure(Failures *failures, const char *name)
{
    size_t at = strlen(failures->names);
    snprintf(failures->names + at, sizeof failures->names - at, "%s%s", failures->n++ == 0 ? "" : ", ", name);
}

/* Stopped by a signal or the time, between two trainings or in one. */
static Status interrupted(const Sweep *sweep, int64_t i, const char *name)
{
    Status status = comm_agree(&sweep->job->comm, interrupt_status());
    if (status != STATUS_INTERRUPTED) return status;
    return status_fail(STATUS_INTERRUPTED,
                       "%s in configuration %" PRId64 " of %" PRId64 ", %s; nothing is lost: the same command goes on "
                       "from there",
                       status_message(), i + 1, sweep->n, name);
}

static Status train_next(const Sweep *sweep, int64_t i, Failures *failures)
{
    Config config;
    char name[SWEEP_NAME_MAX], *why = NULL;
    Status status = comm_agree(&sweep->job->comm, sweep_configuration(sweep, i, &config, name));
    if (status == STATUS_OK) status = interrupted(sweep, i, name);
    if (status == STATUS_OK) status = find_failure(sweep, name, &why);
    if (status != STATUS_OK) return status;
    log_note("configuration %" PRId64 " of %" PRId64 ": %s", i + 1, sweep->n, name);
    if (why != NULL) {
        log_warning("%s failed before: %s", name, why);
        note_failure(failures, name);
        memory_free(why);
        return STATUS_OK;
    }
    status = train(sweep, &config, name);
    if (status == STATUS_INTERRUPTED) return interrupted(sweep, i, name);
    if (status == STATUS_NUMERIC) {
        note_failure(failures, name);
        return record_failure(sweep, name);
    }
    if (status == STATUS_CONFIG)
        return status_fail(status, "configuration %s: %s (options of train; a sweep begins anew with --force)", name,
                           status_message());
    return status == STATUS_OK ? status : status_prefix(status, "configuration %s", name);
}

static Status train_all(const Sweep *sweep)
{
    Failures failures = {0};
    char all[LOG_THINGS_MAX];
    Status status = STATUS_OK;
    for (int64_t i = sweep->first; status == STATUS_OK && i <= sweep->last; i++)
        status = train_next(sweep, i, &failures);
    if (status != STATUS_OK) return status;
    int64_t n = sweep->last - sweep->first + 1;
    if (failures.n == 0) {
        log_note("%s: %" PRId64 " of %s %s trained; seisdcn compare ranks them", sweep->folder, n,
                 log_things(sweep->n, "configuration", all), sweep->n == 1 ? "is" : "are");
        return STATUS_OK;
    }
    return status_fail(STATUS_NUMERIC,
                       "%" PRId64 " of %s failed: %s; the others are trained. %s/NAME.failed says "
                       "why; without that file it is tried again",
                       failures.n, log_things(n, "configuration", all), failures.names, sweep->folder);
}

static Status run(Job *job)
{
    const char *emit = sweep_options(job)->emit;
    if (emit != NULL && strcmp(emit, "slurm") != 0)
        return status_fail(STATUS_USAGE, "--emit %s is not known: slurm", emit);
    if (emit != NULL && sweep_options(job)->only > 0)
        return status_fail(STATUS_USAGE, "--emit writes a job for all configurations: --only has no part in it");
    if (emit != NULL && job->force)
        return status_fail(STATUS_USAGE,
                           "--force trains anew, and a job that starts itself again must not; remove %s "
                           "instead",
                           sweep_options(job)->output);
    interrupt_limit(60 * job->config.train.max_time_minutes);
    Sweep sweep;
    Status status = sweep_plan(job, &sweep);
    if (status == STATUS_OK) {
        Status written = job->comm.rank == 0 ? write_folder(&sweep) : STATUS_OK;
        status = comm_agree(&job->comm, written);
    }
    if (status == STATUS_OK) status = make_map(&sweep);
    if (status == STATUS_OK && emit != NULL) {
        Status emitted = job->comm.rank == 0 ? sweep_emit(&sweep) : STATUS_OK;
        status = comm_agree(&job->comm, emitted);
    } else if (status == STATUS_OK) {
        status = train_all(&sweep);
    }
    sweep_plan_free(&sweep);
    return status;
}

static const Option options[] = {
    {"--survey", FILLS(SURVEY, SweepOptions, survey), "SURVEY.h5", NULL, 0, 0, true, "the survey file"},
    {"--output", FILLS(FOLDER, SweepOptions, output), "DIR", NULL, 0, 0, true,
     "the folder of the sweep; each configuration trains into DIR/NAME"},
    {"--grid", FILLS(INPUT, SweepOptions, grid), "GRID.yaml", NULL, 0, 0, false,
     "keys of the configuration with lists of values, all of which are combined"},
    {"--map", FILLS(INPUT, SweepOptions, map), "MAP.h5", NULL, 0, 0, false,
     "the index map of all trainings (default: DIR/map.h5, made once)"},
    {"--clean", FILLS(SURVEY, SweepOptions, clean), "SURVEY.h5", NULL, 0, 0, false,
     "the clean survey of the same gathers, for configurations with train.target=clean"},
    {"--only", FILLS(INT, SweepOptions, only), "N", NULL, 1, 1e9, false,
     "trains the N-th configuration alone, as the tasks of an array do"},
    {"--emit", FILLS(TEXT, SweepOptions, emit), "slurm", NULL, 0, 0, false,
     "writes DIR/sweep.sbatch, a job array with a task for each configuration, instead of training"},
    {.name = NULL}};

const Command command_sweep = {
    .name = "sweep",
    .summary = "trains every configuration of a grid",
    .description =
        "Trains the configuration of --config and --set with every combination of the grid's values, or each of "
        "several "
        "files' configurations (over that of --config) with every combination, one after the other on all ranks. "
        "GRID.yaml holds lines such as `network.width: [4, 8]`. Each trains into DIR/NAME, named by its values, on the "
        "gathers of one saved index map, as `seisdcn train --config DIR/NAME.yaml --map DIR/map.h5 --output DIR/NAME` "
        "would. Where patch.size or patch.stride vary no map serves all: each then builds its own, of the same "
        "gathers.\n"
        "Called again it skips what is done and goes on with what was interrupted: signals and train.max_time_minutes "
        "stop it with status 75. A configuration whose loss is not finite is noted in DIR/NAME.failed, the others go "
        "on, "
        "and status 7 says so at the end. --force trains all of them anew.",
    .example = "mpirun -n 4 seisdcn sweep --config base.yaml --grid grid.yaml --survey survey.h5 --output sweep\n"
               "mpirun -n 4 seisdcn sweep --survey survey.h5 --output sweep narrow.yaml wide.yaml\n"
               "seisdcn sweep --grid grid.yaml --survey survey.h5 --output sweep --emit slurm",
    .tables = {{options, 0}},
    .options_size = sizeof(SweepOptions),
    .arguments = "CONFIG.yaml...",
    .max_arguments = 1000000,
    .uses_config = true,
    .is_resumable = true,
    .run = run,
    .writes = writes,
};
