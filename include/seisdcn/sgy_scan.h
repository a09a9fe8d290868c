/* sgy_scan: what stands in the trace headers of SEG-Y files, counted by all ranks side by side, each over its own
 * traces; the result is the same for any number of ranks.
 *
 * Memory is bounded, whatever the files' size. Of each candidate for the gathers (sgy_judge.h) the pairs of gather and
 * offset are counted, up to SGY_SCAN_PAIRS of them exactly; beyond that whole gathers are drawn by a hash of their
 * numbers, one in 2, 4, 8 ..., and the number of gathers is an estimate. The values of a field are counted up to
 * SGY_SCAN_VALUES. At most about 45 MB a rank, twice that for several files, and 15 MB where
 * the values of all fields are counted; a few kB for small files. */
#ifndef SEISDCN_SGY_SCAN_H
#define SEISDCN_SGY_SCAN_H

#include "seisdcn/comm.h"
#include "seisdcn/sgy_field.h"
#include "seisdcn/sgy_files.h"
#include "seisdcn/sgy_judge.h"
#include "seisdcn/status.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    SGY_SCAN_PAIRS = 1 << 16,
    SGY_SCAN_VALUES = 10000,
    SGY_SCAN_FIELDS = 96,
    SGY_SCAN_RUNS = 64,
    SGY_TABLE_TEXT = 1600
};

/* What of the headers is to be counted. */
typedef struct {
    bool candidates; /* for the gathers */
    bool apart;      /* these also for each file by itself: where there are several */
    bool fields;     /* the values of every field */
    SgyField offset;
    bool coordinates; /* where the offset is 0, the distance of source and receiver stands for it */
} SgyScanPlan;

/* The offsets, and what may stand for them; codes (sgy_field.h). */
typedef struct {
    int32_t low, high;
    int64_t n_words, n_floats;           /* not 0; of these, like the bits of floats */
    int32_t distance_low, distance_high; /* of source and receiver, as codes of floats */
    bool has_source, has_receiver;       /* a coordinate that is not 0 */
    bool has_angles;                     /* coordinates are angles, not lengths */
} SgyOffsets;

/* The values of one field of all headers. */
typedef struct {
    SgyField field;
    int32_t low, high;
    int64_t n_values; /* -1: more than SGY_SCAN_VALUES */
} SgyValues;

typedef struct SgyScan SgyScan;

typedef struct {
    int64_t n_traces;
    SgyTally tally[SGY_CANDIDATES];
    SgyOffsets offsets;
    int64_t delay_low, delay_high; /* ns (sgy_span.h) */
    int n_fields;
    SgyValues values[SGY_SCAN_FIELDS]; /* on rank 0 */
} SgyFound;

/* Begins a scan, to be freed with sgy_scan_free(). Local; NULL with a STATUS_MEMORY message. */
SgyScan *sgy_scan_new(const SgyScanPlan *plan);

/* Frees it; NULL is nothing. Local. */
void sgy_scan_free(SgyScan *scan);

/* Counts a trace's header; extra is its first additional one, or NULL; file tells several files apart. Local.
 * STATUS_MEMORY. */
Status sgy_scan_take(SgyScan *scan, const uint8_t header[SGY_HEADER], const uint8_t *extra, bool big, int32_t file);

/* Puts together what all ranks counted, on all ranks. Collective. STATUS_MEMORY. */
Status sgy_scan_finish(const Comm *comm, SgyScan *scan, SgyFound *found);

/* Scans the files: all traces, or `wanted` of them (0: all) in SGY_SCAN_RUNS runs spread evenly over them. Collective.
 * STATUS_IO, STATUS_MEMORY. */
Status sgy_scan_files(const Comm *comm, SgyFiles *files, const SgyScanPlan *plan, int64_t wanted, SgyFound *found);

/* Which trace of `total` is the i-th of those `wanted`. Pure. */
int64_t sgy_scan_pick(int64_t i, int64_t wanted, int64_t total);

/* What the candidates are judged by. Pure. */
SgyEvidence sgy_evidence(const SgyFound *found, const SgyLayout *layout);

/* The candidates that are worth a look as a table, the best one first, its lines indented by two; text holds
 * SGY_TABLE_TEXT bytes. Pure. */
char *sgy_candidates_table(const SgyFound *found, const SgyEvidence *evidence, char *text);

/* Whether the offsets are to be computed from the coordinates: none is in the headers, but both points are. Pure. */
bool sgy_offsets_from_coordinates(const SgyOffsets *offsets);

/* Whether most offsets look like the bits of floats. Pure. */
bool sgy_offsets_look_float(const SgyOffsets *offsets);

/* Whether traces differ in their offset, in the header or computed. Pure. */
bool sgy_offsets_vary(const SgyOffsets *offsets);

/* The distance of source and receiver by a header's coordinates, with their scalar, in the coordinates' unit. Pure. */
float sgy_distance(const uint8_t header[SGY_HEADER], bool big);

#endif
