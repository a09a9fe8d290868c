/* Exact sums: the truth to their last bit, in any order and any split. */
#include "seisdcn/exact.h"
#include "seisdcn/random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { N = 5000 };

static double value_of(int64_t i)
{
    RandomKey key = random_key(4, RANDOM_TEST, 0);
    double size = ldexp(1, (int)random_below(key, 60, (uint64_t)i, 1) - 50); /* 2^-50 .. 2^9 */
    return size * (2 * random_uniform(key, (uint64_t)i, 0) - 1);
}

/* The sum of the values as whole multiples of 2^-40. */
static __int128 truth(void)
{
    __int128 sum = 0;
    for (int64_t i = 0; i < N; i++) sum += (__int128)rint(value_of(i) * 0x1p40);
    return sum;
}

static __int128 whole(ExactSum sum) { return ((__int128)sum.high << 40) + sum.low; }

static void sums_are_exact_in_any_order(void **state)
{
    (void)state;
    RandomKey key = random_key(5, RANDOM_TEST, 0);
    for (int shuffle = 0; shuffle < 5; shuffle++) {
        ExactSum sum = {0, 0};
        for (int64_t i = 0; i < N; i++)
            assert_true(exact_add(&sum, value_of(shuffle ? random_permute(key, N, (i + shuffle) % N) : i)));
        assert_true(whole(sum) == truth());
        assert_true(exact_value(sum) == (double)((long double)truth() * 0x1p-40L));
    }
}

static void sums_are_exact_in_any_split(void **state)
{
    (void)state;
    for (int parts = 1; parts <= 7; parts++) {
        ExactSum all = {0, 0};
        for (int part = 0; part < parts; part++) {
            ExactSum sum = {0, 0};
            for (int64_t i = part; i < N; i += parts) exact_add(&sum, value_of(i));
            if (part % 2) exact_settle(&sum);
            all.high += sum.high;
            all.low += sum.low;
        }
        assert_true(whole(all) == truth());
        exact_settle(&all);
        assert_true(whole(all) == truth());
        assert_true(all.low >= 0 && all.low < (int64_t)1 << 40);
    }
}

static void what_does_not_fit_is_refused(void **state)
{
    (void)state;
    const double bad[] = {NAN, -NAN, INFINITY, -INFINITY, 0x1p50, -0x1p50, 1e300, -1e300};
    ExactSum sum = {3, 7};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_false(exact_add(&sum, bad[i]));
    assert_true(sum.high == 3 && sum.low == 7);
    double largest = nextafter(0x1p50, 0);
    assert_true(exact_add(&sum, largest));
    assert_true(exact_add(&sum, -largest));
    exact_settle(&sum);
    assert_true(sum.high == 3 && sum.low == 7);
}

static void small_and_negative_values(void **state)
{
    (void)state;
    ExactSum sum = {0, 0};
    assert_true(exact_add(&sum, -1e-300)); /* next to nothing: rounds to 0 */
    assert_true(exact_value(sum) == 0);
    assert_true(exact_add(&sum, -0.75));
    assert_true(exact_value(sum) == -0.75);
    assert_true(exact_add(&sum, 0x1p-40));
    assert_true(exact_value(sum) == -0.75 + 0x1p-40);
    sum = (ExactSum){0, 0};
    exact_add(&sum, 0x1p49);
    exact_add(&sum, 1);
    exact_add(&sum, -0x1p49); /* a double would have kept the 1 only by luck */
    exact_add(&sum, 0x1p-30);
    assert_true(exact_value(sum) == 1 + 0x1p-30);
}

static void four_million_numbers_go_between_settlings(void **state)
{
    (void)state;
    ExactSum sum = {0, 0};
    for (int64_t i = 0; i < (int64_t)1 << 22; i++) exact_add(&sum, 1 - 0x1p-40); /* the most that low can take */
    assert_true(sum.low > 0);
    assert_true(whole(sum) == ((__int128)1 << 62) - ((__int128)1 << 22));
    exact_settle(&sum);
    assert_true(whole(sum) == ((__int128)1 << 62) - ((__int128)1 << 22));
}

/* Squares over the whole range of doubles, many of them alike in size: what a sum in double loses. */
static double positive_of(int64_t i)
{
    RandomKey key = random_key(6, RANDOM_TEST, 0);
    int exponent = (int)random_below(key, i % 3 == 0 ? 2090 : 40, (uint64_t)i, 1) - (i % 3 == 0 ? 1080 : 20);
    return ldexp(random_uniform(key, (uint64_t)i, 0), exponent);
}

static void wide_sums_are_the_same_limb_by_limb(void **state)
{
    (void)state;
    RandomKey key = random_key(7, RANDOM_TEST, 0);
    ExactWide first = {{0}};
    for (int64_t i = 0; i < N; i++) assert_true(exact_wide_add(&first, positive_of(i)));
    for (int parts = 1; parts <= 7; parts++) {
        ExactWide all = {{0}};
        for (int part = 0; part < parts; part++) {
            ExactWide sum = {{0}};
            for (int64_t i = part; i < N; i += parts) exact_wide_add(&sum, positive_of(random_permute(key, N, i)));
            for (int k = 0; k < EXACT_LIMBS; k++) all.limb[k] += sum.limb[k];
        }
        assert_memory_equal(&all, &first, sizeof all);
    }
}

static void wide_sums_are_exact(void **state)
{
    (void)state;
    static const double values[] = {0,   5e-324, 0x1p-1022, 1e-300, 0x1.fffffffffffffp-31, 1,
                                    0.1, 0x1p31, 0x1p32,    1e17,   0x1.fffffffffffffp1023};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        ExactWide sum = {{0}};
        assert_true(exact_wide_add(&sum, values[i]));
        assert_true(exact_wide_value(&sum) == values[i]);
    }
    ExactWide sum = {{0}}; /* whole multiples of 2^-60 below 2^40: 128 bits hold their sum */
    __int128 wanted = 0;
    for (int64_t i = 0; i < N; i++) {
        double value = ldexp(floor(ldexp(fabs(value_of(i)), 60)), i % 2 ? -60 : -30);
        exact_wide_add(&sum, value);
        wanted += (__int128)ldexp(value, 60);
    }
    double got = exact_wide_value(&sum), truth_value = (double)((long double)wanted * 0x1p-60L);
    assert_true(fabs(got - truth_value) <= 0x1p-52 * truth_value);
    ExactWide small = {{0}};
    for (int i = 0; i < 1 << 20; i++) exact_wide_add(&small, i == 0 ? 1 : 0x1p-53); /* a sum in double stays 1 */
    assert_true(exact_wide_value(&small) == 1 + ldexp((1 << 20) - 1, -53));
}

static void wide_sums_refuse_what_does_not_fit(void **state)
{
    (void)state;
    const double bad[] = {NAN, -NAN, INFINITY, -INFINITY, -1, -5e-324};
    ExactWide sum = {{0}}, empty = {{0}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_false(exact_wide_add(&sum, bad[i]));
    assert_memory_equal(&sum, &empty, sizeof sum);
}

static void exponents_leave_room_for_a_batch(void **state)
{
    (void)state;
    assert_int_equal(exact_exponent(1), 52);
    assert_int_equal(exact_exponent(2), 51);
    assert_int_equal(exact_exponent(3), 50);
    assert_int_equal(exact_exponent(128), 45);
    assert_int_equal(exact_exponent(129), 44);
    for (int64_t patches = 1; patches < (int64_t)1 << 30; patches = patches * 3 / 2 + 1) {
        __int128 most = (__int128)patches * (__int128)EXACT_LIMIT << exact_exponent(patches);
        assert_true(most <= (__int128)INT64_MAX);
        assert_true(most * 4 > (__int128)INT64_MAX); /* and wastes little */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_are_exact_in_any_order),
        cmocka_unit_test(sums_are_exact_in_any_split),
        cmocka_unit_test(what_does_not_fit_is_refused),
        cmocka_unit_test(small_and_negative_values),
        cmocka_unit_test(four_million_numbers_go_between_settlings),
        cmocka_unit_test(wide_sums_are_the_same_limb_by_limb),
        cmocka_unit_test(wide_sums_are_exact),
        cmocka_unit_test(wide_sums_refuse_what_does_not_fit),
        cmocka_unit_test(exponents_leave_room_for_a_batch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
