"""Marks to market across currencies, at day end and at the intra-day runs of 11:00 and 14:00.

Source: HKSCC Initial Margin Calculation Guide v1.4 (October 2025), appendices on cross-currency and intra-day MTM. The
sign is that of the appendices: contract value - market value, positive is a loss to the participant.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

import msgspec

from tsingma.basics.money import PRICE_SCALE
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.margin.hkscc.explanation import Explanation, explain, rounded
from tsingma.margin.hkscc.parameters import SCALE_E10


class MarkLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line to mark, in its risk currency; an unposted debit is a line of quantity 0 and price 0."""

    instrument: str
    quantity: Fraction
    contract_value: Fraction
    currency: str
    price_e4: int
    due_today: bool = False


class Exchange(msgspec.Struct, frozen=True):
    """HKD per unit of a currency and its haircut, both x 10**10."""

    rate_e10: int
    haircut_e10: int


class Marks(msgspec.Struct, frozen=True):
    """Marks of one participant in whole HKD; of requirement and favourable MTM one is 0."""

    requirement: int
    favourable: int
    explanation: Explanation


HOME = Exchange(SCALE_E10, 0)


def mark_line(
    instrument: str, quantity: int, contract_value: int, currency: str, price_e4: int, *, due_today: bool = False
) -> MarkLine:
    """Return a line of whole quantity and contract value; raises Rejected for a negative price."""
    if price_e4 < 0:
        raise refuse(
            RejectionReason.OUT_OF_RANGE,
            "the price is negative",
            subject=instrument,
            field="price",
            remedy="correct it",
        )
    return MarkLine(
        instrument=instrument,
        quantity=Fraction(quantity),
        contract_value=Fraction(contract_value),
        currency=currency,
        price_e4=price_e4,
        due_today=due_today,
    )


def marks(lines: Iterable[MarkLine], rates: Mapping[str, Exchange]) -> Marks:
    """Return the marks of the lines: each line rounded, netted by currency, then converted.

    A net loss converts at rate x (1 + haircut), a net gain at rate x (1 - haircut); each converted amount is rounded,
    halves away from zero, before the currencies offset. Raises Rejected for a currency without a rate.
    """
    by_currency: dict[str, list[Explanation]] = {}
    for line in lines:
        loss = rounded(line.contract_value - line.quantity * line.price_e4 / PRICE_SCALE)
        by_currency.setdefault(line.currency, []).append(explain(line.instrument, loss, "contract - market value"))
    parts = []
    for currency, losses in by_currency.items():
        net = sum(int(loss.amount) for loss in losses)
        exchange = _exchange(currency, rates)
        haircut = Fraction(exchange.haircut_e10, SCALE_E10) * (1 if net > 0 else -1)
        amount = rounded(net * Fraction(exchange.rate_e10, SCALE_E10) * (1 + haircut))
        inputs = [("net", net), ("rate", Fraction(exchange.rate_e10, SCALE_E10)), ("haircut applied", haircut)]
        inputs += [(f"of which {loss.component}", loss.amount) for loss in losses]
        parts.append(explain(currency, amount, "net x rate x (1 +/- haircut)", inputs))
    total = sum(int(part.amount) for part in parts)
    tree = explain("mark_to_market", total, "sum over currencies; positive is a loss", [], parts)
    return Marks(max(total, 0), max(-total, 0), tree)


def marks_at_11(
    lines: Sequence[MarkLine],
    rates: Mapping[str, Exchange],
    *,
    unposted_debits: Mapping[str, int],
    paid_hkd: int,
) -> Marks:
    """Return the marks of the 11:00 run.

    ``unposted_debits`` (by currency) are stock received and not yet paid: they count as long lines without market
    value. ``paid_hkd`` is cash prepaid, or unposted credit. Due-today longs and the debits shrink by
    min(1, paid / gross payable of the day); shorts do not.
    """
    if paid_hkd < 0 or any(amount < 0 for amount in unposted_debits.values()):
        raise refuse(
            RejectionReason.OUT_OF_RANGE, "a payment or unposted debit is negative", field="paid", remedy="give amounts"
        )
    debits = [
        mark_line("unposted debit", 0, amount, currency, 0, due_today=True)
        for currency, amount in unposted_debits.items()
    ]
    every = [*lines, *debits]
    kept = 1 - offset_ratio(every, rates, paid_hkd)
    return marks([_shrunk(line, kept) if _is_payable_today(line) else line for line in every], rates)


def marks_at_14(lines: Sequence[MarkLine], rates: Mapping[str, Exchange]) -> Marks:
    """Return the marks of the 14:00 run before a long holiday: whatever settles today is left out, payments too."""
    return marks([line for line in lines if not line.due_today], rates)


def offset_ratio(lines: Iterable[MarkLine], rates: Mapping[str, Exchange], paid_hkd: int) -> Fraction:
    """Return min(1, paid / gross payable due today), at rates without haircut; 0 when nothing is payable."""
    payable = sum(
        (
            line.contract_value * Fraction(_exchange(line.currency, rates).rate_e10, SCALE_E10)
            for line in lines
            if _is_payable_today(line)
        ),
        Fraction(0),
    )
    return min(Fraction(1), paid_hkd / payable) if payable else Fraction(0)


def _is_payable_today(line: MarkLine) -> bool:
    return line.due_today and line.quantity >= 0 and line.contract_value > 0


def _shrunk(line: MarkLine, kept: Fraction) -> MarkLine:
    return msgspec.structs.replace(line, quantity=line.quantity * kept, contract_value=line.contract_value * kept)


def _exchange(currency: str, rates: Mapping[str, Exchange]) -> Exchange:
    if currency == "HKD":
        return HOME
    if currency not in rates:
        raise refuse(
            RejectionReason.MISSING,
            f"no rate of {currency} to HKD is given",
            field="currency",
            remedy="give rate and haircut of every currency of the lines",
        )
    return rates[currency]
