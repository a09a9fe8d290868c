/* Rows of an implicit map by themselves, without a share. */
#ifndef TESTS_INDEX_ROWS_H
#define TESTS_INDEX_ROWS_H

#include "seisdcn/index_map.h"
#include "seisdcn/memory.h"

/* Row j of a split in an ensemble, all of whose patches are dealt. */
static inline IndexRow index_row(const IndexRule *rule, IndexSplit split, int64_t ensemble, int64_t n_samples,
                                 const int64_t count[INDEX_SPLITS], int64_t j)
{
    return index_patch_row(rule, ensemble, n_samples, index_number(rule, split, ensemble, count, j));
}

/* All of them, sorted. */
static inline Status index_sorted_rows(const IndexRule *rule, IndexSplit split, int64_t ensemble, int64_t n_samples,
                                       const int64_t count[INDEX_SPLITS], IndexRow *rows)
{
    int64_t *number = memory_new((size_t)count[split], sizeof *number, "numbers");
    Status status = number == NULL ? STATUS_MEMORY : index_numbers(rule, split, ensemble, count, number);
    for (int64_t j = 0; status == STATUS_OK && j < count[split]; j++)
        rows[j] = index_patch_row(rule, ensemble, n_samples, number[j]);
    memory_free(number);
    return status;
}

#endif
