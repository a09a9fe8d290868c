/* Tests of survey/attribute against the plain discrete Fourier transform in double, and against what is known of
 * cosines. */
#include "seisdcn/attribute.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const double PI = 3.14159265358979323846;

enum { TRACES = 5, LONGEST = 210 };

static uint64_t drawn = 1;

/* A number in -1 .. 1. */
static double draw(void)
{
    drawn = drawn * 6364136223846793005u + 1442695040888963407u;
    return (double)(int32_t)(drawn >> 32) / 2147483648.0;
}

/* Traces with what is hard: decades of magnitude, a mute, a dead trace, a spike, a mean. */
static void fill(float *in, int64_t n)
{
    for (int64_t t = 0; t < TRACES; t++)
        for (int64_t k = 0; k < n; k++) {
            double value = draw() * pow(10, 3.0 * (double)k / (double)n - 1);
            if (t == 1 && k < n / 3) value = 0;
            if (t == 2) value = 0;
            if (t == 3) value = k == n / 2 ? -7e4 : 0;
            if (t == 4) value += 100;
            in[t * n + k] = (float)value;
        }
}

/* r(f / edge) of attribute.h, once more. */
static double rise(double f, double edge)
{
    double u = edge == 0 ? 2 : f / edge;
    return u <= 0.8 ? 0 : u >= 1.2 ? 1 : (1 - cos(PI * (u - 0.8) / 0.4)) / 2;
}

static int64_t padded_length(int64_t n)
{
    for (int64_t length = 2 * n;; length++) {
        int64_t rest = length;
        for (int64_t prime = 2; prime <= 7; prime++)
            while (rest % prime == 0) rest /= prime;
        if (length % 2 == 0 && rest == 1) return length;
    }
}

/* The analytic signal of a trace, or of its band: out [n][2], by sums over all frequencies of a trace of zeros' length.
 */
static void plain(const float *in, int64_t n, const AttributeRule *rule, double interval_us, double *out)
{
    int64_t length = padded_length(n);
    memset(out, 0, 2 * (size_t)n * sizeof *out);
    for (int64_t k = 0; k <= length / 2; k++) {
        double re = 0, im = 0, f = (double)k * 1e6 / ((double)length * interval_us);
        for (int64_t i = 0; i < n; i++) {
            double angle = -2 * PI * (double)(k * i % length) / (double)length;
            re += (double)in[i] * cos(angle);
            im += (double)in[i] * sin(angle);
        }
        /* the positive frequencies twice, the negative ones not at all */
        double factor = (k == 0 || k == length / 2 ? 1.0 : 2.0) / (double)length;
        if (rule->kind == ATTRIBUTE_BAND) factor *= rise(f, rule->low) - rise(f, rule->high);
        for (int64_t i = 0; i < n; i++) {
            double angle = 2 * PI * (double)(k * i % length) / (double)length;
            out[2 * i] += factor * (re * cos(angle) - im * sin(angle));
            out[2 * i + 1] += factor * (re * sin(angle) + im * cos(angle));
        }
    }
}

/* The number that attribute `rule` has at a sample of value x. */
static double value_of(const AttributeRule *rule, double x, const double analytic[2])
{
    double magnitude = hypot(x, analytic[1]);
    if (rule->kind == ATTRIBUTE_BAND) return analytic[0];
    return rule->kind == ATTRIBUTE_ENVELOPE ? magnitude : magnitude == 0 ? 0 : x / magnitude;
}

static void start(const AttributeRule *rule, int n, int64_t n_samples, double interval_us, AttributeWork *work)
{
    Status status = attribute_new(rule, n, n_samples, interval_us, work);
    if (status == STATUS_USAGE) skip(); /* built without FFTW */
    assert_int_equal(status, STATUS_OK);
}

static void attributes_are_those_of_the_plain_transform(void **state)
{
    (void)state;
    static const int64_t lengths[] = {1, 2, 7, 64, 101, LONGEST};
    static float in[TRACES * LONGEST], out[6 * TRACES * LONGEST];
    static double analytic[2 * LONGEST];
    AttributeRule rule[ATTRIBUTE_RULES_MAX];
    int n;
    assert_int_equal(attribute_parse("envelope,band:10-20,cosphase,band:0-10,band:20-62.5,band:30-31.25", rule, &n),
                     STATUS_OK);
    for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++) {
        int64_t samples = lengths[l];
        AttributeWork work;
        start(rule, n, samples, 8000, &work);
        for (int twice = 0; twice < 2; twice++) { /* nothing stays from the traces before */
            fill(in, samples);
            attribute_traces(&work, in, TRACES, out);
        }
        for (int64_t t = 0; t < TRACES; t++) {
            double largest = 0, tolerance;
            for (int64_t k = 0; k < samples; k++) largest = fmax(largest, fabs((double)in[t * samples + k]));
            for (int i = 0; i < n; i++) {
                plain(in + t * samples, samples, &rule[i], 8000, analytic);
                for (int64_t k = 0; k < samples; k++) {
                    double x = (double)in[t * samples + k], found = (double)out[(i * TRACES + t) * samples + k];
                    double wanted = value_of(&rule[i], x, analytic + 2 * k);
                    /* to a float's rounding; what the double sums leave of the largest sample counts where it is all */
                    tolerance = 6e-8 * fabs(wanted) + 1e-12 * largest;
                    if (rule[i].kind == ATTRIBUTE_COSPHASE)
                        tolerance = 1e-7 + 1e-12 * largest / (hypot(x, analytic[2 * k + 1]) + 1e-300);
                    assert_true(fabs(found - wanted) <= tolerance);
                    if (rule[i].kind == ATTRIBUTE_COSPHASE) assert_true(fabs(found) <= 1 && (x != 0 || found == 0));
                    if (t == 2) assert_true(found == 0 && !signbit(found));
                }
            }
        }
        attribute_free(&work);
    }
}

/* A cosine of 25 Hz: its envelope is its amplitude, the cosine of its phase is itself, and its band passes it whole. */
static void a_cosine_is_known(void **state)
{
    (void)state;
    enum { SAMPLES = 1000 };
    static float in[SAMPLES], out[4 * SAMPLES];
    AttributeRule rule[ATTRIBUTE_RULES_MAX];
    AttributeWork work;
    int n;
    assert_int_equal(attribute_parse("envelope,cosphase,band:20-40,band:40-80", rule, &n), STATUS_OK);
    start(rule, n, SAMPLES, 4000, &work);
    for (int64_t k = 0; k < SAMPLES; k++) in[k] = (float)(300 * cos(2 * PI * 25 * 0.004 * (double)k + 1));
    attribute_traces(&work, in, 1, out);
    for (int64_t k = 200; k < SAMPLES - 200; k++) { /* far from the ends, where the cosine stops */
        double wanted = cos(2 * PI * 25 * 0.004 * (double)k + 1);
        assert_true(fabs((double)out[k] / 300 - 1) < 0.01);
        assert_true(fabs((double)out[SAMPLES + k] - wanted) < 0.01);
        assert_true(fabs((double)out[2 * SAMPLES + k] / 300 - wanted) < 0.01);
        assert_true(fabs((double)out[3 * SAMPLES + k]) / 300 < 0.01);
    }
    attribute_free(&work);
}

/* Bands that meet, from 0 to far above what the trace holds, are the trace again; an edge passes half. */
static void bands_that_meet_add_up(void **state)
{
    (void)state;
    static float in[TRACES * LONGEST], out[4 * TRACES * LONGEST];
    AttributeRule rule[ATTRIBUTE_RULES_MAX];
    AttributeWork work;
    int n;
    assert_int_equal(attribute_parse("band:0-12.5,band:12.5-40,band:40-125,band:0-125", rule, &n), STATUS_OK);
    fill(in, LONGEST);
    start(rule, n, LONGEST, 4000, &work);
    attribute_traces(&work, in, TRACES, out);
    for (int64_t k = 0; k < TRACES * LONGEST; k++) {
        double parts[4];
        for (int i = 0; i < 4; i++) parts[i] = (double)out[i * TRACES * LONGEST + k];
        assert_true(fabs(parts[0] + parts[1] + parts[2] - parts[3]) <= 2e-7 * (fabs(parts[3]) + 1e5));
    }
    assert_int_equal(work.padded, 420);
    assert_true(fabs(work.response[work.padded / 20] - 0.5) < 1e-12); /* of both bands at their edge, 12.5 Hz */
    assert_true(fabs(work.response[work.padded / 2 + 1 + work.padded / 20] - 0.5) < 1e-12);
    assert_true(work.response[work.padded / 2 + 1 + work.padded / 10] == 1); /* at 25 Hz, within the second */
    attribute_free(&work);
}

/* ---- names ---- */

static void names_sort_by_frequency(void **state)
{
    (void)state;
    AttributeRule rule[ATTRIBUTE_RULES_MAX];
    char text[ATTRIBUTE_TEXT_MAX];
    int n;
    assert_int_equal(attribute_parse("band:2-5,band:2-10,band:2.5-5,band:2.55-5,band:3-5,band:20-40,band:100-200.125,"
                                     "cosphase,envelope",
                                     rule, &n),
                     STATUS_OK);
    static const char *const names[] = {"band_002_005",     "band_002_010", "band_002p500_005",
                                        "band_002p550_005", "band_003_005", "band_020_040",
                                        "band_100_200p125", "cosphase",     "envelope"};
    assert_int_equal(n, 9);
    for (int i = 0; i < n; i++) {
        assert_string_equal(rule[i].name, names[i]);
        if (i > 0) assert_true(strcmp(rule[i - 1].name, rule[i].name) < 0);
        assert_int_equal(attribute_shares_scale(&rule[i]), rule[i].kind != ATTRIBUTE_COSPHASE);
    }
    assert_string_equal(attribute_describe(&rule[2], text), "band-pass 2.5-5 Hz");
}

static void refuse(const char *list, const char *word)
{
    AttributeRule rule[ATTRIBUTE_RULES_MAX];
    int n;
    assert_int_equal(attribute_parse(list, rule, &n), STATUS_USAGE);
    if (strstr(status_message(), word) == NULL) fail_msg("%s: '%s' is not in '%s'", list, word, status_message());
    status_clear();
}

static void what_is_no_attribute_is_named(void **state)
{
    (void)state;
    refuse("", "missing");
    refuse("envelope,", "missing");
    refuse(",envelope", "missing");
    refuse("envelop", "did you mean envelope?");
    refuse("phase", "envelope, cosphase and band:LO-HI");
    refuse("envelope,cosphase,envelope", "twice");
    refuse("band:10-20,band:10.0-20", "twice");
    static const char *const wrong[] = {"band",        "band:",           "band:10",      "band:10-",    "band:-10-20",
                                        "band:20-10",  "band:10-10",      "band:a-b",     "band:1e1-20", "band:10-20Hz",
                                        "band:10--20", "band:10.0001-20", "band:10-1000", "band: 10-20", "band:nan-20"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) refuse(wrong[i], "band:");
    char many[40 * 16] = "";
    for (int i = 0; i < 33; i++) {
        char one[16];
        snprintf(one, sizeof one, "%sband:%d-99", i == 0 ? "" : ",", i);
        strcat(many, one);
    }
    refuse(many, "more than 32");
}

static void bands_want_a_sample_interval(void **state)
{
    (void)state;
    AttributeRule rule[ATTRIBUTE_RULES_MAX];
    int n;
    assert_int_equal(attribute_parse("envelope,cosphase", rule, &n), STATUS_OK);
    assert_int_equal(attribute_check_bands(rule, n, 0, "s.h5"), STATUS_OK);
    assert_int_equal(attribute_parse("envelope,band:10-125", rule, &n), STATUS_OK);
    assert_int_equal(attribute_check_bands(rule, n, 4000, "s.h5"), STATUS_OK);
    assert_int_equal(attribute_check_bands(rule, n, 0, "s.h5"), STATUS_DATA);
    assert_non_null(strstr(status_message(), "--interval-us"));
    assert_int_equal(attribute_check_bands(rule, n, 4001, "s.h5"), STATUS_USAGE);
    assert_non_null(strstr(status_message(), "s.h5"));
    status_clear();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attributes_are_those_of_the_plain_transform),
        cmocka_unit_test(a_cosine_is_known),
        cmocka_unit_test(bands_that_meet_add_up),
        cmocka_unit_test(names_sort_by_frequency),
        cmocka_unit_test(what_is_no_attribute_is_named),
        cmocka_unit_test(bands_want_a_sample_interval),
    };
    return cmocka_run_group_tests_name("attribute", tests, NULL, NULL);
}
