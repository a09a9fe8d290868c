/* survey_sources: the files that a survey file names as those that it came from, so that nobody overwrites them.
 *
 * A survey holds the base names of its gathers' files; where consolidate found these stands in the history, as the
 * words of its command line. A prediction also names its survey and its model. Words are looked up from the working
 * directory, then from the survey's own folder. */
#ifndef SEISDCN_SURVEY_SOURCES_H
#define SEISDCN_SURVEY_SOURCES_H

#include "seisdcn/status.h"

#include <stdbool.h>

/* Is told of a source: of a path at which it stands, or (found = false) of its base name alone, where it stands at none
 * that the survey tells. The text is the caller's. */
typedef Status (*SurveySourceVisit)(const char *path, bool found, void *context);

/* Calls visit for each source of the survey or prediction at path; stops at the first failure. A file of many gathers
 * may be told of more than once. Local: one rank opens the file. STATUS_IO, STATUS_DATA, STATUS_MEMORY. */
Status survey_each_source(const char *path, SurveySourceVisit visit, void *context);

#endif
