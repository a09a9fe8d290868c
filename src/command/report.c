#include "report.h"

#include "seisdcn/log.h"
#include "seisdcn/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

void report_memory(const Comm *comm)
{
    CommSpread spread = comm_spread(comm, (double)memory_peak());
    char min[32], mean[32], max[32];
    if (spread.max == 0) return; /* the system does not tell */
    if (comm->size == 1)
        log_note("peak memory: %s", log_bytes(spread.max, max));
    else
        log_note("peak memory a rank: min %s (rank %d), mean %s, max %s (rank %d)", log_bytes(spread.min, min),
                 spread.min_rank, log_bytes(spread.mean, mean), log_bytes(spread.max, max), spread.max_rank);
}

void report_node(const Comm *comm, int64_t my_bytes, const char *remedy)
{
    MPI_Comm node;
    int64_t sum = my_bytes;
    MPI_Comm_split_type(comm->mpi, MPI_COMM_TYPE_SHARED, comm->rank, MPI_INFO_NULL, &node);
    MPI_Allreduce(MPI_IN_PLACE, &sum, 1, MPI_INT64_T, MPI_SUM, node);
    MPI_Comm_free(&node);
    double has = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
    CommSpread over = comm_spread(comm, (double)sum - has);
    int64_t numbers[2] = {sum, (int64_t)has};
    report_take(comm, over.max_rank, numbers, 2);
    char needs[32], holds[32];
    if (over.max > 0)
        log_warning("the ranks on the node of rank %d will need %s together, and it has %s: %s", over.max_rank,
                    log_bytes((double)numbers[0], needs), log_bytes((double)numbers[1], holds), remedy);
}

void report_row(const char *name, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    log_result("%-26s %s", name, text);
}

void report_take(const Comm *comm, int rank, int64_t *numbers, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (comm->rank != rank) numbers[i] = INT64_MIN;
    comm_max(comm, numbers, n);
}
