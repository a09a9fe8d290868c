/* The datasets of h5. */
#include "h5_private.h"

#include "seisdcn/log.h"
#include "seisdcn/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { RANK_MAX = 4 };

/* One transfer: 2^27 elements of at most 8 bytes are 1 GiB, below MPI's and the kernel's 2 GiB. */
static const int64_t PIECE_ELEMENTS = (int64_t)1 << 27;

static hid_t new_space(int rank, const int64_t *dims)
{
    if (rank == 0) return H5Screate(H5S_SCALAR);
    hsize_t extent[RANK_MAX];
    for (int i = 0; i < rank; i++) extent[i] = (hsize_t)dims[i];
    return H5Screate_simple(rank, extent, NULL);
}

Status h5_create_dataset(const H5File *file, const char *name, hid_t type, int rank, const int64_t *dims)
{
    if (rank < 0 || rank > RANK_MAX)
        return status_fail(STATUS_BUG, "%s: %s: %d dimensions were asked for", file->path, name, rank);
    hid_t space = new_space(rank, dims), creation = H5Pcreate(H5P_DATASET_CREATE), set = H5I_INVALID_HID;
    bool good = space >= 0 && creation >= 0 && H5Pset_layout(creation, H5D_CONTIGUOUS) >= 0 &&
                H5Pset_alloc_time(creation, H5D_ALLOC_TIME_EARLY) >= 0 &&
                H5Pset_fill_time(creation, H5D_FILL_TIME_NEVER) >= 0 && H5Pset_obj_track_times(creation, false) >= 0;
    if (good && !h5_struck(FAULT_H5_WRITE))
        set = H5Dcreate2(file->id, name, type, space, H5P_DEFAULT, creation, H5P_DEFAULT);
    Status status = STATUS_OK;
    if (set < 0)
        status = h5_fail(file, STATUS_IO, name, "cannot be created");
    else
        status = h5_closed(file, status, H5Dclose(set), name);
    if (creation >= 0) H5Pclose(creation);
    if (space >= 0) H5Sclose(space);
    return status;
}

static Status dims_of(const H5File *file, const char *name, hid_t set, int *rank, int64_t dims[RANK_MAX])
{
    hid_t space = H5Dget_space(set);
    if (space < 0) return h5_fail(file, STATUS_DATA, name, "has no readable shape");
    hsize_t extent[RANK_MAX] = {0};
    int n = H5Sget_simple_extent_ndims(space);
    Status status = STATUS_OK;
    if (n > RANK_MAX)
        status = status_fail(STATUS_DATA, "%s: %s has %d dimensions; at most %d are read", file->path, name, n,
                             (int)RANK_MAX);
    else if (n < 0 || H5Sget_simple_extent_type(space) == H5S_NULL ||
             (n > 0 && H5Sget_simple_extent_dims(space, extent, NULL) < 0))
        status = h5_fail(file, STATUS_DATA, name, "has no readable shape");
    *rank = n;
    for (int i = 0; i < RANK_MAX; i++) dims[i] = (int64_t)extent[i];
    return h5_closed(file, status, H5Sclose(space), name);
}

static Status open_set(const H5File *file, const char *name, hid_t *set)
{
    *set = H5I_INVALID_HID;
    if (!h5_exists(file, name)) return status_fail(STATUS_DATA, "%s: %s is missing", file->path, name);
    *set = H5Dopen2(file->id, name, H5P_DEFAULT);
    if (*set < 0) return h5_fail(file, STATUS_DATA, name, "cannot be opened as a dataset");
    return STATUS_OK;
}

Status h5_dims(const H5File *file, const char *name, int *rank, int64_t dims[4])
{
    hid_t set;
    Status status = open_set(file, name, &set);
    if (status != STATUS_OK) return status;
    status = dims_of(file, name, set, rank, dims);
    if (status == STATUS_OK) status = h5_check_storage(file, name, set);
    return h5_closed(file, status, H5Dclose(set), name);
}

Status h5_stored_bytes(const H5File *file, const char *name, int64_t *bytes)
{
    hid_t set;
    Status status = open_set(file, name, &set);
    if (status != STATUS_OK) return status;
    *bytes = (int64_t)H5Dget_storage_size(set);
    return h5_closed(file, status, H5Dclose(set), name);
}

/* "[3, any, 5]" */
static char *shape_text(int rank, const int64_t *dims, char *text, size_t size)
{
    size_t at = 0;
    text[0] = '\0';
    for (int i = 0; i < rank && at < size; i++) {
        const char *comma = i == 0 ? "" : ", ";
        int n = dims[i] < 0 ? snprintf(text + at, size - at, "%sany", comma)
                            : snprintf(text + at, size - at, "%s%" PRId64, comma, dims[i]);
        at += n > 0 ? (size_t)n : 0;
    }
    return text;
}

Status h5_expect(const H5File *file, const char *name, hid_t memory_type, int rank, const int64_t *dims)
{
    hid_t set;
    Status status = open_set(file, name, &set);
    if (status != STATUS_OK) return status;
    int have_rank = 0;
    int64_t have[RANK_MAX];
    status = dims_of(file, name, set, &have_rank, have);
    bool fits = have_rank == rank;
    for (int i = 0; i < rank && fits; i++) fits = dims[i] < 0 || dims[i] == have[i];
    if (status == STATUS_OK && !fits) {
        char text[128], wanted[128];
        status =
            status_fail(STATUS_DATA, "%s: %s has the shape [%s]; [%s] was wanted", file->path, name,
                        shape_text(have_rank, have, text, sizeof text), shape_text(rank, dims, wanted, sizeof wanted));
    }
    hid_t type = H5Dget_type(set);
    H5T_class_t class = type < 0 ? H5T_NO_CLASS : H5Tget_class(type), want = H5Tget_class(memory_type);
    if (status == STATUS_OK && class != want && !(want == H5T_FLOAT && class == H5T_INTEGER))
        status = status_fail(STATUS_DATA, "%s: %s holds no %s", file->path, name,
                             want == H5T_INTEGER ? "whole numbers" : "numbers");
    if (type >= 0) H5Tclose(type);
    if (status == STATUS_OK) status = h5_check_storage(file, name, set);
    return h5_closed(file, status, H5Dclose(set), name);
}

Status h5_plain_offset(const H5File *file, const char *name, hid_t memory_type, int64_t *offset)
{
    hid_t set;
    *offset = -1;
    Status status = open_set(file, name, &set);
    if (status != STATUS_OK) return status;
    hid_t creation = H5Dget_create_plist(set), type = H5Dget_type(set);
    bool plain = creation >= 0 && type >= 0 && H5Pget_layout(creation) == H5D_CONTIGUOUS &&
                 H5Pget_external_count(creation) == 0 && H5Tequal(type, memory_type) > 0;
    /* of data that were never written HDF5 may tell a place all the same */
    haddr_t at = plain && H5Dget_storage_size(set) > 0 ? H5Dget_offset(set) : HADDR_UNDEF;
    if (at != HADDR_UNDEF) *offset = (int64_t)at;
    if (type >= 0) H5Tclose(type);
    if (creation >= 0) H5Pclose(creation);
    return h5_closed(file, status, H5Dclose(set), name);
}

/* Rows of a dataset on their way: exactly one of into and from is not NULL. */
typedef struct {
    hid_t set, memory_type, transfer;
    int rank;
    int64_t dims[RANK_MAX], row_elements;
    void *into;
    const void *from;
} Rows;

/* One transfer of n_rows rows at byte `offset` of the memory; none are an empty selection. */
static Status move_piece(const H5File *file, const char *name, const Rows *rows, int64_t first, int64_t n_rows,
                         size_t offset)
{
    hsize_t start[RANK_MAX] = {(hsize_t)first}, count[RANK_MAX] = {(hsize_t)n_rows};
    for (int i = 1; i < rows->rank; i++) count[i] = (hsize_t)rows->dims[i];
    hsize_t elements = (hsize_t)(n_rows * rows->row_elements);
    hid_t in_file = H5Dget_space(rows->set), in_memory = H5Screate_simple(1, &elements, NULL);
    herr_t result = in_file < 0 || in_memory < 0 ? -1 : 0;
    if (result >= 0)
        result = n_rows > 0 ? H5Sselect_hyperslab(in_file, H5S_SELECT_SET, start, NULL, count, NULL)
                            : H5Sselect_none(in_file);
    if (result >= 0 && n_rows == 0) result = H5Sselect_none(in_memory);
    if (result >= 0)
        result = rows->into != NULL ? H5Dread(rows->set, rows->memory_type, in_memory, in_file, rows->transfer,
                                              (char *)rows->into + offset)
                                    : H5Dwrite(rows->set, rows->memory_type, in_memory, in_file, rows->transfer,
                                               (const char *)rows->from + offset);
    Status status = STATUS_OK;
    if (h5_struck(rows->into != NULL ? FAULT_H5_READ : FAULT_H5_WRITE) || result < 0)
        status = h5_fail(file, STATUS_IO, name, rows->into != NULL ? "cannot be read" : "cannot be written");
    if (in_file >= 0) H5Sclose(in_file);
    if (in_memory >= 0) H5Sclose(in_memory);
    return status;
}

/* Moves rows between set and memory, piece by piece. */
static Status move_rows(const H5File *file, const char *name, const Rows *rows, int64_t first, int64_t n_rows)
{
    size_t item = H5Tget_size(rows->memory_type);
    int64_t piece_rows = rows->row_elements > 0 ? PIECE_ELEMENTS / rows->row_elements : n_rows;
    if (piece_rows == 0)
        return status_fail(STATUS_DATA, "%s: %s: a row of %" PRId64 " elements is too large for one transfer",
                           file->path, name, rows->row_elements);
    Status status = STATUS_OK;
    for (int64_t done = 0; done < n_rows && status == STATUS_OK; done += piece_rows) {
        int64_t n = n_rows - done < piece_rows ? n_rows - done : piece_rows;
        status = move_piece(file, name, rows, first + done, n, (size_t)(done * rows->row_elements) * item);
    }
    return status;
}

/* Opens dataset name into rows->set, and checks that it has these rows. */
static Status open_rows(const H5File *file, const char *name, int64_t first, int64_t n_rows, Rows *rows)
{
    Status status = open_set(file, name, &rows->set);
    if (status != STATUS_OK) return status;
    int64_t elements = 1;
    status = dims_of(file, name, rows->set, &rows->rank, rows->dims);
    int64_t have = rows->rank == 0 ? 0 : rows->dims[0];
    for (int i = 1; i < rows->rank; i++) elements *= rows->dims[i];
    if (status == STATUS_OK && (rows->rank == 0 || first < 0 || n_rows < 0 || first > rows->dims[0] - n_rows))
        status = status_fail(STATUS_DATA, "%s: %s has %" PRId64 " row%s; rows %" PRId64 " to %" PRId64 " were wanted",
                             file->path, name, have, log_plural(have, "row"), first, first + n_rows - 1);
    if (status == STATUS_OK && elements != rows->row_elements)
        status = status_fail(STATUS_DATA, "%s: %s has rows of %" PRId64 " element%s; wanted: %" PRId64, file->path,
                             name, elements, log_plural(elements, "element"), rows->row_elements);
    return status;
}

static Status close_rows(const H5File *file, const char *name, Status status, const Rows *rows)
{
    return rows->set < 0 ? status : h5_closed(file, status, H5Dclose(rows->set), name);
}

static Status transfer_rows(const H5File *file, const char *name, int64_t first, int64_t n_rows, Rows *rows)
{
    if (n_rows == 0) return STATUS_OK;
    Status status = open_rows(file, name, first, n_rows, rows);
    if (status == STATUS_OK) status = move_rows(file, name, rows, first, n_rows);
    return close_rows(file, name, status, rows);
}

Status h5_read_rows(const H5File *file, const char *name, hid_t memory_type, int64_t first, int64_t n_rows,
                    int64_t row_elements, void *data)
{
    Rows rows = {.memory_type = memory_type, .transfer = H5P_DEFAULT, .row_elements = row_elements, .into = data};
    return transfer_rows(file, name, first, n_rows, &rows);
}

Status h5_write_rows(const H5File *file, const char *name, hid_t memory_type, int64_t first, int64_t n_rows,
                     int64_t row_elements, const void *data)
{
    Rows rows = {.memory_type = memory_type, .transfer = H5P_DEFAULT, .row_elements = row_elements, .from = data};
    return transfer_rows(file, name, first, n_rows, &rows);
}

Status h5_write_rows_together(const Comm *comm, const H5File *file, const char *name, hid_t memory_type, int64_t first,
                              int64_t n_rows, int64_t row_elements, const void *data)
{
    Rows rows = {.memory_type = memory_type, .row_elements = row_elements, .from = data};
    rows.transfer = H5Pcreate(H5P_DATASET_XFER);
    Status status = open_rows(file, name, first, n_rows, &rows);
    if (status == STATUS_OK && n_rows > PIECE_ELEMENTS / (row_elements > 0 ? row_elements : 1))
        status =
            status_fail(STATUS_BUG, "%s: %s: %" PRId64 " rows are too many for one transfer", file->path, name, n_rows);
    if (status == STATUS_OK && (rows.transfer < 0 || H5Pset_dxpl_mpio(rows.transfer, H5FD_MPIO_COLLECTIVE) < 0))
        status = h5_fail(file, STATUS_BUG, name, "cannot be prepared for a collective transfer");
    status = comm_agree(comm, status);
    if (status == STATUS_OK) status = move_piece(file, name, &rows, first, n_rows, 0);
    if (rows.transfer >= 0) H5Pclose(rows.transfer);
    return comm_agree(comm, close_rows(file, name, status, &rows));
}

Status h5_write_new(const H5File *file, const char *name, hid_t type, hid_t memory_type, int rank, const int64_t *dims,
                    const void *data)
{
    Status status = h5_create_dataset(file, name, type, rank, dims);
    if (status != STATUS_OK) return status;
    if (rank > 0) {
        int64_t elements = 1;
        for (int i = 1; i < rank; i++) elements *= dims[i];
        return h5_write_rows(file, name, memory_type, 0, elements == 0 ? 0 : dims[0], elements, data);
    }
    hid_t set;
    status = open_set(file, name, &set);
    if (status != STATUS_OK) return status;
    if (h5_struck(FAULT_H5_WRITE) || H5Dwrite(set, memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0)
        status = h5_fail(file, STATUS_IO, name, "cannot be written");
    return h5_closed(file, status, H5Dclose(set), name);
}

Status h5_read_all(const H5File *file, const char *name, hid_t memory_type, int64_t count, void *data)
{
    int rank = 0;
    int64_t dims[RANK_MAX], row = 1;
    Status status = h5_dims(file, name, &rank, dims);
    if (status != STATUS_OK) return status;
    for (int i = 1; i < rank; i++) row *= dims[i];
    int64_t have = rank == 0 ? 1 : dims[0] * row;
    if (have != count)
        return status_fail(STATUS_DATA, "%s: %s has %" PRId64 " element%s; wanted: %" PRId64, file->path, name, have,
                           log_plural(have, "element"), count);
    if (count == 0) return STATUS_OK;
    if (rank > 0) return h5_read_rows(file, name, memory_type, 0, dims[0], row, data);
    hid_t set;
    status = open_set(file, name, &set);
    if (status != STATUS_OK) return status;
    if (h5_struck(FAULT_H5_READ) || H5Dread(set, memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0)
        status = h5_fail(file, STATUS_IO, name, "cannot be read");
    return h5_closed(file, status, H5Dclose(set), name);
}

/* ---- strings ---- */

Status h5_write_strings(const H5File *file, const char *name, int64_t n, size_t width, const char *texts)
{
    hid_t type = H5Tcopy(H5T_C_S1);
    Status status = STATUS_OK;
    if (type < 0 || H5Tset_size(type, width) < 0 || H5Tset_cset(type, H5T_CSET_UTF8) < 0 ||
        H5Tset_strpad(type, H5T_STR_NULLPAD) < 0)
        status = h5_fail(file, STATUS_BUG, name, "has no string type");
    if (status == STATUS_OK) status = h5_write_new(file, name, type, type, 1, &n, texts);
    if (type >= 0) H5Tclose(type);
    return status;
}

/* Strings of variable length, read as pointers that HDF5 allocates; each goes to put(). */
static Status each_variable(const H5File *file, const char *name, hid_t set, hid_t type, int64_t n,
                            void (*put)(void *context, int64_t i, const char *text), void *context)
{
    char **texts = memory_new((size_t)n, sizeof *texts, "strings of a file"); /* [n] */
    if (texts == NULL) return STATUS_MEMORY;
    Status status = STATUS_OK;
    hid_t space = H5Dget_space(set);
    if (space < 0 || h5_struck(FAULT_H5_READ) || H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, texts) < 0)
        status = h5_fail(file, STATUS_IO, name, "cannot be read");
    for (int64_t i = 0; i < n && status == STATUS_OK; i++) put(context, i, texts[i] == NULL ? "" : texts[i]);
    if (space >= 0 && H5Dvlen_reclaim(type, space, H5P_DEFAULT, texts) < 0 && status == STATUS_OK)
        status = h5_fail(file, STATUS_IO, name, "cannot be freed");
    if (space >= 0) H5Sclose(space);
    memory_free(texts);
    return status;
}

/* Opens name as n strings, with the type in memory that reads them: the file's own kind and character set (HDF5 does
 * not convert between either), fixed ones with `width` bytes. */
static Status open_strings(const H5File *file, const char *name, int64_t n, size_t width, hid_t *set, hid_t *type,
                           bool *variable, size_t *file_width)
{
    *set = *type = H5I_INVALID_HID;
    Status status = open_set(file, name, set);
    if (status != STATUS_OK) return status;
    int rank = 0;
    int64_t dims[RANK_MAX];
    status = dims_of(file, name, *set, &rank, dims);
    if (status == STATUS_OK && (rank != 1 || dims[0] != n))
        status = status_fail(STATUS_DATA, "%s: %s is not a list of %" PRId64 " strings", file->path, name, n);
    if (status == STATUS_OK) status = h5_check_storage(file, name, *set);
    hid_t stored = status == STATUS_OK ? H5Dget_type(*set) : H5I_INVALID_HID;
    if (status == STATUS_OK && (stored < 0 || H5Tget_class(stored) != H5T_STRING))
        status = status_fail(STATUS_DATA, "%s: %s holds no strings", file->path, name);
    if (status == STATUS_OK) {
        *variable = H5Tis_variable_str(stored) > 0;
        *file_width = *variable ? 0 : H5Tget_size(stored);
        *type = H5Tcopy(H5T_C_S1);
        if (*type < 0 || H5Tset_cset(*type, H5Tget_cset(stored)) < 0 ||
            H5Tset_size(*type, *variable ? H5T_VARIABLE : width) < 0 || H5Tset_strpad(*type, H5T_STR_NULLTERM) < 0)
            status = h5_fail(file, STATUS_BUG, name, "has no string type");
    }
    if (stored >= 0) H5Tclose(stored);
    return status;
}

static Status close_strings(const H5File *file, const char *name, Status status, hid_t set, hid_t type)
{
    if (type >= 0) H5Tclose(type);
    return set >= 0 ? h5_closed(file, status, H5Dclose(set), name) : status;
}

typedef struct {
    char *texts;
    size_t width;
} Texts;

static void put_text(void *context, int64_t i, const char *text)
{
    Texts *into = context;
    char *at = into->texts + (size_t)i * into->width;
    size_t length = strnlen(text, into->width - 1);
    memcpy(at, text, length);
    memset(at + length, 0, into->width - length);
}

Status h5_read_strings(const H5File *file, const char *name, int64_t n, size_t width, char *texts)
{
    hid_t set, type;
    bool variable;
    size_t file_width;
    Status status = open_strings(file, name, n, width, &set, &type, &variable, &file_width);
    if (status == STATUS_OK && n > 0) {
        Texts into = {texts, width};
        if (variable)
            status = each_variable(file, name, set, type, n, put_text, &into);
        else if (h5_struck(FAULT_H5_READ) || H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, texts) < 0)
            status = h5_fail(file, STATUS_IO, name, "cannot be read");
    }
    return close_strings(file, name, status, set, type);
}

static void put_longest(void *context, int64_t i, const char *text)
{
    (void)i;
    size_t *longest = context, length = strlen(text);
    if (length > *longest) *longest = length;
}

Status h5_string_width(const H5File *file, const char *name, int64_t n, size_t *width)
{
    hid_t set, type;
    bool variable;
    size_t longest = 0;
    Status status = open_strings(file, name, n, 1, &set, &type, &variable, &longest);
    if (status == STATUS_OK && variable && n > 0)
        status = each_variable(file, name, set, type, n, put_longest, &longest);
    *width = longest + 1;
    return close_strings(file, name, status, set, type);
}
