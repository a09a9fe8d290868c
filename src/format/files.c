#include "seisdcn/files.h"

#include "seisdcn/fault.h"
#include "seisdcn/log.h"
#include "seisdcn/memory.h"
#include "seisdcn/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

bool files_exists(const char *path)
{
    struct stat about;
    return lstat(path, &about) == 0; /* a link that leads nowhere is something too */
}

bool files_is_folder(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

/* The folder that holds path: "." for a bare name; NULL with a STATUS_MEMORY message. */
static char *parent_of(const char *path)
{
    char *parent = text_copy(path);
    if (parent == NULL) return NULL;
    size_t length = strlen(parent);
    while (length > 1 && parent[length - 1] == '/') parent[--length] = '\0';
    char *slash = strrchr(parent, '/');
    if (slash == NULL) {
        memory_free(parent);
        return text_copy(".");
    }
    slash[slash == parent ? 1 : 0] = '\0';
    return parent;
}

static Status check_parent(const char *path, const char *parent)
{
    struct stat about;
    if (stat(parent, &about) != 0)
        return status_fail(STATUS_IO, "%s: its folder %s cannot be reached: %s", path, parent, strerror(errno));
    if (!S_ISDIR(about.st_mode)) return status_fail(STATUS_IO, "%s: %s is not a folder", path, parent);
    if (access(parent, W_OK | X_OK) != 0)
        return status_fail(STATUS_IO, "%s: its folder %s cannot be written: %s", path, parent, strerror(errno));
    return STATUS_OK;
}

Status files_check_output(const char *path, bool force)
{
    if (path[0] == '\0') return status_fail(STATUS_USAGE, "the output has an empty name");
    if (!force && files_exists(path))
        return status_fail(STATUS_USAGE, "%s exists already: choose another name, or overwrite it with --force", path);
    char *parent = parent_of(path);
    if (parent == NULL) return STATUS_MEMORY;
    Status status = check_parent(path, parent);
    memory_free(parent);
    return status;
}

Status files_make_folder(const char *path)
{
    if (!fault_strikes(FAULT_FOLDER) && mkdir(path, 0777) == 0) return STATUS_OK;
    int reason = errno;
    if (reason == EEXIST && files_is_folder(path)) return STATUS_OK;
    return status_fail(STATUS_IO, "%s: the folder cannot be made: %s", path, strerror(reason));
}

Status files_check_space(const char *path, double bytes)
{
    struct statvfs about;
    int result = statvfs(path, &about);
    if (result != 0) {
        char *parent = parent_of(path);
        if (parent == NULL) return STATUS_MEMORY;
        result = statvfs(parent, &about);
        memory_free(parent);
    }
    if (result != 0) return status_fail(STATUS_IO, "%s: its file system tells no space: %s", path, strerror(errno));
    double unused = (double)about.f_bavail * (double)about.f_frsize;
    if (unused >= bytes) return STATUS_OK;
    char wanted[32], left[32];
    return status_fail(STATUS_IO, "%s: takes %s, but its file system has only %s left", path, log_bytes(bytes, wanted),
                       log_bytes(unused, left));
}

Status files_reserve(const char *path) { return files_reserve_from(path, 0); }

Status files_reserve_from(const char *path, int64_t first)
{
    int descriptor = fault_strikes(FAULT_OPEN) ? -1 : open(path, O_RDWR | O_CLOEXEC);
    struct stat about;
    if (descriptor < 0 || fstat(descriptor, &about) != 0) {
        Status status = status_fail(STATUS_IO, "%s: %s", path, strerror(errno));
        if (descriptor >= 0) close(descriptor);
        return status;
    }
    int reason = 0;
    while ((fault_strikes(FAULT_WRITE) || fallocate(descriptor, 0, (off_t)first, about.st_size - (off_t)first) != 0) &&
           (reason = errno) == EINTR)
        reason = 0;
    close(descriptor);
    if (reason != ENOSPC && reason != EDQUOT && reason != EFBIG) return STATUS_OK; /* or it cannot reserve */
    char wanted[32];
    return status_fail(STATUS_IO, "%s: %s cannot be reserved: %s", path,
                       log_bytes((double)(about.st_size - first), wanted), strerror(reason));
}

/* The bytes of a file, with a zero behind them. */
static Status read_all(const char *path, char **text, size_t *length)
{
    *text = NULL;
    *length = 0;
    if (files_is_folder(path)) return status_fail(STATUS_IO, "%s: is a folder; a file was wanted", path);
    FILE *file = fault_strikes(FAULT_OPEN) ? NULL : fopen(path, "rb");
    if (file == NULL) return status_fail(STATUS_IO, "%s: %s", path, strerror(errno));
    size_t used = 0, room = 0;
    void *block = NULL;
    bool struck = fault_strikes(FAULT_READ);
    Status status = STATUS_OK;
    do { /* until a read comes short: the size of a pipe is not known before */
        room = room == 0 ? 4096 : 2 * room;
        if (memory_grow(&block, used, room + 1, 1, "a text file") != STATUS_OK) status = STATUS_MEMORY;
        if (status == STATUS_OK) used += fread((char *)block + used, 1, room - used, file);
    } while (status == STATUS_OK && !struck && used == room);
    if (status == STATUS_OK && (struck || ferror(file)))
        status = status_fail(STATUS_IO, "%s: cannot be read: %s", path, strerror(errno));
    fclose(file);
    *length = used;
    if (status == STATUS_OK)
        *text = block;
    else
        memory_free(block);
    return status;
}

Status files_read_text(const char *path, char **text)
{
    size_t length;
    return read_all(path, text, &length);
}

Status files_read_whole_text(const char *path, char **text)
{
    size_t length;
    Status status = read_all(path, text, &length);
    if (status != STATUS_OK || strlen(*text) == length) return status;
    status = status_fail(STATUS_CONFIG, "%s: byte %zu is zero: this is no text in UTF-8; save it as such", path,
                         strlen(*text));
    memory_free(*text);
    *text = NULL;
    return status;
}

/* One read or write; the kernel takes 2 GiB at most. */
static size_t piece_of(int64_t left) { return (size_t)(left < 1 << 30 ? left : 1 << 30); }

Status files_read_open(int descriptor, const char *path, int64_t first, int64_t n, void *bytes)
{
    for (int64_t done = 0; done < n;) {
        ssize_t got = fault_strikes(FAULT_READ)
                          ? -1
                          : pread(descriptor, (char *)bytes + done, piece_of(n - done), (off_t)(first + done));
        if (got > 0)
            done += got;
        else if (got == 0)
            return status_fail(STATUS_IO, "%s: became shorter while it was read", path);
        else if (errno != EINTR)
            return status_fail(STATUS_IO, "%s: cannot be read: %s", path, strerror(errno));
    }
    return STATUS_OK;
}

Status files_read_bytes(const char *path, int64_t first, int64_t n, void *bytes)
{
    int descriptor = fault_strikes(FAULT_OPEN) ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return status_fail(STATUS_IO, "%s: %s", path, strerror(errno));
    Status status = files_read_open(descriptor, path, first, n, bytes);
    close(descriptor);
    return status;
}

Status files_is_zero(const char *path, int64_t first, int64_t end, bool *zero)
{
    uint8_t piece[1 << 16];
    int descriptor = fault_strikes(FAULT_OPEN) ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return status_fail(STATUS_IO, "%s: %s", path, strerror(errno));
    Status status = STATUS_OK;
    for (*zero = true; first < end && *zero && status == STATUS_OK;) {
        int64_t n = end - first < (int64_t)sizeof piece ? end - first : (int64_t)sizeof piece;
        status = files_read_open(descriptor, path, first, n, piece);
        for (int64_t i = 0; i < n && *zero && status == STATUS_OK; i++) *zero = piece[i] == 0;
        first += n;
    }
    close(descriptor);
    return status;
}

Status files_write_bytes(int descriptor, const char *path, int64_t first, int64_t n, const void *bytes)
{
    for (int64_t done = 0; done < n;) {
        ssize_t put = fault_strikes(FAULT_WRITE)
                          ? -1
                          : pwrite(descriptor, (const char *)bytes + done, piece_of(n - done), (off_t)(first + done));
        if (put >= 0)
            done += put;
        else if (errno != EINTR)
            return status_fail(STATUS_IO, "%s: cannot be written: %s", path, strerror(errno));
    }
    return STATUS_OK;
}

/* Waits until what descriptor stands for is on the disk; path is for the message. */
static Status sync_open(int descriptor, const char *path)
{
    /* Some file systems know no fsync of a folder: EINVAL is their answer, and nothing is lost. */
    if ((fault_strikes(FAULT_FSYNC) || fsync(descriptor) != 0) && errno != EINVAL && errno != ENOTSUP)
        return status_fail(STATUS_IO, "%s: cannot be written to the disk: %s", path, strerror(errno));
    return STATUS_OK;
}

static int open_to_sync(const char *path, int flags)
{
    return fault_strikes(FAULT_OPEN) ? -1 : open(path, flags | O_RDONLY | O_CLOEXEC);
}

Status files_publish(const char *from, const char *to)
{
    char *parent = parent_of(to);
    if (parent == NULL) return STATUS_MEMORY;
    /* Both are open before the name is given: afterwards only the disk itself can fail. */
    int file = open_to_sync(from, 0), folder = file < 0 ? -1 : open_to_sync(parent, O_DIRECTORY);
    Status status = STATUS_OK;
    if (file < 0 || folder < 0)
        status = status_fail(STATUS_IO, "%s: cannot be opened: %s", file < 0 ? from : parent, strerror(errno));
    if (status == STATUS_OK) status = sync_open(file, from);
    if (status == STATUS_OK && (fault_strikes(FAULT_RENAME) || rename(from, to) != 0))
        status = status_fail(STATUS_IO, "%s: cannot be renamed to %s: %s", from, to, strerror(errno));
    if (status == STATUS_OK && sync_open(folder, parent) != STATUS_OK)
        status = status_prefix(STATUS_IO, "%s is whole, but may not last", to);
    if (file >= 0) close(file);
    if (folder >= 0) close(folder);
    memory_free(parent);
    return status;
}

Status files_write_text(const char *path, const char *text)
{
    char *temporary = text_format("%s.part", path);
    if (temporary == NULL) return STATUS_MEMORY;
    FILE *file = fault_strikes(FAULT_OPEN) ? NULL : fopen(temporary, "wb");
    Status status = STATUS_OK;
    if (file == NULL) {
        status = status_fail(STATUS_IO, "%s: cannot be created: %s", temporary, strerror(errno));
    } else {
        size_t length = strlen(text);
        bool written = !fault_strikes(FAULT_WRITE) && fwrite(text, 1, length, file) == length && fflush(file) == 0;
        int reason = errno;
        if (fault_after(FAULT_CLOSE, fclose(file)) != 0 && written) {
            written = false;
            reason = errno;
        }
        if (!written) status = status_fail(STATUS_IO, "%s: cannot be written: %s", temporary, strerror(reason));
        if (status == STATUS_OK) status = files_publish(temporary, path);
        if (status != STATUS_OK) unlink(temporary);
    }
    memory_free(temporary);
    return status;
}

static int compare_names(const void *a, const void *b)
{
    return text_compare_natural(*(char *const *)a, *(char *const *)b);
}

/* Appends name to the texts that stand one behind the other in *block. */
static Status append_name(void **block, size_t *used, size_t *room, const char *name)
{
    size_t length = strlen(name) + 1;
    if (*used + length > *room) {
        size_t larger = 2 * (*used + length) + 4096;
        if (memory_grow(block, *used, larger, 1, "the names in a folder") != STATUS_OK) return STATUS_MEMORY;
        *room = larger;
    }
    memcpy((char *)*block + *used, name, length);
    *used += length;
    return STATUS_OK;
}

Status files_list(const char *folder, const char *ending, char ***names, int64_t *n)
{
    *names = NULL;
    *n = 0;
    DIR *stream = fault_strikes(FAULT_FOLDER) ? NULL : opendir(folder);
    if (stream == NULL) return status_fail(STATUS_IO, "%s: the folder cannot be read: %s", folder, strerror(errno));
    void *texts = NULL;
    size_t used = 0, room = 0, count = 0;
    Status status = STATUS_OK;
    errno = 0;
    for (struct dirent *entry; status == STATUS_OK && (entry = readdir(stream)) != NULL; errno = 0) {
        if (entry->d_name[0] == '.' || !text_ends_with(entry->d_name, ending)) continue;
        status = append_name(&texts, &used, &room, entry->d_name);
        count++;
    }
    if (status == STATUS_OK && errno != 0)
        status = status_fail(STATUS_IO, "%s: the folder cannot be read: %s", folder, strerror(errno));
    closedir(stream);
    char **list = NULL;
    if (status == STATUS_OK) {
        list = memory_new(count * sizeof *list + used, 1, "the names in a folder");
        if (list == NULL) status = STATUS_MEMORY;
    }
    if (status == STATUS_OK && count > 0) {
        char *at = (char *)(list + count);
        memcpy(at, texts, used);
        for (size_t i = 0; i < count; i++) {
            list[i] = at;
            at += strlen(at) + 1;
        }
        qsort(list, count, sizeof *list, compare_names);
    }
    memory_free(texts);
    *names = list;
    *n = (int64_t)count;
    return status;
}
