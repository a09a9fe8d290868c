"""Processes of a launcher that MPI did not join: every command refuses them before it writes anything, the first of them
says so once, --alone permits it; and what is no such launcher is let alone."""
import concurrent.futures
import os
import shutil

import cases
import tap

KINDS = [  # of a launcher: its variables for process `rank` of two
    ("Hydra", lambda rank: {"PMI_SIZE": "2", "PMI_RANK": str(rank)}),
    ("Hydra, by host", lambda rank: {"MPI_LOCALNRANKS": "2", "MPI_LOCALRANKID": str(rank)}),
    ("another Open MPI", lambda rank: {"OMPI_COMM_WORLD_SIZE": "2", "OMPI_COMM_WORLD_RANK": str(rank)}),
    ("MVAPICH", lambda rank: {"MV2_COMM_WORLD_SIZE": "2", "MV2_COMM_WORLD_RANK": str(rank)}),
    ("PMIx", lambda rank: {"PMIX_NAMESPACE": "job", "PMIX_SIZE": "2", "PMIX_RANK": str(rank)}),
    ("srun", lambda rank: {"SLURM_JOB_ID": "1", "SLURM_STEP_ID": "0", "SLURM_NTASKS": "2",
                           "SLURM_STEP_NUM_TASKS": "2", "SLURM_PROCID": str(rank)}),
    ("SLURM_NTASKS outside a job", lambda rank: {"SLURM_NTASKS": "2", "SLURM_PROCID": str(rank)}),
]
FITTING = [  # what a process that is rightly alone may find
    ("a job's own shell", {"SLURM_JOB_ID": "1", "SLURM_NTASKS": "64", "SLURM_PROCID": "0", "SLURM_LOCALID": "0"}),
    ("an interactive step", {"SLURM_JOB_ID": "1", "SLURM_STEP_ID": "4294967290", "SLURM_NTASKS": "64"}),
    ("the batch step", {"SLURM_JOB_ID": "1", "SLURM_STEP_ID": "4294967291", "SLURM_STEP_NUM_TASKS": "64"}),
    ("a step of one", {"SLURM_JOB_ID": "1", "SLURM_STEP_ID": "0", "SLURM_STEP_NUM_TASKS": "1",
                       "SLURM_NTASKS": "64"}),
    ("Hydra with one", {"PMI_SIZE": "1", "PMI_RANK": "0", "MPI_LOCALNRANKS": "1", "MPI_LOCALRANKID": "0"}),
    ("the second host's helper of a launcher", {"SLURM_JOB_ID": "1", "SLURM_STEP_ID": "0", "SLURM_STEP_NUM_TASKS": "2",
                                                "SLURM_PROCID": "1", "PMI_SIZE": "1", "PMI_RANK": "0"}),
    ("what is no number", {"PMI_SIZE": "many"}),
]


def listing(folder):
    """Every path below a folder with its size and time of change."""
    return sorted((os.path.join(at, name), os.stat(os.path.join(at, name)).st_size,
                   os.stat(os.path.join(at, name)).st_mtime_ns)
                  for at, folders, files in os.walk(folder) for name in folders + files)


def commands(folder):
    """A call of every command that would write, or at least work."""
    survey, model, out = [os.path.join(folder, name) for name in ("survey.h5", "trained/best.h5", "out")]
    return [("synth", "--output", out), ("consolidate", "--output", out, os.path.join(folder, "gathers")),
            ("attributes", "--survey", survey, "--add", "envelope"), ("index", "--survey", survey, "--output", out),
            ("train", "--survey", survey, "--output", out), ("test", "--survey", survey, "--model", model),
            ("sweep", "--survey", survey, "--output", out, os.path.join(folder, "a.yaml")), ("compare", folder),
            ("apply", "--survey", survey, "--model", model, "--output", out), ("mean", "--survey", survey, "--output", out),
            ("fxdecon", "--survey", survey, "--output", out), ("export", "--survey", survey, "--output", out),
            ("plot", "--survey", survey, "--ensemble", "#0", "--output", out + ".png"),
            ("qc", "--survey", survey, "--predicted", survey, "--csv", out), ("info", survey),
            ("doctor", "--dir", folder)]


def refuses(folder):
    before = listing(folder)

    def one(call):
        words, ranks = call
        first, second = [tap.run(*words, ranks=ranks, env={"PMI_SIZE": "2", "PMI_RANK": rank}) for rank in "01"]
        good = first.status == second.status == 2 and first.err.count("seisdcn %s: error: PMI_SIZE" % words[0]) == 1 \
            and "error" not in second.err and first.out + second.out == ""
        return (good, "%s refuses, and says so once, %s" % (words[0], "by mpirun" if ranks else "alone"),
                "%s\n%s" % (first, second))

    calls = [(words, ranks) for words in commands(folder) for ranks in (0, 1)]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:  # they wait for their launchers most of the time
        for outcome in pool.map(one, calls):
            tap.ok(*outcome)
    tap.ok(listing(folder) == before, "nothing was written", listing(folder))


def kinds(folder):
    words = ("info", os.path.join(folder, "survey.h5"))
    for name, variables in KINDS:
        first, second = [tap.run(*words, env=variables(rank)) for rank in (0, 1)]
        tap.refused(first, 2, "started 2 processes", name + ": the first process tells")
        tap.ok("srun --mpi=pmix" in first.err and "--alone" in first.err, name + ": with the remedy", first)
        tap.ok(second.status == 2 and second.err + second.out == "", name + ": the second is silent", second)
    rank = [tap.run(*words, env={"PMIX_NAMESPACE": "job", "PMIX_RANK": str(rank)}) for rank in (0, 1, 2)]
    tap.runs(rank[0], "PMIx without a count: the first process cannot know")
    tap.refused(rank[1], 2, "at least 2 processes", "PMIx without a count: the second tells")
    tap.ok(rank[2].status == 2 and rank[2].err == "", "PMIx without a count: the third is silent", rank[2])
    for name, variables in FITTING:
        tap.runs(tap.run(*words, env=variables), name + " is let alone")
    tap.runs(tap.run(*words, ranks=3, env={"PMI_SIZE": "3"}), "ranks that MPI joined are let alone")


def permits(folder):
    foreign = {"PMI_SIZE": "2", "PMI_RANK": "1"}
    survey, out = os.path.join(folder, "survey.h5"), os.path.join(folder, "alone.h5")
    tap.runs(tap.run("mean", "--survey", survey, "--output", out, "--alone", env=foreign), "--alone permits it")
    tap.ok("--alone" not in cases.attributes(out)["history"], "--alone is no part of the history", cases.attributes(out))
    tap.runs(tap.run("--alone", "info", survey, env=foreign), "--alone before the command, too")
    result = tap.run("doctor", "--alone", "--size", "1", "--dir", folder, env=foreign)
    tap.ok(result.status == 0 and "one by itself (--alone)" in result.out, "doctor --alone says that it is one", result)
    for words in (("--help",), ("--version",), ("info", "--help"), ("mean", "--version"), ("help",), ("help", "config"),
                  ("completion", "bash")):
        tap.runs(tap.run(*words, env=foreign), "%s always works" % " ".join(words))
    result = tap.run("info", "--nonsense", env=foreign)
    tap.ok(result.status == 2 and result.err == "", "a wrong option is told once, by the first process", result)
    tap.refused(tap.run("info", "--nonsense", env=dict(foreign, PMI_RANK="0")), 2, "--nonsense", "which does")


def hydra(folder):
    mpiexec = shutil.which("mpiexec.hydra")
    if mpiexec is None:
        tap.skip("MPICH's own launcher", "no mpiexec.hydra here")
        return
    out = os.path.join(folder, "hydra")
    result = tap.command([mpiexec, "-n", "3", tap.PROGRAM, "synth", "--output", out])
    tap.refused(result, 2, "started 3 processes", "MPICH's own launcher is found")
    tap.ok(not os.path.exists(out), "nothing is written", os.listdir(folder))
    tap.runs(tap.command([mpiexec, "-n", "1", tap.PROGRAM, "info", os.path.join(folder, "survey.h5")]), "one of it runs")


def main():
    folder = str(tap.folder())
    survey = os.path.join(folder, "survey.h5")
    tap.runs(tap.run("synth", "--output", os.path.join(folder, "gathers"), "--inlines", 2, "--crosslines", 5, "--traces", 40,
                     "--samples", 60), "gathers")
    tap.runs(tap.run("consolidate", "--output", survey, os.path.join(folder, "gathers/noisy")), "a survey")
    tap.runs(tap.run("train", "--survey", survey, "--output", os.path.join(folder, "trained"), "--set", "train.max_steps=1"),
             "a model")
    with open(os.path.join(folder, "a.yaml"), "w") as file:
        file.write("train: {max_steps: 1}\n")
    refuses(folder)
    kinds(folder)
    permits(folder)
    hydra(folder)
    tap.done()


if __name__ == "__main__":
    main()
