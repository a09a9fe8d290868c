/* The loss curves of a training, out of its metrics.csv. */
#include "metrics.h"
#include "plot_private.h"

#include "seisdcn/memory.h"
#include "seisdcn/text.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* Steps of an epoch: step s of epoch e lies in (e - 1) n < s <= e n for all rows, which bounds n from both sides. */
static double steps_an_epoch(const Metrics *metrics)
{
    double least = 1, most = INFINITY;
    for (int64_t i = 0; i < metrics->n; i++) {
        const MetricsRow *row = &metrics->row[i];
        if (isnan(row->step)) continue;
        least = fmax(least, ceil(row->step / row->epoch));
        if (row->epoch > 1) most = fmin(most, ceil(row->step / (row->epoch - 1)) - 1);
    }
    return isfinite(most) && most > least ? (least + most) / 2 : least;
}

/* ---- the graph ---- */

typedef struct {
    double low, high, last;                   /* of the losses, above 0 where any is; the last epoch */
    int64_t n_steps, n_epochs, n_valid, best; /* rows of each kind; the row of the lowest validation loss, -1 none */
} Extent;

static void include(Extent *extent, double loss)
{
    if (!(loss > 0)) return;
    extent->low = fmin(extent->low, loss);
    extent->high = fmax(extent->high, loss);
}

static Extent measure(const Metrics *metrics, double per_epoch)
{
    Extent extent = {.low = INFINITY};
    for (int64_t i = 0; i < metrics->n; i++) {
        const MetricsRow *row = &metrics->row[i];
        extent.n_steps += !isnan(row->of_step);
        extent.n_epochs += !isnan(row->of_epoch);
        extent.n_valid += !isnan(row->valid);
        include(&extent, row->of_step);
        include(&extent, row->of_epoch);
        include(&extent, row->valid);
        extent.last = fmax(extent.last, isnan(row->step) ? row->epoch : row->step / per_epoch);
    }
    extent.best = metrics_best(metrics);
    return extent;
}

/* Three data sets: steps, epochs, validation. */
static void write_data(Sheet *sheet, const Metrics *metrics, double per_epoch)
{
    FILE *file = sheet->plot.data_file;
    for (int kind = 0; kind < 3; kind++) {
        fprintf(file, "# epoch, %s\n",
                kind == 0   ? "loss of a step"
                : kind == 1 ? "loss of an epoch"
                            : "validation loss");
        for (int64_t i = 0; i < metrics->n; i++) {
            const MetricsRow *row = &metrics->row[i];
            double loss = kind == 0 ? row->of_step : kind == 1 ? row->of_epoch : row->valid;
            if (!isnan(loss)) fprintf(file, "%.9g %.9g\n", kind == 0 ? row->step / per_epoch : row->epoch, loss);
        }
        fputs("\n\n", file);
    }
}

static void set_axes(Sheet *sheet, const Frame *frame, const Extent *extent)
{
    Gnuplot *plot = &sheet->plot;
    double em = sheet->em;
    sheet_text(sheet, "epoch", frame->x + frame->width / 2, frame->y + frame->height + 3 * em, ALIGN_CENTER, 1);
    sheet_text_up(sheet, "loss (mean squared error of a scaled patch)", 1.2 * em, frame->y + frame->height / 2);
    bool wide = extent->high > 5 * extent->low; /* then a linear axis hides the end of the training */
    double margin = wide ? pow(extent->high / extent->low, 0.04) : 1 + 0.05;
    gnuplot_write(plot, "set xrange [0:%.9g]\nset xtics %" PRId64 " out nomirror\nset ytics out nomirror\n",
                  extent->last * 1.02, sheet_round_step(extent->last / 12));
    if (wide)
        gnuplot_write(plot, "set logscale y\nset ytics add (0.02,0.05,0.2,0.5,2,5,0.002,0.005)\nset format y '%%g'\n");
    gnuplot_write(plot, "set yrange [%.9g:%.9g]\n", wide ? extent->low / margin : 0, extent->high * margin);
    gnuplot_write(plot, "set grid linecolor rgb '#e0e0e0' linetype 1\n");
}

/* Lines of those kinds that there are, and above them what they are. */
static void draw_curves(Sheet *sheet, const Frame *frame, const Metrics *metrics, const Extent *extent)
{
    static const char *const kinds[] = {"single steps", "training", "validation"};
    static const char *const shades[] = {"#b0b0b0", "#0060c0", "#d04000"};
    const int64_t counts[] = {extent->n_steps, extent->n_epochs, extent->n_valid};
    const char *names[3], *colours[3];
    char lowest[96];
    int n = 0;
    for (int kind = 0; kind < 3; kind++) {
        if (counts[kind] == 0) continue;
        names[n] = kinds[kind];
        colours[n++] = shades[kind];
    }
    if (extent->best >= 0) {
        const MetricsRow *best = &metrics->row[extent->best];
        snprintf(lowest, sizeof lowest, "validation (lowest %.4g in epoch %g)", best->valid, best->epoch);
        names[n - 1] = lowest;
    }
    sheet_legend(sheet, frame, n, names, colours);
    const char *before = "plot";
    for (int kind = 0; kind < 3; kind++) {
        if (counts[kind] == 0) continue;
        gnuplot_write(&sheet->plot, "%s data index %d with %s linecolor rgb '%s'", before, kind,
                      kind == 0 ? "lines" : "linespoints linewidth 1.6 pointtype 7 pointsize 0.6", shades[kind]);
        before = ",";
    }
    gnuplot_write(&sheet->plot, "\n");
}

static Status draw(const SheetPlan *plan, const Metrics *metrics, const char *folder)
{
    double per_epoch = steps_an_epoch(metrics);
    Extent extent = measure(metrics, per_epoch);
    if (extent.high <= 0)
        return status_fail(STATUS_DATA,
                           "%s holds no loss yet: the first row comes after train.log_every_steps steps, "
                           "or with the first epoch",
                           metrics->path);
    Sheet sheet;
    Frame frame;
    Status status = sheet_open(&sheet, plan, 900, 560);
    if (status == STATUS_OK) status = sheet_lay_panels(&sheet, 1, 2, 4.6 * sheet.em, 4.4 * sheet.em, &frame);
    if (status == STATUS_OK) {
        char title[PLOT_TITLE_MAX];
        snprintf(title, sizeof title, "training %s", folder);
        write_data(&sheet, metrics, per_epoch);
        sheet_title(&sheet, title);
        sheet_frame(&sheet, &frame);
        set_axes(&sheet, &frame, &extent);
        draw_curves(&sheet, &frame, metrics, &extent);
        sheet_end_panel(&sheet);
        status = sheet_draw(&sheet);
    }
    sheet_close(&sheet);
    return status;
}

Status plot_training(const SheetPlan *plan, const char *folder)
{
    char *path = text_format("%s/metrics.csv", folder);
    if (path == NULL) return STATUS_MEMORY;
    Metrics metrics;
    Status status = metrics_read(path, &metrics);
    if (status == STATUS_IO) status_prefix(status, "--training");
    if (status == STATUS_OK) status = draw(plan, &metrics, folder);
    metrics_free(&metrics);
    memory_free(path);
    return status;
}
