/* h5_change: adds to an HDF5 file, or takes out of it, so that a kill at whatever moment leaves the file as it was or
 * as it is to be, never in between.
 *
 * HDF5 changes a group in several places of its file, one write after the other; a kill between two of them leaves a
 * file that nobody can read, and no flush makes several writes one. So nothing that the file's present content needs is
 * written over. A sketch of the file (PATH.new: its structure, with holes in the place of large data, which cost no
 * disk) gets new copies of the root group and of the groups that are to change. HDF5 puts them, and all that is added
 * to them, behind the end that the file has now. Large new data go to their place in the file itself, behind that end
 * too, where no reader looks. When all of it is on the disk, one write of 96 bytes at the file's start, its superblock,
 * tells the new end and the new root group: these bytes lie in one page of memory and one sector of a disk, and are
 * written whole or not at all. Before it the file is what it was, but longer; behind it what it is to be. Readers that
 * have it open see what they saw. The old groups (some kB) stay in the file unused.
 *
 * Everything here is local: one rank's work, and no other program may write to the file meanwhile (a lock keeps those
 * out that heed HDF5's). Refused with STATUS_DATA: files whose superblock is not of version 0 (the one of every file of
 * this program, and h5py's default) or that have a user block. */
#ifndef SEISDCN_H5_CHANGE_H
#define SEISDCN_H5_CHANGE_H

#include "seisdcn/h5.h"
#include "seisdcn/status.h"

#include <stdbool.h>
#include <stdint.h>

enum { H5_CHANGE_HEAD = 96, H5_CHANGE_NAME_MAX = 128 };

/* A large dataset without gaps, whose bytes the sketch does not have. */
typedef struct {
    char name[H5_CHANGE_NAME_MAX]; /* "/amplitude" */
    int64_t offset, bytes;
    bool alone; /* no second name leads to it */
} H5Extent;

typedef struct {
    const char *path; /* the file; the caller's */
    char *sketch;     /* its path */
    int file;         /* a descriptor of the file, which holds the lock; -1: none */
    int64_t end;      /* bytes of the file as it is */
    int64_t new_end;  /* and as it is to be: of h5_change_reserve() on */
    int64_t n_extents;
    H5Extent *extent; /* [n_extents] in the order of their places */
    const char *const *groups, *const *without;
    bool drawn, reserved, done;         /* how far it is */
    unsigned char head[H5_CHANGE_HEAD]; /* the file's superblock */
} H5Change;

/* Starts a change of the file at path: change->sketch can then be opened by h5_open(), and new links, datasets and
 * attributes made in its root and in `groups` ("/attribute", directly under the root; made where they are missing;
 * ended by NULL, as is `without`), which lack what stands under the names `without` ("/attribute/envelope"). Nothing
 * else in it may be changed or deleted. Both lists and path are the caller's, and stay. STATUS_IO, STATUS_DATA,
 * STATUS_MEMORY. */
Status h5_change_begin(const char *path, const char *const *groups, const char *const *without, H5Change *change);

/* Of a new contiguous dataset of the sketch, which is closed: its values will be written straight into the file, from
 * byte *offset on. STATUS_DATA, STATUS_MEMORY. */
Status h5_change_straight(H5Change *change, const char *dataset, int64_t *offset);

/* Makes the file as long as it will be, and takes the disk blocks for it: from here on no disk can be too full. The
 * sketch has all datasets by now. STATUS_IO. */
Status h5_change_reserve(H5Change *change);

/* When all that goes straight into the file is on the disk: makes the file what the sketch is, and removes the sketch;
 * what `without` named gives its blocks back where the file system can. STATUS_IO: the file stays as it was, but where
 * the last synchronisation itself failed. */
Status h5_change_commit(H5Change *change);

/* Ends a change; one that was not committed leaves the file as it was. A change of zeros is nothing. */
void h5_change_end(H5Change *change);

#endif
