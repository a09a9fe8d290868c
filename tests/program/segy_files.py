"""SEG-Y files for tests, made and read here byte by byte, so that neither the program nor segyio is its own witness.

    File(order=">", format=1, samples=[...], fields=[{189: 5, 193: 20, 37: 100}, ...]).write(path)
"""
import struct

import numpy as np

KINDS = {2: "i4", 3: "i2", 5: "f4", 6: "f8", 8: "i1", 9: "i8", 10: "u4", 11: "u2", 12: "u8", 16: "u1"}
SIZES = {1: 4, 2: 4, 3: 2, 5: 4, 6: 8, 7: 3, 8: 1, 9: 8, 10: 4, 11: 2, 12: 8, 15: 3, 16: 1}
SHORT = {29, 31, 33, 35, 69, 71, 109, 115, 117, 201, 213, 215}  # fields of two bytes that tests use


def to_ibm(values):
    """float64 values to IBM floats (uint32), cut to 24 bits: exact for values of few digits."""
    values = np.asarray(values, dtype=np.float64)
    words = np.zeros(values.shape, dtype=np.uint32)
    magnitude, some = np.abs(values), values != 0
    exponent = np.ceil(np.frexp(magnitude[some])[1] / 4.0).astype(np.int64)
    mantissa = np.floor(magnitude[some] * 16.0 ** (6 - exponent)).astype(np.int64)
    words[some] = ((exponent + 64) << 24 | mantissa).astype(np.uint32)
    return words | np.where(np.signbit(values), np.uint32(0x80000000), np.uint32(0)).astype(np.uint32)


def from_ibm(words):
    """IBM floats (uint32) to float64, exactly."""
    words = np.asarray(words, dtype=np.int64)
    magnitude = (words & 0xffffff) * 16.0 ** ((words >> 24 & 0x7f) - 70)
    return np.where(words >> 31, -magnitude, magnitude)


def encode(samples, format, order):
    if format == 1:
        return to_ibm(samples).astype(order + "u4").tobytes()
    if format in (7, 15):  # three bytes of four
        words = np.asarray(samples).astype(order + "i4").view("u1").reshape(-1, 4)
        return (words[:, 1:] if order == ">" else words[:, :3]).tobytes()
    return np.asarray(samples).astype(order + KINDS[format]).tobytes()


def decode(data, format, order):
    if format == 1:
        return from_ibm(np.frombuffer(data, order + "u4"))
    if format in (7, 15):
        words = np.frombuffer(data, "u1").reshape(-1, 3).astype(np.int64)
        high, low = (0, 2) if order == ">" else (2, 0)
        value = words[:, high] << 16 | words[:, 1] << 8 | words[:, low]
        return np.where((format == 7) & (value >= 1 << 23), value - (1 << 24), value).astype(np.float64)
    return np.frombuffer(data, order + KINDS[format]).astype(np.float64)


def field(header, byte, order):
    return struct.unpack_from(order + ("h" if byte in SHORT else "i"), header, byte - 1)[0]


class File:
    """What a SEG-Y file is made of. samples: [traces, samples]; fields: for each trace {byte: number}; binary:
    {byte: (struct code, number)} over the usual; text, extended, trailer: bytes. A list of samples may hold traces that
    differ in length; extras: the additional headers of each trace, as bytes."""

    def __init__(self, samples, fields=None, order=">", format=1, interval=4000, text=None, binary=None, extended=b"",
                 trailer=b"", extra=0, tells_samples=True, extras=None):
        variable = isinstance(samples, list) and len({np.size(trace) for trace in samples}) > 1
        self.samples = samples if variable else np.atleast_2d(np.asarray(samples))
        self.n_samples, self.extras = max(len(trace) for trace in self.samples), extras
        self.fields = fields if fields is not None else [{} for _ in self.samples]
        self.order, self.format, self.interval, self.extra = order, format, interval, extra
        self.text = text if text is not None else "".join("C%2d %-76s" % (i + 1, "A LINE" if i < 5 else "")
                                                           for i in range(40)).encode("cp037")
        self.binary, self.extended, self.trailer, self.tells_samples = binary or {}, extended, trailer, tells_samples

    def header(self, t):
        data = bytearray(240)
        if self.tells_samples:
            struct.pack_into(self.order + "H", data, 114, len(self.samples[t]) & 0xffff)
        for byte, number in self.fields[t].items():
            struct.pack_into(self.order + ("h" if byte in SHORT else "i"), data, byte - 1, number)
        return bytes(data)

    def bytes(self):
        head = bytearray(400)
        for byte, code, number in ((3217, "h", self.interval), (3221, "H", self.n_samples & 0xffff),
                                   (3225, "h", self.format), (3505, "h", len(self.extended) // 3200)):
            struct.pack_into(self.order + code, head, byte - 3201, number)
        for byte, (code, number) in self.binary.items():
            struct.pack_into(self.order + code, head, byte - 3201, number)
        parts = [self.text, bytes(head), self.extended]
        for t, trace in enumerate(self.samples):
            parts.append(self.header(t))
            parts.append(self.extras[t] if self.extras else bytes([t % 251 + 1]) * (240 * self.extra))
            parts.append(encode(trace, self.format, self.order))
        return b"".join(parts) + self.trailer

    def write(self, path):
        with open(path, "wb") as file:
            file.write(self.bytes())
        return str(path)


def values_of(n_traces, n_samples, seed=0):
    """Samples that every float format holds exactly: 20 bits and a factor of two, zeros among them."""
    random = np.random.RandomState(seed)
    values = random.randint(-2 ** 20, 2 ** 20, (n_traces, n_samples)) * 2.0 ** random.randint(-40, 30, (n_traces, 1))
    values[random.rand(n_traces, n_samples) < 0.1] = 0
    return values


def positions(inlines, crosslines, offsets):
    """Fields of a sorted pre-stack survey."""
    return [{189: i, 193: x, 37: o} for i in inlines for x in crosslines for o in offsets]


def read(path):
    """(text, binary, list of 240-byte headers, samples [traces, samples], order, format) of a plain file (rev 0 or 1)."""
    with open(path, "rb") as file:
        data = file.read()
    text, binary = data[:3200], data[3200:3600]
    order = ">" if 1 <= struct.unpack_from(">h", binary, 24)[0] <= 16 else "<"
    n_samples, format = struct.unpack_from(order + "HxxH", binary, 20)
    first = 3600 + 3200 * max(0, struct.unpack_from(order + "h", binary, 304)[0])
    size = 240 + n_samples * SIZES[format]
    headers, samples = [], []
    for at in range(first, len(data) - size + 1, size):
        headers.append(data[at:at + 240])
        samples.append(decode(data[at + 240:at + size], format, order))
    return text, binary, headers, np.array(samples), order, format
