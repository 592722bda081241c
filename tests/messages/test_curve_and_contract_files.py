"""Curves by day and terms of contracts as files.

Goal: what is written is read back; every fault names file, line and field. Method: round trips, one fault each.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from tsingma.basics.rejection import Rejected
from tsingma.margin.house.contracts import ContractKind
from tsingma.market.curve_history import CurveSeries
from tsingma.messages.contract_file import COLUMNS, read_contracts
from tsingma.messages.curve_file import read_curves, tenor_years, write_curves
from tsingma.pricing.schedule import DayCount
from tsingma.simulate.curves import TENORS, simulate_curves

CURVES = "date,curve,tenor,rate\n"
TERMS = ",".join(COLUMNS) + "\n"


def test_simulated_curves_round_trip() -> None:
    """Goal: simulated curves are seeded, finite and read back as they were. Method: twice, and through the file."""
    curves = simulate_curves(7, date(2024, 1, 1), 30)
    again = simulate_curves(7, date(2024, 1, 1), 30)
    back = read_curves(write_curves(curves, TENORS))
    assert [one.name for one in back] == sorted(one.name for one in curves)
    for one, two, three in zip(curves, again, back, strict=True):
        assert (one.rates == two.rates).all()
        assert three.rates == pytest.approx(one.rates, abs=1e-9)
        assert (three.dates == one.dates).all()
        assert three.years == pytest.approx(one.years)
    assert not (simulate_curves(8, date(2024, 1, 1), 30)[0].rates == curves[0].rates).all()
    long = simulate_curves(1, date(2021, 1, 4), 1300)
    for one in long:
        daily = np.diff(one.rates[:, 6]).std() * 1e4
        assert 1 < daily < 15  # basis points a day at five years
        assert -0.02 < one.rates.min() < one.rates.max() < 0.12


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("2024-01-02,HKD.X,1Y\n", "C.csv:2: 3 columns"),
        ("2024-1-2,HKD.X,1Y,0.03\n", "C.csv:2: date: '2024-1-2' is not a date"),
        ("2024-01-02,HKD.X,1X,0.03\n", "C.csv:2: tenor: '1X' is no tenor"),
        ("2024-01-02,HKD.X,0Y,0.03\n", "tenor: '0Y'"),
        ("2024-01-02,HKD.X,1Y,nan\n", "C.csv:2: rate: 'nan' is no rate"),
        ("2024-01-02,HKD.X,1Y,3.1\n", "rate|3.1 on 2024-01-02 is not from"),
        ("2024-01-02,HIBOR,1Y,0.03\n", "C.csv:2: HIBOR: does not name its currency"),
        ("2024-01-02,HKD.X,1Y,0.03\n2024-01-02,HKD.X,1Y,0.03\n", "C.csv:3: HKD.X 1Y of 2024-01-02 stands on line 2"),
        ("2024-01-02,HKD.X,12M,0.03\n2024-01-02,HKD.X,1Y,0.04\n", "C.csv:3: HKD.X 1Y of 2024-01-02 stands on line 2"),
        ("2024-01-02,HKD.X,1Y,0.03\n2024-01-02,HKD.X,2Y,0.03\n2024-01-03,HKD.X,1Y,0.03\n",
         "C.csv:4: tenor: HKD.X has no rate at 2 years on 2024-01-03"),
        ("", "C.csv:2: there is no rate"),
    ],
)  # fmt: skip
def test_broken_curve_files(lines: str, message: str) -> None:
    """Goal: a curve with a hole, a point twice or rates in per cent is refused by line. Method: one fault each."""
    with pytest.raises(Rejected, match=message):
        read_curves((CURVES + lines).encode(), file="C.csv")


def test_singular_curve_series() -> None:
    """Goal: tenors that do not increase make no curve; a stale curve is not used. Method: by hand."""
    days = np.array([10, 11], np.int32)
    with pytest.raises(Rejected, match="the curve is singular"):
        CurveSeries("HKD.X", days.copy(), np.array([2.0, 2.0]), np.full((2, 2), 0.03))
    with pytest.raises(Rejected, match="rates"):
        CurveSeries("HKD.X", days.copy(), np.array([2.0]), np.full((2, 2), 0.03))
    curve = CurveSeries("HKD.X", days.copy(), np.array([1.0]), np.array([[0.03], [0.04]]))
    assert curve.on(np.array([12, 18], np.int32)).rates.ravel().tolist() == [0.04, 0.04]
    for wrong in (9, 19):
        with pytest.raises(Rejected, match="no curve within 7 days"):
            curve.on(np.array([wrong], np.int32))
    for data, message in ((b"\xff", "not UTF-8"), (b"day\n", "wrong header"), (b'date,curve,tenor,rate\n"', "C.csv")):
        with pytest.raises(Rejected, match=message):
            read_curves(data, file="C.csv")
    assert tenor_years("6M") == 0.5


def test_contract_terms() -> None:
    """Goal: every column is read, defaults are the stated ones. Method: four kinds."""
    lines = (
        "S,swap,HKD.X,2024-01-02,2029-01-02,0.03,6,ACT/360,1,0.04,,\nB,bond,HKD.X,,18M,0.02,,,,,0.5|0.25,\n"
        "P,swap,HKD.X,,5Y,par,,,,,,\nF,bond-future,HKD.X,,3M,0.03,6,,,,,B\n"
    )
    found = read_contracts((TERMS + lines).encode())
    swap, bond = found["S"], found["B"]
    assert (swap.start, swap.maturity, swap.rate, swap.months) == (date(2024, 1, 2), date(2029, 1, 2), 0.03, 6)
    assert (swap.count, swap.floating_months, swap.fixing) == (DayCount.ACT_360, 1, 0.04)
    assert (bond.kind, bond.start, bond.maturity, bond.repaid) == (ContractKind.BOND, None, 18, (0.5, 0.25))
    assert (bond.months, bond.count, bond.floating_months) == (12, DayCount.ACT_365F, 3)
    assert found["P"].rate is None
    assert found["F"].basket == ("B",)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("S,swap", "K.csv:2: 2 columns"),
        (",swap,HKD.X,,5Y,0.03,,,,,,", "K.csv:2: id: is empty"),
        ("S,option,HKD.X,,5Y,0.03,,,,,,", "kind: 'option' is none of"),
        ("S,swap,HKD.X,,5Y,0.03,,ACT/364,,,,", "count: 'ACT/364'"),
        ("S,swap,HKD.X,,5Y,3.0,,,,,,", "rate: '3.0' is no decimal"),
        ("S,swap,HKD.X,,5Y,nan,,,,,,", "rate: 'nan'"),
        ("S,swap,HKD.X,,0Y,0.03,,,,,,", "maturity: '0Y'"),
        ("S,swap,HKD.X,2024-01-02,2023-01-02,0.03,,,,,,", "maturity: 2023-01-02 is not after 2024-01-02"),
        ("S,swap,HKD.X,,soon,0.03,,,,,,", "maturity: 'soon' is not a date"),
        ("S,swap,HKD.X,,5Y,0.03,0,,,,,", "months: '0' is not 1 to 120"),
        ("N,floater,HKD.X,,5Y,par,,,,,,", "rate: a floater has no par rate"),
        ("F,bond-future,HKD.X,,3M,0.03,,,,,,", "basket: a bond future needs a basket"),
        ("F,bond-future,HKD.X,,3M,0.03,,,,,,B", "basket: 'B' is no bond with a coupon on HKD.X"),
        ("S,swap,HKD.X,,5Y,0.03,,,,,,\nS,swap,HKD.X,,5Y,0.03,,,,,,", "K.csv:3: id: 'S' stands twice"),
    ],
)
def test_broken_contract_files(line: str, message: str) -> None:
    """Goal: refusals name file, line and field. Method: one fault each."""
    with pytest.raises(Rejected, match=message):
        read_contracts((TERMS + line + "\n").encode(), file="K.csv")
    for data, text in ((b"\xff", "not UTF-8"), (b"id\n", "wrong header"), (TERMS.encode(), "no contract")):
        with pytest.raises(Rejected, match=text):
            read_contracts(data)
