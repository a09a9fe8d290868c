/* npy: NumPy's array files, versions 1 to 3, of 2 or 3 dimensions, C or Fortran order, integers and floats of every
 * size and both byte orders. Refused with STATUS_DATA, naming the file and what it holds: other dtypes (complex, bool,
 * object, strings, records), other dimensions, headers that lie about the file's length, empty arrays. */
#ifndef SEISDCN_NPY_H
#define SEISDCN_NPY_H

#include "seisdcn/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    char kind;           /* 'f' float, 'i' signed, 'u' unsigned */
    int item_size;       /* bytes: 1, 2, 4, 8 (floats 2, 4, 8) */
    bool swapped;        /* big-endian items */
    bool fortran;        /* first index fastest */
    int n_dims;          /* 2 or 3 */
    int64_t dims[3];     /* as in the file */
    int64_t data_offset; /* bytes before the first item */
} NpyHeader;

/* Reads and checks the header of path. Local. STATUS_IO, STATUS_DATA. */
Status npy_read_header(const char *path, NpyHeader *header);

/* What of a gather's numbers float32 cannot hold, where they are float64 or scaled; float32 cannot lose what it has. */
typedef struct {
    double scale;   /* what each number is multiplied by, in float64, before it becomes float32; 1: nothing */
    double largest; /* the largest |number|, scaled, of those that are finite in the file; 0 where none was looked at */
    int64_t beyond; /* place in amplitude of one of them that is beyond float32's range, -1: none */
    double beyond_number; /* which is this in the file */
} NpyRange;

/* Reads gather g (0 for a 2D array; dims are (gathers, traces, samples) for a 3D one) as float32 [traces][samples];
 * with transpose = true the file's last two dimensions are (samples, traces). range (NULL: a scale of 1, nothing is
 * told) has the scale, and gets the rest: numbers beyond float32's range become infinite, as those that are so in the
 * file. Local. STATUS_IO, STATUS_DATA, STATUS_MEMORY. */
Status npy_read_gather(const char *path, const NpyHeader *header, int64_t g, bool transpose, float *amplitude,
                       NpyRange *range);

/* Writes float32 [n_traces][n_samples] as version 1 '<f4' in C order, under path only when whole. Local. STATUS_IO. */
Status npy_write(const char *path, int64_t n_traces, int64_t n_samples, const float *amplitude);

#endif
