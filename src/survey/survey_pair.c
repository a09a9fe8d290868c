/* Survey files that belong together: a survey and its predictions, or its clean twin. */
#include "seisdcn/log.h"
#include "seisdcn/survey.h"

#include <inttypes.h>

static Status compare_sizes(const Survey *survey, const Survey *other)
{
    char count[LOG_THINGS_MAX];
    if (other->n_samples != survey->n_samples)
        return status_fail(STATUS_DATA, "%s has %s a trace, but %s has %" PRId64 ": they are not of one survey",
                           other->path, log_things(other->n_samples, "sample", count), survey->path, survey->n_samples);
    if (other->n_ensembles != survey->n_ensembles)
        return status_fail(STATUS_DATA, "%s has %s, but %s has %" PRId64 ": they are not of one survey", other->path,
                           log_things(other->n_ensembles, "gather", count), survey->path, survey->n_ensembles);
    return STATUS_OK;
}

bool survey_moved(const Survey *survey, const Survey *other, int64_t e)
{
    bool known = position_known(survey->inlines[e], survey->crosslines[e]) &&
                 position_known(other->inlines[e], other->crosslines[e]);
    if (other->lines != NULL && survey->lines != NULL && other->lines[e] != survey->lines[e]) return true;
    return known && (other->inlines[e] != survey->inlines[e] || other->crosslines[e] != survey->crosslines[e]);
}

static Status compare_gathers(const Survey *survey, const Survey *other)
{
    char name[96], twin[96], count[LOG_THINGS_MAX];
    for (int64_t e = 0; e < survey->n_ensembles; e++) {
        if (survey_fold(other, e) != survey_fold(survey, e))
            return status_fail(STATUS_DATA, "%s: %s has %s, but %" PRId64 " in %s: they are not of one survey",
                               other->path, survey_ensemble_name(other, e, name),
                               log_things(survey_fold(other, e), "trace", count), survey_fold(survey, e), survey->path);
        double start = survey_start_us(survey, e), others = survey_start_us(other, e);
        if (survey->starts_us != NULL && other->starts_us != NULL && (start < others || start > others))
            return status_fail(STATUS_DATA, "%s: %s begins at %g ms, but at %g ms in %s: they are not of one survey",
                               other->path, survey_ensemble_name(other, e, name), others / 1000, start / 1000,
                               survey->path);
        if (survey_moved(survey, other, e))
            return status_fail(STATUS_DATA, "%s: %s stands where %s has %s: they are not of one survey", other->path,
                               survey_ensemble_name(other, e, name), survey->path,
                               survey_ensemble_name(survey, e, twin));
    }
    return STATUS_OK;
}

static Status compare_checksums(const Survey *survey, const Survey *other)
{
    uint64_t checksum = 0;
    if (!h5_has(&other->file, "/", "survey_checksum")) return STATUS_OK;
    Status status = h5_get_uint(&other->file, "/", "survey_checksum", &checksum);
    if (status != STATUS_OK || checksum == survey->checksum) return status;
    return status_fail(STATUS_DATA,
                       "%s was predicted from the survey of checksum %016" PRIx64 ", but that of %s is %016" PRIx64
                       "; name the survey that it was predicted from, or predict it again",
                       other->path, checksum, survey->path, survey->checksum);
}

Status survey_check_pair(const Survey *survey, const Survey *other)
{
    Status status = compare_sizes(survey, other);
    if (status == STATUS_OK) status = compare_gathers(survey, other);
    return status == STATUS_OK ? compare_checksums(survey, other) : status;
}
