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

/* Column strips are asked for by windows side by side: columns of the box go fastest in `flank`. */
static void keep_flank(Shared *s, int side, int64_t d, int64_t column, int64_t first, int64_t n, const float *strip)
{
    int64_t rows = LEVELSET_SIZE - 1 + s->size;
    for (int64_t i = 0; i < s->channels[d] * 2 * d; i++) {
        float *to = s->flank[side][d] + (i * rows + first) * s->flank_stride + column;
        const float *from = strip + i * s->stride + first;
        for (int64_t y = 0; y < n; y++) to[y * s->flank_stride] = from[y];
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

void shared_strips(Shared *s, const LevelSet *set, int way, int64_t line, uint32_t mask)
{
    (void)set;
    int64_t first = __builtin_ctz(mask), last = 31 - __builtin_clz(mask);
    for (int side = 0; side < SIDES; side++) {
        const float *before = NULL;
        for (int64_t d = 1; d <= s->levels; d++) {
            const ConvShape *shape = &s->network->layer[s->levels + d - 1].conv;
            int64_t n = last - first + s->code - 2 * d;
            float *out = s->line[d & 1];
            if (way == ROWS && d < s->levels) out = s->strip[side][d] + line * s->channels[d] * 2 * d * s->stride;
            PlaneConv conv = {shape->groups, shape->small_channels, shape->big_channels, 2 * d, n, s->weight[way][d],
                              s->bias[d]};
            list_stack(s, way, side, d, line, first, before);
            s->vector->plane_conv(&conv, s->rows, out + first, 2 * d * s->stride, s->stride);
            if (way == COLUMNS && d < s->levels) keep_flank(s, side, d, line, first, n, out);
            before = out;
        }
        /* the last layer has one channel for each of the input's; the prediction is the first */
        add_strip(s, way, side, line, mask, first, last - first + s->code - 2 * s->levels, before);
    }
}

/* Up to lanes / RUN runs of windows: row of the box, first column, which of the RUN are in the set. */
typedef struct {
    int64_t row[VECTOR_LANES_MAX / RUN], column[VECTOR_LANES_MAX / RUN];
    uint32_t live[VECTOR_LANES_MAX / RUN];
    int64_t n;
} Runs;

/* One position of the stack in all lanes: from[i] is where run i's first window finds it. */
static inline void put_runs(int64_t n, const float *const from[], float *to)
{
    for (int64_t i = 0; i < n; i++) memcpy(to + i * RUN, from[i], RUN * sizeof(float));
}

static void fill_stack(Shared *s, const Runs *runs, int row_side, int column_side, int64_t d, const float *before)
{
    int64_t edge = 2 * d + 2, lanes = s->vector->lanes, n = runs->n, e = d - 1,
            plane_rows = LEVELSET_SIZE - 1 + s->size;
    for (int64_t c = 0; c < s->channels[e]; c++)
        for (int64_t p = 0; p < edge; p++) {
            int64_t row_number, column_number;
            StackKind row_kind = stack_kind(row_side, d, p, &row_number);
            for (int64_t q = 0; q < edge; q++) {
                float *to = s->stack + ((c * edge + p) * edge + q) * lanes;
                StackKind column_kind = stack_kind(column_side, d, q, &column_number);
                const float *from[VECTOR_LANES_MAX / RUN];
                if (row_kind == OUTSIDE || column_kind == OUTSIDE) {
                    memset(to, 0, (size_t)lanes * sizeof *to);
                    continue;
                }
                if (row_kind == EDGE && column_kind == EDGE) {
                    memcpy(to, before + ((c * 2 * e + row_number) * 2 * e + column_number) * lanes,
                           (size_t)lanes * sizeof *to);
                    continue;
                }
                for (int64_t i = 0; i < n; i++) {
                    int64_t row = behind(s, row_side, e, runs->row[i], row_number);
                    int64_t column = behind(s, column_side, e, runs->column[i], column_number);
                    if (row_kind == EDGE)
                        from[i] = s->strip[row_side][e] +
                                  ((runs->row[i] * s->channels[e] + c) * 2 * e + row_number) * s->stride + column;
                    else if (column_kind == EDGE)
                        from[i] = s->flank[column_side][e] +
                                  ((c * 2 * e + column_number) * plane_rows + row) * s->flank_stride + runs->column[i];
                    else
                        from[i] = s->unbounded[ROWS][e] + c * s->plane + row * s->stride + column;
                }
                put_runs(n, from, to);
            }
        }
}

static void add_corner(Shared *s, const Runs *runs, int row_side, int column_side, const float *corner)
{
    int64_t edge = 2 * s->levels, lanes = s->vector->lanes, high = s->size - edge;
    for (int64_t i = 0; i < runs->n; i++) {
        float live[RUN];
        for (int k = 0; k < RUN; k++) live[k] = (float)window_at(runs->live[i], k);
        for (int64_t a = 0; a < edge; a++) {
            float *to = s->tile[ROWS] + (runs->row[i] + a + (row_side == LOW ? 0 : high)) * s->stride +
                        runs->column[i] + (column_side == LOW ? 0 : high);
            const float *from = corner + a * edge * lanes + i * RUN;
            for (int64_t b = 0; b < edge; b++)
                for (int k = 0; k < RUN; k++) to[b + k] += live[k] * from[b * lanes + k];
        }
    }
}

static void corners_of(Shared *s, const Runs *runs)
{
    for (int row_side = 0; row_side < SIDES; row_side++)
        for (int column_side = 0; column_side < SIDES; column_side++) {
            const float *before = NULL;
            for (int64_t d = 1; d <= s->levels; d++) {
                const ConvShape *shape = &s->network->layer[s->levels + d - 1].conv;
                /* over the stack a transposed convolution is a valid one: its big side is what `contract` calls small
                 */
                ConvShape stack = {shape->groups, shape->small_channels, shape->big_channels, 2 * d, 2 * d};
                ConvFinish finish = {FINISH_TANH, s->bias[d], NULL, NULL};
                fill_stack(s, runs, row_side, column_side, d, before);
                s->vector->contract(&stack, s->weight[ROWS][d], s->stack, s->corner[d & 1], &finish, NULL);
                before = s->corner[d & 1];
            }
            add_corner(s, runs, row_side, column_side, before);
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
