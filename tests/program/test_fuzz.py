"""The fuzzers of tests/fuzz, 20 seconds each with a fixed seed: what reads strangers' files has no fault that they find. And
that one that is there is found and shown: a fuzzer of a reader that overruns."""
import concurrent.futures
import pathlib
import shutil
import sys

import tap

sys.path.insert(0, str(tap.ROOT / "tests/fuzz"))
import run as fuzz  # pylint: disable=wrong-import-position

SECONDS, JOBS, SEED = 20, 2, 1
FLAGS = ["-g", "-O1", "-fsanitize=fuzzer,address,undefined"]
OVERRUN = """
#include <stdint.h>
#include <stdlib.h>
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *room = malloc(4);
    if (size > 2 && data[0] == 'a' && data[1] == 'b') room[size + 1] = 1;
    free(room);
    return 0;
}
"""


def build(folder, name, text):
    """The fuzzer of a C text; None where clang is not there, or without libFuzzer."""
    source, program = folder / (name + ".c"), folder / name
    source.write_text(text)
    if shutil.which("clang") is None:
        return None
    return program if tap.command(["clang", *FLAGS, "-o", program, source]).status == 0 else None


def main():
    folder = tap.folder()
    planted = build(folder, "planted", OVERRUN)
    if planted is None:
        tap.skip("the fuzzers", "there is no clang with libFuzzer (clang, libclang-rt-14-dev)")
        tap.done()
    if tap.TIME_FACTOR != 1:
        tap.skip("the fuzzers", "they have the sanitizers themselves: make test runs them")
        tap.done()
    good, _, report = fuzz.run("planted", planted, SECONDS, SEED, finds=folder)
    tap.ok(not good and "heap-buffer-overflow" in report and "base64: YWI" in report, "an overrun is found and shown", report)
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        jobs = {name: pool.submit(fuzz.run, name, program, SECONDS, SEED)
                for name, program in fuzz.programs() if program.exists()}
        for name, program in fuzz.programs():
            if tap.ok(name in jobs, f"the fuzzer of {name} is built", f"{program} is not there: make build-fuzz"):
                good, runs, report = jobs[name].result()
                tap.ok(good, f"{name}: nothing is found", f"{runs} inputs\n{report}")
    tap.done()


main()
