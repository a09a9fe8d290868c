/* worklist: numbered items dealt over ranks: most of them beforehand, in blocks of neighbours, the last ones by a
 * counter on rank 0, since items differ in cost; how many are done in all; and a request to stop that reaches all.
 *
 * Rank 0 answers the others' messages when it calls any of these functions: nobody waits for it while it computes, as
 * long as it calls worklist_poke() every millisecond or so. (One-sided operations would need the same, and Open MPI 4.1
 * with UCX refuses windows between hosts that only Ethernet joins.) What is done, and the request to stop, are told
 * about once a second and not with each item, and the answer is not waited for; a rank asks for its next item when it
 * begins with the one before. */
#ifndef SEISDCN_WORKLIST_H
#define SEISDCN_WORKLIST_H

#include "seisdcn/comm.h"

#include <stdbool.h>
#include <stdint.h>

/* What rank 0 answers. */
typedef struct {
    int64_t item, done, stopped; /* item: -1 none is left, or none was asked for */
} WorklistAnswer;

typedef struct {
    Comm comm;             /* a communicator of its own: its messages meet no others */
    int64_t n, n_dealt;    /* items, and how many of them are dealt beforehand */
    int64_t block;         /* neighbours that are dealt together */
    int64_t next_mine;     /* this rank's next dealt item; from n_dealt on: the counter's turn */
    int64_t counter;       /* rank 0: the next item of the last part */
    int n_working;         /* rank 0: other ranks that have not ended */
    int64_t my_done, done; /* items done here; in all, as last heard, and here since */
    int64_t unsaid;        /* done here since rank 0 was told */
    bool stopped;
    bool told; /* rank 0 was told and its answer is still to come, into `answer` */
    WorklistAnswer answer;
    MPI_Request request;
    bool asked; /* the same for the next item */
    WorklistAnswer next;
    MPI_Request next_request;
    double next_poke, next_tell; /* timer_now() from which on they are due */
    double waited;               /* seconds spent waiting for rank 0's answers */
} Worklist;

/* Starts a list of items 0 .. n-1, which stays where it is until it is freed. Collective. */
void worklist_new(const Comm *comm, int64_t n, Worklist *list);

/* The next item for this rank, -1 when none is left, or after a request to stop. Local in effect: waits for no rank
 * that pokes. */
int64_t worklist_next(Worklist *list);

/* Says that this rank has done one more item; returns how many are done in all, as far as known here. Local. */
int64_t worklist_done(Worklist *list);

/* Rank 0 answers whoever asks, the others hear now and then what is done: call it as often as you like between pieces
 * of a long computation. Returns whether to stop: then the item in hand may be left undone. Local. */
bool worklist_poke(Worklist *list);

/* Asks all ranks to stop, this one included; they hear it within about a second. Local. */
void worklist_stop(Worklist *list);

/* This rank takes no more items, whether any are left or not; returns how many are done in all, and `stopped` is then
 * the same on all ranks. Collective, and the first collective function to be called after worklist_new(): until then
 * rank 0 may be asked. */
int64_t worklist_end(Worklist *list);

/* Frees the list, after worklist_end(). Collective. */
void worklist_free(Worklist *list);

#endif
