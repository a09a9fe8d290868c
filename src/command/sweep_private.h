/* Private to the sweep command: its configurations, and what its files share. */
#ifndef SEISDCN_SWEEP_PRIVATE_H
#define SEISDCN_SWEEP_PRIVATE_H

#include "seisdcn/command.h"
#include "seisdcn/config.h"
#include "seisdcn/grid.h"
#include "seisdcn/status.h"

#include <stdbool.h>
#include <stdint.h>

/* What the options say; their table tells what each means. */
typedef struct {
    const char *survey, *output, *grid, *map, *clean, *emit;
    int64_t only;
} SweepOptions;

/* Those of a job of this command. Pure. */
static inline const SweepOptions *sweep_options(const Job *job) { return job->options; }

enum { SWEEP_NAME_MAX = 200 };

/* A configuration of the command line: a file's keys, and its name without folder and ending. */
typedef struct {
    Config config;
    char name[SWEEP_NAME_MAX];
} SweepFile;

typedef struct {
    Job *job;
    const char *folder; /* the option --output */
    Grid grid;          /* one combination of no keys where no grid is given */
    SweepFile *file;    /* [n_files] */
    int n_files;
    int64_t n;           /* configurations: every file, or the base alone, with every combination */
    int64_t first, last; /* those that this run takes: 0 .. n - 1, or one */
    char *map;           /* the index map of all trainings; NULL where they have different patches */
    bool has_map;        /* the user's own */
} Sweep;

/* ---- sweep_plan.c: which configurations there are ---- */

/* Reads the grid and the files, and checks every configuration, against the survey too. Collective. STATUS_USAGE,
 * STATUS_CONFIG, STATUS_IO, STATUS_DATA, STATUS_MEMORY. To be freed with sweep_plan_free(), also after a failure. */
Status sweep_plan(Job *job, Sweep *sweep);

void sweep_plan_free(Sweep *sweep);

/* Configuration i and its name. Local. STATUS_CONFIG where the name is too long; what config_set() says. */
Status sweep_configuration(const Sweep *sweep, int64_t i, Config *config, char name[SWEEP_NAME_MAX]);

/* ---- sweep_emit.c ---- */

/* Writes FOLDER/sweep.sbatch, the job file of an array with a task for each configuration. Local: rank 0's work.
 * STATUS_USAGE where the folder of job files is not found, STATUS_IO, STATUS_MEMORY. */
Status sweep_emit(const Sweep *sweep);

#endif
