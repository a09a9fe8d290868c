/* sgy_code: the layout of SEG-Y files whose sample format code is none of the standard's, or is that of samples of
 * another size. The headers of a file's traces repeat its number of samples and its interval (bytes 115-118): they are
 * alike where traces are, and not where samples are taken for headers. So the size of the samples shows in the
 * distance at which headers that are alike stand, and sgy_plausible tells the format of those of four bytes. */
#ifndef SEISDCN_SGY_CODE_H
#define SEISDCN_SGY_CODE_H

#include "seisdcn/sgy_layout.h"
#include "seisdcn/status.h"

/* Finds out how path is laid out, as sgy_layout_read does. Where --format forces nothing, a file whose code makes no
 * sense of it is refused with STATUS_DATA and the format that does, if there is one. Local. STATUS_IO, STATUS_DATA,
 * STATUS_MEMORY. */
Status sgy_code_read(const char *path, const SgyForce *force, SgyLayout *layout);

#endif
