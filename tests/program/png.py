"""Reads a PNG file without any library but numpy: 8 bits a channel, as gnuplot writes them."""
import struct
import zlib

import numpy as np


def chunks(path):
    """The chunks of a file, [(kind, bytes)]; raises ValueError where it is no whole PNG."""
    with open(path, "rb") as file:
        data = file.read()
    if data[:8] != b"\x89PNG\r\n\x1a\n":
        raise ValueError("no PNG signature")
    at, kind, found = 8, None, []
    while kind != b"IEND":
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + length]
        if len(body) < length or zlib.crc32(kind + body) != struct.unpack(">I", data[at + 8 + length:at + 12 + length])[0]:
            raise ValueError(f"the chunk {kind} is cut or broken")
        found.append((kind, body))
        at += 12 + length
    return found


def size(path):
    """(height, width) of a whole PNG file."""
    width, height = struct.unpack(">II", chunks(path)[0][1][:8])
    return height, width


def read(path):
    """The picture as uint8 [height, width, channels]. Takes a second for a million pixels."""
    parts = chunks(path)
    width, height, bits, colour, _, _, interlace = struct.unpack(">IIBBBBB", parts[0][1])
    if bits != 8 or interlace or colour not in (2, 6):
        raise ValueError(f"{bits} bits, colour type {colour}, interlace {interlace}")
    channels = 3 if colour == 2 else 4
    lines = np.frombuffer(zlib.decompress(b"".join(body for kind, body in parts if kind == b"IDAT")), np.uint8).reshape(height, 1 + width * channels)
    picture, above = np.empty((height, width * channels), np.uint8), np.zeros(width * channels, np.uint8)
    for y in range(height):
        above = picture[y] = unfiltered(lines[y, 0], lines[y, 1:], above, channels)
    return picture.reshape(height, width, channels)


def unfiltered(kind, line, above, n):
    """A line of bytes as it was before its filter (PNG specification, section 9)."""
    if kind == 0:
        return line
    if kind == 1:
        return np.cumsum(line.reshape(-1, n), axis=0, dtype=np.uint8).reshape(-1)
    if kind == 2:
        return line + above
    out = [int(byte) for byte in line]
    up = [0] * n + [int(byte) for byte in above]  # up[i]: above and to the left of byte i
    for i, byte in enumerate(out):
        a, b, c = (out[i - n] if i >= n else 0), up[i + n], up[i]
        if kind == 3:
            guess = (a + b) // 2
        else:
            p = a + b - c
            guess = min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]
        out[i] = (byte + guess) & 255
    return np.array(out, np.uint8)
