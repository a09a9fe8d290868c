#include "seisdcn/objective.h"

#include "seisdcn/log.h"
#include "seisdcn/memory.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Numbers that are drawn for one patch. */
enum { DRAW_SIDE, DRAW_TRACE, DRAW_SAMPLE, DRAW_BLOCKS };

int64_t objective_inputs(int target) { return target == TARGET_BLIND_GATHER ? 2 : 1; }

static bool wants_neighbours(const ObjectiveRule *rule)
{
    return rule->target == TARGET_NEIGHBOUR || rule->target == TARGET_BLIND_GATHER;
}

static Status find_neighbours(Objective *objective)
{
    char wanted[64];
    snprintf(wanted, sizeof wanted, "train.target=%s", config_word(CONFIG_TRAIN_TARGET, objective->rule.target));
    return neighbours_new(objective->survey, wanted, "train.target=blind_trace needs none", &objective->neighbours);
}

/* ---- pairs ---- */

static Status check_pair(const Survey *survey, const Survey *clean, int64_t n_out)
{
    char count[LOG_THINGS_MAX];
    if (clean->n_ensembles != survey->n_ensembles || clean->n_samples != survey->n_samples)
        return status_fail(STATUS_DATA,
                           "%s holds %s of %" PRId64 " sample%s a trace, %s holds %" PRId64 " of %" PRId64
                           ": a clean survey must hold the same gathers in the same order",
                           clean->path, log_things(clean->n_ensembles, "gather", count), clean->n_samples,
                           log_plural(clean->n_samples, "sample"), survey->path, survey->n_ensembles,
                           survey->n_samples);
    if (n_out > 1 + clean->n_attributes)
        return status_fail(STATUS_DATA, "the network predicts %s, but %s holds %d: lower network.out_channels",
                           log_things(n_out, "channel", count), clean->path, 1 + clean->n_attributes);
    for (int64_t e = 0; e < survey->n_ensembles; e++) {
        bool same = survey_fold(clean, e) == survey_fold(survey, e) && !survey_moved(survey, clean, e);
        char mine[96], theirs[96];
        if (!same)
            return status_fail(STATUS_DATA,
                               "%s: %s of %s stands where %s has %s of %" PRId64
                               ": a clean survey must hold the same gathers in the same order",
                               clean->path, survey_ensemble_name(clean, e, theirs),
                               log_things(survey_fold(clean, e), "trace", count), survey->path,
                               survey_ensemble_name(survey, e, mine), survey_fold(survey, e));
    }
    return STATUS_OK;
}

/* ---- an objective ---- */

Status objective_new(const ObjectiveRule *rule, const Survey *survey, const Survey *clean, int64_t n_channels,
                     int64_t n_out, int64_t patch_size, Objective *objective)
{
    *objective = (Objective){.rule = *rule,
                             .n_channels = n_channels,
                             .n_out = n_out,
                             .patch_size = patch_size,
                             .survey = survey,
                             .clean = clean};
    Status status = STATUS_OK;
    if (wants_neighbours(rule)) status = find_neighbours(objective);
    if (rule->target == TARGET_CLEAN) status = check_pair(survey, clean, n_out);
    if (rule->target == TARGET_BLIND_TRACE && rule->fill == FILL_OTHER && survey->n_samples < 3 * patch_size - 1)
        status = status_fail(STATUS_CONFIG,
                             "train.fill=other fills hidden traces from %" PRId64
                             " other samples of the same gather, but records of %" PRId64
                             " samples have no room for that: they need %" PRId64 "; lower patch.size",
                             patch_size, survey->n_samples, 3 * patch_size - 1);
    if (status != STATUS_OK) objective_free(objective);
    return status;
}

void objective_free(Objective *objective)
{
    neighbours_free(&objective->neighbours);
    memset(objective, 0, sizeof *objective);
}

void objective_report(const Objective *objective)
{
    const Neighbours *neighbours = &objective->neighbours;
    if (neighbours->before == NULL) return;
    neighbours_report(objective->survey, neighbours);
    char count[LOG_THINGS_MAX];
    if (neighbours->with_none > 0)
        log_warning("%s %s patches count for nothing", log_things(neighbours->with_none, "gather", count),
                    neighbours->with_none == 1 ? "has no neighbour on its line: its"
                                               : "have no neighbour on their line: their");
}

/* ---- whose samples ---- */

int objective_needs(const Objective *objective, int64_t e, int64_t need[OBJECTIVE_NEEDS])
{
    int n = 0;
    need[n++] = e;
    if (objective == NULL || objective->neighbours.before == NULL) return n;
    if (objective->neighbours.before[e] >= 0) need[n++] = objective->neighbours.before[e];
    if (objective->neighbours.after[e] >= 0) need[n++] = objective->neighbours.after[e];
    return n;
}

void objective_sources(const Objective *objective, int64_t e, int64_t source[OBJECTIVE_INPUTS])
{
    source[0] = source[1] = e;
    if (objective->rule.target != TARGET_BLIND_GATHER) return;
    source[0] = objective->neighbours.before[e] >= 0 ? objective->neighbours.before[e] : objective->neighbours.after[e];
    source[1] = objective->neighbours.after[e] >= 0 ? objective->neighbours.after[e] : objective->neighbours.before[e];
}

RandomKey objective_key(int64_t seed, int64_t epoch) { return random_key(seed, RANDOM_TARGET, epoch); }

/* A key of the patch's own. */
static RandomKey patch_key(RandomKey key, const IndexRow *row)
{
    RandomBlock block = random_block(key, (uint32_t)row->ensemble, (uint32_t)(row->ensemble >> 32),
                                     (uint32_t)row->trace, (uint32_t)row->sample);
    return (RandomKey){{block.word[0], block.word[1]}};
}

int64_t objective_target(const Objective *objective, RandomKey key, const IndexRow *row)
{
    if (objective->rule.target != TARGET_NEIGHBOUR) return row->ensemble;
    int64_t before = objective->neighbours.before[row->ensemble], after = objective->neighbours.after[row->ensemble];
    if (before < 0 || after < 0) return before < 0 ? after : before;
    return random_below(patch_key(key, row), 2, DRAW_SIDE, 0) == 0 ? before : after;
}

/* Blocks of hidden traces: as many as make up the share, at least one, placed at random without overlap. Taking each
 * block for one place among `free` traces and blocks, every choice of `blocks` places out of these is as likely. */
static void draw_blocks(const Objective *objective, RandomKey key, bool *hidden)
{
    int64_t size = objective->patch_size, block = objective->rule.block < size ? objective->rule.block : size;
    int64_t blocks = llround(objective->rule.hide * (double)size / (double)block);
    if (blocks < 1) blocks = 1;
    if (blocks > size / block) blocks = size / block;
    int64_t places = size - blocks * block + blocks, y = 0;
    for (int64_t i = 0; i < size; i++) hidden[i] = false;
    for (int64_t place = 0; place < places; place++) {
        bool chosen = random_below(key, places - place, DRAW_BLOCKS, (uint64_t)place) < blocks;
        int64_t width = chosen ? block : 1;
        for (int64_t i = 0; i < width; i++) hidden[y++] = chosen;
        blocks -= chosen;
    }
}

void objective_hide(const Objective *objective, RandomKey key, const IndexRow *row, bool *hidden, IndexRow *other)
{
    const Survey *survey = objective->survey;
    int64_t size = objective->patch_size, last = survey->n_samples - size;
    RandomKey mine = patch_key(key, row);
    draw_blocks(objective, mine, hidden);
    /* samples to the left of the patch and to its right from which a whole patch can start */
    int64_t left = row->sample - size + 1 > 0 ? row->sample - size + 1 : 0;
    int64_t right = last - row->sample - size + 1 > 0 ? last - row->sample - size + 1 : 0;
    *other = *row;
    if (left + right == 0) return; /* only with other fills */
    int64_t at = random_below(mine, left + right, DRAW_SAMPLE, 0);
    other->sample = at < left ? at : row->sample + size + at - left;
    other->trace = random_below(mine, survey_fold(survey, row->ensemble) - size + 1, DRAW_TRACE, 0);
}
