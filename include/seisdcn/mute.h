/* mute: samples that are exactly zero in a gather, where nothing was recorded, and what a prediction puts there. */
#ifndef SEISDCN_MUTE_H
#define SEISDCN_MUTE_H

#include <stdbool.h>
#include <stdint.h>

/* Sums of squares; the caller zeroes them and adds over traces and gathers. */
typedef struct {
    double input, predicted, leaked; /* leaked: what of the prediction stands in samples that are zeros in the input */
} MuteEnergy;

/* Adds the energies of n samples of a gather and of its prediction, and with keep_mutes makes what leaked zeros again;
 * the energies are those before. Pure. */
void mute_settle(int64_t n, const float *input, bool keep_mutes, float *prediction, MuteEnergy *energy);

#endif
