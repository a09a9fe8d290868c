/* A gather, its prediction and their difference side by side, as densities. */
#include "plot_private.h"

#include "seisdcn/memory.h"
#include "seisdcn/raster.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

static const struct {
    const char *name, *commands;
} palettes[] = {
    {"gray", "set palette defined (0 '#ffffff', 1 '#000000')"}, /* peaks are black, as on paper */
    {"seismic", "set palette defined (0 '#00004d', 1 '#0000ff', 2 '#ffffff', 3 '#ff0000', 4 '#800000')"},
};

static const char *palette_commands(const char *name)
{
    for (size_t i = 0; i < sizeof palettes / sizeof *palettes; i++)
        if (strcmp(palettes[i].name, name) == 0) return palettes[i].commands;
    return NULL;
}

bool plot_palette_known(const char *name) { return palette_commands(name) != NULL; }

/* Pixels that a wiggle needs beside the next one. */
static const double WIGGLE_PIXELS = 5;

/* ---- scales ---- */

/* Three digits, without an exponent where the number is of a common size. */
static const char *number_text(double value, char text[32])
{
    double size = fabs(value);
    if (size < 1e-3 || size >= 1e6)
        snprintf(text, 32, "%.3g", value);
    else
        snprintf(text, 32, "%.*f", size >= 100 ? 0 : 2 - (int)floor(log10(size)), value);
    return text;
}

/* Input and prediction share the input's scale; the difference has its own, or it would show nothing. */
static Status choose_scales(const GatherPicture *picture, GatherLayout *layout)
{
    int64_t n = picture->n_traces * picture->n_samples;
    float *work = memory_new((size_t)n, sizeof *work, "the scale of a picture");
    if (work == NULL) return STATUS_MEMORY;
    const char *common = picture->agc > 0 ? "the input's gain and scale" : "the input's scale";
    char gain[64] = "", digits[32];
    if (picture->agc > 0)
        snprintf(gain, sizeof gain, "AGC of %g %s, ", picture->agc, picture->interval_us > 0 ? "ms" : "samples");
    for (int p = 0; p < picture->n_panels; p++) {
        char *caption = layout->caption[p];
        size_t size = sizeof layout->caption[p];
        if (p == 1) {
            layout->scale[p] = layout->scale[0];
            snprintf(caption, size, "%s", common);
            continue;
        }
        double scale = raster_percentile(n, picture->gather[p], picture->clip, work);
        layout->scale[p] = scale > 0 ? scale : 1;
        if (p == 2 && scale >= layout->scale[0]) { /* a coarser scale than the input's shows less, not more */
            layout->scale[p] = layout->scale[0];
            snprintf(caption, size, "%s", common);
            continue;
        }
        if (scale == 0)
            snprintf(caption, size, "all samples are zero");
        else if (p == 0)
            snprintf(caption, size, "%s%g %% of the samples are below %s", gain, picture->clip,
                     number_text(scale, digits));
        else
            snprintf(caption, size, "its own scale: %s times the input's",
                     number_text(scale / layout->scale[0], digits));
    }
    memory_free(work);
    return STATUS_OK;
}

/* ---- frames and axes ---- */

Status plot_lay_out(const Sheet *sheet, const GatherPicture *picture, GatherLayout *layout)
{
    double em = sheet->em, label = sheet_trace_label(picture->n_traces, picture->offset);
    Status status =
        sheet_lay_panels(sheet, picture->n_panels, label, 7.4 * em, (picture->wiggle ? 2.6 : 5.7) * em, layout->frame);
    if (status != STATUS_OK) return status;
    double room = layout->frame[0].width / WIGGLE_PIXELS;
    layout->every = picture->wiggle ? (int64_t)ceil((double)picture->n_traces / room) : 1;
    layout->ms = picture->interval_us > 0 ? picture->interval_us / 1000 : 1;
    return choose_scales(picture, layout);
}

void plot_axes(Sheet *sheet, const GatherPicture *picture, const GatherLayout *layout, int p)
{
    Gnuplot *plot = &sheet->plot;
    const Frame *frame = &layout->frame[p];
    double em = sheet->em, middle = frame->x + frame->width / 2;
    sheet_frame(sheet, frame);
    sheet_text(sheet, picture->name[p], middle, frame->y - 4.4 * em, ALIGN_CENTER, 1.15);
    /* The numbers of traces are the survey's, those of the files only where none was left out. */
    const char *trace = picture->n_dropped > 0 ? "trace (of those not dead)" : "trace";
    const char *across = picture->offset == NULL ? trace : "offset";
    char text[96];
    snprintf(text, sizeof text, layout->every == 1 ? "%s" : "%s (one of %" PRId64 " is drawn)", across, layout->every);
    sheet_text(sheet, text, middle, frame->y - 2.8 * em, ALIGN_CENTER, 1);
    sheet_text(sheet, layout->caption[p], middle, frame->y + frame->height + 1.2 * em, ALIGN_CENTER, 0.95);
    if (p == 0)
        sheet_text_up(sheet, picture->interval_us > 0 ? "time (ms)" : "sample", 1.1 * em, frame->y + frame->height / 2);
    double margin = picture->wiggle ? 1.3 * (double)layout->every : 0.5; /* room for the swings at the edges */
    sheet_trace_ticks(sheet, frame, picture->n_traces, picture->offset, margin);
    gnuplot_write(plot, "set yrange [%.9g:%.9g]\nset format y '%s'\n",
                  picture->start_ms + ((double)picture->n_samples - 0.5) * layout->ms,
                  picture->start_ms - 0.5 * layout->ms, p == 0 ? "%g" : "");
    if (picture->interval_us > 0)
        gnuplot_write(plot, "set ytics autofreq out nomirror scale 0.6\n");
    else /* no halves of samples */
        gnuplot_write(plot, "set ytics %" PRId64 " out nomirror scale 0.6\n",
                      sheet_round_step((double)picture->n_samples / 12));
}

/* ---- densities ---- */

static void set_colour_bar(Sheet *sheet, const Frame *frame, double scale)
{
    double em = sheet->em, width = 0.6 * frame->width, x = frame->x + (frame->width - width) / 2;
    gnuplot_write(&sheet->plot, "set cbrange [-1:1]\nset colorbox horizontal user origin %.5f,%.5f size %.5f,%.5f\n",
                  x / sheet->width, 2.3 * em / sheet->height, width / sheet->width, 0.9 * em / sheet->height);
    char digits[32];
    number_text(scale, digits);
    gnuplot_write(&sheet->plot, "set cbtics scale 0.4 ('-%s' -1, '0' 0, '%s' 1)\n", digits, digits);
}

/* Cells for a frame: no more than its dots, at least the two that gnuplot wants for an image. */
static int64_t cells_along(int64_t n, double pixels)
{
    int64_t most = (int64_t)pixels;
    if (n > most) n = most;
    return n < 2 ? 2 : n;
}

static Status draw_panel(Sheet *sheet, const GatherPicture *picture, const GatherLayout *layout, int p, float *cells)
{
    const Frame *frame = &layout->frame[p];
    int64_t columns = cells_along(picture->n_traces, frame->width),
            rows = cells_along(picture->n_samples, frame->height);
    raster_lay(picture->n_traces, picture->n_samples, picture->gather[p], columns, rows, cells);
    for (int64_t i = 0; i < rows * columns; i++) cells[i] = (float)((double)cells[i] / layout->scale[p]);
    int64_t at = gnuplot_add_data(&sheet->plot, cells, rows * columns);
    plot_axes(sheet, picture, layout, p);
    set_colour_bar(sheet, frame, layout->scale[p]);
    double dx = (double)picture->n_traces / (double)columns;
    double dy = (double)picture->n_samples * layout->ms / (double)rows;
    gnuplot_write(&sheet->plot,
                  "plot data binary skip=%" PRId64 " array=(%" PRId64 ",%" PRId64
                  ") format='%%float' dx=%.9g dy=%.9g origin=(%.9g,%.9g) using 1 with image\n",
                  at, columns, rows, dx, dy, dx / 2 - 0.5, picture->start_ms + dy / 2 - 0.5 * layout->ms);
    sheet_end_panel(sheet);
    return STATUS_OK;
}

Status plot_gather(const SheetPlan *plan, const GatherPicture *picture)
{
    Sheet sheet;
    GatherLayout layout;
    Status status = sheet_open(&sheet, plan, picture->n_panels == 1 ? 560 : 1300, 780);
    if (status == STATUS_OK) status = plot_lay_out(&sheet, picture, &layout);
    float *cells = NULL;
    if (status == STATUS_OK) {
        cells = memory_new((size_t)(sheet.width + 2), (size_t)(sheet.height + 2) * sizeof *cells, "a picture");
        if (cells == NULL) status = STATUS_MEMORY;
    }
    if (status == STATUS_OK) {
        gnuplot_write(&sheet.plot, "%s\n", palette_commands(picture->palette));
        sheet_title(&sheet, picture->title);
    }
    for (int p = 0; p < picture->n_panels && status == STATUS_OK; p++)
        status = draw_panel(&sheet, picture, &layout, p, cells);
    if (status == STATUS_OK) status = sheet_draw(&sheet);
    sheet_close(&sheet);
    memory_free(cells);
    return status;
}
