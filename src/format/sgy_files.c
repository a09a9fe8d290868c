#include "seisdcn/sgy_files.h"

void sgy_files_find(const SgyFiles *files, int64_t number, int64_t *file, int64_t *place)
{
    int64_t low = 0, high = files->n; /* first[low] <= number < first[high] */
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if (files->first[middle] <= number)
            low = middle;
        else
            high = middle;
    }
    *file = low;
    *place = number - files->first[low];
}

static Status open_at(SgyFiles *files, int64_t number, int64_t *place)
{
    int64_t file;
    sgy_files_find(files, number, &file, place);
    if (files->open.handle != NULL && files->open_file == file) return STATUS_OK;
    sgy_files_close(files);
    files->open_file = file;
    Status status = sgy_trace_open(files->paths[file], &files->layouts[file], &files->open);
    if (files->marks != NULL) files->open.marks = files->marks + files->first_mark[file];
    return status;
}

Status sgy_files_header(SgyFiles *files, int64_t number, uint8_t headers[2 * SGY_HEADER])
{
    int64_t place;
    Status status = open_at(files, number, &place);
    return status == STATUS_OK ? sgy_trace_header(&files->open, place, headers) : status;
}

Status sgy_files_read(SgyFiles *files, int64_t number, uint8_t *headers, uint8_t *samples, int64_t *n)
{
    int64_t place;
    Status status = open_at(files, number, &place);
    return status == STATUS_OK ? sgy_trace_read(&files->open, place, headers, samples, n) : status;
}

void sgy_files_close(SgyFiles *files) { sgy_trace_close(&files->open); }
