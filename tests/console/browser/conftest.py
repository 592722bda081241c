"""A browser and a served house for tests of the pages as people see them; left out, saying so, where none is."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("litestar")
pytest.importorskip("joserfc")
pytest.importorskip("jinja2")
pytest.importorskip("playwright.sync_api")

from browser_house import Site, site, write_week
from browser_pages import ARGUMENTS, Visitor
from playwright.sync_api import sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
WIDTH, HEIGHT = 1280, 900


@pytest.fixture(scope="session")
def written_week(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The house and its market on disk; never served from here."""
    folder = tmp_path_factory.mktemp("week")
    write_week(folder)
    return folder


@pytest.fixture(scope="module")
def served_week(written_week: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A served copy, which a module's tests share."""
    folder = tmp_path_factory.mktemp("site")
    shutil.copytree(written_week, folder, dirs_exist_ok=True)
    with site(folder) as running:
        yield running


@pytest.fixture(scope="module")
def chromium() -> Iterator[object]:
    """Debian's Chromium, started once for a module."""
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine: apt install chromium")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium: object, served_week: Site) -> Iterator[Callable[..., Visitor]]:
    """Open a window of its own for a person ("": for nobody).

    Whatever a page complains of, and whatever it asks of other hosts, fails the test.
    """
    opened: list[Visitor] = []

    def come(who: str, *, language: str = "en", scripts: bool = True, theme: str = "light", width: int = WIDTH,
             height: int = HEIGHT) -> Visitor:  # fmt: skip
        context = chromium.new_context(  # type: ignore[attr-defined]
            base_url=served_week.address,
            locale={"en": "en-HK", "zh-Hant": "zh-HK"}[language],
            java_script_enabled=scripts,
            color_scheme=theme,
            viewport={"width": width, "height": height},
            reduced_motion="reduce",
        )
        if who:
            session = {"name": "tsingma", "value": served_week.cookie(str(who)), "url": served_week.address}
            context.add_cookies([session])
        visitor = Visitor(context, served_week.address, language)
        opened.append(visitor)
        return visitor

    yield come
    for one in opened:
        one.context.close()
    for one in opened:
        assert one.complaints == []
