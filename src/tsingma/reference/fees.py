"""Fees, levies and stamp duties: every line of the dated tariff, for one trade or for columns of trades.

Each line is rounded by itself, as its row says; duty is rounded up for each contract note and bought and sold notes are
never pooled. The sources are in ``reference/data/fees.toml``, row by row.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.basics.money import CURRENCIES, INT64_MAX
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.basics.rounding import divide_half_away, divide_up
from tsingma.reference.kinds import InstrumentKind, TariffLine
from tsingma.reference.markets import MarketRule, market_rule
from tsingma.reference.tables import read_table, row_on

Int64 = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

RATE_SCALE_E9 = 1_000_000_000
FX_SCALE_E6 = 1_000_000
CENTS_A_DOLLAR = 100
SIDES = ("buy", "sell")


class ChargeLine(msgspec.Struct, frozen=True):
    """One charge on one side of one trade: cents of ``currency``, the rate x 10^9 and where the rule is from."""

    name: str
    amount_cents: int
    currency: str
    rate_e9: int
    source: str


@dataclass(frozen=True, slots=True)
class ChargeColumn:
    """One charge line for many trades: cents of ``currency``, int64 [n]."""

    name: str
    currency: str
    amount_cents: Int64


@cache
def tariff() -> tuple[TariffLine, ...]:
    """Return every row of the tariff."""
    return tuple(msgspec.convert(row, TariffLine) for row in read_table("fees.toml")["line"])


@cache
def lines_in_force(market: str, kind: InstrumentKind, side: str, day: date) -> tuple[TariffLine, ...]:
    """Return the rows that apply to a market (XHKG, CONNECT or SI), kind, side and day, in table order."""
    return tuple(line for line in tariff() if line.market == market and line.applies(kind, side, day))


def charges(
    *,
    market: str | MarketRule,
    kind: InstrumentKind,
    side: str,
    amount_cents: int,
    currency: str,
    day: date,
    fx_e6: int = FX_SCALE_E6,
    market_maker: bool = False,
    crossed: bool = False,
) -> list[ChargeLine]:
    """Return every charge on one side of a trade of ``amount_cents`` (consideration, in ``currency``).

    ``market`` is the code of one of the house's own markets, or the rule of any.
    ``fx_e6`` is HKD per unit of the currency at the day's stamp-duty rate x 1,000,000. A line that comes to nothing
    because of an exemption is left out. Raises Rejected: out-of-range, unknown side or currency, or a market without
    a tariff (bonds of CMU are not traded on the exchange).
    """
    found = []
    for line in _applicable(market, kind, side, amount_cents, currency, fx_e6, day):
        rate = line.rate(kind, market_maker=market_maker, crossed=crossed)
        if rate == 0:
            continue
        convert = line.currency == "HKD" and currency != "HKD"
        scale = RATE_SCALE_E9 * (FX_SCALE_E6 if convert else 1)
        exact = amount_cents * rate * (fx_e6 if convert else 1)
        if line.rounding == "dollar-up":
            cents = divide_up(exact, scale * CENTS_A_DOLLAR) * CENTS_A_DOLLAR
        else:
            cents = divide_half_away(exact, scale)
        cents = min(max(cents, line.minimum_cents), line.maximum_cents)
        found.append(ChargeLine(line.name, cents, "HKD" if line.currency == "HKD" else currency, rate, line.source))
    return found


def charge_columns(
    *,
    market: str | MarketRule,
    kind: InstrumentKind,
    side: str,
    amount_cents: Int64,
    currency: str,
    day: date,
    fx_e6: int,
    market_maker: Bools,
    crossed: Bools,
) -> list[ChargeColumn]:
    """Return what ``charges`` does for many trades of one market, kind, side, currency and day; columns of n items.

    Amounts whose products do not fit 64 bits are computed in Python integers; the answers are the same.
    """
    smallest = int(amount_cents.min()) if amount_cents.size else 0
    columns = []
    for line in _applicable(market, kind, side, smallest, currency, fx_e6, day):
        rates = [
            line.rate(kind, market_maker=maker, crossed=cross) for maker in (False, True) for cross in (False, True)
        ]
        rate = np.array(rates, np.int64)[2 * market_maker.astype(np.int64) + crossed]
        convert = line.currency == "HKD" and currency != "HKD"
        value = _times(amount_cents, fx_e6 if convert else 1)
        unit = RATE_SCALE_E9 * (FX_SCALE_E6 if convert else 1)
        cents = _rounded(value, rate, unit, dollar_up=line.rounding == "dollar-up")
        cents = np.where(rate == 0, 0, np.clip(cents, line.minimum_cents, line.maximum_cents))
        columns.append(ChargeColumn(line.name, "HKD" if line.currency == "HKD" else currency, cents))
    return columns


def portfolio_fee_cents(value_cents: int, days: int, day: date) -> int:
    """Return the HKSCC portfolio fee on an A-share portfolio of ``value_cents`` HKD held for ``days`` days.

    Source: table ``portfolio_fee``: 0.008 % a year, accrued daily on 365; rounded once, to the cent.
    """
    row = row_on(read_table("fees.toml")["portfolio_fee"], day, table="portfolio_fee")
    return divide_half_away(value_cents * row["rate_e9"] * days, RATE_SCALE_E9 * row["days_a_year"])


def voluntary_transfer_duty_cents(value_cents: int, day: date) -> int:
    """Return the stamp duty on a voluntary transfer: fixed part and rate, up to the next dollar."""
    row = row_on(read_table("fees.toml")["voluntary_transfer"], day, table="voluntary_transfer")
    exact = row["fixed_cents"] * RATE_SCALE_E9 + value_cents * row["rate_e9"]
    return divide_up(exact, RATE_SCALE_E9 * CENTS_A_DOLLAR) * CENTS_A_DOLLAR


def settlement_instruction_fee(kind: InstrumentKind, amount_cents: int, currency: str, day: date) -> ChargeLine:
    """Return the fee of one side of a broker-custodian settlement instruction."""
    line = lines_in_force("SI", kind, "buy", day)[0]
    cents = divide_half_away(amount_cents * line.rate_e9, RATE_SCALE_E9)
    cents = min(max(cents, line.minimum_cents), line.maximum_cents)
    return ChargeLine(line.name, cents, currency, line.rate_e9, line.source)


def _applicable(
    market: str | MarketRule, kind: InstrumentKind, side: str, amount_cents: int, currency: str, fx_e6: int, day: date
) -> tuple[TariffLine, ...]:
    if side not in SIDES:
        raise refuse(RejectionReason.UNKNOWN, f"no side '{side}'", field="side", remedy="buy or sell")
    if currency not in CURRENCIES:
        raise refuse(RejectionReason.UNKNOWN, f"no currency '{currency}'", field="currency")
    if amount_cents < 0:
        raise refuse(RejectionReason.OUT_OF_RANGE, f"{amount_cents} cents is negative", field="amount_cents")
    if fx_e6 <= 0 or (currency == "HKD" and fx_e6 != FX_SCALE_E6):
        raise refuse(RejectionReason.OUT_OF_RANGE, f"{fx_e6} is no rate of {currency} to HKD", field="fx_e6")
    rule = market if isinstance(market, MarketRule) else market_rule(market, day)
    own = tuple(line for line in rule.charges if line.applies(kind, side, day))
    if not rule.tariff:
        if not rule.link:
            raise refuse(RejectionReason.UNKNOWN, f"no tariff for {rule.code}", field="market")
        return own
    first = read_table("fees.toml")["complete_from"][rule.tariff]
    if day < first:
        message = f"the tariff of {rule.code} is kept from {first}, not for {day}"
        raise refuse(RejectionReason.BEYOND_HORIZON, message, field="day", remedy="add the older rows to fees.toml")
    lines = lines_in_force(rule.tariff, kind, side, day)
    if not lines:
        message = f"the tariff has nothing for {kind} on {rule.code} on {day}"
        raise refuse(RejectionReason.BEYOND_HORIZON, message, field="day")
    return (*lines, *own)


def _times(values: Int64, factor: int) -> Int64 | npt.NDArray[np.object_]:
    if factor == 1 or not values.size or int(values.max()) <= INT64_MAX // factor:
        return values * factor
    return values.astype(object) * factor


def _rounded(value: Int64 | npt.NDArray[np.object_], rate: Int64, unit: int, *, dollar_up: bool) -> Int64:
    """Return value x rate / unit, rounded; the common divisor is taken out first so that 64 bits nearly always do."""
    divisor = int(np.gcd(np.gcd.reduce(rate), unit)) if rate.size and rate.any() else 1
    factor, small = rate // divisor, unit // divisor * (CENTS_A_DOLLAR if dollar_up else 1)
    largest = int(value.max()) * int(factor.max()) if rate.size else 0
    exact = value * factor if largest + small < INT64_MAX else value.astype(object) * factor
    if dollar_up:
        return np.asarray((exact + small - 1) // small * CENTS_A_DOLLAR, np.int64)
    return (
        np.asarray((2 * exact + small) // (2 * small), np.int64)
        if largest < INT64_MAX // 4
        else np.asarray((2 * exact.astype(object) + small) // (2 * small), np.int64)
    )
