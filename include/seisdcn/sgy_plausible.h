/* sgy_plausible: whether samples of four bytes are what their format code says, by their statistics: IBM floats, IEEE
 * floats and 32-bit integers, which many files mistake for each other.
 *
 * A code is doubted only where its reading makes no sense and another one does. What tells (of words that are not 0):
 * - an IBM float's first hexadecimal digit is not 0. The same four bits of an IEEE float are 0 in one of 12 words, and
 *   an IBM float's digits fall off from 1 to 15 as Benford's law has it, those of an IEEE float twice from 0 to 7.
 * - integers read as floats have exponents all over the range; floats read as integers have no small numbers, though
 *   they change their signs.
 * - signed integers read as unsigned ones jump between the ends of the range.
 * - floats in the other byte order have their exponents all over the range.
 * Few words, few different ones, or words of few magnitudes (all zeros, a spike, a square wave) tell nothing. */
#ifndef SEISDCN_SGY_PLAUSIBLE_H
#define SEISDCN_SGY_PLAUSIBLE_H

#include "seisdcn/sgy_layout.h"
#include "seisdcn/status.h"

#include <stdbool.h>
#include <stdint.h>

/* What samples look like. */
typedef struct {
    int format;       /* as the code says, or the one that makes sense instead */
    bool big;         /* its byte order */
    char reason[128]; /* why the code makes none */
} SgyPlausible;

/* Judges n samples of a format and byte order; others than 1, 2, 5 and 10 are believed. Local. STATUS_MEMORY. */
Status sgy_plausible(int format, bool big, const uint8_t *raw, int64_t n, SgyPlausible *verdict);

/* Judges samples of some traces from all over a file. Local. STATUS_DATA with the format that makes sense; STATUS_IO,
 * STATUS_MEMORY. */
Status sgy_plausible_file(const char *path, const SgyLayout *layout);

/* Finds the format, and byte order, that samples of four bytes make sense as, whatever their code: format 0 where none
 * does. Local. STATUS_IO, STATUS_MEMORY. */
Status sgy_plausible_find(const char *path, const SgyLayout *layout, SgyPlausible *verdict);

#endif
