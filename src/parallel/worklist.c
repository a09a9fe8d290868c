#include "seisdcn/worklist.h"

#include "seisdcn/timer.h"

#include <string.h>

enum { NEXT, DONE, COUNTERS };

/* Blocks of up to 64 neighbours keep a rank's reads and writes together (a gather is a few hundred kB); 16 of them a
 * rank, spread over the list, even out what costs more in one region than in another. */
enum { BLOCK_MOST = 64, BLOCKS_A_RANK = 16 };

static const int64_t STOP = (int64_t)1 << 40; /* added to DONE, by several ranks perhaps; more than there are items */

static const double POKE_SECONDS = 0.0005, EXCHANGE_SECONDS = 1;

static void deal(Worklist *list)
{
    int64_t ranks = list->comm.size, block = list->n / (ranks * BLOCKS_A_RANK);
    list->block = block < 1 ? 1 : block > BLOCK_MOST ? BLOCK_MOST : block;
    /* three quarters beforehand, the same number to each rank */
    int64_t rounds = list->n * 3 / 4 / (list->block * ranks);
    list->n_dealt = rounds * list->block * ranks;
    list->next_mine = list->comm.rank * list->block;
}

Status worklist_new(const Comm *comm, int64_t n, Worklist *list)
{
    memset(list, 0, sizeof *list);
    list->comm = *comm;
    list->n = n;
    deal(list);
    MPI_Aint bytes = comm->rank == 0 ? COUNTERS * (MPI_Aint)sizeof *list->counter : 0;
    if (MPI_Win_allocate(bytes, sizeof *list->counter, MPI_INFO_NULL, comm->mpi, &list->counter, &list->window) !=
        MPI_SUCCESS)
        return status_fail(STATUS_MEMORY, "MPI gives no window for the work counter");
    if (comm->rank == 0) {
        MPI_Win_lock(MPI_LOCK_EXCLUSIVE, 0, 0, list->window);
        list->counter[NEXT] = list->n_dealt;
        list->counter[DONE] = 0;
        MPI_Win_unlock(0, list->window);
    }
    MPI_Barrier(comm->mpi);
    MPI_Win_lock_all(MPI_MODE_NOCHECK, list->window);
    list->next_exchange = timer_now() + EXCHANGE_SECONDS;
    return STATUS_OK;
}

/* Adds to one of rank 0's counters; returns what it was before. */
static int64_t add(Worklist *list, MPI_Aint which, int64_t value)
{
    int64_t before = 0;
    double start = timer_now();
    MPI_Fetch_and_op(&value, &before, MPI_INT64_T, 0, which, MPI_SUM, list->window);
    MPI_Win_flush(0, list->window);
    list->waited += timer_now() - start;
    return before;
}

/* Says what is done here (and `more`), and hears what is done elsewhere. */
static void exchange(Worklist *list, int64_t more)
{
    int64_t before = add(list, DONE, list->unsaid + more);
    list->stopped = list->stopped || before >= STOP || more == STOP;
    list->done = before % STOP + list->unsaid;
    list->unsaid = 0;
    list->next_exchange = timer_now() + EXCHANGE_SECONDS;
}

int64_t worklist_next(Worklist *list)
{
    if (list->stopped) return -1;
    if (list->next_mine < list->n_dealt) {
        int64_t item = list->next_mine++;
        if (list->next_mine % list->block == 0) list->next_mine += (list->comm.size - 1) * list->block;
        return item;
    }
    int64_t item = add(list, NEXT, 1);
    if (item < list->n) return item;
    if (list->unsaid > 0) exchange(list, 0);
    return -1;
}

int64_t worklist_done(Worklist *list)
{
    list->unsaid++;
    return ++list->done;
}

bool worklist_poke(Worklist *list)
{
    double now = timer_now();
    if (now < list->next_poke) return list->stopped;
    int waiting;
    MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, list->comm.mpi, &waiting, MPI_STATUS_IGNORE);
    if (now >= list->next_exchange) exchange(list, 0);
    list->next_poke = timer_now() + POKE_SECONDS;
    return list->stopped;
}

void worklist_stop(Worklist *list)
{
    if (!list->stopped) exchange(list, STOP);
}

void worklist_free(Worklist *list)
{
    MPI_Win_unlock_all(list->window);
    MPI_Win_free(&list->window);
    memset(list, 0, sizeof *list);
}
