"""Strangers' files: those that the scripts of ../shared/cases write, each with what is right. A script knows what it put into
its files, so the samples, offsets and positions that the program makes of them are compared with that.

A row of the table is a file (or a folder of .npy files, or several files), the options, the exit status, the words that the
log must hold, and the survey: folds, positions (or the numbers of its gathers, where a field makes them), lines. Where folds
are not given none is made. It runs alone or on three ranks by turns, or on both. A file that a script writes and no row has is a failure."""
import collections
import contextlib
import os
import pathlib
import re
import runpy
import sys

import h5py
import numpy as np

import cases
import segy_files
import tap

CASES = pathlib.Path(os.environ.get("SEISDCN_CASES", tap.ROOT.parent / "shared/cases"))
UNKNOWN = -2 ** 31
SQUARE = [(i, x) for i in (1, 2) for x in (1, 2)]
FIELD = [(i, x) for i in (10, 11) for x in (200, 201)]
SIX = [(i, x) for i in (10, 11) for x in (200, 201, 202)]
BOTH = (0, 3)
NPY = "shot_inline_1_crossline_1.npy"

ROW = dict(options="", status=0, words=(), folds=None, positions=None, lines=None, by=(189, 193), offsets=True, samples=True,
           delay=None, ranks=None, traces=None)


def row(files, **columns):
    """by: the bytes that make the gathers; samples: whether they are what the script wrote (False: forced into nonsense);
    traces: how many the file still has; delay: the delays of the traces, in us."""
    assert not set(columns) - set(ROW), columns
    columns["words"] = (columns["words"],) if isinstance(columns.get("words"), str) else columns.get("words", ())
    return collections.namedtuple("Row", ["files", *ROW])(files, **{**ROW, **columns})


def segy(files, words=(), **columns):
    """A file of four gathers."""
    return row(files, words=words, **{"positions": SQUARE, "folds": [34] * 4, **columns})


def refused(files, words, status=4, **columns):
    return row(files, words=words, status=status, **{**columns})


def gathers(files, folds=(40,), positions=((1, 1),), words=(), **columns):
    """.npy files."""
    return row(files, folds=list(folds), positions=list(positions), words=words, **columns)


BY_CDP = "gathers by cdp (byte 21)"
FLOATS = "look like the bits of floats: --offset-byte 37:float reads"

TABLE = {
    "2d_lines": [
        row("line1.sgy", words=BY_CDP, folds=[40] * 5, by=(21,)),
        row("line2.sgy", words=BY_CDP, folds=[40] * 5, by=(21,)),
        row("line1.sgy line2.sgy", words=("the files are several lines", "3205", "--join"), folds=[40] * 10, by=(21,),
            lines=[1] * 5 + [2] * 5, ranks=BOTH),
        row("line2.sgy line1.sgy", words=("the files are several lines", "3205", "--join"), folds=[40] * 10, by=(21,),
            lines=[1] * 5 + [2] * 5),
        row(".", words="the files are several lines", folds=[40] * 10, by=(21,), lines=[1] * 5 + [2] * 5),
        row("line1.sgy line2.sgy", options="--join", folds=[80] * 5, by=(21,), ranks=(3,)),
    ],
    "delay": [
        row("delay_all.sgy", words="traces begin at 1500 ms", folds=[40] * 2, positions=[(1, 1), (1, 2)], delay=[1.5e6] * 80, ranks=BOTH),
        row("delay_half.sgy", words="gathers begin at 1000 to 1500 ms", folds=[40] * 2, positions=[(1, 1), (1, 2)], delay=[1.5e6] * 40 + [1e6] * 40, ranks=BOTH),
    ],
    "var_len": [row(name + ".sgy", words="samples, as their headers tell", folds=[10] * 4, positions=[(1, x) for x in range(1, 5)], ranks=BOTH)
                for name in ("var_len", "var_len_fits", "var_len_fits_fixed1")],
    "dup_hdr_floats": [
        refused("offset_ieee.sgy", (FLOATS + " 125 to 1825", "--offset-byte 37:ibm")),
        refused("offset_ibm.sgy", (FLOATS, "--offset-byte 37:ibm 125 to 1825")),
        refused("ilxl_ieee.sgy", FLOATS + " 125 to 1825"),
        refused("ilxl_ibm.sgy", (FLOATS, "--offset-byte 37:ibm 125 to 1825")),
        *(row("offset_%s.sgy" % name, options="--offset-byte 37:" + kind, words="offset 125 to 1825", folds=[35] * 6,
              positions=SIX) for name, kind in (("ieee", "float"), ("ibm", "ibm"))),
        *(row("ilxl_%s.sgy" % name, options="--offset-byte 37:" + kind, folds=[35] * 6, positions=SIX,
              words=("make no sense (bits of floats)", "inline (byte 189, %s)" % said, "inline 10 to 11", "offset 125 to 1825"))
          for name, kind, said in (("ieee", "float", "float"), ("ibm", "ibm", "IBM float"))),
        *(row("ilxl_%s.sgy" % name, folds=[35] * 6, positions=SIX, ranks=(3,),
              options="--inline-byte 189:{0} --crossline-byte 193:{0} --offset-byte 37:{0}".format(kind))
          for name, kind in (("ieee", "float"), ("ibm", "ibm"))),
    ],
    "fields": [
        segy("b221_225.sgy", "gathers by byte 221 and byte 225", positions=FIELD, by=(221, 225)),
        segy("b9_21.sgy", "gathers by shot (byte 9) and cdp (byte 21)", positions=FIELD, by=(9, 21)),
        segy("b5_21.sgy", "gathers by sequence_file (byte 5) and cdp (byte 21)", positions=FIELD, by=(5, 21)),
        segy("b17_25.sgy", "gathers by source_point (byte 17) and cdp_trace (byte 25)", positions=FIELD, by=(17, 25)),
        row("negative.sgy", words="inline -3 to 0, crossline -2 to 0", folds=[34] * 8,
            positions=[(i, x) for i in range(-3, 1) for x in (-2, 0)]),
        row("huge.sgy", words=("1 gather has the number -2147483648", "unknown"), folds=[34] * 2,
            positions=[(UNKNOWN, UNKNOWN), (2 ** 31 - 1, 2 ** 31 - 1)]),
        segy("signed_off.sgy", "offset -850 to 800", positions=FIELD),
        segy("zero_off.sgy", "offset 0 to 0", positions=FIELD),
        segy("scaled_off.sgy", "offset 0 to 82500", positions=FIELD),
        row("coords_only.sgy", words=("distances of source and receiver", "offset 0 to 825"), folds=[34] * 2,
            positions=[(1, 1), (2, 1)]),
    ],
    "su_floats": [row("su_floats%s.sgy" % end, words=("make no sense (bits of floats)", BY_CDP, "cdp (byte 21) 1001 to 1012"),
                      folds=[40] * 12, by=(21,)) for end in ("", "_f2", "_each")],
    "trailing": [
        segy("whole.sgy", folds=[33] * 4),
        refused("pad_zero512.sgy", ("132 traces of 720 bytes", "176 bytes more", "--salvage")),
        refused("pad_1byte.sgy", ("132 traces of 720 bytes", "1 byte more", "--salvage")),
        refused("newline.sgy", ("132 traces of 720 bytes", "1 byte more", "--salvage")),
        refused("cut.sgy", ("131 traces of 720 bytes", "420 bytes more", "--salvage"), ranks=BOTH),
        segy("pad_zero512.sgy", "its last 176 bytes, behind 132 whole traces, are left out (padding", options="--salvage",
             folds=[33] * 4),
        segy("pad_1byte.sgy", "its last byte, behind 132 whole traces, is left out", options="--salvage", folds=[33] * 4,
             ranks=BOTH),
        segy("newline.sgy", "its last byte, behind 132 whole traces, is left out", options="--salvage", folds=[33] * 4),
        segy("cut.sgy", "its last 420 bytes, behind 131 whole traces, are left out (a trace that is cut)", options="--salvage",
             folds=[33, 33, 33, 32], traces=131),
        *(segy(name + ".sgy", "rev 2.0", folds=[33] * 4) for name in ("trailer_rev2", "trailer_rev2_m1", "trailer_nocount")),
    ],
    "wrong_format_code": [
        *(refused("%s.sgy" % name, ("make no sense as format %d" % code, "--format %d reads them" % format), ranks=BOTH)
          for name, code, format in (("ieee_as_1", 1, 5), ("ibm_as_5", 5, 1), ("ieee_as_1_big", 1, 5), ("ieee_as_2", 2, 5),
                                     ("ibm_as_2", 2, 1), ("int32_as_1", 1, 2))),
        refused("code_0.sgy", ("sample format code", "is 0", "--format 1")),
        refused("swapped_data.sgy", ("make no sense as format 5", "little-endian samples of format 5")),
        *(segy("%s.sgy" % name, "format %d (" % format, options="--format %d" % format)
          for name, format in (("ieee_as_1", 5), ("ibm_as_5", 1), ("ieee_as_1_big", 5), ("ieee_as_2", 5), ("ibm_as_2", 1),
                               ("int32_as_1", 2), ("code_0", 1))),
        segy("ibm_as_5.sgy", options="--format 5", samples=False, ranks=(0,)),
    ],
    "npy_oddities": [
        *(gathers(name) for name in ("float16", "bigend", "fortran", "uint64", "v2", "v3", "extremes", "null99925",
                                     "appledouble")),
        gathers("noncontig", ranks=(3,)),
        gathers("upper", positions=[(UNKNOWN, UNKNOWN)], words=("positions are unknown", "--names")),
        *(refused("%s" % name, (NPY, words)) for name, words in (
            ("structured", "holds records (a structured dtype)"), ("longdouble", "save it as float32"),
            ("complex64", "complex numbers"), ("bool", "booleans"), ("object", "Python objects"), ("str", "strings"),
            ("datetime", "times"), ("one_d", "has 1 dimension;"), ("zero_d", "has 0 dimensions;"),
            ("four_d", "has 4 dimensions;"), ("empty", "is empty (dimension 0 is 0)"),
            ("empty_samples", "is empty (dimension 1 is 0)"), ("truncated", "is cut short: its header asks for 32128 bytes"),
            ("concat", "is longer than its array"))),
        refused("arch.npz", "is neither a .npy file, nor SEG-Y", ranks=(0,)),
        refused("npz_in_folder", "the folder holds no .npy", ranks=(0,)),
        refused("npz_named_npy", "is not a .npy file", ranks=(0,)),
        refused("nested", "the folder holds no .npy", ranks=(0,)),
        gathers("nested/a"),
        refused("two", "most files have 200, but shot_inline_1_crossline_2.npy has 201"),
        refused("f8_huge", ("beyond 32-bit floats", "--scale 1e-40")),
        gathers("f8_huge", options="--scale 1e-40", ranks=BOTH),
        refused("f8_tiny", ("below 1.2e-38", "--scale 1e+50")),
        gathers("f8_tiny", options="--scale 1e+50", ranks=(3,)),
        refused("nanpad", ("trace 30, sample 0", "is not a number", "--zero-bad")),
        refused("infpad", ("trace 30, sample 0", "is infinite", "--zero-bad")),
        refused("nanpad3d", NPY + "[1]: trace 25, sample 0"),
        gathers("nanpad", words="2,000 samples of 1 gather", options="--zero-bad", ranks=BOTH),
        gathers("infpad", words="2,000 samples of 1 gather", options="--zero-bad"),
        gathers("nanpad3d", [40] * 4, [(1, 1)] * 4, options="--zero-bad", ranks=BOTH,
                words=("17,000 samples of 3 gathers", "3 gathers repeat the position of an earlier one")),
        gathers("nanpad", [30], words="10 of 40 traces are left out (10 of NaN)", options="--drop-dead", ranks=BOTH),
        gathers("nanpad3d", [40, 25, 10, 1], [(1, 1)] * 4, options="--drop-dead", ranks=BOTH,
                words=("85 of 160 traces are left out (85 of NaN)", "1 gather is dead from end to end")),
        refused("infpad", ("is infinite", "--zero-bad"), options="--drop-dead"),
        gathers("names", [40] * 7, [(UNKNOWN, UNKNOWN), (1300, 1406), *[(UNKNOWN, UNKNOWN)] * 3, (-5, 7), (1300, 1400)],
                words=("4 files have no inline and crossline in the name, the first: IL1300_XL1400.npy", "--names"), ranks=BOTH),
        gathers("names", [40] * 7, [(1300, 1400), *[(UNKNOWN, UNKNOWN)] * 6], options="--names IL{inline}_XL{crossline}",
                words=("6 files have no inline and crossline in the name by 'IL{inline}_XL{crossline}'"), ranks=BOTH),
        gathers("names/IL1300_XL1400.npy", positions=[(UNKNOWN, UNKNOWN)],
                words=("positions are unknown", "--names 'IL{inline}_XL{crossline}'"), ranks=BOTH),
        gathers("names/IL1300_XL1400.npy", positions=[(1300, 1400)], options="--names IL{inline}_XL{crossline}", ranks=BOTH),
        gathers("names/gather_il_1300_xl_1402.npy", positions=[(1300, 1402)], options="--names il_{inline}_xl_{crossline}"),
        gathers("names/inline_1300_xline_1403.npy", positions=[(1300, 1403)], options="--names inline_{inline}_xline_{crossline}"),
        gathers("names/shot_inline_-5_crossline_7.npy", positions=[(-5, 7)]),
    ],
}

# What training on a folder of gathers does: options, status, words of the log.
FEW = "--set network.levels=2 --set patch.stride=16 --set train.max_steps=1"
LIVE = " --set patch.min_live=0.01"
TRAINED = "trained: "
TRAININGS = [
    ("low_fold", FEW, 4, ("no gather holds a patch", "24 traces x 150 samples")),
    ("short_samples", FEW, 4, ("no gather holds a patch", "40 traces x 20 samples")),
    ("mixed_fold", FEW, 0, ("4 of 8 gathers are smaller than a patch", TRAINED)),
    ("one", FEW, 3, ("leaves nothing to train on", "of 1 gather that holds patches, split.test 0.2 takes 1")),
    ("one", FEW + " --set split.by=patch", 0, (TRAINED,)),
    ("two", FEW, 3, ("leaves nothing to train on", "of 2 gathers that hold patches")),
    ("three", FEW, 0, (TRAINED,)),
    ("tiny", FEW, 0, (TRAINED,)),
    ("huge", FEW, 0, (TRAINED,)),
    ("subnormal", FEW, 0, (TRAINED,)),
    ("const", FEW, 0, (TRAINED,)),
    ("dc", FEW, 0, (TRAINED,)),
    ("dead_and_spikes", FEW, 0, (TRAINED,)),
    ("zeros", FEW, 4, ("all patches of the split train are dead", "patch.min_live")),
    ("zeros", FEW + LIVE, 4, ("patch.min_live",)),
    ("onegood", FEW, 4, ("all patches of the split valid are dead", "80 % of the patches of the split train are dead")),
    ("onegood", FEW + LIVE, 3, ("leaves nothing to train on",)),
    ("some_dead_gathers", FEW, 4, ("all patches of the split valid are dead", "gather #5")),
    ("some_dead_gathers", FEW + LIVE, 0, (TRAINED,)),
]

place = tap.folder()
truth = {}  # of a SEG-Y file, by its path: the arguments that its script gave to sg.write


def write_files():
    """Runs each script, and notes what it writes."""
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(CASES))
    import sg
    real = sg.write

    def write(path, samples, heads, **more):
        truth[os.path.realpath(path)] = (samples, heads, more.get("fmt", 5))
        real(path, samples, heads, **more)

    sg.write = write
    for script in sorted(CASES.glob("*.py")):
        if script.name == "sg.py":
            continue
        folder = place / script.stem
        folder.mkdir()
        if not tap.ok(script.stem in TABLE or script.stem == "training", "the table has " + script.name):
            continue
        before, sys.argv = sys.argv, [str(script), str(folder)]
        with contextlib.suppress(SystemExit):
            runpy.run_path(str(script))
        sys.argv = before
        if script.stem == "trailing":  # made of another, by its bytes
            truth[os.path.realpath(folder / "cut.sgy")] = truth[os.path.realpath(folder / "whole.sgy")]


def check_complete():
    """No file that a script wrote is missing in the table."""
    for script, rows in TABLE.items():
        listed = {name.split("/")[0] for r in rows for name in r.files.split()}
        found = set(os.listdir(place / script))
        tap.ok(found == listed - {"."}, "%s: each of its files has a row" % script, sorted(found ^ listed))
    found = set(os.listdir(place / "training"))
    tap.ok(found == {name for name, *_ in TRAININGS}, "training: each of its folders has a row", sorted(found))


def stored(samples, format):
    """What a sample is once it is written in a format, as a 32-bit float."""
    if format == 1:
        import sg
        return segy_files.from_ibm(sg.ibm(samples)).astype(np.float32)
    return np.asarray(samples).astype({2: np.int32}.get(format, np.float32)).astype(np.float32)


def number(value):
    return value[1] if isinstance(value, tuple) else value


def offset(head):
    if 37 in head:
        return float(number(head[37]))
    if 73 in head:  # from coordinates, whose scalar is -100
        return np.hypot(head[81] - head[73], head[85] - head[77]) / 100
    return 0.0


def wanted_segy(files, r):
    """What a survey of these files holds: (amplitudes, offsets, keys), gather after gather."""
    traces = []
    for name in files:
        samples, heads, format = truth[os.path.realpath(name)]
        for t in range(len(heads) if r.traces is None else r.traces):
            key = tuple(int(number(heads[t].get(byte, 0))) for byte in r.by)
            if r.lines is not None:
                key = (int(re.search(r"line(\d+)", str(name))[1]), *key)
            traces.append((key, offset(heads[t]), stored(samples[t], format)))
    traces.sort(key=lambda trace: trace[0])  # stable: as in the files
    longest = max(len(trace[2]) for trace in traces)
    return (np.array([np.pad(trace[2], (0, longest - len(trace[2]))) for trace in traces]),
            np.array([trace[1] for trace in traces]), [trace[0] for trace in traces])


def live(gather):
    """What --drop-dead leaves of a gather: one trace of zeros where there is nothing else."""
    dead = np.all(np.isnan(gather) | (gather == 0), axis=1)
    return np.zeros_like(gather[:1]) if dead.all() else gather[~dead]


def wanted_npy(folder, options):
    """The amplitudes of a folder of .npy files in the natural order of their names, or of one file."""
    folder, one = (folder, None) if folder.is_dir() else (folder.parent, folder.name)
    names = sorted((name for name in os.listdir(folder) if name.lower().endswith(".npy") and not name.startswith(".")),
                   key=lambda name: [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)])
    words = options.split()
    scale = float(words[words.index("--scale") + 1]) if "--scale" in words else 1.0
    arrays = [np.load(os.path.join(folder, name)).astype(np.float64) for name in names if one in (None, name)]
    made = [gather for array in arrays for gather in (array if array.ndim == 3 else [array])]
    made = np.concatenate([live(gather) if "--drop-dead" in words else gather for gather in made]) * scale
    return np.where(np.isfinite(made), made, 0).astype(np.float32)


def check_survey(path, files, r, name):
    with h5py.File(path) as file:
        first, amplitude = file["ensemble/first_trace"][()], file["amplitude"][()]
        where = list(zip(file["ensemble/inline"][()].tolist(), file["ensemble/crossline"][()].tolist()))
        keys = file["ensemble/key"][()].tolist() if "ensemble/key" in file else None
        lines = file["ensemble/line"][()].tolist() if "ensemble/line" in file else None
        offsets = file["trace/offset"][()]
        delay = file["trace/delay_us"][()].tolist() if "trace/delay_us" in file else None
    folds = np.diff(first).tolist()
    tap.ok(folds == r.folds and lines == r.lines and (r.positions is None or where == r.positions) and delay == r.delay,
           name + ": gathers", (folds, where, lines, delay))
    if not files:
        amplitudes = wanted_npy(place / name.split(":")[0], r.options)
    else:
        amplitudes, wanted_offsets, wanted_keys = wanted_segy(files, r)
        tap.ok(np.allclose(offsets, wanted_offsets, rtol=1e-6), name + ": offsets", offsets)
        if len(r.by) == 1:
            tap.ok([keys[e] for e in range(len(folds)) for _ in range(folds[e])] == [key[-1] for key in wanted_keys],
                   name + ": numbers of its gathers", keys)
    tap.ok(not r.samples or np.array_equal(amplitude, amplitudes), name + ": samples")


def check(script, r, ranks):
    names = sorted(os.listdir(place / script)) if r.files == "." else r.files.split()
    files = [place / script / name for name in names if name.endswith(".sgy")]
    words = [place / script / name for name in r.files.split()]
    name = "%s/%s: %s on %d ranks" % (script, r.files, r.options, ranks)
    result = tap.run("consolidate", "--output", place / "made.h5", *r.options.split(), *words, ranks=ranks)
    said = all(word in result.err for word in r.words)
    if r.status != 0:
        tap.refused(result, r.status, "", name)
        tap.ok(said and not os.path.exists(place / "made.h5"), name + ": what it says", "%s\n%s" % (r.words, result))
    elif tap.ok(result.status == 0 and said, name, "%s\n%s" % (r.words, result)):
        check_survey(place / "made.h5", files, r, name)
    (place / "made.h5").unlink(missing_ok=True)


def check_training():
    """Status and words of each; amplitudes' scale changes no loss."""
    losses = {}
    for n, (name, options, status, words) in enumerate(TRAININGS):
        survey, output, ranks = place / (name + ".h5"), place / ("trained_%d" % n), 3 * (n % 2)
        if not survey.exists():
            tap.runs(tap.run("consolidate", "--output", survey, place / "training" / name), "training/%s is read" % name)
        result = tap.run("train", "--survey", survey, "--output", output, *options.split(), ranks=ranks)
        label = "training/%s: %s on %d ranks" % (name, options.replace(FEW, "").strip(), ranks)
        if status != 0:
            tap.refused(result, status, "", label)
        tap.ok(result.status == status and all(word in result.err for word in words), label + ": what it says",
               "%s\n%s" % (words, result))
        if status == 0 and result.status == 0:
            losses[name] = cases.read_metrics(output)[2][-1]["train_loss_epoch"]
    tap.ok(all(np.isfinite(loss) for loss in losses.values()), "every loss is a number", losses)
    tap.ok(abs(losses["tiny"] - losses["huge"]) < 1e-5 and abs(losses["tiny"] - losses["subnormal"]) < 1e-3,
           "the scale of amplitudes changes no loss", losses)


if not CASES.is_dir():
    tap.skip("strangers' files", "there is no %s" % CASES)
    tap.done()
write_files()
check_complete()
for script, rows in TABLE.items():
    for turn, r in enumerate(rows):
        for ranks in r.ranks or (turn % 2 * 3,):
            check(script, r, ranks)
check_training()
tap.done()
