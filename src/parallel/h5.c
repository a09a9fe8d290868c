#include "seisdcn/h5.h"

#include "h5_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { REASON_MAX = 400, NAME_MAX_BYTES = 1024 };

void h5_open_library(void) { H5Eset_auto2(H5E_DEFAULT, NULL, NULL); }

/* ---- what HDF5 says about a failure ---- */

static herr_t take_innermost(unsigned n, const H5E_error2_t *record, void *context)
{
    if (n == 0 && record->desc != NULL) snprintf(context, REASON_MAX, "%s", record->desc);
    return 0;
}

/* The innermost record of HDF5's error stack: the call that really failed (walking upward starts there). */
static void find_reason(char reason[REASON_MAX])
{
    reason[0] = '\0';
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_innermost, reason);
}

Status h5_fail(const H5File *file, Status code, const char *object, const char *did)
{
    char reason[REASON_MAX];
    find_reason(reason);
    /* a file that the system cannot read is no fault of its content */
    if (code == STATUS_DATA && strstr(reason, "errno = ") != NULL) code = STATUS_IO;
    const char *space = object[0] == '\0' ? "" : " ";
    if (reason[0] == '\0') return status_fail(code, "%s: %s%s%s", file->path, object, space, did);
    return status_fail(code, "%s: %s%s%s (HDF5: %s)", file->path, object, space, did, reason);
}

#ifdef SEISDCN_FAULTS
bool h5_struck(FaultSite site)
{
    if (!fault_strikes(site)) return false;
    H5Eclear2(H5E_DEFAULT);
    H5Epush2(H5E_DEFAULT, __FILE__, __func__, __LINE__, H5E_ERR_CLS, H5E_IO, H5E_READERROR,
             "errno = %d, error message = '%s'", errno, strerror(errno));
    return true;
}
#endif

Status h5_closed(const H5File *file, Status status, herr_t result, const char *object)
{
    if (status != STATUS_OK || result >= 0) return status;
    return h5_fail(file, STATUS_IO, object, "cannot be closed");
}

/* ---- opening and closing ---- */

/* How every file is accessed: superblocks that leave no "open for write" mark behind a kill, and locks only where the
 * file system has them. */
static hid_t new_access(void)
{
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    if (access < 0) return access;
    bool good = H5Pset_libver_bounds(access, H5F_LIBVER_EARLIEST, H5F_LIBVER_V18) >= 0;
#if H5_VERSION_GE(1, 10, 7)
    good = good && H5Pset_file_locking(access, true, true) >= 0;
#endif
    if (good) return access;
    H5Pclose(access);
    return H5I_INVALID_HID;
}

Status h5_create(const char *path, H5File *file) { return h5_create_behind(path, 0, file); }

Status h5_create_behind(const char *path, int64_t head, H5File *file)
{
    *file = (H5File){.id = H5I_INVALID_HID, .path = path};
    /* The system's own word is clearer than HDF5's; the file stays empty until HDF5 takes it. */
    int descriptor = fault_strikes(FAULT_OPEN) ? -1 : open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (descriptor < 0) return status_fail(STATUS_IO, "%s: cannot be created: %s", path, strerror(errno));
    close(descriptor);
    hid_t access = new_access(), creation = H5Pcreate(H5P_FILE_CREATE);
    Status status = STATUS_OK;
    if (access < 0 || creation < 0 || H5Pset_obj_track_times(creation, false) < 0 ||
        H5Pset_userblock(creation, (hsize_t)head) < 0)
        status = h5_fail(file, STATUS_BUG, "", "cannot be prepared");
    if (status == STATUS_OK) {
        file->id = h5_struck(FAULT_H5_OPEN) ? -1 : H5Fcreate(path, H5F_ACC_TRUNC, creation, access);
        if (file->id < 0) status = h5_fail(file, STATUS_IO, "", "cannot be created");
    }
    if (access >= 0) H5Pclose(access);
    if (creation >= 0) H5Pclose(creation);
    if (status != STATUS_OK) unlink(path); /* it is empty, and nobody else will remove it */
    return status;
}

/* What the file system alone can say about path. */
static Status check_path(const char *path, bool writable)
{
    struct stat about;
    if (stat(path, &about) != 0) return status_fail(STATUS_IO, "%s: %s", path, strerror(errno));
    if (S_ISDIR(about.st_mode)) return status_fail(STATUS_IO, "%s: is a folder; an HDF5 file was wanted", path);
    int flags = (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NONBLOCK;
    int descriptor = fault_strikes(FAULT_OPEN) ? -1 : open(path, flags);
    if (descriptor < 0)
        return status_fail(STATUS_IO, "%s: cannot be opened for %s: %s", path, writable ? "writing" : "reading",
                           strerror(errno));
    close(descriptor);
    if (!S_ISREG(about.st_mode)) return status_fail(STATUS_IO, "%s: is not a regular file", path);
    if (about.st_size == 0) return status_fail(STATUS_DATA, "%s: is empty; an HDF5 file was wanted", path);
    return STATUS_OK;
}

/* Turns HDF5's refusal to open a readable file into a clear message. */
static Status fail_open(const H5File *file)
{
    char reason[REASON_MAX];
    find_reason(reason);
    long long have, want;
    if (sscanf(reason, "truncated file: eof = %lld, sblock->base_addr = %*d, stored_eof = %lld", &have, &want) == 2)
        return status_fail(STATUS_DATA, "%s: is cut short: it has %lld bytes of %lld; copy or make it again",
                           file->path, have, want);
    if (strstr(reason, "truncated") != NULL)
        return status_fail(STATUS_DATA, "%s: is cut short (HDF5: %s); copy or make it again", file->path, reason);
    if (strstr(reason, "exceeds high bound") != NULL)
        return status_fail(STATUS_DATA,
                           "%s: is of a newer kind of HDF5 file than this program reads (HDF5: %s); copy what it holds "
                           "into one that h5py.File makes by default",
                           file->path, reason);
    if (strstr(reason, "lock file") != NULL)
        return status_fail(STATUS_IO,
                           "%s: cannot be locked (HDF5: %s); another program has it open, or the file system has no "
                           "locks: then set HDF5_USE_FILE_LOCKING=FALSE",
                           file->path, reason);
    if (strstr(reason, "errno = ") != NULL || strstr(reason, "MPI_File") != NULL)
        return status_fail(STATUS_IO, "%s: cannot be opened (HDF5: %s)", file->path, reason);
    return status_fail(STATUS_DATA, "%s: cannot be opened as an HDF5 file (HDF5: %s); it is damaged", file->path,
                       reason);
}

Status h5_open(const char *path, bool writable, H5File *file)
{
    *file = (H5File){.id = H5I_INVALID_HID, .path = path};
    Status status = check_path(path, writable);
    if (status != STATUS_OK) return status;
    htri_t is_hdf5 = H5Fis_hdf5(path);
    if (is_hdf5 == 0) return status_fail(STATUS_DATA, "%s: is not an HDF5 file", path);
    if (is_hdf5 < 0) return fail_open(file);
    hid_t access = new_access();
    if (access < 0) return h5_fail(file, STATUS_BUG, "", "cannot be prepared");
    if (!h5_struck(FAULT_H5_OPEN)) file->id = H5Fopen(path, writable ? H5F_ACC_RDWR : H5F_ACC_RDONLY, access);
    if (file->id < 0) status = fail_open(file);
    H5Pclose(access);
    return status;
}

/* A collective HDF5 call that failed on some ranks only leaves nothing to agree with. */
static Status agree_in_collective(const Comm *comm, Status mine)
{
    int64_t failed = mine != STATUS_OK;
    comm_sum(comm, &failed, 1);
    if (failed > 0 && failed < comm->size && mine != STATUS_OK) comm_abort(comm, mine);
    return comm_agree(comm, mine);
}

Status h5_open_parallel(const Comm *comm, const char *path, bool writable, H5File *file)
{
    *file = (H5File){.id = H5I_INVALID_HID, .path = path};
    Status status = check_path(path, writable);
    if (status != STATUS_OK && comm->rank != 0) {
        char host[MPI_MAX_PROCESSOR_NAME];
        int length;
        MPI_Get_processor_name(host, &length);
        status = status_prefix(status, "on %s, rank %d", host, comm->rank);
    }
    hid_t access = status == STATUS_OK ? new_access() : H5I_INVALID_HID;
    if (status == STATUS_OK && access < 0) status = h5_fail(file, STATUS_BUG, "", "cannot be prepared");
    status = comm_agree(comm, status);
    /* collective like the opening itself: it makes a communicator of its own, which closing access gives back */
    if (status == STATUS_OK && H5Pset_fapl_mpio(access, comm->mpi, MPI_INFO_NULL) < 0)
        comm_abort(comm, h5_fail(file, STATUS_BUG, "", "cannot be prepared for MPI-IO"));
    if (status == STATUS_OK) {
        file->id = H5Fopen(path, writable ? H5F_ACC_RDWR : H5F_ACC_RDONLY, access);
        if (h5_struck(FAULT_H5_JOIN) || file->id < 0) status = fail_open(file);
        status = agree_in_collective(comm, status);
    }
    if (access >= 0) H5Pclose(access);
    return status;
}

Status h5_close(H5File *file)
{
    if (file->id <= 0) return STATUS_OK;
    Status status = STATUS_OK;
    bool closed = H5Fclose(file->id) >= 0;
    if (h5_struck(FAULT_H5_CLOSE) || !closed) status = h5_fail(file, STATUS_IO, "", "cannot be written to its end");
    file->id = H5I_INVALID_HID;
    return status;
}

Status h5_close_parallel(const Comm *comm, H5File *file)
{
    if (file->id <= 0) return STATUS_OK; /* alike on all ranks: it was opened on all or on none */
    return comm_agree(comm, h5_close(file));
}

/* ---- links and groups ---- */

bool h5_exists(const H5File *file, const char *name)
{
    char path[NAME_MAX_BYTES];
    size_t length = strlen(name);
    if (length == 0 || length >= sizeof path) return false;
    /* HDF5 asks for each step: a missing one above is an error, not an answer. */
    for (size_t at = 1; at <= length; at++) {
        if (at < length && name[at] != '/') continue;
        if (name[at - 1] == '/') continue;
        memcpy(path, name, at);
        path[at] = '\0';
        if (H5Lexists(file->id, path, H5P_DEFAULT) <= 0) return false;
    }
    return true;
}

Status h5_create_group(const H5File *file, const char *name)
{
    hid_t creation = H5Pcreate(H5P_GROUP_CREATE), group = H5I_INVALID_HID;
    if (creation >= 0 && H5Pset_obj_track_times(creation, false) >= 0)
        group = h5_struck(FAULT_H5_WRITE) ? -1 : H5Gcreate2(file->id, name, H5P_DEFAULT, creation, H5P_DEFAULT);
    Status status = STATUS_OK;
    if (group < 0)
        status = h5_fail(file, STATUS_IO, name, "cannot be created");
    else
        status = h5_closed(file, status, H5Gclose(group), name);
    if (creation >= 0) H5Pclose(creation);
    return status;
}

Status h5_copy(const H5File *from, const char *name, const H5File *to)
{
    if (h5_exists(to, name) && H5Ldelete(to->id, name, H5P_DEFAULT) < 0)
        return h5_fail(to, STATUS_IO, name, "cannot be replaced");
    if (h5_struck(FAULT_H5_WRITE) || H5Ocopy(from->id, name, to->id, name, H5P_DEFAULT, H5P_DEFAULT) < 0)
        return status_prefix(h5_fail(to, STATUS_IO, name, "cannot be copied"), "from %s", from->path);
    return STATUS_OK;
}

Status h5_each(const H5File *file, const char *group, Status (*visit)(const char *name, void *context), void *context)
{
    hid_t id = H5Gopen2(file->id, group, H5P_DEFAULT);
    if (id < 0) return h5_fail(file, STATUS_DATA, group, "is missing or not a group");
    H5G_info_t about;
    Status status = STATUS_OK;
    if (H5Gget_info(id, &about) < 0) {
        status = h5_fail(file, STATUS_DATA, group, "cannot be read");
        about.nlinks = 0;
    }
    char name[NAME_MAX_BYTES];
    for (hsize_t i = 0; i < about.nlinks && status == STATUS_OK; i++) {
        ssize_t length = H5Lget_name_by_idx(id, ".", H5_INDEX_NAME, H5_ITER_INC, i, name, sizeof name, H5P_DEFAULT);
        if (length < 0 || length >= (ssize_t)sizeof name)
            status = h5_fail(file, STATUS_DATA, group, "has a name that cannot be read");
        else
            status = visit(name, context);
    }
    return h5_closed(file, status, H5Gclose(id), group);
}
