"""The default-fund notice of a declared default: its parts add up, and nobody is told what others bear.

Method: one made-up default of three layers, for the house, a survivor, the defaulter and a stranger, in both languages
and every form; figures by hand.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tsingma.basics.rejection import InvariantBroken, Rejected
from tsingma.reports.official.books import Addressee
from tsingma.reports.official.default import DefaultNotice, NoticeContribution, NoticeLayer, default_report
from tsingma.reports.official.files import FORMS, write_report


def notice(code: str) -> DefaultNotice:
    """Return the notice of D's default for somebody: 500.00 of its own, 20.00 of the fund, 30.00 of survivors."""
    whose = Addressee(code=code, name=code, lei="", day="2026-01-07", is_open=True, record=9, state_hash="ab" * 32)
    layer = msgspec.structs.replace
    first = NoticeLayer(fund="HKSCC", kind="defaulter-collateral", available=90_000, used=50_000,
                        borne_by={"D": 50_000})  # fmt: skip
    return DefaultNotice(
        whose=whose, number=1, defaulter="D", status="declared", ground="decision", declared_at="2026-01-07T02:00:00Z",
        owed=250, written_off=False,
        layers=(
            first,
            layer(first, kind="house", available=2_000, used=2_000, borne_by={"house": 2_000}),
            layer(first, kind="survivor-contributions", available=3_000, used=3_000,
                  borne_by={"B": 1_000, "C": 2_000}),
            layer(first, kind="assessments", available=3_000, used=600, borne_by={"B": 200, "C": 400}),
        ),
        contributions=tuple(
            NoticeContribution(participant=who, fund="HKSCC", required=required, pledged=0, assessed_open=left)
            for who, required, left in (("house", 2_000, 0), ("B", 1_000, 0), ("C", 2_000, 250))
        ),
    )  # fmt: skip


def cells(code: str, *, whole: bool = False) -> list[tuple[object, ...]]:
    """Return all rows and totals of a notice in English."""
    report = default_report(notice(code), "en", whole=whole)
    return [row for table in report.tables() for row in (*table.rows, *table.foot)]


def test_a_survivor_is_told_its_own_part_and_nobody_elses() -> None:
    """Goal: figures and privacy. Method: C's notice by hand; B is nowhere in it."""
    rows = cells("C")
    assert [row[-1] for row in rows[:5]] == [0, 0, 2_000, 400, 2_400]
    assert rows[4][3] == 55_600
    assert rows[5:] == [("C", "HKSCC", 2_000, 0, 2_150, 250)]
    assert all("B" not in row for row in rows)
    figures = default_report(notice("C"), "en", whole=False).figures
    assert [figure.value for figure in figures] == ["24.00", "556.00", "2.50"]


def test_the_houses_list_names_everybody_and_the_defaulter_sees_its_own() -> None:
    """Goal: whose eyes. Method: the whole list, the defaulter's, and a stranger who has no part."""
    assert {row[0] for row in cells("HKSCC", whole=True)[5:]} == {"house", "B", "C"}
    assert [row[-1] for row in cells("D")[:5]] == [50_000, 0, 0, 0, 50_000]
    with pytest.raises(Rejected, match="has no part in default 1"):
        cells("Z")


def test_layers_that_do_not_add_up_are_no_notice() -> None:
    """Goal: a notice is proved. Method: a layer that bore more than its parts."""
    good = notice("C")
    broken = msgspec.structs.replace(good.layers[0], used=1)
    with pytest.raises(InvariantBroken, match="do not add up"):
        default_report(msgspec.structs.replace(good, layers=(broken,)), "en", whole=False)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_it_is_written_in_every_form_and_language(form: str, language: str, tmp_path: Path) -> None:
    """Goal: one content. Method: written twice: the same bytes."""
    made = [write_report(default_report(notice("C"), language, whole=False), tmp_path / f"{turn}{form}")
            for turn in ("a", "b")]  # fmt: skip
    assert [path.read_bytes() for path in made[0]] == [path.read_bytes() for path in made[1]]
    if form == ".html":
        assert ("Which layer bore the loss" if language == "en" else "各層承擔的虧損") in made[0][0].read_text("utf-8")
