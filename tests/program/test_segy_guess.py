"""SEG-Y whose headers say little, or lies: what info finds in them, and what consolidate takes from that by itself."""
import struct

import numpy as np

import cases
import tap
from segy_files import File, positions, to_ibm

place = tap.folder()
OFFSETS = range(100, 600, 50)  # ten traces a gather


def word(value, kind):
    """A float as the integer that its four bytes are."""
    return struct.unpack(">i", struct.pack(">I", int(to_ibm(value))) if kind == "ibm" else struct.pack(">f", value))[0]


def write(name, fields, **more):
    return File(np.ones((len(fields), 4)), fields, **more).write(place / (name + ".sgy"))


def consolidate(*words, ranks=0):
    return tap.run("consolidate", "--force", "--output", place / "a.h5", *words, ranks=ranks)


def folds(data):
    return np.diff(data["ensemble/first_trace"]).tolist()


def places(data):
    return sorted(set(zip(data["ensemble/inline"].tolist(), data["ensemble/crossline"].tolist())))


def su(d2, f2):
    """SU's export: cdp at 21, floats at 181 to 193."""
    return [{21: 1001 + c, 25: k + 1, 37: o, 9: 5, 181: word(0.004, "float"), 189: word(d2(o), "float"),
             193: word(f2(o), "float")} for c in range(6) for k, o in enumerate(OFFSETS)]


def pair(first, second, **more):
    return [{first: i, second: x, 37: o, **more} for i in (10, 11) for x in (200, 201) for o in OFFSETS]


GRID = [(i, x) for i in (10, 11) for x in (200, 201)]
# fields; folds, positions (None: not looked at), what the log says
KINDS = {
    "su_d2": (su(lambda o: 12.5, lambda o: 0), [10] * 6, None, "gathers by cdp (byte 21)"),
    "su_f2": (su(lambda o: 12.5, lambda o: 1000), [10] * 6, None, "make no sense (bits of floats)"),
    "su_offsets": (su(lambda o: 0, lambda o: o), [10] * 6, None, "--group-by position takes them all the same"),
    "penobscot": ([{21: 1300 + i, 25: 1400 + x, 37: o, 189: 7 * o + x, 193: 991 * i - o} for i in range(2) for x in range(3)
                   for o in OFFSETS], [10] * 6, [(1300 + i, 1400 + x) for i in range(2) for x in range(3)],
                  "make no sense (one trace a gather)"),
    "penobscot_5": ([{21: 1300, 25: 1400, 37: o, 189: 1000 * o, 193: 7} for o in (100, 150, 200, 250, 300)], [5],
                    [(1300, 1400)], "gathers by cdp (byte 21) and cdp_trace (byte 25)"),
    "one_cdp": ([{9: s, 21: 55, 37: 100 + 25 * s} for s in range(24)], [24], None, "gathers by cdp (byte 21)"),
    "one_shot": ([{9: 55, 21: 700 + s, 37: 100 + 25 * s} for s in range(24)], [24], None, "gathers by shot (byte 9)"),
    "all_one": ([{189: 1, 193: 1, 21: c, 37: o} for c in range(4) for o in OFFSETS], [10] * 4, None,
                "make no sense (one, offsets repeat)"),
    "b221": (pair(221, 225), [10] * 4, GRID, "gathers by byte 221 and byte 225"),
    "b9_21": (pair(9, 21), [10] * 4, GRID, "gathers by shot (byte 9) and cdp (byte 21)"),
    "b5_21": (pair(5, 21), [10] * 4, GRID, "sequence_file (byte 5) and cdp"),
    "b17_25": (pair(17, 25), [10] * 4, GRID, "source_point (byte 17) and cdp_trace"),
    "floats": ([{**f, 189: word(f[189], "float"), 193: word(f[193], "float")} for f in pair(189, 193)], [10] * 4, GRID,
               "inline (byte 189, float)"),
    # what makes sense stays, whatever else does
    "plain": (pair(189, 193, **{}), [10] * 4, GRID, "gathers by inline (byte 189) and crossline (byte 193)"),
    "and_cdp": ([{**f, 21: 5 * f[189] + f[193]} for f in pair(189, 193)], [10] * 4, GRID, "gathers by inline (byte 189)"),
    "down": (pair(189, 193)[::-1], [10] * 4, GRID, "gathers by inline (byte 189)"),
    "large": ([{189: 2 ** 31 - 1, 193: x, 37: o} for x in (-2 ** 31 + 1, 2 ** 31 - 1) for o in OFFSETS], [10] * 2, None,
              "inline 2147483647 to 2147483647, crossline -2147483647 to 2147483647"),
    "one_gather": ([{37: o, 189: 0, 193: 0} for o in OFFSETS], [10], None, "0 in every trace"),
    "stack": ([{189: i, 193: x, 21: x} for i in range(4) for x in range(5)], [1] * 20, None, "--group-by inline"),
    "no_offsets": ([{189: 1, 193: x, 9: k} for x in range(3) for k in range(5)], [5] * 3, None, "gathers by inline"),
}


def check_kinds():
    for number, (name, (fields, wanted, where, said)) in enumerate(KINDS.items()):
        ranks = 3 * (number % 4 == 0)
        path = write(name, fields)
        result = consolidate(path, ranks=ranks)
        if not tap.ok(result.status == 0, "%s on %d ranks" % (name, ranks), result):
            continue
        data = cases.datasets(place / "a.h5")
        tap.ok(folds(data) == wanted and (where is None or places(data) == sorted(where)) and said in result.err,
               name + ": its gathers, and it is said", "%s %s\n%s" % (folds(data), places(data), result))
        told = tap.run("info", path)
        lines = told.out.splitlines()
        tap.ok(told.status == 0 and max(map(len, lines)) <= 100 and "consolidate takes" in told.out
               and "offset %d to %d" % (min(f.get(37, 0) for f in fields), max(f.get(37, 0) for f in fields)) in result.err,
               name + ": info of it; the ranges are in the log", "%s\n%s" % (told, result))
        option = next(line for line in lines if line.startswith("  as with ")).split()[2:]
        again = consolidate(path, *option)
        tap.ok(again.status == 0 and not cases.differing(data, cases.datasets(place / "a.h5")),
               name + ": info's options force the same", again)


def check_floats():
    for kind in ("float", "ibm"):
        values = [125.5 + 50 * k for k in range(10)]
        fields = [{189: word(i, kind), 193: word(200 + x, kind), 37: word(o, kind)} for i in (10, 11) for x in (0, 1)
                  for o in values[::-1]]
        path = write("words_" + kind, fields)
        result = consolidate(path, "--inline-byte", "189:" + kind, "--crossline-byte", "crossline:" + kind, "--offset-byte",
                             "37:" + kind, "--sort", "offset", ranks=3 if kind == "ibm" else 0)
        data = cases.datasets(place / "a.h5")
        tap.ok(result.status == 0 and places(data) == GRID and data["trace/offset"].tolist() == values * 4
               and "offset 125.5 to 575.5" in result.err, ":%s in every place" % kind, result)
        result = consolidate(path, "--group-by", "37:" + kind, "--offset-byte", "37")
        data = cases.datasets(place / "a.h5")
        tap.ok(result.status == 0 and data["ensemble/key"].tolist() == values and folds(data) == [4] * 10,
               "gathers by a float, :" + kind, result)
        tap.refused(consolidate(path, "--inline-byte", "37:" + kind, "--offset-byte", "37", ranks=3), 4,
                    "are whole numbers", "an inline of 575.5, :" + kind)
        result = consolidate(path, "--group-by", "position")
        tap.refused(result, 4, "look like the bits of floats", "offsets that are floats are refused, :" + kind)
        tap.ok("37:%s " % kind in result.err and "125.5 to 575.5" in result.err, "and the remedy is named", result)
        tap.ok(consolidate(path, "--group-by", "position", "--offset-byte", "37").status == 0, "but may be forced")
    tap.refused(consolidate(path, "--offset-byte", "37:double"), 2, ":float, :ibm", "37:double is refused")


def check_nothing():
    fields = [{b: word(t * 40 + b, "float") for b in (5, 9, 17, 21, 25, 181, 185, 189, 193, 197)} | {37: t} for t in range(8)]
    for f in fields:
        f[189] = word(f[37] + 0.5, "float")
    path = write("nothing", fields)
    for ranks in (0, 3):
        result = consolidate(path, ranks=ranks)
        tap.refused(result, 4, "no other field makes gathers", "headers that make no sense, on %d ranks" % ranks)
        tap.ok("--group-by" in result.err and "bits of floats" in result.err and "189, 193" in result.err,
               "and the table is shown", result)
    told = tap.run("info", path)
    tap.ok(told.status == 0 and "none makes sense" in told.out, "info says so too", told)


def check_coordinates():
    fields = [{189: 1 + i, 193: 1, 73: 100000, 77: 5000, 81: 100000 + 3000 * k, 85: 5000 + 4000 * k, 71: -100} for i in
              range(2) for k in range(10)]
    path = write("coordinates", fields)
    for words, wanted in (((), 50), (("--offset-byte", "37"), 0), (("--offset-byte", "coordinates"), 50)):
        result = consolidate(path, *words, ranks=3 if not words else 0)
        data = cases.datasets(place / "a.h5")
        tap.ok(result.status == 0 and data["trace/offset"].tolist() == [wanted * k for k in range(10)] * 2
               and ("distances of source and receiver" in result.err) == (wanted > 0),
               "offsets of coordinates, " + (" ".join(words) or "by themselves"), result)
    scaled = write("scaled", [{**f, 71: 2} for f in fields])
    consolidate(scaled)
    tap.ok(cases.datasets(place / "a.h5")["trace/offset"].tolist() == [10000 * k for k in range(10)] * 2, "a scalar of 2")
    for label, change in (("no receivers", {81: 0, 85: 0}), ("an offset", {37: 5}), ("one point", {81: 100000, 85: 5000})):
        path = write("other", [{**f, **change} for f in fields])
        result = consolidate(path)
        tap.ok(result.status == 0 and "distances" not in result.err
               and cases.datasets(place / "a.h5")["trace/offset"].tolist() == [change.get(37, 0)] * 20,
               label + ": offsets as in the headers", result)


def check_info():
    fields = positions([3, 4], range(40, 60), [10, 20, 30])
    path = write("info", fields, interval=2000, binary={3205: ("i", 77)})
    for ranks in (0, 3):
        told = tap.run("info", path, ranks=ranks)
        if ranks == 0:
            first = told.out
            rows = {tuple(line.split()[:5]) for line in told.out.splitlines()}
            tap.ok(told.status == 0 and ("inline", "189-192", "3", "4", "2") in rows
                   and ("crossline", "193-196", "40", "59", "20") in rows and ("offset", "37-40", "10", "30", "3") in rows,
                   "info: the fields that vary", told)
            tap.ok(all(words in told.out for words in ("1 (IBM float), big-endian", "120 of 4 samples", "2000 us", "A LINE",
                                                       "line number          77", "additional headers   0", "EBCDIC"))
                   and ("189,", "193", "inline,", "crossline", "40") in rows, "info: the headers and the gathers", told)
        else:
            tap.ok(told.out == first, "info on %d ranks: the same" % ranks, told)
    told = tap.run("info", "--traces", "50", path, ranks=3)
    tap.ok(told.status == 0 and "scanned: 50 of 120 traces" in told.out
           and told.out == tap.run("info", "--traces", "50", path).out, "info --traces", told)
    many = np.arange(30000)
    path = write("many", [{1: int(t), 189: int(t) // 3, 193: 7, 37: int(t) % 3} for t in many], format=8)
    first, second = tap.run("info", path), tap.run("info", path, ranks=3)
    tap.ok(first.status == 0 and ">10,000" in first.out and first.out == second.out, "many values: more than 10,000", first)
    path = write("drawn", [{189: int(t) // 3, 193: 7, 37: int(t)} for t in np.arange(72000)], format=8)
    first, second = tap.run("info", path), tap.run("info", path, ranks=3)
    row = next(line.split() for line in first.out.splitlines() if line.startswith("  189, 193"))
    tap.ok(first.out == second.out and row[4] == "about" and abs(int(row[5].replace(",", "")) - 24000) < 1500
           and row[6] == "3", "more gathers than are counted: an estimate, the same on 3 ranks", first)
    tap.refused(tap.run("info", place / "info.sgy", place / "none.sgy", ranks=3), 5, "none.sgy", "info of a missing file")
    tap.refused(tap.run("info", place / "a.h5", place / "info.sgy"), 2, "taken by itself", "info of a survey and more")


for check in (check_kinds, check_floats, check_nothing, check_coordinates, check_info):
    check()
tap.done()
