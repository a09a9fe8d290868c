"""Several hosts on one machine: network namespaces with names and addresses of their own, joined by a bridge.

    hosts = Hosts(folder, 3)
    hosts.run("train", ..., ranks=[2, 2, 1])    # ranks of each host
    hosts.cut(1)                                # host 1's cable is out
    hosts.join(1)
    hosts.stop()                                # also at exit

Everything is in namespaces that processes of the test hold: nothing on the machine changes, nothing stays.
"""
import atexit
import os
import pathlib
import shutil
import signal
import subprocess
import time

import processes
import tap

NET = "10.77.0.0/24"
AGENT = """\
#!/bin/sh
# What mpirun calls as ssh: HOST COMMAND...
host=$1
shift
exec nsenter --target "$(cat '{folder}'/"$host")" --net --uts -- sh -c "$*"
"""


def missing():
    """Why there can be no hosts here, None where there can."""
    absent = [name for name in ("ip", "nsenter", "unshare", "setpriv") if shutil.which(name) is None]
    if absent:
        return "not installed: " + " ".join(absent)
    tried = subprocess.run(["unshare", "--net", "--uts", "sh", "-c", "ip link add try0 type bridge && "
                            "ip link add try1 type veth peer name try2"], capture_output=True, check=False)
    return None if tried.returncode == 0 else "no network namespaces: " + tried.stderr.decode().strip()


def address(host):
    return "10.77.0.%d" % (host + 1)


class Hosts:
    def __init__(self, folder, n):
        """Makes hosts 0 .. n-1 and the switch between them; mpirun runs on host 0."""
        self.folder = pathlib.Path(folder)
        self.holders = []
        processes.adopt()
        atexit.register(self.stop)
        self.switch = self._hold("switch")
        self._inside(self.switch, "ip link add bridge0 type bridge && ip link set bridge0 up")
        self.pids = []
        for host in range(n):
            pid = self._hold("host%d" % host)
            self._inside(self.switch, "ip link add port%d type veth peer name eth0 netns %d && "
                         "ip link set port%d master bridge0 up" % (host, pid, host))
            self._inside(pid, "ip addr add %s/24 dev eth0 && ip link set eth0 up && ip link set lo up" % address(host))
            (self.folder / address(host)).write_text(str(pid))
            self.pids.append(pid)
        self.agent = self.folder / "agent"
        self.agent.write_text(AGENT.format(folder=self.folder))
        self.agent.chmod(0o755)

    def _hold(self, name):
        """A process that holds the namespaces of a host of this name; returns its id once they are there."""
        holder = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "unshare", "--net", "--uts", "sh", "-c",
                                   'hostname "$0" && echo made && exec cat', name],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.holders.append(holder)
        if holder.stdout.readline() != "made\n":
            raise RuntimeError("no namespaces for " + name)
        return holder.pid

    def _inside(self, pid, script):
        words = ["nsenter", "--target", str(pid), "--net", "--uts", "--", "sh", "-c", script]
        result = tap.command(words)
        if result.status != 0:
            raise RuntimeError(str(result))

    def words(self, *words, ranks):
        """The command line that runs `seisdcn WORDS` with ranks[h] ranks on host h."""
        places = ",".join("%s:%d" % (address(host), n) for host, n in enumerate(ranks) if n > 0)
        return ["nsenter", "--target", str(self.pids[0]), "--net", "--uts", "--", *tap.MPIRUN, "-n", str(sum(ranks)),
                "--mca", "plm", "rsh", "--mca", "plm_rsh_agent", str(self.agent), "--mca", "btl_tcp_if_include", NET,
                "--mca", "oob_tcp_if_include", NET, "--host", places, tap.PROGRAM, *words]

    def run(self, *words, ranks, seconds=60, env=None):
        return tap.command(self.words(*words, ranks=ranks), seconds, env)

    def start(self, *words, ranks, env=None):
        """The same in the background; to be ended by finish()."""
        with open(self.folder / "out", "w") as out, open(self.folder / "err", "w") as err:
            return subprocess.Popen(list(map(str, self.words(*words, ranks=ranks))), stdin=subprocess.DEVNULL,
                                    stdout=out, stderr=err, env=dict(os.environ, **(env or {})), start_new_session=True)

    def finish(self, process, seconds):
        """Waits for what start() began: how it ended (status None: not within so many seconds)."""
        status = None
        end = time.monotonic() + seconds * tap.TIME_FACTOR
        while status is None and time.monotonic() < end:
            status = process.poll()
            time.sleep(0.05)
        if status is None:
            process.kill()
            process.wait()
        return tap.Result(process.args, status, (self.folder / "out").read_text(errors="replace"),
                          (self.folder / "err").read_text(errors="replace"))

    def cut(self, host):
        """Takes the host's cable out."""
        self._inside(self.switch, "ip link set port%d down" % host)

    def join(self, host):
        """Puts the cable in again."""
        self._inside(self.switch, "ip link set port%d up" % host)

    def clear(self):
        """Ends what runs on the hosts; the hosts stay."""
        kept = {holder.pid for holder in self.holders}
        processes.send([pid for pid in processes.below() if pid not in kept], signal.SIGKILL)

    def stop(self):
        """Ends the hosts and whatever runs on them."""
        for holder in self.holders:
            holder.kill()
            holder.wait()
        if self.holders:
            processes.end()
        self.holders = []
