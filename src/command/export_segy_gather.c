/* SEG-Y out: the traces of one gather, those that the survey has and then those that were dropped from it. */
#include "export_segy_private.h"

#include "seisdcn/memory.h"
#include "seisdcn/sgy_sample.h"

#include <math.h>

/* ---- room ---- */

void export_gather_free(Gather *gather)
{
    memory_free(gather->amplitude);
    memory_free(gather->offsets);
    memory_free(gather->places);
    memory_free(gather->files);
    memory_free(gather->first);
    memory_free(gather->samples);
    memory_free(gather->headers);
    memory_free(gather->extra);
    memory_free(gather->bytes);
}

Status export_gather_new(const Export *export, Gather *gather)
{
    const char *what = "the largest gather";
    size_t fold = (size_t)survey_dropped_max_fold(export->survey, &export->dropped);
    gather->amplitude = memory_new(fold, (size_t) export->survey->n_samples * sizeof *gather->amplitude, what);
    gather->offsets = memory_new(fold, sizeof *gather->offsets, what);
    gather->places = memory_new(fold, sizeof *gather->places, what);
    gather->files = memory_new(fold, sizeof *gather->files, what);
    gather->first = memory_new(fold, sizeof *gather->first, what);
    gather->samples = memory_new(fold, sizeof *gather->samples, what);
    gather->headers = memory_new(fold, SGY_HEADER, what);
    gather->extra = memory_new(fold, SGY_HEADER * (size_t) export->segy.n_extra, what);
    gather->bytes = memory_new(fold, (size_t) export->trace_bytes, what);
    bool good = gather->amplitude != NULL && gather->offsets != NULL && gather->places != NULL &&
                gather->files != NULL && gather->first != NULL && gather->samples != NULL && gather->headers != NULL &&
                gather->extra != NULL && gather->bytes != NULL;
    return good ? STATUS_OK : STATUS_MEMORY;
}

/* ---- where its traces go ---- */

int64_t export_fold(const Export *export, int64_t e)
{
    return survey_dropped_fold(export->survey, &export->dropped, e);
}

/* The number of ensemble e's first dropped trace among all of them. */
static int64_t first_dropped(const Export *export, int64_t e)
{
    return export->dropped.n == 0 ? 0 : export->dropped.first[e];
}

/* Of a survey that did not come from SEG-Y: one gather behind the other, each as it came. */
static Status make_places(const Export *export, int64_t e, Gather *gather)
{
    const Survey *survey = export->survey;
    int64_t fold = export_fold(export, e), kept = survey_dropped_kept(survey, &export->dropped, e), to = 0;
    int64_t came = survey_dropped_came(survey, &export->dropped, e), n = fold - kept, *dropped = gather->places + kept;
    Status status = survey_dropped_places(survey, &export->dropped, e, dropped);
    for (int64_t t = 0, i = 0; t < fold && status == STATUS_OK; t++) {
        if (i < n && dropped[i] == t)
            i++;
        else
            gather->places[to++] = t;
    }
    for (int64_t t = 0; t < fold; t++) gather->places[t] += came;
    return status;
}

Status export_read_places(const Export *export, int64_t e, Gather *gather)
{
    const Survey *survey = export->survey;
    int64_t fold = export_fold(export, e), kept = survey_dropped_kept(survey, &export->dropped, e);
    if (export->made) return make_places(export, e, gather);
    Status status = survey_segy_read_places(survey, &export->segy, SURVEY_KEPT, survey->first_trace[e], kept,
                                            gather->places, gather->files);
    if (status != STATUS_OK || kept == fold) return status;
    return survey_segy_read_places(survey, &export->segy, SURVEY_DROPPED, first_dropped(export, e), fold - kept,
                                   gather->places + kept, gather->files + kept);
}

Status export_read_spans(const Export *export, int64_t e, Gather *gather)
{
    const Survey *survey = export->survey;
    int64_t fold = export_fold(export, e), kept = survey_dropped_kept(survey, &export->dropped, e);
    Status status = survey_segy_read_spans(survey, &export->segy, SURVEY_KEPT, survey->first_trace[e], kept,
                                           gather->first, gather->samples);
    if (status != STATUS_OK || kept == fold) return status;
    return survey_segy_read_spans(survey, &export->segy, SURVEY_DROPPED, first_dropped(export, e), fold - kept,
                                  gather->first + kept, gather->samples + kept);
}

/* ---- what they are ---- */

/* Headers of a survey that did not come from SEG-Y; the places are read. */
static Status make_headers(const Export *export, int64_t e, Gather *gather)
{
    const Survey *survey = export->survey;
    int64_t fold = export_fold(export, e), kept = survey_dropped_kept(survey, &export->dropped, e);
    int64_t came = survey_dropped_came(survey, &export->dropped, e);
    Status status = survey_read_offsets(survey, e, gather->offsets);
    for (int64_t t = 0; t < fold && status == STATUS_OK; t++)
        survey_segy_new_header(survey, &export->dropped, e, gather->places[t] - came,
                               t < kept ? gather->offsets[t] : NAN, t >= kept, gather->headers + t * SGY_HEADER);
    return status;
}

Status export_read_headers(const Export *export, int64_t e, Gather *gather)
{
    const Survey *survey = export->survey;
    int64_t fold = export_fold(export, e), kept = survey_dropped_kept(survey, &export->dropped, e);
    int n_extra = export->segy.n_extra;
    if (export->made) return make_headers(export, e, gather);
    Status status = survey_segy_read_headers(survey, SURVEY_KEPT, survey->first_trace[e], kept, n_extra,
                                             gather->headers, gather->extra);
    if (status != STATUS_OK || kept == fold) return status;
    return survey_segy_read_headers(survey, SURVEY_DROPPED, first_dropped(export, e), fold - kept, n_extra,
                                    gather->headers + kept * SGY_HEADER, gather->extra + kept * SGY_HEADER * n_extra);
}

/* Only the formats of IEEE floats have a NaN. */
static int64_t zero_nans(int format, int64_t n, float *samples)
{
    int64_t nans = 0;
    if (format == SGY_IEEE || format == SGY_DOUBLE) return 0;
    for (int64_t i = 0; i < n; i++)
        if (isnan(samples[i])) {
            samples[i] = 0;
            nans++;
        }
    return nans;
}

Status export_read_samples(Export *export, int64_t e, Gather *gather)
{
    const Survey *survey = export->survey, *source = survey;
    int64_t kept = survey_dropped_kept(survey, &export->dropped, e);
    if (survey->done != NULL && !survey->done[e]) source = &export->through;
    Status status = survey_read_gather(source, e, 1, gather->amplitude);
    /* Where no trace was kept, what stands in for them is overwritten. */
    float *samples = gather->amplitude + kept * survey->n_samples;
    if (status == STATUS_OK) status = survey_dropped_samples(survey, &export->dropped, e, samples);
    if (status == STATUS_OK)
        export->nans += zero_nans(export->format, (export_fold(export, e) - kept) * survey->n_samples, samples);
    return status;
}
