/* Tests of network/checkpoint, and of a trainer that goes on from one, on any number of ranks: the steps behind it have
 * the bits of a training that went through; no damage passes; a request to stop reaches all ranks at the same step. */
#include "seisdcn/checkpoint.h"
#include "seisdcn/evaluate.h"
#include "seisdcn/files.h"
#include "seisdcn/h5.h"
#include "seisdcn/interrupt.h"
#include "seisdcn/memory.h"
#include "seisdcn/model.h"
#include "seisdcn/trainer.h"

#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "temporary.h"

enum { N_ENSEMBLES = 5, N_SAMPLES = 20, FOLD = 11, SIZE = 9, BATCH = 20, BEFORE = 3, PARAMETERS = 200 };

static Comm comm;
static char folder[TEMPORARY_PATH], survey_path[2 * TEMPORARY_PATH], path[2 * TEMPORARY_PATH];

/* Everything that a training needs. */
typedef struct {
    Survey survey;
    IndexMap map;
    Network network;
    Trainer trainer;
} Bench;

static Config settings(void)
{
    Config config;
    config_defaults(&config);
    config.patch.size = SIZE;
    config.network.levels = 2;
    config.network.dropout = 0.2;
    config.train.batch_size = BATCH;
    config.train.learning_rate = 0.01;
    config.train.shards = 6;
    return config;
}

static void make_survey(void)
{
    int64_t first_trace[N_ENSEMBLES + 1] = {0};
    int32_t lines[N_ENSEMBLES] = {0};
    float amplitude[FOLD * N_SAMPLES];
    for (int64_t e = 0; e < N_ENSEMBLES; e++) first_trace[e + 1] = first_trace[e] + FOLD;
    SurveyPlan plan = {.n_ensembles = N_ENSEMBLES,
                       .n_samples = N_SAMPLES,
                       .first_trace = first_trace,
                       .inlines = lines,
                       .crosslines = lines,
                       .history = "- made by a test\n"};
    Survey survey;
    assert_int_equal(survey_create(&comm, survey_path, &plan, &survey), STATUS_OK);
    Status status = STATUS_OK;
    for (int64_t e = comm.rank; e < N_ENSEMBLES && status == STATUS_OK; e += comm.size) {
        for (int i = 0; i < FOLD * N_SAMPLES; i++) amplitude[i] = (float)sin(0.37 * i + (double)e) * (float)(1 + i % 7);
        status = survey_write_gather(&survey, e, amplitude);
    }
    assert_int_equal(comm_agree(&comm, status), STATUS_OK);
    assert_int_equal(survey_finish(&survey), STATUS_OK);
    assert_int_equal(survey_close(&survey), STATUS_OK);
}

static void set_up(Config config, const Vector *vector, Bench *bench)
{
    NetworkShape shape = model_shape(&config);
    memset(bench, 0, sizeof *bench);
    assert_int_equal(survey_open(&comm, survey_path, false, &bench->survey), STATUS_OK);
    assert_int_equal(index_load(&comm, &bench->survey, NULL, &config, &bench->map), STATUS_OK);
    assert_int_equal(network_new(&shape, vector, &bench->network), STATUS_OK);
    assert_true(bench->network.n_parameters <= PARAMETERS);
    network_initialise(&bench->network, 4);
    assert_int_equal(trainer_new(&comm, &bench->survey, &bench->map, &config, &bench->network, NULL, &bench->trainer),
                     STATUS_OK);
}

static void tear_down(Bench *bench)
{
    trainer_free(&bench->trainer);
    network_free(&bench->network);
    index_free(&bench->map);
    assert_int_equal(survey_close(&bench->survey), STATUS_OK);
}

/* Steps of an epoch from here to its end, at most `most`; their losses go into loss. */
static int64_t go(Trainer *trainer, int64_t most, double *loss)
{
    int64_t steps = 0, n = 1;
    while (steps < most) {
        assert_int_equal(trainer_step(trainer, &n, &loss[steps]), STATUS_OK);
        if (n == 0) break;
        steps++;
    }
    return steps;
}

/* Rank 0 writes; best is a copy of the network, with another batch count. */
static void write_checkpoint(const Bench *bench, CheckpointState *state)
{
    Status status = STATUS_OK;
    checkpoint_take_place(&bench->trainer, state);
    state->best = 0.25;
    state->best_epoch = 1;
    state->epochs_since_best = 3;
    state->metrics_rows = 17;
    state->survey_checksum = bench->survey.checksum;
    state->map_checksum = UINT64_MAX - 5;
    state->init_checksum = 77;
    if (comm.rank == 0) {
        Network best;
        ModelInfo info = {.deal = {.has_survey = true, .survey_checksum = bench->survey.checksum}};
        status = network_new(&bench->network.shape, bench->network.vector, &best);
        if (status == STATUS_OK) {
            network_copy_state(&bench->network, &best);
            best.n_batches = 1000;
            status = checkpoint_write(path, state, &bench->trainer, &best, &info, "- a history\n");
            network_free(&best);
        }
    }
    assert_int_equal(comm_agree(&comm, status), STATUS_OK);
}

/* Rank 0 reads and compares with the state that was written. */
static bool same_state(const Checkpoint *read, const CheckpointState *wrote)
{
    const CheckpointState *a = &read->state, *b = wrote;
    bool same = a->epoch == b->epoch && a->epoch_step == b->epoch_step && a->step == b->step &&
                a->epoch_ended == b->epoch_ended && a->closed == b->closed &&
                a->epoch_error.high == b->epoch_error.high && a->epoch_error.low == b->epoch_error.low &&
                a->epoch_patches == b->epoch_patches && a->best == b->best && a->best_epoch == b->best_epoch &&
                a->epochs_since_best == b->epochs_since_best && a->metrics_rows == b->metrics_rows &&
                a->survey_checksum == b->survey_checksum && a->map_checksum == b->map_checksum &&
                a->init_checksum == b->init_checksum && strcmp(a->instruction_set, b->instruction_set) == 0;
    for (int key = 0; key < CONFIG_KEYS; key++) same = same && config_same(&a->config, &b->config, (ConfigKey)key);
    return same && read->best.n_batches == 1000 && strcmp(read->history, "- a history\n") == 0;
}

/* Trains `before` steps of epoch 2 and on to its end; then the same from a checkpoint behind the first ones. */
static void goes_on(Config config, const Vector *vector, int64_t before)
{
    Bench through, later;
    Checkpoint checkpoint = {0};
    CheckpointState state = {.config = config, .epoch_ended = before == 0, .closed = before == 1};
    double losses[64], again[64];
    set_up(config, vector, &through);
    assert_int_equal(trainer_start(&through.trainer, 1), STATUS_OK);
    (void)go(&through.trainer, 64, losses);
    assert_int_equal(trainer_start(&through.trainer, 2), STATUS_OK);
    int64_t first = go(&through.trainer, before, losses);
    write_checkpoint(&through, &state);
    int64_t n = go(&through.trainer, 64, losses);
    double epoch_loss = trainer_epoch_loss(&through.trainer);

    Status status = comm.rank == 0 ? checkpoint_read(path, vector, &checkpoint) : STATUS_OK;
    if (status == STATUS_OK && comm.rank == 0 && !same_state(&checkpoint, &state)) status = STATUS_BUG;
    assert_int_equal(comm_agree(&comm, status), STATUS_OK);
    set_up(config, vector, &later);
    if (comm.rank == 0) assert_int_equal(checkpoint_fits(&checkpoint, &later.network), STATUS_OK);
    checkpoint_install(&comm, &checkpoint, &state, &later.trainer);
    assert_int_equal(trainer_resume(&later.trainer, 2, first, later.trainer.order.left_before), STATUS_OK);
    assert_int_equal(go(&later.trainer, 64, again), n);
    /* NOLINTBEGIN(bugprone-suspicious-memory-comparison): the bits are what is promised */
    assert_memory_equal(again, losses, (size_t)n * sizeof *losses);
    assert_true(trainer_epoch_loss(&later.trainer) == epoch_loss && later.trainer.step == through.trainer.step);
    size_t floats = (size_t)through.network.n_parameters * sizeof(float);
    assert_memory_equal(later.network.parameter, through.network.parameter, floats);
    assert_memory_equal(later.trainer.adam_mean, through.trainer.adam_mean, floats);
    assert_memory_equal(later.trainer.adam_square, through.trainer.adam_square, floats);
    /* NOLINTEND(bugprone-suspicious-memory-comparison) */
    assert_true(later.network.running_mean[0] == through.network.running_mean[0]);
    assert_true(later.network.running_var[0] == through.network.running_var[0]);
    assert_int_equal(later.network.n_batches, through.network.n_batches);
    checkpoint_free(&checkpoint);
    tear_down(&later);
    tear_down(&through);
}

static void goes_on_in_every_way(int level, int64_t before)
{
    Config config = settings();
    const Vector *vector = vector_of_level(level);
    goes_on(config, vector, before);
    config.train.block_gathers = 1;
    goes_on(config, vector, before);
    config.train.shuffle = false;
    goes_on(config, vector, before);
    config.split.by = SPLIT_BY_PATCH;
    config.train.max_patches_per_epoch = 3 * BATCH + 5;
    goes_on(config, vector, before);
    config.train.shuffle = true;
    config.network.mixing = MIXING_FULL;
    goes_on(config, vector, before);
}

static void a_trainer_goes_on_to_the_same_bits(void **state)
{
    (void)state;
    for (int level = 1; level <= vector_level(); level++)
        for (int64_t before = 0; before <= 8; before += before < 2 ? 1 : 3) goes_on_in_every_way(level, before);
}

static void a_place_that_cannot_be_is_refused(void **state)
{
    (void)state;
    Bench bench;
    int64_t left[6];
    set_up(settings(), vector_of_level(1), &bench);
    Order *order = &bench.trainer.order;
    assert_int_equal(order->n_shards, 6);
    order_start(order, 1);
    memcpy(left, order->left, sizeof left);
    assert_int_equal(order_resume(order, 1, 0, left), STATUS_OK);
    assert_int_equal(order_resume(order, 1, 1, left), STATUS_DATA); /* too many are left behind a step */
    left[2] -= BATCH;
    assert_int_equal(order_resume(order, 1, 1, left), left[2] < 0 ? STATUS_DATA : STATUS_OK);
    assert_int_equal(order_resume(order, 1, -1, left), STATUS_DATA);
    assert_int_equal(order_resume(order, 1, order_steps(order) + 1, left), STATUS_DATA);
    left[1]++;
    left[2]--;
    assert_int_equal(order_resume(order, 1, 1, left), STATUS_DATA); /* the sum is right, the shard has not so many */
    status_clear();
    tear_down(&bench);
}

/* Rank 0: whether reading refuses the checkpoint as it is now, and says which. */
static bool refused(void)
{
    Checkpoint checkpoint;
    Status status = checkpoint_read(path, vector_of_level(1), &checkpoint);
    if (status == STATUS_OK) checkpoint_free(&checkpoint);
    return status == STATUS_DATA && strstr(status_message(), path) != NULL;
}

static bool all_damage_is_refused(void)
{
    static char bytes[1 << 18];
    FILE *file = fopen(path, "r+b");
    size_t n = file == NULL ? 0 : fread(bytes, 1, sizeof bytes, file);
    bool good = n > 10000 && n < sizeof bytes && !refused();
    for (size_t i = 0; good && i < n; i += i < CHECKPOINT_HEAD + 64 ? 7 : 101) {
        char spoilt = (char)(bytes[i] ^ (1 << i % 8));
        int descriptor = fileno(file);
        good = pwrite(descriptor, &spoilt, 1, (off_t)i) == 1 && refused() &&
               pwrite(descriptor, &bytes[i], 1, (off_t)i) == 1;
    }
    good = good && !refused() && ftruncate(fileno(file), (off_t)n + 1) == 0 && refused(); /* a byte too many */
    for (size_t cut = n; good && cut > 0; cut -= cut > 997 ? 997 : cut > 31 ? 31 : cut)
        good = ftruncate(fileno(file), (off_t)cut - 1) == 0 && refused();
    if (file != NULL) fclose(file);
    return good;
}

static void no_damage_passes(void **state)
{
    (void)state;
    Bench bench;
    double losses[64];
    CheckpointState wrote = {.config = settings()};
    set_up(wrote.config, vector_of_level(1), &bench);
    assert_int_equal(trainer_start(&bench.trainer, 1), STATUS_OK);
    (void)go(&bench.trainer, 2, losses);
    write_checkpoint(&bench, &wrote);
    bool good = comm.rank != 0 || all_damage_is_refused();
    assert_int_equal(comm_agree(&comm, good ? STATUS_OK : STATUS_BUG), STATUS_OK);
    status_clear();
    tear_down(&bench);
}

static void a_plain_model_is_no_checkpoint(void **state)
{
    (void)state;
    Bench bench;
    Checkpoint checkpoint;
    ModelInfo info = {.deal = {.has_survey = false}};
    bool good = true;
    set_up(settings(), vector_of_level(1), &bench);
    if (comm.rank == 0) {
        good = model_write(path, &bench.network, &info, "") == STATUS_OK &&
               checkpoint_read(path, vector_of_level(1), &checkpoint) == STATUS_DATA &&
               strstr(status_message(), "no checkpoint") != NULL;
        unlink(path);
        good = good && checkpoint_read(path, vector_of_level(1), &checkpoint) == STATUS_IO;
    }
    assert_int_equal(comm_agree(&comm, good ? STATUS_OK : STATUS_BUG), STATUS_OK);
    status_clear();
    tear_down(&bench);
}

static void another_network_does_not_fit(void **state)
{
    (void)state;
    Bench bench, other;
    CheckpointState wrote = {.config = settings()};
    Config config = settings();
    config.network.levels = 1;
    set_up(wrote.config, vector_of_level(1), &bench);
    assert_int_equal(trainer_start(&bench.trainer, 1), STATUS_OK);
    write_checkpoint(&bench, &wrote);
    set_up(config, vector_of_level(1), &other);
    bool good = true;
    if (comm.rank == 0) {
        Checkpoint checkpoint;
        good = checkpoint_read(path, vector_of_level(1), &checkpoint) == STATUS_OK;
        good = good && checkpoint_fits(&checkpoint, &other.network) == STATUS_CONFIG;
        checkpoint_free(&checkpoint);
    }
    assert_int_equal(comm_agree(&comm, good ? STATUS_OK : STATUS_BUG), STATUS_OK);
    status_clear();
    tear_down(&other);
    tear_down(&bench);
}

/* The last test: a request stays. */
static void one_asked_rank_stops_all(void **state)
{
    (void)state;
    Bench bench;
    Evaluation evaluation;
    double loss;
    int64_t n;
    set_up(settings(), vector_of_level(1), &bench);
    assert_int_equal(
        evaluate_new(&comm, &bench.survey, &bench.map, INDEX_VALID, 0, 0, &bench.network, NULL, &evaluation),
        STATUS_OK);
    assert_int_equal(trainer_start(&bench.trainer, 1), STATUS_OK);
    assert_int_equal(trainer_step(&bench.trainer, &n, &loss), STATUS_OK);
    assert_false(bench.trainer.stop);
    interrupt_listen();
    if (comm.rank == comm.size - 1) raise(SIGUSR1);
    assert_int_equal(trainer_step(&bench.trainer, &n, &loss), STATUS_OK);
    assert_true(bench.trainer.stop && n == BATCH && bench.trainer.step == 2);
    assert_int_equal(evaluate_run(&evaluation, &bench.network, &bench.trainer.group, &loss), STATUS_INTERRUPTED);
    assert_string_equal(status_message(), "interrupted by SIGUSR1");
    assert_int_equal(trainer_start(&bench.trainer, 2), STATUS_OK);
    assert_true(bench.trainer.stop);
    assert_int_equal(comm_agree(&comm, interrupt_status()), STATUS_INTERRUPTED);
    assert_string_equal(status_message(), "interrupted by SIGUSR1");
    Trainer second;
    Config config = settings();
    /* gathers are read beforehand */
    assert_int_equal(trainer_new(&comm, &bench.survey, &bench.map, &config, &bench.network, NULL, &second),
                     STATUS_INTERRUPTED);
    status_clear();
    evaluate_free(&evaluation);
    tear_down(&bench);
}

static int make_folder(void **state)
{
    (void)state;
    if (comm.rank == 0) temporary_make(folder);
    comm_broadcast(&comm, folder, sizeof folder);
    snprintf(survey_path, sizeof survey_path, "%s/survey.h5", folder);
    snprintf(path, sizeof path, "%s/step.h5", folder);
    make_survey();
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
        cmocka_unit_test(a_trainer_goes_on_to_the_same_bits),
        cmocka_unit_test(a_place_that_cannot_be_is_refused),
        cmocka_unit_test(no_damage_passes),
        cmocka_unit_test(a_plain_model_is_no_checkpoint),
        cmocka_unit_test(another_network_does_not_fit),
        cmocka_unit_test(one_asked_rank_stops_all),
    };
    int failed = cmocka_run_group_tests_name("checkpoint", tests, make_folder, remove_folder);
    comm_close(&comm);
    return failed;
}
