"""Orders that come in together answer as one by one.

Goal: taking in a row of small commands in one pass is only faster. Method: hypothesis draws rows of commands with few
parties, securities, amounts and seconds, so that there are many matches, repeated references, allegements, late
matches and settlements at once; among them commands that are refused whole, orders that are agreed or pooled, and
changes of orders in between. Two houses of the same dump, one stepped command by command; answers and state hashes must
be equal.
"""

from __future__ import annotations

from datetime import date
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tsingma.basics.columns import pack
from tsingma.basics.dates import to_day
from tsingma.basics.money import CURRENCIES
from tsingma.engine import batch
from tsingma.engine.batch import step_all
from tsingma.engine.house import House
from tsingma.engine.step import step
from tsingma.engine.submitting import submit_together
from tsingma.journal.commands import (
    ChangeOrder,
    Command,
    DepositAssets,
    LoadReference,
    OpenDay,
    RunStep,
    SetClosingPrices,
    SubmitInstructions,
)
from tsingma.journal.events import Accepted, Refused
from tsingma.reference.book import ResolvedBook
from tsingma.settlement.orders import ORDER_COLUMNS
from tsingma.simulate.market import simulate_market

DAY = to_day(date(2026, 1, 6))
NIGHT = ("night-1-free-of-payment", "night-1-everything", "night-2-everything", "night-2-parts",
         "continuous-settlement")  # fmt: skip
EVENING_S = 64_000  # after allegement at once has begun on the settlement day
MEMBERS = ("B00001", "B00002")


@cache
def dump(*, continuous: bool) -> dict[str, bytes]:
    """Return a house on an open day, in the morning or once what becomes ready settles at once."""
    market = simulate_market(3, date(2026, 1, 6), 1, 100)
    house = House()
    counters = len(market.book.counters)
    prices = SetClosingPrices(
        pack(np.arange(counters), "i4"),
        pack(np.full(counters, 100_000), "i8"),
        (1_000_000, 1_080_000, 7_800_000, 9_000_000),
    )
    steps = [RunStep(name) for name in NIGHT] if continuous else []
    for command in (LoadReference(market.book), market.deposits(), OpenDay(DAY), prices, *steps):
        assert isinstance(step(house, command), Accepted), command
    accounts = [house.resolved.account_index[member, "HOUSE"] for member in MEMBERS]
    stock = DepositAssets(pack(accounts, "i4"), pack([len(CURRENCIES)] * 2, "i4"), pack([1_000, 250], "i8"))
    assert isinstance(step(house, stock), Accepted)
    return house.dump()


@cache
def resolved() -> ResolvedBook:
    """Return the book of the house."""
    return House.load(dump(continuous=False)).resolved


def order(values: tuple[int, ...]) -> dict[str, int]:
    """Return the columns of one order of a party about one of few instructions."""
    reference, side, quantity, amount, due, hold, faulty = values
    book = resolved()
    accounts = [book.account_index[member, "HOUSE"] for member in MEMBERS]
    others = [book.participant_index[member] for member in reversed(MEMBERS)]
    return {
        "reference": reference, "account": accounts[side], "counterparty": others[side],
        "delivers": side ^ (faulty == 1), "trade_day": DAY - 3, "intended_day": DAY + due,
        "security": 0 if faulty != 2 else 9_999, "currency": 0,
        "quantity": quantity, "amount_cents": amount, "hold": hold, "matched": int(faulty == 3),
        "pool": int(faulty == 4), "pool_size": 2 * int(faulty == 4), "counterparty_account": accounts[1 - side],
    }  # fmt: skip


def send(rows: list[dict[str, int]], sender: str, second: int, left_out: bool) -> SubmitInstructions:
    """Return a command of orders; columns that have their default everywhere may be left out."""
    columns = {}
    for name, (kind, default) in ORDER_COLUMNS.items():
        values = [row.get(name, default) for row in rows]
        if not (left_out and default is not None and all(value == default for value in values)):
            columns[name] = pack([int(value or 0) for value in values], kind)
    return SubmitInstructions("here", sender, second, columns)


fields = st.tuples(
    st.integers(1, 60), st.integers(0, 1), st.sampled_from([100, 200]), st.sampled_from([500, 900, 90_000_000]),
    st.sampled_from([0, 0, 1, -1]), st.sampled_from([0, 0, 0, 1]), st.sampled_from([0] * 12 + [1, 2]),
)  # fmt: skip
odd_fields = st.tuples(
    st.just(7), st.just(0), st.sampled_from([100, 200]), *[st.just(value) for value in (500, 0, 0)],
    st.sampled_from([3, 4]),
)  # fmt: skip
seconds = st.sampled_from([40_000] * 6 + [EVENING_S, 100])


@st.composite
def rows_of_commands(draw: st.DrawFn) -> list[Command]:
    """Draw commands with one order or a few; references mostly count on, as a sender's do."""
    commands: list[Command] = []
    reference, second = 100, draw(seconds)
    for kind in draw(st.lists(st.sampled_from(["one"] * 8 + ["few", "odd", "bad", "change", "later"]), max_size=14)):
        drawn = draw(st.lists(fields, min_size=int(kind == "one"), max_size=1 if kind == "one" else 4))
        if kind == "odd":
            drawn.append(draw(odd_fields))
        rows = []
        for values in drawn:
            reference += 1
            rows.append(order((reference if values[0] > 3 else values[0], *values[1:])))
        sender = MEMBERS[drawn[0][1]] if drawn else ""
        command = send(rows, draw(st.sampled_from([sender] * 4 + ["", "HKSCC"])), second, draw(st.booleans()))
        if kind == "bad":
            command = draw(st.sampled_from([
                SubmitInstructions("x", "NOBODY", second, command.columns),
                SubmitInstructions("x", sender, second, {**command.columns, "reference": b"\0"}),
                SubmitInstructions("x", sender, second, {"size": b""}),
                SubmitInstructions("x", sender, second, {}),
            ]))  # fmt: skip
        if kind == "change":
            commands.append(ChangeOrder(draw(st.integers(0, 6)), "cancel", MEMBERS[0]))
        if kind == "later":
            second = draw(seconds)
        commands.append(command)
    return commands


@settings(deadline=None, max_examples=150)
@given(rows_of_commands(), st.booleans())
def test_order_runs_answer_as_one_by_one(commands: list[Command], continuous: bool) -> None:
    """Goal: no answer and no state depends on what came together. Method: two houses, compared whole."""
    alone, together = (House.load(dump(continuous=continuous)) for _ in range(2))
    expected = [step(alone, command) for command in commands]
    assert step_all(together, commands) == expected
    assert together.digest() == alone.digest()


@pytest.mark.parametrize("continuous", [False, True])
def test_a_run_is_one_pass_that_matches_across_commands(continuous: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Goal: the fast way is taken, and each command keeps its answer. Method: three commands in one pass, two match."""
    passes = []
    monkeypatch.setattr(
        batch, "submit_together", lambda house, row: passes.append(len(row)) or submit_together(house, row)
    )
    house = House.load(dump(continuous=continuous))
    plain = (100, 900, 0, 0, 0)
    rows = [send([order((n, side, *plain))], MEMBERS[side], 60_000, True) for n, side in ((1, 0), (2, 0), (1, 1))]
    answers = step_all(house, rows)
    assert passes == [3]
    events = [answer.events for answer in answers if isinstance(answer, Accepted)]
    assert [(one[0].waiting, one[0].matched) for one in events] == [(1, 0), (1, 0), (0, 1)]
    assert [len(one) for one in events] == [1, 1, 1 + continuous]
    assert house.settlement.orders.table["instruction"].tolist() == [-1, 0, 0]  # of equally near, the last to come


def test_a_refused_command_sends_its_neighbours_one_by_one() -> None:
    """Goal: what is refused whole changes nothing. Method: between two good ones, a command of nobody."""
    house = House.load(dump(continuous=False))
    plain = (0, 100, 900, 0, 0, 0)
    rows = [
        send([order((number, *plain))], sender, 60_000, True) for number, sender in enumerate(["B00001", "X", ""], 1)
    ]
    answers = step_all(house, rows)
    assert [type(answer) for answer in answers] == [Accepted, Refused, Accepted]
    assert len(house.settlement.orders) == 2


def test_pools_that_wait_settle_in_the_command_that_completes_them() -> None:
    """Goal: a group is complete with its last match, not before. Method: two pooled orders wait, both find theirs."""
    alone, together = (House.load(dump(continuous=True)) for _ in range(2))
    plain = [(quantity, 900, 0, 0, 0) for quantity in (100, 150)]
    pooled = [send([{**order((n, 0, *row)), "pool": 5, "pool_size": 2}], MEMBERS[0], 40_000, False)
              for n, row in enumerate(plain, 1)]  # fmt: skip
    others = [send([order((n, 1, *row))], MEMBERS[1], 40_000, True) for n, row in enumerate(plain, 1)]
    for house in (alone, together):
        assert all(isinstance(step(house, command), Accepted) for command in pooled)
    expected = [step(alone, command) for command in others]
    assert [len(answer.events) for answer in expected if isinstance(answer, Accepted)] == [1, 2]
    assert step_all(together, others) == expected
    assert together.digest() == alone.digest()


def test_an_unknown_account_takes_no_reference_from_a_neighbour() -> None:
    """Goal: what one command is refused for is nobody else's fault. Method: an account there is not, then the house."""
    alone, together = (House.load(dump(continuous=False)) for _ in range(2))
    book = resolved()
    unknown = {**order((7, 0, 100, 900, 0, 0, 0)), "account": len(book.book.accounts) + 5}
    account = int(np.flatnonzero(book.account_participant == book.account_participant[0])[-1])
    own = {**order((7, 0, 100, 900, 0, 0, 0)), "account": account, "counterparty_account": -1}
    commands = [send([row], "", 40_000, True) for row in (unknown, own)]
    expected = [step(alone, command) for command in commands]
    assert step_all(together, commands) == expected
    assert together.digest() == alone.digest()
