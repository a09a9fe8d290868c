/* What SEG-Y headers tell of the traces, on its way into the survey. */
#include "seisdcn/inputs_dead.h"

#include "seisdcn/memory.h"

/* What belongs to this rank's SEG-Y traces [n_my_traces]: offsets, and where they stood. */
typedef struct {
    float *offsets, *delays;
    int64_t *positions;
    int32_t *files, *first_samples, *samples;
} Places;

static Status write_run(const Inputs *inputs, const Survey *survey, const Places *places, int64_t mine, SurveyPart part,
                        int64_t row, int64_t n)
{
    const SgyTimes *times = &inputs->index.times;
    SurveySegyPlaces run = {.offsets = places->offsets + mine, .positions = places->positions + mine};
    if (inputs->n_files > 1) run.files = places->files + mine;
    if (times->low != 0 || times->high != 0) run.delays = places->delays + mine;
    if (times->padded) {
        run.first_samples = places->first_samples + mine;
        run.samples = places->samples + mine;
    }
    return survey_segy_write_places(survey, part, row, n, &run);
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

static void fill_places(const Inputs *inputs, const Places *places)
{
    const SgyIndex *index = &inputs->index;
    for (int64_t e = 0; e < index->n_my_gathers; e++)
        for (int64_t t = index->first[e]; t < index->first[e + 1]; t++) {
            const SgyTrace *trace = &index->trace[t];
            int64_t file;
            sgy_files_find(&inputs->files, trace->number, &file, &places->positions[t]);
            places->files[t] = (int32_t)file;
            places->offsets[t] = (float)sgy_index_offset(index, trace->offset);
            places->delays[t] = (float)((double)index->start[e] / 1000);
            places->first_samples[t] = (int32_t)sgy_index_shift(index, index->start[e], trace);
            places->samples[t] = trace->n_samples;
        }
}

Status inputs_write_places(const Inputs *inputs, const InputsDead *dead, const Survey *survey)
{
    const SgyIndex *index = &inputs->index;
    size_t n = (size_t)index->n_my_traces;
    const char *what = "what the headers tell of the traces";
    Places places = {.offsets = memory_new(n, sizeof *places.offsets, what),
                     .delays = memory_new(n, sizeof *places.delays, what),
                     .positions = memory_new(n, sizeof *places.positions, what),
                     .files = memory_new(n, sizeof *places.files, what),
                     .first_samples = memory_new(n, sizeof *places.first_samples, what),
                     .samples = memory_new(n, sizeof *places.samples, what)};
    bool good = places.offsets != NULL && places.delays != NULL && places.positions != NULL && places.files != NULL &&
                places.first_samples != NULL && places.samples != NULL;
    Status status = good ? STATUS_OK : STATUS_MEMORY;
    if (good) {
        fill_places(inputs, &places);
        status = dead->n > 0
                     ? write_runs(inputs, dead, survey, &places)
                     : write_run(inputs, survey, &places, 0, SURVEY_KEPT, index->first_trace, index->n_my_traces);
    }
    memory_free(places.offsets);
    memory_free(places.delays);
    memory_free(places.positions);
    memory_free(places.files);
    memory_free(places.first_samples);
    memory_free(places.samples);
    return status;
}

int64_t inputs_sample(const Inputs *inputs, int64_t e, int64_t t, int64_t s)
{
    if (inputs->layouts == NULL) return s;
    const SgyIndex *index = &inputs->index;
    int64_t mine = e - inputs->my_first;
    return s - sgy_index_shift(index, index->start[mine], &index->trace[index->first[mine] + t]);
}
