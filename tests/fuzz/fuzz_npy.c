/* A .npy file: its header, and its gathers. */
#include "fuzz.h"

#include "seisdcn/npy.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    NpyHeader header;
    const char *path = fuzz_file("input.npy", data, size);
    if (fuzz_status(npy_read_header(path, &header)) != STATUS_OK) return 0;
    int64_t n = header.n_dims == 3 ? header.dims[0] : 1;
    int64_t count = header.dims[header.n_dims - 2] * header.dims[header.n_dims - 1];
    FUZZ_CHECK(n > 0 && count > 0 && n * count <= (int64_t)size);
    float *amplitude = malloc((size_t)count * sizeof *amplitude);
    FUZZ_CHECK(amplitude != NULL);
    for (int64_t g = 0; g<n; g += n> 1 ? n - 1 : 1) /* the first and the last */
        for (int transpose = 0; transpose < 2; transpose++)
            FUZZ_CHECK(fuzz_status(npy_read_gather(path, &header, g, transpose == 1, amplitude, NULL)) == STATUS_OK);
    free(amplitude);
    return 0;
}
