/* The kernels that go point by point over lanes: tanh, loss, sums, and windows to lanes and back; and the table of this
 * instruction set. */
#include "vector_lanes.h"

#include <string.h>

static void add(int64_t n, const float *a, const float *b, float *out)
{
    for (int64_t i = 0; i < n; i++) out[i] = a[i] + b[i];
}

static void tanh_all(int64_t n, float *x)
{
    for (int64_t i = 0; i < n; i += LANES) *(Lanes *)(x + i) = lanes_tanh(*(Lanes *)(x + i));
}

static void loss(int64_t n, const float *target, const float *weight, const float *factor, float scale, int gradient,
                 int linear, float *z, double *error, float *total)
{
    const Lanes *t = (const Lanes *)target, *w = (const Lanes *)weight;
    Lanes *out = (Lanes *)z;
    Lanes f = lanes_of(scale);
    if (factor != NULL) f *= *(const Lanes *)factor;
    DoubleLanes sum[2] = {{0}};
    Lanes passed = {0};
    for (int64_t i = 0; i < n; i++) {
        Lanes difference = out[i] - t[i], weighted = difference;
        if (w != NULL) weighted *= w[i];
        Lanes square = weighted * difference;
        for (int h = 0; h < 2; h++) sum[h] += __builtin_convertvector(half_of(square, h), DoubleLanes);
        if (!gradient) continue;
        out[i] = linear ? f * weighted : f * weighted * (1.0f - out[i] * out[i]);
        passed += out[i];
    }
    if (gradient) *(Lanes *)total += passed;
    for (int h = 0; h < 2; h++) ((DoubleLanes *)error)[h] += sum[h];
}

static void magnitude(int64_t n, const float *x, float *largest)
{
    const IntLanes no_sign = (IntLanes){0} + 0x7fffffff;
    const Lanes *in = (const Lanes *)x, before = *(const Lanes *)largest;
    IntLanes most = (IntLanes)before; /* magnitudes of floats compare like their bits */
    for (int64_t i = 0; i < n; i++) {
        IntLanes value = (IntLanes)in[i] & no_sign, larger = value > most;
        most = (value & larger) | (most & ~larger);
    }
    *(Lanes *)largest = (Lanes)most;
}

static void divide(int64_t n, const float *scale, float *x)
{
    /* Multiplies by the reciprocal (a division a value took as long as laying it out). So that neither a scale near the
     * ends of the floats nor its reciprocal leaves them, a power of two goes first, chosen by each lane for itself. */
    Lanes s = *(const Lanes *)scale, one = lanes_of(1.0f);
    s = lanes_select(s != 0.0f, s, one);
    Lanes power = lanes_select(s < 0x1p-60f, lanes_of(0x1p66f), lanes_select(s > 0x1p60f, lanes_of(0x1p-66f), one));
    Lanes reciprocal = one / (s * power);
    for (int64_t i = 0; i < n; i++) ((Lanes *)x)[i] = ((Lanes *)x)[i] * power * reciprocal;
}

static void moments(int64_t n, const float *x, double *sum, double *square)
{
    const Lanes *in = (const Lanes *)x;
    DoubleLanes s[2] = {{0}}, q[2] = {{0}};
    for (int64_t i = 0; i < n; i++)
        for (int h = 0; h < 2; h++) {
            DoubleLanes value = __builtin_convertvector(half_of(in[i], h), DoubleLanes);
            s[h] += value;
            q[h] += value * value;
        }
    memcpy(sum, s, sizeof s);
    memcpy(square, q, sizeof q);
}

/* Doubles at or above 2^51 in magnitude carry whole numbers in their lowest bits: adding this rounds to a whole number,
 * and the difference of the bits is that number as an integer. */
#define WHOLE 6755399441055744.0 /* 1.5 * 2^52 */

static int fixed_add(int64_t n, const float *value, float limit, int exponent, int64_t *sum)
{
    /* 2^exponent * value has up to 62 bits, more than the trick takes: so in two parts, 2^24 apart */
    const double up = 0x1p-24, down = 0x1p24;
    double scale = 1;
    for (int i = 0; i < exponent; i++) scale *= 2;
    DoubleLanes whole = WHOLE - (DoubleLanes){0};
    LongLanes bias = (LongLanes)whole;
    IntLanes bad = {0};
    for (int64_t i = 0; i < n; i++) {
        Lanes v = ((const Lanes *)value)[i];
        bad |= ~((v < limit) & (v > -limit)); /* also of NaN */
        for (int h = 0; h < 2; h++) {
            DoubleLanes d = scale * __builtin_convertvector(half_of(v, h), DoubleLanes);
            DoubleLanes high = d * up + whole;
            DoubleLanes low = (d - (high - whole) * down) + whole;
            ((LongLanes *)sum)[2 * i + h] += (((LongLanes)high - bias) << 24) + ((LongLanes)low - bias);
        }
    }
    int any = 0;
    for (int lane = 0; lane < LANES; lane++) any |= bad[lane] != 0;
    return any;
}

/* A block of 4 x 4 by shuffles. */
typedef float Four __attribute__((vector_size(16), aligned(4), may_alias));

static inline void turn_four(const float *in, int64_t in_stride, float *out, int64_t out_stride)
{
    Four a = *(const Four *)in, b = *(const Four *)(in + in_stride);
    Four c = *(const Four *)(in + 2 * in_stride), d = *(const Four *)(in + 3 * in_stride);
    Four ab0 = __builtin_shufflevector(a, b, 0, 4, 1, 5), ab1 = __builtin_shufflevector(a, b, 2, 6, 3, 7);
    Four cd0 = __builtin_shufflevector(c, d, 0, 4, 1, 5), cd1 = __builtin_shufflevector(c, d, 2, 6, 3, 7);
    *(Four *)out = __builtin_shufflevector(ab0, cd0, 0, 1, 4, 5);
    *(Four *)(out + out_stride) = __builtin_shufflevector(ab0, cd0, 2, 3, 6, 7);
    *(Four *)(out + 2 * out_stride) = __builtin_shufflevector(ab1, cd1, 0, 1, 4, 5);
    *(Four *)(out + 3 * out_stride) = __builtin_shufflevector(ab1, cd1, 2, 3, 6, 7);
}

static void transpose(int64_t rows, int64_t cols, int64_t in_stride, const float *in, int64_t out_stride, float *out)
{
    for (int64_t y = 0; y < rows; y += 4)
        for (int64_t x = 0; x < cols; x += 4)
            turn_four(in + y * in_stride + x, in_stride, out + x * out_stride + y, out_stride);
}

static void interleave(const InterleaveShape *shape, const float *in, float *out)
{
    const InterleaveShape s = *shape; /* a copy: what is stored could else be this */
    for (int64_t y = 0; y < s.n; y += 4)
        for (int64_t i = 0; i < s.lines; i++)
            for (int64_t k = 0; k < s.sides; k += 4)
                turn_four(in + i * s.in_line + k * s.in_stride + y, s.in_stride,
                          out + i * s.out_line + y * s.out_stride + k, s.out_stride);
}

/* Runs: pieces of a vector of VECTOR_RUN lanes. */
enum { RUNS = LANES / VECTOR_RUN };

static inline Lanes join_runs(const float *const *from, int64_t at)
{
#define PIECE(i) (*(const Four *)(from[i] + at))
#define PAIR(i)  __builtin_shufflevector(PIECE(i), PIECE((i) + 1), 0, 1, 2, 3, 4, 5, 6, 7)
#if LANES == 16
    return __builtin_shufflevector(PAIR(0), PAIR(2), 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
#elif LANES == 8
    return PAIR(0);
#else
    return PIECE(0);
#endif
#undef PAIR
#undef PIECE
}

static void lay_runs(const RunsShape *shape, const float *const *from, float *to)
{
    const RunsShape s = *shape; /* copies: what is stored could else be these */
    const float *base[RUNS];
    for (int i = 0; i < RUNS; i++) base[i] = from[i];
    for (int64_t c = 0; c < s.channels; c++)
        for (int64_t y = 0; y < s.rows; y++) {
            Lanes *out = (Lanes *)to + c * s.to_channel + y * s.to_row;
            int64_t at = c * s.from_channel + y * s.from_row;
            for (int64_t x = 0; x < s.cols; x += 2) {
                out[x] = join_runs(base, at);
                out[x + 1] = join_runs(base, at + s.from_col);
                at += 2 * s.from_col;
            }
        }
}

/* Shuffles within each run, by the lane numbers of the first: those from 4 on are the second operand's. */
#if LANES == 16
#define RUN_SHUFFLE(a, b, i, j, k, l)                                                                             \
    __builtin_shufflevector(a, b, OF(i, 0), OF(j, 0), OF(k, 0), OF(l, 0), OF(i, 4), OF(j, 4), OF(k, 4), OF(l, 4), \
                            OF(i, 8), OF(j, 8), OF(k, 8), OF(l, 8), OF(i, 12), OF(j, 12), OF(k, 12), OF(l, 12))
#elif LANES == 8
#define RUN_SHUFFLE(a, b, i, j, k, l) \
    __builtin_shufflevector(a, b, OF(i, 0), OF(j, 0), OF(k, 0), OF(l, 0), OF(i, 4), OF(j, 4), OF(k, 4), OF(l, 4))
#else
#define RUN_SHUFFLE(a, b, i, j, k, l) __builtin_shufflevector(a, b, i, j, k, l)
#endif
#define OF(number, run) ((number) < 4 ? (number) + (run) : (number)-4 + (run) + LANES)

/* Four columns of four lines to a run. */
static void lay_lines(int64_t n, const float *const *line, float *x)
{
    const float *of[VECTOR_RUN][RUNS];
    for (int lane = 0; lane < LANES; lane++) of[lane % VECTOR_RUN][lane / VECTOR_RUN] = line[lane];
    int64_t i = 0;
    for (; i + VECTOR_RUN <= n; i += VECTOR_RUN) {
        Lanes a = join_runs(of[0], i), b = join_runs(of[1], i), c = join_runs(of[2], i), d = join_runs(of[3], i);
        Lanes ab0 = RUN_SHUFFLE(a, b, 0, 4, 1, 5), ab1 = RUN_SHUFFLE(a, b, 2, 6, 3, 7);
        Lanes cd0 = RUN_SHUFFLE(c, d, 0, 4, 1, 5), cd1 = RUN_SHUFFLE(c, d, 2, 6, 3, 7);
        Lanes *out = (Lanes *)x + i;
        out[0] = RUN_SHUFFLE(ab0, cd0, 0, 1, 4, 5);
        out[1] = RUN_SHUFFLE(ab0, cd0, 2, 3, 6, 7);
        out[2] = RUN_SHUFFLE(ab1, cd1, 0, 1, 4, 5);
        out[3] = RUN_SHUFFLE(ab1, cd1, 2, 3, 6, 7);
    }
    for (; i < n; i++)
        for (int lane = 0; lane < LANES; lane++) x[i * LANES + lane] = line[lane][i];
}

/* Neighbouring positions of a run overlap in all but one sample, so what falls on one sample is summed on its way
 * through the lanes (adding each position to the row in memory waited for the store of the one before). */
static void add_runs(int64_t rows, int64_t cols, const float *live, const float *z, int64_t stride, float *const *to)
{
    const Lanes *in = (const Lanes *)z, factor = *(const Lanes *)live, zero = {0};
    for (int64_t y = 0; y < rows; y++, in += cols) {
        Lanes sum = zero;
        for (int64_t x = 0; x < cols + VECTOR_RUN - 1; x += VECTOR_RUN) {
            Lanes done[VECTOR_RUN]; /* the first lane of each run */
            for (int k = 0; k < VECTOR_RUN; k++) {
                if (x + k < cols) sum += factor * in[x + k];
                done[k] = sum;
                sum = RUN_SHUFFLE(sum, zero, 1, 2, 3, 4);
            }
            Lanes low = RUN_SHUFFLE(done[0], done[1], 0, 4, 1, 5), high = RUN_SHUFFLE(done[2], done[3], 0, 4, 1, 5);
            Lanes line = RUN_SHUFFLE(low, high, 0, 1, 4, 5);
            for (int i = 0; i < RUNS; i++) {
                Four piece;
                memcpy(&piece, (const Four *)&line + i, sizeof piece);
                *(Four *)(to[i] + y * stride + x) += piece;
            }
        }
    }
}

static void load_windows(int64_t rows, int64_t cols, int64_t stride, const float *plane, const float *scale, float *x)
{
    Lanes s = *(const Lanes *)scale;
    IntLanes live = s != 0.0f;
    Lanes divisor = lanes_select(live, s, lanes_of(1.0f));
    Lanes *out = (Lanes *)x;
    for (int64_t row = 0; row < rows; row++)
        for (int64_t col = 0; col < cols; col++) {
            Lanes v = *(const LooseLanes *)(plane + row * stride + col) / divisor;
            *out++ = (Lanes)((IntLanes)v & live);
        }
}

static void add_windows(int64_t rows, int64_t cols, int64_t stride, const float *z, const float *scale, double *plane)
{
    Lanes s = *(const Lanes *)scale;
    const Lanes *in = (const Lanes *)z;
    for (int64_t row = 0; row < rows; row++)
        for (int64_t col = 0; col < cols; col++, in++) {
            Lanes v = s * *in;
            double *at = plane + row * stride + col;
            for (int h = 0; h < 2; h++)
                *(LooseDoubles *)(at + h * LANES / 2) += __builtin_convertvector(half_of(v, h), DoubleLanes);
            /* The next column's doubles overlap these: gcc 12 would keep old ones in registers (its predictive
             * commoning takes vectors at different places for apart), so memory is made to hold the sums here. */
            __asm__ volatile("" : : : "memory");
        }
}

#define TEXT_OF(name)          TEXT_OF_EXPANDED(name)
#define TEXT_OF_EXPANDED(name) #name

const Vector NAME(vector) = {
    .name = TEXT_OF(ISA),
    .lanes = LANES,
    .contract = NAME(conv_contract),
    .expand = NAME(conv_expand),
    .gradient = NAME(conv_gradient),
    .finish = NAME(vector_finish),
    .add = add,
    .tanh = tanh_all,
    .loss = loss,
    .magnitude = magnitude,
    .divide = divide,
    .moments = moments,
    .fixed_add = fixed_add,
    .plane_conv = NAME(plane_conv),
    .stack_conv = NAME(stack_conv),
    .lay_runs = lay_runs,
    .add_runs = add_runs,
    .transpose = transpose,
    .interleave = interleave,
    .lay_lines = lay_lines,
    .load_windows = load_windows,
    .add_windows = add_windows,
};
