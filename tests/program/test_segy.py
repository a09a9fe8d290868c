"""consolidate of SEG-Y: formats, byte orders, gathers by any field in any order of the traces, what is missing or
repeated, several files; the same survey on any number of ranks; and what is refused."""
import os
import struct

import h5py
import numpy as np

import cases
import segy_files
import tap
from segy_files import File, positions, values_of

UNKNOWN = -2 ** 31  # no position

place = tap.folder()


def consolidate(name, *words, ranks=0, seconds=60):
    return tap.run("consolidate", "--force", "--output", place / name, *words, ranks=ranks, seconds=seconds)


def good(label, name, *words, ranks=0):
    """The datasets of the survey made, and what was said; None where it failed."""
    result = consolidate(name, *words, ranks=ranks)
    if not tap.ok(result.status == 0, label, result):
        return None, result
    return cases.datasets(place / name), result


def folds(data):
    return np.diff(data["ensemble/first_trace"]).tolist()


def places(data):
    return list(zip(data["ensemble/inline"].tolist(), data["ensemble/crossline"].tolist()))


def check_formats():
    samples = values_of(6, 30)
    fields = positions([10, 11], [5, 6, 7], [0])
    whole = np.arange(-90, 90).reshape(6, 30) % 120
    surveys = {}
    for order in "><":
        for format in (1, 2, 3, 5, 8):
            values = whole if format in (2, 3, 8) else samples
            path = File(values, fields, order, format).write(place / ("f%d%s.sgy" % (format, "lb"[order == ">"])))
            label = "format %d, %s-endian" % (format, "big" if order == ">" else "little")
            data, result = good(label, "f.h5", path)
            if data is None:
                continue
            tap.ok(np.array_equal(data["amplitude"], values.astype(np.float32)) and "format %d" % format in result.err
                   and ("big" if order == ">" else "little") + "-endian" in result.err, label + ": samples", result)
            surveys[order, format] = data
    skip = ("trace/segy_header", "segy/binary", "segy/file")
    big, little = surveys[">", 1], surveys["<", 5]
    tap.ok(set(cases.differing(big, little)) <= set(skip) | {"ensemble/source"}
           and np.array_equal(big["ensemble/checksum"], little["ensemble/checksum"]),
           "big-endian IBM and little-endian IEEE of the same traces are the same survey",
           str(cases.differing(big, little)))
    facts = cases.attributes(place / "f.h5")
    tap.ok(facts["sample_interval_us"] == 4000, "the sample interval is the header's", str(facts))


def check_tables():
    file = File(values_of(12, 9), positions([3, 4], [7, 8], [100, 200, 300]))
    path = file.write(place / "tables.sgy")
    data, _ = good("a pre-stack file", "tables.h5", path)
    raw = file.bytes()
    headers = np.array([list(file.header(t)) for t in range(12)], dtype=np.uint8)
    tap.ok(places(data) == [(3, 7), (3, 8), (4, 7), (4, 8)] and folds(data) == [3] * 4
           and data["ensemble/source"].tolist() == [b"tables.sgy"] * 4, "gathers by inline and crossline",
           str((places(data), folds(data))))
    tap.ok(np.array_equal(data["trace/offset"], np.array([100, 200, 300] * 4, np.float32))
           and data["trace/offset"].dtype == np.float32, "offsets are the headers'")
    tap.ok(np.array_equal(data["trace/segy_header"], headers) and np.array_equal(data["trace/segy_position"], np.arange(12))
           and data["trace/segy_position"].dtype == np.int64, "headers and places are kept")
    tap.ok(data["segy/text"].tobytes() == raw[:3200] and data["segy/binary"].tobytes() == raw[3200:3600],
           "text and binary headers are kept")
    result = tap.run("info", "--verify", place / "tables.h5")
    tap.runs(result, "info --verify of it")


def check_order():
    """Traces in any order make the same gathers; on any number of ranks the same bytes."""
    fields = positions(range(1, 5), range(20, 26), [100, 200, 300])
    samples = values_of(len(fields), 11)
    good("sorted traces", "sorted.h5", File(samples, fields).write(place / "sorted.sgy"))
    wanted = cases.read_gathers(place / "sorted.h5")
    shuffle = np.random.RandomState(3).permutation(len(fields))
    path = File(samples[shuffle], [fields[t] for t in shuffle]).write(place / "shuffled.sgy")
    data, _ = good("shuffled traces", "shuffled.h5", path)
    position = data["trace/segy_position"]
    tap.ok(places(data) == [(i, x) for i in range(1, 5) for x in range(20, 26)] and folds(data) == [3] * 24
           and all((np.diff(position[t:t + 3]) > 0).all() for t in range(0, len(position), 3)),
           "shuffled: gathers sorted by position, their traces as in the file")
    tap.ok(np.array_equal(data["amplitude"], samples[shuffle][position].astype(np.float32)),
           "shuffled: each trace has its own samples")
    data, _ = good("shuffled traces by offset", "by_offset.h5", path, "--sort", "offset")
    tap.ok(np.array_equal(data["trace/offset"], np.array([100, 200, 300] * 24, np.float32))
           and all(np.array_equal(a, b) for a, b in zip(cases.read_gathers(place / "by_offset.h5"), wanted)),
           "--sort offset: the gathers of the sorted file")
    for ranks in (1, 3, 7):
        other, _ = good("shuffled traces by offset on %d ranks" % ranks, "ranks.h5", path, "--sort", "offset", ranks=ranks)
        tap.ok(other is not None and not cases.differing(other, data), "the same survey on %d ranks" % ranks)
    tap.runs(tap.run("info", "--verify", place / "ranks.h5", ranks=2), "info --verify of it")
    two = File(samples[:2], fields[:2]).write(place / "two.sgy")
    data, _ = good("two traces of one gather on 7 ranks", "two.h5", two, ranks=7)
    tap.ok(folds(data) == [2] and np.array_equal(data["amplitude"], samples[:2].astype(np.float32)), "and they are right")


def check_fields():
    samples = values_of(12, 5)
    fields = [{21: 1300 + i, 25: 1400 + x, 189: 7, 193: 7, 9: 50 + x, 37: o, 233: 10 * x + i} for i in range(2)
              for x in range(3) for o in (5, 6)]
    path = File(samples, fields).write(place / "penobscot.sgy")
    data, _ = good("positions at 21 and 25", "fields.h5", path, "--inline-byte", "21", "--crossline-byte", "25")
    tap.ok(places(data) == [(1300 + i, 1400 + x) for i in range(2) for x in range(3)] and folds(data) == [2] * 6,
           "Penobscot's positions at 21/25", str(places(data)))
    plain = [{**f, 189: f[21], 193: f[25]} for f in fields]
    other, _ = good("positions at 189 and 193", "fields189.h5", File(samples, plain).write(place / "penobscot189.sgy"))
    tap.ok(np.array_equal(data["ensemble/checksum"], other["ensemble/checksum"]) and places(data) == places(other),
           "and at 189/193: the same gathers")
    data, _ = good("--group-by cdp", "fields.h5", path, "--group-by", "cdp")
    tap.ok(folds(data) == [6, 6] and data["ensemble/key"].tolist() == [1300, 1301] and places(data) == [(7, 7)] * 2,
           "gathers by cdp", str((folds(data), places(data))))
    with h5py.File(place / "fields.h5") as survey:
        tap.ok(survey["ensemble/key"].attrs["field"] in (b"cdp (byte 21)", "cdp (byte 21)"), "the key's field is told")
    data, _ = good("--group-by shot --offset-byte 25", "fields.h5", path, "--group-by", "shot", "--offset-byte", "25")
    tap.ok(folds(data) == [4] * 3 and data["trace/offset"].tolist() == [1400.0] * 4 + [1401.0] * 4 + [1402.0] * 4,
           "gathers by shot, offsets from another byte", str(data["trace/offset"]))
    data, _ = good("--group-by 233", "fields.h5", path, "--group-by", "233", ranks=2)
    tap.ok(data["ensemble/key"].tolist() == [0, 1, 10, 11, 20, 21], "gathers by any byte", str(data["ensemble/key"]))
    data, _ = good("--group-by 235:2", "fields.h5", path, "--group-by", "235:2")
    tap.ok(data["ensemble/key"].tolist() == [0, 1, 10, 11, 20, 21], "and by two of its bytes", str(data["ensemble/key"]))
    for words, message in ((("--group-by", "cdpp"), "did you mean cdp?"), (("--inline-byte", "241"), "--inline-byte"),
                           (("--offset-byte", "238"), "1 to 237"), (("--sort", "time"), "--sort takes file or offset"),
                           (("--endian", "middle"), "--endian takes big or little"), (("--format", "4"), "--format takes")):
        tap.refused(consolidate("never.h5", path, *words), 2, message, " ".join(words) + " is refused")


def check_guessing():
    """Headers without any position: gathers by what they do have, and it is said."""
    samples = values_of(6, 5)
    for label, fields, words, wanted in (
            ("cdp", [{21: t // 2 + 1, 9: t + 1} for t in range(6)], "gathers by cdp (byte 21)", [2, 2, 2]),
            ("shot", [{9: t // 3 + 1, 13: t} for t in range(6)], "gathers by shot (byte 9)", [3, 3]),
            ("nothing", [{13: t} for t in range(6)], "gathers by shot (byte 9)", [6])):
        data, result = good("headers with " + label, "guess.h5", File(samples, fields).write(place / "guess.sgy"), ranks=2)
        tap.ok(folds(data) == wanted and words in result.err and "warning: " in result.err
               and places(data) == [(UNKNOWN, UNKNOWN)] * len(wanted), "headers with %s: its gathers, and a warning" % label, result)
    both = [{21: t % 3 + 1, 9: t // 3 + 1} for t in range(6)]
    path = File(samples, both, binary={3229: ("h", 5)}).write(place / "guess.sgy")
    data, _ = good("headers with both, sorted by shot", "guess.h5", path)
    tap.ok(folds(data) == [3, 3], "headers with both: the sorting code decides", str(folds(data)))
    data, result = good("--group-by position", "guess.h5", path, "--group-by", "position")
    tap.ok(folds(data) == [6] and places(data) == [(0, 0)] and "warning" not in result.err,
           "--group-by position: as asked", result)


def check_faults():
    fields = positions(range(1, 4), range(1, 5), [10, 20])
    del fields[9:11]      # a trace of each of two gathers
    del fields[0:2]       # a whole gather
    fields[3][37] = fields[2][37]
    fields[5][115] = 99
    fields[6][29] = 2
    path = File(values_of(len(fields), 5), fields).write(place / "faults.sgy")
    data, result = good("missing and repeated traces", "faults.h5", path, ranks=2)
    said = result.err
    tap.ok(folds(data) == [2, 2, 2, 1, 1, 2, 2, 2, 2, 2, 2] and "11 gathers of 1 to 2" in said
           and "2 gathers have fewer traces than 2, the first: inline 2, crossline 1" in said, "fold is told", result)
    tap.ok("1 of the 12 positions" in said and "the first: inline 1, crossline 1" in said, "missing positions are told",
           result)
    tap.ok("1 trace repeats" in said and "trace 3 of faults.sgy" in said, "repeated traces are told", result)
    tap.ok("1 trace tells another number of samples" in said and "trace 5 of faults.sgy" in said,
           "odd numbers of samples are told", result)
    tap.ok("1 trace is marked as dead" in said, "dead traces are told", result)


def check_samples():
    words = np.array([[0x40000001, 0x41100000, 0x7fffffff], [0x42000000, 0x00100000, 0x80000000]], dtype=np.uint32)
    raw = File(np.zeros((2, 3)), [{189: 1, 193: 2}] * 2).bytes()
    for t in range(2):
        at = 3600 + t * 252 + 240
        raw = raw[:at] + words[t].astype(">u4").tobytes() + raw[at + 12:]
    with open(place / "odd.sgy", "wb") as file:
        file.write(raw)
    data, result = good("odd IBM floats", "odd.h5", place / "odd.sgy", ranks=2)
    wanted = np.array([[2.0 ** -24, 1, np.finfo(np.float32).max], [0, 0, -0.0]], dtype=np.float32)
    tap.ok(np.array_equal(data["amplitude"], wanted) and "2 samples are beyond float32's range" in result.err
           and "2 are IBM floats that are not normalised" in result.err and "odd.sgy: trace 0, sample 0" in result.err,
           "odd IBM floats are counted", result)
    whole = np.array([[2 ** 24 + 1, 5, -2 ** 31], [0, 2 ** 31 - 1, 2 ** 30]])
    data, result = good("large integers", "odd.h5", File(whole, [{}] * 2, format=2).write(place / "odd.sgy"))
    tap.ok(np.array_equal(data["amplitude"], whole.astype(np.float32)) and "2 samples are beyond" in result.err,
           "integers beyond 2^24 are counted", result)
    bad = np.ones((3, 4), dtype=np.float32)
    bad[1, 2], bad[2, 0] = np.nan, np.inf
    path = File(bad, [{189: 1, 193: t} for t in range(3)], format=5, order="<").write(place / "bad.sgy")
    for ranks in (0, 3):
        tap.refused(consolidate("bad.h5", path, ranks=ranks), 4, "bad.sgy: trace 1, sample 2 (counted from 0) is not a number",
                    "not a number, on %d ranks" % ranks)
    tap.ok(not (place / "bad.h5").exists() and not (place / "bad.h5.part").exists(), "and leaves no file")
    data, result = good("--zero-bad", "bad.h5", path, "--zero-bad", ranks=2)
    tap.ok(data["amplitude"][1, 2] == 0 and data["amplitude"][2, 0] == 0 and "2 samples of 2 gathers" in result.err,
           "--zero-bad makes them zero", result)
    long = File(values_of(2, 65535), [{189: 1, 193: t} for t in range(2)], format=5)
    data, _ = good("65,535 samples", "long.h5", long.write(place / "long.sgy"), ranks=2)
    tap.ok(np.array_equal(data["amplitude"], long.samples.astype(np.float32)), "65,535 samples are read")


def check_intervals():
    fields = [{189: 1, 193: 1, 117: 2000}]
    for interval, words, wanted, said in ((0, (), 2000, "first trace header's"), (-4000, (), 2000, "has -4000"),
                                          (4000, (), 4000, "first trace's has 2000"), (2000, (), 2000, None),
                                          (0, ("--interval-us", "250"), 250, None)):
        path = File(values_of(1, 4), fields, interval=interval).write(place / "interval.sgy")
        _, result = good("interval %d %s" % (interval, " ".join(words)), "interval.h5", path, *words)
        tap.ok(cases.attributes(place / "interval.h5")["sample_interval_us"] == wanted
               and (said in result.err if said else "warning" not in result.err),
               "interval %d: %g us" % (interval, wanted), result)
    _, result = good("no interval", "interval.h5", File(values_of(1, 4), interval=0).write(place / "interval.sgy"))
    tap.ok(cases.attributes(place / "interval.h5")["sample_interval_us"] == 0 and "--interval-us tells it" in result.err,
           "no interval: unknown, and a warning", result)


def check_several():
    fields = positions([1, 2], [1, 2, 3], [100])
    near, far = values_of(6, 5, 1), values_of(6, 5, 2)
    folder = place / "several"
    folder.mkdir()
    File(near, fields).write(folder / "line_2.sgy")
    File(far, [{**f, 37: 900} for f in fields]).write(folder / "line_10.SEGY")
    for ranks in (0, 3):
        data, result = good("a folder of files on %d ranks" % ranks, "several.h5", folder, ranks=ranks)
        tap.ok(folds(data) == [2] * 6 and data["trace/offset"].tolist() == [100.0, 900.0] * 6
               and np.array_equal(data["amplitude"][0::2], near.astype(np.float32))
               and np.array_equal(data["amplitude"][1::2], far.astype(np.float32)),
               "gathers of one position in two files are one", result)
        tap.ok(data["trace/segy_file"].tolist() == [0, 1] * 6 and data["trace/segy_position"].tolist()
               == [t // 2 for t in range(12)] and data["segy/file"].tolist() == [b"line_2.sgy", b"line_10.SEGY"]
               and data["segy/first_trace"].tolist() == [0, 6, 12], "which file each trace came from is kept")
    np.save(folder / "a_inline_1_crossline_1.npy", np.ones((2, 5), np.float32))
    tap.refused(consolidate("never.h5", folder), 2, "holds 1 .npy and 2 SEG-Y files", "a folder of both kinds")
    tap.refused(consolidate("never.h5", folder / "line_2.sgy", folder / "a_inline_1_crossline_1.npy"), 2,
                "one kind at a time", "files of both kinds")
    (place / "empty").mkdir()
    tap.refused(consolidate("never.h5", place / "empty"), 4, "holds no .npy and no SEG-Y", "a folder of neither")
    other = {"samples a trace (5 and 6)": File(values_of(6, 6), fields), "sample format (1, IBM float, and 5": File(
        near, fields, format=5), "byte order": File(near, fields, order="<"),
             "sample interval (4000 and 2000 us)": File(near, fields, interval=2000)}
    for words, file in other.items():
        file.write(place / "other.sgy")
        result = consolidate("never.h5", folder / "line_2.sgy", place / "other.sgy", ranks=2)
        tap.refused(result, 4, words, "files that differ in their " + words.split(" (")[0])
        tap.ok("line_2.sgy and" in result.err and "other.sgy differ" in result.err, "and both are named", result)


def check_forced():
    file = File(values_of(3, 8), [{189: 1, 193: t} for t in range(3)], order="<", format=5, binary={3225: ("h", 77)})
    path = file.write(place / "forced.sgy")
    tap.refused(consolidate("never.h5", path), 4, "--format 1, 5 or 2 reads them so", "an unknown format code")
    for words in (("--format", "5"), ("--format", "5", "--endian", "little")):
        data, _ = good(" ".join(words), "forced.h5", path, *words)
        tap.ok(np.array_equal(data["amplitude"], file.samples.astype(np.float32)), " ".join(words) + ": samples")
    wrong = File(values_of(3, 8), [{189: 1, 193: t} for t in range(3)], format=5, binary={3225: ("h", 1)})
    data, _ = good("--format 5 over 1", "forced.h5", wrong.write(place / "forced.sgy"), "--format", "5")
    tap.ok(np.array_equal(data["amplitude"], wrong.samples.astype(np.float32)), "--format 5 over 1: samples")


def check_rev2():
    fields = [{189: 1, 193: t} for t in range(3)]
    for order in "><":
        binary = {3501: ("B", 2), 3502: ("B", 1), 3297: ("I", 16909060), 3507: ("h", 2), 3269: ("i", 8), 3221: ("H", 0),
                  3513: ("Q", 3), 3529: ("i", 1)}
        file = File(values_of(3, 8), fields, order, 5, binary=binary, extra=2, extended=b"\x40" * 6400,
                    trailer=b"((SEG: x))" + b" " * 3190)
        raw = file.bytes()
        data, result = good("rev 2.1, %s" % order, "rev2.h5", file.write(place / "rev2.sgy"), ranks=2)
        tap.ok(np.array_equal(data["amplitude"], file.samples.astype(np.float32)) and "rev 2.1" in result.err,
               "rev 2.1, %s: samples" % order, result)
        tap.ok(data["trace/segy_extra"].shape == (3, 480) and (data["trace/segy_extra"] == [[1], [2], [3]]).all()
               and data["segy/extended_text"].tobytes() == raw[3600:10000] and data["segy/trailer"].tobytes() == raw[-3200:],
               "rev 2.1, %s: additional headers, extended text and trailer are kept" % order)


def check_broken():
    """Files broken in many ways end with status 4 and one message that names them and says why."""
    good_file = File(values_of(6, 8), positions([1, 2], [3], [1, 2, 3]), format=1)
    raw = good_file.bytes()

    def with_binary(**fields):
        data = bytearray(raw)
        for name, (code, number) in fields.items():
            struct.pack_into(">" + code, data, int(name[1:]) - 1, number)
        return bytes(data)

    random = np.random.RandomState(1)
    cases_of = {"nothing": (b"", "has 0 bytes"), "a cut header": (raw[:3500], "has 3500 bytes"),
                "no trace": (raw[:3600], "holds no trace"), "a cut trace": (raw[:-7], "is cut short"),
                "a part of a trace": (raw[:3700], "is cut short"), "bytes behind": (raw + b"12345", "and 5 bytes more"),
                "no samples": (with_binary(b3221=("H", 0), b3715=("H", 0)), "how many samples"),
                "too many samples": (with_binary(b3221=("H", 65000)), None),
                "format 4": (with_binary(b3225=("h", 4)), "format 4 (fixed point with gain)"),
                "format 6 over 4 bytes": (with_binary(b3225=("h", 6)), "are those of samples of 4 bytes"),
                "format 300": (with_binary(b3225=("h", 300)), "is 300, which SEG-Y does not have"),
                "endless text": (with_binary(b3505=("h", -1), b3501=("H", 256)), "EndText"),
                "absurd text": (with_binary(b3505=("h", 32767), b3501=("H", 256)), "begins at byte 104858000"),
                "absurd samples of rev 2": (with_binary(b3501=("H", 512), b3269=("i", 2 ** 31 - 1), b3715=("H", 0)), "2 GiB"),
                "a first trace nowhere": (with_binary(b3501=("H", 512), b3521=("q", 2 ** 62)), "begins at byte"),
                "random bytes": (random.bytes(9999), "is no SEG-Y file"), "text": (b"no SEG-Y " * 1000, "is no SEG-Y file")}
    for number, (label, (data, words)) in enumerate(cases_of.items()):
        with open(place / "broken.sgy", "wb") as file:
            file.write(data)
        result = consolidate("never.h5", place / "broken.sgy", ranks=2 if number % 6 == 0 else 0)
        if words is None:  # the first trace's header knows better
            tap.ok(result.status == 0 and "the first trace header's" in result.err, label + ": read by the trace's header", result)
        else:
            tap.refused(result, 4, words, label + " is refused")
            tap.ok("broken.sgy" in result.err, label + ": the file is named", result)
    tap.refused(consolidate("never.h5", place / "none.sgy"), 5, "none.sgy", "a file that is not there")
    os.remove(place / "never.h5")
    tap.ok(not list(place.glob("never*")) and not list(place.glob("*.part")), "and nothing is left")


READ = {  # traces, samples a trace, gathers
    "real_gather": (96, 1000, 1), "segyio_1x1": (4, 10, 1), "segyio_1xN": (24, 10, 6), "segyio_Mx1": (24, 10, 6),
    "segyio_Format1lsb": (414, 75, 414), "segyio_Format1msb": (414, 75, 414), "segyio_Format2msb": (414, 75, 414),
    "segyio_Format3msb": (414, 75, 414), "segyio_Format5lsb": (414, 75, 414), "segyio_Format5msb": (414, 75, 414),
    "segyio_Format8msb": (414, 75, 414), "segyio_delay-scalar": (1, 251, 1), "segyio_interval-neg-bin-neg-trace": (1, 1, 1),
    "segyio_interval-neg-bin-pos-trace": (1, 1, 1), "segyio_long": (3, 60000, 3), "segyio_multi-text": (1, 1, 1),
    "segyio_shot-gather": (61, 25, 4), "segyio_small-lsb": (25, 50, 25), "segyio_small-ps": (24, 10, 12),
    "segyio_small-ps-dec-il-xl-off": (24, 10, 12), "segyio_small-ps-dec-off-inc-il-xl": (24, 10, 12),
    "segyio_text-embed-null": (25, 50, 25), "segyio_trace-header-extensions": (2, 4, 2),
    "szfp_small-duplicate-traceheaders": (25, 50, 25), "szfp_small-ieee": (25, 50, 25), "szfp_small-irregular": (24, 50, 24),
    "szfp_small_hole": (24, 50, 24)}
REFUSED = {"segyio_broken": "is cut short", "segyio_text": "holds no trace"}
SAID = {"segyio_interval-neg-bin-neg-trace": "its sample interval is unknown", "segyio_shot-gather": "gathers by shot",
        "segyio_interval-neg-bin-pos-trace": "the first trace header's", "szfp_small_hole": "inline 3, crossline 22",
        "szfp_small-irregular": "1 of the 25 positions", "segyio_trace-header-extensions": "rev 2.1",
        "segyio_Format3msb": "another number of samples", "real_gather": "format 5 (IEEE float)"}


def check_files():
    folder = tap.data("segy")
    if folder is None:
        tap.skip("SEG-Y files of others", "SEISDCN_DATA names no folder with segy/")
        return
    unknown = sorted(set(path.stem for path in folder.glob("*.sgy")) - set(READ) - set(REFUSED))
    tap.ok(not unknown, "every file of the folder is known here", str(unknown))
    for name, shape in READ.items():
        path = folder / (name + ".sgy")
        if not path.exists():
            tap.skip(name, "it is not there")
            continue
        data, result = good("reads " + name, "read.h5", path)
        if data is None:
            continue
        amplitude = data["amplitude"]
        tap.ok(amplitude.shape == shape[:2] and len(folds(data)) == shape[2] and SAID.get(name, "") in result.err,
               name + ": traces, samples, gathers", "%s %s\n%s" % (amplitude.shape, len(folds(data)), result))
        if name == "segyio_trace-header-extensions":
            tap.ok(data["trace/segy_extra"].shape == (2, 480), name + ": two additional headers a trace")
            continue
        _, _, headers, samples, _, _ = segy_files.read(path)
        order = data["trace/segy_position"]
        tap.ok(np.array_equal(amplitude, samples[order].astype(np.float32))
               and data["trace/segy_header"].tobytes() == b"".join(headers[t] for t in order),
               name + ": samples and headers of every trace")
    for name, words in REFUSED.items():
        if (folder / (name + ".sgy")).exists():
            tap.refused(consolidate("never.h5", folder / (name + ".sgy"), ranks=2), 4, words, "refuses " + name)
    one, other = (cases.datasets(place / name) if consolidate(name, folder / file).status == 0 else {} for name, file in (
        ("one.h5", "segyio_Format1msb.sgy"), ("other.h5", "segyio_Format5lsb.sgy")))
    tap.ok(len(one) > 0 and np.array_equal(one["ensemble/inline"], other["ensemble/inline"])
           and np.allclose(one["amplitude"], other["amplitude"], rtol=1e-6, atol=0),
           "Format1msb and Format5lsb hold the same traces")


for check in (check_formats, check_tables, check_order, check_fields, check_guessing, check_faults, check_samples,
              check_intervals, check_several, check_forced, check_rev2, check_broken,
              check_files):
    check()
tap.done()
