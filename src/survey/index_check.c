#include "seisdcn/index_check.h"

#include "seisdcn/log.h"
#include "seisdcn/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Gathers that are read at first and then at a time; patches that are looked at in all; gathers that are named; bytes
 * after which no more gathers are read. */
enum { LOOK_GATHERS = 64, LOOK_ROWS = 65536, NAMED = 4, LOOK_BYTES = 1 << 30 };

/* What is looked at, the same on all ranks. */
typedef struct {
    int64_t n_rows, n_used; /* rows of the split, and those that a limit takes */
    int64_t n;              /* rows looked at */
    bool whole;             /* these are all that are used */
    bool every_gather;      /* or there is one of every gather that has any */
    IndexRow *row;          /* [n] by ensemble */
    int64_t n_gathers;      /* of the rows */
    int64_t *first_row;     /* [n_gathers + 1] */
} Look;

static void free_look(Look *look)
{
    memory_free(look->row);
    memory_free(look->first_row);
}

/* Rank 0: row r of the split, whose ensemble has rows `first` and on. An implicit map leaves no patch out here. */
static IndexRow split_row(const IndexMap *map, IndexSplit split, int64_t e, int64_t first, int64_t r)
{
    if (map->is_explicit) return map->rows[split][r];
    int64_t count[INDEX_SPLITS];
    for (int s = 0; s < INDEX_SPLITS; s++) count[s] = map->count[s][e];
    return index_patch_row(&map->rule, e, map->n_samples,
                           index_number(&map->rule, split, index_key(map, e), count, r - first));
}

/* Rank 0: rows spread evenly over those that are used, all where there are few. */
static void choose_rows(const IndexMap *map, IndexSplit split, Look *look)
{
    int64_t e = 0, first = 0;
    for (int64_t k = 0; k < look->n; k++) {
        int64_t i = (int64_t)((__int128)k * look->n_used / look->n);
        int64_t r = (int64_t)((__int128)i * look->n_rows / look->n_used);
        while (first + map->count[split][e] <= r) first += map->count[split][e++];
        look->row[k] = split_row(map, split, e, first, r);
    }
}

static Status start_look(const Comm *comm, const IndexMap *map, IndexSplit split, int64_t limit, Look *look)
{
    look->n_rows = map->total[split];
    look->n_used = limit > 0 && limit < look->n_rows ? limit : look->n_rows;
    look->n = look->n_used < LOOK_ROWS ? look->n_used : LOOK_ROWS;
    look->whole = look->n == look->n_used;
    look->row = memory_new((size_t)look->n, sizeof *look->row, "patches to look at");
    look->first_row = memory_new((size_t)look->n + 1, sizeof *look->first_row, "gathers to look at");
    Status status = comm_agree(comm, look->row == NULL || look->first_row == NULL ? STATUS_MEMORY : STATUS_OK);
    if (status != STATUS_OK) return status;
    if (comm->rank == 0) choose_rows(map, split, look);
    comm_broadcast(comm, look->row, (size_t)look->n * sizeof *look->row);
    int64_t n_gathers = 0;
    for (int64_t e = 0; comm->rank == 0 && e < map->n_ensembles; e++) n_gathers += map->count[split][e] > 0;
    comm_broadcast(comm, &n_gathers, sizeof n_gathers);
    for (int64_t k = 0; k < look->n; k++)
        if (k == 0 || look->row[k].ensemble != look->row[k - 1].ensemble) look->first_row[look->n_gathers++] = k;
    look->first_row[look->n_gathers] = look->n;
    look->every_gather = look->n_gathers == n_gathers;
    return STATUS_OK;
}

static bool is_dead(const float *amplitude, int64_t n_samples, int64_t size, IndexRow row)
{
    for (int64_t t = row.trace; t < row.trace + size; t++)
        for (int64_t s = row.sample; s < row.sample + size; s++)
            if (amplitude[t * n_samples + s] != 0) return false;
    return true;
}

/* What was found, summed over ranks. */
typedef struct {
    int64_t gathers, patches, dead; /* looked at; dead ones of the patches */
    int64_t live_gathers;           /* with any sample that is not zero */
} Found;

/* Looks at some of the gathers, [n] numbers in the look, the ranks in turn. Collective. */
static Status look_at(const Comm *comm, const Survey *survey, const IndexMap *map, const Look *look,
                      const int64_t *gathers, int64_t n, float *amplitude, Found *found)
{
    Found mine = {0};
    Status status = STATUS_OK;
    for (int64_t k = comm->rank; k < n && status == STATUS_OK; k += comm->size) {
        int64_t first = look->first_row[gathers[k]], end = look->first_row[gathers[k] + 1];
        int64_t e = look->row[first].ensemble, items = survey_fold(survey, e) * survey->n_samples, i = 0;
        status = survey_read_gather(survey, e, 1, amplitude);
        if (status != STATUS_OK) break;
        for (int64_t r = first; r < end; r++)
            mine.dead += is_dead(amplitude, survey->n_samples, map->rule.patch_size, look->row[r]);
        while (i < items && amplitude[i] == 0) i++;
        mine.live_gathers += i < items;
        mine.gathers++;
        mine.patches += end - first;
    }
    status = comm_agree(comm, status);
    comm_sum(comm, (int64_t *)&mine, sizeof mine / sizeof(int64_t));
    for (size_t i = 0; i < sizeof mine / sizeof(int64_t); i++) ((int64_t *)found)[i] += ((int64_t *)&mine)[i];
    return status;
}

/* First some gathers spread evenly over the split; the others only as long as nothing but dead patches was found, and
 * LOOK_BYTES are not read: a survey of terabytes that is filled later is told in a second. */
static Status look_on(const Comm *comm, const Survey *survey, const IndexMap *map, const Look *look, Found *found)
{
    int64_t most = look->n_gathers < LOOK_GATHERS ? look->n_gathers : LOOK_GATHERS, n = 0;
    int64_t *gathers = memory_new((size_t)look->n_gathers, sizeof *gathers, "gathers to look at");
    uint8_t *seen = memory_new((size_t)look->n_gathers, sizeof *seen, "gathers to look at");
    float *amplitude = memory_new((size_t)(survey_max_fold(survey) * survey->n_samples), sizeof *amplitude, "a gather");
    bool enough = gathers != NULL && seen != NULL && amplitude != NULL;
    Status status = comm_agree(comm, enough ? STATUS_OK : STATUS_MEMORY);
    for (int64_t k = 0; status == STATUS_OK && k < most; k++) {
        gathers[n++] = k * look->n_gathers / most;
        seen[gathers[k]] = 1;
    }
    for (int64_t g = 0; status == STATUS_OK && g < look->n_gathers; g++)
        if (!seen[g]) gathers[n++] = g;
    int64_t enough_gathers = LOOK_BYTES / (int64_t)(sizeof(float)) / (survey_max_fold(survey) * survey->n_samples);
    for (int64_t at = 0; status == STATUS_OK && at < n && found->patches == found->dead && at <= enough_gathers;
         at += most)
        status = look_at(comm, survey, map, look, gathers + at, n - at < most ? n - at : most, amplitude, found);
    memory_free(gathers);
    memory_free(seen);
    memory_free(amplitude);
    return status;
}

static Status fail_dead(const Survey *survey, const Look *look, IndexSplit split)
{
    char list[NAMED * 100] = "", name[96], more[48] = "";
    size_t at = 0;
    for (int64_t g = 0; g < look->n_gathers && g < NAMED; g++)
        at += (size_t)snprintf(list + at, sizeof list - at, "%s%s", g == 0 ? "" : ", ",
                               survey_ensemble_name(survey, look->row[look->first_row[g]].ensemble, name));
    if (look->n_gathers > NAMED) snprintf(more, sizeof more, " and %" PRId64 " more", look->n_gathers - NAMED);
    return status_fail(STATUS_DATA,
                       "all patches of the split %s are dead, every sample is exactly zero: %s%s; leave dead patches "
                       "out with patch.min_live, or deal others with split.seed",
                       index_split_name(split), list, more);
}

static void warn_dead(const Look *look, const Found *found, IndexSplit split)
{
    char patches[LOG_THINGS_MAX], gathers[32], all[LOG_THINGS_MAX];
    log_things(found->patches, "patch", patches);
    log_things(look->n_gathers, "gather", all);
    log_count(found->gathers, gathers);
    if (found->dead == found->patches)
        log_warning("none of %s of the split %s that were looked at is live (in %s of its %s): every "
                    "sample is exactly zero; patch.min_live leaves dead patches out",
                    patches, index_split_name(split), gathers, all);
    else
        log_warning(
            "%.0f %% of the patches of the split %s are dead, every sample is exactly zero (%s looked at, in %s "
            "of its %s); patch.min_live leaves them out",
            100.0 * (double)found->dead / (double)found->patches, index_split_name(split), patches, gathers, all);
}

Status index_check_live(const Comm *comm, const Survey *survey, const IndexMap *map, IndexSplit split, int64_t limit)
{
    if (map->total[split] == 0 || (!map->is_explicit && map->rule.min_live > 0)) return STATUS_OK;
    Look look = {0};
    Found found = {0};
    Status status = start_look(comm, map, split, limit, &look);
    if (status == STATUS_OK) status = look_on(comm, survey, map, &look, &found);
    bool is_sure = found.gathers == look.n_gathers && (look.whole || (look.every_gather && found.live_gathers == 0));
    if (status == STATUS_OK && found.dead == found.patches && is_sure)
        status = fail_dead(survey, &look, split);
    else if (status == STATUS_OK && 2 * found.dead > found.patches)
        warn_dead(&look, &found, split);
    free_look(&look);
    return status;
}
