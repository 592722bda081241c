"""What accounts have pledged, and the pool of collateral: what counts for whom, and who is short. HKD cents, units."""

from __future__ import annotations

import msgspec
import numpy as np

from tsingma.app.house_reads import of_participant
from tsingma.engine.house import House
from tsingma.engine.pooling import valuation
from tsingma.margin.pool.statement import statement


class PoolLine(msgspec.Struct, frozen=True):
    """Units of an asset in the pool: for whom they count (``free``: nobody), market value, value after haircut."""

    account: str
    taker: str
    chain: tuple[str, ...]
    asset: str
    kind: str
    custodian: str
    amount: int
    market_cents: int
    haircut_e4: int
    lendable_cents: int


class PoolLines(msgspec.Struct, frozen=True):
    """A page of the pool's lines by account, taker and asset; the cursor counts them."""

    items: list[PoolLine]
    next: int | None
    at: int


class PoolCall(msgspec.Struct, frozen=True):
    """An account with a taker: called, covered and short; HKD cents."""

    account: str
    taker: str
    called_cents: int
    covered_cents: int
    short_cents: int


class PoolCalls(msgspec.Struct, frozen=True):
    """A page of calls on the pool by account and taker; the cursor counts them."""

    items: list[PoolCall]
    next: int | None
    at: int


def pool_lines(house: House, at: int, participant: str, cursor: int, limit: int) -> PoolLines:
    """Return what a participant's accounts ("": everybody's) have in the pool; raises Rejected (unknown, no price)."""
    book = house.resolved
    lines = statement(house.pool, valuation(house), _accounts(house, participant)).lines
    end = cursor + limit
    items = [
        PoolLine(
            book.account_name(one.account), one.taker, one.chain, book.asset_name(one.asset), one.kind, one.custodian,
            one.amount, one.market_cents, one.haircut_e4, one.lendable_cents,
        )
        for one in lines[cursor:end]
    ]  # fmt: skip
    return PoolLines(items, end if end < len(lines) else None, at)


def pool_calls(house: House, at: int, participant: str, cursor: int, limit: int) -> PoolCalls:
    """Return what takers call of a participant's accounts ("": everybody's) and what covers it; raises Rejected."""
    book = house.resolved
    takers = statement(house.pool, valuation(house), _accounts(house, participant)).takers
    end = cursor + limit
    items = [
        PoolCall(book.account_name(one.account), one.taker, one.called_cents, one.covered_cents, one.short_cents)
        for one in takers[cursor:end]
    ]
    return PoolCalls(items, end if end < len(takers) else None, at)


def _accounts(house: House, participant: str) -> set[int]:

    every = np.arange(len(house.resolved.book.accounts))
    return set(np.flatnonzero(of_participant(house, every, participant)).tolist())
