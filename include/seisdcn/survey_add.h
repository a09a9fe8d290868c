/* survey_add: puts attributes into a survey file that stands, all of them at once when they are whole: a kill at
 * whatever moment leaves the survey as it was, or with all of them (h5_change.h says how).
 *
 *   /attribute/NAME            float32 [n_traces, n_samples], with the attributes scale ("shared" or "none"),
 * definition (what it is), checksum (XXH3_64bits over its table of checksums) and survey_checksum (of the amplitudes
 * that it was made from) /attribute_checksum/NAME   uint64 [n_ensembles] XXH3_64bits of each gather's values
 *
 * The survey's own checksum, which maps, models and predictions name, is that of its amplitudes and stays. */
#ifndef SEISDCN_SURVEY_ADD_H
#define SEISDCN_SURVEY_ADD_H

#include "seisdcn/comm.h"
#include "seisdcn/h5_change.h"
#include "seisdcn/rawfile.h"
#include "seisdcn/status.h"
#include "seisdcn/survey.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    const char *name;       /* NAME, shorter than SURVEY_NAME_MAX */
    const char *definition; /* in words */
    bool shared_scale;
} SurveyAddition;

typedef struct {
    const Survey *survey;
    int n;
    const SurveyAddition *addition; /* [n], the caller's */
    H5Change change;                /* rank 0's */
    char **without;                 /* [2 n + 1] names that are replaced, ended by NULL */
    RawFile file;
    int64_t *offset;     /* [n] where each one's values begin in the file */
    uint64_t *checksums; /* [n][n_ensembles] of the gathers that this rank wrote; 0 of others */
} SurveyAdding;

/* Starts to add n attributes to a survey that is open for reading; history is the file's new one. What exists under
 * such a name is replaced at the end where force is true. Room on the disk is taken first. On failure nothing is left
 * of it. Collective. STATUS_USAGE where one exists, STATUS_DATA (too many of them; a file that cannot be added to),
 * STATUS_IO, STATUS_MEMORY. */
Status survey_add_begin(const Survey *survey, const SurveyAddition *addition, int n, bool force, const char *history,
                        SurveyAdding *adding);

/* Writes gather e's attributes, values [n][fold(e)][n_samples]: each is one whole run of bytes of the file. Local.
 * STATUS_IO. */
Status survey_add_gather(SurveyAdding *adding, int64_t e, const float *values);

/* When every gather is written by some rank: the survey has the attributes. Its file, as the caller has it open, shows
 * them once it is opened anew. Collective. STATUS_IO, STATUS_MEMORY: the survey stays as it was. */
Status survey_add_finish(SurveyAdding *adding);

/* Leaves the survey as it was, unless survey_add_finish() has changed it; one of zeros is nothing. Collective. */
void survey_add_end(SurveyAdding *adding);

#endif
