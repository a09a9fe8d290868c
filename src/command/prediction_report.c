/* What a prediction says of its work when it is done. */
#include "prediction.h"

#include "seisdcn/log.h"

#include <stdio.h>

static void report_speed(const Prediction *prediction, int64_t units, int64_t live)
{
    char gathers[LOG_THINGS_MAX], all[LOG_THINGS_MAX], some[32], spent[32];
    const char *unit = prediction->method->unit;
    if (prediction->said->difference) log_note("%s holds noise: input minus prediction", prediction->said->output);
    log_note("predicted %s, %s (%s live), in %s: %.0f live %ss/s", log_things(prediction->n, "gather", gathers),
             log_things(units, unit, all), log_count(live, some), log_duration(prediction->seconds, spent),
             (double)live / prediction->seconds, unit);
}

/* Where the ranks' time went: min, mean and max over ranks. */
static void report_balance(const Prediction *prediction)
{
    static const char *const names[PREDICTION_PHASES] = {"predicting", "reading and writing", "at the work counter",
                                                         "idle at the end"};
    const Comm *comm = &prediction->job->comm;
    char line[512];
    double waiting = 0;
    int at = 0;
    for (int p = 0; p < PREDICTION_PHASES; p++) {
        CommSpread spread = comm_spread(comm, 100 * prediction->spent[p] / prediction->seconds);
        if (p == PREDICTION_COUNTER) waiting = spread.mean;
        at += snprintf(line + at, sizeof line - (size_t)at, "%s%s %.1f (%.1f on rank %d to %.1f on rank %d)",
                       p == 0 ? "" : ", ", names[p], spread.mean, spread.min, spread.min_rank, spread.max,
                       spread.max_rank);
    }
    if (comm->size == 1) return;
    log_note("time in %%: %s", line);
    log_note("waiting: %.2f %% of the time", waiting);
}

/* Energy where the input holds exact zeros: mutes that the prediction filled. */
static void report_leak(const Prediction *prediction, const double energy[PREDICTION_ENERGIES])
{
    char text[32];
    if (!(energy[PREDICTION_PREDICTED] > 0)) return;
    log_note("leaked: %.4g %% of the prediction's energy stands where the input is exactly zero%s%s%s",
             100 * energy[PREDICTION_LEAKED] / energy[PREDICTION_PREDICTED],
             prediction->job->config.apply.keep_mutes ? "; set to zero again"
                                                      : " (apply.keep_mutes=true sets it to zero again)",
             prediction->n < prediction->n_selected ? ", of gathers predicted now: " : "",
             prediction->n < prediction->n_selected ? log_count(prediction->n, text) : "");
}

void prediction_report(Prediction *prediction)
{
    const Comm *comm = &prediction->job->comm;
    int64_t sum[2] = {prediction->units, prediction->live};
    comm_sum(comm, sum, 2);
    for (int k = 0; k < PREDICTION_ENERGIES; k++) {
        comm_sum(comm, prediction->energy[k].limb, EXACT_LIMBS);
        prediction->energy_of_all[k] = exact_wide_value(&prediction->energy[k]);
    }
    report_speed(prediction, sum[0], sum[1]);
    if (prediction->method->report != NULL) prediction->method->report(prediction);
    report_balance(prediction);
    report_leak(prediction, prediction->energy_of_all);
}
