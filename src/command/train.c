/* train: data-parallel training, epoch by epoch; what it writes is in src/command/train_output.c. */
#include "aim.h"
#include "export_origin.h"
#include "report.h"
#include "train_dry_run.h"
#include "train_introduce.h"
#include "train_options.h"
#include "train_output.h"
#include "train_resume.h"

#include "seisdcn/command.h"
#include "seisdcn/commands.h"
#include "seisdcn/evaluate.h"
#include "seisdcn/files.h"
#include "seisdcn/index_check.h"
#include "seisdcn/index_map.h"
#include "seisdcn/interrupt.h"
#include "seisdcn/log.h"
#include "seisdcn/memory.h"
#include "seisdcn/model.h"
#include "seisdcn/survey.h"
#include "seisdcn/timer.h"
#include "seisdcn/trainer.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct {
    Job *job;
    Survey survey;
    Aim aim;
    IndexMap map;
    Network network;
    char channels[SURVEY_CHANNELS_TEXT]; /* of the checkpoint or --init, "" where none says */
    IndexDeal init_deal;                 /* of --init */
    Trainer trainer;
    Evaluation validation;
    TrainResume resume;
    CheckpointState state; /* place, best loss, and what the result depends on; the place is of the last checkpoint */
    TrainOutput output;
    double best;     /* the lowest loss for the last message: state.best, or that of the closing validation */
    double clock;    /* when patches were last counted for patches_per_second, less validation and files */
    int64_t patches; /* since then */
    int64_t earlier; /* patches of the epoch that another run took */
    double seconds;  /* training time of the epoch */
} Train;

/* ---- prepare ---- */

static Status make_network(Train *train, const Vector *vector, const char *init)
{
    Job *job = train->job;
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
    if (status == STATUS_OK) status = model_take_apply(&train->network, &info, init, &job->config);
    if (status == STATUS_OK) train->network.shape.dropout = job->config.network.dropout;
    if (status == STATUS_OK) train->network.shape.objective = model_shape(&job->config).objective;
    train->state.init_checksum = info.checksum;
    train->init_deal = info.deal;
    memcpy(train->channels, info.channels, sizeof train->channels);
    return status;
}

/* Rank 0: what --init learnt on this survey should not be held out now. Of a model of another survey nothing is. */
static void check_init(const Train *train, const char *init, const char *map)
{
    IndexDeal deal = index_deal_of(&train->map, &train->survey);
    if (train->init_deal.has_survey && train->init_deal.survey_checksum == train->survey.checksum)
        index_deal_warn(map == NULL ? "the configuration" : map, &deal, init, &train->init_deal,
                        "it may have learnt from patches that are held out here for valid and test");
}

static void read_on(void *context) { trainer_read_on(context); }

/* What the result depends on besides the files that a run reads again; of rank 0 all of it. */
static void take_fingerprints(Train *train)
{
    CheckpointState *state = &train->state;
    state->config = train_resume_kept(&train->job->config);
    state->survey_checksum = train->survey.checksum;
    state->clean_checksum = train->aim.clean.checksum;
    state->attributes_checksum = survey_channels_checksum(&train->survey, model_gather_channels(&train->network));
    if (train->job->comm.rank == 0) state->map_checksum = index_rows_checksum(&train->map);
    checkpoint_name_machine(&train->network, state);
}

/* What a real run and a dry one check and read alike. */
static Status load(Train *train)
{
    Job *job = train->job;
    const Comm *comm = &job->comm;
    const char *init = train_options(job)->init, *map = train_options(job)->map;
    TrainResume *resume = &train->resume;
    const Vector *vector;
    Status status = STATUS_OK;
    if (comm->rank == 0)
        status = train_output_check(train_options(job)->output, job->force || train_options(job)->resume);
    status = comm_agree(comm, status);
    if (status == STATUS_OK) status = model_choose_vector(comm, &vector);
    if (status == STATUS_OK) status = train_resume_begin(job, vector, resume, &train->state);
    if (status != STATUS_OK || resume->finished) return status;
    if (resume->found) init = NULL; /* the checkpoint's weights hold */
    status = survey_open(comm, train_options(job)->survey, false, &train->survey);
    if (status == STATUS_OK) status = export_origin_tell(&train->survey, "is trained on here");
    /* a map may set the patch size of a new network, and a model that of a new map */
    if (status == STATUS_OK && init != NULL) status = make_network(train, vector, init);
    if (status == STATUS_OK) status = index_load(comm, &train->survey, map, &job->config, &train->map);
    if (status == STATUS_OK && init == NULL) status = make_network(train, vector, NULL);
    if (status == STATUS_OK) status = model_check_map(&train->network, &train->map);
    if (status == STATUS_OK)
        status = model_take_survey(&train->network, resume->found ? resume->channels : train->channels, &train->survey,
                                   init == NULL ? STATUS_CONFIG : STATUS_DATA);
    if (status == STATUS_OK)
        status = aim_open(comm, train_options(job)->clean, &train->survey, &train->network, &train->aim);
    if (status != STATUS_OK) return status;
    index_report(&train->map);
    if (init != NULL && comm->rank == 0) check_init(train, init, map);
    take_fingerprints(train);
    status = index_check_live(comm, &train->survey, &train->map, INDEX_TRAIN, 0);
    if (status == STATUS_OK)
        status = index_check_live(comm, &train->survey, &train->map, INDEX_VALID, job->config.train.max_valid_patches);
    if (status != STATUS_OK) return status;
    return train_resume_compare(job, resume, &train->state, &train->network);
}

static Status prepare(Train *train)
{
    Job *job = train->job;
    const Comm *comm = &job->comm;
    TrainResume *resume = &train->resume;
    const Objective *objective = train->aim.used;
    Status status =
        trainer_plan(comm, &train->survey, &train->map, &job->config, &train->network, objective, &train->trainer);
    if (status == STATUS_OK) {
        train_warn_memory(comm, &train->trainer.memory);
        status = trainer_prepare(&train->trainer);
    }
    if (status == STATUS_OK)
        status = evaluate_new(comm, &train->survey, &train->map, INDEX_VALID, job->config.train.max_valid_patches,
                              train->trainer.memory.validation_gathers, &train->network, objective, &train->validation);
    if (status != STATUS_OK) return status;
    train->validation.poke = read_on;
    train->validation.poke_context = &train->trainer;
    if (resume->found) checkpoint_install(comm, &resume->checkpoint, &resume->state, &train->trainer);
    train->output =
        (TrainOutput){.folder = train_options(job)->output, .trainer = &train->trainer, .state = &train->state};
    status = train_output_open(comm, &train->output, &train->survey, &train->map, job->line, resume, &job->config);
    checkpoint_free(&resume->checkpoint);
    return status;
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
    int64_t log_every = config->train.log_every_steps;
    if (log_every > 0 && step % log_every == 0) {
        double now = timer_now();
        train_metrics_step(&train->output.metrics, train->trainer.order.epoch, step, loss,
                           trainer_learning_rate(&train->trainer), (double)train->patches / (now - train->clock));
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

/* All ranks stop behind the same step: a checkpoint, and how to go on. */
static Status interrupted(Train *train)
{
    const Comm *comm = &train->job->comm;
    Status status = comm_agree(comm, comm->rank == 0 ? train_output_checkpoint(&train->output) : STATUS_OK);
    if (status == STATUS_OK) status = comm_agree(comm, interrupt_status());
    if (status != STATUS_INTERRUPTED) return status;
    return status_fail(STATUS_INTERRUPTED,
                       "%s in epoch %" PRId64 " after step %" PRId64 "; %s/checkpoints/step_%" PRId64
                       ".h5 holds everything: the same command with --resume goes on from there",
                       status_message(), train->trainer.order.epoch, train->trainer.step,
                       train_options(train->job)->output, train->trainer.step);
}

/* The epoch's steps; within: it goes on where another run left it. */
static Status run_steps(Train *train, int64_t epoch, bool within)
{
    Trainer *trainer = &train->trainer;
    char title[48], detail[32] = "";
    int64_t n, steps = order_steps(&trainer->order);
    double start = timer_now(), loss = 0;
    train->clock = start;
    train->patches = 0;
    train->seconds = 0;
    Status status = within ? trainer_resume(trainer, epoch, train->resume.state.epoch_step, trainer->order.left_before)
                           : trainer_start(trainer, epoch);
    train->earlier = trainer->epoch_patches;
    snprintf(title, sizeof title, "epoch %" PRId64 "/%" PRId64, epoch, train->job->config.train.max_epochs);
    log_progress_start(title, steps, "step");
    while (status == STATUS_OK && !trainer->stop && !limit_reached(train)) {
        status = trainer_step(trainer, &n, &loss);
        if (status != STATUS_OK || n == 0) break;
        train->patches += n;
        status = after_step(train, loss);
        snprintf(detail, sizeof detail, "loss %.3e", loss);
        log_progress(trainer->epoch_step, detail);
    }
    log_progress_end();
    train->seconds += timer_now() - start;
    return status == STATUS_OK && trainer->stop ? interrupted(train) : status;
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

/* Whether a loss is the lowest so far; that of an epoch cut short counts for best.h5, but not for a run that goes on
 * from here with more steps, and would not have stopped to validate. */
static bool judge(Train *train, double loss, bool cut_short)
{
    CheckpointState *state = &train->state;
    bool best = loss < state->best;
    train->best = best ? loss : state->best;
    if (cut_short) return best;
    state->epochs_since_best = best ? 0 : state->epochs_since_best + 1;
    if (best) state->best = loss;
    if (best) state->best_epoch = train->trainer.order.epoch;
    return best;
}

static void report_epoch(Train *train, double train_loss, double valid_loss, bool best, double start)
{
    int64_t epoch = train->trainer.order.epoch, max_epochs = train->job->config.train.max_epochs;
    char left[32], valid[48] = "";
    if (train->validation.n_used > 0) snprintf(valid, sizeof valid, ", valid loss %.6g", valid_loss);
    log_note("epoch %" PRId64 "/%" PRId64 ": train loss %.6g%s%s, %.0f patches/s, %s left", epoch, max_epochs,
             train_loss, valid, best ? " (best)" : "",
             (double)(train->trainer.epoch_patches - train->earlier) / train->seconds,
             log_duration((double)(max_epochs - epoch) * (timer_now() - start), left));
    report_phases(train);
}

/* Validates, writes the epoch's row and models, and says how it went. *stop: early stopping. */
static Status end_epoch(Train *train, double start, bool *stop)
{
    const Comm *comm = &train->job->comm;
    double train_loss = trainer_epoch_loss(&train->trainer), valid_loss = NAN;
    Status status = STATUS_OK;
    if (train->validation.n_used > 0) {
        log_progress_start("validation", train->validation.end - train->validation.first, "patch");
        status = evaluate_run(&train->validation, &train->network, &train->trainer.group, &valid_loss);
        log_progress_end();
    }
    if (status == STATUS_INTERRUPTED) return interrupted(train);
    if (status != STATUS_OK) return status;
    bool cut_short = train->trainer.epoch_step < order_steps(&train->trainer.order);
    bool best = judge(train, train->validation.n_used > 0 ? valid_loss : train_loss, cut_short);
    if (comm->rank == 0) status = train_output_epoch(&train->output, train_loss, valid_loss, best, cut_short);
    status = comm_agree(comm, status);
    report_epoch(train, train_loss, valid_loss, best, start);
    int64_t patience = train->job->config.train.early_stopping_patience;
    *stop = patience > 0 && train->state.epochs_since_best >= patience;
    char epochs[LOG_THINGS_MAX];
    if (*stop)
        log_note("stopping early: no better loss in %s (train.early_stopping_patience)",
                 log_things(patience, "epoch", epochs));
    return status;
}

static Status loop(Train *train)
{
    const TrainResume *resume = &train->resume;
    bool stop = false, within = resume->found && !resume->state.epoch_ended && !resume->anew;
    int64_t first = !resume->found ? 1 : resume->state.epoch + resume->state.epoch_ended;
    Status status = STATUS_OK;
    for (int64_t epoch = first; status == STATUS_OK && !stop && epoch <= train->job->config.train.max_epochs; epoch++) {
        double start = timer_now();
        status = run_steps(train, epoch, within && epoch == first);
        if (status == STATUS_OK) status = end_epoch(train, start, &stop);
        stop = stop || limit_reached(train);
    }
    return status;
}

static Status prepare_and_loop(Train *train)
{
    const char *folder = train_options(train->job)->output;
    Status status = load(train);
    bool dry = train_options(train->job)->dry_run;
    if (status == STATUS_OK && !train->resume.finished && !dry) status = prepare(train);
    if (status == STATUS_INTERRUPTED)
        return status_fail(status, "%s before the first step; nothing is lost: the same command with --resume goes on",
                           status_message());
    if (status == STATUS_OK && train->resume.finished)
        log_note("%s is finished: epoch %" PRId64 ", step %" PRId64
                 "; with more train.max_epochs or train.max_steps it goes on",
                 folder, train->resume.state.epoch, train->resume.state.step);
    if (status != STATUS_OK || train->resume.finished) return status;
    if (dry)
        return train_dry_run(train->job, &train->survey, &train->map, &train->network, train->aim.used,
                             train->resume.found ? train->resume.state.step : 0);
    train_introduce(train->job, &train->network, &train->trainer, train->validation.n_used, &train->resume);
    status = loop(train);
    if (status == STATUS_OK) log_note("trained: %s/best.h5 (loss %.6g) and last.h5", folder, train->best);
    return status;
}

static Status run(Job *job)
{
    Train train = {.job = job, .state = {.best = INFINITY}};
    interrupt_limit(60 * job->config.train.max_time_minutes);
    Status status = prepare_and_loop(&train);
    if (status == STATUS_OK && !train_options(job)->dry_run) report_memory(&job->comm);
    train_output_free(&train.output);
    train_resume_free(&train.resume);
    evaluate_free(&train.validation);
    trainer_free(&train.trainer);
    network_free(&train.network);
    index_free(&train.map);
    Status closed = aim_close(&train.aim), also = survey_close(&train.survey);
    return status != STATUS_OK ? status : closed != STATUS_OK ? closed : also;
}

static const Option options[] = {
    {"--survey", FILLS(SURVEY, TrainOptions, survey), .argument = "SURVEY.h5", .required = true,
     .help = "the survey file"},
    {"--output", FILLS(FOLDER, TrainOptions, output), .argument = "DIR", .required = true,
     .help = "the folder for models, metrics and checkpoints"},
    {"--map", FILLS(INPUT, TrainOptions, map), .argument = "MAP.h5",
     .help = "the index map (default: built from patch.* and split.*)"},
    {"--clean", FILLS(SURVEY, TrainOptions, clean), .argument = "SURVEY.h5",
     .help = "the clean survey of the same gathers, for train.target=clean"},
    {"--init", FILLS(INPUT, TrainOptions, init), .argument = "MODEL.h5", .help = "start from this model's weights"},
    {"--resume", FILLS(FLAG, TrainOptions, resume),
     .help = "goes on from DIR's newest whole checkpoint; from the start where there is none"},
    {"--allow-change", FILLS(LIST, TrainOptions, allow_change), .argument = "KEY",
     .help = "lets --resume go on although this key (or survey, map, clean) is another now; may be repeated"},
    {"--dry-run", FILLS(FLAG, TrainOptions, dry_run),
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
        "read while the ranks compute. "
        "SIGUSR1, SIGUSR2, SIGTERM, SIGINT and train.max_time_minutes end it behind a step, with a checkpoint "
        "and status 75; --resume, with any number of ranks, then gives the bits of a run that never stopped.",
    .example = "mpirun -n 2 seisdcn train --survey survey.h5 --output run --set train.max_epochs=3",
    .tables = {{options, 0}},
    .options_size = sizeof(TrainOptions),
    .uses_config = true,
    .is_resumable = true,
    .run = run,
    .writes = train_output_writes,
};
