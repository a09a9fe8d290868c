"""plot: pictures of the stated size with what belongs there, the same on any number of ranks, and every refusal."""
import os
import pathlib
import shutil
import stat
import subprocess

import h5py
import numpy as np

import cases
import png
import tap

os.environ["OMPI_MCA_ess_singleton_isolated"] = "1"  # a run without mpirun starts sooner
place = tap.folder()
random = np.random.RandomState(7)


def at(name):
    return str(place / name)


def plot(*words, ranks=0, output="pic.png", env=None, cwd=None):
    return tap.run("plot", "--force", "--output", at(output), *words, ranks=ranks, env=env, cwd=cwd)


def panels(picture, n):
    """What stands in the frames: n pieces of the picture, cut by the dark lines around them."""
    dark = (picture[:, :, :3].max(axis=2) < 60)
    row = dark[picture.shape[0] // 2:].sum(axis=1).argmax() + picture.shape[0] // 2  # the frames' lower edge
    edges = np.flatnonzero(np.diff(np.concatenate([[0], dark[row], [0]]).astype(int)))
    starts, ends = edges[::2], edges[1::2]
    wide = [(a, b) for a, b in zip(starts, ends) if b - a > picture.shape[1] / (2 * n + 2)]
    if len(wide) != n:
        raise ValueError(f"{len(wide)} frames, not {n}: {list(zip(starts, ends))}")
    return [picture[row - picture.shape[0] // 3:row - 2, a + 2:b - 2, :3] for a, b in wide]


# ---- a survey of gathers with offsets, and predictions that are known ----

gathers = [random.standard_normal((24, 200)).astype(np.float32) * 100 for _ in range(3)]
for gather in gathers:
    gather[:, :40] = 0
    gather[0, 150] = 1e6  # the clip must not follow it
survey, predicted = at("survey.h5"), at("predicted.h5")
tap.runs(tap.run("consolidate", "--quiet", "--output", survey, "--interval-us", "4000",
                 cases.write_gathers(at("gathers"), gathers)), "a survey")
tap.runs(tap.run("consolidate", "--quiet", "--output", predicted, "--interval-us", "4000",
                 cases.write_gathers(at("predicted"), [np.float32(0.75) * gather for gather in gathers])), "its prediction")
with h5py.File(predicted, "a") as file:
    file["ensemble/done"] = np.array([1, 1, 0], np.uint8)
    with h5py.File(survey, "r") as source:
        file.attrs["survey_checksum"] = source.attrs["checksum"]
both = ("--survey", survey, "--predicted", predicted)

# ---- pictures ----

result = plot(*both, "--ensemble", "#0", "--script", at("pic.gp"))
if tap.runs(result, "input, prediction and difference"):
    picture = png.read(at("pic.png"))
    tap.ok(picture.shape[:2] == (780, 1300), "the picture has its default size", picture.shape)
    parts = panels(picture, 3)
    contrast = [float(part.std()) for part in parts]
    tap.ok(min(contrast) > 20, "none of its panels is a gray square", contrast)
    tap.ok(len({part.tobytes() for part in parts}) == 3 and contrast[0] > contrast[1] * 1.1,
           "the panels differ, and the prediction is paler than the input on the same scale", contrast)
    live = np.sort(np.abs(gathers[0][gathers[0] != 0]))
    clip = live[int(np.ceil(0.99 * live.size)) - 1]
    cells = np.fromfile(at("pic.dat"), np.float32).reshape(3, 200, 24)
    truth = np.array([gathers[0].T / clip, 0.75 * gathers[0].T / clip, gathers[0].T / clip])
    tap.ok(cases.of_largest(cells, truth) < 1e-6, "the kept data are the gathers over the 99th percentile, the difference over its own",
           cases.of_largest(cells, truth))
    script = pathlib.Path(at("pic.gp")).read_text()
    tap.ok(script.count("'%.0f'" % clip) == 2 and "'%.1f'" % (clip / 4) in script and "0.250 times the input" in script
           and "inline 100, crossline 200" in script and "time (ms)" in script, "scales, position and axes stand in the picture", script)
    before = pathlib.Path(at("pic.png")).read_bytes()
    os.remove(at("pic.png"))
    again = tap.command(["gnuplot", at("pic.gp")], cwd=place)
    tap.ok(again.status == 0 and pathlib.Path(at("pic.png")).read_bytes() == before, "the kept script draws the same picture", again)
    for ranks in (1, 2, 3, 4, 7):
        result = plot(*both, "--ensemble", "100:200", ranks=ranks, output="on%d.png" % ranks)
        tap.ok(result.status == 0 and pathlib.Path(at("on%d.png" % ranks)).read_bytes() == before,
               f"the same picture on {ranks} ranks, by position", result)

SMALL = ("--width", "720", "--height", "430")
for words, coloured in [((), False), (("--wiggle",), False), (("--palette", "seismic"), True), (("--agc", "100"), False),
                        (("--spectrum", "--height", "560"), True)]:
    for files in (("--survey", survey), both):
        size = SMALL if "--spectrum" not in words else SMALL[:2]
        result, n = plot(*files, "--ensemble", "#1", *words, *size), 3 if files is both else 1
        if not tap.runs(result, f"{n} panels: {' '.join(words)}"):
            continue
        picture = png.read(at("pic.png"))
        parts = panels(picture, n)
        ranges = [int(np.ptp(part.astype(int), axis=2).max()) for part in parts]
        tap.ok(picture.shape[:2] == (560 if "--spectrum" in words else 430, 720)
               and min(part.std() for part in parts) > 15 and len({part.tobytes() for part in parts}) == n
               and all((value > 100) == coloured for value in ranges),
               "they have the stated size and the right colours, hold something and differ",
               (picture.shape, [part.std() for part in parts], ranges))

for ending, start in ((".pdf", b"%PDF-"), (".svg", b"<?xml")):
    for words in ((), ("--wiggle",), ("--spectrum",)):
        result = plot(*both, "--ensemble", "#0", *words, output="pic" + ending)
        tap.ok(result.status == 0 and result.err.count("\n") == 1 and pathlib.Path(at("pic" + ending)).read_bytes().startswith(start),
               ending + " " + " ".join(words), result)

with h5py.File(survey, "a") as file:
    file["trace/offset"][:24] = 100 + 25 * np.arange(24)
if tap.runs(plot("--survey", survey, "--ensemble", "#0", "--script", at("pic.gp")), "a gather with offsets"):
    script = pathlib.Path(at("pic.gp")).read_text()
    tap.ok("'offset'" in script and "'100' 0" in script and "'trace'" not in script, "its ticks are the offsets", script)

# Spectra: a gather of one frequency and one wavenumber has its peak there.
wave = np.cos(2 * np.pi * (0.1 * np.arange(200)[None, :] + 0.25 * np.arange(24)[:, None])).astype(np.float32)
single = at("wave.h5")
tap.runs(tap.run("consolidate", "--quiet", "--output", single, "--interval-us", "2000", cases.write_gathers(at("wave"), [wave])), "a wave")
if tap.runs(plot("--survey", single, "--ensemble", "#0", "--spectrum", "--script", at("pic.gp")), "its spectra"):
    data = np.fromfile(at("pic.dat"), np.float32)
    means, fk = data[:202].reshape(101, 2), data[202:].reshape(101, 128)
    truth = np.abs(np.fft.rfft(wave.astype(float), axis=1)).mean(axis=0)
    tap.ok(np.allclose(means[:, 0], np.fft.rfftfreq(200, 0.002), rtol=1e-6)
           and np.allclose(10 ** (means[:, 1] / 20), truth / truth.max(), atol=1e-6), "the mean amplitude spectrum is NumPy's")
    padded = np.zeros((128, 200))
    padded[:24] = wave
    power = np.fft.fftshift(np.abs(np.fft.rfft2(padded)) ** 2, axes=0).T
    peak = np.unravel_index(fk.argmax(), fk.shape)
    tap.ok(peak == (20, 32) or peak == (20, 96), "f-k has its peak at 50 Hz and a quarter of a cycle a trace", peak)
    tap.ok(np.allclose(10 ** (fk / 10), power / power.max(), atol=1e-6), "f-k is NumPy's 2D transform")

# ---- odd gathers ----

for name, gather in {"one": np.ones((1, 1)), "a trace": random.standard_normal((1, 50)), "a row": random.standard_normal((30, 1)),
                     "zeros": np.zeros((5, 40)), "huge": 1e37 * random.standard_normal((5, 40)),
                     "wide": random.standard_normal((900, 20)), "denormal": np.full((3, 4), 1e-42)}.items():
    odd = at(name + ".h5")
    tap.run("consolidate", "--quiet", "--output", odd, cases.write_gathers(at(name), [gather.astype(np.float32)]))
    for words in ((), ("--wiggle",), ("--spectrum",)):
        result = plot("--survey", odd, "--ensemble", "#0", *words)
        if words == ("--spectrum",) and gather.shape[1] == 1:
            tap.refused(result, 4, "single sample", f"{name}: no spectrum")
        else:
            tap.ok(result.status == 0 and "gnuplot says" not in result.err and png.size(at("pic.png"))[0] >= 780,
                   f"{name} {' '.join(words)}", result)

quote = at("it's a \"survey\" of a quite long name, " + "with more and more of it, " * 5 + "$HOME.h5")
shutil.copy(survey, quote)
result = plot("--survey", quote, "--ensemble", "#0", output="it's.png")
tap.ok(result.status == 0 and png.size(at("it's.png")) == (780, 560), "names with quotes and no end", result)

# ---- training ----

HEADER = "epoch,step,train_loss_step,train_loss_epoch,val_loss,learning_rate,patches_per_second\n"


def training(name, text):
    os.makedirs(at(name), exist_ok=True)
    pathlib.Path(at(name), "metrics.csv").write_text(text)
    return at(name)


rows = [f"{1 + step // 21},{step},{0.5 / step},,,0.001,100\n" for step in range(10, 61, 10)]
rows[2:2] = ["1,,,0.1,0.08,,\n"]
rows[5:5] = ["2,,,0.05,0.04,,\n"]
folder = training("trained", HEADER + "".join(rows) + "3,,,0.0")  # the last line is being written
if tap.runs(plot("--training", folder, "--script", at("pic.gp")), "loss curves of a training that runs"):
    picture = png.read(at("pic.png"))
    sets = [[tuple(map(float, line.split())) for line in part.splitlines() if line and line[0] != "#"]
            for part in pathlib.Path(at("pic.dat")).read_text().split("\n\n\n")][:3]
    tap.ok(picture.shape[:2] == (560, 900) and all(any((abs(picture[:, :, :3].astype(int) - colour).max(axis=2) < 9).ravel())
           for colour in ((0, 96, 192), (208, 64, 0), (176, 176, 176))), "it has three curves", picture.shape)
    tap.ok(sets[1] == [(1, 0.1), (2, 0.05)] and sets[2] == [(1, 0.08), (2, 0.04)] and len(sets[0]) == 6
           and [int(np.ceil(x)) for x, _ in sets[0]] == [1, 1, 2, 2, 3, 3], "steps stand at their part of the epoch", sets)
    tap.ok("logscale y" in pathlib.Path(at("pic.gp")).read_text(), "losses over decades have a logarithmic axis")
flat = training("flat", HEADER + "1,,,0.1,,,\n2,,,0.09,,,\n")
if tap.runs(plot("--training", flat, "--script", at("pic.gp"), ranks=3), "loss curves without steps and validation"):
    tap.ok("logscale" not in pathlib.Path(at("pic.gp")).read_text(), "losses that hardly differ have a linear axis")

# ---- refusals ----

os.remove(at("pic.png"))
small = at("small.h5")
tap.run("consolidate", "--quiet", "--output", small, cases.write_gathers(at("few"), [gather[:, :100] for gather in gathers]))
narrow = at("narrow.h5")
tap.run("consolidate", "--quiet", "--output", narrow, cases.write_gathers(at("fewer"), [gathers[0], gathers[1][:20], gathers[2]]))
foreign = at("foreign.h5")
shutil.copy(predicted, foreign)
with h5py.File(foreign, "a") as file:
    file.attrs["survey_checksum"] = np.uint64(5)
refusals = [
    (("--survey", survey), 2, "--ensemble SELECTOR is missing", "no ensemble"),
    (("--ensemble", "#0"), 2, "--survey FILE.h5 is missing", "no survey"),
    (("--survey", survey, "--ensemble", "#9"), 2, "#9", "an ensemble that is not there"),
    (("--survey", survey, "--ensemble", "#0-#2"), 2, "#0-#2", "more than one ensemble"),
    (("--survey", at("none.h5"), "--ensemble", "#0"), 5, "none.h5", "no such file"),
    ((*both, "--ensemble", "#2"), 4, "gather #2 (inline 100, crossline 202) is not predicted yet", "a gather that is not predicted"),
    (("--survey", survey, "--predicted", small, "--ensemble", "#0"), 4, "100 samples a trace", "other samples"),
    (("--survey", survey, "--predicted", narrow, "--ensemble", "#0"), 4, "gather #1 (inline 100, crossline 201) has 20 traces, but 24 in", "other traces"),
    (("--survey", survey, "--predicted", single, "--ensemble", "#0"), 4, "has 1 gather, but", "other gathers"),
    (("--survey", survey, "--predicted", foreign, "--ensemble", "#0"), 4, "checksum 0000000000000005", "another survey's prediction"),
    ((*both, "--ensemble", "#0", "--palette", "grey"), 2, "gray or seismic", "an unknown palette"),
    ((*both, "--ensemble", "#0", "--wiggle", "--spectrum"), 2, "two pictures", "two pictures at once"),
    ((*both, "--ensemble", "#0", "--width", "400"), 2, "at least 6", "too few pixels"),
    (("--training", folder, "--survey", survey), 2, "--survey has no part", "a survey with --training"),
    (("--training", at("gathers")), 5, "metrics.csv", "a folder without metrics"),
    (("--training", training("empty", HEADER)), 4, "holds no loss yet", "metrics without a row"),
    (("--training", training("other", "a,b\n1,2\n")), 4, "does not begin with the columns", "another CSV file"),
    (("--training", training("bad", HEADER + "1,,,0.1,,,\n1,x,0.1,,,,\n")), 4, "metrics.csv:3: ", "a broken row"),
    (("--training", training("short", HEADER + "1,,,0.1\n")), 4, "metrics.csv:2: ", "a row cut short"),
]
for i, (words, status, message, name) in enumerate(refusals):
    tap.refused(plot(*words, ranks=3 if i % 4 == 0 else 0), status, message, name)
tap.refused(plot(*both, "--ensemble", "#0", output="pic.jpg"), 2, "ends in .png, .pdf or .svg", "an unknown ending")
tap.refused(plot(*both, "--ensemble", "#0", output="no/pic.png"), 5, "no", "a folder that is not there")
tap.refused(tap.run("plot", *both, "--ensemble", "#0", "--output", survey.replace(".h5", ".h5.png"), "--script", at("pic.gp")), 2,
            "pic.gp exists already", "a script that exists")

# ---- gnuplot itself ----


def alone(folder):
    """An environment with nothing but folder on the PATH."""
    return {"PATH": folder}


def fake(name, text):
    """A folder with a program gnuplot of our own, as the only one on the PATH."""
    os.makedirs(at(name), exist_ok=True)
    path = pathlib.Path(at(name), "gnuplot")
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return alone(at(name))


draw = (*both, "--ensemble", "#0")
os.makedirs(at("nothing"), exist_ok=True)
for file in ("pic.gp", "pic.dat"):
    os.remove(at(file))
tap.refused(plot(*draw, env=alone(at("nothing"))), 5, "apt-get install gnuplot-nox fonts-dejavu-core", "no gnuplot: what to install")
tap.refused(plot(*draw, "--script", at("pic.gp"), env=alone(at("nothing"))), 5, "the script stands", "no gnuplot, but a script that is kept")
again = tap.command(["gnuplot", "pic.gp"], cwd=place)
tap.ok(again.status == 0 and png.size(at("pic.png")) == (780, 1300), "which draws the picture elsewhere", again)
for file in ("pic.gp", "pic.dat", "pic.png"):
    os.remove(at(file))
tap.refused(plot(*draw, env=fake("fails", "echo 'line 3: boom' >&2\nexit 3\n")), 5, "gnuplot failed (exit status 3): line 3: boom",
            "gnuplot fails: its own message")
tap.refused(plot(*draw, env=fake("killed", "kill -9 $$\n")), 5, "signal 9", "gnuplot is killed")
tap.refused(plot(*draw, env=fake("empty", "exit 0\n")), 5, "not whole", "gnuplot draws nothing")
tap.refused(plot(*draw, env=fake("half", "f=${3#*\\'}\nprintf '\\211PNG' > \"${f%\\'}\"\n")), 5, "not whole", "gnuplot draws half a picture")
left = sorted(name for name in os.listdir(place) if "pic" in name and name not in ("pic.pdf", "pic.svg"))
tap.ok(left == [], "no refused picture, and nothing temporary, is left", left)
tap.done()
