"""Orders resolved by their codes in one go, against the reader of the instruction file.

Goal: the quick way is only faster. Method: hypothesis draws orders with every field, codes of the book and others; the
twin reads them as text. Columns left out are those that have their default everywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from functools import cache
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tsingma.app.order_intake import Intake, Order, PlainOrder, same_request
from tsingma.basics.rejection import Rejected
from tsingma.engine.submitting import order_columns
from tsingma.journal.commands import SubmitInstructions
from tsingma.reference.book import resolve
from tsingma.simulate.market import simulate_market

DAY = date(2026, 1, 5)


@cache
def intake() -> Intake:
    """Return the intake of a simulated book."""
    return Intake(resolve(simulate_market(1, DAY, 1, 100).book))


def outcome(ask: Callable[[], Any]) -> Any:
    """Return what is answered, or why it is refused."""
    try:
        return ask()
    except Rejected as refused:
        return refused.rejections


isins = st.sampled_from(["", *intake().book.securities[:3], "HK0000000000"])
currencies = st.sampled_from(["", "HKD", "CNY", "HKD", "XXX"])
classes = st.sampled_from(["HOUSE", "CLIENT", "HOUSE"])
texts = st.sampled_from(["", "", "A1", " A1 ", "é"])
dates = st.integers(-3, 800).map(lambda days: DAY + timedelta(days))
orders = st.builds(
    Order,
    reference=st.integers(1, 2**40 - 1), account_class=classes, side=st.sampled_from(["deliver", "receive"]),
    counterparty=st.sampled_from(["B00002", "B00003", "B00002", "NOBODY"]),
    kind=st.sampled_from(["dvp", "fop", "dwp", "pfod", "pvp", "dvd"]), trade_date=dates, intended_date=dates,
    isin=isins, quantity=st.integers(0, 2**53), currency=currencies,
    amount=st.sampled_from(["", "0", "7", "7.5", "12500.00", "9999999999999999.99", "00.10"]),
    counterparty_account_class=st.none() | classes, paid_currency=currencies, against_isin=isins,
    against_quantity=st.sampled_from([0, 0, 5]), priority=st.sampled_from(["normal", "high"]), partial=st.booleans(),
    hold=st.booleans(), conditions=st.lists(st.sampled_from(["opt-out", "cum", "ex"]), max_size=3).map(tuple),
    common_reference=texts, client=texts, counterparty_client=texts, pool=texts,
    pool_size=st.sampled_from([0, 0, 2, 100_000]),
)  # fmt: skip


@settings(deadline=None, max_examples=200)
@given(st.lists(orders, min_size=1, max_size=5), st.sampled_from(["B00001", "NOBODY"]))
def test_the_quick_way_reads_as_the_file_is_read(told: list[Order], participant: str) -> None:
    """Goal: the same columns, or the same faults. Method: both ways, columns with their defaults filled in."""
    expected = outcome(lambda: intake().columns_by_text(told, participant))
    found = outcome(lambda: intake().command(told, participant, "api/k", 5))
    if not isinstance(expected, dict):
        assert found == expected
        return
    command = found
    assert isinstance(command, SubmitInstructions)
    assert (command.source, command.participant, command.time_s) == ("api/k", participant, 5)
    whole, plain = order_columns(command.columns), order_columns(expected)
    assert {name: column.tolist() for name, column in whole.items()} == {
        name: column.tolist() for name, column in plain.items()
    }


def test_a_request_is_the_same_with_and_without_columns_that_say_nothing() -> None:
    """Goal: a repeat of an order that an older version journalled is known. Method: all columns, and those needed."""
    order = Order(
        reference=1, account_class="HOUSE", side="deliver", counterparty="B00002", kind="dvp", trade_date=DAY,
        intended_date=DAY, isin=intake().book.securities[0], quantity=100, currency="HKD", amount="1.00",
    )  # fmt: skip
    now = intake().command([order], "B00001", "api/k", 5)
    older = msgspec.structs.replace(now, columns=intake().columns_by_text([order], "B00001"), time_s=1)
    assert set(now.columns) < set(older.columns)
    assert same_request(older, now)
    other = intake().command([msgspec.structs.replace(order, hold=True)], "B00001", "api/k", 5)
    assert not same_request(older, other)


FIELDS: dict[str, list[Any]] = {
    "reference": [1, 2**40 - 1, 0, 2**40, "1", 1.5], "account_class": ["HOUSE", "CLIENT", "CNS"],
    "side": ["deliver", "receive", "give"], "counterparty": ["B00002", "NOBODY", "b", "B00002\n"],
    "kind": ["dvp", "fop", "swap"], "trade_date": ["2026-01-05", "2026-1-5"], "intended_date": ["2026-01-07", ""],
    "isin": [intake().book.securities[0], "", "HK0000000000", "x"], "quantity": [100, 2**53, -1, 2**53 + 1, True],
    "currency": ["HKD", "", "XXX", "hkd"], "amount": ["1000.00", "", "1.234", "-1", "1" * 17], "hold": [True],
    "more": [1],
}  # fmt: skip
OFTEN = {name: values[0] for name, values in FIELDS.items() if name not in ("hold", "more")}


@settings(deadline=None, max_examples=400)
@given(
    st.lists(
        st.builds(
            lambda changed, gone: {name: value for name, value in {**OFTEN, **changed}.items() if name not in gone},
            st.dictionaries(st.sampled_from(sorted(FIELDS)), st.integers(0, 5), max_size=2).map(
                lambda picked: {name: FIELDS[name][place % len(FIELDS[name])] for name, place in picked.items()}
            ),
            st.sets(st.sampled_from(sorted(OFTEN)), max_size=1) | st.just(set()),
        ),
        max_size=3,
    ),
    st.booleans(),
)
def test_what_is_read_plainly_is_read_the_same_strictly(told: list[dict[str, Any]], alone: bool) -> None:
    """Goal: the cheap reading lets nothing through. Method: bodies with a few fields wrong; both readings compared."""
    body = msgspec.json.encode(told[0] if alone and told else told)
    plainly = intake().plain(body)
    if plainly is None:
        return
    strictly = msgspec.json.decode(body, type=Order | list[Order])
    both = [one if isinstance(one, list) else [one] for one in (plainly, strictly)]
    commands = [outcome(lambda orders=orders: intake().command(orders, "B00001", "k", 1)) for orders in both]
    assert commands[0] == commands[1]


def test_most_orders_are_read_plainly() -> None:
    """Goal: the cheap reading is taken. Method: one order and a list of what most orders say."""
    assert intake().plain(msgspec.json.encode(OFTEN)) is not None
    assert intake().plain(msgspec.json.encode([OFTEN] * 3)) is not None
    assert intake().plain(msgspec.json.encode([OFTEN, {**OFTEN, "counterparty": "NOBODY"}])) is None


@pytest.mark.parametrize("amount", ["100.5\n", "7\n", "\n", "100.50\n"])
def test_an_amount_with_a_line_feed_is_no_amount(amount: str) -> None:
    """Goal: no amount is taken for another (100.5 and a line feed was 100.05). Method: both readers of bodies."""
    told = {"reference": 1, "account_class": "HOUSE", "side": "deliver", "counterparty": "B", "kind": "dvp",
            "trade_date": "2026-01-05", "intended_date": "2026-01-05", "amount": "100.5"}  # fmt: skip
    assert msgspec.json.decode(msgspec.json.encode(told), type=Order).amount == "100.5"
    for kind in (Order, PlainOrder):
        with pytest.raises(msgspec.ValidationError):
            msgspec.json.decode(msgspec.json.encode({**told, "amount": amount}), type=kind)
