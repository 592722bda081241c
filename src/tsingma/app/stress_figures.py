"""What a stress run says, as plain rows for the terminal, JSON and the brief: names in place of numbers."""

from __future__ import annotations

import msgspec
import numpy as np

from tsingma.basics.rejection import InvariantBroken
from tsingma.margin.resources.waterfall import LayerKind
from tsingma.reports.stress_figures import (
    HouseRow,
    LayerRow,
    LiquidityRow,
    ParticipantRow,
    RateRow,
    RegimeRow,
    StressFigures,
)
from tsingma.stress.book import StressBook
from tsingma.stress.defaults import HouseResult, StressResult
from tsingma.stress.run import Comparison, StressRun

PARTICIPANTS_SHOWN = 12


def stress_figures(book: StressBook, run: StressRun) -> StressFigures:
    """Return a run as rows; raises InvariantBroken when the layers of a house do not add up to its loss."""
    result, shock = run.result, run.shock
    return StressFigures(
        id=run.scenario.id, title=run.scenario.title, title_zh=run.scenario.title_zh, story=run.scenario.story,
        story_zh=run.scenario.story_zh, source=run.scenario.source, source_zh=run.scenario.source_zh,
        assumed=run.scenario.assumed,
        day=str(book.day), horizon_days=shock.horizon_days, index_return=shock.index_return,
        volatility_ratio=shock.volatility_ratio, renminbi_return=shock.renminbi_return,
        correlation=shock.correlation, layers=dict(shock.layers),
        plausibility=run.plausibility.label, plausibility_zh=run.plausibility.label_zh,
        rank=run.plausibility.rank, windows=run.plausibility.windows,
        distance=run.plausibility.distance,
        houses=tuple(_house(each) for each in result.houses if each.fund or each.losses),
        participants=_participants(book, result),
        defaults=int(result.calls.defaulted.sum()), rounds=result.rounds,
        contagion=tuple(book.participants[place] for place in result.contagion),
        called=int(result.calls.losses.sum() + result.calls.more_margin.sum()),
        liquidity=tuple(
            LiquidityRow(day=str(need.day), currency=need.currency, gains=need.gains, securities=need.securities)
            for need in run.liquidity
        ),
        regimes=(_regime("alone", run.alone), _regime("joint", run.joint)),
        over_margin_low=run.over_margin_band.low, over_margin_high=run.over_margin_band.high,
        defaults_low=run.defaults_band.low, defaults_high=run.defaults_band.high, draws=run.draws, seed=run.seed,
        rates=tuple(
            RateRow(currency=name, **msgspec.structs.asdict(move)) for name, move in sorted(shock.rates.items())
        ),
    )  # fmt: skip


def _house(each: HouseResult) -> HouseRow:
    layers: tuple[LayerRow, ...] = ()
    if each.waterfall is not None:
        rows = [LayerRow(kind=str(one.kind), available=one.available, used=one.used) for one in each.waterfall.layers]
        rows.append(LayerRow(kind=str(LayerKind.UNCOVERED), available=0, used=each.waterfall.uncovered))
        layers = tuple(rows)
        if sum(row.used for row in rows) != each.waterfall.loss:
            raise InvariantBroken(f"{each.house}: layers do not add up to the loss")
    return HouseRow(
        house=str(each.house), losses=each.losses, over_margin=each.over_margin, accounts_over=each.accounts_over,
        fund=each.fund, fund_used=each.fund_used, fund_use=each.fund_use, gains_cut=each.gains_cut, layers=layers,
    )  # fmt: skip


def _participants(book: StressBook, result: StressResult) -> tuple[ParticipantRow, ...]:
    """Return those that fall and those nearest to it, the largest gap first."""
    calls = result.calls
    gap = calls.needed - calls.liquid
    order = np.argsort(-gap, kind="stable")[:PARTICIPANTS_SHOWN]
    return tuple(
        ParticipantRow(
            participant=book.participants[place], losses=int(calls.losses[place]),
            more_margin=int(calls.more_margin[place]), for_clients=int(calls.for_clients[place]),
            replenishment=int(calls.replenishment[place]), needed=int(calls.needed[place]),
            liquid=int(calls.liquid[place]), default_round=int(calls.default_round[place]),
        )
        for place in order.tolist()
        if calls.needed[place]
    )  # fmt: skip


def _regime(name: str, one: Comparison) -> RegimeRow:
    return RegimeRow(regime=name, **msgspec.structs.asdict(one))
