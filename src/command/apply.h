/* Private to the apply command: what its files share. */
#ifndef SEISDCN_APPLY_H
#define SEISDCN_APPLY_H

#include "seisdcn/command.h"
#include "seisdcn/exact.h"
#include "seisdcn/gathers.h"
#include "seisdcn/model.h"
#include "seisdcn/objective.h"
#include "seisdcn/predict.h"
#include "seisdcn/survey.h"

/* What a rank's time goes into. */
typedef enum { APPLY_PREDICT, APPLY_FILES, APPLY_COUNTER, APPLY_IDLE, APPLY_PHASES } ApplyPhase;

/* Sums of squares of a gather: as it is, as predicted, and what of the prediction stands in samples that were zeros. */
typedef enum { APPLY_INPUT, APPLY_PREDICTED, APPLY_LEAKED, APPLY_ENERGIES } ApplyEnergy;

typedef struct {
    Job *job;
    Survey survey, predicted;
    Network network;
    ModelInfo info;
    int64_t *list, n;   /* the ensembles to predict; those that a resumed part has are taken out */
    int64_t n_selected; /* how many the whole work has */
    int64_t n_done;     /* how many this rank has predicted and written */
    uint64_t selection; /* checksum over which they are */
    char *part;         /* the output's name while it grows */
    bool begun;         /* it stands under that name, and is ours */
    PredictCounts counts;
    ExactWide energy[APPLY_ENERGIES]; /* sums over this rank's gathers */
    double seconds;                   /* from the first gather to the end of the last rank's last */
    double spent[APPLY_PHASES];       /* this rank's seconds of it */
    Gathers gathers;
    Objective objective; /* of zeros where gathers are predicted from themselves */
    float *in;           /* [channels][fold][n_samples] what feeds the network */
    float *own;          /* [fold][n_samples] the gather itself: the first of them, or another array */
} Apply;

/* ---- apply_read.c: what feeds the network for a gather ---- */

/* Makes room, and finds the gathers' neighbours where these feed it. Local. STATUS_MEMORY, STATUS_DATA. */
Status apply_read_open(Apply *apply);

void apply_read_close(Apply *apply);

/* Bytes that apply_read_open() takes. Pure. */
int64_t apply_read_bytes(const Apply *apply);

/* Which of the network's channels share the scale: shared [channels]. Pure. */
void apply_shared_scale(const Apply *apply, bool *shared);

/* Reads ensemble e: apply->own, and apply->in: the gather, or its neighbours. Local. STATUS_IO, STATUS_DATA,
 * STATUS_MEMORY. */
Status apply_read(Apply *apply, int64_t e);

/* ---- apply_work.c: what work a predicted survey is of ---- */

enum { APPLY_WORK_TEXT = 512, APPLY_CHANNELS_TEXT = SURVEY_CHANNELS_TEXT + 32 };

typedef struct {
    uint64_t model, survey;             /* checksums */
    char network[APPLY_WORK_TEXT];      /* what the model's checksum does not cover */
    char channels[APPLY_CHANNELS_TEXT]; /* what it is fed with */
    char method[32];
    double mute_threshold;
    int64_t keep_mutes, difference;
    uint64_t selection; /* checksum of the list of gathers */
    char instruction_set[64];
    const char *survey_path; /* where the survey was found: for export, decides nothing; NULL where it was read back */
} ApplyWork;

/* The work that is asked for. Pure. */
void apply_work_describe(const Apply *apply, ApplyWork *work);

/* Writes work (an ApplyWork) into a file that is being made: model_checksum and survey_checksum at the root, the rest
 * as attributes of the group /apply. Local. STATUS_IO. */
Status apply_work_write(const H5File *file, void *work);

/* Reads it back. Local. STATUS_DATA where anything is missing. */
Status apply_work_read(const H5File *file, ApplyWork *work);

/* Refuses what a file is of where it is not what is asked for, by name; an instruction set that differs changes the
 * last bits only: a warning. Local: rank 0. STATUS_DATA: the survey or the model; STATUS_CONFIG: a key; STATUS_USAGE:
 * an option. */
Status apply_work_compare(const Apply *apply, const char *path, const ApplyWork *have);

/* ---- apply_output.c: the predicted survey, from its .part to its name ---- */

/* Checks what stands at the output and at its .part against --resume and --force, before any work. Local: rank 0.
 * STATUS_USAGE, STATUS_IO. */
Status apply_output_check(const Job *job, const char *part);

/* Opens the output for writing: the unfinished one that --resume goes on with, or a new one. A gather of the
 * unfinished one that says done is read, and left out of apply->list where its checksum matches. *finished: the output
 * stands whole and is of this very work, so nothing is to be done. Collective. STATUS_DATA, STATUS_CONFIG, STATUS_USAGE
 * where what stands is of another model or survey, configuration, or command line; STATUS_IO, STATUS_MEMORY. With
 * --dry-run nothing is made or changed. */
Status apply_output_open(Apply *apply, bool *finished);

/* The root's checksum, then the output's name. Collective. STATUS_IO. */
Status apply_output_finish(Apply *apply);

/* After a failure: closes the output; keeps what holds a finished gather and says in the message how to go on, removes
 * the rest. Collective; returns status. */
Status apply_output_abandon(Apply *apply, Status status);

/* ---- apply_dry_run.c ---- */

/* Tells what the prediction of what apply->list holds takes, after every check of the real run. Collective. STATUS_IO
 * where the output finds no room; what reading gathers may say. */
Status apply_dry_run(Apply *apply);

/* ---- apply_report.c ---- */

/* Says what was done: speed, balance over ranks, what leaked into mutes. Collective. */
void apply_report(Apply *apply);

#endif
