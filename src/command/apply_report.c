/* What apply says of its work when it is done. */
#include "apply.h"

#include "seisdcn/log.h"

#include <math.h>

void apply_report(const Apply *apply, double seconds, double busy)
{
    const Comm *comm = &apply->job->comm;
    int64_t sums[] = {apply->counts.windows, apply->counts.live, apply->counts.faint,
                      apply->counts.samples, apply->counts.sets, apply->counts.alone};
    double energy = 0;
    comm_sum(comm, sums, 6);
    MPI_Reduce(&apply->counts.energy, &energy, 1, MPI_DOUBLE, MPI_SUM, 0, comm->mpi);
    CommSpread spread = comm_spread(comm, busy);
    char gathers[32], windows[32], live[32], spent[32];
    log_note("predicted %s gathers, %s windows (%s live), in %s: %.0f live windows/s", log_count(apply->n, gathers),
             log_count(sums[0], windows), log_count(sums[1], live), log_duration(seconds, spent),
             (double)sums[1] / seconds);
    if (sums[4] > 0)
        log_note("shared: %s level sets of %.0f windows, %.1f %% of the windows one by one",
                 log_count(sums[4], gathers), (double)sums[1] / (double)sums[4],
                 100 * (double)sums[5] / (double)sums[1]);
    else if (apply->job->config.apply.method == APPLY_SHARED && !shared_serves(&apply->network.shape))
        log_note(
            "windows of this network share nothing (a skip, a linear output, or a patch of at most 4 levels' width): "
            "all went one by one");
    if (comm->size > 1)
        log_note("busy seconds a rank: min %.1f (rank %d), mean %.1f, max %.1f (rank %d)", spread.min, spread.min_rank,
                 spread.mean, spread.max, spread.max_rank);
    double threshold = apply->job->config.apply.mute_threshold;
    if (sums[2] > 9 * sums[1])
        log_warning(
            "%.1f %% of the windows that hold anything passed unpredicted: apply.mute_threshold is %g in the data's "
            "units, and the data's RMS is %g; lower it",
            100 * (double)sums[2] / (double)(sums[1] + sums[2]), threshold, sqrt(energy / (double)sums[3]));
}
