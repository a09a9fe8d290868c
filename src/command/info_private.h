/* Private to info*.c. */
#ifndef SEISDCN_INFO_PRIVATE_H
#define SEISDCN_INFO_PRIVATE_H

#include "seisdcn/status.h"
#include "seisdcn/survey.h"

/* A line of the listing. Local. */
void info_line(const char *label, const char *text);

/* Reads every gather, and every attribute that has checksums, and says so at the end. Collective. STATUS_DATA names
 * what does not match; STATUS_IO, STATUS_MEMORY. */
Status info_verify_survey(const Survey *survey);

#endif
