/* Private to info*.c. */
#ifndef SEISDCN_INFO_PRIVATE_H
#define SEISDCN_INFO_PRIVATE_H

#include "segy_options.h"

#include "seisdcn/command.h"
#include "seisdcn/h5.h"
#include "seisdcn/status.h"
#include "seisdcn/survey.h"

/* What the options say; their tables tell what each means. */
typedef struct {
    SegyFileOptions files;
    bool verify;
    int64_t traces;
    const char *offset_byte;
} InfoOptions;

/* Those of a job of this command. Pure. */
static inline const InfoOptions *info_options(const Job *job) { return job->options; }

/* A line of the listing. Local. */
void info_line(const char *label, const char *text);

/* Whether info takes the path for SEG-Y: by its name, or as a folder. Local. */
bool info_is_segy(const char *path);

/* Info of the job's SEG-Y files. Collective. STATUS_USAGE, STATUS_IO, STATUS_DATA, STATUS_MEMORY. */
Status info_segy(const Job *job);

/* The gathers of an open map by split, in ranges as --ensembles takes them; where whole inlines were dealt, these too.
 * Local: rank 0's. STATUS_DATA, STATUS_MEMORY. */
Status info_map_gathers(const H5File *file);

/* Reads every gather, and every attribute that has checksums, and says so at the end. Collective. STATUS_DATA names
 * what does not match; STATUS_IO, STATUS_MEMORY. */
Status info_verify_survey(const Survey *survey);

#endif
