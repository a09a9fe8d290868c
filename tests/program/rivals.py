"""What the tests of fxdecon and mean share: a survey of all that is hard."""
import os

import numpy as np

import cases
import tap

USAGE, CONFIG, DATA = 2, 3, 4
SAMPLES = 150
FOLDS = (60, 24, 1, 2, 3, 5, 17, 90, 31, 48, 12, 60)
WORKS = {"fxdecon": ["--window-samples", "24", "--filter-traces", "4"], "mean": ["--traces", "5", "--gathers", "3"]}


class Ground:
    """A folder with a survey of all that is hard, and its clean twin."""

    def __init__(self, folder):
        self.folder = folder
        numbers = np.random.RandomState(9)
        self.gathers = [cases.random_gather(numbers, fold, SAMPLES) for fold in FOLDS]
        self.gathers[4] *= np.float32(1e34)
        self.gathers[6] = (self.gathers[6].astype(float) * 1e-36).astype(np.float32)
        self.gathers[9][...] = 0
        self.survey = self.new_survey("survey.h5", self.gathers)

    def place(self, name):
        return os.path.join(self.folder, name)

    def run(self, *words, ranks=0, seconds=60):
        result = tap.run(*words, ranks=ranks, seconds=seconds)
        if not tap.runs(result, "good input: " + words[0]):
            tap.done()
        return result

    def new_survey(self, name, gathers, *options):
        self.run("consolidate", "--quiet", "--output", self.place(name), "--interval-us", "4000", *options,
                 cases.write_gathers(self.place(name + ".d"), gathers))
        return self.place(name)


def fftw(ground):
    """Whether the program was built with it; a test says so where not."""
    result = tap.run("fxdecon", "--survey", ground.survey, "--output", ground.place("probe.h5"))
    if result.status == USAGE and "FFTW" in result.err:
        tap.skip("fxdecon", "built without FFTW")
        return False
    return True
