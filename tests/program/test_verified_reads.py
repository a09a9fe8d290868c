"""What is read is checked: a gather or an attribute whose values are not those of its checksum is an error of every
command that reads it, one on any number of ranks and however it is read; --trust reads it all the same. A file whose
datasets announce more than it holds is refused before memory is asked for."""
import os
import shutil

import h5py
import numpy as np

import cases
import tap

DATA = 4
SPOILT = 3  # the gather
NETWORK = ["--set", "patch.size=16", "--set", "network.levels=2", "--set", "train.batch_size=16", "--set",
           "train.max_patches_per_epoch=64", "--set", "train.max_valid_patches=16", "--set", "train.max_epochs=1"]
ALL = ["--set", "split.by=patch"]  # patches of every gather are trained on
MESSAGE = "gather #%d (inline 1301, crossline 1400) does not match its checksum" % SPOILT
HUGE = 10 ** 12
SECONDS = 30


def spoil(source, target, dataset="amplitude"):
    """A copy of a survey in which one byte of a gather is another, as a bad disk leaves it."""
    shutil.copy(source, target)
    with h5py.File(target, "r") as file:
        first = int(file["ensemble/first_trace"][SPOILT])
        place = file[dataset].id.get_offset() + (first + 5) * file[dataset].shape[1] * 4 + 100
    with open(target, "r+b") as file:
        file.seek(place)
        byte = file.read(1)[0]
        file.seek(place)
        file.write(bytes([byte ^ 4]))


def make_ground(folder):
    survey, predicted = folder / "survey.h5", folder / "predicted.h5"
    made = [tap.run("synth", "--output", "synth", "--inlines", "2", "--crosslines", "3", "--traces", "20", "--samples", "90",
                    cwd=folder),
            tap.run("consolidate", "--output", "survey.h5", "synth/noisy", "--interval-us", "4000", cwd=folder),
            tap.run("consolidate", "--output", "clean.h5", "synth/clean", "--interval-us", "4000", cwd=folder),
            tap.run("attributes", "--survey", "survey.h5", "--add", "envelope", cwd=folder),
            tap.run("mean", "--survey", "survey.h5", "--output", "predicted.h5", cwd=folder),
            tap.run("train", "--survey", "survey.h5", "--output", "run", *NETWORK, cwd=folder)]
    good = all(result.status == 0 for result in made)
    tap.ok(good, "survey, prediction, model", "\n".join(map(str, made)))
    for whole in (survey, predicted, folder / "clean.h5"):
        spoil(whole, whole.with_name("bad_" + whole.name))
    spoil(survey, folder / "bad_attribute.h5", "attribute/envelope")
    return good


def commands():
    """Each way in which a command reads gathers: its words, and the file that holds the bad one."""
    bad, survey, model = "bad_survey.h5", "survey.h5", "run/best.h5"
    of_pair = ["--survey", survey, "--predicted"]
    return [
        (["train", "--survey", bad, "--output", "out", *NETWORK, *ALL], bad),
        (["train", "--survey", bad, "--output", "out", *NETWORK, *ALL, "--set", "train.block_gathers=1"], bad),
        (["train", "--survey", survey, "--clean", "bad_clean.h5", "--output", "out", *NETWORK, *ALL, "--set",
          "train.target=clean"], "bad_clean.h5"),
        (["sweep", "--survey", bad, "--output", "out", "--grid", "grid.yaml", *NETWORK, *ALL], bad),
        (["test", "--survey", bad, "--model", model, "--map", "all.h5"], bad),
        (["apply", "--survey", bad, "--model", model, "--output", "out.h5"], bad),
        (["compare", "run", "--survey", bad, "--ensembles", "#3"], bad),
        (["compare", "run", "--survey", survey, "--clean", "bad_clean.h5", "--ensembles", "#3"], "bad_clean.h5"),
        (["fxdecon", "--survey", bad, "--output", "out.h5"], bad),
        (["mean", "--survey", bad, "--output", "out.h5"], bad),
        (["mean", "--survey", bad, "--output", "out.h5", "--gathers", "3", "--ensembles", "#4"], bad),
        (["export", "--survey", bad, "--output", "out"], bad),
        (["export", "--survey", bad, "--output", "out.sgy"], bad),
        (["export", "--survey", "bad_predicted.h5", "--output", "out"], "bad_predicted.h5"),
        (["plot", "--survey", bad, "--ensemble", "#3", "--output", "out.png"], bad),
        (["plot", *of_pair, "bad_predicted.h5", "--ensemble", "#3", "--output", "out.png"], "bad_predicted.h5"),
        (["qc", "--survey", bad, "--predicted", "predicted.h5"], bad),
        (["qc", *of_pair, "predicted.h5", "--predicted", "bad_predicted.h5"], "bad_predicted.h5"),
        (["qc", *of_pair, "predicted.h5", "--clean", "bad_clean.h5"], "bad_clean.h5"),
        (["attributes", "--survey", bad, "--add", "cosphase"], bad),
        (["train", "--survey", "bad_attribute.h5", "--output", "out", *NETWORK, *ALL, "--set", "network.channels=2"],
         "bad_attribute.h5"),
    ]


def remove_outputs(folder):
    for name in os.listdir(folder):
        if name.startswith("out"):
            path = folder / name
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def damaged(folder):
    (folder / "grid.yaml").write_text("train.seed: [1]\n")
    tap.runs(tap.run("index", "--survey", "survey.h5", "--output", "all.h5", "--set", "patch.size=16", *ALL, cwd=folder),
             "a map of all gathers")
    trusted = {"attributes"}  # which would change the file
    for number, (words, path) in enumerate(commands()):
        label = " ".join(words[:8])
        for ranks in (0, 3) if words[0] in ("train", "export") else (number % 2 * 3,):
            result = tap.run(*words, ranks=ranks, cwd=folder)
            tap.refused(result, DATA, MESSAGE, "%d ranks: %s" % (ranks, label))
            tap.ok(path + ": gather" in result.err and "--trust" in result.err, "the file and the remedy are named", result)
            remove_outputs(folder)
        if words[0] not in trusted:
            tap.runs(tap.run(*words, "--trust", ranks=(number + 1) % 2 * 3, cwd=folder), "--trust reads it: " + label)
            trusted.add(words[0])
            remove_outputs(folder)
    result = tap.run("apply", "--survey", "bad_survey.h5", "--model", "run/best.h5", "--output", "out.h5", "--ensembles",
                     "#0-#2,#4", cwd=folder)
    tap.runs(result, "a gather that nobody reads hurts nobody")
    result = tap.run("train", "--survey", "bad_attribute.h5", "--output", "out", *NETWORK, *ALL, cwd=folder)
    tap.runs(result, "nor does an attribute")
    remove_outputs(folder)
    whole = tap.run("info", "--verify", "bad_survey.h5", ranks=3, cwd=folder)
    tap.refused(whole, DATA, "gather #%d" % SPOILT, "info --verify names it")


def unchecked(folder):
    """Gathers that have no checksum: not predicted yet, or of another tool."""
    result = tap.run("mean", "--survey", "survey.h5", "--output", "part.h5", "--ensembles", "#1,#3", cwd=folder)
    tap.runs(result, "a prediction of two gathers")
    for words in (["qc", "--survey", "survey.h5", "--predicted", "part.h5"], ["export", "--survey", "part.h5", "--output", "out"],
                  ["mean", "--survey", "part.h5", "--output", "out.h5"]):
        result = tap.run(*words, ranks=3, cwd=folder)
        tap.ok(result.status == 0 and "no checksum" not in result.err, "is read as before: " + words[0], result)
        remove_outputs(folder)
    shutil.copy(folder / "bad_survey.h5", folder / "none.h5")
    with h5py.File(folder / "none.h5", "r+") as file:
        file["ensemble/checksum"][SPOILT:] = 0
    result = tap.run("mean", "--survey", "none.h5", "--output", "out.h5", ranks=3, cwd=folder)
    tap.ok(result.status == 0 and result.err.count("3 of 6 gathers have no checksum") == 1,
           "where the file has none it is said once, and no error", result)
    remove_outputs(folder)


def broken(folder, source, change):
    """A copy of a file with change(file) done to it."""
    path = folder / "broken.h5"
    shutil.copy(folder / source, path)
    with h5py.File(path, "r+") as file:
        change(file)
    return "broken.h5"


def put(name, make):
    """Replaces dataset `name` by what make(group, name, dtype) gives."""
    def change(file):
        kind = file[name].dtype if name in file else np.dtype("<i8")
        if name in file:
            del file[name]
        make(file, name, kind)
    return change


def sized(shape, **how):
    return lambda file, name, kind: file.create_dataset(name, shape, dtype=kind, **how)


def begun(shape, **how):
    def make(file, name, kind):
        file.create_dataset(name, shape, dtype=kind, **how)[:10] = 0
    return make


def virtual(shape):
    def make(file, name, kind):
        layout = h5py.VirtualLayout(shape, dtype=kind)
        layout[:5] = h5py.VirtualSource("survey.h5", "amplitude", (5,) + shape[1:])
        file.create_virtual_dataset(name, layout)
    return make


def lying(folder):
    survey, traces = ["mean", "--output", "out.h5", "--survey"], (120, 90)
    tables = ["index", "--output", "out.h5", "--set", "patch.size=16", "--survey"]
    train = ["train", "--survey", "survey.h5", "--output", "out", *NETWORK, "--map"]
    model = ["apply", "--survey", "survey.h5", "--output", "out.h5", "--model"]
    gone = str(folder / "gone.bin")
    for number, (label, words, source, name, make) in enumerate((
            ("/amplitude without storage", survey, "survey.h5", "amplitude", sized(traces)),
            ("/amplitude in chunks that nobody wrote", survey, "survey.h5", "amplitude", sized(traces, chunks=(10, 90))),
            ("a huge /amplitude", tables, "survey.h5", "amplitude", sized((HUGE, 90))),
            ("/amplitude in a file that is gone", survey, "survey.h5", "amplitude", sized(traces, external=[(gone, 0, 43200)])),
            ("a virtual /amplitude", survey, "survey.h5", "amplitude", virtual(traces)),
            ("a huge /ensemble/first_trace", tables, "survey.h5", "ensemble/first_trace", sized((HUGE,))),
            ("a huge chunked /ensemble/first_trace", tables, "survey.h5", "ensemble/first_trace", begun((HUGE,), chunks=(100,))),
            ("/ensemble/checksum without storage", tables, "survey.h5", "ensemble/checksum", sized((6,))),
            ("/trace/offset without storage", survey, "survey.h5", "trace/offset", sized((120,))),
            ("/attribute without storage", survey, "survey.h5", "attribute/envelope", sized(traces)),
            ("a huge map", train, "map.h5", "train", sized((HUGE, 3))),
            ("a huge map with some rows", train, "map.h5", "train", begun((HUGE, 3), chunks=(1000, 3), compression="gzip")),
            ("a map without storage", train, "map.h5", "valid", sized((20, 3))),
            ("weights without storage", model, "run/best.h5", "state_dict/_m1.0.weight", sized((2, 1, 3, 3))),
            ("weights without storage: info", ["info"], "run/best.h5", "state_dict/_m1.0.weight", sized((2, 1, 3, 3))),
            ("a huge map: info", ["info"], "map.h5", "train", sized((HUGE, 3))))):
        path = broken(folder, source, put(name, make))
        ranks = number % 2 * 3
        result = tap.run(*words, path, ranks=ranks, cwd=folder, seconds=SECONDS)
        told = "virtual dataset" if "virtual" in label else "announces"
        tap.refused(result, DATA, "broken.h5: /%s " % name, "%d ranks: %s" % (ranks, label))
        tap.ok(told in result.err, "what is wrong is said", result)
        tap.ok(not any(entry.startswith("out") and entry.endswith(".h5") for entry in os.listdir(folder)),
               "no half file is left", os.listdir(folder))
        remove_outputs(folder)


def honest(folder):
    """Other ways of lying in a file that hold all the same."""
    with h5py.File(folder / "survey.h5", "r") as file:
        amplitude = file["amplitude"][()]
    amplitude.astype("<f4").tofile(folder / "raw.bin")
    for label, make in (
            ("in chunks", lambda f, n, k: f.create_dataset(n, data=amplitude, chunks=(7, 30))),
            ("compressed", lambda f, n, k: f.create_dataset(n, data=amplitude, compression="gzip")),
            ("as float64", lambda f, n, k: f.create_dataset(n, data=amplitude.astype("<f8"))),
            ("in another file", sized((120, 90), external=[(str(folder / "raw.bin"), 0, 43200)]))):
        path = broken(folder, "survey.h5", put("amplitude", make))
        tap.runs(tap.run("mean", "--survey", path, "--output", "out.h5", ranks=3, cwd=folder), "amplitudes " + label)
        tap.ok(not cases.differing(*({"a": cases.datasets(folder / name)["amplitude"]} for name in ("out.h5", "predicted.h5"))),
               "give the same bits")
        remove_outputs(folder)

    def some(file, name, kind):  # half of the chunks are what was never written
        rows = file.create_dataset(name, (40, 3), dtype="<i8", chunks=(20, 3))
        rows[:20] = 0

    rows = np.zeros((40, 3), dtype=np.int64)
    cases.write_map(folder / "map.h5", 16, train=rows, valid=rows[:20])
    path = broken(folder, "map.h5", put("train", some))
    tap.runs(tap.run("train", "--survey", "survey.h5", "--output", "out", *NETWORK, "--map", path, ranks=3, cwd=folder),
             "chunks that were never written are zeros")
    remove_outputs(folder)


ground = tap.folder()
cases.write_map(ground / "map.h5", 16, train=np.zeros((40, 3)), valid=np.zeros((20, 3)))
if make_ground(ground):
    damaged(ground)
    unchecked(ground)
    lying(ground)
    honest(ground)
tap.done()
