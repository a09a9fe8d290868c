#include "seisdcn/timer.h"

#include <time.h>

static double started;

double timer_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Runs before main: a large job may spend minutes in MPI_Init, and they count. */
__attribute__((constructor)) static void remember_start(void) { started = timer_now(); }

double timer_since_start(void) { return timer_now() - started; }
