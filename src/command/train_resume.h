/* Private to the train command: finds the checkpoint that --resume goes on from, and says whether this run may. */
#ifndef SEISDCN_TRAIN_RESUME_H
#define SEISDCN_TRAIN_RESUME_H

#include "seisdcn/checkpoint.h"
#include "seisdcn/command.h"
#include "seisdcn/config.h"
#include "seisdcn/status.h"

#include <stdbool.h>
#include <stdint.h>

/* What --allow-change may name besides the configuration's keys. */
enum { CHANGE_SURVEY = CONFIG_KEYS, CHANGE_MAP, CHANGE_CLEAN, CHANGES };

typedef struct {
    bool found;                          /* there is a checkpoint to go on from */
    bool finished;                       /* and nothing left to do */
    char *path;                          /* its name (rank 0) */
    Checkpoint checkpoint;               /* rank 0's */
    CheckpointState state;               /* the checkpoint's, on all ranks */
    char channels[SURVEY_CHANNELS_TEXT]; /* ModelInfo's of the checkpoint, on all ranks */
    bool allowed[CHANGES];               /* by --allow-change */
    bool changed;                        /* this run differs in something that may differ */
    bool anew;                           /* the order of patches differs: the epoch begins anew */
} TrainResume;

/* With --resume: finds the newest whole checkpoint of the output's folder (DIR/checkpoints and DIR/last.h5), with a
 * warning for each damaged one, and gives the configuration's keys that the user did not set the checkpoint's values.
 * now->init_checksum becomes that of --init's model. Collective. STATUS_USAGE: options that do not go together;
 * STATUS_DATA: there are checkpoints, but none is whole; STATUS_CONFIG: see train_resume_compare(). */
Status train_resume_begin(Job *job, const Vector *vector, TrainResume *resume, CheckpointState *now);

/* Holds what this run's result depends on against the checkpoint's (nothing to do where none was found), and warns
 * where another instruction set computes. *now takes over the rest of the checkpoint's state. Collective. STATUS_CONFIG
 * names what would change the result and is not allowed to, STATUS_USAGE where it is --init. */
Status train_resume_compare(const Job *job, TrainResume *resume, CheckpointState *now, const Network *network);

/* A configuration as checkpoints keep it: keys that belong to one run have their defaults. Pure. */
Config train_resume_kept(const Config *config);

void train_resume_free(TrainResume *resume);

#endif
