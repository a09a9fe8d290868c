/* help: what --help and --version print, on standard output, by rank 0. */
#ifndef SEISDCN_HELP_H
#define SEISDCN_HELP_H

#include "seisdcn/command.h"

/* The program's help: the list of commands (ended by NULL) and what all have in common. Local. */
void help_program(const Command *const *commands);

/* One command's help: usage, options with defaults, an example. Local. */
void help_command(const Command *command);

/* The versions of the program and of its libraries. Local. */
void help_version(void);

/* Every configuration key with meaning, range and default, as YAML: config/default.yaml. Local. STATUS_MEMORY. */
Status help_config(void);

#endif
