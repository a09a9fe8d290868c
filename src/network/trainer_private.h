/* trainer_private: what the files of the trainer share. */
#ifndef SEISDCN_TRAINER_PRIVATE_H
#define SEISDCN_TRAINER_PRIVATE_H

#include "seisdcn/trainer.h"

/* Fills trainer->memory, whose order, survey and network are there and nothing else yet. Collective. STATUS_MEMORY
 * where train.memory_limit_mb does not do, with what would. */
Status trainer_plan_memory(Trainer *trainer, const IndexMap *map, const Config *config);

/* Channels of a gather that goes in: half of the network's where two gathers do. Pure. */
int64_t trainer_gather_channels(const Trainer *trainer);

/* What of `bytes` for gathers, with all that the objective needs beside them, is for the clean survey's. Pure. */
int64_t trainer_clean_part(const Trainer *trainer, int64_t bytes);

#endif
