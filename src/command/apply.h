/* Private to the apply command: what its files share. */
#ifndef SEISDCN_APPLY_H
#define SEISDCN_APPLY_H

#include "prediction.h"

#include "seisdcn/gathers.h"
#include "seisdcn/model.h"
#include "seisdcn/objective.h"
#include "seisdcn/predict.h"

typedef struct {
    Network network;
    ModelInfo info;
    PredictCounts counts; /* over this rank's gathers; energies are the prediction's */
    bool shared_scale[OBJECTIVE_INPUTS * (SURVEY_ATTRIBUTES_MAX + 1)]; /* [channels] which of them share the scale */
    Predictor predictor;
    Gathers gathers;
    ApplyMethod way;
    Objective objective; /* of zeros where gathers are predicted from themselves */
    float *in;           /* [channels][fold][n_samples] what feeds the network */
    float *own;          /* [fold][n_samples] the gather itself: the first of them, or another array */
} Apply;

/* ---- apply_gather.c: a model over gathers ---- */

/* Loads a model, whose keys config takes. Collective. What model_load() and model_take_config() say. */
Status apply_load(Apply *apply, const Comm *comm, const char *model, const Vector *vector, Config *config);

/* Prepares to predict gathers of a survey that the network has taken (model_take_survey()), as config's apply.* say.
 * Local. STATUS_MEMORY, STATUS_DATA. apply_close() follows, also after a failure. */
Status apply_open(Apply *apply, const Config *config, const Survey *survey);
void apply_close(Apply *apply);

/* Predicts the first `kept` traces of a gather of `fold` traces, which apply_read() has read, into out
 * [kept][n_samples]. Returns whether it was done, and not given up by the predictor's poke. Local. */
bool apply_windows(Apply *apply, int64_t fold, int64_t kept, float *out, PredictCounts *counts);

/* ---- apply_read.c: what feeds the network for a gather ---- */

/* Makes room, and finds the gathers' neighbours where these feed it. Local. STATUS_MEMORY, STATUS_DATA. */
Status apply_read_open(Apply *apply, const Survey *survey);

void apply_read_close(Apply *apply);

/* Bytes that apply_read_open() takes. Pure. */
int64_t apply_read_bytes(const Apply *apply, const Survey *survey);

/* Which of the network's channels share the scale: fills apply->shared_scale. Pure. */
void apply_shared_scale(Apply *apply, const Survey *survey);

/* Reads ensemble e: apply->own, and apply->in: the gather, or its neighbours. Local. STATUS_IO, STATUS_DATA,
 * STATUS_MEMORY. */
Status apply_read(Apply *apply, const Survey *survey, int64_t e);

#endif
