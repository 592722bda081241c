"""Offers: shares that accept, how many of them are taken, and what they get.

Accepted shares are on hold until the payment date and may be withdrawn until the deadline. An offer for part of the
shares takes them in proportion to what each account tendered; one that too few accept lapses whole.
"""

from __future__ import annotations

from collections.abc import Sequence

from tsingma.basics.money import CURRENCIES
from tsingma.basics.rounding import divide_up
from tsingma.custody.events.apportion import allocate, apportion
from tsingma.custody.events.outturn import Outturn, cash_ratio, in_lieu
from tsingma.journal.corporate_action_commands import EventTerms, FractionRule

Election = tuple[int, int, int]  # account, option, shares


def subscription_cents(terms: EventTerms, option: int, quantity: int) -> dict[int, int]:
    """Return what a holder pays to take an option on so many shares, by currency, rounded up to the cent."""
    owed: dict[int, int] = {}
    for term in terms.options[option].cash:
        if term.amount_e9 < 0 and quantity:
            numerator, denominator = cash_ratio(term)
            owed[term.currency] = owed.get(term.currency, 0) + divide_up(-numerator * quantity, denominator)
    return owed


def is_good(terms: EventTerms, elections: Sequence[Election]) -> bool:
    """Return whether enough shares accept (the minimum is 1 where none is given)."""
    return sum(quantity for _, _, quantity in elections) >= max(terms.minimum, 1)


def taken(terms: EventTerms, elections: Sequence[Election]) -> list[int]:
    """Return how many shares of each election are taken: all, or pro rata up to the limit."""
    tendered = [quantity for _, _, quantity in elections]
    return apportion(terms.limit, tendered) if 0 < terms.limit < sum(tendered) else tendered


def considered(terms: EventTerms, elections: Sequence[Election], shares: Sequence[int]) -> Outturn:
    """Return what the taken shares get: money and other shares as ``paid``, money for fractions beside.

    What holders pay (subscriptions) is not in it, see ``subscription_cents``.
    """
    outturn = Outturn()
    for place, option in enumerate(terms.options):
        mine = [(account, count) for (account, one, _), count in zip(elections, shares, strict=True) if one == place]
        accounts, counts = [account for account, _ in mine], [count for _, count in mine]
        for term in option.cash:
            if term.amount_e9 > 0:
                cents = allocate(counts, *cash_ratio(term), FractionRule.LARGEST_REMAINDER).units
                for account, amount in zip(accounts, cents, strict=True):
                    outturn.add(outturn.paid, account, term.currency, amount)
        for one in option.shares:
            allocation = allocate(counts, one.new, one.old, terms.fractions)
            for account, units in zip(accounts, allocation.units, strict=True):
                outturn.add(outturn.paid, account, one.security + len(CURRENCIES), units)
            in_lieu(outturn, terms, accounts, allocation)
    return outturn
