/* Private to the export command: gathers back to one SEG-Y file. */
#ifndef SEISDCN_EXPORT_SEGY_H
#define SEISDCN_EXPORT_SEGY_H

#include "seisdcn/command.h"
#include "seisdcn/survey.h"
#include "seisdcn/survey_dropped.h"

#include <stdint.h>

/* Tells how many dead traces are among the n ensembles of list, ", 12 dead traces put back", or nothing; text holds 160
 * bytes. Pure. */
char *export_put_back(const SurveyDropped *dropped, const int64_t *list, int64_t n, char *text);

/* Writes the traces of the selected ensembles ([n_ensembles], not zero) to --output, in the order of the files that
 * they came from, with their headers. Collective. STATUS_USAGE, STATUS_IO, STATUS_DATA, STATUS_MEMORY. */
Status export_segy(const Job *job, const Survey *survey, const uint8_t *selected);

#endif
