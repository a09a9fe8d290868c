/* Private to train: what it says before the first step. */
#ifndef SEISDCN_TRAIN_INTRODUCE_H
#define SEISDCN_TRAIN_INTRODUCE_H

#include "train_resume.h"

#include "seisdcn/command.h"
#include "seisdcn/network.h"
#include "seisdcn/trainer.h"

#include <stdint.h>

/* Says on the log what is trained, on how much and by whom, and where it goes on; n_valid: patches to validate on.
 * Local: rank 0's. */
void train_introduce(const Job *job, const Network *network, const Trainer *trainer, int64_t n_valid,
                     const TrainResume *resume);

#endif
