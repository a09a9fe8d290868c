"""consolidate --drop-dead: traces of zeros, of NaN and of both are left out, and come back to the bit where they stood: out of
the survey and out of predictions, as .npy and as SEG-Y, on any number of ranks."""
import os
import re

import h5py
import numpy as np

import cases
import segy_files
import tap

import original

FOLDER = str(tap.folder())
SAMPLES = 40
NAN = np.float32(np.nan)
ODD_NAN = np.array([0x7fc12345], np.uint32).view(np.float32)[0]  # a NaN with other bits than usual


def at(name):
    return os.path.join(FOLDER, name)


def consolidate(survey, *words, ranks=0, drop=True):
    result = tap.run("consolidate", "--force", "--output", at(survey), *(["--drop-dead"] if drop else []), *words, ranks=ranks)
    tap.runs(result, "%s on %d ranks" % (survey, ranks))
    return result


def export(survey, output, *words, ranks=0):
    result = tap.run("export", "--force", "--survey", at(survey), "--output", at(output), *words, ranks=ranks)
    tap.runs(result, "export %s on %d ranks" % (output, ranks))
    return result


def bits(array):
    return np.ascontiguousarray(array, np.float32).view(np.uint32)


def same(a, b):
    return a.shape == b.shape and np.array_equal(bits(a), bits(b))


def dead(trace):
    return bool(np.all((trace == 0) | np.isnan(trace)))


def spoilt_gathers():
    """Dead traces of every kind: behind, before and among live ones, whole gathers, and one without any."""
    random = np.random.RandomState(1)
    made = [random.standard_normal((fold, SAMPLES)).astype(np.float32) for fold in (20, 17, 9, 14, 6, 11, 5, 1, 1, 12)]
    made[0][15:] = 0
    made[1][12:] = NAN
    made[2][3:5] = 0
    made[2][0] = NAN
    made[3][6] = NAN
    made[3][6, 10:20] = 0
    made[3][7] = ODD_NAN
    made[3][9] = -np.float32(0)
    made[3][11] = 0
    made[3][11, ::2] = -np.float32(0)
    made[4][:] = 0
    made[5][:] = NAN
    made[5][3, 5] = 0
    made[7][:] = NAN
    made[9][:11] = 0
    made[6][2, :39] = 0  # alive: its last sample isn't zero
    made[6][2, 39] = 1e-30
    return made


def kept_of(gather):
    live = gather[[not dead(trace) for trace in gather]]
    return live if len(live) else np.zeros((1, gather.shape[1]), np.float32)


def survey_of(label, survey, gathers):
    """What a survey has to hold of these gathers: live traces, and the rest by itself."""
    found = cases.read_gathers(at(survey))
    tap.ok(len(found) == len(gathers) and all(same(a, kept_of(b)) for a, b in zip(found, gathers)),
           label + ": the survey has the live traces", [(a.shape, b.shape) for a, b in zip(found, gathers)])
    with h5py.File(at(survey)) as file:
        first, place = file["dropped/first"][()], file["dropped/place"][()]
        fold = file["dropped/fold"][()]
        good = [place[first[e]:first[e + 1]].tolist() == [t for t, trace in enumerate(gather) if dead(trace)]
                for e, gather in enumerate(gathers)]
        tap.ok(all(good) and fold.tolist() == [len(gather) for gather in gathers], label + ": and knows where the others stood",
               (good, fold))


def exported(label, folder, gathers):
    names = sorted(name for name in os.listdir(at(folder)))
    arrays = [np.load(os.path.join(at(folder), name)) for name in names]
    tap.ok(len(arrays) == len(gathers) and all(same(a, b) for a, b in zip(arrays, gathers)), label,
           [(name, a.shape, b.shape) for name, a, b in zip(names, arrays, gathers)])


def check_npy():
    gathers = spoilt_gathers()
    npy = cases.write_gathers(at("npy"), gathers)
    n = sum(dead(trace) for gather in gathers for trace in gather)
    kinds = [sum(dead(trace) and which(trace) for gather in gathers for trace in gather) for which in
             (lambda t: not np.isnan(t).any(), lambda t: np.isnan(t).all(), lambda t: np.isnan(t).any() and not np.isnan(t).all())]
    for ranks in (0, 1, 3, 12):
        result = consolidate("npy_%d.h5" % ranks, npy, ranks=ranks)
        said = "--drop-dead: %d of %d traces are left out (%d of zeros, %d of NaN, %d of both), of 8 gathers" % (
            n, sum(map(len, gathers)), *kinds)
        files = re.findall(r"crossline_(\d+)\.npy: (\d+) of (\d+) traces? are dead", result.err)
        wanted = [(str(200 + e), str(sum(map(dead, gather))), str(len(gather))) for e, gather in enumerate(gathers)
                  if any(map(dead, gather))]
        tap.ok(said in result.err and files == wanted and "3 gathers are dead from end to end" in result.err
               and result.err.count("gather #4 ") == 1 and "in 3 gathers dead traces stand before live ones" in result.err,
               "the log counts them, in all and by file, on %d ranks" % ranks, result)
        if ranks == 0:
            survey_of("npy", "npy_0.h5", gathers)
        else:
            different = cases.differing(cases.datasets(at("npy_0.h5")), cases.datasets(at("npy_%d.h5" % ranks)))
            # NaN is not equal to itself: bytes are compared
            tap.ok(not different, "the same survey on %d ranks" % ranks, different)
        export("npy_%d.h5" % ranks, "back_%d" % ranks, ranks=ranks)
        exported("every trace comes back to the bit, %d ranks" % ranks, "back_%d" % ranks, gathers)
    info = tap.run("info", "--verify", at("npy_0.h5"), ranks=3)
    tap.ok(info.status == 0 and re.search(r"dead traces +%d left out of 8 gathers" % n, info.out), "info says it", info)
    export("npy_0.h5", "some", "--ensembles", "#3,#5,#6", ranks=3)
    exported("some of the gathers come back", "some", [gathers[e] for e in (3, 5, 6)])
    again = consolidate("again.h5", at("back_0"), ranks=2)
    tap.ok(again.status == 0 and not cases.differing(cases.datasets(at("npy_0.h5"), ("ensemble/source",)),
                                                    cases.datasets(at("again.h5"), ("ensemble/source",))),
           "what comes back makes the same survey", again)


def check_layouts():
    """3D arrays, (samples, traces), 64 bits with a scale, and files without a dead trace."""
    random = np.random.RandomState(2)
    cube = random.standard_normal((5, 7, SAMPLES)).astype(np.float32)
    cube[0, 5:] = 0
    cube[2, 1] = np.nan
    cube[3] = 0
    os.makedirs(at("cube"))
    np.save(at("cube/a.npy"), cube)
    np.save(at("cube/b.npy"), cube[:, ::-1] + 0)
    both = [*cube, *cube[:, ::-1]]
    for ranks in (0, 3):
        result = consolidate("cube.h5", at("cube"), ranks=ranks)
        survey_of("3D", "cube.h5", both)
        tap.ok("a.npy: 10 of 35 traces are dead" in result.err and "b.npy: 10 of 35 traces" in result.err, "3D: by file", result)
        export("cube.h5", "cube_back_%d" % ranks, ranks=ranks)
        exported("3D: every trace comes back", "cube_back_%d" % ranks, both)
    os.makedirs(at("turned"))
    np.save(at("turned/a.npy"), np.ascontiguousarray(cube.transpose(0, 2, 1)))
    consolidate("turned.h5", "--transpose", at("turned"), ranks=2)
    survey_of("--transpose", "turned.h5", list(cube))
    os.makedirs(at("wide"))
    np.save(at("wide/a.npy"), cube[:3].astype(np.float64) * 1e200)
    result = consolidate("wide.h5", "--scale", "1e-200", at("wide"), ranks=3)
    survey_of("--scale", "wide.h5", list((cube[:3].astype(np.float64) * 1e200 * 1e-200).astype(np.float32)))
    os.makedirs(at("full"))
    np.save(at("full/a.npy"), cube[1:2])
    result = consolidate("full.h5", at("full"))
    with h5py.File(at("full.h5")) as file:
        tap.ok("no trace is dead" in result.err and "dropped" not in file, "nothing dead: a survey as any other", result)
    # with --zero-bad: dead ones go, the rest is mended
    bad = cube[1].copy()
    bad[0], bad[2, 3], bad[3, 4], bad[6] = np.nan, np.nan, np.inf, np.inf
    os.makedirs(at("bad"))
    np.save(at("bad/a.npy"), bad)
    result = consolidate("bad.h5", "--zero-bad", at("bad"))
    mended = np.where(np.isfinite(bad), bad, 0)[1:]
    tap.ok(same(cases.read_gathers(at("bad.h5"))[0], mended) and "%d samples of 1 gather were not finite" % (2 + SAMPLES) in result.err,
           "--zero-bad mends what is not dead", result)
    export("bad.h5", "bad_back")
    exported("and the dead one comes back as NaN", "bad_back", [np.concatenate([bad[:1], mended])])
    tap.refused(tap.run("consolidate", "--drop-dead", "--output", at("no.h5"), at("bad")), 4, "trace 2, sample 3",
                "without it a live trace's NaN is an error")
    # what to do about NaN
    np.save(at("bad/a.npy"), np.concatenate([cube[1], np.full((1, SAMPLES), NAN)]))
    for ranks in (0, 3):
        result = tap.run("consolidate", "--output", at("no.h5"), at("bad"), ranks=ranks)
        tap.refused(result, 4, "trace 7, sample 0", "a trace of NaN is an error")
        tap.ok("--drop-dead" in result.err and "--zero-bad" in result.err, "which names both remedies", result)


def segy_file(format=5, order=">", **options):
    """12 gathers of 4 offsets in no order; one gather and some traces are dead."""
    fields = [{189: i, 193: x, 37: o, 1: 0} for i in (1, 2, 3) for x in (5, 6, 7, 8) for o in (400, 100, 300, 200)]
    random = np.random.RandomState(3)
    fields = [fields[t] for t in random.permutation(len(fields))]
    values = random.standard_normal((len(fields), SAMPLES)).astype(np.float32).astype(np.float64)
    values = np.round(values * 64) / 64 + 0.0  # as IBM floats hold them
    for t, field in enumerate(fields):
        field[1] = t + 1
        if (field[189], field[193]) == (2, 6) or field[37] == 400 or (field[193] == 8 and field[37] == 200):
            values[t] = 0
        if format == 5 and field[193] == 7 and field[37] == 400:
            values[t] = np.nan
            values[t, :10] = 0 if field[189] == 1 else np.nan
    return segy_files.File(values, fields, order, format, **options)


def without_line_40(path):
    with open(path, "rb") as file:
        data = file.read()
    return data[:39 * 80] + data[3200:]


def check_segy():
    rev_2 = {"extra": 1, "binary": {3501: ("B", 2), 3502: ("B", 0), 3507: ("i", 1)}}
    for format, order, options in ((5, "<", rev_2), (1, "<", {}), (5, ">", {})):  # the last one is predicted from later
        label = "SEG-Y format %d %s%s" % (format, order, ", additional headers" if options else "")
        file = segy_file(format, order, **options)
        file.write(at("in.sgy"))
        n = sum(map(dead, file.samples))
        made = []
        for ranks in (0, 3):
            result = consolidate("segy_%d.h5" % ranks, at("in.sgy"), ranks=ranks)
            tap.ok("in.sgy: %d of 48 traces are dead" % n in result.err and "1 gather is dead from end to end" in result.err,
                   label + ": counted", result)
            made.append(cases.datasets(at("segy_%d.h5" % ranks)))
            export("segy_%d.h5" % ranks, "out.sgy", ranks=ranks)
            tap.ok(without_line_40(at("in.sgy")) == without_line_40(at("out.sgy")), label + ": export gives every byte")
        tap.ok(not cases.differing(*made), label + ": the same survey on any number of ranks", cases.differing(*made))
        live = [t for t in range(48) if not dead(file.samples[t])]
        numbers = made[0]["trace/segy_position"].tolist()
        first = made[0]["ensemble/first_trace"]
        stand_in = first[5]  # of (2, 6)
        tap.ok(len(numbers) == len(live) + 1 and sorted(numbers[:stand_in] + numbers[stand_in + 1:]) == live
               and not made[0]["amplitude"][stand_in].any(), label + ": the live traces, and one for the dead gather", numbers)
        tap.ok(sorted(made[0]["dropped/segy_position"].tolist()) == [t for t in range(48) if t not in live]
               and all(made[0]["dropped/segy_header"][k].tobytes() == file.header(made[0]["dropped/segy_position"][k])
                       for k in range(n)) and set(made[0]["dropped/offset"]) == {100, 200, 300, 400},
               label + ": the dropped ones' headers")
        sorted_by = consolidate("sorted.h5", "--sort", "offset", at("in.sgy"), ranks=3)
        with h5py.File(at("sorted.h5")) as survey:
            tap.ok(survey["trace/offset"][:3].tolist() == [100, 200, 300], label + ": in the order of offsets", sorted_by)
        export("sorted.h5", "out.sgy", ranks=2)
        tap.ok(without_line_40(at("in.sgy")) == without_line_40(at("out.sgy")), label + ": and back from there")


def check_files():
    """Several files: one survey of single offsets, and 2D lines."""
    names = []
    for offset in (100, 200, 300):
        fields = [{189: i, 193: x, 37: offset} for i in (1, 2) for x in range(1, 7)]
        values = np.round(np.random.RandomState(offset).standard_normal((12, SAMPLES)) * 64) / 64
        values[offset // 50:] = 0 if offset != 200 else np.nan
        names.append(segy_files.File(values, fields, format=5).write(at("offset_%d.sgy" % offset)))
    made = []
    for ranks in (0, 3):
        result = consolidate("joined.h5", "--join", *names, ranks=ranks)
        tap.ok("offset_100.sgy: 10 of 12" in result.err and "offset_200.sgy: 8 of 12" in result.err
               and "offset_300.sgy: 6 of 12" in result.err and "6 gathers are dead from" in result.err, "files: counted by file", result)
        made.append(cases.datasets(at("joined.h5")))
        export("joined.h5", "joined.sgy", ranks=ranks)
        headers, samples = segy_files.read(at("joined.sgy"))[2:4]
        parts = [segy_files.read(name) for name in names]
        tap.ok(headers == [h for part in parts for h in part[2]] and same(samples, np.concatenate([part[3] for part in parts])),
               "files: one behind the other in the export")
    tap.ok(not cases.differing(*made), "files: the same on any number of ranks", cases.differing(*made))
    lines = []
    for line in (7, 9):
        fields = [{21: cdp, 37: o} for cdp in range(1, 5) for o in (1, 2, 3)]
        values = np.round(np.random.RandomState(line).standard_normal((12, SAMPLES)) * 64) / 64
        values[line - 3:line] = 0
        lines.append(segy_files.File(values, fields, format=5, binary={3205: ("i", line)}).write(at("line_%d.sgy" % line)))
    consolidate("lines.h5", "--group-by", "cdp", *lines, ranks=3)
    for k, line in enumerate((7, 9)):
        export("lines.h5", "line_out.sgy", "--ensembles", "%d/*" % line, ranks=k * 3)
        headers, samples = segy_files.read(at("line_out.sgy"))[2:4]
        before = segy_files.read(lines[k])
        tap.ok(headers == before[2] and same(samples, before[3]), "line %d comes back" % line)


def check_made():
    """A survey of .npy files as SEG-Y: every trace, dead ones marked so."""
    gathers = spoilt_gathers()
    for ranks in (0, 3):
        export("npy_0.h5", "made.sgy", ranks=ranks)
        headers, samples = segy_files.read(at("made.sgy"))[2:4]
        whole = np.concatenate(gathers)
        tap.ok(same(samples, whole), "as SEG-Y: every trace to the bit, %d ranks" % ranks)
        numbers = [tuple(segy_files.field(header, byte, ">") for byte in (1, 21, 25, 29, 193)) for header in headers]
        wanted = [(e, t, 2 if dead(trace) else 1) for e, gather in enumerate(gathers) for t, trace in enumerate(gather)]
        tap.ok(numbers == [(k + 1, e + 1, t + 1, code, 200 + e) for k, (e, t, code) in enumerate(wanted)],
               "as SEG-Y: numbered as they came, dead ones marked, %d ranks" % ranks)
    result = export("npy_0.h5", "ibm.sgy", "--format", "1", ranks=3)
    samples = segy_files.read(at("ibm.sgy"))[3]
    nans = int(np.isnan(whole).sum())
    tap.ok("%d samples of dead traces that came as NaN became 0" % nans in result.err and not samples[np.isnan(whole)].any(),
           "as IBM floats, which have no NaN: zeros, said", result)


def model_of(path):
    import torch
    torch.manual_seed(1)
    net = original.Original(1, 2, 2, 0.0)
    original.write_model(path, net, 12)
    return path


def check_predictions():
    gathers = spoilt_gathers()
    model = model_of(at("model.h5"))
    ways = {"mean": ["mean", "--traces", "3", "--gathers", "3"], "fxdecon": ["fxdecon"],
            "apply": ["apply", "--model", model], "difference": ["apply", "--model", model, "--difference"],
            "some": ["apply", "--model", model, "--ensembles", "#1,#2,#5"]}
    for survey in ("npy_0.h5", "segy_0.h5"):
        whole = cases.datasets(at(survey))
        for name, words in ways.items():
            label = "%s of %s" % (name, survey)
            if words[0] == "fxdecon" and survey == "npy_0.h5":
                continue  # it wants a sample interval, which these do not have
            result = tap.run(*words, "--force", "--survey", at(survey), "--output", at("predicted.h5"), ranks=3)
            if not tap.runs(result, label):
                continue
            found = cases.datasets(at("predicted.h5"))
            tap.ok(all(not cases.differing({k: whole[k]}, {k: found[k]}) for k in whole if k.startswith("dropped/")),
                   label + ": it has the dropped traces")
            first, done = found["ensemble/first_trace"], found["ensemble/done"]
            if survey == "npy_0.h5":
                export("predicted.h5", "predicted_" + name, *(["--ensembles", "#1,#2,#5"] if name == "some" else []), ranks=2)
                folder = at("predicted_" + name)
                good = []
                for e, gather in enumerate(gathers):
                    if not done[e]:
                        continue
                    back = np.load(os.path.join(folder, "gather_inline_100_crossline_%d.npy" % (200 + e)))
                    gone = np.array([dead(trace) for trace in gather])
                    good.append(same(back[gone], gather[gone]) and (gone.all() or same(
                        back[~gone], found["amplitude"][first[e]:first[e + 1]])))
                tap.ok(len(good) == (3 if name == "some" else 10) and all(good), label + ": export puts them back", good)
            else:
                export("predicted.h5", "predicted.sgy", ranks=3)
                before, after = segy_files.read(at("in.sgy")), segy_files.read(at("predicted.sgy"))
                gone = np.array([dead(trace) for trace in before[3]])
                where = {p: t for t, p in enumerate(found["trace/segy_position"].tolist()) if not gone[p]}
                live = np.array([p for p in range(48) if not gone[p]])
                source = found["amplitude"].copy()
                for e in np.flatnonzero(done == 0):
                    source[first[e]:first[e + 1]] = whole["amplitude"][first[e]:first[e + 1]]
                tap.ok(before[2] == after[2] and same(before[3][gone], after[3][gone])
                       and same(after[3][live], source[[where[p] for p in live]]), label + ": export puts them back")
    result = tap.run("apply", "--model", model, "--survey", at("npy_0.h5"), "--output", at("predicted.h5"), "--force", "--dry-run")
    said = re.search(r"predicted\.h5, ([\d.]+) kB", result.out + result.err)
    tap.runs(tap.run("apply", "--model", model, "--survey", at("npy_0.h5"), "--output", at("predicted.h5"), "--force"), "apply")
    size = os.path.getsize(at("predicted.h5"))
    tap.ok(said and abs(float(said.group(1)) * 1000 - size) < 0.1 * size + 8000, "a dry run counts them", "%s %d" % (result, size))


def check_damage():
    """Tables that contradict each other."""
    def spoil(name, change):
        with h5py.File(at("npy_0.h5"), "r") as source, h5py.File(at("damaged.h5"), "w") as file:
            for key in source:
                source.copy(key, file)
            for key, value in source.attrs.items():
                file.attrs[key] = value
            change(file)
        for ranks in (0, 3):
            for output in ("damaged_out/", "damaged.sgy"):
                result = tap.run("export", "--force", "--survey", at("damaged.h5"), "--output", at(output), ranks=ranks)
                tap.refused(result, 4, "dropped", "%s, %s on %d ranks" % (name, output, ranks))

    def put(name, index, value):
        def change(file):
            file["dropped/" + name][index] = value
        return change

    def remove(name):
        def change(file):
            del file["dropped/" + name]
        return change

    spoil("a fold that does not fit", put("fold", 0, 21))
    spoil("a negative fold", put("fold", 6, -1))
    spoil("bounds that fall", put("first", 1, 10 ** 15))
    spoil("a place outside the gather", put("place", 0, 20))
    spoil("places that don't rise", put("place", 1, 15))
    spoil("a row that isn't there", put("row", 0, 10 ** 12))
    for name in ("fold", "place", "value", "amplitude"):
        spoil("no /dropped/" + name, remove(name))


def main():
    check_npy()
    check_layouts()
    check_segy()
    check_files()
    check_made()
    check_predictions()
    check_damage()
    tap.done()


if __name__ == "__main__":
    main()
