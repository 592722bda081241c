"""The figures one report shows: frozen input, filled by the caller, checked here to add up before it is drawn.

Money is integer cents of the named currency; margin is whole HKD, as in the HKSCC guide; quantities are shares.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import msgspec

from tsingma.basics.rejection import InvariantBroken

STOCK = "stock"
MONEY = "money"
SHARES = "shares"


class CurrencyAmount(msgspec.Struct, frozen=True):
    """Cents of one currency."""

    currency: str
    amount_cents: int


class NettingFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What continuous net settlement did: two legs per trade before, positions after; values in ``currency`` cents.

    Values of several currencies are given as one HKD equivalent.
    """

    legs_before: int
    positions_after: int
    gross_value_cents: int
    net_value_cents: int
    currency: str = "HKD"


class RunFigures(msgspec.Struct, frozen=True, kw_only=True):
    """One settlement run: what it settled (stock side, HKD equivalent) and how many positions stay open after it."""

    step: str
    positions_settled: int
    shares_delivered: int
    value_cents: int
    open_after: int


class DueFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Due = settled + open (+ cancelled), in number and in amount.

    ``side`` is ``stock`` or ``money``; ``unit`` is ``shares`` (amounts are shares) or a currency (amounts are cents).
    """

    side: str
    unit: str
    due: int
    settled: int
    open: int
    due_amount: int
    settled_amount: int
    open_amount: int
    cancelled: int = 0
    cancelled_amount: int = 0


class FailFigures(msgspec.Struct, frozen=True):
    """Positions still open at day end with one cause, and their value in HKD cents."""

    cause: str
    positions: int
    value_cents: int


class InstructionFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Gross instructions of one kind (isolated, real-time DvP): submitted = settled + open + cancelled."""

    kind: str
    submitted: int
    settled: int
    open: int
    cancelled: int


class ChargeFigures(msgspec.Struct, frozen=True):
    """One line of fees and duties, for example ``stamp-duty``, in cents of its currency."""

    line: str
    currency: str
    amount_cents: int


class MarginCallFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Margin call of the day, HKD cents: requirement, pledged against it, and what is still missing."""

    accounts: int
    requirement_cents: int
    pledged_cents: int
    shortfall_cents: int


class InvariantFigures(msgspec.Struct, frozen=True):
    """One invariant, what was compared to check it, and whether it held."""

    name: str
    checked: str
    held: bool


class StageSeconds(msgspec.Struct, frozen=True):
    """How long one stage took, in milliseconds."""

    stage: str
    milliseconds: int


class DayFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Everything one business day came to."""

    day: date
    trades: int
    gross: tuple[CurrencyAmount, ...] = ()
    netting: NettingFigures
    runs: tuple[RunFigures, ...] = ()
    due: tuple[DueFigures, ...] = ()
    fails: tuple[FailFigures, ...] = ()
    late_fees: tuple[CurrencyAmount, ...] = ()
    buy_in_requests: int = 0
    payment_failures: int = 0
    instructions: tuple[InstructionFigures, ...] = ()
    charges: tuple[ChargeFigures, ...] = ()
    margin_call: MarginCallFigures | None = None
    invariants: tuple[InvariantFigures, ...] = ()
    state_hash: str = ""
    journal_sequence: int = 0
    journal_hash: str = ""
    stages: tuple[StageSeconds, ...] = ()


class PositionContribution(msgspec.Struct, frozen=True, kw_only=True):
    """One position of a margin account and its part of the portfolio margin, HKD (below 0 where it hedges)."""

    instrument: str
    quantity: int
    market_value_hkd: int
    contribution_hkd: int


class ParticipantMargin(msgspec.Struct, frozen=True, kw_only=True):
    """Margin of one account in whole HKD, component by component (HKSCC margin guide v1.4).

    aggregate = the six components; rounded = aggregate rounded up; net = max(rounded - favourable MTM, 0);
    total = max(net - credit, 0) + MTM requirement + position limit + credit risk + ad hoc add-ons.
    ``mtm_hkd`` above 0 is favourable, below 0 a requirement of that size. ``tail_scenarios`` count from 1.
    """

    participant: str
    account_class: str
    portfolio_hkd: int
    flat_rate_hkd: int = 0
    liquidation_hkd: int = 0
    structured_hkd: int = 0
    corporate_action_hkd: int = 0
    holiday_hkd: int = 0
    aggregate_hkd: int
    rounded_hkd: int
    mtm_hkd: int = 0
    net_hkd: int
    credit_hkd: int = 0
    position_limit_hkd: int = 0
    credit_risk_hkd: int = 0
    ad_hoc_hkd: int = 0
    total_hkd: int
    positions: int = 0
    top_positions: tuple[PositionContribution, ...] = ()
    hvar_tail_scenarios: tuple[int, ...] = ()
    svar_tail_scenarios: tuple[int, ...] = ()

    def components(self) -> tuple[tuple[str, int], ...]:
        """Return (component, HKD) of the six parts of the aggregate."""
        return (
            ("Portfolio margin", self.portfolio_hkd),
            ("Flat rate margin", self.flat_rate_hkd),
            ("Liquidation risk", self.liquidation_hkd),
            ("Structured products", self.structured_hkd),
            ("Corporate actions", self.corporate_action_hkd),
            ("Holiday", self.holiday_hkd),
        )

    def addons(self) -> tuple[tuple[str, int], ...]:
        """Return (component, HKD) of what is added after the margin credit."""
        return (
            ("Mark to market", max(-self.mtm_hkd, 0)),
            ("Position limit", self.position_limit_hkd),
            ("Credit risk", self.credit_risk_hkd),
            ("Ad hoc", self.ad_hoc_hkd),
        )


class BacktestRow(msgspec.Struct, frozen=True, kw_only=True):
    """Tier P margin rates of one name and how they would have done; rates and coverage are shares of 1."""

    name: str
    rate_long: float
    rate_short: float
    days: int
    exceedances: int
    coverage: float
    p_value: float


class CrossRow(msgspec.Struct, frozen=True, kw_only=True):
    """One account at several houses, whole HKD: alone, joint, with every house covered on its own, and in one pot."""

    account: str
    houses: tuple[str, ...]
    alone: int
    joint: int
    called: int
    one_pot: int


class HouseReport(msgspec.Struct, frozen=True, kw_only=True):
    """One report: ``label`` says where prices and trades come from and is shown beside the title.

    ``margins`` are those of the last day of the period. ``generated`` is printed as given, never made here.
    """

    title: str
    label: str
    period: tuple[date, ...]
    days: tuple[DayFigures, ...]
    simulated: bool = True
    margins: tuple[ParticipantMargin, ...] = ()
    backtest: tuple[BacktestRow, ...] = ()
    backtest_note: str = ""
    cross: tuple[CrossRow, ...] = ()
    notes: tuple[str, ...] = ()
    generated: str = ""


def check_report(report: HouseReport) -> HouseReport:
    """Return the report, or raise InvariantBroken naming the first figure whose parts do not add up to it."""
    if not report.days:
        raise InvariantBroken("a report needs at least one day")
    for day in report.days:
        _check_day(day)
    for margin in report.margins:
        _check_margin(margin)
    for row in report.cross:
        if not 0 <= row.joint <= row.called <= row.alone:
            raise InvariantBroken(f"{row.account}: joint, called and alone are out of order")
    return report


def by_currency(amounts: Iterable[CurrencyAmount]) -> tuple[CurrencyAmount, ...]:
    """Return the amounts summed per currency, in order of first appearance."""
    sums: dict[str, int] = {}
    for amount in amounts:
        sums[amount.currency] = sums.get(amount.currency, 0) + amount.amount_cents
    return tuple(CurrencyAmount(currency, cents) for currency, cents in sums.items())


def _check_day(day: DayFigures) -> None:
    for row in day.due:
        where = f"{day.day} {row.side} {row.unit}"
        _same(f"{where} due (number)", row.due, row.settled + row.open + row.cancelled)
        _same(f"{where} due (amount)", row.due_amount, row.settled_amount + row.open_amount + row.cancelled_amount)
    for kind in day.instructions:
        _same(f"{day.day} {kind.kind} submitted", kind.submitted, kind.settled + kind.open + kind.cancelled)


def _check_margin(margin: ParticipantMargin) -> None:
    where = f"{margin.participant}/{margin.account_class}"
    _same(f"{where} aggregate", margin.aggregate_hkd, sum(amount for _, amount in margin.components()))
    net = max(margin.rounded_hkd - max(margin.mtm_hkd, 0), 0)
    _same(f"{where} net margin", margin.net_hkd, net)
    after_credit = max(net - margin.credit_hkd, 0)
    _same(f"{where} total", margin.total_hkd, after_credit + sum(amount for _, amount in margin.addons()))


def _same(what: str, figure: int, parts: int) -> None:
    if figure != parts:
        raise InvariantBroken(f"report: {what} is {figure:,} but its parts add up to {parts:,}")
