/* What doctor says about the processes and the hosts that they run on. */
#include "doctor.h"

#include "seisdcn/blas.h"
#include "seisdcn/launcher.h"
#include "seisdcn/log.h"
#include "seisdcn/memory.h"
#include "seisdcn/model.h"
#include "seisdcn/text.h"
#include "seisdcn/vector.h"

#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NAME_BYTES = 64, HOSTS_SHOWN = 16, RANGES_BYTES = 160 };

/* What each rank tells rank 0. */
typedef struct {
    char host[NAME_BYTES], kernels[NAME_BYTES];
    int level;          /* of the instruction set, see vector.h */
    double host_memory; /* bytes that the job can have on this host; 0: not known */
} RankFacts;

/* ---- launcher ---- */

static void show_launcher(const Comm *comm)
{
    const char *job = getenv("SLURM_JOB_ID"), *nodes = getenv("SLURM_JOB_NUM_NODES"),
               *alone = launcher_misfits(comm) ? ", of whose processes this is one by itself (--alone)" : "";
    if (job != NULL)
        doctor_line("launcher", "%s, in Slurm job %s on %s node(s)%s", launcher_name(), job,
                    nodes == NULL ? "?" : nodes, alone);
    else
        doctor_line("launcher", "%s%s", launcher_name(), alone);
}

/* ---- memory ---- */

/* The number in a small file ("max" and the like: 0). */
static double number_of_file(const char *path)
{
    FILE *file = fopen(path, "r");
    if (file == NULL) return 0;
    double value = 0;
    if (fscanf(file, "%lf", &value) != 1) value = 0;
    fclose(file);
    return value;
}

/* The lowest limit of a control group and those above it: `group` ("/a/b") is cut from its end on; 0 where none. */
static double lowest_limit(const char *root, char *group, const char *name)
{
    double lowest = 0;
    for (;;) {
        char *path = text_format("%s%s/%s", root, group, name);
        double limit = path == NULL ? 0 : number_of_file(path);
        memory_free(path);
        if (limit > 0 && (lowest == 0 || limit < lowest)) lowest = limit;
        char *slash = strrchr(group, '/');
        if (slash == NULL) return lowest;
        *slash = '\0';
    }
}

static double group_limit(void)
{
    FILE *file = fopen("/proc/self/cgroup", "r");
    if (file == NULL) return 0;
    char line[1024];
    double lowest = 0;
    while (fgets(line, sizeof line, file) != NULL) { /* "0::/a/b" of version 2, "4:memory:/a/b" of version 1 */
        line[strcspn(line, "\n")] = '\0';
        char *group = strrchr(line, ':');
        if (group == NULL) continue;
        double limit = 0;
        if (strncmp(line, "0::", 3) == 0) limit = lowest_limit("/sys/fs/cgroup", group + 1, "memory.max");
        if (strstr(line, ":memory:") != NULL)
            limit = lowest_limit("/sys/fs/cgroup/memory", group + 1, "memory.limit_in_bytes");
        if (limit > 0 && (lowest == 0 || limit < lowest)) lowest = limit;
    }
    fclose(file);
    return lowest;
}

/* What the system has left for new blocks, or what the job's control group (Slurm sets one) may have, if less. */
static double host_memory(void)
{
    FILE *file = fopen("/proc/meminfo", "r");
    char line[256];
    double kilobytes = 0, limit = group_limit();
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "MemAvailable: %lf", &kilobytes) == 1) break;
    if (file != NULL) fclose(file);
    double left = kilobytes * 1024;
    return limit > 0 && (left == 0 || limit < left) ? limit : left;
}

/* ---- hosts ---- */

/* "0-3, 8" of the ranks on a host; returns how many they are. */
static int ranks_on(const RankFacts *facts, int size, const char *host, char ranges[RANGES_BYTES])
{
    int count = 0;
    size_t at = 0;
    ranges[0] = '\0';
    for (int first = 0, end; first < size; first = end) {
        end = first + 1;
        if (strcmp(facts[first].host, host) != 0) continue;
        while (end < size && strcmp(facts[end].host, host) == 0) end++;
        count += end - first;
        if (at + 32 > RANGES_BYTES) continue;
        at += (size_t)snprintf(ranges + at, RANGES_BYTES - at, "%s%d", at > 0 ? ", " : "", first);
        if (end - first > 1) at += (size_t)snprintf(ranges + at, RANGES_BYTES - at, "-%d", end - 1);
        if (at + 32 > RANGES_BYTES) snprintf(ranges + at, RANGES_BYTES - at, ", ...");
    }
    return count;
}

static bool seen_before(const RankFacts *facts, int r)
{
    for (int before = 0; before < r; before++)
        if (strcmp(facts[before].host, facts[r].host) == 0) return true;
    return false;
}

/* The hosts, and the least memory that a rank finds on one. */
static void show_hosts(const RankFacts *facts, int size)
{
    char ranges[RANGES_BYTES], bytes[32], whole[32];
    int n = 0, least = -1, least_ranks = 0;
    double least_share = 0;
    for (int r = 0; r < size; r++) n += !seen_before(facts, r);
    doctor_line("hosts", "%d", n);
    n = 0;
    for (int r = 0; r < size; r++) {
        if (seen_before(facts, r)) continue;
        int count = ranks_on(facts, size, facts[r].host, ranges);
        double share = facts[r].host_memory / count;
        if (n++ < HOSTS_SHOWN)
            doctor_line("", "%s: %d rank%s (%s)", facts[r].host, count, log_plural(count, "rank"), ranges);
        if (least >= 0 && share >= least_share) continue;
        least = r;
        least_ranks = count;
        least_share = share;
    }
    if (n > HOSTS_SHOWN) doctor_line("", "and %d more", n - HOSTS_SHOWN);
    if (least_share > 0)
        doctor_line("memory a rank", "%s: %s has %s for its %d rank%s", log_bytes(least_share, bytes),
                    facts[least].host, log_bytes(facts[least].host_memory, whole), least_ranks,
                    log_plural(least_ranks, "rank"));
    else
        doctor_line("memory a rank", "the system does not tell");
}

/* ---- libraries and processors ---- */

static void show_libraries(const RankFacts *facts, int size)
{
    unsigned major = 0, minor = 0, release = 0;
    char mpi[MPI_MAX_LIBRARY_VERSION_STRING] = "?";
    int length = 0, version = 0, subversion = 0;
    MPI_Get_library_version(mpi, &length);
    MPI_Get_version(&version, &subversion);
    mpi[strcspn(mpi, ",\n")] = '\0';
    doctor_line("MPI", "%s (MPI %d.%d)", mpi, version, subversion);
    H5get_libversion(&major, &minor, &release);
#ifdef H5_HAVE_PARALLEL
    doctor_line("HDF5", "%u.%u.%u, parallel", major, minor, release);
#else
    doctor_line("HDF5", "%u.%u.%u, NOT parallel", major, minor, release);
#endif
    char ranks[LOG_THINGS_MAX];
    int others = 0;
    for (int r = 1; r < size; r++) others += strcmp(facts[r].kernels, facts[0].kernels) != 0;
    if (others == 0)
        doctor_line("OpenBLAS", "%s", facts[0].kernels);
    else
        doctor_line("OpenBLAS", "%s on rank 0, others on %s: fxdecon may differ in its last bits there",
                    facts[0].kernels, log_things(others, "rank", ranks));
}

static void show_instructions(const RankFacts *facts, int size, const Vector *chosen)
{
    char text[200] = "";
    size_t at = 0;
    int kinds = 0;
    for (int level = 3; level >= 1; level--) {
        int count = 0;
        for (int r = 0; r < size; r++) count += facts[r].level == level;
        if (count == 0) continue;
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%s on %d", kinds++ > 0 ? ", " : "",
                               vector_of_level(level)->name, count);
    }
    doctor_line("instruction set", "%s rank%s; all use %s", text, log_plural(size, "rank"), chosen->name);
}

static void show_program(const char *name, const char *purpose)
{
    const char *path = getenv("PATH");
    for (const char *at = path == NULL ? "" : path; *at != '\0';) {
        int length = (int)strcspn(at, ":");
        char *file = text_format("%.*s/%s", length, at, name);
        bool found = file != NULL && access(file, X_OK) == 0;
        if (found) doctor_line(name, "%s", file);
        memory_free(file);
        if (found) return;
        at += length + (at[length] == ':');
    }
    doctor_line(name, "not found: %s", purpose);
}

Status doctor_machine(const Comm *comm)
{
    RankFacts mine = {.level = vector_level(), .host_memory = host_memory()};
    char host[MPI_MAX_PROCESSOR_NAME] = "?";
    int length = 0;
    MPI_Get_processor_name(host, &length);
    snprintf(mine.host, sizeof mine.host, "%.*s", (int)sizeof mine.host - 1, host);
    snprintf(mine.kernels, sizeof mine.kernels, "%s", blas_kernels());
    const Vector *chosen = NULL;
    void *all = NULL;
    show_launcher(comm);
    Status status = model_choose_vector(comm, &chosen);
    if (status == STATUS_OK) status = comm_gather(comm, &mine, sizeof mine, &all, NULL);
    if (status == STATUS_OK && comm->rank == 0) {
        show_hosts(all, comm->size);
        show_libraries(all, comm->size);
        show_instructions(all, comm->size, chosen);
        show_program("gnuplot", "pictures cannot be drawn");
    }
    memory_free(all);
    return status;
}
