"""Makes tests/fixtures/*.h5: what PyTorch says about small networks, for the unit tests of the network and of apply.

    /usr/bin/python3 tests/oracle/make_fixtures.py [FOLDER]        (FOLDER: tests/fixtures)

Needs Debian's python3-torch and python3-h5py, takes under a minute, and gives the same datasets at every run. The
weights are float32; every number derived from them comes from a run in float64, so the fixtures are the truth that
float32 code is measured against. FILE is network_cC_kK_lL_pP[_full][_add].h5, for
    (C, K, L, P) = (1,2,4,32) (2,2,4,24) (1,3,4,24) depthwise;  (1,2,2,12) full, skip add;  (2,2,2,12) full;
and of the wider family network_wide.h5: (2,1,3,14) full, skip add, width 8, one linear output channel without dropout;
network_narrow.h5: (3,4,1,9) depthwise, width 6, two output channels, tanh. These two are judged by targets and weights:
A network file is a model file (attributes format, version, n_chans, k_mult, levels, patch_size, mixing, skip; dropout 0;
/state_dict/NAME, batch norm's values away from 1 and 0), and holds besides
    /fixture/x             [B, C, P, P]      a batch of scaled patches, one of them all zeros
    /fixture/target, weight [B, n_out, P, P] (wider family) for x; and targets, weights [10, B, n_out, P, P] for batches
    /fixture/z_eval        [B, C, P, P]      the output for x in eval mode
    /fixture/z_train       [B, C, P, P]      the output for x in train mode
    /fixture/loss          ()                mean (z_train - x)^2 (weighted, to target), float64
    /fixture/gradient/NAME as NAME           d loss / d NAME, for each parameter
    /fixture/running_mean, running_var [C]   after that one forward in train mode
    /fixture/batches       [10, B, C, P, P]  ten batches for ten Adam steps (learning rate in the attribute of /fixture)
    /fixture/adam_losses   [10]              the loss of each step before its update, starting from /state_dict; float64
    /fixture/after/NAME    as NAME           the whole state_dict after the ten steps
apply_l2_p16.h5 and apply_l4_p32.h5 are model files too, and hold
    /fixture/gather        [traces, samples] with zeros of a mute, a dead trace, magnitudes over decades
    /fixture/predicted     [traces, samples] the prediction with /fixture's attribute mute_threshold
    /fixture's attributes  live, muted, empty: how many windows are predicted, pass below the threshold, hold only zeros
"""
import os
import sys

import h5py
import numpy as np
import torch

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import original  # noqa: E402

LEARNING_RATE = 0.01  # large, so that ten steps change the losses
N_STEPS = 10


def smooth_gather(random, n_channels, n_traces, n_samples):
    """Noise that is smooth along both axes, with amplitudes over two decades."""
    gather = random.standard_normal((n_channels, n_traces, n_samples))
    for axis, times in ((2, 2), (1, 1)):
        for _ in range(times):
            gather = gather + np.roll(gather, 1, axis) + 0.5 * np.roll(gather, 2, axis)
    return (gather * 10.0 ** np.linspace(1, -1, n_samples)).astype(np.float32)


def put(group, name, value, dtype=np.float32):
    group.create_dataset(name, data=np.asarray(value, dtype=dtype), track_times=False)


def network_fixture(folder, channels, k_mult, levels, size, batch, mixing="depthwise", skip="none", seed=1, name=None,
                    **wider):
    if name is None:
        name = "network_c%d_k%d_l%d_p%d" % (channels, k_mult, levels, size)
        name += ("_full" if mixing == "full" else "") + ("_add" if skip == "add" else "")
    random = np.random.RandomState(1000 + seed)
    gather = smooth_gather(random, channels, size + 20, 10 * size)
    rows = [(0, random.randint(21), random.randint(9 * size + 1)) for _ in range((N_STEPS + 1) * batch)]
    patches = original.make_patches([gather], rows, size)
    patches[1] = 0
    patches[batch * 3] = 0
    x, batches = patches[:batch], patches[batch:].reshape((N_STEPS, batch) + patches.shape[1:])
    feed, first = batches, (torch.from_numpy(x).double(), None, None)

    def fresh():
        model = original.Original(channels, k_mult, levels, 0.0, mixing, skip, **wider)
        return original.randomise(model, seed).double()

    if wider:
        shape = (len(patches), fresh().n_out) + patches.shape[2:]
        targets = (0.7 * patches[:, :shape[1]] + 0.2 * random.standard_normal(shape)).astype(np.float32)
        weights = (random.uniform(size=shape) < 0.7).astype(np.float32)
        weights[2] = 0  # a patch that counts nothing
        several = [a[batch:].reshape((N_STEPS, batch) + a.shape[1:]) for a in (targets, weights)]
        feed = list(zip(batches, *several))
        first = tuple(torch.from_numpy(a[:batch]).double() for a in (patches, targets, weights))

    path = os.path.join(folder, name + ".h5")
    original.write_model(path, fresh(), size)
    with h5py.File(path, "a") as file:
        fixture = file.create_group("fixture")
        fixture.attrs["learning_rate"] = LEARNING_RATE
        put(fixture, "x", x)
        put(fixture, "batches", batches)
        if wider:
            put(fixture, "target", targets[:batch])
            put(fixture, "weight", weights[:batch])
            put(fixture, "targets", several[0])
            put(fixture, "weights", several[1])
        model = fresh()
        model.eval()
        put(fixture, "z_eval", model(first[0]).detach())
        model.train()
        total, count = original.square(model(first[0]), *first)
        loss = total / count
        loss.backward()
        put(fixture, "z_train", fresh()(first[0]).detach())
        put(fixture, "loss", loss.detach(), np.float64)
        for parameter, value in model.named_parameters():
            put(fixture, "gradient/" + parameter, value.grad)
        put(fixture, "running_mean", model._bnorm.running_mean)
        put(fixture, "running_var", model._bnorm.running_var)

        model = fresh()
        losses = original.train_steps(model, feed, LEARNING_RATE)
        put(fixture, "adam_losses", losses, np.float64)
        for parameter, value in model.state_dict().items():
            put(fixture, "after/" + parameter, value,
                np.int64 if parameter.endswith("num_batches_tracked") else np.float32)
        rounding = np.abs(np.array(original.train_steps(fresh().float(), feed, LEARNING_RATE)) / losses - 1).max()
    print("%-32s %7d bytes, losses %.4f .. %.4f, PyTorch's own float32 within %.1e"
          % (os.path.basename(path), os.path.getsize(path), losses[0], losses[-1], rounding))


def apply_fixture(folder, levels, size, n_traces, n_samples, mute_threshold, seed):
    random = np.random.RandomState(2000 + seed)
    gather = smooth_gather(random, 1, n_traces, n_samples)[0]
    for trace in range(n_traces):  # a mute that opens with the trace, as of a stretch mute
        gather[trace, :trace * n_samples // (3 * n_traces)] = 0
    gather[n_traces // 2] = 0
    gather[:, -n_samples // 5:] *= 1e-3
    gather[1, n_samples // 2] *= 50
    model = original.randomise(original.Original(1, 2, levels, 0.0), seed).double()
    predicted = original.apply_gather(model, gather, size, mute_threshold)
    padded = np.pad(np.abs(gather), size - 1)
    largest = np.lib.stride_tricks.sliding_window_view(padded, (size, size)).max(axis=(2, 3))
    assert np.abs(largest / mute_threshold - 1).min() > 1e-4, "a window's maximum stands too near the threshold"
    path = os.path.join(folder, "apply_l%d_p%d.h5" % (levels, size))
    original.write_model(path, model, size)
    with h5py.File(path, "a") as file:
        fixture = file.create_group("fixture")
        fixture.attrs["mute_threshold"] = mute_threshold
        fixture.attrs["live"] = int((largest >= mute_threshold).sum())
        fixture.attrs["muted"] = int(((largest > 0) & (largest < mute_threshold)).sum())
        fixture.attrs["empty"] = int((largest == 0).sum())
        counts = [int(fixture.attrs[kind]) for kind in ("live", "muted", "empty")]
        put(fixture, "gather", gather)
        put(fixture, "predicted", predicted)
    print("%-32s %7d bytes, %d windows predicted, %d below the threshold, %d empty"
          % ((os.path.basename(path), os.path.getsize(path)) + tuple(counts)))


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.join(here, "..", "fixtures")
    os.makedirs(folder, exist_ok=True)
    network_fixture(folder, 1, 2, 4, 32, 4, seed=1)
    network_fixture(folder, 2, 2, 4, 24, 3, seed=2)
    network_fixture(folder, 1, 3, 4, 24, 3, seed=3)
    network_fixture(folder, 1, 2, 2, 12, 4, "full", "add", seed=4)
    network_fixture(folder, 2, 2, 2, 12, 4, "full", seed=5)
    network_fixture(folder, 2, 1, 3, 14, 3, "full", "add", seed=8, name="network_wide", width=8, n_out=1,
                    output="linear", dropout_last=False)
    network_fixture(folder, 3, 4, 1, 9, 4, seed=9, name="network_narrow", width=6, n_out=2)
    apply_fixture(folder, 2, 16, 20, 70, 0.05, seed=6)
    apply_fixture(folder, 4, 32, 12, 40, 0.05, seed=7)


if __name__ == "__main__":
    main()
