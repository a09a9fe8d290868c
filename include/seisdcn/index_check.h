/* index_check: whether the patches of a split hold anything. Padding makes gathers of zeros, and a loss over patches of
 * zeros says nothing: it is lowest for what predicts nothing. */
#ifndef SEISDCN_INDEX_CHECK_H
#define SEISDCN_INDEX_CHECK_H

#include "seisdcn/comm.h"
#include "seisdcn/index_map.h"
#include "seisdcn/status.h"
#include "seisdcn/survey.h"

#include <stdint.h>

/* Looks at patches of a split, of those that a limit > 0 takes evenly out of it (evaluate.h), in at most 64 of its
 * gathers, and in the others as long as all are dead (every sample exactly zero), until a gigabyte is read. Where all
 * gathers were read and all patches are dead, that is an error that names the gathers; where more than half of those
 * looked at are, a warning. A map that leaves dead patches out by itself, and a split
 * without patches, pass. The same on any number of ranks. Collective. STATUS_DATA, STATUS_MEMORY, and what reading the
 * gathers may say. */
Status index_check_live(const Comm *comm, const Survey *survey, const IndexMap *map, IndexSplit split, int64_t limit);

#endif
