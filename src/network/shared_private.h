/* Private to shared*.c: the arrays of a level set, and where things lie in them.
 *
 * Words: P the patch size, L the levels, n = P - 2 L the size of the code. Coordinates of a set: row r and column c of
 * a window in the set's box; local row a and column b of a sample in its window. Layer d of the decoder, d = 1 .. L,
 * makes n + 2 d rows and columns of a window; layer 0 is the code.
 *
 * An unbounded decoder has no edges: its layer d at (r + a, c + b) serves all windows with a and b in [2 d, n). Planes
 * of layer d hold these places from (2 d, 2 d) on: place (a, b) of window (r, c) is plane[r + a - 2 d][c + b - 2 d].
 * Within 2 d of an edge a window's values are its own: rows [0, 2 d) and [n, n + 2 d) over the middle columns are the
 * same for all windows of one row of the box (strips), columns likewise, and the four corners belong to each window
 * alone. A strip or corner of layer d is a valid convolution over a stack of 2 d + 2 rows of layer d - 1: two rows of
 * zeros (outside the window), 2 (d - 1) rows of the strip before, two rows of the unbounded plane; bottom strips the
 * other way round. Column strips are row strips of transposed planes with transposed weights.
 *
 * With skips, layer d < L adds encoder layer L - d, which is as large: the encoder's plane at the same place of the
 * gather, the same for all windows. Planes, strips and stacks hold the sums. Only what channel 0 of the prediction
 * depends on is computed (`needed` in network.h). */
#ifndef SEISDCN_SHARED_PRIVATE_H
#define SEISDCN_SHARED_PRIVATE_H

#include "seisdcn/levelset.h"
#include "seisdcn/network.h"
#include "seisdcn/shared.h"

enum { LOW, HIGH, SIDES };    /* top or left; bottom or right */
enum { ROWS, COLUMNS, WAYS }; /* row strips; column strips, transposed */

/* Windows side by side in lanes for the corners: runs of RUN columns of one row of the box. Row strips are kept for
 * SLOTS lines, while they wait for a vector of runs, and column strips for COLUMN_SLOTS, which then go over into the
 * runs' order together (8 at a time were faster than 4 or 16). */
enum { RUN = VECTOR_RUN, RUNS_MAX = VECTOR_LANES_MAX / RUN, SLOTS = RUNS_MAX, COLUMN_SLOTS = 8 };

struct Shared {
    Network *network;
    const Vector *vector;
    int64_t size, levels, code; /* P, L, n */
    bool skip;
    int64_t stride[WAYS], plane[WAYS];              /* of planes: floats of a row, of a channel; of the set's box, so
                                                       that all of a set lies together */
    PlaneConv encode[NETWORK_LEVELS_MAX + 1];       /* [l] encoder layers; rows and columns are filled in */
    PlaneConv decode[WAYS][NETWORK_LEVELS_MAX + 1]; /* [way][d] decoder layers as valid convolutions */
    int64_t channels[NETWORK_LEVELS_MAX + 1];       /* that decoder layer d makes; [0]: the code's */
    float *encoder[WAYS][NETWORK_LEVELS_MAX + 1];   /* [l] output of encoder layer l, 1 .. L: [channel][row][stride];
                                                       transposed only with skips, l < L */
    float *unbounded[WAYS][NETWORK_LEVELS_MAX + 1]; /* [way][d] planes, d = 0 .. L - 1 (the rows' 0: the code);
                                                       ROWS also has L */
    float *strip[SIDES][NETWORK_LEVELS_MAX + 1];    /* strips [d][slot][channel][2 d][stride], d = 1 .. L - 1 */
    float *line;                                    /* the last layer's strip: [2 L][stride] */
    float
        *flank[SIDES][NETWORK_LEVELS_MAX + 1]; /* column strips for the corners: [d][plane row][channel][2 d][flank] */
    int64_t flank_stride;
    float *stack[2]; /* of a corner's layers in turn, layer d's: [channel][2 d + 2][2 d + 2][lane]; what is outside the
                        window holds anything and is never read */
    float *added;    /* what skips add to a corner: [channel][2 d][2 d][lane] */
    float *corner;   /* the last layer's: [2 L][2 L][lane] */
    float *first_weight; /* the first layer's, divided by the set's scale */
    float *tile[WAYS];   /* sums of a set: [row][stride], transposed for COLUMNS */
    const float **rows;  /* the list of rows for plane_conv */
    float *block;        /* all arrays are in here */
    const bool *shared_scale;
    double direct_cost, corner_cost; /* of a window; of the corners of a vector of windows (shared_cost.c) */
};

static inline int64_t shared_channels_in(const PlaneConv *conv) { return conv->groups * conv->in_channels; }
static inline int64_t shared_channels_out(const PlaneConv *conv) { return conv->groups * conv->out_channels; }

/* Whether bit i of a mask is set: 1 or 0. */
static inline int32_t window_at(uint32_t mask, int64_t i) { return (int32_t)(mask >> i & 1); }

double shared_direct_cost(const Shared *shared);
double shared_corner_cost(const Shared *shared);

/* Sets the skip that layer d of a way adds, if it does, whose first place is (row, column) of the encoder's plane. */
void shared_skip(const Shared *shared, int way, int64_t d, int64_t row, int64_t column, PlaneConv *conv);

/* The strips of all rows and columns of the box, and the corners of all windows of the set, into the tiles. */
void shared_edges(Shared *shared, const LevelSet *set);

#endif
