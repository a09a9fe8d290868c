"""One gather, one trace, one rank, one step are called so: no output of any command says "1 gathers"."""
import os
import re

import h5py
import numpy as np

import cases
import tap
from segy_files import File

os.environ["OMPI_MCA_ess_singleton_isolated"] = "1"  # a run without mpirun starts sooner
place = tap.folder()
# but for the first line of a text header, "C 1 gathers that ..."
WRONG = re.compile(r"(?<![\d.,-])(?<!C )1 (whole |more |other |training |live )?(gathers|traces|patches|ranks|files|epochs|steps|samples|lines|"
                   r"inlines|crosslines|windows|channels|models|levels|rows|bytes|parameters|attributes|configurations|trainings|tasks|"
                   r"headers|hosts|level sets|places|positions|values|splits|predictions|processes|checkpoints|nodes|cores)\b")
said = {}


def at(name):
    return str(place / name)


def run(*words, status=0, ranks=0):
    """Runs a command; one test that it ends so and says nothing wrong."""
    result = tap.run(*words, ranks=ranks)
    wrong = [line for line in (result.out + result.err).splitlines() if WRONG.search(line)]
    tap.ok(result.status == status and not wrong, "%s%s" % (" ".join(os.path.basename(str(word)) for word in words[:7]),
                                                           " on %d ranks" % ranks if ranks else ""), (wrong, result))
    said[words[0]] = result.out + result.err
    return result


tap.ok(WRONG.search("predicted 1 gathers") and not WRONG.search("21 gathers, 1,001 traces, 0.1 steps, 1 gather"), "what is looked for")

# ---- one gather ----

NET = ["--set", "patch.size=8", "--set", "network.levels=1", "--set", "split.by=patch"]
ONE = [*NET, "--set", "train.max_epochs=1", "--set", "train.batch_size=4096", "--set", "train.log_every_steps=1"]
run("synth", "--output", at("g"), "--inlines", "1", "--crosslines", "1", "--traces", "10", "--samples", "24")
run("consolidate", "--output", at("s.h5"), "--interval-us", "4000", at("g/noisy"), ranks=1)
run("consolidate", "--output", at("c.h5"), "--interval-us", "4000", at("g/clean"))
run("info", "--verify", at("s.h5"))
run("index", "--survey", at("s.h5"), "--output", at("m.h5"), "--materialize", *NET)
run("info", at("m.h5"))
for by in ("ensemble", "inline"):
    run("index", "--survey", at("s.h5"), "--output", at("no.h5"), *NET[:4], "--set", "split.by=" + by, status=3)
run("index", "--survey", at("s.h5"), "--output", at("no.h5"), *NET, "--set", "patch.stride=100", status=3)
run("index", "--survey", at("s.h5"), "--output", at("one.h5"), *NET, "--set", "patch.stride=100", "--set", "split.test=0", "--set",
    "split.valid=0")
run("info", at("one.h5"))
run("train", "--survey", at("s.h5"), "--output", at("t"), "--dry-run", *ONE)
run("train", "--survey", at("s.h5"), "--output", at("t"), *ONE, ranks=1)
run("train", "--survey", at("s.h5"), "--output", at("t1"), *ONE, "--set", "train.max_epochs=4", "--set", "train.early_stopping_patience=1",
    "--set", "train.learning_rate=10", "--set", "train.max_valid_patches=1")
run("train", "--survey", at("s.h5"), "--output", at("t"), "--resume", "--dry-run", *ONE, "--set", "train.max_epochs=2")
run("info", at("t/best.h5"))
run("test", "--survey", at("s.h5"), "--model", at("t/best.h5"), "--map", at("m.h5"))
run("apply", "--survey", at("s.h5"), "--model", at("t/best.h5"), "--output", at("p.h5"), "--dry-run")
run("apply", "--survey", at("s.h5"), "--model", at("t/best.h5"), "--output", at("p.h5"), ranks=1)
run("apply", "--survey", at("s.h5"), "--model", at("t/best.h5"), "--output", at("p.h5"), "--resume", ranks=3)
run("fxdecon", "--survey", at("s.h5"), "--output", at("f.h5"), "--window-samples", "0", "--window-traces", "0")
run("mean", "--survey", at("s.h5"), "--output", at("a.h5"), ranks=3)
run("mean", "--survey", at("s.h5"), "--output", at("b.h5"), "--gathers", "3", status=4)
run("qc", "--survey", at("s.h5"), "--predicted", at("p.h5"), "--predicted", at("a.h5"), "--clean", at("c.h5"), "--bins", "1", "--windows", "1",
    "--bands", "1", "--csv", at("q.csv"), ranks=1)
run("compare", at("t"), "--survey", at("s.h5"), "--ensembles", "#0", "--output", at("compare.png"), "--script", at("compare.gp"))
tap.ok("1 training by" in open(at("compare.gp")).read(), "compare's picture too")
(place / "grid.yaml").write_text("train.seed: [1]\n")
run("sweep", "--survey", at("s.h5"), "--grid", at("grid.yaml"), "--output", at("sweep"), *ONE)
run("sweep", "--survey", at("s.h5"), "--grid", at("grid.yaml"), "--output", at("sweep"), *ONE, "--only", "2", status=2)
run("sweep", "--survey", at("s.h5"), "--grid", at("grid.yaml"), "--output", at("sweep"), *ONE, "--emit", "slurm")
run("attributes", "--survey", at("s.h5"), "--add", "envelope")
run("info", at("s.h5"))
run("export", "--survey", at("p.h5"), "--output", at("npy"))
run("export", "--survey", at("p.h5"), "--output", at("p.sgy"), ranks=1)
run("info", at("p.sgy"))
run("consolidate", "--output", at("sgy.h5"), at("p.sgy"), ranks=1)
run("doctor", "--dir", str(place), ranks=1)
run("plot", "--survey", at("s.h5"), "--predicted", at("p.h5"), "--ensemble", "#0", "--output", at("gather.png"))
for command in ("train", "apply", "qc", "consolidate", "info"):
    run(command, "--help")
tap.ok("1 gather" in said["mean"] + said["synth"] + said["doctor"] and "1 rank" in said["doctor"], "one is named as one", said)

# ---- one trace of one sample, and errors about such files ----

os.makedirs(at("tiny"))
np.save(at("tiny/x_inline_1_crossline_1.npy"), np.ones((1, 1), np.float32))
run("consolidate", "--output", at("tiny.h5"), "--interval-us", "4000", at("tiny"), ranks=3)
run("info", "--verify", at("tiny.h5"))
run("index", "--survey", at("tiny.h5"), "--output", at("none.h5"), *NET, status=4)
run("mean", "--survey", at("tiny.h5"), "--output", at("tiny_mean.h5"), "--dry-run")
run("mean", "--survey", at("tiny.h5"), "--output", at("tiny_mean.h5"))
run("qc", "--survey", at("tiny.h5"), "--predicted", at("s.h5"), status=4)
run("qc", "--survey", at("s.h5"), "--predicted", at("tiny.h5"), status=4)
run("train", "--survey", at("s.h5"), "--clean", at("tiny.h5"), "--output", at("x"), *ONE, "--set", "train.target=clean", status=4)
run("test", "--survey", at("tiny.h5"), "--model", at("t/best.h5"), status=4)
run("export", "--survey", at("tiny_mean.h5"), "--output", at("tiny.sgy"))
run("info", at("tiny.sgy"))
run("consolidate", "--output", at("tiny_sgy.h5"), at("tiny.sgy"))
with open(at("tiny.sgy"), "ab") as file:
    file.write(b"\0")
run("consolidate", "--output", at("tiny_no.h5"), at("tiny.sgy"), status=4)
run("consolidate", "--output", at("tiny_saved.h5"), "--salvage", at("tiny.sgy"))
one = [{189: 1, 193: 1, 37: 100}]  # a sample that 32-bit floats cannot hold, and a byte too much
File([[2 ** 24 + 1, 1]], one, format=2, trailer=b"x").write(at("large.sgy"))
run("consolidate", "--output", at("large.h5"), "--salvage", at("large.sgy"))
run("consolidate", "--output", at("no.h5"), at("large.sgy"), status=4)
cases.write_map(at("foreign.h5"), 8, train=[(0, 0, 9)])
run("train", "--survey", at("tiny.h5"), "--map", at("foreign.h5"), "--output", at("x"), *ONE[2:4], status=4)

# ---- one of two or three ----

gathers = [np.random.RandomState(e).standard_normal((10, 24)).astype(np.float32) for e in range(3)]
gathers[2] = gathers[2][:4]
cases.write_gathers(at("three"), gathers[:2])
np.save(at("three/x_inline_300_crossline_1.npy"), gathers[2])
gathers[1][3, 4] = np.nan
np.save(at("three/shot_inline_100_crossline_201.npy"), gathers[1])
result = run("consolidate", "--output", at("three.h5"), "--interval-us", "4000", "--zero-bad", at("three"))
tap.ok("1 sample of 1 gather was not finite and is zero now" in result.err, "one sample of one gather", result)
result = run("index", "--survey", at("three.h5"), "--output", at("three_map.h5"), *NET)
tap.ok("1 of 3 gathers is smaller than a patch and gives none" in result.err, "one gather that is too small", result)
result = run("mean", "--survey", at("three.h5"), "--output", at("three_mean.h5"), "--gathers", "3", ranks=3)
tap.ok("1 gather has no neighbour on its line" in result.err, "one gather without a neighbour", result)
run("apply", "--survey", at("three.h5"), "--model", at("t/best.h5"), "--output", at("two.h5"), "--ensembles", "#0-#1")
result = run("export", "--survey", at("two.h5"), "--output", at("two"))
tap.ok("1 gather is not predicted yet and is left out" in result.err, "one that is not predicted", result)
with h5py.File(at("three.h5"), "a") as file:
    cases.forget_checksum(file, 1)
result = run("info", at("three.h5"))
tap.ok("1 of 3 gathers has no checksum" in result.err, "one without a checksum", result)
tap.done()
