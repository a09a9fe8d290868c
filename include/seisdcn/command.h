/* command: the table of commands, their options, and what every command gets.
 *
 * A command is one file in src/command/: its options as a table (which parses the command line and writes --help), and
 * a run function that is collective: prepare, agree, loop, report. */
#ifndef SEISDCN_COMMAND_H
#define SEISDCN_COMMAND_H

#include "seisdcn/comm.h"
#include "seisdcn/config.h"
#include "seisdcn/status.h"

#include <stdbool.h>
#include <stdint.h>

/* What an option's argument is. Files and folders say whether they are read or written: nothing that is read is ever
 * overwritten (overwrite.h), and who reads gathers takes --trust. */
typedef enum {
    OPTION_FLAG,
    OPTION_TEXT,
    OPTION_INT,
    OPTION_NUMBER,
    OPTION_LIST,    /* a text; may be given several times, see command_texts() */
    OPTION_SURVEY,  /* a survey or prediction that is read */
    OPTION_SURVEYS, /* the same; may be given several times */
    OPTION_INPUT,   /* another file, or a folder, that is read */
    OPTION_OUTPUT,  /* a file that is written */
    OPTION_FOLDER   /* a folder in which files are written, see Command's writes(); or a file */
} OptionKind;

typedef struct {
    const char *name; /* "--output" */
    OptionKind kind;
    const char *argument; /* "FILE.h5", as --help shows it; NULL for a flag */
    const char *fallback; /* the default as text, NULL: none */
    double min, max;      /* allowed range of numbers (OPTION_INT, OPTION_NUMBER) */
    bool required;
    const char *help; /* one line */
} Option;

enum { COMMAND_OPTIONS_MAX = 24 };

struct Job;

/* One of the texts of an option that may be repeated: an OPTION_LIST or OPTION_SURVEYS of command->options. */
typedef struct {
    int option;
    const char *text;
} Repeated;

typedef struct {
    const char *name;        /* "train" */
    const char *summary;     /* one line for the list of commands */
    const char *description; /* a paragraph for its --help */
    const char *example;     /* lines of the shell */
    const Option *options;   /* ended by a name of NULL */
    const char *arguments;   /* "INPUT...", "FILE.h5"; NULL where it takes none */
    int min_arguments, max_arguments;
    bool uses_config;               /* takes --config and --set */
    bool is_resumable;              /* a signal asks it to stop (interrupt.h); the others are ended by one */
    Status (*run)(struct Job *job); /* collective */
    /* Whether it may write or remove this file in the folder that its OPTION_FOLDER names (the name is relative to it);
     * NULL: any file. Pure. */
    bool (*writes)(const char *name);
} Command;

typedef struct Job {
    Comm comm;
    const Command *command;
    Config config;
    const char *config_path; /* NULL where no --config was given */
    int n_sets;
    const char *const *sets; /* [n_sets] the --set assignments that config holds, in the order given */
    bool force, quiet, trust;
    bool alone; /* --alone: this process knows that it is one of several that do not know each other */
    const char *option[COMMAND_OPTIONS_MAX]; /* the text of option i of command->options, its fallback, or NULL */
    int n_repeated;
    Repeated *repeated; /* [n_repeated] in the order given */
    int n_arguments;
    char **arguments; /* what stood without an option */
    char *line;       /* the command line as history shows it: without --quiet, --force, --alone and --resume, names
                         of files as given */
} Job;

/* The text of an option, NULL where it was not given and has no default ("1" for a flag that was given). Pure. */
const char *command_text(const Job *job, const char *name);

/* The i-th text (from 0) of an option that may be repeated, NULL where it was given less often. Pure. */
const char *command_texts(const Job *job, const char *name, int i);

/* Whether a flag was given. Pure. */
bool command_flag(const Job *job, const char *name);

/* The number of an option that has a default or is required (checked when parsed). Pure. */
int64_t command_int(const Job *job, const char *name);
double command_number(const Job *job, const char *name);

/* The text of the file that an option names (NULL: an argument), read by rank 0, on all ranks; to be freed with
 * memory_free(). Collective. STATUS_IO, STATUS_MEMORY; STATUS_CONFIG where an option's holds a zero byte. */
Status command_read_text(const Comm *comm, const char *option, const char *path, char **text);

/* Runs a command as if words [n] stood behind its name on the command line, within this one. Collective. What the
 * command returns. */
Status command_call(const Job *job, const Command *command, int n, char **words);

/* Runs the program: finds the command, parses, reads the configuration, runs it, prints the error. Collective over
 * the job's ranks. Returns the process's exit status. */
int command_main(const Comm *comm, const Command *const *commands, int argc, char **argv);

#endif
