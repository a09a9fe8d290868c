"""Unfinished predictions, and the commands that make them, killed in all ways and resumed."""
import os
import random
import re
import shutil
import signal
import subprocess
import time

import h5py
import numpy as np

import cases
import processes
import tap


def unfinished(whole, output, undone=()):
    """Makes the .part of an output out of a whole one, as a kill leaves it: all gathers done but `undone`."""
    shutil.copy(whole, output + ".part")
    with h5py.File(output + ".part", "a") as file:
        file.attrs.modify("checksum", np.uint64(0))
        first = file["ensemble/first_trace"][()]
        for e in undone:
            file["ensemble/done"][e] = 0
            file["ensemble/checksum"][e] = 0
            file["amplitude"][first[e]:first[e + 1]] = 0
    return output


def content(path):
    with open(path, "rb") as file:
        return file.read()


def same_bytes(result, output, wanted, name):
    """Passes where the run ended well and left just the wanted datasets under the output's name."""
    good = result.status == 0 and os.path.exists(output)
    difference = cases.differing(cases.datasets(output), wanted) if good else ["nothing there"]
    left = [ending for ending in (".part", ".part.new") if os.path.exists(output + ending)]
    return tap.ok(good and not difference and not left, name, f"differing: {difference}, left behind: {left}\n{result}")


def resumed_from(result):
    """(done, all) as the resumed run says them; None where it says nothing."""
    found = re.search(r"resuming .*: ([\d,]+) of ([\d,]+) gathers are done", result.err)
    return found and tuple(int(text.replace(",", "")) for text in found.groups())


# ---- kills ----


def finished_gathers(part):
    """The done flags, read while others write; None while there is no file."""
    try:
        with h5py.File(part, "r", locking=False) as file:
            return file["ensemble/done"][()]
    except (OSError, KeyError):
        return None


def start(words, ranks):
    command = [*tap.MPIRUN, "-n", str(ranks), tap.PROGRAM, *words]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            start_new_session=True)


def wait_until(process, condition, seconds):
    """Whether the condition came true before the process ended or the time was over."""
    end = time.monotonic() + seconds * tap.TIME_FACTOR
    while process.poll() is None and time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.005)
    return False


def ended(process, words):
    try:
        out, err = process.communicate(timeout=200 * tap.TIME_FACTOR)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return tap.Result(words, None, "", "it did not end")
    return tap.Result(words, process.returncode, out.decode(errors="replace"), err.decode(errors="replace"))


ONE, ALL, USR1, TERM, MPIRUN = ("kill -9 of one rank", "kill -9 of all ranks", "SIGUSR1", "SIGTERM of one rank",
                                "SIGTERM of mpirun")
INTERRUPTED = 75


def ranks_of(output):
    return processes.running(tap.PROGRAM, output)


def strike(kind, process, output, draw):
    """Sends it, and returns how the job must end: (status, word of its one error), None: as it likes."""
    ranks = ranks_of(output)
    if kind in (USR1, MPIRUN):  # mpirun passes it on; after SIGTERM it ends with a status of its own
        os.kill(process.pid, signal.SIGUSR1 if kind == USR1 else signal.SIGTERM)
        return (INTERRUPTED, "SIGUSR1") if kind == USR1 else (None, "SIGTERM")
    processes.send(ranks if kind == ALL else [draw.choice(ranks)], signal.SIGTERM if kind == TERM else signal.SIGKILL)
    return (INTERRUPTED, "SIGTERM") if kind == TERM else (None, None)


def stopped_so(result, word):
    """Whether it was asked to stop, by word, and said so in one line that names how to go on; it is no error."""
    lines = re.findall("^seisdcn [a-z]+: .*$", result.err, re.MULTILINE)
    return len(lines) == 1 and "interrupted by " + word in lines[0] and "--resume" in lines[0] and "error" not in lines[0]


def kills(work, output, count, wanted, turns, seed):
    """Turns of (ranks, kind of kill), each when a random number of further gathers of `count` are done, and a random while
    later; then the rest, to the wanted datasets. work(output, *more) are the words of the command."""
    draw = random.Random(seed)
    seen, part = [], output + ".part"
    for turn, (ranks, kind) in enumerate(turns):
        more = draw.randrange(0 if kind in (ONE, ALL) else 1, 4)  # a signal before the program listens just kills
        before = int(np.sum(finished_gathers(part) if os.path.exists(part) else 0))
        words = work(output, *(["--resume"] if turn > 0 else []))
        process = start(words, ranks)
        name = "turn %d, %s, %d ranks" % (turn + 1, kind, ranks)

        def far_enough():
            done = finished_gathers(part)  # with more = 0 it may strike before the first one begins
            return ranks_of(output) and done is not None and done.sum() >= before + more

        struck = wait_until(process, far_enough, 200)
        time.sleep(draw.random() * 0.1)
        status, word = strike(kind, process, output, draw) if struck else (None, None)
        result = ended(process, words)
        now = finished_gathers(part)
        good = result.status not in (0, None) and (status is None or result.status == status)
        if not tap.ok(good and (word is None or stopped_so(result, word)) and now is not None and not os.path.exists(output),
                      name + ": ends, the unfinished file is readable", result):
            return
        seen.append((before, int(now.sum()), resumed_from(result)))
    tap.ok(all(said is None or said == (before, count) for before, _, said in seen)
           and sum(said is not None for _, _, said in seen) >= len(turns) // 2,
           "each goes on from where the one before stood", seen)
    tap.ok(sum(before < now for before, now, _ in seen) >= len(turns) // 2, "most of them get on", seen)
    result = tap.run(*work(output, "--resume"), ranks=2, seconds=200)
    same_bytes(result, output, wanted, "after %d kills: the bytes of a run that nobody disturbed" % len(turns))
    tap.ok(resumed_from(result) == (seen[-1][1], count), "the last one too goes on", result)
