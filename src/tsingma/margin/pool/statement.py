"""Triparty statements of the pool, and what breaks when one custodian fails: read only."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from tsingma.margin.pool.book import PoolBook
from tsingma.margin.pool.terms import Valuation, rules_of
from tsingma.margin.resources.collateral import E4

FREE = "free"


class StatementLine(msgspec.Struct, frozen=True, kw_only=True):
    """One holding of the pool: HKD cents at market and after haircut; ``chain`` says who lodged it onwards with whom.

    A line of ``free`` collateral counts for nobody. A line with a chain of more than one is part of the line before it.
    """

    account: int
    taker: str
    chain: tuple[str, ...]
    asset: int
    kind: str
    custodian: str
    amount: int
    market_cents: int
    haircut_e4: int
    lendable_cents: int


class TakerLine(msgspec.Struct, frozen=True, kw_only=True):
    """An account with a taker: called, covered and short; HKD cents."""

    account: int
    taker: str
    called_cents: int
    covered_cents: int
    short_cents: int


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """The pool of one account, or of all."""

    lines: tuple[StatementLine, ...]
    takers: tuple[TakerLine, ...]


def statement(pool: PoolBook, valuation: Valuation, accounts: Collection[int]) -> Statement:
    """Return the statement of these accounts, in order of account, taker and asset.

    Raises Rejected (missing) where a holding has no price.
    """
    lines = [
        _line(pool, valuation, held.account, held.chain, held.asset, amount)
        for held, amount in sorted(pool.allotted.items())
        if held.account in accounts
    ]
    for account, asset in sorted(pool.pledged):
        free = pool.free(account, asset)
        if account in accounts and free:
            lines.append(_line(pool, valuation, account, (FREE,), asset, free))
    return Statement(lines=tuple(lines), takers=_takers(pool, valuation, accounts))


def _takers(pool: PoolBook, valuation: Valuation, accounts: Collection[int]) -> tuple[TakerLine, ...]:
    keys = {*pool.required, *((held.account, held.chain[0]) for held in pool.allotted)}
    found = []
    for account, taker in sorted(keys):
        if account in accounts:
            called, covered = pool.call(account, taker), pool.covered(account, taker, valuation)
            found.append(
                TakerLine(
                    account=account, taker=taker, called_cents=called, covered_cents=covered,
                    short_cents=max(called - covered, 0),
                )
            )  # fmt: skip
    return tuple(found)


def _line(
    pool: PoolBook, valuation: Valuation, account: int, chain: tuple[str, ...], asset: int, amount: int
) -> StatementLine:
    listing, taker = pool.listed[asset], chain[-1]
    haircut = E4 if taker == FREE else rules_of(taker, valuation.day).haircut_e4.get(listing.kind, E4)
    lendable = 0 if taker == FREE else valuation.lendable_cents(taker, asset, listing, amount)
    return StatementLine(
        account=account,
        taker=taker,
        chain=chain,
        asset=asset,
        kind=listing.kind,
        custodian=listing.custodian,
        amount=amount,
        market_cents=valuation.market_cents(asset, amount),
        haircut_e4=haircut,
        lendable_cents=lendable,
    )


class CustodianFailure(msgspec.Struct, frozen=True, kw_only=True):
    """What is uncovered while what a custodian holds cannot be reached, HKD cents.

    ``accounts`` by (account, taker), ``houses`` by (house, other) for what houses lodged onwards; ``reused`` is what
    the same assets counted for a second or third time.
    """

    custodian: str
    unreachable_cents: int
    accounts: dict[tuple[int, str], int]
    houses: dict[tuple[str, str], int]
    reused_cents: int


def fail_custodian(pool: PoolBook, valuation: Valuation, custodian: str) -> CustodianFailure:
    """Return what is uncovered when a custodian fails; what was uncovered before is not counted."""
    before = pool.shortfalls(valuation)
    lost = {held: amount for held, amount in pool.allotted.items() if pool.listed[held.asset].custodian == custodian}
    left = PoolBook()
    left.load(pool.dump())
    for held, amount in lost.items():
        left.allot(held, -amount)
    after = left.shortfalls(valuation)
    accounts = {key: value - before.get(key, 0) for key, value in after.items() if value > before.get(key, 0)}
    houses = {}
    for pair, required in sorted(pool.lodged.items()):
        was, now = (max(required - book.lodged_value(*pair, valuation), 0) for book in (pool, left))
        if now > was:
            houses[pair] = now - was
    worth = {held: valuation.lendable_cents(held.chain[-1], held.asset, pool.listed[held.asset], amount)
             for held, amount in lost.items()}  # fmt: skip
    market = sum(
        valuation.market_cents(asset, amount)
        for (_, asset), amount in pool.pledged.items()
        if pool.listed[asset].custodian == custodian
    )
    return CustodianFailure(
        custodian=custodian,
        unreachable_cents=market,
        accounts=accounts,
        houses=houses,
        reused_cents=sum(value for held, value in worth.items() if len(held.chain) > 1),
    )
