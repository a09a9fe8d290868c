/* Tests of index_share_live_bytes() on any number of ranks: what a share of a split holds of live bits is what was told
 * before it was cut, or somewhat less. */
#include "seisdcn/index_map.h"
#include "seisdcn/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { N_ENSEMBLES = 300, N_SAMPLES = 200, SIZE = 8 };

static Comm comm;

static int64_t fold_of(int64_t e) { return 4 + (e * 37) % 120; }

static int64_t patches_of(const IndexRule *rule, int64_t e) { return index_patches(rule, fold_of(e), N_SAMPLES); }

/* Every third ensemble is live throughout, the others in every second patch. */
static int64_t live_of(const IndexRule *rule, int64_t e)
{
    int64_t patches = patches_of(rule, e);
    return e % 3 == 0 ? patches : (patches + 1) / 2;
}

/* What index_live_scan() would give a rank. */
static void make_live(const IndexRule *rule, IndexLive *live)
{
    int64_t first, end;
    comm_share(&comm, N_ENSEMBLES, &first, &end);
    live->n = end - first;
    live->start = memory_new((size_t)live->n + 1, sizeof *live->start, "a test");
    for (int64_t i = 0; i < live->n; i++)
        live->start[i + 1] = live->start[i] + index_live_words(patches_of(rule, first + i), live_of(rule, first + i));
    live->word = memory_new((size_t)live->start[live->n], sizeof *live->word, "a test");
    live->before = memory_new((size_t)live->start[live->n], sizeof *live->before, "a test");
    for (int64_t i = 0; i < live->n; i++)
        for (int64_t p = 0; p < patches_of(rule, first + i) && live->start[i] < live->start[i + 1]; p += 2)
            live->word[live->start[i] + p / 64] |= UINT64_C(1) << p % 64;
}

static void make_map(int64_t by, IndexMap *map)
{
    IndexRule rule = {SIZE, 1, by, 0.2, 0.1, 5, 0.5};
    int64_t first_trace[N_ENSEMBLES + 1] = {0}, live[N_ENSEMBLES];
    int32_t inlines[N_ENSEMBLES] = {0};
    for (int e = 0; e < N_ENSEMBLES; e++) {
        first_trace[e + 1] = first_trace[e] + fold_of(e);
        live[e] = live_of(&rule, e);
    }
    memset(map, 0, sizeof *map);
    if (comm.rank == 0)
        assert_int_equal(index_build(&rule, N_ENSEMBLES, N_SAMPLES, first_trace, inlines, NULL, live, map), STATUS_OK);
    map->rule = rule;
    map->n_ensembles = N_ENSEMBLES;
    map->n_samples = N_SAMPLES;
    comm_broadcast(&comm, map->total, sizeof map->total);
    make_live(&rule, &map->live);
}

static void test_of(int64_t by)
{
    for (int split = 0; split < INDEX_SPLITS; split++) {
        IndexMap map;
        IndexShare share;
        int64_t cut[65];
        assert_true(comm.size < 65);
        make_map(by, &map);
        int64_t told = (int64_t)index_share_live_bytes(&comm, &map, (IndexSplit)split);
        index_even_cuts(map.total[split], comm.size, cut);
        assert_int_equal(index_scatter(&comm, &map, (IndexSplit)split, cut, &share), STATUS_OK);
        int64_t words = share.live.start[share.live.n], most = words, all = words;
        comm_max(&comm, &most, 1);
        comm_sum(&comm, &all, 1);
        assert_true(all > 0);
        assert_true((int64_t)index_live_words_bytes(most) <= told);
        /* what is sent comes besides; the largest ensemble and uneven ranks make the rest */
        assert_true(told <= (int64_t)(4 * index_live_words_bytes(most) + 8 * 4 * 8 * 64));
        index_share_free(&share);
        index_free(&map);
    }
}

static void told_of_whole_gathers(void **state)
{
    (void)state;
    test_of(SPLIT_BY_ENSEMBLE);
}

static void told_of_dealt_patches(void **state)
{
    (void)state;
    test_of(SPLIT_BY_PATCH);
}

/* Maps that leave nothing out, and rows of a user's own, have no bits. */
static void nothing_where_there_are_no_bits(void **state)
{
    (void)state;
    IndexMap map = {.rule = {SIZE, 1, SPLIT_BY_ENSEMBLE, 0.2, 0.1, 5, 0}};
    assert_int_equal(index_share_live_bytes(&comm, &map, INDEX_VALID), 0);
    map.rule.min_live = 0.5;
    map.is_explicit = true;
    assert_int_equal(index_share_live_bytes(&comm, &map, INDEX_VALID), 0);
}

int main(int argc, char **argv)
{
    comm_open(&argc, &argv, &comm);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(told_of_whole_gathers),
        cmocka_unit_test(told_of_dealt_patches),
        cmocka_unit_test(nothing_where_there_are_no_bits),
    };
    int failed = cmocka_run_group_tests_name("live_bytes", tests, NULL, NULL);
    comm_close(&comm);
    return failed;
}
