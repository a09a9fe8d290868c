#include "seisdcn/sgy_index.h"

#include "sgy_index_private.h"

#include "seisdcn/log.h"
#include "seisdcn/memory.h"

#include <stdlib.h>
#include <string.h>

/* Headers that each rank reads between two agreements: an error anywhere ends all ranks soon. */
enum { ROUND_TRACES = 1 << 16, DEAD = 2 };

/* What tells whether a field is worth grouping by: the largest of each over all traces, and of each negated. */
enum { SEEN_LINE, SEEN_CROSSLINE, SEEN_CDP, SEEN_SHOT, SEEN_OFFSET, N_FIELDS, SEEN_ODD = 2 * N_FIELDS, N_SEEN };

typedef struct {
    int64_t
        largest[N_SEEN]; /* i: of field i; N_FIELDS + i: of field i negated; SEEN_ODD: an odd trace's number negated */
} Seen;

static int64_t low_of(const Seen *seen, int i) { return -seen->largest[N_FIELDS + i]; }

static int64_t high_of(const Seen *seen, int i) { return seen->largest[i]; }

static bool differs(const Seen *seen, int i) { return low_of(seen, i) < high_of(seen, i); }

static bool is_zero(const Seen *seen, int i) { return low_of(seen, i) == 0 && high_of(seen, i) == 0; }

static void see(Seen *seen, int i, int64_t value)
{
    if (value > seen->largest[i]) seen->largest[i] = value;
}

static void see_field(Seen *seen, int i, int64_t value)
{
    see(seen, i, value);
    see(seen, N_FIELDS + i, -value);
}

/* ---- reading headers ---- */

typedef struct {
    const SgyRule *rule;
    SgyField cdp, shot, id, samples;
    Seen seen;
    SgyFacts facts;
} Scan;

static void take_header(Scan *scan, const uint8_t *header, const SgyLayout *layout, int64_t number, SgyTrace *trace)
{
    const SgyRule *rule = scan->rule;
    bool big = layout->big;
    trace->number = number;
    trace->line = sgy_field_get(header, &rule->line, big);
    trace->crossline = sgy_field_get(header, &rule->crossline, big);
    trace->offset = sgy_field_get(header, &rule->offset, big);
    trace->order = rule->sort_offset ? trace->offset : 0;
    trace->key[0] = rule->by_field ? sgy_field_get(header, &rule->group, big) : trace->line;
    trace->key[1] = rule->by_field ? 0 : trace->crossline;
    see_field(&scan->seen, SEEN_LINE, trace->line);
    see_field(&scan->seen, SEEN_CROSSLINE, trace->crossline);
    see_field(&scan->seen, SEEN_OFFSET, trace->offset);
    see_field(&scan->seen, SEEN_CDP, sgy_field_get(header, &scan->cdp, big));
    see_field(&scan->seen, SEEN_SHOT, sgy_field_get(header, &scan->shot, big));
    scan->facts.dead += sgy_field_get(header, &scan->id, big) == DEAD;
    uint16_t samples = (uint16_t)sgy_field_get(header, &scan->samples, big);
    if (samples != 0 && samples != layout->n_samples && layout->n_samples <= UINT16_MAX) {
        scan->facts.odd_samples++;
        see(&scan->seen, SEEN_ODD, -number);
    }
}

/* This rank's run of headers, trace [end - first]. Collective. */
static Status read_headers(const Comm *comm, SgyFiles *files, Scan *scan, int64_t first, int64_t end, SgyTrace *trace)
{
    int64_t n_traces = files->first[files->n], most = (n_traces + comm->size - 1) / comm->size;
    Status status = STATUS_OK;
    log_progress_start("headers", n_traces, "traces");
    for (int64_t round = 0; round < most && status == STATUS_OK; round += ROUND_TRACES) {
        for (int64_t t = first + round; t < end && t < first + round + ROUND_TRACES && status == STATUS_OK; t++) {
            uint8_t header[SGY_HEADER];
            int64_t file, place;
            status = sgy_files_header(files, t, header);
            if (status != STATUS_OK) break;
            sgy_files_find(files, t, &file, &place);
            take_header(scan, header, &files->layouts[file], t, &trace[t - first]);
        }
        status = comm_agree(comm, status);
        log_progress(round * comm->size, NULL);
    }
    log_progress_end();
    if (status != STATUS_OK) return status;
    comm_max(comm, scan->seen.largest, N_SEEN);
    comm_sum(comm, &scan->facts.odd_samples, 1);
    comm_sum(comm, &scan->facts.dead, 1);
    return STATUS_OK;
}

static Status scan_files(const Comm *comm, SgyFiles *files, const SgyRule *rule, Scan *scan, SgyIndex *index)
{
    *scan = (Scan){.rule = rule,
                   .cdp = sgy_field_named("cdp"),
                   .shot = sgy_field_named("shot"),
                   .id = sgy_field_named("trace_id"),
                   .samples = sgy_field_named("samples")};
    for (int i = 0; i < N_SEEN; i++) scan->seen.largest[i] = INT64_MIN;
    int64_t first, end;
    comm_share(comm, index->n_traces, &first, &end);
    memory_free(index->trace);
    index->n_my_traces = end - first;
    index->trace = memory_new((size_t)(end - first), sizeof *index->trace, "what the trace headers tell");
    Status status = comm_agree(comm, index->trace == NULL ? STATUS_MEMORY : STATUS_OK);
    return status == STATUS_OK ? read_headers(comm, files, scan, first, end, index->trace) : status;
}

/* Where no header has a position: another rule, from what the headers do have. */
static bool change_rule(const SgyFiles *files, const Seen *seen, SgyRule *rule)
{
    if (!rule->automatic || rule->by_field || !is_zero(seen, SEEN_LINE) || !is_zero(seen, SEEN_CROSSLINE)) return false;
    int sorting = files->layouts[0].sorting;
    bool by_shot = differs(seen, SEEN_SHOT) && (sorting == 1 || sorting == 5); /* as recorded, by common shot */
    rule->by_field = true;
    rule->group = sgy_field_named(differs(seen, SEEN_CDP) && !by_shot ? "cdp" : "shot");
    return true;
}

/* ---- gathers ---- */

static bool same_gather(const SgyTrace *a, const SgyTrace *b)
{
    return a->key[0] == b->key[0] && a->key[1] == b->key[1];
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
    SgyGather gather = {.number = trace->number, .fold = fold, .line = trace->line, .crossline = trace->crossline};
    memcpy(gather.key, trace->key, sizeof gather.key);
    bool known = !rule->by_field || trace->line != 0 || trace->crossline != 0;
    for (int64_t t = 1; t < fold && known; t++)
        known = trace[t].line == trace->line && trace[t].crossline == trace->crossline;
    if (!known) gather.line = gather.crossline = -1;
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
    Scan scan;
    Status status = scan_files(comm, files, &index->rule, &scan, index);
    if (status == STATUS_OK && change_rule(files, &scan.seen, &index->rule))
        status = scan_files(comm, files, &index->rule, &scan, index);
    if (status != STATUS_OK) return status;
    index->facts = scan.facts;
    index->facts.first_odd_samples = scan.facts.odd_samples > 0 ? -scan.seen.largest[SEEN_ODD] : -1;
    index->facts.min_offset = (int32_t)low_of(&scan.seen, SEEN_OFFSET);
    index->facts.max_offset = (int32_t)high_of(&scan.seen, SEEN_OFFSET);
    status = sgy_index_sort(comm, &index->trace, &index->n_my_traces);
    return status == STATUS_OK ? find_gathers(comm, index) : status;
}

Status sgy_index_build(const Comm *comm, SgyFiles *files, const SgyRule *rule, SgyIndex *index)
{
    *index = (SgyIndex){.rule = *rule, .n_traces = files->first[files->n]};
    Status status = build(comm, files, index);
    if (status != STATUS_OK) sgy_index_free(index);
    return status;
}

void sgy_index_free(SgyIndex *index)
{
    memory_free(index->trace);
    memory_free(index->first);
    memory_free(index->gather);
    memset(index, 0, sizeof *index);
}
