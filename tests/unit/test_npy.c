/* Tests of format/npy. */
#include "seisdcn/npy.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "temporary.h"

static char folder[TEMPORARY_PATH], path[TEMPORARY_PATH];

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

/* Writes a .npy file of this version with this dictionary and these items at `path`. */
static void write_npy(int version, const char *dictionary, const void *items, size_t bytes)
{
    unsigned char file[4096];
    size_t length = strlen(dictionary), at = version == 1 ? 10 : 12;
    assert_true(at + length + bytes <= sizeof file);
    memcpy(file, "\x93NUMPY", 6);
    file[6] = (unsigned char)version;
    file[7] = 0;
    file[8] = (unsigned char)length;
    file[9] = (unsigned char)(length >> 8);
    if (version > 1) file[10] = file[11] = 0;
    memcpy(file + at, dictionary, length);
    if (bytes > 0) memcpy(file + at + length, items, bytes);
    assert_int_equal(temporary_write(folder, "a.npy", file, at + length + bytes, path), 0);
}

static void headers_of_all_styles(void **state)
{
    (void)state;
    static const char *const styles[] = {
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }          \n",
        "{'shape':(2,3),'fortran_order':False,'descr':'<f4'}",
        "  { \"fortran_order\" : False , \"shape\" : ( 2L , 3L , ) , \"descr\" : \"f4\" , }\n",
    };
    const float items[6] = {1, 2, 3, 4, 5, 6};
    for (int version = 1; version <= 3; version++)
        for (size_t i = 0; i < sizeof styles / sizeof *styles; i++) {
            NpyHeader header;
            float out[6];
            write_npy(version, styles[i], items, sizeof items);
            assert_int_equal(npy_read_header(path, &header), STATUS_OK);
            assert_int_equal(header.n_dims, 2);
            assert_int_equal(header.dims[0], 2);
            assert_int_equal(header.dims[1], 3);
            assert_int_equal(npy_read_gather(path, &header, 0, false, out, NULL), STATUS_OK);
            assert_memory_equal(out, items, sizeof items);
        }
}

/* One value of each dtype, in both byte orders. */
static void dtypes(void **state)
{
    (void)state;
    static const struct {
        const char *dtype;
        unsigned char little[8];
        int size;
        float value;
    } cases[] = {
        {"f2", {0x00, 0xbe}, 2, -1.5f},
        {"f2", {0x01, 0x00}, 2, 0x1p-24f},
        {"f4", {0x00, 0x00, 0xc0, 0xbf}, 4, -1.5f},
        {"f8", {0, 0, 0, 0, 0, 0, 0xf8, 0xbf}, 8, -1.5f},
        {"i1", {0xfe}, 1, -2},
        {"u1", {0xfe}, 1, 254},
        {"i2", {0xfe, 0xff}, 2, -2},
        {"u2", {0xfe, 0xff}, 2, 65534},
        {"i4", {0xfe, 0xff, 0xff, 0xff}, 4, -2},
        {"u4", {0, 0, 0, 0x80}, 4, 0x1p31f},
        {"i8", {0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, 8, -2},
        {"u8", {0, 0, 0, 0, 0, 0, 0, 0x80}, 8, 0x1p63f},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int big = 0; big < 2; big++) {
            char dictionary[128];
            unsigned char items[8];
            int size = cases[i].size;
            for (int b = 0; b < size; b++) items[b] = cases[i].little[big ? size - 1 - b : b];
            snprintf(dictionary, sizeof dictionary, "{'descr': '%c%s', 'fortran_order': False, 'shape': (1, 1)}",
                     big ? '>' : '<', cases[i].dtype);
            write_npy(1, dictionary, items, (size_t)size);
            NpyHeader header;
            float out;
            assert_int_equal(npy_read_header(path, &header), STATUS_OK);
            assert_int_equal(npy_read_gather(path, &header, 0, false, &out, NULL), STATUS_OK);
            assert_true(out == cases[i].value);
        }
}

static void half_specials(void **state)
{
    (void)state;
    const uint16_t items[4] = {0x7c00, 0xfc00, 0x7e00, 0x8000};
    NpyHeader header;
    float out[4];
    write_npy(1, "{'descr': '<f2', 'fortran_order': False, 'shape': (2, 2)}", items, sizeof items);
    assert_int_equal(npy_read_header(path, &header), STATUS_OK);
    assert_int_equal(npy_read_gather(path, &header, 0, false, out, NULL), STATUS_OK);
    assert_true(isinf(out[0]) && out[0] > 0 && isinf(out[1]) && out[1] < 0 && isnan(out[2]));
    assert_true(out[3] == 0 && signbit(out[3]));
}

/* Value g*100 + t*10 + s, stored with every order of the axes, comes back as [t][s]. */
static void orders_of_the_axes(void **state)
{
    (void)state;
    enum { G = 3, T = 4, S = 5 };
    for (int fortran = 0; fortran < 2; fortran++)
        for (int transpose = 0; transpose < 2; transpose++)
            for (int n_dims = 2; n_dims <= 3; n_dims++) {
                int n_gathers = n_dims == 3 ? G : 1, a = transpose ? S : T, b = transpose ? T : S;
                int16_t items[G * T * S];
                for (int g = 0; g < n_gathers; g++)
                    for (int i = 0; i < a; i++)
                        for (int j = 0; j < b; j++)
                            items[fortran ? g + n_gathers * (i + a * j) : (g * a + i) * b + j] =
                                (int16_t)(g * 100 + (transpose ? j * 10 + i : i * 10 + j));
                char shape[32], dictionary[128];
                if (n_dims == 3)
                    snprintf(shape, sizeof shape, "(%d, %d, %d)", G, a, b);
                else
                    snprintf(shape, sizeof shape, "(%d, %d)", a, b);
                snprintf(dictionary, sizeof dictionary, "{'descr': '<i2', 'fortran_order': %s, 'shape': %s, }",
                         fortran ? "True" : "False", shape);
                write_npy(1, dictionary, items, sizeof(int16_t) * (size_t)(n_gathers * T * S));
                NpyHeader header;
                assert_int_equal(npy_read_header(path, &header), STATUS_OK);
                for (int g = 0; g < n_gathers; g++) {
                    float out[T * S];
                    assert_int_equal(npy_read_gather(path, &header, g, transpose, out, NULL), STATUS_OK);
                    for (int t = 0; t < T; t++)
                        for (int s = 0; s < S; s++) assert_true(out[t * S + s] == (float)(g * 100 + t * 10 + s));
                }
            }
}

static void refuse(const char *dictionary, size_t bytes, const char *word)
{
    static const unsigned char items[256];
    NpyHeader header;
    write_npy(1, dictionary, items, bytes);
    assert_int_equal(npy_read_header(path, &header), STATUS_DATA);
    assert_non_null(strstr(status_message(), "a.npy"));
    if (strstr(status_message(), word) == NULL) fail_msg("'%s' is not in '%s'", word, status_message());
}

static void headers_that_are_refused(void **state)
{
    (void)state;
#define REST "'fortran_order': False, 'shape': (2, 3)}"
    refuse("{'descr': '<c8', " REST, 48, "complex");
    refuse("{'descr': '|b1', " REST, 6, "booleans");
    refuse("{'descr': '|O', " REST, 48, "objects");
    refuse("{'descr': '<U4', " REST, 96, "strings");
    refuse("{'descr': '<M8[s]', " REST, 48, "times");
    refuse("{'descr': '<f16', " REST, 96, "float32");
    refuse("{'descr': [('a', '<f4')], " REST, 24, "records");
    refuse("{'descr': '', " REST, 24, "dtype");
    refuse("{" REST, 24, "descr");
#undef REST
#define FIRST "{'descr': '<f4', 'fortran_order': False, 'shape': "
    refuse(FIRST "(6,)}", 24, "1 dimension");
    refuse(FIRST "()}", 4, "0 dimensions");
    refuse(FIRST "(1, 1, 2, 3)}", 24, "4 dimensions");
    refuse(FIRST "(0, 3)}", 0, "empty");
    refuse(FIRST "(-2, 3)}", 24, "negative");
    refuse(FIRST "(2, 99999999999999999999)}", 24, "64 bits");
    refuse(FIRST "(4611686018427387904, 2, 2)}", 24, "2^63");
    refuse(FIRST "(2, 3)}", 23, "cut short");
    refuse(FIRST "(2, 3)}", 25, "longer");
    refuse(FIRST "(2, 3", 24, "damaged");
    refuse(FIRST "(2 3)}", 24, "damaged");
    refuse(FIRST "2, 3}", 24, "damaged");
    refuse(FIRST "(2, 3)} x", 24, "damaged");
    refuse(FIRST "(2, 3), 'more': 1}", 24, "unknown key");
#undef FIRST
    refuse("{'descr': '<f4', 'fortran_order': 0, 'shape': (2, 3)}", 24, "True or False");
    refuse("{'descr': '<f4', 'fortran_order': False}", 24, "shape");
    refuse("{'descr: 5", 24, "damaged");
    refuse("", 0, "cut short");
    refuse("xxxxxxxxxxxxxxxxxxxxx", 0, "dictionary");
}

static void files_that_are_refused(void **state)
{
    (void)state;
    NpyHeader header;
    assert_int_equal(temporary_write(folder, "b.npy", "no array at all", 15, path), 0);
    assert_int_equal(npy_read_header(path, &header), STATUS_DATA);
    assert_int_equal(temporary_write(folder, "b.npy", "", 0, path), 0);
    assert_int_equal(npy_read_header(path, &header), STATUS_DATA);
    assert_non_null(strstr(status_message(), "is empty"));
    assert_int_equal(temporary_write(folder, "b.npy", "\x93NUMPY\x01", 7, path), 0);
    assert_int_equal(npy_read_header(path, &header), STATUS_DATA);
    assert_int_equal(temporary_write(folder, "b.npy", "\x93NUMPY\x09\x00\x01\x00{}", 12, path), 0);
    assert_int_equal(npy_read_header(path, &header), STATUS_DATA);
    assert_non_null(strstr(status_message(), "version 9"));
    assert_int_equal(temporary_write(folder, "b.npy", "\x93NUMPY\x02\x00\xff\xff\xff\x7f{}", 14, path), 0);
    assert_int_equal(npy_read_header(path, &header), STATUS_DATA);
    assert_int_equal(npy_read_header(folder, &header), STATUS_IO);
    snprintf(path, sizeof path, "%.480s/none.npy", folder);
    assert_int_equal(npy_read_header(path, &header), STATUS_IO);
}

static void written_files_read_back(void **state)
{
    (void)state;
    float items[7 * 11], out[7 * 11];
    for (int i = 0; i < 77; i++) items[i] = (float)i / 3;
    snprintf(path, sizeof path, "%.480s/w.npy", folder);
    assert_int_equal(npy_write(path, 7, 11, items), STATUS_OK);
    NpyHeader header;
    assert_int_equal(npy_read_header(path, &header), STATUS_OK);
    assert_int_equal(header.dims[0], 7);
    assert_int_equal(header.dims[1], 11);
    assert_int_equal(header.data_offset % 64, 0);
    assert_int_equal(npy_read_gather(path, &header, 0, false, out, NULL), STATUS_OK);
    assert_memory_equal(out, items, sizeof items);
    char part[TEMPORARY_PATH + 8];
    snprintf(part, sizeof part, "%s.part", path);
    assert_int_not_equal(access(part, F_OK), 0);
    snprintf(path, sizeof path, "%.480s/none/w.npy", folder);
    assert_int_equal(npy_write(path, 7, 11, items), STATUS_IO);
}

/* A file that shrinks between its header and its gather. */
static void shrinking_file(void **state)
{
    (void)state;
    const float items[6] = {0};
    NpyHeader header;
    float out[6];
    write_npy(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)}", items, sizeof items);
    assert_int_equal(npy_read_header(path, &header), STATUS_OK);
    assert_int_equal(truncate(path, header.data_offset + 20), 0);
    assert_int_equal(npy_read_gather(path, &header, 0, false, out, NULL), STATUS_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_of_all_styles),
        cmocka_unit_test(dtypes),
        cmocka_unit_test(half_specials),
        cmocka_unit_test(orders_of_the_axes),
        cmocka_unit_test(headers_that_are_refused),
        cmocka_unit_test(files_that_are_refused),
        cmocka_unit_test(written_files_read_back),
        cmocka_unit_test(shrinking_file),
    };
    return cmocka_run_group_tests_name("npy", tests, make_folder, remove_folder);
}
