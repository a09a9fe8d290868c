/* Tests of base/random. */
#include "seisdcn/memory.h"
#include "seisdcn/random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The known answers of Random123 (its file kat_vectors) for philox4x32-10. */
static void philox_known_answers(void **state)
{
    (void)state;
    RandomBlock block = random_block((RandomKey){{0, 0}}, 0, 0, 0, 0);
    const uint32_t zeros[4] = {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8};
    assert_memory_equal(block.word, zeros, sizeof zeros);
    uint32_t ones = 0xffffffff;
    block = random_block((RandomKey){{ones, ones}}, ones, ones, ones, ones);
    const uint32_t full[4] = {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd};
    assert_memory_equal(block.word, full, sizeof full);
    block = random_block((RandomKey){{0xa4093822, 0x299f31d0}}, 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344);
    const uint32_t pi[4] = {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1};
    assert_memory_equal(block.word, pi, sizeof pi);
}

static void check_permutation(int64_t n, RandomKey key)
{
    uint8_t *seen = memory_new((size_t)n, 1, "a test's marks");
    assert_non_null(seen);
    for (int64_t i = 0; i < n; i++) {
        int64_t to = random_permute(key, n, i);
        assert_in_range(to, 0, n - 1);
        assert_int_equal(seen[to], 0);
        seen[to] = 1;
        assert_int_equal(random_unpermute(key, n, to), i);
    }
    memory_free(seen);
}

static void permutations_are_bijections(void **state)
{
    (void)state;
    for (int64_t n = 1; n <= 70; n++)
        for (int64_t seed = 0; seed < 5; seed++) check_permutation(n, random_key(seed, RANDOM_TEST, n));
    for (int bits = 7; bits <= 17; bits++)
        for (int64_t n = ((int64_t)1 << bits) - 1; n <= ((int64_t)1 << bits) + 1; n++)
            check_permutation(n, random_key(bits, RANDOM_TEST, n));
    check_permutation(44100, random_key(1, RANDOM_SPLIT, 7));
}

/* Too many to mark: distinct neighbours, the inverse, and the range. */
static void large_permutations_invert(void **state)
{
    (void)state;
    static const int64_t sizes[] = {INT64_C(13000000000), (INT64_C(1) << 40) + 1, (INT64_C(1) << 61) + 3};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        RandomKey key = random_key(3, RANDOM_ORDER, (int64_t)s);
        for (int64_t i = 0; i < 2000; i++) {
            int64_t at = i < 1000 ? i : sizes[s] - 1 - (i - 1000), to = random_permute(key, sizes[s], at);
            assert_true(to >= 0 && to < sizes[s]);
            assert_true(random_unpermute(key, sizes[s], to) == at);
        }
    }
}

/* A permutation that mixes puts as many of the first half into the first half as a coin would. */
static void permutations_mix(void **state)
{
    (void)state;
    enum { N = 100000 };
    for (int64_t seed = 0; seed < 8; seed++) {
        RandomKey key = random_key(seed, RANDOM_ORDER, 0);
        int64_t stayed = 0, neighbours = 0;
        for (int64_t i = 0; i < N / 2; i++) stayed += random_permute(key, N, i) < N / 2;
        for (int64_t i = 0; i + 1 < N; i++)
            neighbours += llabs(random_permute(key, N, i) - random_permute(key, N, i + 1)) == 1;
        assert_true(llabs(stayed - N / 4) < 5 * 80); /* its deviation is sqrt(N / 16) = 79 */
        assert_true(neighbours < 20);                /* 2 are expected */
    }
}

static void keys_differ(void **state)
{
    (void)state;
    uint64_t words[64];
    int n = 0;
    for (int64_t seed = -1; seed < 3; seed++)
        for (int purpose = RANDOM_SPLIT; purpose <= RANDOM_TEST; purpose++)
            for (int64_t number = 0; number < 2; number++)
                words[n++] = random_word(random_key(seed, (RandomPurpose)purpose, number), 0, 0);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < i; j++) assert_true(words[i] != words[j]);
    RandomKey key = random_key(0, RANDOM_TEST, 0);
    assert_true(random_word(key, 1, 0) != random_word(key, 0, 1));
    assert_true(random_word(key, UINT64_C(1) << 32, 0) != random_word(key, 1, 0));
}

static void numbers_are_distributed(void **state)
{
    (void)state;
    enum { N = 200000 };
    RandomKey key = random_key(11, RANDOM_TEST, 0);
    double sum = 0, normal = 0, squares = 0, fourths = 0;
    int64_t counts[7] = {0};
    for (uint64_t i = 0; i < N; i++) {
        double u = random_uniform(key, i, 0), z = random_normal(key, i, 1);
        assert_true(u >= 0 && u < 1 && isfinite(z));
        sum += u;
        normal += z;
        squares += z * z;
        fourths += z * z * z * z;
        int64_t below = random_below(key, 7, i, 2);
        assert_in_range(below, 0, 6);
        counts[below]++;
    }
    /* five standard deviations each */
    assert_true(fabs(sum / N - 0.5) < 5 * sqrt(1.0 / 12 / N));
    assert_true(fabs(normal / N) < 5 * sqrt(1.0 / N));
    assert_true(fabs(squares / N - 1) < 5 * sqrt(2.0 / N));
    assert_true(fabs(fourths / N - 3) < 5 * sqrt(96.0 / N));
    for (int i = 0; i < 7; i++) assert_true(fabs((double)counts[i] - N / 7.0) < 5 * sqrt(N * 6.0 / 49));
    assert_int_equal(random_below(key, 1, 5, 5), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(philox_known_answers),
        cmocka_unit_test(permutations_are_bijections),
        cmocka_unit_test(large_permutations_invert),
        cmocka_unit_test(permutations_mix),
        cmocka_unit_test(keys_differ),
        cmocka_unit_test(numbers_are_distributed),
    };
    return cmocka_run_group_tests_name("random", tests, NULL, NULL);
}
