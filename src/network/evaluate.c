#include "seisdcn/evaluate.h"

#include "seisdcn/interrupt.h"
#include "seisdcn/log.h"
#include "seisdcn/memory.h"
#include "seisdcn/timer.h"

#include <string.h>

enum { GROUPS_AT_A_TIME = 8, GATHERS_AHEAD = 4 };

/* Channels of a gather that goes in, and of its clean twin. */
static int64_t gather_channels(const Network *network, const Objective *objective)
{
    return objective == NULL ? network->shape.channels : objective->n_channels;
}

static int64_t clean_channels(const Objective *objective)
{
    return objective != NULL && objective->clean != NULL ? objective->n_out : 0;
}

size_t evaluate_bytes(const Survey *survey, const Network *network, const Objective *objective)
{
    const NetworkShape *shape = &network->shape;
    int64_t capacity = GROUPS_AT_A_TIME * network->vector->lanes, clean = clean_channels(objective);
    return batch_bytes(network->vector, shape->channels, shape->patch_size, capacity, objective) +
           (size_t)capacity * sizeof(IndexRow) + gathers_table_bytes(survey, gather_channels(network, objective)) +
           (clean > 0 ? gathers_table_bytes(survey, clean) : 0);
}

int64_t evaluate_least(int64_t largest) { return (GATHERS_AHEAD + 2) * largest; } /* two may be in use */

/* Number i of the selection is row i * n_rows / n_used. */
static int64_t selected_row(const Evaluation *evaluation, int64_t i)
{
    return (int64_t)((__int128)i * evaluation->n_rows / evaluation->n_used);
}

/* The first number of the selection whose row is `row` or comes later. */
static int64_t first_number(const Evaluation *evaluation, int64_t row)
{
    return (int64_t)(((__int128)row * evaluation->n_used + evaluation->n_rows - 1) / evaluation->n_rows);
}

/* The ensemble of number i; *next is the first number of another one. */
static int64_t ensemble_of(const Evaluation *evaluation, int64_t i, int64_t *next)
{
    const IndexShare *share = &evaluation->share;
    const IndexPiece *piece = &share->piece[index_share_piece(share, selected_row(evaluation, i) - share->first)];
    *next = first_number(evaluation, share->first + piece->first + piece->n);
    return piece->ensemble;
}

int64_t evaluate_gathers(const Evaluation *evaluation)
{
    int64_t sum = 0, next;
    for (int64_t i = evaluation->first; i < evaluation->end; i = next)
        sum += gathers_bytes_of(evaluation->gathers.survey, evaluation->gathers.n_channels,
                                ensemble_of(evaluation, i, &next));
    return sum;
}

/* Between groups of patches: reading goes on. */
static void read_on(Evaluation *evaluation)
{
    int64_t next;
    for (; evaluation->ahead < evaluation->end; evaluation->ahead = next)
        if (!gathers_ahead(&evaluation->gathers, ensemble_of(evaluation, evaluation->ahead, &next))) break;
    if (evaluation->poke != NULL) evaluation->poke(evaluation->poke_context);
}

/* As much as GATHERS_AHEAD, as long as two gathers find room beside them. */
static int64_t ahead_limit(const Survey *survey, int64_t n_channels, int64_t hold)
{
    int64_t largest = n_channels * survey_max_fold(survey) * survey->n_samples * (int64_t)sizeof(float);
    int64_t left = hold == 0 ? INT64_MAX : hold - 2 * largest, wanted = GATHERS_AHEAD * largest;
    return left < 0 ? 0 : left < wanted ? left : wanted;
}

Status evaluate_new(const Comm *comm, const Survey *survey, const IndexMap *map, IndexSplit split, int64_t limit,
                    int64_t hold, const Network *network, const Objective *objective, Evaluation *evaluation)
{
    memset(evaluation, 0, sizeof *evaluation);
    evaluation->split = split;
    evaluation->comm = *comm;
    evaluation->n_rows = map->total[split];
    evaluation->n_used = limit > 0 && limit < evaluation->n_rows ? limit : evaluation->n_rows;
    comm_share(comm, evaluation->n_used, &evaluation->first, &evaluation->end);
    if (evaluation->n_used == 0) return STATUS_OK;
    int64_t *cut = memory_new((size_t)comm->size + 1, sizeof *cut, "the ranks' shares");
    Status status = comm_agree(comm, cut == NULL ? STATUS_MEMORY : STATUS_OK);
    Comm other = *comm;
    for (int r = 0; status == STATUS_OK && r < comm->size; r++) {
        int64_t first, end;
        other.rank = r;
        comm_share(&other, evaluation->n_used, &first, &end);
        cut[r] = selected_row(evaluation, first);
        cut[r + 1] = evaluation->n_rows;
    }
    if (status == STATUS_OK) status = index_scatter(comm, map, split, cut, &evaluation->share);
    memory_free(cut);
    if (status != STATUS_OK) return status;
    int64_t channels = gather_channels(network, objective), clean = clean_channels(objective);
    int64_t clean_hold = hold / (channels + clean) * clean; /* the clean survey's part of it */
    status = gathers_new(survey, channels, hold - clean_hold, &evaluation->gathers);
    if (status == STATUS_OK && clean > 0)
        status = gathers_new(objective->clean, objective->n_out, clean_hold, &evaluation->clean);
    if (status == STATUS_OK)
        status = batch_new(network->vector, network->shape.channels, network->shape.patch_size,
                           GROUPS_AT_A_TIME * network->vector->lanes, objective, &evaluation->batch);
    evaluation->batch.key = objective_key(0, 0);
    evaluation->batch.scale = scale_of((ScaleKind)network->shape.scale, network->shape.scale_grid);
    if (status == STATUS_OK) {
        evaluation->rows = memory_new((size_t)evaluation->batch.capacity, sizeof *evaluation->rows, "rows to evaluate");
        if (evaluation->rows == NULL) status = STATUS_MEMORY;
    }
    evaluation->gathers.ahead_limit = ahead_limit(survey, channels, hold - clean_hold);
    status = comm_agree(comm, status);
    if (status != STATUS_OK) evaluate_free(evaluation);
    return status;
}

void evaluate_free(Evaluation *evaluation)
{
    index_share_free(&evaluation->share);
    if (evaluation->gathers.survey != NULL) gathers_free(&evaluation->gathers);
    if (evaluation->clean.survey != NULL) gathers_free(&evaluation->clean);
    batch_free(&evaluation->batch);
    memory_free(evaluation->rows);
    memset(evaluation, 0, sizeof *evaluation);
}

/* Samples of a patch's prediction. */
static int64_t out_floats(const Network *network)
{
    return network->shape.n_out * network->shape.patch_size * network->shape.patch_size;
}

typedef struct {
    ExactSum error;
    int64_t counting; /* samples that count */
} Sums;

/* Adds the losses of numbers i .. i + n - 1 of the selection. */
static Status run_batch(Evaluation *evaluation, const Network *network, NetworkGroup *group, int64_t i, int64_t n,
                        Sums *sums)
{
    Batch *batch = &evaluation->batch;
    int64_t lanes = network->vector->lanes;
    for (int64_t k = 0; k < n; k++)
        evaluation->rows[k] =
            index_share_row(&evaluation->share, selected_row(evaluation, i + k) - evaluation->share.first);
    Status status = batch_start(batch, evaluation->rows, n);
    for (int64_t k = 0; status == STATUS_OK && k < n; k += lanes) {
        double error[VECTOR_LANES_MAX];
        status = batch_load_group(batch, k / lanes, &evaluation->gathers, &evaluation->clean);
        if (status != STATUS_OK) break;
        read_on(evaluation);
        group->x = batch_group(batch, k / lanes);
        group->target = batch_target(batch, k / lanes);
        group->weight = batch_weight(batch, k / lanes);
        network_condition_group(network, group);
        network_forward(network, group, false);
        network_loss(network, group, error);
        for (int64_t lane = 0; lane < lanes && k + lane < n; lane++)
            if (!exact_add(&sums->error, error[lane]))
                return status_fail(STATUS_NUMERIC, "the loss of a patch is not finite; the model is spoilt");
    }
    exact_settle(&sums->error);
    sums->counting += batch->objective == NULL ? n * out_floats(network) : batch->counting;
    return status;
}

/* A round of batches, as long as nobody wants this rank to stop; *i moves on. */
static Status run_round(Evaluation *evaluation, const Network *network, NetworkGroup *group, int64_t batches,
                        int64_t *i, Sums *sums)
{
    Status status = STATUS_OK;
    for (int64_t b = 0; status == STATUS_OK && b < batches && *i < evaluation->end; b++) {
        status = interrupt_status();
        if (status != STATUS_OK) break;
        int64_t left = evaluation->end - *i;
        int64_t n = left < evaluation->batch.capacity ? left : evaluation->batch.capacity;
        status = run_batch(evaluation, network, group, *i, n, sums);
        *i += n;
        log_progress(*i - evaluation->first, NULL);
    }
    return status;
}

/* All ranks go round by round, so that none goes on for long once another one failed or was asked to stop. A round
 * grows or shrinks by what the slowest rank took for the last one. */
static Status run_all(Evaluation *evaluation, const Network *network, NetworkGroup *group, Sums *sums)
{
    const Comm *comm = &evaluation->comm;
    int64_t share = (evaluation->n_used + comm->size - 1) / comm->size, capacity = evaluation->batch.capacity;
    int64_t all = (share + capacity - 1) / capacity, round = 1, i = evaluation->first;
    Status status = STATUS_OK;
    for (int64_t done = 0; done < all;) {
        double start = timer_now();
        status = run_round(evaluation, network, group, round, &i, sums);
        int64_t told[2] = {status != STATUS_OK, (int64_t)(1e6 * (timer_now() - start))};
        comm_max(comm, told, 2);
        if (told[0] != 0) return comm_agree(comm, status);
        done += round;
        if (told[1] < 250000)
            round *= 2;
        else if (told[1] > 1000000 && round > 1)
            round /= 2;
    }
    return STATUS_OK;
}

Status evaluate_run(Evaluation *evaluation, Network *network, NetworkGroup *group, double *loss)
{
    Sums sums = {0};
    evaluation->ahead = evaluation->first;
    network_fold_running(network);
    float *kept = group->x;
    Status status = run_all(evaluation, network, group, &sums);
    group->x = kept;
    group->target = group->weight = NULL;
    if (status != STATUS_OK) return status;
    int64_t all[] = {sums.error.high, sums.error.low, sums.counting};
    comm_sum(&evaluation->comm, all, 3);
    if (all[2] == 0)
        return status_fail(STATUS_DATA,
                           "no sample of the %s patches counts for train.target=%s: their gathers are muted there, or "
                           "have no neighbours",
                           index_split_name(evaluation->split),
                           config_word(CONFIG_TRAIN_TARGET, network->shape.objective.target));
    double patches = (double)all[2] / (double)out_floats(network);
    *loss = exact_value((ExactSum){all[0], all[1]}) / patches;
    return STATUS_OK;
}
