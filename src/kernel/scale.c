#include "seisdcn/scale.h"

#include <math.h>

PatchScale scale_of(ScaleKind kind, int64_t grid)
{
    PatchScale scale = {.kind = kind, .grid = grid};
    for (int64_t k = 0; grid > 0 && k <= grid; k++) scale.step[k] = (float)exp2((double)k / (double)grid);
    return scale;
}

float scale_round(const PatchScale *scale, float s)
{
    if (scale->grid == 0 || !(s > 0)) return s;
    int exponent;
    float mantissa = 2 * frexpf(s, &exponent); /* 1 <= mantissa < 2 */
    int64_t k = 0;
    while (scale->step[k] < mantissa) k++;
    float rounded = ldexpf(scale->step[k], exponent - 1);
    return isfinite(rounded) ? rounded : s;
}

float scale_value(const PatchScale *scale, float largest, double square, int64_t n)
{
    return scale_round(scale, scale->kind == SCALE_MAX ? largest : (float)sqrt(square / (double)n));
}
