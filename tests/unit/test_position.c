/* Positions: what is one, and which one a file's name tells. */
#include "seisdcn/position.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void every_number_but_one_is_a_line(void **state)
{
    (void)state;
    assert_true(position_known(0, 0));
    assert_true(position_known(-1, -1));
    assert_true(position_known(INT32_MIN + 1, INT32_MAX));
    assert_false(position_known(INT32_MIN, 1));
    assert_false(position_known(1, INT32_MIN));
}

static void names_tell_positions(void **state)
{
    (void)state;
    enum { NONE = POSITION_UNKNOWN };
    static const struct {
        const char *name;
        int32_t line, crossline;
    } cases[] = {
        {"pstm_inline_1300_crossline_1400.npy", 1300, 1400},
        {"gather_Inline_7_08.npy", 7, 8},
        {"inline_x_inline_1_2_3.npy[4]", 1, 2},
        {"gather_inline_-5_crossline_7.npy", -5, 7},
        {"gather_inline_-5_-7.npy", -5, -7},
        {"gather_inline_-1_crossline_-1.npy", -1, -1},
        {"inline_2147483647_crossline_-2147483647.npy", INT32_MAX, -INT32_MAX},
        {"inline_5_crossline_x.npy", NONE, NONE},
        {"inline_--5_crossline_1.npy", NONE, NONE},
        {"inline_-_crossline_1.npy", NONE, NONE},
        {"crossline_5_6.npy", NONE, NONE},
        {"inline_99999999999_1.npy", NONE, NONE},
        {"inline_1_2147483648.npy", NONE, NONE},
        {"inline_1_-2147483648.npy", NONE, NONE},
        {"shot_01.npy", NONE, NONE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int32_t line, crossline;
        position_of_name(cases[i].name, &line, &crossline);
        assert_int_equal(line, cases[i].line);
        assert_int_equal(crossline, cases[i].crossline);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_number_but_one_is_a_line),
        cmocka_unit_test(names_tell_positions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
