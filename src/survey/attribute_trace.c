/* Attributes of traces, by FFTW. */
#include "seisdcn/attribute.h"

#include "seisdcn/memory.h"

#include <limits.h>
#include <math.h>
#include <string.h>

#ifdef SEISDCN_FFTW

#include <fftw3.h>

/* Where an edge begins to rise, and where it has risen, over its frequency. */
static const double RISE_BEGINS = 0.8, RISE_ENDS = 1.2, PI = 3.14159265358979323846;

/* The least even number from `least` on without a prime factor above 7: FFTW is fast there. */
static int64_t good_length(int64_t least)
{
    for (int64_t n = least + least % 2;; n += 2) {
        int64_t rest = n;
        for (int64_t factor = 2; factor <= 7; factor++)
            while (rest % factor == 0) rest /= factor;
        if (rest == 1) return n;
    }
}

/* r(f / edge) of attribute.h */
static double rise(double frequency, double edge)
{
    if (frequency >= RISE_ENDS * edge) return 1;
    if (frequency <= RISE_BEGINS * edge) return 0;
    double u = (frequency / edge - RISE_BEGINS) / (RISE_ENDS - RISE_BEGINS);
    return 0.5 - 0.5 * cos(PI * u);
}

static void fill_responses(AttributeWork *work, double interval_us)
{
    int64_t n_frequencies = work->padded / 2 + 1;
    for (int i = 0; i < work->n; i++) {
        const AttributeRule *rule = &work->rule[i];
        for (int64_t k = 0; rule->kind == ATTRIBUTE_BAND && k < n_frequencies; k++) {
            double frequency = (double)k * 1e6 / ((double)work->padded * interval_us);
            work->response[i * n_frequencies + k] = rise(frequency, rule->low) - rise(frequency, rule->high);
        }
    }
}

Status attribute_new(const AttributeRule *rule, int n, int64_t n_samples, double interval_us, AttributeWork *work)
{
    *work = (AttributeWork){.n = n, .rule = rule, .n_samples = n_samples};
    if (n_samples > INT_MAX / 4) return status_fail(STATUS_DATA, "traces of that many samples are too long for FFTW");
    work->padded = good_length(2 * n_samples);
    size_t padded = (size_t)work->padded, n_frequencies = padded / 2 + 1;
    for (int i = 0; i < n; i++) work->wants_hilbert = work->wants_hilbert || rule[i].kind != ATTRIBUTE_BAND;
    work->trace = memory_new(padded, sizeof(double), "attributes of a trace");
    work->result = memory_new(padded, sizeof(double), "attributes of a trace");
    work->spectrum = memory_new(n_frequencies, 2 * sizeof(double), "attributes of a trace");
    work->work = memory_new(n_frequencies, 2 * sizeof(double), "attributes of a trace");
    work->response = memory_new((size_t)n * n_frequencies, sizeof(double), "attributes of a trace");
    if (work->trace == NULL || work->result == NULL || work->spectrum == NULL || work->work == NULL ||
        work->response == NULL) {
        attribute_free(work);
        return STATUS_MEMORY;
    }
    fill_responses(work, interval_us);
    work->forward = fftw_plan_dft_r2c_1d((int)padded, work->trace, (fftw_complex *)work->spectrum, FFTW_ESTIMATE);
    work->back = fftw_plan_dft_c2r_1d((int)padded, (fftw_complex *)work->work, work->result, FFTW_ESTIMATE);
    if (work->forward != NULL && work->back != NULL) return STATUS_OK;
    attribute_free(work);
    return status_fail(STATUS_MEMORY, "FFTW makes no plan for attributes");
}

void attribute_free(AttributeWork *work)
{
    if (work->forward != NULL) fftw_destroy_plan(work->forward);
    if (work->back != NULL) fftw_destroy_plan(work->back);
    memory_free(work->trace);
    memory_free(work->result);
    memory_free(work->spectrum);
    memory_free(work->work);
    memory_free(work->response);
    memset(work, 0, sizeof *work);
}

/* result = the trace filtered by response; NULL: its Hilbert transform. */
static void filter(AttributeWork *work, const double *response)
{
    const double *x = work->spectrum;
    double *y = work->work, scale = 1 / (double)work->padded;
    int64_t last = work->padded / 2;
    for (int64_t k = 0; k <= last; k++) {
        double factor = response != NULL ? response[k] * scale : k == 0 || k == last ? 0 : scale;
        y[2 * k] = factor * x[2 * k + (response == NULL)];
        y[2 * k + 1] = factor * (response != NULL ? x[2 * k + 1] : -x[2 * k]);
    }
    fftw_execute(work->back);
}

/* One trace; out + i * stride is that of attribute i. */
static void run_trace(AttributeWork *work, const float *in, float *out, int64_t stride)
{
    int64_t n = work->n_samples;
    for (int64_t k = 0; k < n; k++) work->trace[k] = (double)in[k]; /* the rest stays zero */
    fftw_execute(work->forward);
    if (work->wants_hilbert) filter(work, NULL);
    for (int i = 0; work->wants_hilbert && i < work->n; i++) {
        if (work->rule[i].kind == ATTRIBUTE_BAND) continue;
        bool phase = work->rule[i].kind == ATTRIBUTE_COSPHASE;
        for (int64_t k = 0; k < n; k++) {
            double x = work->trace[k], magnitude = sqrt(x * x + work->result[k] * work->result[k]);
            out[i * stride + k] = (float)(!phase ? magnitude : magnitude > 0 ? x / magnitude : 0);
        }
    }
    for (int i = 0; i < work->n; i++) {
        if (work->rule[i].kind != ATTRIBUTE_BAND) continue;
        filter(work, work->response + i * (work->padded / 2 + 1));
        for (int64_t k = 0; k < n; k++) out[i * stride + k] = (float)work->result[k];
    }
}

void attribute_traces(AttributeWork *work, const float *in, int64_t n_traces, float *out)
{
    int64_t stride = n_traces * work->n_samples;
    for (int64_t t = 0; t < n_traces; t++) run_trace(work, in + t * work->n_samples, out + t * work->n_samples, stride);
}

#else

Status attribute_new(const AttributeRule *rule, int n, int64_t n_samples, double interval_us, AttributeWork *work)
{
    (void)interval_us;
    *work = (AttributeWork){.n = n, .rule = rule, .n_samples = n_samples};
    return status_fail(STATUS_USAGE, "this program was built without FFTW and computes no attributes; install FFTW 3 "
                                     "(Debian: libfftw3-dev) and build it again");
}

void attribute_free(AttributeWork *work) { (void)work; }

void attribute_traces(AttributeWork *work, const float *in, int64_t n_traces, float *out)
{
    (void)work, (void)in, (void)n_traces, (void)out;
}

#endif
