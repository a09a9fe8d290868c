/* A sweep's grid. */
#include "fuzz.h"

#include "seisdcn/grid.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Grid grid = {0};
    char *text = fuzz_text(data, size);
    if (fuzz_status(grid_parse(text, "input.yaml", &grid)) == STATUS_OK) {
        FUZZ_CHECK(grid.n >= 1 && grid.n <= GRID_COMBINATIONS_MAX);
        int64_t asked[] = {0, grid.n / 2, grid.n - 1};
        for (int i = 0; i < 3; i++) {
            Config config;
            char name[64];
            config_defaults(&config);
            grid_take(&grid, asked[i], &config);
            size_t length = grid_name(&grid, asked[i], name, sizeof name);
            FUZZ_CHECK(strlen(name) == (length < sizeof name ? length : sizeof name - 1));
        }
    }
    grid_free(&grid);
    free(text);
    return 0;
}
