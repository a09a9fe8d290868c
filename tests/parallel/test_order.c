/* Tests of survey/order and parallel/worklist on any number of ranks: every row once, and the same batches as one rank
 * cuts. */
#include "seisdcn/memory.h"
#include "seisdcn/order.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "index_rows.h"

enum { N_ENSEMBLES = 9, N_SAMPLES = 13, SIZE = 8 };
static const int64_t folds[N_ENSEMBLES] = {9, 12, 4, 8, 20, 10, 8, 15, 8};

static Comm comm, alone;

/* A row with the batch that it came in. */
typedef struct {
    int64_t step;
    IndexRow row;
} Taken;

static Status build_on_rank_0(int64_t by, IndexMap *map)
{
    int64_t first_trace[N_ENSEMBLES + 1] = {0};
    int32_t inlines[N_ENSEMBLES] = {0};
    for (int e = 0; e < N_ENSEMBLES; e++) first_trace[e + 1] = first_trace[e] + folds[e];
    IndexRule rule = {SIZE, 1, by, 0.2, 0.1, 5, 0};
    return index_build(&rule, N_ENSEMBLES, N_SAMPLES, first_trace, inlines, NULL, NULL, map);
}

/* Gives the other ranks what index_load() would. */
static void share_map(Status status, IndexMap *map)
{
    assert_int_equal(comm_agree(&comm, status), STATUS_OK);
    comm_broadcast(&comm, &map->rule, sizeof map->rule);
    comm_broadcast(&comm, map->total, sizeof map->total);
    comm_broadcast(&comm, &map->is_explicit, sizeof map->is_explicit);
    map->n_ensembles = N_ENSEMBLES;
    map->n_samples = N_SAMPLES;
}

static void make_map(int64_t by, IndexMap *map)
{
    memset(map, 0, sizeof *map);
    share_map(comm.rank == 0 ? build_on_rank_0(by, map) : STATUS_OK, map);
}

static IndexRow implicit_row(const IndexMap *map, int64_t e, int64_t j)
{
    int64_t count[INDEX_SPLITS];
    for (int s = 0; s < INDEX_SPLITS; s++) count[s] = map->count[s][e];
    return index_row(&map->rule, INDEX_TRAIN, e, N_SAMPLES, count, j);
}

/* Turns an implicit map's train rows into a list; the file's order is the list's turned round, with step `mix`. */
static Status list_rows(IndexMap *map, int64_t mix)
{
    int64_t n = map->total[INDEX_TRAIN], at = 0;
    map->is_explicit = true;
    map->rows[INDEX_TRAIN] = memory_new((size_t)n, sizeof(IndexRow), "test");
    map->train_as_given = memory_new((size_t)n, sizeof(IndexRow), "test");
    if (map->rows[INDEX_TRAIN] == NULL || map->train_as_given == NULL) return STATUS_MEMORY;
    for (int64_t e = 0; e < N_ENSEMBLES; e++)
        for (int64_t j = 0; j < map->count[INDEX_TRAIN][e]; j++) map->rows[INDEX_TRAIN][at++] = implicit_row(map, e, j);
    for (int64_t i = 0; i < n; i++) map->train_as_given[i] = map->rows[INDEX_TRAIN][(n - 1 - i) * mix % n];
    return STATUS_OK;
}

static void make_explicit_map(int64_t by, int64_t mix, IndexMap *map)
{
    memset(map, 0, sizeof *map);
    Status status = comm.rank == 0 ? build_on_rank_0(by, map) : STATUS_OK;
    if (status == STATUS_OK && comm.rank == 0) status = list_rows(map, mix);
    share_map(status, map);
}

static int compare_taken(const void *a, const void *b)
{
    const Taken *x = a, *y = b;
    if (x->step != y->step) return x->step < y->step ? -1 : 1;
    if (x->row.ensemble != y->row.ensemble) return x->row.ensemble < y->row.ensemble ? -1 : 1;
    if (x->row.trace != y->row.trace) return x->row.trace < y->row.trace ? -1 : 1;
    return (x->row.sample > y->row.sample) - (x->row.sample < y->row.sample);
}

/* Walks an epoch; *taken (rank 0) holds all its rows with their steps, in the order of step and rank. Returns how many
 * they are. Checks on every rank what it gets. */
static int64_t walk(const Comm *ranks, Order *order, int64_t epoch, Taken **taken)
{
    int64_t n_mine, n_all, all = 0, mine = 0, steps = 0, most = order_my_most(order);
    IndexRow *rows = memory_new((size_t)order->batch_size, sizeof *rows, "test");
    Taken *list = memory_new((size_t)order->n_rows, sizeof *list, "test");
    int64_t n_rows_mine = order->share.n_rows;
    assert_int_equal(comm_agree(ranks, rows == NULL || list == NULL ? STATUS_MEMORY : STATUS_OK), STATUS_OK);
    order_start(order, epoch);
    bool good = true; /* judged together: no rank leaves the others waiting */
    for (;;) {
        good = good && order_next(order, rows, &n_mine, &n_all) == STATUS_OK;
        if (!good || n_all == 0) break;
        int64_t left = order->epoch_rows - all;
        good = n_mine <= most && n_all == (left < order->batch_size ? left : order->batch_size) &&
               mine + n_mine <= order->n_rows;
        if (good && order->shuffle) { /* within one of its share of all that is left */
            double share = (double)n_all * (double)(n_rows_mine - mine) / (double)(order->n_rows - all);
            good = fabs((double)n_mine - share) <= 1;
        }
        for (int64_t i = 0; good && i < n_mine; i++) list[mine++] = (Taken){steps, rows[i]};
        all += n_all;
        steps++;
    }
    good = good && steps == order_steps(order) && all == order->epoch_rows;
    assert_int_equal(comm_agree(ranks, good ? STATUS_OK : STATUS_BUG), STATUS_OK);
    void *gathered;
    int64_t n = mine;
    comm_sum(ranks, &n, 1);
    assert_int_equal(n, all);
    assert_int_equal(comm_gather(ranks, list, (size_t)mine * sizeof *list, &gathered, NULL), STATUS_OK);
    *taken = gathered;
    memory_free(list);
    memory_free(rows);
    return n;
}

/* Rank 0: each train row of the map at most once, and all of them where the epoch is whole. */
static bool each_row_once(const IndexMap *map, const Taken *taken, int64_t n)
{
    char seen[N_ENSEMBLES][32][N_SAMPLES] = {{{0}}};
    for (int64_t e = 0; e < N_ENSEMBLES; e++)
        for (int64_t j = 0; j < map->count[INDEX_TRAIN][e]; j++) {
            IndexRow row = implicit_row(map, e, j);
            seen[e][row.trace][row.sample] = 1;
        }
    for (int64_t i = 0; i < n; i++) {
        IndexRow row = taken[i].row;
        if (row.ensemble < 0 || row.ensemble >= N_ENSEMBLES || row.trace < 0 || row.trace > 31 || row.sample < 0 ||
            row.sample >= N_SAMPLES || seen[row.ensemble][row.trace][row.sample]-- != 1)
            return false;
    }
    return true;
}

/* Walks two epochs with all ranks and with one, and compares batch by batch. */
static void check_order(const IndexMap *map, const Config *config)
{
    Order order, lone;
    Taken *first = NULL, *taken, *wanted;
    int64_t n_first = 0;
    assert_int_equal(order_new(&comm, map, config, &order), STATUS_OK);
    Status status = comm.rank == 0 ? order_new(&alone, map, config, &lone) : STATUS_OK;
    assert_int_equal(comm_agree(&comm, status), STATUS_OK);
    for (int64_t epoch = 1; epoch <= 2; epoch++) {
        int64_t n = walk(&comm, &order, epoch, &taken);
        bool good = true;
        if (comm.rank == 0) {
            good = walk(&alone, &lone, epoch, &wanted) == n && each_row_once(map, taken, n);
            qsort(taken, (size_t)n, sizeof *taken, compare_taken);
            qsort(wanted, (size_t)n, sizeof *wanted, compare_taken);
            good = good && memcmp(taken, wanted, (size_t)n * sizeof *taken) == 0;
            if (epoch == 2 && n > 20) {
                bool same = n == n_first && memcmp(taken, first, (size_t)n * sizeof *taken) == 0;
                bool one_batch = config->train.batch_size >= map->total[INDEX_TRAIN] && n == map->total[INDEX_TRAIN];
                good = good && same == (!config->train.shuffle || one_batch);
            }
            memory_free(wanted);
        }
        assert_int_equal(comm_agree(&comm, good ? STATUS_OK : STATUS_BUG), STATUS_OK);
        if (epoch == 1) {
            first = taken;
            n_first = n;
        } else
            memory_free(taken);
    }
    memory_free(first);
    order_free(&order);
    if (comm.rank == 0) order_free(&lone);
}

static Config settings(bool shuffle, int64_t block, int64_t shards, int64_t batch, int64_t limit)
{
    Config config;
    config_defaults(&config);
    config.train.shuffle = shuffle;
    config.train.block_gathers = block;
    config.train.shards = shards;
    config.train.batch_size = batch;
    config.train.max_patches_per_epoch = limit;
    return config;
}

static const int64_t batches[] = {7, 32, 1000}, limits[] = {0, 50};

static void shuffled_batches_do_not_depend_on_ranks(void **state)
{
    (void)state;
    static const int64_t blocks[] = {0, 1, 3}, shards[] = {5, 64, 1024};
    for (int64_t by = SPLIT_BY_ENSEMBLE; by <= SPLIT_BY_PATCH; by += SPLIT_BY_PATCH) {
        IndexMap map;
        make_map(by, &map);
        assert_true(map.total[INDEX_TRAIN] < 1024 && map.total[INDEX_TRAIN] > 64);
        for (int block = 0; block < 3; block++)
            for (int shard = 0; shard < 3; shard++)
                for (int batch = 0; batch < 3; batch++)
                    for (int limit = 0; limit < 2; limit++) {
                        Config config = settings(true, blocks[block], shards[shard], batches[batch], limits[limit]);
                        check_order(&map, &config);
                    }
        index_free(&map);
    }
}

static void sorted_batches_do_not_depend_on_ranks(void **state)
{
    (void)state;
    for (int64_t by = SPLIT_BY_ENSEMBLE; by <= SPLIT_BY_PATCH; by += SPLIT_BY_PATCH) {
        IndexMap map;
        make_map(by, &map);
        for (int batch = 0; batch < 3; batch++)
            for (int limit = 0; limit < 2; limit++) {
                Config config = settings(false, 0, 1024, batches[batch], limits[limit]);
                check_order(&map, &config);
            }
        index_free(&map);
    }
}

/* All rows of an unshuffled epoch stand in the map's own order, whoever holds them. */
static void check_sequence(const IndexMap *map, const Config *config, const IndexRow *wanted)
{
    Order order;
    Taken *taken;
    assert_int_equal(order_new(&comm, map, config, &order), STATUS_OK);
    int64_t n = walk(&comm, &order, 1, &taken);
    bool good = true;
    if (comm.rank == 0) { /* gathered rank after rank: put step after step, each rank's part in its place */
        int64_t at = 0;
        for (int64_t step = 0; step < order_steps(&order); step++)
            for (int64_t i = 0; i < n; i++)
                if (taken[i].step == step) good = good && memcmp(&taken[i].row, &wanted[at++], sizeof *wanted) == 0;
        good = good && at == n;
        memory_free(taken);
    }
    assert_int_equal(comm_agree(&comm, good ? STATUS_OK : STATUS_BUG), STATUS_OK);
    order_free(&order);
}

static void unshuffled_explicit_maps_keep_the_files_order(void **state)
{
    (void)state;
    IndexMap map;
    make_explicit_map(SPLIT_BY_ENSEMBLE, 1, &map);
    for (int batch = 0; batch < 3; batch++)
        for (int limit = 0; limit < 2; limit++) {
            Config config = settings(false, 0, 1024, batches[batch], limits[limit]);
            check_sequence(&map, &config, map.train_as_given);
        }
    index_free(&map);
    make_explicit_map(SPLIT_BY_PATCH, 4, &map); /* rows that repeat */
    Config config = settings(false, 0, 1024, 7, 0);
    check_sequence(&map, &config, map.train_as_given);
    index_free(&map);
}

static void unshuffled_implicit_maps_are_sorted(void **state)
{
    (void)state;
    for (int64_t by = SPLIT_BY_ENSEMBLE; by <= SPLIT_BY_PATCH; by += SPLIT_BY_PATCH) {
        IndexMap map;
        make_map(by, &map);
        IndexRow *sorted = NULL;
        Status status = STATUS_OK;
        if (comm.rank == 0) {
            int64_t at = 0;
            sorted = memory_new((size_t)map.total[INDEX_TRAIN], sizeof *sorted, "test");
            for (int64_t e = 0; e < N_ENSEMBLES && status == STATUS_OK; e++) {
                int64_t count[INDEX_SPLITS];
                for (int s = 0; s < INDEX_SPLITS; s++) count[s] = map.count[s][e];
                status = index_sorted_rows(&map.rule, INDEX_TRAIN, e, N_SAMPLES, count, sorted + at);
                at += count[INDEX_TRAIN];
            }
        }
        assert_int_equal(comm_agree(&comm, status), STATUS_OK);
        Config config = settings(false, 0, 1024, 7, 0);
        check_sequence(&map, &config, sorted);
        memory_free(sorted);
        index_free(&map);
    }
}

/* A list of the same rows, made by the same rule, gives the same batches. */
static void explicit_maps_of_a_rule_give_the_implicit_batches(void **state)
{
    (void)state;
    for (int64_t by = SPLIT_BY_ENSEMBLE; by <= SPLIT_BY_PATCH; by += SPLIT_BY_PATCH)
        for (int64_t block = 0; block <= 2; block += 2) {
            IndexMap implicit, listed;
            make_map(by, &implicit);
            make_explicit_map(by, 1, &listed);
            Config config = settings(true, block, 16, 11, 0);
            Order a, b;
            Taken *x, *y;
            assert_int_equal(order_new(&comm, &implicit, &config, &a), STATUS_OK);
            assert_int_equal(order_new(&comm, &listed, &config, &b), STATUS_OK);
            int64_t n = walk(&comm, &a, 3, &x);
            bool good = walk(&comm, &b, 3, &y) == n;
            if (comm.rank == 0) {
                good = good && memcmp(x, y, (size_t)n * sizeof *x) == 0;
                memory_free(x);
                memory_free(y);
            }
            assert_int_equal(comm_agree(&comm, good ? STATUS_OK : STATUS_BUG), STATUS_OK);
            order_free(&a);
            order_free(&b);
            index_free(&implicit);
            index_free(&listed);
        }
}

/* What rank 0 sends is what it cuts. */
static void shares_are_cuts_of_the_map(void **state)
{
    (void)state;
    for (int listed = 0; listed < 2; listed++)
        for (int split = 0; split < INDEX_SPLITS; split++) {
            IndexMap map;
            IndexShare share, wanted;
            int64_t *cut = memory_new((size_t)comm.size + 1, sizeof *cut, "test");
            if (listed)
                make_explicit_map(SPLIT_BY_PATCH, 1, &map);
            else
                make_map(SPLIT_BY_PATCH, &map);
            int64_t total = listed && split != INDEX_TRAIN ? 0 : map.total[split]; /* only its train rows are listed */
            index_even_cuts(total, comm.size, cut);
            assert_int_equal(index_scatter(&comm, &map, (IndexSplit)split, cut, &share), STATUS_OK);
            void *pieces, *rows, *heads;
            size_t *at_piece = memory_new((size_t)comm.size + 1, sizeof *at_piece, "test");
            size_t *at_row = memory_new((size_t)comm.size + 1, sizeof *at_row, "test");
            int64_t head[3] = {share.first, share.n_rows, share.n_pieces};
            comm_gather(&comm, head, sizeof head, &heads, NULL);
            comm_gather(&comm, share.piece, (size_t)share.n_pieces * sizeof *share.piece, &pieces, at_piece);
            comm_gather(&comm, share.rows, listed ? (size_t)share.n_rows * sizeof *share.rows : 0, &rows, at_row);
            bool good = true;
            IndexPlace place = {0, 0};
            for (int r = 0; comm.rank == 0 && r < comm.size; r++) {
                assert_int_equal(index_cut(&map, (IndexSplit)split, cut[r], cut[r + 1], &place, &wanted), STATUS_OK);
                int64_t want[3] = {wanted.first, wanted.n_rows, wanted.n_pieces};
                good = good && memcmp((int64_t *)heads + 3 * r, want, sizeof want) == 0;
                good = good && at_piece[r + 1] - at_piece[r] == (size_t)wanted.n_pieces * sizeof *wanted.piece &&
                       memcmp((char *)pieces + at_piece[r], wanted.piece, at_piece[r + 1] - at_piece[r]) == 0;
                good = good && (wanted.rows != NULL) == (listed != 0);
                good =
                    good && (!listed || memcmp((char *)rows + at_row[r], wanted.rows, at_row[r + 1] - at_row[r]) == 0);
                index_share_free(&wanted);
            }
            assert_int_equal(comm_agree(&comm, good ? STATUS_OK : STATUS_BUG), STATUS_OK);
            memory_free(heads);
            memory_free(pieces);
            memory_free(rows);
            memory_free(at_piece);
            memory_free(at_row);
            memory_free(cut);
            index_share_free(&share);
            index_free(&map);
        }
}

static void an_epoch_can_be_started_by_itself(void **state)
{
    (void)state;
    IndexMap map;
    make_map(SPLIT_BY_PATCH, &map);
    Config config = settings(true, 2, 16, 11, 0);
    Order after, fresh;
    Taken *x, *y;
    assert_int_equal(order_new(&comm, &map, &config, &after), STATUS_OK);
    assert_int_equal(order_new(&comm, &map, &config, &fresh), STATUS_OK);
    walk(&comm, &after, 1, &x);
    if (comm.rank == 0) memory_free(x);
    int64_t n = walk(&comm, &after, 2, &x);
    bool good = walk(&comm, &fresh, 2, &y) == n;
    if (comm.rank == 0) {
        good = good && memcmp(x, y, (size_t)n * sizeof *x) == 0;
        memory_free(x);
        memory_free(y);
    }
    assert_int_equal(comm_agree(&comm, good ? STATUS_OK : STATUS_BUG), STATUS_OK);
    order_free(&after);
    order_free(&fresh);
    index_free(&map);
}

int main(int argc, char **argv)
{
    comm_open(&argc, &argv, &comm);
    alone = (Comm){MPI_COMM_SELF, 0, 1};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shuffled_batches_do_not_depend_on_ranks),
        cmocka_unit_test(sorted_batches_do_not_depend_on_ranks),
        cmocka_unit_test(unshuffled_explicit_maps_keep_the_files_order),
        cmocka_unit_test(unshuffled_implicit_maps_are_sorted),
        cmocka_unit_test(explicit_maps_of_a_rule_give_the_implicit_batches),
        cmocka_unit_test(shares_are_cuts_of_the_map),
        cmocka_unit_test(an_epoch_can_be_started_by_itself),
    };
    int failed = cmocka_run_group_tests_name("order", tests, NULL, NULL);
    comm_close(&comm);
    return failed;
}
