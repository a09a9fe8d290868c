#include "seisdcn/sgy_plausible.h"

#include "seisdcn/files.h"
#include "seisdcn/memory.h"
#include "seisdcn/sgy_sample.h"
#include "seisdcn/sgy_span.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    WORDS_MIN = 256, /* not zero: fewer tell nothing */
    DIFFERENT_MIN = 100,
    MAGNITUDES_MIN = 4,
    BINS = 640, /* of log2 of a magnitude, from 2^-320 on */
    LOWEST = -320,
    ABSURD = 100,  /* magnitudes beyond 2^100 or below 2^-100 (1e30, 1e-30) */
    TRACES = 64,   /* of a file that are looked at, */
    SAMPLES = 4096 /* so many samples of each */
};

/* ---- one reading of the words ---- */

typedef struct {
    int64_t n;           /* words that are not zero */
    int64_t absurd;      /* not finite, or beyond any use */
    int64_t bin[BINS];   /* numbers of each magnitude */
    int64_t below[BINS]; /* and of these, numbers below zero */
    int64_t changes;     /* of sign, from one to the next */
} Reading;

static bool is_integer(int format) { return format == SGY_INT32 || format == SGY_UINT32; }

static bool is_judged(int format) { return format == SGY_IBM || format == SGY_IEEE || is_integer(format); }

/* What a word stands for (unsigned integers are taken for signed ones, which they are mistaken for); NaN for what is
 * left out: a zero, or the NaN and infinity that people pad with. */
static double value_of(int format, uint32_t word)
{
    if (is_integer(format)) return word == 0 ? NAN : (double)(int32_t)word;
    if ((word & 0x7fffffff) == 0) return NAN;
    if (format == SGY_IBM)
        return ldexp((word >> 31) != 0 ? -(double)(word & 0xffffff) : (double)(word & 0xffffff),
                     4 * ((int)(word >> 24 & 0x7f) - 64) - 24);
    bool padding = (word & 0x7fffffff) == 0x7fc00000 || (word & 0x7fffffff) == 0x7f800000;
    float value;
    memcpy(&value, &word, sizeof value);
    return padding ? NAN : !isfinite(value) ? INFINITY : (double)value;
}

static void read_words(int format, const uint32_t *word, int64_t n, Reading *reading)
{
    memset(reading, 0, sizeof *reading);
    double before = 0;
    for (int64_t i = 0; i < n; i++) {
        double value = value_of(format, word[i]);
        int exponent = 0;
        if (isnan(value)) continue;
        reading->n++;
        if (value == 0 || isinf(value)) { /* an IBM float without digits */
            reading->absurd++;
            continue;
        }
        frexp(value, &exponent);
        reading->absurd += !is_integer(format) && abs(exponent) > ABSURD;
        int bin = exponent - LOWEST;
        bin = bin < 0 ? 0 : bin >= BINS ? BINS - 1 : bin;
        reading->bin[bin]++;
        reading->below[bin] += value < 0;
        reading->changes += value * before < 0;
        before = value;
    }
}

/* The bin below which half of the numbers lie. */
static int median(const Reading *reading)
{
    int64_t sum = 0, all = 0;
    int bin = 0;
    for (int i = 0; i < BINS; i++) all += reading->bin[i];
    while (bin < BINS - 1 && (sum += reading->bin[bin]) * 2 < all) bin++;
    return bin;
}

/* The shares of numbers that are small against most, of both signs and of the rarer one: what swings through zero has
 * some of either. */
static double small(const Reading *reading, double *rarer)
{
    int64_t all = 0, below = 0, middle = median(reading);
    for (int i = 0; i < middle - 4; i++) {
        all += reading->bin[i];
        below += reading->below[i];
    }
    *rarer = (double)(2 * below < all ? below : all - below) / (double)(reading->n + 1);
    return (double)all / (double)(reading->n + 1);
}

/* How many magnitudes (powers of two) hold more than a 200th of the numbers. */
static int magnitudes(const Reading *reading)
{
    int n = 0;
    for (int i = 0; i < BINS; i++) n += reading->bin[i] * 200 > reading->n;
    return n;
}

static bool is_absurd(const Reading *reading) { return reading->absurd * 5 > reading->n; }

static bool makes_sense(const Reading *reading)
{
    double rarer;
    (void)small(reading, &rarer);
    return reading->n >= WORDS_MIN && reading->absurd * 100 <= reading->n && magnitudes(reading) >= MAGNITUDES_MIN &&
           rarer > 0.001 && reading->changes * 50 > reading->n;
}

/* ---- IBM or IEEE ---- */

typedef struct {
    double zeros;   /* the share of first digits that are 0 */
    double for_ibm; /* how much more the digits are those of IBM floats: mean logarithm of the ratio of likelihoods */
} Digits;

static Digits digits_of(const uint32_t *word, int64_t n)
{
    int64_t count[16] = {0}, all = 0;
    Digits digits = {0};
    for (int64_t i = 0; i < n; i++)
        if ((word[i] & 0x7fffffff) != 0) {
            count[word[i] >> 20 & 15]++;
            all++;
        }
    if (all == 0) return digits;
    for (int d = 0; d < 16; d++) {
        double ibm = d == 0 ? 0.002 : log2((d + 1.0) / d) / 4, ieee = log2((d % 8 + 9.0) / (d % 8 + 8.0)) / 2;
        digits.for_ibm += (double)count[d] / (double)all * log(ibm / ieee);
    }
    digits.zeros = (double)count[0] / (double)all;
    return digits;
}

/* ---- the verdict ---- */

static int compare_words(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

/* Whether there are enough different words among the first ones. */
static bool many_differ(const uint32_t *word, int64_t n)
{
    enum { LOOK = 4096 };
    uint32_t some[LOOK] = {0};
    int different = 0, m = 0;
    int64_t step = n / LOOK + 1;
    for (int64_t i = 0; i < n && m < LOOK; i += step) some[m++] = word[i];
    qsort(some, (size_t)m, sizeof *some, compare_words);
    for (int i = 0; i < m; i++) different += i == 0 || some[i] != some[i - 1];
    return different >= DIFFERENT_MIN;
}

/* The float format that words of one byte order make sense as; 0: neither. */
static int float_format(const uint32_t *word, int64_t n, Reading *reading)
{
    Digits digits = digits_of(word, n);
    int format = digits.zeros < 0.01 && digits.for_ibm > 0 ? SGY_IBM : SGY_IEEE;
    read_words(format, word, n, reading);
    return makes_sense(reading) ? format : 0;
}

/* Of integers below 2^24 the first byte is 0 or 255. */
static bool are_small_integers(const uint32_t *word, int64_t n)
{
    int64_t some = 0, fit = 0;
    for (int64_t i = 0; i < n; i++) {
        uint32_t top = word[i] >> 24;
        some += word[i] != 0;
        fit += word[i] != 0 && (top == 0 || top == 0xff);
    }
    return fit * 10 > some * 9;
}

/* How alike neighbouring samples are as integers: their correlation. */
static double likeness(const uint32_t *word, int64_t n)
{
    double cross = 0, square = 0;
    for (int64_t i = 1; i < n; i++) {
        double a = (double)(int32_t)word[i - 1], b = (double)(int32_t)word[i];
        cross += a * b;
        square += (a * a + b * b) / 2;
    }
    return square > 0 ? cross / square : 0;
}

static bool integers_make_sense(const uint32_t *word, int64_t n, Reading *reading)
{
    read_words(SGY_INT32, word, n, reading);
    return makes_sense(reading) && (are_small_integers(word, n) || likeness(word, n) > 0.3);
}

static void find_other(SgyPlausible *verdict, uint32_t *word, int64_t n, Reading *reading)
{
    for (int turned = 0; turned < 2; turned++) {
        int other = float_format(word, n, reading);
        if (other == 0 && integers_make_sense(word, n, reading)) other = SGY_INT32;
        if (other != 0 && !(turned == 0 && other == verdict->format)) {
            verdict->format = other;
            verdict->big = verdict->big != (turned == 1);
            return;
        }
        for (int64_t i = 0; i < n; i++) word[i] = __builtin_bswap32(word[i]);
    }
    verdict->reason[0] = '\0';
}

static void judge_words(SgyPlausible *verdict, uint32_t *word, int64_t n, Reading *reading)
{
    int format = verdict->format;
    char *reason = verdict->reason;
    read_words(format, word, n, reading);
    if (reading->n < WORDS_MIN || !many_differ(word, n)) return;
    double rarer, percent = 100.0 / (double)reading->n;
    Digits digits = digits_of(word, n);
    if (!is_integer(format) && is_absurd(reading))
        snprintf(reason, sizeof verdict->reason, "%.0f %% of the samples are beyond 1e30, below 1e-30 or no numbers",
                 (double)reading->absurd * percent);
    else if (is_integer(format) && reading->changes * 50 > reading->n && small(reading, &rarer) < 0.002 &&
             median(reading) + LOWEST > 25)
        snprintf(reason, sizeof verdict->reason, "as integers they change their signs and are never small");
    else if (format == SGY_UINT32 && reading->changes * 50 > reading->n && are_small_integers(word, n))
        snprintf(reason, sizeof verdict->reason, "as unsigned integers they jump between the ends of the range");
    else if (format == SGY_IBM && digits.zeros > 0.02 && digits.zeros < 0.2 && digits.for_ibm < -0.1)
        snprintf(reason, sizeof verdict->reason, "%.1f %% of the samples are not normalised", 100 * digits.zeros);
    else if (format == SGY_IEEE && digits.zeros < 0.003 && digits.for_ibm > 0.1)
        snprintf(reason, sizeof verdict->reason, "their first digits are those of normalised IBM floats");
    if (*reason != '\0') find_other(verdict, word, n, reading);
}

Status sgy_plausible(int format, bool big, const uint8_t *raw, int64_t n, SgyPlausible *verdict)
{
    *verdict = (SgyPlausible){.format = format, .big = big};
    if (!is_judged(format)) return STATUS_OK;
    Reading *reading = memory_new(1, sizeof *reading, "the judging of samples");
    uint32_t *word = memory_new((size_t)n, sizeof *word, "the judging of samples");
    Status status = reading == NULL || word == NULL ? STATUS_MEMORY : STATUS_OK;
    for (int64_t i = 0; i < n && status == STATUS_OK; i++) word[i] = (uint32_t)sgy_number(raw + 4 * i, 4, big);
    if (status == STATUS_OK) judge_words(verdict, word, n, reading);
    memory_free(word);
    memory_free(reading);
    return status;
}

/* ---- a file ---- */

static Status fail(const char *path, const SgyLayout *layout, const SgyPlausible *verdict)
{
    if (verdict->big != layout->big)
        return status_fail(
            STATUS_DATA,
            "%s: its samples make no sense as format %d (%s), which its header tells: %s; they do as %s-"
            "endian samples of format %d (%s), while its headers are %s-endian: such files are not read; "
            "--format %d insists on what the header tells",
            path, layout->format, sgy_format_name(layout->format), verdict->reason, verdict->big ? "big" : "little",
            verdict->format, sgy_format_name(verdict->format), layout->big ? "big" : "little", layout->format);
    return status_fail(STATUS_DATA,
                       "%s: its samples make no sense as format %d (%s), which its header tells: %s; they do as format "
                       "%d (%s): --format %d reads them so, --format %d insists on what the header tells",
                       path, layout->format, sgy_format_name(layout->format), verdict->reason, verdict->format,
                       sgy_format_name(verdict->format), verdict->format, layout->format);
}

/* The middle of up to TRACES traces from all over the file: count words at raw. */
static Status read_fixed(const char *path, const SgyLayout *layout, uint8_t *raw, int64_t *count)
{
    int64_t traces = layout->n_traces < TRACES ? layout->n_traces : TRACES;
    int64_t n = layout->n_samples < SAMPLES ? layout->n_samples : SAMPLES, skip = (layout->n_samples - n) / 2;
    Status status = STATUS_OK;
    for (int64_t i = 0; i < traces && status == STATUS_OK; i++) {
        int64_t at = layout->first_trace + i * layout->n_traces / traces * layout->trace_bytes;
        at += SGY_HEADER * (1 + (int64_t)layout->n_extra) + 4 * skip;
        status = files_read_bytes(path, at, 4 * n, raw + 4 * i * n);
    }
    *count = traces * n;
    return status;
}

/* The same of traces that differ in length: the beginnings of the first ones. */
static Status read_variable(const char *path, const SgyLayout *layout, uint8_t *raw, int64_t *count)
{
    int64_t at = layout->first_trace, headers = sgy_trace_bytes(layout, 0);
    int64_t most = layout->n_samples < SAMPLES ? layout->n_samples : SAMPLES;
    uint8_t header[2 * SGY_HEADER];
    Status status = STATUS_OK;
    *count = 0;
    for (int64_t t = 0; t < layout->n_traces && t < TRACES && status == STATUS_OK; t++) {
        status = files_read_bytes(path, at, layout->n_extra > 0 ? 2 * SGY_HEADER : SGY_HEADER, header);
        if (status != STATUS_OK) break;
        int64_t own = sgy_header_samples(header, layout->n_extra > 0 ? header + SGY_HEADER : NULL, layout->big);
        int64_t n = own < most ? own : most;
        status = files_read_bytes(path, at + headers, 4 * n, raw + 4 * *count);
        *count += n;
        at += sgy_trace_bytes(layout, own);
    }
    return status;
}

/* Words of some traces, at *raw, to be freed. */
static Status read_some(const char *path, const SgyLayout *layout, uint8_t **raw, int64_t *count)
{
    int64_t n = layout->n_samples < SAMPLES ? layout->n_samples : SAMPLES;
    *raw = memory_new((size_t)(TRACES * n), 4, "samples to judge");
    *count = 0;
    if (*raw == NULL) return STATUS_MEMORY;
    return layout->variable ? read_variable(path, layout, *raw, count) : read_fixed(path, layout, *raw, count);
}

Status sgy_plausible_find(const char *path, const SgyLayout *layout, SgyPlausible *verdict)
{
    uint8_t *raw;
    int64_t n;
    *verdict = (SgyPlausible){.big = layout->big};
    Status status = read_some(path, layout, &raw, &n);
    Reading *reading = memory_new(1, sizeof *reading, "the judging of samples");
    uint32_t *word = memory_new((size_t)n, sizeof *word, "the judging of samples");
    if (status == STATUS_OK && (reading == NULL || word == NULL)) status = STATUS_MEMORY;
    for (int64_t i = 0; i < n && status == STATUS_OK; i++) word[i] = (uint32_t)sgy_number(raw + 4 * i, 4, layout->big);
    if (status == STATUS_OK && many_differ(word, n)) find_other(verdict, word, n, reading);
    memory_free(word);
    memory_free(reading);
    memory_free(raw);
    return status;
}

Status sgy_plausible_file(const char *path, const SgyLayout *layout)
{
    if (!is_judged(layout->format)) return STATUS_OK;
    uint8_t *raw;
    int64_t n;
    Status status = read_some(path, layout, &raw, &n);
    SgyPlausible verdict = {.format = layout->format, .big = layout->big};
    if (status == STATUS_OK) status = sgy_plausible(layout->format, layout->big, raw, n, &verdict);
    memory_free(raw);
    if (status != STATUS_OK || (verdict.format == layout->format && verdict.big == layout->big)) return status;
    return fail(path, layout, &verdict);
}
