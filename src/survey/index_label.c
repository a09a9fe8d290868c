/* To which splits each gather's patches were dealt. */
#include "seisdcn/index_label.h"

#include "index_private.h"

#include "seisdcn/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Rows that are read at a time; gathers that a row may name: many more than a survey has, little enough to hold. */
enum { ROWS_AT_ONCE = 65536, GATHERS_MAX = 1 << 27 };

static const char *const DATASET = "/ensemble/split";

uint8_t index_label_bit(IndexSplit split) { return (uint8_t)(1 << split); }

char *index_label_text(uint8_t label, char *text)
{
    size_t at = 0;
    snprintf(text, INDEX_LABEL_TEXT, "no patches");
    for (int s = 0; s < INDEX_SPLITS; s++)
        if (label & index_label_bit((IndexSplit)s))
            at += (size_t)snprintf(text + at, INDEX_LABEL_TEXT - at, "%s%s", at == 0 ? "" : ", ",
                                   index_split_name((IndexSplit)s));
    return text;
}

void index_labels(const IndexMap *map, uint8_t *labels)
{
    for (int64_t e = 0; e < map->n_ensembles; e++) {
        labels[e] = 0;
        for (int s = 0; s < INDEX_SPLITS; s++)
            if (map->count[s][e] > 0) labels[e] |= index_label_bit((IndexSplit)s);
    }
}

/* ---- in a file ---- */

Status index_labels_put(const H5File *file, const IndexMap *map, const Survey *survey)
{
    int64_t n = map->n_ensembles;
    uint8_t *labels = memory_new((size_t)n, 1, "the gathers' splits");
    if (labels == NULL) return STATUS_MEMORY;
    index_labels(map, labels);
    Status status = h5_create_group(file, "/ensemble");
    if (status == STATUS_OK) status = h5_write_new(file, DATASET, H5T_STD_U8LE, H5T_NATIVE_UINT8, 1, &n, labels);
    if (status == STATUS_OK)
        status =
            h5_put_text(file, DATASET, "values", "1 train, 2 valid, 4 test; a sum: patches of several; 0: no patches");
    memory_free(labels);
    if (status != STATUS_OK || survey->lines != NULL) return status;
    status = h5_write_new(file, "/ensemble/inline", H5T_STD_I32LE, H5T_NATIVE_INT32, 1, &n, survey->inlines);
    if (status != STATUS_OK) return status;
    return h5_write_new(file, "/ensemble/crossline", H5T_STD_I32LE, H5T_NATIVE_INT32, 1, &n, survey->crosslines);
}

/* /ensemble/split of a file: *labels [*n]. */
static Status read_labels(const H5File *file, uint8_t **labels, int64_t *n)
{
    int rank;
    int64_t dims[4];
    Status status = h5_expect(file, DATASET, H5T_NATIVE_UINT8, 1, (int64_t[]){-1});
    if (status == STATUS_OK) status = h5_dims(file, DATASET, &rank, dims);
    if (status != STATUS_OK) return status;
    *n = dims[0];
    *labels = memory_new((size_t)*n, 1, "the gathers' splits");
    if (*labels == NULL) return STATUS_MEMORY;
    status = h5_read_all(file, DATASET, H5T_NATIVE_UINT8, *n, *labels);
    for (int64_t e = 0; status == STATUS_OK && e < *n; e++)
        if ((*labels)[e] >= INDEX_LABELS)
            status = status_fail(STATUS_DATA, "%s: %s of gather #%" PRId64 " is %d; 0 to %d are known", file->path,
                                 DATASET, e, (*labels)[e], INDEX_LABELS - 1);
    return status;
}

Status index_labels_check(const char *path, const IndexMap *map)
{
    H5File file;
    uint8_t *told = NULL, *labels = NULL;
    int64_t n = 0, e = 0;
    Status status = h5_open(path, false, &file);
    if (status != STATUS_OK) return status;
    if (h5_exists(&file, DATASET)) status = read_labels(&file, &told, &n);
    if (status == STATUS_OK && told != NULL) {
        labels = memory_new((size_t)map->n_ensembles, 1, "the gathers' splits");
        if (labels == NULL) status = STATUS_MEMORY;
    }
    if (labels != NULL && n == map->n_ensembles) {
        index_labels(map, labels);
        while (e < n && told[e] == labels[e]) e++;
    }
    if (labels != NULL && (n != map->n_ensembles || e < n))
        status = status_fail(STATUS_DATA,
                             "%s: its %s is not what its rule gives for this survey (from gather #%" PRId64
                             " on); build the map anew with seisdcn index",
                             path, DATASET, e);
    memory_free(told);
    memory_free(labels);
    Status closed = h5_close(&file);
    return status != STATUS_OK ? status : closed;
}

/* The labels that rows give, in as much room as the gathers that they name. */
typedef struct {
    uint8_t *label;
    int64_t n, room;
} Labels;

static Status add_label(Labels *labels, const H5File *file, IndexSplit split, int64_t row, int64_t e)
{
    if (e < 0 || e >= GATHERS_MAX)
        return status_fail(STATUS_DATA, "%s: row %" PRId64 " of /%s names ensemble %" PRId64 ", which no survey has",
                           file->path, row, index_split_name(split), e);
    if (e >= labels->room) {
        int64_t room = 2 * e + 1024;
        uint8_t *more = memory_new((size_t)room, 1, "the gathers' splits"); /* of zeros */
        if (more == NULL) return STATUS_MEMORY;
        if (labels->n > 0) memcpy(more, labels->label, (size_t)labels->n);
        memory_free(labels->label);
        labels->label = more;
        labels->room = room;
    }
    if (e >= labels->n) labels->n = e + 1;
    labels->label[e] |= index_label_bit(split);
    return STATUS_OK;
}

static Status add_rows(Labels *labels, const H5File *file, IndexSplit split)
{
    char name[16];
    int rank;
    int64_t dims[4];
    index_dataset_name(split, name);
    if (!h5_exists(file, name)) return STATUS_OK;
    Status status = h5_expect(file, name, H5T_NATIVE_INT64, 2, (int64_t[]){-1, 3});
    if (status == STATUS_OK) status = h5_dims(file, name, &rank, dims);
    if (status != STATUS_OK) return status;
    IndexRow *rows = memory_new(ROWS_AT_ONCE, sizeof *rows, "the rows of the index map");
    if (rows == NULL) return STATUS_MEMORY;
    for (int64_t first = 0; status == STATUS_OK && first < dims[0]; first += ROWS_AT_ONCE) {
        int64_t n = dims[0] - first < ROWS_AT_ONCE ? dims[0] - first : ROWS_AT_ONCE;
        status = h5_read_rows(file, name, H5T_NATIVE_INT64, first, n, 3, rows);
        for (int64_t i = 0; status == STATUS_OK && i < n; i++)
            status = add_label(labels, file, split, first + i, rows[i].ensemble);
    }
    memory_free(rows);
    return status;
}

Status index_labels_get(const H5File *file, uint8_t **labels, int64_t *n)
{
    Status status = STATUS_OK;
    Labels found = {0};
    *labels = NULL;
    *n = 0;
    if (!h5_exists(file, "/train")) return h5_exists(file, DATASET) ? read_labels(file, labels, n) : STATUS_OK;
    for (int s = 0; status == STATUS_OK && s < INDEX_SPLITS; s++) status = add_rows(&found, file, (IndexSplit)s);
    *labels = found.label;
    *n = found.n;
    return status;
}

/* ---- the gathers of a split ---- */

static void select_own(const IndexMap *map, IndexSplit split, uint8_t *selected, IndexSelection *selection)
{
    bool by_patch = selection->deal.known && map->rule.by == SPLIT_BY_PATCH;
    uint8_t bit = index_label_bit(split);
    index_labels(map, selected);
    for (int64_t e = 0; e < map->n_ensembles; e++) {
        bool own = selected[e] == bit && !by_patch;
        selection->n += own;
        selection->mixed += (selected[e] & bit) != 0 && !own;
        selected[e] = own;
    }
}

Status index_select(const Comm *comm, const Survey *survey, const char *path, Config *config, IndexSplit split,
                    uint8_t *selected, IndexSelection *selection)
{
    IndexMap map;
    *selection = (IndexSelection){0};
    Status status = index_load(comm, survey, path, config, &map);
    if (status != STATUS_OK) return status;
    if (comm->rank == 0) {
        selection->deal = index_deal_of(&map, survey);
        select_own(&map, split, selected, selection);
    }
    index_free(&map);
    comm_broadcast(comm, selection, sizeof *selection);
    comm_broadcast(comm, selected, (size_t)survey->n_ensembles);
    return STATUS_OK;
}

Status index_selection_check(const IndexSelection *selection, IndexSplit split, const char *owner)
{
    const char *name = index_split_name(split);
    if (selection->n > 0) return STATUS_OK;
    if (selection->deal.known && selection->deal.rule.by == SPLIT_BY_PATCH)
        return status_fail(
            STATUS_DATA,
            "the split of %s is by patch (split.by=patch): each gather has patches of several splits, so "
            "%s has no gathers of its own; choose gathers with --ensembles",
            owner, name);
    if (selection->mixed > 0)
        return status_fail(STATUS_DATA,
                           "the split %s of %s has no gathers of its own: those with its patches (%" PRId64
                           ") have patches of other splits too; choose gathers with --ensembles",
                           name, owner, selection->mixed);
    return status_fail(STATUS_DATA, "the split %s of %s has no gathers; choose another split", name, owner);
}
