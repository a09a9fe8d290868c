"""What apply reports: the energy that leaked into samples that were exact zeros, as NumPy finds it and alike on any number
of ranks; apply.keep_mutes takes it away again; how the ranks' time was spent."""
import os
import re
import tempfile

import numpy as np

import cases
import tap

import original

RANKS = (0, 2, 3, 7)


def leaked(result):
    found = re.search(r"leaked: ([0-9.e+-]+) % of", result.err)
    return float(found.group(1)) if found else None


def main():
    with tempfile.TemporaryDirectory() as folder:
        numbers = np.random.RandomState(8)
        scales = (1, 1e-9, 3e8, 1, 1e4, 2, 5)  # sums in double would depend on their order
        gathers = [cases.random_gather(numbers, 18 + 2 * i, 90) * np.float32(scale) for i, scale in enumerate(scales)]
        survey, model = os.path.join(folder, "survey.h5"), os.path.join(folder, "model.h5")
        npy = cases.write_gathers(os.path.join(folder, "npy"), gathers)
        if not tap.runs(tap.run("consolidate", "--output", survey, npy), "a survey with mutes"):
            tap.done()
        original.write_model(model, original.randomise(original.Original(1, 2, 2, 0.0), 1), 16)

        def apply(name, ranks, *options):
            output = os.path.join(folder, name + ".h5")
            result = tap.run("apply", "--survey", survey, "--model", model, "--output", output, "--force",
                             "--set", "apply.mute_threshold=0", *options, ranks=ranks)
            return result, cases.read_gathers(output) if tap.runs(result, "apply %s on %d ranks" % (name, max(ranks, 1))) else []

        lines = []
        for ranks in RANKS:
            result, predicted = apply("plain", ranks)
            lines.append(re.findall("^leaked: .*$", result.err, re.MULTILINE))
            where = re.findall(r"^time in %: predicting .* on rank \d+.*$", result.err, re.MULTILINE)
            waiting = re.findall(r"^waiting: ([0-9.]+) % of the time$", result.err, re.MULTILINE)
            tap.ok(len(where) == len(waiting) == (1 if ranks > 1 else 0) and all(0 <= float(share) <= 100 for share in waiting),
                   "the balance of %d ranks" % max(ranks, 1), result)
            if ranks == RANKS[0]:
                energy = sum(np.sum(np.square(out, dtype=np.float64)) for out in predicted)
                mutes = sum(np.sum(np.square(out[gather == 0], dtype=np.float64)) for gather, out in zip(gathers, predicted))
                tap.ok(leaked(result) is not None and 0 < mutes < energy
                       and abs(leaked(result) - 100 * mutes / energy) <= 2e-4 * leaked(result), "the leak is NumPy's",
                       "%s instead of %s" % (leaked(result), 100 * mutes / energy))
        tap.ok(len(lines[0]) == 1 and all(line == lines[0] for line in lines), "on every number of ranks", lines)
        kept, muted = apply("kept", 3, "--set", "apply.keep_mutes=true")
        tap.ok(leaked(kept) == leaked(result) and "set to zero again" in kept.err, "apply.keep_mutes: the same leak is told", kept)
        tap.ok(all(np.array_equal(out, np.where(gather == 0, np.float32(0), plain))
                   for gather, plain, out in zip(gathers, predicted, muted)), "and is gone")
        noise, difference = apply("noise", 2, "--difference")
        tap.ok(leaked(noise) == leaked(result) and len(difference) == len(gathers), "--difference tells it too", noise)
    tap.done()


if __name__ == "__main__":
    main()
