/* The loss curves of a training, out of its metrics.csv. */
#include "plot_private.h"

#include "seisdcn/files.h"
#include "seisdcn/memory.h"
#include "seisdcn/text.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

static const char header[] = "epoch,step,train_loss_step,train_loss_epoch,val_loss,learning_rate,patches_per_second";

enum { COLUMNS = 7 };

/* A row: NaN where a field is empty. */
typedef struct {
    double epoch, step, of_step, of_epoch, valid;
} Row;

typedef struct {
    const char *path;
    Row *row;
    int64_t n;
} Metrics;

/* Takes the fields of a line of `length` bytes apart; false where it is none of metrics.csv. */
static bool parse_line(const char *line, size_t length, Row *row)
{
    double value[COLUMNS];
    const char *at = line, *end = line + length;
    for (int c = 0; c < COLUMNS; c++) {
        char text[40];
        size_t n = 0;
        while (at + n < end && at[n] != ',') n++;
        if (n >= sizeof text || (c + 1 < COLUMNS) != (at + n < end)) return false;
        memcpy(text, at, n);
        text[n] = '\0';
        value[c] = NAN;
        if (n > 0 && !text_to_double(text, &value[c])) return false;
        at += n + 1;
    }
    *row = (Row){value[0], value[1], value[2], value[3], value[4]};
    return row->epoch >= 1;
}

/* Rows of a text whose last line may be unfinished: the training may still run. */
static Status parse(const char *text, Metrics *metrics)
{
    size_t lines = 0;
    for (const char *c = text; *c != '\0'; c++) lines += *c == '\n';
    metrics->row = memory_new(lines, sizeof *metrics->row, "the losses");
    if (metrics->row == NULL) return STATUS_MEMORY;
    int64_t number = 1;
    for (const char *line = text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1, number++) {
        size_t length = (size_t)(end - line);
        if (number == 1 && (length != strlen(header) || strncmp(line, header, length) != 0))
            return status_fail(STATUS_DATA, "%s does not begin with the columns of a training: %s", metrics->path,
                               header);
        if (number > 1 && !parse_line(line, length, &metrics->row[metrics->n++]))
            return status_fail(STATUS_DATA, "%s:%" PRId64 ": this is no row of a training: %.*s", metrics->path, number,
                               length < 200 ? (int)length : 200, line);
    }
    return STATUS_OK;
}

/* Steps of an epoch: step s of epoch e lies in (e - 1) n < s <= e n for all rows, which bounds n from both sides. */
static double steps_an_epoch(const Metrics *metrics)
{
    double least = 1, most = INFINITY;
    for (int64_t i = 0; i < metrics->n; i++) {
        const Row *row = &metrics->row[i];
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
    Extent extent = {.low = INFINITY, .best = -1};
    for (int64_t i = 0; i < metrics->n; i++) {
        const Row *row = &metrics->row[i];
        extent.n_steps += !isnan(row->of_step);
        extent.n_epochs += !isnan(row->of_epoch);
        extent.n_valid += !isnan(row->valid);
        include(&extent, row->of_step);
        include(&extent, row->of_epoch);
        include(&extent, row->valid);
        extent.last = fmax(extent.last, isnan(row->step) ? row->epoch : row->step / per_epoch);
        if (!isnan(row->valid) && (extent.best < 0 || row->valid < metrics->row[extent.best].valid)) extent.best = i;
    }
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
            const Row *row = &metrics->row[i];
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
        const Row *best = &metrics->row[extent->best];
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
    char *path = text_format("%s/metrics.csv", folder), *text = NULL;
    if (path == NULL) return STATUS_MEMORY;
    Metrics metrics = {.path = path};
    Status status = files_read_text(path, &text);
    if (status != STATUS_OK) status_prefix(status, "--training");
    if (status == STATUS_OK) status = parse(text, &metrics);
    if (status == STATUS_OK) status = draw(plan, &metrics, folder);
    memory_free(metrics.row);
    memory_free(text);
    memory_free(path);
    return status;
}
