/* The channels of a survey: its amplitudes and attributes. */
#include "seisdcn/checksum.h"
#include "seisdcn/survey.h"

#include <stdio.h>
#include <string.h>

char *survey_channel_name(const Survey *survey, int64_t c, char *text)
{
    if (c == 0)
        snprintf(text, SURVEY_DATASET_MAX, "/amplitude");
    else
        snprintf(text, SURVEY_DATASET_MAX, "/attribute/%s", survey->attribute[c - 1].name);
    return text;
}

char *survey_checksums_name(const Survey *survey, int64_t c, char *text)
{
    snprintf(text, SURVEY_DATASET_MAX, "/attribute_checksum/%s", survey->attribute[c - 1].name);
    return text;
}

/* "envelope (scale shared)" */
static int describe(const SurveyAttribute *attribute, char *text, size_t size)
{
    return snprintf(text, size, "%s (scale %s)", attribute->name, attribute->shared_scale ? "shared" : "none");
}

char *survey_describe_channels(const Survey *survey, int64_t n_channels, char *text)
{
    size_t at = (size_t)snprintf(text, SURVEY_CHANNELS_TEXT, "amplitude");
    for (int64_t c = 1; c < n_channels && c <= survey->n_attributes; c++) {
        at += (size_t)snprintf(text + at, SURVEY_CHANNELS_TEXT - at, ", ");
        at += (size_t)describe(&survey->attribute[c - 1], text + at, SURVEY_CHANNELS_TEXT - at);
    }
    return text;
}

Status survey_take_channels(Survey *survey, const char *wanted)
{
    char have[SURVEY_CHANNELS_TEXT], mine[SURVEY_NAME_MAX + 32];
    const char *at = wanted + strcspn(wanted, ",");
    for (int c = 0; strncmp(at, ", ", 2) == 0; c++) {
        int found = c;
        size_t length = 0;
        at += 2;
        for (; found < survey->n_attributes; found++) { /* names may hold anything, so they are looked for */
            length = (size_t)describe(&survey->attribute[found], mine, sizeof mine);
            if (strncmp(at, mine, length) == 0 && (at[length] == '\0' || strncmp(at + length, ", ", 2) == 0)) break;
        }
        if (found == survey->n_attributes)
            return status_fail(STATUS_DATA, "%s lacks the channel %.*s: it has %.1200s", survey->path,
                               (int)strcspn(at, ","), at,
                               survey_describe_channels(survey, 1 + survey->n_attributes, have));
        SurveyAttribute taken = survey->attribute[found];
        memmove(&survey->attribute[c + 1], &survey->attribute[c], (size_t)(found - c) * sizeof taken);
        survey->attribute[c] = taken;
        at += length;
    }
    return STATUS_OK;
}

uint64_t survey_channels_checksum(const Survey *survey, int64_t n_channels)
{
    char text[SURVEY_CHANNELS_TEXT + SURVEY_ATTRIBUTES_MAX * sizeof(uint64_t)];
    if (n_channels <= 1) return 0;
    size_t at = strlen(survey_describe_channels(survey, n_channels, text));
    for (int64_t c = 1; c < n_channels && c <= survey->n_attributes; c++, at += sizeof(uint64_t))
        memcpy(text + at, &survey->attribute[c - 1].checksum, sizeof(uint64_t));
    return checksum_bytes(text, at);
}
