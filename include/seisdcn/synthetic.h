/* synthetic: a pre-stack survey by formula: arrays out, no files. Gather (i, x) of a survey is the same bits whoever
 * computes it, in whatever order: every random number is one of a counter (see random.h).
 *
 * What the gathers hold, and in which units, is told at the head of synthetic.c. */
#ifndef SEISDCN_SYNTHETIC_H
#define SEISDCN_SYNTHETIC_H

#include <stdbool.h>
#include <stdint.h>

enum { SYNTHETIC_INTERVAL_US = 4000, SYNTHETIC_WORK_MARGIN = 64 };

/* Kinds of noise, told at the head of synthetic_noise.c. */
typedef enum {
    SYNTHETIC_WHITE,
    SYNTHETIC_TRACE,
    SYNTHETIC_LINEAR,
    SYNTHETIC_LINEAR_SHARED,
    SYNTHETIC_NOISES
} SyntheticNoise;

typedef struct {
    int64_t n_inlines, n_crosslines, n_traces, n_samples; /* each >= 1; traces are offsets, near to far */
    double snr_db;                                        /* of every gather */
    double noise[SYNTHETIC_NOISES]; /* shares of the noise's energy, >= 0, in any unit; all 0: white and one train */
    bool image;                     /* image gathers: finished, and neighbours differ little */
    double moveout_s;               /* of image gathers: the largest residual moveout at the largest offset, >= 0 */
    int64_t n_dips;                 /* events that cross the reflectors, >= 0 */
    int64_t seed;
} SyntheticSurvey;

/* Computes the gather at inline i and crossline x (both from 0): clean and noisy, [n_traces][n_samples] each. Both are
 * exactly zero where the stretch mute is; 10 log10(sum clean^2 / sum (noisy - clean)^2) over the other samples is
 * survey->snr_db (where the record is so short that there is no signal, there is no noise either). Scratch: kind
 * [n_traces][n_samples], work of n_samples + SYNTHETIC_WORK_MARGIN doubles. Pure. */
void synthetic_gather(const SyntheticSurvey *survey, int64_t i, int64_t x, float *clean, float *noisy, float *kind,
                      double *work);

/* The offset of trace t in metres. Pure. */
double synthetic_offset(const SyntheticSurvey *survey, int64_t t);

#endif
