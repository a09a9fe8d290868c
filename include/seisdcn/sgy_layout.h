/* sgy_layout: how a SEG-Y file (rev 0 to 2.1) is laid out, found out from its headers and its length, and checked
 * before anything else is read: byte order, sample format, where the traces begin and end.
 *
 * All traces of a file have the same length, unless only the samples that each trace header tells lead exactly to the
 * file's end. The byte order is told by rev 2's integer constant, else by the one order
 * in which the sample format code is one of the standard's. Refused with STATUS_DATA and the true reason: files shorter
 * than their headers, without a whole number of traces, without traces or samples, sample format 4 and codes that are
 * none, an extended text header without an end, a layout stanza of rev 2.1 that moves fields. */
#ifndef SEISDCN_SGY_LAYOUT_H
#define SEISDCN_SGY_LAYOUT_H

#include "seisdcn/sgy_field.h"
#include "seisdcn/sgy_text.h"
#include "seisdcn/status.h"

#include <stdbool.h>
#include <stdint.h>

enum { SGY_BINARY = 400, SGY_RECORD = 3200 /* of extended text and trailers */ };

/* Bytes of the binary header by the standard's numbers, which count from the file's beginning. */
enum {
    SGY_BIN_LINE = 3205,
    SGY_BIN_FOLD_TRACES = 3213, /* traces an ensemble */
    SGY_BIN_INTERVAL = 3217,
    SGY_BIN_SAMPLES = 3221,
    SGY_BIN_FORMAT = 3225,
    SGY_BIN_FOLD = 3227,
    SGY_BIN_SORTING = 3229,
    SGY_BIN_LONG_SAMPLES = 3269,
    SGY_BIN_LONG_INTERVAL = 3273,
    SGY_BIN_ORDER = 3297,
    SGY_BIN_REVISION = 3501,
    SGY_BIN_FIXED = 3503,
    SGY_BIN_EXTENDED_TEXT = 3505,
    SGY_BIN_EXTRA_HEADERS = 3507,
    SGY_BIN_TRACES = 3513,
    SGY_BIN_FIRST_TRACE = 3521,
    SGY_BIN_TRAILER = 3529
};

typedef enum { SGY_ORDER_FOUND, SGY_ORDER_BIG, SGY_ORDER_LITTLE } SgyOrder;

/* What the user knows better than the file. */
typedef struct {
    SgyOrder order;
    int format;         /* 0: the file's own */
    int64_t samples;    /* a trace; 0: the file's own */
    bool salvage;       /* take the whole traces of a file that is cut short, or padded */
    bool ignore_layout; /* fields stand where the standard has them, whatever a layout stanza of rev 2.1 says */
} SgyForce;

typedef struct {
    bool big; /* byte order */
    int format, item_size;
    int major, minor;    /* revision */
    int sorting;         /* sorting code: 1 as recorded, 2 by CDP, 5 by shot, ...; 0 unknown */
    int32_t line_number; /* bytes 3205-3208; 0: not told */
    int n_extra;         /* headers of a trace behind its first one */
    int64_t n_samples, n_traces;
    int64_t first_trace;                 /* byte of the file where the first trace begins */
    int64_t trace_bytes;                 /* of a trace: its headers and samples */
    int64_t end;                         /* byte behind the last trace; behind what is left out follows the trailer */
    int64_t left_out;                    /* bytes behind the last whole trace, of a salvaged file */
    bool variable;                       /* traces differ in length: n_samples and trace_bytes are the longest's */
    int64_t shortest;                    /* of variable ones: samples of the shortest */
    bool left_zeros;                     /* they are all zero: padding */
    bool fixed;                          /* its header says that all traces have one length */
    int64_t size;                        /* of the file, bytes */
    double interval_us;                  /* 0 where unknown */
    int binary_interval, trace_interval; /* as in the headers, signed */
    bool samples_from_trace;             /* the binary header has none that fit; the first trace's header had */
} SgyLayout;

/* Finds out how path is laid out. Local. STATUS_IO, STATUS_DATA. */
Status sgy_layout_read(const char *path, const SgyForce *force, SgyLayout *layout);

/* What keeps the traces of two files out of one: NULL for nothing, else as "samples a trace (1501 and 1001)" in text
 * (160 bytes). Pure. */
const char *sgy_layout_differs(const SgyLayout *a, const SgyLayout *b, char *text);

/* One line on a file: "big-endian, format 1 (IBM float), rev 1.0, 1501 samples"; text holds 160 bytes. Pure. */
char *sgy_layout_text(const SgyLayout *layout, char *text);

/* A field of the binary header, by the standard's byte, as a signed number of 2, 4 or 8 bytes. Pure. */
int64_t sgy_binary_get(const uint8_t binary[SGY_BINARY], int byte, int width, bool big);

/* Puts a number into the binary header. Pure. */
void sgy_binary_put(uint8_t binary[SGY_BINARY], int byte, int width, bool big, int64_t value);

#endif
