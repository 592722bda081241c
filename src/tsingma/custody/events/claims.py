"""Market claims on instructions settled one by one between two parties: when there is one, and what it comes to.

Sources: T2S corporate actions standards, market claims 3 to 8 (matched instructions, from the end of the record date
for 20 opening days, opt-out and ex/cum as matching fields); Clearstream, transaction management rules, scenarios for
the detection of market claims for securities in units (4 July 2022): payment date of the event as settlement date,
claims in money not in parts. Fractions of claims are rounded down.
"""

from __future__ import annotations

import msgspec

from tsingma.basics.money import CURRENCIES
from tsingma.custody.events.outturn import cash_ratio
from tsingma.journal.corporate_action_commands import SCALE_E9, EventOption

DETECTION_DAYS = 20
OPT_OUT, CUM, EX = 1, 2, 4  # as the bits of the matching field "conditions"


class Pending(msgspec.Struct, frozen=True):
    """A delivery between two accounts: ``quantity`` units of the security, settled by the record date or not."""

    number: int
    deliverer: int
    receiver: int
    quantity: int
    trade_day: int
    conditions: int
    settled: bool


class Claim(msgspec.Struct, frozen=True):
    """``units`` of an asset (cents of a currency) that one account owes another because of an instruction."""

    instruction: int
    payer: int
    payee: int
    asset: int
    units: int


def direction(*, traded_cum: bool, settled: bool, conditions: int) -> int:
    """Return 1 for a claim of the buyer on the seller, -1 for a reverse claim, 0 for none.

    ``traded_cum``: the trade date is before the ex-date; ``settled``: by the record date.
    """
    if conditions & OPT_OUT:
        return 0
    cum = traded_cum if not conditions & (CUM | EX) else bool(conditions & CUM)
    if settled:
        return 0 if cum else -1
    return 1 if cum else 0


def detect(pending: Pending, ex_day: int, option: EventOption, tax_e9: int) -> list[Claim]:
    """Return the claims of one delivery in an option of the event, money net of the standard tax rate."""
    sign = direction(traded_cum=pending.trade_day < ex_day, settled=pending.settled, conditions=pending.conditions)
    if not sign:
        return []
    payer, payee = (pending.deliverer, pending.receiver)[::sign]
    amounts: list[tuple[int, int]] = []
    for term in option.cash:
        numerator, denominator = cash_ratio(term)
        net = pending.quantity * numerator * (SCALE_E9 - tax_e9) // (denominator * SCALE_E9)
        amounts.append((term.currency, net))
    amounts.extend((one.security + len(CURRENCIES), pending.quantity * one.new // one.old) for one in option.shares)
    return [Claim(pending.number, payer, payee, asset, units) for asset, units in amounts if units and payer != payee]
