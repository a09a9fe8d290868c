/* The patch index map of surveys with several gathers at a position: on one side of every split; and of surveys without
 * them: what it was before positions counted. */
#include "seisdcn/checksum.h"
#include "seisdcn/index_map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { MOST = 40, SAMPLES = 17, SIZE = 6 };

static int64_t first_trace[MOST + 1], places[MOST];
static int32_t inlines[MOST];

/* n gathers of folds that go round through fold [n_folds], each at a position of its own. */
static void lay_out(int n, const int64_t *fold, int n_folds)
{
    for (int e = 0; e < n; e++) {
        first_trace[e + 1] = first_trace[e] + fold[e % n_folds];
        places[e] = e;
        inlines[e] = e / 4;
    }
}

static Status build(const IndexRule *rule, int n, const int64_t *live, IndexMap *map)
{
    status_clear();
    return index_build(rule, n, SAMPLES, first_trace, inlines, places, live, map);
}

static void counts_of(const IndexMap *map, int64_t e, int64_t count[INDEX_SPLITS])
{
    for (int s = 0; s < INDEX_SPLITS; s++) count[s] = map->count[s][e];
}

/* The split of each patch of ensemble e into split [patches], which the map deals to one each. */
static int64_t splits_of(const IndexMap *map, int64_t e, uint8_t *split)
{
    int64_t count[INDEX_SPLITS], n = 0;
    counts_of(map, e, count);
    for (int s = 0; s < INDEX_SPLITS; s++)
        for (int64_t j = 0; j < count[s]; j++, n++)
            split[index_number(&map->rule, (IndexSplit)s, index_key(map, e), count, j)] = (uint8_t)s;
    return n;
}

static int split_of(const IndexMap *map, int64_t e)
{
    for (int s = 0; s < INDEX_SPLITS; s++)
        if (map->count[s][e] > 0) return s;
    return -1;
}

/* A checksum over the counts and the rows of maps of one survey by many rules. */
static uint64_t checksum_of_maps(bool with_places)
{
    static const int64_t fold[] = {9, 6, 3, 14, 7, 1, 11, 6, 20, 8, 5, 10};
    static const double shares[][2] = {{0.2, 0.1}, {0.3, 0.25}, {0, 0.1}, {0.5, 0}};
    uint64_t sum[2] = {0, 0};
    lay_out(MOST, fold, sizeof fold / sizeof *fold);
    for (int64_t by = SPLIT_BY_ENSEMBLE; by <= SPLIT_BY_PATCH; by++)
        for (int64_t seed = 0; seed < 5; seed++)
            for (size_t k = 0; k < sizeof shares / sizeof *shares; k++) {
                IndexRule rule = {SIZE, 1 + seed % 2, by, shares[k][0], shares[k][1], seed, 0};
                IndexMap map;
                assert_int_equal(
                    index_build(&rule, MOST, SAMPLES, first_trace, inlines, with_places ? places : NULL, NULL, &map),
                    STATUS_OK);
                assert_null(map.place);
                for (int e = 0; e < MOST; e++) {
                    int64_t count[INDEX_SPLITS];
                    uint8_t split[20 * SAMPLES] = {0};
                    counts_of(&map, e, count);
                    splits_of(&map, e, split);
                    sum[1] = checksum_bytes(count, sizeof count);
                    sum[0] = checksum_bytes(sum, sizeof sum);
                    sum[1] = checksum_bytes(split, sizeof split);
                    sum[0] = checksum_bytes(sum, sizeof sum);
                }
                index_free(&map);
            }
    return sum[0];
}

/* What the program gave that knew no positions. */
#define GOLDEN UINT64_C(0x339aa5506e86386e)

static void without_repeats_maps_are_what_they_were(void **state)
{
    (void)state;
    assert_true(checksum_of_maps(false) == GOLDEN);
    assert_true(checksum_of_maps(true) == GOLDEN);
}

static void positions_are_dealt_whole(void **state)
{
    (void)state;
    static const int64_t fold[] = {9, 12, 3, 14, 7};
    for (int64_t seed = 0; seed < 40; seed++) {
        IndexRule rule = {SIZE, 1, SPLIT_BY_ENSEMBLE, 0.2, 0.1, seed, 0};
        IndexMap map;
        lay_out(MOST, fold, 5);
        for (int e = 20; e < MOST; e++) places[e] = (int64_t)(e * 7 % 20); /* twenty pairs, far apart in the file */
        assert_int_equal(build(&rule, MOST, NULL, &map), STATUS_OK);
        int64_t n[INDEX_SPLITS] = {0};
        for (int e = 0; e < MOST; e++) {
            int mine = split_of(&map, e), other = split_of(&map, places[e]);
            assert_int_equal(mine < 0, first_trace[e + 1] - first_trace[e] < SIZE);
            if (mine < 0) continue;
            n[mine]++;
            if (other >= 0) assert_int_equal(mine, other);
        }
        assert_int_equal(n[INDEX_TEST], 7);  /* 0.2 of the 32 that hold a patch: single ones fill up */
        assert_int_equal(n[INDEX_VALID], 4); /* 3.2 */
        index_free(&map);
    }
}

static void large_positions_fill_no_split_but_the_last(void **state)
{
    (void)state;
    static const int64_t fold[] = {9};
    for (int64_t seed = 0; seed < 10; seed++) {
        IndexRule rule = {SIZE, 1, SPLIT_BY_ENSEMBLE, 0.2, 0.1, seed, 0};
        IndexMap map;
        int64_t n[INDEX_SPLITS] = {0};
        lay_out(MOST, fold, 1);
        for (int e = 0; e < 25; e++) places[e] = 0; /* a position of 25, 15 of one */
        assert_int_equal(build(&rule, MOST, NULL, &map), STATUS_OK);
        assert_int_equal(map.n_repeats, 24);
        for (int e = 0; e < MOST; e++) n[split_of(&map, e)]++;
        assert_int_equal(split_of(&map, 24), INDEX_TRAIN);
        assert_int_equal(n[INDEX_TEST], 8);
        assert_int_equal(n[INDEX_VALID], 4);
        index_free(&map);
        for (int e = 0; e < MOST; e++) places[e] = e / 12 * 12; /* of 12, 12, 12 and 4: none fits */
        memset(n, 0, sizeof n);
        assert_int_equal(build(&rule, MOST, NULL, &map), STATUS_OK);
        for (int e = 0; e < MOST; e++) n[split_of(&map, e)]++;
        assert_int_equal(n[INDEX_TEST], 4); /* fits in 8 */
        assert_int_equal(n[INDEX_VALID], 12);
        index_free(&map);
        for (int e = 0; e < MOST; e++) places[e] = e / 20 * 20;
        assert_int_equal(build(&rule, MOST, NULL, &map), STATUS_CONFIG);
        assert_non_null(strstr(status_message(), "40 gathers have 2 positions"));
        rule.valid = 0;
        assert_int_equal(build(&rule, MOST, NULL, &map), STATUS_OK);
        index_free(&map);
    }
    status_clear();
}

static void a_patch_lies_in_one_split_in_all_gathers_of_a_position(void **state)
{
    (void)state;
    static const int64_t fold[] = {9, 9, 14, 14};
    int apart = 0;
    for (int64_t seed = 0; seed < 20; seed++) {
        IndexRule rule = {SIZE, 1, SPLIT_BY_PATCH, 0.23, 0.11, seed, 0};
        IndexMap map;
        lay_out(12, fold, 4);
        places[1] = 0; /* alike */
        places[10] = places[3] = 2;
        places[8] = 7; /* of 14 and 9 traces */
        assert_int_equal(build(&rule, 12, NULL, &map), STATUS_OK);
        uint8_t split[12][14 * SAMPLES];
        int64_t n[12], all = 0;
        for (int e = 0; e < 12; e++) {
            n[e] = splits_of(&map, e, split[e]);
            all += n[e];
            assert_int_equal(n[e], index_patches(&rule, map.fold[e], SAMPLES));
        }
        static const int twins[][2] = {{0, 1}, {2, 3}, {2, 10}};
        for (int k = 0; k < 3; k++) {
            assert_int_equal(n[twins[k][0]], n[twins[k][1]]);
            assert_memory_equal(split[twins[k][0]], split[twins[k][1]], (size_t)n[twins[k][0]]);
        }
        apart += memcmp(split[4], split[5], (size_t)n[4]) != 0;
        assert_int_equal(map.n_kept, 2);
        for (int e = 7; e <= 8; e++) assert_int_equal(map.count[INDEX_TRAIN][e], n[e]);
        assert_in_range(map.total[INDEX_TEST], (int64_t)(0.23 * (double)all), (int64_t)(0.23 * (double)all) + 3);
        assert_in_range(map.total[INDEX_VALID], (int64_t)(0.11 * (double)all), (int64_t)(0.11 * (double)all) + 3);
        index_free(&map);
    }
    assert_int_equal(apart, 20); /* the permutations of others differ */
}

static void live_patches_of_a_position_may_differ(void **state)
{
    (void)state;
    static const int64_t fold[] = {9};
    IndexRule rule = {SIZE, 1, SPLIT_BY_PATCH, 0.2, 0.1, 0, 0.5};
    int64_t live[12], all = index_patches(&rule, 9, SAMPLES);
    lay_out(12, fold, 1);
    for (int e = 0; e < 12; e++) live[e] = all;
    places[1] = 0;
    places[3] = 2;
    places[5] = 4;
    live[2] = live[3] = all - 1; /* as many, but who knows which */
    live[4] = 0;                 /* the first at its position has none */
    IndexMap map;
    assert_int_equal(build(&rule, 12, live, &map), STATUS_OK);
    assert_true(map.count[INDEX_TEST][0] > 0);
    for (int s = 0; s < INDEX_SPLITS; s++) {
        assert_int_equal(map.count[s][0], map.count[s][1]);
        assert_int_equal(map.count[s][4], 0);
    }
    assert_int_equal(map.n_kept, 2);
    assert_int_equal(map.count[INDEX_TRAIN][2], all - 1);
    assert_int_equal(map.count[INDEX_TRAIN][3], all - 1);
    assert_true(map.count[INDEX_TEST][5] > 0);
    assert_int_equal(map.total[INDEX_TEST] + map.total[INDEX_VALID] + map.total[INDEX_TRAIN], 11 * all - 2);
    index_free(&map);
}

static void too_few_patches_are_refused(void **state)
{
    (void)state;
    static const int64_t fold[] = {9, 14};
    IndexRule rule = {SIZE, 1, SPLIT_BY_PATCH, 0.2, 0.1, 0, 0};
    IndexMap map;
    lay_out(8, fold, 2);
    for (int e = 0; e < 8; e++) places[e] = e / 2 * 2;
    assert_int_equal(build(&rule, 8, NULL, &map), STATUS_CONFIG);
    assert_non_null(strstr(status_message(), "8 gathers share positions and differ"));
    assert_non_null(strstr(status_message(), "split.by=ensemble"));
    assert_null(map.fold);
    rule.by = SPLIT_BY_ENSEMBLE;
    assert_int_equal(build(&rule, 8, NULL, &map), STATUS_OK);
    index_free(&map);
    rule = (IndexRule){SIZE, 1, SPLIT_BY_PATCH, 0, 0, 0, 0};
    assert_int_equal(build(&rule, 8, NULL, &map), STATUS_OK);
    assert_int_equal(map.total[INDEX_TRAIN],
                     4 * index_patches(&rule, 9, SAMPLES) + 4 * index_patches(&rule, 14, SAMPLES));
    index_free(&map);
    status_clear();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_repeats_maps_are_what_they_were),
        cmocka_unit_test(positions_are_dealt_whole),
        cmocka_unit_test(large_positions_fill_no_split_but_the_last),
        cmocka_unit_test(a_patch_lies_in_one_split_in_all_gathers_of_a_position),
        cmocka_unit_test(live_patches_of_a_position_may_differ),
        cmocka_unit_test(too_few_patches_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
