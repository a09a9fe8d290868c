/* Whether a file holds what its datasets announce. HDF5 believes a dataset's shape whatever lies behind it, and gives
 * fill values for what was never written: a few bytes could so ask for terabytes of memory. */
#include "h5_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

/* Chunks that were never written are fill values, as they should be where most of an array is zero. But one that was
 * written stands for at most so many of them. */
static const double CHUNKS_A_WRITTEN_ONE = 100;

/* Bytes of the file at path from byte `first` on, 0 where there are none. */
static double bytes_from(const char *path, double first)
{
    struct stat about;
    if (stat(path, &about) != 0) return 0;
    double left = (double)about.st_size - first;
    return left > 0 ? left : 0;
}

/* What lies in other files, one after the other. */
static double external_bytes(hid_t creation)
{
    double held = 0;
    int n = H5Pget_external_count(creation);
    for (unsigned i = 0; n > 0 && i < (unsigned)n; i++) {
        char name[4096] = "";
        off_t first = 0;
        hsize_t size = 0;
        if (H5Pget_external(creation, i, sizeof name - 1, name, &first, &size) < 0) return held;
        double left = bytes_from(name, (double)first);
        held += left < (double)size ? left : (double)size;
    }
    return held;
}

static double contiguous_bytes(const H5File *file, hid_t set)
{
    double stored = (double)H5Dget_storage_size(set);
    haddr_t at = stored > 0 ? H5Dget_offset(set) : HADDR_UNDEF;
    if (at == HADDR_UNDEF) return 0;
    double left = bytes_from(file->path, (double)at);
    return left < stored ? left : stored;
}

/* What the chunks that were written may stand for. */
static double chunked_bytes(hid_t set, hid_t creation, hid_t space, size_t item)
{
    hsize_t chunk[H5S_MAX_RANK] = {0}, n = 0;
    int rank = H5Pget_chunk(creation, H5S_MAX_RANK, chunk);
    double bytes = (double)item;
    for (int i = 0; i < rank; i++) bytes *= (double)chunk[i];
#if H5_VERSION_GE(1, 10, 5)
    if (H5Dget_num_chunks(set, space, &n) < 0) return 0;
#else
    (void)space;
    n = H5Dget_storage_size(set) > 0 ? 1 : 0;                   /* at least */
    if (n > 0) bytes = (double)H5Dget_storage_size(set) * 1032; /* as far as deflate goes */
#endif
    return CHUNKS_A_WRITTEN_ONE * bytes * (double)n;
}

static Status check(const H5File *file, const char *name, hid_t set, hid_t creation, hid_t space, hid_t type)
{
    hsize_t dims[H5S_MAX_RANK];
    int rank = H5Sget_simple_extent_dims(space, dims, NULL);
    double announced = (double)H5Tget_size(type), held = 0;
    for (int i = 0; i < rank; i++) announced *= (double)dims[i];
    if (rank < 0 || announced == 0) return STATUS_OK; /* what it is not is told elsewhere */
    H5D_layout_t layout = H5Pget_layout(creation);
    if (layout == H5D_VIRTUAL)
        return status_fail(STATUS_DATA,
                           "%s: %s is a virtual dataset, whose values lie in other files; copy them into one file, "
                           "with h5repack for example",
                           file->path, name);
    if (layout == H5D_CHUNKED)
        held = chunked_bytes(set, creation, space, H5Tget_size(type));
    else if (layout == H5D_CONTIGUOUS && H5Pget_external_count(creation) > 0)
        held = external_bytes(creation);
    else if (layout == H5D_CONTIGUOUS)
        held = contiguous_bytes(file, set);
    else /* in the dataset's header */
        held = (double)H5Dget_storage_size(set);
    if (held >= announced) return STATUS_OK;
    if (layout == H5D_CHUNKED && held > 0)
        return status_fail(STATUS_DATA,
                           "%s: %s announces %.6g bytes, but not a hundredth of its chunks was ever written; the file "
                           "is damaged or unfinished: make it again",
                           file->path, name, announced);
    return status_fail(
        STATUS_DATA,
        "%s: %s announces %.6g bytes, but the file holds %.6g of them; it is damaged or unfinished: make "
        "it again",
        file->path, name, announced, held);
}

Status h5_check_storage(const H5File *file, const char *name, hid_t set)
{
    hid_t creation = H5Dget_create_plist(set), space = H5Dget_space(set), type = H5Dget_type(set);
    Status status = creation < 0 || space < 0 || type < 0 ? h5_fail(file, STATUS_DATA, name, "cannot be opened")
                                                          : check(file, name, set, creation, space, type);
    if (type >= 0) H5Tclose(type);
    if (space >= 0) H5Sclose(space);
    if (creation >= 0) H5Pclose(creation);
    return status;
}
