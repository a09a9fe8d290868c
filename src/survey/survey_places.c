#include "seisdcn/survey_places.h"

#include "seisdcn/log.h"
#include "seisdcn/memory.h"

#include <stdlib.h>

static int compare_places(const void *a, const void *b)
{
    const SurveyPlace *p = a, *q = b;
    if (p->survey_line != q->survey_line) return p->survey_line < q->survey_line ? -1 : 1;
    if (p->line != q->line) return p->line < q->line ? -1 : 1;
    if (p->crossline != q->crossline) return p->crossline < q->crossline ? -1 : 1;
    return (p->ensemble > q->ensemble) - (p->ensemble < q->ensemble);
}

Status survey_places(const Survey *survey, SurveyPlace **place, int64_t *n)
{
    *n = 0;
    *place = memory_new((size_t)survey->n_ensembles, sizeof **place, "the positions of the gathers");
    if (*place == NULL) return STATUS_MEMORY;
    for (int64_t e = 0; e < survey->n_ensembles; e++)
        if (position_known(survey->inlines[e], survey->crosslines[e]))
            (*place)[(*n)++] = (SurveyPlace){survey->lines == NULL ? 0 : survey->lines[e], survey->inlines[e],
                                             survey->crosslines[e], e};
    qsort(*place, (size_t)*n, sizeof **place, compare_places);
    return STATUS_OK;
}

bool survey_place_same_inline(const SurveyPlace *a, const SurveyPlace *b)
{
    return a->survey_line == b->survey_line && a->line == b->line;
}

bool survey_place_same(const SurveyPlace *a, const SurveyPlace *b)
{
    return survey_place_same_inline(a, b) && a->crossline == b->crossline;
}

/* Whether the gathers from `from` on have one position up to the end of their 2D line, of which they are the first. */
static bool is_common(const SurveyPlace *place, int64_t n, int64_t from)
{
    if (from > 0 && place[from - 1].survey_line == place[from].survey_line) return false;
    int64_t end = from;
    while (end < n && survey_place_same(&place[from], &place[end])) end++;
    return end == n || place[end].survey_line != place[from].survey_line;
}

static Status find_units(const Survey *survey, bool common, int64_t **first)
{
    int64_t n;
    SurveyPlace *place;
    Status status = survey_places(survey, &place, &n);
    *first = memory_new((size_t)survey->n_ensembles, sizeof **first, "the positions of the gathers");
    if (status == STATUS_OK && *first == NULL) status = STATUS_MEMORY;
    for (int64_t e = 0; status == STATUS_OK && e < survey->n_ensembles; e++) (*first)[e] = e;
    bool apart = false;
    for (int64_t i = 0, start = 0; status == STATUS_OK && i < n; i++) {
        if (i == 0 || !survey_place_same(&place[start], &place[i])) {
            start = i;
            apart = !common && n == survey->n_ensembles && is_common(place, n, i);
        }
        if (!apart) (*first)[place[i].ensemble] = place[start].ensemble;
    }
    memory_free(place);
    if (status == STATUS_OK) return STATUS_OK;
    memory_free(*first);
    *first = NULL;
    return status;
}

Status survey_place_units(const Survey *survey, int64_t **first) { return find_units(survey, true, first); }

Status survey_split_units(const Survey *survey, int64_t **first) { return find_units(survey, false, first); }

void survey_warn_repeats(int64_t n, const char *thing, const char *what, const char *first, const char *then)
{
    char count[LOG_THINGS_MAX];
    log_warning("%s %s %s of an earlier one, the first: %s; all are kept%s", log_things(n, thing, count),
                n == 1 ? "repeats" : "repeat", what, first, then);
}
