/* network: the autoencoder as a table of layers over named views of one flat array of parameters, its forward and
 * backward pass over groups of patches in lanes (vector.h).
 *
 *   y0 = BatchNorm2d(x);  y_l = tanh(dropout(conv_l(y_(l-1)))), l = 1 .. L;
 *   z_l = tanh(dropout(convT_l(z_(l+1)))), l = L .. 1, z_(L+1) = y_L; with skip = add, y_(l-1) is added to z_l, l = L
 * .. 2; with output = linear, z_1 = dropout(convT_1(z_2))
 *
 * Level l has channels k_mult^l channels, or `width` of them; a layer from a to b channels has gcd(a, b) groups, or one
 * with mixing = full. (Of the original's tree that is a: each channel feeds its own children.)
 *
 * Batch norm is folded into the first layer, which sees nothing but data: y0 = a x + b makes conv_1(y0) a convolution
 * of raw x with weights w a and a bias of its own, and batch norm's own gradients follow from the first layer's raw
 * ones by linearity. So y0 is never stored, and nothing divides by gamma.
 *
 * That wants x near 1: of large x, or of a mean far above its deviation, sums and gradients in float would lose what
 * the fold takes off again. Channels that come in any unit (network_set_raw()) are therefore conditioned first: x
 * becomes (x - offset) / unit, offset the float next to the mean of a fold and unit a power of two next to its
 * deviation. Batch norm makes the same y0 of it. */
#ifndef SEISDCN_NETWORK_H
#define SEISDCN_NETWORK_H

#include "seisdcn/objective.h"
#include "seisdcn/status.h"
#include "seisdcn/vector.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    int64_t channels, k_mult, levels, patch_size;
    double dropout;
    int mixing, skip; /* Mixing, Skip of config.h */
    /* the wider family; zeros are the original's network */
    int64_t width;       /* channels of every level; 0: channels * k_mult^l at level l */
    int64_t n_out;       /* output channels, at most the input's; 0: as many, which network_new() writes out */
    int output;          /* Output of config.h: what the last layer ends with */
    bool undropped_last; /* the last layer has no dropout */
    /* what patches are divided by before they come in */
    int scale; /* ScaleKind of config.h */
    int64_t scale_grid;
    ObjectiveRule objective; /* what it is trained towards; channels are those of all gathers that feed it */
} NetworkShape;

enum { NETWORK_LEVELS_MAX = 16, NETWORK_NAME_MAX = 24 };

typedef struct {
    char name[NETWORK_NAME_MAX]; /* "_m1.0", "_m4T.0" */
    bool transposed;             /* ConvTranspose2d: small in, big out */
    ConvShape conv;
    ConvShape needed; /* the first groups of conv: what channel 0 of the output depends on; of the last layer that
                         channel alone */
    int64_t out_channels;
    int64_t weight, bias; /* where they start in the flat array */
    int64_t dropout;      /* where its factors start among n_dropout; -1: it has none */
    int64_t n_weights;    /* small channels of all groups * big channels of one * 9 */
} NetworkLayer;

typedef struct {
    NetworkShape shape;
    const Vector *vector;
    int n_layers; /* 2 L: encoder 1 .. L, decoder L .. 1 */
    NetworkLayer layer[2 * NETWORK_LEVELS_MAX];
    int64_t n_parameters;
    int64_t n_dropout;                  /* channels of all layers that have dropout: one factor each and patch */
    float *parameter;                   /* [n_parameters]: _bnorm.weight, _bnorm.bias, then each layer's
                                           weight and bias */
    double *running_mean, *running_var; /* [channels], of float precision */
    int64_t n_batches;                  /* num_batches_tracked */
    float *first_weight, *first_bias;   /* the first layer with batch norm folded in */
    float *last_weight;                 /* [small channel][9]: of the last layer's channel 0, of the last fold */
    double *slope, *shift;              /* [channels]: y0 = slope x + shift, of the last fold */
    double *mean, *scale;               /* [channels]: of the last fold; scale = 1 / sqrt(var + eps) */
    double *offset, *unit;              /* [channels]: of the last fold; 0 and 1 of channels that are not raw. The
                                           four above are those of conditioned channels */
    bool *raw;                          /* [channels] */
} Network;

/* Checks a shape: STATUS_CONFIG with the key where levels leave nothing of the patch, or a number is out of range; and
 * that it is no larger than this program serves. Pure but for the message. */
Status network_check_shape(const NetworkShape *shape);

/* Builds the table and allocates zeroed parameters. Local. STATUS_CONFIG, STATUS_MEMORY. */
Status network_new(const NetworkShape *shape, const Vector *vector, Network *network);

/* Copies weights and running statistics between networks of one shape (their patch sizes and dropout may differ). Pure.
 */
void network_copy_state(const Network *from, Network *to);

/* Frees what network_new() allocated. Local. A network of zeros is nothing. */
void network_free(Network *network);

/* PyTorch's default initialisation: weights and biases uniform in +-1 / sqrt(fan_in), fan_in = 9 * (size of the
 * weight's second dimension); batch norm 1, 0, 0, 1. Counter-based: a function of the seed alone. Pure. */
void network_initialise(Network *network, int64_t seed);

/* Folds batch norm into the first layer with these statistics (biased variance), [channels] each. Pure. */
void network_fold(Network *network, const double *mean, const double *var);

/* network_fold() with the running statistics: for validation and apply. Pure. */
void network_fold_running(Network *network);

/* Says which channels are raw: shared [n] are the channels of a gather that share its scale; where several gathers feed
 * the network, theirs follow each other. Before groups are made. Pure. */
void network_set_raw(Network *network, const bool *shared, int64_t n);

/* Conditions n values of channel c with the last fold's offset and unit, where it is raw. Pure. */
void network_condition(const Network *network, int64_t c, float *values, int64_t n);

/* Moves the running statistics towards a batch's (momentum 0.1; var biased, n values a channel). Pure. */
void network_track(Network *network, const double *mean, const double *var, double n);

/* What one group of patches needs while it passes through: for one network shape and number of lanes. */
typedef struct {
    float *x;      /* [channels][P][P][lane]: input, filled by the caller */
    float *target; /* [n_out][P][P][lane]; NULL: the input's first channels */
    float *weight; /* like target: weight of each sample in the loss; NULL: 1 */
    float *output; /* like target: prediction, filled by network_forward(); points into `block` */
    float *activation[2 * NETWORK_LEVELS_MAX]; /* of each layer [out channels][rows][cols][lane] */
    float *sum[2 * NETWORK_LEVELS_MAX];        /* with skip: a decoder layer's output plus the encoder's */
    float *kept;                               /* like target: raw channels of the input before they were conditioned,
                                                  where the loss may want them; else NULL */
    float *factor;                             /* [n_dropout][lane]: dropout factors, 1 / (1 - p) or 0 */
    float *gradient;                           /* [n_parameters][lane], of training */
    float *block;                              /* all of the above is in here */
} NetworkGroup;

/* Allocates a group, for training (training = true) or forward only. Local. STATUS_MEMORY. */
Status network_group_new(const Network *network, bool training, NetworkGroup *group);

/* Bytes that network_group_new() takes. Pure. */
size_t network_group_bytes(const Network *network, bool training);

void network_group_free(NetworkGroup *group);

/* Draws one lane's dropout factors for patch (ensemble, trace, sample) of an epoch. Pure. */
void network_draw_dropout(const Network *network, NetworkGroup *group, int lane, int64_t seed, int64_t epoch,
                          const int64_t patch[3]);

/* Conditions the raw channels of group->x. Once for an input, after the fold, before network_forward(); without raw
 * channels it is nothing. Pure. */
void network_condition_group(const Network *network, NetworkGroup *group);

/* group->output from group->x, with dropout where dropout = true. Call after a fold. Pure. */
void network_forward(const Network *network, NetworkGroup *group, bool dropout);

/* network_forward() without dropout for channel 0 of the output alone: computes only what that depends on, and leaves
 * the other channels of group->output undefined. Call after a fold. Pure. */
void network_predict(const Network *network, NetworkGroup *group);

/* error[lane] = the mean over a patch of weight * (output - target)^2. Pure; after network_forward(). */
void network_loss(const Network *network, NetworkGroup *group, double *error);

/* network_loss(), and group->gradient[parameter][lane] of it: of the raw first layer (see network_gradient()), 0 in the
 * lanes from `live` on. Destroys the activations and the output. Pure; after network_forward(). */
void network_backward(const Network *network, NetworkGroup *group, bool dropout, int64_t live, double *error);

/* The gradient [n_parameters] of the mean over n patches from the patches' sums of group->gradient (in double), with
 * the fold's batch statistics: the first layer's and batch norm's parts by linearity. Pure. */
void network_gradient(const Network *network, const double *sum, double n, float *gradient);

#endif
