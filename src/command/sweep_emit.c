/* The job file of a sweep. It holds the sweep's own command line; how its tasks are started, stopped and started again
 * is jobs/sweep.sbatch's business, whose options of sbatch it takes over. */
#include "sweep_private.h"

#include "seisdcn/files.h"
#include "seisdcn/log.h"
#include "seisdcn/memory.h"
#include "seisdcn/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_ROOM = 4096 };

/* A text that grows by pieces; NULL once there is no memory. */
static void append(char **text, const char *piece)
{
    char *longer = *text == NULL || piece == NULL ? NULL : text_format("%s%s", *text, piece);
    memory_free(*text);
    *text = longer;
}

/* Adds ` WORD WORD` on a line of its own; second may be NULL. */
static void append_words(char **text, const char *first, const char *second)
{
    char *a = text_shell_word(first), *b = second == NULL ? NULL : text_shell_word(second);
    char *line = a == NULL ? NULL : text_format(" \\\n    %s%s%s", a, b == NULL ? "" : " ", b == NULL ? "" : b);
    append(text, line);
    memory_free(a);
    memory_free(b);
    memory_free(line);
}

/* The folder of job files: what SEISDCN_JOBS says, else jobs/ beside the folder of the program. */
static Status find_jobs(char **jobs)
{
    const char *given = getenv("SEISDCN_JOBS");
    char program[PATH_ROOM] = "", found[PATH_ROOM] = "";
    ssize_t length = given != NULL ? 0 : readlink("/proc/self/exe", program, sizeof program - 1);
    char *slash = length > 0 ? strrchr(program, '/') : NULL;
    if (slash != NULL) *slash = '\0';
    char *path = given != NULL ? text_copy(given) : text_format("%s/../jobs", program);
    char *file = path == NULL ? NULL : text_format("%s/sweep.sbatch", path);
    Status status = file == NULL ? STATUS_MEMORY : STATUS_OK;
    if (status == STATUS_OK && (!files_exists(file) || realpath(path, found) == NULL))
        status = status_fail(STATUS_USAGE,
                             "there is no %s: set SEISDCN_JOBS to the folder jobs/ that came with the program", file);
    *jobs = status == STATUS_OK ? text_copy(found) : NULL;
    if (status == STATUS_OK && *jobs == NULL) status = STATUS_MEMORY;
    memory_free(path);
    memory_free(file);
    return status;
}

/* Adds the options of sbatch in jobs/sweep.sbatch, with the comments between them. */
static Status append_sbatch(char **text, const char *jobs)
{
    char *path = text_format("%s/sweep.sbatch", jobs), *file = NULL, *rest = NULL;
    Status status = path == NULL ? STATUS_MEMORY : files_read_text(path, &file);
    bool begun = false;
    char *line = status == STATUS_OK ? strtok_r(file, "\n", &rest) : NULL;
    for (; line != NULL && (!begun || line[0] == '#'); line = strtok_r(NULL, "\n", &rest)) {
        begun = begun || strncmp(line, "#SBATCH", 7) == 0;
        if (!begun) continue;
        append(text, line);
        append(text, "\n");
    }
    memory_free(path);
    memory_free(file);
    return status;
}

/* Adds the sweep's own words, but --emit. */
static void append_command(char **text, const Job *job)
{
    append(text, "set --");
    for (int i = 0; i < job->n_given; i++)
        if (strcmp(job->given[i].option->name, "--emit") != 0)
            append_words(text, job->given[i].option->name, job->given[i].text);
    if (job->config_path != NULL) append_words(text, "--config", job->config_path);
    for (int i = 0; i < job->n_sets; i++) append_words(text, "--set", job->sets[i]);
    if (job->trust) append_words(text, "--trust", NULL);
    append_words(text, "--", NULL);
    for (int i = 0; i < job->n_arguments; i++) append_words(text, job->arguments[i], NULL);
    append(text, "\n");
}

/* The head of comments: how to use it, and which task is which configuration. */
static Status append_head(char **text, const Sweep *sweep, const char *path)
{
    char *word = text_shell_word(path);
    char *use = word == NULL
                    ? NULL
                    : text_format("#!/bin/bash\n"
                                  "# A sweep, one configuration for each task of an array; written by `seisdcn "
                                  "sweep --emit slurm`. From the folder where that was\n# called:\n#\n"
                                  "#   jobs/submit [--ntasks=64 --time=6:00:00 ...] %s\n"
                                  "#   bash %s       (without Slurm: one after the other)\n#\n",
                                  word, word);
    append(text, use);
    memory_free(word);
    memory_free(use);
    Status status = STATUS_OK;
    for (int64_t i = 0; status == STATUS_OK && i < sweep->n; i++) {
        Config config;
        char name[SWEEP_NAME_MAX];
        status = sweep_configuration(sweep, i, &config, name);
        char *line = text_format("# task %" PRId64 ": %s\n", i + 1, name);
        if (status == STATUS_OK) append(text, line);
        memory_free(line);
    }
    return status;
}

Status sweep_emit(const Sweep *sweep)
{
    char *jobs = NULL, *path = text_format("%s/sweep.sbatch", sweep->folder), *text = text_copy("");
    Status status = path == NULL ? STATUS_MEMORY : find_jobs(&jobs);
    if (status == STATUS_OK) status = append_head(&text, sweep, path);
    if (status == STATUS_OK) {
        char *array = text_format("#SBATCH --array=1-%" PRId64 "\n", sweep->n);
        append(&text, array);
        memory_free(array);
        status = append_sbatch(&text, jobs);
    }
    if (status == STATUS_OK) {
        char *word = text_shell_word(jobs);
        char *set = word == NULL ? NULL : text_format("\nSEISDCN_JOBS=${SEISDCN_JOBS:-%s}\n", word);
        append(&text, set);
        append_command(&text, sweep->job);
        append(&text, "# shellcheck source=/dev/null\n. \"$SEISDCN_JOBS/sweep.sbatch\"\n");
        memory_free(word);
        memory_free(set);
        status = text == NULL ? STATUS_MEMORY : files_write_text(path, text);
    }
    char count[LOG_THINGS_MAX];
    if (status == STATUS_OK)
        log_note("%s: an array of %s, for jobs/submit or sbatch", path, log_things(sweep->n, "task", count));
    memory_free(jobs);
    memory_free(path);
    memory_free(text);
    return status;
}
