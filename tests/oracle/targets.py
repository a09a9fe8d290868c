"""What patches are fed with and compared with, for each train.target: the oracle of include/seisdcn/objective.h.

Everything that is drawn comes from Philox4x32-10 by counter, written out here once more. A gather is [traces, samples];
`before` and `after` map a gather's number to its neighbours' (None: none)."""
import numpy as np

import original

MASK, PURPOSE = (1 << 64) - 1, 7  # RANDOM_TARGET
SIDE, TRACE, SAMPLE, BLOCKS = range(4)
LIMIT = 64


def spread(x):
    x = (x + 0x9E3779B97F4A7C15) & MASK
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & MASK
    return x ^ (x >> 31)


def make_key(seed, epoch):
    """The two words of the key of an epoch; validation has seed 0, epoch 0."""
    key = spread(spread(spread(seed) ^ PURPOSE) ^ epoch)
    return key & 0xFFFFFFFF, key >> 32


def philox(key, counter):
    """Four words of Philox4x32-10."""
    (k0, k1), (c0, c1, c2, c3) = key, counter
    for _ in range(10):
        a, b = 0xD2511F53 * c0, 0xCD9E8D57 * c2
        c0, c1, c2, c3 = (b >> 32) ^ c1 ^ k0, b & 0xFFFFFFFF, (a >> 32) ^ c3 ^ k1, a & 0xFFFFFFFF
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return c0, c1, c2, c3


def below(key, n, a, b):
    words = philox(key, (a, 0, b, 0))
    return ((words[1] << 32 | words[0]) * n) >> 64


def patch_key(key, row):
    return philox(key, (int(row[0]), 0, int(row[1]), int(row[2])))[:2]


def hidden_traces(key, size, hide, block):
    block = min(block, size)
    blocks = min(max(int(np.floor(hide * size / block + 0.5)), 1), size // block)
    places, hidden = size - blocks * block + blocks, []
    for place in range(places):
        chosen = below(key, places - place, BLOCKS, place) < blocks
        hidden += [chosen] * (block if chosen else 1)
        blocks -= chosen
    return np.array(hidden, dtype=bool)


def other_patch(key, row, size, gather):
    """Where the patch stands that fills hidden traces."""
    n_traces, n_samples = gather.shape
    sample, last = int(row[2]), n_samples - size
    left, right = max(0, sample - size + 1), max(0, last - sample - size + 1)
    at = below(key, left + right, SAMPLE, 0)
    return below(key, n_traces - size + 1, TRACE, 0), at if at < left else sample + size + at - left


def cut(gather, trace, sample, size):
    """A patch; traces that the gather lacks are zeros."""
    patch = np.zeros((size, size), dtype=np.float32)
    if gather is not None:
        found = gather[trace:trace + size, sample:sample + size]
        patch[:len(found)] = found
    return patch


def feed(rule, gathers, rows, size, seed, epoch, clean=None, before=None, after=None):
    """Arrays (x [n, C, P, P], target, weight [n, 1, P, P]) of patches at rows. rule: target and, as they are in the
    configuration, hide, block, fill, scale, grid."""
    key, kind, grid = make_key(seed, epoch), rule.get("scale", "max"), rule.get("grid", 0)
    xs, targets, weights = [], [], []
    for row in np.asarray(rows, dtype=np.int64):
        e, trace, sample = (int(number) for number in row)
        mine, hidden, source, wanted = patch_key(key, row), np.ones(size, dtype=bool), [gathers[e]], gathers[e]
        if rule["target"] == "clean":
            wanted = clean[e]
        elif rule["target"] == "neighbour":
            sides = [side for side in (before[e], after[e]) if side is not None]
            side = None if not sides else sides[0] if len(sides) == 1 else sides[below(mine, 2, SIDE, 0)]
            wanted = None if side is None else gathers[side]
        elif rule["target"] == "blind_gather":
            sides = [before[e] if before[e] is not None else after[e], after[e] if after[e] is not None else before[e]]
            source = [None if side is None else gathers[side] for side in sides]
        x = np.stack([cut(gather, trace, sample, size) for gather in source])
        scale = np.float32(original.patch_scale(x, kind, grid)) or np.float32(1)
        x, target = x / scale, cut(wanted, trace, sample, size) / scale
        live = np.any(x != 0, axis=0) & (target != 0) & (np.abs(target) <= LIMIT)
        if rule["target"] == "blind_trace":
            hidden = hidden_traces(mine, size, rule["hide"], rule["block"])
            fill = np.zeros((size, size), dtype=np.float32)
            if rule["fill"] == "other":
                fill = cut(gathers[e], *other_patch(mine, row, size, gathers[e]), size)
                fill = fill / (np.float32(original.patch_scale(fill, kind, grid)) or np.float32(1))
            x = np.where(hidden[:, None], fill, x[0])[None]
        xs.append(x)
        targets.append(target[None])
        weights.append((live & hidden[:, None])[None].astype(np.float32))
    return np.stack(xs).astype(np.float32), np.stack(targets).astype(np.float32), np.stack(weights)
