/* The configurations of a sweep: the base of --config, over it each of the files, over these --set and the grid. */
#include "sweep_private.h"

#include "seisdcn/index_map.h"
#include "seisdcn/log.h"
#include "seisdcn/memory.h"
#include "seisdcn/model.h"
#include "seisdcn/network.h"
#include "seisdcn/survey.h"
#include "seisdcn/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* What decides which patches there are, and which of them train, validate and test. */
static const ConfigKey patch_keys[] = {CONFIG_PATCH_SIZE, CONFIG_PATCH_STRIDE};
static const ConfigKey split_keys[] = {CONFIG_PATCH_MIN_LIVE, CONFIG_SPLIT_BY, CONFIG_SPLIT_TEST, CONFIG_SPLIT_VALID,
                                       CONFIG_SPLIT_SEED};

enum { PATCH_KEYS = sizeof patch_keys / sizeof *patch_keys, SPLIT_KEYS = sizeof split_keys / sizeof *split_keys };

/* ---- reading ---- */

static Status read_grid(Sweep *sweep)
{
    const Comm *comm = &sweep->job->comm;
    const char *path = sweep_options(sweep->job)->grid;
    sweep->grid.n = 1;
    if (path == NULL) return STATUS_OK;
    char *text = NULL;
    Status status = command_read_text(comm, "--grid", path, &text);
    if (status == STATUS_OK) status = comm_agree(comm, grid_parse(text, path, &sweep->grid));
    memory_free(text);
    return status;
}

/* The name of a file without its folder and ending. */
static Status name_file(Sweep *sweep, const char *path, SweepFile *file)
{
    const char *base = text_base_name(path), *dot = strrchr(base, '.');
    int length = dot != NULL && dot != base ? (int)(dot - base) : (int)strlen(base);
    if (snprintf(file->name, sizeof file->name, "%.*s", length, base) >= (int)sizeof file->name)
        return status_fail(STATUS_USAGE, "%s: the name is too long for a folder's", path);
    for (const SweepFile *before = sweep->file; before < file; before++)
        if (strcmp(before->name, file->name) == 0)
            return status_fail(STATUS_USAGE, "two configurations have the name %s, and would train into one folder",
                               file->name);
    return STATUS_OK;
}

static Status read_files(Sweep *sweep)
{
    Job *job = sweep->job;
    sweep->file = memory_new((size_t)job->n_arguments + 1, sizeof *sweep->file, "the configurations");
    Status status = comm_agree(&job->comm, sweep->file == NULL ? STATUS_MEMORY : STATUS_OK);
    for (; status == STATUS_OK && sweep->n_files < job->n_arguments; sweep->n_files++) {
        const char *path = job->arguments[sweep->n_files];
        SweepFile *file = &sweep->file[sweep->n_files];
        char *text = NULL;
        config_defaults(&file->config);
        status = name_file(sweep, path, file); /* alike on all ranks */
        if (status == STATUS_OK) status = command_read_text(&job->comm, NULL, path, &text);
        if (status == STATUS_OK) status = comm_agree(&job->comm, config_parse(&file->config, text, path));
        memory_free(text);
    }
    return status;
}

/* ---- checks ---- */

/* A key of the grid has no other value anywhere but in the base. */
static Status check_grid(const Sweep *sweep)
{
    const Job *job = sweep->job;
    Config sets;
    config_defaults(&sets);
    for (int i = 0; i < job->n_sets; i++) {
        Status status = config_set(&sets, job->sets[i]);
        if (status != STATUS_OK) return status;
    }
    for (int a = 0; a < sweep->grid.n_axes; a++) {
        const GridAxis *axis = &sweep->grid.axis[a];
        const char *path = sweep_options(job)->grid, *name = config_name(axis->key);
        if (sets.is_set[axis->key])
            return status_fail(STATUS_CONFIG,
                               "%s:%zu: %s varies here, and --set gives it one value; leave one of them out", path,
                               axis->line, name);
        for (int f = 0; f < sweep->n_files; f++)
            if (sweep->file[f].config.is_set[axis->key])
                return status_fail(STATUS_CONFIG,
                                   "%s:%zu: %s varies here, and %s gives it one value; leave one of them out", path,
                                   axis->line, name, job->arguments[f]);
    }
    return STATUS_OK;
}

/* The key in which two configurations differ, CONFIG_KEYS where there is none. */
static ConfigKey differing(const Config *a, const Config *b, const ConfigKey *keys, int n)
{
    for (int k = 0; k < n; k++)
        if (!config_same(a, b, keys[k])) return keys[k];
    return CONFIG_KEYS;
}

/* One configuration by itself, and beside the first one. */
static Status check_one(Sweep *sweep, const Config *first, const Config *config)
{
    const Job *job = sweep->job;
    if (config->train.target == TARGET_CLEAN && sweep_options(job)->clean == NULL)
        return status_fail(STATUS_USAGE, "train.target=clean compares with a clean survey: name it with --clean");
    NetworkShape shape = model_shape(config);
    Status status = network_check_shape(&shape);
    if (status != STATUS_OK) return status;
    ConfigKey split = differing(first, config, split_keys, SPLIT_KEYS);
    if (split != CONFIG_KEYS)
        return status_fail(
            STATUS_CONFIG,
            "%s is not that of the first configuration: losses of different gathers do not compare; make "
            "it a sweep of its own",
            config_name(split));
    ConfigKey patch = differing(first, config, patch_keys, PATCH_KEYS);
    if (patch == CONFIG_KEYS) return STATUS_OK;
    if (sweep->has_map)
        return status_fail(STATUS_CONFIG, "%s varies, and the map of --map has one; leave --map out",
                           config_name(patch));
    if (config->split.by == SPLIT_BY_PATCH)
        return status_fail(STATUS_CONFIG,
                           "%s varies, and split.by=patch deals other patches with each: split by gathers",
                           config_name(patch));
    memory_free(sweep->map);
    sweep->map = NULL;
    return STATUS_OK;
}

/* What the survey, and the user's map, say to the first configuration; a map's patches are those of all. */
static Status check_survey(Sweep *sweep, Config *config)
{
    const Comm *comm = &sweep->job->comm;
    Survey survey = {0};
    IndexMap map = {0};
    Status status = survey_open(comm, sweep_options(sweep->job)->survey, false, &survey);
    if (status == STATUS_OK) status = index_load(comm, &survey, sweep->has_map ? sweep->map : NULL, config, &map);
    index_free(&map);
    Status closed = survey_close(&survey);
    return status != STATUS_OK ? status : closed;
}

static Status check_all(Sweep *sweep)
{
    char name[SWEEP_NAME_MAX];
    Config first, config;
    Status status = sweep_configuration(sweep, 0, &first, name);
    if (status == STATUS_OK) status = check_survey(sweep, &first);
    for (int64_t i = 0; status == STATUS_OK && i < sweep->n; i++) {
        status = sweep_configuration(sweep, i, &config, name);
        for (int k = 0; status == STATUS_OK && k < PATCH_KEYS && sweep->has_map; k++)
            if (!config.is_set[patch_keys[k]]) config_copy(&config, &first, patch_keys[k]);
        for (int k = 0; status == STATUS_OK && k < SPLIT_KEYS && sweep->has_map; k++)
            if (!config.is_set[split_keys[k]]) config_copy(&config, &first, split_keys[k]);
        if (status == STATUS_OK) status = check_one(sweep, &first, &config);
        if (status != STATUS_OK) status_prefix(status, "configuration %s", name);
    }
    return status;
}

static Status choose(Sweep *sweep)
{
    int64_t only = sweep_options(sweep->job)->only;
    char all[LOG_THINGS_MAX];
    sweep->n = sweep->grid.n * (sweep->n_files > 0 ? sweep->n_files : 1);
    sweep->first = 0;
    sweep->last = sweep->n - 1;
    if (only == 0) return STATUS_OK;
    sweep->first = sweep->last = only - 1;
    if (sweep->first < sweep->n) return STATUS_OK;
    return status_fail(STATUS_USAGE, "--only %" PRId64 ": there %s %s", only, sweep->n == 1 ? "is" : "are",
                       log_things(sweep->n, "configuration", all));
}

Status sweep_plan(Job *job, Sweep *sweep)
{
    *sweep = (Sweep){.job = job, .folder = sweep_options(job)->output};
    const char *map = sweep_options(job)->map;
    if (sweep_options(job)->grid == NULL && job->n_arguments == 0)
        return status_fail(STATUS_USAGE, "nothing varies: give --grid GRID.yaml, or configurations as arguments");
    sweep->has_map = map != NULL;
    sweep->map = map != NULL ? text_copy(map) : text_format("%s/map.h5", sweep->folder);
    Status status = comm_agree(&job->comm, sweep->map == NULL ? STATUS_MEMORY : STATUS_OK);
    if (status == STATUS_OK) status = read_grid(sweep);
    if (status == STATUS_OK) status = read_files(sweep);
    if (status == STATUS_OK) status = comm_agree(&job->comm, check_grid(sweep));
    if (status == STATUS_OK) status = choose(sweep);
    return status == STATUS_OK ? check_all(sweep) : status;
}

void sweep_plan_free(Sweep *sweep)
{
    grid_free(&sweep->grid);
    memory_free(sweep->file);
    memory_free(sweep->map);
}

/* ---- one configuration ---- */

Status sweep_configuration(const Sweep *sweep, int64_t i, Config *config, char name[SWEEP_NAME_MAX])
{
    const Job *job = sweep->job;
    const SweepFile *file = sweep->n_files > 0 ? &sweep->file[i / sweep->grid.n] : NULL;
    *config = job->config;
    for (int key = 0; file != NULL && key < CONFIG_KEYS; key++) {
        if (!file->config.is_set[key]) continue;
        config_copy(config, &file->config, (ConfigKey)key);
        config->is_set[key] = true;
    }
    for (int s = 0; file != NULL && s < job->n_sets; s++) { /* --set holds against any file */
        Status status = config_set(config, job->sets[s]);
        if (status != STATUS_OK) return status;
    }
    grid_take(&sweep->grid, i % sweep->grid.n, config);
    size_t at = file == NULL
                    ? 0
                    : (size_t)snprintf(name, SWEEP_NAME_MAX, "%s%s", file->name, sweep->grid.n_axes > 0 ? "_" : "");
    if (at < SWEEP_NAME_MAX) at += grid_name(&sweep->grid, i % sweep->grid.n, name + at, SWEEP_NAME_MAX - at);
    if (at < SWEEP_NAME_MAX) return STATUS_OK;
    return status_fail(STATUS_CONFIG,
                       "the name %.40s... is too long for a folder's; let fewer keys vary, and put the others into "
                       "files of their own",
                       name);
}
