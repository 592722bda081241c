"""Whole days of payments: conservation, the end of the day, Herstatt in any interleaving, crashes.

Goal: what must hold at every record of a day holds, whatever happens in between. Method: seeded days and drawn
interleavings through the house, every instant replayed from the payments alone; the same day on a disk that stops at
every write.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import pytest
from clearing_book import MONDAY
from hypothesis import given, settings
from hypothesis import strategies as st
from payment_book import (
    BANK_ACCOUNTS,
    BOND,
    CLOSE_S,
    CNY,
    HKD,
    NOON_S,
    USD,
    accept,
    balance,
    banks_book,
    deposit,
    exchange,
    opened,
    pay,
    run_day,
)

from tsingma.basics.columns import pack
from tsingma.basics.money import CURRENCIES
from tsingma.engine.batch import step_all
from tsingma.engine.house import House
from tsingma.engine.step import step
from tsingma.journal.commands import CloseDay, Command, LoadReference, OpenDay, PostTransfers, RunStep, SetClosingPrices
from tsingma.journal.events import Accepted
from tsingma.journal.payment_commands import ChangePayment, EarmarkPaper, RunPayments
from tsingma.kernels.payments import SETTLED
from tsingma.settlement.timetable import timetable
from tsingma.simulate.payments import FIRST_BANK, payment_day

ASSETS = (HKD, CNY, USD, BOND)


def replay(house: House, start: dict[int, int]) -> None:
    """Apply the day's instants to what every row had: both legs of a pair in one instant, nobody below nothing.

    ``start`` is what stood on each ledger row before the first payment; the books must be what the instants say.
    """
    table = house.money.payments.table
    order = np.lexsort((np.arange(len(table["turn"])), table["turn"]))
    done = order[table["status"][order] == SETTLED]
    money = dict(start)
    for turn in np.unique(table["turn"][done]).tolist():
        legs = done[table["turn"][done] == turn].tolist()
        for leg in legs:
            assert int(table["pair"][leg]) in (-1, *legs), "one leg settled without the other"
            for row, sign in ((int(table["debit"][leg]), -1), (int(table["credit"][leg]), 1)):
                money[row] = money.get(row, 0) + sign * int(table["amount"][leg])
        touched = {int(table[side][leg]) for leg in legs for side in ("debit", "credit")}
        assert all(money[row] >= 0 for row in touched)
    for row, cents in money.items():
        assert int(house.ledger.balance[row]) == cents


def standing(house: House) -> dict[int, int]:
    """Return what stands on every row now."""
    return dict(enumerate(house.ledger.balance.tolist()))


_bank, _asset = st.sampled_from(BANK_ACCOUNTS), st.sampled_from(ASSETS)
_step = st.tuples(
    st.sampled_from(["pay", "pair", "pair", "pair", "cancel", "time", "offset"]), _bank, _bank, _asset, _asset,
    st.integers(1, 30), st.integers(1, 30), st.integers(0, 20_000),
)  # fmt: skip


_INTERLEAVINGS = {
    "money": st.lists(st.integers(0, 40), min_size=16, max_size=16),
    "start": st.integers(0, CLOSE_S),
    "steps": st.lists(_step, max_size=25),
}


@settings(max_examples=120)
@given(**_INTERLEAVINGS)
def test_herstatt_cannot_happen(money: list[int], start: int, steps: Sequence[tuple[object, ...]]) -> None:
    """Goal: at no instant of any interleaving has one leg settled without the other. Method: see the module.

    Banks without money, systems that open and close under the queue, cancellations of either leg, offsetting.
    """
    _interleave(money, start, steps)


@pytest.mark.soak
@settings(max_examples=10_000)
@given(**_INTERLEAVINGS)
def test_herstatt_cannot_happen_in_many_more(money: list[int], start: int, steps: Sequence[tuple[object, ...]]) -> None:
    """Goal: the property over a longer search. Method: the same, ten thousand drawn interleavings."""
    _interleave(money, start, steps)


def _interleave(money: list[int], start: int, steps: Sequence[tuple[object, ...]]) -> None:
    """Do the steps, and replay every instant after each."""
    rows = [(bank, asset) for bank in BANK_ACCOUNTS for asset in ASSETS]
    given_ = [(bank, asset, amount) for (bank, asset), amount in zip(rows, money, strict=True) if amount]
    house = opened(*given_, second=start)
    before, clock = standing(house), start
    for step_ in steps:
        command, clock = _command(house, step_, clock)
        if isinstance(step(house, command), Accepted):
            house.money.payments.check()
            replay(house, before)
    close_systems(house)
    replay(house, before)
    assert not house.money.payments.waiting


def _command(house: House, drawn: Sequence[tuple[object, ...]] | tuple[object, ...], clock: int) -> tuple[Command, int]:
    what, first, second, asset, other, amount, price, more = drawn
    if what == "pay":
        return pay((first, second, asset, amount), second=clock), clock  # type: ignore[arg-type]
    if what == "pair":
        return exchange((first, asset, amount), (second, other, price), at=clock), clock  # type: ignore[arg-type]
    if what == "cancel":
        number = int(more) % max(len(house.money.payments), 1)  # type: ignore[call-overload]
        return ChangePayment(number, "cancel", f"BANK{BANK_ACCOUNTS.index(first) + 1}", clock), clock  # type: ignore[arg-type]
    clock = min(clock + int(more), CLOSE_S + 100)  # type: ignore[call-overload]
    return RunPayments(clock, "multilateral" if what == "offset" else ""), clock


def close_systems(house: House) -> None:
    """Move the time past every close."""
    accept(house, RunPayments(86_400))


def test_a_seeded_day_adds_up_in_every_currency() -> None:
    """Goal: end of day open + settled + cancelled = submitted, in number and amount. Method: a day of 4,000, closed.

    The whole timetable of the house runs; the sum of every currency is what was deposited.
    """
    day = payment_day(3, date(2026, 1, 5), 4_000, banks=12, alpha=0.1)
    house = run_day([*day.opening, *day.traffic])
    money = {
        unit: house.ledger.balance[(house.ledger.asset == unit) & (house.ledger.floor == 0)].sum() for unit in range(4)
    }
    table = house.money.payments.table
    number, amounts = len(house.money.payments), int(table["amount"].sum())
    settled = int((table["status"] == SETTLED).sum())
    assert settled > 0.9 * number
    for timed in timetable():
        accept(house, RunStep(timed.name))
    (closed,) = accept(house, CloseDay())
    figures = closed.figures
    assert figures["payments_submitted"] == number == figures["payments_settled"] + figures["payments_cancelled"]
    assert figures["payments_queued"] == 0
    by_status = ("payments_settled", "payments_cancelled")
    assert amounts == sum(
        figures[f"{name}_{unit}_cents"] for name in by_status for unit in ("HKD", "CNY", "USD", "EUR")
    )
    for unit, cents in money.items():
        assert house.ledger.balance[(house.ledger.asset == unit) & (house.ledger.floor == 0)].sum() == cents
    accept(house, OpenDay(MONDAY + 1))
    assert len(house.money.payments) == 0
    assert len(house.money.days) > 0


def test_the_seeded_day_is_the_same_day_again_and_larger_commands_give_the_same_books() -> None:
    """Goal: one seed, one day. Method: twice the same commands; a dump in the middle goes on to the same hash."""
    first, again = (payment_day(5, date(2026, 1, 5), 1_000, banks=6) for _ in range(2))
    assert first.traffic == again.traffic
    whole = run_day([*first.opening, *first.traffic])
    half = run_day([*first.opening, *first.traffic[:9]])
    taken = House.load(half.dump())
    assert taken.digest() == half.digest()
    assert run_day(first.traffic[9:], taken).digest() == whole.digest()


def test_an_unused_room_leaves_no_trace() -> None:
    """Goal: hashes of houses without payments stand. Method: no part of the dump before the first payment."""
    house = House()
    accept(house, LoadReference(banks_book()))
    assert not [name for name in house.dump() if name.startswith("money.")]
    accept(house, OpenDay(MONDAY))
    accept(house, RunPayments(NOON_S))
    assert [name for name in house.dump() if name.startswith("money.")]


def test_a_crash_at_every_write_parts_no_pair() -> None:
    """Goal: after a crash at any write both legs are there or neither. Method: a disk that stops at every operation.

    Recovery must give a prefix of the calm journal by hash, and the calm day parts no pair after any of its records.
    """
    pytest.importorskip("apsw")
    from tsingma.simulate.every_write import crash_everywhere

    commands: list[Command] = [
        LoadReference(banks_book()), deposit((8, HKD, 50), (9, USD, 40), (10, CNY, 30), (9, BOND, 9)), OpenDay(MONDAY),
        RunPayments(NOON_S), exchange((8, HKD, 30), (9, USD, 4)), exchange((8, HKD, 30), (9, USD, 4)),
        exchange((10, CNY, 35), (9, BOND, 9)), pay((9, 8, HKD, 30)), deposit((10, CNY, 5)),
        exchange((11, USD, 9), (10, CNY, 1)), ChangePayment(7, "cancel", "BANK4", NOON_S),
        exchange((11, USD, 9), (10, CNY, 1)), RunPayments(NOON_S, "multilateral"), RunPayments(CLOSE_S),
    ]  # fmt: skip
    day = [(f"command/{place}", command) for place, command in enumerate(commands)]
    house = run_day(day[:4])
    before = standing(house)
    for _, command in day[4:8]:
        accept(house, command)
        replay(house, before)
    run_day(day[8:], house)
    assert np.bincount(house.money.payments.table["status"]).tolist() == [0, 7, 4]
    report = crash_everywhere(day, stride=3, snapshot_every=5)
    assert report.records == len(day)
    assert report.durable > 0
    assert report.lost > 0


@pytest.mark.parametrize("seed", [1, 2])
def test_a_bank_with_paper_pays_like_one_with_as_much_more_money(seed: int) -> None:
    """Goal: a line is money, drawn only as deep as the day went. Method: two houses on one day of traffic.

    One bank of the first has earmarked a note, the same bank of the second its worth in money more: the same payments
    settle at the same instants, and what was drawn is how far the first went below its own money, instant by instant.
    """
    day = payment_day(seed, date(2026, 1, 5), 1_200, banks=6, alpha=0.0, short=1.0, a_command=64)
    first, worth, note = FIRST_BANK, 0, len(CURRENCIES)
    houses = []
    for place in range(2):
        house = run_day(day.opening)
        accept(house, SetClosingPrices(pack([0], "i4"), pack([10_000], "i8"), (1_000_000,) * 4))
        accept(house, deposit((first, note, 20_000_000)))
        if place:
            accept(house, deposit((first, HKD, worth)))
        accept(house, day.traffic[0][1])
        if not place:
            second = house.money.clock_s
            (event,) = accept(house, EarmarkPaper("BANK001", first, HKD, 0, 20_000_000, second))
            worth = event.worth_cents
        before = standing(house)
        run_day(day.traffic[1:], house)
        houses.append((house, before))
    (lent, before), (rich, _) = houses
    for name in ("status", "turn", "how"):
        assert lent.money.payments.table[name].tolist() == rich.money.payments.table[name].tolist()
    row = lent.ledger.find(first, HKD)
    deepest = lowest(lent, row, before.get(row, 0))
    assert deepest < 0
    assert lent.money.repos.drawn(first, HKD) == -deepest <= worth
    assert balance(lent, first, HKD) + worth + deepest == balance(rich, first, HKD)


def lowest(house: House, row: int, start: int) -> int:
    """Return the least that a row stood at after any instant, from its own money alone."""
    table = {name: column.tolist() for name, column in house.money.payments.table.items()}
    change: dict[int, int] = {}
    for number, turn in enumerate(table["turn"]):
        if turn:
            moved = (table["credit"][number] == row) - (table["debit"][number] == row)
            change[turn] = change.get(turn, 0) + moved * table["amount"][number]
    stands = least = start
    for turn in sorted(change):
        stands += change[turn]
        least = min(least, stands)
    return least


def test_transfers_in_a_row_wake_payments_as_one_by_one() -> None:
    """Goal: the quick way of neighbouring transfers leaves no payment waiting. Method: both ways, the same answers."""
    transfers = [
        PostTransfers(*(pack([value], kind) for value, kind in
                        ((9, "i4"), (8, "i4"), (HKD, "i4"), (amount, "i8"), (0, "i1"))))
        for amount in (10, 20, 30)
    ]  # fmt: skip
    houses = [opened((9, HKD, 100), (8, USD, 1)) for _ in range(2)]
    for house in houses:
        accept(house, pay((8, 10, HKD, 25), (8, 10, HKD, 35)))
    together, single = (step_all(houses[0], transfers), [step(houses[1], command) for command in transfers])
    assert together == single
    assert houses[0].digest() == houses[1].digest()
    assert not houses[0].money.payments.waiting


@pytest.mark.soak
def test_a_crash_at_every_single_operation_of_a_payment_day() -> None:
    """Goal: no operation of the disk is left out. Method: a small seeded day with pairs, every operation in turn."""
    pytest.importorskip("apsw")
    from tsingma.simulate.every_write import crash_everywhere

    day = payment_day(4, date(2026, 1, 5), 300, banks=5, alpha=0.1, pair_share=0.5, a_command=12)
    commands = [*day.opening, *day.traffic]
    house = run_day(commands[:4])
    before = standing(house)
    for _, command in commands[4:]:
        accept(house, command)
        replay(house, before)
    report = crash_everywhere(commands, snapshot_every=7)
    assert report.crashes == report.operations
    assert report.records == len(commands)
