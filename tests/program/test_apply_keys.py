"""apply.* that nobody set come from the model, which keeps what its training was configured with; and a dry run tells memory and
time whatever the disk holds, without an infinite number."""
import os
import subprocess

import numpy as np

import cases
import tap

os.environ["OMPI_MCA_ess_singleton_isolated"] = "1"  # a run without mpirun starts sooner
place = tap.folder()
random = np.random.RandomState(5)
survey = str(place / "survey.h5")
gathers = [random.standard_normal((24, 40)).astype(np.float32) for _ in range(6)]
tap.runs(tap.run("consolidate", "--output", survey, cases.write_gathers(place / "gathers", gathers)), "a survey")
NETWORK = ("--set", "patch.size=16", "--set", "network.levels=2", "--set", "train.max_steps=1", "--set", "patch.stride=8")


def train(name, *words, ranks=0):
    tap.runs(tap.run("train", "--survey", survey, "--output", place / name, *NETWORK, *words, ranks=ranks), "train " + name)
    return place / name / "best.h5"


def method(command, model, *words, ranks=0):
    """What the log says of the method, and its result."""
    result = tap.run(command, "--survey", survey, *([model.parent] if command == "compare" else ["--model", model]), *words, ranks=ranks)
    tap.runs(result, "%s on %d ranks" % (command, ranks))
    said = [line for line in result.err.splitlines() if line.startswith("apply.method ")]
    return said[0] if len(said) == 1 else said, result


WHOLE = ("--set", "apply.method=whole", "--set", "apply.keep_mutes=true", "--set", "apply.mute_threshold=0.25")
model = train("whole", *WHOLE, ranks=3)
kept = cases.attributes(model)
tap.ok((kept["apply_method"], kept["apply_keep_mutes"], kept["apply_mute_threshold"]) == ("whole", 1, 0.25),
       "the model keeps apply.*", kept)
set_ones = method("apply", model, "--output", place / "set.h5", *WHOLE)
for ranks in (1, 3):
    out = place / ("out%d.h5" % ranks)
    said, result = method("apply", model, "--output", out, ranks=ranks)
    tap.ok(said == "apply.method whole, as the model was trained with", "apply takes it and says so", result)
    tap.ok(not cases.differing(cases.datasets(out), cases.datasets(place / "set.h5")), "with the bits of the keys that are set")
    for command, words in (("test", ()), ("compare", ("--gathers", "1"))):
        tap.ok(method(command, model, *words, ranks=ranks)[0] == said, command + " does so too")
said, _ = method("apply", model, "--output", place / "shared.h5", "--set", "apply.method=shared")
tap.ok(said == "apply.method shared, as it is set" and cases.differing(cases.datasets(place / "shared.h5"), cases.datasets(place / "set.h5")),
       "a key that is set stands")
tap.refused(tap.run("apply", "--survey", survey, "--model", model, "--output", place / "out1.h5", "--resume", "--set",
                    "apply.method=shared"), 3, "apply.method", "a prediction of another method is not resumed")
tap.ok(cases.attributes(train("more", "--init", model))["apply_method"] == "whole", "train --init hands it on")
small = train("small", "--set", "apply.method=whole", "--set", "network.levels=4", "--set", "patch.size=16")
said, result = method("apply", small, "--output", place / "small.h5")
tap.ok("the default: the model's patches are too small" in said, "whole where no patch has a middle: the default, said", result)

# ---- dry runs ----

for words in (("train", "--output", place / "dry", *NETWORK, "--set", "train.batch_size=10000"),
              ("apply", "--output", place / "dry.h5", "--model", model), ("mean", "--output", place / "dry.h5")):
    for ranks in (1, 3):
        result = tap.run(*words, "--survey", survey, "--dry-run", ranks=ranks)
        tap.runs(result, "%s --dry-run of next to nothing on %d ranks" % (words[0], ranks))
        tap.ok("inf" not in result.out and "nan" not in result.out and "time (estimate)" in result.out, "its numbers are finite", result)
disk = place / "small_disk"
disk.mkdir()
if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12k", "none", disk]).returncode != 0:
    tap.skip("dry runs on a full disk", "mounting is not allowed here")
else:
    try:
        for words in (("train", "--output", disk / "run", *NETWORK), ("apply", "--output", disk / "out.h5", "--model", model),
                      ("mean", "--output", disk / "out.h5"), ("fxdecon", "--output", disk / "out.h5")):
            result = tap.run(*words, "--survey", survey, "--dry-run", ranks=3)
            tap.ok(result.status == 5 and "memory a rank" in result.out and "time (estimate)" in result.out and "left" in result.err,
                   words[0] + " --dry-run on a full disk: memory and time, then status 5", result)
        tap.ok(os.listdir(disk) == [], "nothing was written")
    finally:
        subprocess.run(["umount", disk], check=True)
tap.done()
