/* Pairs of gather and offset, in a table by hash that grows to a bound, then keeps every other gather. */
#include "sgy_scan_private.h"

#include "seisdcn/memory.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 256 };

/* Mixes 64 bits so that each of the result depends on all (the finaliser of splitmix64). */
static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

static uint64_t gather_hash(const SgyPair *pair)
{
    uint64_t key = (uint64_t)(uint32_t)pair->key[0] << 32 | (uint32_t)pair->key[1];
    return mix(mix(key + 0x9e3779b97f4a7c15u) + (uint32_t)pair->file);
}

static bool is_drawn(const SgyPair *pair, int level)
{
    return level == 0 || (level < 64 && gather_hash(pair) >> (64 - level) == 0);
}

static bool same_gather(const SgyPair *a, const SgyPair *b)
{
    return a->key[0] == b->key[0] && a->key[1] == b->key[1] && a->file == b->file;
}

/* The pair's place, or the free one where it belongs. */
static SgyPair *find(const SgyPairs *pairs, const SgyPair *one)
{
    uint64_t at = mix(gather_hash(one) + (uint32_t)one->offset);
    for (;; at++) {
        SgyPair *pair = &pairs->pair[at & (uint64_t)(pairs->room - 1)];
        if (pair->n == 0 || (same_gather(pair, one) && pair->offset == one->offset)) return pair;
    }
}

static void put(SgyPairs *pairs, const SgyPair *one)
{
    SgyPair *place = find(pairs, one);
    int64_t n = place->n;
    *place = *one;
    place->n += n;
    pairs->n += n == 0;
}

/* The pairs that are drawn at its level, in a table of another size. */
static Status rebuild(SgyPairs *pairs, int64_t room)
{
    SgyPairs other = {.room = room, .level = pairs->level};
    other.pair = memory_new((size_t)room, sizeof *other.pair, "what the trace headers tell");
    if (other.pair == NULL) return STATUS_MEMORY;
    for (int64_t i = 0; i < pairs->room; i++)
        if (pairs->pair[i].n > 0 && is_drawn(&pairs->pair[i], other.level)) put(&other, &pairs->pair[i]);
    sgy_pairs_free(pairs);
    *pairs = other;
    return STATUS_OK;
}

Status sgy_pairs_add(SgyPairs *pairs, const SgyPair *one)
{
    if (!is_drawn(one, pairs->level)) return STATUS_OK;
    if (4 * pairs->n >= 3 * pairs->room) {
        Status status = rebuild(pairs, pairs->room == 0 ? FIRST_ROOM : 2 * pairs->room);
        if (status != STATUS_OK) return status;
    }
    put(pairs, one);
    while (pairs->n > SGY_SCAN_PAIRS) {
        pairs->level++;
        Status status = rebuild(pairs, pairs->room);
        if (status != STATUS_OK) return status;
    }
    return STATUS_OK;
}

void sgy_pairs_free(SgyPairs *pairs)
{
    memory_free(pairs->pair);
    memset(pairs, 0, sizeof *pairs);
}

/* ---- all ranks' ---- */

/* Rank r gets the gathers of its part of all hashes, so that a gather is whole on one rank. Collective. */
static Status exchange(const Comm *comm, SgyPairs *pairs)
{
    size_t n = (size_t)pairs->n, at = 0,
           *offset = memory_new((size_t)comm->size + 1, sizeof *offset, "the ranks' pairs");
    SgyPair *sent = memory_new(n, sizeof *sent, "the ranks' pairs");
    void *got = NULL;
    size_t bytes = 0;
    Status status = comm_agree(comm, offset == NULL || sent == NULL ? STATUS_MEMORY : STATUS_OK);
    for (int r = 0; r < comm->size && status == STATUS_OK; r++) {
        for (int64_t i = 0; i < pairs->room; i++)
            if (pairs->pair[i].n > 0 && gather_hash(&pairs->pair[i]) % (uint64_t)comm->size == (uint64_t)r)
                sent[at++] = pairs->pair[i];
        offset[r + 1] = at * sizeof *sent;
    }
    if (status == STATUS_OK) status = comm_exchange(comm, sent, offset, &got, &bytes);
    memory_free(offset);
    memory_free(sent);
    if (status != STATUS_OK) return status;
    int level = pairs->level;
    const SgyPair *each = got;
    sgy_pairs_free(pairs);
    pairs->level = level;
    for (size_t i = 0; i < bytes / sizeof *each && status == STATUS_OK; i++) status = sgy_pairs_add(pairs, &each[i]);
    memory_free(got);
    return comm_agree(comm, status);
}

/* Raises the level of all ranks until together they hold no more than the bound. Collective. */
static Status agree_level(const Comm *comm, SgyPairs *pairs)
{
    for (;;) {
        int64_t level = pairs->level, n;
        comm_max(comm, &level, 1);
        bool changes = level > pairs->level;
        pairs->level = (int)level;
        Status status = comm_agree(comm, changes && pairs->room > 0 ? rebuild(pairs, pairs->room) : STATUS_OK);
        if (status != STATUS_OK) return status;
        n = pairs->n;
        comm_sum(comm, &n, 1);
        if (n <= SGY_SCAN_PAIRS) return STATUS_OK;
        pairs->level++;
        status = comm_agree(comm, pairs->room > 0 ? rebuild(pairs, pairs->room) : STATUS_OK);
        if (status != STATUS_OK) return status;
    }
}

static int compare_pairs(const void *a, const void *b)
{
    const SgyPair *x = a, *y = b;
    if (x->key[0] != y->key[0]) return x->key[0] < y->key[0] ? -1 : 1;
    if (x->key[1] != y->key[1]) return x->key[1] < y->key[1] ? -1 : 1;
    if (x->file != y->file) return x->file < y->file ? -1 : 1;
    return 0;
}

static int compare_folds(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

/* Sorts the pairs to the front and cuts them into gathers: fold [n] is filled, repeated traces are counted. Returns the
 * number of gathers. */
static int64_t cut_gathers(SgyPairs *pairs, int64_t *fold, int64_t *repeated)
{
    int64_t n = 0, gathers = 0;
    for (int64_t i = 0; i < pairs->room; i++)
        if (pairs->pair[i].n > 0) pairs->pair[n++] = pairs->pair[i];
    qsort(pairs->pair, (size_t)n, sizeof *pairs->pair, compare_pairs);
    for (int64_t i = 0; i < n; i++) {
        if (i == 0 || !same_gather(&pairs->pair[i - 1], &pairs->pair[i])) fold[gathers++] = 0;
        fold[gathers - 1] += pairs->pair[i].n;
        *repeated += pairs->pair[i].n - 1;
    }
    return gathers;
}

/* The folds of all ranks' gathers, on rank 0. */
static void describe_folds(int64_t *fold, int64_t n, SgyTally *tally)
{
    qsort(fold, (size_t)n, sizeof *fold, compare_folds);
    int64_t run = 0, most = 0;
    for (int64_t i = 0; i < n; i++) {
        tally->n_drawn_traces += fold[i];
        run = i > 0 && fold[i] == fold[i - 1] ? run + 1 : 1;
        if (run >= most) tally->fold_usual = fold[i];
        if (run > most) most = run;
    }
    tally->fold_low = n > 0 ? fold[0] : 0;
    tally->fold_high = n > 0 ? fold[n - 1] : 0;
}

Status sgy_pairs_finish(const Comm *comm, SgyPairs *pairs, SgyTally *tally)
{
    int64_t level = pairs->level, repeated = 0;
    comm_max(comm, &level, 1);
    pairs->level = (int)level;
    Status status = comm_agree(comm, pairs->room > 0 ? rebuild(pairs, pairs->room) : STATUS_OK);
    if (status == STATUS_OK) status = exchange(comm, pairs);
    if (status == STATUS_OK) status = agree_level(comm, pairs);
    if (status != STATUS_OK) return status;
    int64_t *fold = memory_new((size_t)pairs->n, sizeof *fold, "the gathers' folds"), gathers = 0;
    void *all = NULL;
    status = comm_agree(comm, fold == NULL ? STATUS_MEMORY : STATUS_OK);
    if (status == STATUS_OK) {
        gathers = cut_gathers(pairs, fold, &repeated);
        status = comm_gather(comm, fold, (size_t)gathers * sizeof *fold, &all, NULL);
    }
    memory_free(fold);
    if (status != STATUS_OK) return status;
    comm_sum(comm, &gathers, 1);
    comm_sum(comm, &repeated, 1);
    tally->n_drawn = gathers;
    tally->n_repeated = repeated;
    tally->drawn = gathers > 0 ? (int64_t)1 << pairs->level : 0;
    tally->n_gathers = gathers * tally->drawn;
    if (comm->rank == 0) describe_folds(all, gathers, tally);
    memory_free(all);
    comm_broadcast(comm, tally, sizeof *tally);
    return STATUS_OK;
}
