/* A request to stop: by each signal, by time, and what a second SIGINT does. Each case runs in a process of its own,
 * since a request stays. */
#include "seisdcn/interrupt.h"
#include "seisdcn/timer.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* Runs body in a child, which exits with what body returns; returns the child's wait status. */
static int in_child(int (*body)(int), int argument)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) _exit(body(argument));
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

/* 0 where all is as it should be, else the number of the check that failed. */
static int asked_by(int number)
{
    static const struct {
        int number;
        const char *message;
    } known[] = {{SIGUSR1, "interrupted by SIGUSR1"},
                 {SIGUSR2, "interrupted by SIGUSR2"},
                 {SIGTERM, "interrupted by SIGTERM"},
                 {SIGINT, "interrupted by SIGINT"}};
    interrupt_listen();
    if (interrupt_asked() || interrupt_status() != STATUS_OK) return 1;
    raise(number);
    if (!interrupt_asked() || interrupt_status() != STATUS_INTERRUPTED) return 2;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].number == number && strcmp(status_message(), known[i].message) != 0) return 3;
    raise(number == SIGTERM ? SIGUSR1 : SIGTERM); /* the first one is the cause; more of them change nothing */
    if (!interrupt_asked() || interrupt_status() != STATUS_INTERRUPTED) return 4;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].number == number && strcmp(status_message(), known[i].message) != 0) return 5;
    return 0;
}

static void each_signal_asks(void **state)
{
    (void)state;
    assert_int_equal(in_child(asked_by, SIGUSR1), 0);
    assert_int_equal(in_child(asked_by, SIGUSR2), 0);
    assert_int_equal(in_child(asked_by, SIGTERM), 0);
    assert_int_equal(in_child(asked_by, SIGINT), 0);
}

static int raise_twice(int number)
{
    interrupt_listen();
    raise(number);
    raise(number);
    return 0;
}

static void a_second_sigint_kills(void **state)
{
    (void)state;
    int status = in_child(raise_twice, SIGINT);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGINT);
    assert_int_equal(in_child(raise_twice, SIGTERM), 0);
}

static int time_over(int number)
{
    (void)number;
    interrupt_limit(timer_since_start() + 0.05);
    if (interrupt_asked()) return 1;
    usleep(60000);
    if (!interrupt_asked() || interrupt_status() != STATUS_INTERRUPTED) return 2;
    if (strncmp(status_message(), "interrupted by its time limit", 29) != 0) return 3;
    interrupt_limit(0);
    return interrupt_asked() || interrupt_status() != STATUS_OK ? 4 : 0;
}

static void time_asks(void **state)
{
    (void)state;
    assert_int_equal(in_child(time_over, 0), 0);
}

static int read_through(int number)
{
    int ends[2];
    char byte = 0;
    interrupt_listen();
    if (pipe(ends) != 0) return 1;
    pid_t reader = getpid(), other = fork();
    if (other < 0) return 2;
    if (other == 0) {
        usleep(50000);
        kill(reader, number);
        usleep(50000);
        _exit(write(ends[1], "x", 1) == 1 ? 0 : 1);
    }
    if (read(ends[0], &byte, 1) != 1 || byte != 'x') return 3;
    return interrupt_asked() ? 0 : 4;
}

static void a_read_goes_on_behind_a_signal(void **state)
{
    (void)state;
    assert_int_equal(in_child(read_through, SIGUSR1), 0);
    assert_int_equal(in_child(read_through, SIGINT), 0);
}

static int release(int number)
{
    interrupt_listen();
    if (number != 0) raise(number);
    interrupt_release(); /* which ends it where one came */
    if (interrupt_asked()) return 1;
    raise(SIGUSR2);
    return 2;
}

static void released_signals_end_the_process(void **state)
{
    (void)state;
    int before = in_child(release, SIGTERM), after = in_child(release, 0);
    assert_true(WIFSIGNALED(before));
    assert_int_equal(WTERMSIG(before), SIGTERM);
    assert_true(WIFSIGNALED(after));
    assert_int_equal(WTERMSIG(after), SIGUSR2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_signal_asks),
        cmocka_unit_test(a_second_sigint_kills),
        cmocka_unit_test(time_asks),
        cmocka_unit_test(released_signals_end_the_process),
        cmocka_unit_test(a_read_goes_on_behind_a_signal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
