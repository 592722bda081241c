"""From what the house answered to the figures of the report; nothing is computed twice, only named and grouped."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tsingma.app.business_day import DayInput, DayRecord
from tsingma.app.house_derivatives import CrossHouse
from tsingma.app.house_margin import HouseMargin
from tsingma.basics.money import CURRENCIES
from tsingma.clearing.netting import net
from tsingma.clearing.trades import MODE_CNS
from tsingma.margin.hkscc.portfolio import measures, worst_scenarios
from tsingma.margin.joint.allocation import Allocation
from tsingma.reference.book import ResolvedBook
from tsingma.reports.figures import (
    ChargeFigures,
    CrossRow,
    CurrencyAmount,
    DayFigures,
    DueFigures,
    FailFigures,
    InstructionFigures,
    InvariantFigures,
    MarginCallFigures,
    NettingFigures,
    ParticipantMargin,
    PositionContribution,
    RunFigures,
    StageSeconds,
)

_TOP_POSITIONS = 10
_NANOSECONDS_A_MILLISECOND = 1_000_000
_FX_E6 = 1_000_000


def day_figures(record: DayRecord, day: DayInput, resolved: ResolvedBook) -> DayFigures:
    """Return the figures of one day for the report."""
    totals = record.closed.figures
    gross = tuple(sum(part.gross_amount_cents[unit] for part in record.captured) for unit in range(len(CURRENCIES)))
    fails = next(step.figures for step in record.steps if step.step == "fails-and-fees")
    return DayFigures(
        day=record.date,
        trades=sum(part.trades for part in record.captured),
        gross=_amounts(gross),
        netting=_netting(day, resolved),
        runs=_runs(record, day.fx_e6),
        due=_due(totals),
        fails=(FailFigures("short of stock", fails["failed_positions"], fails["failed_value_HKD_cents"]),),
        late_fees=(CurrencyAmount("HKD", fails["late_fee_HKD_cents"]),),
        buy_in_requests=fails["buy_in_requests"],
        payment_failures=sum(step.figures.get("payment_failures", 0) for step in record.steps),
        instructions=(_instructions(totals),),
        charges=_charges(totals),
        margin_call=None
        if record.called is None
        else MarginCallFigures(
            accounts=record.called.accounts,
            requirement_cents=record.called.requirement_cents,
            pledged_cents=record.called.pledged_cents,
            shortfall_cents=record.called.shortfall_cents,
        ),
        invariants=tuple(
            InvariantFigures(name, "asserted by the engine at day end", True) for name in record.closed.checked
        ),
        state_hash=record.state_hash,
        journal_sequence=record.sequence,
        journal_hash=record.head,
        stages=tuple(
            StageSeconds(str(stage), spent // _NANOSECONDS_A_MILLISECOND) for stage, spent in record.stages_ns.items()
        ),
    )


def _amounts(cents: tuple[int, ...]) -> tuple[CurrencyAmount, ...]:
    return tuple(CurrencyAmount(name, value) for name, value in zip(CURRENCIES, cents, strict=True) if value)


def _netting(day: DayInput, resolved: ResolvedBook) -> NettingFigures:
    """Net the day's trades by themselves: what continuous net settlement saves on one day, at contract amounts."""
    trades = day.trades.select(day.trades.mode == MODE_CNS)
    legs = net(trades, resolved.account_participant.size, resolved.counter_security.size)
    rate = np.array(day.fx_e6, np.int64)
    gross = _hkd(trades.amount_cents(), resolved.counter_currency[trades.counter], rate)
    value = _hkd(np.abs(legs.amount_cents), resolved.counter_currency[legs.counter], rate)
    return NettingFigures(
        legs_before=2 * len(trades),
        positions_after=int((legs.quantity != 0).sum()),
        gross_value_cents=2 * gross,
        net_value_cents=value,
    )


def _hkd(cents: np.ndarray, currency: np.ndarray, rate_e6: np.ndarray) -> int:
    return sum(int(cents[currency == unit].sum()) * int(rate_e6[unit]) // _FX_E6 for unit in range(len(CURRENCIES)))


def _runs(record: DayRecord, fx_e6: tuple[int, ...]) -> tuple[RunFigures, ...]:
    rows = []
    for step in record.steps:
        figures = step.figures
        if "deliveries" not in figures and "settled" not in figures:
            continue
        prefix = "payable" if "deliveries" in figures else "settled"
        value = sum(
            (figures[f"{prefix}_{name}_cents"] + figures.get(f"gross_settled_{name}_cents", 0)) * fx_e6[unit] // _FX_E6
            for unit, name in enumerate(CURRENCIES)
        )
        rows.append(
            RunFigures(
                step=step.step,
                positions_settled=figures.get("deliveries", 0)
                + figures.get("receipts", 0)
                + figures.get("settled", 0)
                + figures.get("gross_settled", 0),
                shares_delivered=figures["shares"] + figures.get("gross_shares", 0),
                value_cents=value,
                open_after=figures.get("open_deliveries", 0) + figures.get("open", 0) + figures.get("gross_open", 0),
            )
        )
    return tuple(rows)


def _due(totals: dict[str, int]) -> tuple[DueFigures, ...]:
    rows = [
        DueFigures(
            side="stock",
            unit="shares",
            due=totals["positions_due"],
            settled=totals["positions_due"] - totals["positions_open"],
            open=totals["positions_open"],
            due_amount=totals["stock_due"],
            settled_amount=totals["stock_settled"],
            open_amount=totals["stock_open"],
        )
    ]
    for name in CURRENCIES:
        lines, left = totals[f"money_lines_{name}"], totals[f"money_lines_open_{name}"]
        settled, open_ = totals[f"money_settled_{name}_cents"], totals[f"money_open_{name}_cents"]
        if lines:
            rows.append(
                DueFigures(
                    side="money",
                    unit=name,
                    due=lines,
                    settled=lines - left,
                    open=left,
                    due_amount=settled + open_,
                    settled_amount=settled,
                    open_amount=open_,
                )
            )
    return tuple(rows)


def _instructions(totals: dict[str, int]) -> InstructionFigures:
    counts = {
        name: totals[f"instructions_{name}"] for name in ("matched", "on_hold", "settled", "failing", "cancelled")
    }
    return InstructionFigures(
        kind="isolated trades and bonds, since the first day",
        submitted=sum(counts.values()),
        settled=counts["settled"],
        open=counts["matched"] + counts["on_hold"] + counts["failing"],
        cancelled=counts["cancelled"],
    )


def _charges(totals: dict[str, int]) -> tuple[ChargeFigures, ...]:
    rows = [(name.split("|"), cents) for name, cents in totals.items() if name.startswith("charge|")]
    return tuple(ChargeFigures(parts[1], parts[2], cents) for parts, cents in rows)


def cross_rows(crossed: Sequence[CrossHouse]) -> tuple[CrossRow, ...]:
    """Return the accounts at several houses for the report, credit shared by Euler."""
    return tuple(
        CrossRow(
            account=one.account,
            houses=tuple(each.house for each in one.margin.shares[0].houses),
            alone=one.margin.standalone,
            joint=one.margin.by(Allocation.EULER).joint,
            called=one.margin.by(Allocation.EULER).called,
            one_pot=one.margin.one_pot,
        )
        for one in crossed
    )


def participant_margins(margin: HouseMargin, resolved: ResolvedBook) -> tuple[ParticipantMargin, ...]:
    """Return the margin of every account for the report, with the largest positions and the tail scenarios."""
    row_of = {code: row for row, code in enumerate(margin.parameters.instruments)}
    rows = []
    for place, number in enumerate(margin.account.tolist()):
        result, term = margin.results[place], margin.terms[place]
        entry = resolved.book.accounts[number]
        part = slice(int(margin.book.start[place]), int(margin.book.start[place + 1]))
        codes = [margin.book.instruments[i] for i in margin.book.instrument[part].tolist()]
        values, quantities = margin.book.market_value[part], margin.book.quantity[part]
        known = [i for i, code in enumerate(codes) if code in row_of]
        returns_rows = np.array([row_of[codes[i]] for i in known], np.int64)
        tails, contributions = [], np.zeros(len(codes))
        for measure in measures(margin.parameters, term):
            profit = values[known][:, None] * (measure.returns_e10[returns_rows] / 1e10)
            worst = worst_scenarios(np.rint(profit.sum(axis=0)).astype(np.int64), measure.tail_count)
            tails.append(tuple(int(s) + 1 for s in worst))
            contributions[known] -= profit[:, worst].mean(axis=1) * measure.weight_e10 / 1e10
        order = np.argsort(-np.abs(values), kind="stable")[:_TOP_POSITIONS]
        rows.append(
            ParticipantMargin(
                participant=entry.participant,
                account_class=str(entry.account_class),
                portfolio_hkd=result.portfolio_margin,
                flat_rate_hkd=result.flat_rate_margin,
                liquidation_hkd=result.liquidation_risk_addon,
                structured_hkd=result.structured_product_addon,
                corporate_action_hkd=result.corporate_action_margin,
                holiday_hkd=result.holiday_addon,
                aggregate_hkd=result.aggregate,
                rounded_hkd=result.rounded,
                mtm_hkd=result.favourable_mtm - result.mtm_requirement,
                net_hkd=result.net_margin,
                credit_hkd=term.margin_credit,
                position_limit_hkd=result.position_limit_addon,
                credit_risk_hkd=result.credit_risk_addon,
                ad_hoc_hkd=result.ad_hoc_addon,
                total_hkd=result.total,
                positions=len(codes),
                top_positions=tuple(
                    PositionContribution(
                        instrument=codes[i],
                        quantity=int(quantities[i]),
                        market_value_hkd=int(values[i]),
                        contribution_hkd=int(np.rint(contributions[i])),
                    )
                    for i in order.tolist()
                ),
                hvar_tail_scenarios=tails[0],
                svar_tail_scenarios=tails[1],
            )
        )
    return tuple(rows)
