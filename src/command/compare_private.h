/* Private to the compare command: the trainings that it ranks, and what its files share. */
#ifndef SEISDCN_COMPARE_PRIVATE_H
#define SEISDCN_COMPARE_PRIVATE_H

#include "plot_private.h"

#include "seisdcn/command.h"
#include "seisdcn/config.h"
#include "seisdcn/status.h"

#include <stdbool.h>
#include <stdint.h>

/* What the options say; their table tells what each means. */
typedef struct {
    const char *survey, *clean, *split, *ensembles, *map, *sort, *csv, *output, *script;
    int64_t gathers;
} CompareOptions;

/* Those of a job of this command. Pure. */
static inline const CompareOptions *compare_options(const Job *job) { return job->options; }

/* A training's folder. Figures are NaN where there is none. */
typedef struct {
    char *name;  /* as the user knows it */
    char *model; /* the path of its best.h5, NULL where it has none */
    bool failed; /* its sweep has noted that it failed */
    int64_t epochs, best_epoch;
    double valid_loss, train_loss; /* the lowest; of the last epoch */
    double parameters;
    double patches_per_second; /* the median of metrics.csv */
    /* of held-out gathers */
    double snr_gain_db, signal_lost, leakage;
    double windows_per_second; /* of a rank */
    Config config;
} Training;

/* What was measured. */
typedef enum { COMPARE_TRAINED, COMPARE_PREDICTED, COMPARE_WITH_CLEAN } CompareReach;

typedef struct {
    int64_t n;
    Training *training; /* [n], rank 0's */
    CompareReach reach;
    int sorted_by; /* a CompareFigureKey, or COMPARE_FIGURES: by name */
} Comparison;

typedef enum {
    COMPARE_VALID_LOSS,
    COMPARE_SNR_GAIN,
    COMPARE_SIGNAL_LOST,
    COMPARE_LEAKAGE,
    COMPARE_SPEED,
    COMPARE_WINDOWS,
    COMPARE_PARAMETERS,
    COMPARE_FIGURES
} CompareFigureKey;

typedef struct {
    const char *name;   /* in CSV, and for --sort */
    const char *column; /* in the table, and above the picture's panel */
    double (*of)(const Training *training);
    int better; /* -1: less is better; 1: more is */
    CompareReach reach;
} CompareFigure;

extern const CompareFigure compare_figures[COMPARE_FIGURES]; /* compare_report.c */

/* ---- compare_find.c ---- */

/* Finds the trainings at and below the folders of the command line, in natural order, and reads what they say. Local:
 * rank 0's work. STATUS_DATA where a folder holds none; what reading says. To be freed with compare_free(). */
Status compare_find(const Job *job, Comparison *comparison);

void compare_free(Comparison *comparison);

/* ---- compare_predict.c ---- */

/* Predicts held-out gathers of --survey by every model, and measures them. Collective. STATUS_USAGE, STATUS_DATA where
 * no gathers are held out by all, or a model does not serve; what reading says. */
Status compare_predict(Job *job, Comparison *comparison);

/* ---- compare_report.c: rank 0's work ---- */

/* The figure of a name, COMPARE_FIGURES for "name", -1 where there is none. Pure. */
int compare_figure_of(const char *name);

/* Puts the best first, by the figure `key`. Pure. */
void compare_sort(Comparison *comparison, int key);

/* Prints the table, and says where losses do not compare. */
void compare_print(const Comparison *comparison);

/* Writes it as CSV, with the keys in which the configurations differ. STATUS_IO, STATUS_MEMORY. */
Status compare_write_csv(const Comparison *comparison, const char *path);

/* ---- compare_plot.c ---- */

/* Draws a panel of bars for each figure, the best training on top. Rank 0's work. STATUS_IO, STATUS_MEMORY,
 * STATUS_USAGE. */
Status compare_plot(const SheetPlan *plan, const Comparison *comparison);

#endif
