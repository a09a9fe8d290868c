"""What program tests share: running the program alone and under mpirun, checking how it ends, and speaking TAP.

    import tap
    result = tap.run("synth", "--output", folder, ranks=2)      # ranks=0: without mpirun
    tap.ok(result.status == 0, "synth runs", result)
    tap.refused(result, 2, "exists already", "an existing output is refused")
    tap.done()
"""
import atexit
import os
import pathlib
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PROGRAM = os.environ.get("SEISDCN", str(ROOT / "build/seisdcn"))
MPIRUN = shlex.split(os.environ.get("MPIRUN", "mpirun"))
DATA = pathlib.Path(os.environ.get("SEISDCN_DATA", ROOT.parent / "shared/data"))
TIME_FACTOR = float(os.environ.get("SEISDCN_TIME_FACTOR", "1"))

_count = 0
_failed = 0


class Result:
    """How a command ended: status (None: its time was over), out, err (texts) and the words that called it."""

    def __init__(self, words, status, out, err):
        self.words, self.status, self.out, self.err = words, status, out, err

    def __str__(self):
        return (f"$ {shlex.join(map(str, self.words))}\nexit status: {self.status}\nstdout: {self.out[-3000:]}\n"
                f"stderr: {self.err[-3000:]}")


def ok(condition, name, detail=""):
    """One test; detail is shown where it failed. Returns whether it passed."""
    global _count, _failed
    _count += 1
    name = name.replace("#", "no. ").replace("\n", " ")
    print(f"{'ok' if condition else 'not ok'} {_count} - {name}", flush=True)
    if not condition:
        _failed += 1
        for line in str(detail).splitlines():
            print(f"# {line}", flush=True)
    return bool(condition)


def skip(name, why):
    global _count
    _count += 1
    print(f"ok {_count} - {name} # SKIP {why}", flush=True)


def done():
    """Ends the script: prints the plan, which says that nothing was left out."""
    print(f"1..{_count}", flush=True)
    sys.exit(1 if _failed else 0)


def command(words, seconds=60, env=None, cwd=None):
    """Runs any command under a timeout. Where OMPI_MCA_ess_singleton_isolated is set, all processes started without mpirun
    would share one session folder of Open MPI, and the first that ends removes it from under the others: each gets its own."""
    if "OMPI_MCA_ess_singleton_isolated" not in os.environ:
        return _command(words, seconds, env, cwd)
    with tempfile.TemporaryDirectory(prefix="seisdcn-mpi-", ignore_cleanup_errors=True) as session:
        return _command(words, seconds, dict(env or {}, OMPI_MCA_orte_tmpdir_base=session), cwd)


def _command(words, seconds, env, cwd):
    words = [str(word) for word in words]
    process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=cwd,
                               env=dict(os.environ, **(env or {})), start_new_session=True)
    for stop in (None, signal.SIGTERM, signal.SIGKILL):
        if stop is not None:
            os.killpg(process.pid, stop)
        try:
            out, err = process.communicate(timeout=seconds * TIME_FACTOR if stop is None else 10)
            status = process.returncode if stop is None else None
            return Result(words, status, out.decode(errors="replace"), err.decode(errors="replace"))
        except subprocess.TimeoutExpired:
            continue
    return Result(words, None, "", "killed")


def run(*words, ranks=0, seconds=60, env=None, cwd=None):
    """Runs `seisdcn WORDS`, under `mpirun -n RANKS` where ranks is not 0."""
    before = [*MPIRUN, "-n", str(ranks)] if ranks else []
    return command([*before, PROGRAM, *words], seconds, env, cwd)


def runs(result, name):
    """Passes where the command ended with status 0. Returns whether it did."""
    return ok(result.status == 0, name, result)


def refused(result, status, message, name):
    """Passes where the command ended with this status and printed just one error, which holds message."""
    errors = result.err.count(": error: ")
    return ok(result.status == status and errors == 1 and message in result.err and ": error: " not in result.out, name,
              f"wanted: status {status}, one error with '{message}'; {errors} errors\n{result}")


def folder():
    """A new folder that is gone when the script ends."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="seisdcn-test-"))
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


def isas():
    """What SEISDCN_ISA can force on this processor besides its best: names, "" for no force first."""
    return [""] + _all_isas()[1:]


def other_isa():
    """An instruction set that this processor has and that these tests don't run with by themselves, None: there is none."""
    names = _all_isas()
    own = os.environ.get("SEISDCN_ISA") or names[0]
    return next((name for name in reversed(names) if name != own), None)


def _all_isas():
    """Those of this processor, the best first."""
    with open("/proc/cpuinfo") as file:
        flags = file.read().split()
    return (["avx512"] if "avx512f" in flags else []) + (["avx2"] if "avx2" in flags else []) + ["portable"]


def data(name):
    """A file or folder of real data, None where it is not there (the test then skips, saying so)."""
    path = DATA / name
    return path if path.exists() else None
