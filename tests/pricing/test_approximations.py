"""Closed-form approximations of American options.

Goal: the published tables within their tolerances; the true option near them. Method: Haug 1998 p. 24 (37 values) and
p. 27
(8 values of Bjerksund and Stensland), Ju 1999 exhibits 3 and 6, tenors rounded to days over 360 as the tables' users
do.
"""

from __future__ import annotations

import numpy as np
import pytest

from tsingma.basics.rejection import Rejected
from tsingma.pricing.american import ACCURATE, american
from tsingma.pricing.approximations import barone_adesi_whaley, bjerksund_stensland

# E. Haug 1998, p. 24: K = 100, r = q = 10 %; spot 90, 100, 110 by volatility 15, 25, 35 % by 0.1, 0.5 years.
HAUG_CALLS = """.0206 1.8771 10.0089 .3159 3.1280 10.3919 .9495 4.3777 11.1679
.8208 4.0842 10.8087 2.7437 6.8015 13.0170 5.0063 9.5106 15.5689"""
HAUG_PUTS = """10.0000 1.8770 .0410 10.2533 3.1277 .4562 10.8787 4.3777 1.2402
10.5595 4.0842 1.0822 12.4419 6.8014 3.3226 14.6945 9.5104 5.8823"""


def days(years: float) -> float:
    """Return a tenor rounded to days over 360."""
    return round(years * 360) / 360


@pytest.mark.parametrize(("text", "is_call"), [(HAUG_CALLS, True), (HAUG_PUTS, False)])
def test_haug_page_24(text: str, is_call: bool) -> None:
    """Goal: 36 values within 3e-3. Method: the grid of the page."""
    wanted = [float(value) for value in text.split()]
    grid = [(s, vol, days(t)) for t in (0.1, 0.5) for vol in (0.15, 0.25, 0.35) for s in (90.0, 100.0, 110.0)]
    spot, volatility, years = (np.array(column) for column in zip(*grid, strict=True))
    found = barone_adesi_whaley(spot, 100.0, years, volatility, 0.10, is_call, 0.10)
    assert np.abs(found - wanted).max() < 3e-3
    true = american(spot, 100.0, years, volatility, 0.10, is_call, 0.10, scheme=ACCURATE)
    assert np.abs(found - true).max() < 0.05


def test_haug_without_rates() -> None:
    """Goal: the 37th value, 4.2294, where early exercise is worth nothing. Method: r = q = 0."""
    found = barone_adesi_whaley(100.0, 100.0, 0.5, 0.15, 0.0, False, 0.0)
    assert found[0] == pytest.approx(4.2294, abs=3e-3)


# type, strike, spot, yield, rate, years, volatility, value (Haug 1998 p. 27, and edges of volatility)
BJERKSUND = [
    (True, 40, 42, 0.08, 0.04, 0.75, 0.35, 5.2704),
    (False, 40, 36, 0.00, 0.06, 1.00, 0.20, 4.4531),
    (True, 100, 100, 0.05, 0.05, 1.0, 0.0021, 0.08032314),
    (True, 100, 100, 0.05, 0.05, 1.0, 0.0001, 0.003860656),
    (True, 100, 99.99, 0.05, 0.05, 1.0, 0.0001, 0.00081),
    (True, 100, 110, 0.05, 0.05, 1.0, 0.0001, 10.0),
    (False, 110, 100, 0.05, 0.05, 1.0, 0.0001, 10.0),
    (False, 100, 110, 0.05, 0.05, 1.0, 10, 94.89543),
]


@pytest.mark.parametrize("row", BJERKSUND)
def test_bjerksund_stensland(row: tuple[bool, float, float, float, float, float, float, float]) -> None:
    """Goal: eight values within 5e-5. Method: the published rows."""
    is_call, strike, spot, carry, rate, years, volatility, value = row
    found = bjerksund_stensland(spot, strike, days(years), volatility, rate, is_call, carry)
    assert found[0] == pytest.approx(value, abs=5e-5)


# N. Ju 1999, exhibit 3 (puts on 40, r = 4.88 %, no yield), and exhibit 6 (calls of three years on strike 100).
JU_PUTS = """.006 .201 .433 .851 1.576 1.984 5.000 5.084 5.260 .078 .697 1.218 1.309 2.477 3.161 5.059 5.699 6.231
.247 1.344 2.150 1.767 3.381 4.342 5.288 6.501 7.367"""
JU_CALLS = [
    (0.07, 0.03, 0.2, (2.605, 5.182, 9.065, 14.430, 21.398)),
    (0.07, 0.03, 0.4, (11.336, 15.711, 20.760, 26.440, 32.709)),
    (0.07, 0.00001, 0.3, (5.552, 8.868, 13.158, 18.458, 24.786)),
    (0.03, 0.07, 0.3, (12.177, 17.411, 23.402, 30.028, 37.177)),
]


def test_ju_tables_are_near_the_option() -> None:
    """Goal: the option within the error of the print: 0.017 for puts, 0.08 for calls. Method: 47 values."""
    grid = [(k, vol, days(t)) for vol in (0.2, 0.3, 0.4) for k in (35.0, 40.0, 45.0) for t in (0.0833, 0.3333, 0.5833)]
    strike, volatility, years = (np.array(column) for column in zip(*grid, strict=True))
    wanted = np.array([float(value) for value in JU_PUTS.split()])
    found = american(40.0, strike, years, volatility, 0.0488, False, scheme=ACCURATE)
    assert np.abs(found - wanted).max() < 0.017
    for carry, rate, vol, values in JU_CALLS:
        calls = american([80.0, 90.0, 100.0, 110.0, 120.0], 100.0, 3.0, vol, rate, True, carry, scheme=ACCURATE)
        assert np.abs(calls - np.array(values)).max() < 0.08


def test_bad_rows_are_refused() -> None:
    """Goal: no approximation from a bad quote. Method: zero time, zero volatility, negative rate and yield."""
    good = {
        "spot": 100.0,
        "strike": 100.0,
        "years": 1.0,
        "volatility": 0.2,
        "rate": 0.01,
        "is_call": True,
        "carry": 0.0,
    }
    for field, value in (("years", 0.0), ("volatility", 0.0), ("rate", -0.1), ("carry", -0.1)):
        for formula in (barone_adesi_whaley, bjerksund_stensland):
            with pytest.raises(Rejected, match=field):
                formula(**(good | {field: value}))  # type: ignore[arg-type]
