"""apply against PyTorch's own prediction, to 1e-5 of a gather's largest output: gathers with mutes, dead traces and
decades of magnitude, smaller and larger than a patch; on 1 and 3 ranks; --difference and --ensembles."""
import os
import tempfile

import h5py
import numpy as np

import cases
import tap

import original

CASES = [  # name, network, patch size, folds
    ("default network", dict(), 32, (9, 20)),
    ("k_mult 3, levels 2", dict(k_mult=3, levels=2), 16, (7, 33, 16)),
    ("mixing full, skip add, levels 2", dict(levels=2, mixing="full", skip="add"), 12, (5, 30, 12)),
    ("levels 3, no middle", dict(levels=3), 11, (3, 25)),
    ("channels 3 with attributes, levels 2", dict(channels=3, levels=2), 12, (5, 21)),
    ("width 8, full, add, linear", dict(mixing="full", skip="add", width=8, output="linear"), 20, (5, 21)),
    ("width 6, full, 3 channels to 1", dict(channels=3, levels=2, mixing="full", width=6, n_out=1), 12, (5, 21)),
    ("3 channels to 1, an attribute in metres, levels 2", dict(channels=3, levels=2, width=4, n_out=1), 12, (5, 21)),
    ("width 4, levels 1", dict(levels=1, width=4), 8, (3, 15)),
    ("rms, 3 channels, levels 2", dict(channels=3, levels=2, scale="rms"), 12, (5, 21)),
    ("rms on a grid of 4, levels 2", dict(levels=2, scale="rms", scale_grid=4), 12, (5, 21)),
    ("max on a grid of 1, levels 2", dict(levels=2, scale_grid=1), 12, (5, 21)),
]
THRESHOLD = 0.02
SAMPLES = 50


def run_case(folder, name, shape, size, folds):
    random = np.random.RandomState(len(name))
    channels = shape.get("channels", 1)
    parts = [np.stack([cases.random_gather(random, n_traces, SAMPLES) for _ in range(channels)]) for n_traces in folds]
    shared = [True] * channels
    npy = cases.write_gathers(os.path.join(folder, "npy"), [part[0] for part in parts])
    survey = os.path.join(folder, "survey.h5")
    result = tap.run("consolidate", "--output", survey, npy)
    tap.ok(result.status == 0, "%s: consolidate" % name, result)
    if channels == 3:
        shared = [True, False, True]
        for part in parts:
            part[1] /= np.abs(part[1]).max()
            if "metres" in name:
                part[1] = 20000 + 50000 * part[1]
        with h5py.File(survey, "a") as file:
            file["attribute/a_plain"] = np.concatenate([part[1] for part in parts])
            file["attribute/a_plain"].attrs["scale"] = "none"
            file["attribute/b_far"] = np.concatenate([part[2] for part in parts])
    start = os.path.join(folder, "model.h5")
    model = original.randomise(original.Original(dropout=0.0, **shape), seed=len(name))
    if "metres" in name:
        model._bnorm.running_mean[1], model._bnorm.running_var[1] = 25000, 2e7
    original.write_model(start, model, size)
    model = model.double()
    truth = [original.apply_gather(model, part, size, THRESHOLD, shared=shared)[0] for part in parts]

    runs = [(1, method, isa) for method in ("direct", "shared") for isa in tap.isas()]
    for ranks, method, isa in runs + [(3, "direct", ""), (3, "shared", "")]:
        label = "%s, %s, %d rank%s%s" % (name, method, ranks, "" if ranks == 1 else "s", isa and ", " + isa)
        predicted = os.path.join(folder, "predicted_%s_%d%s.h5" % (method, ranks, isa))
        command = ["apply", "--survey", survey, "--model", start, "--set", "apply.mute_threshold=%g" % THRESHOLD,
                   "--set", "apply.method=" + method]
        result = tap.run(*command + ["--output", predicted], ranks=ranks, env=cases.forced(isa))
        if not tap.ok(result.status == 0, "%s: apply ends well" % label, result):
            continue
        found = cases.read_gathers(predicted)
        for gather, wanted in zip(found, truth):
            error = cases.of_largest(gather, wanted)
            tap.ok(error < 1e-5, "%s: %d traces, PyTorch's prediction to 1e-5 of the largest"
                   % (label, len(wanted)), "%.2e" % error)
        tap.ok(not os.path.exists(predicted + ".part"), "%s: no .part is left" % label)
        facts, source = cases.attributes(predicted), cases.attributes(survey)
        tap.ok(facts.get("format") == "seisdcn-survey" and "model_checksum" in facts
               and facts.get("survey_checksum") == source["checksum"], "%s: the prediction's attributes" % label,
               str(facts))
        ours, theirs = cases.datasets(predicted), cases.datasets(survey)
        tables = ["ensemble/first_trace", "ensemble/inline", "ensemble/crossline", "ensemble/source"]
        tap.ok(all(np.array_equal(ours[key], theirs[key]) for key in tables)
               and np.all(ours["ensemble/done"] == 1), "%s: the survey's own tables, all gathers done" % label)

        difference = os.path.join(folder, "difference_%s_%d%s.h5" % (method, ranks, isa))
        result = tap.run(*command + ["--output", difference, "--difference"], ranks=ranks, env=cases.forced(isa))
        error = 1.0
        if result.status == 0:
            error = max(np.abs(gather - (part[0] - wanted)).max() / np.abs(wanted).max()
                        for gather, part, wanted in zip(cases.read_gathers(difference), parts, truth))
        tap.ok(result.status == 0 and error < 1e-5, "%s: --difference is input minus prediction" % label,
               "%.2e\n%s" % (error, result))

    chosen = os.path.join(folder, "chosen.h5")
    result = tap.run(*command + ["--output", chosen, "--ensembles", "100:201"], ranks=2)
    done, same = None, False
    if result.status == 0:
        done = cases.datasets(chosen)["ensemble/done"].tolist()
        same = np.array_equal(cases.read_gathers(chosen)[1], found[1])
    tap.ok(done == [int(e == 1) for e in range(len(folds))] and same,
           "%s: --ensembles predicts the one that it names" % name, "done %s\n%s" % (done, result))


def main():
    for case in CASES:
        with tempfile.TemporaryDirectory() as folder:
            run_case(folder, *case)
    tap.done()


if __name__ == "__main__":
    main()
