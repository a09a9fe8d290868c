/* sgy_lines: whether several SEG-Y files that have gathers of the same numbers are several 2D lines, whose gathers are
 * to be kept apart, or parts of one survey, whose gathers join.
 *
 * In plain words: files that share no gather, and volumes of single offsets, join. Files whose line numbers (bytes
 * 3205-3208 of the binary header) are told and differ are lines. Of others, those whose offsets never meet in a gather
 * join (near and far traces), and those whose offsets meet in at least half of the traces are lines, numbered as the
 * files come, where no header tells a number. In all other cases nothing tells: where offsets are all alike, where
 * they meet now and then, and where they meet though all files tell one line number. */
#ifndef SEISDCN_SGY_LINES_H
#define SEISDCN_SGY_LINES_H

#include "seisdcn/sgy_layout.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum { SGY_LINES_FOUND, SGY_LINES_JOIN, SGY_LINES_APART } SgyLines; /* what the user says */

/* What was seen of several files, their gathers joined. */
typedef struct {
    bool numbers_told, numbers_differ;
    int64_t n_gathers; /* with traces of several files */
    int64_t n_traces;  /* in them */
    int64_t n_met;     /* of these: with the offset of a trace of another file */
    bool offsets_vary;
    bool single_offsets; /* each file has one, and no two have the same */
} SgyOverlap;

typedef enum { SGY_ONE_LINE, SGY_SEVERAL_LINES, SGY_UNCLEAR } SgyLinesVerdict;

/* Judges. Pure. */
SgyLinesVerdict sgy_lines_judge(const SgyOverlap *overlap);

/* The files' line numbers as the binary headers tell them: *differ: they are not all the same. False where one has
 * none. Pure. */
bool sgy_lines_told(const SgyLayout *layouts, int64_t n, bool *differ);

#endif
