/* What apply says of its work when it is done. */
#include "apply.h"

#include "seisdcn/log.h"

#include <math.h>
#include <stdio.h>

/* What the counts come to over all ranks. */
enum { WINDOWS, LIVE, FAINT, SAMPLES, SETS, ALONE, COUNTS };

static void report_speed(const Apply *apply, const int64_t sum[COUNTS])
{
    char gathers[32], windows[32], live[32], spent[32], sets[32];
    log_note("predicted %s gathers, %s windows (%s live), in %s: %.0f live windows/s", log_count(apply->n, gathers),
             log_count(sum[WINDOWS], windows), log_count(sum[LIVE], live), log_duration(apply->seconds, spent),
             (double)sum[LIVE] / apply->seconds);
    if (sum[SETS] > 0)
        log_note("shared: %s level sets of %.0f windows, %.1f %% of the windows one by one", log_count(sum[SETS], sets),
                 (double)sum[LIVE] / (double)sum[SETS], 100 * (double)sum[ALONE] / (double)sum[LIVE]);
    else if (apply->job->config.apply.method == APPLY_SHARED && !shared_serves(&apply->network.shape))
        log_note("windows of this network share nothing (patch.size is at most 4 times network.levels): all went one "
                 "by one");
    else if (apply->job->config.apply.method == APPLY_SHARED && sum[LIVE] > 0)
        log_note("hardly any windows have the same scale, so all went one by one%s",
                 apply->network.shape.scale == SCALE_RMS && apply->network.shape.scale_grid == 0
                     ? "; those of a model trained with patch.scale_grid have"
                     : "");
}

/* Where the ranks' time went: min, mean and max over ranks. */
static void report_balance(const Apply *apply)
{
    static const char *const names[APPLY_PHASES] = {"predicting", "reading and writing", "at the work counter",
                                                    "idle at the end"};
    const Comm *comm = &apply->job->comm;
    char line[512];
    double waiting = 0;
    int at = 0;
    for (int p = 0; p < APPLY_PHASES; p++) {
        CommSpread spread = comm_spread(comm, 100 * apply->spent[p] / apply->seconds);
        if (p == APPLY_COUNTER) waiting = spread.mean;
        at += snprintf(line + at, sizeof line - (size_t)at, "%s%s %.1f (%.1f on rank %d to %.1f on rank %d)",
                       p == 0 ? "" : ", ", names[p], spread.mean, spread.min, spread.min_rank, spread.max,
                       spread.max_rank);
    }
    if (comm->size == 1) return;
    log_note("time in %%: %s", line);
    log_note("waiting: %.2f %% of the time", waiting);
}

/* Energy where the input holds exact zeros: mutes that the prediction filled. */
static void report_leak(const Apply *apply, const double energy[APPLY_ENERGIES])
{
    char text[32];
    if (!(energy[APPLY_PREDICTED] > 0)) return;
    log_note("leaked: %.4g %% of the prediction's energy stands where the input is exactly zero%s%s%s",
             100 * energy[APPLY_LEAKED] / energy[APPLY_PREDICTED],
             apply->job->config.apply.keep_mutes ? "; set to zero again"
                                                 : " (apply.keep_mutes=true sets it to zero again)",
             apply->n < apply->n_selected ? ", of gathers predicted now: " : "",
             apply->n < apply->n_selected ? log_count(apply->n, text) : "");
}

void apply_report(Apply *apply)
{
    const Comm *comm = &apply->job->comm;
    const PredictCounts *counts = &apply->counts;
    int64_t sum[COUNTS] = {counts->windows, counts->live, counts->faint, counts->samples, counts->sets, counts->alone};
    double energy[APPLY_ENERGIES];
    comm_sum(comm, sum, COUNTS);
    for (int k = 0; k < APPLY_ENERGIES; k++) {
        comm_sum(comm, apply->energy[k].limb, EXACT_LIMBS);
        energy[k] = exact_wide_value(&apply->energy[k]);
    }
    report_speed(apply, sum);
    report_balance(apply);
    report_leak(apply, energy);
    if (sum[FAINT] > 9 * sum[LIVE])
        log_warning(
            "%.1f %% of the windows that hold anything passed unpredicted: apply.mute_threshold is %g in the data's "
            "units, and the data's RMS is %g; lower it",
            100 * (double)sum[FAINT] / (double)(sum[LIVE] + sum[FAINT]), apply->job->config.apply.mute_threshold,
            sqrt(energy[APPLY_INPUT] / (double)sum[SAMPLES]));
}
