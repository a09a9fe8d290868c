/* Files that say what cannot be, and would keep a reader busy: found by the fuzzers, and by looking for their
 * relatives. */
#include "temporary.h"

#include "seisdcn/sgy_layout.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

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

/* A terabyte of holes that is to be searched for the end of the extended text: the search gives up. */
static void extended_text_without_end(void **state)
{
    (void)state;
    static uint8_t headers[SGY_TEXT + SGY_BINARY];
    char path[TEMPORARY_PATH];
    uint8_t *binary = headers + SGY_TEXT;
    memset(headers, 0x40, SGY_TEXT);
    sgy_binary_put(binary, SGY_BIN_SAMPLES, 2, true, 100);
    sgy_binary_put(binary, SGY_BIN_FORMAT, 2, true, 5);
    sgy_binary_put(binary, SGY_BIN_REVISION, 2, true, 0x100);
    sgy_binary_put(binary, SGY_BIN_EXTENDED_TEXT, 2, true, -1);
    assert_int_equal(temporary_write(folder, "endless.sgy", headers, sizeof headers, path), 0);
    if (truncate(path, (off_t)1 << 40) != 0) skip(); /* a file system of small files */
    const SgyForce force = {0};
    SgyLayout layout;
    assert_int_equal(sgy_layout_read(path, &force, &layout), STATUS_DATA);
    assert_non_null(strstr(status_message(), "its extended text header has no end"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(extended_text_without_end),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
