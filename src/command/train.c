/* train: data-parallel training, epoch by epoch; what it writes is in src/command/train_output.c. */
#include "dry_run.h"
#include "report.h"
#include "train_output.h"

#include "seisdcn/command.h"
#include "seisdcn/commands.h"
#include "seisdcn/evaluate.h"
#include "seisdcn/files.h"
#include "seisdcn/index_map.h"
#include "seisdcn/log.h"
#include "seisdcn/memory.h"
#include "seisdcn/model.h"
#include "seisdcn/survey.h"
#include "seisdcn/timer.h"
#include "seisdcn/trainer.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

typedef struct {
    Job *job;
    Survey survey;
    IndexMap map;
    Network network;
    Trainer trainer;
    Evaluation validation;
    TrainOutput output;
    double best; /* the lowest loss that counts so far */
    int64_t epochs_since_best;
    double clock;    /* when patches were last counted for patches_per_second, less validation and files */
    int64_t patches; /* since then */
    double seconds;  /* training time of the epoch */
} Train;

/* ---- prepare ---- */

static Status make_network(Train *train, const Vector *vector)
{
    Job *job = train->job;
    const char *init = command_text(job, "--init");
    Status status;
    if (init == NULL) {
        NetworkShape shape = model_shape(&job->config);
        status = comm_agree(&job->comm, network_new(&shape, vector, &train->network));
        if (status == STATUS_OK) network_initialise(&train->network, job->config.train.seed);
        return status;
    }
    ModelInfo info;
    status = model_load(&job->comm, init, vector, &train->network, &info);
    if (status == STATUS_OK) status = model_take_config(&train->network, init, &job->config);
    if (status == STATUS_OK) train->network.shape.dropout = job->config.network.dropout;
    return status;
}

static void read_on(void *context) { trainer_read_on(context); }

/* What a real run and a dry one check and load alike. */
static Status load(Train *train)
{
    Job *job = train->job;
    const Comm *comm = &job->comm;
    const char *init = command_text(job, "--init"), *map = command_text(job, "--map");
    const Vector *vector;
    Status status = STATUS_OK;
    if (comm->rank == 0) status = train_output_check(command_text(job, "--output"), job->force);
    status = comm_agree(comm, status);
    if (status == STATUS_OK) status = model_choose_vector(comm, &vector);
    if (status == STATUS_OK) status = survey_open(comm, command_text(job, "--survey"), false, &train->survey);
    /* a map may set the patch size of a new network, and a model that of a new map */
    if (status == STATUS_OK && init != NULL) status = make_network(train, vector);
    if (status == STATUS_OK) status = index_load(comm, &train->survey, map, &job->config, &train->map);
    if (status == STATUS_OK && init == NULL) status = make_network(train, vector);
    if (status == STATUS_OK) status = model_check_map(&train->network, &train->map);
    if (status == STATUS_OK)
        status = model_check_survey(&train->network, &train->survey, init == NULL ? STATUS_CONFIG : STATUS_DATA);
    if (status == STATUS_OK) index_report(&train->map);
    return status;
}

static Status prepare(Train *train)
{
    Job *job = train->job;
    const Comm *comm = &job->comm;
    Status status = trainer_plan(comm, &train->survey, &train->map, &job->config, &train->network, &train->trainer);
    if (status == STATUS_OK) {
        dry_run_warn(comm, &train->trainer.memory);
        status = trainer_prepare(&train->trainer);
    }
    if (status == STATUS_OK)
        status = evaluate_new(comm, &train->survey, &train->map, INDEX_VALID, job->config.train.max_valid_patches,
                              train->trainer.memory.validation_gathers, &train->network, &train->validation);
    train->validation.poke = read_on;
    train->validation.poke_context = &train->trainer;
    if (status == STATUS_OK)
        status = train_output_open(comm, &train->output, command_text(job, "--output"), &job->config, &train->network,
                                   &train->trainer, &train->survey, &train->map, job->line);
    return status;
}

static void introduce(const Train *train)
{
    const Config *config = &train->job->config;
    const NetworkShape *shape = &train->network.shape;
    int64_t steps = order_steps(&train->trainer.order);
    char patches[32], size[32];
    log_note("network: %" PRId64 " channels, k_mult %" PRId64 ", %" PRId64 " levels, %s, %" PRId64 " parameters",
             shape->channels, shape->k_mult, shape->levels, config_word(CONFIG_NETWORK_MIXING, shape->mixing),
             train->network.n_parameters);
    log_note("training: %s patches an epoch in %" PRId64 " steps of %" PRId64
             " over %d ranks, %s a rank besides gathers",
             log_count(train->trainer.order.epoch_rows, patches), steps, config->train.batch_size,
             train->job->comm.size, log_bytes((double)trainer_bytes(&train->trainer), size));
    if (config->train.batch_size < 8 * train->job->comm.size)
        log_warning("train.batch_size %" PRId64
                    " gives %d ranks fewer than 8 patches each: the vector units starve; use "
                    "fewer ranks or a larger batch",
                    config->train.batch_size, train->job->comm.size);
    if (train->validation.n_used == 0) log_note("no validation patches: best.h5 follows the training loss");
}

/* ---- loop ---- */

static bool limit_reached(const Train *train)
{
    int64_t limit = train->job->config.train.max_steps;
    return limit > 0 && train->trainer.step >= limit;
}

/* What is due after a step: a row of metrics, a checkpoint. Only rank 0 does it; its failure is agreed at the next
 * checkpoint or at the epoch's end. */
static Status after_step(Train *train, double loss)
{
    const Config *config = &train->job->config;
    const Comm *comm = &train->job->comm;
    int64_t step = train->trainer.step, every = config->train.checkpoint_every_steps;
    if (step % config->train.log_every_steps == 0) {
        double now = timer_now();
        train_output_step(&train->output, train->trainer.order.epoch, step, loss,
                          (double)train->patches / (now - train->clock));
        train->patches = 0;
        train->clock = now;
    }
    if (every == 0 || step % every != 0) return STATUS_OK;
    double start = timer_now();
    Status status = comm->rank == 0 ? train_output_checkpoint(&train->output) : STATUS_OK;
    status = comm_agree(comm, status);
    train->clock += timer_now() - start;
    train->seconds -= timer_now() - start;
    return status;
}

static Status run_steps(Train *train, int64_t epoch)
{
    char title[48], detail[32] = "";
    int64_t n, done = 0, steps = order_steps(&train->trainer.order);
    double start = timer_now(), loss = 0;
    train->clock = start;
    train->patches = 0;
    train->seconds = 0;
    Status status = trainer_start(&train->trainer, epoch);
    snprintf(title, sizeof title, "epoch %" PRId64 "/%" PRId64, epoch, train->job->config.train.max_epochs);
    log_progress_start(title, steps, "steps");
    while (status == STATUS_OK && !limit_reached(train)) {
        status = trainer_step(&train->trainer, &n, &loss);
        if (status != STATUS_OK || n == 0) break;
        train->patches += n;
        status = after_step(train, loss);
        snprintf(detail, sizeof detail, "loss %.3e", loss);
        log_progress(++done, detail);
    }
    log_progress_end();
    train->seconds += timer_now() - start;
    return status;
}

static const char *const phase_names[PHASES] = {"read", "feed", "compute", "sum", "exchange", "update"};

/* Where the epoch's time went: min, mean and max over ranks. */
static void report_phases(Train *train)
{
    char line[512];
    int at = 0;
    for (int p = 0; p < PHASES; p++) {
        CommSpread spread = comm_spread(&train->job->comm, 100 * train->trainer.seconds[p] / train->seconds);
        at +=
            snprintf(line + at, sizeof line - (size_t)at, "%s%s %.1f", p == 0 ? "" : ", ", phase_names[p], spread.mean);
        if (train->job->comm.size > 1)
            at += snprintf(line + at, sizeof line - (size_t)at, " (%.1f on rank %d to %.1f on rank %d)", spread.min,
                           spread.min_rank, spread.max, spread.max_rank);
        train->trainer.seconds[p] = 0;
    }
    log_note("  time in %%: %s", line);
}

/* Validates, writes the epoch's row and models, and says how it went. *stop: early stopping. */
static Status end_epoch(Train *train, int64_t epoch, double start, bool *stop)
{
    const Comm *comm = &train->job->comm;
    const Config *config = &train->job->config;
    double train_loss = trainer_epoch_loss(&train->trainer), valid_loss = NAN;
    Status status = STATUS_OK;
    if (train->validation.n_used > 0) {
        log_progress_start("validation", train->validation.end - train->validation.first, "patches");
        status = evaluate_run(&train->validation, &train->network, &train->trainer.group, &valid_loss);
        log_progress_end();
    }
    if (status != STATUS_OK) return status;
    double judged = train->validation.n_used > 0 ? valid_loss : train_loss;
    bool best = judged < train->best;
    train->epochs_since_best = best ? 0 : train->epochs_since_best + 1;
    if (best) train->best = judged;
    if (comm->rank == 0) status = train_output_epoch(&train->output, epoch, train_loss, valid_loss, best);
    status = comm_agree(comm, status);
    char left[32], valid[48] = "";
    if (train->validation.n_used > 0) snprintf(valid, sizeof valid, ", valid loss %.6g", valid_loss);
    log_note("epoch %" PRId64 "/%" PRId64 ": train loss %.6g%s%s, %.0f patches/s, %s left", epoch,
             config->train.max_epochs, train_loss, valid, best ? " (best)" : "",
             (double)train->trainer.epoch_patches / train->seconds,
             log_duration((double)(config->train.max_epochs - epoch) * (timer_now() - start), left));
    report_phases(train);
    int64_t patience = config->train.early_stopping_patience;
    *stop = patience > 0 && train->epochs_since_best >= patience;
    if (*stop)
        log_note("stopping early: no better loss in %" PRId64 " epochs (train.early_stopping_patience)", patience);
    return status;
}

static Status loop(Train *train)
{
    Status status = STATUS_OK;
    bool stop = false;
    train->best = INFINITY;
    for (int64_t epoch = 1; status == STATUS_OK && !stop && epoch <= train->job->config.train.max_epochs; epoch++) {
        double start = timer_now();
        status = run_steps(train, epoch);
        if (status == STATUS_OK) status = end_epoch(train, epoch, start, &stop);
        stop = stop || limit_reached(train);
    }
    return status;
}

static Status run(Job *job)
{
    Train train = {.job = job};
    bool dry = command_flag(job, "--dry-run");
    Status status = load(&train);
    if (status == STATUS_OK)
        status = dry ? dry_run_train(job, &train.survey, &train.map, &train.network) : prepare(&train);
    if (status == STATUS_OK && !dry) {
        introduce(&train);
        status = loop(&train);
        Status closed = job->comm.rank == 0 ? train_output_close(&train.output) : STATUS_OK;
        closed = comm_agree(&job->comm, status != STATUS_OK ? STATUS_OK : closed);
        if (status == STATUS_OK) status = closed;
    }
    if (status == STATUS_OK && !dry) report_memory(&job->comm);
    if (status == STATUS_OK && !dry)
        log_note("trained: %s/best.h5 (loss %.6g) and last.h5", command_text(job, "--output"), train.best);
    train_output_free(&train.output);
    evaluate_free(&train.validation);
    trainer_free(&train.trainer);
    network_free(&train.network);
    index_free(&train.map);
    Status closed = survey_close(&train.survey);
    return status != STATUS_OK ? status : closed;
}

static const Option options[] = {
    {.name = "--survey", .kind = OPTION_TEXT, .argument = "SURVEY.h5", .required = true, .help = "the survey file"},
    {.name = "--output",
     .kind = OPTION_TEXT,
     .argument = "DIR",
     .required = true,
     .help = "the folder for models, metrics and checkpoints"},
    {.name = "--map",
     .kind = OPTION_TEXT,
     .argument = "MAP.h5",
     .help = "the index map (default: built from patch.* and split.*)"},
    {.name = "--init", .kind = OPTION_TEXT, .argument = "MODEL.h5", .help = "start from this model's weights"},
    {.name = "--dry-run",
     .kind = OPTION_FLAG,
     .help = "check everything, write nothing, and print memory, files, steps and time"},
    {.name = NULL},
};

const Command command_train = {
    .name = "train",
    .summary = "trains the network on a survey's patches",
    .description =
        "Trains data-parallel over all ranks and writes DIR/best.h5 (lowest validation loss), last.h5, "
        "metrics.csv, config.yaml and checkpoints/. The result has the same bits for any number of ranks. A "
        "survey that is larger than memory is trained in blocks (train.block_gathers), whose next gathers are "
        "read while the ranks compute.",
    .example = "mpirun -n 2 seisdcn train --survey survey.h5 --output run --set train.max_epochs=3",
    .options = options,
    .uses_config = true,
    .run = run,
};
