/* levelset: windows of one scale that lie together: what predict_shared() computes at once.
 *
 * The largest magnitude of a sliding window is constant over runs: windows with the same scale see the same scaled
 * input. A set holds windows of equal scale out of a box of LEVELSET_SIZE rows and columns, as a bit mask a row: the
 * box that follows the set's first window in reading order. Ties that reach further (clipped data) are cut into several
 * sets; equal maxima with an empty row between them are not joined. */
#ifndef SEISDCN_LEVELSET_H
#define SEISDCN_LEVELSET_H

#include <stdint.h>

enum { LEVELSET_SIZE = 32 };

typedef struct {
    int64_t row, column;   /* of the box's first window */
    int64_t rows, columns; /* of the box: it touches the set on all sides */
    int64_t n;             /* windows */
    float scale;
    uint32_t mask[LEVELSET_SIZE]; /* bit c of mask[r]: window (row + r, column + c) */
} LevelSet;

/* Takes the set whose first window is (row, column), where scale [rows][stride] holds a scale above 0, out of `scale`:
 * its windows become 0 there. rows and columns bound the windows. Pure. */
void levelset_take(float *scale, int64_t rows, int64_t columns, int64_t stride, int64_t row, int64_t column,
                   LevelSet *set);

#endif
