/* Tests of format/sgy_plausible: right codes are believed whatever the data, wrong ones of field-like data are found.
 */
#include "seisdcn/sgy_plausible.h"
#include "seisdcn/sgy_sample.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { N = 8000, TRACE = 400 };

static const int formats[] = {SGY_IBM, SGY_IEEE, SGY_INT32};
static float values[N];
static uint8_t raw[4 * N];
static uint64_t state_of_random;

static double uniform(void)
{
    state_of_random = state_of_random * 6364136223846793005u + 1442695040888963407u;
    return ((double)(state_of_random >> 11) + 0.5) * 0x1p-53;
}

static double normal(void) { return sqrt(-2 * log(uniform())) * cos(6.283185307179586 * uniform()); }

typedef enum {
    WHITE,
    SMOOTH,
    DECAYING,
    SPIKY,
    UNIFORM,
    WHOLE,
    FEW,
    SQUARE,
    POSITIVE,
    MOSTLY_ZERO,
    MUTED,
    ZEROS,
    KINDS
} Kind;

/* Samples of a kind, times scale. */
static void fill(Kind kind, double scale)
{
    double before = 0;
    for (int i = 0; i < N; i++) {
        int s = i % TRACE;
        before = 0.9 * before + normal();
        double value = kind == WHITE         ? normal()
                       : kind == SMOOTH      ? before
                       : kind == DECAYING    ? before * pow(10, -4.0 * s / TRACE)
                       : kind == SPIKY       ? normal() * (uniform() < 0.001 ? 1e7 : 1)
                       : kind == UNIFORM     ? 2 * uniform() - 1
                       : kind == WHOLE       ? rint(300 * normal())
                       : kind == FEW         ? rint(3 * normal())
                       : kind == SQUARE      ? (s / 20 % 2 == 0 ? 1 : -1)
                       : kind == POSITIVE    ? 5 + uniform()
                       : kind == MOSTLY_ZERO ? (uniform() < 0.02 ? normal() : 0)
                       : kind == MUTED       ? (s < TRACE / 2 ? 0 : normal())
                                             : 0;
        values[i] = (float)(value * scale);
    }
}

static SgyPlausible judge(int format, bool big)
{
    SgyPlausible verdict;
    assert_int_equal(sgy_plausible(format, big, raw, N, &verdict), STATUS_OK);
    return verdict;
}

/* No right file is doubted, whatever its data and their scale; both byte orders. */
static void right_codes_are_believed(void **state)
{
    (void)state;
    static const double scales[] = {1, 1e-3, 0.37, 1e4, 1e6, 3e-20, 1e-36, 1e30};
    for (int kind = 0; kind < KINDS; kind++)
        for (size_t k = 0; k < sizeof scales / sizeof *scales; k++)
            for (int f = 0; f < 3; f++)
                for (int big = 0; big < 2; big++) {
                    if (formats[f] == SGY_INT32 && (scales[k] < 100 || scales[k] > 1e8)) continue;
                    fill((Kind)kind, scales[k]);
                    sgy_encode(formats[f], big, values, N, raw);
                    SgyPlausible verdict = judge(formats[f], big);
                    if (verdict.format != formats[f] || verdict.big != (bool)big)
                        fail_msg("kind %d, scale %g, format %d: %d (%s)", kind, scales[k], formats[f], verdict.format,
                                 verdict.reason);
                }
}

/* NaN that people pad with does not count; nor do samples of one, two or eight bytes. */
static void padding_and_other_formats(void **state)
{
    (void)state;
    fill(WHITE, 1);
    for (int i = 0; i < N / 2; i++) values[i] = i % 2 == 0 ? NAN : INFINITY;
    sgy_encode(SGY_IEEE, true, values, N, raw);
    assert_int_equal(judge(SGY_IEEE, true).format, SGY_IEEE);
    assert_int_equal(judge(SGY_IBM, true).format, SGY_IEEE);
    for (int i = 0; i < N; i++) raw[i] = (uint8_t)(256 * uniform());
    SgyPlausible verdict;
    for (int format = 6; format < 17; format++) {
        assert_int_equal(sgy_plausible(format, true, raw, N / 8, &verdict), STATUS_OK);
        assert_int_equal(verdict.format, format);
    }
}

static void wrong_codes_are_found(void **state)
{
    (void)state;
    static const Kind kinds[] = {WHITE, SMOOTH, DECAYING, SPIKY, MUTED};
    static const double scales[] = {1, 1e-3, 0.37, 1e4, 1e6};
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
        for (size_t s = 0; s < sizeof scales / sizeof *scales; s++)
            for (int f = 0; f < 3; f++)
                for (int big = 0; big < 2; big++) {
                    bool whole = formats[f] == SGY_INT32;
                    if (whole && (scales[s] < 1e4 || kinds[k] == SPIKY)) continue; /* beyond its range */
                    fill(kinds[k], scales[s]);
                    sgy_encode(formats[f], big, values, N, raw);
                    for (int wrong = 0; wrong < 3; wrong++) {
                        if (wrong == f) continue;
                        SgyPlausible verdict = judge(formats[wrong], big);
                        if (verdict.format != formats[f] || verdict.big != (bool)big || verdict.reason[0] == '\0')
                            fail_msg("kind %d, scale %g: format %d coded %d is taken for %d", (int)kinds[k], scales[s],
                                     formats[f], formats[wrong], verdict.format);
                    }
                }
}

/* Floats in the other byte order than the headers. */
static void turned_samples_are_found(void **state)
{
    (void)state;
    for (int f = 0; f < 2; f++)
        for (int big = 0; big < 2; big++) {
            fill(SMOOTH, 10);
            sgy_encode(formats[f], big, values, N, raw);
            SgyPlausible verdict = judge(formats[f], !big);
            assert_int_equal(verdict.format, formats[f]);
            assert_int_equal(verdict.big, big);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(right_codes_are_believed),
        cmocka_unit_test(padding_and_other_formats),
        cmocka_unit_test(wrong_codes_are_found),
        cmocka_unit_test(turned_samples_are_found),
    };
    return cmocka_run_group_tests_name("sgy_plausible", tests, NULL, NULL);
}
