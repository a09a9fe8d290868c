/* The rows of an explicit map. */
#include "index_private.h"

#include "seisdcn/log.h"
#include "seisdcn/memory.h"
#include "seisdcn/random.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void index_dataset_name(IndexSplit split, char name[16])
{
    name[0] = '/';
    strcpy(name + 1, index_split_name(split));
}

/* ---- the canonical order ---- */

/* What qsort compares: a row with its place in the ensemble's canonical order. */
typedef struct {
    IndexRow row;
    int64_t place;
} Placed;

static int compare_placed(const void *a, const void *b)
{
    const Placed *x = a, *y = b;
    if (x->row.ensemble != y->row.ensemble) return x->row.ensemble < y->row.ensemble ? -1 : 1;
    return (x->place > y->place) - (x->place < y->place);
}

static bool on_grid(const IndexMap *map, IndexSplit split)
{
    for (int64_t i = 0; i < map->total[split]; i++)
        if (map->rows[split][i].trace % map->rule.stride != 0 || map->rows[split][i].sample % map->rule.stride != 0)
            return false;
    return true;
}

/* The number of a row's patch among all of its ensemble's. */
static int64_t patch_of(const IndexMap *map, IndexRow row)
{
    int64_t across = (map->n_samples - map->rule.patch_size) / map->rule.stride + 1;
    return row.trace / map->rule.stride * across + row.sample / map->rule.stride;
}

/* The patches that a map of live patches deals: all splits' rows together, [n] by ensemble and patch, none twice. */
typedef struct {
    int64_t n;
    int64_t *first; /* [n_ensembles + 1] where an ensemble's start */
    Placed *patch;
} Dealt;

static void free_dealt(Dealt *dealt)
{
    memory_free(dealt->first);
    memory_free(dealt->patch);
}

static Status list_dealt(const IndexMap *map, Dealt *dealt)
{
    int64_t all = map->total[INDEX_TRAIN] + map->total[INDEX_VALID] + map->total[INDEX_TEST], at = 0;
    dealt->first = memory_new((size_t)map->n_ensembles + 1, sizeof *dealt->first, "the rows of the index map");
    dealt->patch = memory_new((size_t)all, sizeof *dealt->patch, "the rows of the index map");
    if (dealt->first == NULL || dealt->patch == NULL) return STATUS_MEMORY;
    for (int s = 0; s < INDEX_SPLITS; s++)
        for (int64_t i = 0; i < map->total[s]; i++)
            dealt->patch[at++] = (Placed){map->rows[s][i], patch_of(map, map->rows[s][i])};
    qsort(dealt->patch, (size_t)all, sizeof *dealt->patch, compare_placed);
    for (int64_t i = 0; i < all; i++)
        if (i == 0 || compare_placed(&dealt->patch[i], &dealt->patch[dealt->n - 1]) != 0)
            dealt->patch[dealt->n++] = dealt->patch[i];
    for (int64_t i = 0; i < dealt->n; i++) dealt->first[dealt->patch[i].row.ensemble + 1]++;
    for (int64_t e = 0; e < map->n_ensembles; e++) dealt->first[e + 1] += dealt->first[e];
    return STATUS_OK;
}

/* A row's place in the permutation of its ensemble's patches, those of `dealt` alone where there is one. */
static int64_t permuted_place(const IndexMap *map, const Dealt *dealt, IndexRow row)
{
    int64_t patch = patch_of(map, row), n = index_patches(&map->rule, map->fold[row.ensemble], map->n_samples);
    if (dealt->patch != NULL) {
        Placed wanted = {row, patch};
        const Placed *mine = dealt->patch + dealt->first[row.ensemble];
        n = dealt->first[row.ensemble + 1] - dealt->first[row.ensemble];
        const Placed *found = bsearch(&wanted, mine, (size_t)n, sizeof wanted, compare_placed);
        patch = found - mine;
    }
    return random_unpermute(random_key(map->rule.seed, RANDOM_SPLIT, index_key(map, row.ensemble)), n, patch);
}

/* Puts a split's rows in canonical order; where the file says that single patches were dealt by the permutation, that
 * is the order of positions there. */
static Status sort_rows(IndexMap *map, IndexSplit split, bool permuted, const Dealt *dealt)
{
    int64_t n = map->total[split];
    Placed *placed = memory_new((size_t)n, sizeof *placed, "the rows of the index map");
    if (placed == NULL) return STATUS_MEMORY;
    for (int64_t i = 0; i < n; i++) {
        IndexRow row = map->rows[split][i];
        placed[i] = (Placed){row, permuted ? permuted_place(map, dealt, row) : row.trace * map->n_samples + row.sample};
    }
    qsort(placed, (size_t)n, sizeof *placed, compare_placed);
    for (int64_t i = 0; i < n; i++) map->rows[split][i] = placed[i].row;
    memory_free(placed);
    return STATUS_OK;
}

static Status sort_all(IndexMap *map)
{
    bool permuted = map->rule_known && map->rule.by == SPLIT_BY_PATCH, fits[INDEX_SPLITS], fit = true;
    for (int s = 0; s < INDEX_SPLITS; s++) {
        fits[s] = permuted && on_grid(map, (IndexSplit)s);
        fit = fit && fits[s];
    }
    Dealt dealt = {0};
    Status status = STATUS_OK;
    if (map->rule.min_live > 0 && permuted) {
        if (fit) status = list_dealt(map, &dealt);
        for (int s = 0; s < INDEX_SPLITS; s++) fits[s] = fit;
    }
    for (int s = 0; status == STATUS_OK && s < INDEX_SPLITS; s++)
        status = sort_rows(map, (IndexSplit)s, fits[s], &dealt);
    free_dealt(&dealt);
    return status;
}

/* ---- reading ---- */

static Status check_row(const IndexMap *map, IndexSplit split, int64_t i, IndexRow row, const char *path)
{
    if (row.ensemble < 0 || row.ensemble >= map->n_ensembles)
        return status_fail(STATUS_DATA,
                           "%s: row %" PRId64 " of /%s names ensemble %" PRId64 "; the survey has 0 to %" PRId64, path,
                           i, index_split_name(split), row.ensemble, map->n_ensembles - 1);
    int64_t fold = map->fold[row.ensemble], size = map->rule.patch_size;
    if (row.trace < 0 || row.sample < 0 || row.trace > fold - size || row.sample > map->n_samples - size)
        return status_fail(STATUS_DATA,
                           "%s: row %" PRId64 " of /%s, patch (%" PRId64 ", %" PRId64 ", %" PRId64 ") of size %" PRId64
                           ", lies outside its gather of %" PRId64 " trace%s x %" PRId64 " sample%s",
                           path, i, index_split_name(split), row.ensemble, row.trace, row.sample, size, fold,
                           log_plural(fold, "trace"), map->n_samples, log_plural(map->n_samples, "sample"));
    return STATUS_OK;
}

static Status read_rows(const H5File *file, IndexMap *map, IndexSplit split)
{
    char name[16];
    index_dataset_name(split, name);
    if (!h5_exists(file, name)) return STATUS_OK;
    int rank;
    int64_t dims[4];
    Status status = h5_expect(file, name, H5T_NATIVE_INT64, 2, (int64_t[]){-1, 3});
    if (status == STATUS_OK) status = h5_dims(file, name, &rank, dims);
    if (status != STATUS_OK) return status;
    map->total[split] = dims[0];
    map->rows[split] = memory_new((size_t)dims[0], sizeof(IndexRow), "the rows of the index map");
    if (map->rows[split] == NULL) return STATUS_MEMORY;
    status = h5_read_rows(file, name, H5T_NATIVE_INT64, 0, dims[0], 3, map->rows[split]);
    for (int64_t i = 0; status == STATUS_OK && i < dims[0]; i++) {
        status = check_row(map, split, i, map->rows[split][i], file->path);
        if (status == STATUS_OK) map->count[split][map->rows[split][i].ensemble]++;
    }
    return status;
}

Status index_read_rows(const H5File *file, IndexMap *map)
{
    map->is_explicit = true;
    Status status = STATUS_OK;
    for (int s = 0; status == STATUS_OK && s < INDEX_SPLITS; s++) status = read_rows(file, map, (IndexSplit)s);
    if (status == STATUS_OK && map->total[INDEX_TRAIN] == 0)
        status = status_fail(STATUS_DATA, "%s: /train has no rows: there is nothing to train on", file->path);
    if (status != STATUS_OK) return status;
    size_t bytes = (size_t)map->total[INDEX_TRAIN] * sizeof(IndexRow);
    map->train_as_given = memory_new(bytes, 1, "the rows of the index map");
    if (map->train_as_given == NULL) return STATUS_MEMORY;
    memcpy(map->train_as_given, map->rows[INDEX_TRAIN], bytes);
    return sort_all(map);
}
