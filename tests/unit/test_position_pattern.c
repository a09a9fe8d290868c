/* Patterns of names: what they find, and which ones are refused. */
#include "seisdcn/position.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { NONE = POSITION_UNKNOWN };

typedef struct {
    const char *pattern, *name;
    int n;
    int32_t line, crossline; /* of the first */
} Case;

static void check(const Case *wanted, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        PositionPattern pattern;
        int32_t line[2], crossline[2];
        assert_int_equal(position_pattern_parse(wanted[i].pattern, &pattern), STATUS_OK);
        int found = position_pattern_find(&pattern, wanted[i].name, line, crossline);
        if (found != wanted[i].n || line[0] != wanted[i].line || crossline[0] != wanted[i].crossline)
            fail_msg("'%s' in %s: %d, %d:%d", wanted[i].pattern, wanted[i].name, found, line[0], crossline[0]);
    }
}

static void a_pattern_is_a_part_of_a_name(void **state)
{
    (void)state;
    static const Case cases[] = {
        {"IL{inline}_XL{crossline}", "IL1300_XL1400.npy", 1, 1300, 1400},
        {"IL{inline}_XL{crossline}", "survey_IL1300_XL1400_v2.npy", 1, 1300, 1400},
        {"IL{inline}_XL{crossline}.npy", "survey_IL1300_XL1400.npy", 1, 1300, 1400},
        {"IL{inline}_XL{crossline}.npy", "survey_IL1300_XL1400_v2.npy", 0, NONE, NONE},
        {"il{inline}_xl{crossline}", "IL0007_XL08.NPY", 1, 7, 8},
        {"xl{crossline} il{inline}", "xl3 il4.npy", 1, 4, 3},
        {"{inline}_{crossline}", "1300_1400.npy", 1, 1300, 1400},
        {"{inline}_{crossline}", "line1300_1400z.npy", 1, 1300, 1400},
        {"{inline}x{crossline}v2", "1x2v2.npy", 1, 1, 2},
        {"{inline}x{crossline}v2", "1x2v21.npy", 0, NONE, NONE},
        {"3d{inline}-{crossline}", "13d5-6.npy", 0, NONE, NONE},
        {"3d{inline}-{crossline}", "3d5-6.npy", 1, 5, 6},
        {"v2{inline}_{crossline}", "v21300_7.npy", 1, 1300, 7},
        {"IL{inline}_XL{crossline}", "IL1300.5_XL1400.npy", 0, NONE, NONE},
        {"IL{inline}_XL{crossline}", "IL_XL1400.npy", 0, NONE, NONE},
        {"IL{inline}_XL{crossline}", "", 0, NONE, NONE},
    };
    check(cases, sizeof cases / sizeof *cases);
}

static void numbers_have_signs(void **state)
{
    (void)state;
    static const Case cases[] = {
        {"IL{inline}_XL{crossline}", "IL-5_XL-7.npy", 1, -5, -7},
        {"IL{inline}-XL{crossline}", "IL5-XL7.npy", 1, 5, 7},
        {"{inline}-{crossline}", "5-7.npy", 1, 5, 7},
        {"{inline}-{crossline}", "-5--7.npy", 1, -5, -7},
        {"{inline}-{crossline}", "5--7.npy", 1, 5, -7},
        {"{inline}_{crossline}", "gather_-5_7.npy", 1, -5, 7},
        {"{inline}_{crossline}", "gather-5_7.npy", 1, 5, 7}, /* the minus joins words */
        {"{inline}_{crossline}", "2024-5_7.npy", 1, 5, 7},
        {"-{inline}_{crossline}", "gather-5_7.npy", 1, 5, 7},
        {"IL{inline}_XL{crossline}", "IL--5_XL7.npy", 0, NONE, NONE},
    };
    check(cases, sizeof cases / sizeof *cases);
}

static void a_position_is_two_numbers_of_32_bits(void **state)
{
    (void)state;
    static const Case cases[] = {
        {"IL{inline}_XL{crossline}", "IL2147483647_XL-2147483647", 1, INT32_MAX, -INT32_MAX},
        {"IL{inline}_XL{crossline}", "IL2147483648_XL1", 0, NONE, NONE},
        {"IL{inline}_XL{crossline}", "IL1_XL-2147483648", 0, NONE, NONE},
        {"IL{inline}_XL{crossline}", "IL1_XL99999999999999999999999999", 0, NONE, NONE},
    };
    check(cases, sizeof cases / sizeof *cases);
}

static void two_places_are_ambiguous(void **state)
{
    (void)state;
    static const Case cases[] = {
        {"{inline}_{crossline}", "2024_12_1300_1400.npy", 2, 2024, 12},
        {"{inline}_{crossline}", "1_2_3.npy", 2, 1, 2},
        {"_{inline}_{crossline}.npy", "2024_12_1300_1400.npy", 1, 1300, 1400},
        {"IL{inline}_XL{crossline}", "IL1_XL2_IL1_XL2.npy", 1, 1, 2}, /* the same twice */
        {"IL{inline}_XL{crossline}", "IL1_XL2_IL1_XL3.npy", 2, 1, 2},
    };
    check(cases, sizeof cases / sizeof *cases);
    PositionPattern pattern;
    int32_t line[2], crossline[2];
    assert_int_equal(position_pattern_parse("{inline}_{crossline}", &pattern), STATUS_OK);
    assert_int_equal(position_pattern_find(&pattern, "1_2_3", line, crossline), 2);
    assert_int_equal(line[1], 2);
    assert_int_equal(crossline[1], 3);
}

static void what_is_no_pattern_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *why;
    } cases[] = {
        {"", "neither {inline} nor {crossline}"},
        {"IL_XL", "neither {inline} nor {crossline}"},
        {"IL{inline}", "no {crossline}"},
        {"XL{crossline}", "no {inline}"},
        {"{inline}{crossline}", "nothing stands between"},
        {"IL{inline}{crossline}", "nothing stands between"},
        {"{inline}_{crossline}_{inline}", "twice"},
        {"{inline}_{inline}", "twice"},
        {"IL{inline}_XL{xline}", "neither {inline} nor {crossline}"},
        {"IL{inline}_XL{crossline", "neither {inline} nor {crossline}"},
        {"IL{Inline}_XL{crossline}", "neither {inline} nor {crossline}"},
        {"IL{inline}}_XL{crossline}", "} without"},
        {"{inline}0_{crossline}", "digit directly behind"},
        {"{inline}_{crossline}2", "digit directly behind"},
        {"a/{inline}_{crossline}", "folders"},
        {"*IL{inline}_XL{crossline}*", "a * stands for nothing"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        PositionPattern pattern;
        status_clear();
        assert_int_equal(position_pattern_parse(cases[i].pattern, &pattern), STATUS_USAGE);
        if (strstr(status_message(), cases[i].why) == NULL) fail_msg("'%s': %s", cases[i].pattern, status_message());
    }
    status_clear();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pattern_is_a_part_of_a_name),        cmocka_unit_test(numbers_have_signs),
        cmocka_unit_test(a_position_is_two_numbers_of_32_bits), cmocka_unit_test(two_places_are_ambiguous),
        cmocka_unit_test(what_is_no_pattern_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
