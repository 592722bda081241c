"""What a distribution comes to: money and shares for each account, claims through the central counterparty, tax.

The issuer pays on settled shares. A claim is the difference between what an account is entitled to by trade date and
what it is paid on settled shares; claims cancel out in every asset. Tax is withheld from who is paid by the issuer, at
its own rate; a claim on money is made net of the regime's standard rate, the same for both sides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tsingma.basics.money import CURRENCIES, MINOR_SCALE
from tsingma.custody.events.apportion import Allocation, allocate, apportion
from tsingma.custody.events.entitlement import Chosen, Entitled
from tsingma.journal.corporate_action_commands import (
    SCALE_E9,
    CashTerm,
    EventOption,
    EventTerms,
    FractionRule,
    ShareTerm,
)

_CASH_SCALE = SCALE_E9 * SCALE_E9
Amounts = dict[tuple[int, int], int]  # (account, asset) -> units, or cents


@dataclass(frozen=True, slots=True)
class TaxRates:
    """Parts of a distribution withheld, x 10**9: the standard rate, and that of accounts that differ from it."""

    standard_e9: int = 0
    own_e9: Mapping[int, int] = field(default_factory=dict)


@dataclass(slots=True)
class Outturn:
    """What moves: paid by the issuer (after tax), claimed (receives +, owes -), in lieu of fractions, and withheld."""

    paid: Amounts = field(default_factory=dict)
    claims: Amounts = field(default_factory=dict)
    fractions: Amounts = field(default_factory=dict)
    tax: Amounts = field(default_factory=dict)

    def add(self, part: Amounts, account: int, asset: int, units: int) -> None:
        """Add units to one of the four parts; nothing is left out."""
        if units:
            part[account, asset] = part.get((account, asset), 0) + units

    @staticmethod
    def total(part: Amounts) -> dict[int, int]:
        """Return the sum of a part by asset."""
        sums: dict[int, int] = {}
        for (_, asset), units in part.items():
            sums[asset] = sums.get(asset, 0) + units
        return sums


def cash_ratio(term: CashTerm) -> tuple[int, int]:
    """Return cents for one share as numerator and denominator, exactly."""
    return term.amount_e9 * term.rate_e9 * MINOR_SCALE, _CASH_SCALE


def distribute(
    terms: EventTerms, rows: Sequence[Entitled], chosen: Chosen, tax: TaxRates, only: int | None = None
) -> Outturn:
    """Return what every account gets and owes, of ``only`` one option or of all (the sum of those).

    Amounts are exact in total, see ``apportion`` for who takes the rest.
    """
    outturn = Outturn()
    for place, option in enumerate(terms.options):
        if only not in (None, place):
            continue
        direct = [row[place] for row in chosen.direct]
        claims = [row[place] for row in chosen.claims]
        _option(outturn, terms, option, [row.account for row in rows], direct, claims, tax)
    return outturn


def _option(
    outturn: Outturn,
    terms: EventTerms,
    option: EventOption,
    accounts: Sequence[int],
    direct: Sequence[int],
    claims: Sequence[int],
    tax: TaxRates,
) -> None:
    net = [own + pending for own, pending in zip(direct, claims, strict=True)]
    for term in option.cash:
        entitled = allocate(net, *cash_ratio(term), FractionRule.LARGEST_REMAINDER).units
        _cash(outturn, term.currency, accounts, paid_on_settled(entitled, direct, claims), entitled, tax)
    for one in option.shares:
        allocation = _shares(net, direct, one, terms.fractions)
        paid = paid_on_settled(allocation.units, direct, claims)
        asset = one.security + len(CURRENCIES)
        for account, due, units in zip(accounts, allocation.units, paid, strict=True):
            outturn.add(outturn.paid, account, asset, units)
            outturn.add(outturn.claims, account, asset, due - units)
        in_lieu(outturn, terms, accounts, allocation)


def _cash(
    outturn: Outturn,
    currency: int,
    accounts: Sequence[int],
    paid: Sequence[int],
    entitled: Sequence[int],
    tax: TaxRates,
) -> None:
    """Withhold from what is paid on settled shares, and claim the difference net of the standard rate."""
    gross = [due - cents for due, cents in zip(entitled, paid, strict=True)]
    claims = allocate(gross, SCALE_E9 - tax.standard_e9, SCALE_E9, FractionRule.LARGEST_REMAINDER).units
    for account, cents, claim in zip(accounts, paid, claims, strict=True):
        withheld = cents * tax.own_e9.get(account, tax.standard_e9) // SCALE_E9
        outturn.add(outturn.paid, account, currency, cents - withheld)
        outturn.add(outturn.tax, account, currency, withheld)
        outturn.add(outturn.claims, account, currency, claim)


def _shares(net: Sequence[int], direct: Sequence[int], term: ShareTerm, rule: FractionRule) -> Allocation:
    """Return whole shares by the rule, or by largest remainder where the rule cannot be met from settled shares."""
    allocation = allocate(net, term.new, term.old, rule)
    total = sum(allocation.units)
    if total < 0 or (total and not any(direct)):
        return allocate(net, term.new, term.old, FractionRule.LARGEST_REMAINDER)
    return allocation


def paid_on_settled(entitled: Sequence[int], direct: Sequence[int], claims: Sequence[int]) -> list[int]:
    """Return what the issuer pays each account: its entitlement where nothing is pending, a part of the rest elsewhere.

    The sum is that of the entitlements, so that claims cancel out.
    """
    pending = [place for place, claim in enumerate(claims) if claim]
    rest, base = sum(entitled[place] for place in pending), sum(direct[place] for place in pending)
    if rest < 0 or (rest and not base):  # a cent of rounding that only those without pending positions can bear
        return apportion(sum(entitled), direct)
    paid = list(entitled)
    for place, units in zip(pending, apportion(rest, [direct[one] for one in pending]), strict=True):
        paid[place] = units
    return paid


def in_lieu(outturn: Outturn, terms: EventTerms, accounts: Sequence[int], allocation: Allocation) -> None:
    """Add the money for fractions of shares, where the terms give one and nobody owes a fraction."""
    price = terms.fraction_price
    if price is None or min(allocation.fractions, default=0) < 0:
        return
    numerator, denominator = cash_ratio(price)
    cents = allocate(
        allocation.fractions, numerator, denominator * allocation.denominator, FractionRule.LARGEST_REMAINDER
    )
    for account, amount in zip(accounts, cents.units, strict=True):
        outturn.add(outturn.fractions, account, price.currency, amount)
