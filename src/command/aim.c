#include "aim.h"

#include "export_origin.h"

Status aim_open(const Comm *comm, const char *clean, const Survey *survey, const Network *network, Aim *aim)
{
    const ObjectiveRule *rule = &network->shape.objective;
    bool wanted = rule->target == TARGET_CLEAN;
    if (wanted && clean == NULL)
        return status_fail(STATUS_USAGE, "train.target=clean compares with a clean survey: name it with --clean");
    if (!wanted && clean != NULL)
        return status_fail(STATUS_USAGE, "--clean %s has nothing to do: train.target is %s", clean,
                           config_word(CONFIG_TRAIN_TARGET, rule->target));
    if (rule->target == TARGET_SOURCE) return STATUS_OK;
    Status status = wanted ? survey_open(comm, clean, false, &aim->clean) : STATUS_OK;
    if (status == STATUS_OK && wanted) status = export_origin_check_clean(&aim->clean);
    if (status == STATUS_OK && wanted && network->shape.n_out > 1) {
        char channels[SURVEY_CHANNELS_TEXT];
        status = survey_take_channels(&aim->clean, survey_describe_channels(survey, network->shape.n_out, channels));
    }
    if (status == STATUS_OK) {
        int64_t channels = network->shape.channels / objective_inputs(rule->target);
        status = objective_new(rule, survey, wanted ? &aim->clean : NULL, channels, network->shape.n_out,
                               network->shape.patch_size, &aim->objective);
        status = comm_agree(comm, status);
    }
    if (status != STATUS_OK) return status;
    aim->used = &aim->objective;
    objective_report(aim->used);
    return STATUS_OK;
}

Status aim_close(Aim *aim)
{
    objective_free(&aim->objective);
    aim->used = NULL;
    return survey_close(&aim->clean);
}
