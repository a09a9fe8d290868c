/* Private to h5_change*.c: the copies of groups. */
#ifndef SEISDCN_H5_CHANGE_PRIVATE_H
#define SEISDCN_H5_CHANGE_PRIVATE_H

#include "seisdcn/h5_change.h"

/* An attribute of the root or of one of the groups, in memory. */
typedef struct {
    char object[H5_CHANGE_NAME_MAX], name[256];
    hid_t type, space;
    size_t bytes; /* of data */
    void *data;
} H5Kept;

typedef struct {
    int64_t n;
    H5Kept *kept; /* [n] */
} H5KeptList;

/* Reads the attributes of the root and of those of groups (ended by NULL) that are there. Local. STATUS_DATA,
 * STATUS_MEMORY. */
Status h5_kept_read(const H5File *file, const char *const *groups, H5KeptList *list);

void h5_kept_free(H5KeptList *list);

/* Whether both are the same attributes of the same objects with the same values; of groups that one of them lacks
 * nothing is said. Local. */
bool h5_kept_same(const H5KeptList *a, const H5KeptList *b);

/* Makes a second root group in an open file, which no name leads to, with the links of the first one and copies of
 * groups, and gives them the attributes of the list; *address is where it is. Local. STATUS_IO. */
Status h5_copy_groups(const H5File *file, const char *const *groups, const char *const *without, const H5KeptList *list,
                      uint64_t *address);

#endif
