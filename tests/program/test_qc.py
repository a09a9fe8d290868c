"""qc: every figure against plain NumPy, the same output on any number of ranks, and what it refuses."""
import csv
import os
import pathlib
import shutil

import h5py
import numpy as np

import cases
import tap

os.environ["OMPI_MCA_ess_singleton_isolated"] = "1"  # a run without mpirun starts sooner
place = tap.folder()
random = np.random.RandomState(11)
SAMPLES, INTERVAL = 50, 4000.0
FOLDS = [12, 9, 12, 5, 12, 1, 12]


def at(name):
    return str(place / name)


def survey_of(name, gathers, **attributes):
    """A survey file of these gathers, with the attributes given."""
    result = tap.run("consolidate", "--quiet", "--force", "--output", at(name), "--interval-us", str(INTERVAL),
                     cases.write_gathers(at(name + ".d"), [gather.astype(np.float32) for gather in gathers]))
    if result.status != 0:
        tap.ok(False, "consolidate", result)
    with h5py.File(at(name), "a") as file:
        for key, value in attributes.items():
            if key == "done":
                file["ensemble/done"] = np.array(value, np.uint8)
            elif key == "offset":
                file["trace/offset"][...] = value
            else:
                file.attrs[key] = value
    return at(name)


def smooth_random(shape):
    gather = random.standard_normal(shape)
    for axis in (0, 1, 1):
        gather = gather + np.roll(gather, 1, axis)
    return gather


clean = [100 * smooth_random((fold, SAMPLES)) for fold in FOLDS]
noisy = [gather + 30 * random.standard_normal(gather.shape) for gather in clean]
for gathers in (clean, noisy):
    for gather in gathers:
        for trace in range(len(gather)):
            gather[trace, :trace] = 0  # a mute
clean, noisy = ([gather.astype(np.float32) for gather in gathers] for gathers in (clean, noisy))
first = [np.float32(0.8) * a + np.float32(0.1) * b for a, b in zip(clean, noisy)]
second = [np.float32(0.7) * a for a in noisy]
DONE = [1, 1, 0, 1, 1, 1, 1]

survey = survey_of("noisy.h5", noisy)
twin = survey_of("clean.h5", clean)
checksum = np.uint64(cases.attributes(survey)["checksum"])
predicted = [survey_of("a.h5", first, done=DONE, survey_checksum=checksum), survey_of("b, \"2\".h5", second)]
counted = [e for e in range(len(FOLDS)) if DONE[e]]


def qc(*words, ranks=0):
    return tap.run("qc", "--survey", survey, *words, ranks=ranks)


def read_csv(name):
    """The header, and {(figure, by, from, to): [values]}; None where a field is empty."""
    with open(at(name), newline="") as file:
        lines = list(csv.reader(file))
    return lines[0], {(line[0], line[1], *(float(x) if x else None for x in line[2:4])): [float(x) if x else None for x in line[5:]]
                      for line in lines[1:]}


# ---- the definition of local similarity, densely ----


def triangle(n, radius):
    """[n, n] of a triangle with even reflection."""
    width, matrix = 2 * radius + 1, np.zeros((n, n))
    for i in range(n):
        for d in range(-2 * radius, 2 * radius + 1):
            j = (i + d) % (2 * n)
            matrix[i, j if j < n else 2 * n - 1 - j] += (width - abs(d)) / width ** 2
    return matrix


def similarity(a, b, radius_traces, radius_samples):
    t = np.kron(triangle(a.shape[0], radius_traces), triangle(a.shape[1], radius_samples))
    a, b = a.astype(float).ravel(), b.astype(float).ravel()

    def ratio(a, b):
        scale = (b ** 2).mean()
        return np.linalg.solve(scale * np.eye(a.size) + t * (b ** 2 - scale)[None, :], t @ (b * a))

    return np.sqrt(np.maximum(ratio(a, b) * ratio(b, a), 0))


RADIUS = (2, 3)
similar = [[similarity(noisy[e] - gathers[e], gathers[e], *RADIUS) for e in range(len(FOLDS))] for gathers in (first, second)]


def figures(p, masks):
    """The figures of prediction p over the samples of masks, {name: value}; masks: one boolean array a gather."""
    def total(values):
        return sum(float(value[mask].astype(float).sum()) for value, mask in zip(values, masks))

    pick = [(noisy[e].astype(float), (first, second)[p][e].astype(float), clean[e].astype(float)) for e in counted]
    n = sum(mask.sum() for mask in masks)
    difference = [(x.astype(np.float32) - y.astype(np.float32)).astype(float) for x, y, _ in pick]
    energy = {"input": total([x ** 2 for x, _, _ in pick]), "prediction": total([y ** 2 for _, y, _ in pick]),
              "difference": total([d ** 2 for d in difference]), "clean": total([c ** 2 for _, _, c in pick]),
              "noise": total([(x - c) ** 2 for x, _, c in pick]), "error": total([(y - c) ** 2 for _, y, c in pick])}
    cross = total([y * d for (_, y, _), d in zip(pick, difference)])
    common = total([y * c for _, y, c in pick])
    live = sum((mask & (noisy[e] != 0)).sum() for e, mask in zip(counted, masks))
    leak = sum(float(similar[p][e].reshape(noisy[e].shape)[mask & (noisy[e] != 0)].sum()) for e, mask in zip(counted, masks))
    return {"samples": n, "rms_input": (energy["input"] / n) ** 0.5, "rms_prediction": (energy["prediction"] / n) ** 0.5,
            "rms_difference": (energy["difference"] / n) ** 0.5,
            "correlation": cross / (energy["prediction"] * energy["difference"]) ** 0.5, "leakage": leak / live,
            "snr_input_db": 10 * np.log10(energy["clean"] / energy["noise"]),
            "snr_prediction_db": 10 * np.log10(energy["clean"] / energy["error"]),
            "snr_gain_db": 10 * np.log10(energy["noise"] / energy["error"]),
            "signal_lost": 1 - common / energy["clean"]}


def check(rows, by, low, high, masks, name):
    wrong = []
    for p in (0, 1):
        for figure, value in figures(p, masks).items():
            found = rows.get((figure, by, low, high), [None, None])[p]
            limit = 2e-4 if figure == "leakage" else 1e-6
            if found is None or abs(found - value) > limit * max(1, abs(value)):
                wrong.append((figure, p, found, value))
    tap.ok(not wrong, name, wrong)


WORDS = ("--predicted", predicted[0], "--predicted", predicted[1], "--clean", twin, "--bins", "3", "--windows", "4", "--bands", "5",
         "--radius-traces", str(RADIUS[0]), "--radius-samples", str(RADIUS[1]), "--worst", "2", "--force")
result = qc(*WORDS, "--csv", at("qc.csv"), "--gathers", at("gathers.csv"))
if tap.runs(result, "two predictions and a clean twin"):
    header, rows = read_csv("qc.csv")
    tap.ok(header == ["figure", "by", "from", "to", "unit", predicted[0], predicted[1]], "a column for each prediction", header)
    everything = [np.ones(noisy[e].shape, bool) for e in counted]
    check(rows, "survey", None, None, everything, "figures of the survey are NumPy's, of gathers that are predicted")
    for low, high in ((0, 3), (4, 7), (8, 11)):
        masks = [np.repeat(((np.arange(len(noisy[e])) >= low) & (np.arange(len(noisy[e])) <= high))[:, None], SAMPLES, 1) for e in counted]
        check(rows, "trace", low, high, masks, f"figures of traces {low} to {high}")
    for low, high in ((0, 12), (13, 24), (25, 37), (38, 49)):
        inside = (np.arange(SAMPLES) >= low) & (np.arange(SAMPLES) <= high)
        check(rows, "time", low * 4, high * 4, [np.repeat(inside[None, :], len(noisy[e]), 0) for e in counted],
              f"figures of {low * 4} to {high * 4} ms")
    power = []
    for values in (noisy, first, [a - b for a, b in zip(noisy, first)], second, [a - b for a, b in zip(noisy, second)]):
        spectra = sum((np.abs(np.fft.rfft(values[e].astype(float), axis=1)) ** 2).sum(axis=0) for e in counted)
        spectra[1:-1] *= 2  # 50 samples: the last one is Nyquist's
        power.append(spectra)
    frequency, wrong = np.fft.rfftfreq(SAMPLES, INTERVAL * 1e-6), []
    for band in range(5):
        inside = np.flatnonzero(np.arange(26) * 5 // 26 == band)
        for column, name in enumerate(("prediction", "difference")):
            key = (f"spectrum_{name}_db", "frequency", frequency[inside[0]], frequency[inside[-1]])
            for p in (0, 1):
                value = 10 * np.log10(power[1 + 2 * p + column][inside].sum() / power[0][inside].sum())
                found = next((v[p] for k, v in rows.items() if k[0] == key[0] and np.allclose(k[2:], key[2:], atol=1e-6)), np.inf)
                if not abs(found - value) < 1e-6:
                    wrong.append((key, p, found, value))
    tap.ok(not wrong, "spectra by band are NumPy's", wrong)

    with open(at("gathers.csv"), newline="") as file:
        table = list(csv.DictReader(file))
    tap.ok([(int(row["gather"]), row["prediction"]) for row in table] == [(e, p) for e in counted for p in predicted]
           and all(row["inline"] == "100" and int(row["crossline"]) == 200 + int(row["gather"]) for row in table),
           "a row for each gather and prediction, with its position", table[:2])
    wrong = []
    for row in table:
        e, p = int(row["gather"]), predicted.index(row["prediction"])
        masks = [np.full(noisy[k].shape, k == e) for k in counted]
        for name, value in figures(p, masks).items():
            if name != "samples" and abs(float(row[name]) - value) > (2e-4 if name == "leakage" else 1e-6) * max(1, abs(value)):
                wrong.append((e, p, name, row[name], value))
    tap.ok(not wrong, "figures of each gather are NumPy's", wrong)
    worst = sorted(((float(row["leakage"]), -int(row["gather"])) for row in table if row["prediction"] == predicted[0]), reverse=True)[:2]
    lines = result.out.split(f"worst gathers by leakage, {predicted[0]}\n")[1].splitlines()[:2]
    tap.ok([f"gather #{-e} (inline 100, crossline {200 - e})" in line for (_, e), line in zip(worst, lines)] == [True, True],
           "the table names the worst gathers with their positions", (worst, lines))
    tap.ok(result.out.count("6 of 7 gathers") == 1 and "SNR of the prediction, dB" in result.out, "the table says what counted", result)

    text = [pathlib.Path(at(name)).read_bytes() for name in ("qc.csv", "gathers.csv")]
    for ranks in (1, 2, 3, 4, 7):
        again = qc(*WORDS, "--csv", at("on.csv"), "--gathers", at("gathers_on.csv"), ranks=ranks)
        tap.ok(again.status == 0 and again.out == result.out
               and [pathlib.Path(at(name)).read_bytes() for name in ("on.csv", "gathers_on.csv")] == text,
               f"the same tables and files on {ranks} ranks", again)

# ---- offsets, one prediction, a selection ----

offsets = np.concatenate([-100 + 25.0 * np.arange(fold) for fold in FOLDS])
with h5py.File(survey, "a") as file:
    file["trace/offset"][...] = offsets
result = qc("--predicted", predicted[0], "--bins", "4", "--csv", at("offset.csv"), "--ensembles", "#0,#1,#2")
if tap.runs(result, "by offset, of three gathers of which two are predicted"):
    _, rows = read_csv("offset.csv")
    found = {key[2:]: value[0] for key, value in rows.items() if key[:2] == ("rms_input", "offset")}
    edges, values = np.linspace(-100, 175, 5), []
    for b in range(4):
        inside = [noisy[e][t] for e in (0, 1) for t in range(FOLDS[e]) if min(int((25.0 * t) / 275 * 4), 3) == b]
        values.append(np.sqrt(np.mean(np.concatenate(inside).astype(float) ** 2)))
    tap.ok(np.allclose([key for key in found], list(zip(edges[:-1], edges[1:]))) and np.allclose(list(found.values()), values),
           "bins of offset, their ends and their RMS", (found, edges, values))
    tap.ok("by offset" in result.out and "SNR" not in result.out and "2 of 7 gathers" in result.out
           and ("snr_input_db", "survey", None, None) not in rows, "no SNR without a clean twin", result)
with h5py.File(survey, "a") as file:
    file["trace/offset"][3] = np.nan
tap.ok("by trace of the gather" in qc("--predicted", predicted[0]).out, "one unknown offset: bins by trace")

# ---- what figures say ----

exact = survey_of("exact.h5", clean)
result = qc("--predicted", exact, "--clean", twin, "--csv", at("exact.csv"))
_, rows = read_csv("exact.csv")
tap.ok(result.status == 0 and rows["snr_prediction_db", "survey", None, None] == [np.inf] and rows["leakage", "survey", None, None][0] < 0.25
       and "inf" in result.out, "a perfect prediction: infinite SNR, hardly any leakage", result)
result = qc("--predicted", predicted[1], "--csv", at("scaled.csv"))
_, rows = read_csv("scaled.csv")
tap.ok(abs(rows["leakage", "survey", None, None][0] - 1) < 1e-3 and abs(rows["correlation", "survey", None, None][0] - 1) < 1e-5,
       "a prediction that is the scaled input leaks all", rows["leakage", "survey", None, None])
same = survey_of("same.h5", noisy)
result = qc("--predicted", same, "--csv", at("same.csv"))
_, rows = read_csv("same.csv")
tap.ok(result.status == 0 and rows["leakage", "survey", None, None] == [0] and rows["correlation", "survey", None, None] == [None]
       and rows["spectrum_difference_db", "frequency", 0, frequency[3]] == [-np.inf], "the input itself: nothing was taken", result)
zeros = survey_of("zeros.h5", [np.zeros((3, 1)), np.zeros((1, 1))])
result = tap.run("qc", "--survey", zeros, "--predicted", zeros, ranks=3)
tap.ok(result.status == 0 and "nan" not in result.out, "zeros, of one sample, on more ranks than gathers", result)
huge = survey_of("huge.h5", [np.float32(1e35) * gather for gather in noisy])
smaller = survey_of("smaller.h5", [np.float32(8e34) * gather for gather in noisy])
result = tap.run("qc", "--survey", huge, "--predicted", smaller, "--csv", at("huge.csv"))
_, rows = read_csv("huge.csv")
tap.ok(result.status == 0 and abs(rows["leakage", "survey", None, None][0] - 1) < 1e-3, "samples of 1e38", result)

# ---- refusals ----

foreign = at("foreign.h5")
shutil.copy(predicted[0], foreign)
with h5py.File(foreign, "a") as file:
    file.attrs["survey_checksum"] = np.uint64(9)
nothing = at("nothing.h5")
shutil.copy(predicted[0], nothing)
with h5py.File(nothing, "a") as file:
    file["ensemble/done"][...] = 0
other = survey_of("other.h5", [gather[:, :40] for gather in noisy])
bad = at("bad.h5")
shutil.copy(predicted[0], bad)
with h5py.File(bad, "a") as file:
    file["amplitude"][14, 7] = np.nan
    cases.forget_checksum(file, 1)
a = ("--predicted", predicted[0])
refusals = [
    ((), 2, "--predicted PREDICTED.h5 is missing", "no prediction"),
    (a * 9, 2, "more than 8 times", "too many predictions"),
    (("--predicted", at("none.h5")), 5, "none.h5", "a missing prediction"),
    (("--predicted", foreign), 4, "checksum 0000000000000009", "another survey's prediction"),
    (("--predicted", nothing), 4, "none of the gathers is predicted", "a prediction without a gather"),
    (("--predicted", other), 4, "40 samples a trace", "other samples"),
    ((*a, "--predicted", other), 4, "40 samples a trace", "a second prediction of other samples"),
    ((*a, "--clean", other), 4, "40 samples a trace", "a clean twin of other samples"),
    (("--predicted", bad), 4, "gather #1 (inline 100, crossline 201): /amplitude: trace 2, sample 7", "a value that is not finite"),
    ((*a, "--csv", at("offset.csv")), 2, "offset.csv exists already", "an output that exists"),
    ((*a, "--csv", at("no/x.csv")), 5, "no", "a folder that is not there"),
    ((*a, "--csv", at("x.csv"), "--gathers", at("x.csv")), 2, "the same file", "one file for two tables"),
    ((*a, "--ensembles", "#99"), 2, "#99", "gathers that are not there"),
    ((*a, "--windows", "0"), 2, "--windows takes a whole number from 1", "no windows"),
]
for i, (words, status, message, name) in enumerate(refusals):
    tap.refused(qc(*words, ranks=4 if i % 3 == 0 else 0), status, message, name)
left = sorted(name for name in os.listdir(place) if name.endswith(".part") or name == "x.csv")
tap.ok(left == [], "nothing is left of what was refused", left)
tap.done()
