/* Private to the consolidate command: what --drop-dead says. */
#ifndef SEISDCN_CONSOLIDATE_DEAD_H
#define SEISDCN_CONSOLIDATE_DEAD_H

#include "seisdcn/inputs_dead.h"

/* Says on the log how many traces were left out, by file and in all. Local: rank 0's. */
void consolidate_dead_report(const Inputs *inputs, const InputsDead *dead, const Survey *survey);

#endif
