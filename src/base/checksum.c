#include "seisdcn/checksum.h"

#include "seisdcn/fault.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the files' checksums are of little-endian numbers");

uint64_t checksum_bytes(const void *data, size_t bytes) { return XXH3_64bits(data, bytes); }

/* Feeds the rest of file to the sum; false where a read fails. */
static bool add_rest(FILE *file, XXH3_state_t *state, int64_t *bytes)
{
    char piece[16384];
    size_t n;
    *bytes = 0;
    if (fault_strikes(FAULT_READ)) return false;
    while ((n = fread(piece, 1, sizeof piece, file)) > 0) {
        (void)XXH3_64bits_update(state, piece, n); /* fails only for a NULL */
        *bytes += (int64_t)n;
    }
    return ferror(file) == 0;
}

Status checksum_file(const char *path, int64_t from, uint64_t *checksum, int64_t *bytes)
{
    XXH3_state_t *state = fault_strikes(FAULT_MEMORY) ? NULL : XXH3_createState();
    if (state == NULL) return status_fail(STATUS_MEMORY, "out of memory: the checksum of %s", path);
    FILE *file = fault_strikes(FAULT_OPEN) ? NULL : fopen(path, "rb");
    (void)XXH3_64bits_reset(state);
    bool good = file != NULL && fseeko(file, (off_t)from, SEEK_SET) == 0 && add_rest(file, state, bytes);
    Status status = good ? STATUS_OK : status_fail(STATUS_IO, "%s: cannot be read: %s", path, strerror(errno));
    if (good) *checksum = XXH3_64bits_digest(state);
    if (file != NULL) fclose(file);
    XXH3_freeState(state);
    return status;
}
