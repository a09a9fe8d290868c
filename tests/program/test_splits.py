"""What is said of a split is so: qc --split counts its gathers alone, info lists them, predictions keep the model's, and a
map that deals otherwise than a model was trained with is warned of; on 1 and 3 ranks alike (1: without mpirun, which starts sooner)."""
import csv
import os
import re
import shutil

import h5py
import numpy as np

import cases
import tap

os.environ["OMPI_MCA_ess_singleton_isolated"] = "1"  # a run without mpirun starts sooner
place = tap.folder()
random = np.random.RandomState(7)


def at(name):
    return str(place / name)


def run(*words, ranks=0):
    result = tap.run(*words, ranks=ranks)
    if result.status != 0:
        tap.ok(False, " ".join(map(str, words[:4])), result)
    return result


# 4 inlines of 5 gathers, of which #7 is smaller than a patch and #11 is dead
gathers = [random.standard_normal((6 if e == 7 else 12, 40)).astype(np.float32) for e in range(20)]
gathers[11][:] = 0
os.makedirs(at("npy"))
for e, gather in enumerate(gathers):
    np.save(at("npy/x_inline_%d_crossline_%d.npy" % (100 + e // 5, 200 + e % 5)), gather)
survey, model, predicted = at("survey.h5"), at("run/best.h5"), at("predicted.h5")
SIZE = ["--set", "patch.size=8"]
TRAIN = [*SIZE, "--set", "patch.stride=4", "--set", "network.levels=1", "--set", "train.max_steps=1"]
run("consolidate", "--output", survey, "--interval-us", "4000", at("npy"))
run("train", "--survey", survey, "--output", at("run"), *TRAIN)
run("apply", "--survey", survey, "--model", model, "--output", predicted)
run("mean", "--survey", survey, "--output", at("mean.h5"))


def index(name, *sets, ranks=0):
    """A map's path, and the gathers of each of its splits by the rows themselves."""
    words = [word for pair in sets for word in ("--set", pair)]
    run("index", "--survey", survey, "--output", at(name), *SIZE, *words, "--materialize", ranks=ranks)
    with h5py.File(at(name)) as file:
        return at(name), {split: sorted(set(file[split][:, 0].tolist())) for split in ("train", "valid", "test")}


def listed(text, label):
    """The gathers of a line of info: `test:  #3, #7-#9 (4 gathers)`."""
    found = re.search(r"^ +%s: +(\S.*) \((\d[\d,]*) gathers?\)$" % label, text, re.M)
    if not found:
        return []
    numbers = []
    for part in found.group(1).split(", "):
        first, _, last = part.replace("#", "").partition("-")
        numbers += range(int(first), int(last or first) + 1)
    return numbers if len(numbers) == int(found.group(2).replace(",", "")) else None


def qc(*words, ranks=0):
    """The result of a qc, the gathers that counted, and what its CSV says of them."""
    for name in ("q.csv", "g.csv"):
        if os.path.exists(at(name)):
            os.remove(at(name))
    result = tap.run("qc", "--survey", survey, *words, "--csv", at("q.csv"), "--gathers", at("g.csv"), ranks=ranks)
    if result.status != 0:
        return result, None, None
    with open(at("g.csv"), newline="") as file:
        counted = sorted({int(row["gather"]) for row in csv.DictReader(file)})
    with open(at("q.csv"), newline="") as file:
        head = list(csv.reader(file))[1]
    return result, counted, head


# ---- a map tells its gathers ----

own, splits = index("own.h5")
inline, inline_splits = index("inline.h5", "split.by=inline", "split.seed=3", ranks=3)
patch, _ = index("patch.h5", "split.by=patch")
live, live_splits = index("live.h5", "patch.min_live=0.1", "split.seed=2", ranks=3)
for path, wanted in ((own, splits), (inline, inline_splits), (live, live_splits)):
    with h5py.File(path) as file:
        labels = file["ensemble/split"][()]
        tap.ok(labels.dtype == np.uint8 and len(labels) == 20
               and all([int(e) for e in np.flatnonzero(labels == value)] == wanted[split]
                       for value, split in ((1, "train"), (2, "valid"), (4, "test"))), path + ": a label for each gather", labels)
        tap.ok("1 train, 2 valid, 4 test" in file["ensemble/split"].attrs["values"], "which says what it means")
    without = sorted(set(range(20)) - set(sum(wanted.values(), [])))
    bare = path.replace(".h5", "_bare.h5")
    shutil.copy(path, bare)
    with h5py.File(bare, "a") as file:
        for name in ("train", "valid", "test"):
            del file[name]
    for name, ranks in ((path, 0), (bare, 3)):
        text = run("info", name, ranks=ranks).out
        tap.ok({split: listed(text, split) for split in wanted} == wanted
               and (name != bare or listed(text, "no patches") == without), "info lists them: " + name, text)
tap.ok(7 not in sum(splits.values(), []) and 11 in sum(splits.values(), []) and 11 not in sum(live_splits.values(), []),
       "neither small gathers nor, with min_live, dead ones", (splits, live_splits))
wanted = sorted({100 + e // 5 for e in inline_splits["test"]})
tap.ok(re.search(r"test: .*\n +%d \(1 inline\)" % wanted[0], run("info", inline).out) and len(wanted) == 1, "and whole inlines")
text = run("info", patch, ranks=3).out
tap.ok(listed(text, "train, valid, test") == [e for e in range(20) if e != 7] and not listed(text, "test"), "by patch: in all splits", text)
many = cases.write_map(at("many.h5"), 8, train=[(3 * i, 0, 0) for i in range(80000)], test=[(0, 0, 0), (1, 0, 0), (2, 1, 1)])
text = run("info", many, ranks=3).out
tap.ok(re.search(r"^  train: .*#96, \.\.\. 79,967 more \(79,999 gathers\)$", text, re.M) and listed(text, "test") == [1, 2]
       and listed(text, "train, test") == [0], "a map of another's rows; long lists are cut", text)
with h5py.File(many, "a") as file:
    file["valid"] = np.array([(1 << 40, 0, 0)])
tap.refused(tap.run("info", many, ranks=3), 4, "names ensemble 1099511627776", "a row of nowhere")

# ---- qc --split ----

with h5py.File(predicted) as file:
    kept = {name: file.attrs[name] for name in ("by", "test", "valid", "seed", "patch_size", "stride", "min_live")}
    kept_of = file.attrs["trained_survey_checksum"] == file.attrs["survey_checksum"]
tap.ok(kept == {"by": "ensemble", "test": 0.2, "valid": 0.1, "seed": 0, "patch_size": 8, "stride": 4, "min_live": 0} and kept_of,
       "a prediction keeps the model's split", kept)
texts = {}
for ranks in (0, 3):
    for split in ("test", "valid", "train"):
        for words in (("--predicted", at("mean.h5"), "--predicted", predicted), ("--predicted", at("mean.h5"), "--map", own)):
            result, counted, head = qc(*words, "--split", split, ranks=ranks)
            n = len(splits[split])
            tap.ok(counted == splits[split] and head[:5] == ["gathers", "split", split, "", ""] and {int(x) for x in head[5:]} == {n}
                   and "%d of 20 gathers (the split %s)" % (n, split) in result.out
                   and re.search(r"split %s of .*: %d gathers" % (split, n), result.err) and "warning" not in result.err,
                   "qc --split %s, %s, on %d ranks" % (split, " ".join(map(os.path.basename, words)), ranks), result)
            tap.ok(texts.setdefault((split, words), result.out) == result.out, "the same figures")
    result, counted, head = qc("--predicted", predicted, ranks=ranks)
    tap.ok(len(counted) == 20 and head == ["gathers", "survey", "", "", "", "20"] and "20 of 20 gathers," in result.out, "all without it")
    result, counted, _ = qc("--predicted", predicted, "--clean", survey, "--split", "train", "--ensembles", "#0-#9", ranks=ranks)
    tap.ok(counted == [e for e in splits["train"] if e < 10], "--split with --ensembles and --clean: what is in both", result)
    first = splits["test"][0]
    result, _, _ = qc("--predicted", predicted, "--split", "valid", "--ensembles", "#%d" % first, ranks=ranks)
    tap.refused(result, 4, "none of the gathers of the split valid is predicted in every file and among --ensembles", "nothing in both")
    result, counted, _ = qc("--predicted", predicted, "--split", "test", "--map", live, ranks=ranks)
    tap.ok(counted == live_splits["test"] and "warning: " + live + " deals the gathers otherwise than the model of " + predicted in result.err
           and "split.seed 2, not 0; patch.min_live 0.1, not 0" in result.err, "a map that deals otherwise is warned of", result)
    result, _, _ = qc("--predicted", at("mean.h5"), "--split", "test", ranks=ranks)
    tap.refused(result, 4, "mean.h5 does not keep the split of a model", "a prediction without a split")
    tap.ok("--map" in result.err, "the remedy is named")
    result, _, _ = qc("--predicted", predicted, "--split", "test", "--map", patch, ranks=ranks)
    tap.refused(result, 4, "by patch (split.by=patch)", "a split by patch has no gathers")
    tap.refused(qc("--predicted", predicted, "--split", "tset", ranks=ranks)[0], 2, "--split tset is not known", "no such split")
    tap.refused(qc("--predicted", predicted, "--map", own, ranks=ranks)[0], 2, "--map belongs to --split", "--map alone")
    rows = [(e, 0, 0) for e in splits["train"]] + [(first, 0, 0)]
    foreign = cases.write_map(at("foreign%d.h5" % ranks), 8, train=rows, test=[(first, 1, 0), (7 + 5, 2, 0), (first, 2, 3)])
    result, counted, _ = qc("--predicted", predicted, "--split", "test", "--map", foreign, ranks=ranks)
    tap.ok(counted is None if 12 in splits["train"] else counted == [12], "a map of rows: what has none to train", result)
    tap.refused(qc("--predicted", predicted, "--split", "valid", "--map", foreign, ranks=ranks)[0], 4, "has no gathers; choose another",
                "an empty split")
    tap.ok("split test" in result.err or "has no gathers of its own" in result.err, "says so", result)
rows = [(e, 0, 0) for e in range(10) if e != 7]
whole = cases.write_map(at("whole.h5"), 8, train=rows, test=[(12, 0, 0), (13, 1, 0), (3, 0, 0), (13, 1, 0)])
result, counted, _ = qc("--predicted", predicted, "--split", "test", "--map", whole, ranks=3)
tap.ok(counted == [12, 13] and "1 more with patches of other splits" in result.err and "can't be told" in result.err,
       "a map of rows: gathers of its own alone; it can't be told whether the model trained on them", result)

# labels that the rule does not give
for name, ranks in (("own", 0), ("live", 3)):
    bad = at(name + "_bad.h5")
    shutil.copy(at(name + "_bare.h5"), bad)
    with h5py.File(bad, "a") as file:
        file["ensemble/split"][19] = 4 if file["ensemble/split"][19] == 1 else 1
    tap.refused(tap.run("test", "--survey", survey, "--model", model, "--map", bad, ranks=ranks), 4,
                "/ensemble/split is not what its rule gives for this survey (from gather #19 on)", name + ": other labels are refused")

# predictions that disagree
run("train", "--survey", survey, "--output", at("seven"), *TRAIN, "--set", "split.seed=7")
run("apply", "--survey", survey, "--model", at("seven/best.h5"), "--output", at("seven.h5"))
tap.refused(qc("--predicted", predicted, "--predicted", at("seven.h5"), "--split", "test", ranks=3)[0], 4,
            "trained with different splits (split.seed 0, not 7)", "two models of different splits")
result, counted, _ = qc("--predicted", predicted, "--predicted", at("seven.h5"), "--split", "test", "--map", own, ranks=3)
tap.ok(counted == splits["test"] and result.err.count("warning") == 1 and "the model of " + at("seven.h5") in result.err, "a map decides", result)
other = [gather + 1 for gather in gathers]
cases.write_gathers(at("other"), other)
run("consolidate", "--output", at("other.h5"), at("other"))
run("train", "--survey", at("other.h5"), "--output", at("abroad"), *TRAIN)
run("apply", "--survey", survey, "--model", at("abroad/best.h5"), "--output", at("abroad.h5"))
tap.refused(qc("--predicted", at("abroad.h5"), "--split", "test", ranks=3)[0], 4, "trained on another survey", "a model of another survey")
old = at("old.h5")
shutil.copy(predicted, old)
with h5py.File(old, "a") as file:
    for name in kept:
        del file.attrs[name]
tap.refused(qc("--predicted", old, "--split", "test")[0], 4, "--map", "a prediction of an earlier version")
tap.refused(qc("--predicted", predicted, "--predicted", old, "--split", "test")[0], 4, "old.h5 was predicted by a model, but does not keep its split",
            "also beside one that tells")

# ---- a map and a model ----


def tested(*words, ranks=0):
    return run("test", "--survey", survey, *words, *SIZE, ranks=ranks)


with h5py.File(at("bare_model.h5"), "w") as to, h5py.File(model) as source:
    for name in ("format", "version", "n_chans", "k_mult", "levels", "patch_size"):
        to.attrs[name] = source.attrs[name]
    source.copy("state_dict", to)
for ranks in (0, 3):
    tap.ok("warning" not in tested("--model", model, "--map", own, ranks=ranks).err, "test with the model's own map says nothing")
    for path, said in ((inline, "split.by inline, not ensemble; split.seed 3, not 0"), (patch, "split.by patch, not ensemble"),
                       (live, "split.seed 2, not 0; patch.min_live 0.1, not 0")):
        result = tested("--model", model, "--map", path, ranks=ranks)
        tap.ok(result.err.count("warning") == 1 and "%s deals the gathers otherwise than %s was trained with (%s)" % (path, model, said)
               in result.err and "trained on some of the patches of test" in result.err and "test_loss" in result.out,
               "test with another is warned: " + said, result)
    result = tested("--model", model, "--map", whole, ranks=ranks)
    tap.ok(result.err.count("warning") == 1 and whole + " does not say by which rule" in result.err and "can't be told" in result.err,
           "with a map that does not say its rule", result)
    result = tested("--model", at("bare_model.h5"), "--map", own, ranks=ranks)
    tap.ok(result.err.count("warning") == 1 and "bare_model.h5 does not say by which rule" in result.err, "with a model that does not", result)
    result = tested("--model", at("abroad/best.h5"), "--map", own, ranks=ranks)
    tap.ok(result.err.count("warning") == 1 and "abroad/best.h5 was trained on another survey than that of " + own in result.err,
           "with a model of another survey", result)
run("train", "--survey", survey, "--output", at("rows"), *TRAIN, "--map", whole)
tap.ok("warning" not in tested("--model", at("rows/best.h5"), "--map", whole, ranks=3).err, "a model knows the map of rows that it was trained with")
tap.ok("not told: a map of rows" in run("info", at("rows/best.h5")).out, "info of it says that its rule is not told")
result = tap.run("compare", at("run"), at("seven"), "--survey", survey, "--map", own, ranks=3)
tap.ok(result.status == 0 and result.err.count("deals the gathers otherwise") == 1 and at("seven/best.h5") in result.err,
       "compare --map: of the model that was split otherwise", result)
for number, (words, warned) in enumerate(((("--set", "split.seed=7"), "the configuration deals the gathers otherwise"), ((), None),
                                          (("--map", inline), inline + " deals the gathers otherwise"), (("--map", own), None))):
    result = run("train", "--survey", survey, "--output", at("init%d" % number), "--init", model, *(TRAIN[4:] if "--map" in words else TRAIN),
                 *words, ranks=(0, 3)[number % 2])
    tap.ok("held out here" in result.err and warned in result.err if warned else "otherwise" not in result.err,
           "train --init: " + (warned or "the same split"), result)
result = run("train", "--survey", survey, "--output", at("moved"), "--init", at("abroad/best.h5"), *TRAIN, "--set", "split.seed=7")
tap.ok("warning" not in result.err, "train --init of a model of another survey", result)

# split.by=patch, tested on the grid that it was dealt on
run("train", "--survey", survey, "--output", at("dealt"), *TRAIN, "--set", "split.by=patch")
result = tested("--model", at("dealt/best.h5"), ranks=3)
tap.ok("stride 4" in result.err, "test takes the stride of a split by patch from the model", result)
tap.refused(tap.run("test", "--survey", survey, "--model", at("dealt/best.h5"), "--set", "patch.stride=8"), 3, "patch.stride", "a contrary one")
run("apply", "--survey", survey, "--model", at("dealt/best.h5"), "--output", at("dealt.h5"))
tap.refused(qc("--predicted", at("dealt.h5"), "--split", "test", ranks=3)[0], 4, "by patch (split.by=patch)", "qc --split by a model of it")

# ---- info of models and predictions ----

for ranks in (0, 3):
    tap.ok("by ensemble, test 0.2, valid 0.1, seed 0, of the model" in run("info", predicted, ranks=ranks).out
           and "by ensemble, test 0.2, valid 0.1, seed 7" in run("info", at("seven/best.h5"), ranks=ranks).out
           and "of the model, on another survey" in run("info", at("abroad.h5"), ranks=ranks).out, "info names the split")
tap.done()
