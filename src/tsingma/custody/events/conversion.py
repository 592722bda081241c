"""Reorganisations: what every settled balance and every pending delivery of a security becomes.

At the end of the last day before the ex-date all that stands was traded before it, so all of it is converted: settled
balances by the event's fraction rule, net positions by largest remainder, so that they still cancel out, and
instructions one by one, rounded down (T2S corporate actions standards, transformations: the pending instruction is
cancelled and replaced; contract money stays what it was).
"""

from __future__ import annotations

from collections.abc import Sequence

from tsingma.basics.money import CURRENCIES
from tsingma.custody.events.apportion import Allocation, allocate
from tsingma.custody.events.outturn import Outturn, cash_ratio, in_lieu
from tsingma.journal.corporate_action_commands import EventOption, EventTerms, FractionRule, ShareTerm


def share_term(option: EventOption) -> ShareTerm | None:
    """Return the security and ratio shares are converted into; None where they are only paid for, or lapse."""
    return option.shares[0] if option.shares else None


def converted_balances(
    terms: EventTerms, option: EventOption, accounts: Sequence[int], balances: Sequence[int]
) -> Outturn:
    """Return the new shares and the money of settled balances, as ``paid`` and ``fractions``."""
    outturn, term = Outturn(), share_term(option)
    if term is not None:
        allocation = allocate(balances, term.new, term.old, terms.fractions)
        for account, units in zip(accounts, allocation.units, strict=True):
            outturn.add(outturn.paid, account, term.security + len(CURRENCIES), units)
        in_lieu(outturn, terms, accounts, allocation)
    for cash in option.cash:
        cents = allocate(balances, *cash_ratio(cash), FractionRule.LARGEST_REMAINDER).units
        for account, amount in zip(accounts, cents, strict=True):
            outturn.add(outturn.paid, account, cash.currency, amount)
    return outturn


def converted_net(option: EventOption, quantities: Sequence[int]) -> tuple[int, ...]:
    """Return what net positions (receive +, deliver -, summing to zero) become; they sum to zero again."""
    term = share_term(option)
    if term is None:
        return (0,) * len(quantities)
    return _exactly(quantities, term.new, term.old).units


def claimed_net(option: EventOption, accounts: Sequence[int], quantities: Sequence[int]) -> Outturn:
    """Return the money that comes with net positions, as ``claims`` that cancel out."""
    outturn = Outturn()
    for cash in option.cash:
        cents = _exactly(quantities, *cash_ratio(cash)).units
        for account, amount in zip(accounts, cents, strict=True):
            outturn.add(outturn.claims, account, cash.currency, amount)
    return outturn


def converted_delivery(option: EventOption, quantity: int) -> tuple[int, dict[int, int]]:
    """Return the new quantity of a delivery between two parties and the money by currency, rounded down."""
    term = share_term(option)
    units = quantity * term.new // term.old if term is not None else 0
    money: dict[int, int] = {}
    for cash in option.cash:
        numerator, denominator = cash_ratio(cash)
        money[cash.currency] = money.get(cash.currency, 0) + quantity * numerator // denominator
    return units, money


def _exactly(quantities: Sequence[int], numerator: int, denominator: int) -> Allocation:
    return allocate(quantities, numerator, denominator, FractionRule.LARGEST_REMAINDER)
