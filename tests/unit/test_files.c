/* Tests of format/files. */
#include "seisdcn/checksum.h"
#include "seisdcn/files.h"
#include "seisdcn/memory.h"
#include "seisdcn/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "temporary.h"

static char folder[TEMPORARY_PATH];

static int make_folder(void **state)
{
    (void)state;
    temporary_make(folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    temporary_remove(folder);
    return 0;
}

/* folder/name, in one of a few buffers */
static const char *in_folder(const char *name)
{
    static char paths[4][2 * TEMPORARY_PATH];
    static int next = 0;
    next = (next + 1) % 4;
    snprintf(paths[next], sizeof paths[next], "%s/%s", folder, name);
    return paths[next];
}

static void texts_round_trip(void **state)
{
    (void)state;
    char *text = NULL, *large = memory_new(100001, 1, "a test's text");
    assert_non_null(large);
    memset(large, 'x', 100000);
    assert_int_equal(files_write_text(in_folder("t"), large), STATUS_OK);
    assert_int_equal(files_read_text(in_folder("t"), &text), STATUS_OK);
    assert_string_equal(text, large);
    assert_false(files_exists(in_folder("t.part")));
    memory_free(text);
    assert_int_equal(files_write_text(in_folder("t"), ""), STATUS_OK); /* replaces */
    assert_int_equal(files_read_text(in_folder("t"), &text), STATUS_OK);
    assert_string_equal(text, "");
    memory_free(text);
    memory_free(large);
    /* a size at which the first read is just full */
    char exact[4097];
    memset(exact, 'y', 4096);
    exact[4096] = '\0';
    assert_int_equal(files_write_text(in_folder("t"), exact), STATUS_OK);
    assert_int_equal(files_read_text(in_folder("t"), &text), STATUS_OK);
    assert_string_equal(text, exact);
    memory_free(text);
}

static void texts_that_cannot_be(void **state)
{
    (void)state;
    char *text;
    assert_int_equal(files_read_text(in_folder("none"), &text), STATUS_IO);
    assert_non_null(strstr(status_message(), "none"));
    assert_null(text);
    assert_int_equal(files_read_text(folder, &text), STATUS_IO);
    char path[TEMPORARY_PATH];
    assert_int_equal(temporary_write(folder, "zero", "a: 1\0b: 2\n", 10, path), 0);
    assert_int_equal(files_read_whole_text(path, &text), STATUS_CONFIG);
    assert_non_null(strstr(status_message(), "zero: byte 4 is zero"));
    assert_null(text);
    assert_int_equal(temporary_write(folder, "zero", "a: 1\n", 5, path), 0);
    assert_int_equal(files_read_whole_text(path, &text), STATUS_OK);
    assert_string_equal(text, "a: 1\n");
    memory_free(text);
    assert_int_equal(files_write_text(in_folder("none/t"), "x"), STATUS_IO);
    assert_int_equal(files_publish(in_folder("none"), in_folder("u")), STATUS_IO);
    assert_false(files_exists(in_folder("u")));
}

static void outputs_are_checked(void **state)
{
    (void)state;
    assert_int_equal(files_write_text(in_folder("old"), "x"), STATUS_OK);
    assert_int_equal(files_check_output(in_folder("old"), false), STATUS_USAGE);
    assert_non_null(strstr(status_message(), "--force"));
    assert_int_equal(files_check_output(in_folder("old"), true), STATUS_OK);
    assert_int_equal(files_check_output(in_folder("new"), false), STATUS_OK);
    assert_int_equal(files_check_output(in_folder("new/"), false), STATUS_OK);
    assert_int_equal(files_check_output("new-name-in-the-working-folder", false), STATUS_OK);
    assert_int_equal(files_check_output(in_folder("none/new"), false), STATUS_IO);
    assert_int_equal(files_check_output(in_folder("old/new"), true), STATUS_IO);
    assert_int_equal(files_check_output("", false), STATUS_USAGE);
}

static void folders(void **state)
{
    (void)state;
    assert_int_equal(files_make_folder(in_folder("f")), STATUS_OK);
    assert_int_equal(files_make_folder(in_folder("f")), STATUS_OK);
    assert_true(files_is_folder(in_folder("f")));
    assert_int_equal(files_write_text(in_folder("g"), "x"), STATUS_OK);
    assert_int_equal(files_make_folder(in_folder("g")), STATUS_IO);
    assert_int_equal(files_make_folder(in_folder("none/f")), STATUS_IO);
    assert_false(files_is_folder(in_folder("g")));
}

static void space(void **state)
{
    (void)state;
    assert_int_equal(files_check_space(in_folder("new"), 1), STATUS_OK);
    assert_int_equal(files_check_space(in_folder("new"), 1e20), STATUS_IO);
    assert_int_equal(files_write_text(in_folder("r"), "0123456789"), STATUS_OK);
    assert_int_equal(files_reserve(in_folder("r")), STATUS_OK);
    char *text;
    assert_int_equal(files_read_text(in_folder("r"), &text), STATUS_OK);
    assert_string_equal(text, "0123456789");
    memory_free(text);
    assert_int_equal(files_reserve(in_folder("none")), STATUS_IO);
}

static void lists(void **state)
{
    (void)state;
    static const char *const names[] = {"x_10.npy", "x_2.npy", "x_1.NPY", "y.txt", "._x_3.npy", ".npy"};
    assert_int_equal(files_make_folder(in_folder("list")), STATUS_OK);
    char **found;
    int64_t n;
    assert_int_equal(files_list(in_folder("list"), "", &found, &n), STATUS_OK);
    assert_int_equal(n, 0);
    memory_free(found);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *path = text_format("%s/list/%s", folder, names[i]);
        assert_int_equal(files_write_text(path, ""), STATUS_OK);
        memory_free(path);
    }
    assert_int_equal(files_list(in_folder("list"), ".npy", &found, &n), STATUS_OK);
    assert_int_equal(n, 3);
    assert_string_equal(found[0], "x_1.NPY");
    assert_string_equal(found[1], "x_2.npy");
    assert_string_equal(found[2], "x_10.npy");
    memory_free(found);
    assert_int_equal(files_list(in_folder("none"), "", &found, &n), STATUS_IO);
    assert_null(found);
}

static void the_checksum_of_a_file(void **state)
{
    (void)state;
    static char bytes[50000];
    char path[TEMPORARY_PATH];
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (char)(i * i % 251);
    assert_int_equal(temporary_write(folder, "sum", bytes, sizeof bytes, path), 0);
    uint64_t checksum;
    int64_t n;
    static const int64_t from[] = {0, 1, 512, 16384, 49999, 50000, 50001};
    for (size_t i = 0; i < sizeof from / sizeof *from; i++) {
        size_t left = from[i] > 50000 ? 0 : (size_t)(50000 - from[i]);
        assert_int_equal(checksum_file(path, from[i], &checksum, &n), STATUS_OK);
        assert_int_equal(n, (int64_t)left);
        assert_true(checksum == checksum_bytes(bytes + sizeof bytes - left, left));
    }
    unlink(path);
    assert_int_equal(checksum_file(path, 0, &checksum, &n), STATUS_IO);
    assert_int_equal(checksum_file(folder, 0, &checksum, &n), STATUS_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_round_trip),
        cmocka_unit_test(texts_that_cannot_be),
        cmocka_unit_test(outputs_are_checked),
        cmocka_unit_test(folders),
        cmocka_unit_test(space),
        cmocka_unit_test(lists),
        cmocka_unit_test(the_checksum_of_a_file),
    };
    return cmocka_run_group_tests_name("files", tests, make_folder, remove_folder);
}
