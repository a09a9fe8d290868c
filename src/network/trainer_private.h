/* trainer_private: what the files of the trainer share. */
#ifndef SEISDCN_TRAINER_PRIVATE_H
#define SEISDCN_TRAINER_PRIVATE_H

#include "seisdcn/trainer.h"

/* Fills trainer->memory, whose order, survey and network are there and nothing else yet. Collective. STATUS_MEMORY
 * where train.memory_limit_mb does not do, with what would. */
Status trainer_plan_memory(Trainer *trainer, const IndexMap *map, const Config *config);

#endif
