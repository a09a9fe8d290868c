/* The list of work on any number of ranks: each item once, in runs of neighbours, nobody waiting for a rank that
 * computes, and a stop that reaches all. Each test runs on all ranks alike. */
#include "seisdcn/timer.h"
#include "seisdcn/worklist.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static Comm comm;

static void check(bool good) { assert_int_equal(comm_agree(&comm, good ? STATUS_OK : STATUS_BUG), STATUS_OK); }

/* Computes for a while, poking as often as a predictor does. */
static void work_for(Worklist *list, double seconds)
{
    for (double end = timer_now() + seconds; timer_now() < end;) worklist_poke(list);
}

static void every_item_comes_once(void **state)
{
    (void)state;
    static const int64_t lengths[] = {0, 1, 2, 5, 8, 100, 5000};
    static int64_t times[5000];
    for (size_t k = 0; k < sizeof lengths / sizeof *lengths; k++) {
        int64_t n = lengths[k], mine = 0, last = 0, item;
        Worklist list;
        for (int64_t i = 0; i < 5000; i++) times[i] = 0;
        worklist_new(&comm, n, &list);
        bool good = true;
        while ((item = worklist_next(&list)) >= 0) {
            good = good && item < n;
            if (good) times[item]++;
            good = good && !worklist_poke(&list);
            int64_t done = worklist_done(&list);
            good = good && done > last && done >= ++mine && done <= n;
            last = done;
        }
        good = good && worklist_next(&list) == -1; /* and stays empty */
        good = good && worklist_end(&list) == n;
        worklist_free(&list);
        comm_sum(&comm, times, 5000);
        for (int64_t i = 0; i < 5000; i++) good = good && times[i] == (i < n);
        check(good);
    }
}

static void dealt_items_are_neighbours(void **state)
{
    (void)state;
    enum { ITEMS = 4000 };
    Worklist list;
    worklist_new(&comm, ITEMS, &list);
    int64_t dealt = list.n_dealt, runs = 0, count = 0, before = -2;
    bool good = dealt >= ITEMS / 2 && dealt <= ITEMS * 3 / 4 + 1 && dealt % comm.size == 0;
    for (int64_t item; good && (item = worklist_next(&list)) >= 0 && item < dealt; before = item) {
        runs += item != before + 1;
        count++;
    }
    good = good && count == dealt / comm.size && count >= 8 * runs; /* and as many for each rank */
    while (worklist_next(&list) >= 0) {
    }
    worklist_end(&list);
    worklist_free(&list);
    check(good);
}

/* Rank 0 owns the counter: while it computes its first item, the others get all that the counter deals. */
static void nobody_waits_for_a_rank_that_computes(void **state)
{
    (void)state;
    Worklist list;
    worklist_new(&comm, 16 * comm.size, &list);
    bool good = true;
    if (comm.rank == 0 && comm.size > 1) {
        worklist_next(&list);
        for (double end = timer_now() + 60; list.counter < list.n && timer_now() < end;) worklist_poke(&list);
        good = list.counter == list.n;
    }
    while (worklist_next(&list) >= 0) {
        work_for(&list, 0.005);
        worklist_done(&list);
    }
    worklist_end(&list);
    worklist_free(&list);
    check(good);
}

static void a_stop_reaches_all(void **state)
{
    (void)state;
    Worklist list;
    worklist_new(&comm, 1000000, &list);
    double start = timer_now();
    while (worklist_next(&list) >= 0) {
        work_for(&list, 0.002);
        worklist_done(&list);
        if (comm.rank == comm.size - 1 && timer_now() > start + 0.05) worklist_stop(&list);
    }
    bool good = list.stopped && worklist_next(&list) == -1 && worklist_poke(&list) && timer_now() < start + 10;
    good = good && list.done >= 1 && list.done < 1000000;
    worklist_stop(&list); /* again: nothing */
    good = good && worklist_end(&list) < 1000000 && list.stopped;
    worklist_free(&list);
    check(good);
}

static void all_may_stop_at_once(void **state)
{
    (void)state;
    Worklist list;
    worklist_new(&comm, 100, &list);
    worklist_stop(&list);
    bool good = worklist_next(&list) == -1 && list.done == 0;
    good = good && worklist_end(&list) == 0;
    worklist_free(&list);
    check(good);
}

/* Each rank in turn goes after its first item, as where it fails; the others take what is left, but for its own share.
 */
static void a_rank_may_leave(void **state)
{
    (void)state;
    for (int leaver = 0; leaver < comm.size; leaver++) {
        const int64_t n = 40;
        int64_t times[40] = {0}, sum = 0, item;
        Worklist list;
        worklist_new(&comm, n, &list);
        bool good = true;
        while ((item = worklist_next(&list)) >= 0) {
            good = good && item < n;
            if (good) times[item]++;
            if (comm.rank == leaver) break;
            worklist_done(&list);
        }
        int64_t done = worklist_end(&list);
        worklist_free(&list);
        comm_sum(&comm, times, 40);
        for (int64_t i = 0; i < n; i++) {
            good = good && times[i] <= 1;
            sum += times[i];
        }
        good = good && done == sum - 1 && (comm.size == 1 || sum >= n / 4);
        check(good);
    }
}

int main(int argc, char **argv)
{
    comm_open(&argc, &argv, &comm);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_item_comes_once),
        cmocka_unit_test(dealt_items_are_neighbours),
        cmocka_unit_test(nobody_waits_for_a_rank_that_computes),
        cmocka_unit_test(a_stop_reaches_all),
        cmocka_unit_test(all_may_stop_at_once),
        cmocka_unit_test(a_rank_may_leave),
    };
    int failed = cmocka_run_group_tests_name("worklist", tests, NULL, NULL);
    comm_close(&comm);
    return failed;
}
