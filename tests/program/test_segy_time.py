"""SEG-Y traces that differ in length, and traces that do not begin at 0: on one axis in the survey, and back byte for
byte."""
import struct

import h5py
import numpy as np

import cases
import tap
from segy_files import File, positions, values_of
from segy_road import consolidate, content, export, place, same_but_for_a_line, write

REV2 = {3501: ("B", 2), 3502: ("B", 0), 3297: ("I", 16909060), 3507: ("i", 1)}


def extension(order, samples=0, nanoseconds=0):
    """The additional header of rev 2 that tells more than two bytes can."""
    data = bytearray(240)
    struct.pack_into(order + "Ii", data, 136, samples, nanoseconds)
    data[232:] = b"SEG00001"
    return bytes(data)


def ragged(lengths, seed=0):
    whole = values_of(len(lengths), max(lengths), seed)
    return [np.array(trace[:n]) for trace, n in zip(whole, lengths)]


def padded(samples, firsts=None):
    """The traces on one axis, zeros before and behind."""
    firsts = firsts if firsts is not None else [0] * len(samples)
    wanted = np.zeros((len(samples), max(first + len(trace) for first, trace in zip(firsts, samples))), np.float32)
    for row, first, trace in zip(wanted, firsts, samples):
        row[first:first + len(trace)] = trace
    return wanted


def check_whole(label, file, samples, firsts=None, ranks=(0, 3), words=()):
    """In, the samples on one axis with their true lengths, and out as they came. The gathers are sorted in the file."""
    for n in ranks:
        name = "%s, %d ranks" % (label, n)
        result = consolidate("v.h5", file.write(place / "v.sgy"), *words, ranks=n)
        if not tap.ok(result.status == 0, name + ": is read", result):
            continue
        sets = cases.datasets(place / "v.h5")
        tap.ok(np.array_equal(sets["amplitude"], padded(samples, firsts)), name + ": samples on one axis")
        tap.ok(sets["trace/segy_samples"].tolist() == [len(trace) for trace in samples]
               and sets["trace/segy_first_sample"].tolist() == list(firsts or [0] * len(samples)), name + ": true lengths")
        result = export("v.h5", "w.sgy", ranks=n)
        tap.ok(result.status == 0 and same_but_for_a_line(file.bytes(), content("w.sgy")), name + ": and back", result)


def check_lengths():
    fields = positions([1, 2], [5, 6, 7], range(100, 112))
    lengths = [20 + 7 * i % 13 for i in range(len(fields))]
    samples = ragged(lengths)
    for label, words in (("traces that differ in length", {}), ("little-endian", {"order": "<", "format": 5}),
                         ("with a flag that says they are alike", {"binary": {3503: ("h", 1)}}),
                         ("rev 2 with additional headers", {"binary": REV2, "extra": 1}),
                         ("rev 2 with a trailer that no header counts",
                          {"binary": {3501: ("B", 2)}, "trailer": b"((SEG: x))" + b" " * 3190}),
                         ("rev 2 with a trailer that is counted",
                          {"binary": {3501: ("B", 2), 3529: ("i", 1)}, "trailer": b"((SEG: x))" + b" " * 3190})):
        check_whole(label, File(samples, fields, **words), samples, ranks=(0, 3) if "extra" in words else (3,))
    fits = [20] * len(fields)
    fits[3], fits[7], fits[-1], fits[-2] = 15, 25, 16, 24
    check_whole("lengths that make up for each other", File(ragged(fits), fields), ragged(fits), ranks=(3,))
    last = [20] * (len(fields) - 1) + [13]
    check_whole("a last trace that is shorter", File(ragged(last), fields), ragged(last), ranks=(0,))
    many = positions([1], range(30), range(10))
    fits = [20] * 300
    fits[152], fits[153] = 15, 25
    check_whole("a pair of many that make up for each other", File(ragged(fits), many), ragged(fits))
    extras = [extension(">", 20 + 7 * i % 13) for i in range(len(fields))]
    check_whole("lengths told by rev 2's extension", File(samples, fields, binary=REV2, extra=1, extras=extras,
                                                          tells_samples=False), samples, ranks=(3,))
    result = tap.run("info", place / "v.sgy", ranks=3)
    tap.ok("72 of 20 to 32 samples, as each header tells" in result.out, "info tells the lengths", result)
    File(values_of(len(fields), 20), fields).write(place / "v.sgy")
    consolidate("v.h5", place / "v.sgy")
    tap.ok(not [name for name in cases.datasets(place / "v.h5") if name.startswith("trace/segy_sample")],
           "traces of one length leave no table of lengths")


def check_order():
    """Traces in any order, of several files, by --sort; and what a command makes of them."""
    fields = positions([1, 2], range(5, 15), range(100, 108))
    lengths = [11 + 5 * i % 17 for i in range(len(fields))]
    samples, order = ragged(lengths), np.random.RandomState(3).permutation(len(fields))
    file = File([samples[i] for i in order], [fields[i] for i in order], format=5)
    for ranks in (0, 3):
        result = consolidate("o.h5", file.write(place / "o.sgy"), "--sort", "offset", ranks=ranks)
        tap.ok(result.status == 0 and np.array_equal(cases.datasets(place / "o.h5")["amplitude"], padded(samples)),
               "traces that differ in length, in any order, on %d ranks" % ranks, result)
        result = export("o.h5", "p.sgy", ranks=ranks)
        tap.ok(result.status == 0 and same_but_for_a_line(file.bytes(), content("p.sgy")), "and back", result)
    result = tap.run("mean", "--force", "--survey", place / "o.h5", "--output", place / "m.h5", "--traces", "3", ranks=3)
    tap.ok(result.status == 0, "mean of such traces", result)
    export("m.h5", "m.sgy", ranks=3)
    got, at, same = content("m.sgy"), 3600, content("m.sgy")[3200:3600] == file.bytes()[3200:3600]
    mean = cases.datasets(place / "m.h5")["amplitude"]
    for i in order:
        same = same and got[at:at + 240] == file.bytes()[at:at + 240]
        same = same and np.array_equal(np.frombuffer(got, ">f4", lengths[i], at + 240), mean[i, :lengths[i]])
        at += 240 + 4 * lengths[i]
    tap.ok(same and at == len(got), "a prediction goes out with the headers and lengths that its survey came with")
    result = export("m.h5", "n.sgy", "--format", "3", ranks=3)
    tap.ok(result.status == 0 and len(content("n.sgy")) == 3600 + sum(240 + 2 * n for n in lengths), "in another format too", result)
    result = export("o.h5", "n.sgy", "--ensembles", "2:5-8", ranks=3)
    some = [i for i in order if 80 <= i < 112]
    tap.ok(result.status == 0 and content("n.sgy")[3600:] == File([samples[i] for i in some], [fields[i] for i in some],
                                                                  format=5).bytes()[3600:], "and a part of the gathers", result)
    halves = [File([samples[i] for i in order[part::2]], [fields[i] for i in order[part::2]], format=5) for part in (0, 1)]
    result = consolidate("o.h5", *[half.write(place / ("half%d.sgy" % i)) for i, half in enumerate(halves)], "--sort", "offset",
                         "--join", ranks=3)
    tap.ok(result.status == 0 and np.array_equal(cases.datasets(place / "o.h5")["amplitude"], padded(samples)),
           "several files of them", result)
    result = export("o.h5", "n.sgy")
    tap.ok(content("n.sgy")[3600:] == b"".join(half.bytes()[3600:] for half in halves), "and back as one", result)


def check_broken():
    fields = positions([1], [5, 6], range(100, 110))
    lengths = [20 + 7 * i % 13 for i in range(len(fields))]
    lengths[-1] = 30
    raw, samples = File(ragged(lengths), fields).bytes(), ragged(lengths)
    for label, data, n, left in (("a cut trace", raw[:-20], 19, 340), ("a cut header", raw[:-200], 19, 160),
                                 ("a few bytes behind", raw + b"\x1a\x1a", 20, 2), ("padding", raw + bytes(5000), 20, 5000)):
        path = write("b.sgy", data)
        for ranks in (0, 3):
            tap.refused(consolidate("never.h5", path, ranks=ranks), 4, "behind %d whole traces are %d bytes more" % (n, left),
                        label + " of traces that differ in length")
            result = consolidate("b.h5", path, "--salvage", ranks=ranks)
            tap.ok(result.status == 0 and "its last %s bytes, behind %d whole traces" % ("{:,}".format(left), n) in result.err
                   and np.array_equal(cases.datasets(place / "b.h5")["amplitude"], padded(samples[:n])),
                   label + ": --salvage reads the whole ones, on %d ranks" % ranks, result)
            result = export("b.h5", "c.sgy", ranks=ranks)
            tap.ok(same_but_for_a_line(raw[:len(data) - left], content("c.sgy")), label + ": export writes these", result)
    wrong = bytearray(raw)
    struct.pack_into(">H", wrong, 3600 + 240 + 4 * lengths[0] + 114, 9999)
    tap.refused(consolidate("never.h5", write("b.sgy", bytes(wrong))), 4, "--salvage", "a trace whose header tells what is not there")
    tap.refused(consolidate("never.h5", place / "b.sgy", "--salvage"), 4, "cannot be salvaged", "nor is it salvaged")
    consolidate("b.h5", write("b.sgy", raw))
    for name, row, value in (("segy_samples", 2, 99), ("segy_samples", 2, 0), ("segy_first_sample", 3, -1)):
        with h5py.File(place / "b.h5", "a") as survey:
            before = survey["trace/" + name][row]
            survey["trace/" + name][row] = value
        tap.refused(export("b.h5", "never.sgy", ranks=3), 4, "trace %d has samples" % row, "a wrong %s in the survey" % name)
        with h5py.File(place / "b.h5", "a") as survey:
            survey["trace/" + name][row] = before


def delayed(fields, delays, scalar=None):
    return [{**field, 109: delay, **({215: scalar} if scalar else {})} for field, delay in zip(fields, delays)]


def check_delay():
    fields = positions([1], [5, 6], range(100, 110))
    samples = [np.array(trace) for trace in values_of(20, 40)]
    for ranks in (0, 3):
        for label, delays, scalar, ms in (("one delay", [1500] * 20, None, [1500] * 20),
                                          ("with a scalar", [15] * 20, 100, [1500] * 20), ("over a scalar", [-15] * 20, -10, [-1.5] * 20),
                                          ("one of each gather", [1500] * 10 + [1001] * 10, 1, [1500] * 10 + [1001] * 10)):
            file = File(samples, delayed(fields, delays, scalar))
            result = consolidate("d.h5", file.write(place / "d.sgy"), ranks=ranks)
            if not tap.ok(result.status == 0, "%s is read, on %d ranks" % (label, ranks), result):
                continue
            sets = cases.datasets(place / "d.h5")
            tap.ok(np.array_equal(sets["amplitude"], padded(samples)) and "trace/segy_samples" not in sets
                   and sets["trace/delay_us"].dtype == np.float32 and np.array_equal(sets["trace/delay_us"], np.float32(ms) * 1000),
                   label + ": is kept, and the samples are as they came")
            result = export("d.h5", "e.sgy", ranks=ranks)
            tap.ok(same_but_for_a_line(file.bytes(), content("e.sgy")), label + ": and back", result)
    result = consolidate("d.h5", File(samples, fields).write(place / "d.sgy"))
    tap.ok("trace/delay_us" not in cases.datasets(place / "d.h5"), "no delay, no table of delays", result)
    delays = [100, 108, 100, 112, 104] * 4
    firsts = [0, 2, 0, 3, 1] * 4
    check_whole("traces of a gather that begin at different times", File(samples, delayed(fields, delays)), samples, firsts)
    tap.ok(np.all(cases.datasets(place / "v.h5")["trace/delay_us"] == 100000), "their common start")
    result = consolidate("v.h5", place / "v.sgy", ranks=3)
    tap.ok("12 traces of 2 gathers begin later than the first of their gather: shifted by up to 3 samples" in result.err,
           "they are counted", result)
    ragged_samples = ragged([20 + 7 * i % 13 for i in range(20)])
    check_whole("that differ in length, too", File(ragged_samples, delayed(fields, delays)), ragged_samples, firsts)
    result = tap.run("mean", "--force", "--survey", place / "v.h5", "--output", place / "m.h5", "--traces", "3", "--difference", ranks=3)
    tap.ok(result.status == 0 and np.all(cases.datasets(place / "m.h5")["trace/delay_us"] == 100000), "a difference has it, too", result)
    extras = [extension(">", 0, 500000 if i < 10 else 0) for i in range(20)]
    result = consolidate("d.h5", File(samples, delayed(fields, [2] * 20), binary=REV2, extra=1, extras=extras).write(place / "d.sgy"), ranks=3)
    tap.ok(result.status == 0 and cases.datasets(place / "d.h5")["trace/delay_us"].tolist() == [2500] * 10 + [2000] * 10,
           "rev 2's nanoseconds are added", result)


def check_wrong_delay():
    fields = positions([1], [5, 6], range(100, 110))
    samples = [np.array(trace) for trace in values_of(20, 40)]
    for label, trace, delay, said in (("no whole samples apart", 13, 1502, "that is 0.5 samples of 4000 us, no whole number"),
                                      ("far apart", 14, 32000, "the axis of the gather would be longer than 4 traces")):
        delays = [1500] * 20
        delays[trace] = delay
        file = File(samples, delayed(fields, delays))
        path = file.write(place / "r.sgy")
        for ranks in (0, 3):
            tap.refused(consolidate("never.h5", path, ranks=ranks), 4, said, label)
            result = consolidate("never.h5", path, ranks=ranks)
            tap.ok("trace %d of r.sgy begins at %d ms and trace 10 of r.sgy at 1500 ms" % (trace, delay) in result.err
                   and "inline 1, crossline 6" in result.err, label + ": where", result)
            result = consolidate("r.h5", path, "--ignore-delay", ranks=ranks)
            tap.ok(result.status == 0 and "trace/delay_us" not in cases.datasets(place / "r.h5"), "--ignore-delay reads it", result)
            export("r.h5", "s.sgy", ranks=ranks)
            tap.ok(same_but_for_a_line(file.bytes(), content("s.sgy")), "and back")
    delays = [1500] * 10 + [1508] * 10
    unknown = File(samples, delayed(positions([1], [5], range(20)), delays), interval=0)
    tap.refused(consolidate("never.h5", unknown.write(place / "r.sgy")), 4, "the sample interval is unknown", "no interval")
    result = consolidate("r.h5", place / "r.sgy", "--interval-us", "2000")
    tap.ok(result.status == 0 and cases.datasets(place / "r.h5")["amplitude"].shape == (20, 44), "told by --interval-us", result)


def check_dropped():
    """Dead traces that are left out come back with their lengths and starts, too."""
    fields = positions([1], [5, 6], range(100, 110))
    samples = ragged([20 + 7 * i % 13 for i in range(20)])
    for dead in (3, 4, 19):
        samples[dead] = np.zeros(len(samples[dead]))
    file = File(samples, delayed(fields, [100, 108, 100, 112, 104] * 4))
    for ranks in (0, 3):
        result = consolidate("x.h5", file.write(place / "x.sgy"), "--drop-dead", ranks=ranks)
        tap.ok(result.status == 0 and cases.datasets(place / "x.h5")["trace/segy_samples"].size == 17,
               "traces that differ, with dead ones among them", result)
        result = export("x.h5", "y.sgy", ranks=ranks)
        tap.ok(result.status == 0 and same_but_for_a_line(file.bytes(), content("y.sgy")), "and all of them back", result)


def check_use():
    """Pictures, figures, neighbours and reports at the right times."""
    samples = [np.array(trace, np.float32) for trace in np.random.RandomState(1).standard_normal((40, 50))]
    fields = positions([1], [5, 6, 7, 8], range(100, 110))
    starts = [1000] * 20 + [1400] * 20
    consolidate("u.h5", File(samples, delayed(fields, starts), format=5).write(place / "u.sgy"))
    for ensemble, first in (("#0", 1000), ("#2", 1400)):
        for words in ((), ("--wiggle",)):
            result = tap.run("plot", "--force", "--survey", place / "u.h5", "--ensemble", ensemble, "--output", place / "u.png", "--script",
                             place / "u.gp", *words)
            if tap.ok(result.status == 0, "a picture of a gather with a delay", result):
                script = content("u.gp").decode()
                tap.ok("set yrange [%g:%g]" % (first + 198, first - 2) in script, "its axis begins at %d ms" % first)
    result = tap.run("mean", "--force", "--survey", place / "u.h5", "--output", place / "m.h5", "--gathers", "3", "--traces", "1", ranks=3)
    tap.ok(result.status == 0 and "1 pair of gathers next to each other begin at different times" in result.err,
           "gathers that begin at different times are no neighbours", result)
    wanted = np.reshape(samples, (4, 10, 50)).astype(np.float64)
    got = cases.datasets(place / "m.h5")["amplitude"].reshape(4, 10, 50)
    tap.ok(np.allclose(got[:2], wanted[:2].mean(0), atol=1e-6) and np.allclose(got[2:], wanted[2:].mean(0), atol=1e-6),
           "their means are of one time each")
    for ranks in (0, 3):
        result = tap.run("qc", "--force", "--survey", place / "u.h5", "--predicted", place / "m.h5", "--windows", "6", "--bands", "0",
                         "--csv", place / "u.csv", ranks=ranks)
        rows = [row.split(",") for row in content("u.csv").decode().splitlines()]
        times = [row for row in rows if row[:2] == ["rms_input", "time"]]
        if not tap.ok(result.status == 0 and len(times) == 6 and float(times[0][2]) == 1000 and float(times[-1][3]) == 1596,
                      "qc's windows go from the first to the last time, on %d ranks" % ranks, (result, times)):
            continue
        data = wanted.reshape(40, 50)
        rms = []
        for row in times:
            first, last = float(row[2]), float(row[3])
            taken = [trace[s] for trace, start in zip(data, starts) for s in range(50) if first <= start + 4 * s <= last]
            rms.append(np.sqrt(np.mean(np.square(taken))) if taken else np.nan)
        told = [float(row[5] or "nan") for row in times]
        tap.ok(np.allclose(told, rms, rtol=1e-5, equal_nan=True), "each with the samples of its times", (told, rms))
    result = tap.run("info", place / "u.h5", ranks=3)
    tap.ok("first sample at      1000 to 1400 ms" in result.out, "info of the survey tells it", result)
    result = tap.run("info", place / "u.sgy", ranks=3)
    tap.ok("delay                1000 to 1400 ms" in result.out, "and of the file", result)
    with h5py.File(place / "u.h5", "a") as survey:
        survey["trace/delay_us"][3] = 0
    result = tap.run("plot", "--force", "--survey", place / "u.h5", "--ensemble", "#0", "--output", place / "u.png")
    tap.refused(result, 4, "begin at different times", "a gather without one start is not drawn")
    result = tap.run("qc", "--force", "--survey", place / "u.h5", "--predicted", place / "m.h5", "--bands", "0", "--csv", place / "u.csv")
    tap.ok(result.status == 0 and ",sample," in content("u.csv").decode(), "and measured by sample", result)
    gathers = np.random.RandomState(1).standard_normal((2, 5, 30)).astype(np.float32)
    tap.run("consolidate", "--output", place / "n.h5", "--interval-us", "4000", cases.write_gathers(str(place / "npy"), gathers))
    with h5py.File(place / "n.h5", "a") as survey:
        survey["trace/delay_us"] = np.float32([1500000] * 5 + [250500] * 5)
    result = export("n.h5", "n.sgy", ranks=3)
    headers = [content("n.sgy")[3600 + 360 * t:][:240] for t in (0, 5)]
    tap.ok(result.status == 0 and [struct.unpack_from(">h", header, 108)[0] for header in headers] == [1500, 2505]
           and [struct.unpack_from(">h", header, 214)[0] for header in headers] == [0, -10], "a survey of .npy with delays: SEG-Y has them", result)


for check in (check_lengths, check_order, check_broken, check_delay, check_wrong_delay, check_dropped, check_use):
    check()
tap.ok(not list(place.glob("never*")) and not list(place.glob("*.part")), "nothing is left of what was refused")
tap.done()
