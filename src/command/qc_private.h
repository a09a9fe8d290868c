/* Private to the qc command: sums over a survey, gather by gather, and the figures of quality that they give. */
#ifndef SEISDCN_QC_PRIVATE_H
#define SEISDCN_QC_PRIVATE_H

#include "seisdcn/command.h"
#include "seisdcn/index_deal.h"
#include "seisdcn/index_map.h"
#include "seisdcn/similarity.h"
#include "seisdcn/spectrum.h"
#include "seisdcn/status.h"
#include "seisdcn/survey.h"

#include <stdbool.h>
#include <stdint.h>

/* What the options say; their table tells what each means. */
typedef struct {
    const char *survey, *clean, *ensembles, *split, *map, *csv, *gathers;
    OptionTexts predicted;
    int64_t bins, windows, bands, worst, radius_traces, radius_samples;
} QcOptions;

/* Those of a job of this command. Pure. */
static inline const QcOptions *qc_options(const Job *job) { return job->options; }

/* ---- what is summed (qc_sums.c) ---- */

/* A cell holds sums over the samples of an offset bin, a time window, a gather or all: what the input gives, then for
 * each prediction the rest, at QC_COMMON + p * QC_EACH. */
enum { QC_SAMPLES, QC_LIVE, QC_INPUT, QC_CLEAN, QC_NOISE, QC_COMMON }; /* live: not exactly zero; squares of the rest */
/* squares of prediction, difference and error (prediction less clean); products of the first two, and of prediction and
 * clean; local similarities */
enum { QC_PREDICTION, QC_DIFFERENCE, QC_ERROR, QC_CROSS, QC_KEPT, QC_SIMILARITY, QC_EACH };

enum { QC_PREDICTIONS_MAX = 8 };

/* Which sums there are: cells of the bins, cells of the windows, then of each band the energies of input, prediction
 * and difference (the latter two for each prediction). */
typedef struct {
    int n_predictions;
    bool is_noise[QC_PREDICTIONS_MAX]; /* files made with --difference: the prediction is the input minus them */
    bool with_clean;
    int64_t n_samples, max_fold;
    int64_t n_axis;  /* samples from the first one of any gather to the last one: the windows are parts of these */
    double start_us; /* time of the first of them */
    bool timed;      /* their times are known */
    int64_t n_bins, n_windows, n_bands;
    bool by_offset; /* the bins are of offsets from `low` to `high`; else of trace numbers */
    double low, high;
    SimilarityShape radius; /* for its radii */
} QcShape;

/* Doubles of a cell, and of all sums. Pure. */
int64_t qc_cell_size(const QcShape *shape);
int64_t qc_sums_size(const QcShape *shape);

/* Where a bin's cell, a window's cell and a band's energies stand in the sums. Pure. */
int64_t qc_bin(const QcShape *shape, int64_t bin);
int64_t qc_window(const QcShape *shape, int64_t window);
int64_t qc_band(const QcShape *shape, int64_t band);

/* The first of the n items that fall in part i of `parts`: part = item * parts / n. Pure. */
int64_t qc_first(int64_t i, int64_t n, int64_t parts);

/* Samples that ensemble e begins behind the axis of the windows, to the nearest. Pure. */
int64_t qc_shift(const QcShape *shape, const Survey *survey, int64_t e);

/* The cell of everything: the sum of the windows' cells. Pure. */
void qc_total(const QcShape *shape, const double *sums, double *cell);

/* Room to measure a gather in. */
typedef struct {
    float *input, *clean, *prediction, *difference, *similarity, *offset; /* [max_fold][n_samples]; offset [max_fold] */
    double *work;
    int64_t shift;     /* of the gather: samples that it begins behind the axis of the windows */
    Spectrum spectrum; /* of a trace; of zeros without bands */
} QcRoom;

/* Local. STATUS_MEMORY; STATUS_USAGE where bands are wanted and the program has no FFTW. */
Status qc_room_new(const QcShape *shape, QcRoom *room);
void qc_room_free(QcRoom *room);

/* Reads ensemble e of the survey, of its clean twin (where shape->with_clean) and of the predictions, and fills sums
 * with its own. Local. STATUS_IO, STATUS_DATA. */
Status qc_measure(const QcShape *shape, const Survey *survey, const Survey *clean, const Survey *predictions, int64_t e,
                  QcRoom *room, double *sums);

/* The same for a gather of `fold` traces whose input, clean twin and one prediction the room holds already. Pure. */
void qc_measure_held(const QcShape *shape, int64_t fold, QcRoom *room, double *sums);

/* ---- the gathers of a split (qc_split.c) ---- */

typedef struct {
    const char *name; /* --split, NULL: all gathers count */
    IndexSplit split;
    bool has_model[QC_PREDICTIONS_MAX]; /* of the predictions: made by a network, */
    IndexDeal deal[QC_PREDICTIONS_MAX]; /* whose training gathers were dealt so */
} QcSplit;

/* Checks --split and --map. Pure. STATUS_USAGE. */
Status qc_split_check(const Job *job, QcSplit *split);

/* Marks the gathers of the split in selected [n_ensembles], by --map or by what the predictions keep of their models,
 * and says on the log by which. Collective. STATUS_DATA where no prediction keeps one, where two contradict each other,
 * or where the split has no gathers of its own; and what index_load() says. */
Status qc_split_select(const Job *job, const Survey *survey, const Survey *predictions, int n_predictions,
                       const QcSplit *split, uint8_t *selected);

/* ---- what is said, by rank 0 ---- */

typedef struct {
    const QcShape *shape;
    const Survey *survey;
    const char *survey_name;
    const char *split;                     /* whose gathers alone count, NULL: all */
    const char *names[QC_PREDICTIONS_MAX]; /* of the predictions, as the user knows them */
    const double *sums;
    const int64_t *list; /* [n_gathers] the ensembles that count */
    int64_t n_gathers;
    const double *gathers; /* [n_gathers][cell]: each one's own cell */
} QcResult;

/* A figure of a cell, and of what a prediction has there; NaN where there is none. */
typedef struct {
    const char *name;   /* in CSV */
    const char *column; /* in a table; NULL: in the summary only */
    const char *meaning;
    double (*of)(const double *cell, const double *prediction);
    bool of_input; /* the same for all predictions */
    bool wants_clean;
} QcFigure;

enum { QC_FIGURES = 9, QC_LEAKAGE = 4, QC_SNR_GAIN = 7, QC_SIGNAL_LOST = 8 };
extern const QcFigure qc_figures[QC_FIGURES]; /* qc_figures.c */

/* A figure for prediction p. Pure. */
double qc_figure(const QcResult *result, const QcFigure *figure, const double *cell, int p);

/* The energy of a band over the input's, in dB; which: 0 the prediction, 1 the difference. Pure. */
double qc_band_ratio(const QcResult *result, int64_t band, int p, int which);

/* What the rows of a table stand for. */
typedef enum { QC_BY_BIN, QC_BY_WINDOW, QC_BY_BAND } QcBy;

typedef struct {
    const char *by, *unit; /* as in CSV: "time", "ms" */
    const char *title;     /* as in a table */
    int64_t n;
} QcRows;

QcRows qc_rows(const QcResult *result, QcBy by);

/* The ends of row i: of the offsets, or the first and the last trace, time or frequency in it. Pure. */
void qc_range(const QcResult *result, QcBy by, int64_t i, double range[2]);

/* The cell of row i of the bins or windows. Pure. */
const double *qc_cell(const QcResult *result, QcBy by, int64_t i);

/* Prints the tables; the `worst` gathers by leakage of each prediction. STATUS_MEMORY. */
Status qc_print(const QcResult *result, int64_t worst);

/* Writes the same as a CSV file, and one row for each gather and prediction as another. STATUS_IO, STATUS_MEMORY. */
Status qc_write_csv(const QcResult *result, const char *path);
Status qc_write_gathers(const QcResult *result, const char *path);

#endif
