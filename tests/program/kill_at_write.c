/* Preloaded into the program by test_apply_resume.py and test_attributes.py: the process is killed, as by kill -9,
 * right before the KILL_AT-th call that changes a file whose name holds KILL_NAME (".part" by default; 0: never); how
 * many there were goes to the file KILL_COUNT. */
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static long calls;

static void count(const char *path)
{
    const char *at = getenv("KILL_AT"), *name = getenv("KILL_NAME");
    if (strstr(path, name == NULL ? ".part" : name) != NULL && ++calls == (at == NULL ? 0 : atol(at))) raise(SIGKILL);
}

static void count_descriptor(int descriptor)
{
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    path[length < 0 ? 0 : length] = '\0';
    count(path);
}

__attribute__((destructor)) static void tell(void)
{
    const char *name = getenv("KILL_COUNT");
    FILE *file = name == NULL || calls == 0 ? NULL : fopen(name, "w"); /* 0: a process that MPI started */
    if (file == NULL) return;
    fprintf(file, "%ld", calls);
    fclose(file);
}

#define FOLLOWING(type, name) type *next = (type *)dlsym(RTLD_NEXT, name)

typedef ssize_t Write(int, const void *, size_t);
typedef ssize_t WriteAt(int, const void *, size_t, off_t);
typedef ssize_t WriteMany(int, const struct iovec *, int);
typedef ssize_t WriteManyAt(int, const struct iovec *, int, off_t);
typedef int Truncate(int, off_t);
typedef int Allocate(int, int, off_t, off_t);
typedef int Sync(int);
typedef int Rename(const char *, const char *);
typedef int Unlink(const char *);

ssize_t write(int descriptor, const void *data, size_t bytes)
{
    FOLLOWING(Write, "write");
    count_descriptor(descriptor);
    return next(descriptor, data, bytes);
}

ssize_t pwrite(int descriptor, const void *data, size_t bytes, off_t offset)
{
    FOLLOWING(WriteAt, "pwrite");
    count_descriptor(descriptor);
    return next(descriptor, data, bytes, offset);
}

ssize_t pwrite64(int descriptor, const void *data, size_t bytes, off_t offset)
{
    FOLLOWING(WriteAt, "pwrite64");
    count_descriptor(descriptor);
    return next(descriptor, data, bytes, offset);
}

ssize_t writev(int descriptor, const struct iovec *data, int n)
{
    FOLLOWING(WriteMany, "writev");
    count_descriptor(descriptor);
    return next(descriptor, data, n);
}

ssize_t pwritev(int descriptor, const struct iovec *data, int n, off_t offset)
{
    FOLLOWING(WriteManyAt, "pwritev");
    count_descriptor(descriptor);
    return next(descriptor, data, n, offset);
}

ssize_t pwritev64(int descriptor, const struct iovec *data, int n, off_t offset)
{
    FOLLOWING(WriteManyAt, "pwritev64");
    count_descriptor(descriptor);
    return next(descriptor, data, n, offset);
}

int ftruncate(int descriptor, off_t bytes)
{
    FOLLOWING(Truncate, "ftruncate");
    count_descriptor(descriptor);
    return next(descriptor, bytes);
}

int ftruncate64(int descriptor, off_t bytes)
{
    FOLLOWING(Truncate, "ftruncate64");
    count_descriptor(descriptor);
    return next(descriptor, bytes);
}

int fallocate(int descriptor, int mode, off_t first, off_t bytes)
{
    FOLLOWING(Allocate, "fallocate");
    count_descriptor(descriptor);
    return next(descriptor, mode, first, bytes);
}

int fsync(int descriptor)
{
    FOLLOWING(Sync, "fsync");
    count_descriptor(descriptor);
    return next(descriptor);
}

int rename(const char *from, const char *to)
{
    FOLLOWING(Rename, "rename");
    count(from);
    return next(from, to);
}

int unlink(const char *path)
{
    FOLLOWING(Unlink, "unlink");
    count(path);
    return next(path);
}
