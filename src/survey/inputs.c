#include "seisdcn/inputs.h"

#include "seisdcn/files.h"
#include "seisdcn/memory.h"
#include "seisdcn/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { ODD_SHOWN = 10 };

void inputs_free(Inputs *inputs)
{
    memory_free(inputs->texts);
    memory_free(inputs->paths);
    memory_free(inputs->headers);
    memory_free(inputs->first);
    memset(inputs, 0, sizeof *inputs);
}

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

/* ---- rank 0 finds the files ---- */

typedef struct {
    void *texts;
    size_t used, room;
    int64_t n;
} Paths;

static Status add_path(Paths *paths, const char *folder, const char *name)
{
    size_t length = (folder == NULL ? 0 : strlen(folder) + 1) + strlen(name) + 1;
    if (paths->used + length > paths->room) {
        size_t room = 2 * (paths->used + length) + 4096;
        if (memory_grow(&paths->texts, paths->used, room, 1, "the list of input files") != STATUS_OK)
            return STATUS_MEMORY;
        paths->room = room;
    }
    char *at = (char *)paths->texts + paths->used;
    snprintf(at, length, "%s%s%s", folder == NULL ? "" : folder, folder == NULL ? "" : "/", name);
    paths->used += strlen(at) + 1;
    paths->n++;
    return STATUS_OK;
}

static bool is_segy(const char *name) { return text_ends_with(name, ".sgy") || text_ends_with(name, ".segy"); }

static Status fail_segy(const char *path)
{
    return status_fail(STATUS_USAGE, "%s: SEG-Y input is not built yet; give .npy files", path);
}

/* A folder without .npy files: SEG-Y in it is worth its own message. */
static Status fail_folder(const char *folder)
{
    char **names;
    int64_t n;
    Status status = files_list(folder, "", &names, &n);
    if (status != STATUS_OK) return status;
    status = status_fail(STATUS_DATA, "%s: the folder holds no .npy files", folder);
    for (int64_t i = 0; i < n; i++)
        if (is_segy(names[i])) status = fail_segy(folder);
    memory_free(names);
    return status;
}

static Status add_folder(Paths *paths, const char *given)
{
    char *folder = text_copy(given);
    if (folder == NULL) return STATUS_MEMORY;
    for (size_t length = strlen(folder); length > 1 && folder[length - 1] == '/';) folder[--length] = '\0';
    char **names;
    int64_t n;
    Status status = files_list(folder, ".npy", &names, &n);
    if (status == STATUS_OK && n == 0) status = fail_folder(folder);
    for (int64_t i = 0; i < n && status == STATUS_OK; i++) status = add_path(paths, folder, names[i]);
    memory_free(names);
    memory_free(folder);
    return status;
}

static Status add_input(Paths *paths, const char *name)
{
    if (files_is_folder(name)) return add_folder(paths, name);
    if (access(name, F_OK) != 0) return status_fail(STATUS_IO, "%s: %s", name, strerror(errno));
    if (is_segy(name)) return fail_segy(name);
    if (text_ends_with(name, ".npy")) return add_path(paths, NULL, name);
    return status_fail(STATUS_DATA, "%s: is neither a .npy file nor a folder of them", name);
}

/* ---- all ranks get the list ---- */

static Status share_paths(const Comm *comm, Paths *found, Inputs *inputs)
{
    uint64_t numbers[2] = {found->used, (uint64_t)found->n};
    comm_broadcast(comm, numbers, sizeof numbers);
    size_t bytes = numbers[0], n = numbers[1];
    inputs->n_files = (int64_t)n;
    inputs->texts = comm->rank == 0 ? found->texts : memory_new(bytes, 1, "the list of input files");
    inputs->paths = memory_new(n, sizeof *inputs->paths, "the list of input files");
    inputs->headers = memory_new(n, sizeof *inputs->headers, "the headers of the input files");
    inputs->first = memory_new(n + 1, sizeof *inputs->first, "the gathers of the input files");
    bool good = inputs->texts != NULL && inputs->paths != NULL && inputs->headers != NULL && inputs->first != NULL;
    Status status = comm_agree(comm, good ? STATUS_OK : STATUS_MEMORY);
    if (status != STATUS_OK) return status;
    comm_broadcast(comm, inputs->texts, bytes);
    const char *at = inputs->texts;
    for (size_t f = 0; f < n; f++) {
        inputs->paths[f] = at;
        at += strlen(at) + 1;
    }
    return STATUS_OK;
}

/* Each rank reads its share of the headers; rank 0 collects them in the order of the files. */
static Status read_headers(const Comm *comm, Inputs *inputs)
{
    int64_t first, end;
    comm_share(comm, inputs->n_files, &first, &end);
    Status status = STATUS_OK;
    for (int64_t f = first; f < end && status == STATUS_OK; f++)
        status = npy_read_header(inputs->paths[f], &inputs->headers[f]);
    status = comm_agree(comm, status);
    if (status != STATUS_OK) return status;
    void *all;
    size_t bytes = (size_t)inputs->n_files * sizeof *inputs->headers;
    status = comm_gather(comm, inputs->headers + first, (size_t)(end - first) * sizeof *inputs->headers, &all, NULL);
    if (status != STATUS_OK) return status;
    if (comm->rank == 0) memcpy(inputs->headers, all, bytes);
    memory_free(all);
    comm_broadcast(comm, inputs->headers, bytes);
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

Status inputs_open(const Comm *comm, int n_names, char *const *names, bool transpose, Inputs *inputs)
{
    memset(inputs, 0, sizeof *inputs);
    inputs->transpose = transpose;
    Paths found = {0};
    Status status = STATUS_OK;
    for (int i = 0; comm->rank == 0 && i < n_names && status == STATUS_OK; i++) status = add_input(&found, names[i]);
    if (comm->rank == 0 && status == STATUS_OK && found.n == 0)
        status = status_fail(STATUS_USAGE, "no input files are given");
    status = comm_agree(comm, status);
    if (status != STATUS_OK) {
        memory_free(found.texts);
        return status;
    }
    status = share_paths(comm, &found, inputs);
    if (status == STATUS_OK) status = read_headers(comm, inputs);
    if (status == STATUS_OK) status = comm_agree(comm, comm->rank == 0 ? check_samples(inputs) : STATUS_OK);
    if (status != STATUS_OK) inputs_free(inputs);
    return status;
}

/* ---- one gather ---- */

void inputs_find(const Inputs *inputs, int64_t e, int64_t *file, int64_t *place)
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

int64_t inputs_fold(const Inputs *inputs, int64_t e)
{
    int64_t file, place;
    inputs_find(inputs, e, &file, &place);
    return traces_of(inputs, file);
}

char *inputs_source(const Inputs *inputs, int64_t e, char *text, size_t size)
{
    int64_t file, place;
    inputs_find(inputs, e, &file, &place);
    char index[32] = "";
    if (inputs->headers[file].n_dims == 3) snprintf(index, sizeof index, "[%" PRId64 "]", place);
    snprintf(text, size, "%.*s%s", (int)(size - strlen(index) - 1), text_base_name(inputs->paths[file]), index);
    return text;
}

Status inputs_read(const Inputs *inputs, int64_t e, float *amplitude)
{
    int64_t file, place;
    inputs_find(inputs, e, &file, &place);
    return npy_read_gather(inputs->paths[file], &inputs->headers[file], place, inputs->transpose, amplitude);
}

/* Reads the digits at *text as an int32 and moves behind them; false where there are none or too many. */
static bool take_number(const char **text, int32_t *value)
{
    size_t digits = strspn(*text, "0123456789");
    int64_t number = 0;
    if (digits == 0) return false;
    for (size_t i = 0; i < digits && number <= INT32_MAX; i++) number = 10 * number + ((*text)[i] - '0');
    *text += digits;
    *value = (int32_t)number;
    return number <= INT32_MAX;
}

void inputs_position(const char *name, int32_t *line, int32_t *crossline)
{
    static const char before_line[] = "inline_", before_crossline[] = "crossline_";
    for (const char *at = name; (at = strcasestr(at, before_line)) != NULL;) {
        at += strlen(before_line);
        const char *rest = at;
        if (!take_number(&rest, line) || *rest++ != '_') continue;
        if (strncasecmp(rest, before_crossline, strlen(before_crossline)) == 0) rest += strlen(before_crossline);
        if (take_number(&rest, crossline)) return;
    }
    *line = *crossline = -1;
}
