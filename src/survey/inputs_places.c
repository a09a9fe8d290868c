/* What SEG-Y headers tell of the traces, on its way into the survey. */
#include "seisdcn/inputs_dead.h"

#include "seisdcn/memory.h"

/* What belongs to this rank's SEG-Y traces [n_my_traces]: offsets, and where they stood. */
typedef struct {
    float *offsets;
    int64_t *positions;
    int32_t *files;
} Places;

static Status write_run(const Inputs *inputs, const Survey *survey, const Places *places, int64_t mine, SurveyPart part,
                        int64_t row, int64_t n)
{
    return survey_segy_write_places(survey, part, row, n, places->offsets + mine, places->positions + mine,
                                    inputs->n_files > 1 ? places->files + mine : NULL);
}

/* Where some are left out: run by run. */
static Status write_runs(const Inputs *inputs, const InputsDead *dead, const Survey *survey, const Places *places)
{
    Status status = STATUS_OK;
    for (int64_t e = inputs->my_first; e < inputs->my_end; e++) {
        int64_t first = inputs->index.first[e - inputs->my_first], fold = inputs_my_fold(inputs, e), end, row;
        for (int64_t t = 0; t < fold && status == STATUS_OK; t = end) {
            SurveyPart part;
            end = inputs_dead_run(inputs, dead, survey, e, t, &part, &row);
            status = write_run(inputs, survey, places, first + t, part, row, end - t);
            if (status == STATUS_OK && part == SURVEY_DROPPED && end - t == fold) /* its first one stands in */
                status = write_run(inputs, survey, places, first, SURVEY_KEPT, survey->first_trace[e], 1);
        }
    }
    return status;
}

Status inputs_write_places(const Inputs *inputs, const InputsDead *dead, const Survey *survey)
{
    const SgyIndex *index = &inputs->index;
    size_t n = (size_t)index->n_my_traces;
    Places places = {.offsets = memory_new(n, sizeof *places.offsets, "the traces' offsets"),
                     .positions = memory_new(n, sizeof *places.positions, "the traces' places"),
                     .files = memory_new(n, sizeof *places.files, "the traces' files")};
    bool good = places.offsets != NULL && places.positions != NULL && places.files != NULL;
    Status status = good ? STATUS_OK : STATUS_MEMORY;
    for (size_t t = 0; t < n && good; t++) {
        int64_t file;
        sgy_files_find(&inputs->files, index->trace[t].number, &file, &places.positions[t]);
        places.offsets[t] = (float)sgy_index_offset(index, index->trace[t].offset);
        places.files[t] = (int32_t)file;
    }
    if (good)
        status = dead->n > 0
                     ? write_runs(inputs, dead, survey, &places)
                     : write_run(inputs, survey, &places, 0, SURVEY_KEPT, index->first_trace, index->n_my_traces);
    memory_free(places.offsets);
    memory_free(places.positions);
    memory_free(places.files);
    return status;
}
