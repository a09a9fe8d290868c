"""A survey of 290,000 gathers of 61 x 1501 samples: 106 GB and 2.7e10 samples, in a sparse file of which only the last
gathers are written. What is applied to, trained on and exported there is what a survey of just these gathers gives, and
nothing takes the time or the memory of the whole."""
import os
import re
import sys

import h5py
import numpy as np

import cases
import tap

import original

GATHERS, FOLD, SAMPLES, SIZE, LEVELS = 290000, 61, 1501, 16, 2
WRITTEN = 3
TRACES = GATHERS * FOLD
FIRST = GATHERS - WRITTEN  # the first that is written
BYTES = TRACES * SAMPLES * 4
MOST_DISK = 400e6  # of each file: tables of traces are 71 MB
MOST_MEMORY = 400e6  # of a rank; a survey of this size has 106 GB
SECONDS = 120

# Runs a command and says what memory it took at most. A small process of its own: a child's figure begins with its
# parent's.
MEASURE = """import os, resource, sys
status = os.waitstatus_to_exitcode(os.wait()[1]) if os.fork() else os.execv(sys.argv[1], sys.argv[1:])
os.write(2, b"most memory %d kB\\n" % resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(status)"""
most_memory = {}


def run(*words, ranks):
    """tap.run() that keeps the largest memory of a rank."""
    result = tap.command([*tap.MPIRUN, "-n", ranks, sys.executable, "-S", "-c", MEASURE, tap.PROGRAM, *words], SECONDS)
    bytes_of_ranks = [1024 * int(text) for text in re.findall("most memory ([0-9]+) kB", result.err)]
    if len(bytes_of_ranks) == ranks:
        most_memory[words[0]] = max(bytes_of_ranks)
    return result


def takes_holes(folder):
    """Whether the file system keeps holes of a file off the disk, up to the survey's size."""
    path = os.path.join(folder, "holes")
    try:
        with open(path, "wb") as file:
            file.truncate(BYTES + 2 ** 30)
            file.seek(BYTES)
            file.write(b"x")
        return os.stat(path).st_blocks * 512 < 1e6
    except OSError:
        return False
    finally:
        if os.path.exists(path):
            os.remove(path)


def on_disk(path):
    return os.stat(path).st_blocks * 512


def dataset_with_holes(file, name, shape):
    """A float32 dataset that has its place in the file and takes no disk."""
    creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    creation.set_layout(h5py.h5d.CONTIGUOUS)
    creation.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    creation.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
    group, _, last = name.rpartition("/")
    where = file.require_group(group) if group else file
    h5py.h5d.create(where.id, last.encode(), h5py.h5t.IEEE_F32LE, h5py.h5s.create_simple(shape), creation)
    return file[name]


def write_large(path, small):
    """The large survey, with the gathers of the small one at its end."""
    with h5py.File(path, "w") as file, h5py.File(small, "r") as source:
        for name, value in source.attrs.items():
            file.attrs[name] = value
        amplitude = dataset_with_holes(file, "amplitude", (TRACES, SAMPLES))
        amplitude[-WRITTEN * FOLD:] = source["amplitude"][()]
        dataset_with_holes(file, "trace/offset", (TRACES,))
        file["ensemble/first_trace"] = np.arange(GATHERS + 1, dtype=np.int64) * FOLD
        file["ensemble/inline"] = np.arange(GATHERS, dtype=np.int32) // 580
        file["ensemble/crossline"] = np.arange(GATHERS, dtype=np.int32) % 580
        checksum = np.zeros(GATHERS, dtype=np.uint64)
        checksum[-WRITTEN:] = source["ensemble/checksum"][()]
        file["ensemble/checksum"] = checksum


def same_predictions(label, large, small):
    with h5py.File(large, "r") as file, h5py.File(small, "r") as wanted:
        tap.ok(file["amplitude"].shape == (TRACES, SAMPLES) and file["amplitude"].chunks is None, label + ": its shape")
        a, b = file["amplitude"][-WRITTEN * FOLD:], wanted["amplitude"][()]
        tap.ok(a.tobytes() == b.tobytes() and np.any(b), label + ": the same bits as of a survey of these gathers")
        tap.ok(np.array_equal(file["ensemble/checksum"][-WRITTEN:], wanted["ensemble/checksum"]),
               label + ": the same checksums")
        done = file["ensemble/done"][()]
        tap.ok(done.sum() == WRITTEN and done[-WRITTEN:].all(), label + ": only these are done")


def apply(ground):
    options = ["--model", ground["model"], "--output"]
    small, large = ground["folder"] + "/small_out.h5", ground["folder"] + "/large_out.h5"
    tap.runs(tap.run("apply", "--survey", ground["small"], *options, small), "the small survey is predicted")
    chosen = "#%d-#%d" % (FIRST, GATHERS - 1)
    result = run("apply", "--survey", ground["large"], "--ensembles", chosen, *options, large, ranks=3)
    if not tap.runs(result, "the last gathers of the large one are predicted"):
        return
    same_predictions("predicted", large, small)
    tap.ok(os.path.getsize(large) > BYTES and on_disk(large) < MOST_DISK, "the prediction has holes too",
           "%d bytes on the disk" % on_disk(large))
    result = run("info", "--verify", large, ranks=2)
    tap.ok(result.status == 0 and "290,000" in result.out and "every checksum matches" in result.out,
           "info --verify reads just the predicted ones", result)
    out = ground["folder"] + "/npy"
    result = run("export", "--survey", large, "--ensembles", chosen, "--output", out, ranks=2)
    tap.runs(result, "the predicted ones are exported")
    exported = [np.load(os.path.join(out, "gather_inline_%d_crossline_%d.npy" % (e // 580, e % 580)))
                for e in range(FIRST, GATHERS)]
    tap.ok(np.concatenate(exported).tobytes() == np.concatenate(cases.read_gathers(small)).tobytes(),
           "with the same bits")


def train(ground):
    """By a map of rows in the last gathers; dropout counts by a gather's number, so it is off."""
    rows = cases.random_rows(np.random.RandomState(1), ground["gathers"], SIZE, 60)
    valid = rows[:20]
    weights, losses = [], []
    for name, shift in (("small", 0), ("large", FIRST)):
        moved = [table + np.array([shift, 0, 0]) for table in (rows, valid)]
        path = cases.write_map(ground["folder"] + "/%s_map.h5" % name, SIZE, train=moved[0], valid=moved[1])
        out = ground["folder"] + "/%s_trained" % name
        result = tap.run("train", "--survey", ground[name], "--map", path, "--output", out, "--set", "network.levels=2",
                         "--set", "network.dropout=0", "--set", "train.batch_size=16", "--set", "train.max_epochs=2",
                         ranks=3, seconds=SECONDS)
        if not tap.runs(result, "trained on rows of the %s survey" % name):
            return
        weights.append(cases.datasets(out + "/last.h5"))
        result = tap.run("test", "--survey", ground[name], "--map", path, "--split", "valid", "--model", out + "/last.h5",
                         ranks=2, seconds=SECONDS)
        tap.runs(result, "its loss is computed")
        losses.append(result.out)
    tap.ok(not cases.differing(*weights), "the same weights from both", cases.differing(*weights))
    tap.ok(losses[0] == losses[1] and "valid_loss" in losses[0], "the same loss", losses)


def implicit(ground):
    """Two steps over all of the 1.3e10 patches: only the gathers that they fall into are read. None validates: their
    gathers are holes, and a validation of zeros is refused."""
    result = run("index", "--survey", ground["large"], "--output", ground["folder"] + "/map.h5", "--set", "split.valid=0",
                 ranks=2)
    tap.ok(result.status == 0 and "12,789,000,000" in result.out + result.err, "index counts all patches", result)
    tap.ok("looked at is live" in result.err, "and warns that those of its gathers which it read hold nothing", result)
    out = ground["folder"] + "/implicit"
    result = run("train", "--survey", ground["large"], "--map", ground["folder"] + "/map.h5", "--output", out,
                 "--set", "train.block_gathers=1", "--set", "train.max_steps=2", "--set", "train.batch_size=64",
                 ranks=3)
    tap.ok(result.status == 0 and os.path.exists(out + "/last.h5"), "two steps over all patches", result)


def main():
    folder = str(tap.folder())
    if not takes_holes(folder):
        tap.skip("a survey of 290,000 gathers", "the file system of %s keeps no holes" % folder)
        tap.done()
    random = np.random.RandomState(0)
    ground = {"folder": folder, "gathers": [cases.random_gather(random, FOLD, SAMPLES) for _ in range(WRITTEN)]}
    for name in ("small", "large", "model"):
        ground[name] = "%s/%s.h5" % (folder, name)
    npy = cases.write_gathers(folder + "/gathers", ground["gathers"])
    tap.runs(tap.run("consolidate", "--output", ground["small"], npy), "the last gathers alone make a survey")
    write_large(ground["large"], ground["small"])
    original.write_model(ground["model"], original.randomise(original.Original(1, 2, LEVELS, 0.0), 1), SIZE)
    tap.ok(os.path.getsize(ground["large"]) > BYTES and on_disk(ground["large"]) < MOST_DISK, "the large survey has holes",
           "%d bytes on the disk" % on_disk(ground["large"]))
    result = tap.run("info", ground["large"], seconds=SECONDS)
    tap.ok(result.status == 0 and "290,000" in result.out and "17,690,000" in result.out, "info", result)
    apply(ground)
    train(ground)
    implicit(ground)
    said = ", ".join("%s %.0f MB" % (name, size / 1e6) for name, size in most_memory.items())
    print("# most memory of a rank: " + said)
    tap.ok(len(most_memory) == 5 and max(most_memory.values()) < MOST_MEMORY,
           "no rank takes more than %.0f MB" % (MOST_MEMORY / 1e6), said)
    tap.done()


if __name__ == "__main__":
    main()
