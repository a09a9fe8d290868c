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
#include <stddef.h>
#include <stdint.h>

/* What an option's argument is. Files and folders say whether they are read or written: nothing that is read is ever
 * overwritten (overwrite.h), and who reads gathers takes --trust. */
typedef enum {
    OPTION_UNBOUND, /* of a row that fills no member: options_check() refuses it */
    OPTION_FLAG,
    OPTION_TEXT,
    OPTION_INT,
    OPTION_NUMBER,
    OPTION_LIST,    /* a text; may be given several times */
    OPTION_SURVEY,  /* a survey or prediction that is read */
    OPTION_SURVEYS, /* the same; may be given several times */
    OPTION_INPUT,   /* another file, or a folder, that is read */
    OPTION_OUTPUT,  /* a file that is written */
    OPTION_FOLDER   /* a folder in which files are written, see Command's writes(); or a file */
} OptionKind;

/* The texts of an option that may be given several times. */
typedef struct {
    int n;
    const char **text; /* [n] in the order given */
} OptionTexts;

/* Kind and member of a row: FILLS(INT, FxOptions, window_samples). A member of another type than the kind fills does
 * not compile. Where an option is not given and has no default its member is false, NULL, 0, NAN or no texts; so a
 * whole number without a default is at least 1. */
#define FILLS(k, structure, m) \
    OPTION_##k, offsetof(structure, m) + 0 * sizeof(_Generic(((structure *)0)->m, OPTION_FILLS_##k : 0))
#define OPTION_FILLS_FLAG    bool
#define OPTION_FILLS_TEXT    const char *
#define OPTION_FILLS_INT     int64_t
#define OPTION_FILLS_NUMBER  double
#define OPTION_FILLS_LIST    OptionTexts
#define OPTION_FILLS_SURVEY  const char *
#define OPTION_FILLS_SURVEYS OptionTexts
#define OPTION_FILLS_INPUT   const char *
#define OPTION_FILLS_OUTPUT  const char *
#define OPTION_FILLS_FOLDER  const char *

typedef struct {
    const char *name; /* "--output" */
    OptionKind kind;  /* with the member that it fills, by FILLS */
    size_t member;
    const char *argument; /* "FILE.h5", as --help shows it; NULL for a flag */
    const char *fallback; /* the default as text, NULL: none */
    double min, max;      /* allowed range of numbers (OPTION_INT, OPTION_NUMBER) */
    bool required;
    const char *help; /* one line */
} Option;

/* Rows of options, ended by a name of NULL, that fill one structure; `at` is where it lies within the one that the
 * command's options fill. Options that several commands share are a table of their own. */
typedef struct {
    const Option *rows;
    size_t at;
} OptionTable;

enum { COMMAND_OPTIONS_MAX = 32, COMMAND_TABLES_MAX = 4 };

struct Job;

/* An option with a text that it was given, or its default. */
typedef struct {
    const Option *option;
    const char *text; /* "1" for a flag */
} Given;

typedef struct {
    const char *name;                       /* "train" */
    const char *summary;                    /* one line for the list of commands */
    const char *description;                /* a paragraph for its --help */
    const char *example;                    /* lines of the shell */
    OptionTable tables[COMMAND_TABLES_MAX]; /* ended by rows of NULL, unless all are there */
    size_t options_size;                    /* of the structure that they fill */
    const char *arguments;                  /* "INPUT...", "FILE.h5"; NULL where it takes none */
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
    bool alone;    /* --alone: this process knows that it is one of several that do not know each other */
    void *options; /* the structure that the command's options fill */
    int n_given;
    Given *given;       /* [n_given] in the order of the tables, several texts of one option as they were given */
    const char **texts; /* room for the members that are OptionTexts */
    int n_arguments;
    char **arguments; /* what stood without an option */
    char *line;       /* the command line as history shows it: without --quiet, --force, --alone and --resume, names
                         of files as given */
} Job;

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
