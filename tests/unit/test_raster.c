/* Tests of kernel/raster. */
#include "seisdcn/memory.h"
#include "seisdcn/random.h"
#include "seisdcn/raster.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const RandomKey key = {{1, 2}};

static int compare(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* Against sorting, with ties, zeros and both signs. */
static void percentiles(void **state)
{
    (void)state;
    enum { MOST = 500 };
    float values[MOST], sorted[MOST], work[MOST];
    for (int64_t n = 1; n <= MOST; n += n < 20 ? 1 : 37) {
        int64_t live = 0;
        for (int64_t i = 0; i < n; i++) {
            values[i] = (float)(random_below(key, n < 100 ? 7 : 100000, (uint64_t)n, (uint64_t)i) - 3);
            if (values[i] != 0) sorted[live++] = fabsf(values[i]);
        }
        qsort(sorted, (size_t)live, sizeof *sorted, compare);
        static const double percents[] = {1e-9, 1, 50, 90, 99, 99.99, 100};
        for (size_t p = 0; p < sizeof percents / sizeof *percents; p++) {
            float found = raster_percentile(n, values, percents[p], work);
            if (live == 0) {
                assert_true(found == 0);
                continue;
            }
            int64_t below = 0, least = (int64_t)ceil(percents[p] / 100 * (double)live);
            for (int64_t i = 0; i < live; i++) below += sorted[i] <= found;
            assert_true(found == sorted[(least < 1 ? 1 : least) - 1]);
            assert_true(below >= least);
        }
    }
    memset(values, 0, sizeof values);
    assert_true(raster_percentile(MOST, values, 99, work) == 0);
    for (int i = 0; i < MOST; i++) values[i] = 1; /* all equal: no quadratic time, no end missed */
    assert_true(raster_percentile(MOST, values, 99, work) == 1);
}

/* A cell's mean is the integral of the gather's steps over it. */
static void means_over_areas(void **state)
{
    (void)state;
    enum { TRACES = 5, SAMPLES = 7, FINE = 36 };
    float gather[TRACES * SAMPLES], cells[12 * 12];
    for (int i = 0; i < TRACES * SAMPLES; i++) gather[i] = (float)random_normal(key, 9, (uint64_t)i);
    for (int columns = 1; columns <= 12; columns++)
        for (int rows = 1; rows <= 12; rows++) {
            raster_lay(TRACES, SAMPLES, gather, columns, rows, cells);
            /* the same by points: where TRACES * columns divides the points, they hit the cells' borders */
            for (int row = 0; row < rows; row++)
                for (int column = 0; column < columns; column++) {
                    double sum = 0;
                    for (int y = 0; y < FINE * SAMPLES; y++)
                        for (int x = 0; x < FINE * TRACES; x++) {
                            int t = (int)((column + (x + 0.5) / (FINE * TRACES)) * TRACES / columns);
                            int s = (int)((row + (y + 0.5) / (FINE * SAMPLES)) * SAMPLES / rows);
                            sum += (double)gather[t * SAMPLES + s];
                        }
                    double mean = sum / (FINE * TRACES) / (FINE * SAMPLES);
                    assert_true(fabs(mean - (double)cells[row * columns + column]) < 1e-5);
                }
        }
}

static void copies_and_repeats(void **state)
{
    (void)state;
    const float gather[6] = {1, 2, 3, 4, 5, 6}; /* 2 traces of 3 samples */
    float cells[24];
    raster_lay(2, 3, gather, 2, 3, cells);
    const float same[6] = {1, 4, 2, 5, 3, 6};
    assert_memory_equal(cells, same, sizeof same);
    raster_lay(2, 3, gather, 4, 6, cells);
    for (int row = 0; row < 6; row++)
        for (int column = 0; column < 4; column++)
            assert_true(cells[row * 4 + column] == gather[column / 2 * 3 + row / 2]);
    raster_lay(2, 3, gather, 1, 1, cells);
    assert_true(fabsf(cells[0] - 3.5F) < 1e-6F);
}

static void gains(void **state)
{
    (void)state;
    enum { N = 200, WINDOW = 21 };
    float trace[N], factor[N];
    RasterSum work[N + 1];
    double least = 0;
    int live = 0;
    /* a mute; then its edge, weak samples, a zero among them, and strong ones */
    for (int i = 0; i < N; i++)
        trace[i] = i < 60 ? 0 : (float)(random_normal(key, 5, (uint64_t)i) * (i < 130 ? 1 : 1e4));
    trace[150] = 0;
    for (int i = 0; i < N; i++) {
        least += (double)trace[i] * (double)trace[i];
        live += trace[i] != 0;
    }
    least = 0.01 * sqrt(least / live);
    raster_gain(N, WINDOW, trace, factor, work);
    for (int i = 0; i < N; i++) {
        double energy = 0;
        int count = 0;
        for (int j = i - WINDOW / 2; j <= i + WINDOW / 2; j++)
            if (j >= 0 && j < N && trace[j] != 0) {
                energy += (double)trace[j] * (double)trace[j];
                count++;
            }
        double rms = count == 0 ? 0 : sqrt(energy / count);
        if (i == 60 || i == 100) assert_true(rms < least);
        if (i == 180) assert_true(rms > least);
        if (trace[i] == 0)
            assert_true(factor[i] == 0);
        else
            assert_true(fabs((double)factor[i] * fmax(rms, least) - 1) < 1e-5);
    }
    raster_gain(N, 1000000, trace, factor, work); /* wider than the trace: one factor */
    assert_true(factor[0] == 0 && factor[60] == factor[N - 1] && factor[60] > 0);
    memset(trace, 0, sizeof trace);
    raster_gain(N, WINDOW, trace, factor, work);
    for (int i = 0; i < N; i++) assert_true(factor[i] == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(percentiles),
        cmocka_unit_test(means_over_areas),
        cmocka_unit_test(copies_and_repeats),
        cmocka_unit_test(gains),
    };
    return cmocka_run_group_tests_name("raster", tests, NULL, NULL);
}
