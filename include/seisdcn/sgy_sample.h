/* sgy_sample: samples of SEG-Y files to float32 and back: every format of the standard, rev 0 to 2.1, but 4 (fixed
 * point with gain, whose gain the standard leaves open), in both byte orders.
 *
 * Own code, since libsegyio's conversion takes IBM floats that are not normalised for others (0x40000001 becomes
 * 0.03125 instead of 2^-24), makes NaN of those beyond float32's range, and cuts where it should round. Every IBM float
 * within float32's range is converted exactly, and a normalised one comes back as the same bytes. */
#ifndef SEISDCN_SGY_SAMPLE_H
#define SEISDCN_SGY_SAMPLE_H

#include <stdbool.h>
#include <stdint.h>

enum {
    SGY_IBM = 1,
    SGY_INT32 = 2,
    SGY_INT16 = 3,
    SGY_IEEE = 5,
    SGY_DOUBLE = 6,
    SGY_INT24 = 7,
    SGY_INT8 = 8,
    SGY_INT64 = 9,
    SGY_UINT32 = 10,
    SGY_UINT16 = 11,
    SGY_UINT64 = 12,
    SGY_UINT24 = 15,
    SGY_UINT8 = 16
};

/* What the standard calls a format code ("IBM float"), NULL for a code that it does not have. Pure. */
const char *sgy_format_name(int format);

/* The formats that are read, in words. Pure. */
const char *sgy_formats_read(void);

/* Bytes of a sample of a format that is read, 0 for others. Pure. */
int sgy_item_size(int format);

/* Samples that will not come back as the bytes that they were. */
typedef struct {
    int64_t changed;  /* float32 cannot hold them: the nearest is taken (beyond its range the largest) */
    int64_t beyond;   /* of these, doubles beyond its range */
    int64_t vanished; /* and doubles that are not 0 but below its smallest normal number */
    int64_t respelt;  /* the same number, but written otherwise: IBM floats that are not normalised */
    int64_t first;    /* the first of either, -1 where there is none */
} SgyOdd;

/* What 64-bit floats are, times a scale. */
typedef struct {
    double scale;
    double largest;       /* the largest finite |number| */
    int64_t beyond;       /* the first sample that is beyond float32's range, -1: none */
    double beyond_number; /* it */
} SgyDoubles;

/* raw, n samples of a format in the file's byte order, to values [n]; IEEE's NaN and infinity stay. Adds to odd's
 * counts, and sets its first (an index into raw) where it is -1. Pure. */
void sgy_decode(int format, bool big, const uint8_t *raw, int64_t n, float *values, SgyOdd *odd);

/* The same of format 6, times doubles->scale: widens its largest, and sets its beyond where that is -1. Pure. */
void sgy_decode_doubles(bool big, const uint8_t *raw, int64_t n, SgyDoubles *doubles, float *values, SgyOdd *odd);

/* Values [n] over a scale to raw of format 6. Pure. */
void sgy_encode_doubles(bool big, const float *values, int64_t n, double scale, uint8_t *raw);

/* Finite values [n] to raw: IBM floats and integers round to the nearest, half to even; returns how many lie beyond an
 * integer format's range and became its end. Pure. */
int64_t sgy_encode(int format, bool big, const float *values, int64_t n, uint8_t *raw);

#endif
