#include "seisdcn/random.h"

#include <Random123/philox.h>
#include <math.h>

/* SplitMix64's finaliser (Steele et al. 2014): spreads seeds that differ in one bit over the whole key. */
static uint64_t spread(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

RandomKey random_key(int64_t seed, RandomPurpose purpose, int64_t number)
{
    uint64_t key = spread(spread(spread((uint64_t)seed) ^ (uint64_t)purpose) ^ (uint64_t)number);
    return (RandomKey){{(uint32_t)key, (uint32_t)(key >> 32)}};
}

RandomBlock random_block(RandomKey key, uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
    philox4x32_ctr_t counter = {{a, b, c, d}};
    philox4x32_key_t philox_key = {{key.word[0], key.word[1]}};
    philox4x32_ctr_t out = philox4x32(counter, philox_key);
    return (RandomBlock){{out.v[0], out.v[1], out.v[2], out.v[3]}};
}

uint64_t random_word(RandomKey key, uint64_t a, uint64_t b)
{
    RandomBlock block = random_block(key, (uint32_t)a, (uint32_t)(a >> 32), (uint32_t)b, (uint32_t)(b >> 32));
    return (uint64_t)block.word[1] << 32 | block.word[0];
}

double random_uniform(RandomKey key, uint64_t a, uint64_t b)
{
    return (double)(random_word(key, a, b) >> 11) * 0x1p-53;
}

double random_normal(RandomKey key, uint64_t a, uint64_t b)
{
    RandomBlock block = random_block(key, (uint32_t)a, (uint32_t)(a >> 32), (uint32_t)b, (uint32_t)(b >> 32));
    double u = ((double)(((uint64_t)block.word[1] << 32 | block.word[0]) >> 11) + 1) * 0x1p-53; /* in (0, 1] */
    double v = (double)(((uint64_t)block.word[3] << 32 | block.word[2]) >> 11) * 0x1p-53;
    return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
}

int64_t random_below(RandomKey key, int64_t n, uint64_t a, uint64_t b)
{
    return (int64_t)((unsigned __int128)random_word(key, a, b) * (uint64_t)n >> 64);
}

enum { FEISTEL_ROUNDS = 6 };

/* Bits of each half of the smallest even-width block that holds 0 .. n-1. */
static int half_bits(int64_t n)
{
    int bits = 1;
    while (bits < 31 && ((uint64_t)1 << (2 * bits)) < (uint64_t)n) bits++;
    return bits;
}

static uint32_t feistel_round(RandomKey key, uint32_t round, uint32_t half)
{
    /* A round needs to be unpredictable only to statistics, so a mixer of multiplications is enough (Philox here
     * would cost ten of them); the key enters twice, the round's number once. */
    uint64_t x = ((uint64_t)(half ^ key.word[0]) << 32 | (key.word[1] + round * 0x9e3779b9u)) * 0xd6e8feb86659fd93u;
    x = (x ^ (x >> 32)) * 0xd6e8feb86659fd93u;
    return (uint32_t)(x >> 32);
}

int64_t random_permute(RandomKey key, int64_t n, int64_t i)
{
    int bits = half_bits(n);
    uint32_t mask = (uint32_t)(((uint64_t)1 << bits) - 1);
    uint64_t x = (uint64_t)i;
    do { /* the block holds less than four times n, so this walks back into 0 .. n-1 after a few turns */
        uint32_t left = (uint32_t)(x >> bits), right = (uint32_t)x & mask;
        for (uint32_t round = 0; round < FEISTEL_ROUNDS; round++) {
            uint32_t next = left ^ (feistel_round(key, round, right) & mask);
            left = right;
            right = next;
        }
        x = (uint64_t)left << bits | right;
    } while (x >= (uint64_t)n);
    return (int64_t)x;
}

int64_t random_unpermute(RandomKey key, int64_t n, int64_t i)
{
    int bits = half_bits(n);
    uint32_t mask = (uint32_t)(((uint64_t)1 << bits) - 1);
    uint64_t x = (uint64_t)i;
    do {
        uint32_t left = (uint32_t)(x >> bits), right = (uint32_t)x & mask;
        for (uint32_t round = FEISTEL_ROUNDS; round-- > 0;) {
            uint32_t before = right ^ (feistel_round(key, round, left) & mask);
            right = left;
            left = before;
        }
        x = (uint64_t)left << bits | right;
    } while (x >= (uint64_t)n);
    return (int64_t)x;
}
