"""Training against PyTorch: twenty steps over an explicit map, from a model that h5py wrote out of PyTorch.

Losses of steps, epochs and validation to 1e-5 relative, trained parameters to 1e-4 of an array's largest; networks of
several shapes, on 1 and 3 ranks; `test --split` on the trained model."""
import os
import re
import tempfile

import h5py
import numpy as np

import cases
import tap

import original

STEPS, BATCH = 20, 8
N_TRAIN, N_VALID, N_TEST = 53, 21, 13  # 53 rows: 6 batches of 8 and a last one of 5 an epoch

CASES = [  # name, network, patch size, learning rate as --set gives it (None: the default)
    ("default network", dict(), 32, None),
    ("k_mult 3, levels 2", dict(k_mult=3, levels=2), 16, 0.004),
    ("mixing full, levels 2", dict(levels=2, mixing="full"), 16, None),
    ("mixing full, skip add, levels 3", dict(levels=3, mixing="full", skip="add"), 16, None),
    ("channels 3 with attributes, levels 2", dict(channels=3, levels=2), 14, 0.004),
    ("width 8, full, add, linear, levels 4", dict(mixing="full", skip="add", width=8, output="linear"), 20, 0.002),
    ("width 6, 3 channels to 1, levels 3", dict(channels=3, levels=3, width=6, n_out=1, dropout_last=False), 14, 0.004),
    ("levels 6, k_mult 1, 3 channels to 2, linear", dict(channels=3, k_mult=1, levels=6, n_out=2, output="linear"), 16, None),
    ("3 channels to 1, an attribute in metres, levels 2", dict(channels=3, levels=2, width=4, n_out=1), 14, 0.002),
    ("3 channels, an attribute in metres is predicted too", dict(channels=3, levels=2, output="linear"), 14, 0.002),
    ("rms, 3 channels, levels 2", dict(channels=3, levels=2, scale="rms", output="linear"), 14, None),
    ("rms on a grid of 2, levels 2", dict(levels=2, scale="rms", scale_grid=2, output="linear"), 14, None),
    ("max on a grid of 1, levels 2", dict(levels=2, scale_grid=1), 14, None),
]


def pytorch(model, train, valid, rate):
    """What PyTorch's own float32 does with it: losses of steps, (epoch loss, validation loss) of epochs."""
    optimizer = original.torch.optim.Adam(model.parameters(), lr=rate)
    steps, epochs = [], []
    while len(steps) < STEPS:
        batches = [train[i:i + BATCH] for i in range(0, len(train), BATCH)][:STEPS - len(steps)]
        losses = original.train_steps(model, batches, optimizer=optimizer)
        sizes = [len(batch) for batch in batches]
        steps += losses
        epochs.append((np.dot(losses, sizes) / sum(sizes), original.evaluate(model, valid)))
    return steps, epochs


def run_case(folder, name, shape, size, rate):
    random = np.random.RandomState(len(name))
    channels = shape.get("channels", 1)
    parts = [np.stack([cases.random_gather(random, n_traces, 100) for _ in range(channels)])
             for n_traces in (40, size, 9, 50)]
    parts[1] *= 1e4  # gathers of other magnitude
    npy = cases.write_gathers(os.path.join(folder, "npy"), [part[0] for part in parts])
    survey = os.path.join(folder, "survey.h5")
    result = tap.run("consolidate", "--output", survey, npy)
    tap.ok(result.status == 0, "%s: consolidate" % name, result)
    shared = [True] * channels
    if channels == 3:  # channel c > 0 is the c-th attribute in alphabetical order
        shared = [True, False, True]
        for part in parts:
            part[1] /= np.abs(part[1]).max()
            if "metres" in name:
                part[1] = 60 + 20 * part[1] if shape.get("n_out") is None else 20000 + 50000 * part[1]
        with h5py.File(survey, "a") as file:
            file["attribute/b_far"] = np.concatenate([part[2] for part in parts])
            file["attribute/a_plain"] = np.concatenate([part[1] for part in parts])
            file["attribute/a_plain"].attrs["scale"] = "none"
    rows = {split: cases.random_rows(random, [part[0] for part in parts], size, n)
            for split, n in (("train", N_TRAIN), ("valid", N_VALID), ("test", N_TEST))}
    patches = {split: original.make_patches(parts, rows[split], size, shared, shape.get("scale", "max"),
                                           shape.get("scale_grid", 0)) for split in rows}
    index = cases.write_map(os.path.join(folder, "map.h5"), size, **rows)
    start = os.path.join(folder, "start.h5")
    model = original.randomise(original.Original(dropout=0.0, **shape), seed=len(name))
    original.write_model(start, model, size, fixed_strings=channels == 3)
    steps, epochs = pytorch(model, patches["train"], patches["valid"], rate or 0.001)

    for ranks, isa in [(1, isa) for isa in tap.isas()] + [(3, "")]:
        label = "%s, %d rank%s%s" % (name, ranks, "" if ranks == 1 else "s", isa and ", " + isa)
        output = os.path.join(folder, "trained%d%s" % (ranks, isa))
        command = ["train", "--survey", survey, "--map", index, "--init", start, "--output", output,
                   "--set", "train.shuffle=false", "--set", "network.dropout=0",
                   "--set", "train.max_steps=%d" % STEPS, "--set", "train.batch_size=%d" % BATCH,
                   "--set", "train.log_every_steps=1"]
        command += ["--set", "train.learning_rate=%g" % rate] if rate else []
        result = tap.run(*command, ranks=ranks, env=cases.forced(isa))
        if not tap.ok(result.status == 0, "%s: train ends well" % label, result):
            continue
        header, step_rows, epoch_rows = cases.read_metrics(output)
        tap.ok(header == cases.METRICS, "%s: columns of metrics.csv" % label, str(header))
        tap.ok([row["step"] for row in step_rows] == list(range(1, STEPS + 1)), "%s: a row a step" % label)
        per_epoch = -(-N_TRAIN // BATCH)
        tap.ok([row["epoch"] for row in step_rows] == [1 + i // per_epoch for i in range(STEPS)]
               and [row["epoch"] for row in epoch_rows] == list(range(1, len(epochs) + 1)),
               "%s: epochs from 1, a row at each end" % label)
        for quantity, found, truth in (
                ("step losses", [row["train_loss_step"] for row in step_rows], steps),
                ("epoch losses", [row["train_loss_epoch"] for row in epoch_rows], [epoch[0] for epoch in epochs]),
                ("validation losses", [row["val_loss"] for row in epoch_rows], [epoch[1] for epoch in epochs])):
            error = cases.largest_relative([np.nan if value is None else value for value in found], truth)
            tap.ok(error < 1e-5, "%s: %s are PyTorch's to 1e-5" % (label, quantity),
                   "relative error %.2e\nfound %s\ntruth %s" % (error, found, truth))

        trained, _ = original.read_model(os.path.join(output, "last.h5"))
        worst, where = 0.0, ""
        found = trained.state_dict()
        for key, truth in model.state_dict().items():
            error = cases.of_largest(found[key], truth)
            worst, where = max((worst, where), (error, key))
        tap.ok(worst < 1e-4, "%s: the trained parameters are PyTorch's to 1e-4 of the largest" % label,
               "%.2e in %s" % (worst, where))

        last = os.path.join(output, "last.h5")
        for split in ("train", "valid", "test"):
            result = tap.run("test", "--survey", survey, "--model", last, "--map", index, "--split", split, ranks=ranks)
            match = re.search(r"^%s_loss (\S+)$" % split, result.out, re.M)
            error = cases.largest_relative(float(match.group(1)), original.evaluate(model, patches[split])) if match else 1
            tap.ok(result.status == 0 and error < 1e-5, "%s: test --split %s is PyTorch's to 1e-5" % (label, split),
                   "error %.2e\n%s" % (error, result))


def main():
    for case in CASES:
        with tempfile.TemporaryDirectory() as folder:
            run_case(folder, *case)
    tap.done()


if __name__ == "__main__":
    main()
