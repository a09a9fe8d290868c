"""What a file holds is what it is called: noise (--difference) in pictures, tables, listings and exports; mutes stay blank under
automatic gain; an ending of another format is refused."""
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
random = np.random.RandomState(3)
TRACES, SAMPLES = 12, 80


def at(name):
    return "%s/%s" % (place, name)  # a slash at its end stays


def run(*words, ranks=0):
    result = tap.run(*words, ranks=ranks)
    tap.runs(result, " ".join(map(str, words[:1] + words[-2:])))
    return result


gathers = [random.standard_normal((TRACES, SAMPLES)).astype(np.float32) * 100 for _ in range(4)]
for gather in gathers:
    for trace in range(TRACES):
        gather[trace, :10 + 2 * trace] = 0  # a mute
    gather[5] = 0  # a dead trace
    gather[2, 60:] *= 1e-4  # next to nothing
survey = at("survey.h5")
run("consolidate", "--output", survey, "--interval-us", "4000", cases.write_gathers(at("gathers"), gathers))
MEAN = ("mean", "--survey", survey, "--traces", "5")
predicted, noise = at("predicted.h5"), at("noise.h5")
run(*MEAN, "--output", predicted)
result = run(*MEAN, "--output", noise, "--difference", ranks=3)
tap.ok("noise.h5 holds noise" in result.err, "the log of --difference says that it wrote noise", result)


def drawn(*words):
    """A picture's script."""
    run("plot", "--force", "--output", at("pic.png"), "--script", at("pic.gp"), *words)
    return pathlib.Path(at("pic.gp")).read_text()


def cells(*words):
    """The kept data of a picture [panels, samples, traces], and its script."""
    script = drawn("--survey", survey, "--ensemble", "#1", *words)
    return np.fromfile(at("pic.dat"), np.float32).reshape(-1, SAMPLES, TRACES), script


# ---- automatic gain ----

filled = at("filled.h5")  # a prediction that fills the mutes
shutil.copy(predicted, filled)
with h5py.File(filled, "a") as file:
    file["amplitude"][()] += 50
    cases.forget_checksum(file, *range(4))
panels, _ = cells("--predicted", filled, "--agc", "60")
blank = gathers[1].T == 0
tap.ok(panels.shape[0] == 3 and not panels[:, blank].any() and (panels[:, ~blank] != 0).mean() > 0.99,
       "--agc draws nothing where the input is exactly zero, in any panel, and something everywhere else")
x = gathers[1].astype(float)
window, wanted = 15, np.zeros_like(x)  # 60 ms of 4
for t in range(TRACES):
    live = x[t][x[t] != 0]
    for s in np.flatnonzero(x[t]):
        near = x[t, max(s - window // 2, 0):s - window // 2 + window]
        wanted[t, s] = x[t, s] / max(np.sqrt((near ** 2).sum() / (near != 0).sum()), 0.01 * np.sqrt((live ** 2).mean()))
scale = panels[0].T[6, 40] / wanted[6, 40]
tap.ok(cases.of_largest(panels[0].T, wanted * scale) < 1e-5,
       "it divides by the RMS of the window's live samples, and never by less than 1 % of the trace's",
       cases.of_largest(panels[0].T, wanted * scale))
tap.ok(np.abs(panels[0].T[2, 68:]).max() < 0.1 * np.abs(panels[0]).max(), "what is next to nothing stays so")

# ---- noise ----

one, script = cells("--predicted", predicted)
other, of_noise = cells("--predicted", noise)
tap.ok(cases.of_largest(other, one) < 1e-5, "plot: input, prediction and noise stand in the same panels, whichever file is given")
tap.ok("noise (input − prediction)" in of_noise and "'difference" not in of_noise and "'prediction'" in of_noise
       and "difference (input − prediction)" in script and "noise" not in script.replace(str(place), ""), "its panel is called noise")
script = drawn("--survey", survey, "--ensemble", "#1", "--predicted", noise, "--spectrum")
tap.ok(script.count("noise (input − prediction)") == 2, "so are its spectra", script)
for file, name in ((noise, "'noise (input − prediction)'"), (predicted, "'prediction'"), (survey, "'input'")):
    tap.ok(name in drawn("--survey", file, "--ensemble", "#0"), "alone: " + name)


def qc(ranks, *words):
    result = run("qc", "--survey", survey, *words, "--csv", at("qc.csv"), "--gathers", at("rows.csv"), "--force", ranks=ranks)
    with open(at("qc.csv"), newline="") as file:
        return result, list(csv.reader(file))


for ranks in (1, 3):
    result, lines = qc(ranks, "--predicted", predicted, "--predicted", noise)
    wrong = [line for line in lines[1:] if line[5] != line[6] and abs(float(line[5]) - float(line[6])) > 1e-4 * abs(float(line[5]))]
    tap.ok(not wrong and len(lines) > 50, f"qc on {ranks} ranks: a file of noise gives the figures of its prediction", wrong[:3])
    tap.ok(lines[0][5:] == [predicted, noise + " (noise)"] and "noise.h5 (noise)" in result.out
           and "noise.h5 holds noise" in result.err, "its columns say that it is noise", result)
    with open(at("rows.csv"), newline="") as file:
        tap.ok({row["prediction"] for row in csv.DictReader(file)} == {predicted, noise + " (noise)"}, "so do the gathers' rows")
for ranks, words in ((1, ("qc", "--survey", survey, "--predicted", predicted, "--clean", noise)),
                     (3, ("train", "--survey", survey, "--output", at("run"), "--clean", noise, "--set", "train.target=clean",
                          "--set", "patch.size=8", "--set", "network.levels=1"))):
    tap.refused(tap.run(*words, ranks=ranks), 4, "noise.h5 holds noise", "%s: noise is no clean survey" % words[0])
for ranks in (1, 3):
    tap.ok(noise + ": noise, input minus prediction (--difference), by mean" in run("info", noise, ranks=ranks).out
           and ": a predicted survey, by mean" in run("info", predicted, ranks=ranks).out, "info tells noise from prediction")
result = run("mean", "--survey", noise, "--output", at("twice.h5"), ranks=3)
tap.ok("noise.h5 holds noise" in result.err, "a prediction of noise says so", result)
result = run("export", "--survey", noise, "--output", at("noise_npy"), ranks=3)
tap.ok("4 gathers of noise" in result.err, "export of noise says so", result)
result = run("export", "--survey", noise, "--output", at("noise.sgy"), ranks=3)
with open(at("noise.sgy"), "rb") as file:
    text = file.read(3200).decode("cp037")
tap.ok("noise (input minus prediction), by mean" in text and "noise" in result.err.split("format")[0], "in SEG-Y's text too", text)
run(*MEAN, "--output", at("part.h5"), "--difference", "--ensembles", "#0")
result = run("export", "--survey", at("part.h5"), "--output", at("part.sgy"))
with open(at("part.sgy"), "rb") as file:
    text = file.read(3200).decode("cp037")
tap.ok("noise (1 of 4), by mean" in text and "warning: 3 gathers are not predicted: what stands there is no noise" in result.err,
       "gathers without noise keep the survey's samples, with a warning", result)

# ---- export's endings ----

for ending in ("x.su", "x.rsf", "x.h5", "x.npy", "x.txt", "x.v2", "d.d/x.SU", "x."):
    os.makedirs(at("d.d"), exist_ok=True)
    result = tap.run("export", "--survey", survey, "--output", at(ending), ranks=3 if ending == "x.su" else 0)
    tap.refused(result, 2, "SEG-Y (.sgy, .segy) and folders of .npy files", "export to %s is refused" % ending)
    tap.ok(not os.path.exists(at(ending)), "and makes nothing")
os.makedirs(at("there.v2"))
for name in ("x.v2/", "there.v2", "d.d/plain", ".hidden", "x.sgy/"):
    result = run("export", "--survey", survey, "--output", at(name), "--quiet", ranks=3 if name == "there.v2" else 0)
    tap.ok(len(os.listdir(at(name))) == 4, "export to the folder %s" % name, result)
for name in ("x.sgy", "x.SEGY"):
    shutil.rmtree(at("x.sgy"), ignore_errors=True)
    run("export", "--survey", survey, "--output", at(name))
    tap.ok(os.path.isfile(at(name)), "export to the file " + name)
tap.done()
