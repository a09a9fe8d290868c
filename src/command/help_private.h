/* Private to the help pages: what the page on the terminal and the manual page share. */
#ifndef SEISDCN_HELP_PRIVATE_H
#define SEISDCN_HELP_PRIVATE_H

#include "seisdcn/command.h"

#include <stddef.h>

#define HELP_PURPOSE \
    "learns seismic gathers with a small convolutional autoencoder, in parallel, and applies it to whole surveys"

/* An exit status and what it says; ended by a meaning of NULL. */
typedef struct {
    int status;
    const char *meaning;
} HelpStatus;

extern const HelpStatus help_statuses[];

/* What an option is for, with its default and range, into text (size bytes), which is returned. Pure. */
char *help_option_text(const Option *option, char *text, size_t size);

/* "seisdcn apply --survey SURVEY.h5 [options]" into text (size bytes), which is returned. Pure. */
char *help_usage(const Command *command, char *text, size_t size);

#endif
