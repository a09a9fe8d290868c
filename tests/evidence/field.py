#!/usr/bin/python3
"""The field gathers of docs/denoising.md: figures without a clean twin, and pictures.

    tests/evidence/field.py GATHERS OUT [--program build/seisdcn] [--pictures docs]

GATHERS holds easttexas_shot_NN.npy, gom_cdp_1010_nmo.npy and vikinggraben_receiver_0001.npy. The East Texas shots stand
beside each other on a line, so each has neighbours; they are muted above their first breaks. The other two are single
gathers: blind_trace.
"""
import argparse
import os
import pathlib
import re

import numpy as np

from denoising import ORIGINAL, STEPS, WIDE, Work

SMALL = {"patch.size": 20, "patch.stride": 2, "network.levels": 3}  # 33 traces are few for patches of 32
TRAINED = {"original, source": ORIGINAL, **{
    "wide, " + target: {**WIDE, "train.target": target} for target in ("neighbour", "blind_gather", "blind_trace")}}
RIVALS = {"fxdecon": ("fxdecon",), "mean": ("mean", "--traces", 5, "--gathers", 3), "mean of 5 traces": ("mean", "--traces", 5)}
SURVEYS = {  # name: files, interval in us, methods, the gather that is drawn
    "easttexas": ("easttexas_shot_*.npy", 2000, [*TRAINED, "fxdecon", "mean"], "#5"),
    "gom": ("gom_cdp_1010_nmo.npy", 4000, ["original, source", "wide, blind_trace", "fxdecon", "mean of 5 traces"], "#0"),
    "vikinggraben": ("vikinggraben_receiver_0001.npy", 4000,
                     ["original, source", "wide, blind_trace", "fxdecon", "mean of 5 traces"], "#0"),
}
DRAWN = {"easttexas": ["wide, blind_gather"], "gom": ["original, source", "wide, blind_trace"], "vikinggraben": ["wide, blind_trace"]}


def mute(gather):
    """Exact zeros up to 30 samples before a trace first reaches a fifth of its RMS."""
    for trace in gather:
        first = np.argmax(np.abs(trace) > 0.2 * np.sqrt(np.mean(trace.astype(float) ** 2)))
        trace[:max(first - 30, 0)] = 0
    return gather


class Field(Work):
    def __init__(self, options, name):
        super().__init__(options, name)
        self.gathers, self.survey = options.gathers, self.folder / f"{name}.h5"

    def consolidate(self, pattern, interval):
        """Gathers get places on a line, by names that tell them."""
        named = self.folder / "named"
        named.mkdir(parents=True, exist_ok=True)
        for number, path in enumerate(sorted(pathlib.Path(self.gathers).glob(pattern)), 1):
            gather = np.load(path)
            np.save(named / f"inline_1_crossline_{number}.npy", mute(gather) if "shot" in path.name else gather)
        self.run("consolidate", "--output", self.survey, "--interval-us", interval, named, "--force")

    def predict(self, method):
        """Trained on all gathers, as a user would on data without labels; a part of the patches validates."""
        output = self.folder / (re.sub("[^a-z_]+", "_", method) + ".h5")
        if method in RIVALS:
            self.run(*RIVALS[method], "--survey", self.survey, "--output", output, "--force")
            return output
        keys = {**SMALL, "split.by": "patch", "split.test": 0, "split.valid": 0.05, "train.max_steps": STEPS,
                "train.max_epochs": 1000, "train.max_patches_per_epoch": 38400, "train.max_valid_patches": 512, **TRAINED[method]}
        words = [w for key, value in keys.items() for w in ("--set", f"{key}={value}")]
        trained = self.folder / "trained"
        self.run("train", "--survey", self.survey, "--output", trained, "--force", *words)
        self.run("apply", "--survey", self.survey, "--model", trained / "last.h5", "--output", output, "--force",
                 "--set", "apply.keep_mutes=true", "--set", "apply.method=" + keys.get("apply.method", "shared"))
        return output


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("gathers")
    parser.add_argument("out")
    parser.add_argument("--program", default="build/seisdcn")
    parser.add_argument("--pictures", default="", help="a folder for pictures; empty: none")
    parser.add_argument("--ranks", type=int, default=2)
    options = parser.parse_args()
    options.program = os.path.abspath(options.program)
    for name, (pattern, interval, methods, drawn) in SURVEYS.items():
        field = Field(options, name)
        field.consolidate(pattern, interval)
        print(f"\n| {name} | RMS of prediction / input | of difference / input | leakage |\n|---|---|---|---|", flush=True)
        for method in methods:
            predicted = field.predict(method)
            of = field.figures(field.survey, predicted)
            print("| %s | %.2f | %.2f | %.2f |" % (method, of["rms_prediction"] / of["rms_input"],
                                                    of["rms_difference"] / of["rms_input"], of["leakage"]), flush=True)
            if options.pictures and method in DRAWN[name]:
                picture = pathlib.Path(options.pictures) / f"field_{name}_{predicted.stem}.png"
                field.run("plot", "--survey", field.survey, "--predicted", predicted, "--ensemble", drawn, "--output", picture,
                          "--width", 900, "--height", 480, "--clip", 98, "--agc", 500, "--force")


if __name__ == "__main__":
    main()
