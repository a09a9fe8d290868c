"""Three hosts on a network: the bits of one host; no rank of apply waits for another; a host whose cable is out ends the
job within the time that jobs/site.sh stands for, and the job goes on without that host to the same bits."""
import re
import subprocess
import time

import cases
import hosts
import tap

TRAIN = ["--set", "train.max_epochs=6", "--set", "train.max_patches_per_epoch=7680", "--set", "train.log_every_steps=10",
         "--set", "train.max_valid_patches=200", "--set", "train.checkpoint_every_steps=20"]
RANKS = [2, 1, 1]
KEEPALIVE = "OMPI_MCA_oob_tcp_keepalive_"
QUICK = {KEEPALIVE + "time": "2", KEEPALIVE + "intvl": "1", KEEPALIVE + "probes": "3"}  # 5 s
SLACK = 25  # seconds more for a busy machine


def site_seconds():
    """How long a lost host may go unnoticed with jobs/site.sh."""
    result = subprocess.run(["bash", "-c", "SEISDCN_JOBS=jobs; . jobs/site.sh; env"], cwd=tap.ROOT, capture_output=True,
                            text=True, check=False)
    values = dict(re.findall("^" + KEEPALIVE + r"(\w+)=(\d+)$", result.stdout, flags=re.M))
    return int(values["time"]) + int(values["intvl"]) * int(values["probes"]) if len(values) == 3 else None


# What Open MPI says of a host that is gone; the second where it has not heard from all daemons yet.
LOST = ("lost communication", "unable to reliably start")


def seconds_of(environment):
    return int(environment[KEEPALIVE + "time"]) + (int(environment[KEEPALIVE + "intvl"])
                                                   * int(environment[KEEPALIVE + "probes"]))


def same(path, reference, name):
    differing = cases.differing(cases.datasets(path), cases.datasets(reference)) if path.exists() else ["no file"]
    tap.ok(not differing, name + ": the bits of one host", "differing: %s" % differing)


def lose(net, host, words, begun, name):
    """Runs words on all hosts, takes one's cable out once begun(), and checks how that ends."""
    process = net.start(*words, ranks=RANKS, env=QUICK)
    end = time.monotonic() + 60 * tap.TIME_FACTOR
    while not begun() and process.poll() is None and time.monotonic() < end:
        time.sleep(0.02)
    net.cut(host)
    at_work = process.poll() is None
    since = time.monotonic()
    result = net.finish(process, seconds_of(QUICK) + SLACK)
    tap.ok(at_work, name + ": the cable is out while it is at work", result)
    tap.ok(result.status not in (None, 0) and any(words in result.err for words in LOST),
           "%s: with a timeout of %d s, ends with a message within %d" % (name, seconds_of(QUICK),
                                                                          seconds_of(QUICK) + SLACK),
           "after %.1f s\n%s" % (time.monotonic() - since, result))
    net.clear()  # a host that nobody reaches does not reach the file system either
    net.join(host)


def bits(net, folder, survey):
    """Training and prediction on all hosts; returns the folder and the file that they are compared with."""
    trained, predicted = folder / "trained", folder / "predicted.h5"
    one = [tap.run("train", "--survey", survey, "--output", trained, *TRAIN, ranks=2, seconds=120),
           tap.run("apply", "--survey", survey, "--model", trained / "best.h5", "--output", predicted, ranks=2)]
    tap.ok(all(result.status == 0 for result in one), "one host", "\n".join(map(str, one)))
    output = folder / "trained_hosts"
    result = net.run("train", "--survey", survey, "--output", output, *TRAIN, ranks=RANKS, seconds=120)
    if tap.runs(result, "train on three hosts"):
        same(output / "last.h5", trained / "last.h5", "train")
        same(output / "best.h5", trained / "best.h5", "train, best.h5")
    output = folder / "predicted_hosts.h5"
    result = net.run("apply", "--survey", survey, "--model", trained / "best.h5", "--output", output, ranks=RANKS,
                     seconds=120)
    if tap.runs(result, "apply on three hosts"):
        same(output, predicted, "apply")
        waiting = re.findall(r"waiting: ([0-9.]+) % of the time", result.err)
        tap.ok(len(waiting) == 1 and float(waiting[0]) < 1, "apply: ranks wait for the work counter less than 1 % of the "
               "time", result.err)
    return trained, predicted


def lost(net, folder, survey, trained, predicted):
    """A lost host in training and in apply, and how the work goes on without it."""
    output = folder / "trained_cut"
    words = ["train", "--resume", "--survey", survey, "--output", output, *TRAIN]
    metrics = output / "metrics.csv"
    lose(net, 2, words, lambda: metrics.exists() and metrics.read_text().count("\n") > 3, "train")
    result = net.run(*words, ranks=[2, 1, 0], seconds=120)
    if tap.runs(result, "train goes on without the host"):
        tap.ok("going on from" in result.err, "train does not begin again", result)
        same(output / "last.h5", trained / "last.h5", "train, after a lost host")
    output = folder / "predicted_cut.h5"
    words = ["apply", "--resume", "--survey", survey, "--model", trained / "best.h5", "--output", output]
    lose(net, 1, words, (folder / "predicted_cut.h5.part").exists, "apply")
    tap.ok(not output.exists(), "apply: no file under the final name")
    result = net.run(*words, ranks=[2, 0, 1], seconds=120)
    if tap.runs(result, "apply goes on without the host"):
        same(output, predicted, "apply, after a lost host")


def main():
    why = hosts.missing()
    if why is not None:
        tap.skip("several hosts", why)
        tap.done()
    folder = tap.folder()
    survey = folder / "survey.h5"
    made = [tap.run("synth", "--output", folder / "gathers", "--inlines", 6, "--crosslines", 8, "--traces", 40,
                    "--samples", 300, "--seed", 5, ranks=2),
            tap.run("consolidate", "--output", survey, folder / "gathers" / "noisy", ranks=2)]
    tap.ok(all(result.status == 0 for result in made), "a survey", "\n".join(map(str, made)))
    seconds = site_seconds()
    tap.ok(seconds is not None and seconds <= 60, "jobs/site.sh: a lost host is noticed within a minute", seconds)
    (folder / "net").mkdir()
    net = hosts.Hosts(folder / "net", len(RANKS))
    result = net.run("doctor", "--dir", folder, "--size", "1", ranks=RANKS)
    tap.ok(result.status == 0 and "host0" in result.out and "host2" in result.out, "doctor finds the hosts", result)
    lost(net, folder, survey, *bits(net, folder, survey))
    net.stop()
    tap.done()


if __name__ == "__main__":
    main()
