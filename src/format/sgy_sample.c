#include "seisdcn/sgy_sample.h"

#include <float.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

const char *sgy_format_name(int format)
{
    static const char *const names[] = {
        NULL,
        "IBM float",
        "32-bit integer",
        "16-bit integer",
        "fixed point with gain",
        "IEEE float",
        "64-bit IEEE float",
        "24-bit integer",
        "8-bit integer",
        "64-bit integer",
        "unsigned 32-bit integer",
        "unsigned 16-bit integer",
        "unsigned 64-bit integer",
        NULL,
        NULL,
        "unsigned 24-bit integer",
        "unsigned 8-bit integer",
    };
    return format < 0 || (size_t)format >= sizeof names / sizeof *names ? NULL : names[format];
}

int sgy_item_size(int format)
{
    switch (format) {
    case SGY_IBM:
    case SGY_INT32:
    case SGY_IEEE:
        return 4;
    case SGY_INT16:
        return 2;
    case SGY_INT8:
        return 1;
    default:
        return 0;
    }
}

/* ---- items of a file: this machine is little-endian, as everywhere in the program ---- */

static uint32_t load32(const uint8_t *raw, int64_t i, bool big)
{
    uint32_t word;
    memcpy(&word, raw + 4 * i, 4);
    return big ? __builtin_bswap32(word) : word;
}

static void store32(uint8_t *raw, int64_t i, bool big, uint32_t word)
{
    if (big) word = __builtin_bswap32(word);
    memcpy(raw + 4 * i, &word, 4);
}

static uint16_t load16(const uint8_t *raw, int64_t i, bool big)
{
    uint16_t word;
    memcpy(&word, raw + 2 * i, 2);
    return big ? __builtin_bswap16(word) : word;
}

static void store16(uint8_t *raw, int64_t i, bool big, uint16_t word)
{
    if (big) word = __builtin_bswap16(word);
    memcpy(raw + 2 * i, &word, 2);
}

/* 2^exponent for -1022 .. 1023 */
static double power_of_two(int exponent)
{
    uint64_t bits = (uint64_t)(exponent + 1023) << 52;
    double power;
    memcpy(&power, &bits, sizeof power);
    return power;
}

/* ---- IBM floats: sign, 7 bits of exponent of 16 (64 too large), 24 bits behind the point ---- */

static double ibm_magnitude(uint32_t word)
{
    int exponent = (int)(word >> 24 & 0x7f);
    return (double)(word & 0xffffff) * power_of_two(4 * (exponent - 64) - 24);
}

static float from_ibm(uint32_t word)
{
    double magnitude = ibm_magnitude(word);
    float value = magnitude > FLT_MAX ? FLT_MAX : (float)magnitude;
    return word >> 31 ? -value : value;
}

static bool ibm_is_normal(uint32_t word)
{
    return (word & 0x7fffffff) == 0 || (word & 0xf00000) != 0; /* a zero has no exponent, others a first digit */
}

static uint32_t to_ibm(float value)
{
    double magnitude = fabs((double)value);
    uint32_t sign = signbit(value) ? 0x80000000u : 0;
    if (magnitude == 0) return sign;
    uint64_t bits;
    memcpy(&bits, &magnitude, sizeof bits);
    int binary = (int)(bits >> 52) - 1022;                  /* magnitude = m 2^binary, 1/2 <= m < 1 */
    int hex = (binary + 4 * 1024 + 3) / 4 - 1024;           /* binary / 4, rounded up */
    double digits = magnitude * power_of_two(24 - 4 * hex); /* below 2^24 */
    uint32_t mantissa = (uint32_t)lrint(digits);            /* half to even */
    if (mantissa == 0x1000000) return sign | (uint32_t)(hex + 65) << 24 | 0x100000;
    return sign | (uint32_t)(hex + 64) << 24 | mantissa;
}

/* ---- to float32 ---- */

static void note_odd(int64_t i, bool changed, SgyOdd *odd)
{
    if (odd->first < 0) odd->first = i;
    if (changed)
        odd->changed++;
    else
        odd->respelt++;
}

static void decode_ibm(bool big, const uint8_t *raw, int64_t n, float *values, SgyOdd *odd)
{
    for (int64_t i = 0; i < n; i++) {
        uint32_t word = load32(raw, i, big);
        values[i] = from_ibm(word);
        bool changed = (double)fabsf(values[i]) != ibm_magnitude(word);
        if (changed || !ibm_is_normal(word)) note_odd(i, changed, odd);
    }
}

static void decode_int32(bool big, const uint8_t *raw, int64_t n, float *values, SgyOdd *odd)
{
    for (int64_t i = 0; i < n; i++) {
        int32_t item = (int32_t)load32(raw, i, big);
        values[i] = (float)item;
        if ((int64_t)values[i] != item) note_odd(i, true, odd);
    }
}

void sgy_decode(int format, bool big, const uint8_t *raw, int64_t n, float *values, SgyOdd *odd)
{
    switch (format) {
    case SGY_IBM:
        decode_ibm(big, raw, n, values, odd);
        break;
    case SGY_INT32:
        decode_int32(big, raw, n, values, odd);
        break;
    case SGY_INT16:
        for (int64_t i = 0; i < n; i++) values[i] = (float)(int16_t)load16(raw, i, big);
        break;
    case SGY_INT8:
        for (int64_t i = 0; i < n; i++) values[i] = (float)(int8_t)raw[i];
        break;
    default: /* IEEE: nothing else is let through */
        for (int64_t i = 0; i < n; i++) {
            uint32_t word = load32(raw, i, big);
            memcpy(values + i, &word, sizeof word);
        }
    }
}

/* ---- and back ---- */

/* The nearest whole number of low .. high, half to even. */
static int32_t to_whole(float value, double low, double high, int64_t *beyond)
{
    double whole = rint((double)value);
    if (whole < low || whole > high) ++*beyond;
    return (int32_t)(whole < low ? low : whole > high ? high : whole);
}

int64_t sgy_encode(int format, bool big, const float *values, int64_t n, uint8_t *raw)
{
    int64_t beyond = 0;
    for (int64_t i = 0; i < n; i++) {
        uint32_t word;
        switch (format) {
        case SGY_IBM:
            store32(raw, i, big, to_ibm(values[i]));
            break;
        case SGY_INT32:
            store32(raw, i, big, (uint32_t)to_whole(values[i], INT32_MIN, INT32_MAX, &beyond));
            break;
        case SGY_INT16:
            store16(raw, i, big, (uint16_t)to_whole(values[i], INT16_MIN, INT16_MAX, &beyond));
            break;
        case SGY_INT8:
            raw[i] = (uint8_t)to_whole(values[i], INT8_MIN, INT8_MAX, &beyond);
            break;
        default:
            memcpy(&word, values + i, sizeof word);
            store32(raw, i, big, word);
        }
    }
    return beyond;
}
