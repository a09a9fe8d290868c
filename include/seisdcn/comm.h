/* comm: the ranks of the job, and how they agree.
 *
 * A collective function runs rounds of: local work; comm_agree() on its status; a collective call. Between entry and
 * the first agreement no rank returns, and after an agreement nobody uses its own status. An MPI call that fails itself
 * aborts the job (there is nothing left to agree with). */
#ifndef SEISDCN_COMM_H
#define SEISDCN_COMM_H

#include "seisdcn/status.h"

#include <mpi.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    MPI_Comm mpi;
    int rank, size;
} Comm;

/* Sets what MPI needs before it starts, starts it, and fills comm. Collective over the job; ends the job where MPI
 * does not start. Call once, first in main. */
void comm_open(int *argc, char ***argv, Comm *comm);

/* Ends MPI. Collective. */
void comm_close(Comm *comm);

/* Ends the whole job at once with this status: for faults inside a collective call, where nothing can be agreed.
 * Prints the message on this rank. Local, does not return. */
_Noreturn void comm_abort(const Comm *comm, Status status);

/* What all ranks found: OK when every rank's status is OK, else the code of the lowest failing rank, whose message is
 * then every rank's message. Collective. */
Status comm_agree(const Comm *comm, Status mine);

/* Waits until every rank has come, asleep: for ranks that wait while another works alone for long. Collective. */
void comm_wait(const Comm *comm);

/* Copies `bytes` bytes (any number, also past 2 GiB) from rank 0 to all. Collective. */
void comm_broadcast(const Comm *comm, void *data, size_t bytes);

/* Copies rank 0's text to all ranks; *text is then a block of memory_new() on every rank (on rank 0 the one that it
 * passed, which must be one too). Collective; may fail on memory, alike on all ranks. */
Status comm_broadcast_text(const Comm *comm, char **text);

/* Sums of n 64-bit integers over ranks, in place, on all ranks. Collective. */
void comm_sum(const Comm *comm, int64_t *values, size_t n);

/* Largest of n 64-bit integers over ranks, in place, on all ranks. Collective. */
void comm_max(const Comm *comm, int64_t *values, size_t n);

/* n words or-ed bit by bit over ranks, in place, on all ranks. Collective. */
void comm_or(const Comm *comm, uint64_t *words, size_t n);

/* The sum of `mine` over the ranks before this one. Collective. */
int64_t comm_before(const Comm *comm, int64_t mine);

/* Each rank sends rank r bytes offset[r] .. offset[r + 1] of data (offset [size + 1]), and gets what the ranks send to
 * it, rank after rank, in *all (memory_new(), to be freed by the caller), *bytes of them. Any number of bytes.
 * Collective. STATUS_MEMORY. */
Status comm_exchange(const Comm *comm, const void *data, const size_t *offset, void **all, size_t *bytes);

/* Rank 0 sends each rank its own piece: rank r gets bytes[r] bytes of data from offset[r] (rank 0's arrays; pieces may
 * overlap and pass 2 GiB) into mine, which holds my_bytes = bytes[rank]. Collective. */
void comm_scatter(const Comm *comm, const void *data, const size_t *offset, const size_t *bytes, void *mine,
                  size_t my_bytes);

/* Every rank's my_bytes bytes are gathered on rank 0, rank after rank: *all (memory_new(), rank 0 only, to be freed by
 * the caller) with offset[r] .. offset[r + 1] (size + 1 numbers, rank 0 only, may be NULL). Collective. */
Status comm_gather(const Comm *comm, const void *mine, size_t my_bytes, void **all, size_t *offset);

/* First and end of this rank's even share of 0 .. n-1: shares differ by at most one. Pure. */
void comm_share(const Comm *comm, int64_t n, int64_t *first, int64_t *end);

/* Smallest, mean and largest of a number over ranks, with the ranks that have the extremes. */
typedef struct {
    double min, mean, max;
    int min_rank, max_rank;
} CommSpread;

/* The spread of `mine` over ranks. Collective. */
CommSpread comm_spread(const Comm *comm, double mine);

#endif
