/* Tests of parallel/comm, on any number of ranks. Each test runs on all ranks alike. */
#include "seisdcn/comm.h"
#include "seisdcn/memory.h"

#include "temporary.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static Comm comm;
static int users_lock_algorithm = -1; /* as the user set it, before comm_open() */

static void all_agree(void **state)
{
    (void)state;
    assert_int_equal(comm_agree(&comm, STATUS_OK), STATUS_OK);
}

/* Whoever fails, all ranks end with the lowest failing rank's code and message. */
static void lowest_failure_wins(void **state)
{
    (void)state;
    for (int first = 0; first < comm.size; first++) {
        status_clear();
        Status mine = STATUS_OK;
        if (comm.rank == first) mine = status_fail(STATUS_DATA, "rank %d speaks", comm.rank);
        if (comm.rank > first) mine = status_fail(STATUS_IO, "rank %d speaks too", comm.rank);
        assert_int_equal(comm_agree(&comm, mine), STATUS_DATA);
        char wanted[64];
        snprintf(wanted, sizeof wanted, "rank %d speaks", first);
        assert_string_equal(status_message(), wanted);
    }
    status_clear();
}

static void broadcasts(void **state)
{
    (void)state;
    enum { N = 100000 };
    int64_t *values = memory_new(N, sizeof *values, "a test's numbers");
    assert_non_null(values);
    for (int64_t i = 0; i < N && comm.rank == 0; i++) values[i] = i * i;
    comm_broadcast(&comm, values, N * sizeof *values);
    for (int64_t i = 0; i < N; i++) assert_true(values[i] == i * i);
    comm_broadcast(&comm, NULL, 0);
    memory_free(values);
    char *text = NULL;
    if (comm.rank == 0) {
        text = memory_new(16, 1, "a test's text");
        strcpy(text, "from rank 0");
    }
    assert_int_equal(comm_broadcast_text(&comm, &text), STATUS_OK);
    assert_string_equal(text, "from rank 0");
    memory_free(text);
}

static void sums_and_maxima(void **state)
{
    (void)state;
    int64_t values[3] = {1, comm.rank, -comm.rank}, n = comm.size;
    comm_sum(&comm, values, 3);
    assert_true(values[0] == n && values[1] == n * (n - 1) / 2 && values[2] == -n * (n - 1) / 2);
    int64_t most[2] = {comm.rank, -comm.rank - 5};
    comm_max(&comm, most, 2);
    assert_true(most[0] == n - 1 && most[1] == -5);
    CommSpread spread = comm_spread(&comm, 10.0 - comm.rank);
    assert_true(spread.max == 10.0 && spread.max_rank == 0);
    assert_true(spread.min == 11.0 - (double)n && spread.min_rank == comm.size - 1);
    assert_true(spread.mean == 10.0 - (double)(n - 1) / 2);
}

/* Rank r gets r numbers (rank 0 none): pieces of different length, some empty. */
static void scatters_and_gathers(void **state)
{
    (void)state;
    enum { RANKS = 64 };
    assert_in_range(comm.size, 1, RANKS);
    int32_t data[RANKS], mine[RANKS];
    size_t offset[RANKS], bytes[RANKS], ends[RANKS + 1], my_bytes = (size_t)comm.rank * sizeof *mine;
    for (int i = 0; i < RANKS; i++) data[i] = 7 * i;
    for (int r = 0; r < comm.size; r++) {
        offset[r] = sizeof *data; /* they overlap */
        bytes[r] = (size_t)r * sizeof *data;
    }
    comm_scatter(&comm, data, offset, bytes, mine, my_bytes);
    for (int i = 0; i < comm.rank; i++) assert_int_equal(mine[i], 7 * (i + 1));
    void *all;
    assert_int_equal(comm_gather(&comm, mine, my_bytes, &all, ends), STATUS_OK);
    if (comm.rank != 0) assert_null(all);
    for (int r = 0; r < comm.size && comm.rank == 0; r++) {
        assert_int_equal(ends[r + 1] - ends[r], bytes[r]);
        assert_memory_equal((char *)all + ends[r], data + 1, bytes[r]);
    }
    memory_free(all);
}

static void bits_and_numbers_before(void **state)
{
    (void)state;
    uint64_t words[3] = {0, 1u << (comm.rank % 32), (uint64_t)1 << 63};
    uint64_t wanted = 0;
    for (int r = 0; r < comm.size; r++) wanted |= 1u << (r % 32);
    comm_or(&comm, words, 3);
    assert_true(words[0] == 0 && words[1] == wanted && words[2] == (uint64_t)1 << 63);
    comm_or(&comm, NULL, 0);
    assert_int_equal(comm_before(&comm, comm.rank + 1), comm.rank * (comm.rank + 1) / 2);
}

/* Rank r sends r + s numbers to rank s; who gets them knows each. */
static void all_exchange(void **state)
{
    (void)state;
    size_t *offset = memory_new((size_t)comm.size + 1, sizeof *offset, "a test's offsets"), bytes;
    assert_non_null(offset);
    for (int r = 0; r < comm.size; r++) offset[r + 1] = offset[r] + (size_t)(comm.rank + r) * sizeof(int64_t);
    int64_t *mine = memory_new(offset[comm.size], 1, "a test's numbers"), at = 0;
    assert_non_null(mine);
    for (int r = 0; r < comm.size; r++)
        for (int i = 0; i < comm.rank + r; i++) mine[at++] = comm.rank * 10000 + r * 100 + i;
    void *all;
    assert_int_equal(comm_exchange(&comm, mine, offset, &all, &bytes), STATUS_OK);
    const int64_t *got = all;
    at = 0;
    for (int r = 0; r < comm.size; r++)
        for (int i = 0; i < comm.rank + r; i++) assert_int_equal(got[at++], r * 10000 + comm.rank * 100 + i);
    assert_int_equal(bytes, (size_t)at * sizeof *got);
    memory_free(all);
    memory_free(mine);
    memory_free(offset);
}

static void shares_cover_everything(void **state)
{
    (void)state;
    for (int64_t n = 0; n < 3 * comm.size + 2; n++) {
        int64_t next = 0;
        for (int r = 0; r < comm.size; r++) {
            Comm other = comm;
            int64_t first, end;
            other.rank = r;
            comm_share(&other, n, &first, &end);
            assert_true(first == next && end - first >= n / comm.size && end - first <= n / comm.size + 1);
            next = end;
        }
        assert_true(next == n);
    }
}

/* What MPI's own MPI-IO uses as the number of its lock algorithm, asked of the library; -1 where it does not know it.
 */
static int lock_algorithm(void)
{
    int provided, n = 0, found = -1;
    if (MPI_T_init_thread(MPI_THREAD_SINGLE, &provided) != MPI_SUCCESS) return -1;
    MPI_T_cvar_get_num(&n);
    for (int i = 0; i < n && found < 0; i++) {
        char name[256] = "";
        int length = sizeof name, verbosity, bind, scope, count;
        MPI_Datatype type;
        MPI_T_enum values;
        MPI_T_cvar_handle handle;
        if (MPI_T_cvar_get_info(i, name, &length, &verbosity, &type, &values, NULL, NULL, &bind, &scope) != MPI_SUCCESS)
            continue;
        if (strcmp(name, "fs_ufs_lock_algorithm") != 0 || type != MPI_INT) continue;
        if (MPI_T_cvar_handle_alloc(i, NULL, &handle, &count) != MPI_SUCCESS) continue;
        if (count != 1 || MPI_T_cvar_read(handle, &found) != MPI_SUCCESS) found = -1;
        MPI_T_cvar_handle_free(&handle);
    }
    MPI_T_finalize();
    return found;
}

/* comm_open() has it set, or the user had: the library really takes it. */
static void files_are_written_under_range_locks(void **state)
{
    (void)state;
    MPI_File file;
    char folder[TEMPORARY_PATH], path[TEMPORARY_PATH + 8], version[MPI_MAX_LIBRARY_VERSION_STRING];
    int length;
    MPI_Get_library_version(version, &length);
    if (strstr(version, "Open MPI") == NULL) skip(); /* the setting is Open MPI's */
    temporary_make(folder);
    snprintf(path, sizeof path, "%s/file", folder);
    /* the file system's component, and its parameter, are there from the first file on */
    assert_int_equal(MPI_File_open(MPI_COMM_SELF, path, MPI_MODE_CREATE | MPI_MODE_RDWR, MPI_INFO_NULL, &file),
                     MPI_SUCCESS);
    int found = lock_algorithm();
    MPI_File_close(&file);
    temporary_remove(folder);
    assert_non_null(getenv("OMPI_MCA_fs_ufs_lock_algorithm"));
    assert_int_equal(found, atoi(getenv("OMPI_MCA_fs_ufs_lock_algorithm")));
    assert_int_equal(found, users_lock_algorithm < 0 ? 3 : users_lock_algorithm);
}

/* Nobody is through before the last has come. */
static void waits_for_the_last(void **state)
{
    (void)state;
    const struct timespec nap = {.tv_nsec = 100000000};
    int last = comm.size - 1;
    comm_wait(&comm); /* together now */
    if (comm.rank == last) nanosleep(&nap, NULL);
    double came = MPI_Wtime();
    comm_wait(&comm);
    double through = MPI_Wtime();
    MPI_Bcast(&came, 1, MPI_DOUBLE, last, comm.mpi); /* one machine, one clock */
    assert_true(through >= came);
}

int main(int argc, char **argv)
{
    const char *users = getenv("OMPI_MCA_fs_ufs_lock_algorithm");
    if (users != NULL) users_lock_algorithm = atoi(users);
    comm_open(&argc, &argv, &comm);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_agree),
        cmocka_unit_test(lowest_failure_wins),
        cmocka_unit_test(broadcasts),
        cmocka_unit_test(sums_and_maxima),
        cmocka_unit_test(scatters_and_gathers),
        cmocka_unit_test(bits_and_numbers_before),
        cmocka_unit_test(all_exchange),
        cmocka_unit_test(shares_cover_everything),
        cmocka_unit_test(files_are_written_under_range_locks),
        cmocka_unit_test(waits_for_the_last),
    };
    int failed = cmocka_run_group_tests_name("comm", tests, NULL, NULL);
    comm_close(&comm);
    return failed;
}
