"""fxdecon and mean: the same bytes on any number of ranks, and killed and resumed; unfinished work of other kinds is refused by
name. How .part files are dealt with in every detail is test_apply_resume.py, whose code they share."""
import os
import signal
import sys
import tempfile

import h5py
import numpy as np

import cases
import resuming
import rivals
import tap


def ranks_and_resumes(ground):
    for command, options in rivals.WORKS.items():
        def work(output, *more):
            return [command, "--survey", ground.survey, "--output", output, *options, *more]

        whole = ground.place(command + "_whole.h5")
        ground.run(*work(whole))
        wanted = cases.datasets(whole)
        for ranks in (1, 2, 3, 4, 15) if command == "fxdecon" else (2, 15):
            output = ground.place("%s_%d.h5" % (command, ranks))
            resuming.same_bytes(tap.run(*work(output), ranks=ranks), output, wanted,
                                "%s: the same bytes on %d ranks" % (command, ranks))
        output = resuming.unfinished(whole, ground.place(command + "_part.h5"), (0, 3, 7, 11))
        result = tap.run(*work(output, "--resume"), ranks=3)
        resuming.same_bytes(result, output, wanted, command + " --resume: the same bytes")
        tap.ok(resuming.resumed_from(result) == (8, 12) and "predicted 4 gathers" in result.err,
               "only what lacks is computed", result)
        result = tap.run(*work(output, "--resume"), ranks=2)
        tap.ok(result.status == 0 and "finished already" in result.err, "a finished one is left alone", result)
        history = cases.attributes(whole)["history"]
        tap.ok("seisdcn %s" % command in history or command in history.splitlines()[-1], "the history names the command", history)
        with h5py.File(whole, "r") as file:
            facts = dict(file[command].attrs)
        tap.ok(str(facts["survey_path"]) == ground.survey and facts["difference"] == 0
               and (facts["window_samples"] == 24 if command == "fxdecon" else facts["gathers"] == 3),
               command + ": the attributes name the work", facts)


def other_work(ground):
    other = ground.new_survey("other.h5", [2 * gather[:, ::-1] for gather in ground.gathers])
    slower = ground.place("slower.h5")
    ground.run("consolidate", "--quiet", "--output", slower, "--interval-us", "2000", ground.place("survey.h5.d"))
    fx, running = rivals.WORKS["fxdecon"], rivals.WORKS["mean"]
    every = [
        ("fxdecon", rivals.USAGE, "was made with --window-samples 24, not 25", [*fx[2:], "--window-samples", "25"], ground.survey),
        ("fxdecon", rivals.USAGE, "was made with --filter-traces 4, not 8", ["--window-samples", "24"], ground.survey),
        ("fxdecon", rivals.USAGE, "was made with --damping 0.5, not 0.25", [*fx, "--damping", "0.25"], ground.survey),
        ("fxdecon", rivals.USAGE, "was made with --high-hz 0, not 80", [*fx, "--high-hz", "80"], ground.survey),
        ("fxdecon", rivals.DATA, "another survey", fx, other),
        ("fxdecon", rivals.DATA, "another sample interval", fx, slower),
        ("fxdecon", rivals.CONFIG, "was made with apply.keep_mutes=false", [*fx, "--set", "apply.keep_mutes=true"], ground.survey),
        ("fxdecon", rivals.USAGE, "without --difference", [*fx, "--difference"], ground.survey),
        ("fxdecon", rivals.USAGE, "--ensembles", [*fx, "--ensembles", "#1"], ground.survey),
        ("mean", rivals.USAGE, "was made with --traces 5, not 7", ["--traces", "7", "--gathers", "3"], ground.survey),
        ("mean", rivals.USAGE, "was made with --gathers 3, not 1", ["--traces", "5"], ground.survey),
        ("mean", rivals.USAGE, "was made by mean, not by fxdecon", ["fxdecon"], ground.survey),
        ("mean", rivals.DATA, "another survey", running, other),
    ]
    for i, (command, status, message, options, survey) in enumerate(every):
        output = resuming.unfinished(ground.place(command + "_whole.h5"), ground.place("other_work.h5"), (4,))
        before = resuming.content(output + ".part")
        words = options if options[0] == "fxdecon" else [command, *options]
        result = tap.run(*words, "--survey", survey, "--output", output, "--resume", ranks=3 if i % 4 == 0 else 0)
        tap.refused(result, status, message, "--resume of other work: " + message)
        tap.ok("--force" in result.err and resuming.content(output + ".part") == before and not os.path.exists(output),
               "it stays as it was", result)
    result = tap.run("fxdecon", *fx, "--survey", ground.survey, "--output", output, "--resume", "--force")
    resuming.same_bytes(result, output, cases.datasets(ground.place("fxdecon_whole.h5")), "--resume --force makes it anew")
    result = tap.run("fxdecon", *fx, "--survey", ground.survey, "--output", output)
    tap.refused(result, rivals.USAGE, "exists already", "a whole output stays")
    os.rename(output, output + ".part")
    tap.refused(tap.run("fxdecon", *fx, "--survey", ground.survey, "--output", output), rivals.USAGE, "fxdecon did not finish",
                "an unfinished one stays too")
    os.remove(output + ".part")


def kills(ground):
    """A survey that takes seconds: killed by and by, asked to stop, and out of time."""
    numbers = np.random.RandomState(12)
    count = 60
    survey = ground.new_survey("slow.h5", [numbers.standard_normal((90, 500)).astype(np.float32) for _ in range(count)])

    def work(output, *more):
        return ["fxdecon", "--survey", survey, "--output", output, "--window-traces", "0", "--filter-traces", "45", *more]

    whole, output = ground.place("slow_whole.h5"), ground.place("killed.h5")
    ground.run(*work(whole), ranks=2, seconds=120)
    wanted = cases.datasets(whole)
    turns = list(zip((3, 2, 1), (resuming.ONE, resuming.USR1, resuming.ALL)))
    resuming.kills(work, output, count, wanted, turns, 5)
    output = ground.place("limit.h5")
    result = tap.run(*work(output, "--set", "apply.max_time_minutes=0.02"), ranks=2)
    tap.ok(result.status == resuming.INTERRUPTED and resuming.stopped_so(result, "its time limit"),
           "apply.max_time_minutes stops it", result)
    resuming.same_bytes(tap.run(*work(output, "--resume"), ranks=3), output, wanted, "and it goes on from there")


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    os.environ["OMPI_MCA_ess_singleton_isolated"] = "1"  # a run without mpirun starts sooner
    with tempfile.TemporaryDirectory() as folder:
        ground = rivals.Ground(folder)
        if rivals.fftw(ground):
            for group in (ranks_and_resumes, other_work, kills):
                group(ground)
    tap.done()


if __name__ == "__main__":
    main()
