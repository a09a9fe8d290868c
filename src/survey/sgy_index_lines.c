/* Several files: one survey, or several lines whose gathers have the same numbers. */
#include "sgy_index_private.h"

#include "seisdcn/log.h"
#include "seisdcn/memory.h"
#include "seisdcn/text.h"

#include <inttypes.h>
#include <stdlib.h>

/* A trace of a gather: its offset, and its file. */
typedef struct {
    int32_t offset;
    int64_t file;
} Member;

static int compare(const void *a, const void *b)
{
    const Member *x = a, *y = b;
    if (x->offset != y->offset) return x->offset < y->offset ? -1 : 1;
    return x->file < y->file ? -1 : x->file > y->file;
}

static bool same_gather(const SgyTrace *a, const SgyTrace *b)
{
    return a->key[0] == b->key[0] && a->key[1] == b->key[1];
}

/* What one gather [fold] adds. member [fold] is for working in. */
static void see_gather(const SgyFiles *files, const SgyTrace *trace, int64_t fold, Member *member, SgyOverlap *overlap)
{
    int64_t place;
    bool shared = false;
    for (int64_t t = 0; t < fold; t++) {
        member[t].offset = trace[t].offset;
        sgy_files_find(files, trace[t].number, &member[t].file, &place);
        shared |= member[t].file != member[0].file;
    }
    if (!shared) return;
    overlap->n_gathers++;
    overlap->n_traces += fold;
    qsort(member, (size_t)fold, sizeof *member, compare);
    for (int64_t t = 0, end; t < fold; t = end) { /* runs of one offset, within them sorted by file */
        for (end = t + 1; end < fold && member[end].offset == member[t].offset;) end++;
        if (member[t].file != member[end - 1].file) overlap->n_met += end - t;
    }
}

static int64_t end_of_gather(const SgyIndex *index, int64_t t)
{
    int64_t end = t + 1;
    while (end < index->n_my_traces && same_gather(&index->trace[t], &index->trace[end])) end++;
    return end;
}

static void see_offsets(const SgyFiles *files, const SgyRange *range, SgyOverlap *overlap)
{
    overlap->single_offsets = true;
    for (int64_t f = 0; f < files->n; f++) {
        if (range[f].offset_low != range[f].offset_high) overlap->single_offsets = false;
        if (range[f].offset_low != range[0].offset_low || range[f].offset_high != range[0].offset_low)
            overlap->offsets_vary = true;
        for (int64_t other = 0; other < f && overlap->single_offsets; other++)
            if (range[other].offset_low == range[f].offset_low) overlap->single_offsets = false;
    }
}

/* What the files have in common. Collective. STATUS_MEMORY. */
static Status see_overlap(const Comm *comm, const SgyFiles *files, const SgyIndex *index, SgyOverlap *overlap)
{
    int64_t largest = 0, n = index->n_my_traces;
    for (int64_t t = 0, end; t < n; t = end) {
        end = end_of_gather(index, t);
        if (end - t > largest) largest = end - t;
    }
    Member *member = memory_new((size_t)largest, sizeof *member, "the traces of a gather");
    Status status = comm_agree(comm, member == NULL ? STATUS_MEMORY : STATUS_OK);
    if (status != STATUS_OK) {
        memory_free(member);
        return status;
    }
    for (int64_t t = 0, end; t < n; t = end) {
        end = end_of_gather(index, t);
        see_gather(files, index->trace + t, end - t, member, overlap);
    }
    memory_free(member);
    int64_t counts[3] = {overlap->n_gathers, overlap->n_traces, overlap->n_met};
    comm_sum(comm, counts, 3);
    overlap->n_gathers = counts[0];
    overlap->n_traces = counts[1];
    overlap->n_met = counts[2];
    see_offsets(files, index->range, overlap);
    return STATUS_OK;
}

static Status refuse(const SgyFiles *files, const SgyOverlap *overlap)
{
    char count[32];
    return status_fail(
        STATUS_DATA,
        "%s and %" PRId64 " more file%s have gathers of the same numbers (%s of them), and nothing tells whether they "
        "are parts of one survey or several lines (%s): --join makes one gather of the traces of all files, "
        "--lines keeps the files apart",
        files->paths[0], files->n - 1, log_plural(files->n - 1, "file"), log_count(overlap->n_gathers, count),
        overlap->numbers_told   ? "their binary headers have one line number, and offsets repeat"
        : overlap->offsets_vary ? "their binary headers have no line number, and some offsets repeat"
                                : "their binary headers have no line number, and all offsets are the same");
}

/* Each trace gets the number of its file's line: as the binary headers tell it, or else the file's, from 1. */
static Status part(const Comm *comm, const SgyFiles *files, const SgyOverlap *overlap, SgyIndex *index)
{
    bool by_number = overlap->numbers_told && overlap->numbers_differ;
    for (int64_t t = 0; t < index->n_my_traces; t++) {
        int64_t file, place;
        sgy_files_find(files, index->trace[t].number, &file, &place);
        index->trace[t].survey_line = by_number ? files->layouts[file].line_number : (int32_t)(file + 1);
    }
    index->has_lines = true;
    log_note("the files are several lines, numbered %s; their gathers are kept apart (--join puts those of the same "
             "numbers together)",
             by_number ? "as in their binary headers (bytes 3205-3208)" : "from 1 as they come");
    return sgy_index_sort(comm, &index->trace, &index->n_my_traces);
}

Status sgy_index_part(const Comm *comm, const SgyFiles *files, SgyIndex *index)
{
    SgyLines asked = index->rule.lines;
    SgyOverlap overlap = {0};
    overlap.numbers_told = sgy_lines_told(files->layouts, files->n, &overlap.numbers_differ);
    if (files->n == 1 || asked == SGY_LINES_JOIN) return STATUS_OK;
    if (asked == SGY_LINES_APART) return part(comm, files, &overlap, index);
    Status status = see_overlap(comm, files, index, &overlap);
    if (status != STATUS_OK) return status;
    SgyLinesVerdict verdict = sgy_lines_judge(&overlap);
    if (verdict == SGY_UNCLEAR) return refuse(files, &overlap);
    return verdict == SGY_SEVERAL_LINES ? part(comm, files, &overlap, index) : STATUS_OK;
}
