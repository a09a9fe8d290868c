#include "seisdcn/index_rule.h"

static int64_t positions(int64_t length, const IndexRule *rule)
{
    return length < rule->patch_size ? 0 : (length - rule->patch_size) / rule->stride + 1;
}

int64_t index_patches(const IndexRule *rule, int64_t fold, int64_t n_samples)
{
    return positions(fold, rule) * positions(n_samples, rule);
}
