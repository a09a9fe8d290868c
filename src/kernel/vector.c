#include "seisdcn/vector.h"

#include <stddef.h>
#include <string.h>

/* Builds without the processor's own instruction sets have the portable one. */
#ifndef VECTOR_PORTABLE_ONLY
enum { LEVELS = 3 };
static const Vector *const levels[LEVELS + 1] = {NULL, &vector_portable, &vector_avx2, &vector_avx512};
#else
enum { LEVELS = 1 };
static const Vector *const levels[LEVELS + 1] = {NULL, &vector_portable};
#endif

int vector_level(void)
{
#ifndef VECTOR_PORTABLE_ONLY
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return 1;
    if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512dq") ||
        !__builtin_cpu_supports("avx512bw") || !__builtin_cpu_supports("avx512vl"))
        return 2;
    return 3;
#else
    return 1;
#endif
}

const Vector *vector_of_level(int level) { return levels[level]; }

int vector_level_of(const char *name)
{
    for (int level = 1; level <= LEVELS; level++)
        if (strcmp(levels[level]->name, name) == 0) return level;
    return 0;
}
