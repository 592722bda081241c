"""Cleared swaps in the house: registered, marked, paid in renminbi, proved at the close and replayed.

Goal: a swap's life in the books pays its coupons and nothing else; debts, refusals and replay are those of every other
command. Method: half a year of evenings on simulated curves against coupons at the fixings; one fault each.
"""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pytest

from tsingma.app.house_swaps import mark_swaps, par_rate_e6, swap_holdings, swap_margins
from tsingma.app.link_book import link_book
from tsingma.basics.columns import pack
from tsingma.basics.dates import to_date, to_day
from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import Rejected, RejectionReason
from tsingma.clearing.swaps import SwapMark
from tsingma.engine.house import House
from tsingma.engine.step import step
from tsingma.journal.commands import (
    CloseDay,
    Command,
    DepositAssets,
    LoadReference,
    OpenDay,
    RunStep,
    SetClosingPrices,
)
from tsingma.journal.events import Accepted, Event, Refused
from tsingma.journal.swap_commands import ListSwaps, MarkSwaps, RegisterSwaps, SwapTerms
from tsingma.journal.swap_events import SwapsMarked
from tsingma.links.machine import plan_link
from tsingma.links.rule_file import shipped_rules
from tsingma.pricing.schedule import DayCount, schedule, year_fraction
from tsingma.settlement.timetable import timetable
from tsingma.simulate.curves import simulate_curves

CNY = CURRENCIES.index("CNY")
DAY = date(2026, 3, 2)
FX = (1_000_000, 1_080_000, 7_800_000, 8_500_000)
NOTIONAL = 100_000_000_00
CURVES = simulate_curves(5, DAY - timedelta(days=560), 800)


def told(house: House, command: Command) -> Event:
    """Carry out a command that must be accepted."""
    answer = step(house, command)
    assert isinstance(answer, Accepted), answer
    return answer.events[0]


def opened(money_cents: int) -> tuple[House, int, int, SwapTerms]:
    """Return a house on its first day with a series of six months, a payer and a receiver with so much renminbi."""
    book = link_book(shipped_rules("swap-connect"), plan_link(shipped_rules("swap-connect"), DAY))
    payer, receiver = book.directions[0].home[:2]
    house = House()
    told(house, LoadReference(book.resolved.book))
    start = DAY + timedelta(days=1)
    terms = SwapTerms("6M", "OTC", "CNY.FR007", "CNY", to_day(start), to_day(date(2026, 9, 3)), 3, 3)
    told(house, ListSwaps((terms,)))
    told(house, DepositAssets(pack([payer, receiver], "i4"), pack([CNY] * 2, "i4"), pack([money_cents] * 2, "i8")))
    told(house, OpenDay(to_day(DAY)))
    counters = len(book.resolved.book.counters)
    told(house, SetClosingPrices(pack(range(counters), "i4"), pack([1_000_000] * counters, "i8"), FX))
    return house, payer, receiver, terms


def register(house: House, payer: int, receiver: int, rate_e6: int) -> None:
    """Register one swap of a hundred million."""
    columns = {"trade_id": ([1], "i8"), "series": ([0], "i4"), "payer": ([payer], "i4"), "receiver": ([receiver], "i4"),
               "notional_cents": ([NOTIONAL], "i8"), "rate_e6": ([rate_e6], "i8")}  # fmt: skip
    told(house, RegisterSwaps(source="a test", **{name: pack(*column) for name, column in columns.items()}))


def marks(house: House) -> MarkSwaps:
    """Return the marks of the house's day."""
    found = mark_swaps(house, CURVES, "simulated")
    assert found is not None
    return found


def close(house: House) -> None:
    """Run what is left of a day and close it; the close proves money and positions."""
    for one in timetable(house.resolved.markets):
        if one.name not in house.position.steps_run:
            told(house, RunStep(one.name))
    told(house, CloseDay())


def free(house: House, account: int) -> int:
    """Return the renminbi of an account, cents."""
    return int(house.ledger.available(np.array([house.ledger.find(account, CNY)]))[0])


def next_evening(house: House, day: date, wanted: set[int]) -> date:
    """Open the next Wednesday, day that is wanted or open day after one of them; returns it."""
    due = False
    while True:
        day += timedelta(days=1)
        due = due or day.weekday() == 2 or to_day(day) in wanted
        if due and day.weekday() < 5 and isinstance(step(house, OpenDay(to_day(day))), Accepted):
            return day
        assert day < DAY + timedelta(days=300), "the swap never ends"


def test_a_swaps_life_pays_its_coupons_and_nothing_else() -> None:
    """Goal: variation margin comes back. Method: a par swap marked some thirty evenings to its end: what the payer got
    in all is the coupons at the fixings of the books, to a cent an evening; the first mark is next to nothing; the book
    is empty at the end and every close is proved.
    """
    house, payer, receiver, terms = opened(10_000_000_00)
    curve = next(one for one in CURVES if one.name == terms.curve)
    rate = par_rate_e6(terms, DAY, curve.years, curve.on(np.array([to_day(DAY)], np.int32)).rates)
    register(house, payer, receiver, rate)
    periods = schedule(to_date(terms.start_day), to_date(terms.end_day), terms.floating_months)
    before, evenings, day = free(house, payer), 0, DAY
    fixings: dict[int, int] = {}
    while house.swaps.positions:
        if evenings:
            day = next_evening(house, day, {to_day(each) for each in periods})
        event = told(house, marks(house))
        assert isinstance(event, SwapsMarked)
        assert event.moved_cents["owed_CNY"] == 0
        evenings += 1
        if evenings == 1:
            assert abs(free(house, payer) - before) < NOTIONAL // 10**5
        fixings[house.swaps.marks[0].reset_day] = house.swaps.marks[0].fixing_e6
        close(house)
    expected = sum(
        NOTIONAL * (fixings[to_day(first)] - rate) / 1e6 * year_fraction(first, last, DayCount.ACT_365F)
        for first, last in pairwise(periods)
    )
    assert len(periods) == 3
    assert evenings > 25
    assert abs(free(house, payer) - before - expected) <= evenings
    assert free(house, payer) + free(house, receiver) == 2 * 10_000_000_00
    assert House.load(house.dump()).digest() == house.digest()


def test_a_loser_without_money_owes_it_and_pays_it_later() -> None:
    """Goal: a debt in renminbi. Method: a swap far off its market rate and CNY 1,000: the rest is owed, the close
    proves it, and it is paid from a deposit the next evening; no second mark on one day.
    """
    house, payer, receiver, _ = opened(1_000_00)
    register(house, payer, receiver, 60_000)
    event = told(house, marks(house))
    assert isinstance(event, SwapsMarked)
    owed = event.moved_cents["owed_CNY"]
    assert owed > NOTIONAL // 100
    assert (event.moved_cents["collected_CNY"], free(house, payer)) == (1_000_00, 0)
    again = step(house, marks(house))
    assert isinstance(again, Refused)
    assert again.rejections[0].reason is RejectionReason.NOT_ALLOWED
    close(house)
    told(house, DepositAssets(pack([payer], "i4"), pack([CNY], "i4"), pack([2 * owed], "i8")))
    told(house, OpenDay(to_day(DAY) + 1))
    event = told(house, marks(house))
    assert isinstance(event, SwapsMarked)
    assert event.moved_cents["owed_CNY"] == 0
    close(house)


def test_margin_is_that_of_the_account_as_one_portfolio() -> None:
    """Goal: netting and the sides. Method: payer and receiver hold opposite portfolios of contracts; a second swap the
    other way at another rate leaves next to no margin; without curves it is refused.
    """
    house, payer, receiver, _ = opened(10_000_000_00)
    register(house, payer, receiver, 21_000)
    told(house, marks(house))
    held = swap_holdings(house)
    assert [one.notional for one in held[payer]] == [-one.notional for one in held[receiver]]
    alone = swap_margins(house, CURVES)
    assert min(alone.values()) > 5 * 5_400 * 0.98  # the floor: five basis points of half a year of CNY 100 m
    told_twice = {"trade_id": ([2], "i8"), "series": ([0], "i4"), "payer": ([receiver], "i4"),
                  "receiver": ([payer], "i4"), "notional_cents": ([NOTIONAL], "i8"),
                  "rate_e6": ([22_000], "i8")}  # fmt: skip
    told(house, RegisterSwaps(source="a test", **{name: pack(*column) for name, column in told_twice.items()}))
    netted = swap_margins(house, CURVES)
    assert max(netted.values()) < min(alone.values()) // 50
    with pytest.raises(Rejected):
        swap_margins(house, ())


def test_commands_that_cannot_be_are_refused_whole() -> None:
    """Goal: nothing half done. Method: no open day, columns of two lengths, a mark that is missing; the state stays."""
    house, payer, receiver, _ = opened(10_000_000_00)
    register(house, payer, receiver, 21_000)
    rows = {"trade_id": ([9], "i8"), "series": ([0], "i4"), "payer": ([payer], "i4"), "receiver": ([receiver], "i4"),
            "notional_cents": ([5], "i8"), "rate_e6": ([1], "i8")}  # fmt: skip
    good = {name: pack(*column) for name, column in rows.items()}
    before = house.digest()
    empty = {name: pack([], "i4" if name == "reset_day" else "i8") for name in SwapMark.__struct_fields__}
    for command, reason in (
        (RegisterSwaps(source="x", **{**good, "rate_e6": pack([1, 2], "i8")}), RejectionReason.MALFORMED),
        (RegisterSwaps(source="x", **{**good, "trade_id": pack([1], "i8")}), RejectionReason.DUPLICATE),
        (MarkSwaps(source="x", series=pack([], "i4"), **empty), RejectionReason.MISSING),
        (MarkSwaps(source="x", series=pack([0], "i4"), **empty), RejectionReason.MALFORMED),
    ):
        answer = step(house, command)
        assert isinstance(answer, Refused)
        assert answer.rejections[0].reason is reason
        assert house.digest() == before
    told(house, marks(house))
    close(house)
    answer = step(house, RegisterSwaps(source="x", **good))
    assert isinstance(answer, Refused)
    assert answer.rejections[0].reason is RejectionReason.NOT_ALLOWED
