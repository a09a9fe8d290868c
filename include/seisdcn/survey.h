/* survey: the survey file (format "seisdcn-survey", see the contract of files in the README): gathers of any fold, one
 * after the other, each with its position, source and checksum. A prediction is a survey file too.
 *
 * The tables are whole in every rank's memory (about 40 bytes an ensemble); amplitudes are read and written gather by
 * gather, independently. A position that a file of version 1 does not know (-1 there) is POSITION_UNKNOWN in memory, as
 * in the files of version 2, the only ones that are made. Refused with STATUS_DATA: files of another kind or version,
 * cut short, or whose tables contradict each other (first_trace must rise from 0 to n_traces, the arrays must fit
 * them). */
#ifndef SEISDCN_SURVEY_H
#define SEISDCN_SURVEY_H

#include "seisdcn/comm.h"
#include "seisdcn/h5.h"
#include "seisdcn/position.h"
#include "seisdcn/status.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    SURVEY_VERSION = 2, /* of the files that are written; those of version 1 are read too */
    SURVEY_SOURCE_MAX = 256,
    SURVEY_ATTRIBUTES_MAX = 64,
    SURVEY_NAME_MAX = 64,
    SURVEY_DATASET_MAX = SURVEY_NAME_MAX + 32,
    SURVEY_CHANNELS_TEXT = SURVEY_ATTRIBUTES_MAX * (SURVEY_NAME_MAX + 24)
};

typedef struct {
    char name[SURVEY_NAME_MAX]; /* NAME of /attribute/NAME */
    bool shared_scale;          /* scale = "shared" (default) or "none" */
    /* of those that seisdcn computed (survey_add.h) */
    bool has_checksums;       /* /attribute_checksum/NAME holds one for each gather */
    uint64_t *checksums;      /* [n_ensembles] these, NULL where there are none */
    uint64_t checksum;        /* XXH3_64bits over these; 0: unknown */
    uint64_t survey_checksum; /* the root's of the survey, of whose amplitudes it was made; 0: unknown */
} SurveyAttribute;

typedef struct {
    int64_t n_ensembles, n_traces, n_samples;
    double interval_us;            /* 0 where unknown */
    uint64_t checksum;             /* the root's */
    int64_t *first_trace;          /* [n_ensembles + 1] */
    int32_t *inlines, *crosslines; /* [n_ensembles], POSITION_UNKNOWN where unknown */
    int32_t *lines;                /* [n_ensembles] the 2D line, where several were put together; NULL else */
    float *starts_us;    /* [n_ensembles] time of the first sample (/trace/delay_us), NaN where the traces of the
                            gather differ; NULL: 0 everywhere */
    uint64_t *checksums; /* [n_ensembles], 0 where a gather has none */
    bool trusted;        /* gathers are not compared with their checksums as they are read */
    uint8_t *done;       /* [n_ensembles], NULL where the file has none */
    int n_attributes;
    SurveyAttribute attribute[SURVEY_ATTRIBUTES_MAX]; /* channel c is attribute[c - 1]: in alphabetical order, until
                                                         survey_take_channels() */
    char *history;                                    /* of the file, "" where none */
    char *path;
    H5File file; /* parallel, open */
    Comm comm;
} Survey;

/* Opens path for reading (or for writing gathers, writable = true) on all ranks: rank 0 reads and checks the tables,
 * all get them, then all open the file with MPI-IO. Collective. STATUS_IO, STATUS_DATA, STATUS_MEMORY. */
Status survey_open(const Comm *comm, const char *path, bool writable, Survey *survey);

/* Whether surveys that are opened from now on are trusted: their gathers are then read without a look at their
 * checksums
 * (--trust). To be called alike on all ranks. */
void survey_trust(bool trust);

/* Closes the file and frees the tables. Collective. A survey of zeros or one that failed to open is nothing. */
Status survey_close(Survey *survey);

/* Traces of ensemble e. Pure. */
int64_t survey_fold(const Survey *survey, int64_t e);

/* The largest fold. Pure. */
int64_t survey_max_fold(const Survey *survey);

/* The time of ensemble e's first sample in microseconds; NaN where its traces begin at different ones. Pure. */
double survey_start_us(const Survey *survey, int64_t e);

/* How ensemble e is called in messages: "gather #7 (inline 1300, crossline 1400)"; text holds 96 bytes. Pure. */
char *survey_ensemble_name(const Survey *survey, int64_t e, char *text);

/* The place of the first value of values [n] that is NaN or infinite, -1 where all are finite. Pure. */
int64_t survey_first_not_finite(const float *values, int64_t n);

/* The dataset of channel c, at most n_attributes: "/amplitude" or "/attribute/NAME"; text holds SURVEY_DATASET_MAX
 * bytes. Pure. */
char *survey_channel_name(const Survey *survey, int64_t c, char *text);

/* The checksums of the gathers of channel c, which has them: "/attribute_checksum/NAME"; text as above. Pure. */
char *survey_checksums_name(const Survey *survey, int64_t c, char *text);

/* What the first n_channels channels are, "amplitude, envelope (scale shared)", into text [SURVEY_CHANNELS_TEXT]. Pure.
 */
char *survey_describe_channels(const Survey *survey, int64_t n_channels, char *text);

/* Makes those the first channels that `wanted` describes (survey_describe_channels()), in its order, whatever else the
 * survey holds. Pure but for the message, alike on all ranks. STATUS_DATA where it lacks one, or scales it otherwise.
 */
Status survey_take_channels(Survey *survey, const char *wanted);

/* A checksum of what the first n_channels channels hold besides the amplitudes: their names, scales, and checksums
 * where they have them; 0 for the amplitudes alone. Pure. */
uint64_t survey_channels_checksum(const Survey *survey, int64_t n_channels);

/* Checks what has just been read as channel c's values [fold(e)][n_samples] of ensemble e: against the stored checksum,
 * where it has one (gathers of an unfinished prediction have none, nor has a user's own attribute) and the survey is
 * not trusted; and that they are finite. Local. STATUS_DATA with the gather, and with trace and sample. */
Status survey_check_values(const Survey *survey, int64_t e, int64_t c, const float *values);

/* Reads channels 0 .. n_channels-1 of ensemble e into amplitude [n_channels][fold(e)][n_samples] (channel 0 the
 * amplitude, then the attributes), and checks them by survey_check_values(). Local. STATUS_IO, STATUS_DATA. */
Status survey_read_gather(const Survey *survey, int64_t e, int64_t n_channels, float *amplitude);

/* Reads the offsets of ensemble e's traces, as in their headers and in the headers' unit, into offsets [fold(e)]; NaN
 * where a trace's is unknown, or the file has none at all. Local. STATUS_IO; STATUS_DATA where /trace/offset does not
 * fit the survey. */
Status survey_read_offsets(const Survey *survey, int64_t e, float *offsets);

/* Writes ensemble e's amplitude [fold(e)][n_samples], then its checksum, then its done flag where the file has one.
 * Local. STATUS_IO. */
Status survey_write_gather(Survey *survey, int64_t e, const float *amplitude);

/* Whether ensemble e lies elsewhere in other than in survey: its 2D line, or its position, where both know them. Pure.
 */
bool survey_moved(const Survey *survey, const Survey *other, int64_t e);

/* Checks that other holds the same gathers as survey (their number, traces, samples, positions where both know them),
 * and that a prediction was made from it (the checksum that it names). Local. STATUS_DATA says what differs. */
Status survey_check_pair(const Survey *survey, const Survey *other);

struct SurveySegy;    /* survey_segy.h */
struct SurveyDropped; /* survey_dropped.h */

/* What survey_create() needs: the tables are the caller's (rank 0 uses them, other ranks may leave them NULL). */
typedef struct {
    int64_t n_ensembles, n_samples;
    double interval_us;
    const int64_t *first_trace;          /* [n_ensembles + 1] */
    const int32_t *inlines, *crosslines; /* [n_ensembles], POSITION_UNKNOWN where unknown */
    const int32_t *lines;                /* [n_ensembles] the 2D line; NULL: one, no table */
    const char *sources;                 /* [n_ensembles][source_width] zero-padded UTF-8; NULL: no table */
    size_t source_width;                 /* 0: SURVEY_SOURCE_MAX */
    const int32_t *keys;                 /* [n_ensembles] what made a gather of SEG-Y traces; NULL: their positions */
    const float *float_keys;       /* [n_ensembles] these in place of keys, where the field is a float; NULL: not */
    const char *key_field;         /* the field of the keys, as "cdp (byte 21)" */
    const float *offsets;          /* [n_traces], NULL: all NaN; with segy they are to be written later */
    const struct SurveySegy *segy; /* what came from SEG-Y files; NULL: nothing */
    const struct SurveyDropped *dropped; /* traces that were left out; NULL: none */
    const char *history;                 /* the lines of the history attribute */
    bool with_done;                      /* make /ensemble/done (zeros) */
    bool sparse;                         /* most gathers stay unwritten: reserve no disk blocks */
    const char *headers_from; /* a survey file of the same gathers whose headers are copied (/ensemble/source, /trace,
                                 /segy, /dropped, sample interval), for predictions; NULL: none */
    Status (*add)(const H5File *file, void *context); /* writes what else is to stand there; NULL: nothing */
    void *context;
} SurveyPlan;

/* Creates path with all tables and room for the amplitudes, and opens it on all ranks for survey_write_gather(). What
 * stands at path is replaced, and only by a file whose metadata is whole: until then it grows as path.new, so that a
 * kill at any moment leaves a readable file or none. Space is checked first. Collective. STATUS_IO, STATUS_DATA (from
 * headers_from), STATUS_MEMORY. */
Status survey_create(const Comm *comm, const char *path, const SurveyPlan *plan, Survey *survey);

/* After every gather is written: closes the file on all ranks; rank 0 reads the ensembles' checksums and writes the
 * root's. The tables stay until survey_close(). Collective. */
Status survey_finish(Survey *survey);

/* About how many bytes a prediction of `survey` takes as a file: its amplitudes, tables and what is copied with them.
 * Local: rank 0's. STATUS_IO, STATUS_DATA. */
Status survey_predicted_bytes(const Survey *survey, int64_t *bytes);

/* Reads ensemble e's amplitude and compares its checksum, also where the survey is trusted: STATUS_DATA names the
 * gather. Local. */
Status survey_verify_gather(const Survey *survey, int64_t e);

/* The same of channel c > 0, which has checksums. Local. STATUS_DATA names the gather. */
Status survey_verify_channel(const Survey *survey, int64_t c, int64_t e);

/* A history line for an output: what made it, in one line of YAML-like text: command, inputs with checksums, program,
 * HDF5 and MPI versions; earlier lines stand above. No wall clock, no rank count. To be freed with memory_free().
 * Local; NULL with a STATUS_MEMORY message. */
char *survey_history(const char *earlier, const char *command);

#endif
