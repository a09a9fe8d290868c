/* Strips and corners of a level set. */
#include "shared_private.h"

#include <string.h>

/* The first of the two rows of the unbounded plane of layer d that a stack for layer d + 1 has behind the edge zone of
 * window line `line`: low sides look right behind the zone, high sides right before it. */
static int64_t behind(const Shared *s, int side, int64_t d, int64_t line)
{
    return line + (side == LOW ? 0 : s->code - 2 * (d + 1));
}

/* The rows of a stack for layer d, from column `first` on; the layer before has its strip in `before`. */
static void list_stack(Shared *s, int way, int side, int64_t d, int64_t line, int64_t first, const float *before)
{
    int64_t e = d - 1, stride = s->stride[way], rows = 2 * d + 2;
    const float *plane = s->unbounded[way][e] + behind(s, side, e, line) * stride + first;
    for (int64_t c = 0; c < shared_channels_in(&s->decode[way][d]); c++, plane += s->plane[way]) {
        const float **list = s->rows + c * rows, **outside = list + (side == LOW ? 0 : rows - 2);
        const float **inside = list + (side == LOW ? rows - 2 : 0);
        for (int64_t u = 0; u < 2; u++) {
            outside[u] = NULL;
            inside[u] = plane + u * stride;
        }
        for (int64_t a = 0; a < 2 * e; a++) list[2 + a] = before + (c * 2 * e + a) * stride + first;
    }
}

/* Column strips are asked for by windows side by side: in `flank` columns of the box go fastest, and what a corner
 * reads of a row lies together. COLUMN_SLOTS strips at a time go over, since single values would each touch a cache
 * line of their own. */
static void keep_flanks(Shared *s, const LevelSet *set, int64_t column, int64_t columns)
{
    int64_t stride = s->stride[COLUMNS];
    for (int side = 0; side < SIDES; side++)
        for (int64_t d = 1; d < s->levels; d++) {
            int64_t lines = s->channels[d] * 2 * d, n = set->rows - 1 + s->code - 2 * d;
            InterleaveShape shape = {.lines = lines,
                                     .n = n,
                                     .sides = columns,
                                     .in_line = stride,
                                     .in_stride = lines * stride,
                                     .out_line = s->flank_stride,
                                     .out_stride = lines * s->flank_stride};
            s->vector->interleave(&shape, s->strip[side][d], s->flank[side][d] + column);
        }
}

/* Adds the last layer's strip to the tile: each place as often as windows of the line have it in their middle. */
static void add_strip(Shared *s, int way, int side, int64_t line, uint32_t mask, int64_t first, int64_t n,
                      const float *strip)
{
    int64_t edge = 2 * s->levels, width = s->size - 2 * edge;
    float count[LEVELSET_SIZE + VECTOR_COLUMNS_MAX];
    int32_t covering = 0;
    for (int64_t x = 0; x < n; x++) {
        if (first + x < LEVELSET_SIZE) covering += window_at(mask, first + x);
        if (x >= width) covering -= window_at(mask, first + x - width);
        count[x] = (float)covering;
    }
    int64_t start = line + (side == LOW ? 0 : s->size - edge);
    for (int64_t a = 0; a < edge; a++) {
        float *to = s->tile[way] + (start + a) * s->stride[way] + edge + first;
        const float *from = strip + a * s->stride[way] + first;
        for (int64_t x = 0; x < n; x++) to[x] += count[x] * from[x];
    }
}

static void strips(Shared *s, int way, int64_t line, uint32_t mask)
{
    int64_t first = __builtin_ctz(mask), last = 31 - __builtin_clz(mask), stride = s->stride[way];
    int64_t slot = line % (way == ROWS ? SLOTS : COLUMN_SLOTS);
    for (int side = 0; side < SIDES; side++) {
        const float *before = NULL;
        for (int64_t d = 1; d <= s->levels; d++) {
            PlaneConv conv = s->decode[way][d];
            float *out = d < s->levels ? s->strip[side][d] + slot * s->channels[d] * 2 * d * stride : s->line;
            conv.rows = 2 * d;
            conv.cols = last - first + s->code - 2 * d;
            shared_skip(s, way, d, line + (side == LOW ? 0 : s->code), first + 2 * d, &conv);
            list_stack(s, way, side, d, line, first, before);
            s->vector->plane_conv(&conv, s->rows, out + first, 2 * d * stride, stride);
            before = out;
        }
        add_strip(s, way, side, line, mask, first, last - first + s->code - 2 * s->levels, s->line);
    }
}

/* lanes / RUN runs of windows: row of the box, first column. Where there are fewer, the first stands in again. */
typedef struct {
    int64_t row[RUNS_MAX], column[RUNS_MAX];
    float live[VECTOR_LANES_MAX] __attribute__((aligned(64))); /* 1 where the lane's window is in the set, else 0 */
    int64_t n;
} Runs;

/* Fills the parts of the stack for layer d that lie behind an edge; the corner's own part has been written by layer
 * d - 1. */
static void fill_stack(const Shared *s, const Runs *runs, int row_side, int column_side, int64_t d, float *stack)
{
    int64_t side = 2 * d + 2, lanes = s->vector->lanes, e = d - 1, stride = s->stride[ROWS];
    int64_t flank_row = s->channels[e] * 2 * e * s->flank_stride;
    int64_t row_at = row_side == LOW ? 2 * d : 0, column_at = column_side == LOW ? 2 * d : 0; /* where BEHIND starts */
    const float *plane[RUNS_MAX], *strip[RUNS_MAX], *flank[RUNS_MAX];
    for (int64_t i = 0; i < lanes / RUN; i++) {
        int64_t row = behind(s, row_side, e, runs->row[i]), column = behind(s, column_side, e, runs->column[i]);
        plane[i] = s->unbounded[ROWS][e] + row * stride + column;
        if (e == 0) continue;
        strip[i] = s->strip[row_side][e] + runs->row[i] % SLOTS * s->channels[e] * 2 * e * stride + column;
        flank[i] = s->flank[column_side][e] + row * flank_row + runs->column[i];
    }
    int64_t channels = shared_channels_in(&s->decode[ROWS][d]), square = side * side;
    s->vector->lay_runs(&(RunsShape){channels, 2, 2, s->plane[ROWS], stride, 1, square, side}, plane,
                        stack + (row_at * side + column_at) * lanes);
    if (e == 0) return;
    s->vector->lay_runs(&(RunsShape){channels, 2 * e, 2, 2 * e * stride, stride, 1, square, side}, strip,
                        stack + (2 * side + column_at) * lanes);
    s->vector->lay_runs(
        &(RunsShape){channels, 2, 2 * e, 2 * e * s->flank_stride, flank_row, s->flank_stride, square, side}, flank,
        stack + (row_at * side + 2) * lanes);
}

/* What the skip of layer d adds. */
static void fill_skip(const Shared *s, const Runs *runs, int row_side, int column_side, int64_t d, PlaneConv *conv)
{
    const float *from[RUNS_MAX];
    for (int64_t i = 0; i < s->vector->lanes / RUN; i++)
        from[i] = s->encoder[ROWS][s->levels - d] + (runs->row[i] + (row_side == LOW ? 0 : s->code)) * s->stride[ROWS] +
                  runs->column[i] + (column_side == LOW ? 0 : s->code);
    s->vector->lay_runs(
        &(RunsShape){s->channels[d], 2 * d, 2 * d, s->plane[ROWS], s->stride[ROWS], 1, 4 * d * d, 2 * d}, from,
        s->added);
    conv->add = s->added;
    conv->add_plane = 4 * d * d * s->vector->lanes;
    conv->add_stride = 2 * d * s->vector->lanes;
}

static void add_corner(Shared *s, const Runs *runs, int row_side, int column_side)
{
    int64_t edge = 2 * s->levels, high = s->size - edge;
    float *to[RUNS_MAX];
    for (int64_t i = 0; i < s->vector->lanes / RUN; i++)
        to[i] = s->tile[ROWS] + (runs->row[i] + (row_side == LOW ? 0 : high)) * s->stride[ROWS] + runs->column[i] +
                (column_side == LOW ? 0 : high);
    s->vector->add_runs(edge, edge, runs->live, s->corner, s->stride[ROWS], to);
}

static void corners_of(Shared *s, const Runs *runs)
{
    int64_t lanes = s->vector->lanes, L = s->levels;
    for (int row_side = 0; row_side < SIDES; row_side++)
        for (int column_side = 0; column_side < SIDES; column_side++) {
            for (int64_t d = 1; d <= L; d++) {
                float *stack = s->stack[d & 1];
                fill_stack(s, runs, row_side, column_side, d, stack);
                /* into the middle of the next layer's stack, whose squares are 2 d + 4 wide */
                int64_t wide = d < L ? 2 * d + 4 : 2 * d;
                float *out = d < L ? s->stack[(d + 1) & 1] + (2 * wide + 2) * lanes : s->corner;
                PlaneConv conv = s->decode[ROWS][d];
                conv.rows = conv.cols = 2 * d;
                if (s->skip && d < L) fill_skip(s, runs, row_side, column_side, d, &conv);
                s->vector->stack_conv(&conv, row_side == HIGH, column_side == HIGH, stack, out, wide * wide, wide);
            }
            add_corner(s, runs, row_side, column_side);
        }
}

/* The next run, the first of what is left of a row's mask. */
static void add_run(Runs *runs, int64_t row, uint32_t *mask)
{
    int first = __builtin_ctz(*mask);
    runs->row[runs->n] = row;
    runs->column[runs->n] = first;
    for (int k = 0; k < RUN; k++) runs->live[runs->n * RUN + k] = (float)window_at(*mask >> first, k);
    runs->n++;
    *mask &= ~((uint32_t)0xf << first);
}

static void run_corners(Shared *s, Runs *runs)
{
    for (; runs->n < s->vector->lanes / RUN; runs->n++) {
        runs->row[runs->n] = runs->row[0];
        runs->column[runs->n] = runs->column[0];
        memset(runs->live + runs->n * RUN, 0, RUN * sizeof(float));
    }
    corners_of(s, runs);
    runs->n = 0;
}

static void column_strips(Shared *s, const LevelSet *set)
{
    for (int64_t c = 0; c < set->columns; c++) {
        uint32_t mask = 0;
        for (int64_t r = 0; r < set->rows; r++) mask |= (set->mask[r] >> c & 1) << r;
        if (mask != 0) strips(s, COLUMNS, c, mask);
        int64_t slot = c % COLUMN_SLOTS;
        if (slot == COLUMN_SLOTS - 1 || c == set->columns - 1) keep_flanks(s, set, c - slot, slot + 1);
    }
}

void shared_edges(Shared *s, const LevelSet *set)
{
    column_strips(s, set);
    /* A row's corners follow its strips, which are still near; a run that has to wait for others to fill the lanes
     * waits for RUNS_MAX - 1 more rows at the most. */
    Runs runs = {.n = 0};
    for (int64_t r = 0; r < set->rows; r++) {
        strips(s, ROWS, r, set->mask[r]);
        for (uint32_t mask = set->mask[r]; mask != 0;) {
            add_run(&runs, r, &mask);
            if (runs.n == s->vector->lanes / RUN) run_corners(s, &runs);
        }
    }
    if (runs.n > 0) run_corners(s, &runs);
}
