/* help: what --help and --version print, on standard output, by rank 0. */
#ifndef SEISDCN_HELP_H
#define SEISDCN_HELP_H

#include "seisdcn/command.h"

/* The program's help: the list of commands (ended by NULL) and what all have in common. Local. */
void help_program(const Command *const *commands);

/* One command's help: usage, options with defaults, an example. Local. */
void help_command(const Command *command);

/* The manual page, in roff: every command with its options, every configuration key. Local. */
void help_man(const Command *const *commands);

/* A script that completes the command line in a shell: commands, options, their files, configuration keys and their
 * words. Local. STATUS_USAGE where the shell is not known: bash is. */
Status help_completion(const Command *const *commands, const char *shell);

/* The versions of the program and of its libraries. Local. */
void help_version(void);

/* Every configuration key with meaning, range and default, as YAML: config/default.yaml. Local. STATUS_MEMORY. */
Status help_config(void);

#endif
