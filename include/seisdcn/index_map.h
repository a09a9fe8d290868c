/* index_map: the patch index map: integer -> (ensemble, first trace, first sample), split in train, valid and test.
 *
 * A patch stands at 0 <= trace <= fold - P, 0 <= sample <= n_samples - P on a grid of `stride`; patches are ordered by
 * ensemble, trace, sample. A survey has too many of them for a list, so the map is implicit: rank 0 holds, for each
 * ensemble, how many rows each split has there, and sends each rank its share of them as pieces. Where split.by =
 * patch, a keyed permutation of each ensemble's patches (random_permute()) says which belong to which split: the first
 * n_test positions to test, the next n_valid to valid, the rest to train. A map can also be explicit: a list of rows.
 * Gathers of one position (survey_places.h) lie on one side of every split. Dealt whole, they go together. Where
 * split.by = patch, all of them have the permutation of the first of them and the counts of each other, so that a
 * patch lies in one split in all; where they differ in their patches, or have dead ones left out, all train.
 * With patch.min_live dead patches are left out, and the numbers of an ensemble's patches are those of its live ones
 * (index_live.h); ensembles without any are dealt to no split.
 *
 * The canonical order of a split's rows: by ensemble; within it, for split.by = patch by position in the permutation,
 * else by trace and sample. A share is a run of the canonical order. An explicit map that says that it was made by that
 * rule has the same canonical order as the implicit one, so training from either gives the same bits. */
#ifndef SEISDCN_INDEX_MAP_H
#define SEISDCN_INDEX_MAP_H

#include "seisdcn/comm.h"
#include "seisdcn/config.h"
#include "seisdcn/index_live.h"
#include "seisdcn/index_rule.h"
#include "seisdcn/status.h"
#include "seisdcn/survey.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum { INDEX_TRAIN, INDEX_VALID, INDEX_TEST, INDEX_SPLITS } IndexSplit;

typedef struct {
    int64_t ensemble, trace, sample;
} IndexRow;

/* The whole map; on rank 0 only (elsewhere all zero but rule, total, is_explicit and live). */
typedef struct {
    IndexRule rule;
    int64_t n_ensembles, n_samples;
    int64_t *fold;                /* [n_ensembles] */
    int64_t *count[INDEX_SPLITS]; /* [n_ensembles] rows of each split */
    int64_t total[INDEX_SPLITS];  /* sums of the above */
    int64_t n_short;              /* ensembles with fewer traces or samples than a patch */
    int64_t *place;               /* [n_ensembles] the first gather at each one's position; NULL: each its own */
    int64_t n_repeats;            /* gathers at the position of an earlier one */
    int64_t n_kept;               /* split.by = patch: gathers that train whole since those of their position differ */
    int64_t n_dead;               /* others without a live patch, where rule.min_live asks for them */
    IndexLive live;               /* implicit, with rule.min_live: of the rank's even share of the ensembles */
    bool is_explicit;
    bool rule_known;   /* the file's rule says how an explicit map was made */
    bool survey_known; /* the file names its survey's checksum */
    uint64_t survey_checksum;
    IndexRow *rows[INDEX_SPLITS]; /* explicit: in canonical order, [total] */
    IndexRow *train_as_given;     /* explicit: /train in the file's order, [total[INDEX_TRAIN]] */
} IndexMap;

/* The file's and the log's name of a split: "train", "valid", "test". Pure. */
const char *index_split_name(IndexSplit split);

/* The split of a name, -1 where there is none. Pure. */
int index_split_of(const char *name);

/* Deals the patches of a survey (first_trace [n_ensembles + 1], inlines [n_ensembles]; places [n_ensembles] the first
 * gather at each one's position, NULL: each its own; live [n_ensembles] has each ensemble's live patches, NULL: all
 * are) to the splits by rule. Local: rank 0's work. STATUS_DATA where no gather holds a patch, or none that is live,
 * STATUS_CONFIG where nothing is left to train on, STATUS_MEMORY. */
Status index_build(const IndexRule *rule, int64_t n_ensembles, int64_t n_samples, const int64_t *first_trace,
                   const int32_t *inlines, const int64_t *places, const int64_t *live, IndexMap *map);

/* Frees a map; one of zeros is nothing. Local. */
void index_free(IndexMap *map);

/* Builds the map of a survey on rank 0: from the file at path, or (path NULL) by the rule of config. All ranks get
 * rule, total, n_samples and is_explicit. Patch and split keys of config take the file's values, where it has them; a
 * key set explicitly to another value is STATUS_CONFIG. Collective. STATUS_DATA: no map file, a map for another survey,
 * a row outside its gather; and what index_build() says. */
Status index_load(const Comm *comm, const Survey *survey, const char *path, Config *config, IndexMap *map);

/* A checksum over what an explicit map gives to training: its rows to train (in the file's order) and to validate on; 0
 * for an implicit map, which its rule and the survey determine. Local: rank 0's. */
uint64_t index_rows_checksum(const IndexMap *map);

/* Says on the log what the map holds: the counts, and the gathers too small for a patch. Local: rank 0's. */
void index_report(const IndexMap *map);

/* Writes the map as path (under just this name; the caller publishes it); with materialize = true also its rows, each
 * rank those of its ensembles. Collective. STATUS_IO (also where the disk cannot hold the rows), STATUS_MEMORY. */
Status index_write(const Comm *comm, const IndexMap *map, const Survey *survey, const char *history, bool materialize,
                   const char *path);

/* The ensemble whose permutation the patches of ensemble e have: the first at its position. Pure. */
int64_t index_key(const IndexMap *map, int64_t e);

/* The number, among the patches of an ensemble that are dealt at all, of row j (in canonical order) of a split of an
 * implicit map; key is index_key() of the ensemble. Pure. */
int64_t index_number(const IndexRule *rule, IndexSplit split, int64_t key, const int64_t count[INDEX_SPLITS],
                     int64_t j);

/* Fills number [count[split]] with those of all rows of a split, rising. Local. STATUS_MEMORY. */
Status index_numbers(const IndexRule *rule, IndexSplit split, int64_t key, const int64_t count[INDEX_SPLITS],
                     int64_t *number);

/* The row of an ensemble's patch, numbered among all of them. Pure. */
IndexRow index_patch_row(const IndexRule *rule, int64_t ensemble, int64_t n_samples, int64_t patch);

/* A part of an ensemble's rows of one split. */
typedef struct {
    int64_t ensemble, fold;
    int64_t key;                 /* index_key() of the ensemble */
    int64_t count[INDEX_SPLITS]; /* of the whole ensemble */
    int64_t from, n;             /* rows from .. from + n - 1 of the ensemble's canonical list */
    int64_t first;               /* number of the piece's first row in the share */
} IndexPiece;

/* What one rank holds of one split: rows [first, first + n_rows) of the canonical order. */
typedef struct {
    IndexRule rule;
    IndexSplit split;
    int64_t n_samples, first, n_rows, n_pieces;
    IndexPiece *piece;
    IndexRow *rows; /* explicit: [n_rows]; NULL: implicit */
    IndexLive live; /* of the pieces' ensembles, where the map has it */
} IndexShare;

/* Where in the canonical order a cut begins to look: zeros for its start. */
typedef struct {
    int64_t ensemble, row; /* an ensemble, and the number of its first row */
} IndexPlace;

/* Cuts rows [from, to) of a split out of the whole map; *place moves on to where the next run can begin, so that runs
 * one behind the other take one pass over the ensembles together. Local: rank 0's work. STATUS_MEMORY; not for a map
 * with min_live, whose bits lie on other ranks (STATUS_BUG). */
Status index_cut(const IndexMap *map, IndexSplit split, int64_t from, int64_t to, IndexPlace *place, IndexShare *share);

/* Rank 0 cuts rows [cut[r], cut[r + 1]) of a split out of its map for each rank r and sends them: what index_cut()
 * gives; cut [size + 1] is rank 0's, rises, and ends may overlap nowhere. Collective. STATUS_MEMORY. */
Status index_scatter(const Comm *comm, const IndexMap *map, IndexSplit split, const int64_t *cut, IndexShare *share);

/* The same with every rank given all rows (cut 0 .. total on each). Collective. */
Status index_scatter_whole(const Comm *comm, const IndexMap *map, IndexSplit split, IndexShare *share);

/* About the most that a rank will hold of a split's live bits while index_scatter() cuts it evenly, in bytes: those of
 * its share, and what it sends to others; 0 without min_live. Collective. */
size_t index_share_live_bytes(const Comm *comm, const IndexMap *map, IndexSplit split);

/* Even cuts: cut[r] = total * r / size. Pure. */
void index_even_cuts(int64_t total, int size, int64_t *cut);

/* The piece that holds row i of the share, 0 <= i < n_rows. Pure; O(log n_pieces). */
int64_t index_share_piece(const IndexShare *share, int64_t i);

/* Row i of the share. Pure. */
IndexRow index_share_row(const IndexShare *share, int64_t i);

/* Fills rows with all rows that the ensemble of the share's piece p has in the split, [count of the split], sorted by
 * trace and sample. Implicit maps only. Local. STATUS_MEMORY. */
Status index_share_sorted(const IndexShare *share, int64_t p, IndexRow *rows);

void index_share_free(IndexShare *share);

#endif
