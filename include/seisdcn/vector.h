/* vector: the kernels of the hot loops, one table of functions for each instruction set (AVX-512, AVX2 with FMA, and a
 * portable one), chosen at start.
 *
 * Arrays are "in lanes": [channel][row][column][lane], the lane fastest, where a lane is one patch (in training) or one
 * window (in apply). Lanes never mix, so a patch's result does not depend on its neighbours in the vector, nor on how
 * many of the lanes are in use: that is what makes training's bits independent of the number of ranks. The number of
 * lanes is the table's. All arrays are aligned to 64 bytes. Every kernel is pure and allocates nothing.
 *
 * A convolution joins a big side (rows + 2) x (cols + 2) and a small side rows x cols by 3 x 3 weights
 * [small channel][big channel in its group][ky][kx], which is PyTorch's order both of Conv2d (out = small, in = big)
 * and of ConvTranspose2d (in = small, out = big):
 *
 *   contract: small(y, x) = sum of weight(ky, kx) * big(y + ky, x + kx). Conv2d; input gradient of the transposed.
 *   expand:   big(y, x) = sum of weight(ky, kx) * small(y - ky, x - kx). ConvTranspose2d; input gradient of Conv2d.
 *   gradient: weight(ky, kx) = sum over y, x of small(y, x) * big(y + ky, x + kx). Of both. */
#ifndef SEISDCN_VECTOR_H
#define SEISDCN_VECTOR_H

#include <stdint.h>

enum {
    VECTOR_LANES_MAX = 16,
    VECTOR_COLUMNS_MAX = 512 /* columns of the big side of a convolution */
};

typedef struct {
    int64_t groups, big_channels, small_channels; /* channels of one group on each side */
    int64_t rows, cols;                           /* of the small side */
} ConvShape;

/* What happens to a convolution's sum before it is stored:
 *   TANH           out = tanh(factor * (sum + bias))        a layer forward, dropout's factor inside;
 *                  with `joined` also joined = out + add    a skip
 *   LINEAR         out = factor * (sum + bias + add)
 *   TANH_GRADIENT  out = factor * (sum + add) * (1 - y * y), where out holds y, the tanh, on entry: a layer backward */
typedef enum { FINISH_TANH, FINISH_LINEAR, FINISH_TANH_GRADIENT } FinishKind;

typedef struct {
    FinishKind kind;
    const float *bias;   /* [channel], NULL: 0; not of TANH_GRADIENT */
    const float *factor; /* [channel][lane], NULL: 1 */
    const float *add;    /* like the output, NULL: 0; of TANH only with `joined` */
    float *joined;       /* like the output, NULL: not wanted; of TANH only */
    float *total;        /* [channel][lane]: what is stored is added to it, a bias's gradient; of TANH_GRADIENT only,
                            NULL: not wanted */
} ConvFinish;

typedef void ConvContract(const ConvShape *shape, const float *weight, const float *big, float *small,
                          const ConvFinish *finish);
typedef void ConvExpand(const ConvShape *shape, const float *weight, const float *small, float *big,
                        const ConvFinish *finish);
/* gradient: [small channel][big channel in its group][ky][kx][lane], overwritten: each lane its own. */
typedef void ConvGradient(const ConvShape *shape, const float *big, const float *small, float *gradient);

/* See plane_conv of the table. */
typedef struct {
    int64_t groups, in_channels, out_channels; /* channels of one group */
    int64_t rows, cols;                        /* of the output */
    const float *weight, *bias;                /* [out channel][in channel of its group][ky][kx], [out channel] */
    int linear;                                /* without tanh */
    const float *add; /* what is added after tanh, a skip, or NULL: like the output, but add_plane floats a channel and
                         add_stride a row */
    int64_t add_plane, add_stride;
} PlaneConv;

/* See lay_runs of the table. */
enum { VECTOR_RUN = 4 };

typedef struct {
    int64_t channels, rows, cols;
    int64_t from_channel, from_row, from_col; /* strides of where runs come from, in floats */
    int64_t to_channel, to_row;               /* of where they go, in positions */
} RunsShape;

/* See interleave of the table. */
typedef struct {
    int64_t lines, n, sides; /* of i, y, k */
    int64_t in_line, in_stride, out_line, out_stride;
} InterleaveShape;

typedef struct {
    const char *name; /* "avx512", "avx2", "portable" */
    int lanes;

    ConvContract *contract;
    ConvExpand *expand;
    ConvGradient *gradient;

    /* out = what `finish` makes of the sums in out, for one channel of n positions; y, add and out may be as in
     * ConvFinish; the sums may be changed. */
    void (*finish)(int64_t channel, int64_t n, float *sum, float *out, const ConvFinish *finish);

    /* out = a + b, n values each. */
    void (*add)(int64_t n, const float *a, const float *b, float *out);

    /* tanh of n values, in place; n a multiple of the lanes. */
    void (*tanh)(int64_t n, float *x);

    /* Squared error and its gradient for x-like arrays of n positions: error[lane] = sum of weight * (z - target)^2 in
     * double; with gradient = true z becomes scale * weight * (z - target) * factor * (1 - z * z), which is what the
     * last tanh layer passes back (linear = true: without the last factor). weight [n][lane] may be NULL (1); factor
     * [lane] may be NULL (1). One channel; the error is added to, and with gradient = true what z becomes to total
     * [lane]. */
    void (*loss)(int64_t n, const float *target, const float *weight, const float *factor, float scale, int gradient,
                 int linear, float *z, double *error, float *total);

    /* largest[lane] = the largest magnitude of x [n][lane], at least what largest[lane] holds. */
    void (*magnitude)(int64_t n, const float *x, float *largest);

    /* x [n][lane] /= scale[lane], where the scale is not 0. */
    void (*divide)(int64_t n, const float *scale, float *x);

    /* Sum and sum of squares in double of x [n][lane], for each lane: batch norm's statistics. Overwrites. */
    void (*moments)(int64_t n, const float *x, double *sum, double *square);

    /* Adds values [n][lane], each times 2^exponent and rounded to a whole number, to sum [n][lane]. Returns 0, or 1
     * where a value is not finite or not below `limit` in magnitude (then sum is not to be used). The caller's limit
     * and exponent keep limit * 2^exponent at most 2^62. */
    int (*fixed_add)(int64_t n, const float *value, float limit, int exponent, int64_t *sum);

    /* Lays lines side by side: x[i][lane] = line[lane][i], i < n. */
    void (*lay_lines)(int64_t n, const float *const *line, float *x);

    /* Lays `lanes` neighbouring windows of plane side by side: x [rows][cols][lane] =
     * plane[row * stride + col + lane] / scale[lane] (0 where the scale is 0). */
    void (*load_windows)(int64_t rows, int64_t cols, int64_t stride, const float *plane, const float *scale, float *x);

    /* The taps of a valid 3 x 3 convolution over rows of neighbouring positions (not lanes): for output channel o and
     * row y, out[o * out_plane + y * out_stride + x] = tanh(bias[o] + sum over the group's input channels i, ky, kx of
     * weight[o][i][ky][kx] * in[(g * in_channels + i) * (rows + 2) + y + ky][x + kx]) for x < cols, and a few numbers
     * of no meaning up to the next whole vector: rows of `in` must be readable up to cols + 2 lanes, and those of `out`
     * hold whole vectors. `in` lists the rows; NULL stands for a row of zeros. */
    void (*plane_conv)(const PlaneConv *conv, const float *const *in, float *out, int64_t out_plane,
                       int64_t out_stride);

    /* The same over small squares in lanes: in [groups * in_channels][rows + 2][cols + 2][lane], out
     * [groups * out_channels][...][lane], rows out_stride positions apart and channels out_plane. Two rows and two
     * columns of each square stand for zeros and are not read: the first two, or with high_rows, high_cols the last
     * two.
     */
    void (*stack_conv)(const PlaneConv *conv, int high_rows, int high_cols, const float *in, float *out,
                       int64_t out_plane, int64_t out_stride);

    /* Lays runs of VECTOR_RUN neighbours side by side, lanes / VECTOR_RUN of them: to[c * to_channel + y * to_row + x]
     * [VECTOR_RUN * i + k] = from[i][c * from_channel + y * from_row + x * from_col + k]. cols is even. */
    void (*lay_runs)(const RunsShape *shape, const float *const *from, float *to);

    /* The way back: to[i][y * stride + x + k] += live[VECTOR_RUN * i + k] * z[y][x][VECTOR_RUN * i + k], y < rows,
     * x < cols; up to 6 more floats of a row of `to` are read, and written as they were. */
    void (*add_runs)(int64_t rows, int64_t cols, const float *live, const float *z, int64_t stride, float *const *to);

    /* Lays lines side by side: out[i * out_line + y * out_stride + k] = in[i * in_line + k * in_stride + y]; whole
     * blocks of 4 in y and k are read and written. */
    void (*interleave)(const InterleaveShape *shape, const float *in, float *out);

    /* out[x * out_stride + y] = in[y * in_stride + x], y < rows, x < cols; whole blocks of 4 x 4 are read and
     * written. */
    void (*transpose)(int64_t rows, int64_t cols, int64_t in_stride, const float *in, int64_t out_stride, float *out);

    /* The way back, in double: plane[row * stride + col + lane] += scale[lane] * z[row][col][lane]. */
    void (*add_windows)(int64_t rows, int64_t cols, int64_t stride, const float *z, const float *scale, double *plane);
} Vector;

/* The tables, best first; the portable one always stands. */
extern const Vector vector_avx512, vector_avx2, vector_portable;

/* How many instruction sets this processor has of the three: 1 portable, 2 also avx2, 3 also avx512. Local. */
int vector_level(void);

/* The table of a level, 1 .. 3. Pure. */
const Vector *vector_of_level(int level);

/* The level of a name ("avx2"), 0 where there is none of that name. Pure. */
int vector_level_of(const char *name);

#endif
