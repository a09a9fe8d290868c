/* Private to the commands that predict a survey, apply and its rivals: what they share. Every gather is predicted by
 * one rank; the output grows as NAME.part, knows from its creation what work it is of, and gets its name when it is
 * whole. What a command adds is a PredictionMethod. */
#ifndef SEISDCN_PREDICTION_H
#define SEISDCN_PREDICTION_H

#include "seisdcn/command.h"
#include "seisdcn/exact.h"
#include "seisdcn/h5.h"
#include "seisdcn/index_deal.h"
#include "seisdcn/mute.h"
#include "seisdcn/survey.h"
#include "seisdcn/worklist.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct Prediction Prediction;
typedef struct PredictionWork PredictionWork;

/* What the options say that all have. */
typedef struct {
    const char *survey, *output;
    const char *ensembles; /* NULL: all of the survey's */
    bool resume, difference, dry_run;
} PredictionOptions;

/* What a rank's time goes into. */
typedef enum {
    PREDICTION_COMPUTING,
    PREDICTION_FILES,
    PREDICTION_COUNTER,
    PREDICTION_IDLE,
    PREDICTION_PHASES
} PredictionPhase;

/* Sums of squares, as MuteEnergy. */
typedef enum { PREDICTION_INPUT, PREDICTION_PREDICTED, PREDICTION_LEAKED, PREDICTION_ENERGIES } PredictionEnergy;

/* A command's own way to predict. Functions that are NULL have nothing to do. */
typedef struct {
    const char *command; /* its name: "apply"; also that of the group of attributes in the output */
    const char *unit;    /* what its work is counted in, one of it: "window" */
    const char *room;    /* what room_bytes() counts, as --dry-run calls it */

    /* Before the survey is opened: checks options, opens what else there is. Collective. */
    Status (*prepare)(Prediction *prediction);
    /* With the survey: checks that it serves. Local, the same on all ranks. */
    Status (*check)(Prediction *prediction);
    /* Adds the facts that decide its values, besides those that all have. Pure. */
    void (*describe)(const Prediction *prediction, PredictionWork *work);

    /* Makes room to predict in, or says by its status why not. Local. close() follows, also after a failure. */
    Status (*open)(Prediction *prediction);
    void (*close)(Prediction *prediction);
    /* Reads what ensemble e is predicted from; prediction->own is the gather itself. Local. */
    Status (*read)(Prediction *prediction, int64_t e);
    /* Predicts the first `fold` traces (all of them, or what sample() says) of ensemble e, which was read, into out
     * [fold][n_samples]; counts prediction->units and live, and the energies by prediction_energy(). Calls
     * prediction_poke() every millisecond or so; where that says to stop, *whole becomes false. Local. */
    Status (*run)(Prediction *prediction, int64_t e, int64_t fold, float *out, bool *whole);
    /* Says what else is to be said when all is done. Collective. */
    void (*report)(Prediction *prediction);

    /* Units of a gather of `fold` traces; traces that are enough to measure speed on (NULL: all). Pure. */
    int64_t (*units)(const Prediction *prediction, int64_t fold);
    int64_t (*sample)(const Prediction *prediction, int64_t fold);
    /* Bytes that open() takes for gathers, and for the rest. Pure. */
    int64_t (*gather_bytes)(const Prediction *prediction);
    int64_t (*room_bytes)(const Prediction *prediction);
} PredictionMethod;

struct Prediction {
    Job *job;
    const PredictionOptions *said;
    const PredictionMethod *method;
    void *context; /* the method's own */
    Survey survey, predicted;
    int64_t *list, n;                      /* the ensembles to predict; those that a resumed part has are taken out */
    int64_t n_selected;                    /* how many the whole work has */
    int64_t n_done;                        /* how many this rank has predicted and written */
    uint64_t selection;                    /* checksum over which they are */
    char *part;                            /* the output's name while it grows */
    bool begun;                            /* it stands under that name, and is ours */
    const float *own;                      /* [fold][n_samples] the gather in hand as it is; the method's */
    int64_t units, live;                   /* predicted by this rank, and how many of them held anything to predict */
    int64_t samples;                       /* the same of samples, live or not */
    ExactWide energy[PREDICTION_ENERGIES]; /* sums over this rank's gathers */
    double energy_of_all[PREDICTION_ENERGIES]; /* over all ranks' gathers, from prediction_report() on */
    double seconds;                            /* from the first gather to the end of the last rank's last */
    double spent[PREDICTION_PHASES];           /* this rank's seconds of it */
    Worklist *work;                            /* NULL outside the loop */
};

/* ---- prediction.c ---- */

/* The options that all have, as tables that fill PredictionOptions: the first of them, and the rest. */
extern const Option prediction_survey[], prediction_options[];

/* What the descriptions of all say of their outputs. */
#define PREDICTION_DESCRIPTION                                                                                         \
    "The output is a survey file of the same gathers; with --ensembles only those are predicted (/ensemble/done says " \
    "which), the others stay zero. The output grows as PREDICTED.h5.part; after a kill, --resume goes on with it on "  \
    "any number of ranks, and the result has the same bytes. SIGUSR1, SIGUSR2, SIGTERM, SIGINT and "                   \
    "apply.max_time_minutes stop it in good order, with status 75. A job that may be requeued can always pass "        \
    "--resume: without a .part it starts from the beginning."

/* The whole of a command; prediction has job, said, method and context. Collective. */
Status prediction_run(Prediction *prediction);

/* Answers other ranks, and says whether to stop; context is the Prediction. Local. */
bool prediction_poke(void *context);

/* Adds a gather's energies to the sums. Local. */
void prediction_energy(Prediction *prediction, const MuteEnergy *energy);

/* For methods that leave it to all: counts the energies of a predicted gather, and makes zeros of what stands in its
 * mutes where apply.keep_mutes says so. Local. */
void prediction_settle(Prediction *prediction, int64_t fold, float *out);

/* ---- prediction_work.c: what work a predicted survey is of ---- */

typedef enum { FACT_TEXT, FACT_CHECKSUM, FACT_INT, FACT_FLAG, FACT_NUMBER } FactKind;

/* What a fact is of, and so what a file is called that has another one. */
typedef enum {
    FACT_OF_INPUT,   /* a file that is read: STATUS_DATA */
    FACT_OF_KEY,     /* of the configuration: STATUS_CONFIG */
    FACT_OF_OPTION,  /* STATUS_USAGE */
    FACT_OF_MACHINE, /* changes the last bits only: a warning */
    FACT_TOLD        /* decides nothing */
} FactOf;

enum { FACT_TEXT_MAX = 512, FACTS_MAX = 24 };

typedef struct {
    FactOf of;
    FactKind kind;
    const char *name; /* of the attribute: at the root a checksum of input, else in the command's group */
    const char *said; /* as the user knows it: "model", "apply.method", "--damping" */
    const char *path; /* the file of FACT_OF_INPUT */
    uint64_t checksum;
    int64_t whole; /* FACT_FLAG too */
    double number;
    const char *text; /* the caller's, or `room` */
    char room[FACT_TEXT_MAX];
} Fact;

struct PredictionWork {
    const char *command;
    int n;
    Fact fact[FACTS_MAX];  /* more than any command has */
    const IndexDeal *deal; /* how the gathers that the model was trained on were dealt; NULL: there is no model */
};

/* Adds a fact, whose value the caller sets; a text is `room` where it is not set to another. Pure. */
Fact *prediction_fact(PredictionWork *work, FactOf of, FactKind kind, const char *name, const char *said);

/* The work that is asked for. Pure. */
void prediction_work_describe(const Prediction *prediction, PredictionWork *work);

/* Writes work (a PredictionWork) into a file that is being made: checksums of inputs at the root, and there too the
 * model's split; the rest as attributes of the command's group. Local. STATUS_IO. */
Status prediction_work_write(const H5File *file, void *work);

/* Reads the facts of a described work back from a file. Local. STATUS_DATA where anything is missing. */
Status prediction_work_read(const H5File *file, PredictionWork *work);

/* Refuses what the file at path is of, by name, where it is not what is wanted. Local: rank 0. STATUS_DATA: an input;
 * STATUS_CONFIG: a key; STATUS_USAGE: an option. */
Status prediction_work_compare(const char *path, const PredictionWork *have, const PredictionWork *want);

/* A prediction's attribute with the checksum of the survey that its model was trained on. */
#define PREDICTION_TRAINED_ON "trained_survey_checksum"

/* The command that predicted an open survey file, NULL where none did. Local. */
const char *prediction_command_of(const H5File *file);

/* ---- prediction_output.c: the predicted survey, from its .part to its name ---- */

/* Checks what stands at the output and at its .part against --resume and --force, before any work. Local: rank 0.
 * STATUS_USAGE, STATUS_IO. */
Status prediction_output_check(const Prediction *prediction);

/* Opens the output for writing: the unfinished one that --resume goes on with, or a new one. A gather of the
 * unfinished one that says done is read, and left out of prediction->list where its checksum matches. *finished: the
 * output stands whole and is of this very work, so nothing is to be done. Collective. STATUS_DATA, STATUS_CONFIG,
 * STATUS_USAGE where what stands is of another input, configuration, or command line; STATUS_IO, STATUS_MEMORY. With
 * --dry-run nothing is made or changed. */
Status prediction_output_open(Prediction *prediction, bool *finished);

/* The root's checksum, then the output's name. Collective. STATUS_IO. */
Status prediction_output_finish(Prediction *prediction);

/* After a failure: closes the output; keeps what holds a finished gather and says in the message how to go on, removes
 * the rest. Collective; returns status. */
Status prediction_output_abandon(Prediction *prediction, Status status);

/* ---- prediction_dry_run.c ---- */

/* Tells what the prediction of what prediction->list holds takes, after every check of the real run. Collective.
 * STATUS_IO where the output finds no room; what reading gathers may say. */
Status prediction_dry_run(Prediction *prediction);

/* ---- prediction_report.c ---- */

/* Says what was done: speed, balance over ranks, what leaked into mutes. Collective. */
void prediction_report(Prediction *prediction);

#endif
