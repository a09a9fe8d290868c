/* inputs_dead: the traces of inputs that hold nothing, which consolidate --drop-dead leaves out of the survey: each of
 * their samples is, as a 32-bit float, zero or NaN. People pad short gathers with either.
 *
 * How many traces a gather keeps must be known before any of them has its place in the survey: so all inputs are read
 * once to find the dead ones, and again to be copied. */
#ifndef SEISDCN_INPUTS_DEAD_H
#define SEISDCN_INPUTS_DEAD_H

#include "seisdcn/comm.h"
#include "seisdcn/inputs.h"
#include "seisdcn/status.h"
#include "seisdcn/survey.h"
#include "seisdcn/survey_dropped.h"
#include "seisdcn/survey_segy.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum { DEAD_ZERO, DEAD_NAN, DEAD_BOTH, DEAD_KINDS } DeadKind;

typedef struct {
    int64_t n;            /* dead traces, of all ranks; 0: there are none */
    int64_t n_rows;       /* of these, those whose samples are not all the same (survey_dropped.h) */
    int64_t *first;       /* [this rank's gathers + 1], into place */
    int64_t *place;       /* the places of this rank's dead traces in their gathers, rising in each */
    int64_t *count;       /* [n_gathers] dead traces of each gather, on rank 0; NULL elsewhere */
    int64_t before;       /* dead traces of the ranks before this one */
    int64_t row, row_end; /* this rank's rows of /dropped/amplitude that are still to be filled */
    float *value;         /* [most] of the dead traces of a gather, to work in */
    int64_t *rows;        /* [most] */
    /* for the log, of all ranks: */
    int64_t kind[DEAD_KINDS];               /* traces of each kind */
    int64_t *by_file;                       /* [n_files] traces */
    int64_t gathers;                        /* that have dead traces */
    int64_t whole, first_whole;             /* that have no others, and the first of them */
    int64_t before_live, first_before_live; /* where dead traces stand before live ones */
} InputsDead;

/* Whether every sample of a trace is zero or NaN. Pure. */
bool inputs_dead_trace(const float *trace, int64_t n_samples);

/* Reads all gathers, each rank its own, and finds the dead traces. Collective. STATUS_MEMORY, and what reading gathers
 * may say. On failure nothing is left. */
Status inputs_dead_find(const Comm *comm, Inputs *inputs, InputsDead *dead);

/* Frees it; one of zeros is nothing. Local. */
void inputs_dead_free(InputsDead *dead);

/* Traces of gather e that stay in the survey: at least one, of zeros where all are dead. Pure: rank 0's. */
int64_t inputs_dead_kept(const Inputs *inputs, const InputsDead *dead, int64_t e);

/* The tables of the survey's gathers, to be freed by survey_dropped_free(). Local: rank 0's. STATUS_MEMORY. */
Status inputs_dead_tables(const Inputs *inputs, const InputsDead *dead, SurveyDropped *dropped);

/* The end of a run of gather e's traces (one of this rank's) that begins at t: traces that stay, or dead ones. *part
 * says which, *row where the run stands among the survey's traces, or among the dropped ones. Pure. */
int64_t inputs_dead_run(const Inputs *inputs, const InputsDead *dead, const Survey *survey, int64_t e, int64_t t,
                        SurveyPart *part, int64_t *row);

/* Writes what the headers tell of this rank's SEG-Y traces but the headers themselves: the offsets, and where the
 * traces stood; of the dead ones too. Local. STATUS_IO, STATUS_MEMORY. */
Status inputs_write_places(const Inputs *inputs, const InputsDead *dead, const Survey *survey);

/* Writes the dead traces of gather e, as it was read: samples and headers; its samples of these become zero. Local.
 * STATUS_IO; STATUS_DATA where a file changed since it was read first. */
Status inputs_dead_write(const Inputs *inputs, InputsDead *dead, const Survey *survey, int64_t e, InputsGather *gather);

/* Moves the traces of gather e that stay to its beginning; where all are dead, that is its first, of zeros. Pure. */
void inputs_dead_close_up(const Inputs *inputs, const InputsDead *dead, int64_t e, InputsGather *gather);

#endif
