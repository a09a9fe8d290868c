/* The SEG-Y headers of a survey that did not come from SEG-Y. */
#include "seisdcn/survey_segy.h"

#include "seisdcn/memory.h"
#include "seisdcn/sgy_sample.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { GATHERED = 2 /* sorting code: by ensemble */, REVISION_1 = 0x0100, LIVE = 1, DEAD = 2 };

/* A number of microseconds that two bytes hold, else 0. */
static int64_t short_interval(double interval_us)
{
    bool fits = interval_us >= 1 && interval_us <= INT16_MAX && interval_us == rint(interval_us);
    return fits ? (int64_t)interval_us : 0;
}

static int64_t or_zero(int64_t value) { return value > INT16_MAX ? 0 : value; }

static void fill_binary(const Survey *survey, const SurveyDropped *dropped, uint8_t binary[SGY_BINARY])
{
    int64_t fold = or_zero(survey_dropped_max_fold(survey, dropped));
    sgy_binary_put(binary, SGY_BIN_FOLD_TRACES, 2, true, fold);
    sgy_binary_put(binary, SGY_BIN_INTERVAL, 2, true, short_interval(survey->interval_us));
    sgy_binary_put(binary, SGY_BIN_SAMPLES, 2, true, survey->n_samples);
    sgy_binary_put(binary, SGY_BIN_FORMAT, 2, true, SGY_IEEE);
    sgy_binary_put(binary, SGY_BIN_FOLD, 2, true, fold);
    sgy_binary_put(binary, SGY_BIN_SORTING, 2, true, GATHERED);
    sgy_binary_put(binary, SGY_BIN_REVISION, 2, true, REVISION_1);
    sgy_binary_put(binary, SGY_BIN_FIXED, 2, true, 1);
}

static void fill_text(const Survey *survey, uint8_t text[SGY_TEXT])
{
    static const char first[] = "gathers that did not come as SEG-Y, written by seisdcn " SEISDCN_VERSION;
    char samples[96], interval[32] = "unknown";
    if (survey->interval_us > 0) snprintf(interval, sizeof interval, "%.9g us", survey->interval_us);
    snprintf(samples, sizeof samples, "samples a trace: %" PRId64 ", sample interval: %s", survey->n_samples, interval);
    const char *const words[] = {
        first,
        samples,
        "samples: IEEE float, big-endian",
        "inline: bytes 189-192, crossline: 193-196, offset: 37-40; 0 where unknown",
        "gather: bytes 21-24, trace in the gather: bytes 25-28, both from 1",
    };
    sgy_text_new(text, words, sizeof words / sizeof *words);
}

Status survey_segy_new(const Survey *survey, const SurveyDropped *dropped, SurveySegy *segy)
{
    memset(segy, 0, sizeof *segy);
    if (survey->n_samples > UINT16_MAX)
        return status_fail(
            STATUS_DATA, "%s: has %" PRId64 " samples a trace; SEG-Y holds up to 65,535 of what did not come as SEG-Y",
            survey->path, survey->n_samples);
    segy->big = true;
    segy->scale = 1;
    segy->format = SGY_IEEE;
    segy->n_head = SGY_TEXT + SGY_BINARY;
    segy->n_files = 1;
    segy->head = memory_new((size_t)segy->n_head, 1, "the SEG-Y headers");
    segy->first = memory_new(2, sizeof *segy->first, "the SEG-Y files");
    if (segy->head == NULL || segy->first == NULL) {
        survey_segy_free(segy);
        return STATUS_MEMORY;
    }
    segy->first[1] = survey_dropped_came(survey, dropped, survey->n_ensembles);
    fill_text(survey, segy->head);
    fill_binary(survey, dropped, segy->head + SGY_TEXT);
    return STATUS_OK;
}

static void put(uint8_t header[SGY_HEADER], int byte, int width, int64_t value)
{
    sgy_number_put(header + byte - 1, width, true, (uint64_t)value);
}

/* A delay in whole milliseconds, or with the scalar that holds it best; what two bytes cannot hold is 0. */
static void put_delay(double start_us, uint8_t header[SGY_HEADER])
{
    int divisor = 1;
    while (divisor < 10000 && fabs(start_us * divisor / 1000 - rint(start_us * divisor / 1000)) > 1e-3 &&
           fabs(start_us * divisor / 100) < INT16_MAX)
        divisor *= 10;
    double delay = rint(start_us * divisor / 1000);
    if (!(fabs(delay) <= INT16_MAX)) return;
    put(header, 109, 2, (int64_t)delay);
    if (divisor > 1) put(header, 215, 2, -divisor);
}

void survey_segy_new_header(const Survey *survey, const SurveyDropped *dropped, int64_t e, int64_t t, float offset,
                            bool is_dead, uint8_t header[SGY_HEADER])
{
    int64_t number = survey_dropped_came(survey, dropped, e) + t + 1;
    memset(header, 0, SGY_HEADER);
    put(header, 1, 4, number);
    put(header, 5, 4, number);
    put(header, 21, 4, e + 1);
    put(header, 25, 4, t + 1);
    put(header, 29, 2, is_dead ? DEAD : LIVE);
    if (fabsf(offset) < 0x1p31f) put(header, 37, 4, lrintf(offset));
    put_delay(survey_start_us(survey, e), header);
    put(header, 115, 2, survey->n_samples);
    put(header, 117, 2, short_interval(survey->interval_us));
    if (!position_known(survey->inlines[e], survey->crosslines[e])) return;
    put(header, 189, 4, survey->inlines[e]);
    put(header, 193, 4, survey->crosslines[e]);
}
