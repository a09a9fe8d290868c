/* The values of a field, in a set by hash that gives up counting at a bound. */
#include "sgy_scan_private.h"

#include "seisdcn/memory.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 32 };

static int32_t *find(const SgyValueSet *set, int32_t value)
{
    uint32_t at = (uint32_t)value * 0x9e3779b1u;
    for (at ^= at >> 15;; at++) {
        int32_t *place = &set->value[at & (uint32_t)(set->room - 1)];
        if (*place == 0 || *place == value) return place;
    }
}

static Status grow(SgyValueSet *set)
{
    SgyValueSet other = *set;
    other.room = set->room == 0 ? FIRST_ROOM : 2 * set->room;
    other.value = memory_new((size_t)other.room, sizeof *other.value, "the values of the trace headers");
    if (other.value == NULL) return STATUS_MEMORY;
    for (int64_t i = 0; i < set->room; i++)
        if (set->value[i] != 0) *find(&other, set->value[i]) = set->value[i];
    memory_free(set->value);
    *set = other;
    return STATUS_OK;
}

Status sgy_values_add(SgyValueSet *set, int32_t value)
{
    if (value == 0) set->has_zero = true;
    if (value == 0 || value == set->last || set->overflown) return STATUS_OK;
    set->last = value;
    if (2 * set->n >= set->room) {
        Status status = grow(set);
        if (status != STATUS_OK) return status;
    }
    int32_t *place = find(set, value);
    set->n += *place == 0;
    *place = value;
    set->overflown = set->n > SGY_SCAN_VALUES;
    return STATUS_OK;
}

static int compare(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return x < y ? -1 : x > y;
}

Status sgy_values_count(const Comm *comm, const SgyValueSet *set, int64_t *n)
{
    int64_t facts[2] = {set->overflown, set->has_zero};
    comm_max(comm, facts, 2);
    *n = -1;
    if (facts[0]) return STATUS_OK;
    int32_t *mine = memory_new((size_t)set->n, sizeof *mine, "the values of the trace headers");
    Status status = comm_agree(comm, mine == NULL ? STATUS_MEMORY : STATUS_OK);
    if (status != STATUS_OK) return status;
    int64_t filled = 0, total = set->n, distinct = facts[1];
    for (int64_t i = 0; i < set->room; i++)
        if (set->value[i] != 0) mine[filled++] = set->value[i];
    void *all;
    status = comm_gather(comm, mine, (size_t)filled * sizeof *mine, &all, NULL);
    memory_free(mine);
    if (status != STATUS_OK) return status;
    comm_sum(comm, &total, 1);
    if (comm->rank == 0) {
        const int32_t *value = all;
        qsort(all, (size_t)total, sizeof *value, compare);
        for (int64_t i = 0; i < total; i++) distinct += i == 0 || value[i] != value[i - 1];
        *n = distinct > SGY_SCAN_VALUES ? -1 : distinct;
    }
    memory_free(all);
    return STATUS_OK;
}

void sgy_values_free(SgyValueSet *set)
{
    memory_free(set->value);
    memset(set, 0, sizeof *set);
}
