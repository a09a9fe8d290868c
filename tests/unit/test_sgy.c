/* Tests of format/sgy_field, sgy_sample, sgy_text, sgy_layout and sgy_trace. libsegyio's own conversion is the oracle
 * where it is right. */
#include "seisdcn/sgy_field.h"
#include "seisdcn/sgy_layout.h"
#include "seisdcn/sgy_sample.h"
#include "seisdcn/sgy_text.h"
#include "seisdcn/sgy_trace.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#if __has_include(<segyio/segy.h>)
#include <segyio/segy.h>
#endif

#include "temporary.h"

static char folder[TEMPORARY_PATH], path[TEMPORARY_PATH];

/* A text without its zero. */
static void put_text(uint8_t *bytes, const char *text)
{
    while (*text != '\0') *bytes++ = (uint8_t)*text++;
}

/* ---- fields ---- */

static void fields_by_name_and_byte(void **state)
{
    (void)state;
    static const struct {
        const char *text, *name;
        int byte, width;
    } cases[] = {
        {"cdp", "cdp", 21, 4},  {"21", "cdp", 21, 4},         {"189", "inline", 189, 4}, {"193:4", "crossline", 193, 4},
        {"shot", "shot", 9, 4}, {"offset", "offset", 37, 4},  {"29", "trace_id", 29, 2}, {"213", "", 213, 2},
        {"213:4", "", 213, 4},  {"233", "", 233, 4},          {"233:2", "", 233, 2},     {"237", "", 237, 4},
        {"239:2", "", 239, 2},  {"1", "sequence_line", 1, 4},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        SgyField field;
        assert_int_equal(sgy_field_parse(cases[i].text, "--x", &field), STATUS_OK);
        assert_int_equal(field.byte, cases[i].byte);
        assert_int_equal(field.width, cases[i].width);
        assert_string_equal(field.name, cases[i].name);
    }
    static const struct {
        const char *text, *name, *called;
        SgyWord word;
    } floats[] = {
        {"37:float", "offset", "offset (byte 37, float)", SGY_WORD_FLOAT},
        {"offset:ibm", "offset", "offset (byte 37, IBM float)", SGY_WORD_IBM},
        {"233:ibm", "", "byte 233, IBM float", SGY_WORD_IBM},
        {"trace_id:4", "", "byte 29", SGY_WORD_INTEGER},
    };
    for (size_t i = 0; i < sizeof floats / sizeof *floats; i++) {
        SgyField field;
        char called[64];
        assert_int_equal(sgy_field_parse(floats[i].text, "--x", &field), STATUS_OK);
        assert_int_equal(field.width, 4);
        assert_int_equal(field.word, floats[i].word);
        assert_string_equal(field.name, floats[i].name);
        assert_string_equal(sgy_field_text(&field, called), floats[i].called);
    }
    static const char *const bad[] = {
        "37:double", "238:float", "cdq:ibm", ":float", "0",   "241", "238", "240:2",
        "21:3",      "21:",       "-5",      "+",      "cdq", "",    "1e2", "99999999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        SgyField field;
        assert_int_equal(sgy_field_parse(bad[i], "--x", &field), STATUS_USAGE);
        assert_non_null(strstr(status_message(), "--x"));
    }
    assert_int_equal(sgy_field_parse("ofset", "--x", &(SgyField){0}), STATUS_USAGE);
    assert_non_null(strstr(status_message(), "did you mean offset?"));
    status_clear();
    char text[64];
    assert_string_equal(sgy_field_text(&(SgyField){.byte = 21, .width = 4, .name = "cdp"}, text), "cdp (byte 21)");
    assert_string_equal(sgy_field_text(&(SgyField){.byte = 233, .width = 4}, text), "byte 233");
}

static void codes_sort_as_values_do(void **state)
{
    (void)state;
    static const float values[] = {-INFINITY, -1e30f, -300.5f, -1, -1e-30f, 0, 1e-30f, 1, 12.5f, 1e30f, INFINITY};
    for (int big = 0; big < 2; big++)
        for (int ibm = 0; ibm < 2; ibm++) {
            SgyField field = {.byte = 37, .width = 4, .word = ibm ? SGY_WORD_IBM : SGY_WORD_FLOAT};
            int32_t last = INT32_MIN;
            for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
                uint8_t header[SGY_HEADER] = {0};
                if (ibm && isinf(values[i])) continue;
                sgy_encode(ibm ? SGY_IBM : SGY_IEEE, big, &values[i], 1, header + 36);
                int32_t code = sgy_field_code(header, &field, big);
                assert_true(code > last);
                if (!ibm || values[i] == -300.5f) assert_true(sgy_code_value(&field, code) == (double)values[i]);
                last = code;
            }
        }
    assert_int_equal(sgy_float_code(-0.0f), sgy_float_code(0));
    uint8_t header[SGY_HEADER] = {0};
    SgyField whole = sgy_field_named("cdp");
    sgy_field_put(header, &whole, true, -1010);
    assert_int_equal(sgy_field_code(header, &whole, true), -1010);
    assert_true(sgy_code_value(&whole, -1010) == -1010);
}

static void fields_read_what_was_put(void **state)
{
    (void)state;
    static const int32_t values[] = {0, 1, -1, 32767, -32768, 65536, INT32_MAX, INT32_MIN};
    for (int big = 0; big < 2; big++)
        for (int byte = 1; byte <= 237; byte += 59)
            for (size_t i = 0; i < sizeof values / sizeof *values; i++)
                for (int width = 2; width <= 4; width += 2) {
                    if (width == 2 && values[i] != (int16_t)values[i]) continue;
                    uint8_t header[SGY_HEADER];
                    memset(header, 0xaa, sizeof header);
                    SgyField field = {.byte = byte, .width = width};
                    sgy_field_put(header, &field, big, values[i]);
                    assert_int_equal(sgy_field_get(header, &field, big), values[i]);
                    int touched = 0;
                    for (int b = 0; b < SGY_HEADER; b++)
                        touched += header[b] != 0xaa && (b < byte - 1 || b >= byte - 1 + width);
                    assert_int_equal(touched, 0);
                }
    uint8_t header[SGY_HEADER] = {[20] = 0, 0, 0x03, 0xf2};
    SgyField cdp = sgy_field_named("cdp");
    assert_int_equal(sgy_field_get(header, &cdp, true), 1010);
    assert_true(sgy_number((const uint8_t[]){1, 2, 3, 4, 5, 6, 7, 8}, 8, true) == 0x0102030405060708u);
    assert_true(sgy_number((const uint8_t[]){1, 2, 3, 4, 5, 6, 7, 8}, 8, false) == 0x0807060504030201u);
}

/* ---- samples ---- */

static void put_word(uint8_t *raw, uint32_t word, bool big) { sgy_number_put(raw, 4, big, word); }

static float decode_ibm(uint32_t word, SgyOdd *odd)
{
    uint8_t raw[4];
    float value;
    put_word(raw, word, true);
    sgy_decode(SGY_IBM, true, raw, 1, &value, odd);
    return value;
}

/* The IBM float's value by its definition. */
static double ibm_value(uint32_t word)
{
    double magnitude = ldexp((double)(word & 0xffffff), 4 * ((int)(word >> 24 & 0x7f) - 64) - 24);
    return word >> 31 ? -magnitude : magnitude;
}

static void ibm_floats_come_back(void **state)
{
    (void)state;
    int64_t changed = 0, respelt = 0, n = 0;
    for (uint64_t w = 0; w < 1u << 16; w++) {
        uint32_t word = (uint32_t)(w * 0x9e3779b1u); /* all exponents, all first digits */
        if (w < 256) word = (uint32_t)w << 24 | (w & 1 ? 0x100000 : 0xffffff);
        double truth = ibm_value(word), magnitude = fabs(truth);
        SgyOdd odd = {.first = -1};
        float value = decode_ibm(word, &odd);
        uint8_t raw[4], wanted[4];
        assert_int_equal(sgy_encode(SGY_IBM, true, &value, 1, raw), 0);
        put_word(wanted, word, true);
        bool same = memcmp(raw, wanted, 4) == 0;
        assert_int_equal(same, odd.changed + odd.respelt == 0); /* just those that do not come back are counted */
        assert_int_equal(odd.first, same ? -1 : 0);
        if (odd.changed)
            assert_true(magnitude > FLT_MAX ? fabsf(value) == FLT_MAX : magnitude < FLT_MIN);
        else
            assert_true((double)value == truth);
        assert_int_equal(signbit(value) != 0, word >> 31);
        changed += odd.changed;
        respelt += odd.respelt;
        n++;
    }
    /* 66 of the 128 exponents lie within float32; a sixteenth of the rest is not normalised */
    assert_in_range(changed, n * 35 / 100, n * 60 / 100);
    assert_in_range(respelt, n * 2 / 100, n * 5 / 100);
}

static void ibm_floats_of_note(void **state)
{
    (void)state;
    static const struct {
        uint32_t word;
        float value;
        int changed, respelt;
    } cases[] = {
        {0xc276a000, -118.625f, 0, 0},       {0x41100000, 1, 0, 0},        {0x00000000, 0, 0, 0},
        {0x80000000, -0.0f, 0, 0},           {0x40000001, 0x1p-24f, 0, 1}, {0x40000000, 0, 0, 1},
        {0x60ffffff, 0x1.fffffep127f, 0, 0}, {0x61100000, FLT_MAX, 1, 0},  {0xffffffff, -FLT_MAX, 1, 0},
        {0x21100000, 0x1p-128f, 0, 0},       {0x00100000, 0, 1, 0},        {0x461fffff, 0x1.fffffp20f, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        SgyOdd odd = {.first = -1};
        float value = decode_ibm(cases[i].word, &odd);
        assert_true(value == cases[i].value && signbit(value) == signbit(cases[i].value));
        assert_int_equal(odd.changed, cases[i].changed);
        assert_int_equal(odd.respelt, cases[i].respelt);
    }
}

/* float32 to IBM: the nearest of its floats. */
static void floats_become_the_nearest_ibm_float(void **state)
{
    (void)state;
    for (uint64_t w = 1; w < 1u << 16; w++) {
        uint32_t bits = (uint32_t)(w * 0x9e3779b1u), word;
        float value, back;
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value) || value == 0) continue;
        uint8_t raw[4];
        sgy_encode(SGY_IBM, false, &value, 1, raw);
        word = (uint32_t)sgy_number(raw, 4, false);
        assert_true((word & 0xf00000) != 0); /* normalised */
        double step = ldexp(1, 4 * ((int)(word >> 24 & 0x7f) - 64) - 24), error = fabs(ibm_value(word) - (double)value);
        assert_true(error <= step / 2);
        SgyOdd odd = {.first = -1};
        sgy_decode(SGY_IBM, false, raw, 1, &back, &odd);
        assert_true(fabs((double)back - (double)value) <= step / 2 || fabsf(value) < FLT_MIN);
    }
    /* rounding up into the next power of 16 */
    float value = nextafterf(16, 0);
    uint8_t raw[4];
    sgy_encode(SGY_IBM, true, &value, 1, raw);
    assert_memory_equal(raw, ((const uint8_t[]){0x41, 0xff, 0xff, 0xff}), 4);
    value = nextafterf(1 / 16.f, 1); /* 2^-27 above: to even */
    sgy_encode(SGY_IBM, true, &value, 1, raw);
    assert_memory_equal(raw, ((const uint8_t[]){0x40, 0x10, 0x00, 0x00}), 4);
    value = nextafterf(1, 0); /* 24 bits, all ones: they fit */
    sgy_encode(SGY_IBM, true, &value, 1, raw);
    assert_memory_equal(raw, ((const uint8_t[]){0x40, 0xff, 0xff, 0xff}), 4);
}

static void integers_and_ieee(void **state)
{
    (void)state;
    static const int32_t wholes[] = {0, 1, -1, 127, -128, 32767, -32768, 1 << 24, (1 << 24) + 1, INT32_MAX, INT32_MIN};
    static const int formats[] = {SGY_INT32, SGY_INT16, SGY_INT8};
    for (int big = 0; big < 2; big++)
        for (size_t f = 0; f < 3; f++) {
            int size = sgy_item_size(formats[f]);
            for (size_t i = 0; i < sizeof wholes / sizeof *wholes; i++) {
                uint8_t raw[4], back[4];
                float value;
                SgyOdd odd = {.first = -1};
                sgy_number_put(raw, size, big, (uint64_t)wholes[i]);
                int32_t item = size == 4 ? wholes[i] : size == 2 ? (int16_t)wholes[i] : (int8_t)wholes[i];
                sgy_decode(formats[f], big, raw, 1, &value, &odd);
                assert_true(value == (float)item);
                assert_int_equal(odd.changed, (int64_t)value != item);
                int64_t beyond = sgy_encode(formats[f], big, &value, 1, back);
                assert_int_equal(beyond, item == INT32_MAX && size == 4);
                if (odd.changed == 0) assert_memory_equal(raw, back, (size_t)size);
            }
        }
    static const float reals[] = {1.5f, -2.5f, 126.5f, 127.5f, -128.5f, -200, 3e9f};
    static const int8_t rounded[] = {2, -2, 126, 127, -128, -128, 127};
    uint8_t raw[sizeof reals];
    assert_int_equal(sgy_encode(SGY_INT8, true, reals, 7, raw), 3);
    assert_memory_equal(raw, rounded, 7);
    float back[7];
    SgyOdd odd = {.first = -1};
    for (int big = 0; big < 2; big++) {
        sgy_encode(SGY_IEEE, big, reals, 7, raw);
        assert_int_equal(sgy_number(raw, 4, big), 0x3fc00000);
        sgy_decode(SGY_IEEE, big, raw, 7, back, &odd);
        assert_memory_equal(back, reals, sizeof reals);
    }
    assert_int_equal(odd.first, -1);
}

/* Every integer format at its ends, and doubles: what float32 holds comes back as the same bytes. */
static void wide_and_unsigned(void **state)
{
    (void)state;
    static const struct {
        int format;
        float low, high; /* the nearest floats to the ends */
        float beyond;    /* the first above */
    } wholes[] = {{SGY_INT24, -0x1p23f, 0x1.fffffcp22f, 0x1p23f},
                  {SGY_UINT24, 0, 0x1.fffffep23f, 0x1p24f},
                  {SGY_INT64, -0x1p63f, 0x1.fffffep62f, 0x1p63f},
                  {SGY_UINT64, 0, 0x1.fffffep63f, 0x1p64f},
                  {SGY_UINT32, 0, 0x1.fffffep31f, 0x1p32f},
                  {SGY_UINT16, 0, 65535, 65536},
                  {SGY_UINT8, 0, 255, 256},
                  {SGY_INT16, -32768, 32767, 32768}};
    for (int big = 0; big < 2; big++)
        for (size_t f = 0; f < sizeof wholes / sizeof *wholes; f++) {
            const float values[] = {wholes[f].low, wholes[f].high, 0, 1, 100, 2.5f, wholes[f].beyond, -0x1p70f};
            float back[8];
            uint8_t raw[64], again[64];
            SgyOdd odd = {.first = -1};
            assert_int_equal(sgy_encode(wholes[f].format, big, values, 8, raw), 2);
            sgy_decode(wholes[f].format, big, raw, 8, back, &odd);
            for (int i = 0; i < 5; i++) assert_true(back[i] == values[i]);
            assert_true(back[5] == 2 && back[7] == wholes[f].low);
            /* the largest integer of four and eight bytes is no float32 */
            assert_int_equal(odd.changed, sgy_item_size(wholes[f].format) >= 4);
            sgy_encode(wholes[f].format, big, back, 6, again);
            assert_memory_equal(raw, again, 6 * (size_t)sgy_item_size(wholes[f].format));
        }
    static const double doubles[] = {1.5, -0.1, 1e300, -INFINITY, 1e-300, 0x1p-126, 0};
    uint8_t raw[8 * 7];
    float back[7];
    for (int big = 0; big < 2; big++) {
        SgyOdd odd = {.first = -1};
        for (int i = 0; i < 7; i++) {
            uint64_t bits;
            memcpy(&bits, &doubles[i], sizeof bits);
            sgy_number_put(raw + 8 * i, 8, big, bits);
        }
        sgy_decode(SGY_DOUBLE, big, raw, 7, back, &odd);
        assert_true(back[0] == 1.5f && back[1] == -0.1f && back[2] == FLT_MAX && isinf(back[3]) && back[4] == 0);
        assert_int_equal(odd.changed, 3);
        assert_int_equal(odd.beyond, 1);
        assert_int_equal(odd.vanished, 1);
        assert_int_equal(odd.first, 1);
        uint8_t again[8];
        sgy_encode(SGY_DOUBLE, big, back, 1, again);
        assert_memory_equal(again, raw, 8);
    }
    for (int format = 0; format < 17; format++)
        assert_int_equal(sgy_item_size(format) > 0, sgy_format_name(format) != NULL && format != 4);
}

#if __has_include(<segyio/segy.h>)
/* Where libsegyio converts IBM floats right, both agree; where it does not, this shows why it is not called. */
static void libsegyio_agrees_on_common_floats(void **state)
{
    (void)state;
    for (uint64_t w = 0; w < 1u << 16; w++) {
        uint32_t word = (uint32_t)(w * 0x9e3779b1u), exponent = word >> 24 & 0x7f;
        if (exponent < 0x22 || exponent > 0x60 || (word & 0xf00000) == 0) continue;
        uint8_t raw[4];
        float theirs;
        SgyOdd odd = {.first = -1};
        put_word(raw, word, true);
        memcpy(&theirs, raw, 4);
        assert_int_equal(segy_to_native(SEGY_IBM_FLOAT_4_BYTE, 1, &theirs), SEGY_OK);
        assert_true(decode_ibm(word, &odd) == theirs);
    }
}
#endif

/* ---- texts ---- */

static void text_lines(void **state)
{
    (void)state;
    uint8_t text[SGY_TEXT], before[SGY_TEXT];
    static const char *const words[] = {"first", "second"};
    char ascii[SGY_TEXT + 1];
    sgy_text_new(text, words, 2);
    assert_true(sgy_text_is_ebcdic(text, sizeof text));
    sgy_text_read(text, sizeof text, ascii);
    assert_memory_equal(ascii, "C 1 first ", 10);
    assert_memory_equal(ascii + 39 * SGY_LINE, "C40 END TEXTUAL HEADER ", 23);
    memcpy(before, text, sizeof text);
    assert_int_equal(sgy_text_stamp(text, "made by ~{a test}"), 38); /* the last free one */
    for (size_t i = 0; i < sizeof text; i++)
        if (i / SGY_LINE != 37) assert_int_equal(text[i], before[i]);
    sgy_text_read(text, sizeof text, ascii);
    assert_memory_equal(ascii + 37 * SGY_LINE, "C38 made by ~{a test} ", 22);
    assert_int_equal(sgy_text_stamp(text, "again"), 37);
    /* none free: the last */
    memset(text, 0xc1, sizeof text);
    char longest[100];
    memset(longest, 'x', sizeof longest);
    longest[99] = '\0';
    assert_int_equal(sgy_text_stamp(text, longest), 40);
    assert_int_equal(text[sizeof text - 1], 0xa7);
    assert_int_equal(text[sizeof text - SGY_LINE - 1], 0xc1);
    /* ASCII, with zeros for blanks */
    memset(text, 0, sizeof text);
    for (int i = 0; i < SGY_LINES; i++) memcpy(text + i * SGY_LINE, i < 30 ? "C some words" : "C", i < 30 ? 12 : 1);
    assert_false(sgy_text_is_ebcdic(text, sizeof text));
    assert_int_equal(sgy_text_stamp(text, "words"), 40);
    assert_memory_equal(text + 39 * SGY_LINE, "C40 words ", 10);
}

static void stanzas(void **state)
{
    (void)state;
    static const char *const ends[] = {"((SEG: EndText))", "((SEG:EndText))", "(( seg : ENDTEXT ))  "};
    static const char *const others[] = {"((SEG: Layout))", "((SEG: EndTex", "SEG: EndText", ""};
    uint8_t record[SGY_STANZA];
    for (size_t i = 0; i < 7; i++) {
        memset(record, ' ', sizeof record);
        put_text(record, i < 3 ? ends[i] : others[i - 3]);
        assert_int_equal(sgy_text_ends(record), i < 3);
        assert_int_equal(sgy_text_begins_stanza(record), i < 5);
    }
}

/* ---- layouts ---- */

enum { N_TRACES = 3, N_SAMPLES = 7 };

/* A SEG-Y file of nothing but what its layout needs; changes go into binary (400 bytes) before it is written. */
typedef struct {
    bool big;
    int format, samples, records, extra, trailer;
    uint8_t binary[SGY_BINARY];
} Maker;

static Maker maker_new(bool big, int format)
{
    Maker maker = {.big = big, .format = format, .samples = N_SAMPLES};
    sgy_binary_put(maker.binary, SGY_BIN_INTERVAL, 2, big, 4000);
    sgy_binary_put(maker.binary, SGY_BIN_SAMPLES, 2, big, N_SAMPLES);
    sgy_binary_put(maker.binary, SGY_BIN_FORMAT, 2, big, format);
    return maker;
}

static void write_file(const Maker *maker, int64_t cut, const char *first_record)
{
    static uint8_t bytes[1 << 18];
    memset(bytes, 0, sizeof bytes);
    memset(bytes, 0x40, SGY_TEXT);
    memcpy(bytes + SGY_TEXT, maker->binary, SGY_BINARY);
    size_t at = SGY_TEXT + SGY_BINARY + (size_t)maker->records * SGY_RECORD;
    if (first_record != NULL) put_text(bytes + SGY_TEXT + SGY_BINARY, first_record);
    int item = sgy_item_size(maker->format) == 0 ? 4 : sgy_item_size(maker->format);
    for (int t = 0; t < N_TRACES; t++) {
        sgy_number_put(bytes + at + 114, 2, maker->big, (uint64_t)maker->samples);
        sgy_number_put(bytes + at + 20, 4, maker->big, (uint64_t)t + 100);
        bytes[at + (size_t)(SGY_HEADER * (1 + maker->extra))] = (uint8_t)(t + 1);
        at += (size_t)(SGY_HEADER * (1 + maker->extra) + maker->samples * item);
    }
    put_text(bytes + at, "((SEG: trailer))");
    at += (size_t)maker->trailer * SGY_RECORD;
    assert_true((int64_t)at + cut <= (int64_t)sizeof bytes);
    assert_int_equal(temporary_write(folder, "a.sgy", bytes, (size_t)((int64_t)at + cut), path), 0);
}

static SgyLayout good_layout(const Maker *maker, const SgyForce *force, const char *first_record)
{
    SgyLayout layout;
    write_file(maker, 0, first_record);
    if (sgy_layout_read(path, force, &layout) != STATUS_OK) fail_msg("%s", status_message());
    assert_int_equal(layout.n_traces, N_TRACES);
    assert_int_equal(layout.n_samples, maker->samples);
    assert_int_equal(layout.big, maker->big);
    assert_int_equal(layout.n_extra, maker->extra);
    assert_int_equal(layout.first_trace, SGY_TEXT + SGY_BINARY + maker->records * SGY_RECORD);
    assert_int_equal(layout.size - layout.end, maker->trailer * SGY_RECORD);
    if (!sgy_trace_serves()) return layout;
    SgyTraces traces;
    uint8_t headers[SGY_HEADER * 4], samples[8 * N_SAMPLES + 8];
    assert_int_equal(sgy_trace_open(path, &layout, &traces), STATUS_OK);
    SgyField cdp = sgy_field_named("cdp");
    int64_t n;
    for (int t = 0; t < N_TRACES; t++) {
        assert_int_equal(sgy_trace_header(&traces, t, headers), STATUS_OK);
        assert_int_equal(sgy_field_get(headers, &cdp, layout.big), t + 100);
        assert_int_equal(sgy_trace_read(&traces, t, headers, samples, &n), STATUS_OK);
        assert_int_equal(sgy_field_get(headers, &cdp, layout.big), t + 100);
        assert_int_equal(samples[0], t + 1);
    }
    assert_int_equal(sgy_trace_header(&traces, N_TRACES + 100, headers), STATUS_IO);
    sgy_trace_close(&traces);
    status_clear();
    return layout;
}

static void refused(const Maker *maker, const SgyForce *force, int64_t cut, const char *words)
{
    SgyLayout layout;
    write_file(maker, cut, NULL);
    if (sgy_layout_read(path, force, &layout) != STATUS_DATA) fail_msg("not refused with '%s'", words);
    if (strstr(status_message(), words) == NULL) fail_msg("'%s' is not in: %s", words, status_message());
    status_clear();
}

static const SgyForce unforced;

static void layouts_of_all_formats(void **state)
{
    (void)state;
    static const int formats[] = {1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 15, 16};
    for (int big = 0; big < 2; big++)
        for (size_t f = 0; f < sizeof formats / sizeof *formats; f++) {
            Maker maker = maker_new(big, formats[f]);
            SgyLayout layout = good_layout(&maker, &unforced, NULL);
            assert_int_equal(layout.format, formats[f]);
            assert_true(layout.interval_us == 4000);
            maker.records = 2;
            sgy_binary_put(maker.binary, SGY_BIN_EXTENDED_TEXT, 2, big, 2);
            good_layout(&maker, &unforced, NULL);
            sgy_binary_put(maker.binary, SGY_BIN_EXTENDED_TEXT, 2, big, -1);
            maker.records = 1;
            good_layout(&maker, &unforced, "((SEG: EndText))");
        }
}

static void layouts_of_rev_2(void **state)
{
    (void)state;
    for (int big = 0; big < 2; big++)
        for (int minor = 0; minor < 2; minor++) {
            Maker maker = maker_new(big, 1);
            maker.binary[SGY_BIN_REVISION - 1 - SGY_TEXT] = 2;
            maker.binary[SGY_BIN_REVISION - SGY_TEXT] = (uint8_t)minor;
            sgy_binary_put(maker.binary, SGY_BIN_ORDER, 4, big, 0x01020304);
            good_layout(&maker, &unforced, NULL);
            maker.extra = 2;
            /* four bytes in rev 2.0, two in 2.1; each is also taken for the other */
            sgy_binary_put(maker.binary, SGY_BIN_EXTRA_HEADERS, minor == 0 ? 2 : 4, big, 2);
            good_layout(&maker, &unforced, NULL);
            sgy_binary_put(maker.binary, SGY_BIN_EXTRA_HEADERS, 4, big, 0);
            sgy_binary_put(maker.binary, SGY_BIN_EXTRA_HEADERS, minor == 0 ? 4 : 2, big, 2);
            SgyLayout layout = good_layout(&maker, &unforced, NULL);
            assert_int_equal(layout.major, 2);
            sgy_binary_put(maker.binary, SGY_BIN_SAMPLES, 2, big, 99); /* the long number rules */
            sgy_binary_put(maker.binary, SGY_BIN_LONG_SAMPLES, 4, big, N_SAMPLES);
            maker.trailer = 3;
            sgy_binary_put(maker.binary, SGY_BIN_TRAILER, 4, big, 3);
            good_layout(&maker, &unforced, NULL);
            sgy_binary_put(maker.binary, SGY_BIN_TRAILER, 4, big, -1);
            good_layout(&maker, &unforced, NULL);
            sgy_binary_put(maker.binary, SGY_BIN_TRACES, 8, big, N_TRACES);
            maker.records = 1;
            sgy_binary_put(maker.binary, SGY_BIN_FIRST_TRACE, 8, big, SGY_TEXT + SGY_BINARY + SGY_RECORD);
            good_layout(&maker, &unforced, NULL);
            uint64_t bits;
            double fine = 31.25;
            memcpy(&bits, &fine, sizeof bits);
            sgy_binary_put(maker.binary, SGY_BIN_LONG_INTERVAL, 8, big, (int64_t)bits);
            assert_true(good_layout(&maker, &unforced, NULL).interval_us == 31.25);
            sgy_binary_put(maker.binary, SGY_BIN_TRAILER, 4, big, 0);
            maker.trailer = 0;
            sgy_binary_put(maker.binary, SGY_BIN_TRACES, 8, big, N_TRACES + 1);
            refused(&maker, &unforced, 0, "is cut short: its headers tell of 4 traces, and it has 3");
        }
}

static void layouts_that_the_user_knows_better(void **state)
{
    (void)state;
    for (int big = 0; big < 2; big++) {
        Maker maker = maker_new(big, 5);
        sgy_binary_put(maker.binary, SGY_BIN_FORMAT, 2, big, 0);
        refused(&maker, &unforced, 0, "--endian and --format force them");
        good_layout(&maker, &(SgyForce){.format = 5}, NULL); /* its length tells the order */
        good_layout(&maker, &(SgyForce){.format = 5, .order = big ? SGY_ORDER_BIG : SGY_ORDER_LITTLE}, NULL);
        refused(&maker, &(SgyForce){.format = 3}, 0, "in neither byte order");
        refused(&maker, &(SgyForce){.order = SGY_ORDER_BIG}, 0, "is 0, which SEG-Y does not have");
    }
    /* what rev 0 leaves free may hold anything */
    Maker maker = maker_new(true, 1);
    sgy_binary_put(maker.binary, SGY_BIN_EXTENDED_TEXT, 2, true, 0x2020);
    good_layout(&maker, &unforced, NULL);
    /* the first trace's header knows the samples */
    maker = maker_new(true, 1);
    sgy_binary_put(maker.binary, SGY_BIN_SAMPLES, 2, true, 0);
    assert_true(good_layout(&maker, &unforced, NULL).samples_from_trace);
    sgy_binary_put(maker.binary, SGY_BIN_SAMPLES, 2, true, 1000);
    assert_true(good_layout(&maker, &unforced, NULL).samples_from_trace);
}

static void broken_files(void **state)
{
    (void)state;
    static const struct {
        int format;
        const char *words;
    } formats[] = {
        {4, "format 4 (fixed point with gain)"}, {17, "is 17, or 4352 read as little-endian"}, {-1, "is -1, or -1"}};
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        Maker maker = maker_new(true, formats[i].format);
        refused(&maker, &unforced, 0, formats[i].words);
    }
    Maker maker = maker_new(true, 1);
    refused(&maker, &unforced, -1, "is cut short");
    refused(&maker, &unforced, -N_SAMPLES * 4 - 1, "2 traces of 268 bytes");
    refused(&maker, &unforced, 5, "and 5 bytes more");
    refused(&maker, &unforced, -N_TRACES * 268, "holds no trace");
    refused(&maker, &unforced, -N_TRACES * 268 + 100, "is cut short");
    refused(&maker, &unforced, -N_TRACES * 268 - 1, "the headers of a SEG-Y file alone have 3600");
    sgy_binary_put(maker.binary, SGY_BIN_SAMPLES, 2, true, 0);
    maker.samples = 0;
    refused(&maker, &unforced, 0, "how many samples");
    maker = maker_new(true, 1);
    maker.binary[SGY_BIN_REVISION - 1 - SGY_TEXT] = 1;
    sgy_binary_put(maker.binary, SGY_BIN_EXTENDED_TEXT, 2, true, 200);
    refused(&maker, &unforced, 0, "the first one begins at byte 643600");
    sgy_binary_put(maker.binary, SGY_BIN_EXTENDED_TEXT, 2, true, -7);
    refused(&maker, &unforced, 0, "-7 extended text headers");
    sgy_binary_put(maker.binary, SGY_BIN_EXTENDED_TEXT, 2, true, -1);
    refused(&maker, &unforced, 0, "EndText");
    maker = maker_new(true, 1);
    sgy_binary_put(maker.binary, SGY_BIN_ORDER, 4, true, 0x02010403);
    refused(&maker, &unforced, 0, "exchanged in pairs");
    maker = maker_new(true, 1);
    maker.binary[SGY_BIN_REVISION - 1 - SGY_TEXT] = 2;
    sgy_binary_put(maker.binary, SGY_BIN_LONG_SAMPLES, 4, true, INT32_MAX);
    refused(&maker, &unforced, -1, "up to 2 GiB");
    sgy_binary_put(maker.binary, SGY_BIN_LONG_SAMPLES, 4, true, 0);
    sgy_binary_put(maker.binary, SGY_BIN_TRAILER, 4, true, -1);
    refused(&maker, &unforced, 0, "no trailer is found");
    sgy_binary_put(maker.binary, SGY_BIN_TRAILER, 4, true, 77);
    refused(&maker, &unforced, 0, "77 records of trailer");
    SgyLayout layout;
    assert_int_equal(sgy_layout_read(folder, &unforced, &layout), STATUS_IO);
    snprintf(path, sizeof path, "%.400s/none.sgy", folder);
    assert_int_equal(sgy_layout_read(path, &unforced, &layout), STATUS_IO);
    status_clear();
}

/* Traces beyond 4 GiB: the file has holes, so it takes no room. */
static void files_beyond_4_gib(void **state)
{
    (void)state;
    if (!sgy_trace_serves()) skip();
    enum { MANY = 700000, LONG = 2000 };
    Maker maker = maker_new(true, 1);
    sgy_binary_put(maker.binary, SGY_BIN_SAMPLES, 2, true, LONG);
    uint8_t head[SGY_TEXT + SGY_BINARY] = {0}, last[SGY_HEADER + 4] = {[20] = 0, 0, 0x03, 0xf2, [240] = 0x41, 0x10};
    memcpy(head + SGY_TEXT, maker.binary, SGY_BINARY);
    assert_int_equal(temporary_write(folder, "large.sgy", head, sizeof head, path), 0);
    off_t trace_bytes = SGY_HEADER + LONG * 4, size = (off_t)sizeof head + MANY * trace_bytes;
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseeko(file, size - trace_bytes, SEEK_SET), 0);
    assert_int_equal(fwrite(last, 1, sizeof last, file), sizeof last);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(truncate(path, size), 0);
    SgyLayout layout;
    SgyTraces traces;
    int64_t n;
    static uint8_t headers[SGY_HEADER], samples[LONG * 4];
    assert_int_equal(sgy_layout_read(path, &unforced, &layout), STATUS_OK);
    assert_int_equal(layout.n_traces, MANY);
    assert_int_equal(sgy_trace_open(path, &layout, &traces), STATUS_OK);
    assert_int_equal(sgy_trace_read(&traces, MANY - 1, headers, samples, &n), STATUS_OK);
    assert_memory_equal(headers, last, SGY_HEADER);
    assert_int_equal(samples[0], 0x41);
    assert_int_equal(samples[1], 0x10);
    sgy_trace_close(&traces);
}

/* A terabyte of holes that is to be searched for the end of the extended text: the search gives up. */
static void extended_text_without_end(void **state)
{
    (void)state;
    static uint8_t headers[SGY_TEXT + SGY_BINARY];
    uint8_t *binary = headers + SGY_TEXT;
    memset(headers, 0x40, SGY_TEXT);
    sgy_binary_put(binary, SGY_BIN_SAMPLES, 2, true, 100);
    sgy_binary_put(binary, SGY_BIN_FORMAT, 2, true, 5);
    sgy_binary_put(binary, SGY_BIN_REVISION, 2, true, 0x100);
    sgy_binary_put(binary, SGY_BIN_EXTENDED_TEXT, 2, true, -1);
    assert_int_equal(temporary_write(folder, "endless.sgy", headers, sizeof headers, path), 0);
    if (truncate(path, (off_t)1 << 40) != 0) skip(); /* a file system of small files */
    const SgyForce force = {0};
    SgyLayout layout;
    assert_int_equal(sgy_layout_read(path, &force, &layout), STATUS_DATA);
    assert_non_null(strstr(status_message(), "its extended text header has no end"));
}

static int make_folder(void **state)
{
    (void)state;
    temporary_make(folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    temporary_remove(folder);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_by_name_and_byte),
        cmocka_unit_test(fields_read_what_was_put),
        cmocka_unit_test(codes_sort_as_values_do),
        cmocka_unit_test(ibm_floats_come_back),
        cmocka_unit_test(ibm_floats_of_note),
        cmocka_unit_test(floats_become_the_nearest_ibm_float),
        cmocka_unit_test(integers_and_ieee),
        cmocka_unit_test(wide_and_unsigned),
#if __has_include(<segyio/segy.h>)
        cmocka_unit_test(libsegyio_agrees_on_common_floats),
#endif
        cmocka_unit_test(text_lines),
        cmocka_unit_test(stanzas),
        cmocka_unit_test(layouts_of_all_formats),
        cmocka_unit_test(layouts_of_rev_2),
        cmocka_unit_test(layouts_that_the_user_knows_better),
        cmocka_unit_test(broken_files),
        cmocka_unit_test(files_beyond_4_gib),
        cmocka_unit_test(extended_text_without_end),
    };
    return cmocka_run_group_tests_name("sgy", tests, make_folder, remove_folder);
}
