/* survey_dropped: the traces that consolidate --drop-dead left out of a survey's gathers, kept for export to put back:
 *
 *   /dropped/first    int64 [n_ensembles + 1]: gather e's dropped traces are first[e] .. first[e + 1] - 1
 *   /dropped/fold     int64 [n_ensembles]: the gather's traces as it came
 *   /dropped/place    int64 [n]: the trace's place in its gather as it came
 *   /dropped/value    float32 [n]: what all of its samples are: 0, -0 or NaN
 *   /dropped/row      int64 [n], and /dropped/amplitude float32 [n_rows, n_samples], where samples of a trace differ (0
 *                     here, NaN there): the row that has them, -1: they are `value`
 *   /dropped/NAME     of SEG-Y files: as /trace/NAME, see survey_segy.h
 *
 * No gather of a survey is empty: one whose traces were all dropped has a single trace of zeros, which stands in for
 * them and is not exported. A prediction has the same /dropped. Refused with STATUS_DATA: tables that contradict each
 * other. */
#ifndef SEISDCN_SURVEY_DROPPED_H
#define SEISDCN_SURVEY_DROPPED_H

#include "seisdcn/h5.h"
#include "seisdcn/status.h"
#include "seisdcn/survey.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct SurveyDropped {
    int64_t n;      /* dropped traces; 0: none, and first and came are NULL */
    int64_t n_rows; /* of /dropped/amplitude */
    int64_t *first; /* [n_ensembles + 1] */
    int64_t *came;  /* [n_ensembles + 1] gather e came as traces came[e] .. came[e + 1] - 1 of all */
} SurveyDropped;

/* Frees it; one of zeros is nothing. Local. */
void survey_dropped_free(SurveyDropped *dropped);

/* Bytes that it takes in a survey, but for what came from SEG-Y. Pure. */
double survey_dropped_bytes(const SurveyDropped *dropped, int64_t n_ensembles, int64_t n_samples);

/* Makes the group in a file that rank 0 lays out (survey_create() calls it); what belongs to the traces is to be
 * written afterwards. Local. STATUS_IO, STATUS_MEMORY. */
Status survey_dropped_lay_out(const H5File *file, const SurveyDropped *dropped, int64_t n_ensembles, int64_t n_samples);

/* Writes places, values and rows (NULL where n_rows is 0) of dropped traces first .. first + n - 1. Local. STATUS_IO.
 */
Status survey_dropped_write(const Survey *survey, int64_t first, int64_t n, const int64_t *place, const float *value,
                            const int64_t *row);

/* Writes a row of /dropped/amplitude [n_samples]. Local. STATUS_IO. */
Status survey_dropped_write_row(const Survey *survey, int64_t row, const float *amplitude);

/* Reads the tables of the gathers; without any dropped trace n is 0. Rank 0 reads, all get it, to be freed with
 * survey_dropped_free(). Collective. STATUS_IO, STATUS_DATA, STATUS_MEMORY. */
Status survey_dropped_read(const Survey *survey, SurveyDropped *dropped);

/* Dropped traces of ensemble e. Pure. */
int64_t survey_dropped_of(const SurveyDropped *dropped, int64_t e);

/* The number, among all traces as they came, of ensemble e's first one; of n_ensembles: how many there were. Pure. */
int64_t survey_dropped_came(const Survey *survey, const SurveyDropped *dropped, int64_t e);

/* Traces of ensemble e as it came; and the most that any has. Pure. */
int64_t survey_dropped_fold(const Survey *survey, const SurveyDropped *dropped, int64_t e);
int64_t survey_dropped_max_fold(const Survey *survey, const SurveyDropped *dropped);

/* Traces of ensemble e that were kept: its fold, or 0 where a trace stands in for all. Pure. */
int64_t survey_dropped_kept(const Survey *survey, const SurveyDropped *dropped, int64_t e);

/* Reads the places of ensemble e's dropped traces in it as it came, rising, and their samples [n][n_samples], n of
 * survey_dropped_of(). Local. STATUS_IO, STATUS_DATA, STATUS_MEMORY. */
Status survey_dropped_places(const Survey *survey, const SurveyDropped *dropped, int64_t e, int64_t *place);
Status survey_dropped_samples(const Survey *survey, const SurveyDropped *dropped, int64_t e, float *amplitude);

/* Turns ensemble e's kept traces, at the start of amplitude [fold as it came][n_samples], into the gather as it came.
 * Local. STATUS_IO, STATUS_DATA, STATUS_MEMORY. */
Status survey_dropped_put_back(const Survey *survey, const SurveyDropped *dropped, int64_t e, float *amplitude);

#endif
