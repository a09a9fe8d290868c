/* Private to the plot command: the sheet that a picture is drawn on, and the pictures. All of it is rank 0's work. */
#ifndef SEISDCN_PLOT_PRIVATE_H
#define SEISDCN_PLOT_PRIVATE_H

#include "seisdcn/gnuplot.h"
#include "seisdcn/status.h"

#include <stdbool.h>
#include <stdint.h>

enum { PLOT_PANELS = 3, PLOT_TITLE_MAX = 1024 };

/* ---- plot_sheet.c: positions are in pixels, from the sheet's upper left corner ---- */

typedef struct {
    Gnuplot plot;
    double width, height;
    double em; /* height of a line of text, by which everything but the panels is measured */
} Sheet;

typedef struct {
    double x, y, width, height;
} Frame;

typedef enum { ALIGN_LEFT, ALIGN_CENTER, ALIGN_RIGHT } Align;

/* What the user asked for, whatever the picture. */
typedef struct {
    const char *output, *script; /* script: NULL where it is not kept */
    int64_t width, height;       /* 0: the picture's own */
} SheetPlan;

/* Starts a sheet; its own size, of which the letters are made for, stands where the user gives none. STATUS_IO,
 * STATUS_MEMORY. */
Status sheet_open(Sheet *sheet, const SheetPlan *plan, double width, double height);

/* Ends the script and draws it; sheet_close() follows in any case. STATUS_IO. */
Status sheet_draw(Sheet *sheet);
void sheet_close(Sheet *sheet);

/* The title line, shortened in its middle where it is too long. Takes 2.2 em. */
void sheet_title(Sheet *sheet, const char *title);

/* A text at (x, y), its middle at y; scale times the size of the letters. It stands with the next panel's plot. */
void sheet_text(Sheet *sheet, const char *text, double x, double y, Align align, double scale);

/* The same upwards, for a vertical axis. */
void sheet_text_up(Sheet *sheet, const char *text, double x, double y);

/* n frames side by side between top and bottom margins; label is the width of a tick's label in em. STATUS_USAGE where
 * the sheet is too small for what stands around them. */
Status sheet_lay_panels(const Sheet *sheet, int n, double label, double top, double bottom, Frame *frames);

/* Puts the next plot into this frame. */
void sheet_frame(Sheet *sheet, const Frame *frame);

/* What the lines in a frame are, above it to the right: n names in their colours ("#rrggbb"). */
void sheet_legend(Sheet *sheet, const Frame *frame, int n, const char *const *names, const char *const *colours);

/* Ends a panel: its texts do not belong to the next one. */
void sheet_end_panel(Sheet *sheet);

/* The ticks of n_traces traces along the upper edge, numbered from 0 or, where offset [n_traces] is given, by their
 * offsets; as many as the frame has room for. The axis goes `margin` traces beyond the first and the last one. */
void sheet_trace_ticks(Sheet *sheet, const Frame *frame, int64_t n_traces, const float *offset, double margin);

/* The width of the longest of their labels, in em. */
double sheet_trace_label(int64_t n_traces, const float *offset);

/* The least of 1, 2, 5, 10, 20, ... that is not below `least`: a step from tick to tick. */
int64_t sheet_round_step(double least);

/* ---- the pictures ---- */

/* A gather, or a gather with its prediction and their difference. */
typedef struct {
    char title[PLOT_TITLE_MAX];
    int64_t n_traces, n_samples;
    double interval_us;               /* 0: unknown */
    double start_ms;                  /* time of the first sample; 0 where the interval is unknown */
    int n_panels;                     /* 1 or PLOT_PANELS */
    const float *gather[PLOT_PANELS]; /* [n_traces][n_samples] each: input, prediction, difference */
    const char *name[PLOT_PANELS];    /* of the panels */
    const float *offset;              /* [n_traces], NULL: unknown */
    int64_t n_dropped;                /* dead traces that the survey left out of the gather */
    double clip;                      /* percentile */
    double agc;                       /* window in ms (samples where the interval is unknown), 0: none */
    const char *palette;
    bool wiggle;
} GatherPicture;

/* Whether there is a palette of this name. */
bool plot_palette_known(const char *name);

/* The gathers as images of density (plot_gather.c), as wiggles (plot_wiggle.c), or their spectra (plot_spectrum.c).
 * STATUS_IO, STATUS_MEMORY; STATUS_USAGE where the program has no FFTW. */
Status plot_gather(const SheetPlan *plan, const GatherPicture *picture);
Status plot_wiggle(const SheetPlan *plan, const GatherPicture *picture);
Status plot_spectrum(const SheetPlan *plan, const GatherPicture *picture);

/* The loss curves of a training's folder (plot_training.c). STATUS_IO; STATUS_DATA where metrics.csv is no metrics or
 * holds no loss yet. */
Status plot_training(const SheetPlan *plan, const char *folder);

/* What plot_gather() and plot_wiggle() have in common: the frames, their axes, the scales. */
typedef struct {
    Frame frame[PLOT_PANELS];
    int64_t every;                  /* of the traces as wiggles are drawn; 1: all */
    double scale[PLOT_PANELS];      /* the amplitude at the end of the colours, above 0 */
    char caption[PLOT_PANELS][160]; /* says it */
    double ms;                      /* from one sample to the next: ms, or 1 (samples) */
} GatherLayout;

/* Chooses scales and frames. STATUS_MEMORY, STATUS_USAGE (see sheet_lay_panels()). */
Status plot_lay_out(const Sheet *sheet, const GatherPicture *picture, GatherLayout *layout);

/* Everything of panel p but its samples: frame, names, ticks, caption. */
void plot_axes(Sheet *sheet, const GatherPicture *picture, const GatherLayout *layout, int p);

#endif
