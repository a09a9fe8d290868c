/* h5: HDF5 with every call checked.
 *
 * Every function is local unless it says collective, and turns HDF5's failure into a status with the file, the object
 * and HDF5's own reason. Two ways to open a file: serially (one rank, usually rank 0: for metadata and small tables)
 * and in parallel (all ranks, MPI-IO: for the large arrays, whose transfers are independent). Files are created
 * serially by rank 0 with their large datasets contiguous, allocated early and never filled: their metadata is whole
 * from then on, and later raw writes change none of it. One transfer stays below 2 GiB by itself.
 * Types in memory are the library's native ones: H5T_NATIVE_FLOAT and so on; in the file little-endian. */
#ifndef SEISDCN_H5_H
#define SEISDCN_H5_H

#include "seisdcn/comm.h"
#include "seisdcn/config.h"
#include "seisdcn/status.h"

#include <hdf5.h>
#include <stdbool.h>

typedef struct {
    hid_t id;         /* the file, H5I_INVALID_HID when closed */
    const char *path; /* for messages; owned by the caller, must outlive the file */
} H5File;

/* Silences HDF5's own printing of errors; call once after MPI starts. Local. */
void h5_open_library(void);

/* Creates path (an existing file is truncated) for one rank. Local. STATUS_IO. */
Status h5_create(const char *path, H5File *file);

/* The same with `head` bytes (0, or a power of two from 512) before HDF5's own, HDF5's "user block": the caller's to
 * fill once the file is closed. Every reader of HDF5 skips them. */
Status h5_create_behind(const char *path, int64_t head, H5File *file);

/* Opens path for one rank. Local. STATUS_IO where it is missing or unreadable, STATUS_DATA where it is no HDF5 file
 * or cut short. */
Status h5_open(const char *path, bool writable, H5File *file);

/* Opens path on all ranks with MPI-IO. Collective. A file that rank 0 could open serially just before is expected. */
Status h5_open_parallel(const Comm *comm, const char *path, bool writable, H5File *file);

/* Closes file; what could not be written is an error. Local for a serial file, collective for a parallel one (call
 * h5_close_parallel() there). A closed file is nothing. */
Status h5_close(H5File *file);
Status h5_close_parallel(const Comm *comm, H5File *file);

/* Whether an object or link exists under name ("/state_dict/_bnorm.weight"; each step is looked for). Local. */
bool h5_exists(const H5File *file, const char *name);

/* Creates a group; the groups above it must exist. Local. */
Status h5_create_group(const H5File *file, const char *name);

/* Copies object name (a dataset, or a group with all below it) with its attributes from one file to another, under the
 * same name, replacing what stands there; the groups above it must exist. Local. STATUS_IO. */
Status h5_copy(const H5File *from, const char *name, const H5File *to);

/* Creates dataset name with `rank` dimensions (0: a scalar), contiguous, allocated early, never filled, type as stored
 * (H5T_IEEE_F32LE ...). Local. */
Status h5_create_dataset(const H5File *file, const char *name, hid_t type, int rank, const int64_t *dims);

/* Creates dataset name and writes data (of type memory_type) into it. Local. */
Status h5_write_new(const H5File *file, const char *name, hid_t type, hid_t memory_type, int rank, const int64_t *dims,
                    const void *data);

/* Dimensions of dataset name: *rank (at most 4) and dims[0..*rank). Local. STATUS_DATA where it is missing, or
 * announces more than the file holds (never written, cut off, or virtual: its values lie in other files). */
Status h5_dims(const H5File *file, const char *name, int *rank, int64_t dims[4]);

/* Bytes that dataset name takes in the file. Local. STATUS_DATA where it is missing. */
Status h5_stored_bytes(const H5File *file, const char *name, int64_t *bytes);

/* Checks that dataset name exists with just these dimensions (-1 in dims: any), and that its values are numbers of the
 * class of memory_type, and that the file holds them (as h5_dims()). Local. STATUS_DATA. */
Status h5_expect(const H5File *file, const char *name, hid_t memory_type, int rank, const int64_t *dims);

/* Where the values of dataset name lie in the file, one after the other and just as memory_type has them: *offset in
 * bytes from the file's start, -1 where they lie otherwise (chunked, compressed, of another type, outside the file).
 * Local. STATUS_DATA where it is missing. */
Status h5_plain_offset(const H5File *file, const char *name, hid_t memory_type, int64_t *offset);

/* Reads a whole dataset of `count` elements into data. Local. STATUS_DATA where its size differs. */
Status h5_read_all(const H5File *file, const char *name, hid_t memory_type, int64_t count, void *data);

/* Reads or writes rows [first, first + n_rows) of dataset name (all of the other dimensions), rows of row_elements
 * elements, independently of the other ranks, in pieces below 2 GiB. Local, also on a parallel file. n_rows may be 0.
 */
Status h5_read_rows(const H5File *file, const char *name, hid_t memory_type, int64_t first, int64_t n_rows,
                    int64_t row_elements, void *data);
Status h5_write_rows(const H5File *file, const char *name, hid_t memory_type, int64_t first, int64_t n_rows,
                     int64_t row_elements, const void *data);

/* Writes rows of every rank (n_rows 0: none of this one) in one transfer that MPI-IO may gather and deal out anew;
 * n_rows * row_elements at most 2^27. Collective. STATUS_IO. */
Status h5_write_rows_together(const Comm *comm, const H5File *file, const char *name, hid_t memory_type, int64_t first,
                              int64_t n_rows, int64_t row_elements, const void *data);

/* A fixed-length UTF-8 string dataset [n] of width bytes each (texts: n * width bytes, zero padded). Local. */
Status h5_write_strings(const H5File *file, const char *name, int64_t n, size_t width, const char *texts);

/* Reads a string dataset [n], fixed or variable length, into texts: n * width bytes, cut where longer. Local. */
Status h5_read_strings(const H5File *file, const char *name, int64_t n, size_t width, char *texts);

/* The width in bytes that h5_read_strings() needs for whole strings, with a final zero; 1 or more. Local. */
Status h5_string_width(const H5File *file, const char *name, int64_t n, size_t *width);

/* Attributes of object ("/" for the root): one value each. A write replaces what was there; a number of the same type
 * in place, so that a kill meanwhile cannot hurt the file. Local.
 * Reads give STATUS_DATA where the attribute is missing, not one value, or of another kind. Integers also read a
 * float attribute that holds a whole number, and numbers of either kind read as double. */
Status h5_put_int(const H5File *file, const char *object, const char *name, int64_t value);
Status h5_put_uint(const H5File *file, const char *object, const char *name, uint64_t value);
Status h5_put_double(const H5File *file, const char *object, const char *name, double value);
Status h5_put_text(const H5File *file, const char *object, const char *name, const char *value);
bool h5_has(const H5File *file, const char *object, const char *name);
Status h5_get_int(const H5File *file, const char *object, const char *name, int64_t *value);
Status h5_get_uint(const H5File *file, const char *object, const char *name, uint64_t *value);
Status h5_get_double(const H5File *file, const char *object, const char *name, double *value);
/* The text goes into value (size bytes, always ended by a zero); both of HDF5's kinds of strings are read. */
Status h5_get_text(const H5File *file, const char *object, const char *name, char *value, size_t size);

/* Reads the root attribute `name`, a word of the configuration's key, into *value, which stays where the file has none.
 * Local. STATUS_DATA, STATUS_IO. */
Status h5_get_choice(const H5File *file, const char *name, ConfigKey key, int *value);

/* Any scalar attribute written as text (numbers with 9 digits), for listings. Local. */
Status h5_attribute_text(const H5File *file, const char *object, const char *name, char *text, size_t size);

/* Calls visit(name, context) for each attribute of object in the order of the names; stops at the first failure. Local.
 */
Status h5_each_attribute(const H5File *file, const char *object, Status (*visit)(const char *name, void *context),
                         void *context);

/* Checks the root attributes format (must be `format`) and version (must be 1 to newest): STATUS_DATA says what it is
 * instead, and that `what` ("a survey file") was wanted. *version is the file's; NULL: not asked for. Local. */
Status h5_check_format(const H5File *file, const char *format, const char *what, int64_t newest, int64_t *version);

/* Calls visit(name, context) for each link of group in the order of the names; stops at the first failure. Local. */
Status h5_each(const H5File *file, const char *group, Status (*visit)(const char *name, void *context), void *context);

#endif
