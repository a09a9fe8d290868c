#include "sgy_scan_private.h"

#include "seisdcn/memory.h"
#include "seisdcn/sgy_span.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { LENGTH = 1 /* coordinate unit; 0 where nobody says, 2 and above are angles */ };

struct SgyScan {
    SgyScanPlan plan;
    int64_t n_traces;
    SgyTally words[SGY_CANDIDATES]; /* what the words alone tell */
    SgyPairs together[SGY_CANDIDATES], apart[SGY_CANDIDATES];
    SgyOffsets offsets;
    int64_t delay_low, delay_high;
    int n_fields;
    SgyField field[SGY_SCAN_FIELDS];
    int32_t low[SGY_SCAN_FIELDS], high[SGY_SCAN_FIELDS];
    SgyValueSet values[SGY_SCAN_FIELDS];
};

/* ---- begin and end ---- */

/* The header as the standard cuts it, but for bytes 219 to 224, where positions stand in many files (221). */
static void list_fields(SgyScan *scan)
{
    int n = 0;
    for (int byte = 1; byte <= SGY_HEADER; n++) {
        char text[16];
        snprintf(text, sizeof text, byte == 219 ? "%d:2" : byte == 221 ? "%d:4" : "%d", byte);
        if (sgy_field_parse(text, "", &scan->field[n]) != STATUS_OK) break; /* never: the byte is in the header */
        byte += scan->field[n].width;
    }
    scan->n_fields = n;
}

SgyScan *sgy_scan_new(const SgyScanPlan *plan)
{
    SgyScan *scan = memory_new(1, sizeof *scan, "the scan of the trace headers");
    if (scan == NULL) return NULL;
    scan->plan = *plan;
    for (int c = 0; c < SGY_CANDIDATES; c++)
        for (int k = 0; k < 2; k++) {
            scan->words[c].low[k] = INT32_MAX;
            scan->words[c].high[k] = INT32_MIN;
        }
    for (int f = 0; f < SGY_SCAN_FIELDS; f++) {
        scan->low[f] = INT32_MAX;
        scan->high[f] = INT32_MIN;
    }
    scan->offsets.low = scan->offsets.distance_low = INT32_MAX;
    scan->offsets.high = scan->offsets.distance_high = INT32_MIN;
    scan->delay_low = INT64_MAX;
    scan->delay_high = -INT64_MAX;
    if (plan->fields) list_fields(scan);
    return scan;
}

void sgy_scan_free(SgyScan *scan)
{
    if (scan == NULL) return;
    for (int c = 0; c < SGY_CANDIDATES; c++) {
        sgy_pairs_free(&scan->together[c]);
        sgy_pairs_free(&scan->apart[c]);
    }
    for (int f = 0; f < SGY_SCAN_FIELDS; f++) sgy_values_free(&scan->values[f]);
    memory_free(scan);
}

/* ---- one header ---- */

static void widen(int32_t *low, int32_t *high, int32_t value)
{
    if (value < *low) *low = value;
    if (value > *high) *high = value;
}

static int32_t word_at(const uint8_t *header, int byte, bool big)
{
    return (int32_t)(uint32_t)sgy_number(header + byte - 1, 4, big);
}

float sgy_distance(const uint8_t header[SGY_HEADER], bool big)
{
    double scalar = (int16_t)sgy_number(header + 71 - 1, 2, big);
    double x = (double)word_at(header, 81, big) - word_at(header, 73, big);
    double y = (double)word_at(header, 85, big) - word_at(header, 77, big);
    double factor = scalar > 0 ? scalar : scalar < 0 ? -1 / scalar : 1;
    return (float)(hypot(x, y) * factor);
}

/* The offset, and what may stand for it. Returns the code that tells traces of a gather apart. */
static int32_t take_offset(SgyScan *scan, const uint8_t *header, bool big)
{
    SgyOffsets *offsets = &scan->offsets;
    const SgyField *field = &scan->plan.offset;
    int32_t offset = sgy_field_code(header, field, big);
    widen(&offsets->low, &offsets->high, offset);
    offsets->n_words += offset != 0;
    offsets->n_floats += field->width == 4 && field->word == SGY_WORD_INTEGER && sgy_looks_float(offset);
    if (!scan->plan.coordinates) return offset;
    bool source = word_at(header, 73, big) != 0 || word_at(header, 77, big) != 0;
    bool receiver = word_at(header, 81, big) != 0 || word_at(header, 85, big) != 0;
    int32_t distance = sgy_float_code(sgy_distance(header, big));
    offsets->has_source |= source;
    offsets->has_receiver |= receiver;
    offsets->has_angles |= (int16_t)sgy_number(header + 89 - 1, 2, big) > LENGTH;
    widen(&offsets->distance_low, &offsets->distance_high, distance);
    return offset == 0 && source && receiver ? distance : offset;
}

static Status take_candidate(SgyScan *scan, int c, const uint8_t *header, bool big, int32_t offset, int32_t file)
{
    const SgyCandidate *candidate = sgy_candidate(c);
    SgyPair pair = {.offset = offset, .n = 1};
    SgyTally *words = &scan->words[c];
    for (int k = 0; k < 2 && candidate->field[k].byte != 0; k++) {
        const SgyField *field = &candidate->field[k];
        int32_t code = pair.key[k] = sgy_field_code(header, field, big);
        double value = sgy_code_value(field, code);
        widen(&words->low[k], &words->high[k], code);
        words->n_words[k] += code != 0;
        words->n_floats[k] += sgy_looks_float(word_at(header, field->byte, big));
        words->n_broken[k] += value != rint(value); /* not a number is not itself either */
    }
    Status status = sgy_pairs_add(&scan->together[c], &pair);
    if (status != STATUS_OK || !scan->plan.apart) return status;
    pair.file = file;
    return sgy_pairs_add(&scan->apart[c], &pair);
}

Status sgy_scan_take(SgyScan *scan, const uint8_t header[SGY_HEADER], const uint8_t *extra, bool big, int32_t file)
{
    Status status = STATUS_OK;
    int64_t delay = sgy_header_delay(header, extra, big);
    scan->n_traces++;
    if (delay < scan->delay_low) scan->delay_low = delay;
    if (delay > scan->delay_high) scan->delay_high = delay;
    int32_t offset = take_offset(scan, header, big);
    for (int c = 0; c < SGY_CANDIDATES && scan->plan.candidates && status == STATUS_OK; c++)
        status = take_candidate(scan, c, header, big, offset, file);
    for (int f = 0; f < scan->n_fields && status == STATUS_OK; f++) {
        int32_t value = sgy_field_get(header, &scan->field[f], big);
        widen(&scan->low[f], &scan->high[f], value);
        status = sgy_values_add(&scan->values[f], value);
    }
    return status;
}

/* ---- all of them ---- */

static void merge_range(const Comm *comm, int32_t *low, int32_t *high)
{
    int64_t range[2] = {-(int64_t)*low, *high};
    comm_max(comm, range, 2);
    *low = (int32_t)-range[0];
    *high = (int32_t)range[1];
}

static void merge_offsets(const Comm *comm, const SgyOffsets *mine, SgyOffsets *all)
{
    *all = *mine;
    int64_t flags[3] = {mine->has_source, mine->has_receiver, mine->has_angles};
    comm_max(comm, flags, 3);
    all->has_source = flags[0] != 0;
    all->has_receiver = flags[1] != 0;
    all->has_angles = flags[2] != 0;
    comm_sum(comm, &all->n_words, 1);
    comm_sum(comm, &all->n_floats, 1);
    merge_range(comm, &all->low, &all->high);
    merge_range(comm, &all->distance_low, &all->distance_high);
}

/* Gathers of each file by itself, where those of all files together repeat their offsets: lines that number their
 * gathers alike. */
static bool are_lines(const SgyTally *together) { return 10 * together->n_repeated > together->n_drawn_traces; }

static Status merge_candidate(const Comm *comm, SgyScan *scan, int c, SgyTally *tally)
{
    *tally = scan->words[c];
    comm_sum(comm, tally->n_words, 2);
    comm_sum(comm, tally->n_floats, 2);
    comm_sum(comm, tally->n_broken, 2);
    for (int k = 0; k < 2; k++) merge_range(comm, &tally->low[k], &tally->high[k]);
    SgyTally together = *tally, apart = *tally;
    Status status = sgy_pairs_finish(comm, &scan->together[c], &together);
    if (status == STATUS_OK && scan->plan.apart && are_lines(&together))
        status = sgy_pairs_finish(comm, &scan->apart[c], &apart);
    bool lines = scan->plan.apart && are_lines(&together) && !are_lines(&apart);
    *tally = lines ? apart : together;
    return status;
}

Status sgy_scan_finish(const Comm *comm, SgyScan *scan, SgyFound *found)
{
    Status status = STATUS_OK;
    memset(found, 0, sizeof *found);
    found->n_traces = scan->n_traces;
    comm_sum(comm, &found->n_traces, 1);
    merge_offsets(comm, &scan->offsets, &found->offsets);
    int64_t delays[2] = {-scan->delay_low, scan->delay_high};
    comm_max(comm, delays, 2);
    found->delay_low = -delays[0];
    found->delay_high = delays[1];
    for (int c = 0; c < SGY_CANDIDATES && scan->plan.candidates && status == STATUS_OK; c++)
        status = merge_candidate(comm, scan, c, &found->tally[c]);
    found->n_fields = scan->n_fields;
    for (int f = 0; f < scan->n_fields && status == STATUS_OK; f++) {
        SgyValues *values = &found->values[f];
        values->field = scan->field[f];
        values->low = scan->low[f];
        values->high = scan->high[f];
        merge_range(comm, &values->low, &values->high);
        status = sgy_values_count(comm, &scan->values[f], &values->n_values);
    }
    return status;
}

bool sgy_offsets_from_coordinates(const SgyOffsets *offsets)
{
    return offsets->n_words == 0 && offsets->has_source && offsets->has_receiver && !offsets->has_angles &&
           offsets->distance_low < offsets->distance_high;
}

bool sgy_offsets_look_float(const SgyOffsets *offsets) { return 2 * offsets->n_floats > offsets->n_words; }

bool sgy_offsets_vary(const SgyOffsets *offsets)
{
    return offsets->low < offsets->high || sgy_offsets_from_coordinates(offsets);
}
