#include "seisdcn/neighbours.h"

#include "seisdcn/log.h"
#include "seisdcn/memory.h"
#include "seisdcn/survey_places.h"

#include <inttypes.h>
#include <string.h>

/* The gathers of two positions side by side, [n] and [m] of them: the i-th of one has the i-th of the other, or the
 * last where there are fewer. */
static void link_positions(const SurveyPlace *before, int64_t n, const SurveyPlace *after, int64_t m,
                           Neighbours *neighbours)
{
    for (int64_t i = 0; i < n; i++) neighbours->after[before[i].ensemble] = after[i < m ? i : m - 1].ensemble;
    for (int64_t i = 0; i < m; i++) neighbours->before[after[i].ensemble] = before[i < n ? i : n - 1].ensemble;
}

static void link_places(const SurveyPlace *place, int64_t n, Neighbours *neighbours)
{
    for (int64_t last = 0, start = 0, end; start < n; last = start, start = end) {
        for (end = start + 1; end < n && survey_place_same(&place[start], &place[end]);) end++;
        if (start > 0 && survey_place_same_inline(&place[last], &place[start]))
            link_positions(place + last, start - last, place + start, end - start, neighbours);
    }
}

/* Gathers that begin at different times are no neighbours: samples of one number are of different times. */
static void cut_times(const Survey *survey, Neighbours *neighbours)
{
    int64_t cut = 0;
    for (int64_t i = 0; i < 2 * survey->n_ensembles; i++) {
        int64_t e = i % survey->n_ensembles, *other = &neighbours->before[i]; /* before, then after */
        if (*other < 0 || survey_start_us(survey, e) == survey_start_us(survey, *other)) continue;
        *other = -1;
        cut++;
    }
    neighbours->apart = (cut + 1) / 2; /* each is seen from both sides */
}

Status neighbours_new(const Survey *survey, const char *wanted, const char *remedy, Neighbours *neighbours)
{
    int64_t n = 0, n_all = survey->n_ensembles;
    memset(neighbours, 0, sizeof *neighbours);
    neighbours->before = memory_new(2 * (size_t)n_all, sizeof *neighbours->before, "the neighbours of the gathers");
    SurveyPlace *place;
    if (neighbours->before == NULL || survey_places(survey, &place, &n) != STATUS_OK) return STATUS_MEMORY;
    neighbours->after = neighbours->before + n_all;
    for (int64_t e = 0; e < 2 * n_all; e++) neighbours->before[e] = -1;
    link_places(place, n, neighbours);
    memory_free(place);
    cut_times(survey, neighbours);
    for (int64_t e = 0; e < n_all; e++) {
        int count = (neighbours->before[e] >= 0) + (neighbours->after[e] >= 0);
        *(count == 2 ? &neighbours->with_two : count == 1 ? &neighbours->with_one : &neighbours->with_none) += 1;
    }
    if (neighbours->with_none < n_all) return STATUS_OK;
    if (neighbours->apart > 0)
        return status_fail(STATUS_DATA,
                           "%s: no gather has a neighbour that begins at the same time (/trace/delay_us), as %s wants; "
                           "%s",
                           survey->path, wanted, remedy);
    return status_fail(
        STATUS_DATA,
        "%s: no gather has a neighbour: %s wants gathers of the same inline with other crosslines, in "
        "file names like shot_inline_1300_crossline_1400.npy (consolidate --names reads others) or in SEG-Y "
        "headers; %s",
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
    char count[32];
    if (neighbours->apart > 0)
        log_warning("%s pair%s of gathers next to each other begin at different times (/trace/delay_us), and are no "
                    "neighbours",
                    log_count(neighbours->apart, count), neighbours->apart == 1 ? "" : "s");
    char two[LOG_THINGS_MAX], far[LOG_THINGS_MAX];
    log_note("neighbours: %s %s two, %" PRId64 " %s one, %" PRId64 " to %s apart",
             log_things(neighbours->with_two, "gather", two), neighbours->with_two == 1 ? "has" : "have",
             neighbours->with_one, neighbours->with_one == 1 ? "has" : "have", least,
             log_things(most, "crossline", far));
}
