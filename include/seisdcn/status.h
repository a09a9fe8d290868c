/* status: how a function says that it failed, and what the user reads about it.
 *
 * A function that can fail returns a Status. The first failure records one message (what, where, the remedy) with
 * status_fail() and returns its code; callers hand the code on, and main prints the message once. Nobody prints an
 * error or exits below main. The record belongs to the process (one rank, one thread).
 *
 * Kinds of functions, named in every prototype's comment:
 *   pure        cannot fail, touches only its arguments
 *   local       may fail, never communicates
 *   collective  every rank of the communicator calls it, and it returns the same status on every rank
 */
#ifndef SEISDCN_STATUS_H
#define SEISDCN_STATUS_H

typedef enum {
    STATUS_OK = 0,
    STATUS_USAGE = 2,        /* the command line, or an output that exists */
    STATUS_CONFIG = 3,       /* the configuration, or a key against the model */
    STATUS_DATA = 4,         /* the input's content */
    STATUS_IO = 5,           /* the file system said no */
    STATUS_MEMORY = 6,       /* out of memory */
    STATUS_NUMERIC = 7,      /* a number that is not finite */
    STATUS_BUG = 70,         /* a fault of the program's own */
    STATUS_INTERRUPTED = 75, /* stopped by a signal or a limit; a checkpoint was written */
} Status;

enum { STATUS_MESSAGE_MAX = 2048 }; /* longest message, with its final zero */

/* Records a message and returns code, so that `return status_fail(...)` reads as one thing. Local. A message that is
 * already recorded and not cleared is replaced. */
Status status_fail(Status code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts "text: " before the recorded message and returns code. Local. For callers that know the place of a failure. */
Status status_prefix(Status code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The recorded message, "" when there is none. Pure; the text stays the module's. */
const char *status_message(void);

/* Forgets the recorded message. Local. */
void status_clear(void);

#endif
