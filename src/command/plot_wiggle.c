/* The same as wiggles: a line for each trace, its peaks filled. */
#include "plot_private.h"

#include "seisdcn/memory.h"
#include "seisdcn/raster.h"

#include <inttypes.h>
#include <math.h>

/* How far a clipped peak swings, in traces as they are drawn. */
static const double SWING = 1.3;

typedef struct {
    int64_t n_samples;  /* of a trace as it is drawn */
    int64_t every;      /* which traces are: each every-th */
    double first, step; /* time of the first sample, and from one to the next */
    float *trace;       /* [n_samples], over the scale */
} Pen;

static double swing_of(float value) { return fmax(-SWING, fmin((double)value, SWING)); }

/* x of a value beside trace t. */
static double place(const Pen *pen, int64_t t, double value) { return (double)t + (double)pen->every * value; }

static Status pick_up_pen(const GatherPicture *picture, const GatherLayout *layout, Pen *pen)
{
    const Frame *frame = &layout->frame[0];
    int64_t most = 2 * (int64_t)frame->height, n = picture->n_samples;
    pen->n_samples = n > most ? most : n;
    pen->every = layout->every;
    pen->step = (double)n * layout->ms / (double)pen->n_samples;
    pen->first = picture->start_ms + pen->step / 2 - layout->ms / 2;
    pen->trace = memory_new((size_t)pen->n_samples, sizeof *pen->trace, "a picture");
    return pen->trace == NULL ? STATUS_MEMORY : STATUS_OK;
}

static void load_trace(const GatherPicture *picture, const GatherLayout *layout, int p, int64_t t, Pen *pen)
{
    raster_lay(1, picture->n_samples, picture->gather[p] + t * picture->n_samples, 1, pen->n_samples, pen->trace);
    for (int64_t s = 0; s < pen->n_samples; s++) pen->trace[s] = (float)((double)pen->trace[s] / layout->scale[p]);
}

/* The line of a trace, ended by an empty line. */
static void write_line(FILE *file, const Pen *pen, int64_t t)
{
    for (int64_t s = 0; s < pen->n_samples; s++)
        fprintf(file, "%.4f %.9g\n", place(pen, t, swing_of(pen->trace[s])), pen->first + pen->step * (double)s);
    fputc('\n', file);
}

/* Where the trace is above zero, from crossing to crossing, as one closed line along the axis. */
static void write_peaks(FILE *file, const Pen *pen, int64_t t)
{
    double before = 0;
    for (int64_t s = 0; s < pen->n_samples; s++) {
        double value = swing_of(pen->trace[s]), time = pen->first + pen->step * (double)s;
        if (s == 0) fprintf(file, "%" PRId64 " %.9g\n", t, time);
        if (s > 0 && before == 0 && value > 0) fprintf(file, "%" PRId64 " %.9g\n", t, time - pen->step);
        if (before * value < 0) fprintf(file, "%" PRId64 " %.9g\n", t, time - pen->step * value / (value - before));
        if (value > 0) fprintf(file, "%.4f %.9g\n", place(pen, t, value), time);
        if (value <= 0 && before > 0) fprintf(file, "%" PRId64 " %.9g\n", t, time);
        if (s + 1 == pen->n_samples) fprintf(file, "%" PRId64 " %.9g\n", t, time);
        before = value;
    }
    fputc('\n', file);
}

/* Two data sets a panel: peaks, lines. */
static void write_panel(Sheet *sheet, const GatherPicture *picture, const GatherLayout *layout, int p, Pen *pen)
{
    FILE *file = sheet->plot.data_file;
    for (int kind = 0; kind < 2; kind++) {
        for (int64_t t = 0; t < picture->n_traces; t += pen->every) {
            load_trace(picture, layout, p, t, pen);
            if (kind == 0)
                write_peaks(file, pen, t);
            else
                write_line(file, pen, t);
        }
        fputc('\n', file); /* two empty lines end a data set */
    }
    plot_axes(sheet, picture, layout, p);
    gnuplot_write(&sheet->plot,
                  "plot data index %d with filledcurves closed fillcolor rgb 'black' fillstyle solid 1 noborder, "
                  "data index %d with lines linecolor rgb 'black' linewidth %.3g\n",
                  2 * p, 2 * p + 1, sheet->em / 27);
    sheet_end_panel(sheet);
}

Status plot_wiggle(const SheetPlan *plan, const GatherPicture *picture)
{
    Sheet sheet;
    GatherLayout layout;
    Pen pen = {0};
    Status status = sheet_open(&sheet, plan, picture->n_panels == 1 ? 560 : 1300, 780);
    if (status == STATUS_OK) status = plot_lay_out(&sheet, picture, &layout);
    if (status == STATUS_OK) status = pick_up_pen(picture, &layout, &pen);
    if (status == STATUS_OK) {
        sheet_title(&sheet, picture->title);
        for (int p = 0; p < picture->n_panels; p++) write_panel(&sheet, picture, &layout, p, &pen);
        status = sheet_draw(&sheet);
    }
    sheet_close(&sheet);
    memory_free(pen.trace);
    return status;
}
