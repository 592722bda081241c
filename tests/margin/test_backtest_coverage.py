"""Backtest of margin rates: published test statistics, a plain-Python oracle, simulated and real prices."""

from __future__ import annotations

import math
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
import pytest

from tsingma.app.parameter_file import backtest_table, build_parameters
from tsingma.basics.dates import to_date
from tsingma.basics.rejection import Rejected
from tsingma.margin.hkscc.backtest import backtest, margin_rates
from tsingma.margin.hkscc.backtest_tests import (
    Zone,
    binomial_at_most,
    christoffersen_statistic,
    kupiec_statistic,
    p_value_one,
    p_value_two,
    traffic_light,
)
from tsingma.margin.hkscc.history_scenarios import scenario_source
from tsingma.margin.hkscc.history_settings import FilterSettings
from tsingma.margin.hkscc.parameters import SCALE_E10
from tsingma.margin.hkscc.portfolio import portfolio_margin
from tsingma.margin.hkscc.terms import MarginablePosition, ParticipantTerms
from tsingma.market.history import PriceHistory
from tsingma.messages.prices import read_prices
from tsingma.messages.rpf01 import read_parameters, write_parameters

SMALL = FilterSettings(look_back_days=100, stress_days=50, minimum_observed_days=60)


def _history(days: int, counters: int, seed: int = 11) -> PriceHistory:
    generator = np.random.default_rng(seed)
    returns = generator.normal(0, 0.01, (days, 1)) + generator.normal(0, 0.015, (days, counters))
    close = np.rint(1e6 * np.exp(np.cumsum(returns, axis=0))).astype(np.int64)
    codes = tuple(f"{number:05d}" for number in range(1, counters + 1))
    return PriceHistory(np.arange(19_000, 19_000 + days, dtype=np.int32), codes, close, close == 0)


@pytest.mark.parametrize(
    ("days", "exceedances", "rate", "statistic"),
    [
        (250, 1, 0.01, 1.17649114),
        (250, 4, 0.01, 0.76913836),
        (1000, 11, 0.01, 0.09783440),
        (1000, 21, 0.01, 9.28404591),
        (250, 4, 0.025, 0.95040880),
        (1000, 46, 0.025, 14.55402305),
    ],
)
def test_kupiec_against_r(days: int, exceedances: int, rate: float, statistic: float) -> None:
    """Goal: LR_uc is Kupiec's. Method: values of rugarch and GAS in R, as kept in the tests of the vetted package."""
    assert kupiec_statistic(days, exceedances, rate) == pytest.approx(statistic, abs=1e-8)


@pytest.mark.parametrize(
    ("days", "exceedances", "statistic"), [(30, 7, 32.338), (250, 5, 1.957), (250, 7, 5.497), (1000, 17, 4.091)]
)
def test_kupiec_more_vectors(days: int, exceedances: int, statistic: float) -> None:
    """Goal: LR_uc again. Method: 30 days with 7 (aifinhub.io: 32.34, p 1.3e-8), the others by the formula."""
    assert kupiec_statistic(days, exceedances, 0.01) == pytest.approx(statistic, abs=5e-4)
    if days == 30:
        assert p_value_one(kupiec_statistic(30, 7, 0.01)) == pytest.approx(1.3e-8, rel=0.01)


def test_kupiec_at_the_edges() -> None:
    """Goal: none, all and no days do not fail. Method: closed forms -2 n ln(1 - p), -2 n ln p; 10 of 1,000."""
    assert kupiec_statistic(250, 0, 0.01) == pytest.approx(-500 * math.log(0.99))
    assert kupiec_statistic(10, 10, 0.01) == pytest.approx(-20 * math.log(0.01))
    assert kupiec_statistic(0, 0, 0.01) == 0.0
    assert kupiec_statistic(1000, 10, 0.01) == pytest.approx(0.0, abs=1e-9)


def test_christoffersen_by_hand() -> None:
    """Goal: LR_ind is Christoffersen's. Method: 0001100100 gives n00 4, n01 2, n10 2, n11 1, worked by hand.

    Together: q = 3/9, 3 ln(1/3) + 6 ln(2/3). Apart: 2 ln(2/6) + 4 ln(4/6) and ln(1/3) + 2 ln(2/3): the same rates,
    so the statistic is 0. For 0000011111: n00 4, n01 1, n10 0, n11 4; q = 5/9; apart 4 ln(4/5) + ln(1/5).
    """
    even = np.array([0, 0, 0, 1, 1, 0, 0, 1, 0, 0], dtype=np.bool_)
    assert christoffersen_statistic(even) == pytest.approx(0.0, abs=1e-12)
    runs = np.array([0] * 5 + [1] * 5, dtype=np.bool_)
    together = 5 * math.log(5 / 9) + 4 * math.log(4 / 9)
    apart = 4 * math.log(0.8) + math.log(0.2)
    assert christoffersen_statistic(runs) == pytest.approx(-2 * (together - apart))
    assert christoffersen_statistic(np.zeros(50, dtype=np.bool_)) == 0.0
    assert christoffersen_statistic(np.array([False])) == 0.0


def test_critical_values() -> None:
    """Goal: p-values are chi-squared. Method: tabled critical values, 5% and 1%, one and two degrees of freedom."""
    assert p_value_one(3.841458821) == pytest.approx(0.05, abs=1e-9)
    assert p_value_one(6.634896601) == pytest.approx(0.01, abs=1e-9)
    assert p_value_two(5.991464547) == pytest.approx(0.05, abs=1e-9)
    assert p_value_two(9.210340372) == pytest.approx(0.01, abs=1e-9)


def test_traffic_light_of_the_basel_committee() -> None:
    """Goal: the zones are those of the supervisory framework of January 1996. Method: its table 2, 250 days at 1%."""
    cumulative = {0: 0.0811, 1: 0.2858, 2: 0.5432, 3: 0.7581, 4: 0.8922, 5: 0.9588, 6: 0.9863, 9: 0.9997, 10: 0.9999}
    for exceedances, chance in cumulative.items():
        assert binomial_at_most(250, exceedances, 0.01) == pytest.approx(chance, abs=6e-5)
    zones = [traffic_light(250, exceedances, 0.01) for exceedances in (0, 4, 5, 9, 10, 30)]
    assert zones == [Zone.GREEN, Zone.GREEN, Zone.YELLOW, Zone.YELLOW, Zone.RED, Zone.RED]


def _plain_rate(source_returns: npt.NDArray[np.float64], stress: npt.NDArray[np.float64], sign: int) -> float:
    """Oracle: the guide's portfolio margin for one counter, in plain Python."""
    hvar = sorted(sign * float(value) for value in source_returns)
    svar = sorted(sign * float(value) for value in stress)
    loss = 0.75 * sum(hvar[:1]) / 1 + 0.25 * sum(svar[:1]) / 1
    return max(abs(loss), 0.032)


def test_margin_rates_equal_plain_python() -> None:
    """Goal: the rate is the guide's formula. Method: 100 and 50 scenarios, tails of 1 and 1, sorted in plain Python."""
    source = scenario_source(_history(150, 4), SMALL)
    window = source.stress_window(149)
    rates = margin_rates(source, 149, window)
    hvar, svar = source.hvar(149).returns, source.svar(149, window).returns
    for column in range(4):
        assert rates.long[column] == pytest.approx(_plain_rate(hvar[:, column], svar[:, column], 1))
        assert rates.short[column] == pytest.approx(_plain_rate(hvar[:, column], svar[:, column], -1))


def test_the_floor_holds() -> None:
    """Goal: no rate below the minimum margin level. Method: a floor of 50%; and a rate above it without."""
    history = _history(150, 3)
    high = scenario_source(history, msgspec.structs.replace(SMALL, floor_rate_e10=5_000_000_000))
    rates = margin_rates(high, 149, high.stress_window(149))
    assert rates.long.tolist() == rates.short.tolist() == [0.5, 0.5, 0.5]


def test_backtest_equals_a_plain_loop() -> None:
    """Goal: exceedances are counted out of sample. Method: cut the history on every day, price the next two, count."""
    history = _history(160, 3)
    rules = msgspec.structs.replace(SMALL, hvar_confidence_e10=9_000_000_000, floor_rate_e10=0)
    table = backtest(history, rules)
    long, short, days = [0, 0, 0], [0, 0, 0], 0
    for row in range(101, 158):
        source = scenario_source(history.until(row), rules)
        rates = margin_rates(source, row, source.stress_window(row))
        days += 1
        for column in range(3):
            move = int(history.close_e4[row + 2, column]) / int(history.close_e4[row, column]) - 1
            long[column] += -move > rates.long[column]
            short[column] += move > rates.short[column]
    assert [row.days_tested for row in table.rows] == [days] * 3
    assert [row.exceedances_long for row in table.rows] == long
    assert [row.exceedances_short for row in table.rows] == short
    assert sum(long) > 0
    assert table.coverage_long == pytest.approx(1 - sum(long) / (3 * days))
    assert (table.first_test_date, table.last_test_date) == (to_date(19_101), to_date(19_157))


def test_progress_is_told() -> None:
    """Goal: long work says how far it is. Method: collect the calls of a run."""
    calls: list[tuple[str, int, int]] = []

    class Recorder:
        def stage(self, name: str, done: int, total: int) -> None:
            calls.append((name, done, total))

    table = backtest_table(_history(160, 2), SMALL, to_date(19_150), Recorder())
    assert calls == [("backtest", done, 48) for done in range(1, 49)]
    assert table.valuation_date == to_date(19_150)
    assert backtest_table(_history(160, 2), SMALL, to_date(19_150)) == table


def test_a_named_stress_window_is_never_tested_before_it_ended() -> None:
    """Goal: no peeking through the stress window. Method: it ends on day 120; tests start there."""
    rules = msgspec.structs.replace(SMALL, stress_from=to_date(19_010), stress_to=to_date(19_120))
    assert backtest(_history(160, 2), rules).first_test_date == to_date(19_120)


def test_too_few_test_days_are_refused() -> None:
    """Goal: no coverage from a handful of days. Method: 15 test days."""
    with pytest.raises(Rejected, match="15 days can be tested"):
        backtest(_history(118, 2), SMALL)


def test_a_young_counter_is_tested_only_when_it_is_old_enough() -> None:
    """Goal: a rate needs a history. Method: listed on day 50, 60 returns needed, so tests start on day 111."""
    base = _history(200, 3)
    close = base.close_e4.copy()
    close[:50, 1] = 0
    table = backtest(PriceHistory(base.dates, base.instruments, close, close == 0), SMALL)
    assert [row.days_tested for row in table.rows] == [97, 97 - 10, 97]


def test_coverage_of_simulated_prices_is_near_the_target() -> None:
    """Goal: on prices that obey the model at most about 1% exceed. Method: 20 normal counters, 700 days."""
    rules = msgspec.structs.replace(SMALL, look_back_days=300)
    table = backtest(_history(700, 20), rules)
    assert 0.985 < table.coverage_long < 1.0
    assert 0.985 < table.coverage_short < 1.0


def test_coverage_of_real_prices(shared: Path) -> None:
    """Goal: 99% on real counters, one by one no worse than 97%. Method: 83 counters, 320 days, both sides."""
    history = read_prices(shared / "data/econ/hk_stocks/hsi_constituents_adjclose_2020_2025.csv.gz")
    table = backtest(history, FilterSettings())
    assert len(table.rows) == 83
    assert min(row.days_tested for row in table.rows) >= 300
    assert min(min(row.coverage_long, row.coverage_short) for row in table.rows) >= 0.97
    assert min(table.coverage_long, table.coverage_short) >= 0.99
    assert all(0.032 <= rate < 0.6 for row in table.rows for rate in (row.margin_rate_long, row.margin_rate_short))


@pytest.mark.parametrize("side", [1, -1])
def test_rates_are_what_the_margin_model_charges(side: int) -> None:
    """Goal: the backtest tests the model in use. Method: margin of HKD 1bn of one counter, by way of the file."""
    history = _history(150, 3)
    parameters = read_parameters(write_parameters(build_parameters(history, SMALL)))
    terms = ParticipantTerms(
        margin_multiplier_e10=SCALE_E10,
        margin_credit=0,
        credit_risk_addon=0,
        ad_hoc_addon=0,
        tier_p_floor_e10=SMALL.floor_rate_e10,
        min_tick_e10=SCALE_E10 // 1000,
        hedge_instrument="2800",
    )
    source = scenario_source(history, SMALL)
    rates = margin_rates(source, 149, source.stress_window(149))
    for column, instrument in enumerate(parameters.instruments):
        position = MarginablePosition(instrument, side, side * 10**9, side * 10**9)
        charged = int(portfolio_margin([position], parameters, terms).amount)
        expected = rates.long[column] if side > 0 else rates.short[column]
        assert charged / 10**9 == pytest.approx(expected, abs=1e-8)
