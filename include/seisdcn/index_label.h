/* index_label: to which splits each gather's patches were dealt: the sum of its splits' bits, 1 train, 2 valid, 4 test;
 * 0 where it has no patches. A map keeps it as /ensemble/split, so that a script, or `info`, need not deal anew. */
#ifndef SEISDCN_INDEX_LABEL_H
#define SEISDCN_INDEX_LABEL_H

#include "seisdcn/comm.h"
#include "seisdcn/config.h"
#include "seisdcn/h5.h"
#include "seisdcn/index_deal.h"
#include "seisdcn/index_map.h"
#include "seisdcn/status.h"
#include "seisdcn/survey.h"

#include <stdint.h>

enum { INDEX_LABELS = 1 << INDEX_SPLITS, INDEX_LABEL_TEXT = 32 };

/* The bit of a split. Pure. */
uint8_t index_label_bit(IndexSplit split);

/* What a label says: "test", "train, valid, test", "no patches"; text holds INDEX_LABEL_TEXT bytes. Pure. */
char *index_label_text(uint8_t label, char *text);

/* The label of each gather of a map, labels [n_ensembles]. Local: rank 0's. */
void index_labels(const IndexMap *map, uint8_t *labels);

/* Writes them into the map's file as /ensemble/split, and beside it the positions of a survey of one line. Local: rank
 * 0's. STATUS_IO, STATUS_MEMORY. */
Status index_labels_put(const H5File *file, const IndexMap *map, const Survey *survey);

/* Compares the /ensemble/split of the implicit map at path, where it has one, with what its rule gives. Local: rank
 * 0's. STATUS_DATA where they differ: another version of the program may have dealt otherwise. */
Status index_labels_check(const char *path, const IndexMap *map);

/* Reads the labels that an open map file gives: from its rows, where it has them (gathers behind the last one that is
 * named are not known of then), else /ensemble/split; *labels [*n], to be freed with memory_free(), NULL where it has
 * neither. Local. STATUS_DATA, STATUS_MEMORY. */
Status index_labels_get(const H5File *file, uint8_t **labels, int64_t *n);

/* The gathers of one split: those of which no patch is dealt to another. */
typedef struct {
    IndexDeal deal; /* on rank 0 */
    int64_t n;      /* how many there are; none where patches are dealt by themselves (split.by=patch) */
    int64_t mixed;  /* others that have patches of the split */
} IndexSelection;

/* Finds the gathers of a split by the map at path or (NULL) by config's rule: selected [n_ensembles] becomes 1 for
 * each, 0 for the others, on all ranks. Config as in index_load(). Collective. What index_load() says. */
Status index_select(const Comm *comm, const Survey *survey, const char *path, Config *config, IndexSplit split,
                    uint8_t *selected, IndexSelection *selection);

/* Why a selection is empty: "" where it is not, else "its split is by patch ..."; owner ("the map m.h5", "the model
 * m.h5") begins the message. Pure but for the message. STATUS_DATA. */
Status index_selection_check(const IndexSelection *selection, IndexSplit split, const char *owner);

#endif
