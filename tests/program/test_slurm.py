"""The job files under a Slurm of the test's own: stopped by the time limit, by their own clock or by hand, they start
again by themselves and end with the bytes of a run that nobody stopped; the chain of three jobs; the array; by srun and
by mpirun.

What shall be stopped is first held (SIGSTOP), so that no machine is too fast or too slow for the test."""
import os
import re
import shutil
import signal
import threading
import time

import cases
import processes
import slurm
import tap

TRAIN = ["--set", "train.max_epochs=6", "--set", "train.log_every_steps=10", "--set", "train.max_valid_patches=200",
         "--set", "train.checkpoint_every_steps=50"]
APPLY = ["--set", "apply.method=direct"]
RATES = {"slow": 0.0005, "fast": 0.002}  # of the sweep
CLOCK = 25  # seconds that a job runs by its own clock


class Site:
    """The job files as a site has them: a copy of jobs/ with site.sh edited, and a folder to submit from."""

    def __init__(self, cluster, folder, name, **settings):
        self.cluster, self.folder, self.name = cluster, folder / name, name
        self.jobs = self.folder / "jobs"
        shutil.copytree(tap.ROOT / "jobs", self.jobs)
        with open(self.jobs / "site.sh", "a") as file:
            for key, value in dict(settings, SEISDCN=tap.PROGRAM).items():
                file.write("%s='%s'\n" % (key, value))

    def submit(self, file, options, *words):
        """Submits a job file with these options of sbatch; returns the job's id."""
        result = self.cluster.call(self.jobs / "submit", "--parsable", "--ntasks=2", *options, self.jobs / file, *words,
                                   cwd=self.folder)
        tap.runs(result, "%s: %s is submitted" % (self.name, file))
        return result.out.strip()

    def log(self):
        return "\n".join(path.read_text(errors="replace") for path in sorted(self.folder.glob("*.log")))

    def ends(self, job, wanted, exit_code, name):
        """Passes where the job ends in this state with this exit status."""
        state = self.cluster.ended(job)
        good = state is not None and (state["JobState"], state["ExitCode"].split(":")[0]) == (wanted, str(exit_code))
        return tap.ok(good, "%s: %s: %s, exit status %d" % (self.name, name, wanted.lower(), exit_code), self.detail(job))

    def detail(self, job):
        return "%s\n%s\n%s" % (self.cluster.state(job), self.log(), self.cluster.logs())


class Held:
    """A job whose ranks are held as soon as it is at work."""

    def __init__(self, site, job, output, begun, word=None):
        """begun(): whether they are at work; word: one that the ranks' command line alone has (output)."""
        self.site, self.job, self.output, self.word = site, job, output, word or output
        self.ranks, self.since = [], None
        self.holder = threading.Thread(target=self._hold, args=(begun,), daemon=True)
        self.holder.start()

    def _hold(self, begun):
        for _ in range(60):
            if until(begun, 2):
                self.ranks = processes.running(tap.PROGRAM, self.word)
                processes.send(self.ranks, signal.SIGSTOP)
                self.since = time.monotonic()
                return
            if self.site.cluster.state(self.job).get("JobState") in slurm.OVER:
                return

    def caught(self):
        self.holder.join()
        return tap.ok(len(self.ranks) == 2, self.site.name + ": its ranks are caught at work",
                      self.site.detail(self.job))

    def let_go(self):
        processes.send(self.ranks, signal.SIGCONT)

    def starts_again(self):
        """Lets go of the ranks, which were told to stop, and sees the job in the queue again, with more time now."""
        self.let_go()
        state = self.site.cluster.wait(self.job, lambda state: state.get("Restarts") == "1", 90)
        tap.ok(state is not None, self.site.name + ": the job goes back into the queue by itself",
               self.site.detail(self.job))
        self.site.cluster.call("scontrol", "update", "JobId=" + self.job, "TimeLimit=60")

    def completes(self, word):
        """Sees it completed, not from the beginning but where it stopped: the log's word for that."""
        self.site.ends(self.job, "COMPLETED", 0, "after the restart")
        log = self.site.log()
        tap.ok(log.count("restart 0,") == 1 and log.count("restart 1,") == 1 and word in log.partition("restart 1,")[2],
               self.site.name + ": one log holds both starts, the second goes on", log)


def until(condition, seconds):
    """Waits for a condition; whether it came true."""
    end = time.monotonic() + seconds * tap.TIME_FACTOR
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def trains(folder):
    """Whether a training in this folder has written rows of its steps."""
    path = folder / "metrics.csv"
    return path.exists() and path.read_text().count("\n") > 2


def same(result, reference, name):
    """Passes where two files hold the same bytes in every dataset."""
    differing = cases.differing(cases.datasets(result), cases.datasets(reference)) if result.exists() else ["no file"]
    tap.ok(not differing, name + ": the bytes of a run that nobody stopped", "differing: %s" % differing)


def same_training(result, reference, name):
    for file in ("last.h5", "best.h5"):
        same(result / file, reference / file, "%s, %s" % (name, file))
    rows = [[{**row, "patches_per_second": None} for part in cases.read_metrics(folder)[1:] for row in part]
            if (folder / "metrics.csv").exists() else folder for folder in (result, reference)]
    tap.ok(rows[0] == rows[1], name + ": metrics.csv has the same rows", rows)


class Everything:
    def __init__(self, cluster, folder):
        self.cluster, self.folder = cluster, folder
        self.gathers, self.survey = folder / "gathers" / "noisy", folder / "survey.h5"
        self.trained, self.predicted = folder / "trained", folder / "predicted.h5"

    def references(self):
        """What runs without Slurm make, which nobody stops."""
        made = [tap.run("synth", "--output", self.folder / "gathers", "--inlines", 3, "--crosslines", 4, "--traces", 40,
                        "--samples", 200, "--seed", 5, ranks=2),
                tap.run("consolidate", "--output", self.survey, self.gathers, ranks=2),
                tap.run("train", "--survey", self.survey, "--output", self.trained, *TRAIN, ranks=2, seconds=120),
                tap.run("apply", "--survey", self.survey, "--model", self.trained / "best.h5", "--output", self.predicted,
                        *APPLY, ranks=2)]
        return tap.ok(all(result.status == 0 for result in made), "the references are made", "\n".join(map(str, made)))

    def held_training(self, name, options, **settings):
        site = Site(self.cluster, self.folder, name, **settings)
        output = site.folder / "trained"
        job = site.submit("train.sbatch", options, "--survey", self.survey, "--output", output, *TRAIN)
        return Held(site, job, output, lambda: trains(output))

    def held_apply(self, name, **settings):
        site = Site(self.cluster, self.folder, name, **settings)
        output = site.folder / "predicted.h5"
        job = site.submit("apply.sbatch", [], "--survey", self.survey, "--model", self.trained / "best.h5", "--output",
                          output, *APPLY)
        return Held(site, job, output, (site.folder / "predicted.h5.part").exists)

    def submit_all(self):
        # Each is stopped in one way alone: the clock is off (0 s before the limit is too late) or the signal is.
        no_clock, no_signal = {"STOP_SECONDS": 0}, "--signal=B:USR1@1"
        self.limit = self.held_training("time limit, srun", ["--time=1", "--signal=B:USR1@15"], **no_clock)
        self.clock = self.held_training("own clock, mpirun", ["--time=1", no_signal], LAUNCHER="mpirun",
                                        STOP_SECONDS=60 - CLOCK)
        self.limit.holder.join()
        self.clock.holder.join()
        self.submit_array()
        self.often = self.held_training("too many restarts", [], MAX_RESTARTS=0)
        self.cancelled = self.held_training("cancelled", [], LAUNCHER="mpirun")
        self.killed = self.held_training("killed", [])
        self.apply = self.held_apply("apply, mpirun", LAUNCHER="mpirun")
        self.chain = Site(self.cluster, self.folder, "chain, mpirun", LAUNCHER="mpirun")
        self.chain_jobs = self.submit_chain(self.chain, self.gathers)
        self.broken = Site(self.cluster, self.folder, "chain that breaks")
        self.broken_jobs = self.submit_chain(self.broken, self.folder / "nothing")

    def check_doctor(self):
        """sbatch by itself, from another folder: the job file finds those beside it."""
        site = Site(self.cluster, self.folder, "doctor")
        (site.folder / "here").mkdir()
        result = self.cluster.call("sbatch", "--parsable", "--ntasks=2", site.jobs / "doctor.sbatch", "--size", 1,
                                   cwd=site.folder / "here")
        job = result.out.strip()
        site.ends(job, "COMPLETED", 0, "by plain sbatch")
        log = (site.folder / "here" / ("seisdcn-doctor-%s.log" % job)).read_text()
        tap.ok(re.search(r"launcher +.*Slurm", log) and "2 ranks in" in log, "doctor: finds srun and both ranks", log)

    def check_launcher(self):
        """Processes that srun starts and MPI does not join are refused; a call in the job's own shell is let alone."""
        survey = ["synth", "--inlines", "1", "--crosslines", "1", "--output"]
        for n, wanted in ((2, 2), (1, 0)):
            output = self.folder / ("started by srun, %d" % n)
            result = self.cluster.call("srun", "--mpi=none", "-n", n, tap.PROGRAM, *survey, output)
            errors = result.err.count("seisdcn synth: error: SLURM_STEP_NUM_TASKS")
            tap.ok((result.status, errors, output.exists()) == (wanted, int(n > 1), n == 1),
                   "srun --mpi=none: %s" % ("refused, once, and nothing written" if n > 1 else "one process runs"), result)
        result = self.cluster.call("srun", "--mpi=none", "-n", 2, tap.PROGRAM, "--version")
        tap.runs(result, "srun --mpi=none: --version works")
        script, log, output = [self.folder / name for name in ("shell.sh", "shell.log", "by the shell")]
        script.write_text("#!/bin/bash\n%s %s '%s'\n" % (tap.PROGRAM, " ".join(survey), output))
        job = self.cluster.call("sbatch", "--parsable", "--ntasks=2", "--output", log, script).out.strip()
        state = self.cluster.ended(job)
        tap.ok(state is not None and state["JobState"] == "COMPLETED" and output.exists(),
               "a call in the job's shell, of 2 tasks, runs", "%s\n%s" % (state, log.read_text() if log.exists() else ""))

    def submit_chain(self, site, gathers):
        """Edits pipeline.sh as a user does and runs it; returns the jobs' ids."""
        path = site.jobs / "pipeline.sh"
        text = re.sub(r"--ntasks=\d+", "--ntasks=2", path.read_text())
        text = re.sub(r"^TRAIN=\(\)", "TRAIN=(%s)" % " ".join(TRAIN), text, flags=re.M)
        path.write_text(re.sub(r"^APPLY=\(\)", "APPLY=(%s)" % " ".join(APPLY), text, flags=re.M))
        result = self.cluster.call(path, gathers, cwd=site.folder)
        tap.runs(result, site.name + ": pipeline.sh submits")
        return [line.split()[-1] for line in result.out.splitlines()]

    def stop_all(self):
        """By hand the first ones, at once; the rest by themselves."""
        for held in (self.often, self.apply):
            held.caught()
            self.cluster.call("scancel", "--batch", "--signal=USR1", held.job)
        self.cancelled.caught()
        self.cluster.call("scancel", self.cancelled.job)
        self.killed.caught()
        processes.send(self.killed.ranks[-1:], signal.SIGKILL)
        self.task.caught()
        self.cluster.call("scancel", "--batch", "--signal=USR1", self.task.job)
        for held in (self.often, self.apply):
            until(lambda held=held: "SIGUSR1" in held.site.log(), 30)
        self.task.starts_again()
        self.apply.starts_again()
        for held in (self.often, self.cancelled, self.killed):
            held.let_go()
        self.clock.caught()
        until(lambda: self.clock.since is None or time.monotonic() > self.clock.since + CLOCK, 60)
        self.clock.starts_again()
        self.limit.caught()
        tap.ok(until(lambda: "SIGUSR1" in self.limit.site.log(), 60), "time limit: Slurm's signal comes before it",
               self.limit.site.detail(self.limit.job))
        self.limit.starts_again()

    def check_all(self):
        site = self.often.site
        site.ends(self.often.job, "FAILED", 75, "with no restart left")
        tap.ok("stopped after 0 restarts" in site.log(), "too many restarts: the log says why", site.log())
        again = site.submit("train.sbatch", [], "--survey", self.survey, "--output", self.often.output, *TRAIN)
        self.apply.completes("resuming")
        for held in (self.clock, self.limit):
            held.completes("going on from")
        tap.ok("SIG" not in self.clock.site.log(), "own clock: no signal was needed", self.clock.site.log())
        site.ends(again, "COMPLETED", 0, "submitted again by hand")
        for held in (self.often, self.clock, self.limit):
            same_training(held.output, self.trained, held.site.name)
        same(self.apply.output, self.predicted, self.apply.site.name)
        self.killed.site.ends(self.killed.job, "FAILED", 137, "a rank is killed")
        state = self.cluster.state(self.cancelled.job)
        tap.ok((state.get("JobState"), state.get("Restarts")) == ("CANCELLED", "0"), "cancelled: the job stays cancelled",
               self.cancelled.site.detail(self.cancelled.job))

    def check_chains(self):
        for job in self.chain_jobs:
            self.chain.ends(job, "COMPLETED", 0, "job %s" % job)
        same(self.chain.folder / "survey.h5", self.survey, "chain, survey")
        same_training(self.chain.folder / "trained", self.trained, "chain, training")
        same(self.chain.folder / "predicted.h5", self.predicted, "chain, prediction")
        self.broken.ends(self.broken_jobs[0], "FAILED", 5, "its first job")
        for job in self.broken_jobs[1:]:
            self.broken.ends(job, "CANCELLED", 0, "one that waits for it")

    def submit_array(self):
        """An array whose last task, which has the array's own id, is to be stopped; a task more than there are configurations."""
        self.array = Site(self.cluster, self.folder, "array, srun")
        for name, rate in RATES.items():
            (self.array.folder / (name + ".yaml")).write_text("train: {learning_rate: %g}\n" % rate)
        tap.runs(tap.run("sweep", "--survey", self.survey, "--output", "sweep", *TRAIN, "--emit", "slurm",
                         *[name + ".yaml" for name in RATES], cwd=self.array.folder), "array: its job file is written")
        self.array_job = self.array.submit(self.array.folder / "sweep/sweep.sbatch", ["--array=1-%d" % (len(RATES) + 1)])
        last = "sweep/" + list(RATES)[-1]
        self.task = Held(self.array, "%s_%d" % (self.array_job, len(RATES)), last,
                         lambda: trains(self.array.folder / last), word=str(len(RATES)))

    def check_array(self):
        site, job = self.array, self.array_job
        for name, rate in RATES.items():
            result = tap.run("train", "--survey", self.survey, "--output", site.folder / name, *TRAIN, "--set",
                             "train.learning_rate=%g" % rate, ranks=2, seconds=120)
            tap.runs(result, "array: the reference of %s.yaml" % name)
        site.ends(job + "_1", "COMPLETED", 0, "task 1")
        site.ends(job + "_2", "COMPLETED", 0, "task 2")
        site.ends(job + "_3", "FAILED", 2, "task 3, for which there is no configuration")
        restarts = [self.cluster.state("%s_%d" % (job, task)).get("Restarts") for task in (1, 2)]
        tap.ok(restarts == ["0", "1"], "array: only the task that was stopped started again", site.detail(job + "_2"))
        for name in RATES:
            same_training(site.folder / "sweep" / name, site.folder / name, "array, %s.yaml" % name)


def main():
    why = slurm.missing()
    if why is not None:
        tap.skip("job files under Slurm", why)
        tap.done()
    folder = tap.folder()
    (folder / "slurm").mkdir()
    try:
        cluster = slurm.Slurm(folder / "slurm")
    except RuntimeError as error:
        tap.ok(False, "Slurm starts", error)
        tap.done()
    every = Everything(cluster, folder)
    if every.references():
        every.submit_all()
        every.stop_all()
        every.check_all()
        every.check_array()
        every.check_chains()
        every.check_doctor()
        every.check_launcher()
    cluster.stop()
    tap.done()


if __name__ == "__main__":
    main()
