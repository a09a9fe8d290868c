"""What the tests of a resumed training share: a small survey, trainings of it, and how two of them are compared."""
import os

import h5py
import numpy as np

import cases
import tap

# 350 patches to train on: an epoch has 15 steps, three of them 45
SMALL = ["--set", "patch.size=16", "--set", "patch.stride=3", "--set", "network.levels=2",
         "--set", "train.batch_size=24", "--set", "train.max_epochs=3", "--set", "train.log_every_steps=1",
         "--set", "train.checkpoint_every_steps=5", "--set", "train.learning_rate=0.004",
         "--set", "train.learning_rate_decay=0.8"]


def make_survey(folder, inlines=3, crosslines=4, traces=20, samples=90):
    """A consolidated synthetic survey; returns its path."""
    gathers, survey = os.path.join(folder, "gathers"), os.path.join(folder, "survey.h5")
    tap.runs(tap.run("synth", "--output", gathers, "--inlines", inlines, "--crosslines", crosslines, "--traces", traces,
                     "--samples", samples, "--seed", "5"), "synth")
    tap.runs(tap.run("consolidate", "--output", survey, os.path.join(gathers, "noisy")), "consolidate")
    return survey


def train(survey, folder, *words, ranks=0, **more):
    return tap.run("train", "--survey", survey, "--output", folder, *words, ranks=ranks, **more)


def sets(**values):
    """--set train.KEY=VALUE for each."""
    return [word for key, value in values.items() for word in ("--set", "train.%s=%s" % (key, value))]


def worse_and_worse(survey, folder):
    """Words of a training whose validation loss rises from its first epoch on, on any processor: the target of the gathers
    that validate is their negative, so the better the network learns its own gathers, the worse it does on these."""
    gathers = cases.read_gathers(survey)
    n_train = 2 * len(gathers) // 3
    corners = [[(e, t, s) for t in range(0, len(gather) - 15, 4) for s in range(0, gather.shape[1] - 15, 8)]
               for e, gather in enumerate(gathers)]
    index, twins, twin = (os.path.join(folder, name) for name in ("opposite_map.h5", "opposite", "opposite.h5"))
    cases.write_map(index, 16, train=sum(corners[:n_train], []), valid=sum(corners[n_train:], []))
    tap.runs(tap.run("export", "--quiet", "--survey", survey, "--output", twins), "gathers to be made opposite")
    for e, name in enumerate(sorted(os.listdir(twins))):  # of one width: the survey's order
        gather = np.load(os.path.join(twins, name))
        assert np.array_equal(gather, gathers[e])
        np.save(os.path.join(twins, name), gather if e < n_train else -gather)
    tap.runs(tap.run("consolidate", "--quiet", "--output", twin, twins), "opposite targets")
    return ["--map", index, "--clean", twin, "--set", "train.target=clean"]


def attributes_below(path):
    """Every attribute of a file as {object/name: value}, but the history, which has the output's name in it."""
    found = {}

    def visit(name, item):
        found.update({"%s/%s" % (name, key): repr(value.item() if hasattr(value, "item") else value)
                      for key, value in item.attrs.items()})

    with h5py.File(path, "r") as file:
        visit("", file)
        file.visititems(visit)
    found.pop("/history", None)
    return found


def differences(a, b):
    """What two trainings' folders do not share: datasets and attributes of last.h5 and best.h5, rows of metrics.csv but for
    their speed."""
    found = []
    for name in ("last.h5", "best.h5"):
        paths = [os.path.join(folder, name) for folder in (a, b)]
        if not all(map(os.path.exists, paths)):
            found.append("%s is missing" % name)
            continue
        found += ["%s: %s" % (name, item) for item in cases.differing(*map(cases.datasets, paths))]
        first, second = map(attributes_below, paths)
        found += ["%s: attribute %s: %s, %s" % (name, key, first.get(key), second.get(key))
                  for key in sorted(set(first) | set(second)) if first.get(key) != second.get(key)]
    rows = [metrics(folder) for folder in (a, b)]
    if rows[0] != rows[1]:
        found.append("metrics.csv:\n%s\n%s" % tuple("\n".join(lines) for lines in rows))
    return found


def metrics(folder):
    """The lines of metrics.csv without their last column, the speed."""
    with open(os.path.join(folder, "metrics.csv")) as file:
        return [line.rstrip("\n").rsplit(",", 1)[0] for line in file]


def same(a, b, name, result=""):
    """Passes where two trainings are the same to the bit."""
    found = differences(a, b)
    return tap.ok(not found, name, "\n".join(found) + "\n%s" % result)


def checkpoints(folder):
    """The names in DIR/checkpoints by rising step."""
    names = os.listdir(os.path.join(folder, "checkpoints"))
    return sorted(names, key=lambda name: int(name[5:-3]) if name.endswith(".h5") else -1)
