/* What feeds the network for a gather. */
#include "apply.h"

#include "seisdcn/memory.h"

#include <string.h>

/* Gathers that stay in memory: the next gather of the line wants two of these three again. */
enum { HELD = 4 };

static int64_t gather_channels(const Apply *apply) { return model_gather_channels(&apply->network); }

void apply_shared_scale(Apply *apply, const Survey *survey)
{
    int64_t channels = gather_channels(apply);
    for (int64_t c = 0; c < apply->network.shape.channels; c++)
        apply->shared_scale[c] = c % channels == 0 || survey->attribute[c % channels - 1].shared_scale;
}

int64_t apply_read_bytes(const Apply *apply, const Survey *survey)
{
    const NetworkShape *shape = &apply->network.shape;
    int64_t gather = survey_max_fold(survey) * survey->n_samples * (int64_t)sizeof(float);
    int64_t bytes = shape->channels * gather;
    if (shape->objective.target != TARGET_BLIND_GATHER) return bytes;
    return bytes + gather + HELD * gather_channels(apply) * gather +
           2 * survey->n_ensembles * (int64_t)sizeof(int64_t) +
           (int64_t)gathers_table_bytes(survey, gather_channels(apply));
}

Status apply_read_open(Apply *apply, const Survey *survey)
{
    const NetworkShape *shape = &apply->network.shape;
    int64_t n = survey_max_fold(survey) * survey->n_samples;
    apply->in = memory_new((size_t)(n * shape->channels), sizeof *apply->in, "a gather");
    apply->own = apply->in;
    if (apply->in == NULL) return STATUS_MEMORY;
    if (shape->objective.target != TARGET_BLIND_GATHER) return STATUS_OK;
    int64_t channels = gather_channels(apply);
    apply->own = memory_new((size_t)n, sizeof *apply->own, "a gather");
    if (apply->own == NULL) return STATUS_MEMORY;
    Status status = gathers_new(survey, channels, HELD * n * channels * (int64_t)sizeof(float), &apply->gathers);
    if (status != STATUS_OK) return status;
    return objective_new(&shape->objective, survey, NULL, channels, shape->n_out, shape->patch_size, &apply->objective);
}

void apply_read_close(Apply *apply)
{
    if (apply->own != apply->in) memory_free(apply->own);
    memory_free(apply->in);
    if (apply->gathers.survey != NULL) gathers_free(&apply->gathers);
    objective_free(&apply->objective);
}

/* The two neighbours side by side, trace by trace; zeros where they have none. */
static Status read_neighbours(Apply *apply, const Survey *survey, int64_t e)
{
    int64_t channels = apply->objective.n_channels, fold = survey_fold(survey, e), source[OBJECTIVE_INPUTS];
    size_t trace = (size_t)survey->n_samples * sizeof *apply->in;
    objective_sources(&apply->objective, e, source);
    memset(apply->in, 0, (size_t)(OBJECTIVE_INPUTS * channels * fold) * trace);
    for (int64_t k = 0; k < OBJECTIVE_INPUTS; k++) {
        if (source[k] < 0) continue;
        const float *gather;
        Status status = gathers_get(&apply->gathers, source[k], &gather);
        if (status != STATUS_OK) return status;
        int64_t held = survey_fold(survey, source[k]), common = held < fold ? held : fold;
        for (int64_t c = 0; c < channels; c++)
            memcpy(apply->in + (k * channels + c) * fold * survey->n_samples, gather + c * held * survey->n_samples,
                   (size_t)common * trace);
    }
    return STATUS_OK;
}

Status apply_read(Apply *apply, const Survey *survey, int64_t e)
{
    if (apply->objective.neighbours.before == NULL)
        return survey_read_gather(survey, e, apply->network.shape.channels, apply->in);
    const float *gather;
    Status status = gathers_get(&apply->gathers, e, &gather);
    if (status != STATUS_OK) return status;
    memcpy(apply->own, gather, (size_t)(survey_fold(survey, e) * survey->n_samples) * sizeof *gather);
    return read_neighbours(apply, survey, e);
}
