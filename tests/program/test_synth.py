"""synth: the same bits on any number of ranks, the wanted signal-to-noise ratio, exact mutes, twins of one name."""
import re

import numpy as np

import tap

place = tap.folder()
SIZE = ("--inlines", "2", "--crosslines", "3", "--traces", "24", "--samples", "201")


def gathers(folder):
    return {path.name: np.load(path) for path in sorted(folder.iterdir())}


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.glob("*/*"))}


outputs = {}
for ranks in (1, 2, 3, 7):
    outputs[ranks] = place / f"on{ranks}"
    tap.runs(tap.run("synth", "--output", outputs[ranks], *SIZE, ranks=ranks), f"synth runs on {ranks} ranks")
alone = files(outputs[1])
for ranks in (2, 3, 7):
    tap.ok(files(outputs[ranks]) == alone, f"the same bytes on 1 and {ranks} ranks")

noisy, clean = gathers(outputs[1] / "noisy"), gathers(outputs[1] / "clean")
tap.ok(len(noisy) == 6 and list(noisy) == list(clean), "noisy and clean have the same names", list(noisy))
tap.ok(all(re.fullmatch(r"gather_inline_130[01]_crossline_140[0-2]\.npy", name) for name in noisy), "names tell positions")
tap.ok(all(a.shape == (24, 201) and a.dtype == np.dtype("<f4") and a.flags["C_CONTIGUOUS"] for a in noisy.values()),
       "gathers are float32 of (traces, samples)")
tap.ok(all(np.isfinite(a).all() and abs(a).max() < 32767 for a in noisy.values()), "amplitudes are finite and in range")


def snr(name, noisy, clean):
    signal, noise = clean[name].astype(float), noisy[name].astype(float) - clean[name]
    return 10 * np.log10((signal**2).sum() / (noise**2).sum())


tap.ok(all(abs(snr(name, noisy, clean) - 6) < 0.1 for name in noisy), "every gather has the default 6 dB",
       [snr(name, noisy, clean) for name in noisy])
for wanted in ("-10", "0", "17.3"):
    output = place / f"snr{wanted}"
    tap.runs(tap.run("synth", "--output", output, *SIZE, "--snr", wanted), f"synth runs with {wanted} dB")
    n, c = gathers(output / "noisy"), gathers(output / "clean")
    tap.ok(all(abs(snr(name, n, c) - float(wanted)) < 0.1 for name in n), f"every gather has {wanted} dB")

for twin, arrays in (("noisy", noisy), ("clean", clean)):
    first = np.array([[np.flatnonzero(trace)[0] for trace in a] for a in arrays.values()])
    tap.ok((np.diff(first, axis=1) >= 0).all() and first[0, 0] == 0 and first[0, -1] > 20,
           f"{twin}: the mute is exact zeros and grows with offset", first)
tap.ok(all(((noisy[name] == 0) == (clean[name] == 0)).mean() > 0.999 for name in noisy), "noisy is muted where clean is")
tap.ok(len({a.tobytes() for a in noisy.values()}) == 6, "no two gathers are the same")

names = sorted(clean)
neighbours = np.corrcoef(clean[names[0]].ravel(), clean[names[1]].ravel())[0, 1]
tap.ok(neighbours > 0.5, "reflectors go on from gather to gather", neighbours)
noise = [(noisy[name] - clean[name]).ravel() for name in names[:2]]
tap.ok(abs(np.corrcoef(*noise)[0, 1]) < 0.3, "noise does not", np.corrcoef(*noise))
power = np.abs(np.fft.rfft(noisy[names[0]][:4] - clean[names[0]][:4], axis=1)) ** 2
tap.ok(power[:, 75:].mean() < 0.01 * power[:, 15:35].mean(), "noise is band-limited: little beyond 90 Hz")

other = place / "seed"
tap.runs(tap.run("synth", "--output", other, *SIZE, "--seed", "1"), "synth runs with another seed")
tap.ok(all(a.tobytes() != clean[name].tobytes() for name, a in gathers(other / "clean").items()), "another seed, another earth")

tap.refused(tap.run("synth", "--output", other, ranks=3), 2, "exists already", "an existing output is refused")
result = tap.run("synth", "--output", other, "--force", "--inlines", "1", "--crosslines", "2", "--traces", "5", "--samples",
                 "40", ranks=3)
tap.runs(result, "--force overwrites it, with fewer gathers than ranks")
tap.ok(len(gathers(other / "noisy")) == 2 and len(gathers(other / "clean")) == 2, "no gather of the old survey is left")
tap.refused(tap.run("synth", "--output", place / "no/such/place", ranks=2), 5, "no/such", "a missing parent is refused")

for traces, samples in ((1, 1), (1, 40), (40, 1), (3, 2), (200, 16)):
    output = place / f"{traces}x{samples}"
    result = tap.run("synth", "--output", output, "--inlines", "1", "--crosslines", "1", "--traces", traces, "--samples", samples)
    fine = result.status == 0 and all(np.isfinite(a).all() and a.shape == (traces, samples)
                                      for twin in ("noisy", "clean") for a in gathers(output / twin).values())
    tap.ok(fine, f"{traces} traces of {samples} samples", result)
result = tap.run("synth", "--quiet", "--output", place / "quiet", *SIZE, ranks=2)
tap.ok(result.status == 0 and result.out == "" and result.err == "", "--quiet says nothing", result)
tap.done()
