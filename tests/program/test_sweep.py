"""sweep: every combination as train by hand would have it, to the bit; done ones are skipped, interrupted ones go on,
failed ones are noted; what it refuses; the job file that it writes."""
import os
import shutil
import signal
import subprocess
import time

import cases
import tap
import training
from training import SMALL

INTERRUPTED, NUMERIC = 75, 7
place = str(tap.folder())
survey = training.make_survey(place)
clean = os.path.join(place, "clean.h5")
tap.runs(tap.run("consolidate", "--output", clean, os.path.join(place, "gathers/clean")), "consolidate clean")


def at(name):
    return os.path.join(place, name)


def text_file(name, text):
    with open(at(name), "w") as file:
        file.write(text)
    return at(name)


def sweep(output, *words, ranks=0, **more):
    return tap.run("sweep", "--survey", survey, "--output", at(output), *words, ranks=ranks, **more)


def by_hand(output, name, folder, *words, ranks=0):
    """What the command line that the sweep stands for trains, elsewhere."""
    return training.train(survey, at(folder), "--map", at(output + "/map.h5"), "--config", at("%s/%s.yaml" % (output, name)),
                          *words, ranks=ranks)


def stamps(folder):
    """When every file below a folder was last written."""
    return {os.path.join(top, name): os.stat(os.path.join(top, name)).st_mtime_ns
            for top, _, names in os.walk(folder) for name in names}


base = text_file("base.yaml", "patch: {size: 16, stride: 3}\nnetwork: {levels: 2}\ntrain: {batch_size: 24, max_epochs: 3, "
                 "log_every_steps: 1, checkpoint_every_steps: 5, learning_rate: 0.004, learning_rate_decay: 0.8}\n")
grid = text_file("grid.yaml", "# the network, and what it is trained towards\nnetwork.width: [0, 4]\n"
                 "train:\n  target: [neighbour, clean]\n")
NAMES = ["width=%d_target=%s" % (width, target) for width in (0, 4) for target in ("neighbour", "clean")]
WORDS = ("--config", base, "--grid", grid, "--clean", clean)

# every combination, as by hand
result = sweep("swept", *WORDS, ranks=2)
tap.runs(result, "a sweep of four configurations on 2 ranks")
folders = sorted(name for name in os.listdir(at("swept")) if os.path.isdir(at("swept/" + name)))
tap.ok(folders == sorted(NAMES), "a folder for each, named by its values", folders)
tap.ok(cases.leftovers(at("swept"), [*NAMES, *[name + ".yaml" for name in NAMES], "map.h5"]) == [],
       "beside them the configurations and one map", os.listdir(at("swept")))
for name, ranks in zip(NAMES, (0, 3, 1, 2)):
    words = ("--clean", clean) if name.endswith("clean") else ()
    training.same(at("swept/" + name), at("hand"), "%s: the bits of train by hand on %d ranks" % (name, ranks),
                  by_hand("swept", name, "hand", "--force", *words, ranks=ranks))
result = training.train(survey, at("hand"), *SMALL, "--set", "network.width=4", "--set", "train.target=neighbour", "--force")
training.same(at("swept/" + NAMES[2]), at("hand"), "and of train with --set and without a map", result)

# done ones are left alone
before = stamps(at("swept"))
result = sweep("swept", *WORDS, ranks=3)
tap.ok(result.status == 0 and result.err.count("is finished") == 4, "again: all are finished", result)
tap.ok(stamps(at("swept")) == before, "and no file was touched")
shutil.rmtree(at("swept/" + NAMES[1]))
tap.runs(sweep("swept", *WORDS), "again without one of them")
after = stamps(at("swept"))
written = {path for path in after if after[path] != before.get(path)}
tap.ok(written and all(path.startswith(at("swept/" + NAMES[1]) + "/") for path in written), "that one alone is trained",
       sorted(written))
tap.runs(sweep("swept", *WORDS, "--set", "train.max_epochs=4"), "more epochs")
tap.ok(all(cases.read_metrics(at("swept/" + name))[2][-1]["epoch"] == 4 for name in NAMES), "go on with all of them")
result = sweep("swept", *WORDS, "--set", "train.batch_size=12")
tap.refused(result, 3, NAMES[0] + " cannot be resumed: train.batch_size is 12 and was 24", "another base is refused by name")
os.remove(at("swept/map.h5"))
tap.runs(sweep("swept", *WORDS, "--set", "train.max_epochs=1", "--force", "--only", "2", ranks=2), "--force --only 2")
tap.ok([len(cases.read_metrics(at("swept/" + name))[2]) for name in NAMES] == [4, 1, 4, 4], "trains the second one anew")

# interrupted by signals and by its time, between and within trainings; each run on other ranks
SLOW = ("--config", text_file("slow.yaml", "patch: {size: 32, stride: 2}\ntrain: {batch_size: 192, max_epochs: 2, "
                              "log_every_steps: 1, checkpoint_every_steps: 4, max_valid_patches: 400, "
                              "max_patches_per_epoch: 9000}\n"),
        "--grid", text_file("rates.yaml", "train.learning_rate: [0.001, 0.002, 0.003]\n"))
RATES = ["learning_rate=%s" % rate for rate in ("0.001", "0.002", "0.003")]
os.mkdir(at("large"))
large = training.make_survey(at("large"), traces=40, samples=200)


def torn(ranks, hit, wanted):
    """Starts the sweep in the background; hit(process) once it has written rows of configuration `wanted`; returns its
    result."""
    start = time.time_ns()
    before = [*tap.MPIRUN, "-n", str(ranks)] if ranks else []
    words = [*before, tap.PROGRAM, "sweep", "--survey", large, "--output", at("torn"), *SLOW]
    with open(at("torn.log"), "w+b") as log:
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        end = time.monotonic() + 60 * tap.TIME_FACTOR
        path = at("torn/%s/metrics.csv" % RATES[wanted])
        while process.poll() is None and time.monotonic() < end:
            time.sleep(0.005)
            if os.path.exists(path) and os.stat(path).st_mtime_ns > start:
                with open(path) as file:
                    if file.read().count("\n") > 8:
                        break
        hit(process)
        try:
            status = process.wait(60 * tap.TIME_FACTOR)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            status = process.wait() and None
        log.seek(0)
        return tap.Result(words, status, "", log.read().decode(errors="replace"))


whole = tap.run("sweep", "--survey", large, "--output", at("whole"), *SLOW, ranks=2, seconds=120)
tap.runs(whole, "a sweep that nothing stops")
result = torn(2, lambda process: process.send_signal(signal.SIGUSR1), 0)
tap.ok(result.status == INTERRUPTED and "interrupted by SIGUSR1 in configuration 1 of 3, " + RATES[0] in result.err
       and "the same command goes on" in result.err, "SIGUSR1 in the first: status 75, and how to go on", result)
result = torn(0, lambda process: os.killpg(process.pid, signal.SIGKILL), 1)
tap.ok(result.status == -signal.SIGKILL, "kill -9 in the second", result)
result = torn(3, lambda process: process.send_signal(signal.SIGUSR2), 1)
tap.ok(result.status == INTERRUPTED and "SIGUSR2 in configuration 2 of 3" in result.err, "SIGUSR2 in the second", result)
result = tap.run("sweep", "--survey", large, "--output", at("torn"), *SLOW, "--set", "train.max_time_minutes=0.0001", ranks=2)
tap.ok(result.status == INTERRUPTED and "time limit" in result.err and "in configuration 1 of 3" in result.err,
       "its time is over before anything is done", result)
result = tap.run("sweep", "--survey", large, "--output", at("torn"), *SLOW, ranks=1, seconds=120)
tap.ok(result.status == 0 and result.err.count("is finished") == 1 and result.err.count("going on from") == 1,
       "the same command goes on: one is done, one is gone on with", result)
for name in RATES:
    training.same(at("torn/" + name), at("whole/" + name), name + ": the bits of a sweep that nothing stopped")

# a configuration that fails
rates = text_file("fails.yaml", "train.learning_rate: [0.004, 1e30, 0.002]\n")
FAILS = ("--config", base, "--grid", rates, "--set", "network.output=linear")
BAD = "learning_rate=1.0e+30"
for time_, ranks in (("first", 3), ("second", 1)):
    result = sweep("fails", *FAILS, ranks=ranks)
    tap.refused(result, NUMERIC, "1 of 3 configurations failed: %s; the others are trained" % BAD,
                "a loss that is not finite: said at the end, the %s time" % time_)
    tap.ok(("failed before" in result.err) == (time_ == "second"), "it is not tried again by itself", result)
tap.ok(all(os.path.exists(at("fails/learning_rate=%s/best.h5" % rate)) for rate in ("0.004", "0.002")), "the others are trained")
tap.ok("not finite in epoch 1" in open(at("fails/%s.failed" % BAD)).read(), "its failure stands beside it")
tap.refused(sweep("fails", *FAILS, "--only", "2"), NUMERIC, "1 of 1 configuration failed", "alone, it has failed too")
os.remove(at("fails/%s.failed" % BAD))
result = sweep("fails", *FAILS, "--only", "2")
tap.ok(result.status == NUMERIC and "failed before" not in result.err, "without that file it is tried again", result)

# files of configurations, and with a grid
narrow, wide = text_file("narrow.yaml", "network: {width: 2}\ntrain: {max_epochs: 1}\n"), text_file("wide.yaml", "network: {width: 4}\n")
seeds = text_file("seeds.yaml", "train.seed: [1, 2]\n")
tap.runs(sweep("files", "--config", base, "--set", "train.max_epochs=2", "--grid", seeds, narrow, wide, ranks=2),
         "two files with a grid of two seeds")
names = ["%s_train.seed=%d" % (name, seed) for name in ("narrow", "wide") for seed in (1, 2)]
tap.ok(sorted(n for n in os.listdir(at("files")) if os.path.isdir(at("files/" + n))) == names, "make four", os.listdir(at("files")))
config = open(at("files/narrow_train.seed=2/config.yaml")).read()
tap.ok("width: 2\n" in config and "seed: 2\n" in config and "max_epochs: 2\n" in config and "stride: 3\n" in config,
       "a file over the base, --set and the grid over it", config)
tap.runs(sweep("alone", "--config", base, narrow), "one file alone")
tap.ok(os.path.exists(at("alone/narrow/best.h5")), "has the file's name")

# patches that differ
strides = text_file("strides.yaml", "patch.stride: [3, 4]\n")
tap.runs(sweep("strides", "--config", base, "--grid", strides), "strides vary")
tap.ok(not os.path.exists(at("strides/map.h5")), "then there is no one map")
tap.ok(all(cases.attributes(at("strides/stride=%d/best.h5" % s))["survey_checksum"] for s in (3, 4)), "each trains on its own")

# what is refused, before anything is made
made = at("refused")
cases_ = [
    ((), "nothing varies: give --grid"),
    (("--grid", text_file("a.yaml", "network.width: [4]\ntrain.sed: [1]\n")), "a.yaml:2:1: unknown key train.sed; did you mean train.seed?"),
    (("--grid", text_file("b.yaml", "network:\n  width: [4, 8.5]\n")), "b.yaml:2:14: network.width cannot be '8.5'"),
    (("--grid", text_file("c.yaml", "network.width: 8\n")), "c.yaml:1:16: network.width takes a list"),
    (("--grid", at("none.yaml")), "none.yaml"),
    (("--grid", grid), "configuration width=0_target=clean: train.target=clean compares"),
    (("--grid", text_file("d.yaml", "network.levels: [2, 9]\n")), "configuration levels=9: patch.size 16 leaves nothing"),
    (("--grid", text_file("e.yaml", "split.seed: [1, 2]\n")), "configuration split.seed=2: split.seed is not that of the first"),
    (("--grid", strides, "--map", at("swept/map.h5")), "patch.stride"),
    (("--grid", strides, "--set", "split.by=patch"), "split.by=patch deals other patches"),
    (("--grid", seeds, "--set", "train.seed=5"), "seeds.yaml:1: train.seed varies here, and --set gives it one value"),
    (("--grid", text_file("f.yaml", "\nnetwork.width: [2, 3]\n"), narrow), "f.yaml:2: network.width varies here, and"),
    ((narrow, narrow), "two configurations have the name narrow"),
    ((text_file("bad.yaml", "network: {wdth: 2}\n"),), "bad.yaml:1:11: unknown key network.wdth"),
    (("--grid", seeds, "--only", "3"), "--only 3: there are 2 configurations"),
    (("--grid", seeds, "--emit", "pbs"), "--emit pbs is not known"),
    (("--grid", seeds, "--emit", "slurm", "--only", "1"), "--only has no part"),
    (("--grid", seeds, "--emit", "slurm", "--force"), "--force trains anew"),
]
for number, (words, message) in enumerate(cases_):
    result = sweep("refused", "--config", base, *words, ranks=0 if number % 5 else 3)
    status = 2 if message.startswith(("nothing", "two conf", "--only", "--emit", "--force")) or "compares" in message else \
        5 if "none.yaml" in message else 3
    tap.refused(result, status, message, "refused: " + message)
tap.ok(not os.path.exists(made), "nothing was made by what was refused")
text_file("refused", "")
tap.refused(sweep("refused", "--config", base, "--grid", seeds, ranks=2), 2, "is not a folder", "a file in the folder's place")

# the job file
quick = text_file("quick.yaml", "train: {max_epochs: 2}\n")
result = sweep("jobs made", "--config", base, "--grid", seeds, "--set", "network.width=2", "--emit", "slurm", quick, ranks=2)
tap.runs(result, "--emit slurm")
job = at("jobs made/sweep.sbatch")
text = open(job).read()
tap.ok("#SBATCH --array=1-2\n" in text and "#SBATCH --signal=B:USR1@180\n" in text and "# task 2: quick_train.seed=2\n" in text,
       "the job file is an array of two tasks, with the options of jobs/sweep.sbatch", text)
tap.ok(not os.path.exists(at("jobs made/quick_train.seed=1")) and os.path.exists(at("jobs made/map.h5")), "nothing is trained yet")
if shutil.which("shellcheck"):
    result = tap.command(["shellcheck", job])
    tap.ok(result.status == 0, "shellcheck has nothing to say", result)
else:
    tap.skip("shellcheck has nothing to say", "no shellcheck here")
site = at("site")  # the job files as a site has them
shutil.copytree(tap.ROOT / "jobs", site)
with open(os.path.join(site, "site.sh"), "a") as file:
    file.write("SEISDCN='%s'\n" % tap.PROGRAM)
result = tap.command(["bash", job], env={"SEISDCN_JOBS": site, "RUN": " ".join([*tap.MPIRUN, "-n", "2"])})
tap.runs(result, "a plain shell runs it")
for seed in (1, 2):
    name = "quick_train.seed=%d" % seed
    training.same(at("jobs made/" + name), at("hand"), name + ": the bits of train by hand",
                  by_hand("jobs made", name, "hand", "--force"))
result = sweep("nojobs", "--config", base, "--grid", seeds, "--emit", "slurm", ranks=2, env={"SEISDCN_JOBS": place})
tap.refused(result, 2, "set SEISDCN_JOBS", "no job files there")
tap.done()
