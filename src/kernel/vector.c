#include "seisdcn/vector.h"

#include <stddef.h>
#include <string.h>

static const Vector *const levels[] = {NULL, &vector_portable, &vector_avx2, &vector_avx512};

int vector_level(void)
{
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return 1;
    if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512dq") ||
        !__builtin_cpu_supports("avx512bw") || !__builtin_cpu_supports("avx512vl"))
        return 2;
    return 3;
}

const Vector *vector_of_level(int level) { return levels[level]; }

int vector_level_of(const char *name)
{
    for (int level = 1; level <= 3; level++)
        if (strcmp(levels[level]->name, name) == 0) return level;
    return 0;
}
