"""Futures in another money than HKD: flows, debts and the proof of the day are kept by currency."""

from __future__ import annotations

from datetime import date

from tsingma.app.link_book import link_book
from tsingma.basics.columns import pack
from tsingma.basics.dates import to_day
from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import RejectionReason
from tsingma.engine.house import House
from tsingma.engine.step import step
from tsingma.journal.commands import (
    CaptureDerivatives,
    CloseDay,
    Command,
    DepositAssets,
    ListSeries,
    LoadReference,
    MarkDerivatives,
    OpenDay,
    RunStep,
    SetClosingPrices,
)
from tsingma.journal.events import Accepted, DayClosed, DerivativesMarked, Event, Refused
from tsingma.links.machine import plan_link
from tsingma.links.rule_file import shipped_rules
from tsingma.settlement.timetable import timetable

HKD, CNY = CURRENCIES.index("HKD"), CURRENCIES.index("CNY")
DAY = date(2026, 3, 2)
FX = (1_000_000, 1_080_000, 7_800_000, 8_500_000)


def told(house: House, command: Command) -> Event:
    """Carry out a command that must be accepted."""
    answer = step(house, command)
    assert isinstance(answer, Accepted), answer
    return answer.events[0]


def mark(price_e4: int) -> MarkDerivatives:
    """Return the mark of the one series at a price."""
    return MarkDerivatives(pack([0], "i4"), pack([price_e4], "i8"), 0)


def close(house: House) -> DayClosed:
    """Run what is left of a day and close it: the close proves that money owed and paid cancel, by currency."""
    for one in timetable(house.resolved.markets):
        if one.name not in house.position.steps_run:
            told(house, RunStep(one.name))
    event = told(house, CloseDay())
    assert isinstance(event, DayClosed)
    return event


def test_a_loser_without_money_owes_in_the_money_of_the_future() -> None:
    """Goal: a debt in renminbi is none in HKD, and is paid when there is renminbi. Method: two days, a loser with less.

    Ten contracts of multiplier 10 fall by 5.00: CNY 500.00 are lost, 300.00 are there; rich in HKD all the while.
    """
    rules = shipped_rules("futures-connect")
    book = link_book(rules, plan_link(rules, DAY))
    one = book.directions[0]
    winner, loser = one.home[:2]
    house = House()
    told(house, LoadReference(book.resolved.book))
    code = book.resolved.book.counters[0].code
    series = ((f"{code}-1", "HKCC", "future", code, 10, 0, to_day(DAY) + 60),)
    wrong = step(house, ListSeries(series, ("XAU",)))
    assert isinstance(wrong, Refused)
    assert wrong.rejections[0].reason is RejectionReason.UNKNOWN
    assert not house.derivatives.series
    told(house, ListSeries(series, ("CNY",)))
    told(
        house,
        DepositAssets(
            pack([loser, loser, winner], "i4"), pack([CNY, HKD, CNY], "i4"), pack([30_200, 10**9, 10_000], "i8")
        ),
    )
    told(house, OpenDay(to_day(DAY)))
    told(house, SetClosingPrices(pack([0], "i4"), pack([1_000_000], "i8"), FX))
    columns = {"trade_id": ([1], "i8"), "series": ([0], "i4"), "buyer": ([loser], "i4"), "seller": ([winner], "i4"),
               "quantity": ([10], "i8"), "price_e4": ([1_000_000], "i8")}  # fmt: skip
    told(house, CaptureDerivatives(source="a test", **{name: pack(*column) for name, column in columns.items()}))
    accrued = house.charges.by_line()
    assert accrued == {("handling fee", "CNY"): 2 * 23}, "0.0023 % of CNY 10,000 a side, by the rule"
    event = told(house, mark(950_000))
    assert isinstance(event, DerivativesMarked)
    assert (event.collected_cents, event.paid_cents, event.owed_cents) == (0, 0, 0)
    assert event.other_cents == {"collected_CNY": 30_200, "paid_CNY": 50_000, "owed_CNY": 19_800}
    assert house.derivatives.owed == {}
    assert house.derivatives.owed_in(CNY) == {loser: 19_800}
    assert close(house).figures["house_line_CNY_cents"] == -19_800, "the house has paid what the loser still owes"
    house = House.load(house.dump())
    told(house, DepositAssets(pack([loser], "i4"), pack([CNY], "i4"), pack([100_000], "i8")))
    told(house, OpenDay(to_day(DAY) + 1))
    event = told(house, mark(950_000))
    assert isinstance(event, DerivativesMarked)
    assert event.other_cents == {"collected_CNY": 19_800, "paid_CNY": 0, "owed_CNY": 0}
    assert close(house).figures["house_line_CNY_cents"] == 0
