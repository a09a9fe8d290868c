/* worklist: numbered items dealt over ranks: most of them beforehand, the last ones by a counter on rank 0, since items
 * differ in cost; and how many are done in all.
 *
 * The counter is a one-sided window: nobody waits for a rank that computes, as long as that rank calls worklist_poke()
 * now and then (an MPI without its own progress moves one-sided operations only inside MPI calls). */
#ifndef SEISDCN_WORKLIST_H
#define SEISDCN_WORKLIST_H

#include "seisdcn/comm.h"

#include <stdint.h>

typedef struct {
    Comm comm;
    MPI_Win window;
    int64_t *counter;   /* rank 0's memory: next item of the last part, items done */
    int64_t n, n_dealt; /* items, and how many of them are dealt beforehand */
    int64_t next_mine;  /* this rank's next dealt item; past n_dealt: the counter's turn */
    int64_t done;       /* as last heard */
} Worklist;

/* Starts a list of items 0 .. n-1. Collective; rank 0's memory failing is STATUS_MEMORY on all. */
Status worklist_new(const Comm *comm, int64_t n, Worklist *list);

/* The next item for this rank, -1 when none is left. Local in effect: waits for no rank that pokes. */
int64_t worklist_next(Worklist *list);

/* Says that one more item is done; returns how many are done in all, as far as known here. */
int64_t worklist_done(Worklist *list);

/* Lets MPI move on: call it between pieces of a long computation. Local. */
void worklist_poke(const Worklist *list);

/* Ends the list. Collective. */
void worklist_free(Worklist *list);

#endif
