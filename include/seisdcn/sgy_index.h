/* sgy_index: which traces of SEG-Y files make which gather, in any order of the files.
 *
 * All ranks read the trace headers side by side, each a run of them, and sort what they found over the ranks: by the
 * gather's key (inline and crossline, or one field), then by offset where asked, then by place in the files. Gathers of
 * one key in several files become one, unless these are several lines (sgy_lines.h). A rank ends with whole gathers, a
 * run of all; the result is the same for any number of ranks. Memory: 48 bytes a trace (twice that while they are
 * exchanged), shared by the ranks, and 40 a gather on rank 0. */
#ifndef SEISDCN_SGY_INDEX_H
#define SEISDCN_SGY_INDEX_H

#include "seisdcn/comm.h"
#include "seisdcn/position.h"
#include "seisdcn/sgy_field.h"
#include "seisdcn/sgy_files.h"
#include "seisdcn/sgy_judge.h"
#include "seisdcn/sgy_lines.h"
#include "seisdcn/status.h"

#include <stdbool.h>
#include <stdint.h>

enum { SGY_AXIS = 4 };

typedef struct {
    SgyField line, crossline, offset; /* where the headers have them */
    bool by_field;                    /* gathers by group instead of by (line, crossline) */
    SgyField group;
    bool automatic; /* where the headers make no sense of line and crossline, go over to what does (sgy_judge.h) */
    bool
        offset_automatic; /* where offsets are 0 in every trace, compute them from the coordinates if these are there */
    bool from_coordinates; /* the offset is the distance of source and receiver */
    SgyLines lines;        /* whether several files are several lines, where they have gathers of the same numbers */
    bool sort_offset;      /* the traces of a gather by offset, not by their place in the files */
    bool ignore_delay;     /* traces begin at 0, whatever their headers tell */
} SgyRule;

typedef struct {
    int32_t key[2];          /* codes (sgy_field.h) of the group, or line and crossline */
    int32_t order;           /* what its gather is sorted by: the offset, or 0 */
    int32_t offset;          /* a code, see sgy_index_offset() */
    int32_t line, crossline; /* as in the header */
    int32_t survey_line;     /* the number of its 2D line; 0 where files are not kept apart */
    int32_t n_samples;       /* its own, where traces differ in length; else the file's */
    int64_t number;          /* in the row of files */
    int64_t delay;           /* of its first sample, ns (sgy_span.h) */
} SgyTrace;

typedef struct {
    int64_t number; /* of the first of its traces */
    int64_t fold;
    int32_t survey_line; /* as of its traces */
    int32_t key[2];
    int32_t line, crossline; /* POSITION_UNKNOWN each where the headers tell none, or differ */
} SgyGather;

/* What was seen, over all traces; first_... are numbers of traces, -1 where there is none. */
typedef struct {
    int64_t odd_samples, first_odd_samples; /* the header tells another number of samples than the file has */
    int64_t dead;                           /* trace identification code 2 */
    int64_t repeated, first_repeated;       /* gather and offset are those of an earlier trace */
} SgyFacts;

/* Least and largest of what was taken from one file's headers: codes of the key (1 or 2 of them) and the offset. */
typedef struct {
    int32_t key_low[2], key_high[2], offset_low, offset_high;
    bool odd_samples; /* a header tells another number of samples than the file has */
} SgyRange;

/* When the traces begin: sgy_index_align(). */
typedef struct {
    int64_t n_samples;           /* of the common axes: of the longest gather's from its start to its end */
    double interval_us;          /* 0: unknown */
    int64_t low, high;           /* the earliest and latest start of a gather, ns */
    int64_t n_gathers, n_traces; /* gathers whose traces do not begin together, and traces that were shifted in them */
    int64_t most;                /* samples that one was shifted by */
    int64_t shortest, longest;   /* samples of a trace as it came */
    bool padded;                 /* a trace does not fill its axis */
} SgyTimes;

typedef struct {
    SgyRule rule; /* as it was used */
    bool changed; /* it is not the one that was asked for, since that was: */
    SgyVerdict verdict;
    bool has_lines;  /* files are several lines, which are kept apart */
    SgyRange *range; /* [files] */
    int64_t n_traces, n_gathers;
    int64_t first_gather, n_my_gathers;
    int64_t first_trace, n_my_traces; /* in the order of the survey */
    SgyTrace *trace;                  /* [n_my_traces] */
    int64_t *first;                   /* [n_my_gathers + 1], into trace */
    int64_t *start;                   /* [n_my_gathers] when the gather begins, ns */
    SgyTimes times;
    SgyGather *gather; /* [n_gathers] on rank 0, else NULL */
    SgyFacts facts;
} SgyIndex;

/* Reads all headers and finds the gathers. Collective. STATUS_IO, STATUS_MEMORY; STATUS_DATA where no field makes sense
 * (with the candidates as a table), a float is no whole number, or nothing tells whether files are one line or several.
 * On failure nothing is left. */
Status sgy_index_build(const Comm *comm, SgyFiles *files, const SgyRule *rule, SgyIndex *index);

/* Puts the traces of each gather onto a common axis of time, which begins with the first of them: by whole samples. All
 * axes get the length of the longest. Fills in start and times. Collective. STATUS_DATA, with file, gather and trace,
 * where they begin a part of a sample apart, or so far apart that an axis would be longer than SGY_AXIS times the
 * longest trace; STATUS_MEMORY. */
Status sgy_index_align(const Comm *comm, const SgyFiles *files, double interval_us, SgyIndex *index);

/* By how many samples a trace begins behind its gather, which begins at start. Pure. */
int64_t sgy_index_shift(const SgyIndex *index, int64_t start, const SgyTrace *trace);

/* The offset that a trace's code stands for. Pure. */
double sgy_index_offset(const SgyIndex *index, int32_t code);

/* Frees it; one of zeros is nothing. Local. */
void sgy_index_free(SgyIndex *index);

/* Says on the log what was found: how the gathers were made, their folds, and what is missing, repeated or odd. Local:
 * rank 0's. STATUS_MEMORY. */
Status sgy_index_report(const SgyIndex *index, const SgyFiles *files);

#endif
