#include "seisdcn/blocks.h"

#include "seisdcn/memory.h"

#include <stdlib.h>
#include <string.h>

/* ---- how much memory ---- */

static int compare_falling(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x < y) - (x > y);
}

static int64_t all_bytes(const Order *order, const Survey *survey, int64_t n_channels)
{
    int64_t sum = 0;
    for (int64_t p = 0; p < order->share.n_pieces; p++)
        sum += gathers_bytes_of(survey, n_channels, order->share.piece[p].ensemble);
    return sum;
}

/* Adds a shard's gathers, whose bytes are in `each` [n]; block[size] becomes the largest block of that size. */
static void add_shard(BlocksBytes *bytes, int64_t *each, int64_t n, int64_t *block)
{
    int64_t sum = 0;
    if (n == 0) return;
    qsort(each, (size_t)n, sizeof *each, compare_falling);
    for (int64_t size = 1; size <= bytes->n; size++) {
        if (size <= n) sum += each[size - 1];
        bytes->in_play[size] += sum;
        if (size >= n) continue; /* all of the shard is in play */
        bytes->ahead[size] += each[0];
        if (sum > block[size]) block[size] = sum;
    }
}

Status blocks_bytes(const Order *order, const Survey *survey, int64_t n_channels, BlocksBytes *bytes)
{
    memset(bytes, 0, sizeof *bytes);
    bytes->all = all_bytes(order, survey, n_channels);
    for (int64_t k = order->first_shard; k < order->end_shard; k++)
        if (order_gathers(order, k) > bytes->n) bytes->n = order_gathers(order, k);
    size_t count = (size_t)bytes->n + 1;
    bytes->in_play = memory_new(count, sizeof *bytes->in_play, "the sizes of blocks");
    bytes->ahead = memory_new(count, sizeof *bytes->ahead, "the sizes of blocks");
    int64_t *each = memory_new(count, sizeof *each, "the sizes of blocks");
    int64_t *block = memory_new(count, sizeof *block, "the sizes of blocks");
    bool enough = bytes->in_play != NULL && bytes->ahead != NULL && each != NULL && block != NULL;
    for (int64_t k = order->first_shard; enough && k < order->end_shard; k++) {
        int64_t n = order_gathers(order, k);
        for (int64_t i = 0; i < n; i++) each[i] = gathers_bytes_of(survey, n_channels, order_gather(order, k, i));
        add_shard(bytes, each, n, block);
    }
    for (int64_t size = 1; enough && size <= bytes->n; size++) bytes->ahead[size] += block[size];
    memory_free(each);
    memory_free(block);
    if (enough) return STATUS_OK;
    blocks_bytes_free(bytes);
    return STATUS_MEMORY;
}

void blocks_bytes_free(BlocksBytes *bytes)
{
    memory_free(bytes->in_play);
    memory_free(bytes->ahead);
    memset(bytes, 0, sizeof *bytes);
}

int64_t blocks_bytes_of(const BlocksBytes *bytes, int64_t size)
{
    if (size == 0 || size >= bytes->n) return bytes->all;
    int64_t sum = bytes->in_play[size] + bytes->ahead[size];
    return sum < bytes->all ? sum : bytes->all; /* neighbouring shards may share a gather */
}

/* ---- holding ---- */

/* A block that is to come: where it starts in its shard, which is where all shards are about at the same time. */
typedef struct BlocksComing {
    double start;
    int64_t shard, block;
} BlocksComing;

static int64_t n_shards(const Order *order) { return order->end_shard - order->first_shard; }

/* Most blocks that an epoch may have. */
static int64_t most_blocks(const Order *order, int64_t size)
{
    return order->visit_first[n_shards(order)] / size + 2 * n_shards(order);
}

size_t blocks_table_bytes(const Order *order, int64_t size)
{
    if (!order->shuffle || size == 0) return 0;
    size_t bytes = (size_t)most_blocks(order, size) * sizeof(BlocksComing) + (size_t)n_shards(order) * sizeof(int64_t);
    return bytes + (order->step_on == NULL ? (size_t)order_my_most(order) * sizeof(OrderStepOn) : 0);
}

Status blocks_new(Order *order, Gathers *gathers, int64_t ahead_limit, Blocks *blocks)
{
    memset(blocks, 0, sizeof *blocks);
    blocks->held = memory_new((size_t)n_shards(order), sizeof *blocks->held, "the blocks held");
    blocks->coming =
        memory_new((size_t)most_blocks(order, order->block_gathers), sizeof *blocks->coming, "the blocks to come");
    if (blocks->held == NULL || blocks->coming == NULL) {
        blocks_free(blocks);
        return STATUS_MEMORY;
    }
    blocks->order = order;
    blocks->gathers = gathers;
    blocks->ahead_limit = ahead_limit;
    for (int64_t k = 0; k < n_shards(order); k++) blocks->held[k] = -1;
    return STATUS_OK;
}

void blocks_free(Blocks *blocks)
{
    memory_free(blocks->held);
    memory_free(blocks->coming);
    memset(blocks, 0, sizeof *blocks);
}

static void change_block(Blocks *blocks, int64_t shard, int64_t block, void (*change)(Gathers *, int64_t))
{
    int64_t n = block < 0 ? 0 : order_block_size(blocks->order, shard, block);
    for (int64_t i = 0; i < n; i++) change(blocks->gathers, order_block_gather(blocks->order, shard, block, i));
}

static void go_on(Blocks *blocks, int64_t shard, int64_t block)
{
    int64_t *held = &blocks->held[shard - blocks->order->first_shard];
    change_block(blocks, shard, block, gathers_keep); /* first: what is in both blocks stays */
    change_block(blocks, shard, *held, gathers_drop);
    *held = block;
}

void blocks_leave(Blocks *blocks)
{
    const Order *order = blocks->order;
    if (order == NULL) return;
    for (int64_t k = order->first_shard; k < order->end_shard; k++) go_on(blocks, k, -1);
}

/* ---- reading ahead ---- */

static int compare_coming(const void *a, const void *b)
{
    const BlocksComing *x = a, *y = b;
    if (x->start != y->start) return x->start < y->start ? -1 : 1;
    return (x->shard > y->shard) - (x->shard < y->shard);
}

/* Lists the blocks of the epoch that the order is shuffled for, as far as the epoch goes. */
static void list_coming(Blocks *blocks)
{
    const Order *order = blocks->order;
    double end = (double)order->epoch_rows / (double)order->n_rows;
    blocks->listed = order->shuffled;
    blocks->n_coming = 0;
    for (int64_t k = order->first_shard; k < order->end_shard; k++)
        for (int64_t b = 0; b < order_blocks(order, k); b++) {
            BlocksComing coming = {order_block_start(order, k, b), k, b};
            if (coming.start < end) blocks->coming[blocks->n_coming++] = coming;
        }
    qsort(blocks->coming, (size_t)blocks->n_coming, sizeof *blocks->coming, compare_coming);
    gathers_forget_ahead(blocks->gathers);
}

/* Starts again at the list's begin, with room for `bytes`. */
static void read_from_start(Blocks *blocks, int64_t bytes)
{
    if (blocks->listed != blocks->order->shuffled) list_coming(blocks);
    blocks->gathers->ahead_limit = bytes;
    blocks->at = blocks->gather = 0;
    blocks_read_on(blocks);
}

void blocks_start(Blocks *blocks)
{
    const Order *order = blocks->order;
    if (order == NULL) return;
    for (int64_t k = order->first_shard; k < order->end_shard; k++) go_on(blocks, k, order_block_now(order, k));
    read_from_start(blocks, blocks->ahead_limit);
}

void blocks_rest(Blocks *blocks, int64_t next)
{
    Order *order = blocks->order;
    if (order == NULL) return;
    blocks_leave(blocks);
    order_shuffle(order, next);
    int64_t first = 0; /* the first blocks, which will be kept */
    for (int64_t k = order->first_shard; k < order->end_shard; k++)
        for (int64_t i = 0; order_blocks(order, k) > 0 && i < order_block_size(order, k, 0); i++)
            first += gathers_bytes_of(blocks->gathers->survey, blocks->gathers->n_channels,
                                      order_block_gather(order, k, 0, i));
    read_from_start(blocks, first + blocks->ahead_limit);
}

void blocks_drawn(Blocks *blocks) { blocks->next = 0; }

void blocks_reach(Blocks *blocks, int64_t end)
{
    const Order *order = blocks->order;
    if (order == NULL) return;
    for (; blocks->next < order->n_step_on && order->step_on[blocks->next].row < end; blocks->next++) {
        const OrderStepOn *on = &order->step_on[blocks->next];
        if (blocks->held[on->shard - order->first_shard] != on->block) go_on(blocks, on->shard, on->block);
    }
}

void blocks_read_on(Blocks *blocks)
{
    const Order *order = blocks->order;
    if (order == NULL) return;
    for (; blocks->at < blocks->n_coming; blocks->at++, blocks->gather = 0) {
        const BlocksComing *coming = &blocks->coming[blocks->at];
        if (coming->block < blocks->held[coming->shard - order->first_shard]) continue; /* over already */
        for (; blocks->gather < order_block_size(order, coming->shard, coming->block); blocks->gather++)
            if (!gathers_ahead(blocks->gathers,
                               order_block_gather(order, coming->shard, coming->block, blocks->gather)))
                return;
    }
}
