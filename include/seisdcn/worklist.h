/* worklist: numbered items dealt over ranks: most of them beforehand, in blocks of neighbours, the last ones by a
 * counter on rank 0, since items differ in cost; how many are done in all; and a request to stop that reaches all.
 *
 * The counter is a one-sided window: nobody waits for a rank that computes, as long as that rank calls worklist_poke()
 * every millisecond or so (an MPI without its own progress moves one-sided operations only inside MPI calls). What is
 * done, and the request to stop, are exchanged about once a second and not with each item: over a network even an
 * exchange that nobody delays costs what the owner's next call is away. */
#ifndef SEISDCN_WORKLIST_H
#define SEISDCN_WORKLIST_H

#include "seisdcn/comm.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    Comm comm;
    MPI_Win window;
    int64_t *counter;   /* rank 0's memory: next item of the last part, items done with the request to stop */
    int64_t n, n_dealt; /* items, and how many of them are dealt beforehand */
    int64_t block;      /* neighbours that are dealt together */
    int64_t next_mine;  /* this rank's next dealt item; from n_dealt on: the counter's turn */
    int64_t done;       /* in all, as last heard, and here since */
    int64_t unsaid;     /* done here since */
    bool stopped;
    double next_poke, next_exchange; /* timer_now() from which on they are due */
    double waited;                   /* seconds spent with the counter */
} Worklist;

/* Starts a list of items 0 .. n-1. Collective; rank 0's memory failing is STATUS_MEMORY on all. */
Status worklist_new(const Comm *comm, int64_t n, Worklist *list);

/* The next item for this rank, -1 when none is left, or after a request to stop. Local in effect: waits for no rank
 * that pokes. */
int64_t worklist_next(Worklist *list);

/* Says that one more item is done; returns how many are done in all, as far as known here. Local. */
int64_t worklist_done(Worklist *list);

/* Lets MPI move on, and hears now and then what the others say: call it as often as you like between pieces of a long
 * computation. Returns whether to stop: then the item in hand may be left undone. Local in effect. */
bool worklist_poke(Worklist *list);

/* Asks all ranks to stop, this one included; they hear it within about a second. Local in effect. */
void worklist_stop(Worklist *list);

/* Ends the list. Collective. */
void worklist_free(Worklist *list);

#endif
