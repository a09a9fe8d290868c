/* Whole files, and what was found in words. */
#include "seisdcn/log.h"
#include "seisdcn/sgy_scan.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Headers that each rank reads between two agreements: an error anywhere ends all ranks soon. */
enum { ROUND_TRACES = 1 << 16, COUNTS = 128 };

int64_t sgy_scan_pick(int64_t i, int64_t wanted, int64_t total)
{
    int64_t runs = wanted < SGY_SCAN_RUNS ? wanted : SGY_SCAN_RUNS;
    if (wanted >= total) return i;
    int64_t run = ((i + 1) * runs - 1) / wanted; /* run r: the traces r * wanted / runs up to the next run's first */
    return run * total / runs + i - run * wanted / runs;
}

/* Trace number `number`, as one of this rank's. */
static Status take(SgyFiles *files, SgyScan *scan, int64_t number)
{
    uint8_t header[2 * SGY_HEADER];
    int64_t file, place;
    Status status = sgy_files_header(files, number, header);
    if (status != STATUS_OK) return status;
    sgy_files_find(files, number, &file, &place);
    const SgyLayout *layout = &files->layouts[file];
    return sgy_scan_take(scan, header, layout->n_extra > 0 ? header + SGY_HEADER : NULL, layout->big, (int32_t)file);
}

static Status take_all(const Comm *comm, SgyFiles *files, SgyScan *scan, int64_t wanted)
{
    int64_t total = files->first[files->n], first, end, most = (wanted + comm->size - 1) / comm->size;
    Status status = STATUS_OK;
    comm_share(comm, wanted, &first, &end);
    log_progress_start("headers", wanted, "trace");
    for (int64_t round = 0; round < most && status == STATUS_OK; round += ROUND_TRACES) {
        for (int64_t i = first + round; i < end && i < first + round + ROUND_TRACES && status == STATUS_OK; i++)
            status = take(files, scan, sgy_scan_pick(i, wanted, total));
        status = comm_agree(comm, status);
        log_progress(round * comm->size, NULL);
    }
    log_progress_end();
    return status;
}

Status sgy_scan_files(const Comm *comm, SgyFiles *files, const SgyScanPlan *plan, int64_t wanted, SgyFound *found)
{
    int64_t total = files->first[files->n];
    SgyScan *scan = sgy_scan_new(plan);
    Status status = comm_agree(comm, scan == NULL ? STATUS_MEMORY : STATUS_OK);
    if (status == STATUS_OK) status = take_all(comm, files, scan, wanted > 0 && wanted < total ? wanted : total);
    if (status == STATUS_OK) status = sgy_scan_finish(comm, scan, found);
    sgy_scan_free(scan);
    return status;
}

/* ---- in words ---- */

SgyEvidence sgy_evidence(const SgyFound *found, const SgyLayout *layout)
{
    return (SgyEvidence){.n_traces = found->n_traces,
                         .offsets_vary = sgy_offsets_vary(&found->offsets),
                         .sorting = layout->sorting,
                         .format = layout->format};
}

/* "189, 193 float" */
static void write_bytes(const SgyCandidate *candidate, char *text, size_t size)
{
    static const char *const kinds[] = {"", " float", " ibm"};
    const SgyField *field = candidate->field;
    if (field[1].byte == 0)
        snprintf(text, size, "%d", field[0].byte);
    else
        snprintf(text, size, "%d, %d%s", field[0].byte, field[1].byte, kinds[field[0].word]);
}

/* "inline, crossline" */
static void write_names(const SgyCandidate *candidate, char *text, size_t size)
{
    const SgyField *field = candidate->field;
    snprintf(text, size, "%s%s%s", field[0].name, field[1].name[0] == '\0' ? "" : ", ", field[1].name);
}

static void write_counts(const SgyTally *tally, char *gathers, char *folds)
{
    char low[32], high[32], usual[32], count[32];
    if (tally->drawn == 0) {
        snprintf(gathers, COUNTS, "few");
        snprintf(folds, COUNTS, "too many to count");
        return;
    }
    snprintf(gathers, COUNTS, "%s%s", tally->drawn > 1 ? "about " : "", log_count(tally->n_gathers, count));
    log_count(tally->fold_low, low);
    log_count(tally->fold_high, high);
    if (tally->fold_low == tally->fold_high)
        snprintf(folds, COUNTS, "%s", low);
    else
        snprintf(folds, COUNTS, "%s to %s, most %s", low, high, log_count(tally->fold_usual, usual));
}

char *sgy_candidates_table(const SgyFound *found, const SgyEvidence *evidence, char *text)
{
    SgyVerdict verdict[SGY_CANDIDATES];
    int order[SGY_CANDIDATES], rows = 0;
    sgy_judge_all(found->tally, evidence, verdict, order);
    int at = snprintf(text, SGY_TABLE_TEXT, "  %-14s %-23s %-14s %-22s %s", "bytes", "called", "gathers", "traces each",
                      "judged");
    for (int i = 0; i < SGY_CANDIDATES; i++) {
        const SgyCandidate *candidate = sgy_candidate(order[i]);
        char bytes[32], names[64], gathers[COUNTS], folds[COUNTS];
        bool as_floats = candidate->field[0].word != SGY_WORD_INTEGER;
        if (verdict[order[i]] == SGY_EMPTY || (as_floats && verdict[order[i]] == SGY_FLOATS)) continue;
        write_bytes(candidate, bytes, sizeof bytes);
        write_names(candidate, names, sizeof names);
        write_counts(&found->tally[order[i]], gathers, folds);
        if (at < SGY_TABLE_TEXT)
            at += snprintf(text + at, (size_t)(SGY_TABLE_TEXT - at), "\n  %-14s %-23s %-14s %-22s %s", bytes, names,
                           gathers, folds, sgy_verdict_text(verdict[order[i]]));
        rows++;
    }
    if (rows == 0 && at < SGY_TABLE_TEXT) snprintf(text + at, (size_t)(SGY_TABLE_TEXT - at), "\n  none");
    return text;
}
