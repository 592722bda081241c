"""A night batch: instructions from a file into the books of a house, durably, and a set of them settled at one instant.

What an optimiser finds outside is submitted as a command and verified in integers by the books, so that the journal
replays without solver, search or clock. Every command has an id made of the date and the file's content: a night that
was cut off anywhere is run again, what is durable answers from the journal and the rest is carried out.
"""

from __future__ import annotations

import hashlib
import resource
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.app.night_bound import night_bound
from tsingma.app.proposals import settle_waiting
from tsingma.app.session import Session
from tsingma.basics.clock import Clock
from tsingma.basics.dates import to_day
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.engine.house import House
from tsingma.journal.commands import LoadReference, OpenDay
from tsingma.messages.batch_file import read_batch
from tsingma.messages.market_files import read_book, read_deposits
from tsingma.reference.book import resolve
from tsingma.settlement.batch import Batch
from tsingma.settlement.instruction import FROM_MATCHED, SETTLED
from tsingma.settlement.proposal import Blocking, Objective
from tsingma.settlement.short_accounts import NightBound

Int64 = npt.NDArray[np.int64]


class NightStage(msgspec.Struct, frozen=True):
    """One stage: what had settled of the file's instructions after it, its seconds, the largest memory so far."""

    stage: str
    settled: int
    seconds: float
    memory_mb: int


class NightResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a night did, and the proof to compare a replay with."""

    submitted: int
    submitted_value: int
    settled: int
    settled_value: int
    seconds: float
    memory_mb: int
    by_stage: tuple[NightStage, ...]
    sequence: int
    head: str
    state_hash: str
    lp_bound: float | None = None  # number, or money in HKD cents
    gap: float | None = None
    blocking: tuple[Blocking, ...] = ()


@dataclass(slots=True)
class _Night:
    """A night under way: the session, the name its commands begin with, and its stages."""

    session: Session
    clock: Clock
    name: str
    stages: list[NightStage] = field(default_factory=list)

    def timed(self, stage: str, act: Callable[[], object]) -> None:
        began = self.clock.elapsed_ns()
        act()
        seconds = (self.clock.elapsed_ns() - began) / 1e9
        settled = int((self.session.house.settlement.instructions.table["status"] == SETTLED).sum())
        self.stages.append(NightStage(stage, settled, round(seconds, 3), memory_mb()))


def run_night(path: Path, folder: Path | str, day: date, objective: Objective, clock: Clock) -> NightResult:
    """Take the instructions of a file into a house (folder, or URL) and settle what settles together.

    A new house first loads ``reference.json`` and ``deposits.csv`` from beside the file; a day that is not open is
    opened. Raises Rejected naming file, line and field, or with the house's reasons; nothing of the file is kept then.
    """
    began = clock.elapsed_ns()
    with Session.open(folder) as session:
        opened = (clock.elapsed_ns() - began) / 1e9
        night = _Night(session, clock, f"{day}/night/{_digest(path)}")
        night.stages.append(NightStage("open", 0, round(opened, 3), memory_mb()))
        _prepare(session, path, day)
        batches: list[Batch] = []
        night.timed("read", lambda: batches.append(read_batch(path, session.house.resolved)))
        _settle(night, batches[0], path.name, to_day(day), objective)
        bounds: list[NightBound] = []
        night.timed("bound", lambda: bounds.append(night_bound(session.house, objective)))
        proof: list[bytes] = []
        night.timed("snapshot", lambda: proof.append(_snapshot(session)))
        submitted, value, settled, settled_value = _totals(session.house)
        return NightResult(
            submitted=submitted, submitted_value=value, settled=settled, settled_value=settled_value,
            seconds=round((clock.elapsed_ns() - began) / 1e9, 3), memory_mb=memory_mb(), by_stage=tuple(night.stages),
            sequence=session.sequencer.sequence, head=session.sequencer.head.hex(), state_hash=proof[0].hex(),
            lp_bound=bounds[0].lp_bound, gap=bounds[0].gap, blocking=bounds[0].blocking,
        )  # fmt: skip


def memory_mb() -> int:
    """Return the largest memory this process has had, in MB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // (1024 * 1024 if sys.platform == "darwin" else 1024)


def _prepare(session: Session, path: Path, day: date) -> None:
    if not session.house.position.day:  # a house before its first day
        book = read_book(path.parent / "reference.json")
        session.once("reference", lambda: LoadReference(book))
        session.once("deposits", lambda: read_deposits(path.parent / "deposits.csv", resolve(book)))
    position = session.house.position
    if position.is_open and position.day != to_day(day):
        raise refuse(RejectionReason.NOT_ALLOWED, "another day is open", subject=str(day), remedy="close it first")
    if not position.is_open:
        session.once(f"{day}/open", lambda: OpenDay(to_day(day)))


def _settle(night: _Night, batch: Batch, source: str, day: int, objective: Objective) -> None:
    """Capture wave after wave; after each, propose from everything that waits and book what is proposed."""
    for wave in sorted(set(np.unique(batch.arrival).tolist()) | {0}):
        what = "already matched" if wave == 0 else f"arriving, wave {wave}"
        night.timed(f"capture {what}", lambda wave=wave: _capture(night, batch, wave, source, day))  # type: ignore[misc]
        name = f"{night.name}/together/{wave}"
        night.timed(
            f"settle {what}",
            lambda name=name: settle_waiting(night.session, name, objective, night.clock),  # type: ignore[misc]
        )


def _capture(night: _Night, batch: Batch, wave: int, source: str, day: int) -> None:
    for place, command in enumerate(batch.commands(wave, source, day)):
        night.session.once(f"{night.name}/capture/{wave}/{place}", lambda command=command: command)  # type: ignore[misc]


def _snapshot(session: Session) -> bytes:
    sequence = session.sequencer.sequence
    if sequence in session.store.snapshots():
        return session.store.snapshot(sequence).state_hash
    return session.sequencer.snapshot()


def _totals(house: House) -> tuple[int, int, int, int]:
    """Return number and value (HKD cents at the day's rates) submitted as matched, and settled."""
    table = house.settlement.instructions.table
    mine = table["origin"] == FROM_MATCHED
    settled = mine & (table["status"] == SETTLED)
    values = [0, 0]
    for unit, rate_e6 in enumerate(house.fx_e6):
        here = table["currency"] == unit
        for place, chosen in enumerate((mine, settled)):
            values[place] += int(table["amount_cents"][chosen & here].sum()) * rate_e6 // 1_000_000
    return int(mine.sum()), values[0], int(settled.sum()), values[1]


def _digest(path: Path) -> str:
    if not path.is_file():
        raise refuse(RejectionReason.MISSING, "cannot be read", file=str(path), remedy="check the path")
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]
