/* Private to the commands: a network's objective over a survey, with the clean survey that --clean names. */
#ifndef SEISDCN_AIM_H
#define SEISDCN_AIM_H

#include "seisdcn/comm.h"
#include "seisdcn/network.h"
#include "seisdcn/objective.h"
#include "seisdcn/survey.h"

typedef struct {
    Survey clean;
    Objective objective;
    const Objective *used; /* the above, NULL: source */
} Aim;

/* Opens what the network's objective needs and says what it found; clean is what --clean says, or NULL. Collective.
 * STATUS_USAGE where --clean is missing or has nothing to do; what survey_open() and objective_new() say. */
Status aim_open(const Comm *comm, const char *clean, const Survey *survey, const Network *network, Aim *aim);

/* Collective. An aim of zeros is nothing. */
Status aim_close(Aim *aim);

#endif
