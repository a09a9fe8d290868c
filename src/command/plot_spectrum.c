/* Spectra of a gather, its prediction and their difference: the mean over traces in one graph, and f-k below. */
#include "plot_private.h"

#include "seisdcn/memory.h"
#include "seisdcn/raster.h"
#include "seisdcn/spectrum.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* What is below the input's largest by more is not shown; FK_TRACES: fewer traces are padded with zeros, for a spectrum
 * without coarse cells. */
enum { FLOOR_DB = 60, FK_TRACES = 128 };

static const double LETTER = 0.6; /* width, in em */

static const char *const colours[PLOT_PANELS] = {"#000000", "#0060c0", "#d04000"};

static double decibel(double power) { return 10 * log10(fmax(power, 1e-100)); }

/* ---- the mean amplitude spectrum ---- */

/* amplitude [n_frequencies] of a gather: the mean of its traces' amplitude spectra. */
static void mean_spectrum(const GatherPicture *picture, int p, Spectrum *spectrum, double *amplitude)
{
    memset(amplitude, 0, (size_t)spectrum->n_frequencies * sizeof *amplitude);
    for (int64_t t = 0; t < picture->n_traces; t++) {
        for (int64_t s = 0; s < picture->n_samples; s++)
            spectrum->in[s] = (double)picture->gather[p][t * picture->n_samples + s];
        spectrum_run(spectrum);
        for (int64_t f = 0; f < spectrum->n_frequencies; f++)
            amplitude[f] += sqrt(spectrum->power[f]) / (double)picture->n_traces;
    }
}

/* One row (frequency, and a column for each panel in dB) for each frequency. */
static Status add_means(Sheet *sheet, const GatherPicture *picture, double step, int64_t *at, int64_t *n)
{
    Spectrum spectrum = {0};
    Status status = spectrum_new(1, picture->n_samples, &spectrum);
    if (status != STATUS_OK) {
        spectrum_free(&spectrum);
        return status;
    }
    *n = spectrum.n_frequencies;
    int columns = 1 + picture->n_panels;
    double *amplitude = memory_new((size_t)*n, sizeof *amplitude, "a spectrum"), largest = 0;
    float *table = memory_new((size_t)*n * (size_t)columns, sizeof *table, "a spectrum");
    if (amplitude == NULL || table == NULL) status = STATUS_MEMORY;
    for (int p = 0; p < picture->n_panels && status == STATUS_OK; p++) {
        mean_spectrum(picture, p, &spectrum, amplitude);
        for (int64_t f = 0; p == 0 && f < *n; f++) largest = fmax(largest, amplitude[f]);
        for (int64_t f = 0; f < *n; f++) {
            double ratio = largest > 0 ? amplitude[f] / largest : 0;
            table[f * columns] = (float)((double)f * step);
            table[f * columns + p + 1] = (float)decibel(ratio * ratio);
        }
    }
    if (status == STATUS_OK) *at = gnuplot_add_data(&sheet->plot, table, *n * columns);
    memory_free(amplitude);
    memory_free(table);
    spectrum_free(&spectrum);
    return status;
}

static Status draw_means(Sheet *sheet, const GatherPicture *picture, const Frame *frame, double step)
{
    Gnuplot *plot = &sheet->plot;
    bool in_hertz = picture->interval_us > 0;
    int64_t at = 0, n = 0;
    Status status = add_means(sheet, picture, step, &at, &n);
    if (status != STATUS_OK) return status;
    double em = sheet->em, middle = frame->x + frame->width / 2;
    sheet_frame(sheet, frame);
    sheet_text(sheet, "mean amplitude spectrum", frame->x, frame->y - em, ALIGN_LEFT, 1.1);
    sheet_text(sheet, in_hertz ? "frequency (Hz)" : "frequency (cycles a sample)", middle,
               frame->y + frame->height + 3.1 * em, ALIGN_CENTER, 1);
    sheet_text_up(sheet, "amplitude (dB of the input's largest)", 1.1 * em, frame->y + frame->height / 2);
    gnuplot_write(plot, "set xrange [0:%.9g]\nset yrange [%d:3]\nset xtics out nomirror\nset ytics out nomirror\n",
                  step * (double)(n - 1), -FLOOR_DB);
    gnuplot_write(plot, "set grid linecolor rgb '#e0e0e0' linetype 1\n");
    if (picture->n_panels > 1) sheet_legend(sheet, frame, picture->n_panels, picture->name, colours);
    for (int p = 0; p < picture->n_panels; p++)
        gnuplot_write(plot,
                      "%s data binary skip=%" PRId64 " record=(%" PRId64 ") format='%%%dfloat' using 1:%d with lines "
                      "linecolor rgb '%s' linewidth 1.4",
                      p == 0 ? "plot" : ",", at, n, 1 + picture->n_panels, p + 2, colours[p]);
    gnuplot_write(plot, "\nunset grid\n");
    sheet_end_panel(sheet);
    return STATUS_OK;
}

/* ---- f-k ---- */

/* power [n_traces][n_frequencies] of panel p, wavenumbers from the most negative on, over `largest` (which panel 0
 * sets). */
static void fk_power(const GatherPicture *picture, int p, Spectrum *spectrum, double *largest, float *power)
{
    int64_t n = spectrum->n_traces, m = spectrum->n_frequencies, samples = picture->n_samples;
    for (int64_t i = 0; i < picture->n_traces * samples; i++) spectrum->in[i] = (double)picture->gather[p][i];
    spectrum_run(spectrum);
    for (int64_t i = 0; p == 0 && i < n * m; i++) *largest = fmax(*largest, spectrum->power[i]);
    for (int64_t k = 0; k < n; k++)
        for (int64_t f = 0; f < m; f++) {
            double value = spectrum->power[(k + n - n / 2) % n * m + f];
            power[k * m + f] = *largest > 0 ? (float)(value / *largest) : 0;
        }
}

static void draw_fk(Sheet *sheet, const GatherPicture *picture, const Frame *frame, int p, const Spectrum *spectrum,
                    double step, int64_t at, const int64_t cells[2])
{
    Gnuplot *plot = &sheet->plot;
    double em = sheet->em, middle = frame->x + frame->width / 2, n = (double)spectrum->n_traces;
    int64_t half = spectrum->n_traces / 2;
    double first = -((double)half + 0.5) / n; /* where the first cell begins */
    double top = step * (double)spectrum->n_frequencies;
    if (p == 1) gnuplot_write(plot, "unset colorbox\n"); /* one serves all */
    sheet_frame(sheet, frame);
    sheet_text(sheet, picture->name[p], middle, frame->y - em, ALIGN_CENTER, 1.1);
    sheet_text(sheet, "wavenumber (cycles a trace)", middle, frame->y + frame->height + 3.1 * em, ALIGN_CENTER, 1);
    if (p == 0)
        sheet_text_up(sheet, picture->interval_us > 0 ? "frequency (Hz)" : "frequency (cycles a sample)", 1.1 * em,
                      frame->y + frame->height / 2);
    gnuplot_write(plot,
                  "set xrange [%.9g:%.9g]\nset yrange [0:%.9g]\nset xtics -0.4,0.2 out nomirror\nset format y '%s'\n",
                  first, first + 1, step * (double)(spectrum->n_frequencies - 1), p == 0 ? "%g" : "");
    double dx = 1 / (double)cells[0], dy = top / (double)cells[1];
    gnuplot_write(plot,
                  "plot data binary skip=%" PRId64 " array=(%" PRId64 ",%" PRId64
                  ") format='%%float' dx=%.9g dy=%.9g origin=(%.9g,%.9g) using 1 with image\n",
                  at, cells[0], cells[1], dx, dy, first + dx / 2, dy / 2 - step / 2);
    sheet_end_panel(sheet);
}

static void set_scale(Sheet *sheet)
{
    double em = sheet->em, width = fmin(sheet->width - 5 * em, 26 * em), x = (sheet->width - width) / 2;
    gnuplot_write(&sheet->plot,
                  "set palette defined (0 '#440154', 1 '#414487', 2 '#2a788e', 3 '#22a884', 4 '#7ad151', 5 '#fde725')\n"
                  "set cbrange [%d:0]\nset cbtics 20 out scale 0.4 format '%%g dB'\n",
                  -FLOOR_DB);
    gnuplot_write(&sheet->plot, "set colorbox horizontal user origin %.5f,%.5f size %.5f,%.5f\n", x / sheet->width,
                  2.4 * em / sheet->height, width / sheet->width, 0.9 * em / sheet->height);
}

static Status draw_fks(Sheet *sheet, const GatherPicture *picture, const Frame *frames, double step)
{
    int64_t n = 2 * picture->n_traces > FK_TRACES ? picture->n_traces : FK_TRACES;
    Spectrum spectrum = {0};
    Status status = spectrum_new(n, picture->n_samples, &spectrum);
    int64_t items = n * spectrum.n_frequencies, most[2] = {(int64_t)frames[0].width, (int64_t)frames[0].height};
    int64_t cells[2] = {n < most[0] ? n : most[0], spectrum.n_frequencies < most[1] ? spectrum.n_frequencies : most[1]};
    for (int i = 0; i < 2; i++)
        if (cells[i] < 2) cells[i] = 2;
    float *power = NULL, *image = NULL;
    if (status == STATUS_OK) {
        power = memory_new((size_t)items, sizeof *power, "a spectrum");
        image = memory_new((size_t)(cells[0] * cells[1]), sizeof *image, "a picture");
        if (power == NULL || image == NULL) status = STATUS_MEMORY;
    }
    double largest = 0;
    if (status == STATUS_OK) set_scale(sheet);
    for (int p = 0; p < picture->n_panels && status == STATUS_OK; p++) {
        fk_power(picture, p, &spectrum, &largest, power);
        raster_lay(n, spectrum.n_frequencies, power, cells[0], cells[1], image);
        for (int64_t i = 0; i < cells[0] * cells[1]; i++) image[i] = (float)decibel((double)image[i]);
        int64_t at = gnuplot_add_data(&sheet->plot, image, cells[0] * cells[1]);
        draw_fk(sheet, picture, &frames[p], p, &spectrum, step, at, cells);
    }
    memory_free(power);
    memory_free(image);
    spectrum_free(&spectrum);
    return status;
}

Status plot_spectrum(const SheetPlan *plan, const GatherPicture *picture)
{
    if (picture->n_samples < 2)
        return status_fail(STATUS_DATA, "%s has a single sample a trace, which has no spectrum", picture->title);
    Sheet sheet;
    Status status = sheet_open(&sheet, plan, picture->n_panels == 1 ? 560 : 1300, 900);
    if (status == STATUS_OK) {
        double em = sheet.em, height = (sheet.height - 19 * em) / 2.4;
        double step = (picture->interval_us > 0 ? 1e6 / picture->interval_us : 1) / (double)picture->n_samples;
        Frame graph, panel[PLOT_PANELS];
        status = sheet_lay_panels(&sheet, picture->n_panels, 3 * LETTER, 11.4 * em + height, 7.6 * em, panel);
        if (status == STATUS_OK)
            status = sheet_lay_panels(&sheet, 1, 3 * LETTER, 4.6 * em, 14.4 * em + 1.4 * height, &graph);
        if (status == STATUS_OK) sheet_title(&sheet, picture->title);
        if (status == STATUS_OK) status = draw_means(&sheet, picture, &graph, step);
        if (status == STATUS_OK) status = draw_fks(&sheet, picture, panel, step);
    }
    if (status == STATUS_OK) status = sheet_draw(&sheet);
    sheet_close(&sheet);
    return status;
}
