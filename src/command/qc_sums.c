/* The sums of qc: one gather's, which one rank computes alone, in an order that does not depend on the ranks. */
#include "qc_private.h"

#include "seisdcn/memory.h"

#include <math.h>
#include <string.h>

int64_t qc_cell_size(const QcShape *shape) { return QC_COMMON + (int64_t)shape->n_predictions * QC_EACH; }

static int64_t band_size(const QcShape *shape) { return 1 + 2 * (int64_t)shape->n_predictions; }

int64_t qc_bin(const QcShape *shape, int64_t bin) { return bin * qc_cell_size(shape); }

int64_t qc_window(const QcShape *shape, int64_t window) { return (shape->n_bins + window) * qc_cell_size(shape); }

int64_t qc_band(const QcShape *shape, int64_t band)
{
    return qc_window(shape, shape->n_windows) + band * band_size(shape);
}

int64_t qc_sums_size(const QcShape *shape) { return qc_band(shape, shape->n_bands); }

int64_t qc_first(int64_t i, int64_t n, int64_t parts) { return (i * n + parts - 1) / parts; }

int64_t qc_shift(const QcShape *shape, const Survey *survey, int64_t e)
{
    if (!shape->timed) return 0;
    return llround((survey_start_us(survey, e) - shape->start_us) / survey->interval_us);
}

void qc_total(const QcShape *shape, const double *sums, double *cell)
{
    int64_t size = qc_cell_size(shape);
    memset(cell, 0, (size_t)size * sizeof *cell);
    for (int64_t w = 0; w < shape->n_windows; w++)
        for (int64_t i = 0; i < size; i++) cell[i] += sums[qc_window(shape, w) + i];
}

Status qc_room_new(const QcShape *shape, QcRoom *room)
{
    memset(room, 0, sizeof *room);
    SimilarityShape gather = {shape->max_fold, shape->n_samples, shape->radius.radius_traces,
                              shape->radius.radius_samples};
    size_t n = (size_t)(shape->max_fold * shape->n_samples);
    float **const arrays[] = {&room->input, &room->clean, &room->prediction, &room->difference, &room->similarity};
    bool good = true;
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) {
        *arrays[i] = memory_new(n, sizeof(float), "a gather");
        good = good && *arrays[i] != NULL;
    }
    room->offset = memory_new((size_t)shape->max_fold, sizeof *room->offset, "the offsets");
    room->work = memory_new((size_t)similarity_work(&gather), sizeof *room->work, "the local similarity");
    if (!good || room->offset == NULL || room->work == NULL) return STATUS_MEMORY;
    if (shape->n_bands == 0) return STATUS_OK;
    Status status = spectrum_new(1, shape->n_samples, &room->spectrum);
    return status == STATUS_USAGE ? status_prefix(status, "spectra by band (--bands 0 leaves them out)") : status;
}

void qc_room_free(QcRoom *room)
{
    float *const arrays[] = {room->input,      room->clean,      room->prediction,
                             room->difference, room->similarity, room->offset};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) memory_free(arrays[i]);
    memory_free(room->work);
    spectrum_free(&room->spectrum);
}

/* ---- one gather ---- */

/* The samples of one trace in one window: they belong to one bin and one window. */
typedef struct {
    int64_t first, n;     /* in the gather */
    double *bin, *window; /* the cells */
} Piece;

static void add(const Piece *piece, int64_t at, double value)
{
    piece->bin[at] += value;
    piece->window[at] += value;
}

/* Sums of products x y of n samples. */
static double products(int64_t n, const float *x, const float *y)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += (double)x[i] * (double)y[i];
    return sum;
}

static double squared_distance(int64_t n, const float *x, const float *y)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += ((double)x[i] - (double)y[i]) * ((double)x[i] - (double)y[i]);
    return sum;
}

static void add_common(const QcShape *shape, const QcRoom *room, const Piece *piece)
{
    const float *input = room->input + piece->first, *clean = room->clean + piece->first;
    int64_t live = 0;
    for (int64_t i = 0; i < piece->n; i++) live += input[i] != 0;
    add(piece, QC_SAMPLES, (double)piece->n);
    add(piece, QC_LIVE, (double)live);
    add(piece, QC_INPUT, products(piece->n, input, input));
    if (!shape->with_clean) return;
    add(piece, QC_CLEAN, products(piece->n, clean, clean));
    add(piece, QC_NOISE, squared_distance(piece->n, input, clean));
}

/* The similarity counts where the input is not exactly zero: in a mute, prediction and difference are each other's
 * opposites whatever they are. */
static void add_prediction(const QcShape *shape, const QcRoom *room, int p, const Piece *piece)
{
    const float *input = room->input + piece->first, *similarity = room->similarity + piece->first;
    const float *prediction = room->prediction + piece->first, *difference = room->difference + piece->first;
    int64_t at = QC_COMMON + (int64_t)p * QC_EACH;
    double similar = 0;
    for (int64_t i = 0; i < piece->n; i++)
        if (input[i] != 0) similar += (double)similarity[i];
    add(piece, at + QC_PREDICTION, products(piece->n, prediction, prediction));
    add(piece, at + QC_DIFFERENCE, products(piece->n, difference, difference));
    add(piece, at + QC_CROSS, products(piece->n, prediction, difference));
    add(piece, at + QC_SIMILARITY, similar);
    if (!shape->with_clean) return;
    const float *clean = room->clean + piece->first;
    add(piece, at + QC_ERROR, squared_distance(piece->n, prediction, clean));
    add(piece, at + QC_KEPT, products(piece->n, prediction, clean));
}

static int64_t bin_of(const QcShape *shape, const QcRoom *room, int64_t t)
{
    if (!shape->by_offset) return t * shape->n_bins / shape->max_fold;
    if (!(shape->high > shape->low)) return 0;
    double part = ((double)room->offset[t] - shape->low) / (shape->high - shape->low);
    int64_t bin = (int64_t)(part * (double)shape->n_bins);
    return bin < shape->n_bins ? bin : shape->n_bins - 1;
}

/* Adds what the input (p = -1) or prediction p gives to the cells of bins and windows. */
static void add_cells(const QcShape *shape, const QcRoom *room, int64_t fold, int p, double *sums)
{
    int64_t n = shape->n_samples;
    for (int64_t t = 0; t < fold; t++)
        for (int64_t w = 0; w < shape->n_windows; w++) {
            int64_t first = qc_first(w, shape->n_axis, shape->n_windows) - room->shift;
            int64_t end = qc_first(w + 1, shape->n_axis, shape->n_windows) - room->shift;
            if (first < 0) first = 0;
            if (end > n) end = n;
            if (first >= end) continue;
            Piece piece = {t * n + first, end - first, sums + qc_bin(shape, bin_of(shape, room, t)),
                           sums + qc_window(shape, w)};
            if (p < 0)
                add_common(shape, room, &piece);
            else
                add_prediction(shape, room, p, &piece);
        }
}

/* Adds the spectral energy of a gather to number `at` of each band; over all frequencies it is n times the sum of
 * squares (Parseval), since frequencies other than 0 and Nyquist's stand for two. */
static void add_bands(const QcShape *shape, QcRoom *room, int64_t fold, const float *gather, int64_t at, double *sums)
{
    Spectrum *spectrum = &room->spectrum;
    int64_t n = shape->n_samples, m = spectrum->n_frequencies;
    for (int64_t t = 0; t < fold && shape->n_bands > 0; t++) {
        for (int64_t s = 0; s < n; s++) spectrum->in[s] = (double)gather[t * n + s];
        spectrum_run(spectrum);
        for (int64_t f = 0; f < m; f++) {
            double twice = f == 0 || 2 * f == n ? 1 : 2;
            sums[qc_band(shape, f * shape->n_bands / m) + at] += twice * spectrum->power[f];
        }
    }
}

/* What room holds of the input and its clean twin, and as prediction p. */
static void measure_input(const QcShape *shape, int64_t fold, QcRoom *room, double *sums)
{
    add_cells(shape, room, fold, -1, sums);
    add_bands(shape, room, fold, room->input, 0, sums);
}

/* The room holds one of prediction and noise; the other is the input minus it. */
static void measure_prediction(const QcShape *shape, int64_t fold, int p, QcRoom *room, double *sums)
{
    int64_t n = fold * shape->n_samples;
    SimilarityShape gather = {fold, shape->n_samples, shape->radius.radius_traces, shape->radius.radius_samples};
    const float *held = shape->is_noise[p] ? room->difference : room->prediction;
    float *other = shape->is_noise[p] ? room->prediction : room->difference;
    for (int64_t i = 0; i < n; i++) other[i] = room->input[i] - held[i];
    similarity_local(&gather, room->difference, room->prediction, room->similarity, room->work);
    add_cells(shape, room, fold, p, sums);
    add_bands(shape, room, fold, room->prediction, 1 + 2 * (int64_t)p, sums);
    add_bands(shape, room, fold, room->difference, 2 + 2 * (int64_t)p, sums);
}

void qc_measure_held(const QcShape *shape, int64_t fold, QcRoom *room, double *sums)
{
    memset(sums, 0, (size_t)qc_sums_size(shape) * sizeof *sums);
    measure_input(shape, fold, room, sums);
    measure_prediction(shape, fold, 0, room, sums);
}

Status qc_measure(const QcShape *shape, const Survey *survey, const Survey *clean, const Survey *predictions, int64_t e,
                  QcRoom *room, double *sums)
{
    int64_t fold = survey_fold(survey, e);
    memset(sums, 0, (size_t)qc_sums_size(shape) * sizeof *sums);
    room->shift = qc_shift(shape, survey, e);
    Status status = survey_read_gather(survey, e, 1, room->input);
    if (status == STATUS_OK && shape->with_clean) status = survey_read_gather(clean, e, 1, room->clean);
    if (status == STATUS_OK && shape->by_offset) status = survey_read_offsets(survey, e, room->offset);
    if (status != STATUS_OK) return status;
    measure_input(shape, fold, room, sums);
    for (int p = 0; p < shape->n_predictions && status == STATUS_OK; p++) {
        status = survey_read_gather(&predictions[p], e, 1, shape->is_noise[p] ? room->difference : room->prediction);
        if (status == STATUS_OK) measure_prediction(shape, fold, p, room, sums);
    }
    return status;
}
