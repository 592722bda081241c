"""Suspensions and defaults on a page: what happened is told to overseers and to whom it is about, to nobody else."""

from __future__ import annotations

import re
from html import unescape

import pytest
from api_house import START_S
from console_house import Served

from tsingma.app.default_reads import defaults_of
from tsingma.journal.default_commands import DeclareDefault, SuspendParticipant
from tsingma.reports.numbers import money

REASON = "missed a call"


@pytest.fixture
def defaulted(changing_console: Served) -> Served:
    """The house after B was suspended and declared in default."""
    for name, command in (
        ("suspend", SuspendParticipant("B", REASON, START_S)),
        ("declare", DeclareDefault("B", "insolvency", REASON, START_S + 60)),
    ):
        answer = changing_console.service.submit(name, command).result()
        assert type(answer).__name__ == "Accepted", answer
    return changing_console


def test_a_case_is_told_with_its_ground_and_its_layers(defaulted: Served) -> None:
    """Goal: one page says who, since when, why and who bears what. Method: the read model's line on the page, in both
    languages; before it, nobody.
    """
    (case,) = defaulted.service.read(lambda house, at: defaults_of(house, at, "", 0, 9)).items
    for who in ("operator", "regulator", "auditor", "other"):
        text = unescape(defaulted.get(who, "/console/defaults?lang=en").text)
        assert re.search(r"Case \d+ <span class=\"code\">B</span>", text)
        assert "insolvency" in text
        assert REASON in text
        assert f">{money(case.owed_cents)}<" in text
        assert f"{case.open_positions} stock positions" in text
    chinese = defaulted.get("operator", "/console/defaults?lang=zh-Hant").text
    assert "已宣布違約" in chinese
    assert "無力償債" in chinese


def test_nobody_reads_of_another_members_default(defaulted: Served) -> None:
    """Goal: a default is told to overseers and to whom it is about. Method: the pages of two other members."""
    for who in ("participant", "custodian"):
        text = defaulted.get(who, "/console/defaults?lang=en").text
        assert "Nobody is suspended or in default." in text
        assert REASON not in text
        assert defaulted.get(who, "/console/defaults?participant=B").status_code == 403
