#include "seisdcn/worklist.h"

#include <string.h>

/* What ranks say to rank 0. Messages of one rank arrive in order. */
enum { ASK, DONE, END };

/* Rank 0's answer to ASK: the item or -1, and how many are done. */
enum { ITEM, ALL_DONE, ANSWER };

void worklist_new(const Comm *comm, int64_t n, Worklist *list)
{
    memset(list, 0, sizeof *list);
    list->comm = *comm;
    MPI_Comm_dup(comm->mpi, &list->comm.mpi);
    list->n = n;
    /* three quarters beforehand, but at least the last item of each rank by the counter */
    list->n_dealt = n * 3 / 4;
    if (list->n_dealt > n - comm->size) list->n_dealt = n > comm->size ? n - comm->size : 0;
    list->next_mine = comm->rank;
    list->counter = list->n_dealt;
    list->n_working = comm->size - 1;
}

static int64_t take(Worklist *list) { return list->counter < list->n ? list->counter++ : -1; }

static void tell(const Worklist *list, int what) { MPI_Send(NULL, 0, MPI_BYTE, 0, what, list->comm.mpi); }

/* Rank 0 receives a message that is there, or waits for one, and answers it. */
static void serve(Worklist *list)
{
    MPI_Status from;
    MPI_Recv(NULL, 0, MPI_BYTE, MPI_ANY_SOURCE, MPI_ANY_TAG, list->comm.mpi, &from);
    if (from.MPI_TAG == DONE) list->done++;
    if (from.MPI_TAG == END) list->n_working--;
    if (from.MPI_TAG != ASK) return;
    int64_t answer[ANSWER];
    answer[ITEM] = take(list);
    answer[ALL_DONE] = list->done;
    MPI_Send(answer, ANSWER, MPI_INT64_T, from.MPI_SOURCE, ASK, list->comm.mpi);
}

void worklist_poke(Worklist *list)
{
    if (list->comm.rank != 0) return;
    int there;
    for (;;) {
        MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, list->comm.mpi, &there, MPI_STATUS_IGNORE);
        if (!there) return;
        serve(list);
    }
}

int64_t worklist_next(Worklist *list)
{
    worklist_poke(list);
    if (list->next_mine < list->n_dealt) {
        int64_t item = list->next_mine;
        list->next_mine += list->comm.size;
        return item;
    }
    if (list->comm.rank == 0) return take(list);
    int64_t answer[ANSWER];
    tell(list, ASK);
    MPI_Recv(answer, ANSWER, MPI_INT64_T, 0, ASK, list->comm.mpi, MPI_STATUS_IGNORE);
    list->done = answer[ALL_DONE];
    return answer[ITEM];
}

int64_t worklist_done(Worklist *list)
{
    worklist_poke(list);
    if (list->comm.rank != 0) tell(list, DONE);
    list->my_done++;
    return ++list->done;
}

int64_t worklist_end(Worklist *list)
{
    if (list->comm.rank != 0) tell(list, END);
    while (list->comm.rank == 0 && list->n_working > 0) serve(list);
    list->done = list->my_done;
    comm_sum(&list->comm, &list->done, 1);
    return list->done;
}

void worklist_free(Worklist *list)
{
    MPI_Comm_free(&list->comm.mpi);
    memset(list, 0, sizeof *list);
}
