#include "report.h"

#include "seisdcn/log.h"
#include "seisdcn/memory.h"

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
