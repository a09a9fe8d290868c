/* Private to the export command: what its options say. */
#ifndef SEISDCN_EXPORT_OPTIONS_H
#define SEISDCN_EXPORT_OPTIONS_H

#include "seisdcn/command.h"

/* What the options say; their table tells what each means. */
typedef struct {
    const char *survey, *output, *ensembles, *through;
    int64_t format;
} ExportOptions;

/* Those of a job of this command. Pure. */
static inline const ExportOptions *export_options(const Job *job) { return job->options; }

#endif
