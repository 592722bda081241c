"""A crash at every write of a day of 200 events.

Goal: wherever the machine stops, nothing acknowledged is lost, nothing is doubled, and the day ends in the same hash.
Method: every operation of the disk in turn as the last one, recovery, the rest of the day; a sample here, every one
with ``-m soak``, on small and on usual pages.
"""

from __future__ import annotations

import pytest

pytest.importorskip("apsw")

from tsingma.journal.commands import CloseDay
from tsingma.simulate import every_write
from tsingma.simulate.auditor import Violation
from tsingma.simulate.every_write import crash_everywhere, day_of
from tsingma.store.sqlite import SqliteStore

EVENTS = 200


def test_the_day_has_two_hundred_events_of_every_kind() -> None:
    """Goal: the day is a real one. Method: count its commands and kinds; the same seed gives the same day."""
    day = day_of(EVENTS, 1)
    kinds = {str(command.__struct_config__.tag) for _, command in day}
    assert len(day) == len({command_id for command_id, _ in day}) == EVENTS
    assert {"capture-trades", "post-transfers", "change-instruction", "call-margin", "run-step"} <= kinds
    assert any(isinstance(command, CloseDay) for _, command in day)
    assert day_of(EVENTS, 1) == day


def test_crashes_at_a_sample_of_operations() -> None:
    """Goal: recovery on every CI run. Method: one operation in 79, with every way of losing power and a kill."""
    report = crash_everywhere(day_of(EVENTS, 1), stride=79)
    assert report.records == EVENTS
    assert report.crashes > 20
    assert report.durable > 0
    assert report.lost > 0


@pytest.mark.soak
@pytest.mark.parametrize("page_size", [512, 4_096])
def test_crashes_at_every_operation(page_size: int) -> None:
    """Goal: no operation is left out. Method: all of them."""
    report = crash_everywhere(day_of(EVENTS, 1), page_size=page_size)
    assert report.crashes == report.operations
    assert report.records == EVENTS


def test_a_commit_that_is_not_synchronised_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Goal: the test can fail. Method: a store that answers before its commit is on disk."""
    usual = every_write.DiskConnection.store

    def store(self: every_write.DiskConnection) -> SqliteStore:
        made = usual(self)
        self.sqlite.execute("PRAGMA synchronous = OFF")
        return made

    monkeypatch.setattr(every_write.DiskConnection, "store", store)
    with pytest.raises(Violation, match="crash at operation"):
        crash_everywhere(day_of(40, 1), stride=7)
