#include "seisdcn/log.h"

#include "seisdcn/text.h"
#include "seisdcn/timer.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BAR_WIDTH = 30 };

static bool this_process_speaks = false;
static bool only_results = false;

/* the one progress display */
static struct {
    bool active, on_terminal;
    char title[64], unit[32];
    int64_t total;
    double start, next; /* seconds of timer_now() */
    int shown;          /* columns that the bar took, to be cleared */
} progress;

void log_open(bool speaks, bool quiet)
{
    this_process_speaks = speaks;
    only_results = quiet;
}

static void clear_bar(void)
{
    if (progress.active && progress.on_terminal && progress.shown > 0) fprintf(stderr, "\r%*s\r", progress.shown, "");
    progress.shown = 0;
}

static void write_line(FILE *stream, const char *before, const char *format, va_list arguments)
{
    char *line = NULL; /* names and histories of strangers' files are shown too */
    clear_bar();
    if (vasprintf(&line, format, arguments) < 0) return;
    fprintf(stream, "%s%s\n", before, text_printable(line));
    free(line);
    fflush(stream);
}

void log_note(const char *format, ...)
{
    if (!this_process_speaks || only_results) return;
    va_list arguments;
    va_start(arguments, format);
    write_line(stderr, "", format, arguments);
    va_end(arguments);
}

void log_warning(const char *format, ...)
{
    if (!this_process_speaks) return;
    va_list arguments;
    va_start(arguments, format);
    write_line(stderr, "warning: ", format, arguments);
    va_end(arguments);
}

void log_result(const char *format, ...)
{
    if (!this_process_speaks) return;
    va_list arguments;
    va_start(arguments, format);
    write_line(stdout, "", format, arguments);
    va_end(arguments);
}

void log_progress_start(const char *title, int64_t total, const char *unit)
{
    memset(&progress, 0, sizeof progress);
    progress.active = this_process_speaks && !only_results && total > 0;
    progress.on_terminal = isatty(STDERR_FILENO) == 1;
    snprintf(progress.title, sizeof progress.title, "%s", title);
    snprintf(progress.unit, sizeof progress.unit, "%s%s", unit, log_plural(total, unit));
    progress.total = total;
    progress.start = timer_now();
    progress.next = progress.start + (progress.on_terminal ? 0.2 : 30.0);
}

void log_progress(int64_t done, const char *detail)
{
    double now = timer_now();
    if (!progress.active || now < progress.next) return;
    if (done > progress.total) done = progress.total;
    double fraction = (double)done / (double)progress.total;
    char left[32] = "?", spent[32], count[32], total[32];
    if (done > 0) log_duration((now - progress.start) * (1 - fraction) / fraction, left);
    log_duration(now - progress.start, spent);
    log_count(done, count);
    log_count(progress.total, total);
    const char *extra = detail == NULL ? "" : detail, *comma = detail == NULL ? "" : ", ";
    if (progress.on_terminal) {
        char bar[BAR_WIDTH + 1];
        int filled = (int)(fraction * BAR_WIDTH);
        for (int i = 0; i < BAR_WIDTH; i++) bar[i] = i < filled ? '#' : '.';
        bar[BAR_WIDTH] = '\0';
        clear_bar();
        progress.shown =
            fprintf(stderr, "%s [%s] %3.0f %%, %s left%s%s", progress.title, bar, 100 * fraction, left, comma, extra);
        fflush(stderr);
        progress.next = now + 0.2;
    } else {
        fprintf(stderr, "%s: %s of %s %s, %s so far, %s left%s%s\n", progress.title, count, total, progress.unit, spent,
                left, comma, extra);
        fflush(stderr);
        double wait = (now - progress.start) / 4; /* ever rarer: a day's run stays readable */
        progress.next = now + (wait < 30 ? 30 : wait > 1800 ? 1800 : wait);
    }
}

void log_progress_end(void)
{
    clear_bar();
    progress.active = false;
}

char *log_duration(double seconds, char *text)
{
    int64_t whole = (int64_t)(seconds + 0.5);
    if (whole < 60)
        snprintf(text, 32, "%" PRId64 " s", whole);
    else if (whole < 3600)
        snprintf(text, 32, "%" PRId64 ":%02" PRId64, whole / 60, whole % 60);
    else
        snprintf(text, 32, "%" PRId64 ":%02" PRId64 ":%02" PRId64, whole / 3600, whole / 60 % 60, whole % 60);
    return text;
}

char *log_bytes(double bytes, char *text)
{
    static const char *const unit[] = {"B", "kB", "MB", "GB", "TB", "PB"};
    int i = 0;
    while (bytes >= 1000 && i < 5) {
        bytes /= 1000;
        i++;
    }
    snprintf(text, 32, i == 0 ? "%.0f %s" : "%.1f %s", bytes, unit[i]);
    return text;
}

char *log_count(int64_t count, char *text)
{
    char digits[32];
    int length = snprintf(digits, sizeof digits, "%" PRId64, count), at = 0;
    for (int i = 0; i < length && at < 30; i++) {
        text[at++] = digits[i];
        int behind = length - 1 - i;
        if (digits[i] != '-' && behind > 0 && behind % 3 == 0) text[at++] = ',';
    }
    text[at] = '\0';
    return text;
}

const char *log_plural(int64_t count, const char *one)
{
    size_t length = strlen(one);
    bool hisses = length > 1 && (one[length - 1] == 's' || one[length - 1] == 'x' ||
                                 (one[length - 1] == 'h' && (one[length - 2] == 'c' || one[length - 2] == 's')));
    return count == 1 ? "" : hisses ? "es" : "s";
}

char *log_things(int64_t count, const char *one, char *text)
{
    char digits[32];
    snprintf(text, LOG_THINGS_MAX, "%s %.28s%s", log_count(count, digits), one, log_plural(count, one));
    return text;
}
