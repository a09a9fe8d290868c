/* rawfile: bytes of an existing file, written by all ranks with MPI-IO, as HDF5 writes its data: each rank by itself,
 * where it likes. MPI keeps the writes of ranks on several hosts apart where they touch the same block of the file. */
#ifndef SEISDCN_RAWFILE_H
#define SEISDCN_RAWFILE_H

#include "seisdcn/comm.h"
#include "seisdcn/status.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    Comm comm;
    MPI_File file;
    const char *path; /* the caller's */
    bool open;
} RawFile;

/* Opens the file at path for writing; path stays the caller's. Collective. STATUS_IO. */
Status rawfile_open(const Comm *comm, const char *path, RawFile *file);

/* Writes n bytes at byte `first`, any number of them. Local. STATUS_IO. */
Status rawfile_write(RawFile *file, int64_t first, int64_t n, const void *bytes);

/* Waits until what all ranks wrote is on the disk (unless sync is false), and closes the file; one that is not open is
 * nothing. Collective. STATUS_IO. */
Status rawfile_close(RawFile *file, bool sync);

#endif
