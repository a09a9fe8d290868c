#include "seisdcn/survey.h"

#include "seisdcn/checksum.h"
#include "seisdcn/files.h"
#include "seisdcn/memory.h"
#include "seisdcn/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

Status survey_close(Survey *survey)
{
    Status status = STATUS_OK;
    if (survey->file.id > 0) status = h5_close_parallel(&survey->comm, &survey->file);
    memory_free(survey->first_trace);
    memory_free(survey->inlines);
    memory_free(survey->crosslines);
    memory_free(survey->lines);
    memory_free(survey->starts_us);
    memory_free(survey->checksums);
    memory_free(survey->done);
    for (int i = 0; i < survey->n_attributes; i++) memory_free(survey->attribute[i].checksums);
    memory_free(survey->history);
    memory_free(survey->path);
    memset(survey, 0, sizeof *survey);
    return status;
}

int64_t survey_fold(const Survey *survey, int64_t e) { return survey->first_trace[e + 1] - survey->first_trace[e]; }

double survey_start_us(const Survey *survey, int64_t e)
{
    return survey->starts_us == NULL ? 0 : (double)survey->starts_us[e];
}

int64_t survey_max_fold(const Survey *survey)
{
    int64_t largest = 0;
    for (int64_t e = 0; e < survey->n_ensembles; e++)
        if (survey_fold(survey, e) > largest) largest = survey_fold(survey, e);
    return largest;
}

char *survey_ensemble_name(const Survey *survey, int64_t e, char *text)
{
    char line[32] = "";
    if (survey->lines != NULL) snprintf(line, sizeof line, "line %" PRId32, survey->lines[e]);
    const char *comma = line[0] == '\0' ? "" : ", ";
    if (position_known(survey->inlines[e], survey->crosslines[e]))
        snprintf(text, 96, "gather #%" PRId64 " (%s%sinline %" PRId32 ", crossline %" PRId32 ")", e, line, comma,
                 survey->inlines[e], survey->crosslines[e]);
    else
        snprintf(text, 96, "gather #%" PRId64 "%s%s%s", e, line[0] == '\0' ? "" : " (", line,
                 line[0] == '\0' ? "" : ")");
    return text;
}

int64_t survey_first_not_finite(const float *values, int64_t n)
{
    /* By the bits of the exponent, in blocks: a loop without a way out in its middle runs in vectors. */
    enum { BLOCK = 4096 };
    for (int64_t first = 0; first < n; first += BLOCK) {
        int64_t end = n - first < BLOCK ? n : first + BLOCK;
        uint32_t bad = 0;
        for (int64_t i = first; i < end; i++) {
            uint32_t bits;
            memcpy(&bits, values + i, sizeof bits);
            bad |= (bits & 0x7f800000u) == 0x7f800000u;
        }
        for (int64_t i = first; bad && i < end; i++) {
            uint32_t bits;
            memcpy(&bits, values + i, sizeof bits);
            if ((bits & 0x7f800000u) == 0x7f800000u) return i;
        }
    }
    return -1;
}

/* ---- gathers ---- */

static Status read_channel(const Survey *survey, int64_t e, const char *dataset, float *values)
{
    return h5_read_rows(&survey->file, dataset, H5T_NATIVE_FLOAT, survey->first_trace[e], survey_fold(survey, e),
                        survey->n_samples, values);
}

/* The checksum that channel c of ensemble e should have, 0 where none is known. */
static uint64_t checksum_of(const Survey *survey, int64_t e, int64_t c)
{
    if (c > 0) return survey->attribute[c - 1].checksums == NULL ? 0 : survey->attribute[c - 1].checksums[e];
    return survey->done != NULL && !survey->done[e] ? 0 : survey->checksums[e];
}

static Status check_checksum(const Survey *survey, int64_t e, int64_t c, const float *values)
{
    size_t bytes = (size_t)(survey_fold(survey, e) * survey->n_samples) * sizeof *values;
    uint64_t wanted = checksum_of(survey, e, c);
    if (wanted == 0) return STATUS_OK;
    uint64_t found = checksum_bytes(values, bytes);
    if (found == wanted) return STATUS_OK;
    char dataset[SURVEY_DATASET_MAX], name[96];
    return status_fail(
        STATUS_DATA,
        "%s: %s does not match its checksum: its values of %s give %016" PRIx64 ", the file says "
        "%016" PRIx64 "; it is damaged: %s (seisdcn info --verify names all such gathers; --trust reads "
        "them all the same)",
        survey->path, survey_ensemble_name(survey, e, name), survey_channel_name(survey, c, dataset), found, wanted,
        c == 0 ? "make the file again from its source" : "compute it again with seisdcn attributes --force");
}

static Status check_finite(const Survey *survey, int64_t e, int64_t c, const float *values)
{
    int64_t bad = survey_first_not_finite(values, survey_fold(survey, e) * survey->n_samples);
    if (bad < 0) return STATUS_OK;
    char dataset[SURVEY_DATASET_MAX], name[96];
    return status_fail(
        STATUS_DATA, "%s: %s: %s: trace %" PRId64 ", sample %" PRId64 " (counted from 0) is not finite; %s",
        survey->path, survey_ensemble_name(survey, e, name), survey_channel_name(survey, c, dataset),
        bad / survey->n_samples, bad % survey->n_samples,
        c == 0 ? "consolidate the survey again with --zero-bad (or --drop-dead, where whole traces are NaN)"
               : "write this attribute again");
}

Status survey_check_values(const Survey *survey, int64_t e, int64_t c, const float *values)
{
    Status status = survey->trusted ? STATUS_OK : check_checksum(survey, e, c, values);
    return status == STATUS_OK ? check_finite(survey, e, c, values) : status;
}

Status survey_read_gather(const Survey *survey, int64_t e, int64_t n_channels, float *amplitude)
{
    if (n_channels > survey->n_attributes + 1)
        return status_fail(STATUS_DATA,
                           "%s: has %d channel%s (the amplitude and what is under /attribute), but %" PRId64
                           " were wanted",
                           survey->path, survey->n_attributes + 1, survey->n_attributes == 0 ? "" : "s", n_channels);
    int64_t items = survey_fold(survey, e) * survey->n_samples;
    for (int64_t c = 0; c < n_channels; c++) {
        char dataset[SURVEY_DATASET_MAX];
        Status status = read_channel(survey, e, survey_channel_name(survey, c, dataset), amplitude + c * items);
        if (status == STATUS_OK) status = survey_check_values(survey, e, c, amplitude + c * items);
        if (status != STATUS_OK) return status;
    }
    return STATUS_OK;
}

Status survey_read_offsets(const Survey *survey, int64_t e, float *offsets)
{
    int64_t fold = survey_fold(survey, e);
    if (h5_exists(&survey->file, "/trace/offset"))
        return h5_read_rows(&survey->file, "/trace/offset", H5T_NATIVE_FLOAT, survey->first_trace[e], fold, 1, offsets);
    for (int64_t t = 0; t < fold; t++) offsets[t] = NAN;
    return STATUS_OK;
}

/* HDF5 and MPI-IO keep to themselves why a write failed: says so where it is a full file system. */
static Status explain_write(const Survey *survey, Status status, size_t bytes)
{
    char why[STATUS_MESSAGE_MAX];
    if (status != STATUS_IO) return status;
    snprintf(why, sizeof why, "%s", status_message());
    if (files_check_space(survey->path, (double)bytes) == STATUS_IO)
        return status_prefix(status, "no room for a gather");
    return status_fail(status, "%s", why);
}

Status survey_write_gather(Survey *survey, int64_t e, const float *amplitude)
{
    int64_t fold = survey_fold(survey, e);
    size_t bytes = (size_t)(fold * survey->n_samples) * sizeof *amplitude;
    uint64_t checksum = checksum_bytes(amplitude, bytes);
    uint8_t done = 1;
    const H5File *file = &survey->file;
    /* In this order: after a kill the flag never stands without its data. */
    Status status =
        h5_write_rows(file, "/amplitude", H5T_NATIVE_FLOAT, survey->first_trace[e], fold, survey->n_samples, amplitude);
    if (status == STATUS_OK) status = h5_write_rows(file, "/ensemble/checksum", H5T_NATIVE_UINT64, e, 1, 1, &checksum);
    if (status == STATUS_OK && survey->done != NULL)
        status = h5_write_rows(file, "/ensemble/done", H5T_NATIVE_UINT8, e, 1, 1, &done);
    if (status != STATUS_OK) return explain_write(survey, status, bytes);
    survey->checksums[e] = checksum;
    if (survey->done != NULL) survey->done[e] = 1;
    return STATUS_OK;
}

/* Whether channel c of ensemble e still has this checksum. */
static Status verify(const Survey *survey, int64_t c, int64_t e, uint64_t wanted)
{
    char dataset[SURVEY_DATASET_MAX], name[96];
    size_t items = (size_t)(survey_fold(survey, e) * survey->n_samples);
    float *values = memory_new(items, sizeof *values, "a gather"); /* [fold][n_samples] */
    if (values == NULL) return STATUS_MEMORY;
    Status status = read_channel(survey, e, survey_channel_name(survey, c, dataset), values);
    if (status == STATUS_OK && checksum_bytes(values, items * sizeof *values) != wanted)
        status = status_fail(STATUS_DATA, "%s: %s does not have the values of %s that its checksum was made of",
                             survey->path, survey_ensemble_name(survey, e, name), dataset);
    memory_free(values);
    return status;
}

Status survey_verify_gather(const Survey *survey, int64_t e) { return verify(survey, 0, e, survey->checksums[e]); }

Status survey_verify_channel(const Survey *survey, int64_t c, int64_t e)
{
    return verify(survey, c, e, survey->attribute[c - 1].checksums[e]);
}

/* ---- history ---- */

enum { COMMAND_SHOWN = 4000 };

char *survey_history(const char *earlier, const char *command)
{
    unsigned major, minor, release;
    H5get_libversion(&major, &minor, &release);
    char mpi[MPI_MAX_LIBRARY_VERSION_STRING], quoted[2 * COMMAND_SHOWN + 8];
    int length;
    MPI_Get_library_version(mpi, &length);
    mpi[strcspn(mpi, ",\n")] = '\0'; /* what follows names the machine that built it */
    size_t at = 0;
    for (size_t i = 0; i < COMMAND_SHOWN && command[i] != '\0'; i++) {
        if (command[i] == '"' || command[i] == '\\') quoted[at++] = '\\';
        quoted[at++] = (unsigned char)command[i] < ' ' ? ' ' : command[i];
    }
    quoted[at] = '\0';
    const char *cut = strlen(command) > COMMAND_SHOWN ? " ..." : "";
    const char *before = earlier == NULL ? "" : earlier;
    size_t n = strlen(before);
    const char *newline = n > 0 && before[n - 1] != '\n' ? "\n" : "";
    return text_format("%s%s- {command: \"%s%s\", program: seisdcn %s, hdf5: %u.%u.%u, mpi: \"%s\"}\n", before, newline,
                       quoted, cut, SEISDCN_VERSION, major, minor, release, mpi);
}
