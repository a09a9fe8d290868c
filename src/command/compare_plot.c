/* The ranking as bars: a panel for each figure, a line for each training. */
#include "compare_private.h"

#include "seisdcn/log.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum { ROWS_MAX = 60 };

/* ---- one panel ---- */

/* From where to where the bars' axis goes: from zero on, but where a value is negative. */
static void find_range(const Comparison *comparison, const CompareFigure *figure, int64_t n, double range[2])
{
    range[0] = range[1] = 0;
    for (int64_t i = 0; i < n; i++) {
        double value = figure->of(&comparison->training[i]);
        if (!isfinite(value)) continue;
        range[0] = fmin(range[0], value);
        range[1] = fmax(range[1], value);
    }
    double margin = 0.05 * (range[1] - range[0]);
    if (range[0] < 0) range[0] -= margin;
    range[1] = range[1] > range[0] ? range[1] + margin : range[0] + 1;
}

static int64_t count(const Comparison *comparison, const CompareFigure *figure, int64_t n)
{
    int64_t known = 0;
    for (int64_t i = 0; i < n; i++) known += isfinite(figure->of(&comparison->training[i]));
    return known;
}

/* Data set `index`: a line, place and value, for each bar; its number stands at its end. */
static void draw_panel(Sheet *sheet, const Frame *frame, const Comparison *comparison, int64_t n, int index, int key)
{
    const CompareFigure *figure = &compare_figures[key];
    double range[2];
    find_range(comparison, figure, n, range);
    bool chosen = comparison->sorted_by == key;
    FILE *file = sheet->plot.data_file;
    fprintf(file, "# %s\n", figure->name);
    double row = frame->height / (double)n;
    for (int64_t i = 0; i < n; i++) {
        double value = figure->of(&comparison->training[i]), y = frame->y + ((double)i + 0.5) * row;
        char text[48];
        snprintf(text, sizeof text, fabs(value) < 1e4 ? "%.3g" : "%.0f", value);
        double end = isfinite(value) ? (fmax(value, 0) - range[0]) / (range[1] - range[0]) : 0;
        bool inside = end > 0.5; /* room for the number within the bar */
        if (isfinite(value)) fprintf(file, "%" PRId64 " %.9g\n", i, value);
        double x = frame->x + end * frame->width + (inside ? -0.4 : 0.4) * sheet->em;
        sheet_text(sheet, isfinite(value) ? text : "-", x, y, inside ? ALIGN_RIGHT : ALIGN_LEFT, 0.9);
    }
    fputs("\n\n", file);
    sheet_text(sheet, figure->column, frame->x + frame->width / 2, frame->y - 1.9 * sheet->em, ALIGN_CENTER, 1);
    sheet_text(sheet, figure->better > 0 ? "more is better" : "less is better", frame->x + frame->width / 2,
               frame->y - 0.8 * sheet->em, ALIGN_CENTER, 0.8);
    sheet_frame(sheet, frame);
    gnuplot_write(&sheet->plot,
                  "set xrange [%.9g:%.9g]\nset yrange [%.9g:-0.5]\nunset tics\nset style fill solid 1 noborder\n"
                  "plot data index %d using (0):1:(0):2:($1-0.36):($1+0.36) with boxxyerror linecolor rgb '%s'\n",
                  range[0], range[1], (double)n - 0.5, index, chosen ? "#7fb0e0" : "#d8d8d8");
    sheet_end_panel(sheet);
}

/* ---- the picture ---- */

static double longest_name(const Comparison *comparison, int64_t n)
{
    size_t most = 8;
    for (int64_t i = 0; i < n; i++) {
        size_t length = strlen(comparison->training[i].name);
        most = length > most ? length : most;
    }
    return most > 60 ? 60 : (double)most;
}

static void write_names(Sheet *sheet, const Frame *frame, const Comparison *comparison, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        const char *name = comparison->training[i].name;
        size_t length = strlen(name);
        if (length > 60) name += length - 60;
        sheet_text(sheet, name, frame->x - 0.8 * sheet->em, frame->y + ((double)i + 0.5) * frame->height / (double)n,
                   ALIGN_RIGHT, 1);
    }
}

Status compare_plot(const SheetPlan *plan, const Comparison *comparison)
{
    static const double EM = 40.0 / 3, PANEL = 11, ROW = 1.7, TOP = 5.4; /* pixels; ems */
    int keys[COMPARE_FIGURES], panels = 0;
    int64_t n = comparison->n < ROWS_MAX ? comparison->n : ROWS_MAX;
    for (int f = 0; f < COMPARE_FIGURES; f++)
        if (compare_figures[f].reach <= comparison->reach && count(comparison, &compare_figures[f], n) > 0)
            keys[panels++] = f;
    double names = longest_name(comparison, n) * 0.6 + 2;
    Sheet sheet;
    Status status =
        sheet_open(&sheet, plan, EM * (names + panels * (PANEL + 1) + 1), EM * (TOP + ROW * (double)n + 1.4));
    if (status == STATUS_OK) {
        double em = sheet.em, width = (sheet.width / em - names - 1) / (panels > 0 ? panels : 1) - 1;
        char title[PLOT_TITLE_MAX], count[LOG_THINGS_MAX];
        snprintf(title, sizeof title, "%s%s by %s", n < comparison->n ? "the first " : "",
                 log_things(n, "training", count),
                 comparison->sorted_by < COMPARE_FIGURES ? compare_figures[comparison->sorted_by].column : "name");
        sheet_title(&sheet, title);
        for (int p = 0; p < panels; p++) {
            Frame frame = {em * (names + p * (width + 1)), TOP * em, width * em, sheet.height - (TOP + 1.4) * em};
            if (p == 0) write_names(&sheet, &frame, comparison, n);
            draw_panel(&sheet, &frame, comparison, n, p, keys[p]);
        }
        status = sheet_draw(&sheet);
    }
    sheet_close(&sheet);
    return status;
}
