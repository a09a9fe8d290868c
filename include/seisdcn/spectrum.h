/* spectrum: amplitude spectra of traces and f-k spectra of gathers, by FFTW.
 *
 * FFTW is a choice of the build: without it spectrum_new() fails and says so. Plans are made without measuring, so that
 * the same input gives the same bits. */
#ifndef SEISDCN_SPECTRUM_H
#define SEISDCN_SPECTRUM_H

#include "seisdcn/status.h"

#include <stdint.h>

typedef struct {
    int64_t n_traces, n_samples; /* of one transform: n_traces = 1 for single traces */
    int64_t n_frequencies;       /* n_samples / 2 + 1; number f is f / (n_samples * interval) */
    double *in;                  /* [n_traces][n_samples], the caller fills it; spectrum_run() leaves it as it was */
    double *power;               /* [n_traces][n_frequencies]: squared magnitudes, filled by spectrum_run() */
    double *work;                /* [n_traces][n_frequencies][2] */
    void *plan;
} Spectrum;

/* Prepares transforms of traces (n_traces = 1), or of whole gathers: over samples and traces. Local. STATUS_MEMORY;
 * STATUS_USAGE in a program that was built without FFTW. */
Status spectrum_new(int64_t n_traces, int64_t n_samples, Spectrum *spectrum);

/* Frees what spectrum_new() made; one of zeros is nothing. Local. */
void spectrum_free(Spectrum *spectrum);

/* power from in: |sum of in exp(-i w t)|^2, without a factor. Wavenumbers come in FFT order: 0, 1, ..., -2, -1 over
 * n_traces. Pure but for the spectrum's own arrays. */
void spectrum_run(Spectrum *spectrum);

#endif
