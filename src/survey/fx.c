#include "seisdcn/fx.h"

#include "seisdcn/blas.h"
#include "seisdcn/linear_prediction.h"
#include "seisdcn/memory.h"

#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#ifdef SEISDCN_FFTW

#include <fftw3.h>

/* ---- windows ---- */

static FxWindows windows_of(int64_t n, int64_t size)
{
    FxWindows windows = {.n = n, .size = size == 0 || size > n ? n : size};
    int64_t step = windows.size > 1 ? windows.size / 2 : 1;
    windows.count = 1 + (n - windows.size + step - 1) / step;
    return windows;
}

/* Spread evenly over what there is, from one end to the other. */
static int64_t window_first(const FxWindows *windows, int64_t i)
{
    int64_t room = windows->n - windows->size, gaps = windows->count - 1;
    return gaps == 0 ? 0 : (2 * i * room + gaps) / (2 * gaps);
}

/* taper [size], weight [n]: its sum over all windows. */
static void fill_tapers(const FxWindows *windows, double *taper, double *weight)
{
    static const double PI = 3.14159265358979323846;
    for (int64_t i = 0; i < windows->size; i++) taper[i] = sin(PI * ((double)i + 0.5) / (double)windows->size);
    memset(weight, 0, (size_t)windows->n * sizeof *weight);
    for (int64_t w = 0; w < windows->count; w++)
        for (int64_t i = 0; i < windows->size; i++) weight[window_first(windows, w) + i] += taper[i];
}

int64_t fx_windows(const FxRule *rule, int64_t fold, int64_t n_samples)
{
    return windows_of(n_samples, rule->window_samples).count * windows_of(fold, rule->window_traces).count;
}

/* ---- room ---- */

/* What there is of each array. */
typedef struct {
    size_t trace, spectrum, series, work, samples, traces, sum;
} Sizes;

static Sizes sizes_of(const FxRule *rule, int64_t max_fold, int64_t n_samples)
{
    FxWindows time = windows_of(n_samples, rule->window_samples), traces = windows_of(max_fold, rule->window_traces);
    Sizes sizes = {.trace = 2 * (size_t)time.size,
                   .spectrum = (size_t)time.size + 1,
                   .series = ((size_t)time.size + 1) * (size_t)traces.size,
                   .work = (size_t)linear_prediction_work(traces.size, rule->filter_traces),
                   .samples = (size_t)(time.size + n_samples),
                   .traces = (size_t)(traces.size + max_fold),
                   .sum = (size_t)(max_fold * n_samples)};
    return sizes;
}

size_t fx_bytes(const FxRule *rule, int64_t max_fold, int64_t n_samples)
{
    Sizes sizes = sizes_of(rule, max_fold, n_samples);
    return sizeof(double) * (sizes.trace + sizes.samples + sizes.traces + sizes.sum) +
           sizeof(double complex) * (sizes.spectrum + sizes.series + sizes.work);
}

Status fx_check(void) { return STATUS_OK; }

Status fx_new(const FxRule *rule, int64_t max_fold, int64_t n_samples, Fx *fx)
{
    *fx = (Fx){.rule = *rule, .n_samples = n_samples, .max_fold = max_fold};
    fx->time = windows_of(n_samples, rule->window_samples);
    fx->n_frequencies = fx->time.size + 1;
    if (fx->time.size > INT_MAX / 2)
        return status_fail(STATUS_DATA, "windows of %" PRId64 " samples are too long; shorten --window-samples",
                           fx->time.size);
    Sizes sizes = sizes_of(rule, max_fold, n_samples);
    static const char *const what = "f-x filtering";
    fx->trace = memory_new(sizes.trace, sizeof *fx->trace, what);
    fx->spectrum = memory_new(sizes.spectrum, sizeof *fx->spectrum, what);
    fx->series = memory_new(sizes.series, sizeof *fx->series, what);
    fx->work = memory_new(sizes.work, sizeof *fx->work, what);
    fx->taper_time = memory_new(sizes.samples, sizeof *fx->taper_time, what);
    fx->taper_traces = memory_new(sizes.traces, sizeof *fx->taper_traces, what);
    fx->sum = memory_new(sizes.sum, sizeof *fx->sum, what);
    if (fx->trace == NULL || fx->spectrum == NULL || fx->series == NULL || fx->work == NULL || fx->taper_time == NULL ||
        fx->taper_traces == NULL || fx->sum == NULL)
        return STATUS_MEMORY;
    fx->weight_time = fx->taper_time + fx->time.size;
    fx->forward = fftw_plan_dft_r2c_1d((int)sizes.trace, fx->trace, fx->spectrum, FFTW_ESTIMATE);
    fx->backward = fftw_plan_dft_c2r_1d((int)sizes.trace, fx->spectrum, fx->trace, FFTW_ESTIMATE);
    if (fx->forward == NULL || fx->backward == NULL)
        return status_fail(STATUS_MEMORY, "FFTW makes no plan for f-x filtering");
    fill_tapers(&fx->time, fx->taper_time, fx->weight_time);
    blas_one_thread();
    return STATUS_OK;
}

void fx_free(Fx *fx)
{
    if (fx->forward != NULL) fftw_destroy_plan(fx->forward);
    if (fx->backward != NULL) fftw_destroy_plan(fx->backward);
    memory_free(fx->trace);
    memory_free(fx->spectrum);
    memory_free(fx->series);
    memory_free(fx->work);
    memory_free(fx->taper_time);
    memory_free(fx->taper_traces);
    memory_free(fx->sum);
    memset(fx, 0, sizeof *fx);
}

/* ---- a window ---- */

/* The first sample and trace of a window, and how many traces it has. */
typedef struct {
    int64_t sample, trace, n_traces;
} Window;

static bool all_zeros(const Fx *fx, const float *in, const Window *window)
{
    for (int64_t t = 0; t < window->n_traces; t++) {
        const float *trace = in + (window->trace + t) * fx->n_samples + window->sample;
        for (int64_t s = 0; s < fx->time.size; s++)
            if (trace[s] != 0) return false;
    }
    return true;
}

static void to_series(Fx *fx, const float *in, const Window *window)
{
    int64_t size = fx->time.size;
    for (int64_t t = 0; t < window->n_traces; t++) {
        const float *trace = in + (window->trace + t) * fx->n_samples + window->sample;
        for (int64_t s = 0; s < size; s++) fx->trace[s] = (double)trace[s];
        memset(fx->trace + size, 0, (size_t)size * sizeof *fx->trace);
        fftw_execute(fx->forward);
        for (int64_t f = 0; f < fx->n_frequencies; f++) fx->series[f * window->n_traces + t] = fx->spectrum[f];
    }
}

static Status predict_series(Fx *fx, const Window *window, bool *whole)
{
    const FxRule *rule = &fx->rule;
    for (int64_t f = 0; f < fx->n_frequencies; f++) {
        double complex *series = fx->series + f * window->n_traces;
        double cycles = (double)f / (2 * (double)fx->time.size), rounding = 1e-12;
        *whole = fx->poke == NULL || !fx->poke(fx->poke_context);
        if (!*whole) return STATUS_OK;
        if (cycles < rule->low - rounding || cycles > rule->high + rounding)
            memset(series, 0, (size_t)window->n_traces * sizeof *series);
        else if (!linear_prediction_run(window->n_traces, rule->filter_traces, rule->damping, series, series, fx->work))
            return status_fail(STATUS_BUG,
                               "LAPACK cannot solve the normal equations of the window at trace %" PRId64
                               ", sample %" PRId64 ", frequency %" PRId64,
                               window->trace, window->sample, f);
    }
    return STATUS_OK;
}

static void add_series(Fx *fx, const Window *window)
{
    int64_t size = fx->time.size;
    for (int64_t t = 0; t < window->n_traces; t++) {
        double *sum = fx->sum + (window->trace + t) * fx->n_samples + window->sample;
        double weight = fx->taper_traces[t] / (2 * (double)size); /* FFTW's transforms multiply by their length */
        for (int64_t f = 0; f < fx->n_frequencies; f++) fx->spectrum[f] = fx->series[f * window->n_traces + t];
        fftw_execute(fx->backward);
        for (int64_t s = 0; s < size; s++) sum[s] += weight * fx->taper_time[s] * fx->trace[s];
    }
}

/* ---- a gather ---- */

static Status add_windows(Fx *fx, const float *in, const FxWindows *traces, FxCounts *counts, bool *whole)
{
    for (int64_t i = 0; i < traces->count; i++)
        for (int64_t j = 0; j < fx->time.count; j++) {
            Window window = {window_first(&fx->time, j), window_first(traces, i), traces->size};
            counts->windows++;
            if (all_zeros(fx, in, &window)) continue;
            counts->live++;
            to_series(fx, in, &window);
            Status status = predict_series(fx, &window, whole);
            if (status != STATUS_OK || !*whole) return status;
            add_series(fx, &window);
        }
    return STATUS_OK;
}

Status fx_run(Fx *fx, const float *in, int64_t fold, float *out, FxCounts *counts, bool *whole)
{
    FxWindows traces = windows_of(fold, fx->rule.window_traces);
    fx->weight_traces = fx->taper_traces + traces.size;
    fill_tapers(&traces, fx->taper_traces, fx->weight_traces);
    memset(fx->sum, 0, (size_t)(fold * fx->n_samples) * sizeof *fx->sum);
    *whole = true;
    Status status = add_windows(fx, in, &traces, counts, whole);
    if (status != STATUS_OK || !*whole) return status;
    for (int64_t t = 0; t < fold; t++)
        for (int64_t s = 0; s < fx->n_samples; s++)
            out[t * fx->n_samples + s] =
                (float)(fx->sum[t * fx->n_samples + s] / (fx->weight_traces[t] * fx->weight_time[s]));
    return STATUS_OK;
}

char *fx_libraries(char *text, size_t size)
{
    snprintf(text, size, "%s, OpenBLAS for %s", fftw_version, blas_kernels());
    return text;
}

#else

Status fx_check(void)
{
    return status_fail(STATUS_USAGE, "this program was built without FFTW and has no f-x filtering; install FFTW 3 "
                                     "(Debian: libfftw3-dev) and build it again");
}

Status fx_new(const FxRule *rule, int64_t max_fold, int64_t n_samples, Fx *fx)
{
    *fx = (Fx){.rule = *rule, .n_samples = n_samples, .max_fold = max_fold};
    return fx_check();
}

void fx_free(Fx *fx) { (void)fx; }

size_t fx_bytes(const FxRule *rule, int64_t max_fold, int64_t n_samples)
{
    (void)rule;
    (void)max_fold;
    (void)n_samples;
    return 0;
}

int64_t fx_windows(const FxRule *rule, int64_t fold, int64_t n_samples)
{
    (void)rule;
    (void)fold;
    (void)n_samples;
    return 0;
}

Status fx_run(Fx *fx, const float *in, int64_t fold, float *out, FxCounts *counts, bool *whole)
{
    (void)fx;
    (void)in;
    (void)fold;
    (void)out;
    (void)counts;
    (void)whole;
    return fx_check();
}

char *fx_libraries(char *text, size_t size)
{
    snprintf(text, size, "no FFTW");
    return text;
}

#endif
