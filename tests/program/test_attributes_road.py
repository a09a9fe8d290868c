"""The road with several channels: training, test and apply on a survey with attributes, whose bits do not depend on
ranks, blocks or on what else the survey holds; a model finds its channels by name; export, plot, qc, dry runs and every
train.target on such a survey."""
import os
import re
import shutil

import h5py
import numpy as np

import cases
import png
import tap

os.environ["OMPI_MCA_ess_singleton_isolated"] = "1"  # a run without mpirun starts sooner
CONFIG, DATA = 3, 4
FOLDS, SAMPLES = (20, 24, 9, 31, 17, 20), 150
LIST = "envelope,cosphase,band:10-20,band:20-40"


class Ground:
    """A folder with a survey of few gathers, and its attributes."""

    def __init__(self, folder):
        self.folder = folder
        random = np.random.RandomState(5)
        self.gathers = [cases.random_gather(random, n_traces, SAMPLES) for n_traces in FOLDS]
        self.bare, self.survey = self.place("bare.h5"), self.place("survey.h5")
        self.run("consolidate", "--output", self.bare, "--interval-us", 4000, cases.write_gathers(self.place("npy"), self.gathers))
        shutil.copy(self.bare, self.survey)
        result = tap.run("attributes", "--survey", self.survey, "--add", LIST, ranks=2)
        if "without FFTW" in result.err:
            tap.skip("the road with attributes", "the program was built without FFTW")
            tap.done()
        tap.runs(result, "good input: attributes")

    def place(self, name):
        return os.path.join(self.folder, name)

    def run(self, *words, ranks=0):
        result = tap.run(*words, ranks=ranks)
        if not tap.runs(result, "good input: " + words[0]):
            tap.done()
        return result

    def copy(self, name):
        return shutil.copy(self.survey, self.place(name))


KEYS = ["--set", "network.channels=4", "--set", "network.out_channels=1", "--set", "patch.size=16", "--set", "network.levels=2",
        "--set", "patch.stride=3", "--set", "split.by=patch"]
TRAIN = [*KEYS, "--set", "train.max_epochs=2", "--set", "train.batch_size=64", "--set", "train.shards=5", "--set",
         "train.checkpoint_every_steps=3"]


def same_model(a, b):
    """Whether two models have the same state, optimizer included."""
    return not cases.differing(cases.datasets(a), cases.datasets(b))


def road(ground):
    path, folder = ground.survey, ground.place("road")
    os.makedirs(folder)
    for blocks in (0, 1):
        made = []
        for ranks in (0, 2, 3, 8):
            output = os.path.join(folder, "trained%d_%d" % (blocks, ranks))
            result = tap.run("train", "--survey", path, "--output", output, *TRAIN, "--set", "train.block_gathers=%d" % blocks, ranks=ranks)
            if not tap.runs(result, "train with 4 channels, block_gathers %d, on %d ranks" % (blocks, max(ranks, 1))):
                return
            made.append(os.path.join(output, "last.h5"))
        tap.ok(all(same_model(made[0], other) for other in made[1:]), "the same bits for any number of ranks")
    model = os.path.join(folder, "trained0_0", "best.h5")
    facts = cases.attributes(model)
    tap.ok(facts["n_chans"] == 4 and facts["n_out"] == 1 and facts["channels"]
           == "amplitude, band_010_020 (scale shared), band_020_040 (scale shared), cosphase (scale none)",
           "the model knows its channels", facts)
    losses = {tap.run("test", "--survey", path, "--model", model, ranks=ranks).out for ranks in (0, 2, 3, 8)}
    tap.ok(len(losses) == 1 and re.match(r"test_loss \d", list(losses)[0]), "test: one loss for any number of ranks", losses)
    predicted = {}
    for method in ("shared", "direct"):
        for ranks in (0, 2, 3, 8):
            output = os.path.join(folder, "%s%d.h5" % (method, ranks))
            result = tap.run("apply", "--survey", path, "--model", model, "--output", output, "--set", "apply.method=" + method, ranks=ranks)
            if not tap.runs(result, "apply %s on %d ranks" % (method, max(ranks, 1))):
                return
            predicted[method, ranks] = cases.datasets(output)
        tap.ok(all(not cases.differing(predicted[method, ranks], predicted[method, 0]) for ranks in (2, 3, 8)),
               "the same bits for any number of ranks")
    error = cases.of_largest(predicted["shared", 0]["amplitude"], predicted["direct", 0]["amplitude"])
    tap.ok(error < 1e-5 and sorted(name for name in predicted["shared", 0] if name.startswith("attr")) == [],
           "both methods agree; a prediction has channel 0 as its amplitude, and no attributes", "%.1e" % error)
    other_channels(ground, path, model, folder, losses.pop(), predicted["shared", 0])
    resumes(ground, path, folder)
    around(ground, path, model, folder)


def other_channels(ground, path, model, folder, loss, predicted):
    """A survey with more attributes, in front of the model's in the alphabet; and one that lacks one."""
    more = ground.copy("more_survey.h5")
    ground.run("attributes", "--survey", more, "--add", "band:2.5-5,band:15-30")
    output = os.path.join(folder, "more.h5")
    result = tap.run("test", "--survey", more, "--model", model, ranks=2)
    applied = tap.run("apply", "--survey", more, "--model", model, "--output", output, ranks=3)
    tap.ok(result.out == loss and applied.status == 0 and not cases.differing(cases.datasets(output), predicted),
           "attributes that are added later change nothing for a model", "%s\n%s" % (result, applied))
    fine = os.path.join(folder, "fine")
    result = tap.run("train", "--survey", more, "--init", model, "--output", fine, "--set", "train.max_steps=2", "--set", "patch.stride=3", ranks=2)
    tap.ok(result.status == 0 and cases.attributes(fine + "/last.h5")["channels"] == cases.attributes(model)["channels"],
           "--init goes on with the same channels", result)
    less = ground.copy("less_survey.h5")
    with h5py.File(less, "a") as file:
        del file["attribute/band_020_040"]
        file["attribute/zzz"] = file["amplitude"][()]
    for words in (["test"], ["apply", "--output", os.path.join(folder, "less.h5")], ["train", "--output", folder + "/less"]):
        words += ["--init" if words[0] == "train" else "--model", model]
        tap.refused(tap.run(*words, "--survey", less, ranks=2), DATA, "lacks the channel band_020_040", words[0] + ": a channel that is missing is named")
    tap.refused(tap.run("train", "--survey", ground.bare, "--output", folder + "/none", *TRAIN, ranks=2), CONFIG, "seisdcn attributes",
                "a survey without attributes has too few channels")


def resumes(ground, path, folder):
    """What a resume goes on with: attributes of the same values."""
    survey, output = ground.copy("resumed_survey.h5"), os.path.join(folder, "resumed")
    first = tap.run("train", "--survey", survey, "--output", output, *TRAIN, "--set", "train.max_steps=5", ranks=2)
    ground.run("attributes", "--survey", survey, "--add", "band:2.5-5", ranks=2)  # comes before the others
    second = tap.run("train", "--survey", survey, "--output", output, *TRAIN, "--resume", "--set", "train.max_steps=0", ranks=3)
    tap.ok(first.status == second.status == 0 and same_model(output + "/last.h5", folder + "/trained0_0/last.h5"),
           "--resume: the bits of one run, though the survey has more attributes by now", "%s\n%s" % (first, second))
    with h5py.File(survey, "a") as file:  # another envelope of the same name changes nothing, another band does
        del file["attribute/envelope"]
        file["attribute/envelope"] = file["amplitude"][()]
    tap.runs(tap.run("train", "--survey", survey, "--output", output, "--resume", "--set", "train.max_epochs=3"), "what does not feed it may change")
    with h5py.File(survey, "a") as file:
        del file["attribute/band_010_020"]
        file["attribute/band_010_020"] = file["amplitude"][()]
    result = tap.run("train", "--survey", survey, "--output", output, "--resume", "--set", "train.max_epochs=4", ranks=2)
    tap.refused(result, CONFIG, "survey's attributes", "--resume on other attributes is refused")
    result = tap.run("train", "--survey", survey, "--output", output, "--resume", "--set", "train.max_epochs=4", "--allow-change", "survey", ranks=2)
    tap.runs(result, "unless it is allowed")
    model, predicted = folder + "/trained0_0/best.h5", folder + "/resumed.h5"
    shutil.copy(folder + "/shared0.h5", predicted + ".part")
    result = tap.run("apply", "--survey", survey, "--model", model, "--output", predicted, "--resume", ranks=2)
    tap.refused(result, DATA, "another survey", "apply --resume on other attributes is refused")
    result = tap.run("apply", "--survey", path, "--model", model, "--output", predicted, "--resume", ranks=2)
    tap.runs(result, "on the same ones it goes on")


def around(ground, path, model, folder):
    """What else meets a survey with attributes."""
    for words in (["train", "--output", folder + "/dry", *TRAIN], ["apply", "--output", folder + "/dry.h5", "--model", model]):
        result = tap.run(*words, "--survey", path, "--dry-run", ranks=2)
        tap.ok(result.status == 0 and "memory a rank" in result.out and not os.path.exists(folder + "/dry"), words[0] + " --dry-run", result)
    picture, npy = folder + "/gather.png", folder + "/npy"
    result = tap.run("plot", "--survey", path, "--predicted", folder + "/shared0.h5", "--ensemble", "#3", "--output", picture)
    tap.ok(result.status == 0 and min(png.size(picture)) > 100, "plot", result)
    tap.runs(tap.run("qc", "--survey", path, "--predicted", folder + "/shared0.h5", ranks=2), "qc")
    for survey, wanted in ((path, ground.gathers), (folder + "/shared0.h5", cases.read_gathers(folder + "/shared0.h5"))):
        result = tap.run("export", "--survey", survey, "--output", npy, "--force", ranks=2)
        found = [np.load(os.path.join(npy, name)) for name in sorted(os.listdir(npy))] if result.status == 0 else []
        tap.ok(len(found) == len(wanted) and all(np.array_equal(a, b) for a, b in zip(found, wanted)), "export gives amplitudes", result)
        shutil.rmtree(npy)
    for target in ("neighbour", "blind_gather", "blind_trace", "clean"):
        output = "%s/%s" % (folder, target)
        paired = ["--clean", path] if target == "clean" else []
        trained = tap.run("train", "--survey", path, "--output", output, *TRAIN, "--set", "train.max_steps=4", "--set", "train.target=" + target,
                          *paired, ranks=3)
        alone = tap.run("train", "--survey", path, "--output", output + "1", *TRAIN, "--set", "train.max_steps=4", "--set", "train.target=" + target, *paired)
        applied = tap.run("apply", "--survey", path, "--model", output + "/last.h5", "--output", output + ".h5", ranks=3)
        tap.ok(trained.status == alone.status == applied.status == 0 and same_model(output + "/last.h5", output + "1/last.h5"),
               "train.target=%s with attributes: the same bits, and apply" % target, "%s\n%s\n%s" % (trained, alone, applied))


def main():
    ground = Ground(str(tap.folder()))
    road(ground)
    tap.done()


if __name__ == "__main__":
    main()
