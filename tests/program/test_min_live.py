"""patch.min_live leaves dead patches out of the map: the same ones whoever counts them, on any number of ranks, implicit or
materialised, and resumed; without it the map is what it was. And a split that is dead is told."""
import os
import re

import h5py
import numpy as np

import cases
import tap

FOLDER = str(tap.folder())
SIZE, STRIDE, SAMPLES = 12, 3, 70


def patches_of(stride):
    return ["--set", "patch.size=%d" % SIZE, "--set", "patch.stride=%d" % stride, "--set", "network.levels=2"]


PATCH = patches_of(STRIDE)
TRAIN = [*PATCH, "--set", "train.batch_size=16", "--set", "train.max_epochs=2", "--set", "train.shards=8", "--set",
         "train.log_every_steps=1"]
SPLITS = ("train", "valid", "test")


def at(name):
    return os.path.join(FOLDER, name)


def gathers():
    """Gathers of all kinds: full, muted, with dead traces, padded at the bottom, of zeros, smaller than a patch."""
    random = np.random.RandomState(3)
    made = [random.standard_normal((fold, SAMPLES)) for fold in (30, 41, 25, 33, 38, 9, 27, 35, 12, 31, 29, 26)]
    for trace in range(30):
        made[0][trace, :2 * trace] = 0
    made[1][7:30] = 0
    made[2][:, 40:] = 0
    made[3][:] = 0
    made[4][::2] = 0
    made[6][5:, 8:] = 0
    made[9][:, ::3] = 0
    made[11][:] = 0
    made[11][20, 30] = 1
    return [gather.astype(np.float32) for gather in made]


def live_patches(gather, share, stride):
    """(first trace, first sample) of the patches that are live by definition."""
    return [(t, s) for t in range(0, gather.shape[0] - SIZE + 1, stride) for s in range(0, SAMPLES - SIZE + 1, stride)
            if np.count_nonzero(gather[t:t + SIZE, s:s + SIZE]) >= max(share * SIZE * SIZE, 1)]


def rows_of(path):
    with h5py.File(path) as file:
        return {name: file[name][()] for name in SPLITS}


def maps(survey, data):
    for by, share, stride in (("ensemble", 1e-6, 3), ("ensemble", 2 / 3, SIZE + 3), ("patch", 0.3, 1), ("patch", 1, 3)):
        name = "by %s, min_live %g, stride %d" % (by, share, stride)
        options = [*patches_of(stride), "--set", "split.by=" + by, "--set", "patch.min_live=%.17g" % share, "--materialize"]
        made = []
        for ranks in (0, 3, 14) if stride == 1 else (0, 3):
            path = at("map_%s_%g_%d.h5" % (by, share, ranks))
            result = tap.run("index", "--survey", survey, "--output", path, *options, ranks=ranks)
            if not tap.runs(result, "%s: index on %d ranks" % (name, ranks)):
                return
            made.append(rows_of(path))
        same = all(np.array_equal(made[0][split], other[split]) for other in made[1:] for split in SPLITS)
        tap.ok(same, name + ": the same rows on any number of ranks")
        wanted = {(e, t, s) for e, gather in enumerate(data) for t, s in live_patches(gather, share, stride)}
        got = [tuple(row) for split in SPLITS for row in made[0][split]]
        tap.ok(len(got) == len(wanted) and set(got) == wanted, name + ": all live patches, each in one split",
               "%d of %d" % (len(got), len(wanted)))
        n = len(wanted) if by == "patch" else len({row[0] for row in wanted})
        dealt = {split: len(made[0][split] if by == "patch" else {row[0] for row in made[0][split]}) for split in SPLITS}
        tap.ok(dealt["valid"] == np.ceil(0.1 * n) and dealt["test"] == np.ceil(0.2 * n),
               name + ": the rule's shares of what is live", dealt)
        tap.ok(cases.attributes(path)["min_live"] == share, name + ": the map says it")


def trainings(survey):
    """Implicit, from an implicit map, from the same map materialised, on other numbers of ranks, unshuffled, resumed."""
    for by, shuffle in (("ensemble", "true"), ("patch", "true"), ("patch", "false")):
        options = [*TRAIN, "--set", "split.by=" + by, "--set", "train.shuffle=" + shuffle]
        mine = ["--set", "patch.min_live=0.3"]
        name, key = "by %s, shuffle %s" % (by, shuffle), "%s_%s" % (by, shuffle)
        for kind, more in (("rule", []), ("rows", ["--materialize"])):
            tap.runs(tap.run("index", "--survey", survey, "--output", at(key + kind + ".h5"), *PATCH, "--set", "split.by=" + by,
                             *mine, *more), "%s: its map of %s" % (name, kind))
        ways = (("alone", mine, 0), ("the map's rule", ["--map", at(key + "rule.h5")], 3),
                ("the map's rows", ["--map", at(key + "rows.h5")], 3))
        losses = []
        for i, (what, source, ranks) in enumerate(ways):
            result = tap.run("train", "--survey", survey, "--output", at(key + str(i)), *options, *source, ranks=ranks)
            if tap.runs(result, "%s: training, %s" % (name, what)):
                losses.append([{**row, "patches_per_second": None} for part in cases.read_metrics(at(key + str(i)))[1:]
                               for row in part])
        tap.ok(len(losses) == 3 and losses[0] == losses[1] == losses[2] and len(losses[0]) > 4,
               name + ": the same losses to the digit", losses)
    tap.refused(tap.run("train", "--survey", survey, "--output", at("contrary"), *TRAIN, "--map", at("ensemble_truerule.h5"),
                        "--set", "patch.min_live=0.5", ranks=3), 3, "patch.min_live", "a contrary key")
    more = ["--set", "train.max_epochs=3"]
    result = tap.run("train", "--survey", survey, "--output", at("ensemble_true0"), "--resume", *more, ranks=2)
    tap.runs(result, "a resume knows it")
    result = tap.run("train", "--survey", survey, "--output", at("whole"), *TRAIN, *more, "--set", "patch.min_live=0.3")
    rows = [cases.read_metrics(at(folder))[2] for folder in ("ensemble_true0", "whole")]
    tap.ok([row["val_loss"] for row in rows[0]] == [row["val_loss"] for row in rows[1]], "and ends as if it had not stopped", rows)
    tap.refused(tap.run("train", "--survey", survey, "--output", at("ensemble_true0"), "--resume", "--set", "train.max_epochs=4",
                        "--set", "patch.min_live=0.4"), 3, "patch.min_live", "a resume with another")
    model = at("whole/best.h5")
    tap.ok(cases.attributes(model)["min_live"] == 0.3, "the model says it", cases.attributes(model))
    losses = [tap.run("test", "--survey", survey, "--model", model, *PATCH, *options, ranks=ranks)
              for ranks, options in ((0, []), (3, []), (2, ["--map", at("ensemble_truerule.h5")]), (3, ["--map", at("ensemble_truerows.h5")]))]
    tap.ok(all(r.status == 0 and r.out == losses[0].out for r in losses), "test takes the model's, or the map's",
           "\n".join(map(str, losses)))
    tap.refused(tap.run("test", "--survey", survey, "--model", model, *PATCH, "--set", "patch.min_live=0"), 3,
                "patch.min_live", "test with a contrary key")


def refusals(folder, survey):
    tap.refused(tap.run("index", "--survey", survey, "--output", at("no.h5"), "--set", "patch.min_live=1.5"), 3, "min_live",
                "a share above 1")
    zeros = cases.write_gathers(at("zeros"), [np.zeros((20, SAMPLES), np.float32)] * 5)
    tap.runs(tap.run("consolidate", "--output", at("zeros.h5"), zeros), "a survey of zeros")
    for ranks in (0, 3):
        tap.refused(tap.run("index", "--survey", at("zeros.h5"), "--output", at("no.h5"), *PATCH, "--set", "patch.min_live=0.1",
                            ranks=ranks), 4, "no patch of the survey is live", "nothing live, %d ranks" % ranks)
    full = [np.ones((20, SAMPLES), np.float32)] * 5
    tap.runs(tap.run("consolidate", "--output", at("full.h5"), cases.write_gathers(at("full"), full)), "a survey without zeros")
    results = [tap.run("index", "--survey", at("full.h5"), "--output", at("full_%s.h5" % share), *PATCH, "--materialize", "--set",
                       "patch.min_live=" + share, ranks=2) for share in ("0", "1")]
    rows = [rows_of(at("full_%s.h5" % share)) for share in ("0", "1")]
    tap.ok(results[0].out == results[1].out and all(np.array_equal(rows[0][split], rows[1][split]) for split in SPLITS),
           "where all is live the map is that without", results[1])


def dead_splits():
    """One gather validates, and it is dead, or nearly, or not."""
    random = np.random.RandomState(5)
    data = [random.standard_normal((20, SAMPLES)).astype(np.float32) for _ in range(6)]
    tap.runs(tap.run("consolidate", "--output", at("six.h5"), cases.write_gathers(at("six"), data)), "a survey of six gathers")
    tap.runs(tap.run("index", "--survey", at("six.h5"), "--output", at("six_map.h5"), *PATCH, "--materialize"), "its map")
    rows = rows_of(at("six_map.h5"))
    held = {split: sorted(set(rows[split][:, 0].tolist())) for split in SPLITS}
    model = None
    for split in ("valid", "test", "train"):
        for kind in ("dead", "mostly"):
            name = "%s_%s" % (split, kind)
            spoilt = [gather.copy() for gather in data]
            for e in held[split]:
                spoilt[e][:, 0 if kind == "dead" else 25:] = 0
            survey = at(name + ".h5")
            tap.runs(tap.run("consolidate", "--output", survey, cases.write_gathers(at(name), spoilt)), name + ": a survey")
            for ranks in ((0, 3) if kind == "dead" else (3,)):
                on = "on %d ranks" % ranks if ranks else "alone"
                index = tap.run("index", "--force", "--survey", survey, "--output", at("no.h5"), *PATCH, ranks=ranks)
                train = tap.run("train", "--force", "--survey", survey, "--output", at(name + "_trained"), *TRAIN, ranks=ranks)
                words = "all patches of the split %s are dead" % split
                if kind == "mostly":
                    told = index.err.count("%% of the patches of the split %s are dead" % split)
                    tap.ok(index.status == 0 and told == 1, "%s: index warns, %s" % (name, on), index)
                    tap.ok(train.status == 0 and (split == "test" or "of the split %s are dead" % split in train.err),
                           "%s: train warns, %s" % (name, on), train)
                    continue
                tap.refused(index, 4, words, "%s: index refuses, %s" % (name, on))
                tap.ok("gather #%d" % held[split][0] in index.err and "split.seed" in index.err
                       and "patch.min_live" in index.err, "%s: names the gather and the remedies, %s" % (name, on), index)
                if split == "test":
                    tap.runs(train, "%s: training needs no test, %s" % (name, on))
                    model = at(name + "_trained/best.h5")
                    tap.refused(tap.run("test", "--survey", survey, "--model", model, *PATCH, ranks=ranks), 4, words,
                                "%s: test refuses, %s" % (name, on))
                else:
                    tap.refused(train, 4, words, "%s: train refuses, %s" % (name, on))
                    tap.ok(not os.path.exists(at(name + "_trained/best.h5")), "%s: no model, %s" % (name, on))
            if kind == "dead" and split != "train":
                result = tap.run("train", "--force", "--survey", survey, "--output", at(name + "_trained"), *TRAIN, "--set",
                                 "patch.min_live=0.1", ranks=3)
                tap.ok(result.status == 0 and re.search("ha(s|ve) no patch with a share", result.err), name + ": min_live is a remedy", result)
    # the rows of a user's map, and a limit that takes only some
    spoilt = [gather.copy() for gather in data]
    spoilt[0][:] = 0
    tap.runs(tap.run("consolidate", "--output", at("user.h5"), cases.write_gathers(at("user"), spoilt)), "a survey with one dead gather")
    cases.write_map(at("user_map.h5"), SIZE, train=[[1, 0, 0], [2, 3, 5]], valid=[[0, 0, 0], [0, 4, 1]])
    for ranks in (0, 3):
        tap.refused(tap.run("train", "--survey", at("user.h5"), "--output", at("user_trained"), "--map", at("user_map.h5"), *TRAIN,
                            "--set", "patch.stride=1", ranks=ranks), 4, "all patches of the split valid are dead", "a user's own rows")


def main():
    data = gathers()
    survey = at("survey.h5")
    tap.runs(tap.run("consolidate", "--output", survey, cases.write_gathers(at("gathers"), data), ranks=2), "a survey")
    maps(survey, data)
    trainings(survey)
    refusals(FOLDER, survey)
    dead_splits()
    tap.done()


if __name__ == "__main__":
    main()
