/* Tests of base/text. */
#include "seisdcn/log.h"
#include "seisdcn/memory.h"
#include "seisdcn/status.h"
#include "seisdcn/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void natural_order(void **state)
{
    (void)state;
    static const char *const sorted[] = {"",     "a",       "a1",       "a2",         "a10",         "a010b",
                                         "a10c", "x_2.npy", "x_10.npy", "x_10_1.npy", "x_10_20.npy", "xx"};
    size_t n = sizeof sorted / sizeof *sorted;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            int order = text_compare_natural(sorted[i], sorted[j]);
            if (i < j) assert_true(order < 0);
            if (i == j) assert_int_equal(order, 0);
            if (i > j) assert_true(order > 0);
        }
    /* equal by value, told apart by bytes, and both ways round */
    assert_true(text_compare_natural("x_01", "x_1") * text_compare_natural("x_1", "x_01") < 0);
    /* numbers beyond 64 bits */
    assert_true(text_compare_natural("99999999999999999999998", "99999999999999999999999") < 0);
}

static void names_and_endings(void **state)
{
    (void)state;
    assert_string_equal(text_base_name("/a/b/c.npy"), "c.npy");
    assert_string_equal(text_base_name("c.npy"), "c.npy");
    assert_string_equal(text_base_name("a/"), "");
    assert_true(text_ends_with("A.NPY", ".npy"));
    assert_true(text_ends_with("x", ""));
    assert_false(text_ends_with("py", ".npy"));
    assert_false(text_ends_with("a.npyx", ".npy"));
}

static void whole_numbers(void **state)
{
    (void)state;
    int64_t value = 7;
    assert_true(text_to_int("-9223372036854775808", &value));
    assert_true(value == INT64_MIN);
    assert_true(text_to_int("+12", &value));
    assert_int_equal(value, 12);
    static const char *const wrong[] = {"", "-", "+", "1.0", "0x10", " 1", "1 ", "1e3", "9223372036854775808", "--1"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) assert_false(text_to_int(wrong[i], &value));
    assert_int_equal(value, 12);
}

static void decimal_numbers(void **state)
{
    (void)state;
    double value = 7;
    assert_true(text_to_double("-1.5e-3", &value));
    assert_true(value == -1.5e-3);
    static const char *const wrong[] = {"", "nan", "inf", "0x1p3", "1e999", "1.5abc", "1,5", "1 ", "e5", "."};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) assert_false(text_to_double(wrong[i], &value));
    assert_true(value == -1.5e-3);
}

static void made_texts(void **state)
{
    (void)state;
    char *text = text_format("%s-%d", "a", 5), *copy = text_copy(text);
    assert_string_equal(text, "a-5");
    assert_string_equal(copy, "a-5");
    assert_ptr_not_equal(text, copy);
    memory_free(text);
    memory_free(copy);
}

static void words_of_the_shell(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"plain/name=1.h5", "plain/name=1.h5"},
        {"", "''"},
        {"two words", "'two words'"},
        {"it's", "'it'\\''s'"},
        {"$HOME", "'$HOME'"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        char *word = text_shell_word(pairs[i][0]);
        assert_string_equal(word, pairs[i][1]);
        memory_free(word);
    }
}

/* What a stranger's file says is shown, and must not steer the terminal that shows it. */
static void printable_texts(void **state)
{
    (void)state;
    const char *pairs[][2] = {
        {"plain, \xc3\xa9\xc2\xb5 and all\n\tof it", "plain, \xc3\xa9\xc2\xb5 and all\n\tof it"},
        {"\x1b[31mred\x07\x7f\r", "?[31mred???"},
        {"\xc2\x9b"
         "1m\xc2",
         "??1m\xc2"},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        char text[64];
        strcpy(text, pairs[i][0]);
        assert_string_equal(text_printable(text), pairs[i][1]);
    }
    status_fail(STATUS_DATA, "file: '%s'", "\x1b[2J");
    assert_string_equal(status_message(), "file: '?[2J'");
    status_prefix(STATUS_DATA, "in %s", "\x1b.h5");
    assert_string_equal(status_message(), "in ?.h5: file: '?[2J'");
    status_clear();
}

static void nearest_names(void **state)
{
    (void)state;
    static const char *const names[] = {"batch_size", "max_epochs", "learning_rate"};
    assert_string_equal(text_nearest("batchsize", names, 3), "batch_size");
    assert_string_equal(text_nearest("Learning_Rate", names, 3), "learning_rate");
    assert_null(text_nearest("momentum", names, 3));
    static const char *const swaps[] = {"tset", "rain", "set"}; /* swapped letters are one slip, not two */
    assert_string_equal(text_nearest("test", swaps, 1), "tset");
    assert_string_equal(text_nearest("stet", swaps + 2, 1), "set");
    static const char *const near[] = {"ab", "acb"};
    assert_string_equal(text_nearest("abc", near, 2), "ab"); /* of equals the first */
    static const char *const two[] = {"iflter", "fitlers"};  /* one slip is nearer than two */
    assert_string_equal(text_nearest("filter", two + 0, 2), "iflter");
    assert_string_equal(text_nearest("filters", two + 0, 2), "fitlers");
    assert_null(text_nearest("anything", names, 0));
}

static void counted_things(void **state)
{
    (void)state;
    char text[LOG_THINGS_MAX];
    assert_string_equal(log_things(1, "gather", text), "1 gather");
    assert_string_equal(log_things(0, "gather", text), "0 gathers");
    assert_string_equal(log_things(1764000, "trace", text), "1,764,000 traces");
    assert_string_equal(log_things(1, "patch", text), "1 patch");
    assert_string_equal(log_things(2, "patch", text), "2 patches");
    assert_string_equal(log_things(2, "loss", text), "2 losses");
    assert_string_equal(log_plural(1, "rank"), "");
    assert_string_equal(log_plural(3, "rank"), "s");
    log_things(INT64_MIN, "a word that is far too long to stand in any message", text);
    assert_true(strlen(text) < LOG_THINGS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(natural_order),      cmocka_unit_test(names_and_endings), cmocka_unit_test(whole_numbers),
        cmocka_unit_test(decimal_numbers),    cmocka_unit_test(made_texts),        cmocka_unit_test(nearest_names),
        cmocka_unit_test(words_of_the_shell), cmocka_unit_test(printable_texts),   cmocka_unit_test(counted_things),
    };
    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
