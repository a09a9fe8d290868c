/* segy_options: what options say of SEG-Y files, for every command that has them. */
#ifndef SEISDCN_SEGY_OPTIONS_H
#define SEISDCN_SEGY_OPTIONS_H

#include "seisdcn/command.h"
#include "seisdcn/sgy_index.h"
#include "seisdcn/sgy_layout.h"

/* What is said of which traces make which gather. */
typedef struct {
    const char *group_by, *inline_byte, *crossline_byte, *offset_byte, *sort;
    bool join, lines, ignore_delay;
} SegyGatherOptions;

/* What is said of the layout of files. */
typedef struct {
    const char *endian;
    int64_t format, samples;
    bool salvage, ignore_layout;
} SegyFileOptions;

/* The tables that fill them. */
extern const Option segy_gather_options[], segy_file_options[];

/* --endian, --format, --samples, --salvage and --ignore-layout. Local. STATUS_USAGE. */
Status segy_options_force(const SegyFileOptions *said, SgyForce *force);

/* --offset-byte, into offset, offset_automatic and from_coordinates. Local. STATUS_USAGE. */
Status segy_options_offset(const char *offset, SgyRule *rule);

/* All that the options of gathers say. Local. STATUS_USAGE. */
Status segy_options_rule(const SegyGatherOptions *said, SgyRule *rule);

#endif
