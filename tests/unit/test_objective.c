/* Which gathers feed a patch, which it is compared with, and which traces it hides. */
#include "seisdcn/objective.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { GATHERS = 9, SAMPLES = 100, SIZE = 16 };

/* Two lines in no order, a gather twice at one place, one alone on its line, two without a position. */
static int32_t lines[GATHERS] = {5, 5, 7, 5, 7, 7, 9, POSITION_UNKNOWN, 5};
static int32_t crosslines[GATHERS] = {30, 10, 2, 20, 2, 1, 4, 3, POSITION_UNKNOWN};
static int64_t first_trace[GATHERS + 1];
static char path[] = "fake.h5";

static Survey make_survey(void)
{
    for (int64_t e = 0; e < GATHERS; e++) first_trace[e + 1] = first_trace[e] + 20 + e;
    return (Survey){.n_ensembles = GATHERS,
                    .n_traces = first_trace[GATHERS],
                    .n_samples = SAMPLES,
                    .first_trace = first_trace,
                    .inlines = lines,
                    .crosslines = crosslines,
                    .path = path};
}

static Objective make(const Survey *survey, ObjectiveRule rule)
{
    Objective objective;
    assert_int_equal(objective_new(&rule, survey, NULL, 2, 1, SIZE, &objective), STATUS_OK);
    return objective;
}

static void neighbours_stand_next_on_their_line(void **state)
{
    (void)state;
    static const int64_t before[GATHERS] = {3, -1, 5, 1, 5, -1, -1, -1, -1}; /* 2 and 4 repeat each other */
    static const int64_t after[GATHERS] = {-1, 3, -1, 0, -1, 2, -1, -1, -1};
    Survey survey = make_survey();
    Objective objective = make(&survey, (ObjectiveRule){.target = TARGET_NEIGHBOUR});
    for (int64_t e = 0; e < GATHERS; e++) {
        int64_t need[OBJECTIVE_NEEDS], source[OBJECTIVE_INPUTS];
        assert_int_equal(objective.neighbours.before[e], before[e]);
        assert_int_equal(objective.neighbours.after[e], after[e]);
        int n = objective_needs(&objective, e, need);
        assert_int_equal(n, 1 + (before[e] >= 0) + (after[e] >= 0));
        assert_int_equal(need[0], e);
        objective_sources(&objective, e, source);
        assert_int_equal(source[0], e);
    }
    assert_int_equal(objective.neighbours.with_two, 1);
    assert_int_equal(objective.neighbours.with_one, 5);
    assert_int_equal(objective.neighbours.with_none, 3);
    objective_free(&objective);
}

static void two_neighbours_feed_blind_gather(void **state)
{
    (void)state;
    static const int64_t wanted[GATHERS][2] = {{3, 3}, {3, 3},   {5, 5},   {1, 0},  {5, 5},
                                               {2, 2}, {-1, -1}, {-1, -1}, {-1, -1}};
    Survey survey = make_survey();
    Objective objective = make(&survey, (ObjectiveRule){.target = TARGET_BLIND_GATHER});
    assert_int_equal(objective_inputs(TARGET_BLIND_GATHER), 2);
    for (int64_t e = 0; e < GATHERS; e++) {
        int64_t source[OBJECTIVE_INPUTS];
        IndexRow row = {e, 1, 2};
        objective_sources(&objective, e, source);
        assert_int_equal(source[0], wanted[e][0]);
        assert_int_equal(source[1], wanted[e][1]);
        assert_int_equal(objective_target(&objective, objective_key(1, 1), &row), e);
    }
    objective_free(&objective);
}

static void sides_are_drawn_by_patch_and_epoch(void **state)
{
    (void)state;
    enum { N = 4000 };
    Survey survey = make_survey();
    Objective objective = make(&survey, (ObjectiveRule){.target = TARGET_NEIGHBOUR});
    int64_t before = 0, same_in_epochs = 0, same_with_seeds = 0, alternate = 0;
    for (int64_t i = 0; i < N; i++) {
        IndexRow row = {3, i % 8, i / 8 % 80}, next = {3, i % 8, i / 8 % 80 + 1}, other = {0, i % 8, i / 8 % 80};
        if (i >= 640) row.trace += 8 * (i / 640);
        next.trace = row.trace;
        int64_t drawn = objective_target(&objective, objective_key(4, 1), &row);
        assert_true(drawn == 1 || drawn == 0);
        assert_int_equal(drawn, objective_target(&objective, objective_key(4, 1), &row));
        assert_int_equal(objective_target(&objective, objective_key(4, 1), &other), 3); /* the only one */
        before += drawn == 1;
        same_in_epochs += drawn == objective_target(&objective, objective_key(4, 2), &row);
        same_with_seeds += drawn == objective_target(&objective, objective_key(5, 1), &row);
        alternate += drawn == objective_target(&objective, objective_key(4, 1), &next);
    }
    const int64_t counts[] = {before, same_in_epochs, same_with_seeds, alternate};
    for (int k = 0; k < 4; k++) assert_in_range(counts[k], N / 2 - 200, N / 2 + 200); /* 6 standard deviations */
    IndexRow alone = {6, 0, 0};
    assert_int_equal(objective_target(&objective, objective_key(4, 1), &alone), -1);
    objective_free(&objective);
}

static void blocks_of_traces_are_hidden(void **state)
{
    (void)state;
    static const struct {
        double hide;
        int64_t block, wanted;
    } cases[] = {{0.125, 1, 2}, {0.25, 1, 4}, {0.25, 2, 4},  {0.2, 3, 3},
                 {1, 1, 16},    {1, 5, 15},   {0.001, 4, 4}, {0.5, 100, 16}};
    Survey survey = make_survey();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Objective objective = make(
            &survey, (ObjectiveRule){.target = TARGET_BLIND_TRACE, .hide = cases[i].hide, .block = cases[i].block});
        int64_t often[SIZE] = {0};
        enum { N = 2000 };
        for (int64_t k = 0; k < N; k++) {
            bool hidden[SIZE];
            IndexRow row = {4, k % 9, k / 9 % 85}, other;
            objective_hide(&objective, objective_key(2, 1 + k / 765), &row, hidden, &other);
            int64_t n = 0, run = 0;
            for (int64_t y = 0; y < SIZE; y++) {
                n += hidden[y];
                often[y] += hidden[y];
                run = hidden[y] ? run + 1 : 0;
                int64_t block = cases[i].block < SIZE ? cases[i].block : SIZE;
                if (y == SIZE - 1 || !hidden[y + 1]) assert_int_equal(run % block, 0); /* they touch, none is cut */
            }
            assert_int_equal(n, cases[i].wanted);
            assert_int_equal(other.ensemble, 4);
            assert_in_range(other.trace, 0, 24 - SIZE);
            assert_in_range(other.sample, 0, SAMPLES - SIZE);
            assert_true(other.sample + SIZE <= row.sample || other.sample >= row.sample + SIZE);
        }
        if (cases[i].block == 1) /* every trace as often */
            for (int64_t y = 0; y < SIZE; y++) {
                double mean = N * (double)cases[i].wanted / SIZE;
                assert_true(often[y] == (int64_t)mean || (often[y] > 0.8 * mean && often[y] < 1.2 * mean));
            }
        objective_free(&objective);
    }
}

static void what_cannot_be_is_refused(void **state)
{
    (void)state;
    Survey survey = make_survey(), other = survey;
    Objective objective;
    int32_t none[GATHERS] = {1, 2, 3, 4, 5, 6, 7, 8, 9}, moved[GATHERS];
    ObjectiveRule neighbour = {.target = TARGET_NEIGHBOUR}, clean = {.target = TARGET_CLEAN};
    other.inlines = none;
    assert_int_equal(objective_new(&neighbour, &other, NULL, 1, 1, SIZE, &objective), STATUS_DATA);
    assert_non_null(strstr(status_message(), "no gather has a neighbour"));
    other.inlines = lines;
    assert_int_equal(objective_new(&clean, &survey, &other, 1, 1, SIZE, &objective), STATUS_OK);
    objective_free(&objective);
    other.n_samples--;
    assert_int_equal(objective_new(&clean, &survey, &other, 1, 1, SIZE, &objective), STATUS_DATA);
    other = survey;
    memcpy(moved, crosslines, sizeof moved);
    moved[5]++;
    other.crosslines = moved;
    assert_int_equal(objective_new(&clean, &survey, &other, 1, 1, SIZE, &objective), STATUS_DATA);
    assert_non_null(strstr(status_message(), "#5"));
    assert_int_equal(objective_new(&clean, &survey, &survey, 2, 2, SIZE, &objective), STATUS_DATA);
    ObjectiveRule blind = {.target = TARGET_BLIND_TRACE, .hide = 0.1, .block = 1};
    assert_int_equal(objective_new(&blind, &survey, NULL, 1, 1, 33, &objective), STATUS_OK);
    objective_free(&objective);
    assert_int_equal(objective_new(&blind, &survey, NULL, 1, 1, 34, &objective), STATUS_CONFIG);
    blind.fill = FILL_ZERO;
    assert_int_equal(objective_new(&blind, &survey, NULL, 1, 1, 34, &objective), STATUS_OK);
    objective_free(&objective);
    status_clear();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(neighbours_stand_next_on_their_line), cmocka_unit_test(two_neighbours_feed_blind_gather),
        cmocka_unit_test(sides_are_drawn_by_patch_and_epoch),  cmocka_unit_test(blocks_of_traces_are_hidden),
        cmocka_unit_test(what_cannot_be_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
