/* order_private: what the files of the order module share. */
#ifndef SEISDCN_ORDER_PRIVATE_H
#define SEISDCN_ORDER_PRIVATE_H

#include "seisdcn/order.h"
#include "seisdcn/random.h"

/* A shard's part of one piece, in the order of the visits; first counts the shard's rows before it. */
typedef struct OrderVisit {
    int64_t share_row, n; /* rows share_row .. share_row + n - 1 of the share */
    int64_t first;
} OrderVisit;

/* What the numbers of the order's random key are for. */
typedef enum { KEY_OFFSET = 0, KEY_VISITS = 1, KEY_BLOCKS = 2, KEY_KINDS = 3 } OrderKey;

/* The key of an epoch for one purpose. Pure. */
RandomKey order_key(const Order *order, int64_t epoch, OrderKey kind);

/* Row of the canonical order that a shard starts with. Pure. */
int64_t order_shard_start(const Order *order, int64_t shard);

/* The visits of a shard that the share's pieces make: counted, and written in file order where visit is not NULL. Pure.
 */
int64_t order_visits(const Order *order, int64_t shard, OrderVisit *visit);

/* Row `position` of a shard's order in this epoch, and the block that it lies in. Pure. */
IndexRow order_row(const Order *order, int64_t shard, int64_t position, int64_t *block);

#endif
