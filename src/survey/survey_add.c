#include "seisdcn/survey_add.h"

#include "seisdcn/checksum.h"
#include "seisdcn/log.h"
#include "seisdcn/memory.h"
#include "seisdcn/text.h"

#include <string.h>

static const char *const GROUPS[] = {"/attribute", "/attribute_checksum", NULL};

/* ---- the beginning ---- */

static const SurveyAttribute *find(const Survey *survey, const char *name)
{
    for (int i = 0; i < survey->n_attributes; i++)
        if (strcmp(survey->attribute[i].name, name) == 0) return &survey->attribute[i];
    return NULL;
}

/* Alike on all ranks. */
static Status check(const Survey *survey, const SurveyAddition *addition, int n, bool force)
{
    int n_new = 0;
    for (int i = 0; i < n; i++) {
        bool exists = find(survey, addition[i].name) != NULL;
        if (exists && !force)
            return status_fail(STATUS_USAGE, "%s has /attribute/%s already: overwrite it with --force, or leave it out",
                               survey->path, addition[i].name);
        n_new += !exists;
    }
    if (survey->n_attributes + n_new <= SURVEY_ATTRIBUTES_MAX) return STATUS_OK;
    return status_fail(STATUS_DATA, "%s has %d attribute%s; with %d more there are more than %d", survey->path,
                       survey->n_attributes, log_plural(survey->n_attributes, "attribute"), n_new,
                       (int)SURVEY_ATTRIBUTES_MAX);
}

static Status allocate(SurveyAdding *adding)
{
    size_t n = (size_t)adding->n, n_ensembles = (size_t)adding->survey->n_ensembles;
    adding->offset = memory_new(n, sizeof *adding->offset, "attributes of a survey");
    adding->checksums = memory_new(n * n_ensembles, sizeof *adding->checksums, "the checksums of attributes");
    adding->without = memory_new(2 * n + 1, sizeof *adding->without, "attributes of a survey");
    if (adding->offset == NULL || adding->checksums == NULL || adding->without == NULL) return STATUS_MEMORY;
    for (size_t i = 0; i < 2 * n; i++) {
        adding->without[i] = text_format("%s/%s", GROUPS[i % 2], adding->addition[i / 2].name);
        if (adding->without[i] == NULL) return STATUS_MEMORY;
    }
    return STATUS_OK;
}

/* The dataset of addition i, and the table of its checksums. */
static const char *dataset(const SurveyAdding *adding, int i) { return adding->without[2 * i]; }
static const char *table(const SurveyAdding *adding, int i) { return adding->without[2 * i + 1]; }

static Status draw_one(const SurveyAdding *adding, const H5File *sketch, int i)
{
    const Survey *survey = adding->survey;
    const SurveyAddition *addition = &adding->addition[i];
    const char *name = dataset(adding, i);
    Status status =
        h5_create_dataset(sketch, name, H5T_IEEE_F32LE, 2, (int64_t[]){survey->n_traces, survey->n_samples});
    if (status == STATUS_OK) status = h5_put_text(sketch, name, "scale", addition->shared_scale ? "shared" : "none");
    if (status == STATUS_OK) status = h5_put_text(sketch, name, "definition", addition->definition);
    if (status == STATUS_OK) status = h5_put_uint(sketch, name, "checksum", 0); /* until survey_add_finish() */
    if (status == STATUS_OK) status = h5_put_uint(sketch, name, "survey_checksum", survey->checksum);
    if (status == STATUS_OK)
        status = h5_create_dataset(sketch, table(adding, i), H5T_STD_U64LE, 1, &survey->n_ensembles);
    return status;
}

static Status draw(const SurveyAdding *adding, const char *history)
{
    H5File sketch;
    Status status = h5_open(adding->change.sketch, true, &sketch);
    if (status != STATUS_OK) return status;
    for (int i = 0; status == STATUS_OK && i < adding->n; i++) status = draw_one(adding, &sketch, i);
    if (status == STATUS_OK) status = h5_put_text(&sketch, "/", "history", history);
    Status closed = h5_close(&sketch);
    return status != STATUS_OK ? status : closed;
}

/* Rank 0's. */
static Status prepare(SurveyAdding *adding, const char *history)
{
    H5Change *change = &adding->change;
    Status status = h5_change_begin(adding->survey->path, GROUPS, (const char *const *)adding->without, change);
    if (status == STATUS_OK) status = draw(adding, history);
    for (int i = 0; status == STATUS_OK && i < adding->n; i++)
        status = h5_change_straight(change, dataset(adding, i), &adding->offset[i]);
    return status == STATUS_OK ? h5_change_reserve(change) : status;
}

Status survey_add_begin(const Survey *survey, const SurveyAddition *addition, int n, bool force, const char *history,
                        SurveyAdding *adding)
{
    const Comm *comm = &survey->comm;
    *adding = (SurveyAdding){.survey = survey, .n = n, .addition = addition};
    Status status = check(survey, addition, n, force);
    if (status != STATUS_OK) return status;
    status = comm_agree(comm, allocate(adding));
    if (status == STATUS_OK) status = comm_agree(comm, comm->rank == 0 ? prepare(adding, history) : STATUS_OK);
    if (status == STATUS_OK) {
        comm_broadcast(comm, adding->offset, (size_t)n * sizeof *adding->offset);
        status = rawfile_open(comm, survey->path, &adding->file);
    }
    if (status != STATUS_OK) survey_add_end(adding);
    return status;
}

/* ---- gathers ---- */

Status survey_add_gather(SurveyAdding *adding, int64_t e, const float *values)
{
    const Survey *survey = adding->survey;
    int64_t items = survey_fold(survey, e) * survey->n_samples, bytes = items * (int64_t)sizeof *values;
    int64_t first = survey->first_trace[e] * survey->n_samples * (int64_t)sizeof *values;
    Status status = STATUS_OK;
    for (int i = 0; status == STATUS_OK && i < adding->n; i++) {
        status = rawfile_write(&adding->file, adding->offset[i] + first, bytes, values + i * items);
        adding->checksums[i * survey->n_ensembles + e] = checksum_bytes(values + i * items, (size_t)bytes);
    }
    return status;
}

/* ---- the end ---- */

/* Rank 0's: it has the checksums of all ranks. */
static Status write_checksums(const SurveyAdding *adding)
{
    H5File sketch;
    int64_t n = adding->survey->n_ensembles;
    Status status = h5_open(adding->change.sketch, true, &sketch);
    if (status != STATUS_OK) return status;
    for (int i = 0; status == STATUS_OK && i < adding->n; i++) {
        const uint64_t *mine = adding->checksums + i * n;
        status = h5_write_rows(&sketch, table(adding, i), H5T_NATIVE_UINT64, 0, n, 1, mine);
        if (status == STATUS_OK)
            status =
                h5_put_uint(&sketch, dataset(adding, i), "checksum", checksum_bytes(mine, (size_t)n * sizeof *mine));
    }
    Status closed = h5_close(&sketch);
    return status != STATUS_OK ? status : closed;
}

Status survey_add_finish(SurveyAdding *adding)
{
    const Comm *comm = &adding->survey->comm;
    Status status = rawfile_close(&adding->file, true);
    if (status != STATUS_OK) return status;
    /* each one is some rank's, and 0 on the others */
    comm_sum(comm, (int64_t *)adding->checksums, (size_t)adding->n * (size_t)adding->survey->n_ensembles);
    if (comm->rank == 0) status = write_checksums(adding);
    if (comm->rank == 0 && status == STATUS_OK) status = h5_change_commit(&adding->change);
    return comm_agree(comm, status);
}

void survey_add_end(SurveyAdding *adding)
{
    (void)rawfile_close(&adding->file, false); /* a failure was told before */
    h5_change_end(&adding->change);
    for (int i = 0; adding->without != NULL && i < 2 * adding->n; i++) memory_free(adding->without[i]);
    memory_free(adding->without);
    memory_free(adding->offset);
    memory_free(adding->checksums);
    memset(adding, 0, sizeof *adding);
}
