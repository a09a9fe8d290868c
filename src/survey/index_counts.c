/* Dealing the patches of a survey to the splits. */
#include "index_private.h"

#include "seisdcn/config.h"
#include "seisdcn/log.h"
#include "seisdcn/memory.h"
#include "seisdcn/position.h"
#include "seisdcn/random.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Numbers of the split's random key besides ensembles (which are >= 0). */
enum { KEY_DEAL = -1, KEY_ROUND_VALID = -2, KEY_ROUND_TEST = -3 };

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

/* ---- whole gathers, positions and inlines ---- */

/* What is dealt as a whole. */
typedef struct {
    int64_t n, things;          /* units, and what of them counts: inlines, or the gathers of all units */
    int64_t *of;                /* [n_ensembles] an ensemble's unit, -1 where it has no patch */
    int64_t *size;              /* [n] how many things a unit is */
    int64_t *order;             /* [n] shuffled; before that, room to work in [n_ensembles] */
    uint8_t *label;             /* [n] its split */
    int64_t got[INDEX_SPLITS];  /* units of each split */
    int64_t room[INDEX_SPLITS]; /* things that a split still wants */
} Units;

static Status new_units(int64_t n_ensembles, Units *units)
{
    size_t n = (size_t)n_ensembles;
    *units = (Units){.of = memory_new(n, sizeof *units->of, "the split"),
                     .size = memory_new(n, sizeof *units->size, "the split"),
                     .order = memory_new(n, sizeof *units->order, "the split"),
                     .label = memory_new(n, sizeof *units->label, "the split")};
    bool enough = units->of != NULL && units->size != NULL && units->order != NULL && units->label != NULL;
    return enough ? STATUS_OK : STATUS_MEMORY;
}

static void free_units(Units *units)
{
    memory_free(units->of);
    memory_free(units->size);
    memory_free(units->order);
    memory_free(units->label);
}

/* Units are the positions of gathers that hold patches, in the order of the first of these. */
static void number_places(const IndexMap *map, const int64_t *patches, Units *units)
{
    int64_t *at = units->order; /* the unit of the position whose first gather this is */
    for (int64_t e = 0; e < map->n_ensembles; e++) at[e] = -1;
    for (int64_t e = 0; e < map->n_ensembles; e++) {
        units->of[e] = -1;
        if (patches[e] == 0) continue;
        int64_t first = index_key(map, e);
        if (at[first] < 0) at[first] = units->n++;
        units->of[e] = at[first];
        units->size[at[first]]++;
        units->things++;
    }
}

/* Units are the inlines of gathers that hold patches. */
static Status number_inlines(const IndexMap *map, const int64_t *patches, const int32_t *inlines, Units *units)
{
    int32_t *lines = memory_new((size_t)map->n_ensembles, sizeof *lines, "the list of inlines");
    if (lines == NULL) return STATUS_MEMORY;
    int64_t n = 0;
    for (int64_t e = 0; e < map->n_ensembles; e++)
        if (patches[e] > 0) lines[n++] = inlines[e];
    qsort(lines, (size_t)n, sizeof *lines, position_compare);
    for (int64_t i = 0; i < n; i++)
        if (i == 0 || lines[i] != lines[units->n - 1]) lines[units->n++] = lines[i];
    for (int64_t e = 0; e < map->n_ensembles; e++) {
        units->of[e] = -1;
        if (patches[e] == 0) continue;
        const int32_t *found = bsearch(&inlines[e], lines, (size_t)units->n, sizeof *lines, position_compare);
        units->of[e] = found - lines;
    }
    memory_free(lines);
    for (int64_t u = 0; u < units->n; u++) units->size[u] = 1;
    units->things = units->n;
    return STATUS_OK;
}

/* A seeded shuffle (Fisher and Yates). */
static void shuffle(const IndexRule *rule, int64_t n, int64_t *shuffled)
{
    RandomKey key = random_key(rule->seed, RANDOM_SPLIT, KEY_DEAL);
    for (int64_t i = 0; i < n; i++) shuffled[i] = i;
    for (int64_t i = n - 1; i > 0; i--) {
        int64_t j = random_below(key, i + 1, (uint64_t)i, 0), kept = shuffled[i];
        shuffled[i] = shuffled[j];
        shuffled[j] = kept;
    }
}

/* Deals units in shuffled order: to test where there is room for all of one, else to valid, else to train. */
static void deal_units(Units *units)
{
    for (int64_t i = 0; i < units->n; i++) {
        int64_t u = units->order[i], size = units->size[u];
        IndexSplit split = size <= units->room[INDEX_TEST]    ? INDEX_TEST
                           : size <= units->room[INDEX_VALID] ? INDEX_VALID
                                                              : INDEX_TRAIN;
        if (split != INDEX_TRAIN) units->room[split] -= size;
        units->label[u] = (uint8_t)split;
        units->got[split]++;
    }
}

/* A split that is wanted, and smaller than each unit, gets the smallest that trains. */
static void fill_split(IndexSplit split, Units *units)
{
    int64_t smallest = -1;
    if (units->got[split] > 0 || units->room[split] == 0) return;
    for (int64_t i = 0; i < units->n; i++) {
        int64_t u = units->order[i];
        if (units->label[u] == INDEX_TRAIN && (smallest < 0 || units->size[u] < units->size[smallest])) smallest = u;
    }
    if (smallest < 0) return;
    units->label[smallest] = (uint8_t)split;
    units->got[split]++;
    units->got[INDEX_TRAIN]--;
}

static Status deal_whole(IndexMap *map, const int64_t *patches, const int32_t *inlines, Units *units)
{
    const IndexRule *rule = &map->rule;
    bool by_inline = rule->by == SPLIT_BY_INLINE;
    Status status = STATUS_OK;
    if (by_inline)
        status = number_inlines(map, patches, inlines, units);
    else
        number_places(map, patches, units);
    if (status != STATUS_OK) return status;
    int64_t n = units->things, n_valid = rounded_up(rule->valid, n), n_test = rounded_up(rule->test, n);
    if (n_valid + n_test >= n) return nothing_left(rule, by_inline ? "inline" : "gather", n, n_valid, n_test);
    units->room[INDEX_TEST] = n_test;
    units->room[INDEX_VALID] = n_valid;
    shuffle(rule, units->n, units->order);
    deal_units(units);
    fill_split(INDEX_TEST, units);
    fill_split(INDEX_VALID, units);
    if (units->got[INDEX_TRAIN] > 0 && (n_valid == 0 || units->got[INDEX_VALID] > 0)) return STATUS_OK;
    char gathers[LOG_THINGS_MAX], positions[LOG_THINGS_MAX];
    return status_fail(STATUS_CONFIG,
                       "the split leaves nothing to train on: %s have %s, and those of one position stay together; set "
                       "split.test or split.valid to 0, or split.by=patch, which deals single patches",
                       log_things(n, "gather", gathers), log_things(units->n, "position", positions));
}

static Status build_by_unit(IndexMap *map, const int64_t *patches, const int32_t *inlines)
{
    Units units;
    Status status = new_units(map->n_ensembles, &units);
    if (status == STATUS_OK) status = deal_whole(map, patches, inlines, &units);
    for (int64_t e = 0; status == STATUS_OK && e < map->n_ensembles; e++)
        if (units.of[e] >= 0) map->count[units.label[units.of[e]]][e] = patches[e];
    free_units(&units);
    return status;
}

/* ---- patches ---- */

/* Which gathers' patches are dealt one by one, and which gathers go with which. */
typedef struct {
    int64_t *patches; /* [n_ensembles] those that are dealt one by one; 0 where all train */
    int64_t *twins;   /* [n_ensembles] at the first gather with patches at a position: how many there are, -1 where they
                         differ */
    int64_t *head;    /* [n_ensembles] that gather */
    int64_t n;        /* sum of patches */
} Loose;

static Status new_loose(int64_t n_ensembles, Loose *loose)
{
    size_t n = (size_t)n_ensembles;
    *loose = (Loose){.patches = memory_new(n, sizeof *loose->patches, "the split"),
                     .twins = memory_new(n, sizeof *loose->twins, "the split"),
                     .head = memory_new(n, sizeof *loose->head, "the split")};
    return loose->patches != NULL && loose->twins != NULL && loose->head != NULL ? STATUS_OK : STATUS_MEMORY;
}

static void free_loose(Loose *loose)
{
    memory_free(loose->patches);
    memory_free(loose->twins);
    memory_free(loose->head);
}

/* Gathers of one position are dealt one by one where the same number means the same patch in all of them: where they
 * have as many patches, and none is left out. */
static void find_loose(IndexMap *map, const int64_t *patches, Loose *loose)
{
    int64_t *at = loose->patches; /* first the heads by position */
    for (int64_t e = 0; e < map->n_ensembles; e++) at[e] = -1;
    for (int64_t e = 0; e < map->n_ensembles; e++) {
        int64_t first = index_key(map, e);
        if (at[first] < 0 && patches[e] > 0) at[first] = e;
        loose->head[e] = patches[e] > 0 ? at[first] : e;
        loose->twins[loose->head[e]]++;
    }
    for (int64_t e = 0; e < map->n_ensembles; e++) { /* a head whose gathers differ loses its twins */
        int64_t head = loose->head[e];
        bool whole = patches[e] == index_patches(&map->rule, map->fold[e], map->n_samples);
        if (loose->twins[head] > 1 && (patches[e] != patches[head] || !whole)) loose->twins[head] = -1;
    }
    for (int64_t e = 0; e < map->n_ensembles; e++) {
        loose->patches[e] = loose->twins[loose->head[e]] < 0 ? 0 : patches[e];
        loose->n += loose->patches[e];
        map->n_kept += patches[e] > 0 && loose->patches[e] == 0;
    }
}

/* Gives each ensemble its share of `wanted` patches, rounded down, and deals the rest one by one to ensembles in a
 * seeded order that still have room beside what `taken` (may be NULL) holds. What one gets all of its position get, so
 * that a few more than wanted may be dealt. */
static void deal_counts(const IndexMap *map, const Loose *loose, int64_t wanted, int64_t number, const int64_t *taken,
                        int64_t *count)
{
    int64_t left = wanted, n = map->n_ensembles;
    for (int64_t e = 0; e < n; e++) {
        count[e] = (int64_t)((__int128)wanted * loose->patches[e] / loose->n);
        left -= count[e];
    }
    RandomKey key = random_key(map->rule.seed, RANDOM_SPLIT, number);
    for (int64_t i = 0, full = 0; left > 0 && full < n; i = (i + 1) % n) {
        int64_t e = random_permute(key, n, i);
        full++;
        if (loose->head[e] != e || count[e] + (taken == NULL ? 0 : taken[e]) >= loose->patches[e]) continue;
        count[e]++;
        left -= loose->twins[e];
        full = 0;
    }
    for (int64_t e = 0; e < n; e++)
        if (loose->patches[e] > 0) count[e] = count[loose->head[e]];
}

static Status deal_loose(IndexMap *map, const int64_t *patches, int64_t n_patches, const Loose *loose)
{
    const IndexRule *rule = &map->rule;
    int64_t n_valid = rounded_up(rule->valid, n_patches), n_test = rounded_up(rule->test, n_patches), n_train = 0;
    if (n_valid + n_test >= n_patches) return nothing_left(rule, "patch", n_patches, n_valid, n_test);
    if (n_valid + n_test > loose->n)
        return status_fail(STATUS_CONFIG,
                           "%" PRId64 " gathers share positions and differ in their patches, so that split.by=patch "
                           "can only train on them whole, and %" PRId64 " of %" PRId64 " patches are left, too few for "
                           "split.test %g and split.valid %g; set split.by=ensemble, which deals positions whole",
                           map->n_kept, loose->n, n_patches, rule->test, rule->valid);
    int64_t *test = map->count[INDEX_TEST], *valid = map->count[INDEX_VALID];
    if (loose->n > 0) deal_counts(map, loose, n_test, KEY_ROUND_TEST, NULL, test);
    if (loose->n > 0) deal_counts(map, loose, n_valid, KEY_ROUND_VALID, test, valid);
    for (int64_t e = 0; e < map->n_ensembles; e++) {
        map->count[INDEX_TRAIN][e] = patches[e] - valid[e] - test[e];
        n_train += map->count[INDEX_TRAIN][e];
    }
    return n_train > 0 ? STATUS_OK : nothing_left(rule, "patch", n_patches, n_valid, n_test);
}

static Status build_by_patch(IndexMap *map, const int64_t *patches, int64_t n_patches)
{
    Loose loose;
    Status status = new_loose(map->n_ensembles, &loose);
    if (status == STATUS_OK) find_loose(map, patches, &loose);
    if (status == STATUS_OK) status = deal_loose(map, patches, n_patches, &loose);
    free_loose(&loose);
    return status;
}

Status index_deal_patches(IndexMap *map, const int64_t *patches, int64_t n_patches, const int32_t *inlines)
{
    if (map->rule.by == SPLIT_BY_PATCH) return build_by_patch(map, patches, n_patches);
    return build_by_unit(map, patches, inlines);
}
