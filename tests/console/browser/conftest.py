"""A browser and a served house for tests of the pages as people see them; left out, saying so, where none is."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

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


class Started:
    """The browser while tests of this folder run: its driver keeps an event loop, so that no other test may meet it."""

    def __init__(self) -> None:
        """Start nothing yet."""
        self.driver: Any = None
        self.browser: Any = None

    def get(self) -> Any:
        """Return the browser, started at the first call."""
        if self.browser is None:
            self.driver = sync_playwright().start()
            self.browser = self.driver.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        return self.browser

    def end(self) -> None:
        """Close it."""
        if self.browser is not None:
            self.browser.close()
            self.driver.stop()
        self.driver = self.browser = None


STARTED = Started()
HERE = Path(__file__).resolve().parent


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """Close the browser behind the last test of this folder, once its windows are closed."""
    try:
        return (yield)
    finally:
        if nextitem is None or HERE not in nextitem.path.parents:
            STARTED.end()


@pytest.fixture(scope="module")
def chromium() -> object:
    """Debian's Chromium, started once for all tests of this folder."""
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine: apt install chromium")
    return STARTED.get()


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
