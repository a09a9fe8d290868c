/* A model over the gathers of a survey, one after the other, whoever asks for them. */
#include "apply.h"

#include <inttypes.h>
#include <string.h>

Status apply_load(Apply *apply, const Comm *comm, const char *model, const Vector *vector, Config *config)
{
    Status status = model_load(comm, model, vector, &apply->network, &apply->info);
    if (status == STATUS_OK) status = model_take_config(&apply->network, model, config);
    if (status == STATUS_OK) status = model_take_apply(&apply->network, &apply->info, model, config);
    const NetworkShape *shape = &apply->network.shape;
    if (status == STATUS_OK && config->apply.method == APPLY_WHOLE && !shared_serves(shape))
        return status_fail(STATUS_CONFIG,
                           "apply.method whole wants a network whose patches have a middle that no edge reaches: "
                           "patch.size %" PRId64 " of \"%s\" is at most 4 times network.levels (%" PRId64
                           "); use shared or direct",
                           shape->patch_size, model, shape->levels);
    return status;
}

Status apply_open(Apply *apply, const Config *config, const Survey *survey)
{
    apply->way = config->apply.method;
    apply_shared_scale(apply, survey);
    network_fold_running(&apply->network);
    Status status = apply_read_open(apply, survey);
    if (status == STATUS_OK)
        status = predict_new(&apply->network, survey_max_fold(survey), survey->n_samples, config->apply.mute_threshold,
                             config->apply.keep_mutes, apply->shared_scale, &apply->predictor);
    if (status == STATUS_OK) apply->predictor.own = apply->own;
    return status;
}

void apply_close(Apply *apply)
{
    apply_read_close(apply);
    predict_free(&apply->predictor);
}

/* Where only the first traces are wanted, the channels close up. */
static void shorten(const Apply *apply, int64_t n_samples, int64_t fold, int64_t kept)
{
    for (int64_t c = 1; c < apply->network.shape.channels && kept < fold; c++)
        memmove(apply->in + c * kept * n_samples, apply->in + c * fold * n_samples,
                (size_t)(kept * n_samples) * sizeof *apply->in);
}

bool apply_windows(Apply *apply, int64_t fold, int64_t kept, float *out, PredictCounts *counts)
{
    shorten(apply, apply->predictor.n_samples, fold, kept);
    static bool (*const ways[])(Predictor *, const float *, int64_t, float *, PredictCounts *) = {
        [APPLY_SHARED] = predict_shared, [APPLY_DIRECT] = predict_direct, [APPLY_WHOLE] = predict_whole};
    return ways[apply->way](&apply->predictor, apply->in, kept, out, counts);
}
