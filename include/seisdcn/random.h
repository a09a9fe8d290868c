/* random: random numbers by counter, so that nobody's numbers depend on who drew before.
 *
 * A number is a function of a key (seed and purpose) and a counter (which gather, which patch, which layer): any rank
 * computes any of them alone. The generator is Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as
 * 1, 2, 3") from the Random123 library. The permutations are Feistel networks with cycle walking (Black and Rogaway
 * 2002): a bijection of 0 .. n-1 in constant time and memory. */
#ifndef SEISDCN_RANDOM_H
#define SEISDCN_RANDOM_H

#include <stdint.h>

typedef struct {
    uint32_t word[2];
} RandomKey;

typedef struct {
    uint32_t word[4];
} RandomBlock;

/* What the numbers are for: two purposes never share a stream. */
typedef enum {
    RANDOM_SPLIT = 1,
    RANDOM_ORDER,
    RANDOM_DROPOUT,
    RANDOM_WEIGHTS,
    RANDOM_SYNTH,
    RANDOM_TEST,
    RANDOM_TARGET,
    RANDOM_NOISE,
} RandomPurpose;

/* The key of a seed, a purpose and one more number (an epoch, an ensemble). Pure. */
RandomKey random_key(int64_t seed, RandomPurpose purpose, int64_t number);

/* Four independent uniform 32-bit words for counter (a, b, c, d). Pure. */
RandomBlock random_block(RandomKey key, uint32_t a, uint32_t b, uint32_t c, uint32_t d);

/* The 64-bit words of counter (a, b), two of them in a block. Pure. */
uint64_t random_word(RandomKey key, uint64_t a, uint64_t b);

/* A double uniform in [0, 1) with 53 bits for counter (a, b). Pure. */
double random_uniform(RandomKey key, uint64_t a, uint64_t b);

/* A double from the standard normal distribution for counter (a, b), by Box and Muller. Pure. */
double random_normal(RandomKey key, uint64_t a, uint64_t b);

/* A whole number uniform in 0 .. n-1, n >= 1, for counter (a, b); its bias is below n / 2^64. Pure. */
int64_t random_below(RandomKey key, int64_t n, uint64_t a, uint64_t b);

/* Where position i of 0 .. n-1 goes under the keyed permutation. Pure. */
int64_t random_permute(RandomKey key, int64_t n, int64_t i);

/* The inverse of random_permute(): the position that goes to i. Pure. */
int64_t random_unpermute(RandomKey key, int64_t n, int64_t i);

#endif
