#include "consolidate_dead.h"

#include "seisdcn/log.h"
#include "seisdcn/text.h"

#include <inttypes.h>
#include <stdio.h>

enum { FILES_SHOWN = 10 };

static void report_files(const Inputs *inputs, const InputsDead *dead)
{
    char count[32], all[LOG_THINGS_MAX];
    int64_t files = 0, more = 0;
    for (int64_t f = 0; f < inputs->n_files; f++) {
        if (dead->by_file[f] == 0) continue;
        if (files++ < FILES_SHOWN)
            log_note("%s: %s of %s are dead and left out", text_base_name(inputs->paths[f]),
                     log_count(dead->by_file[f], count), log_things(inputs_file_traces(inputs, f), "trace", all));
        else
            more += dead->by_file[f];
    }
    if (more > 0)
        log_note("and %s more in %s", log_count(more, count), log_things(files - FILES_SHOWN, "other file", all));
}

/* "(1,000 of zeros, 20 of NaN, 3 of both)" */
static char *kinds(const InputsDead *dead, char *text, size_t size)
{
    static const char *const names[DEAD_KINDS] = {"zeros", "NaN", "both"};
    size_t at = 0;
    for (int k = 0; k < DEAD_KINDS; k++) {
        char count[32];
        if (dead->kind[k] == 0) continue;
        at += (size_t)snprintf(text + at, size - at, "%s%s of %s", at == 0 ? "" : ", ", log_count(dead->kind[k], count),
                               names[k]);
    }
    return text;
}

void consolidate_dead_report(const Inputs *inputs, const InputsDead *dead, const Survey *survey)
{
    char text[160] = "", name[96], count[32], gathers[LOG_THINGS_MAX], all[32];
    if (dead->n == 0) {
        log_note("--drop-dead: no trace is dead");
        return;
    }
    report_files(inputs, dead);
    int64_t traces = survey->n_traces + dead->n - dead->whole;
    log_note("--drop-dead: %s of %s traces are left out (%s), of %s; export puts them back", log_count(dead->n, count),
             log_count(traces, all), kinds(dead, text, sizeof text), log_things(dead->gathers, "gather", gathers));
    if (dead->whole > 0)
        log_warning("%s %s dead from end to end, and %s one trace of zeros in the survey, the first: %s",
                    log_things(dead->whole, "gather", gathers), dead->whole == 1 ? "is" : "are",
                    dead->whole == 1 ? "has" : "have", survey_ensemble_name(survey, dead->first_whole, name));
    if (dead->before_live > 0)
        log_warning(
            "in %s dead traces stand before live ones, the first is %s: what compares neighbours trace by trace "
            "(train.target=neighbour and blind_gather, mean --gathers) then meets traces of other offsets; "
            "without --drop-dead it doesn't",
            log_things(dead->before_live, "gather", gathers),
            survey_ensemble_name(survey, dead->first_before_live, name));
}
