/* exact: sums that do not depend on the order or the number of ranks: numbers become whole multiples of 2^-40 in two
 * 64-bit limbs, which add without rounding. */
#ifndef SEISDCN_EXACT_H
#define SEISDCN_EXACT_H

#include <stdbool.h>
#include <stdint.h>

/* value = high + low * 2^-40. At most 2^22 numbers go into one before exact_settle(), sums of ranks included. */
typedef struct {
    int64_t high, low;
} ExactSum;

/* Adds a number below 2^50 in magnitude; false, and nothing added, where it is larger or not finite. Pure. */
bool exact_add(ExactSum *sum, double value);

/* Carries low's whole part over to high, so that as many numbers more may be added. Pure. */
void exact_settle(ExactSum *sum);

/* The sum, rounded once. Pure. */
double exact_value(ExactSum sum);

/* A sum of numbers of 0 or more, of whatever size, without any rounding: value = sum of limb[k] * 2^(32 k - 1126),
 * which covers every finite double. At most 2^31 numbers go into one, sums of ranks (limb by limb) included. */
enum { EXACT_LIMBS = 68 };

typedef struct {
    int64_t limb[EXACT_LIMBS];
} ExactWide;

/* Adds a number of 0 or more; false, and nothing added, where it is negative or not finite. Pure. */
bool exact_wide_add(ExactWide *sum, double value);

/* The sum, to one unit of the last place. Pure. */
double exact_wide_value(const ExactWide *sum);

/* The sum of float gradients: bits by which a patch's value is scaled up before it is rounded, so that the sum of
 * `patches` values below EXACT_LIMIT in magnitude fits 63 bits. Pure. */
int exact_exponent(int64_t patches);

#define EXACT_LIMIT 1024.0f

#endif
