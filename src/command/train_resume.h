/* Private to the train command: finds the checkpoint that --resume goes on from, and says whether this run may. */
#ifndef SEISDCN_TRAIN_RESUME_H
#define SEISDCN_TRAIN_RESUME_H

#include "seisdcn/checkpoint.h"
#include "seisdcn/comm.h"
#include "seisdcn/config.h"
#include "seisdcn/status.h"

#include <stdbool.h>
#include <stdint.h>

/* What --allow-change may name besides the configuration's keys. */
enum { CHANGE_SURVEY = CONFIG_KEYS, CHANGE_MAP, CHANGE_CLEAN, CHANGES };

typedef struct {
    bool found;            /* there is a checkpoint to go on from */
    char *path;            /* its name (rank 0) */
    Checkpoint checkpoint; /* rank 0's */
    CheckpointState state; /* the checkpoint's, on all ranks */
    bool allowed[CHANGES]; /* by --allow-change */
    bool changed;          /* this run differs in something that may differ */
    bool anew;             /* the order of patches differs: the epoch begins anew */
} TrainResume;

/* Takes --allow-change's keys ("train.learning_rate,map"; NULL: none). Pure but for the message. STATUS_USAGE. */
Status train_resume_allow(const char *keys, TrainResume *resume);

/* Reads the newest whole checkpoint of folder (DIR/checkpoints and DIR/last.h5), with a warning for each damaged one.
 * None at all: found stays false. Collective. STATUS_DATA where there are some and none is whole. */
Status train_resume_find(const Comm *comm, const char *folder, const Vector *vector, TrainResume *resume);

/* Keys that the user did not set take the checkpoint's values. Pure. */
void train_resume_take_config(const TrainResume *resume, Config *config);

/* Compares the configuration with the checkpoint's: STATUS_CONFIG names the keys that would change the result and are
 * not allowed to. Pure but for the message. */
Status train_resume_check_config(TrainResume *resume, const char *folder, const Config *config);

/* The same for survey, map, clean survey, --init's model, and what computes: `now` is this run's state. Local: warns on
 * rank 0. */
Status train_resume_check(TrainResume *resume, const char *folder, const CheckpointState *now);

/* Whether nothing is left to do under this configuration. Pure. */
bool train_resume_finished(const TrainResume *resume, const Config *config);

/* A configuration as checkpoints keep it: keys that belong to one run have their defaults. Pure. */
Config train_resume_kept(const Config *config);

void train_resume_free(TrainResume *resume);

#endif
