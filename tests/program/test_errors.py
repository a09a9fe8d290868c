"""Bad input of every kind: its exit status, one message printed once that names what is wrong, within seconds, alone and on
3 ranks, and nothing under the final name."""
import concurrent.futures
import itertools
import os
import re
import shutil
import signal
import sys
import tempfile

import h5py
import numpy as np

import cases
import tap

import original

SECONDS = 15  # a bound for a loaded machine; most answers should take under one
SIZE, LEVELS = 16, 2
USAGE, CONFIG, DATA, IO, NUMERIC = 2, 3, 4, 5, 7
PATCH = ["--set", "patch.size=%d" % SIZE, "--set", "network.levels=%d" % LEVELS]


POOL = concurrent.futures.ThreadPoolExecutor(4)  # mpirun mostly waits
pending = []
numbers = itertools.count()


def refuses(label, command, status, words=(), output=None, made=None):
    """Has it checked, by the next settle(), that command fails as it should; a name like `output` is appended as --output,
    and nothing may stand there afterwards (where `made` is given: none of these names in it). status is a number, or
    several where the contract leaves the choice."""
    wanted = status if isinstance(status, tuple) else (status,)
    for ranks in (0, 3):
        place = None
        if output is not None:
            folder, name = os.path.split(output)
            place = os.path.join(folder, "%d_%s" % (next(numbers), name))
        how = "on %d ranks" % ranks if ranks else "alone"
        pending.append(POOL.submit(refused, "%s, %s" % (label, how), command, ranks, wanted, words, place, made))


def refused(label, command, ranks, wanted, words, output, made):
    result = tap.run(*command, *(["--output", output] if output else []), ranks=ranks, seconds=SECONDS)
    errors = result.err.count(": error: ")
    missing = [word for word in words if word not in result.err]
    places = [] if output is None else [output] if made is None else [os.path.join(output, name) for name in made]
    left = [place for place in places if os.path.lexists(place)]
    if output:
        remove(output)
        remove(output + ".part")
    return (result.status in wanted and errors == 1 and not missing and not left, label,
            "status %s (wanted %s), %d error messages, missing words %s, left behind %s\n%s"
            % (result.status, wanted, errors, missing, left, result))


def settle():
    """Reports what refuses() has had checked."""
    for future in pending:
        tap.ok(*future.result())
    pending.clear()


def remove(path):
    """Removes what stands at path, if anything."""
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.remove(path)


class Ground:
    """A folder with a good survey, map and model, and copies to be broken, each in a folder of its own."""

    def __init__(self, folder):
        self.folder = folder
        random = np.random.RandomState(0)
        self.gathers = [cases.random_gather(random, n_traces, 60) for n_traces in (20, 24, 18, 30)]
        self.npy = cases.write_gathers(self.place("npy"), self.gathers)
        self.survey = self.place("survey.h5")
        self.run(["consolidate", "--output", self.survey, self.npy])
        self.model = self.place("model.h5")
        self.network = original.randomise(original.Original(1, 2, LEVELS, 0.0), 1)
        original.write_model(self.model, self.network, SIZE)
        self.rows = cases.random_rows(random, self.gathers, SIZE, 24)
        self.map = cases.write_map(self.place("map.h5"), SIZE, train=self.rows)

    def place(self, *names):
        return os.path.join(self.folder, *names)

    def fresh(self, name):
        folder = self.place("broken%d" % next(numbers))
        os.makedirs(folder)
        return os.path.join(folder, name)

    def run(self, command):
        result = tap.run(*command)
        if not tap.ok(result.status == 0, "good input: %s" % command[0], result):
            tap.done()

    def broken(self, source, name, change):
        """A copy of an HDF5 file after change(file)."""
        path = self.fresh(name)
        shutil.copy(source, path)
        with h5py.File(path, "a") as file:
            change(file)
        return path

    def cut(self, source, name, share):
        """The first `share` of a file's bytes."""
        with open(source, "rb") as file:
            data = file.read()
        return self.text(name, data[:int(len(data) * share)])

    def text(self, name, data):
        path = self.fresh(name)
        with open(path, "wb") as file:
            file.write(data if isinstance(data, bytes) else data.encode())
        return path


def replace(file, name, data):
    kept = dict(file[name].attrs)
    del file[name]
    file[name] = data
    file[name].attrs.update(kept)


def bad_usage(ground):
    refuses("no input", ["consolidate"], USAGE, output=ground.place("out.h5"))
    with open(ground.survey, "rb") as file:
        before = file.read()
    refuses("an output that exists", ["consolidate", ground.npy, "--output", ground.survey], USAGE, ["--force", "survey.h5"])
    settle()
    with open(ground.survey, "rb") as file:
        tap.ok(file.read() == before, "the output that existed is as it was")
    refuses("a selector of nothing", ["apply", "--survey", ground.survey, "--model", ground.model, "--ensembles", "7:7"],
            USAGE, ["7:7"], ground.place("out.h5"))
    refuses("a malformed selector", ["export", "--survey", ground.survey, "--ensembles", "1:2:3"], USAGE, ["1:2:3"],
            ground.place("out"))


def bad_config(ground):
    def train(label, status, words, text=None, sets=()):
        command = ["train", "--survey", ground.survey]
        command += ["--config", ground.text("config.yaml", text)] if text is not None else []
        for value in sets:
            command += ["--set", value]
        refuses("configuration: " + label, command, status, words, ground.place("out"))

    train("an unknown key", CONFIG, ["config.yaml", "batch_sise", "3"], "train:\n  max_epochs: 1\n  batch_sise: 8\n")
    train("an unknown section", CONFIG, ["trian"], "trian: {max_epochs: 1}\n")
    train("a repeated key", CONFIG, ["max_epochs"], "train:\n  max_epochs: 1\n  max_epochs: 2\n")
    train("a value of the wrong kind", CONFIG, ["config.yaml", "batch_size", "2"], "train:\n  batch_size: many\n")
    train("a fraction where a whole number belongs", CONFIG, ["batch_size", "3.7"], "train: {batch_size: 3.7}\n")
    train("a value out of range", CONFIG, ["dropout"], "network: {dropout: 1.5}\n")
    train("not YAML", CONFIG, ["config.yaml"], "train: {batch_size: 8\nfoo\n")
    train("an unknown key of --set", CONFIG, ["train.batch_sise"], sets=["train.batch_sise=8"])
    train("a word out of choice", CONFIG, ["split.by", "gather"], sets=["split.by=gather"])
    train("--set without a value", USAGE, ["train.batch_size"], sets=["train.batch_size"])
    train("a network too deep for the patch", CONFIG, ["network.levels"], sets=["patch.size=16", "network.levels=8"])
    refuses("a missing configuration file", ["train", "--survey", ground.survey, "--config", ground.place("none.yaml")],
            (CONFIG, IO), ["none.yaml"], ground.place("out"))
    model = ["--survey", ground.survey, "--model", ground.model]
    refuses("a key against the model: network.levels", ["apply"] + model + ["--set", "network.levels=3"], CONFIG,
            ["network.levels"], ground.place("out.h5"))
    refuses("a key against the model: patch.size", ["test"] + model + ["--set", "patch.size=32"], CONFIG, ["patch.size"])
    refuses("a key against the model: train --init", ["train", "--survey", ground.survey, "--init", ground.model,
                                                      "--set", "network.k_mult=3"], CONFIG, ["network.k_mult"],
            ground.place("out"))
    refuses("a key against the map", ["train", "--survey", ground.survey, "--map", ground.map, "--set", "patch.size=20"],
            CONFIG, ["patch.size"], ground.place("out"))
    refuses("an unknown apply.method", ["apply"] + model + ["--set", "apply.method=all"], CONFIG,
            ["apply.method", "shared"], ground.place("out.h5"))
    deep = ground.place("deep.h5")
    original.write_model(deep, original.Original(1, 2, 4, 0.0), 16)
    refuses("apply.method whole without a middle", ["apply", "--survey", ground.survey, "--model", deep, "--set",
                                                    "apply.method=whole"], CONFIG,
            ["apply.method whole", "deep.h5", "patch.size 16", "shared"], ground.place("out.h5"))


def bad_gathers(ground):
    def consolidate(label, status, words, name, data, good_too=True, options=()):
        folder = ground.place("bad_" + re.sub(r"\W", "_", label))
        os.makedirs(folder)
        if good_too:
            np.save(os.path.join(folder, "good_inline_1_crossline_1.npy"), ground.gathers[0])
        path = os.path.join(folder, name)
        if isinstance(data, np.ndarray):
            np.save(path, data, allow_pickle=True)
        elif data is not None:
            with open(path, "wb") as file:
                file.write(data)
        refuses("gathers: " + label, ["consolidate", folder] + list(options), status, words, ground.place("out.h5"))
        return folder

    refuses("gathers: a missing folder", ["consolidate", ground.place("nowhere")], IO, ["nowhere"], ground.place("out.h5"))
    consolidate("an empty folder", DATA, ["an_empty_folder"], "", None, good_too=False)
    whole = ground.place("npy", os.listdir(ground.npy)[0])
    with open(whole, "rb") as file:
        data = file.read()
    consolidate("a truncated file", DATA, ["cut.npy"], "cut.npy", data[:-1000])
    consolidate("a truncated header", DATA, ["cut.npy"], "cut.npy", data[:40])
    consolidate("a file of nothing", DATA, ["nothing.npy"], "nothing.npy", b"")
    consolidate("no .npy behind the name", DATA, ["text.npy"], "text.npy", b"This is no array, whatever its name says.\n" * 20)
    lying = re.sub(rb"'shape': \(\d+, ", b"'shape': (99, ", data)
    consolidate("a header that promises more", DATA, ["lying.npy"], "lying.npy", lying)
    consolidate("a header of a negative shape", DATA, ["lying.npy"], "lying.npy",
                re.sub(rb"'shape': \(\d+, ", b"'shape': (-2, ", data))
    consolidate("a header with an overflowing shape", DATA, ["lying.npy"], "lying.npy",
                re.sub(rb"'shape': \(\d+, \d+\), ", b"'shape': (4611686018427387904, 60),", data)[:len(data)])
    consolidate("a complex array", DATA, ["complex.npy"], "complex.npy", ground.gathers[0].astype(np.complex64))
    consolidate("an array of objects", DATA, ["objects.npy"], "objects.npy", np.array([[1, "two"], [None, 4]], dtype=object))
    consolidate("an array of one dimension", DATA, ["line.npy"], "line.npy", np.zeros(60, dtype=np.float32))
    consolidate("an array of no traces", DATA, ["none.npy"], "none.npy", np.zeros((0, 60), dtype=np.float32))
    consolidate("another number of samples", DATA, ["odd.npy", "61"], "odd.npy", np.ones((20, 61), dtype=np.float32))
    odd = ground.gathers[1].copy()
    odd[5, 17] = np.nan
    folder = consolidate("not a number", DATA, ["nan.npy", "5", "17", "--zero-bad"], "nan.npy", odd)
    odd[5, 17] = np.inf
    consolidate("infinity", DATA, ["inf.npy", "5", "17"], "inf.npy", odd)
    zeroed = ground.place("zeroed.h5")
    result = tap.run("consolidate", "--zero-bad", "--output", zeroed, folder)
    tap.ok(result.status == 0 and any(gather[5, 17] == 0 and gather.shape == odd.shape
                                      for gather in cases.read_gathers(zeroed)), "--zero-bad makes it zero", result)
    os.symlink(ground.place("nowhere"), ground.place("dangling.npy"))
    refuses("gathers: a file that can't be read", ["consolidate", ground.npy, ground.place("dangling.npy")], IO,
            ["dangling.npy"], ground.place("out.h5"))


def bad_surveys(ground):
    def survey(label, path, status, words):
        options = ["--survey", path] + PATCH
        refuses("survey: %s: index" % label, ["index"] + options, status, words, ground.place("out.h5"))
        refuses("survey: %s: train" % label, ["train"] + options, status, words, ground.place("out"))
        refuses("survey: %s: apply" % label, ["apply", "--survey", path, "--model", ground.model], status, words,
                ground.place("out.h5"))
        refuses("survey: %s: info" % label, ["info", path], status, words)

    survey("missing", ground.place("none.h5"), IO, ["none.h5"])
    survey("no HDF5", ground.text("text.h5", "no HDF5 at all\n" * 100), DATA, ["text.h5"])
    survey("truncated", ground.cut(ground.survey, "cut.h5", 0.6), DATA, ["cut.h5"])
    survey("another version", ground.broken(ground.survey, "version.h5", lambda file: file.attrs.modify("version", 3)),
           DATA, ["version.h5", "version 3", "versions 1 to 2"])
    survey("tables that contradict each other", ground.broken(
        ground.survey, "tables.h5", lambda file: replace(file, "ensemble/first_trace", np.array([0, 20, 10, 62, 92]))),
        DATA, ["tables.h5", "first_trace"])
    survey("no amplitudes", ground.broken(ground.survey, "bare.h5", lambda file: file.__delitem__("amplitude")), DATA,
           ["bare.h5", "amplitude"])
    refuses("survey: another kind of file", ["train", "--survey", ground.map], DATA, ["seisdcn-index-map"],
            ground.place("out"))

    def spoil(file):
        file["amplitude"][21, 30] = np.nan
        cases.forget_checksum(file, 1)

    spoilt = ground.broken(ground.survey, "nan.h5", spoil)
    refuses("survey: not a number, apply", ["apply", "--survey", spoilt, "--model", ground.model], DATA, ["nan.h5", "#1"],
            ground.place("out.h5"))
    refuses("survey: not a number, train", ["train", "--survey", spoilt, "--set", "split.by=patch"] + PATCH, DATA,
            ["nan.h5", "#1"], ground.place("out"), ("last.h5", "best.h5"))

    def alter(file):
        file["amplitude"][50, 30] = 123

    refuses("survey: an altered sample, info --verify", ["info", "--verify", ground.broken(ground.survey, "altered.h5", alter)],
            DATA, ["altered.h5", "#2"])
    for command in ("index", "train"):
        refuses("no gather with enough traces: " + command, [command, "--survey", ground.survey, "--set", "patch.size=40"],
                (CONFIG, DATA), ["30", "40"], ground.place("out"))
        refuses("a split that leaves nothing to train on: " + command,
                [command, "--survey", ground.survey, "--set", "split.test=0.7", "--set", "split.valid=0.2"] + PATCH,
                (CONFIG, DATA), ["split.by=patch"], ground.place("out"))


def bad_maps(ground):
    def map_file(label, path, status, words):
        refuses("map: " + label, ["train", "--survey", ground.survey, "--map", path, "--init", ground.model], status, words,
                ground.place("out"))

    def change_rows(row):
        def change(file):
            rows = ground.rows.copy()
            rows[7] = row
            replace(file, "train", rows)
        return change

    map_file("missing", ground.place("none.h5"), IO, ["none.h5"])
    map_file("no HDF5", ground.text("text.h5", "no HDF5 at all\n" * 100), DATA, ["text.h5"])
    map_file("another kind of file", ground.survey, DATA, ["survey.h5", "seisdcn-survey"])
    map_file("of another survey", ground.broken(
        ground.map, "other.h5", lambda file: file.attrs.create("survey_checksum", 12345, dtype=np.uint64)), DATA,
        ["other.h5"])
    for label, row in (("a trace outside its gather", (2, 3, 0)), ("a sample outside its gather", (0, 0, 45)),
                       ("a negative trace", (0, -1, 0)), ("an ensemble that is not there", (4, 0, 0))):
        map_file(label, ground.broken(ground.map, "row.h5", change_rows(row)), DATA, ["row.h5", "7"])
    map_file("no rows", ground.broken(ground.map, "empty.h5", lambda file: replace(
        file, "train", np.zeros((0, 3), dtype=np.int64))), DATA, ["empty.h5"])
    map_file("no /train", ground.broken(ground.map, "none_train.h5", lambda file: file.__delitem__("train")), DATA,
             ["none_train.h5", "train"])
    map_file("rows of two numbers", ground.broken(ground.map, "two.h5", lambda file: replace(
        file, "train", ground.rows[:, :2])), DATA, ["two.h5", "train"])
    map_file("patch_size against the model", ground.broken(
        ground.map, "size.h5", lambda file: file.attrs.modify("patch_size", 12)), (CONFIG, DATA), ["12", "16"])
    refuses("map: test of a split that it has not", ["test", "--survey", ground.survey, "--model", ground.model,
                                                     "--map", ground.map, "--split", "valid"], DATA, ["valid", "map.h5"])
    bad = ground.broken(ground.map, "row.h5", change_rows((0, 9, 0)))
    refuses("map: a row outside its gather, test", ["test", "--survey", ground.survey, "--model", ground.model,
                                                    "--map", bad, "--split", "train"], DATA, ["row.h5"])


def bad_models(ground):
    def model(label, path, status, words):
        refuses("model: %s: apply" % label, ["apply", "--survey", ground.survey, "--model", path], status, words,
                ground.place("out.h5"))
        refuses("model: %s: train --init" % label, ["train", "--survey", ground.survey, "--map", ground.map, "--init", path],
                status, words, ground.place("out"))

    model("missing", ground.place("none.h5"), IO, ["none.h5"])
    model("no HDF5", ground.text("text.h5", "no HDF5 at all\n" * 100), DATA, ["text.h5"])
    model("truncated", ground.cut(ground.model, "cut.h5", 0.5), DATA, ["cut.h5"])
    model("another kind of file", ground.survey, DATA, ["survey.h5", "seisdcn-survey"])
    model("another version", ground.broken(ground.model, "version.h5", lambda file: file.attrs.modify("version", 2)), DATA,
          ["version.h5", "2"])
    model("no k_mult", ground.broken(ground.model, "attr.h5", lambda file: file.attrs.__delitem__("k_mult")), DATA,
          ["attr.h5", "k_mult"])
    model("an impossible attribute", ground.broken(ground.model, "attr.h5", lambda file: file.attrs.modify("levels", 0)),
          DATA, ["attr.h5", "levels"])
    model("an unknown mixing", ground.broken(ground.model, "attr.h5", lambda file: file.attrs.create("mixing", "sparse")),
          DATA, ["attr.h5", "sparse"])
    model("an unknown output", ground.broken(ground.model, "attr.h5", lambda file: file.attrs.modify("output", "relu")),
          DATA, ["attr.h5", "relu"])
    model("an impossible width", ground.broken(ground.model, "attr.h5", lambda file: file.attrs.modify("width", -3)),
          DATA, ["attr.h5", "width"])
    model("another width than its arrays", ground.broken(
        ground.model, "attr.h5", lambda file: file.attrs.modify("width", 5)), DATA, ["attr.h5", "_m1.0.weight"])
    model("shapes against its attributes", ground.broken(
        ground.model, "shape.h5", lambda file: file.attrs.modify("k_mult", 3)), DATA, ["shape.h5", "_m1.0.weight"])
    model("one shape against its attributes", ground.broken(
        ground.model, "shape.h5", lambda file: replace(file, "state_dict/_m2T.0.bias", np.zeros(3, dtype=np.float32))),
        DATA, ["shape.h5", "_m2T.0.bias"])
    model("a parameter missing", ground.broken(
        ground.model, "lost.h5", lambda file: file.__delitem__("state_dict/_m2.0.bias")), DATA, ["lost.h5", "_m2.0.bias"])
    two = ground.place("two.h5")
    original.write_model(two, original.Original(2, 2, LEVELS, 0.0), SIZE)
    model("more channels than the survey has", two, (CONFIG, DATA), ["survey.h5"])

    def overflow(file):
        weights = np.full(file["state_dict/_m1.0.weight"].shape, 3e38, dtype=np.float32)
        weights[:, :, :, 1] *= -1
        file["state_dict/_m1.0.weight"][...] = weights

    refuses("a loss that is not a number", ["train", "--survey", ground.survey, "--map", ground.map,
                                            "--init", ground.broken(ground.model, "huge.h5", overflow)], NUMERIC, ["loss"],
            ground.place("numeric"), ("last.h5", "best.h5"))


def bad_targets(ground):
    """Objectives that the data cannot serve, or that contradict each other."""
    def target(label, name, status, words, *more):
        refuses("target: " + label, ["train", "--survey", ground.survey, *PATCH, "--set", "split.by=patch",
                                     "--set", "train.target=" + name, *more], status, words, ground.place("out"))

    target("clean without a clean survey", "clean", USAGE, ["--clean"])
    target("a clean survey for another target", "neighbour", USAGE, ["--clean", "neighbour"], "--clean", ground.survey)
    target("a clean survey that is none", "clean", DATA, ["map.h5"], "--clean", ground.map)
    fewer, moved = ground.place("fewer.h5"), ground.place("moved.h5")
    ground.run(["consolidate", "--output", fewer, *(os.path.join(ground.npy, name) for name in os.listdir(ground.npy)[:3])])
    cases.write_gathers(ground.place("moved"), [gather[:-1] if number == 2 else gather
                                                for number, gather in enumerate(ground.gathers)])
    ground.run(["consolidate", "--output", moved, ground.place("moved")])
    target("a clean survey of fewer gathers", "clean", DATA, ["fewer.h5", "same gathers"], "--clean", fewer)
    target("a clean survey of other gathers", "clean", DATA, ["moved.h5", "#2", "17", "18"], "--clean", moved)
    target("more outputs than the target has channels", "neighbour", CONFIG, ["network.out_channels"],
           "--set", "network.out_channels=2")
    target("a record too short to fill hidden traces", "blind_trace", CONFIG, ["train.fill", "60"],
           "--set", "patch.size=21")
    target("all of a patch less than nothing hidden", "blind_trace", CONFIG, ["train.hide"], "--set", "train.hide=0")
    target("another input than the model's", "blind_gather", CONFIG, ["train.target", "model.h5"], "--init", ground.model)
    refuses("target: another input than the model's: test", ["test", "--survey", ground.survey, "--model", ground.model,
                                                             "--set", "train.target=blind_gather"], CONFIG,
            ["train.target", "model.h5"])
    os.makedirs(ground.place("unplaced"))
    for number, gather in enumerate(ground.gathers):
        np.save(ground.place("unplaced", "gather%d.npy" % number), gather)
    unplaced = ground.place("unplaced.h5")
    ground.run(["consolidate", "--output", unplaced, ground.place("unplaced")])
    refuses("target: gathers without positions", ["train", "--survey", unplaced, *PATCH, "--set", "train.target=neighbour"],
            DATA, ["unplaced.h5", "no gather has a neighbour"], ground.place("out"))
    both = ground.place("both.h5")
    original.write_model(both, original.Original(2, 2, LEVELS, 0.0, n_out=1, target="blind_gather"), SIZE)
    refuses("target: apply without neighbours", ["apply", "--survey", unplaced, "--model", both], DATA,
            ["unplaced.h5", "no gather has a neighbour"], ground.place("out.h5"))
    odd = ground.place("odd.h5")
    original.write_model(odd, original.Original(3, 2, LEVELS, 0.0, n_out=1, target="blind_gather"), SIZE)
    refuses("target: an odd number of channels for two gathers", ["apply", "--survey", ground.survey, "--model", odd], DATA,
            ["odd.h5"], ground.place("out.h5"))


def bad_places(ground):
    file = ground.text("plain", "a file, no folder\n")
    work = {"consolidate": ["consolidate", ground.npy], "index": ["index", "--survey", ground.survey] + PATCH,
            "train": ["train", "--survey", ground.survey, "--map", ground.map, "--init", ground.model],
            "apply": ["apply", "--survey", ground.survey, "--model", ground.model],
            "export": ["export", "--survey", ground.survey], "synth": ["synth"]}
    for name, command in work.items():
        refuses("a file where a folder should be: " + name, command, IO, ["plain"], os.path.join(file, "out"))
        refuses("a folder that is not there: " + name, command, IO, ["nowhere"], ground.place("nowhere", "out"))

    def mounted(label, options, run):
        with cases.mounted(ground.place("mount"), options) as good:
            if good:
                run(ground.place("mount"))
                settle()
            else:
                tap.skip(label, "mounting is not allowed here")

    def read_only(folder):
        for name, command in work.items():
            refuses("a folder that can't be written: " + name, command, IO, ["mount"], os.path.join(folder, "out"))

    def full(folder):
        def refuses_alone(*arguments):
            refuses(*arguments)
            settle()
            for name in os.listdir(folder):
                if name != "ballast":
                    remove(os.path.join(folder, name))

        wide = [np.tile(gather, (1, 40)) for gather in ground.gathers]
        large = cases.write_gathers(ground.place("large"), wide)
        refuses_alone("disk full: consolidate", ["consolidate", large], IO, ["mount"], os.path.join(folder, "out.h5"))
        survey = ground.place("large.h5")
        ground.run(["consolidate", "--output", survey, large])
        refuses_alone("disk full: apply", ["apply", "--survey", survey, "--model", ground.model], IO,
                ["mount"], os.path.join(folder, "out.h5"))
        refuses_alone("disk full: export", ["export", "--survey", survey], IO, ["mount"], os.path.join(folder, "out"),
                ("gather_inline_100_crossline_203.npy",))
        refuses_alone("disk full: index --materialize", ["index", "--survey", survey, "--materialize"] + PATCH, IO, ["mount"],
                os.path.join(folder, "map.h5"))
        with open(os.path.join(folder, "ballast"), "wb") as ballast:  # leaves 8 kB
            ballast.write(b"x" * (256 - 8) * 1024)
        refuses_alone("disk full: train", work["train"], IO, ["mount"], os.path.join(folder, "out"), ("last.h5", "best.h5"))

    mounted("a folder that can't be written", "ro,size=64k", read_only)
    mounted("disk full", "size=256k", full)


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what is mounted is unmounted
    with tempfile.TemporaryDirectory() as folder:
        ground = Ground(folder)
        for group in (bad_usage, bad_config, bad_gathers, bad_surveys, bad_maps, bad_models, bad_targets, bad_places):
            group(ground)
            settle()
    tap.done()


if __name__ == "__main__":
    main()
