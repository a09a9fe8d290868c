/* What a rank's memory will hold while it trains, and whether that fits train.memory_limit_mb. */
#include "trainer_private.h"

#include "seisdcn/evaluate.h"
#include "seisdcn/memory.h"

#include <inttypes.h>
#include <string.h>

/* What MPI and HDF5 take in addition while they work: 1 to 2 MB were seen on up to 7 ranks. */
static const int64_t LIBRARY_BYTES = 3000000;
/* A block_gathers that is named fits with this to spare: two starts of a program differ by less. */
static const int64_t MARGIN_BYTES = 1000000;
/* Maps that are not shuffled may hop through the whole survey: so much of it stays in memory. */
static const int64_t UNSHUFFLED_BYTES = (int64_t)1 << 30;
/* Gathers of the validation set that a rank keeps between epochs, where memory is no matter. */
static const int64_t VALIDATION_BYTES = (int64_t)256 << 20;

int64_t trainer_gather_channels(const Trainer *trainer)
{
    return trainer->objective == NULL ? trainer->network->shape.channels : trainer->objective->n_channels;
}

static int64_t clean_channels(const Trainer *trainer)
{
    const Objective *objective = trainer->objective;
    return objective != NULL && objective->clean != NULL ? objective->n_out : 0;
}

/* Channels of a gather together with all that its patches need: neighbours, a clean twin. */
static int64_t needed_channels(const Trainer *trainer)
{
    const Objective *objective = trainer->objective;
    int64_t gathers = objective != NULL && objective->neighbours.before != NULL ? OBJECTIVE_NEEDS : 1;
    return gathers * trainer_gather_channels(trainer) + clean_channels(trainer);
}

int64_t trainer_clean_part(const Trainer *trainer, int64_t bytes)
{
    return (int64_t)((__int128)bytes * clean_channels(trainer) / needed_channels(trainer));
}

/* Whether a rank's rows have some of ensemble e: its pieces are in the order of ensembles. */
static bool has_rows(const IndexShare *share, int64_t e)
{
    int64_t low = 0, high = share->n_pieces;
    while (low < high) {
        int64_t middle = (low + high) / 2;
        if (share->piece[middle].ensemble < e)
            low = middle + 1;
        else
            high = middle;
    }
    return low < share->n_pieces && share->piece[low].ensemble == e;
}

/* Bytes of all gathers that this rank's patches need; those that it holds as neighbours only may count twice. */
static int64_t all_gathers(const Trainer *trainer)
{
    const IndexShare *share = &trainer->order.share;
    int64_t channels = trainer_gather_channels(trainer), floats = 0, need[OBJECTIVE_NEEDS];
    for (int64_t p = 0; p < share->n_pieces; p++) {
        int n = objective_needs(trainer->objective, share->piece[p].ensemble, need);
        floats += share->piece[p].fold * (channels + clean_channels(trainer));
        for (int k = 1; k < n; k++)
            if (!has_rows(share, need[k])) floats += survey_fold(trainer->survey, need[k]) * channels;
    }
    return floats * trainer->survey->n_samples * (int64_t)sizeof(float);
}

static int64_t largest_gather(const Trainer *trainer)
{
    const Survey *survey = trainer->survey;
    return needed_channels(trainer) * survey_max_fold(survey) * survey->n_samples * (int64_t)sizeof(float);
}

size_t trainer_bytes(const Trainer *trainer)
{
    const Network *network = trainer->network;
    int64_t channels = network->shape.channels, most = order_my_most(&trainer->order);
    size_t n = (size_t)network->n_parameters, lanes = (size_t)network->vector->lanes;
    return n * (3 * sizeof(float) + sizeof(double) + (lanes + 1) * sizeof(int64_t)) +
           batch_bytes(network->vector, channels, network->shape.patch_size, most, trainer->objective) +
           2 * (size_t)most * sizeof(IndexRow) + network_group_bytes(network, true) +
           gathers_table_bytes(trainer->survey, channels) +
           (clean_channels(trainer) == 0 ? 0 : gathers_table_bytes(trainer->survey, clean_channels(trainer))) +
           blocks_table_bytes(&trainer->order, trainer->order.block_gathers);
}

static int64_t sum_of(const TrainerMemory *memory)
{
    return memory->program + memory->own + memory->gathers + memory->validation + memory->libraries;
}

int64_t trainer_memory_sum(const TrainerMemory *memory)
{
    return sum_of(memory) > memory->peak ? sum_of(memory) : memory->peak;
}

/* ---- what does not fit ---- */

typedef struct {
    int64_t limit;           /* bytes */
    int64_t need, rank;      /* of the rank that needs most */
    int64_t fits;            /* the block_gathers that fits on all ranks, 0: none */
    int64_t beside, largest; /* most that a rank needs besides gathers, and one gather */
} Shortage;

static Status too_little(const Trainer *trainer, const Shortage *shortage, int64_t limit_mb)
{
    const Order *order = &trainer->order;
    int64_t room = shortage->limit - shortage->beside, ranks = trainer->comm.size;
    int64_t least_mb = (shortage->beside + 3 * shortage->largest + MARGIN_BYTES) / 1000000 + 1;
    char needs[192], shards[96] = "";
    snprintf(needs, sizeof needs, "train.memory_limit_mb is %" PRId64 ", but rank %" PRId64 " needs %" PRId64 " MB",
             limit_mb, shortage->rank, shortage->need / 1000000 + 1);
    if (!order->shuffle || room < 3 * shortage->largest)
        return status_fail(STATUS_MEMORY,
                           "%s, and at least %" PRId64 " MB however few gathers it holds: raise the limit", needs,
                           least_mb);
    if (shortage->fits > 0)
        return status_fail(STATUS_MEMORY,
                           "%s; set train.block_gathers=%" PRId64 ": each shard (a rank has %" PRId64 " of them) then "
                           "has no more gathers in play",
                           needs, shortage->fits, (order->n_shards + ranks - 1) / ranks);
    /* rather fewer shards with some gathers each than many with one, beside which another is read ahead */
    for (int64_t block = 4; block >= 1 && shards[0] == '\0'; block -= 3) {
        int64_t each = (room / shortage->largest - block) / (block + 1); /* blocks_bytes_of() */
        if (each >= (block == 1 ? 1 : 4))
            snprintf(shards, sizeof shards, "train.shards=%" PRId64 " and train.block_gathers=%" PRId64, each * ranks,
                     block);
    }
    return status_fail(STATUS_MEMORY,
                       "%s, and even train.block_gathers=1 does not fit, since each of the %" PRId64 " train.shards "
                       "then has one gather in play and reads one ahead; set %s, use more ranks, or raise the limit",
                       needs, order->n_shards, shards);
}

/* The largest block_gathers that fits this rank, 0: none. */
static int64_t largest_fit(const BlocksBytes *bytes, int64_t room)
{
    int64_t low = 0, high = bytes->n; /* low fits, or is 0 */
    while (low < high) {
        int64_t middle = (low + high + 1) / 2;
        if (blocks_bytes_of(bytes, middle) <= room)
            low = middle;
        else
            high = middle - 1;
    }
    return low == bytes->n && bytes->all <= room ? INT64_MAX : low;
}

/* Collective: all ranks see the same shortage, and none goes on where one of them cannot. */
static Status check_limit(const Trainer *trainer, const Config *config, const BlocksBytes *bytes)
{
    const TrainerMemory *memory = &trainer->memory;
    const Order *order = &trainer->order;
    if (config->train.memory_limit_mb == 0) return STATUS_OK;
    int64_t now = (int64_t)blocks_table_bytes(order, order->block_gathers);
    int64_t largest_table = (int64_t)blocks_table_bytes(order, 1);
    Shortage shortage = {.limit = config->train.memory_limit_mb * 1000000, .largest = largest_gather(trainer)};
    int64_t beside = sum_of(memory) - memory->gathers - now + largest_table + MARGIN_BYTES;
    CommSpread needs = comm_spread(&trainer->comm, (double)trainer_memory_sum(memory));
    shortage.need = (int64_t)needs.max;
    shortage.rank = needs.max_rank;
    int64_t most[2] = {-largest_fit(bytes, shortage.limit - beside), beside > memory->peak ? beside : memory->peak};
    comm_max(&trainer->comm, most, 2);
    shortage.fits = -most[0];
    shortage.beside = most[1];
    if (shortage.need <= shortage.limit) return STATUS_OK;
    return too_little(trainer, &shortage, config->train.memory_limit_mb);
}

/* ---- the plan ---- */

/* What the limit leaves for more than the least. */
static int64_t spare(const TrainerMemory *memory, int64_t limit_mb)
{
    int64_t left = limit_mb * 1000000 - sum_of(memory);
    return limit_mb == 0 ? INT64_MAX / 2 : left > 0 ? left : 0;
}

static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

Status trainer_plan_memory(Trainer *trainer, const IndexMap *map, const Config *config)
{
    TrainerMemory *memory = &trainer->memory;
    const Order *order = &trainer->order;
    const Survey *survey = trainer->survey;
    BlocksBytes bytes = {0};
    int64_t channels = needed_channels(trainer), limit_mb = config->train.memory_limit_mb;
    int64_t largest = largest_gather(trainer), whole = channels * survey->n_traces * survey->n_samples * 4;
    Status status = order->shuffle ? blocks_bytes(order, survey, channels, &bytes) : STATUS_OK;
    status = comm_agree(&trainer->comm, status);
    if (status != STATUS_OK) return status;
    memory->program = (int64_t)memory_resident();
    memory->peak = (int64_t)memory_peak();
    memory->own = (int64_t)trainer_bytes(trainer);
    memory->libraries = LIBRARY_BYTES;
    bool validates = map->total[INDEX_VALID] > 0;
    if (validates) {
        memory->validation_gathers = smaller(evaluate_least(largest), whole);
        memory->validation =
            (int64_t)evaluate_bytes(survey, trainer->network, trainer->objective) + memory->validation_gathers;
        memory->validation += (int64_t)index_share_live_bytes(&trainer->comm, map, INDEX_VALID);
        if (map->is_explicit)
            memory->validation += map->total[INDEX_VALID] / trainer->comm.size * (int64_t)sizeof(IndexRow);
    }
    if (order->shuffle) {
        memory->gathers = order->block_gathers == 0 && trainer->objective != NULL
                              ? all_gathers(trainer)
                              : blocks_bytes_of(&bytes, order->block_gathers);
        memory->gathers_ahead =
            order->block_gathers > 0 && order->block_gathers < bytes.n ? bytes.ahead[order->block_gathers] : 0;
    } else
        memory->gathers = smaller(2 * largest, whole);
    status = check_limit(trainer, config, &bytes);
    if (status == STATUS_OK && !order->shuffle)
        memory->gathers +=
            smaller(spare(memory, limit_mb), smaller(UNSHUFFLED_BYTES, whole) - smaller(2 * largest, whole));
    if (status == STATUS_OK && validates && order->block_gathers == 0) {
        int64_t more = smaller(spare(memory, limit_mb), smaller(VALIDATION_BYTES, whole) - memory->validation_gathers);
        memory->validation_gathers += more > 0 ? more : 0;
        memory->validation += more > 0 ? more : 0;
    }
    blocks_bytes_free(&bytes);
    return status;
}
