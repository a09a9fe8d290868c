/* blocks: which gathers a rank holds while it trains in blocks (train.block_gathers), and which it reads ahead.
 *
 * A rank keeps the gathers of the block that each of its shards is in. Shards change blocks at different times, so the
 * next blocks' gathers are read one after the other while the rank computes, in the order in which the blocks will
 * start. At most one gather a shard and one block besides are read ahead. */
#ifndef SEISDCN_BLOCKS_H
#define SEISDCN_BLOCKS_H

#include "seisdcn/gathers.h"
#include "seisdcn/order.h"
#include "seisdcn/status.h"

#include <stdint.h>

/* Bytes of gathers of this rank's shards, for any block_gathers from 1 to n. */
typedef struct {
    int64_t n;        /* most gathers that one of the shards has: more in a block change nothing */
    int64_t all;      /* all gathers of the shards */
    int64_t *in_play; /* [n + 1] of the largest blocks of that many gathers */
    int64_t *ahead;   /* [n + 1] of what is read ahead beside them */
} BlocksBytes;

/* Counts what blocks of any size take. Local. STATUS_MEMORY. To be freed with blocks_bytes_free(). */
Status blocks_bytes(const Order *order, const Survey *survey, int64_t n_channels, BlocksBytes *bytes);

void blocks_bytes_free(BlocksBytes *bytes);

/* What `size` gathers a block take of memory, with what is read ahead (0: all gathers). Pure. */
int64_t blocks_bytes_of(const BlocksBytes *bytes, int64_t size);

struct BlocksComing;

typedef struct {
    Order *order; /* the caller's; NULL: training goes without blocks, and all below does nothing */
    Gathers *gathers;
    int64_t ahead_limit;         /* bytes */
    int64_t *held;               /* [shards of this rank] the block whose gathers are kept, -1: none */
    int64_t next;                /* of the batch's changes of blocks: order->step_on */
    struct BlocksComing *coming; /* [n_coming] the epoch's blocks in the order of their starts */
    int64_t n_coming, at, gather;
    int64_t listed; /* which epoch's they are; 0: none */
} Blocks;

/* Prepares for an order in blocks and a store whose limit is blocks_bytes_of(); both stay the caller's. Local.
 * STATUS_MEMORY. */
Status blocks_new(Order *order, Gathers *gathers, int64_t ahead_limit, Blocks *blocks);

void blocks_free(Blocks *blocks);

/* Bytes that an order in blocks of `size` (0: none) takes beside what `order` has, blocks_new() included. Pure. */
size_t blocks_table_bytes(const Order *order, int64_t size);

/* Lets all gathers go: before order_start(), which gives the blocks other gathers. Local. */
void blocks_leave(Blocks *blocks);

/* Starts where the order stands: behind order_start(), and behind whatever was passed over then. Local. */
void blocks_start(Blocks *blocks);

/* A batch was drawn from the order. Local. */
void blocks_drawn(Blocks *blocks);

/* Rows of the batch below `end` are loaded next: shards go on to the blocks of these. Local. */
void blocks_reach(Blocks *blocks, int64_t end);

/* Lets the reading of the next blocks go on: call it between pieces of work. Local. */
void blocks_read_on(Blocks *blocks);

/* An epoch has ended, and epoch `next` comes: reads its first blocks ahead. Local. */
void blocks_rest(Blocks *blocks, int64_t next);

#endif
