"""A one-node Slurm of a test's own: its daemons, key, ports and files in a folder, nothing of the system's.

    slurm = Slurm(folder)               # starts it
    job = slurm.submit("jobs/submit", "jobs/train.sbatch", ...)
    slurm.wait(job, lambda state: state["JobState"] == "COMPLETED", 60)
    slurm.stop()                        # also at exit, and on SIGTERM: ends the daemons and all that they started
"""
import atexit
import os
import pathlib
import random
import shutil
import socket
import subprocess
import time

import processes
import tap

OVER = ("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY", "BOOT_FAIL", "DEADLINE")
DAEMONS = ("munged", "slurmctld", "slurmd")
CPUS = 32  # more than there are: the test's jobs run side by side
CONF = """\
ClusterName=seisdcn-test
# Open MPI names its shared memory by user and job: another Slurm on this machine must not have the same
FirstJobId={first_job}
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmUser=root
AuthType=auth/munge
CredType=cred/munge
# a requeued job waits until its credential has expired
AuthInfo=socket={folder}/munge.socket,cred_expire=5
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
# PMIx's folders: named by user and job alone
TmpFS={folder}/tmp
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
# what needs no cgroups and no systemd
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
SchedulerType=sched/builtin
SchedulerParameters=batch_sched_delay=1,sched_interval=1
# a busy machine is not a lost one
MessageTimeout=60
SlurmdTimeout=0
ReturnToService=2
MailProg=/bin/true
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} State=UNKNOWN
PartitionName=test Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


def missing():
    """Why there can be no Slurm here, None where there can."""
    absent = [name for name in (*DAEMONS, "sbatch", "srun", "scontrol") if find(name) is None]
    if absent:
        return "not installed: " + " ".join(absent)
    if os.geteuid() != 0:
        return "Slurm's daemons need root"
    return None


def find(name):
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def free_ports(n):
    sockets = [socket.socket() for _ in range(n)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


class Slurm:
    def __init__(self, folder):
        """Starts the daemons in a new folder of its own (its path short: a socket's name has 107 bytes); raises
        RuntimeError with their logs where they do not come up."""
        self.folder = pathlib.Path(folder)
        self.daemons = []
        self.environment = dict(os.environ, SLURM_CONF=str(self.folder / "slurm.conf"))
        for name in [name for name in self.environment if name.startswith(("SLURM_", "SBATCH_"))]:
            if name != "SLURM_CONF":
                del self.environment[name]
        processes.adopt()
        atexit.register(self.stop)
        self._write_files()
        self._start("munged", "--foreground", "--force", "--socket", self.folder / "munge.socket", "--key-file",
                    self.folder / "munge.key", "--log-file", self.folder / "munged.log", "--pid-file",
                    self.folder / "munged.pid", "--seed-file", self.folder / "munged.seed")
        self._await(lambda: (self.folder / "munge.socket").exists(), "munged does not start")
        self._start("slurmctld", "-D", "-i")
        self._start("slurmd", "-D")
        self._await(lambda: self.call("sinfo", "--noheader", "--format=%T").out.strip() == "idle",
                    "the node does not come up")

    def _write_files(self):
        for name in ("state", "spool", "tmp"):
            (self.folder / name).mkdir()
        self.folder.chmod(0o755)
        key = self.folder / "munge.key"
        key.touch(0o600)
        key.write_bytes(os.urandom(128))
        (self.folder / "slurm.conf").write_text(CONF.format(
            host=socket.gethostname().partition(".")[0], folder=self.folder, ports=free_ports(2), cpus=CPUS,
            first_job=random.randrange(1, 60000) * 1000))

    def _start(self, name, *words):
        with open(self.folder / (name + ".out"), "w") as output:
            # setpriv: they end even where this process is killed
            process = subprocess.Popen(["setpriv", "--pdeathsig", "TERM", find(name), *map(str, words)],
                                       cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL, stdout=output,
                                       stderr=subprocess.STDOUT)
        self.daemons.append((name, process))

    def _await(self, condition, complaint):
        end = time.monotonic() + 60 * tap.TIME_FACTOR
        while not condition():
            ended = [name for name, process in self.daemons if process.poll() is not None]
            if ended or time.monotonic() > end:
                raise RuntimeError("%s (ended: %s)\n%s" % (complaint, " ".join(ended) or "none", self.logs()))
            time.sleep(0.2)

    def logs(self):
        """The ends of the daemons' logs."""
        texts = []
        for path in sorted([*self.folder.glob("*.log"), *self.folder.glob("*.out")]):
            texts.append("== %s\n%s" % (path.name, path.read_text(errors="replace")[-2000:]))
        return "\n".join(texts)

    def call(self, *words, cwd=None, env=None):
        """Runs a command with this Slurm as its own."""
        environment = dict(self.environment, **(env or {}))
        result = subprocess.run([str(word) for word in words], cwd=cwd, env=environment, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120 * tap.TIME_FACTOR)
        return tap.Result(words, result.returncode, result.stdout.decode(errors="replace"),
                          result.stderr.decode(errors="replace"))

    def state(self, job):
        """What Slurm says of a job (of a task: "ARRAY_TASK"), {field: text}; empty where it knows none."""
        text = self.call("scontrol", "show", "job", "--oneliner", job).out
        return dict(word.split("=", 1) for word in text.split() if "=" in word)

    def wait(self, job, condition, seconds):
        """Waits until condition(state of job) and returns the state; None after so many seconds."""
        end = time.monotonic() + seconds * tap.TIME_FACTOR
        while time.monotonic() < end:
            state = self.state(job)
            if state and condition(state):
                return state
            time.sleep(0.3)
        return None

    def ended(self, job, seconds=120):
        """Waits until a job has ended for good and returns its state, None where it does not."""
        return self.wait(job, lambda state: state["JobState"] in OVER, seconds)

    def stop(self):
        """Ends the daemons, within seconds, and whatever they started."""
        for _, process in reversed(self.daemons):
            process.terminate()
        end = time.monotonic() + 3
        while any(process.poll() is None for _, process in self.daemons) and time.monotonic() < end:
            time.sleep(0.05)
        if self.daemons:
            processes.end()
        self.daemons = []
