/* Private to the commands: nothing that a command reads is overwritten by what it writes, whatever --force says.
 *
 * The command's table says which options name files that are read or written; its arguments and --config are read. Two
 * paths name one file where device and inode are the same: by whatever path, symbolic or hard link. What a survey or
 * prediction was made of (survey_sources.h) counts as read; where such a file is known by its base name alone, so does
 * a SEG-Y or .npy file of that name. A folder that is read counts with the files that are read from folders. */
#ifndef SEISDCN_OVERWRITE_H
#define SEISDCN_OVERWRITE_H

#include "seisdcn/command.h"

/* Checks all that the command line names. Collective. STATUS_USAGE where an output, or a file that it grows under or
 * that stands beside it, is one that is read, or another output; STATUS_IO, STATUS_DATA, STATUS_MEMORY. */
Status overwrite_check(const Job *job);

/* Checks n more files, which `option` brings about, for commands whose outputs' names depend on what they read. Local:
 * rank 0. The same. */
Status overwrite_check_files(const Job *job, const char *option, int64_t n, char *const *paths);

#endif
