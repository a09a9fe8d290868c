/* fx: f-x prediction filtering of a gather (Canales 1984, "Random noise reduction", SEG Expanded Abstracts 3): what can
 * be predicted from trace to trace is signal.
 *
 * The gather is cut into windows of time and traces that overlap by half or more, the last one flush with the end. In a
 * window each trace, with as many zeros behind it, goes through a Fourier transform; at each frequency the traces'
 * numbers are predicted from their neighbours (linear_prediction.h), and what comes back is laid where the window
 * stood, weighted by a taper, sin(pi (i + 1/2) / n) both ways; in the end the sum is divided by that of the tapers.
 * (Tapering what goes in instead costs about 1 dB: events change along the taper.) Frequencies outside the rule's band
 * become zeros. Mutes are zeros like others; a window of nothing else stays so. A window of one trace passes as it is,
 * but for the band.
 *
 * FFTW is a choice of the build: without it fx_check() fails and says so. Plans are made without measuring, and all
 * calls of FFTW and LAPACK depend on the window alone: the same gather gives the same bits. */
#ifndef SEISDCN_FX_H
#define SEISDCN_FX_H

#include "seisdcn/status.h"

#include <complex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    int64_t window_samples, window_traces; /* 0: all */
    int64_t filter_traces;                 /* the filter's length; in a window of n traces at most n / 2 */
    double damping;                        /* of the normal equations, times their mean diagonal */
    double low, high;                      /* the band that is kept, in cycles a sample: 0 .. 0.5 */
} FxRule;

/* A window's place along one axis: windows of `size` of the n items, `count` of them. */
typedef struct {
    int64_t n, size, count;
} FxWindows;

typedef struct {
    FxRule rule;
    int64_t n_samples, max_fold;
    FxWindows time;
    int64_t n_frequencies;    /* of a window with its zeros: size + 1 */
    double *trace;            /* [2 * size] */
    double complex *spectrum; /* [n_frequencies] of one trace */
    double complex *series;   /* [n_frequencies][traces of a window] */
    double complex *work;
    double *taper_time, *weight_time;     /* [size], [n_samples]: the sum over windows */
    double *taper_traces, *weight_traces; /* [traces of a window], [max_fold] */
    double *sum;                          /* [max_fold][n_samples] */
    void *forward, *backward;
    bool (*poke)(void *); /* called between frequencies: true gives the gather up; NULL: none */
    void *poke_context;
} Fx;

/* What a gather counts. */
typedef struct {
    int64_t windows, live; /* live: not all zeros */
} FxCounts;

/* Whether this program has f-x filtering. Local. STATUS_USAGE in one that was built without FFTW. */
Status fx_check(void);

/* Prepares for gathers of up to max_fold traces. Local. STATUS_MEMORY; STATUS_USAGE as fx_check(); STATUS_DATA where
 * traces are too long for FFTW. To be freed also after a failure. */
Status fx_new(const FxRule *rule, int64_t max_fold, int64_t n_samples, Fx *fx);

/* Frees what fx_new() made; one of zeros is nothing. Local. */
void fx_free(Fx *fx);

/* Bytes that fx_new() takes. Pure. */
size_t fx_bytes(const FxRule *rule, int64_t max_fold, int64_t n_samples);

/* Windows of a gather of `fold` traces. Pure. */
int64_t fx_windows(const FxRule *rule, int64_t fold, int64_t n_samples);

/* Filters in [fold][n_samples] into out, another array. *whole becomes false where poke gave it up, and out is of no
 * use then. Local. STATUS_BUG where LAPACK does not solve a window's equations. */
Status fx_run(Fx *fx, const float *in, int64_t fold, float *out, FxCounts *counts, bool *whole);

/* What computes, as "fftw-3.3.10-sse2, OpenBLAS for SkylakeX": another one may give other last bits. Local; text holds
 * `size` bytes and is returned. */
char *fx_libraries(char *text, size_t size);

#endif
