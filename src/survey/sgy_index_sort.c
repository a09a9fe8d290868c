/* Sorting traces over the ranks: each sorts its own, samples of all tell where to cut, each sends the others theirs. */
#include "sgy_index_private.h"

#include "seisdcn/memory.h"

#include <stdlib.h>

/* Keys that each rank shows: the ranks' parts then differ by a few parts in a hundred. */
enum { SHOWN = 256 };

typedef struct {
    int32_t part[3]; /* survey_line, key */
} Key;

static Key key_of(const SgyTrace *trace) { return (Key){{trace->survey_line, trace->key[0], trace->key[1]}}; }

static int compare_keys(const void *a, const void *b)
{
    const int32_t *x = ((const Key *)a)->part, *y = ((const Key *)b)->part;
    for (int i = 0; i < 3; i++)
        if (x[i] != y[i]) return x[i] < y[i] ? -1 : 1;
    return 0;
}

/* A total order: no two traces have one number. */
static int compare_traces(const void *a, const void *b)
{
    const SgyTrace *x = a, *y = b;
    Key a_key = key_of(x), b_key = key_of(y);
    int keys = compare_keys(&a_key, &b_key);
    if (keys != 0) return keys;
    if (x->order != y->order) return x->order < y->order ? -1 : 1;
    return x->number < y->number ? -1 : x->number > y->number;
}

/* Most files are in order already. */
static void sort_traces(SgyTrace *trace, int64_t n)
{
    int64_t i = 1;
    while (i < n && compare_traces(&trace[i - 1], &trace[i]) < 0) i++;
    if (i < n) qsort(trace, (size_t)n, sizeof *trace, compare_traces);
}

/* cut [size - 1]: rank r gets the keys from cut[r - 1] up to below cut[r]. Collective. */
static Status find_cuts(const Comm *comm, const SgyTrace *trace, int64_t n, Key *cut)
{
    Key mine[SHOWN];
    int64_t shown = n < SHOWN ? n : SHOWN;
    for (int64_t i = 0; i < shown; i++) mine[i] = key_of(&trace[i * n / shown]);
    void *all;
    int64_t total = shown;
    Status status = comm_gather(comm, mine, (size_t)shown * sizeof *mine, &all, NULL);
    if (status != STATUS_OK) return status;
    comm_sum(comm, &total, 1);
    if (comm->rank == 0) {
        Key *keys = all;
        qsort(keys, (size_t)total, sizeof *keys, compare_keys);
        for (int r = 1; r < comm->size; r++) cut[r - 1] = keys[total * r / comm->size];
    }
    memory_free(all);
    comm_broadcast(comm, cut, (size_t)(comm->size - 1) * sizeof *cut);
    return STATUS_OK;
}

/* offset [size + 1]: the bytes of trace (sorted) that go to each rank. */
static void find_offsets(const Comm *comm, const SgyTrace *trace, int64_t n, const Key *cut, size_t *offset)
{
    int64_t at = 0;
    for (int r = 0; r < comm->size; r++) {
        offset[r] = (size_t)at * sizeof *trace;
        for (; at < n; at++) {
            Key key = key_of(&trace[at]);
            if (r < comm->size - 1 && compare_keys(&key, &cut[r]) >= 0) break;
        }
    }
    offset[comm->size] = (size_t)n * sizeof *trace;
}

Status sgy_index_sort(const Comm *comm, SgyTrace **trace, int64_t *n)
{
    sort_traces(*trace, *n);
    if (comm->size == 1) return STATUS_OK;
    Key *cut = memory_new((size_t)comm->size, sizeof *cut, "the ranks' parts of the traces");
    size_t *offset = memory_new((size_t)comm->size + 1, sizeof *offset, "the ranks' parts of the traces");
    Status status = comm_agree(comm, cut == NULL || offset == NULL ? STATUS_MEMORY : STATUS_OK);
    void *all = NULL;
    size_t bytes = 0;
    if (status == STATUS_OK) status = find_cuts(comm, *trace, *n, cut);
    if (status == STATUS_OK) {
        find_offsets(comm, *trace, *n, cut, offset);
        status = comm_exchange(comm, *trace, offset, &all, &bytes);
    }
    if (status == STATUS_OK) {
        memory_free(*trace);
        *trace = all;
        *n = (int64_t)(bytes / sizeof **trace);
        sort_traces(*trace, *n);
    }
    memory_free(cut);
    memory_free(offset);
    return status;
}
