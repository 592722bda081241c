"""One written house for all tests of the interface, copied where a test changes it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("litestar")
pytest.importorskip("joserfc")

from api_house import Served, served, write_house, write_prices

from tsingma.app.house_market import HouseMarket
from tsingma.app.jobs import JobLimits

NOTHING_RUNS = JobLimits(running=0, waiting=1_000, of_an_owner=1_000)


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The house on disk; never opened for writing."""
    return Path(write_house(tmp_path_factory.mktemp("api") / "house"))


@pytest.fixture(scope="session")
def market_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Prices of the counters of the house."""
    return write_prices(tmp_path_factory.mktemp("market"))


@pytest.fixture
def folder(written: Path, tmp_path: Path) -> Path:
    """A copy of it to change."""
    return Path(shutil.copytree(written, tmp_path / "house"))


@pytest.fixture
def house(folder: Path) -> Iterator[Served]:
    """A served copy."""
    with served(folder) as running:
        yield running


@pytest.fixture(scope="module")
def shown(written: Path, market_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A served copy that a module's tests share, because they do not change it."""
    copy = Path(shutil.copytree(written, tmp_path_factory.mktemp("shown") / "house"))
    with served(copy, market=HouseMarket(market_folder)) as running:
        yield running


@pytest.fixture(scope="module")
def house_of_cases(written: Path, market_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A served copy on which the table of permissions is tried; what is allowed changes it, jobs wait for ever."""
    copy = Path(shutil.copytree(written, tmp_path_factory.mktemp("cases") / "house"))
    with served(copy, market=HouseMarket(market_folder), job_limits=NOTHING_RUNS) as running:
        yield running
