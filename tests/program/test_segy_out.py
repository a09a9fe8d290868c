"""export to SEG-Y: traces come back in their order with their headers, byte for byte but for one line of text; samples
of predictions, gathers that were left out, surveys of .npy files; read by segyio, which has not written them."""
import os
import shutil
import struct

import h5py
import numpy as np
import segyio

import cases
import segy_files
import tap
from segy_files import File, positions, values_of
from segy_road import content, export, place

import original


def consolidate(name, *words):
    return tap.runs(tap.run("consolidate", "--force", "--quiet", "--output", place / name, *words), "consolidate " + name)


def changed_lines(before, after):
    """The lines of the text header (from 1) that two files differ in; None where they differ elsewhere."""
    if len(before) != len(after) or before[3200:] != after[3200:]:
        return None
    return [i + 1 for i in range(40) if before[80 * i:80 * i + 80] != after[80 * i:80 * i + 80]]


def line_of(data, number):
    return data[80 * number - 80:80 * number].decode("cp037")


def check_segyio(label, path, order, headers, samples):
    """segyio finds the same trace headers and samples."""
    with segyio.open(str(path), ignore_geometry=True, endian="big" if order == ">" else "little") as file:
        fields = all(file.header[t][byte] == segy_files.field(raw, byte, order)
                     for t, raw in enumerate(headers) for byte in (1, 5, 9, 21, 25, 29, 37, 73, 115, 117, 181, 189, 193))
        values = np.array([file.trace.raw[t] for t in range(file.tracecount)])
        tap.ok(file.tracecount == len(headers) and fields
               and np.array_equal(values.astype(np.float32), samples.astype(np.float32)),
               label + ": segyio finds the same headers and samples", "%d of %d" % (file.tracecount, len(headers)))


def check_round_trip():
    fields = positions(range(1, 5), range(20, 25), [300, 100, 200])
    order = np.random.RandomState(5).permutation(len(fields))
    fields = [fields[t] for t in order]
    whole = np.arange(len(fields) * 7).reshape(-1, 7) % 250 - 125
    for endian in "><":
        for format in (1, 2, 3, 5, 8):
            values = values_of(len(fields), 7) if format in (1, 5) else whole
            file = File(values, fields, endian, format)
            label = "format %d, %s" % (format, endian)
            consolidate("a.h5", file.write(place / "a.sgy"), *(["--sort", "offset"] if format == 5 else []))
            for ranks in (0, 3) if format == 1 and endian == ">" else (0,):
                result = export("a.h5", "b.sgy", ranks=ranks)
                if not tap.ok(result.status == 0, "%s: export on %d ranks" % (label, ranks), result):
                    continue
                before, after = file.bytes(), content("b.sgy")
                tap.ok(changed_lines(before, after) == [40] and "seisdcn" in line_of(after, 40)
                       and "no model" in line_of(after, 40) and line_of(after, 40).startswith("C40 "),
                       label + ": byte for byte but for the last free line", str(changed_lines(before, after)))
                check_segyio(label, place / "b.sgy", endian, segy_files.read(place / "b.sgy")[2], values)
    tap.ok(not list(place.glob("*.part")), "no unfinished file is left")


def check_revision_2():
    for endian in "><":
        binary = {3501: ("B", 2), 3502: ("B", 1), 3297: ("I", 16909060), 3507: ("h", 3), 3513: ("Q", 6), 3529: ("i", 2)}
        file = File(values_of(6, 9), positions([1], [3, 2, 1], [5, 4]), endian, 1, binary=binary, extra=3,
                    extended=b"\x40" * 3200, trailer=b"((SEG: x))" + b"\x55" * 6390)
        consolidate("r.h5", file.write(place / "r.sgy"))
        result = export("r.h5", "s.sgy", ranks=2 if endian == ">" else 0)
        tap.ok(result.status == 0 and changed_lines(file.bytes(), content("s.sgy")) == [40],
               "rev 2.1, %s: byte for byte, with additional headers, extended text and trailer" % endian, result)
        result = export("r.h5", "t.sgy", "--ensembles", "1:3,1:1")
        data = content("t.sgy")
        tap.ok(result.status == 0 and struct.unpack_from(endian + "Q", data, 3512)[0] == 4
               and tap.run("consolidate", "--force", "--output", place / "u.h5", place / "t.sgy").status == 0
               and cases.datasets(place / "u.h5")["ensemble/crossline"].tolist() == [1, 3],
               "rev 2.1, %s: a part of it tells its own number of traces" % endian, result)


def check_text():
    full = "".join("C%2d %-76s" % (i + 1, "FULL") for i in range(40)).encode("cp037")
    file = File(values_of(1, 4), text=full)
    consolidate("full.h5", file.write(place / "full.sgy"))
    export("full.h5", "b.sgy")
    tap.ok(changed_lines(file.bytes(), content("b.sgy")) == [40], "no free line: the last one")
    ascii = "".join("C%2d %-76s" % (i + 1, "" if i == 20 else "TAKEN") for i in range(40)).encode("ascii")
    file = File(values_of(1, 4), text=ascii)
    consolidate("ascii.h5", file.write(place / "ascii.sgy"))
    export("ascii.h5", "b.sgy")
    tap.ok(changed_lines(file.bytes(), content("b.sgy")) == [21]
           and content("b.sgy")[1600:1604 + 7] == b"C21 seisdcn", "an ASCII header: its free line, in ASCII")
    consolidate("again.h5", place / "b.sgy")
    export("again.h5", "c.sgy")
    tap.ok(changed_lines(content("b.sgy"), content("c.sgy")) == [40], "and again: another line")


def check_odd():
    words = np.array([0x40000001, 0x41100000, 0x7fffffff, 0xc2123456], dtype=">u4")
    raw = File(np.zeros((1, 4))).bytes()[:-16] + words.tobytes()
    with open(place / "odd.sgy", "wb") as file:
        file.write(raw)
    consolidate("odd.h5", place / "odd.sgy")
    export("odd.h5", "b.sgy")
    after = content("b.sgy")
    wrong = [i for i in range(4) if raw[-16:][4 * i:4 * i + 4] != after[-16:][4 * i:4 * i + 4]]
    tap.ok(wrong == [0, 2] and segy_files.from_ibm(np.frombuffer(after[-16:], ">u4"))[0] == 2.0 ** -24
           and changed_lines(raw[:-16], after[:-16]) == [40], "just the samples that are counted differ", str(wrong))


def check_several():
    fields = positions([1, 2], [1, 2, 3], [100])
    near, far = File(values_of(6, 5, 1), fields), File(values_of(6, 5, 2), [{**f, 37: 900} for f in fields], interval=0)
    consolidate("two.h5", near.write(place / "near.sgy"), far.write(place / "far.sgy"))
    result = export("two.h5", "b.sgy", ranks=3)
    tap.ok(result.status == 0 and changed_lines(near.bytes() + far.bytes()[3600:], content("b.sgy")) == [40],
           "two files: one, the traces of the second behind those of the first", result)
    result = export("two.h5", "b.sgy", "--ensembles", "1:3,2:1", ranks=2)
    _, _, headers, samples, _, _ = segy_files.read(place / "b.sgy")
    rows = [2, 3]
    tap.ok(result.status == 0 and headers == [near.header(t) for t in rows] + [far.header(t) for t in rows]
           and np.array_equal(samples, np.concatenate([near.samples[rows], far.samples[rows]])),
           "--ensembles: only these gathers' traces, in the order of the files", result)


def check_formats():
    file = File(values_of(4, 6) * 1e-3, positions([1], [1, 2, 3, 4], [0]), "<", 1)
    consolidate("f.h5", file.write(place / "f.sgy"))
    result = export("f.h5", "b.sgy", "--format", "5")
    _, binary, headers, samples, order, format = segy_files.read(place / "b.sgy")
    changed = [i for i in range(400) if binary[i] != file.bytes()[3200 + i]]
    tap.ok(result.status == 0 and format == 5 and order == "<" and changed == [24] and headers == [file.header(t) for t in range(4)]
           and np.array_equal(samples.astype(np.float32), cases.datasets(place / "f.h5")["amplitude"]),
           "--format 5: IEEE floats, and the header tells so", result)
    result = export("f.h5", "b.sgy", "--format", "8")
    wanted = np.clip(np.rint(cases.datasets(place / "f.h5")["amplitude"]), -128, 127)
    beyond = np.sum(np.abs(np.rint(cases.datasets(place / "f.h5")["amplitude"]) + 0.5) > 128)
    tap.ok(result.status == 0 and np.array_equal(segy_files.read(place / "b.sgy")[3], wanted)
           and ("%d samples beyond" % beyond if beyond else "") in result.err, "--format 8: rounded, and told what is beyond",
           result)
    tap.refused(export("f.h5", "b.sgy", "--format", "4"), 2, "--format takes 1", "--format 4 is refused")
    tap.refused(export("f.h5", "folder", "--format", "5"), 2, "--output that ends .sgy", "--format for .npy is refused")
    tap.refused(tap.run("export", "--survey", place / "f.h5", "--output", place / "b.sgy"), 2, "--force",
                "an output that exists is refused")
    (place / "folder.sgy").mkdir()
    tap.refused(export("f.h5", "folder.sgy"), 2, "is a folder", "a folder where the file should be")

    shutil.copy(place / "f.h5", place / "twice.h5")
    with h5py.File(place / "twice.h5", "r+") as survey:
        survey["trace/segy_position"][1] = 0
    tap.refused(export("twice.h5", "never.sgy", ranks=2), 4, "gives 3 places to 4 traces", "two traces of one place")
    with h5py.File(place / "twice.h5", "r+") as survey:
        survey["trace/segy_position"][1] = 4
    tap.refused(export("twice.h5", "never.sgy", ranks=2), 4, "which is not there", "a trace without a place")
    tap.ok(not list(place.glob("never*")), "and nothing is left")


def check_predictions():
    model = str(place / "model.h5")
    original.write_model(model, original.Original(1, 2, 2, 0.0), 12)
    fields = positions([1, 2], [10, 11, 12], range(100, 1400, 100))
    shuffle = np.random.RandomState(7).permutation(len(fields))
    file = File((values_of(len(fields), 30) * 2.0 ** -20)[shuffle], [fields[t] for t in shuffle], ">", 1)
    consolidate("survey.h5", file.write(place / "survey.sgy"))

    def apply(name, *words):
        return tap.runs(tap.run("apply", "--force", "--survey", place / "survey.h5", "--model", model, "--output",
                                place / name, *words, ranks=2), "apply " + name)

    checksum = None
    for name, words, said in (("predicted", (), "prediction, model "), ("noise", ("--difference",), "input minus prediction")):
        apply(name + ".h5", *words)
        result = export(name + ".h5", name + ".sgy", ranks=2)
        data = content(name + ".sgy")
        _, _, headers, samples, _, format = segy_files.read(place / (name + ".sgy"))
        survey = cases.datasets(place / (name + ".h5"))
        checksum = "%016x" % cases.attributes(place / (name + ".h5"))["model_checksum"]
        back = np.empty_like(survey["amplitude"])
        back[survey["trace/segy_position"]] = survey["amplitude"]
        tap.ok(result.status == 0 and format == 1 and headers == [file.header(t) for t in range(len(fields))]
               and np.allclose(samples, back, rtol=2.0 ** -20, atol=0) and not np.array_equal(samples, file.samples),
               name + ": the predicted samples with the headers that came", result)
        tap.ok(said in line_of(data, 40) and checksum in line_of(data, 40) and "seisdcn 0." in line_of(data, 40),
               name + ": the text tells program and model", line_of(data, 40))
        export(name + ".h5", "five.sgy", "--format", "5")
        tap.ok(np.array_equal(segy_files.read(place / "five.sgy")[3].astype(np.float32), back),
               name + ": --format 5 holds every bit")
    check_segyio("prediction", place / "predicted.sgy", ">", [file.header(t) for t in range(len(fields))],
                 segy_files.read(place / "predicted.sgy")[3])

    apply("part.h5", "--ensembles", "1:11,#4")
    result = export("part.h5", "part.sgy", ranks=3)
    _, _, headers, samples, _, _ = segy_files.read(place / "part.sgy")
    whole = segy_files.read(place / "predicted.sgy")[3]
    done = np.array([(f[189], f[193]) in ((1, 11), (2, 11)) for f in file.fields])
    tap.ok(result.status == 0 and np.array_equal(samples[done], whole[done]) and np.array_equal(samples[~done], file.samples[~done])
           and "4 gathers are not predicted" in result.err and "(2 of 6)" in line_of(content("part.sgy"), 40),
           "gathers that apply left out keep their samples", result)
    moved = place / "moved"
    moved.mkdir()
    os.rename(place / "survey.h5", moved / "elsewhere.h5")
    tap.refused(export("part.h5", "never.sgy", ranks=2), 2, "--through SURVEY.h5", "the survey is gone")
    result = export("part.h5", "again.sgy", "--through", moved / "elsewhere.h5", ranks=2)
    tap.ok(result.status == 0 and content("again.sgy") == content("part.sgy"), "--through names it", result)
    tap.refused(export("part.h5", "never.sgy", "--through", place / "f.h5", ranks=2), 4, "is not the survey that",
                "--through another survey is refused")
    os.rename(place / "part.h5", moved / "part.h5")
    os.rename(moved / "elsewhere.h5", moved / "survey.h5")
    result = tap.run("export", "--survey", moved / "part.h5", "--output", place / "beside.sgy")
    tap.ok(result.status == 0 and content("beside.sgy") == content("part.sgy"), "or it stands beside the prediction", result)


def check_npy():
    folder = cases.write_gathers(str(place / "npy"), [values_of(n, 21, n).astype(np.float32) for n in (3, 5, 1, 4)])
    consolidate("npy.h5", folder, "--interval-us", "2000")
    with h5py.File(place / "npy.h5", "r+") as survey:
        survey["trace/offset"][:3] = [10.4, -20.6, np.nan]
    outputs = set()
    for ranks in (0, 2, 7):
        result = export("npy.h5", "npy.sgy", ranks=ranks)
        tap.ok(result.status == 0, ".npy to SEG-Y on %d ranks" % ranks, result)
        outputs.add(content("npy.sgy"))
    tap.ok(len(outputs) == 1, "the same bytes on any number of ranks")
    amplitude = cases.datasets(place / "npy.h5")["amplitude"]
    with segyio.open(str(place / "npy.sgy"), ignore_geometry=True) as file:
        tap.ok(file.bin[3217] == 2000 and file.bin[3221] == 21 and file.bin[3225] == 5 and file.bin[3501] == 256
               and file.bin[3503] == 1 and len(file.samples) == 21 and file.tracecount == 13
               and np.array_equal(file.trace.raw[:], amplitude), "its binary header is sound, its samples are the gathers'")
        heads = [(h[189], h[193], h[37], h[21], h[25], h[115], h[117]) for h in file.header]
        wanted = [(100, 200 + e, 0, e + 1, t + 1, 21, 2000) for e, n in enumerate((3, 5, 1, 4)) for t in range(n)]
        wanted[0], wanted[1] = (100, 200, 10, 1, 1, 21, 2000), (100, 200, -21, 1, 2, 21, 2000)
        tap.ok(heads == wanted, "positions, offsets, samples and interval stand in the trace headers", str(heads))
        text = bytes(file.text[0]).decode()
        tap.ok("END TEXTUAL HEADER" in text and "SEG-Y REV1" in text and "seisdcn" in text, "a text header", text)
    consolidate("back.h5", place / "npy.sgy")
    back = cases.datasets(place / "back.h5")
    tap.ok(np.array_equal(back["amplitude"], amplitude) and cases.attributes(place / "back.h5")["checksum"]
           == cases.attributes(place / "npy.h5")["checksum"], "and it is the same survey again")
    np.save(place / "wide.npy", np.ones((2, 65536), np.float32))
    consolidate("wide.h5", place / "wide.npy")
    tap.refused(export("wide.h5", "never.sgy", ranks=2), 4, "65,535", "more samples than SEG-Y can tell")
    consolidate("fine.h5", folder, "--interval-us", "31.25")
    result = export("fine.h5", "fine.sgy")
    tap.ok(result.status == 0 and "SEG-Y's header tells 0" in result.err, "an interval that SEG-Y cannot tell", result)


def check_disk():
    folder = place / "disk"
    folder.mkdir()
    if os.geteuid() != 0 or tap.command(["mount", "-t", "tmpfs", "-o", "size=128k", "none", folder]).status != 0:
        tap.skip("disk full", "mounting is not allowed here")
        return
    try:
        consolidate("large.h5", File(values_of(8, 10000), positions([1], range(8), [0]), format=5).write(place / "large.sgy"))
        result = tap.run("export", "--survey", place / "large.h5", "--output", folder / "out.sgy", ranks=2)
        tap.refused(result, 5, "out.sgy", "disk full")
        tap.ok(os.listdir(folder) == [], "disk full: nothing is left", str(os.listdir(folder)))
    finally:
        tap.command(["umount", folder])


def check_files():
    folder = tap.data("segy")
    if folder is None:
        tap.skip("SEG-Y files of others come back", "SEISDCN_DATA names no folder with segy/")
        return
    for path in sorted(folder.glob("*.sgy")):
        if tap.run("consolidate", "--force", "--output", place / "o.h5", path).status != 0:
            tap.ok(path.stem in ("segyio_broken", "segyio_text"), path.stem + " is one of those that cannot be read")
            continue
        result = export("o.h5", "o.sgy")
        before, after = path.read_bytes(), content("o.sgy") if result.status == 0 else b""
        lines = changed_lines(before, after)
        tap.ok(lines is not None and len(lines) == 1, path.stem + " comes back byte for byte but for one line of text",
               "%s\n%s" % (lines, result))


for check in (check_round_trip, check_revision_2, check_text, check_odd, check_several, check_formats, check_predictions,
              check_npy, check_disk, check_files):
    check()
tap.done()
