/* Private to the commands: what --dry-run prints after every check of the real run, touching nothing. */
#ifndef SEISDCN_DRY_RUN_H
#define SEISDCN_DRY_RUN_H

#include "seisdcn/command.h"
#include "seisdcn/index_map.h"
#include "seisdcn/network.h"
#include "seisdcn/survey.h"
#include "seisdcn/trainer.h"

/* What a training would take; the network is spoilt by a few steps that measure its speed. Collective. What the
 * training's own checks say, and STATUS_IO where its files find no room. */
Status dry_run_train(const Job *job, const Survey *survey, const IndexMap *map, Network *network);

/* Warns where the ranks of a node will need more memory than it has. Collective. */
void dry_run_warn(const Comm *comm, const TrainerMemory *memory);

/* What a prediction of the n ensembles of `list` would take; whole: these are all. Collective. As above. */
Status dry_run_apply(const Job *job, const Survey *survey, Network *network, const int64_t *list, int64_t n,
                     bool whole);

#endif
