/* Dense 3 x 3 convolutions over lanes: contract and expand (vector.h defines them) for groups of many channels.
 *
 * A block of output channels and columns stays in registers while all input channels and taps go by, so that each load
 * of an input serves every channel of the block, and each weight every column. No partial sum is ever stored; a row of
 * blocks is finished while it is in the first cache. (Weight gradients of dense groups are the direct kernel's, which
 * is bound by its multiply-adds already.) */
#include "vector_lanes.h"

#include <stddef.h>

#define INLINE __attribute__((always_inline)) static inline

/* Output channels of a block, and the most columns that fit beside so many: accumulators, inputs and a weight fill the
 * registers (32 of AVX-512, 16 of the others). */
enum { OUT_MOST = 4, COLS_MOST = 6 };
#if defined(__AVX512F__)
enum { COLS_OF_4 = 5, COLS_OF_2 = 6, COLS_OF_1 = 6 };
#else
enum { COLS_OF_4 = 3, COLS_OF_2 = 5, COLS_OF_1 = 6 };
#endif

/* What a row of outputs is summed from. Tap (ky, kx) of input channel i for column x is
 * in[i * channel + ky * row + x + kx] where the output is the small side, in[i * channel + ky * row + x - kx] (and row
 * negative) where it is the big one. */
typedef struct {
    const Lanes *in;
    int64_t channels;
    ptrdiff_t channel, row;
    const float *weight; /* of the block's first output channel */
    int64_t weight_in, weight_out;
    int64_t ky0, ky1;  /* the taps whose rows exist */
    const float *bias; /* of the block's first channel; NULL: 0 */
    Lanes *sum;        /* [output channel][stride] */
    int64_t stride;
} DenseRow;

/* Which columns of the big side a block holds: its two columns at either end have taps that reach outside. */
typedef enum { ALL_INSIDE = 0, LEFT_END = 1, RIGHT_END = 2 } BlockEnds;

/* Adds one row of taps to the sums. */
INLINE void add_taps(const Lanes *in, const float *w, int64_t weight_out, int out, int cols, int expand, int ends,
                     Lanes sum[OUT_MOST][COLS_MOST])
{
    static const Lanes nothing = {0};
#pragma GCC unroll 3
    for (int kx = 0; kx < 3; kx++) {
        Lanes value[COLS_MOST];
#pragma GCC unroll 6
        for (int c = 0; c < cols; c++) {
            const Lanes *at = in + (expand ? c - kx : c + kx);
            if (c < kx) at = ends & LEFT_END ? &nothing : at;
            if (cols - 1 - c < 2 - kx) at = ends & RIGHT_END ? &nothing : at;
            value[c] = *at;
        }
#pragma GCC unroll 4
        for (int o = 0; o < out; o++) {
            Lanes weight = lanes_of(w[o * weight_out + kx]);
#pragma GCC unroll 6
            for (int c = 0; c < cols; c++) sum[o][c] += weight * value[c];
        }
    }
}

/* Columns x .. x + cols - 1 of `out` output channels; both are constants wherever this is called. */
INLINE void block(const DenseRow *row, int64_t x, int out, int cols, int expand, BlockEnds ends)
{
    Lanes sum[OUT_MOST][COLS_MOST];
    for (int o = 0; o < out; o++)
        for (int c = 0; c < cols; c++) sum[o][c] = lanes_of(row->bias == NULL ? 0 : row->bias[o]);
    for (int64_t i = 0; i < row->channels; i++)
        for (int64_t ky = row->ky0; ky <= row->ky1; ky++) {
            const Lanes *in = row->in + i * row->channel + ky * row->row + x;
            const float *w = row->weight + i * row->weight_in + ky * 3;
            if (expand && ends != ALL_INSIDE)
                add_taps(in, w, row->weight_out, out, cols, 1, (int)ends, sum);
            else
                add_taps(in, w, row->weight_out, out, cols, expand, 0, sum);
        }
#pragma GCC unroll 4
    for (int o = 0; o < out; o++)
#pragma GCC unroll 6
        for (int c = 0; c < cols; c++) row->sum[o * row->stride + x + c] = sum[o][c];
}

INLINE void block_of_columns(const DenseRow *row, int64_t x, int out, int64_t cols, int most, int expand,
                             BlockEnds ends)
{
    if (cols == 6 && most >= 6)
        block(row, x, out, 6, expand, ends);
    else if (cols == 5 && most >= 5)
        block(row, x, out, 5, expand, ends);
    else if (cols == 4 && most >= 4)
        block(row, x, out, 4, expand, ends);
    else if (cols == 3)
        block(row, x, out, 3, expand, ends);
    else if (cols == 2)
        block(row, x, out, 2, expand, ends);
    else
        block(row, x, out, 1, expand, ends);
}

/* A row of n columns in blocks of as equal widths as can be (of the big side n >= 3: each block is at least 2 wide). */
INLINE void row_of_blocks(const DenseRow *row, int64_t n, int out, int most, int expand)
{
    int64_t blocks = (n + most - 1) / most, x = 0;
    for (int64_t b = 0; b < blocks; b++) {
        int64_t cols = (n - x) / (blocks - b);
        BlockEnds ends = (BlockEnds)((b == 0 ? LEFT_END : 0) | (b == blocks - 1 ? RIGHT_END : 0));
        block_of_columns(row, x, out, cols, most, expand, ends);
        x += cols;
    }
}

INLINE void row_of(const DenseRow *row, int64_t n, int out, int expand)
{
    if (out == 4)
        row_of_blocks(row, n, 4, COLS_OF_4, expand);
    else if (out == 2)
        row_of_blocks(row, n, 2, COLS_OF_2, expand);
    else
        row_of_blocks(row, n, 1, COLS_OF_1, expand);
}

static void contract_row(const DenseRow *row, int64_t n, int out) { row_of(row, n, out, 0); }

static void expand_row(const DenseRow *row, int64_t n, int out) { row_of(row, n, out, 1); }

/* Output channels of the next block where `left` are to do: 4, 2 or 1. */
static int block_of(int64_t left) { return left >= 4 ? 4 : left >= 2 ? 2 : 1; }

void NAME(dense_contract)(const ConvShape *shape, const float *weight, const float *big, float *small,
                          const ConvFinish *finish, float *scratch)
{
    (void)scratch;
    int64_t rows = shape->rows, cols = shape->cols, ni = shape->big_channels, ns = shape->small_channels;
    Lanes sum[OUT_MOST * VECTOR_COLUMNS_MAX];
    DenseRow row = {.channels = ni,
                    .channel = (rows + 2) * (cols + 2),
                    .row = cols + 2,
                    .weight_in = 9,
                    .weight_out = 9 * ni,
                    .ky1 = 2,
                    .sum = sum,
                    .stride = cols};
    for (int64_t c = 0, out; c < shape->groups * ns; c += out) {
        out = block_of(ns - c % ns);
        row.weight = weight + c * ni * 9;
        row.bias = finish->bias == NULL ? NULL : finish->bias + c;
        for (int64_t y = 0; y < rows; y++) {
            row.in = (const Lanes *)big + c / ns * ni * row.channel + y * row.row;
            contract_row(&row, cols, (int)out);
            for (int64_t o = 0; o < out; o++) {
                ptrdiff_t at = ((c + o) * rows + y) * cols;
                finish_row(cols, c + o, at, sum + o * cols, (Lanes *)small + at, finish);
            }
        }
    }
}

void NAME(dense_expand)(const ConvShape *shape, const float *weight, const float *small, float *big,
                        const ConvFinish *finish, float *scratch)
{
    (void)scratch;
    int64_t rows = shape->rows, cols = shape->cols, ni = shape->big_channels, ns = shape->small_channels;
    Lanes sum[OUT_MOST * VECTOR_COLUMNS_MAX];
    DenseRow row = {.channels = ns,
                    .channel = rows * cols,
                    .row = -cols,
                    .weight_in = 9 * ni,
                    .weight_out = 9,
                    .sum = sum,
                    .stride = cols + 2};
    for (int64_t c = 0, out; c < shape->groups * ni; c += out) {
        out = block_of(ni - c % ni);
        row.weight = weight + (c / ni * ns * ni + c % ni) * 9;
        row.bias = finish->bias == NULL ? NULL : finish->bias + c;
        for (int64_t y = 0; y < rows + 2; y++) {
            /* row y sees rows y - ky, 0 <= y - ky < rows */
            row.ky0 = y < rows ? 0 : y - rows + 1;
            row.ky1 = y < 2 ? y : 2;
            row.in = (const Lanes *)small + c / ni * ns * row.channel + y * cols;
            expand_row(&row, cols + 2, (int)out);
            for (int64_t o = 0; o < out; o++) {
                ptrdiff_t at = ((c + o) * (rows + 2) + y) * (cols + 2);
                finish_row(cols + 2, c + o, at, sum + o * row.stride, (Lanes *)big + at, finish);
            }
        }
    }
}
