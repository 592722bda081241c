"""A crash at every operation that changes the disk: the day recovers from each, whole and once.

The day is run once. Whenever the disk is about to change, the disk is copied; each copy then loses its power, is opened
again, and the day is finished on it. Every journal must begin with what was acknowledged, every finished day must be
the calm one, record by record, and end in its state hash.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from tsingma.basics.clock import FixedClock
from tsingma.basics.rejection import Rejected
from tsingma.engine.batch import step_all
from tsingma.engine.house import House
from tsingma.engine.sequencer import Sequencer
from tsingma.engine.step import step
from tsingma.journal.commands import Command
from tsingma.journal.events import Accepted
from tsingma.journal.record import Record
from tsingma.settlement.timetable import timetable
from tsingma.simulate.auditor import Auditor, Violation
from tsingma.simulate.disk import Fault, SimulatedDisk, Survival
from tsingma.simulate.disk_store import DiskConnection, unheard_errors_ignored
from tsingma.simulate.plain_house import PlainHouse
from tsingma.simulate.swarm import FIRST_START, draw, settlement_days
from tsingma.simulate.workload import Workload

SURVIVALS = (*Survival, None)  # None: the process is killed, and the machine goes on
ACTIONS_A_DAY = 14
Day = Sequence[tuple[str, Command]]


@dataclass(frozen=True, slots=True)
class CrashReport:
    """What crashing at every operation found: crashes tried, and of them with the command in doubt there or lost."""

    operations: int
    crashes: int
    durable: int
    lost: int
    records: int
    state_hash: str


def day_of(events: int, seed: int) -> Day:
    """Return the first ``events`` commands of a seeded week that the house accepts."""
    days = settlement_days(FIRST_START, events // len(timetable()) + 1)
    drawn = draw(np.random.Generator(np.random.PCG64([seed, 1])))
    swarm = msgspec.structs.replace(drawn, days=days, actions_a_day=ACTIONS_A_DAY, invalid_rate=0.0, wealth=1.0)
    workload = Workload(swarm, np.random.Generator(np.random.PCG64([seed, 3])))
    auditor = Auditor(seed, PlainHouse())
    day: list[tuple[str, Command]] = []
    while len(day) < events:
        draft = auditor.house.copy()
        command = workload.next(draft, calm=False)
        sent = auditor.send(draft, command, at_risk=True)
        if not sent.foretold.reasons:
            auditor.house = draft
            day.append((sent.command_id, command))
    return day


def crash_everywhere(day: Day, *, page_size: int = 4_096, snapshot_every: int = 40, stride: int = 1) -> CrashReport:
    """Crash at every ``stride``-th operation of the day and finish it; raises Violation naming the operation."""
    calm, wanted = _calm(day, page_size, snapshot_every)
    disk = SimulatedDisk(_chance(0), FixedClock())
    copies: list[tuple[int, SimulatedDisk]] = []
    counts = {"crashes": 0, "durable": 0}

    def keep() -> None:
        if disk.operations % stride == 0:
            copies.append((disk.operations, disk.copy(_chance(disk.operations))))

    disk.before_operation = keep
    with unheard_errors_ignored():
        house, connection = _open(disk, page_size)
        for place, (command_id, command) in enumerate(day):
            _crash_copies(copies, day, place, calm, wanted, page_size, counts)
            _accept(house, command_id, command)
            _crash_copies(copies, day, place, calm, wanted, page_size, counts)
            if place % snapshot_every == snapshot_every - 1:
                house.snapshot()
        connection.close()
        _crash_copies(copies, day, len(day), calm, wanted, page_size, counts)
    return CrashReport(
        operations=disk.operations,
        crashes=counts["crashes"],
        durable=counts["durable"],
        lost=counts["crashes"] - counts["durable"],
        records=len(calm),
        state_hash=wanted.hex(),
    )


def _crash_copies(
    copies: list[tuple[int, SimulatedDisk]],
    day: Day,
    place: int,
    calm: list[Record],
    wanted: bytes,
    page_size: int,
    counts: dict[str, int],
) -> None:
    """Crash every copy taken when ``place`` commands were acknowledged, and perhaps the next one under way."""
    for operation, disk in copies:
        survival = SURVIVALS[counts["crashes"] % len(SURVIVALS)]
        if survival is None:
            disk.kill()
        else:
            disk.power_loss(survival)
        here = f"crash at operation {operation}, survival {survival}, {place} of {len(day)} acknowledged"
        counts["crashes"] += 1
        counts["durable"] += _finish(disk, day, place, calm, wanted, page_size, here)
    copies.clear()


def _finish(
    disk: SimulatedDisk, day: Day, place: int, calm: list[Record], wanted: bytes, page_size: int, here: str
) -> bool:
    """Recover, compare, send the rest of the day, compare again; returns whether the command in doubt was durable."""
    try:
        house, connection = _open(disk, page_size)
    except Rejected as refused:
        raise Violation(f"{here}: the house does not open: {refused}") from refused
    found = house.sequence
    if found not in (place, place + 1) or house.head != (calm[found - 1].hash if found else bytes(32)):
        raise Violation(f"{here}: {found} records, {place} were acknowledged")
    for command_id, command in day[max(found - 1, 0) :]:  # the last one there is sent again as well
        _accept(house, command_id, command)
    store = connection.store()
    if list(store.read()) != calm or house.state.digest() != wanted:
        raise Violation(f"{here}: the finished day is not the calm one")
    disk.stop(Fault.KILL, marked=False)
    connection.close()
    return found == place + 1


def _calm(day: Day, page_size: int, snapshot_every: int) -> tuple[list[Record], bytes]:
    house, connection = _open(SimulatedDisk(_chance(0), FixedClock()), page_size)
    for place, (command_id, command) in enumerate(day):
        _accept(house, command_id, command)
        if place % snapshot_every == snapshot_every - 1:
            house.snapshot()
    records = list(connection.store().read())
    state_hash = house.state.digest()
    connection.close()
    return records, state_hash


def _open(disk: SimulatedDisk, page_size: int) -> tuple[Sequencer[House], DiskConnection]:
    connection = DiskConnection(disk, page_size)
    return Sequencer(connection.store(), House, step, step_all), connection


def _accept(house: Sequencer[House], command_id: str, command: Command) -> None:
    (answer,) = house.submit([(command_id, command)])
    if not isinstance(answer, Accepted):
        raise Violation(f"{command_id} is refused: {answer}")


def _chance(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64([seed, 17]))
