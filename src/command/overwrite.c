#include "overwrite.h"

#include "seisdcn/files.h"
#include "seisdcn/gnuplot.h"
#include "seisdcn/memory.h"
#include "seisdcn/survey_sources.h"
#include "seisdcn/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { DEPTH_MAX = 8 /* of folders below one that is named */, SEGY_TEXT_BYTES = 3200, TOLD = 1400 };

/* A file that is read. */
typedef struct {
    dev_t device;
    ino_t inode;
    char *path;
    const char *option; /* that names it; NULL: an argument */
    const char *survey; /* the survey that names it, NULL: the user does */
} Known;

/* A base name that a survey has. */
typedef struct {
    char *name;
    const char *option, *survey;
    bool found; /* its file is among those that are known */
} Name;

typedef struct {
    const Job *job;
    bool collected;
    Known *known; /* [n_known], by device and inode */
    Name *names;  /* [n_names], by name */
    size_t n_known, n_names;
    const char *option, *survey; /* in hand */
    const char *output;          /* the option whose files are checked */
} Inputs;

/* ---- what is read ---- */

/* Room for one more of n items of a list. */
static Status grow(void **list, size_t n, size_t size)
{
    if ((n & (n - 1)) != 0) return STATUS_OK; /* it doubles at powers of two */
    return memory_grow(list, n * size, n == 0 ? 1 : 2 * n, size, "the inputs") == 0 ? STATUS_OK : STATUS_MEMORY;
}

static Status add_known(Inputs *inputs, const char *path)
{
    struct stat about;
    if (stat(path, &about) != 0 || S_ISDIR(about.st_mode)) return STATUS_OK; /* who reads it says so */
    void *list = inputs->known;
    Status status = grow(&list, inputs->n_known, sizeof *inputs->known);
    inputs->known = list;
    char *copy = status == STATUS_OK ? text_copy(path) : NULL;
    if (copy == NULL) return STATUS_MEMORY;
    inputs->known[inputs->n_known++] = (Known){about.st_dev, about.st_ino, copy, inputs->option, inputs->survey};
    return STATUS_OK;
}

static Status add_source(const char *path, bool found, void *context)
{
    Inputs *inputs = context;
    void *list = inputs->names;
    Status status = found ? add_known(inputs, path) : STATUS_OK;
    if (status == STATUS_OK) status = grow(&list, inputs->n_names, sizeof *inputs->names);
    inputs->names = list;
    char *copy = status == STATUS_OK ? text_copy(text_base_name(path)) : NULL;
    if (copy == NULL) return STATUS_MEMORY;
    inputs->names[inputs->n_names++] = (Name){copy, inputs->option, inputs->survey, found};
    return STATUS_OK;
}

static bool is_gathers(const char *name)
{
    return text_ends_with(name, ".npy") || text_ends_with(name, ".sgy") || text_ends_with(name, ".segy") ||
           text_ends_with(name, ".su");
}

/* Whether a file of a folder that is named is read: gathers, or what a training is known by. */
static bool is_read_from_folder(const char *name)
{
    static const char *const names[] = {"metrics.csv", "config.yaml", "best.h5", "last.h5"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0) return true;
    return is_gathers(name);
}

/* Calls visit for each file of a folder and the folders in it; `below` is the folder's own name ("" for the first). */
static Status each_file(const char *folder, const char *below, int depth,
                        Status (*visit)(const char *path, const char *name, void *context), void *context)
{
    char **names = NULL;
    int64_t n = 0;
    Status status = depth == 0 ? STATUS_OK : files_list(folder, "", &names, &n);
    for (int64_t i = 0; status == STATUS_OK && i < n; i++) {
        char *path = text_format("%s/%s", folder, names[i]), *name = text_format("%s%s", below, names[i]);
        char *deeper = name == NULL ? NULL : text_format("%s/", name);
        if (path == NULL || deeper == NULL)
            status = STATUS_MEMORY;
        else if (files_is_folder(path))
            status = each_file(path, deeper, depth - 1, visit, context);
        else
            status = visit(path, name, context);
        memory_free(path);
        memory_free(name);
        memory_free(deeper);
    }
    memory_free(names);
    return status;
}

static Status add_from_folder(const char *path, const char *name, void *context)
{
    return is_read_from_folder(text_base_name(name)) ? add_known(context, path) : STATUS_OK;
}

static Status add_input(Inputs *inputs, const char *option, const char *path, bool is_survey)
{
    if (path == NULL) return STATUS_OK;
    inputs->option = option;
    inputs->survey = NULL;
    /* arguments called DIR are looked through, as compare does; of other folders the files themselves are read */
    bool through = option == NULL && strncmp(inputs->job->command->arguments, "DIR", 3) == 0;
    if (files_is_folder(path)) return each_file(path, "", through ? DEPTH_MAX : 1, add_from_folder, inputs);
    Status status = add_known(inputs, path);
    inputs->survey = path;
    struct stat about;
    if (status != STATUS_OK || !is_survey || stat(path, &about) != 0) return status;
    return survey_each_source(path, add_source, inputs);
}

static int compare_known(const void *a, const void *b)
{
    const Known *x = a, *y = b;
    if (x->device != y->device) return x->device < y->device ? -1 : 1;
    return (x->inode > y->inode) - (x->inode < y->inode);
}

static int compare_names(const void *a, const void *b)
{
    const Name *x = a, *y = b;
    return strcmp(x->name, y->name);
}

static Status collect(Inputs *inputs)
{
    const Job *job = inputs->job;
    Status status = job->config_path == NULL ? STATUS_OK : add_input(inputs, "--config", job->config_path, false);
    for (int i = 0; status == STATUS_OK && i < job->n_given; i++) {
        const Option *option = job->given[i].option;
        bool is_survey = option->kind == OPTION_SURVEY || option->kind == OPTION_SURVEYS;
        if (is_survey || option->kind == OPTION_INPUT)
            status = add_input(inputs, option->name, job->given[i].text, is_survey);
    }
    for (int i = 0; status == STATUS_OK && i < job->n_arguments; i++)
        status = add_input(inputs, NULL, job->arguments[i], false);
    if (inputs->n_known > 0) qsort(inputs->known, inputs->n_known, sizeof *inputs->known, compare_known);
    if (inputs->n_names > 0) qsort(inputs->names, inputs->n_names, sizeof *inputs->names, compare_names);
    inputs->collected = true;
    return status;
}

static void free_inputs(Inputs *inputs)
{
    for (size_t i = 0; i < inputs->n_known; i++) memory_free(inputs->known[i].path);
    for (size_t i = 0; i < inputs->n_names; i++) memory_free(inputs->names[i].name);
    memory_free(inputs->known);
    memory_free(inputs->names);
}

/* ---- what is written ---- */

/* Whether the text header of a SEG-Y file says that export wrote it. */
static bool is_export(const char *path)
{
    static const char ascii[] = "seisdcn ", ebcdic[] = "\xa2\x85\x89\xa2\x84\x83\x95\x40";
    char text[SEGY_TEXT_BYTES];
    FILE *file = fopen(path, "rb");
    size_t n = file == NULL ? 0 : fread(text, 1, sizeof text, file);
    if (file != NULL) fclose(file);
    return memmem(text, n, ascii, strlen(ascii)) != NULL || memmem(text, n, ebcdic, strlen(ebcdic)) != NULL;
}

static Status refuse(const char *output, const char *path, const Known *known)
{
    static const char end[] = "an input is never overwritten, not with --force either; choose another name";
    const char *named = known->option == NULL ? "an argument" : known->option;
    char same[TOLD / 3 + 32] = "";
    if (strcmp(path, known->path) != 0) snprintf(same, sizeof same, " (the same file as %.*s)", TOLD / 3, known->path);
    if (known->survey != NULL)
        return status_fail(STATUS_USAGE, "%s: %.*s%s is what %s %.*s was made from: %s", output, TOLD / 3, path, same,
                           named, TOLD / 3, known->survey, end);
    return status_fail(STATUS_USAGE, "%s: %.*s%s is read (%s): %s", output, TOLD / 3, path, same, named, end);
}

/* A file that may be one that a survey names, whose place is not known any more. */
static Status check_name(const Inputs *inputs, const char *path)
{
    const char *base = text_base_name(path);
    Name wanted = {.name = (char *)base};
    const Name *name = inputs->n_names == 0 || !is_gathers(base)
                           ? NULL
                           : bsearch(&wanted, inputs->names, inputs->n_names, sizeof *inputs->names, compare_names);
    bool is_segy = !text_ends_with(base, ".npy");
    if (name == NULL || (is_segy && is_export(path)) || (!is_segy && name->found)) return STATUS_OK;
    return status_fail(
        STATUS_USAGE,
        "%s: %.*s has the name of a file from which %s %.*s was made, and may be that: an input is never "
        "overwritten, not with --force either; choose another name, or remove it first",
        inputs->output, TOLD / 2, path, name->option, TOLD / 2, name->survey);
}

/* Checks a file that is to be written, as it stands. */
static Status check_standing(Inputs *inputs, const char *path)
{
    struct stat about;
    if (stat(path, &about) != 0 || S_ISDIR(about.st_mode)) return STATUS_OK;
    Status status = inputs->collected ? STATUS_OK : collect(inputs);
    if (status != STATUS_OK) return status;
    Known wanted = {.device = about.st_dev, .inode = about.st_ino};
    const Known *known = inputs->n_known == 0
                             ? NULL
                             : bsearch(&wanted, inputs->known, inputs->n_known, sizeof *inputs->known, compare_known);
    return known != NULL ? refuse(inputs->output, path, known) : check_name(inputs, path);
}

/* A file, and the names under which it grows. */
static Status check_file(Inputs *inputs, const char *path)
{
    static const char *const endings[] = {"", ".part", ".new", ".part.new", ".part.gp", ".part.dat"};
    Status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < sizeof endings / sizeof *endings; i++) {
        char *name = text_format("%s%s", path, endings[i]);
        status = name == NULL ? STATUS_MEMORY : check_standing(inputs, name);
        memory_free(name);
    }
    char *data = status == STATUS_OK && text_ends_with(path, ".gp") ? gnuplot_data_name(path) : NULL;
    if (data != NULL) status = check_standing(inputs, data);
    memory_free(data);
    return status;
}

/* What stands in a folder that is written to. */
static Status check_in_folder(const char *path, const char *name, void *context)
{
    Inputs *inputs = context;
    const Command *command = inputs->job->command;
    char whole[4096];
    int length = (int)strlen(name);
    if (text_ends_with(name, ".part")) length -= (int)strlen(".part");
    snprintf(whole, sizeof whole, "%.*s", length, name);
    if (command->writes != NULL && !command->writes(whole)) return STATUS_OK;
    return check_standing(inputs, path);
}

/* ---- outputs among themselves ---- */

/* Whether two paths are, or would be, one file. */
static bool same_place(const char *a, const char *b)
{
    struct stat x, y;
    bool has_a = stat(a, &x) == 0, has_b = stat(b, &y) == 0;
    if (has_a && has_b) return x.st_dev == y.st_dev && x.st_ino == y.st_ino;
    if (has_a || has_b || strcmp(text_base_name(a), text_base_name(b)) != 0) return false;
    char *folder_a = text_format("%.*s.", (int)(text_base_name(a) - a), a);
    char *folder_b = text_format("%.*s.", (int)(text_base_name(b) - b), b);
    bool same = folder_a != NULL && folder_b != NULL && stat(folder_a, &x) == 0 && stat(folder_b, &y) == 0 &&
                x.st_dev == y.st_dev && x.st_ino == y.st_ino;
    memory_free(folder_a);
    memory_free(folder_b);
    return same;
}

static Status check_others(const Job *job, int mine)
{
    const Given *given = job->given;
    for (int i = 0; i < mine; i++)
        if (given[i].option->kind == OPTION_OUTPUT && same_place(given[i].text, given[mine].text))
            return status_fail(STATUS_USAGE, "%s and %s name the same file %s", given[i].option->name,
                               given[mine].option->name, given[mine].text);
    return STATUS_OK;
}

/* ---- all of it ---- */

static Status check_all(const Job *job)
{
    Inputs inputs = {.job = job};
    Status status = STATUS_OK;
    for (int i = 0; status == STATUS_OK && i < job->n_given; i++) {
        const char *path = job->given[i].text;
        OptionKind kind = job->given[i].option->kind;
        if (kind != OPTION_OUTPUT && kind != OPTION_FOLDER) continue;
        inputs.output = job->given[i].option->name;
        if (kind == OPTION_FOLDER && files_is_folder(path))
            status = each_file(path, "", DEPTH_MAX, check_in_folder, &inputs);
        else
            status = check_file(&inputs, path);
        if (status == STATUS_OK && kind == OPTION_OUTPUT) status = check_others(job, i);
    }
    free_inputs(&inputs);
    return status;
}

Status overwrite_check(const Job *job)
{
    return comm_agree(&job->comm, job->comm.rank == 0 ? check_all(job) : STATUS_OK);
}

Status overwrite_check_files(const Job *job, const char *option, int64_t n, char *const *paths)
{
    Inputs inputs = {.job = job, .output = option};
    Status status = STATUS_OK;
    for (int64_t i = 0; status == STATUS_OK && i < n; i++) status = check_file(&inputs, paths[i]);
    free_inputs(&inputs);
    return status;
}
