"""Spoilt files: valid ones with bytes, words and lines changed, from a seed; and what readers make of them."""

from __future__ import annotations

import random
import re
import resource
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from reader_seeds import readers

from tsingma.basics.rejection import Rejected

SECONDS_OF_ONE_MAX = 5.0  # of processor time
MEMORY_MAX = 1_500 * 1024**2  # of the process, everything imported

SCRAPS = (
    b"", b"0", b"-1", b"1e999", b"1e999999", b"nan", b"inf", b"9" * 40, b"1" * 5_000, b"\x00", b"\xff\xfe",
    b"\xef\xbb\xbf", b"\r", b"\r\n", b"\n", b",", b",,", b'"', b"'", b"=", b"[", b"]", b"{", b"}", b"[" * 300,
    b"{" * 300, b"<a>", b"&x;", b"<!--", b"true", b"null", b"2026-02-30", b"0001-01-01", b"9999-12-31",
    b"9223372036854775808", b"-9223372036854775809", "\u0660".encode(), "\u00b2".encode(), "\u2028".encode(),
    "\U0001f600".encode(), b"25:61:61", b"/", b"\\u0000", b"#", b";",
)  # fmt: skip


def spoil(data: bytes, chance: random.Random, others: bytes) -> bytes:
    """Return a file with one to four changes: bytes, words, lines changed, dropped, doubled, moved, mixed in."""
    for _ in range(chance.choice((1, 1, 2, 4))):
        data = chance.choice(_CHANGES)(data, chance, others)
    return data[: 4 * 1024 * 1024]


def _flip(data: bytes, chance: random.Random, _others: bytes) -> bytes:
    changed = bytearray(data or b" ")
    for _ in range(chance.choice((1, 1, 3, 20))):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def _insert(data: bytes, chance: random.Random, _others: bytes) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] + chance.choice(SCRAPS) * chance.choice((1, 1, 1, 50)) + data[at:]


def _cut(data: bytes, chance: random.Random, _others: bytes) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] if chance.random() < 0.3 else data[:at] + data[at + chance.choice((1, 2, 8, 100)) :]


def _word(data: bytes, chance: random.Random, _others: bytes) -> bytes:
    """Put a scrap, or another word of the file, in place of a word."""
    words = list(re.finditer(rb"[A-Za-z0-9_.+:-]+", data[:200_000]))
    if not words:
        return data
    found = chance.choice(words)
    new = chance.choice(words).group() if chance.random() < 0.4 else chance.choice(SCRAPS)
    return data[: found.start()] + new + data[found.end() :]


def _line(data: bytes, chance: random.Random, _others: bytes) -> bytes:
    lines = data.split(b"\n")
    at = chance.randrange(len(lines))
    kind = chance.randrange(4)
    if kind == 0:
        del lines[at]
    elif kind == 1:
        lines.insert(at, chance.choice(lines))
    elif kind == 2:
        lines[at] = b",".join(chance.sample(cells := lines[at].split(b","), len(cells)))
    else:
        lines[at] = lines[at] * chance.choice((2, 30))
    return b"\n".join(lines)


def _mix(data: bytes, chance: random.Random, others: bytes) -> bytes:
    """Put a piece of another file in."""
    at, start = chance.randrange(len(data) + 1), chance.randrange(len(others) + 1)
    return data[:at] + others[start : start + chance.choice((4, 40, 400))] + data[at:]


_CHANGES = (_flip, _insert, _cut, _word, _word, _word, _line, _line, _mix)


@dataclass
class Found:
    """What a run came to: files tried, refused, taken; and every one that was neither, with how to make it again."""

    tried: int = 0
    refused: int = 0
    taken: int = 0
    slowest_seconds: float = 0.0
    defects: dict[str, str] | None = None


def fuzz(names: list[str], folder: Path, seed: int, *, rounds: int = 0, seconds: float = 0.0) -> Found:
    """Try spoilt files on readers by turns, so many rounds or for so long; every file comes from ``seed`` alone."""
    found, known = Found(defects={}), readers()
    until = time.monotonic() + seconds
    for turn in _turns(rounds, seconds, until):
        for name in names:
            reader = known[name]
            chance = random.Random(f"{name}/{seed}/{turn}")
            data = spoil(chance.choice(reader.seeds), chance, b"".join(reader.seeds))
            began = time.process_time()
            found.tried += 1
            try:
                reader.read(data, folder)
                found.taken += 1
            except Rejected:
                found.refused += 1
            except Exception as error:  # noqa: BLE001 - whatever else comes out is a finding
                defects = found.defects if found.defects is not None else {}
                defects.setdefault(f"{name}: {_where(error)}", f"seed {seed} turn {turn}: {data[:300]!r}")
            spent = time.process_time() - began
            found.slowest_seconds = max(found.slowest_seconds, spent)
            if spent > SECONDS_OF_ONE_MAX and found.defects is not None:
                found.defects[f"{name}: {spent:.1f} s"] = f"seed {seed} turn {turn}"
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    if used > MEMORY_MAX and found.defects is not None:
        found.defects["memory"] = f"{used:,} bytes"
    return found


def _turns(rounds: int, seconds: float, until: float) -> Iterator[int]:
    turn = 0
    while turn < rounds or (seconds and time.monotonic() < until):
        yield turn
        turn += 1


def _where(error: BaseException) -> str:
    """Return kind and place of a defect: where in the package it came out."""
    at, trace = "", error.__traceback__
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        if "/tsingma/" in name:
            at = f"{name.rpartition('/tsingma/')[2]}:{trace.tb_lineno}"
        trace = trace.tb_next
    return f"{type(error).__name__} at {at}: {str(error)[:100]}"
