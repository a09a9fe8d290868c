/* Tests of survey/survey and survey/inputs, on any number of ranks. Each test runs on all ranks alike. */
#include "seisdcn/checksum.h"
#include "seisdcn/files.h"
#include "seisdcn/h5.h"
#include "seisdcn/inputs.h"
#include "seisdcn/memory.h"
#include "seisdcn/survey.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "temporary.h"

enum { N_ENSEMBLES = 11, N_SAMPLES = 13, MAX_FOLD = 6 };

static Comm comm;
static char folder[TEMPORARY_PATH], path[2 * TEMPORARY_PATH], other[2 * TEMPORARY_PATH];

static int64_t fold_of(int64_t e) { return 1 + (e * 5) % MAX_FOLD; }

static void fill_gather(int64_t e, float *amplitude)
{
    for (int64_t i = 0; i < fold_of(e) * N_SAMPLES; i++) amplitude[i] = (float)(e * 1000 + i) / 7;
}

static const char *in_folder(const char *name)
{
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

/* Creates a survey at `name` with every gather written (all but `left_out`), and finishes it. */
static void make_survey(const char *name, bool with_done, int64_t left_out)
{
    int64_t first_trace[N_ENSEMBLES + 1] = {0};
    int32_t inlines[N_ENSEMBLES], crosslines[N_ENSEMBLES];
    static char sources[N_ENSEMBLES][SURVEY_SOURCE_MAX];
    float offsets[N_ENSEMBLES * MAX_FOLD], amplitude[MAX_FOLD * N_SAMPLES];
    for (int64_t e = 0; e < N_ENSEMBLES; e++) {
        first_trace[e + 1] = first_trace[e] + fold_of(e);
        inlines[e] = (int32_t)(100 + e / 4);
        crosslines[e] = (int32_t)(e == 3 ? POSITION_UNKNOWN : e % 4);
        snprintf(sources[e], SURVEY_SOURCE_MAX, "file_%d.npy", (int)e);
    }
    for (int64_t t = 0; t < N_ENSEMBLES * MAX_FOLD; t++) offsets[t] = (float)t * 25;
    SurveyPlan plan = {.n_ensembles = N_ENSEMBLES, .n_samples = N_SAMPLES};
    if (comm.rank == 0) { /* the others may leave them NULL */
        plan.interval_us = 4000;
        plan.first_trace = first_trace;
        plan.inlines = inlines;
        plan.crosslines = crosslines;
        plan.sources = sources[0];
        plan.offsets = offsets;
        plan.history = "- made by a test\n";
        plan.with_done = with_done;
    }
    Survey survey;
    assert_int_equal(survey_create(&comm, in_folder(name), &plan, &survey), STATUS_OK);
    Status status = STATUS_OK;
    for (int64_t e = comm.rank; e < N_ENSEMBLES && status == STATUS_OK; e += comm.size) {
        fill_gather(e, amplitude);
        if (e != left_out) status = survey_write_gather(&survey, e, amplitude);
    }
    assert_int_equal(comm_agree(&comm, status), STATUS_OK);
    assert_int_equal(survey_finish(&survey), STATUS_OK);
    assert_true(survey.checksum == checksum_bytes(survey.checksums, sizeof *survey.checksums * N_ENSEMBLES));
    assert_int_equal(survey_close(&survey), STATUS_OK);
}

static void written_surveys_read_back(void **state)
{
    (void)state;
    make_survey("a.h5", false, -1);
    Survey survey;
    assert_int_equal(survey_open(&comm, in_folder("a.h5"), false, &survey), STATUS_OK);
    assert_int_equal(survey.n_ensembles, N_ENSEMBLES);
    assert_int_equal(survey.n_samples, N_SAMPLES);
    assert_true(survey.interval_us == 4000);
    assert_int_equal(survey.n_attributes, 0);
    assert_null(survey.done);
    assert_string_equal(survey.history, "- made by a test\n");
    assert_int_equal(survey_max_fold(&survey), MAX_FOLD);
    float wanted[MAX_FOLD * N_SAMPLES], amplitude[2 * MAX_FOLD * N_SAMPLES];
    for (int64_t e = 0; e < N_ENSEMBLES; e++) { /* every rank reads all */
        assert_int_equal(survey_fold(&survey, e), fold_of(e));
        assert_int_equal(survey_read_gather(&survey, e, 1, amplitude), STATUS_OK);
        fill_gather(e, wanted);
        assert_memory_equal(amplitude, wanted, (size_t)(fold_of(e) * N_SAMPLES) * sizeof *wanted);
        assert_int_equal(survey_verify_gather(&survey, e), STATUS_OK);
        float offsets[MAX_FOLD];
        assert_int_equal(survey_read_offsets(&survey, e, offsets), STATUS_OK);
        for (int64_t t = 0; t < fold_of(e); t++) assert_true(offsets[t] == (float)(survey.first_trace[e] + t) * 25);
    }
    char name[96];
    assert_string_equal(survey_ensemble_name(&survey, 5, name), "gather #5 (inline 101, crossline 1)");
    assert_string_equal(survey_ensemble_name(&survey, 3, name), "gather #3");
    assert_int_equal(survey_read_gather(&survey, 0, 2, amplitude), STATUS_DATA);
    assert_non_null(strstr(status_message(), "1 channel "));
    uint64_t root = survey.checksum;
    assert_true(root == checksum_bytes(survey.checksums, sizeof *survey.checksums * N_ENSEMBLES));
    assert_int_equal(survey_close(&survey), STATUS_OK);
    assert_int_equal(survey_close(&survey), STATUS_OK); /* of zeros: nothing */
}

static void unfinished_gathers_are_known(void **state)
{
    (void)state;
    make_survey("done.h5", true, 4);
    Survey survey;
    assert_int_equal(survey_open(&comm, in_folder("done.h5"), true, &survey), STATUS_OK);
    assert_non_null(survey.done);
    for (int64_t e = 0; e < N_ENSEMBLES; e++) assert_int_equal(survey.done[e], e != 4);
    float amplitude[MAX_FOLD * N_SAMPLES];
    fill_gather(4, amplitude);
    Status status = comm.rank == comm.size - 1 ? survey_write_gather(&survey, 4, amplitude) : STATUS_OK;
    assert_int_equal(comm_agree(&comm, status), STATUS_OK);
    assert_int_equal(survey_finish(&survey), STATUS_OK);
    assert_int_equal(survey.done[4], 1);
    assert_int_equal(survey_close(&survey), STATUS_OK);
}

static void headers_are_copied(void **state)
{
    (void)state;
    make_survey("from.h5", false, -1);
    strcpy(other, in_folder("from.h5"));
    Survey from, to;
    assert_int_equal(survey_open(&comm, other, false, &from), STATUS_OK);
    SurveyPlan plan = {.n_ensembles = N_ENSEMBLES,
                       .n_samples = N_SAMPLES,
                       .first_trace = from.first_trace,
                       .inlines = from.inlines,
                       .crosslines = from.crosslines,
                       .headers_from = other};
    assert_int_equal(survey_create(&comm, in_folder("to.h5"), &plan, &to), STATUS_OK);
    assert_int_equal(survey_finish(&to), STATUS_OK);
    survey_close(&to);
    survey_close(&from);
    H5File file;
    Status status = STATUS_OK;
    float offsets[N_ENSEMBLES * MAX_FOLD];
    char sources[N_ENSEMBLES * 16];
    size_t width = 0;
    if (comm.rank == 0) {
        status = h5_open(path, false, &file);
        int rank = 0;
        int64_t dims[4] = {0};
        if (status == STATUS_OK) status = h5_dims(&file, "/trace/offset", &rank, dims);
        if (status == STATUS_OK) status = h5_read_all(&file, "/trace/offset", H5T_NATIVE_FLOAT, dims[0], offsets);
        if (status == STATUS_OK) status = h5_string_width(&file, "/ensemble/source", N_ENSEMBLES, &width);
        if (status == STATUS_OK) status = h5_read_strings(&file, "/ensemble/source", N_ENSEMBLES, 16, sources);
        double interval_us = 0;
        if (status == STATUS_OK) status = h5_get_double(&file, "/", "sample_interval_us", &interval_us);
        if (status == STATUS_OK && (offsets[5] != 125 || interval_us != 4000 || width != 12)) status = STATUS_BUG;
        if (status == STATUS_OK && strcmp(sources + 16 * 10, "file_10.npy") != 0) status = STATUS_BUG;
        h5_close(&file);
    }
    assert_int_equal(comm_agree(&comm, status), STATUS_OK);
}

/* ---- what is refused ---- */

/* Rank 0 spoils a copy of a good survey; then all ranks must refuse it alike, with `word` in the message. */
static void refuse(Status (*spoil)(const H5File *file), Status wanted, const char *word)
{
    make_survey("bad.h5", false, -1);
    Status status = STATUS_OK;
    if (comm.rank == 0) {
        H5File file;
        status = h5_open(path, true, &file);
        if (status == STATUS_OK) status = spoil(&file);
        h5_close(&file);
    }
    assert_int_equal(comm_agree(&comm, status), STATUS_OK);
    Survey survey;
    assert_int_equal(survey_open(&comm, path, false, &survey), wanted);
    if (strstr(status_message(), word) == NULL) fail_msg("'%s' is not in '%s'", word, status_message());
    assert_non_null(strstr(status_message(), "bad.h5"));
    assert_null(survey.first_trace);
    status_clear();
}

static Status spoil_format(const H5File *file) { return h5_put_text(file, "/", "format", "seisdcn-model"); }
static Status spoil_version(const H5File *file) { return h5_put_int(file, "/", "version", 3); }
static Status spoil_kind(const H5File *file) { return h5_put_double(file, "/", "format", 1); }
static Status spoil_interval(const H5File *file) { return h5_put_double(file, "/", "sample_interval_us", NAN); }
static Status spoil_checksum(const H5File *file) { return h5_put_int(file, "/", "checksum", -1); }

static Status write_first(const H5File *file, int64_t at, int64_t value)
{
    return h5_write_rows(file, "/ensemble/first_trace", H5T_NATIVE_INT64, at, 1, 1, &value);
}

static Status spoil_start(const H5File *file) { return write_first(file, 0, 1); }
static Status spoil_middle(const H5File *file) { return write_first(file, 3, 0); }
static Status spoil_end(const H5File *file) { return write_first(file, N_ENSEMBLES, 1000); }

static Status remove_link(const H5File *file, const char *name)
{
    return H5Ldelete(file->id, name, H5P_DEFAULT) < 0 ? STATUS_BUG : STATUS_OK;
}

static Status spoil_amplitude(const H5File *file) { return remove_link(file, "/amplitude"); }
static Status spoil_checksums(const H5File *file) { return remove_link(file, "/ensemble/checksum"); }

static Status spoil_inlines(const H5File *file)
{
    int64_t n = 3;
    int32_t values[3] = {0};
    Status status = remove_link(file, "/ensemble/inline");
    return status != STATUS_OK ? status
                               : h5_write_new(file, "/ensemble/inline", H5T_STD_I32LE, H5T_NATIVE_INT32, 1, &n, values);
}

static Status spoil_attribute(const H5File *file)
{
    int64_t dims[2] = {2, N_SAMPLES};
    Status status = h5_create_group(file, "/attribute");
    return status != STATUS_OK ? status : h5_create_dataset(file, "/attribute/v", H5T_IEEE_F32LE, 2, dims);
}

static void bad_surveys_are_refused(void **state)
{
    (void)state;
    refuse(spoil_format, STATUS_DATA, "seisdcn-model");
    refuse(spoil_version, STATUS_DATA, "version 3; this program reads versions 1 to 2");
    refuse(spoil_kind, STATUS_DATA, "not a text");
    refuse(spoil_interval, STATUS_DATA, "sample_interval_us");
    refuse(spoil_checksum, STATUS_DATA, "checksum");
    refuse(spoil_start, STATUS_DATA, "begins with 1");
    refuse(spoil_middle, STATUS_DATA, "does not rise");
    refuse(spoil_end, STATUS_DATA, "trace count");
    refuse(spoil_amplitude, STATUS_DATA, "/amplitude is missing");
    refuse(spoil_checksums, STATUS_DATA, "/ensemble/checksum is missing");
    refuse(spoil_inlines, STATUS_DATA, "/ensemble/inline has the shape [3]");
    refuse(spoil_attribute, STATUS_DATA, "/attribute/v has the shape");
}

static void bad_files_are_refused(void **state)
{
    (void)state;
    Survey survey;
    assert_int_equal(survey_open(&comm, in_folder("none.h5"), false, &survey), STATUS_IO);
    assert_int_equal(survey_open(&comm, folder, false, &survey), STATUS_IO);
    make_survey("cut.h5", false, -1);
    struct stat about;
    int result = comm.rank != 0 ? 0 : stat(path, &about) | truncate(path, about.st_size - 10);
    assert_int_equal(comm_agree(&comm, result == 0 ? STATUS_OK : STATUS_IO), STATUS_OK);
    assert_int_equal(survey_open(&comm, path, false, &survey), STATUS_DATA);
    assert_non_null(strstr(status_message(), "cut short"));
    result = comm.rank != 0 ? 0 : temporary_write(folder, "text.h5", "no HDF5", 7, other);
    assert_int_equal(comm_agree(&comm, result == 0 ? STATUS_OK : STATUS_IO), STATUS_OK);
    assert_int_equal(survey_open(&comm, in_folder("text.h5"), false, &survey), STATUS_DATA);
    assert_non_null(strstr(status_message(), "not an HDF5 file"));
    assert_int_equal(survey_create(&comm, in_folder("none/a.h5"),
                                   &(SurveyPlan){.n_ensembles = 1,
                                                 .n_samples = 1,
                                                 .first_trace = (int64_t[]){0, 1},
                                                 .inlines = (int32_t[]){POSITION_UNKNOWN},
                                                 .crosslines = (int32_t[]){POSITION_UNKNOWN}},
                                   &survey),
                     STATUS_IO);
    status_clear();
}

static void changed_amplitudes_are_found(void **state)
{
    (void)state;
    make_survey("changed.h5", false, -1);
    Survey survey;
    assert_int_equal(survey_open(&comm, path, true, &survey), STATUS_OK);
    float values[N_SAMPLES] = {0};
    values[5] = NAN;
    Status status = STATUS_OK;
    if (comm.rank == 0)
        status = h5_write_rows(&survey.file, "/amplitude", H5T_NATIVE_FLOAT, survey.first_trace[2] + 1, 1, N_SAMPLES,
                               values);
    assert_int_equal(comm_agree(&comm, status), STATUS_OK);
    assert_int_equal(survey_close(&survey), STATUS_OK);
    assert_int_equal(survey_open(&comm, path, false, &survey), STATUS_OK);
    float amplitude[MAX_FOLD * N_SAMPLES];
    for (int64_t e = 0; e < N_ENSEMBLES; e++)
        assert_int_equal(survey_verify_gather(&survey, e), e == 2 ? STATUS_DATA : STATUS_OK);
    assert_int_equal(survey_read_gather(&survey, 2, 1, amplitude), STATUS_DATA);
    assert_non_null(strstr(status_message(), "does not match its checksum"));
    survey.trusted = true;
    assert_int_equal(survey_verify_gather(&survey, 2), STATUS_DATA);
    assert_int_equal(survey_read_gather(&survey, 2, 1, amplitude), STATUS_DATA);
    assert_non_null(strstr(status_message(), "trace 1, sample 5"));
    assert_int_equal(survey_close(&survey), STATUS_OK);
}

/* ---- values ---- */

static void first_value_that_is_not_finite(void **state)
{
    (void)state;
    enum { N = 10000 };
    static float values[N];
    assert_int_equal(survey_first_not_finite(values, N), -1);
    assert_int_equal(survey_first_not_finite(values, 0), -1);
    for (int at = N - 1; at >= 0; at -= 1111) {
        values[at] = at % 2 == 0 ? NAN : -INFINITY;
        assert_int_equal(survey_first_not_finite(values, N), at);
        assert_int_equal(survey_first_not_finite(values, at), -1);
    }
}

static void inputs_make_a_list(void **state)
{
    (void)state;
    float values[3 * 4] = {0};
    Status status = STATUS_OK;
    for (int i = 1; i <= 3 && comm.rank == 0 && status == STATUS_OK; i++) {
        snprintf(other, sizeof other, "%s/in/x_%d.npy", folder, i == 3 ? 10 : i);
        values[0] = (float)i;
        if (i == 1) status = files_make_folder(in_folder("in"));
        if (status == STATUS_OK) status = npy_write(other, i, 4, values);
    }
    assert_int_equal(comm_agree(&comm, status), STATUS_OK);
    Inputs inputs;
    strcpy(other, in_folder("in"));
    char *names[] = {other};
    assert_int_equal(inputs_open(&comm, 1, names, &(InputsOptions){0}, &inputs), STATUS_OK);
    assert_int_equal(inputs.n_gathers, 3);
    assert_int_equal(inputs.n_samples, 4);
    InputsGather gather;
    assert_int_equal(inputs_gather_new(&inputs, 3, &gather), STATUS_OK);
    for (int64_t e = 0; e < 3; e++) {
        char source[SURVEY_SOURCE_MAX], wanted[32];
        assert_int_equal(inputs_fold(&inputs, e), e + 1);
        assert_int_equal(inputs_read(&inputs, e, &gather), STATUS_OK);
        assert_true(gather.amplitude[0] == (float)(e + 1));
        snprintf(wanted, sizeof wanted, "x_%d.npy", e == 2 ? 10 : (int)e + 1);
        assert_string_equal(inputs_source(&inputs, e, source, sizeof source), wanted);
    }
    inputs_gather_free(&gather);
    inputs_free(&inputs);
    /* transposed, their sample counts differ */
    assert_int_equal(inputs_open(&comm, 1, names, &(InputsOptions){.transpose = true}, &inputs), STATUS_DATA);
    assert_non_null(strstr(status_message(), "x_10.npy has 3"));
    strcpy(other, in_folder("none"));
    assert_int_equal(inputs_open(&comm, 1, names, &(InputsOptions){0}, &inputs), STATUS_IO);
    assert_null(inputs.paths);
    status_clear();
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
        cmocka_unit_test(written_surveys_read_back),
        cmocka_unit_test(unfinished_gathers_are_known),
        cmocka_unit_test(headers_are_copied),
        cmocka_unit_test(bad_surveys_are_refused),
        cmocka_unit_test(bad_files_are_refused),
        cmocka_unit_test(changed_amplitudes_are_found),
        cmocka_unit_test(first_value_that_is_not_finite),
        cmocka_unit_test(inputs_make_a_list),
    };
    int failed = cmocka_run_group_tests_name("survey", tests, make_folder, remove_folder);
    comm_close(&comm);
    return failed;
}
