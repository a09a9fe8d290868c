/* position: where a gather lies in a survey: its inline and crossline, any two numbers of 32 bits but one. */
#ifndef SEISDCN_POSITION_H
#define SEISDCN_POSITION_H

#include "seisdcn/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Stands for an inline or a crossline that is not known. Survey files of version 1 have -1 in its place. */
#define POSITION_UNKNOWN INT32_MIN

/* Whether a gather's position is known: both of its numbers. Pure. */
static inline bool position_known(int32_t line, int32_t crossline)
{
    return line != POSITION_UNKNOWN && crossline != POSITION_UNKNOWN;
}

/* Inline and crossline out of a file's name (inline_I_crossline_X or inline_I_X, in capitals too), POSITION_UNKNOWN
 * each where it has none. Pure. */
void position_of_name(const char *name, int32_t *line, int32_t *crossline);

/* How names of another kind tell positions: IL{inline}_XL{crossline}. It is looked for anywhere in a name, in letters
 * of either case; a number is a whole run of digits, with or without a minus. A minus in front of a number is a sign,
 * unless the pattern has it, or begins with the number and a letter or digit stands before the minus. */
typedef struct {
    const char *text;       /* NULL: no pattern */
    const char *literal[3]; /* what stands before, between and behind the two numbers; into text */
    size_t length[3];
    bool crossline_first;
} PositionPattern;

/* Reads a pattern, which points into text from then on. Pure but for the message: STATUS_USAGE where it is none. */
Status position_pattern_parse(const char *text, PositionPattern *pattern);

/* How many positions a name has by a pattern: 0, 1, or 2 where parts of it give different ones; those two (the first of
 * them twice where there is one) go to line [2] and crossline [2], POSITION_UNKNOWN where there is none. Pure. */
int position_pattern_find(const PositionPattern *pattern, const char *name, int32_t line[2], int32_t crossline[2]);

/* Orders two line numbers (int32_t), for qsort() and bsearch(). Pure. */
int position_compare(const void *a, const void *b);

#endif
