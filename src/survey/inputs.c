#include "seisdcn/inputs.h"

#include "inputs_private.h"

#include "seisdcn/files.h"
#include "seisdcn/memory.h"
#include "seisdcn/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void inputs_free(Inputs *inputs)
{
    sgy_files_close(&inputs->files);
    sgy_index_free(&inputs->index);
    memory_free(inputs->texts);
    memory_free(inputs->paths);
    memory_free(inputs->headers);
    memory_free(inputs->layouts);
    memory_free(inputs->marks);
    memory_free(inputs->first_mark);
    memory_free(inputs->first);
    memset(inputs, 0, sizeof *inputs);
}

/* ---- rank 0 finds the files ---- */

typedef struct {
    void *texts;
    size_t used, room;
    int64_t n;
    bool has_npy, has_segy;
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

bool inputs_is_npy(const char *name) { return text_ends_with(name, ".npy"); }

bool inputs_is_segy(const char *name) { return text_ends_with(name, ".sgy") || text_ends_with(name, ".segy"); }

/* What of a folder's names belongs to a survey. */
static Status add_names(Paths *paths, const char *folder, char *const *names, int64_t n)
{
    int64_t n_npy = 0, n_segy = 0;
    for (int64_t i = 0; i < n; i++) {
        n_npy += inputs_is_npy(names[i]);
        n_segy += inputs_is_segy(names[i]);
    }
    if (n_npy == 0 && n_segy == 0)
        return status_fail(STATUS_DATA, "%s: the folder holds no .npy and no SEG-Y (.sgy, .segy) files", folder);
    if (n_npy > 0 && n_segy > 0)
        return status_fail(STATUS_USAGE,
                           "%s: the folder holds %" PRId64 " .npy and %" PRId64
                           " SEG-Y files; a survey is made of one kind: name the files (%s/*.npy, say)",
                           folder, n_npy, n_segy, folder);
    Status status = STATUS_OK;
    for (int64_t i = 0; i < n && status == STATUS_OK; i++)
        if (inputs_is_npy(names[i]) || inputs_is_segy(names[i])) status = add_path(paths, folder, names[i]);
    *(n_npy > 0 ? &paths->has_npy : &paths->has_segy) = true;
    return status;
}

static Status add_folder(Paths *paths, const char *given)
{
    char *folder = text_copy(given);
    if (folder == NULL) return STATUS_MEMORY;
    for (size_t length = strlen(folder); length > 1 && folder[length - 1] == '/';) folder[--length] = '\0';
    char **names;
    int64_t n;
    Status status = files_list(folder, "", &names, &n);
    if (status == STATUS_OK) status = add_names(paths, folder, names, n);
    memory_free(names);
    memory_free(folder);
    return status;
}

static Status add_input(Paths *paths, const char *name)
{
    if (files_is_folder(name)) return add_folder(paths, name);
    if (access(name, F_OK) != 0) return status_fail(STATUS_IO, "%s: %s", name, strerror(errno));
    if (!inputs_is_npy(name) && !inputs_is_segy(name))
        return status_fail(STATUS_DATA, "%s: is neither a .npy file, nor SEG-Y (.sgy, .segy), nor a folder of them",
                           name);
    *(inputs_is_npy(name) ? &paths->has_npy : &paths->has_segy) = true;
    return add_path(paths, NULL, name);
}

static Status find_files(int n_names, char *const *names, Paths *paths)
{
    Status status = STATUS_OK;
    for (int i = 0; i < n_names && status == STATUS_OK; i++) {
        status = add_input(paths, names[i]);
        if (status == STATUS_OK && paths->has_npy && paths->has_segy)
            status = status_fail(STATUS_USAGE,
                                 "%s: .npy and SEG-Y files do not make one survey together; consolidate "
                                 "them one kind at a time",
                                 names[i]);
    }
    return status == STATUS_OK && paths->n == 0 ? status_fail(STATUS_USAGE, "no input files are given") : status;
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
    inputs->first = memory_new(n + 1, sizeof *inputs->first, "the gathers of the input files");
    bool good = inputs->texts != NULL && inputs->paths != NULL && inputs->first != NULL;
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

Status inputs_share_records(const Comm *comm, void *records, int64_t n, size_t size)
{
    int64_t first, end;
    void *all;
    comm_share(comm, n, &first, &end);
    Status status = comm_gather(comm, (char *)records + (size_t)first * size, (size_t)(end - first) * size, &all, NULL);
    if (status != STATUS_OK) return status;
    if (comm->rank == 0) memcpy(records, all, (size_t)n * size);
    memory_free(all);
    comm_broadcast(comm, records, (size_t)n * size);
    return STATUS_OK;
}

/* The list of files, on all ranks. Collective. */
static Status list_files(const Comm *comm, int n_names, char *const *names, Inputs *inputs)
{
    memset(inputs, 0, sizeof *inputs);
    Paths found = {0};
    Status status = comm_agree(comm, comm->rank == 0 ? find_files(n_names, names, &found) : STATUS_OK);
    if (status != STATUS_OK) {
        memory_free(found.texts);
        return status;
    }
    return share_paths(comm, &found, inputs);
}

Status inputs_open(const Comm *comm, int n_names, char *const *names, const InputsOptions *options, Inputs *inputs)
{
    Status status = list_files(comm, n_names, names, inputs);
    if (status == STATUS_OK) /* all files are of one kind */
        status = inputs_is_npy(inputs->paths[0]) ? inputs_open_npy(comm, options, inputs)
                                                 : inputs_open_segy(comm, options, inputs);
    if (status != STATUS_OK) inputs_free(inputs);
    return status;
}

Status inputs_open_headers(const Comm *comm, int n_names, char *const *names, const SgyForce *force, Inputs *inputs)
{
    Status status = list_files(comm, n_names, names, inputs);
    if (status == STATUS_OK && inputs_is_npy(inputs->paths[0]))
        status = status_fail(STATUS_USAGE, "%s: is no SEG-Y file (.sgy, .segy)", inputs->paths[0]);
    if (status == STATUS_OK) status = inputs_segy_layouts(comm, force, inputs);
    if (status != STATUS_OK) inputs_free(inputs);
    return status;
}

/* ---- gathers ---- */

int64_t inputs_fold(const Inputs *inputs, int64_t e)
{
    return inputs->layouts == NULL ? inputs_npy_fold(inputs, e) : inputs->index.gather[e].fold;
}

int64_t inputs_my_fold(const Inputs *inputs, int64_t e)
{
    const int64_t *first = inputs->index.first;
    int64_t mine = e - inputs->my_first;
    return inputs->layouts == NULL ? inputs_npy_fold(inputs, e) : first[mine + 1] - first[mine];
}

int64_t inputs_my_max_fold(const Inputs *inputs)
{
    int64_t most = 0;
    for (int64_t e = inputs->my_first; e < inputs->my_end; e++)
        if (inputs_my_fold(inputs, e) > most) most = inputs_my_fold(inputs, e);
    return most;
}

int64_t inputs_file(const Inputs *inputs, int64_t e, int64_t t)
{
    int64_t file, place;
    if (inputs->layouts == NULL) return inputs_npy_file(inputs, e);
    sgy_files_find(&inputs->files, inputs->index.trace[inputs->index.first[e - inputs->my_first] + t].number, &file,
                   &place);
    return file;
}

int64_t inputs_file_traces(const Inputs *inputs, int64_t file)
{
    if (inputs->layouts != NULL) return inputs->layouts[file].n_traces;
    return (inputs->first[file + 1] - inputs->first[file]) * inputs_npy_fold(inputs, inputs->first[file]);
}

char *inputs_source(const Inputs *inputs, int64_t e, char *text, size_t size)
{
    if (inputs->layouts == NULL) return inputs_npy_source(inputs, e, text, size);
    int64_t file, place;
    sgy_files_find(&inputs->files, inputs->index.gather[e].number, &file, &place);
    snprintf(text, size, "%s", text_base_name(inputs->paths[file]));
    return text;
}

void inputs_place(const Inputs *inputs, int64_t e, int32_t *line, int32_t *crossline)
{
    if (inputs->layouts != NULL) {
        *line = inputs->index.gather[e].line;
        *crossline = inputs->index.gather[e].crossline;
        return;
    }
    inputs_npy_place(inputs, e, line, crossline);
}

char *inputs_trace_name(const Inputs *inputs, int64_t e, int64_t t, char *text, size_t size)
{
    if (inputs->layouts == NULL) {
        char source[SURVEY_SOURCE_MAX];
        snprintf(text, size, "%s: trace %" PRId64, inputs_npy_source(inputs, e, source, sizeof source), t);
        return text;
    }
    int64_t file, place, mine = inputs->index.first[e - inputs->my_first] + t;
    sgy_files_find(&inputs->files, inputs->index.trace[mine].number, &file, &place);
    snprintf(text, size, "%s: trace %" PRId64, text_base_name(inputs->paths[file]), place);
    return text;
}

Status inputs_gather_new(const Inputs *inputs, int64_t max_fold, InputsGather *gather)
{
    *gather = (InputsGather){.odd = {.first = -1}, .first_odd_trace = -1, .first_faint = -1};
    size_t fold = (size_t)max_fold;
    gather->amplitude = memory_new(fold, (size_t)inputs->n_samples * sizeof *gather->amplitude, "the largest gather");
    bool good = gather->amplitude != NULL;
    if (inputs->layouts != NULL && good) {
        const SgyLayout *layout = &inputs->layouts[0];
        int64_t trace_bytes = 0; /* of the longest trace */
        for (int64_t f = 0; f < inputs->n_files; f++)
            if (inputs->layouts[f].trace_bytes > trace_bytes) trace_bytes = inputs->layouts[f].trace_bytes;
        gather->headers = memory_new(fold, SGY_HEADER, "the trace headers of a gather");
        gather->extra = memory_new(fold, (size_t)layout->n_extra * SGY_HEADER, "the trace headers of a gather");
        gather->bytes = memory_new((size_t)trace_bytes, 1, "a SEG-Y trace");
        good = gather->headers != NULL && gather->extra != NULL && gather->bytes != NULL;
    }
    if (good) return STATUS_OK;
    inputs_gather_free(gather);
    return STATUS_MEMORY;
}

void inputs_gather_free(InputsGather *gather)
{
    memory_free(gather->amplitude);
    memory_free(gather->headers);
    memory_free(gather->extra);
    memory_free(gather->bytes);
    memset(gather, 0, sizeof *gather);
}

Status inputs_read(Inputs *inputs, int64_t e, InputsGather *gather)
{
    return inputs->layouts == NULL ? inputs_npy_read(inputs, e, gather) : inputs_segy_read(inputs, e, gather);
}
