"""The processes below a test: found, stopped for a while, and ended with it, also those that a daemon left behind."""
import ctypes
import os
import signal
import sys
import time

PR_SET_CHILD_SUBREAPER = 36


def adopt():
    """From here on a process whose parent ends becomes this process's child, and SIGTERM ends this script in order."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))


def below():
    """The ids of all processes below this one that have not ended."""
    children, ended = {}, set()
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/stat" % entry) as file:
                state, parent = file.read().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        children.setdefault(int(parent), []).append(int(entry))
        if state == "Z":
            ended.add(int(entry))
    found, left = [], [os.getpid()]
    while left:
        mine = children.get(left.pop(), [])
        found += mine
        left += mine
    return [pid for pid in found if pid not in ended]


def running(program, *words):
    """Those below this process that run this program (its path) with all these words in their command line."""
    found = []
    for pid in below():
        try:
            with open("/proc/%d/cmdline" % pid, "rb") as file:
                line = file.read().decode(errors="replace").split("\0")
        except OSError:
            continue
        if os.path.realpath(line[0]) == os.path.realpath(program) and all(str(word) in line for word in words):
            found.append(pid)
    return found


def send(pids, number):
    """Sends a signal to each that is still there."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass


def reap():
    """Takes note of the adopted that have ended; to be called where no child is waited for otherwise."""
    try:
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass
    except ChildProcessError:
        pass


def end():
    """Ends all that is left below this process."""
    for _ in range(100):
        left = below()
        send(left, signal.SIGKILL)
        reap()
        if not left:
            break
        time.sleep(0.1)
