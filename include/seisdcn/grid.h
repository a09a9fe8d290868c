/* grid: the combinations that a sweep tries, out of a YAML file: keys of the configuration, each with a list of values,
 *
 *   network.width: [4, 8]                      or     network: {width: [4, 8]}
 *   train.learning_rate: [0.001, 0.0003]              train: {learning_rate: [0.001, 0.0003]}
 *
 * and every value of one with every value of the others. The first key changes slowest. A key that is unknown, stands
 * twice, or has no list; a value that the key cannot have, or that stands twice: STATUS_CONFIG with file, line and
 * key. */
#ifndef SEISDCN_GRID_H
#define SEISDCN_GRID_H

#include "seisdcn/config.h"
#include "seisdcn/status.h"

#include <stddef.h>
#include <stdint.h>

enum { GRID_COMBINATIONS_MAX = 100000 };

typedef struct {
    ConfigKey key;
    size_t line; /* of the key in the file */
    int64_t n;
    Config *value; /* [n], of which only this key counts */
} GridAxis;

typedef struct {
    int64_t n; /* combinations: the product over the axes; 1 where there is none */
    int n_axes;
    GridAxis axis[CONFIG_KEYS];
} Grid;

/* Reads a grid; `name` is the file's name for messages. To be freed with grid_free(), also after a failure. Local.
 * STATUS_CONFIG, STATUS_MEMORY. */
Status grid_parse(const char *text, const char *name, Grid *grid);

/* Frees a grid; one of zeros is nothing. Local. */
void grid_free(Grid *grid);

/* The axis of a key, NULL where the grid does not have it. Pure. */
const GridAxis *grid_find(const Grid *grid, ConfigKey key);

/* Gives config the values of combination i, 0 <= i < n, which are marked as set. Pure. */
void grid_take(const Grid *grid, int64_t i, Config *config);

/* Writes what tells combination i from the others, "width=8_learning_rate=0.001", into text (size bytes) and returns
 * its length, as snprintf does. Local. */
size_t grid_name(const Grid *grid, int64_t i, char *text, size_t size);

#endif
