/* Private to the commands: tables as CSV files. */
#ifndef SEISDCN_CSV_H
#define SEISDCN_CSV_H

#include "seisdcn/status.h"

#include <stdio.h>

/* A text that grows, and becomes a file when it is whole. */
typedef struct {
    FILE *stream; /* to be written to */
    char *text;
    size_t size;
} Csv;

/* Local. STATUS_MEMORY. */
Status csv_open(Csv *csv);

/* Writes what was added as the file at path. Local. STATUS_IO, STATUS_MEMORY. */
Status csv_close(Csv *csv, const char *path);

/* Adds a field; names with commas or quotes are quoted. Local. */
void csv_name(Csv *csv, const char *name);

/* Adds a comma and a field of a number, empty where it is NaN. Local. */
void csv_number(Csv *csv, double value);

#endif
