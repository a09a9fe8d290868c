/* index_private: what the files of the index map share. */
#ifndef SEISDCN_INDEX_PRIVATE_H
#define SEISDCN_INDEX_PRIVATE_H

#include "seisdcn/h5.h"
#include "seisdcn/index_map.h"

/* The name of a split's dataset ("/train"). Pure. */
void index_dataset_name(IndexSplit split, char name[16]);

/* Deals patches [n_ensembles], n_patches in all, to the splits by the map's rule and places: its counts; inlines as
 * index_build() takes them. Local: rank 0's work. STATUS_CONFIG where nothing is left to train on, STATUS_MEMORY. */
Status index_deal_patches(IndexMap *map, const int64_t *patches, int64_t n_patches, const int32_t *inlines);

/* Reads and checks the rows of an explicit map into map, whose rule, folds and counts (zeros) are there, and puts them
 * in canonical order. Local: rank 0's work. STATUS_DATA, STATUS_IO, STATUS_MEMORY. */
Status index_read_rows(const H5File *file, IndexMap *map);

#endif
