/* What qc says, as CSV files to plot. */
#include "csv.h"
#include "qc_private.h"

#include "seisdcn/files.h"
#include "seisdcn/memory.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A row for each figure of a cell; `what` is its by,from,to,unit. */
static void csv_cell(const QcResult *result, Csv *csv, const char *what, const double *cell)
{
    int n = result->shape->n_predictions;
    fprintf(csv->stream, "samples,%s", what);
    for (int p = 0; p < n; p++) csv_number(csv, cell[QC_SAMPLES]);
    for (int f = 0; f < QC_FIGURES; f++) {
        if (qc_figures[f].wants_clean && !result->shape->with_clean) continue;
        fprintf(csv->stream, "\n%s,%s", qc_figures[f].name, what);
        for (int p = 0; p < n; p++) csv_number(csv, qc_figure(result, &qc_figures[f], cell, p));
    }
    fputc('\n', csv->stream);
}

static void csv_band(const QcResult *result, Csv *csv, const char *what, int64_t band)
{
    for (int which = 0; which < 2; which++) {
        fprintf(csv->stream, "spectrum_%s_db,%s", which == 0 ? "prediction" : "difference", what);
        for (int p = 0; p < result->shape->n_predictions; p++) csv_number(csv, qc_band_ratio(result, band, p, which));
        fputc('\n', csv->stream);
    }
}

/* How many gathers count, of the survey or of a split, whose name stands where bins have their ends. */
static void csv_gathers(const QcResult *result, Csv *csv)
{
    fprintf(csv->stream, "gathers,%s,%s,,", result->split == NULL ? "survey" : "split",
            result->split == NULL ? "" : result->split);
    for (int p = 0; p < result->shape->n_predictions; p++) csv_number(csv, (double)result->n_gathers);
    fputc('\n', csv->stream);
}

Status qc_write_csv(const QcResult *result, const char *path)
{
    Csv csv;
    double *total = memory_new((size_t)qc_cell_size(result->shape), sizeof *total, "a table");
    Status status = total == NULL ? STATUS_MEMORY : csv_open(&csv);
    if (status == STATUS_OK) {
        fputs("figure,by,from,to,unit", csv.stream);
        for (int p = 0; p < result->shape->n_predictions; p++) {
            fputc(',', csv.stream);
            csv_name(&csv, result->names[p]);
        }
        fputc('\n', csv.stream);
        qc_total(result->shape, result->sums, total);
        csv_gathers(result, &csv);
        csv_cell(result, &csv, "survey,,,", total);
        for (QcBy by = QC_BY_BIN; by <= QC_BY_BAND; by++) {
            QcRows rows = qc_rows(result, by);
            for (int64_t i = 0; i < rows.n; i++) {
                char what[128];
                double range[2];
                qc_range(result, by, i, range);
                snprintf(what, sizeof what, "%s,%.9g,%.9g,%s", rows.by, range[0], range[1], rows.unit);
                if (by == QC_BY_BAND)
                    csv_band(result, &csv, what, i);
                else
                    csv_cell(result, &csv, what, qc_cell(result, by, i));
            }
        }
        status = csv_close(&csv, path);
    }
    memory_free(total);
    return status;
}

/* Line numbers, empty where they are not known. */
static void csv_line(Csv *csv, int32_t number)
{
    fputc(',', csv->stream);
    if (number != POSITION_UNKNOWN) fprintf(csv->stream, "%" PRId32, number);
}

Status qc_write_gathers(const QcResult *result, const char *path)
{
    Csv csv;
    Status status = csv_open(&csv);
    if (status != STATUS_OK) return status;
    const Survey *survey = result->survey;
    fprintf(csv.stream, "gather%s,inline,crossline,prediction", survey->lines != NULL ? ",line" : "");
    for (int f = 0; f < QC_FIGURES; f++) fprintf(csv.stream, ",%s", qc_figures[f].name);
    fputc('\n', csv.stream);
    for (int64_t i = 0; i < result->n_gathers; i++)
        for (int p = 0; p < result->shape->n_predictions; p++) {
            int64_t e = result->list[i];
            fprintf(csv.stream, "%" PRId64, e);
            if (survey->lines != NULL) fprintf(csv.stream, ",%" PRId32, survey->lines[e]);
            csv_line(&csv, survey->inlines[e]);
            csv_line(&csv, survey->crosslines[e]);
            fputc(',', csv.stream);
            csv_name(&csv, result->names[p]);
            for (int f = 0; f < QC_FIGURES; f++)
                csv_number(&csv,
                           qc_figure(result, &qc_figures[f], result->gathers + i * qc_cell_size(result->shape), p));
            fputc('\n', csv.stream);
        }
    return csv_close(&csv, path);
}
