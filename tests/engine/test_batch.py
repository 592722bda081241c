"""Commands in a row answer as one by one.

Goal: booking neighbouring transfers in one pass is only faster. Method: hypothesis draws runs of transfer commands,
among them malformed ones, unknown accounts, rows not opened yet, chains open at their end and other commands in
between; two houses of the same dump, one stepped command by command; answers and state hashes must be equal.
"""

from __future__ import annotations

from datetime import date
from functools import cache

from hypothesis import given
from hypothesis import strategies as st

from tsingma.basics.columns import pack
from tsingma.engine.batch import step_all
from tsingma.engine.house import House
from tsingma.engine.step import step
from tsingma.journal.commands import Command, DepositAssets, LoadReference, OpenDay, PostTransfers
from tsingma.journal.events import Accepted, Refused, TransfersPosted
from tsingma.simulate.market import simulate_market

ACCOUNTS = 12


@cache
def dump() -> dict[str, bytes]:
    """Return a house with a book and deposits."""
    market = simulate_market(3, date(2026, 1, 5), 1, 100)
    house = House()
    for command in (LoadReference(market.book), market.deposits()):
        assert isinstance(step(house, command), Accepted)
    return house.dump()


def post(rows: list[tuple[int, int, int, int, int]]) -> PostTransfers:
    """Return a command of (debit, credit, asset, amount, linked) rows."""
    columns = list(zip(*rows, strict=True)) or [()] * 5
    kinds = ("i4", "i4", "i4", "i8", "i1")
    return PostTransfers(*(pack(list(column), kind) for column, kind in zip(columns, kinds, strict=True)))


account = st.integers(0, ACCOUNTS)
row = st.tuples(
    account, account, st.sampled_from([0, 0, 0, 1, 9]), st.sampled_from([1, 7, 10**9, 2**61]), st.booleans()
)
odd_row = st.tuples(st.sampled_from([-1, 0, 99_999]), account, st.sampled_from([-1, 0, 99_999]), st.just(5), st.just(0))
posts = st.lists(row, min_size=1, max_size=3).map(post)
malformed = st.just(PostTransfers(b"\1\0\0\0", b"", b"", b"", b"\0"))
deposit = st.just(DepositAssets(pack([3], "i4"), pack([0], "i4"), pack([50], "i8")))
odd = st.one_of(st.lists(odd_row, max_size=2).map(post), malformed, deposit, st.just(OpenDay(0)))


@given(st.lists(st.one_of(posts, posts, posts, odd), max_size=12))
def test_runs_answer_as_one_by_one(commands: list[Command]) -> None:
    """Goal: no answer and no state depends on what came together. Method: two houses, compared whole."""
    alone, together = House.load(dump()), House.load(dump())
    assert step_all(together, commands) == [step(alone, command) for command in commands]
    assert together.digest() == alone.digest()


def test_runs_are_booked_in_one_pass_with_their_own_answers() -> None:
    """Goal: each command keeps its answer; a chain ends with its command. Method: a failing chain between good ones."""
    house = House.load(dump())
    rich = int(house.ledger.owner[(house.ledger.asset == 0) & (house.ledger.floor == 0)][0])
    first, second, third = [other for other in range(1, 5) if other != rich][:3]  # 0 is the central counterparty
    step(house, post([(rich, first, 0, 1, 0), (rich, second, 0, 1, 0), (rich, third, 0, 1, 0)]))
    good, broken = (rich, first, 0, 5, 1), (rich, second, 0, 2**61, 1)
    answers = step_all(house, [post([good]), post([good, broken]), post([(rich, third, 0, 5, 0), good])])
    events = [answer.events[0] for answer in answers if isinstance(answer, Accepted)]
    assert events == [TransfersPosted(1, b"\0"), TransfersPosted(0, b"\6\1"), TransfersPosted(2, b"\0\0")]
    assert isinstance(step_all(house, [post([(99_999, first, 0, 1, 0)])])[0], Refused)
