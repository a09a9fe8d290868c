#include "seisdcn/exact.h"

#include <math.h>

bool exact_add(ExactSum *sum, double value)
{
    if (!(fabs(value) < 0x1p50)) return false; /* also NaN */
    double whole = floor(value);
    sum->high += (int64_t)whole;
    sum->low += (int64_t)nearbyint((value - whole) * 0x1p40);
    return true;
}

void exact_settle(ExactSum *sum)
{
    int64_t carry = sum->low >> 40;
    sum->high += carry;
    sum->low -= carry * ((int64_t)1 << 40);
}

double exact_value(ExactSum sum)
{
    exact_settle(&sum);
    return (double)sum.high + (double)sum.low * 0x1p-40;
}

/* The lowest bit of limb 0: below the lowest of the 53 bits that frexp() makes of the smallest double. */
enum { LOWEST = -1126, LIMB_BITS = 32 };

bool exact_wide_add(ExactWide *sum, double value)
{
    if (!isfinite(value) || value < 0) return false;
    int exponent;
    uint64_t bits = (uint64_t)ldexp(frexp(value, &exponent), 53); /* value = bits * 2^(exponent - 53) */
    int place = exponent - 53 - LOWEST, shift = place % LIMB_BITS;
    int64_t *limb = &sum->limb[place / LIMB_BITS];
    limb[0] += (int64_t)(bits << shift & UINT32_MAX);
    limb[1] += (int64_t)(bits >> (LIMB_BITS - shift) & UINT32_MAX);
    limb[2] += (int64_t)(bits >> LIMB_BITS >> (LIMB_BITS - shift));
    return true;
}

double exact_wide_value(const ExactWide *sum)
{
    ExactWide carried = *sum;
    for (int k = 0; k + 1 < EXACT_LIMBS; k++) {
        carried.limb[k + 1] += carried.limb[k] >> LIMB_BITS;
        carried.limb[k] &= UINT32_MAX;
    }
    double value = 0;
    for (int k = EXACT_LIMBS - 1; k >= 0; k--) value += ldexp((double)carried.limb[k], k * LIMB_BITS + LOWEST);
    return value;
}

int exact_exponent(int64_t patches)
{
    int bits = 0;
    while (((int64_t)1 << bits) < patches) bits++;
    return 62 - 10 - bits;
}
