"""SEG-Y: each file's own text and binary headers come back with its traces, and 64-bit floats beyond 32-bit ones with
their scale."""
import h5py
import numpy as np

import cases
import tap
from segy_files import File, positions, values_of
from segy_road import consolidate, content, export, place, same_but_for_a_line


def text(words):
    return "".join("C%2d %-76s" % (i + 1, words if i < 3 else "") for i in range(40)).encode("cp037")


def line(number, seed, **words):
    fields = positions([1], range(5, 9), range(100, 106))
    return File(values_of(24, 10, seed), fields, text=text("LINE OF SEED %d" % seed), binary={3205: ("i", number), 3213: ("h", seed)}, **words)


def check_lines():
    """Lines of one survey: each goes out as the file that it came in, but for the line that tells of it."""
    for label, numbers, words in (("numbered by their headers", (7, 3, 5), ()), ("numbered as they come", (4, 4, 4), ("--lines",))):
        files = [line(number, seed + 1) for seed, number in enumerate(numbers)]
        files[1].extended, files[2].trailer = b"\x40" * 6400, b"((SEG: x))" + b" " * 3190
        files[2].binary[3501] = ("B", 2)
        paths = [file.write(place / ("l%d.sgy" % i)) for i, file in enumerate(files)]
        names = numbers if len(set(numbers)) > 1 else (1, 2, 3)
        for ranks in (0, 3):
            result = consolidate("l.h5", *paths, *words, ranks=ranks)
            if not tap.ok(result.status == 0, "three lines, %s, on %d ranks" % (label, ranks), result):
                continue
            for name, file in zip(names, files):
                result = export("l.h5", "o.sgy", "--ensembles", "%d/*" % name, ranks=ranks)
                tap.ok(result.status == 0 and same_but_for_a_line(file.bytes(), content("o.sgy")),
                       "line %d has its own headers" % name, result)
    tap.run("mean", "--force", "--survey", place / "l.h5", "--output", place / "m.h5", "--traces", "3", ranks=3)
    result = export("m.h5", "o.sgy", "--ensembles", "2/*", ranks=3)
    tap.ok(result.status == 0 and content("o.sgy")[3200:10000 + 240] == files[1].bytes()[3200:10000 + 240],
           "so has a prediction's", result)


def check_joined():
    """Files of one survey: the headers of the first whose traces are written."""
    first, second = line(1, 1), line(1, 2)
    for field in second.fields:
        field[193] += 10
    paths = [first.write(place / "j0.sgy"), second.write(place / "j1.sgy")]
    for ranks in (0, 3):
        result = consolidate("j.h5", *paths, "--join", ranks=ranks)
        sets = cases.datasets(place / "j.h5")
        tap.ok(sets["segy/file_text"].shape == (2, 3200) and sets["segy/file_head"].tolist() == [0, 1]
               and sets["segy/text"].tobytes() == first.text, "the headers that differ are kept", result)
        result = export("j.h5", "o.sgy", ranks=ranks)
        tap.ok("files that differ in their text or binary headers; those of the first" in result.err
               and content("o.sgy")[3200:] == first.bytes()[3200:] + second.bytes()[3600:], "joined, the first ones", result)
        result = export("j.h5", "o.sgy", "--ensembles", "1:15-18", ranks=ranks)
        tap.ok("differ in" not in result.err and same_but_for_a_line(second.bytes(), content("o.sgy")), "of the second's gathers, its own", result)
    result = consolidate("a.h5", first.write(place / "j0.sgy"), first.write(place / "j1.sgy"), "--lines", ranks=3)
    tap.ok(cases.datasets(place / "a.h5")["segy/file_text"].shape == (1, 3200), "headers that are alike are kept once", result)
    for name, row, value in (("segy/file_head", 1, 7), ("segy/file_head", 1, -1)):
        with h5py.File(place / "j.h5", "a") as survey:
            before = survey[name][row]
            survey[name][row] = value
        tap.refused(export("j.h5", "never.sgy", "--ensembles", "1:15-18", ranks=3), 4, "speaks of head %d" % value, "a wrong table of heads")
        with h5py.File(place / "j.h5", "a") as survey:
            survey[name][row] = before
    with h5py.File(place / "j.h5", "a") as survey:
        for name in ("file_head", "file_text", "file_binary"):
            del survey["segy/" + name]
    result = export("j.h5", "o.sgy", "--ensembles", "1:15-18", ranks=3)
    tap.ok(result.status == 0 and content("o.sgy")[3200:3600] == first.bytes()[3200:3600],
           "a survey that has the first file's headers alone is read as before", result)


def check_scale():
    """64-bit floats that 32-bit ones cannot hold."""
    fields = positions([1], [5, 6], range(100, 106))
    values = np.float64(np.float32(np.random.RandomState(1).standard_normal((12, 20))))
    for order, factor, wanted in ((">", 2.0 ** 200, "--scale 1e-60"), ("<", 2.0 ** -200, "--scale 1e+60")):
        file = File(values * factor, fields, order, 6)
        path = file.write(place / "s.sgy")
        for ranks in (0, 3):
            tap.refused(consolidate("never.h5", path, ranks=ranks), 4, wanted + " would multiply", "doubles times %g" % factor)
            result = consolidate("s.h5", path, "--scale", repr(1 / factor), ranks=ranks)
            tap.ok(result.status == 0 and np.array_equal(cases.datasets(place / "s.h5")["amplitude"], values.astype(np.float32)),
                   "--scale brings them near 1", result)
            result = export("s.h5", "t.sgy", ranks=ranks)
            tap.ok(result.status == 0 and same_but_for_a_line(file.bytes(), content("t.sgy")), "and export puts it back", result)
    result = export("s.h5", "t.sgy", "--format", "5", ranks=3)
    tap.ok(result.status == 0 and not np.any(np.frombuffer(content("t.sgy")[3840:3920], "<f4")), "in their own size, in another format too", result)
    one = values.copy()
    one[7, 11] = -3e300
    path = File(one, fields, format=6).write(place / "s.sgy")
    for ranks in (0, 3):
        tap.refused(consolidate("never.h5", path, ranks=ranks), 4,
                    "s.sgy: trace 7, sample 11 (counted from 0) is -3e+300, beyond 32-bit floats", "one sample of them: where")
    consolidate("s.h5", path, "--scale", "1e-300")
    result = export("s.h5", "t.sgy", "--format", "5", ranks=3)
    tap.ok("1 sample beyond the range of format 5" in result.err and "--format 6 holds such" in result.err, "what IEEE floats do not hold is told", result)
    path = File(values, fields, format=5).write(place / "s.sgy")
    tap.refused(consolidate("never.h5", path, "--scale", "2", ranks=3), 2, "--scale is for .npy files and for 64-bit floats",
                "--scale of other formats is refused")


for check in (check_lines, check_joined, check_scale):
    check()
tap.ok(not list(place.glob("never*")) and not list(place.glob("*.part")), "nothing is left of what was refused")
tap.done()
