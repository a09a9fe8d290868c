/* order: which patches make a batch, and which of them are whose: a function of map, configuration and seed, never of
 * the number of ranks.
 *
 * Shuffled: the canonical order of the train rows is cut into `train.shards` even runs of neighbours; a rank owns a run
 * of shards. In each epoch a shard visits its gathers in a seeded order, in blocks of `train.block_gathers` (the first
 * of a seeded length up to that, so that shards change blocks at different times), and the rows of a block in the order
 * of a keyed permutation. A batch takes from each shard in proportion to the rows that it
 * has left: floor((B L(k+1) + u) / T) - floor((B L(k) + u) / T) rows, with T rows left in all, L(k) of them in the
 * shards before k, and u drawn at random below T for each step (systematic sampling). The takes add up to B, none
 * passes what its shard has, and each rank's part of every batch differs by at most one from its share of the rows.
 * Shards are runs of rows, not of whole gathers, so that few gathers also spread evenly over many ranks.
 *
 * Not shuffled: batches are runs of the map's own order, each cut evenly among the ranks. */
#ifndef SEISDCN_ORDER_H
#define SEISDCN_ORDER_H

#include "seisdcn/comm.h"
#include "seisdcn/config.h"
#include "seisdcn/index_map.h"
#include "seisdcn/status.h"

/* From row `row` of a batch on, one of this rank's shards is in another block. */
typedef struct {
    int64_t row, shard, block;
} OrderStepOn;

typedef struct {
    Comm comm;
    bool shuffle;
    int64_t batch_size, seed, block_gathers;
    int64_t n_rows;             /* of the whole split */
    int64_t epoch_rows;         /* of one epoch: n_rows, or less by train.max_patches_per_epoch */
    int64_t epoch, step, taken; /* epoch from 1; steps and rows taken in it */
    IndexShare share;           /* the rows of this rank's shards; unshuffled: see order.c */
    int64_t n_shards, first_shard, end_shard;
    int64_t *left;            /* [n_shards] rows that each shard has left, the same on all ranks */
    int64_t *left_before;     /* [n_shards] the same before the last order_next(): where a resume goes on */
    int64_t *visit_first;     /* [end_shard - first_shard + 1] where a shard's visits start in `visit` */
    struct OrderVisit *visit; /* the shards' parts of gathers in the order of epoch `shuffled` */
    int64_t shuffled;
    int64_t *first_block; /* [end_shard - first_shard] visits of a shard's first block */
    int64_t *block;       /* [end_shard - first_shard] the block of a shard's last row */
    OrderStepOn *step_on; /* [n_step_on] of the last batch, in the order of its rows */
    int64_t n_step_on;
    IndexRow *sorted;     /* unshuffled, dealt by patch: rows of one ensemble */
    int64_t sorted_piece; /* which; -1 none */
} Order;

/* Prepares the order of a map's train rows. Collective. STATUS_MEMORY. */
Status order_new(const Comm *comm, const IndexMap *map, const Config *config, Order *order);

/* The order of rank `rank` of `size`, cut out of the whole map without communicating, shuffled orders only: the same
 * batches as order_new() gives that rank. place: see index_cut(). Local. STATUS_MEMORY. */
Status order_cut(const IndexMap *map, const Config *config, int rank, int size, IndexPlace *place, Order *order);

void order_free(Order *order);

/* Steps of an epoch: epoch_rows / batch_size, rounded up. Pure. */
int64_t order_steps(const Order *order);

/* Starts an epoch, counted from 1. Local, alike on all ranks. */
void order_start(Order *order, int64_t epoch);

/* Starts an epoch behind `step` of its batches, without drawing them; left [n_shards] is what left_before was once the
 * batch behind them had been drawn (unused where not shuffled). Local, alike on all ranks. STATUS_DATA where `left`
 * cannot have been. */
Status order_resume(Order *order, int64_t epoch, int64_t step, const int64_t *left);

/* Finds the blocks of an epoch before it is started: between epochs only. Local. */
void order_shuffle(Order *order, int64_t epoch);

/* The gathers of one of this rank's shards (one at its edge may be its neighbour's too), and the ensemble of its i-th
 * in the shuffled order. Shuffled only, as all below. Pure. */
int64_t order_gathers(const Order *order, int64_t shard);
int64_t order_gather(const Order *order, int64_t shard, int64_t i);

/* The blocks that these make: how many (0: the shard has no rows), the gathers of one, the ensemble of its i-th, where
 * it starts in the shard (0 .. 1), and which of them the shard's next row lies in (-1: it has none left). Pure. */
int64_t order_blocks(const Order *order, int64_t shard);
int64_t order_block_size(const Order *order, int64_t shard, int64_t block);
int64_t order_block_gather(const Order *order, int64_t shard, int64_t block, int64_t i);
double order_block_start(const Order *order, int64_t shard, int64_t block);
int64_t order_block_now(const Order *order, int64_t shard);

/* The next batch: fills rows (room for batch_size) with this rank's rows, *n_mine of them, and returns in *n_all how
 * many the whole batch has, 0 at the epoch's end. Local, the same *n_all on all ranks. STATUS_MEMORY. */
Status order_next(Order *order, IndexRow *rows, int64_t *n_mine, int64_t *n_all);

/* How many patches this rank's part of a batch can have at most. Pure. */
int64_t order_my_most(const Order *order);

#endif
