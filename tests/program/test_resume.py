"""A training that stopped and goes on: the bits of one that never stopped, on other numbers of ranks and within an epoch;
damaged checkpoints; what a resumed training may change; what it writes."""
import concurrent.futures
import os
import shutil
import tempfile

import numpy as np

import cases
import tap
import training
from training import SMALL, sets, train

USAGE, CONFIG, DATA = 2, 3, 4


def hops(survey, folder, name, words, stops=((5, 1), (13, 3), (15, 2), (28, 4)), last=7):
    """A training that ends after a few steps and goes on with more, each time on another number of ranks, is that which
    went through."""
    whole, pieces = os.path.join(folder, name + "_whole"), os.path.join(folder, name + "_pieces")
    reference = train(survey, whole, *words, ranks=2)
    if not tap.runs(reference, "%s: through" % name):
        return
    for step, ranks in stops:
        result = train(survey, pieces, *words, "--resume", *sets(max_steps=step), ranks=ranks)
        tap.ok(result.status == 0 and training.checkpoints(pieces)[-1] == "step_%d.h5" % step,
               "%s: to step %d on %d ranks" % (name, step, ranks), result)
    result = train(survey, pieces, *words, "--resume", *sets(max_steps=0), ranks=last)
    tap.ok(result.status == 0 and "step_%d.h5" % stops[-1][0] in result.err, "%s: goes on on %d ranks" % (name, last), result)
    training.same(whole, pieces, "%s: the bits of the training that went through" % name, result)


def variants(survey, folder):
    gathers = cases.read_gathers(survey)
    rows = cases.random_rows(np.random.RandomState(3), gathers, 16, 350)
    index = cases.write_map(os.path.join(folder, "map.h5"), 16, train=rows, valid=rows[:40])
    short = ((7, 3), (20, 1))
    hops(survey, folder, "shuffled with dropout", SMALL)
    hops(survey, folder, "a map in its own order", SMALL + sets(shuffle="false") + ["--map", index], short, 3)
    hops(survey, folder, "a map shuffled", SMALL + ["--map", index], short, 2)
    hops(survey, folder, "the survey in its own order", SMALL + sets(shuffle="false"), short, 3)
    hops(survey, folder, "patches dealt one by one, in order", SMALL + sets(shuffle="false") + ["--set", "split.by=patch"],
         short, 2)
    hops(survey, folder, "blocks of gathers, ranks without any", SMALL + sets(block_gathers=2, shards=5), short, 7)
    hops(survey, folder, "a dense network", SMALL + ["--set", "network.mixing=full", "--set", "network.skip=add"], short, 3)
    hops(survey, folder, "epochs that end early", SMALL + sets(max_patches_per_epoch=200), short, 2)
    hops(survey, folder, "no validation", SMALL + ["--set", "split.valid=0"], short, 1)
    worse = training.worse_and_worse(survey, folder)  # 7 steps an epoch; ends behind the second
    hops(survey, folder, "early stopping", SMALL + worse + sets(early_stopping_patience=1, max_epochs=12), ((3, 3), (9, 1)), 2)


def an_early_best(survey, folder):
    """The best epoch lies before the stop, and no later one beats it: best.h5 comes out of the checkpoint."""
    words = SMALL + training.worse_and_worse(survey, folder) + sets(max_epochs=5)
    whole, pieces = os.path.join(folder, "early_best"), os.path.join(folder, "early_best_pieces")
    tap.runs(train(survey, whole, *words), "a training that does worse and worse where it validates")
    _, steps, epochs = cases.read_metrics(whole)
    losses = [row["val_loss"] for row in epochs]
    tap.ok(losses[0] < losses[1] < losses[-1], "whose best epoch is its first", losses)
    tap.runs(train(survey, pieces, *words, *sets(max_steps=2 * len(steps) // 5 + 3), ranks=2), "stopped in the third epoch")
    os.remove(os.path.join(pieces, "best.h5"))
    result = train(survey, pieces, *words, "--resume", *sets(max_steps=0))
    training.same(whole, pieces, "best.h5 is that of the epoch before the stop", result)


def limits(survey, folder):
    """A finished training, and more of it."""
    whole, other = os.path.join(folder, "five"), os.path.join(folder, "two_then_five")
    tap.runs(train(survey, whole, *SMALL, *sets(max_epochs=5)), "five epochs")
    tap.runs(train(survey, other, *SMALL, *sets(max_epochs=2), ranks=3), "two epochs")
    before = folder_state(other)
    for ranks in (0, 3):
        result = train(survey, other, *SMALL, "--resume", *sets(max_epochs=2), ranks=ranks)
        tap.ok(result.status == 0 and "is finished" in result.err and folder_state(other) == before,
               "a finished training says so and changes nothing, on %d ranks" % ranks, result)
    os.rename(os.path.join(other, "checkpoints", "step_30.h5"), os.path.join(folder, "step_30.h5"))
    result = train(survey, other, *SMALL, "--resume", *sets(max_epochs=2))
    tap.ok(result.status == 0 and "is finished" in result.err, "also one killed between last.h5 and its checkpoint", result)
    os.rename(os.path.join(folder, "step_30.h5"), os.path.join(other, "checkpoints", "step_30.h5"))
    result = train(survey, other, "--resume")
    tap.ok(result.status == 0 and "is finished" in result.err, "so it does without a word of its configuration", result)
    result = train(survey, other, "--resume", *sets(max_epochs=5), ranks=2)
    training.same(whole, other, "with more epochs, and no other word, it goes on to the same bits", result)
    stopped = os.path.join(folder, "patient")
    impatient = SMALL + training.worse_and_worse(survey, folder) + sets(early_stopping_patience=1, max_epochs=12)
    tap.runs(train(survey, stopped, *impatient), "a training that stops early")
    epochs = len(cases.read_metrics(stopped)[2])
    result = train(survey, stopped, *impatient, "--resume")
    tap.ok(epochs < 12 and result.status == 0 and "is finished" in result.err, "early stopping is an end too", result)
    result = train(survey, stopped, *impatient, "--resume", *sets(early_stopping_patience=20))
    tap.ok(result.status == 0 and len(cases.read_metrics(stopped)[2]) == 12, "with more patience it goes on", result)


def folder_state(folder):
    """Names, sizes, times and bytes of all below a folder."""
    found = {}
    for path, _, names in os.walk(folder):
        for name in names:
            full = os.path.join(path, name)
            with open(full, "rb") as file:
                found[full] = (os.stat(full).st_mtime_ns, os.stat(full).st_ino, file.read())
    return found


def beginnings(survey, folder):
    whole = os.path.join(folder, "begun")
    tap.runs(train(survey, whole, *SMALL), "from the beginning")
    missing, empty, killed = (os.path.join(folder, name) for name in ("missing", "empty", "killed"))
    os.mkdir(empty)
    os.makedirs(os.path.join(killed, "checkpoints"))
    for name in ("metrics.csv", "last.h5.part", "checkpoints/step_5.h5.part"):
        with open(os.path.join(killed, name), "w") as file:
            file.write("half")
    for place in (missing, empty, killed):
        result = train(survey, place, *SMALL, "--resume", ranks=2)
        tap.ok(result.status == 0 and "from the beginning" in result.err,
               "--resume begins where nothing stands: %s" % os.path.basename(place), result)
        training.same(whole, place, "and is the same training: %s" % os.path.basename(place))
        left = cases.leftovers(place, ["metrics.csv", "config.yaml", "last.h5", "best.h5", "checkpoints"])
        tap.ok(not left and len(training.checkpoints(place)) == 2, "two checkpoints, nothing half written", left)
    again = os.path.join(folder, "again")
    shutil.copytree(killed, again)
    result = train(survey, again, *SMALL, "--force", *sets(max_steps=7))
    tap.ok(result.status == 0 and training.checkpoints(again) == ["step_5.h5", "step_7.h5"],
           "--force leaves no old checkpoint", result)


def flip(path, at):
    with open(path, "r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ 0x10]))


def damage(survey, folder):
    whole, stopped = os.path.join(folder, "undamaged"), os.path.join(folder, "stopped")
    tap.runs(train(survey, whole, *SMALL), "a training to be damaged")
    tap.runs(train(survey, stopped, *SMALL, *sets(max_steps=12)), "stopped behind step 12")
    tap.ok(training.checkpoints(stopped) == ["step_10.h5", "step_12.h5"], "the last two checkpoints are kept",
           training.checkpoints(stopped))
    newest = os.path.join("checkpoints", "step_12.h5")
    spoilt = os.path.join(folder, "spoilt.h5")
    shutil.copy(os.path.join(stopped, newest), spoilt)
    result = tap.run("info", "--verify", spoilt, ranks=2)
    tap.ok(result.status == 0 and "every byte" in result.out, "info --verify reads every byte of a checkpoint", result)
    flip(spoilt, 100)
    tap.refused(tap.run("info", "--verify", spoilt, ranks=2), DATA, "spoilt.h5", "and finds one that was spoilt")
    size = os.path.getsize(os.path.join(stopped, newest))
    random = np.random.RandomState(1)
    spoil = {"byte %d" % at: (lambda path, at=at: flip(path, at))
             for at in [0, 77, 511, 512, size - 1, *random.randint(512, size, 6)]}
    spoil["the last byte is gone"] = lambda path: os.truncate(path, size - 1)
    spoil["half of it is gone"] = lambda path: os.truncate(path, size // 2)
    spoil["all of it is gone"] = lambda path: os.truncate(path, 0)
    spoil["it is something else"] = lambda path: shutil.copy(os.path.join(stopped, "best.h5"), path)

    def one(number, what):
        place = os.path.join(folder, "damaged_%d" % number)
        shutil.copytree(stopped, place)
        spoil[what](os.path.join(place, newest))
        os.remove(os.path.join(place, "last.h5"))
        result = train(survey, place, *SMALL, "--resume", *sets(max_steps=0))
        found = training.differences(whole, place) if result.status == 0 else ["it failed"]
        warned = [line for line in result.err.splitlines() if line.startswith("warning: ") and newest in line]
        return (not found and len(warned) == 1 and "step_10.h5: epoch 1, step 10" in result.err,
                "damaged, %s: a warning, the one before, the same bits" % what, "%s\n%s" % (found, result))

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for outcome in pool.map(one, range(len(spoil)), spoil):
            tap.ok(*outcome)
    last_serves(survey, folder, stopped, whole, newest)


def last_serves(survey, folder, stopped, whole, newest):
    place = os.path.join(folder, "last_serves")
    shutil.copytree(stopped, place)
    flip(os.path.join(place, newest), 5000)
    result = train(survey, place, *SMALL, "--resume", *sets(max_steps=0), ranks=3)
    tap.ok(result.status == 0 and "going on from %s/last.h5: epoch 1, step 12" % place in result.err,
           "a newer last.h5 serves", result)
    training.same(whole, place, "and gives the same bits")
    place = os.path.join(folder, "none_whole")
    shutil.copytree(stopped, place)
    for name in (newest, "checkpoints/step_10.h5", "last.h5"):
        flip(os.path.join(place, name), 3000)
    for ranks in (0, 3):
        result = train(survey, place, *SMALL, "--resume", ranks=ranks)
        tap.refused(result, DATA, "no whole checkpoint", "no whole checkpoint is an error, on %d ranks" % ranks)
        tap.ok(result.err.count("warning: ") == 3, "each damaged one is named once", result)


def rows(survey, folder):
    """metrics.csv is cut back to the checkpoint."""
    whole, place = os.path.join(folder, "rows_whole"), os.path.join(folder, "rows")
    tap.runs(train(survey, whole, *SMALL), "rows to compare with")
    tap.runs(train(survey, place, *SMALL, *sets(max_steps=23)), "stopped behind step 23")
    says = training.attributes_below(os.path.join(place, "last.h5"))
    wanted = {"epoch": 2, "step": 23, "training/epoch_step": 8, "training/epoch_ended": 0, "training/closed": 1,
              "training/best_epoch": 1, "training/epochs_since_best": 0, "training/metrics_rows": 24}
    found = {name: int(says.get(name, says.get("/" + name, -1))) for name in wanted}
    tap.ok(found == wanted, "the validation where a run stops does not count for one that goes on", found)
    for name in ("last.h5", "checkpoints/step_23.h5"):
        os.remove(os.path.join(place, name))
    with open(os.path.join(place, "metrics.csv"), "ab") as file:
        file.write(b"2,24,0.1,,,0.004,9\n2,2\0\0\0\0")  # as a crash of the machine may leave it
    os.remove(os.path.join(place, "best.h5"))
    result = train(survey, place, *SMALL, "--resume", *sets(max_steps=0), ranks=3)
    tap.ok(result.status == 0 and "step_20.h5" in result.err and "warning: " not in result.err.replace(
        "warning: train.batch_size", ""), "goes on behind step 20", result)
    training.same(whole, place, "rows behind the checkpoint go, also a torn one; best.h5 comes back")
    gone = os.path.join(folder, "rows_gone")
    tap.runs(train(survey, gone, *SMALL, *sets(max_steps=23)), "another one")
    with open(os.path.join(gone, "metrics.csv")) as file:
        lines = file.readlines()
    with open(os.path.join(gone, "metrics.csv"), "w") as file:
        file.writelines(lines[:9] + lines[11:])
    result = train(survey, gone, *SMALL, "--resume", *sets(max_steps=0))
    tap.ok(result.status == 0 and "has 22 of the 24 rows" in result.err, "missing rows are said", result)
    none = os.path.join(folder, "rows_none")
    tap.runs(train(survey, none, *SMALL, *sets(max_steps=18, log_every_steps=0)), "rows of epochs only")
    tap.ok([line.split(",")[0] for line in training.metrics(none)] == ["epoch", "1", "2"], "which are two")


def changes(survey, folder):
    place = os.path.join(folder, "changes")
    tap.runs(train(survey, place, *SMALL, *sets(max_steps=20)), "a training to be changed")
    before = folder_state(place)
    other = os.path.join(folder, "other.h5")
    gathers = cases.write_gathers(os.path.join(folder, "other"), [g[:, ::-1] for g in cases.read_gathers(survey)])
    tap.runs(tap.run("consolidate", "--output", other, gathers), "another survey")
    index = cases.write_map(os.path.join(folder, "small_map.h5"), 16, train=[(0, 0, 0), (1, 1, 1)])
    model = os.path.join(place, "best.h5")
    words = {
        "train.batch_size": sets(batch_size=32), "train.learning_rate": sets(learning_rate=0.001),
        "train.seed": sets(seed=1), "train.shuffle": sets(shuffle="false"), "train.shards": sets(shards=16),
        "train.block_gathers": sets(block_gathers=1), "train.max_valid_patches": sets(max_valid_patches=10),
        "train.max_patches_per_epoch": sets(max_patches_per_epoch=100), "network.dropout": ["--set", "network.dropout=0.2"],
        "split.seed": ["--set", "split.seed=9"], "split.by": ["--set", "split.by=patch"],
        "patch.stride": ["--set", "patch.stride=2"], "patch.size": ["--set", "patch.size=12"],
    }
    jobs = [(CONFIG, [key, " is ", " was ", "--allow-change " + key], more) for key, more in words.items()]
    jobs += [(CONFIG, ["network.k_mult", "would not fit"], ["--set", "network.k_mult=3"]),
             (CONFIG, ["network.mixing", "would not fit"], ["--set", "network.mixing=full"]),
             (CONFIG, ["train.seed is 1 and was 0", "train.batch_size is 32 and was 24"], sets(seed=1, batch_size=32)),
             (CONFIG, ["survey", "--allow-change survey"], ["--survey", other]),
             (CONFIG, ["map", "--allow-change map"], ["--map", index]),
             (USAGE, ["--init"], ["--init", model]),
             (USAGE, ["--force"], ["--force"]),
             (USAGE, ["train.lerning_rate", "train.learning_rate"], ["--allow-change", "train.lerning_rate"]),
             (USAGE, ["network.levels"], ["--allow-change", "network.levels"])]

    def one(job):
        status, wanted, more = job
        result = tap.run("train", "--output", place, *([] if "--survey" in more else ["--survey", survey]), *SMALL,
                         *sets(max_steps=0), "--resume", *more, ranks=0)
        good = result.status == status and result.err.count(": error: ") == 1 and all(w in result.err for w in wanted)
        return good, "refused: %s" % " ".join(os.path.basename(word) for word in more), "wanted %s\n%s" % (wanted, result)

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for outcome in pool.map(one, jobs):
            tap.ok(*outcome)
    tap.refused(train(survey, place, *SMALL, *sets(max_steps=0, seed=1), "--resume", ranks=3), CONFIG,
                "train.seed is 1 and was 0", "refused on 3 ranks")
    tap.refused(train(survey, place, *SMALL, "--allow-change", "seed", "--force"), USAGE, "--resume",
                "--allow-change alone is refused")
    tap.ok(folder_state(place) == before, "what was refused changed nothing")
    allowed(survey, folder, place)


def allowed(survey, folder, stopped):
    def go_on(name, *more, ranks=0, env=None):
        place = os.path.join(folder, "allowed_" + name)
        shutil.copytree(stopped, place)
        result = train(survey, place, *SMALL, *sets(max_steps=0), "--resume", *more, ranks=ranks, env=env)
        tap.ok(result.status == 0 and "going on from" in result.err, "allowed: %s" % name, result)
        return place, result

    place, _ = go_on("rate", *sets(learning_rate=0.001), "--allow-change", "train.shards", "--allow-change", "learning_rate")
    rates = {row["step"]: row["learning_rate"] for row in cases.read_metrics(place)[1]}
    wanted = {step: (0.004 if step <= 20 else 0.001) * 0.8 ** ((step - 1) // 15) for step in range(1, 46)}
    tap.ok(rates.keys() == wanted.keys() and all(abs(rates[step] - wanted[step]) < 1e-11 for step in rates),
           "the new rate holds from there on", rates)
    history = cases.attributes(os.path.join(place, "last.h5"))["history"]
    tap.ok(history.count("seisdcn train") == 2 and "learning_rate" in history, "and the history says so", history)
    other, _ = go_on("rate_on_3", *sets(learning_rate=0.001), "--allow-change=train.learning_rate", ranks=3)
    training.same(place, other, "with the same bits on 3 ranks")
    again = train(survey, place, *SMALL, *sets(learning_rate=0.001, max_steps=0), "--resume", "--allow-change", "learning_rate")
    tap.ok(again.status == 0 and "is finished" in again.err, "the same command is content with the changed training", again)
    place, result = go_on("batch", *sets(batch_size=70), "--allow-change", "batch_size", ranks=2)
    steps = [(row["epoch"], row["step"]) for row in cases.read_metrics(place)[1]]
    wanted = [(1, s) for s in range(1, 16)] + [(2, s) for s in range(16, 26)] + [(3, s) for s in range(26, 31)]
    tap.ok(steps == wanted and "begins anew" in result.err, "with other batches the epoch begins anew", steps)
    isa = tap.other_isa()
    if isa is None:
        tap.skip("another instruction set: a warning", "this processor has the portable one only")
        return
    place, result = go_on("machine", env=cases.forced(isa))
    tap.ok("warning: " in result.err and isa in result.err and "from step 21 on" in result.err,
           "another instruction set: a warning", result)


def first_weights(survey, folder):
    """--init gives the first weights; a resume may name it again."""
    model, whole, pieces = (os.path.join(folder, name) for name in ("init", "init_whole", "init_pieces"))
    tap.runs(train(survey, model, *SMALL, *sets(max_steps=6)), "first weights")
    init = ["--init", os.path.join(model, "last.h5")]
    tap.runs(train(survey, whole, *SMALL, *init), "through from first weights")
    tap.runs(train(survey, pieces, *SMALL, *init, *sets(max_steps=9)), "stopped behind step 9")
    tap.runs(train(survey, pieces, *SMALL, *init, "--resume", *sets(max_steps=22)), "with the same --init")
    result = train(survey, pieces, *SMALL, "--resume", *sets(max_steps=0), ranks=2)
    training.same(whole, pieces, "and without: the same bits", result)


def main():
    for test in (variants, an_early_best, limits, beginnings, damage, rows, changes, first_weights):
        with tempfile.TemporaryDirectory() as folder:
            test(training.make_survey(folder), folder)
    tap.done()


if __name__ == "__main__":
    main()
