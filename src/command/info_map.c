/* info of a map: which gathers are whose. */
#include "info_private.h"

#include "seisdcn/index_deal.h"
#include "seisdcn/index_label.h"
#include "seisdcn/log.h"
#include "seisdcn/memory.h"
#include "seisdcn/position.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* More ranges than these say nothing to a reader; letters of one range. */
enum { RANGES_SHOWN = 32, RANGE_MAX = 48, LIST_MAX = (RANGES_SHOWN + 2) * RANGE_MAX };

/* A list of numbers as ranges, "#3, #7-#9": it grows by rising numbers. */
typedef struct {
    const char *mark; /* before a number: "#", "" */
    char text[LIST_MAX];
    size_t at;
    int64_t n, ranges, first, last; /* numbers and ranges so far; the range that is open */
} List;

static void end_range(List *list)
{
    if (list->n == 0 || ++list->ranges > RANGES_SHOWN) return;
    char *text = list->text + list->at;
    size_t room = sizeof list->text - list->at;
    list->at += (size_t)snprintf(text, room, "%s%s%" PRId64, list->at == 0 ? "" : ", ", list->mark, list->first);
    if (list->last == list->first) return;
    text = list->text + list->at;
    list->at += (size_t)snprintf(text, sizeof list->text - list->at, "-%s%" PRId64, list->mark, list->last);
}

static void add(List *list, int64_t number)
{
    if (list->n > 0 && number == list->last + 1) {
        list->last = number;
    } else {
        end_range(list);
        list->first = list->last = number;
    }
    list->n++;
}

static void show(List *list, const char *label, const char *one)
{
    char count[LOG_THINGS_MAX], more[32], left[64] = "", text[LIST_MAX + 160];
    end_range(list);
    if (list->ranges > RANGES_SHOWN)
        snprintf(left, sizeof left, ", ... %s more", log_count(list->ranges - RANGES_SHOWN, more));
    snprintf(text, sizeof text, "%s%s (%s)", list->text, left, log_things(list->n, one, count));
    info_line(label, text);
}

/* The inlines of the gathers with a label. */
static void show_inlines(const uint8_t *labels, int64_t n, uint8_t label, const int32_t *inlines, int32_t *room)
{
    List list = {.mark = ""};
    int64_t found = 0;
    for (int64_t e = 0; e < n; e++)
        if (labels[e] == label && inlines[e] != POSITION_UNKNOWN) room[found++] = inlines[e];
    qsort(room, (size_t)found, sizeof *room, position_compare);
    for (int64_t i = 0; i < found; i++)
        if (i == 0 || room[i] != room[i - 1]) add(&list, room[i]);
    if (list.n > 0) show(&list, "", "inline");
}

static void show_labels(const uint8_t *labels, int64_t n, const int32_t *inlines, int32_t *room)
{
    for (int k = 1; k <= INDEX_LABELS; k++) { /* those without patches come last */
        uint8_t wanted = (uint8_t)(k % INDEX_LABELS);
        char name[INDEX_LABEL_TEXT], title[INDEX_LABEL_TEXT + 1];
        List list = {.mark = "#"};
        for (int64_t e = 0; e < n; e++)
            if (labels[e] == wanted) add(&list, e);
        if (list.n == 0) continue;
        snprintf(title, sizeof title, "%s:", index_label_text(wanted, name));
        show(&list, title, "gather");
        if (inlines != NULL && wanted != 0) show_inlines(labels, n, wanted, inlines, room);
    }
}

/* The inlines of the map's gathers, where whole ones were dealt: *inlines [n], NULL where they are not told. */
static Status read_inlines(const H5File *file, int64_t n, int32_t **inlines)
{
    IndexDeal deal;
    int rank;
    int64_t dims[4];
    *inlines = NULL;
    Status status = index_deal_get(file, "survey_checksum", &deal);
    if (status != STATUS_OK || !deal.known || deal.rule.by != SPLIT_BY_INLINE || !h5_exists(file, "/ensemble/inline"))
        return status;
    status = h5_expect(file, "/ensemble/inline", H5T_NATIVE_INT32, 1, (int64_t[]){-1});
    if (status == STATUS_OK) status = h5_dims(file, "/ensemble/inline", &rank, dims);
    if (status != STATUS_OK || dims[0] < n) return status;
    *inlines = memory_new((size_t)n, sizeof **inlines, "the inlines");
    return *inlines == NULL ? STATUS_MEMORY
                            : h5_read_rows(file, "/ensemble/inline", H5T_NATIVE_INT32, 0, n, 1, *inlines);
}

Status info_map_gathers(const H5File *file)
{
    uint8_t *labels = NULL;
    int32_t *inlines = NULL, *room = NULL;
    int64_t n = 0;
    Status status = index_labels_get(file, &labels, &n);
    if (status == STATUS_OK && labels != NULL) status = read_inlines(file, n, &inlines);
    if (status == STATUS_OK && inlines != NULL) {
        room = memory_new((size_t)n, sizeof *room, "the inlines");
        if (room == NULL) status = STATUS_MEMORY;
    }
    if (status == STATUS_OK && labels != NULL) show_labels(labels, n, inlines, room);
    if (status == STATUS_OK && labels == NULL)
        info_line("gathers", "not told (a map of an earlier version; seisdcn index builds it anew)");
    memory_free(labels);
    memory_free(inlines);
    memory_free(room);
    return status;
}
