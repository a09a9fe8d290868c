/* checksum: XXH3_64bits (the xxHash library), the one checksum of every file. */
#ifndef SEISDCN_CHECKSUM_H
#define SEISDCN_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/* The XXH3_64bits of `bytes` bytes; data are hashed as they lie in memory (little-endian machines). Pure. */
uint64_t checksum_bytes(const void *data, size_t bytes);

#endif
