"""One scenario through the house: base, uncertainty, joint against stand-alone margin, plausibility. Values only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.margin.house.holdings import House
from tsingma.margin.resources.default_fund import FundRules
from tsingma.stress.book import Int64, StressBook, profits, profits_by_currency
from tsingma.stress.defaults import HouseFund, StressResult, StressRules, run_defaults
from tsingma.stress.fund import house_funds
from tsingma.stress.liquidity import LiquidityNeed, liquidity_needs
from tsingma.stress.plausibility import Plausibility, WorstOnRecord, mahalanobis, plausibility
from tsingma.stress.scenario import FundShock, Scenario
from tsingma.stress.shocks import Assumptions, FactorModel, LayerPart, MarketShock, shock_moves

Float64 = npt.NDArray[np.float64]

DRAWS_MAX = 10_000
BAND = (0.05, 0.5, 0.95)


class StressWorld(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """What every scenario is run on: the book, the betas, what is assumed, the funds and the rules."""

    book: StressBook
    model: FactorModel
    index_returns: Float64  # of windows of the horizon, for plausibility
    parts: tuple[LayerPart, ...]
    assumptions: Assumptions
    funds: Mapping[House, HouseFund]
    record: tuple[WorstOnRecord, ...]
    rules: StressRules = StressRules()


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """The same path under one margin regime, whole HKD."""

    margin: int
    over_margin: int
    accounts_over: int
    defaults: int
    fund_used: int
    uncovered: int


class Band(msgspec.Struct, frozen=True, kw_only=True):
    """Low, middle and high (5, 50, 95 %) over draws of what betas leave unexplained."""

    low: int
    middle: int
    high: int


class StressRun(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """A scenario and what it does; amounts in whole HKD."""

    scenario: Scenario
    shock: MarketShock
    plausibility: Plausibility
    profit: Int64  # [accounts, houses]
    result: StressResult
    liquidity: tuple[LiquidityNeed, ...]
    alone: Comparison
    joint: Comparison
    over_margin_band: Band
    defaults_band: Band
    draws: int
    seed: int


def run_scenario(world: StressWorld, scenario: Scenario, shock: MarketShock, *, draws: int, seed: int) -> StressRun:
    """Return a scenario through the house: scenario 0 is without residuals, the band is over ``draws`` of them.

    Raises Rejected (limit) for too many draws, (out-of-range) for a horizon that is not the model's.
    """
    if not 0 <= draws <= DRAWS_MAX:
        raise refuse(RejectionReason.LIMIT, f"{draws} draws, 0 to {DRAWS_MAX}", field="draws")
    if shock.horizon_days != world.model.horizon_days:
        message = f"betas are over {world.model.horizon_days} days, the shock over {shock.horizon_days}"
        raise refuse(RejectionReason.OUT_OF_RANGE, message, field="horizon_days", subject=scenario.id)
    chance = np.random.Generator(np.random.PCG64(seed))
    rows = chance.integers(world.model.residual.shape[0], size=draws) if draws else None
    moves = shock_moves(world.model, shock, world.parts, world.assumptions, rows, world.book.rates)
    all_profits = profits(world.book, moves)
    base = all_profits[:, :, 0]
    result = _defaults(world, world.book, base, shock)
    over, defaults = [], []
    for place in range(all_profits.shape[2]):
        drawn = all_profits[:, :, place]
        each = result if place == 0 else _defaults(world, world.book, drawn, shock, contagion=False)
        over.append(sum(house.over_margin for house in each.houses))
        defaults.append(int(each.calls.defaulted.sum()))
    return StressRun(
        scenario=scenario,
        shock=shock,
        plausibility=plausibility(
            shock.index_return, world.index_returns, distance(world, shock), world.record, shock.horizon_days
        ),
        profit=base,
        result=result,
        liquidity=liquidity_needs(
            world.book, base, result.calls.defaulted, profits_by_currency(world.book, moves), shock.renminbi_return
        ),
        alone=compare(world.book, result),
        joint=_joint(world, base, shock),
        over_margin_band=_band(over),
        defaults_band=_band(defaults),
        draws=draws,
        seed=seed,
    )


def _defaults(
    world: StressWorld, book: StressBook, profit: Int64, shock: MarketShock, *, contagion: bool = True
) -> StressResult:
    return run_defaults(book, profit, world.funds, world.rules, shock.volatility_ratio, contagion=contagion)


def distance(world: StressWorld, shock: MarketShock) -> float:
    """Return how many standard deviations the index move is out."""
    known = world.index_returns[np.isfinite(world.index_returns)]
    return mahalanobis(np.array([shock.index_return]), np.array([[float(known.var())]]))


def compare(book: StressBook, result: StressResult) -> Comparison:
    """Return the figures a supervisor compares regimes by."""
    return Comparison(
        margin=int(book.margin.sum()),
        over_margin=sum(house.over_margin for house in result.houses),
        accounts_over=sum(house.accounts_over for house in result.houses),
        defaults=int(result.calls.defaulted.sum()),
        fund_used=sum(house.fund_used for house in result.houses),
        uncovered=sum(house.waterfall.uncovered for house in result.houses if house.waterfall),
    )


def _joint(world: StressWorld, profit: Int64, shock: MarketShock) -> Comparison:
    """Return the figures when every house had called its joint margin; what was saved stays in the accounts' money."""
    book = with_credit(world.book)
    return compare(book, _defaults(world, book, profit, shock))


def with_credit(book: StressBook) -> StressBook:
    """Return the book as one portfolio would have been margined: credit off the margin and on the free money."""
    return replace(
        book,
        margin=book.margin - book.credit,
        credit=np.zeros_like(book.credit),
        liquid=book.liquid + book.credit.sum(axis=1),
    )


def _band(values: Sequence[int]) -> Band:
    low, middle, high = (int(np.quantile(np.array(values), level, method="lower")) for level in BAND)
    return Band(low=low, middle=middle, high=high)


def sized_funds(
    book: StressBook,
    model: FactorModel,
    parts: Sequence[LayerPart],
    assumptions: Assumptions,
    shocks: Sequence[FundShock],
    rules: Mapping[House, FundRules],
) -> dict[House, HouseFund]:
    """Return the default funds that the houses' standard shocks ask for on this book; rates move where it has them."""
    found = {}
    for one in shocks:
        if one.rates and book.rates is None:
            continue
        shock = MarketShock(
            horizon_days=model.horizon_days, index_return=one.index_return, volatility_ratio=one.volatility_ratio,
            rates=one.moves(book.day),
        )  # fmt: skip
        moves = shock_moves(model, shock, parts, assumptions, rates=book.rates)
        found[one.id] = profits(book, moves)[:, :, 0]
    return house_funds(book, found, rules)
