#!/usr/bin/python3
"""The evidence of docs/denoising.md: objectives, networks and rivals on generated gathers that training did not see.

    tests/evidence/denoising.py run OUT [--program build/seisdcn] [--seeds 1,2,3] [--cases mix,white]    hours: all of it
    tests/evidence/denoising.py table OUT                                                               the tables

Each case is a survey of 10 inlines x 6 crosslines of 61 x 501, whole inlines split in train, validation and test; each
method is trained (or, a rival, tuned on two validation gathers by SNR gain) and predicts four test gathers; `seisdcn qc
--clean` measures. A row of OUT/results.csv each; what is there is not run again.
"""
import argparse
import csv
import itertools
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import time

import h5py
import numpy as np

# name: noise, SNR in dB, residual moveout in ms
CASES = {"mix": ("mix", 0, 16), "white": ("white", 0, 16), "trace": ("trace", 0, 16), "linear": ("linear", 0, 16),
         "mix_64ms": ("mix", 0, 64), "linear-shared": ("linear-shared", 0, 16), "mix_5dB": ("mix", 5, 16),
         "mix_10dB": ("mix", 10, 16)}
STEPS = 1500  # of 128 patches, five epochs of them
ORIGINAL = {"train.learning_rate": 0.002}
WIDE = {"network.width": 8, "network.mixing": "full", "network.skip": "add", "network.output": "linear",  # config/denoise.yaml
        "network.dropout_last": "false", "network.dropout": 0, "patch.scale": "rms", "patch.scale_grid": 1,
        "train.learning_rate": 0.004, "train.learning_rate_decay": 0.6, "apply.method": "whole"}
NETWORKS = {
    "original, source": {**ORIGINAL, "train.target": "source"},
    "original, neighbour": {**ORIGINAL, "train.target": "neighbour"},
    "wide, source": {**WIDE, "train.target": "source"},
    "wide, neighbour": {**WIDE, "train.target": "neighbour"},
    "wide, blind_gather": {**WIDE, "train.target": "blind_gather"},
    "wide, blind_trace": {**WIDE, "train.target": "blind_trace"},
    "wide, clean": {**WIDE, "train.target": "clean"},
    "wide, blind_gather, by windows": {**WIDE, "train.target": "blind_gather", "apply.method": "shared"},
    "wide, blind_gather, 6000 steps": {**WIDE, "train.target": "blind_gather", "train.max_steps": 6000,
                                       "train.learning_rate_decay": 0.87},
}
ONLY = {"wide, blind_gather, by windows": ("mix", "mix_64ms"), "wide, blind_gather, 6000 steps": ("mix_64ms",)}
RIVALS = {
    "fxdecon": [("--damping", d, "--filter-traces", f, "--window-samples", w)
                for d, f, w in itertools.product((0.1, 0.5, 2), (4, 8), (48,))],
    "mean": [("--traces", t, "--gathers", g) for t, g in itertools.product((5, 9, 15, 25), (1, 3))],
}
FIELDS = "case seed method gain_db signal_lost leakage seconds parameters".split()


class Work:
    """Commands of the program, for one survey in a folder of its own."""

    def __init__(self, options, folder):
        self.program, self.ranks = options.program, options.ranks
        self.folder = pathlib.Path(options.out) / folder

    def run(self, *words):
        words = ["mpirun", "-n", str(self.ranks), self.program, *map(str, words)]
        done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"{' '.join(words)}\n{done.stderr}")

    def figures(self, survey, predicted, *more):
        """What qc says of a prediction of a survey, by its name in CSV."""
        path = self.folder / "qc.csv"
        self.run("qc", "--survey", survey, "--predicted", predicted, "--csv", path, "--force", *more)
        with open(path) as file:
            return {row[0]: float(row[-1]) for row in csv.reader(file) if row[1] == "survey"}


class Case(Work):
    def __init__(self, options, name, seed):
        super().__init__(options, f"{name}_{seed}")
        self.name, self.seed = name, seed

    def prepare(self):
        noise, snr, moveout = CASES[self.name]
        self.folder.mkdir(parents=True, exist_ok=True)
        self.noisy, self.clean, self.map = (self.folder / f"{n}.h5" for n in ("noisy", "clean", "map"))
        if not self.map.exists():
            self.run("synth", "--output", self.folder / "npy", "--inlines", 10, "--crosslines", 6, "--snr", snr, "--noise",
                     noise, "--moveout-ms", moveout, "--seed", self.seed, "--force")
            for name in ("noisy", "clean"):
                self.run("consolidate", "--output", self.folder / f"{name}.h5", "--interval-us", 4000,
                         self.folder / "npy" / name, "--force")
            shutil.rmtree(self.folder / "npy")
            self.run("index", "--survey", self.noisy, "--output", self.map, "--set", "split.by=inline", "--set",
                     "patch.stride=1", "--materialize", "--force")
        with h5py.File(self.map) as file:
            test, valid = (np.unique(file[name][:, 0]) for name in ("test", "valid"))
        self.test = ",".join(f"#{e}" for e in test[1::3])
        self.valid = ",".join(f"#{e}" for e in valid[1:5:3])

    def measure(self, predicted):
        return self.figures(self.noisy, predicted, "--clean", self.clean)

    def network(self, keys):
        sets = {"train.max_steps": STEPS, "train.max_patches_per_epoch": 38400, "train.max_valid_patches": 512,
                "train.seed": self.seed, **keys}
        trained, predicted = self.folder / "trained", self.folder / "predicted.h5"
        words = [w for key, value in sets.items() for w in ("--set", f"{key}={value}")]
        if keys.get("train.target") == "clean":
            words += ["--clean", self.clean]
        start = time.monotonic()
        self.run("train", "--survey", self.noisy, "--map", self.map, "--output", trained, "--force", *words)
        seconds = time.monotonic() - start
        with h5py.File(trained / "last.h5") as file:
            parameters = sum(int(np.prod(data.shape)) for name, data in file["state_dict"].items()
                             if "running" not in name and "tracked" not in name)
        self.run("apply", "--survey", self.noisy, "--model", trained / "last.h5", "--output", predicted, "--force",
                 "--ensembles", self.test, "--set", "apply.method=" + keys.get("apply.method", "shared"))
        return self.measure(predicted), seconds, parameters

    def rival(self, command, settings):
        predicted = self.folder / "predicted.h5"

        def gain(words, which):
            self.run(command, "--survey", self.noisy, "--output", predicted, "--force", "--ensembles", which, *words)
            return self.measure(predicted)

        best = max(settings, key=lambda words: gain(words, self.valid)["snr_gain_db"])
        return gain(best, self.test), " ".join(map(str, best))


def run(options):
    path = pathlib.Path(options.out) / "results.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    done = set()
    if path.exists():
        with open(path) as file:
            done = {(row["case"], row["seed"], row["method"].split(":")[0]) for row in csv.DictReader(file)}
    else:
        path.write_text(",".join(FIELDS) + "\n")
    for seed, name in itertools.product(options.seeds.split(","), options.cases.split(",")):
        case = Case(options, name, int(seed))
        case.prepare()
        for method in [*RIVALS, *NETWORKS]:
            if not any(word in method for word in options.methods.split(",")):
                continue
            if (name, seed, method) in done or name not in ONLY.get(method, CASES):
                continue
            if method in RIVALS:
                figures, setting = case.rival(method, RIVALS[method])
                row = [name, seed, f"{method}: {setting}", "", ""]
            else:
                figures, seconds, parameters = case.network(NETWORKS[method])
                row = [name, seed, method, "%.0f" % seconds, parameters]
            values = ["%.4g" % figures[key] for key in ("snr_gain_db", "signal_lost", "leakage")]
            with open(path, "a", newline="") as file:
                csv.writer(file, lineterminator="\n").writerow([*row[:3], *values, *row[3:]])
        shutil.rmtree(case.folder)


def table(options):
    with open(pathlib.Path(options.out) / "results.csv") as file:
        rows = list(csv.DictReader(file))
    for field, digits in (("gain_db", 1), ("signal_lost", 2), ("leakage", 2), ("seconds", 0)):
        cases = [name for name in CASES if any(row["case"] == name for row in rows)]
        print(f"\n{field}\n| method | " + " | ".join(cases) + " |\n|---|" + "---|" * len(cases))
        for method in [*RIVALS, *NETWORKS]:
            cells = []
            for name in cases:
                values = [float(row[field]) for row in rows
                          if row["case"] == name and row["method"].split(":")[0] == method and row[field] != ""]
                spread = f" ± {(max(values) - min(values)) / 2:.{digits}f}" if len(values) > 1 else ""
                cells.append(f"{statistics.mean(values):.{digits}f}{spread}" if values else "")
            if any(cells):
                print(f"| {method} | " + " | ".join(cells) + " |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("what", choices=("run", "table"))
    parser.add_argument("out")
    parser.add_argument("--program", default="build/seisdcn")
    parser.add_argument("--methods", default="", help="only those whose names hold one of these words")
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--cases", default=",".join(CASES))
    options = parser.parse_args()
    options.program = os.path.abspath(options.program)
    {"run": run, "table": table}[options.what](options)


if __name__ == "__main__":
    main()
