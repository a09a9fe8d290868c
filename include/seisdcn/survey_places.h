/* survey_places: which gathers lie at one position: 2D line (where a survey has several), inline and crossline, all of
 * them known. Two gathers of one position repeat each other: they are no neighbours, and no split parts them. */
#ifndef SEISDCN_SURVEY_PLACES_H
#define SEISDCN_SURVEY_PLACES_H

#include "seisdcn/status.h"
#include "seisdcn/survey.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    int32_t survey_line, line, crossline; /* survey_line is 0 where the survey has one */
    int64_t ensemble;
} SurveyPlace;

/* The positions of the gathers that have one, *place [*n], in rising order, those of one position by their place in the
 * file; to be freed with memory_free(). Local. STATUS_MEMORY. */
Status survey_places(const Survey *survey, SurveyPlace **place, int64_t *n);

/* Whether two gathers lie on one inline (of one 2D line), and at one position. Pure. */
bool survey_place_same_inline(const SurveyPlace *a, const SurveyPlace *b);
bool survey_place_same(const SurveyPlace *a, const SurveyPlace *b);

/* The first gather at each one's position, *first [n_ensembles]: itself where it repeats none before it, or where its
 * position is not known. To be freed with memory_free(). Local. STATUS_MEMORY. */
Status survey_place_units(const Survey *survey, int64_t **first);

/* The same for what is dealt to splits: a position that all gathers of a survey (of one of its 2D lines) share tells
 * none of them apart, as in headers that nobody filled in, so there each is by itself. Not where any gather of the
 * survey has no position. Local. STATUS_MEMORY. */
Status survey_split_units(const Survey *survey, int64_t **first);

/* Warns of n things ("gather") that have what ("the position") an earlier one has; first names the first of them, then
 * is what follows from it, behind "all are kept". Local: rank 0's. */
void survey_warn_repeats(int64_t n, const char *thing, const char *what, const char *first, const char *then);

#endif
