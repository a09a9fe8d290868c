/* Held-out gathers, predicted by every training's best model and measured as qc does. A gather by one model is an item
 * of one list, dealt over all ranks; nothing is written. The sums of an item do not depend on who computes it, and are
 * added in the gathers' order: the same figures for any number of ranks. */
#include "apply.h"
#include "compare_private.h"
#include "export_origin.h"
#include "qc_private.h"

#include "seisdcn/index_deal.h"
#include "seisdcn/index_label.h"
#include "seisdcn/index_map.h"
#include "seisdcn/log.h"
#include "seisdcn/memory.h"
#include "seisdcn/survey_lines.h"
#include "seisdcn/text.h"
#include "seisdcn/timer.h"
#include "seisdcn/worklist.h"

#include <inttypes.h>
#include <string.h>

enum { RADIUS_TRACES = 5, RADIUS_SAMPLES = 10 }; /* of the local similarity, as qc has them where nothing is said */
enum { CELL = QC_COMMON + QC_EACH };

/* A model with what makes it ready. */
typedef struct {
    int64_t training; /* whose it is */
    char *path;
    Apply apply;
    Config config;
} Model;

/* What an item gives. */
typedef struct {
    int64_t item;
    double windows, seconds;
    double cell[CELL];
} Measure;

typedef struct {
    Job *job;
    Survey survey, clean;
    Model *model;
    int64_t n_models;
    int64_t *list, n; /* the gathers */
    QcShape shape;
    QcRoom room;
    double *sums;
    Measure *measure; /* [n_measured] this rank's */
    int64_t n_measured;
    int64_t ready; /* the model that is open, -1: none */
} Predict;

/* ---- the models ---- */

/* All ranks get the paths of rank 0's models. */
static Status share_paths(Predict *predict, const Comparison *comparison)
{
    const Comm *comm = &predict->job->comm;
    int64_t n = 0;
    for (int64_t i = 0; i < comparison->n; i++) n += comparison->training[i].model != NULL;
    comm_broadcast(comm, &n, sizeof n);
    predict->model = memory_new((size_t)n, sizeof *predict->model, "the models");
    Status status = comm_agree(comm, predict->model == NULL ? STATUS_MEMORY : STATUS_OK);
    for (int64_t i = 0, training = 0; status == STATUS_OK && i < n; i++, training++) {
        Model *model = &predict->model[predict->n_models++];
        while (comm->rank == 0 && comparison->training[training].model == NULL) training++;
        model->training = training;
        Status copied = STATUS_OK;
        if (comm->rank == 0) {
            model->path = text_copy(comparison->training[training].model);
            if (model->path == NULL) copied = STATUS_MEMORY;
        }
        status = comm_agree(comm, copied);
        if (status == STATUS_OK) status = comm_broadcast_text(comm, &model->path);
    }
    return status;
}

/* Each model with a configuration of its own, which takes the model's keys. */
static Status load_models(Predict *predict)
{
    const Vector *vector;
    Status status = model_choose_vector(&predict->job->comm, &vector);
    for (int64_t m = 0; status == STATUS_OK && m < predict->n_models; m++) {
        Model *model = &predict->model[m];
        model->config = predict->job->config;
        status = apply_load(&model->apply, &predict->job->comm, model->path, vector, &model->config);
        if (status == STATUS_OK)
            status =
                model_take_survey(&model->apply.network, model->apply.info.channels, &predict->survey, STATUS_DATA);
        if (status != STATUS_OK) status_prefix(status, "%s", model->path);
    }
    return status;
}

/* ---- the gathers ---- */

/* Gathers that were held out from one training must be from the others too. */
static Status check_splits(const Predict *predict)
{
    static const char *const remedy = "name gathers that no training saw with --ensembles";
    char text[INDEX_DIFFERENCES_TEXT];
    const Model *first = &predict->model[0];
    const ModelInfo *a = &first->apply.info;
    for (int64_t m = 0; m < predict->n_models; m++) {
        const ModelInfo *b = &predict->model[m].apply.info;
        if (!b->deal.known)
            return status_fail(STATUS_DATA, "%s does not say its split; give the map with --map, or %s",
                               predict->model[m].path, remedy);
        if (!index_deal_same(&a->deal, &b->deal))
            return status_fail(STATUS_DATA, "%s and %s were trained with different splits (%s); %s", first->path,
                               predict->model[m].path, index_deal_differences(&a->deal, &b->deal, text), remedy);
        if (b->deal.has_survey && b->deal.survey_checksum != predict->survey.checksum)
            return status_fail(STATUS_DATA, "%s was trained on another survey than %s; %s", predict->model[m].path,
                               predict->survey.path, remedy);
    }
    return STATUS_OK;
}

/* At most `most` of the selected ones (0: all), spread evenly. */
static void take_selected(Predict *predict, const uint8_t *selected, int64_t most)
{
    int64_t all = 0, k = 0;
    for (int64_t e = 0; e < predict->survey.n_ensembles; e++) all += selected[e];
    int64_t n = most == 0 || all < most ? all : most;
    for (int64_t e = 0; e < predict->survey.n_ensembles; e++) {
        if (!selected[e]) continue;
        if (predict->n < n && k == predict->n * all / n) predict->list[predict->n++] = e;
        k++;
    }
}

/* The rule of the models, whose patches may have different sizes; all of them hold out the same gathers. */
static Status take_rule(const Model *model, Config *config)
{
    config_defaults(config);
    config->patch.size = model->config.patch.size;
    return index_deal_take(&model->apply.info.deal, model->path, config);
}

/* The split's own gathers, by the map or the models' rule. */
static Status select_split(Predict *predict, uint8_t *selected)
{
    static const char *const risk = "the model may have been trained on the gathers that are predicted here";
    Job *job = predict->job;
    const Comm *comm = &job->comm;
    const char *path = compare_options(job)->map;
    IndexSplit split = (IndexSplit)index_split_of(compare_options(job)->split);
    Config config = predict->model[0].config;
    IndexSelection selection;
    Status status = path == NULL ? check_splits(predict) : STATUS_OK; /* alike on all ranks */
    if (status != STATUS_OK) return status;
    if (path == NULL) status = take_rule(&predict->model[0], &config);
    if (status == STATUS_OK) status = index_select(comm, &predict->survey, path, &config, split, selected, &selection);
    for (int64_t m = 0; status == STATUS_OK && path != NULL && m < predict->n_models; m++)
        index_deal_warn(path, &selection.deal, predict->model[m].path, &predict->model[m].apply.info.deal, risk);
    return status;
}

static Status select_gathers(Predict *predict)
{
    Job *job = predict->job;
    const Survey *survey = &predict->survey;
    const char *list = compare_options(job)->ensembles;
    uint8_t *selected = memory_new((size_t)survey->n_ensembles, 1, "the selected gathers");
    predict->list = memory_new((size_t)survey->n_ensembles, sizeof *predict->list, "the selected gathers");
    Status status = selected == NULL || predict->list == NULL ? STATUS_MEMORY : STATUS_OK;
    if (status == STATUS_OK && list != NULL) status = survey_select(survey, list, selected);
    status = comm_agree(&job->comm, status);
    if (status == STATUS_OK && list == NULL) status = select_split(predict, selected);
    if (status == STATUS_OK) take_selected(predict, selected, list == NULL ? compare_options(job)->gathers : 0);
    memory_free(selected);
    if (status == STATUS_OK && predict->n == 0)
        status = status_fail(STATUS_DATA,
                             "no whole gather was held out as %s (split.by=patch holds out none); name gathers with "
                             "--ensembles, or another --split",
                             compare_options(job)->split);
    return status;
}

/* ---- an item ---- */

static Status open_model(Predict *predict, int64_t m)
{
    if (predict->ready == m) return STATUS_OK;
    if (predict->ready >= 0) apply_close(&predict->model[predict->ready].apply);
    predict->ready = m;
    Model *model = &predict->model[m];
    Status status = model_take_survey(&model->apply.network, model->apply.info.channels, &predict->survey, STATUS_DATA);
    return status == STATUS_OK ? apply_open(&model->apply, &model->config, &predict->survey) : status;
}

static bool poke(void *context) { return worklist_poke(context); }

static Status measure_one(Predict *predict, int64_t item, Worklist *work)
{
    int64_t m = item / predict->n, e = predict->list[item % predict->n], fold = survey_fold(&predict->survey, e);
    Model *model = &predict->model[m];
    QcRoom *room = &predict->room;
    Measure *measure = &predict->measure[predict->n_measured];
    PredictCounts counts = {0};
    char name[96];
    Status status = open_model(predict, m);
    if (status == STATUS_OK) status = apply_read(&model->apply, &predict->survey, e);
    if (status != STATUS_OK) return status;
    double start = timer_now();
    model->apply.predictor.poke = poke;
    model->apply.predictor.poke_context = work;
    if (!apply_windows(&model->apply, fold, fold, room->prediction, &counts))
        return STATUS_OK; /* another rank failed */
    measure->seconds = timer_now() - start;
    measure->windows = (double)counts.live;
    size_t bytes = (size_t)(fold * predict->survey.n_samples) * sizeof *room->input;
    memcpy(room->input, model->apply.own, bytes);
    if (survey_first_not_finite(room->prediction, fold * predict->survey.n_samples) >= 0)
        return status_fail(STATUS_NUMERIC, "the prediction of %s by %s is not finite",
                           survey_ensemble_name(&predict->survey, e, name), model->path);
    if (predict->shape.with_clean) status = survey_read_gather(&predict->clean, e, 1, room->clean);
    if (status != STATUS_OK) return status;
    qc_measure_held(&predict->shape, fold, room, predict->sums);
    qc_total(&predict->shape, predict->sums, measure->cell);
    measure->item = item;
    predict->n_measured++;
    return STATUS_OK;
}

static Status measure_mine(Predict *predict, Worklist *work)
{
    Status status = STATUS_OK;
    while (status == STATUS_OK && !worklist_poke(work)) {
        int64_t item = worklist_next(work);
        if (item < 0) break;
        status = measure_one(predict, item, work);
        log_progress(worklist_done(work), NULL);
    }
    if (status != STATUS_OK) worklist_stop(work);
    if (predict->ready >= 0) apply_close(&predict->model[predict->ready].apply);
    return status;
}

/* ---- all of them ---- */

static Status make_room(Predict *predict)
{
    int64_t most = predict->n_models * predict->n;
    predict->ready = -1;
    predict->shape = (QcShape){.n_predictions = 1,
                               .with_clean = compare_options(predict->job)->clean != NULL,
                               .n_samples = predict->survey.n_samples,
                               .n_axis = predict->survey.n_samples,
                               .max_fold = survey_max_fold(&predict->survey),
                               .n_bins = 1,
                               .n_windows = 1,
                               .radius = {.radius_traces = RADIUS_TRACES, .radius_samples = RADIUS_SAMPLES}};
    predict->measure = memory_new((size_t)most, sizeof *predict->measure, "the figures");
    predict->sums = memory_new((size_t)qc_sums_size(&predict->shape), sizeof *predict->sums, "the sums");
    if (predict->measure == NULL || predict->sums == NULL) return STATUS_MEMORY;
    return qc_room_new(&predict->shape, &predict->room);
}

/* Adds the measures of each model, gather after gather, on rank 0. */
static Status collect(Predict *predict, Comparison *comparison)
{
    void *all = NULL;
    int64_t n = predict->n_models * predict->n;
    const Comm *comm = &predict->job->comm;
    Status status =
        comm_gather(comm, predict->measure, (size_t)predict->n_measured * sizeof *predict->measure, &all, NULL);
    if (status != STATUS_OK || comm->rank != 0) return status;
    Measure *in_order = memory_new((size_t)n, sizeof *in_order, "the figures");
    if (in_order == NULL) status = STATUS_MEMORY;
    for (int64_t i = 0; status == STATUS_OK && i < n; i++) {
        const Measure *one = (const Measure *)all + i;
        in_order[one->item] = *one;
    }
    for (int64_t m = 0; status == STATUS_OK && m < predict->n_models; m++) {
        Measure sum = {0};
        for (int64_t i = m * predict->n; i < (m + 1) * predict->n; i++) {
            sum.windows += in_order[i].windows;
            sum.seconds += in_order[i].seconds;
            for (int c = 0; c < CELL; c++) sum.cell[c] += in_order[i].cell[c];
        }
        const QcResult result = {.shape = &predict->shape};
        Training *training = &comparison->training[predict->model[m].training];
        training->leakage = qc_figure(&result, &qc_figures[QC_LEAKAGE], sum.cell, 0);
        training->snr_gain_db = qc_figure(&result, &qc_figures[QC_SNR_GAIN], sum.cell, 0);
        training->signal_lost = qc_figure(&result, &qc_figures[QC_SIGNAL_LOST], sum.cell, 0);
        training->windows_per_second = sum.windows / sum.seconds;
    }
    memory_free(in_order);
    memory_free(all);
    return status;
}

static Status measure_all(Predict *predict, Comparison *comparison)
{
    const Comm *comm = &predict->job->comm;
    Worklist work;
    char gathers[LOG_THINGS_MAX], models[LOG_THINGS_MAX];
    Status status = comm_agree(comm, make_room(predict));
    if (status != STATUS_OK) return status;
    log_note("predicting %s by each of %s", log_things(predict->n, "gather", gathers),
             log_things(predict->n_models, "model", models));
    worklist_new(comm, predict->n_models * predict->n, &work);
    log_progress_start("compare", predict->n_models * predict->n, "prediction");
    status = measure_mine(predict, &work);
    (void)worklist_end(&work);
    log_progress_end();
    status = comm_agree(comm, status);
    worklist_free(&work);
    return status == STATUS_OK ? comm_agree(comm, collect(predict, comparison)) : status;
}

static Status open_surveys(Predict *predict)
{
    const Job *job = predict->job;
    const char *clean = compare_options(job)->clean;
    Status status = survey_open(&job->comm, compare_options(job)->survey, false, &predict->survey);
    if (status == STATUS_OK) status = export_origin_tell(&predict->survey, "is predicted here");
    if (status != STATUS_OK || clean == NULL) return status;
    status = survey_open(&job->comm, clean, false, &predict->clean);
    if (status == STATUS_OK) status = export_origin_check_clean(&predict->clean);
    return status == STATUS_OK ? comm_agree(&job->comm, survey_check_pair(&predict->survey, &predict->clean)) : status;
}

Status compare_predict(Job *job, Comparison *comparison)
{
    Predict predict = {.job = job};
    Status status = open_surveys(&predict);
    if (status == STATUS_OK) status = share_paths(&predict, comparison);
    if (status == STATUS_OK && predict.n_models == 0)
        status = status_fail(STATUS_DATA, "none of the trainings has a best.h5 yet: there is nothing to predict with");
    if (status == STATUS_OK) status = load_models(&predict);
    if (status == STATUS_OK) status = select_gathers(&predict);
    if (status == STATUS_OK) status = measure_all(&predict, comparison);
    qc_room_free(&predict.room);
    for (int64_t m = 0; m < predict.n_models; m++) {
        network_free(&predict.model[m].apply.network);
        memory_free(predict.model[m].path);
    }
    memory_free(predict.model);
    memory_free(predict.list);
    memory_free(predict.measure);
    memory_free(predict.sums);
    Status closed = survey_close(&predict.clean), also = survey_close(&predict.survey);
    return status != STATUS_OK ? status : closed != STATUS_OK ? closed : also;
}
