"""Several SEG-Y files: lines that number their gathers alike are kept apart, parts of one survey join; and what follows
from lines in every command that names, chooses, deals or exports gathers."""
import csv

import numpy as np

import cases
import segy_files
import tap
from segy_files import File

place = tap.folder()
OFFSETS = range(100, 500, 50)


def cdp_line(number, offsets=OFFSETS, cdps=range(51, 55), **more):
    return [{9: c + 100, 21: c, 37: o, **more} for c in cdps for o in offsets]


def write(name, fields, line=0, seed=0):
    samples = np.random.RandomState(seed).standard_normal((len(fields), 40))
    return File(samples, fields, format=5, binary={3205: ("i", line)} if line else None).write(place / (name + ".sgy"))


def consolidate(*words, ranks=0, output="a.h5"):
    return tap.run("consolidate", "--force", "--output", place / output, *words, ranks=ranks)


def shape(data):
    lines = data["ensemble/line"].tolist() if "ensemble/line" in data else None
    return lines, np.diff(data["ensemble/first_trace"]).tolist()


def check_telling():
    one, two = write("one", cdp_line(1), 7), write("two", cdp_line(2), 3, seed=1)
    plain, other = write("plain", cdp_line(1)), write("other", cdp_line(2), seed=1)
    near, far = write("near", cdp_line(1, [100])), write("far", cdp_line(1, [900]), seed=1)
    left = write("left", cdp_line(1, range(100, 500, 50)))
    right = write("right", cdp_line(1, range(125, 525, 50)), seed=1)
    rest = write("rest", cdp_line(1, cdps=range(60, 64)))
    same, again = write("same", cdp_line(1), 5), write("again", cdp_line(1), 5)
    stacks = [write("stack%d" % i, cdp_line(1, [0]), seed=i) for i in range(2)]
    part = write("part", cdp_line(1, [100, 125, 175, 225, 275, 325]))
    for label, words, wanted, said in (
            ("line numbers that differ", (one, two), ([3] * 4 + [7] * 4, [8] * 8), "as in their binary headers"),
            ("no line numbers", (plain, other), ([1] * 4 + [2] * 4, [8] * 8), "from 1 as they come"),
            ("volumes of single offsets", (near, far), (None, [2] * 4), ""),
            ("single offsets, line numbers or not", (write("n1", cdp_line(1, [100]), 1), write("f1", cdp_line(1, [900]), 2)),
             (None, [2] * 4), ""),
            ("offsets that never meet", (left, right), (None, [16] * 4), ""),
            ("other gathers", (plain, rest), (None, [8] * 8), ""),
            ("--join", ("--join", plain, other), (None, [16] * 4), "repeat"),
            ("--lines", ("--lines", near, far), ([1] * 4 + [2] * 4, [1] * 8), "from 1"),
            ("--lines of one number", ("--lines", same, again), ([1] * 4 + [2] * 4, [8] * 8), "from 1"),
            ("stacks, --join", ("--join", *stacks), (None, [2] * 4), ""),
            ("one file", (plain,), (None, [8] * 4), "")):
        found = {}
        for ranks in (0, 3) if label.startswith(("line", "no", "vol")) else (0,):
            result = consolidate(*words, ranks=ranks)
            data = cases.datasets(place / "a.h5") if result.status == 0 else {"ensemble/first_trace": []}
            tap.ok(result.status == 0 and shape(data) == wanted and said in result.err,
                   "%s on %d ranks" % (label, ranks), "%s\n%s" % (shape(data), result))
            tap.ok(not found or not cases.differing(found, data), label + ": the same survey on any number of ranks")
            found = data
    for label, words in (("one line number and the same offsets", (same, again)), ("stacks", stacks),
                         ("offsets that meet now and then", (plain, part))):
        for ranks in (0, 3):
            tap.refused(consolidate(*words, ranks=ranks), 4, "--join makes one gather", label + " on %d ranks" % ranks)
    tap.refused(consolidate("--join", "--lines", one, two), 2, "exclude each other", "--join and --lines")
    both = [write("g%d" % i, [{189: 1, 193: x, 37: o} for x in (1, 2, 3) for o in OFFSETS], 10 * (i + 1), seed=i)
            for i in range(2)]
    consolidate(*both, output="lines.h5")
    tap.ok(shape(cases.datasets(place / "lines.h5")) == ([10] * 3 + [20] * 3, [8] * 6), "positions of two lines")
    return both


def check_through(both):
    """Two lines of one inline and three crosslines each, the same numbers in both."""
    survey = place / "lines.h5"
    told = tap.run("info", survey, ranks=2)
    tap.ok(told.status == 0 and "lines                10 to 20" in told.out, "info of it", told)
    result = tap.run("mean", "--force", "--survey", survey, "--output", place / "mean.h5", ranks=3)
    tap.ok(result.status == 0 and shape(cases.datasets(place / "mean.h5")) == shape(cases.datasets(survey)),
           "a prediction has the lines too", result)
    for selector, status, wanted in (("10/1:2", 0, [1]), ("20/1:1-2", 0, [3, 4]), ("20/*,10/#0", 0, [0, 3, 4, 5]),
                                     ("1:2", 0, [1, 4]), ("30/*", 2, "there are lines 10, 20"), ("10/#4", 2, "no gather of line 10"),
                                     ("x/1:2", 2, "a line is a number"), ("10/", 2, "names no gather")):
        result = tap.run("export", "--force", "--survey", survey, "--output", place / "out", "--ensembles", selector)
        if status:
            tap.refused(result, status, wanted, "--ensembles " + selector)
            continue
        found = sorted(path.name for path in (place / "out").glob("*.npy"))
        names = sorted("gather_line_%d_inline_1_crossline_%d.npy" % (10 + 10 * (e // 3), 1 + e % 3) for e in wanted)
        tap.ok(result.status == 0 and found == names, "--ensembles %s: names with lines" % selector, "%s\n%s" % (found, result))
        for path in (place / "out").glob("*.npy"):
            path.unlink()
    result = tap.run("plot", "--survey", survey, "--ensemble", "1:2", "--output", place / "a.png")
    tap.refused(result, 2, "names 2 gathers, the first: gather no. 1".replace("no. ", "#"), "one gather of two lines")
    tap.refused(tap.run("export", "--survey", survey, "--output", place / "a.sgy", ranks=3), 2, "--ensembles '10/*'",
                "two lines do not make one SEG-Y file")
    for number, path in zip((10, 20), both):
        result = tap.run("export", "--force", "--survey", survey, "--output", place / "a.sgy", "--ensembles", "%d/*" % number)
        want, got = segy_files.read(path), segy_files.read(place / "a.sgy")
        tap.ok(result.status == 0 and got[1:3] == want[1:3] and np.array_equal(got[3], want[3]),
               "line %d comes back: binary and trace headers, samples" % number, result)
    result = tap.run("qc", "--survey", survey, "--predicted", place / "mean.h5", "--gathers", place / "gathers.csv", ranks=2)
    path = place / "gathers.csv"
    rows = list(csv.DictReader(open(path))) if path.exists() else []
    tap.ok(result.status == 0 and "#1 (line 10, inline 1, crossline 2) " in result.out and [row.get("line") for row in rows] == ["10"] * 3 + ["20"] * 3, "qc's table of gathers has their lines",
           "%s\n%s" % (rows[:2], result))
    one = consolidate(both[0], output="one.h5")
    tap.refused(tap.run("export", "--survey", place / "one.h5", "--output", place / "never", "--ensembles", "10/*"), 2,
                "has one line", "a line of a survey of one: " + str(one.status))


def check_neighbours():
    """The mean of neighbours, of two lines with one gather each at the end: never across."""
    pair = [write("s%d" % i, [{189: 1, 193: x, 37: o} for x in (1, 2) for o in OFFSETS], i + 1, seed=i) for i in range(2)]
    consolidate(*pair, output="pair.h5")
    consolidate(pair[1], output="alone.h5")
    results = [tap.run("mean", "--force", "--survey", place / (name + ".h5"), "--output", place / (name + "_mean.h5"),
                       ranks=ranks) for name, ranks in (("pair", 3), ("alone", 0))]
    means = [cases.datasets(place / (name + "_mean.h5"))["amplitude"] for name in ("pair", "alone")]
    tap.ok(all(r.status == 0 for r in results) and np.array_equal(means[0][16:], means[1]),
           "neighbours are those of the same line", str(results[0]))
    many = [write("m%d" % i, [{189: x, 193: 1, 37: o} for x in range(3) for o in range(100, 1700, 50)], i + 1, seed=i)
            for i in range(3)]
    consolidate(*many, output="many.h5")
    result = tap.run("index", "--survey", place / "many.h5", "--output", place / "map.h5", "--force", "--set",
                     "split.by=inline", "--set", "patch.size=8", "--materialize", ranks=2)
    maps = cases.datasets(place / "map.h5") if result.status == 0 else {}
    dealt = {name: set(maps[name][:, 0].tolist()) for name in ("train", "valid", "test") if name in maps}
    tap.ok(len(dealt) == 3 and len(dealt["test"]) == 2 and len(dealt["valid"]) == 1 and len(dealt["train"]) == 6,
           "split.by=inline: an inline of one line is not that of another", "%s\n%s" % (dealt, result))


both = check_telling()
check_through(both)
check_neighbours()
tap.done()
