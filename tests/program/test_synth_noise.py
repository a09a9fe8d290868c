"""synth's kinds of noise, image gathers and crossing events: shares, spectra, what neighbours share, moveout, same bits."""
import re

import numpy as np

import tap

place = tap.folder()
SIZE = ("--inlines", "2", "--crosslines", "4", "--traces", "40", "--samples", "301")
made = 0


def synth(*options, size=SIZE, ranks=0):
    """Runs synth; returns noisy, clean: {(inline, crossline): gather}, and the bytes of all files."""
    global made
    made += 1
    output = place / f"survey{made}"
    result = tap.run("synth", "--output", output, *size, *options, ranks=ranks)
    if result.status != 0:
        tap.ok(False, f"synth {options} runs", result)
    twins = []
    for twin in ("noisy", "clean"):
        gathers = {}
        for path in sorted((output / twin).iterdir()):
            position = tuple(map(int, re.search(r"inline_(\d+)_crossline_(\d+)", path.name).groups()))
            gathers[position] = np.load(path).astype(float)
        twins.append(gathers)
    return *twins, {str(path.relative_to(output)): path.read_bytes() for path in sorted(output.glob("*/*"))}


def noise_of(*options):
    noisy, clean, _ = synth("--snr", "0", *options)
    return {position: noisy[position] - clean[position] for position in clean}


def decibels(signal, noise):
    return 10 * np.log10((signal**2).sum() / (noise**2).sum())


def likeness(a, b):
    return (a * b).sum() / np.sqrt((a**2).sum() * (b**2).sum())


# what synth makes without new options is what it made before there were any
noisy, clean, _ = synth("--seed", "0")
samples = [gather[[0, 20, 39], [100, 150, 280]] for gather in (clean[1300, 1400], noisy[1301, 1403])]
before = [[1204.06262, -621.829468, 78.0002060], [228.310867, -309.316559, -196.452881]]
tap.ok(np.allclose(samples, before, rtol=1e-7), "without new options the survey is the old one", samples)

# signal-to-noise ratio
for options in (("white",), ("trace",), ("linear",), ("linear-shared",), ("mix",), ("mix", "--moveout-ms", "16"),
                ("white:1,linear-shared:3", "--moveout-ms", "64", "--dips", "4")):
    wanted = "-7.5" if options[0] == "mix" else "0"
    noisy, clean, _ = synth("--snr", wanted, "--noise", *options)
    worst = max(abs(decibels(clean[p], noisy[p] - clean[p]) - float(wanted)) for p in clean)
    tap.ok(worst < 0.01, f"{' '.join(options)}: every gather has {wanted} dB", worst)

# shares of the energy: the mix is a sum of the kinds, each scaled
noise = {kind: noise_of("--noise", kind) for kind in ("white", "trace", "linear", "linear-shared")}


def shares(mixed, kinds):
    """The energy of each kind in a mixed noise, relative to the first, and what the kinds leave of it; worst gathers."""
    found, rest = [], 0
    for p, gather in mixed.items():
        basis = np.stack([noise[kind][p].ravel() / np.linalg.norm(noise[kind][p]) for kind in kinds], axis=1)
        factors, left = np.linalg.lstsq(basis, gather.ravel(), rcond=None)[:2]
        found.append((factors / factors[0]) ** 2)
        rest = max(rest, left[0] / (gather**2).sum())
    return np.array(found), rest


found, rest = shares(noise_of("--noise", "mix"), ("white", "trace", "linear"))
tap.ok(np.allclose(found, 1, rtol=1e-3) and rest < 1e-6, "mix is white, trace and linear in equal energy", (found, rest))
found, rest = shares(noise_of("--noise", "white:1,trace:0.5"), ("white", "trace"))
tap.ok(np.allclose(found, [1, 0.5], rtol=1e-3) and rest < 1e-6, "white:1,trace:0.5 has half the energy in trace", found)
found, rest = shares(noise_of("--noise", "linear-shared:30,linear:60,trace:15"), ("linear-shared", "linear", "trace"))
tap.ok(np.allclose(found, [1, 2, 0.5], rtol=1e-3) and rest < 1e-6, "shares are relative to one another", found)

# what the kinds are
mean_power = {kind: np.mean([np.abs(np.fft.rfft(a[:8], axis=1)) ** 2 for a in gathers.values()], axis=(0, 1))
              for kind, gathers in noise.items()}
hertz = np.fft.rfftfreq(301, 0.004)
for kind, power in mean_power.items():
    tap.ok(power[hertz > 90].mean() < 0.01 * power[(hertz > 15) & (hertz < 40)].mean(), f"{kind}: little beyond 90 Hz")


def levels(kind):
    """The RMS of each trace's last second, over that of the gather's; traces of all gathers."""
    return np.concatenate([np.sqrt((a[:, 151:] ** 2).mean(axis=1) / (a[:, 151:] ** 2).mean()) for a in noise[kind].values()])


tap.ok(levels("white").std() < 0.3 and np.log(levels("trace")).std() > 0.5 and levels("trace").max() > 3,
       "white has one level, trace another in each trace", (levels("white").std(), np.log(levels("trace")).std()))


def coherence(gather):
    """How alike a trace is to the next one, at the best lag."""
    best = []
    for a, b in zip(gather[:-1, 120:], gather[1:, 120:]):
        across = np.correlate(a, b, "full")[len(a) - 6:len(a) + 5]
        best.append(across.max() / np.sqrt((a**2).sum() * (b**2).sum()))
    return np.median(best)


for kind, low, high in (("white", 0, 0.4), ("trace", 0, 0.4), ("linear", 0.6, 1), ("linear-shared", 0.6, 1)):
    values = [coherence(a) for a in noise[kind].values()]
    tap.ok(low <= np.median(values) <= high, f"{kind}: coherence from trace to trace", values)

# what gathers share
for kind, gathers in noise.items():
    along = [likeness(gathers[i, x], gathers[i, x + 1]) for i, x in gathers if (i, x + 1) in gathers]
    across = [likeness(gathers[1300, x], gathers[1301, x]) for x in range(1400, 1404)]
    if kind == "linear-shared":
        tap.ok(min(along) > 0.94, "linear-shared: neighbours share their trains (not the gains of their traces)", along)
    else:
        tap.ok(np.abs(along).max() < 0.15, f"{kind}: neighbours are independent", along)
    tap.ok(np.abs(across).max() < 0.25, f"{kind}: inlines are independent", across)
shared = noise_of("--noise", "linear-shared", "--moveout-ms", "16")
tap.ok(all(likeness(shared[i, 1400], shared[i, x]) > 1 - 1e-9 for i, x in shared),
       "linear-shared: in image gathers the trains are the same but for a factor")
tap.ok(likeness(noise["linear"][1300, 1400], noise["linear-shared"][1300, 1400]) < 0.25, "linear has trains of its own")

# image gathers
LINE = ("--inlines", "1", "--crosslines", "12", "--traces", "61", "--samples", "501")


def line(*options):
    return synth("--snr", "20", *options, size=LINE)[1]


flat, one, two, many = (line("--moveout-ms", ms) for ms in ("0", "1", "2", "64"))
p = (1300, 1405)
near, far = flat[p][0, 300:480], flat[p][60, 300:480]
lag = np.argmax(np.correlate(far, near, "full")) - (len(near) - 1)
tap.ok(lag == 0 and likeness(near, far) > 0.6, "--moveout-ms 0: events are flat", (lag, likeness(near, far)))
tap.ok(np.array_equal(flat[p][0], many[p][0]), "moveout leaves the trace at zero offset as it is")
change = [np.linalg.norm((one[p] - flat[p])[trace, 300:]) for trace in (60, 42)]
tap.ok(abs(change[0] / change[1] - (60 / 42) ** 2) < 0.3, "moveout grows with the square of the offset", change)
double = likeness((two[p] - flat[p])[:, 250:], (one[p] - flat[p])[:, 250:])
tap.ok(double > 0.99, "twice the moveout moves every event twice as far", double)


def shifts(moved):
    """The moveout in ms at the largest offset, window by window: from -shift * derivative = change."""
    slope = np.gradient(flat[p][60], 4.0)
    wanted = []
    for s in range(260, 480, 20):
        a, b = slope[s:s + 20], (moved[p] - flat[p])[60, s:s + 20]
        wanted.append(-(a * b).sum() / (a * a).sum())
    return np.array(wanted)


tap.ok(np.abs(shifts(one)).max() < 1.1 and shifts(one).min() < -0.2 and shifts(one).max() > 0.2,
       "moveout goes up and down, each event's own, up to what was asked for", shifts(one))
live = [np.sqrt((flat[p][0, s:s + 100] ** 2).mean()) for s in (50, 200, 350)]
tap.ok(max(live) < 3 * min(live), "amplitudes do not fall with time", live)
pairs = [decibels(many[1300, x], many[1300, x] - (many[1300, x - 1] + many[1300, x + 1]) / 2) for x in range(1401, 1411)]
single = [decibels(many[1300, x], many[1300, x] - many[1300, x + 1]) for x in range(1400, 1411)]
tap.ok(np.median(single) > 10 and np.median(pairs) > 25, "a gather is nearly its neighbours' mean", (single, pairs))
tap.ok(np.median(single) < 40, "but not its neighbour", single)

# crossing events
dips = line("--moveout-ms", "64", "--dips", "5")
added = dips[p] - many[p]
ratio = (added**2).sum() / (many[p] ** 2).sum()
tap.ok(0.02 < ratio < 1, "--dips adds events", ratio)
power = np.abs(np.fft.fft2(added[:, 200:])) ** 2
slow = power[:2].sum() + power[-1:].sum()
tap.ok(slow < 0.5 * power.sum(), "events of --dips are not flat", slow / power.sum())
follow = decibels(added, added - (dips[1300, 1404] - many[1300, 1404] + dips[1300, 1406] - many[1300, 1406]) / 2)
tap.ok(follow > 20, "they go on from gather to gather", follow)

# the same bits, whoever computes
everything = ("--noise", "mix,linear-shared:2", "--moveout-ms", "32", "--dips", "3", "--snr", "2")
alone = synth(*everything)[2]
for ranks in (2, 3, 11):
    tap.ok(synth(*everything, ranks=ranks)[2] == alone, f"the same bytes alone and on {ranks} ranks")
for traces, samples in ((1, 1), (1, 40), (40, 1), (3, 2), (200, 16)):
    noisy, clean, _ = synth(*everything, size=("--inlines", 1, "--crosslines", 1, "--traces", traces, "--samples", samples))
    tap.ok(all(a.shape == (traces, samples) and np.isfinite(a).all() for a in (*noisy.values(), *clean.values())),
           f"{traces} traces of {samples} samples")

for options, message in (
        (("--noise", "whit"), "did you mean white?"),
        (("--noise", "white,swell"), "unknown kind 'swell'"),
        (("--noise", "white,,trace"), "unknown kind ''"),
        (("--noise", "white:"), "the share of white"),
        (("--noise", "trace:0"), "the share of trace"),
        (("--noise", "trace:-1"), "the share of trace"),
        (("--noise", "linear:nan"), "the share of linear"),
        (("--noise", "mix,trace"), "trace is given twice"),
        (("--moveout-ms", "-1"), "--moveout-ms takes a number"),
        (("--dips", "1.5"), "--dips takes a whole number")):
    tap.refused(tap.run("synth", "--output", place / "refused", *options, ranks=2), 2, message, f"{' '.join(options)} is refused")
tap.ok(not (place / "refused").exists(), "nothing was written by what was refused")
tap.done()
