#include "trainer_private.h"

#include "seisdcn/adam.h"
#include "seisdcn/interrupt.h"
#include "seisdcn/log.h"
#include "seisdcn/memory.h"
#include "seisdcn/timer.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* Behind the gradients of the message: the loss in two limbs, the flags, how many samples of the next batch count, then
 * four numbers a channel for that batch: sum and sum of squares in two limbs each. */
enum { LOSS_HIGH, LOSS_LOW, FLAG_ERROR, FLAG_NUMERIC, FLAG_STOP, COUNTING, MESSAGE_HEAD, PER_CHANNEL = 4 };

/* Reads what patches of ensemble e need. */
static Status preload_one(Trainer *trainer, int64_t e)
{
    const float *unused;
    int64_t need[OBJECTIVE_NEEDS];
    int n = objective_needs(trainer->objective, e, need);
    Status status = STATUS_OK;
    for (int k = 0; status == STATUS_OK && k < n; k++) status = gathers_get(&trainer->gathers, need[k], &unused);
    if (status == STATUS_OK && trainer->clean.survey != NULL) status = gathers_get(&trainer->clean, e, &unused);
    return status;
}

static Status preload(Trainer *trainer)
{
    const IndexShare *share = &trainer->order.share;
    Status status = STATUS_OK;
    if (!trainer->order.shuffle || trainer->order.block_gathers > 0) return STATUS_OK;
    char bytes[32];
    double start = timer_now();
    log_progress_start("reading", share->n_pieces, "gather");
    for (int64_t p = 0; status == STATUS_OK && p < share->n_pieces; p++) {
        status = preload_one(trainer, share->piece[p].ensemble);
        if (status == STATUS_OK) status = interrupt_status();
        log_progress(p + 1, NULL);
    }
    log_progress_end();
    status = comm_agree(&trainer->comm, status);
    CommSpread spread = comm_spread(&trainer->comm, (double)(trainer->gathers.bytes + trainer->clean.bytes));
    if (status == STATUS_OK)
        log_note("read the training gathers in %.1f s, at most %s a rank", timer_now() - start,
                 log_bytes(spread.max, bytes));
    return status;
}

/* All gathers stay, or the blocks' do, or as many of an unshuffled map as the memory takes. */
static Status allocate_gathers(Trainer *trainer)
{
    Order *order = &trainer->order;
    bool blocks = order->shuffle && order->block_gathers > 0, all = order->shuffle && !blocks;
    const TrainerMemory *memory = &trainer->memory;
    const Objective *objective = trainer->objective;
    int64_t clean = trainer_clean_part(trainer, memory->gathers);
    Status status = gathers_new(trainer->survey, trainer_gather_channels(trainer), all ? 0 : memory->gathers - clean,
                                &trainer->gathers);
    if (status == STATUS_OK && objective != NULL && objective->clean != NULL)
        status = gathers_new(objective->clean, objective->n_out, all ? 0 : clean, &trainer->clean);
    if (status == STATUS_OK && blocks)
        status = blocks_new(order, &trainer->gathers, memory->gathers_ahead, &trainer->blocks);
    return status;
}

static Status allocate(Trainer *trainer)
{
    const Network *network = trainer->network;
    size_t n = (size_t)network->n_parameters, channels = (size_t)network->shape.channels;
    trainer->message_size = network->n_parameters + MESSAGE_HEAD + PER_CHANNEL * network->shape.channels;
    trainer->adam_mean = memory_new(n, sizeof(float), "the optimizer");
    trainer->adam_square = memory_new(n, sizeof(float), "the optimizer");
    trainer->gradient = memory_new(n, sizeof(float), "the gradient");
    trainer->sums = memory_new(n, sizeof(double), "the gradient");
    trainer->fixed = memory_new(n * (size_t)network->vector->lanes, sizeof(int64_t), "the gradient");
    trainer->message = memory_new((size_t)trainer->message_size, sizeof(int64_t), "the gradient's message");
    trainer->mean = memory_new(2 * channels, sizeof(double), "batch norm's statistics");
    if (trainer->adam_mean == NULL || trainer->adam_square == NULL || trainer->gradient == NULL ||
        trainer->sums == NULL || trainer->fixed == NULL || trainer->message == NULL || trainer->mean == NULL)
        return STATUS_MEMORY;
    trainer->var = trainer->mean + channels;
    int64_t most = order_my_most(&trainer->order);
    for (int b = 0; b < 2; b++) {
        trainer->rows[b] = memory_new((size_t)most, sizeof *trainer->rows[b], "the rows of a batch");
        if (trainer->rows[b] == NULL) return STATUS_MEMORY;
    }
    Status status = network_group_new(network, true, &trainer->group);
    if (status == STATUS_OK)
        status = batch_new(network->vector, network->shape.channels, network->shape.patch_size, most,
                           trainer->objective, &trainer->batch);
    trainer->batch.scale = scale_of((ScaleKind)network->shape.scale, network->shape.scale_grid);
    return status == STATUS_OK ? allocate_gathers(trainer) : status;
}

Status trainer_plan(const Comm *comm, const Survey *survey, const IndexMap *map, const Config *config, Network *network,
                    const Objective *objective, Trainer *trainer)
{
    memset(trainer, 0, sizeof *trainer);
    trainer->objective = objective;
    trainer->comm = *comm;
    trainer->survey = survey;
    trainer->network = network;
    trainer->learning_rate = config->train.learning_rate;
    trainer->decay = config->train.learning_rate_decay;
    trainer->seed = config->train.seed;
    trainer->epochs = config->train.max_epochs;
    trainer->max_steps = config->train.max_steps;
    Status status = order_new(comm, map, config, &trainer->order);
    if (status == STATUS_OK) status = trainer_plan_memory(trainer, map, config);
    if (status != STATUS_OK) trainer_free(trainer);
    return status;
}

Status trainer_prepare(Trainer *trainer)
{
    Status status = comm_agree(&trainer->comm, allocate(trainer));
    if (status == STATUS_OK) status = preload(trainer);
    if (status != STATUS_OK) trainer_free(trainer);
    return status;
}

Status trainer_new(const Comm *comm, const Survey *survey, const IndexMap *map, const Config *config, Network *network,
                   const Objective *objective, Trainer *trainer)
{
    Status status = trainer_plan(comm, survey, map, config, network, objective, trainer);
    return status == STATUS_OK ? trainer_prepare(trainer) : status;
}

void trainer_free(Trainer *trainer)
{
    blocks_free(&trainer->blocks);
    order_free(&trainer->order);
    if (trainer->gathers.survey != NULL) gathers_free(&trainer->gathers);
    if (trainer->clean.survey != NULL) gathers_free(&trainer->clean);
    batch_free(&trainer->batch);
    for (int b = 0; b < 2; b++) memory_free(trainer->rows[b]);
    network_group_free(&trainer->group);
    memory_free(trainer->adam_mean);
    memory_free(trainer->adam_square);
    memory_free(trainer->gradient);
    memory_free(trainer->sums);
    memory_free(trainer->fixed);
    memory_free(trainer->message);
    memory_free(trainer->mean);
    memset(trainer, 0, sizeof *trainer);
}

void trainer_read_on(Trainer *trainer) { blocks_read_on(&trainer->blocks); }

/* Draws the rows of the batch after the current one. */
static Status draw_next(Trainer *trainer)
{
    int next = 1 - trainer->current;
    double start = timer_now();
    Status status = order_next(&trainer->order, trainer->rows[next], &trainer->n_mine[next], &trainer->n_all[next]);
    if (status != STATUS_OK) trainer->n_mine[next] = 0;
    blocks_drawn(&trainer->blocks);
    Status fits = batch_start(&trainer->batch, trainer->rows[next], trainer->n_mine[next]);
    trainer->seconds[PHASE_FEED] += timer_now() - start;
    return status != STATUS_OK ? status : fits;
}

/* Loads a group of the next batch: in the place of the current batch's, which has just gone through the network and is
 * still in the cache. */
static Status load_group(Trainer *trainer, int64_t g)
{
    double start = timer_now(), read = trainer->gathers.seconds + trainer->clean.seconds;
    blocks_reach(&trainer->blocks, (g + 1) * trainer->batch.vector->lanes);
    Status status = batch_load_group(&trainer->batch, g, &trainer->gathers, &trainer->clean);
    if (status == STATUS_OK) blocks_read_on(&trainer->blocks);
    read = trainer->gathers.seconds + trainer->clean.seconds - read;
    trainer->seconds[PHASE_READ] += read;
    trainer->seconds[PHASE_FEED] += timer_now() - start - read;
    return status;
}

/* The next batch's statistics go into the message. */
static void put_moments(Trainer *trainer)
{
    const Batch *batch = &trainer->batch;
    trainer->message[trainer->network->n_parameters + COUNTING] = batch->counting;
    int64_t *out = trainer->message + trainer->network->n_parameters + MESSAGE_HEAD;
    for (int64_t c = 0; c < trainer->network->shape.channels; c++) {
        *out++ = batch->sum[c].high;
        *out++ = batch->sum[c].low;
        *out++ = batch->square[c].high;
        *out++ = batch->square[c].low;
    }
}

/* Makes the loaded batch the current one, with the statistics that the message brought. */
static void take_next(Trainer *trainer)
{
    const Network *network = trainer->network;
    trainer->current = 1 - trainer->current;
    if (trainer->n_all[trainer->current] == 0) return; /* the epoch has ended */
    int64_t samples = trainer->n_all[trainer->current] * network->shape.patch_size * network->shape.patch_size;
    double n = (double)samples;
    trainer->counting = trainer->objective == NULL ? samples * network->shape.n_out
                                                   : trainer->message[network->n_parameters + COUNTING];
    const int64_t *in = trainer->message + network->n_parameters + MESSAGE_HEAD;
    for (int64_t c = 0; c < network->shape.channels; c++, in += PER_CHANNEL) {
        trainer->mean[c] = exact_value((ExactSum){in[0], in[1]}) / n;
        double var = exact_value((ExactSum){in[2], in[3]}) / n - trainer->mean[c] * trainer->mean[c];
        trainer->var[c] = var > 0 ? var : 0;
    }
}

/* Loads the first batch behind the order's place, and makes it the current one. */
static Status begin(Trainer *trainer, Status status)
{
    memset(trainer->message, 0, (size_t)trainer->message_size * sizeof *trainer->message);
    trainer->batch.key = objective_key(trainer->seed, trainer->order.epoch);
    if (status == STATUS_OK) status = draw_next(trainer);
    for (int64_t g = 0; status == STATUS_OK && g < batch_groups(&trainer->batch); g++) status = load_group(trainer, g);
    put_moments(trainer);
    int64_t *stop = trainer->message + trainer->network->n_parameters + FLAG_STOP;
    *stop = interrupt_asked();
    status = comm_agree(&trainer->comm, status);
    if (status != STATUS_OK) return status;
    comm_sum(&trainer->comm, trainer->message, (size_t)trainer->message_size);
    trainer->stop = *stop != 0;
    take_next(trainer);
    return STATUS_OK;
}

Status trainer_start(Trainer *trainer, int64_t epoch)
{
    blocks_leave(&trainer->blocks);
    order_start(&trainer->order, epoch);
    blocks_start(&trainer->blocks);
    trainer->epoch_error = (ExactSum){0, 0};
    trainer->epoch_patches = trainer->epoch_counting = trainer->epoch_step = 0;
    return begin(trainer, STATUS_OK);
}

Status trainer_resume(Trainer *trainer, int64_t epoch, int64_t epoch_step, const int64_t *left)
{
    trainer->epoch_step = epoch_step;
    blocks_leave(&trainer->blocks);
    Status status = order_resume(&trainer->order, epoch, epoch_step, left);
    if (status == STATUS_OK) blocks_start(&trainer->blocks);
    return begin(trainer, status);
}

/* Forward and backward over group g of the current batch, its gradients and losses added up. Returns whether all of
 * them are finite and in range. */
static bool compute_group(Trainer *trainer, int64_t g, ExactSum *error_sum)
{
    const Network *network = trainer->network;
    const Vector *vector = network->vector;
    NetworkGroup *group = &trainer->group;
    int64_t lanes = vector->lanes, channels2 = 2 * network->shape.channels, left = trainer->n_mine[trainer->current];
    int64_t live = left - g * lanes < lanes ? left - g * lanes : lanes;
    const IndexRow *row = trainer->rows[trainer->current] + g * lanes;
    bool dropout = network->shape.dropout > 0;
    double start = timer_now(), error[VECTOR_LANES_MAX];
    float *kept = group->x;
    group->x = batch_group(&trainer->batch, g);
    group->target = batch_target(&trainer->batch, g);
    group->weight = batch_weight(&trainer->batch, g);
    for (int64_t lane = 0; dropout && lane < live; lane++)
        network_draw_dropout(network, group, (int)lane, trainer->seed, trainer->order.epoch,
                             (int64_t[3]){row[lane].ensemble, row[lane].trace, row[lane].sample});
    network_condition_group(network, group);
    network_forward(network, group, dropout);
    network_backward(network, group, dropout, live, error);
    group->x = kept;
    group->target = group->weight = NULL;
    double middle = timer_now();
    /* batch norm's own gradients, the first two a channel, follow by linearity */
    int bad = vector->fixed_add(network->n_parameters - channels2, group->gradient + channels2 * lanes, EXACT_LIMIT,
                                exact_exponent(trainer->order.batch_size), trainer->fixed + channels2 * lanes);
    for (int64_t lane = 0; lane < live; lane++) bad |= !exact_add(error_sum, error[lane]);
    trainer->seconds[PHASE_COMPUTE] += middle - start;
    trainer->seconds[PHASE_SUM] += timer_now() - middle;
    return !bad;
}

/* This rank's part of a step into the message: gradients and losses of the current batch, statistics of the next, which
 * is loaded on the way. *finite: see compute_group(). */
static Status compute(Trainer *trainer, bool *finite)
{
    Network *network = trainer->network;
    int64_t lanes = network->vector->lanes, groups = (trainer->n_mine[trainer->current] + lanes - 1) / lanes;
    ExactSum error_sum = {0, 0};
    *finite = true;
    memset(trainer->fixed, 0, (size_t)(network->n_parameters * lanes) * sizeof *trainer->fixed);
    network_fold(network, trainer->mean, trainer->var);
    Status status = draw_next(trainer);
    for (int64_t g = 0; g < groups || g < batch_groups(&trainer->batch); g++) {
        if (g < groups && !compute_group(trainer, g, &error_sum)) *finite = false;
        if (status == STATUS_OK && g < batch_groups(&trainer->batch)) status = load_group(trainer, g);
    }
    for (int64_t p = 0; p < network->n_parameters; p++) {
        uint64_t sum = 0; /* of values that are out of range it may wrap; nobody uses it then */
        for (int64_t lane = 0; lane < lanes; lane++) sum += (uint64_t)trainer->fixed[p * lanes + lane];
        trainer->message[p] = (int64_t)sum;
    }
    trainer->message[network->n_parameters + LOSS_HIGH] = error_sum.high;
    trainer->message[network->n_parameters + LOSS_LOW] = error_sum.low;
    put_moments(trainer);
    return status;
}

/* So many samples as a number of patches; at least 1 of none: there is nothing to divide then. */
static double as_patches(const Trainer *trainer, int64_t samples)
{
    const NetworkShape *shape = &trainer->network->shape;
    return samples == 0 ? 1 : (double)samples / (double)(shape->n_out * shape->patch_size * shape->patch_size);
}

double trainer_learning_rate(const Trainer *trainer)
{
    return trainer->learning_rate * pow(trainer->decay, (double)(trainer->order.epoch - 1));
}

static void update(Trainer *trainer, int64_t n)
{
    Network *network = trainer->network;
    double unit = ldexp(1, -exact_exponent(trainer->order.batch_size));
    for (int64_t p = 0; p < network->n_parameters; p++) trainer->sums[p] = (double)trainer->message[p] * unit;
    network_gradient(network, trainer->sums, as_patches(trainer, trainer->counting), trainer->gradient);
    int64_t plane = network->shape.patch_size * network->shape.patch_size;
    network_track(network, trainer->mean, trainer->var, (double)(n * plane));
    trainer->step++;
    trainer->epoch_step++;
    adam_step(network->n_parameters, trainer->step, trainer_learning_rate(trainer), trainer->gradient,
              network->parameter, trainer->adam_mean, trainer->adam_square);
}

static Status not_finite(const Trainer *trainer)
{
    return status_fail(STATUS_NUMERIC,
                       "the loss or a gradient is not finite in epoch %" PRId64 ", step %" PRId64
                       " (or past %g): lower train.learning_rate (now %g), and look for outliers in the data",
                       trainer->order.epoch, trainer->step + 1, (double)EXACT_LIMIT, trainer_learning_rate(trainer));
}

Status trainer_step(Trainer *trainer, int64_t *n, double *loss)
{
    *n = trainer->n_all[trainer->current];
    if (*n == 0) return STATUS_OK;
    int64_t *head = trainer->message + trainer->network->n_parameters;
    bool finite;
    Status status = compute(trainer, &finite);
    head[FLAG_ERROR] = status != STATUS_OK;
    head[FLAG_NUMERIC] = !finite;
    head[FLAG_STOP] = interrupt_asked();
    double start = timer_now();
    comm_sum(&trainer->comm, trainer->message, (size_t)trainer->message_size);
    double middle = timer_now();
    trainer->seconds[PHASE_EXCHANGE] += middle - start;
    if (head[FLAG_ERROR] != 0) return comm_agree(&trainer->comm, status);
    if (head[FLAG_NUMERIC] != 0) return not_finite(trainer); /* alike on all ranks */
    trainer->stop = head[FLAG_STOP] != 0;
    ExactSum error = {head[LOSS_HIGH], head[LOSS_LOW]};
    exact_settle(&error);
    *loss = exact_value(error) / as_patches(trainer, trainer->counting);
    trainer->epoch_error.high += error.high;
    trainer->epoch_error.low += error.low;
    exact_settle(&trainer->epoch_error);
    trainer->epoch_patches += *n;
    trainer->epoch_counting += trainer->counting;
    update(trainer, *n);
    for (int64_t p = 0; p < trainer->network->n_parameters; p++)
        if (!isfinite(trainer->network->parameter[p])) return not_finite(trainer);
    take_next(trainer);
    bool last = trainer->order.epoch == trainer->epochs || trainer->step == trainer->max_steps || trainer->stop;
    if (trainer->n_all[trainer->current] == 0 && !last) blocks_rest(&trainer->blocks, trainer->order.epoch + 1);
    trainer->seconds[PHASE_UPDATE] += timer_now() - middle;
    return STATUS_OK;
}

double trainer_epoch_loss(const Trainer *trainer)
{
    return exact_value(trainer->epoch_error) / as_patches(trainer, trainer->epoch_counting);
}
