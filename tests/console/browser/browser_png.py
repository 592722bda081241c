"""Pictures of pages made small: a PNG of true colour as one of a palette (PNG, third edition, W3C 2025)."""

from __future__ import annotations

import struct
import zlib

import numpy as np

SIGNATURE = b"\x89PNG\r\n\x1a\n"
COLOURS = 128  # of the palette: the most frequent; every other becomes the nearest of them
CHANNELS = {2: 3, 6: 4}  # by colour type: RGB, RGBA


def size_of(data: bytes) -> tuple[int, int]:
    """Return width and height of a PNG."""
    width, height = struct.unpack(">II", data[16:24])
    return width, height


def with_palette(data: bytes) -> bytes:
    """Return the picture with at most ``COLOURS`` colours, one byte a pixel; the same bytes for the same picture."""
    pixels = _pixels(data)
    packed = pixels[..., 0].astype(np.int64) << 16 | pixels[..., 1].astype(np.int64) << 8 | pixels[..., 2]
    colours, place, count = np.unique(packed, return_inverse=True, return_counts=True)
    kept = colours[np.argsort(-count, kind="stable")[:COLOURS]]
    levels = np.stack([kept >> 16, kept >> 8 & 255, kept & 255], axis=1)
    every = np.stack([colours >> 16, colours >> 8 & 255, colours & 255], axis=1)
    nearest = np.array([np.abs(levels - one).sum(axis=1).argmin() for one in every], np.uint8)
    index = nearest[place.reshape(packed.shape)]
    height, width = index.shape
    rows = np.zeros((height, width + 1), np.uint8)
    rows[:, 1:] = index
    head = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    parts = (("IHDR", head), ("PLTE", levels.astype(np.uint8).tobytes()), ("IDAT", zlib.compress(rows.tobytes(), 9)))
    return SIGNATURE + b"".join(_chunk(name, body) for name, body in (*parts, ("IEND", b"")))


def _chunk(name: str, body: bytes) -> bytes:
    kind = name.encode("ascii")
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _pixels(data: bytes) -> np.ndarray:
    """Return uint8 [height, width, channels] of an RGB or RGBA picture of eight bits, not interlaced."""
    width, height, depth, colour = struct.unpack(">IIBB", data[16:26])
    assert (depth, colour in CHANNELS) == (8, True)
    body, place = b"", len(SIGNATURE)
    while place < len(data):
        length, kind = struct.unpack(">I4s", data[place : place + 8])
        body += data[place + 8 : place + 8 + length] if kind == b"IDAT" else b""
        place += length + 12
    channels = CHANNELS[colour]
    raw = np.frombuffer(zlib.decompress(body), np.uint8).reshape(height, 1 + width * channels)
    found = np.zeros((height, width * channels), np.uint8)
    above = np.zeros(width * channels, np.uint8)
    for row in range(height):
        above = found[row] = _unfiltered(int(raw[row, 0]), raw[row, 1:], above, channels)
    return found.reshape(height, width, channels)


def _unfiltered(kind: int, line: np.ndarray, above: np.ndarray, step: int) -> np.ndarray:
    """Return a row with its filter undone (section 9.2: none, sub, up, average, Paeth)."""
    if kind == 0:
        return line
    if kind == 2:
        return line + above
    pixels, before = line.reshape(-1, step).astype(np.int64), above.reshape(-1, step).astype(np.int64)
    if kind == 1:
        return (np.cumsum(pixels, axis=0) & 255).astype(np.uint8).ravel()
    out = np.zeros_like(pixels)
    left, corner = np.zeros(step, np.int64), np.zeros(step, np.int64)
    for place in range(len(pixels)):
        up = before[place]
        out[place] = left = pixels[place] + (((left + up) // 2) if kind == 3 else _paeth(left, up, corner)) & 255
        corner = up
    return out.astype(np.uint8).ravel()


def _paeth(left: np.ndarray, up: np.ndarray, corner: np.ndarray) -> np.ndarray:
    guess = left + up - corner
    gaps = np.abs(guess - np.stack([left, up, corner]))
    return np.where(
        (gaps[0] <= gaps[1]) & (gaps[0] <= gaps[2]), left, np.where(gaps[1] <= gaps[2], up, corner)
    )  # fmt: skip
