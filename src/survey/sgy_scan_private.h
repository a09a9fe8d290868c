/* sgy_scan_private: what the files of sgy_scan share. */
#ifndef SEISDCN_SGY_SCAN_PRIVATE_H
#define SEISDCN_SGY_SCAN_PRIVATE_H

#include "seisdcn/sgy_scan.h"

/* ---- gathers: pairs of gather and offset, each with how many traces have it ---- */

typedef struct {
    int32_t key[2], file, offset;
    int64_t n; /* 0: a free place */
} SgyPair;

typedef struct {
    SgyPair *pair; /* [room], a power of two; by hash */
    int64_t room, n;
    int level; /* the gathers in it are those whose hash begins with so many zeros */
} SgyPairs;

/* Counts a trace. Local. STATUS_MEMORY. */
Status sgy_pairs_add(SgyPairs *pairs, const SgyPair *one);

/* The tally's figures of all ranks' pairs, which are used up. Collective. STATUS_MEMORY. */
Status sgy_pairs_finish(const Comm *comm, SgyPairs *pairs, SgyTally *tally);

void sgy_pairs_free(SgyPairs *pairs);

/* ---- values: a set of numbers ---- */

typedef struct {
    int32_t *value; /* [room], a power of two; 0: a free place */
    int64_t room, n;
    bool has_zero, overflown;
    int32_t last; /* most traces have the value of the one before */
} SgyValueSet;

/* Adds a number. Local. STATUS_MEMORY. */
Status sgy_values_add(SgyValueSet *set, int32_t value);

/* How many numbers the ranks' sets hold together, -1 where more than SGY_SCAN_VALUES; on rank 0. Collective.
 * STATUS_MEMORY. */
Status sgy_values_count(const Comm *comm, const SgyValueSet *set, int64_t *n);

void sgy_values_free(SgyValueSet *set);

#endif
