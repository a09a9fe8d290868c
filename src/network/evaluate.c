#include "seisdcn/evaluate.h"

#include "seisdcn/log.h"
#include "seisdcn/memory.h"

#include <string.h>

enum { GROUPS_AT_A_TIME = 8 };

/* Number i of the selection is row i * n_rows / n_used. */
static int64_t selected_row(const Evaluation *evaluation, int64_t i)
{
    return (int64_t)((__int128)i * evaluation->n_rows / evaluation->n_used);
}

Status evaluate_new(const Comm *comm, const Survey *survey, const IndexMap *map, IndexSplit split, int64_t limit,
                    int64_t hold, const Network *network, Evaluation *evaluation)
{
    memset(evaluation, 0, sizeof *evaluation);
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
    status = gathers_new(survey, network->shape.channels, hold, &evaluation->gathers);
    if (status == STATUS_OK)
        status = batch_new(network->vector, network->shape.channels, network->shape.patch_size,
                           GROUPS_AT_A_TIME * network->vector->lanes, &evaluation->batch);
    evaluation->batch.scale = scale_of((ScaleKind)network->shape.scale, network->shape.scale_grid);
    if (status == STATUS_OK) {
        evaluation->rows = memory_new((size_t)evaluation->batch.capacity, sizeof *evaluation->rows, "rows to evaluate");
        if (evaluation->rows == NULL) status = STATUS_MEMORY;
    }
    status = comm_agree(comm, status);
    if (status != STATUS_OK) evaluate_free(evaluation);
    return status;
}

void evaluate_free(Evaluation *evaluation)
{
    index_share_free(&evaluation->share);
    if (evaluation->gathers.survey != NULL) gathers_free(&evaluation->gathers);
    batch_free(&evaluation->batch);
    memory_free(evaluation->rows);
    memset(evaluation, 0, sizeof *evaluation);
}

static Status run_mine(Evaluation *evaluation, const Network *network, NetworkGroup *group, ExactSum *sum)
{
    Batch *batch = &evaluation->batch;
    int64_t lanes = network->vector->lanes;
    for (int64_t i = evaluation->first; i < evaluation->end; i += batch->capacity) {
        int64_t n = evaluation->end - i < batch->capacity ? evaluation->end - i : batch->capacity;
        for (int64_t k = 0; k < n; k++)
            evaluation->rows[k] =
                index_share_row(&evaluation->share, selected_row(evaluation, i + k) - evaluation->share.first);
        Status status = batch_start(batch, evaluation->rows, n);
        for (int64_t k = 0; status == STATUS_OK && k < n; k += lanes) {
            double error[VECTOR_LANES_MAX];
            status = batch_load_group(batch, k / lanes, &evaluation->gathers);
            if (status != STATUS_OK) break;
            group->x = batch_group(batch, k / lanes);
            network_forward(network, group, false);
            network_loss(network, group, error);
            for (int64_t lane = 0; lane < lanes && k + lane < n; lane++)
                if (!exact_add(sum, error[lane]))
                    return status_fail(STATUS_NUMERIC, "the loss of a patch is not finite; the model is spoilt");
        }
        if (status != STATUS_OK) return status;
        exact_settle(sum);
        log_progress(i + n - evaluation->first, NULL);
    }
    return STATUS_OK;
}

Status evaluate_run(Evaluation *evaluation, Network *network, NetworkGroup *group, double *loss)
{
    ExactSum sum = {0, 0};
    network_fold_running(network);
    float *kept = group->x;
    Status status = evaluation->n_used > 0 ? run_mine(evaluation, network, group, &sum) : STATUS_OK;
    group->x = kept;
    status = comm_agree(&evaluation->comm, status);
    if (status != STATUS_OK) return status;
    int64_t limbs[2] = {sum.high, sum.low};
    comm_sum(&evaluation->comm, limbs, 2);
    *loss = exact_value((ExactSum){limbs[0], limbs[1]}) / (double)evaluation->n_used;
    return STATUS_OK;
}
