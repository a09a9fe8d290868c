#include "seisdcn/worklist.h"

#include "seisdcn/memory.h"

#include <string.h>

enum { NEXT, DONE, COUNTERS };

Status worklist_new(const Comm *comm, int64_t n, Worklist *list)
{
    memset(list, 0, sizeof *list);
    list->comm = *comm;
    list->n = n;
    /* three quarters beforehand, but at least the last item of each rank by the counter */
    list->n_dealt = n * 3 / 4;
    if (list->n_dealt > n - comm->size) list->n_dealt = n > comm->size ? n - comm->size : 0;
    list->next_mine = comm->rank;
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
    return STATUS_OK;
}

static int64_t add_one(Worklist *list, MPI_Aint which)
{
    int64_t one = 1, before = 0;
    MPI_Fetch_and_op(&one, &before, MPI_INT64_T, 0, which, MPI_SUM, list->window);
    MPI_Win_flush(0, list->window);
    return before;
}

int64_t worklist_next(Worklist *list)
{
    if (list->next_mine < list->n_dealt) {
        int64_t item = list->next_mine;
        list->next_mine += list->comm.size;
        return item;
    }
    int64_t item = add_one(list, NEXT);
    return item < list->n ? item : -1;
}

int64_t worklist_done(Worklist *list)
{
    list->done = add_one(list, DONE) + 1;
    return list->done;
}

void worklist_poke(const Worklist *list)
{
    int waiting;
    MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, list->comm.mpi, &waiting, MPI_STATUS_IGNORE);
}

void worklist_free(Worklist *list)
{
    MPI_Win_unlock_all(list->window);
    MPI_Win_free(&list->window);
    memset(list, 0, sizeof *list);
}
