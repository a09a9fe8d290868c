/* 3 x 3 convolutions over lanes: contract and expand (vector.h defines them), for groups of any number of channels.
 *
 * A block of output channels and columns stays in registers while all input channels and taps go by: each load of an
 * input serves three columns and every channel of the block, each weight every column. No partial sum is ever stored; a
 * row of blocks is finished while it is in the first cache.
 *
 * Measured on a Zen 3 core (AVX2; 98 GFLOP/s of multiply-adds), default network, all layers: holding the nine weights
 * of one or two channels in registers and loading nine inputs a column did 39 GFLOP/s (contract) and 35 (expand), since
 * a multiply-add then took one to one and a half loads; blocks of ten columns do 65 and 65 (of eight: 61 and 63), of
 * three columns and four channels of a dense network 85 to 95. They serve dense layers, too: products of matrices by
 * OpenBLAS (im2col, a lane at a time, since a patch's bits must not depend on its neighbours) did 20, 45 and 68 GFLOP/s
 * at widths of 8, 32 and 128, these 89, 95 and 91. Tried without gain: finishing block by block instead of row by
 * row (57 and 65), or within the blocks (60 times the code); going through the tree subtree by subtree, whose
 * activations would fit the second cache; asking for the next row's lines ahead of writing them (slower by a tenth). */
#include "vector_lanes.h"

#include <stddef.h>

#define INLINE __attribute__((always_inline)) static inline

/* gcc would load a value anew for each multiply-add that it takes part in. */
#if defined(__AVX512F__)
#define IN_REGISTER(value) __asm__("" : "+v"(value))
#elif defined(__SSE2__)
#define IN_REGISTER(value) __asm__("" : "+x"(value))
#else
#define IN_REGISTER(value) (void)0
#endif

/* Output channels of a block, and the most columns that fit beside so many: sums, weights and an input fill the
 * registers (32 of AVX-512, 16 of the others). */
enum { OUT_MOST = 4, COLS_MOST = 10 };
#if defined(__AVX512F__)
enum { COLS_OF_4 = 5, COLS_OF_2 = 8, COLS_OF_1 = 8, HAS_BLOCKS_OF_2 = 1 };
#else
enum { COLS_OF_4 = 3, COLS_OF_2 = 4, COLS_OF_1 = 10, HAS_BLOCKS_OF_2 = 0 };
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
} ConvRow;

/* Which columns of the big side a block holds: its two columns at either end have taps that reach outside. */
enum { ALL_INSIDE = 0, LEFT_END = 1, RIGHT_END = 2 };

/* Adds one row of taps to the sums, input by input: those at columns 0 .. cols + 1 behind `in` (2 further left where
 * the output is the big side) reach the block. Column c takes its tap k when input c + k * lag comes by: with a lag of
 * 1 all of a column's sums follow one another, with 2 there is another's between, which hides more of their latency but
 * holds inputs for longer: measured 65 to 72 GFLOP/s on the small side, 72 to 68 on the big one (3: 52). */
INLINE void add_inputs(const Lanes *in, const float *w, int64_t weight_out, int out, int cols, int expand, int ends,
                       Lanes sum[OUT_MOST][COLS_MOST])
{
    Lanes weight[OUT_MOST][3];
    for (int o = 0; o < out; o++)
        for (int k = 0; k < 3; k++) weight[o][k] = lanes_of(w[o * weight_out + (expand ? 2 - k : k)]);
    int lag = expand ? 1 : 2;
    Lanes value[COLS_MOST + 2];
#pragma GCC unroll 14
    for (int t = 0; t < cols + 2 * lag; t++) {
        if (t < cols + 2 && !((ends & LEFT_END && t < 2) || (ends & RIGHT_END && t >= cols))) {
            value[t] = in[expand ? t - 2 : t];
            IN_REGISTER(value[t]);
        }
#pragma GCC unroll 3
        for (int k = 0; k < 3; k++) {
            int c = t - k * lag, p = c + k;
            if (c < 0 || c >= cols || (ends & LEFT_END && p < 2) || (ends & RIGHT_END && p >= cols)) continue;
#pragma GCC unroll 4
            for (int o = 0; o < out; o++) sum[o][c] += weight[o][k] * value[p];
        }
    }
}

/* The same tap by tap, for so many output channels that their weights do not fit beside the sums. */
INLINE void add_taps(const Lanes *in, const float *w, int64_t weight_out, int out, int cols, int expand, int ends,
                     Lanes sum[OUT_MOST][COLS_MOST])
{
    static const Lanes nothing = {0};
#pragma GCC unroll 3
    for (int kx = 0; kx < 3; kx++) {
        Lanes value[COLS_MOST];
#pragma GCC unroll 10
        for (int c = 0; c < cols; c++) {
            const Lanes *at = in + (expand ? c - kx : c + kx);
            if (c < kx) at = ends & LEFT_END ? &nothing : at;
            if (cols - 1 - c < 2 - kx) at = ends & RIGHT_END ? &nothing : at;
            value[c] = *at;
        }
#pragma GCC unroll 4
        for (int o = 0; o < out; o++) {
            Lanes weight = lanes_of(w[o * weight_out + kx]);
#pragma GCC unroll 10
            for (int c = 0; c < cols; c++) sum[o][c] += weight * value[c];
        }
    }
}

/* Columns x .. x + cols - 1 of `out` output channels; out, cols, expand, ends and all_rows, which says that ky0 = 0 and
 * ky1 = 2, are constants wherever this is called. */
INLINE void block(const ConvRow *row, int64_t x, int out, int cols, int expand, int ends, int all_rows)
{
    Lanes sum[OUT_MOST][COLS_MOST];
    int ky0 = all_rows ? 0 : (int)row->ky0, ky1 = all_rows ? 2 : (int)row->ky1;
#pragma GCC unroll 4
    for (int o = 0; o < out; o++)
#pragma GCC unroll 10
        for (int c = 0; c < cols; c++) sum[o][c] = lanes_of(row->bias == NULL ? 0 : row->bias[o]);
    for (int64_t i = 0; i < row->channels; i++)
#pragma GCC unroll 3
        for (int ky = ky0; ky <= ky1; ky++) {
            const Lanes *in = row->in + i * row->channel + ky * row->row + x;
            const float *w = row->weight + i * row->weight_in + ky * 3;
            if (out <= 2)
                add_inputs(in, w, row->weight_out, out, cols, expand, ends, sum);
            else
                add_taps(in, w, row->weight_out, out, cols, expand, ends, sum);
        }
#pragma GCC unroll 4
    for (int o = 0; o < out; o++)
#pragma GCC unroll 10
        for (int c = 0; c < cols; c++) row->sum[o * row->stride + x + c] = sum[o][c];
}

INLINE void block_with_ends(const ConvRow *row, int64_t x, int out, int cols, int expand, int ends, int all_rows)
{
    if (!expand)
        block(row, x, out, cols, 0, ALL_INSIDE, 1);
    else if (ends == ALL_INSIDE)
        block(row, x, out, cols, 1, ALL_INSIDE, all_rows);
    else if (ends == LEFT_END)
        block(row, x, out, cols, 1, LEFT_END, all_rows);
    else if (ends == RIGHT_END)
        block(row, x, out, cols, 1, RIGHT_END, all_rows);
    else
        block(row, x, out, cols, 1, LEFT_END | RIGHT_END, all_rows);
}

INLINE void block_of_columns(const ConvRow *row, int64_t x, int out, int64_t cols, int most, int expand, int ends,
                             int all_rows)
{
    if (cols == 10 && most >= 10)
        block_with_ends(row, x, out, 10, expand, ends, all_rows);
    else if (cols == 9 && most >= 9)
        block_with_ends(row, x, out, 9, expand, ends, all_rows);
    else if (cols == 8 && most >= 8)
        block_with_ends(row, x, out, 8, expand, ends, all_rows);
    else if (cols == 7 && most >= 7)
        block_with_ends(row, x, out, 7, expand, ends, all_rows);
    else if (cols == 6 && most >= 6)
        block_with_ends(row, x, out, 6, expand, ends, all_rows);
    else if (cols == 5 && most >= 5)
        block_with_ends(row, x, out, 5, expand, ends, all_rows);
    else if (cols == 4 && most >= 4)
        block_with_ends(row, x, out, 4, expand, ends, all_rows);
    else if (cols == 3)
        block_with_ends(row, x, out, 3, expand, ends, all_rows);
    else if (cols == 2)
        block_with_ends(row, x, out, 2, expand, ends, all_rows);
    else
        block_with_ends(row, x, out, 1, expand, ends, all_rows);
}

/* A row of n columns in blocks of as equal widths as can be (of the big side n >= 3: each block is at least 2 wide). */
INLINE void row_of_blocks(const ConvRow *row, int64_t n, int out, int most, int expand, int all_rows)
{
    int64_t blocks = (n + most - 1) / most, x = 0;
    for (int64_t b = 0; b < blocks; b++) {
        int64_t cols = (n - x) / (blocks - b);
        int ends = (b == 0 ? LEFT_END : 0) | (b == blocks - 1 ? RIGHT_END : 0);
        block_of_columns(row, x, out, cols, most, expand, ends, all_rows);
        x += cols;
    }
}

INLINE void row_of(const ConvRow *row, int64_t n, int out, int expand, int all_rows)
{
    if (out == 4)
        row_of_blocks(row, n, 4, COLS_OF_4, expand, all_rows);
    else if (out == 2 && HAS_BLOCKS_OF_2)
        row_of_blocks(row, n, 2, COLS_OF_2, expand, all_rows);
    else
        row_of_blocks(row, n, 1, COLS_OF_1, expand, all_rows);
}

static void contract_row(const ConvRow *row, int64_t n, int out) { row_of(row, n, out, 0, 1); }

static void expand_row(const ConvRow *row, int64_t n, int out)
{
    if (row->ky0 == 0 && row->ky1 == 2)
        row_of(row, n, out, 1, 1);
    else
        row_of(row, n, out, 1, 0);
}

/* Output channels of the next block where `left` are to do. */
static int block_of(int64_t left) { return left >= 4 ? 4 : left >= 2 && HAS_BLOCKS_OF_2 ? 2 : 1; }

void NAME(conv_contract)(const ConvShape *shape, const float *weight, const float *big, float *small,
                         const ConvFinish *finish)
{
    int64_t rows = shape->rows, cols = shape->cols, ni = shape->big_channels, ns = shape->small_channels;
    Lanes sum[OUT_MOST * VECTOR_COLUMNS_MAX];
    ConvRow row = {.channels = ni,
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

void NAME(conv_expand)(const ConvShape *shape, const float *weight, const float *small, float *big,
                       const ConvFinish *finish)
{
    int64_t rows = shape->rows, cols = shape->cols, ni = shape->big_channels, ns = shape->small_channels;
    Lanes sum[OUT_MOST * VECTOR_COLUMNS_MAX];
    ConvRow row = {.channels = ns,
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
