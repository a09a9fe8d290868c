/* order: which patches make a batch, and which of them are whose: a function of map, configuration and seed, never of
 * the number of ranks.
 *
 * Shuffled: the canonical order of the train rows is cut into `train.shards` even runs of neighbours; a rank owns a run
 * of shards. In each epoch a shard visits its gathers in a seeded order, in blocks of `train.block_gathers`, and the
 * rows of a block in the order of a keyed permutation. A batch takes from each shard in proportion to the rows that it
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
    struct OrderVisit *visit; /* the shards' parts of gathers in this epoch's order */
    IndexRow *sorted;         /* unshuffled, dealt by patch: rows of one ensemble */
    int64_t sorted_piece;     /* which; -1 none */
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

/* The next batch: fills rows (room for batch_size) with this rank's rows, *n_mine of them, and returns in *n_all how
 * many the whole batch has, 0 at the epoch's end. Local, the same *n_all on all ranks. STATUS_MEMORY. */
Status order_next(Order *order, IndexRow *rows, int64_t *n_mine, int64_t *n_all);

/* How many patches this rank's part of a batch can have at most. Pure. */
int64_t order_my_most(const Order *order);

#endif
