"""Seeds of ``tsingma token simulate``, and defects that they must find.

Goal: between two ledgers that crash, over a network that loses, doubles, delays and reorders, an agreement is done on
both or on neither, and always ends. Method: two hundred seeds here and ten thousand as soak; then defects planted in
the rules, the journal and the contracts, each of which a few seeds must find.
"""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tsingma.app.faults import Batch
from tsingma.app.token_faults import batch_of, never_met, simulate_many
from tsingma.cli.main import main
from tsingma.custody.tokens import coupons, legs
from tsingma.custody.tokens.deciding import BookLegs, TokenLegs
from tsingma.custody.tokens.ledger import TokenLedger
from tsingma.journal.token_commands import DecideSettlement, Leg
from tsingma.journal.token_events import SettlementDecided
from tsingma.ledger.ledger import Ledger
from tsingma.simulate.token_run import simulate
from tsingma.simulate.token_world import CrashingStore
from tsingma.store.memory import MemoryStore

SEEDS_TO_FIND = 150
Plant = Callable[[pytest.MonkeyPatch], None]


def test_two_hundred_seeds_are_green() -> None:
    """Goal: the protocol holds. Method: seeds other than the long run's first, with what they met."""
    total = Batch(50_000, 0)
    for batch in simulate_many(50_000, 200, 1):
        total.add(batch)
    assert total.violations == []
    for mark in ("trade:committed", "trade:released", "store:failed-after", "store:failed-before", "network:lost",
                 "late:delivered", "healed:open", "expired-by-the-clock", "record-date:passed-while-promised",
                 ):  # fmt: skip
        assert total.marks.get(mark, 0) > 0, mark


@pytest.mark.parametrize("count", [40, pytest.param(2_000, marks=pytest.mark.soak)])
def test_seeds_on_failing_disks_are_green(count: int) -> None:
    """Goal: the production store under both ledgers. Method: seeds over SQLite on disks that tear, forget and fill."""
    pytest.importorskip("apsw")
    total = Batch(70_000, 0)
    for batch in simulate_many(70_000, count, 1, disk=True):
        total.add(batch)
    assert total.violations == []
    for fault in ("power-loss", "kill", "disk-full", "failed-write"):
        assert total.marks.get(f"store:failed-{fault}", 0) > 0, fault


@pytest.mark.soak
def test_ten_thousand_seeds_are_green_and_meet_everything() -> None:
    """Goal: the figure that is told. Method: the seeds of ``tsingma token simulate --seeds 10000``."""
    total = Batch(1, 0)
    for batch in simulate_many(1, 10_000, 1):
        total.add(batch)
    assert total.violations == []
    assert never_met(total) == []


def test_same_seed_same_run() -> None:
    """Goal: a failure can be replayed. Method: a seed twice, mark by mark and step by step."""
    first, second = simulate(11), simulate(11)
    assert batch_of(first) == batch_of(second)
    assert first.trace == second.trace


def token_ledger_expires_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The token ledger lets go by its own clock."""
    usual = coupons.take_snapshots

    def expire(state: TokenLedger, at: int) -> int:
        for name in state.legs.overdue():
            entry = state.legs.entry(name)
            if entry is not None and entry.terms is not None:
                state.legs.release(state.ledger, name, entry.terms.token_legs, decided_at=at)
        return usual(state, at)

    monkeypatch.setattr(coupons, "take_snapshots", expire)


def decision_not_durable(monkeypatch: pytest.MonkeyPatch) -> None:
    """The book answers although its record was not kept."""

    def append(store: CrashingStore, records) -> None:  # type: ignore[no-untyped-def]
        fails, store.fails = store.fails, ""
        if not fails:
            MemoryStore.append(store, records)

    monkeypatch.setattr(CrashingStore, "append", append)


def commits_after_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    """The book answers to commit what its clock has let go."""
    usual = BookLegs.decide

    def decide(table: BookLegs, ledger: Ledger, asked: DecideSettlement) -> SettlementDecided:
        told = usual(table, ledger, asked)
        return SettlementDecided(told.settlement, told.agreement, told.committed or asked.commit, told.decided_at)

    monkeypatch.setattr(BookLegs, "decide", decide)


def promises_without_a_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is reserved stays available."""
    monkeypatch.setattr(legs, "_hold", lambda ledger, moved, settlement: None)
    monkeypatch.setattr(legs, "_free", lambda ledger, moved: None)


def entitlement_stays_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """The coupon of tokens bought before the record date stays with the seller."""
    usual = coupons._set_aside

    def set_aside(state, entry, token, asset, per_denomination, end) -> None:  # type: ignore[no-untyped-def]
        usual(state, entry, token, asset, per_denomination, 0)

    monkeypatch.setattr(coupons, "_set_aside", set_aside)


def mints_without_backing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The book commits, and leaves a cent of what it moves into the backing behind."""
    usual = legs._move

    def move(ledger: Ledger, moved: tuple[Leg, ...]) -> None:
        usual(ledger, tuple(Leg(one.debit, one.credit, one.asset, one.amount - (one.credit == 5)) for one in moved))

    monkeypatch.setattr(legs, "_move", move)


def promise_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """The token ledger does not tell what it has promised, so that nobody asks the book."""
    monkeypatch.setattr(TokenLegs, "reserved", lambda table: iter(()))


@pytest.mark.parametrize(
    "plant",
    [
        token_ledger_expires_alone, decision_not_durable, commits_after_the_deadline, promises_without_a_hold,
        entitlement_stays_behind, mints_without_backing,  promise_is_forgotten,
    ],
)  # fmt: skip
def test_planted_defects_are_found(
    plant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Goal: the simulation can fail. Method: a defect each, which some seed must report."""
    plant(monkeypatch)
    assert any(simulate(seed).violation for seed in range(SEEDS_TO_FIND)), "no seed found it"


def test_command_tells_where_to_replay(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: a failure names seed, commit and command. Method: the command with a defect planted, and without."""
    assert main(["token", "simulate", "--seed", "3", "--seeds", "2", "--verbose"]) == 0
    told = capsys.readouterr().out
    assert "seeds 3-4: green" in told
    assert "agree " in told
    assert main(["token", "simulate", "--seed", "3", "--seeds", "2", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["count"] == 2
    commits_after_the_deadline(monkeypatch)
    assert main(["token", "simulate", "--seed", "1", "--seeds", "30"]) == 1
    told = capsys.readouterr().out
    assert "FAILED" in told
    assert "replay: tsingma token simulate --seed" in told
