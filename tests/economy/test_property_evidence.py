"""Evidence on stocks and homes: the pins of the reference from public series, closed forms, and refusals."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from tsingma.app.economy_data import read_economic_data
from tsingma.basics.rejection import Rejected
from tsingma.economy.draws import normals, replication_seeds
from tsingma.economy.observations import EconomicData
from tsingma.economy.property.error_correction import estimate, out_of_sample, unit_root_t
from tsingma.economy.property.evidence import divergence, granger, lead_lag, monthly_pair
from tsingma.economy.property.tails import cycle, tail
from tsingma.economy.series import Series

LAST = date(2026, 6, 30)


@pytest.fixture(scope="module")
def data(shared: Path) -> EconomicData:
    """Return the public series."""
    return read_economic_data(shared / "data" / "econ")


@pytest.fixture(scope="module")
def hsi(data: EconomicData) -> Series:
    """Return the index to the end of June 2026: what comes after is held out."""
    return data.hsi.between(date(1986, 12, 31), LAST)


def test_stocks_lead_homes(data: EconomicData, hsi: Series) -> None:
    """Goal: S5. Method: F of Granger causality both ways at lags 1 and 2, correlations at lag 1 and 0, 389 months."""
    days, logs = monthly_pair(hsi, data.ccl)
    change = np.diff(logs, axis=0)
    assert (str(days[1]), str(days[-1]), len(change)) == ("1994-02-01", "2026-06-01", 389)
    for lags, forward, back in ((1, 39.5, 0.95), (2, 29.7, 0.49)):
        assert granger(change[:, 1], change[:, 0], lags, names=("HSI", "CCL")).f == pytest.approx(forward, abs=0.05)
        assert granger(change[:, 0], change[:, 1], lags, names=("CCL", "HSI")).f == pytest.approx(back, abs=0.005)
    together = lead_lag(hsi, data.ccl, date(1994, 2, 1), LAST)
    assert together.stocks_a_month_before == pytest.approx(0.337, abs=5e-4)
    assert together.same_month == pytest.approx(0.172, abs=5e-4)


@pytest.mark.parametrize(
    ("first", "last", "same", "before", "stocks", "homes"),
    [
        (date(1994, 2, 1), date(2003, 12, 1), 0.288, 0.367, 8.39, 4.51),
        (date(2004, 1, 1), date(2014, 12, 1), 0.093, 0.378, 6.23, 2.45),
        (date(2015, 1, 1), date(2024, 12, 1), -0.057, 0.252, 6.04, 1.85),
        (date(2025, 1, 1), date(2026, 6, 1), -0.235, -0.076, 5.39, 1.12),
    ],
)
def test_windows(
    data: EconomicData, hsi: Series, first: date, last: date, same: float, before: float, stocks: float, homes: float
) -> None:
    """Goal: the table of windows. Method: correlations within 0.003 (edges of the lag differ), deviations to 0.01."""
    found = lead_lag(hsi, data.ccl, first, last)
    assert found.same_month == pytest.approx(same, abs=5e-4)
    assert found.stocks_a_month_before == pytest.approx(before, abs=3e-3)
    assert (found.stocks_deviation, found.homes_deviation) == pytest.approx((stocks, homes), abs=6e-3)


def test_the_parting_of_june_2026(data: EconomicData, hsi: Series) -> None:
    """Goal: base rates. Method: gap 0.212, rank 92 %, opposite signs 32 %, five episodes and what followed."""
    found = divergence(hsi, data.ccl)
    assert found.gap == pytest.approx(0.212, abs=5e-4)
    assert 92.0 <= found.percentile < 93.0
    assert found.opposite_signs == pytest.approx(0.32, abs=5e-3)
    assert found.homes_after_a_fall == pytest.approx(-5.7, abs=0.05)
    assert found.homes_on_average == pytest.approx(1.2, abs=0.05)
    wanted = {
        "1997-10": (-2.3, -32.3, -50.7),
        "2008-06": (-34.9, -22.6, -6.8),
        "2012-08": (18.2, 13.8, 12.1),
        "2018-08": (2.7, -8.8, -0.2),
        "2019-08": (1.6, -5.2, -5.6),
    }
    *past, now = found.episodes
    assert [episode.month.isoformat()[:7] for episode in past] == list(wanted)
    for episode, figures in zip(past, wanted.values(), strict=True):
        assert (episode.stocks_next_6, episode.homes_next_6, episode.homes_next_12) == pytest.approx(figures, abs=0.06)
    assert (now.month, now.homes_next_6) == (date(2026, 6, 1), None)


def test_error_correction(data: EconomicData, hsi: Series) -> None:
    """Goal: S6. Method: 158 quarters to 2026Q1; long run, short run, R2, unit root of the gap by simulation."""
    prices = data.home_price.between(date(1979, 1, 1), date(2026, 3, 1))
    found = estimate(prices, data.home_rent, hsi, draws=4_000)
    assert found.quarters == 158
    assert found.long_run[1:] == pytest.approx((1.663, 0.185), abs=5e-4)
    wanted = {
        "own change before": 0.293, "rents": 0.577, "stocks": 0.066, "stocks before": 0.127, "correction": -0.021,
    }  # fmt: skip
    for name, value in wanted.items():
        assert found.short_run[name] == pytest.approx(value, abs=6e-4)
    assert found.r_squared == pytest.approx(0.588, abs=5e-4)
    assert found.t_values["correction"] > -1.1
    assert found.unit_root_lags == 4
    assert found.unit_root_p == pytest.approx(0.0065, abs=0.005)


def test_error_correction_does_not_beat_no_change(data: EconomicData, hsi: Series) -> None:
    """Goal: S6 says so. Method: one-quarter errors from 2020 on, estimated anew each quarter."""
    prices = data.home_price.between(date(1979, 1, 1), date(2026, 3, 1))
    found = out_of_sample(prices, data.home_rent, hsi, date(2020, 3, 1))
    assert (found.error, found.error_of_no_change) == pytest.approx((3.02, 2.89), abs=0.015)
    assert not found.better_than_no_change


@pytest.mark.parametrize(
    ("first", "last", "percent"),
    [
        (date(1997, 1, 1), date(2003, 12, 31), -65.0),
        (date(2008, 1, 1), date(2009, 6, 30), -14.2),
        (date(2021, 1, 1), date(2025, 12, 31), -28.1),
    ],
)
def test_cycles_of_home_prices(data: EconomicData, first: date, last: date, percent: float) -> None:
    """Goal: S7. Method: largest fall of the RVD index in each window."""
    assert cycle(data.home_price, first, last).percent == pytest.approx(percent, abs=0.06)


def test_tail_of_the_index(data: EconomicData) -> None:
    """Goal: S8. Method: worst days, quantiles and worst five days over all closes to 20 August 2026."""
    found = tail(data.hsi)
    assert [(day.day.isoformat(), round(day.percent, 2)) for day in found.worst] == [
        ("1987-10-26", -33.33),
        ("1989-06-05", -21.75),
        ("1997-10-28", -13.70),
        ("2025-04-07", -13.22),
        ("2008-10-27", -12.70),
    ]
    assert (found.quantile_0_1, found.quantile_1) == pytest.approx((-8.73, -4.21), abs=5e-3)
    assert found.worst_five_days == pytest.approx(-41.7, abs=0.05)


def test_granger_finds_the_cause_it_was_given() -> None:
    """Goal: direction. Method: homes follow stocks by a month in made data; F is large one way and small the other."""
    noise = normals(replication_seeds(3, 400), 0, 2)
    stocks, homes = noise[:, 0], 0.2 * noise[:, 1]
    homes[1:] += 0.5 * stocks[:-1]
    assert granger(homes, stocks, 1, names=("s", "h")).f > 100
    assert granger(stocks, homes, 1, names=("h", "s")).f < 6


def test_unit_root_of_unrelated_walks_and_of_tied_ones() -> None:
    """Goal: the statistic tells them apart. Method: 500 triples of walks; in half, the first follows the others."""
    walks = normals(replication_seeds(5, 500), 0, 480).reshape(500, 160, 3).cumsum(1)
    tied = walks.copy()
    tied[:, :, 0] = tied[:, :, 1] + 0.5 * tied[:, :, 2] + normals(replication_seeds(6, 500), 0, 160)
    assert np.median(unit_root_t(walks, 1)) > -3.0
    assert np.mean(unit_root_t(tied, 1) < -4.3) > 0.95


def _months(count: int, *, skip: int | None = None) -> Series:
    kept = [place for place in range(count) if place != skip]
    days = np.datetime64("2000-01", "M") + np.array(kept)
    return Series("x", days.astype("datetime64[D]"), np.exp(np.sin(np.array(kept))))


def test_gaps_and_short_series_are_refused() -> None:
    """Goal: a missing month is never bridged. Method: a hole, too few rows, too few quarters, no quarter left."""
    with pytest.raises(Rejected, match="2000-06 is missing"):
        divergence(_months(40, skip=5), _months(40, skip=5))
    with pytest.raises(Rejected, match="do not carry"):
        granger(np.ones(4), np.ones(4), 2, names=("a", "b"))
    with pytest.raises(Rejected, match="a hundred"):
        tail(_months(40))
    quarters = Series("q", _months(60).days[2::3], np.arange(1.0, 21.0))
    with pytest.raises(Rejected, match="30 are needed"):
        estimate(quarters, quarters, _months(90))
    with pytest.raises(Rejected, match="months from"):
        lead_lag(_months(40), _months(40), date(2000, 1, 1), date(2000, 2, 1))
    with pytest.raises(Rejected, match="no quarter from"):
        out_of_sample(quarters, quarters, _months(90), date(2030, 1, 1))
