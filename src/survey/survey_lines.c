#include "seisdcn/survey_lines.h"

#include "seisdcn/memory.h"
#include "seisdcn/selector.h"
#include "seisdcn/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool survey_same_line(const Survey *survey, int64_t a, int64_t b)
{
    return survey->lines == NULL || survey->lines[a] == survey->lines[b];
}

/* ---- choosing ---- */

/* Leaves the ensembles of one line; returns how many. */
static int64_t keep_line(const Survey *survey, int64_t line, uint8_t *selected)
{
    int64_t n = 0;
    for (int64_t e = 0; e < survey->n_ensembles; e++) {
        if (survey->lines[e] != line) selected[e] = 0;
        n += selected[e];
    }
    return n;
}

/* The numbers of the lines, the first few, "1, 2"; text holds 96 bytes. */
static char *name_lines(const Survey *survey, char *text)
{
    enum { SHOWN = 5 };
    int32_t seen[SHOWN];
    int n = 0, at = 0;
    text[0] = '\0';
    for (int64_t e = 0; e < survey->n_ensembles; e++) {
        int i = 0;
        while (i < n && seen[i] != survey->lines[e]) i++;
        if (i < n) continue;
        if (n == SHOWN) {
            snprintf(text + at, 96 - (size_t)at, " ...");
            break;
        }
        seen[n++] = survey->lines[e];
        at += snprintf(text + at, 96 - (size_t)at, "%s%" PRId32, n > 1 ? ", " : "", survey->lines[e]);
    }
    return text;
}

/* One part of a list, "2/1300:1400" or "1300:1400"; the part's own text, which is cut at the slash. */
static Status select_part(const Survey *survey, char *part, uint8_t *selected)
{
    char *slash = strchr(part, '/'), lines[96];
    int64_t line, n = survey->n_ensembles;
    if (slash == NULL) return selector_list(part, n, survey->inlines, survey->crosslines, selected);
    *slash = '\0';
    while (*part == ' ') part++;
    const char *rest = slash + 1;
    if (!text_to_int(part, &line))
        return status_fail(STATUS_USAGE, "'%.80s/%.80s': a line is a number, as in 2/1300:1400", part, rest);
    if (survey->lines == NULL)
        return status_fail(STATUS_USAGE, "'%s/%.80s': %s has one line; leave out '%s/'", part, rest, survey->path,
                           part);
    memset(selected, 1, (size_t)n);
    Status status = STATUS_OK;
    if (strcmp(rest, "*") != 0) status = selector_list(rest, n, survey->inlines, survey->crosslines, selected);
    if (status != STATUS_OK || keep_line(survey, line, selected) > 0) return status;
    return status_fail(STATUS_USAGE, "no gather of line %s is '%.80s'; there are lines %s", part, rest,
                       name_lines(survey, lines));
}

Status survey_select(const Survey *survey, const char *list, uint8_t *selected)
{
    size_t n = (size_t)survey->n_ensembles;
    if (strchr(list, '/') == NULL)
        return selector_list(list, survey->n_ensembles, survey->inlines, survey->crosslines, selected);
    char *text = text_copy(list);
    uint8_t *part = memory_new(n, 1, "the selected gathers");
    Status status = text == NULL || part == NULL ? STATUS_MEMORY : STATUS_OK;
    memset(selected, 0, n);
    for (char *at = text, *next; at != NULL && status == STATUS_OK; at = next) {
        next = strchr(at, ',');
        if (next != NULL) *next++ = '\0';
        status = select_part(survey, at, part);
        for (size_t e = 0; e < n && status == STATUS_OK; e++) selected[e] |= part[e];
    }
    memory_free(text);
    memory_free(part);
    return status;
}

Status survey_select_one(const Survey *survey, const char *selector, int64_t *ensemble)
{
    int64_t n = survey->n_ensembles, found = 0;
    char first[96];
    if (survey->lines == NULL && strchr(selector, '/') == NULL)
        return selector_one(selector, n, survey->inlines, survey->crosslines, ensemble);
    uint8_t *selected = memory_new((size_t)n, 1, "the selected gathers");
    if (selected == NULL) return STATUS_MEMORY;
    Status status = survey_select(survey, selector, selected);
    for (int64_t e = 0; e < n && status == STATUS_OK; e++)
        if (selected[e] && found++ == 0) *ensemble = e;
    memory_free(selected);
    if (status != STATUS_OK || found == 1) return status;
    return status_fail(STATUS_USAGE,
                       "'%.160s' names %" PRId64 " gathers, the first: %s; one is wanted, as in #%" PRId64, selector,
                       found, survey_ensemble_name(survey, *ensemble, first), *ensemble);
}

/* ---- inlines ---- */

typedef struct {
    int32_t line, inline_;
    int64_t ensemble;
} Place;

static int compare(const void *a, const void *b)
{
    const Place *x = a, *y = b;
    if (x->line != y->line) return x->line < y->line ? -1 : 1;
    if (x->inline_ != y->inline_) return x->inline_ < y->inline_ ? -1 : 1;
    return 0;
}

Status survey_inline_units(const Survey *survey, int32_t **units)
{
    size_t n = (size_t)survey->n_ensembles;
    *units = memory_new(n, sizeof **units, "the inlines of the gathers");
    if (*units == NULL) return STATUS_MEMORY;
    memcpy(*units, survey->inlines, n * sizeof **units);
    if (survey->lines == NULL) return STATUS_OK;
    Place *place = memory_new(n, sizeof *place, "the inlines of the gathers");
    if (place == NULL) {
        memory_free(*units);
        return STATUS_MEMORY;
    }
    for (size_t e = 0; e < n; e++) place[e] = (Place){survey->lines[e], survey->inlines[e], (int64_t)e};
    qsort(place, n, sizeof *place, compare);
    for (size_t i = 0, unit = 0; i < n; i++) {
        if (i > 0 && compare(&place[i - 1], &place[i]) != 0) unit++;
        (*units)[place[i].ensemble] = (int32_t)unit;
    }
    memory_free(place);
    return STATUS_OK;
}
