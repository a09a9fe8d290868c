"""The whole road on a generated survey: synth, consolidate, info, index, train, test, apply, export; and whether the
files are what the contract says."""
import ctypes
import os
import re
import tempfile

import h5py
import numpy as np

import cases
import tap

INLINES, CROSSLINES, TRACES, SAMPLES = 3, 4, 22, 100
SIZE = 16


def xxh3():
    """XXH3_64bits by the xxHash library itself, None where it can't be loaded."""
    try:
        function = ctypes.CDLL("libxxhash.so.0").XXH3_64bits
    except (OSError, AttributeError):
        return None
    function.restype, function.argtypes = ctypes.c_uint64, (ctypes.c_char_p, ctypes.c_size_t)
    return lambda data: function(data, len(data))


def good(label, command, ranks=2):
    result = tap.run(*command, ranks=ranks)
    tap.runs(result, label)
    return result


def check_synth(folder):
    names = sorted(os.listdir(os.path.join(folder, "noisy")))
    tap.ok(len(names) == INLINES * CROSSLINES and names == sorted(os.listdir(os.path.join(folder, "clean")))
           and all(re.search(r"_inline_\d+_crossline_\d+\.npy$", name) for name in names),
           "synth: a gather a position, the same names in noisy and clean", str(names))
    noisy, clean = ([np.load(os.path.join(folder, kind, name)) for name in names] for kind in ("noisy", "clean"))
    tap.ok(all(gather.shape == (TRACES, SAMPLES) and gather.dtype == np.float32 and np.isfinite(gather).all()
               for gather in noisy + clean), "synth: float32 (traces, samples), finite")
    mutes = [(gather == 0).mean() for gather in noisy]
    tap.ok(all(0 < mute < 0.9 for mute in mutes), "synth: a mute of exact zeros", str(mutes))


def check_survey(path, npy):
    facts = cases.attributes(path)
    tap.ok(facts.get("format") == "seisdcn-survey" and facts.get("version") == 2
           and facts.get("sample_interval_us") == 4000 and "history" in facts and "checksum" in facts,
           "survey: root attributes", str(facts))
    data = cases.datasets(path)
    names = [name.decode() if isinstance(name, bytes) else name for name in data["ensemble/source"]]
    positions = [tuple(int(number) for number in re.search(r"inline_(\d+)_crossline_(\d+)", name).groups())
                 for name in names]
    n = INLINES * CROSSLINES
    kinds = {"amplitude": ("float32", (n * TRACES, SAMPLES)), "ensemble/first_trace": ("int64", (n + 1,)),
             "ensemble/inline": ("int32", (n,)), "ensemble/crossline": ("int32", (n,)),
             "ensemble/checksum": ("uint64", (n,)), "trace/offset": ("float32", (n * TRACES,))}
    wrong = [name for name, kind in kinds.items() if (str(data[name].dtype), data[name].shape) != kind]
    tap.ok(not wrong, "survey: kinds and shapes of the datasets", str(wrong))
    with h5py.File(path, "r") as file:
        tap.ok(file["amplitude"].chunks is None, "survey: amplitudes lie in one piece")
        kind = h5py.check_string_dtype(file["ensemble/source"].dtype)
        tap.ok(kind is not None and kind.length is not None and kind.encoding == "utf-8",
               "survey: sources are fixed-length UTF-8", str(kind))
    tap.ok(sorted(names) == sorted(os.listdir(npy)) and positions == list(zip(data["ensemble/inline"].tolist(),
                                                                              data["ensemble/crossline"].tolist())),
           "survey: sources are the files' names, positions are theirs", str(names))
    gathers = cases.read_gathers(path)
    tap.ok(all(np.array_equal(np.load(os.path.join(npy, name)), gather) for name, gather in zip(names, gathers)),
           "survey: every gather is its file's, bit by bit")
    hash_of = xxh3()
    if hash_of is None:
        tap.skip("survey: checksums", "libxxhash.so.0 is not there")
        return
    found = [hash_of(np.ascontiguousarray(gather, "<f4").tobytes()) for gather in gathers]
    tap.ok(found == data["ensemble/checksum"].tolist()
           and facts["checksum"] == hash_of(data["ensemble/checksum"].astype("<u8").tobytes()),
           "survey: checksums are XXH3_64bits of the gathers, and of these")


def check_map(path, survey, split):
    facts, rows = cases.attributes(path), cases.datasets(path)
    n = INLINES * CROSSLINES
    patches = (len(range(0, TRACES - SIZE + 1, 2))) * len(range(0, SAMPLES - SIZE + 1, 2))
    tap.ok(facts.get("format") == "seisdcn-index-map" and facts.get("version") == 1
           and facts.get("patch_size") == SIZE and facts.get("stride") == 2 and facts.get("by") == split["by"]
           and facts.get("test") == split["test"] and facts.get("valid") == split["valid"] and facts.get("seed") == 0
           and facts.get("survey_checksum") == cases.attributes(survey)["checksum"],
           "map by %s: root attributes" % split["by"], str(facts))
    counts = {name: len(rows[name]) for name in ("train", "valid", "test")}
    tap.ok(counts == {name: facts.get("n_" + name) for name in counts}, "map by %s: counts are the rows'" % split["by"],
           "%s against %s" % (counts, facts))
    everything = np.concatenate([rows["train"], rows["valid"], rows["test"]])
    tap.ok(len(everything) == n * patches == len(np.unique(everything, axis=0)),
           "map by %s: every patch once" % split["by"], "%d rows of %d" % (len(everything), n * patches))
    tap.ok(all((np.lexsort(rows[name].T[::-1]) == np.arange(len(rows[name]))).all() for name in counts),
           "map by %s: rows sorted by ensemble, trace, sample" % split["by"])
    ensembles = [set(rows[name][:, 0]) for name in ("train", "valid", "test")]
    if split["by"] == "patch":
        wanted = [int(np.ceil(share * n * patches - 1e-9)) for share in (split["valid"], split["test"])]
        tap.ok([counts["valid"], counts["test"]] == wanted, "map by patch: the original's counts", str(counts))
    else:
        tap.ok(sum(map(len, ensembles)) == n, "map by %s: no gather in two sets" % split["by"])
    if split["by"] == "ensemble":
        wanted = [int(np.ceil(share * n - 1e-9)) for share in (split["valid"], split["test"])]
        tap.ok([len(ensembles[1]), len(ensembles[2])] == wanted, "map by ensemble: whole gathers, as many as asked")
    if split["by"] == "inline":
        lines = cases.datasets(survey)["ensemble/inline"]
        tap.ok(sum(len({int(lines[e]) for e in part}) for part in ensembles) == INLINES,
               "map by inline: no inline in two sets")


def main():
    with tempfile.TemporaryDirectory() as folder:
        def place(name):
            return os.path.join(folder, name)

        good("synth", ["synth", "--output", place("synth"), "--inlines", str(INLINES), "--crosslines", str(CROSSLINES),
                       "--traces", str(TRACES), "--samples", str(SAMPLES), "--snr", "6", "--seed", "1"])
        check_synth(place("synth"))
        npy, survey = os.path.join(place("synth"), "noisy"), place("survey.h5")
        good("consolidate", ["consolidate", "--output", survey, "--interval-us", "4000", npy])
        check_survey(survey, npy)
        result = good("info", ["info", survey])
        tap.ok(str(INLINES * CROSSLINES) in result.out and str(SAMPLES) in result.out,
               "info tells of gathers and samples", result.out)
        good("info --verify", ["info", "--verify", survey])

        patch = ["--set", "patch.size=%d" % SIZE, "--set", "patch.stride=2"]
        for by, test, valid in (("ensemble", 0.2, 0.1), ("patch", 0.2, 0.1), ("inline", 0.3, 0.3)):
            index = place("map_%s.h5" % by)
            good("index by " + by, ["index", "--survey", survey, "--output", index, "--materialize",
                                    "--set", "split.by=" + by, "--set", "split.test=%g" % test,
                                    "--set", "split.valid=%g" % valid] + patch)
            check_map(index, survey, {"by": by, "test": test, "valid": valid})

        config = place("config.yaml")
        with open(config, "w") as file:
            file.write("patch: {size: %d, stride: 2}\nnetwork:\n  levels: 2\ntrain: {batch_size: 64, max_epochs: 4, "
                       "learning_rate: 0.01, log_every_steps: 5}\n" % SIZE)
        trained = place("trained")
        result = good("train", ["train", "--config", config, "--survey", survey, "--output", trained])
        if result.status != 0:
            tap.done()
        tap.ok({"metrics.csv", "config.yaml", "last.h5", "best.h5"} <= set(os.listdir(trained)),
               "train: its files", str(os.listdir(trained)))
        header, steps, epochs = cases.read_metrics(trained)
        tap.ok(header == cases.METRICS, "metrics.csv: columns", str(header))
        tap.ok([row["epoch"] for row in epochs] == [1, 2, 3, 4] and steps
               and all(row["step"] % 5 == 0 for row in steps)
               and all(row["learning_rate"] == 0.01 and row["patches_per_second"] > 0 for row in steps),
               "metrics.csv: a row every 5 steps and at each epoch's end")
        for column in ("train_loss_epoch", "val_loss"):
            values = [row[column] for row in epochs]
            tap.ok(None not in values and values[-1] < 0.9 * values[0], "metrics.csv: %s falls" % column, str(values))
        model = os.path.join(trained, "last.h5")
        facts = cases.attributes(model)
        wanted = {"format": "seisdcn-model", "version": 1, "n_chans": 1, "k_mult": 2, "levels": 2, "patch_size": SIZE,
                  "dropout": 0.1, "mixing": "depthwise", "skip": "none", "width": 0, "n_out": 1, "output": "tanh",
                  "dropout_last": 1, "scale": "max", "scale_grid": 0, "by": "ensemble", "test": 0.2, "valid": 0.1,
                  "seed": 0, "survey_checksum": cases.attributes(survey)["checksum"]}
        wrong = [(name, facts.get(name)) for name, value in wanted.items() if facts.get(name) != value]
        tap.ok(not wrong and "model_checksum" in facts and "history" in facts, "last.h5: root attributes", str(wrong))
        shapes = {"_bnorm.weight": (1,), "_bnorm.bias": (1,), "_bnorm.running_mean": (1,), "_bnorm.running_var": (1,),
                  "_bnorm.num_batches_tracked": (), "_m1.0.weight": (2, 1, 3, 3), "_m1.0.bias": (2,),
                  "_m2.0.weight": (4, 1, 3, 3), "_m2.0.bias": (4,), "_m2T.0.weight": (4, 1, 3, 3), "_m2T.0.bias": (2,),
                  "_m1T.0.weight": (2, 1, 3, 3), "_m1T.0.bias": (1,)}
        state = {name[len("state_dict/"):]: data for name, data in cases.datasets(model).items()
                 if name.startswith("state_dict/")}
        tap.ok({name: data.shape for name, data in state.items()} == shapes
               and state["_bnorm.num_batches_tracked"].dtype == np.int64
               and all(data.dtype == np.float32 for name, data in state.items() if not name.endswith("tracked")),
               "last.h5: the original's names, shapes and kinds", str({k: v.shape for k, v in state.items()}))
        good("info of a model", ["info", model])
        good("info of a map", ["info", place("map_patch.h5")])

        losses = {}
        for split in ("train", "valid", "test"):
            result = good("test --split " + split, ["test", "--survey", survey, "--model", model, "--split", split]
                          + ["--set", "patch.stride=2"])
            match = re.search(r"^%s_loss (\S+)$" % split, result.out, re.M)
            losses[split] = float(match.group(1)) if match else np.nan
        tap.ok(cases.largest_relative(losses["valid"], epochs[-1]["val_loss"]) < 1e-6,
               "test --split valid is the last epoch's val_loss", "%s, %s" % (losses, epochs[-1]))
        tap.ok(0 < losses["test"] < 1 and 0 < losses["train"] < 1, "test prints the other splits' losses", str(losses))

        predicted = place("predicted.h5")
        good("apply", ["apply", "--survey", survey, "--model", model, "--output", predicted])
        good("info --verify of a prediction", ["info", "--verify", predicted])
        before, after = cases.read_gathers(survey), cases.read_gathers(predicted)
        correlations = [np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(before, after)]
        print("# correlation of prediction and input: %.3f to %.3f" % (min(correlations), max(correlations)))
        tap.ok(min(correlations) > 0.5 and max(correlations) < 0.99999, "apply: a prediction is near its input, not it",
               str(correlations))
        exported = place("exported")
        good("export", ["export", "--survey", predicted, "--output", exported])
        data = cases.datasets(predicted)
        names = ["gather_inline_%d_crossline_%d.npy" % position
                 for position in zip(data["ensemble/inline"], data["ensemble/crossline"])]
        tap.ok(sorted(names) == sorted(os.listdir(exported)), "export: names of the files", str(os.listdir(exported)))
        tap.ok(all(np.array_equal(np.load(os.path.join(exported, name)), gather) for name, gather in zip(names, after)
                   if os.path.exists(os.path.join(exported, name))), "export: the gathers, bit by bit")
        few = place("few")
        good("export --ensembles", ["export", "--survey", predicted, "--output", few, "--ensembles", "#2,#5-#6"])
        tap.ok(sorted(os.listdir(few)) == sorted(names[e] for e in (2, 5, 6)), "export --ensembles: those alone")

        repeated = place("repeated.h5")
        good("consolidate two folders of the same positions",
             ["consolidate", "--output", repeated, npy, os.path.join(place("synth"), "clean")])
        good("export of repeated positions", ["export", "--survey", repeated, "--output", place("numbered")])
        found = sorted(os.listdir(place("numbered")))
        numbers = [re.fullmatch(r"gather_(\d+)\.npy", name) for name in found]
        tap.ok(all(numbers) and [int(number.group(1)) for number in numbers] == list(range(2 * INLINES * CROSSLINES))
               and len(set(map(len, found))) == 1,
               "export: numbers where positions are repeated", str(found))
        tap.ok(not [name for name in os.listdir(folder) if name.endswith((".part", ".tmp"))], "nothing half is left")
    tap.done()


if __name__ == "__main__":
    main()
