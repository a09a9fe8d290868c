"""Training in blocks: the same bits on any number of ranks, also taken up again in the middle of an epoch; and a survey that
is 8 times as large as the memory that a rank may have, which trains with what the refusal names."""
import os
import re
import sys

import h5py
import numpy as np

import cases
import tap

RANKS = (1, 2, 3, 4, 7)
SANITIZED = "asan" in os.environ.get("SEISDCN_BUILD", "")
SMALL = ["--set", "patch.size=16", "--set", "network.levels=2", "--set", "patch.stride=3", "--set", "train.batch_size=24",
         "--set", "train.max_valid_patches=50", "--set", "train.log_every_steps=1", "--set", "split.by=patch"]
LIMIT_MB = 105
UNIT = {"kB": 1e3, "MB": 1e6, "GB": 1e9}


def write_survey(path, n_gathers, n_traces, n_samples):
    """A survey file of random gathers, as a user's own script may write it: nothing but what training reads."""
    random = np.random.RandomState(0)
    pool = random.standard_normal(1 << 21).astype(np.float32)
    size = n_traces * n_samples
    with h5py.File(path, "w") as file:
        file.attrs.update({"format": "seisdcn-survey", "version": 1, "history": "- made by a test\n",
                           "sample_interval_us": 4000.0, "checksum": np.uint64(7)})
        file["ensemble/first_trace"] = np.arange(n_gathers + 1, dtype=np.int64) * n_traces
        file["ensemble/inline"] = np.zeros(n_gathers, dtype=np.int32)
        file["ensemble/crossline"] = np.arange(n_gathers, dtype=np.int32)
        file["ensemble/checksum"] = np.zeros(n_gathers, dtype=np.uint64)
        amplitude = file.create_dataset("amplitude", (n_gathers * n_traces, n_samples), dtype="<f4")
        for e in range(n_gathers):
            at = random.randint(len(pool) - size)
            amplitude[e * n_traces:(e + 1) * n_traces] = pool[at:at + size].reshape(n_traces, n_samples)


def weights(folder):
    found = cases.datasets(os.path.join(folder, "last.h5"))
    return {name: data for name, data in found.items() if name.startswith("state_dict")}


def sizes(text):
    """All sizes of a text in MB."""
    return [float(number) * UNIT[unit] / 1e6 for number, unit in re.findall(r"([\d.]+) ([kMG]B)", text)]


def same_bits(folder):
    result = tap.run("synth", "--output", "synth", "--inlines", "3", "--crosslines", "4", "--traces", "20", "--samples", "90",
                     cwd=folder)
    result = tap.run("consolidate", "--output", "survey.h5", "synth/noisy", cwd=folder) if result.status == 0 else result
    if not tap.runs(result, "a small survey"):
        return
    for block, shards in ((1, 5), (2, 5), (3, 64), (100, 5)):
        blocks = ["--set", "train.block_gathers=%d" % block, "--set", "train.shards=%d" % shards]
        words = ["train", "--survey", "survey.h5", *SMALL, *blocks, "--set", "train.max_epochs=2"]
        label = "blocks of %d, %d shards" % (block, shards)
        first = None
        for ranks in RANKS if block in (1, 3) else (1, 4):
            name = "run_%d_%d_%d" % (block, shards, ranks)
            result = tap.run(*words, "--output", name, ranks=ranks, cwd=folder)
            if not tap.runs(result, "%s: trains on %d ranks" % (label, ranks)):
                continue
            found = weights(folder / name)
            first = found if first is None else first
            tap.ok(not cases.differing(first, found), "%s: %d ranks have the bits of 1" % (label, ranks))
        # stopped in each epoch's middle, and taken up again by other ranks
        name = "resumed_%d_%d" % (block, shards)
        for ranks, steps in ((3, 13), (2, 71), (4, 0)):
            result = tap.run(*words, "--output", name, "--resume", "--set", "train.max_steps=%d" % steps, ranks=ranks,
                             cwd=folder)
            tap.runs(result, "%s: to step %d on %d ranks" % (label, steps, ranks))
        tap.ok(first is not None and not cases.differing(first, weights(folder / name)),
               "%s: taken up again twice, the same bits" % label)
    whole = tap.run("train", "--survey", "survey.h5", *SMALL, "--set", "train.max_epochs=2", "--set", "train.shards=5",
                    "--output", "whole", ranks=2, cwd=folder)
    tap.ok(whole.status == 0 and not cases.differing(weights(folder / "whole"), weights(folder / "run_100_5_1")),
           "blocks larger than a shard change nothing", whole)
    tap.ok(cases.differing(weights(folder / "run_1_5_1"), weights(folder / "run_2_5_1")),
           "the size of the blocks does change the order")


def follow(words, result, name):
    """The same command with what a refusal tells to set."""
    told = re.search(r"set (train\.\S+=\d+)(?: and (train\.\S+=\d+))?", result.err)
    tap.ok(result.status == 6 and result.err.count(": error: ") == 1 and told is not None and "block_gathers" in told.group(0),
           name, result)
    return words if told is None else words + [word for key in told.groups() if key for word in ("--set", key)]


def larger_than_memory(folder):
    """8 times the limit of a rank, on two ranks: from the refusal to the epoch's end."""
    survey = folder / "large.h5"
    write_survey(survey, 8 * LIMIT_MB * 1000000 // (61 * 1501 * 4) + 1, 61, 1501)
    tap.ok(survey.stat().st_size >= 8 * LIMIT_MB * 1000000, "the survey is 8 times as large as a rank's memory")
    plain = ["train", "--survey", survey, "--set", "train.memory_limit_mb=%d" % LIMIT_MB, "--set", "patch.stride=29",
             "--set", "train.max_epochs=1", "--set", "network.levels=1"]
    words = follow(plain, tap.run(*plain, "--output", folder / "refused", ranks=2),
                   "it does not fit, and the refusal names what does: shards too, since the survey is small")
    fewer = plain + ["--set", "train.shards=40"]
    named = follow(fewer, tap.run(*fewer, "--output", folder / "refused", ranks=2),
                   "with fewer shards it names train.block_gathers alone")
    tap.ok(not (folder / "refused").exists() and "train.shards=40" in named, "nothing is left of the refused")
    larger = re.sub(r"block_gathers=(\d+)", lambda found: "block_gathers=%d" % (int(found.group(1)) + 1), named[-1])
    tap.refused(tap.run(*named[:-1], larger, "--output", folder / "refused", ranks=2), 6, "train.block_gathers=",
                "one gather more in a block does not fit")
    for label, command in (("shards and blocks", words), ("blocks", named)):
        plan = tap.run(*command, "--output", folder / label, "--dry-run", ranks=2)
        result = tap.run(*command, "--output", folder / label, ranks=2, seconds=120)
        if not tap.ok(plan.status == 0 and result.status == 0, label + ": what was named trains", "%s\n%s" % (plan, result)):
            continue
        planned = sizes(re.search(r"memory a rank.*", plan.out).group(0))[0]
        peaks = sizes(re.search(r"peak memory.*", result.err).group(0))  # min, mean, max
        if SANITIZED:
            tap.skip(label + ": peak memory", "the sanitizer takes memory of its own")
            continue
        tap.ok(planned <= LIMIT_MB and peaks[2] <= LIMIT_MB, label + ": the plan and the peak stay below the limit",
               "planned %.1f MB, peaks %s" % (planned, peaks))
        tap.ok(abs(peaks[2] - planned) <= 0.15 * planned and abs(peaks[0] - planned) <= 0.15 * planned,
               label + ": the peak is within 15 % of the plan", "planned %.1f MB, peaks %s" % (planned, peaks))
        print("# %s: planned %.1f MB, peaks of ranks %.1f to %.1f MB" % (label, planned, peaks[0], peaks[2]))


def main():
    folder = tap.folder()
    same_bits(folder)
    larger_than_memory(folder)
    tap.done()


if __name__ == "__main__":
    main()
