/* selector: the user's way to name ensembles: `1300:1400` (inline:crossline), `#7` (the 8th of the file), ranges
 * `1300-1310:1400-1500` and `#0-#9`, joined by commas. Line numbers may be negative: `-3:-2`, and `-5--3:-10-4` for
 * inlines -5 to -3 and crosslines -10 to 4. Gathers whose position is not known have a place in the file only. */
#ifndef SEISDCN_SELECTOR_H
#define SEISDCN_SELECTOR_H

#include "seisdcn/status.h"

#include <stdint.h>

/* Fills selected[0..n) with 1 for each ensemble that LIST names, 0 else, given the ensembles' inlines and crosslines
 * (POSITION_UNKNOWN where unknown). Local. STATUS_USAGE where the text is malformed or a part of it names nothing that
 * is there (the message says which part, and what there is). */
Status selector_list(const char *list, int64_t n, const int32_t *inlines, const int32_t *crosslines, uint8_t *selected);

/* The one ensemble that SELECTOR names. Local. STATUS_USAGE where it is malformed, names none, or more than one. */
Status selector_one(const char *selector, int64_t n, const int32_t *inlines, const int32_t *crosslines,
                    int64_t *ensemble);

#endif
