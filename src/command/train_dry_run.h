/* Private to the train command: what train --dry-run prints after every check of a real run, touching nothing. */
#ifndef SEISDCN_TRAIN_DRY_RUN_H
#define SEISDCN_TRAIN_DRY_RUN_H

#include "seisdcn/command.h"
#include "seisdcn/index_map.h"
#include "seisdcn/network.h"
#include "seisdcn/survey.h"
#include "seisdcn/trainer.h"

/* Tells what a training takes of which steps_done steps are done already; a few steps that measure its speed spoil the
 * network. Collective. What the training's own checks say, and STATUS_IO where its files find no room. */
Status train_dry_run(const Job *job, const Survey *survey, const IndexMap *map, Network *network, int64_t steps_done);

/* Warns where the ranks of a node will need more memory than it has. Collective. */
void train_warn_memory(const Comm *comm, const TrainerMemory *memory);

#endif
