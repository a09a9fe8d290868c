/* survey_private: what the files of the survey module share. */
#ifndef SEISDCN_SURVEY_PRIVATE_H
#define SEISDCN_SURVEY_PRIVATE_H

#include "seisdcn/survey.h"

/* Allocates the tables of survey->n_ensembles ensembles. Local. STATUS_MEMORY. */
Status survey_new_tables(Survey *survey, bool with_done, bool with_lines);

/* Copies rank 0's numbers, tables and history to all ranks, which hold comm and path only. Collective. STATUS_MEMORY.
 */
Status survey_share_tables(Survey *survey);

#endif
