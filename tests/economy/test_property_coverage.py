"""Fans beside what came: starts from the series, coverage near its level, and refusals."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from tsingma.app.economy_data import read_economic_data
from tsingma.basics.rejection import Rejected
from tsingma.economy.observations import EconomicData
from tsingma.economy.property.coverage import fan_coverage, start_from
from tsingma.economy.property.parameters import start_on


@pytest.fixture(scope="module")
def data(shared: Path) -> EconomicData:
    """Return the public series."""
    return read_economic_data(shared / "data" / "econ")


def test_a_start_from_the_series_is_that_of_the_table(data: EconomicData) -> None:
    """Goal: retyped starts are right. Method: both starts of the table, field by field, to their rounding."""
    for day in (date(2025, 12, 31), date(2026, 6, 30)):
        made, typed = start_from(data, day), start_on(day)
        assert made.hsi == pytest.approx(typed.hsi, abs=0.01)
        assert made.home_sales == typed.home_sales
        assert made.home_rent == pytest.approx(typed.home_rent)
        assert made.hibor == pytest.approx(typed.hibor, abs=0.005)
        assert (made.vacancy, made.completions_a_year) == (typed.vacancy, typed.completions_a_year)
        for name in ("price_change", "price_change_before", "stocks_change", "stocks_change_before"):
            assert getattr(made, name) == pytest.approx(getattr(typed, name), abs=6e-5), name


def test_fans_are_neither_narrow_nor_idle(data: EconomicData) -> None:
    """Goal: uncertainty that means something. Method: 38 origins, a year ahead; shares inside near their levels."""
    for one in fan_coverage(data, date(2016, 3, 31), date(2025, 6, 30)):
        assert one.origins == 38
        assert 0.65 <= one.inside[0.8] <= 0.95, one
        assert 0.80 <= one.inside[0.9] <= 1.0, one
        assert 0.3 <= one.inside[0.5] <= 0.7, one


def test_starts_before_the_series_are_refused(data: EconomicData) -> None:
    """Goal: no invented past. Method: a day before HIBOR's first, one before a year of prices, an empty span."""
    with pytest.raises(Rejected, match="nothing from 2014-03-01"):
        start_from(data, date(2014, 3, 1))
    with pytest.raises(Rejected, match="no year of every series"):
        start_from(data, date(1994, 6, 1))
    with pytest.raises(Rejected, match="no origin"):
        fan_coverage(data, date(2020, 1, 31), date(2019, 1, 31))
