/* Selectors: what they name, and what they refuse. */
#include "seisdcn/selector.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { N = 7 };
static const int32_t inlines[N] = {1300, 1300, 1301, 1301, 1302, INT32_MIN, 1300};
static const int32_t crosslines[N] = {1400, 1401, 1400, 1401, 1400, INT32_MIN, 1400};

static void expect(const char *list, const char *wanted)
{
    uint8_t selected[N];
    char text[N + 1] = "";
    assert_int_equal(selector_list(list, N, inlines, crosslines, selected), STATUS_OK);
    for (int e = 0; e < N; e++) text[e] = selected[e] ? '1' : '0';
    assert_string_equal(text, wanted);
}

static void refuse(const char *list, const char *part)
{
    uint8_t selected[N];
    status_clear();
    assert_int_equal(selector_list(list, N, inlines, crosslines, selected), STATUS_USAGE);
    assert_non_null(strstr(status_message(), part));
}

static void names_gathers(void **state)
{
    (void)state;
    expect("#0", "1000000");
    expect("#6", "0000001");
    expect("1301:1401", "0001000");
    expect("1300:1400", "1000001");
    expect("#1-#3", "0111000");
    expect("#1-3", "0111000");
    expect("1300-1301:1400", "1010001");
    expect("1300-1310:1400-1500", "1111101");
    expect("#5,1302:1400", "0000110");
    expect("#5 , 1302:1400", "0000110");
    expect("#0,#0,#0-#1", "1100000");
    expect("#5-#100", "0000011");
}

static void refuses_what_is_malformed(void **state)
{
    (void)state;
    const char *bad[] = {"",      ",",       "#",     "#0,",       "1300",
                         "1300:", ":1400",   "#-1",   "#1x",       "a",
                         "#1-",   "1300-:1", "--1:1", "#3-#1",     "1301-1300:1400",
                         "#0 #1", "1 : 2x",  "##1",   "1300:14:1", "#99999999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) refuse(bad[i], "wanted INLINE:CROSSLINE");
}

static void names_negative_lines(void **state)
{
    (void)state;
    enum { LINES = 8 };
    static const int32_t in[LINES] = {-5, -3, -1, 0, 3, -1, INT32_MIN, INT32_MIN + 1};
    static const int32_t cross[LINES] = {-10, 4, -1, 0, -2, INT32_MIN, 0, INT32_MAX};
    static const struct {
        const char *list, *wanted;
    } cases[] = {
        {"-5:-10", "10000000"},
        {"-1:-1", "00100000"},
        {"-5--3:-10-4", "11000000"},
        {"-5-3:-10-4", "11111000"},
        {"-3-0:-1-4", "01110000"},
        {"3:-2", "00001000"},
        {"-1-3:-2--1", "00101000"},
        {"-0:0", "00010000"},
        {"#6,-5:-10", "10000010"},
        {" -1:-1 , -5:-10", "10100000"},
        {"-2147483647:2147483647", "00000001"},
        {"-9999999999-9999999999:-9999999999-9999999999", "11111001"}, /* what is unknown is in no range */
    };
    uint8_t selected[LINES];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[LINES + 1] = "";
        assert_int_equal(selector_list(cases[i].list, LINES, in, cross, selected), STATUS_OK);
        for (int e = 0; e < LINES; e++) text[e] = selected[e] ? '1' : '0';
        assert_string_equal(text, cases[i].wanted);
    }
    const char *bad[] = {"-:1",   "-5-:1", "-5---3:1", "-3--5:1", "1:-", "- 5:1",
                         "--5:1", "#-5",   "#0--1",    "#-5-#1",  "-#1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        status_clear();
        assert_int_equal(selector_list(bad[i], LINES, in, cross, selected), STATUS_USAGE);
        assert_non_null(strstr(status_message(), "wanted INLINE:CROSSLINE"));
    }
    status_clear();
    assert_int_equal(selector_list("-2147483648:0", LINES, in, cross, selected), STATUS_USAGE);
    assert_non_null(strstr(status_message(), "inlines -2147483647 to 3, crosslines -10 to 2147483647"));
    status_clear();
    assert_int_equal(selector_list("-4:-4", 1, in, cross, selected), STATUS_USAGE);
    assert_non_null(strstr(status_message(), "inlines -5 to -5, crosslines -10 to -10"));
}

static void says_what_there_is(void **state)
{
    (void)state;
    refuse("#7", "there are #0 to #6, inlines 1300 to 1302, crosslines 1400 to 1401");
    refuse("#0,1299:1400", "no gather is '1299:1400'");
    const int32_t unknown[1] = {INT32_MIN};
    uint8_t selected[1];
    assert_int_equal(selector_list("1:1", 1, unknown, unknown, selected), STATUS_USAGE);
    assert_non_null(strstr(status_message(), "unknown"));
}

static void takes_just_one(void **state)
{
    (void)state;
    int64_t e = -1;
    assert_int_equal(selector_one("1301:1401", N, inlines, crosslines, &e), STATUS_OK);
    assert_int_equal(e, 3);
    assert_int_equal(selector_one("#5", N, inlines, crosslines, &e), STATUS_OK);
    assert_int_equal(e, 5);
    assert_int_equal(selector_one("1300:1400", N, inlines, crosslines, &e), STATUS_USAGE);
    assert_non_null(strstr(status_message(), "names 2 gathers (#0, #6)"));
    assert_int_equal(selector_one("#9", N, inlines, crosslines, &e), STATUS_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_gathers),
        cmocka_unit_test(names_negative_lines),
        cmocka_unit_test(refuses_what_is_malformed),
        cmocka_unit_test(says_what_there_is),
        cmocka_unit_test(takes_just_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
