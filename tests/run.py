#!/usr/bin/python3
"""Runs every test and counts: unit programs alone, parallel ones under mpirun on several numbers of ranks, and the
program tests (tests/program/test_*.py), which run the program itself. All of them speak TAP.

Tests of kernels and of training against PyTorch go through the instruction sets that the processor has by themselves; those
of BY_ISA run once for each (SEISDCN_ISA). The first line says which there are.

A test that ends early, prints nothing, fails without saying so or outlives its time counts as failed. The last line is
'N passed, N failed, N skipped'; the exit status is 0 only if something passed and nothing failed.
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import shlex
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/program"))

import tap  # noqa: E402

BY_ISA = {"test_same_bits"}  # tests/program: training, resume and apply on 1 to 7 ranks
RANKS = (1, 2, 3, 4, 7)
TAG = re.compile(r"^\[\d+,(\d+)\]<std(?:out|err)>:? ?")  # mpirun --tag-output
TAP = re.compile(r"^(not )?ok\b\s*(\d+)?\s*(?:- )?(.*)$")
PLAN = re.compile(r"^1\.\.(\d+)")


class Job:
    def __init__(self, name, words, seconds, ranks=0, isa=""):
        self.name, self.words, self.seconds, self.ranks, self.isa = name, words, seconds, ranks, isa


class Outcome:
    def __init__(self, job):
        self.job, self.passed, self.failed, self.skipped, self.seconds = job, [], [], [], 0.0
        self.output = ""


def run(words, seconds, isa):
    """Output, exit status (None: its time was over). mpirun gets the chance to end its ranks before it is killed."""
    environment = dict(os.environ, CMOCKA_MESSAGE_OUTPUT="TAP", PYTHONDONTWRITEBYTECODE="1", **({"SEISDCN_ISA": isa} if isa else {}))
    process = subprocess.Popen(words, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, start_new_session=True)
    for stop in (None, signal.SIGTERM, signal.SIGKILL):
        if stop is not None:
            os.killpg(process.pid, stop)
        try:
            output, _ = process.communicate(timeout=seconds if stop is None else 10)
            return output.decode(errors="replace"), process.returncode if stop is None else None
        except subprocess.TimeoutExpired:
            continue
    return "", None


def read_tap(text):
    """Verdicts by test (a test of several ranks passed where it passed on all of them), and how many were planned."""
    verdicts, planned = {}, {}
    order = {"skipped": 0, "passed": 1, "failed": 2}
    for line in text.splitlines():
        tag = TAG.match(line)
        rank = int(tag.group(1)) if tag else 0
        line = line[tag.end():] if tag else line
        plan, point = PLAN.match(line), TAP.match(line)
        if plan:
            planned[rank] = planned.get(rank, 0) + int(plan.group(1))
        if not point:
            continue
        bad, number, name = point.groups()
        verdict = "skipped" if "# SKIP" in name.upper() else "failed" if bad else "passed"
        key = (number, name.split(" # ")[0])
        verdicts.setdefault(key, {})[rank] = verdict
    worst = {key: max(by_rank.values(), key=order.get) for key, by_rank in verdicts.items()}
    missing = [(rank, count - sum(rank in by_rank for by_rank in verdicts.values())) for rank, count in planned.items()]
    return worst, planned, [(rank, count) for rank, count in missing if count > 0]


def run_job(job):
    outcome, start = Outcome(job), time.monotonic()
    if not pathlib.Path(job.words[-1]).exists():
        outcome.failed.append(f"{job.words[-1]} was not built")
        return outcome
    outcome.output, status = run(job.words, job.seconds, job.isa)
    outcome.seconds = time.monotonic() - start
    verdicts, planned, missing = read_tap(outcome.output)
    for (_, name), verdict in verdicts.items():
        getattr(outcome, verdict).append(name)
    if status is None:
        outcome.failed.append(f"was stopped after {job.seconds:.0f} s")
    elif status != 0 and not outcome.failed:
        outcome.failed.append(f"ended with exit status {status}")
    elif missing:
        outcome.failed.append("; ".join(f"{count} tests missing on rank {rank}" for rank, count in missing))
    elif not planned or not verdicts:
        outcome.failed.append("ended without a plan (1..N) or without a test")
    return outcome


def all_jobs(options):
    jobs, build = [], ROOT / options.build / "tests"
    factor = 4 if options.slow else 1
    for source in sorted(ROOT.glob("tests/unit/test_*.c")):
        jobs.append(Job(f"unit/{source.stem}", [str(build / "unit" / source.stem)], 120 * factor))
    for source in sorted(ROOT.glob("tests/parallel/test_*.c")):
        for n in RANKS:
            words = shlex.split(options.mpirun) + ["-n", str(n), "--tag-output", str(build / "parallel" / source.stem)]
            jobs.append(Job(f"parallel/{source.stem} on {n}", words, 120 * factor, n))
    for script in sorted(ROOT.glob("tests/program/test_*.py")):
        for isa in tap.isas() if script.stem in BY_ISA else [""]:
            name = f"program/{script.stem}" + (f" with {isa}" if isa else "")
            jobs.append(Job(name, [sys.executable, str(script)], 600 * factor, isa=isa))
    return [job for job in jobs if not options.names or any(name in job.name for name in options.names)]


def report(outcome):
    counts = f"{len(outcome.passed)} passed, {len(outcome.failed)} failed, {len(outcome.skipped)} skipped"
    verdict = "FAIL" if outcome.failed else "ok  "
    print(f"{verdict} {outcome.job.name:<44} {counts}  ({outcome.seconds:.1f} s)", flush=True)
    for name in outcome.skipped:
        print(f"       skipped: {name}")
    for name in outcome.failed:
        print(f"       failed: {name}")
    if outcome.failed:
        lines = outcome.output.splitlines()
        shown = [line for line in lines if not re.match(r"^(\[.*?\]<std...>:?\s?)?ok\b", line)]
        print("\n".join("       | " + line for line in shown[-80:]), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="only tests whose names hold one of these")
    parser.add_argument("--build", default="build/release", help="folder of the built tests")
    parser.add_argument("--program", default="build/seisdcn")
    parser.add_argument("--mpirun", default="mpirun")
    parser.add_argument("--jobs", type=int, default=3, help="programs at a time")
    parser.add_argument("--slow", action="store_true", help="under a sanitizer: four times the time")
    options = parser.parse_args()

    os.environ["SEISDCN"] = str(ROOT / options.program)
    os.environ["SEISDCN_BUILD"] = str(ROOT / options.build)
    os.environ["MPIRUN"] = options.mpirun
    os.environ["SEISDCN_TIME_FACTOR"] = "4" if options.slow else "1"
    os.environ.setdefault("SEISDCN_DATA", str(ROOT.parent / "shared/data"))

    print("instruction sets that are tested: " + ", ".join(["the processor's best", *tap.isas()[1:]]), flush=True)
    passed = failed = skipped = 0
    with concurrent.futures.ThreadPoolExecutor(max(1, options.jobs)) as pool:
        for future in concurrent.futures.as_completed([pool.submit(run_job, job) for job in all_jobs(options)]):
            outcome = future.result()
            report(outcome)
            passed += len(outcome.passed)
            failed += len(outcome.failed)
            skipped += len(outcome.skipped)
    print(f"{passed} passed, {failed} failed, {skipped} skipped", flush=True)
    return 0 if passed > 0 and failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
