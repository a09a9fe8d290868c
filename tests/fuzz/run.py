#!/usr/bin/python3
"""Runs the fuzzers (tests/fuzz/fuzz_*.c, built by `make build-fuzz`) and speaks TAP: one test each.

Each starts from the small files of tests/fuzz/corpus/NAME, with --keep also from what earlier runs found worth keeping
(build/fuzz/corpus/NAME). Where one finds a fault, its input stays in build/fuzz/finds, and the report shows the fault, the
input, and how to run it again.
"""
import argparse
import base64
import concurrent.futures
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = ROOT / "build/fuzz"
FINDS = BUILD / "finds"
# Seconds that one input may take on a machine that does much else. Memory of one block and of all: the inputs are small,
# and no reader may believe one that says otherwise.
LIMITS = ["-timeout=120", "-malloc_limit_mb=512", "-rss_limit_mb=2560", "-max_len=4096", "-len_control=10"]
# What MPI and HDF5 keep to the end looks like leaks; these fuzzers count what the program itself holds (program.h).
WITH_MPI = ["map", "model", "segy", "survey"]
SHOWN = 120  # lines of a report


def programs():
    """Name and program of each fuzzer that the sources have."""
    return [(source.stem[len("fuzz_"):], BUILD / "tests/fuzz" / source.stem)
            for source in sorted((ROOT / "tests/fuzz").glob("fuzz_*.c"))]


def environment_of(name, folder):
    """What a fuzzer is run with; its files lie in folder."""
    return dict(os.environ, TMPDIR=str(folder), OPENBLAS_NUM_THREADS="1",
                UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1",
                ASAN_OPTIONS=f"allocator_may_return_null=1:detect_leaks={int(name not in WITH_MPI)}")


def show_finds(program, finds):
    for find in sorted(finds):
        data = find.read_bytes()
        yield f"the input of {len(data)} bytes is kept; again: TMPDIR=/tmp {program} {find}"
        yield "base64: " + base64.b64encode(data).decode()


def run(name, program, seconds, seed, grown=None, finds=FINDS):
    """Whether the fuzzer ran to its end without a find; how many inputs it tried; and its report. grown: a folder of inputs
    that are tried too and get what is worth keeping."""
    corpus = ROOT / "tests/fuzz/corpus" / name
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    folder = pathlib.Path(tempfile.mkdtemp(prefix="seisdcn-fuzz-", dir=memory))
    grown = grown or folder / "grown"
    for place in (grown, finds):
        place.mkdir(parents=True, exist_ok=True)
    before = set(finds.glob(name + "-*"))
    words = [program, f"-seed={seed}", f"-max_total_time={seconds}", "-close_fd_mask=3", "-print_final_stats=1",
             f"-detect_leaks={int(name not in WITH_MPI)}", f"-artifact_prefix={finds}/{name}-", *LIMITS, grown]
    words += [corpus] if corpus.is_dir() else []
    with subprocess.Popen(words, env=environment_of(name, folder), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE) as process:
        try:
            report = process.communicate(timeout=seconds + 300)[1].decode(errors="replace")
        except subprocess.TimeoutExpired:
            process.kill()
            report = process.communicate()[1].decode(errors="replace") + "\nit did not end by itself and was stopped"
    shutil.rmtree(folder, ignore_errors=True)
    counts = [line.split()[-1] for line in report.splitlines() if line.startswith("stat::number_of_executed_units")]
    tried = int(counts[-1]) if counts else 0
    seeds = len(list(corpus.iterdir())) if corpus.is_dir() else 0
    lines = [line for line in report.splitlines() if not line.startswith(("#", "\tNEW_FUNC"))]
    lines = [f"exit status {process.returncode}, {tried} inputs, {seeds} of them given", *lines[-SHOWN:]]
    lines += show_finds(program, set(finds.glob(name + "-*")) - before)
    return process.returncode == 0 and tried > seeds, tried, "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="only the fuzzers whose names hold one of these words")
    parser.add_argument("--seconds", type=int, default=20, help="how long each one runs")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2, help="fuzzers at a time")
    parser.add_argument("--keep", action="store_true", help="go on from what earlier runs found worth keeping, and add to it")
    options = parser.parse_args()
    chosen = [pair for pair in programs() if not options.names or any(word in pair[0] for word in options.names)]
    count = failed = 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        jobs = {pool.submit(run, name, program, options.seconds, options.seed,
                            BUILD / "corpus" / name if options.keep else None): name for name, program in chosen}
        for job in concurrent.futures.as_completed(jobs):
            good, tried, report = job.result()
            count += 1
            failed += not good
            print(f"{'ok' if good else 'not ok'} {count} - {jobs[job]}: nothing is found in {tried} inputs", flush=True)
            if not good:
                print("\n".join("# " + line for line in report.splitlines()), flush=True)
    print(f"1..{count}", flush=True)
    return 0 if count and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
