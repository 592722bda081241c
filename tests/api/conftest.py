"""One written house for all tests of the interface, copied where a test changes it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("litestar")
pytest.importorskip("joserfc")

from api_house import Served, served, write_house


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The house on disk; never opened for writing."""
    return Path(write_house(tmp_path_factory.mktemp("api") / "house"))


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
def shown(written: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A served copy that a module's tests share, because they do not change it."""
    with served(Path(shutil.copytree(written, tmp_path_factory.mktemp("shown") / "house"))) as running:
        yield running


@pytest.fixture(scope="module")
def house_of_cases(written: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A served copy on which the table of permissions is tried; what is allowed changes it."""
    with served(Path(shutil.copytree(written, tmp_path_factory.mktemp("cases") / "house"))) as running:
        yield running
