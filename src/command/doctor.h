/* Private to the doctor command: what it looks at. */
#ifndef SEISDCN_DOCTOR_H
#define SEISDCN_DOCTOR_H

#include "seisdcn/comm.h"
#include "seisdcn/status.h"

#include <stdint.h>

/* A line of the table on standard output, printed by rank 0. Local. */
void doctor_line(const char *label, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- the machine ---- */

/* Prints the launcher, the hosts with their ranks, the libraries, each rank's instruction set, the memory that a rank
 * can have, and the optional programs. Collective. STATUS_MEMORY. */
Status doctor_machine(const Comm *comm);

/* ---- the folder ---- */

/* Prints a folder's file system and free space, and what locks are worth there, tried on the file `path`, which is made
 * and removed; *locks_hold on rank 0: none was refused or broken. Collective. STATUS_IO where the file cannot be made.
 */
Status doctor_locks(const Comm *comm, const char *folder, const char *path, bool *locks_hold);

/* What a trial measured over all ranks. */
typedef struct {
    double bytes, write_seconds, read_seconds;
} DoctorTrial;

/* Writes a file of bytes_a_rank a rank as the program writes surveys, gather by gather, each rank by itself or
 * (together = true) all of them in collective calls; then each rank reads gathers of its neighbour and compares their
 * checksums. The file is removed by the caller. Collective. STATUS_IO (also where other bytes come back),
 * STATUS_MEMORY. */
Status doctor_trial(const Comm *comm, const char *path, double bytes_a_rank, bool together, DoctorTrial *trial);

#endif
