/* Valid 3 x 3 convolutions over what windows of one scale share (predict.h): over planes of neighbouring positions, a
 * vector being neighbours in a row, and over small stacks in lanes.
 *
 * A block of up to 8 rows of one output channel, mostly one vector wide, stays in registers while the input channels
 * go by, column of taps by column of taps: each load then serves three rows, and only three weights are held at a time,
 * so that neither loads nor registers bind (a column of taps of 8 rows: 24 multiply-adds, 10 loads, 3 broadcasts). That
 * holds for two input channels as well as for 32, so trees and dense groups need no kernels of their own. The low
 * blocks of strips are made wider, since fewer chains than 8 would wait for each other. Then tanh goes over the block.
 */
#include "vector_lanes.h"

#include <stddef.h>

#define INLINE __attribute__((always_inline)) static inline

enum { ROWS_MOST = 8, WIDEST = 4 };

/* Which two input rows of a block are rows of zeros, whose taps are left out. */
typedef enum { NO_ZEROS, ZEROS_FIRST, ZEROS_LAST } Zeros;

/* Up to 8 rows of all output channels. */
typedef struct {
    const PlaneConv *conv;
    const float *const *in; /* of planes: rows of the first channel, from the slab's first on */
    const float *stack;     /* of stacks: the same row */
    int64_t stack_row;      /* floats of it */
    int64_t channel_rows;
    int high_cols;
    float *out;
    int64_t plane, stride;
    const float *add;
} Slab;

/* One output channel of it. */
typedef struct {
    const float *const *in;
    const float *stack;
    int64_t stack_row, channels, channel_rows;
    const float *weight; /* [in][ky][kx] */
    float bias;
    float *out;
    int64_t stride;
} Block;

/* A loaded vector that stays in its register: left to itself, gcc 12 makes the load an operand of each multiply-add. */
#if defined(__AVX512F__)
#define HOLD(value) __asm__("" : "+v"(value))
#elif defined(__SSE2__)
#define HOLD(value) __asm__("" : "+x"(value))
#else
#define HOLD(value) (void)(value)
#endif

INLINE Lanes loose(const float *at) { return *(const LooseLanes *)at; }

/* One column of taps of input channel i; rows, vectors, zeros and stack are constants wherever this is called. */
INLINE void add_column(const Block *b, int64_t i, int64_t kx, int64_t x, int rows, int vectors, Zeros zeros, int stack,
                       Lanes sum[ROWS_MOST][WIDEST])
{
    const float *w = b->weight + i * 9 + kx, *const *in = b->in + i * b->channel_rows;
    const float *square = b->stack + i * b->channel_rows * b->stack_row;
    Lanes w0 = lanes_of(w[0]), w1 = lanes_of(w[3]), w2 = lanes_of(w[6]);
#pragma GCC unroll 10
    for (int p = 0; p < rows + 2; p++) {
        if ((zeros == ZEROS_FIRST && p < 2) || (zeros == ZEROS_LAST && p >= rows)) continue;
        const float *at = stack ? square + p * b->stack_row + x + kx * LANES : in[p] + x + kx;
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++) {
            Lanes value = loose(at + v * LANES);
            HOLD(value);
            if (p >= 2) sum[p - 2][v] += w2 * value;
            if (p >= 1 && p <= rows) sum[p - 1][v] += w1 * value;
            if (p < rows) sum[p][v] += w0 * value;
        }
    }
}

/* `vectors` of all rows from x on, taps [kx0, kx1] (constants for planes). */
INLINE void block(const Block *b, int64_t x, int64_t kx0, int64_t kx1, int rows, int vectors, Zeros zeros, int stack)
{
    Lanes sum[ROWS_MOST][WIDEST];
    for (int y = 0; y < rows; y++)
        for (int v = 0; v < vectors; v++) sum[y][v] = lanes_of(b->bias);
    for (int64_t i = 0; i < b->channels; i++)
        if (stack)
            for (int64_t kx = kx0; kx <= kx1; kx++) add_column(b, i, kx, x, rows, vectors, zeros, 1, sum);
        else
#pragma GCC unroll 3
            for (int64_t kx = 0; kx < 3; kx++) add_column(b, i, kx, x, rows, vectors, zeros, 0, sum);
    float *out = b->out + x;
#pragma GCC unroll 8
    for (int y = 0; y < rows; y++)
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++) *(LooseLanes *)(out + y * b->stride + v * LANES) = sum[y][v];
}

/* Vectors [from, to) in blocks of as equal widths as can be. */
INLINE void row_of_blocks(const Block *b, int64_t from, int64_t to, int rows, Zeros zeros, int stack)
{
    const int most = rows <= 2 ? 4 : rows <= 4 ? 2 : 1;
    for (int64_t left = (to - from + most - 1) / most; left > 0; left--) {
        int64_t vectors = (to - from) / left, x = from * LANES;
        if (most >= 4 && vectors == 4)
            block(b, x, 0, 2, rows, 4, zeros, stack);
        else if (most >= 4 && vectors == 3)
            block(b, x, 0, 2, rows, 3, zeros, stack);
        else if (most >= 2 && vectors == 2)
            block(b, x, 0, 2, rows, 2, zeros, stack);
        else
            block(b, x, 0, 2, rows, 1, zeros, stack);
        from += vectors;
    }
}

/* The two columns of zeros at one side of a stack give no taps. */
INLINE void stack_columns(const Block *b, int64_t cols, int high, int rows, Zeros zeros)
{
    row_of_blocks(b, high ? 0 : 2, high ? cols - 2 : cols, rows, zeros, 1);
    for (int64_t end = 0; end < 2; end++) /* 0: next to the zeros */
        if (high)
            block(b, (cols - 1 - end) * LANES, 0, end, rows, 1, zeros, 1);
        else
            block(b, end * LANES, 2 - end, 2, rows, 1, zeros, 1);
}

/* tanh of a channel's rows, and the skip. */
static void finish_rows(int64_t rows, int64_t n, float *out, int64_t stride, int linear, const float *add,
                        int64_t add_stride)
{
    for (int64_t y = 0; y < rows; y++, out += stride) {
        if (!linear)
            for (int64_t x = 0; x < n; x += LANES) *(LooseLanes *)(out + x) = lanes_tanh(loose(out + x));
        if (add == NULL) continue;
        for (int64_t x = 0; x < n; x += LANES) *(LooseLanes *)(out + x) = loose(out + x) + loose(add + x);
        add += add_stride;
    }
}

INLINE void slab_of_rows(const Slab *s, int rows, Zeros zeros, int stack)
{
    const PlaneConv *conv = s->conv;
    int64_t vectors = stack ? conv->cols : (conv->cols + LANES - 1) / LANES;
    Block b = {s->in, s->stack, s->stack_row, conv->in_channels, s->channel_rows, conv->weight, 0, s->out, s->stride};
    const float *add = s->add;
    for (int64_t o = 0, of_group = 0; o < conv->groups * conv->out_channels; o++) {
        b.bias = conv->bias[o];
        if (stack)
            stack_columns(&b, conv->cols, s->high_cols, rows, zeros);
        else
            row_of_blocks(&b, 0, vectors, rows, zeros, 0);
        finish_rows(rows, vectors * LANES, b.out, s->stride, conv->linear, add, conv->add_stride);
        b.out += s->plane;
        b.weight += conv->in_channels * 9;
        if (add != NULL) add += conv->add_plane;
        if (++of_group < conv->out_channels) continue;
        of_group = 0;
        if (stack)
            b.stack += conv->in_channels * s->channel_rows * s->stack_row;
        else
            b.in += conv->in_channels * s->channel_rows;
    }
}

#define SLABS(name, zeros, stack)                 \
    static void name(const Slab *s, int64_t rows) \
    {                                             \
        switch (rows) {                           \
        case 1:                                   \
            slab_of_rows(s, 1, zeros, stack);     \
            break;                                \
        case 2:                                   \
            slab_of_rows(s, 2, zeros, stack);     \
            break;                                \
        case 3:                                   \
            slab_of_rows(s, 3, zeros, stack);     \
            break;                                \
        case 4:                                   \
            slab_of_rows(s, 4, zeros, stack);     \
            break;                                \
        case 5:                                   \
            slab_of_rows(s, 5, zeros, stack);     \
            break;                                \
        case 6:                                   \
            slab_of_rows(s, 6, zeros, stack);     \
            break;                                \
        case 7:                                   \
            slab_of_rows(s, 7, zeros, stack);     \
            break;                                \
        default:                                  \
            slab_of_rows(s, 8, zeros, stack);     \
            break;                                \
        }                                         \
    }
SLABS(plane_slab, NO_ZEROS, 0)
SLABS(plane_slab_first, ZEROS_FIRST, 0)
SLABS(plane_slab_last, ZEROS_LAST, 0)
SLABS(stack_slab, NO_ZEROS, 1)
SLABS(stack_slab_first, ZEROS_FIRST, 1)
SLABS(stack_slab_last, ZEROS_LAST, 1)

/* Slabs of as equal heights as can be; `first` and `last`: where zeros stand. */
static void run_slabs(Slab *s, int stack, int first, int last)
{
    int64_t y = 0, rows;
    for (int64_t left = (s->conv->rows + ROWS_MOST - 1) / ROWS_MOST; left > 0; left--, y += rows) {
        rows = (s->conv->rows - y) / left;
        if (first && y == 0)
            (stack ? stack_slab_first : plane_slab_first)(s, rows);
        else if (last && left == 1)
            (stack ? stack_slab_last : plane_slab_last)(s, rows);
        else
            (stack ? stack_slab : plane_slab)(s, rows);
        s->out += rows * s->stride;
        if (s->add != NULL) s->add += rows * s->conv->add_stride;
        if (stack)
            s->stack += rows * s->stack_row;
        else
            s->in += rows;
    }
}

void NAME(plane_conv)(const PlaneConv *conv, const float *const *in, float *out, int64_t out_plane, int64_t out_stride)
{
    Slab s = {.conv = conv, .in = in, .channel_rows = conv->rows + 2, .out = out, .plane = out_plane};
    s.stride = out_stride;
    s.add = conv->add;
    run_slabs(&s, 0, in[0] == NULL, in[conv->rows + 1] == NULL);
}

void NAME(stack_conv)(const PlaneConv *conv, int high_rows, int high_cols, const float *in, float *out,
                      int64_t out_plane, int64_t out_stride)
{
    Slab s = {.conv = conv, .stack = in, .channel_rows = conv->rows + 2, .out = out, .plane = out_plane * LANES};
    s.stack_row = (conv->cols + 2) * LANES;
    s.high_cols = high_cols;
    s.stride = out_stride * LANES;
    s.add = conv->add;
    run_slabs(&s, 1, !high_rows, high_rows);
}
