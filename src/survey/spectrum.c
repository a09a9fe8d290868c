#include "seisdcn/spectrum.h"

#include "seisdcn/memory.h"

#include <limits.h>
#include <string.h>

#ifdef SEISDCN_FFTW

#include <fftw3.h>

Status spectrum_new(int64_t n_traces, int64_t n_samples, Spectrum *spectrum)
{
    *spectrum = (Spectrum){.n_traces = n_traces, .n_samples = n_samples, .n_frequencies = n_samples / 2 + 1};
    if (n_traces > INT_MAX || n_samples > INT_MAX)
        return status_fail(STATUS_DATA, "the gather is too large for a spectrum");
    size_t values = (size_t)n_traces * (size_t)n_samples, items = (size_t)n_traces * (size_t)spectrum->n_frequencies;
    spectrum->in = memory_new(values, sizeof *spectrum->in, "a spectrum");
    spectrum->power = memory_new(items, sizeof *spectrum->power, "a spectrum");
    spectrum->work = memory_new(items, 2 * sizeof *spectrum->work, "a spectrum");
    if (spectrum->in == NULL || spectrum->power == NULL || spectrum->work == NULL) return STATUS_MEMORY;
    fftw_complex *out = (fftw_complex *)spectrum->work;
    spectrum->plan = n_traces == 1
                         ? fftw_plan_dft_r2c_1d((int)n_samples, spectrum->in, out, FFTW_ESTIMATE)
                         : fftw_plan_dft_r2c_2d((int)n_traces, (int)n_samples, spectrum->in, out, FFTW_ESTIMATE);
    return spectrum->plan == NULL ? status_fail(STATUS_MEMORY, "FFTW makes no plan for a spectrum") : STATUS_OK;
}

void spectrum_free(Spectrum *spectrum)
{
    if (spectrum->plan != NULL) fftw_destroy_plan(spectrum->plan);
    memory_free(spectrum->in);
    memory_free(spectrum->power);
    memory_free(spectrum->work);
    memset(spectrum, 0, sizeof *spectrum);
}

void spectrum_run(Spectrum *spectrum)
{
    fftw_execute(spectrum->plan);
    int64_t items = spectrum->n_traces * spectrum->n_frequencies;
    const double *z = spectrum->work;
    for (int64_t i = 0; i < items; i++) spectrum->power[i] = z[2 * i] * z[2 * i] + z[2 * i + 1] * z[2 * i + 1];
}

#else

Status spectrum_new(int64_t n_traces, int64_t n_samples, Spectrum *spectrum)
{
    *spectrum = (Spectrum){.n_traces = n_traces, .n_samples = n_samples};
    return status_fail(STATUS_USAGE, "this program was built without FFTW and has no spectra; install FFTW 3 (Debian: "
                                     "libfftw3-dev) and build it again");
}

void spectrum_free(Spectrum *spectrum) { (void)spectrum; }

void spectrum_run(Spectrum *spectrum) { (void)spectrum; }

#endif
