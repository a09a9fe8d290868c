/* checkpoint: a model file that also holds all that training needs to go on as if it had never stopped: to the bit, and
 * with any number of ranks.
 *
 * Besides the model: /optimizer/exp_avg/NAME and /optimizer/exp_avg_sq/NAME (Adam's moments); the root attributes
 * epoch, step, train_seed, order, instruction_set; and the group /training with the place in the epoch, the epoch's
 * sums, the best loss with its weights (/training/best/NAME), the rows that each shard has left (/training/rows_left),
 * the configuration, and checksums of what else shapes the result.
 *
 * The file begins with CHECKPOINT_HEAD bytes of text (HDF5's user block) that hold the number and the XXH3_64bits of
 * the bytes behind them. It is verified before HDF5 sees the file: whatever byte was spoilt or is missing, a damaged
 * checkpoint is refused. */
#ifndef SEISDCN_CHECKPOINT_H
#define SEISDCN_CHECKPOINT_H

#include "seisdcn/comm.h"
#include "seisdcn/config.h"
#include "seisdcn/model.h"
#include "seisdcn/network.h"
#include "seisdcn/status.h"
#include "seisdcn/trainer.h"

#include <stdbool.h>
#include <stdint.h>

enum { CHECKPOINT_HEAD = 512, CHECKPOINT_NAME_MAX = 48 };

/* Where a training stands, and what its result depends on: plain numbers, which may be broadcast. */
typedef struct {
    int64_t epoch;      /* from 1: the one that runs, or has just ended */
    int64_t epoch_step; /* steps taken in it */
    int64_t step;       /* steps taken over the whole run */
    bool epoch_ended;   /* its validation, its row of metrics and its models are done */
    bool closed;        /* the run ended within the epoch, at train.max_steps: so are they, but a run that goes on with
                           more steps does not count them: best and metrics_rows are those before them */
    ExactSum epoch_error;
    int64_t epoch_patches, epoch_counting;
    double best; /* the lowest loss that counts, INFINITY before the first */
    int64_t best_epoch, epochs_since_best;
    int64_t metrics_rows;                      /* written so far */
    uint64_t survey_checksum;                  /* of the survey */
    uint64_t attributes_checksum;              /* survey_channels_checksum(), 0: amplitudes alone */
    uint64_t map_checksum;                     /* of an explicit map's rows (index_rows_checksum()), 0: implicit */
    uint64_t init_checksum;                    /* of --init's model, 0: none */
    uint64_t clean_checksum;                   /* of the clean survey, 0: none */
    char instruction_set[CHECKPOINT_NAME_MAX]; /* vector.h's name */
    Config config;                             /* as it was in effect */
} CheckpointState;

/* A checkpoint that was read. */
typedef struct {
    CheckpointState state;
    ModelInfo info;
    Network network;
    float *mean, *square; /* [n_parameters] Adam's moments */
    Network best;         /* of the best loss; of zeros before the first */
    int64_t n_shards;     /* 0 where the order is not shuffled */
    int64_t *rows_left;   /* [n_shards] order_resume()'s */
    char *history;
} Checkpoint;

/* Takes a trainer's place into state, and what computes for it. Pure. */
void checkpoint_take_place(const Trainer *trainer, CheckpointState *state);

/* Takes what computes for a network into state: the instruction set. Pure. */
void checkpoint_name_machine(const Network *network, CheckpointState *state);

/* Writes a checkpoint of trainer (which stands where state says) at path, under its name only when whole; best may be
 * NULL. Local: rank 0's work. STATUS_IO, STATUS_MEMORY. */
Status checkpoint_write(const char *path, const CheckpointState *state, const Trainer *trainer, const Network *best,
                        const ModelInfo *info, const char *history);

/* Reads the checkpoint at path; on failure nothing is left of it. Local. STATUS_DATA: it is no checkpoint, or damaged;
 * STATUS_IO, STATUS_MEMORY. */
Status checkpoint_read(const char *path, const Vector *vector, Checkpoint *checkpoint);

/* Frees what checkpoint_read() made; one of zeros is nothing. Local. */
void checkpoint_free(Checkpoint *checkpoint);

/* Checks that a checkpoint's arrays fit a network: STATUS_CONFIG. Pure but for the message. */
Status checkpoint_fits(const Checkpoint *checkpoint, const Network *network);

/* Gives the trainer on every rank the weights, moments, steps, sums and rows left of rank 0's checkpoint, whose state
 * all ranks have in `state`; where the shards are others than the checkpoint's, no rows are given. Collective. */
void checkpoint_install(const Comm *comm, const Checkpoint *checkpoint, const CheckpointState *state, Trainer *trainer);

#endif
