/* Tests of survey/blocks on any number of ranks: what a rank holds stays within what blocks_bytes_of() tells, every
 * row's gather is there, and what the next blocks need is read before. */
#include "seisdcn/blocks.h"
#include "seisdcn/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "temporary.h"

enum { N_ENSEMBLES = 40, N_SAMPLES = 20, MAX_FOLD = 16, SIZE = 8, GROUP = 4 };

static Comm comm;
static char folder[TEMPORARY_PATH], path[2 * TEMPORARY_PATH];
static Survey survey;

static void all_good(bool good)
{
    assert_int_equal(comm_agree(&comm, good ? STATUS_OK : status_fail(STATUS_BUG, "wrong on this rank")), STATUS_OK);
}

static int64_t fold_of(int64_t e) { return e % 7 == 3 ? 4 : 9 + (e * 5) % (MAX_FOLD - 8); } /* some hold no patch */

static float value_of(int64_t e, int64_t i) { return (float)(e * 1000 + i) / 8; }

static int make_survey(void **state)
{
    (void)state;
    int64_t first_trace[N_ENSEMBLES + 1] = {0};
    int32_t lines[N_ENSEMBLES] = {0};
    float amplitude[MAX_FOLD * N_SAMPLES];
    if (comm.rank == 0) temporary_make(folder);
    comm_broadcast(&comm, folder, sizeof folder);
    snprintf(path, sizeof path, "%s/survey.h5", folder);
    for (int64_t e = 0; e < N_ENSEMBLES; e++) first_trace[e + 1] = first_trace[e] + fold_of(e);
    SurveyPlan plan = {.n_ensembles = N_ENSEMBLES,
                       .n_samples = N_SAMPLES,
                       .first_trace = first_trace,
                       .inlines = lines,
                       .crosslines = lines};
    Status status = survey_create(&comm, path, &plan, &survey);
    for (int64_t e = comm.rank; e < N_ENSEMBLES && status == STATUS_OK; e += comm.size) {
        for (int64_t i = 0; i < fold_of(e) * N_SAMPLES; i++) amplitude[i] = value_of(e, i);
        status = survey_write_gather(&survey, e, amplitude);
    }
    status = comm_agree(&comm, status);
    if (status == STATUS_OK) status = survey_finish(&survey);
    if (status == STATUS_OK) status = survey_close(&survey);
    if (status == STATUS_OK) status = survey_open(&comm, path, false, &survey);
    return status;
}

static int remove_survey(void **state)
{
    (void)state;
    Status status = survey_close(&survey);
    if (comm.rank == 0) temporary_remove(folder);
    return status;
}

static Config settings(int64_t shards, int64_t block, int64_t batch, int64_t by)
{
    Config config;
    config_defaults(&config);
    config.patch.size = SIZE;
    config.split.by = by;
    config.train.shards = shards;
    config.train.block_gathers = block;
    config.train.batch_size = batch;
    return config;
}

/* An order in blocks with its store, as the trainer makes them. */
typedef struct {
    IndexMap map;
    Order order;
    BlocksBytes bytes;
    Gathers gathers;
    Blocks blocks;
    IndexRow *rows;
    int64_t n_mine, n_all;
} Walk;

static void walk_new(Config config, Walk *walk)
{
    memset(walk, 0, sizeof *walk);
    assert_int_equal(index_load(&comm, &survey, NULL, &config, &walk->map), STATUS_OK);
    assert_int_equal(order_new(&comm, &walk->map, &config, &walk->order), STATUS_OK);
    int64_t block = config.train.block_gathers;
    bool good = blocks_bytes(&walk->order, &survey, 1, &walk->bytes) == STATUS_OK;
    good = good && gathers_new(&survey, 1, blocks_bytes_of(&walk->bytes, block), &walk->gathers) == STATUS_OK;
    int64_t ahead = good && block < walk->bytes.n ? walk->bytes.ahead[block] : 0;
    good = good && blocks_new(&walk->order, &walk->gathers, ahead, &walk->blocks) == STATUS_OK;
    walk->rows = memory_new((size_t)order_my_most(&walk->order), sizeof *walk->rows, "test");
    all_good(good && walk->rows != NULL);
}

static void walk_free(Walk *walk)
{
    blocks_free(&walk->blocks);
    gathers_free(&walk->gathers);
    blocks_bytes_free(&walk->bytes);
    order_free(&walk->order);
    index_free(&walk->map);
    memory_free(walk->rows);
}

static int64_t bytes_held(const Walk *walk)
{
    int64_t sum = 0;
    for (int64_t e = 0; e < N_ENSEMBLES; e++)
        if (walk->gathers.data[e] != NULL) sum += gathers_bytes_of(&survey, 1, e);
    return sum;
}

static bool within_limit(const Walk *walk)
{
    int64_t largest = MAX_FOLD * N_SAMPLES * (int64_t)sizeof(float);
    return bytes_held(walk) <= (walk->gathers.limit > largest ? walk->gathers.limit : largest);
}

/* Uses the rows of a batch as the trainer does, group by group. */
static bool use_rows(Walk *walk)
{
    blocks_drawn(&walk->blocks);
    for (int64_t first = 0; first < walk->n_mine; first += GROUP) {
        int64_t end = first + GROUP < walk->n_mine ? first + GROUP : walk->n_mine;
        blocks_reach(&walk->blocks, end);
        for (int64_t i = first; i < end; i++) {
            const float *values;
            IndexRow row = walk->rows[i];
            int64_t at = row.trace * N_SAMPLES + row.sample;
            if (gathers_get(&walk->gathers, row.ensemble, &values) != STATUS_OK) return false;
            if (values[at] != value_of(row.ensemble, at) || !within_limit(walk)) return false;
        }
        /* the last row's block is the one that its shard is in */
        if (!gathers_stays(&walk->gathers, walk->rows[end - 1].ensemble)) return false;
        blocks_read_on(&walk->blocks);
        if (!within_limit(walk)) return false;
    }
    return true;
}

/* The epoch to its end; the number of rows used here. */
static bool use_epoch(Walk *walk, int64_t *n)
{
    bool good = true;
    *n = 0;
    do {
        good = good && order_next(&walk->order, walk->rows, &walk->n_mine, &walk->n_all) == STATUS_OK && use_rows(walk);
        *n += walk->n_mine;
    } while (good && walk->n_all > 0);
    return good;
}

static const int64_t shards[] = {1, 3, 8, 64}, sizes[] = {1, 2, 3, 100}, batches[] = {5, 64, 4000};

static void every_rows_gather_is_there_within_the_limit(void **state)
{
    (void)state;
    for (int64_t by = SPLIT_BY_ENSEMBLE; by <= SPLIT_BY_PATCH; by += SPLIT_BY_PATCH)
        for (int s = 0; s < 4; s++)
            for (int b = 0; b < 4; b++)
                for (int k = 0; k < 3; k++) {
                    Walk walk;
                    bool good = true;
                    int64_t n, all;
                    walk_new(settings(shards[s], sizes[b], batches[k], by), &walk);
                    all = walk.order.share.n_rows;
                    for (int64_t epoch = 1; good && epoch <= 3; epoch++) {
                        blocks_leave(&walk.blocks);
                        order_start(&walk.order, epoch);
                        blocks_start(&walk.blocks);
                        good = good && use_epoch(&walk, &n) && n == all;
                        if (epoch == 1) blocks_rest(&walk.blocks, 2); /* and none before the third */
                        good = good && within_limit(&walk);
                    }
                    all_good(good);
                    walk_free(&walk);
                }
}

/* In the middle of an epoch, with the batches before passed over: as a training that is taken up again. */
static void an_epoch_can_be_entered_in_its_middle(void **state)
{
    (void)state;
    for (int s = 0; s < 4; s++)
        for (int b = 0; b < 4; b++) {
            Walk walk;
            int64_t n, passed = 0;
            walk_new(settings(shards[s], sizes[b], 64, SPLIT_BY_ENSEMBLE), &walk);
            order_start(&walk.order, 5);
            bool good = true;
            for (int i = 0; i < 11; i++) {
                good = good && order_next(&walk.order, walk.rows, &walk.n_mine, &walk.n_all) == STATUS_OK;
                passed += walk.n_mine;
            }
            blocks_start(&walk.blocks);
            good = good && use_epoch(&walk, &n) && passed + n == walk.order.share.n_rows;
            all_good(good);
            walk_free(&walk);
        }
}

/* Goes on reading until all is begun or nothing more can be. */
static void read_all(Walk *walk)
{
    do {
        blocks_read_on(&walk->blocks);
    } while (walk->blocks.at < walk->blocks.n_coming && walk->gathers.reader.n_busy > 0);
}

/* With time to read, nothing is ever waited for but what the epoch starts with; each gather is read once a visit. */
static void next_blocks_are_there_when_they_start(void **state)
{
    (void)state;
    for (int b = 0; b < 3; b++) {
        Walk walk;
        walk_new(settings(8, sizes[b], 16, SPLIT_BY_ENSEMBLE), &walk);
        bool good = true;
        int64_t visits = walk.order.visit_first[walk.order.end_shard - walk.order.first_shard];
        for (int64_t epoch = 1; epoch <= 3; epoch++) {
            int64_t before = walk.gathers.n_read, late = 0;
            blocks_leave(&walk.blocks);
            order_start(&walk.order, epoch);
            blocks_start(&walk.blocks);
            if (epoch > 1) /* read while the ranks rested */
                for (int64_t k = walk.order.first_shard; k < walk.order.end_shard; k++)
                    for (int64_t i = 0; order_blocks(&walk.order, k) > 0 && i < order_block_size(&walk.order, k, 0);
                         i++)
                        late += walk.gathers.data[order_block_gather(&walk.order, k, 0, i)] == NULL;
            read_all(&walk);
            for (walk.n_all = 1; good && walk.n_all > 0;) {
                good = order_next(&walk.order, walk.rows, &walk.n_mine, &walk.n_all) == STATUS_OK;
                for (int64_t i = 0; i < walk.n_mine; i++) late += walk.gathers.data[walk.rows[i].ensemble] == NULL;
                good = good && use_rows(&walk);
                read_all(&walk);
            }
            /* one gather may be in two shards, and shards do not keep step to the row */
            good = good && walk.gathers.n_read - before <= visits + 8 && late <= visits / 8 + 1;
            blocks_rest(&walk.blocks, epoch + 1);
            read_all(&walk);
        }
        all_good(good);
        walk_free(&walk);
    }
}

static void the_bytes_of_blocks_are_counted(void **state)
{
    (void)state;
    for (int s = 0; s < 4; s++) {
        Walk walk;
        walk_new(settings(shards[s], 2, 64, SPLIT_BY_ENSEMBLE), &walk);
        int64_t all = 0, n = 0, last = 0;
        bool seen[N_ENSEMBLES] = {false}, good = true;
        for (int64_t k = walk.order.first_shard; k < walk.order.end_shard; k++) {
            if (order_gathers(&walk.order, k) > n) n = order_gathers(&walk.order, k);
            for (int64_t i = 0; i < order_gathers(&walk.order, k); i++) {
                int64_t e = order_gather(&walk.order, k, i);
                if (!seen[e]) all += gathers_bytes_of(&survey, 1, e);
                seen[e] = true;
            }
        }
        good = walk.bytes.n == n && walk.bytes.all == all && blocks_bytes_of(&walk.bytes, 0) == all &&
               blocks_bytes_of(&walk.bytes, n) == all && blocks_bytes_of(&walk.bytes, n + 7) == all;
        for (int64_t size = 1; size < n; size++) {
            int64_t bytes = blocks_bytes_of(&walk.bytes, size);
            good = good && bytes >= last && bytes <= all;
            last = bytes;
        }
        all_good(good);
        walk_free(&walk);
    }
}

int main(int argc, char **argv)
{
    comm_open(&argc, &argv, &comm);
    h5_open_library();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_rows_gather_is_there_within_the_limit),
        cmocka_unit_test(an_epoch_can_be_entered_in_its_middle),
        cmocka_unit_test(next_blocks_are_there_when_they_start),
        cmocka_unit_test(the_bytes_of_blocks_are_counted),
    };
    int failed = cmocka_run_group_tests_name("blocks", tests, make_survey, remove_survey);
    comm_close(&comm);
    return failed;
}
