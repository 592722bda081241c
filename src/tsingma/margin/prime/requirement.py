"""The PRiME margin of one account: from positions in futures and options to the figure that is called.

Per combined commodity: scan risk + intermonth charge + spot charge = commodity risk; less intercommodity credit, not
below the short option minimum = risk margin; premium-style commodities add the cost of closing out. The order is that
of the PRiME guide's contents (v1.3, June 2017); steps that are only standard SPAN are named in :class:`PrimeSettings`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from fractions import Fraction

import msgspec
import numpy as np

from tsingma.basics.rejection import Rejected, Rejection, RejectionReason
from tsingma.margin.prime.arrays import SCENARIOS
from tsingma.margin.prime.commodity import E4, Commodity, Contract, PrimeParameters, ShortOptionMethod
from tsingma.margin.prime.spreads import (
    CommodityRisk,
    Credit,
    MonthOutcome,
    SpreadsFormed,
    intercommodity,
    intermonth,
    spot_charge,
)

QUANTITY_MAX = 10**9


class Basis(StrEnum):
    """How an account's longs and shorts meet: netted, or each side margined for itself (omnibus client accounts)."""

    NET = "net"
    GROSS = "gross"


class Pairing(StrEnum):
    """Which scenarios are averaged to take volatility out of the price risk."""

    STANDARD_SPAN = "standard-span"  # (1, 2), (3, 4) ... (13, 14); 15 and 16 with themselves
    NONE = "none"


class PrimeSettings(msgspec.Struct, frozen=True):
    """What is only standard SPAN and not confirmed for PRiME, as named choices."""

    pairing: Pairing = Pairing.STANDARD_SPAN
    cap_long_options: bool = True  # an account with long options alone never owes more than they are worth


class Position(msgspec.Struct, frozen=True):
    """Long and short contracts of one series, both not negative."""

    contract: str
    long: int
    short: int
    line: int = 0


class CommodityMargin(msgspec.Struct, frozen=True, kw_only=True):
    """One combined commodity, every step by its name; amounts in whole currency units."""

    commodity: str
    currency: str
    losses: tuple[int, ...]  # of the sixteen scenarios, netted
    scenario: int  # 1 to 16, the scenario of the scan risk; 0 when margined gross or nothing loses
    scan_risk: int
    delta_e4: int
    intermonth: tuple[SpreadsFormed, ...]
    intermonth_charge: int
    months: tuple[MonthOutcome, ...]
    spot_charge: int
    commodity_risk: int
    credits: tuple[Credit, ...]
    intercommodity_credit: int
    short_option_minimum: int
    long_option_value: int
    capped: bool
    risk_margin: int
    mark_to_market: int
    total: int


class PrimeMargin(msgspec.Struct, frozen=True, kw_only=True):
    """The margin of an account: per commodity, and the total of each currency."""

    parameters: str
    business_date: str
    basis: Basis
    commodities: tuple[CommodityMargin, ...]
    total: dict[str, int]


def prime_margin(
    parameters: PrimeParameters,
    positions: Sequence[Position],
    basis: Basis = Basis.NET,
    settings: PrimeSettings | None = None,
    *,
    file: str = "",
) -> PrimeMargin:
    """Return the margin of one account's positions.

    Raises Rejected naming file and line: an unknown contract, the same contract twice, a negative or enormous quantity,
    an option whose value is needed but whose multiplier is not given.
    """
    settings = settings or PrimeSettings()
    held = _held(parameters, positions, file)
    steps = {code: _Steps(parameters.commodities[code], lines, basis, settings) for code, lines in sorted(held.items())}
    risks = {
        code: CommodityRisk(delta_e4=step.delta_e4, weighted_price_risk=step.weighted_price_risk)
        for code, step in steps.items()
    }
    # Gross accounts hold the positions of several clients: what one is long cannot relieve what another is short.
    given = intercommodity(parameters.intercommodity, risks) if basis is Basis.NET else ()
    margins = tuple(step.margin(tuple(one for one in given if one.commodity == code)) for code, step in steps.items())
    total: dict[str, int] = {}
    for margin in margins:
        total[margin.currency] = total.get(margin.currency, 0) + margin.total
    return PrimeMargin(
        parameters=parameters.name,
        business_date=parameters.business_date,
        basis=basis,
        commodities=margins,
        total=total,
    )


Lines = list[tuple[Contract, Position]]


def _held(parameters: PrimeParameters, positions: Sequence[Position], file: str) -> dict[str, Lines]:
    """Return the lines of each commodity; raises Rejected with everything that is wrong."""
    held: dict[str, Lines] = {}
    faults: list[Rejection] = []
    seen: dict[str, int] = {}
    for position in positions:
        contract = parameters.contracts.get(position.contract)
        wrong = _position_fault(position, contract, parameters, seen)
        if wrong:
            reason, field, message = wrong
            faults.append(
                Rejection(
                    reason=reason,
                    file=file,
                    line=position.line,
                    field=field,
                    subject=f"contract {position.contract}",
                    message=message,
                )
            )
        elif contract is not None:
            held.setdefault(contract.commodity, []).append((contract, position))
    if faults:
        raise Rejected(*faults)
    return held


def _position_fault(
    position: Position, contract: Contract | None, parameters: PrimeParameters, seen: dict[str, int]
) -> tuple[RejectionReason, str, str] | None:
    if contract is None:
        return RejectionReason.UNKNOWN, "contract", f"is not in {parameters.name}"
    before = seen.setdefault(position.contract, position.line)
    if before != position.line:
        return RejectionReason.DUPLICATE, "contract", f"stands on line {before} already"
    for name in ("long", "short"):
        if not 0 <= getattr(position, name) <= QUANTITY_MAX:
            return RejectionReason.OUT_OF_RANGE, name, f"{getattr(position, name)} is not 0 to {QUANTITY_MAX}"
    if contract.is_option and contract.multiplier == 0:
        return RejectionReason.MISSING, "multiplier", "an option needs the multiplier that turns its price into money"
    return None


class _Steps:
    """The steps of one combined commodity, computed once and read by name."""

    def __init__(self, commodity: Commodity, lines: Lines, basis: Basis, settings: PrimeSettings) -> None:
        self._commodity, self._lines, self._basis, self._settings = commodity, lines, basis, settings
        arrays = np.array([contract.array for contract, _ in lines], np.int64).reshape(-1, SCENARIOS)
        long = np.array([position.long for _, position in lines], np.int64)
        short = np.array([position.short for _, position in lines], np.int64)
        self.losses = tuple(int(loss) for loss in (long - short) @ arrays)
        worst = max(range(SCENARIOS), key=lambda scenario: (self.losses[scenario], -scenario))
        if basis is Basis.GROSS:
            sides = np.maximum(arrays.max(axis=1), 0) * long + np.maximum((-arrays).max(axis=1), 0) * short
            self.scenario, self.scan_risk = 0, int(sides.sum())
        else:
            self.scan_risk = max(self.losses[worst], 0)
            self.scenario = worst + 1 if self.scan_risk else 0
        self._worst = worst
        self.months: dict[int, int] = {}
        for contract, position in lines:
            delta = (position.long - position.short) * contract.delta_e4 * contract.scaling_e4
            self.months[contract.month] = self.months.get(contract.month, 0) + delta
        self.months = {month: _nearest(delta, E4) for month, delta in self.months.items()}
        self.delta_e4 = sum(self.months.values())

    @property
    def weighted_price_risk(self) -> Fraction:
        """Return price risk per delta: (scan scenario + its pair) / 2 - time risk, over the net delta."""
        if not self.delta_e4:
            return Fraction(0)
        pair = self._worst
        if self._settings.pairing is Pairing.STANDARD_SPAN and self._worst < SCENARIOS - 2:
            pair = self._worst ^ 1
        time_risk = Fraction(self.losses[0] + self.losses[1], 2)
        price_risk = Fraction(self.losses[self._worst] + self.losses[pair], 2) - time_risk
        return max(price_risk * E4 / abs(self.delta_e4), Fraction(0))

    def margin(self, given: tuple[Credit, ...]) -> CommodityMargin:
        """Return the margin of this commodity after its intercommodity credits."""
        commodity = self._commodity
        formed, outcome = intermonth(commodity, self.months)
        charge, spot = sum(each.amount for each in formed), spot_charge(commodity, outcome)
        risk = self.scan_risk + charge + spot
        credit, minimum = sum(each.amount for each in given), self._short_option_minimum()
        risk_margin = max(risk - credit, minimum)
        value = sum(contract.premium() * position.long for contract, position in self._lines if contract.is_option)
        only_long = all(contract.is_option and not position.short for contract, position in self._lines)
        capped = self._settings.cap_long_options and only_long and risk_margin > value
        risk_margin = value if capped else risk_margin
        marks = self._mark_to_market() if commodity.premium_style else 0
        return CommodityMargin(
            commodity=commodity.code, currency=commodity.currency, losses=self.losses, scenario=self.scenario,
            scan_risk=self.scan_risk, delta_e4=self.delta_e4, intermonth=formed, intermonth_charge=charge,
            months=outcome, spot_charge=spot, commodity_risk=risk, credits=given, intercommodity_credit=credit,
            short_option_minimum=minimum, long_option_value=value, capped=capped, risk_margin=risk_margin,
            mark_to_market=marks, total=risk_margin + marks,
        )  # fmt: skip

    def _short_option_minimum(self) -> int:
        short = {"C": 0, "P": 0}
        for contract, position in self._lines:
            if contract.is_option:
                net = position.short - (position.long if self._basis is Basis.NET else 0)
                short[contract.right] += max(net, 0)
        both = self._commodity.short_option_method is ShortOptionMethod.CALLS_AND_PUTS
        return self._commodity.short_option_minimum * (sum(short.values()) if both else max(short.values()))

    def _mark_to_market(self) -> int:
        """Return what closing out would cost: value of shorts less value of longs (negative is a gain)."""
        return sum(
            contract.premium() * (position.short - position.long)
            for contract, position in self._lines
            if contract.is_option
        )


def _nearest(value: int, unit: int) -> int:
    """Return value / unit to the nearest whole number, halves away from zero."""
    size = (2 * abs(value) + unit) // (2 * unit)
    return size if value >= 0 else -size


def totals_in(margin: PrimeMargin, currency: str, rates_e6: Mapping[str, int]) -> int:
    """Return the total in one currency, each other one converted at ``rates_e6`` units x 10**6, rounded up.

    Raises Rejected (missing) for a currency without a rate.
    """
    amount = 0
    for code, value in margin.total.items():
        if code != currency and code not in rates_e6:
            message = f"there is no rate from {code} to {currency}"
            raise Rejected(Rejection(reason=RejectionReason.MISSING, field="rates", message=message))
        rate = 1_000_000 if code == currency else rates_e6[code]
        amount += -(-value * rate // 1_000_000)
    return amount
