"""fxdecon and mean: their predictions against plain NumPy, compared in qc, and what they refuse."""
import csv
import os
import signal
import sys
import tempfile

import h5py
import numpy as np

import cases
import rivals
import tap
from rivals import DATA, FOLDS, SAMPLES, USAGE


# ---- the definitions ----


def starts(n, size):
    """Where windows of `size` of n items begin: half a window apart or less, the last one flush with the end."""
    step = max(size // 2, 1)
    gaps = (n - size + step - 1) // step
    return [(2 * i * (n - size) + gaps) // (2 * gaps) if gaps else 0 for i in range(gaps + 1)]


def taper(size):
    return np.sin(np.pi * (np.arange(size) + 0.5) / size)


def predict_series(x, length, damping):
    """Each column of x [traces, frequencies] from its neighbours, forward and backward by one filter and its conjugate."""
    n = len(x)
    length = min(length, n // 2)
    if length == 0:
        return x
    wanted = np.concatenate([x[length:], x[:n - length].conj()])
    given = np.stack([np.concatenate([x[length - k:n - k], x[k:n - length + k].conj()]) for k in range(1, length + 1)], -1)
    matrix = np.einsum("tfi,tfj->fij", given.conj(), given)
    mean = np.einsum("fii->f", matrix).real / length
    matrix += np.maximum(damping * mean, 1e-290)[:, None, None] * np.eye(length)
    filters = np.linalg.solve(matrix, np.einsum("tfi,tf->fi", given.conj(), wanted)[..., None])[..., 0]
    both = np.einsum("tfi,fi->tf", given, filters)
    total, count = np.zeros_like(x), np.zeros((n, 1))
    total[length:] += both[:n - length]
    count[length:] += 1
    total[:n - length] += both[n - length:].conj()
    count[:n - length] += 1
    return total / count


def fxdecon(gather, window_samples=48, window_traces=48, filter_traces=8, damping=0.5, low=0.0, high=0.5):
    """low, high: cycles a sample."""
    fold, n = gather.shape
    size, traces = min(window_samples or n, n), min(window_traces or fold, fold)
    total, weight = np.zeros(gather.shape), np.zeros(gather.shape)
    tapers = np.outer(taper(traces), taper(size))
    frequency = np.arange(size + 1) / (2 * size)
    outside = (frequency < low - 1e-12) | (frequency > high + 1e-12)
    for t in starts(fold, traces):
        for s in starts(n, size):
            series = np.fft.rfft(gather[t:t + traces, s:s + size].astype(float), 2 * size, axis=1)
            series = predict_series(series, filter_traces, damping)
            series[:, outside] = 0
            total[t:t + traces, s:s + size] += tapers * np.fft.irfft(series, 2 * size, axis=1)[:, :size]
            weight[t:t + traces, s:s + size] += tapers
    return total / weight


def mean(gathers, e, traces, around):
    """Over the traces and over the gathers e - around // 2 .. e + around // 2 as far as there are any."""
    fold, n = gathers[e].shape
    total, count, out = np.zeros((fold, n)), np.zeros((fold, n)), np.zeros((fold, n))
    for other in gathers[max(e - around // 2, 0):e + around // 2 + 1]:
        common = min(fold, len(other))
        total[:common] += other[:common]
        count[:common] += other[:common] != 0
    for t in range(fold):
        rows = slice(max(t - traces // 2, 0), t + traces // 2 + 1)
        out[t] = total[rows].sum(axis=0) / np.maximum(count[rows].sum(axis=0), 1)
    return out


def agree(path, wanted, limit, name):
    """Passes where each gather of a file is the wanted one to `limit` of its largest sample."""
    found = cases.read_gathers(path)
    errors = [cases.of_largest(a, b) for a, b in zip(found, wanted)]
    tap.ok(len(found) == len(wanted) and max(errors) <= limit, name, errors)


def kept(gathers, predicted):
    return [np.where(gather == 0, 0, out) for gather, out in zip(gathers, predicted)]


# ---- against NumPy ----


FX = [
    ("the defaults", [], {}),
    ("small windows", ["--window-samples", "20", "--window-traces", "16", "--filter-traces", "5", "--damping", "0.1"],
     dict(window_samples=20, window_traces=16, filter_traces=5, damping=0.1)),
    ("odd windows", ["--window-samples=37", "--window-traces=11", "--filter-traces=20", "--damping=3"],
     dict(window_samples=37, window_traces=11, filter_traces=20, damping=3)),
    ("whole gathers", ["--window-samples", "0", "--window-traces", "0", "--filter-traces", "3"],
     dict(window_samples=0, window_traces=0, filter_traces=3)),
    ("windows beyond the gathers, in a band",
     ["--window-samples", "999", "--window-traces", "999", "--low-hz", "10", "--high-hz", "62.5"],
     dict(window_samples=999, window_traces=999, low=0.04, high=0.25)),
    ("one sample, one trace", ["--window-samples", "1", "--window-traces", "1"], dict(window_samples=1, window_traces=1)),
]


def fx_is_numpys(ground):
    for label, options, rule in FX:
        output = ground.place("fx.h5")
        ground.run("fxdecon", "--survey", ground.survey, "--output", output, "--force", *options, ranks=2)
        wanted = [fxdecon(gather, **rule) for gather in ground.gathers]
        agree(output, wanted, 1e-5, "fxdecon, %s: NumPy's" % label)
    defaults = [fxdecon(gather) for gather in ground.gathers]
    ground.run("fxdecon", "--survey", ground.survey, "--output", output, "--force", "--set", "apply.keep_mutes=true")
    agree(output, kept(ground.gathers, defaults), 1e-5, "fxdecon, apply.keep_mutes")
    found = cases.read_gathers(output)
    tap.ok(all(not out[gather == 0].any() for out, gather in zip(found, ground.gathers)), "its mutes are exactly zero")
    result = ground.run("fxdecon", "--survey", ground.survey, "--output", output, "--force", "--difference", ranks=3)
    agree(output, [gather - out for gather, out in zip(ground.gathers, defaults)], 1e-5, "fxdecon --difference")
    energy = [float((out.astype(np.float32).astype(float) ** 2).sum()) for out in defaults]
    mutes = [float((out.astype(np.float32).astype(float)[gather == 0] ** 2).sum()) for gather, out in zip(ground.gathers, defaults)]
    said = float(result.err.split("leaked: ")[1].split()[0])
    tap.ok(abs(said - 100 * sum(mutes) / sum(energy)) <= 1e-3 * said, "what leaked into mutes is NumPy's", result)
    windows = sum(len(starts(fold, min(48, fold))) * len(starts(SAMPLES, 48)) for fold in FOLDS)
    tap.ok("predicted 12 gathers, %d windows" % windows in result.err, "the windows are counted", result)


def mean_is_numpys(ground):
    output = ground.place("mean.h5")
    for traces, around in ((9, 1), (1, 3), (5, 3), (3, 7), (999, 1), (7, 999)):
        result = ground.run("mean", "--survey", ground.survey, "--output", output, "--force", "--traces", str(traces),
                            "--gathers", str(around), ranks=2)
        wanted = [mean(ground.gathers, e, traces, around) for e in range(len(FOLDS))]
        agree(output, wanted, 1e-6, "mean over %d traces, %d gathers: NumPy's" % (traces, around))
        tap.ok(("neighbours: 10 gathers have two" in result.err) == (around > 1), "and its log tells of neighbours")
    ground.run("mean", "--survey", ground.survey, "--output", output, "--force", "--traces=5", "--gathers=3", "--difference",
               "--ensembles", "#0,#5-#7", "--set", "apply.keep_mutes=true", ranks=3)
    wanted = [np.zeros((fold, SAMPLES)) for fold in FOLDS]
    for e in (0, 5, 6, 7):
        wanted[e] = ground.gathers[e] - np.where(ground.gathers[e] == 0, 0, mean(ground.gathers, e, 5, 3))
    agree(output, wanted, 1e-6, "mean --difference --ensembles, mutes kept: neighbours that are not chosen count too")
    done = cases.datasets(output)["ensemble/done"]
    tap.ok(list(np.flatnonzero(done)) == [0, 5, 6, 7], "only those are done", done)


def positions(ground):
    """Lines that end, gathers out of order, at one place, and without a place."""
    gathers = [ground.gathers[0] * np.float32(k) for k in range(1, 7)]
    survey, output = ground.new_survey("places.h5", gathers), ground.place("placed.h5")
    with h5py.File(survey, "a") as file:
        file["ensemble/inline"][...] = [5, 5, 7, 5, -2**31, 9]
        file["ensemble/crossline"][...] = [30, 10, 2, 20, 3, 1]
    result = ground.run("mean", "--survey", survey, "--output", output, "--traces", "1", "--gathers", "3")
    line = [gathers[k] for k in (1, 3, 0)]
    wanted = {1: mean(line, 0, 1, 3), 3: mean(line, 1, 1, 3), 0: mean(line, 2, 1, 3)}
    agree(output, [wanted.get(e, gathers[e]) for e in range(6)], 1e-6, "neighbours are those of the inline, in crossline's order")
    tap.ok("warning: 3 gathers have no neighbour" in result.err, "gathers without neighbours are told", result)
    with h5py.File(survey, "a") as file:
        file["ensemble/inline"][...] = -2**31
    tap.refused(tap.run("mean", "--survey", survey, "--output", ground.place("none.h5"), "--gathers", "3", ranks=3), DATA,
                "--gathers 1 needs none", "gathers without a place have no neighbours")
    tap.ok(not os.path.exists(ground.place("none.h5.part")), "and nothing is left")


# ---- beside others ----


def in_qc(ground):
    gathers, at = ground.place("gathers"), ground.place
    ground.run("synth", "--output", gathers, "--inlines", "1", "--crosslines", "4", "--traces", "40",
               "--samples", "300", "--snr", "0")
    noisy, clean, predicted = at("noisy.h5"), at("clean.h5"), [at("qc_fx.h5"), at("qc_mean.h5")]
    for name, output in (("noisy", noisy), ("clean", clean)):
        ground.run("consolidate", "--quiet", "--output", output, "--interval-us", "4000", os.path.join(gathers, name))
    ground.run("fxdecon", "--survey", noisy, "--output", predicted[0], "--set", "apply.keep_mutes=true", ranks=2)
    ground.run("mean", "--survey", noisy, "--output", predicted[1], "--set", "apply.keep_mutes=true", ranks=2)
    result = ground.run("qc", "--survey", noisy, "--clean", clean, "--predicted", predicted[0], "--predicted", predicted[1],
                        "--ensembles", "#2-#3", "--csv", at("qc.csv"))
    with open(at("qc.csv"), newline="") as file:
        rows = {line[0]: [float(x) for x in line[5:]] for line in csv.reader(file) if line[1] == "survey"}
    x, c = (np.concatenate(cases.read_gathers(path)[2:]).astype(float) for path in (noisy, clean))
    for p, path in enumerate(predicted):
        y = np.concatenate(cases.read_gathers(path)[2:]).astype(float)
        gain = 10 * np.log10(((x - c) ** 2).sum() / ((y - c) ** 2).sum())
        lost = 1 - (y * c).sum() / (c * c).sum()
        same = abs(rows["snr_gain_db"][p] - gain) < 1e-6 and abs(rows["signal_lost"][p] - lost) < 1e-6
        tap.ok(same and gain > 3 and 0 < lost < 0.4,
               "qc of the held-out gathers: gain %.2f dB, %.3f of the signal lost" % (gain, lost), (rows, gain, lost))
    tap.ok("2 of 4 gathers" in result.out and "signal lost" in result.out, "its table tells them", result)
    noise = at("qc_noise.h5")
    ground.run("mean", "--survey", noisy, "--output", noise, "--difference")
    result = tap.run("qc", "--survey", noisy, "--predicted", noise, ranks=2)
    tap.ok(result.status == 0 and result.err.count(noise + " holds noise, input minus prediction") == 1,
           "qc says what a file of differences is", result)
    ground.run("plot", "--survey", noisy, "--predicted", predicted[0], "--ensemble", "#1", "--output", at("fx.png"))
    result = ground.run("export", "--survey", predicted[0], "--output", at("fx.sgy"))
    with open(at("fx.sgy"), "rb") as file:
        text = file.read(3200).decode("cp037")
    tap.ok("prediction, by fxdecon" in text, "SEG-Y says what predicted it", text)


def dry_runs(ground):
    for command, options in rivals.WORKS.items():
        words = [command, "--survey", ground.survey, "--output", ground.place("dry.h5"), *options, "--dry-run"]
        result = ground.run(*words, ranks=2)
        unit = "windows " if command == "fxdecon" else "samples "
        tap.ok(not os.path.exists(ground.place("dry.h5.part")) and unit in result.out and "memory a rank" in result.out
               and "in 12 gathers" in result.out, command + " --dry-run tells what it takes, and writes nothing", result)


def refusals(ground):
    survey = ["--survey", ground.survey, "--output", ground.place("refused.h5"), "--force"]
    unknown = ground.place("unknown.h5")
    ground.run("consolidate", "--quiet", "--output", unknown, ground.place("survey.h5.d"))
    ramp = np.repeat(np.append(np.arange(1, 40), 38.5)[:, None], 30, 1) * 8.69e36  # it would go on beyond what floats hold
    huge = ground.new_survey("huge.h5", [ramp.astype(np.float32)])
    tap.ok(np.abs(fxdecon(ramp, filter_traces=2, damping=0)).max() > 3.41e38 > ramp.max(), "a prediction that floats do not hold")
    bad = ground.new_survey("bad.h5", ground.gathers[:3])
    with h5py.File(bad, "a") as file:
        file["amplitude"][61, 7] = np.nan
        cases.forget_checksum(file, 1)
    place = "gather #1 (inline 100, crossline 201): /amplitude: trace 1, sample 7"
    every = [
        (["mean", *survey, "--traces", "4"], USAGE, "--traces takes an odd number"),
        (["mean", *survey, "--gathers", "2"], USAGE, "--gathers takes an odd number"),
        (["mean", *survey, "--traces", "1"], USAGE, "the gather itself"),
        (["mean", *survey, "--traces", "0"], USAGE, "--traces takes a whole number from 1"),
        (["mean", *survey, "--damping", "1"], USAGE, "unknown option --damping"),
        (["fxdecon", *survey, "--filter-traces", "0"], USAGE, "--filter-traces takes a whole number from 1"),
        (["fxdecon", *survey, "--damping", "-1"], USAGE, "--damping takes a number from 0"),
        (["fxdecon", *survey, "--low-hz", "50", "--high-hz", "40"], USAGE, "--low-hz 50 is not below --high-hz 40"),
        (["fxdecon", *survey, "--low-hz", "126"], USAGE, "is above 125 Hz"),
        (["fxdecon", "--survey", unknown, *survey[2:], "--high-hz", "60"], DATA, "--interval-us"),
        (["fxdecon", *survey, "--ensembles", "#99"], USAGE, "#99"),
        (["fxdecon", "--survey", ground.place("none.h5"), *survey[2:]], 5, "none.h5"),
        (["fxdecon", "--survey", bad, *survey[2:]], DATA, place),
        (["mean", "--survey", bad, *survey[2:], "--gathers", "3"], DATA, place),
        (["fxdecon", "--survey", huge, *survey[2:], "--damping", "0", "--filter-traces", "2"], 7, "the prediction of gather #0"),
        (["fxdecon", "--survey", ground.survey, "--output", ground.place("no/x.h5")], 5, "no"),
    ]
    for i, (words, status, message) in enumerate(every):
        tap.refused(tap.run(*words, ranks=3 if i % 4 == 0 else 0), status, message, message)
    left = [name for name in os.listdir(ground.folder) if name.startswith("refused.h5")]
    tap.ok(left in ([], ["refused.h5.part"]), "nothing is left but what one of them had done, under no final name", left)


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    os.environ["OMPI_MCA_ess_singleton_isolated"] = "1"  # a run without mpirun starts sooner
    with tempfile.TemporaryDirectory() as folder:
        ground = rivals.Ground(folder)
        mean_is_numpys(ground)
        positions(ground)
        if rivals.fftw(ground):
            for group in (fx_is_numpys, in_qc, dry_runs, refusals):
                group(ground)
    tap.done()


if __name__ == "__main__":
    main()
