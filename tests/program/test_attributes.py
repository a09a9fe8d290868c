"""attributes: their values against numpy's FFT, the same bytes for any number of ranks; killed before each call that
changes a file, or on any rank, the survey is as it was or has all of them; what is refused leaves it as it was."""
import concurrent.futures
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import h5py
import numpy as np

import cases
import processes
import tap

os.environ["OMPI_MCA_ess_singleton_isolated"] = "1"  # a run without mpirun starts sooner
USAGE, DATA, IO, NUMERIC = 2, 4, 5, 7
FOLDS, SAMPLES, INTERVAL = (20, 24, 9, 31, 17, 20), 150, 4000
LIST = "envelope,cosphase,band:10-20,band:20-40"
NAMES = ["band_010_020", "band_020_040", "cosphase", "envelope"]


class Ground:
    """A folder with a survey of few gathers."""

    def __init__(self, folder):
        self.folder = folder
        random = np.random.RandomState(5)
        self.gathers = [cases.random_gather(random, n_traces, SAMPLES) for n_traces in FOLDS]
        self.survey = self.place("survey.h5")
        npy = cases.write_gathers(self.place("npy"), self.gathers)
        self.run("consolidate", "--output", self.survey, "--interval-us", INTERVAL, npy)
        self.before = cases.datasets(self.survey)

    def place(self, name):
        return os.path.join(self.folder, name)

    def run(self, *words, ranks=0, seconds=60, cwd=None):
        result = tap.run(*words, ranks=ranks, seconds=seconds, cwd=cwd)
        if not tap.runs(result, "good input: " + words[0]):
            tap.done()
        return result

    def copy(self, name, of=None):
        """A copy of the survey, in a folder of its own."""
        os.makedirs(self.place(name), exist_ok=True)
        return shutil.copy(of or self.survey, self.place(name + "/survey.h5"))


def content(path):
    with open(path, "rb") as file:
        return file.read()


def plain(traces):
    """{name: values} of traces [n, SAMPLES], by numpy's FFT in double."""
    length = 2 * SAMPLES
    while max(prime for prime in range(2, length + 1) if length % prime == 0 and all(prime % q for q in range(2, prime))) > 7:
        length += 2
    x = np.asarray(traces, dtype=np.float64)
    spectrum = np.fft.rfft(x, length)
    f = np.arange(spectrum.shape[1]) * 1e6 / (length * INTERVAL)
    inside = np.where((f > 0) & (np.arange(len(f)) < length // 2), 1, 0)
    hilbert = np.fft.irfft(-1j * spectrum * inside, length)[:, :SAMPLES]
    magnitude = np.hypot(x, hilbert)

    def rise(edge):
        return 0.5 - 0.5 * np.cos(np.pi * np.clip((f / edge - 0.8) / 0.4, 0, 1))

    found = {"envelope": magnitude, "cosphase": np.divide(x, magnitude, out=np.zeros_like(x), where=magnitude > 0)}
    for low, high in ((10, 20), (20, 40)):
        found["band_%03d_%03d" % (low, high)] = np.fft.irfft(spectrum * (rise(low) - rise(high)), length)[:, :SAMPLES]
    return found


def untouched(path, before):
    """Whether a survey holds just these datasets, and no attribute."""
    return not cases.differing(cases.datasets(path), before)


# ---- values, ranks, what stands there ----


def values(ground):
    made = []
    for ranks in (0, 2, 3, 8):  # 8: more than there are gathers
        path = ground.copy("ranks%d" % ranks)
        result = tap.run("attributes", "--survey", "survey.h5", "--add", LIST, ranks=ranks, cwd=os.path.dirname(path))
        if not tap.runs(result, "attributes on %d ranks" % max(ranks, 1)):
            return None
        made.append(content(path))
        tap.ok(os.listdir(os.path.dirname(path)) == ["survey.h5"], "nothing is left beside it", os.listdir(os.path.dirname(path)))
    tap.ok(all(data == made[0] for data in made), "the file has the same bytes for any number of ranks")
    path, found = ground.place("ranks0/survey.h5"), cases.datasets(ground.place("ranks0/survey.h5"))
    wanted, shared = plain(ground.before["amplitude"]), {"cosphase": "none"}
    with h5py.File(path, "r") as file:
        tap.ok(list(file["attribute"]) == NAMES, "their names", list(file["attribute"]))
        for name in NAMES:
            data = file["attribute/" + name]
            size = np.abs(wanted[name]).max(axis=1, keepdims=True) + 1e-30
            error = np.max(np.abs(data[()] - wanted[name]) / size)
            tap.ok(data.dtype == np.float32 and error < 2e-7, name + " is numpy's to 2e-7 of a trace's largest", "%.2e" % error)
            facts = {key: value.decode() if isinstance(value, bytes) else value for key, value in data.attrs.items()}
            tap.ok(facts["scale"] == shared.get(name, "shared") and facts["survey_checksum"] == file.attrs["checksum"]
                   and facts["definition"] and file["attribute_checksum/" + name].shape == (len(FOLDS),),
                   name + ": its scale, what it is, and its checksums", facts)
    rest = {name: data for name, data in found.items() if not name.startswith("attribute")}
    tap.ok(not cases.differing(rest, ground.before) and cases.attributes(path)["checksum"] == cases.attributes(ground.survey)["checksum"]
           and "attributes --survey survey.h5 --add " + LIST in cases.attributes(path)["history"],
           "all else is as it was, but for the history", cases.differing(rest, ground.before))
    return path


def verified(ground, path):
    for ranks in (0, 3):
        result = tap.run("info", path, "--verify", ranks=ranks)
        tap.ok(result.status == 0 and "every checksum matches" in result.out and re.search(r"channel 3 +cosphase \(scale none\): cosine", result.out),
               "info lists and verifies them", result)
    bad = ground.copy("bad", path)
    with h5py.File(bad, "a") as file:
        file["attribute/cosphase"][FOLDS[0] + 3, 7] = 0.25
        file["attribute/mine"] = np.zeros_like(file["amplitude"])
    result = tap.run("info", bad, "--verify", ranks=2)
    tap.refused(result, DATA, "/attribute/cosphase: 1 gather does not match its checksum: gather #1", "a changed value is found")
    result = tap.run("attributes", "--survey", bad, "--add", "cosphase", "--force", ranks=2)
    again = tap.run("info", bad, "--verify")
    tap.ok(result.status == 0 and again.status == 0 and "/attribute/mine has none" in again.out
           and not cases.differing(cases.datasets(bad, "attribute/mine"), cases.datasets(path)),
           "--force makes it anew, and nothing else; a user's own has no checksums", "%s\n%s" % (result, again))
    with h5py.File(bad, "a") as file:
        file["attribute_checksum/envelope"][2] = 1
    tap.refused(tap.run("info", bad, "--verify"), DATA, "/attribute/envelope: 1 gather", "so is a changed checksum")
    with h5py.File(bad, "a") as file:
        del file["attribute/envelope"], file["attribute/mine"]
        file["attribute/envelope"] = np.zeros_like(file["amplitude"])
    result = tap.run("info", bad, "--verify")
    tap.ok(result.status == 0 and "/attribute/envelope has none" in result.out, "one that was written anew by another hand has none", result)


def grows(ground, path):
    """Attributes that come one after the other, and the space of those that are replaced."""
    other = ground.copy("grows")
    for name in ("band:20-40", "envelope", "cosphase", "band:10-20"):
        ground.run("attributes", "--survey", other, "--add", name, ranks=2)
    tap.ok(not cases.differing(cases.datasets(other), cases.datasets(path)), "one after the other they are the same as at once")
    blocks = os.stat(other).st_blocks
    for _ in range(3):
        ground.run("attributes", "--survey", other, "--add", LIST, "--force")
    tap.ok(not cases.differing(cases.datasets(other), cases.datasets(path)) and os.stat(other).st_blocks < 1.5 * blocks,
           "replaced ones give back their space", (blocks, os.stat(other).st_blocks))


# ---- what is refused ----


def refusals(ground, path):
    blind = ground.place("blind.h5")
    ground.run("consolidate", "--output", blind, ground.place("npy"))
    nan, huge = ground.copy("nan"), ground.copy("huge")
    with h5py.File(nan, "a") as file:
        file["amplitude"][FOLDS[0] + FOLDS[1] + 4, 11] = np.nan
        cases.forget_checksum(file, 2)
    with h5py.File(huge, "a") as file:
        file["amplitude"][5, 10:14] = [3e38, -3e38, 3e38, -3e38]
        cases.forget_checksum(file, 0)
    newer, newest = ground.place("newer.h5"), ground.place("newest.h5")
    for name, version in ((newer, ("v108", "v108")), (newest, "latest")):
        with h5py.File(ground.survey, "r") as old, h5py.File(name, "w", libver=version) as file:
            for group in old:
                old.copy(group, file)
            for key, value in old.attrs.items():
                file.attrs[key] = value
    many = ground.copy("many")
    with h5py.File(many, "a") as file:
        for number in range(62):
            file["attribute/a%02d" % number] = file["amplitude"]
    every = [
        (ground.survey, "envelop", USAGE, "did you mean envelope?"),
        (ground.survey, "band:20-10", USAGE, "band:LO-HI"),
        (ground.survey, "envelope,envelope", USAGE, "twice"),
        (ground.survey, "band:10-126", USAGE, "125 Hz"),
        (path, "band:40-80,cosphase", USAGE, "/attribute/cosphase already"),
        (blind, "envelope,band:10-20", DATA, "--interval-us"),
        (nan, LIST, DATA, "gather #2"),
        (huge, LIST, NUMERIC, "gather #0"),
        (newer, LIST, DATA, "superblock is of version 2"),
        (newest, LIST, DATA, "newer kind"),
        (many, LIST, DATA, "more than 64"),
        (ground.place("none.h5"), LIST, IO, "none.h5"),
        (ground.place("npy/shot_inline_100_crossline_200.npy"), LIST, DATA, "HDF5"),
    ]
    for survey, names, status, word in every:
        before = content(survey) if os.path.exists(survey) else None
        for ranks in (0, 3) if survey in (path, nan, huge, newer) else (0,):  # mpirun takes a second to end badly
            result = tap.run("attributes", "--survey", survey, "--add", names, ranks=ranks)
            tap.refused(result, status, word, "refused: %s of %s" % (names, os.path.basename(survey)))
        tap.ok(before is None or content(survey) == before, "the survey has the bytes that it had")
        tap.ok(not os.path.exists(survey + ".new"), "nothing is left beside it")
    result = tap.run("attributes", "--survey", blind, "--add", "envelope,cosphase")
    tap.runs(result, "without bands no sample interval is needed")
    other = ground.copy("open")
    with h5py.File(other, "a") as file:
        tap.ok(file["amplitude"].shape[0] > 0 and tap.run("attributes", "--survey", other, "--add", "envelope", ranks=2).status == IO,
               "a survey that another program writes to is refused")
    folder = ground.place("disk")
    with cases.mounted(folder, "size=%dk" % (2 * os.path.getsize(ground.survey) // 1024)) as good:
        if not good:
            tap.skip("a full disk", "mounting is not allowed here")
            return
        full = shutil.copy(ground.survey, folder)
        result = tap.run("attributes", "--survey", full, "--add", LIST, ranks=2)
        tap.refused(result, IO, "left", "a disk with too little room is found before anything is computed")
        tap.ok(content(full) == content(ground.survey) and os.listdir(folder) == [os.path.basename(full)], "and nothing is changed")


# ---- kills ----


def killed_at_each_write(ground, path):
    library = ground.place("kill_at_write.so")
    made = tap.command(["cc", "-D_GNU_SOURCE", "-shared", "-fPIC", "-o", library, os.path.join(cases.HERE, "kill_at_write.c"), "-ldl"])
    if not tap.ok(made.status == 0, "the library that kills is built", made):
        return
    base = {"LD_PRELOAD": library, "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}
    old = ground.place("ranks0/survey.h5")
    with h5py.File(ground.copy("two"), "a") as file:  # one that is replaced, and a user's own
        file["attribute/cosphase"] = file["amplitude"][()] * 2
        file["attribute/mine"] = file["amplitude"][()] * 3
    start = ground.place("two/survey.h5")
    before, after = cases.datasets(start), dict(cases.datasets(old), **{"attribute/mine": cases.datasets(start)["attribute/mine"]})
    words = ["attributes", "--survey", "survey.h5", "--add", LIST, "--force"]
    counted = ground.place("count")
    os.makedirs(ground.place("tmp0"))
    result = tap.run(*words, cwd=os.path.dirname(ground.copy("counted", start)),
                     env=dict(base, KILL_NAME="survey.h5", KILL_COUNT=counted, TMPDIR=ground.place("tmp0")))
    if not tap.ok(result.status == 0 and os.path.exists(counted), "its calls are counted", result):
        return
    calls = int(content(counted))

    def kill_and_run_again(n):
        survey = ground.copy("killed%d" % n, start)
        place, apart = os.path.dirname(survey), {"TMPDIR": ground.place("tmp%d" % n)}  # MPI's own files apart from its neighbours'
        os.makedirs(apart["TMPDIR"])
        killed = tap.run(*words, cwd=place, env=dict(base, KILL_NAME="survey.h5", KILL_AT=str(n), **apart))
        found = cases.datasets(survey)
        state = "before" if not cases.differing(found, before) else "after" if not cases.differing(found, after) else "broken"
        again = tap.run(*words, cwd=place, env=apart) if n % 4 == 0 or n > calls - 10 else None
        differing, there = cases.differing(cases.datasets(survey), after), os.listdir(place)
        shutil.rmtree(place)
        good = killed.status == -signal.SIGKILL and state != "broken" and (
            again is None or (again.status == 0 and not differing and there == ["survey.h5"]))
        return good, state, "before call %d: %s; then %s, differing %s\n%s\n%s" % (n, state, there, differing, killed, again)

    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        found = list(pool.map(kill_and_run_again, range(1, calls + 1)))
    bad = [text for good, _, text in found if not good]
    states = [state for _, state, _ in found]
    tap.ok(calls > 60 and not bad, "killed before each of %d calls that change a file, the survey is as it was or as it is to be, "
           "and the next run makes it so" % calls, "\n".join(bad[:3]))
    tap.ok(states == sorted(states, reverse=True) and {"before", "after"} == set(states), "first the one, from one call on the other", states)


def killed_on_ranks(ground):
    """kill -9 of a rank, or of all, in the middle of a larger survey; the file is read while they work."""
    large = ground.place("large.h5")
    random = np.random.RandomState(6)
    npy = cases.write_gathers(ground.place("large_npy"), [random.standard_normal((40, 1000)).astype(np.float32) for _ in range(100)])
    ground.run("consolidate", "--output", large, "--interval-us", INTERVAL, npy, ranks=2)
    before, words, states = cases.datasets(large), ["attributes", "--survey", large, "--add", LIST, "--force"], []
    for turn, (ranks, which) in enumerate([(3, 1), (2, None), (3, 0), (4, 3)]):
        process = subprocess.Popen([*tap.MPIRUN, "-n", str(ranks), tap.PROGRAM, *words], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        end = time.monotonic() + 30 * tap.TIME_FACTOR
        size = os.path.getsize(large)
        while process.poll() is None and time.monotonic() < end and os.path.getsize(large) <= size:
            time.sleep(0.002)
        time.sleep(0.02 * turn)
        mine = sorted(processes.running(tap.PROGRAM, large))
        if len(mine) == ranks:
            processes.send(mine if which is None else [mine[which]], signal.SIGKILL)
        try:
            process.wait(60 * tap.TIME_FACTOR)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        found = cases.datasets(large)
        rest = {name: data for name, data in found.items() if not name.startswith("attribute")}
        whole = all("attribute/" + name in found for name in NAMES)
        states.append((process.returncode, "attribute" in str(list(found)), whole))
        tap.ok(not cases.differing(rest, before) and (whole or "attribute" not in str(list(found))),
               "turn %d: the survey is as it was, or has all of them" % turn, states)
    tap.ok(any(status != 0 for status, _, _ in states), "some were killed", states)
    ground.run(*words, ranks=2)
    result = tap.run("info", large, "--verify", ranks=2)
    tap.ok(result.status == 0 and len(cases.datasets(large)) == len(before) + 2 * len(NAMES), "and in the end they are there", result)


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what is mounted is unmounted
    ground = Ground(str(tap.folder()))
    result = tap.run("attributes", "--survey", ground.copy("first"), "--add", "envelope")
    if "without FFTW" in result.err:
        tap.refused(result, USAGE, "libfftw3-dev", "a program without FFTW says so")
        tap.done()
    path = values(ground)
    if path is None:
        tap.done()
    for group in (verified, grows, refusals, killed_at_each_write):
        group(ground, path)
    killed_on_ranks(ground)
    tap.done()


if __name__ == "__main__":
    main()
