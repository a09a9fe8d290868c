/* When traces begin: those of a gather on one axis. */
#include "sgy_index_private.h"

#include "seisdcn/memory.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

static const double NEAR = 0.01; /* of a sample: intervals are told in whole microseconds */

int64_t sgy_index_shift(const SgyIndex *index, int64_t start, const SgyTrace *trace)
{
    int64_t behind = trace->delay - start;
    return index->rule.ignore_delay || behind == 0 ? 0 : llround((double)behind / (1000 * index->times.interval_us));
}

/* Why a trace cannot be shifted onto the axis of the gather's earliest one, and what does. */
static Status refuse(const SgyFiles *files, const SgyIndex *index, const SgyTrace *first, const SgyTrace *trace)
{
    char gather[128], early[320], late[320], why[160];
    const SgyTimes *times = &index->times;
    SgyGather named = {.survey_line = trace->survey_line, .key = {trace->key[0], trace->key[1]}};
    double samples = (double)(trace->delay - first->delay) / (1000 * times->interval_us);
    if (!(times->interval_us > 0))
        snprintf(why, sizeof why, "the sample interval is unknown (--interval-us tells it)");
    else if (fabs(samples - rint(samples)) > NEAR)
        snprintf(why, sizeof why, "that is %.6g samples of %g us, no whole number", samples, times->interval_us);
    else
        snprintf(why, sizeof why, "that is %.0f samples, and the axis of the gather would be longer than %d traces",
                 samples, (int)SGY_AXIS);
    return status_fail(STATUS_DATA,
                       "%s begins at %.9g ms and %s at %.9g ms (bytes 109-110 and 215-216), in one gather (%s): %s; "
                       "--ignore-delay reads all traces as if they began together",
                       sgy_index_trace_name(files, trace->number, late), (double)trace->delay / 1e6,
                       sgy_index_trace_name(files, first->number, early), (double)first->delay / 1e6,
                       sgy_index_gather_name(index, &named, gather), why);
}

/* One gather [fold]: *start, and what it adds to the times. */
static Status align(const SgyFiles *files, SgyIndex *index, const SgyTrace *trace, int64_t fold, int64_t *start)
{
    SgyTimes *times = &index->times;
    const SgyTrace *first = trace;
    int64_t shifted = 0;
    for (int64_t t = 1; t < fold; t++)
        if (trace[t].delay < first->delay) first = &trace[t];
    *start = index->rule.ignore_delay ? 0 : first->delay;
    for (int64_t t = 0; t < fold; t++) {
        double samples = (double)(trace[t].delay - *start) / (1000 * times->interval_us);
        bool apart = !index->rule.ignore_delay && trace[t].delay != *start;
        if (apart && !(fabs(samples - rint(samples)) <= NEAR &&
                       samples + trace[t].n_samples <= fmin((double)SGY_AXIS * (double)times->longest, INT32_MAX)))
            return refuse(files, index, first, &trace[t]);
        int64_t shift = sgy_index_shift(index, *start, &trace[t]);
        shifted += shift > 0;
        if (shift > times->most) times->most = shift;
        if (shift + trace[t].n_samples > times->n_samples) times->n_samples = shift + trace[t].n_samples;
    }
    times->n_gathers += shifted > 0;
    times->n_traces += shifted;
    if (*start < times->low) times->low = *start;
    if (*start > times->high) times->high = *start;
    return STATUS_OK;
}

/* The shortest and the longest trace of all ranks. */
static void find_lengths(const Comm *comm, const SgyIndex *index, SgyTimes *times)
{
    int64_t ends[2] = {-INT64_MAX, 0};
    for (int64_t t = 0; t < index->n_my_traces; t++) {
        int64_t n = index->trace[t].n_samples;
        if (-n > ends[0]) ends[0] = -n;
        if (n > ends[1]) ends[1] = n;
    }
    comm_max(comm, ends, 2);
    times->shortest = -ends[0];
    times->longest = ends[1];
}

Status sgy_index_align(const Comm *comm, const SgyFiles *files, double interval_us, SgyIndex *index)
{
    SgyTimes *times = &index->times;
    *times = (SgyTimes){.interval_us = interval_us, .low = INT64_MAX, .high = -INT64_MAX};
    find_lengths(comm, index, times);
    index->start = memory_new((size_t)index->n_my_gathers, sizeof *index->start, "the gathers");
    Status status = index->start == NULL ? STATUS_MEMORY : STATUS_OK;
    for (int64_t e = 0; e < index->n_my_gathers && status == STATUS_OK; e++)
        status = align(files, index, index->trace + index->first[e], index->first[e + 1] - index->first[e],
                       &index->start[e]);
    status = comm_agree(comm, status); /* of several, the first gather's: ranks have them in order */
    if (status != STATUS_OK) return status;
    int64_t counts[2] = {times->n_gathers, times->n_traces};
    int64_t ends[4] = {times->n_samples, times->most, -times->low, times->high};
    comm_sum(comm, counts, 2);
    comm_max(comm, ends, 4);
    times->n_gathers = counts[0];
    times->n_traces = counts[1];
    times->n_samples = ends[0];
    times->most = ends[1];
    times->low = -ends[2];
    times->high = ends[3];
    times->padded = times->shortest < times->n_samples;
    return STATUS_OK;
}
