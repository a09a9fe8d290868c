/* Strips and corners of a level set. */
#include "shared_private.h"

#include <string.h>

/* The row of the unbounded plane that window line `line` meets as the u-th (0, 1) of the two behind its edge zone of
 * layer d, in a stack for layer d + 1: low sides look right behind the zone, high sides right before it. */
static int64_t behind(const Shared *s, int side, int64_t d, int64_t line, int64_t u)
{
    return line + u + (side == LOW ? 0 : s->code - 2 * (d + 1));
}

/* What line p, 0 .. 2 d + 1, of a stack for layer d is. */
typedef enum { OUTSIDE, EDGE, BEHIND } StackKind;

static StackKind stack_kind(int side, int64_t d, int64_t p, int64_t *number)
{
    bool first = p < 2, last = p >= 2 * d;
    *number = first ? p : last ? p - 2 * d : p - 2;
    if (!first && !last) return EDGE;
    return first == (side == LOW) ? OUTSIDE : BEHIND;
}

static void list_stack(Shared *s, int way, int side, int64_t d, int64_t line, int64_t first, const float *before)
{
    int64_t at = 0, number;
    for (int64_t c = 0; c < s->channels[d - 1]; c++)
        for (int64_t p = 0; p < 2 * d + 2; p++) {
            const float *row = NULL;
            switch (stack_kind(side, d, p, &number)) {
            case OUTSIDE:
                break;
            case EDGE:
                row = before + (c * 2 * (d - 1) + number) * s->stride + first;
                break;
            case BEHIND:
                row =
                    s->unbounded[way][d - 1] + c * s->plane + behind(s, side, d - 1, line, number) * s->stride + first;
                break;
            }
            s->rows[at++] = row;
        }
}

/* Column strips are asked for by windows side by side: in `flank` columns of the box go fastest. Four strips at a time
 * go over, since single values would each touch a cache line of their own. */
static void keep_flanks(Shared *s, const LevelSet *set, int64_t column)
{
    int64_t rows = LEVELSET_SIZE - 1 + s->size;
    for (int side = 0; side < SIDES; side++)
        for (int64_t d = 1; d < s->levels; d++) {
            int64_t lines = s->channels[d] * 2 * d, n = set->rows - 1 + s->code - 2 * d;
            const float *strip = s->strip[side][d]; /* free: row strips come later */
            for (int64_t i = 0; i < lines; i++)
                s->vector->interleave(n, lines * s->stride, strip + i * s->stride, s->flank_stride,
                                      s->flank[side][d] + i * rows * s->flank_stride + column);
        }
}

/* Adds the last layer's strip to the tile: each place as often as windows of the line have it in their middle. */
static void add_strip(Shared *s, int way, int side, int64_t line, uint32_t mask, int64_t first, int64_t n,
                      const float *strip)
{
    int64_t edge = 2 * s->levels, width = s->size - 2 * edge;
    float count[VECTOR_COLUMNS_MAX];
    int32_t covering = 0;
    for (int64_t x = 0; x < n; x++) {
        if (first + x < LEVELSET_SIZE) covering += window_at(mask, first + x);
        if (x >= width) covering -= window_at(mask, first + x - width);
        count[x] = (float)covering;
    }
    int64_t start = line + (side == LOW ? 0 : s->size - edge);
    for (int64_t a = 0; a < edge; a++) {
        float *to = s->tile[way] + (start + a) * s->stride + edge + first;
        const float *from = strip + a * s->stride + first;
        for (int64_t x = 0; x < n; x++) to[x] += count[x] * from[x];
    }
}

static void strips(Shared *s, int way, int64_t line, uint32_t mask)
{
    int64_t first = __builtin_ctz(mask), last = 31 - __builtin_clz(mask);
    for (int side = 0; side < SIDES; side++) {
        const float *before = NULL;
        for (int64_t d = 1; d <= s->levels; d++) {
            const ConvShape *shape = &s->network->layer[s->levels + d - 1].conv;
            int64_t n = last - first + s->code - 2 * d;
            float *out = s->line[d & 1];
            int64_t slot = way == ROWS ? line : line % FLANKS;
            if (d < s->levels) out = s->strip[side][d] + slot * s->channels[d] * 2 * d * s->stride;
            PlaneConv conv = {shape->groups, shape->small_channels, shape->big_channels, 2 * d, n, s->weight[way][d],
                              s->bias[d]};
            list_stack(s, way, side, d, line, first, before);
            s->vector->plane_conv(&conv, s->rows, out + first, 2 * d * s->stride, s->stride);
            before = out;
        }
        /* the last layer has one channel for each of the input's; the prediction is the first */
        add_strip(s, way, side, line, mask, first, last - first + s->code - 2 * s->levels, before);
    }
}

void shared_strips(Shared *s, const LevelSet *set)
{
    for (int64_t c = 0; c < set->columns; c++) {
        uint32_t mask = 0;
        for (int64_t r = 0; r < set->rows; r++) mask |= (set->mask[r] >> c & 1) << r;
        if (mask != 0) strips(s, COLUMNS, c, mask);
        if (c % FLANKS == FLANKS - 1 || c == set->columns - 1) keep_flanks(s, set, c / FLANKS * FLANKS);
    }
    for (int64_t r = 0; r < set->rows; r++) strips(s, ROWS, r, set->mask[r]);
}

/* Up to lanes / RUN runs of windows: row of the box, first column, which of the RUN are in the set. */
enum { RUNS_MAX = VECTOR_LANES_MAX / RUN };

typedef struct {
    int64_t row[RUNS_MAX], column[RUNS_MAX];
    uint32_t live[RUNS_MAX];
    int64_t n;
} Runs;

/* One position of a stack in all lanes: base[i] + offset is where run i's first window finds it. */
static inline void put_runs(int64_t n, const float *const base[RUNS_MAX], int64_t offset, float *to)
{
    for (int64_t i = 0; i < n; i++) memcpy(to + i * RUN, base[i] + offset, RUN * sizeof(float));
}

/* Fills the parts of the stack for layer d that lie behind an edge; the corner's own part has been written by layer
 * d - 1, and what is outside the window stays zero. */
static void fill_stack(const Shared *s, const Runs *runs, int row_side, int column_side, int64_t d, float *stack)
{
    int64_t side = 2 * d + 2, lanes = s->vector->lanes, n = runs->n, e = d - 1,
            plane_rows = LEVELSET_SIZE - 1 + s->size;
    int64_t row_at = row_side == LOW ? 2 * d : 0, column_at = column_side == LOW ? 2 * d : 0; /* where BEHIND starts */
    const float *plane[RUNS_MAX], *strip[RUNS_MAX], *flank[RUNS_MAX];
    for (int64_t i = 0; i < n; i++) {
        int64_t row = behind(s, row_side, e, runs->row[i], 0), column = behind(s, column_side, e, runs->column[i], 0);
        plane[i] = s->unbounded[ROWS][e] + row * s->stride + column;
        strip[i] = e == 0 ? NULL : s->strip[row_side][e] + runs->row[i] * s->channels[e] * 2 * e * s->stride + column;
        flank[i] = e == 0 ? NULL : s->flank[column_side][e] + row * s->flank_stride + runs->column[i];
    }
    for (int64_t c = 0; c < s->channels[e]; c++) {
        float *square = stack + c * side * side * lanes;
        for (int64_t u = 0; u < 2; u++)
            for (int64_t v = 0; v < 2; v++)
                put_runs(n, plane, c * s->plane + u * s->stride + v,
                         square + ((row_at + u) * side + column_at + v) * lanes);
        for (int64_t a = 0; a < 2 * e; a++)
            for (int64_t u = 0; u < 2; u++) {
                put_runs(n, strip, (c * 2 * e + a) * s->stride + u, square + ((2 + a) * side + column_at + u) * lanes);
                put_runs(n, flank, ((c * 2 * e + a) * plane_rows + u) * s->flank_stride,
                         square + ((row_at + u) * side + 2 + a) * lanes);
            }
    }
}

static void add_corner(Shared *s, const Runs *runs, int row_side, int column_side)
{
    int64_t edge = 2 * s->levels, lanes = s->vector->lanes, high = s->size - edge;
    for (int64_t i = 0; i < runs->n; i++) {
        float live[RUN];
        for (int k = 0; k < RUN; k++) live[k] = (float)window_at(runs->live[i], k);
        float *to = s->tile[ROWS] + (runs->row[i] + (row_side == LOW ? 0 : high)) * s->stride + runs->column[i] +
                    (column_side == LOW ? 0 : high);
        const float *from = s->corner + i * RUN;
        for (int64_t a = 0; a < edge; a++, to += s->stride)
            for (int64_t b = 0; b < edge; b++, from += lanes)
                for (int k = 0; k < RUN; k++) to[b + k] += live[k] * from[k];
    }
}

static void corners_of(Shared *s, const Runs *runs)
{
    int64_t lanes = s->vector->lanes, L = s->levels;
    for (int row_side = 0; row_side < SIDES; row_side++)
        for (int column_side = 0; column_side < SIDES; column_side++) {
            for (int64_t d = 1; d <= L; d++) {
                const ConvShape *shape = &s->network->layer[L + d - 1].conv;
                float *stack = s->stack[row_side][column_side][d];
                PlaneConv conv = {shape->groups, shape->small_channels, shape->big_channels, 2 * d,
                                  2 * d,         s->weight[ROWS][d],    s->bias[d]};
                fill_stack(s, runs, row_side, column_side, d, stack);
                /* into the middle of the next layer's stack, whose squares are 2 d + 4 wide */
                int64_t wide = d < L ? 2 * d + 4 : 2 * d;
                float *out = d < L ? s->stack[row_side][column_side][d + 1] + (2 * wide + 2) * lanes : s->corner;
                s->vector->stack_conv(&conv, row_side == HIGH, column_side == HIGH, stack, out, wide * wide, wide);
            }
            add_corner(s, runs, row_side, column_side);
        }
}

void shared_corners(Shared *s, const LevelSet *set)
{
    int64_t most = s->vector->lanes / RUN;
    Runs runs = {.n = 0};
    for (int64_t r = 0; r < set->rows; r++)
        for (uint32_t mask = set->mask[r]; mask != 0;) {
            int first = __builtin_ctz(mask);
            runs.row[runs.n] = r;
            runs.column[runs.n] = first;
            runs.live[runs.n++] = mask >> first & 0xf;
            mask &= ~((uint32_t)0xf << first);
            if (runs.n == most) {
                corners_of(s, &runs);
                runs.n = 0;
            }
        }
    if (runs.n > 0) corners_of(s, &runs);
}
