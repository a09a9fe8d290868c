/* position: where a gather lies in a survey: its inline and crossline, any two numbers of 32 bits but one. */
#ifndef SEISDCN_POSITION_H
#define SEISDCN_POSITION_H

#include <stdbool.h>
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

#endif
