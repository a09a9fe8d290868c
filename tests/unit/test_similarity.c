/* Tests of kernel/similarity against its definition, solved densely. */
#include "seisdcn/memory.h"
#include "seisdcn/random.h"
#include "seisdcn/similarity.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MOST = 80 };

/* The triangle of a radius with even reflection, written down: weight of item j in the smooth item i, of n. */
static double triangle(int64_t n, int64_t radius, int64_t i, int64_t j)
{
    double width = (double)(2 * radius + 1), sum = 0;
    for (int64_t d = -2 * radius; d <= 2 * radius; d++) {
        int64_t k = i + d; /* reflected until it is inside */
        while (k < 0 || k >= n) k = k < 0 ? -1 - k : 2 * n - 1 - k;
        if (k == j) sum += (width - fabs((double)d)) / (width * width);
    }
    return sum;
}

static double smoothing(const SimilarityShape *shape, int64_t i, int64_t j)
{
    int64_t m = shape->n_samples;
    return triangle(shape->n_traces, shape->radius_traces, i / m, j / m) *
           triangle(m, shape->radius_samples, i % m, j % m);
}

/* x of matrix [n][n] x = right, by elimination with pivots; both are destroyed. */
static void solve(int64_t n, double *matrix, double *right)
{
    for (int64_t c = 0; c < n; c++) {
        int64_t pivot = c;
        for (int64_t r = c; r < n; r++)
            if (fabs(matrix[r * n + c]) > fabs(matrix[pivot * n + c])) pivot = r;
        for (int64_t k = 0; k < n; k++) {
            double held = matrix[c * n + k];
            matrix[c * n + k] = matrix[pivot * n + k];
            matrix[pivot * n + k] = held;
        }
        double held = right[c];
        right[c] = right[pivot];
        right[pivot] = held;
        for (int64_t r = 0; r < n; r++) {
            if (r == c) continue;
            double factor = matrix[r * n + c] / matrix[c * n + c];
            for (int64_t k = c; k < n; k++) matrix[r * n + k] -= factor * matrix[c * n + k];
            right[r] -= factor * right[c];
        }
    }
    for (int64_t r = 0; r < n; r++) right[r] /= matrix[r * n + r];
}

/* c = [l^2 I + T (B^2 - l^2 I)]^-1 T B a as it stands in the papers. */
static void dense_ratio(const SimilarityShape *shape, const float *a, const float *b, double *ratio)
{
    int64_t n = shape->n_traces * shape->n_samples;
    static double matrix[MOST * MOST];
    double square = 0;
    for (int64_t i = 0; i < n; i++) square += (double)b[i] * (double)b[i] / (double)n;
    for (int64_t i = 0; i < n; i++) {
        ratio[i] = 0;
        for (int64_t j = 0; j < n; j++) {
            double t = smoothing(shape, i, j);
            ratio[i] += t * (double)b[j] * (double)a[j];
            matrix[i * n + j] = t * ((double)b[j] * (double)b[j] - square) + (i == j ? square : 0);
        }
    }
    solve(n, matrix, ratio);
}

static void fill(int64_t n, uint64_t seed, double scale, float *x)
{
    for (int64_t i = 0; i < n; i++) x[i] = (float)(scale * random_normal((RandomKey){{7, 7}}, seed, (uint64_t)i));
}

static const SimilarityShape shapes[] = {{6, 13, 1, 2},  {1, 80, 0, 3}, {40, 1, 2, 0}, {5, 16, 0, 0},
                                         {7, 11, 9, 30}, {8, 10, 2, 1}, {1, 1, 1, 1}};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static void smooths_by_triangles(void **state)
{
    (void)state;
    double x[MOST], truth[MOST], work[2 * MOST];
    for (int i = 0; i < SHAPES; i++) {
        const SimilarityShape *shape = &shapes[i];
        int64_t n = shape->n_traces * shape->n_samples;
        assert_true(n <= MOST);
        for (int64_t k = 0; k < n; k++) x[k] = random_normal((RandomKey){{1, 1}}, (uint64_t)i, (uint64_t)k);
        for (int64_t k = 0; k < n; k++) {
            truth[k] = 0;
            for (int64_t j = 0; j < n; j++) truth[k] += smoothing(shape, k, j) * x[j];
        }
        similarity_smooth(shape, x, work);
        similarity_smooth(shape, x, work);
        for (int64_t k = 0; k < n; k++) assert_true(fabs(x[k] - truth[k]) < 1e-12);
    }
}

static void ratios_are_the_dense_ones(void **state)
{
    (void)state;
    float a[MOST], b[MOST];
    double truth[MOST], ratio[MOST];
    for (int i = 0; i < SHAPES; i++) {
        const SimilarityShape *shape = &shapes[i];
        int64_t n = shape->n_traces * shape->n_samples;
        double *work = memory_new((size_t)similarity_work(shape), sizeof *work, "a test");
        assert_non_null(work);
        fill(n, 10 + (uint64_t)i, 1, a);
        fill(n, 90 + (uint64_t)i, 1e-3, b);
        for (int64_t k = 0; k < n; k++) b[k] += 0.002F * a[k];
        bool smooths = shape->radius_traces + shape->radius_samples > 0 && n > 1;
        for (int64_t k = 0; smooths && k < n; k += 7) b[k] = 0; /* as in a mute */
        dense_ratio(shape, a, b, truth);
        assert_true(similarity_ratio(shape, a, b, ratio, work) > 0);
        double largest = 0;
        for (int64_t k = 0; k < n; k++) largest = fmax(largest, fabs(truth[k]));
        assert_true(largest > 0);
        for (int64_t k = 0; k < n; k++) assert_true(fabs(ratio[k] - truth[k]) < 1e-4 * largest);
        memory_free(work);
    }
}

/* What similarity must say: 1 of a gather and a multiple of it, of either sign; little of independent noise; 0 where
 * one is zero; the same both ways and for any scale. */
static void similarities(void **state)
{
    (void)state;
    enum { TRACES = 20, SAMPLES = 60, N = TRACES * SAMPLES };
    const SimilarityShape shape = {TRACES, SAMPLES, 4, 6};
    static float a[N], b[N], there[N], back[N], scaled[N];
    double *work = memory_new((size_t)similarity_work(&shape), sizeof *work, "a test");
    assert_non_null(work);
    fill(N, 1, 1, a);
    fill(N, 2, 1, b);
    for (int sign = -1; sign <= 1; sign += 2) {
        for (int i = 0; i < N; i++) scaled[i] = (float)sign * 0.3F * a[i];
        similarity_local(&shape, a, scaled, there, work);
        for (int i = 0; i < N; i++) assert_true(fabsf(there[i] - 1) < 1e-3F);
    }
    similarity_local(&shape, a, b, there, work);
    similarity_local(&shape, b, a, back, work);
    double mean = 0;
    for (int i = 0; i < N; i++) mean += (double)there[i] / N;
    assert_memory_equal(there, back, sizeof there);
    assert_true(mean < 0.2);
    for (int i = 0; i < N; i++) scaled[i] = 1e30F * b[i];
    similarity_local(&shape, a, scaled, back, work);
    for (int i = 0; i < N; i++) assert_true(fabsf(there[i] - back[i]) < 1e-4F);
    /* alike in the upper half only */
    for (int i = 0; i < N; i++) scaled[i] = i % SAMPLES < SAMPLES / 2 ? a[i] : b[i];
    similarity_local(&shape, a, scaled, there, work);
    double upper = 0, lower = 0;
    for (int i = 0; i < N; i++) {
        if (i % SAMPLES < SAMPLES / 4) upper += (double)there[i] / N * 4;
        if (i % SAMPLES >= 3 * SAMPLES / 4) lower += (double)there[i] / N * 4;
    }
    assert_true(upper > 0.9 && lower < 0.3);
    memset(b, 0, sizeof b);
    similarity_local(&shape, a, b, there, work);
    for (int i = 0; i < N; i++) assert_true(there[i] == 0);
    similarity_local(&shape, b, b, there, work);
    for (int i = 0; i < N; i++) assert_true(there[i] == 0);
    memory_free(work);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(smooths_by_triangles),
        cmocka_unit_test(ratios_are_the_dense_ones),
        cmocka_unit_test(similarities),
    };
    return cmocka_run_group_tests_name("similarity", tests, NULL, NULL);
}
