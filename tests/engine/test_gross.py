"""Matched gross instructions in bulk, and sets of them at one instant.

Goal: what is captured is checked whole, what is proposed books by the ledger's rules alone, all of it or nothing.
Method: a circle that no single instruction can start, a hypothesis model of end balances, one fault each.
"""

from __future__ import annotations

import numpy as np
import pytest
from clearing_book import A_CLIENT, B_OMNIBUS, CNS, ISSUER, MONDAY, A, B, book
from hypothesis import given, settings
from hypothesis import strategies as st

from tsingma.basics.columns import pack
from tsingma.basics.money import CURRENCIES
from tsingma.engine.house import House
from tsingma.engine.step import step
from tsingma.journal.commands import (
    CaptureInstructions,
    Command,
    DepositAssets,
    LoadReference,
    OpenDay,
    SettleTogether,
)
from tsingma.journal.events import Accepted, InstructionsCaptured, Refused, SettledTogether

STOCK = len(CURRENCIES)  # the first security, as asset
Row = tuple[int, int, int, int, int]  # deliverer, receiver, security, quantity, cents


def opened(*deposits: tuple[int, int, int]) -> House:
    """Return a house on its first day; deposits are (account, asset, amount)."""
    house = House()
    columns = list(zip(*deposits, strict=True)) or [[], [], []]
    owner, asset, amount = (np.array(column, np.int64) for column in columns)
    for command in (
        LoadReference(book()), DepositAssets(pack(owner, "i4"), pack(asset, "i4"), pack(amount, "i8")), OpenDay(MONDAY),
    ):  # fmt: skip
        assert isinstance(step(house, command), Accepted)
    return house


def capture(*rows: Row, day: int = MONDAY, currency: int = 0, priority: int = 3) -> CaptureInstructions:
    """Return a command with instructions of one currency and priority."""
    deliverer, receiver, security, quantity, cents = (list(column) for column in zip(*rows, strict=True))
    size = len(rows)
    return CaptureInstructions(
        source="test", intended_day=day, reference=pack(range(size), "i8"), deliverer=pack(deliverer, "i4"),
        receiver=pack(receiver, "i4"), security=pack(security, "i4"), quantity=pack(quantity, "i8"),
        currency=pack([currency] * size, "i1"), amount_cents=pack(cents, "i8"), priority=pack([priority] * size, "i1"),
    )  # fmt: skip


def together(*numbers: int) -> SettleTogether:
    """Return a command that settles these at one instant."""
    return SettleTogether("test", pack(numbers, "i4"))


def refused(house: House, command: Command) -> str:
    """Return why a command is refused; nothing may have changed."""
    before = house.digest()
    answer = step(house, command)
    assert isinstance(answer, Refused)
    assert house.digest() == before
    return str(answer.rejections[0])


def test_a_circle_settles_at_one_instant() -> None:
    """Goal: three deliveries that wait for each other. Method: each refused alone and in pairs, booked together."""
    house = opened((A, STOCK, 10))
    circle = ((A, B, 0, 10, 500), (B, A_CLIENT, 0, 10, 500), (A_CLIENT, A, 0, 10, 500))
    answer = step(house, capture(*circle))
    assert isinstance(answer, Accepted)
    assert answer.events == (InstructionsCaptured(0, 3, (1_500, *[0] * (len(CURRENCIES) - 1))),)
    for part in ((0,), (1,), (0, 1), (1, 2)):
        assert "below its floor" in refused(house, together(*part))
    answer = step(house, together(0, 1, 2))
    assert isinstance(answer, Accepted)
    assert answer.events == (SettledTogether(3, 30, (1_500, *[0] * (len(CURRENCIES) - 1))),)
    assert house.settlement.instructions.counts()["settled"] == 3
    assert int(house.ledger.balance[house.ledger.find(A, STOCK)]) == 10
    assert "settled" in refused(house, together(0, 1, 2))


def test_free_deliveries_payments_and_cross_trades() -> None:
    """Goal: a missing leg moves nothing, nor does a trade within one account. Method: one of each, balances after."""
    house = opened((A, STOCK, 7), (B, 0, 90))
    rows = ((A, B, 0, 7, 0), (B, A, -1, 0, 90), (B_OMNIBUS, B_OMNIBUS, 0, 5, 5))
    assert isinstance(step(house, capture(*rows)), Accepted)
    assert isinstance(step(house, together(0, 1, 2)), Accepted)
    held = {
        (who, asset): int(house.ledger.balance[house.ledger.find(who, asset)]) for who in (A, B) for asset in (0, STOCK)
    }
    assert held == {(A, 0): 90, (A, STOCK): 0, (B, 0): 0, (B, STOCK): 7}
    house.ledger.check()


def test_holds_are_not_available_to_a_set() -> None:
    """Goal: what is on hold does not settle. Method: hold all stock of the deliverer, then let it go."""
    house = opened((A, STOCK, 7))
    assert isinstance(step(house, capture((A, B, 0, 7, 0))), Accepted)
    row = np.array([house.ledger.find(A, STOCK)])
    house.ledger.hold(row, np.array([1]))
    assert "below its floor" in refused(house, together(0))
    house.ledger.release(row, np.array([1]))
    assert isinstance(step(house, together(0)), Accepted)


def test_what_is_reserved_for_an_instruction_is_used_with_it() -> None:
    """Goal: a reservation serves its own instruction, once. Method: another one refused, then its own, books after."""
    house = opened((A, STOCK, 7))
    assert isinstance(step(house, capture((A, B, 0, 7, 0), (A, B, 0, 7, 0))), Accepted)
    reservations = house.settlement.reservations
    reservations.reserve(house.ledger, A, STOCK, 7, last_day=MONDAY + 9, instruction=1)
    assert "below its floor" in refused(house, together(0))
    assert isinstance(step(house, together(1)), Accepted)
    row = house.ledger.find(A, STOCK)
    assert (int(house.ledger.balance[row]), int(house.ledger.held[row])) == (0, 0)
    assert reservations.of(np.array([0, 1])).size == 0


accounts = st.sampled_from([A, B, A_CLIENT, B_OMNIBUS])


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.tuples(accounts, st.sampled_from([0, STOCK, STOCK + 1]), st.integers(1, 30)), max_size=6),
    st.lists(st.tuples(accounts, accounts, st.integers(0, 1), st.integers(1, 20), st.integers(0, 20)), min_size=1,
             max_size=12),
    st.data(),
)  # fmt: skip
def test_a_set_books_when_its_end_balances_allow_it(
    deposits: list[tuple[int, int, int]], rows: list[Row], data: st.DataObject
) -> None:
    """Goal: the engine takes exactly the sets whose end balances are not below zero. Method: a dictionary model."""
    house = opened(*deposits)
    assert isinstance(step(house, capture(*rows)), Accepted)
    chosen = sorted(data.draw(st.sets(st.integers(0, len(rows) - 1))))
    end: dict[tuple[int, int], int] = {}
    for who, asset, amount in deposits:
        end[who, asset] = end.get((who, asset), 0) + amount
    for number in chosen:
        deliverer, receiver, security, quantity, cents = rows[number]
        for who, asset, change in (
            (deliverer, STOCK + security, -quantity), (receiver, STOCK + security, quantity),
            (receiver, 0, -cents), (deliverer, 0, cents),
        ):  # fmt: skip
            end[who, asset] = end.get((who, asset), 0) + change
    answer = step(house, together(*chosen))
    assert isinstance(answer, Accepted) == all(balance >= 0 for balance in end.values())
    if isinstance(answer, Accepted):
        for (who, asset), balance in end.items():
            row = house.ledger.find(who, asset)
            assert (int(house.ledger.balance[row]) if row >= 0 else 0) == balance


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (capture((A, 99, 0, 1, 1)), "receiver"),
        (capture((-1, B, 0, 1, 1)), "deliverer"),
        (capture((CNS, B, 0, 1, 1)), "deliverer"),
        (capture((A, ISSUER, 0, 1, 1)), "receiver"),
        (capture((A, B, 77, 1, 1)), "security"),
        (capture((A, B, 0, 0, 1)), "quantity"),
        (capture((A, B, -1, 1, 1)), "quantity"),
        (capture((A, B, -1, 0, 0)), "amount_cents"),
        (capture((A, B, 0, 1, -1)), "amount_cents"),
        (capture((A, B, 0, 2**60, 1)), "quantity"),
        (capture((A, B, 0, 1, 1), currency=9), "currency"),
        (capture((A, B, 0, 1, 1), priority=7), "priority"),
        (CaptureInstructions("s", MONDAY, *([b""] * 7), pack([1], "i1")), "differ in length"),
        (together(1, 0), "do not rise"),
        (together(0, 0), "do not rise"),
        (together(0, 5), "there are 2 instructions"),
        (together(1), "intended for day"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(command: Command, message: str) -> None:
    """Goal: refused whole with the field or the instruction named. Method: one fault each."""
    house = opened((A, STOCK, 10))
    assert isinstance(step(house, capture((A, B, 0, 1, 0))), Accepted)
    assert isinstance(step(house, capture((A, B, 0, 1, 0), day=MONDAY + 1)), Accepted)
    assert message in refused(house, command)


def test_a_day_must_be_open() -> None:
    """Goal: no instruction between days. Method: both commands before the first day."""
    house = House()
    assert isinstance(step(house, LoadReference(book())), Accepted)
    for command in (capture((A, B, 0, 1, 1)), together()):
        assert "no day is open" in refused(house, command)
