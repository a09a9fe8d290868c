/* scale: what a patch or a window is divided by before the network sees it: its largest magnitude or its root mean
 * square, rounded up to a grid of powers of two where one is wanted. A grid makes windows of equal scale, which is what
 * sharing lives from. Training and apply use the same. */
#ifndef SEISDCN_SCALE_H
#define SEISDCN_SCALE_H

#include "seisdcn/config.h"

#include <stdint.h>

enum { SCALE_GRID_MAX = 64 };

typedef struct {
    ScaleKind kind;
    int64_t grid;                   /* steps in a factor of two; 0: none */
    float step[SCALE_GRID_MAX + 1]; /* 2^(k / grid), k = 0 .. grid */
} PatchScale;

/* A kind with a grid of 0 .. SCALE_GRID_MAX steps. Pure. */
PatchScale scale_of(ScaleKind kind, int64_t grid);

/* The next value of the grid from s >= 0 on (s itself where it lies on it, is 0, or there is none above). Pure; the
 * same bits on every instruction set. */
float scale_round(const PatchScale *scale, float s);

/* The scale of n values whose largest magnitude and sum of squares these are. Pure. */
float scale_value(const PatchScale *scale, float largest, double square, int64_t n);

#endif
