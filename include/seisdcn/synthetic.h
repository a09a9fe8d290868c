/* synthetic: a pre-stack survey by formula: arrays out, no files. Gather (i, x) of a survey is the same bits whoever
 * computes it, in whatever order: every random number is one of a counter (see random.h).
 *
 * What the gathers hold, and in which units, is told at the head of synthetic.c. */
#ifndef SEISDCN_SYNTHETIC_H
#define SEISDCN_SYNTHETIC_H

#include <stdint.h>

enum { SYNTHETIC_INTERVAL_US = 4000, SYNTHETIC_WORK_MARGIN = 64 };

typedef struct {
    int64_t n_inlines, n_crosslines, n_traces, n_samples; /* each >= 1; traces are offsets, near to far */
    double snr_db;                                        /* of every gather */
    int64_t seed;
} SyntheticSurvey;

/* Computes the gather at inline i and crossline x (both from 0): clean and noisy, [n_traces][n_samples] each. Both are
 * exactly zero where the stretch mute is; 10 log10(sum clean^2 / sum (noisy - clean)^2) over the other samples is
 * survey->snr_db (where the record is so short that there is no signal, there is no noise either). work holds
 * n_samples + SYNTHETIC_WORK_MARGIN doubles. Pure. */
void synthetic_gather(const SyntheticSurvey *survey, int64_t i, int64_t x, float *clean, float *noisy, double *work);

/* The offset of trace t in metres. Pure. */
double synthetic_offset(const SyntheticSurvey *survey, int64_t t);

#endif
