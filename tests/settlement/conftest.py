"""Fixtures of the settlement tests."""

from __future__ import annotations

import pytest
from settlement_books import Books


@pytest.fixture
def books() -> Books:
    """Empty books with the house's own rows open."""
    return Books()
