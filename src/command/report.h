/* Private to the commands: lines that several of them end with. */
#ifndef SEISDCN_REPORT_H
#define SEISDCN_REPORT_H

#include "seisdcn/comm.h"

/* Says on the log how much memory the ranks had at their peaks. Collective. */
void report_memory(const Comm *comm);

#endif
