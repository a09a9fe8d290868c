#include "seisdcn/checksum.h"

#include <xxhash.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the files' checksums are of little-endian numbers");

uint64_t checksum_bytes(const void *data, size_t bytes) { return XXH3_64bits(data, bytes); }
