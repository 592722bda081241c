"""One made-up house report, and a smaller hostile one; figures are invented here and add up."""

from __future__ import annotations

from datetime import date

import msgspec
import pytest

from tsingma.reports.figures import (
    BacktestRow,
    ChargeFigures,
    CurrencyAmount,
    DayFigures,
    DueFigures,
    FailFigures,
    HouseReport,
    InstructionFigures,
    InvariantFigures,
    MarginCallFigures,
    NettingFigures,
    ParticipantMargin,
    PositionContribution,
    RunFigures,
    StageSeconds,
)

PERIOD = tuple(date(2026, 1, number) for number in (5, 6, 7, 8, 9))
_INVARIANTS = (
    ("double-entry", "sum of all accounts is zero for each of 151 assets"),
    ("floors", "no available balance below its floor, 31,204 rows"),
    ("central-counterparty-flat", "central counterparty holds nothing per asset and date"),
    ("due-accounted", "due = settled + open in number and amount, 151 counters"),
    ("chain", "every journal record carries the hash of the one before"),
    ("replay", "replay from zero gives the same state hash"),
)


def _runs(index: int) -> tuple[RunFigures, ...]:
    left, runs = 24_000 + 310 * index, []
    for place, share in enumerate((71, 14, 6, 4)):
        settled = (24_000 + 310 * index) * share // 100
        left -= settled
        runs.append(
            RunFigures(
                step=f"batch-run-{place + 1}",
                positions_settled=settled,
                shares_delivered=settled * 8_300,
                value_cents=settled * 91_234_567,
                open_after=left,
            )
        )
    return tuple(runs)


def _due(index: int) -> tuple[DueFigures, ...]:
    due, opened = 24_000 + 310 * index, 1_201 + 17 * index
    rows = [
        DueFigures(
            side="stock",
            unit="shares",
            due=due,
            settled=due - opened,
            open=opened,
            due_amount=due * 8_300,
            settled_amount=(due - opened) * 8_300,
            open_amount=opened * 8_300,
        )
    ]
    for unit, size in (("HKD", 412), ("CNY", 96)):
        rows.append(
            DueFigures(
                side="money",
                unit=unit,
                due=size,
                settled=size - 2,
                open=2,
                due_amount=size * 912_345_678,
                settled_amount=(size - 2) * 912_345_678,
                open_amount=2 * 912_345_678,
            )
        )
    return tuple(rows)


def _charges(index: int) -> tuple[ChargeFigures, ...]:
    lines = {
        "stamp-duty": 6_012_345_600,
        "trading-fee": 339_700_123,
        "sfc-levy": 162_333_007,
        "afrc-levy": 9_018_009,
        "settlement-fee": 252_518_123,
        "northbound-handling-fee": 12_345_678,
        "northbound-securities-management": 7_240_000,
    }
    own = [
        ChargeFigures(line, "CNY" if line.startswith("northbound") else "HKD", cents + 977 * index)
        for line, cents in lines.items()
    ]
    return (*own, ChargeFigures("settlement-fee", "CNY", 11_204_411 + index))


def day(index: int) -> DayFigures:
    """Return the figures of one day of the period."""
    return DayFigures(
        day=PERIOD[index],
        trades=200_000 + 1_234 * index,
        gross=(CurrencyAmount("HKD", 3_012_345_678_900 + index), CurrencyAmount("CNY", 181_234_567_800)),
        netting=NettingFigures(
            legs_before=400_000 + 2_468 * index,
            positions_after=24_000 + 310 * index,
            gross_value_cents=6_412_345_678_901,
            net_value_cents=702_345_678_912 + index,
        ),
        runs=_runs(index),
        due=_due(index),
        fails=(
            FailFigures("no-stock-delivered", 1_008 + 17 * index, 9_123_456_789),
            FailFigures("stock-on-hold", 161, 1_112_223_334),
            FailFigures("payment-missing", 32, 98_765_432),
        ),
        late_fees=(CurrencyAmount("HKD", 1_234_500),),
        buy_in_requests=161 if index > 1 else 0,
        payment_failures=2,
        instructions=(
            InstructionFigures(kind="isolated", submitted=812, settled=790, open=12, cancelled=10),
            InstructionFigures(kind="real-time-dvp", submitted=204, settled=201, open=3, cancelled=0),
        ),
        charges=_charges(index),
        margin_call=MarginCallFigures(
            accounts=200,
            requirement_cents=842_345_678_900,
            pledged_cents=839_345_678_900,
            shortfall_cents=3_000_000_000,
        ),
        invariants=tuple(InvariantFigures(name, checked, True) for name, checked in _INVARIANTS),
        state_hash=f"{index:x}3f9c2a71" * 7 + "0",
        journal_sequence=1_204 * (index + 1),
        journal_hash=f"{index:x}b52e8d04" * 7 + "1",
        stages=(
            StageSeconds("generate", 412 + index),
            StageSeconds("capture-and-net", 1_290),
            StageSeconds("settle", 230),
            StageSeconds("margin", 1_871),
            StageSeconds("prove", 204),
        ),
    )


def margin(index: int) -> ParticipantMargin:
    """Return a margin whose components, marks and credit add up to its total."""
    portfolio = 913_456_789 // (index + 2) + 1_234_567
    parts = {
        "portfolio_hkd": portfolio,
        "flat_rate_hkd": portfolio // 9 + index % 3 * 4_000_000,
        "liquidation_hkd": portfolio // 6,
        "structured_hkd": 120_000 * (index % 4),
        "corporate_action_hkd": 33_000,
        "holiday_hkd": portfolio // 25,
    }
    aggregate = sum(parts.values())
    rounded = -(-aggregate // 10_000) * 10_000
    mark = (portfolio // 5) * (1 if index % 2 else -1)
    net = max(rounded - max(mark, 0), 0)
    addons = 2_500_000 if index % 5 == 0 else 0
    contributions = [portfolio * share // 100 for share in (31, 22, 17, 12, 9, -4)]
    return ParticipantMargin(
        participant=f"B{index + 1:05d}",
        account_class="house" if index % 3 else "client",
        **parts,
        aggregate_hkd=aggregate,
        rounded_hkd=rounded,
        mtm_hkd=mark,
        net_hkd=net,
        credit_hkd=5_000_000,
        position_limit_hkd=addons,
        total_hkd=max(net - 5_000_000, 0) + max(-mark, 0) + addons,
        positions=148,
        top_positions=tuple(
            PositionContribution(
                instrument=f"{700 + place}",
                quantity=-81_200 * (place + 1),
                market_value_hkd=-31_234_567 * (place + 1),
                contribution_hkd=contribution,
            )
            for place, contribution in enumerate(contributions)
        ),
        hvar_tail_scenarios=(412, 17, 903, 88, 655),
        svar_tail_scenarios=(1_002, 1_019),
    )


def backtest(index: int) -> BacktestRow:
    """Return one name of a backtest; every seventh has too many exceedances."""
    misses = 14 if index % 7 == 3 else index % 6
    return BacktestRow(
        name=f"{index + 1:05d}",
        rate_long=0.062 + 0.007 * (index % 11),
        rate_short=0.069 + 0.006 * (index % 11),
        days=500,
        exceedances=misses,
        coverage=(500 - misses) / 500,
        p_value=0.002 if misses == 14 else 0.44,
    )


@pytest.fixture
def report() -> HouseReport:
    """A week of five days, sixty accounts and twenty-four names."""
    return HouseReport(
        title="Five days in the house",
        label="Simulated market, seed 1: 150 counters, 200 participants",
        period=PERIOD,
        days=tuple(day(index) for index in range(5)),
        margins=tuple(margin(index) for index in range(60)),
        backtest=tuple(backtest(index) for index in range(24)),
        backtest_note="Rates are set with prices up to the day and compared with the loss over two days.",
        notes=("Late fees and buy-in rules are those of the dated tables.", "Values are HKD equivalents at day rates."),
    )


@pytest.fixture
def hostile(report: HouseReport) -> HouseReport:
    """The same report with names that try to break out of the page."""
    bad = '<script src="https://evil.example/x.js">alert(1)</script>"\'&'
    first = report.days[0]
    changed = msgspec.structs.replace(
        first,
        runs=tuple(msgspec.structs.replace(run, step=bad) for run in first.runs),
        fails=tuple(msgspec.structs.replace(fail, cause=bad + fail.cause) for fail in first.fails),
        charges=(ChargeFigures(bad, "HKD", 100),),
        invariants=(InvariantFigures(bad, bad, True),),
        stages=(StageSeconds(bad, 1),),
        state_hash=bad,
    )
    one = report.margins[0]
    positions = (msgspec.structs.replace(one.top_positions[0], instrument=bad),)
    margins = (msgspec.structs.replace(one, participant=bad, account_class=bad, top_positions=positions),)
    rows = (msgspec.structs.replace(report.backtest[0], name=bad),)
    return msgspec.structs.replace(
        report, title=bad, label=bad, days=(changed,), margins=margins, backtest=rows, notes=(bad,), backtest_note=bad
    )
