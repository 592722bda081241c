"""Whole days: every command a house knows, on a failing disk, with the house beside and plain checks.

Goal: what the plain house does not foretell is watched too: answers do not hang on how commands are cut in batches, on
crashes, recoveries, takeovers or a lost lease; refusals leave no trace; books are conserved and move by what a command
says. Method: seeds of ``tsingma simulate faults`` in the whole world; days without a disk, which are ten times as fast;
then defects planted in rules, in batches and in takeovers, each of which must be found.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

pytest.importorskip("apsw")

from tsingma.app.faults import COMMANDS, DRAWN, ELSEWHERE, NOT_DRAWN, Batch, batch_of_seed
from tsingma.basics.money import CURRENCIES
from tsingma.custody import repo
from tsingma.custody.tokens.deciding import BookLegs
from tsingma.engine import acts, custody, links, pool_exchange, products
from tsingma.engine import money as engine_money
from tsingma.engine import step as engine_step
from tsingma.engine.batch import step_all
from tsingma.engine.house import House
from tsingma.engine.sequencer import Sequencer
from tsingma.journal.commands import decode, encode
from tsingma.links.quota import FlowQuotas
from tsingma.settlement.gross_money.wallets import Wallets
from tsingma.simulate import takeover
from tsingma.simulate.run import simulate
from tsingma.simulate.whole import workload as whole_workload
from tsingma.simulate.whole.book import whole_book
from tsingma.simulate.whole.rehearsal import rehearse
from tsingma.simulate.whole.spoil import spoil
from tsingma.simulate.world import WHOLE

SEEDS_TO_FIND = 40


@pytest.mark.slow
def test_whole_days_are_green() -> None:
    """Goal: the house holds, wide. Method: a few seeds with faults, other ones than the long run's first."""
    marks: Counter[str] = Counter()
    for seed in range(30_000, 30_005):
        outcome = simulate(seed, WHOLE)
        assert outcome.violation == ""
        marks += outcome.marks
    assert marks["recoveries"] >= 5
    assert marks["lease:lost"] + marks["standby:took-over"] > 0


def test_days_without_a_disk_are_green() -> None:
    """Goal: the rules hold against plain checks. Method: rehearsals, and most kinds carried out and refused in them."""
    marks: Counter[str] = Counter()
    assert [rehearse(seed, marks) for seed in range(7_000, 7_010)] == [""] * 10
    kinds = Batch(0, 0, marks=dict(marks)).coverage()
    assert kinds.carried_out > len(COMMANDS) // 2
    assert kinds.refused > len(COMMANDS) // 3


@pytest.mark.soak
def test_most_kinds_of_commands_are_carried_out_and_refused() -> None:
    """Goal: little the house can do is left out. Method: fifty seeds in both worlds; what they never met is printed."""
    total = Batch(1, 0)
    for seed in range(1, 51):
        total.add(batch_of_seed(seed))
    print(total.coverage())
    assert total.violations == []
    kinds = total.coverage()
    drawn = len(DRAWN) - len(ELSEWHERE)
    assert kinds.carried_out >= drawn * 8 // 10
    assert kinds.refused >= drawn * 8 // 10


def test_same_seed_same_whole_run() -> None:
    """Goal: a failure can be replayed. Method: two runs of a seed, compared mark by mark."""
    first, second = simulate(11, WHOLE), simulate(11, WHOLE)
    assert (first.marks, first.state_hash, first.violation) == (second.marks, second.state_hash, "")


def test_commands_of_the_token_ledger_are_drawn_as_foreign() -> None:
    """Goal: the list of foreign commands is whole. Method: against the union of the token ledger's commands."""
    foreign = {str(one.__struct_config__.tag) for one in whole_workload.FOREIGN}
    assert foreign == ELSEWHERE - NOT_DRAWN


def test_a_spoilt_command_can_be_sent() -> None:
    """Goal: what is spoilt is still a command of the journal. Method: many spoilt ones encoded and decoded again."""
    import numpy as np

    chance = np.random.default_rng(1)
    command = whole_workload.LoadReference(whole_book(2).book)
    found = [one for one in (spoil(command, chance) for _ in range(200)) if one is not None]
    assert len(found) > 50
    assert all(decode(encode(one)) == one for one in found)
    assert sum(one != command for one in found) > 40


Plant = Callable[[pytest.MonkeyPatch], None]


def replaced(handler: str, module: Any, change: Callable[[Any, Any, Any], Any]) -> Plant:
    """Return a plant that carries out a handler's command as ``change`` says, given house, command and handler."""

    def plant(monkeypatch: pytest.MonkeyPatch) -> None:
        usual = getattr(module, handler)
        kind = next(kind for kind, known in engine_step._HANDLERS.items() if known is usual)
        monkeypatch.setitem(engine_step._HANDLERS, kind, lambda house, command: change(house, command, usual))

    plant.__name__ = f"{handler}_changed"
    return plant


def repo_without_interest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a repurchase pay what was lent, without the interest it is told with."""
    monkeypatch.setattr(repo, "closing_legs", lambda one, day: repo.opening_legs(one) and _backwards(one))


def _backwards(one: repo.Repo) -> list[Any]:
    return [leg._replace(giver=leg.taker, taker=leg.giver) for leg in repo.opening_legs(one)]


def repo_closed_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave a repo open that was closed."""
    usual = repo.Repos.change
    monkeypatch.setattr(
        repo.Repos,
        "change",
        lambda self, number, **new: usual(self, number, **{k: v for k, v in new.items() if k != "status"}),
    )


def wallet_without_cover(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fill wallets without setting anything aside for them."""

    def top_up(self: Wallets, ledger: Any, number: int, payer: int, cents: int, tier: Any) -> int:
        self.table["balance"][number] += cents
        return 0

    monkeypatch.setattr(Wallets, "top_up", top_up)


def loan_that_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep a loan against the pool that was repaid."""

    def change(house: House, command: Any, usual: Any) -> Any:
        loan = house.pool.loans.get(command.loan)
        event = usual(house, command)
        if loan is not None:
            house.pool.loans[command.loan] = loan
        return event

    replaced("repay_pool_credit", pool_exchange, change)(monkeypatch)


def released_uncovered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give collateral back whatever the taker is left with."""
    monkeypatch.setattr(pool_exchange, "covered_as_before", lambda house, account, takers, change, undo: change())


def margin_not_set_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lodge margin with the other house without setting it aside there."""

    def change(house: House, command: Any, usual: Any) -> Any:
        before = house.ledger.pledged.copy()
        event = usual(house, command)
        house.ledger.pledged[: before.size] = before
        return event

    replaced("lodge_margin", links, change)(monkeypatch)


def agreement_moved_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a decision on an agreement be taken anew each time it is asked."""
    usual = BookLegs.commit

    def commit(self: BookLegs, ledger: Any, settlement: str, legs: Any, *, decided_at: int) -> Any:
        entry = usual(self, ledger, settlement, legs, decided_at=decided_at)
        for leg in legs:
            row, other = ledger.row(leg.debit, leg.asset), ledger.row(leg.credit, leg.asset)
            ledger.balance[row] -= 1
            ledger.balance[other] += 1
        return entry

    monkeypatch.setattr(BookLegs, "commit", commit)


def units_out_of_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Create one unit of a fund more than was asked for, and count it as issued."""

    def change(house: House, command: Any, usual: Any) -> Any:
        event = usual(house, command)
        asset = len(CURRENCIES) + house.resolved.securities.index(command.isin)
        row, other = house.ledger.find(house.internal.issuer, asset), house.ledger.find(command.dealer, asset)
        house.ledger.balance[row] -= 1
        house.ledger.balance[other] += 1
        house.custody.register.add(asset, 1)
        return event

    replaced("deal_units", products, change)(monkeypatch)


def same_key_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a second person approve with the key of the first."""
    usual = acts._decidable

    def decidable(house: House, command: Any) -> Any:
        act = house.acts.acts.get(command.act)
        if act is not None and command.key == act.proposer_key and command.person != act.proposer:
            command = msgspec.structs.replace(command, key="another-key")
        return usual(house, command)

    monkeypatch.setattr(acts, "_decidable", decidable)


def lapsed_and_approved(monkeypatch: pytest.MonkeyPatch) -> None:
    """Carry an act out after its time."""
    usual = acts._decidable

    def decidable(house: House, command: Any) -> Any:
        act = house.acts.acts.get(command.act)
        late = act is not None and act.status == "pending" and command.at_s >= act.until_s
        return usual(house, msgspec.structs.replace(command, at_s=act.until_s - 1) if late and act else command)

    monkeypatch.setattr(acts, "_decidable", decidable)


def quota_overdrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Accept every flow over a link."""
    monkeypatch.setattr(FlowQuotas, "_judge", lambda self, term, investor, channel, cents: 0)


def refused_with_a_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    """Number a loan against the pool before it is known whether there will be one."""

    def change(house: House, command: Any, usual: Any) -> Any:
        house.pool.next_number()
        return usual(house, command)

    replaced("draw_pool_credit", pool_exchange, change)(monkeypatch)


def reservation_paid_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pay a cent less than a reservation holds, and say nothing of it."""
    usual = engine_money.pay_at_once
    monkeypatch.setattr(
        engine_money,
        "pay_at_once",
        lambda ledger, debit, credit, cents: usual(ledger, debit, credit, max(cents - 1, 1)),
    )


def due_paid_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave a due recorded that was paid."""

    def change(house: House, command: Any, usual: Any) -> Any:
        before = house.custody.dues.rows[command.due] if 0 <= command.due < len(house.custody.dues) else None
        event = usual(house, command)
        if before is not None:
            house.custody.dues.rows[command.due] = before
        return event

    replaced("pay_due", custody, change)(monkeypatch)


RULES: tuple[Plant, ...] = (
    repo_without_interest, repo_closed_twice, wallet_without_cover, loan_that_stays, released_uncovered,
    margin_not_set_aside, agreement_moved_twice, units_out_of_nothing, same_key_is_enough, lapsed_and_approved,
    quota_overdrawn, refused_with_a_trace, reservation_paid_twice, due_paid_again,
)  # fmt: skip


@pytest.mark.soak
@pytest.mark.parametrize("plant", RULES, ids=lambda plant: plant.__name__)
def test_planted_defect_of_a_rule_is_found(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    """Goal: the checks see. Method: one defect, rehearsals until one finds it, and that one green without it."""
    with monkeypatch.context() as planted:
        plant(planted)
        found = next((seed for seed in range(8 * SEEDS_TO_FIND) if rehearse(seed)), None)
    assert found is not None, plant.__doc__
    print(f"{plant.__name__}: seed {found}")
    assert rehearse(found) == ""


def written_without_the_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a writer commit whoever has the lease."""
    monkeypatch.setattr(takeover.LeasedStore, "append", lambda self, records: self._store.append(records))


def standby_that_skips(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a standby think that it has carried out what it has only read."""
    usual = Sequencer.catch_up

    def catch_up(self: Sequencer[Any], until: int | None = None) -> int:
        head = self._store.head()
        if head is not None and head.sequence > self._sequence + 1:
            self._sequence, self._head = head.sequence, head.hash
            return 1
        return usual(self, until)

    monkeypatch.setattr(Sequencer, "catch_up", catch_up)


def batch_with_its_own_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Carry the last command of a batch out first."""
    from tsingma.simulate import process

    def turned(house: House, commands: Any) -> Any:
        if len(commands) < 3:
            return step_all(house, commands)
        last, *others = step_all(house, [commands[-1], *commands[:-1]])
        return [*others, last]

    monkeypatch.setattr(process, "step_all", turned)


@pytest.mark.soak
@pytest.mark.parametrize(
    "plant",
    [written_without_the_lease, standby_that_skips, batch_with_its_own_answers],
    ids=lambda plant: plant.__name__,
)
def test_planted_defect_of_a_takeover_is_found(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    """Goal: the run sees what only processes show. Method: one defect, seeds until a violation, green without it."""
    with monkeypatch.context() as planted:
        plant(planted)
        found = next((seed for seed in range(SEEDS_TO_FIND) if simulate(seed, WHOLE).violation), None)
    assert found is not None, plant.__doc__
    print(f"{plant.__name__}: seed {found}")
    assert simulate(found, WHOLE).violation == ""
