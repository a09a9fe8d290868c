/* Tests of survey/gathers and survey/reader: every way of reading gives the file's samples, the limit holds, and what
 * cannot be read is told. Each rank has a store of its own. */
#include "seisdcn/gathers.h"
#include "seisdcn/memory.h"
#include "seisdcn/random.h"

#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "temporary.h"

enum { N_ENSEMBLES = 23, N_SAMPLES = 400, MAX_FOLD = 9, USER_BLOCK = 1024 };

static Comm comm;
static char folder[TEMPORARY_PATH], path[2 * TEMPORARY_PATH];

static const char *in_folder(const char *name)
{
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

/* Ends the test on all ranks where a rank finds something wrong. */
static void all_good(bool good)
{
    assert_int_equal(comm_agree(&comm, good ? STATUS_OK : status_fail(STATUS_BUG, "wrong on this rank")), STATUS_OK);
}

static int64_t fold_of(int64_t e) { return 1 + (e * 5) % MAX_FOLD; }

static float value_of(int64_t c, int64_t e, int64_t i) { return (float)(c * 100000 + e * 4000 + i) / 8; }

/* Adds /attribute/angle: plain, or in chunks. */
static Status write_attribute(const char *name, bool chunked)
{
    H5File file;
    int64_t n_traces = 0, at = 0;
    for (int64_t e = 0; e < N_ENSEMBLES; e++) n_traces += fold_of(e);
    hsize_t dims[2] = {(hsize_t)n_traces, N_SAMPLES}, chunk[2] = {4, N_SAMPLES};
    float *values = memory_new((size_t)(n_traces * N_SAMPLES), sizeof *values, "test");
    for (int64_t e = 0; e < N_ENSEMBLES; e++)
        for (int64_t i = 0; i < fold_of(e) * N_SAMPLES; i++) values[at++] = value_of(1, e, i);
    Status status = h5_open(in_folder(name), true, &file);
    if (status == STATUS_OK) status = h5_create_group(&file, "/attribute");
    if (status == STATUS_OK && !chunked)
        status = h5_write_new(&file, "/attribute/angle", H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, 2,
                              (int64_t[]){n_traces, N_SAMPLES}, values);
    if (status == STATUS_OK && chunked) {
        hid_t space = H5Screate_simple(2, dims, NULL), creation = H5Pcreate(H5P_DATASET_CREATE);
        H5Pset_chunk(creation, 2, chunk);
        hid_t set = H5Dcreate2(file.id, "/attribute/angle", H5T_IEEE_F32LE, space, H5P_DEFAULT, creation, H5P_DEFAULT);
        if (H5Dwrite(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0) status = STATUS_IO;
        H5Dclose(set);
        H5Pclose(creation);
        H5Sclose(space);
    }
    Status closed = h5_close(&file);
    memory_free(values);
    return status != STATUS_OK ? status : closed;
}

/* Makes and opens a survey; gather `spoilt` holds a NaN (-1: none). */
static void open_survey(const char *name, int64_t spoilt, bool with_attribute, bool chunked, Survey *survey)
{
    int64_t first_trace[N_ENSEMBLES + 1] = {0};
    int32_t lines[N_ENSEMBLES] = {0};
    float amplitude[MAX_FOLD * N_SAMPLES];
    for (int64_t e = 0; e < N_ENSEMBLES; e++) first_trace[e + 1] = first_trace[e] + fold_of(e);
    SurveyPlan plan = {.n_ensembles = N_ENSEMBLES,
                       .n_samples = N_SAMPLES,
                       .first_trace = first_trace,
                       .inlines = lines,
                       .crosslines = lines};
    assert_int_equal(survey_create(&comm, in_folder(name), &plan, survey), STATUS_OK);
    Status status = STATUS_OK;
    for (int64_t e = comm.rank; e < N_ENSEMBLES && status == STATUS_OK; e += comm.size) {
        for (int64_t i = 0; i < fold_of(e) * N_SAMPLES; i++) amplitude[i] = value_of(0, e, i);
        if (e == spoilt) amplitude[N_SAMPLES / 2] = NAN;
        status = survey_write_gather(survey, e, amplitude);
    }
    assert_int_equal(comm_agree(&comm, status), STATUS_OK);
    assert_int_equal(survey_finish(survey), STATUS_OK);
    assert_int_equal(survey_close(survey), STATUS_OK);
    if (with_attribute)
        assert_int_equal(comm_agree(&comm, comm.rank == 0 ? write_attribute(name, chunked) : STATUS_OK), STATUS_OK);
    assert_int_equal(survey_open(&comm, in_folder(name), false, survey), STATUS_OK);
}

static bool is_right(const Gathers *gathers, int64_t e, const float *values)
{
    int64_t n = fold_of(e) * N_SAMPLES;
    for (int64_t c = 0; c < gathers->n_channels; c++)
        for (int64_t i = 0; i < n; i++)
            if (values[c * n + i] != value_of(c, e, i)) return false;
    return true;
}

static int64_t bytes_held(const Gathers *gathers)
{
    int64_t sum = 0;
    for (int64_t e = 0; e < N_ENSEMBLES; e++)
        if (gathers->data[e] != NULL) sum += gathers_bytes_of(gathers->survey, gathers->n_channels, e);
    return sum;
}

/* ---- where samples lie ---- */

typedef struct {
    const char *name;
    hid_t type;
    bool chunked, written, plain;
} Layout;

static Status check_layouts(void)
{
    const Layout layouts[] = {
        {"/plain", H5T_IEEE_F32LE, false, true, true},   {"/swapped", H5T_IEEE_F32BE, false, true, false},
        {"/double", H5T_IEEE_F64LE, false, true, false}, {"/whole", H5T_STD_I32LE, false, true, false},
        {"/chunked", H5T_IEEE_F32LE, true, true, false}, {"/unwritten", H5T_IEEE_F32LE, false, false, false}};
    float values[12] = {0}, found[12] = {0};
    hsize_t dims[2] = {3, 4};
    bool good = true;
    for (int i = 0; i < 12; i++) values[i] = (float)i / 3;
    hid_t creation = H5Pcreate(H5P_FILE_CREATE), space = H5Screate_simple(2, dims, NULL);
    H5Pset_userblock(creation, USER_BLOCK); /* bytes of somebody else's before HDF5's */
    H5File file = {.path = in_folder("layouts.h5")};
    file.id = H5Fcreate(path, H5F_ACC_TRUNC, creation, H5P_DEFAULT);
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++) {
        hid_t how = H5Pcreate(H5P_DATASET_CREATE);
        if (layouts[i].chunked) H5Pset_chunk(how, 2, dims);
        hid_t set = H5Dcreate2(file.id, layouts[i].name, layouts[i].type, space, H5P_DEFAULT, how, H5P_DEFAULT);
        if (layouts[i].written)
            good = good && H5Dwrite(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0;
        H5Dclose(set);
        H5Pclose(how);
    }
    H5Sclose(space);
    H5Pclose(creation);
    H5Fclose(file.id);
    if (!good || h5_open(path, false, &file) != STATUS_OK) return STATUS_BUG;
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    /* NOLINTBEGIN(bugprone-suspicious-memory-comparison): the bits are what is read */
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++) {
        int64_t offset = 0;
        good = good && h5_plain_offset(&file, layouts[i].name, H5T_NATIVE_FLOAT, &offset) == STATUS_OK &&
               (offset >= 0) == layouts[i].plain;
        if (good && layouts[i].plain)
            good = offset > USER_BLOCK && pread(descriptor, found, sizeof found, offset) == sizeof found &&
                   memcmp(found, values, sizeof found) == 0;
    }
    /* NOLINTEND(bugprone-suspicious-memory-comparison) */
    close(descriptor);
    int64_t offset;
    good = good && h5_plain_offset(&file, "/none", H5T_NATIVE_FLOAT, &offset) == STATUS_DATA;
    status_clear();
    return h5_close(&file) == STATUS_OK && good ? STATUS_OK : status_fail(STATUS_BUG, "layouts");
}

static void samples_are_found_in_the_file(void **state)
{
    (void)state;
    assert_int_equal(comm_agree(&comm, comm.rank == 0 ? check_layouts() : STATUS_OK), STATUS_OK);
}

/* ---- reading ---- */

/* Keeps, drops, reads ahead and asks for gathers as dice tell. */
static bool play(Gathers *gathers, int64_t seed)
{
    RandomKey key = random_key(seed, RANDOM_TEST, comm.rank);
    int32_t kept[N_ENSEMBLES] = {0};
    const float *where[N_ENSEMBLES] = {NULL};
    int64_t largest = gathers->n_channels * MAX_FOLD * N_SAMPLES * (int64_t)sizeof(float), kept_bytes = 0;
    for (uint64_t i = 0; i < 1000; i++) {
        int64_t e = random_below(key, N_ENSEMBLES, i, 0),
                bytes = gathers_bytes_of(gathers->survey, gathers->n_channels, e);
        const float *values;
        switch (random_below(key, 6, i, 1)) {
        case 0: /* what is kept finds room, as the caller promises */
            if (gathers->limit > 0 && kept_bytes + bytes > gathers->limit - gathers->ahead_limit - largest) break;
            if (kept[e]++ == 0) kept_bytes += bytes;
            gathers_keep(gathers, e);
            break;
        case 1:
            if (kept[e] == 0) break;
            if (--kept[e] == 0) {
                kept_bytes -= bytes;
                where[e] = NULL;
            }
            gathers_drop(gathers, e);
            break;
        case 2:
            if (!gathers_ahead(gathers, e) && gathers->ahead_bytes > gathers->ahead_limit) return false;
            break;
        case 3:
            if (i % 97 == 0) gathers_forget_ahead(gathers);
            break;
        default:
            if (gathers_get(gathers, e, &values) != STATUS_OK || !is_right(gathers, e, values)) return false;
            if (gathers_stays(gathers, e) && where[e] != NULL && where[e] != values) return false;
            if (gathers_stays(gathers, e) != (kept[e] > 0 || gathers->limit == 0)) return false;
            if (gathers_stays(gathers, e)) where[e] = values;
        }
        if (gathers->limit > 0 && bytes_held(gathers) > (gathers->limit > largest ? gathers->limit : largest))
            return false;
    }
    return true;
}

static void every_way_of_reading_gives_the_samples(void **state)
{
    (void)state;
    for (int with_attribute = 0; with_attribute < 2; with_attribute++)
        for (int chunked = 0; chunked <= with_attribute; chunked++) {
            Survey survey;
            open_survey("a.h5", -1, with_attribute, chunked, &survey);
            for (int64_t channels = 1; channels <= 1 + with_attribute; channels++) {
                int64_t all = channels * survey.n_traces * N_SAMPLES * (int64_t)sizeof(float);
                for (int64_t limit = 0; limit <= 3; limit++)
                    for (int64_t ahead = 0; ahead <= 1; ahead++) {
                        Gathers gathers;
                        bool good =
                            gathers_new(&survey, channels, limit == 1 ? 1 : limit * all / 4, &gathers) == STATUS_OK;
                        good = good && reader_works(&gathers.reader) == !(chunked && channels == 2);
                        gathers.ahead_limit = ahead * all / 8;
                        good = good && play(&gathers, 10 * limit + ahead);
                        gathers_free(&gathers); /* also with reading under way */
                        all_good(good);
                    }
            }
            assert_int_equal(survey_close(&survey), STATUS_OK);
        }
}

static void reading_ahead_fills_its_own_room_only(void **state)
{
    (void)state;
    Survey survey;
    open_survey("b.h5", -1, false, false, &survey);
    Gathers gathers;
    int64_t all = survey.n_traces * N_SAMPLES * (int64_t)sizeof(float);
    bool good = gathers_new(&survey, 1, all / 2, &gathers) == STATUS_OK;
    gathers.ahead_limit = all / 4;
    for (int64_t e = 0; e < 3; e++) gathers_keep(&gathers, e);
    int64_t kept = gathers.bytes, n = 3;
    for (int64_t tries = 0; good && n < N_ENSEMBLES && tries < 100000000; tries++) {
        if (gathers_ahead(&gathers, n))
            n++;
        else if (gathers.reader.n_busy == 0)
            break; /* no room is left, and none comes by waiting */
    }
    good = good && n > 6 && n < N_ENSEMBLES && gathers.ahead_bytes <= all / 4 &&
           gathers.bytes == kept + gathers.ahead_bytes;
    const float *values;
    int64_t begun = gathers.n_read;
    good = good && begun == n - 3;
    for (int64_t e = 0; good && e < n; e++)
        good = gathers_get(&gathers, e, &values) == STATUS_OK && is_right(&gathers, e, values);
    good = good && gathers.n_read == begun + 3 && gathers.ahead_bytes == 0; /* each was read once */
    gathers_free(&gathers);
    all_good(good);
    assert_int_equal(survey_close(&survey), STATUS_OK);
}

/* ---- failures ---- */

/* Asks for gather e, which was or was not begun ahead, and which is or is not kept. */
static bool fails(const Survey *survey, int64_t e, bool ahead, bool keep, Status wanted, const char *word)
{
    Gathers gathers;
    const float *values;
    bool good = gathers_new(survey, 1, (int64_t)1 << 20, &gathers) == STATUS_OK;
    gathers.ahead_limit = 1 << 18;
    if (good && keep) gathers_keep(&gathers, e);
    int64_t before = gathers.bytes;
    if (good && ahead) good = gathers_ahead(&gathers, e);
    for (int again = 0; again < 2; again++) {
        good = good && gathers_get(&gathers, e, &values) == wanted && strstr(status_message(), word) != NULL;
        status_clear();
    }
    good = good && gathers.bytes == before && bytes_held(&gathers) == 0 && gathers.ahead_bytes == 0;
    good = good && gathers_get(&gathers, 0, &values) == STATUS_OK && is_right(&gathers, 0, values);
    gathers_free(&gathers);
    return good;
}

static void what_cannot_be_read_is_told(void **state)
{
    (void)state;
    enum { SPOILT = 4, CUT = N_ENSEMBLES - 2 };
    Survey survey;
    open_survey("c.h5", SPOILT, false, false, &survey);
    bool good = true;
    for (int way = 0; way < 4; way++) good = good && fails(&survey, SPOILT, way % 2, way / 2, STATUS_DATA, "#4");
    all_good(good);
    int64_t offset;
    assert_int_equal(h5_plain_offset(&survey.file, "/amplitude", H5T_NATIVE_FLOAT, &offset), STATUS_OK);
    offset += survey.first_trace[CUT] * N_SAMPLES * (int64_t)sizeof(float) + 100;
    Status status =
        comm.rank == 0 && truncate(survey.path, offset) != 0 ? status_fail(STATUS_IO, "truncate") : STATUS_OK;
    assert_int_equal(comm_agree(&comm, status), STATUS_OK);
    for (int way = 0; way < 4; way++)
        for (int64_t e = CUT; e < N_ENSEMBLES; e++)
            good = good && fails(&survey, e, way % 2, way / 2, STATUS_IO, "file's end");
    all_good(good);
    assert_int_equal(survey_close(&survey), STATUS_OK);
}

static int make_folder(void **state)
{
    (void)state;
    if (comm.rank == 0) temporary_make(folder);
    comm_broadcast(&comm, folder, sizeof folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    MPI_Barrier(comm.mpi);
    if (comm.rank == 0) temporary_remove(folder);
    return 0;
}

int main(int argc, char **argv)
{
    comm_open(&argc, &argv, &comm);
    h5_open_library();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_are_found_in_the_file),
        cmocka_unit_test(every_way_of_reading_gives_the_samples),
        cmocka_unit_test(reading_ahead_fills_its_own_room_only),
        cmocka_unit_test(what_cannot_be_read_is_told),
    };
    int failed = cmocka_run_group_tests_name("gathers", tests, make_folder, remove_folder);
    comm_close(&comm);
    return failed;
}
