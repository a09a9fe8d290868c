/* launcher: what started this process, and whether that and MPI agree on how many there are.
 *
 * A launcher of another MPI than the program's own starts n processes, and each of them finds itself alone: it would do
 * all the work, on the files that the others write too. Launchers leave their counts in the environment, so this is
 * found before anything is written. Inside a Slurm job SLURM_NTASKS alone says nothing: the job's own shell has it, and
 * a command there is rightly alone; what counts is the step (srun) that the process is a task of. */
#ifndef SEISDCN_LAUNCHER_H
#define SEISDCN_LAUNCHER_H

#include "seisdcn/comm.h"
#include "seisdcn/status.h"

#include <stdbool.h>

/* Notes what the environment says of the launcher. To be called before MPI starts, which adds variables of its own; it
 * also takes from Open MPI's sight an srun that offers it no PMIx: MPI then starts with one process, where it would
 * abort. Local. */
void launcher_look(void);

/* The launcher's name for the user ("none: one process by itself"). Pure. */
const char *launcher_name(void);

/* Whether the launcher started more processes than MPI joined, which then are one each. Pure. */
bool launcher_misfits(const Comm *comm);

/* Whether this process is the one of a launcher's that speaks for all of them: by its own count the first. Pure. */
bool launcher_speaks(void);

/* Refuses to go on where launcher_misfits(): the variable, the counts and the remedy. Local. STATUS_USAGE. */
Status launcher_check(const Comm *comm);

#endif
