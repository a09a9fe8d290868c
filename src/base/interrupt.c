#include "seisdcn/interrupt.h"

#include "seisdcn/timer.h"

#include <signal.h>
#include <stddef.h>
#include <string.h>

static const struct {
    int number;
    const char *name;
    int flags;
} signals[] = {
    {SIGUSR1, "SIGUSR1", SA_RESTART},
    {SIGUSR2, "SIGUSR2", SA_RESTART},
    {SIGTERM, "SIGTERM", SA_RESTART},
    {SIGINT, "SIGINT", SA_RESTART | (int)SA_RESETHAND}, /* whoever presses Ctrl-C twice does not want to wait */
};

enum { SIGNALS = sizeof signals / sizeof *signals };

static volatile sig_atomic_t received = 0; /* the first signal's number */
static double limit = 0;                   /* seconds since the process started */

static void on_signal(int number)
{
    if (received == 0) received = number;
}

void interrupt_listen(void)
{
    for (int i = 0; i < SIGNALS; i++) {
        struct sigaction action;
        memset(&action, 0, sizeof action);
        action.sa_handler = on_signal;
        action.sa_flags = signals[i].flags;
        sigemptyset(&action.sa_mask);
        (void)sigaction(signals[i].number, &action, NULL); /* fails only for numbers that are no signal's */
    }
}

void interrupt_release(void)
{
    for (int i = 0; i < SIGNALS; i++) (void)signal(signals[i].number, SIG_DFL);
    int came = received;
    received = 0;
    if (came != 0) (void)raise(came);
}

void interrupt_limit(double seconds) { limit = seconds; }

bool interrupt_asked(void) { return received != 0 || (limit > 0 && timer_since_start() >= limit); }

Status interrupt_status(void)
{
    for (int i = 0; i < SIGNALS; i++)
        if (received == signals[i].number) return status_fail(STATUS_INTERRUPTED, "interrupted by %s", signals[i].name);
    if (!interrupt_asked()) return STATUS_OK;
    return status_fail(STATUS_INTERRUPTED, "interrupted by its time limit of %.4g minutes", limit / 60);
}
