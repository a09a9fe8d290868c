/* Which gathers qc --split counts. */
#include "qc_private.h"

#include "seisdcn/index_label.h"
#include "seisdcn/log.h"
#include "seisdcn/text.h"

#include <inttypes.h>
#include <stdio.h>

enum { OWNER_MAX = 512 };

Status qc_split_check(const Job *job, QcSplit *split)
{
    split->name = qc_options(job)->split;
    if (split->name == NULL && qc_options(job)->map != NULL)
        return status_fail(STATUS_USAGE, "--map belongs to --split train, valid or test, whose gathers it tells");
    if (split->name == NULL) return STATUS_OK;
    int number = index_split_of(split->name);
    if (number < 0) return status_fail(STATUS_USAGE, "--split %s is not known: train, valid or test", split->name);
    split->split = (IndexSplit)number;
    return STATUS_OK;
}

static bool tells(const IndexDeal *deal) { return deal->known && deal->rule.patch_size > 0; }

/* The prediction whose model's split holds for all: *p. Alike on all ranks. */
static Status find_deal(const Survey *survey, const Survey *predictions, int n, const QcSplit *split, int *p)
{
    char text[INDEX_DIFFERENCES_TEXT];
    for (*p = 0; *p < n && !tells(&split->deal[*p]);) ++*p;
    if (*p == n)
        return status_fail(STATUS_DATA,
                           "%s does not keep the split of a model (fxdecon and mean have none, and earlier versions of "
                           "apply did not write it): name the index map with --map",
                           predictions[0].path);
    const IndexDeal *deal = &split->deal[*p];
    if (deal->has_survey && deal->survey_checksum != survey->checksum)
        return status_fail(
            STATUS_DATA,
            "%s was predicted by a model that was trained on another survey than %s (checksum %016" PRIx64
            "), so its split is of other gathers: leave --split out, or name an index map with --map",
            predictions[*p].path, survey->path, deal->survey_checksum);
    for (int q = *p + 1; q < n; q++) {
        if (!tells(&split->deal[q])) continue;
        if (index_deal_same(deal, &split->deal[q]) && (deal->survey_checksum == split->deal[q].survey_checksum))
            continue;
        return status_fail(STATUS_DATA,
                           "%s and %s were predicted by models that were trained with different splits (%s): name the "
                           "index map with --map, or measure them by themselves",
                           predictions[*p].path, predictions[q].path,
                           deal->survey_checksum != split->deal[q].survey_checksum
                               ? "of different surveys"
                               : index_deal_differences(deal, &split->deal[q], text));
    }
    for (int q = 0; q < n; q++)
        if (split->has_model[q] && !tells(&split->deal[q]))
            return status_fail(
                STATUS_DATA, "%s was predicted by a model, but does not keep its split: name the index map with --map",
                predictions[q].path);
    return STATUS_OK;
}

/* By the rule that prediction p keeps. */
static Status take_rule(const QcSplit *split, const Survey *predictions, int p, Config *config)
{
    const IndexDeal *deal = &split->deal[p];
    Status status = index_deal_take(deal, predictions[p].path, config);
    if (status != STATUS_OK) return status;
    return config_take_int(config, CONFIG_PATCH_SIZE, deal->rule.patch_size, predictions[p].path);
}

/* A map may deal otherwise than a model was trained with. */
static void warn(const char *map, const IndexDeal *deal, const Survey *predictions, int n, const QcSplit *split)
{
    char model[OWNER_MAX];
    for (int p = 0; p < n; p++) {
        if (!split->has_model[p]) continue;
        snprintf(model, sizeof model, "the model of %.480s", predictions[p].path);
        index_deal_warn(map, deal, model, &split->deal[p], "it may have been trained on gathers that count here");
    }
}

Status qc_split_select(const Job *job, const Survey *survey, const Survey *predictions, int n_predictions,
                       const QcSplit *split, uint8_t *selected)
{
    const char *map = qc_options(job)->map;
    IndexSelection selection;
    Config config;
    char owner[OWNER_MAX], rule[INDEX_DEAL_TEXT] = "explicit rows", count[LOG_THINGS_MAX], mixed[96] = "";
    int p = 0;
    config_defaults(&config);
    Status status = STATUS_OK;
    if (map == NULL) status = find_deal(survey, predictions, n_predictions, split, &p);
    if (map == NULL && status == STATUS_OK) status = take_rule(split, predictions, p, &config);
    if (status == STATUS_OK)
        status = index_select(&job->comm, survey, map, &config, split->split, selected, &selection);
    if (status != STATUS_OK) return status;
    snprintf(owner, sizeof owner, "%s%s", map == NULL ? "the model of " : "", map == NULL ? predictions[p].path : map);
    status = index_selection_check(&selection, split->split, owner);
    if (status != STATUS_OK) return status;
    if (map != NULL) warn(map, &selection.deal, predictions, n_predictions, split);
    if (selection.deal.known) index_deal_text(&selection.deal, rule);
    if (selection.mixed > 0)
        snprintf(mixed, sizeof mixed, "; %" PRId64 " more with patches of other splits too do not count",
                 selection.mixed);
    log_note("split %s of %s (%s): %s%s", split->name, owner, rule, log_things(selection.n, "gather", count), mixed);
    return STATUS_OK;
}
