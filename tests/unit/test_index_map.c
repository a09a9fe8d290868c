/* The patch index map: counts of each rule, and every patch in exactly one split. */
#include "seisdcn/index_map.h"
#include "seisdcn/memory.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "index_rows.h"

enum { N_ENSEMBLES = 12, N_SAMPLES = 17, SIZE = 6 };
/* gathers without room for a patch, with just one row of them, and larger */
static const int64_t folds[N_ENSEMBLES] = {9, 6, 3, 14, 7, 1, 11, 6, 20, 8, 5, 10};
static const int32_t inlines[N_ENSEMBLES] = {4, 4, 4, INT32_MIN, 9, 9, 2, 2, 2, 7, 30, 30};

static void first_traces(int64_t first_trace[N_ENSEMBLES + 1])
{
    first_trace[0] = 0;
    for (int e = 0; e < N_ENSEMBLES; e++) first_trace[e + 1] = first_trace[e] + folds[e];
}

static Status build(const IndexRule *rule, IndexMap *map)
{
    int64_t first_trace[N_ENSEMBLES + 1];
    first_traces(first_trace);
    return index_build(rule, N_ENSEMBLES, N_SAMPLES, first_trace, inlines, NULL, NULL, map);
}

static IndexRow row_at(const IndexMap *map, IndexSplit split, int64_t e, int64_t j)
{
    int64_t count[INDEX_SPLITS];
    for (int s = 0; s < INDEX_SPLITS; s++) count[s] = map->count[s][e];
    return index_row(&map->rule, split, e, map->n_samples, count, j);
}

static int compare_rows(const void *a, const void *b) { return memcmp(a, b, sizeof(IndexRow)); }

static int64_t rounded_up(double fraction, int64_t n) { return (int64_t)ceil(fraction * (double)n); }

/* The counts that the rule asks for, from the gathers alone. */
static void check_counts(const IndexMap *map)
{
    const IndexRule *rule = &map->rule;
    int64_t n[INDEX_SPLITS] = {0}, patches = 0, n_short = 0;
    int64_t in_split[INDEX_SPLITS] = {0}; /* whole gathers or inlines */
    int units = 0;
    for (int e = 0; e < N_ENSEMBLES; e++) {
        int64_t here = index_patches(rule, folds[e], N_SAMPLES), all = 0;
        int64_t across = N_SAMPLES < rule->patch_size ? 0 : (N_SAMPLES - rule->patch_size) / rule->stride + 1;
        int64_t down = folds[e] < rule->patch_size ? 0 : (folds[e] - rule->patch_size) / rule->stride + 1;
        assert_int_equal(here, across * down);
        patches += here;
        n_short += here == 0;
        for (int s = 0; s < INDEX_SPLITS; s++) {
            assert_true(map->count[s][e] >= 0);
            n[s] += map->count[s][e];
            all += map->count[s][e];
        }
        assert_int_equal(all, here);
        if (here == 0 || rule->by == SPLIT_BY_PATCH) continue;
        int split = map->count[INDEX_TRAIN][e] > 0   ? INDEX_TRAIN
                    : map->count[INDEX_VALID][e] > 0 ? INDEX_VALID
                                                     : INDEX_TEST;
        assert_int_equal(map->count[split][e], here); /* a gather goes whole */
        int seen = 0;
        for (int before = 0; before < e && rule->by == SPLIT_BY_INLINE; before++)
            if (inlines[before] == inlines[e] && index_patches(rule, folds[before], N_SAMPLES) > 0) {
                seen = 1;
                assert_true(map->count[split][before] > 0); /* and an inline */
            }
        units += !seen;
        in_split[split] += !seen;
    }
    assert_int_equal(map->n_short, n_short);
    for (int s = 0; s < INDEX_SPLITS; s++) assert_int_equal(map->total[s], n[s]);
    if (rule->by == SPLIT_BY_PATCH) {
        assert_int_equal(n[INDEX_VALID], rounded_up(rule->valid, patches));
        assert_int_equal(n[INDEX_TEST], rounded_up(rule->test, patches));
    } else {
        assert_int_equal(in_split[INDEX_VALID], rounded_up(rule->valid, units));
        assert_int_equal(in_split[INDEX_TEST], rounded_up(rule->test, units));
    }
}

/* Every patch in one split, once; and index_sorted_rows() the same set, sorted. */
static void check_rows(const IndexMap *map)
{
    int64_t stride = map->rule.stride;
    for (int64_t e = 0; e < N_ENSEMBLES; e++) {
        char seen[32][N_SAMPLES] = {{0}};
        for (int s = 0; s < INDEX_SPLITS; s++) {
            int64_t n = map->count[s][e], count[INDEX_SPLITS];
            for (int k = 0; k < INDEX_SPLITS; k++) count[k] = map->count[k][e];
            IndexRow *rows = memory_new((size_t)n, sizeof *rows, "test");
            IndexRow *sorted = memory_new((size_t)n, sizeof *sorted, "test");
            for (int64_t j = 0; j < n; j++) {
                IndexRow row = rows[j] = row_at(map, (IndexSplit)s, e, j);
                assert_int_equal(row.ensemble, e);
                assert_in_range(row.trace, 0, folds[e] - map->rule.patch_size);
                assert_in_range(row.sample, 0, N_SAMPLES - map->rule.patch_size);
                assert_true(row.trace % stride == 0 && row.sample % stride == 0);
                assert_false(seen[row.trace][row.sample]);
                seen[row.trace][row.sample] = 1;
            }
            assert_int_equal(index_sorted_rows(&map->rule, (IndexSplit)s, e, N_SAMPLES, count, sorted), STATUS_OK);
            for (int64_t j = 1; j < n; j++)
                assert_true(sorted[j - 1].trace < sorted[j].trace ||
                            (sorted[j - 1].trace == sorted[j].trace && sorted[j - 1].sample < sorted[j].sample));
            if (map->rule.by != SPLIT_BY_PATCH) assert_memory_equal(rows, sorted, (size_t)n * sizeof *rows);
            qsort(rows, (size_t)n, sizeof *rows, compare_rows);
            qsort(sorted, (size_t)n, sizeof *sorted, compare_rows);
            assert_memory_equal(rows, sorted, (size_t)n * sizeof *rows);
            memory_free(rows);
            memory_free(sorted);
        }
        int64_t all = 0;
        for (int t = 0; t < 32; t++)
            for (int k = 0; k < N_SAMPLES; k++) all += seen[t][k];
        assert_int_equal(all, index_patches(&map->rule, folds[e], N_SAMPLES));
    }
}

static void every_patch_is_in_one_split_once(void **state)
{
    (void)state;
    static const double shares[][2] = {{0.2, 0.1}, {0, 0}, {0.3, 0.25}, {0, 0.1}, {0.5, 0}, {0.01, 0.01}};
    int built = 0;
    for (int64_t by = SPLIT_BY_ENSEMBLE; by <= SPLIT_BY_PATCH; by++)
        for (int64_t stride = 1; stride <= 5; stride++)
            for (int64_t size = 1; size <= SIZE + 3; size++)
                for (size_t k = 0; k < sizeof shares / sizeof *shares; k++) {
                    IndexRule rule = {size, stride, by, shares[k][0], shares[k][1], (int64_t)(size * 7 + stride), 0};
                    IndexMap map;
                    assert_int_equal(build(&rule, &map), STATUS_OK);
                    check_counts(&map);
                    check_rows(&map);
                    index_free(&map);
                    built++;
                }
    assert_int_equal(built, 3 * 5 * 9 * 6);
}

static void the_originals_counts(void **state)
{
    (void)state;
    enum { GATHERS = 40 };
    int64_t first_trace[GATHERS + 1];
    int32_t lines[GATHERS] = {0};
    for (int e = 0; e <= GATHERS; e++) first_trace[e] = 61 * (int64_t)e;
    IndexRule rule = {32, 1, SPLIT_BY_PATCH, 0.2, 0.1, 0, 0};
    IndexMap map;
    assert_int_equal(index_patches(&rule, 61, 1501), 44100);
    assert_int_equal(index_build(&rule, GATHERS, 1501, first_trace, lines, NULL, NULL, &map), STATUS_OK);
    assert_int_equal(map.total[INDEX_VALID], 176400);
    assert_int_equal(map.total[INDEX_TEST], 352800);
    assert_int_equal(map.total[INDEX_TRAIN], 1234800);
    for (int e = 0; e < GATHERS; e++) { /* each gather gives its share */
        assert_int_equal(map.count[INDEX_VALID][e], 4410);
        assert_int_equal(map.count[INDEX_TEST][e], 8820);
    }
    index_free(&map);
    rule.by = SPLIT_BY_ENSEMBLE;
    assert_int_equal(index_build(&rule, GATHERS, 1501, first_trace, lines, NULL, NULL, &map), STATUS_OK);
    assert_int_equal(map.total[INDEX_VALID], 4 * 44100);
    assert_int_equal(map.total[INDEX_TEST], 8 * 44100);
    index_free(&map);
}

static void seeds_deal_otherwise(void **state)
{
    (void)state;
    for (int64_t by = SPLIT_BY_ENSEMBLE; by <= SPLIT_BY_PATCH; by++) {
        int changed = 0;
        for (int64_t seed = 0; seed < 10; seed++) {
            IndexRule rule = {SIZE, 1, by, 0.2, 0.2, seed, 0};
            IndexMap a, again, b;
            assert_int_equal(build(&rule, &a), STATUS_OK);
            assert_int_equal(build(&rule, &again), STATUS_OK);
            rule.seed++;
            assert_int_equal(build(&rule, &b), STATUS_OK);
            int differs = 0;
            for (int64_t e = 0; e < N_ENSEMBLES; e++) {
                assert_int_equal(a.count[INDEX_TEST][e], again.count[INDEX_TEST][e]);
                differs |= a.count[INDEX_TEST][e] != b.count[INDEX_TEST][e];
                int64_t n =
                    a.count[INDEX_TEST][e] < b.count[INDEX_TEST][e] ? a.count[INDEX_TEST][e] : b.count[INDEX_TEST][e];
                for (int64_t j = 0; j < n; j++) {
                    IndexRow x = row_at(&a, INDEX_TEST, e, j), y = row_at(&again, INDEX_TEST, e, j);
                    IndexRow z = row_at(&b, INDEX_TEST, e, j);
                    assert_memory_equal(&x, &y, sizeof x);
                    differs |= memcmp(&x, &z, sizeof x) != 0;
                }
            }
            changed += differs;
            index_free(&a);
            index_free(&again);
            index_free(&b);
        }
        assert_true(changed >= 8); /* of ten; few units fall alike now and then */
    }
}

static void a_split_that_leaves_nothing_is_refused(void **state)
{
    (void)state;
    IndexMap map;
    IndexRule rule = {SIZE, 1, SPLIT_BY_ENSEMBLE, 0.6, 0.4, 0, 0};
    for (int64_t by = SPLIT_BY_ENSEMBLE; by <= SPLIT_BY_PATCH; by++) {
        rule.by = by;
        assert_int_equal(build(&rule, &map), STATUS_CONFIG);
        assert_non_null(strstr(status_message(), "split.by=patch"));
        assert_null(map.fold);
    }
    /* one gather cannot be dealt whole, but its patches can */
    const int64_t first_trace[2] = {0, 12};
    rule = (IndexRule){SIZE, 1, SPLIT_BY_ENSEMBLE, 0.2, 0.1, 0, 0};
    assert_int_equal(index_build(&rule, 1, N_SAMPLES, first_trace, inlines, NULL, NULL, &map), STATUS_CONFIG);
    rule.by = SPLIT_BY_PATCH;
    assert_int_equal(index_build(&rule, 1, N_SAMPLES, first_trace, inlines, NULL, NULL, &map), STATUS_OK);
    index_free(&map);
    rule.test = rule.valid = 0.5; /* all 84 of them */
    assert_int_equal(index_build(&rule, 1, N_SAMPLES, first_trace, inlines, NULL, NULL, &map), STATUS_CONFIG);
    rule = (IndexRule){SIZE, 1, SPLIT_BY_ENSEMBLE, 0, 0, 0, 0};
    assert_int_equal(index_build(&rule, 1, N_SAMPLES, first_trace, inlines, NULL, NULL, &map), STATUS_OK);
    assert_int_equal(map.total[INDEX_TRAIN], 7 * 12);
    index_free(&map);
    status_clear();
}

static void no_patches_is_an_error_of_data(void **state)
{
    (void)state;
    IndexMap map;
    IndexRule rule = {21, 1, SPLIT_BY_PATCH, 0.2, 0.1, 0, 0}; /* no gather has so many traces */
    assert_int_equal(build(&rule, &map), STATUS_DATA);
    assert_non_null(strstr(status_message(), "patch.size"));
    assert_null(map.fold);
    rule.patch_size = N_SAMPLES + 1; /* nor so many samples */
    assert_int_equal(build(&rule, &map), STATUS_DATA);
    status_clear();
}

static void splits_have_names(void **state)
{
    (void)state;
    for (int s = 0; s < INDEX_SPLITS; s++) assert_int_equal(index_split_of(index_split_name((IndexSplit)s)), s);
    assert_int_equal(index_split_of("Train"), -1);
    assert_int_equal(index_split_of(""), -1);
}

static void even_cuts(void **state)
{
    (void)state;
    for (int64_t total = 0; total < 20; total++)
        for (int size = 1; size <= 9; size++) {
            int64_t cut[10];
            index_even_cuts(total, size, cut);
            assert_int_equal(cut[0], 0);
            assert_int_equal(cut[size], total);
            for (int r = 0; r < size; r++) assert_in_range(cut[r + 1] - cut[r], total / size, total / size + 1);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_patch_is_in_one_split_once),
        cmocka_unit_test(the_originals_counts),
        cmocka_unit_test(seeds_deal_otherwise),
        cmocka_unit_test(a_split_that_leaves_nothing_is_refused),
        cmocka_unit_test(no_patches_is_an_error_of_data),
        cmocka_unit_test(splits_have_names),
        cmocka_unit_test(even_cuts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
