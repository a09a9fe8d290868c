/* What qc says, as tables to read. */
#include "qc_private.h"

#include "seisdcn/log.h"
#include "seisdcn/memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LABEL = 42, COLUMN = 13, LINE_MAX_LENGTH = LABEL + QC_PREDICTIONS_MAX * QC_FIGURES * (COLUMN + 2) + 64 };

typedef struct {
    char text[LINE_MAX_LENGTH];
    size_t at;
} Line;

static void put_label(Line *line, const char *text)
{
    line->at = (size_t)snprintf(line->text, sizeof line->text, "%-*.*s", (int)LABEL, (int)LABEL, text);
}

static void put_blank(Line *line, int width)
{
    line->at += (size_t)snprintf(line->text + line->at, sizeof line->text - line->at, "%*s", width, "");
}

static void put_text(Line *line, const char *text, int width)
{
    int length = (int)strlen(text);
    if (length >= width) text += length - width + 1; /* a path's end tells more than its beginning */
    line->at += (size_t)snprintf(line->text + line->at, sizeof line->text - line->at, "%*s", width, text);
}

static void put_number(Line *line, double value)
{
    char text[32] = "-";
    if (isfinite(value)) snprintf(text, sizeof text, fabs(value) < 1e5 ? "%.4g" : "%.3g", value);
    if (isinf(value)) snprintf(text, sizeof text, "%s", value > 0 ? "inf" : "-inf");
    put_text(line, text, COLUMN);
}

static void print_summary(const QcResult *result, const double *total)
{
    Line line;
    char gathers[32], all[LOG_THINGS_MAX], samples[LOG_THINGS_MAX], split[48] = "";
    if (result->split != NULL) snprintf(split, sizeof split, " (the split %s)", result->split);
    log_result("%s: %s of %s%s, %s, %.1f %% of them not zero", result->survey_name,
               log_count(result->n_gathers, gathers), log_things(result->survey->n_ensembles, "gather", all), split,
               log_things((int64_t)total[QC_SAMPLES], "sample", samples), 100 * total[QC_LIVE] / total[QC_SAMPLES]);
    put_label(&line, "");
    for (int p = 0; p < result->shape->n_predictions; p++) put_text(&line, result->names[p], 2 * COLUMN);
    log_result("\n%s", line.text);
    for (int f = 0; f < QC_FIGURES; f++) {
        if (qc_figures[f].wants_clean && !result->shape->with_clean) continue;
        put_label(&line, qc_figures[f].meaning);
        for (int p = 0; p < result->shape->n_predictions; p++) {
            put_blank(&line, COLUMN);
            put_number(&line, qc_figure(result, &qc_figures[f], total, p));
        }
        log_result("%s", line.text);
    }
}

/* Whether a figure stands in a table's row for prediction p; the input's stand once, before all others (p = -1). */
static bool stands(const QcResult *result, const QcFigure *figure, int p)
{
    return figure->column != NULL && (result->shape->with_clean || !figure->wants_clean) && figure->of_input == (p < 0);
}

/* The names of predictions above their columns, `columns` each, where there are several; then those of the columns. */
static void print_head(const QcResult *result, const char *title, int before, int columns, const char *const *names)
{
    Line line;
    if (result->shape->n_predictions > 1) {
        put_label(&line, "");
        put_blank(&line, before * COLUMN);
        for (int p = 0; p < result->shape->n_predictions; p++) put_text(&line, result->names[p], columns * COLUMN);
        log_result("\n%s", line.text);
    } else {
        log_result("%s", "");
    }
    put_label(&line, title);
    for (int i = 0; i < before; i++) put_text(&line, names[i], COLUMN);
    for (int p = 0; p < result->shape->n_predictions; p++)
        for (int i = 0; i < columns; i++) put_text(&line, names[before + i], COLUMN);
    log_result("%s", line.text);
}

static void range_text(const double range[2], char text[64])
{
    snprintf(text, 64, range[0] == range[1] ? "  %.5g" : "  %.5g to %.5g", range[0], range[1]);
}

static void print_cells(const QcResult *result, QcBy by)
{
    const char *names[QC_FIGURES];
    int counts[2] = {0, 0}, n = 0; /* columns of the input, and of each prediction */
    for (int p = -1; p < 1; p++)
        for (int f = 0; f < QC_FIGURES; f++)
            if (stands(result, &qc_figures[f], p)) {
                names[n++] = qc_figures[f].column;
                counts[p + 1]++;
            }
    QcRows rows = qc_rows(result, by);
    print_head(result, rows.title, counts[0], counts[1], names);
    for (int64_t i = 0; i < rows.n; i++) {
        const double *cell = qc_cell(result, by, i);
        if (cell[QC_SAMPLES] == 0) continue;
        Line line;
        char text[64];
        double range[2];
        qc_range(result, by, i, range);
        range_text(range, text);
        put_label(&line, text);
        for (int p = -1; p < result->shape->n_predictions; p++)
            for (int f = 0; f < QC_FIGURES; f++)
                if (stands(result, &qc_figures[f], p < 0 ? -1 : 0))
                    put_number(&line, qc_figure(result, &qc_figures[f], cell, p < 0 ? 0 : p));
        log_result("%s", line.text);
    }
}

static void print_bands(const QcResult *result)
{
    static const char *const names[] = {"prediction", "difference"};
    QcRows rows = qc_rows(result, QC_BY_BAND);
    if (rows.n == 0) return;
    char title[64];
    snprintf(title, sizeof title, "%s: dB of the input", rows.title);
    print_head(result, title, 0, 2, names);
    for (int64_t i = 0; i < rows.n; i++) {
        Line line;
        char text[64];
        double range[2];
        qc_range(result, QC_BY_BAND, i, range);
        range_text(range, text);
        put_label(&line, text);
        for (int p = 0; p < result->shape->n_predictions; p++)
            for (int which = 0; which < 2; which++) put_number(&line, qc_band_ratio(result, i, p, which));
        log_result("%s", line.text);
    }
}

/* ---- the worst gathers ---- */

typedef struct {
    double leakage;
    int64_t i; /* in the list */
} Rank;

/* Worst first; of equal ones the first in the file. */
static int compare_ranks(const void *a, const void *b)
{
    const Rank *x = a, *y = b;
    if (x->leakage != y->leakage) return x->leakage > y->leakage ? -1 : 1;
    return (x->i > y->i) - (x->i < y->i);
}

static void print_worst(const QcResult *result, int p, Rank *ranks, int64_t worst)
{
    int64_t size = qc_cell_size(result->shape), n = 0;
    for (int64_t i = 0; i < result->n_gathers; i++) {
        double value = qc_figure(result, &qc_figures[QC_LEAKAGE], result->gathers + i * size, p);
        if (isfinite(value)) ranks[n++] = (Rank){value, i};
    }
    qsort(ranks, (size_t)n, sizeof *ranks, compare_ranks);
    log_result("\nworst gathers by leakage%s%s", result->shape->n_predictions > 1 ? ", " : "",
               result->shape->n_predictions > 1 ? result->names[p] : "");
    char name[96];
    int width = LABEL - 2; /* long names are not cut */
    for (int64_t r = 0; r < n && r < worst; r++) {
        int length = (int)strlen(survey_ensemble_name(result->survey, result->list[ranks[r].i], name));
        if (length > width) width = length;
    }
    for (int64_t r = 0; r < n && r < worst; r++) {
        Line line;
        survey_ensemble_name(result->survey, result->list[ranks[r].i], name);
        line.at = (size_t)snprintf(line.text, sizeof line.text, "  %-*s", width, name);
        put_number(&line, ranks[r].leakage);
        log_result("%s", line.text);
    }
}

Status qc_print(const QcResult *result, int64_t worst)
{
    double *total = memory_new((size_t)qc_cell_size(result->shape), sizeof *total, "a table");
    Rank *ranks = memory_new((size_t)result->n_gathers, sizeof *ranks, "the worst gathers");
    Status status = total == NULL || ranks == NULL ? STATUS_MEMORY : STATUS_OK;
    if (status == STATUS_OK) {
        qc_total(result->shape, result->sums, total);
        print_summary(result, total);
        print_cells(result, QC_BY_BIN);
        print_cells(result, QC_BY_WINDOW);
        print_bands(result);
        for (int p = 0; p < result->shape->n_predictions && worst > 0; p++) print_worst(result, p, ranks, worst);
    }
    memory_free(total);
    memory_free(ranks);
    return status;
}
