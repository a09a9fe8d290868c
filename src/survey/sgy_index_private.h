/* sgy_index_private: what the files of sgy_index share. */
#ifndef SEISDCN_SGY_INDEX_PRIVATE_H
#define SEISDCN_SGY_INDEX_PRIVATE_H

#include "seisdcn/sgy_index.h"

/* Reads all headers into index->trace, each rank a run of them, by the rule that these make sense of; fills in the
 * rule, the ranges and what the headers tell of the facts. Collective. STATUS_IO, STATUS_DATA, STATUS_MEMORY. */
Status sgy_index_read(const Comm *comm, SgyFiles *files, SgyIndex *index);

/* Sorts the traces that all ranks hold (*trace [*n], from memory_new()): each rank gets a run of the order, whole
 * gathers, in place of what it held. Collective. STATUS_MEMORY. */
Status sgy_index_sort(const Comm *comm, SgyTrace **trace, int64_t *n);

/* Keeps the files' traces, which are sorted, apart where they are of several lines. Collective. STATUS_DATA where
 * nothing tells; STATUS_MEMORY. */
Status sgy_index_part(const Comm *comm, const SgyFiles *files, SgyIndex *index);

/* "inline 3, crossline 22" or "cdp (byte 21) 1010", behind "line 2, " where there are several; text holds 128 bytes.
 * Pure. */
char *sgy_index_gather_name(const SgyIndex *index, const SgyGather *gather, char *text);

/* "trace 12 of line.sgy", counted from 0; text holds 320 bytes. Pure. */
char *sgy_index_trace_name(const SgyFiles *files, int64_t number, char *text);

#endif
