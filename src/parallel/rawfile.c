#include "seisdcn/rawfile.h"

#include "seisdcn/fault.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static const int64_t PIECE = (int64_t)1 << 30; /* MPI counts in int */

/* What MPI says about a failure. */
static Status fail(const RawFile *file, int code, const char *did)
{
    char reason[MPI_MAX_ERROR_STRING];
    int length = 0;
    if (MPI_Error_string(code, reason, &length) != MPI_SUCCESS) length = 0;
    return status_fail(STATUS_IO, "%s: %s (MPI: %.*s)", file->path, did, length, reason);
}

Status rawfile_open(const Comm *comm, const char *path, RawFile *file)
{
    *file = (RawFile){.comm = *comm, .path = path};
    Status status = STATUS_OK;
    if (fault_strikes(FAULT_OPEN) || access(path, W_OK) != 0)
        status = status_fail(STATUS_IO, "%s: cannot be opened for writing on rank %d: %s", path, comm->rank,
                             strerror(errno));
    status = comm_agree(comm, status);
    if (status != STATUS_OK) return status;
    int code = MPI_File_open(comm->mpi, path, MPI_MODE_WRONLY, MPI_INFO_NULL, &file->file);
    file->open = code == MPI_SUCCESS;
    if (!file->open) status = fail(file, code, "cannot be opened for writing");
    int64_t failed = !file->open;
    comm_sum(comm, &failed, 1);
    if (failed > 0 && failed < comm->size && !file->open) comm_abort(comm, status); /* the others cannot close it */
    return comm_agree(comm, status);
}

Status rawfile_write(RawFile *file, int64_t first, int64_t n, const void *bytes)
{
    for (int64_t done = 0; done < n; done += PIECE) {
        int piece = (int)(n - done < PIECE ? n - done : PIECE), written = 0;
        MPI_Status about;
        int code = MPI_File_write_at(file->file, first + done, (const char *)bytes + done, piece, MPI_BYTE, &about);
        if (code == MPI_SUCCESS && fault_strikes(FAULT_WRITE)) code = MPI_ERR_IO;
        if (code == MPI_SUCCESS) MPI_Get_count(&about, MPI_BYTE, &written);
        if (code != MPI_SUCCESS) return fail(file, code, "cannot be written");
        if (written != piece)
            return status_fail(STATUS_IO, "%s: only %d of %d bytes could be written", file->path, written, piece);
    }
    return STATUS_OK;
}

Status rawfile_close(RawFile *file, bool sync)
{
    if (!file->open) return STATUS_OK; /* alike on all ranks */
    Status status = STATUS_OK;
    int code = sync ? MPI_File_sync(file->file) : MPI_SUCCESS;
    if (code == MPI_SUCCESS && sync && fault_strikes(FAULT_FSYNC)) code = MPI_ERR_IO;
    if (code != MPI_SUCCESS) status = fail(file, code, "cannot be written to the disk");
    code = MPI_File_close(&file->file);
    if (code == MPI_SUCCESS && fault_strikes(FAULT_CLOSE)) code = MPI_ERR_IO;
    if (status == STATUS_OK && code != MPI_SUCCESS) status = fail(file, code, "cannot be closed");
    file->open = false;
    return comm_agree(&file->comm, status);
}
