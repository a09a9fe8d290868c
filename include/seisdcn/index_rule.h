/* index_rule: by which rule patches are cut and dealt. */
#ifndef SEISDCN_INDEX_RULE_H
#define SEISDCN_INDEX_RULE_H

#include <stdint.h>

typedef struct {
    int64_t patch_size, stride, by; /* by: SplitBy */
    double test, valid;
    int64_t seed;
    double min_live; /* least share of a patch's samples that are not exactly zero; 0: every patch counts */
} IndexRule;

/* Patches of a gather of `fold` traces under a rule, dead ones too. Pure. */
int64_t index_patches(const IndexRule *rule, int64_t fold, int64_t n_samples);

#endif
