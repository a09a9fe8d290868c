/* The map as a file, and how a job comes by its map. */
#include "index_private.h"

#include "seisdcn/checksum.h"
#include "seisdcn/files.h"
#include "seisdcn/h5.h"
#include "seisdcn/index_deal.h"
#include "seisdcn/index_label.h"
#include "seisdcn/log.h"
#include "seisdcn/memory.h"
#include "seisdcn/survey_lines.h"
#include "seisdcn/survey_places.h"

#include <inttypes.h>
#include <string.h>

static const char *const FORMAT = "seisdcn-index-map";

static IndexRule rule_of(const Config *config)
{
    return (IndexRule){config->patch.size,  config->patch.stride, config->split.by,      config->split.test,
                       config->split.valid, config->split.seed,   config->patch.min_live};
}

/* ---- reading ---- */

static Status read_rule(const H5File *file, IndexRule *rule, IndexRuleKnown *known)
{
    Status status = h5_get_int(file, "/", "patch_size", &rule->patch_size); /* a map must have it */
    if (status == STATUS_OK) status = index_rule_get(file, rule, known);
    if (status == STATUS_OK && (rule->patch_size < 1 || rule->stride < 1))
        status = status_fail(STATUS_DATA, "%s: patch_size %" PRId64 " and stride %" PRId64 " must be at least 1",
                             file->path, rule->patch_size, rule->stride);
    return status;
}

static Status take_rule(const IndexRule *rule, const IndexRuleKnown *known, const char *path, Config *config)
{
    char owner[512];
    snprintf(owner, sizeof owner, "the map %s", path);
    Status status = config_take(config, CONFIG_PATCH_SIZE, (double)rule->patch_size, owner);
    if (status == STATUS_OK && known->stride)
        status = config_take(config, CONFIG_PATCH_STRIDE, (double)rule->stride, owner);
    if (status == STATUS_OK && known->by) status = config_take(config, CONFIG_SPLIT_BY, (double)rule->by, owner);
    if (status == STATUS_OK && known->test) status = config_take(config, CONFIG_SPLIT_TEST, rule->test, owner);
    if (status == STATUS_OK && known->valid) status = config_take(config, CONFIG_SPLIT_VALID, rule->valid, owner);
    if (status == STATUS_OK && known->seed) status = config_take(config, CONFIG_SPLIT_SEED, (double)rule->seed, owner);
    if (status == STATUS_OK && known->min_live)
        status = config_take(config, CONFIG_PATCH_MIN_LIVE, rule->min_live, owner);
    return status;
}

/* What is left to do on all ranks once rank 0 has read what a file says. */
typedef struct {
    bool wanted; /* the map is implicit: rule and survey make it */
    IndexRule rule;
    int64_t n[INDEX_SPLITS]; /* the counts that a file says, -1 where it says none */
} Build;

static Status plan_implicit(const H5File *file, const IndexMap *map, Build *build)
{
    if (!map->rule_known)
        return status_fail(STATUS_DATA, "%s: a map without /train must have stride, by, test, valid and seed",
                           file->path);
    build->wanted = true;
    build->rule = map->rule;
    Status status = STATUS_OK;
    for (int s = 0; status == STATUS_OK && s < INDEX_SPLITS; s++) {
        char name[16];
        snprintf(name, sizeof name, "n_%s", index_split_name((IndexSplit)s));
        if (h5_has(file, "/", name)) status = h5_get_int(file, "/", name, &build->n[s]);
    }
    return status;
}

/* Rank 0: the implicit map; live as index_build() takes it, path the file's or NULL. */
static Status build_map(const Build *build, const Survey *survey, const int64_t *live, const char *path, IndexMap *map)
{
    int32_t *inlines = NULL;
    int64_t *places = NULL;
    Status status = survey_inline_units(survey, &inlines);
    if (status == STATUS_OK) status = survey_split_units(survey, &places);
    if (status == STATUS_OK)
        status = index_build(&build->rule, survey->n_ensembles, survey->n_samples, survey->first_trace, inlines, places,
                             live, map);
    memory_free(inlines);
    memory_free(places);
    for (int s = 0; status == STATUS_OK && path != NULL && s < INDEX_SPLITS; s++)
        if (build->n[s] >= 0 && build->n[s] != map->total[s])
            status = status_fail(STATUS_DATA,
                                 "%s: n_%s is %" PRId64 ", but its rule gives %" PRId64
                                 " for this survey; build the map anew with seisdcn index",
                                 path, index_split_name((IndexSplit)s), build->n[s], map->total[s]);
    return status == STATUS_OK && path != NULL ? index_labels_check(path, map) : status;
}

/* The implicit map, on rank 0; with min_live all ranks read the survey for it. */
static Status build_together(const Comm *comm, const Build *build, const Survey *survey, const char *path,
                             IndexMap *map)
{
    IndexLive live = {0};
    int64_t *count = NULL;
    Status status = STATUS_OK;
    if (build->rule.min_live > 0) status = index_live_scan(comm, survey, &build->rule, &live, &count);
    if (status == STATUS_OK)
        status = comm_agree(comm, comm->rank == 0 ? build_map(build, survey, count, path, map) : STATUS_OK);
    memory_free(count);
    if (status == STATUS_OK)
        map->live = live;
    else
        index_live_free(&live);
    return status;
}

static Status read_file(const char *path, const Survey *survey, Config *config, IndexMap *map, Build *build)
{
    H5File file;
    Status status = h5_open(path, false, &file);
    if (status != STATUS_OK) return status;
    IndexRuleKnown known = {0};
    IndexRule rule = rule_of(config);
    status = h5_check_format(&file, FORMAT, "an index map", 1, NULL);
    if (status == STATUS_OK) status = read_rule(&file, &rule, &known);
    if (status == STATUS_OK && h5_has(&file, "/", "survey_checksum")) {
        uint64_t checksum;
        status = h5_get_uint(&file, "/", "survey_checksum", &checksum);
        if (status == STATUS_OK && checksum != survey->checksum)
            status = status_fail(STATUS_DATA,
                                 "%s is the map of another survey (checksum %016" PRIx64 "; %s has %016" PRIx64
                                 "); build one with seisdcn index --survey %s",
                                 path, checksum, survey->path, survey->checksum, survey->path);
    }
    if (status == STATUS_OK) status = take_rule(&rule, &known, path, config);
    if (status == STATUS_OK) {
        memset(map, 0, sizeof *map);
        map->rule = rule;
        map->rule_known = known.stride && known.by && known.test && known.valid && known.seed;
        map->n_ensembles = survey->n_ensembles;
        map->n_samples = survey->n_samples;
        map->fold = memory_new((size_t)map->n_ensembles, sizeof *map->fold, "the index map");
        if (map->fold == NULL) status = STATUS_MEMORY;
        for (int s = 0; status == STATUS_OK && s < INDEX_SPLITS; s++) {
            map->count[s] = memory_new((size_t)map->n_ensembles, sizeof(int64_t), "the index map");
            if (map->count[s] == NULL) status = STATUS_MEMORY;
        }
    }
    if (status == STATUS_OK) status = survey_split_units(survey, &map->place);
    for (int64_t e = 0; status == STATUS_OK && e < map->n_ensembles; e++) {
        map->fold[e] = survey_fold(survey, e);
        map->n_short += index_patches(&rule, map->fold[e], map->n_samples) == 0;
    }
    if (status == STATUS_OK)
        status = h5_exists(&file, "/train") ? index_read_rows(&file, map) : plan_implicit(&file, map, build);
    if (status != STATUS_OK || build->wanted) index_free(map);
    Status closed = h5_close(&file);
    return status != STATUS_OK ? status : closed;
}

Status index_load(const Comm *comm, const Survey *survey, const char *path, Config *config, IndexMap *map)
{
    memset(map, 0, sizeof *map);
    Build build = {.wanted = path == NULL, .rule = rule_of(config), .n = {-1, -1, -1}};
    Status status = STATUS_OK;
    if (comm->rank == 0 && path != NULL) status = read_file(path, survey, config, map, &build);
    status = comm_agree(comm, status);
    comm_broadcast(comm, &build, sizeof build);
    if (status == STATUS_OK && build.wanted) status = build_together(comm, &build, survey, path, map);
    if (status != STATUS_OK) {
        index_free(map);
        return status;
    }
    comm_broadcast(comm, config, sizeof *config);
    comm_broadcast(comm, &map->rule, sizeof map->rule);
    comm_broadcast(comm, map->total, sizeof map->total);
    comm_broadcast(comm, &map->is_explicit, sizeof map->is_explicit);
    map->n_ensembles = survey->n_ensembles;
    map->n_samples = survey->n_samples;
    return STATUS_OK;
}

uint64_t index_rows_checksum(const IndexMap *map)
{
    if (!map->is_explicit) return 0;
    size_t train = (size_t)map->total[INDEX_TRAIN], valid = (size_t)map->total[INDEX_VALID];
    uint64_t parts[] = {checksum_bytes(map->train_as_given, train * sizeof(IndexRow)),
                        checksum_bytes(map->rows[INDEX_VALID], valid * sizeof(IndexRow)), map->rule_known};
    return checksum_bytes(parts, sizeof parts);
}

void index_report(const IndexMap *map)
{
    char n[INDEX_SPLITS][32], all[LOG_THINGS_MAX];
    int64_t sum = 0;
    for (int s = 0; s < INDEX_SPLITS; s++) {
        log_count(map->total[s], n[s]);
        sum += map->total[s];
    }
    log_note("index map: %s of %" PRId64 " x %" PRId64 ", stride %" PRId64 ": %s train, %s valid, %s test%s",
             log_things(sum, "patch", all), map->rule.patch_size, map->rule.patch_size, map->rule.stride,
             n[INDEX_TRAIN], n[INDEX_VALID], n[INDEX_TEST], map->is_explicit ? " (explicit rows)" : "");
    if (map->n_repeats > 0)
        log_note("%" PRId64 " of %" PRId64
                 " gathers %s the position of an earlier one: those of one position are on one "
                 "side of every split",
                 map->n_repeats, map->n_ensembles, map->n_repeats == 1 ? "has" : "have");
    if (map->n_kept > 0)
        log_note("%" PRId64 " gathers train whole: those of their position differ in their patches (split.by=patch)",
                 map->n_kept);
    if (map->n_dead > 0)
        log_note("%" PRId64 " of %s %s no patch with a share of %g of live samples (patch.min_live)", map->n_dead,
                 log_things(map->n_ensembles, "gather", all), map->n_dead == 1 ? "has" : "have", map->rule.min_live);
    if (map->n_short > 0)
        log_note("%" PRId64 " of %s %s none", map->n_short, log_things(map->n_ensembles, "gather", all),
                 map->n_short == 1 ? "is smaller than a patch and gives" : "are smaller than a patch and give");
}

/* ---- writing ---- */

static Status write_attributes(const H5File *file, const IndexMap *map, const Survey *survey, const char *history)
{
    const IndexRule *rule = &map->rule;
    Status status = h5_put_text(file, "/", "format", FORMAT);
    if (status == STATUS_OK) status = h5_put_int(file, "/", "version", 1);
    if (status == STATUS_OK) status = h5_put_text(file, "/", "history", history);
    if (status == STATUS_OK) status = h5_put_int(file, "/", "patch_size", rule->patch_size);
    if (status == STATUS_OK) status = index_rule_put(file, rule);
    if (status == STATUS_OK) status = h5_put_uint(file, "/", "survey_checksum", survey->checksum);
    for (int s = 0; status == STATUS_OK && s < INDEX_SPLITS; s++) {
        char name[16];
        snprintf(name, sizeof name, "n_%s", index_split_name((IndexSplit)s));
        status = h5_put_int(file, "/", name, map->total[s]);
    }
    return status == STATUS_OK ? index_labels_put(file, map, survey) : status;
}

static Status create_file(const IndexMap *map, const Survey *survey, const char *history, bool materialize,
                          const char *path)
{
    int64_t rows = map->total[INDEX_TRAIN] + map->total[INDEX_VALID] + map->total[INDEX_TEST];
    Status status = materialize ? files_check_space(path, (double)rows * sizeof(IndexRow)) : STATUS_OK;
    H5File file = {.id = H5I_INVALID_HID};
    if (status == STATUS_OK) status = h5_create(path, &file);
    if (status != STATUS_OK) return status;
    status = write_attributes(&file, map, survey, history);
    for (int s = 0; status == STATUS_OK && materialize && s < INDEX_SPLITS; s++) {
        char name[16];
        index_dataset_name((IndexSplit)s, name);
        status = h5_create_dataset(&file, name, H5T_STD_I64LE, 2, (int64_t[]){map->total[s], 3});
    }
    Status closed = h5_close(&file);
    return status != STATUS_OK ? status : closed;
}

/* Rank 0: cuts between ensembles, so that each rank sorts whole ones. */
static void whole_cuts(const IndexMap *map, IndexSplit split, int size, int64_t *cut)
{
    index_even_cuts(map->total[split], size, cut);
    int64_t first = 0;
    int r = 1;
    for (int64_t e = 0; e < map->n_ensembles; e++) {
        while (r < size && cut[r] <= first) cut[r++] = first;
        first += map->count[split][e];
    }
    while (r < size) cut[r++] = first;
}

static Status write_split(const Comm *comm, const H5File *file, const IndexMap *map, IndexSplit split)
{
    int64_t *cut = memory_new((size_t)comm->size + 1, sizeof *cut, "the ranks' shares");
    Status status = comm_agree(comm, cut == NULL ? STATUS_MEMORY : STATUS_OK);
    IndexShare share = {0};
    if (status == STATUS_OK) {
        if (comm->rank == 0) whole_cuts(map, split, comm->size, cut);
        status = index_scatter(comm, map, split, cut, &share);
    }
    memory_free(cut);
    if (status != STATUS_OK) return status;
    char name[16];
    index_dataset_name(split, name);
    IndexRow *rows = NULL;
    log_progress_start(index_split_name(split), share.n_rows, "patch");
    for (int64_t p = 0; status == STATUS_OK && p < share.n_pieces; p++) {
        const IndexPiece *piece = &share.piece[p];
        memory_free(rows);
        rows = memory_new((size_t)piece->n, sizeof *rows, "an ensemble's rows");
        if (rows == NULL) {
            status = STATUS_MEMORY;
            break;
        }
        if (share.rows != NULL)
            memcpy(rows, share.rows + piece->first, (size_t)piece->n * sizeof *rows);
        else
            status = index_share_sorted(&share, p, rows);
        if (status == STATUS_OK)
            status = h5_write_rows(file, name, H5T_NATIVE_INT64, share.first + piece->first, piece->n, 3, rows);
        log_progress(piece->first + piece->n, NULL);
    }
    log_progress_end();
    memory_free(rows);
    index_share_free(&share);
    return comm_agree(comm, status);
}

Status index_write(const Comm *comm, const IndexMap *map, const Survey *survey, const char *history, bool materialize,
                   const char *path)
{
    Status status = STATUS_OK;
    if (comm->rank == 0) status = create_file(map, survey, history, materialize, path);
    status = comm_agree(comm, status);
    if (status != STATUS_OK || !materialize) return status;
    H5File file;
    status = h5_open_parallel(comm, path, true, &file);
    if (status != STATUS_OK) return status;
    for (int s = 0; status == STATUS_OK && s < INDEX_SPLITS; s++) status = write_split(comm, &file, map, (IndexSplit)s);
    Status closed = h5_close_parallel(comm, &file);
    return status != STATUS_OK ? status : closed;
}
