/* model: the model file (format "seisdcn-model"): a network's state_dict under PyTorch's names, its shape, and what it
 * was trained with; with an optimizer's state it is a checkpoint. */
#ifndef SEISDCN_MODEL_H
#define SEISDCN_MODEL_H

#include "seisdcn/comm.h"
#include "seisdcn/config.h"
#include "seisdcn/index_map.h"
#include "seisdcn/network.h"
#include "seisdcn/status.h"

#include <stdbool.h>
#include <stdint.h>

/* What a model file says besides the state_dict. */
typedef struct {
    uint64_t checksum; /* XXH3_64bits over the state_dict's values in its order */
    bool has_split;    /* the four numbers of the split are there */
    int64_t by, seed;
    double test, valid;
    bool has_survey;
    uint64_t survey_checksum; /* of the survey that it was trained with */
} ModelInfo;

/* What a checkpoint adds: Adam's moments in the order of the network's parameters, and the position. */
typedef struct {
    const float *mean, *square; /* [n_parameters] */
    int64_t epoch, step;        /* finished epochs, and steps over the whole run */
    int64_t seed;
    bool shuffle;
} ModelOptimizer;

/* The checksum of a network's state_dict. Local. STATUS_MEMORY. */
Status model_checksum(const Network *network, uint64_t *checksum);

/* Writes a model file, under its name only when whole; optimizer may be NULL. Local: rank 0's work. STATUS_IO. */
Status model_write(const char *path, const Network *network, const ModelInfo *info, const ModelOptimizer *optimizer,
                   const char *history);

/* Reads the model at path on rank 0 and builds the network on all ranks. Collective. STATUS_IO; STATUS_DATA where it is
 * no model, its arrays contradict its attributes (the message names the first that does), or a value is not finite. */
Status model_load(const Comm *comm, const char *path, const Vector *vector, Network *network, ModelInfo *info);

/* Gives config the model's network.* and patch.size. Local. STATUS_CONFIG where the user set one of them to another
 * value; the dropout never conflicts: the user's stands. */
Status model_take_config(const Network *network, const char *path, Config *config);

/* Checks that a survey has the channels that the network wants: STATUS_CONFIG says what is there. Pure but for the
 * message. */
Status model_check_survey(const Network *network, const Survey *survey);

/* Checks that a map's patches have the network's size: STATUS_CONFIG. Pure but for the message. */
Status model_check_map(const Network *network, const IndexMap *map);

/* The shape that a configuration asks for. Pure. */
NetworkShape model_shape(const Config *config);

/* Chooses the instruction set that every rank has, or the one that SEISDCN_ISA forces, and says so on the log.
 * Collective. STATUS_USAGE where a rank does not have the forced one, or no such is known. */
Status model_choose_vector(const Comm *comm, const Vector **vector);

#endif
