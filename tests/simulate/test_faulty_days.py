"""Simulated days on a failing disk.

Goal: whatever the disk does, nothing acknowledged is lost, doubled or changed, every answer is the one foretold, and
the day can always be finished. Method: seeds of ``tsingma simulate faults``, a hundred here and ten thousand in ``make
soak``; then defects planted in the house and in the store, each of which the auditor must find.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("apsw")

from tsingma.app import faults
from tsingma.app.faults import Batch, batch_of
from tsingma.cli.main import main
from tsingma.engine import acts, charging, sequencer, submitting
from tsingma.journal.record import Record
from tsingma.kernels import postings
from tsingma.ledger.ledger import Ledger
from tsingma.settlement import cns
from tsingma.settlement.orders import Orders
from tsingma.simulate import disk_store
from tsingma.simulate.run import simulate
from tsingma.simulate.world import WORLDS
from tsingma.store.sqlite import SqliteStore

FIRST_TO_FIND, SEEDS_TO_FIND = 200, 80


@pytest.mark.slow
def test_a_hundred_seeds_are_green() -> None:
    """Goal: the house holds. Method: a hundred seeds, other ones than the long run's first, with their coverage."""
    total = Batch(20_000, 0)
    for seed in range(20_000, 20_100):
        total.add(batch_of(simulate(seed)))
    assert total.violations == []
    for mark in ("fault:power-loss", "fault:kill", "fault:disk-full", "fault:failed-sync", "torn-writes",
                 "flip:found", "in-doubt:durable", "in-doubt:lost", "command:close-day:accepted"):  # fmt: skip
        assert total.marks[mark] > 0, mark


def test_same_seed_same_run() -> None:
    """Goal: a failure can be replayed. Method: two runs of a seed with faults, compared mark by mark."""
    first, second = (batch_of(simulate(7)) for _ in range(2))
    assert first == second
    assert first.total("fault:") > 0


def test_a_batch_does_not_depend_on_how_it_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """Goal: the log of a long run can be checked in pieces. Method: three seeds as two tasks, and one by one."""
    monkeypatch.setattr(faults, "SEEDS_A_TASK", 2)
    (line,) = faults.simulate_many(40, 3, 1)
    marks = sum((simulate(seed, world).marks for seed in range(40, 43) for world in WORLDS), Counter())
    assert line.marks == {name: count for name, count in marks.items() if count}
    assert (line.first, line.count, line.violations) == (40, 3, [])


def lost_synchronisation(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let commits return before they are on disk."""
    usual = disk_store.DiskConnection.store

    def store(self: disk_store.DiskConnection) -> SqliteStore:
        made = usual(self)
        self.sqlite.execute("PRAGMA synchronous = OFF")
        return made

    monkeypatch.setattr(disk_store.DiskConnection, "store", store)


def answered_from_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a new process answer from commits that no disk has."""
    usual = disk_store.DiskConnection.store

    class Lazy:
        def __init__(self, connection: disk_store.DiskConnection) -> None:
            self.connection = connection.sqlite

        def __getattr__(self, name: str) -> object:
            return getattr(self.connection, name)

        def execute(self, statement: str, *rest: object) -> object:
            skipped = statement.startswith("PRAGMA wal_checkpoint")
            return self.connection.execute("SELECT 1" if skipped else statement, *rest)

    def store(self: disk_store.DiskConnection) -> SqliteStore:
        whole = self.sqlite
        self.sqlite = Lazy(self)
        try:
            return usual(self)
        finally:
            self.sqlite = whole

    monkeypatch.setattr(disk_store.DiskConnection, "store", store)


def batch_torn_in_two(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write a batch record by record, each in its own transaction."""
    usual = SqliteStore.append

    def append(self: SqliteStore, records: list[Record]) -> None:
        for record in records:
            usual(self, [record])

    monkeypatch.setattr(SqliteStore, "append", append)


def forgotten_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the rows of a refused deposit open, so that replay ends in another state."""
    monkeypatch.setattr(Ledger, "close_rows", _nothing)


def _nothing(*_: object) -> None:
    """Do nothing."""


def first_come_first_filled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fill receipts by account only, whatever their age."""
    usual = cns._allocate

    def allocate(positions: object, line: object, supply: object) -> object:
        since = positions.since_day.copy()
        positions.since_day[:] = 0
        try:
            return usual(positions, line, supply)
        finally:
            positions.since_day[:] = since

    monkeypatch.setattr(cns, "_allocate", allocate)


def charge_taken_in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget what is owed when it could not be collected."""
    usual = charging.ChargeBook.collect

    def collect(self: charging.ChargeBook, *rest: object) -> object:
        found = usual(self, *rest)
        self._owed_key, self._owed_cents = self._owed_key[:0], self._owed_cents[:0]
        return found

    monkeypatch.setattr(charging.ChargeBook, "collect", collect)


def chain_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """Book transfers one by one, whatever joins them."""
    usual = postings.transfer

    def transfer(*columns: object) -> object:
        *others, linked = columns
        return usual(*others, linked & False)

    monkeypatch.setattr(postings, "transfer", transfer)


def repeat_carried_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give a conflicting repeat the stored answer instead of a refusal."""
    monkeypatch.setattr(sequencer, "_repeat", lambda record, body: sequencer.decode_answer(record.answer))


def reference_taken_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look for repeated references among the orders of one pass only."""

    def seen(_orders: Orders, participant: np.ndarray, _reference: np.ndarray) -> np.ndarray:
        return np.zeros(participant.size, np.bool_)

    monkeypatch.setattr(Orders, "seen", seen)


def completed_by_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tell a match to everybody of a row, not only to the command that completed it."""
    usual = submitting.submit

    def submit(*arguments: object) -> object:
        *others, moment = arguments
        return usual(*others, replace(moment, command=moment.command * 0, last=0))

    monkeypatch.setattr(submitting, "submit", submit)


def one_person_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let who proposed an act approve it."""
    monkeypatch.setattr(acts, "_decidable", lambda house, command: house.acts.acts[command.act])


@pytest.mark.slow
@pytest.mark.parametrize(
    "plant",
    [
        lost_synchronisation, answered_from_cache, batch_torn_in_two, forgotten_row, first_come_first_filled,
        charge_taken_in_part, chain_cut, repeat_carried_out, reference_taken_twice, completed_by_the_first,
        one_person_is_enough,
    ],
)  # fmt: skip
def test_planted_defect_is_found(plant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Goal: the auditor sees. Method: one defect, seeds until a violation, and the same seed green without it."""
    with monkeypatch.context() as planted:
        plant(planted)
        found = next(
            (seed for seed in range(FIRST_TO_FIND, FIRST_TO_FIND + SEEDS_TO_FIND) if simulate(seed).violation), None
        )
    assert found is not None
    assert simulate(found).violation == ""


def test_command_line_prints_what_to_replay(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Goal: a failure gives seed, commit and one command. Method: a green seed; then a planted defect."""
    assert main(["simulate", "faults", "--seed", "3", "--seeds", "2"]) == 0
    calm = capsys.readouterr().out
    assert "seeds 3-4: green" in calm
    assert "2 seeds, 0 failed" in calm
    repeat_carried_out(monkeypatch)
    assert main(["simulate", "faults", "--seed", "1", "--seeds", "2"]) == 1
    assert "replay: tsingma simulate faults --seed " in capsys.readouterr().out
