/* interrupt: asks a long command to stop in good order, so that it can be resumed: by a signal (SIGUSR1, SIGUSR2,
 * SIGTERM, SIGINT) or when its time is over.
 *
 * The request belongs to one process and, once made, stays. Loops look at interrupt_asked() between pieces of work of
 * seconds at most; ranks agree to stop by letting it ride in a message that they exchange anyway, then call
 * comm_agree() on interrupt_status(): all ranks get the lowest asked rank's cause. */
#ifndef SEISDCN_INTERRUPT_H
#define SEISDCN_INTERRUPT_H

#include "seisdcn/status.h"

#include <stdbool.h>

/* From here on the signals only ask; a second SIGINT ends the process at once. System calls go on behind a signal.
 * main calls it before MPI starts, which takes long in a large job. Local. */
void interrupt_listen(void);

/* Gives the signals their usual effect again, for what cannot be resumed; one that came in between has it now. Local.
 */
void interrupt_release(void);

/* Asks by itself once the process has run this many seconds; 0: never. Local. */
void interrupt_limit(double seconds);

/* Whether the process was asked to stop. Local; cheap enough for a loop over patches. */
bool interrupt_asked(void);

/* STATUS_OK, or, where the process was asked, STATUS_INTERRUPTED with the message "interrupted by SIGTERM" (or by its
 * time limit), to which the caller adds where, and how to go on. Local. */
Status interrupt_status(void);

#endif
