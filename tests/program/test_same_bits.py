"""The same bits on 1, 2, 3, 4 and 7 ranks: synth, survey, map, weights, metrics, test loss and prediction; the implicit
map trains as the same map materialised; also with fewer gathers than ranks, and towards every train.target."""
import hashlib
import os
import tempfile

import cases
import tap

RANKS = (1, 2, 3, 4, 7)
NETWORK = ["--set", "patch.size=16", "--set", "patch.stride=3", "--set", "network.levels=2"]
TRAIN = NETWORK + ["--set", "train.batch_size=24", "--set", "train.max_steps=7", "--set", "train.max_epochs=3",
                   "--set", "train.max_patches_per_epoch=100", "--set", "train.max_valid_patches=50",
                   "--set", "train.log_every_steps=1"]


def folder_hash(folder):
    """A hash over the names and bytes of every file below a folder."""
    digest = hashlib.sha256()
    for path, folders, names in sorted(os.walk(folder)):
        folders.sort()
        for name in sorted(names):
            full = os.path.join(path, name)
            digest.update(os.path.relpath(full, folder).encode())
            with open(full, "rb") as file:
                digest.update(file.read())
    return digest.hexdigest()


def metrics_but_speed(folder):
    header, steps, epochs = cases.read_metrics(folder)
    return [[row[column] for column in header if column != "patches_per_second"] for row in steps + epochs]


def same_on_all(label, command, output, read):
    """Runs command + output for every number of ranks and compares read(output) with the first's. Returns the output of
    the first run, or None where that failed."""
    first = None
    for ranks in RANKS:
        place = output(ranks)
        result = tap.run(*command + ["--output", place], ranks=ranks)
        if result.status != 0:
            tap.ok(False, "%s on %d ranks" % (label, ranks), result)
            continue
        found = read(place)
        if first is None:
            first = (place, found)
            continue
        difference = cases.differing(first[1], found) if isinstance(found, dict) else []
        tap.ok(first[1] == found if not isinstance(found, dict) else not difference,
               "%s: %d ranks give the bits of %d" % (label, ranks, RANKS[0]), "differing: %s" % difference)
    return first and first[0]


def weights(folder):
    """The trained state of a run, with what it says of itself, and its metrics."""
    found = cases.datasets(os.path.join(folder, "last.h5"))
    found.update({"best/" + name: data for name, data in cases.datasets(os.path.join(folder, "best.h5")).items()})
    return found


def road(folder, label, inlines, crosslines, splits):
    def place(name):
        return lambda ranks: os.path.join(folder, "%s_%d" % (name, ranks))

    gathers = same_on_all(label + ": synth", ["synth", "--inlines", str(inlines), "--crosslines", str(crosslines),
                                              "--traces", "20", "--samples", "90", "--seed", "5"],
                          place("synth"), folder_hash)
    if not gathers:
        return
    survey = same_on_all(label + ": consolidate", ["consolidate", os.path.join(gathers, "noisy")],
                         lambda ranks: place("survey")(ranks) + ".h5", cases.datasets)
    if not survey:
        return
    base = ["--survey", survey]
    trained = None
    for by in splits:
        name = "%s, split.by=%s" % (label, by)
        split = ["--set", "split.by=" + by, "--set", "split.seed=3"]
        if by == "inline" and inlines == 3:
            split += ["--set", "split.test=0.3", "--set", "split.valid=0.3"]
        index = same_on_all(name + ": index", ["index"] + base + NETWORK + split + ["--materialize"],
                            lambda ranks: place("map_" + by)(ranks) + ".h5", cases.datasets)
        trained = same_on_all(name + ": train", ["train"] + base + TRAIN + split, place("train_" + by), weights)
        if not index or not trained:
            continue
        for ranks in RANKS[1:]:
            other = place("train_" + by)(ranks)
            tap.ok(os.path.isdir(other) and metrics_but_speed(other) == metrics_but_speed(trained),
                   "%s: metrics.csv of %d ranks is that of 1 but for speed" % (name, ranks))
        mapped = os.path.join(folder, "mapped_" + by)
        result = tap.run(*["train"] + base + TRAIN + ["--map", index, "--output", mapped], ranks=2)
        difference = cases.differing(weights(trained), weights(mapped)) if result.status == 0 else [str(result)]
        tap.ok(not difference, name + ": the materialised map trains to the implicit one's bits",
               "differing: %s" % difference)
    if not trained:
        return
    model = os.path.join(trained, "last.h5")
    same_on_all(label + ": apply", ["apply", "--model", model] + base, lambda ranks: place("out")(ranks) + ".h5",
                cases.datasets)
    answers = [tap.run(*["test", "--model", model] + base, ranks=ranks) for ranks in RANKS]
    tap.ok(all(answer.status == 0 and answer.out == answers[0].out != "" for answer in answers),
           label + ": test prints the same on every number of ranks",
           "\n".join(answer.out + answer.err for answer in answers))


def targets(folder):
    """Every train.target with a dense network: weights, metrics, the test loss, and the prediction from neighbours."""
    synth = os.path.join(folder, "synth")
    tap.runs(tap.run("synth", "--output", synth, "--inlines", "2", "--crosslines", "3", "--traces", "20", "--samples", "90"),
             "targets: synth")
    survey, clean = (os.path.join(folder, name + ".h5") for name in ("noisy", "clean"))
    for path, name in ((survey, "noisy"), (clean, "clean")):
        tap.runs(tap.run("consolidate", "--output", path, os.path.join(synth, name)), "targets: consolidate " + name)
    wide = ["--set", "network.mixing=full", "--set", "network.skip=add", "--set", "network.width=4",
            "--set", "network.output=linear", "--set", "network.dropout_last=false", "--set", "patch.scale=rms",
            "--set", "patch.scale_grid=2", "--set", "split.by=patch", "--set", "train.block=2", "--set", "train.hide=0.3"]
    for target in ("clean", "neighbour", "blind_gather", "blind_trace"):
        base = ["--survey", survey] + (["--clean", clean] if target == "clean" else [])
        trained = same_on_all(target + ": train", ["train", *base, *TRAIN, *wide, "--set", "train.target=" + target],
                              lambda ranks: os.path.join(folder, "%s_%d" % (target, ranks)), weights)
        if not trained:
            continue
        for ranks in RANKS[1:]:
            other = os.path.join(folder, "%s_%d" % (target, ranks))
            tap.ok(os.path.isdir(other) and metrics_but_speed(other) == metrics_but_speed(trained),
                   "%s: metrics.csv of %d ranks is that of 1 but for speed" % (target, ranks))
        model = os.path.join(trained, "last.h5")
        answers = [tap.run("test", "--model", model, *base, ranks=ranks) for ranks in (1, 4)]
        tap.ok(all(answer.status == 0 and answer.out == answers[0].out != "" for answer in answers),
               target + ": test prints the same", "\n".join(answer.out + answer.err for answer in answers))
        if target == "blind_gather":
            for method in ("shared", "whole"):
                same_on_all("blind_gather: apply " + method,
                            ["apply", "--survey", survey, "--model", model, "--set", "apply.method=" + method],
                            lambda ranks: os.path.join(folder, "%s_%d.h5" % (method, ranks)), cases.datasets)


def main():
    with tempfile.TemporaryDirectory() as folder:
        road(folder, "12 gathers", 3, 4, ("ensemble", "inline", "patch"))
    with tempfile.TemporaryDirectory() as folder:
        road(folder, "2 gathers", 1, 2, ("patch",))
    with tempfile.TemporaryDirectory() as folder:
        targets(folder)
    with tempfile.TemporaryDirectory() as folder:  # a dense network
        gathers = os.path.join(folder, "synth")
        tap.run("synth", "--output", gathers, "--inlines", "1", "--crosslines", "4", "--traces", "20", "--samples", "90")
        survey = os.path.join(folder, "survey.h5")
        tap.run("consolidate", "--output", survey, os.path.join(gathers, "noisy"))
        full = ["--survey", survey, "--set", "network.mixing=full", "--set", "network.skip=add",
                "--set", "split.by=patch"]
        same_on_all("mixing full: train", ["train"] + TRAIN + full, lambda ranks: os.path.join(folder, "full%d" % ranks),
                    weights)
    tap.done()


if __name__ == "__main__":
    main()
