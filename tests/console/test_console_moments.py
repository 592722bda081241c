"""Pages as of an earlier record or day: the books of then, nothing to do, and other pages are of now."""

from __future__ import annotations

from html import unescape

import pytest
from console_house import Served

from tsingma.console.navigation import MENU

LOOKING_BACK = {
    "day",
    "instructions",
    "orders",
    "obligations",
    "positions",
    "holdings",
    "corporate_actions",
    "defaults",
    "margin",
    "calls",
}


def test_books_as_of_a_record(console: Served) -> None:
    """Goal: what stood then. Method: A's shares came with record 4, its order with 9, the match with 10, in turn."""
    first = console.get("participant", "/console/holdings?at=3").text
    assert "By account and asset (0)" in first
    assert "As it stood after journal record 3" in first
    assert "As of journal record 3," in first
    assert "By account and asset (1)" in console.get("participant", "/console/holdings?at=4").text
    before = console.get("participant", "/console/orders?at=9").text
    assert "waiting" in before
    assert "/console/instructions/0" not in before
    assert "/console/instructions/0" in console.get("participant", "/console/orders?at=10").text
    assert console.get("participant", "/console/instructions/0?at=9").status_code == 422
    assert console.get("participant", "/console/instructions/2?at=12").status_code == 404


def test_nothing_is_done_from_the_past(console: Served) -> None:
    """Goal: no form acts on what is over. Method: the same pages now and then; the way back is there."""
    for path in ("/console/instructions/0", "/console/orders"):
        assert 'name="action"' in console.get("participant", path).text
        then = console.get("participant", f"{path}?at=18").text
        assert 'name="action"' not in then
        assert f'href="{path}"' in then
    assert "hx-sse:connect" not in console.get("operator", "/console/day?at=5").text
    assert "hx-sse:connect" in console.get("operator", "/console/day").text


def test_a_day_is_its_last_record_and_nonsense_is_refused(console: Served) -> None:
    """Goal: as the interface answers. Method: a day, both at once, records and days there are not."""
    at = console.service.length()
    assert f"As of journal record {at}," in console.get("auditor", "/console/positions?on=2026-01-05").text
    for asked, status in (("at=5&on=2026-01-05", 409), ("at=99999", 422), ("at=x", 400), ("on=2026-01-04", 422),
                          ("at=0", 422), ("on=then", 400)):  # fmt: skip
        answer = console.get("auditor", f"/console/positions?{asked}")
        assert answer.status_code == status, asked
        assert "data-theme" in answer.text


@pytest.mark.parametrize("entry", [entry for group in MENU for entry in group.entries], ids=lambda entry: entry.name)
def test_only_pages_that_read_then_say_so(console: Served, entry: object) -> None:
    """Goal: no page of now claims to be of then. Method: every page of the menu with a record; who says it is past."""
    name, path = entry.name, entry.path  # type: ignore[attr-defined]
    who = next(one for one in ("auditor", "participant") if console.get(one, path).status_code == 200)
    text = unescape(console.get(who, f"{path}?at=18").text)
    assert ("As it stood after journal record 18" in text) == (name in LOOKING_BACK)
    assert ("As of journal record 18," in text) == (name in LOOKING_BACK)
