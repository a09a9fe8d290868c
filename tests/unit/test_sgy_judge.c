/* Tests of format/sgy_judge: what makes sense as a gather's number, on statistics of files that people have. */
#include "seisdcn/sgy_judge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { POSITION, POSITION_FLOAT, POSITION_IBM, BYTES_221, CDP_25, CDP, SHOT, SHOT_CDP };

/* A file of 480 traces whose offsets vary, and whose headers are empty but for what a test puts in. */
typedef struct {
    SgyEvidence evidence;
    SgyTally tally[SGY_CANDIDATES];
} Case;

static Case empty_case(void)
{
    Case file = {.evidence = {.n_traces = 480, .offsets_vary = true, .format = 5}};
    for (int c = 0; c < SGY_CANDIDATES; c++)
        file.tally[c] = (SgyTally){.n_gathers = 1,
                                   .n_drawn = 1,
                                   .drawn = 1,
                                   .n_drawn_traces = 480,
                                   .fold_low = 480,
                                   .fold_usual = 480,
                                   .fold_high = 480,
                                   .n_repeated = 440};
    return file;
}

/* Candidate c makes so many gathers of one fold, with words from 1 to `high`, `repeated` offsets among them. */
static void put(Case *file, int c, int64_t gathers, int64_t repeated, int32_t low, int32_t high)
{
    SgyTally *tally = &file->tally[c];
    int64_t fold = 480 / gathers;
    *tally = (SgyTally){.n_gathers = gathers,
                        .n_drawn = gathers,
                        .drawn = 1,
                        .n_drawn_traces = 480,
                        .fold_low = fold,
                        .fold_usual = fold,
                        .fold_high = fold,
                        .n_repeated = repeated,
                        .n_words = {480, 480},
                        .low = {low, low},
                        .high = {high, high}};
    if (sgy_looks_float(high)) tally->n_floats[0] = tally->n_floats[1] = 480;
}

static int choose(const Case *file)
{
    SgyVerdict verdict[SGY_CANDIDATES];
    int order[SGY_CANDIDATES], seen = 0;
    int chosen = sgy_judge_all(file->tally, &file->evidence, verdict, order);
    for (int i = 0; i < SGY_CANDIDATES; i++) seen |= 1 << order[i];
    assert_int_equal(seen, (1 << SGY_CANDIDATES) - 1);
    if (chosen >= 0) assert_int_equal(order[0], chosen);
    return chosen;
}

static void positions_that_make_sense_stay(void **state)
{
    (void)state;
    Case file = empty_case();
    put(&file, POSITION, 12, 0, 1, 12);
    put(&file, CDP, 12, 0, 1, 12);
    assert_int_equal(choose(&file), POSITION);
    put(&file, POSITION, 12, 200, 1, 12); /* repeated offsets, as of several azimuths */
    assert_int_equal(choose(&file), POSITION);
    put(&file, POSITION, 1, 0, 7, 7); /* one gather */
    assert_int_equal(choose(&file), POSITION);
    put(&file, POSITION, 480, 0, 1, 480); /* a stack: no offset tells anything */
    file.evidence.offsets_vary = false;
    assert_int_equal(choose(&file), POSITION);
}

static void positions_that_make_none_give_way(void **state)
{
    (void)state;
    Case file = empty_case();
    put(&file, CDP, 12, 0, 1001, 1012);
    put(&file, SHOT_CDP, 12, 0, 1, 1012);
    assert_int_equal(choose(&file), CDP); /* empty */
    put(&file, POSITION, 12, 0, 1120403456, 1149657088);
    assert_int_equal(choose(&file), CDP); /* floats */
    put(&file, POSITION, 480, 0, 1, 480);
    assert_int_equal(choose(&file), CDP); /* one trace each */
    put(&file, POSITION, 1, 440, 7, 7);
    assert_int_equal(choose(&file), CDP); /* all one */
    put(&file, CDP_25, 12, 0, 1300, 1400);
    assert_int_equal(choose(&file), CDP_25); /* Penobscot */
    put(&file, BYTES_221, 12, 0, 10, 11);
    assert_int_equal(choose(&file), BYTES_221);
}

static void cdp_or_shot(void **state)
{
    (void)state;
    Case file = empty_case();
    put(&file, CDP, 12, 0, 1, 12);
    put(&file, SHOT, 12, 0, 1, 12);
    assert_int_equal(choose(&file), CDP);
    file.evidence.sorting = 5;
    assert_int_equal(choose(&file), SHOT);
    put(&file, SHOT, 480, 0, 1, 480);
    assert_int_equal(choose(&file), CDP); /* one CDP or more, of many shots */
    put(&file, CDP, 1, 0, 9, 9);
    assert_int_equal(choose(&file), CDP);
    put(&file, CDP, 480, 0, 1, 480);
    put(&file, SHOT, 1, 0, 3, 3);
    assert_int_equal(choose(&file), SHOT);
}

static void without_proof(void **state)
{
    (void)state;
    Case file = empty_case();
    assert_int_equal(choose(&file), SHOT); /* nothing at all: one gather */
    put(&file, POSITION, 12, 0, 1120403456, 1149657088);
    assert_int_equal(choose(&file), -1);
    put(&file, CDP, 12, 440, 1, 12);
    assert_int_equal(choose(&file), CDP);
    put(&file, CDP, 12, 440, 1120403456, 1149657088);
    assert_int_equal(choose(&file), -1);
    file.evidence.n_traces = 3; /* too few to tell */
    assert_int_equal(choose(&file), POSITION);
}

static void floats_as_positions(void **state)
{
    (void)state;
    Case file = empty_case();
    for (int c = POSITION; c <= POSITION_IBM; c++) put(&file, c, 12, 0, 1092616192, 1128923136);
    assert_int_equal(choose(&file), POSITION_FLOAT);
    file.evidence.format = 1;
    assert_int_equal(choose(&file), POSITION_IBM);
    file.tally[POSITION_IBM].n_broken[1] = 1;
    assert_int_equal(choose(&file), POSITION_FLOAT);
    file.tally[POSITION_FLOAT].n_floats[0] = 479; /* a word that is no float's */
    assert_int_equal(choose(&file), -1);
}

static void floats_by_their_bits(void **state)
{
    (void)state;
    static const int32_t floats[] = {0x3f800000, 0x41200000, 0x447a0000, 0x42640000, (int32_t)0xc1200000, 0x3b83126f};
    static const int32_t others[] = {0, 1, -1, 1300, 6201819, 60742329, INT32_MAX, INT32_MIN, 0x7fc00000};
    for (size_t i = 0; i < sizeof floats / sizeof *floats; i++) assert_true(sgy_looks_float(floats[i]));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) assert_false(sgy_looks_float(others[i]));
}

static void names(void **state)
{
    (void)state;
    char text[160];
    assert_string_equal(sgy_candidate_options(sgy_candidate(POSITION), text), "--group-by position");
    assert_string_equal(sgy_candidate_options(sgy_candidate(CDP_25), text), "--inline-byte 21 --crossline-byte 25");
    assert_string_equal(sgy_candidate_options(sgy_candidate(POSITION_IBM), text),
                        "--inline-byte 189:ibm --crossline-byte 193:ibm");
    assert_string_equal(sgy_candidate_options(sgy_candidate(SHOT), text), "--group-by shot");
    assert_string_equal(sgy_candidate_text(sgy_candidate(POSITION), text),
                        "inline (byte 189) and crossline (byte 193)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(positions_that_make_sense_stay),
        cmocka_unit_test(positions_that_make_none_give_way),
        cmocka_unit_test(cdp_or_shot),
        cmocka_unit_test(without_proof),
        cmocka_unit_test(floats_as_positions),
        cmocka_unit_test(floats_by_their_bits),
        cmocka_unit_test(names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
