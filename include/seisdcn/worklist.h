/* worklist: numbered items dealt over ranks: most of them beforehand, in blocks of neighbours, the last ones by a
 * counter on rank 0, since items differ in cost; how many are done in all; and a request to stop that reaches all.
 *
 * Rank 0 answers the others' messages when it calls any of these functions: nobody waits for it while it computes, as
 * long as it calls worklist_poke() every millisecond or so. (One-sided operations would need the same, and Open MPI 4.1
 * with UCX refuses windows between hosts that only Ethernet joins.) */
#ifndef SEISDCN_WORKLIST_H
#define SEISDCN_WORKLIST_H

#include "seisdcn/comm.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    Comm comm;          /* a communicator of its own: its messages meet no others */
    int64_t n, n_dealt; /* items, and how many of them are dealt beforehand */
    int64_t block;      /* neighbours that are dealt together */
    int64_t next_mine;  /* this rank's next dealt item; from n_dealt on: the counter's turn */
    int64_t counter;    /* rank 0: the next item of the last part */
    int n_working;      /* rank 0: other ranks that have not ended */
    bool stopped;       /* no more items */
    bool told;          /* rank 0: has told the others to stop; they: have heard it */
    int64_t my_done;    /* items that this rank has done */
    int64_t done;       /* in all, as last heard */
    double next_poke;   /* timer_now() from which on worklist_poke() looks */
    double waited;      /* seconds of waiting for rank 0's answers */
} Worklist;

/* Starts a list of items 0 .. n-1. Collective. */
void worklist_new(const Comm *comm, int64_t n, Worklist *list);

/* The next item for this rank, -1 when none is left or after a request to stop. Local in effect: waits for no rank that
 * pokes. */
int64_t worklist_next(Worklist *list);

/* Says that this rank has done one more item; returns how many are done in all, as far as known here. Local. */
int64_t worklist_done(Worklist *list);

/* Answers who asks, and hears of a request to stop: call it between pieces of a long computation, as often as you like
 * (it looks at the clock first). Returns whether to stop: then the item in hand may be left undone. Local. */
bool worklist_poke(Worklist *list);

/* Asks all ranks, this one included, to stop; they hear of it when they next poke after rank 0 did. Local. */
void worklist_stop(Worklist *list);

/* This rank takes no more items, whether any are left or not; returns how many are done in all. Collective, and the
 * first collective function to be called after worklist_new(): until then rank 0 may be asked. */
int64_t worklist_end(Worklist *list);

/* Frees the list, after worklist_end(). Collective. */
void worklist_free(Worklist *list);

#endif
