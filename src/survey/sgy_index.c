#include "seisdcn/sgy_index.h"

#include "sgy_index_private.h"

#include "seisdcn/memory.h"

#include <stdlib.h>
#include <string.h>

/* ---- gathers ---- */

static bool same_gather(const SgyTrace *a, const SgyTrace *b)
{
    return a->survey_line == b->survey_line && a->key[0] == b->key[0] && a->key[1] == b->key[1];
}

typedef struct {
    int32_t offset;
    int64_t number;
} Place;

static int compare_places(const void *a, const void *b)
{
    const Place *x = a, *y = b;
    if (x->offset != y->offset) return x->offset < y->offset ? -1 : 1;
    return x->number < y->number ? -1 : x->number > y->number;
}

/* Counts the traces of a gather [fold] that have the offset of an earlier one. place [fold] is for working in. */
static void count_repeated(const SgyTrace *trace, int64_t fold, Place *place, SgyFacts *facts)
{
    for (int64_t t = 0; t < fold; t++) place[t] = (Place){trace[t].offset, trace[t].number};
    qsort(place, (size_t)fold, sizeof *place, compare_places);
    for (int64_t t = 1; t < fold; t++) {
        if (place[t].offset != place[t - 1].offset) continue;
        facts->repeated++;
        if (facts->first_repeated < 0 || place[t].number < facts->first_repeated)
            facts->first_repeated = place[t].number;
    }
}

static SgyGather describe(const SgyRule *rule, const SgyTrace *trace, int64_t fold)
{
    SgyGather gather = {.number = trace->number,
                        .fold = fold,
                        .survey_line = trace->survey_line,
                        .line = trace->line,
                        .crossline = trace->crossline};
    memcpy(gather.key, trace->key, sizeof gather.key);
    bool known = !rule->by_field || trace->line != 0 || trace->crossline != 0;
    for (int64_t t = 1; t < fold && known; t++)
        known = trace[t].line == trace->line && trace[t].crossline == trace->crossline;
    if (!known || !position_known(gather.line, gather.crossline)) gather.line = gather.crossline = POSITION_UNKNOWN;
    return gather;
}

/* Cuts this rank's traces, sorted, into gathers: index->first, and mine [n_my_gathers]. Local. STATUS_MEMORY. */
static Status cut_gathers(SgyIndex *index, SgyGather **mine)
{
    const SgyTrace *trace = index->trace;
    int64_t n = index->n_my_traces, gathers = 0, largest = 0, e = 0;
    for (int64_t t = 0; t < n; t++) gathers += t == 0 || !same_gather(&trace[t - 1], &trace[t]);
    index->n_my_gathers = gathers;
    index->first = memory_new((size_t)gathers + 1, sizeof *index->first, "the gathers");
    *mine = memory_new((size_t)gathers, sizeof **mine, "the gathers");
    if (index->first == NULL || *mine == NULL) return STATUS_MEMORY;
    for (int64_t t = 0; t < n; t++)
        if (t == 0 || !same_gather(&trace[t - 1], &trace[t])) index->first[e++] = t;
    index->first[gathers] = n;
    for (e = 0; e < gathers; e++)
        if (index->first[e + 1] - index->first[e] > largest) largest = index->first[e + 1] - index->first[e];
    Place *place = memory_new((size_t)largest, sizeof *place, "the traces of a gather");
    if (place == NULL) return STATUS_MEMORY;
    for (e = 0; e < gathers; e++) {
        const SgyTrace *start = trace + index->first[e];
        int64_t fold = index->first[e + 1] - index->first[e];
        (*mine)[e] = describe(&index->rule, start, fold);
        count_repeated(start, fold, place, &index->facts);
    }
    memory_free(place);
    return STATUS_OK;
}

static Status find_gathers(const Comm *comm, SgyIndex *index)
{
    SgyGather *mine = NULL;
    void *all = NULL;
    index->facts.first_repeated = -1;
    Status status = comm_agree(comm, cut_gathers(index, &mine));
    if (status == STATUS_OK) status = comm_gather(comm, mine, (size_t)index->n_my_gathers * sizeof *mine, &all, NULL);
    memory_free(mine);
    if (status != STATUS_OK) return status;
    index->gather = all;
    index->first_gather = comm_before(comm, index->n_my_gathers);
    index->first_trace = comm_before(comm, index->n_my_traces);
    index->n_gathers = index->n_my_gathers;
    comm_sum(comm, &index->n_gathers, 1);
    comm_sum(comm, &index->facts.repeated, 1);
    int64_t first = index->facts.first_repeated < 0 ? INT64_MIN : -index->facts.first_repeated;
    comm_max(comm, &first, 1);
    index->facts.first_repeated = first == INT64_MIN ? -1 : -first;
    return STATUS_OK;
}

static Status build(const Comm *comm, SgyFiles *files, SgyIndex *index)
{
    Status status = sgy_index_read(comm, files, index);
    if (status == STATUS_OK) status = sgy_index_sort(comm, &index->trace, &index->n_my_traces);
    if (status == STATUS_OK) status = sgy_index_part(comm, files, index);
    return status == STATUS_OK ? find_gathers(comm, index) : status;
}

Status sgy_index_build(const Comm *comm, SgyFiles *files, const SgyRule *rule, SgyIndex *index)
{
    *index = (SgyIndex){.rule = *rule, .n_traces = files->first[files->n]};
    Status status = build(comm, files, index);
    if (status != STATUS_OK) sgy_index_free(index);
    return status;
}

double sgy_index_offset(const SgyIndex *index, int32_t code)
{
    static const SgyField distance = {.word = SGY_WORD_FLOAT};
    return sgy_code_value(index->rule.from_coordinates ? &distance : &index->rule.offset, code);
}

void sgy_index_free(SgyIndex *index)
{
    memory_free(index->trace);
    memory_free(index->first);
    memory_free(index->start);
    memory_free(index->gather);
    memory_free(index->range);
    memset(index, 0, sizeof *index);
}
