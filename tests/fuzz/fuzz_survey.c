/* A survey file: opened, checked, its gathers, offsets and headers read, and written out again as SEG-Y. The input is
 * what h5_edit() changes in a good one; its first byte chooses which. */
#include "base_files.h"
#include "fuzz.h"
#include "h5_edit.h"
#include "program.h"

#include "seisdcn/memory.h"
#include "seisdcn/survey.h"
#include "seisdcn/survey_dropped.h"
#include "seisdcn/survey_segy.h"

#include <stdbool.h>

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    program_open(argc, argv);
    base_survey("segy.h5", 1);
    base_survey("npy.h5", 0);
    base_survey_dead("dead.h5");
    program_ready();
    return 0;
}

static void read_gathers(const Survey *survey)
{
    int64_t fold = survey_max_fold(survey), channels = survey->n_attributes + 1;
    float *amplitude = memory_new((size_t)fold, (size_t)(survey->n_samples * channels) * sizeof *amplitude, "a gather");
    float *offsets = memory_new((size_t)fold, sizeof *offsets, "offsets");
    FUZZ_CHECK(amplitude != NULL && offsets != NULL); /* files here are small, and must not say otherwise */
    for (int64_t e = 0; e < survey->n_ensembles; e++) {
        char text[96];
        FUZZ_CHECK(survey_ensemble_name(survey, e, text) == text);
        fuzz_status(survey_read_gather(survey, e, channels, amplitude));
        fuzz_status(survey_read_offsets(survey, e, offsets));
    }
    memory_free(amplitude);
    memory_free(offsets);
}

static void read_segy(const Survey *survey)
{
    SurveySegy segy;
    if (fuzz_status(survey_segy_read(survey, &segy)) != STATUS_OK || segy.head == NULL) return;
    int64_t n = survey->n_traces;
    int64_t *places = memory_new((size_t)n, sizeof *places, "places");
    int32_t *files = memory_new((size_t)n, sizeof *files, "files");
    FUZZ_CHECK(places != NULL && files != NULL);
    fuzz_status(survey_segy_read_places(survey, &segy, SURVEY_KEPT, 0, n, places, files));
    int32_t *first = memory_new((size_t)n, sizeof *first, "first samples");
    FUZZ_CHECK(first != NULL);
    fuzz_status(survey_segy_read_spans(survey, &segy, SURVEY_KEPT, 0, n, first, files));
    memory_free(first);
    memory_free(places);
    memory_free(files);
    survey_segy_free(&segy);
}

/* Traces that were left out, put back. */
static void read_dropped(const Survey *survey)
{
    SurveyDropped dropped;
    if (fuzz_status(survey_dropped_read(survey, &dropped)) != STATUS_OK) return;
    size_t fold = (size_t)survey_dropped_max_fold(survey, &dropped);
    float *amplitude = memory_new(fold, (size_t)survey->n_samples * sizeof *amplitude, "a gather");
    FUZZ_CHECK(amplitude != NULL);
    for (int64_t e = 0; e < survey->n_ensembles; e++)
        fuzz_status(survey_dropped_put_back(survey, &dropped, e, amplitude));
    memory_free(amplitude);
    survey_dropped_free(&dropped);
}

static void try_input(const uint8_t *data, size_t size)
{
    Survey survey;
    char path[PROGRAM_PATH], output[PROGRAM_PATH];
    uint8_t flags = fuzz_byte(&data, &size);
    base_copy(flags & 8 ? "dead.h5" : flags & 1 ? "segy.h5" : "npy.h5", "input.h5");
    h5_edit(program_path("input.h5", path), data, size);
    program_run(3, (const char *[]){"info", "--verify", path});
    if (fuzz_status(survey_open(program_comm(), path, false, &survey)) != STATUS_OK) return;
    read_gathers(&survey);
    read_segy(&survey);
    read_dropped(&survey);
    fuzz_status(survey_close(&survey));
    if (flags & 2)
        program_run(
            6, (const char *[]){"--force", "export", "--survey", path, "--output", program_path("output.sgy", output)});
    if (flags & 4) program_run(5, (const char *[]){"qc", "--survey", path, "--predicted", path});
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    try_input(data, size);
    program_done();
    return 0;
}
