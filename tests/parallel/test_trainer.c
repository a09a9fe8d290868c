/* Tests of network/trainer and network/evaluate on any number of ranks: the bits of one rank for every instruction set,
 * the loss by the plain definition, and failures that all ranks hear of. */
#include "../unit/plain.h"

#include "seisdcn/evaluate.h"
#include "seisdcn/files.h"
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

enum { N_ENSEMBLES = 6, N_SAMPLES = 24, MAX_FOLD = 14, SIZE = 9, STEPS = 4 };

static Comm comm, alone;
static char folder[TEMPORARY_PATH], path[2 * TEMPORARY_PATH];

static int64_t fold_of(int64_t e) { return 9 + (e * 3) % 6; }

static float amplitude_of(int64_t e, int64_t i)
{
    return (float)(sin(0.37 * (double)i + (double)e) * (1 + (double)(i % 7)) * (e == 2 && i < 200 ? 0 : 100));
}

static float attribute_of(int64_t e, int64_t i) { return (float)cos(0.11 * (double)(i * (e + 1))) / 2; }

static Status write_attribute(void)
{
    H5File file;
    int64_t n_traces = 0, at = 0;
    for (int64_t e = 0; e < N_ENSEMBLES; e++) n_traces += fold_of(e);
    float *values = memory_new((size_t)(n_traces * N_SAMPLES), sizeof *values, "test");
    for (int64_t e = 0; e < N_ENSEMBLES; e++)
        for (int64_t i = 0; i < fold_of(e) * N_SAMPLES; i++) values[at++] = attribute_of(e, i);
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

/* Makes a survey of two channels; the last gather of it holds a NaN where spoilt. */
static void make_survey(const char *name, bool spoilt)
{
    int64_t first_trace[N_ENSEMBLES + 1] = {0};
    int32_t lines[N_ENSEMBLES] = {0};
    float amplitude[MAX_FOLD * N_SAMPLES];
    for (int64_t e = 0; e < N_ENSEMBLES; e++) first_trace[e + 1] = first_trace[e] + fold_of(e);
    SurveyPlan plan = {.n_ensembles = N_ENSEMBLES,
                       .n_samples = N_SAMPLES,
                       .first_trace = first_trace,
                       .inlines = lines,
                       .crosslines = lines,
                       .history = "- made by a test\n"};
    Survey survey;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_int_equal(survey_create(&comm, path, &plan, &survey), STATUS_OK);
    Status status = STATUS_OK;
    for (int64_t e = comm.rank; e < N_ENSEMBLES && status == STATUS_OK; e += comm.size) {
        for (int64_t i = 0; i < fold_of(e) * N_SAMPLES; i++) amplitude[i] = amplitude_of(e, i);
        if (spoilt && e == N_ENSEMBLES - 1) amplitude[100] = NAN;
        status = survey_write_gather(&survey, e, amplitude);
    }
    assert_int_equal(comm_agree(&comm, status), STATUS_OK);
    assert_int_equal(survey_finish(&survey), STATUS_OK);
    assert_int_equal(survey_close(&survey), STATUS_OK);
    assert_int_equal(comm_agree(&comm, comm.rank == 0 ? write_attribute() : STATUS_OK), STATUS_OK);
}

static Config settings(int64_t channels, int64_t batch)
{
    Config config;
    config_defaults(&config);
    config.patch.size = SIZE;
    config.split.valid = config.split.test = 0.2;
    config.network.channels = channels;
    config.network.levels = 2;
    config.network.dropout = 0.2;
    config.train.batch_size = batch;
    config.train.learning_rate = 0.01;
    return config;
}

/* What a short training leaves. */
typedef struct {
    float parameter[400];
    double running[4], loss[STEPS + 3];
} Result;

static Status train(const Comm *ranks, Config config, const Vector *vector, Result *result)
{
    Survey survey;
    IndexMap map = {0};
    Network network = {0};
    Trainer trainer = {0};
    Evaluation evaluation = {0};
    NetworkShape shape = model_shape(&config);
    memset(result, 0, sizeof *result);
    Status status = survey_open(ranks, path, false, &survey);
    if (status == STATUS_OK) status = index_load(ranks, &survey, NULL, &config, &map);
    if (status == STATUS_OK) status = network_new(&shape, vector, &network);
    if (status == STATUS_OK) network_initialise(&network, 4);
    if (status == STATUS_OK) status = trainer_new(ranks, &survey, &map, &config, &network, NULL, &trainer);
    if (status == STATUS_OK)
        status = evaluate_new(ranks, &survey, &map, INDEX_VALID, 0, 0, &network, NULL, &evaluation);
    int64_t n = 1, all = 0, steps = config.train.max_steps > 0 ? config.train.max_steps : STEPS;
    if (status == STATUS_OK) status = trainer_start(&trainer, 1);
    for (int step = 0; status == STATUS_OK && step < steps; step++) {
        status = trainer_step(&trainer, &n, &result->loss[step % STEPS]);
        all += n;
    }
    if (status == STATUS_OK) {
        result->loss[STEPS] = trainer_epoch_loss(&trainer);
        int64_t rows = trainer.order.epoch_rows, most = steps * config.train.batch_size;
        result->loss[STEPS + 1] = (double)(all - (rows < most ? rows : most)); /* 0 */
        status = evaluate_run(&evaluation, &network, &trainer.group, &result->loss[STEPS + 2]);
        memcpy(result->parameter, network.parameter, (size_t)network.n_parameters * sizeof(float));
        memcpy(result->running, network.running_mean, (size_t)config.network.channels * sizeof(double));
        memcpy(result->running + 2, network.running_var, (size_t)config.network.channels * sizeof(double));
    }
    evaluate_free(&evaluation);
    trainer_free(&trainer);
    network_free(&network);
    index_free(&map);
    Status closed = survey_close(&survey);
    return status != STATUS_OK ? status : closed;
}

static void training_has_the_bits_of_one_rank(void **state)
{
    (void)state;
    static const int64_t batches[] = {5, 13, 24, 50}; /* groups of lanes that are not full */
    make_survey("a.h5", false);
    for (int level = 1; level <= vector_level(); level++)
        for (int b = 0; b < 4; b++)
            for (int64_t channels = 1; channels <= 2; channels++) {
                Config config = settings(channels, batches[b]);
                Result result, wanted;
                if (b % 2 == 1) { /* fewer shards than some numbers of ranks, gathers one by one */
                    config.train.shards = 3;
                    config.train.block_gathers = 1;
                }
                assert_int_equal(train(&comm, config, vector_of_level(level), &result), STATUS_OK);
                Status status = STATUS_OK;
                if (comm.rank == 0) status = train(&alone, config, vector_of_level(level), &wanted);
                assert_int_equal(comm_agree(&comm, status), STATUS_OK);
                comm_broadcast(&comm, &wanted, sizeof wanted);
                /* on every rank: all end with the same network */
                /* NOLINTNEXTLINE(bugprone-suspicious-memory-comparison): the bits are what is promised */
                bool same = memcmp(&result, &wanted, sizeof result) == 0;
                bool right = isfinite(result.loss[0]) && result.loss[0] > 0 && result.loss[STEPS + 1] == 0;
                assert_int_equal(comm_agree(&comm, same && right ? STATUS_OK : STATUS_BUG), STATUS_OK);
            }
}

/* Two whole epochs with a validation after each; what they leave goes into result. */
static Status train_epochs(const Comm *ranks, Config config, Result *result)
{
    Survey survey;
    IndexMap map = {0};
    Network network = {0};
    Trainer trainer = {0};
    Evaluation evaluation = {0};
    NetworkShape shape = model_shape(&config);
    memset(result, 0, sizeof *result);
    config.train.max_epochs = 2;
    Status status = survey_open(ranks, path, false, &survey);
    if (status == STATUS_OK) status = index_load(ranks, &survey, NULL, &config, &map);
    if (status == STATUS_OK) status = network_new(&shape, vector_of_level(vector_level()), &network);
    if (status == STATUS_OK) network_initialise(&network, 4);
    if (status == STATUS_OK) status = trainer_new(ranks, &survey, &map, &config, &network, NULL, &trainer);
    if (status == STATUS_OK)
        status = evaluate_new(ranks, &survey, &map, INDEX_VALID, 0, trainer.memory.validation_gathers, &network, NULL,
                              &evaluation);
    for (int64_t epoch = 1; status == STATUS_OK && epoch <= 2; epoch++) {
        double loss;
        status = trainer_start(&trainer, epoch);
        for (int64_t n = 1; status == STATUS_OK && n > 0;) status = trainer_step(&trainer, &n, &loss);
        if (status == STATUS_OK) status = evaluate_run(&evaluation, &network, &trainer.group, &result->loss[epoch]);
        trainer_read_on(&trainer);
    }
    if (status == STATUS_OK) {
        result->loss[0] = trainer_epoch_loss(&trainer);
        memcpy(result->parameter, network.parameter, (size_t)network.n_parameters * sizeof(float));
    }
    evaluate_free(&evaluation);
    trainer_free(&trainer);
    network_free(&network);
    index_free(&map);
    Status closed = survey_close(&survey);
    return status != STATUS_OK ? status : closed;
}

static void blocks_of_any_size_have_the_bits_of_one_rank(void **state)
{
    (void)state;
    static const int64_t blocks[] = {0, 1, 2, 100}, shards[] = {1, 3};
    make_survey("f.h5", false);
    for (int s = 0; s < 2; s++) {
        Result first = {0};
        for (int b = 0; b < 4; b++) {
            Config config = settings(2, 24);
            Result result, wanted;
            config.split.by = SPLIT_BY_PATCH; /* parts of all gathers */
            config.train.shards = shards[s];
            config.train.block_gathers = blocks[b];
            assert_int_equal(train_epochs(&comm, config, &result), STATUS_OK);
            Status status = comm.rank == 0 ? train_epochs(&alone, config, &wanted) : STATUS_OK;
            assert_int_equal(comm_agree(&comm, status), STATUS_OK);
            comm_broadcast(&comm, &wanted, sizeof wanted);
            if (b == 0) first = result;
            /* NOLINTBEGIN(bugprone-suspicious-memory-comparison): the bits are what is promised */
            bool good = memcmp(&result, &wanted, sizeof result) == 0 && isfinite(result.loss[0]);
            /* blocks that are larger than a shard change nothing, smaller ones do */
            good = good && (memcmp(&result, &first, sizeof result) == 0) == (b == 0 || b == 3);
            /* NOLINTEND(bugprone-suspicious-memory-comparison) */
            assert_int_equal(comm_agree(&comm, good ? STATUS_OK : STATUS_BUG), STATUS_OK);
        }
    }
}

/* The loss of all patches of a split by the plain definition, with the running statistics. */
static double plain_loss(const Network *network, const IndexMap *map, IndexSplit split)
{
    enum { PLANE = SIZE * SIZE };
    int64_t channels = network->shape.channels;
    double *x = plain_array(channels * PLANE), *parameter = plain_array(network->n_parameters), loss = 0;
    for (int64_t i = 0; i < network->n_parameters; i++) parameter[i] = (double)network->parameter[i];
    PlainPass pass = {.network = network,
                      .parameter = parameter,
                      .n = 1,
                      .x = x,
                      .fixed_mean = network->running_mean,
                      .fixed_var = network->running_var};
    for (int64_t e = 0; e < N_ENSEMBLES; e++) {
        int64_t count[INDEX_SPLITS];
        for (int s = 0; s < INDEX_SPLITS; s++) count[s] = map->count[s][e];
        for (int64_t j = 0; j < count[split]; j++) {
            IndexRow row = index_row(&map->rule, split, e, N_SAMPLES, count, j);
            double largest = 0;
            for (int64_t i = 0; i < channels * PLANE; i++) {
                int64_t at = (row.trace + i % PLANE / SIZE) * N_SAMPLES + row.sample + i % SIZE;
                x[i] = (double)(i < PLANE ? amplitude_of(e, at) : attribute_of(e, at));
                if (i < PLANE) largest = fmax(largest, fabs(x[i]));
            }
            for (int64_t i = 0; i < PLANE && largest > 0; i++) x[i] /= largest;
            loss += plain_pass(&pass);
        }
    }
    free(x);
    free(parameter);
    return loss / (double)map->total[split];
}

static void evaluation_is_the_plain_loss(void **state)
{
    (void)state;
    make_survey("b.h5", false);
    Survey survey;
    assert_int_equal(survey_open(&comm, path, false, &survey), STATUS_OK);
    for (int level = 1; level <= vector_level(); level++)
        for (int64_t channels = 1; channels <= 2; channels++)
            for (int s = 0; s < INDEX_SPLITS; s++)
                for (int64_t hold = 0; hold < 2; hold++) { /* all gathers kept, and one at a time */
                    Config config = settings(channels, 32);
                    config.split.by = SPLIT_BY_PATCH;
                    NetworkShape shape = model_shape(&config);
                    IndexMap map;
                    Network network;
                    NetworkGroup group;
                    Evaluation evaluation;
                    double loss, wanted = 0;
                    assert_int_equal(index_load(&comm, &survey, NULL, &config, &map), STATUS_OK);
                    assert_int_equal(network_new(&shape, vector_of_level(level), &network), STATUS_OK);
                    network_initialise(&network, 6);
                    for (int64_t c = 0; c < channels; c++) {
                        network.running_mean[c] = 0.1;
                        network.running_var[c] = 0.4;
                    }
                    assert_int_equal(network_group_new(&network, false, &group), STATUS_OK);
                    assert_int_equal(
                        evaluate_new(&comm, &survey, &map, (IndexSplit)s, 0, hold, &network, NULL, &evaluation),
                        STATUS_OK);
                    assert_int_equal(evaluation.n_used, map.total[s]);
                    assert_int_equal(evaluate_run(&evaluation, &network, &group, &loss), STATUS_OK);
                    if (comm.rank == 0) wanted = plain_loss(&network, &map, (IndexSplit)s);
                    bool good = comm.rank != 0 || fabs(loss - wanted) <= 1e-6 * wanted;
                    assert_int_equal(comm_agree(&comm, good ? STATUS_OK : STATUS_BUG), STATUS_OK);
                    evaluate_free(&evaluation);
                    assert_int_equal(
                        evaluate_new(&comm, &survey, &map, (IndexSplit)s, 7, hold, &network, NULL, &evaluation),
                        STATUS_OK);
                    assert_int_equal(evaluation.n_used, 7);
                    assert_int_equal(evaluate_run(&evaluation, &network, &group, &loss), STATUS_OK);
                    assert_true(isfinite(loss) && loss > 0);
                    evaluate_free(&evaluation);
                    network_group_free(&group);
                    network_free(&network);
                    index_free(&map);
                }
    assert_int_equal(survey_close(&survey), STATUS_OK);
}

/* Every rank ends with this very status: no agreement stands between. */
static void assert_all_end_with(Status mine, Status wanted)
{
    int64_t extremes[2] = {mine, -(int64_t)mine};
    comm_max(&comm, extremes, 2);
    assert_int_equal(extremes[0], wanted);
    assert_int_equal(-extremes[1], wanted);
}

static void weights_that_overflow_end_training_everywhere(void **state)
{
    (void)state;
    make_survey("c.h5", false);
    Config config = settings(1, 24);
    config.train.learning_rate = 1e39;
    Result result;
    assert_all_end_with(train(&comm, config, vector_of_level(vector_level()), &result), STATUS_NUMERIC);
    assert_non_null(strstr(status_message(), "learning_rate"));
    status_clear();
}

static void a_gather_that_cannot_be_used_ends_training_everywhere(void **state)
{
    (void)state;
    make_survey("d.h5", true);
    Result result;
    for (int64_t block = 0; block <= 1; block++) { /* read beforehand, and on the way */
        Config config = settings(1, 20);
        config.split.by = SPLIT_BY_PATCH;
        config.train.block_gathers = block;
        config.train.shards = 2;
        config.train.max_steps = 1000;
        assert_all_end_with(train(&comm, config, vector_of_level(vector_level()), &result), STATUS_DATA);
        assert_non_null(strstr(status_message(), "#5"));
        assert_true((result.loss[0] > 0) == (block > 0)); /* after some steps */
        status_clear();
    }
}

static void a_network_that_does_not_fit_is_refused_everywhere(void **state)
{
    (void)state;
    make_survey("e.h5", false);
    Config config = settings(2, 24); /* some megabytes of parameters in lanes, also on a rank without a shard */
    config.network.k_mult = 12;
    config.train.shards = 3;
    config.train.memory_limit_mb = 1;
    Result result;
    assert_all_end_with(train(&comm, config, vector_of_level(vector_level()), &result), STATUS_MEMORY);
    assert_non_null(strstr(status_message(), "memory_limit_mb"));
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
    alone = (Comm){MPI_COMM_SELF, 0, 1};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(training_has_the_bits_of_one_rank),
        cmocka_unit_test(blocks_of_any_size_have_the_bits_of_one_rank),
        cmocka_unit_test(evaluation_is_the_plain_loss),
        cmocka_unit_test(weights_that_overflow_end_training_everywhere),
        cmocka_unit_test(a_gather_that_cannot_be_used_ends_training_everywhere),
        cmocka_unit_test(a_network_that_does_not_fit_is_refused_everywhere),
    };
    int failed = cmocka_run_group_tests_name("trainer", tests, make_folder, remove_folder);
    comm_close(&comm);
    return failed;
}
