"""The parameters of one faulty run, drawn from its seed: each seed tries another corner of what can happen."""

from __future__ import annotations

from datetime import date, timedelta

import msgspec
import numpy as np

from tsingma.basics.dates import to_day
from tsingma.reference.calendars import calendar
from tsingma.simulate.disk import Fault, Survival

FIRST_START = date(2026, 1, 5)
START_DAYS = 300


class Swarm(msgspec.Struct, frozen=True):
    """How large the run is and how often what goes wrong; rates are per batch or per command, 0 to 1."""

    days: tuple[int, ...]
    participants: int
    actions_a_day: int
    batch_max: int
    page_size: int
    checkpoint_pages: int
    snapshot_rate: float
    invalid_rate: float
    repeat_rate: float
    wealth: float
    fault_rate: float
    faults: tuple[Fault, ...]
    fault_distance: int
    survivals: tuple[Survival, ...]
    flip_rate: float
    abandon_rate: float
    crash_in_recovery_rate: float
    sync_ns: int
    follow_rate: float  # a standby follows after a batch
    lease_rate: float  # the standby takes the lease while its writer goes on
    backup_rate: float
    reorder_rate: float


def draw(chance: np.random.Generator) -> Swarm:
    """Return parameters drawn from the generator."""
    start = FIRST_START + timedelta(int(chance.integers(START_DAYS)))
    return Swarm(
        days=settlement_days(start, int(chance.choice((1, 2, 3, 4), p=(0.5, 0.25, 0.2, 0.05)))),
        participants=int(chance.integers(2, 6)),
        actions_a_day=int(chance.integers(2, 16)),
        batch_max=int(chance.choice((1, 2, 5, 12))),
        page_size=int(chance.choice((512, 1_024, 4_096))),
        checkpoint_pages=int(chance.choice((8, 40, 1_000))),
        snapshot_rate=float(chance.choice((0.0, 0.05, 0.2))),
        invalid_rate=float(chance.choice((0.0, 0.1, 0.3))),
        repeat_rate=float(chance.choice((0.0, 0.1, 0.3))),
        wealth=float(chance.choice((0.2, 1.0, 5.0))),
        fault_rate=float(chance.choice((0.0, 0.03, 0.1, 0.3), p=(0.1, 0.3, 0.4, 0.2))),
        faults=_some(chance, tuple(Fault)),
        fault_distance=int(chance.choice((3, 8, 25))),
        survivals=_some(chance, tuple(Survival)),
        flip_rate=float(chance.choice((0.0, 0.02, 0.06), p=(0.5, 0.3, 0.2))),
        abandon_rate=float(chance.choice((0.0, 0.3))),
        crash_in_recovery_rate=float(chance.choice((0.0, 0.3))),
        sync_ns=int(chance.choice((100_000, 1_000_000, 50_000_000))),
        follow_rate=float(chance.choice((0.0, 0.1, 0.5))),
        lease_rate=float(chance.choice((0.0, 0.02, 0.1))),
        backup_rate=float(chance.choice((0.0, 0.005, 0.02))),
        reorder_rate=float(chance.choice((0.0, 0.1, 0.3))),
    )


def settlement_days(start: date, count: int) -> tuple[int, ...]:
    """Return the first ``count`` settlement days of Hong Kong from a date on, as day numbers."""
    days: list[int] = []
    table = calendar("XHKG.settlement")
    while len(days) < count:
        if table.is_business_day(start):
            days.append(to_day(start))
        start += timedelta(1)
    return tuple(days)


def _some(chance: np.random.Generator, everything: tuple[str, ...]) -> tuple:  # type: ignore[type-arg]
    """Return a non-empty part of the names, in their order."""
    chosen = tuple(one for one in everything if chance.random() < 0.6)
    return chosen or everything
