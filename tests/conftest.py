"""Fixtures every room's tests share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from postgres_server import NoServer, databases, start

# No deadline: the first call of a kernel compiles or loads it. The suite draws the same examples each time, so that a
# change fails by what it changed; long runs draw new ones.
settings.register_profile("tsingma", deadline=None, derandomize=True)
settings.register_profile("anew", deadline=None)
settings.load_profile("tsingma")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of third-party reference data beside the checkout; tests that need it skip where it is absent."""
    folder = Path(__file__).resolve().parents[1].parent / "shared"
    if not (folder / "data").is_dir():
        pytest.skip("third-party data folder ../shared is absent")
    return folder


@pytest.fixture(scope="session")
def new_database() -> Iterator[Callable[[], str]]:
    """Make a new empty PostgreSQL database at each call and return its URL; skips where no server can run."""
    try:
        with start() as url, databases(url) as make:
            yield make
    except NoServer as missing:
        pytest.skip(f"no PostgreSQL server runs here: {missing}")
