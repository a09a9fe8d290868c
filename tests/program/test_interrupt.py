"""A training that is stopped from outside: by each signal, by its time, by kill -9 of one rank or of all, at random
moments; what --resume, on other numbers of ranks, makes of it is the training that never stopped."""
import os
import random
import signal
import subprocess
import tempfile
import time

import cases
import tap
import training
from training import SMALL, sets, train

INTERRUPTED = 75

# slow enough to be hit: a few hundred steps of some ms each
SLOW = ["--set", "patch.size=32", "--set", "patch.stride=2", "--set", "train.batch_size=192", "--set", "train.max_epochs=16",
        "--set", "train.log_every_steps=1", "--set", "train.checkpoint_every_steps=4", "--set", "train.max_valid_patches=400",
        "--set", "train.max_patches_per_epoch=11000"]


class Running:
    """A training in the background, to be stopped."""

    def __init__(self, survey, folder, words, ranks=0, env=None):
        self.folder = folder
        before = [*tap.MPIRUN, "-n", str(ranks)] if ranks else []
        self.words = [*before, tap.PROGRAM, "train", "--survey", survey, "--output", folder, *words]
        self.errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen(list(map(str, self.words)), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=self.errors, start_new_session=True, env=dict(os.environ, **(env or {})))

    def rows(self):
        """Steps and epochs in metrics.csv."""
        try:
            with open(os.path.join(self.folder, "metrics.csv")) as file:
                return sum(line.endswith("\n") for line in file) - 1
        except OSError:
            return 0

    def log(self):
        """What it has said so far."""
        return os.pread(self.errors.fileno(), 1 << 20, 0).decode(errors="replace")

    def wait_for(self, condition, seconds=60):
        """Whether condition() came true before the end of the run."""
        end = time.monotonic() + seconds * tap.TIME_FACTOR
        while self.process.poll() is None and time.monotonic() < end:
            if condition():
                return True
            time.sleep(0.002)
        return False

    def ranks(self):
        """The process ids of the run's ranks."""
        found = []
        for name in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open("/proc/%s/cmdline" % name, "rb") as file:
                    words = file.read().split(b"\0")
            except OSError:
                continue
            if words[0] == tap.PROGRAM.encode() and self.folder.encode() in words:
                found.append(int(name))
        return sorted(found)

    def end(self, seconds=60):
        """Waits for the end; a run that outlives its time is killed, and its status is None."""
        start = time.monotonic()
        status = None
        try:
            status = self.process.wait(seconds * tap.TIME_FACTOR)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.seconds = time.monotonic() - start
        while status is not None and self.ranks() and time.monotonic() < start + 20 * tap.TIME_FACTOR:
            time.sleep(0.01)  # mpirun may be gone before its ranks are
        left = self.ranks()
        for pid in left:
            send(pid, signal.SIGKILL)
        return tap.Result(self.words, None if left else status, "", self.log())


def send(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def says_how(result):
    """One message with what happened and the remedy, and no error."""
    return (result.err.count("interrupted by") == 1 and "--resume" in result.err and ": error: " not in result.err)


def kill_one(run, dice):
    ranks = run.ranks()
    if ranks:
        send(dice.choice(ranks), signal.SIGKILL)


def kill_all(run, _):
    send(run.process.pid, signal.SIGKILL)
    for pid in run.ranks():
        send(pid, signal.SIGKILL)


HOW = {"kill -9 of a rank": kill_one, "kill -9 of all": kill_all,
       "SIGTERM": lambda run, _: send(run.process.pid, signal.SIGTERM),
       "SIGUSR1": lambda run, _: send(run.process.pid, signal.SIGUSR1),
       "SIGUSR2 to one rank": lambda run, dice: send(dice.choice(run.ranks() or [run.process.pid]), signal.SIGUSR2)}


def ten_interruptions(survey, folder):
    dice = random.Random(7)
    whole, torn = os.path.join(folder, "whole"), os.path.join(folder, "torn")
    reference = train(survey, whole, *SLOW, ranks=2, seconds=120)
    tap.runs(reference, "a training that nothing stops")
    ways = [*HOW] * 2
    dice.shuffle(ways)
    places, hits = set(), 0
    ranks = 0
    for number, way in enumerate(ways):
        ranks = dice.choice([n for n in (1, 2, 3, 4, 7) if n != ranks])
        run = Running(survey, torn, [*SLOW, "--resume"], ranks)
        more = dice.randint(1, 14)
        run.wait_for(lambda: "going on from" in run.log() or "from the beginning" in run.log())
        start = run.rows()  # those behind the checkpoint are gone by now
        hit = run.wait_for(lambda: run.rows() >= start + more)
        time.sleep(dice.random() * 0.02)
        HOW[way](run, dice)
        result = run.end()
        hits += hit and result.status != 0
        mine = {"SIGUSR1": [INTERRUPTED], "SIGUSR2 to one rank": [INTERRUPTED]}.get(way)
        good = hit and result.status not in (0, None) and (mine is None or result.status in mine and says_how(result))
        tap.ok(good, "no. %d: %s of %d ranks stops the training" % (number + 1, way, ranks), result)
        for line in result.err.splitlines():
            if line.startswith("going on from"):
                places.add(line.rsplit("epoch", 1)[1])
    result = train(survey, torn, *SLOW, "--resume", ranks=4, seconds=120)
    tap.ok(hits == 10 and any("done" not in place for place in places), "ten times, also within an epoch", sorted(places))
    training.same(whole, torn, "ten interruptions: the bits of the training that nothing stopped", result)


def each_signal(survey, folder):
    whole = os.path.join(folder, "through")
    tap.runs(train(survey, whole, *SLOW), "a training to compare with")
    for name in ("SIGUSR1", "SIGUSR2", "SIGTERM", "SIGINT"):
        place = os.path.join(folder, name)
        run = Running(survey, place, SLOW)
        hit = run.wait_for(lambda: run.rows() >= 5)
        send(run.process.pid, getattr(signal, name))
        result = run.end()
        tap.ok(hit and result.status == INTERRUPTED and says_how(result) and "interrupted by " + name in result.err,
               "%s: status 75, and how to go on" % name, result)
        result = train(survey, place, *SLOW, "--resume", ranks=2)
        training.same(whole, place, "%s: then the same bits" % name, result)
    place = os.path.join(folder, "group")
    run = Running(survey, place, SLOW, 3)
    hit = run.wait_for(lambda: run.rows() >= 5)
    send(run.process.pid, signal.SIGTERM)
    result = run.end()
    tap.ok(hit and result.status not in (0, None) and result.err.count("interrupted by SIGTERM") == 1 and run.seconds < 20,
           "mpirun's SIGTERM leaves the ranks time for a checkpoint (%.1f s)" % run.seconds, result)
    result = train(survey, place, *SLOW, "--resume")
    training.same(whole, place, "then the same bits", result)


def twice(survey, folder):
    place = os.path.join(folder, "twice")
    run = Running(survey, place, SLOW + sets(max_epochs=1000))
    hit = run.wait_for(lambda: run.rows() >= 3)
    send(run.process.pid, signal.SIGSTOP)  # both signals wait for it
    send(run.process.pid, signal.SIGINT)
    send(run.process.pid, signal.SIGCONT)
    send(run.process.pid, signal.SIGINT)
    result = run.end()
    tap.ok(hit and result.status in (-signal.SIGINT, INTERRUPTED), "a second SIGINT ends it at the latest", result)


def in_validation(survey, folder):
    """A validation that takes seconds is broken off, and done again."""
    words = [*SLOW, *sets(max_valid_patches=0, max_epochs=1, max_patches_per_epoch=960), "--set", "patch.stride=1",
             "--set", "split.by=patch", "--set", "split.valid=0.7", "--set", "split.test=0.1"]
    slow = {"SEISDCN_ISA": "portable"}
    whole, place = os.path.join(folder, "validated"), os.path.join(folder, "validating")
    start = time.monotonic()
    tap.runs(train(survey, whole, *words, env=slow), "a training whose validation is long")
    for ranks, there in ((0, "from the beginning"), (3, "going on from")):
        run = Running(survey, place, [*words, "--resume"], ranks, env=slow)
        # all five steps are taken, and no row of the epoch is there yet
        hit = run.wait_for(lambda: there in run.log() and run.rows() >= 5)
        time.sleep(0.1)
        between = run.rows() == 5
        send(run.ranks()[-1] if ranks else run.process.pid, signal.SIGUSR1)
        result = run.end()
        tap.ok(hit and between and result.status == INTERRUPTED and says_how(result) and run.seconds < 10,
               "stopped in validation, on %d ranks, after %.1f s" % (ranks, run.seconds), result)
        names = training.checkpoints(place)
        tap.ok(names == ["step_4.h5", "step_5.h5"] and run.rows() == 5, "with a checkpoint of the steps before it", names)
    result = train(survey, place, *words, "--resume", ranks=2, env=slow)
    training.same(whole, place, "validated again to the same bits (%.0f s)" % (time.monotonic() - start), result)


def time_limits(survey, folder):
    whole, place = os.path.join(folder, "unlimited"), os.path.join(folder, "limited")
    tap.runs(train(survey, whole, *SMALL), "without a limit of time")
    for ranks in (0, 3):
        result = train(survey, place, *SMALL, "--resume", *sets(max_time_minutes=1e-6), ranks=ranks)
        tap.ok(result.status == INTERRUPTED and says_how(result) and "before the first step" in result.err
               and not os.path.exists(place), "stopped while gathers are read, on %d ranks: nothing is there" % ranks, result)
    in_order = [*SMALL, *sets(shuffle="false")]
    other = os.path.join(folder, "in_order")
    result = train(survey, other, *in_order, *sets(max_time_minutes=1e-6), ranks=3)
    tap.ok(result.status == INTERRUPTED and "after step 0" in result.err and training.checkpoints(other) == ["step_0.h5"],
           "stopped before the first step, where none are read beforehand", result)
    result = train(survey, place, *SMALL, "--resume", ranks=2)
    training.same(whole, place, "then the same bits", result)
    reference = os.path.join(folder, "in_order_through")
    tap.runs(train(survey, reference, *in_order), "in order, through")
    result = train(survey, other, *in_order, "--resume", ranks=2)
    training.same(reference, other, "then the same bits, in order", result)


def endless(survey, folder):
    place = os.path.join(folder, "endless")
    result = train(survey, place, *SLOW, *sets(max_epochs=100000, max_time_minutes=0.04), ranks=2)
    tap.ok(result.status == INTERRUPTED and says_how(result) and "limit of 0.04 minutes" in result.err,
           "2.4 seconds of an endless training", result)
    steps = len(cases.read_metrics(place)[1])
    result = train(survey, place, *SLOW, "--resume", *sets(max_epochs=100000, max_steps=steps + 3))
    tap.ok(steps > 0 and result.status == 0 and len(cases.read_metrics(place)[1]) == steps + 3,
           "the limit is of one run: the next one has none", result)


def main():
    with tempfile.TemporaryDirectory() as folder:
        time_limits(training.make_survey(folder), folder)
    with tempfile.TemporaryDirectory() as folder:
        survey = training.make_survey(folder, 3, 4, 60, 150)
        for test in (ten_interruptions, each_signal, twice, in_validation, endless):
            test(survey, folder)
    tap.done()


if __name__ == "__main__":
    main()
