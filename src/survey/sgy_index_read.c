/* Reading trace headers, and what they make sense of. */
#include "sgy_index_private.h"

#include "seisdcn/log.h"
#include "seisdcn/memory.h"
#include "seisdcn/sgy_scan.h"
#include "seisdcn/sgy_span.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Headers that each rank reads between two agreements: an error anywhere ends all ranks soon. */
enum { ROUND_TRACES = 1 << 16, DEAD = 2 };

/* One pass over the headers. */
typedef struct {
    SgyFiles *files;
    SgyIndex *index;
    SgyScan *scan; /* NULL: the rule is fixed */
    SgyField id, samples;
    int64_t dead, odd_samples;
    int64_t first_odd; /* negated, INT64_MIN: none */
} Pass;

/* ---- one header ---- */

static Status not_whole(const SgyFiles *files, int64_t number, const SgyField *field, double value)
{
    char name[64];
    int64_t file, place;
    sgy_files_find(files, number, &file, &place);
    return status_fail(STATUS_DATA,
                       "%s: trace %" PRId64 " (counted from 0): %s is %g; inlines and crosslines are whole numbers",
                       files->paths[file], place, sgy_field_text(field, name), value);
}

/* A position: an integer, or a float that is one. */
static Status take_place(const Pass *pass, const uint8_t *header, bool big, const SgyField *field, int64_t number,
                         int32_t *place)
{
    *place = sgy_field_code(header, field, big);
    if (field->word == SGY_WORD_INTEGER) return STATUS_OK;
    double value = sgy_code_value(field, *place);
    if (!(value > INT32_MIN && value <= INT32_MAX) || value != rint(value))
        return not_whole(pass->files, number, field, value);
    *place = (int32_t)value;
    return STATUS_OK;
}

static void widen(int32_t *low, int32_t *high, int32_t value)
{
    if (value < *low) *low = value;
    if (value > *high) *high = value;
}

static void widen_range(SgyRange *range, const SgyTrace *trace)
{
    for (int k = 0; k < 2; k++) widen(&range->key_low[k], &range->key_high[k], trace->key[k]);
    widen(&range->offset_low, &range->offset_high, trace->offset);
}

static void check_header(Pass *pass, const uint8_t *header, const SgyLayout *layout, int64_t number, SgyRange *range)
{
    uint16_t samples = (uint16_t)sgy_field_get(header, &pass->samples, layout->big);
    pass->dead += sgy_field_get(header, &pass->id, layout->big) == DEAD;
    if (samples == 0 || samples == layout->n_samples || layout->n_samples > UINT16_MAX || layout->variable) return;
    pass->odd_samples++;
    range->odd_samples = true;
    if (-number > pass->first_odd) pass->first_odd = -number;
}

/* When the trace begins, and how long it is. extra: its first additional header, or NULL. */
static void take_span(const uint8_t *header, const uint8_t *extra, const SgyLayout *layout, SgyTrace *trace)
{
    trace->delay = sgy_header_delay(header, extra, layout->big);
    trace->n_samples = (int32_t)(layout->variable ? sgy_header_samples(header, extra, layout->big) : layout->n_samples);
}

/* header: the first one, and the first additional one where the file has some. */
static Status take_header(Pass *pass, const uint8_t *header, int64_t number, SgyTrace *trace)
{
    int64_t file, place;
    sgy_files_find(pass->files, number, &file, &place);
    const SgyLayout *layout = &pass->files->layouts[file];
    const SgyRule *rule = &pass->index->rule;
    bool big = layout->big;
    *trace = (SgyTrace){.number = number};
    /* What no gather is made by may be anything. */
    const SgyField *line = &rule->line, *crossline = &rule->crossline;
    Status status = take_place(pass, header, big, line, number, &trace->line);
    if (status == STATUS_OK) status = take_place(pass, header, big, crossline, number, &trace->crossline);
    if (status != STATUS_OK) return status;
    trace->offset =
        rule->from_coordinates ? sgy_float_code(sgy_distance(header, big)) : sgy_field_code(header, &rule->offset, big);
    trace->order = rule->sort_offset ? trace->offset : 0;
    trace->key[0] = rule->by_field ? sgy_field_code(header, &rule->group, big) : trace->line;
    trace->key[1] = rule->by_field ? 0 : trace->crossline;
    widen_range(&pass->index->range[file], trace);
    check_header(pass, header, layout, number, &pass->index->range[file]);
    const uint8_t *extra = layout->n_extra > 0 ? header + SGY_HEADER : NULL;
    take_span(header, extra, layout, trace);
    return pass->scan == NULL ? STATUS_OK : sgy_scan_take(pass->scan, header, extra, big, (int32_t)file);
}

/* ---- all of them ---- */

/* The ranges of all ranks' traces. Collective. STATUS_MEMORY. */
static Status merge_ranges(const Comm *comm, SgyRange *range, int64_t n)
{
    enum { EACH = 7 };
    int64_t *ends = memory_new((size_t)n, EACH * sizeof *ends, "the ranges of the trace headers");
    Status status = comm_agree(comm, ends == NULL ? STATUS_MEMORY : STATUS_OK);
    if (status != STATUS_OK) return status;
    for (int64_t f = 0; f < n; f++) {
        const SgyRange *one = &range[f];
        const int64_t mine[EACH] = {-(int64_t)one->key_low[0], one->key_high[0],          -(int64_t)one->key_low[1],
                                    one->key_high[1],          -(int64_t)one->offset_low, one->offset_high,
                                    one->odd_samples};
        memcpy(ends + f * EACH, mine, sizeof mine);
    }
    comm_max(comm, ends, (size_t)n * EACH);
    for (int64_t f = 0; f < n; f++) {
        const int64_t *all = ends + f * EACH;
        range[f] = (SgyRange){.key_low = {(int32_t)-all[0], (int32_t)-all[2]},
                              .key_high = {(int32_t)all[1], (int32_t)all[3]},
                              .offset_low = (int32_t)-all[4],
                              .offset_high = (int32_t)all[5],
                              .odd_samples = all[6] != 0};
    }
    memory_free(ends);
    return STATUS_OK;
}

/* This rank's run of headers, trace [end - first]. Collective. */
static Status read_run(const Comm *comm, Pass *pass, int64_t first, int64_t end)
{
    int64_t n_traces = pass->index->n_traces, most = (n_traces + comm->size - 1) / comm->size;
    Status status = STATUS_OK;
    log_progress_start("headers", n_traces, "trace");
    for (int64_t round = 0; round < most && status == STATUS_OK; round += ROUND_TRACES) {
        for (int64_t t = first + round; t < end && t < first + round + ROUND_TRACES && status == STATUS_OK; t++) {
            uint8_t header[2 * SGY_HEADER];
            status = sgy_files_header(pass->files, t, header);
            if (status == STATUS_OK) status = take_header(pass, header, t, &pass->index->trace[t - first]);
        }
        status = comm_agree(comm, status);
        log_progress(round * comm->size, NULL);
    }
    log_progress_end();
    return status;
}

/* Reads all headers by the index's rule as it stands. Collective. */
static Status read_all(const Comm *comm, SgyFiles *files, SgyIndex *index, SgyScan *scan)
{
    Pass pass = {.files = files,
                 .index = index,
                 .scan = scan,
                 .id = sgy_field_named("trace_id"),
                 .samples = sgy_field_named("samples"),
                 .first_odd = INT64_MIN};
    int64_t first, end;
    comm_share(comm, index->n_traces, &first, &end);
    index->n_my_traces = end - first;
    for (int64_t f = 0; f < files->n; f++)
        index->range[f] = (SgyRange){.key_low = {INT32_MAX, INT32_MAX},
                                     .key_high = {INT32_MIN, INT32_MIN},
                                     .offset_low = INT32_MAX,
                                     .offset_high = INT32_MIN};
    Status status = read_run(comm, &pass, first, end);
    if (status == STATUS_OK) status = merge_ranges(comm, index->range, files->n);
    if (status != STATUS_OK) return status;
    int64_t counts[2] = {pass.dead, pass.odd_samples};
    comm_sum(comm, counts, 2);
    comm_max(comm, &pass.first_odd, 1);
    index->facts.dead = counts[0];
    index->facts.odd_samples = counts[1];
    index->facts.first_odd_samples = pass.first_odd == INT64_MIN ? -1 : -pass.first_odd;
    return STATUS_OK;
}

/* ---- the rule ---- */

/* "37 (100 to 1075)" for the words as one kind of floats. */
static void describe_floats(const SgyOffsets *offsets, SgyWord word, char *text, size_t size)
{
    uint8_t header[SGY_HEADER] = {0};
    SgyField integer = {.byte = 1, .width = 4}, field = {.byte = 1, .width = 4, .word = word};
    double ends[2];
    for (int i = 0; i < 2; i++) {
        sgy_field_put(header, &integer, true, i == 0 ? offsets->low : offsets->high);
        ends[i] = sgy_code_value(&field, sgy_field_code(header, &field, true));
    }
    snprintf(text, size, "%g to %g", ends[0], ends[1]);
}

static Status refuse_offsets(const SgyFiles *files, const SgyOffsets *offsets, const SgyField *field)
{
    char ieee[64], ibm[64], name[64];
    describe_floats(offsets, SGY_WORD_FLOAT, ieee, sizeof ieee);
    describe_floats(offsets, SGY_WORD_IBM, ibm, sizeof ibm);
    return status_fail(
        STATUS_DATA,
        "%s: %s is %" PRId32 " to %" PRId32
        ", which look like the bits of floats: --offset-byte %d:float reads %s, --offset-byte %d:ibm %s; "
        "--offset-byte %d takes them as they are",
        files->paths[0], sgy_field_text(field, name), offsets->low, offsets->high, field->byte, ieee, field->byte, ibm,
        field->byte);
}

static Status refuse_all(const SgyFiles *files, const SgyFound *found, const SgyEvidence *evidence)
{
    char table[SGY_TABLE_TEXT];
    return status_fail(STATUS_DATA,
                       "%.200s: bytes 189 and 193 make no sense as inline and crossline, and no other field makes "
                       "gathers; --group-by, or --inline-byte and --crossline-byte, choose one:\n%s",
                       files->paths[0], sgy_candidates_table(found, evidence, table));
}

static void take_candidate(const SgyCandidate *candidate, SgyRule *rule)
{
    rule->by_field = candidate->field[1].byte == 0;
    if (rule->by_field) {
        rule->group = candidate->field[0];
    } else {
        rule->line = candidate->field[0];
        rule->crossline = candidate->field[1];
    }
}

/* What the headers make sense of, in place of the rule's defaults: *again: they must be read again. Pure but for the
 * message, alike on all ranks. */
static Status settle_rule(const SgyFiles *files, const SgyFound *found, SgyIndex *index, bool *again)
{
    SgyRule *rule = &index->rule;
    SgyEvidence evidence = sgy_evidence(found, &files->layouts[0]);
    SgyVerdict verdict[SGY_CANDIDATES];
    int order[SGY_CANDIDATES];
    if (rule->offset_automatic && found->n_traces >= SGY_FEW && sgy_offsets_look_float(&found->offsets))
        return refuse_offsets(files, &found->offsets, &rule->offset);
    *again = rule->offset_automatic && sgy_offsets_from_coordinates(&found->offsets);
    rule->from_coordinates |= *again;
    if (!rule->automatic) return STATUS_OK;
    int chosen = sgy_judge_all(found->tally, &evidence, verdict, order);
    if (chosen < 0) return refuse_all(files, found, &evidence);
    if (chosen == 0) return STATUS_OK;
    take_candidate(sgy_candidate(chosen), rule);
    index->changed = *again = true;
    index->verdict = verdict[0];
    return STATUS_OK;
}

static Status read_and_settle(const Comm *comm, SgyFiles *files, SgyIndex *index, SgyScan *scan)
{
    SgyFound found;
    bool again = false;
    Status status = read_all(comm, files, index, scan);
    if (scan == NULL || status != STATUS_OK) return status;
    status = sgy_scan_finish(comm, scan, &found);
    if (status == STATUS_OK) status = comm_agree(comm, settle_rule(files, &found, index, &again));
    return status == STATUS_OK && again ? read_all(comm, files, index, NULL) : status;
}

Status sgy_index_read(const Comm *comm, SgyFiles *files, SgyIndex *index)
{
    const SgyRule *rule = &index->rule;
    SgyScanPlan plan = {.candidates = rule->automatic,
                        .apart = files->n > 1,
                        .offset = rule->offset,
                        .coordinates = rule->offset_automatic || rule->from_coordinates};
    bool scans = rule->automatic || rule->offset_automatic;
    SgyScan *scan = scans ? sgy_scan_new(&plan) : NULL;
    int64_t first, end;
    comm_share(comm, index->n_traces, &first, &end);
    index->trace = memory_new((size_t)(end - first), sizeof *index->trace, "what the trace headers tell");
    index->range = memory_new((size_t)files->n, sizeof *index->range, "the ranges of the trace headers");
    bool good = index->trace != NULL && index->range != NULL && (scan != NULL || !scans);
    Status status = comm_agree(comm, good ? STATUS_OK : STATUS_MEMORY);
    if (status == STATUS_OK) status = read_and_settle(comm, files, index, scan);
    sgy_scan_free(scan);
    return status;
}
