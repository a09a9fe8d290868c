/* sgy_judge: which field of SEG-Y's trace headers tells the gathers, judged by what stands in them.
 *
 * A candidate is one word of the header (cdp, shot), or two (inline and crossline at bytes 189 and 193, or where else
 * people put them). The rules, in plain words:
 *
 *   empty       Every word is 0 (of two words other than 189 and 193: one of them is). Nobody filled it in.
 *   floats      Most words that are not 0 are near 1e9, as the bits of floats of everyday size are. (A candidate that
 *               takes the words for floats is judged the other way round: all must be such bits, and whole numbers.)
 *   open        The traces of the whole file have one offset, which then tells nothing: a stack, say.
 *   one each    Offsets vary, and the gathers have one trace each: what tells traces apart, not gathers.
 *   one gather  All traces have the same number, and their offsets repeat: it tells nothing.
 *   repeated    More than a tenth of the traces have the offset of another trace of their gather: gathers of several
 *               positions thrown together.
 *   good        Gathers of several traces with offsets of their own.
 *
 * consolidate's default: bytes 189 and 193, unless they are empty, floats, one each or one gather and another
 * candidate is good: then that, the first in the table's order. Where none is, one each and one gather stay at 189 and
 * 193; of empty ones and floats, cdp is taken where it differs, else shot. Where these make no sense either, there is
 * no default. cdp goes before shot, but in files whose sorting code says that they are in the order of shots. Fewer
 * than four traces tell nothing: they stay at 189 and 193 where these are not empty. */
#ifndef SEISDCN_SGY_JUDGE_H
#define SEISDCN_SGY_JUDGE_H

#include "seisdcn/sgy_field.h"

#include <stdbool.h>
#include <stdint.h>

enum { SGY_CANDIDATES = 13, SGY_FEW = 4 /* fewer traces tell nothing */ };

/* Words of a header that may tell gathers; field[1].byte is 0 where it is one. */
typedef struct {
    SgyField field[2];
} SgyCandidate;

/* What was seen of one candidate. */
typedef struct {
    int64_t n_words[2];      /* that are not 0 */
    int64_t n_floats[2];     /* of these: near 1e9, like the bits of floats */
    int64_t n_broken[2];     /* of these: not whole numbers (floats alone) */
    int32_t low[2], high[2]; /* codes (sgy_field.h) */
    int64_t n_gathers;       /* of all traces seen; an estimate where drawn > 1 */
    int64_t drawn;   /* the figures below are of one gather in `drawn`; 0: of none, gathers are too large to count */
    int64_t n_drawn; /* gathers */
    int64_t n_drawn_traces;
    int64_t fold_low, fold_usual, fold_high;
    int64_t n_repeated; /* traces with the offset of an earlier one of their gather */
} SgyTally;

/* What was seen of all traces. */
typedef struct {
    int64_t n_traces;
    bool offsets_vary;
    int sorting; /* code of the binary header: 1 as recorded, 5 by shot */
    int format;  /* of the samples */
} SgyEvidence;

typedef enum {
    SGY_GOOD,
    SGY_OPEN,
    SGY_ONE_EACH,
    SGY_ONE_GATHER,
    SGY_REPEATED,
    SGY_FLOATS,
    SGY_EMPTY,
} SgyVerdict;

/* Candidate c (0 is inline and crossline at bytes 189 and 193). Pure; the table is the module's. */
const SgyCandidate *sgy_candidate(int c);

/* How it is called: "inline (byte 189) and crossline (byte 193)"; text holds 160 bytes. Pure. */
char *sgy_candidate_text(const SgyCandidate *candidate, char *text);

/* The options of consolidate that choose it: "--inline-byte 21 --crossline-byte 25"; text holds 96 bytes. Pure. */
char *sgy_candidate_options(const SgyCandidate *candidate, char *text);

/* Whether a 4-byte word is near 1e9, as the bits of floats of 1e-6 to 1e9 are in IEEE's and IBM's kind. Pure. */
bool sgy_looks_float(int32_t word);

/* Judges a candidate. Pure. */
SgyVerdict sgy_judge(const SgyCandidate *candidate, const SgyTally *tally, const SgyEvidence *evidence);

/* A verdict in words, "offsets of their own". Pure. */
const char *sgy_verdict_text(SgyVerdict verdict);

/* Judges all candidates (tally, verdict [SGY_CANDIDATES]) and puts them in order, the best one first (order
 * [SGY_CANDIDATES]). Returns the one that consolidate takes, which is the first, or -1 where none makes sense. Pure. */
int sgy_judge_all(const SgyTally *tally, const SgyEvidence *evidence, SgyVerdict *verdict, int *order);

#endif
