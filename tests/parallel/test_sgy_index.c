/* Tests of survey/sgy_index and of SEG-Y in survey/inputs, on any number of ranks: gathers against a plain count, and
 * files that are broken in every way. */
#include "seisdcn/inputs.h"
#include "seisdcn/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "temporary.h"

enum { N_SAMPLES = 6, MAX_BYTES = 1 << 18 };

static Comm comm;
static char folder[TEMPORARY_PATH], path[TEMPORARY_PATH];
static uint64_t state_of_random;

static uint32_t random_word(void)
{
    state_of_random = state_of_random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state_of_random >> 33);
}

static uint32_t random_under(uint32_t n) { return random_word() % n; }

/* ---- files ---- */

typedef struct {
    int n_traces, records, extra;
    int32_t line[64], crossline[64], offset[64];
} Maker;

/* The bytes of a big-endian file of 16-bit samples, sample s of trace t being 100 t + s; returns how many. */
static size_t make_bytes(const Maker *maker, uint8_t *bytes)
{
    static const SgyField line = {.byte = 189, .width = 4}, crossline = {.byte = 193, .width = 4},
                          offset = {.byte = 37, .width = 4}, samples = {.byte = 115, .width = 2};
    memset(bytes, 0, MAX_BYTES);
    uint8_t *binary = bytes + SGY_TEXT;
    sgy_binary_put(binary, SGY_BIN_INTERVAL, 2, true, 2000);
    sgy_binary_put(binary, SGY_BIN_SAMPLES, 2, true, N_SAMPLES);
    sgy_binary_put(binary, SGY_BIN_FORMAT, 2, true, SGY_INT16);
    sgy_binary_put(binary, SGY_BIN_EXTENDED_TEXT, 2, true, maker->records);
    if (maker->extra > 0) {
        sgy_binary_put(binary, SGY_BIN_REVISION, 2, true, 0x0201);
        sgy_binary_put(binary, SGY_BIN_EXTRA_HEADERS, 2, true, maker->extra);
        sgy_binary_put(binary, SGY_BIN_TRAILER, 4, true, -1);
    }
    uint8_t *at = binary + SGY_BINARY + maker->records * SGY_RECORD;
    for (int t = 0; t < maker->n_traces; t++) {
        sgy_field_put(at, &line, true, maker->line[t]);
        sgy_field_put(at, &crossline, true, maker->crossline[t]);
        sgy_field_put(at, &offset, true, maker->offset[t]);
        sgy_field_put(at, &samples, true, N_SAMPLES);
        at += SGY_HEADER * (1 + maker->extra);
        for (int s = 0; s < N_SAMPLES; s++, at += 2) sgy_number_put(at, 2, true, (uint64_t)(100 * t + s));
    }
    if (maker->extra > 0) {
        static const char stanza[] = "((SEG: trailer))";
        for (size_t i = 0; i < sizeof stanza - 1; i++) at[i] = (uint8_t)stanza[i];
        at += SGY_RECORD;
    }
    return (size_t)(at - bytes);
}

/* Rank 0 writes the file, once nobody reads the one before; all know when it is there. */
static void write_file(const uint8_t *bytes, size_t n)
{
    MPI_Barrier(comm.mpi);
    int64_t failed = comm.rank == 0 && temporary_write(folder, "a.sgy", bytes, n, path) != 0;
    comm_sum(&comm, &failed, 1);
    assert_int_equal(failed, 0);
    comm_broadcast(&comm, path, sizeof path);
}

static InputsOptions options_of(bool sort_offset)
{
    return (InputsOptions){.rule = {.line = sgy_field_named("inline"),
                                    .crossline = sgy_field_named("crossline"),
                                    .offset = sgy_field_named("offset"),
                                    .automatic = true,
                                    .sort_offset = sort_offset}};
}

/* ---- gathers ---- */

/* Whether trace a comes before trace b. */
static bool before(const Maker *maker, bool sort_offset, int a, int b)
{
    if (maker->line[a] != maker->line[b]) return maker->line[a] < maker->line[b];
    if (maker->crossline[a] != maker->crossline[b]) return maker->crossline[a] < maker->crossline[b];
    if (sort_offset && maker->offset[a] != maker->offset[b]) return maker->offset[a] < maker->offset[b];
    return a < b;
}

/* Which trace of the file is trace `place` of the survey: the one with so many before it. */
static int trace_at(const Maker *maker, bool sort_offset, int64_t place)
{
    for (int t = 0; t < maker->n_traces; t++) {
        int n = 0;
        for (int other = 0; other < maker->n_traces; other++) n += before(maker, sort_offset, other, t);
        if (n == place) return t;
    }
    return -1;
}

static void check_gathers(const Maker *maker, bool sort_offset)
{
    char *names[] = {path};
    Inputs inputs;
    InputsGather gather;
    InputsOptions options = options_of(sort_offset);
    assert_int_equal(inputs_open(&comm, 1, names, &options, &inputs), STATUS_OK);
    assert_int_equal(inputs_gather_new(&inputs, maker->n_traces, &gather), STATUS_OK);
    const SgyIndex *index = &inputs.index;
    int64_t sums[2] = {index->n_my_traces, index->n_my_gathers};
    comm_sum(&comm, sums, 2);
    assert_int_equal(sums[0], maker->n_traces);
    assert_int_equal(sums[1], inputs.n_gathers);
    for (int64_t e = inputs.my_first; e < inputs.my_end; e++) {
        int64_t from = index->first[e - inputs.my_first], to = index->first[e - inputs.my_first + 1];
        assert_true(from < to);
        assert_int_equal(inputs_read(&inputs, e, &gather), STATUS_OK);
        for (int64_t t = from; t < to; t++) {
            int wanted = trace_at(maker, sort_offset, index->first_trace + t);
            assert_int_equal(index->trace[t].number, wanted);
            assert_int_equal(index->trace[t].offset, maker->offset[wanted]);
            for (int s = 0; s < N_SAMPLES; s++)
                assert_true(gather.amplitude[(t - from) * N_SAMPLES + s] == (float)(100 * wanted + s));
            bool first = t == from, same = t > 0 && index->trace[t].key[0] == index->trace[t - 1].key[0] &&
                                           index->trace[t].key[1] == index->trace[t - 1].key[1];
            assert_true(first != same);
        }
    }
    int64_t traces = 0;
    for (int64_t e = 0; e < inputs.n_gathers && comm.rank == 0; e++) {
        int t = trace_at(maker, sort_offset, traces);
        int32_t line, crossline;
        inputs_place(&inputs, e, &line, &crossline);
        assert_true(line == maker->line[t] && crossline == maker->crossline[t]);
        traces += inputs_fold(&inputs, e);
    }
    inputs_gather_free(&gather);
    inputs_free(&inputs);
}

static void traces_in_any_order(void **state)
{
    (void)state;
    static uint8_t bytes[MAX_BYTES];
    for (int round = 0; round < 20; round++) {
        state_of_random = (uint64_t)round;
        Maker maker = {.n_traces = 1 + (int)random_under(64), .records = round % 3, .extra = round % 2};
        for (int t = 0; t < maker.n_traces; t++) {
            maker.line[t] = (int32_t)random_under(4) + (round < 15) - 1; /* negative ones too */
            maker.crossline[t] = (int32_t)random_under(1 + (uint32_t)round % 5) + 1;
            maker.offset[t] = (int32_t)random_under(100) * 25 - 1000;
        }
        write_file(bytes, make_bytes(&maker, bytes));
        check_gathers(&maker, round % 4 == 0);
    }
}

/* ---- broken files ---- */

/* Spoils a file of n bytes at random, the headers above all; returns its new length. */
static size_t spoil(uint8_t *bytes, size_t n)
{
    static const int fields[] = {SGY_BIN_SAMPLES,       SGY_BIN_FORMAT,        SGY_BIN_EXTENDED_TEXT,
                                 SGY_BIN_REVISION,      SGY_BIN_EXTRA_HEADERS, SGY_BIN_LONG_SAMPLES,
                                 SGY_BIN_TRACES,        SGY_BIN_FIRST_TRACE,   SGY_BIN_TRAILER,
                                 SGY_BIN_LONG_INTERVAL, SGY_BIN_ORDER,         SGY_BIN_INTERVAL};
    int times = 1 + (int)random_under(4);
    for (int i = 0; i < times; i++) {
        size_t at = n == 0 ? 0 : random_under((uint32_t)n);
        uint32_t kind = random_under(6);
        if (kind < 3 && n > SGY_TEXT + SGY_BINARY) {
            size_t field = (size_t)fields[random_under(sizeof fields / sizeof *fields)] - 1 + random_under(8);
            bytes[field] = (uint8_t)(kind == 0 ? 0 : kind == 1 ? 0xff : random_word());
        } else if (kind == 3 && n > 0) {
            bytes[at] = (uint8_t)random_word();
        } else if (kind == 4) {
            n = at;
        } else if (n + 1000 < MAX_BYTES) {
            n += random_under(1000);
        }
    }
    return n;
}

static void check_broken(int round)
{
    char *names[] = {path};
    Inputs inputs;
    InputsGather gather;
    InputsOptions options = options_of(false);
    Status status = inputs_open(&comm, 1, names, &options, &inputs);
    int64_t all = status;
    comm_max(&comm, &all, 1);
    if (all != (int64_t)status || (status != STATUS_OK && status != STATUS_DATA))
        fail_msg("round %d ended with status %d, on another rank %d: %s", round, (int)status, (int)all,
                 status_message());
    if (status == STATUS_DATA) {
        assert_true(strstr(status_message(), path) != NULL); /* it names the file */
        assert_null(inputs.paths);
        status_clear();
        return;
    }
    status = inputs_gather_new(&inputs, inputs.index.n_my_traces, &gather);
    for (int64_t e = inputs.my_first; e < inputs.my_end && status == STATUS_OK; e++)
        status = inputs_read(&inputs, e, &gather);
    assert_int_equal(comm_agree(&comm, status), STATUS_OK);
    inputs_gather_free(&gather);
    inputs_free(&inputs);
}

static void broken_files_end_in_a_message(void **state)
{
    (void)state;
    static uint8_t bytes[MAX_BYTES];
    Maker maker = {.n_traces = 12};
    for (int t = 0; t < maker.n_traces; t++) {
        maker.line[t] = t / 4;
        maker.crossline[t] = t / 2 % 2;
        maker.offset[t] = t % 2;
    }
    for (int round = 0; round < 300; round++) {
        maker.records = round % 2;
        maker.extra = round % 3;
        state_of_random = (uint64_t)round + 1000;
        size_t n = spoil(bytes, make_bytes(&maker, bytes));
        if (round % 20 == 0)
            for (size_t i = 0; i < n; i++) bytes[i] = (uint8_t)random_word();
        write_file(bytes, n);
        check_broken(round);
    }
}

static int make_folder(void **state)
{
    (void)state;
    if (comm.rank == 0) temporary_make(folder);
    comm_broadcast(&comm, folder, sizeof folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    MPI_Barrier(comm.mpi);
    if (comm.rank == 0) temporary_remove(folder);
    return 0;
}

int main(int argc, char **argv)
{
    comm_open(&argc, &argv, &comm);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(traces_in_any_order),
        cmocka_unit_test(broken_files_end_in_a_message),
    };
    int failed = 0;
    if (sgy_trace_serves())
        failed = cmocka_run_group_tests_name("sgy_index", tests, make_folder, remove_folder);
    else
        printf("1..1\nok 1 - sgy_index # SKIP built without libsegyio\n");
    comm_close(&comm);
    return failed;
}
