/* qc: figures of quality of predictions over a whole survey: what was left, what was taken, and whether signal went
 * with it. Each gather is measured by one rank; the sums of gathers are added in blocks whose number does not depend on
 * the ranks, and rank 0 adds the blocks in order: the same bits for any number of ranks. */
#include "export_origin.h"
#include "qc_private.h"

#include "seisdcn/commands.h"
#include "seisdcn/files.h"
#include "seisdcn/log.h"
#include "seisdcn/memory.h"
#include "seisdcn/survey_lines.h"
#include "seisdcn/text.h"
#include "seisdcn/timer.h"

#include <inttypes.h>
#include <math.h>

/* Blocks of gathers whose sums are added on their own: so many, or fewer where the sums are many. */
enum { BLOCKS_MAX = 4096, BLOCKS_DOUBLES = 1 << 23, BLOCKS_MIN = 64 };

typedef struct {
    const Job *job;
    Survey survey, clean, prediction[QC_PREDICTIONS_MAX];
    char *name, *names[QC_PREDICTIONS_MAX]; /* of the survey and the predictions */
    QcSplit split;
    QcShape shape;
    int64_t *list, n; /* the ensembles that count */
    int64_t n_blocks;
    double *sums, *gathers; /* rank 0: [qc_sums_size()], and [n][cell] */
} Qc;

/* ---- prepare ---- */

static Status check_words(Qc *qc)
{
    const Job *job = qc->job;
    QcShape *shape = &qc->shape;
    if (qc_options(job)->predicted.n > QC_PREDICTIONS_MAX)
        return status_fail(STATUS_USAGE, "--predicted is given more than %d times", (int)QC_PREDICTIONS_MAX);
    shape->n_predictions = qc_options(job)->predicted.n;
    shape->with_clean = qc_options(job)->clean != NULL;
    shape->radius = (SimilarityShape){.radius_traces = qc_options(job)->radius_traces,
                                      .radius_samples = qc_options(job)->radius_samples};
    return qc_split_check(job, &qc->split);
}

static Status check_outputs(const Job *job)
{
    const char *csv = qc_options(job)->csv, *gathers = qc_options(job)->gathers;
    Status status = csv == NULL ? STATUS_OK : files_check_output(csv, job->force);
    if (status != STATUS_OK || gathers == NULL) return status;
    return files_check_output(gathers, job->force);
}

/* What the tables call a file: a copy of its path, with the word for what is no prediction (or survey). */
static Status name_file(const Survey *survey, bool is_noise, char **name)
{
    *name = text_format("%s%s", survey->path, is_noise ? " (noise)" : "");
    return *name == NULL ? STATUS_MEMORY : STATUS_OK;
}

/* Opens prediction p, or the noise that goes with it. */
static Status open_prediction(Qc *qc, int p)
{
    const Comm *comm = &qc->job->comm;
    Survey *prediction = &qc->prediction[p];
    Origin origin = {0};
    Status status = survey_open(comm, qc_options(qc->job)->predicted.text[p], false, prediction);
    if (status == STATUS_OK) status = comm_agree(comm, survey_check_pair(&qc->survey, prediction));
    if (status == STATUS_OK) status = export_origin_read(prediction, &origin);
    if (status != STATUS_OK) return status;
    qc->shape.is_noise[p] = origin.is_difference;
    qc->split.has_model[p] = origin.has_model;
    qc->split.deal[p] = origin.deal;
    if (origin.is_difference)
        log_note("%s holds noise, input minus prediction (--difference): its prediction is the input minus it",
                 prediction->path);
    return comm_agree(comm, name_file(prediction, origin.is_difference, &qc->names[p]));
}

static Status open_files(Qc *qc)
{
    const Job *job = qc->job;
    const Comm *comm = &job->comm;
    Origin origin = {0};
    Status status = survey_open(comm, qc_options(job)->survey, false, &qc->survey);
    if (status == STATUS_OK) status = export_origin_read(&qc->survey, &origin);
    if (status == STATUS_OK) status = comm_agree(comm, name_file(&qc->survey, origin.is_difference, &qc->name));
    if (status == STATUS_OK && qc->shape.with_clean) {
        status = survey_open(comm, qc_options(job)->clean, false, &qc->clean);
        if (status == STATUS_OK) status = export_origin_check_clean(&qc->clean);
        if (status == STATUS_OK) status = comm_agree(comm, survey_check_pair(&qc->survey, &qc->clean));
    }
    for (int p = 0; p < qc->shape.n_predictions && status == STATUS_OK; p++) status = open_prediction(qc, p);
    return status;
}

static bool is_done(const Survey *survey, int64_t e) { return survey->done == NULL || survey->done[e] != 0; }

/* The ensembles that the user chose, of the split that he chose, as far as they are done in every file. */
static Status fill_list(Qc *qc, uint8_t *selected)
{
    const Survey *survey = &qc->survey;
    const char *list = qc_options(qc->job)->ensembles;
    uint8_t *listed = memory_new((size_t)survey->n_ensembles, 1, "the selected gathers");
    qc->list = memory_new((size_t)survey->n_ensembles, sizeof *qc->list, "the selected gathers");
    Status status = listed == NULL || qc->list == NULL ? STATUS_MEMORY : STATUS_OK;
    if (status == STATUS_OK && list != NULL) status = survey_select(survey, list, listed);
    for (int64_t e = 0; status == STATUS_OK && e < survey->n_ensembles; e++) {
        bool counts = (list == NULL || listed[e]) && (qc->split.name == NULL || selected[e]) && is_done(survey, e);
        if (qc->shape.with_clean) counts = counts && is_done(&qc->clean, e);
        for (int p = 0; p < qc->shape.n_predictions; p++) counts = counts && is_done(&qc->prediction[p], e);
        if (counts) qc->list[qc->n++] = e;
    }
    memory_free(listed);
    if (status != STATUS_OK || qc->n > 0) return status;
    if (qc->split.name != NULL)
        return status_fail(STATUS_DATA,
                           "none of the gathers of the split %s is predicted in every file%s; predict more, or name "
                           "another split%s",
                           qc->split.name, list != NULL ? " and among --ensembles" : "",
                           list != NULL ? " or other gathers" : "");
    return status_fail(STATUS_DATA, "none of the gathers is predicted in every file; predict more, or name others "
                                    "with --ensembles");
}

/* Which gathers count. Collective. */
static Status choose_gathers(Qc *qc)
{
    const Comm *comm = &qc->job->comm;
    uint8_t *selected = memory_new((size_t)qc->survey.n_ensembles, 1, "the gathers of the split");
    Status status = comm_agree(comm, selected == NULL ? STATUS_MEMORY : STATUS_OK);
    if (status == STATUS_OK && qc->split.name != NULL)
        status = qc_split_select(qc->job, &qc->survey, qc->prediction, qc->shape.n_predictions, &qc->split, selected);
    if (status == STATUS_OK) status = comm_agree(comm, fill_list(qc, selected));
    memory_free(selected);
    return status;
}

/* The range of this rank's offsets; *unknown: one of them is not known. */
static Status my_offsets(const Qc *qc, double *low, double *high, bool *unknown)
{
    int64_t first, end;
    comm_share(&qc->job->comm, qc->n, &first, &end);
    float *offset = memory_new((size_t)qc->shape.max_fold, sizeof *offset, "the offsets");
    Status status = offset == NULL ? STATUS_MEMORY : STATUS_OK;
    for (int64_t i = first; i < end && status == STATUS_OK; i++) {
        int64_t e = qc->list[i];
        status = survey_read_offsets(&qc->survey, e, offset);
        for (int64_t t = 0; t < survey_fold(&qc->survey, e) && status == STATUS_OK; t++) {
            if (!isfinite(offset[t])) *unknown = true;
            *low = fmin(*low, (double)offset[t]);
            *high = fmax(*high, (double)offset[t]);
        }
    }
    memory_free(offset);
    return status;
}

/* Bins by offset where every offset is known, else by trace number. */
static Status choose_bins(Qc *qc)
{
    QcShape *shape = &qc->shape;
    double low = INFINITY, high = -INFINITY;
    bool unknown = false;
    Status status = comm_agree(&qc->job->comm, my_offsets(qc, &low, &high, &unknown));
    if (status != STATUS_OK) return status;
    double ends[3] = {-low, high, unknown}, all[3];
    MPI_Allreduce(ends, all, 3, MPI_DOUBLE, MPI_MAX, qc->job->comm.mpi);
    shape->by_offset = all[2] == 0;
    shape->low = -all[0];
    shape->high = all[1];
    shape->n_bins = qc_options(qc->job)->bins;
    if (!shape->by_offset && shape->n_bins > shape->max_fold) shape->n_bins = shape->max_fold;
    if (shape->by_offset && shape->low == shape->high) shape->n_bins = 1;
    return STATUS_OK;
}

/* The axis of the windows: of time, from the first sample of any gather to the last one. */
static void choose_axis(Qc *qc)
{
    QcShape *shape = &qc->shape;
    const Survey *survey = &qc->survey;
    shape->timed = survey->interval_us > 0;
    shape->start_us = INFINITY;
    shape->n_axis = shape->n_samples;
    for (int64_t i = 0; i < qc->n; i++) {
        double start = survey_start_us(survey, qc->list[i]);
        if (isnan(start)) shape->timed = false; /* traces of one gather begin at different times */
        shape->start_us = fmin(shape->start_us, start);
    }
    for (int64_t i = 0; i < qc->n; i++) {
        int64_t end = shape->n_samples + qc_shift(shape, survey, qc->list[i]);
        if (end > shape->n_axis) shape->n_axis = end;
    }
}

static Status prepare(Qc *qc)
{
    const Job *job = qc->job;
    QcShape *shape = &qc->shape;
    Status status = check_words(qc); /* alike on all ranks */
    if (status != STATUS_OK) return status;
    status = comm_agree(&job->comm, job->comm.rank == 0 ? check_outputs(job) : STATUS_OK);
    if (status == STATUS_OK) status = open_files(qc);
    if (status == STATUS_OK) status = choose_gathers(qc);
    if (status != STATUS_OK) return status;
    shape->n_samples = qc->survey.n_samples;
    for (int64_t i = 0; i < qc->n; i++) {
        int64_t fold = survey_fold(&qc->survey, qc->list[i]);
        if (fold > shape->max_fold) shape->max_fold = fold;
    }
    int64_t windows = qc_options(job)->windows, bands = qc_options(job)->bands;
    int64_t frequencies = shape->n_samples / 2 + 1;
    choose_axis(qc);
    shape->n_windows = windows < shape->n_axis ? windows : shape->n_axis;
    shape->n_bands = bands < frequencies ? bands : frequencies;
    return choose_bins(qc);
}

/* ---- loop ---- */

/* This rank's blocks first .. end - 1: their sums, and the cells of their gathers one after the other. */
typedef struct {
    int64_t first, end;
    double *sums, *cells, *gather;
    QcRoom room;
} Mine;

static int64_t block_first(const Qc *qc, int64_t block) { return qc_first(block, qc->n, qc->n_blocks); }

static Status mine_new(const Qc *qc, Mine *mine)
{
    comm_share(&qc->job->comm, qc->n_blocks, &mine->first, &mine->end);
    size_t size = (size_t)qc_sums_size(&qc->shape), blocks = (size_t)(mine->end - mine->first);
    size_t gathers = (size_t)(block_first(qc, mine->end) - block_first(qc, mine->first));
    mine->sums = memory_new(blocks * size, sizeof *mine->sums, "the sums");
    mine->cells = memory_new(gathers * (size_t)qc_cell_size(&qc->shape), sizeof *mine->cells, "the gathers' sums");
    mine->gather = memory_new(size, sizeof *mine->gather, "the sums");
    if (mine->sums == NULL || mine->cells == NULL || mine->gather == NULL) return STATUS_MEMORY;
    return qc_room_new(&qc->shape, &mine->room);
}

static void mine_free(Mine *mine)
{
    memory_free(mine->sums);
    memory_free(mine->cells);
    memory_free(mine->gather);
    qc_room_free(&mine->room);
}

static Status measure_block(const Qc *qc, Mine *mine, int64_t block)
{
    int64_t size = qc_sums_size(&qc->shape), cell = qc_cell_size(&qc->shape), before = block_first(qc, mine->first);
    double *sums = mine->sums + (block - mine->first) * size;
    for (int64_t i = block_first(qc, block); i < block_first(qc, block + 1); i++) {
        Status status =
            qc_measure(&qc->shape, &qc->survey, &qc->clean, qc->prediction, qc->list[i], &mine->room, mine->gather);
        if (status != STATUS_OK) return status;
        for (int64_t k = 0; k < size; k++) sums[k] += mine->gather[k];
        qc_total(&qc->shape, mine->gather, mine->cells + (i - before) * cell);
        log_progress((i + 1 - before) * qc->job->comm.size, NULL);
    }
    return STATUS_OK;
}

/* Rank 0 gets the blocks of all ranks in order, and adds them. */
static Status collect(Qc *qc, const Mine *mine)
{
    const Comm *comm = &qc->job->comm;
    int64_t size = qc_sums_size(&qc->shape), n = block_first(qc, mine->end) - block_first(qc, mine->first);
    void *blocks = NULL, *cells = NULL;
    Status status =
        comm_gather(comm, mine->sums, (size_t)((mine->end - mine->first) * size) * sizeof *mine->sums, &blocks, NULL);
    if (status == STATUS_OK)
        status =
            comm_gather(comm, mine->cells, (size_t)(n * qc_cell_size(&qc->shape)) * sizeof *mine->cells, &cells, NULL);
    if (status == STATUS_OK && comm->rank == 0) {
        qc->sums = memory_new((size_t)size, sizeof *qc->sums, "the sums");
        if (qc->sums == NULL) status = STATUS_MEMORY;
        for (int64_t k = 0; k < qc->n_blocks * size && status == STATUS_OK; k++)
            qc->sums[k % size] += ((const double *)blocks)[k];
    }
    qc->gathers = cells;
    memory_free(blocks);
    return comm_agree(comm, status);
}

static Status measure(Qc *qc)
{
    const Comm *comm = &qc->job->comm;
    int64_t most = BLOCKS_DOUBLES / qc_sums_size(&qc->shape);
    most = most < BLOCKS_MIN ? BLOCKS_MIN : most > BLOCKS_MAX ? BLOCKS_MAX : most;
    qc->n_blocks = qc->n < most ? qc->n : most;
    Mine mine = {0};
    Status status = comm_agree(comm, mine_new(qc, &mine));
    int64_t rounds = (qc->n_blocks + comm->size - 1) / comm->size;
    log_progress_start("qc", qc->n, "gather");
    for (int64_t round = 0; round < rounds && status == STATUS_OK; round++) {
        int64_t block = mine.first + round;
        if (block < mine.end) status = measure_block(qc, &mine, block);
        status = comm_agree(comm, status);
    }
    log_progress_end();
    if (status == STATUS_OK) status = collect(qc, &mine);
    mine_free(&mine);
    return status;
}

/* ---- report ---- */

static Status report(const Qc *qc)
{
    const Job *job = qc->job;
    const char *csv = qc_options(job)->csv, *gathers = qc_options(job)->gathers;
    QcResult result = {.shape = &qc->shape,
                       .survey = &qc->survey,
                       .survey_name = qc->name,
                       .split = qc->split.name,
                       .sums = qc->sums,
                       .list = qc->list,
                       .n_gathers = qc->n,
                       .gathers = qc->gathers};
    for (int p = 0; p < qc->shape.n_predictions; p++) result.names[p] = qc->names[p];
    Status status = qc_print(&result, qc_options(job)->worst);
    if (status == STATUS_OK && csv != NULL) status = qc_write_csv(&result, csv);
    if (status == STATUS_OK && gathers != NULL) status = qc_write_gathers(&result, gathers);
    return status;
}

static void close_files(Qc *qc, Status *status)
{
    Status closed = survey_close(&qc->survey);
    Status twin = survey_close(&qc->clean);
    if (closed == STATUS_OK) closed = twin;
    for (int p = 0; p < QC_PREDICTIONS_MAX; p++) {
        Status one = survey_close(&qc->prediction[p]);
        if (closed == STATUS_OK) closed = one;
    }
    if (*status == STATUS_OK) *status = closed;
}

static Status run(Job *job)
{
    Qc qc = {.job = job};
    double start = timer_now();
    Status status = prepare(&qc);
    if (status == STATUS_OK) status = measure(&qc);
    if (status == STATUS_OK) status = comm_agree(&job->comm, job->comm.rank == 0 ? report(&qc) : STATUS_OK);
    if (status == STATUS_OK) {
        char time[32], count[LOG_THINGS_MAX];
        log_note("measured %s%s%s in %s", log_things(qc.n, "gather", count),
                 qc.split.name == NULL ? "" : " of the split ", qc.split.name == NULL ? "" : qc.split.name,
                 log_duration(timer_now() - start, time));
    }
    memory_free(qc.name);
    for (int p = 0; p < QC_PREDICTIONS_MAX; p++) memory_free(qc.names[p]);
    memory_free(qc.list);
    memory_free(qc.sums);
    memory_free(qc.gathers);
    close_files(&qc, &status);
    return status;
}

static const Option options[] = {
    {"--survey", FILLS(SURVEY, QcOptions, survey), "FILE.h5", NULL, 0, 0, true, "the survey that was predicted"},
    {"--predicted", FILLS(SURVEYS, QcOptions, predicted), "PREDICTED.h5", NULL, 0, 0, true,
     "its prediction, or its noise (--difference); may be repeated, to compare several"},
    {"--clean", FILLS(SURVEY, QcOptions, clean), "CLEAN.h5", NULL, 0, 0, false,
     "the survey without noise (a synthetic one's): adds SNR and lost signal"},
    {"--ensembles", FILLS(TEXT, QcOptions, ensembles), "LIST", NULL, 0, 0, false,
     "only these gathers: 1300:1400,#7,1300-1310:1400-1500,#0-#9"},
    {"--split", FILLS(TEXT, QcOptions, split), "train|valid|test", NULL, 0, 0, false,
     "only the gathers of this split: of the model's, as its prediction keeps it, or of --map's"},
    {"--map", FILLS(INPUT, QcOptions, map), "MAP.h5", NULL, 0, 0, false,
     "the index map that tells the split (default: the models' own)"},
    {"--csv", FILLS(OUTPUT, QcOptions, csv), "FILE.csv", NULL, 0, 0, false, "writes the tables as CSV too"},
    {"--gathers", FILLS(OUTPUT, QcOptions, gathers), "FILE.csv", NULL, 0, 0, false,
     "writes the figures of each gather, one row each, for maps"},
    {"--bins", FILLS(INT, QcOptions, bins), "N", "8", 1, 10000, false,
     "bins of offset (of trace number where offsets are unknown)"},
    {"--windows", FILLS(INT, QcOptions, windows), "N", "8", 1, 10000, false, "windows of time"},
    {"--bands", FILLS(INT, QcOptions, bands), "N", "8", 0, 10000, false, "bands of frequency; 0: no spectra"},
    {"--worst", FILLS(INT, QcOptions, worst), "N", "10", 0, 100000, false, "worst gathers to name"},
    {"--radius-traces", FILLS(INT, QcOptions, radius_traces), "N", "5", 0, 10000, false,
     "local similarity: traces at which a triangle weighs half"},
    {"--radius-samples", FILLS(INT, QcOptions, radius_samples), "N", "10", 0, 100000, false,
     "the same along the trace, in samples"},
    {.name = NULL}};

const Command command_qc = {
    .name = "qc",
    .summary = "figures of quality of predictions over a whole survey",
    .description =
        "Prints RMS of input, prediction and difference, and how much signal leaked into the difference: the mean "
        "local "
        "similarity of prediction and difference (0: nothing alike, 1: alike), over the survey, by offset, by time and "
        "for the worst gathers; and spectra of prediction and difference over the input's. With --clean, also "
        "signal-to-noise ratios: 10 log10 of the energy of clean over that of what differs from it, the gain from "
        "input "
        "to prediction, and the share of the signal that was lost: 1 - <prediction, clean> / <clean, clean>. Gathers "
        "that are not predicted yet do not count; predictions of apply, fxdecon and mean stand side by side. --split "
        "test counts those "
        "alone that neither trained the model nor chose it. The same "
        "numbers for any number of ranks.",
    .example = "mpirun -n 4 seisdcn qc --survey survey.h5 --predicted predicted.h5 --csv qc.csv\n"
               "mpirun -n 4 seisdcn qc --survey noisy.h5 --predicted net.h5 --predicted fx.h5 --clean clean.h5 "
               "--split test",
    .tables = {{options, 0}},
    .options_size = sizeof(QcOptions),
    .run = run,
};
