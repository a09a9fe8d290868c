/* worklist: numbered items dealt over ranks: most of them beforehand, the last ones by a counter on rank 0, since items
 * differ in cost; and how many are done in all.
 *
 * Rank 0 answers the others' messages when it calls any of these functions: nobody waits for it while it computes, as
 * long as it calls worklist_poke() now and then. (One-sided operations would need the same, and Open MPI 4.1 with UCX
 * refuses windows between hosts that only Ethernet joins.) */
#ifndef SEISDCN_WORKLIST_H
#define SEISDCN_WORKLIST_H

#include "seisdcn/comm.h"

#include <stdint.h>

typedef struct {
    Comm comm;          /* a communicator of its own: its messages meet no others */
    int64_t n, n_dealt; /* items, and how many of them are dealt beforehand */
    int64_t next_mine;  /* this rank's next dealt item; past n_dealt: the counter's turn */
    int64_t counter;    /* rank 0: the next item of the last part */
    int n_working;      /* rank 0: other ranks that have not ended */
    int64_t my_done;    /* items that this rank has done */
    int64_t done;       /* in all, as last heard */
} Worklist;

/* Starts a list of items 0 .. n-1. Collective. */
void worklist_new(const Comm *comm, int64_t n, Worklist *list);

/* The next item for this rank, -1 when none is left. Local in effect: waits for no rank that pokes. */
int64_t worklist_next(Worklist *list);

/* Says that this rank has done one more item; returns how many are done in all, as far as known here. Local. */
int64_t worklist_done(Worklist *list);

/* Rank 0 answers whoever asks: call it between pieces of a long computation. Local. */
void worklist_poke(Worklist *list);

/* This rank takes no more items, whether any are left or not; returns how many are done in all. Collective, and the
 * first collective function to be called after worklist_new(): until then rank 0 may be asked. */
int64_t worklist_end(Worklist *list);

/* Frees the list, after worklist_end(). Collective. */
void worklist_free(Worklist *list);

#endif
