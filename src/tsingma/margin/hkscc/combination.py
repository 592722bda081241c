"""From positions by trade to netted positions: counters combined, corporate actions applied, days netted.

Source: HKSCC Initial Margin Calculation Guide v1.4 (October 2025), appendices on multi-counter securities, corporate
actions and netting. The order is fixed: specific collateral, counters, corporate actions, netting.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from fractions import Fraction

import msgspec

from tsingma.basics.money import PRICE_SCALE
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.basics.rounding import divide_half_away
from tsingma.margin.hkscc.cover import (
    CashCover,
    DatedPosition,
    StockCover,
    cover_with_cash,
    cover_with_stock,
    rate_of,
    settlement_counter,
)
from tsingma.margin.hkscc.explanation import rounded
from tsingma.margin.hkscc.parameters import SCALE_E10
from tsingma.margin.hkscc.terms import MarginablePosition

_BUFFER_E10 = SCALE_E10 // 100
_HIGH_BASE_E10 = 445 * SCALE_E10 // 10_000
_HIGH_BUFFER_E10 = 12 * SCALE_E10 // 1_000
_HIGH_STEP_E10 = 2 * SCALE_E10 // 1_000


class CurrencyTerms(msgspec.Struct, frozen=True):
    """HKD per unit of each currency and its haircut, x 10**10; ``china_clear_haircut_e10`` is that of ChinaClear."""

    rates_e10: dict[str, int]
    haircuts_e10: dict[str, int]
    china_clear_haircut_e10: int = 0


class Entitlement(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the Corporate Action Position Adjustment Report; empty codes and zero ratios mean "does not apply"."""

    ex_date: date
    market: str
    instrument: str
    converted_instrument: str = ""
    conversion_ratio_e10: int = 0
    cash_dividend_code: str = ""
    cash_dividend_e10: int = 0  # per share; negative for what a long position receives
    stock_dividend_code: str = ""
    stock_dividend_e10: int = 0
    rights_code: str = ""
    rights_e10: int = 0


def china_clear_haircut_e10(base_e10: int, buffer_e10: int | None = None) -> int:
    """Return the CNY-HKD haircut of ChinaClear positions x 10**10: the base haircut and a buffer, reset monthly.

    The buffer is 1%; from a base of 4.45% it is 1.2% or more in steps of 0.2%, as notified, and must be given.
    Raises Rejected where it is missing or no such step.
    """
    if base_e10 < 0:
        raise refuse(RejectionReason.OUT_OF_RANGE, "the base haircut is negative", field="haircut", remedy="correct it")
    if base_e10 < _HIGH_BASE_E10:
        return base_e10 + _BUFFER_E10
    if buffer_e10 is None or buffer_e10 < _HIGH_BUFFER_E10 or (buffer_e10 - _HIGH_BUFFER_E10) % _HIGH_STEP_E10:
        raise refuse(
            RejectionReason.MISSING,
            "the base haircut is 4.45% or more and no valid buffer is given",
            field="haircut",
            remedy="give the notified buffer: 1.2% or more, in steps of 0.2%",
        )
    return base_e10 + buffer_e10


def combine_counters(
    positions: Sequence[DatedPosition],
    counters: Mapping[str, str],
    risk_currencies: Mapping[str, str],
    fx: CurrencyTerms,
) -> list[DatedPosition]:
    """Return the positions with every counter folded into its settlement counter, by instrument and dates.

    ``counters`` maps another counter to the settlement counter; ``risk_currencies`` maps settlement counters whose
    currency is not HKD. The contract value of another currency converts at rate x (1 + haircut) when payable and
    rate x (1 - haircut) when receivable; market values convert without haircut. Each position is rounded first.
    """
    combined: dict[tuple[str, date, date], DatedPosition] = {}
    for position in positions:
        code = settlement_counter(position.instrument, counters)
        currency = risk_currencies.get(code, "HKD")
        line = _converted(position, code, currency, fx)
        key = code, position.trade_date, position.settlement_date
        before = combined.get(key)
        combined[key] = line if before is None else _added(before, line)
    return list(combined.values())


def _converted(position: DatedPosition, code: str, currency: str, fx: CurrencyTerms) -> DatedPosition:
    if position.currency == currency:
        return msgspec.structs.replace(position, instrument=code)
    rate = Fraction(rate_of(position.currency, fx.rates_e10), rate_of(currency, fx.rates_e10))
    foreign = position.currency if position.currency != "HKD" else currency
    haircut = Fraction(_haircut_e10(foreign, position.market, fx), SCALE_E10)
    sign = 1 if position.contract_value > 0 else -1
    return msgspec.structs.replace(
        position,
        instrument=code,
        currency=currency,
        contract_value=rounded(position.contract_value * rate * (1 + sign * haircut)),
        market_value=rounded(position.market_value * rate),
    )


def _haircut_e10(currency: str, market: str, fx: CurrencyTerms) -> int:
    if market == "CHINACLEAR" and currency == "CNY":
        return fx.china_clear_haircut_e10
    if currency not in fx.haircuts_e10:
        raise refuse(
            RejectionReason.MISSING,
            f"no haircut of {currency} is given",
            field="haircut",
            remedy="give the haircut of every currency of the positions",
        )
    return fx.haircuts_e10[currency]


def _added(left: DatedPosition, right: DatedPosition) -> DatedPosition:
    return msgspec.structs.replace(
        left,
        quantity=left.quantity + right.quantity,
        contract_value=left.contract_value + right.contract_value,
        market_value=left.market_value + right.market_value,
    )


def apply_entitlements(
    positions: Sequence[DatedPosition], entitlements: Iterable[Entitlement], business_date: date
) -> list[DatedPosition]:
    """Return the positions adjusted for corporate actions, each followed by the entitlements it gives rise to.

    Only positions traded before an ex-date that has come are adjusted. Rows of one ex-date all apply to the quantity
    before it; ex-dates apply in order. Quantities are truncated toward zero, cash is rounded half away from zero. New
    lines carry no market value and a converted line keeps its own: revalue them at ex-prices with ``revalue``.
    """
    rows = list(entitlements)
    current = list(positions)
    for ex_date in sorted({row.ex_date for row in rows if row.ex_date <= business_date}):
        today = [row for row in rows if row.ex_date == ex_date]
        _refuse_double_conversion(today)
        current = [line for position in current for line in _after(position, today)]
    return current


def _refuse_double_conversion(rows: Sequence[Entitlement]) -> None:
    converted = [(row.market, row.instrument) for row in rows if row.conversion_ratio_e10]
    for market, instrument in converted:
        if converted.count((market, instrument)) > 1:
            raise refuse(
                RejectionReason.DUPLICATE,
                f"two conversions of one ex-date in market {market}",
                subject=instrument,
                field="Quantity Conversion Ratio",
                remedy="give one row with the combined ratio",
            )


def _after(position: DatedPosition, rows: Sequence[Entitlement]) -> list[DatedPosition]:
    mine = [
        row
        for row in rows
        if (row.instrument, row.market) == (position.instrument, position.market) and position.trade_date < row.ex_date
    ]
    lines = [position]
    for row in mine:
        if row.conversion_ratio_e10:
            code = row.converted_instrument or position.instrument
            quantity = _truncated(position.quantity * row.conversion_ratio_e10)
            lines[0] = msgspec.structs.replace(position, instrument=code, quantity=quantity)
        if row.cash_dividend_code:
            cash = divide_half_away(position.quantity * row.cash_dividend_e10, SCALE_E10)
            lines.append(_entitled(position, row.cash_dividend_code, 0, cash))
        for code, ratio_e10 in ((row.stock_dividend_code, row.stock_dividend_e10), (row.rights_code, row.rights_e10)):
            if code:
                lines.append(_entitled(position, code, _truncated(position.quantity * ratio_e10), 0))
    return lines


def _entitled(position: DatedPosition, code: str, quantity: int, contract_value: int) -> DatedPosition:
    return msgspec.structs.replace(
        position, instrument=code, quantity=quantity, contract_value=contract_value, market_value=0
    )


def _truncated(value_e10: int) -> int:
    whole = abs(value_e10) // SCALE_E10
    return whole if value_e10 >= 0 else -whole


def revalue(positions: Iterable[DatedPosition], prices_e4: Mapping[str, int]) -> list[DatedPosition]:
    """Return the positions at new prices (currency x 10**4 per unit); lines of quantity 0 are worth 0.

    Raises Rejected for a line with a quantity and no price, and for a negative price.
    """
    valued = []
    for position in positions:
        price_e4 = prices_e4.get(position.instrument, 0 if position.quantity == 0 else None)
        if price_e4 is None or price_e4 < 0:
            raise refuse(
                RejectionReason.MISSING if price_e4 is None else RejectionReason.OUT_OF_RANGE,
                "no price is given" if price_e4 is None else "the price is negative",
                subject=position.instrument,
                field="price",
                remedy="give the price of every instrument held",
            )
        value = divide_half_away(position.quantity * price_e4, PRICE_SCALE)
        valued.append(msgspec.structs.replace(position, market_value=value))
    return valued


def net_positions(positions: Iterable[DatedPosition], rates_e10: Mapping[str, int]) -> tuple[MarginablePosition, ...]:
    """Return one position per instrument over all dates, in HKD at ``rates_e10`` without haircut, first seen first.

    Every position is rounded to whole HKD before it is added.
    """
    totals: dict[str, tuple[int, int, int]] = {}
    for position in positions:
        rate_e10 = rate_of(position.currency, rates_e10)
        quantity, contract, market = totals.get(position.instrument, (0, 0, 0))
        totals[position.instrument] = (
            quantity + position.quantity,
            contract + divide_half_away(position.contract_value * rate_e10, SCALE_E10),
            market + divide_half_away(position.market_value * rate_e10, SCALE_E10),
        )
    return tuple(MarginablePosition(code, *sums) for code, sums in totals.items())


class Preparation(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that turns positions by trade into marginable ones on one business date."""

    business_date: date
    fx: CurrencyTerms
    counters: dict[str, str] = {}
    risk_currencies: dict[str, str] = {}
    stock_covers: tuple[StockCover, ...] = ()
    cash_covers: tuple[CashCover, ...] = ()
    entitlements: tuple[Entitlement, ...] = ()


def prepare_positions(positions: Sequence[DatedPosition], how: Preparation) -> tuple[MarginablePosition, ...]:
    """Return netted positions: specific collateral, then counters, corporate actions, netting, in the guide's order."""
    rates = how.fx.rates_e10
    uncovered = cover_with_stock(positions, how.stock_covers, how.business_date, how.counters, rates)
    uncovered = cover_with_cash(uncovered, how.cash_covers, how.business_date, how.counters)
    combined = combine_counters(uncovered, how.counters, how.risk_currencies, how.fx)
    adjusted = apply_entitlements(combined, how.entitlements, how.business_date)
    return net_positions(adjusted, rates)
