#include "seisdcn/npy.h"

#include "seisdcn/fault.h"
#include "seisdcn/memory.h"
#include "seisdcn/text.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Bytes that one read of a scattered gather takes: large enough for the disk, small beside a gather's own buffer. */
static const size_t STREAM_BYTES = (size_t)4 << 20;

/* ---- items to float32 ---- */

static float half_to_float(uint16_t half)
{
    int exponent = half >> 10 & 31;
    double fraction = half & 1023, value;
    if (exponent == 31)
        value = fraction == 0 ? (double)INFINITY : (double)NAN;
    else if (exponent == 0)
        value = ldexp(fraction, -24);
    else
        value = ldexp(fraction + 1024, exponent - 25);
    return (float)(half & 0x8000 ? -value : value);
}

static void swap_items(unsigned char *items, int64_t count, int size)
{
    for (int64_t i = 0; i < count; i++, items += size)
        for (int a = 0, b = size - 1; a < b; a++, b--) {
            unsigned char byte = items[a];
            items[a] = items[b];
            items[b] = byte;
        }
}

#define CONVERT(type)                                                \
    for (int64_t i = 0; i < count; i++) {                            \
        type item;                                                   \
        memcpy(&item, items + (size_t)i * sizeof item, sizeof item); \
        out[i] = (float)item;                                        \
    }

/* items [count] as this machine has them to out [count] */
static void convert_items(const NpyHeader *header, const unsigned char *items, int64_t count, float *out)
{
    switch (header->kind << 4 | header->item_size) {
    case 'f' << 4 | 4:
        CONVERT(float) break;
    case 'f' << 4 | 8:
        CONVERT(double) break;
    case 'i' << 4 | 1:
        CONVERT(int8_t) break;
    case 'i' << 4 | 2:
        CONVERT(int16_t) break;
    case 'i' << 4 | 4:
        CONVERT(int32_t) break;
    case 'i' << 4 | 8:
        CONVERT(int64_t) break;
    case 'u' << 4 | 1:
        CONVERT(uint8_t) break;
    case 'u' << 4 | 2:
        CONVERT(uint16_t) break;
    case 'u' << 4 | 4:
        CONVERT(uint32_t) break;
    case 'u' << 4 | 8:
        CONVERT(uint64_t) break;
    default: /* 'f' of 2 bytes: a header lets nothing else through */
        for (int64_t i = 0; i < count; i++) {
            uint16_t half;
            memcpy(&half, items + 2 * i, 2);
            out[i] = half_to_float(half);
        }
    }
}

/* Item i as float64. */
static double number_of(const NpyHeader *header, const unsigned char *items, int64_t i)
{
    float single;
    double number;
    int64_t whole;
    uint64_t natural;
    const unsigned char *item = items + i * header->item_size;
    if (header->kind == 'f' && header->item_size == 8) {
        memcpy(&number, item, sizeof number);
        return number;
    }
    if (header->item_size == 8 && header->kind == 'i') {
        memcpy(&whole, item, sizeof whole);
        return (double)whole;
    }
    if (header->item_size == 8) {
        memcpy(&natural, item, sizeof natural);
        return (double)natural;
    }
    if (header->item_size == 4 && header->kind == 'i') {
        int32_t word;
        memcpy(&word, item, sizeof word);
        return word;
    }
    if (header->item_size == 4 && header->kind == 'u') {
        uint32_t word;
        memcpy(&word, item, sizeof word);
        return word;
    }
    convert_items(header, (unsigned char *)item, 1, &single); /* exact: 2 bytes, 1 byte, float32 */
    return (double)single;
}

/* The same with a scale, and what float32 cannot hold; beyond is an item's number here. */
static void scale_items(const NpyHeader *header, const unsigned char *items, int64_t count, float *out, NpyRange *range)
{
    for (int64_t i = 0; i < count; i++) {
        double item = number_of(header, items, i), number = item * range->scale;
        out[i] = (float)number;
        if (!isfinite(item)) continue;
        if (fabs(number) > range->largest) range->largest = fabs(number);
        if (!isinf(out[i]) || range->beyond >= 0) continue;
        range->beyond = i;
        range->beyond_number = item;
    }
}

/* items [count] as in the file (swapped in place where needed) to out [count] */
static void take_items(const NpyHeader *header, unsigned char *items, int64_t count, float *out, NpyRange *range)
{
    if (header->swapped) swap_items(items, count, header->item_size);
    bool is_double = header->kind == 'f' && header->item_size == 8;
    if (range != NULL && (is_double || range->scale != 1))
        scale_items(header, items, count, out, range);
    else
        convert_items(header, items, count, out);
}

/* ---- reading a gather ---- */

static Status read_bytes(FILE *file, const char *path, void *into, size_t bytes)
{
    bool struck = fault_strikes(FAULT_READ);
    if (!struck && fread(into, 1, bytes, file) == bytes) return STATUS_OK;
    if (struck || ferror(file)) return status_fail(STATUS_IO, "%s: cannot be read: %s", path, strerror(errno));
    return status_fail(STATUS_IO, "%s: became shorter while it was read", path);
}

static Status seek_to(FILE *file, const char *path, int64_t offset)
{
    if (fseeko(file, (off_t)offset, SEEK_SET) == 0) return STATUS_OK;
    return status_fail(STATUS_IO, "%s: cannot be read at byte %" PRId64 ": %s", path, offset, strerror(errno));
}

/* The items of gather g [count], as they follow each other in the file. In a 3D array of Fortran order the gathers
 * alternate item by item, so the whole file passes by. */
static Status read_items(FILE *file, const char *path, const NpyHeader *header, int64_t g, int64_t count,
                         unsigned char *items)
{
    size_t size = (size_t)header->item_size;
    int64_t n_gathers = header->n_dims == 3 ? header->dims[0] : 1;
    bool scattered = header->fortran && n_gathers > 1;
    int64_t first = scattered ? 0 : g * count * (int64_t)size;
    Status status = seek_to(file, path, header->data_offset + first);
    if (status != STATUS_OK) return status;
    if (!scattered) return read_bytes(file, path, items, (size_t)count * size);
    int64_t step_bytes = n_gathers * (int64_t)size, steps = (int64_t)STREAM_BYTES / step_bytes;
    if (steps == 0) steps = 1;
    unsigned char *stream = memory_new((size_t)steps, (size_t)step_bytes, "items of a .npy file");
    if (stream == NULL) return STATUS_MEMORY;
    for (int64_t done = 0; done < count && status == STATUS_OK; done += steps) {
        int64_t n = count - done < steps ? count - done : steps;
        status = read_bytes(file, path, stream, (size_t)(n * step_bytes));
        for (int64_t i = 0; i < n && status == STATUS_OK; i++)
            memcpy(items + (size_t)(done + i) * size, stream + i * step_bytes + g * (int64_t)size, size);
    }
    memory_free(stream);
    return status;
}

/* turned [n_columns][n_rows] to straight [n_rows][n_columns], in blocks that stay in the cache */
static void turn(const float *turned, int64_t n_rows, int64_t n_columns, float *straight)
{
    enum { BLOCK = 32 };
    for (int64_t row = 0; row < n_rows; row += BLOCK)
        for (int64_t column = 0; column < n_columns; column += BLOCK)
            for (int64_t r = row; r < n_rows && r < row + BLOCK; r++)
                for (int64_t c = column; c < n_columns && c < column + BLOCK; c++)
                    straight[r * n_columns + c] = turned[c * n_rows + r];
}

Status npy_read_gather(const char *path, const NpyHeader *header, int64_t g, bool transpose, float *amplitude,
                       NpyRange *range)
{
    int64_t a = header->dims[header->n_dims - 2], b = header->dims[header->n_dims - 1], count = a * b;
    int64_t n_traces = transpose ? b : a, n_samples = transpose ? a : b;
    bool turned = header->fortran != transpose; /* both together are C order again */
    bool plain =
        header->kind == 'f' && header->item_size == 4 && !header->swapped && (range == NULL || range->scale == 1);
    if (range != NULL) *range = (NpyRange){.scale = range->scale, .beyond = -1};
    FILE *file = fault_strikes(FAULT_OPEN) ? NULL : fopen(path, "rb");
    if (file == NULL) return status_fail(STATUS_IO, "%s: %s", path, strerror(errno));
    /* [count] items as in the file, and [count] floats still turned; what needs neither goes straight to amplitude */
    unsigned char *items = plain ? NULL : memory_new((size_t)count, (size_t)header->item_size, "a gather's items");
    float *floats = turned ? memory_new((size_t)count, sizeof *floats, "a gather to be transposed") : amplitude;
    Status status = floats == NULL || (items == NULL && !plain) ? STATUS_MEMORY : STATUS_OK;
    if (status == STATUS_OK) status = read_items(file, path, header, g, count, plain ? (unsigned char *)floats : items);
    if (status == STATUS_OK && !plain) take_items(header, items, count, floats, range);
    if (status == STATUS_OK && turned) turn(floats, n_traces, n_samples, amplitude);
    if (turned && range != NULL && range->beyond >= 0)
        range->beyond = range->beyond % n_traces * n_samples + range->beyond / n_traces;
    fclose(file);
    memory_free(items);
    if (turned) memory_free(floats);
    return status;
}

/* ---- writing ---- */

enum { PREFIX = 10 /* magic, version, length */, WRITTEN_HEADER = 128 };

static bool write_array(FILE *file, int64_t n_traces, int64_t n_samples, const float *amplitude)
{
    /* One length fits all shapes: the dictionary, blanks, a newline; the data begin on a 64-byte boundary. */
    char header[WRITTEN_HEADER + 1];
    unsigned char prefix[PREFIX] = {0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, WRITTEN_HEADER - PREFIX, 0};
    memset(header, ' ', sizeof header);
    int length = snprintf(header, sizeof header,
                          "{'descr': '<f4', 'fortran_order': False, 'shape': (%" PRId64 ", %" PRId64 "), }", n_traces,
                          n_samples);
    header[length] = ' ';
    header[WRITTEN_HEADER - PREFIX - 1] = '\n';
    size_t count = (size_t)(n_traces * n_samples);
    return fwrite(prefix, 1, PREFIX, file) == PREFIX &&
           fwrite(header, 1, WRITTEN_HEADER - PREFIX, file) == WRITTEN_HEADER - PREFIX &&
           fwrite(amplitude, sizeof *amplitude, count, file) == count && fflush(file) == 0;
}

Status npy_write(const char *path, int64_t n_traces, int64_t n_samples, const float *amplitude)
{
    char *temporary = text_format("%s.part", path);
    if (temporary == NULL) return STATUS_MEMORY;
    FILE *file = fault_strikes(FAULT_OPEN) ? NULL : fopen(temporary, "wb");
    Status status = STATUS_OK;
    if (file == NULL) {
        status = status_fail(STATUS_IO, "%s: cannot be created: %s", temporary, strerror(errno));
    } else {
        errno = 0;
        bool written = !fault_strikes(FAULT_WRITE) && write_array(file, n_traces, n_samples, amplitude);
        int reason = errno;
        if (fault_after(FAULT_CLOSE, fclose(file)) != 0 && written) {
            written = false;
            reason = errno;
        }
        /* Renamed without fsync: thousands of small files would wait for the disk each, and can be made again. */
        if (written && (fault_strikes(FAULT_RENAME) || rename(temporary, path) != 0)) {
            written = false;
            reason = errno;
        }
        if (!written) {
            status = status_fail(STATUS_IO, "%s: cannot be written: %s", path, strerror(reason));
            unlink(temporary);
        }
    }
    memory_free(temporary);
    return status;
}
