/* train --dry-run */
#include "train_dry_run.h"

#include "report.h"
#include "train_options.h"

#include "seisdcn/evaluate.h"
#include "seisdcn/files.h"
#include "seisdcn/log.h"
#include "seisdcn/memory.h"
#include "seisdcn/model.h"
#include "seisdcn/timer.h"
#include "seisdcn/trainer.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct {
    const Job *job;
    const Survey *survey;
    const IndexMap *map;
    Network *network;
    const Objective *objective; /* NULL: source */
    TrainerMemory memory;       /* this rank's */
    int64_t done;               /* steps that an earlier run took */
    int64_t epoch_patches;
    int64_t epoch_steps, steps, epochs;  /* steps of an epoch and in all; epochs begun */
    int64_t valid_patches;               /* of one validation */
    double patch_seconds, valid_seconds; /* a patch of training and of validation takes, over all ranks */
    int64_t measured;                    /* steps that were measured */
} Plan;

/* ---- what it takes ---- */

static Status plan_training(Plan *plan)
{
    const Config *config = &plan->job->config;
    const Comm *comm = &plan->job->comm;
    Trainer trainer;
    Evaluation validation;
    Status status = trainer_plan(comm, plan->survey, plan->map, config, plan->network, plan->objective, &trainer);
    if (status != STATUS_OK) return status;
    plan->memory = trainer.memory;
    plan->epoch_patches = trainer.order.epoch_rows;
    plan->epoch_steps = order_steps(&trainer.order);
    trainer_free(&trainer);
    plan->epochs = config->train.max_epochs;
    plan->steps = plan->epochs * plan->epoch_steps;
    if (config->train.max_steps > 0 && config->train.max_steps < plan->steps) {
        plan->steps = config->train.max_steps;
        plan->epochs = (plan->steps - 1) / plan->epoch_steps + 1;
    }
    status = evaluate_new(comm, plan->survey, plan->map, INDEX_VALID, config->train.max_valid_patches,
                          plan->memory.validation_gathers, plan->network, plan->objective, &validation);
    if (status != STATUS_OK) return status;
    plan->valid_patches = validation.n_used;
    int64_t unused = plan->memory.validation_gathers - evaluate_gathers(&validation);
    if (unused > 0) plan->memory.validation -= unused;
    evaluate_free(&validation);
    return STATUS_OK;
}

/* ---- files ---- */

/* The bytes of a model file: its numbers, and what HDF5 adds to each dataset (as measured). */
static int64_t model_bytes(const Network *network)
{
    int64_t entries = 2 * network->n_layers + 5;
    return 8000 + 420 * entries + network->n_parameters * (int64_t)sizeof(float);
}

/* Of a checkpoint: also two moments, the best weights so far, the configuration, and what each shard has left. */
static int64_t checkpoint_bytes(const Plan *plan)
{
    const Config *config = &plan->job->config;
    int64_t shards = config->train.shuffle ? 6000 + config->train.shards * (int64_t)sizeof(int64_t) : 0;
    return 4 * model_bytes(plan->network) - 29000 + shards; /* they share what stands once in a file */
}

static int64_t metrics_bytes(const Plan *plan)
{
    int64_t every = plan->job->config.train.log_every_steps;
    return 90 + 40 * (plan->epochs + (every > 0 ? plan->steps / every : 0));
}

static Status check_files(const Plan *plan)
{
    /* the last two checkpoints stay; a new one is written before the older goes */
    int64_t model = model_bytes(plan->network), checkpoint = checkpoint_bytes(plan);
    int64_t bytes = model + 5 * checkpoint + metrics_bytes(plan) + 4096;
    return files_check_space(train_options(plan->job)->output, (double)bytes);
}

/* ---- speed ---- */

/* Forward passes of a group alone, as in validation. */
static double measure_forward(const Network *network, NetworkGroup *group)
{
    double error[VECTOR_LANES_MAX], start = timer_now(), now;
    int64_t n = 0;
    do {
        network_forward(network, group, false);
        network_loss(network, group, error);
        n += network->vector->lanes;
        now = timer_now();
    } while (now - start < 0.2);
    return (now - start) / (double)n;
}

/* Whether rank 0 wants another step. Collective. */
static bool goes_on(const Comm *comm, double start)
{
    static const double SECONDS = 1.5;
    int64_t more = timer_now() - start < SECONDS;
    comm_broadcast(comm, &more, sizeof more);
    return more;
}

/* Some steps of training on some of the survey's own gathers: one shard a rank and one gather of it at a time. */
static Status measure_speed(Plan *plan)
{
    const Comm *comm = &plan->job->comm;
    Config config = plan->job->config;
    config.train.shuffle = true;
    config.train.shards = comm->size;
    config.train.block_gathers = 1;
    config.train.memory_limit_mb = config.train.max_patches_per_epoch = 0;
    config.train.max_epochs = 1;
    Trainer trainer;
    int64_t n = 0, first = 0, patches = 0, steps = 0;
    double loss, start = 0, begun, seconds = 0;
    Status status = trainer_new(comm, plan->survey, plan->map, &config, plan->network, plan->objective, &trainer);
    if (status != STATUS_OK) return status;
    status = trainer_start(&trainer, 1);
    begun = start = timer_now();
    while (status == STATUS_OK && goes_on(comm, begun)) {
        status = trainer_step(&trainer, &n, &loss);
        if (n == 0) break;
        patches += n;
        plan->measured++;
        if (steps++ == 0) seconds = timer_now() - begun; /* the first warms up, and counts where it is the only one */
        if (steps == 1) {
            first = n;
            start = timer_now();
        }
    }
    if (steps > 1) {
        seconds = timer_now() - start;
        patches -= first;
        plan->measured--;
    }
    plan->patch_seconds = patches > 0 ? seconds / (double)patches : 0;
    if (status == STATUS_OK) {
        CommSpread forward = comm_spread(comm, measure_forward(plan->network, &trainer.group));
        plan->valid_seconds = forward.max / comm->size;
    }
    trainer_free(&trainer);
    return status;
}

/* ---- the table ---- */

static void print_survey(const Plan *plan)
{
    char gathers[LOG_THINGS_MAX], traces[LOG_THINGS_MAX], samples[LOG_THINGS_MAX], bytes[32], n[INDEX_SPLITS][32];
    const Survey *survey = plan->survey;
    report_row("survey", "%s, %s of %s, %s", log_things(survey->n_ensembles, "gather", gathers),
               log_things(survey->n_traces, "trace", traces), log_things(survey->n_samples, "sample", samples),
               log_bytes(4.0 * (double)survey->n_traces * (double)survey->n_samples, bytes));
    for (int s = 0; s < INDEX_SPLITS; s++) log_count(plan->map->total[s], n[s]);
    report_row("patches", "%s train, %s valid, %s test", n[INDEX_TRAIN], n[INDEX_VALID], n[INDEX_TEST]);
    report_row("steps", "%s an epoch (%s), %s in all", log_count(plan->epoch_steps, gathers),
               log_things(plan->epoch_patches, "patch", traces), log_count(plan->steps, bytes));
}

void train_warn_memory(const Comm *comm, const TrainerMemory *memory)
{
    report_node(comm, trainer_memory_sum(memory),
                "set train.memory_limit_mb to a rank's part of it, and train.block_gathers as that will tell");
}

static void print_memory(const Plan *plan)
{
    const Comm *comm = &plan->job->comm;
    const Config *config = &plan->job->config;
    TrainerMemory memory = plan->memory;
    CommSpread spread = comm_spread(comm, (double)trainer_memory_sum(&memory));
    report_take(comm, spread.max_rank, (int64_t *)&memory, sizeof memory / sizeof(int64_t));
    char max[32], mean[32], limit[64] = "", kinds[64] = "all of its shards'";
    if (config->train.memory_limit_mb > 0)
        snprintf(limit, sizeof limit, "; train.memory_limit_mb %" PRId64, config->train.memory_limit_mb);
    report_row("memory a rank", "%s at most (rank %d; mean %s)%s", log_bytes(spread.max, max), spread.max_rank,
               log_bytes(spread.mean, mean), limit);
    report_row("  program, libraries", "%s", log_bytes((double)(memory.program + memory.libraries), max));
    report_row("  network, batch, lists", "%s", log_bytes((double)memory.own, max));
    if (!config->train.shuffle)
        snprintf(kinds, sizeof kinds, "as many as there is room for");
    else if (config->train.block_gathers > 0)
        snprintf(kinds, sizeof kinds, "blocks of %" PRId64 ", and %s read ahead", config->train.block_gathers,
                 log_bytes((double)memory.gathers_ahead, mean));
    report_row("  gathers", "%s (%s)", log_bytes((double)memory.gathers, max), kinds);
    report_row("  validation", "%s", log_bytes((double)memory.validation, max));
    train_warn_memory(comm, &plan->memory);
}

static void print_files(const Plan *plan)
{
    const char *folder = train_options(plan->job)->output;
    char best[32], last[32], metrics[32];
    log_bytes((double)model_bytes(plan->network), best);
    log_bytes((double)checkpoint_bytes(plan), last);
    log_bytes((double)metrics_bytes(plan), metrics);
    report_row("files", "in %s: best.h5 %s, last.h5 %s, two checkpoints of %s, metrics.csv %s", folder, best, last,
               last, metrics);
}

static void print_time(const Plan *plan)
{
    double train = plan->patch_seconds * (double)plan->epoch_patches;
    double valid = plan->valid_seconds * (double)plan->valid_patches;
    int64_t left = plan->steps > plan->done ? plan->steps - plan->done : 0;
    double epochs = (double)left / (double)plan->epoch_steps;
    char text[LOG_THINGS_MAX], other[32], whole[32], resumed[96] = "in all", ranks[LOG_THINGS_MAX],
                                                     steps[LOG_THINGS_MAX];
    if (plan->patch_seconds > 0)
        report_row("speed", "%.0f patches/s on %s (measured: %s)", 1 / plan->patch_seconds,
                   log_things(plan->job->comm.size, "rank", ranks), log_things(plan->measured, "step", steps));
    if (plan->done > 0) snprintf(resumed, sizeof resumed, "for the %s left", log_things(left, "step", text));
    log_duration(train * epochs + valid * ceil(epochs), whole);
    report_row("time (estimate)", "%s %s, of an epoch %s training and %s validation", whole, resumed,
               log_duration(train, text), log_duration(valid, other));
}

Status train_dry_run(const Job *job, const Survey *survey, const IndexMap *map, Network *network,
                     const Objective *objective, int64_t steps_done)
{
    Plan plan = {
        .job = job, .survey = survey, .map = map, .network = network, .objective = objective, .done = steps_done};
    Status status = plan_training(&plan);
    if (status == STATUS_OK) status = measure_speed(&plan);
    if (status != STATUS_OK) return status;
    print_survey(&plan);
    print_memory(&plan);
    print_files(&plan);
    print_time(&plan);
    status = comm_agree(&job->comm, job->comm.rank == 0 ? check_files(&plan) : STATUS_OK); /* memory and time hold */
    if (status != STATUS_OK) return status;
    log_note("dry run: nothing was written");
    return STATUS_OK;
}
