"""Margin of a link's day: what the house calls of its members, and what one house lodges with the other."""

from __future__ import annotations

from tsingma.app.house_margin import CLEARING, house_margin, marginable_positions
from tsingma.app.link_book import DirectionBook, LinkBook
from tsingma.app.link_futures import Futures
from tsingma.app.link_orders import Once
from tsingma.app.link_swaps import Swaps
from tsingma.basics.money import MINOR_SCALE
from tsingma.engine.house import FX_UNIT_E6, House
from tsingma.journal.commands import CallMargin
from tsingma.journal.link_commands import LodgeMargin
from tsingma.journal.link_events import MarginLodged
from tsingma.margin.hkscc.parameters import Parameters
from tsingma.reference.book import ParticipantKind
from tsingma.reference.fees import RATE_SCALE_E9

LINK = (ParticipantKind.LINK,)
SWAP_BASIS = "swaps: revalued history of their curves"


def margin_call(house: House, parameters: Parameters, futures: Futures, swaps: Swaps) -> CallMargin:
    """Return the call on every member with open positions: securities, futures and swaps by their own models."""
    kinds = house.resolved.book.participants
    owner = house.resolved.account_participant
    called: dict[int, int] = {}
    of_swaps = swaps.margin(house)
    for found in (futures.margin(house, parameters), of_swaps):
        for account, amount in found.items():
            if kinds[int(owner[account])].kind in CLEARING:
                called[account] = called.get(account, 0) + amount
    return house_margin(house, parameters).call(called, SWAP_BASIS if of_swaps else "")


def lodge(
    once: Once, house: House, book: LinkBook, parameters: Parameters, futures: Futures, swaps: Swaps, *, when: str
) -> list[MarginLodged]:
    """Set what each house lodges with the other for what is open over the link; returns what stands lodged now."""
    lodged = []
    for one in book.directions:
        for place, row in enumerate(one.plan.lodgings):
            rate = row.rate_e9
            basis = f"{rate / 1e7:g} % of what is open" if rate else "the model of the direction"
            hkd = (
                _open_hkd(house, one, futures) * rate // RATE_SCALE_E9
                if rate
                else _modelled_hkd(house, one, parameters, swaps)
            )
            unit = one.opens.lodgings[place].currency
            cents = hkd * MINOR_SCALE * FX_UNIT_E6 // house.fx_e6[unit]
            command = LodgeMargin(one.number, place, cents, basis)
            event = once(f"{one.plan.name}/lodge-{when}/{place}", lambda command=command: command)  # type: ignore[misc]
            if isinstance(event, MarginLodged):
                lodged.append(event)
    return lodged


def link_accounts(one: DirectionBook) -> tuple[int, ...]:
    """Return the accounts through which one house stands in the other: across, or the nominee's at home."""
    return one.home if one.plan.local else one.other


def _open_hkd(house: House, one: DirectionBook, futures: Futures) -> int:
    """Return the value of what is open over the link, whole HKD, each security by itself; futures at their notional."""
    accounts = link_accounts(one)
    found, numbers = marginable_positions(house, LINK + CLEARING)
    total = sum(value for account, _, value in futures.notional(house) if account in accounts)
    for place, account in enumerate(numbers.tolist()):
        if account in accounts:
            total += int(abs(found.market_value[int(found.start[place]) : int(found.start[place + 1])]).sum())
    return total


def _modelled_hkd(house: House, one: DirectionBook, parameters: Parameters, swaps: Swaps) -> int:
    """Return what the direction's model asks of the other house as if it were a member, whole HKD.

    Of swaps it is what either house asks of the other: their net position is one, seen from two sides.
    """
    margin = house_margin(house, parameters, LINK)
    accounts = link_accounts(one)
    of_swaps = swaps.margin(house)
    return sum(of_swaps.get(account, 0) for account in accounts) + sum(
        result.total
        for account, result in zip(margin.account.tolist(), margin.results, strict=True)
        if account in accounts
    )
