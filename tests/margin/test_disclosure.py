"""Public quantitative disclosure.

Goal: every field is the rooms' own figure, nothing is zero by default. Method: paths by hand, the same figures another
way on a simulated market, the command, refusals.
"""

from __future__ import annotations

import csv
import json
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from simulated_past import HEDGED, RATES, simulated_market, write_files
from tsingma.basics.rejection import Rejected
from tsingma.cli.main import main
from tsingma.margin.disclosure import (
    HousePaths,
    Lodged,
    collateral_fields,
    house_paths,
    margin_fields,
    resource_fields,
)
from tsingma.margin.house.holdings import House
from tsingma.margin.house.past import MarketPast
from tsingma.margin.joint.allocation import Allocation
from tsingma.margin.joint.study import BookSeries, CoverageControl, book_series
from tsingma.margin.resources.default_fund import Exposure, FundRules, Key, size_fund

FREE = CoverageControl(minimum=0)


@pytest.fixture(scope="module")
def past() -> MarketPast:
    """One prepared past for all tests."""
    return simulated_market()


@pytest.fixture(scope="module")
def series(past: MarketPast) -> list[BookSeries]:
    """Two accounts through time."""
    return [book_series(one, past, every=10) for one in (HEDGED, RATES)]


def values(fields: list, number: str) -> list[str]:  # type: ignore[type-arg]
    """Return the values of a field."""
    return [one.value for one in fields if one.number == number]


def by_hand(house: House = House.HKCC) -> HousePaths:
    """Return three days of two accounts."""
    return HousePaths(
        house=house, accounts=("A", "B"), days=(date(2026, 1, 5), date(2026, 1, 6), date(2026, 1, 7)),
        margin=np.array([[100, 50], [120, 40], [90, 60]]), losses=np.array([[101, 0], [0, 70], [-5, 60]]),
        marks=np.array([[10, -4], [-3, 8], [20, 5]]),
    )  # fmt: skip


def test_fields_by_hand(past: MarketPast) -> None:
    """Goal: breaches, coverage, uncovered exposure, variation margin, calls. Method: three days of two accounts."""
    fields = margin_fields(by_hand(), past, [])
    assert values(fields, "6.1") == ["150"]
    assert values(fields, "6.5.1") == ["2"]
    assert values(fields, "6.5.2") == ["6"]
    assert values(fields, "6.5.3") == ["0.666667"]
    assert values(fields, "6.5.4") == ["30"]
    assert values(fields, "6.5.5") == ["15"]  # (1 + 30) / 2, rounded down
    assert values(fields, "6.6") == ["14"]  # (10 + 8 + 25) / 3
    assert values(fields, "6.7") == ["25"]
    assert values(fields, "6.8") == ["20"]
    assert values(fields, "18") == ["1.000000", "1.000000"]


def test_collateral_by_hand() -> None:
    """Goal: held before and after haircut, and over what is required. Method: HKCC's haircuts."""
    lodged = [
        Lodged(account="A", house="HKCC", kind="cash.HKD", value=100),
        Lodged(account="B", house="HKCC", kind="cash.CNY", value=1_000),
        Lodged(account="B", house="SEOCH", kind="equity", value=7),
    ]
    fields = collateral_fields(by_hand(), lodged)
    found = {one.name: one.value for one in fields if one.number == "6.2"}
    assert found["held in cash.CNY, before haircut"] == "1000"
    assert found["held in cash.CNY, after haircut"] == "970"  # 3.0 % from 7 February 2023
    assert found["held in all, after haircut"] == "1070"
    assert found["held after haircut over required"] == f"{1070 / 150:.6f}"
    assert len(values(fields, "5.1")) == 5
    assert not values(collateral_fields(by_hand(), []), "6.2")
    with pytest.raises(Rejected, match="HKCC does not take 'equity'"):
        collateral_fields(by_hand(), [Lodged(account="A", house="HKCC", kind="equity", value=1, line=4)])
    with pytest.raises(Rejected, match="value: is negative"):
        collateral_fields(by_hand(), [Lodged(account="A", house="HKCC", kind="cash.HKD", value=-1)])


def test_resources_by_hand() -> None:
    """Goal: resources, cover, peak and mean stress losses, days above. Method: two days by hand."""
    exposures = [
        Exposure(day=day, scenario="up", participant=name, group=name, loss=loss, collateral=0)
        for day, losses in (("d1", (300, 200, 10)), ("d2", (100, 50, 20)))
        for name, loss in zip("ABC", losses, strict=True)
    ]
    rules = FundRules(cover=1, minimum=100, threshold=10_000, least_contribution=1)
    fund = size_fund(exposures, [Key("d1", name, 1) for name in "ABC"], rules)
    fields = resource_fields("HKCC", fund, rules.cover, exposures)
    assert values(fields, "4.1") == [str(fund.size)] == ["300"]
    assert int(values(fields, "4.2")[0]) + int(values(fields, "4.3")[0]) == 300
    assert values(fields, "4.4.1") == ["cover 1"]
    assert values(fields, "4.4.3") == ["300", "200"]
    assert values(fields, "4.4.4") == ["0"]
    assert values(fields, "4.4.7") == ["500", "325"]
    assert values(fields, "4.4.8") == ["1"]
    assert values(fields, "4.4.9") == ["200"]


def test_paths_are_the_studys(past: MarketPast, series: list[BookSeries]) -> None:
    """Goal: margin and losses are those of the study, alone or as called. Method: columns compared."""
    alone = {paths.house: paths for paths in house_paths(series, past, None, FREE)}
    called = {paths.house: paths for paths in house_paths(series, past, Allocation.EULER, FREE)}
    assert set(alone) == {House.HKSCC, House.HKCC, House.OTC_CLEAR}
    assert alone[House.HKCC].accounts == ("B", "rates")
    assert (alone[House.HKCC].losses[:, 0] == series[0].losses[:, 1]).all()
    assert (called[House.HKCC].margin <= alone[House.HKCC].margin).all()
    assert (called[House.HKCC].margin < alone[House.HKCC].margin).any()
    fields = margin_fields(alone[House.OTC_CLEAR], past, series)
    assert "revalued history, filtered expected shortfall, stressed part" in values(fields, "6.4")
    first = alone[House.HKSCC]
    uncovered = int((first.losses > first.margin).sum())
    assert values(margin_fields(first, past, series), "6.5.1") == [str(uncovered)]
    with pytest.raises(Rejected, match="no account"):
        house_paths([], past, None)


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: CSV and JSON from files, refusals by line. Method: a simulated history, collateral, a fund."""
    write_files(tmp_path)
    for name in ("closes.csv", "index.csv"):  # collateral rules begin in 2022
        text = (tmp_path / name).read_text().replace("2019-", "2023-").replace("2020-", "2024-")
        (tmp_path / name).write_text(text)
    (tmp_path / "B.csv").write_text(
        "book,house,product,factor,notional,strike,days\nA,HKSCC,stock,BASKET,100000000,,\nA,HKCC,future,INDEX,-90000000,,\n"
    )
    (tmp_path / "L.csv").write_text("account,house,kind,value\nA,HKCC,cash.HKD,9000000\nA,HKSCC,cash.USD,9000000\n")
    (tmp_path / "E.csv").write_text("day,scenario,participant,group,loss,collateral\nd1,up,A,GA,900000000,300000000\n")
    (tmp_path / "K.csv").write_text("day,participant,key\nd1,A,3\n")
    call = ["margin", "disclosure", "--prices", str(tmp_path / "closes.csv"), "--index", str(tmp_path / "index.csv"),
            "--books", str(tmp_path / "B.csv"), "--every", "20", "--collateral", str(tmp_path / "L.csv")]  # fmt: skip
    fund = ["--exposures", str(tmp_path / "E.csv"), "--keys", str(tmp_path / "K.csv")]
    assert main([*call, *fund, "--out", str(tmp_path / "deep" / "fields.csv")]) == 0
    rows = list(csv.DictReader((tmp_path / "deep" / "fields.csv").read_text().splitlines()))
    numbers = {row["field"] for row in rows}
    assert {"4.1", "4.4.1", "5.1", "6.1", "6.2", "6.4", "6.5.1", "6.5.3", "6.5.5", "6.6", "6.7", "6.8"} <= numbers
    capsys.readouterr()
    assert main([*call, "--margin", "euler", "--json"]) == 0
    assert {row["house"] for row in json.loads(capsys.readouterr().out)} == {"HKSCC", "HKCC"}
    assert main([*call, *fund[:2]]) == 2
    assert "go together" in capsys.readouterr().err
    (tmp_path / "L.csv").write_text("account,house,kind,value\nA,HKCC,gold,1\n")
    assert main(call) == 2
    assert "L.csv:2: kind: HKCC does not take 'gold'" in capsys.readouterr().err
