/* Private to the export command: what a prediction tells of itself, and the survey that it was made from. */
#ifndef SEISDCN_EXPORT_ORIGIN_H
#define SEISDCN_EXPORT_ORIGIN_H

#include "seisdcn/survey.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    bool is_prediction, is_difference;
    bool has_model;         /* it was predicted by a network */
    uint64_t model, survey; /* checksums */
    char command[16];       /* that predicted it, "" where it is not told */
    char survey_path[4096]; /* where that found the survey, "" where it is not told */
} Origin;

/* Reads what the survey's file tells; all ranks get it. Collective. STATUS_IO, STATUS_DATA. */
Status export_origin_read(const Survey *survey, Origin *origin);

/* Opens the survey that a prediction was made from: at `given`, where that is not NULL, else where its command found
 * it, or beside the prediction. Collective. STATUS_USAGE where it is not found, STATUS_DATA where it is another one;
 * and what survey_open() says. */
Status export_origin_open(const Origin *origin, const Survey *prediction, const char *given, Survey *survey);

/* What a text header says of the processing, of n gathers of which `undone` are not predicted; text holds 160 bytes.
 * Pure. */
char *export_origin_text(const Origin *origin, const Survey *survey, int64_t n, int64_t undone, char *text);

#endif
