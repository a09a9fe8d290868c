/* What is worth saying about the gathers that were found. */
#include "sgy_index_private.h"

#include "seisdcn/log.h"
#include "seisdcn/memory.h"
#include "seisdcn/survey_places.h"
#include "seisdcn/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { FILES_SHOWN = 20 };

char *sgy_index_trace_name(const SgyFiles *files, int64_t number, char *text)
{
    int64_t file, place;
    sgy_files_find(files, number, &file, &place);
    snprintf(text, 320, "trace %" PRId64 " of %.255s", place, text_base_name(files->paths[file]));
    return text;
}

char *sgy_index_gather_name(const SgyIndex *index, const SgyGather *gather, char *text)
{
    const SgyRule *rule = &index->rule;
    char field[64];
    int at = index->has_lines ? snprintf(text, 128, "line %" PRId32 ", ", gather->survey_line) : 0;
    size_t size = 128 - (size_t)at;
    if (rule->by_field)
        snprintf(text + at, size, "%s %.10g", sgy_field_text(&rule->group, field),
                 sgy_code_value(&rule->group, gather->key[0]));
    else
        snprintf(text + at, size, "inline %" PRId32 ", crossline %" PRId32, gather->key[0], gather->key[1]);
    return text;
}

static int compare_counts(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

/* The value that comes most often in values [n], which are sorted; of several the largest. */
static int64_t usual(const int64_t *values, int64_t n)
{
    int64_t best = values[0], most = 0;
    for (int64_t i = 0, run = 0; i < n; i++) {
        run = i > 0 && values[i] == values[i - 1] ? run + 1 : 1;
        if (run >= most) best = values[i];
        if (run > most) most = run;
    }
    return best;
}

/* "cdp (byte 21)" or "inline (byte 189) and crossline (byte 193)"; text holds 160 bytes. */
static char *rule_name(const SgyRule *rule, char *text)
{
    SgyCandidate made = {{rule->line, rule->crossline}};
    if (rule->by_field) made = (SgyCandidate){{rule->group}};
    return sgy_candidate_text(&made, text);
}

static void report_rule(const SgyIndex *index)
{
    char made[160], usual[160];
    rule_name(&index->rule, made);
    sgy_candidate_text(sgy_candidate(0), usual);
    if (!index->changed)
        log_note("gathers by %s", made);
    else if (index->verdict == SGY_EMPTY)
        log_warning("%s are 0 in every trace: gathers by %s; --group-by, or --inline-byte and --crossline-byte, "
                    "choose otherwise",
                    usual, made);
    else
        log_warning("%s make no sense (%s): gathers by %s; --group-by position takes them all the same, seisdcn info "
                    "shows what else there is",
                    usual, sgy_verdict_text(index->verdict), made);
    if (index->rule.from_coordinates)
        log_note("offsets are the distances of source and receiver by their coordinates%s",
                 index->rule.offset_automatic ? ", since byte 37 is 0 in every trace (--offset-byte 37 leaves them 0)"
                                              : "");
}

/* "12", or "0.5" of floats; text holds 32 bytes. */
static char *code_text(const SgyField *field, int32_t code, char *text)
{
    snprintf(text, 32, "%.10g", sgy_code_value(field, code));
    return text;
}

/* What was taken from each file's headers. */
static void report_ranges(const SgyIndex *index, const SgyFiles *files)
{
    static const SgyField number = {.word = SGY_WORD_INTEGER}; /* positions are whole numbers by now */
    const SgyRule *rule = &index->rule;
    for (int64_t f = 0; f < files->n && f < FILES_SHOWN; f++) {
        const SgyRange *range = &index->range[f];
        char keys[160], group[64], low[32], high[32];
        if (rule->by_field)
            snprintf(keys, sizeof keys, "%s %s to %s", sgy_field_text(&rule->group, group),
                     code_text(&rule->group, range->key_low[0], low),
                     code_text(&rule->group, range->key_high[0], high));
        else
            snprintf(keys, sizeof keys, "inline %s to %" PRId32 ", crossline %" PRId32 " to %" PRId32,
                     code_text(&number, range->key_low[0], low), range->key_high[0], range->key_low[1],
                     range->key_high[1]);
        log_note("%s: %s, offset %.10g to %.10g", text_base_name(files->paths[f]), keys,
                 sgy_index_offset(index, range->offset_low), sgy_index_offset(index, range->offset_high));
    }
    char more[LOG_THINGS_MAX];
    if (files->n > FILES_SHOWN) log_note("and %s", log_things(files->n - FILES_SHOWN, "more file", more));
}

/* Whether traces of any two files, or of one, differ in their offset. */
static bool offsets_vary(const SgyIndex *index, const SgyFiles *files)
{
    const SgyRange *range = index->range;
    for (int64_t f = 0; f < files->n; f++)
        if (range[f].offset_low != range[0].offset_low || range[f].offset_high != range[0].offset_low) return true;
    return false;
}

/* fold [n_gathers] is for working in. Returns the usual fold. */
static int64_t report_folds(const SgyIndex *index, int64_t *fold)
{
    int64_t n = index->n_gathers, fewer = 0, first = -1;
    for (int64_t e = 0; e < n; e++) fold[e] = index->gather[e].fold;
    qsort(fold, (size_t)n, sizeof *fold, compare_counts);
    int64_t most = usual(fold, n);
    char traces[32], gathers[32], text[128];
    log_count(index->n_traces, traces);
    log_count(n, gathers);
    if (fold[0] == fold[n - 1]) {
        log_note("%s trace%s in %s gather%s of %" PRId64, traces, log_plural(index->n_traces, "trace"), gathers,
                 log_plural(n, "gather"), most);
        if (most == 1 && n > 1 && !index->rule.by_field)
            log_note("each gather has one trace: of a stack, --group-by inline makes a gather of each inline");
        return most;
    }
    for (int64_t e = 0; e < n; e++)
        if (index->gather[e].fold < most && fewer++ == 0) first = e;
    log_note("%s traces in %s gathers of %" PRId64 " to %" PRId64 ", most of them of %" PRId64, traces, gathers,
             fold[0], fold[n - 1], most);
    if (fewer > 0)
        log_note("%s gather%s fewer traces than %" PRId64 ", the first: %s", log_count(fewer, gathers),
                 fewer == 1 ? " has" : "s have", most, sgy_index_gather_name(index, &index->gather[first], text));
    return most;
}

/* A header may hold the number that stands for an unknown one. */
static void report_unknown(const SgyIndex *index)
{
    int64_t n = 0;
    for (int64_t e = 0; e < index->n_gathers; e++)
        n += !position_known(index->gather[e].line, index->gather[e].crossline);
    char count[32];
    if (n > 0)
        log_warning("%s gather%s the number %" PRId32 " as inline or crossline, which stands for unknown here; "
                    "--inline-byte and --crossline-byte choose other fields",
                    log_count(n, count), n == 1 ? " has" : "s have", POSITION_UNKNOWN);
}

/* ---- positions of a grid without a trace ---- */

typedef struct {
    int64_t low, step, n; /* low, low + step, ...: n of them */
} Axis;

static int64_t common_divisor(int64_t a, int64_t b)
{
    while (b != 0) {
        int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* The coarsest axis that holds key k of every gather. value [n_gathers] is for working in. */
static Axis find_axis(const SgyIndex *index, int k, int64_t *value)
{
    int64_t n = index->n_gathers, step = 0;
    for (int64_t e = 0; e < n; e++) value[e] = index->gather[e].key[k];
    qsort(value, (size_t)n, sizeof *value, compare_counts);
    for (int64_t e = 1; e < n; e++) step = common_divisor(step, value[e] - value[e - 1]);
    if (step == 0) step = 1;
    return (Axis){value[0], step, (value[n - 1] - value[0]) / step + 1};
}

/* Whether a gather stands at place `place` of the grid, which goes through the crosslines of one inline after another.
 */
static bool is_at(const SgyGather *gather, const Axis *line, const Axis *cross, int64_t place)
{
    return gather->key[0] == line->low + place / cross->n * line->step &&
           gather->key[1] == cross->low + place % cross->n * cross->step;
}

/* The gathers are in order: the first that is not at its own place of the grid tells the first gap. */
static void report_missing(const SgyIndex *index, int64_t *value)
{
    Axis line = find_axis(index, 0, value), cross = find_axis(index, 1, value);
    /* Most of a grid empty is no grid: coordinates, or scattered gathers. */
    if ((double)line.n * (double)cross.n > 4.0 * (double)index->n_gathers) return;
    int64_t missing = line.n * cross.n - index->n_gathers, place = 0;
    if (missing == 0) return;
    while (place < index->n_gathers && is_at(&index->gather[place], &line, &cross, place)) place++;
    int64_t first_line = line.low + place / cross.n * line.step, first_cross = cross.low + place % cross.n * cross.step;
    char count[32], all[32];
    log_note("%s of the %s positions of inlines %" PRId64 " to %" PRId64 " (step %" PRId64 ") and crosslines %" PRId64
             " to %" PRId64 " (step %" PRId64 ") hold%s no trace, the first: inline %" PRId64 ", crossline %" PRId64,
             log_count(missing, count), log_count(line.n * cross.n, all), line.low, line.low + (line.n - 1) * line.step,
             line.step, cross.low, cross.low + (cross.n - 1) * cross.step, cross.step, missing == 1 ? "s" : "",
             first_line, first_cross);
}

/* ---- traces ---- */

static void report_traces(const SgyIndex *index, const SgyFiles *files, int64_t usual_fold)
{
    const SgyFacts *facts = &index->facts;
    char count[32], name[320];
    /* Where all have one offset, it tells traces apart no more than it tells anything. */
    bool offsets_tell = offsets_vary(index, files) || usual_fold == 1;
    if (facts->repeated > 0 && offsets_tell)
        survey_warn_repeats(facts->repeated, "trace", "the gather and offset",
                            sgy_index_trace_name(files, facts->first_repeated, name), "");
    if (facts->odd_samples > 0)
        log_warning("%s trace%s another number of samples in the header than the file has, the first: %s; all are read "
                    "with the file's",
                    log_count(facts->odd_samples, count), facts->odd_samples == 1 ? " tells" : "s tell",
                    sgy_index_trace_name(files, facts->first_odd_samples, name));
    if (facts->dead > 0)
        log_note("%s trace%s marked as dead (trace identification code 2); all are kept", log_count(facts->dead, count),
                 facts->dead == 1 ? " is" : "s are");
}

/* "1000 ms", or "1000 to 1500 ms". text holds 64 bytes. */
static char *span_text(int64_t low, int64_t high, char *text)
{
    if (low == high)
        snprintf(text, 64, "%.9g ms", (double)low / 1e6);
    else
        snprintf(text, 64, "%.9g to %.9g ms", (double)low / 1e6, (double)high / 1e6);
    return text;
}

/* When traces begin, and how long they are. */
static void report_times(const SgyIndex *index)
{
    const SgyTimes *times = &index->times;
    char text[64], traces[LOG_THINGS_MAX], gathers[LOG_THINGS_MAX];
    if (index->rule.ignore_delay)
        log_note("delays are ignored: all traces begin at 0");
    else if (times->low != times->high)
        log_note("gathers begin at %s (delays of bytes 109-110): each keeps its own start, and those that begin at "
                 "different times are no neighbours of each other",
                 span_text(times->low, times->high, text));
    else if (times->low != 0)
        log_note("traces begin at %s (delay of bytes 109-110)", span_text(times->low, times->high, text));
    if (times->n_traces > 0)
        log_warning("%s of %s begin later than the first of their gather: shifted by up to %" PRId64
                    " samples onto the gather's axis, with zeros where a trace has none; export puts them back",
                    log_things(times->n_traces, "trace", traces), log_things(times->n_gathers, "gather", gathers),
                    times->most);
    if (times->shortest < times->longest)
        log_note("traces have %" PRId64 " to %" PRId64 " samples, as their headers tell; zeros fill them up, and "
                 "export leaves these out",
                 times->shortest, times->longest);
}

Status sgy_index_report(const SgyIndex *index, const SgyFiles *files)
{
    int64_t *work = memory_new((size_t)index->n_gathers, sizeof *work, "the gathers' folds");
    if (work == NULL) return STATUS_MEMORY;
    report_rule(index);
    report_ranges(index, files);
    int64_t usual_fold = report_folds(index, work);
    if (!index->rule.by_field) report_unknown(index);
    if (!index->rule.by_field && !index->has_lines) report_missing(index, work);
    report_traces(index, files, usual_fold);
    report_times(index);
    memory_free(work);
    return STATUS_OK;
}
