#include "seisdcn/comm.h"

#include "seisdcn/launcher.h"
#include "seisdcn/memory.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* One message stays well below MPI's int counts. */
static const size_t PIECE = (size_t)1 << 30;

void comm_open(int *argc, char ***argv, Comm *comm)
{
    /* Open MPI 4.1's default file locks let data sieving corrupt collective writes with small gaps (open-mpi/ompi
     * issue 12718); 3 locks the whole range. The user's own choice stands. */
    setenv("OMPI_MCA_fs_ufs_lock_algorithm", "3", 0);
    launcher_look();
    if (MPI_Init(argc, argv) != MPI_SUCCESS) {
        fprintf(stderr, "seisdcn: MPI does not start\n");
        exit(STATUS_BUG);
    }
    comm->mpi = MPI_COMM_WORLD;
    MPI_Comm_rank(comm->mpi, &comm->rank);
    MPI_Comm_size(comm->mpi, &comm->size);
}

void comm_close(Comm *comm)
{
    MPI_Finalize();
    comm->mpi = MPI_COMM_NULL;
}

void comm_abort(const Comm *comm, Status status)
{
    fprintf(stderr, "seisdcn: error: rank %d: %s\n", comm->rank, status_message());
    MPI_Abort(comm->mpi, status);
    abort();
}

Status comm_agree(const Comm *comm, Status mine)
{
    struct {
        int failed, rank;
    } in = {mine != STATUS_OK, comm->rank}, out;
    MPI_Allreduce(&in, &out, 1, MPI_2INT, MPI_MAXLOC, comm->mpi); /* of equal values the lowest rank's */
    if (!out.failed) return STATUS_OK;
    struct {
        int code;
        char text[STATUS_MESSAGE_MAX];
    } verdict = {.code = mine};
    snprintf(verdict.text, sizeof verdict.text, "%s", status_message());
    MPI_Bcast(&verdict, (int)sizeof verdict, MPI_BYTE, out.rank, comm->mpi);
    return status_fail((Status)verdict.code, "%s", verdict.text);
}

void comm_wait(const Comm *comm)
{
    MPI_Request request;
    int all = 0;
    MPI_Ibarrier(comm->mpi, &request);
    for (MPI_Test(&request, &all, MPI_STATUS_IGNORE); !all; MPI_Test(&request, &all, MPI_STATUS_IGNORE)) {
        static const struct timespec nap = {.tv_nsec = 2000000};
        nanosleep(&nap, NULL);
    }
}

void comm_broadcast(const Comm *comm, void *data, size_t bytes)
{
    for (size_t at = 0; at < bytes; at += PIECE) {
        size_t piece = bytes - at < PIECE ? bytes - at : PIECE;
        MPI_Bcast((char *)data + at, (int)piece, MPI_BYTE, 0, comm->mpi);
    }
}

Status comm_broadcast_text(const Comm *comm, char **text)
{
    uint64_t bytes = comm->rank == 0 ? strlen(*text) + 1 : 0;
    comm_broadcast(comm, &bytes, sizeof bytes);
    Status status = STATUS_OK;
    if (comm->rank != 0) {
        *text = memory_new(bytes, 1, "a text from rank 0");
        if (*text == NULL) status = STATUS_MEMORY;
    }
    status = comm_agree(comm, status);
    if (status == STATUS_OK) comm_broadcast(comm, *text, bytes);
    return status;
}

void comm_sum(const Comm *comm, int64_t *values, size_t n)
{
    for (size_t at = 0; at < n; at += PIECE / 8) {
        size_t piece = n - at < PIECE / 8 ? n - at : PIECE / 8;
        MPI_Allreduce(MPI_IN_PLACE, values + at, (int)piece, MPI_INT64_T, MPI_SUM, comm->mpi);
    }
}

void comm_max(const Comm *comm, int64_t *values, size_t n)
{
    for (size_t at = 0; at < n; at += PIECE / 8) {
        size_t piece = n - at < PIECE / 8 ? n - at : PIECE / 8;
        MPI_Allreduce(MPI_IN_PLACE, values + at, (int)piece, MPI_INT64_T, MPI_MAX, comm->mpi);
    }
}

void comm_or(const Comm *comm, uint64_t *words, size_t n)
{
    for (size_t at = 0; at < n; at += PIECE / 8) {
        size_t piece = n - at < PIECE / 8 ? n - at : PIECE / 8;
        MPI_Allreduce(MPI_IN_PLACE, words + at, (int)piece, MPI_UINT64_T, MPI_BOR, comm->mpi);
    }
}

int64_t comm_before(const Comm *comm, int64_t mine)
{
    int64_t up_to = 0;
    MPI_Scan(&mine, &up_to, 1, MPI_INT64_T, MPI_SUM, comm->mpi);
    return up_to - mine;
}

static size_t min_size(size_t a, size_t b) { return a < b ? a : b; }

/* Sends n bytes to one rank and gets m from another, at once; either may have nothing left. */
static void swap_bytes(const Comm *comm, const char *out, size_t n, int to, char *in, size_t m, int from)
{
    for (size_t at = 0; at < n || at < m; at += PIECE) {
        size_t send = at < n ? min_size(n - at, PIECE) : 0, take = at < m ? min_size(m - at, PIECE) : 0;
        MPI_Sendrecv(send > 0 ? out + at : NULL, (int)send, MPI_BYTE, send > 0 ? to : MPI_PROC_NULL, 0,
                     take > 0 ? in + at : NULL, (int)take, MPI_BYTE, take > 0 ? from : MPI_PROC_NULL, 0, comm->mpi,
                     MPI_STATUS_IGNORE);
    }
}

Status comm_exchange(const Comm *comm, const void *data, const size_t *offset, void **all, size_t *bytes)
{
    size_t n = (size_t)comm->size;
    uint64_t *out = memory_new(2 * n, sizeof *out, "counts of the ranks"), *in = out == NULL ? NULL : out + n;
    size_t *start = memory_new(n + 1, sizeof *start, "counts of the ranks");
    *all = NULL;
    *bytes = 0;
    Status status = comm_agree(comm, out == NULL || start == NULL ? STATUS_MEMORY : STATUS_OK);
    if (status == STATUS_OK) {
        for (size_t r = 0; r < n; r++) out[r] = offset[r + 1] - offset[r];
        MPI_Alltoall(out, 1, MPI_UINT64_T, in, 1, MPI_UINT64_T, comm->mpi);
        for (size_t r = 0; r < n; r++) start[r + 1] = start[r] + in[r];
        *all = memory_new(start[n], 1, "what the ranks exchange");
        status = comm_agree(comm, *all == NULL ? STATUS_MEMORY : STATUS_OK);
    }
    for (size_t step = 0; status == STATUS_OK && step < n; step++) {
        size_t me = (size_t)comm->rank, to = (me + step) % n, from = (me + n - step) % n;
        swap_bytes(comm, (const char *)data + offset[to], out[to], (int)to, (char *)*all + start[from], in[from],
                   (int)from);
    }
    if (status == STATUS_OK)
        *bytes = start[n];
    else {
        memory_free(*all);
        *all = NULL;
    }
    memory_free(out);
    memory_free(start);
    return status;
}

static void send_bytes(const Comm *comm, const void *data, size_t bytes, int to)
{
    for (size_t at = 0; at < bytes; at += PIECE) {
        size_t piece = bytes - at < PIECE ? bytes - at : PIECE;
        MPI_Send((const char *)data + at, (int)piece, MPI_BYTE, to, 0, comm->mpi);
    }
}

static void receive_bytes(const Comm *comm, void *data, size_t bytes, int from)
{
    for (size_t at = 0; at < bytes; at += PIECE) {
        size_t piece = bytes - at < PIECE ? bytes - at : PIECE;
        MPI_Recv((char *)data + at, (int)piece, MPI_BYTE, from, 0, comm->mpi, MPI_STATUS_IGNORE);
    }
}

void comm_scatter(const Comm *comm, const void *data, const size_t *offset, const size_t *bytes, void *mine,
                  size_t my_bytes)
{
    if (comm->rank != 0) {
        receive_bytes(comm, mine, my_bytes, 0);
        return;
    }
    for (int r = 1; r < comm->size; r++) send_bytes(comm, (const char *)data + offset[r], bytes[r], r);
    if (my_bytes > 0) memcpy(mine, (const char *)data + offset[0], my_bytes);
}

Status comm_gather(const Comm *comm, const void *mine, size_t my_bytes, void **all, size_t *offset)
{
    uint64_t count = my_bytes, *counts = NULL;
    Status status = STATUS_OK;
    *all = NULL;
    if (comm->rank == 0) {
        counts = memory_new((size_t)comm->size, sizeof *counts, "counts of the ranks");
        if (counts == NULL) status = STATUS_MEMORY;
    }
    status = comm_agree(comm, status);
    if (status != STATUS_OK) {
        memory_free(counts);
        return status;
    }
    MPI_Gather(&count, 1, MPI_UINT64_T, counts, 1, MPI_UINT64_T, 0, comm->mpi);
    if (comm->rank == 0) {
        size_t total = 0;
        for (int r = 0; r < comm->size; r++) total += counts[r];
        *all = memory_new(total, 1, "what the ranks send to rank 0");
        if (*all == NULL) status = STATUS_MEMORY;
    }
    status = comm_agree(comm, status);
    if (status == STATUS_OK && comm->rank != 0) send_bytes(comm, mine, my_bytes, 0);
    if (status == STATUS_OK && comm->rank == 0) {
        size_t at = 0;
        for (int r = 0; r < comm->size; r++) {
            if (offset != NULL) offset[r] = at;
            if (r > 0)
                receive_bytes(comm, (char *)*all + at, counts[r], r);
            else if (my_bytes > 0)
                memcpy(*all, mine, my_bytes);
            at += counts[r];
        }
        if (offset != NULL) offset[comm->size] = at;
    }
    memory_free(counts);
    return status;
}

void comm_share(const Comm *comm, int64_t n, int64_t *first, int64_t *end)
{
    int64_t each = n / comm->size, left = n % comm->size, r = comm->rank;
    *first = r * each + (r < left ? r : left);
    *end = *first + each + (r < left);
}

CommSpread comm_spread(const Comm *comm, double mine)
{
    struct {
        double value;
        int rank;
    } in[2] = {{-mine, comm->rank}, {mine, comm->rank}}, out[2];
    double sum;
    MPI_Allreduce(in, out, 2, MPI_DOUBLE_INT, MPI_MAXLOC, comm->mpi);
    MPI_Allreduce(&mine, &sum, 1, MPI_DOUBLE, MPI_SUM, comm->mpi);
    return (CommSpread){-out[0].value, sum / comm->size, out[1].value, out[0].rank, out[1].rank};
}
