#include "csv.h"

#include "seisdcn/files.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

Status csv_open(Csv *csv)
{
    *csv = (Csv){0};
    csv->stream = open_memstream(&csv->text, &csv->size);
    return csv->stream == NULL ? status_fail(STATUS_MEMORY, "no memory for a CSV file") : STATUS_OK;
}

Status csv_close(Csv *csv, const char *path)
{
    bool good = ferror(csv->stream) == 0;
    good = fclose(csv->stream) == 0 && good;
    Status status = good ? files_write_text(path, csv->text) : status_fail(STATUS_MEMORY, "no memory for a CSV file");
    free(csv->text);
    return status;
}

void csv_name(Csv *csv, const char *name)
{
    bool plain = strpbrk(name, ",\"\n\r") == NULL;
    if (!plain) fputc('"', csv->stream);
    for (const char *c = name; *c != '\0'; c++) fprintf(csv->stream, *c == '"' ? "\"\"" : "%c", *c);
    if (!plain) fputc('"', csv->stream);
}

void csv_number(Csv *csv, double value)
{
    fputc(',', csv->stream);
    if (!isnan(value)) fprintf(csv->stream, "%.9g", value);
}
