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

int exact_exponent(int64_t patches)
{
    int bits = 0;
    while (((int64_t)1 << bits) < patches) bits++;
    return 62 - 10 - bits;
}
