/* What work a predicted survey is of: all that decides its bytes. It stands in the file from its creation. */
#include "apply.h"

#include "seisdcn/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const GROUP = "/apply";

static void describe_channels(const Survey *survey, int64_t n_channels, char text[APPLY_CHANNELS_TEXT])
{
    size_t at = strlen(survey_describe_channels(survey, n_channels, text));
    uint64_t checksum = survey_channels_checksum(survey, n_channels);
    if (checksum != 0) snprintf(text + at, APPLY_CHANNELS_TEXT - at, "; checksum %016" PRIx64, checksum);
}

/* What computes: another one may give other last bits. */
static void describe_instructions(const Network *network, char *text, size_t size)
{
    const char *kernels = network_blas_kernels(network);
    snprintf(text, size, "%s%s%s", network->vector->name, *kernels ? ", OpenBLAS for " : "", kernels);
}

void apply_work_describe(const Apply *apply, ApplyWork *work)
{
    const Config *config = &apply->job->config;
    const NetworkShape *shape = &apply->network.shape;
    memset(work, 0, sizeof *work);
    work->model = apply->info.checksum;
    work->survey = apply->survey.checksum;
    work->survey_path = apply->survey.path;
    snprintf(work->network, sizeof work->network,
             "channels %" PRId64 ", k_mult %" PRId64 ", levels %" PRId64 ", patch %" PRId64 ", mixing %s, skip %s, "
             "width %" PRId64 ", out_channels %" PRId64 ", output %s, scale %s, scale_grid %" PRId64 ", target %s",
             shape->channels, shape->k_mult, shape->levels, shape->patch_size,
             config_word(CONFIG_NETWORK_MIXING, shape->mixing), config_word(CONFIG_NETWORK_SKIP, shape->skip),
             shape->width, shape->n_out, config_word(CONFIG_NETWORK_OUTPUT, shape->output),
             config_word(CONFIG_PATCH_SCALE, shape->scale), shape->scale_grid,
             config_word(CONFIG_TRAIN_TARGET, shape->objective.target));
    describe_channels(&apply->survey, model_gather_channels(&apply->network), work->channels);
    snprintf(work->method, sizeof work->method, "%s", config_word(CONFIG_APPLY_METHOD, (int64_t)config->apply.method));
    work->mute_threshold = config->apply.mute_threshold;
    work->keep_mutes = config->apply.keep_mutes;
    work->difference = command_flag(apply->job, "--difference");
    work->selection = apply->selection;
    describe_instructions(&apply->network, work->instruction_set, sizeof work->instruction_set);
}

Status apply_work_write(const H5File *file, void *context)
{
    const ApplyWork *work = context;
    Status status = h5_put_uint(file, "/", "model_checksum", work->model);
    if (status == STATUS_OK) status = h5_put_uint(file, "/", "survey_checksum", work->survey);
    if (status == STATUS_OK) status = h5_create_group(file, GROUP);
    if (status == STATUS_OK) status = h5_put_text(file, GROUP, "network", work->network);
    if (status == STATUS_OK) status = h5_put_text(file, GROUP, "channels", work->channels);
    if (status == STATUS_OK) status = h5_put_text(file, GROUP, "method", work->method);
    if (status == STATUS_OK) status = h5_put_double(file, GROUP, "mute_threshold", work->mute_threshold);
    if (status == STATUS_OK) status = h5_put_int(file, GROUP, "keep_mutes", work->keep_mutes);
    if (status == STATUS_OK) status = h5_put_int(file, GROUP, "difference", work->difference);
    if (status == STATUS_OK) status = h5_put_uint(file, GROUP, "selection_checksum", work->selection);
    if (status == STATUS_OK) status = h5_put_text(file, GROUP, "instruction_set", work->instruction_set);
    if (status == STATUS_OK) status = h5_put_text(file, GROUP, "survey_path", work->survey_path);
    return status;
}

Status apply_work_read(const H5File *file, ApplyWork *work)
{
    memset(work, 0, sizeof *work);
    Status status = h5_check_format(file, "seisdcn-survey", "a predicted survey");
    if (status == STATUS_OK) status = h5_get_uint(file, "/", "model_checksum", &work->model);
    if (status == STATUS_OK) status = h5_get_uint(file, "/", "survey_checksum", &work->survey);
    if (status == STATUS_OK) status = h5_get_text(file, GROUP, "network", work->network, sizeof work->network);
    if (status == STATUS_OK) status = h5_get_text(file, GROUP, "channels", work->channels, sizeof work->channels);
    if (status == STATUS_OK) status = h5_get_text(file, GROUP, "method", work->method, sizeof work->method);
    if (status == STATUS_OK) status = h5_get_double(file, GROUP, "mute_threshold", &work->mute_threshold);
    if (status == STATUS_OK) status = h5_get_int(file, GROUP, "keep_mutes", &work->keep_mutes);
    if (status == STATUS_OK) status = h5_get_int(file, GROUP, "difference", &work->difference);
    if (status == STATUS_OK) status = h5_get_uint(file, GROUP, "selection_checksum", &work->selection);
    if (status == STATUS_OK)
        status = h5_get_text(file, GROUP, "instruction_set", work->instruction_set, sizeof work->instruction_set);
    return status;
}

/* Refuses a file of other work by name. The instruction set changes no more than the last bits: a warning. */
Status apply_work_compare(const Apply *apply, const char *path, const ApplyWork *have)
{
    static const char *const remedy = "or start anew with --force";
    const char *model = command_text(apply->job, "--model");
    ApplyWork want;
    apply_work_describe(apply, &want);
    if (have->survey != want.survey || strcmp(have->channels, want.channels) != 0)
        return status_fail(STATUS_DATA,
                           "%s is of another survey (checksum %016" PRIx64
                           ", channels: %.500s) than %s (checksum %016" PRIx64 ", channels: %.500s): give that one, %s",
                           path, have->survey, have->channels, apply->survey.path, want.survey, want.channels, remedy);
    if (have->model != want.model || strcmp(have->network, want.network) != 0)
        return status_fail(STATUS_DATA,
                           "%s is of another model (checksum %016" PRIx64 ", %s) than %s (checksum %016" PRIx64
                           ", %s): give that one, %s",
                           path, have->model, have->network, model, want.model, want.network, remedy);
    if (strcmp(have->method, want.method) != 0)
        return status_fail(STATUS_CONFIG, "%s was made with apply.method=%s, not %s: set it so, %s", path, have->method,
                           want.method, remedy);
    if (have->mute_threshold != want.mute_threshold)
        return status_fail(STATUS_CONFIG, "%s was made with apply.mute_threshold=%.17g, not %.17g: set it so, %s", path,
                           have->mute_threshold, want.mute_threshold, remedy);
    if (have->keep_mutes != want.keep_mutes)
        return status_fail(STATUS_CONFIG, "%s was made with apply.keep_mutes=%s: set it so, %s", path,
                           have->keep_mutes ? "true" : "false", remedy);
    if (have->difference != want.difference)
        return status_fail(STATUS_USAGE, "%s was made %s --difference: call it so, %s", path,
                           have->difference ? "with" : "without", remedy);
    if (have->selection != want.selection)
        return status_fail(STATUS_USAGE, "%s was made with another list of --ensembles: give that one, %s", path,
                           remedy);
    if (strcmp(have->instruction_set, want.instruction_set) != 0)
        log_warning("%s was begun with the instruction set %s, now it is %s: the last bits of the gathers that follow "
                    "may differ",
                    path, have->instruction_set, want.instruction_set);
    return STATUS_OK;
}
