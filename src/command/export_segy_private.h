/* Private to the export of SEG-Y: what its files share. */
#ifndef SEISDCN_EXPORT_SEGY_PRIVATE_H
#define SEISDCN_EXPORT_SEGY_PRIVATE_H

#include "export_segy.h"

#include "seisdcn/survey_dropped.h"
#include "seisdcn/survey_segy.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    const Job *job;
    const Survey *survey;
    Survey through;        /* whose samples not yet predicted gathers take; closed where none is needed */
    SurveySegy segy;       /* of the survey's files, or made */
    SurveyDropped dropped; /* traces to put back */
    bool made;             /* it did not come from SEG-Y */
    bool own_head;         /* segy's is of a file that these traces came from, */
    bool other_heads;      /* and others of these files have other ones */
    int format;            /* to be written */
    int64_t trace_bytes;
    int64_t *list, n;  /* the ensembles to be written */
    int64_t undone;    /* how many of them are not predicted */
    int64_t n_traces;  /* of them */
    int64_t n_row;     /* traces in the row of the original files */
    uint64_t *present; /* a bit for each trace of the row: it is to be written */
    int64_t *before;   /* [words of present] bits set in the words before */
    int64_t *at;       /* [n_row], where traces differ in length: the byte of each behind the headers; else NULL */
    int64_t bytes;     /* of all traces */
    char *part;        /* the output's name while it grows */
    int descriptor;
    int64_t beyond; /* samples that an integer format could not hold */
    int64_t nans;   /* samples of dropped traces that are NaN, which the format does not know */
} Export;

/* A gather while it is written, sized for the largest: fold traces, those that the survey has and then those that were
 * dropped from it. */
typedef struct {
    float *amplitude;         /* [fold][n_samples] */
    float *offsets;           /* [fold] */
    int64_t *places;          /* [fold] in the row */
    int32_t *first, *samples; /* [fold] those that the trace's file has */
    int32_t *files;           /* [fold] */
    uint8_t *headers, *extra; /* [fold][SGY_HEADER], [fold][SGY_HEADER * n_extra] */
    uint8_t *bytes;           /* [fold][trace_bytes], or less: one behind the other */
} Gather;

/* Room for the largest gather. Local. STATUS_MEMORY. */
Status export_gather_new(const Export *export, Gather *gather);

void export_gather_free(Gather *gather);

/* Traces of ensemble e that are written. Pure. */
int64_t export_fold(const Export *export, int64_t e);

/* Reads the places of ensemble e's traces in the row of the original files (of a survey that did not come from SEG-Y:
 * of its traces as they came), into places. Local. STATUS_IO, STATUS_DATA, STATUS_MEMORY. */
Status export_read_places(const Export *export, int64_t e, Gather *gather);

/* Reads which samples its traces have in their files. Local. STATUS_IO, STATUS_DATA. */
Status export_read_spans(const Export *export, int64_t e, Gather *gather);

/* Reads, or makes, its trace headers, once the places are read. Local. STATUS_IO. */
Status export_read_headers(const Export *export, int64_t e, Gather *gather);

/* Reads its samples, and makes zero what the format has no NaN for. Local. STATUS_IO, STATUS_DATA, STATUS_MEMORY. */
Status export_read_samples(Export *export, int64_t e, Gather *gather);

#endif
