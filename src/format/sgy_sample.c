#include "seisdcn/sgy_sample.h"

#include "seisdcn/sgy_field.h"

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

const char *sgy_formats_read(void)
{
    return "1 (IBM float), 5 and 6 (IEEE floats of 4 and 8 bytes), 2, 3, 7, 8, 9 (integers of 4, 2, 3, 1, 8 bytes) and "
           "10, 11, 12, 15, 16 (unsigned integers of 4, 2, 8, 3, 1 bytes)";
}

int sgy_item_size(int format)
{
    switch (format) {
    case SGY_DOUBLE:
    case SGY_INT64:
    case SGY_UINT64:
        return 8;
    case SGY_IBM:
    case SGY_INT32:
    case SGY_IEEE:
    case SGY_UINT32:
        return 4;
    case SGY_INT24:
    case SGY_UINT24:
        return 3;
    case SGY_INT16:
    case SGY_UINT16:
        return 2;
    case SGY_INT8:
    case SGY_UINT8:
        return 1;
    default:
        return 0;
    }
}

static bool is_signed(int format)
{
    return format == SGY_INT8 || format == SGY_INT16 || format == SGY_INT24 || format == SGY_INT32 ||
           format == SGY_INT64;
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

void sgy_decode_doubles(bool big, const uint8_t *raw, int64_t n, SgyDoubles *doubles, float *values, SgyOdd *odd)
{
    for (int64_t i = 0; i < n; i++) {
        uint64_t word = sgy_number(raw + 8 * i, 8, big);
        double item;
        memcpy(&item, &word, sizeof item);
        bool finite = isfinite(item);
        item *= doubles->scale;
        bool far = finite && !(fabs(item) <= FLT_MAX);
        values[i] = far ? copysignf(FLT_MAX, (float)item) : (float)item;
        if (finite && fabs(item) > doubles->largest) doubles->largest = fabs(item);
        if (far && doubles->beyond < 0) {
            doubles->beyond = i;
            doubles->beyond_number = item;
        }
        if (!finite || (double)values[i] == item) continue;
        note_odd(i, true, odd);
        odd->beyond += far;
        odd->vanished += fabsf(values[i]) < FLT_MIN;
    }
}

/* Integers of `size` bytes. */
static void decode_whole(int format, bool big, const uint8_t *raw, int64_t n, float *values, SgyOdd *odd)
{
    int size = sgy_item_size(format), unused = 64 - 8 * size;
    for (int64_t i = 0; i < n; i++) {
        uint64_t word = sgy_number(raw + size * i, size, big);
        int64_t item = (int64_t)(word << unused) >> unused; /* with its sign */
        values[i] = is_signed(format) ? (float)item : (float)word;
        if (size < 4) continue;
        /* 2^63 and 2^64 are numbers that an integer of 64 bits does not reach */
        bool same = is_signed(format) ? values[i] < 0x1p63f && (int64_t)values[i] == item
                                      : values[i] < 0x1p64f && (uint64_t)values[i] == word;
        if (!same) note_odd(i, true, odd);
    }
}

void sgy_decode(int format, bool big, const uint8_t *raw, int64_t n, float *values, SgyOdd *odd)
{
    switch (format) {
    case SGY_IBM:
        decode_ibm(big, raw, n, values, odd);
        break;
    case SGY_DOUBLE:
        sgy_decode_doubles(big, raw, n, &(SgyDoubles){.scale = 1}, values, odd);
        break;
    case SGY_IEEE:
        for (int64_t i = 0; i < n; i++) {
            uint32_t word = load32(raw, i, big);
            memcpy(values + i, &word, sizeof word);
        }
        break;
    default: /* nothing else is let through */
        decode_whole(format, big, raw, n, values, odd);
    }
}

/* ---- and back ---- */

/* The bits of the nearest whole number, half to even, that the format holds. */
static uint64_t to_whole(int format, float value, int64_t *beyond)
{
    int bits = 8 * sgy_item_size(format);
    double whole = rint((double)value);
    double low = is_signed(format) ? -power_of_two(bits - 1) : 0;
    double above = power_of_two(is_signed(format) ? bits - 1 : bits); /* the first that is too large */
    bool fits = whole >= low && whole < above;
    if (!fits) ++*beyond;
    if (is_signed(format))
        return fits          ? (uint64_t)(int64_t)whole
               : whole < low ? (uint64_t)INT64_MIN >> (64 - bits)
                             : UINT64_MAX >> (65 - bits);
    return fits ? (uint64_t)whole : whole < low ? 0 : UINT64_MAX >> (64 - bits);
}

void sgy_encode_doubles(bool big, const float *values, int64_t n, double scale, uint8_t *raw)
{
    for (int64_t i = 0; i < n; i++) {
        double item = (double)values[i] / scale;
        uint64_t word;
        memcpy(&word, &item, sizeof word);
        sgy_number_put(raw + 8 * i, 8, big, word);
    }
}

int64_t sgy_encode(int format, bool big, const float *values, int64_t n, uint8_t *raw)
{
    int64_t beyond = 0;
    int size = sgy_item_size(format);
    for (int64_t i = 0; i < n; i++) {
        uint32_t word;
        switch (format) {
        case SGY_IBM:
            store32(raw, i, big, to_ibm(values[i]));
            break;
        case SGY_IEEE:
            memcpy(&word, values + i, sizeof word);
            store32(raw, i, big, word);
            break;
        case SGY_DOUBLE:
            sgy_encode_doubles(big, values + i, 1, 1, raw + 8 * i);
            break;
        default:
            sgy_number_put(raw + size * i, size, big, to_whole(format, values[i], &beyond));
        }
    }
    return beyond;
}
