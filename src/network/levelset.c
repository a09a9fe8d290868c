#include "seisdcn/levelset.h"

#include <string.h>

void levelset_take(float *scale, int64_t rows, int64_t columns, int64_t stride, int64_t row, int64_t column,
                   LevelSet *set)
{
    /* columns base .. base + 62 can be reached: 31 to either side of the first window */
    int64_t base = column - (LEVELSET_SIZE - 1), low = column, high = column;
    float wanted = scale[row * stride + column];
    uint64_t found[LEVELSET_SIZE];
    int64_t n_rows = 0;
    set->n = 0;
    for (int64_t r = 0; r < LEVELSET_SIZE && row + r < rows; r++) {
        float *line = scale + (row + r) * stride;
        uint64_t bits = 0;
        /* the box may still move: to the right as far as `low` allows, then to the left as far as `high` does */
        for (int64_t c = low; c < low + LEVELSET_SIZE && c < columns; c++)
            if (line[c] == wanted) {
                bits |= (uint64_t)1 << (c - base);
                if (c > high) high = c;
            }
        for (int64_t c = low - 1; c > high - LEVELSET_SIZE && c >= 0; c--)
            if (line[c] == wanted) {
                bits |= (uint64_t)1 << (c - base);
                low = c;
            }
        if (bits == 0) break;
        found[n_rows++] = bits;
        for (uint64_t rest = bits; rest != 0; rest &= rest - 1) line[base + __builtin_ctzll(rest)] = 0;
        set->n += __builtin_popcountll(bits);
    }
    memset(set->mask, 0, sizeof set->mask);
    for (int64_t r = 0; r < n_rows; r++) set->mask[r] = (uint32_t)(found[r] >> (low - base));
    set->row = row;
    set->column = low;
    set->rows = n_rows;
    set->columns = high - low + 1;
    set->scale = wanted;
}
