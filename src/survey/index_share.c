/* What each rank gets of the map. */
#include "seisdcn/index_map.h"

#include "seisdcn/memory.h"

#include <string.h>

void index_even_cuts(int64_t total, int size, int64_t *cut)
{
    for (int r = 0; r <= size; r++) cut[r] = (int64_t)((__int128)total * r / size);
}

void index_share_free(IndexShare *share)
{
    memory_free(share->piece);
    memory_free(share->rows);
    index_live_free(&share->live);
    memset(share, 0, sizeof *share);
}

/* The pieces of rows [from, to) of the canonical order, into piece (NULL: only counted). place: see index_cut(). */
static int64_t cut_pieces(const IndexMap *map, IndexSplit split, int64_t from, int64_t to, IndexPlace *place,
                          IndexPiece *piece)
{
    int64_t n = 0;
    const int64_t *count = map->count[split];
    while (place->ensemble < map->n_ensembles && place->row + count[place->ensemble] <= from)
        place->row += count[place->ensemble++];
    for (int64_t i = place->ensemble, first = place->row; i < map->n_ensembles && first < to; i++) {
        int64_t end = first + count[i], low = first > from ? first : from, high = end < to ? end : to;
        if (low < high) {
            if (piece != NULL) {
                IndexPiece *p = &piece[n];
                *p = (IndexPiece){.ensemble = i,
                                  .fold = map->fold[i],
                                  .key = index_key(map, i),
                                  .from = low - first,
                                  .n = high - low};
                p->first = low - from;
                for (int s = 0; s < INDEX_SPLITS; s++) p->count[s] = map->count[s][i];
            }
            n++;
        }
        first = end;
    }
    return n;
}

static void start_share(const IndexMap *map, IndexSplit split, IndexShare *share)
{
    memset(share, 0, sizeof *share);
    share->rule = map->rule;
    share->split = split;
    share->n_samples = map->n_samples;
}

Status index_cut(const IndexMap *map, IndexSplit split, int64_t from, int64_t to, IndexPlace *place, IndexShare *share)
{
    start_share(map, split, share);
    if (map->live.start != NULL) return status_fail(STATUS_BUG, "a map with patch.min_live was to be cut by one rank");
    share->first = from;
    share->n_rows = to > from ? to - from : 0;
    IndexPlace start = *place;
    if (share->n_rows > 0) share->n_pieces = cut_pieces(map, split, from, to, place, NULL);
    share->piece = memory_new((size_t)share->n_pieces, sizeof *share->piece, "a share of the index map");
    if (map->is_explicit) share->rows = memory_new((size_t)share->n_rows, sizeof *share->rows, "a share's rows");
    if (share->piece == NULL || (map->is_explicit && share->rows == NULL)) {
        index_share_free(share);
        return STATUS_MEMORY;
    }
    if (share->n_rows == 0) return STATUS_OK;
    cut_pieces(map, split, from, to, &start, share->piece);
    if (map->is_explicit) memcpy(share->rows, map->rows[split] + from, (size_t)share->n_rows * sizeof *share->rows);
    return STATUS_OK;
}

typedef struct {
    int64_t first, n_rows, n_pieces;
} ShareSize;

/* Rank 0: cuts the pieces of every rank, one rank after the other. */
static Status cut_all(const Comm *comm, const IndexMap *map, IndexSplit split, const int64_t *cut, ShareSize *size,
                      size_t *offset, IndexPiece **pieces)
{
    int64_t total = 0;
    IndexPlace place = {0, 0};
    for (int r = 0; r < comm->size; r++) {
        size[r] = (ShareSize){cut[r], cut[r + 1] - cut[r], 0};
        if (size[r].n_rows > 0) size[r].n_pieces = cut_pieces(map, split, cut[r], cut[r + 1], &place, NULL);
        total += size[r].n_pieces;
    }
    *pieces = memory_new((size_t)total, sizeof **pieces, "the ranks' shares of the index map");
    if (*pieces == NULL) return STATUS_MEMORY;
    total = 0;
    place = (IndexPlace){0, 0};
    for (int r = 0; r < comm->size; r++) {
        offset[r] = (size_t)total * sizeof **pieces;
        if (size[r].n_rows > 0) cut_pieces(map, split, cut[r], cut[r + 1], &place, *pieces + total);
        total += size[r].n_pieces;
    }
    return STATUS_OK;
}

/* Sends each rank its pieces, and the rows of an explicit map. */
static Status send_shares(const Comm *comm, const IndexMap *map, const ShareSize *size, const size_t *offset,
                          const IndexPiece *pieces, IndexShare *share)
{
    ShareSize mine;
    size_t *from = memory_new((size_t)comm->size, sizeof *from, "the ranks' shares");
    size_t *bytes = memory_new((size_t)comm->size, sizeof *bytes, "the ranks' shares");
    Status status = comm_agree(comm, from == NULL || bytes == NULL ? STATUS_MEMORY : STATUS_OK);
    if (status == STATUS_OK) {
        for (int r = 0; r < comm->size; r++) {
            from[r] = (size_t)r * sizeof *size;
            bytes[r] = sizeof *size;
        }
        comm_scatter(comm, size, from, bytes, &mine, sizeof mine);
        share->first = mine.first;
        share->n_rows = mine.n_rows;
        share->n_pieces = mine.n_pieces;
        share->piece = memory_new((size_t)mine.n_pieces, sizeof *share->piece, "this rank's share of the index map");
        if (map->is_explicit) share->rows = memory_new((size_t)mine.n_rows, sizeof *share->rows, "this rank's rows");
        bool enough = share->piece != NULL && (!map->is_explicit || share->rows != NULL);
        status = comm_agree(comm, enough ? STATUS_OK : STATUS_MEMORY);
    }
    if (status == STATUS_OK) {
        for (int r = 0; comm->rank == 0 && r < comm->size; r++) bytes[r] = (size_t)size[r].n_pieces * sizeof *pieces;
        comm_scatter(comm, pieces, offset, bytes, share->piece, (size_t)mine.n_pieces * sizeof *pieces);
        if (map->is_explicit) {
            for (int r = 0; comm->rank == 0 && r < comm->size; r++) {
                from[r] = (size_t)size[r].first * sizeof(IndexRow);
                bytes[r] = (size_t)size[r].n_rows * sizeof(IndexRow);
            }
            comm_scatter(comm, map->rows[share->split], from, bytes, share->rows,
                         (size_t)mine.n_rows * sizeof(IndexRow));
        }
    }
    memory_free(from);
    memory_free(bytes);
    return status;
}

/* The bits of the share's ensembles, where the map has dead patches left out. */
static Status fetch_live(const Comm *comm, const IndexMap *map, IndexShare *share)
{
    if (map->is_explicit || map->rule.min_live <= 0) return STATUS_OK;
    size_t n = (size_t)share->n_pieces;
    int64_t *table = memory_new(3 * n, sizeof *table, "the share's gathers");
    int64_t *ensembles = table, *patches = table + n, *live = table + 2 * n;
    Status status = comm_agree(comm, table == NULL ? STATUS_MEMORY : STATUS_OK);
    for (size_t p = 0; p < n && status == STATUS_OK; p++) {
        const IndexPiece *piece = &share->piece[p];
        ensembles[p] = piece->ensemble;
        patches[p] = index_patches(&share->rule, piece->fold, share->n_samples);
        for (int s = 0; s < INDEX_SPLITS; s++) live[p] += piece->count[s];
    }
    if (status == STATUS_OK)
        status = index_live_fetch(comm, &map->live, map->n_ensembles, share->n_pieces, ensembles, patches, live,
                                  &share->live);
    memory_free(table);
    return status;
}

/* Rank 0: the words of a split's ensembles: of all, the largest, and the most that one rank has scanned. */
static void count_words(const Comm *comm, const IndexMap *map, IndexSplit split, int64_t words[3])
{
    Comm owner = *comm;
    for (owner.rank = 0; owner.rank < comm->size; owner.rank++) {
        int64_t first, end, scanned = 0;
        comm_share(&owner, map->n_ensembles, &first, &end);
        for (int64_t e = first; e < end; e++) {
            if (map->count[split][e] == 0) continue;
            int64_t live = 0;
            for (int s = 0; s < INDEX_SPLITS; s++) live += map->count[s][e];
            int64_t mine = index_live_words(index_patches(&map->rule, map->fold[e], map->n_samples), live);
            if (mine > words[1]) words[1] = mine;
            scanned += mine;
        }
        words[0] += scanned;
        if (scanned > words[2]) words[2] = scanned;
    }
}

size_t index_share_live_bytes(const Comm *comm, const IndexMap *map, IndexSplit split)
{
    int64_t words[3] = {0};
    if (map->is_explicit || map->rule.min_live <= 0) return 0;
    if (comm->rank == 0) count_words(comm, map, split, words);
    comm_broadcast(comm, words, sizeof words);
    /* An even cut of the rows may end within an ensemble, whose bits two ranks then hold, and are sent. */
    int64_t held = words[0] / comm->size + 2 * words[1], sent = words[2] + 2 * words[1];
    if (held > words[0]) held = words[0];
    return index_live_words_bytes(held) + (size_t)sent * sizeof(uint64_t);
}

Status index_scatter(const Comm *comm, const IndexMap *map, IndexSplit split, const int64_t *cut, IndexShare *share)
{
    start_share(map, split, share);
    size_t n = (size_t)comm->size;
    ShareSize *size = memory_new(n, sizeof *size, "the ranks' shares");
    size_t *offset = memory_new(n, sizeof *offset, "the ranks' shares");
    IndexPiece *pieces = NULL;
    Status status = size == NULL || offset == NULL ? STATUS_MEMORY : STATUS_OK;
    if (status == STATUS_OK && comm->rank == 0) status = cut_all(comm, map, split, cut, size, offset, &pieces);
    status = comm_agree(comm, status);
    if (status == STATUS_OK) status = send_shares(comm, map, size, offset, pieces, share);
    if (status == STATUS_OK) status = fetch_live(comm, map, share);
    memory_free(size);
    memory_free(offset);
    memory_free(pieces);
    if (status != STATUS_OK) index_share_free(share);
    return status;
}

Status index_scatter_whole(const Comm *comm, const IndexMap *map, IndexSplit split, IndexShare *share)
{
    start_share(map, split, share);
    share->n_rows = map->total[split];
    Status status = STATUS_OK;
    IndexPlace place = {0, 0};
    if (comm->rank == 0) share->n_pieces = cut_pieces(map, split, 0, share->n_rows, &place, NULL);
    comm_broadcast(comm, &share->n_pieces, sizeof share->n_pieces);
    share->piece = memory_new((size_t)share->n_pieces, sizeof *share->piece, "the index map");
    if (share->piece == NULL) status = STATUS_MEMORY;
    status = comm_agree(comm, status);
    if (status == STATUS_OK) {
        place = (IndexPlace){0, 0};
        if (comm->rank == 0) cut_pieces(map, split, 0, share->n_rows, &place, share->piece);
        comm_broadcast(comm, share->piece, (size_t)share->n_pieces * sizeof *share->piece);
        status = fetch_live(comm, map, share);
    }
    if (status != STATUS_OK) index_share_free(share);
    return status;
}

int64_t index_share_piece(const IndexShare *share, int64_t i)
{
    int64_t low = 0, high = share->n_pieces - 1; /* the last piece whose first row is at most i */
    while (low < high) {
        int64_t middle = (low + high + 1) / 2;
        if (share->piece[middle].first <= i)
            low = middle;
        else
            high = middle - 1;
    }
    return low;
}

/* The row of the number-th patch that is dealt of piece p's ensemble. */
static IndexRow row_of(const IndexShare *share, int64_t p, int64_t number)
{
    int64_t patch = share->live.start == NULL ? number : index_live_patch(&share->live, p, number);
    return index_patch_row(&share->rule, share->piece[p].ensemble, share->n_samples, patch);
}

IndexRow index_share_row(const IndexShare *share, int64_t i)
{
    if (share->rows != NULL) return share->rows[i];
    int64_t p = index_share_piece(share, i);
    const IndexPiece *piece = &share->piece[p];
    return row_of(share, p,
                  index_number(&share->rule, share->split, piece->key, piece->count, piece->from + i - piece->first));
}

Status index_share_sorted(const IndexShare *share, int64_t p, IndexRow *rows)
{
    const IndexPiece *piece = &share->piece[p];
    int64_t n = piece->count[share->split];
    int64_t *number = memory_new((size_t)n, sizeof *number, "an ensemble's rows");
    Status status = number == NULL ? STATUS_MEMORY : STATUS_OK;
    if (status == STATUS_OK) status = index_numbers(&share->rule, share->split, piece->key, piece->count, number);
    for (int64_t j = 0; j < n && status == STATUS_OK; j++) rows[j] = row_of(share, p, number[j]);
    memory_free(number);
    return status;
}
