/* Where a prediction's gathers come from. */
#include "export_origin.h"
#include "prediction.h"

#include "seisdcn/files.h"
#include "seisdcn/h5.h"
#include "seisdcn/log.h"
#include "seisdcn/memory.h"
#include "seisdcn/text.h"

#include <inttypes.h>
#include <stdio.h>

static Status read_serially(const char *path, Origin *origin)
{
    H5File file;
    int64_t difference = 0;
    Status status = h5_open(path, false, &file);
    if (status != STATUS_OK) return status;
    const char *command = prediction_command_of(&file);
    origin->has_model = h5_has(&file, "/", "model_checksum");
    origin->is_prediction = (origin->has_model || command != NULL) && h5_has(&file, "/", "survey_checksum");
    if (origin->is_prediction) status = h5_get_uint(&file, "/", "survey_checksum", &origin->survey);
    if (status == STATUS_OK && origin->has_model) status = h5_get_uint(&file, "/", "model_checksum", &origin->model);
    if (status == STATUS_OK && origin->has_model) status = index_deal_get(&file, PREDICTION_TRAINED_ON, &origin->deal);
    if (origin->is_prediction && command != NULL) {
        char group[sizeof origin->command + 1];
        snprintf(origin->command, sizeof origin->command, "%s", command);
        snprintf(group, sizeof group, "/%s", command);
        if (status == STATUS_OK && h5_has(&file, group, "difference"))
            status = h5_get_int(&file, group, "difference", &difference);
        if (status == STATUS_OK && h5_has(&file, group, "survey_path"))
            status = h5_get_text(&file, group, "survey_path", origin->survey_path, sizeof origin->survey_path);
    }
    origin->is_difference = difference != 0;
    Status closed = h5_close(&file);
    return status != STATUS_OK ? status : closed;
}

Status export_origin_read(const Survey *survey, Origin *origin)
{
    const Comm *comm = &survey->comm;
    *origin = (Origin){0};
    Status status = comm_agree(comm, comm->rank == 0 ? read_serially(survey->path, origin) : STATUS_OK);
    if (status == STATUS_OK) comm_broadcast(comm, origin, sizeof *origin);
    return status;
}

const char *export_origin_name(const Origin *origin)
{
    return origin->is_difference ? "noise (input − prediction)" : origin->is_prediction ? "prediction" : "input";
}

Status export_origin_tell(const Survey *survey, const char *use)
{
    Origin origin;
    Status status = export_origin_read(survey, &origin);
    if (status == STATUS_OK && origin.is_difference)
        log_warning("%s holds noise, input minus prediction (--difference), which %s", survey->path, use);
    return status;
}

Status export_origin_check_clean(const Survey *clean)
{
    Origin origin;
    Status status = export_origin_read(clean, &origin);
    if (status != STATUS_OK || !origin.is_difference) return status;
    return status_fail(
        STATUS_DATA, "%s holds noise, input minus prediction (--difference), and is no clean survey; name one that is",
        clean->path);
}

/* Where the survey is. Local: rank 0. */
static Status find(const Origin *origin, const Survey *prediction, const char *given, char **path)
{
    const char *told = origin->survey_path, *mine = prediction->path;
    if (given != NULL || (told[0] != '\0' && files_exists(told))) {
        *path = text_copy(given != NULL ? given : told);
        return *path == NULL ? STATUS_MEMORY : STATUS_OK;
    }
    *path = text_format("%.*s%s", (int)(text_base_name(mine) - mine), mine, text_base_name(told));
    if (*path == NULL) return STATUS_MEMORY;
    if (told[0] != '\0' && files_exists(*path)) return STATUS_OK;
    int64_t e = 0;
    while (e < prediction->n_ensembles - 1 && prediction->done[e]) e++;
    char name[96];
    return status_fail(
        STATUS_USAGE,
        "%s: not all of its gathers are predicted, %s is not; --through SURVEY.h5 names the survey whose "
        "samples these keep",
        mine, survey_ensemble_name(prediction, e, name));
}

Status export_origin_open(const Origin *origin, const Survey *prediction, const char *given, Survey *survey)
{
    const Comm *comm = &prediction->comm;
    char *path = NULL;
    Status status = comm_agree(comm, comm->rank == 0 ? find(origin, prediction, given, &path) : STATUS_OK);
    if (status == STATUS_OK) status = comm_broadcast_text(comm, &path);
    if (status == STATUS_OK) status = survey_open(comm, path, false, survey);
    memory_free(path);
    if (status != STATUS_OK) return status;
    if (survey->checksum == origin->survey && survey->n_traces == prediction->n_traces &&
        survey->n_ensembles == prediction->n_ensembles && survey->n_samples == prediction->n_samples)
        return STATUS_OK;
    return status_fail(STATUS_DATA,
                       "%s is not the survey that %s was predicted from (its checksum is %016" PRIx64
                       ", not %016" PRIx64 "); --through SURVEY.h5 names that",
                       survey->path, prediction->path, survey->checksum, origin->survey);
}

char *export_origin_text(const Origin *origin, const Survey *survey, int64_t n, int64_t undone, char *text)
{
    char part[64] = "";
    if (undone > 0) snprintf(part, sizeof part, " (%" PRId64 " of %" PRId64 ")", n - undone, n);
    const char *noise = undone > 0 ? "noise" : "noise (input minus prediction)"; /* a line has room for 76 letters */
    const char *what = origin->is_difference ? noise : "prediction";
    if (origin->is_prediction && origin->has_model)
        snprintf(text, 160, "seisdcn %s: %s%s, model %016" PRIx64, SEISDCN_VERSION, what, part, origin->model);
    else if (origin->is_prediction)
        snprintf(text, 160, "seisdcn %s: %s%s, by %s", SEISDCN_VERSION, what, part, origin->command);
    else
        snprintf(text, 160, "seisdcn %s: no model, survey %016" PRIx64, SEISDCN_VERSION, survey->checksum);
    return text;
}
