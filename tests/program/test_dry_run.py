"""train --dry-run and apply --dry-run: they touch nothing, end as the real run's checks do, and tell what the real run then
does: patches, steps, windows, files and memory."""
import os
import re
import signal
import subprocess
import sys

import h5py
import numpy as np

import cases
import tap

NETWORK = ["--set", "patch.size=16", "--set", "network.levels=2", "--set", "patch.stride=2"]
SANITIZED = "asan" in os.environ.get("SEISDCN_BUILD", "")
UNIT = {"B": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9}


def listing(folder):
    """Names, sizes, times and bytes of all below a folder."""
    found = []
    for path, folders, names in sorted(os.walk(folder)):
        folders.sort()
        for name in sorted(folders + names):
            full = os.path.join(path, name)
            about = os.lstat(full)
            data = open(full, "rb").read() if os.path.isfile(full) else b""
            found.append((os.path.relpath(full, folder), about.st_size, about.st_mtime_ns, about.st_ctime_ns, hash(data)))
    return found


def table(result):
    """The rows of a dry run's output: {name: text}."""
    rows = {}
    for line in result.out.splitlines():
        found = re.match(r" *(\S.*?)  +(\S.*)$", line)
        if found:
            rows[found.group(1)] = found.group(2)
    return rows


def numbers(text):
    """All whole numbers of a text, with commas every three digits."""
    return [int(word.replace(",", "")) for word in re.findall(r"\d[\d,]*", text)]


def size(text):
    """The first size of a text in bytes: 12.3 MB."""
    number, unit = re.search(r"([\d.]+) ([kMG]?B)\b", text).groups()
    return float(number) * UNIT[unit]


def peak(result):
    """The largest peak memory that the log reports."""
    return size(re.search(r"peak memory.*?(?:max |: )([\d.]+ [kMG]?B)(?: \(rank \d+\))?$", result.err, re.M).group(1))


def near(found, wanted, share, least=0):
    return abs(found - wanted) <= max(share * wanted, least)


def within_memory(planned, real, name):
    if SANITIZED:
        tap.skip(name, "the sanitizer takes memory of its own")
    else:
        tap.ok(near(planned, real, 0.15), name, "planned %.0f, was %.0f" % (planned, real))


def untouched(label, folder, *words, ranks):
    """A dry run that succeeds and leaves the folder as it is; returns its table."""
    before = listing(folder)
    result = tap.run(*words, "--dry-run", ranks=ranks, cwd=folder)
    tap.runs(result, "%s on %d ranks" % (label, ranks))
    tap.ok(listing(folder) == before, "%s on %d ranks touches nothing" % (label, ranks), result)
    return table(result)


def check_train(folder, label, settings, epochs, steps):
    """The dry run's table against the real run's files and log."""
    words = ["train", "--survey", "survey.h5", "--output", "run_" + label.replace(" ", "_"), *NETWORK,
             "--set", "train.max_epochs=2", "--set", "train.log_every_steps=1", *settings]
    out = folder / words[4]
    for ranks in (1, 3):
        rows = untouched("train --dry-run, " + label, folder, *words, ranks=ranks)
    counts = tap.run("index", "--survey", "survey.h5", "--output", str(out) + ".map", *NETWORK, cwd=folder)
    tap.ok(numbers(rows["patches"]) == [int(line.split()[1]) for line in counts.out.splitlines()],
           label + ": patches of each split are the map's", "%s\n%s" % (rows, counts))
    result = tap.run(*words, ranks=3, cwd=folder)
    if not tap.runs(result, label + ": the real run"):
        return
    _, step_rows, epoch_rows = cases.read_metrics(out)
    tap.ok(len(epoch_rows) == epochs and len(step_rows) == steps and numbers(rows["steps"])[2] == steps,
           label + ": the steps are those of the real run", "%s: %d epochs, %d steps" % (rows, len(epoch_rows), len(step_rows)))
    said = re.findall(r"(best\.h5|last\.h5|checkpoints of|metrics\.csv) ([\d.]+ k?M?B)", rows["files"])
    checkpoint = max(os.listdir(out / "checkpoints"))
    real = {"best.h5": out / "best.h5", "last.h5": out / "last.h5", "checkpoints of": out / "checkpoints" / checkpoint,
            "metrics.csv": out / "metrics.csv"}
    tap.ok(len(said) == 4 and all(near(size(text), real[name].stat().st_size, 0.25, 1000) for name, text in said),
           label + ": the files have about these sizes",
           "%s\n%s" % (rows["files"], {name: path.stat().st_size for name, path in real.items()}))
    within_memory(size(rows["memory a rank"]), peak(result), label + ": the real run's peak memory is that of the dry run")


def check_apply(folder, label, model, options):
    words = ["apply", "--survey", "survey.h5", "--model", model, "--output", "out_%s.h5" % label.replace(" ", "_"), *options]
    for ranks in (1, 3):
        rows = untouched("apply --dry-run, " + label, folder, *words, ranks=ranks)
    result = tap.run(*words, ranks=3, cwd=folder)
    if not tap.runs(result, label + ": the real apply"):
        return
    found = re.search(r"predicted ([\d,]+) gathers, ([\d,]+) windows", result.err)
    tap.ok(numbers(rows["windows"]) == [int(found.group(2).replace(",", "")), int(found.group(1).replace(",", ""))],
           label + ": windows and gathers are those of the real apply", "%s\n%s" % (rows, result))
    real = (folder / words[6]).stat().st_size
    tap.ok(near(size(rows["file"]), real, 0.05, 8000), label + ": the file has about this size",
           "%s: %d" % (rows["file"], real))
    within_memory(size(rows["memory a rank"]), peak(result), label + ": apply's peak memory is that of the dry run")


def check_refusals(folder):
    """A dry run ends as the real one would, and leaves nothing."""
    survey, model = ["--survey", "survey.h5"], ["--model", "model.h5"]
    (folder / "plain").write_text("a file, no folder\n")
    train = ["train", *survey, *NETWORK]
    cases_of = [
        ("an output that exists", [*train, "--output", "there"], 2, "--force"),
        ("a key that is not known", [*train, "--output", "new", "--set", "train.batch_sise=3"], 3, "train.batch_sise"),
        ("a survey that is missing", ["train", "--survey", "none.h5", "--output", "new"], 5, "none.h5"),
        ("no survey file", ["train", "--survey", "model.h5", "--output", "new"], 4, "seisdcn-survey"),
        ("nothing to train on", [*train, "--output", "new", "--set", "split.test=0.95"], 3, "split.by=patch"),
        ("a folder that is missing", [*train, "--output", "nowhere/new"], 5, "nowhere"),
        ("a file for a folder", [*train, "--output", "plain/new"], 5, "plain"),
        ("too little memory", [*train, "--output", "new", "--set", "train.memory_limit_mb=1"], 6, "memory_limit_mb"),
        ("apply: an output that exists", ["apply", *survey, *model, "--output", "plain"], 2, "--force"),
        ("apply: a key against the model", ["apply", *survey, *model, "--output", "new.h5", "--set", "patch.size=32"], 3,
         "patch.size"),
        ("apply: no model", ["apply", *survey, "--model", "survey.h5", "--output", "new.h5"], 4, "seisdcn-model"),
        ("apply: a gather that is not there", ["apply", *survey, *model, "--output", "new.h5", "--ensembles", "#999"], 2,
         "#999"),
        ("apply: a folder that is missing", ["apply", *survey, *model, "--output", "nowhere/new.h5"], 5, "nowhere"),
    ]
    for label, words, status, word in cases_of:
        before = listing(folder)
        tap.refused(tap.run(*words, "--dry-run", ranks=2, cwd=folder), status, word, "dry run: %s: status %d" % (label, status))
        tap.refused(tap.run(*words, cwd=folder), status, word, "the real run says so too: " + label)
        tap.ok(listing(folder) == before, "nothing is left: " + label)


def check_disk(folder):
    """Where the files find no room."""
    place = folder / "small"
    place.mkdir()
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", place]).returncode != 0:
        tap.skip("dry run on a full disk", "mounting is not allowed here")
        return
    try:
        tap.refused(tap.run("train", "--survey", "survey.h5", *NETWORK, "--output", "small/run", "--dry-run", cwd=folder), 5,
                    "small", "train --dry-run says that its files find no room")
        tap.refused(tap.run("apply", "--survey", "survey.h5", "--model", "model.h5", "--output", "small/out.h5", "--dry-run",
                            ranks=2, cwd=folder), 5, "small", "apply --dry-run says that its file finds no room")
        tap.ok(os.listdir(place) == [], "nothing is left on the full disk")
    finally:
        subprocess.run(["umount", place], check=True)


def check_large(folder):
    """A whole survey of 106 GB, of which only the tables stand in a sparse file: nothing is read but what is timed."""
    n, n_traces, n_samples = 290000, 61, 1501
    with h5py.File(folder / "large.h5", "w") as file:
        file.attrs.update({"format": "seisdcn-survey", "version": 1, "history": "", "checksum": np.uint64(7)})
        file["ensemble/first_trace"] = np.arange(n + 1, dtype=np.int64) * n_traces
        file["ensemble/inline"] = np.zeros(n, dtype=np.int32)
        file["ensemble/crossline"] = np.arange(n, dtype=np.int32)
        file["ensemble/checksum"] = np.zeros(n, dtype=np.uint64)
        layout = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        layout.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
        layout.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
        space = h5py.h5s.create_simple((n * n_traces, n_samples))
        h5py.h5d.create(file.id, b"amplitude", h5py.h5t.IEEE_F32LE, space, layout)
    words = ["train", "--survey", "large.h5", "--output", "large", "--dry-run"]
    result = tap.run(*words, ranks=2, cwd=folder)
    rows = table(result)
    tap.ok(result.status == 0 and numbers(rows["steps"]) == [69939844, 8952300000, 1468736724],
           "the steps of 290,000 gathers", result)
    tap.ok(35e9 < size(rows["memory a rank"]) < 40e9, "and the memory that all of their gathers take", result)
    if 2 * 35e9 > os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"):
        tap.ok("warning: the ranks on the node" in result.err, "a node that has too little is warned of", result)
    words += ["--set", "train.memory_limit_mb=3000"]
    result = tap.run(*words, ranks=2, cwd=folder)
    told = re.search(r"set (train.block_gathers=\d+)", result.err)
    tap.refused(result, 6, "train.block_gathers=", "what does not fit is refused")
    if told:
        result = tap.run(*words, "--set", told.group(1), ranks=2, cwd=folder)
        rows = table(result)
        tap.ok(result.status == 0 and 2.7e9 < size(rows["memory a rank"]) <= 3e9, "what the refusal names fits, and fills it",
               result)
    (folder / "large.h5").unlink()


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what is mounted is unmounted
    folder = tap.folder()
    good = tap.run("synth", "--output", "synth", "--inlines", "4", "--crosslines", "6", "--traces", "40", "--samples", "300",
                   cwd=folder).status == 0
    good = good and tap.run("consolidate", "--output", "survey.h5", "synth/noisy", cwd=folder).status == 0
    if not tap.ok(good, "a survey to try"):
        tap.done()
    shards = ["--set", "train.shards=6"]
    check_train(folder, "all gathers in memory", [], 2, 466)
    check_train(folder, "in blocks", [*shards, "--set", "train.block_gathers=1", "--set", "train.memory_limit_mb=60"], 2, 466)
    check_train(folder, "cut short", [*shards, "--set", "train.max_patches_per_epoch=1000", "--set", "train.max_steps=11",
                                      "--set", "train.max_valid_patches=50"], 2, 11)
    check_train(folder, "not shuffled", ["--set", "train.shuffle=false", "--set", "train.max_steps=20"], 1, 20)
    os.rename(folder / "run_cut_short" / "best.h5", folder / "model.h5")
    os.mkdir(folder / "there")
    check_apply(folder, "all gathers", "model.h5", [])
    check_apply(folder, "some gathers", "model.h5", ["--ensembles", "#3-#9", "--set", "apply.method=direct"])
    untouched("train --dry-run --force over a run", folder, "train", "--survey", "survey.h5", *NETWORK, "--output",
              "run_in_blocks", "--force", ranks=2)
    untouched("apply --dry-run --force over a prediction", folder, "apply", "--survey", "survey.h5", "--model", "model.h5",
              "--output", "out_all_gathers.h5", "--force", ranks=2)
    check_refusals(folder)
    check_large(folder)
    check_disk(folder)
    tap.done()


if __name__ == "__main__":
    main()
