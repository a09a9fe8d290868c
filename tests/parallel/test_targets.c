/* Training and evaluation towards every target on any number of ranks: the bits of one rank, and the loss by the plain
 * definition, of gathers of different folds with mutes, dead traces and neighbours that lack traces. */
#include "../unit/plain.h"

#include "seisdcn/evaluate.h"
#include "seisdcn/memory.h"
#include "seisdcn/model.h"
#include "seisdcn/trainer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "index_rows.h"
#include "temporary.h"

enum { N_ENSEMBLES = 7, N_SAMPLES = 30, MAX_FOLD = 15, SIZE = 9, STEPS = 4, CHANNELS = 2, TARGETS = 5 };

static Comm comm, alone;
static char folder[TEMPORARY_PATH];
static char survey_path[2 * TEMPORARY_PATH], clean_path[2 * TEMPORARY_PATH];

/* Two lines; the last gather is alone on a third. */
static int32_t lines[N_ENSEMBLES] = {1, 1, 1, 1, 2, 2, 3}, crosslines[N_ENSEMBLES] = {4, 1, 3, 2, 1, 2, 1};

static int64_t fold_of(int64_t e) { return 9 + (e * 4) % 7; }

/* Channel c of the survey (kind 0) or of the clean one (1): mutes that differ between gathers, a dead trace. */
static float value_of(int kind, int64_t e, int64_t c, int64_t t, int64_t k)
{
    if (k < t / 2 + e % 2 || (t == 3 && e == 2)) return 0;
    double noise = kind == 0 ? 0.4 * sin(1.7 * (double)(k * (e + 2) + 5 * t)) : 0;
    double value = sin(0.31 * (double)k + 0.2 * (double)(t + e)) * (1 + (double)(k % 5)) + noise;
    return (float)(c == 0 ? 100 * value : 0.1 * cos(value));
}

static Status write_attribute(const char *path, int kind)
{
    H5File file;
    int64_t n_traces = 0, at = 0;
    for (int64_t e = 0; e < N_ENSEMBLES; e++) n_traces += fold_of(e);
    float *values = memory_new((size_t)(n_traces * N_SAMPLES), sizeof *values, "test");
    for (int64_t e = 0; e < N_ENSEMBLES; e++)
        for (int64_t i = 0; i < fold_of(e) * N_SAMPLES; i++)
            values[at++] = value_of(kind, e, 1, i / N_SAMPLES, i % N_SAMPLES);
    Status status = h5_open(path, true, &file);
    if (status == STATUS_OK) status = h5_create_group(&file, "/attribute");
    if (status == STATUS_OK)
        status = h5_write_new(&file, "/attribute/angle", H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, 2,
                              (int64_t[]){n_traces, N_SAMPLES}, values);
    if (status == STATUS_OK) status = h5_put_text(&file, "/attribute/angle", "scale", "none");
    Status closed = h5_close(&file);
    memory_free(values);
    return status != STATUS_OK ? status : closed;
}

static void make_survey(const char *path, int kind)
{
    int64_t first_trace[N_ENSEMBLES + 1] = {0};
    float amplitude[MAX_FOLD * N_SAMPLES];
    for (int64_t e = 0; e < N_ENSEMBLES; e++) first_trace[e + 1] = first_trace[e] + fold_of(e);
    SurveyPlan plan = {.n_ensembles = N_ENSEMBLES,
                       .n_samples = N_SAMPLES,
                       .first_trace = first_trace,
                       .inlines = lines,
                       .crosslines = crosslines,
                       .history = "- made by a test\n"};
    Survey survey;
    assert_int_equal(survey_create(&comm, path, &plan, &survey), STATUS_OK);
    Status status = STATUS_OK;
    for (int64_t e = comm.rank; e < N_ENSEMBLES && status == STATUS_OK; e += comm.size) {
        for (int64_t i = 0; i < fold_of(e) * N_SAMPLES; i++)
            amplitude[i] = value_of(kind, e, 0, i / N_SAMPLES, i % N_SAMPLES);
        status = survey_write_gather(&survey, e, amplitude);
    }
    assert_int_equal(comm_agree(&comm, status), STATUS_OK);
    assert_int_equal(survey_finish(&survey), STATUS_OK);
    assert_int_equal(survey_close(&survey), STATUS_OK);
    assert_int_equal(comm_agree(&comm, comm.rank == 0 ? write_attribute(path, kind) : STATUS_OK), STATUS_OK);
}

static Config settings(int target, int64_t batch)
{
    Config config;
    config_defaults(&config);
    config.patch.size = SIZE;
    config.patch.scale = target % 2 == 0 ? SCALE_MAX : SCALE_RMS;
    config.split.by = SPLIT_BY_PATCH;
    config.split.valid = config.split.test = 0.2;
    config.network.channels = CHANNELS;
    config.network.levels = 2;
    config.network.dropout = 0.2;
    config.network.out_channels = target == TARGET_NEIGHBOUR ? 2 : 0;
    config.network.output = OUTPUT_LINEAR;
    config.train.target = target;
    config.train.hide = 0.3;
    config.train.block = 2;
    config.train.fill = batch % 2 == 0 ? FILL_OTHER : FILL_ZERO;
    config.train.batch_size = batch;
    config.train.learning_rate = 0.01;
    return config;
}

/* What a test works with, on some ranks. */
typedef struct {
    Survey survey, clean;
    IndexMap map;
    Network network;
    Objective objective;
    const Objective *used;
} Work;

static Status open_work(const Comm *ranks, Config *config, const Vector *vector, Work *work)
{
    memset(work, 0, sizeof *work);
    NetworkShape shape = model_shape(config);
    Status status = survey_open(ranks, survey_path, false, &work->survey);
    if (status == STATUS_OK) status = survey_open(ranks, clean_path, false, &work->clean);
    if (status == STATUS_OK) status = index_load(ranks, &work->survey, NULL, config, &work->map);
    if (status == STATUS_OK) status = network_new(&shape, vector, &work->network);
    if (status == STATUS_OK) network_initialise(&work->network, 4);
    if (status != STATUS_OK || config->train.target == TARGET_SOURCE) return status;
    work->used = &work->objective;
    return objective_new(&shape.objective, &work->survey, &work->clean, CHANNELS, work->network.shape.n_out, SIZE,
                         &work->objective);
}

static Status close_work(Work *work)
{
    objective_free(&work->objective);
    network_free(&work->network);
    index_free(&work->map);
    Status status = survey_close(&work->clean), other = survey_close(&work->survey);
    return status != STATUS_OK ? status : other;
}

typedef struct {
    float parameter[600];
    double running[8], loss[STEPS + 2];
} Result;

static Status train(const Comm *ranks, Config config, const Vector *vector, Result *result)
{
    Work work;
    Trainer trainer = {0};
    Evaluation evaluation = {0};
    memset(result, 0, sizeof *result);
    Status status = open_work(ranks, &config, vector, &work);
    if (status == STATUS_OK)
        status = trainer_new(ranks, &work.survey, &work.map, &config, &work.network, work.used, &trainer);
    if (status == STATUS_OK)
        status = evaluate_new(ranks, &work.survey, &work.map, INDEX_VALID, 0, 0, &work.network, work.used, &evaluation);
    int64_t n = 1;
    if (status == STATUS_OK) status = trainer_start(&trainer, 1);
    for (int step = 0; status == STATUS_OK && step < STEPS; step++)
        status = trainer_step(&trainer, &n, &result->loss[step]);
    if (status == STATUS_OK) {
        int64_t channels = work.network.shape.channels;
        result->loss[STEPS] = trainer_epoch_loss(&trainer);
        status = evaluate_run(&evaluation, &work.network, &trainer.group, &result->loss[STEPS + 1]);
        memcpy(result->parameter, work.network.parameter, (size_t)work.network.n_parameters * sizeof(float));
        memcpy(result->running, work.network.running_mean, (size_t)channels * sizeof(double));
        memcpy(result->running + 4, work.network.running_var, (size_t)channels * sizeof(double));
    }
    evaluate_free(&evaluation);
    trainer_free(&trainer);
    Status closed = close_work(&work);
    return status != STATUS_OK ? status : closed;
}

static void training_has_the_bits_of_one_rank(void **state)
{
    (void)state;
    static const int64_t batches[] = {5, 24, 50};
    for (int target = 0; target < TARGETS; target++)
        for (int b = 0; b < 3; b++) {
            const Vector *vector = vector_of_level(1 + (target + b) % vector_level());
            Config config = settings(target, batches[b]);
            Result result, wanted;
            if (b == 1) { /* gathers and their neighbours one by one */
                config.train.shards = 3;
                config.train.block_gathers = 1;
            }
            config.train.shuffle = b != 2;
            assert_int_equal(train(&comm, config, vector, &result), STATUS_OK);
            Status status = STATUS_OK;
            if (comm.rank == 0) status = train(&alone, config, vector, &wanted);
            assert_int_equal(comm_agree(&comm, status), STATUS_OK);
            comm_broadcast(&comm, &wanted, sizeof wanted);
            /* NOLINTNEXTLINE(bugprone-suspicious-memory-comparison): the bits are what is promised */
            bool same = memcmp(&result, &wanted, sizeof result) == 0;
            bool right = isfinite(result.loss[STEPS + 1]) && result.loss[STEPS + 1] > 0;
            assert_int_equal(comm_agree(&comm, same && right ? STATUS_OK : STATUS_BUG), STATUS_OK);
        }
}

/* ---- the plain definition ---- */

static double sample(int kind, int64_t e, int64_t c, int64_t t, int64_t k)
{
    return e < 0 || t >= fold_of(e) ? 0 : (double)value_of(kind, e, c, t, k);
}

enum { PLANE = SIZE * SIZE, INPUTS = 2 * CHANNELS };

/* A patch of gather(s) source[], and its scale over the amplitudes (the attribute is taken as it is). */
static double cut(const Config *config, const int64_t *source, int64_t inputs, int64_t t, int64_t k, double *x)
{
    double largest = 0, square = 0;
    for (int64_t i = 0; i < inputs * CHANNELS * PLANE; i++) {
        int64_t c = i / PLANE, y = i % PLANE / SIZE;
        x[i] = sample(0, source[c / CHANNELS], c % CHANNELS, t + y, k + i % SIZE);
        if (c % CHANNELS != 0) continue;
        largest = fmax(largest, fabs(x[i]));
        square += x[i] * x[i];
    }
    double scale = config->patch.scale == SCALE_MAX ? largest : sqrt(square / (double)(inputs * PLANE));
    for (int64_t i = 0; i < inputs * CHANNELS * PLANE && scale > 0; i++)
        if (i / PLANE % CHANNELS == 0) x[i] /= scale;
    return scale;
}

/* Input, target and weights of a patch with what validation draws. */
static void plain_patch(const Config *config, const Objective *objective, int64_t n_out, IndexRow row, double *x,
                        double *target, double *weight)
{
    int kind = config->train.target == TARGET_CLEAN;
    int64_t source[2] = {row.ensemble, row.ensemble}, inputs = objective_inputs((int)config->train.target);
    RandomKey key = objective_key(0, 0);
    bool hides = config->train.target == TARGET_BLIND_TRACE, hidden[SIZE] = {false};
    IndexRow other = row;
    double filled[INPUTS * PLANE];
    objective_sources(objective, row.ensemble, source);
    double scale = cut(config, source, inputs, row.trace, row.sample, x);
    int64_t from = objective_target(objective, key, &row);
    if (hides) objective_hide(objective, key, &row, hidden, &other);
    cut(config, source, inputs, other.trace, other.sample, filled);
    for (int64_t i = 0; i < n_out * PLANE; i++) {
        int64_t c = i / PLANE, y = i % PLANE / SIZE;
        target[i] = sample(kind, from, c, row.trace + y, row.sample + i % SIZE) / (c == 0 && scale > 0 ? scale : 1);
        bool live = x[i % PLANE] != 0 || (inputs == 2 && x[CHANNELS * PLANE + i % PLANE] != 0);
        weight[i] = live && target[i % PLANE] != 0 && fabs(target[i]) <= 64 && hides == hidden[y] ? 1 : 0;
    }
    for (int64_t i = 0; hides && i < CHANNELS * PLANE; i++)
        if (hidden[i % PLANE / SIZE]) x[i] = config->train.fill == FILL_OTHER ? filled[i] : 0;
}

/* Sum of squares and of weights over a split. */
static double plain_loss(const Config *config, const Work *work, IndexSplit split)
{
    const Network *network = &work->network;
    int64_t n_out = network->shape.n_out;
    double x[INPUTS * PLANE], target[INPUTS * PLANE], weight[INPUTS * PLANE], output[INPUTS * PLANE];
    double *parameter = plain_array(network->n_parameters), error = 0, weights = 0;
    for (int64_t i = 0; i < network->n_parameters; i++) parameter[i] = (double)network->parameter[i];
    PlainPass pass = {.network = network,
                      .parameter = parameter,
                      .n = 1,
                      .x = x,
                      .fixed_mean = network->running_mean,
                      .fixed_var = network->running_var,
                      .output = output};
    for (int64_t e = 0; e < N_ENSEMBLES; e++) {
        int64_t count[INDEX_SPLITS];
        for (int s = 0; s < INDEX_SPLITS; s++) count[s] = work->map.count[s][e];
        for (int64_t j = 0; j < count[split]; j++) {
            IndexRow row = index_row(&work->map.rule, split, e, N_SAMPLES, count, j);
            plain_patch(config, work->used, n_out, row, x, target, weight);
            plain_pass(&pass);
            for (int64_t i = 0; i < n_out * PLANE; i++) {
                error += weight[i] * pow(output[i] - target[i], 2);
                weights += weight[i];
            }
        }
    }
    free(parameter);
    return error / weights;
}

static void evaluation_is_the_plain_loss(void **state)
{
    (void)state;
    for (int target = TARGET_CLEAN; target < TARGETS; target++)
        for (int64_t round = 0; round < 4; round++) { /* all gathers kept, or one at a time; hidden traces filled so */
            Config config = settings(target, round % 2);
            Work work;
            NetworkGroup group;
            Evaluation evaluation;
            double loss, wanted = 0;
            const Vector *vector = vector_of_level(1 + (int)(target + round) % vector_level());
            assert_int_equal(open_work(&comm, &config, vector, &work), STATUS_OK);
            for (int64_t c = 0; c < work.network.shape.channels; c++) {
                work.network.running_mean[c] = 0.1;
                work.network.running_var[c] = 0.4;
            }
            assert_int_equal(network_group_new(&work.network, false, &group), STATUS_OK);
            assert_int_equal(evaluate_new(&comm, &work.survey, &work.map, INDEX_TEST, 0, round / 2, &work.network,
                                          work.used, &evaluation),
                             STATUS_OK);
            assert_int_equal(evaluate_run(&evaluation, &work.network, &group, &loss), STATUS_OK);
            if (comm.rank == 0) wanted = plain_loss(&config, &work, INDEX_TEST);
            bool good = comm.rank != 0 || fabs(loss - wanted) <= 2e-6 * wanted;
            if (!good) print_message("# target %d, round %d: %.9g instead of %.9g\n", target, (int)round, loss, wanted);
            assert_int_equal(comm_agree(&comm, good ? STATUS_OK : STATUS_BUG), STATUS_OK);
            evaluate_free(&evaluation);
            network_group_free(&group);
            assert_int_equal(close_work(&work), STATUS_OK);
        }
}

static void a_split_without_neighbours_has_no_loss(void **state)
{
    (void)state;
    Config config = settings(TARGET_NEIGHBOUR, 24);
    Work work;
    NetworkGroup group;
    Evaluation evaluation;
    double loss;
    assert_int_equal(open_work(&comm, &config, vector_of_level(1), &work), STATUS_OK);
    for (int64_t e = 0; e < N_ENSEMBLES; e++)
        work.objective.neighbours.before[e] = work.objective.neighbours.after[e] = -1;
    assert_int_equal(network_group_new(&work.network, false, &group), STATUS_OK);
    assert_int_equal(
        evaluate_new(&comm, &work.survey, &work.map, INDEX_TEST, 0, 0, &work.network, work.used, &evaluation),
        STATUS_OK);
    assert_int_equal(evaluate_run(&evaluation, &work.network, &group, &loss), STATUS_DATA);
    assert_non_null(strstr(status_message(), "no sample of the test patches counts"));
    status_clear();
    evaluate_free(&evaluation);
    network_group_free(&group);
    assert_int_equal(close_work(&work), STATUS_OK);
}

/* A rank reads the gathers of its rows and their neighbours, and nothing else. */
static void a_rank_holds_the_neighbours_of_its_gathers(void **state)
{
    (void)state;
    Work work;
    Trainer trainer;
    Config config = settings(TARGET_NEIGHBOUR, 24);
    assert_int_equal(open_work(&comm, &config, vector_of_level(1), &work), STATUS_OK);
    assert_int_equal(trainer_new(&comm, &work.survey, &work.map, &config, &work.network, work.used, &trainer),
                     STATUS_OK);
    bool wanted[N_ENSEMBLES] = {false}, right = true;
    for (int64_t p = 0; p < trainer.order.share.n_pieces; p++) {
        int64_t e = trainer.order.share.piece[p].ensemble;
        for (int64_t other = 0; other < N_ENSEMBLES; other++) {
            bool near = lines[other] == lines[e] && abs(crosslines[other] - crosslines[e]) <= 1;
            wanted[other] = wanted[other] || near;
        }
    }
    for (int64_t e = 0; e < N_ENSEMBLES; e++) right = right && wanted[e] == (trainer.gathers.data[e] != NULL);
    trainer_free(&trainer);
    assert_int_equal(comm_agree(&comm, right ? STATUS_OK : STATUS_BUG), STATUS_OK);
    assert_int_equal(close_work(&work), STATUS_OK);
}

static int make_folder(void **state)
{
    (void)state;
    if (comm.rank == 0) temporary_make(folder);
    comm_broadcast(&comm, folder, sizeof folder);
    snprintf(survey_path, sizeof survey_path, "%s/survey.h5", folder);
    snprintf(clean_path, sizeof clean_path, "%s/clean.h5", folder);
    make_survey(survey_path, 0);
    make_survey(clean_path, 1);
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
    alone = (Comm){MPI_COMM_SELF, 0, 1};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(training_has_the_bits_of_one_rank),
        cmocka_unit_test(evaluation_is_the_plain_loss),
        cmocka_unit_test(a_split_without_neighbours_has_no_loss),
        cmocka_unit_test(a_rank_holds_the_neighbours_of_its_gathers),
    };
    int failed = cmocka_run_group_tests_name("targets", tests, make_folder, remove_folder);
    comm_close(&comm);
    return failed;
}
