/* Tests of format/sgy_lines: several files, one survey or several lines. */
#include "seisdcn/sgy_lines.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void verdicts(void **state)
{
    (void)state;
    static const struct {
        SgyOverlap overlap;
        SgyLinesVerdict verdict;
    } cases[] = {
        /* told, differ, gathers, traces, met, vary, single */
        {{true, true, 0, 0, 0, true, false}, SGY_ONE_LINE},         /* no gather is in two files */
        {{true, true, 9, 90, 0, true, true}, SGY_ONE_LINE},         /* volumes of single offsets */
        {{true, true, 9, 90, 0, true, false}, SGY_SEVERAL_LINES},   /* line numbers that differ */
        {{true, true, 9, 90, 90, false, false}, SGY_SEVERAL_LINES}, /* stacks of lines */
        {{false, false, 9, 90, 0, true, false}, SGY_ONE_LINE},      /* near and far */
        {{false, false, 9, 90, 90, true, false}, SGY_SEVERAL_LINES},
        {{false, false, 9, 90, 45, true, false}, SGY_SEVERAL_LINES},
        {{false, false, 9, 90, 44, true, false}, SGY_UNCLEAR},
        {{false, false, 9, 90, 90, false, false}, SGY_UNCLEAR},
        {{true, false, 9, 90, 90, true, false}, SGY_UNCLEAR},
        {{true, false, 9, 90, 0, true, false}, SGY_ONE_LINE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(sgy_lines_judge(&cases[i].overlap), cases[i].verdict);
}

static void numbers(void **state)
{
    (void)state;
    SgyLayout layouts[3] = {{.line_number = 7}, {.line_number = 7}, {.line_number = -2}};
    bool differ;
    assert_true(sgy_lines_told(layouts, 2, &differ));
    assert_false(differ);
    assert_true(sgy_lines_told(layouts, 3, &differ));
    assert_true(differ);
    layouts[1].line_number = 0;
    assert_false(sgy_lines_told(layouts, 3, &differ));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(verdicts), cmocka_unit_test(numbers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
