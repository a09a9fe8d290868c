/* doctor: whether this job, on these hosts, in this folder, can do what the program does. */
#include "doctor.h"

#include "seisdcn/command.h"
#include "seisdcn/commands.h"
#include "seisdcn/files.h"
#include "seisdcn/log.h"
#include "seisdcn/memory.h"
#include "seisdcn/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What the options say; their table tells what each means. */
typedef struct {
    const char *dir;
    int64_t size;
} DoctorOptions;

static const DoctorOptions *doctor_options(const Job *job) { return job->options; }

enum { COLUMN = 18, LINE_MAX_BYTES = 512 };

void doctor_line(const char *label, const char *format, ...)
{
    char text[LINE_MAX_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    log_result("  %-*s %s", (int)COLUMN, label, text);
}

/* ---- prepare ---- */

/* A file of the folder that no other job has: *path is rank 0's, on all ranks. */
static Status name_file(const Comm *comm, const char *folder, char **path)
{
    char host[MPI_MAX_PROCESSOR_NAME] = "";
    int length;
    MPI_Get_processor_name(host, &length);
    Status status = STATUS_OK;
    *path = NULL;
    if (comm->rank == 0) {
        if (!files_is_folder(folder))
            status = status_fail(STATUS_IO, "%s: is not a folder that can be reached", folder);
        if (status == STATUS_OK) {
            *path = text_format("%s/seisdcn-doctor-%s-%ld.h5", folder, host, (long)getpid());
            status = *path == NULL ? STATUS_MEMORY : files_check_output(*path, true);
        }
    }
    status = comm_agree(comm, status);
    if (status == STATUS_OK) return comm_broadcast_text(comm, path);
    memory_free(*path);
    *path = NULL;
    return status;
}

/* ---- the trials ---- */

static Status try_writing(const Comm *comm, const char *path, double bytes, bool together)
{
    DoctorTrial trial = {0};
    char all[32], written[32], read[32];
    Status status = doctor_trial(comm, path, bytes, together, &trial);
    if (comm->rank == 0) unlink(path);
    const char *label = together ? "written together" : "written alone";
    if (status == STATUS_OK)
        doctor_line(label, "%s at %s/s, read back%s at %s/s, every checksum matches", log_bytes(trial.bytes, all),
                    log_bytes(trial.bytes / trial.write_seconds, written), comm->size > 1 ? " by other ranks" : "",
                    log_bytes(trial.bytes / trial.read_seconds, read));
    else
        doctor_line(label, "FAILED");
    return status;
}

static Status run(Job *job)
{
    const Comm *comm = &job->comm;
    const char *folder = doctor_options(job)->dir;
    double bytes = 1e6 * (double)doctor_options(job)->size;
    log_result("seisdcn %s: %d rank%s in %s", SEISDCN_VERSION, comm->size, log_plural(comm->size, "rank"), folder);
    char *path = NULL;
    bool locks_hold = true;
    Status status = doctor_machine(comm);
    if (status == STATUS_OK) status = name_file(comm, folder, &path);
    if (status == STATUS_OK) status = doctor_locks(comm, folder, path, &locks_hold);
    if (status == STATUS_OK) status = try_writing(comm, path, bytes, false);
    if (status == STATUS_OK) status = try_writing(comm, path, bytes, true);
    memory_free(path);
    if (status == STATUS_DATA) status = STATUS_IO; /* a file of its own that does not open is no fault of the data */
    doctor_line("verdict", status != STATUS_OK ? "NOT FIT: see the error"
                           : locks_hold        ? "all is well"
                                               : "files come back whole, but locks do not hold: keep two jobs from "
                                                 "writing one file");
    return status;
}

static const Option options[] = {
    {"--dir", FILLS(FOLDER, DoctorOptions, dir), "DIR", ".", 0, 0, false,
     "the folder to try: where surveys and predictions will lie"},
    {"--size", FILLS(INT, DoctorOptions, size), "MB", "32", 1, 1e6, false, "how much each rank writes, twice"},
    {0},
};

const Command command_doctor = {
    .name = "doctor",
    .summary = "tries whether this job's ranks, libraries and folder work together",
    .description =
        "Says how the job was launched, on which hosts, with which libraries, instruction sets and memory, then writes "
        "a file to DIR as the program writes surveys, each rank by itself and all together, has other ranks read it "
        "back, compares checksums and removes it. Ends with 0 where all is well, with 5 where not.",
    .example = "srun --mpi=pmix -n 64 seisdcn doctor --dir /scratch/survey --size 256",
    .tables = {{options, 0}},
    .options_size = sizeof(DoctorOptions),
    .run = run,
};
