/* Which gathers lie at one position, and whose neighbours they are. */
#include "seisdcn/memory.h"
#include "seisdcn/neighbours.h"
#include "seisdcn/survey_places.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { MOST = 12, NONE = POSITION_UNKNOWN };

static int32_t lines[MOST], inlines[MOST], crosslines[MOST];
static char path[] = "survey.h5";

static Survey survey_of(int64_t n, const int32_t position[][3], bool with_lines)
{
    for (int64_t e = 0; e < n; e++) {
        lines[e] = position[e][0];
        inlines[e] = position[e][1];
        crosslines[e] = position[e][2];
    }
    return (Survey){.n_ensembles = n,
                    .inlines = inlines,
                    .crosslines = crosslines,
                    .lines = with_lines ? lines : NULL,
                    .path = path};
}

static void expect(const Survey *survey, const int64_t *units, const int64_t *splits)
{
    int64_t *first;
    assert_int_equal(survey_place_units(survey, &first), STATUS_OK);
    assert_memory_equal(first, units, (size_t)survey->n_ensembles * sizeof *first);
    memory_free(first);
    assert_int_equal(survey_split_units(survey, &first), STATUS_OK);
    assert_memory_equal(first, splits, (size_t)survey->n_ensembles * sizeof *first);
    memory_free(first);
}

static void gathers_of_one_position(void **state)
{
    (void)state;
    static const int32_t position[][3] = {{1, 5, 7}, {1, -1, -1},  {2, 5, 7},       {1, 5, NONE}, {1, NONE, NONE},
                                          {1, 5, 7}, {1, 5, NONE}, {1, NONE, NONE}, {2, 5, 7},    {1, -1, -1}};
    Survey survey = survey_of(10, position, false);
    expect(&survey, (int64_t[]){0, 1, 0, 3, 4, 0, 6, 7, 0, 1}, (int64_t[]){0, 1, 0, 3, 4, 0, 6, 7, 0, 1});
    survey = survey_of(10, position, true);
    expect(&survey, (int64_t[]){0, 1, 2, 3, 4, 0, 6, 7, 2, 1}, (int64_t[]){0, 1, 2, 3, 4, 0, 6, 7, 2, 1});
}

static void what_all_have_tells_nothing(void **state)
{
    (void)state;
    static const int32_t same[][3] = {{1, 1, 1}, {1, 1, 1}, {2, 1, 1}, {2, 1, 1}, {3, 0, 0}, {3, 0, 0}, {3, 0, 1}};
    Survey survey = survey_of(4, same, false);
    expect(&survey, (int64_t[]){0, 0, 0, 0}, (int64_t[]){0, 1, 2, 3});
    survey = survey_of(7, same, true);
    expect(&survey, (int64_t[]){0, 0, 2, 2, 4, 4, 6}, (int64_t[]){0, 1, 2, 3, 4, 4, 6});
    survey = survey_of(7, same, false);
    expect(&survey, (int64_t[]){0, 0, 0, 0, 4, 4, 6}, (int64_t[]){0, 0, 0, 0, 4, 4, 6});
    static const int32_t two[][3] = {{1, 1, 1}, {1, NONE, NONE}, {1, 1, 1}}; /* a file given twice, and another */
    survey = survey_of(3, two, false);
    expect(&survey, (int64_t[]){0, 1, 0}, (int64_t[]){0, 1, 0});
}

static void check_neighbours(const Survey *survey, const int64_t *before, const int64_t *after)
{
    Neighbours neighbours;
    assert_int_equal(neighbours_new(survey, "a test", "", &neighbours), STATUS_OK);
    for (int64_t e = 0; e < survey->n_ensembles; e++) {
        assert_int_equal(neighbours.before[e], before[e]);
        assert_int_equal(neighbours.after[e], after[e]);
    }
    neighbours_free(&neighbours);
}

static void repeats_are_no_neighbours(void **state)
{
    (void)state;
    /* on inline 1: crossline 5 once, 6 three times, 7 twice; on inline 2 one position; unknown ones */
    static const int32_t position[][3] = {{1, 1, 7}, {1, 1, 6}, {1, 2, 6}, {1, 1, 6},    {1, 1, 5},
                                          {1, 1, 7}, {1, 1, 6}, {1, 2, 6}, {1, NONE, 6}, {1, 1, NONE}};
    Survey survey = survey_of(10, position, false);
    check_neighbours(&survey, (int64_t[]){1, 4, -1, 4, -1, 3, 4, -1, -1, -1},
                     (int64_t[]){-1, 0, -1, 5, 1, -1, 5, -1, -1, -1});
    static const int32_t apart[][3] = {{1, 1, 7}, {2, 1, 8}, {1, 1, 8}, {2, 1, 8}};
    survey = survey_of(4, apart, true);
    check_neighbours(&survey, (int64_t[]){-1, -1, 0, -1}, (int64_t[]){2, -1, -1, -1});
}

static void repeats_alone_have_no_neighbour(void **state)
{
    (void)state;
    static const int32_t same[][3] = {{1, 1, 1}, {1, 1, 1}, {1, 2, 1}, {1, 2, 1}};
    Survey survey = survey_of(4, same, false);
    Neighbours neighbours;
    assert_int_equal(neighbours_new(&survey, "a test", "", &neighbours), STATUS_DATA);
    assert_non_null(strstr(status_message(), "no gather has a neighbour"));
    neighbours_free(&neighbours);
    status_clear();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gathers_of_one_position),
        cmocka_unit_test(what_all_have_tells_nothing),
        cmocka_unit_test(repeats_are_no_neighbours),
        cmocka_unit_test(repeats_alone_have_no_neighbour),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
