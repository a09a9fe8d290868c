#include "overwrite.h"

#include "seisdcn/command.h"

#include "seisdcn/fault.h"
#include "seisdcn/files.h"
#include "seisdcn/help.h"
#include "seisdcn/interrupt.h"
#include "seisdcn/launcher.h"
#include "seisdcn/log.h"
#include "seisdcn/memory.h"
#include "seisdcn/options.h"
#include "seisdcn/survey.h"
#include "seisdcn/text.h"

#include <stdio.h>
#include <string.h>

static const Command *find_command(const Command *const *commands, const char *name)
{
    for (; *commands != NULL; commands++)
        if (strcmp((*commands)->name, name) == 0) return *commands;
    return NULL;
}

static Status unknown_command(const Command *const *commands, const char *name)
{
    const char *names[64] = {"help", "completion"};
    size_t n = 2;
    for (; n < 64 && *commands != NULL; commands++) names[n++] = (*commands)->name;
    const char *nearest = text_nearest(name, names, n);
    if (nearest != NULL) return status_fail(STATUS_USAGE, "unknown command '%.80s'; did you mean %s?", name, nearest);
    return status_fail(STATUS_USAGE, "unknown command '%.80s'; seisdcn --help lists the commands", name);
}

Status command_read_text(const Comm *comm, const char *option, const char *path, char **text)
{
    *text = NULL;
    Status status = STATUS_OK;
    if (comm->rank == 0) status = option == NULL ? files_read_text(path, text) : files_read_whole_text(path, text);
    if (status != STATUS_OK && option != NULL) status_prefix(status, "%s", option);
    status = comm_agree(comm, status);
    return status == STATUS_OK ? comm_broadcast_text(comm, text) : status;
}

/* The file's keys, read by rank 0 and parsed alike by all, then those of --set. */
static Status read_config(Job *job, const Invocation *invocation)
{
    config_defaults(&job->config);
    if (invocation->config_path != NULL) {
        char *text = NULL;
        Status status = command_read_text(&job->comm, "--config", invocation->config_path, &text);
        if (status == STATUS_OK)
            status = comm_agree(&job->comm, config_parse(&job->config, text, invocation->config_path));
        memory_free(text);
        if (status != STATUS_OK) return status;
    }
    Status status = STATUS_OK;
    for (int i = 0; status == STATUS_OK && i < invocation->n_sets; i++)
        status = config_set(&job->config, invocation->sets[i]);
    return comm_agree(&job->comm, status);
}

/* What the configuration says, and the command itself. */
static Status configure_and_run(Job *job, const Invocation *invocation)
{
    job->config_path = invocation->config_path;
    job->n_sets = invocation->n_sets;
    job->sets = invocation->sets;
    survey_trust(job->trust);
    Status status = overwrite_check(job);
    if (status == STATUS_OK) status = read_config(job, invocation);
    return status == STATUS_OK ? job->command->run(job) : status;
}

Status command_call(const Job *job, const Command *command, int n, char **words)
{
    Job mine = {.comm = job->comm, .command = command, .quiet = job->quiet, .trust = job->trust};
    Invocation invocation = {0};
    Status status = comm_agree(&job->comm, options_parse(n, words, &mine, &invocation));
    if (status == STATUS_OK) status = configure_and_run(&mine, &invocation);
    options_free(&mine, &invocation);
    return status;
}

/* argv is what stands behind the command's name; `before` has what the options before it said. *silent: another process
 * of the same launcher tells the user what is wrong. */
static Status run_command(const Job *before, const Command *command, int argc, char **argv, bool *silent)
{
    const Comm *comm = &before->comm;
    Job job = *before;
    job.command = command;
    Invocation invocation = {0};
    if (!command->is_resumable) interrupt_release();
    Status status = comm_agree(comm, options_parse(argc, argv, &job, &invocation));
    log_open(comm->rank == 0, job.quiet);
    if (status == STATUS_OK && invocation.help) {
        help_command(command);
    } else if (status == STATUS_OK && invocation.version) {
        help_version();
    } else {
        *silent = !job.alone && launcher_misfits(comm) && !launcher_speaks();
        if (status == STATUS_OK && !job.alone) status = launcher_check(comm);
        if (status == STATUS_OK) status = configure_and_run(&job, &invocation);
    }
    options_free(&job, &invocation);
    return status;
}

/* `seisdcn help [COMMAND | config | man]` */
static Status run_help(const Command *const *commands, int argc, char **argv)
{
    if (argc > 1) return status_fail(STATUS_USAGE, "help takes the name of one command, config or man");
    const Command *command = argc == 0 ? NULL : find_command(commands, argv[0]);
    if (command != NULL)
        help_command(command);
    else if (argc == 0)
        help_program(commands);
    else if (strcmp(argv[0], "config") == 0)
        return help_config();
    else if (strcmp(argv[0], "man") == 0)
        help_man(commands);
    else
        return unknown_command(commands, argv[0]);
    return STATUS_OK;
}

/* `seisdcn completion SHELL` */
static Status run_completion(const Command *const *commands, int argc, char **argv)
{
    if (argc != 1) return status_fail(STATUS_USAGE, "completion takes the name of a shell: seisdcn completion bash");
    return help_completion(commands, argv[0]);
}

/* What stands before the command; *name becomes the command's, for messages, and *silent as in run_command(). */
static Status run(const Comm *comm, const Command *const *commands, int argc, char **argv, const char **name,
                  bool *silent)
{
    Job before = {.comm = *comm};
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
            help_program(commands);
            return STATUS_OK;
        }
        if (strcmp(word, "--version") == 0) {
            help_version();
            return STATUS_OK;
        }
        if (strcmp(word, "help") == 0) return run_help(commands, argc - i - 1, argv + i + 1);
        if (strcmp(word, "completion") == 0) return run_completion(commands, argc - i - 1, argv + i + 1);
        if (strcmp(word, "--quiet") == 0) {
            before.quiet = true;
        } else if (strcmp(word, "--force") == 0) {
            before.force = true;
        } else if (strcmp(word, "--alone") == 0) {
            before.alone = true;
        } else if (word[0] == '-') {
            return status_fail(STATUS_USAGE, "unknown option '%.80s' before the command; seisdcn --help tells more",
                               word);
        } else {
            const Command *command = find_command(commands, word);
            if (command == NULL) return unknown_command(commands, word);
            *name = command->name;
            return run_command(&before, command, argc - i - 1, argv + i + 1, silent);
        }
    }
    return status_fail(STATUS_USAGE, "no command; seisdcn --help lists the commands");
}

int command_main(const Comm *comm, const Command *const *commands, int argc, char **argv)
{
    const char *name = NULL;
    bool silent = false;
    log_open(comm->rank == 0, false);
    Status status = fault_open(comm->rank);
    if (status == STATUS_OK) status = run(comm, commands, argc, argv, &name, &silent);
    if (status != STATUS_OK && comm->rank == 0 && !silent) {
        fflush(stdout);
        const char *label = status == STATUS_INTERRUPTED ? "" : "error: ";
        fprintf(stderr, "seisdcn%s%s: %s%s\n", name == NULL ? "" : " ", name == NULL ? "" : name, label,
                status_message()[0] == '\0' ? "unknown; this is a fault of the program" : status_message());
    }
    const char *passes = fault_counts();
    if (passes != NULL) fprintf(stderr, "passes on rank %d: %s\n", comm->rank, passes);
    return (int)status;
}
