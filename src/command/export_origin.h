/* Private to the commands: what a prediction tells of itself, and the survey that it was made from. */
#ifndef SEISDCN_EXPORT_ORIGIN_H
#define SEISDCN_EXPORT_ORIGIN_H

#include "seisdcn/index_deal.h"
#include "seisdcn/survey.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    bool is_prediction, is_difference;
    bool has_model;         /* it was predicted by a network */
    uint64_t model, survey; /* checksums */
    IndexDeal deal;         /* how the gathers that the model was trained on were dealt, as far as it is told */
    char command[16];       /* that predicted it, "" where it is not told */
    char survey_path[4096]; /* where that found the survey, "" where it is not told */
} Origin;

/* Reads what the survey's file tells; all ranks get it. Collective. STATUS_IO, STATUS_DATA. */
Status export_origin_read(const Survey *survey, Origin *origin);

/* What the samples of such a file are, as pictures and listings call them: "input", "prediction", or "noise (input −
 * prediction)" of one made with --difference. Pure. */
const char *export_origin_name(const Origin *origin);

/* The same of a survey that a command is to read, said on the log where it is noise: what `use` tells ("is predicted
 * here"). Collective. As export_origin_read(). */
Status export_origin_tell(const Survey *survey, const char *use);

/* Refuses noise where a clean survey is wanted. Collective. STATUS_DATA. */
Status export_origin_check_clean(const Survey *clean);

/* Opens the survey that a prediction was made from: at `given`, where that is not NULL, else where its command found
 * it, or beside the prediction. Collective. STATUS_USAGE where it is not found, STATUS_DATA where it is another one;
 * and what survey_open() says. */
Status export_origin_open(const Origin *origin, const Survey *prediction, const char *given, Survey *survey);

/* What a text header says of the processing, of n gathers of which `undone` are not predicted; text holds 160 bytes.
 * Pure. */
char *export_origin_text(const Origin *origin, const Survey *survey, int64_t n, int64_t undone, char *text);

#endif
