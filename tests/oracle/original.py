"""The original network in PyTorch, and what was done with it: the oracle of the tests.

The original experiment (PyTorch Lightning, one machine) is the case channels 1, k_mult 2, levels 4, depthwise, no skip.
Its family, with the names that its state_dict has:

    y0  = BatchNorm2d(C)(x)                                                             _bnorm
    y_l = tanh(Dropout2d(p)(Conv2d(C K^(l-1) -> C K^l)(y_(l-1))))         l = 1..L      _m1 .. _mL
    z_l = tanh(Dropout2d(p)(ConvTranspose2d(C K^l -> C K^(l-1))(z_(l+1)))) l = L..1     _mLT .. _m1T

All kernels are 3 x 3 without padding. mixing "depthwise" gives a layer as many groups as divide both of its sides (C K^(l-1)
of the tree), "full" gives one. skip "add" adds y_(l-1) to z_l for l = L..2. width > 0 stands for C K^l at every level, n_out
for C at z_1; output "linear" leaves out the last tanh, dropout_last = False the last dropout. Everything here is plain and
slow on purpose.
"""
import math

import h5py
import numpy as np
import torch
from torch import nn

torch.set_num_threads(1)

REQUIRED = ("n_chans", "k_mult", "levels", "patch_size")


class Original(nn.Module):
    """The network of the given shape, initialised as PyTorch does by default."""

    def __init__(self, channels=1, k_mult=2, levels=4, dropout=0.1, mixing="depthwise", skip="none", width=0, n_out=0,
                 output="tanh", dropout_last=True, scale="max", scale_grid=0,
                 target="source"):
        super().__init__()
        assert mixing in ("depthwise", "full") and skip in ("none", "add") and output in ("tanh", "linear")
        self.channels, self.k_mult, self.levels = channels, k_mult, levels
        self.dropout, self.mixing, self.skip = dropout, mixing, skip
        self.width, self.n_out, self.output, self.dropout_last = width, n_out or channels, output, dropout_last
        self.scale, self.scale_grid, self.target = scale, scale_grid, target  # of the patches that it is fed with
        self._bnorm = nn.BatchNorm2d(channels)
        down = [channels] + [width or channels * k_mult ** level for level in range(1, levels + 1)]
        up = [self.n_out] + down[1:]
        for level in range(1, levels + 1):
            few, many = down[level - 1], down[level]
            self._stage("_m%d" % level, nn.Conv2d(few, many, 3, groups=self._groups(few, many)))
        for level in range(levels, 0, -1):
            few, many = up[level - 1], up[level]
            self._stage("_m%dT" % level, nn.ConvTranspose2d(many, few, 3, groups=self._groups(few, many)))

    def _groups(self, few, many):
        return math.gcd(few, many) if self.mixing == "depthwise" else 1

    def _stage(self, name, convolution):
        last = name == "_m1T"
        setattr(self, name, nn.Sequential(convolution, nn.Dropout2d(0 if last and not self.dropout_last else self.dropout),
                                          nn.Identity() if last and self.output == "linear" else nn.Tanh()))

    def forward(self, x):
        y = [self._bnorm(x)]
        for level in range(1, self.levels + 1):
            y.append(getattr(self, "_m%d" % level)(y[-1]))
        z = y[-1]
        for level in range(self.levels, 0, -1):
            z = getattr(self, "_m%dT" % level)(z)
            if self.skip == "add" and level >= 2:
                z = z + y[level - 1]
        return z

    def dtype(self):
        return self._bnorm.weight.dtype


def randomise(model, seed):
    """Fills the model with seeded values that leave nothing at a default: batch norm's affine pair and its running
    statistics too. NumPy draws them, so that they do not depend on PyTorch's version. Returns the model."""
    random = np.random.RandomState(seed)

    def uniform(low, high, shape):
        return torch.from_numpy(np.asarray(random.uniform(low, high, shape), dtype=np.float32))

    state = model.state_dict()
    for name, value in state.items():
        shape = tuple(value.shape)
        if name == "_bnorm.num_batches_tracked":
            state[name] = torch.tensor(7)
        elif name in ("_bnorm.weight", "_bnorm.running_var"):
            state[name] = uniform(0.6, 1.5, shape) * (0.2 if name.endswith("var") else 1.0)
        elif name in ("_bnorm.bias", "_bnorm.running_mean"):
            state[name] = uniform(-0.2, 0.2, shape)
        else:
            weight = state[name.rsplit(".", 1)[0] + ".weight"]
            bound = 1.5 / np.sqrt(weight.shape[1] * 9)
            state[name] = uniform(-bound, bound, shape)
    model.load_state_dict(state)
    return model


def patch_scale(patch, kind="max", grid=0):
    """What a patch (the channels of it that share a scale) is divided by: its largest |value|, or its root mean square
    (kind "rms"); with a grid rounded up to the next 2^(k / grid). 0 for a patch of zeros."""
    values = np.asarray(patch, dtype=np.float64)
    s = np.abs(values).max() if kind == "max" else np.sqrt(np.mean(values ** 2))
    if grid == 0 or s == 0:
        return s
    return 2.0 ** (np.ceil(np.log2(np.float64(np.float32(s))) * grid - 1e-9) / grid)


def make_patches(gathers, rows, size, shared=None, kind="max", grid=0):
    """The patches [n, C, size, size] (float32) at rows (ensemble, first trace, first sample), each divided by its
    patch_scale(); a patch of zeros stays zeros. A gather is [traces, samples] or [C, traces, samples]. The scale is
    common to the channels with shared[c] true (all by default); the other channels are taken as they are."""
    patches = []
    for ensemble, trace, sample in np.asarray(rows, dtype=np.int64):
        gather = np.asarray(gathers[ensemble], dtype=np.float32)
        gather = gather[None] if gather.ndim == 2 else gather
        patch = gather[:, trace:trace + size, sample:sample + size].copy()
        assert patch.shape[1:] == (size, size), "row (%d, %d, %d) outside its gather" % (ensemble, trace, sample)
        scaled = np.ones(len(patch), dtype=bool) if shared is None else np.asarray(shared, dtype=bool)
        scale = np.float32(patch_scale(patch[scaled], kind, grid))
        if scale > 0:
            patch[scaled] /= scale
        patches.append(patch)
    return np.stack(patches)


def square(z, x, target=None, weight=None):
    """The sum of weight * (z - target)^2 over batch, channels and samples, and the sum of the weights. target is the first
    channels of x where it is not given, weight 1."""
    target = x[:, :z.shape[1]] if target is None else target
    weight = torch.ones_like(z) if weight is None else weight
    return (weight * (z - target) ** 2).sum(), weight.sum()


def mean_square(model, x, target=None, weight=None):
    """The loss: the weighted mean of (prediction - target)^2."""
    total, weights = square(model(x), x, target, weight)
    return total / weights


def tensors(model, batch):
    """A batch as tensors (x, target, weight): of an array x [b, C, P, P], or of three, each [b, ..., P, P]."""
    arrays = batch if isinstance(batch, tuple) else (batch, None, None)
    return [None if a is None else torch.as_tensor(np.asarray(a)).to(model.dtype()) for a in arrays]


def train_steps(model, batches, lr=0.001, optimizer=None):
    """One Adam step for each batch of tensors(), in train mode; returns the loss of each step, before its update."""
    optimizer = optimizer or torch.optim.Adam(model.parameters(), lr=lr, betas=(0.9, 0.999), eps=1e-8)
    model.train()
    losses = []
    for batch in batches:
        optimizer.zero_grad()
        loss = mean_square(model, *tensors(model, batch))
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    return losses


def evaluate(model, patches, batch=256):
    """The loss over patches [n, C, P, P] (or a tuple of x, target, weight) in eval mode, each counted once."""
    model.eval()
    arrays = patches if isinstance(patches, tuple) else (patches, None, None)
    total = weights = 0.0
    with torch.no_grad():
        for first in range(0, len(arrays[0]), batch):
            part = tuple(None if a is None else a[first:first + batch] for a in arrays)
            part = tensors(model, part)
            sums = square(*(None if a is None else a.double() for a in [model(part[0])] + part))
            total, weights = total + float(sums[0]), weights + float(sums[1])
    return total / weights


def apply_gather(model, gather, size, mute_threshold=0.001, batch=512, shared=None, own=None):
    """The prediction of a gather [T, S] (or [C, T, S]): the mean over all size x size windows that hold a sample, the
    gather padded by size - 1 zeros on all sides. A window whose largest |value| s is 0 or below mute_threshold passes
    as it is, else it gives s * net(window / s); where the model's scale is another, s is the largest |value| only for the
    threshold. Where other gathers feed the network, own is the gather itself, which muted windows pass. Sums in float64;
    returns float64 of the gather's shape."""
    gather = np.asarray(gather)
    channels = gather[None] if gather.ndim == 2 else gather
    scaled = np.ones(len(channels), dtype=bool) if shared is None else np.asarray(shared, dtype=bool)
    n_channels, n_traces, n_samples = channels.shape
    pad = size - 1
    padded = np.zeros((n_channels, n_traces + 2 * pad, n_samples + 2 * pad), dtype=np.float64)
    padded[:, pad:pad + n_traces, pad:pad + n_samples] = channels
    passed = padded[:model.n_out] if own is None else np.pad(np.asarray(own, dtype=np.float64), pad)[None]
    total = np.zeros((model.n_out,) + padded.shape[1:])
    model.eval()
    live = []

    def predict():
        windows = np.stack([padded[:, i:i + size, j:j + size] for i, j, _ in live])
        factor = np.ones((len(live), n_channels, 1, 1))
        factor[:, scaled, 0, 0] = np.array([s for _, _, s in live])[:, None]
        with torch.no_grad():
            out = model(torch.from_numpy(windows / factor).to(model.dtype())).double().numpy() * factor[:, :model.n_out]
        for (i, j, _), values in zip(live, out):
            total[:, i:i + size, j:j + size] += values
        live.clear()

    for i in range(n_traces + pad):
        for j in range(n_samples + pad):
            window = padded[:, i:i + size, j:j + size]
            s = np.abs(window[scaled]).max()
            if s == 0 or s < mute_threshold:
                total[:, i:i + size, j:j + size] += passed[:, i:i + size, j:j + size]
                continue
            live.append((i, j, patch_scale(window[scaled], model.scale, model.scale_grid)))
            if len(live) == batch:
                predict()
    if live:
        predict()
    result = total[:, pad:pad + n_traces, pad:pad + n_samples] / size ** 2
    return result[0] if gather.ndim == 2 or own is not None else result


def apply_whole(model, gather, size, mute_threshold=0.001, own=None):
    """What apply.method=whole makes of a gather [C, T, S] (own as in apply_gather()): every sample divided by the mean
    scale of the live windows that cover it, all of it seen at once, mirrored at its edges; muted windows' share passes."""
    n_channels, n_traces, n_samples = np.shape(gather)
    pad = size - 1
    sides, inside = ((0, 0), (pad, pad), (pad, pad)), (slice(pad, pad + n_traces), slice(pad, pad + n_samples))
    padded = np.pad(np.asarray(gather, dtype=np.float64), sides, mode="reflect")
    total, live = np.zeros(padded.shape[1:]), np.zeros(padded.shape[1:])
    for i in range(n_traces + pad):
        for j in range(n_samples + pad):
            window = padded[:, i:i + size, j:j + size]
            if np.abs(window).max() >= max(mute_threshold, 1e-300):
                total[i:i + size, j:j + size] += patch_scale(window, model.scale, model.scale_grid)
                live[i:i + size, j:j + size] += 1
    divided = np.divide(padded * live, total, out=np.zeros_like(padded), where=total > 0)
    divided = np.pad(divided[(slice(None),) + inside], sides, mode="reflect")
    model.eval()
    with torch.no_grad():
        out = model(torch.from_numpy(divided)[None].to(model.dtype())).double().numpy()[0, 0]
    passed = padded[0] if own is None else np.pad(np.asarray(own, dtype=np.float64), pad)
    result = (total * out + passed * (size ** 2 - live)) / size ** 2
    return result[inside]


def write_model(path, model, patch_size, fixed_strings=False):
    """Writes the model file that the program's contract asks of a user of PyTorch: format, version, n_chans, k_mult,
    levels, patch_size, /state_dict, and what else says the model's shape only where it differs from the original's."""
    text = np.bytes_ if fixed_strings else str
    with h5py.File(path, "w") as file:
        file.attrs["format"] = text("seisdcn-model")
        file.attrs["version"] = 1
        file.attrs["n_chans"] = model.channels
        file.attrs["k_mult"] = model.k_mult
        file.attrs["levels"] = model.levels
        file.attrs["patch_size"] = patch_size
        if model.mixing != "depthwise":
            file.attrs["mixing"] = text(model.mixing)
        if model.skip != "none":
            file.attrs["skip"] = text(model.skip)
        if model.dropout != 0:
            file.attrs["dropout"] = model.dropout
        if model.width != 0:
            file.attrs["width"] = model.width
        if model.n_out != model.channels:
            file.attrs["n_out"] = model.n_out
        if model.output != "tanh":
            file.attrs["output"] = text(model.output)
        if not model.dropout_last:
            file.attrs["dropout_last"] = 0
        if model.scale != "max":
            file.attrs["scale"] = text(model.scale)
        if model.scale_grid != 0:
            file.attrs["scale_grid"] = model.scale_grid
        if model.target != "source":
            file.attrs["target"] = text(model.target)
        for name, value in model.state_dict().items():
            integer = name.endswith("num_batches_tracked")
            file["state_dict/" + name] = value.detach().numpy().astype(np.int64 if integer else np.float32)


def read_model(path):
    """The model of a file, as (model, attributes); float32, on the defaults of absent attributes."""
    with h5py.File(path, "r") as file:
        attributes = {name: value.decode() if isinstance(value, bytes) else value for name, value in file.attrs.items()}
        assert attributes["format"] == "seisdcn-model", attributes["format"]
        model = Original(int(attributes["n_chans"]), int(attributes["k_mult"]), int(attributes["levels"]),
                         float(attributes.get("dropout", 0)), attributes.get("mixing", "depthwise"),
                         attributes.get("skip", "none"), int(attributes.get("width", 0)), int(attributes.get("n_out", 0)),
                         attributes.get("output", "tanh"), bool(attributes.get("dropout_last", 1)),
                         attributes.get("scale", "max"), int(attributes.get("scale_grid", 0)),
                         attributes.get("target", "source"))
        state = {name: torch.from_numpy(np.array(data[()])) for name, data in file["state_dict"].items()}
    model.load_state_dict(state)
    return model, attributes
