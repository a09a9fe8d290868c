#include "seisdcn/survey_dropped.h"

#include "seisdcn/log.h"
#include "seisdcn/memory.h"

#include <inttypes.h>
#include <string.h>

static const char first_set[] = "/dropped/first", fold_set[] = "/dropped/fold", place_set[] = "/dropped/place",
                  value_set[] = "/dropped/value", row_set[] = "/dropped/row", amplitude_set[] = "/dropped/amplitude";

void survey_dropped_free(SurveyDropped *dropped)
{
    memory_free(dropped->first);
    memory_free(dropped->came);
    memset(dropped, 0, sizeof *dropped);
}

double survey_dropped_bytes(const SurveyDropped *dropped, int64_t n_ensembles, int64_t n_samples)
{
    double trace_bytes = 8 + 4 + (dropped->n_rows > 0 ? 8 : 0);
    return 16.0 * (double)n_ensembles + trace_bytes * (double)dropped->n +
           4.0 * (double)dropped->n_rows * (double)n_samples;
}

/* ---- writing ---- */

static Status write_folds(const H5File *file, const SurveyDropped *dropped, int64_t n_ensembles)
{
    int64_t *fold = memory_new((size_t)n_ensembles, sizeof *fold, "the gathers' traces as they came");
    if (fold == NULL) return STATUS_MEMORY;
    for (int64_t e = 0; e < n_ensembles; e++) fold[e] = dropped->came[e + 1] - dropped->came[e];
    Status status = h5_write_new(file, fold_set, H5T_STD_I64LE, H5T_NATIVE_INT64, 1, &n_ensembles, fold);
    memory_free(fold);
    return status;
}

Status survey_dropped_lay_out(const H5File *file, const SurveyDropped *dropped, int64_t n_ensembles, int64_t n_samples)
{
    int64_t n_bounds = n_ensembles + 1, n = dropped->n;
    Status status = h5_create_group(file, "/dropped");
    if (status == STATUS_OK)
        status = h5_write_new(file, first_set, H5T_STD_I64LE, H5T_NATIVE_INT64, 1, &n_bounds, dropped->first);
    if (status == STATUS_OK) status = write_folds(file, dropped, n_ensembles);
    if (status == STATUS_OK) status = h5_create_dataset(file, place_set, H5T_STD_I64LE, 1, &n);
    if (status == STATUS_OK) status = h5_create_dataset(file, value_set, H5T_IEEE_F32LE, 1, &n);
    if (status != STATUS_OK || dropped->n_rows == 0) return status;
    status = h5_create_dataset(file, row_set, H5T_STD_I64LE, 1, &n);
    if (status != STATUS_OK) return status;
    return h5_create_dataset(file, amplitude_set, H5T_IEEE_F32LE, 2, (int64_t[]){dropped->n_rows, n_samples});
}

Status survey_dropped_write(const Survey *survey, int64_t first, int64_t n, const int64_t *place, const float *value,
                            const int64_t *row)
{
    const H5File *file = &survey->file;
    Status status = h5_write_rows(file, place_set, H5T_NATIVE_INT64, first, n, 1, place);
    if (status == STATUS_OK) status = h5_write_rows(file, value_set, H5T_NATIVE_FLOAT, first, n, 1, value);
    if (status == STATUS_OK && row != NULL) status = h5_write_rows(file, row_set, H5T_NATIVE_INT64, first, n, 1, row);
    return status;
}

Status survey_dropped_write_row(const Survey *survey, int64_t row, const float *amplitude)
{
    return h5_write_rows(&survey->file, amplitude_set, H5T_NATIVE_FLOAT, row, 1, survey->n_samples, amplitude);
}

/* ---- the tables of the gathers ---- */

static Status new_tables(const Survey *survey, SurveyDropped *dropped)
{
    size_t n = (size_t)survey->n_ensembles + 1;
    dropped->first = memory_new(n, sizeof *dropped->first, "the gathers' dropped traces");
    dropped->came = memory_new(n, sizeof *dropped->came, "the gathers' dropped traces");
    return dropped->first == NULL || dropped->came == NULL ? STATUS_MEMORY : STATUS_OK;
}

static Status read_shapes(const H5File *file, const Survey *survey, SurveyDropped *dropped)
{
    int64_t n_bounds = survey->n_ensembles + 1, dims[4];
    int rank = 0;
    Status status = h5_expect(file, first_set, H5T_NATIVE_INT64, 1, &n_bounds);
    if (status == STATUS_OK) status = h5_expect(file, fold_set, H5T_NATIVE_INT64, 1, &survey->n_ensembles);
    if (status == STATUS_OK) status = h5_expect(file, place_set, H5T_NATIVE_INT64, 1, (int64_t[]){-1});
    if (status == STATUS_OK) status = h5_dims(file, place_set, &rank, dims);
    if (status != STATUS_OK) return status;
    dropped->n = dims[0];
    status = h5_expect(file, value_set, H5T_NATIVE_FLOAT, 1, &dropped->n);
    if (status != STATUS_OK || !h5_exists(file, row_set)) return status;
    status = h5_expect(file, row_set, H5T_NATIVE_INT64, 1, &dropped->n);
    if (status == STATUS_OK)
        status = h5_expect(file, amplitude_set, H5T_NATIVE_FLOAT, 2, (int64_t[]){-1, survey->n_samples});
    if (status == STATUS_OK) status = h5_dims(file, amplitude_set, &rank, dims);
    if (status == STATUS_OK) dropped->n_rows = dims[0];
    return status;
}

/* Whether the tables agree; came has the folds of ensembles 0 .. n_ensembles - 1 at 1 .. n_ensembles. */
static Status check_tables(const Survey *survey, const SurveyDropped *dropped)
{
    const int64_t *first = dropped->first;
    bool rises = first[0] == 0 && first[survey->n_ensembles] == dropped->n && dropped->n > 0;
    for (int64_t e = 0; e < survey->n_ensembles && rises; e++) rises = first[e + 1] >= first[e];
    if (!rises)
        return status_fail(STATUS_DATA, "%s: /dropped/first does not rise from 0 to the %" PRId64 " dropped traces",
                           survey->path, dropped->n);
    for (int64_t e = 0; e < survey->n_ensembles; e++) {
        int64_t n = survey_dropped_of(dropped, e), fold = dropped->came[e + 1], kept = survey_fold(survey, e);
        bool stands_in = n == fold && kept == 1;
        if (fold >= 1 && ((n < fold && fold - n == kept) || stands_in)) continue;
        return status_fail(STATUS_DATA,
                           "%s: gather #%" PRId64 " has %" PRId64 " trace%s, and by /dropped %" PRId64
                           " of which %" PRId64 " were left out: that does not fit",
                           survey->path, e, kept, log_plural(kept, "trace"), fold, n);
    }
    return STATUS_OK;
}

static Status read_tables(const H5File *file, const Survey *survey, SurveyDropped *dropped)
{
    int64_t n = survey->n_ensembles;
    Status status = read_shapes(file, survey, dropped);
    if (status == STATUS_OK) status = new_tables(survey, dropped);
    if (status == STATUS_OK) status = h5_read_all(file, first_set, H5T_NATIVE_INT64, n + 1, dropped->first);
    if (status == STATUS_OK) status = h5_read_all(file, fold_set, H5T_NATIVE_INT64, n, dropped->came + 1);
    if (status == STATUS_OK) status = check_tables(survey, dropped);
    if (status != STATUS_OK) return status;
    for (int64_t e = 0; e < n; e++) dropped->came[e + 1] += dropped->came[e];
    return STATUS_OK;
}

static Status read_serially(const Survey *survey, SurveyDropped *dropped)
{
    H5File file;
    Status status = h5_open(survey->path, false, &file);
    if (status != STATUS_OK) return status;
    if (h5_exists(&file, "/dropped")) status = read_tables(&file, survey, dropped);
    Status closed = h5_close(&file);
    return status != STATUS_OK ? status : closed;
}

Status survey_dropped_read(const Survey *survey, SurveyDropped *dropped)
{
    const Comm *comm = &survey->comm;
    size_t bytes = ((size_t)survey->n_ensembles + 1) * sizeof(int64_t);
    *dropped = (SurveyDropped){0};
    Status status = comm_agree(comm, comm->rank == 0 ? read_serially(survey, dropped) : STATUS_OK);
    if (status == STATUS_OK) {
        comm_broadcast(comm, &dropped->n, sizeof dropped->n);
        comm_broadcast(comm, &dropped->n_rows, sizeof dropped->n_rows);
    }
    if (status == STATUS_OK && dropped->n > 0) {
        status = comm_agree(comm, comm->rank == 0 ? STATUS_OK : new_tables(survey, dropped));
        if (status == STATUS_OK) {
            comm_broadcast(comm, dropped->first, bytes);
            comm_broadcast(comm, dropped->came, bytes);
        }
    }
    if (status != STATUS_OK) survey_dropped_free(dropped);
    return status;
}

int64_t survey_dropped_of(const SurveyDropped *dropped, int64_t e)
{
    return dropped->n == 0 ? 0 : dropped->first[e + 1] - dropped->first[e];
}

int64_t survey_dropped_came(const Survey *survey, const SurveyDropped *dropped, int64_t e)
{
    return dropped->n == 0 ? survey->first_trace[e] : dropped->came[e];
}

int64_t survey_dropped_fold(const Survey *survey, const SurveyDropped *dropped, int64_t e)
{
    return survey_dropped_came(survey, dropped, e + 1) - survey_dropped_came(survey, dropped, e);
}

int64_t survey_dropped_max_fold(const Survey *survey, const SurveyDropped *dropped)
{
    int64_t largest = 0;
    for (int64_t e = 0; e < survey->n_ensembles; e++)
        if (survey_dropped_fold(survey, dropped, e) > largest) largest = survey_dropped_fold(survey, dropped, e);
    return largest;
}

int64_t survey_dropped_kept(const Survey *survey, const SurveyDropped *dropped, int64_t e)
{
    return survey_dropped_fold(survey, dropped, e) - survey_dropped_of(dropped, e);
}

/* ---- the traces of a gather ---- */

typedef struct {
    int64_t n;
    int64_t *place, *row; /* [n] */
    float *value;         /* [n] */
} Traces;

static void traces_free(Traces *traces)
{
    memory_free(traces->place);
    memory_free(traces->row);
    memory_free(traces->value);
}

/* Places must rise within the gather, rows be there, and values be what a dropped trace can have. */
static Status check_traces(const Survey *survey, const SurveyDropped *dropped, int64_t e, const Traces *traces)
{
    int64_t fold = survey_dropped_fold(survey, dropped, e);
    for (int64_t i = 0; i < traces->n; i++) {
        bool good = traces->place[i] > (i == 0 ? -1 : traces->place[i - 1]) && traces->place[i] < fold;
        if (!good || traces->row[i] < -1 || traces->row[i] >= dropped->n_rows)
            return status_fail(STATUS_DATA,
                               "%s: trace %" PRId64 " of /dropped has the place %" PRId64 " in gather #%" PRId64
                               ", of %" PRId64 " trace%s, and the row %" PRId64 " of %" PRId64,
                               survey->path, dropped->first[e] + i, traces->place[i], e, fold,
                               log_plural(fold, "trace"), traces->row[i], dropped->n_rows);
    }
    return STATUS_OK;
}

static Status load(const Survey *survey, const SurveyDropped *dropped, int64_t e, Traces *traces)
{
    int64_t first = dropped->first[e], n = survey_dropped_of(dropped, e);
    const H5File *file = &survey->file;
    *traces = (Traces){.n = n,
                       .place = memory_new((size_t)n, sizeof *traces->place, "dropped traces"),
                       .row = memory_new((size_t)n, sizeof *traces->row, "dropped traces"),
                       .value = memory_new((size_t)n, sizeof *traces->value, "dropped traces")};
    if (traces->place == NULL || traces->row == NULL || traces->value == NULL) return STATUS_MEMORY;
    for (int64_t i = 0; i < n; i++) traces->row[i] = -1;
    Status status = h5_read_rows(file, place_set, H5T_NATIVE_INT64, first, n, 1, traces->place);
    if (status == STATUS_OK) status = h5_read_rows(file, value_set, H5T_NATIVE_FLOAT, first, n, 1, traces->value);
    if (status == STATUS_OK && dropped->n_rows > 0)
        status = h5_read_rows(file, row_set, H5T_NATIVE_INT64, first, n, 1, traces->row);
    return status == STATUS_OK ? check_traces(survey, dropped, e, traces) : status;
}

/* The samples of the i-th trace. */
static Status fill(const Survey *survey, const Traces *traces, int64_t i, float *samples)
{
    if (traces->row[i] >= 0)
        return h5_read_rows(&survey->file, amplitude_set, H5T_NATIVE_FLOAT, traces->row[i], 1, survey->n_samples,
                            samples);
    for (int64_t s = 0; s < survey->n_samples; s++) samples[s] = traces->value[i];
    return STATUS_OK;
}

Status survey_dropped_places(const Survey *survey, const SurveyDropped *dropped, int64_t e, int64_t *place)
{
    Traces traces;
    if (survey_dropped_of(dropped, e) == 0) return STATUS_OK;
    Status status = load(survey, dropped, e, &traces);
    if (status == STATUS_OK) memcpy(place, traces.place, (size_t)traces.n * sizeof *place);
    traces_free(&traces);
    return status;
}

Status survey_dropped_samples(const Survey *survey, const SurveyDropped *dropped, int64_t e, float *amplitude)
{
    Traces traces;
    if (survey_dropped_of(dropped, e) == 0) return STATUS_OK;
    Status status = load(survey, dropped, e, &traces);
    for (int64_t i = 0; i < traces.n && status == STATUS_OK; i++)
        status = fill(survey, &traces, i, amplitude + i * survey->n_samples);
    traces_free(&traces);
    return status;
}

Status survey_dropped_put_back(const Survey *survey, const SurveyDropped *dropped, int64_t e, float *amplitude)
{
    Traces traces;
    if (survey_dropped_of(dropped, e) == 0) return STATUS_OK;
    int64_t n_samples = survey->n_samples, i = survey_dropped_of(dropped, e) - 1;
    int64_t kept = survey_dropped_kept(survey, dropped, e) - 1;
    Status status = load(survey, dropped, e, &traces);
    /* From the end: no kept trace is overwritten before it has moved. */
    for (int64_t t = survey_dropped_fold(survey, dropped, e) - 1; t >= 0 && i >= 0 && status == STATUS_OK; t--) {
        float *to = amplitude + t * n_samples;
        if (traces.place[i] == t)
            status = fill(survey, &traces, i--, to);
        else
            memmove(to, amplitude + kept-- * n_samples, (size_t)n_samples * sizeof *to);
    }
    traces_free(&traces);
    return status;
}
