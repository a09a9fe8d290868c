/* The map as a file, and how a job comes by its map. */
#include "seisdcn/index_map.h"

#include "seisdcn/checksum.h"
#include "seisdcn/files.h"
#include "seisdcn/h5.h"
#include "seisdcn/log.h"
#include "seisdcn/memory.h"
#include "seisdcn/random.h"
#include "seisdcn/survey_lines.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char *const FORMAT = "seisdcn-index-map";

static IndexRule rule_of(const Config *config)
{
    return (IndexRule){config->patch.size, config->patch.stride, config->split.by,
                       config->split.test, config->split.valid,  config->split.seed};
}

static void dataset_name(IndexSplit split, char name[16])
{
    name[0] = '/';
    strcpy(name + 1, index_split_name(split));
}

/* ---- reading ---- */

/* Which of the rule's attributes a file has. */
typedef struct {
    bool stride, by, test, valid, seed;
} Known;

static Status read_rule(const H5File *file, IndexRule *rule, Known *known)
{
    Status status = h5_get_int(file, "/", "patch_size", &rule->patch_size);
    known->stride = h5_has(file, "/", "stride");
    known->by = h5_has(file, "/", "by");
    known->test = h5_has(file, "/", "test");
    known->valid = h5_has(file, "/", "valid");
    known->seed = h5_has(file, "/", "seed");
    if (status == STATUS_OK && known->stride) status = h5_get_int(file, "/", "stride", &rule->stride);
    if (status == STATUS_OK && known->test) status = h5_get_double(file, "/", "test", &rule->test);
    if (status == STATUS_OK && known->valid) status = h5_get_double(file, "/", "valid", &rule->valid);
    if (status == STATUS_OK && known->seed) status = h5_get_int(file, "/", "seed", &rule->seed);
    if (status == STATUS_OK && known->by) {
        char word[32];
        status = h5_get_text(file, "/", "by", word, sizeof word);
        if (status == STATUS_OK) rule->by = config_choice(CONFIG_SPLIT_BY, word);
        if (status == STATUS_OK && rule->by < 0)
            status = status_fail(STATUS_DATA, "%s: attribute by is \"%s\"; ensemble, inline and patch are known",
                                 file->path, word);
    }
    if (status == STATUS_OK && (rule->patch_size < 1 || rule->stride < 1))
        status = status_fail(STATUS_DATA, "%s: patch_size %" PRId64 " and stride %" PRId64 " must be at least 1",
                             file->path, rule->patch_size, rule->stride);
    return status;
}

static Status take_rule(const IndexRule *rule, const Known *known, const char *path, Config *config)
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
    return status;
}

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
                           ", lies outside its gather of %" PRId64 " traces x %" PRId64 " samples",
                           path, i, index_split_name(split), row.ensemble, row.trace, row.sample, size, fold,
                           map->n_samples);
    return STATUS_OK;
}

static Status read_rows(const H5File *file, IndexMap *map, IndexSplit split)
{
    char name[16];
    dataset_name(split, name);
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

/* Puts a split's rows in canonical order; where the file says that single patches were dealt by the permutation, that
 * is the order of positions there. */
static Status sort_rows(IndexMap *map, IndexSplit split)
{
    int64_t n = map->total[split];
    const IndexRule *rule = &map->rule;
    bool permuted = map->rule_known && rule->by == SPLIT_BY_PATCH && on_grid(map, split);
    Placed *placed = memory_new((size_t)n, sizeof *placed, "the rows of the index map");
    if (placed == NULL) return STATUS_MEMORY;
    for (int64_t i = 0; i < n; i++) {
        IndexRow row = map->rows[split][i];
        placed[i].row = row;
        placed[i].place = row.trace * map->n_samples + row.sample;
        if (permuted) {
            int64_t across = (map->n_samples - rule->patch_size) / rule->stride + 1;
            int64_t patch = row.trace / rule->stride * across + row.sample / rule->stride;
            placed[i].place = random_unpermute(random_key(rule->seed, RANDOM_SPLIT, row.ensemble),
                                               index_patches(rule, map->fold[row.ensemble], map->n_samples), patch);
        }
    }
    qsort(placed, (size_t)n, sizeof *placed, compare_placed);
    for (int64_t i = 0; i < n; i++) map->rows[split][i] = placed[i].row;
    memory_free(placed);
    return STATUS_OK;
}

static Status read_explicit(const H5File *file, IndexMap *map)
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
    for (int s = 0; status == STATUS_OK && s < INDEX_SPLITS; s++) status = sort_rows(map, (IndexSplit)s);
    return status;
}

static Status build(const IndexRule *rule, const Survey *survey, IndexMap *map)
{
    int32_t *units;
    Status status = survey_inline_units(survey, &units);
    if (status != STATUS_OK) return status;
    status = index_build(rule, survey->n_ensembles, survey->n_samples, survey->first_trace, units, map);
    memory_free(units);
    return status;
}

static Status read_implicit(const H5File *file, const Survey *survey, IndexMap *map)
{
    if (!map->rule_known)
        return status_fail(STATUS_DATA, "%s: a map without /train must have stride, by, test, valid and seed",
                           file->path);
    IndexRule rule = map->rule;
    index_free(map);
    Status status = build(&rule, survey, map);
    for (int s = 0; status == STATUS_OK && s < INDEX_SPLITS; s++) {
        char name[16];
        int64_t count = 0;
        snprintf(name, sizeof name, "n_%s", index_split_name((IndexSplit)s));
        if (h5_has(file, "/", name)) status = h5_get_int(file, "/", name, &count);
        if (status == STATUS_OK && h5_has(file, "/", name) && count != map->total[s])
            status = status_fail(STATUS_DATA,
                                 "%s: %s is %" PRId64 ", but its rule gives %" PRId64
                                 " for this survey; build the map anew with seisdcn index",
                                 file->path, name, count, map->total[s]);
    }
    return status;
}

static Status read_file(const char *path, const Survey *survey, Config *config, IndexMap *map)
{
    H5File file;
    Status status = h5_open(path, false, &file);
    if (status != STATUS_OK) return status;
    Known known = {0};
    IndexRule rule = rule_of(config);
    status = h5_check_format(&file, FORMAT, "an index map");
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
    for (int64_t e = 0; status == STATUS_OK && e < map->n_ensembles; e++) {
        map->fold[e] = survey_fold(survey, e);
        map->n_short += index_patches(&rule, map->fold[e], map->n_samples) == 0;
    }
    if (status == STATUS_OK)
        status = h5_exists(&file, "/train") ? read_explicit(&file, map) : read_implicit(&file, survey, map);
    if (status != STATUS_OK) index_free(map);
    Status closed = h5_close(&file);
    return status != STATUS_OK ? status : closed;
}

Status index_load(const Comm *comm, const Survey *survey, const char *path, Config *config, IndexMap *map)
{
    memset(map, 0, sizeof *map);
    Status status = STATUS_OK;
    if (comm->rank == 0) {
        IndexRule rule = rule_of(config);
        if (path != NULL)
            status = read_file(path, survey, config, map);
        else
            status = build(&rule, survey, map);
    }
    status = comm_agree(comm, status);
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
    char n[INDEX_SPLITS][32], all[32];
    int64_t sum = 0;
    for (int s = 0; s < INDEX_SPLITS; s++) {
        log_count(map->total[s], n[s]);
        sum += map->total[s];
    }
    log_note("index map: %s patches of %" PRId64 " x %" PRId64 ", stride %" PRId64 ": %s train, %s valid, %s test%s",
             log_count(sum, all), map->rule.patch_size, map->rule.patch_size, map->rule.stride, n[INDEX_TRAIN],
             n[INDEX_VALID], n[INDEX_TEST], map->is_explicit ? " (explicit rows)" : "");
    if (map->n_short > 0)
        log_note("%" PRId64 " of %" PRId64 " gathers are smaller than a patch and give none", map->n_short,
                 map->n_ensembles);
}

/* ---- writing ---- */

static Status write_attributes(const H5File *file, const IndexMap *map, const Survey *survey, const char *history)
{
    const IndexRule *rule = &map->rule;
    Status status = h5_put_text(file, "/", "format", FORMAT);
    if (status == STATUS_OK) status = h5_put_int(file, "/", "version", 1);
    if (status == STATUS_OK) status = h5_put_text(file, "/", "history", history);
    if (status == STATUS_OK) status = h5_put_int(file, "/", "patch_size", rule->patch_size);
    if (status == STATUS_OK) status = h5_put_int(file, "/", "stride", rule->stride);
    if (status == STATUS_OK) status = h5_put_text(file, "/", "by", config_word(CONFIG_SPLIT_BY, rule->by));
    if (status == STATUS_OK) status = h5_put_double(file, "/", "test", rule->test);
    if (status == STATUS_OK) status = h5_put_double(file, "/", "valid", rule->valid);
    if (status == STATUS_OK) status = h5_put_int(file, "/", "seed", rule->seed);
    if (status == STATUS_OK) status = h5_put_uint(file, "/", "survey_checksum", survey->checksum);
    for (int s = 0; status == STATUS_OK && s < INDEX_SPLITS; s++) {
        char name[16];
        snprintf(name, sizeof name, "n_%s", index_split_name((IndexSplit)s));
        status = h5_put_int(file, "/", name, map->total[s]);
    }
    return status;
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
        dataset_name((IndexSplit)s, name);
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
    dataset_name(split, name);
    IndexRow *rows = NULL;
    log_progress_start(index_split_name(split), share.n_rows, "patches");
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
            status = index_sorted_rows(&share.rule, split, piece->ensemble, piece->fold, share.n_samples, piece->count,
                                       rows);
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
