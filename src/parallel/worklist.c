#include "seisdcn/worklist.h"

#include "seisdcn/timer.h"

#include <string.h>

/* What ranks say to rank 0; messages of one rank arrive in order. STOP it also says to them. */
enum { ASK, DONE, STOP, END };

/* Rank 0's answer to ASK: the item or -1, and how many are done. */
enum { ITEM, ALL_DONE, ANSWER };

/* Blocks of up to 64 neighbours keep a rank's reads and writes together (a gather is a few hundred kB); 16 of them a
 * rank, spread over the list, even out what costs more in one region than in another. */
enum { BLOCK_MOST = 64, BLOCKS_A_RANK = 16 };

static const double POKE_SECONDS = 0.0005;

static void deal(Worklist *list)
{
    int64_t ranks = list->comm.size, block = list->n / (ranks * BLOCKS_A_RANK);
    list->block = block < 1 ? 1 : block > BLOCK_MOST ? BLOCK_MOST : block;
    /* three quarters beforehand, as many to each rank */
    int64_t rounds = list->n * 3 / 4 / (list->block * ranks);
    list->n_dealt = rounds * list->block * ranks;
    list->next_mine = list->comm.rank * list->block;
}

void worklist_new(const Comm *comm, int64_t n, Worklist *list)
{
    memset(list, 0, sizeof *list);
    list->comm = *comm;
    MPI_Comm_dup(comm->mpi, &list->comm.mpi);
    list->n = n;
    deal(list);
    list->counter = list->n_dealt;
    list->n_working = comm->size - 1;
}

static int64_t take(Worklist *list) { return !list->stopped && list->counter < list->n ? list->counter++ : -1; }

static void tell(const Worklist *list, int rank, int what) { MPI_Send(NULL, 0, MPI_BYTE, rank, what, list->comm.mpi); }

static void hear(const Worklist *list, int rank, int what)
{
    MPI_Recv(NULL, 0, MPI_BYTE, rank, what, list->comm.mpi, MPI_STATUS_IGNORE);
}

/* Rank 0: from here on nobody gets an item. */
static void stop_all(Worklist *list)
{
    list->stopped = true;
    if (list->told) return;
    list->told = true;
    for (int r = 1; r < list->comm.size; r++) tell(list, r, STOP);
}

/* Rank 0 receives a message that is there, or waits for one, and answers it. */
static void serve(Worklist *list)
{
    MPI_Status from;
    MPI_Recv(NULL, 0, MPI_BYTE, MPI_ANY_SOURCE, MPI_ANY_TAG, list->comm.mpi, &from);
    if (from.MPI_TAG == DONE) list->done++;
    if (from.MPI_TAG == STOP) stop_all(list);
    if (from.MPI_TAG == END) list->n_working--;
    if (from.MPI_TAG != ASK) return;
    int64_t answer[ANSWER];
    answer[ITEM] = take(list);
    answer[ALL_DONE] = list->done;
    MPI_Send(answer, ANSWER, MPI_INT64_T, from.MPI_SOURCE, ASK, list->comm.mpi);
}

bool worklist_poke(Worklist *list)
{
    double now = timer_now();
    if (now < list->next_poke) return list->stopped;
    list->next_poke = now + POKE_SECONDS;
    bool is_owner = list->comm.rank == 0;
    int there;
    for (;;) {
        MPI_Iprobe(is_owner ? MPI_ANY_SOURCE : 0, is_owner ? MPI_ANY_TAG : STOP, list->comm.mpi, &there,
                   MPI_STATUS_IGNORE);
        if (!there) return list->stopped;
        if (is_owner) {
            serve(list);
        } else {
            hear(list, 0, STOP);
            list->stopped = list->told = true;
        }
    }
}

int64_t worklist_next(Worklist *list)
{
    if (worklist_poke(list)) return -1;
    if (list->next_mine < list->n_dealt) {
        int64_t item = list->next_mine++;
        if (list->next_mine % list->block == 0) list->next_mine += (list->comm.size - 1) * list->block;
        return item;
    }
    if (list->comm.rank == 0) return take(list);
    int64_t answer[ANSWER];
    double start = timer_now();
    tell(list, 0, ASK);
    MPI_Recv(answer, ANSWER, MPI_INT64_T, 0, ASK, list->comm.mpi, MPI_STATUS_IGNORE);
    list->waited += timer_now() - start;
    list->done = answer[ALL_DONE];
    return answer[ITEM];
}

int64_t worklist_done(Worklist *list)
{
    if (list->comm.rank != 0) tell(list, 0, DONE);
    list->my_done++;
    return ++list->done;
}

void worklist_stop(Worklist *list)
{
    if (list->stopped) return;
    list->stopped = true;
    if (list->comm.rank == 0)
        stop_all(list);
    else
        tell(list, 0, STOP);
}

int64_t worklist_end(Worklist *list)
{
    if (list->comm.rank != 0) tell(list, 0, END);
    while (list->comm.rank == 0 && list->n_working > 0) serve(list);
    bool told = list->told;
    comm_broadcast(&list->comm, &told, sizeof told);
    if (told && !list->told) hear(list, 0, STOP); /* so that no message is left */
    list->done = list->my_done;
    comm_sum(&list->comm, &list->done, 1);
    return list->done;
}

void worklist_free(Worklist *list)
{
    MPI_Comm_free(&list->comm.mpi);
    memset(list, 0, sizeof *list);
}
