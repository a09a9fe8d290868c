/* The text and binary headers of several SEG-Y files, and what else of them is not traces. */
#include "seisdcn/memory.h"
#include "seisdcn/survey_segy.h"

#include <inttypes.h>
#include <string.h>

enum { HEADS = SGY_TEXT + SGY_BINARY };

/* Bytes that the heads have of some kind, one behind the other. */
typedef struct {
    const char *bytes, *first; /* datasets */
} Blobs;

static const char file_head[] = "/segy/file_head", file_text[] = "/segy/file_text", file_binary[] = "/segy/file_binary";
static const Blobs extended = {"/segy/file_extended_text", "/segy/file_extended_first"},
                   trailers = {"/segy/file_trailer", "/segy/file_trailer_first"};

/* ---- writing ---- */

static bool alike(const SurveySegyHead *a, const SurveySegyHead *b)
{
    return a->n_head == b->n_head && a->n_trailer == b->n_trailer && memcmp(a->head, b->head, (size_t)a->n_head) == 0 &&
           memcmp(a->trailer, b->trailer, (size_t)a->n_trailer) == 0;
}

Status survey_segy_add_head(SurveySegy *segy, int64_t file, SurveySegyHead *head)
{
    int64_t h = segy->n_heads - 1; /* most files are like the one before */
    while (h >= 0 && !alike(&segy->heads[h], head)) h--;
    if (h >= 0) {
        memory_free(head->head);
        memory_free(head->trailer);
    } else {
        h = segy->n_heads++;
        segy->heads[h] = *head;
    }
    *head = (SurveySegyHead){0};
    segy->file_head[file] = (int32_t)h;
    return STATUS_OK;
}

double survey_segy_heads_bytes(const SurveySegy *segy)
{
    double bytes = 4 * (double)segy->n_files;
    for (int64_t h = 0; h < segy->n_heads; h++)
        bytes += (double)segy->heads[h].n_head + (double)segy->heads[h].n_trailer + 16;
    return bytes;
}

/* The part of a head that blobs are made of. */
static int64_t part(const SurveySegyHead *head, const Blobs *blobs, const uint8_t **bytes)
{
    *bytes = blobs == &trailers ? head->trailer : head->head + HEADS;
    return blobs == &trailers ? head->n_trailer : head->n_head - HEADS;
}

static Status write_blobs(const H5File *file, const SurveySegy *segy, const Blobs *blobs)
{
    int64_t n = segy->n_heads, n_bounds = n + 1;
    int64_t *first = memory_new((size_t)n_bounds, sizeof *first, "the SEG-Y headers");
    if (first == NULL) return STATUS_MEMORY;
    const uint8_t *bytes;
    for (int64_t h = 0; h < n; h++) first[h + 1] = first[h] + part(&segy->heads[h], blobs, &bytes);
    Status status = STATUS_OK;
    if (first[n] > 0) {
        status = h5_write_new(file, blobs->first, H5T_STD_I64LE, H5T_NATIVE_INT64, 1, &n_bounds, first);
        if (status == STATUS_OK) status = h5_create_dataset(file, blobs->bytes, H5T_STD_U8LE, 1, &first[n]);
    }
    for (int64_t h = 0; h < n && status == STATUS_OK; h++) {
        int64_t length = part(&segy->heads[h], blobs, &bytes);
        if (length > 0) status = h5_write_rows(file, blobs->bytes, H5T_NATIVE_UINT8, first[h], length, 1, bytes);
    }
    memory_free(first);
    return status;
}

Status survey_segy_write_heads(const H5File *file, const SurveySegy *segy)
{
    int64_t n = segy->n_heads;
    if (n == 0) return STATUS_OK;
    Status status = h5_write_new(file, file_head, H5T_STD_I32LE, H5T_NATIVE_INT32, 1, &segy->n_files, segy->file_head);
    if (status == STATUS_OK) status = h5_create_dataset(file, file_text, H5T_STD_U8LE, 2, (int64_t[]){n, SGY_TEXT});
    if (status == STATUS_OK) status = h5_create_dataset(file, file_binary, H5T_STD_U8LE, 2, (int64_t[]){n, SGY_BINARY});
    for (int64_t h = 0; h < n && status == STATUS_OK; h++) {
        const uint8_t *head = segy->heads[h].head;
        status = h5_write_rows(file, file_text, H5T_NATIVE_UINT8, h, 1, SGY_TEXT, head);
        if (status == STATUS_OK)
            status = h5_write_rows(file, file_binary, H5T_NATIVE_UINT8, h, 1, SGY_BINARY, head + SGY_TEXT);
    }
    if (status == STATUS_OK) status = write_blobs(file, segy, &extended);
    return status == STATUS_OK ? write_blobs(file, segy, &trailers) : status;
}

/* ---- reading ---- */

/* The bytes of head h of n: *bytes [*length], from memory_new() with room for `before` bytes in front. */
static Status read_blob(const H5File *file, const Blobs *blobs, int64_t n, int64_t h, int64_t before, uint8_t **bytes,
                        int64_t *length)
{
    int64_t first[2] = {0, 0}, n_bounds = n + 1, dims[4] = {0};
    int rank;
    Status status = STATUS_OK;
    if (h5_exists(file, blobs->first) || h5_exists(file, blobs->bytes)) {
        status = h5_expect(file, blobs->first, H5T_NATIVE_INT64, 1, &n_bounds);
        if (status == STATUS_OK) status = h5_expect(file, blobs->bytes, H5T_NATIVE_UINT8, 1, (int64_t[]){-1});
        if (status == STATUS_OK) status = h5_dims(file, blobs->bytes, &rank, dims);
        if (status == STATUS_OK) status = h5_read_rows(file, blobs->first, H5T_NATIVE_INT64, h, 2, 1, first);
        if (status != STATUS_OK) return status;
    }
    if (first[0] < 0 || first[0] > first[1] || first[1] > dims[0])
        return status_fail(STATUS_DATA, "%s: %s goes from %" PRId64 " to %" PRId64 ", and %s has %" PRId64 " bytes",
                           file->path, blobs->first, first[0], first[1], blobs->bytes, dims[0]);
    *length = first[1] - first[0];
    *bytes = memory_new((size_t)(before + *length), 1, "the SEG-Y headers");
    if (*bytes == NULL) return STATUS_MEMORY;
    if (*length == 0) return STATUS_OK;
    return h5_read_rows(file, blobs->bytes, H5T_NATIVE_UINT8, first[0], *length, 1, *bytes + before);
}

/* Reads head h of n. */
static Status read_head(const H5File *file, int64_t n, int64_t h, SurveySegyHead *head)
{
    int64_t n_extended;
    if (h < 0 || h >= n)
        return status_fail(STATUS_DATA, "%s: %s speaks of head %" PRId64 ", and there are %" PRId64, file->path,
                           file_head, h, n);
    Status status = read_blob(file, &extended, n, h, HEADS, &head->head, &n_extended);
    if (status != STATUS_OK) return status;
    head->n_head = HEADS + n_extended;
    status = h5_read_rows(file, file_text, H5T_NATIVE_UINT8, h, 1, SGY_TEXT, head->head);
    if (status == STATUS_OK)
        status = h5_read_rows(file, file_binary, H5T_NATIVE_UINT8, h, 1, SGY_BINARY, head->head + SGY_TEXT);
    return status == STATUS_OK ? read_blob(file, &trailers, n, h, 0, &head->trailer, &head->n_trailer) : status;
}

static Status check_shapes(const H5File *file, const SurveySegy *segy, int64_t *n)
{
    int rank;
    int64_t dims[4];
    Status status = h5_expect(file, file_head, H5T_NATIVE_INT32, 1, &segy->n_files);
    if (status == STATUS_OK) status = h5_expect(file, file_text, H5T_NATIVE_UINT8, 2, (int64_t[]){-1, SGY_TEXT});
    if (status == STATUS_OK) status = h5_dims(file, file_text, &rank, dims);
    if (status != STATUS_OK) return status;
    *n = dims[0];
    return h5_expect(file, file_binary, H5T_NATIVE_UINT8, 2, (int64_t[]){*n, SGY_BINARY});
}

/* Rank 0's. */
static Status choose(const H5File *file, SurveySegy *segy, const uint8_t *wanted, bool *several)
{
    int64_t n = 0, chosen = -1;
    SurveySegyHead head = {0};
    Status status = check_shapes(file, segy, &n);
    if (status != STATUS_OK) return status;
    int32_t *of_file = memory_new((size_t)segy->n_files, sizeof *of_file, "the SEG-Y headers");
    if (of_file == NULL) return STATUS_MEMORY;
    status = h5_read_all(file, file_head, H5T_NATIVE_INT32, segy->n_files, of_file);
    for (int64_t f = 0; f < segy->n_files && status == STATUS_OK; f++) {
        if (!wanted[f]) continue;
        if (chosen < 0) chosen = f;
        *several = *several || of_file[f] != of_file[chosen];
    }
    if (status == STATUS_OK && chosen >= 0) status = read_head(file, n, of_file[chosen], &head);
    memory_free(of_file);
    if (status != STATUS_OK || chosen < 0) {
        memory_free(head.head);
        memory_free(head.trailer);
        return status;
    }
    memory_free(segy->head);
    memory_free(segy->trailer);
    segy->head = head.head;
    segy->n_head = head.n_head;
    segy->trailer = head.trailer;
    segy->n_trailer = head.n_trailer;
    return STATUS_OK;
}

static Status choose_serially(const Survey *survey, SurveySegy *segy, const uint8_t *wanted, bool *own, bool *several)
{
    H5File file;
    Status status = h5_open(survey->path, false, &file);
    if (status != STATUS_OK) return status;
    *own = h5_exists(&file, file_head);
    if (*own) status = choose(&file, segy, wanted, several);
    Status closed = h5_close(&file);
    return status != STATUS_OK ? status : closed;
}

Status survey_segy_choose_head(const Survey *survey, SurveySegy *segy, const uint8_t *wanted, bool *own, bool *several)
{
    const Comm *comm = &survey->comm;
    *own = *several = false;
    Status status = comm_agree(comm, comm->rank == 0 ? choose_serially(survey, segy, wanted, own, several) : STATUS_OK);
    if (status != STATUS_OK) return status;
    comm_broadcast(comm, own, sizeof *own);
    comm_broadcast(comm, several, sizeof *several);
    comm_broadcast(comm, &segy->n_head, sizeof segy->n_head);
    comm_broadcast(comm, &segy->n_trailer, sizeof segy->n_trailer);
    return STATUS_OK;
}
