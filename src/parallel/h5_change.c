#include "h5_change_private.h"
#include "h5_private.h"

#include "seisdcn/files.h"
#include "seisdcn/memory.h"
#include "seisdcn/text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* Of the format's version 0 of the superblock: where its fields are. */
enum {
    AT_VERSION = 8,
    AT_OFFSET_SIZE = 13,
    AT_LENGTH_SIZE = 14,
    AT_BASE = 24,
    AT_END = 40,
    AT_DRIVER = 48,
    AT_ROOT = 56
};

/* Data above this size become a hole of the sketch. */
static const int64_t LARGE_BYTES = 65536;

static const int64_t COPY_BYTES = 1 << 20;

/* ---- the superblock ---- */

static uint64_t field(const unsigned char *head, int at)
{
    uint64_t value;
    memcpy(&value, head + at, sizeof value); /* little-endian, like every machine that this runs on */
    return value;
}

static Status read_head(const char *path, unsigned char head[H5_CHANGE_HEAD])
{
    static const unsigned char signature[] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
    Status status = files_read_bytes(path, 0, H5_CHANGE_HEAD, head);
    if (status != STATUS_OK) return status;
    bool begins = memcmp(head, signature, sizeof signature) == 0;
    if (begins && head[AT_VERSION] == 0 && head[AT_OFFSET_SIZE] == 8 && head[AT_LENGTH_SIZE] == 8 &&
        field(head, AT_BASE) == 0 && field(head, AT_DRIVER) == UINT64_MAX)
        return STATUS_OK;
    char version[64] = "it has a user block";
    if (begins) snprintf(version, sizeof version, "its superblock is of version %d", head[AT_VERSION]);
    return status_fail(
        STATUS_DATA,
        "%s: %s; only HDF5 files of the plainest kind (superblock version 0, as consolidate and h5py.File "
        "make them by default) can be added to: copy what it holds into such a file",
        path, version);
}

/* The superblock of a file whose root group lies elsewhere: no more is told of that than the place. */
static void move_root(unsigned char head[H5_CHANGE_HEAD], uint64_t address)
{
    memset(head + AT_ROOT, 0, H5_CHANGE_HEAD - AT_ROOT);
    memcpy(head + AT_ROOT + 8, &address, sizeof address);
}

/* ---- what is copied, and what is a hole ---- */

static int by_place(const void *a, const void *b)
{
    int64_t mine = ((const H5Extent *)a)->offset, other = ((const H5Extent *)b)->offset;
    return (mine > other) - (mine < other);
}

/* Adds dataset name, where its values lie in one piece of `least` bytes or more. */
static Status add_extent(H5Change *change, const H5File *file, const char *name, int64_t least, bool alone)
{
    hid_t set = H5Dopen2(file->id, name, H5P_DEFAULT), creation = set < 0 ? set : H5Dget_create_plist(set);
    if (creation < 0) {
        Status status = h5_fail(file, STATUS_DATA, name, "cannot be opened");
        if (set >= 0) H5Dclose(set);
        return status;
    }
    bool plain = H5Pget_layout(creation) == H5D_CONTIGUOUS && H5Pget_external_count(creation) == 0;
    int64_t bytes = plain ? (int64_t)H5Dget_storage_size(set) : 0;
    haddr_t offset = bytes > 0 ? H5Dget_offset(set) : HADDR_UNDEF;
    H5Pclose(creation);
    Status status = h5_closed(file, STATUS_OK, H5Dclose(set), name);
    if (status != STATUS_OK || offset == HADDR_UNDEF || bytes < least) return status;
    size_t n = (size_t)change->n_extents;
    void *block = change->extent;
    if (memory_grow(&block, n * sizeof *change->extent, n + 1, sizeof *change->extent, "a file's datasets") !=
        STATUS_OK)
        return STATUS_MEMORY;
    change->extent = block;
    change->extent[n] = (H5Extent){.offset = (int64_t)offset, .bytes = bytes, .alone = alone};
    snprintf(change->extent[n].name, H5_CHANGE_NAME_MAX, "%s", name);
    change->n_extents++;
    qsort(change->extent, n + 1, sizeof *change->extent, by_place);
    return STATUS_OK;
}

typedef struct {
    H5Change *change;
    const H5File *file;
    Status status;
} Scan;

static herr_t scan_object(hid_t id, const char *name, const H5O_info_t *about, void *context)
{
    (void)id;
    Scan *scan = context;
    char path[2 * H5_CHANGE_NAME_MAX];
    if (about->type != H5O_TYPE_DATASET) return 0;
    if (snprintf(path, sizeof path, "/%s", name) >= (int)sizeof path)
        scan->status = status_fail(STATUS_DATA, "%s: the name %.40s... is too long", scan->file->path, path);
    else
        scan->status = add_extent(scan->change, scan->file, path, LARGE_BYTES, about->rc == 1);
    return scan->status == STATUS_OK ? 0 : -1;
}

/* Goes through every object of a file. */
static Status scan_file(H5Change *change, const H5File *file)
{
    Scan scan = {change, file, STATUS_OK};
#if H5Ovisit_vers >= 2
    herr_t result = H5Ovisit(file->id, H5_INDEX_NAME, H5_ITER_INC, scan_object, &scan, H5O_INFO_BASIC);
#else
    herr_t result = H5Ovisit(file->id, H5_INDEX_NAME, H5_ITER_INC, scan_object, &scan);
#endif
    if (scan.status != STATUS_OK || result >= 0) return scan.status;
    return h5_fail(file, STATUS_DATA, "", "cannot be read through; it is damaged");
}

/* ---- bytes from file to file ---- */

typedef enum { COPY, COMPARE } Transfer;

/* Bytes [first, end) of one file into another, or compared: STATUS_BUG where they differ. */
static Status transfer_run(Transfer what, const char *from, const char *to, int64_t first, int64_t end, char *buffer)
{
    int descriptor = what == COPY ? open(to, O_WRONLY | O_CLOEXEC) : -1;
    if (what == COPY && descriptor < 0) return status_fail(STATUS_IO, "%s: %s", to, strerror(errno));
    Status status = STATUS_OK;
    for (int64_t at = first; status == STATUS_OK && at < end; at += COPY_BYTES) {
        int64_t n = end - at < COPY_BYTES ? end - at : COPY_BYTES;
        status = files_read_bytes(from, at, n, buffer);
        if (status == STATUS_OK && what == COPY) status = files_write_bytes(descriptor, to, at, n, buffer);
        if (status == STATUS_OK && what == COMPARE) status = files_read_bytes(to, at, n, buffer + COPY_BYTES);
        if (status == STATUS_OK && what == COMPARE && memcmp(buffer, buffer + COPY_BYTES, (size_t)n) != 0)
            status = status_fail(STATUS_BUG,
                                 "%s: HDF5 wrote over bytes of %s that are still in use; it stays as it was", to, from);
    }
    if (descriptor >= 0 && close(descriptor) != 0 && status == STATUS_OK)
        status = status_fail(STATUS_IO, "%s: cannot be written: %s", to, strerror(errno));
    return status;
}

/* The same but for the large data. */
static Status transfer(const H5Change *change, Transfer what, const char *from, const char *to, int64_t first,
                       int64_t end)
{
    char *buffer = memory_new(2, (size_t)COPY_BYTES, "a copy of a file's structure");
    if (buffer == NULL) return STATUS_MEMORY;
    Status status = STATUS_OK;
    for (int64_t i = 0; status == STATUS_OK && i <= change->n_extents; i++) {
        int64_t next = i < change->n_extents ? change->extent[i].offset : end;
        if (next > end) next = end;
        if (next > first) status = transfer_run(what, from, to, first, next, buffer);
        int64_t behind = i < change->n_extents ? change->extent[i].offset + change->extent[i].bytes : end;
        if (behind > first) first = behind;
    }
    memory_free(buffer);
    return status;
}

/* ---- the beginning ---- */

/* Opens the file, and keeps others from writing to it. Who changes it too is known by the sketch; one that a killed run
 * left is known by nobody else's having the file open. */
static Status lock_file(H5Change *change)
{
    change->file = fault_strikes(FAULT_OPEN) ? -1 : open(change->path, O_RDWR | O_CLOEXEC);
    if (change->file < 0)
        return status_fail(STATUS_IO, "%s: cannot be opened for writing: %s", change->path, strerror(errno));
    bool shared = flock(change->file, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    if (shared && files_exists(change->sketch))
        return status_fail(STATUS_IO,
                           "%s exists: another program adds to %s. If none does, and one was killed while it did, "
                           "remove it, or close what reads %s",
                           change->sketch, change->path, change->path);
    if (flock(change->file, LOCK_SH | LOCK_NB) == 0 || errno != EWOULDBLOCK) return STATUS_OK;
    return status_fail(STATUS_IO, "%s: another program has it open for writing", change->path);
}

/* An empty sketch of the file's length. */
static Status new_sketch(H5Change *change)
{
    unlink(change->sketch);
    int descriptor = fault_strikes(FAULT_OPEN) ? -1 : open(change->sketch, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor < 0) return status_fail(STATUS_IO, "%s: cannot be created: %s", change->sketch, strerror(errno));
    change->drawn = true;
    Status status = STATUS_OK;
    if (fault_strikes(FAULT_WRITE) || ftruncate(descriptor, (off_t)change->end) != 0)
        status = status_fail(STATUS_IO, "%s: cannot be made as long as %s: %s", change->sketch, change->path,
                             strerror(errno));
    close(descriptor);
    return status;
}

/* What the file has, from HDF5. Read before anything is written: HDF5 fills up a block of texts that it has read. */
static Status look(H5Change *change, H5KeptList *list)
{
    H5File file;
    Status status = h5_open(change->path, false, &file);
    if (status != STATUS_OK) return status;
    status = scan_file(change, &file);
    if (status == STATUS_OK) status = h5_kept_read(&file, change->groups, list);
    Status closed = h5_close(&file);
    return status != STATUS_OK ? status : closed;
}

static Status write_head(const char *path, const unsigned char head[H5_CHANGE_HEAD])
{
    int descriptor = open(path, O_WRONLY | O_CLOEXEC);
    if (descriptor < 0) return status_fail(STATUS_IO, "%s: %s", path, strerror(errno));
    Status status = files_write_bytes(descriptor, path, 0, H5_CHANGE_HEAD, head);
    close(descriptor);
    return status;
}

/* Has HDF5 make the new groups in the sketch, then takes back what it did to the old ones besides (it counts the names
 * of each object), and lets the new root be the root. */
static Status draw_groups(H5Change *change, const H5KeptList *list)
{
    H5File file;
    uint64_t address = 0;
    unsigned char head[H5_CHANGE_HEAD];
    Status status = transfer(change, COPY, change->path, change->sketch, 0, change->end);
    if (status == STATUS_OK) status = h5_open(change->sketch, true, &file);
    if (status != STATUS_OK) return status;
    status = h5_copy_groups(&file, change->groups, change->without, list, &address);
    Status closed = h5_close(&file);
    if (status == STATUS_OK) status = closed;
    if (status == STATUS_OK) status = read_head(change->sketch, head);
    if (status == STATUS_OK) status = transfer(change, COPY, change->path, change->sketch, 0, change->end);
    move_root(head, address);
    return status == STATUS_OK ? write_head(change->sketch, head) : status;
}

/* The rehearsal: the sketch has the file's attributes, and every object can be reached. */
static Status check_sketch(const H5Change *change, const H5KeptList *list)
{
    H5File file;
    H5KeptList found = {0};
    H5Change unused = {.path = change->sketch};
    Status status = h5_open(change->sketch, false, &file);
    if (status != STATUS_OK) return status;
    status = scan_file(&unused, &file);
    if (status == STATUS_OK) status = h5_kept_read(&file, change->groups, &found);
    if (status == STATUS_OK && !h5_kept_same(&found, list))
        status =
            status_fail(STATUS_BUG, "%s: the copied groups have other attributes than those of %s; it stays as it was",
                        change->sketch, change->path);
    Status closed = h5_close(&file);
    h5_kept_free(&found);
    memory_free(unused.extent);
    return status != STATUS_OK ? status : closed;
}

Status h5_change_begin(const char *path, const char *const *groups, const char *const *without, H5Change *change)
{
    H5KeptList list = {0};
    *change = (H5Change){.path = path, .file = -1, .groups = groups, .without = without};
    change->sketch = text_format("%s.new", path);
    Status status = change->sketch == NULL ? STATUS_MEMORY : lock_file(change);
    if (status == STATUS_OK) status = read_head(path, change->head);
    if (status == STATUS_OK) {
        change->end = (int64_t)field(change->head, AT_END);
        status = look(change, &list);
    }
    if (status == STATUS_OK) status = new_sketch(change);
    if (status == STATUS_OK) status = draw_groups(change, &list);
    if (status == STATUS_OK) status = check_sketch(change, &list);
    h5_kept_free(&list);
    if (status != STATUS_OK) h5_change_end(change);
    return status;
}

/* ---- the end ---- */

Status h5_change_straight(H5Change *change, const char *dataset, int64_t *offset)
{
    H5File file;
    Status status = h5_open(change->sketch, false, &file);
    if (status != STATUS_OK) return status;
    status = h5_plain_offset(&file, dataset, H5T_NATIVE_FLOAT, offset);
    if (status == STATUS_OK && *offset < change->end)
        status = status_fail(STATUS_BUG, "%s: %s lies where other data are", change->sketch, dataset);
    if (status == STATUS_OK) status = add_extent(change, &file, dataset, 0, true);
    Status closed = h5_close(&file);
    return status != STATUS_OK ? status : closed;
}

Status h5_change_reserve(H5Change *change)
{
    unsigned char head[H5_CHANGE_HEAD];
    Status status = read_head(change->sketch, head);
    if (status != STATUS_OK) return status;
    change->new_end = (int64_t)field(head, AT_END);
    /* what a killed run left behind the end makes room first */
    if (ftruncate(change->file, (off_t)change->end) != 0)
        return status_fail(STATUS_IO, "%s: cannot be cut to its end: %s", change->path, strerror(errno));
    status = files_check_space(change->path, (double)(change->new_end - change->end));
    if (status != STATUS_OK) return status;
    change->reserved = true;
    if (fault_strikes(FAULT_WRITE) || ftruncate(change->file, (off_t)change->new_end) != 0)
        return status_fail(STATUS_IO, "%s: cannot grow: %s", change->path, strerror(errno));
    return files_reserve_from(change->path, change->end);
}

static Status synchronise(const H5Change *change)
{
    if (!fault_strikes(FAULT_FSYNC) && fsync(change->file) == 0) return STATUS_OK;
    return status_fail(STATUS_IO, "%s: cannot be written to the disk: %s", change->path, strerror(errno));
}

/* Nobody has written to the file, and HDF5 nothing to the sketch that the file has not. */
static Status check_untouched(const H5Change *change)
{
    unsigned char head[H5_CHANGE_HEAD];
    Status status = read_head(change->path, head);
    if (status == STATUS_OK && memcmp(head, change->head, sizeof head) != 0)
        status = status_fail(
            STATUS_IO, "%s: another program wrote to it meanwhile; it has what that program made of it", change->path);
    return status == STATUS_OK ? transfer(change, COMPARE, change->path, change->sketch, H5_CHANGE_HEAD, change->end)
                               : status;
}

/* What no name leads to any more gives its blocks back, where the file system can. */
static void give_back(const H5Change *change)
{
    for (int64_t i = 0; i < change->n_extents; i++) {
        const H5Extent *extent = &change->extent[i];
        if (!extent->alone || extent->offset >= change->end) continue;
        for (const char *const *name = change->without; *name != NULL; name++)
            if (strcmp(extent->name, *name) == 0)
                (void)fallocate(change->file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)extent->offset,
                                (off_t)extent->bytes);
    }
}

Status h5_change_commit(H5Change *change)
{
    unsigned char head[H5_CHANGE_HEAD];
    Status status = check_untouched(change);
    if (status == STATUS_OK) status = read_head(change->sketch, head);
    if (status == STATUS_OK && (int64_t)field(head, AT_END) != change->new_end)
        status = status_fail(STATUS_BUG, "%s: has grown since room was made for it", change->sketch);
    if (status == STATUS_OK)
        status = transfer(change, COPY, change->sketch, change->path, change->end, change->new_end);
    if (status == STATUS_OK) status = synchronise(change);
    if (status != STATUS_OK) return status;
    change->done = true; /* from here on nothing is cut off: the head may say that it belongs to the file */
    status = files_write_bytes(change->file, change->path, 0, H5_CHANGE_HEAD, head);
    if (status == STATUS_OK) status = synchronise(change);
    if (status == STATUS_OK) give_back(change);
    return status;
}

/* Cuts off what was added, unless the file says that it belongs to it: then another program has grown it. */
static void take_back(const H5Change *change)
{
    unsigned char head[H5_CHANGE_HEAD];
    if (pread(change->file, head, sizeof head, 0) != (ssize_t)sizeof head ||
        memcmp(head, change->head, sizeof head) != 0)
        return;
    if (ftruncate(change->file, (off_t)change->end) != 0) errno = 0; /* one that is longer than it says is whole too */
}

void h5_change_end(H5Change *change)
{
    if (change->sketch == NULL) return;
    if (change->file >= 0 && change->reserved && !change->done) take_back(change);
    if (change->drawn) unlink(change->sketch);
    if (change->file >= 0) close(change->file);
    memory_free(change->sketch);
    memory_free(change->extent);
    *change = (H5Change){.file = -1};
}
