#include "train_introduce.h"

#include "seisdcn/log.h"

#include <inttypes.h>
#include <stdio.h>

static void introduce_network(const Network *network)
{
    const NetworkShape *shape = &network->shape;
    char width[48], channels[LOG_THINGS_MAX], levels[LOG_THINGS_MAX], parameters[LOG_THINGS_MAX];
    snprintf(width, sizeof width, shape->width > 0 ? "width %" PRId64 : "k_mult %" PRId64,
             shape->width > 0 ? shape->width : shape->k_mult);
    log_note("network: %s to %" PRId64 ", %s, %s, %s, %s at the end, skip %s, %s",
             log_things(shape->channels, "channel", channels), shape->n_out, width,
             log_things(shape->levels, "level", levels), config_word(CONFIG_NETWORK_MIXING, shape->mixing),
             config_word(CONFIG_NETWORK_OUTPUT, shape->output), config_word(CONFIG_NETWORK_SKIP, shape->skip),
             log_things(network->n_parameters, "parameter", parameters));
    log_note("objective: %s", config_word(CONFIG_TRAIN_TARGET, shape->objective.target));
}

void train_introduce(const Job *job, const Network *network, const Trainer *trainer, int64_t n_valid,
                     const TrainResume *resume)
{
    const Config *config = &job->config;
    char patches[LOG_THINGS_MAX], steps[LOG_THINGS_MAX], ranks[LOG_THINGS_MAX], size[32];
    introduce_network(network);
    log_things(job->comm.size, "rank", ranks);
    log_note("training: %s an epoch in %s of %" PRId64 " over %s, %s a rank besides gathers",
             log_things(trainer->order.epoch_rows, "patch", patches),
             log_things(order_steps(&trainer->order), "step", steps), config->train.batch_size, ranks,
             log_bytes((double)trainer_bytes(trainer), size));
    if (config->train.batch_size < 8 * job->comm.size)
        log_warning("train.batch_size %" PRId64 " gives %s fewer than 8 patches each: the vector units starve; use "
                    "fewer ranks or a larger batch",
                    config->train.batch_size, ranks);
    if (n_valid == 0) log_note("no validation patches: best.h5 follows the training loss");
    if (!resume->found) return;
    log_note("going on from %s: epoch %" PRId64 "%s, step %" PRId64, resume->path, resume->state.epoch,
             resume->state.epoch_ended ? " done" : "", resume->state.step);
    if (resume->anew && !resume->state.epoch_ended)
        log_note("epoch %" PRId64 " begins anew, since its order of patches is another now", resume->state.epoch);
}
