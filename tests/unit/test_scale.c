/* A survey of 290,000 gathers on 1,000 ranks, simulated one after the other: its index map is built, cut for every rank
 * and drawn from; and on a small survey, any number of such ranks gives every row once. */
#include "seisdcn/memory.h"
#include "seisdcn/order.h"
#include "seisdcn/random.h"

#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

/* ---- the whole survey ---- */

enum {
    INLINES = 500,
    CROSSLINES = 580,
    GATHERS = INLINES * CROSSLINES,
    FOLD = 61,
    SAMPLES = 1501,
    SIZE = 32,
    PATCHES = (FOLD - SIZE + 1) * (SAMPLES - SIZE + 1), /* of a gather */
    RANKS = 1000,
    BATCH = 128 * RANKS,
    STEPS = 8
};

static const size_t MEMORY_LIMIT = 50000000;     /* bytes */
static const double SECONDS_A_MILLION_DRAWS = 1; /* of the processor */
static const double TEST_SHARE = 0.2, VALID_SHARE = 0.1;

static int64_t rounded_up(double fraction, int64_t n) { return (int64_t)ceil(fraction * (double)n); }

static double processor_seconds(void) { return (double)clock() / CLOCKS_PER_SEC; }

static void build_whole(int64_t by, IndexMap *map)
{
    int64_t *first_trace = memory_new(GATHERS + 1, sizeof *first_trace, "test");
    int32_t *inlines = memory_new(GATHERS, sizeof *inlines, "test");
    assert_true(first_trace != NULL && inlines != NULL);
    for (int64_t e = 0; e <= GATHERS; e++) first_trace[e] = e * FOLD;
    for (int64_t e = 0; e < GATHERS; e++) inlines[e] = (int32_t)(1000 + e / CROSSLINES);
    IndexRule rule = {SIZE, 1, by, TEST_SHARE, VALID_SHARE, 7, 0};
    assert_int_equal(index_build(&rule, GATHERS, SAMPLES, first_trace, inlines, NULL, NULL, map), STATUS_OK);
    memory_free(first_trace);
    memory_free(inlines);
}

/* The rule's own counts, exactly, in all and in each gather. */
static void check_totals(const IndexMap *map, int64_t by)
{
    int64_t n = by == SPLIT_BY_PATCH ? (int64_t)GATHERS * PATCHES : by == SPLIT_BY_INLINE ? INLINES : GATHERS;
    int64_t unit = (int64_t)GATHERS * PATCHES / n; /* patches of what is dealt as a whole */
    int64_t n_valid = rounded_up(VALID_SHARE, n), n_test = rounded_up(TEST_SHARE, n), all[INDEX_SPLITS] = {0};
    assert_true((int64_t)GATHERS * PATCHES == INT64_C(12789000000));
    assert_true(map->total[INDEX_VALID] == n_valid * unit);
    assert_true(map->total[INDEX_TEST] == n_test * unit);
    assert_true(map->total[INDEX_TRAIN] == (n - n_valid - n_test) * unit);
    for (int64_t e = 0; e < GATHERS; e++) {
        int64_t here = 0;
        for (int s = 0; s < INDEX_SPLITS; s++) {
            all[s] += map->count[s][e];
            here += map->count[s][e];
            if (by != SPLIT_BY_PATCH && map->count[s][e] != 0) assert_int_equal(map->count[s][e], PATCHES);
        }
        assert_int_equal(here, PATCHES);
    }
    for (int s = 0; s < INDEX_SPLITS; s++) assert_true(all[s] == map->total[s]);
}

/* Whether a row lies in its gather and belongs to the split: by patch its place in the gather's permutation, which the
 * inverse finds, tells; otherwise the whole gather does. */
static bool belongs(const IndexMap *map, IndexSplit split, IndexRow row)
{
    if (row.ensemble < 0 || row.ensemble >= GATHERS || row.trace < 0 || row.trace > FOLD - SIZE || row.sample < 0 ||
        row.sample > SAMPLES - SIZE)
        return false;
    if (map->rule.by != SPLIT_BY_PATCH) return map->count[split][row.ensemble] == PATCHES;
    int64_t patch = row.trace * (SAMPLES - SIZE + 1) + row.sample;
    RandomKey key = random_key(map->rule.seed, RANDOM_SPLIT, row.ensemble);
    int64_t position = random_unpermute(key, PATCHES, patch);
    int64_t test = map->count[INDEX_TEST][row.ensemble], valid = map->count[INDEX_VALID][row.ensemble];
    IndexSplit its = position < test ? INDEX_TEST : position < test + valid ? INDEX_VALID : INDEX_TRAIN;
    return its == split && random_permute(key, PATCHES, position) == patch;
}

static int compare_rows(const void *a, const void *b)
{
    const IndexRow *x = a, *y = b;
    if (x->ensemble != y->ensemble) return x->ensemble < y->ensemble ? -1 : 1;
    if (x->trace != y->trace) return x->trace < y->trace ? -1 : 1;
    return (x->sample > y->sample) - (x->sample < y->sample);
}

/* Cuts an even share for every rank, all held at once as rank 0 holds them before it sends them, and draws the first,
 * middle and last row of each. */
static void cut_evenly(const IndexMap *map, IndexSplit split)
{
    static IndexShare share[RANKS];
    int64_t cut[RANKS + 1], next = 0, n_pieces = 0;
    IndexRow last = {-1, -1, -1};
    IndexPlace place = {0, 0};
    index_even_cuts(map->total[split], RANKS, cut);
    for (int r = 0; r < RANKS; r++) {
        assert_int_equal(index_cut(map, split, cut[r], cut[r + 1], &place, &share[r]), STATUS_OK);
        assert_true(share[r].first == next);
        next += share[r].n_rows;
        n_pieces += share[r].n_pieces;
        int64_t at[] = {0, share[r].n_rows / 2, share[r].n_rows - 1};
        for (int k = 0; k < 3; k++) {
            IndexRow row = index_share_row(&share[r], at[k]);
            assert_true(belongs(map, split, row));
            assert_true(row.ensemble >= last.ensemble && compare_rows(&row, &last) != 0);
            last = row;
        }
    }
    for (int r = 0; r < RANKS; r++) index_share_free(&share[r]);
    assert_true(next == map->total[split]);
    int64_t gathers = 0;
    for (int64_t e = 0; e < GATHERS; e++) gathers += map->count[split][e] > 0;
    assert_true(n_pieces >= gathers && n_pieces < gathers + RANKS); /* a cut adds one at most */
}

typedef struct {
    double seconds;           /* of the processor, in drawing alone */
    int64_t draws, on[STEPS]; /* of all ranks; of all ranks in each step */
    int64_t rows;             /* in the ranks' shares */
} Drawn;

/* A few steps of one rank of an epoch. */
static void draw_rank(const IndexMap *map, const Config *config, int rank, IndexPlace *place, IndexRow *rows,
                      Drawn *drawn)
{
    Order order;
    int64_t n_mine, n_all, n = 0;
    assert_int_equal(order_cut(map, config, rank, RANKS, place, &order), STATUS_OK);
    assert_true(order.share.first == drawn->rows);
    drawn->rows += order.share.n_rows;
    double start = processor_seconds();
    order_start(&order, 3);
    for (int step = 0; step < STEPS; step++) {
        assert_int_equal(order_next(&order, rows + n, &n_mine, &n_all), STATUS_OK);
        assert_int_equal(n_all, BATCH);
        assert_true(n_mine <= order_my_most(&order));
        drawn->on[step] += n_mine;
        n += n_mine;
    }
    drawn->seconds += processor_seconds() - start;
    drawn->draws += n;
    int64_t first = order.share.piece[0].ensemble, last = order.share.piece[order.share.n_pieces - 1].ensemble;
    qsort(rows, (size_t)n, sizeof *rows, compare_rows);
    for (int64_t i = 0; i < n; i++) {
        assert_true(rows[i].ensemble >= first && rows[i].ensemble <= last && belongs(map, INDEX_TRAIN, rows[i]));
        assert_true(i == 0 || compare_rows(&rows[i - 1], &rows[i]) != 0);
    }
    order_free(&order);
}

static void draw_all(const IndexMap *map, int64_t block_gathers, Drawn *drawn)
{
    Config config;
    config_defaults(&config);
    config.train.batch_size = BATCH;
    config.train.block_gathers = block_gathers;
    memset(drawn, 0, sizeof *drawn);
    IndexRow *rows = memory_new(STEPS * (BATCH / RANKS + 64) * 2, sizeof *rows, "test"); /* shards are not all alike */
    assert_non_null(rows);
    IndexPlace place = {0, 0};
    for (int r = 0; r < RANKS; r++) draw_rank(map, &config, r, &place, rows, drawn);
    memory_free(rows);
    assert_true(drawn->rows == map->total[INDEX_TRAIN]);
    for (int step = 0; step < STEPS; step++) assert_int_equal(drawn->on[step], BATCH);
}

static void whole_survey(int64_t by)
{
    IndexMap map;
    Drawn all, blocks;
    double start = processor_seconds();
    build_whole(by, &map);
    double built = processor_seconds();
    check_totals(&map, by);
    for (int s = 0; s < INDEX_SPLITS; s++) cut_evenly(&map, (IndexSplit)s);
    draw_all(&map, 0, &all);
    draw_all(&map, 8, &blocks);
    index_free(&map);
    double each = 1e6 * (all.seconds + blocks.seconds) / (double)(all.draws + blocks.draws);
    printf("# split.by=%s: built in %.2f s, %" PRId64 " draws on %d ranks, %.2f s a million; peak memory %.1f MB\n",
           config_word(CONFIG_SPLIT_BY, by), built - start, all.draws + blocks.draws, (int)RANKS, each,
           (double)memory_peak() / 1e6);
#if !defined(__SANITIZE_ADDRESS__)
    assert_true(memory_peak() > 0 && memory_peak() < MEMORY_LIMIT); /* of the whole process */
    assert_true(each < SECONDS_A_MILLION_DRAWS);
#endif
}

static void a_whole_survey_by_ensemble(void **state)
{
    (void)state;
    whole_survey(SPLIT_BY_ENSEMBLE);
}

static void a_whole_survey_by_inline(void **state)
{
    (void)state;
    whole_survey(SPLIT_BY_INLINE);
}

static void a_whole_survey_by_patch(void **state)
{
    (void)state;
    whole_survey(SPLIT_BY_PATCH);
}

/* ---- a small survey, whole epochs ---- */

enum { FEW = 7, FEW_SAMPLES = 15, FEW_SIZE = 8, MOST_FOLD = 20 };
static const int64_t few_folds[FEW] = {9, 12, 4, 20, 8, 11, 10};

/* How often each row comes, over all ranks of a simulated job; the rows of each step go into steps. */
static void walk_few(const IndexMap *map, const Config *config, int size, int *times, int64_t *steps)
{
    IndexPlace place = {0, 0};
    IndexRow *rows = memory_new((size_t)map->total[INDEX_TRAIN], sizeof *rows, "test");
    assert_non_null(rows);
    for (int r = 0; r < size; r++) {
        Order order;
        int64_t n_mine, n_all, step = 0;
        assert_int_equal(order_cut(map, config, r, size, &place, &order), STATUS_OK);
        order_start(&order, 1);
        while (order_next(&order, rows, &n_mine, &n_all) == STATUS_OK && n_all > 0) {
            for (int64_t i = 0; i < n_mine; i++) {
                int64_t at = (rows[i].ensemble * MOST_FOLD + rows[i].trace) * FEW_SAMPLES + rows[i].sample;
                times[at]++;
                steps[at] = step;
            }
            step++;
        }
        assert_int_equal(step, order_steps(&order));
        order_free(&order);
    }
    memory_free(rows);
}

static void every_row_once_on_any_number_of_ranks(void **state)
{
    (void)state;
    enum { PLACES = FEW * MOST_FOLD * FEW_SAMPLES };
    static const int sizes[] = {1, 2, 3, 7, 64, 1000};
    int64_t first_trace[FEW + 1] = {0};
    int32_t lines[FEW] = {1, 1, 2, 2, 3, 4, 5};
    for (int e = 0; e < FEW; e++) first_trace[e + 1] = first_trace[e] + few_folds[e];
    for (int64_t by = SPLIT_BY_ENSEMBLE; by <= SPLIT_BY_PATCH; by++)
        for (int64_t block = 0; block <= 2; block += 2) {
            IndexRule rule = {FEW_SIZE, 1, by, TEST_SHARE, VALID_SHARE, 1, 0};
            IndexMap map;
            Config config;
            assert_int_equal(index_build(&rule, FEW, FEW_SAMPLES, first_trace, lines, NULL, NULL, &map), STATUS_OK);
            config_defaults(&config);
            config.train.batch_size = 10;
            config.train.shards = 50;
            config.train.block_gathers = block;
            int64_t alone[PLACES], steps[PLACES];
            for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
                int times[PLACES] = {0};
                memset(steps, 0xff, sizeof steps);
                walk_few(&map, &config, sizes[k], times, steps);
                int64_t seen = 0;
                for (int i = 0; i < PLACES; i++) {
                    assert_in_range(times[i], 0, 1);
                    seen += times[i];
                }
                assert_int_equal(seen, map.total[INDEX_TRAIN]);
                if (k == 0) memcpy(alone, steps, sizeof alone);
                assert_memory_equal(steps, alone, sizeof alone); /* the same batches */
            }
            index_free(&map);
        }
}

static void permutations_turn_round_at_any_size(void **state)
{
    (void)state;
    static const int64_t sizes[] = {PATCHES, INT64_C(12489257), INT64_C(12789000000), INT64_C(1) << 40};
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        RandomKey key = random_key(11, RANDOM_TEST, (int64_t)k), draw = random_key(12, RANDOM_TEST, (int64_t)k);
        for (uint64_t i = 0; i < 100000; i++) {
            int64_t position = random_below(draw, sizes[k], i, 0), to = random_permute(key, sizes[k], position);
            assert_true(to >= 0 && to < sizes[k] && random_unpermute(key, sizes[k], to) == position);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_survey_by_ensemble),
        cmocka_unit_test(a_whole_survey_by_inline),
        cmocka_unit_test(a_whole_survey_by_patch),
        cmocka_unit_test(every_row_once_on_any_number_of_ranks),
        cmocka_unit_test(permutations_turn_round_at_any_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
