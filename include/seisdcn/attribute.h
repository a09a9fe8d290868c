/* attribute: trace attributes, computed from amplitudes by FFTW: further channels for the network.
 *
 *   envelope     |z|, z = x + i h the analytic signal, h the Hilbert transform of the trace x
 *   cosphase     x / |z|, the cosine of the instantaneous phase: -1 .. 1 whatever the amplitude; 0 where |z| is 0
 *   band:LO-HI   what of the trace lies between LO and HI Hz, without a shift of phase
 *
 * (Taner, Koehler and Sheriff 1979, "Complex seismic trace analysis", Geophysics 44(6).) A trace is followed by zeros
 * to an even length without prime factors above 7, at least twice its own, so that its end does not run into its
 * beginning. h has the spectrum -i X(f) for 0 < f < Nyquist, 0 at both ends. A band has the response r(f / LO) - r(f /
 * HI), where r(u) rises from 0 at u = 0.8 by a cosine to 1 at u = 1.2, and is 1/2 at 1: an edge falls within a fifth of
 * its frequency to both sides, bands that meet add up to the band over both, and one that is narrower than HI = 1.5 LO
 * passes nothing whole. LO = 0 is a low-pass. All in double.
 *
 * FFTW is a choice of the build: without it attribute_new() fails and says so. Plans are made without measuring, so
 * that the same trace gives the same bits. */
#ifndef SEISDCN_ATTRIBUTE_H
#define SEISDCN_ATTRIBUTE_H

#include "seisdcn/status.h"

#include <stdbool.h>
#include <stdint.h>

enum { ATTRIBUTE_RULES_MAX = 32, ATTRIBUTE_TEXT_MAX = 64 };

typedef enum { ATTRIBUTE_BAND, ATTRIBUTE_COSPHASE, ATTRIBUTE_ENVELOPE } AttributeKind;

typedef struct {
    AttributeKind kind;
    double low, high;              /* Hz, of a band */
    char name[ATTRIBUTE_TEXT_MAX]; /* of its dataset: "envelope", "band_010_020"; bands sort by their edges */
} AttributeRule;

/* Reads "envelope,cosphase,band:10-20" into rule [ATTRIBUTE_RULES_MAX]. Edges of bands are 0 to 999.999 Hz with at most
 * three decimals: 12.5 is written "012p500" in a name. Pure but for the message: STATUS_USAGE names what is unknown,
 * wrong or there twice. */
Status attribute_parse(const char *list, AttributeRule *rule, int *n);

/* What an attribute is, in words, into text [ATTRIBUTE_TEXT_MAX]: "band-pass 10-20 Hz". Pure. */
char *attribute_describe(const AttributeRule *rule, char *text);

/* Whether it has the amplitude's unit, and so shares its scale. Pure. */
bool attribute_shares_scale(const AttributeRule *rule);

/* Checks that bands lie below the Nyquist frequency of traces that are sampled every interval_us (0: unknown) in the
 * survey at path, which messages name: STATUS_USAGE; STATUS_DATA where it is unknown and a band wants it. Pure but for
 * the message. */
Status attribute_check_bands(const AttributeRule *rule, int n, double interval_us, const char *path);

/* What computes n attributes of traces of one length. */
typedef struct {
    int n;
    const AttributeRule *rule; /* [n], the caller's */
    int64_t n_samples, padded; /* of a trace, and with its zeros */
    double *trace;             /* [padded] */
    double *spectrum, *work;   /* [padded / 2 + 1][2] */
    double *result;            /* [padded] */
    double *response;          /* [n][padded / 2 + 1], of bands */
    bool wants_hilbert;
    void *forward, *back;
} AttributeWork;

/* Prepares it; the rules were checked. Local. STATUS_MEMORY; STATUS_USAGE in a program that was built without FFTW. */
Status attribute_new(const AttributeRule *rule, int n, int64_t n_samples, double interval_us, AttributeWork *work);

/* Frees what attribute_new() made; one of zeros is nothing. Local. */
void attribute_free(AttributeWork *work);

/* The attributes out [n][n_traces][n_samples] of traces in [n_traces][n_samples], each trace by itself. Pure but for
 * work's own arrays. */
void attribute_traces(AttributeWork *work, const float *in, int64_t n_traces, float *out);

#endif
