/* The convolutions against plain loops in double: every kernel, every way to finish, many shapes, every instruction set
 * that this machine has. */
#include "plain.h"

#include "seisdcn/memory.h"
#include "seisdcn/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum { GUARD = 2 * VECTOR_LANES_MAX };

static uint32_t bits_of(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static const float UNTOUCHED = 12345.5f;

static const int64_t sizes[][2] = {{1, 1},  {1, 2},  {2, 1},  {1, 3},  {3, 1}, {2, 2}, {3, 2}, {2, 3},
                                   {4, 4},  {5, 1},  {1, 6},  {5, 2},  {3, 7}, {8, 3}, {4, 9}, {3, 10},
                                   {2, 11}, {3, 16}, {2, 17}, {2, 19}, {2, 23}}; /* all widths of blocks */
static const int64_t channels[] = {1, 2, 3, 7};                                  /* of a group, on each side */
enum { N_SIZES = sizeof sizes / sizeof *sizes, N_CHANNELS = sizeof channels / sizeof *channels };

/* One shape with one instruction set: inputs, and the plain sums of each lane. */
typedef struct {
    ConvShape shape;
    const Vector *vector;
    int64_t n_weights, n_big, n_small; /* of one lane */
    int64_t big_channels, small_channels;
    float *weight, *big, *small;                /* big and small in lanes */
    float *bias, *factor, *add, *before;        /* of either side; `before`: what stands in the output */
    float *joined, *total;                      /* total [channel][lane] of either side */
    float *out;                                 /* with a guard behind it */
    double *contracted, *expanded, *correlated; /* [lane][...] */
} Case;

static uint64_t drawn;

static float *random_floats(int64_t n)
{
    float *values = memory_new((size_t)n, sizeof *values, "test");
    for (int64_t i = 0; i < n; i++)
        values[i] = (float)(2 * random_uniform(random_key(11, RANDOM_TEST, 0), drawn++, 0) - 1);
    return values;
}

static double *of_lane(const float *in, int64_t n, int lanes, int lane)
{
    double *values = plain_array(n);
    for (int64_t i = 0; i < n; i++) values[i] = (double)in[i * lanes + lane];
    return values;
}

static void make_case(const ConvShape *shape, const Vector *vector, Case *c)
{
    *c = (Case){.shape = *shape, .vector = vector};
    int lanes = vector->lanes;
    c->big_channels = shape->groups * shape->big_channels;
    c->small_channels = shape->groups * shape->small_channels;
    c->n_weights = c->small_channels * shape->big_channels * 9;
    c->n_small = c->small_channels * shape->rows * shape->cols;
    c->n_big = c->big_channels * (shape->rows + 2) * (shape->cols + 2);
    int64_t most = c->n_big > c->n_small ? c->n_big : c->n_small, room = most > c->n_weights ? most : c->n_weights;
    c->weight = random_floats(c->n_weights);
    c->big = random_floats(c->n_big * lanes);
    c->small = random_floats(c->n_small * lanes);
    c->bias = random_floats(c->big_channels + c->small_channels);
    c->factor = random_floats((c->big_channels + c->small_channels) * lanes);
    c->add = random_floats(most * lanes);
    c->before = random_floats(most * lanes);
    c->total = memory_new((size_t)((c->big_channels + c->small_channels) * lanes), sizeof(float), "test");
    c->joined = memory_new((size_t)(most * lanes), sizeof(float), "test");
    c->out = memory_new((size_t)(room * lanes + GUARD), sizeof(float), "test");
    c->contracted = plain_array(c->n_small * lanes);
    c->expanded = plain_array(c->n_big * lanes);
    c->correlated = plain_array(c->n_weights * lanes);
    double *weight = of_lane(c->weight, c->n_weights, 1, 0);
    for (int lane = 0; lane < lanes; lane++) {
        double *big = of_lane(c->big, c->n_big, lanes, lane), *small = of_lane(c->small, c->n_small, lanes, lane);
        plain_contract(shape, weight, big, c->contracted + lane * c->n_small);
        plain_expand(shape, weight, small, c->expanded + lane * c->n_big);
        plain_gradient(shape, big, small, c->correlated + lane * c->n_weights);
        free(big);
        free(small);
    }
    free(weight);
}

static void free_case(Case *c)
{
    float *const arrays[] = {c->weight, c->big,    c->small,  c->bias,  c->factor,
                             c->add,    c->before, c->joined, c->total, c->out};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) memory_free(arrays[i]);
    free(c->contracted);
    free(c->expanded);
    free(c->correlated);
}

static void describe(const Case *c, const char *what)
{
    fail_msg("%s, %s: %lld groups of %lld big and %lld small channels, %lld x %lld", what, c->vector->name,
             (long long)c->shape.groups, (long long)c->shape.big_channels, (long long)c->shape.small_channels,
             (long long)c->shape.rows, (long long)c->shape.cols);
}

static void prepare(const Case *c, int64_t n)
{
    int lanes = c->vector->lanes;
    memcpy(c->out, c->before, (size_t)(n * lanes) * sizeof(float));
    for (int i = 0; i < GUARD; i++) c->out[n * lanes + i] = UNTOUCHED;
}

static void check_guards(const Case *c, int64_t n, const char *what)
{
    int lanes = c->vector->lanes;
    for (int i = 0; i < GUARD; i++) {
        if (c->out[n * lanes + i] != UNTOUCHED) describe(c, what);
    }
}

static double finished(const ConvFinish *f, double sum, double bias, double factor, double add, double before)
{
    if (f->bias == NULL) bias = 0;
    if (f->factor == NULL) factor = 1;
    if (f->add == NULL) add = 0;
    switch (f->kind) {
    case FINISH_TANH:
        return tanh(factor * (sum + bias));
    case FINISH_LINEAR:
        return factor * (sum + bias + add);
    default:
        return factor * (sum + add) * (1 - before * before);
    }
}

/* The sums of what was stored, over the 1 that stood there. */
static void check_total(const Case *c, int64_t n_channels, int64_t positions)
{
    int lanes = c->vector->lanes;
    for (int64_t i = 0; i < n_channels; i++)
        for (int lane = 0; lane < lanes; lane++) {
            double wanted = 1, size = 1;
            for (int64_t k = 0; k < positions; k++) {
                wanted += (double)c->out[(i * positions + k) * lanes + lane];
                size += fabs((double)c->out[(i * positions + k) * lanes + lane]);
            }
            if (!(fabs((double)c->total[i * lanes + lane] - wanted) <= 1e-6 * size)) describe(c, "total");
        }
}

/* Runs contract or expand with one finish and compares with the plain sums, finished in double. */
static void check_side(const Case *c, int expands, const ConvFinish *finish)
{
    const char *what = expands ? "expand" : "contract";
    int lanes = c->vector->lanes;
    int64_t n = expands ? c->n_big : c->n_small;
    const double *sums = expands ? c->expanded : c->contracted;
    int64_t positions = n / (expands ? c->big_channels : c->small_channels);
    prepare(c, n);
    if (finish->total != NULL)
        for (int64_t i = 0; i < n / positions * lanes; i++) finish->total[i] = 1;
    if (expands)
        c->vector->expand(&c->shape, c->weight, c->small, c->out, finish);
    else
        c->vector->contract(&c->shape, c->weight, c->big, c->out, finish);
    /* terms below 1 in magnitude, at most 9 * 7 of them: a few roundings of the sum's own size */
    double tolerance = 1e-6 * sqrt(9.0 * (double)(expands ? c->shape.small_channels : c->shape.big_channels));
    for (int64_t i = 0; i < n; i++)
        for (int lane = 0; lane < lanes; lane++) {
            int64_t at = i * lanes + lane;
            double wanted =
                finished(finish, sums[lane * n + i], (double)c->bias[i / positions],
                         (double)c->factor[i / positions * lanes + lane], (double)c->add[at], (double)c->before[at]);
            if (!(fabs((double)c->out[at] - wanted) <= tolerance)) describe(c, what);
            if (finish->joined != NULL && bits_of(finish->joined[at]) != bits_of(c->out[at] + c->add[at]))
                describe(c, "joined");
        }
    check_guards(c, n, what);
    if (finish->total != NULL) check_total(c, n / positions, positions);
}

static void check_finishes(const Case *c, int expands)
{
    for (int kind = FINISH_TANH; kind <= FINISH_TANH_GRADIENT; kind++)
        for (int with = 0; with < 8; with++) {
            ConvFinish finish = {.kind = (FinishKind)kind,
                                 .bias = with & 1 ? c->bias : NULL,
                                 .factor = with & 2 ? c->factor : NULL,
                                 .add = with & 4 ? c->add : NULL};
            if (kind == FINISH_TANH && finish.add != NULL) finish.joined = c->joined;
            if (kind == FINISH_TANH_GRADIENT && finish.bias != NULL) continue;
            if (kind == FINISH_TANH_GRADIENT && finish.factor != NULL) finish.total = c->total;
            check_side(c, expands, &finish);
        }
}

static void check_gradient(const Case *c)
{
    int lanes = c->vector->lanes;
    prepare(c, c->n_weights < c->n_small ? c->n_weights : 0); /* overwritten, whatever stands there */
    for (int i = 0; i < GUARD; i++) c->out[c->n_weights * lanes + i] = UNTOUCHED;
    c->vector->gradient(&c->shape, c->big, c->small, c->out);
    double tolerance = 2e-6 * sqrt((double)(c->shape.rows * c->shape.cols)); /* a long sum has many roundings */
    for (int64_t i = 0; i < c->n_weights; i++)
        for (int lane = 0; lane < lanes; lane++)
            if (!(fabs((double)c->out[i * lanes + lane] - c->correlated[lane * c->n_weights + i]) <= tolerance))
                describe(c, "gradient");
    check_guards(c, c->n_weights, "gradient");
}

static void for_all_shapes(void (*check)(const Case *c))
{
    for (int level = 1; level <= vector_level(); level++)
        for (int s = 0; s < N_SIZES; s++)
            for (int pair = 0; pair < N_CHANNELS * N_CHANNELS; pair++) {
                int64_t groups = pair % 3 + 1; /* 1, 2, 3 with every pair of the others over the sizes */
                ConvShape shape = {groups, channels[pair / N_CHANNELS], channels[pair % N_CHANNELS], sizes[s][0],
                                   sizes[s][1]};
                Case c;
                make_case(&shape, vector_of_level(level), &c);
                check(&c);
                free_case(&c);
            }
}

static void contract_all(const Case *c) { check_finishes(c, 0); }

static void expand_all(const Case *c) { check_finishes(c, 1); }

static void contract_agrees_with_plain_loops(void **state)
{
    (void)state;
    for_all_shapes(contract_all);
}

static void expand_agrees_with_plain_loops(void **state)
{
    (void)state;
    for_all_shapes(expand_all);
}

static void gradient_agrees_with_plain_loops(void **state)
{
    (void)state;
    for_all_shapes(check_gradient);
}

static void the_widest_row_fits(void **state)
{
    (void)state;
    for (int level = 1; level <= vector_level(); level++) {
        ConvShape shape = {1, 1, 3, 2, VECTOR_COLUMNS_MAX - 2};
        Case c;
        make_case(&shape, vector_of_level(level), &c);
        check_finishes(&c, 0);
        check_finishes(&c, 1);
        check_gradient(&c);
        free_case(&c);
    }
}

/* A lane's bits depend on that lane alone: the same patch in every lane, and then others beside it. */
static void check_lanes(const Case *c)
{
    int lanes = c->vector->lanes;
    ConvFinish finish = {.kind = FINISH_TANH, .bias = c->bias};
    float *big = memory_new((size_t)(c->n_big * lanes), sizeof *big, "test");
    float *out = memory_new((size_t)(c->n_small * lanes), sizeof *out, "test");
    for (int64_t i = 0; i < c->n_big; i++)
        for (int lane = 0; lane < lanes; lane++) big[i * lanes + lane] = c->big[i * lanes + 1];
    c->vector->contract(&c->shape, c->weight, c->big, c->out, &finish);
    c->vector->contract(&c->shape, c->weight, big, out, &finish);
    for (int64_t i = 0; i < c->n_small; i++)
        for (int lane = 0; lane < lanes; lane++)
            if (bits_of(out[i * lanes + lane]) != bits_of(c->out[i * lanes + 1]))
                describe(c, "a patch's bits in other lanes");
    memory_free(big);
    memory_free(out);
}

static void lanes_never_mix(void **state)
{
    (void)state;
    for_all_shapes(check_lanes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(contract_agrees_with_plain_loops),
        cmocka_unit_test(expand_agrees_with_plain_loops),
        cmocka_unit_test(gradient_agrees_with_plain_loops),
        cmocka_unit_test(the_widest_row_fits),
        cmocka_unit_test(lanes_never_mix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
