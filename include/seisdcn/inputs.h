/* inputs: the files that a survey is made of, as one list of gathers: .npy files, or folders of them.
 *
 * A file's 2D array is a gather, a 3D one several. Files of a folder come in the natural order of their names, files of
 * the command line in the order given. Refused: a missing file (STATUS_IO), a folder without gathers, gathers whose
 * sample counts differ (STATUS_DATA). */
#ifndef SEISDCN_INPUTS_H
#define SEISDCN_INPUTS_H

#include "seisdcn/comm.h"
#include "seisdcn/npy.h"
#include "seisdcn/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    int64_t n_files, n_gathers, n_samples;
    char *texts;        /* the paths one behind the other, each with its zero */
    const char **paths; /* [n_files], into texts */
    NpyHeader *headers; /* [n_files] */
    int64_t *first;     /* [n_files + 1], the first gather of each file */
    bool transpose;     /* the arrays are (samples, traces) */
} Inputs;

/* Finds the files behind names (rank 0), reads their headers side by side, and checks that they make one survey; all
 * ranks get the list. Collective. STATUS_USAGE, STATUS_IO, STATUS_DATA, STATUS_MEMORY. On failure nothing is left. */
Status inputs_open(const Comm *comm, int n_names, char *const *names, bool transpose, Inputs *inputs);

/* Frees the list; one of zeros is nothing. Local. */
void inputs_free(Inputs *inputs);

/* Where gather e lies: its file, and its place in the file. Pure. */
void inputs_find(const Inputs *inputs, int64_t e, int64_t *file, int64_t *place);

/* Traces of gather e. Pure. */
int64_t inputs_fold(const Inputs *inputs, int64_t e);

/* How gather e's origin is called: the file's base name, with [i] for the i-th gather of a 3D array; text holds size
 * bytes, longer names are cut. Pure. */
char *inputs_source(const Inputs *inputs, int64_t e, char *text, size_t size);

/* Reads gather e into amplitude [fold][n_samples]. Local. STATUS_IO, STATUS_MEMORY. */
Status inputs_read(const Inputs *inputs, int64_t e, float *amplitude);

/* Inline and crossline out of a file's name (inline_I_crossline_X or inline_I_X), -1 each where it has none. Pure. */
void inputs_position(const char *name, int32_t *line, int32_t *crossline);

#endif
