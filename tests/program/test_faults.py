"""Failures of the system at every place that asks it for something (allocation, open, read, write, close, rename, fsync), in
the debug build, where SEISDCN_FAULT=SITE:RANK:NTH makes one pass fail: on the first and on the last of 3 ranks, at the
beginning, in the middle and at the end of consolidate, train and apply, and once in what goes on by --resume, fxdecon, mean,
SEG-Y in and out, index, attributes and sweep. Each ends soon, with the right status and one message, with no half file under a final name, and the next run
gives the bytes of an undisturbed one.

SEISDCN_FAULT_PASSES=N tries up to N passes of each site, of every command. Under a sanitizer, whose build has faults too, it is
two: then what a failure leaves in memory shows."""
import concurrent.futures
import itertools
import os
import re
import shutil
import sys

import h5py
import numpy as np

import cases
import tap

RANKS = 3
SECONDS = 60
JOBS = 3  # mpirun mostly waits
PASSES = int(os.environ.get("SEISDCN_FAULT_PASSES", "0"))
STATUS = {"memory": 6}  # of the others: 5
TRAIN = ["--set", "patch.size=16", "--set", "patch.stride=4", "--set", "split.by=patch", "--set", "network.levels=2",
         "--set", "train.max_epochs=2", "--set", "train.batch_size=64", "--set", "train.checkpoint_every_steps=3",
         "--set", "train.log_every_steps=2"]
HEAD = 512  # bytes before a checkpoint's HDF5: what it must be
numbers = itertools.count()


def program_with_faults():
    """The sanitizer's build has them; otherwise the debug build, made where it is not up to date."""
    if "/asan/" in tap.PROGRAM:
        return tap.PROGRAM
    built = tap.command(["make", "-s", "-j2", "build-debug"], seconds=300, cwd=tap.ROOT,
                        env={"MAKEFLAGS": "", "MFLAGS": "", "MAKEOVERRIDES": ""})
    if not tap.ok(built.status == 0, "the debug build", built):
        tap.done()
    return str(tap.ROOT / "build/debug/seisdcn")


class Work:
    """A command that is to be disturbed: its words without the output, and the output's name. With `begun` it goes on,
    by --resume, with what begun(place) leaves there."""

    def __init__(self, program, folder, words, output, begun=None):
        self.program, self.folder, self.words, self.output, self.begun = program, folder, words, output, begun
        self.name = words[0] + (" --resume" if begun else " SEG-Y" if words[-1].endswith(".sgy") else "")
        main = self.name in ("consolidate", "train", "apply")
        self.most = PASSES or ((3 if tap.TIME_FACTOR == 1 else 2) if main else 1)
        self.resumes = "--resume" in tap.command([program, words[0], "--help"]).out

    def prepare(self, place):
        os.makedirs(place)
        if self.begun:
            self.begun(place)

    def run(self, place, fault=None, again=False):
        """again: the run after a disturbed one."""
        path = os.path.join(place, self.output)
        words = [self.program, *self.words, "--output", path]
        if (again and self.resumes) or self.begun:
            words.append("--resume")
        elif again and os.path.exists(path):
            words.append("--force")
        return tap.command([*tap.MPIRUN, "-n", str(RANKS), *words], SECONDS, env={"SEISDCN_FAULT": fault} if fault else {})

    def content(self, place):
        """What the command made: datasets by file, and metrics without their clock; None where nothing is. Checkpoints
        are on the way to it: which of them stand at the end depends on where a run began."""
        path = os.path.join(place, self.output)
        if not os.path.exists(path):
            return None
        if path.endswith(".sgy"):
            return {self.output: {"bytes": np.fromfile(path, dtype=np.uint8)}}
        if not os.path.isdir(path):
            return {self.output: cases.datasets(path)}
        made = {name: cases.datasets(os.path.join(path, name)) for name in ("last.h5", "best.h5")
                if os.path.exists(os.path.join(path, name))}
        for name in ("metrics.csv", "config.yaml"):
            with open(os.path.join(path, name)) as file:
                lines = file.read().splitlines()
            made[name] = {"text": np.array([line.rpartition(",")[0] if "csv" in name else line for line in lines])}
        return made

    def undisturbed(self):
        """Its content, and how often each rank passes each site: {rank: {site: passes}}."""
        place = os.path.join(self.folder, self.name + " undisturbed")
        self.prepare(place)
        result = self.run(place, "count")
        passes = {int(rank): {site: int(n) for site, n in re.findall(r"(\w+) (\d+)", text)}
                  for rank, text in re.findall(r"passes on rank (\d+): (.*)", result.err)}
        if not tap.ok(result.status == 0 and sorted(passes) == list(range(RANKS)), self.name + " undisturbed", result):
            tap.done()
        self.whole = self.content(place)
        self.passes = passes


class Adding(Work):
    """attributes: its output is the survey itself, which is there before."""

    def __init__(self, program, folder, survey):
        super().__init__(program, folder, ["attributes", "--add", "envelope,cosphase,band:10-20"], "survey.h5")
        self.survey, self.before = survey, {self.output: cases.datasets(survey)}

    def prepare(self, place):
        os.makedirs(place)
        shutil.copy(self.survey, os.path.join(place, self.output))

    def run(self, place, fault=None, again=False):
        path = os.path.join(place, self.output)
        words = [self.program, *self.words, "--survey", path] + (["--force"] if again else [])
        return tap.command([*tap.MPIRUN, "-n", str(RANKS), *words], SECONDS, env={"SEISDCN_FAULT": fault} if fault else {})

    def half(self, place):
        """The survey is neither as it was nor as it is to be, or something is left beside it."""
        made = self.content(place)
        bad = [] if not differences(made, self.before) or not differences(made, self.whole) else ["the survey"]
        return bad + [name for name in os.listdir(place) if name != self.output]


class Sweeping(Work):
    """sweep: a folder of trainings and a map. The same command goes on."""

    def __init__(self, program, folder, survey):
        self.grid = os.path.join(folder, "grid.yaml")
        with open(self.grid, "w") as file:
            file.write("train.seed: [1, 2]\n")
        super().__init__(program, folder, ["sweep", "--survey", survey, "--grid", self.grid, *TRAIN,
                                           "--set", "train.max_steps=4"], "sweep")
        self.resumes = False

    def run(self, place, fault=None, again=False):
        words = [self.program, *self.words, "--output", os.path.join(place, self.output)]
        return tap.command([*tap.MPIRUN, "-n", str(RANKS), *words], SECONDS, env={"SEISDCN_FAULT": fault} if fault else {})

    def content(self, place):
        names = ["map.h5", *("train.seed=%d/%s.h5" % (seed, name) for seed in (1, 2) for name in ("last", "best"))]
        paths = {name: os.path.join(place, self.output, name) for name in names}
        return {name: cases.datasets(path) for name, path in paths.items() if os.path.exists(path)}

    def half(self, place):
        """Files that hold nothing (those that cannot be read end the test); no failure of the system is a training's own."""
        bad = [name for name in os.listdir(os.path.join(place, self.output)) if name.endswith(".failed")] \
            if os.path.exists(os.path.join(place, self.output)) else []
        for name, found in self.content(place).items():
            if name != "map.h5" and not found:
                bad.append(name)
        return bad


def differences(made, whole):
    if made is None:
        return "nothing was made"
    names = sorted(set(made) ^ set(whole))
    return names or [(name, cases.differing(made[name], whole[name])) for name in whole
                     if cases.differing(made[name], whole[name])]


def half_files(work, place):
    """What stands under a final name and is not whole."""
    bad = []
    for where, _, names in os.walk(place):
        for name in names:
            path = os.path.join(where, name)
            if name.endswith(".part") or name == "metrics.csv" or (name == "config.yaml" and os.path.getsize(path) > 0):
                continue
            kept = os.path.relpath(path, os.path.join(place, work.output))
            if kept == ".":  # the disk fails in the fsync after the renaming: then it stands, whole
                bad += ["the output"] if differences(work.content(place), work.whole) else []
                continue
            try:
                with h5py.File(path, "r") as file:
                    named = "model_checksum" in file.attrs and file.userblock_size == (0 if name == "best.h5" else HEAD)
                with open(path, "rb") as file:
                    said = re.match(rb"seisdcn checkpoint: (\d+) bytes", file.read(HEAD))
                whole = name == "best.h5" or (said and int(said.group(1)) + HEAD == os.path.getsize(path))
                if not named or not whole or not cases.datasets(path):
                    bad.append(kept)
            except (OSError, KeyError) as error:
                bad.append("%s: %s" % (kept, error))
    return bad


def disturb(work, site, rank, nth):
    """One disturbed run and the one after it: (passed, name, detail)."""
    fault = "%s:%d:%d" % (site, rank, nth)
    label = "%s, %s" % (work.name, fault)
    place = os.path.join(work.folder, str(next(numbers)))
    work.prepare(place)
    try:
        first = work.run(place, fault)
        errors, wanted = first.err.count(": error: "), STATUS.get(site, 5)
        if first.status == 0 and (work.begun or work.words[0] in ("apply", "fxdecon", "mean", "attributes")):
            # a damaged checkpoint has another one behind it; and which gathers a rank gets is not settled beforehand
            wrong = differences(work.content(place), work.whole)
            return not wrong, label + " (passed by)", "%s\n%s" % (wrong, first)
        if first.status != wanted or errors != 1 or ": error: " in first.out:
            return False, label, "wanted: status %d and one message, not %d\n%s" % (wanted, errors, first)
        half = work.half(place) if hasattr(work, "half") else half_files(work, place)
        if half:
            return False, label, "half a file under a final name: %s\n%s" % (half, first)
        second = work.run(place, again=True)
        if second.status != 0:
            return False, label, "the run after it fails\n%s\nafter\n%s" % (second, first)
        wrong = differences(work.content(place), work.whole)
        left = [name for _, _, names in os.walk(place) for name in names if name.endswith(".part")]
        return not wrong and not left, label, "the run after it: differs %s, left %s\n%s\nafter\n%s" % (wrong, left, second, first)
    finally:
        shutil.rmtree(place)


def chosen(n, most):
    """At most so many of the passes 1 .. n: the middle one, or from the first to the last."""
    if n <= most:
        return range(1, n + 1)
    last = n - n // 10  # a run may make a few passes less than the one that was counted: messages differ by their times
    return [(n + 1) // 2] if most == 1 else sorted({1 + i * (last - 1) // (most - 1) for i in range(most)})


def no_trace_in_the_release():
    release = tap.ROOT / "build/seisdcn"
    if not release.exists():
        tap.skip("the release build knows no faults", "it is not built")
        return
    result = tap.command([release, "--version"], env={"SEISDCN_FAULT": "memory:0:1"})
    tap.ok(result.status == 0 and b"SEISDCN_FAULT" not in release.read_bytes(), "the release build knows no faults", result)


def main():
    program, folder = program_with_faults(), str(tap.folder())
    no_trace_in_the_release()
    result = tap.command([program, "--version"], env={"SEISDCN_FAULT": "memroy:0:1"})
    tap.ok(result.status == 2 and "memroy" in result.err, "an unknown site is refused", result)
    random = np.random.RandomState(0)
    npy = cases.write_gathers(folder + "/npy", [cases.random_gather(random, 20 + i, 60) for i in range(8)])
    survey, model = folder + "/survey.h5", folder + "/trained/last.h5"
    for words in (["consolidate", npy, "--interval-us", "4000", "--output", survey],
                  ["train", "--survey", survey, *TRAIN, "--output", folder + "/trained"],
                  ["export", "--survey", survey, "--output", folder + "/gathers.sgy"]):
        tap.ok(tap.command([program, *words]).status == 0, "%s makes what is needed" % words[0])
    training = ["train", "--survey", survey, *TRAIN]
    applying = ["apply", "--survey", survey, "--model", model]

    def begun_training(place):
        tap.command([program, *training, "--set", "train.max_steps=4", "--output", place + "/trained"])

    def begun_applying(place, fault="h5_write:0:%d"):  # alone, until one of the last gathers cannot be written
        return tap.command([program, *applying, "--output", place + "/predicted.h5"], env={"SEISDCN_FAULT": fault % late})

    late = 0
    writes = re.search(r"h5_write (\d+)", begun_applying(folder, "count%.0s").err)
    late = int(writes.group(1)) - 10 if writes else 1
    os.remove(folder + "/predicted.h5")
    tap.ok(begun_applying(folder).status == 5 and os.path.exists(folder + "/predicted.h5.part"), "an apply breaks off")

    works = [Work(program, folder, ["consolidate", npy], "survey.h5"),
             Work(program, folder, training, "trained"),
             Work(program, folder, training, "trained", begun_training),
             Work(program, folder, applying, "predicted.h5"),
             Work(program, folder, applying, "predicted.h5", begun_applying),
             Work(program, folder, ["fxdecon", "--survey", survey], "predicted.h5"),
             Work(program, folder, ["mean", "--survey", survey, "--gathers", "3"], "predicted.h5"),
             Work(program, folder, ["export", "--survey", survey], "gathers.sgy"),
             Work(program, folder, ["consolidate", folder + "/gathers.sgy"], "survey.h5"),
             Adding(program, folder, survey),
             Sweeping(program, folder, survey),
             Work(program, folder, ["index", "--survey", survey, "--materialize", *TRAIN[:6]], "map.h5")]
    asked = sys.argv[1:]  # names of commands; none: all
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        pending = []
        for work in works:
            if asked and work.name not in asked:
                continue
            work.undisturbed()
            for rank in (0, RANKS - 1):
                for site, n in work.passes[rank].items():
                    pending += [pool.submit(disturb, work, site, rank, nth) for nth in chosen(n, work.most)]
        for future in pending:
            tap.ok(*future.result())
    tap.done()


if __name__ == "__main__":
    main()
