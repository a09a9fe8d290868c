#include "seisdcn/neighbours.h"

#include "seisdcn/log.h"
#include "seisdcn/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    int32_t survey_line, line, crossline;
    int64_t ensemble;
} Place;

static int compare_places(const void *a, const void *b)
{
    const Place *p = a, *q = b;
    if (p->survey_line != q->survey_line) return p->survey_line < q->survey_line ? -1 : 1;
    if (p->line != q->line) return p->line < q->line ? -1 : 1;
    if (p->crossline != q->crossline) return p->crossline < q->crossline ? -1 : 1;
    return (p->ensemble > q->ensemble) - (p->ensemble < q->ensemble);
}

/* The places of the gathers whose position is known, in order; *n of them. To be freed. */
static Place *sort_places(const Survey *survey, int64_t *n)
{
    Place *place = memory_new((size_t)survey->n_ensembles, sizeof *place, "the order of the gathers on their lines");
    *n = 0;
    for (int64_t e = 0; place != NULL && e < survey->n_ensembles; e++)
        if (position_known(survey->inlines[e], survey->crosslines[e]))
            place[(*n)++] =
                (Place){survey->lines == NULL ? 0 : survey->lines[e], survey->inlines[e], survey->crosslines[e], e};
    if (place != NULL) qsort(place, (size_t)*n, sizeof *place, compare_places);
    return place;
}

static void link_places(const Place *place, int64_t n, Neighbours *neighbours)
{
    for (int64_t i = 1; i < n; i++) {
        if (place[i].survey_line != place[i - 1].survey_line || place[i].line != place[i - 1].line) continue;
        neighbours->before[place[i].ensemble] = place[i - 1].ensemble;
        neighbours->after[place[i - 1].ensemble] = place[i].ensemble;
    }
}

Status neighbours_new(const Survey *survey, const char *wanted, const char *remedy, Neighbours *neighbours)
{
    int64_t n = 0, n_all = survey->n_ensembles;
    memset(neighbours, 0, sizeof *neighbours);
    neighbours->before = memory_new(2 * (size_t)n_all, sizeof *neighbours->before, "the neighbours of the gathers");
    Place *place = neighbours->before == NULL ? NULL : sort_places(survey, &n);
    if (place == NULL) return STATUS_MEMORY;
    neighbours->after = neighbours->before + n_all;
    for (int64_t e = 0; e < 2 * n_all; e++) neighbours->before[e] = -1;
    link_places(place, n, neighbours);
    memory_free(place);
    for (int64_t e = 0; e < n_all; e++) {
        int count = (neighbours->before[e] >= 0) + (neighbours->after[e] >= 0);
        *(count == 2 ? &neighbours->with_two : count == 1 ? &neighbours->with_one : &neighbours->with_none) += 1;
    }
    if (neighbours->with_none < n_all) return STATUS_OK;
    return status_fail(STATUS_DATA,
                       "%s: no gather has a neighbour: %s wants gathers of the same inline with other crosslines, in "
                       "file names like shot_inline_1300_crossline_1400.npy or in SEG-Y headers; "
                       "%s",
                       survey->path, wanted, remedy);
}

void neighbours_free(Neighbours *neighbours)
{
    memory_free(neighbours->before);
    memset(neighbours, 0, sizeof *neighbours);
}

void neighbours_report(const Survey *survey, const Neighbours *neighbours)
{
    int64_t least = INT64_MAX, most = 0;
    for (int64_t e = 0; e < survey->n_ensembles; e++) {
        if (neighbours->after[e] < 0) continue;
        int64_t step = (int64_t)survey->crosslines[neighbours->after[e]] - survey->crosslines[e];
        if (step < least) least = step;
        if (step > most) most = step;
    }
    log_note("neighbours: %" PRId64 " gathers have two, %" PRId64 " have one, %" PRId64 " to %" PRId64
             " crosslines apart",
             neighbours->with_two, neighbours->with_one, least, most);
}
