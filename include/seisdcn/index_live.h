/* index_live: which patches of a gather are live: of their samples, at least patch.min_live are not exactly zero.
 *
 * With min_live above 0 the map numbers the live patches of an ensemble alone, in the order of all: 0 .. n - 1. Which
 * ones these are is a bit for each patch (2.2e9 patches: 275 MB, over all ranks), found by one pass over the survey,
 * each rank its even share of the gathers. A rank gets the bits of the gathers that it has rows of from those ranks. */
#ifndef SEISDCN_INDEX_LIVE_H
#define SEISDCN_INDEX_LIVE_H

#include "seisdcn/comm.h"
#include "seisdcn/index_rule.h"
#include "seisdcn/status.h"
#include "seisdcn/survey.h"

#include <stdint.h>

/* The bits of some ensembles. One whose patches are all live, or all dead, has none. */
typedef struct IndexLive {
    int64_t n;       /* ensembles; of a rank's even share: those of comm_share() */
    int64_t *start;  /* [n + 1] where an ensemble's words start: at blocks of 8 words */
    uint64_t *word;  /* [start[n]] patch p is bit p % 64 of word p / 64 of its ensemble */
    int64_t *before; /* [start[n] / 8] live patches of the ensemble before a block */
} IndexLive;

/* The bits of one gather's patches, [(patches + 63) / 64] words; returns how many are live. amplitude
 * [fold][n_samples]; column [n_samples] is room to work in. Pure. */
int64_t index_live_bits(const IndexRule *rule, int64_t fold, int64_t n_samples, const float *amplitude, int32_t *column,
                        uint64_t *word);

/* Reads the survey and finds the bits of this rank's even share of its ensembles; *count [n_ensembles] on rank 0 (to be
 * freed by the caller, NULL elsewhere) has the number of live patches of each. Collective. STATUS_MEMORY, and what
 * reading gathers may say. */
Status index_live_scan(const Comm *comm, const Survey *survey, const IndexRule *rule, IndexLive *live, int64_t **count);

/* Fetches the bits of ensembles [n] (rising; patches [n] as index_patches() has them, live [n] of these) from the ranks
 * that scanned them, of n_ensembles in all. Collective. STATUS_MEMORY. */
Status index_live_fetch(const Comm *comm, const IndexLive *scanned, int64_t n_ensembles, int64_t n,
                        const int64_t *ensembles, const int64_t *patches, const int64_t *live, IndexLive *fetched);

/* The patch that is number k of the live ones of the i-th ensemble. Pure; O(log patches). */
int64_t index_live_patch(const IndexLive *live, int64_t i, int64_t k);

/* Words that an ensemble's bits take, in whole blocks: 0 where none or all of its patches are live. Pure. */
int64_t index_live_words(int64_t patches, int64_t live);

/* Bytes that so many words take, with the counts before their blocks. Pure. */
size_t index_live_words_bytes(int64_t words);

/* Bytes that the bits take. Pure. */
size_t index_live_bytes(const IndexLive *live);

/* Frees them; of zeros is nothing. Local. */
void index_live_free(IndexLive *live);

#endif
