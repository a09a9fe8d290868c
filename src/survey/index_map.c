/* The map of rank 0: how many rows of each split each ensemble has, and which rows these are. */
#include "seisdcn/index_map.h"

#include "seisdcn/config.h"
#include "seisdcn/log.h"
#include "seisdcn/memory.h"
#include "seisdcn/random.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Numbers of the split's random key besides ensembles (which are >= 0). */
enum { KEY_DEAL = -1, KEY_ROUND_VALID = -2, KEY_ROUND_TEST = -3 };

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
    index_live_free(&map->live);
    for (int s = 0; s < INDEX_SPLITS; s++) {
        memory_free(map->count[s]);
        memory_free(map->rows[s]);
    }
    memset(map, 0, sizeof *map);
}

/* The original's rule: each share of n rounded up, in the arithmetic of its Python. */
static int64_t rounded_up(double fraction, int64_t n) { return (int64_t)ceil(fraction * (double)n); }

static Status nothing_left(const IndexRule *rule, const char *unit, int64_t n, int64_t n_valid, int64_t n_test)
{
    char units[LOG_THINGS_MAX];
    const char *hold = rule->by != SPLIT_BY_ENSEMBLE ? "" : n == 1 ? " that holds patches" : " that hold patches";
    return status_fail(STATUS_CONFIG,
                       "the split leaves nothing to train on: of %s%s, split.test %g takes %" PRId64
                       " and split.valid %g takes %" PRId64 "; lower these, or set split.by=patch, which deals single "
                       "patches",
                       log_things(n, unit, units), hold, rule->test, n_test, rule->valid, n_valid);
}

/* Deals n things to the splits by a seeded shuffle (Fisher and Yates): label[i] is thing i's split. */
static void deal_whole(const IndexRule *rule, int64_t n, int64_t n_valid, int64_t n_test, int64_t *shuffled,
                       uint8_t *label)
{
    RandomKey key = random_key(rule->seed, RANDOM_SPLIT, KEY_DEAL);
    for (int64_t i = 0; i < n; i++) shuffled[i] = i;
    for (int64_t i = n - 1; i > 0; i--) {
        int64_t j = random_below(key, i + 1, (uint64_t)i, 0), kept = shuffled[i];
        shuffled[i] = shuffled[j];
        shuffled[j] = kept;
    }
    for (int64_t i = 0; i < n; i++)
        label[shuffled[i]] = i < n_test ? INDEX_TEST : i < n_test + n_valid ? INDEX_VALID : INDEX_TRAIN;
}

static int compare_lines(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

/* The number of ensemble e's unit (itself, or its inline) among those that hold patches: unit[e], -1 where none. */
static Status number_units(const IndexMap *map, const int64_t *patches, const int32_t *inlines, int64_t *unit,
                           int64_t *n_units)
{
    *n_units = 0;
    if (map->rule.by != SPLIT_BY_INLINE) {
        for (int64_t e = 0; e < map->n_ensembles; e++) unit[e] = patches[e] > 0 ? (*n_units)++ : -1;
        return STATUS_OK;
    }
    int32_t *lines = memory_new((size_t)map->n_ensembles, sizeof *lines, "the list of inlines");
    if (lines == NULL) return STATUS_MEMORY;
    int64_t n = 0;
    for (int64_t e = 0; e < map->n_ensembles; e++)
        if (patches[e] > 0) lines[n++] = inlines[e];
    qsort(lines, (size_t)n, sizeof *lines, compare_lines);
    for (int64_t i = 0; i < n; i++)
        if (i == 0 || lines[i] != lines[*n_units - 1]) lines[(*n_units)++] = lines[i];
    for (int64_t e = 0; e < map->n_ensembles; e++) {
        unit[e] = -1;
        if (patches[e] == 0) continue;
        const int32_t *found = bsearch(&inlines[e], lines, (size_t)*n_units, sizeof *lines, compare_lines);
        unit[e] = found - lines;
    }
    memory_free(lines);
    return STATUS_OK;
}

static Status build_by_unit(IndexMap *map, const int64_t *patches, const int32_t *inlines)
{
    size_t n = (size_t)map->n_ensembles;
    int64_t *unit = memory_new(n, sizeof *unit, "the split"), *shuffled = memory_new(n, sizeof *shuffled, "the split");
    uint8_t *label = memory_new(n, sizeof *label, "the split");
    Status status = unit == NULL || shuffled == NULL || label == NULL ? STATUS_MEMORY : STATUS_OK;
    int64_t n_units = 0;
    if (status == STATUS_OK) status = number_units(map, patches, inlines, unit, &n_units);
    if (status == STATUS_OK) {
        int64_t n_valid = rounded_up(map->rule.valid, n_units), n_test = rounded_up(map->rule.test, n_units);
        if (n_valid + n_test >= n_units)
            status = nothing_left(&map->rule, map->rule.by == SPLIT_BY_INLINE ? "inline" : "gather", n_units, n_valid,
                                  n_test);
        else
            deal_whole(&map->rule, n_units, n_valid, n_test, shuffled, label);
    }
    for (int64_t e = 0; status == STATUS_OK && e < map->n_ensembles; e++)
        if (unit[e] >= 0) map->count[label[unit[e]]][e] = patches[e];
    memory_free(unit);
    memory_free(shuffled);
    memory_free(label);
    return status;
}

/* Gives each ensemble its share of `wanted` patches, rounded down, and deals the rest one by one to ensembles in a
 * seeded order that still have room beside what `taken` (may be NULL) holds. */
static void deal_counts(const IndexMap *map, const int64_t *patches, int64_t n_patches, int64_t wanted, int64_t number,
                        const int64_t *taken, int64_t *count)
{
    int64_t left = wanted;
    for (int64_t e = 0; e < map->n_ensembles; e++) {
        count[e] = (int64_t)((__int128)wanted * patches[e] / n_patches);
        left -= count[e];
    }
    RandomKey key = random_key(map->rule.seed, RANDOM_SPLIT, number);
    for (int64_t i = 0; left > 0; i = (i + 1) % map->n_ensembles) {
        int64_t e = random_permute(key, map->n_ensembles, i);
        if (count[e] + (taken == NULL ? 0 : taken[e]) >= patches[e]) continue;
        count[e]++;
        left--;
    }
}

static Status build_by_patch(IndexMap *map, const int64_t *patches, int64_t n_patches)
{
    int64_t n_valid = rounded_up(map->rule.valid, n_patches), n_test = rounded_up(map->rule.test, n_patches);
    if (n_valid + n_test >= n_patches) return nothing_left(&map->rule, "patch", n_patches, n_valid, n_test);
    int64_t *valid = map->count[INDEX_VALID], *test = map->count[INDEX_TEST];
    deal_counts(map, patches, n_patches, n_test, KEY_ROUND_TEST, NULL, test);
    deal_counts(map, patches, n_patches, n_valid, KEY_ROUND_VALID, test, valid);
    for (int64_t e = 0; e < map->n_ensembles; e++) map->count[INDEX_TRAIN][e] = patches[e] - valid[e] - test[e];
    return STATUS_OK;
}

Status index_build(const IndexRule *rule, int64_t n_ensembles, int64_t n_samples, const int64_t *first_trace,
                   const int32_t *inlines, const int64_t *live, IndexMap *map)
{
    Status status = new_map(rule, n_ensembles, n_samples, map);
    if (status != STATUS_OK) return status;
    int64_t n_patches = 0, n_all = 0, max_fold = 0;
    int64_t *patches = memory_new((size_t)n_ensembles, sizeof *patches, "the index map");
    if (patches == NULL) {
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
                             " traces x %" PRId64 " samples; set a smaller patch.size",
                             rule->patch_size, max_fold, n_samples);
    else if (rule->by == SPLIT_BY_PATCH)
        status = build_by_patch(map, patches, n_patches);
    else
        status = build_by_unit(map, patches, inlines);
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

int64_t index_number(const IndexRule *rule, IndexSplit split, int64_t ensemble, const int64_t count[INDEX_SPLITS],
                     int64_t j)
{
    if (rule->by != SPLIT_BY_PATCH) return j;
    return random_permute(random_key(rule->seed, RANDOM_SPLIT, ensemble), dealt(count),
                          first_position(split, count) + j);
}

Status index_numbers(const IndexRule *rule, IndexSplit split, int64_t ensemble, const int64_t count[INDEX_SPLITS],
                     int64_t *number)
{
    if (rule->by != SPLIT_BY_PATCH) {
        for (int64_t j = 0; j < count[split]; j++) number[j] = j;
        return STATUS_OK;
    }
    int64_t n = dealt(count), at = 0;
    uint8_t *chosen = memory_new((size_t)n, 1, "an ensemble's patches");
    if (chosen == NULL) return STATUS_MEMORY;
    for (int64_t j = 0; j < count[split]; j++) chosen[index_number(rule, split, ensemble, count, j)] = 1;
    for (int64_t i = 0; i < n; i++)
        if (chosen[i]) number[at++] = i;
    memory_free(chosen);
    return STATUS_OK;
}
