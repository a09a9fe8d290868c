/* Private to the commands: lines that several of them have. */
#ifndef SEISDCN_REPORT_H
#define SEISDCN_REPORT_H

#include "seisdcn/comm.h"
#include "seisdcn/status.h"

#include <stdint.h>

/* Says on the log how much memory the ranks had at their peaks. Collective. */
void report_memory(const Comm *comm);

/* Warns where the ranks of a node will need more memory than it has; my_bytes is this rank's need. Collective. */
void report_node(const Comm *comm, int64_t my_bytes, const char *remedy);

/* A row of a command's table of results on standard output: a name, and what stands behind it. Local. */
void report_row(const char *name, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Replaces the n numbers by those of one rank, on all ranks. Collective. */
void report_take(const Comm *comm, int rank, int64_t *numbers, size_t n);

#endif
