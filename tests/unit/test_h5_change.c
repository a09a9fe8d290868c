/* Tests of parallel/h5_change: what a file holds besides stays as it is, byte by byte, until the change is whole; then
 * all of it is there, with what was added and without what was left out. */
#include "seisdcn/files.h"
#include "seisdcn/h5_change.h"
#include "seisdcn/memory.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "temporary.h"

enum { ROWS = 100, COLUMNS = 300, SMALL = 5, LINKS = 80, GROUP_ATTRIBUTES = 12 };

static char folder[TEMPORARY_PATH], path[2 * TEMPORARY_PATH];
static const char *const groups[] = {"/extra", "/more", NULL}, *const nothing[] = {NULL};

static float value_of(int64_t i, int which) { return (float)(i * 7 % 1001 + 1000 * which); }

static Status write_floats(const H5File *file, const char *name, int64_t rows, int which)
{
    static float values[ROWS * COLUMNS];
    for (int64_t i = 0; i < rows * COLUMNS; i++) values[i] = value_of(i, which);
    return h5_write_new(file, name, H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, 2, (int64_t[]){rows, COLUMNS}, values);
}

static void check_floats(const H5File *file, const char *name, int64_t rows, int which)
{
    static float values[ROWS * COLUMNS];
    assert_int_equal(h5_read_all(file, name, H5T_NATIVE_FLOAT, rows * COLUMNS, values), STATUS_OK);
    for (int64_t i = 0; i < rows * COLUMNS; i++) assert_true(values[i] == value_of(i, which));
}

/* Attributes that the h5 module does not write: an array, texts, and a named type's. */
static void put_odd_attributes(hid_t owner)
{
    hsize_t three = 3;
    hid_t space = H5Screate_simple(1, &three, NULL), text = H5Tcopy(H5T_C_S1), named = H5Tcopy(H5T_STD_I16BE);
    H5Tset_size(text, H5T_VARIABLE);
    const char *texts[] = {"one", "", "a text that is a little longer than the others"};
    short numbers[] = {1, -2, 300};
    hid_t attribute = H5Acreate2(owner, "texts", text, space, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(H5Awrite(attribute, text, texts) >= 0 && H5Aclose(attribute) >= 0);
    assert_true(H5Tcommit2(owner, "a_type", named, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT) >= 0);
    attribute = H5Acreate2(owner, "numbers", named, space, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(H5Awrite(attribute, H5T_NATIVE_SHORT, numbers) >= 0 && H5Aclose(attribute) >= 0);
    H5Tclose(text);
    H5Tclose(named);
    H5Sclose(space);
}

static void check_odd_attributes(hid_t file, const char *owner)
{
    hid_t attribute = H5Aopen_by_name(file, owner, "texts", H5P_DEFAULT, H5P_DEFAULT);
    hid_t text = H5Aget_type(attribute), space = H5Aget_space(attribute);
    char *texts[3] = {NULL};
    short numbers[3] = {0};
    assert_true(H5Aread(attribute, text, texts) >= 0);
    assert_string_equal(texts[0], "one");
    assert_string_equal(texts[2], "a text that is a little longer than the others");
    H5Dvlen_reclaim(text, space, H5P_DEFAULT, texts);
    H5Aclose(attribute);
    H5Tclose(text);
    H5Sclose(space);
    attribute = H5Aopen_by_name(file, owner, "numbers", H5P_DEFAULT, H5P_DEFAULT);
    assert_true(H5Aread(attribute, H5T_NATIVE_SHORT, numbers) >= 0 && H5Aclose(attribute) >= 0);
    assert_true(numbers[0] == 1 && numbers[1] == -2 && numbers[2] == 300);
}

/* A file with much in it; "/extra" is there already, with two datasets, and "/more" is not. */
static void make_file(bool with_group)
{
    H5File file;
    char name[64];
    assert_int_equal(h5_create(path, &file), STATUS_OK);
    assert_int_equal(h5_put_text(&file, "/", "title", "what it is called"), STATUS_OK);
    assert_int_equal(h5_put_uint(&file, "/", "number", 1234567890123456789u), STATUS_OK);
    assert_int_equal(write_floats(&file, "/large", ROWS, 1), STATUS_OK);
    assert_int_equal(write_floats(&file, "/small", SMALL, 2), STATUS_OK);
    put_odd_attributes(file.id);
    for (int i = 0; i < LINKS; i++) {
        snprintf(name, sizeof name, "/link %d", i);
        assert_true(H5Lcreate_soft("/large", file.id, name, H5P_DEFAULT, H5P_DEFAULT) >= 0);
    }
    assert_true(H5Lcreate_external("elsewhere.h5", "/x", file.id, "outside", H5P_DEFAULT, H5P_DEFAULT) >= 0);
    assert_true(H5Lcreate_hard(file.id, "/small", file.id, "/second name", H5P_DEFAULT, H5P_DEFAULT) >= 0);
    hsize_t extent[] = {ROWS, COLUMNS}, chunk[] = {10, 30};
    hid_t space = H5Screate_simple(2, extent, NULL), creation = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(creation, 2, chunk);
    hid_t set = H5Dcreate2(file.id, "/chunks", H5T_IEEE_F32LE, space, H5P_DEFAULT, creation, H5P_DEFAULT);
    assert_true(set >= 0 && H5Dclose(set) >= 0 && H5Sclose(space) >= 0 && H5Pclose(creation) >= 0);
    if (with_group) {
        assert_int_equal(h5_create_group(&file, "/extra"), STATUS_OK);
        for (int i = 0; i < GROUP_ATTRIBUTES; i++) {
            snprintf(name, sizeof name, "number %d", i);
            assert_int_equal(h5_put_int(&file, "/extra", name, i), STATUS_OK);
        }
        assert_int_equal(write_floats(&file, "/extra/old", ROWS, 3), STATUS_OK);
        assert_int_equal(write_floats(&file, "/extra/replaced", ROWS, 4), STATUS_OK);
        assert_int_equal(h5_put_text(&file, "/extra/old", "unit", "m"), STATUS_OK);
    }
    assert_int_equal(h5_close(&file), STATUS_OK);
}

static void check_file(bool with_group, bool changed)
{
    H5File file;
    char name[64], text[64];
    uint64_t number;
    assert_int_equal(h5_open(path, false, &file), STATUS_OK);
    assert_int_equal(h5_get_text(&file, "/", "title", text, sizeof text), STATUS_OK);
    assert_string_equal(text, changed ? "another title, which is longer than the one before" : "what it is called");
    assert_int_equal(h5_get_uint(&file, "/", "number", &number), STATUS_OK);
    assert_true(number == 1234567890123456789u);
    check_floats(&file, "/large", ROWS, 1);
    check_floats(&file, "/second name", SMALL, 2);
    check_odd_attributes(file.id, "/");
    for (int i = 0; i < LINKS; i++) {
        snprintf(name, sizeof name, "/link %d", i);
        check_floats(&file, name, ROWS, 1);
    }
    assert_true(h5_exists(&file, "/outside") && h5_exists(&file, "/chunks"));
    if (with_group) {
        int64_t last;
        check_floats(&file, "/extra/old", ROWS, 3);
        assert_int_equal(h5_get_int(&file, "/extra", "number 11", &last), STATUS_OK);
        assert_int_equal(last, GROUP_ATTRIBUTES - 1);
        assert_int_equal(h5_get_text(&file, "/extra/old", "unit", text, sizeof text), STATUS_OK);
    }
    check_floats(&file, "/extra/replaced", changed ? SMALL : ROWS, changed ? 6 : 4);
    assert_int_equal(h5_exists(&file, "/more/new"), changed);
    if (changed) {
        check_floats(&file, "/more/new", ROWS, 5);
        assert_int_equal(h5_get_text(&file, "/more/new", "unit", text, sizeof text), STATUS_OK);
        assert_string_equal(text, "km");
    }
    assert_int_equal(h5_close(&file), STATUS_OK);
}

/* What a change is to make: "/more/new", straight into the file, "/extra/replaced" through the sketch. */
static Status draw(H5Change *change, int64_t *offset)
{
    H5File sketch;
    Status status = h5_open(change->sketch, true, &sketch);
    if (status != STATUS_OK) return status;
    status = h5_create_dataset(&sketch, "/more/new", H5T_IEEE_F32LE, 2, (int64_t[]){ROWS, COLUMNS});
    if (status == STATUS_OK) status = h5_put_text(&sketch, "/more/new", "unit", "km");
    if (status == STATUS_OK) status = write_floats(&sketch, "/extra/replaced", SMALL, 6);
    if (status == STATUS_OK)
        status = h5_put_text(&sketch, "/", "title", "another title, which is longer than the one before");
    Status closed = h5_close(&sketch);
    if (status == STATUS_OK) status = closed;
    if (status == STATUS_OK) status = h5_change_straight(change, "/more/new", offset);
    return status == STATUS_OK ? h5_change_reserve(change) : status;
}

static void write_straight(const H5Change *change, int64_t offset)
{
    static float values[ROWS * COLUMNS];
    int descriptor = open(path, O_WRONLY);
    for (int64_t i = 0; i < ROWS * COLUMNS; i++) values[i] = value_of(i, 5);
    assert_int_equal(files_write_bytes(descriptor, path, offset, sizeof values, values), STATUS_OK);
    assert_true(offset >= change->end && close(descriptor) == 0);
}

typedef struct {
    int64_t n;
    char *bytes;
} Content;

static Content read_content(void)
{
    struct stat about;
    assert_int_equal(stat(path, &about), 0);
    Content content = {about.st_size, memory_new((size_t)about.st_size, 1, "test")};
    assert_int_equal(files_read_bytes(path, 0, content.n, content.bytes), STATUS_OK);
    return content;
}

/* The file still begins with this, and holds what it held. */
static void check_content(const Content *before, bool with_group)
{
    Content now = read_content();
    assert_true(now.n >= before->n && memcmp(now.bytes, before->bytes, (size_t)before->n) == 0);
    memory_free(now.bytes);
    check_file(with_group, false);
}

static void a_change_is_seen_when_it_is_whole(void **state)
{
    (void)state;
    static const char *const without[] = {"/extra/replaced", "/more/replaced", NULL};
    for (int abandon = 1; abandon >= 0; abandon--) {
        H5Change change;
        int64_t offset = 0;
        make_file(true);
        Content before = read_content();
        assert_int_equal(h5_change_begin(path, groups, without, &change), STATUS_OK);
        check_content(&before, true);
        assert_int_equal(draw(&change, &offset), STATUS_OK);
        check_content(&before, true);
        write_straight(&change, offset);
        check_content(&before, true);
        if (!abandon) assert_int_equal(h5_change_commit(&change), STATUS_OK);
        h5_change_end(&change);
        if (abandon) {
            check_content(&before, true);
            Content now = read_content();
            assert_int_equal(now.n, before.n);
            memory_free(now.bytes);
        } else {
            check_file(true, true);
        }
        char sketch[3 * TEMPORARY_PATH];
        snprintf(sketch, sizeof sketch, "%s.new", path);
        assert_false(files_exists(sketch));
        memory_free(before.bytes);
    }
}

/* The new file can be changed by HDF5 itself, and by another change. */
static void changes_follow_each_other(void **state)
{
    (void)state;
    H5File file;
    H5Change change;
    int64_t offset;
    make_file(false);
    assert_int_equal(h5_open(path, true, &file), STATUS_OK);
    assert_int_equal(h5_create_group(&file, "/extra"), STATUS_OK);
    assert_int_equal(write_floats(&file, "/extra/replaced", ROWS, 4), STATUS_OK);
    assert_int_equal(h5_close(&file), STATUS_OK);
    static const char *const without[] = {"/extra/replaced", "/more/new", NULL};
    struct stat first, later;
    for (int turn = 0; turn < 6; turn++) {
        assert_int_equal(h5_change_begin(path, groups, without, &change), STATUS_OK);
        assert_int_equal(draw(&change, &offset), STATUS_OK);
        write_straight(&change, offset);
        assert_int_equal(h5_change_commit(&change), STATUS_OK);
        h5_change_end(&change);
        check_file(false, true);
        assert_int_equal(h5_open(path, true, &file), STATUS_OK);
        char name[32];
        snprintf(name, sizeof name, "/extra/turn %d", turn);
        assert_int_equal(write_floats(&file, name, SMALL, turn), STATUS_OK);
        assert_int_equal(h5_close(&file), STATUS_OK);
        assert_int_equal(stat(path, turn == 0 ? &first : &later), 0);
    }
    assert_int_equal(h5_open(path, false, &file), STATUS_OK);
    for (int turn = 0; turn < 6; turn++) {
        char name[32];
        snprintf(name, sizeof name, "/extra/turn %d", turn);
        check_floats(&file, name, SMALL, turn);
    }
    assert_int_equal(h5_close(&file), STATUS_OK);
    /* what was replaced has given back its blocks: five times 120,000 bytes in blocks of 512 */
    if ((later.st_blocks - first.st_blocks) * 512 > 5 * 60000) {
        int descriptor = open(path, O_WRONLY);
        bool can = fallocate(descriptor, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 0) == 0;
        close(descriptor);
        assert_false(can);
    }
}

static void what_another_writes_is_left_alone(void **state)
{
    (void)state;
    H5File file;
    H5Change change, second;
    int64_t offset;
    static const char *const without[] = {"/extra/replaced", NULL};
    make_file(true);
    assert_int_equal(h5_change_begin(path, groups, without, &change), STATUS_OK);
    assert_int_equal(h5_change_begin(path, groups, without, &second), STATUS_IO); /* two at a time */
    assert_non_null(strstr(status_message(), ".new exists"));
    h5_change_end(&second);
    assert_int_equal(h5_open(path, true, &file), STATUS_IO); /* HDF5 finds it locked */
    assert_int_equal(draw(&change, &offset), STATUS_OK);
    write_straight(&change, offset);
    setenv("HDF5_USE_FILE_LOCKING", "FALSE", 1);
    hid_t access = H5Pcreate(H5P_FILE_ACCESS), id;
    H5Pset_file_locking(access, false, true);
    id = H5Fopen(path, H5F_ACC_RDWR, access);
    assert_true(id >= 0);
    file = (H5File){.id = id, .path = path};
    assert_int_equal(write_floats(&file, "/extra/other", ROWS, 8), STATUS_OK);
    assert_int_equal(h5_close(&file), STATUS_OK);
    H5Pclose(access);
    unsetenv("HDF5_USE_FILE_LOCKING");
    assert_int_equal(h5_change_commit(&change), STATUS_IO);
    assert_non_null(strstr(status_message(), "another program"));
    h5_change_end(&change);
    assert_int_equal(h5_open(path, false, &file), STATUS_OK);
    check_floats(&file, "/extra/other", ROWS, 8);
    assert_int_equal(h5_close(&file), STATUS_OK);
    check_file(true, false);
    status_clear();
}

static void refuse(const char *word)
{
    H5Change change;
    assert_int_equal(h5_change_begin(path, groups, nothing, &change), STATUS_DATA);
    if (strstr(status_message(), word) == NULL) fail_msg("'%s' is not in '%s'", word, status_message());
    h5_change_end(&change);
    status_clear();
}

static void other_kinds_of_files_are_refused(void **state)
{
    (void)state;
    H5File file;
    assert_int_equal(h5_create_behind(path, 512, &file), STATUS_OK);
    assert_int_equal(h5_close(&file), STATUS_OK);
    refuse("user block");
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_libver_bounds(access, H5F_LIBVER_LATEST, H5F_LIBVER_LATEST);
    hid_t id = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, access);
    H5Pclose(access);
    assert_true(id >= 0 && H5Fclose(id) >= 0);
    refuse("superblock is of version");
    H5Change change;
    unlink(path);
    assert_int_equal(h5_change_begin(path, groups, nothing, &change), STATUS_IO);
    h5_change_end(&change);
    status_clear();
}

static int make_folder(void **state)
{
    (void)state;
    temporary_make(folder);
    snprintf(path, sizeof path, "%s/a.h5", folder);
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
    h5_open_library();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_change_is_seen_when_it_is_whole),
        cmocka_unit_test(changes_follow_each_other),
        cmocka_unit_test(what_another_writes_is_left_alone),
        cmocka_unit_test(other_kinds_of_files_are_refused),
    };
    return cmocka_run_group_tests_name("h5_change", tests, make_folder, remove_folder);
}
