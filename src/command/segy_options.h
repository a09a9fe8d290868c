/* segy_options: what options say of SEG-Y files, for every command that has them. */
#ifndef SEISDCN_SEGY_OPTIONS_H
#define SEISDCN_SEGY_OPTIONS_H

#include "seisdcn/command.h"
#include "seisdcn/sgy_index.h"
#include "seisdcn/sgy_layout.h"

/* --endian and --format. Local. STATUS_USAGE. */
Status segy_options_force(const Job *job, SgyForce *force);

/* --offset-byte, into offset, offset_automatic and from_coordinates. Local. STATUS_USAGE. */
Status segy_options_offset(const Job *job, SgyRule *rule);

/* --group-by, --inline-byte, --crossline-byte, --offset-byte, --join, --lines and --sort. Local. STATUS_USAGE. */
Status segy_options_rule(const Job *job, SgyRule *rule);

#endif
