#include "base_files.h"

#include "fuzz.h"
#include "program.h"

#include "seisdcn/npy.h"
#include "seisdcn/sgy_field.h"
#include "seisdcn/sgy_layout.h"
#include "seisdcn/sgy_sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GATHERS = 4, FOLD = 6, FILES = 2 };

static int live = FOLD; /* traces of a gather that are not dead */

static float amplitude(int gather, int trace, int sample)
{
    if (trace >= live) return 0;
    return (float)((7 * gather + 5 * trace + 3 * sample) % 19 - 9) / 9;
}

/* File f holds the even or the odd traces of every gather. Of every second gather they begin a sample apart. */
static void write_segy(int f)
{
    enum { TRACE = SGY_HEADER + 4 * BASE_SAMPLES, TRACES = GATHERS * FOLD / FILES };
    static uint8_t file[SGY_TEXT + SGY_BINARY + TRACES * TRACE];
    char name[16];
    memset(file, 0, sizeof file);
    memset(file, 0x40, SGY_TEXT);
    sgy_binary_put(file + SGY_TEXT, SGY_BIN_INTERVAL, 2, true, 2000);
    sgy_binary_put(file + SGY_TEXT, SGY_BIN_SAMPLES, 2, true, BASE_SAMPLES);
    sgy_binary_put(file + SGY_TEXT, SGY_BIN_FORMAT, 2, true, SGY_IEEE);
    for (int t = 0; t < TRACES; t++) {
        int gather = t / (FOLD / FILES), trace = f + FILES * (t % (FOLD / FILES));
        uint8_t *at = file + SGY_TEXT + SGY_BINARY + (size_t)t * TRACE;
        float values[BASE_SAMPLES];
        for (int s = 0; s < BASE_SAMPLES; s++) values[s] = amplitude(gather, trace, s);
        sgy_number_put(at + 188, 4, true, 10);
        sgy_number_put(at + 192, 4, true, (uint64_t)(20 + gather));
        sgy_number_put(at + 36, 4, true, (uint64_t)(100 * trace));
        if (gather % 2 != 0) sgy_number_put(at + 108, 2, true, (uint64_t)(4 + 2 * f));
        sgy_encode(SGY_IEEE, true, values, BASE_SAMPLES, at + SGY_HEADER);
    }
    snprintf(name, sizeof name, "base%d.sgy", f);
    (void)fuzz_file(name, file, sizeof file);
}

static void write_npy(int gather)
{
    char name[48];
    float values[FOLD * BASE_SAMPLES];
    for (int i = 0; i < FOLD * BASE_SAMPLES; i++) values[i] = amplitude(gather, i / BASE_SAMPLES, i % BASE_SAMPLES);
    snprintf(name, sizeof name, "base_inline_10_crossline_%d.npy", 20 + gather);
    FUZZ_CHECK(npy_write(fuzz_path(name), FOLD, BASE_SAMPLES, values) == STATUS_OK);
}

static void make_survey(const char *name, int from_segy)
{
    char paths[GATHERS][PROGRAM_PATH], output[PROGRAM_PATH], input[48];
    const char *words[16] = {"--force",     "--quiet",  "consolidate",
                             "--drop-dead", "--output", program_path(name, output)};
    int n = 6, files = from_segy ? FILES : GATHERS;
    for (int i = 0; i < files; i++) {
        if (from_segy)
            write_segy(i);
        else
            write_npy(i);
        snprintf(input, sizeof input, from_segy ? "base%d.sgy" : "base_inline_10_crossline_%d.npy",
                 from_segy ? i : 20 + i);
        words[n++] = program_path(input, paths[i]);
    }
    FUZZ_CHECK(program_run(n, words) == 0);
}

void base_survey(const char *name, int from_segy) { make_survey(name, from_segy); }

void base_survey_dead(const char *name)
{
    live = FOLD - 2;
    make_survey(name, 1);
    live = FOLD;
}

void base_copy(const char *from, const char *to)
{
    char block[1 << 14];
    FILE *in = fopen(fuzz_path(from), "rb"), *out = fopen(fuzz_path(to), "wb");
    FUZZ_CHECK(in != NULL && out != NULL);
    for (size_t n; (n = fread(block, 1, sizeof block, in)) > 0;) FUZZ_CHECK(fwrite(block, 1, n, out) == n);
    fclose(in);
    FUZZ_CHECK(fclose(out) == 0);
}
