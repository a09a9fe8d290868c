"""compare: what it finds and reads, the order, the figures of held-out gathers against apply and qc, CSV, picture, refusals."""
import csv
import os
import shutil

import h5py
import numpy as np

import cases
import png
import tap

place = str(tap.folder())


def at(name):
    return os.path.join(place, name)


def compare(*words, ranks=0, **more):
    return tap.run("compare", *words, ranks=ranks, **more)


def names(result):
    """The trainings in the order of the table."""
    return [line.split()[1] for line in result.out.splitlines()[1:]]


def rows(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


tap.runs(tap.run("synth", "--output", at("gathers"), "--inlines", "5", "--crosslines", "6", "--traces", "24", "--samples", "120",
                 "--moveout-ms", "16", "--noise", "mix", "--snr", "0"), "synth")
noisy, clean = at("noisy.h5"), at("clean.h5")
for twin in ("noisy", "clean"):
    tap.runs(tap.run("consolidate", "--output", at(twin + ".h5"), "--interval-us", "4000", at("gathers/" + twin)), twin)
with open(at("grid.yaml"), "w") as file:
    file.write("network.width: [0, 4]\ntrain.target: [source, blind_gather]\n")
SETS = [word for key in ("patch.size=16", "patch.stride=4", "network.levels=2", "network.output=linear",
                         "network.dropout_last=false", "train.max_epochs=3", "train.log_every_steps=5", "split.by=inline")
        for word in ("--set", key)]
tap.runs(tap.run("sweep", "--survey", noisy, "--output", at("sweep"), "--grid", at("grid.yaml"), *SETS, ranks=2), "a sweep of four")
NAMES = ["width=%d_target=%s" % (width, target) for width in (0, 4) for target in ("source", "blind_gather")]

# by what the folders say
losses = {name: min(row["val_loss"] for row in cases.read_metrics(at("sweep/" + name))[2]) for name in NAMES}
result = compare(at("sweep"), "--csv", at("a.csv"), ranks=3)
tap.runs(result, "compare a sweep, on 3 ranks")
tap.ok(names(result) == sorted(NAMES, key=losses.get), "the lowest validation loss comes first", result)
tap.ok(result.err.count("validation losses of different train.target do not compare") == 1, "losses of other targets: said", result)
table = {row["name"]: row for row in rows(at("a.csv"))}
tap.ok([row["rank"] for row in rows(at("a.csv"))] == ["1", "2", "3", "4"] and list(table) == names(result), "CSV has the same order")
tap.ok(all(abs(float(table[n]["valid_loss"]) / losses[n] - 1) < 1e-8 for n in NAMES), "and the losses", table)
for name in NAMES:
    header, steps, epochs = cases.read_metrics(at("sweep/" + name))
    best = min(epochs, key=lambda row: row["val_loss"])
    row = table[name]
    with h5py.File(at("sweep/%s/best.h5" % name)) as file:
        parameters = sum(data.size for key, data in file["state_dict"].items() if "running" not in key and "num" not in key)
    speed = np.median([step["patches_per_second"] for step in steps])
    tap.ok((int(row["epochs"]), int(row["best_epoch"]), int(row["parameters"])) == (3, best["epoch"], parameters)
           and abs(float(row["patches_per_second"]) / speed - 1) < 1e-6 and float(row["train_loss"]) == epochs[-1]["train_loss_epoch"]
           and row["failed"] == "0" and row["snr_gain_db"] == "", name + ": epochs, parameters, speed", row)
    width, target = name.replace("=", "_").split("_", 3)[1::2]
    tap.ok((row["network.width"], row["train.target"]) == (width, target) and "train.seed" not in row,
           name + ": the keys that differ", row)
for sort, key in (("parameters", lambda n: float(table[n]["parameters"])),
                  ("patches_per_second", lambda n: -float(table[n]["patches_per_second"])), ("name", str)):
    result = compare(at("sweep"), "--sort", sort)
    tap.ok(result.status == 0 and names(result) == sorted(NAMES, key=key), "--sort " + sort, result)

# by held-out gathers: what apply and qc say of them
PREDICT = ("--survey", noisy, "--clean", clean)
result = compare(at("sweep"), *PREDICT, "--csv", at("b.csv"), "--output", at("b.png"), "--script", at("b.gp"), ranks=2)
tap.runs(result, "compare with predictions")
measured = {row["name"]: row for row in rows(at("b.csv"))}
tap.ok(names(result) == sorted(NAMES, key=lambda n: -float(measured[n]["snr_gain_db"])), "the highest gain comes first", result)
tap.run("index", "--survey", noisy, "--output", at("rows.h5"), "--materialize", *SETS[:4], "--set", "split.by=inline")
with h5py.File(at("rows.h5")) as file:
    valid, test = (np.unique(file[split][:, 0]) for split in ("valid", "test"))


def qc(name, gathers):
    """What qc says of apply's prediction of these gathers."""
    chosen = ",".join("#%d" % e for e in gathers)
    tap.run("apply", "--survey", noisy, "--model", at("sweep/%s/best.h5" % name), "--output", at("p.h5"), "--ensembles", chosen, "--force")
    tap.run("qc", "--survey", noisy, "--clean", clean, "--predicted", at("p.h5"), "--bands", "0", "--csv", at("qc.csv"), "--force")
    with open(at("qc.csv"), newline="") as file:
        return {row["figure"]: float(row[list(row)[-1]]) for row in csv.DictReader(file) if row["by"] == "survey"}


FIGURES = ("snr_gain_db", "signal_lost", "leakage")


def agrees(row, figures):
    return all(abs(float(row[f]) - figures[f]) < 1e-6 * max(1, abs(figures[f])) for f in FIGURES)


for name in NAMES:
    figures = qc(name, valid)
    tap.ok(agrees(measured[name], figures), name + ": the figures of apply and qc on the validation gathers", (measured[name], figures))
for ranks in (0, 7):
    again = at("again%d.csv" % ranks)
    tap.runs(compare(at("sweep"), *PREDICT, "--csv", again, ranks=ranks), "compare on %d ranks" % ranks)
    tap.ok(all({k: v for k, v in a.items() if "second" not in k} == {k: v for k, v in b.items() if "second" not in k}
               for a, b in zip(rows(again), rows(at("b.csv")))), "gives the same figures to the last digit")
tap.runs(compare(at("sweep"), *PREDICT, "--split", "test", "--gathers", "3", "--csv", at("c.csv"), ranks=2), "--split test --gathers 3")
few = [test[i * len(test) // 3] for i in range(3)]
row = {row["name"]: row for row in rows(at("c.csv"))}[NAMES[0]]
tap.ok(agrees(row, qc(NAMES[0], few)), "three test gathers, evenly spread", row)
tap.runs(compare(at("sweep"), *PREDICT, "--ensembles", "1302:1401,#3", "--csv", at("d.csv")), "--ensembles")
row = {row["name"]: row for row in rows(at("d.csv"))}[NAMES[1]]
tap.ok(agrees(row, qc(NAMES[1], [2 * 6 + 1, 3])), "these gathers", row)
result = compare(at("sweep"), "--survey", noisy, "--sort", "leakage", "--csv", at("e.csv"), "--map", at("rows.h5"))
tap.ok(result.status == 0 and all(row["leakage"] == measured[row["name"]]["leakage"] and row["snr_gain_db"] == ""
                                  for row in rows(at("e.csv"))), "without a clean survey: leakage alone, by the map's gathers", result)
tap.ok([row["name"] for row in rows(at("e.csv"))] == sorted(NAMES, key=lambda n: float(measured[n]["leakage"])), "sorted by it")

# the picture
tap.ok(min(png.size(at("b.png"))) > 100 and "boxxyerror" in open(at("b.gp")).read(), "a picture, and its script")
numbers = [line.split() for line in open(at("b.dat")) if line[0].isdigit()]
tap.ok(sum(abs(float(value) - float(measured[names(compare(at("sweep"), *PREDICT))[0]]["snr_gain_db"])) < 1e-6 for _, value in numbers) == 1,
       "its data are the table's", numbers)

# folders: single trainings, several, unfinished and failed ones
shutil.copytree(at("sweep/" + NAMES[0]), at("lone"))
os.remove(at("lone/best.h5"))
with open(at("lone/metrics.csv")) as file:
    head = file.readlines()[:2]
with open(at("lone/metrics.csv"), "w") as file:
    file.writelines([*head, "1,10,0.0"])  # being written
open(at("lone.failed"), "w").close()
result = compare(at("lone") + "/", at("sweep"), *PREDICT, "--csv", at("f.csv"), ranks=2)
last = rows(at("f.csv"))[-1]
tap.ok(result.status == 0 and last["name"] == at("lone") and (last["failed"], last["valid_loss"], last["snr_gain_db"]) == ("1", "", ""),
       "a training without an epoch comes last, with what it has", result)
tap.ok(" failed " in result.out and rows(at("f.csv"))[0]["name"].startswith(at("sweep/width")), "several folders: whole paths", result)
result = compare(at("sweep/" + NAMES[0]))
tap.ok(names(result) == [NAMES[0]] and "do not compare" not in result.err, "one training by its own name", result)

# what is refused
os.mkdir(at("empty"))
shutil.copytree(at("sweep/" + NAMES[0]), at("torn/one"))
open(at("torn/one/metrics.csv"), "a").write("nonsense\n")
tap.runs(tap.run("train", "--survey", noisy, "--output", at("other"), *SETS, "--set", "split.seed=7"), "another split")
tap.runs(tap.run("train", "--survey", noisy, "--output", at("patches"), *SETS[:-2], "--set", "split.by=patch"), "a split of patches")
for number, (words, status, message) in enumerate((
        ((), 2, "DIR... is missing"),
        ((at("none"),), 5, "none is no folder"),
        ((at("empty"),), 4, "empty holds no training"),
        ((noisy,), 4, "is no folder"),
        ((at("torn"),), 4, "torn/one/metrics.csv:"),
        ((at("sweep"), "--sort", "beauty"), 2, "--sort beauty is not known"),
        ((at("sweep"), "--sort", "leakage"), 2, "--sort leakage needs predictions: give --survey"),
        ((at("sweep"), "--sort", "snr_gain_db", "--survey", noisy), 2, "give --survey and --clean"),
        ((at("sweep"), "--clean", clean), 2, "--clean belongs to --survey"),
        ((at("sweep"), "--split", "train"), 2, "--split train is not known"),
        ((at("sweep"), "--csv", at("a.csv")), 2, "a.csv exists already"),
        ((at("sweep"), "--output", at("a.gif")), 2, "a.gif"),
        ((at("sweep"), "--script", at("x.gp")), 2, "--script belongs to --output"),
        ((at("sweep"), "--survey", at("none.h5")), 5, "none.h5"),
        ((at("sweep"), "--survey", clean), 4, "was trained on another survey than"),
        ((at("sweep"), at("other"), *PREDICT), 4, "were trained with different splits"),
        ((at("patches"), *PREDICT), 4, "no whole gather was held out as valid"),
        ((at("lone"), *PREDICT), 4, "none of the trainings has a best.h5 yet"))):
    tap.refused(compare(*words, ranks=(0, 3, 2)[number % 3]), status, message, "refused: " + message)
tap.runs(compare(at("other"), at("sweep"), *PREDICT, "--ensembles", "#3", ranks=2), "different splits with --ensembles")
tap.done()
