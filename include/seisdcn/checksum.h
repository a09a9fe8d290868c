/* checksum: XXH3_64bits (the xxHash library), the one checksum of every file. */
#ifndef SEISDCN_CHECKSUM_H
#define SEISDCN_CHECKSUM_H

#include "seisdcn/status.h"

#include <stddef.h>
#include <stdint.h>

/* The XXH3_64bits of `bytes` bytes; data are hashed as they lie in memory (little-endian machines). Pure. */
uint64_t checksum_bytes(const void *data, size_t bytes);

/* The XXH3_64bits of the file at path from byte `from` to its end, and how many bytes these are. Local. STATUS_IO,
 * STATUS_MEMORY. */
Status checksum_file(const char *path, int64_t from, uint64_t *checksum, int64_t *bytes);

#endif
