"""The register: whole, counted, flagged, computed from the series where given, and scored on what came after."""

from __future__ import annotations

from pathlib import Path

import pytest

from tsingma.app.economy_claims import ClaimReport, claim_report
from tsingma.basics.rejection import Rejected
from tsingma.economy.claims import Result
from tsingma.economy.register import NO_DATA, not_testable, register, statements

FLAGGED = ("A4", "A5", "E3", "E5", "E7")
FORMS = {"figure": 32, "claim": 43, "lever": 5}


@pytest.fixture(scope="module")
def with_data(shared: Path) -> ClaimReport:
    """Return the register tested on the public series."""
    return claim_report(shared / "data" / "econ")


@pytest.fixture(scope="module")
def alone() -> ClaimReport:
    """Return the register without any series."""
    return claim_report(None)


def test_nothing_is_left_out(alone: ClaimReport) -> None:
    """Goal: 43 claims, 37 figures and levers. Method: ids of the three columns, in order, each with all its fields."""
    wanted = [f"A{n}" for n in range(1, 13)] + [f"B{n}" for n in range(1, 29)] + [f"C{n}" for n in range(1, 16)]
    wanted += [f"E{n}" for n in range(1, 15)] + [f"F{n}" for n in range(1, 12)]
    assert [claim.id for claim in alone.claims] == wanted
    assert alone.forms == FORMS
    assert sum(alone.count.values()) == 80
    assert alone.flagged == FLAGGED
    assert alone.hold_outs == ()
    for claim in alone.claims:
        assert any("\u4e00" <= letter <= "\u9fff" for letter in claim.chinese), claim.id


def test_without_series_it_says_so(alone: ClaimReport) -> None:
    """Goal: no result without its data. Method: rows computed from series are not testable and name --data."""
    for claim in alone.claims:
        if claim.id in ("E1", "E13", "F1", "F4", "F10"):
            assert claim.result is Result.NOT_TESTABLE
            assert NO_DATA in claim.why


def test_results_on_the_public_series(with_data: ClaimReport) -> None:
    """Goal: the checks of the reference. Method: result of every figure and claim of the third column."""
    found = {claim.id: str(claim.result) for claim in with_data.claims}
    wanted = {
        "E1": "supported", "E2": "supported", "E3": "not supported", "E4": "supported", "E5": "not supported",
        "E6": "supported", "E7": "not supported", "E8": "not testable", "E9": "not testable", "E10": "supported",
        "E11": "supported", "E12": "not testable", "E13": "supported", "E14": "not supported",
        "F1": "not supported", "F2": "not testable", "F3": "not supported", "F4": "not supported",
        "F5": "not testable", "F6": "not testable", "F7": "supported", "F8": "not testable", "F9": "supported",
        "F10": "supported", "F11": "not supported",
    }  # fmt: skip
    assert {identity: found[identity] for identity in wanted} == wanted


def test_figures_on_the_public_series(with_data: ClaimReport) -> None:
    """Goal: the figures themselves. Method: the check values of the reference, as printed."""
    figures = {claim.id: claim.figure for claim in with_data.claims}
    for identity, text in {
        "E1": "+27.77", "E3": "25,630.54", "E5": "27,968.09", "E6": "22,671.86", "E7": "10 months", "E8": "-16.5",
        "E10": "40,810", "E13": "N225 +39.2", "F4": "4 of 5 partings; HSI +12.3", "F7": "24,261 to 18,448",
    }.items():  # fmt: skip
        assert text in figures[identity], figures[identity]


def test_flagged_figures_carry_their_check(with_data: ClaimReport) -> None:
    """Goal: quoted value kept, check beside it. Method: the five flagged rows."""
    for claim in with_data.claims:
        if claim.id in FLAGGED:
            assert claim.figure.startswith("quoted ")
            assert claim.why.startswith("flagged, check value: ")
            assert claim.result is Result.NOT_SUPPORTED


def test_forecasts_are_scored_beside_no_change(with_data: ClaimReport) -> None:
    """Goal: data after 30 June 2026, never fitted. Method: what came, as published; errors and verdict agree."""
    came = {one.id: one for one in with_data.hold_outs}
    assert came["HSI on 2026-08-20"].observed == pytest.approx(25_698.49, abs=0.01)
    assert came["agreements of July 2026"].observed == 4_462
    assert came["RVD index of 2026Q2"].observed == 321.0
    assert came["RVD index of 2026Q2"].no_change == 308.4
    for one in came.values():
        assert one.error == pytest.approx(one.forecast - one.observed)
        assert one.better_than_no_change == (abs(one.error) < abs(one.no_change - one.observed))


def test_the_count_is_of_what_is_printed(with_data: ClaimReport) -> None:
    """Goal: an honest count. Method: counted again from the rows."""
    for result, number in with_data.count.items():
        assert number == sum(1 for claim in with_data.claims if claim.result == result)


def test_unknown_findings_and_missing_files_are_refused(tmp_path: Path) -> None:
    """Goal: no finding goes astray. Method: a finding of no statement, and a folder without the series."""
    with pytest.raises(Rejected, match="no statement 'Z1'"):
        register({"Z1": not_testable("none", "none")})
    with pytest.raises(Rejected, match="cannot be read"):
        claim_report(tmp_path)
    assert len({statement.id for statement in statements()}) == 80
