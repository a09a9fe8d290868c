/* How gathers were dealt, as files keep it. */
#include "seisdcn/index_deal.h"

#include "seisdcn/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- in a file ---- */

Status index_rule_put(const H5File *file, const IndexRule *rule)
{
    Status status = h5_put_text(file, "/", "by", config_word(CONFIG_SPLIT_BY, rule->by));
    if (status == STATUS_OK) status = h5_put_double(file, "/", "test", rule->test);
    if (status == STATUS_OK) status = h5_put_double(file, "/", "valid", rule->valid);
    if (status == STATUS_OK) status = h5_put_int(file, "/", "seed", rule->seed);
    if (status == STATUS_OK && rule->stride > 0) status = h5_put_int(file, "/", "stride", rule->stride);
    if (status == STATUS_OK) status = h5_put_double(file, "/", "min_live", rule->min_live);
    return status;
}

Status index_deal_put(const H5File *file, const IndexDeal *deal, const char *survey)
{
    Status status = deal->known ? index_rule_put(file, &deal->rule) : STATUS_OK;
    if (status == STATUS_OK && deal->has_survey) status = h5_put_uint(file, "/", survey, deal->survey_checksum);
    if (status == STATUS_OK && deal->rows_checksum != 0)
        status = h5_put_uint(file, "/", "map_checksum", deal->rows_checksum);
    return status;
}

Status index_rule_get(const H5File *file, IndexRule *rule, IndexRuleKnown *known)
{
    *known = (IndexRuleKnown){.stride = h5_has(file, "/", "stride"),
                              .by = h5_has(file, "/", "by"),
                              .test = h5_has(file, "/", "test"),
                              .valid = h5_has(file, "/", "valid"),
                              .seed = h5_has(file, "/", "seed"),
                              .min_live = h5_has(file, "/", "min_live")};
    rule->min_live = 0;
    Status status = STATUS_OK;
    if (h5_has(file, "/", "patch_size")) status = h5_get_int(file, "/", "patch_size", &rule->patch_size);
    if (status == STATUS_OK && known->min_live) status = h5_get_double(file, "/", "min_live", &rule->min_live);
    if (status == STATUS_OK && !(rule->min_live >= 0 && rule->min_live <= 1))
        status =
            status_fail(STATUS_DATA, "%s: attribute min_live is %g; it is a share, 0 to 1", file->path, rule->min_live);
    if (status == STATUS_OK && known->stride) status = h5_get_int(file, "/", "stride", &rule->stride);
    if (status == STATUS_OK && known->test) status = h5_get_double(file, "/", "test", &rule->test);
    if (status == STATUS_OK && known->valid) status = h5_get_double(file, "/", "valid", &rule->valid);
    if (status == STATUS_OK && known->seed) status = h5_get_int(file, "/", "seed", &rule->seed);
    int by = (int)rule->by;
    if (status == STATUS_OK) status = h5_get_choice(file, "by", CONFIG_SPLIT_BY, &by);
    rule->by = by;
    return status;
}

Status index_deal_get(const H5File *file, const char *survey, IndexDeal *deal)
{
    IndexRuleKnown known;
    *deal = (IndexDeal){0};
    Status status = index_rule_get(file, &deal->rule, &known);
    deal->known = known.by && known.test && known.valid && known.seed;
    deal->has_survey = h5_has(file, "/", survey);
    if (status == STATUS_OK && deal->has_survey) status = h5_get_uint(file, "/", survey, &deal->survey_checksum);
    if (status == STATUS_OK && h5_has(file, "/", "map_checksum"))
        status = h5_get_uint(file, "/", "map_checksum", &deal->rows_checksum);
    return status;
}

IndexDeal index_deal_of(const IndexMap *map, const Survey *survey)
{
    return (IndexDeal){.known = !map->is_explicit || map->rule_known,
                       .rule = map->rule,
                       .has_survey = true,
                       .survey_checksum = survey->checksum,
                       .rows_checksum = index_rows_checksum(map)};
}

/* ---- compared ---- */

/* Whether size and stride of the patches decide which of them, or which gathers, go where. */
static bool grid_matters(const IndexRule *rule) { return rule->by == SPLIT_BY_PATCH || rule->min_live > 0; }

char *index_deal_text(const IndexDeal *deal, char text[INDEX_DEAL_TEXT])
{
    const IndexRule *rule = &deal->rule;
    char live[48] = "", stride[48] = "";
    if (rule->min_live > 0) snprintf(live, sizeof live, ", patch.min_live %g", rule->min_live);
    if (grid_matters(rule) && rule->stride > 0) snprintf(stride, sizeof stride, ", stride %" PRId64, rule->stride);
    snprintf(text, INDEX_DEAL_TEXT, "by %s, test %g, valid %g, seed %" PRId64 "%s%s",
             config_word(CONFIG_SPLIT_BY, rule->by), rule->test, rule->valid, rule->seed, live, stride);
    return text;
}

typedef struct {
    char *text;
    size_t at;
} Differences;

static void add_word(Differences *all, const char *key, const char *a, const char *b)
{
    if (strcmp(a, b) == 0) return;
    all->at += (size_t)snprintf(all->text + all->at, INDEX_DIFFERENCES_TEXT - all->at, "%s%s %.24s, not %.24s",
                                all->at == 0 ? "" : "; ", key, a, b);
}

static void add_number(Differences *all, const char *key, double a, double b)
{
    char was[32], is[32];
    bool short_enough = a == b; /* as few digits as tell them apart */
    for (int digits = 6; digits <= 17; digits += 11) {
        snprintf(was, sizeof was, "%.*g", digits, a);
        snprintf(is, sizeof is, "%.*g", digits, b);
        if (short_enough || strcmp(was, is) != 0) break;
    }
    add_word(all, key, was, is);
}

static void add_whole(Differences *all, const char *key, int64_t a, int64_t b)
{
    char was[32], is[32];
    snprintf(was, sizeof was, "%" PRId64, a);
    snprintf(is, sizeof is, "%" PRId64, b);
    add_word(all, key, was, is);
}

char *index_deal_differences(const IndexDeal *a, const IndexDeal *b, char text[INDEX_DIFFERENCES_TEXT])
{
    const IndexRule *x = &a->rule, *y = &b->rule;
    Differences all = {.text = text};
    text[0] = '\0';
    add_word(&all, "split.by", config_word(CONFIG_SPLIT_BY, x->by), config_word(CONFIG_SPLIT_BY, y->by));
    add_number(&all, "split.test", x->test, y->test);
    add_number(&all, "split.valid", x->valid, y->valid);
    add_whole(&all, "split.seed", x->seed, y->seed);
    add_number(&all, "patch.min_live", x->min_live, y->min_live);
    if (grid_matters(x) && grid_matters(y) && x->patch_size > 0 && y->patch_size > 0)
        add_whole(&all, "patch.size", x->patch_size, y->patch_size);
    if (grid_matters(x) && grid_matters(y) && x->stride > 0 && y->stride > 0)
        add_whole(&all, "patch.stride", x->stride, y->stride);
    return text;
}

bool index_deal_same(const IndexDeal *a, const IndexDeal *b)
{
    char text[INDEX_DIFFERENCES_TEXT];
    if (a->rows_checksum != 0 && a->rows_checksum == b->rows_checksum) return true;
    return a->known && b->known && index_deal_differences(a, b, text)[0] == '\0';
}

Status index_deal_take(const IndexDeal *deal, const char *owner, Config *config)
{
    const IndexRule *rule = &deal->rule;
    Status status = config_take(config, CONFIG_SPLIT_BY, (double)rule->by, owner);
    if (status == STATUS_OK) status = config_take(config, CONFIG_SPLIT_TEST, rule->test, owner);
    if (status == STATUS_OK) status = config_take(config, CONFIG_SPLIT_VALID, rule->valid, owner);
    if (status == STATUS_OK) status = config_take_int(config, CONFIG_SPLIT_SEED, rule->seed, owner);
    if (status == STATUS_OK) status = config_take(config, CONFIG_PATCH_MIN_LIVE, rule->min_live, owner);
    if (status == STATUS_OK && grid_matters(rule) && rule->stride > 0)
        status = config_take_int(config, CONFIG_PATCH_STRIDE, rule->stride, owner);
    return status;
}

void index_deal_warn(const char *name, const IndexDeal *used, const char *path, const IndexDeal *model,
                     const char *risk)
{
    char text[INDEX_DIFFERENCES_TEXT];
    if (used->has_survey && model->has_survey && used->survey_checksum != model->survey_checksum)
        log_warning("%s was trained on another survey than that of %s (checksum %016" PRIx64 ", not %016" PRIx64
                    "): its split was of other gathers",
                    path, name, model->survey_checksum, used->survey_checksum);
    else if (index_deal_same(used, model))
        return;
    else if (!used->known || !model->known)
        log_warning("%s does not say by which rule its gathers were dealt (by, test, valid, seed), so whether %s was "
                    "trained with the split of %s can't be told: %s",
                    used->known ? path : name, path, name, risk);
    else
        log_warning("%s deals the gathers otherwise than %s was trained with (%s): %s", name, path,
                    index_deal_differences(used, model, text), risk);
}
