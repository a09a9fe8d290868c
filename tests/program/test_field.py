"""The road on field records: the 12 East Texas shots (33 x 1501) of the data folder (tap.DATA). Skips, saying so,
where they are not there. Small: patch.stride 4, few patches an epoch, one gather predicted."""
import os
import pathlib
import tempfile

import numpy as np

import cases
import tap


def main():
    files = sorted(str(path) for path in (tap.data("gathers") or pathlib.Path()).glob("easttexas_shot_*.npy"))
    if len(files) != 12:
        tap.skip("the road on field records", "SEISDCN_DATA names no folder with gathers/easttexas_shot_*.npy")
        tap.done()
    with tempfile.TemporaryDirectory() as folder:
        survey, trained, predicted, exported = (os.path.join(folder, name)
                                                for name in ("survey.h5", "trained", "predicted.h5", "exported"))
        result = tap.run("consolidate", "--output", survey, "--interval-us", "2000", *files, ranks=2)
        tap.ok(result.status == 0, "consolidate", result)
        gathers = cases.read_gathers(survey)
        tap.ok([gather.shape for gather in gathers] == [(33, 1501)] * 12
               and all(np.array_equal(gather, np.load(file)) for gather, file in zip(gathers, files)),
               "the survey holds the 12 records, bit by bit")
        result = tap.run("index", "--survey", survey, "--output", os.path.join(folder, "map.h5"),
                          "--set", "patch.stride=4", ranks=2)
        tap.ok(result.status == 0, "index", result)
        facts = cases.attributes(os.path.join(folder, "map.h5"))
        patches = 1 * len(range(0, 1501 - 32 + 1, 4))  # 33 traces, patch 32, stride 4: one row of windows
        tap.ok([facts.get("n_" + name) for name in ("train", "valid", "test")]
               == [count * patches for count in (7, 2, 3)], "7, 2 and 3 gathers to train, validate and test", str(facts))

        result = tap.run("train", "--survey", survey, "--output", trained, "--set", "patch.stride=4",
                          "--set", "train.max_epochs=3", "--set", "train.max_patches_per_epoch=1280",
                          "--set", "train.max_valid_patches=256", "--set", "train.batch_size=64", ranks=2, seconds=120)
        if tap.ok(result.status == 0, "train", result):
            _, _, epochs = cases.read_metrics(trained)
            losses = [row["val_loss"] for row in epochs]
            tap.ok(len(losses) == 3 and losses[2] < losses[0], "the validation loss falls", str(losses))
            print("# validation loss %s" % ", ".join("%.4f" % loss for loss in losses))
            result = tap.run("apply", "--survey", survey, "--model", os.path.join(trained, "best.h5"),
                              "--output", predicted, "--ensembles", "#0", ranks=2, seconds=240)
            tap.ok(result.status == 0, "apply", result)
            result = tap.run("export", "--survey", predicted, "--output", exported, "--ensembles", "#0", ranks=2)
            tap.ok(result.status == 0 and len(os.listdir(exported)) == 1, "export", result)
            found = np.load(os.path.join(exported, os.listdir(exported)[0]))
            correlation = np.corrcoef(found.ravel(), gathers[0].ravel())[0, 1]
            print("# correlation of prediction and input: %.3f" % correlation)
            tap.ok(found.shape == (33, 1501) and np.isfinite(found).all() and 0.3 < correlation < 0.99999,
                   "the prediction is near the record, and not it", "%.4f" % correlation)
    tap.done()


if __name__ == "__main__":
    main()
