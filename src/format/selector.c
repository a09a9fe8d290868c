#include "seisdcn/selector.h"

#include "seisdcn/memory.h"
#include "seisdcn/position.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* One part of a list: positions first..last of the file, or a rectangle of inlines and crosslines. */
typedef struct {
    bool by_position;
    int64_t first, last;               /* by_position */
    int64_t inlines[2], crosslines[2]; /* else: from .. to, ends included */
} Part;

/* Reads a whole number at *text, with a minus before it where `negative` allows that, and moves behind it; false where
 * there is none or it is past 2^53. */
static bool read_number(const char **text, bool negative, int64_t *value)
{
    bool minus = negative && **text == '-';
    if (minus) ++*text;
    if (**text < '0' || **text > '9') return false;
    *value = 0;
    for (; **text >= '0' && **text <= '9'; ++*text) {
        *value = 10 * *value + (**text - '0');
        if (*value > (int64_t)1 << 53) return false;
    }
    if (minus) *value = -*value;
    return true;
}

/* Reads `a` or `a-b` at *text. Line numbers may be negative: a minus behind a number joins a range, any other is the
 * sign of the number behind it, so `-5--3` goes from -5 to -3. */
static bool read_lines(const char **text, int64_t range[2])
{
    if (!read_number(text, true, &range[0])) return false;
    range[1] = range[0];
    if (**text != '-') return true;
    ++*text;
    return read_number(text, true, &range[1]);
}

/* Reads `#a`, `#a-#b` or `#a-b`, which mean places in the file, from 0. */
static bool read_places(const char **text, int64_t range[2])
{
    if (*(*text)++ != '#' || !read_number(text, false, &range[0])) return false;
    range[1] = range[0];
    if (**text != '-') return true;
    ++*text;
    if (**text == '#') ++*text;
    return read_number(text, false, &range[1]);
}

/* Reads one part; *text then stands at its end. */
static bool read_part(const char **text, Part *part)
{
    while (**text == ' ') ++*text;
    part->by_position = **text == '#';
    int64_t range[2] = {0, 0};
    bool good;
    if (part->by_position) {
        good = read_places(text, range);
        part->first = range[0];
        part->last = range[1];
        good = good && part->first <= part->last;
    } else {
        good = read_lines(text, part->inlines) && *(*text)++ == ':' && read_lines(text, part->crosslines) &&
               part->inlines[0] <= part->inlines[1] && part->crosslines[0] <= part->crosslines[1];
    }
    while (good && **text == ' ') ++*text;
    return good && (**text == '\0' || **text == ',');
}

/* Marks what part names; returns how many. */
static int64_t mark_part(const Part *part, int64_t n, const int32_t *inlines, const int32_t *crosslines,
                         uint8_t *selected)
{
    int64_t found = 0;
    for (int64_t e = 0; e < n; e++) {
        bool inside = part->by_position ? e >= part->first && e <= part->last
                                        : position_known(inlines[e], crosslines[e]) && inlines[e] >= part->inlines[0] &&
                                              inlines[e] <= part->inlines[1] && crosslines[e] >= part->crosslines[0] &&
                                              crosslines[e] <= part->crosslines[1];
        if (!inside) continue;
        selected[e] = 1;
        found++;
    }
    return found;
}

/* What there is, for a part that names nothing. */
static void describe_stock(int64_t n, const int32_t *inlines, const int32_t *crosslines, char *text, size_t size)
{
    int32_t from[2] = {INT32_MAX, INT32_MAX}, to[2] = {INT32_MIN, INT32_MIN};
    for (int64_t e = 0; e < n; e++) {
        if (!position_known(inlines[e], crosslines[e])) continue;
        if (inlines[e] < from[0]) from[0] = inlines[e];
        if (inlines[e] > to[0]) to[0] = inlines[e];
        if (crosslines[e] < from[1]) from[1] = crosslines[e];
        if (crosslines[e] > to[1]) to[1] = crosslines[e];
    }
    int at = snprintf(text, size, "there are #0 to #%" PRId64, n - 1);
    if (from[0] > to[0])
        snprintf(text + at, size - (size_t)at, ", their inlines and crosslines are unknown");
    else
        snprintf(text + at, size - (size_t)at, ", inlines %d to %d, crosslines %d to %d", (int)from[0], (int)to[0],
                 (int)from[1], (int)to[1]);
}

Status selector_list(const char *list, int64_t n, const int32_t *inlines, const int32_t *crosslines, uint8_t *selected)
{
    memset(selected, 0, (size_t)n);
    for (const char *text = list;; text++) {
        const char *start = text;
        int length = (int)strcspn(start, ",");
        if (length > 160) length = 160;
        Part part = {0};
        if (!read_part(&text, &part))
            return status_fail(STATUS_USAGE,
                               "'%.*s' names no gather; wanted INLINE:CROSSLINE, #N, or ranges of them from low to "
                               "high, as in 1300:1400,#7,1300-1310:1400-1500,#0-#9,-5--3:-10-4",
                               length, start);
        if (mark_part(&part, n, inlines, crosslines, selected) == 0) {
            char stock[160];
            describe_stock(n, inlines, crosslines, stock, sizeof stock);
            return status_fail(STATUS_USAGE, "no gather is '%.*s'; %s", length, start, stock);
        }
        if (*text == '\0') return STATUS_OK;
    }
}

Status selector_one(const char *selector, int64_t n, const int32_t *inlines, const int32_t *crosslines,
                    int64_t *ensemble)
{
    uint8_t *selected = memory_new((size_t)n, 1, "the selection of gathers");
    if (selected == NULL) return STATUS_MEMORY;
    Status status = selector_list(selector, n, inlines, crosslines, selected);
    int64_t found = 0, second = 0;
    for (int64_t e = 0; status == STATUS_OK && e < n; e++) {
        if (!selected[e]) continue;
        if (found == 0) *ensemble = e;
        if (found == 1) second = e;
        found++;
    }
    memory_free(selected);
    if (found > 1)
        status = status_fail(STATUS_USAGE,
                             "'%.160s' names %" PRId64 " gathers (#%" PRId64 ", #%" PRId64
                             "%s); one is wanted, as in #%" PRId64,
                             selector, found, *ensemble, second, found > 2 ? ", ..." : "", *ensemble);
    return status;
}
