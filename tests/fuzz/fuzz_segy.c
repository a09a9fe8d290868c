/* A SEG-Y file: its layout, its traces, and the survey that they make.
 *
 * Of the 3600 bytes of headers only those that are read are taken from the input: the first byte chooses what the user
 * forces, two more how many zeros stand behind the headers (extended text and traces of some length for little input),
 * then bytes 3201 to 3300 and 3501 to 3600. What is left of the input follows the zeros. */
#include "base_files.h"
#include "fuzz.h"
#include "program.h"

#include "seisdcn/sgy_code.h"
#include "seisdcn/sgy_layout.h"
#include "seisdcn/sgy_sample.h"
#include "seisdcn/sgy_trace.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { PART = 100, HEADERS = SGY_TEXT + SGY_BINARY, SMALL = 1 << 15 };

static const char *write_input(uint8_t flags, const uint8_t *data, size_t size)
{
    size_t zeros = (size_t)fuzz_byte(&data, &size) | (size_t)fuzz_byte(&data, &size) << 8;
    size_t first = size < PART ? size : PART, second = size - first < PART ? size - first : PART;
    size_t rest = size - first - second, bytes = HEADERS + zeros + rest;
    uint8_t *file = calloc(bytes, 1);
    FUZZ_CHECK(file != NULL);
    memset(file, flags & 0x80 ? ' ' : 0x40, SGY_TEXT);
    if (first > 0) memcpy(file + SGY_TEXT, data, first);
    if (second > 0) memcpy(file + HEADERS - PART, data + first, second);
    if (rest > 0) memcpy(file + HEADERS + zeros, data + first + second, rest);
    const char *path = fuzz_file("input.sgy", file, flags & 0x40 ? bytes / 2 : bytes);
    free(file);
    return path;
}

static void read_traces(const char *path, const SgyLayout *layout)
{
    SgyTraces traces;
    size_t headers = (size_t)(1 + layout->n_extra) * SGY_HEADER;
    FUZZ_CHECK(layout->n_traces > 0 && layout->n_samples > 0 && layout->item_size > 0);
    FUZZ_CHECK(layout->variable || layout->first_trace + layout->n_traces * layout->trace_bytes <= layout->size);
    uint8_t *header = malloc(headers), *samples = malloc((size_t)(layout->n_samples * layout->item_size));
    float *values = malloc((size_t)layout->n_samples * sizeof *values);
    FUZZ_CHECK(header != NULL && samples != NULL && values != NULL);
    FUZZ_CHECK(fuzz_status(sgy_trace_open(path, layout, &traces)) == STATUS_OK);
    for (int64_t t = 0; t<layout->n_traces; t += layout->n_traces> 1 ? layout->n_traces - 1 : 1) {
        SgyOdd odd = {.first = -1};
        int64_t n;
        FUZZ_CHECK(fuzz_status(sgy_trace_read(&traces, t, header, samples, &n)) == STATUS_OK);
        FUZZ_CHECK(n > 0 && n <= layout->n_samples);
        sgy_decode(layout->format, layout->big, samples, n, values, &odd);
        FUZZ_CHECK(odd.first >= -1 && odd.first < n);
    }
    sgy_trace_close(&traces);
    free(header);
    free(samples);
    free(values);
}

/* Two files, where more says so, are one file twice: one volume, or two lines. */
static void consolidate(uint8_t flags, uint8_t more)
{
    char input[PROGRAM_PATH], again[PROGRAM_PATH], output[PROGRAM_PATH];
    static const char *const groups[] = {"position", "cdp", "shot", "source_point"};
    static const char *const offsets[] = {"37", "37:float", "37:ibm", "189:2"};
    const char *words[24] = {"--force", "consolidate", program_path("input.sgy", input), "--output",
                             program_path("output.h5", output)};
    int n = 5;
    program_run(2, (const char *[]){"info", input});
    if (flags & 3) {
        words[n++] = "--group-by";
        words[n++] = groups[flags & 3];
    }
    if (more & 3) {
        words[n++] = "--offset-byte";
        words[n++] = offsets[more & 3];
    }
    if (flags & 4) words[n++] = "--zero-bad";
    if (flags & 8) {
        words[n++] = "--sort";
        words[n++] = "offset";
    }
    if (more & 4) {
        base_copy("input.sgy", "again.sgy");
        words[n++] = program_path("again.sgy", again);
        if (more & 8) words[n++] = more & 16 ? "--lines" : "--join";
    }
    if (more & 32) words[n++] = "--salvage";
    if (more & 64) words[n++] = "--ignore-delay";
    if (program_run(n, words) != 0) return;
    program_run(3, (const char *[]){"info", "--verify", output});
    char again_out[PROGRAM_PATH];
    program_run(6, (const char *[]){"--force", "export", "--survey", output, "--output",
                                    program_path("output.sgy", again_out)});
}

int LLVMFuzzerInitialize(int *argc, char ***argv) { return program_open(argc, argv); }

static void try_input(const uint8_t *data, size_t size)
{
    uint8_t flags = fuzz_byte(&data, &size);
    const SgyForce force = {.salvage = size > 0 && (data[size - 1] & 32) != 0,
                            .order = (flags & 16) == 0 ? SGY_ORDER_FOUND
                                     : flags & 32      ? SGY_ORDER_BIG
                                                       : SGY_ORDER_LITTLE};
    SgyLayout layout;
    const char *path = write_input(flags, data, size);
    if (fuzz_status(sgy_code_read(path, &force, &layout)) != STATUS_OK) return;
    char text[160];
    FUZZ_CHECK(strlen(sgy_layout_text(&layout, text)) < sizeof text);
    read_traces(path, &layout);
    if (layout.size <= SMALL && force.order == SGY_ORDER_FOUND) consolidate(flags, size == 0 ? 0 : data[size - 1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    try_input(data, size);
    program_done();
    return 0;
}
