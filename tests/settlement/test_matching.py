"""Matching against a plain twin that looks at one order after the other.

Goal: whatever comes in, in batches of any size, the pairs are those of single arrivals. Method: random orders of few
parties, quantities and amounts, so that there are many candidates; the twin keeps a list and takes the best.
"""

from __future__ import annotations

from datetime import date

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tsingma.settlement.matching import match
from tsingma.settlement.orders import ORDER_COLUMNS, Orders
from tsingma.settlement.rules import rules_on

RULES = rules_on(date(2026, 1, 5))
HKD_BAND, SMALL, LARGE = 80_000_000, 1_600, 20_000

orders = st.tuples(
    st.integers(0, 1),  # participant: the other one is its counterparty
    st.integers(0, 1),  # delivers
    st.sampled_from([100, 200]),
    st.sampled_from([0, 900, 1_600, 1_700, HKD_BAND, HKD_BAND + 1, HKD_BAND + 15_000]),
    st.integers(0, 1),  # conditions
    st.sampled_from([0, 0, 7, 8]),  # common reference
    st.sampled_from([-1, 0, 1]),  # the other side's account
)


def _columns(rows: list[tuple[int, ...]]) -> dict[str, np.ndarray]:
    whole = {name: np.full(len(rows), default or 0, kind) for name, (kind, default) in ORDER_COLUMNS.items()}
    sender, delivers, quantity, amount, conditions, reference, account = np.array(rows, np.int64).T
    given_columns = {
        "account": sender, "participant": sender, "counterparty": 1 - sender, "delivers": delivers,
        "quantity": quantity, "amount_cents": amount, "conditions": conditions, "common_reference": reference,
        "counterparty_account": account, "currency": 0 * sender, "asset": 4 + 0 * sender, "against": 0 * sender,
    }  # fmt: skip
    return {**whole, **given_columns}


def _agree(one: tuple[int, ...], two: tuple[int, ...]) -> bool:
    if one[0] == two[0] or one[1] == two[1] or one[2] != two[2] or one[4] != two[4]:
        return False
    if one[5] and two[5] and one[5] != two[5]:
        return False
    if one[6] not in (-1, two[0]) or two[6] not in (-1, one[0]):
        return False
    amount = one[3] if one[1] else two[3]
    return abs(one[3] - two[3]) <= (SMALL if amount <= HKD_BAND else LARGE)


def _twin(rows: list[tuple[int, ...]]) -> list[tuple[int, int]]:
    """Return pairs (deliverer, receiver) of single arrivals."""
    waiting: list[int] = []
    pairs = []
    for number, row in enumerate(rows):
        found = [other for other in waiting if _agree(rows[other], row)]
        if not found:
            waiting.append(number)
            continue
        best = min(found, key=lambda other: (abs(rows[other][3] - row[3]), -other))
        waiting.remove(best)
        pairs.append((number, best) if row[1] else (best, number))
    return pairs


@settings(max_examples=300, deadline=None)
@given(st.lists(orders, max_size=40), st.integers(1, 40))
def test_batches_match_as_single_arrivals_do(rows: list[tuple[int, ...]], batch: int) -> None:
    """Goal: the same pairs in any batches. Method: against the twin, batch after batch."""
    book = Orders()
    pairs: list[tuple[int, int]] = []
    for start in range(0, len(rows), batch):
        fresh = book.add(_columns(rows[start : start + batch]), 20_458, 0)
        deliverer, receiver = match(book, fresh, RULES)
        book.pair(np.concatenate([deliverer, receiver]), np.zeros(2 * deliverer.size, np.int64))
        pairs += zip(deliverer.tolist(), receiver.tolist(), strict=True)
    assert sorted(pairs) == sorted(_twin(rows))


def test_keys_gather_and_fields_decide() -> None:
    """Goal: orders whose keys collide do not match by it. Method: two orders that differ, given the same key."""
    book = Orders()
    fresh = book.add(_columns([(0, 1, 100, 0, 0, 0, -1), (1, 0, 200, 0, 0, 0, -1)]), 20_458, 0)
    book.table["key"][:] = 5
    assert match(book, fresh, RULES)[0].size == 0


def test_references_are_seen_whatever_their_order() -> None:
    """Goal: no reference twice. Method: falling, repeated and fresh references of two senders."""
    book = Orders()
    first = _columns([(0, 1, 100, 0, 0, 0, -1)] * 2)
    first["reference"] = np.array([5, 3])
    book.add(first, 20_458, 0)
    sender = np.array([0, 0, 0, 1, 1, 1])
    assert book.seen(sender, np.array([3, 4, 6, 5, 5, 6])).tolist() == [True, False, False, False, True, False]
