#include "seisdcn/order.h"

#include "seisdcn/memory.h"
#include "seisdcn/random.h"

#include <inttypes.h>
#include <string.h>

/* A shard's part of one piece, in the order of the visits; first counts the shard's rows before it. */
typedef struct OrderVisit {
    int64_t share_row, n; /* rows share_row .. share_row + n - 1 of the share */
    int64_t first;
} OrderVisit;

/* What the numbers of the order's random key are for. */
enum { KEY_OFFSET = 0, KEY_VISITS = 1, KEY_BLOCKS = 2, KEY_KINDS = 3 };

static RandomKey order_key(const Order *order, int64_t kind)
{
    return random_key(order->seed, RANDOM_ORDER, order->epoch * KEY_KINDS + kind);
}

/* One key for each block of each shard: the shard and the block go into the seed. */
static RandomKey block_key(const Order *order, int64_t shard, int64_t block)
{
    RandomKey epoch = order_key(order, KEY_BLOCKS);
    return random_key((int64_t)random_word(epoch, (uint64_t)shard, (uint64_t)block), RANDOM_ORDER, 0);
}

static int64_t shard_start(const Order *order, int64_t shard)
{
    return (int64_t)((__int128)order->n_rows * shard / order->n_shards);
}

/* The visits of a shard that the share's pieces make: counted, and written in file order where visit is not NULL. */
static int64_t shard_visits(const Order *order, int64_t shard, OrderVisit *visit)
{
    int64_t n = 0, from = shard_start(order, shard) - order->share.first;
    int64_t end = shard_start(order, shard + 1) - order->share.first;
    if (from >= end) return 0;
    for (int64_t p = index_share_piece(&order->share, from); p < order->share.n_pieces; p++) {
        const IndexPiece *piece = &order->share.piece[p];
        int64_t low = piece->first > from ? piece->first : from;
        int64_t high = piece->first + piece->n < end ? piece->first + piece->n : end;
        if (low >= high) break;
        if (visit != NULL) visit[n] = (OrderVisit){low, high - low, 0};
        n++;
    }
    return n;
}

static Status prepare_shuffled(Order *order)
{
    int64_t shards = order->end_shard - order->first_shard, total = 0;
    order->left = memory_new((size_t)order->n_shards, sizeof *order->left, "the shards");
    order->left_before = memory_new((size_t)order->n_shards, sizeof *order->left_before, "the shards");
    order->visit_first = memory_new((size_t)shards + 1, sizeof *order->visit_first, "the shards");
    if (order->left == NULL || order->left_before == NULL || order->visit_first == NULL) return STATUS_MEMORY;
    for (int64_t k = 0; k < shards; k++) {
        order->visit_first[k] = total;
        total += shard_visits(order, order->first_shard + k, NULL);
    }
    order->visit_first[shards] = total;
    order->visit = memory_new((size_t)total, sizeof *order->visit, "the shards' gathers");
    return order->visit == NULL ? STATUS_MEMORY : STATUS_OK;
}

static Status scatter_shuffled(const Comm *comm, const IndexMap *map, Order *order)
{
    int64_t *cut = memory_new((size_t)comm->size + 1, sizeof *cut, "the ranks' shares");
    Status status = comm_agree(comm, cut == NULL ? STATUS_MEMORY : STATUS_OK);
    for (int r = 0; status == STATUS_OK && r <= comm->size; r++)
        cut[r] = shard_start(order, order->n_shards * r / comm->size);
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
    order->sorted_piece = -1;
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
    Status status = index_cut(map, INDEX_TRAIN, shard_start(order, order->first_shard),
                              shard_start(order, order->end_shard), place, &order->share);
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
    if (!order->shuffle) return;
    for (int64_t k = 0; k < order->n_shards; k++) order->left[k] = shard_start(order, k + 1) - shard_start(order, k);
    RandomKey key = order_key(order, KEY_VISITS);
    for (int64_t k = order->first_shard; k < order->end_shard; k++) {
        int64_t at = order->visit_first[k - order->first_shard], n = shard_visits(order, k, order->visit + at);
        OrderVisit *visit = order->visit + at;
        int64_t first = 0;
        for (int64_t i = n - 1; i > 0; i--) { /* Fisher and Yates */
            int64_t j = random_below(key, i + 1, (uint64_t)k, (uint64_t)i);
            OrderVisit kept = visit[i];
            visit[i] = visit[j];
            visit[j] = kept;
        }
        for (int64_t i = 0; i < n; i++) {
            visit[i].first = first;
            first += visit[i].n;
        }
    }
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

/* Row `position` of a shard's order in this epoch. */
static IndexRow shard_row(const Order *order, int64_t shard, int64_t position)
{
    const OrderVisit *visit = order->visit + order->visit_first[shard - order->first_shard];
    int64_t n = order->visit_first[shard - order->first_shard + 1] - order->visit_first[shard - order->first_shard];
    int64_t size = order->block_gathers > 0 && order->block_gathers < n ? order->block_gathers : n;
    int64_t low = 0, high = n - 1;
    while (low < high) {
        int64_t middle = (low + high + 1) / 2;
        if (visit[middle].first <= position)
            low = middle;
        else
            high = middle - 1;
    }
    int64_t block = low / size, start = block * size, end = start + size < n ? start + size : n;
    int64_t rows = visit[end - 1].first + visit[end - 1].n - visit[start].first;
    int64_t at =
        visit[start].first + random_permute(block_key(order, shard, block), rows, position - visit[start].first);
    int64_t v = start;
    for (low = start, high = end - 1; low < high; v = low) {
        int64_t middle = (low + high + 1) / 2;
        if (visit[middle].first <= at)
            low = middle;
        else
            high = middle - 1;
    }
    return index_share_row(&order->share, visit[v].share_row + at - visit[v].first);
}

static void next_shuffled(Order *order, int64_t n, IndexRow *rows, int64_t *n_mine)
{
    int64_t total = 0, before = 0;
    for (int64_t k = 0; k < order->n_shards; k++) total += order->left[k];
    int64_t offset = random_below(order_key(order, KEY_OFFSET), total, (uint64_t)order->step, 0);
    int64_t done = 0;
    for (int64_t k = 0; k < order->n_shards; k++) {
        before += order->left[k];
        int64_t up_to = (int64_t)(((__int128)n * before + offset) / total), take = up_to - done;
        done = up_to;
        if (k >= order->first_shard && k < order->end_shard) {
            int64_t position = shard_start(order, k + 1) - shard_start(order, k) - order->left[k];
            for (int64_t i = 0; i < take; i++) rows[(*n_mine)++] = shard_row(order, k, position + i);
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
            Status status = index_sorted_rows(&share->rule, share->split, piece->ensemble, piece->fold,
                                              share->n_samples, piece->count, order->sorted);
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
