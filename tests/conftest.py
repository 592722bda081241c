"""Fixtures every room's tests share."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("tsingma", deadline=None)  # the first call of a kernel compiles or loads it
settings.load_profile("tsingma")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of third-party reference data beside the checkout; tests that need it skip where it is absent."""
    folder = Path(__file__).resolve().parents[1].parent / "shared"
    if not (folder / "data").is_dir():
        pytest.skip("third-party data folder ../shared is absent")
    return folder
