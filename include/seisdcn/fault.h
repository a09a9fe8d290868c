/* fault: failures on demand, for tests. Only in builds with SEISDCN_FAULTS (make VARIANT=debug); in all others
 * fault_strikes() is false as the compiler sees it, and nothing of this is in the program.
 *
 * SEISDCN_FAULT=SITE:RANK:NTH makes that rank's NTH pass (from 1) through a site fail, as the system would make it
 * fail; SEISDCN_FAULT=count has every rank say at the end how often it passed each site. */
#ifndef SEISDCN_FAULT_H
#define SEISDCN_FAULT_H

#include "seisdcn/status.h"

#include <stdbool.h>
#include <stddef.h>

/* The sites: what is asked of the system, by plain files and by HDF5. */
typedef enum {
    FAULT_MEMORY,
    FAULT_OPEN, /* of a file, to read or to make it */
    FAULT_READ,
    FAULT_WRITE,
    FAULT_CLOSE, /* of a file that was written */
    FAULT_RENAME,
    FAULT_FSYNC,
    FAULT_FOLDER, /* to make or to list one */
    FAULT_H5_OPEN,
    FAULT_H5_JOIN, /* of a file by all ranks, inside the collective call */
    FAULT_H5_READ,
    FAULT_H5_WRITE,
    FAULT_H5_CLOSE,
    FAULT_SITES /* how many */
} FaultSite;

#ifdef SEISDCN_FAULTS

/* Takes SEISDCN_FAULT; rank is this process's. Local, alike on all ranks. STATUS_USAGE where it cannot be understood.
 */
Status fault_open(int rank);

/* Counts a pass through a site, and tells whether it is the one that fails; errno is then the reason. Local. */
bool fault_strikes(FaultSite site);

/* "memory 12, open 3, ..." where the passes were to be counted, else NULL; the text stays the module's. Local. */
const char *fault_counts(void);

#else

static inline Status fault_open(int rank)
{
    (void)rank;
    return STATUS_OK;
}

static inline bool fault_strikes(FaultSite site)
{
    (void)site;
    return false;
}

static inline const char *fault_counts(void) { return NULL; }

#endif

/* The result of a call that has to be made in any case (a close), or failure where the pass fails. Local. */
static inline int fault_after(FaultSite site, int result) { return fault_strikes(site) ? -1 : result; }

#endif
