/* The figures of qc out of its sums, and what the rows of its tables stand for. */
#include "qc_private.h"

#include <math.h>

static double decibel(double ratio) { return 10 * log10(ratio); }

static double rms_input(const double *c, const double *p)
{
    (void)p;
    return sqrt(c[QC_INPUT] / c[QC_SAMPLES]);
}

static double rms_prediction(const double *c, const double *p) { return sqrt(p[QC_PREDICTION] / c[QC_SAMPLES]); }

static double rms_difference(const double *c, const double *p) { return sqrt(p[QC_DIFFERENCE] / c[QC_SAMPLES]); }

static double leakage(const double *c, const double *p) { return p[QC_SIMILARITY] / c[QC_LIVE]; }

static double correlation(const double *c, const double *p)
{
    (void)c;
    return p[QC_CROSS] / (sqrt(p[QC_PREDICTION]) * sqrt(p[QC_DIFFERENCE]));
}

static double snr_input(const double *c, const double *p)
{
    (void)p;
    return decibel(c[QC_CLEAN] / c[QC_NOISE]);
}

static double snr_prediction(const double *c, const double *p) { return decibel(c[QC_CLEAN] / p[QC_ERROR]); }

static double snr_gain(const double *c, const double *p) { return decibel(c[QC_NOISE] / p[QC_ERROR]); }

/* Of the clean gather, what the prediction has no part of: 1 of nothing kept, below 0 of too much. */
static double signal_lost(const double *c, const double *p) { return 1 - p[QC_KEPT] / c[QC_CLEAN]; }

const QcFigure qc_figures[QC_FIGURES] = {
    {"rms_input", "input", "RMS of the input", rms_input, true, false},
    {"rms_prediction", "prediction", "RMS of the prediction", rms_prediction, false, false},
    {"rms_difference", "difference", "RMS of the difference", rms_difference, false, false},
    {"correlation", NULL, "correlation of prediction and difference", correlation, false, false},
    {"leakage", "leakage", "leakage: their mean local similarity", leakage, false, false},
    {"snr_input_db", "SNR in, dB", "SNR of the input, dB", snr_input, true, true},
    {"snr_prediction_db", "SNR out, dB", "SNR of the prediction, dB", snr_prediction, false, true},
    {"snr_gain_db", "gain, dB", "its gain, dB", snr_gain, false, true},
    {"signal_lost", "signal lost", "share of the signal that it lost", signal_lost, false, true},
};

double qc_figure(const QcResult *result, const QcFigure *figure, const double *cell, int p)
{
    return figure->wants_clean && !result->shape->with_clean
               ? NAN
               : figure->of(cell, cell + QC_COMMON + (int64_t)p * QC_EACH);
}

/* ---- what the rows of a table stand for ---- */

QcRows qc_rows(const QcResult *result, QcBy by)
{
    const QcShape *shape = result->shape;
    bool known = result->survey->interval_us > 0, timed = shape->timed;
    switch (by) {
    case QC_BY_BIN:
        if (shape->by_offset) return (QcRows){"offset", "", "by offset", shape->n_bins};
        return (QcRows){"trace", "", "by trace of the gather", shape->n_bins};
    case QC_BY_WINDOW:
        if (timed) return (QcRows){"time", "ms", "by time, ms", shape->n_windows};
        return (QcRows){"time", "sample", "by sample", shape->n_windows};
    default:
        if (known) return (QcRows){"frequency", "Hz", "by frequency, Hz", shape->n_bands};
        return (QcRows){"frequency", "cycles/sample", "by frequency, cycles a sample", shape->n_bands};
    }
}

void qc_range(const QcResult *result, QcBy by, int64_t i, double range[2])
{
    const QcShape *shape = result->shape;
    double interval = result->survey->interval_us, n = (double)shape->n_samples;
    for (int end = 0; end < 2; end++) {
        if (by == QC_BY_BIN && shape->by_offset) {
            range[end] = shape->low + (shape->high - shape->low) * (double)(i + end) / (double)shape->n_bins;
            continue;
        }
        int64_t items = by == QC_BY_BIN      ? shape->max_fold
                        : by == QC_BY_WINDOW ? shape->n_axis
                                             : shape->n_samples / 2 + 1;
        double item = (double)(qc_first(i + end, items, qc_rows(result, by).n) - end);
        if (by == QC_BY_WINDOW && shape->timed) item = (item * interval + shape->start_us) / 1000;
        if (by == QC_BY_BAND) item /= interval > 0 ? n * interval * 1e-6 : n;
        range[end] = item;
    }
}

const double *qc_cell(const QcResult *result, QcBy by, int64_t i)
{
    return result->sums + (by == QC_BY_BIN ? qc_bin(result->shape, i) : qc_window(result->shape, i));
}

double qc_band_ratio(const QcResult *result, int64_t band, int p, int which)
{
    const double *energy = result->sums + qc_band(result->shape, band);
    return decibel(energy[1 + 2 * p + which] / energy[0]);
}
