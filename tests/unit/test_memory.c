/* Tests of base/memory. */
#include "seisdcn/memory.h"
#include "seisdcn/status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#if defined(__SANITIZE_ADDRESS__)
enum { SANITIZED = 1 }; /* it keeps what is freed */
#else
enum { SANITIZED = 0 };
#endif

enum { MB = 1 << 20 };

static void blocks_are_zero_and_aligned(void **state)
{
    (void)state;
    for (size_t n = 0; n < 300; n += 7) {
        unsigned char *block = memory_new(n, 3, "a test's block");
        assert_non_null(block);
        assert_int_equal((uintptr_t)block % 64, 0);
        for (size_t i = 0; i < 3 * n; i++) assert_int_equal(block[i], 0);
        memset(block, 1, 3 * n);
        memory_free(block);
    }
    memory_free(NULL);
}

static void blocks_grow(void **state)
{
    (void)state;
    void *block = NULL;
    assert_int_equal(memory_grow(&block, 0, 10, 1, "a test's block"), STATUS_OK);
    memcpy(block, "0123456789", 10);
    assert_int_equal(memory_grow(&block, 10, MB, 1, "a test's block"), STATUS_OK);
    assert_memory_equal(block, "0123456789", 10);
    assert_int_equal(((char *)block)[10], 0);
    assert_int_equal(((char *)block)[MB - 1], 0);
    memory_free(block);
}

static void what_cannot_be_is_said(void **state)
{
    (void)state;
    assert_null(memory_new(SIZE_MAX / 2, 3, "a test's block"));
    assert_non_null(strstr(status_message(), "a test's block"));
    status_clear();
    char *kept = memory_new(4, 1, "a test's block");
    void *block = kept;
    assert_int_equal(memory_grow(&block, 4, SIZE_MAX, 2, "a test's block"), STATUS_MEMORY);
    assert_ptr_equal(block, kept);
    memory_free(block);
    status_clear();
}

/* Gathers of many sizes come and go: what is freed is gone, and the peak is the most that was held. */
static void the_process_is_as_large_as_what_it_holds(void **state)
{
    (void)state;
    enum { BLOCKS = 40 };
    void *block[BLOCKS] = {NULL};
    size_t before = memory_resident(), most = before;
    if (before == 0 || SANITIZED) skip();
    for (int i = 0; i < 1000; i++) { /* at most 10 of them at a time, each 0.2 to 1.6 MB */
        int old = (i * 7) % BLOCKS, next = (i * 7 + 70) % BLOCKS;
        memory_free(block[old]);
        block[old] = NULL;
        if (block[next] == NULL && i < 960) block[next] = memory_new((size_t)(1 + i % 8) * (MB / 5), 1, "a test's");
        size_t now = memory_resident();
        most = now > most ? now : most;
    }
    for (int i = 0; i < BLOCKS; i++) memory_free(block[i]);
    assert_true(memory_peak() + MB > most && most > before + MB); /* the kernel counts roughly */
    assert_true(memory_peak() < before + (size_t)20 * MB);
    assert_true(memory_resident() < before + MB);
}

int main(void)
{
    memory_open();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_zero_and_aligned),
        cmocka_unit_test(blocks_grow),
        cmocka_unit_test(what_cannot_be_is_said),
        cmocka_unit_test(the_process_is_as_large_as_what_it_holds),
    };
    return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
