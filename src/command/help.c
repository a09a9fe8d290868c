#include "help_private.h"

#include "seisdcn/config.h"
#include "seisdcn/h5.h"
#include "seisdcn/help.h"
#include "seisdcn/log.h"
#include "seisdcn/memory.h"
#include "seisdcn/options.h"

#include <stdio.h>
#include <string.h>

enum { WIDTH = 100, HELP_COLUMN = 32 };

/* Prints words behind `first` ("  --output DIR"), wrapped, in a column of their own that starts at `indent`. */
static void print_wrapped(const char *first, int indent, const char *words)
{
    char line[WIDTH + 160];
    int at = snprintf(line, sizeof line, "%s", first);
    if (at > indent - 2 && *first != '\0') {
        log_result("%s", line);
        at = 0;
    }
    at += snprintf(line + at, sizeof line - (size_t)at, "%*s", indent - at, "");
    bool empty = true;
    while (*words != '\0') {
        int length = (int)strcspn(words, " \n");
        if (!empty && at + 1 + length > WIDTH) {
            log_result("%s", line);
            at = snprintf(line, sizeof line, "%*s", indent, "");
            empty = true;
        }
        at += snprintf(line + at, sizeof line - (size_t)at, "%s%.*s", empty ? "" : " ", length < 120 ? length : 120,
                       words);
        empty = false;
        words += length;
        if (*words == '\n') {
            log_result("%s", line);
            at = snprintf(line, sizeof line, "%*s", indent, "");
            empty = true;
        }
        words += *words != '\0';
    }
    if (!empty) log_result("%s", line);
}

const HelpStatus help_statuses[] = {
    {0, "done"},
    {2, "usage"},
    {3, "configuration"},
    {4, "input data"},
    {5, "I/O"},
    {6, "memory"},
    {7, "a number that is not finite"},
    {75, "interrupted, can be resumed"},
    {70, "a fault of the program"},
    {0, NULL},
};

char *help_option_text(const Option *option, char *text, size_t size)
{
    char range[96] = "";
    bool is_number = option->kind == OPTION_INT || option->kind == OPTION_NUMBER;
    if (is_number && option->min < option->max)
        snprintf(range, sizeof range, option->kind == OPTION_INT ? "%.0f to %.0f" : "%g to %g", option->min,
                 option->max);
    bool has_fallback = option->fallback != NULL, has_range = *range != '\0';
    snprintf(text, size, "%s%s%s%s%s%s%s%s", option->help, option->required ? " (required)" : "",
             has_fallback || has_range ? " (" : "", has_fallback ? "default " : "",
             has_fallback ? option->fallback : "", has_fallback && has_range ? "; " : "", range,
             has_fallback || has_range ? ")" : "");
    return text;
}

static void print_option(const Option *option)
{
    char name[96], text[512];
    snprintf(name, sizeof name, "  %s %s", option->name, option->argument == NULL ? "" : option->argument);
    help_option_text(option, text, sizeof text);
    print_wrapped(name, HELP_COLUMN, text);
}

static void print_example(const char *example)
{
    while (*example != '\0') {
        int length = (int)strcspn(example, "\n");
        log_result("  %.*s", length, example);
        example += length + (example[length] == '\n');
    }
}

void help_program(const Command *const *commands)
{
    log_result("seisdcn: " HELP_PURPOSE);
    log_result("\nusage: seisdcn COMMAND [options]        alone, or under mpirun -n N with any N\n\ncommands:");
    for (; *commands != NULL; commands++) {
        char name[64];
        snprintf(name, sizeof name, "  %s", (*commands)->name);
        print_wrapped(name, 16, (*commands)->summary);
    }
    log_result("\noptions of every command:");
    for (const Option *option = options_common(); option->name != NULL; option++) print_option(option);
    log_result("\nseisdcn COMMAND --help      the command's options with their defaults, and an example");
    log_result("seisdcn help config        every configuration key with its meaning, range and default, as YAML");
    log_result("seisdcn help man           the manual page: seisdcn help man | man -l -");
    log_result("seisdcn completion bash    completion by the shell: source <(seisdcn completion bash)");
    char text[512] = "";
    size_t at = 0;
    for (const HelpStatus *s = help_statuses; s->meaning != NULL; s++)
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%d %s", at == 0 ? "" : "; ", s->status, s->meaning);
    log_result("%s", "");
    print_wrapped("exit status:", 14, text);
}

char *help_usage(const Command *command, char *text, size_t size)
{
    size_t at = (size_t)snprintf(text, size, "seisdcn %s", command->name);
    const Option *option;
    for (int i = 0; (option = options_at(command, i, NULL)) != NULL; i++)
        if (option->required) at += (size_t)snprintf(text + at, size - at, " %s %s", option->name, option->argument);
    snprintf(text + at, size - at, " [options]%s%s", command->arguments == NULL ? "" : " ",
             command->arguments == NULL ? "" : command->arguments);
    return text;
}

void help_command(const Command *command)
{
    char usage[512];
    log_result("seisdcn %s: %s\n\nusage: %s\n", command->name, command->summary,
               help_usage(command, usage, sizeof usage));
    if (command->description != NULL) {
        print_wrapped("", 0, command->description);
        log_result("%s", "");
    }
    log_result("options:");
    const Option *option;
    for (int i = 0; (option = options_at(command, i, NULL)) != NULL; i++) print_option(option);
    for (option = options_common(); option->name != NULL; option++)
        if (options_applies(command, option)) print_option(option);
    if (command->uses_config) log_result("\nseisdcn help config lists the configuration's keys with their defaults.");
    if (command->example != NULL) {
        log_result("\nexample:");
        print_example(command->example);
    }
}

void help_version(void)
{
    unsigned major = 0, minor = 0, release = 0;
    char mpi[MPI_MAX_LIBRARY_VERSION_STRING] = "?";
    int length = 0;
    H5get_libversion(&major, &minor, &release);
    MPI_Get_library_version(mpi, &length);
    mpi[strcspn(mpi, ",\n")] = '\0'; /* Open MPI adds who built it and when */
    log_result("seisdcn %s", SEISDCN_VERSION);
    log_result("HDF5 %u.%u.%u", major, minor, release);
    log_result("MPI: %s", mpi);
}

Status help_config(void)
{
    Config config;
    config_defaults(&config);
    char *text = config_format(&config, true);
    if (text == NULL) return STATUS_MEMORY;
    size_t n = strlen(text);
    if (n > 0 && text[n - 1] == '\n') text[n - 1] = '\0'; /* log_result() ends the line */
    log_result("%s", text);
    memory_free(text);
    return STATUS_OK;
}
