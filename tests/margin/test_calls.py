"""Margin calls of a day.

Goal: each house's runs as its rules state them, amounts and due times, nothing called twice. Method: published rules by
hand, properties on random standings, refusals by line.
"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsingma.basics.rejection import Rejected
from tsingma.cli.main import main
from tsingma.margin.house.holdings import House
from tsingma.margin.resources.calls import Standing, before_long_holiday, margin_calls, runs_of

MONDAY = date(2026, 1, 5)


def standing(house: str, time: str, margin: int, marks: int, lodged: int, limit: int = 0, line: int = 2) -> Standing:
    """Return a standing of account A."""
    return Standing(
        account="A", house=house, time=time, margin=margin, marks=marks, lodged=lodged, limit=limit, line=line
    )


def called(*standings: Standing, day: date = MONDAY) -> list[tuple[str, int, str]]:
    """Return (time, amount, due time) of the calls of a day."""
    return [(one.time, one.amount, one.due_time) for one in margin_calls(day, standings)]


def test_published_times() -> None:
    """Goal: HKSCC 11:00, HKCC 10:30 and 15:00, SEOCH 09:45 and 15:00 from 23 June 2025. Method: rows by date."""

    def times(house: str, day: date) -> list[str]:
        return [time for run in runs_of(house, day) for time in run.times if run.name.startswith("intraday")]

    for day, hkcc, seoch in ((date(2025, 6, 20), [], []), (date(2025, 6, 23), ["10:30", "15:00"], ["09:45", "15:00"])):
        assert times("HKSCC", day) == ["11:00"]
        assert times("HKCC", day) == hkcc
        assert times("SEOCH", day) == seoch
    assert len(times("OTC Clear", MONDAY)) == 19  # every half hour from nine to six
    for house in House:
        assert all(run.source for run in runs_of(house, MONDAY))


def test_hkscc_tolerance() -> None:
    """Goal: at 11:00 marks up to HKD 5 million are let be, the excess is due by 14:00. Method: a dollar either side."""
    at = "10:55"
    assert called(standing("HKSCC", at, 0, 5_000_000, 0)) == [("18:00", 5_000_000, "09:15")]
    assert called(standing("HKSCC", at, 0, 5_000_001, 0))[0] == ("11:00", 1, "14:00")
    assert called(standing("HKSCC", at, 0, 12_000_000, 0)) == [
        ("11:00", 7_000_000, "14:00"), ("18:00", 5_000_000, "09:15")]  # fmt: skip
    assert called(standing("HKSCC", at, 50_000_000, 12_000_000, 58_000_000)) == [("18:00", 4_000_000, "09:15")]
    assert called(standing("HKSCC", at, 50_000_000, -9_000_000, 50_000_000)) == []
    late = margin_calls(MONDAY, [standing("HKSCC", at, 0, 9_000_000, 0)])[-1]
    assert late.due_day == date(2026, 1, 6)


def test_hkscc_run_before_a_long_holiday() -> None:
    """Goal: a 14:00 run on the full trading day before a long holiday only. Method: Chinese New Year 2026."""
    assert [day for day in range(9, 14) if before_long_holiday(date(2026, 2, day))] == [13]
    assert not before_long_holiday(date(2026, 2, 16))  # a half day
    assert not before_long_holiday(date(2026, 1, 9))  # a weekend is not long
    found = called(standing("HKSCC", "10:00", 0, 3_000_000, 0), day=date(2026, 2, 13))
    assert found == [("14:00", 3_000_000, "15:00")]


def test_hkcc_and_seoch_within_an_hour() -> None:
    """Goal: the whole shortfall, due an hour after notice; new marks are called anew. Method: a day by hand."""
    one, two = standing("HKCC", "10:00", 100, 30, 110), standing("HKCC", "14:30", 100, 90, 130)
    assert called(one, two) == [("10:30", 20, "11:30"), ("15:00", 60, "16:00")]
    assert called(one) == [("10:30", 20, "11:30")]  # on its way: not called again at 15:00 and at day end
    assert called(standing("SEOCH", "09:30", 100, 30, 110)) == [("09:45", 20, "10:45")]
    assert called(standing("HKCC", "10:45", 100, 30, 110), day=date(2025, 6, 20)) == [("18:30", 20, "09:15")]


def test_seoch_ad_hoc() -> None:
    """Goal: half of the margin eroded calls at once, less does not. Method: marks either side of a half."""
    assert called(standing("SEOCH", "11:10", 100, 50, 100))[0] == ("11:10", 50, "12:10")
    assert called(standing("SEOCH", "11:10", 100, 49, 100))[0] == ("15:00", 49, "16:00")


def test_otc_clear_intraday_limit() -> None:
    """Goal: nothing up to the member's limit, all of it above, at the next half hour. Method: by hand."""
    assert called(standing("OTC Clear", "10:10", 100, 40, 100, limit=40)) == [("18:30", 40, "09:30")]
    assert called(standing("OTC Clear", "10:10", 100, 41, 100, limit=40)) == [("10:30", 41, "11:30")]


def test_holiday_margin_of_otc_clear() -> None:
    """Goal: 19 % of initial margin at 08:30, due at 09:30, on 6 April 2023. Method: the circular's percentages.

    The calendar begins in 2024, so the rows are read through the runs themselves.
    """
    rows = {day: [run.holiday_part_e4 for run in runs_of("OTC Clear", day) if run.basis == "holiday"]
            for day in (date(2023, 4, 6), date(2023, 4, 7), date(2023, 4, 11))}  # fmt: skip
    assert list(rows.values()) == [[1_900], [1_000], []]


STANDINGS = st.lists(
    st.tuples(st.sampled_from([str(house) for house in House]), st.integers(8, 18), st.integers(0, 10**9),
              st.integers(-(10**9), 10**9), st.integers(0, 10**9), st.integers(0, 10**8)),
    min_size=1, max_size=8, unique_by=lambda one: one[:2],
)  # fmt: skip


@given(STANDINGS)
def test_identities(rows: list[tuple[str, int, int, int, int, int]]) -> None:
    """Goal: no call without a shortfall above its tolerance; by day end nothing is missing; never called twice.

    Method: random days of one account at every house.
    """
    standings = [standing(house, f"{hour:02d}:00", *amounts) for house, hour, *amounts in rows]
    calls = margin_calls(MONDAY, standings)
    assert [(one.time, one.house) for one in calls] == sorted((one.time, one.house) for one in calls)
    for one in calls:
        assert 0 < one.amount <= one.shortfall
        assert one.shortfall > one.tolerance
        assert (one.due_day, one.due_time) > (MONDAY, one.time)
    for house in {one.house for one in standings}:
        last = max((one for one in standings if one.house == house), key=lambda one: one.time)
        since = sum(one.amount for one in calls if one.house == house and one.time >= last.time)
        assert since == max(last.margin + last.marks - last.lodged, 0)


def test_refusals() -> None:
    """Goal: line and field named, no day guessed. Method: one fault each."""
    good = standing("HKCC", "10:00", 1, 1, 1, line=7)
    for change, message in (
        ({"house": "LCH"}, "house: 'LCH' is none of"), ({"time": "25:00"}, "time: '25:00' is no time"),
        ({"time": "9:00"}, "write HH:MM"), ({"margin": -1}, "margin: is negative"),
        ({"lodged": -1}, "lodged: is negative"), ({"limit": -1}, "limit: is negative"),
    ):  # fmt: skip
        with pytest.raises(Rejected, match=message) as found:
            margin_calls(MONDAY, [msgspec.structs.replace(good, **change)])
        assert found.value.rejections[0].line == 7
    with pytest.raises(Rejected, match="stands twice at 10:00"):
        margin_calls(MONDAY, [good, good])
    with pytest.raises(Rejected, match="no standing"):
        margin_calls(MONDAY, [])
    with pytest.raises(
        Rejected, match=r"2026-01-01 is no business day of XHKG \(The first day of January\)|no business"
    ):
        margin_calls(date(2026, 1, 1), [good])
    with pytest.raises(Rejected, match="beyond the table"):
        margin_calls(date(2030, 1, 2), [good])
    with pytest.raises(Rejected, match="no runs of 'LCH'"):
        runs_of("LCH", MONDAY)


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: words and JSON from a file, refusals with its name and line. Method: two accounts, one fault each."""
    path = tmp_path / "S.csv"
    head = "account,house,time,margin,marks,lodged,limit\n"
    path.write_text(head + "A,HKSCC,10:50,10000000,9000000,10000000,\nB,OTC Clear,10:50,100,50,100,10\n")
    call = ["margin", "calls", "--standings", str(path), "--day", "2026-01-05"]
    assert main([*call, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert [(one["account"], one["amount"]) for one in answer] == [("A", 4_000_000), ("B", 50), ("A", 5_000_000)]
    assert main(call) == 0
    assert "intraday variation margin" in capsys.readouterr().out
    for line, message in (
        ("A,HKSCC,10:50,1,1\n", "S.csv:2: 5 columns"),
        ("A,HKSCC,10:50,x,1,1,\n", "S.csv:2: margin: 'x' is no whole HKD"),
        (",HKSCC,10:50,1,1,1,\n", "S.csv:2: account: is empty"),
        ("A,LCH,10:50,1,1,1,\n", "S.csv:2: house: 'LCH'"),
    ):  # fmt: skip
        path.write_text(head + line)
        assert main(call) == 2
        assert message in capsys.readouterr().err
    path.write_text("a,b\n")
    assert main(call) == 2
