"""What the whole-program tests share besides tap.py: gathers, folders of .npy files, maps, and reading of outputs."""
import contextlib
import csv
import os
import subprocess
import sys

import h5py
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
ORACLE = os.path.join(HERE, "..", "oracle")
if ORACLE not in sys.path:
    sys.path.insert(0, ORACLE)

METRICS = ["epoch", "step", "train_loss_step", "train_loss_epoch", "val_loss", "learning_rate", "patches_per_second"]


def forced(isa):
    """The environment for a run on this instruction set, None for the best."""
    return dict(os.environ, SEISDCN_ISA=isa) if isa else None


def random_gather(random, n_traces, n_samples):
    """A gather with what is hard: smooth noise over decades, zeros of a mute that opens along the traces, a dead trace."""
    gather = random.standard_normal((n_traces, n_samples))
    for axis in (1, 1, 0):
        gather = gather + np.roll(gather, 1, axis)
    gather *= 10.0 ** np.linspace(1, -1, n_samples)
    for trace in range(n_traces):
        gather[trace, :trace * n_samples // (3 * n_traces)] = 0
    gather[n_traces // 2] = 0
    gather[:, -n_samples // 6:] *= 1e-3
    return gather.astype(np.float32)


def write_gathers(folder, gathers):
    """One .npy a gather, at inline 100 and rising crosslines; returns the folder."""
    os.makedirs(folder, exist_ok=True)
    for number, gather in enumerate(gathers):
        np.save(os.path.join(folder, "shot_inline_100_crossline_%d.npy" % (200 + number)), gather)
    return folder


def write_map(path, patch_size, **splits):
    """An index map as a user's own script writes it: format, version, patch_size and the rows alone."""
    with h5py.File(path, "w") as file:
        file.attrs["format"] = "seisdcn-index-map"
        file.attrs["version"] = 1
        file.attrs["patch_size"] = patch_size
        for name, rows in splits.items():
            file[name] = np.asarray(rows, dtype=np.int64)
    return path


def random_rows(random, gathers, size, n):
    """n rows (ensemble, first trace, first sample) in no order, some of them repeated."""
    large = [e for e, gather in enumerate(gathers) if gather.shape[0] >= size]
    rows = []
    for _ in range(n):
        e = large[random.randint(len(large))]
        rows.append((e, random.randint(gathers[e].shape[0] - size + 1), random.randint(gathers[e].shape[1] - size + 1)))
    for copy in range(n // 8):
        rows[random.randint(n)] = rows[copy]
    return np.array(rows, dtype=np.int64)


def read_gathers(path):
    """The gathers of a survey file, a list of [traces, samples]."""
    with h5py.File(path, "r") as file:
        first = file["ensemble/first_trace"][()]
        return [file["amplitude"][first[e]:first[e + 1]] for e in range(len(first) - 1)]


def forget_checksum(file, *gathers):
    """Makes gathers of an open survey ones without a checksum (0), as another tool may write them: they are read
    unchecked, so that what a test changes in them is not a damage."""
    for e in gathers:
        file["ensemble/checksum"][e] = 0


def attributes(path):
    """The root attributes of a file, texts as str, numbers as Python's."""
    with h5py.File(path, "r") as file:
        return {name: value.decode() if isinstance(value, bytes) else value.item() if hasattr(value, "item") else value
                for name, value in file.attrs.items()}


def datasets(path, skip=()):
    """Every dataset of a file as {name: array}."""
    found = {}

    def visit(name, item):
        if isinstance(item, h5py.Dataset) and name not in skip:
            found[name] = item[()]

    with h5py.File(path, "r") as file:
        file.visititems(visit)
    return found


def differing(a, b):
    """The names of datasets that two dictionaries of datasets() do not share bit by bit."""
    names = sorted(set(a) | set(b))
    return [name for name in names if name not in a or name not in b or a[name].dtype != b[name].dtype
            or a[name].shape != b[name].shape or np.asarray(a[name]).tobytes() != np.asarray(b[name]).tobytes()]


def read_metrics(folder):
    """metrics.csv as (header, rows of steps, rows of epochs); a row is {column: float, or None where empty}."""
    with open(os.path.join(folder, "metrics.csv"), newline="") as file:
        lines = list(csv.reader(file))
    rows = [dict(zip(lines[0], (float(text) if text != "" else None for text in line))) for line in lines[1:]]
    return lines[0], [row for row in rows if row["step"] is not None], [row for row in rows if row["step"] is None]


def largest_relative(values, truth):
    """max |values - truth| / |truth|, infinite where the lengths differ or a number is not finite."""
    values, truth = np.asarray(values, dtype=float), np.asarray(truth, dtype=float)
    if values.shape != truth.shape or not np.all(np.isfinite(values)):
        return np.inf
    return float(np.max(np.abs(values - truth) / np.abs(truth))) if truth.size else 0.0


def of_largest(values, truth):
    """max |values - truth| / max |truth|, infinite where the shapes differ or a number is not finite."""
    values, truth = np.asarray(values, dtype=float), np.asarray(truth, dtype=float)
    if values.shape != truth.shape or not np.all(np.isfinite(values)):
        return np.inf
    scale = np.max(np.abs(truth))
    error = np.max(np.abs(values - truth))
    return float(error / scale) if scale > 0 else (0.0 if error == 0 else np.inf)


def leftovers(folder, known):
    """Names in a folder that are not among the known ones."""
    return sorted(set(os.listdir(folder)) - set(known))


@contextlib.contextmanager
def mounted(folder, options):
    """A small file system in memory at folder while the block runs; gives False where it could not be mounted (only root
    may)."""
    os.makedirs(folder, exist_ok=True)
    words = ["mount", "-t", "tmpfs", "-o", options, "none", folder]
    good = os.geteuid() == 0 and subprocess.run(words, capture_output=True).returncode == 0
    try:
        yield good
    finally:
        if good:
            subprocess.run(["umount", folder], check=True)
