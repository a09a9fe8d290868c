/* survey_segy: what a survey file keeps of the SEG-Y files that it came from, so that they can be written again:
 *
 * - /segy: attributes byte_order ("big" or "little"), format (the sample format code) and, where samples of 64 bits
 *   were multiplied by it, scale
 * - /segy/text, /segy/binary: uint8 [3200], [400], as in the first file; /segy/extended_text, all between them and its
 *   first trace, and /segy/trailer, all behind its last, where there is any
 * - of several files /segy/file_head: int32 [files], which of the heads that differ a file has, and of these heads
 *   /segy/file_text: uint8 [heads, 3200], /segy/file_binary [heads, 400]; where there are any,
 * /segy/file_extended_text: uint8, all of them one behind the other, and /segy/file_extended_first: int64 [heads + 1],
 * where each begins; so /segy/file_trailer and /segy/file_trailer_first
 * - /segy/file: the files' names; /segy/first_trace: int64 [files + 1], the number of each one's first trace
 * - /trace/segy_header: uint8 [n_traces, 240]; /trace/segy_extra [n_traces, 240 k]: the k additional headers of rev 2
 * - /trace/segy_position: int64 [n_traces], the trace's place in its file; /trace/segy_file: int32, which file, where
 *   there are several
 * - /trace/delay_us: float32 [n_traces], when the first sample of the survey's trace was taken; absent where all are 0
 * - /trace/segy_first_sample, /trace/segy_samples: int32 [n_traces], which samples of the survey's trace the file's
 *   trace has, from one on and how many; before and behind stand zeros; absent where every trace has all of them
 *
 * A prediction has them too (survey_copy_headers()). Refused with STATUS_DATA: tables that contradict each other. */
#ifndef SEISDCN_SURVEY_SEGY_H
#define SEISDCN_SURVEY_SEGY_H

#include "seisdcn/comm.h"
#include "seisdcn/h5.h"
#include "seisdcn/sgy_layout.h"
#include "seisdcn/status.h"
#include "seisdcn/survey.h"
#include "seisdcn/survey_dropped.h"

#include <stdbool.h>
#include <stdint.h>

/* What belongs to a trace stands under /trace, or of a trace that was dropped (survey_dropped.h) under /dropped; a
 * trace's number counts among those of the one or the other. */
typedef enum { SURVEY_KEPT, SURVEY_DROPPED } SurveyPart;

/* What of a file is not traces. */
typedef struct {
    int64_t n_head, n_trailer;
    uint8_t *head;    /* [n_head]: text, binary, extended text; the first trace follows */
    uint8_t *trailer; /* [n_trailer] */
} SurveySegyHead;

typedef struct SurveySegy {
    bool big;
    int format, n_extra;
    int64_t n_head, n_trailer; /* of the first file, or the one that survey_segy_choose_head() took */
    uint8_t *head;             /* as in SurveySegyHead */
    uint8_t *trailer;
    int64_t n_heads;       /* of several files, to be laid out: the heads that differ; NULL where they were read back */
    SurveySegyHead *heads; /* [n_heads] */
    int32_t *file_head;    /* [n_files] which of them is a file's */
    int64_t n_files;
    size_t width;
    char *files;    /* [n_files][width] names; NULL where they were read back */
    int64_t *first; /* [n_files + 1], the number of each one's first trace */
    double scale;   /* samples of format 6 were multiplied by it; else 1 */
    bool has_delay; /* to be laid out: a trace begins later or earlier than 0 */
    bool has_spans; /* a file's trace does not have all samples of the survey's */
} SurveySegy;

/* What of traces is neither header nor amplitude, one number a trace; NULL: not there. */
typedef struct {
    const float *offsets;
    const int64_t *positions;
    const int32_t *files;                   /* where there are several */
    const float *delays;                    /* where has_delay */
    const int32_t *first_samples, *samples; /* where has_spans */
} SurveySegyPlaces;

/* Frees it; one of zeros is nothing. Local. */
void survey_segy_free(SurveySegy *segy);

/* Bytes that it takes in a survey of n_traces traces. Pure. */
double survey_segy_bytes(const SurveySegy *segy, int64_t n_traces);

/* Makes all of it in a file that rank 0 lays out (survey_create() calls it): what belongs to the traces, and
 * /trace/offset, is to be written afterwards. Local. STATUS_IO. */
Status survey_segy_lay_out(const H5File *file, const SurveySegy *segy, int64_t n_traces, int64_t n_dropped);

/* Writes the places of traces first .. first + n - 1 of the survey. Local. STATUS_IO. */
Status survey_segy_write_places(const Survey *survey, SurveyPart part, int64_t first, int64_t n,
                                const SurveySegyPlaces *places);

/* Writes the headers [n][SGY_HEADER], and extra [n][SGY_HEADER * n_extra] where n_extra > 0, of the same. Local.
 * STATUS_IO. */
Status survey_segy_write_headers(const Survey *survey, SurveyPart part, int64_t first, int64_t n, int n_extra,
                                 const uint8_t *headers, const uint8_t *extra);

/* Reads what belongs to the survey as a whole; a survey that did not come from SEG-Y gives head NULL. Rank 0 reads, all
 * get it, to be freed with survey_segy_free(). Collective. STATUS_IO, STATUS_DATA, STATUS_MEMORY. */
Status survey_segy_read(const Survey *survey, SurveySegy *segy);

/* Headers for a survey that did not come from SEG-Y: rev 1, big-endian, IEEE floats, in the survey's order of traces.
 * To be freed with survey_segy_free(). Local. STATUS_DATA where there are more samples than SEG-Y can tell;
 * STATUS_MEMORY. */
Status survey_segy_new(const Survey *survey, const SurveyDropped *dropped, SurveySegy *segy);

/* The header of trace t of ensemble e, as it came, of such a survey; an offset of NaN is unknown; is_dead: the trace
 * was dropped. Pure. */
void survey_segy_new_header(const Survey *survey, const SurveyDropped *dropped, int64_t e, int64_t t, float offset,
                            bool is_dead, uint8_t header[SGY_HEADER]);

/* Reads the headers of traces first .. first + n - 1 of the survey, as survey_segy_write_headers() takes them. Local.
 * STATUS_IO. */
Status survey_segy_read_headers(const Survey *survey, SurveyPart part, int64_t first, int64_t n, int n_extra,
                                uint8_t *headers, uint8_t *extra);

/* Reads the places of traces first .. first + n - 1 in the row of all files, one behind the other. files [n] is for
 * working in. Local. STATUS_IO; STATUS_DATA where a place is not in its file. */
Status survey_segy_read_places(const Survey *survey, const SurveySegy *segy, SurveyPart part, int64_t first, int64_t n,
                               int64_t *places, int32_t *files);

/* Reads which samples of traces first .. first + n - 1 of the survey their files have: all, where nothing else is told.
 * Local. STATUS_IO; STATUS_DATA where they are not there. */
Status survey_segy_read_spans(const Survey *survey, const SurveySegy *segy, SurveyPart part, int64_t first, int64_t n,
                              int32_t *first_samples, int32_t *samples);

/* Adds the head of the next file, which becomes segy's own, to those to be laid out, unless one of them is like it.
 * Local. STATUS_MEMORY. */
Status survey_segy_add_head(SurveySegy *segy, int64_t file, SurveySegyHead *head);

/* Bytes of the heads to be laid out. Pure. */
double survey_segy_heads_bytes(const SurveySegy *segy);

/* Writes them (survey_segy_lay_out() calls it). Local. STATUS_IO. */
Status survey_segy_write_heads(const H5File *file, const SurveySegy *segy);

/* Makes the head of the first of the wanted files [n_files] segy's. *own: the survey has the files' own heads; those
 * that earlier versions made have the first file's alone. *several: other wanted files have other ones. Collective;
 * head and trailer are rank 0's then. STATUS_IO, STATUS_DATA, STATUS_MEMORY. */
Status survey_segy_choose_head(const Survey *survey, SurveySegy *segy, const uint8_t *wanted, bool *own, bool *several);

#endif
