/* info of SEG-Y files: how they are laid out, what varies in their trace headers, and which gathers that makes. */
#include "info_private.h"

#include "seisdcn/files.h"
#include "seisdcn/inputs.h"
#include "seisdcn/log.h"
#include "seisdcn/sgy_sample.h"
#include "seisdcn/sgy_scan.h"
#include "seisdcn/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { WIDTH = 98, FILES_SHOWN = 20, ROOM = 39 /* behind the counts */ };

/* ---- the file as a whole ---- */

static Status show_text(const char *path)
{
    uint8_t raw[SGY_TEXT];
    char ascii[SGY_TEXT + 1];
    Status status = files_read_bytes(path, 0, SGY_TEXT, raw);
    if (status != STATUS_OK) return status;
    sgy_text_read(raw, SGY_TEXT, ascii);
    info_line("text header", sgy_text_is_ebcdic(raw, SGY_TEXT) ? "EBCDIC" : "ASCII");
    for (int line = 0; line < SGY_LINES; line++) {
        const char *words = ascii + (ptrdiff_t)line * SGY_LINE;
        int length = SGY_LINE;
        while (length > 0 && words[length - 1] == ' ') length--;
        if (length > 3) log_result("    %.*s", length, words); /* more than the line's number */
    }
    return STATUS_OK;
}

static const char *sorting_name(int code)
{
    static const char *const names[] = {"unknown",
                                        "as recorded",
                                        "by common depth point",
                                        "single-fold continuous profile",
                                        "stacked",
                                        "by common source point",
                                        "by common receiver point",
                                        "by common offset point",
                                        "by common mid-point",
                                        "by common conversion point"};
    return code >= 0 && code < (int)(sizeof names / sizeof *names) ? names[code] : "not one of the standard's";
}

/* The delays of all traces that were scanned. */
static void show_delay(const SgyFound *found, char *text, size_t size)
{
    double low = (double)found->delay_low / 1e6, high = (double)found->delay_high / 1e6;
    const char *where = "bytes 109-110, with the scalar in 215-216";
    if (found->delay_low == found->delay_high)
        snprintf(text, size, "%.9g ms (%s)", low, where);
    else
        snprintf(text, size, "%.9g to %.9g ms (%s)", low, high, where);
}

/* The binary header, and what the traces' tell. */
static void show_headers(const Inputs *inputs, const SgyFound *found, int64_t f)
{
    const SgyLayout *layout = &inputs->layouts[f];
    char text[160], count[32], bytes[32], samples[32] = "";
    snprintf(text, sizeof text, "%d.%d", layout->major, layout->minor);
    info_line("revision", text);
    snprintf(text, sizeof text, "%d (%s), %s-endian", layout->format, sgy_format_name(layout->format),
             layout->big ? "big" : "little");
    info_line("samples", text);
    if (layout->variable) snprintf(samples, sizeof samples, "%" PRId64 " to ", layout->shortest);
    snprintf(text, sizeof text, "%s of %s%" PRId64 " sample%s%s, %s", log_count(layout->n_traces, count), samples,
             layout->n_samples, log_plural(layout->n_samples, "sample"),
             layout->variable ? ", as each header tells" : "", log_bytes((double)layout->size, bytes));
    info_line("traces", text);
    snprintf(text, sizeof text, "%g us (%d in the binary header, %d in the first trace's)", layout->interval_us,
             layout->binary_interval, layout->trace_interval);
    info_line("sample interval", text);
    show_delay(found, text, sizeof text);
    info_line("delay", text);
    snprintf(text, sizeof text, "%d (%s)", layout->sorting, sorting_name(layout->sorting));
    info_line("sorting code", text);
    snprintf(text, sizeof text, "%" PRId32, layout->line_number);
    info_line("line number", text);
    snprintf(text, sizeof text, "%d", layout->n_extra);
    info_line("additional headers", text);
    snprintf(text, sizeof text, "%s of extended text, %" PRId64 " of trailer",
             log_things(layout->first_trace - SGY_TEXT - SGY_BINARY, "byte", bytes), layout->size - layout->end);
    info_line("besides", text);
}

/* The first file at length, the others by a line. */
static Status show_files(const Inputs *inputs, const SgyFound *found)
{
    char text[160], count[LOG_THINGS_MAX];
    log_result("%s: SEG-Y", inputs->paths[0]);
    show_headers(inputs, found, 0);
    Status status = show_text(inputs->paths[0]);
    for (int64_t f = 1; f < inputs->n_files && f <= FILES_SHOWN; f++) {
        const SgyLayout *layout = &inputs->layouts[f];
        log_result("%s: SEG-Y: %s, %s, %g us", inputs->paths[f], log_things(layout->n_traces, "trace", count),
                   sgy_layout_text(layout, text), layout->interval_us);
    }
    if (inputs->n_files > FILES_SHOWN + 1)
        log_result("and %s", log_things(inputs->n_files - FILES_SHOWN - 1, "more file", count));
    return status;
}

/* ---- fields ---- */

/* "189-192" */
static void write_field(const SgyField *field, char *bytes)
{
    snprintf(bytes, 16, "%d-%d", field->byte, field->byte + field->width - 1);
}

static float as_float(int32_t word, int format)
{
    uint8_t bytes[4];
    float value;
    SgyOdd odd = {.first = -1};
    sgy_number_put(bytes, 4, true, (uint32_t)word);
    sgy_decode(format, true, bytes, 1, &value, &odd);
    return value;
}

/* What the range reads as, where its ends look like the bits of floats: both kinds where there is room. */
static void write_floats(const SgyValues *values, char text[ROOM])
{
    bool low = values->low == 0 || sgy_looks_float(values->low), high = sgy_looks_float(values->high);
    char ibm[ROOM];
    text[0] = '\0';
    if (values->field.width != 4 || !low || !high) return;
    snprintf(text, ROOM, " float %.5g..%.5g", (double)as_float(values->low, SGY_IEEE),
             (double)as_float(values->high, SGY_IEEE));
    int length = snprintf(ibm, ROOM, ", ibm %.5g..%.5g", (double)as_float(values->low, SGY_IBM),
                          (double)as_float(values->high, SGY_IBM));
    size_t used = strlen(text);
    if (used + (size_t)length < ROOM) memcpy(text + used, ibm, (size_t)length + 1);
}

static void show_varying(const SgyFound *found)
{
    log_result("what varies");
    log_result("  %-17s %-7s %11s %11s %8s", "field", "bytes", "least", "largest", "values");
    int n = 0;
    for (int f = 0; f < found->n_fields; f++) {
        const SgyValues *values = &found->values[f];
        char bytes[16], count[32], floats[ROOM], more[48];
        if (values->low == values->high) continue;
        write_field(&values->field, bytes);
        write_floats(values, floats);
        snprintf(more, sizeof more, "%s", log_count(values->n_values, count));
        if (values->n_values < 0) snprintf(more, sizeof more, ">%s", log_count(SGY_SCAN_VALUES, count));
        log_result("  %-17s %-7s %11" PRId32 " %11" PRId32 " %8s%s", values->field.name, bytes, values->low,
                   values->high, more, floats);
        n++;
    }
    if (n == 0) log_result("  nothing");
}

/* Fields that have one value, not 0, in all headers: as many in a line as fit. */
static void show_alike(const SgyFound *found)
{
    char line[WIDTH + 1] = "";
    int at = 0;
    log_result("alike in all, and not 0");
    for (int f = 0; f < found->n_fields; f++) {
        const SgyValues *values = &found->values[f];
        char bytes[16], text[64];
        if (values->low != values->high || values->low == 0) continue;
        write_field(&values->field, bytes);
        const char *name = values->field.name;
        int length =
            snprintf(text, sizeof text, "%s%s%s %" PRId32, name, name[0] == '\0' ? "" : " ", bytes, values->low);
        if (at > 0 && at + 2 + length > WIDTH - 2) {
            log_result("  %s,", line);
            at = 0;
        }
        at += snprintf(line + at, sizeof line - (size_t)at, "%s%s", at > 0 ? ", " : "", text);
    }
    log_result("  %s", at > 0 ? line : "nothing");
}

/* ---- gathers ---- */

static void show_offsets(const SgyFound *found, const SgyField *field)
{
    const SgyOffsets *offsets = &found->offsets;
    char name[64];
    sgy_field_text(field, name);
    if (sgy_offsets_from_coordinates(offsets))
        log_result("%s is 0 in every trace; by the coordinates of source and receiver offsets are %g to %g", name,
                   sgy_code_value(&(SgyField){.word = SGY_WORD_FLOAT}, offsets->distance_low),
                   sgy_code_value(&(SgyField){.word = SGY_WORD_FLOAT}, offsets->distance_high));
    else if (sgy_offsets_look_float(offsets))
        log_result("%s holds the bits of floats: --offset-byte %d:float, or :ibm, reads them", name, field->byte);
}

static void show_candidates(const Inputs *inputs, const SgyFound *found)
{
    SgyEvidence evidence = sgy_evidence(found, &inputs->layouts[0]);
    SgyVerdict verdict[SGY_CANDIDATES];
    int order[SGY_CANDIDATES], chosen = sgy_judge_all(found->tally, &evidence, verdict, order);
    char table[SGY_TABLE_TEXT], name[160], option[96];
    log_result("what would make which gathers");
    log_result("%s", sgy_candidates_table(found, &evidence, table));
    if (chosen < 0)
        log_result("none makes sense: consolidate needs --group-by, or --inline-byte and --crossline-byte");
    else
        log_result("consolidate takes %s\n  as with %s", sgy_candidate_text(sgy_candidate(chosen), name),
                   sgy_candidate_options(sgy_candidate(chosen), option));
}

static Status show(const Inputs *inputs, const SgyFound *found, const SgyField *offset)
{
    char seen[32], all[LOG_THINGS_MAX];
    int64_t total = inputs->first[inputs->n_files];
    Status status = show_files(inputs, found);
    if (status != STATUS_OK) return status;
    if (found->n_traces < total)
        log_result("scanned: %s of %s, in runs spread over all", log_count(found->n_traces, seen),
                   log_things(total, "trace", all));
    show_varying(found);
    show_alike(found);
    show_offsets(found, offset);
    show_candidates(inputs, found);
    return STATUS_OK;
}

bool info_is_segy(const char *path)
{
    return text_ends_with(path, ".sgy") || text_ends_with(path, ".segy") || files_is_folder(path);
}

Status info_segy(const Job *job)
{
    const Comm *comm = &job->comm;
    SgyForce force = {0};
    SgyScanPlan plan = {.candidates = true, .fields = true};
    Inputs inputs;
    SgyFound found;
    SgyRule rule = {0};
    Status status = segy_options_force(&info_options(job)->files, &force); /* alike on all ranks */
    if (status == STATUS_OK) status = segy_options_offset(info_options(job)->offset_byte, &rule);
    if (status != STATUS_OK) return status;
    plan.offset = rule.offset;
    plan.coordinates = rule.offset_automatic || rule.from_coordinates;
    status = inputs_open_headers(comm, job->n_arguments, job->arguments, &force, &inputs);
    if (status != STATUS_OK) return status;
    plan.apart = inputs.n_files > 1;
    status = sgy_scan_files(comm, &inputs.files, &plan, info_options(job)->traces, &found);
    if (status == STATUS_OK)
        status = comm_agree(comm, comm->rank == 0 ? show(&inputs, &found, &plan.offset) : STATUS_OK);
    inputs_free(&inputs);
    return status;
}
