#include "seisdcn/options.h"

#include "seisdcn/memory.h"
#include "seisdcn/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const Option common[] = {
    {"--config", OPTION_INPUT, 0, "FILE.yaml", NULL, 0, 0, false, "configuration; every key has a default"},
    {"--set", OPTION_TEXT, 0, "section.key=value", NULL, 0, 0, false, "overrides one key; may be repeated"},
    {"--force", OPTION_FLAG, 0, NULL, NULL, 0, 0, false, "overwrites an existing output, but nothing that is read"},
    {"--trust", OPTION_FLAG, 0, NULL, NULL, 0, 0, false,
     "reads gathers without comparing them with the checksums that their survey or prediction has of them"},
    {"--alone", OPTION_FLAG, 0, NULL, NULL, 0, 0, false, "runs one process by itself, whatever a launcher says"},
    {"--quiet", OPTION_FLAG, 0, NULL, NULL, 0, 0, false, "prints results, warnings and errors only"},
    {"--help", OPTION_FLAG, 0, NULL, NULL, 0, 0, false, "prints this help"},
    {"--version", OPTION_FLAG, 0, NULL, NULL, 0, 0, false, "prints the versions of the program and its libraries"},
    {.name = NULL}};

const Option *options_common(void) { return common; }

const Option *options_at(const Command *command, int i, size_t *at)
{
    for (int t = 0; t < COMMAND_TABLES_MAX && command->tables[t].rows != NULL; t++)
        for (const Option *option = command->tables[t].rows; option->name != NULL; option++)
            if (i-- == 0) {
                if (at != NULL) *at = command->tables[t].at + option->member;
                return option;
            }
    return NULL;
}

/* Bytes of the member that an option of a kind fills. */
static size_t member_size(OptionKind kind)
{
    switch (kind) {
    case OPTION_UNBOUND:
        return 0;
    case OPTION_FLAG:
        return sizeof(bool);
    case OPTION_INT:
        return sizeof(int64_t);
    case OPTION_NUMBER:
        return sizeof(double);
    case OPTION_LIST:
    case OPTION_SURVEYS:
        return sizeof(OptionTexts);
    default:
        return sizeof(const char *);
    }
}

const char *options_check(const Command *command)
{
    size_t at, other;
    const Option *option;
    for (int i = 0; (option = options_at(command, i, &at)) != NULL; i++) {
        size_t end = at + member_size(option->kind);
        if (i == COMMAND_OPTIONS_MAX) return "more options than COMMAND_OPTIONS_MAX";
        if (option->kind == OPTION_UNBOUND) return "a row that fills no member";
        if (end > command->options_size) return "a member beyond the command's structure";
        if (option->kind == OPTION_INT && option->fallback == NULL && !option->required && !(option->min >= 1))
            return "a whole number that may be 0 has no default";
        for (int k = 0; k < i; k++) {
            const Option *before = options_at(command, k, &other);
            if (at < other + member_size(before->kind) && other < end) return "two rows that fill one member";
        }
    }
    return NULL;
}

/* Whether a command reads gathers. */
static bool reads_surveys(const Command *command)
{
    const Option *option;
    for (int i = 0; (option = options_at(command, i, NULL)) != NULL; i++)
        if (option->kind == OPTION_SURVEY || option->kind == OPTION_SURVEYS) return true;
    return false;
}

bool options_applies(const Command *command, const Option *option)
{
    if (strcmp(option->name, "--trust") == 0) return reads_surveys(command);
    return command->uses_config || (strcmp(option->name, "--config") != 0 && strcmp(option->name, "--set") != 0);
}

/* Whether the first `length` bytes of word are an option's name. */
static bool is_named(const Option *option, const char *word, size_t length)
{
    return strlen(option->name) == length && strncmp(option->name, word, length) == 0;
}

/* The command's own option of a name, or the common one; NULL where it takes none of that name. */
static const Option *find(const Command *command, const char *word, size_t length, bool *is_common)
{
    const Option *option;
    *is_common = false;
    for (int i = 0; (option = options_at(command, i, NULL)) != NULL; i++)
        if (is_named(option, word, length)) return option;
    *is_common = true;
    for (option = common; option->name != NULL; option++)
        if (is_named(option, word, length)) return options_applies(command, option) ? option : NULL;
    return NULL;
}

static Status unknown_option(const Command *command, const char *word)
{
    const char *names[COMMAND_OPTIONS_MAX + sizeof common / sizeof *common];
    size_t n = 0;
    const Option *option;
    for (int i = 0; (option = options_at(command, i, NULL)) != NULL; i++) names[n++] = option->name;
    for (option = common; option->name != NULL; option++)
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

/* The first text that an option was given, NULL where it was not. */
static const char *text_of(const Job *job, const Option *option)
{
    for (int g = 0; g < job->n_given; g++)
        if (job->given[g].option == option) return job->given[g].text;
    return NULL;
}

static Status take_option(int argc, char **argv, int *at, Job *job, Invocation *invocation)
{
    const char *word = strcmp(argv[*at], "-h") == 0 ? "--help" : argv[*at], *value = NULL;
    bool is_common;
    const Option *option = find(job->command, word, strcspn(word, "="), &is_common);
    if (option == NULL) return unknown_option(job->command, word);
    Status status = take_value(option, argc, argv, at, &value);
    if (status != STATUS_OK) return status;
    if (is_common) return take_common(option, value, job, invocation);
    bool repeats = option->kind == OPTION_LIST || option->kind == OPTION_SURVEYS;
    const char *before = text_of(job, option);
    if (before != NULL && option->kind == OPTION_FLAG) return STATUS_OK;
    if (before != NULL && !repeats) return status_fail(STATUS_USAGE, "%s is given twice", option->name);
    job->given[job->n_given++] = (Given){option, value};
    return STATUS_OK;
}

/* Puts a text, which was checked, into the member that its option fills. */
static void fill(const Given *given, void *member)
{
    OptionTexts *texts = member;
    switch (given->option->kind) {
    case OPTION_UNBOUND:
        break;
    case OPTION_FLAG:
        *(bool *)member = true;
        break;
    case OPTION_INT:
        (void)text_to_int(given->text, member);
        break;
    case OPTION_NUMBER:
        (void)text_to_double(given->text, member);
        break;
    case OPTION_LIST:
    case OPTION_SURVEYS:
        texts->text[texts->n++] = given->text;
        break;
    default:
        *(const char **)member = given->text;
    }
}

/* Brings what was given into the order of the tables, with defaults, and fills the command's structure. */
static Status fill_all(Job *job)
{
    Given *sorted = memory_new((size_t)job->n_given + COMMAND_OPTIONS_MAX, sizeof *sorted, "the options");
    if (sorted == NULL) return STATUS_MEMORY;
    int n = 0;
    size_t at = 0;
    const Option *option;
    for (int i = 0; (option = options_at(job->command, i, &at)) != NULL; i++) {
        void *member = (char *)job->options + at;
        if (option->kind == OPTION_NUMBER) *(double *)member = NAN;
        if (option->kind == OPTION_LIST || option->kind == OPTION_SURVEYS)
            ((OptionTexts *)member)->text = job->texts + n; /* room for as many as there are */
        int first = n;
        for (int g = 0; g < job->n_given; g++)
            if (job->given[g].option == option) sorted[n++] = job->given[g];
        if (n == first && option->fallback != NULL) sorted[n++] = (Given){option, option->fallback};
        for (int g = first; g < n; g++) fill(&sorted[g], member);
    }
    memory_free(job->given);
    job->given = sorted;
    job->n_given = n;
    return STATUS_OK;
}

/* What is missing once all words are taken. */
static Status check_complete(const Job *job)
{
    const Command *command = job->command;
    const Option *option;
    for (int i = 0; (option = options_at(command, i, NULL)) != NULL; i++)
        if (option->required && text_of(job, option) == NULL)
            return status_fail(STATUS_USAGE, "%s %s is missing; seisdcn %s --help lists the options", option->name,
                               option->argument, command->name);
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
    job->given = memory_new((size_t)argc + 1, sizeof *job->given, "the arguments");
    job->texts = memory_new((size_t)argc + COMMAND_OPTIONS_MAX, sizeof *job->texts, "the arguments");
    job->options = memory_new(job->command->options_size + 1, 1, "the options");
    job->line = make_line(job->command, argc, argv);
    if (job->arguments == NULL || invocation->sets == NULL || job->given == NULL || job->texts == NULL ||
        job->options == NULL || job->line == NULL)
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
    if (invocation->help || invocation->version) return STATUS_OK;
    Status status = check_complete(job);
    return status == STATUS_OK ? fill_all(job) : status;
}

void options_free(Job *job, Invocation *invocation)
{
    memory_free(job->arguments);
    memory_free(invocation->sets);
    memory_free(job->given);
    memory_free(job->texts);
    memory_free(job->options);
    memory_free(job->line);
    job->arguments = NULL;
    job->given = NULL;
    job->texts = NULL;
    job->options = NULL;
    invocation->sets = NULL;
    job->line = NULL;
}
