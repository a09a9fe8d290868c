/* .npy files: each its own gathers. */
#include "inputs_private.h"

#include "seisdcn/log.h"
#include "seisdcn/memory.h"
#include "seisdcn/text.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ODD_SHOWN = 10 };

/* ---- one file's shape ---- */

static int64_t gathers_of(const NpyHeader *header) { return header->n_dims == 3 ? header->dims[0] : 1; }

static int64_t traces_of(const Inputs *inputs, int64_t file)
{
    const NpyHeader *header = &inputs->headers[file];
    return header->dims[header->n_dims - (inputs->transpose ? 1 : 2)];
}

static int64_t samples_of(const Inputs *inputs, int64_t file)
{
    const NpyHeader *header = &inputs->headers[file];
    return header->dims[header->n_dims - (inputs->transpose ? 2 : 1)];
}

/* Each rank reads its share of the headers. */
static Status read_headers(const Comm *comm, Inputs *inputs)
{
    int64_t first, end;
    inputs->headers = memory_new((size_t)inputs->n_files, sizeof *inputs->headers, "the headers of the input files");
    Status status = comm_agree(comm, inputs->headers == NULL ? STATUS_MEMORY : STATUS_OK);
    if (status != STATUS_OK) return status;
    comm_share(comm, inputs->n_files, &first, &end);
    log_progress_start("headers", inputs->n_files, "file");
    for (int64_t f = first; f < end && status == STATUS_OK; f++) {
        status = npy_read_header(inputs->paths[f], &inputs->headers[f]);
        log_progress((f + 1 - first) * comm->size, NULL);
    }
    log_progress_end();
    status = comm_agree(comm, status);
    if (status == STATUS_OK)
        status = inputs_share_records(comm, inputs->headers, inputs->n_files, sizeof *inputs->headers);
    if (status != STATUS_OK) return status;
    for (int64_t f = 0; f < inputs->n_files; f++)
        inputs->first[f + 1] = inputs->first[f] + gathers_of(&inputs->headers[f]);
    inputs->n_gathers = inputs->first[inputs->n_files];
    inputs->n_samples = samples_of(inputs, 0);
    return STATUS_OK;
}

/* ---- do they make one survey? ---- */

static int compare_counts(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

/* The sample count that most files have; of equals the first file's. Negative without memory. */
static int64_t usual_samples(const Inputs *inputs)
{
    int64_t n = inputs->n_files, usual = samples_of(inputs, 0), most = 0, first_files = 0;
    int64_t *counts = memory_new((size_t)n, sizeof *counts, "the sample counts of the input files");
    if (counts == NULL) return -1;
    for (int64_t f = 0; f < n; f++) counts[f] = samples_of(inputs, f);
    for (int64_t f = 0; f < n; f++) first_files += counts[f] == usual;
    most = first_files;
    qsort(counts, (size_t)n, sizeof *counts, compare_counts);
    for (int64_t f = 0, run = 0; f < n; f++) {
        run = f > 0 && counts[f] == counts[f - 1] ? run + 1 : 1;
        if (run > most) {
            most = run;
            usual = counts[f];
        }
    }
    memory_free(counts);
    return usual;
}

static Status check_samples(const Inputs *inputs)
{
    bool alike = true;
    for (int64_t f = 0; f < inputs->n_files && alike; f++) alike = samples_of(inputs, f) == inputs->n_samples;
    if (alike) return STATUS_OK;
    int64_t usual = usual_samples(inputs), odd = 0;
    if (usual < 0) return STATUS_MEMORY;
    char list[1400] = "", more[32] = "";
    size_t at = 0;
    for (int64_t f = 0; f < inputs->n_files; f++) {
        if (samples_of(inputs, f) == usual || odd++ >= ODD_SHOWN) continue;
        at += (size_t)snprintf(list + at, sizeof list - at, "%s%.100s has %" PRId64, odd == 1 ? "" : ", ",
                               text_base_name(inputs->paths[f]), samples_of(inputs, f));
    }
    if (odd > ODD_SHOWN) snprintf(more, sizeof more, " and %" PRId64 " more", odd - ODD_SHOWN);
    return status_fail(STATUS_DATA,
                       "the gathers differ in their samples a trace: most files have %" PRId64
                       ", but %s%s; leave these "
                       "out or cut all to one length (arrays of (samples, traces) need --transpose)",
                       usual, list, more);
}

Status inputs_open_npy(const Comm *comm, const InputsOptions *options, Inputs *inputs)
{
    inputs->transpose = options->transpose;
    inputs->interval_us = options->interval_us;
    inputs->scale = options->scale == 0 ? 1 : options->scale;
    inputs->names = options->names;
    Status status = comm_agree(comm, comm->rank == 0 ? inputs_check_names(inputs) : STATUS_OK);
    if (status == STATUS_OK) status = read_headers(comm, inputs);
    if (status == STATUS_OK) status = comm_agree(comm, comm->rank == 0 ? check_samples(inputs) : STATUS_OK);
    if (status == STATUS_OK) comm_share(comm, inputs->n_gathers, &inputs->my_first, &inputs->my_end);
    return status;
}

/* ---- one gather ---- */

/* Where gather e lies: its file, and its place in the file. */
static void find_gather(const Inputs *inputs, int64_t e, int64_t *file, int64_t *place)
{
    int64_t low = 0, high = inputs->n_files; /* first[low] <= e < first[high] */
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if (inputs->first[middle] <= e)
            low = middle;
        else
            high = middle;
    }
    *file = low;
    *place = e - inputs->first[low];
}

int64_t inputs_npy_fold(const Inputs *inputs, int64_t e)
{
    int64_t file, place;
    find_gather(inputs, e, &file, &place);
    return traces_of(inputs, file);
}

int64_t inputs_npy_file(const Inputs *inputs, int64_t e)
{
    int64_t file, place;
    find_gather(inputs, e, &file, &place);
    return file;
}

char *inputs_npy_source(const Inputs *inputs, int64_t e, char *text, size_t size)
{
    int64_t file, place;
    find_gather(inputs, e, &file, &place);
    char index[32] = "";
    if (inputs->headers[file].n_dims == 3) snprintf(index, sizeof index, "[%" PRId64 "]", place);
    snprintf(text, size, "%.*s%s", (int)(size - strlen(index) - 1), text_base_name(inputs->paths[file]), index);
    return text;
}

void inputs_npy_place(const Inputs *inputs, int64_t e, int32_t *line, int32_t *crossline)
{
    int64_t file, place;
    find_gather(inputs, e, &file, &place);
    inputs_name_place(inputs, inputs->paths[file], line, crossline);
}

Status inputs_npy_read(const Inputs *inputs, int64_t e, InputsGather *gather)
{
    int64_t file, place;
    NpyRange range = {.scale = inputs->scale};
    find_gather(inputs, e, &file, &place);
    Status status = npy_read_gather(inputs->paths[file], &inputs->headers[file], place, inputs->transpose,
                                    gather->amplitude, &range);
    if (status != STATUS_OK) return status;
    if (range.beyond >= 0)
        return inputs_fail_beyond(inputs, e, range.beyond / inputs->n_samples, range.beyond % inputs->n_samples,
                                  range.beyond_number, range.largest);
    inputs_see_largest(gather, e, range.largest);
    return STATUS_OK;
}
