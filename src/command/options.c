#include "seisdcn/options.h"

#include "seisdcn/memory.h"
#include "seisdcn/text.h"

#include <stdio.h>
#include <string.h>

static const Option common[] = {
    {"--config", OPTION_INPUT, "FILE.yaml", NULL, 0, 0, false, "configuration; every key has a default"},
    {"--set", OPTION_TEXT, "section.key=value", NULL, 0, 0, false, "overrides one key; may be repeated"},
    {"--force", OPTION_FLAG, NULL, NULL, 0, 0, false, "overwrites an existing output, but nothing that is read"},
    {"--trust", OPTION_FLAG, NULL, NULL, 0, 0, false,
     "reads gathers without comparing them with the checksums that their survey or prediction has of them"},
    {"--alone", OPTION_FLAG, NULL, NULL, 0, 0, false, "runs one process by itself, whatever a launcher says"},
    {"--quiet", OPTION_FLAG, NULL, NULL, 0, 0, false, "prints results, warnings and errors only"},
    {"--help", OPTION_FLAG, NULL, NULL, 0, 0, false, "prints this help"},
    {"--version", OPTION_FLAG, NULL, NULL, 0, 0, false, "prints the versions of the program and its libraries"},
    {.name = NULL}};

const Option *options_common(void) { return common; }

/* Whether a command reads gathers. */
static bool reads_surveys(const Command *command)
{
    for (const Option *option = command->options; option->name != NULL; option++)
        if (option->kind == OPTION_SURVEY || option->kind == OPTION_SURVEYS) return true;
    return false;
}

bool options_applies(const Command *command, const Option *option)
{
    if (strcmp(option->name, "--trust") == 0) return reads_surveys(command);
    return command->uses_config || (strcmp(option->name, "--config") != 0 && strcmp(option->name, "--set") != 0);
}

/* The option in table whose name is the first `length` bytes of word, -1 where there is none. */
static int find(const Option *table, const char *word, size_t length)
{
    for (int i = 0; table[i].name != NULL; i++)
        if (strlen(table[i].name) == length && strncmp(table[i].name, word, length) == 0) return i;
    return -1;
}

static Status unknown_option(const Command *command, const char *word)
{
    const char *names[COMMAND_OPTIONS_MAX + sizeof common / sizeof *common];
    size_t n = 0;
    for (const Option *option = command->options; option->name != NULL; option++) names[n++] = option->name;
    for (const Option *option = common; option->name != NULL; option++)
        if (options_applies(command, option)) names[n++] = option->name;
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(word, "="), word);
    const char *nearest = text_nearest(name, names, n);
    if (nearest != NULL) return status_fail(STATUS_USAGE, "unknown option %s; did you mean %s?", name, nearest);
    return status_fail(STATUS_USAGE, "unknown option %s; seisdcn %s --help lists the options", name, command->name);
}

static Status check_number(const Option *option, const char *text)
{
    int64_t whole = 0;
    double value = 0;
    bool good = option->kind == OPTION_INT ? text_to_int(text, &whole) : text_to_double(text, &value);
    if (option->kind == OPTION_INT) value = (double)whole;
    bool bounded = option->min < option->max;
    if (good && !(bounded && (value < option->min || value > option->max))) return STATUS_OK;
    const char *kind = option->kind == OPTION_INT ? "a whole number" : "a number";
    if (!bounded) return status_fail(STATUS_USAGE, "%s takes %s, not '%.80s'", option->name, kind, text);
    return status_fail(STATUS_USAGE,
                       option->kind == OPTION_INT ? "%s takes %s from %.0f to %.0f, not '%.80s'"
                                                  : "%s takes %s from %g to %g, not '%.80s'",
                       option->name, kind, option->min, option->max, text);
}

/* The value of the option that stands at argv[*at], behind its '=' or in the next word; *at moves to its last word. */
static Status take_value(const Option *option, int argc, char **argv, int *at, const char **value)
{
    const char *equals = strchr(argv[*at], '=');
    if (option->kind == OPTION_FLAG) {
        *value = "1";
        if (equals != NULL) return status_fail(STATUS_USAGE, "%s takes no value", option->name);
        return STATUS_OK;
    }
    if (equals != NULL) {
        *value = equals + 1;
    } else {
        if (*at + 1 == argc || strncmp(argv[*at + 1], "--", 2) == 0)
            return status_fail(STATUS_USAGE, "%s needs a value: %s %s", option->name, option->name, option->argument);
        *value = argv[++*at];
    }
    if (**value == '\0') return status_fail(STATUS_USAGE, "%s has an empty value", option->name);
    bool is_number = option->kind == OPTION_INT || option->kind == OPTION_NUMBER;
    return is_number ? check_number(option, *value) : STATUS_OK;
}

static Status take_common(const Option *option, const char *value, Job *job, Invocation *invocation)
{
    if (strcmp(option->name, "--set") == 0) {
        invocation->sets[invocation->n_sets++] = value;
    } else if (strcmp(option->name, "--config") == 0) {
        if (invocation->config_path != NULL) return status_fail(STATUS_USAGE, "--config is given twice");
        invocation->config_path = value;
    } else if (strcmp(option->name, "--force") == 0) {
        job->force = true;
    } else if (strcmp(option->name, "--trust") == 0) {
        job->trust = true;
    } else if (strcmp(option->name, "--quiet") == 0) {
        job->quiet = true;
    } else if (strcmp(option->name, "--alone") == 0) {
        job->alone = true;
    } else if (strcmp(option->name, "--help") == 0) {
        invocation->help = true;
    } else {
        invocation->version = true;
    }
    return STATUS_OK;
}

static Status take_option(int argc, char **argv, int *at, Job *job, Invocation *invocation)
{
    const char *word = strcmp(argv[*at], "-h") == 0 ? "--help" : argv[*at], *value = NULL;
    size_t length = strcspn(word, "=");
    int mine = find(job->command->options, word, length), shared = find(common, word, length);
    if (mine < 0 && (shared < 0 || !options_applies(job->command, &common[shared])))
        return unknown_option(job->command, word);
    const Option *option = mine >= 0 ? &job->command->options[mine] : &common[shared];
    Status status = take_value(option, argc, argv, at, &value);
    if (status != STATUS_OK) return status;
    if (mine < 0) return take_common(option, value, job, invocation);
    bool repeats = option->kind == OPTION_LIST || option->kind == OPTION_SURVEYS;
    if (repeats) job->repeated[job->n_repeated++] = (Repeated){mine, value};
    if (job->option[mine] != NULL && option->kind != OPTION_FLAG && !repeats)
        return status_fail(STATUS_USAGE, "%s is given twice", option->name);
    job->option[mine] = value;
    return STATUS_OK;
}

/* What is missing once all words are taken; the defaults go in. */
static Status complete(Job *job)
{
    const Command *command = job->command;
    for (int i = 0; command->options[i].name != NULL; i++) {
        const Option *option = &command->options[i];
        if (job->option[i] == NULL && option->required)
            return status_fail(STATUS_USAGE, "%s %s is missing; seisdcn %s --help lists the options", option->name,
                               option->argument, command->name);
        if (job->option[i] == NULL) job->option[i] = option->fallback;
    }
    int most = command->arguments == NULL ? 0 : command->max_arguments;
    if (job->n_arguments > most)
        return status_fail(STATUS_USAGE, "'%.200s' is one argument too many%s%s", job->arguments[most],
                           most == 0 ? "" : "; wanted: ", most == 0 ? "" : command->arguments);
    if (command->arguments != NULL && job->n_arguments < command->min_arguments)
        return status_fail(STATUS_USAGE, "%s is missing; seisdcn %s --help shows how to call it", command->arguments,
                           command->name);
    return STATUS_OK;
}

/* Whether an option changes no result. */
static bool is_unspoken(const char *word)
{
    return strcmp(word, "--quiet") == 0 || strcmp(word, "--force") == 0 || strcmp(word, "--resume") == 0 ||
           strcmp(word, "--alone") == 0;
}

/* The command line without what changes no result. */
static char *make_line(const Command *command, int argc, char **argv)
{
    char *line = text_format("seisdcn %s", command->name);
    for (int i = 0; line != NULL && i < argc; i++) {
        if (is_unspoken(argv[i])) continue;
        char *word = text_shell_word(argv[i]), *longer = word == NULL ? NULL : text_format("%s %s", line, word);
        memory_free(word);
        memory_free(line);
        line = longer;
    }
    return line;
}

Status options_parse(int argc, char **argv, Job *job, Invocation *invocation)
{
    job->arguments = memory_new((size_t)argc + 1, sizeof *job->arguments, "the arguments");
    invocation->sets = memory_new((size_t)argc + 1, sizeof *invocation->sets, "the arguments");
    job->repeated = memory_new((size_t)argc + 1, sizeof *job->repeated, "the arguments");
    job->line = make_line(job->command, argc, argv);
    if (job->arguments == NULL || invocation->sets == NULL || job->repeated == NULL || job->line == NULL)
        return STATUS_MEMORY;
    bool options_end = false;
    for (int i = 0; i < argc; i++) {
        bool is_option = !options_end && argv[i][0] == '-' && argv[i][1] != '\0';
        if (is_option && strcmp(argv[i], "--") == 0) {
            options_end = true;
        } else if (is_option) {
            Status status = take_option(argc, argv, &i, job, invocation);
            if (status != STATUS_OK) return status;
        } else {
            job->arguments[job->n_arguments++] = argv[i];
        }
    }
    return invocation->help || invocation->version ? STATUS_OK : complete(job);
}

void options_free(Job *job, Invocation *invocation)
{
    memory_free(job->arguments);
    memory_free(invocation->sets);
    memory_free(job->repeated);
    memory_free(job->line);
    job->arguments = NULL;
    job->repeated = NULL;
    invocation->sets = NULL;
    job->line = NULL;
}
