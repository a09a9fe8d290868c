"""Gathers that share a position: reported, no neighbours of each other, on one side of every split."""
import os

import numpy as np

import cases
import segy_files
import tap

TRACES, SAMPLES, SIZE = 20, 50, 16
PATCH = ["--set", "patch.size=%d" % SIZE, "--set", "patch.stride=5", "--set", "network.levels=2"]
place = tap.folder()
random = np.random.RandomState(3)


def at(name):
    return str(place / name)


def consolidated(name, folds, ranks=0):
    """A survey of .npy files {file name: traces}; returns the result and the gathers in the survey's order."""
    folder = at(name)
    if not os.path.isdir(folder):
        os.mkdir(folder)
        for file, fold in folds.items():
            np.save(folder + "/" + file, random.standard_normal((fold, SAMPLES)).astype(np.float32))
    return tap.run("consolidate", "--output", at(name + ".h5"), "--force", folder, ranks=ranks)


def positions(name):
    data = cases.datasets(at(name + ".h5"))
    return list(zip(data["ensemble/inline"].tolist(), data["ensemble/crossline"].tolist()))


def materialised(name, by, ranks, *words):
    """The rows of each split of a map that index wrote."""
    result = tap.run("index", "--survey", at(name + ".h5"), "--output", at("map_%s.h5" % by), "--materialize", "--force",
                     *PATCH, "--set", "split.by=" + by, *words, ranks=ranks)
    if result.status != 0:
        return result, None
    data = cases.datasets(at("map_%s.h5" % by))
    return result, {split: [tuple(row) for row in data[split].tolist()] for split in ("train", "valid", "test")}


# twelve positions on three inlines, most of them twice, one three times, and two gathers without any
FILES = {"%s_inline_%d_crossline_%d.npy" % (part, -1 + k // 4, 10 + k % 4): TRACES for part in "ab" for k in range(12)
         if part == "a" or k % 3 < 2}
FILES.update({"c_inline_-1_crossline_10.npy": TRACES, "other.npy": TRACES, "others.npy": TRACES})
REPEATS = len(FILES) - 12 - 2


def report():
    for ranks in (1, 3):
        result = consolidated("twice", FILES, ranks)
        tap.ok(result.status == 0 and result.err.count("warning: %d gathers repeat the position of an earlier one, the first: "
               "gather #12 (inline -1, crossline 10) of b_inline_-1_crossline_10.npy; all are kept" % REPEATS) == 1,
               "repeated positions are reported, on %d ranks" % ranks, result)
    result = consolidated("pair", {"x_inline_1_crossline_1.npy": TRACES, "y_inline_1_crossline_1.npy": TRACES,
                                   "z_inline_1_crossline_2.npy": TRACES})
    tap.ok("1 gather repeats the position of an earlier one, the first: gather #1 (inline 1, crossline 1) of "
           "y_inline_1_crossline_1.npy; all are kept" in result.err, "one too", result)
    result = consolidated("single", {"x_inline_1_crossline_%d.npy" % k: TRACES for k in range(3)})
    tap.ok(result.status == 0 and "repeat" not in result.err, "and none where there is none", result)
    result = tap.run("export", "--survey", at("pair.h5"), "--output", at("out"), ranks=3)
    tap.ok(sorted(os.listdir(at("out"))) == ["gather_0.npy", "gather_1.npy", "gather_inline_1_crossline_2.npy"],
           "export gives no two files one name", result)


def splits():
    where = positions("twice")
    for by in ("ensemble", "inline", "patch"):
        for ranks in (1, 3):
            result, rows = materialised("twice", by, ranks)
            if not tap.ok(rows is not None and all(rows.values()), "split.by=%s on %d ranks" % (by, ranks), result):
                continue
            if ranks == 1:
                first = rows
                sides = {}
                for split, list_of in rows.items():
                    for e, trace, sample in list_of:
                        what = where[e] if where[e][0] > -100 else e
                        sides.setdefault((what, trace, sample) if by == "patch" else what, set()).add(split)
                tap.ok(all(len(side) == 1 for side in sides.values())
                       and "%d of %d gathers have the position of an earlier one" % (REPEATS, len(FILES)) in result.err,
                       "split.by=%s: repeats lie on one side" % by, (sides, result))
                patches = sum(map(len, rows.values()))
                tap.ok(patches == len(FILES) * 7 * 1 and len(rows["test"]) >= 0.1 * patches,
                       "split.by=%s: every patch is dealt" % by, {split: len(rows[split]) for split in rows})
            else:
                tap.ok(rows == first, "split.by=%s: the same map on %d ranks" % (by, ranks))


def trained():
    """From the rule and from its rows: the same bits, so their canonical orders are one."""
    weights = []
    train = ["--set", "train.max_epochs=1", "--set", "train.batch_size=16"]
    _, rows = materialised("twice", "patch", 1)
    for number, (ranks, words) in enumerate(((1, []), (3, []), (3, ["--map", at("map_patch.h5")]))):
        words = words or [*PATCH, "--set", "split.by=patch"]
        result = tap.run("train", "--survey", at("twice.h5"), "--output", at("t%d" % number), *train, *words,
                         "--set", "network.levels=2", ranks=ranks)
        tap.runs(result, "training, %d" % number)
        weights.append({name: value for name, value in cases.datasets(at("t%d/last.h5" % number)).items()
                        if name.startswith("state_dict")} if result.status == 0 else number)
    tap.ok(all(isinstance(w, dict) and not cases.differing(w, weights[0]) for w in weights),
           "split.by=patch with repeats: the same bits from rule and rows, on 1 and 3 ranks")


def unlike():
    """Gathers of one position that differ in their traces."""
    folds = {"a_inline_1_crossline_%d.npy" % k: TRACES for k in range(10)}
    folds["b_inline_1_crossline_3.npy"] = TRACES + 5
    consolidated("unlike", folds)
    where = positions("unlike")
    for ranks in (1, 3):
        result, rows = materialised("unlike", "patch", ranks)
        tap.ok(rows is not None and not [row for split in ("valid", "test") for row in rows[split] if where[row[0]] == (1, 3)]
               and "2 gathers train whole" in result.err, "split.by=patch trains on them whole, on %d ranks" % ranks, result)


def neighbours():
    gathers = cases.read_gathers(at("pair.h5"))
    for ranks in (1, 3):
        result = tap.run("mean", "--survey", at("pair.h5"), "--output", at("mean.h5"), "--traces", "1", "--gathers", "3",
                         "--force", ranks=ranks)
        wanted = [(gathers[0] + gathers[2]) / 2, (gathers[1] + gathers[2]) / 2, (gathers[0] + gathers[2]) / 2]
        found = cases.read_gathers(at("mean.h5")) if result.status == 0 else []
        tap.ok(result.status == 0 and all(cases.of_largest(a, b) < 1e-6 for a, b in zip(found, wanted))
               and "0 gathers have two, 3 have one, 1 to 1 crossline apart" in result.err,
               "mean: no gather is the neighbour of one at its own position, on %d ranks" % ranks, result)
    for target in ("neighbour", "blind_gather"):
        result = tap.run("train", "--survey", at("pair.h5"), "--output", at("n_" + target), *PATCH, "--set", "split.by=patch",
                         "--set", "train.max_epochs=1", "--set", "train.target=" + target, ranks=3)
        tap.ok(result.status == 0 and "0 gathers have two, 3 have one, 1 to 1 crossline apart" in result.err,
               "nor with train.target=" + target, result)
    consolidated("same", {"%s_inline_1_crossline_1.npy" % part: TRACES for part in "ab"})
    tap.refused(tap.run("mean", "--survey", at("same.h5"), "--output", at("never.h5"), "--gathers", "3", ranks=3), 4,
                "no gather has a neighbour", "two gathers of one position alone have no neighbour")


def from_arrays():
    """A 3D array: all of its gathers have the position of its name."""
    os.mkdir(at("cubes"))
    for k in range(4):
        np.save(at("cubes/x_inline_2_crossline_%d.npy" % k), random.standard_normal((3, TRACES, SAMPLES)).astype(np.float32))
    result = tap.run("consolidate", "--output", at("cubes.h5"), at("cubes"), ranks=3)
    tap.ok(positions("cubes") == [(2, k) for k in range(4) for _ in range(3)] and "8 gathers repeat the position of an earlier "
           "one, the first: gather #1 (inline 2, crossline 0) of x_inline_2_crossline_0.npy[1]" in result.err,
           "the gathers of a 3D array have the position of its name", result)
    result, rows = materialised("cubes", "ensemble", 3)
    tap.ok(rows is not None and sorted(len({row[0] // 3 for row in rows[split]}) for split in rows) == [1, 1, 2]
           and sum(len({row[0] // 3 for row in rows[split]}) for split in rows) == 4, "and are dealt together", result)
    means = tap.run("mean", "--survey", at("cubes.h5"), "--output", at("cubes_mean.h5"), "--traces", "1", "--gathers", "3")
    gathers = cases.read_gathers(at("cubes.h5"))
    found = cases.read_gathers(at("cubes_mean.h5")) if means.status == 0 else []
    tap.ok(found and cases.of_largest(found[4], (gathers[1] + gathers[4] + gathers[7]) / 3) < 1e-6,
           "the second of a position has the second of the next for its neighbour", means)


def from_segy():
    """Gathers by CDP, of which several lie at one position, or all."""
    for name, position, words in (("part", lambda cdp: (5, cdp // 2), "5 gathers repeat the position of an earlier one"),
                                  ("all", lambda cdp: (1, 1), "11 gathers repeat the position of an earlier one")):
        fields = [{21: cdp, 189: position(cdp)[0], 193: position(cdp)[1], 37: 100 * t} for cdp in range(1, 13)
                  for t in range(TRACES)]
        segy_files.File(segy_files.values_of(len(fields), SAMPLES), fields).write(at(name + ".sgy"))
        for ranks in (1, 3):
            result = tap.run("consolidate", "--output", at(name + ".h5"), at(name + ".sgy"), "--group-by", "cdp", "--force",
                             ranks=ranks)
            tap.ok(result.status == 0 and words in result.err
                   and ("so splits deal them one by one" in result.err) == (name == "all"),
                   "SEG-Y by CDP with repeated positions (%s) says so, on %d ranks" % (name, ranks), result)
        result, rows = materialised(name, "ensemble", 3)
        if not tap.ok(rows is not None, "and is split (%s)" % name, result):
            continue
        sides = {split: {positions(name)[row[0]] for row in rows[split]} for split in rows}
        if name == "part":
            tap.ok(not (sides["train"] & sides["test"] or sides["train"] & sides["valid"] or sides["test"] & sides["valid"]),
                   "by position", sides)
        else:
            tap.ok([len({row[0] for row in rows[split]}) for split in ("train", "valid", "test")] == [7, 2, 3],
                   "a position that all have parts nothing: each gather by itself", sides)


report()
splits()
trained()
unlike()
neighbours()
from_arrays()
from_segy()
tap.done()
