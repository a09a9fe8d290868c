#include "seisdcn/launcher.h"

#include "seisdcn/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* A launcher betrays itself by a variable; mpirun's first, since inside a Slurm job it has srun start its helpers. */
static const struct {
    const char *variable, *name;
} launchers[] = {
    {"OMPI_MCA_orte_hnp_uri", "mpirun (Open MPI)"},
    {"PRTE_MCA_ess_base_jobid", "prterun"},
    {"HYDI_CONTROL_FD", "mpiexec (Hydra)"},
    {"PALS_RANKID", "mpiexec (PALS)"},
    {"SLURM_STEP_ID", "srun (Slurm)"},
};

/* Where launchers say how many processes they started, and which of them this is. */
static const struct {
    const char *processes, *rank;
} counts[] = {
    {"OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"}, /* Open MPI's mpirun */
    {"PMI_SIZE", "PMI_RANK"},                         /* MPICH, Intel MPI, srun --mpi=pmi2 */
    {"MPI_LOCALNRANKS", "MPI_LOCALRANKID"},           /* Hydra: those on this host */
    {"MV2_COMM_WORLD_SIZE", "MV2_COMM_WORLD_RANK"},   /* MVAPICH */
};

/* What launcher_look() found. */
static struct {
    const char *name;
    const char *variable; /* that says so, NULL where none speaks of several processes */
    int64_t processes;    /* that it says there are, or at least */
    int64_t speaker;      /* the rank that tells the user */
    int64_t rank;         /* this process's, by the same launcher */
} launch;

/* The number in a variable, `absent` where it has none. */
static int64_t number_in(const char *variable, int64_t absent)
{
    int64_t value = absent;
    const char *text = getenv(variable);
    return text != NULL && text_to_int(text, &value) ? value : absent;
}

static void take(const char *variable, int64_t processes, int64_t rank)
{
    launch.variable = variable;
    launch.processes = processes;
    launch.rank = rank;
    launch.speaker = 0;
}

/* A task of a step: the batch script and an interactive shell are steps too, of numbers at the end of 32 bits. */
static bool is_step(void)
{
    int64_t step = number_in("SLURM_STEP_ID", -1);
    return step >= 0 && step < INT64_C(0xfffffff0);
}

static void look_at_slurm(void)
{
    int64_t tasks = number_in("SLURM_NTASKS", 1);
    if (is_step()) {
        int64_t of_step = number_in("SLURM_STEP_NUM_TASKS", tasks);
        if (of_step > 1) take("SLURM_STEP_NUM_TASKS", of_step, number_in("SLURM_PROCID", 0));
    } else if (tasks > 1 && getenv("SLURM_JOB_ID") == NULL) { /* in a job: what the job's shell was given */
        take("SLURM_NTASKS", tasks, number_in("SLURM_PROCID", 0));
    }
}

/* PMIx tells a process its rank, but not of how many: the first cannot know, so the second speaks. */
static void look_at_pmix(void)
{
    int64_t rank = number_in("PMIX_RANK", 0), processes = number_in("PMIX_SIZE", rank + 1);
    if (processes <= 1) return;
    take(getenv("PMIX_SIZE") != NULL ? "PMIX_SIZE" : "PMIX_RANK", processes, rank);
    launch.speaker = getenv("PMIX_SIZE") != NULL ? 0 : 1;
}

/* Open MPI aborts in a task of srun that has no PMIx to ask, with a page of its own. Without this variable it starts
 * alone, and launcher_check() says what to do. A Slurm that offers PMI 1 or 2 is left to an Open MPI built with them.
 */
static void hide_step(void)
{
#ifdef OPEN_MPI
    if (is_step() && getenv("PMIX_NAMESPACE") == NULL && getenv("PMI_RANK") == NULL && getenv("PMI_FD") == NULL)
        unsetenv("SLURM_STEP_ID");
#endif
}

void launcher_look(void)
{
    launch.name = "none: one process by itself";
    launch.variable = NULL;
    for (size_t i = sizeof launchers / sizeof *launchers; i-- > 0;)
        if (getenv(launchers[i].variable) != NULL) launch.name = launchers[i].name;
    bool counted = false;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        int64_t processes = number_in(counts[i].processes, 0);
        counted = counted || processes > 0;
        if (processes > 1 && launch.variable == NULL)
            take(counts[i].processes, processes, number_in(counts[i].rank, 0));
    }
    if (!counted) look_at_slurm(); /* other launchers have srun start their helpers, one a host */
    if (launch.variable == NULL) look_at_pmix();
    hide_step();
}

const char *launcher_name(void) { return launch.name; }

bool launcher_misfits(const Comm *comm) { return comm->size == 1 && launch.variable != NULL; }

bool launcher_speaks(void) { return launch.variable == NULL || launch.rank == launch.speaker; }

Status launcher_check(const Comm *comm)
{
    if (!launcher_misfits(comm)) return STATUS_OK;
    char mpi[MPI_MAX_LIBRARY_VERSION_STRING] = "?";
    int length = 0;
    MPI_Get_library_version(mpi, &length);
    mpi[strcspn(mpi, ",\n")] = '\0'; /* Open MPI adds who built it and when */
    return status_fail(STATUS_USAGE,
                       "%s says that a launcher started %s%" PRId64 " processes, but MPI (%.60s) joined none to this "
                       "one: each would do all the work by itself, on the same files; use srun --mpi=pmix, or the "
                       "mpirun of this MPI; --alone lets a process run by itself all the same",
                       launch.variable, launch.speaker > 0 ? "at least " : "", launch.processes, mpi);
}
