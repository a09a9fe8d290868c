/* A script that completes the command line in bash, out of the tables of commands, options and configuration keys. It
 * needs nothing but bash itself. */
#include "seisdcn/config_table.h"
#include "seisdcn/help.h"
#include "seisdcn/log.h"
#include "seisdcn/options.h"

#include <stdio.h>
#include <string.h>

/* What the argument of an option, as its help shows it, can be completed with: a pattern of file names, "dir", "file",
 * "key" (of the configuration), "value" (key=value), words with spaces between, "" for nothing. */
static const char *kind_of(const char *shown, char *text, size_t size)
{
    char argument[128];
    text[0] = '\0';
    if (shown == NULL) return text;
    snprintf(argument, sizeof argument, "%s", shown);
    char *more = strstr(argument, "..."); /* several are like one */
    if (more != NULL) *more = '\0';
    const char *ending = strrchr(argument, '.');
    size_t lower = strspn(argument, "abcdefghijklmnopqrstuvwxyz|");
    if (lower == strlen(argument)) { /* gray|seismic */
        snprintf(text, size, "%s", argument);
        for (char *bar = text; (bar = strchr(bar, '|')) != NULL;) *bar = ' ';
    } else if (strcmp(argument, "section.key=value") == 0 || strcmp(argument, "KEY") == 0) {
        snprintf(text, size, "%s", strcmp(argument, "KEY") == 0 ? "key" : "value");
    } else if (strcmp(argument, "DIR") == 0) {
        snprintf(text, size, "dir");
    } else if (strcmp(argument, "PIC.png") == 0 || strchr(argument, '|') != NULL ||
               strncmp(argument, "INPUT", 5) == 0) {
        snprintf(text, size, "file");
    } else if (ending != NULL && ending[1] >= 'a' && ending[1] <= 'z') {
        snprintf(text, size, "*%s", ending);
    }
    return text;
}

/* The line of a case that sets `kind` for an option which takes a value. */
static void put_kind(const char *before, const Option *option)
{
    char kind[128];
    if (option->kind != OPTION_FLAG)
        log_result("    '%s%s') kind='%s' ;;", before, option->name, kind_of(option->argument, kind, sizeof kind));
}

static void put_words(const char *before, const Command *command)
{
    char words[1024];
    size_t at = 0;
    const Option *option;
    for (int i = 0; (option = options_at(command, i, NULL)) != NULL; i++)
        at += (size_t)snprintf(words + at, sizeof words - at, " %s", option->name);
    for (option = options_common(); option->name != NULL; option++)
        if (options_applies(command, option))
            at += (size_t)snprintf(words + at, sizeof words - at, " %s", option->name);
    char kind[128];
    log_result("    %s) words='%s' kind='%s' ;;", before, words + 1, kind_of(command->arguments, kind, sizeof kind));
}

/* Configuration keys with '=', and the words that some of them take. */
static void put_keys(void)
{
    log_result("_seisdcn_keys='");
    for (int key = 0; key < CONFIG_KEYS; key++) log_result("%s=", config_name((ConfigKey)key));
    log_result("'\n\n_seisdcn_values()\n{\n    case $1 in");
    for (int key = 0; key < CONFIG_KEYS; key++) {
        const ConfigEntry *known = config_table_entry((ConfigKey)key);
        char range[CONFIG_RANGE_MAX];
        if (known->kind == CONFIG_FLAG) log_result("    %s) echo true false ;;", config_name((ConfigKey)key));
        if (known->kind != CONFIG_CHOICE) continue;
        config_table_range(known, range);
        for (char *bar = range; (bar = strchr(bar, '|')) != NULL;) *bar = ' ';
        log_result("    %s) echo '%s' ;;", config_name((ConfigKey)key), range);
    }
    log_result("    esac\n}\n");
}

/* bash splits words at '=': a value stands behind it as a word of its own. */
static const char function_begins[] =
    "_seisdcn()\n"
    "{\n"
    "    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} command='' words='' kind='' i\n"
    "    COMPREPLY=()\n"
    "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
    "        if [[ ${COMP_WORDS[i]} != -* ]]; then\n"
    "            command=${COMP_WORDS[i]}\n"
    "            break\n"
    "        fi\n"
    "    done\n"
    "    if [[ $current == '=' ]]; then\n"
    "        current=''\n"
    "    elif [[ $previous == '=' ]]; then\n"
    "        previous=${COMP_WORDS[COMP_CWORD-2]}\n"
    "    fi\n"
    "    case $previous in\n"
    "    *.*) # section.key\n"
    "        if [[ ${COMP_WORDS[COMP_CWORD]} == '=' || ${COMP_WORDS[COMP_CWORD-1]} == '=' ]]; then\n"
    "            mapfile -t COMPREPLY < <(compgen -W \"$(_seisdcn_values \"$previous\")\" -- \"$current\")\n"
    "            return\n"
    "        fi ;;\n"
    "    esac\n";

static const char function_completes[] =
    "    *)\n"
    "        if [[ $current == -* || -z $kind ]]; then\n"
    "            mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
    "            return\n"
    "        fi ;;\n"
    "    esac\n"
    "    case $kind in\n"
    "    dir)\n"
    "        mapfile -t COMPREPLY < <(compgen -d -- \"$current\")\n"
    "        compopt -o filenames 2>/dev/null ;;\n"
    "    file)\n"
    "        mapfile -t COMPREPLY < <(compgen -f -- \"$current\")\n"
    "        compopt -o filenames 2>/dev/null ;;\n"
    "    '*'*)\n"
    "        mapfile -t COMPREPLY < <(compgen -f -X \"!$kind\" -- \"$current\"; compgen -d -- \"$current\")\n"
    "        compopt -o filenames 2>/dev/null ;;\n"
    "    key)\n"
    "        mapfile -t COMPREPLY < <(compgen -W \"${_seisdcn_keys//=/}\" -- \"$current\") ;;\n"
    "    value)\n"
    "        mapfile -t COMPREPLY < <(compgen -W \"$_seisdcn_keys\" -- \"$current\")\n"
    "        compopt -o nospace 2>/dev/null ;;\n"
    "    *)\n"
    "        mapfile -t COMPREPLY < <(compgen -W \"$kind\" -- \"$current\") ;;\n"
    "    esac\n"
    "}\n"
    "complete -F _seisdcn seisdcn";

Status help_completion(const Command *const *commands, const char *shell)
{
    if (strcmp(shell, "bash") != 0)
        return status_fail(STATUS_USAGE,
                           "there is no completion for %.40s; for bash there is (zsh takes it after "
                           "autoload -U bashcompinit; bashcompinit)",
                           shell);
    char words[512] = "help completion";
    size_t at = strlen(words);
    for (const Command *const *command = commands; *command != NULL; command++)
        at += (size_t)snprintf(words + at, sizeof words - at, " %s", (*command)->name);
    log_result("# Completes the command line of seisdcn in bash: source <(seisdcn completion bash)\n");
    put_keys();
    log_result("%s    case $command in", function_begins);
    log_result("    '') words='%s --help --version --quiet --force --alone' ;;", words);
    log_result("    help) words='%s config man' ;;\n    completion) words='bash' ;;",
               words + strlen("help completion "));
    for (const Command *const *command = commands; *command != NULL; command++) put_words((*command)->name, *command);
    log_result("    esac\n%s", "    case \"$command $previous\" in");
    for (const Command *const *command = commands; *command != NULL; command++) {
        char before[64];
        snprintf(before, sizeof before, "%s ", (*command)->name);
        const Option *option;
        for (int i = 0; (option = options_at(*command, i, NULL)) != NULL; i++) put_kind(before, option);
    }
    for (const Option *option = options_common(); option->name != NULL; option++) put_kind("'*' ", option);
    log_result("%s", function_completes);
    return STATUS_OK;
}
