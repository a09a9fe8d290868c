/* The sheet of a picture: letters, frames and ticks, in pixels. */
#include "plot_private.h"

#include "seisdcn/memory.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* Letters of this font are on average so many of its heights wide. */
static const double LETTER_WIDTH = 0.6;

static const double POINTS = 10, PIXELS_A_POINT = 4.0 / 3;

Status sheet_open(Sheet *sheet, const SheetPlan *plan, double width, double height)
{
    memset(sheet, 0, sizeof *sheet);
    sheet->width = plan->width > 0 ? (double)plan->width : width;
    sheet->height = plan->height > 0 ? (double)plan->height : height;
    double factor = fmin(sheet->width / width, sheet->height / height);
    factor = fmax(0.65, fmin(factor, 6)); /* small letters than that nobody reads */
    sheet->em = factor * POINTS * PIXELS_A_POINT;
    Status status = gnuplot_open(&sheet->plot, plan->output, plan->script, (int64_t)sheet->width,
                                 (int64_t)sheet->height, factor * POINTS);
    if (status == STATUS_OK) gnuplot_write(&sheet->plot, "unset key\nset multiplot\n");
    return status;
}

Status sheet_draw(Sheet *sheet)
{
    gnuplot_write(&sheet->plot, "unset multiplot\n");
    return gnuplot_draw(&sheet->plot);
}

void sheet_close(Sheet *sheet) { gnuplot_close(&sheet->plot); }

static void put_text(Sheet *sheet, const char *text, double x, double y, const char *how, double scale)
{
    char quoted[2 * GNUPLOT_TEXT_MAX];
    gnuplot_write(&sheet->plot, "set label %s at screen %.5f,%.5f %s font ',%.3g' front\n", gnuplot_quote(text, quoted),
                  x / sheet->width, 1 - y / sheet->height, how,
                  scale * sheet->em / PIXELS_A_POINT * sheet->plot.font_scale);
}

void sheet_text(Sheet *sheet, const char *text, double x, double y, Align align, double scale)
{
    static const char *const words[] = {"left", "center", "right"};
    put_text(sheet, text, x, y, words[align], scale);
}

void sheet_text_up(Sheet *sheet, const char *text, double x, double y)
{
    put_text(sheet, text, x, y, "center rotate by 90", 1);
}

/* The bytes of text that make `letters` letters; a letter may be several bytes of UTF-8. */
static size_t bytes_of(const char *text, size_t letters)
{
    size_t at = 0;
    for (size_t n = 0; text[at] != '\0'; at++)
        if (((unsigned char)text[at] & 0xc0) != 0x80 && n++ == letters) break;
    return at;
}

static size_t count_letters(const char *text)
{
    size_t letters = 0;
    for (; *text != '\0'; text++) letters += ((unsigned char)*text & 0xc0) != 0x80;
    return letters;
}

void sheet_title(Sheet *sheet, const char *title)
{
    const double scale = 1.3;
    size_t room = (size_t)((sheet->width - 2 * sheet->em) / (scale * LETTER_WIDTH * sheet->em)),
           letters = count_letters(title);
    char text[PLOT_TITLE_MAX + 8];
    if (letters <= room) {
        snprintf(text, sizeof text, "%s", title);
    } else { /* the file's name gives way: the position, at the end, is what tells the picture */
        size_t tail = room > 40 ? room * 3 / 4 : room - 2, head = room > tail + 2 ? room - tail - 2 : 0;
        snprintf(text, sizeof text, "%.*s…%s", (int)bytes_of(title, head), title,
                 title + bytes_of(title, letters - tail));
    }
    sheet_text(sheet, text, sheet->width / 2, 1.3 * sheet->em, ALIGN_CENTER, scale);
}

Status sheet_lay_panels(const Sheet *sheet, int n, double label, double top, double bottom, Frame *frames)
{
    double em = sheet->em, left = 5.6 * em, right = fmax(1.6, label / 2 + 0.4) * em;
    double gap = n > 1 ? fmax(1.8, label + 0.8) * em : 0, least[2] = {21 * em, 8 * em};
    double width = (sheet->width - left - right - (n - 1) * gap) / n, height = sheet->height - top - bottom;
    if (width < least[0] || height < least[1])
        return status_fail(STATUS_USAGE,
                           "%.0f x %.0f pixels are too few for this picture: at least %.0f x %.0f are needed",
                           sheet->width, sheet->height, ceil(sheet->width + n * fmax(0, least[0] - width)),
                           ceil(sheet->height + fmax(0, least[1] - height)));
    for (int p = 0; p < n; p++) frames[p] = (Frame){left + p * (width + gap), top, width, height};
    return STATUS_OK;
}

void sheet_frame(Sheet *sheet, const Frame *frame)
{
    gnuplot_write(&sheet->plot, "set lmargin at screen %.5f\nset rmargin at screen %.5f\n", frame->x / sheet->width,
                  (frame->x + frame->width) / sheet->width);
    gnuplot_write(&sheet->plot, "set tmargin at screen %.5f\nset bmargin at screen %.5f\n",
                  1 - frame->y / sheet->height, 1 - (frame->y + frame->height) / sheet->height);
}

void sheet_legend(Sheet *sheet, const Frame *frame, int n, const char *const *names, const char *const *colours)
{
    double right = frame->x + frame->width;
    for (int i = n - 1; i >= 0; i--) {
        char text[160], how[64];
        snprintf(text, sizeof text, "━━ %s", names[i]);
        snprintf(how, sizeof how, "right textcolor rgb '%s'", colours[i]);
        put_text(sheet, text, right, frame->y - sheet->em, how, 1);
        right -= ((double)count_letters(text) * LETTER_WIDTH + 2) * sheet->em;
    }
}

void sheet_end_panel(Sheet *sheet) { gnuplot_write(&sheet->plot, "unset label\n"); }

int64_t sheet_round_step(double least)
{
    int64_t decade = 1;
    while ((double)decade * 10 <= least) decade *= 10;
    for (int i = 0; i < 3; i++) {
        static const int parts[] = {1, 2, 5};
        if ((double)(parts[i] * decade) >= least) return parts[i] * decade;
    }
    return 10 * decade;
}

double sheet_trace_label(int64_t n_traces, const float *offset)
{
    int longest = offset != NULL ? 1 : snprintf(NULL, 0, "%" PRId64, n_traces - 1);
    for (int64_t t = 0; offset != NULL && t < n_traces; t++) {
        int length = snprintf(NULL, 0, "%.6g", (double)offset[t]);
        if (length > longest) longest = length;
    }
    return longest * LETTER_WIDTH;
}

void sheet_trace_ticks(Sheet *sheet, const Frame *frame, int64_t n_traces, const float *offset, double margin)
{
    char label[64];
    double room = frame->width / ((sheet_trace_label(n_traces, offset) + 0.9) * sheet->em); /* labels side by side */
    int64_t step = sheet_round_step((double)n_traces / fmax(1, fmin(room, 10)));
    gnuplot_write(&sheet->plot,
                  "unset xtics\nset xrange [%.9g:%.9g]\nset x2range [%.9g:%.9g]\nset x2tics out scale 0.6 (", -margin,
                  (double)(n_traces - 1) + margin, -margin, (double)(n_traces - 1) + margin);
    for (int64_t t = 0; t < n_traces; t += step) {
        if (offset == NULL)
            snprintf(label, sizeof label, "%" PRId64, t);
        else
            snprintf(label, sizeof label, "%.6g", (double)offset[t]);
        gnuplot_write(&sheet->plot, "%s'%s' %" PRId64, t == 0 ? "" : ", ", label, t);
    }
    gnuplot_write(&sheet->plot, ")\n");
}
