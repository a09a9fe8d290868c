"""apply --resume: killed at any moment and resumed on another number of ranks, the prediction has the same bytes as one
that nobody disturbed; only gathers that are done and match their checksum are kept; an unfinished file of other work is
refused by name, a damaged one is made anew, a finished one is left alone; a full disk loses nothing."""
import concurrent.futures
import os
import shutil
import signal
import subprocess
import sys
import tempfile

import h5py
import numpy as np

import cases
import resuming
import tap

import original

SIZE, LEVELS = 16, 2
USAGE, CONFIG, DATA, IO = 2, 3, 4, 5
FOLDS = (20, 24, 18, 30, 9, 21, 16, 25, 20, 22, 19, 23)


class Ground:
    """A folder with a survey, two models and the prediction that nobody disturbed."""

    def __init__(self, folder):
        self.folder = folder
        numbers = np.random.RandomState(3)
        self.gathers = [cases.random_gather(numbers, n_traces, 120) for n_traces in FOLDS]
        npy = cases.write_gathers(self.place("npy"), self.gathers)
        self.survey = self.place("survey.h5")
        self.run("consolidate", "--output", self.survey, npy)
        self.model, self.other_model = self.new_model("model.h5", 1), self.new_model("other_model.h5", 2)
        self.whole = self.place("whole.h5")
        self.run(*self.work(self.whole), ranks=2)
        self.bytes = cases.datasets(self.whole)

    def place(self, name):
        return os.path.join(self.folder, name)

    def new_model(self, name, seed):
        path = self.place(name)
        original.write_model(path, original.randomise(original.Original(1, 2, LEVELS, 0.0), seed), SIZE)
        return path

    def run(self, *words, ranks=0, seconds=60):
        result = tap.run(*words, ranks=ranks, seconds=seconds)
        if not tap.runs(result, "good input: " + words[0]):
            tap.done()
        return result

    def work(self, output, *more, survey=None, model=None):
        return ["apply", "--survey", survey or self.survey, "--model", model or self.model, "--output", output, *more]

    def part(self, name, whole=None, undone=()):
        """The .part of an output `name` as a kill leaves it: all gathers done but `undone`. Returns the output's path."""
        return resuming.unfinished(whole or self.whole, self.place(name), undone)


# ---- an unfinished file without a kill ----


def only_what_lacks(ground):
    for ranks in (0, 3):
        output = ground.part("lacks_%d.h5" % ranks, undone=(0, 5, 6, 11))
        result = tap.run(*ground.work(output, "--resume"), ranks=ranks)
        resuming.same_bytes(result, output, ground.bytes, "four gathers lack: the same bytes, on %d ranks" % max(ranks, 1))
        tap.ok(resuming.resumed_from(result) == (8, 12) and "predicted 4 gathers" in result.err,
               "only those four are computed", result)
    output = ground.part("flipped.h5", undone=(7,))
    with h5py.File(output + ".part", "a") as file:
        first = file["ensemble/first_trace"][()]
        place = file["amplitude"].id.get_offset() + int(first[3] + 2) * 120 * 4 + 77
    with open(output + ".part", "r+b") as file:
        file.seek(place)
        byte = file.read(1)
        file.seek(place)
        file.write(bytes([byte[0] ^ 1]))
    result = tap.run(*ground.work(output, "--resume"), ranks=2)
    resuming.same_bytes(result, output, ground.bytes, "a flipped bit in a finished gather is mended")
    tap.ok(resuming.resumed_from(result) == (10, 12) and "warning: 1 of the finished gathers" in result.err, "and told", result)
    output = ground.part("all.h5")
    result = tap.run(*ground.work(output, "--resume"), ranks=2)
    resuming.same_bytes(result, output, ground.bytes, "a file that lacks its name only gets it")
    tap.ok(resuming.resumed_from(result) == (12, 12), "without computing", result)


def parts_of_a_survey(ground):
    for label, options in (("--ensembles", ["--ensembles", "100:203,#5-#8"]), ("--difference", ["--difference"]),
                           ("keep_mutes", ["--set", "apply.keep_mutes=true"])):
        name = label.strip("-")
        whole = ground.place(name + "_whole.h5")
        ground.run(*ground.work(whole, *options))
        output = ground.part(name + ".h5", whole, undone=(3, 7))
        result = tap.run(*ground.work(output, "--resume", *options), ranks=3)
        resuming.same_bytes(result, output, cases.datasets(whole), label + ": the same bytes")
        tap.ok(resuming.resumed_from(result) == ((3, 5) if name == "ensembles" else (10, 12)), label + ": the rest is kept", result)


def other_work(ground):
    survey = ground.place("other_survey.h5")
    npy = cases.write_gathers(ground.place("other_npy"), [2 * gather for gather in ground.gathers])
    ground.run("consolidate", "--output", survey, npy)
    moved = ground.place("moved_survey.h5")
    shutil.copy(ground.survey, moved)
    with h5py.File(moved, "a") as file:
        file["ensemble/crossline"][...] += 1
    every = [
        ("another model", DATA, "model", {"model": ground.other_model}, []),
        ("another survey", DATA, "survey", {"survey": survey}, []),
        ("another survey of the same amplitudes", DATA, "crosslines", {"survey": moved}, []),
        ("apply.method", CONFIG, "apply.method=shared", {}, ["--set", "apply.method=direct"]),
        ("apply.mute_threshold", CONFIG, "apply.mute_threshold=0.001", {}, ["--set", "apply.mute_threshold=0.002"]),
        ("apply.keep_mutes", CONFIG, "apply.keep_mutes=false", {}, ["--set", "apply.keep_mutes=true"]),
        ("--difference", USAGE, "--difference", {}, ["--difference"]),
        ("--ensembles", USAGE, "--ensembles", {}, ["--ensembles", "#0-#4"]),
    ]
    for label, status, word, inputs, options in every:
        output = ground.part("other.h5", undone=(4,))
        before = resuming.content(output + ".part")
        result = tap.run(*ground.work(output, "--resume", *options, **inputs), ranks=2)
        tap.refused(result, status, word, "%s is refused" % label)
        tap.ok("--force" in result.err and resuming.content(output + ".part") == before and not os.path.exists(output),
               "%s: the unfinished file stays as it was" % label, result)
        how = {"another model": ["--force"], "--ensembles": ["--resume", "--force"]}.get(label)
        if how is None:
            continue
        fresh = tap.run(*ground.work(output, *options, *how, **inputs), ranks=2)
        tap.ok(fresh.status == 0 and not os.path.exists(output + ".part"), "%s: %s makes it anew" % (label, " ".join(how)), fresh)
        result = tap.run(*ground.work(output, "--resume"), ranks=2)
        tap.refused(result, status, "--force", "%s: a finished file of it is refused too" % label)
        os.remove(output)


def what_stands(ground):
    output = ground.part("stands.h5", undone=(2,))
    before = resuming.content(output + ".part")
    result = tap.run(*ground.work(output), ranks=2)
    tap.refused(result, USAGE, "--resume", "an unfinished file without --resume or --force is refused")
    tap.ok("--force" in result.err and resuming.content(output + ".part") == before, "and stays as it was", result)
    shutil.copy(ground.whole, output)
    result = tap.run(*ground.work(output, "--resume"))
    tap.refused(result, USAGE, "--force", "an unfinished file beside a finished one is refused")
    result = tap.run(*ground.work(output, "--resume", "--force"))
    resuming.same_bytes(result, output, ground.bytes, "--resume --force goes on and replaces the finished one")
    tap.ok(resuming.resumed_from(result) == (11, 12), "instead of starting anew", result)
    before = os.stat(output)
    for ranks in (0, 3):
        result = tap.run(*ground.work(output, "--resume"), ranks=ranks)
        tap.ok(result.status == 0 and "finished already" in result.err and os.stat(output).st_mtime_ns == before.st_mtime_ns,
               "a finished file is left alone, on %d ranks" % max(ranks, 1), result)
    output = ground.place("nothing.h5")
    result = tap.run(*ground.work(output, "--resume"), ranks=2)
    resuming.same_bytes(result, output, ground.bytes, "--resume without an unfinished file computes all")
    tap.ok("nothing to resume" in result.err, "and says so", result)
    tap.ok(cases.attributes(output)["history"].replace("nothing.h5", "whole.h5") == cases.attributes(ground.whole)["history"],
           "the history is that of a run without --resume")
    other = shutil.copy(ground.survey, ground.place("other.h5"))
    result = tap.run(*ground.work(other, "--resume"))
    tap.refused(result, DATA, "--force", "a finished file that is no prediction is refused")


def damaged(ground):
    whole = resuming.content(ground.part("good.h5") + ".part")
    for label, data in (("cut short", whole[:len(whole) // 2]), ("cut within its head", whole[:700]), ("empty", b""),
                        ("no HDF5", b"no HDF5 at all\n" * 100)):
        output = ground.place("damaged.h5")
        with open(output + ".part", "wb") as file:
            file.write(data)
        result = tap.run(*ground.work(output, "--resume"), ranks=2)
        resuming.same_bytes(result, output, ground.bytes, "an unfinished file that is %s is made anew" % label)
        tap.ok("warning: " in result.err and "starting anew" in result.err, "%s: with a warning" % label, result)
        os.remove(output)
    with open(ground.place("stale.h5.part.new"), "wb") as file:
        file.write(b"killed while it was created")
    result = tap.run(*ground.work(ground.place("stale.h5"), "--resume"), ranks=2)
    resuming.same_bytes(result, ground.place("stale.h5"), ground.bytes, "what a kill during the creation leaves does no harm")


def another_instruction_set(ground):
    isa = tap.other_isa()
    if isa is None:
        tap.skip("another instruction set", "this processor has but one")
        return
    output = ground.part("isa.h5", undone=(1, 9))
    result = tap.run(*ground.work(output, "--resume"), ranks=2, env=cases.forced(isa))
    found = cases.datasets(output) if result.status == 0 else {"amplitude": np.zeros(1)}
    tap.ok(result.status == 0 and "warning: " in result.err and isa in result.err
           and cases.of_largest(found["amplitude"], ground.bytes["amplitude"]) < 1e-5,
           "another instruction set goes on with a warning, the same to rounding", result)


def full_disk(ground):
    """With --ensembles nothing is reserved, so that the disk fills on the way."""
    options = ["--ensembles", "#0-#10"]
    whole = ground.place("disk_whole.h5")
    ground.run(*ground.work(whole, *options))
    folder = ground.place("disk")
    with cases.mounted(folder, "size=80k") as good:
        if not good:
            tap.skip("a disk that fills on the way", "mounting is not allowed here")
            return
        output = os.path.join(folder, "out.h5")
        result = tap.run(*ground.work(output, *options), ranks=3)
        tap.refused(result, IO, "--resume", "a disk that fills on the way")
        tap.ok("only" in result.err and "left" in result.err, "is named", result)
        part = output + ".part"
        done = int(cases.datasets(part)["ensemble/done"].sum()) if os.path.exists(part) else 0
        if tap.ok(0 < done < 11 and not os.path.exists(output), "what is done stays: %d gathers" % done, result):
            subprocess.run(["mount", "-o", "remount,size=8m", folder], check=True)
            result = tap.run(*ground.work(output, "--resume", *options), ranks=2)
            resuming.same_bytes(result, output, cases.datasets(whole), "with more space it is finished")
            tap.ok(resuming.resumed_from(result) == (done, 11), "from where it stood", result)


def a_bad_gather(ground):
    survey = ground.place("nan.h5")
    shutil.copy(ground.survey, survey)
    with h5py.File(survey, "a") as file:
        first = file["ensemble/first_trace"][()]
        good = float(file["amplitude"][first[8] + 3, 50])
        file["amplitude"][first[8] + 3, 50] = np.nan
        cases.forget_checksum(file, 0, 8)
    output = ground.place("nan_out.h5")
    result = tap.run(*ground.work(output, survey=survey))
    tap.refused(result, DATA, "#8", "a gather that is not finite stops it")
    tap.ok("--resume" in result.err and os.path.exists(output + ".part"), "what is done stays", result)
    with h5py.File(survey, "a") as file:
        file["amplitude"][first[8] + 3, 50] = good
    result = tap.run(*ground.work(output, "--resume", survey=survey), ranks=2)
    resuming.same_bytes(result, output, ground.bytes, "once the survey is mended it goes on")
    with h5py.File(survey, "a") as file:
        file["amplitude"][first[0], 0] = np.nan
    result = tap.run(*ground.work(ground.place("first.h5"), survey=survey))
    tap.ok(result.status == DATA and not os.path.exists(ground.place("first.h5.part")), "where nothing is done nothing stays",
           result)


# ---- kills ----


class Slow:
    """A survey and a network whose prediction takes seconds, and that prediction."""

    FOLD, SAMPLES, COUNT = 24, 150, 80

    def __init__(self, ground):
        self.ground = ground
        numbers = np.random.RandomState(4)
        npy = cases.write_gathers(ground.place("slow_npy"), [cases.random_gather(numbers, self.FOLD, self.SAMPLES)
                                                             for _ in range(self.COUNT)])
        self.survey, self.model, whole = (ground.place(name) for name in ("slow.h5", "slow_model.h5", "slow_whole.h5"))
        ground.run("consolidate", "--output", self.survey, npy)
        original.write_model(self.model, original.randomise(original.Original(1, 2, 4, 0.0), 5), 32)
        ground.run(*self.work(whole), ranks=2, seconds=200)
        self.bytes = cases.datasets(whole)

    def work(self, output, *more):
        return self.ground.work(output, "--set", "apply.method=direct", *more, survey=self.survey, model=self.model)


def time_limit(ground, slow):
    output = ground.place("limit.h5")
    for ranks in (0, 3):
        result = tap.run(*slow.work(output, "--resume", "--set", "apply.max_time_minutes=0.02"), ranks=ranks, seconds=200)
        tap.ok(result.status == resuming.INTERRUPTED and resuming.stopped_so(result, "its time limit"),
               "apply.max_time_minutes stops it, on %d ranks" % max(ranks, 1), result)
    result = tap.run(*slow.work(output, "--resume"), ranks=2, seconds=200)
    resuming.same_bytes(result, output, slow.bytes, "and it goes on from there")


def killed_at_each_write(ground):
    """A library that is loaded before the program kills it right before its n-th call that changes the file."""
    library = ground.place("kill_at_write.so")
    source = os.path.join(cases.HERE, "kill_at_write.c")
    made = tap.command(["cc", "-D_GNU_SOURCE", "-shared", "-fPIC", "-o", library, source, "-ldl"])
    if not tap.ok(made.status == 0, "the library that kills is built", made):
        return
    # a library of the sanitizer's wants to be first, and is not missed by this one
    base = {"LD_PRELOAD": library, "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}
    counted = ground.place("count")
    options = ["--ensembles", "#0-#4"]
    whole = ground.place("written.h5")
    result = tap.run(*ground.work(whole, *options), env=dict(base, KILL_COUNT=counted))
    if not tap.ok(result.status == 0 and os.path.exists(counted), "its calls are counted", result):
        return
    wanted, calls = cases.datasets(whole), int(resuming.content(counted))

    def kill_and_resume(n):
        output = ground.place("written_%d.h5" % n)
        killed = tap.run(*ground.work(output, *options), env=dict(base, KILL_AT=str(n)))
        there = [ending for ending in ("", ".part") if os.path.exists(output + ending)]
        readable = all(cases.datasets(output + ending) for ending in there)
        result = tap.run(*ground.work(output, "--resume", *options))
        good = result.status == 0 and killed.status == -signal.SIGKILL and readable and len(there) < 2 and not cases.differing(
            cases.datasets(output), wanted)
        return good, "damaged" in result.err, n, resuming.resumed_from(result), "%s\n%s" % (killed, result)

    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        found = list(pool.map(kill_and_resume, range(1, calls + 1)))
    bad = [entry for entry in found if not entry[0] or entry[1]]
    tap.ok(calls > 30 and not bad, "killed before each of %d calls that change the file, it is resumed to the same bytes" % calls,
           "\n".join("before call %d:\n%s" % (n, text) for _, _, n, _, text in bad[:3]))
    tap.ok({entry[3] for entry in found} >= {(done, 5) for done in range(6)}, "from every number of gathers", found)


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what is mounted is unmounted
    with tempfile.TemporaryDirectory() as folder:
        ground = Ground(folder)
        for group in (only_what_lacks, parts_of_a_survey, other_work, what_stands, damaged, another_instruction_set, full_disk,
                      a_bad_gather, killed_at_each_write):
            group(ground)
        slow = Slow(ground)
        turns = [(2, resuming.ONE), (4, resuming.USR1), (1, resuming.ALL), (7, resuming.TERM), (3, resuming.ONE),
                 (4, resuming.MPIRUN), (2, resuming.ALL), (1, resuming.USR1), (3, resuming.TERM), (7, resuming.ONE)]
        resuming.kills(slow.work, ground.place("killed.h5"), slow.COUNT, slow.bytes, turns, 11)
        time_limit(ground, slow)
    tap.done()


if __name__ == "__main__":
    main()
