"""SEG-Y files of every format and of the ways that writers and broken transfers leave them: all sample formats there and
back, additional headers in both spellings, files that are cut or padded, more samples than two bytes tell, layout stanzas."""
import struct

import numpy as np

import cases
import segy_files
import tap
from segy_files import File, positions, values_of
from segy_road import consolidate, content, export, place, same_but_for_a_line, write

FIELDS = positions([1, 2], [5, 6], [100, 200, 300])
N = len(FIELDS)


def check_formats():
    whole = np.arange(N * 9).reshape(N, 9) * 7919 % 251
    for order, ranks in ((">", 0), ("<", 3)):
        for format in (6, 7, 9, 10, 11, 12, 15, 16):
            signed = format in (6, 7, 9)
            file = File(whole - 125 if signed else whole, FIELDS, order, format)
            label = "format %d, %s" % (format, order)
            result = consolidate("f.h5", file.write(place / "f.sgy"), ranks=ranks)
            if not tap.ok(result.status == 0 and "format %d (" % format in result.err, label + " is read", result):
                continue
            tap.ok(np.array_equal(cases.datasets(place / "f.h5")["amplitude"], file.samples.astype(np.float32)),
                   label + ": its samples")
            result = export("f.h5", "g.sgy", ranks=ranks)
            tap.ok(result.status == 0 and same_but_for_a_line(file.bytes(), content("g.sgy")), label + ": and back", result)
    values = np.array([[-3, 0.4, 0.6, 255.4, 300, 70000]] * 2, np.float32)
    consolidate("v.h5", File(values, FIELDS[:2], format=5).write(place / "v.sgy"))
    for format, wanted, beyond in ((16, [0, 0, 1, 255, 255, 255], 6), (11, [0, 0, 1, 255, 300, 65535], 4),
                                   (10, [0, 0, 1, 255, 300, 70000], 2), (6, values[0], 0)):
        result = export("v.h5", "w.sgy", "--format", str(format), ranks=3)
        tap.ok(result.status == 0 and np.allclose(segy_files.read(place / "w.sgy")[3], [wanted] * 2, rtol=0, atol=0)
               and (("%d samples beyond" % beyond) in result.err) == (beyond > 0),
               "--format %d: rounded, clamped and counted" % format, result)
    tap.refused(export("v.h5", "w.sgy", "--format", "4"), 2, "--format takes 1 (IBM float)", "--format 4 is refused")


def check_extra_headers():
    """segyio writes the number of additional headers in two bytes, whatever the revision; others in four."""
    for order in "><":
        for minor in (0, 1):
            for code in ("h", "i"):
                binary = {3501: ("B", 2), 3502: ("B", minor), 3297: ("I", 16909060), 3507: (code, 1)}
                file = File(values_of(N, 8), FIELDS, order, 1, binary=binary, extra=1)
                label = "rev 2.%d, %s, additional headers in %d bytes" % (minor, order, struct.calcsize(code))
                result = consolidate("x.h5", file.write(place / "x.sgy"), ranks=3 if minor else 0)
                if tap.ok(result.status == 0, label, result):
                    tap.ok(np.array_equal(cases.datasets(place / "x.h5")["amplitude"], file.samples.astype(np.float32)),
                           label + ": samples")
                    export("x.h5", "y.sgy")
                    tap.ok(same_but_for_a_line(file.bytes(), content("y.sgy")), label + ": and back")


def check_salvage():
    file = File(values_of(N, 8), FIELDS)
    raw = file.bytes()
    for label, data, n, left, said in (
            ("a cut trace", raw[:-20], N - 1, 252, "a trace that is cut"),
            ("a cut header", raw[:-200], N - 1, 72, "too few for a trace's header"),
            ("one byte behind", raw + b"\x1a", N, 1, "too few for a trace's header"),
            ("padding of some traces", raw + bytes(1000), N, 1000, "padding: all of them are 0")):
        path = write("s.sgy", data)
        for ranks in (0, 3):
            tap.refused(consolidate("never.h5", path, ranks=ranks), 4, "--salvage reads the whole traces", label)
            result = consolidate("s.h5", path, "--salvage", ranks=ranks)
            if not tap.ok(result.status == 0 and "its last %s, behind %d whole traces" % ("byte" if left == 1 else "{:,} bytes".format(left), n) in result.err
                          and said in result.err, label + ": --salvage reads the whole traces, on %d ranks" % ranks, result):
                continue
            tap.ok(np.array_equal(cases.datasets(place / "s.h5")["amplitude"], file.samples[:n].astype(np.float32)),
                   label + ": their samples")
            export("s.h5", "t.sgy", ranks=ranks)
            tap.ok(same_but_for_a_line(raw[:len(raw) - (N - n) * 272], content("t.sgy")), label + ": export writes them alone")
    wrong = bytearray(raw)
    struct.pack_into(">H", wrong, 3220, 9)  # not the end is wrong, but the number of samples
    for t in range(N):
        struct.pack_into(">H", wrong, 3600 + 272 * t + 114, t + 1)
    tap.refused(consolidate("never.h5", write("s.sgy", bytes(wrong)), "--salvage"), 4, "cannot be salvaged",
                "--salvage does not take traces from where none are")
    result = consolidate("s.h5", file.write(place / "s.sgy"), "--salvage")
    tap.ok(result.status == 0 and "left out" not in result.err, "--salvage of a whole file leaves nothing out", result)
    trailer = b"((SEG: x))" + b" " * 3190
    rev2 = File(values_of(N, 8), FIELDS, binary={3501: ("B", 2)}, trailer=trailer)
    result = consolidate("s.h5", rev2.write(place / "s.sgy"))
    tap.ok(result.status == 0 and cases.datasets(place / "s.h5")["segy/trailer"].tobytes() == trailer,
           "rev 2: a trailer that no header counts", result)


def check_samples():
    """More samples than two bytes can tell."""
    file = File(values_of(3, 70001), FIELDS[:3], format=5)
    path = file.write(place / "long.sgy")
    tap.refused(consolidate("never.h5", path), 4, "--samples 70001 reads them so", "70,001 samples in rev 0")
    for ranks in (0, 3):
        result = consolidate("long.h5", path, "--samples", "70001", ranks=ranks)
        tap.ok(result.status == 0 and np.array_equal(cases.datasets(place / "long.h5")["amplitude"],
                                                     file.samples.astype(np.float32)), "--samples 70001", result)
    result = export("long.h5", "again.sgy", ranks=3)
    tap.ok(result.status == 0 and same_but_for_a_line(file.bytes(), content("again.sgy")), "and back", result)
    tap.refused(consolidate("never.h5", path, "--samples", "70000"), 4, "(70000 samples of 4 bytes)",
                "--samples that does not fit")


def stanza(entries, head="((SEG:Layout:text/xml))", end="</segy-layout>"):
    text = head + "<segy-layout name='x'>" + entries + "<extension name='SEG00001'><entry name='cdp' byte='3' type='int4'/></extension>" + end
    return text.ljust(3200).encode("ascii")


def check_wrong_codes():
    """Samples of one format under the code of another: the error names the right one, --format forces either."""
    random = np.random.RandomState(2)
    samples = np.cumsum(random.standard_normal((N, 200)), axis=1) * 0.1 + random.standard_normal((N, 200))
    for format, code in ((5, 1), (1, 5), (2, 1), (2, 5), (5, 2), (1, 2)):
        file = File(np.rint(samples * 1e6) if format == 2 else samples, FIELDS, "><"[code % 2], format, binary={3225: ("h", code)})
        path = file.write(place / "w.sgy")
        label = "format %d coded %d" % (format, code)
        words = "make no sense as format %d" % code
        result = consolidate("never.h5", path, ranks=3 if code == 1 else 0)
        tap.refused(result, 4, words, label)
        tap.ok("--format %d reads them so, --format %d insists" % (format, code) in result.err, label + ": both are named", result)
        result = consolidate("w.h5", path, "--format", str(format))
        back = cases.datasets(place / "w.h5")["amplitude"] if result.status == 0 else np.zeros(0)
        tap.ok(back.shape == samples.shape and np.allclose(back, file.samples, rtol=1e-5, atol=1e-6), label + ": --format reads it", result)
    tap.ok(consolidate("w.h5", path, "--format", "2").status == 0, "and insists on what the header tells")
    turned = File(samples.astype(">f4").view("u4").byteswap().view(">f4"), FIELDS, ">", 5)
    tap.refused(consolidate("never.h5", turned.write(place / "w.sgy")), 4, "as little-endian samples of format 5",
                "samples in another byte order than the headers")


def check_layout_stanza():
    def made(entries, **words):
        return File(values_of(N, 8), FIELDS, format=5, binary={3501: ("B", 2), 3502: ("B", 1), 3297: ("I", 16909060)},
                    extended=stanza(entries, **words)).write(place / "m.sgy")

    usual = '<entry name="iline" byte="189" type="int4"/><entry byte="37" name="offset" type="int4"/>'
    result = consolidate("m.h5", made(usual))
    tap.ok(result.status == 0, "a layout stanza that moves nothing", result)
    for label, entries, words in (("moves", '<entry name="xline" byte="213" type="int4"/>', "xline from byte 193 to byte 213"),
                                  ("makes a float of", '<entry name="offset" byte="37" type="ieee32"/>', "offset from byte 37")):
        for ranks in (0, 3):
            tap.refused(consolidate("never.h5", made(usual + entries), ranks=ranks), 4, words, "a layout stanza that %s a field" % label)
        result = consolidate("m.h5", place / "m.sgy", "--ignore-layout")
        tap.ok(result.status == 0, "--ignore-layout reads it by the standard", result)
    tap.refused(consolidate("never.h5", made(usual, end="")), 4, "it has no end", "a layout stanza without an end")


for check in (check_formats, check_extra_headers, check_salvage, check_samples, check_wrong_codes, check_layout_stanza):
    check()
tap.ok(not list(place.glob("never*")) and not list(place.glob("*.part")), "nothing is left of what was refused")
tap.done()
