"""Every page of the menu in Chromium: no fault for axe-core, no complaint, no request elsewhere, whole on paper."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser_pages import Visitor

from tsingma.api.permissions import Role, Scope, scope_of
from tsingma.console.navigation import MENU

Visit = Callable[..., Visitor]
ENTRIES = {entry.name: entry for group in MENU for entry in group.entries}
# Pages that no menu leads to, and who is there.
OTHERS = {
    "home": ("/console", "operator"),
    "sign-in": ("/console/sign-in", ""),
    "nowhere": ("/console/nowhere", "auditor"),
}
WITH_ANSWERS = {  # pages that ask a model, with something asked
    "stress": "?scenario=chosen&index=-25&volatility=3&horizon=2",
    "chain": "?scenario=choke&maker=advanced_logic:TWN&months=6&part=50",
    "renminbi": "?scenario=renminbi-opening&pool=2&capital_controls=0.5",
    "property": "?scenario=reunion-down&price=25000000",
}
NARROW, WIDTH, HEIGHT = 390, 1280, 900
WIDER = """[...document.querySelectorAll('main *')].filter(e => e.getBoundingClientRect().right > 391 &&
    !e.closest('.scroll')).map(e => e.outerHTML.slice(0, 120)).slice(0, 3)"""
# Light and dark differ in colours alone: the whole set of rules once, contrast in the other.
EVERY_RULE: dict[str, Any] = {}
CONTRAST: dict[str, Any] = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}


def reader_of(name: str) -> tuple[str, str]:
    """Return the address of a page and a role that may open it, members first: their pages have all parts."""
    if name in OTHERS:
        return OTHERS[name]
    entry = ENTRIES[name]
    order = (Role.PARTICIPANT, Role.CUSTODIAN, Role.OPERATOR, Role.REGULATOR, Role.AUDITOR)
    who = next(role for role in order if scope_of(role, entry.access) is not Scope.NONE)
    return entry.path, str(who)


def faults(visitor: Visitor, options: dict[str, Any]) -> list[str]:
    """Return what axe-core finds wrong on the open page: rule, help and the first element each."""
    found = Axe().run(visitor.page, options={"resultTypes": ["violations"], **options})
    return [f"{one['id']}: {one['help']}: {one['nodes'][0]['html'][:200]}" for one in found.response["violations"]]


@pytest.mark.parametrize("name", sorted({*ENTRIES, *OTHERS}))
def test_no_fault_in_light_in_dark_or_on_a_telephone(visit: Visit, name: str) -> None:
    """Goal: everybody can read every page. Method: axe-core, all rules in light and English, contrast in dark Chinese;
    nothing sideways on 390 pixels; errors of the page, its policy, or a request to another host fail as well.
    """
    path, who = reader_of(name)
    status = 404 if name == "nowhere" else 200
    page = visit(who).open(path + WITH_ANSWERS.get(name, ""), status)
    if status == 404:  # the browser itself reports the status of a page that is not there
        page.complaints.clear()
    assert (found := faults(page, EVERY_RULE)) == [], "\n".join(found)
    page.page.set_viewport_size({"width": NARROW, "height": 800})
    wide = page.page.evaluate("document.documentElement.scrollWidth")
    assert wide <= NARROW, page.page.evaluate(WIDER)
    if status == 404:
        return
    background = "getComputedStyle(document.body).backgroundColor"
    was = page.page.evaluate(background)
    page.page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    page.page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
    page.language = "zh-Hant"
    page.open(f"{path}?lang=zh-Hant")
    assert faults(page, CONTRAST) == []
    assert page.page.evaluate(background) != was
