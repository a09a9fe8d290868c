#include "seisdcn/gathers.h"

#include "seisdcn/memory.h"
#include "seisdcn/timer.h"

#include <string.h>

Status gathers_new(const Survey *survey, int64_t n_channels, int64_t limit, Gathers *gathers)
{
    memset(gathers, 0, sizeof *gathers);
    gathers->survey = survey;
    gathers->n_channels = n_channels;
    gathers->limit = limit;
    gathers->newest = gathers->oldest = -1;
    size_t n = (size_t)survey->n_ensembles;
    gathers->data = memory_new(n, sizeof *gathers->data, "the list of gathers held");
    gathers->newer = memory_new(n, sizeof *gathers->newer, "the list of gathers held");
    gathers->older = memory_new(n, sizeof *gathers->older, "the list of gathers held");
    if (gathers->data != NULL && gathers->newer != NULL && gathers->older != NULL) return STATUS_OK;
    gathers_free(gathers);
    return STATUS_MEMORY;
}

void gathers_free(Gathers *gathers)
{
    if (gathers->data != NULL)
        for (int64_t e = 0; e < gathers->survey->n_ensembles; e++) memory_free(gathers->data[e]);
    memory_free(gathers->data);
    memory_free(gathers->newer);
    memory_free(gathers->older);
    memset(gathers, 0, sizeof *gathers);
}

static void unlink_gather(Gathers *gathers, int64_t e)
{
    int64_t newer = gathers->newer[e], older = gathers->older[e];
    *(newer < 0 ? &gathers->newest : &gathers->older[newer]) = older;
    *(older < 0 ? &gathers->oldest : &gathers->newer[older]) = newer;
}

static void link_newest(Gathers *gathers, int64_t e)
{
    gathers->newer[e] = -1;
    gathers->older[e] = gathers->newest;
    *(gathers->newest < 0 ? &gathers->oldest : &gathers->newer[gathers->newest]) = e;
    gathers->newest = e;
}

static int64_t gather_bytes(const Gathers *gathers, int64_t e)
{
    return gathers->n_channels * survey_fold(gathers->survey, e) * gathers->survey->n_samples * (int64_t)sizeof(float);
}

Status gathers_get(Gathers *gathers, int64_t e, const float **amplitude)
{
    if (gathers->data[e] != NULL) {
        if (gathers->limit > 0 && gathers->newest != e) {
            unlink_gather(gathers, e);
            link_newest(gathers, e);
        }
        *amplitude = gathers->data[e];
        return STATUS_OK;
    }
    double start = timer_now();
    int64_t bytes = gather_bytes(gathers, e);
    while (gathers->limit > 0 && gathers->oldest >= 0 && gathers->bytes + bytes > gathers->limit) {
        int64_t last = gathers->oldest;
        unlink_gather(gathers, last);
        memory_free(gathers->data[last]);
        gathers->data[last] = NULL;
        gathers->bytes -= gather_bytes(gathers, last);
    }
    float *data = memory_new((size_t)bytes, 1, "a gather");
    if (data == NULL) return STATUS_MEMORY;
    Status status = survey_read_gather(gathers->survey, e, gathers->n_channels, data);
    if (status != STATUS_OK) {
        memory_free(data);
        return status;
    }
    gathers->data[e] = data;
    gathers->bytes += bytes;
    link_newest(gathers, e);
    gathers->seconds += timer_now() - start;
    *amplitude = data;
    return STATUS_OK;
}
