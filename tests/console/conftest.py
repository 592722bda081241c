"""One written house for the console's tests, served in process with its pages."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("litestar")
pytest.importorskip("joserfc")
pytest.importorskip("jinja2")

from console_house import Served, served, write_house, write_prices

from tsingma.app.house_market import HouseMarket
from tsingma.console.routes import ROUTES


@pytest.fixture(scope="session")
def written_console(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The house on disk; never opened for writing."""
    return Path(write_house(tmp_path_factory.mktemp("console") / "house"))


@pytest.fixture(scope="module")
def console(written_console: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A served copy that a module's tests share."""
    folder = Path(shutil.copytree(written_console, tmp_path_factory.mktemp("pages") / "house"))
    market = HouseMarket(write_prices(folder.parent / "market"))
    with served(folder, market=market, more_routes=ROUTES) as running:
        yield running


@pytest.fixture
def changing_console(written_console: Path, tmp_path: Path) -> Iterator[Served]:
    """A served copy that one test changes."""
    with served(Path(shutil.copytree(written_console, tmp_path / "house")), more_routes=ROUTES) as running:
        yield running
