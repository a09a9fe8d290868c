/* trainer: one training step after the other, data-parallel: each rank computes the gradients of its patches, turns
 * each patch's into whole numbers, and one MPI_Allreduce a step adds these up with the loss, the next batch's batch
 * norm statistics and the flags. The sums are exact, so weights and losses have the same bits for any number of ranks.
 */
#ifndef SEISDCN_TRAINER_H
#define SEISDCN_TRAINER_H

#include "seisdcn/batch.h"
#include "seisdcn/blocks.h"
#include "seisdcn/comm.h"
#include "seisdcn/config.h"
#include "seisdcn/network.h"
#include "seisdcn/order.h"
#include "seisdcn/status.h"
#include "seisdcn/survey.h"

#include <stdbool.h>
#include <stdint.h>

/* Where a step's time goes, in seconds of this rank. */
typedef enum { PHASE_READ, PHASE_FEED, PHASE_COMPUTE, PHASE_SUM, PHASE_EXCHANGE, PHASE_UPDATE, PHASES } TrainerPhase;

/* What a rank's memory is made of while it trains, at most, in bytes. */
typedef struct {
    int64_t program;            /* the process as it stood before: program, libraries, the survey's tables, map */
    int64_t own;                /* network, batch, optimizer, lists: trainer_bytes() */
    int64_t gathers;            /* of training */
    int64_t gathers_ahead;      /* of these, read ahead */
    int64_t validation;         /* an evaluation beside the training, with the live bits of its rows */
    int64_t validation_gathers; /* of this: what to hand to evaluate_new() as `hold` */
    int64_t libraries;          /* what MPI and HDF5 will take besides */
    int64_t peak;               /* the process's peak before */
} TrainerMemory;

typedef struct {
    Comm comm;
    const Survey *survey;
    Network *network;
    TrainerMemory memory;
    double learning_rate, decay; /* of the first epoch; from epoch to epoch */
    int64_t seed;
    Order order;
    const Objective *objective; /* NULL: source */
    Gathers gathers, clean;     /* clean: of the clean survey, where there is one */
    Blocks blocks;
    Batch batch;                 /* the current one; group by group the next one takes its place */
    IndexRow *rows[2];           /* [batch.capacity] of the current batch and of the next */
    int current;                 /* which of the two */
    int64_t n_mine[2], n_all[2]; /* patches of the two batches on this rank, and over all ranks */
    NetworkGroup group;
    float *adam_mean, *adam_square, *gradient; /* [n_parameters] */
    double *sums;                              /* [n_parameters] */
    int64_t *fixed;                            /* [n_parameters][lane]: this rank's sums of whole numbers */
    int64_t *message;                          /* what a step adds over ranks */
    int64_t message_size;
    double *mean, *var;   /* [channels] of the current batch */
    int64_t step;         /* steps taken over the whole run */
    int64_t epoch_step;   /* steps taken in the epoch */
    ExactSum epoch_error; /* sum of the epoch's patch losses */
    int64_t epoch_patches;
    int64_t counting, epoch_counting; /* samples that count, of the current batch and of the epoch so far */
    int64_t epochs, max_steps;        /* of the configuration */
    bool stop; /* a rank was asked to stop (interrupt.h) before the last step: the same on all ranks */
    double seconds[PHASES];
} Trainer;

/* Finds out what training of network (the caller's) on a map's train rows towards objective (the caller's; NULL:
 * source) takes: trainer->order and trainer->memory only. Collective. STATUS_MEMORY (also where train.memory_limit_mb
 * does not do; it says what would). */
Status trainer_plan(const Comm *comm, const Survey *survey, const IndexMap *map, const Config *config, Network *network,
                    const Objective *objective, Trainer *trainer);

/* Prepares what was planned; reads all of this rank's gathers where they stay in memory. Collective. STATUS_MEMORY,
 * STATUS_IO, STATUS_DATA. */
Status trainer_prepare(Trainer *trainer);

/* trainer_plan() and trainer_prepare(). Collective. */
Status trainer_new(const Comm *comm, const Survey *survey, const IndexMap *map, const Config *config, Network *network,
                   const Objective *objective, Trainer *trainer);

void trainer_free(Trainer *trainer);

/* Starts an epoch, counted from 1: prepares its first batch. Collective. */
Status trainer_start(Trainer *trainer, int64_t epoch);

/* Starts within an epoch, behind epoch_step of its steps; the sums of the epoch so far and the steps of the run are the
 * caller's to set. left: see order_resume(). Collective. */
Status trainer_resume(Trainer *trainer, int64_t epoch, int64_t epoch_step, const int64_t *left);

/* One step: *n patches over all ranks (0: the epoch has ended, nothing was done), the mean loss over their samples that
 * count (0 where none does). Collective.
 * STATUS_NUMERIC where loss or gradient are not finite; what reading gathers may say. */
Status trainer_step(Trainer *trainer, int64_t *n, double *loss);

/* The learning rate of the epoch: train.learning_rate times train.learning_rate_decay for each epoch before (PyTorch's
 * ExponentialLR). Pure. */
double trainer_learning_rate(const Trainer *trainer);

/* The mean loss over the samples that count of the epoch so far. Pure. */
double trainer_epoch_loss(const Trainer *trainer);

/* Lets the reading of gathers go on where something else than training takes its time. Local. */
void trainer_read_on(Trainer *trainer);

/* Bytes that a trainer takes besides its gathers. Pure. */
size_t trainer_bytes(const Trainer *trainer);

/* The most that a rank will have in memory. Pure. */
int64_t trainer_memory_sum(const TrainerMemory *memory);

#endif
