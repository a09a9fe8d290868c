/* What a level set costs, shared and window by window. */
#include "shared_private.h"

/* What things cost, in cycles or so: fitted to the times of sets of many sizes in networks of many shapes (trees, dense
 * nets, skips, patches of 5 to 64, levels 1 to 6) with AVX2; most are met within a tenth, small networks within a
 * fifth. The choice only moves time, never a result by more than rounding. */
static const double MULTIPLY_ADD = 0.45, DIRECT_MULTIPLY_ADD = 0.4, /* of a vector */
    PLANE_TANH = 6.5, CORNER_TANH = 13.4, DIRECT_TANH = 2.2,
                    FILLED = 2.6, /* a vector of a corner's stack that is laid out of planes, strips and flanks */
    PLACE = 8,                    /* a sample of the box: its sums */
    CALL = 120,                   /* a convolution over planes, a strip or a corner */
    SET = 2400, SEARCH = 500,     /* all else of a set; finding it */
    DIRECT_ROW = 95;              /* a row of a channel */

/* A vector of outputs of all channels, of work shared or a corner's or direct's. */
static double output_cost(const PlaneConv *conv, double multiply_add, double tanh_cost)
{
    double one = multiply_add * 9 * (double)conv->in_channels + (conv->linear ? 0 : tanh_cost);
    return one * (double)shared_channels_out(conv);
}

double shared_direct_cost(const Shared *s)
{
    double cost = 0;
    for (int64_t l = 1; l <= s->levels; l++) {
        double encoded = (double)(s->size - 2 * l), decoded = (double)(s->code + 2 * l);
        const PlaneConv *encode = &s->encode[l], *decode = &s->decode[ROWS][l];
        cost += output_cost(encode, DIRECT_MULTIPLY_ADD, DIRECT_TANH) * encoded * encoded +
                output_cost(decode, DIRECT_MULTIPLY_ADD, DIRECT_TANH) * decoded * decoded;
        cost += DIRECT_ROW *
                ((double)shared_channels_out(encode) * encoded + (double)shared_channels_out(decode) * decoded);
    }
    return cost / (double)s->vector->lanes;
}

static int64_t vectors_of(const Shared *s, int64_t n) { return (n + s->vector->lanes - 1) / s->vector->lanes; }

/* The corners of a vector of windows. */
double shared_corner_cost(const Shared *s)
{
    double cost = 0;
    for (int64_t d = 1; d <= s->levels; d++) {
        const PlaneConv *conv = &s->decode[ROWS][d];
        int64_t filled = shared_channels_in(conv) * (4 + 8 * (d - 1)), square = 4 * d * d;
        if (s->skip && d < s->levels) filled += s->channels[d] * square;
        cost += 4 * (output_cost(conv, MULTIPLY_ADD, CORNER_TANH) * (double)square + FILLED * (double)filled + CALL);
    }
    return cost;
}

double shared_cost(const Shared *s, const LevelSet *set)
{
    int64_t L = s->levels, rows = set->rows, columns = set->columns, runs = 0;
    double cost = SET + PLACE * (double)((rows - 1 + s->size) * (columns - 1 + s->size));
    for (int64_t l = 1; l <= L; l++) {
        int64_t out = s->size - 2 * l;
        cost += CALL + output_cost(&s->encode[l], MULTIPLY_ADD, PLANE_TANH) *
                           (double)((rows - 1 + out) * vectors_of(s, columns - 1 + out));
    }
    for (int64_t d = 1; d <= L; d++) {
        const PlaneConv *conv = &s->decode[ROWS][d];
        int64_t left = s->code - 2 * d, across = vectors_of(s, columns - 1 + left);
        int64_t down = vectors_of(s, rows - 1 + left);
        int64_t vectors = (rows - 1 + left) * across + 4 * d * (rows * across + columns * down);
        int64_t turned = (s->skip ? 2 : 1) * shared_channels_in(conv) * (rows + 1 + left) * (columns + 1 + left);
        cost += output_cost(conv, MULTIPLY_ADD, PLANE_TANH) * (double)vectors +
                CALL * (double)(1 + 2 * (rows + columns)) + (double)turned;
    }
    for (int64_t r = 0; r < rows; r++)
        for (uint32_t mask = set->mask[r]; mask != 0; runs++) mask &= ~((uint32_t)0xf << __builtin_ctz(mask));
    cost += s->corner_cost * (double)vectors_of(s, runs * RUN);
    return cost / (s->direct_cost * (double)set->n);
}

bool shared_worth_searching(const Shared *s, int64_t starts, int64_t inside)
{
    LevelSet usual = {.rows = 8, .columns = 8, .n = 64};
    for (int r = 0; r < 8; r++) usual.mask[r] = 0xff;
    double saved = s->direct_cost * (1 - shared_cost(s, &usual));
    return saved * (double)inside > SEARCH * (double)starts;
}
