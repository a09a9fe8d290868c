/* segy_options: what options say of SEG-Y files, for every command that has them. */
#ifndef SEISDCN_SEGY_OPTIONS_H
#define SEISDCN_SEGY_OPTIONS_H

#include "seisdcn/command.h"
#include "seisdcn/sgy_index.h"
#include "seisdcn/sgy_layout.h"

/* What is said of the layout of files; each command has a table of its own, with its own help. */
typedef struct {
    const char *endian;
    int64_t format, samples;
    bool salvage, ignore_layout;
} SegyOptions;

/* --endian, --format, --samples, --salvage and --ignore-layout. Local. STATUS_USAGE. */
Status segy_options_force(const SegyOptions *said, SgyForce *force);

/* --offset-byte, into offset, offset_automatic and from_coordinates. Local. STATUS_USAGE. */
Status segy_options_offset(const char *offset, SgyRule *rule);

#endif
