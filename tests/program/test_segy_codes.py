"""SEG-Y files whose sample format code is another's, or none's: refused with the format that makes sense, for samples of any
size, in both byte orders; and that format reads them."""
import struct

import numpy as np

import cases
import tap
from segy_files import SIZES, File, to_ibm, from_ibm

place = tap.folder()
LARGEST = {2: 2 ** 22, 3: 30000, 7: 2 ** 22, 8: 120}  # of integers
TRACES = 34


def traces(format, n_samples):
    """Band-limited noise that falls with time, as the format has it."""
    random = np.random.RandomState(format)
    made = np.array([np.convolve(random.standard_normal(n_samples + 20), np.hanning(9), "valid")[:n_samples] for _ in range(TRACES)])
    made *= np.exp(-np.arange(n_samples) / 60.0)
    return np.round(made / abs(made).max() * LARGEST[format]) if format in LARGEST else made


def write(format, code, order, n_samples, told=True):
    """A file of one format with the code of another; told: its trace headers tell their samples and interval."""
    fields = [{189: 1, 193: 1 + t // 17, 37: 25 * (t % 17), **({117: 4000} if told else {})} for t in range(TRACES)]
    file = File(traces(format, n_samples), fields, order, format, binary={3225: ("h", code)}, tells_samples=told)
    path = file.write(place / "codes.sgy")
    values = from_ibm(to_ibm(file.samples)) if format == 1 else file.samples
    return path, values.astype(np.float32)


def consolidate(path, *words, ranks=0):
    return tap.run("consolidate", "--force", "--output", place / "codes.h5", path, *words, ranks=ranks)


def check(format, code, order, n_samples, ranks):
    path, values = write(format, code, order, n_samples)
    name = "format %d coded %d, %s, %d samples, on %d ranks" % (format, code, order, n_samples, ranks)
    tap.refused(consolidate(path, ranks=ranks), 4, "--format %d reads them so" % format, name)
    words = ["--format", str(format)] + (["--endian", "big" if order == ">" else "little"] if code not in SIZES else [])
    result = consolidate(path, *words, ranks=ranks)
    tap.ok(result.status == 0 and np.array_equal(cases.datasets(place / "codes.h5")["amplitude"], values),
           name + ": what it names reads it", result)


# Of samples of another size than the code's, both with trace lengths that divide (8 and 32 bits of 120 samples) and that don't
PAIRS = [(5, 3), (1, 8), (2, 6), (3, 1), (3, 5), (8, 1), (8, 3), (6, 5), (7, 2), (5, 0), (1, 19), (2, 0), (8, 0), (3, 0), (5, 10), (1, 10),
         (2, 10), (2, 1), (5, 2), (1, 5)]
for number, (format, code) in enumerate(PAIRS):
    check(format, code, "><"[number % 2], 120 if number % 3 else 251, 3 * (number % 4 == 1))

for ranks in (0, 3):
    path, _ = write(5, 3, ">", 251, told=False)
    tap.refused(consolidate(path, ranks=ranks), 4, "--salvage reads the whole traces",
                "headers that tell no samples show no distance: no format is named")
path, values = write(5, 5, "<", 251)
tap.refused(consolidate(path, "--endian", "big"), 4, "format", "a byte order that is forced is kept")
result = consolidate(path)
tap.ok(result.status == 0 and np.array_equal(cases.datasets(place / "codes.h5")["amplitude"], values), "a right code is believed",
       result)

# a byte too much, and a length that is twice that of samples of one byte: right all the same
path, values = write(5, 5, ">", 120)
with open(path, "ab") as file:
    file.write(b"x")
result = consolidate(path, "--salvage", ranks=3)
tap.ok(result.status == 0 and np.array_equal(cases.datasets(place / "codes.h5")["amplitude"], values), "so it is when salvaged",
       result)

# a little-endian file whose code alone is big-endian
path, values = write(5, 5, "<", 251)
with open(path, "r+b") as file:
    file.seek(3224)
    file.write(struct.pack(">h", 5))
tap.refused(consolidate(path, ranks=3), 4, "--endian little --format 5 reads them so", "a code in the other byte order")
result = consolidate(path, "--endian", "little", "--format", "5")
tap.ok(result.status == 0 and np.array_equal(cases.datasets(place / "codes.h5")["amplitude"], values), "and what it names reads it",
       result)
told = tap.run("info", path)
tap.refused(told, 4, "--endian little --format 5", "info says the same")

file = File(np.zeros((TRACES, 120)), [{189: 1, 193: 1, 37: t} for t in range(TRACES)], format=5, binary={3225: ("h", 0)})
tap.refused(consolidate(file.write(place / "codes.sgy")), 4, "--format 1, 5 or 2 reads them so", "zeros may be of any format")
tap.done()
