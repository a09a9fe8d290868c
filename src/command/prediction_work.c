/* What work a predicted survey is of: the facts that decide its bytes. They stand in the file from its creation. */
#include "prediction.h"

#include "seisdcn/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VALUE_MAX = FACT_TEXT_MAX + 32, GROUP_MAX = 32 };

static const char *const remedy = "or start anew with --force";

/* The commands that predict surveys. */
static const char *const commands[] = {"apply", "fxdecon", "mean"};

static void group_of(const char *command, char group[GROUP_MAX]) { snprintf(group, GROUP_MAX, "/%s", command); }

const char *prediction_command_of(const H5File *file)
{
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        char group[GROUP_MAX];
        group_of(commands[i], group);
        if (h5_exists(file, group)) return commands[i];
    }
    return NULL;
}

/* ---- the facts ---- */

Fact *prediction_fact(PredictionWork *work, FactOf of, FactKind kind, const char *name, const char *said)
{
    Fact *fact = &work->fact[work->n++];
    *fact = (Fact){.of = of, .kind = kind, .name = name, .said = said};
    fact->text = fact->room;
    return fact;
}

void prediction_work_describe(const Prediction *prediction, PredictionWork *work)
{
    const Job *job = prediction->job;
    *work = (PredictionWork){.command = prediction->method->command};
    Fact *fact = prediction_fact(work, FACT_OF_INPUT, FACT_CHECKSUM, "survey_checksum", "survey");
    fact->path = prediction->survey.path;
    fact->checksum = prediction->survey.checksum;
    prediction->method->describe(prediction, work);
    prediction_fact(work, FACT_OF_KEY, FACT_FLAG, "keep_mutes", "apply.keep_mutes")->whole =
        job->config.apply.keep_mutes;
    prediction_fact(work, FACT_OF_OPTION, FACT_FLAG, "difference", "--difference")->whole =
        prediction->said->difference;
    prediction_fact(work, FACT_OF_OPTION, FACT_CHECKSUM, "selection_checksum", "--ensembles")->checksum =
        prediction->selection;
    /* where the survey was found: for export */
    prediction_fact(work, FACT_TOLD, FACT_TEXT, "survey_path", "survey")->text = prediction->survey.path;
}

/* ---- in a file ---- */

/* Where the attribute of a fact stands; other programs look for the inputs' checksums at the root. */
static const char *place_of(const Fact *fact, const char *group)
{
    return fact->of == FACT_OF_INPUT && fact->kind == FACT_CHECKSUM ? "/" : group;
}

static Status put(const H5File *file, const char *group, const Fact *fact)
{
    const char *place = place_of(fact, group);
    switch (fact->kind) {
    case FACT_CHECKSUM:
        return h5_put_uint(file, place, fact->name, fact->checksum);
    case FACT_NUMBER:
        return h5_put_double(file, place, fact->name, fact->number);
    case FACT_TEXT:
        return h5_put_text(file, place, fact->name, fact->text);
    default:
        return h5_put_int(file, place, fact->name, fact->whole);
    }
}

static Status get(const H5File *file, const char *group, Fact *fact)
{
    const char *place = place_of(fact, group);
    switch (fact->kind) {
    case FACT_CHECKSUM:
        return h5_get_uint(file, place, fact->name, &fact->checksum);
    case FACT_NUMBER:
        return h5_get_double(file, place, fact->name, &fact->number);
    case FACT_TEXT:
        fact->text = fact->room;
        return h5_get_text(file, place, fact->name, fact->room, sizeof fact->room);
    default:
        return h5_get_int(file, place, fact->name, &fact->whole);
    }
}

/* The model's split, for qc and info: as in the model, but that the survey has another name here. */
static Status put_deal(const H5File *file, const IndexDeal *deal)
{
    Status status = index_deal_put(file, deal, PREDICTION_TRAINED_ON);
    return status == STATUS_OK ? h5_put_int(file, "/", "patch_size", deal->rule.patch_size) : status;
}

Status prediction_work_write(const H5File *file, void *context)
{
    const PredictionWork *work = context;
    char group[GROUP_MAX];
    group_of(work->command, group);
    Status status = h5_create_group(file, group);
    for (int i = 0; status == STATUS_OK && i < work->n; i++) status = put(file, group, &work->fact[i]);
    return status == STATUS_OK && work->deal != NULL ? put_deal(file, work->deal) : status;
}

Status prediction_work_read(const H5File *file, PredictionWork *work)
{
    char group[GROUP_MAX];
    group_of(work->command, group);
    Status status = h5_check_format(file, "seisdcn-survey", "a predicted survey", SURVEY_VERSION, NULL);
    for (int i = 0; status == STATUS_OK && i < work->n; i++)
        if (work->fact[i].of != FACT_TOLD) status = get(file, group, &work->fact[i]);
    return status;
}

/* ---- compared ---- */

static bool same(const Fact *a, const Fact *b)
{
    switch (a->kind) {
    case FACT_CHECKSUM:
        return a->checksum == b->checksum;
    case FACT_NUMBER:
        return a->number == b->number;
    case FACT_TEXT:
        return strcmp(a->text, b->text) == 0;
    default:
        return a->whole == b->whole;
    }
}

/* The decimal with the fewest digits of some that is this number again. */
static void number_text(double number, char text[VALUE_MAX])
{
    for (int digits = 6; digits <= 17; digits++) {
        snprintf(text, VALUE_MAX, "%.*g", digits, number);
        if (strtod(text, NULL) == number) return;
    }
}

static void value_text(const Fact *fact, char text[VALUE_MAX])
{
    switch (fact->kind) {
    case FACT_CHECKSUM:
        snprintf(text, VALUE_MAX, "checksum %016" PRIx64, fact->checksum);
        return;
    case FACT_NUMBER:
        number_text(fact->number, text);
        return;
    case FACT_TEXT:
        snprintf(text, VALUE_MAX, "%s", fact->text);
        return;
    case FACT_FLAG:
        snprintf(text, VALUE_MAX, "%s", fact->whole ? "true" : "false");
        return;
    default:
        snprintf(text, VALUE_MAX, "%" PRId64, fact->whole);
    }
}

static Status other_option(const char *path, const Fact *have, const char *was, const char *is)
{
    if (have->kind == FACT_FLAG)
        return status_fail(STATUS_USAGE, "%s was made %s %s: call it so, %s", path, have->whole ? "with" : "without",
                           have->said, remedy);
    if (have->kind == FACT_CHECKSUM)
        return status_fail(STATUS_USAGE, "%s was made with another list of %s: give that one, %s", path, have->said,
                           remedy);
    return status_fail(STATUS_USAGE, "%s was made with %s %s, not %s: give it so, %s", path, have->said, was, is,
                       remedy);
}

/* Refuses another value by name. */
static Status refuse(const char *path, const Fact *have, const Fact *want)
{
    char was[VALUE_MAX], is[VALUE_MAX];
    value_text(have, was);
    value_text(want, is);
    if (want->of == FACT_OF_INPUT)
        return status_fail(STATUS_DATA, "%s is of another %s (%s) than %s (%s): give that one, %s", path, want->said,
                           was, want->path, is, remedy);
    if (want->of == FACT_OF_KEY)
        return status_fail(STATUS_CONFIG, "%s was made with %s=%s, not %s: set it so, %s", path, want->said, was, is,
                           remedy);
    return other_option(path, have, was, is);
}

Status prediction_work_compare(const char *path, const PredictionWork *have, const PredictionWork *want)
{
    for (int i = 0; i < want->n; i++)
        if (want->fact[i].of < FACT_OF_MACHINE && !same(&have->fact[i], &want->fact[i]))
            return refuse(path, &have->fact[i], &want->fact[i]);
    for (int i = 0; i < want->n; i++)
        if (want->fact[i].of == FACT_OF_MACHINE && !same(&have->fact[i], &want->fact[i]))
            log_warning(
                "%s was begun with the %s %s, now it is %s: the last bits of the gathers that follow may differ", path,
                want->fact[i].said, have->fact[i].text, want->fact[i].text);
    return STATUS_OK;
}
