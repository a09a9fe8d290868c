/* objective: what the network is trained towards: which gathers its input comes from, what its prediction is compared
 * with, and which samples count.
 *
 *   source         the input itself; every sample counts (the original's)
 *   clean          the same patch of a second survey of the same gathers
 *   neighbour      the same traces and samples of a neighbouring gather; which of the two is drawn for each patch and
 *                  epoch, so that dip cancels (Noise2Noise, Lehtinen et al. 2018)
 *   blind_gather   the gather itself, from its two neighbours as input channels; at a line's end the one twice
 *   blind_trace    the patch itself on some of its traces, which the input hides
 *
 * But for source, samples count where neither input nor target is muted (exactly zero). Neighbours are gathers of the
 * same inline, next to each other in the order of their crosslines; a gather without a known position has none. Traces
 * correspond by their number: where a neighbour has fewer, its missing ones are muted. Everything random is drawn by
 * counter from seed, epoch and patch. */
#ifndef SEISDCN_OBJECTIVE_H
#define SEISDCN_OBJECTIVE_H

#include "seisdcn/config.h"
#include "seisdcn/index_map.h"
#include "seisdcn/neighbours.h"
#include "seisdcn/random.h"
#include "seisdcn/status.h"
#include "seisdcn/survey.h"

#include <stdbool.h>
#include <stdint.h>

enum { OBJECTIVE_NEEDS = 3, OBJECTIVE_INPUTS = 2 };

typedef struct {
    int target;    /* Target of config.h */
    double hide;   /* blind_trace: share of a patch's traces that are hidden */
    int64_t block; /* of these, so many side by side */
    int fill;      /* Fill of config.h: what stands there in the input */
} ObjectiveRule;

typedef struct {
    ObjectiveRule rule;
    int64_t n_channels; /* of a gather that goes in */
    int64_t n_out;      /* of the target: its first channels */
    int64_t patch_size;
    const Survey *survey, *clean; /* clean: NULL but for TARGET_CLEAN; the caller's */
    Neighbours neighbours;        /* of zeros where the rule asks for none */
} Objective;

/* How many gathers go in side by side: two for blind_gather. Pure. */
int64_t objective_inputs(int target);

/* Prepares a rule for a survey; clean is the paired survey of TARGET_CLEAN. Local, the same on all ranks. STATUS_DATA
 * where no gather has a neighbour, or the clean survey is of other gathers (the message names the first); STATUS_CONFIG
 * where records are too short to fill hidden traces from elsewhere; STATUS_MEMORY. */
Status objective_new(const ObjectiveRule *rule, const Survey *survey, const Survey *clean, int64_t n_channels,
                     int64_t n_out, int64_t patch_size, Objective *objective);

void objective_free(Objective *objective);

/* Says on the log what the survey's neighbours are. Local: rank 0's. */
void objective_report(const Objective *objective);

/* The gathers of the survey that patches of ensemble e may be read from, e first; returns how many. Pure. */
int objective_needs(const Objective *objective, int64_t e, int64_t need[OBJECTIVE_NEEDS]);

/* The ensembles that feed a patch of ensemble e, -1: none. Pure. */
void objective_sources(const Objective *objective, int64_t e, int64_t source[OBJECTIVE_INPUTS]);

/* The key of the draws of an epoch, counted from 1; validation has epoch 0 of seed 0. Pure. */
RandomKey objective_key(int64_t seed, int64_t epoch);

/* The ensemble that a patch is compared with: of the clean survey for TARGET_CLEAN; -1: it has none. Pure. */
int64_t objective_target(const Objective *objective, RandomKey key, const IndexRow *row);

/* blind_trace: which traces of a patch are hidden, hidden [patch_size], and the patch of the same gather that fills
 * them: it shares no sample with this one. Pure. */
void objective_hide(const Objective *objective, RandomKey key, const IndexRow *row, bool *hidden, IndexRow *other);

#endif
