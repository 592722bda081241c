"""Quotes of deposits and swaps as a file, and the zero rates made of them.

Goal: the zero rates price every quote to par, by day and curve; faults name file, line and curve. Method: swaps on the
written curve are worth nothing at their quotes; one fault each.
"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from tsingma.basics.rejection import Rejected
from tsingma.cli.main import main
from tsingma.messages.curve_file import read_curves
from tsingma.messages.quote_file import read_quotes
from tsingma.pricing.curves import Deposit, ParSwap
from tsingma.pricing.schedule import DayCount

HEAD = "date,curve,kind,tenor,rate,months,count\n"
LINES = """2026-01-05,HKD.HIBOR,deposit,3M,0.031,,
2026-01-05,HKD.HIBOR,swap,2Y,0.032,12,
2026-01-05,HKD.HIBOR,swap,1Y,0.0315,12,
2026-01-05,USD.SOFR,deposit,1M,0.036,,ACT/360
2026-01-06,HKD.HIBOR,deposit,3M,0.030,,
2026-01-06,HKD.HIBOR,swap,1Y,0.0310,12,
2026-01-06,HKD.HIBOR,swap,2Y,0.0312,12,
"""


def test_quotes_become_curves(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: par swaps are worth nothing on the curve that is written. Method: annual coupons at the quoted rate."""
    (tmp_path / "Q.csv").write_text(HEAD + LINES)
    out = tmp_path / "deep" / "C.csv"
    assert main(["margin", "curves", "--quotes", str(tmp_path / "Q.csv"), "--out", str(out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rates"] == 7
    hibor, sofr = read_curves(out.read_bytes())
    assert (hibor.name, sofr.name) == ("HKD.HIBOR", "USD.SOFR")
    for row, quote in ((0, 0.032), (1, 0.0312)):
        # ACT/365 years of the coupon days: 365 and 730 days.
        one, two = np.exp(-hibor.rates[row, 1:] * np.array([1.0, 2.0]))
        assert quote * (one + two) + two == pytest.approx(1.0, abs=1e-8)
    assert np.exp(hibor.rates[0, 0] * 90 / 365) == pytest.approx(1 + 0.031 * 90 / 365, rel=1e-9)
    assert main(["margin", "curves", "--quotes", str(tmp_path / "Q.csv"), "--out", str(out)]) == 0
    found = read_quotes((HEAD + LINES).encode())
    first = found["HKD.HIBOR", date(2026, 1, 5)]
    assert [type(one) for _, one, _ in first] == [Deposit, ParSwap, ParSwap]
    assert [tenor for tenor, _, _ in first] == ["3M", "1Y", "2Y"]
    assert found["USD.SOFR", date(2026, 1, 5)][0][1].count is DayCount.ACT_360


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("2026-01-05,HKD.X,future,3M,0.03,,", "Q.csv:2: kind: 'future' is none of"),
        ("2026-01-05,HKD.X,deposit,3Q,0.03,,", "Q.csv:2: tenor: '3Q' is no tenor"),
        ("2026-01-05,HKD.X,deposit,300Y,0.03,,", "tenor: '300Y' is beyond"),
        ("2026-01-05,HKD.X,deposit,3M,3.1,,", "Q.csv:2: rate: '3.1' is no rate"),
        ("2026-01-05,HKD.X,swap,3Y,0.03,0,", "months: '0'"),
        ("2026-01-05,HKD.X,swap,3Y,0.03,,ACT/1", "count: 'ACT/1'"),
        ("soon,HKD.X,swap,3Y,0.03,,", "date: 'soon' is not a date"),
        ("2026-01-05,HKD.X,swap,3Y,,,", "rate: is empty"),
    ],
)
def test_broken_quotes(line: str, message: str) -> None:
    """Goal: no curve from a quote that cannot be read. Method: one fault each."""
    with pytest.raises(Rejected, match=message):
        read_quotes((HEAD + line + "\n").encode(), file="Q.csv")


def test_singular_quotes_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: two quotes for one end make no curve: file, line, curve and day are told. Method: the same tenor twice."""
    lines = "2026-01-05,HKD.X,deposit,12M,0.03,,\n2026-01-05,HKD.X,swap,1Y,0.04,,\n"
    (tmp_path / "Q.csv").write_text(HEAD + lines)
    assert main(["margin", "curves", "--quotes", str(tmp_path / "Q.csv"), "--out", str(tmp_path / "C.csv")]) == 2
    error = capsys.readouterr().err
    assert "Q.csv:3: HKD.X of 2026-01-05: end: instrument 2" in error
    assert "singular" in error
