"""doctor: what it says, that it leaves nothing behind, and that it finds what is wrong: a folder that cannot be written, a
disk that is full, bytes that come back otherwise, processes that MPI did not join."""
import os
import subprocess

import tap

# Loaded before the C library: one bit of each large write to a file is another one than was given.
SPOIL = r"""
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static ssize_t spoilt(int file, const struct iovec *parts, int n, off_t at, int positioned)
{
    size_t bytes = 0;
    for (int i = 0; i < n; i++) bytes += parts[i].iov_len;
    char *copy = malloc(bytes + 1);
    size_t filled = 0;
    for (int i = 0; i < n; i++) {
        memcpy(copy + filled, parts[i].iov_base, parts[i].iov_len);
        filled += parts[i].iov_len;
    }
    if (bytes > 100000) copy[bytes / 2] ^= 1;
    ssize_t result = positioned ? syscall(SYS_pwrite64, file, copy, bytes, at) : syscall(SYS_write, file, copy, bytes);
    free(copy);
    return result;
}

ssize_t write(int file, const void *from, size_t bytes)
{
    return spoilt(file, &(struct iovec){(void *)from, bytes}, 1, 0, 0);
}
ssize_t pwrite(int file, const void *from, size_t bytes, off_t at)
{
    return spoilt(file, &(struct iovec){(void *)from, bytes}, 1, at, 1);
}
ssize_t pwrite64(int file, const void *from, size_t bytes, off_t at) { return pwrite(file, from, bytes, at); }
ssize_t writev(int file, const struct iovec *parts, int n) { return spoilt(file, parts, n, 0, 0); }
ssize_t pwritev(int file, const struct iovec *parts, int n, off_t at) { return spoilt(file, parts, n, at, 1); }
ssize_t pwritev64(int file, const struct iovec *parts, int n, off_t at) { return spoilt(file, parts, n, at, 1); }
"""
LINES = ["launcher", "hosts", "memory a rank", "MPI", "HDF5", "OpenBLAS", "instruction set", "gnuplot", "folder",
         "fcntl locks", "flock locks", "HDF5's locks", "MPI-IO's locks", "written alone", "written together", "verdict"]


def table(result):
    """What stands behind each label."""
    rows = {}
    for line in result.out.splitlines()[1:]:
        if line.startswith("  ") and line[2:3] != " ":
            rows[line[2:21].strip()] = line[21:].strip()
    return rows


def healthy(folder):
    for ranks in (0, 1, 3, 7):
        on = "on %d ranks" % ranks if ranks else "alone"
        place = os.path.join(folder, "healthy%d" % ranks)
        os.makedirs(place)
        result = tap.run("doctor", "--dir", place, "--size", "2", ranks=ranks)
        rows = table(result)
        tap.ok(result.status == 0 and list(rows) == LINES and rows["verdict"] == "all is well"
               and ("mpirun" in rows["launcher"]) == (ranks > 0) and "every checksum matches" in rows["written alone"]
               and "every checksum matches" in rows["written together"] and "parallel" in rows["HDF5"]
               and place in rows["folder"] and "is 3" in rows["MPI-IO's locks"], "the whole table, " + on, result)
        tap.ok(os.listdir(place) == [], "nothing is left, " + on, os.listdir(place))
        if ranks > 1:
            tap.ok("%d ranks (0-%d)" % (ranks, ranks - 1) in result.out and "hold: rank %d" % (ranks - 1) in
                   rows["fcntl locks"], "hosts with their ranks, and locks between them, " + on, result)
    env = {"SEISDCN_ISA": "portable", "OMPI_MCA_fs_ufs_lock_algorithm": "1", "HDF5_USE_FILE_LOCKING": "FALSE"}
    result = tap.run("doctor", "--dir", folder, "--size", "1", ranks=2, env=env)
    rows = table(result)
    tap.ok(result.status == 0 and "all use portable" in rows["instruction set"] and "is 1" in rows["MPI-IO's locks"]
           and "is FALSE" in rows["HDF5's locks"], "the user's own settings stand and are shown", result)


def bad_folders(folder):
    result = tap.run("doctor", "--dir", os.path.join(folder, "nowhere"), ranks=3)
    tap.refused(result, 5, "nowhere", "a missing folder")
    tap.ok(table(result).get("verdict", "").startswith("NOT FIT"), "the verdict says so", result)
    path = os.path.join(folder, "file")
    with open(path, "w"):
        pass
    tap.refused(tap.run("doctor", "--dir", path, ranks=3), 5, "not a folder", "a file in the place of a folder")
    tap.refused(tap.run("doctor", "--size", "0"), 2, "--size", "a size of nothing")
    small = os.path.join(folder, "small")
    os.makedirs(small)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "none", small], capture_output=True, text=True)
    if mounted.returncode != 0:
        tap.skip("a disk that is full", "only root can mount a small file system")
        return
    try:
        tap.refused(tap.run("doctor", "--dir", small, "--size", "4", ranks=3), 5, small, "a disk that is full")
        tap.ok(os.listdir(small) == [], "nothing is left there", os.listdir(small))
    finally:
        subprocess.run(["umount", small], check=True)


def processes_that_mpi_did_not_join(folder):
    step = {"SLURM_JOB_ID": "1", "SLURM_JOB_NUM_NODES": "2", "SLURM_STEP_ID": "0", "SLURM_STEP_NUM_TASKS": "4"}
    result = tap.run("doctor", "--dir", folder, env=step)
    tap.refused(result, 2, "srun --mpi=pmix", "a step of four processes of which MPI knows one")


def spoilt_writes(folder):
    source, library, place = [os.path.join(folder, name) for name in ("spoil.c", "spoil.so", "spoilt")]
    os.makedirs(place)
    with open(source, "w") as file:
        file.write(SPOIL)
    built = tap.command(["cc", "-shared", "-fPIC", "-O1", "-o", library, source])
    if not tap.ok(built.status == 0, "a library that spoils writes", built):
        return
    options = os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"
    for ranks in (0, 3):
        before = [*tap.MPIRUN, "-n", str(ranks)] if ranks else []
        result = tap.command([*before, "env", "LD_PRELOAD=" + library, tap.PROGRAM, "doctor", "--dir", place, "--size", "2"],
                             env={"ASAN_OPTIONS": options})
        on = "on %d ranks" % ranks if ranks else "alone"
        tap.refused(result, 5, "reads otherwise", "one spoilt bit is found, " + on)
        tap.ok(table(result).get("written alone") == "FAILED", "and said in the table, " + on, result)
        tap.ok(os.listdir(place) == [], "nothing is left, " + on, os.listdir(place))


def main():
    folder = str(tap.folder())
    healthy(folder)
    bad_folders(folder)
    processes_that_mpi_did_not_join(folder)
    spoilt_writes(folder)
    tap.done()


if __name__ == "__main__":
    main()
