"""How fast PyTorch is with the original network on one thread: the yardstick of `make bench`.

    /usr/bin/python3 tests/bench/torch_baseline.py [SECONDS] [--channels C] [--k-mult K] [--levels L] [--patch P]
                     [--batch B] [--inference-batch B] [--windows N] [--only training,batched,single] [--wide W]
                     [--n-out N]
    /usr/bin/python3 tests/bench/torch_baseline.py --serve

--wide W: W channels at each level, dense, skip add, linear output; --n-out N: so many output channels (0: as many as go
in). With --serve it reads such arguments from standard input, a line for each measurement, and ends each answer with the
line `done`: what is timed in turn with others need not load PyTorch each time.

Prints `name value` lines on standard output, rates of a second measured over SECONDS (default 3) each after a warm-up
(single: over WINDOWS windows, default 2,000):
    torch_training_patches_per_s    forward, backward and Adam at the batch size (128), dropout as in the original
    torch_batched_windows_per_s     forward in eval mode at the inference batch (128), no gradients
    torch_single_windows_per_s      as the original applies it: cut a window, its maximum, scale, forward of a batch of
                                    one, scale back, add to the sum
"""
import argparse
import os
import sys
import time

import numpy as np
import torch

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "oracle"))
import original  # noqa: E402


def rate(work, units, seconds):
    """Units a second of work(), called until seconds have passed, after a warm-up of a tenth of that."""
    end = time.perf_counter() + seconds / 10
    work()
    while time.perf_counter() < end:
        work()
    calls, start = 0, time.perf_counter()
    while True:
        work()
        calls += 1
        elapsed = time.perf_counter() - start
        if elapsed >= seconds:
            return calls * units / elapsed


def parse(words):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("seconds", nargs="?", type=float, default=3.0)
    parser.add_argument("--channels", type=int, default=1)
    parser.add_argument("--k-mult", type=int, default=2)
    parser.add_argument("--levels", type=int, default=4)
    parser.add_argument("--patch", type=int, default=32)
    parser.add_argument("--wide", type=int, default=0)
    parser.add_argument("--n-out", type=int, default=0)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--inference-batch", type=int, default=128)
    parser.add_argument("--windows", type=int, default=2000)
    parser.add_argument("--only", default="training,batched,single")
    parser.add_argument("--serve", action="store_true")
    return parser.parse_args(words)


def measure(arguments):
    chosen = arguments.only.split(",")
    size = arguments.patch

    random = np.random.RandomState(0)
    gather = random.standard_normal((arguments.channels, 61, 1501)).astype(np.float32)
    wide = dict(mixing="full", skip="add", width=arguments.wide, output="linear") if arguments.wide else {}
    model = original.Original(arguments.channels, arguments.k_mult, arguments.levels, 0.1, n_out=arguments.n_out, **wide)
    original.randomise(model, 0)

    def patches(n):
        rows = [(0, random.randint(61 - size + 1) if size <= 61 else 0, random.randint(1501 - size + 1))
                for _ in range(n)]
        if size > 61:
            return random.standard_normal((n, arguments.channels, size, size)).astype(np.float32)
        return original.make_patches([gather], rows, size)

    if "training" in chosen:
        batch = torch.from_numpy(patches(arguments.batch))
        optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
        value = rate(lambda: original.train_steps(model, [batch], optimizer=optimizer), arguments.batch,
                     arguments.seconds)
        print("torch_training_patches_per_s %.1f" % value, flush=True)
    model.eval()
    if "batched" in chosen:
        windows = torch.from_numpy(patches(arguments.inference_batch))
        with torch.no_grad():
            value = rate(lambda: model(windows), arguments.inference_batch, arguments.seconds)
        print("torch_batched_windows_per_s %.1f" % value, flush=True)
    if "single" in chosen:
        pad = size - 1
        padded = np.pad(gather, ((0, 0), (pad, pad), (pad, pad)))
        total = np.zeros_like(padded)
        place = [size, 0]  # window row and column

        def one():
            i, j = place
            place[1] = (j + 1) % (padded.shape[2] - size)
            window = padded[:, i:i + size, j:j + size]
            s = np.abs(window).max()
            if s > 0:
                window = model(torch.from_numpy(window / s)[None]).numpy()[0] * s
            total[:, i:i + size, j:j + size] += window

        with torch.no_grad():
            for _ in range(20):
                one()
            start = time.perf_counter()
            for _ in range(arguments.windows):
                one()
            value = arguments.windows / (time.perf_counter() - start)
        print("torch_single_windows_per_s %.1f" % value, flush=True)


def main():
    arguments = parse(sys.argv[1:])
    if not arguments.serve:
        return measure(arguments)
    for line in sys.stdin:
        measure(parse(line.split()))
        print("done", flush=True)


if __name__ == "__main__":
    main()
