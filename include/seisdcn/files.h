/* files: paths, folders and whole files: what exists, what may be overwritten, and names that appear only when whole.
 */
#ifndef SEISDCN_FILES_H
#define SEISDCN_FILES_H

#include "seisdcn/status.h"

#include <stdbool.h>
#include <stdint.h>

/* Whether something stands at path. Local. */
bool files_exists(const char *path);

/* Whether path is a folder. Local. */
bool files_is_folder(const char *path);

/* Checks that an output may be written at path: what exists is STATUS_USAGE (remedy: --force) unless force; a missing
 * or unwritable parent folder is STATUS_IO. Local. */
Status files_check_output(const char *path, bool force);

/* Creates folder path (parents must exist; an existing folder is fine). Local. STATUS_IO. */
Status files_make_folder(const char *path);

/* Fails with STATUS_IO where the file system of path has less than `bytes` free. Local. */
Status files_check_space(const char *path, double bytes);

/* Takes the disk blocks of an existing file for its whole length, so that a sparse file cannot meet a full disk later;
 * file systems that cannot reserve are passed over. Local. STATUS_IO where there is too little space. */
Status files_reserve(const char *path);

/* The same from byte `first`, which the file has, to its end. */
Status files_reserve_from(const char *path, int64_t first);

/* The whole file at path as a text with a final zero, to be freed with memory_free(). Local. STATUS_IO, STATUS_MEMORY.
 */
Status files_read_text(const char *path, char **text);

/* The same of a text that a person wrote: also STATUS_CONFIG where it holds a zero byte, behind which nobody would see
 * what stands there. */
Status files_read_whole_text(const char *path, char **text);

/* Reads bytes first .. first + n - 1 of the file at path. Local. STATUS_IO, also where it has fewer. */
Status files_read_bytes(const char *path, int64_t first, int64_t n, void *bytes);

/* The same of a file that is open; path is for the message. Local. STATUS_IO. */
Status files_read_open(int descriptor, const char *path, int64_t first, int64_t n, void *bytes);

/* Whether bytes first .. end - 1 of the file at path are all zero. Local. STATUS_IO. */
Status files_is_zero(const char *path, int64_t first, int64_t end, bool *zero);

/* Writes n bytes at byte first of an open file; path is for the message. Local. STATUS_IO. */
Status files_write_bytes(int descriptor, const char *path, int64_t first, int64_t n, const void *bytes);

/* Writes text at path, which appears under its name only when whole (temporary name, fsync, rename). Local. STATUS_IO.
 */
Status files_write_text(const char *path, const char *text);

/* Gives a finished file its name: fsync of `from`, rename to `to`, fsync of the folder. Local. STATUS_IO. */
Status files_publish(const char *from, const char *to);

/* The names of the entries of a folder that end in `ending` ("" for all; letters of either case; hidden names, which
 * begin with a dot, are left out), in natural order: *names is one block of memory_new() with
 * *n pointers into itself. Local. STATUS_IO, STATUS_MEMORY. */
Status files_list(const char *folder, const char *ending, char ***names, int64_t *n);

#endif
