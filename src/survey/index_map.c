/* The map of rank 0: how many rows of each split each ensemble has, and which rows these are. */
#include "index_private.h"

#include "seisdcn/config.h"
#include "seisdcn/log.h"
#include "seisdcn/memory.h"
#include "seisdcn/random.h"

#include <inttypes.h>
#include <string.h>

static const char *const names[INDEX_SPLITS] = {"train", "valid", "test"};

const char *index_split_name(IndexSplit split) { return names[split]; }

int index_split_of(const char *name)
{
    for (int s = 0; s < INDEX_SPLITS; s++)
        if (strcmp(names[s], name) == 0) return s;
    return -1;
}

static Status new_map(const IndexRule *rule, int64_t n_ensembles, int64_t n_samples, IndexMap *map)
{
    memset(map, 0, sizeof *map);
    map->rule = *rule;
    map->n_ensembles = n_ensembles;
    map->n_samples = n_samples;
    map->rule_known = true;
    map->fold = memory_new((size_t)n_ensembles, sizeof *map->fold, "the index map");
    bool enough = map->fold != NULL;
    for (int s = 0; s < INDEX_SPLITS; s++) {
        map->count[s] = memory_new((size_t)n_ensembles, sizeof *map->count[s], "the index map");
        enough = enough && map->count[s] != NULL;
    }
    if (enough) return STATUS_OK;
    index_free(map);
    return STATUS_MEMORY;
}

void index_free(IndexMap *map)
{
    memory_free(map->fold);
    memory_free(map->train_as_given);
    memory_free(map->place);
    index_live_free(&map->live);
    for (int s = 0; s < INDEX_SPLITS; s++) {
        memory_free(map->count[s]);
        memory_free(map->rows[s]);
    }
    memset(map, 0, sizeof *map);
}

/* Keeps first [n_ensembles] (index_build()) where any gather repeats another. */
static Status keep_places(const int64_t *first, IndexMap *map)
{
    size_t n = (size_t)map->n_ensembles;
    for (size_t e = 0; first != NULL && e < n; e++) map->n_repeats += first[e] != (int64_t)e;
    if (map->n_repeats == 0) return STATUS_OK;
    map->place = memory_new(n, sizeof *map->place, "the positions of the gathers");
    if (map->place == NULL) return STATUS_MEMORY;
    memcpy(map->place, first, n * sizeof *first);
    return STATUS_OK;
}

Status index_build(const IndexRule *rule, int64_t n_ensembles, int64_t n_samples, const int64_t *first_trace,
                   const int32_t *inlines, const int64_t *places, const int64_t *live, IndexMap *map)
{
    Status status = new_map(rule, n_ensembles, n_samples, map);
    if (status != STATUS_OK) return status;
    int64_t n_patches = 0, n_all = 0, max_fold = 0;
    int64_t *patches = memory_new((size_t)n_ensembles, sizeof *patches, "the index map");
    if (patches == NULL || keep_places(places, map) != STATUS_OK) {
        memory_free(patches);
        index_free(map);
        return STATUS_MEMORY;
    }
    for (int64_t e = 0; e < n_ensembles; e++) {
        map->fold[e] = first_trace[e + 1] - first_trace[e];
        if (map->fold[e] > max_fold) max_fold = map->fold[e];
        patches[e] = index_patches(rule, map->fold[e], n_samples);
        n_all += patches[e];
        map->n_short += patches[e] == 0;
        if (live != NULL) {
            map->n_dead += patches[e] > 0 && live[e] == 0;
            patches[e] = live[e];
        }
        n_patches += patches[e];
    }
    if (n_patches == 0 && n_all > 0)
        status = status_fail(STATUS_DATA,
                             "no patch of the survey is live: in none of its %" PRId64
                             " is a share of %g of the samples (patch.min_live) other than exactly zero",
                             n_all, rule->min_live);
    else if (n_patches == 0)
        status = status_fail(STATUS_DATA,
                             "no gather holds a patch: patch.size is %" PRId64 ", the largest gather has %" PRId64
                             " trace%s x %" PRId64 " sample%s; set a smaller patch.size",
                             rule->patch_size, max_fold, log_plural(max_fold, "trace"), n_samples,
                             log_plural(n_samples, "sample"));
    else
        status = index_deal_patches(map, patches, n_patches, inlines);
    memory_free(patches);
    for (int s = 0; status == STATUS_OK && s < INDEX_SPLITS; s++)
        for (int64_t e = 0; e < n_ensembles; e++) map->total[s] += map->count[s][e];
    if (status != STATUS_OK) index_free(map);
    return status;
}

/* Where a split's positions start in the permutation of an ensemble. */
static int64_t first_position(IndexSplit split, const int64_t count[INDEX_SPLITS])
{
    return split == INDEX_TEST ? 0 : split == INDEX_VALID ? count[INDEX_TEST] : count[INDEX_TEST] + count[INDEX_VALID];
}

IndexRow index_patch_row(const IndexRule *rule, int64_t ensemble, int64_t n_samples, int64_t patch)
{
    int64_t across = (n_samples - rule->patch_size) / rule->stride + 1; /* there is a patch: at least 1 */
    return (IndexRow){ensemble, patch / across * rule->stride, patch % across * rule->stride};
}

/* The patches of an ensemble that are dealt: each of them to one split. */
static int64_t dealt(const int64_t count[INDEX_SPLITS])
{
    return count[INDEX_TRAIN] + count[INDEX_VALID] + count[INDEX_TEST];
}

int64_t index_key(const IndexMap *map, int64_t e) { return map->place == NULL ? e : map->place[e]; }

int64_t index_number(const IndexRule *rule, IndexSplit split, int64_t key, const int64_t count[INDEX_SPLITS], int64_t j)
{
    if (rule->by != SPLIT_BY_PATCH) return j;
    return random_permute(random_key(rule->seed, RANDOM_SPLIT, key), dealt(count), first_position(split, count) + j);
}

Status index_numbers(const IndexRule *rule, IndexSplit split, int64_t key, const int64_t count[INDEX_SPLITS],
                     int64_t *number)
{
    if (rule->by != SPLIT_BY_PATCH) {
        for (int64_t j = 0; j < count[split]; j++) number[j] = j;
        return STATUS_OK;
    }
    int64_t n = dealt(count), at = 0;
    uint8_t *chosen = memory_new((size_t)n, 1, "an ensemble's patches");
    if (chosen == NULL) return STATUS_MEMORY;
    for (int64_t j = 0; j < count[split]; j++) chosen[index_number(rule, split, key, count, j)] = 1;
    for (int64_t i = 0; i < n; i++)
        if (chosen[i]) number[at++] = i;
    memory_free(chosen);
    return STATUS_OK;
}
