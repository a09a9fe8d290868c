/* Which network a model file, or a configuration, means; and whether it fits a survey and a map. */
#include "model_private.h"

#include "seisdcn/log.h"
#include "seisdcn/shared.h"

#include <inttypes.h>
#include <stdio.h>

static ObjectiveRule rule_of(const Config *config)
{
    return (ObjectiveRule){.target = (int)config->train.target,
                           .hide = config->train.hide,
                           .block = config->train.block,
                           .fill = (int)config->train.fill};
}

/* ---- in the file ---- */

/* An attribute that may be absent; *value stays then. */
static Status read_whole(const H5File *file, const char *name, int64_t *value)
{
    return h5_has(file, "/", name) ? h5_get_int(file, "/", name, value) : STATUS_OK;
}

static Status read_objective(const H5File *file, ObjectiveRule *rule)
{
    Config defaults;
    config_defaults(&defaults);
    *rule = rule_of(&defaults);
    Status status = h5_get_choice(file, "target", CONFIG_TRAIN_TARGET, &rule->target);
    if (status == STATUS_OK && h5_has(file, "/", "hide")) status = h5_get_double(file, "/", "hide", &rule->hide);
    if (status == STATUS_OK) status = read_whole(file, "block", &rule->block);
    if (status == STATUS_OK) status = h5_get_choice(file, "fill", CONFIG_TRAIN_FILL, &rule->fill);
    return status;
}

Status model_read_shape(const H5File *file, NetworkShape *shape)
{
    *shape = (NetworkShape){.dropout = 0, .mixing = MIXING_DEPTHWISE, .skip = SKIP_NONE};
    int64_t dropout_last = 1;
    Status status = h5_get_int(file, "/", "n_chans", &shape->channels);
    if (status == STATUS_OK) status = h5_get_int(file, "/", "k_mult", &shape->k_mult);
    if (status == STATUS_OK) status = h5_get_int(file, "/", "levels", &shape->levels);
    if (status == STATUS_OK) status = h5_get_int(file, "/", "patch_size", &shape->patch_size);
    if (status == STATUS_OK && h5_has(file, "/", "dropout"))
        status = h5_get_double(file, "/", "dropout", &shape->dropout);
    if (status == STATUS_OK) status = h5_get_choice(file, "mixing", CONFIG_NETWORK_MIXING, &shape->mixing);
    if (status == STATUS_OK) status = h5_get_choice(file, "skip", CONFIG_NETWORK_SKIP, &shape->skip);
    if (status == STATUS_OK) status = h5_get_choice(file, "output", CONFIG_NETWORK_OUTPUT, &shape->output);
    if (status == STATUS_OK) status = read_whole(file, "width", &shape->width);
    if (status == STATUS_OK) status = read_whole(file, "n_out", &shape->n_out);
    if (status == STATUS_OK) status = read_whole(file, "dropout_last", &dropout_last);
    if (status == STATUS_OK) status = h5_get_choice(file, "scale", CONFIG_PATCH_SCALE, &shape->scale);
    if (status == STATUS_OK) status = read_whole(file, "scale_grid", &shape->scale_grid);
    if (status == STATUS_OK) status = read_objective(file, &shape->objective);
    shape->undropped_last = dropout_last == 0;
    if (status == STATUS_OK && !(shape->dropout >= 0 && shape->dropout < 1))
        status = status_fail(STATUS_DATA, "%s: dropout %g is not in [0, 1)", file->path, shape->dropout);
    if (status == STATUS_OK && network_check_shape(shape) != STATUS_OK)
        status = status_prefix(STATUS_DATA, "%s: its attributes make no network", file->path);
    return status;
}

static Status write_objective(const H5File *file, const ObjectiveRule *rule)
{
    Status status = h5_put_text(file, "/", "target", config_word(CONFIG_TRAIN_TARGET, rule->target));
    if (rule->target != TARGET_BLIND_TRACE) return status;
    if (status == STATUS_OK) status = h5_put_double(file, "/", "hide", rule->hide);
    if (status == STATUS_OK) status = h5_put_int(file, "/", "block", rule->block);
    if (status == STATUS_OK) status = h5_put_text(file, "/", "fill", config_word(CONFIG_TRAIN_FILL, rule->fill));
    return status;
}

Status model_write_shape(const H5File *file, const NetworkShape *shape)
{
    Status status = h5_put_int(file, "/", "n_chans", shape->channels);
    if (status == STATUS_OK) status = h5_put_int(file, "/", "k_mult", shape->k_mult);
    if (status == STATUS_OK) status = h5_put_int(file, "/", "levels", shape->levels);
    if (status == STATUS_OK) status = h5_put_int(file, "/", "patch_size", shape->patch_size);
    if (status == STATUS_OK) status = h5_put_double(file, "/", "dropout", shape->dropout);
    if (status == STATUS_OK)
        status = h5_put_text(file, "/", "mixing", config_word(CONFIG_NETWORK_MIXING, shape->mixing));
    if (status == STATUS_OK) status = h5_put_text(file, "/", "skip", config_word(CONFIG_NETWORK_SKIP, shape->skip));
    if (status == STATUS_OK) status = h5_put_int(file, "/", "width", shape->width);
    if (status == STATUS_OK) status = h5_put_int(file, "/", "n_out", shape->n_out);
    if (status == STATUS_OK)
        status = h5_put_text(file, "/", "output", config_word(CONFIG_NETWORK_OUTPUT, shape->output));
    if (status == STATUS_OK) status = h5_put_int(file, "/", "dropout_last", shape->undropped_last ? 0 : 1);
    if (status == STATUS_OK) status = h5_put_text(file, "/", "scale", config_word(CONFIG_PATCH_SCALE, shape->scale));
    if (status == STATUS_OK) status = h5_put_int(file, "/", "scale_grid", shape->scale_grid);
    return status == STATUS_OK ? write_objective(file, &shape->objective) : status;
}

/* ---- in the configuration ---- */

NetworkShape model_shape(const Config *config)
{
    /* what is not the input itself has one channel by default: the amplitude */
    int64_t n_out = config->network.out_channels;
    if (n_out == 0 && config->train.target != TARGET_SOURCE) n_out = 1;
    return (NetworkShape){.channels = config->network.channels * objective_inputs((int)config->train.target),
                          .k_mult = config->network.k_mult,
                          .levels = config->network.levels,
                          .patch_size = config->patch.size,
                          .dropout = config->network.dropout,
                          .mixing = (int)config->network.mixing,
                          .skip = (int)config->network.skip,
                          .width = config->network.width,
                          .n_out = n_out,
                          .output = (int)config->network.output,
                          .undropped_last = !config->network.dropout_last,
                          .scale = (int)config->patch.scale,
                          .scale_grid = config->patch.scale_grid,
                          .objective = rule_of(config)};
}

/* The user's objective stands as long as the same gathers feed it. */
static Status take_objective(const NetworkShape *shape, const char *owner, Config *config)
{
    const ObjectiveRule *rule = &shape->objective;
    if (config->is_set[CONFIG_TRAIN_TARGET] &&
        objective_inputs((int)config->train.target) != objective_inputs(rule->target))
        return config_take(config, CONFIG_TRAIN_TARGET, rule->target, owner);
    if (!config->is_set[CONFIG_TRAIN_TARGET]) config->train.target = rule->target;
    if (!config->is_set[CONFIG_TRAIN_HIDE]) config->train.hide = rule->hide;
    if (!config->is_set[CONFIG_TRAIN_BLOCK]) config->train.block = rule->block;
    if (!config->is_set[CONFIG_TRAIN_FILL]) config->train.fill = rule->fill;
    return STATUS_OK;
}

/* 0 in the configuration and the number that it comes to are no contradiction. */
static Status take_out_channels(const NetworkShape *shape, const char *owner, Config *config)
{
    int64_t implied = config->train.target == TARGET_SOURCE ? shape->channels : 1;
    if (config->network.out_channels == 0 && shape->n_out == implied) return STATUS_OK;
    return config_take(config, CONFIG_NETWORK_OUT_CHANNELS, (double)shape->n_out, owner);
}

Status model_take_config(const Network *network, const char *path, Config *config)
{
    const NetworkShape *shape = &network->shape;
    char owner[512];
    snprintf(owner, sizeof owner, "the model %s", path);
    Status status = config_take(config, CONFIG_PATCH_SIZE, (double)shape->patch_size, owner);
    if (status == STATUS_OK) status = config_take(config, CONFIG_PATCH_SCALE, (double)shape->scale, owner);
    if (status == STATUS_OK) status = config_take(config, CONFIG_PATCH_SCALE_GRID, (double)shape->scale_grid, owner);
    if (status == STATUS_OK) status = take_objective(shape, owner, config);
    if (status == STATUS_OK)
        status = config_take_int(config, CONFIG_NETWORK_CHANNELS,
                                 shape->channels / objective_inputs(shape->objective.target), owner);
    if (status == STATUS_OK) status = config_take(config, CONFIG_NETWORK_K_MULT, (double)shape->k_mult, owner);
    if (status == STATUS_OK) status = config_take(config, CONFIG_NETWORK_LEVELS, (double)shape->levels, owner);
    if (status == STATUS_OK) status = config_take(config, CONFIG_NETWORK_MIXING, (double)shape->mixing, owner);
    if (status == STATUS_OK) status = config_take(config, CONFIG_NETWORK_SKIP, (double)shape->skip, owner);
    if (status == STATUS_OK) status = config_take(config, CONFIG_NETWORK_WIDTH, (double)shape->width, owner);
    if (status == STATUS_OK) status = take_out_channels(shape, owner, config);
    if (status == STATUS_OK) status = config_take(config, CONFIG_NETWORK_OUTPUT, (double)shape->output, owner);
    if (status == STATUS_OK)
        status = config_take(config, CONFIG_NETWORK_DROPOUT_LAST, shape->undropped_last ? 0 : 1, owner);
    if (status == STATUS_OK && !config->is_set[CONFIG_NETWORK_DROPOUT]) config->network.dropout = shape->dropout;
    return status;
}

Status model_take_apply(const Network *network, const ModelInfo *info, const char *path, Config *config)
{
    char owner[512];
    Status status = STATUS_OK;
    const bool *is_set = config->is_set;
    snprintf(owner, sizeof owner, "the model %s", path);
    bool serves = info->apply_method != APPLY_WHOLE || shared_serves(&network->shape);
    if (info->has_apply && !is_set[CONFIG_APPLY_METHOD] && serves)
        status = config_take(config, CONFIG_APPLY_METHOD, (double)info->apply_method, owner);
    if (status == STATUS_OK && info->has_apply && !is_set[CONFIG_APPLY_MUTE_THRESHOLD])
        status = config_take(config, CONFIG_APPLY_MUTE_THRESHOLD, info->mute_threshold, owner);
    if (status == STATUS_OK && info->has_apply && !is_set[CONFIG_APPLY_KEEP_MUTES])
        status = config_take(config, CONFIG_APPLY_KEEP_MUTES, info->keep_mutes, owner);
    if (status == STATUS_OK)
        log_note("apply.method %s, %s", config_word(CONFIG_APPLY_METHOD, config->apply.method),
                 is_set[CONFIG_APPLY_METHOD] ? "as it is set"
                 : !info->has_apply          ? "the default: the model does not say what it was trained with"
                 : serves                    ? "as the model was trained with"
                                             : "the default: the model's patches are too small for its own");
    return status;
}

/* ---- what it fits ---- */

int64_t model_gather_channels(const Network *network)
{
    return network->shape.channels / objective_inputs(network->shape.objective.target);
}

Status model_take_survey(Network *network, const char *channels, Survey *survey, Status code)
{
    int64_t n = model_gather_channels(network);
    char text[SURVEY_CHANNELS_TEXT], count[LOG_THINGS_MAX], attributes[LOG_THINGS_MAX];
    bool shared[SURVEY_ATTRIBUTES_MAX + 1] = {true};
    if (channels != NULL && survey_take_channels(survey, channels) != STATUS_OK)
        return status_prefix(STATUS_DATA, "the network was trained with the channels %.900s", channels);
    if (n > 1 + survey->n_attributes)
        return status_fail(code,
                           "the network has %s, but %s holds the amplitude and %s: it can "
                           "feed network.channels up to %d; seisdcn attributes adds some",
                           log_things(n, "channel", count), survey->path,
                           log_things(survey->n_attributes, "attribute", attributes), 1 + survey->n_attributes);
    for (int64_t c = 1; c < n; c++) shared[c] = survey->attribute[c - 1].shared_scale;
    network_set_raw(network, shared, n);
    if (n > 1) log_note("channels: %s", survey_describe_channels(survey, n, text));
    return STATUS_OK;
}

Status model_check_map(const Network *network, const IndexMap *map)
{
    if (network->shape.patch_size == map->rule.patch_size) return STATUS_OK;
    return status_fail(STATUS_CONFIG,
                       "the model's patches are %" PRId64 " x %" PRId64 ", the index map's %" PRId64 " x %" PRId64
                       "; build a map with patch.size=%" PRId64,
                       network->shape.patch_size, network->shape.patch_size, map->rule.patch_size, map->rule.patch_size,
                       network->shape.patch_size);
}
