#include "seisdcn/sgy_judge.h"

#include <stdio.h>
#include <string.h>

enum { RECORDED = 1, BY_SHOT = 5, FORMAT_IBM = 1 };

enum { POSITION, POSITION_FLOAT, POSITION_IBM, CDP = 5, SHOT = 6 };

#define INT SGY_WORD_INTEGER

/* In the order of preference. Bytes 221 and 225 are nobody's in rev 0 and 1, so whoever fills them means it; a number
 * at 25 is the trace's within its cdp, which makes gathers of one trace, unless it is a crossline. */
static const SgyCandidate candidates[SGY_CANDIDATES] = {
    {{{189, 4, "inline", INT}, {193, 4, "crossline", INT}}},
    {{{189, 4, "inline", SGY_WORD_FLOAT}, {193, 4, "crossline", SGY_WORD_FLOAT}}},
    {{{189, 4, "inline", SGY_WORD_IBM}, {193, 4, "crossline", SGY_WORD_IBM}}},
    {{{221, 4, "", INT}, {225, 4, "", INT}}},
    {{{21, 4, "cdp", INT}, {25, 4, "cdp_trace", INT}}},
    {{{21, 4, "cdp", INT}}},
    {{{9, 4, "shot", INT}}},
    {{{9, 4, "shot", INT}, {21, 4, "cdp", INT}}},
    {{{17, 4, "source_point", INT}, {25, 4, "cdp_trace", INT}}},
    {{{5, 4, "sequence_file", INT}, {21, 4, "cdp", INT}}},
    {{{17, 4, "source_point", INT}}},
    {{{197, 4, "shot_point", INT}}},
    {{{181, 4, "cdp_x", INT}, {185, 4, "cdp_y", INT}}},
};

const SgyCandidate *sgy_candidate(int c) { return &candidates[c]; }

static bool is_pair(const SgyCandidate *candidate) { return candidate->field[1].byte != 0; }

char *sgy_candidate_text(const SgyCandidate *candidate, char *text)
{
    char first[64], second[64];
    sgy_field_text(&candidate->field[0], first);
    if (is_pair(candidate))
        snprintf(text, 160, "%s and %s", first, sgy_field_text(&candidate->field[1], second));
    else
        snprintf(text, 160, "%s", first);
    return text;
}

char *sgy_candidate_options(const SgyCandidate *candidate, char *text)
{
    static const char *const kinds[] = {"", ":float", ":ibm"};
    const SgyField *field = candidate->field;
    if (candidate == &candidates[POSITION])
        snprintf(text, 96, "--group-by position");
    else if (is_pair(candidate))
        snprintf(text, 96, "--inline-byte %d%s --crossline-byte %d%s", field[0].byte, kinds[field[0].word],
                 field[1].byte, kinds[field[1].word]);
    else
        snprintf(text, 96, "--group-by %s", field[0].name);
    return text;
}

/* IEEE's floats from 1e-6 to 1e9 are words from 0x358637bd to 0x4e6e6b28, IBM's from 0x3c10c6f7 to 0x483b9aca; those
 * below 0 have the highest bit too. */
bool sgy_looks_float(int32_t word)
{
    uint32_t magnitude = (uint32_t)word & INT32_MAX;
    return magnitude >= 0x35000000 && magnitude <= 0x4f000000;
}

/* ---- one candidate ---- */

static bool is_empty(const SgyCandidate *candidate, const SgyTally *tally)
{
    bool first = tally->n_words[0] == 0, second = tally->n_words[1] == 0;
    if (!is_pair(candidate)) return first;
    return candidate == &candidates[POSITION] ? first && second : first || second;
}

static bool is_of_floats(const SgyCandidate *candidate, const SgyTally *tally)
{
    for (int k = 0; k < 1 + is_pair(candidate); k++) {
        if (candidate->field[k].word == SGY_WORD_INTEGER) {
            if (2 * tally->n_floats[k] > tally->n_words[k]) return true;
        } else if (tally->n_floats[k] < tally->n_words[k] || tally->n_broken[k] > 0) {
            return true;
        }
    }
    return false;
}

static bool is_constant(const SgyCandidate *candidate, const SgyTally *tally)
{
    return tally->low[0] == tally->high[0] && (!is_pair(candidate) || tally->low[1] == tally->high[1]);
}

SgyVerdict sgy_judge(const SgyCandidate *candidate, const SgyTally *tally, const SgyEvidence *evidence)
{
    if (is_empty(candidate, tally)) return SGY_EMPTY;
    if (is_of_floats(candidate, tally)) return SGY_FLOATS;
    if (!evidence->offsets_vary) return SGY_OPEN;
    bool repeated = 10 * tally->n_repeated > tally->n_drawn_traces || tally->drawn == 0;
    if (is_constant(candidate, tally)) return repeated ? SGY_ONE_GATHER : SGY_GOOD;
    if (tally->fold_usual == 1 && 2 * tally->n_drawn_traces < 3 * tally->n_drawn) return SGY_ONE_EACH;
    return repeated ? SGY_REPEATED : SGY_GOOD;
}

const char *sgy_verdict_text(SgyVerdict verdict)
{
    static const char *const texts[] = {"offsets of their own",
                                        "offsets tell nothing",
                                        "one trace a gather",
                                        "one, offsets repeat",
                                        "offsets repeat",
                                        "bits of floats",
                                        "empty"};
    return texts[verdict];
}

/* ---- all of them ---- */

static bool is_by_shot(const SgyEvidence *evidence)
{
    return evidence->sorting == RECORDED || evidence->sorting == BY_SHOT;
}

/* Which share of the numbers between least and largest the gathers take: bits that are read as the wrong kind of float
 * lie far apart. */
static double density(int c, const SgyTally *tally)
{
    double n = (double)tally[c].n_gathers;
    for (int k = 0; k < 2; k++) {
        const SgyField *field = &candidates[c].field[k];
        n /= sgy_code_value(field, tally[c].high[k]) - sgy_code_value(field, tally[c].low[k]) + 1;
    }
    return n;
}

/* Whether floats are IBM's rather than IEEE's: by how close the numbers lie, else as the samples. */
static bool is_ibm(const SgyTally *tally, const SgyEvidence *evidence)
{
    double ieee = density(POSITION_FLOAT, tally), ibm = density(POSITION_IBM, tally);
    return ieee != ibm ? ibm > ieee : evidence->format == FORMAT_IBM;
}

/* The place of candidate c in the order of preference: shot and cdp exchanged where the file is in order of shots. */
static int preference(int c, const SgyTally *tally, const SgyEvidence *evidence)
{
    if ((c == CDP || c == SHOT) && is_by_shot(evidence)) return CDP + SHOT - c;
    bool floats = c == POSITION_FLOAT || c == POSITION_IBM;
    return floats && is_ibm(tally, evidence) ? POSITION_FLOAT + POSITION_IBM - c : c;
}

/* cdp or shot where it differs, though nothing proves it. */
static int fall_back(const SgyTally *tally, const SgyEvidence *evidence, const SgyVerdict *verdict)
{
    bool differs[2];
    for (int i = 0; i < 2; i++) {
        int c = i == 0 ? CDP : SHOT;
        differs[i] = verdict[c] != SGY_EMPTY && verdict[c] != SGY_FLOATS && tally[c].low[0] < tally[c].high[0];
    }
    if (differs[0] && !(differs[1] && is_by_shot(evidence))) return CDP;
    if (differs[1]) return SHOT;
    return verdict[POSITION] == SGY_EMPTY && verdict[SHOT] != SGY_FLOATS ? SHOT : -1;
}

/* The default of consolidate; `best` is the first of the order of preference whose verdict is the best. */
static int choose(const SgyTally *tally, const SgyEvidence *evidence, const SgyVerdict *verdict, int best)
{
    SgyVerdict usual = verdict[POSITION];
    bool few = evidence->n_traces < SGY_FEW && usual != SGY_EMPTY;
    if (few || usual == SGY_GOOD || usual == SGY_OPEN || usual == SGY_REPEATED) return POSITION;
    if (verdict[best] == SGY_GOOD) return best;
    if (usual == SGY_EMPTY || usual == SGY_FLOATS) return fall_back(tally, evidence, verdict);
    return POSITION;
}

static void sort(const int *key, int *order)
{
    for (int c = 0; c < SGY_CANDIDATES; c++) {
        int at = c;
        for (; at > 0 && key[order[at - 1]] > key[c]; at--) order[at] = order[at - 1];
        order[at] = c;
    }
}

int sgy_judge_all(const SgyTally *tally, const SgyEvidence *evidence, SgyVerdict *verdict, int *order)
{
    int key[SGY_CANDIDATES];
    for (int c = 0; c < SGY_CANDIDATES; c++) {
        verdict[c] = sgy_judge(&candidates[c], &tally[c], evidence);
        key[c] = (int)verdict[c] * SGY_CANDIDATES + preference(c, tally, evidence);
    }
    sort(key, order);
    int chosen = choose(tally, evidence, verdict, order[0]);
    if (chosen < 0) return chosen;
    key[chosen] = -1;
    sort(key, order);
    return chosen;
}
