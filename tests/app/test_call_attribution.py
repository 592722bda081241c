"""What a call is made of: parts of positions that add up to it to the cent, in the scenarios it was called from."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulated_past import simulated
from tsingma.app.call_attribution import parts_of
from tsingma.app.house_market import SCENARIOS, SCENARIOS_MIN, HouseMarket, dated, models_of_call
from tsingma.app.parameter_file import build_parameters
from tsingma.margin.hkscc.parameters import SCALE_E10, Parameters
from tsingma.margin.hkscc.requirement import margin
from tsingma.margin.hkscc.terms import MarginablePosition, ParticipantTerms
from tsingma.margin.house.holdings import Holding, House, Product
from tsingma.margin.house.models import HouseModels
from tsingma.margin.house.past import MarketPast
from tsingma.margin.house.standalone import house_figure
from tsingma.market.history import PriceHistory
from tsingma.messages.prices import write_prices

CODES = ("5", "700", "1299")


def counters(seed: int, days: int, names: tuple[str, ...] = ("00005", "00700", "01299")) -> PriceHistory:
    """Return a simulated past of three counters, without index and currency."""
    whole = simulated(seed, days)
    return PriceHistory(whole.dates, names, whole.close_e4[:, :3].copy(), np.zeros((days, 3), np.bool_))


def parameters_of(scenarios: tuple[int, int], seed: int = 3) -> Parameters:
    """Return parameters of the three counters and a flat rate, with drawn scenarios."""
    made = build_parameters(counters(1, 1_100), SCENARIOS)
    draws = np.random.default_rng(seed)
    return msgspec.structs.replace(
        made, hvar_returns_e10=draws.integers(-3 * 10**9, 3 * 10**9, (3, scenarios[0])), hvar_dates=(),
        svar_returns_e10=draws.integers(-5 * 10**9, 5 * 10**9, (3, scenarios[1])), svar_dates=(),
        flat_rates_e10={"9": 30 * 10**8},
    )  # fmt: skip


PARAMETERS = parameters_of((333, 257))
TERMS = ParticipantTerms(
    margin_multiplier_e10=SCALE_E10, margin_credit=5_000_000, credit_risk_addon=7, ad_hoc_addon=0,
    tier_p_floor_e10=0, min_tick_e10=10**7, hedge_instrument="5",
)  # fmt: skip
VALUE = st.integers(-(10**8), 10**8)


@settings(max_examples=60, deadline=None)
@given(
    values=st.tuples(VALUE, VALUE, VALUE, VALUE), marks=st.tuples(VALUE, VALUE, VALUE, VALUE),
    credit=st.sampled_from((0, 5_000_000)), floor=st.sampled_from((0, 32 * 10**7, 9 * 10**9)),
)  # fmt: skip
def test_parts_are_the_call_to_the_cent(
    values: tuple[int, ...], marks: tuple[int, ...], credit: int, floor: int
) -> None:
    """Goal: nothing is lost between positions. Method: any account; parts against the total, and each portfolio part
    against the plain mean of its own losses in the worst scenarios of all.
    """
    terms = msgspec.structs.replace(TERMS, margin_credit=credit, tier_p_floor_e10=floor)
    held = [
        MarginablePosition(code, 1 if value > 0 else -1, value - mark, value)
        for code, value, mark in zip((*CODES, "9"), values, marks, strict=True) if value
    ]  # fmt: skip
    found = margin(held, PARAMETERS, terms)
    parts = parts_of(found.result, found.explanation, held)
    assert sum(one.cents for one in parts) == 100 * found.result.total
    assert sum(one.cents for one in parts if one.term == "portfolio margin") == 100 * found.result.portfolio_margin
    plain = _plain_parts({one.instrument: one.market_value for one in held if one.instrument in CODES})
    sign = -1 if sum(plain.values()) < 0 else 1
    for code, wanted in plain.items():
        told = sum(
            one.cents for one in parts
            if one.term == "portfolio margin" and one.position is not None and int(one.position.code) == int(code)
        )  # fmt: skip
        assert abs(told - 100 * sign * wanted) < 2


def _plain_parts(values: dict[str, int]) -> dict[str, Fraction]:
    """Return each code's weighted mean profit in the worst scenarios, in HKD."""
    found = dict.fromkeys(values, Fraction(0))
    for returns, count, weight in (
        (PARAMETERS.hvar_returns_e10, 2, Fraction(3, 4)), (PARAMETERS.svar_returns_e10, 6, Fraction(1, 4)),
    ):  # fmt: skip
        rows = {
            code: [
                (abs(value * each) * 2 // SCALE_E10 + 1) // 2 * (1 if value * each > 0 else -1)
                for each in returns[CODES.index(code)].tolist()
            ]
            for code, value in values.items()
        }
        total = [sum(each) for each in zip(*rows.values(), strict=True)]
        worst = sorted(range(len(total)), key=lambda place: (total[place], place))[:count]
        for code, row in rows.items():
            found[code] += Fraction(sum(row[place] for place in worst), count) * weight
    return found


@pytest.mark.parametrize("rest", [False, True])
def test_study_and_call_run_the_same_scenarios(tmp_path: Path, rest: bool) -> None:
    """Goal: a called figure is explained by the scenarios of the call. Method: shares alone at HKSCC, by its rules
    from the parameters and by the study from the prices: equal but for rounding to a dollar.
    """
    history = counters(2, 1_300, ("00005", "00700", "02800"))
    write_prices(tmp_path / "prices.csv", history)
    market = HouseMarket(tmp_path)
    parameters, past = market.parameters(), market.past()
    assert past.models.filter.look_back_days == parameters.hvar_count == 1_000
    assert past.models.filter.stress_days == parameters.svar_count == 250
    values = {"5": 40_000_000, "700": -11_000_000, "2800": 3_000_000} if rest else {"700": 25_000_000}
    held = [MarginablePosition(code, 1 if value > 0 else -1, value, value) for code, value in values.items()]
    terms = msgspec.structs.replace(TERMS, tier_p_floor_e10=SCENARIOS.floor_rate_e10)
    called = margin(held, parameters, terms).result.portfolio_margin
    lines = [
        Holding(house=House.HKSCC, product=Product.STOCK, factor=f"{int(code):05d}", notional=value)
        for code, value in values.items()
    ]
    studied = house_figure(House.HKSCC, lines, past, past.history.days - 1).total
    assert abs(studied - called) <= 1
    assert abs(house_figure(House.HKSCC, lines, MarketPast(past.history, HouseModels()), 1_299).total - called) > 1


def test_a_short_history_gives_what_it_can() -> None:
    """Goal: a market of two years is served too. Method: the models of lengths, and a figure at the shortest."""
    assert models_of_call(1_300).filter.look_back_days == 1_000
    assert models_of_call(700).filter.look_back_days == 688
    assert models_of_call(50).filter.look_back_days == SCENARIOS_MIN
    past = MarketPast(simulated(1, 300), models_of_call(300))
    assert past.first_row <= 299
    line = Holding(house=House.HKSCC, product=Product.STOCK, factor="00005", notional=10**6)
    assert house_figure(House.HKSCC, [line], past, 299).total > 0


def test_scenarios_of_a_file_are_dated_only_by_the_prices_they_come_from() -> None:
    """Goal: no scenario is given another's day. Method: the file of these prices, and one with a changed return."""
    history = counters(1, 1_100)
    own = build_parameters(history, SCENARIOS)
    bare = msgspec.structs.replace(own, hvar_dates=(), svar_dates=())
    assert dated(bare, history).hvar_dates == own.hvar_dates
    assert date.fromisoformat(dated(bare, history).svar_dates[0])
    other = own.hvar_returns_e10.copy()
    other[0, 0] += 1
    assert dated(msgspec.structs.replace(bare, hvar_returns_e10=other), history).hvar_dates == ()


STEPS = st.lists(
    st.tuples(st.integers(280, 410), st.sampled_from([1, 2, 5]), st.sampled_from(["scenarios", "stress"])),
    min_size=3, max_size=25,
)  # fmt: skip


@settings(max_examples=15, deadline=None)
@given(asked=STEPS)
def test_kept_scenarios_are_those_made_anew(asked: list[tuple[int, int, str]]) -> None:
    """Goal: what is kept changes no figure. Method: days, periods and kinds in any order, each against a new past."""
    kept = MarketPast(simulated(1), HouseModels())
    for row, days, kind in asked:
        factors = {"00005", "INDEX", "BASKET"}
        found = getattr(kept, kind)(row, days, factors)
        fresh = getattr(MarketPast(kept.history, HouseModels()), kind)(row, days, factors)
        for factor in factors:
            assert np.array_equal(found.returns[factor], fresh.returns[factor])
            assert np.array_equal(found.volatility_ratio[factor], fresh.volatility_ratio[factor])
