#!/usr/bin/python3
"""Measures how fast the program is, and how much faster than PyTorch: `make bench` (QUICK=1: a short look).

Everything that is compared is timed in turn, ROUNDS times: a loop of fused multiply-adds (fma_peak.c), PyTorch on one
thread (torch_baseline.py), and ours on each instruction set (kernels.c), since a machine's speed may swing by half
within minutes. A ratio is taken within a round; the table shows medians over rounds.

    GFLOP/s     2 x multiply-adds of the convolutions a second: M of a patch forward (352,080 in the default network),
                3 M of training less those of layer 1, which passes no gradient on to the data
    bound       patches/s of training if every multiply-add ran at the FMA rate measured beside it and only tanh came on
                top: 1 / (2 (3 M - M_1) / FMA rate + tanh a patch x seconds a tanh), the latter as measured for our tanh
                with its data in the nearest cache
    windows/s   windows that hold anything (live), since empty ones cost nothing
    shares      estimates, see time_passes() in kernels.c

Each fast path is checked before it is timed; what differs by more than 1e-5 of the largest value ends the bench with
exit status 1. Prints a table and writes the same, with the least and the largest of the rounds, to OUT/bench.csv.
"""
import argparse
import csv
import math
import os
import pathlib
import re
import shlex
import shutil
import statistics
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
MADE = ("ramp", "noise", "flat", "clipped", "mutes")  # gathers that kernels.c makes: bad ones for sharing
# channels, k_mult, levels, patch: what differs from the default, one by one and together; then the wider family: WIDTH
# channels at each level, dense, skip add, linear output
SHAPES = ((3, 2, 4, 32, "tree"), (1, 3, 4, 32, "tree"), (1, 2, 2, 32, "tree"), (1, 2, 3, 32, "tree"),
          (1, 2, 5, 32, "tree"), (1, 2, 4, 24, "tree"), (1, 2, 4, 48, "tree"), (1, 2, 4, 64, "tree"),
          (3, 3, 2, 24, "tree"), (1, 2, 4, 32, "wide"), (2, 2, 3, 24, "wide"), (2, 2, 4, 32, "preset"))
QUICK_SHAPES = (0, 1, 7, 11)
WIDTH = 8
SHAPE_BATCH = 32  # of PyTorch: its rates at 32 and at 128 are alike, and a step at 128 takes a second for some shapes
SHAPE_ROUNDS = 3  # at most
UNITS = {"B": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9}


class Failure(Exception):
    """What ends the bench."""


# ---- what was measured ----------------------------------------------------------------------------------------------
class Samples:
    """Values by (section, item, on, quantity), one a round."""

    def __init__(self):
        self.values, self.units = {}, {}

    def add(self, section, item, on, quantity, value, unit=""):
        if value is not None:
            self.values.setdefault((section, item, on, quantity), []).append(value)
            self.units[(section, item, on, quantity)] = unit

    def median(self, *key):
        return statistics.median(self.values[key]) if key in self.values else None

    def largest(self, *key):
        return max(self.values[key]) if key in self.values else None

    def write(self, path):
        with open(path, "w", newline="") as out:
            writer = csv.writer(out, lineterminator="\n")
            writer.writerow("section item on quantity unit median least largest rounds".split())
            for key, values in self.values.items():
                numbers = ["%.6g" % value for value in (statistics.median(values), min(values), max(values))]
                writer.writerow([*key, self.units[key], *numbers, len(values)])


def ratio(a, b):
    return a / b if a is not None and b else None


# ---- who is timed ---------------------------------------------------------------------------------------------------
def call(words, seconds=600):
    words = [str(word) for word in words]
    result = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds)
    if result.returncode != 0:
        raise Failure(f"{shlex.join(words)}\nended with status {result.returncode}: {result.stderr.strip()[-2000:]}")
    return result.stdout


def values_of(text):
    return {name: float(value) for name, value in (line.split() for line in text.splitlines())}


class Torch:
    """PyTorch, loaded once. Without it every measurement is empty."""

    def __init__(self):
        self.process = None
        found = subprocess.run([sys.executable, "-c", "import numpy, h5py, torch; print(torch.__version__)"],
                               stdin=subprocess.DEVNULL, capture_output=True, text=True)
        self.version = found.stdout.strip() if found.returncode == 0 else None
        if self.version:
            self.process = subprocess.Popen([sys.executable, str(HERE / "torch_baseline.py"), "--serve"], text=True,
                                            stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def measure(self, seconds, only, *words):
        if self.process is None:
            return {}
        print(seconds, "--only", only, *words, file=self.process.stdin, flush=True)
        lines = []
        for line in self.process.stdout:
            if line.strip() == "done":
                return {name.split("_")[1]: value for name, value in values_of("".join(lines)).items()}
            lines.append(line)
        raise Failure("torch_baseline.py ended early")

    def stop(self):
        if self.process is not None:
            self.process.kill()

    def close(self):
        if self.process is not None:
            self.process.communicate(timeout=30)
            self.process = None


class Peaks(threading.Thread):
    """Watches the ranks below a process and keeps the largest peak memory (VmHWM) of one of them, in bytes."""

    def __init__(self, pid, program):
        super().__init__(daemon=True)
        self.pid, self.program, self.most, self.over = pid, os.path.realpath(program), 0, threading.Event()

    def run(self):
        while not self.over.wait(0.1):
            for pid in self.below(self.pid):
                if self.is_rank(pid):
                    self.look(pid)

    @staticmethod
    def below(pid):
        found = [pid]
        for parent in found:
            try:
                tasks = os.listdir(f"/proc/{parent}/task")
                for task in tasks:
                    found += [int(child) for child in open(f"/proc/{parent}/task/{task}/children").read().split()]
            except OSError:
                pass
        return found

    def is_rank(self, pid):
        try:
            return os.path.realpath(os.readlink(f"/proc/{pid}/exe")) == self.program
        except OSError:
            return False

    def look(self, pid):
        try:
            for line in open(f"/proc/{pid}/status"):
                if line.startswith("VmHWM:"):
                    self.most = max(self.most, int(line.split()[1]) * 1024)
        except OSError:
            pass


class Ranks:
    """The program under mpirun."""

    def __init__(self, mpirun, program, folder):
        self.mpirun, self.program, self.folder = shlex.split(mpirun), str(program), folder
        self.survey, self.model = folder / "survey.h5", folder / "train_0" / "last.h5"

    def prepare(self):
        call([self.program, "synth", "--output", self.folder / "survey", "--inlines", 4, "--crosslines", 10,
              "--traces", 61, "--samples", 501])
        call([self.program, "consolidate", "--output", self.survey, "--interval-us", 4000,
              self.folder / "survey/noisy"])

    def together(self, jobs):
        """Runs (ranks, words) side by side; each one's log, and the largest peak memory of a rank."""
        running = []
        for i, (n, words) in enumerate(jobs):
            log = open(self.folder / f"log_{i}.txt", "w+")
            words = [*self.mpirun, "-n", str(n), self.program, *map(str, words)]
            process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
            peaks = Peaks(process.pid, self.program)
            peaks.start()
            running.append((process, peaks, log, words))
        logs, failed = [], None
        for process, peaks, log, words in running:
            try:
                status = process.wait(600)
            except subprocess.TimeoutExpired:
                process.terminate()
                status = None
            peaks.over.set()
            peaks.join()
            log.seek(0)
            logs.append(log.read())
            log.close()
            if status != 0:
                failed = failed or f"{shlex.join(words)}\nended with status {status}: {logs[-1][-2000:]}"
        if failed:
            raise Failure(failed)
        return logs, max(peaks.most for _, peaks, _, _ in running)

    def train(self, counts, steps):
        """Patches/s of trainings side by side, on counts ranks each, over `steps` steps."""
        jobs = []
        for i, n in enumerate(counts):
            keys = {"train.batch_size": 1024, "train.max_steps": steps, "train.log_every_steps": steps // 10,
                    "train.max_epochs": 1000, "split.valid": 0, "split.test": 0}
            words = ["train", "--survey", self.survey, "--output", self.folder / f"train_{i}", "--force"]
            jobs.append((n, words + [word for key, value in keys.items() for word in ("--set", f"{key}={value}")]))
        logs, peak = self.together(jobs)
        rates = []
        for i in range(len(counts)):
            with open(self.folder / f"train_{i}/metrics.csv") as rows:
                steps_only = [float(row["patches_per_second"]) for row in csv.DictReader(rows) if row["step"]]
            rates.append(statistics.harmonic_mean(steps_only[1:]))  # rows of as many steps each; the first warms up
        held = re.search(r"at most ([\d.]+) (\w+) a rank", logs[0])
        return sum(rates), peak, float(held.group(1)) * UNITS.get(held.group(2), 0) if held else 0

    def apply(self, counts, gathers):
        """Live windows/s of predictions side by side that share `gathers` gathers among them."""
        jobs, each = [], gathers // len(counts)
        for i, n in enumerate(counts):
            jobs.append((n, ["apply", "--survey", self.survey, "--model", self.model, "--force", "--output",
                             self.folder / f"predicted_{i}.h5", "--ensembles", f"#{i * each}-#{(i + 1) * each - 1}"]))
        logs, peak = self.together(jobs)
        rates = [re.search(r"(\d+) live windows/s", log) for log in logs]
        if not all(rates):
            raise Failure("apply does not tell its live windows/s:\n" + logs[0])
        return sum(float(rate.group(1)) for rate in rates), peak


# ---- the rounds -----------------------------------------------------------------------------------------------------
class Bench:
    def __init__(self, options):
        self.options, self.samples = options, Samples()
        self.programs = ROOT / options.build / "tests/bench"
        self.program = ROOT / options.program
        self.out = ROOT / options.out
        self.seconds, self.rounds, self.quick = options.seconds, options.rounds, options.quick
        self.torch = Torch()
        self.isas = [isa for isa in call([self.programs / "kernels", "isas"]).split() if isa != "portable"]
        self.isas = self.isas or ["portable"]
        shutil.rmtree(self.out, ignore_errors=True)
        self.out.mkdir(parents=True)
        self.start = time.monotonic()

    def say(self, text):
        print(f"[{time.monotonic() - self.start:4.0f} s] {text}", file=sys.stderr, flush=True)

    def kernels(self, **words):
        gathers = [f"gather={gather}" for gather in words.pop("gathers", ())]
        return values_of(call([self.programs / "kernels", *(f"{k}={v}" for k, v in words.items()), *gathers]))

    def make_gathers(self):
        """Files of the field gathers, and of the generated ones; short: for other shapes."""
        for name, n_samples in (("generated", 1501), ("short", 301)):
            call([self.program, "synth", "--output", self.out / name, "--inlines", 1, "--crosslines", 1, "--traces", 61,
                  "--samples", n_samples])
            os.rename(next((self.out / name / "noisy").glob("*.npy")), self.out / f"{name}.npy")
            shutil.rmtree(self.out / name)
        field = sorted((pathlib.Path(self.options.data) / "gathers").glob("*.npy"))
        if self.quick:  # one of a kind
            kinds = {re.sub(r"\d.*", "", path.stem): path for path in reversed(field)}
            field = sorted(kinds.values())
        self.field = [path.stem for path in field]
        self.gathers = [*field, self.out / "generated.npy", *(MADE[:2] if self.quick else MADE)]

    def passes(self, number, isa):
        """FMA loop, PyTorch, training and forward, one after the other."""
        add, seconds = self.samples.add, self.seconds
        peak = float(call([self.programs / "fma_peak", seconds / 2, isa]))
        torch = self.torch.measure(seconds, "training,batched")
        ours = self.kernels(isa=isa, seconds=seconds, thorough=int(number == 0))
        add("machine", "FMA", isa, "peak", peak, "GFLOP/s")
        for kind, theirs in (("training", torch.get("training")), ("forward", torch.get("batched"))):
            rate = ours[f"{kind}_patches_per_s"]
            gflops = 2e-9 * ours[f"{kind}_multiply_adds"] * rate
            add("passes", kind, isa, "rate", rate, "patches/s")
            add("passes", kind, "PyTorch", "rate", theirs, "patches/s")
            add("passes", kind, isa, "ratio to PyTorch", ratio(rate, theirs))
            add("passes", kind, isa, "arithmetic", gflops, "GFLOP/s")
            add("passes", kind, isa, "of FMA peak", gflops / peak)
            for share in ("tanh", "conv", "rest"):
                add("passes", kind, isa, f"share of {share}", ours.get(f"{kind}_{share}_share"))
        bound = 1 / (2e-9 * ours["training_multiply_adds"] / peak + ours["tanh_a_patch"] * ours["tanh_seconds"])
        add("passes", "training", isa, "bound", bound, "patches/s")
        add("passes", "training", isa, "of the bound", ours["training_patches_per_s"] / bound)
        add("passes", "tanh", isa, "time", 1e9 * ours["tanh_seconds"], "ns")
        for name, value in ours.items():
            if "difference" in name:
                add("agreement", name, isa, "of the largest value", value)

    def all_gathers(self, number, isa, single):
        """Every gather by every method, beside PyTorch's batched inference."""
        add = self.samples.add
        thorough = int(number == 0 and isa == self.isas[0] and not self.quick)
        torch = self.torch.measure(self.seconds / 2, "batched").get("batched")
        ours = self.kernels(isa=isa, seconds=self.seconds, passes=0, thorough=thorough, gathers=self.gathers)
        self.methods = [name.split(".")[1][:-len("_seconds")] for name in ours if name.endswith("_seconds")]
        self.methods = list(dict.fromkeys(self.methods))
        names = list(dict.fromkeys(name.split(".")[0] for name in ours if "." in name))
        totals = {method: [0.0, 0.0] for method in self.methods}
        for name in names:
            live = ours[f"{name}.live_windows"]
            for quantity in ("traces", "samples", "live_windows"):
                self.samples.values[("gathers", name, "", quantity)] = [ours[f"{name}.{quantity}"]]
                self.samples.units[("gathers", name, "", quantity)] = ""
            add("gathers", name, "PyTorch", "one by one, time a gather", ratio(live, single), "s")
            add("gathers", name, "PyTorch", "batched, time a gather", ratio(live, torch), "s")
            for method in self.methods:
                rate, seconds = ours[f"{name}.{method}_windows_per_s"], ours[f"{name}.{method}_seconds"]
                add("gathers", name, isa, f"{method} rate", rate, "windows/s")
                add("gathers", name, isa, f"{method} time a gather", seconds, "s")
                add("gathers", name, isa, f"{method} ratio to PyTorch batched", ratio(rate, torch))
                add("gathers", name, isa, f"{method} ratio to PyTorch one by one", ratio(rate, single))
                if method != "direct":
                    add("gathers", name, isa, f"{method} ratio to direct",
                        rate / ours[f"{name}.direct_windows_per_s"])
                    add("gathers", name, isa, f"{method} difference", ours[f"{name}.{method}_difference"])
                if name in self.field:
                    totals[method] = [totals[method][0] + live, totals[method][1] + seconds]
            add("gathers", name, isa, "direct share of the rest", ours[f"{name}.direct_rest_share"])
        for method, (live, seconds) in totals.items():
            if seconds > 0:  # the rate over all of them: live windows over time
                add("gathers", "field gathers together", isa, f"{method} rate", live / seconds, "windows/s")
                add("gathers", "field gathers together", isa, f"{method} ratio to PyTorch batched",
                    ratio(live / seconds, torch))
                add("gathers", "field gathers together", isa, f"{method} ratio to PyTorch one by one",
                    ratio(live / seconds, single))
                add("gathers", "field gathers together", isa, f"{method} ratio to direct",
                    live / seconds / (totals["direct"][0] / totals["direct"][1]))

    def shape(self, number, shape):
        """Another shape: training and the fastest method of apply, beside PyTorch of the same shape."""
        channels, k_mult, levels, patch, kind = shape
        wide = {"width": WIDTH, "mixing": "full", "skip": "add", "output": "linear"} if kind != "tree" else {}
        if kind == "preset":
            wide.update(n_out=1, scale="rms", scale_grid=1)
        torch = self.torch.measure(self.seconds / 2, "training,batched", "--channels", channels, "--k-mult", k_mult,
                                   "--levels", levels, "--patch", patch, "--batch", SHAPE_BATCH,
                                   "--inference-batch", SHAPE_BATCH, "--wide", WIDTH if wide else 0,
                                   "--n-out", wide.get("n_out", 0))
        ours = self.kernels(isa=self.isas[0], seconds=self.seconds / 2, channels=channels, k_mult=k_mult, levels=levels,
                            patch=patch, thorough=int(number == 0 and not self.quick),
                            gathers=[self.out / "short.npy"], **wide)
        item, isa, add = " ".join(map(str, shape)), self.isas[0], self.samples.add
        add("shapes", item, "PyTorch", "training", torch.get("training"), "patches/s")
        add("shapes", item, "PyTorch", "batched", torch.get("batched"), "windows/s")
        add("shapes", item, isa, "training", ours["training_patches_per_s"], "patches/s")
        add("shapes", item, isa, "training ratio to PyTorch",
            ratio(ours["training_patches_per_s"], torch.get("training")))
        for method in self.methods:
            rate = ours[f"short.{method}_windows_per_s"]
            add("shapes", item, isa, method, rate, "windows/s")
            add("shapes", item, isa, f"{method} ratio to PyTorch", ratio(rate, torch.get("batched")))
            add("shapes", item, isa, f"{method} difference", ours.get(f"short.{method}_difference"))
        rate = ours["short.whole_windows_per_s"]  # another prediction than that of the windows
        add("shapes", item, isa, "whole", rate, "windows/s")
        add("shapes", item, isa, "whole ratio to PyTorch", ratio(rate, torch.get("batched")))
        add("shapes", item, isa, "whole difference", ours["whole_difference"])

    def two_ranks(self, number, ranks):
        """Two ranks against two processes of one rank at the same time, in training and in apply; now these come first,
        now those."""
        orders = (((2,), (1, 1)), ((1, 1), (2,)))[number % 2]
        add, seconds, isa = self.samples.add, 3 * self.seconds, self.isas[0]
        rate = self.samples.median("passes", "training", isa, "rate")
        steps = max(20, int(seconds * 2 * rate / 1024) // 20 * 20)
        done = {counts: ranks.train(counts, steps // len(counts)) for counts in orders}
        (pair, peak, held), (singles, _, _) = done[(2,)], done[(1, 1)]
        add("ranks", "training", "2 ranks", "rate", pair, "patches/s")
        add("ranks", "training", "2 processes", "rate", singles, "patches/s")
        add("ranks", "training", "2 ranks", "ratio to 2 processes", pair / singles)
        add("memory", "training", "2 ranks", "peak of a rank", peak / 1e6, "MB")
        add("memory", "training", "2 ranks", "gathers of a rank", held / 1e6, "MB")
        add("memory", "training", "2 ranks", "beyond its gathers", (peak - held) / 1e6, "MB")
        live = (61 + 31) * (501 + 31)
        rate = self.samples.median("gathers", "generated", isa, f"{self.methods[-1]} rate")
        gathers = min(40, max(8, math.ceil(seconds * rate / live) * 2))
        done = {counts: ranks.apply(counts, gathers) for counts in orders}
        (pair, peak), (singles, _) = done[(2,)], done[(1, 1)]
        add("ranks", "apply", "2 ranks", "rate", pair, "windows/s")
        add("ranks", "apply", "2 processes", "rate", singles, "windows/s")
        add("ranks", "apply", "2 ranks", "ratio to 2 processes", pair / singles)
        held = 2 * 61 * 501 * 4  # one gather and its prediction
        add("memory", "apply", "2 ranks", "peak of a rank", peak / 1e6, "MB")
        add("memory", "apply", "2 ranks", "gathers of a rank", held / 1e6, "MB")
        add("memory", "apply", "2 ranks", "beyond its gathers", (peak - held) / 1e6, "MB")

    def run(self):
        self.make_gathers()
        ranks = Ranks(self.options.mpirun, self.program, self.out)
        ranks.prepare()
        if self.torch.version is None:
            self.say("PyTorch (python3-torch) is not here: ratios to it stay empty")
        shapes = [SHAPES[i] for i in QUICK_SHAPES] if self.quick else SHAPES
        for number in range(self.rounds):
            of = f"round {number + 1} of {self.rounds}"
            single = self.torch.measure(self.seconds, "single", "--windows", 200 if self.quick else 2000).get("single")
            self.samples.add("passes", "one by one", "PyTorch", "rate", single, "windows/s")
            for isa in self.isas:
                self.say(f"{of}: {isa}, training and forward")
                self.passes(number, isa)
                self.say(f"{of}: {isa}, {len(self.gathers)} gathers")
                self.all_gathers(number, isa, single)
            if number < SHAPE_ROUNDS:
                for shape in shapes:
                    self.say(f"{of}: channels %d, k_mult %d, levels %d, patch %d, %s" % shape)
                    self.shape(number, shape)
            self.say(f"{of}: two ranks against two processes")
            self.two_ranks(number, ranks)
        self.torch.close()

    # ---- the table --------------------------------------------------------------------------------------------------
    def report(self):
        median, largest, isas = self.samples.median, self.samples.largest, self.isas
        best, last = isas[0], self.methods[-1]
        cpu = re.search(r"model name\s*:\s*(.*)", open("/proc/cpuinfo").read())
        print(f"\n{cpu.group(1) if cpu else 'unknown processor'}, {os.cpu_count()} cores, load "
              f"{os.getloadavg()[0]:.1f}; PyTorch {self.torch.version or 'is not here'}; medians of "
              f"{self.rounds} rounds, {self.seconds:g} s a figure; {time.monotonic() - self.start:.0f} s in all")

        rows = [("FMA peak", *(cell(median("machine", "FMA", isa, "peak"), " GFLOP/s") for isa in isas), "", "")]
        for kind in ("training", "forward"):
            def line(title, quantity, unit="", percent=False, goal=""):
                theirs = cell(median("passes", kind, "PyTorch", quantity)) if quantity == "rate" else ""
                ours = (cell(median("passes", kind, isa, quantity), unit, percent) for isa in isas)
                return (f"{kind}: {title}", *ours, theirs, goal)
            training = kind == "training"
            rows.append(line("patches/s", "rate"))
            goal = "80 x avx512, 40 x avx2" if training else ""
            rows.append(line("times PyTorch", "ratio to PyTorch", " x", goal=goal))
            rows.append(line("arithmetic", "arithmetic", " GFLOP/s"))
            rows.append(line("of the FMA peak", "of FMA peak", percent=True))
            if training:
                rows.append(line("bound by FMA and tanh, patches/s", "bound"))
                rows.append(line("of that bound", "of the bound", percent=True, goal="60 %"))
            for share in ("tanh", "conv", "rest")[:3 if training else 2]:
                rows.append(line(f"share of {share}", f"share of {share}", percent=True))
        rest = (cell(median("gathers", "generated", isa, "direct share of the rest"), percent=True) for isa in isas)
        rows.append(("apply direct: share of the rest", *rest, "", ""))
        rows.append(("one tanh", *(cell(median("passes", "tanh", isa, "time"), " ns") for isa in isas), "", ""))
        rows.append(("PyTorch one by one: windows/s", *("" for _ in isas),
                     cell(median("passes", "one by one", "PyTorch", "rate")), ""))
        show("One core: the passes", ("", *isas, "PyTorch", "goal"), rows)

        for isa in isas:
            rows = []
            names = [key[1] for key in self.samples.values if key[0] == "gathers" and key[2:] == (isa, "direct rate")]
            for name in names:
                def at(quantity, on=isa):
                    return median("gathers", name, on, quantity)
                row = [name, "" if at("traces", "") is None else "%d x %d" % (at("traces", ""), at("samples", "")),
                       cell(at("live_windows", ""), blank="")]
                for method in self.methods:
                    row += [cell(at(f"{method} rate")), cell(at(f"{method} time a gather"), " s", blank=""),
                            cell(at(f"{method} ratio to PyTorch batched"), " x"),
                            cell(at(f"{method} ratio to PyTorch one by one"), " x")]
                    if method != "direct":
                        difference = largest("gathers", name, isa, f"{method} difference")
                        row += [cell(at(f"{method} ratio to direct"), " x"),
                                "" if difference is None else "%.1e" % difference]
                rows.append(row + [cell(at("one by one, time a gather", "PyTorch"), " s", blank="")])
            head = ["gather", "size", "live"]
            for method in self.methods:
                head += [f"{method}/s", "a gather", "x batched", "x single"]
                head += ["x direct", "difference"] if method != "direct" else []
            show(f"One core: apply, windows on {isa}", head + ["PyTorch single"], rows)
        for method in self.methods[1:]:
            for isa in isas:
                key = f"{method} ratio to direct"
                found = {name: median("gathers", name, isa, key) for name in names if name in self.field}
                every = {name: median("gathers", name, isa, key) for name in names}
                worst = [min(of, key=of.get) for of in (found, every) if of]
                print(f"{method} on {isa}: at least "
                      + ", ".join(f"{every[name]:.2f} x direct ({name})" for name in dict.fromkeys(worst)))
        print("goals: direct 28 x PyTorch batched; shared 300 x on the field gathers together, at least 3 x direct on "
              "the worst of them, at least 0.95 x direct on any gather, difference at most 1e-5")

        rows = []
        for item in dict.fromkeys(key[1] for key in self.samples.values if key[0] == "shapes"):
            def of(quantity, on=best):
                return median("shapes", item, on, quantity)
            row = [*item.split(), cell(of("training")), cell(of("training", "PyTorch")),
                   cell(of("training ratio to PyTorch"), " x")]
            for method in [*self.methods, "whole"]:
                row += [cell(of(method)), cell(of(f"{method} ratio to PyTorch"), " x")]
            rows.append(row + [cell(of("batched", "PyTorch"))])
        head = ["channels", "k_mult", "levels", "patch", "kind", "training/s", "PyTorch", "times"]
        for method in [*self.methods, "whole"]:
            head += [f"{method}/s", "times"]
        show(f"One core: other shapes on {best} (goal: 20 x in training and in apply; PyTorch's batch {SHAPE_BATCH})",
             head + ["PyTorch batched"], rows)
        print(f"  tree: the original's; wide: {WIDTH} channels at each level, dense, skip add, linear output; preset: wide, "
              "of one output channel, scale rms\n  with scale_grid 1, as in config/denoise.yaml; whole: one pass, another "
              "prediction than that of the windows")

        rows = [(f"{what} ({unit})", cell(median("ranks", what, "2 ranks", "rate")),
                 cell(median("ranks", what, "2 processes", "rate")),
                 cell(median("ranks", what, "2 ranks", "ratio to 2 processes"), " x", digits=3), "0.95 x")
                for what, unit in (("training", "patches/s"), ("apply", "windows/s"))]
        show("Two cores: the program, batch 1024", ("", "2 ranks", "2 processes of 1", "ratio", "goal"), rows)
        rows = [(what, cell(median("memory", what, "2 ranks", "peak of a rank"), " MB"),
                 cell(median("memory", what, "2 ranks", "gathers of a rank"), " MB", blank=""),
                 cell(median("memory", what, "2 ranks", "beyond its gathers"), " MB", blank=""), "200 MB")
                for what in ("training", "apply")]
        show("Peak memory of a rank (VmHWM)", ("", "peak", "its gathers", "beyond", "goal: below"), rows)

        worst = max((max(values) for key, values in self.samples.values.items()
                     if key[0] == "agreement" or key[3].endswith(" difference")), default=None)
        print(f"\nEvery fast path was checked first: the largest difference is {worst:.1e} of the largest value "
              "(1e-5 is allowed)")
        if last == "direct":
            print("apply knows only the method direct")
        if self.torch.version is None:
            print("Without PyTorch (python3-torch) the ratios to it stay empty")
        self.samples.write(self.out / "bench.csv")
        print(f"The same as numbers, with the least and the largest of the rounds: {self.options.out}/bench.csv")


def cell(value, unit="", percent=False, digits=None, blank="-"):
    if value is None:
        return blank
    if percent:
        return f"{100 * value:.1f} %"
    if digits is None:
        digits = 0 if abs(value) >= 1000 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f}{unit}"


def show(title, head, rows):
    table = [[str(word) for word in row] for row in [head, *rows]]
    widths = [max(len(row[i]) for row in table) for i in range(len(head))]
    print(f"\n{title}")
    for number, row in enumerate(table):
        words = [word.ljust(width) if i == 0 else word.rjust(width) for i, (word, width) in enumerate(zip(row, widths))]
        print("  " + "  ".join(words).rstrip())
        if number == 0:
            print("  " + "-" * (sum(widths) + 2 * len(widths) - 2))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", default="build/release", help="folder of the built bench programs' tests/bench")
    parser.add_argument("--program", default="build/seisdcn")
    parser.add_argument("--mpirun", default="mpirun")
    parser.add_argument("--out", default="build/bench")
    parser.add_argument("--data", default=os.environ.get("SEISDCN_DATA", str(ROOT.parent / "shared/data")))
    parser.add_argument("--rounds", default="", help="how often everything is timed in turn (5; quick: 1)")
    parser.add_argument("--seconds", default="", help="seconds of one measurement (1; quick: 0.2)")
    parser.add_argument("--quick", action="store_true", help="a short look, below a minute")
    options = parser.parse_args()
    options.rounds = int(options.rounds or (1 if options.quick else 5))
    options.seconds = float(options.seconds or (0.2 if options.quick else 1))
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    bench = None
    try:
        bench = Bench(options)
        bench.run()
    except (Failure, OSError, subprocess.TimeoutExpired) as failure:
        print(f"bench: {failure}", file=sys.stderr)
        if bench is not None:
            bench.torch.stop()
        return 1
    bench.report()
    return 0


if __name__ == "__main__":
    sys.exit(main())
