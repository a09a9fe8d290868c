/* survey_lines: surveys that several 2D lines were put into (/ensemble/line): gathers are named, chosen and dealt
 * within their line. Where a survey has one line, all is as if there were none. */
#ifndef SEISDCN_SURVEY_LINES_H
#define SEISDCN_SURVEY_LINES_H

#include "seisdcn/status.h"
#include "seisdcn/survey.h"

#include <stdbool.h>
#include <stdint.h>

/* Whether ensembles a and b lie on one line. Pure. */
bool survey_same_line(const Survey *survey, int64_t a, int64_t b);

/* As selector_list() and selector_one() of the survey's ensembles; a part may begin with its line: `2/1300:1400`,
 * `2/#0-#9`, and `2/x` with * for x for all of line 2. Local. STATUS_USAGE, STATUS_MEMORY. */
Status survey_select(const Survey *survey, const char *list, uint8_t *selected);
Status survey_select_one(const Survey *survey, const char *selector, int64_t *ensemble);

/* A number for each ensemble's inline, the same for two where these and their lines are: *units [n_ensembles], to be
 * freed with memory_free(). Local. STATUS_MEMORY. */
Status survey_inline_units(const Survey *survey, int32_t **units);

#endif
