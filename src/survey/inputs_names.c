/* Positions in the names of .npy files, and those that several gathers have. */
#include "inputs_private.h"

#include "seisdcn/log.h"
#include "seisdcn/memory.h"
#include "seisdcn/survey_places.h"
#include "seisdcn/text.h"

#include <inttypes.h>
#include <stdio.h>

void inputs_name_place(const Inputs *inputs, const char *path, int32_t *line, int32_t *crossline)
{
    const char *name = text_base_name(path);
    int32_t lines[2], crosslines[2];
    if (inputs->names.text == NULL) {
        position_of_name(name, line, crossline);
        return;
    }
    position_pattern_find(&inputs->names, name, lines, crosslines);
    *line = lines[0];
    *crossline = crosslines[0];
}

/* A pattern that a name has in two places, with different numbers, could give either. */
static Status check_ambiguous(const Inputs *inputs)
{
    for (int64_t f = 0; inputs->names.text != NULL && f < inputs->n_files; f++) {
        const char *name = text_base_name(inputs->paths[f]);
        int32_t line[2], crossline[2];
        if (position_pattern_find(&inputs->names, name, line, crossline) < 2) continue;
        return status_fail(STATUS_USAGE,
                           "%s: the pattern '%.160s' of --names is in this name twice: inline %" PRId32
                           ", crossline %" PRId32 ", and inline %" PRId32 ", crossline %" PRId32
                           "; take more of the names into it",
                           name, inputs->names.text, line[0], crossline[0], line[1], crossline[1]);
    }
    return STATUS_OK;
}

/* The names that have a position: how many, and from where to where; and the first that has none. */
typedef struct {
    int64_t n;
    int32_t low[2], high[2]; /* inline, crossline */
    const char *first_without;
} Found;

static Found look_at(const Inputs *inputs)
{
    Found found = {.low = {INT32_MAX, INT32_MAX}, .high = {INT32_MIN, INT32_MIN}};
    for (int64_t f = 0; f < inputs->n_files; f++) {
        int32_t number[2];
        inputs_name_place(inputs, inputs->paths[f], &number[0], &number[1]);
        if (!position_known(number[0], number[1])) {
            if (found.first_without == NULL) found.first_without = text_base_name(inputs->paths[f]);
            continue;
        }
        found.n++;
        for (int k = 0; k < 2; k++) {
            if (number[k] < found.low[k]) found.low[k] = number[k];
            if (number[k] > found.high[k]) found.high[k] = number[k];
        }
    }
    return found;
}

Status inputs_check_names(const Inputs *inputs)
{
    Status status = check_ambiguous(inputs);
    if (status != STATUS_OK) return status;
    const char *pattern = inputs->names.text;
    Found found = look_at(inputs);
    int64_t without = inputs->n_files - found.n;
    char files[LOG_THINGS_MAX];
    if (found.n == 0 && pattern != NULL)
        return status_fail(STATUS_USAGE,
                           "no name of the %s has a position by --names '%.160s' (numbers of 32 bits), the first: %s",
                           log_things(without, ".npy file", files), pattern, found.first_without);
    if (found.n == 0)
        log_note("no name has an inline and a crossline, the first: %s: positions are unknown; --names tells where "
                 "they stand in other names, as in --names 'IL{inline}_XL{crossline}'",
                 found.first_without);
    else if (without > 0)
        log_warning("%s %s no inline and crossline in the name%s%s%s, the first: %s; the position is unknown there%s",
                    log_things(without, "file", files), without == 1 ? "has" : "have", pattern == NULL ? "" : " by '",
                    pattern == NULL ? "" : pattern, pattern == NULL ? "" : "'", found.first_without,
                    pattern == NULL ? " (--names tells of other names)" : "");
    if (found.n > 0 && pattern != NULL)
        log_note("positions by names: inline %" PRId32 " to %" PRId32 ", crossline %" PRId32 " to %" PRId32,
                 found.low[0], found.high[0], found.low[1], found.high[1]);
    return STATUS_OK;
}

Status inputs_report_repeats(const Inputs *inputs, const Survey *survey)
{
    int64_t *first = NULL, *dealt = NULL, n = 0, n_dealt = 0, first_repeat = -1;
    Status status = survey_place_units(survey, &first);
    if (status == STATUS_OK) status = survey_split_units(survey, &dealt);
    for (int64_t e = 0; status == STATUS_OK && e < survey->n_ensembles; e++) {
        if (first[e] != e && n++ == 0) first_repeat = e;
        n_dealt += dealt[e] != e;
    }
    if (n > 0) {
        char name[96], source[SURVEY_SOURCE_MAX], repeat[SURVEY_SOURCE_MAX + 128];
        snprintf(repeat, sizeof repeat, "%s of %s", survey_ensemble_name(survey, first_repeat, name),
                 inputs_source(inputs, first_repeat, source, sizeof source));
        survey_warn_repeats(n, "gather", "the position", repeat,
                            n_dealt > 0 ? ", on one side of every split"
                                        : "; all gathers (of a line) have one, so splits deal them one by one");
    }
    memory_free(first);
    memory_free(dealt);
    return status;
}
