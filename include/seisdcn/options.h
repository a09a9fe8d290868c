/* options: a command line taken apart by a command's table of options.
 *
 * `--name value` and `--name=value` are the same; `--` ends the options. Refused with STATUS_USAGE: unknown options
 * (the nearest known one is named), an option given twice, a missing value or a missing required option, numbers that
 * are none or out of range, too few or too many arguments. */
#ifndef SEISDCN_OPTIONS_H
#define SEISDCN_OPTIONS_H

#include "seisdcn/command.h"
#include "seisdcn/status.h"

#include <stdbool.h>

typedef struct {
    bool help, version;
    const char *config_path; /* NULL where none was given */
    int n_sets;
    const char **sets; /* [n_sets] the --set assignments, in their order */
} Invocation;

/* The options that every command has (--config and --set only where it uses_config, --trust only where it has an option
 * that names a survey), ended by a name of NULL. Pure. */
const Option *options_common(void);

/* The i-th option of a command, all its tables counted through, NULL behind the last; *at (unless NULL) becomes where
 * its member lies in the structure that the options fill. Pure. */
const Option *options_at(const Command *command, int i, size_t *at);

/* What is wrong with a command's tables, in words, NULL where nothing is: a row that fills no member, or the member of
 * another, or one beyond the structure. Pure; for tests. */
const char *options_check(const Command *command);

/* Whether a command takes this one of the common options. Pure. */
bool options_applies(const Command *command, const Option *common);

/* Takes argv[0..argc), what stands behind the command's name, into job (whose command is set) and invocation. With
 * --help or --version among them nothing is missed. To be freed with options_free(), also after a failure. Local, and
 * alike on all ranks but for memory. */
Status options_parse(int argc, char **argv, Job *job, Invocation *invocation);

/* Frees what options_parse() made. Local. */
void options_free(Job *job, Invocation *invocation);

#endif
