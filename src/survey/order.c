#include "order_private.h"

#include "seisdcn/memory.h"
#include "seisdcn/random.h"

#include <inttypes.h>
#include <string.h>

static Status prepare_shuffled(Order *order)
{
    int64_t shards = order->end_shard - order->first_shard, total = 0;
    order->left = memory_new((size_t)order->n_shards, sizeof *order->left, "the shards");
    order->left_before = memory_new((size_t)order->n_shards, sizeof *order->left_before, "the shards");
    order->visit_first = memory_new((size_t)shards + 1, sizeof *order->visit_first, "the shards");
    if (order->left == NULL || order->left_before == NULL || order->visit_first == NULL) return STATUS_MEMORY;
    for (int64_t k = 0; k < shards; k++) {
        order->visit_first[k] = total;
        total += order_visits(order, order->first_shard + k, NULL);
    }
    order->visit_first[shards] = total;
    order->visit = memory_new((size_t)total, sizeof *order->visit, "the shards' gathers");
    order->first_block = memory_new((size_t)shards, sizeof *order->first_block, "the shards");
    order->block = memory_new((size_t)shards, sizeof *order->block, "the shards");
    bool enough = order->visit != NULL && order->first_block != NULL && order->block != NULL;
    for (int64_t k = 0; enough && k < shards; k++)
        (void)order_visits(order, order->first_shard + k, order->visit + order->visit_first[k]);
    if (enough && order->block_gathers > 0) {
        order->step_on = memory_new((size_t)order_my_most(order), sizeof *order->step_on, "a batch's new blocks");
        enough = order->step_on != NULL;
    }
    return enough ? STATUS_OK : STATUS_MEMORY;
}

static Status scatter_shuffled(const Comm *comm, const IndexMap *map, Order *order)
{
    int64_t *cut = memory_new((size_t)comm->size + 1, sizeof *cut, "the ranks' shares");
    Status status = comm_agree(comm, cut == NULL ? STATUS_MEMORY : STATUS_OK);
    for (int r = 0; status == STATUS_OK && r <= comm->size; r++)
        cut[r] = order_shard_start(order, order->n_shards * r / comm->size);
    if (status == STATUS_OK) status = index_scatter(comm, map, INDEX_TRAIN, cut, &order->share);
    memory_free(cut);
    if (status == STATUS_OK) status = comm_agree(comm, prepare_shuffled(order));
    return status;
}

/* This rank's rows of the batch that starts at row `start`: an even share of its n rows. */
static void slice(const Order *order, int64_t n, int64_t *first, int64_t *end)
{
    comm_share(&order->comm, n, first, end);
}

/* Explicit and unshuffled: each rank gets its slices of all batches of an epoch, one after the other. Rank 0 packs them
 * for one rank at a time. */
static Status scatter_slices(const Comm *comm, const IndexMap *map, Order *order)
{
    int64_t mine = 0;
    for (int64_t start = 0; start < order->epoch_rows; start += order->batch_size) {
        int64_t n = order->epoch_rows - start < order->batch_size ? order->epoch_rows - start : order->batch_size;
        int64_t first, end;
        slice(order, n, &first, &end);
        mine += end - first;
    }
    order->share.n_rows = mine;
    order->share.rows = memory_new((size_t)mine, sizeof(IndexRow), "this rank's rows");
    size_t *offset = memory_new((size_t)comm->size, sizeof *offset, "the ranks' shares");
    size_t *bytes = memory_new((size_t)comm->size, sizeof *bytes, "the ranks' shares");
    IndexRow *packed = NULL;
    if (comm->rank == 0) packed = memory_new((size_t)order->epoch_rows, sizeof *packed, "the ranks' rows");
    bool enough = order->share.rows != NULL && offset != NULL && bytes != NULL && (comm->rank != 0 || packed != NULL);
    Status status = comm_agree(comm, enough ? STATUS_OK : STATUS_MEMORY);
    if (status == STATUS_OK) {
        int64_t at = 0;
        Comm other = *comm;
        for (int r = 0; comm->rank == 0 && r < comm->size; r++) {
            other.rank = r;
            offset[r] = (size_t)at * sizeof *packed;
            for (int64_t start = 0; start < order->epoch_rows; start += order->batch_size) {
                int64_t n =
                    order->epoch_rows - start < order->batch_size ? order->epoch_rows - start : order->batch_size;
                int64_t first, end;
                comm_share(&other, n, &first, &end);
                memcpy(packed + at, map->train_as_given + start + first, (size_t)(end - first) * sizeof *packed);
                at += end - first;
            }
            bytes[r] = (size_t)at * sizeof *packed - offset[r];
        }
        comm_scatter(comm, packed, offset, bytes, order->share.rows, (size_t)mine * sizeof *packed);
    }
    memory_free(packed);
    memory_free(offset);
    memory_free(bytes);
    return status;
}

static void start_order(const Comm *comm, const IndexMap *map, const Config *config, Order *order)
{
    memset(order, 0, sizeof *order);
    order->comm = *comm;
    order->shuffle = config->train.shuffle;
    order->batch_size = config->train.batch_size;
    order->seed = config->train.seed;
    order->block_gathers = config->train.block_gathers;
    order->n_rows = map->total[INDEX_TRAIN];
    int64_t limit = config->train.max_patches_per_epoch;
    order->epoch_rows = limit > 0 && limit < order->n_rows ? limit : order->n_rows;
    order->n_shards = config->train.shards;
    order->first_shard = order->n_shards * comm->rank / comm->size;
    order->end_shard = order->n_shards * (comm->rank + 1) / comm->size;
    order->sorted_piece = order->shuffled = -1;
}

Status order_new(const Comm *comm, const IndexMap *map, const Config *config, Order *order)
{
    Status status;
    start_order(comm, map, config, order);
    if (order->shuffle)
        status = scatter_shuffled(comm, map, order);
    else if (map->is_explicit)
        status = scatter_slices(comm, map, order);
    else
        status = index_scatter_whole(comm, map, INDEX_TRAIN, &order->share);
    if (status != STATUS_OK) order_free(order);
    return status;
}

Status order_cut(const IndexMap *map, const Config *config, int rank, int size, IndexPlace *place, Order *order)
{
    Comm comm = {MPI_COMM_NULL, rank, size};
    start_order(&comm, map, config, order);
    if (!order->shuffle) return status_fail(STATUS_BUG, "an order that is not shuffled was to be cut out");
    Status status = index_cut(map, INDEX_TRAIN, order_shard_start(order, order->first_shard),
                              order_shard_start(order, order->end_shard), place, &order->share);
    if (status == STATUS_OK) status = prepare_shuffled(order);
    if (status != STATUS_OK) order_free(order);
    return status;
}

void order_free(Order *order)
{
    index_share_free(&order->share);
    memory_free(order->left);
    memory_free(order->left_before);
    memory_free(order->visit_first);
    memory_free(order->visit);
    memory_free(order->first_block);
    memory_free(order->block);
    memory_free(order->step_on);
    memory_free(order->sorted);
    memset(order, 0, sizeof *order);
}

int64_t order_steps(const Order *order) { return (order->epoch_rows + order->batch_size - 1) / order->batch_size; }

int64_t order_my_most(const Order *order)
{
    int64_t batch = order->batch_size < order->epoch_rows ? order->batch_size : order->epoch_rows;
    if (!order->shuffle) return batch / order->comm.size + 1;
    /* takes follow the rows left, which stay within a few rows of this share of all that is left */
    int64_t most = (int64_t)((__int128)batch * order->share.n_rows / order->n_rows) + 64;
    return most < batch ? most : batch;
}

void order_start(Order *order, int64_t epoch)
{
    order->epoch = epoch;
    order->step = order->taken = 0;
    order->n_step_on = 0;
    if (!order->shuffle) return;
    for (int64_t k = 0; k < order->n_shards; k++)
        order->left[k] = order_shard_start(order, k + 1) - order_shard_start(order, k);
    order_shuffle(order, epoch);
    memset(order->block, 0, (size_t)(order->end_shard - order->first_shard) * sizeof *order->block);
}

Status order_resume(Order *order, int64_t epoch, int64_t step, const int64_t *left)
{
    order_start(order, epoch);
    int64_t steps = order_steps(order), total = 0;
    bool good = step >= 0 && step <= steps;
    int64_t taken = !good ? 0 : step == steps ? order->epoch_rows : step * order->batch_size;
    for (int64_t k = 0; good && order->shuffle && k < order->n_shards; k++) {
        good = left[k] >= 0 && left[k] <= order->left[k];
        order->left[k] = left[k];
        total += left[k];
    }
    if (good && order->shuffle) good = total == order->n_rows - taken;
    if (!good)
        return status_fail(STATUS_DATA,
                           "epoch %" PRId64 " has no place behind step %" PRId64 " as the checkpoint describes it",
                           epoch, step);
    order->step = step;
    order->taken = taken;
    return STATUS_OK;
}

/* Rows position .. position + n - 1 of one of this rank's shards; notes where it goes on to another block. */
static void take_rows(Order *order, int64_t shard, int64_t position, int64_t n, IndexRow *rows, int64_t *n_mine)
{
    int64_t *now = &order->block[shard - order->first_shard];
    for (int64_t i = 0; i < n; i++) {
        int64_t block;
        rows[*n_mine] = order_row(order, shard, position + i, &block);
        if (block != *now) order->step_on[order->n_step_on++] = (OrderStepOn){*n_mine, shard, block};
        *now = block;
        ++*n_mine;
    }
}

static void next_shuffled(Order *order, int64_t n, IndexRow *rows, int64_t *n_mine)
{
    int64_t total = 0, before = 0;
    for (int64_t k = 0; k < order->n_shards; k++) total += order->left[k];
    int64_t offset = random_below(order_key(order, order->epoch, KEY_OFFSET), total, (uint64_t)order->step, 0);
    int64_t done = 0;
    for (int64_t k = 0; k < order->n_shards; k++) {
        before += order->left[k];
        int64_t up_to = (int64_t)(((__int128)n * before + offset) / total), take = up_to - done;
        done = up_to;
        if (k >= order->first_shard && k < order->end_shard) {
            int64_t position = order_shard_start(order, k + 1) - order_shard_start(order, k) - order->left[k];
            take_rows(order, k, position, take, rows, n_mine);
        }
        order->left[k] -= take;
    }
}

static Status next_sorted(Order *order, int64_t first, int64_t n, IndexRow *rows)
{
    const IndexShare *share = &order->share;
    for (int64_t i = 0; i < n; i++) {
        if (share->rule.by != SPLIT_BY_PATCH) {
            rows[i] = index_share_row(share, first + i);
            continue;
        }
        /* the canonical order of patches dealt one by one is not the sorted one: list an ensemble at a time */
        int64_t p = index_share_piece(share, first + i);
        const IndexPiece *piece = &share->piece[p];
        if (order->sorted_piece != p) {
            memory_free(order->sorted);
            order->sorted_piece = -1;
            order->sorted = memory_new((size_t)piece->n, sizeof *order->sorted, "an ensemble's rows");
            if (order->sorted == NULL) return STATUS_MEMORY;
            Status status = index_share_sorted(share, p, order->sorted);
            if (status != STATUS_OK) return status;
            order->sorted_piece = p;
        }
        rows[i] = order->sorted[first + i - piece->first];
    }
    return STATUS_OK;
}

Status order_next(Order *order, IndexRow *rows, int64_t *n_mine, int64_t *n_all)
{
    int64_t left = order->epoch_rows - order->taken, n = left < order->batch_size ? left : order->batch_size;
    *n_mine = 0;
    *n_all = n;
    order->n_step_on = 0;
    if (order->shuffle) memcpy(order->left_before, order->left, (size_t)order->n_shards * sizeof *order->left);
    if (n == 0) return STATUS_OK;
    Status status = STATUS_OK;
    if (order->shuffle) {
        next_shuffled(order, n, rows, n_mine);
    } else {
        int64_t first, end;
        slice(order, n, &first, &end);
        *n_mine = end - first;
        if (order->share.rows != NULL) {
            /* the slices of the batches before stand before this one */
            int64_t whole_first, whole_end;
            slice(order, order->batch_size, &whole_first, &whole_end);
            memcpy(rows, order->share.rows + order->step * (whole_end - whole_first), (size_t)*n_mine * sizeof *rows);
        } else
            status = next_sorted(order, order->taken + first, *n_mine, rows);
    }
    order->taken += n;
    order->step++;
    return status;
}
