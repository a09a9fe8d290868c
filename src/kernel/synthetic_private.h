/* What the sources of synthetic share. */
#ifndef SEISDCN_SYNTHETIC_PRIVATE_H
#define SEISDCN_SYNTHETIC_PRIVATE_H

#include "seisdcn/random.h"
#include "seisdcn/synthetic.h"

static const double INTERVAL = SYNTHETIC_INTERVAL_US * 1e-6;

/* Counters (a, b) of a gather's random numbers; b is the trace or the arrival. White noise has a = trace +
 * SYNTHETIC_OF_WHITE, b = sample. */
enum {
    SYNTHETIC_OF_GAIN,
    SYNTHETIC_OF_TRAIN_TIME,
    SYNTHETIC_OF_TRAIN_VELOCITY,
    SYNTHETIC_OF_ARRIVAL,
    SYNTHETIC_OF_WHITE
};

/* The record's length in s. Pure. */
double synthetic_length(const SyntheticSurvey *survey);

/* The largest offset in m: with the record's length, so that the mute takes about the same part of every record. Pure.
 */
double synthetic_offset_most(const SyntheticSurvey *survey);

/* Ricker's wavelet of a peak frequency (Hz) at time t (s). Pure. */
double synthetic_ricker(double t, double frequency);

/* Adds amplitude * wavelet centred at time t to a trace [n]. Pure. */
void synthetic_add_wavelet(float *trace, int64_t n, double t, double frequency, double amplitude);

/* Multiplies each trace of gather (i, x), signal or noise, by its gain behind its mute, with a short ramp, and makes
 * the mute exact zeros; gather is [n_traces][n_samples]. Pure. */
void synthetic_mute_gather(const SyntheticSurvey *survey, int64_t i, int64_t x, float *gather);

/* The sum of squares of values [n]. Pure. */
double synthetic_energy(const float *values, int64_t n);

/* Adds the noise of gather (i, x), with its gains and mute and in a unit of its own, to noise [n_traces][n_samples],
 * which holds zeros; kind is scratch of the same shape, work as synthetic_gather() has it. Pure. */
void synthetic_noise(const SyntheticSurvey *survey, int64_t i, int64_t x, float *noise, float *kind, double *work);

#endif
