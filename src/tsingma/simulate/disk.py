"""A disk in memory that fails as disks do: what was not synchronised may be lost, torn or out of order.

Reads see every write at once, as through the cache of an operating system; only what was synchronised survives a
power loss for certain. Of the rest each sector (512 bytes) survives or not, as a seeded generator decides: that covers
torn, dropped and reordered writes. Faults are planned by counting operations that change the disk: writes,
truncations, synchronisations and deletions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise

import numpy as np

from tsingma.basics.clock import FixedClock

SECTOR = 512
DISK_ERROR = "simulated disk"


class Fault(StrEnum):
    """What goes wrong at the planned operation."""

    POWER_LOSS = "power-loss"  # the machine stops before the operation is done
    KILL = "kill"  # the process stops before the operation is done; the operating system keeps its cache
    FULL = "disk-full"  # this write and the following ones find no space
    FAILED_WRITE = "failed-write"  # this one write answers with an error
    FAILED_SYNC = "failed-sync"  # the synchronisation fails, and what it should have kept never reaches the disk


class Survival(StrEnum):
    """Which sectors that were never synchronised survive a power loss."""

    NOTHING = "nothing"
    PREFIX = "prefix"  # the oldest writes, the last of them torn
    ANY = "any"  # any sectors of any writes: reordered and torn
    EVERYTHING = "everything"


class DiskError(Exception):
    """An operation failed; ``fault`` says how."""

    def __init__(self, fault: Fault) -> None:
        """Keep the fault."""
        self.fault = fault
        super().__init__(f"{DISK_ERROR}: {fault}")


@dataclass(slots=True)
class _Content:
    """One file: what reads see, what is durable, and the writes and truncations between the two, oldest first."""

    now: bytearray = field(default_factory=bytearray)
    durable: bytearray = field(default_factory=bytearray)
    pending: list[tuple[int, bytes | None]] = field(default_factory=list)  # None truncates to the offset
    entered: bool = False  # its name is durable


@dataclass(frozen=True, slots=True)
class Latency:
    """Nanoseconds that each operation takes on the simulated clock."""

    write_ns: int = 20_000
    sync_ns: int = 200_000


class SimulatedDisk:
    """Files by name. ``operations`` counts what changed the disk since it was made; faults are planned on it."""

    def __init__(self, chance: np.random.Generator, clock: FixedClock, latency: Latency | None = None) -> None:
        """Start empty; ``chance`` decides what survives a power loss."""
        self._chance = chance
        self._clock = clock
        self._latency = latency or Latency()
        self._files: dict[str, _Content] = {}
        self._deleted: dict[str, bytes] = {}  # deletions that a power loss may undo
        self._planned: tuple[int, Fault] | None = None
        self._full = False
        self.operations = 0
        self.owes: set[str] = set()  # files whose synchronisation failed: reads show what the disk will never have
        self.stopped: Fault | None = None
        self.marks: Counter[str] = Counter()
        self.before_operation: Callable[[], None] | None = None  # called when the disk is about to change

    def plan(self, fault: Fault, after: int) -> None:
        """Let ``fault`` happen at the operation that comes after ``after`` more (0: the next one)."""
        self._planned = (self.operations + after, fault)

    def stop(self, fault: Fault, *, marked: bool = True) -> None:
        """Stop now, between two operations; ``marked`` counts it as a fault."""
        self.stopped = fault
        self.marks[f"fault:{fault}"] += marked

    def heal(self) -> None:
        """Forget the planned fault and make space."""
        self._planned, self._full = None, False

    @property
    def names(self) -> list[str]:
        """Names of the files there are."""
        return sorted(self._files)

    def exists(self, name: str) -> bool:
        """Return whether the file is there."""
        return name in self._files

    def create(self, name: str) -> None:
        """Make an empty file unless it is there."""
        if name not in self._files:
            self._files[name] = _Content()

    def size(self, name: str) -> int:
        """Return the size in bytes, as reads see it."""
        return len(self._files[name].now)

    def read(self, name: str, amount: int, offset: int) -> bytes:
        """Return up to ``amount`` bytes from ``offset``, as reads see them."""
        return bytes(memoryview(self._files[name].now)[offset : offset + amount])

    def write(self, name: str, data: bytes, offset: int) -> None:
        """Write; raises DiskError when a fault is due or there is no space."""
        self._count("write", self._latency.write_ns)
        content = self._files[name]
        _put(content.now, data, offset)
        content.pending.append((offset, bytes(data)))

    def truncate(self, name: str, size: int) -> None:
        """Cut a file; raises DiskError when a fault is due."""
        self._count("truncate", self._latency.write_ns)
        content = self._files[name]
        del content.now[size:]
        content.pending.append((size, None))

    def sync(self, name: str) -> None:
        """Make a file durable; raises DiskError when a fault is due."""
        content = self._files[name]
        try:
            self._count("sync", self._latency.sync_ns)
        except DiskError as error:
            if error.fault is Fault.FAILED_SYNC:
                content.pending.clear()  # the cache calls these pages clean from now on: no later sync will write them
                self.owes.add(name)
            raise
        for offset, data in content.pending:
            _apply(content.durable, offset, data)
        content.pending.clear()
        if not content.entered:  # a new file is synchronised with its folder, and so are the deletions before it
            content.entered = True
            self._deleted.clear()

    def delete(self, name: str, *, durably: bool) -> None:
        """Take a file away; unless ``durably``, a power loss may bring it back."""
        self._count("delete", self._latency.write_ns)
        content = self._files.pop(name)
        if not durably and content.entered:
            self._deleted[name] = bytes(content.durable)

    def power_loss(self, survival: Survival) -> None:
        """Lose what was not synchronised, but for what ``survival`` lets through, and start again without faults."""
        self.marks[f"survived:{survival}"] += 1
        for name, content in list(self._files.items()):
            if not content.entered and (survival is Survival.NOTHING or self._chance.random() < 0.5):
                del self._files[name]
                if name in self._deleted and self._chance.random() < 0.5:
                    self._restore(name)
                continue
            self._lose(content, survival)
        for name in sorted(set(self._deleted) - set(self._files)):
            if survival is not Survival.EVERYTHING and self._chance.random() < 0.5:
                self._restore(name)
        self._deleted.clear()
        self.owes.clear()
        self._restart()

    def kill(self) -> None:
        """Start a new process: the cache of the operating system stays, and what it holds is still not durable."""
        self._restart()

    def flip(self, name: str, offset: int, mask: int) -> None:
        """Change the bits of ``mask`` in one byte, in what is durable and in what reads see."""
        content = self._files[name]
        for image in (content.now, content.durable):
            if offset < len(image):
                image[offset] ^= mask

    def image(self) -> dict[str, bytes]:
        """Return a copy of every file, as reads see them."""
        return {name: bytes(content.now) for name, content in self._files.items()}

    def restore(self, image: dict[str, bytes]) -> None:
        """Put a copy back, durably."""
        self._files = {name: _Content(bytearray(data), bytearray(data), [], True) for name, data in image.items()}
        self._deleted.clear()
        self.owes.clear()

    def copy(self, chance: np.random.Generator) -> SimulatedDisk:
        """Return a disk of its own with the same files, durable or not, and no fault planned."""
        other = SimulatedDisk(chance, FixedClock(self._clock.now_ns()), self._latency)
        other._files = {
            name: _Content(bytearray(one.now), bytearray(one.durable), list(one.pending), one.entered)
            for name, one in self._files.items()
        }
        other._deleted = dict(self._deleted)
        return other

    def _restore(self, name: str) -> None:
        data = self._deleted[name]
        self._files[name] = _Content(bytearray(data), bytearray(data), [], True)
        self.marks["deletion-undone"] += 1

    def _restart(self) -> None:
        self.stopped = None
        self.heal()

    def _count(self, kind: str, latency_ns: int) -> None:
        """Count one operation and let a fault happen that is due."""
        if self.stopped is not None:
            raise DiskError(self.stopped)
        if self.before_operation is not None:
            self.before_operation()
        self._clock.advance(latency_ns)
        due = self._planned is not None and self.operations >= self._planned[0]
        self.operations += 1
        self.marks[kind] += 1
        if due and self._planned is not None:
            self._strike(kind, self._planned[1])
        if self._full and kind == "write":
            raise DiskError(Fault.FULL)

    def _strike(self, kind: str, fault: Fault) -> None:
        fits = {Fault.FULL: "write", Fault.FAILED_WRITE: "write", Fault.FAILED_SYNC: "sync"}.get(fault, kind)
        if kind != fits:
            return  # it stays planned and strikes the next operation of its kind
        self._planned = None
        self.marks[f"fault:{fault}"] += 1
        if fault is Fault.FULL:
            self._full = True
            return
        if fault in (Fault.POWER_LOSS, Fault.KILL):
            self.stopped = fault
            self.marks[f"stopped-at-{kind}"] += 1
        raise DiskError(fault)

    def _lose(self, content: _Content, survival: Survival) -> None:
        pending, content.pending = content.pending, []
        self.marks["writes-at-risk"] += len(pending)
        if survival is Survival.EVERYTHING:
            kept = pending
        elif survival is Survival.NOTHING:
            kept = []
        elif survival is Survival.PREFIX:
            count = int(self._chance.integers(len(pending) + 1))
            kept = pending[:count]
            if count < len(pending):
                kept += self._torn(pending[count], prefix=True)
        else:
            kept = [part for write in pending for part in self._torn(write, prefix=False)]
        for offset, data in kept:
            _apply(content.durable, offset, data)
        content.now = bytearray(content.durable)

    def _torn(self, write: tuple[int, bytes | None], *, prefix: bool) -> list[tuple[int, bytes | None]]:
        """Return the sectors of one write that survive: its first ones, or any."""
        offset, data = write
        if data is None:
            return [write] if self._chance.random() < 0.5 else []
        edges = [offset, *range((offset // SECTOR + 1) * SECTOR, offset + len(data), SECTOR), offset + len(data)]
        sectors = list(pairwise(edges))
        if prefix:
            chosen = sectors[: int(self._chance.integers(len(sectors) + 1))]
        else:
            chosen = [sector for sector in sectors if self._chance.random() < 0.5]
        self.marks["torn-writes"] += 0 < len(chosen) < len(sectors)
        self.marks["dropped-writes"] += not chosen
        return [(start, data[start - offset : stop - offset]) for start, stop in chosen]


def _put(image: bytearray, data: bytes, offset: int) -> None:
    if offset > len(image):
        image.extend(bytes(offset - len(image)))
    image[offset : offset + len(data)] = data


def _apply(image: bytearray, offset: int, data: bytes | None) -> None:
    if data is None:
        del image[offset:]
    else:
        _put(image, data, offset)
