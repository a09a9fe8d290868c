/* inputs: the files that a survey is made of, as one list of gathers: .npy files, SEG-Y files (.sgy, .segy), or folders
 * of either.
 *
 * A .npy file's 2D array is a gather, a 3D one several. SEG-Y traces become gathers by their headers (sgy_index.h), of
 * all files together. Files of a folder come in the natural order of their names, files of the command line in the
 * order given. Refused: a missing file (STATUS_IO), both kinds together (STATUS_USAGE), a folder without gathers,
 * gathers whose sample counts differ, SEG-Y files that cannot be one file (STATUS_DATA). */
#ifndef SEISDCN_INPUTS_H
#define SEISDCN_INPUTS_H

#include "seisdcn/comm.h"
#include "seisdcn/npy.h"
#include "seisdcn/position.h"
#include "seisdcn/sgy_files.h"
#include "seisdcn/sgy_index.h"
#include "seisdcn/sgy_sample.h"
#include "seisdcn/status.h"
#include "seisdcn/survey.h"
#include "seisdcn/survey_segy.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the user says about the files. */
typedef struct {
    double interval_us;    /* 0: SEG-Y's headers tell */
    bool transpose;        /* .npy arrays are (samples, traces) */
    double scale;          /* what .npy numbers and 64-bit floats of SEG-Y are multiplied by; 1, or 0: nothing */
    PositionPattern names; /* how .npy files' names tell positions; of zeros: as position_of_name() reads them */
    SgyForce force;
    SgyRule rule;
} InputsOptions;

typedef struct {
    int64_t n_files, n_gathers, n_samples;
    double interval_us;       /* 0 where unknown */
    char *texts;              /* the paths one behind the other, each with its zero */
    const char **paths;       /* [n_files], into texts */
    int64_t *first;           /* [n_files + 1], the first gather (SEG-Y: trace) of each file */
    int64_t my_first, my_end; /* this rank reads gathers my_first .. my_end - 1 */
    NpyHeader *headers;       /* [n_files] of .npy */
    bool transpose;
    double scale;
    PositionPattern names;
    SgyLayout *layouts;          /* [n_files] of SEG-Y; NULL: .npy */
    int64_t *marks, *first_mark; /* of SEG-Y traces that differ in length (sgy_files.h) */
    SgyFiles files;
    SgyIndex index;
} Inputs;

/* A gather as it is read. */
typedef struct {
    float *amplitude;        /* [fold][n_samples] */
    uint8_t *headers;        /* SEG-Y: [fold][SGY_HEADER], else NULL */
    uint8_t *extra;          /* and [fold][SGY_HEADER * n_extra] */
    uint8_t *bytes;          /* of one trace, for working in */
    SgyOdd odd;              /* of all gathers read so far; first is a place in first_odd's trace */
    int64_t first_odd_trace; /* -1: none */
    double largest;          /* of float64, or scaled: the largest |amplitude| of all gathers read so far */
    int64_t faint,
        first_faint; /* and how many of them have nothing but numbers that float32 loses; the first, -1: none */
} InputsGather;

/* Finds the files behind names (rank 0), reads their headers side by side, and checks that they make one survey; all
 * ranks get the list. What is worth knowing of SEG-Y goes to the log. Collective. STATUS_USAGE, STATUS_IO, STATUS_DATA,
 * STATUS_MEMORY. On failure nothing is left. */
Status inputs_open(const Comm *comm, int n_names, char *const *names, const InputsOptions *options, Inputs *inputs);

/* The same of SEG-Y files alone, which may differ in anything, and no further than their layouts: inputs->files can be
 * read. Collective. STATUS_USAGE, STATUS_IO, STATUS_DATA, STATUS_MEMORY. On failure nothing is left. */
Status inputs_open_headers(const Comm *comm, int n_names, char *const *names, const SgyForce *force, Inputs *inputs);

/* Frees the list; one of zeros is nothing. Local. */
void inputs_free(Inputs *inputs);

/* Traces of gather e. Pure; SEG-Y: on rank 0. */
int64_t inputs_fold(const Inputs *inputs, int64_t e);

/* Traces of gather e, one of this rank's, and the most that any of these has. Pure. */
int64_t inputs_my_fold(const Inputs *inputs, int64_t e);
int64_t inputs_my_max_fold(const Inputs *inputs);

/* The file that trace t of gather e, one of this rank's, is in; and how many traces a file has. Pure. */
int64_t inputs_file(const Inputs *inputs, int64_t e, int64_t t);
int64_t inputs_file_traces(const Inputs *inputs, int64_t file);

/* Inline and crossline of gather e, POSITION_UNKNOWN each where they are not known. Pure; SEG-Y: on rank 0. */
void inputs_place(const Inputs *inputs, int64_t e, int32_t *line, int32_t *crossline);

/* Warns of gathers whose position is that of an earlier one, given the survey that was made of the inputs. Local: rank
 * 0's. STATUS_MEMORY. */
Status inputs_report_repeats(const Inputs *inputs, const Survey *survey);

/* How gather e's origin is called: the file's base name (SEG-Y: of its first trace), with [i] for the i-th gather of a
 * 3D array; text holds size bytes, longer names are cut. Pure; SEG-Y: on rank 0. */
char *inputs_source(const Inputs *inputs, int64_t e, char *text, size_t size);

/* How trace t of gather e, one of this rank's, is called in messages: "line.sgy: trace 12"; text holds size bytes.
 * Pure.
 */
char *inputs_trace_name(const Inputs *inputs, int64_t e, int64_t t, char *text, size_t size);

/* What the survey keeps of SEG-Y files; of .npy files head is NULL. To be freed with survey_segy_free(). Local.
 * STATUS_IO, STATUS_MEMORY. */
Status inputs_segy(const Inputs *inputs, SurveySegy *segy);

/* Which sample of its file's trace sample s of trace t of gather e (one of this rank's) is: s itself but for traces
 * that were shifted. Pure. */
int64_t inputs_sample(const Inputs *inputs, int64_t e, int64_t t, int64_t s);

/* Room for gathers of up to max_fold traces. Local. STATUS_MEMORY. */
Status inputs_gather_new(const Inputs *inputs, int64_t max_fold, InputsGather *gather);

void inputs_gather_free(InputsGather *gather);

/* Reads gather e, one of this rank's. Local. STATUS_IO, STATUS_MEMORY; STATUS_DATA where a finite number of a .npy
 * file, or of a SEG-Y file's 64-bit floats, is beyond float32's range. */
Status inputs_read(Inputs *inputs, int64_t e, InputsGather *gather);

/* Once each rank has read its gathers: refuses files that have nothing but numbers so small that float32 loses
 * them, and warns where that is so of single gathers. Collective. STATUS_DATA. */
Status inputs_check_range(const Comm *comm, const Inputs *inputs, const InputsGather *gather);

#endif
