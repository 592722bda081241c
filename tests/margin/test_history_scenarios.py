"""Filtered historical simulation against hand-worked figures, plain Python and the properties it must have."""

from __future__ import annotations

import hashlib
import math
from datetime import date
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tsingma.app.parameter_file import build_parameters, build_with_notes
from tsingma.basics.dates import to_date
from tsingma.basics.rejection import Rejected, RejectionReason
from tsingma.kernels import ewma
from tsingma.margin.hkscc.history_scenarios import scenario_source, slopes
from tsingma.margin.hkscc.history_settings import FilterSettings, LiquidityBucket, Proxy
from tsingma.market.history import PriceHistory
from tsingma.messages.prices import read_prices

SMALL = FilterSettings(look_back_days=100, stress_days=50, minimum_observed_days=60)


def _history(
    prices: npt.ArrayLike, first_day: int = 19_000, volumes: npt.NDArray[np.int64] | None = None
) -> PriceHistory:
    """Return a history of prices in HKD [n] or [n, m]; 0 is a missing close."""
    table = np.asarray(prices, dtype=np.float64)
    close = np.rint((table if table.ndim == 2 else table[:, None]) * 1e4).astype(np.int64)
    days = np.arange(first_day, first_day + len(close), dtype=np.int32)
    codes = tuple(f"{number:05d}" for number in range(1, close.shape[1] + 1))
    return PriceHistory(days, codes, close, close == 0, volumes)


def _walk(returns: npt.ArrayLike, start: float = 1e7) -> npt.NDArray[np.float64]:
    table = np.asarray(returns, dtype=np.float64)
    return start * np.cumprod(np.concatenate([np.ones((1, *table.shape[1:])), 1.0 + table]), axis=0)


def _random(days: int, counters: int, seed: int = 7) -> npt.NDArray[np.float64]:
    generator = np.random.default_rng(seed)
    market = generator.normal(0, 0.01, (days - 1, 1))
    return _walk(market + generator.normal(0, 0.015, (days - 1, counters)), 100.0)


def test_ewma_by_hand() -> None:
    """Goal: the recursion is the RiskMetrics one. Method: three days at decay 0.9, worked by hand; a gap carries over.

    0.9 x 0.0001 + 0.1 x 0.0004 = 0.00013; carried; 0.9 x 0.00013 + 0.1 x 0.0009 = 0.000207.
    """
    returns = np.array([[0.02], [np.nan], [-0.03]])
    variance = ewma.ewma_variance(returns, np.array([0.0001]), 0.9)
    assert variance[:, 0] == pytest.approx([0.00013, 0.00013, 0.000207], abs=1e-18)


def test_ewma_twins_are_equal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Goal: compiled and plain give the same bits. Method: random returns with gaps, the size limit lowered."""
    pytest.importorskip("numba")
    generator = np.random.default_rng(3)
    returns = generator.normal(0, 0.02, (400, 37))
    returns[generator.random(returns.shape) < 0.05] = np.nan
    seed = np.full(37, 0.0004)
    plain = ewma.ewma_variance(returns, seed, 0.97)
    monkeypatch.setattr(ewma, "COMPILED_FROM_CELLS", 1)
    assert np.array_equal(ewma.ewma_variance(returns, seed, 0.97), plain)


def test_scenarios_worked_by_hand() -> None:
    """Goal: today's volatility scales the past. Method: a counter that moves 1% a day, then 2% on the last day.

    Volatility was 1% on every earlier day; after the last it is sqrt(0.97 x 0.0001 + 0.03 x 0.0004) = 1.0440307%.
    One-day returns of +1% and -1% become +1.0440307% and -1.0440307%; the last one, that started from a 1% day,
    becomes 2.0880613%.
    """
    moves = [0.01, -0.01] * 60 + [0.02]
    rules = msgspec.structs.replace(SMALL, holding_period_days=1)
    history = _history(_walk(moves))
    scenarios = scenario_source(history, rules).hvar(history.days - 1)
    assert math.sqrt(0.97 * 0.0001 + 0.03 * 0.0004) == pytest.approx(0.010440307, abs=1e-9)
    assert sorted({round(float(value), 8) for value in scenarios.returns[:, 0]}) == [
        -0.01044031,
        0.01044031,
        0.02088061,
    ]
    assert scenarios.returns[-1, 0] == pytest.approx(0.020880613, abs=1e-8)
    assert scenarios.filled.tolist() == [0]


@pytest.mark.parametrize("holding", [1, 2, 5])
def test_constant_volatility_changes_nothing(holding: int) -> None:
    """Goal: rescaling is neutral when nothing changed. Method: 1% a day up and down; scenarios equal raw returns."""
    prices = _walk([0.01, 0.01, -0.01, -0.01] * 40)
    rules = msgspec.structs.replace(SMALL, holding_period_days=holding)
    history = _history(prices)
    found = scenario_source(history, rules).hvar(history.days - 1).returns[:, 0]
    raw = prices[holding:] / prices[:-holding] - 1.0
    assert found == pytest.approx(raw[-100:], abs=1e-9)


@given(factor=st.integers(2, 1_000), seed=st.integers(0, 1_000))
@hypothesis_settings(max_examples=25, deadline=None)
def test_units_of_price_do_not_matter(factor: int, seed: int) -> None:
    """Goal: a price in another unit gives the same scenarios. Method: multiply all integer prices by a factor."""
    history = _history(_random(120, 3, seed))
    scaled = PriceHistory(history.dates, history.instruments, history.close_e4 * factor, history.missing)
    left, right = (scenario_source(each, SMALL).hvar(119).returns for each in (history, scaled))
    assert left == pytest.approx(right, abs=1e-12)


def _plain_scenarios(prices: list[float], rules: FilterSettings) -> list[float]:
    """Oracle: HVaR scenarios of one counter in plain Python, no arrays."""
    days, holding = len(prices), rules.holding_period_days
    moves = [prices[t] / prices[t - 1] - 1 for t in range(1, days)]
    variance = sum(move * move for move in moves[: rules.seed_days]) / rules.seed_days
    sigma = [math.sqrt(variance)]
    for move in moves:
        variance = rules.decay_e4 / 1e4 * variance + (1 - rules.decay_e4 / 1e4) * move * move
        sigma.append(math.sqrt(variance))
    floor, cap = rules.volatility_floor_e6 / 1e6, rules.rescale_cap_e2 / 100
    sigma = [max(each, floor) for each in sigma]
    starts = range(days - holding - rules.look_back_days, days - holding)
    return [(prices[t + holding] / prices[t] - 1) * min(sigma[-1] / sigma[t], cap) for t in starts]


@pytest.mark.parametrize("holding", [1, 2, 10])
def test_scenarios_equal_plain_python(holding: int) -> None:
    """Goal: the arrays do what the formulas say. Method: the same formulas in plain Python, per counter."""
    rules = msgspec.structs.replace(SMALL, holding_period_days=holding, decay_e4=9_400, rescale_cap_e2=110)
    history = _history(_random(180, 4))
    found = scenario_source(history, rules).hvar(179).returns
    for column in range(4):
        prices = [int(value) / 1e4 for value in history.close_e4[:, column]]
        assert found[:, column] == pytest.approx(_plain_scenarios(prices, rules), abs=1e-13)


def test_floor_and_cap_bound_the_rescaling() -> None:
    """Goal: a counter that stood still does not explode. Method: flat for 150 days, then 30% in one day.

    Then-volatility is the floor 0.2%; today's is sqrt(0.03) x 30% = 5.2%; the ratio 26 is cut to 3.
    """
    prices = [100.0] * 150 + [100.0 + 0.1 * (day % 2) for day in range(60)] + [130.0]
    history = _history(prices)
    source = scenario_source(history, SMALL)
    assert source.sigma(210)[0] == pytest.approx(math.sqrt(0.03) * 0.299, rel=0.02)
    largest = source.hvar(210).returns.max()
    assert largest == pytest.approx(3 * (130 / 100.0 - 1), rel=0.01)


def test_nothing_loses_more_than_all() -> None:
    """Goal: no return below -100%. Method: a fall of 60% on the last day, scaled by up to 3."""
    history = _history([100.0 + 0.1 * (day % 2) for day in range(150)] + [40.0])
    returns = scenario_source(history, SMALL).hvar(150).returns
    assert returns.min() == -1.0
    scaled = msgspec.structs.replace(SMALL, scale_stress=True)
    assert scenario_source(history, scaled).svar(150, slice(98, 149)).returns.min() == -1.0


def test_nothing_looks_ahead() -> None:
    """Goal: what was known on day 150 does not depend on day 151. Method: the cut history gives the same figures."""
    history = _history(_random(220, 5))
    whole, cut = scenario_source(history, SMALL), scenario_source(history.until(150), SMALL)
    assert whole.stress_window(150) == cut.stress_window(150)
    assert np.array_equal(whole.hvar(150).returns, cut.hvar(150).returns)
    window = cut.stress_window(150)
    assert np.array_equal(whole.svar(150, window).returns, cut.svar(150, window).returns)
    assert np.array_equal(whole.betas(150), cut.betas(150))


def test_the_stress_window_is_the_most_volatile_one() -> None:
    """Goal: the worst window is found. Method: 50 days of 4% among 1% days; try every window in plain Python."""
    moves = [0.01, -0.01] * 60 + [0.04, -0.04] * 25 + [0.01, -0.01] * 60
    history = _history(_walk(moves))
    source = scenario_source(history, msgspec.structs.replace(SMALL, holding_period_days=1))
    window = source.stress_window(history.days - 1)
    squares = [move * move for move in moves]  # squares[k] is the return from day k to k + 1
    worst = max(range(len(moves) - 49), key=lambda start: (round(sum(squares[start : start + 50]), 12), -start))
    assert (window.start, window.stop) == (worst, worst + 50) == (120, 170)
    found = source.svar(history.days - 1, window).returns[:, 0]
    assert np.abs(found) == pytest.approx(np.full(50, 0.04), abs=1e-8)


def test_a_named_stress_window_is_used_as_named() -> None:
    """Goal: dates mean dates. Method: name days 10 to 80 of the history; 69 two-day returns fit."""
    rules = msgspec.structs.replace(SMALL, stress_from=to_date(19_010), stress_to=to_date(19_080))
    built = build_with_notes(_history(_random(150, 2)), rules)
    assert built.parameters.svar_count == 69
    assert (built.notes.stress_from, built.notes.stress_to) == (to_date(19_010), to_date(19_080))
    assert not built.notes.stress_found
    assert built.parameters.svar_dates[0] == to_date(19_010).isoformat()


@pytest.mark.parametrize(("first", "last"), [(18_000, 19_080), (19_010, 20_000), (19_010, 19_040)])
def test_a_stress_window_outside_the_history_is_refused(first: int, last: int) -> None:
    """Goal: no window is cut silently. Method: too early, too late, too short."""
    rules = msgspec.structs.replace(SMALL, stress_from=to_date(first), stress_to=to_date(last))
    with pytest.raises(Rejected, match="stress window"):
        build_parameters(_history(_random(150, 2)), rules)


def test_no_stress_window_in_a_short_history() -> None:
    """Goal: a window longer than the history is refused. Method: 250 days of stress in 150 days."""
    with pytest.raises(Rejected, match="stress window has 0 scenarios"):
        build_parameters(_history(_random(150, 2)), msgspec.structs.replace(SMALL, stress_days=250))


def _late(listed: int = 60) -> PriceHistory:
    prices = _random(150, 4)
    prices[:listed, 2] = 0.0
    return _history(prices)


@pytest.mark.parametrize("proxy", list(Proxy))
def test_a_late_listing_is_filled_and_counted(proxy: Proxy) -> None:
    """Goal: missing scenarios follow the market, and are told. Method: the fill, in plain Python, scenario by scenario.

    Day 150 - 102 = 48 is the first start of 100; the counter starts on day 60, so 12 scenarios are filled.
    """
    history = _late()
    rules = msgspec.structs.replace(SMALL, proxy=proxy)
    source = scenario_source(history, rules)
    found = source.hvar(149)
    assert found.filled.tolist() == [0, 0, 12, 0]
    others = found.returns[:, [0, 1, 3]]
    beta = source.betas(149)[2]
    own = found.returns[12:, 2]
    residuals = [float(own[k] - beta * (others[12 + k].sum() + own[k]) / 4) for k in range(88)]
    for scenario in range(12):
        expected = beta * float(others[scenario].mean())
        expected += residuals[scenario] if proxy is Proxy.BETA_AND_RESIDUALS else 0.0
        assert found.returns[scenario, 2] == pytest.approx(expected, abs=1e-12)
    notes = build_with_notes(history, rules).notes
    assert [(each.instrument, each.hvar_filled) for each in notes.filled] == [("00003", 12)]


def test_a_stress_window_before_the_listing_is_filled_from_the_look_back() -> None:
    """Goal: a counter without any stress return still has stress. Method: its window is all proxy, and not zero."""
    rules = msgspec.structs.replace(SMALL, stress_from=to_date(19_000), stress_to=to_date(19_055))
    built = build_with_notes(_late(), rules)
    assert built.notes.filled[0].svar_filled == 54
    stress = built.parameters.svar_returns_e10[2]
    assert np.count_nonzero(stress) == 54
    assert stress.std() == pytest.approx(built.parameters.svar_returns_e10[1].std(), rel=0.5)


def test_scaled_stress_is_an_option() -> None:
    """Goal: SVaR can be rescaled when wanted. Method: the ratio of scaled to raw is that of the volatilities."""
    history = _history(_random(150, 2))
    raw, scaled = (
        scenario_source(history, msgspec.structs.replace(SMALL, scale_stress=flag)).svar(149, slice(20, 80)).returns
        for flag in (False, True)
    )
    source = scenario_source(history, SMALL)
    assert scaled == pytest.approx(raw * source.sigma(149) / source.volatility[20:80], abs=1e-12)


def test_a_suspended_counter_is_closed_out_when_it_trades_again() -> None:
    """Goal: nobody gets out of a suspension early. Method: ten days without a close, then half the price.

    Starts on the last two days before the gap end on the day of return (and the last but one has only the gap
    between); starts inside the gap are filled and counted; the jump is a scenario, not lost.
    """
    prices = _random(150, 3)
    prices[100:110, 1] = 0.0
    prices[110:, 1] *= 0.5
    history = _history(prices)
    source = scenario_source(history, SMALL)
    assert source.ends[98:100, 1].tolist() == [110, 110]
    assert source.returns[99, 1] == pytest.approx(prices[110, 1] / prices[99, 1] - 1, abs=1e-5)
    assert source.hvar(149).filled.tolist() == [0, 10, 0]
    during = source.hvar(105)
    assert during.filled.tolist() == [0, 6, 0]  # starts on days 98 to 103 cannot have ended
    notes = build_with_notes(history, SMALL, to_date(19_105)).notes
    assert notes.stale == ("00002",)


def test_days_without_any_return_are_refused() -> None:
    """Goal: no index, no proxy, never zero. Method: a counter alone, suspended for ten days."""
    prices = _random(150, 1)
    prices[100:110] = 0.0
    with pytest.raises(Rejected, match="no counter has a return from"):
        build_parameters(_history(prices), SMALL)


def test_short_histories_and_young_counters_are_refused() -> None:
    """Goal: no parameters from too little. Method: 101 days for 102, then a counter with 38 returns of its own."""
    with pytest.raises(Rejected, match="101 days of prices"):
        build_parameters(_history(_random(101, 2)), SMALL)
    with pytest.raises(Rejected, match="00003"):
        build_parameters(_late(listed=110), SMALL)
    with pytest.raises(Rejected, match="101 days of prices"):
        scenario_source(_history(_random(150, 2)), SMALL).hvar(100)


def test_slopes_by_hand() -> None:
    """Goal: beta is least squares. Method: twice the index plus a constant; an index that stands still gives 1."""
    index = np.array([0.01, -0.02, 0.03])
    assert slopes(np.array([2 * index + 0.5]).T, index)[0] == pytest.approx(2.0)
    assert slopes(np.array([[0.1], [np.nan], [0.2]]), np.zeros(3))[0] == 1.0


def test_liquidity_rows_by_hand() -> None:
    """Goal: FieldType 4 is what the settings say. Method: prices of 100, 200 and 1 HKD, volumes chosen for each bucket.

    20,000,000 x 100 = HKD 2bn: 0.20%, threshold 100m; 2,000,000 x 200 = 400m: 0.22%, 20m; 1,000,000 x 1: 0.25%, 0.
    The hedge row takes the largest threshold, beta 1 and the average close 301 / 3.
    """
    moves = np.array([0.01, -0.01] * 75)
    prices = np.stack([_walk(moves, 100.0), _walk(moves, 200.0), _walk(moves, 1.0)], axis=1)
    prices[-80:] = [100.0, 200.0, 1.0]
    volumes = np.tile(np.array([20_000_000, 2_000_000, 1_000_000]), (151, 1))
    built = build_with_notes(_history(prices, volumes=volumes), SMALL)
    rows = built.parameters.beta_hedges
    assert [(row.bucket_rate_e10, row.threshold) for row in rows.values()] == [
        (20_000_000, 100_000_000),
        (22_000_000, 20_000_000),
        (25_000_000, 0),
        (20_000_000, 100_000_000),
    ]
    assert rows["1"].cash_delta_e10 == 100 * 10**10
    assert rows["1"].beta_e10 == pytest.approx(10**10, rel=1e-2)  # 1 HKD moves in steps of 0.01%
    assert (rows["2800"].beta_e10, rows["2800"].cash_delta_e10) == (10**10, 1_003_333_333_333)
    assert built.notes.thresholds.startswith("5% of the traded value")


def test_without_volumes_the_threshold_is_the_stated_one() -> None:
    """Goal: an assumption shows. Method: no volumes; the threshold is the setting's and the note says so."""
    built = build_with_notes(_history(_random(150, 2)), SMALL)
    assert {row.threshold for row in built.parameters.beta_hedges.values()} == {100_000_000}
    assert built.notes.thresholds.startswith("no volumes given")


def test_the_index_fund_is_the_index_when_it_has_prices() -> None:
    """Goal: betas are against 2800 when it is there. Method: a fund column that moves half as much as a counter."""
    generator = np.random.default_rng(5)
    fund = generator.normal(0, 0.01, 149)
    prices = _walk(np.stack([2 * fund, fund], axis=1), 1e6)
    base = _history(prices)
    history = PriceHistory(base.dates, ("00001", "02800"), base.close_e4, base.missing)
    rules = msgspec.structs.replace(SMALL, holding_period_days=1)
    built = build_with_notes(history, rules)
    assert built.parameters.beta_hedges["1"].beta_e10 == pytest.approx(2 * 10**10, rel=1e-6)
    assert built.parameters.beta_hedges["2800"].beta_e10 == 10**10
    assert set(built.parameters.beta_hedges) == {"1", "2800"}
    assert (built.notes.index, built.notes.hedge) == ("2800", "2800: its own prices")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"decay_e4": 10_000}, RejectionReason.OUT_OF_RANGE),
        ({"look_back_days": 10}, RejectionReason.OUT_OF_RANGE),
        ({"holding_period_days": 0}, RejectionReason.OUT_OF_RANGE),
        ({"hvar_weight_e10": 5_000_000_000}, RejectionReason.OUT_OF_RANGE),
        ({"minimum_observed_days": 10}, RejectionReason.OUT_OF_RANGE),
        ({"stress_from": date(2022, 1, 1)}, RejectionReason.MISSING),
        ({"stress_from": date(2022, 1, 2), "stress_to": date(2022, 1, 1)}, RejectionReason.CONFLICT),
        ({"buckets": (LiquidityBucket(5, 1),)}, RejectionReason.CONFLICT),
        ({"buckets": ()}, RejectionReason.CONFLICT),
    ],
)
def test_settings_out_of_range_are_refused(changes: dict[str, object], reason: RejectionReason) -> None:
    """Goal: no run with nonsense. Method: one bad input at a time."""
    with pytest.raises(Rejected) as caught:
        FilterSettings(**changes)  # type: ignore[arg-type]
    assert caught.value.rejections[0].reason is reason


def test_real_prices_give_the_published_shape_twice(shared: Path) -> None:
    """Goal: 83 counters of five years become a file of HKSCC's shape, the same one every time. Method: two builds."""
    folder = shared / "data/econ/hk_stocks"
    history = read_prices(folder / "hsi_constituents_adjclose_2020_2025.csv.gz")
    digests = set()
    for _ in range(2):
        parameters = build_parameters(history, FilterSettings())
        arrays = parameters.hvar_returns_e10.tobytes() + parameters.svar_returns_e10.tobytes()
        digests.add(hashlib.sha256(arrays).hexdigest())
    assert len(digests) == 1
    assert parameters.hvar_returns_e10.shape == (83, 1_000)
    assert parameters.svar_returns_e10.shape == (83, 250)
    assert parameters.valuation_date == date(2025, 5, 22)
    assert (parameters.hvar_tail_count, parameters.svar_tail_count) == (6, 5)
    assert len(parameters.beta_hedges) == 84
    assert 0.1 < min(row.beta_e10 for row in parameters.beta_hedges.values()) / 1e10 < 1.0
