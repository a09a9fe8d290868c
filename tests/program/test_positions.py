"""Positions from below 0 to above, -1 among them, through every command; files of version 1, where -1 means unknown."""
import csv
import os

import h5py
import numpy as np

import cases
import segy_files
import tap

UNKNOWN = -2 ** 31
TRACES, SAMPLES, SIZE = 20, 60, 16
PLACES = [(-1, x) for x in (-3, -2, -1, 0, 1)] + [(-5, -10), (-5, 7), (0, 0), (3, -2)]
PATCH = ["--set", "patch.size=%d" % SIZE, "--set", "patch.stride=4", "--set", "network.levels=2"]
place = tap.folder()


def at(name):
    return str(place / name)


def name_of(position):
    return "gather_inline_%d_crossline_%d.npy" % position


def positions(path):
    data = cases.datasets(at(path))
    return list(zip(data["ensemble/inline"].tolist(), data["ensemble/crossline"].tolist()))


random = np.random.RandomState(5)
gathers = {position: random.standard_normal((TRACES, SAMPLES)).astype(np.float32) for position in PLACES}
os.mkdir(at("npy"))
for position, gather in gathers.items():
    np.save(at("npy/" + name_of(position)), gather)


def consolidated():
    for ranks in (1, 3):
        result = tap.run("consolidate", "--output", at("s.h5"), "--interval-us", "4000", at("npy"), "--force", ranks=ranks)
        tap.ok(result.status == 0 and cases.attributes(at("s.h5"))["version"] == 2 and sorted(positions("s.h5"))
               == sorted(PLACES), "consolidate reads negative lines from names, on %d ranks" % ranks, result)
    result = tap.run("info", at("s.h5"))
    tap.ok("-5 to 3" in result.out and "-10 to 7" in result.out and "unknown" not in result.out,
           "info: no number below 0 is taken for unknown", result)


def as_version_1():
    """What the program wrote before: version 1, -1 for what is not known."""
    with h5py.File(at("s.h5")) as new, h5py.File(at("old.h5"), "w") as old:
        for name, value in new.attrs.items():
            old.attrs[name] = value
        for name in new:
            new.copy(name, old)
        old.attrs["version"] = 1
        old["ensemble/inline"][...] = [-1, 100, 100, 100, 100, 101, -1, 101, 101]
        old["ensemble/crossline"][...] = [-1, 1, 2, 3, 4, 7, 5, 9, -1]


def version_1():
    as_version_1()
    known = [None, (100, 1), (100, 2), (100, 3), (100, 4), (101, 7), None, (101, 9), None]
    result = tap.run("info", at("old.h5"))
    tap.ok("100 to 101 (unknown for 2)" in result.out and "1 to 9 (unknown for 2)" in result.out,
           "version 1: -1 is unknown", result)
    tap.refused(tap.run("export", "--survey", at("old.h5"), "--output", at("never"), "--ensembles=-1:-1", ranks=3), 2,
                "no gather is '-1:-1'", "version 1: no selector names what is unknown")
    result = tap.run("attributes", "--survey", at("old.h5"), "--add", "envelope", ranks=3)
    tap.ok(result.status == 0 and cases.attributes(at("old.h5"))["version"] == 1 and positions("old.h5")[0] == (-1, -1),
           "version 1 with an attribute added stays what it was", result)
    before = cases.attributes(at("old.h5"))["checksum"]
    for ranks in (1, 3):
        result = tap.run("mean", "--survey", at("old.h5"), "--output", at("m.h5"), "--traces", "3", "--gathers", "3", "--force",
                         ranks=ranks)
        found = positions("m.h5")
        tap.ok(result.status == 0 and "%d gathers have no neighbour" % 3 in result.err and found
               == [(UNKNOWN, UNKNOWN), *known[1:6], (UNKNOWN, 5), (101, 9), (101, UNKNOWN)]
               and cases.attributes(at("m.h5"))["version"] == 2
               and cases.attributes(at("m.h5"))["survey_checksum"] == before,
               "version 1: its prediction is of version 2, on %d ranks" % ranks, result)
    result = tap.run("qc", "--survey", at("old.h5"), "--predicted", at("m.h5"), "--gathers", at("qc.csv"), ranks=3)
    rows = list(csv.DictReader(open(at("qc.csv")))) if result.status == 0 else []
    tap.ok([(row["inline"], row["crossline"]) for row in rows] == [
        ("", ""), *[(str(a), str(b)) for a, b in known[1:6]], ("", "5"), ("101", "9"), ("101", "")],
        "qc pairs it with its survey; its table leaves out what is not known", result)
    result = tap.run("export", "--survey", at("old.h5"), "--output", at("old"), ranks=3)
    tap.ok(result.status == 0 and sorted(os.listdir(at("old"))) == sorted(
        name_of(known[e]) if known[e] else "gather_%d.npy" % e for e in range(9)), "export names it as before", result)


def resumed():
    """A prediction that an earlier version of the program began."""
    words = ["mean", "--survey", at("old.h5"), "--output", at("r.h5"), "--traces", "3"]
    result = tap.run(*words)
    whole = cases.datasets(at("r.h5"))
    os.rename(at("r.h5"), at("r.h5.part"))
    with h5py.File(at("r.h5.part"), "a") as file:
        file.attrs["version"] = 1
        for name in ("inline", "crossline"):
            lines = file["ensemble/" + name][()]
            file["ensemble/" + name][...] = np.where(lines == UNKNOWN, -1, lines)
        file["ensemble/done"][5:] = 0
    again = tap.run(*words, "--resume", ranks=3)
    with h5py.File(at("r.h5")) as file:
        same = np.array_equal(file["amplitude"][()], whole["amplitude"]) and file.attrs["version"] == 1
    tap.ok(result.status == 0 and again.status == 0 and same and "5 of 9 gathers are done" in again.err,
           "a prediction of version 1 is resumed, and stays of version 1", again)


def selected():
    several = {"-5--3:-10-4": [(-5, -10)], "-1--1:-2-0": [(-1, -2), (-1, -1), (-1, 0)], "3:-2,#0": None, "-1:-1": [(-1, -1)]}
    for number, (text, wanted) in enumerate(several.items()):
        if wanted is None:
            wanted = [(3, -2), positions("s.h5")[0]]
        joined = ["--ensembles=" + text] if number % 2 else ["--ensembles", text]
        result = tap.run("export", "--survey", at("s.h5"), "--output", at("some%d" % number), *joined, ranks=3 * (number % 2))
        tap.ok(result.status == 0 and sorted(os.listdir(at("some%d" % number))) == sorted(map(name_of, wanted)),
               "a list of negative lines: " + text, result)
    for words in (["--ensemble", "-1:-1"], ["--ensemble=-5:7"]):
        result = tap.run("plot", "--survey", at("s.h5"), *words, "--output", at("p.png"), "--script", at("p.gp"), "--force")
        inline, crossline = words[-1].split("=")[-1].split(":")
        title = "inline %s, crossline %s (gather" % (inline, crossline)
        tap.ok(result.status == 0 and title in open(at("p.gp"), errors="replace").read(),
               "plot %s, with its position over it" % " ".join(words), result)
    result = tap.run("export", "--survey", at("s.h5"), "--output", at("back"), ranks=3)
    tap.ok(result.status == 0 and sorted(os.listdir(at("back"))) == sorted(map(name_of, PLACES)) and all(
        np.array_equal(np.load(at("back/" + name_of(p))), gathers[p]) for p in PLACES),
           "export writes the names that consolidate reads", result)


def trained():
    """Neighbours of (-1, -1) are (-1, -2) and (-1, 0)."""
    words = ["mean", "--survey", at("s.h5"), "--traces", "1", "--gathers", "3"]
    for ranks in (1, 3):
        result = tap.run(*words, "--output", at("mean.h5"), "--force", ranks=ranks)
        mean = dict(zip(positions("mean.h5"), cases.read_gathers(at("mean.h5"))))
        wanted = (gathers[-1, -2] + gathers[-1, -1] + gathers[-1, 0]) / 3
        tap.ok(result.status == 0 and cases.of_largest(mean[-1, -1], wanted) < 1e-6
               and "2 gathers have no neighbour" in result.err,
               "neighbours across 0, on %d ranks" % ranks, result)
    train = ["train", "--survey", at("s.h5"), *PATCH, "--set", "train.target=blind_gather", "--set", "train.max_epochs=1"]
    models = []
    for ranks in (1, 3):
        result = tap.run(*train, "--output", at("t%d" % ranks), ranks=ranks)
        tap.ok(result.status == 0 and "neighbours: 3 gathers have two, 4 have one, 1 to 17 crosslines apart" in result.err,
               "train.target=blind_gather on %d ranks" % ranks, result)
        models.append(cases.datasets(at("t%d/last.h5" % ranks)))
    tap.ok(not [name for name in cases.differing(*models) if name.startswith("state_dict")], "and the same bits")
    output = {}
    for ranks, words in ((1, []), (3, []), (1, ["--ensembles", "-1:-1"])):
        result = tap.run("apply", "--survey", at("s.h5"), "--model", at("t1/best.h5"), "--output", at("a.h5"), "--force", *words,
                         ranks=ranks)
        output[ranks, len(words)] = dict(zip(positions("a.h5"), cases.read_gathers(at("a.h5"))))[-1, -1]
        tap.runs(result, "apply of it on %d ranks %s" % (ranks, " ".join(words)))
    tap.ok(len({value.tobytes() for value in output.values()}) == 1 and np.any(output[1, 0] != gathers[-1, -1]),
           "predicts the gather at -1:-1")


def from_segy():
    fields = segy_files.positions([-2, -1, 0], [-1, 0], [100, 200])
    fields += [{189: UNKNOWN, 193: 5, 37: 100}]
    segy_files.File(segy_files.values_of(len(fields), 8), fields).write(at("n.sgy"))
    for ranks in (1, 3):
        result = tap.run("consolidate", "--output", at("n.h5"), at("n.sgy"), "--force", ranks=ranks)
        tap.ok(result.status == 0 and positions("n.h5") == [(UNKNOWN, UNKNOWN)] + [(i, x) for i in (-2, -1, 0) for x in (-1, 0)]
               and "1 gather has the number -2147483648 as inline or crossline" in result.err,
               "SEG-Y with negative lines, and the one number that is none, on %d ranks" % ranks, result)
    result = tap.run("export", "--survey", at("s.h5"), "--output", at("s.sgy"), ranks=3)
    again = tap.run("consolidate", "--output", at("again.h5"), at("s.sgy"))
    tap.ok(result.status == 0 and again.status == 0 and sorted(positions("again.h5")) == sorted(PLACES),
           "export as SEG-Y keeps them", again)


consolidated()
version_1()
resumed()
selected()
trained()
from_segy()
tap.done()
