/* h5_private: what the files of the h5 module share. */
#ifndef SEISDCN_H5_PRIVATE_H
#define SEISDCN_H5_PRIVATE_H

#include "seisdcn/fault.h"
#include "seisdcn/h5.h"

/* Records "PATH: OBJECT did (HDF5's innermost reason)" and returns code; object "" speaks of the file itself. To be
 * called before any further HDF5 call, which would clear the reason. Local. */
Status h5_fail(const H5File *file, Status code, const char *object, const char *did);

/* `status` where it is a failure already, else a STATUS_IO where `result` is HDF5's failure at closing object. Local.
 */
Status h5_closed(const H5File *file, Status status, herr_t result, const char *object);

/* Refuses dataset name, open as set, where it announces more than its file holds; nothing is read. Local. STATUS_DATA.
 */
Status h5_check_storage(const H5File *file, const char *name, hid_t set);

/* Whether this pass through a site fails (see fault.h); HDF5's error stack then tells so, as after a call that failed.
 * Local. */
#ifdef SEISDCN_FAULTS
bool h5_struck(FaultSite site);
#else
static inline bool h5_struck(FaultSite site)
{
    (void)site;
    return false;
}
#endif

#endif
