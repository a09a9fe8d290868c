/* Private to the train command: what its options say. */
#ifndef SEISDCN_TRAIN_OPTIONS_H
#define SEISDCN_TRAIN_OPTIONS_H

#include "seisdcn/command.h"

/* What the options say; their table tells what each means. */
typedef struct {
    const char *survey, *output, *map, *clean, *init;
    bool resume, dry_run;
    OptionTexts allow_change;
} TrainOptions;

/* Those of a job of this command. Pure. */
static inline const TrainOptions *train_options(const Job *job) { return job->options; }

#endif
