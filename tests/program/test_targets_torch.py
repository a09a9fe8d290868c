"""Training towards every train.target against PyTorch: twenty steps over an explicit map, from a model that h5py wrote
out of PyTorch, with the same draws (tests/oracle/targets.py). Losses of steps, epochs, validation and `test` to 1e-5
relative, trained parameters to 1e-4 of an array's largest; prediction from neighbours to 1e-5 of the largest output."""
import os
import re
import tempfile

import numpy as np

import cases
import tap

import original
import targets

STEPS, BATCH, SIZE, SAMPLES = 20, 8, 14, 60
N_TRAIN, N_VALID = 53, 21  # 53 rows: 6 batches of 8 and a last one of 5 an epoch
SEED, DECAY = 5, 0.5
WIDE = dict(mixing="full", skip="add", width=4, output="linear")

# gathers in the survey's order: inline, crossline, traces; the last is alone on its line
PLACES = [(1, 10, 30), (1, 12, 20), (1, 13, 26), (2, 5, 24), (2, 6, 24), (2, 8, 15), (7, 1, 20)]
BEFORE = [None, 0, 1, None, 3, 4, None]
AFTER = [1, 2, None, 4, 5, None, None]

CASES = [  # name, rule, network
    ("clean", dict(target="clean"), dict(levels=2)),
    ("clean, wide, rms", dict(target="clean", scale="rms"), dict(levels=2, scale="rms", **WIDE)),
    ("neighbour", dict(target="neighbour"), dict(levels=2)),
    ("neighbour, wide, on a grid", dict(target="neighbour", grid=2), dict(levels=3, scale_grid=2, **WIDE)),
    ("blind_gather", dict(target="blind_gather"), dict(levels=2, channels=2, n_out=1, output="linear")),
    ("blind_trace, other", dict(target="blind_trace", hide=0.25, block=1, fill="other"), dict(levels=2)),
    ("blind_trace, zero, blocks", dict(target="blind_trace", hide=0.3, block=2, fill="zero"), dict(levels=2, **WIDE)),
]


def make_gathers(random, noise):
    """Gathers that resemble their neighbours, with mutes that differ and a dead trace; noise is their own."""
    gathers = []
    for number, (line, crossline, n_traces) in enumerate(PLACES):
        t, k = np.meshgrid(np.arange(n_traces), np.arange(SAMPLES), indexing="ij")
        gather = np.sin(0.4 * k + 0.05 * t + 0.1 * crossline + line) * (1 + k % 7) * 50
        gather = gather + noise * 60 * random.standard_normal(gather.shape)
        gather[k < t / 2 + number % 3] = 0
        gather[5] = gather[5] * (number != 1)
        gathers.append(gather.astype(np.float32))
    return gathers


def write_survey(folder, name, gathers):
    os.makedirs(os.path.join(folder, name))
    for (line, crossline, _), gather in zip(PLACES, gathers):
        np.save(os.path.join(folder, name, "g_inline_%d_crossline_%d.npy" % (line, crossline)), gather)
    survey = os.path.join(folder, name + ".h5")
    tap.runs(tap.run("consolidate", "--output", survey, os.path.join(folder, name)), "consolidate " + name)
    return survey


def pytorch(model, rule, gathers, clean, rows, rate):
    optimizer = original.torch.optim.Adam(model.parameters(), lr=rate)
    schedule = original.torch.optim.lr_scheduler.ExponentialLR(optimizer, DECAY)

    def feed(part, seed, epoch):
        return targets.feed(rule, gathers, part, SIZE, seed, epoch, clean, BEFORE, AFTER)

    steps, epochs = [], []
    while len(steps) < STEPS:
        batches = [feed(rows["train"][i:i + BATCH], SEED, len(epochs) + 1)
                   for i in range(0, N_TRAIN, BATCH)][:STEPS - len(steps)]
        losses, counts = original.train_steps(model, batches, optimizer=optimizer), [w.sum() for _, _, w in batches]
        schedule.step()
        steps += losses
        epochs.append((np.dot(losses, counts) / sum(counts), original.evaluate(model, feed(rows["valid"], 0, 0))))
    return steps, epochs, original.evaluate(model, feed(rows["train"], 0, 0))


def run_case(folder, survey, clean_survey, gathers, clean, name, rule, network):
    random = np.random.RandomState(len(name))
    rows = {split: cases.random_rows(random, gathers, SIZE, n) for split, n in (("train", N_TRAIN), ("valid", N_VALID))}
    index = cases.write_map(os.path.join(folder, "map.h5"), SIZE, **rows)
    start = os.path.join(folder, "start.h5")
    only = "blind_gather" if rule["target"] == "blind_gather" else "source"  # what another input cannot follow
    model = original.randomise(original.Original(dropout=0.0, target=only, **network), seed=len(name))
    original.write_model(start, model, SIZE)
    steps, epochs, on_train = pytorch(model, rule, gathers, clean, rows, 0.002)
    paired = ["--clean", clean_survey] if rule["target"] == "clean" else []
    keys = ["--set", "train.target=" + rule["target"]]
    for key in ("hide", "block", "fill"):
        keys += ["--set", "train.%s=%s" % (key, rule[key])] if key in rule else []
    for ranks, isa in [(1, isa) for isa in tap.isas()] + [(3, "")]:
        label = "%s, %d rank%s%s" % (name, ranks, "" if ranks == 1 else "s", isa and ", " + isa)
        output = os.path.join(folder, "trained%d%s" % (ranks, isa))
        result = tap.run("train", "--survey", survey, "--map", index, "--init", start, "--output", output, *paired, *keys,
                         "--set", "train.shuffle=false", "--set", "network.dropout=0", "--set", "train.seed=%d" % SEED,
                         "--set", "train.max_steps=%d" % STEPS, "--set", "train.batch_size=%d" % BATCH,
                         "--set", "train.log_every_steps=1", "--set", "train.learning_rate=0.002", "--force",
                         "--set", "train.learning_rate_decay=%g" % DECAY,
                         ranks=ranks, env=cases.forced(isa))
        if not tap.runs(result, label + ": train ends well"):
            continue
        _, step_rows, epoch_rows = cases.read_metrics(output)
        for quantity, found, truth in (
                ("step losses", [row["train_loss_step"] for row in step_rows], steps),
                ("epoch losses", [row["train_loss_epoch"] for row in epoch_rows], [epoch[0] for epoch in epochs]),
                ("validation losses", [row["val_loss"] for row in epoch_rows], [epoch[1] for epoch in epochs])):
            error = cases.largest_relative(found, truth)
            tap.ok(error < 1e-5, "%s: %s are PyTorch's to 1e-5" % (label, quantity),
                   "relative error %.2e\nfound %s\ntruth %s" % (error, found, truth))
        trained, facts = original.read_model(os.path.join(output, "last.h5"))
        worst = max(cases.of_largest(trained.state_dict()[key], truth) for key, truth in model.state_dict().items())
        tap.ok(worst < 1e-4 and facts["target"] == rule["target"],
               label + ": the trained parameters are PyTorch's to 1e-4 of the largest", "%.2e, %s" % (worst, facts))
        result = tap.run("test", "--survey", survey, "--model", os.path.join(output, "last.h5"), "--map", index, *paired,
                         "--split", "train", ranks=ranks)
        match = re.search(r"^train_loss (\S+)$", result.out, re.M)
        error = cases.largest_relative(float(match.group(1)), on_train) if match else 1
        tap.ok(error < 1e-5, label + ": test takes the model's own target", "error %.2e\n%s" % (error, result))
    return os.path.join(folder, "trained1", "last.h5")


def blind_apply(folder, survey, gathers, path):
    """The prediction of every gather from its neighbours."""
    threshold = 20
    model, _ = original.read_model(path)
    wanted, wanted_whole = [], []
    for e, gather in enumerate(gathers):
        sides = [BEFORE[e] if BEFORE[e] is not None else AFTER[e], AFTER[e] if AFTER[e] is not None else BEFORE[e]]
        inputs = np.zeros((2,) + gather.shape, dtype=np.float32)
        for channel, side in zip(inputs, sides):
            if side is not None:
                n = min(len(gather), len(gathers[side]))
                channel[:n] = gathers[side][:n]
        wanted.append(original.apply_gather(model.double(), inputs, SIZE, threshold, own=gather))
        wanted_whole.append(original.apply_whole(model.double(), inputs, SIZE, threshold, own=gather))
    for ranks, method, isa in ([(1, method, isa) for method in ("shared", "whole") for isa in tap.isas()]
                               + [(1, "direct", ""), (3, "shared", "")]):
        predictions = wanted_whole if method == "whole" else wanted
        label = "blind_gather: apply %s on %d%s" % (method, ranks, isa and ", " + isa)
        for difference in (False, True):
            predicted = os.path.join(folder, "predicted.h5")
            result = tap.run("apply", "--survey", survey, "--model", path, "--output", predicted, "--force",
                             "--set", "apply.method=" + method, "--set", "apply.mute_threshold=%g" % threshold,
                             *(["--difference"] if difference else []), ranks=ranks, env=cases.forced(isa))
            if not tap.runs(result, label):
                continue
            truth = [gather - found if difference else found for gather, found in zip(gathers, predictions)]
            error = max(np.abs(found - true).max() / np.abs(prediction).max()
                        for found, true, prediction in zip(cases.read_gathers(predicted), truth, predictions))
            tap.ok(error < 1e-5, label + (", --difference" if difference else "") + ": PyTorch's to 1e-5 of the largest",
                   "%.2e" % error)
            tap.ok("1 gather has no neighbour on its line" in result.err, label + ": the gather without neighbours is warned of",
                   result)
        found = cases.read_gathers(predicted)[-1]
        tap.ok(np.all(found == 0), label + ": it passes as it is")


def main():
    random = np.random.RandomState(3)
    with tempfile.TemporaryDirectory() as folder:
        gathers, clean = make_gathers(random, 1), make_gathers(random, 0)
        survey, clean_survey = write_survey(folder, "noisy", gathers), write_survey(folder, "clean", clean)
        for name, rule, network in CASES:
            with tempfile.TemporaryDirectory() as place:
                path = run_case(place, survey, clean_survey, gathers, clean, name, rule, network)
                if rule["target"] == "blind_gather" and os.path.exists(path):
                    blind_apply(place, survey, gathers, path)
    tap.done()


if __name__ == "__main__":
    main()
