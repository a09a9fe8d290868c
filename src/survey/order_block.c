/* The order of a shard's rows in an epoch: its visits to gathers, and the blocks that they make. */
#include "order_private.h"

RandomKey order_key(const Order *order, int64_t epoch, OrderKey kind)
{
    return random_key(order->seed, RANDOM_ORDER, epoch * KEY_KINDS + (int64_t)kind);
}

/* One key for each block of each shard: the shard and the block go into the seed. */
static RandomKey block_key(const Order *order, int64_t shard, int64_t block)
{
    RandomKey epoch = order_key(order, order->epoch, KEY_BLOCKS);
    return random_key((int64_t)random_word(epoch, (uint64_t)shard, (uint64_t)block), RANDOM_ORDER, 0);
}

int64_t order_shard_start(const Order *order, int64_t shard)
{
    return (int64_t)((__int128)order->n_rows * shard / order->n_shards);
}

int64_t order_visits(const Order *order, int64_t shard, OrderVisit *visit)
{
    int64_t n = 0, from = order_shard_start(order, shard) - order->share.first;
    int64_t end = order_shard_start(order, shard + 1) - order->share.first;
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

void order_shuffle(Order *order, int64_t epoch)
{
    if (!order->shuffle || order->shuffled == epoch) return;
    order->shuffled = epoch;
    RandomKey key = order_key(order, epoch, KEY_VISITS);
    for (int64_t k = order->first_shard; k < order->end_shard; k++) {
        int64_t mine = k - order->first_shard, at = order->visit_first[mine];
        int64_t n = order_visits(order, k, order->visit + at), size = order->block_gathers;
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
        /* first blocks of all lengths: shards go on to their next blocks at different times, not all at once */
        bool whole = size == 0 || size >= n;
        order->first_block[mine] = whole ? n : 1 + random_below(key, size, (uint64_t)k, 0);
    }
}

/* ---- blocks ---- */

static int64_t n_visits(const Order *order, int64_t mine)
{
    return order->visit_first[mine + 1] - order->visit_first[mine];
}

int64_t order_gathers(const Order *order, int64_t shard) { return n_visits(order, shard - order->first_shard); }

int64_t order_gather(const Order *order, int64_t shard, int64_t i)
{
    const OrderVisit *visit = &order->visit[order->visit_first[shard - order->first_shard] + i];
    return order->share.piece[index_share_piece(&order->share, visit->share_row)].ensemble;
}

/* The last of a shard's visits low .. high that starts at row `position` of the shard or before. */
static int64_t visit_at(const OrderVisit *visit, int64_t low, int64_t high, int64_t position)
{
    while (low < high) {
        int64_t middle = (low + high + 1) / 2;
        if (visit[middle].first <= position)
            low = middle;
        else
            high = middle - 1;
    }
    return low;
}

static int64_t block_of(const Order *order, int64_t mine, int64_t visit)
{
    int64_t first = order->first_block[mine];
    return visit < first ? 0 : 1 + (visit - first) / order->block_gathers;
}

/* Visits [*start, *end) of a block of one of this rank's shards. */
static void bound_block(const Order *order, int64_t mine, int64_t block, int64_t *start, int64_t *end)
{
    int64_t n = n_visits(order, mine), first = order->first_block[mine];
    *start = block == 0 ? 0 : first + (block - 1) * order->block_gathers;
    *end = block == 0 ? first : *start + order->block_gathers;
    if (*end > n) *end = n;
}

int64_t order_blocks(const Order *order, int64_t shard)
{
    int64_t mine = shard - order->first_shard, n = n_visits(order, mine);
    return n == 0 ? 0 : 1 + block_of(order, mine, n - 1);
}

int64_t order_block_size(const Order *order, int64_t shard, int64_t block)
{
    int64_t start, end;
    bound_block(order, shard - order->first_shard, block, &start, &end);
    return end - start;
}

int64_t order_block_gather(const Order *order, int64_t shard, int64_t block, int64_t i)
{
    int64_t start, end;
    bound_block(order, shard - order->first_shard, block, &start, &end);
    return order_gather(order, shard, start + i);
}

double order_block_start(const Order *order, int64_t shard, int64_t block)
{
    int64_t mine = shard - order->first_shard, start, end;
    bound_block(order, mine, block, &start, &end);
    return (double)order->visit[order->visit_first[mine] + start].first /
           (double)(order_shard_start(order, shard + 1) - order_shard_start(order, shard));
}

int64_t order_block_now(const Order *order, int64_t shard)
{
    int64_t mine = shard - order->first_shard, n = n_visits(order, mine);
    int64_t position = order_shard_start(order, shard + 1) - order_shard_start(order, shard) - order->left[shard];
    if (order->left[shard] == 0) return -1;
    return block_of(order, mine, visit_at(order->visit + order->visit_first[mine], 0, n - 1, position));
}

IndexRow order_row(const Order *order, int64_t shard, int64_t position, int64_t *block)
{
    int64_t mine = shard - order->first_shard, start, end;
    const OrderVisit *visit = order->visit + order->visit_first[mine];
    *block = block_of(order, mine, visit_at(visit, 0, n_visits(order, mine) - 1, position));
    bound_block(order, mine, *block, &start, &end);
    int64_t rows = visit[end - 1].first + visit[end - 1].n - visit[start].first;
    int64_t at =
        visit[start].first + random_permute(block_key(order, shard, *block), rows, position - visit[start].first);
    int64_t v = visit_at(visit, start, end - 1, at);
    return index_share_row(&order->share, visit[v].share_row + at - visit[v].first);
}
