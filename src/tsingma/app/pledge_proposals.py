"""The cheapest pledge for what an account lacks: one linear programme over its calls and what it has available.

Its own money counts as cash, securities count where the pool of collateral lists them. What pledging costs a year is
the reader's to say; where nothing is said, the cheapest is what ties up the least market value. It proposes; nothing
is pledged by it. Whole HKD.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import numpy as np

from tsingma.app.holding_reads import value_of
from tsingma.basics.dates import to_date
from tsingma.basics.money import CURRENCIES, MINOR_SCALE
from tsingma.basics.rejection import Rejected
from tsingma.engine.house import House
from tsingma.engine.pooling import valuation
from tsingma.margin.pool.selection import cheapest_pool
from tsingma.margin.pool.terms import rules_of
from tsingma.margin.resources.collateral import E4, Asset

SECURITIES = "securities"  # whose cost is one for all of them
CALLER = "HKSCC"  # who calls margin of the house's own continuous net settlement


class Proposed(msgspec.Struct, frozen=True):
    """So much of an asset for a taker's call: market value, haircut (e4) and what it counts for, whole HKD."""

    taker: str
    asset: str
    available: int
    value: int
    haircut_e4: int
    lendable: int


class PledgeProposal(msgspec.Struct, frozen=True):
    """What an account lacks by taker (whole HKD, up) and the pledges that cover it; or why there are none."""

    account: str
    calls: tuple[tuple[str, int], ...]
    pledges: tuple[Proposed, ...]
    pledged: int
    lendable: int
    cost_a_year: int
    refused: str


def proposals_of(
    house: House, participant: str, costs_e4: Mapping[str, int] | None = None
) -> tuple[PledgeProposal, ...]:
    """Return a proposal for each account of a participant that lacks something, in order of accounts.

    ``costs_e4`` is what pledging costs a year (10,000 is all of the value), by currency, and of ``SECURITIES``.
    """
    book = house.resolved
    accounts = [place for (owner, _), place in book.account_index.items() if owner == participant]
    found = [(account, _calls(house, account)) for account in sorted(accounts)]
    return tuple(_proposal(house, account, calls, costs_e4 or {}) for account, calls in found if calls)


def _calls(house: House, account: int) -> dict[str, int]:
    """Return what is lacking by taker: of the last margin call, and of calls on the pool."""
    margin, pool = house.margin, house.pool
    mine = margin.account == account
    lacks = int((margin.requirement_cents[mine] - margin.pledged_cents[mine]).sum())
    calls = {CALLER: -(-lacks // MINOR_SCALE)} if lacks > 0 else {}
    for owner, taker in sorted(pool.required):
        short = pool.call(account, taker) - pool.covered(account, taker, valuation(house)) if owner == account else 0
        if short > 0:
            calls[taker] = calls.get(taker, 0) - (-short // MINOR_SCALE)
    return calls


def _proposal(house: House, account: int, calls: dict[str, int], costs_e4: Mapping[str, int]) -> PledgeProposal:
    name, day = house.resolved.account_name(account), to_date(house.position.day)
    rules = {taker: rules_of(taker, day) for taker in calls}
    assets = _available(house, account, costs_e4)
    asked = tuple(calls.items())
    try:
        chosen = cheapest_pool(calls, assets, rules)
    except Rejected as rejected:
        return PledgeProposal(name, asked, (), 0, 0, 0, rejected.rejections[0].message)
    known = {asset.id: asset for asset in assets}
    pledges = tuple(
        Proposed(one.taker, one.asset, known[one.asset].value, one.value,
                 rules[one.taker].haircut_e4.get(known[one.asset].kind, E4), one.lendable)
        for one in chosen.allotments
    )  # fmt: skip
    lendable = sum(one.lendable for one in pledges)
    return PledgeProposal(name, asked, pledges, chosen.pledged, lendable, chosen.cost_a_year, "")


def _available(house: House, account: int, costs_e4: Mapping[str, int]) -> list[Asset]:
    """Return what an account could pledge now, with its market value; what has no price counts for nothing."""
    ledger, found = house.ledger, []
    for row in np.flatnonzero(ledger.owner == account).tolist():
        asset = int(ledger.asset[row])
        amount = int(ledger.balance[row] - ledger.held[row] - ledger.pledged[row])
        if asset < len(CURRENCIES):
            kind, cost_e4 = f"cash.{CURRENCIES[asset]}", costs_e4.get(CURRENCIES[asset], 0)
        elif asset in house.pool.listed:
            kind, cost_e4 = house.pool.listed[asset].kind, costs_e4.get(SECURITIES, 0)
        else:
            continue
        worth = value_of(house, asset, amount) if amount > 0 else None
        if worth and worth >= MINOR_SCALE:
            name = house.resolved.asset_name(asset)
            found.append(Asset(id=name, kind=kind, value=worth // MINOR_SCALE, cost_e4=cost_e4))
    return found
