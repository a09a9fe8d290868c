/* log: what the user sees while a command runs. Rank 0 speaks, the other ranks are silent; --quiet silences all but
 * results. Results go to standard output, everything else to standard error. Errors are main's, see status.h. */
#ifndef SEISDCN_LOG_H
#define SEISDCN_LOG_H

#include <stdbool.h>
#include <stdint.h>

/* Says who speaks: only a process with speaks = true writes anything, and with quiet = true only results. Local. */
void log_open(bool speaks, bool quiet);

/* A line for the user on standard error: what is being done, a summary, a hint. Local. A newline is added. */
void log_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Like log_note, with "warning: " before it; --quiet does not silence it. Local. */
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A line of the command's result on standard output. Local. A newline is added. */
void log_result(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Starts a progress display of `total` items, each called `unit` ("gather"): a bar on a terminal, a line now and then
 * in a log file. Local. One display at a time. */
void log_progress_start(const char *title, int64_t total, const char *unit);

/* Shows that `done` items are done, at most a few times a second; `detail` ("loss 0.0123") may be NULL. Local. */
void log_progress(int64_t done, const char *detail);

/* Ends the display: clears the bar. Local. */
void log_progress_end(void);

/* Writes seconds as "47 s", "12:03" or "3:04:05" into text (at least 32 bytes) and returns it. Pure. */
char *log_duration(double seconds, char *text);

/* Writes bytes as "12.3 MB" (powers of 1000) into text (at least 32 bytes) and returns it. Pure. */
char *log_bytes(double bytes, char *text);

/* Writes a count with a comma every three digits ("1,764,000") into text (at least 32 bytes), returns it. Pure. */
char *log_count(int64_t count, char *text);

enum { LOG_THINGS_MAX = 64 };

/* Writes a count and what is counted, given its word for one: "1 gather", "1,764 gathers", "0 patches"; into text
 * (LOG_THINGS_MAX bytes), returns it. Pure. */
char *log_things(int64_t count, const char *one, char *text);

/* What makes the word for one the word for `count`: "", "s", or "es" behind a hissing sound ("patch"). Pure. */
const char *log_plural(int64_t count, const char *one);

#endif
