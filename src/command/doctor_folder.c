/* What doctor tries in a folder: locks, and a file that is written and read as surveys are. */
#include "doctor.h"

#include "seisdcn/checksum.h"
#include "seisdcn/files.h"
#include "seisdcn/h5.h"
#include "seisdcn/log.h"
#include "seisdcn/memory.h"
#include "seisdcn/timer.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

/* ---- the file system ---- */

static const struct {
    uint32_t magic;
    const char *name;
} systems[] = {
    {0x0000ef53, "ext4"},     {0x58465342, "xfs"},  {0x9123683e, "btrfs"},   {0x2fc12fc1, "zfs"},
    {0x01021994, "tmpfs"},    {0x00006969, "nfs"},  {0x0bd00bd0, "lustre"},  {0x47504653, "gpfs"},
    {0x19830326, "beegfs"},   {0x00c36400, "ceph"}, {0x794c7630, "overlay"}, {0x65735546, "fuse"},
    {0x6a656a63, "virtiofs"},
};

static void show_system(const char *folder)
{
    struct statfs about;
    char bytes[32];
    if (statfs(folder, &about) != 0) return; /* the trials will say why */
    char other[32];
    snprintf(other, sizeof other, "type %08" PRIx32, (uint32_t)about.f_type);
    const char *name = other;
    for (size_t i = 0; i < sizeof systems / sizeof *systems; i++)
        if (systems[i].magic == (uint32_t)about.f_type) name = systems[i].name;
    doctor_line("folder", "%s (%s), %s free", folder, name,
                log_bytes((double)about.f_bavail * (double)about.f_bsize, bytes));
}

/* ---- locks ---- */

typedef enum { LOCKS_FCNTL, LOCKS_FLOCK, LOCKS } LockKind;

/* Takes a lock on the whole file; 0, or the reason (errno) why not. */
static int take_lock(int descriptor, LockKind kind)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int result = kind == LOCKS_FCNTL ? fcntl(descriptor, F_SETLK, &whole) : flock(descriptor, LOCK_EX | LOCK_NB);
    return result == 0 ? 0 : errno;
}

/* Rank 0 takes each kind of lock; the last rank, on another host where there are several, must find the file taken. */
static void try_locks(const Comm *comm, int descriptor, int reason[LOCKS], bool excludes[LOCKS])
{
    int last = comm->size - 1;
    for (int kind = 0; kind < LOCKS; kind++) {
        int other = 0;
        if (comm->rank == 0) reason[kind] = take_lock(descriptor, (LockKind)kind);
        MPI_Barrier(comm->mpi);
        if (comm->rank == last && last > 0) other = take_lock(descriptor, (LockKind)kind);
        MPI_Bcast(&other, 1, MPI_INT, last, comm->mpi);
        excludes[kind] = other == EAGAIN || other == EACCES || other == EWOULDBLOCK;
        if (comm->rank == 0 || comm->rank == last) { /* neither is in the way of the next kind */
            struct flock whole = {.l_type = F_UNLCK, .l_whence = SEEK_SET};
            fcntl(descriptor, F_SETLK, &whole);
            flock(descriptor, LOCK_UN);
        }
        MPI_Barrier(comm->mpi);
    }
}

static void show_locks(const Comm *comm, const int reason[LOCKS], const bool excludes[LOCKS])
{
    static const char *const names[LOCKS] = {"fcntl locks", "flock locks"};
    for (int kind = 0; kind < LOCKS; kind++)
        if (reason[kind] != 0)
            doctor_line(names[kind], "REFUSED: %s", strerror(reason[kind]));
        else if (comm->size == 1)
            doctor_line(names[kind], "are given (more ranks would show whether they hold)");
        else if (excludes[kind])
            doctor_line(names[kind], "hold: rank %d finds taken what rank 0 took", comm->size - 1);
        else
            doctor_line(names[kind], "DO NOT HOLD: rank %d takes what rank 0 has", comm->size - 1);
    const char *hdf5 = getenv("HDF5_USE_FILE_LOCKING"), *mpi = getenv("OMPI_MCA_fs_ufs_lock_algorithm");
    doctor_line("HDF5's locks", "HDF5_USE_FILE_LOCKING is %s%s", hdf5 == NULL ? "not set" : hdf5,
                hdf5 == NULL ? ": files are locked where the file system can" : "");
    doctor_line("MPI-IO's locks", "OMPI_MCA_fs_ufs_lock_algorithm is %s", mpi == NULL ? "not set" : mpi);
}

Status doctor_locks(const Comm *comm, const char *folder, const char *path, bool *locks_hold)
{
    int reason[LOCKS] = {0}, descriptor = -1;
    bool excludes[LOCKS] = {false};
    Status status = STATUS_OK;
    if (comm->rank == 0) {
        show_system(folder);
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
        if (descriptor < 0) status = status_fail(STATUS_IO, "%s: cannot be created: %s", path, strerror(errno));
    }
    status = comm_agree(comm, status);
    if (status == STATUS_OK && comm->rank > 0) {
        descriptor = open(path, O_RDWR | O_CLOEXEC);
        if (descriptor < 0)
            status = status_fail(STATUS_IO,
                                 "%s: rank %d cannot open what rank 0 has made: %s; is it the same file system "
                                 "on every host?",
                                 path, comm->rank, strerror(errno));
    }
    if (status == STATUS_OK) status = comm_agree(comm, status);
    if (status == STATUS_OK) {
        try_locks(comm, descriptor, reason, excludes);
        if (comm->rank == 0) show_locks(comm, reason, excludes);
        for (int kind = 0; kind < LOCKS; kind++)
            if (reason[kind] != 0 || (comm->size > 1 && !excludes[kind])) *locks_hold = false;
    }
    if (descriptor >= 0) close(descriptor);
    if (comm->rank == 0) unlink(path);
    return status;
}

/* ---- writing and reading ---- */

enum { FOLD = 61, SAMPLES = 1501, ITEMS = FOLD * SAMPLES }; /* of a gather: no block of any disk ends where one does */

/* Gather g's samples: whole numbers that differ from gather to gather. */
static void fill_gather(int64_t g, float *amplitude)
{
    for (int64_t i = 0; i < ITEMS; i++) amplitude[i] = (float)((g * 7919 + i * 31) % 65521 - 32760);
}

static Status lay_out(const char *path, int64_t n_gathers)
{
    H5File file;
    Status status = files_check_space(path, (double)n_gathers * ITEMS * sizeof(float));
    if (status == STATUS_OK) status = h5_create(path, &file);
    if (status != STATUS_OK) return status;
    status = h5_create_dataset(&file, "/amplitude", H5T_IEEE_F32LE, 2, (int64_t[]){n_gathers * FOLD, SAMPLES});
    if (status == STATUS_OK) status = h5_create_dataset(&file, "/checksum", H5T_STD_U64LE, 1, &n_gathers);
    Status closed = h5_close(&file);
    return status != STATUS_OK ? status : closed;
}

/* Gathers are dealt in turn: neighbours in the file are never of one rank. */
static Status write_alone(const Comm *comm, const H5File *file, int64_t n_gathers, float *amplitude)
{
    Status status = STATUS_OK;
    for (int64_t g = comm->rank; status == STATUS_OK && g < n_gathers; g += comm->size) {
        fill_gather(g, amplitude);
        uint64_t checksum = checksum_bytes(amplitude, ITEMS * sizeof *amplitude);
        status = h5_write_rows(file, "/amplitude", H5T_NATIVE_FLOAT, g * FOLD, FOLD, SAMPLES, amplitude);
        if (status == STATUS_OK) status = h5_write_rows(file, "/checksum", H5T_NATIVE_UINT64, g, 1, 1, &checksum);
    }
    return comm_agree(comm, status);
}

static Status write_together(const Comm *comm, const H5File *file, int64_t n_gathers, float *amplitude)
{
    Status status = STATUS_OK;
    for (int64_t round = 0; status == STATUS_OK && round < n_gathers; round += comm->size) {
        int64_t g = round + comm->rank, n = g < n_gathers ? 1 : 0;
        if (n == 0) g = 0;
        fill_gather(g, amplitude);
        uint64_t checksum = checksum_bytes(amplitude, ITEMS * sizeof *amplitude);
        status =
            h5_write_rows_together(comm, file, "/amplitude", H5T_NATIVE_FLOAT, g * FOLD, n * FOLD, SAMPLES, amplitude);
        if (status == STATUS_OK)
            status = h5_write_rows_together(comm, file, "/checksum", H5T_NATIVE_UINT64, g, n, 1, &checksum);
    }
    return status;
}

/* Each rank reads what the rank after it wrote. */
static Status read_back(const Comm *comm, const H5File *file, int64_t n_gathers, float *amplitude)
{
    Status status = STATUS_OK;
    int writer = (comm->rank + 1) % comm->size;
    for (int64_t g = writer; status == STATUS_OK && g < n_gathers; g += comm->size) {
        uint64_t checksum = 0;
        fill_gather(g, amplitude);
        uint64_t wanted = checksum_bytes(amplitude, ITEMS * sizeof *amplitude);
        memset(amplitude, 0, ITEMS * sizeof *amplitude);
        status = h5_read_rows(file, "/checksum", H5T_NATIVE_UINT64, g, 1, 1, &checksum);
        if (status == STATUS_OK)
            status = h5_read_rows(file, "/amplitude", H5T_NATIVE_FLOAT, g * FOLD, FOLD, SAMPLES, amplitude);
        if (status == STATUS_OK &&
            (checksum != wanted || checksum_bytes(amplitude, ITEMS * sizeof *amplitude) != wanted))
            status =
                status_fail(STATUS_IO,
                            "%s: what rank %d wrote as gather %" PRId64 " reads otherwise on rank %d: MPI-IO or the "
                            "file system spoils data; try OMPI_MCA_fs_ufs_lock_algorithm=2, or OMPI_MCA_io=romio321",
                            file->path, writer, g, comm->rank);
    }
    return comm_agree(comm, status);
}

/* Waits until the file is on the disk, and asks the system not to keep it in memory, where reading would find it. */
static Status settle(const Comm *comm, const char *path)
{
    Status status = STATUS_OK;
    int descriptor = open(path, O_RDWR | O_CLOEXEC);
    if (descriptor < 0 || (fsync(descriptor) != 0 && errno != EINVAL && errno != ENOTSUP))
        status = status_fail(STATUS_IO, "%s: cannot be written to the disk: %s", path, strerror(errno));
    if (descriptor >= 0) {
        posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED);
        close(descriptor);
    }
    return comm_agree(comm, status);
}

static Status write_file(const Comm *comm, const char *path, int64_t n_gathers, bool together, float *amplitude)
{
    H5File file;
    Status status = comm_agree(comm, comm->rank == 0 ? lay_out(path, n_gathers) : STATUS_OK);
    if (status == STATUS_OK) status = h5_open_parallel(comm, path, true, &file);
    if (status != STATUS_OK) return status;
    status =
        together ? write_together(comm, &file, n_gathers, amplitude) : write_alone(comm, &file, n_gathers, amplitude);
    Status closed = h5_close_parallel(comm, &file);
    if (status == STATUS_OK) status = closed;
    return status == STATUS_OK ? settle(comm, path) : status;
}

Status doctor_trial(const Comm *comm, const char *path, double bytes_a_rank, bool together, DoctorTrial *trial)
{
    double gather_bytes = (double)ITEMS * sizeof(float);
    int64_t n_gathers = (int64_t)ceil(bytes_a_rank * comm->size / gather_bytes);
    trial->bytes = (double)n_gathers * gather_bytes;
    float *amplitude = memory_new(ITEMS, sizeof *amplitude, "a gather"); /* [FOLD][SAMPLES] */
    Status status = comm_agree(comm, amplitude == NULL ? STATUS_MEMORY : STATUS_OK);
    double start = timer_now();
    if (status == STATUS_OK) status = write_file(comm, path, n_gathers, together, amplitude);
    double middle = timer_now();
    if (status == STATUS_OK) {
        H5File file;
        status = h5_open_parallel(comm, path, false, &file);
        if (status == STATUS_OK) {
            status = read_back(comm, &file, n_gathers, amplitude);
            Status closed = h5_close_parallel(comm, &file);
            if (status == STATUS_OK) status = closed;
        }
    }
    trial->write_seconds = middle - start;
    trial->read_seconds = timer_now() - middle;
    memory_free(amplitude);
    return status;
}
