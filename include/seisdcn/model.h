/* model: the model file (format "seisdcn-model"): a network's state_dict under PyTorch's names, its shape, and what it
 * was trained with. A checkpoint (checkpoint.h) is a model file with more in it. */
#ifndef SEISDCN_MODEL_H
#define SEISDCN_MODEL_H

#include "seisdcn/comm.h"
#include "seisdcn/config.h"
#include "seisdcn/h5.h"
#include "seisdcn/index_deal.h"
#include "seisdcn/index_map.h"
#include "seisdcn/network.h"
#include "seisdcn/status.h"
#include "seisdcn/survey.h"

#include <stdbool.h>
#include <stdint.h>

/* What a model file says besides the state_dict. */
typedef struct {
    uint64_t checksum; /* XXH3_64bits over the state_dict's values in its order */
    IndexDeal deal;    /* the split that it was trained with */
    bool has_apply;    /* the three that follow are there: apply.* as training was configured */
    int64_t apply_method;
    double mute_threshold;
    bool keep_mutes;
    char channels[SURVEY_CHANNELS_TEXT]; /* of a gather that feeds it (survey_describe_channels()); "" where the file
                                            does not say, as of amplitudes alone */
} ModelInfo;

/* The checksum of a network's state_dict. Local. STATUS_MEMORY. */
Status model_checksum(const Network *network, uint64_t *checksum);

/* Writes a model file, under its name only when whole. Local: rank 0's work. STATUS_IO, STATUS_MEMORY. */
Status model_write(const char *path, const Network *network, const ModelInfo *info, const char *history);

/* What a model file holds, into an open file. Local. STATUS_IO, STATUS_MEMORY. */
Status model_put(const H5File *file, const Network *network, const ModelInfo *info, const char *history);

/* Builds the network that an open model file holds. Local. Errors as model_load(); what was built must be freed then
 * too. */
Status model_get(const H5File *file, const Vector *vector, Network *network, ModelInfo *info);

/* Writes a network's state_dict as a new group ("/state_dict"), or reads it into a network of that shape. Local.
 * STATUS_IO, STATUS_DATA, STATUS_MEMORY. */
Status model_put_state(const H5File *file, const char *group, const Network *network);
Status model_get_state(const H5File *file, const char *group, Network *network);

/* Writes values [n_parameters], in the order of the network's parameters, as a new group of arrays with the names and
 * shapes of the state_dict ("/optimizer/exp_avg"; the groups above must exist), or reads such. Local. STATUS_IO,
 * STATUS_DATA. */
Status model_put_arrays(const H5File *file, const char *group, const Network *network, const float *values);
Status model_get_arrays(const H5File *file, const char *group, const Network *network, float *values);

/* Reads the model at path on rank 0 and builds the network on all ranks. Collective. STATUS_IO; STATUS_DATA where it is
 * no model, its arrays contradict its attributes (the message names the first that does), or a value is not finite. */
Status model_load(const Comm *comm, const char *path, const Vector *vector, Network *network, ModelInfo *info);

/* Gives config the model's network.* and patch.size. Local. STATUS_CONFIG where the user set one of them to another
 * value; the dropout never conflicts, nor does train.target with the same input: the user's stands. */
Status model_take_config(const Network *network, const char *path, Config *config);

/* Gives config the apply.* of the model at path, where the user set none, and says so. A method that the network's
 * patches are too small for is left out. Local. STATUS_DATA where the file has a value that the key cannot have. */
Status model_take_apply(const Network *network, const ModelInfo *info, const char *path, Config *config);

/* Channels of one gather that feeds a network. Pure. */
int64_t model_gather_channels(const Network *network);

/* Lets a survey feed a network: those that `channels` describes (ModelInfo's; "" or NULL: the first in alphabetical
 * order) become the survey's first channels, and the network knows which of them are raw. Local, alike on all ranks.
 * Where the survey has too few, `code` (STATUS_CONFIG for a network that the configuration asks for, STATUS_DATA for a
 * model's), and the message says what is there; STATUS_DATA where it lacks one that is described. */
Status model_take_survey(Network *network, const char *channels, Survey *survey, Status code);

/* Checks that a map's patches have the network's size: STATUS_CONFIG. Pure but for the message. */
Status model_check_map(const Network *network, const IndexMap *map);

/* The shape that a configuration asks for. Pure. */
NetworkShape model_shape(const Config *config);

/* Chooses the instruction set that every rank has, or the one that SEISDCN_ISA forces, and says so on the log.
 * Collective. STATUS_USAGE where a rank does not have the forced one, or no such is known. */
Status model_choose_vector(const Comm *comm, const Vector **vector);

#endif
