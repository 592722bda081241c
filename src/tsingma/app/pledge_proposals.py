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
from tsingma.app.standing_calls import StandingCall, standing_calls
from tsingma.basics.dates import to_date
from tsingma.basics.money import CURRENCIES, MINOR_SCALE
from tsingma.basics.rejection import Rejected
from tsingma.engine.house import House
from tsingma.margin.pool.selection import cheapest_pool
from tsingma.margin.pool.terms import rules_of
from tsingma.margin.resources.collateral import E4, Asset

SECURITIES = "securities"  # whose cost is one for all of them


class Proposed(msgspec.Struct, frozen=True):
    """So much of an asset for a call: market value, haircut (e4) and what it counts for, whole HKD."""

    call: str
    taker: str
    asset: str
    available: int
    value: int
    haircut_e4: int
    lendable: int


class PledgeProposal(msgspec.Struct, frozen=True):
    """What an account lacks by call (its taker, whole HKD, up) and the pledges that cover it; or why there are none.

    ``names`` are those of the calls, in their order.
    """

    account: str
    names: tuple[str, ...]
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
    found = [(account, [one for one in standing_calls(house, account) if one.due]) for account in sorted(accounts)]
    return tuple(_proposal(house, account, calls, costs_e4 or {}) for account, calls in found if calls)


def _proposal(house: House, account: int, calls: list[StandingCall], costs_e4: Mapping[str, int]) -> PledgeProposal:
    name, day = house.resolved.account_name(account), to_date(house.position.day)
    takers = {one.name: one.taker for one in calls}
    lacking = {one.name: -(-one.due // MINOR_SCALE) for one in calls}
    rules = {call: rules_of(taker, day) for call, taker in takers.items()}
    assets = _available(house, account, costs_e4)
    names, asked = tuple(takers), tuple((takers[call], amount) for call, amount in lacking.items())
    try:
        chosen = cheapest_pool(lacking, assets, rules)
    except Rejected as rejected:
        return PledgeProposal(name, names, asked, (), 0, 0, 0, rejected.rejections[0].message)
    known = {asset.id: asset for asset in assets}
    pledges = tuple(
        Proposed(one.taker, takers[one.taker], one.asset, known[one.asset].value, one.value,
                 rules[one.taker].haircut_e4.get(known[one.asset].kind, E4), one.lendable)
        for one in chosen.allotments
    )  # fmt: skip
    lendable = sum(one.lendable for one in pledges)
    return PledgeProposal(name, names, asked, pledges, chosen.pledged, lendable, chosen.cost_a_year, "")


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
